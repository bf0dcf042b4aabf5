"""The commands of riskcurve as functions. Each takes a problem, an optimizer and a schedule; or an Experiment,
or the name of a problem file, in which what else is given replaces its own."""

from __future__ import annotations

import math
import os
import sys
import warnings as python_warnings
from typing import Any, Iterable, Mapping, Sequence

import numpy as np

from . import _core
from ._data import Array, PathLike
from ._errors import TrustWarning, bad
from ._findings import BatchRamp, BudgetOptimum, CriticalBatch, Fit, JointOptimum, Optimum, Shapes, Validation
from ._problems import Experiment, Problem, ScheduleLike, load
from ._progress import Progress, shown
from ._results import Comparison, Curve, Runs, Trust
from ._systems import ModeSystem
from ._tables import Optimizer, from_dict


def experiment_of(
    problem: Problem | Experiment | PathLike,
    optimizer: Optimizer | None,
    schedule: ScheduleLike | None,
    steps: float | None,
    run: Mapping[str, Any],
    searched: bool = False,
) -> Experiment:
    """searched: the schedule is what is looked for, and none is needed."""
    if isinstance(problem, (str, os.PathLike)):
        problem = load(problem)
    if isinstance(problem, Experiment):
        changed = optimizer is not None or schedule is not None or steps is not None
        if changed or any(value is not None for value in run.values()):
            problem = problem.replace(None, optimizer, schedule, steps, **run)
        experiment = problem
    else:
        given = {key: value for key, value in run.items() if value is not None}
        if optimizer is None:
            raise bad("optimizer", "(missing)", "an optimizer: SGD(..), Adam(..), ..")
        experiment = Experiment(problem, optimizer, schedule, steps, **given)
    if experiment.schedule is None and not searched:
        raise bad("schedule", "(missing)", "a schedule, a step size, or a function of the step")
    return experiment


def warn(lines: Iterable[str]) -> None:
    """Of the line that called the package."""
    depth, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        depth, frame = depth + 1, frame.f_back
    for line in lines:
        python_warnings.warn(line, TrustWarning, stacklevel=depth)


def _curve(found: dict[str, Any], experiment: Experiment) -> Curve:
    found["trust"] = Trust({"title": "trust", **found["trust"]})
    return Curve({"title": experiment.title, **found, "experiment": experiment})


def predict(
    problem: Problem | Experiment | PathLike,
    optimizer: Optimizer | None = None,
    schedule: ScheduleLike | None = None,
    steps: float | None = None,
    *,
    at: Iterable[float] | None = None,
    points: int | None = None,
    spacing: str | None = None,
    bands: bool = False,
    modes: bool = False,
    method: str = "exponential",
    rtol: float = 1e-10,
    signal: str | None = None,
    progress: Progress = None,
) -> Curve:
    """The risk curve of the high-dimensional limit.

    problem : a VectorProblem or MatrixProblem; or an Experiment, or the name of a problem file, which need
        nothing else.
    optimizer : SGD(..), Adam(..), Muon(..), ..
    schedule : the raw step size gamma(k): `cosine(..)` and the like, a number, or a function of k.
    steps : length of the run. Recorded are `at` (whole steps, increasing, up to it), or else `points` (50)
        steps beside 0, `spacing` "linear" or "log".
    bands : how far single runs scatter: deviation, low, high of the curve, in units of R.
    modes : keep the second moment s_k of every mode, shape (times, modes).
    method : "exponential", "dopri5", "rosenbrock4", or "recursion": step by step, exact in the step size.
    rtol : relative error allowed in the risk, from 1e-13 to below 1.
    signal : "auto", "small" or "full": how large a signal the theory of maps of singular values allows for.
    progress : see riskcurve.Progress.

    Returns a Curve: steps and risk of shape (times), R = Delta^T K Delta/2 in units of the labels squared. A
    risk that blows up is no error: status is "diverged", and the arrays end there.

    Raises InputError for input that is bad, and warns by TrustWarning of approximations and of numbers out of
    the range where the limit can be trusted. Ctrl-C interrupts.

    The theory: docs/theory/; SGD and clipping arXiv 2406.11733, SignSGD arXiv 2411.12135.

    >>> import riskcurve as rc
    >>> problem = rc.VectorProblem(rc.power_law(2000, alpha=0.25), rc.power_law_target(beta=0.2), rc.gaussian(0.1))
    >>> curve = rc.predict(problem, rc.SignSGD(batch=4), rc.constant(5e-4), steps=4000)
    >>> curve.risk.shape
    (51,)
    """
    run = {"at": at, "points": points, "spacing": spacing, "signal": signal}
    experiment = experiment_of(problem, optimizer, schedule, steps, run)
    with shown(progress, "predicting") as hook:
        found = _core.predict(experiment.core, method, rtol, modes, bands, hook)
    warn(found["warnings"])
    if found["status"] != "ok":
        warn([f"prediction {found['status']}: {found['message']}"])
    return _curve(found, experiment)


def simulate(
    problem: Problem | Experiment | PathLike,
    optimizer: Optimizer | None = None,
    schedule: ScheduleLike | None = None,
    steps: float | None = None,
    *,
    at: Iterable[float] | None = None,
    points: int | None = None,
    spacing: str | None = None,
    runs: int = 16,
    seed: int = 1,
    threads: int = 0,
    sde: bool = False,
    progress: Progress = None,
) -> Runs:
    """The real algorithm, run `runs` times on fresh samples; R is recorded exactly, not from a test set.

    problem, optimizer, schedule, steps, at, points, spacing : as of predict.
    seed : of the random numbers, 0 to 2^53; the numbers depend on it, not on `threads` (0: all cores).
    sde : runs of the stochastic differential equation of the limit in place of the algorithm.

    Returns Runs: risk_of_run of shape (times, runs), its mean and standard error. Raises InputError for what
    cannot be sampled, as dimensions above 1e5.
    """
    run = {"at": at, "points": points, "spacing": spacing}
    experiment = experiment_of(problem, optimizer, schedule, steps, run)
    if not (isinstance(seed, (int, np.integer)) and 0 <= seed <= 2**53):
        raise bad("seed", seed, "a whole number >= 0 and <= 2^53")
    with shown(progress, "simulating") as hook:
        found = _core.simulate(experiment.core, runs, seed, threads, sde, hook)
    return Runs({"title": experiment.title, **found, "experiment": experiment})


def compare(
    problem: Problem | Experiment | PathLike,
    optimizer: Optimizer | None = None,
    schedule: ScheduleLike | None = None,
    steps: float | None = None,
    *,
    at: Iterable[float] | None = None,
    points: int | None = None,
    spacing: str | None = None,
    bands: bool = False,
    method: str = "exponential",
    rtol: float = 1e-10,
    signal: str | None = None,
    runs: int = 16,
    seed: int = 1,
    threads: int = 0,
    sde: bool = False,
    progress: Progress = None,
) -> Comparison:
    """A prediction and runs of the algorithm, and the difference between them, in standard errors and in
    percent. Arguments as of predict and simulate."""
    run = {"at": at, "points": points, "spacing": spacing, "signal": signal}
    experiment = experiment_of(problem, optimizer, schedule, steps, run)
    curve = predict(experiment, bands=bands, method=method, rtol=rtol, progress=progress)
    ensemble = simulate(experiment, runs=runs, seed=seed, threads=threads, sde=sde, progress=progress)
    predicted = _up_to(curve.risk, len(ensemble.steps))
    found: dict[str, Any] = {
        "title": experiment.title,
        "steps": ensemble.steps,
        "predicted": predicted,
        "mean": ensemble.mean,
        "standard_error": ensemble.standard_error,
        **_core.compare_curves(predicted, ensemble.mean, ensemble.standard_error),
    }
    if ensemble.averaged_mean is not None and curve.averaged_risk is not None:
        averaged = _up_to(curve.averaged_risk, len(ensemble.steps))
        found["averaged_predicted"] = averaged
        against = _core.compare_curves(averaged, ensemble.averaged_mean, ensemble.averaged_standard_error)
        found.update({"averaged_" + name: value for name, value in against.items()})
    if curve.low is not None:
        found["inside_percent"], found["coverage_percent"] = _core.cover(curve.low, curve.high, ensemble.risk_of_run)
    found.update(curve=curve, ensemble=ensemble, trust=curve.trust, warnings=curve.warnings)
    return Comparison(found)


def _up_to(values: Array, count: int) -> Array:
    """A prediction that stopped early is nan from there on."""
    whole = np.full(count, np.nan)
    whole[: min(len(values), count)] = values[:count]
    return whole


def optimum(
    problem: Problem | Experiment | PathLike | ModeSystem,
    optimizer: Optimizer | None = None,
    steps: float | None = None,
    *,
    reach: float | None = None,
    samples: float | None = None,
    schedule: str = "constant",
    points: int = 97,
    over: Sequence[str] | None = None,
    averaged: bool = False,
    best_threshold: bool = False,
    rtol: float = 1e-10,
    signal: str | None = None,
    progress: Progress = None,
) -> Optimum | JointOptimum | BudgetOptimum | Shapes:
    """The best constant step size for a horizon of `steps`, or the best schedule of a kind, by exact derivatives.

    problem : as of predict, its schedule unused; or a ModeSystem.
    reach : instead of `steps`, a risk to reach in the fewest of them by a constant step.
    samples : instead of `steps`, samples to be spent: the best batch for them, with its step or what `over`
        names; then a BudgetOptimum comes back.
    schedule : "constant", "power_decay", "polynomial", "cosine" (with warm-up), "greedy" or "optimal", the best
        of all; "all": a table of shapes, each with its best peak; then a Shapes comes back.
    points : times in the tables of "greedy" and "optimal", and of curve.
    over : constants to choose together instead: "step", "momentum", "weight_decay", "decay" (of an
        exponential average), and numbers of the optimizer's own, as "beta1", "eps", "exponent", "threshold"; then
        a JointOptimum comes back.
    averaged : the risk of the average of the iterates in place of the risk.
    best_threshold : of ClippedSGD, train with the best threshold of every moment in place of its own.
    rtol, signal, progress : as of predict.

    Returns an Optimum: step (raw gamma), risk, neighbours (what other steps cost), schedule, trust. Raises
    InputError; Failure where no best step is found. Source: docs/theory/optima.md.
    """
    kinds = ("constant", "power_decay", "polynomial", "cosine", "greedy", "optimal", "all")
    if schedule not in kinds:
        raise bad("schedule", repr(schedule), "one of " + ", ".join(f'"{kind}"' for kind in kinds))
    if reach is not None and schedule != "constant":
        raise bad("reach", reach, "without schedule: it looks for the best constant step")
    if isinstance(problem, ModeSystem):
        if steps is None and reach is None:
            raise bad("steps", "(missing)", "a number > 0")
        if schedule == "all":
            raise bad("schedule", '"all"', "a problem: of a ModeSystem one kind at a time")
        asked = _core.Search(_number(steps), _number(reach), schedule, points, False, averaged, rtol)
        with shown(progress, "optimising") as hook:
            return _optimum(_core.optimum_of_system(problem.core, asked, hook), repr(problem)[1:-1], None, schedule)
    if steps is None and (reach is not None or samples is not None) and not isinstance(problem, (str, os.PathLike, Experiment)):
        steps = 1  # of no account
    experiment = experiment_of(problem, optimizer, None, steps, {"signal": signal}, searched=True)
    horizon = experiment.steps

    def alone(field: str, value: Any, why: str) -> None:
        others = {"reach": reach is not None, "schedule": schedule != "constant", "best_threshold": best_threshold}
        for name, given in others.items():
            if given:
                raise bad(field, value, f"without {name}: {why}")

    if samples is not None:
        alone("samples", samples, "it looks for a batch")
        with shown(progress, "optimising") as hook:
            found = _core.best_batch(experiment.core, samples, list(over or ["step"]), averaged, rtol, hook)
        found.update(title=experiment.title, samples=samples, experiment=Experiment._of(found["experiment"]))
        return BudgetOptimum(found)
    if over is not None:
        alone("over", ",".join(over), "it looks for constants")
        with shown(progress, "optimising") as hook:
            found = _core.best_together(experiment.core, horizon, list(over), averaged, rtol, hook)
        found.update(title=experiment.title, steps=horizon, experiment=Experiment._of(found["experiment"]))
        return JointOptimum(found)
    asked = _core.Search(horizon, _number(reach), schedule, points, best_threshold, averaged, rtol)
    if schedule == "all":
        with shown(progress, "optimising") as hook:
            found = _core.compare_shapes(experiment.core, asked, hook)
        return Shapes({"title": experiment.title, "steps": horizon, **found})
    with shown(progress, "optimising") as hook:
        found = _core.optimum(experiment.core, asked, hook)
    warn(found["warnings"])
    return _optimum(found, experiment.title, experiment, schedule)


def critical_batch(
    problem: Problem | Experiment | PathLike,
    optimizer: Optimizer | None = None,
    reach: float | None = None,
    *,
    steps: float | None = None,
    rtol: float = 1e-10,
    signal: str | None = None,
    progress: Progress = None,
) -> CriticalBatch:
    """The batch from which doubling no longer pays: there it divides the steps to a risk by the root of 2 only.

    problem, optimizer, rtol, signal, progress : as of predict; the optimizer's own batch is of no account
        where `reach` is given.
    reach : the risk to be reached; None: what the own batch reaches in `steps` at its best step.

    Returns a CriticalBatch. Raises InputError unless 0 < reach < R(0). Source: docs/theory/optima.md#a-number-of-samples.
    """
    if steps is None and reach is not None and not isinstance(problem, (str, os.PathLike, Experiment)):
        steps = 1  # of no account
    experiment = experiment_of(problem, optimizer, None, steps, {"signal": signal}, searched=True)
    if reach is None:
        best = optimum(experiment, rtol=rtol, progress=progress)
        assert isinstance(best, Optimum)
        reach = best.risk
    with shown(progress, "optimising") as hook:
        found = _core.critical_batch(experiment.core, reach, rtol, hook)
    return CriticalBatch({"title": experiment.title, **found})


def batch_ramp(
    problem: Problem | Experiment | PathLike,
    optimizer: Optimizer | None = None,
    samples: float | None = None,
    steps: float | None = None,
    *,
    points: int = 97,
    rtol: float = 1e-8,
    signal: str | None = None,
    progress: Progress = None,
) -> BatchRamp:
    """The best batch that changes along a run: so many samples in so many steps of one constant size.

    problem, optimizer, rtol, signal, progress : as of predict; the optimizer's own batch is of no account.
    points : times of the table.

    Returns a BatchRamp. Raises InputError for optimizers whose drift depends on the batch (signs, Adam, maps of
    singular values), and for so many steps that batches would fall below one sample. Source:
    docs/theory/schedules.md#batch-ramps.
    """
    if samples is None:
        raise bad("samples", "(missing)", "a number >= 10")
    experiment = experiment_of(problem, optimizer, None, steps, {"signal": signal}, searched=True)
    with shown(progress, "optimising") as hook:
        found = _core.best_batch_ramp(experiment.core, samples, experiment.steps, points, rtol, hook)
    return BatchRamp({"title": experiment.title, "samples": samples, "steps": experiment.steps, **found})


def fit(path: PathLike, *, threads: int = 0, progress: Progress = None) -> Fit:
    """The power-law least-squares problem whose curves are nearest to those of the file of a fit, how they go on,
    and which constant step is best: docs/fit.md, with what it refuses and where it does not hold.

    path : docs/problem-file.md#the-file-of-fit. threads : 0: all cores. Changes no number.

    Returns a Fit. Raises InputError where the curves do not determine the problem; warns by TrustWarning.
    """
    import json

    with shown(progress, "fitting") as hook:
        text, title, floor, experiment = _core.fit(os.fspath(path), threads, hook)
    found = Fit({**json.loads(text), "title": title, "floor": floor, "experiment": Experiment._of(experiment)})
    warn(found.warnings)
    return found


def _number(x: float | None) -> float:
    return math.nan if x is None else float(x)


def _optimum(found: dict[str, Any], title: str, experiment: Experiment | None, kind: str) -> Optimum:
    found["schedule"] = from_dict("schedule", found["schedule"])
    found["curve"] = Curve({"title": title, "population_risk": None, **found["curve"]})
    if "trust" in found:
        found["trust"] = Trust({"title": "trust", **found["trust"]})
    return Optimum({"title": title, "kind": kind, **found, "experiment": experiment})


def validate(
    suite: str = "quick",
    *,
    only: str = "",
    cases: PathLike | None = None,
    report: PathLike | None = None,
    resume: bool = False,
    seed: int = 20261122,
    threads: int = 0,
    progress: Progress = None,
) -> Validation:
    """Predictions against real runs, over a suite of cases: docs/validation.md.

    suite : "quick", minutes; "full", up to two hours. only : cases whose name or family contains this.
    cases : folder of cases; None: riskcurve's own. report : folder for index.html, results.json and figures.
    """
    import json

    folder = os.fspath(cases) if cases is not None else os.path.join(os.path.dirname(__file__), "validation", "cases")
    where = "" if report is None else os.fspath(report)
    with shown(progress, "validating") as hook:
        passed, results, text = _core.validate(folder, suite, only, where, resume, seed, threads, hook)
    return Validation({**json.loads(results), "title": f"suite {suite}", "passed": passed, "text": text})
