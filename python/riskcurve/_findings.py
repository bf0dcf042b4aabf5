"""What searches, scans and maps find."""

from __future__ import annotations

import html
from typing import Any, Iterator

import numpy as np

from ._data import Array
from ._problems import Experiment
from ._results import Curve, Result, Trust, axes
from ._tables import Schedule


class Optimum(Result):
    """The best constant step size, or schedule of a kind, for a horizon or a risk to reach.

    kind : of schedule, "constant" or what was asked for.
    step : best constant raw step size gamma. risk : R with what was found, after `steps` steps.
    slope : dlog R/dlog gamma there, 0 at an optimum.
    schedule : what was found, a Schedule. constant : beside another kind, {"step", "risk"} of the best constant.
    neighbours : of a constant step, what others cost: {"step", "factor", "risk", "above_percent"}.
    largest_stable_step, stationary_risk : steps above it diverge; where the risk comes to rest at the best one.
    clipping : of clipped_sgd, the best thresholds along the curve, {"steps", "risk", "threshold", ..}; else None.
    curve : the risk under it, a Curve without trust. trust, warnings : as of a Curve.
    """

    _columns = ("neighbours",)
    kind: str
    step: float
    risk: float
    steps: float
    slope: float
    schedule: Schedule
    neighbours: dict[str, Array] | None = None
    constant: dict[str, float] | None = None
    largest_stable_step: float
    stationary_risk: float
    evaluations: int
    clipping: dict[str, Array] | None = None
    curve: Curve
    trust: Trust
    warnings: list[str]
    experiment: Experiment | None = None

    def columns(self) -> dict[str, Any]:
        if self.neighbours is not None:
            return dict(self.neighbours)
        at = self.curve.steps
        dimension = self.experiment.problem.dimension if self.experiment is not None else None
        return {"at": at, "step": self.schedule(at, self.steps, dimension)}

    def plot(self, ax: Any = None) -> Any:
        """R after the horizon over the step size; of another schedule than constant, its step sizes."""
        ax = axes(ax)
        ax.grid(alpha=0.25)
        ax.set_title(self.title, fontsize="small")
        if self.neighbours is None:
            columns = self.columns()
            ax.plot(columns["at"], columns["step"], label=self.kind)
            assert self.constant is not None
            ax.axhline(self.constant["step"], ls="--", color="0.4", label="best constant")
            ax.set(xlabel="steps k", ylabel="step size $\\gamma$", yscale="log")
        else:
            ax.plot(self.neighbours["step"], self.neighbours["risk"], ".-")
            ax.plot([self.step], [self.risk], "o", color="black", label=f"best constant step {self.step:.4g}")
            ax.set(xlabel="step size $\\gamma$", ylabel=f"excess risk R after {self.steps:g} steps", xscale="log")
            finite = self.neighbours["risk"][np.isfinite(self.neighbours["risk"])]
            if finite.size and finite.max() > 10 * finite.min() > 0:
                ax.set_yscale("log")
        ax.legend()
        return ax

    def notes(self) -> list[str]:
        return [f"best constant step {self.step:.6g}: R = {(self.constant or {'risk': self.risk})['risk']:.6g} "
                f"after {self.steps:g} steps", *super().notes()]

    def __repr__(self) -> str:
        return f"<Optimum: {self.title}: step {self.step:.6g}, R = {self.risk:.6g} after {self.steps:g} steps>"


class Shapes(Result):
    """What the shape of a schedule is worth: each with its best peak, after `steps` steps.

    Columns: shape, step (the peak), exponent (of "polynomial" and "power_decay", their best), risk,
    above_percent (of the least), horizon_exponent, x of R ~ T^-x between half the horizon and it; nan where
    there is none.
    """

    _columns = ("shape", "step", "exponent", "risk", "above_percent", "horizon_exponent")
    steps: float
    shape: list[str]
    step: Array
    exponent: Array
    risk: Array
    above_percent: Array
    horizon_exponent: Array

    def __repr__(self) -> str:
        return f"<Shapes: {self.title}: {self.shape[int(np.nanargmin(self.risk))]} is best after {self.steps:g} steps>"


class JointOptimum(Result):
    """Constants that are best together: `over`, their values by name; risk (or averaged_risk) after `steps`
    steps; gradient, of log R by what was searched; experiment, the one given at these values."""

    over: dict[str, float]
    risk: float
    averaged_risk: float
    steps: float
    gradient: float
    evaluations: int
    message: str
    experiment: Experiment

    def columns(self) -> dict[str, Any]:
        return {"quantity": list(self.over), "best": list(self.over.values())}

    def notes(self) -> list[str]:
        averaged = "averaged_risk" in self.__dict__
        risk = self.averaged_risk if averaged else self.risk
        return [f"together: {'averaged ' * averaged}R = {risk:.6g} after {self.steps:g} steps", *super().notes()]

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.6g}" for name, value in self.over.items())
        return f"<JointOptimum: {self.title}: {values}>"


class BudgetOptimum(JointOptimum):
    """What is best for a number of samples: batch, and `over`, the values that are best with it; risk (or
    averaged_risk) after `steps` = samples // batch steps; experiment, the one given at all of it.

    batches : the powers of two that were looked at, {"batch", "steps", each of `over`, "risk"}, arrays.
    """

    samples: float
    batch: int
    batches: dict[str, Array]

    def columns(self) -> dict[str, Any]:
        return dict(self.batches)

    def notes(self) -> list[str]:
        return [f"best: batch {self.batch} for {self.samples:g} samples", *super().notes()]

    def __repr__(self) -> str:
        return f"<BudgetOptimum: {self.title}: batch {self.batch}, R = {self.risk:.6g} after {self.steps:g} steps>"


class BatchRamp(Result):
    """The best batch that changes along a run of `samples` samples in `steps` steps of one size `step`.

    Columns: batch (real numbers) at the steps `at`, linear between them. risk after the run; constant_risk, that
    of the batch samples/steps at its own best constant step.
    """

    _columns = ("at", "batch")
    samples: float
    steps: float
    step: float
    at: Array
    batch: Array
    risk: float
    constant_risk: float
    evaluations: int

    def __repr__(self) -> str:
        return f"<BatchRamp: {self.title}: from {self.batch[0]:.4g} to {self.batch[-1]:.4g}, R = {self.risk:.6g}>"


class CriticalBatch(Result):
    """What steps and samples a risk costs, batch by batch, each at its fastest constant step.

    critical_batch : where doubling divides the steps by the root of 2 only; nan where it never does, and
        `message` says why. Columns: batch (1, 2, 4, ..), step, steps, samples = batch steps; saving,
        -dlog steps/dlog batch between a batch and the next, is one shorter.
    """

    _columns = ("batch", "step", "steps", "samples")
    risk: float
    critical_batch: float
    message: str
    batch: Array
    step: Array
    steps: Array
    samples: Array
    saving: Array
    evaluations: int

    def notes(self) -> list[str]:
        found = f"critical batch {self.critical_batch:.4g}" if self.critical_batch > 0 else self.message
        return [f"for R = {self.risk:.6g}: {found}", *super().notes()]

    def __repr__(self) -> str:
        return f"<CriticalBatch: {self.title}: {self.critical_batch:.4g}, for R = {self.risk:.6g}>"


class Fit(Result):
    """The problem whose curves are nearest to the given ones; docs/fit.md, fields as in docs/output.md#fit.

    parameters, intervals : by name, values and [low, high] of 95 %. correlation : {"names", "matrix"}.
    curves, predict : of each curve, {"path", "steps", "observed", "loss", "low", "high", "rms_percent", "end_percent"}.
    best : of each horizon and batch, {"steps", "batch", "step", "low", "high", "loss", "tried", "quadratic", "skipped"}.
    experiment : the fitted problem under the first curve's schedule; loss = floor + R.
    """

    model: str
    parameters: dict[str, float]
    intervals: dict[str, list[float]]
    correlation: dict[str, Any]
    curves: list[dict[str, Any]]
    predict: list[dict[str, Any]]
    best: list[dict[str, Any]]
    diagnostics: dict[str, float]
    floor: float
    experiment: Experiment
    warnings: list[str]

    def columns(self) -> dict[str, Any]:
        ends = list(self.intervals.values())
        return {"parameter": list(self.parameters), "value": list(self.parameters.values()),
                "low": [low for low, _ in ends], "high": [high for _, high in ends]}

    def notes(self) -> list[str]:
        said = [
            f"after {best['steps']:g} steps at batch {best['batch']}: "
            + (best["skipped"] or f"best step {best['step']:.4g}, {best['low']:.4g} to {best['high']:.4g}")
            for best in self.best
        ]
        return [*said, *super().notes()]

    def __repr__(self) -> str:
        return f"<Fit: {self.title}: {self.diagnostics['rms_percent']:.2g} % rms>"


class Coefficients(Result):
    """What the optimizer does to each mode at one risk, ds/dt = -2 gamma a s + gamma^2 c; fields as in
    docs/output.md#coefficients. Columns, shape (modes shown): index, sigma, lambda_, h, drift, diffusion,
    exponent, alpha, beta; `modes` holds all of them, shape (nodes of K_out, nodes of K_in)."""

    _columns = ("index", "sigma", "lambda_", "h", "drift", "diffusion", "exponent", "alpha", "beta")
    risk: float
    index: Array
    h: Array
    drift: Array
    diffusion: Array
    exponent: Array
    modes: dict[str, Array]
    diagonal: dict[str, Array] | None = None
    batches: dict[str, Any] | None = None
    squared_update: float
    drift_error: float
    diffusion_error: float
    rank: float | None
    noise: dict[str, Any] | None
    trust: Trust
    warnings: list[str]

    def plot(self, ax: Any = None) -> Any:
        """The preconditioning exponent over the eigenvalues; of spectral optimizers for several batches. Where a
        is no function of h, a itself."""
        ax = axes(ax)
        if self.batches is not None:
            for b, batch in enumerate(self.batches["batch"]):
                ax.plot(self.batches["eigenvalue"], self.batches["exponent"][:, b], label=f"batch {batch:g}")
            ax.legend()
        elif np.isnan(self.exponent).all():  # where a is no function of h it is seen as it is
            ax.plot(self.h, self.drift, ".")
            ax.set(xlabel="eigenvalue", ylabel="drift a", xscale="log", yscale="log")
            ax.set_title(self.title, fontsize="small")
            return ax
        else:
            ax.plot(self.h, self.exponent)
        for level in (0.5, 1):
            ax.axhline(level, color="0.8", lw=0.8, zorder=0)
        ax.set(xlabel="eigenvalue", ylabel="preconditioning exponent", xscale="log")
        ax.set_title(self.title, fontsize="small")
        return ax

    def __repr__(self) -> str:
        return f"<Coefficients: {self.title}: {len(self.index)} modes at R = {self.risk:.6g}>"


class Spectrum(Result):
    """A covariance: kind, dimension, trace, norm, mean, intrinsic_dimension; the nodes that hold its
    eigenvalues, columns first, last, eigenvalue, multiplicity, shape (nodes); power_law, the longest range
    lambda_j ~ prefactor j^(-2 alpha), j from first to last, with its deviation, or None."""

    _columns = ("first", "last", "eigenvalue", "multiplicity")
    kind: str
    dimension: float
    trace: float
    norm: float
    mean: float
    intrinsic_dimension: float
    power_law: dict[str, float] | None
    first: Array
    last: Array
    eigenvalue: Array
    multiplicity: Array
    warnings: list[str]

    def plot(self, ax: Any = None) -> Any:
        """Eigenvalues over their index, and the power law."""
        ax = axes(ax)
        x = np.stack([self.first, self.last], axis=1).ravel()
        ax.plot(x, np.repeat(self.eigenvalue, 2), ".", ms=3, label="eigenvalues")
        if self.power_law:
            ends = np.array([self.power_law["first"], self.power_law["last"]])
            law = self.power_law["prefactor"] * ends ** (-2 * self.power_law["alpha"])
            ax.plot(ends, law, "--", label=f"$j^{{-2\\cdot {self.power_law['alpha']:.3f}}}$")
        ax.set(xlabel="index j", ylabel="eigenvalue $\\lambda$", xscale="log", yscale="log")
        ax.set_title(self.title, fontsize="small")
        ax.legend()
        ax.grid(alpha=0.25)
        return ax

    def notes(self) -> list[str]:
        lines = [f"trace {self.trace:.6g}, largest eigenvalue {self.norm:.6g}, intrinsic dimension {self.intrinsic_dimension:.6g}"]
        if self.power_law:
            p = self.power_law
            lines.append(f"power law {p['prefactor']:.4g} j^(-2 alpha), alpha = {p['alpha']:.4f}, for j = {p['first']:g} to {p['last']:g}")
        return [*lines, *super().notes()]

    def __repr__(self) -> str:
        return f"<Spectrum: {self.title}: intrinsic dimension {self.intrinsic_dimension:.6g}>"


class Transfer(Result):
    """How the best constant step moves; docs/transfer.md.

    exponents : {"quantity", "from", "to", "step", "step_error", "risk", "risk_error", "skipped"}, an entry a
        quantity: best step ~ x^step, its risk ~ x^risk.
    own : {"value", "step"} of each quantity as it is, by name.
    optimizers : {"optimizer", "threshold", "step", "ratio", "start", "risk", "untrusted", "skipped"}, an entry
        an optimizer, the own first: best step, and its ratio to the own best; start = tuned ratio.
    quantity, value, step, risk, untrusted : columns, every point that was solved.
    """

    _columns = ("quantity", "value", "step", "risk", "untrusted")
    exponents: dict[str, Any]
    optimizers: dict[str, Any]
    quantity: list[str]
    value: Array
    step: Array
    risk: Array
    untrusted: list[str]
    own: dict[str, dict[str, float]]
    trust: Trust | None = None
    warnings: list[str]

    def shown_columns(self) -> dict[str, Any]:
        return {name: column for name, column in self.exponents.items() if name != "skipped"}

    def notes(self) -> list[str]:
        both = zip(self.exponents["quantity"], self.exponents["skipped"])
        others = zip(self.optimizers["optimizer"], self.optimizers["step"], self.optimizers["ratio"])
        return [
            *(f"{name}: skipped: {why}" for name, why in both if why),
            *(f"{name}: best step {step:.6g}, {ratio:.6g} of that of {self.optimizers['optimizer'][0]}"
              for name, step, ratio in others if np.isfinite(step)),
            *super().notes(),
        ]

    def plot(self, ax: Any = None) -> Any:
        """The best step over each quantity, both relative to the own ones."""
        ax = axes(ax)
        for name, own in self.own.items():
            here = np.array([quantity == name for quantity in self.quantity])
            ax.plot(self.value[here] / own["value"], self.step[here] / own["step"], "o-", ms=3, label=name)
        for axis, scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
            scale("log", base=2)
            axis.set_major_formatter("{x:g}")
        ax.set(xlabel="factor on the quantity", ylabel="factor on the best step")
        ax.set_title(self.title, fontsize="small")
        ax.grid(alpha=0.25)
        ax.legend()
        return ax

    def __repr__(self) -> str:
        return f"<Transfer: {self.title}: {len(self.exponents['quantity'])} quantities, {len(self.optimizers['optimizer'])} optimizers>"


class Advice(Result):
    """What to do with a problem; docs/advise.md, fields as in docs/output.md#advise, lists of numbers as arrays.

    step, schedule, doubling, changes : the answers, each by name. optimizers : columns, an entry an optimizer.
    horizons, risk_at : R of each optimizer at its best step, shape (horizons, optimizers). crossings : where the
        lead passes on, [{"horizon", "before", "after"}].
    text : all of it in words, as the command prints it, and str() of this. page : the same as HTML.
    """

    _columns = ("optimizers",)
    steps: float
    step: dict[str, Any]
    schedule: dict[str, Any]
    doubling: dict[str, Any]
    optimizers: dict[str, Any]
    horizons: Array
    risk_at: Array
    crossings: list[dict[str, Any]]
    changes: dict[str, dict[str, Any]]
    small_signal: bool
    trust: Trust
    warnings: list[str]
    text: str
    page: str
    experiment: Experiment

    def notes(self) -> list[str]:
        return [line for line in self.text.splitlines() if line]

    def plot(self, ax: Any = None) -> Any:
        """R of each optimizer at its best constant step, over the steps of the run."""
        ax = axes(ax)
        for name, risk in zip(self.optimizers["optimizer"], self.risk_at.T):
            if np.isfinite(risk).any():
                ax.plot(self.horizons, risk, "o-", ms=3, label=name)
        ax.set(xlabel="steps of the run", ylabel="excess risk R", xscale="log", yscale="log")
        ax.set_title(self.title, fontsize="small")
        ax.grid(alpha=0.25)
        ax.legend()
        return ax

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Advice: {self.title}: best step {self.step['best']:.4g}, R = {self.step['risk']:.4g} after {self.steps:g} steps>"


class SweepTable(Result):
    """A grid of experiments, a row each: `table` by column, and `sweep["risk"]` is one of them; fields are named as
    in problem files, what was found as in docs/problem-file.md."""

    table: dict[str, Any]
    warnings: list[str]

    def columns(self) -> dict[str, Any]:
        return dict(self.table)

    def __getitem__(self, column: str) -> Any:
        return self.table[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(next(iter(self.table.values())))

    def __repr__(self) -> str:
        return f"<SweepTable: {len(self)} rows of {', '.join(self.table)}>"


class PhaseMap(Result):
    """Two optimizers over the plane of power laws (alpha, beta).

    alpha, beta : the axes. horizons : T, in steps.
    phase : shape (alpha, beta): 0 the first ahead at every horizon, 1 the order changes, 2 the second ahead,
        3 never apart by 1 %.
    table : all columns, a row a point, beta running fastest (docs/output.md#phases); `grid(name)` is one of
        them, shape (alpha, beta).
    """

    optimizers: tuple[str, str]
    titles: tuple[str, str]
    alpha: Array
    beta: Array
    horizons: Array
    table: dict[str, Any]
    warnings: list[str]

    def grid(self, column: str) -> Array:
        return np.reshape(self.table[column], (len(self.alpha), len(self.beta)))

    @property
    def phase(self) -> Array:
        return self.grid("phase")

    def columns(self) -> dict[str, Any]:
        return dict(self.table)

    def shown_columns(self) -> dict[str, Any]:
        names = [n for n in self.table if n in ("alpha", "beta", "phase") or n.endswith("_exponent")]
        return {name: self.table[name] for name in names}

    def plot(self, ax: Any = None) -> Any:
        """The map of phases."""
        from matplotlib.colors import ListedColormap
        from matplotlib.patches import Patch

        ax = axes(ax)
        colours = ["#4C72B0", "#F2E394", "#C44E52", "#DDDDDD"]
        ax.pcolormesh(self.alpha, self.beta, self.phase.T, cmap=ListedColormap(colours), vmin=-0.5, vmax=3.5,
                      shading="nearest")
        first, second = self.titles
        meaning = [f"{first} ahead", "the order changes", f"{second} ahead", "within 1 %"]
        there = sorted({int(p) for p in np.ravel(self.phase)})
        ax.legend(handles=[Patch(color=colours[p], label=meaning[p]) for p in there], fontsize="small")
        ax.set(xlabel="data exponent $\\alpha$", ylabel="target exponent $\\beta$")
        ax.set_title(self.title, fontsize="small", wrap=True)
        return ax

    def __repr__(self) -> str:
        return f"<PhaseMap: {self.title}>"


class Validation(Result):
    """Predictions against real runs over a suite of cases: passed; cases and claims as in results.json
    (docs/validation.md); text, the table that the command prints."""

    passed: bool
    text: str

    def columns(self) -> dict[str, Any]:
        return {}

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return self.text
