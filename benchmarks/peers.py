"""riskcurve against what a user would pick instead, on the same mode system, side by side in one run.

SignSGD, batch 1, Gaussian noise of std 0.1, eigenvalues j^-1.5, T = 1e5 steps of 2e-5: ds/dt = -2 gamma a s +
gamma^2 c, R = sum h s/2. Each peer gets the rates as arrays and a tolerance or a number of steps loose enough for its
own best time: the loosest of a ladder whose R(T) is within the stated error of the reference (riskcurve at rtol 1e-13).
Times are the least of some calls, the solver alone; of riskcurve also the whole process.

Usage: peers.py RISKCURVE PEER_CVODE OUT.json [--long] [--largest D]
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
import warnings

import numpy as np
from scipy.integrate import solve_ivp

import riskcurve as rc
from fixed_steps import euler, runge_kutta

warnings.simplefilter("ignore", rc.TrustWarning)
STEP, T, STD, ERROR = 2e-5, 1e5, 0.1, 1e-6
TOLERANCES = [1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9]


def experiment(d, covariance=None):
    problem = rc.VectorProblem(covariance or rc.power_law(d, alpha=0.75), rc.power_law_target(beta=0.25), rc.gaussian(STD))
    return rc.Experiment(problem, rc.SignSGD(batch=1), rc.constant(STEP), T, at=[T], signal="small")


def least(work, repeats, bound=3.0):
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
        system = rc.mode_system(experiment(d, rc.eigenvalues(np.arange(1.0, d + 1) ** -1.5)), whole=True)
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
    return modes.risk(found.y[:, -1]) if found.success else np.nan


def cvode(binary, path, rtol):
    out = subprocess.run([binary, path, repr(rtol), "1"], capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), float(out[1])


def ladder(rungs, solve, reference, before, patience):
    """The first rung within the error: its setting, seconds and error; the last one tried where none is, or where one took longer
    than `patience` (what diverged, three times that). Starts one rung before that of `before`, the row of a tenth of the modes; not run where ten times that one's
    seconds are too many."""
    first = 0
    if before:
        first = max(0, rungs.index(before["setting"]) - 1)
        if 10 * before["seconds"] > patience:
            return {"setting": before["setting"], "seconds": 10 * before["seconds"], "error": None, "run": False}
    for rung in rungs[first:]:
        with np.errstate(all="ignore"):
            seconds, risk = solve(rung)
        error = abs(risk / reference - 1)
        if error <= ERROR or seconds > (patience if np.isfinite(error) else 3 * patience):
            break
    return {"setting": rung, "seconds": seconds, "error": error if np.isfinite(error) else None, "run": True}


def peers_of(d):
    """Name, ladder, and the solve of a rung given the modes."""
    stiff = d <= 10**3  # those that form a Jacobian: minutes beyond
    for method in ["RK45", "DOP853"] + ["LSODA", "BDF"] * stiff:
        yield f"SciPy {method}", TOLERANCES, lambda modes, rtol, method=method: scipy(modes, method, rtol)
    if d <= 10**4:
        yield "NumPy Euler, steps of 1", [1.0], lambda modes, dt: modes.risk(euler(modes.derivative, modes.s, T, dt))
    counts = [100 * 2**i for i in range(10)]
    for method, title in (("rk4", "RK4"), ("tsit5", "Tsit5")):
        yield (f"NumPy {title}, fixed steps even in log t", counts,
               lambda modes, n, method=method: modes.risk(runge_kutta(modes.derivative, modes.s, T, n, method)))


def rows_of(d, binary, peer_cvode, long, before):
    e, modes = experiment(d), Modes(d)
    reference = rc.predict(e, rtol=1e-13).risk[-1]
    patience = 60 if long else 10
    scipys = {name: row["seconds"] for name, row in before.items() if name.startswith("SciPy")}
    best = min(scipys, key=scipys.get, default="")  # measured however long it takes, where asked for
    with tempfile.TemporaryDirectory() as folder:
        toml, state = os.path.join(folder, "p.toml"), os.path.join(folder, "modes.bin")
        with open(toml, "w") as file:
            file.write(e.to_toml())
        np.concatenate([[d, STEP, T, STD**2], modes.h, modes.A, modes.C, modes.s]).tofile(state)
        own, risk = least(lambda: rc.predict(e, rtol=1e-10).risk[-1], 20)
        process, _ = least(lambda: subprocess.run([binary, "predict", toml, "--signal", "small"], capture_output=True, check=True), 20)
        for peer, seconds in (("riskcurve", own), ("riskcurve, whole process", process)):
            yield {"d": d, "peer": peer, "setting": "rtol 1e-10", "seconds": seconds, "error": abs(risk / reference - 1), "run": True}
        name = "CVODE BDF, GMRES"
        yield {"d": d, "peer": name, **ladder(TOLERANCES, lambda rtol: cvode(peer_cvode, state, rtol), reference, before.get(name), patience)}
    for name, rungs, solve in peers_of(d):
        yield {"d": d, "peer": name,
               **ladder(rungs, lambda rung: least(lambda: solve(modes, rung), 3), reference, before.get(name),
                        3600 if long and name == best else patience)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("riskcurve")
    parser.add_argument("peer_cvode")
    parser.add_argument("out")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--largest", type=float, default=None)
    options = parser.parse_args()
    rows, before = [], {}
    for d in [10**3, 10**4, 10**5, 10**6, 10**7]:
        if d <= (options.largest or (1e7 if options.long else 1e6)):
            for row in rows_of(d, options.riskcurve, options.peer_cvode, options.long, before):
                rows.append({**row, "long": d > 10**6})
                before[row["peer"]] = row
                error = ("diverged" if row["run"] else "unknown, not run") if row["error"] is None else f"{row['error']:.0e}"
                print(f"d = {d:.0e}  {row['seconds']:9.4f} s  error {error}  {row['peer']}", flush=True)
    with open(options.out, "w") as file:
        json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
