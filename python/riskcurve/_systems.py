"""The mode system: what every optimizer comes to, and what a study of a new one fills by hand."""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np
import numpy.typing as npt

from . import _core
from ._data import Array
from ._problems import Experiment, ScheduleLike
from ._progress import Progress, shown
from ._results import Curve
from ._tables import plain


class ModeSystem:
    """Second moments s_k of modes k, with k steps of raw size gamma (time t, one unit a step):

        ds_k/dt = -2 gamma(t) a_k s_k + gamma(t)^2 c_k,      R = sum_k h_k s_k/2,
        a_k = sum_q g_q drift[k, q],     c_k = sum_r n_r diffusion[k, r].

    weight : h, shape (modes). initial : s(0), shape (modes).
    drift : shape (modes) or (modes, Q). diffusion : shape (modes) or (modes, N).
    response : a function of (t, gamma, risk), the last the excess risk R > 0, to the pair (g, n): numbers, or
        arrays of shape (Q) and (N). It must not depend on who asked before. Slower than an optimizer of the
        library, since Python is asked at every node of the integrator.
    multiplicity : directions that each mode stands for, shape (modes); None: not known.
    noise_variance : E epsilon^2; P = R + noise_variance/2.

    `mode_system(experiment)` is the one that the library fills. InputError for shapes that disagree, and
    numbers that are negative or not finite.
    """

    def __init__(
        self,
        weight: npt.ArrayLike,
        drift: npt.ArrayLike,
        diffusion: npt.ArrayLike,
        initial: npt.ArrayLike,
        response: Callable[[float, float, float], tuple[Any, Any]],
        *,
        multiplicity: npt.ArrayLike | None = None,
        noise_variance: float = 0.0,
        name: str = "",
    ) -> None:
        self.core = _core.ModeSystem(
            np.asarray(weight, float), np.asarray(drift, float), np.asarray(diffusion, float),
            np.asarray(initial, float), response,
            None if multiplicity is None else np.asarray(multiplicity, float), noise_variance, name,
        )

    @classmethod
    def _of(cls, core: Any) -> ModeSystem:
        self = cls.__new__(cls)
        self.core = core
        return self

    @property
    def modes(self) -> int:
        return int(self.core.modes)

    @property
    def weight(self) -> Array:
        values: Array = self.core.weight
        return values

    @property
    def drift(self) -> Array:
        values: Array = self.core.drift
        return values

    @property
    def diffusion(self) -> Array:
        values: Array = self.core.diffusion
        return values

    @property
    def initial(self) -> Array:
        values: Array = self.core.initial
        return values

    @property
    def multiplicity(self) -> Array:
        """Shape (modes); empty where it is not known."""
        values: Array = self.core.multiplicity
        return values

    @property
    def initial_risk(self) -> float:
        return float(self.core.initial_risk)

    @property
    def warnings(self) -> list[str]:
        """Approximations made while it was filled."""
        return list(self.core.warnings)

    def rates(self, risk: float, t: float = 0, gamma: float = 0) -> tuple[Array, Array]:
        """a and c of every mode at excess risk R, each of shape (modes)."""
        drift, diffusion = self.core.rates(risk, t, gamma)
        return drift, diffusion

    def largest_stable_step(self) -> float:
        """The step size above which the risk diverges; inf where there is none, nan where it is not known."""
        return float(self.core.largest_stable_step())

    def stationary_risk(self, step: float, t: float = 0) -> float:
        """Where the risk comes to rest under this constant step; 0: it vanishes, inf: it grows for ever."""
        return float(_core.stationary_risk(self.core, step, t))

    def guessed_step(self, horizon: float) -> float:
        """A first guess of the best step: that of fastest descent at the start, or less."""
        return float(_core.guessed_step(self.core, horizon))

    def participation(self) -> float:
        """(sum h s)^2/sum (h s)^2 over single directions at the start: how many share the risk."""
        return float(self.core.participation())

    def step_rate(self, step: float, t: float, risk: float) -> float:
        """gamma max_k a_k: the fastest mode's decay a step."""
        return float(self.core.step_rate(step, t, risk))

    def compress(self, nodes: int = 8) -> ModeSystem:
        """The same risk curve from fewer modes: `nodes` for each octave of rates."""
        return ModeSystem._of(self.core.compress(nodes))

    def __repr__(self) -> str:
        return f"<ModeSystem: {self.modes} modes, R(0) = {self.initial_risk:.6g}>"


def mode_system(experiment: Experiment, *, whole: bool = False, progress: Progress = None) -> ModeSystem:
    """The mode system of an experiment. whole: of spectral maps, a mode for each pair of nodes."""
    with shown(progress, "filling") as hook:
        return ModeSystem._of(_core.mode_system(experiment.core, whole, hook))


class Sensitivity:
    """How R(T) answers to the step size at every earlier time; arrays of shape (nodes), in increasing time:
    time, step, weight (int f dt = sum weight f), risk_at, gradient (dR(T)/dgamma(t)), curvature, greedy (the
    step of fastest descent); and risk, rate, initial (dR(T)/ds_k(0), shape (modes)), momentum, weight_decay."""

    risk: float
    rate: float
    time: Array
    step: Array
    weight: Array
    risk_at: Array
    gradient: Array
    curvature: Array
    greedy: Array
    initial: Array
    momentum: Array
    weight_decay: Array
    status: str
    message: str

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return f"<Sensitivity: R = {self.risk:.6g}, {len(self.time)} nodes>"


def sensitivity(
    system: ModeSystem, schedule: ScheduleLike, steps: float, *, rtol: float = 1e-10, progress: Progress = None
) -> Sensitivity:
    """dR(T)/dgamma(t) at every t, from one solve forwards and one sweep back; docs/theory/optima.md. Raises
    InputError as solve does."""
    with shown(progress, "solving") as hook:
        return Sensitivity(_core.sensitivity(system.core, plain(schedule), steps, rtol, hook))


def solve(
    system: ModeSystem,
    schedule: ScheduleLike,
    steps: float | None = None,
    *,
    at: Sequence[float] | Array | None = None,
    method: str = "exponential",
    rtol: float = 1e-10,
    until_risk: float = 0,
    modes: bool = False,
    progress: Progress = None,
) -> Curve:
    """The risk curve of a mode system under a schedule, at the times `at`, or at 51 up to `steps`.

    method : "exponential", "dopri5", "rosenbrock4" (at most 400 modes) or "recursion", step by step.
    until_risk : stop where the risk has fallen to this; `reached` of the curve says when.
    modes : keep s_k, shape (times, modes).

    The curve has steps, risk, observables, status, message, warnings and counters. InputError for bad times,
    tolerances and step sizes that are not finite and positive; a solution that blows up is no error: `status`
    says so.
    """
    if at is None:
        if steps is None:
            raise _core_missing("steps")
        at = np.linspace(0, steps, 51)
    with shown(progress, "solving") as hook:
        found = _core.solve(system.core, plain(schedule), np.asarray(at, float), method, rtol, until_risk, modes, hook)
    return Curve({"title": repr(system)[1:-1], "population_risk": found["risk"] + system.core.noise_variance / 2, **found})


def _core_missing(field: str) -> Exception:
    from ._errors import bad

    return bad(field, "(missing)", "a number > 0, or times `at`")
