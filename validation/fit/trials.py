#!/usr/bin/env python3
"""Trials of `riskcurve fit`, as docs/fit.md reports them.

Usage: trials.py RISKCURVE synthetic [REPEATS] [OPTIMIZER]   runs of a known problem, fitted and judged by its truth;
                                                             OPTIMIZER also momentum, signum (0.9)
       trials.py RISKCURVE logs                              public logs of language models (validation/data/README.md)
"""

import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


class Command:
    """The riskcurve command, its JSON read."""

    def __init__(self, path):
        self.path = os.path.abspath(path)

    def __call__(self, *arguments, folder=None):
        done = subprocess.run([self.path, *map(str, arguments), "--json"], capture_output=True, text=True, cwd=folder)
        if done.returncode != 0:
            raise SystemExit(f"riskcurve {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return json.loads(done.stdout)


PROBLEM = """[problem]
covariance = {{ kind = "power_law", dimension = 800, alpha = 0.5, orientation = "generic" }}
target = {{ kind = "power_law", beta = 0.2, risk = 1.0 }}
noise = {{ kind = "gaussian", std = 0.5 }}
[optimizer]
{optimizer}
batch = {batch}
[schedule]
kind = "constant"
step = {step!r}
[run]
steps = {steps}
points = {points}
"""
FLOOR, BATCH, HORIZON = 0.125, 4, 4000
WITH_MOMENTUM = {"momentum": "sgd", "signum": "sign_sgd"}


def keys(optimizer):
    """Of a problem file, a line each."""
    if optimizer in WITH_MOMENTUM:
        return [f'name = "{WITH_MOMENTUM[optimizer]}"', "momentum = 0.9"]
    return [f'name = "{optimizer}"']



class Truth:
    """The known problem: its runs, its curves without noise, its best steps."""

    def __init__(self, command, folder, optimizer):
        self.command, self.folder, self.optimizer = command, folder, optimizer
        self.best = {}

    def file(self, step, steps, points=1, batch=BATCH):
        path = os.path.join(self.folder, "truth.toml")
        with open(path, "w") as out:
            out.write(PROBLEM.format(optimizer="\n".join(keys(self.optimizer)), batch=batch, step=step, steps=steps,
                                     points=points))
        return path

    def excess(self, step, steps, batch=BATCH):
        found = self.command("predict", self.file(step, steps, batch=batch))
        return found["risk"][-1] if found["status"] == "ok" else math.inf

    def best_step(self, steps, batch=BATCH):
        if (steps, batch) not in self.best:
            found = self.command("optimum", self.file(0.01, steps, batch=batch))
            self.best[steps, batch] = found["step"], found["risk"]
        return self.best[steps, batch]

    def log(self, name, step, seed):
        """One run, the loss of every batch: that of the risk then, times chi^2_b/b."""
        run = self.command("simulate", self.file(step, HORIZON, HORIZON), "--runs", 1, "--seed", seed)
        draw = random.Random(seed)
        with open(os.path.join(self.folder, name), "w") as out:
            out.write("step,loss\n")
            for k, risk in zip(run["steps"], run["mean"]):
                out.write(f"{k:.0f},{(risk + FLOOR) * draw.gammavariate(BATCH / 2, 2 / BATCH)!r}\n")


def synthetic(command, repeats, optimizer):
    with tempfile.TemporaryDirectory() as folder:
        truth = Truth(command, folder, optimizer)
        goals = [(HORIZON, BATCH), (4 * HORIZON, BATCH), (HORIZON, 4 * BATCH)]
        regrets, naive, missing = ({goal: [] for goal in goals} for _ in range(3))
        covered = {"predictions": [], "best steps": []}
        for repeat in range(repeats):
            place = random.Random(1000 + repeat)
            middle = truth.best_step(HORIZON)[0] * 4 ** place.uniform(-0.5, 0.5)
            tried = [middle / 4, middle, 4 * middle]
            held = [(tried[0] * 2, HORIZON), (tried[1] * 2, HORIZON), (tried[0], 4 * HORIZON), (tried[1], 4 * HORIZON)]
            with open(os.path.join(folder, "fit.toml"), "w") as out:
                out.write(f'[fit]\nmodel = "least_squares"\noptimizer = {{ {", ".join(keys(optimizer))}, '
                          f'batch = {BATCH} }}\n')
                for i, step in enumerate(tried):
                    truth.log(f"curve_{i}.csv", step, 10 * repeat + i)
                    out.write(f'[[curve]]\npath = "curve_{i}.csv"\nstep = {step!r}\n')
                for step, steps in held:
                    out.write(f"[[predict]]\nsteps = {steps}\nstep = {step!r}\n")
            found = command("fit", "fit.toml", folder=folder)
            for (step, steps), curve in zip(held, found["predict"]):
                loss = FLOOR + truth.excess(step, steps)
                covered["predictions"].append(curve["low"][-1] <= loss <= curve["high"][-1])
            for goal, best in zip(goals, found["best"]):
                step, risk = truth.best_step(*goal)
                naive[goal].append(100 * (truth.excess(best["tried"], *goal) / risk - 1))
                if best["step"] is None:
                    missing[goal].append(repeat)
                    continue
                regrets[goal].append(100 * (truth.excess(best["step"], *goal) / risk - 1))
                covered["best steps"].append(best["low"] <= step <= best["high"])
            print(f"{repeat}: " + " ".join(f"{regrets[goal][-1]:.2f}" if regrets[goal] else "-" for goal in goals),
                  file=sys.stderr, flush=True)
        print(f"| {optimizer}, {repeats} repeats | median regret of the best step, % of excess risk | largest | "
              "best of the three tried, median | not recommended |\n|---|---|---|---|---|")
        for name, goal in zip(("T", "4T", "T, batch × 4"), goals):
            print(f"| {name} | {statistics.median(regrets[goal]):.2f} | {max(regrets[goal]):.2f} | "
                  f"{statistics.median(naive[goal]):.2f} | {len(missing[goal])} |")
        print("\n| 95 % intervals of | cover |\n|---|---|")
        for name, hits in covered.items():
            print(f"| {name} | {sum(hits)} of {len(hits)}, {100 * statistics.mean(hits):.0f} % |")


def gain(curves, name):
    """How much lower the loss ends than under the constant step, really and in the fit."""
    constant, other = curves["constant_24000.csv"], curves[name]
    return tuple(constant[key][-1] - other[key][-1] for key in ("observed", "loss"))


def row_rms(curve):
    return 100 * math.sqrt(statistics.mean((fit / real - 1) ** 2 for fit, real in zip(curve["loss"], curve["observed"])))


def logs(command):
    for size in (25, 100):
        found = command("fit", os.path.join(HERE, f"llama_{size}.toml"))
        curves = {os.path.basename(curve["path"]): curve for curve in found["curves"] + found["predict"]}
        print(f"| {size}M, held back | rms of rows % | end % |\n|---|---|---|")
        for curve in found["predict"]:
            end = 100 * (curve["loss"][-1] / curve["observed"][-1] - 1)
            print(f"| {os.path.basename(curve['path'])[:-4]} | {row_rms(curve):.2f} | {end:+.2f} |")
        print(f"| mean | {statistics.mean(map(row_rms, found['predict'])):.2f} | |\n")
        print("| gain over constant_24000 | real | of the fit | % off |\n|---|---|---|---|")
        for name in ("wsd_20000_24000.csv", "wsdld_20000_24000.csv", "cosine_24000.csv"):
            real, fitted = gain(curves, name)
            print(f"| {name[:-4]} | {real:.4f} | {fitted:.4f} | {100 * (fitted / real - 1):+.0f} |")
        print()


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ("synthetic", "logs"):
        raise SystemExit(__doc__)
    command = Command(sys.argv[1])
    if sys.argv[2] == "logs":
        return logs(command)
    return synthetic(command, int((sys.argv[3:] + ["20"])[0]), (sys.argv[4:] + ["sgd"])[0])


if __name__ == "__main__":
    main()
