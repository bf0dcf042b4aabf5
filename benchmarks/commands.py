"""The commands that targets.py measures: their problem files, and how many seconds each was aimed at."""

from dataclasses import dataclass

VECTOR = """[problem]
covariance = {covariance}
target = {{ kind = "power_law", beta = {beta} }}
noise = {{ kind = "gaussian", std = 0.1 }}
[optimizer]
{optimizer}
[schedule]
kind = "constant"
step = {step}
[run]
steps = {T:.0f}
at = [{T:.0f}]
"""
MATRIX = """[problem]
geometry = "matrix"
covariance_out = {{ kind = "power_law", dimension = 4096, alpha = 0.5 }}
covariance_in = {{ kind = "power_law", dimension = 1024, alpha = 0.5 }}
target = {{ kind = "power_law", beta = 0.2 }}
noise = {noise}
[optimizer]
name = "sign_svd"
batch = 1024
[schedule]
kind = "constant"
step = 1e-3
[run]
steps = 1000
"""
GAUSSIAN = '{ kind = "gaussian", std = 0.1 }'
CAUCHY = '{ kind = "student_t", nu = 1, scale = 0.1 }'


def vector(optimizer, d, T, alpha=0.75, beta=0.25, step=2e-5, covariance=None):
    power_law = f'{{ kind = "power_law", dimension = {d:.0f}, alpha = {alpha} }}'
    return VECTOR.format(covariance=covariance or power_law, beta=beta, optimizer=optimizer, step=step, T=T)


def sign_step(d):
    """Steps that sustain the same noise whatever the dimension."""
    return 2e-5 * (1e5 / d) ** 0.5


def sign(d, T, covariance=None):
    return vector('name = "sign_sgd"', d, T, step=sign_step(d), covariance=covariance)


def sgd(d, T):
    return vector('name = "sgd"', d, T, 0.6, 0.3, 1e-3)


def momentum(d, T):
    return vector('name = "sgd"\nmomentum = 0.9', d, T, 0.6, 0.3, 1e-4)


def adam(d, T):
    return vector('name = "adam"\nbatch = 4', d, T, step=sign_step(d))


def listed(count):
    return sign(count, 1e5, f'{{ kind = "eigenvalues", path = "{count}.npy" }}')


@dataclass
class Row:
    name: str
    arguments: str  # FILE: the problem
    problem: str = ""
    aim: float | None = None  # seconds; None: none was set
    runs: int = 10  # at most; the least of them counts
    long: bool = False  # only with --long
    times: float = 1  # a part of the command was run: the whole takes that many times as long
    listed: int = 0  # so many eigenvalues in a file: the aim is to take no longer than reading it


PREDICT, SMALL = "predict FILE", "predict FILE --signal small"
OPTIMAL = "optimum FILE --schedule optimal"
ROWS = [
    Row("start", "--version", aim=0.005, runs=20),
    *(Row(f"predict, SignSGD, d = {d}, T = 10⁵, rtol 1e-10", SMALL, sign(size, 1e5), 0.015, 20)
      for d, size in (("10⁵", 1e5), ("10⁶", 1e6), ("10⁷", 1e7), ("10¹⁸", 1e18))),
    *(Row(f"predict, SignSGD, {count} listed eigenvalues (.npy)", SMALL, listed(size), listed=size)
      for count, size in (("10⁵", 10**5), ("10⁶", 10**6), ("10⁷", 10**7))),
    Row("predict, SGD with momentum: two numbers a mode, d = 10⁶, T = 10⁵", PREDICT, momentum(1e6, 1e5)),
    Row("predict, Adam: three numbers a mode, d = 10⁶, T = 10⁵", PREDICT, adam(1e6, 1e5)),
    Row("coefficients, SignSGD, d = 10⁶", "coefficients FILE", sign(1e6, 1e5)),
    Row("optimum, SGD, d = 10⁶, T = 10⁴", "optimum FILE", sgd(1e6, 1e4), 0.05),
    Row("optimum, SGD, d = 10⁶, T = 10⁸", "optimum FILE", sgd(1e6, 1e8), 0.5),
    Row("optimal schedule, SGD, d = 10⁶, T = 10⁴", OPTIMAL, sgd(1e6, 1e4), 1, 5),
    Row("optimal schedule, SGD, d = 10⁶, T = 10⁸", OPTIMAL, sgd(1e6, 1e8), 1, 5),
    Row("predict, SignSVD, 4096 × 1024, power laws on both sides", SMALL, MATRIX.format(noise=GAUSSIAN), 0.3, 5),
    Row("coefficients, SignSVD, 4096 × 1024", "coefficients FILE", MATRIX.format(noise=GAUSSIAN), None, 3),
    Row("transfer, SignSVD, 4096 × 1024", "transfer FILE", MATRIX.format(noise=GAUSSIAN), 2, 3),
    Row("transfer, the same under Student-t(1) noise", "transfer FILE", MATRIX.format(noise=CAUCHY), 30, 1),
    Row("fit, three runs of SGD and a continuation", "fit FIT", runs=2),
    Row("phases 40 × 40, one-sided, small signals", "phases --points 40 --small", aim=20, runs=1),
    Row("phases 40 × 40, two-sided, small signals", "phases --points 40 --small --sides two", aim=120, runs=1),
    Row("phases 40 × 40, one-sided, signals of any size", "phases --points 4", runs=1, times=100),
    Row("phases 40 × 40, two-sided, signals of any size", "phases --points 4 --sides two", runs=1, times=100, long=True),
]

# What an answer costs against d (T = 1e5), and against T (d = 1e6): seconds, row by row.
COLUMNS = {"SignSGD": (SMALL, sign), "SGD with momentum": (PREDICT, momentum), "Adam": (PREDICT, adam), "optimum, SGD": ("optimum FILE", sgd)}
DIMENSIONS = [1e2, 1e4, 1e6, 1e9, 1e12, 1e18]
HORIZONS = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]
