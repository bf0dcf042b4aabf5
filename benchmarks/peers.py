"""riskcurve against what a user would pick instead, on the same mode system, side by side in one run.

SignSGD, batch 1, Gaussian noise of std 0.1, eigenvalues j^-1.5, T = 1e5 steps of 1e-4: ds/dt = -2 gamma a s +
gamma^2 c, R = sum h s/2. Each peer gets the rates as arrays and a solver tolerance loose enough for its own best
time: the loosest of a ladder whose R(T) is within the stated error of the reference (riskcurve at rtol 1e-13).
Times are the least of some calls, the solver alone; of riskcurve also the whole process.

Usage: peers.py RISKCURVE PEER_CVODE OUT.json [LARGEST_DIMENSION]
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.integrate import solve_ivp

import riskcurve as rc

STEP, T, STD, ERROR = 1e-4, 1e5, 0.1, 1e-6


def experiment(d):
    problem = rc.VectorProblem(rc.power_law(d, alpha=0.75), rc.power_law_target(beta=0.25), rc.gaussian(STD))
    return rc.Experiment(problem, rc.SignSGD(batch=1), rc.constant(STEP), T, at=[T], signal="small")


def least(work, repeats, bound=20.0):
    """Seconds of the fastest call, and its answer; no more calls once `bound` seconds are spent."""
    best, answer, spent = np.inf, None, 0.0
    for _ in range(repeats):
        begun = time.perf_counter()
        answer = work()
        took = time.perf_counter() - begun
        best, spent = min(best, took), spent + took
        if spent > bound:
            break
    return best, answer


class Modes:
    """The rates as NumPy sees them: a = A 2/sqrt(2R + std^2), c constant; s of directions one by one."""

    def __init__(self, d):
        lam = np.arange(1.0, d + 1) ** -1.5
        system = rc.mode_system(experiment(d), whole=True)
        a, c = system.rates(1.0)
        order = np.argsort(-system.weight)
        h, a, c, s = (np.asarray(x)[order] for x in (system.weight, a, c, system.initial))
        if len(h) != d:  # modes that stand for many: rates are powers of lambda between them
            m = np.asarray(system.multiplicity)[order]
            count = np.cumsum(m) - 0.5 * m + 0.5
            position = np.log(np.arange(1.0, d + 1))
            spread = lambda x: np.exp(np.interp(position, np.log(count), np.log(x)))  # noqa: E731
            a, c, s = spread(a), spread(c), spread(s / m)
            h = lam
        self.h, self.A, self.C, self.s = h, a * np.sqrt(2 + STD**2) / 2 * 2, c, s
        self.s = self.s * (1 / (0.5 * self.h @ self.s))

    def derivative(self, t, s):
        rate = 2 * STEP / np.sqrt(self.h @ s + STD**2)
        return STEP**2 * self.C - rate * self.A * s

    def risk(self, s):
        return 0.5 * float(self.h @ s)


def scipy(modes, method, rtol):
    found = solve_ivp(modes.derivative, (0, T), modes.s, method=method, rtol=rtol, atol=1e-3 * rtol * modes.s.min(),
                      t_eval=[T])
    return modes.risk(found.y[:, -1])


def euler(modes, dt):
    """As the papers' code: explicit steps of dt."""
    s = modes.s.copy()
    for _ in range(int(round(T / dt))):
        s += dt * modes.derivative(0, s)
    return modes.risk(s)


def runge_kutta(modes, count):
    """Fixed steps of the classical fourth order, even in log t, as a traced loop has them."""
    s = modes.s.copy()
    edges = np.concatenate([[0], np.geomspace(1e-2, T, count)])
    for t, dt in zip(edges, np.diff(edges)):
        k1 = modes.derivative(t, s)
        k2 = modes.derivative(t, s + dt / 2 * k1)
        k3 = modes.derivative(t, s + dt / 2 * k2)
        k4 = modes.derivative(t, s + dt * k3)
        s += dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return modes.risk(s)


def cvode(binary, path, rtol):
    out = subprocess.run([binary, path, repr(rtol), "1"], capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), float(out[1])


def ladder(rungs, solve, reference):
    """The first rung within the error: its setting, seconds and error; the last one tried where none is."""
    for rung in rungs:
        with np.errstate(all="ignore"):
            seconds, risk = solve(rung)
        error = abs(risk / reference - 1)
        if error < ERROR or seconds > 120:
            break
    return {"setting": rung, "seconds": seconds, "error": error}


def main(binary, peer_cvode, out, largest):
    rows = []
    for d in [10**3, 10**4, 10**5, 10**6, 10**7]:
        if d > largest:
            break
        e = experiment(d)
        modes = Modes(d)
        # The same numbers to all: a system filled by hand has them too.
        mine = lambda rtol: rc.predict(e, rtol=rtol).risk[-1]  # noqa: E731
        reference_curve, reference = mine(1e-13), None
        seconds, value = least(lambda: mine(1e-10), 20)
        with tempfile.TemporaryDirectory() as folder:
            toml = os.path.join(folder, "p.toml")
            open(toml, "w").write(e.to_toml())
            process, _ = least(lambda: subprocess.run([binary, "predict", toml], capture_output=True, check=True), 10)
            state = os.path.join(folder, "modes.bin")
            np.concatenate([[d, STEP, T, STD**2], modes.h, modes.A, modes.C, modes.s]).tofile(state)
            rows.append({"d": d, "peer": "riskcurve", "setting": "rtol 1e-10", "seconds": seconds,
                         "error": abs(value / reference_curve - 1)})
            rows.append({"d": d, "peer": "riskcurve, whole process", "setting": "rtol 1e-10", "seconds": process,
                         "error": abs(value / reference_curve - 1)})
            tolerances = [1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9]
            timed = lambda work: least(work, 3)  # noqa: E731
            # Peers are held to the limit of their own equations, not to how modes were spread.
            _, reference = cvode(peer_cvode, state, 1e-11) if d <= 10**6 else (0, reference_curve)
            rows.append({"d": d, **ladder(tolerances, lambda r: cvode(peer_cvode, state, r), reference), "peer": "CVODE BDF, GMRES"})
            for method in ["RK45", "DOP853"] + (["LSODA", "BDF"] if d <= 1000 else []):
                rows.append({"d": d, **ladder(tolerances, lambda r: timed(lambda: scipy(modes, method, r)), reference), "peer": f"SciPy {method}"})
                print(rows[-1], flush=True)
            if d <= 10**5:
                rows.append({"d": d, **ladder([1.0], lambda dt: timed(lambda: euler(modes, dt)), reference), "peer": "NumPy Euler, one a step"})
                rows.append({"d": d, **ladder([100, 300, 1000, 3000, 10000], lambda n: timed(lambda: runge_kutta(modes, n)), reference), "peer": "NumPy RK4, fixed steps"})
            rows.append({"d": d, "peer": "spread", "setting": "", "seconds": float("nan"), "error": abs(reference / reference_curve - 1)})
        for row in rows:
            if row["d"] == d:
                print(row, flush=True)
    with open(out, "w") as file:
        json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(float(sys.argv[4])) if len(sys.argv) > 4 else 10**6)
