"""Covariances and noise laws: the library's own values, as Python sees them."""

from __future__ import annotations

import os
import reprlib
from typing import Any, Mapping, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._errors import bad
from ._tables import Schedule, Table, Target, classes, plain

Array = npt.NDArray[np.float64]
PathLike = Union[str, "os.PathLike[str]"]


class Covariance(Table):
    """The covariance K of the samples x, made by `isotropic`, `power_law` and so on, or `covariance(X)`.

    dimension, trace (tr K), norm (its largest eigenvalue), mean (tr K/d) and intrinsic_dimension
    (tr K/norm) are numbers; `nodes` hold the spectrum: arrays value, multiplicity, first, last, each
    of shape (nodes), a node standing for the eigenvalues of index first..last, in decreasing order.
    """

    registry = "covariance"
    core: Any

    def _check(self) -> None:
        self.__dict__["core"] = _core.covariance(plain(self.to_dict()))

    @classmethod
    def _of(cls, core: Any) -> Covariance:
        """That of a covariance which the library has made already."""
        self = cls.__new__(cls)
        table = core.table() if core.rows is None or core.rows.size < 1e4 else {"kind": "data"}
        self.__dict__.update(kind=table.pop("kind"), core=core, _values=table)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        rows = self.core.rows
        if rows is not None and self._values.get("path") is None:
            return _covariance_again, (np.array(rows), self.core.sample_rows, self.core.centered)
        return super().__reduce__()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Covariance) and bool(self.core == other.core)

    __hash__ = Table.__hash__

    @property
    def dimension(self) -> float:
        return float(self.core.dimension)

    @property
    def orientation(self) -> str:
        return str(self.core.orientation)

    @property
    def trace(self) -> float:
        return float(self.core.trace)

    @property
    def norm(self) -> float:
        return float(self.core.norm)

    @property
    def mean(self) -> float:
        return float(self.core.mean)

    @property
    def intrinsic_dimension(self) -> float:
        return float(self.core.intrinsic_dimension)

    @property
    def nodes(self) -> tuple[Array, Array, Array, Array]:
        value, multiplicity, first, last = self.core.nodes
        return value, multiplicity, first, last

    @property
    def matrix(self) -> Array | None:
        """K, shape (d, d), where its coordinates matter and it is held; else None."""
        held: Array | None = self.core.matrix
        return held

    @property
    def remark(self) -> str:
        """What was approximated on the way; empty if nothing."""
        return str(self.core.remark)

    def eigenvalues(self) -> Array:
        """All eigenvalues, decreasing, shape (d). InputError above d = 10^7, or where nodes stand for
        real numbers of them."""
        values: Array = self.core.expand()
        return values

    def with_dimension(self, dimension: float) -> Covariance | None:
        """The same kind in another dimension; None where its kind has none to choose."""
        core = self.core.with_dimension(dimension)
        return None if core is None else Covariance._of(core)


class Noise(Table):
    """The law of the label noise epsilon, made by `gaussian`, `student_t` and so on, or `custom_noise`.

    variance is E epsilon^2 (inf where there is none), size its one parameter of that meaning (None where
    it has none).
    """

    registry = "noise"
    core: Any

    def __init__(self, kind: str, values: Mapping[str, Any]) -> None:
        values = dict(values)
        if values.get("components") is not None:
            values["components"] = [_component(item) for item in values["components"]]
        super().__init__(kind, values)

    def _check(self) -> None:
        self.__dict__["core"] = _core.noise(plain(self.to_dict()))

    @classmethod
    def _of(cls, core: Any) -> Noise:
        table = core.table()
        self = cls.__new__(cls)
        self.__dict__.update(kind=table.pop("kind"), core=core, _values=table)
        return self

    @property
    def variance(self) -> float:
        return float(self.core.variance)

    @property
    def size(self) -> float | None:
        found: float | None = self.core.size
        return found

    def with_size(self, size: float) -> Noise:
        """The same law at another size; InputError where it has none."""
        return Noise._of(self.core.with_size(size))


def _component(item: Any) -> dict[str, Any]:
    """Of a mixture: a pair (weight, law), or the table of a problem file."""
    if isinstance(item, Mapping):
        return dict(item)
    pair = isinstance(item, Sequence) and len(item) == 2
    if not pair or not isinstance(item[1], Noise) or isinstance(item[1], CustomNoise):
        raise bad("noise.components", reprlib.repr(item), "pairs (weight, law), no law of your own")
    return {"weight": item[0], **item[1].to_dict()}


class CustomNoise(Noise):
    """A law of your own; see custom_noise."""

    law: Any

    def __init__(self, law: Any, variance: float, scale: float, breaks: Sequence[float]) -> None:
        self.__dict__.update(law=law, kind="custom", _values={})
        pdf, sf, ppf = law.pdf, law.sf, law.ppf
        self.__dict__["_given"] = (law, variance, scale, tuple(breaks))
        self.__dict__["core"] = _core.custom_noise(
            lambda x: 2 * float(pdf(x)),
            lambda x: 2 * float(sf(x)),
            lambda p: float(ppf((1 + p) / 2)),
            variance,
            scale,
            list(breaks),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CustomNoise) and self._given == other._given

    __hash__ = Table.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return CustomNoise, self._given

    def __repr__(self) -> str:
        return f"custom_noise({self.law!r})"


def custom_noise(
    law: Any, *, variance: float | None = None, scale: float | None = None, breaks: Sequence[float] = ()
) -> Noise:
    """A noise law of your own, symmetric about 0.

    law : an object with the methods pdf(x) (the density), sf(x) (P(epsilon > x)) and ppf(p) (the quantile
        function), as a frozen distribution of scipy.stats has them. Each is asked for one x > 0 at a time.
    variance : E epsilon^2, inf where there is none; None: law.var().
    scale : a typical |epsilon|, where quadrature begins; None: the median of |epsilon|.
    breaks : where on x > 0 the density is not smooth.

    Slower than a law of the library: every number goes through Python, one at a time, under its lock; runs of
    the algorithm draw each label so. No problem file can state it: to_toml raises InputError.

    >>> import riskcurve as rc
    >>> class Triangle:  # on [-1, 1]
    ...     def pdf(self, x): return max(0.0, 1 - abs(x))
    ...     def sf(self, x): return 0.5 * max(0.0, 1 - x) ** 2 if x > 0 else 1 - self.sf(-x)
    ...     def ppf(self, p): return 1 - (2 * (1 - p)) ** 0.5 if p > 0.5 else -self.ppf(1 - p)
    >>> rc.custom_noise(Triangle(), variance=1 / 6, breaks=[1]).variance
    0.16666666666666666
    """
    for name in ("pdf", "sf", "ppf"):
        if not callable(getattr(law, name, None)):
            raise bad("noise." + name, "(missing)", "a law with the methods pdf, sf and ppf")
    if variance is None:
        if not callable(getattr(law, "var", None)):
            raise bad("noise.variance", "(missing)", "a number >= 0, or inf")
        variance = float(law.var())
    if scale is None:
        scale = float(law.ppf(0.75))
    return CustomNoise(law, float(variance), float(scale), [float(x) for x in breaks])


classes["covariance"] = Covariance
classes["noise"] = Noise
classes["schedule"] = Schedule
classes["target"] = Target


def covariance(
    X: Any, *, center: bool = True, scale: float = 1, sample: str = "rows", dense_limit: int = 4096
) -> Covariance:
    """K = X^T X/n of n samples, less their mean where `center`, times scale^2.

    X : array of shape (n, d), of numbers of any type: NumPy's, torch's, memory-mapped.
    center : of a fit_target, the labels go less their mean too.
    sample : "rows": runs of the algorithm draw rows of X, which are held as doubles in memory, once;
        "gaussian": they draw Gaussian samples of covariance K. Then X is only read, a block of rows at a
        time, where d <= dense_limit: it may be larger than the memory.
    dense_limit : where min(n, d) is at most this the spectrum is exact; else its leading part is by Krylov
        iteration and the bulk by Lanczos quadrature, and `remark` says so.

    Raises InputError unless X has two axes, is finite and varies.
    """
    detach = getattr(X, "detach", None)
    array = np.asanyarray(detach().cpu().numpy() if detach else X)
    if array.ndim != 2 or array.dtype.kind not in "fiub" or 0 in array.shape:
        raise bad("covariance.X", f"{array.dtype} of shape {array.shape}", "numbers of shape (n, d)")
    if sample not in ("rows", "gaussian"):
        raise bad("covariance.sample", f'"{sample}"', 'one of "rows", "gaussian"')
    if not (np.isfinite(scale) and scale > 0):
        raise bad("covariance.scale", scale, "a number > 0")
    n, d = array.shape
    blocks = [slice(i, i + max(1, 4_000_000 // d)) for i in range(0, n, max(1, 4_000_000 // d))]
    if sample == "gaussian" and d <= dense_limit:
        return _from_second_moments(array, blocks, center, scale)
    rows = _core.Rows(n, d)
    for block in blocks:
        rows.array[block] = array[block]
    return Covariance._of(_core.covariance_of_rows(rows, center, scale, sample == "rows", dense_limit, False))


def _covariance_again(array: Array, sample_rows: bool, centered: bool) -> Covariance:
    rows = _core.Rows(*array.shape)
    rows.array[:] = array
    return Covariance._of(_core.covariance_of_rows(rows, False, 1.0, sample_rows, 4096, centered))


def _from_second_moments(array: Any, blocks: list[slice], center: bool, scale: float) -> Covariance:
    n, d = array.shape
    mean = np.zeros(d)
    if center:
        mean = sum(np.asarray(array[block], float).sum(axis=0) for block in blocks) / n
    K = np.zeros((d, d))
    for block in blocks:
        x = np.asarray(array[block], float) - mean
        K += x.T @ x
    K *= scale**2 / n
    if not np.isfinite(K).all():
        raise bad("covariance.X", "nan or inf", "finite numbers")
    return Covariance("matrix", {"entries": (K + K.T) / 2})
