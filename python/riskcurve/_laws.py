"""Laws of the residual, and fits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._data import Noise


class ResidualLaw:
    """The law of the residual l = sqrt(2R) z + epsilon, z ~ N(0, 1), at excess risk R > 0, and what every
    optimizer's response is made of. Each method takes one R, or an array of them, and returns the same shape.
    Relative accuracy about 1e-11. Source: docs/theory/residual.md."""

    def __init__(self, noise: Noise) -> None:
        self.core = _core.ResidualLaw(noise.core)

    @property
    def noise_variance(self) -> float:
        return float(self.core.noise_variance)

    @property
    def gaussian(self) -> bool:
        """True where l ~ N(0, 2P): every response is a closed form."""
        return bool(self.core.gaussian)

    def laplace(self, risk: Any, s: float) -> Any:
        """E exp(-s l^2)"""
        return self.core.laplace(risk, s)

    def phi(self, risk: Any, batch: int) -> Any:
        """phi_b(R), the effective learning rate of SignSGD."""
        return self.core.phi(risk, batch)

    def matrix_phi(self, risk: Any, batch: int) -> Any:
        """The same of the matrix problem."""
        return self.core.matrix_phi(risk, batch)

    def within(self, risk: Any, threshold: float) -> Any:
        """P(|l| <= threshold): the descent reduction of clipping single samples."""
        return self.core.within(risk, threshold)

    def clipped_square(self, risk: Any, threshold: float) -> Any:
        """E min(l^2, threshold^2)"""
        return self.core.clipped_square(risk, threshold)

    def inverse_norm(self, risk: Any, batch: int) -> Any:
        """E 1/|l| over batch >= 2 residuals."""
        return self.core.inverse_norm(risk, batch)

    def batch_clip(self, risk: float, threshold: float, batch: int) -> tuple[float, float]:
        """(mu, nu) of clipping the mean gradient of a batch."""
        mu, nu = self.core.batch_clip(risk, threshold, batch)
        return mu, nu

    def optimal_threshold(self, risk: Any) -> Any:
        """The threshold that makes the most of the greedy step; inf: no clipping helps. docs/theory/clipping.md."""
        return self.core.optimal_threshold(risk)

    def clipping(self, risk: float, threshold: float) -> dict[str, float]:
        """{"threshold", "reduction", "variance", "comparison", "stability"}: what clipping does at this risk."""
        found: dict[str, float] = self.core.clipping(risk, threshold)
        return found


class Exponent(NamedTuple):
    """y ~ prefactor x^value, with what is uncertain about value."""

    value: float
    error: float
    prefactor: float


def fit_exponent(x: npt.ArrayLike, y: npt.ArrayLike) -> Exponent:
    """The least-squares line through (log x, log y), arrays of shape (points); pairs that are not positive and
    finite are left out. InputError where fewer than two different x remain."""
    return Exponent(*_core.fit_exponent(np.asarray(x, float), np.asarray(y, float)))


def power_sum(first: float, last: float, exponent: float) -> float:
    """sum_{j=first}^{last} j^(-exponent), to roundoff, for ranges up to 10^18."""
    return float(_core.power_sum(first, last, exponent))


def chi_mean(b: float) -> float:
    """sqrt(2) Gamma((b+1)/2)/Gamma(b/2), the mean of the chi distribution."""
    return float(_core.chi_mean(b))
