"""Covariances, noise laws, problems and experiments: the library's own values, as Python sees them."""

from __future__ import annotations

import os
import reprlib
from typing import Any, Callable, Iterable, Mapping, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._errors import bad
from ._tables import Optimizer, Schedule, Table, Target, classes, from_dict, plain

Array = npt.NDArray[np.float64]
#: What stands for a schedule: one of its own, a step size, or a function of the step.
ScheduleLike = Union[Schedule, float, Callable[[float], float]]
PathLike = Union[str, "os.PathLike[str]"]


class Covariance(Table):
    """The covariance K of the samples x, made by `isotropic`, `power_law` and so on, or `covariance(X)`.

    dimension, trace (tr K), norm (its largest eigenvalue), mean (tr K/d) and intrinsic_dimension
    (tr K/norm) are numbers; `nodes` hold the spectrum: arrays value, multiplicity, first, last, each
    of shape (nodes), a node standing for the eigenvalues of index first..last, in decreasing order.
    """

    registry = "covariance"
    core: Any

    def _check(self) -> None:
        self.__dict__["core"] = _core.covariance(plain(self.to_dict()))

    @classmethod
    def _of(cls, core: Any) -> Covariance:
        """That of a covariance which the library has made already."""
        self = cls.__new__(cls)
        table = core.table() if core.rows is None or core.rows.size < 1e4 else {"kind": "data"}
        self.__dict__.update(kind=table.pop("kind"), core=core, _values=table)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        rows = self.core.rows
        if rows is not None and self._values.get("path") is None:
            return _covariance_again, (np.array(rows), self.core.sample_rows)
        return super().__reduce__()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Covariance) and bool(self.core == other.core)

    __hash__ = Table.__hash__

    @property
    def dimension(self) -> float:
        return float(self.core.dimension)

    @property
    def orientation(self) -> str:
        return str(self.core.orientation)

    @property
    def trace(self) -> float:
        return float(self.core.trace)

    @property
    def norm(self) -> float:
        return float(self.core.norm)

    @property
    def mean(self) -> float:
        return float(self.core.mean)

    @property
    def intrinsic_dimension(self) -> float:
        return float(self.core.intrinsic_dimension)

    @property
    def nodes(self) -> tuple[Array, Array, Array, Array]:
        value, multiplicity, first, last = self.core.nodes
        return value, multiplicity, first, last

    @property
    def matrix(self) -> Array | None:
        """K, shape (d, d), where its coordinates matter and it is held; else None."""
        held: Array | None = self.core.matrix
        return held

    @property
    def remark(self) -> str:
        """What was approximated on the way; empty if nothing."""
        return str(self.core.remark)

    def eigenvalues(self) -> Array:
        """All eigenvalues, decreasing, shape (d). InputError above d = 10^7, or where nodes stand for
        real numbers of them."""
        values: Array = self.core.expand()
        return values

    def with_dimension(self, dimension: float) -> Covariance | None:
        """The same kind in another dimension; None where its kind has none to choose."""
        core = self.core.with_dimension(dimension)
        return None if core is None else Covariance._of(core)


class Noise(Table):
    """The law of the label noise epsilon, made by `gaussian`, `student_t` and so on, or `custom_noise`.

    variance is E epsilon^2 (inf where there is none), size its one parameter of that meaning (None where
    it has none).
    """

    registry = "noise"
    core: Any

    def __init__(self, kind: str, values: Mapping[str, Any]) -> None:
        values = dict(values)
        if values.get("components") is not None:
            values["components"] = [_component(item) for item in values["components"]]
        super().__init__(kind, values)

    def _check(self) -> None:
        self.__dict__["core"] = _core.noise(plain(self.to_dict()))

    @classmethod
    def _of(cls, core: Any) -> Noise:
        table = core.table()
        self = cls.__new__(cls)
        self.__dict__.update(kind=table.pop("kind"), core=core, _values=table)
        return self

    @property
    def variance(self) -> float:
        return float(self.core.variance)

    @property
    def size(self) -> float | None:
        found: float | None = self.core.size
        return found

    def with_size(self, size: float) -> Noise:
        """The same law at another size; InputError where it has none."""
        return Noise._of(self.core.with_size(size))


def _component(item: Any) -> dict[str, Any]:
    """Of a mixture: a pair (weight, law), or the table of a problem file."""
    if isinstance(item, Mapping):
        return dict(item)
    pair = isinstance(item, Sequence) and len(item) == 2
    if not pair or not isinstance(item[1], Noise) or isinstance(item[1], CustomNoise):
        raise bad("noise.components", reprlib.repr(item), "pairs (weight, law), no law of your own")
    return {"weight": item[0], **item[1].to_dict()}


class CustomNoise(Noise):
    """A law of your own; see custom_noise."""

    law: Any

    def __init__(self, law: Any, variance: float, scale: float, breaks: Sequence[float]) -> None:
        self.__dict__.update(law=law, kind="custom", _values={})
        pdf, sf, ppf = law.pdf, law.sf, law.ppf
        self.__dict__["_given"] = (law, variance, scale, tuple(breaks))
        self.__dict__["core"] = _core.custom_noise(
            lambda x: 2 * float(pdf(x)),
            lambda x: 2 * float(sf(x)),
            lambda p: float(ppf((1 + p) / 2)),
            variance,
            scale,
            list(breaks),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CustomNoise) and self._given == other._given

    __hash__ = Table.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return CustomNoise, self._given

    def __repr__(self) -> str:
        return f"custom_noise({self.law!r})"


def custom_noise(
    law: Any, *, variance: float | None = None, scale: float | None = None, breaks: Sequence[float] = ()
) -> Noise:
    """A noise law of your own, symmetric about 0.

    law : an object with the methods pdf(x) (the density), sf(x) (P(epsilon > x)) and ppf(p) (the quantile
        function), as a frozen distribution of scipy.stats has them. Each is asked for one x > 0 at a time.
    variance : E epsilon^2, inf where there is none; None: law.var().
    scale : a typical |epsilon|, where quadrature begins; None: the median of |epsilon|.
    breaks : where on x > 0 the density is not smooth.

    Slower than a law of the library: every number goes through Python, one at a time, under its lock; runs of
    the algorithm draw each label so. No problem file can state it: to_toml raises InputError.

    >>> import riskcurve as rc
    >>> class Triangle:  # on [-1, 1]
    ...     def pdf(self, x): return max(0.0, 1 - abs(x))
    ...     def sf(self, x): return 0.5 * max(0.0, 1 - x) ** 2 if x > 0 else 1 - self.sf(-x)
    ...     def ppf(self, p): return 1 - (2 * (1 - p)) ** 0.5 if p > 0.5 else -self.ppf(1 - p)
    >>> rc.custom_noise(Triangle(), variance=1 / 6, breaks=[1]).variance
    0.16666666666666666
    """
    for name in ("pdf", "sf", "ppf"):
        if not callable(getattr(law, name, None)):
            raise bad("noise." + name, "(missing)", "a law with the methods pdf, sf and ppf")
    if variance is None:
        if not callable(getattr(law, "var", None)):
            raise bad("noise.variance", "(missing)", "a number >= 0, or inf")
        variance = float(law.var())
    if scale is None:
        scale = float(law.ppf(0.75))
    return CustomNoise(law, float(variance), float(scale), [float(x) for x in breaks])


classes["covariance"] = Covariance
classes["noise"] = Noise
classes["schedule"] = Schedule
classes["target"] = Target


def covariance(
    X: Any, *, center: bool = True, scale: float = 1, sample: str = "rows", dense_limit: int = 4096
) -> Covariance:
    """K = X^T X/n of n samples, less their mean where `center`, times scale^2.

    X : array of shape (n, d), of numbers of any type: NumPy's, torch's, memory-mapped.
    sample : "rows": runs of the algorithm draw rows of X, which are held as doubles in memory, once;
        "gaussian": they draw Gaussian samples of covariance K. Then X is only read, a block of rows at a
        time, where d <= dense_limit: it may be larger than the memory.
    dense_limit : where min(n, d) is at most this the spectrum is exact; else its leading part is by Krylov
        iteration and the bulk by Lanczos quadrature, and `remark` says so.

    Raises InputError unless X has two axes, is finite and varies.
    """
    detach = getattr(X, "detach", None)
    array = np.asanyarray(detach().cpu().numpy() if detach else X)
    if array.ndim != 2 or array.dtype.kind not in "fiub" or 0 in array.shape:
        raise bad("covariance.X", f"{array.dtype} of shape {array.shape}", "numbers of shape (n, d)")
    if sample not in ("rows", "gaussian"):
        raise bad("covariance.sample", f'"{sample}"', 'one of "rows", "gaussian"')
    if not (np.isfinite(scale) and scale > 0):
        raise bad("covariance.scale", scale, "a number > 0")
    n, d = array.shape
    blocks = [slice(i, i + max(1, 4_000_000 // d)) for i in range(0, n, max(1, 4_000_000 // d))]
    if sample == "gaussian" and d <= dense_limit:
        return _from_second_moments(array, blocks, center, scale)
    rows = _core.Rows(n, d)
    for block in blocks:
        rows.array[block] = array[block]
    return Covariance._of(_core.covariance_of_rows(rows, center, scale, sample == "rows", dense_limit))


def _covariance_again(rows: Array, sample_rows: bool) -> Covariance:
    return covariance(rows, center=False, sample="rows" if sample_rows else "gaussian")


def _from_second_moments(array: Any, blocks: list[slice], center: bool, scale: float) -> Covariance:
    n, d = array.shape
    mean = np.zeros(d)
    if center:
        mean = sum(np.asarray(array[block], float).sum(axis=0) for block in blocks) / n
    K = np.zeros((d, d))
    for block in blocks:
        x = np.asarray(array[block], float) - mean
        K += x.T @ x
    K *= scale**2 / n
    if not np.isfinite(K).all():
        raise bad("covariance.X", "nan or inf", "finite numbers")
    return Covariance("matrix", {"entries": (K + K.T) / 2})


def _needs(field: str, value: Any, kind: type, expected: str) -> None:
    if not isinstance(value, kind):
        raise bad(field, reprlib.repr(value), expected)


class _Problem:
    core: Any
    noise: Noise

    @property
    def dimension(self) -> float:
        """d, or N_out N_in."""
        return float(self.core.dimension)

    @property
    def initial_risk(self) -> float:
        """R(0)"""
        return float(self.core.initial_risk)

    @property
    def initial(self) -> Array:
        """s(0): expected squared errors at the nodes of the spectrum, shape (nodes), or (nodes of K_out,
        nodes of K_in)."""
        values: Array = self.core.initial
        return values

    @property
    def initial_error(self) -> Array | None:
        """theta_0 - theta* in coordinates, where it is known; of a matrix in the joint eigenbasis."""
        values: Array | None = self.core.initial_error
        return values

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return False
        assert isinstance(other, _Problem)
        customs = isinstance(self.noise, CustomNoise) or isinstance(other.noise, CustomNoise)
        return bool(self.core == other.core) and (not customs or self.noise == other.noise)

    __hash__ = object.__hash__


class VectorProblem(_Problem):
    """Streaming least squares in R^d: x of covariance K, y = <x, theta*> + epsilon, a fresh batch at every
    step. With Delta = theta - theta* the excess risk is R = Delta^T K Delta/2.

    covariance : of x; by `power_law(..)` and the like, or `covariance(X)`.
    target : Delta at the start; by `power_law_target(..)` and the like.
    noise : the law of epsilon; None: none, but beside `fit_target` the residuals of the fit.
    start : a file of theta_0, beside `file_target` or `fit_target`; None: 0.

    Raises InputError for what does not fit together.
    """

    def __init__(
        self, covariance: Covariance, target: Target, noise: Noise | None = None, start: PathLike | None = None
    ) -> None:
        _needs("problem.covariance", covariance, Covariance, "a covariance: power_law(..), covariance(X), ..")
        _needs("problem.target", target, Target, "a target: power_law_target(..), ..")
        if noise is not None:
            _needs("problem.noise", noise, Noise, "a noise law: gaussian(..), student_t(..), ..")
        path = "" if start is None else os.fspath(start)
        law = None if noise is None else noise.core
        self.covariance = covariance
        self.target = target
        self.core = _core.VectorProblem(covariance.core, plain(target), law, path)
        self.noise = noise if noise is not None else Noise._of(self.core.noise)
        self._given = (covariance, target, noise, start)

    @classmethod
    def _of(cls, core: Any) -> VectorProblem:
        self = cls.__new__(cls)
        self.core = core
        self.covariance = Covariance._of(core.covariance)
        self.target = from_dict("target", core.target())
        self.noise = Noise._of(core.noise)
        self._given = (
            self.covariance, self.target, None if core.has_residuals else self.noise, core.start or None
        )
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return VectorProblem, self._given

    def __repr__(self) -> str:
        return f"VectorProblem(covariance={self.covariance!r}, target={self.target!r}, noise={self.noise!r})"


class MatrixProblem(_Problem):
    """Streaming least squares for W in R^(N_out x N_in): y = x_out^T W* x_in + epsilon, a fresh batch of B
    samples at every step. With Delta = W - W* the excess risk is R = tr(K_out Delta K_in Delta^T)/2.

    covariance_out, covariance_in : of x_out and x_in.
    target : Delta at the start; `power_law_target(.., sides="both")` and the like.
    noise : the law of epsilon; None: none.
    """

    def __init__(
        self, covariance_out: Covariance, covariance_in: Covariance, target: Target, noise: Noise | None = None
    ) -> None:
        for side, given in (("out", covariance_out), ("in", covariance_in)):
            _needs(f"problem.covariance_{side}", given, Covariance, "a covariance: isotropic(..), ..")
        _needs("problem.target", target, Target, "a target: power_law_target(..), ..")
        if noise is not None:
            _needs("problem.noise", noise, Noise, "a noise law: gaussian(..), student_t(..), ..")
        self.noise = noise if noise is not None else Noise("none", {})
        self.covariance_out = covariance_out
        self.covariance_in = covariance_in
        self.target = target
        self.core = _core.MatrixProblem(covariance_out.core, covariance_in.core, plain(target), self.noise.core)

    @classmethod
    def _of(cls, core: Any) -> MatrixProblem:
        self = cls.__new__(cls)
        self.core = core
        self.covariance_out = Covariance._of(core.covariance_out)
        self.covariance_in = Covariance._of(core.covariance_in)
        self.target = from_dict("target", core.target())
        self.noise = Noise._of(core.noise)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return MatrixProblem, (self.covariance_out, self.covariance_in, self.target, self.noise)

    def __repr__(self) -> str:
        return (
            f"MatrixProblem(covariance_out={self.covariance_out!r}, covariance_in={self.covariance_in!r}, "
            f"target={self.target!r}, noise={self.noise!r})"
        )


Problem = Union[VectorProblem, MatrixProblem]


class Experiment:
    """All that a prediction or a run needs: a problem, an optimizer, its step size, and for how long.

    problem : VectorProblem or MatrixProblem.
    optimizer : SGD(..), Adam(..), Muon(..), ..
    schedule : the raw step size gamma at step k: `cosine(..)` and the like, a number, or a function of k;
        None where it is to be found (`optimum`, `transfer`, `coefficients`).
    steps : length of the run. Recorded are `at` (whole steps, increasing, up to it), or else `points` steps
        beside 0, `spacing` "linear" or "log".
    signal : how large a signal the theory allows for: "auto", "small" or "full".

    Raises InputError, its field named as in problem files ("optimizer.batch").
    """

    def __init__(
        self,
        problem: Problem,
        optimizer: Optimizer,
        schedule: ScheduleLike | None = None,
        steps: float | None = None,
        *,
        at: Iterable[float] | None = None,
        points: int | None = None,
        spacing: str | None = None,
        signal: str = "auto",
    ) -> None:
        _needs("problem", problem, _Problem, "a VectorProblem, a MatrixProblem, an Experiment or a problem file")
        _needs("optimizer", optimizer, Optimizer, "an optimizer: SGD(..), Adam(..), ..")
        run = {"steps": steps, "at": None if at is None else np.asarray(at, float), "points": points, "spacing": spacing}
        self._given = (problem, optimizer, schedule)
        self._run: dict[str, Any] = {**run, "signal": signal}
        self.core = _core.Experiment(
            problem.core, plain(optimizer), plain(1.0 if schedule is None else schedule), run, signal
        )

    @classmethod
    def _of(cls, core: Any) -> Experiment:
        self = cls.__new__(cls)
        self.core = core
        problem: Problem = MatrixProblem._of(core.problem) if core.is_matrix else VectorProblem._of(core.problem)
        self._given = (problem, from_dict("optimizer", core.optimizer()), from_dict("schedule", core.schedule()))
        self._run = {"steps": core.steps, "at": core.at, "points": None, "spacing": None, "signal": core.signal}
        return self

    @property
    def problem(self) -> Problem:
        return self._given[0]

    @property
    def optimizer(self) -> Optimizer:
        return self._given[1]

    @property
    def schedule(self) -> ScheduleLike | None:
        return self._given[2]

    @property
    def steps(self) -> float:
        return float(self.core.steps)

    @property
    def at(self) -> Array:
        """The steps that are recorded."""
        values: Array = self.core.at
        return values

    @property
    def title(self) -> str:
        """One line that says what it is, as above the command's tables."""
        return str(self.core.title)

    def replace(
        self,
        problem: Problem | None = None,
        optimizer: Optimizer | None = None,
        schedule: ScheduleLike | None = None,
        steps: float | None = None,
        **run: Any,
    ) -> Experiment:
        """The same with these parts in place of its own."""
        changed = {key: value for key, value in run.items() if value is not None}
        if changed.get("at") is not None:
            changed.update(points=None, spacing=None)
        elif steps is not None or "points" in changed or "spacing" in changed:
            changed.setdefault("at", None)
        own = self._given
        every: dict[str, Any] = {**self._run, **changed, "steps": self.steps if steps is None else steps}
        return Experiment(
            problem or own[0], optimizer or own[1], own[2] if schedule is None else schedule, **every
        )

    def to_toml(self) -> str:
        """A problem file of it, which `load` and the command read back the same. InputError for what no file
        can state: a schedule or a noise law of your own."""
        return str(self.core.to_toml())

    def save(self, path: PathLike) -> None:
        """Writes to_toml() into a file."""
        text = self.to_toml()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Experiment)
            and bool(self.core == other.core)
            and self.problem == other.problem
        )

    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return _experiment_again, (*self._given, self._run)

    def __repr__(self) -> str:
        return f"<Experiment: {self.title}, {self.steps:g} steps>"


def _experiment_again(problem: Any, optimizer: Any, schedule: Any, run: dict[str, Any]) -> Experiment:
    return Experiment(problem, optimizer, schedule, **run)


def load(path: PathLike) -> Experiment:
    """Reads a problem file (TOML; docs/problem-file.md). Names of files in it are relative to its folder.
    InputError names the key that is wrong in full."""
    return Experiment._of(_core.read_experiment(os.fspath(path)))


def parse(toml: str) -> Experiment:
    """The same of a text; names of files are relative to the current folder."""
    return Experiment._of(_core.parse_experiment(toml))
