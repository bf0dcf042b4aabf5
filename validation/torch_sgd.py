"""Holds the chain of SGD to torch.optim.SGD: the same gradients in, the same iterates out.

    torch_sgd.py chain_of_gradients

momentum, dampening, Nesterov, and PyTorch's weight_decay, which is `l2` here. Exit code 77 where
torch or numpy is missing, 1 where iterates differ by more than 1e-12 of the largest.
"""
import itertools
import subprocess
import sys

try:
    import numpy
    import torch
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-torch, python3-numpy)")
    sys.exit(77)

DIMENSION, STEPS, TOLERANCE = 7, 60, 1e-12


def of_torch(start, gradients, step, momentum, dampening, nesterov, l2):
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    sgd = torch.optim.SGD([theta], lr=step, momentum=momentum, dampening=dampening,
                          nesterov=nesterov, weight_decay=l2)
    path = []
    for gradient in gradients:
        theta.grad = torch.tensor(gradient, dtype=torch.float64)
        sgd.step()
        path.append(theta.detach().numpy().copy())
    return numpy.array(path)


def of_riskcurve(program, start, gradients, step, momentum, dampening, nesterov, l2):
    words = [program] + [repr(float(x)) for x in (step, momentum, dampening, nesterov, l2)]
    numbers = "\n".join(" ".join(repr(float(x)) for x in row) for row in [start, *gradients])
    run = subprocess.run(words + [str(DIMENSION)], input=numbers, capture_output=True, text=True,
                         check=True)
    return numpy.array([[float(x) for x in line.split()] for line in run.stdout.splitlines()])


def main():
    random = numpy.random.default_rng(1)
    worst, cases = 0.0, 0
    for momentum, dampening, nesterov, l2 in itertools.product(
            (0, 0.5, 0.9), (0, 0.25, 1), (False, True), (0, 0.01, 2)):
        if nesterov and (momentum == 0 or dampening != 0):
            continue  # neither takes it
        start = random.standard_normal(DIMENSION)
        gradients = random.standard_normal((STEPS, DIMENSION))
        setting = (0.1, momentum, dampening, nesterov, l2)
        theirs = of_torch(start, gradients, *setting)
        ours = of_riskcurve(sys.argv[1], start, gradients, *setting)
        if ours.shape != theirs.shape:
            sys.exit(f"{setting}: {ours.shape} iterates, not {theirs.shape}")
        gap = abs(ours - theirs).max() / abs(theirs).max()
        worst, cases = max(worst, gap), cases + 1
        if not gap <= TOLERANCE:
            sys.exit(f"step, momentum, dampening, nesterov, l2 = {setting}: differs by {gap:.1e}")
    print(f"{cases} chains of SGD as torch.optim.SGD {torch.__version__} has them, to {worst:.1e}")


main()
