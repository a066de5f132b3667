"""What the coefficients of linear terms say: of test points beside training points, and of networks trained anew.

Trimmel et al. 2021, Section 4 and Appendix E: ``a_x = a_x^+ - a_x^-`` is the affine function that the largest output is
around a point x, in the network and in its extracted function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.local_maps import local_maps
from polyrelu.analysis.data.patterns import patterns_at
from polyrelu.analysis.data.points import checked_points
from polyrelu.analysis.tropex.extracted import ExtractedFunction
from polyrelu.errors import InputError
from polyrelu.network.batches import chunks
from polyrelu.network.model import Network

__all__ = [
    "CoefficientComparison",
    "ColumnCorrelation",
    "angles_between",
    "column_correlation",
    "compare_coefficients",
    "largest_terms_at",
    "pattern_agreement",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCK = 1 << 24
"""Values of terms at a time."""


@dataclass(frozen=True, eq=False)
class CoefficientComparison:
    """The slopes of the largest output at points, in a network and in a function extracted from it.

    Attributes
    ----------
    labels, extracted_labels : int64 arrays, shape (n,)
        What the network and what the extracted function says; outputs, so 0 where there is only one.
    plus_terms, minus_terms : int64 arrays, shape (n,)
        Which data points' terms are the largest ones of the extracted label.
    angles : float64 array, shape (n,)
        Between both vectors of slopes, in degrees; nan where one of them is 0, or rounding leaves open whether it is.
    distances : float64 array, shape (n,)
        Euclidean, between both vectors.
    """

    labels: Integers
    extracted_labels: Integers
    plus_terms: Integers
    minus_terms: Integers
    angles: Floats
    distances: Floats


@dataclass(frozen=True, eq=False)
class ColumnCorrelation:
    """Pearson's correlation between the columns of two arrays.

    Attributes
    ----------
    columns : float64 array, shape (dim,)
        nan where a column of either array is constant, which leaves the correlation undefined.
    """

    columns: Floats

    @property
    def mean(self) -> float:
        """The mean over the columns that have a correlation; nan if none has."""
        used = self.columns[~np.isnan(self.columns)]
        return float(used.mean()) if len(used) else float("nan")

    @property
    def n_constant(self) -> int:
        """How many columns are left out."""
        return int(np.isnan(self.columns).sum())


def compare_coefficients(
    network: Network, function: ExtractedFunction, points: ArrayLike, device: str | None = None
) -> CoefficientComparison:
    """Return angles and distances between the slopes of a network and of its extracted function (Figure 2).

    Parameters
    ----------
    network : Network
    function : ExtractedFunction
        From this network.
    points : array, shape (n, ...) with dim numbers each
    device : str, optional
        Where the network's maps are computed.

    Raises
    ------
    InputError, MissingExtraError
        As `local_maps`; if the function is of other inputs or outputs.

    Notes
    -----
    In floats: where two terms are equal to the last digits, either may count as the larger one.

    Examples
    --------
    >>> from polyrelu.analysis.tropex.extract import extract_terms
    >>> network = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])
    >>> found = compare_coefficients(network, extract_terms(network, [[2.0, 1], [-1, 2]]), [[5.0, 1], [1, 4]])
    >>> found.angles.tolist(), found.distances.tolist(), found.plus_terms.tolist()
    ([0.0, 0.0], [0.0, 0.0], [0, 1])
    """
    if (function.dim, function.n_out) != (network.dim, network.n_out):
        raise InputError(
            f"compare_coefficients needs a function of {network.dim} inputs and {network.n_out} outputs but received "
            f"one of {function.dim} and {function.n_out}. Extract it from the network."
        )
    x = checked_points(network, points, "compare_coefficients")
    maps = local_maps(network, x, device=device)
    plus, minus = largest_terms_at(function, x)
    extracted = function.plus_slopes[plus] - function.minus_slopes[minus]
    rounding = 4 * function.rounding * function.slope_bounds
    is_defined = (np.abs(maps.weights) > rounding).any(axis=1) & (np.abs(extracted) > rounding).any(axis=1)
    return CoefficientComparison(
        maps.outputs,
        function.labels[plus],
        plus,
        minus,
        np.where(is_defined, angles_between(maps.weights, extracted), np.nan),
        np.linalg.norm(maps.weights - extracted, axis=1),
    )


def pattern_agreement(
    network: Network, data: ArrayLike, function: ExtractedFunction, points: ArrayLike, device: str | None = None
) -> Floats:
    """Return in how many neurons points agree with the data point whose term they get (Appendix E.5).

    Parameters
    ----------
    network, data
        What the function was extracted from, and the points, shape (n_data, ...), at which.
    function : ExtractedFunction
    points : array, shape (n, ...)
    device : str, optional

    Returns
    -------
    float64 array, shape (n_layers,)
        For each layer that has neurons the fraction of equal digits, over all its neurons and all points.

    Raises
    ------
    InputError, MissingExtraError
        As `patterns_at`; if there are no points, or others than one for each term.

    Examples
    --------
    >>> from polyrelu.analysis.tropex.extract import extract_terms
    >>> network = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])
    >>> data = [[2.0, 1], [-1, 2]]
    >>> pattern_agreement(network, data, extract_terms(network, data), [[5.0, 1], [1, 4]]).tolist()
    [0.75]
    """
    x, known = (checked_points(network, each, "pattern_agreement") for each in (points, data))
    if len(known) != len(function):
        raise InputError(
            f"pattern_agreement needs the {len(function)} points that the function was extracted at but received "
            f"{len(known)}. Pass those."
        )
    if not len(x):
        raise InputError("pattern_agreement needs at least one point but received none. Pass some.")
    terms, _ = largest_terms_at(function, x)
    here, there = patterns_at(network, x, device), patterns_at(network, known[terms], device)
    return np.array([float((here.digits(k) == there.digits(k)).mean()) for k in range(here.n_layers)])


def column_correlation(first: ArrayLike, second: ArrayLike) -> ColumnCorrelation:
    """Return Pearson's correlation of each column of one array with the same column of another (Figure 5).

    Parameters
    ----------
    first, second : float arrays, shape (n, dim)
        For instance the slopes of two networks at the same points (`local_maps`).

    Raises
    ------
    InputError
        If shapes differ, there are no rows, or a number is not finite.

    Notes
    -----
    Columns are shifted by their first number and scaled by powers of two, which is exact but for what lies far below
    the largest one: neither large nor nearly constant columns lose digits.

    Examples
    --------
    >>> found = column_correlation([[1, 1, 5], [2, 0, 5], [3, 1, 5]], [[2, 0, 1], [4, 1, 2], [6, 0, 3]])
    >>> found.columns.round(3).tolist(), round(abs(found.mean), 3), found.n_constant
    ([1.0, -1.0, nan], 0.0, 1)
    """
    a, b = (np.asarray(each, np.float64) for each in (first, second))
    if a.ndim != 2 or a.shape != b.shape or not len(a):
        raise InputError(
            f"column_correlation needs two arrays of one shape (n, dim) but received {a.shape} and {b.shape}. "
            "Give both a row for each point."
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("column_correlation needs finite numbers but received others. Repair or drop their rows.")
    a, b = _shifted(a), _shifted(b)
    is_constant = ~(a.any(axis=0) & b.any(axis=0))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    with np.errstate(invalid="ignore"):
        columns = (a * b).sum(axis=0) / (np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0))
    return ColumnCorrelation(np.where(is_constant, np.nan, np.clip(columns, -1.0, 1.0)))


def largest_terms_at(function: ExtractedFunction, points: Floats) -> tuple[Integers, Integers]:
    """Return which terms make the largest output at points, of its first and of its second maximum, shape (n,) each."""
    plus, minus = np.zeros(len(points), np.int64), np.zeros(len(points), np.int64)
    for piece in chunks(len(points), max(1, BLOCK // len(function))):
        for result, slopes, constants in (
            (plus, function.plus_slopes, function.plus_constants),
            (minus, function.minus_slopes, function.minus_constants),
        ):
            result[piece] = (points[piece] @ slopes.T + constants).argmax(axis=1)
    return plus, minus


def angles_between(first: NDArray[np.floating], second: NDArray[np.floating]) -> Floats:
    """Return the angle between each two rows, in degrees, shape (n,); nan where one of them is 0.

    Notes
    -----
    By Kahan's formula, which loses no digits for small angles; nor do large or small vectors, which are scaled.
    """
    a, b = (_scaled(np.asarray(each, np.float64), axis=1) for each in (first, second))
    with np.errstate(invalid="ignore"):
        a, b = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (a, b))
    return np.degrees(2.0 * np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1)))


def _shifted(columns: Floats) -> Floats:
    """Return columns shifted to begin with 0 and scaled to numbers up to 1; constant ones are 0 then."""
    scaled = _scaled(columns, axis=0)
    return _scaled(scaled - scaled[0], axis=0)


def _scaled(values: Floats, axis: int) -> Floats:
    """Return rows or columns times powers of two, so that the largest number of each is from 1/2 to 1 in size."""
    return np.ldexp(values, -np.frexp(np.abs(values).max(axis=axis, keepdims=True, initial=0.0))[1])
