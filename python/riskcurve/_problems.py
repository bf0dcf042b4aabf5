"""Problems, and experiments on them."""

from __future__ import annotations

import os
import reprlib
from typing import Any, Callable, Iterable, Union

import numpy as np

from . import _core
from ._data import Array, Covariance, CustomNoise, Noise, PathLike
from ._errors import bad
from ._tables import Optimizer, Schedule, Target, from_dict, plain

#: What stands for a schedule: one of its own, a step size, or a function of the step.
ScheduleLike = Union[Schedule, float, Callable[[float], float]]


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
