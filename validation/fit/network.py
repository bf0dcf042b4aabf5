#!/usr/bin/env python3
"""Trial of `riskcurve fit` on a small network, as docs/fit.md reports it; needs NumPy.

Usage: network.py RISKCURVE [OPTIMIZER ...]   OPTIMIZER: sgd, momentum, adam

Two layers, 128 hidden ReLU units, cross-entropy, on 12000 images of Fashion-MNIST. Three steps a factor 4 apart are
tried, their middle a random factor within 2 of the best of a grid of factor 2 after T steps (four such factors); the
fit sees the loss of every batch, without the largest step where it refuses that. Its best steps are compared with the
best of the three for each horizon: the loss over all images, a mean of two runs, over that of the grid's best.
"""

import json
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

from real import FASHION, idx_of

HIDDEN, IMAGES, BATCH, HORIZON, SEEDS, PLACES = 128, 12000, 32, 1000, 2, 4


def images():
    x = idx_of(FASHION, "train-images")[:IMAGES].reshape(IMAGES, -1)[:, ::2] / 255
    return ((x - x.mean(0)) / x.std()).astype(np.float32), idx_of(FASHION, "train-labels")[:IMAGES].astype(int)


class Network:
    def __init__(self, optimizer):
        self.x, self.y = images()
        self.optimizer, self.kept = optimizer, {}

    def loss_and_slopes(self, weights, x, y):
        hidden = np.maximum(x @ weights[0] + weights[1], 0)
        scores = hidden @ weights[2] + weights[3]
        scores -= scores.max(1, keepdims=True)
        log_total = np.log(np.exp(scores).sum(1))
        loss = float(np.mean(log_total - scores[np.arange(len(y)), y], dtype=np.float64))
        error = np.exp(scores - log_total[:, None])
        error[np.arange(len(y)), y] -= 1
        error /= len(y)
        back = (error @ weights[2].T) * (hidden > 0)
        return loss, [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]

    @np.errstate(all="ignore")  # diverging runs
    def run(self, step, steps, seed):
        """The losses of all batches, and at the end that of all images."""
        draw = np.random.default_rng(seed)
        width = self.x.shape[1]
        weights = [draw.normal(size=(width, HIDDEN)) * np.sqrt(2 / width), np.zeros(HIDDEN),
                   draw.normal(size=(HIDDEN, 10)) * np.sqrt(1 / HIDDEN), np.zeros(10)]
        weights = [w.astype(np.float32) for w in weights]
        first = [np.zeros_like(w) for w in weights]
        second = [np.zeros_like(w) for w in weights]
        losses = []
        for k in range(1, steps + 1):
            picked = draw.integers(0, IMAGES, BATCH)
            loss, slopes = self.loss_and_slopes(weights, self.x[picked], self.y[picked])
            losses.append(loss)
            for w, g, m, v in zip(weights, slopes, first, second):
                if self.optimizer == "adam":
                    m += np.float32(0.1) * (g - m)
                    v += np.float32(0.001) * (g * g - v)
                    g = (m / np.float32(1 - 0.9 ** k)) / (np.sqrt(v / np.float32(1 - 0.999 ** k)) + np.float32(1e-8))
                elif self.optimizer == "momentum":
                    m *= np.float32(0.9)
                    m += g
                    g = m
                w -= np.float32(step) * g
        return losses, self.loss_and_slopes(weights, self.x, self.y)[0]

    def end(self, step, steps):
        if (step, steps) not in self.kept:
            end = np.mean([self.run(step, steps, 100 + seed)[1] for seed in range(SEEDS)])
            self.kept[step, steps] = float(end) if np.isfinite(end) else np.inf
        return self.kept[step, steps]

    def best(self, start, steps):
        """The best of a grid of factor 2, from `start` downhill."""
        step = start
        for factor in (2, 0.5):
            while self.end(factor * step, steps) < self.end(step, steps):
                step *= factor
        return step


def fitted(command, network, steps):
    """The fit of these steps' runs; of the smaller ones where it refuses."""
    keys = {"sgd": 'name = "sgd"', "momentum": 'name = "sgd", momentum = 0.9', "adam": 'name = "adam"'}
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "fit.toml"), "w") as out:
            out.write(f'[fit]\nmodel = "least_squares"\n'
                      f'optimizer = {{ {keys[network.optimizer]}, batch = {BATCH} }}\n')
            for i, step in enumerate(steps):
                losses, _ = network.run(step, HORIZON, 1)
                with open(os.path.join(folder, f"{i}.csv"), "w") as rows:
                    rows.write("step,loss\n" + "".join(f"{k},{loss!r}\n" for k, loss in enumerate(losses)))
                out.write(f'[[curve]]\npath = "{i}.csv"\nstep = {step!r}\n')
        done = subprocess.run([os.path.abspath(command), "fit", "fit.toml", "--json"], cwd=folder, capture_output=True,
                              text=True)
    if done.returncode and len(steps) > 2:
        return fitted(command, network, steps[:-1])
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return json.loads(done.stdout)["best"]


def trial(command, optimizer):
    network = Network(optimizer)
    best = network.best({"sgd": 0.1, "momentum": 0.01, "adam": 0.001}[optimizer], HORIZON)
    regrets = {(name, steps): [] for name in ("step", "tried") for steps in (HORIZON, 4 * HORIZON)}
    for place in range(PLACES):
        middle = best * 4 ** random.Random(place).uniform(-0.5, 0.5)
        tried = [middle / 4, middle, 4 * middle]
        for steps, goal in zip((HORIZON, 4 * HORIZON), fitted(command, network, tried)):
            ends = {"step": network.end(goal["step"], steps) if goal["step"] else np.nan,
                    "tried": min(network.end(step, steps) for step in tried)}
            least = network.end(network.best(best, steps), steps)
            for name, end in ends.items():
                regrets[name, steps].append(100 * (end / least - 1))
    for name, steps in (("T", HORIZON), ("4T", 4 * HORIZON)):
        cells = [", ".join(f"{x:+.1f}" for x in regrets[which, steps]) for which in ("step", "tried")]
        print(f"| {optimizer} | {name} | {network.best(best, steps):.3g} | " + " | ".join(cells) + " |", flush=True)


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    print("| optimizer | after | best of the grid | of the fit, % | of the best tried, % |\n|---|---|---|---|---|",
          flush=True)
    for optimizer in sys.argv[2:] or ["sgd", "momentum", "adam"]:
        trial(sys.argv[1], optimizer)


if __name__ == "__main__":
    main()
