"""Holds optimizers to torch.optim: the same gradients in, the same iterates out.

    torch_steps.py chain_of_gradients

SGD with momentum, dampening, Nesterov and PyTorch's weight_decay, which is `l2` here; Adam, AdamW, NAdam,
RMSprop and Adagrad. Exit code 77 where torch or numpy is missing, 1 where iterates differ by more than
1e-12 of the largest.
"""
import itertools
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-torch, python3-numpy)")
    sys.exit(77)

DIMENSION, STEPS, TOLERANCE, RATE = 7, 60, 1e-12, 0.1

PROBLEM = """[problem]
covariance = {{ kind = "isotropic", dimension = {dimension} }}
target = {{ kind = "isotropic" }}
[schedule]
kind = "constant"
step = {rate}
[run]
steps = {steps}
[optimizer]
{optimizer}
"""


def of_torch(start, gradients, make):
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = make([theta])
    path = []
    for gradient in gradients:
        theta.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return numpy.array(path)


def of_riskcurve(program, start, gradients, keys):
    lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
    numbers = "\n".join(" ".join(repr(float(x)) for x in row) for row in [start, *gradients])
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as problem:
        problem.write(PROBLEM.format(dimension=DIMENSION, rate=RATE, steps=STEPS, optimizer=lines))
        problem.flush()
        run = subprocess.run([program, problem.name], input=numbers, capture_output=True, text=True,
                             check=True)
    return numpy.array([[float(x) for x in line.split()] for line in run.stdout.splitlines()])


def settings():
    """Pairs of keys here and the optimizer there."""
    optim = torch.optim
    for momentum, dampening, nesterov, l2 in itertools.product(
            (0, 0.5, 0.9), (0, 0.25, 1), (False, True), (0, 0.01, 2)):
        if nesterov and (momentum == 0 or dampening != 0):
            continue  # neither takes it
        keys = {"name": '"sgd"', "momentum": momentum, "dampening": dampening,
                "nesterov": str(nesterov).lower(), "l2": l2}
        yield keys, lambda of, m=momentum, d=dampening, n=nesterov, w=l2: optim.SGD(
            of, lr=RATE, momentum=m, dampening=d, nesterov=n, weight_decay=w)
    for betas, eps, decay in itertools.product(
            ((0.9, 0.999), (0.9, 0.95), (0, 0.9), (0.5, 0.5)), (1e-8, 0.1), (0, 0.3)):
        keys = {"name": '"adam"', "betas": list(betas), "eps": eps, "weight_decay": decay}
        yield keys, lambda of, b=betas, e=eps, w=decay: optim.AdamW(
            of, lr=RATE, betas=b, eps=e, weight_decay=w)
        if decay:
            continue
        yield keys, lambda of, b=betas, e=eps: optim.Adam(of, lr=RATE, betas=b, eps=e)
        # 1.13's own loop over single tensors has one mu too many in the next product.
        yield {**keys, "nesterov": "true"}, lambda of, b=betas, e=eps: optim.NAdam(
            of, lr=RATE, betas=b, eps=e, foreach=True)
    for alpha, eps in itertools.product((0.99, 0.5), (1e-8, 0.1)):
        yield ({"name": '"rmsprop"', "alpha": alpha, "eps": eps},
               lambda of, a=alpha, e=eps: optim.RMSprop(of, lr=RATE, alpha=a, eps=e))
    for eps in (1e-10, 0.1):
        yield ({"name": '"adagrad"', "eps": eps},
               lambda of, e=eps: optim.Adagrad(of, lr=RATE, eps=e))


def main():
    torch.set_default_dtype(torch.float64)
    random = numpy.random.default_rng(1)
    worst, cases = 0.0, 0
    for keys, make in settings():
        start = random.standard_normal(DIMENSION)
        gradients = random.standard_normal((STEPS, DIMENSION))
        theirs = of_torch(start, gradients, make)
        ours = of_riskcurve(sys.argv[1], start, gradients, keys)
        if ours.shape != theirs.shape:
            sys.exit(f"{keys}: {ours.shape} iterates, not {theirs.shape}")
        gap = abs(ours - theirs).max() / abs(theirs).max()
        worst, cases = max(worst, gap), cases + 1
        if not gap <= TOLERANCE:
            sys.exit(f"{keys}: differs by {gap:.1e}")
    print(f"{cases} settings as torch.optim {torch.__version__} has them, to {worst:.1e}")


main()
