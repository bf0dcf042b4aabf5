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
from ._errors import TrustWarning, bad
from ._problems import (
    Array,
    Covariance,
    Experiment,
    PathLike,
    Problem,
    ScheduleLike,
    covariance,
    load,
)
from ._progress import Progress, shown
from ._results import (
    Coefficients,
    Comparison,
    Curve,
    JointOptimum,
    Optimum,
    Runs,
    Spectrum,
    Transfer,
    Trust,
    Validation,
)
from ._systems import ModeSystem
from ._tables import Optimizer, Schedule, from_dict


def _experiment(
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


def _warn(lines: Iterable[str]) -> None:
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
    experiment = _experiment(problem, optimizer, schedule, steps, run)
    with shown(progress, "predicting") as hook:
        found = _core.predict(experiment.core, method, rtol, modes, bands, hook)
    _warn(found["warnings"])
    if found["status"] != "ok":
        _warn([f"prediction {found['status']}: {found['message']}"])
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
    experiment = _experiment(problem, optimizer, schedule, steps, run)
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
    experiment = _experiment(problem, optimizer, schedule, steps, run)
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
    schedule: str = "constant",
    points: int = 97,
    over: Sequence[str] | None = None,
    averaged: bool = False,
    best_threshold: bool = False,
    rtol: float = 1e-10,
    signal: str | None = None,
    progress: Progress = None,
) -> Optimum | JointOptimum:
    """The best constant step size for a horizon of `steps`, or the best schedule of a kind, by exact derivatives.

    problem : as of predict, its schedule unused; or a ModeSystem.
    reach : instead of `steps`, a risk to reach in the fewest of them by a constant step.
    schedule : "constant", "power_decay", "cosine" (with warm-up), "greedy" or "optimal", the best of all.
    points : times in the tables of "greedy" and "optimal", and of curve.
    over : constants to choose together instead, of "step", "momentum", "weight_decay", "decay" (of an
        exponential average), "beta1", "beta2", "eps"; then a JointOptimum comes back.
    averaged : the risk of the average of the iterates in place of the risk.
    best_threshold : of ClippedSGD, train with the best threshold of every moment in place of its own.
    rtol, signal, progress : as of predict.

    Returns an Optimum: step (raw gamma), risk, neighbours (what other steps cost), schedule, trust. Raises
    InputError; Failure where no best step is found. Source: docs/theory/optima.md.
    """
    if schedule not in ("constant", "power_decay", "cosine", "greedy", "optimal"):
        raise bad("schedule", repr(schedule), 'one of "constant", "power_decay", "cosine", "greedy", "optimal"')
    if reach is not None and schedule != "constant":
        raise bad("reach", reach, "without schedule: it looks for the best constant step")
    if isinstance(problem, ModeSystem):
        if steps is None and reach is None:
            raise bad("steps", "(missing)", "a number > 0")
        asked = _core.Search(_number(steps), _number(reach), schedule, points, False, averaged, rtol)
        with shown(progress, "optimising") as hook:
            return _optimum(_core.optimum_of_system(problem.core, asked, hook), repr(problem)[1:-1], None, schedule)
    if steps is None and reach is not None and not isinstance(problem, (str, os.PathLike, Experiment)):
        steps = 1  # of no account
    experiment = _experiment(problem, optimizer, None, steps, {"signal": signal}, searched=True)
    horizon = experiment.steps
    if over is not None:
        for name, given in (("reach", reach is not None), ("schedule", schedule != "constant"), ("best_threshold", best_threshold)):
            if given:
                raise bad("over", ",".join(over), f"without {name}: it looks for constants")
        with shown(progress, "optimising") as hook:
            found = _core.best_together(experiment.core, horizon, list(over), averaged, rtol, hook)
        found.update(title=experiment.title, steps=horizon, experiment=Experiment._of(found["experiment"]))
        return JointOptimum(found)
    asked = _core.Search(horizon, _number(reach), schedule, points, best_threshold, averaged, rtol)
    with shown(progress, "optimising") as hook:
        found = _core.optimum(experiment.core, asked, hook)
    _warn(found["warnings"])
    return _optimum(found, experiment.title, experiment, schedule)


def _number(x: float | None) -> float:
    return math.nan if x is None else float(x)


def _optimum(found: dict[str, Any], title: str, experiment: Experiment | None, kind: str) -> Optimum:
    found["schedule"] = from_dict("schedule", found["schedule"])
    found["curve"] = Curve({"title": title, "population_risk": None, **found["curve"]})
    if "trust" in found:
        found["trust"] = Trust({"title": "trust", **found["trust"]})
    return Optimum({"title": title, "kind": kind, **found, "experiment": experiment})


def coefficients(
    problem: Problem | Experiment | PathLike,
    optimizer: Optimizer | None = None,
    *,
    risk: float | None = None,
    batches: Sequence[float] | None = None,
    signal: str | None = None,
    progress: Progress = None,
) -> Coefficients:
    """What the optimizer does to each mode at one risk: drift a, noise c, and the preconditioning exponent.

    risk : the excess risk R > 0; None: that of the start.
    batches : of spectral optimizers, increasing, for which exponents are compared; None: N/4, N, 4N, 16N, and
        the own.

    Rows run along one side of a matrix problem, the other at its median; or over the modes of a vector problem.
    Source: docs/theory/matrix.md#preconditioning-exponent.
    """
    steps = None if isinstance(problem, (str, os.PathLike, Experiment)) else 1
    experiment = _experiment(problem, optimizer, None, steps, {"signal": signal}, searched=True)
    if risk is None:
        risk = experiment.problem.initial_risk
        if not risk > 0:
            raise bad("problem.target, initial risk", risk, "> 0; choose another by risk=")
    with shown(progress, "filling") as hook:
        found = _core.mode_rates(experiment.core, float(risk), hook)
        found.update(_rows(experiment, found))
        if found["spectral"] and "side" in found:
            scan = _core.scan_batches(experiment.core, float(risk), batches, hook)
            last = len(scan["eigenvalue"]) - 1
            for name, row in (("largest", 0), ("median", scan.pop("median")), ("smallest", last)):
                scan["exponent_" + name] = scan["exponent"][row]
            found["batches"] = scan
    found["trust"] = Trust({"title": "trust", **_core.trust_at(experiment.core, float(risk))})
    found["warnings"] = [*found["warnings"], *found["trust"].warnings]
    _warn(found["warnings"])
    return Coefficients({"title": experiment.title, **found, "experiment": experiment})


def _rows(experiment: Experiment, found: dict[str, Any]) -> dict[str, Any]:
    modes = found["modes"]
    if "side" not in found:
        h = modes["h"][0]
        index = experiment.core.problem.covariance.nodes[3] if found["on_nodes"] else np.arange(1.0, len(h) + 1)
        return {"index": np.array(index), "h": h, "drift": modes["drift"][0], "diffusion": modes["diffusion"][0],
                "exponent": modes["exponent_in"][0]}
    inner = found["side"] == "in"
    sides = experiment.core.problem.covariance_out.nodes, experiment.core.problem.covariance_in.nodes

    def line(pairs: list[tuple[int, int]], both: bool) -> dict[str, Array]:
        i, j = np.array(pairs, dtype=int).reshape(-1, 2).T
        out, in_ = modes["exponent_out"][i, j], modes["exponent_in"][i, j]
        rows = {"index": sides[1][3][j] if inner else sides[0][3][i]}
        if found["spectral"]:
            rows.update(sigma=sides[0][0][i], lambda_=sides[1][0][j])
        rows.update(h=modes["h"][i, j], drift=modes["drift"][i, j], diffusion=modes["diffusion"][i, j])
        rows["exponent"] = 0.5 * (out + in_) if both else in_ if inner else out
        if found["spectral"]:
            rows.update(alpha=1 - out, beta=1 - in_)
        return rows

    return {**line(found.pop("along"), False), "diagonal": line(found.pop("diagonal"), True)}


def spectrum(of: Covariance | PathLike | Any, *, tolerance: float = 0.05) -> Spectrum:
    """A covariance: its eigenvalues, trace, intrinsic dimension, and the power law that describes most of it.

    of : a Covariance; the name of a problem file, of which only problem.covariance is read; or samples, as of
        `covariance`.
    tolerance : root mean square of log(lambda_j/fit) that the power law may leave.
    """
    if isinstance(of, (str, os.PathLike)):
        core = _core.read_covariance(os.fspath(of))
    else:
        core = (of if isinstance(of, Covariance) else covariance(of)).core
    value, multiplicity, first, last = core.nodes
    return Spectrum(
        {
            "title": f"{core.kind} covariance, d = {core.dimension:.10g}",
            "kind": core.kind,
            "dimension": core.dimension,
            "trace": core.trace,
            "norm": core.norm,
            "mean": core.mean,
            "intrinsic_dimension": core.intrinsic_dimension,
            "power_law": core.power_law_fit(tolerance),
            "first": first,
            "last": last,
            "eigenvalue": value,
            "multiplicity": multiplicity,
            "warnings": [core.remark] if core.remark else [],
        }
    )


def transfer(
    problem: Problem | Experiment | PathLike,
    optimizer: Optimizer | None = None,
    steps: float | None = None,
    *,
    tuned: float | None = None,
    quantities: Sequence[str] | None = None,
    rtol: float = 1e-8,
    progress: Progress = None,
) -> Transfer:
    """How the best constant step moves with batch, dimension, horizon, noise and optimizer; docs/transfer.md.

    problem, optimizer, steps : as of predict, the schedule unused.
    tuned : a step size that was tuned in practice for this optimizer: where to start the others.
    quantities : of "batch", "dimension", "horizon", "noise", of a matrix also "aspect_wide", "aspect_tall";
        None: all.
    """
    experiment = _experiment(problem, optimizer, None, steps, {}, searched=True)
    if tuned is not None and not (tuned > 0 and math.isfinite(tuned)):
        raise bad("tuned", tuned, "a finite step size > 0")
    known = list(_core.transfer_quantities(experiment.core.is_matrix))
    for name in quantities or []:
        if name not in known:
            raise bad("quantities", repr(name), f"of {', '.join(known)}")
    with shown(progress, "optimising") as hook:
        scalings, others = _core.transfer(experiment.core, list(quantities or known), rtol, hook)
    solved = [s for s in scalings if len(s["value"])]
    found: dict[str, Any] = {
        "title": experiment.title,
        "quantity": [s["quantity"] for s in solved for _ in s["value"]],
        "untrusted": [name for s in solved for name in s["untrusted"]],
        "own": {s["quantity"]: {"value": s["value"][s["own"]], "step": s["step"][s["own"]]} for s in solved},
        "experiment": experiment,
    }
    for name in ("value", "step", "risk"):
        found[name] = np.concatenate([s[name] for s in solved]) if solved else np.empty(0)
    found["exponents"] = {
        "quantity": [s["quantity"] for s in scalings],
        "from": np.array([s["value"][0] if len(s["value"]) else math.nan for s in scalings]),
        "to": np.array([s["value"][-1] if len(s["value"]) else math.nan for s in scalings]),
        "step": np.array([s["step_exponent"][0] for s in scalings]),
        "step_error": np.array([s["step_exponent"][1] for s in scalings]),
        "risk": np.array([s["risk_exponent"][0] for s in scalings]),
        "risk_error": np.array([s["risk_exponent"][1] for s in scalings]),
        "skipped": [s["skipped"] for s in scalings],
    }
    found["optimizers"] = {
        "optimizer": [other["optimizer"] for other in others],
        **{name: np.array([other[name] for other in others]) for name in ("threshold", "step", "ratio", "risk")},
        "untrusted": [other["trust"]["untrusted"] if other["trust"] else "" for other in others],
        "skipped": [other["skipped"] for other in others],
    }
    if tuned is not None:
        found["optimizers"]["start"] = tuned * found["optimizers"]["ratio"]
    lines = []
    if others[0]["trust"] is not None:
        found["trust"] = Trust({"title": "trust", **others[0]["trust"]})
        lines += found["trust"].warnings
    points = _core.untrusted_points(found["untrusted"])
    found["warnings"] = lines + ([points] if points else [])
    _warn(found["warnings"])
    return Transfer(found)


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
