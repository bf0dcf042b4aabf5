"""Questions asked of an experiment: rates of its modes, its spectrum, how its best step moves."""

from __future__ import annotations

import math
import os
from typing import Any, Sequence

import numpy as np

from . import _core
from ._commands import experiment_of, warn
from ._data import Array, Covariance, PathLike, covariance
from ._errors import bad
from ._findings import Advice, Coefficients, Spectrum, Transfer
from ._problems import Experiment, Problem, ScheduleLike
from ._progress import Progress, shown
from ._results import Trust
from ._tables import Optimizer


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
    signal : "full": rates of maps that see a signal of any size, the start's scaled to this risk.

    Rows run along one side of a matrix problem, the other at its median; or over the modes of a vector problem.
    Source: docs/theory/matrix.md#preconditioning-exponent.
    """
    steps = None if isinstance(problem, (str, os.PathLike, Experiment)) else 1
    experiment = experiment_of(problem, optimizer, None, steps, {"signal": signal}, searched=True)
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
    found["trust"] = Trust({"title": "trust", **_core.trust_at(experiment.core, float(risk), found.pop("any_signal"))})
    found["warnings"] = [*found["warnings"], *found["trust"].warnings]
    warn(found["warnings"])
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
    signal: str | None = None,
    progress: Progress = None,
) -> Transfer:
    """How the best constant step moves with batch, dimension, horizon, noise and optimizer; docs/transfer.md.

    problem, optimizer, steps : as of predict, the schedule unused.
    tuned : a step size that was tuned in practice for this optimizer: where to start the others.
    quantities : of "batch", "dimension", "horizon", "noise", of a matrix also "aspect_wide", "aspect_tall";
        None: all.
    rtol, signal, progress : as of predict.
    """
    experiment = experiment_of(problem, optimizer, None, steps, {"signal": signal}, searched=True)
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
    warn(found["warnings"])
    return Transfer(found)


def advise(
    problem: Problem | Experiment | PathLike,
    optimizer: Optimizer | None = None,
    schedule: ScheduleLike | None = None,
    steps: float | None = None,
    *,
    rtol: float = 1e-8,
    threads: int = 0,
    signal: str | None = None,
    progress: Progress = None,
) -> Advice:
    """What to do with a problem, in words: the best step and what others cost, the best schedule, how the best step
    moves when one thing doubles, which optimizer leads here and from which horizon on another, what momentum, weight
    decay, averaging and clipping are worth, and what of it not to trust; docs/advise.md.

    problem, optimizer, schedule, steps, signal : as of predict.
    rtol : relative error allowed in the risk. threads : 0: all cores. Changes no number.

    Returns an Advice; print it. Raises InputError; Failure where no best step is found.
    """
    import json

    experiment = experiment_of(problem, optimizer, schedule, steps, {"signal": signal})
    with shown(progress, "advising") as hook:
        text, words, page, trust = _core.advise(experiment.core, experiment.title, rtol, threads, hook)
    found = _with_arrays(json.loads(text))
    found.update(title=experiment.title, text=words, page=page, experiment=experiment)
    found["trust"] = Trust({"title": "trust", **trust})
    warn(found["warnings"])
    return Advice(found)


def _with_arrays(record: dict[str, Any]) -> dict[str, Any]:
    """Lists of numbers as arrays, null as nan."""

    def of(value: Any) -> Any:
        if isinstance(value, dict):
            return _with_arrays(value)
        if isinstance(value, list) and value and not isinstance(value[0], (str, dict)):
            return np.array(value, dtype=float)
        return math.nan if value is None else value

    return {name: of(value) for name, value in record.items()}
