"""What the compiled enumerations know of a level from the start: norms, lattices, exact first maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import common_denominator, nearest_float
from polyrelu.kernels import extended as E
from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import DD
from polyrelu.kernels.bounds import FLOOR, SLACK, SMALLEST_GAP, UNIT_ROUNDOFF, gamma, row_norms, spectral_bound
from polyrelu.kernels.maps import MAX_FLIPS
from polyrelu.network.activation import PiecewiseLinear
from polyrelu.network.model import Layer, Network

__all__ = [
    "double_double",
    "extend_first_level",
    "first_level",
    "layer_bounds",
    "piece_table",
    "proportional_rows",
    "set_first_level",
    "set_lattices",
]


def layer_bounds(layer: Layer, norms: NDArray[np.float64], floats: NDArray[np.float64]) -> None:
    """Fill a level's constants (columns of `polyrelu.kernels.tables`)."""
    floats[T.SPECTRAL] = spectral_bound(layer.weight)
    floats[T.FROBENIUS] = _frobenius(norms)
    floats[T.GAMMA] = gamma(layer.n_inputs + 2 * MAX_FLIPS + 8)
    steepest = intercepts = 0.0
    counts = np.bincount(layer.activation.kind + 1, minlength=len(layer.activation.functions) + 1)
    steepest = 1.0 if counts[0] else 0.0
    for function, count in zip(layer.activation.functions, counts[1:], strict=True):
        steepest = max(steepest, *(nearest_float(abs(s.numerator), s.denominator) for s in function.slopes))
        largest = max(nearest_float(abs(t.numerator), t.denominator) for t in function.intercepts)
        intercepts += count * largest * largest
    floats[T.STEEPEST] = steepest if steepest == 1.0 else steepest * SLACK
    floats[T.INTERCEPT] = math.sqrt(intercepts) * SLACK


def _frobenius(norms: NDArray[np.float64]) -> float:
    """Return a bound of the Frobenius norm of a matrix from bounds of the norms of its rows."""
    is_huge = not norms.max(initial=0) < 2.0**500
    return math.inf if is_huge else math.sqrt(float(np.square(norms).sum())) * SLACK


def first_level(network: Network) -> RationalMatrix:
    """Return the exact forms of the first level's preactivations."""
    return network.exact.layers[0].preactivations(network.exact.input_rows())


def set_first_level(
    first: RationalMatrix,
    row: NDArray[np.int64],
    maps: NDArray[np.float64],
    floats: NDArray[np.float64],
    bounds: NDArray[np.float64],
) -> None:
    """Set the first level's maps: the nearest floats of the exact forms, with errors relative to their size."""
    block = slice(row[T.PRE], row[T.PRE] + first.shape[0])
    high, _ = _double_doubles(first)
    maps[: first.shape[1], block] = high
    is_zero = np.array([not any(entries) for entries in first.numerators.tolist()], dtype=bool)
    maps[-1, block] = np.where(is_zero, 0.0, np.maximum(row_norms(high.T, np.zeros(len(is_zero))), FLOOR))
    frobenius = _frobenius(maps[-1, block])
    has_cut_rows = row[T.ROW] != row[T.PRE]
    for c, column in enumerate(_columns(first)):
        in_floats = _is_sum(column, high[c])
        bounds[T.SIZE, c] = 1.0 if any(column) else 0.0
        bounds[T.RHO, c] = (0.0 if in_floats else 2 * UNIT_ROUNDOFF) + has_cut_rows * 8 * UNIT_ROUNDOFF
        bounds[T.ERROR, c] = 0.0 if in_floats else 2 * UNIT_ROUNDOFF * frobenius


def extend_first_level(
    first: RationalMatrix, row: NDArray[np.int64], maps: NDArray[np.float64], extended: E.Extended
) -> None:
    """Set the first level's maps in double-doubles, once `set_first_level` has set their norms."""
    block = slice(row[T.PRE], row[T.PRE] + first.shape[0])
    high, low = _double_doubles(first)
    extended.high[:, block], extended.low[:, block] = high, low
    frobenius = _frobenius(maps[-1, block])
    has_cut_rows = row[T.ROW] != row[T.PRE]
    for c, column in enumerate(_columns(first)):
        in_doubles = _is_sum(column, high[c], low[c])
        extended.bounds[0, E.RHO + c] = (0.0 if in_doubles else DD) + has_cut_rows * 8 * DD
        extended.bounds[0, E.ERROR + c] = 0.0 if in_doubles else DD * frobenius


def _double_doubles(first: RationalMatrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a matrix, transposed, as double-doubles: high and low parts."""
    parts = [[double_double(int(v), first.denominator) for v in row] for row in first.numerators.tolist()]
    high, low = np.array(parts, dtype=np.float64).reshape(*first.shape, 2).transpose(2, 1, 0)
    return high, low


def _columns(matrix: RationalMatrix) -> list[list[Fraction]]:
    rows = matrix.numerators.tolist()
    return [[Fraction(int(row[c]), matrix.denominator) for row in rows] for c in range(matrix.shape[1])]


def _is_sum(exact: Sequence[Fraction], *parts: NDArray[np.float64]) -> bool:
    """Return whether floats, added up exactly, are the given rationals."""
    if not all(np.isfinite(part).all() for part in parts):
        return False
    sums = [sum(map(Fraction, values), Fraction(0)) for values in zip(*(p.tolist() for p in parts), strict=True)]
    return sums == list(exact)


def set_lattices(network: Network, floats: NDArray[np.float64]) -> None:
    """Set what every exact coefficient of a level is a multiple of, as a lower bound, and exactly where it can be."""
    denominator = network.exact.input_rows().denominator
    for index, layer in enumerate(network.exact.layers[:-1]):
        denominator *= layer.scale
        functions = layer.activation.functions
        rows = denominator * common_denominator(t for f in functions for t in f.breakpoints)
        lattice = nearest_float(1, rows) / SLACK
        floats[index, T.LATTICE] = lattice if lattice > SMALLEST_GAP else 0.0
        is_power_of_two = rows & (rows - 1) == 0
        floats[index, T.GRAIN] = nearest_float(1, rows) if is_power_of_two and lattice > SMALLEST_GAP else 0.0
        denominator *= common_denominator(v for f in functions for v in (*f.slopes, *f.intercepts))


def piece_table(functions: Sequence[PiecewiseLinear]) -> tuple[NDArray[np.float64], dict[PiecewiseLinear, int]]:
    """Return slopes, intercepts and breakpoints of all functions as double-doubles, and where each one starts."""
    start: dict[PiecewiseLinear, int] = {}
    columns: list[list[float]] = []
    for function in functions:
        start[function] = len(columns)
        for i in range(function.n_pieces):
            column: list[float] = []
            point = function.breakpoints[i] if i < len(function.breakpoints) else Fraction(0)
            for value in (function.slopes[i], function.intercepts[i], point):
                column += double_double(value.numerator, value.denominator)
            columns.append(column)
    return np.array(columns or [[0.0] * T.N_PIECE_FLOATS]).T.copy(), start


def double_double(numerator: int, denominator: int) -> tuple[float, float]:
    high = nearest_float(numerator, denominator)
    if not math.isfinite(high):
        return high, 0.0
    exact = Fraction(high)
    remainder = numerator * exact.denominator - exact.numerator * denominator
    return high, nearest_float(remainder, denominator * exact.denominator)


def proportional_rows(layer: Layer) -> NDArray[np.int64]:
    """Return for each row of (weight, bias) the first row that is a multiple of it; such rows give one line.

    Candidates share the quotients of their entries in floats; they are compared exactly, in cross products.
    """
    n = len(layer.bias)
    first = np.arange(n)
    if layer.is_sparse:
        return first
    full = np.concatenate([layer.weight, layer.bias[:, None]], axis=1)
    lead = np.argmax(full != 0, axis=1)
    leads = full[np.arange(n), lead]
    with np.errstate(all="ignore"):
        scaled = (full / leads[:, None]).astype(np.float32)
    groups: dict[bytes, list[int]] = {}
    for j in range(n):
        groups.setdefault(scaled[j].tobytes(), []).append(j)
    for members in groups.values():
        for position, j in enumerate(members):
            for earlier in members[:position]:
                if first[earlier] == earlier and _is_proportional(full[earlier], full[j], lead[j]):
                    first[j] = earlier
                    break
    return first


def _is_proportional(row: NDArray[np.float64], other: NDArray[np.float64], lead: int) -> bool:
    a, b = Fraction(row[lead]), Fraction(other[lead])
    if not a or not b:
        return False
    return all(Fraction(x) * b == Fraction(y) * a for x, y in zip(row.tolist(), other.tolist(), strict=True))
