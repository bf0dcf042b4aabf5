"""What an answer costs, whole process, against what was aimed at. Each row: least of some runs on an idle machine.

Usage: targets.py RISKCURVE OUT.json [--long]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

VECTOR = """[problem]
covariance = {{ kind = "power_law", dimension = {d}, alpha = {alpha} }}
target = {{ kind = "power_law", beta = {beta} }}
noise = {noise}
[optimizer]
name = "{name}"
[schedule]
kind = "constant"
step = {step}
[run]
steps = {T}
at = [{T}]
"""
MATRIX = """[problem]
geometry = "matrix"
covariance_out = {{ kind = "power_law", dimension = {rows}, alpha = {alpha} }}
covariance_in = {{ kind = "power_law", dimension = {columns}, alpha = {alpha} }}
target = {{ kind = "power_law", beta = 0.2 }}
noise = {noise}
[optimizer]
name = "{name}"
batch = {batch}
[schedule]
kind = "constant"
step = {step}
[run]
steps = {T}
"""
GAUSSIAN = '{ kind = "gaussian", std = 0.1 }'
CAUCHY = '{ kind = "student_t", nu = 1, scale = 0.1 }'


def sign(d, T, step=2e-5):
    return VECTOR.format(d=f"{d:.0f}", alpha=0.75, beta=0.25, noise=GAUSSIAN, name="sign_sgd", step=step, T=f"{T:g}")


def sgd(T):
    return VECTOR.format(d="1000000", alpha=0.6, beta=0.3, noise=GAUSSIAN, name="sgd", step=1e-3, T=f"{T:g}")


def spectral(rows, columns, noise=GAUSSIAN, T=1000):
    return MATRIX.format(rows=rows, columns=columns, alpha=0.5, noise=noise, name="sign_svd", batch=columns, step=1e-3, T=T)


# name, problem, arguments (FILE: the problem), seconds aimed at, runs; whether only with --long
ROWS = [
    ("start: `--version`", "", "--version", 0.005, 20, False),
    ("predict, SignSGD, d = 10⁵, T = 10⁵, rtol 1e-10", sign(1e5, 1e5), "predict FILE --signal small", 0.015, 20, False),
    ("the same, d = 10⁶", sign(1e6, 1e5), "predict FILE --signal small", 0.015, 20, False),
    ("the same, d = 10¹⁸", sign(1e18, 1e5), "predict FILE --signal small", 0.015, 20, False),
    ("optimum, SGD, T = 10⁴", sgd(1e4), "optimum FILE", 0.05, 10, False),
    ("optimum, SGD, T = 10⁸", sgd(1e8), "optimum FILE", 0.5, 10, False),
    ("optimal schedule, SGD, T = 10⁴", sgd(1e4), "optimum FILE --schedule optimal", 1.0, 5, False),
    ("optimal schedule, SGD, T = 10⁸", sgd(1e8), "optimum FILE --schedule optimal", 1.0, 5, False),
    ("predict, SignSVD, 4096 × 1024, power laws on both sides", spectral(4096, 1024), "predict FILE --signal small", 0.3, 5, False),
    ("transfer, SignSVD, 4096 × 1024", spectral(4096, 1024), "transfer FILE", 2.0, 3, False),
    ("transfer, the same under Student-t(1) noise", spectral(4096, 1024, CAUCHY), "transfer FILE", 30.0, 1, True),
    ("phases 40 × 40, one-sided", "", "phases --points 40 --small", 20.0, 1, True),
    ("phases 40 × 40, two-sided", "", "phases --points 40 --small --sides two", 120.0, 1, True),
]


def main(binary, out, long):
    binary = os.path.abspath(binary)  # commands run in a folder of their own
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, problem, arguments, aim, runs, only_long in ROWS:
            if only_long and not long:
                continue
            path = os.path.join(folder, "problem.toml")
            with open(path, "w") as file:
                file.write(problem)
            command = [binary, *arguments.replace("FILE", path).split()]
            best, processor = float("inf"), float("inf")
            for _ in range(runs):
                before, begun = os.times(), time.perf_counter()
                done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
                took, after = time.perf_counter() - begun, os.times()
                if done.returncode != 0:
                    sys.exit(f"{name}: {done.stderr}")
                best = min(best, took)
                processor = min(processor, after.children_user + after.children_system - before.children_user - before.children_system)
            solves = re.search(r"\((\d+) solves\)", done.stdout)
            rows.append({"name": name, "command": "riskcurve " + arguments, "aim": aim, "seconds": best, "processor": processor,
                         "solves": int(solves.group(1)) if solves else None})
            print(f"{best:9.4f} s  (aim {aim:g})  {name}", flush=True)
    with open(out, "w") as file:
        json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--long" in sys.argv)
