"""Digits and outputs of many points at once, in floats with proven error bounds; what they leave open is marked.

A sum of ``n`` products errs by at most ``gamma(n)`` times the sum of magnitudes, in any order, plus underflow
(`polyrelu.kernels.bounds`). Each stage adds what the errors of its inputs can do. Infinities and NaN compare as
False, which means "not certain" everywhere. An error bound of 0 says that the float is the exact value: so it is for
rows that copy one value or read zeros only, which is why windows of equal background are no open question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.rational import nearest_float
from polyrelu.kernels.bounds import SLACK, UNIT_ROUNDOFF, gamma
from polyrelu.network.activation import PiecewiseLinear
from polyrelu.network.batches import Array, Arrays, BatchLayer, BatchNetwork, FunctionTable, batch_network, chunks

if TYPE_CHECKING:
    from polyrelu.exact.domain import Domain
    from polyrelu.network.model import Network

__all__ = ["Evaluation", "certain_digits", "certain_sides", "evaluate", "evaluations"]

SMALLEST = 2.0**-1000
"""Exceeds the underflow of fewer than 2^70 operations."""
LEAST_SHARE = 2.0**-900
"""Exceeds what underflow takes from a share of a value, before a large weight multiplies it.

So much larger that its products with usual weights are no subnormal numbers, on which processors are slow.
"""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What floats prove about a network at some points; arrays have one column for each point.

    Attributes
    ----------
    digits : list of arrays, shape (n_units, n) for each hidden layer
        Of units without a digit 0.
    is_known : list of bool arrays, shape (n_units, n) for each hidden layer
        Which digits are proven to be those of exact arithmetic.
    is_strict : bool array, shape (n,)
        Where all are, and besides no preactivation lies on a breakpoint, so that the pattern is that of a region.
    outputs, errors : float64 arrays, shape (n_out, n)
        Outputs and bounds of their errors, whether all digits are known or not.
    """

    digits: list[Array]
    is_known: list[Array]
    is_strict: Array
    outputs: Array
    errors: Array


def certain_digits(network: Network, points: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the digit of each neuron at each point, shape (n, n_neurons), and for which points all are certain.

    At a certain point every neuron is strictly between its breakpoints, so that the pattern is that of a region.

    Parameters
    ----------
    points : float64 array, shape (n, dim)
        Taken exactly.
    """
    digits = np.zeros((len(points), network.n_neurons), np.int64)
    certain = np.ones(len(points), bool)
    for piece, found in evaluations(batch_network(network), points):
        first = 0
        for layer, own in zip(network.hidden, found.digits, strict=True):
            own = own[layer.activation.n_pieces > 1]
            digits[piece, first : first + len(own)] = own.T
            first += len(own)
        certain[piece] = found.is_strict
    return digits, certain


def certain_sides(domain: Domain, points: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which points are certainly in a domain, and which are certainly outside, shapes (n,)."""
    rows = np.array([[nearest_float(v, 1) for v in row] for row in domain.rows], np.float64).reshape(-1, domain.dim + 1)
    weight, offsets, values = rows[:, :-1], rows[:, -1][:, None], np.ascontiguousarray(points.T)
    with np.errstate(all="ignore"):
        errors = _rounding(abs(weight), abs(offsets), abs(values), np.zeros_like(values), extra=2)
        sides = weight @ values + offsets
        errors = _unless_overflown(np, sides, errors)
        return np.all(sides > errors, axis=0), np.any(sides < -errors, axis=0)


def evaluations(batch: BatchNetwork, points: Floats) -> Iterator[tuple[slice, Evaluation]]:
    """Yield which points come next and their `Evaluation`, so many at a time as suits where the arrays are."""
    for piece in chunks(len(points), batch.arrays.chunk):
        yield piece, evaluate(batch, points[piece])


def evaluate(batch: BatchNetwork, points: Floats) -> Evaluation:
    """Return digits and outputs of points, float64 array of shape (n, dim), with what is proven about them."""
    arrays = batch.arrays
    values = arrays.of(np.ascontiguousarray(points.T))
    errors = arrays.zeros(*values.shape)
    is_strict = errors.sum(0) == 0
    all_digits, is_known = [], []
    with np.errstate(all="ignore"):
        if batch.input_map is not None:
            # Each entry is within one rounding of the rational; the term for sums has room for it.
            matrix, constants = batch.input_map
            errors = _rounding(abs(matrix), abs(constants)[:, None], abs(values), errors, extra=2)
            values = matrix @ values + constants[:, None]
        for layer in batch.layers[:-1]:
            z, z_errors = _affine(layer, values, errors)
            units = _relus if layer.activation.is_relu else _units
            digits, values, errors, known, strict = units(layer, z, z_errors)
            all_digits.append(digits)
            is_known.append(known)
            is_strict = is_strict & strict
        outputs, output_errors = _affine(batch.layers[-1], values, errors)
    return Evaluation(all_digits, is_known, is_strict, outputs, output_errors)


def _affine(layer: BatchLayer, values: Array, errors: Array) -> tuple[Array, Array]:
    """Return preactivations and bounds of their errors."""
    bound = _rounding(layer.magnitude, abs(layer.bias)[:, None], abs(values), errors)
    # What reads zeros only is the bias, and a copy has the error of its original.
    is_open = (values != 0) | (errors != 0)
    if layer.support is None:
        bound[:, ~is_open.any(0)] = 0.0
    else:
        bound[layer.support @ (layer.arrays.zeros(1) + is_open) == 0] = 0.0
    rows, columns = layer.copies
    bound[rows] = errors[columns]
    z = layer.preactivations(values)
    return z, _unless_overflown(layer.arrays.library, z, bound)


def _rounding(magnitude: Array, bias: Array, sizes: Array, errors: Array, extra: int = 0) -> Array:
    """Return bounds of the error of ``weight @ values + bias``; ``extra`` roundings each for weight and bias.

    What is rounded is at most ``magnitude @ (sizes + errors) + bias``, and errors are passed on by ``magnitude``.
    """
    share = gamma(magnitude.shape[1] + 4 + extra)
    bound = magnitude @ (share * (sizes + errors) + errors + LEAST_SHARE) + share * bias
    if extra:  # an entry below the range of floats is rounded to 0
        bound = bound + SMALLEST * sizes.sum(0)
    return bound * SLACK + SMALLEST


def _unless_overflown(library: Any, sums: Array, bounds: Array) -> Array:
    """Return bounds, infinite where a sum left the range of floats on its way: then even its sign may be wrong."""
    return library.where(library.isfinite(sums), bounds, np.inf)


def _relus(layer: BatchLayer, z: Array, errors: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Return what `_units` does, for ReLUs."""
    where = layer.arrays.library.where
    digits, strict = z > 0.0, abs(z) > errors
    # A value of unknown sign may be passed on or not: the error is at most its own either way.
    return digits, where(digits, z, 0.0), where(digits | ~strict, errors, 0.0), strict | (errors == 0), strict.all(0)


def _units(layer: BatchLayer, z: Array, errors: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Return units' digits, outputs, bounds of the outputs' errors, which digits are known, and strict points."""
    arrays = layer.arrays
    digits = arrays.zeros(layer.activation.n_units, z.shape[1])
    outputs, output_errors = arrays.zeros(*digits.shape), arrays.zeros(*digits.shape)
    known = digits == 0
    strict = known.all(0)
    for function, table in zip(layer.activation.functions, layer.functions, strict=True):
        own, own_errors = z[table.places], errors[table.places]
        digit, is_known, is_strict = _digits(function, own, own_errors, arrays.zeros(*own.shape))
        digits[table.units], known[table.units] = digit, is_known
        outputs[table.units], output_errors[table.units] = _pieces(table, digit, is_known, own, own_errors)
        strict = strict & is_strict.all(0)
    for units, places in layer.pools:
        own, own_errors = z[places], errors[places]
        winner = own.argmax(1)[:, None]
        best, best_error = _along(arrays, own, winner), _along(arrays, own_errors, winner)
        is_winner = arrays.library.arange(own.shape[1], device=arrays.device)[None, :, None] == winner
        beats = is_winner | (best - own > (own_errors + best_error) * SLACK)
        is_strict = beats.all(1) & arrays.library.isfinite(best_error[:, 0])
        # Of values known exactly the largest is known, and of equal ones the first.
        is_known = is_strict | (beats | ((own_errors == 0) & (best_error == 0))).all(1)
        digits[units], known[units], outputs[units] = winner[:, 0] + arrays.zeros(1), is_known, best[:, 0]
        largest_error = own_errors.max(1) if arrays.is_numpy else own_errors.amax(1)
        output_errors[units] = arrays.library.where(is_known, best_error[:, 0], largest_error)
        strict = strict & is_strict.all(0)
    return arrays.integers(digits), outputs, output_errors, known, strict


def _pieces(table: FunctionTable, digits: Array, is_known: Array, z: Array, errors: Array) -> tuple[Array, Array]:
    """Return what the pieces named by digits make of preactivations, and bounds of the errors."""
    index = table.arrays.integers(digits)
    slopes, intercepts = table.slopes[index], table.intercepts[index]
    # Where another piece may be the right one, values differ by no more than the steepest of them allows, over the
    # error and the rounding of the breakpoint, which is near z.
    steep = table.arrays.library.where(is_known, abs(slopes), abs(table.slopes).max())
    size = steep * (abs(z) + errors) + abs(intercepts)
    bound = (steep * errors + gamma(16) * size) * SLACK + SMALLEST * (1.0 + abs(z))
    is_exact = is_known & table.is_copy[index]
    bound[is_exact] = (slopes * errors)[is_exact]
    return slopes * z + intercepts, bound


def _digits(function: PiecewiseLinear, z: Array, errors: Array, digits: Array) -> tuple[Array, Array, Array]:
    """Return digits, added to zeros, which of them are known, and which strict."""
    known = strict = digits == 0
    for exact in function.breakpoints:
        point = nearest_float(exact.numerator, exact.denominator)
        needed = errors
        if exact:
            needed = (errors + 2 * UNIT_ROUNDOFF * (abs(point) + abs(z))) * SLACK + SMALLEST
        digits = digits + (z > point)
        is_strict = abs(z - point) > needed
        known = known & (is_strict | ((errors == 0) & (point == exact)))
        strict = strict & is_strict
    return digits, known, strict


def _along(arrays: Arrays, values: Array, winner: Array) -> Array:
    """Return the entries of (n_units, size, n) that (n_units, 1, n) names."""
    if arrays.is_numpy:
        return np.take_along_axis(values, winner, 1)
    return arrays.library.take_along_dim(values, winner, 1)
