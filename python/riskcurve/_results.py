"""What the commands find: numbers by name, arrays of NumPy among them."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any, Iterator, Mapping

import numpy as np

from ._problems import Array, Experiment
from ._tables import Schedule


class Result:
    """Named numbers and arrays. Those with a value a row are the columns of to_dataframe()."""

    _columns: tuple[str, ...] = ()
    title: str

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)

    if not TYPE_CHECKING:  # types are of what is declared

        def __getattr__(self, name):
            raise AttributeError(f"{type(self).__name__} has no {name!r}; there are: {', '.join(self.__dict__)}")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, nested results as dicts too."""
        return {key: value.to_dict() if isinstance(value, Result) else value for key, value in self.__dict__.items()}

    def columns(self) -> dict[str, Any]:
        """What has a value a row, by name; a matrix name is name_1, name_2, .."""
        found: dict[str, Any] = {}
        for name in self._columns:
            value = self.__dict__.get(name)
            if isinstance(value, Mapping):
                found.update(value)
            elif isinstance(value, np.ndarray) and value.ndim == 2:
                found.update({f"{name}_{j + 1}": value[:, j] for j in range(value.shape[1])})
            elif value is not None:
                found[name] = value
        return found

    def to_dataframe(self) -> Any:
        """The columns as a pandas.DataFrame."""
        import pandas

        return pandas.DataFrame(self.columns())

    def notes(self) -> list[str]:
        """Lines that stand below the table."""
        trust = self.__dict__.get("trust")
        lines = [] if trust is None else [trust.line]
        return lines + [f"doubt: {line}" for line in self.__dict__.get("warnings") or []]

    def shown_columns(self) -> dict[str, Any]:
        """Those of the table that notebooks show."""
        return {name: x for name, x in self.columns().items() if not name.startswith("risk_of_run")}

    def _repr_html_(self) -> str:
        columns = self.shown_columns()
        rows = len(next(iter(columns.values()), []))
        chosen = sorted({round(i * (rows - 1) / 11) for i in range(12)}) if rows > 12 else range(rows)
        head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(column[i]))}</td>" for column in columns.values()) + "</tr>"
            for i in chosen
        )
        more = f"<div>{len(chosen)} of {rows} rows</div>" if rows > 12 else ""
        notes = "".join(f"<div>{html.escape(line)}</div>" for line in self.notes())
        return (
            f"<div><b>{html.escape(self.title)}</b></div>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}{notes}"
        )


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    number = float(value)
    return "-" if math.isnan(number) else f"{number:.6g}"


class Trust(Result):
    """Whether the limit of high dimension can be trusted: the numbers (docs/output.md#trust), `line`, which
    says them in words, `warnings`, one for each out of its range, and `untrusted`, their names."""

    intrinsic_dimension: float
    participation: float
    step_rate: float
    line: str
    warnings: list[str]
    untrusted: str

    def __repr__(self) -> str:
        return self.line

    def _repr_html_(self) -> str:
        return f"<div>{html.escape(self.line)}</div>"

    def __bool__(self) -> bool:
        """True where no number is out of its range."""
        return not self.untrusted


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def _scale(ax: Any, x: Array, y: Any) -> None:
    """Axes as the command draws them: logarithmic where that reads better."""
    positive = np.asarray(x)[np.asarray(x) > 0]
    gaps = np.diff(positive)
    if len(gaps) > 2 and gaps[-1] > 4 * gaps[0]:
        ax.set_xscale("symlog" if len(positive) < len(x) else "log", **({"linthresh": positive[0]} if len(positive) < len(x) else {}))
    y = np.concatenate([np.ravel(part) for part in y])
    y = y[np.isfinite(y)]
    if y.size and y.min() > 0 and y.max() > 10 * y.min():
        ax.set_yscale("log")
    ax.grid(alpha=0.25)


class Curve(Result):
    """A predicted risk curve.

    steps : recorded steps k, shape (times).
    risk : excess risk R there, shape (times).
    population_risk : R + E epsilon^2/2; None where the noise has no variance.
    averaged_risk : of the average of the iterates; None where there is none.
    observables : named quantities along the curve, {name: shape (times)}.
    deviation, low, high, shift : with bands=True, the spread of single runs, and where 95 of 100 are; None
        where there are none.
    modes, mode_weight : with modes=True, s_k, shape (times, modes), and h_k: R = sum_k h_k s_k/2.
    trust : a Trust; True where all its numbers are in their ranges.
    largest_stable_step : raw step size above which the risk diverges; inf where there is none.
    status : "ok", "diverged" or "failed"; then the arrays end early, and message says why.
    warnings : every doubt, a line each; they were TrustWarnings as well.
    step_by_step, counters : how it was solved.
    """

    _columns = ("steps", "risk", "population_risk", "averaged_risk", "deviation", "low", "high", "observables")
    steps: Array
    risk: Array
    population_risk: Array | None
    averaged_risk: Array | None = None
    observables: dict[str, Array]
    deviation: Array | None = None
    shift: Array | None = None
    low: Array | None = None
    high: Array | None = None
    modes: Array | None = None
    mode_weight: Array | None = None
    trust: Trust
    noise_variance: float
    largest_stable_step: float
    status: str
    message: str
    warnings: list[str]
    step_by_step: bool
    counters: dict[str, int]
    experiment: Experiment

    def plot(self, ax: Any = None, label: str | None = "predicted", **style: Any) -> Any:
        """Draws the risk over the steps, and the band where there is one; returns the axes."""
        ax = _axes(ax)
        (line,) = ax.plot(self.steps, self.risk, label=label, **style)
        band = "95 % of runs"
        if self.low is not None:
            ax.fill_between(self.steps, self.low, self.high, color=line.get_color(), alpha=0.2, lw=0,
                            label=band if label and band not in ax.get_legend_handles_labels()[1] else None)
        if self.averaged_risk is not None:
            ax.plot(self.steps, self.averaged_risk, ls="--", color=line.get_color(),
                    label="of the average" if label else None)
        _scale(ax, self.steps, [self.risk])
        ax.set(xlabel="steps", ylabel="excess risk R")
        ax.set_title(self.title, fontsize="small")
        if label:
            ax.legend()
        return ax

    def __repr__(self) -> str:
        end = f"R = {self.risk[-1]:.6g} after {self.steps[-1]:g} steps" if len(self.risk) else self.message
        return f"<Curve: {self.title}: {end}>" if self.status == "ok" else f"<Curve: {self.title}: {self.status}: {end}>"


class Runs(Result):
    """Runs of the real algorithm, or with sde=True of the limit's stochastic differential equation.

    steps : shape (times). mean, standard_error : of R over the runs, shape (times); nan for one run.
    risk_of_run : R of each run, shape (times, runs); inf once it has diverged.
    averaged_mean, averaged_standard_error, averaged_risk_of_run : the same of the average; None without one.
    runs, seed, diverged_runs, status, message.
    """

    _columns = ("steps", "mean", "standard_error", "averaged_mean", "averaged_standard_error", "risk_of_run")
    steps: Array
    mean: Array
    standard_error: Array
    risk_of_run: Array
    averaged_mean: Array | None = None
    averaged_standard_error: Array | None = None
    averaged_risk_of_run: Array | None = None
    runs: int
    seed: int
    diverged_runs: int
    status: str
    message: str
    experiment: Experiment

    def plot(self, ax: Any = None, label: str | None = "mean of runs", **style: Any) -> Any:
        """Draws the mean with bars of two standard errors, and up to thirty single runs behind it."""
        ax = _axes(ax)
        shown = self.risk_of_run[:, :30]
        ax.plot(self.steps, shown, color="0.6", lw=0.6, alpha=0.6, zorder=1)
        ax.errorbar(self.steps, self.mean, 2 * np.nan_to_num(self.standard_error),
                    **{"fmt": ".", "color": "black", "ms": 4, "lw": 1, "label": label, **style})
        _scale(ax, self.steps, [self.mean])
        ax.set(xlabel="steps", ylabel="excess risk R")
        ax.set_title(self.title, fontsize="small")
        if label:
            ax.legend()
        return ax

    def __repr__(self) -> str:
        return f"<Runs: {self.title}: {self.runs} runs, seed {self.seed}: mean R = {self.mean[-1]:.6g} after {self.steps[-1]:g} steps>"


class Comparison(Result):
    """A prediction against runs at the same steps; difference = mean - predicted.

    curve : the Curve. ensemble : the Runs.
    steps, predicted, mean, standard_error, difference_in_standard_errors, difference_percent : shape (times).
    worst_in_standard_errors, worst_in_percent : the largest of each, in absolute value.
    inside_percent, coverage_percent : with bands=True, runs inside the band, at each step and over all.
    averaged_.. : the same of the averaged risk, where there is one.
    """

    _columns = ("steps", "predicted", "mean", "standard_error", "difference_in_standard_errors",
                "difference_percent", "inside_percent")
    steps: Array
    predicted: Array
    mean: Array
    standard_error: Array
    difference_in_standard_errors: Array
    difference_percent: Array
    worst_in_standard_errors: float
    worst_in_percent: float
    inside_percent: Array | None = None
    coverage_percent: float | None = None
    curve: Curve
    ensemble: Runs
    trust: Trust
    warnings: list[str]

    def plot(self, ax: Any = None) -> Any:
        """The curve, its band, and the runs."""
        ax = _axes(ax)
        self.ensemble.plot(ax)
        return self.curve.plot(ax)

    def __repr__(self) -> str:
        return (f"<Comparison: {self.title}: largest difference {self.worst_in_percent:.3f} %, "
                f"{self.worst_in_standard_errors:.2f} standard errors>")


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
        ax = _axes(ax)
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
        """The preconditioning exponent over the eigenvalues; of spectral optimizers for several batches."""
        ax = _axes(ax)
        if self.batches is not None:
            for b, batch in enumerate(self.batches["batch"]):
                ax.plot(self.batches["eigenvalue"], self.batches["exponent"][:, b], label=f"batch {batch:g}")
            ax.legend()
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
        ax = _axes(ax)
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
        ax = _axes(ax)
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

        ax = _axes(ax)
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
