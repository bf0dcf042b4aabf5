#!/usr/bin/env python3
"""Trials of `riskcurve fit` on real least squares, as docs/fit.md reports them; needs NumPy.

Usage: real.py RISKCURVE OPTIMIZER [DATA ...]   DATA: digits (linear), fashion, mnist (1000 random ReLU features);
       OPTIMIZER: sgd, sign_sgd, adam

Three steps a factor 4 apart are tried, their middle the best of such a grid after T steps (their largest, where
four times it ends above the start); the fit sees the full-data
loss of one run of each at 40 steps. Its best step is then run and compared with the best of a grid of factor 2.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(os.path.dirname(HERE), "data")
FASHION = "/usr/share/datasets/fashion-mnist"  # Debian: dataset-fashion-mnist
BATCH, HORIZON, SEEDS = 16, 1000, 2


def idx(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rb") as file:
        raw = file.read()
    shape = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def idx_of(folder, name):
    for base, _, files in os.walk(folder):
        for file in files:
            if file.startswith(name):
                return idx(os.path.join(base, file))
    raise SystemExit(f"{folder}: no {name}")


def rows(name):
    """Features of mean square 1, and labels +-1."""
    if name == "digits":
        table = np.loadtxt(os.path.join(DATA, "digits.csv"), delimiter=",")
        x, y = table[:, :64] / 16, table[:, 64]
        x = x - x.mean(0)
    else:
        folder = FASHION if name == "fashion" else os.path.join(DATA, "mnist")
        x = idx_of(folder, "train-images")[:20000].reshape(20000, -1) / 255
        y = idx_of(folder, "train-labels")[:20000]
        draw = np.random.default_rng(5)
        x = np.maximum(0, (x - x.mean(0)) @ draw.normal(size=(x.shape[1], 1000)))
    return (x / np.sqrt((x ** 2).mean())).astype(np.float32), np.where(y == 3, 1, -1).astype(np.float32)


class Trainer:
    def __init__(self, x, y, optimizer):
        self.x, self.y, self.optimizer, self.kept = x, y, optimizer, {}

    @np.errstate(all="ignore")  # diverging runs
    def run(self, step, steps, batch, seed, at):
        """Full-data losses after `at` steps."""
        draw = np.random.default_rng([seed, batch])
        theta = np.zeros(self.x.shape[1], np.float32)
        m, v = np.zeros_like(theta), np.zeros_like(theta)
        losses, wanted = [], set(at)
        for k in range(steps + 1):
            if k in wanted:
                losses.append(0.5 * float(np.mean((self.x @ theta - self.y) ** 2, dtype=np.float64)))
            picked = draw.integers(0, len(self.y), batch)
            x = self.x[picked]
            g = x.T @ (x @ theta - self.y[picked]) / batch
            if self.optimizer == "sgd":
                theta -= np.float32(step) * g
            elif self.optimizer == "sign_sgd":
                theta -= np.float32(step) * np.sign(g)
            else:
                m = 0.9 * m + 0.1 * g
                v = 0.999 * v + 0.001 * g * g
                theta -= np.float32(step) * (m / (1 - 0.9 ** (k + 1))) / (np.sqrt(v / (1 - 0.999 ** (k + 1))) + 1e-8)
        return losses

    def end(self, step, steps, batch):
        key = (step, steps, batch)
        if key not in self.kept:
            self.kept[key] = float(np.mean([self.run(step, steps, batch, 100 + s, [steps])[0] for s in range(SEEDS)]))
            if not np.isfinite(self.kept[key]):
                self.kept[key] = np.inf
        return self.kept[key]

    def best(self, start, steps, batch):
        """The lowest loss on a grid of factor 2, from `start` downhill."""
        step = start
        while self.end(2 * step, steps, batch) < self.end(step, steps, batch):
            step *= 2
        while self.end(step / 2, steps, batch) < self.end(step, steps, batch):
            step /= 2
        return step


def write_curve(path, trainer, step, steps, batch):
    at = sorted({int(k) for k in np.rint(np.geomspace(1, steps, 40))} | {0})
    losses = trainer.run(step, steps, batch, 1, at)
    with open(path, "w") as out:
        out.write("step,loss,kind\n" + "".join(f"{k},{loss!r},eval\n" for k, loss in zip(at, losses)))


def trial(command, name, optimizer):
    x, y = rows(name)
    trainer = Trainer(x, y, optimizer)
    start = 4.0 ** np.round(np.log(0.1 / (x.shape[1] if optimizer == "sgd" else 30 * np.sqrt(x.shape[1]))) / np.log(4))
    step = start
    while trainer.end(4 * step, HORIZON, BATCH) < trainer.end(step, HORIZON, BATCH):
        step *= 4
    while trainer.end(step / 4, HORIZON, BATCH) < trainer.end(step, HORIZON, BATCH):
        step /= 4
    if not trainer.end(4 * step, HORIZON, BATCH) < trainer.end(step / 64, 1, BATCH):  # no curve of it to fit
        step /= 4
    tried = [step / 4, step, 4 * step]
    held = [("step between", step / 2, HORIZON, BATCH), ("4T", step / 2, 4 * HORIZON, BATCH),
            ("batch × 4", step, HORIZON, 4 * BATCH)]
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "fit.toml"), "w") as out:
            out.write(f'[fit]\nmodel = "least_squares"\noptimizer = {{ name = "{optimizer}", batch = {BATCH} }}\n')
            for i, now in enumerate(tried):
                write_curve(os.path.join(folder, f"{i}.csv"), trainer, now, HORIZON, BATCH)
                out.write(f'[[curve]]\npath = "{i}.csv"\nstep = {now!r}\n')
            for i, (_, now, steps, batch) in enumerate(held):
                write_curve(os.path.join(folder, f"held_{i}.csv"), trainer, now, steps, batch)
                out.write(f'[[predict]]\npath = "held_{i}.csv"\nstep = {now!r}\n'
                          f'optimizer = {{ name = "{optimizer}", batch = {batch} }}\n')
        done = subprocess.run([os.path.abspath(command), "fit", "fit.toml", "--json"], cwd=folder, capture_output=True,
                              text=True)
    if done.returncode:
        print(f"| {name}, {optimizer} | {done.stderr.strip()} |", flush=True)
        return
    found = json.loads(done.stdout)
    cells = []
    for goal, best in zip([(HORIZON, BATCH), (4 * HORIZON, BATCH), (HORIZON, 4 * BATCH)], found["best"]):
        least = trainer.end(trainer.best(step, *goal), *goal)
        losses = {key: trainer.end(best[key], *goal) if best[key] else None for key in ("step", "tried", "quadratic")}
        least = min([least] + [loss for loss in losses.values() if loss])
        cells.append(" / ".join("-" if loss is None else f"{100 * (loss / least - 1):.2f}" for loss in losses.values()))
    rms = []
    for curve in found["predict"]:
        steps, loss, seen = (np.array(curve[key]) for key in ("steps", "loss", "observed"))
        late = steps >= steps[-1] / 100
        rms.append(f"{100 * np.sqrt(np.mean(np.log(loss[late] / seen[late]) ** 2)):.1f}")
    print(f"| {name}, {optimizer} | " + " | ".join(cells) + " | " + " / ".join(rms) + " | "
          + "; ".join(line.split(":")[0] for line in found["warnings"]) + " |", flush=True)


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    print("| % of the loss: fit / best tried / parabola | T | 4T | batch × 4 | held curves, rms %: step between / 4T / "
          "batch × 4 | warnings |\n|---|---|---|---|---|---|", flush=True)
    for name in sys.argv[3:] or ["digits", "fashion", "mnist"]:
        trial(sys.argv[1], name, sys.argv[2])


if __name__ == "__main__":
    main()
