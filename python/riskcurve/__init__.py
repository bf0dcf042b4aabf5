"""Risk curves of optimizers in high dimensions: SGD, SignSGD, SignSVD, Adam, Muon and their kin on streaming
least squares, predicted without training anything.

>>> import riskcurve as rc
>>> problem = rc.VectorProblem(
...     covariance=rc.power_law(500, alpha=0.25), target=rc.power_law_target(beta=0.2),
...     noise=rc.student_t(nu=1, scale=0.2))
>>> curve = rc.predict(problem, rc.SignSGD(batch=4), rc.constant(1e-3), steps=2000)
>>> best = rc.optimum(problem, rc.SignSGD(batch=4), steps=2000)
>>> runs = rc.simulate(problem, rc.SignSGD(batch=4), rc.constant(1e-3), steps=2000, runs=2)

Problems: VectorProblem, MatrixProblem, of a covariance (isotropic, power_law, .., covariance(X)), a target
(power_law_target, ..) and a noise law (gaussian, student_t, .., custom_noise). Optimizers: a class each, SGD,
SignSGD, Adam, Muon, .. Schedules: constant, cosine, wsd, .. Commands: predict, simulate, compare, coefficients,
optimum, advise, critical_batch, batch_ramp, fit, sweep, phases, transfer,
spectrum, validate. Errors: InputError, Failure; doubts: TrustWarning.
"""

from . import _kinds
from ._commands import batch_ramp, compare, critical_batch, fit, optimum, predict, simulate, validate
from ._core import version as __version__
from ._data import Covariance, Noise, covariance, custom_noise
from ._errors import Failure, InputError, TrustWarning
from ._findings import (
    Advice,
    BatchRamp,
    BudgetOptimum,
    Coefficients,
    CriticalBatch,
    Fit,
    JointOptimum,
    Optimum,
    PhaseMap,
    Shapes,
    Spectrum,
    SweepTable,
    Transfer,
    Validation,
)
from ._grids import derived_exponent, phase_border, phases, sweep
from ._kinds import *  # noqa: F403
from ._laws import Exponent, ResidualLaw, chi_mean, fit_exponent, power_sum
from ._problems import Experiment, MatrixProblem, VectorProblem, load, parse
from ._progress import Progress
from ._questions import advise, coefficients, spectrum, transfer
from ._results import Comparison, Curve, Result, Runs, Trust
from ._systems import ModeSystem, Sensitivity, mode_system, sensitivity, solve
from ._tables import Average, Optimizer, Schedule, Target, Wrapper
from ._torch import from_torch

__all__ = [
    "Advice", "Average", "BatchRamp", "BudgetOptimum", "Coefficients", "Comparison", "Covariance", "CriticalBatch", "Curve", "Experiment",
    "Exponent", "Failure", "Fit",
    "InputError", "JointOptimum", "MatrixProblem", "ModeSystem", "Noise", "Optimizer", "Optimum", "PhaseMap",
    "Progress", "ResidualLaw", "Result", "Runs", "Schedule", "Sensitivity", "Shapes", "Spectrum", "SweepTable", "Target",
    "Transfer", "Trust", "TrustWarning", "Validation", "VectorProblem", "Wrapper", "__version__", "advise",
    "batch_ramp", "chi_mean",
    "coefficients", "compare", "covariance", "critical_batch", "custom_noise", "derived_exponent", "fit", "fit_exponent", "from_torch", "load",
    "mode_system", "optimum", "parse", "phase_border", "phases", "power_sum", "predict", "sensitivity", "simulate",
    "solve", "spectrum", "sweep", "transfer", "validate",
]
__all__ += _kinds.__all__
