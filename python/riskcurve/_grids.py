"""Grids of experiments, and maps of two optimizers."""

from __future__ import annotations

import os
import tempfile
from typing import Any, Mapping, Sequence

import numpy as np

from . import _core
from ._commands import warn
from ._data import PathLike
from ._errors import bad
from ._kinds import SignSGD, SignSVD
from ._problems import Experiment
from ._progress import Progress, shown
from ._findings import PhaseMap, SweepTable
from ._tables import Optimizer, plain


def sweep(
    grid: PathLike | Experiment,
    vary: Mapping[str, Sequence[float] | Sequence[str]] | None = None,
    *,
    find: str = "risk",
    against: Sequence[str] = (),
    out: PathLike | None = None,
    resume: bool = False,
    threads: int = 0,
    progress: Progress = None,
) -> SweepTable:
    """A grid of experiments: every combination of the values, the last field running fastest.

    grid : a grid file (docs/problem-file.md); or an Experiment, with
    vary : {field: values}, fields by their names in problem files: {"optimizer.batch": [1, 4, 16]}.
    find : "risk", R at the end under its schedule; "step", the best constant step; "exponents", that and its
        exponents `against` quantities, as of transfer.
    out : a .csv file; finished points are kept in out.partial, from which `resume` goes on.
    threads : 0: all cores. Changes no number.

    Returns a SweepTable. Raises InputError for a point that is refused.
    """
    if isinstance(grid, Experiment):
        if not vary:
            raise bad("vary", "(missing)", 'fields and their values, {"optimizer.batch": [1, 4]}')
        with tempfile.TemporaryDirectory() as folder:
            grid.save(os.path.join(folder, "problem.toml"))
            path = os.path.join(folder, "grid.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(_grid_text(vary, find, against))
            return _sweep(path, out, resume, threads, progress)
    if vary is not None or find != "risk" or against:
        raise bad("vary", "beside a grid file", "an Experiment to vary")
    return _sweep(os.fspath(grid), out, resume, threads, progress)


def _sweep(path: str, out: PathLike | None, resume: bool, threads: int, progress: Progress) -> SweepTable:
    if resume and out is None:
        raise bad("resume", "without out", "out: out.partial is what it goes on with")
    with shown(progress, "sweeping") as hook:
        table = _core.sweep(path, "" if out is None else os.fspath(out), resume, threads, hook)
    doubts = [line for line in [_core.untrusted_points(list(table["untrusted"]))] if line]
    warn(doubts)
    return SweepTable({"title": "sweep", "table": table, "warnings": doubts})


def _grid_text(vary: Mapping[str, Any], find: str, against: Sequence[str]) -> str:
    def listed(values: Any) -> str:
        if isinstance(values, str) or not np.iterable(values) or len(list(values)) == 0:
            raise bad("vary", repr(values), "a list of numbers, or of texts")
        return ", ".join(f'"{x}"' if isinstance(x, str) else repr(float(x)) for x in values)

    text = f'problem = "problem.toml"\nfind = "{find}"\n'
    if against:
        text += f"against = [{listed(list(against))}]\n"
    for field, values in vary.items():
        text += f'[[vary]]\nfield = "{field}"\nvalues = [{listed(values)}]\n'
    return text


def phases(
    optimizers: tuple[Optimizer, Optimizer] | None = None,
    *,
    dimension: float = 1e6,
    batch: int | None = None,
    sides: str = "one",
    alpha: tuple[float, float] | Sequence[float] = (0.2, 1.5),
    beta: tuple[float, float] | Sequence[float] = (0, 1.5),
    points: int = 40,
    horizons: tuple[float, float] | Sequence[float] = (10, 1e6),
    per_decade: int = 1,
    schedules: bool = False,
    small: bool = False,
    journal: PathLike | None = None,
    resume: bool = False,
    threads: int = 0,
    progress: Progress = None,
) -> PhaseMap:
    """Two optimizers against each other on power laws: K_in of eigenvalues j^(-2 alpha), a target j^(-2 beta),
    W in R^(N x N), no label noise; who comes to the lower risk, each at its best step.

    optimizers : two of a matrix; None: SignSGD and SignSVD. Their batch is `batch`.
    dimension : N. batch : of both; None: N.
    sides : "one": K_out = I; "two": both sides power laws.
    alpha, beta : ends of the axes, of `points` points each; or, where more than two, the points themselves.
    horizons : the first and the last T in steps, `per_decade` in a decade; or, where more than two, all of them.
    schedules : each at its optimal schedule, not its best constant step: slow; small signals.
    small : by the rates of small signals, which are quicker.
    journal : a file where finished columns are kept, from which `resume` goes on; remove it when done.

    Returns a PhaseMap. Source: docs/theory/phases.md.
    """
    first, second = optimizers or (SignSGD(), SignSVD())
    for one in (first, second):
        if not isinstance(one, Optimizer):
            raise bad("optimizers", repr(one), "two optimizers of a matrix: SignSGD(), SignSVD()")
    if batch is None:
        if dimension > 2e9:
            raise bad("batch", "(missing)", "a batch, where dimension is above 2e9")
        batch = int(dimension)

    def axis(name: str, given: Sequence[float]) -> Any:
        values = np.asarray(given, float)
        if values.size != 2:
            return values
        if not values[0] < values[1]:
            raise bad(name, repr(tuple(given)), "two numbers, the first less")
        return _core.axis(values[0], values[1], points, False)

    times = np.asarray(horizons, float)
    if times.size == 2:
        if not 0 < times[0] < times[1]:
            raise bad("horizons", repr(tuple(horizons)), "two numbers of steps > 0, the first less")
        count = max(2, round(per_decade * np.log10(times[1] / times[0])) + 1)
        times = _core.axis(times[0], times[1], count, True)
    x, y = axis("alpha", alpha), axis("beta", beta)
    with shown(progress, "mapping") as hook:
        table, doubts = _core.phases(
            plain(first), plain(second), float(dimension), int(batch), sides, times, schedules, small, x, y,
            "" if journal is None else os.fspath(journal), resume, threads, hook,
        )
    warn(doubts)
    titles = type(first).__name__, type(second).__name__
    title = (f"{titles[0]} against {titles[1]}, {sides}-sided power law, N = {dimension:g}, batch {batch}, "
             f"{times[0]:g} .. {times[-1]:g} steps")
    return PhaseMap({"title": title, "optimizers": (first.name, second.name), "titles": titles, "alpha": x, "beta": y,
                     "horizons": times, "table": table, "warnings": doubts, "dimension": dimension, "batch": batch})


def derived_exponent(optimizer: Optimizer, alpha: float, beta: float, sides: str = "one") -> float | None:
    """e in R*(T) ~ T^(-e) of the best constant step, where it is derived (SignSGD of two sides, SignSVD); else
    None. Source: docs/theory/phases.md#exponents-derived."""
    found: float | None = _core.derived_exponent(plain(optimizer), alpha, beta, sides)
    return found


def phase_border(
    first: Optimizer, second: Optimizer, alpha: tuple[float, float], beta: tuple[float, float], sides: str = "one"
) -> tuple[Any, Any]:
    """Points (alpha, beta) where the derived exponents of the two are equal; empty where one is not derived."""
    x, y = _core.phase_border(plain(first), plain(second), tuple(alpha), tuple(beta), sides)
    return x, y
