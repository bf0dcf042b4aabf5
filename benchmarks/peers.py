"""riskcurve against what a user would pick instead, on the same mode system, side by side in one run.

SignSGD, batch 1, Gaussian noise of std 0.1, eigenvalues j^-1.5, T = 1e5 steps of 2e-5: ds/dt = -2 gamma a s +
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
import warnings

import numpy as np
from scipy.integrate import solve_ivp

import riskcurve as rc

warnings.simplefilter("ignore", rc.TrustWarning)
STEP, T, STD, ERROR = 2e-5, 1e5, 0.1, 1e-6


def experiment(d, covariance=None):
    problem = rc.VectorProblem(covariance or rc.power_law(d, alpha=0.75), rc.power_law_target(beta=0.25), rc.gaussian(STD))
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
    """The rates as NumPy sees them, of all d directions: a = A 2/sqrt(2R + std^2), c constant."""

    def __init__(self, d):
        system = rc.mode_system(experiment(d, rc.eigenvalues(np.arange(1.0, d + 1) ** -1.5)))
        a, c = system.rates(1.0)
        self.h, self.C, self.s = (np.array(x, float) for x in (system.weight, c, system.initial))
        self.A = a * np.sqrt(2 + STD**2) / 2

    def derivative(self, t, s):
        rate = 4 * STEP / np.sqrt(self.h @ s + STD**2)
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


def rows_of(d, binary, peer_cvode):
    e, modes = experiment(d), Modes(d)
    reference = rc.predict(e, rtol=1e-13).risk[-1]
    tolerances = [1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9]

    def best(peer, rungs, solve):
        return {"d": d, "peer": peer, **ladder(rungs, solve, reference)}

    with tempfile.TemporaryDirectory() as folder:
        toml, state = os.path.join(folder, "p.toml"), os.path.join(folder, "modes.bin")
        with open(toml, "w") as file:
            file.write(e.to_toml())
        np.concatenate([[d, STEP, T, STD**2], modes.h, modes.A, modes.C, modes.s]).tofile(state)
        own, risk = least(lambda: rc.predict(e, rtol=1e-10).risk[-1], 20)
        process, _ = least(lambda: subprocess.run([binary, "predict", toml], capture_output=True, check=True), 20)
        for peer, seconds in (("riskcurve", own), ("riskcurve, whole process", process)):
            yield {"d": d, "peer": peer, "setting": "rtol 1e-10", "seconds": seconds, "error": abs(risk / reference - 1)}
        yield best("CVODE BDF, GMRES", tolerances, lambda rtol: cvode(peer_cvode, state, rtol))
        for method in ["RK45", "DOP853"] + ["LSODA", "BDF"] * (d <= 1000):
            yield best(f"SciPy {method}", tolerances, lambda rtol: least(lambda: scipy(modes, method, rtol), 3))
        if d <= 10**5:
            yield best("NumPy Euler", [1.0], lambda dt: least(lambda: euler(modes, dt), 2))
            yield best("NumPy RK4, fixed steps", [100, 300, 1000, 3000, 10000], lambda n: least(lambda: runge_kutta(modes, n), 2))


def main(binary, peer_cvode, out, largest):
    rows = []
    for d in [10**3, 10**4, 10**5, 10**6, 10**7]:
        if d <= largest:
            for row in rows_of(d, binary, peer_cvode):
                rows.append(row)
                print(f"d = {d:.0e}  {row['seconds']:9.4f} s  error {row['error']:.0e}  {row['peer']}", flush=True)
    with open(out, "w") as file:
        json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(float(sys.argv[4])) if len(sys.argv) > 4 else 10**6)
