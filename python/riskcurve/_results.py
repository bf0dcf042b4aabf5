"""What the commands find: numbers by name, arrays of NumPy among them."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any, Mapping

import numpy as np

from ._data import Array
from ._problems import Experiment


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


def axes(ax: Any) -> Any:
    """The axes given, or new ones."""
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
        ax = axes(ax)
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
        ax = axes(ax)
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
        ax = axes(ax)
        self.ensemble.plot(ax)
        return self.curve.plot(ax)

    def __repr__(self) -> str:
        return (f"<Comparison: {self.title}: largest difference {self.worst_in_percent:.3f} %, "
                f"{self.worst_in_standard_errors:.2f} standard errors>")
