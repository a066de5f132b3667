"""Digits of many points at once, in floats with proven error bounds; what they leave open is marked.

A sum of ``n`` products errs by at most ``gamma(n)`` times the sum of magnitudes, in any order, plus underflow
(`polyrelu.kernels.bounds`). Each stage adds what the errors of its inputs can do. Infinities and NaN compare as
False, which means "not certain" everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.rational import nearest_float
from polyrelu.kernels.bounds import SLACK, UNIT_ROUNDOFF, gamma
from polyrelu.network.activation import MAX_UNIT, Activation, PiecewiseLinear

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from polyrelu.exact.domain import Domain
    from polyrelu.network.model import Network

__all__ = ["certain_digits", "certain_sides"]

SMALLEST = 2.0**-1000
"""Exceeds the underflow of fewer than 2^70 operations."""

Floats = NDArray[np.float64]


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
    values, errors = np.ascontiguousarray(points.T), np.zeros(points.shape[::-1])
    first = 0
    with np.errstate(all="ignore"):
        if network.input_map is not None:
            matrix = network.input_map.to_floats()
            # Each entry is within one rounding of the rational; the term for sums has room for it.
            values, errors = _affine(values, errors, matrix[:, :-1], matrix[:, -1], extra=2)
        for layer in network.hidden:
            z, z_errors = _affine(values, errors, layer.weight, layer.bias)
            evaluate = _relus if layer.activation.is_relu else _units
            layer_digits, is_certain, values, errors = evaluate(layer.activation, z, z_errors)
            own = layer_digits[layer.activation.n_pieces > 1]
            digits[:, first : first + len(own)] = own.T
            first += len(own)
            certain &= is_certain
    return digits, certain


def certain_sides(domain: Domain, points: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which points are certainly in a domain, and which are certainly outside, shapes (n,)."""
    rows = np.array([[nearest_float(v, 1) for v in row] for row in domain.rows], np.float64).reshape(-1, domain.dim + 1)
    with np.errstate(all="ignore"):
        values, errors = _affine(points.T, np.zeros(points.shape[::-1]), rows[:, :-1], rows[:, -1], extra=2)
        return np.all(values > errors, axis=0), np.any(values < -errors, axis=0)


def _affine(
    values: Floats, errors: Floats, weight: Floats | csr_array, bias: Floats, extra: int = 0
) -> tuple[Floats, Floats]:
    """Return ``weight @ values + bias`` and a bound of its error; ``extra`` roundings each for weight and bias.

    Columns are points, here and below.
    """
    magnitude = abs(weight)
    result = weight @ values + bias[:, None]
    bound = magnitude @ (np.abs(values) + errors) + np.abs(bias)[:, None]
    bound *= gamma(weight.shape[1] + 4 + extra)
    bound += magnitude @ errors
    if extra:  # an entry below the range of floats is rounded to 0
        bound += SMALLEST * np.abs(values).sum(axis=0)
    bound *= SLACK
    bound += SMALLEST
    return result, bound


def _relus(_: Activation, z: Floats, errors: Floats) -> tuple[NDArray, NDArray[np.bool_], Floats, Floats]:
    """Return what `_units` does, for ReLUs."""
    digits = z > 0.0
    certain = np.all(np.abs(z) > errors, axis=0)
    return digits, certain, np.maximum(z, 0.0), np.where(digits, errors, 0.0)


def _units(activation: Activation, z: Floats, errors: Floats) -> tuple[NDArray, NDArray[np.bool_], Floats, Floats]:
    """Return each unit's digit, whether all of a point's are certain, the outputs and bounds of their errors.

    The last two hold where the digits are certain.
    """
    shape = (activation.n_units, z.shape[1])
    digits, certain = np.zeros(shape, np.int64), np.ones(shape[1], bool)
    outputs, output_errors = np.empty(shape), np.empty(shape)
    starts = activation.indptr[:-1]
    for index, function in enumerate(activation.functions):
        units = np.flatnonzero(activation.kind == index)
        own, own_errors = z[starts[units]], errors[starts[units]]
        piece, is_certain = _digits(function, own, own_errors)
        digits[units], certain = piece, certain & is_certain
        slopes, intercepts = (
            np.array([nearest_float(v.numerator, v.denominator) for v in values])[piece]
            for values in (function.slopes, function.intercepts)
        )
        outputs[units] = slopes * own + intercepts
        size = np.abs(slopes) * (np.abs(own) + own_errors) + np.abs(intercepts)
        bound = (np.abs(slopes) * own_errors + gamma(8) * size) * SLACK + SMALLEST * (1.0 + np.abs(own))
        is_exact = (intercepts == 0.0) & ((slopes == 0.0) | (slopes == 1.0))
        output_errors[units] = np.where(is_exact, slopes * own_errors, bound)
    for unit in np.flatnonzero(activation.kind == MAX_UNIT):
        part = slice(activation.indptr[unit], activation.indptr[unit + 1])
        own, own_errors = z[part], errors[part]
        winner = own.argmax(axis=0)[None, :]
        best, best_error = np.take_along_axis(own, winner, 0), np.take_along_axis(own_errors, winner, 0)
        beats = best - own > (own_errors + best_error) * SLACK
        np.put_along_axis(beats, winner, True, 0)
        certain &= beats.all(axis=0) & np.isfinite(best_error[0])
        digits[unit], outputs[unit], output_errors[unit] = winner[0], best[0], best_error[0]
    return digits, certain, outputs, output_errors


def _digits(function: PiecewiseLinear, z: Floats, errors: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    digits, certain = np.zeros(z.shape, np.int64), np.ones(z.shape[1], bool)
    for exact in function.breakpoints:
        point = nearest_float(exact.numerator, exact.denominator)
        needed = errors
        if exact:
            needed = (errors + 2 * UNIT_ROUNDOFF * (abs(point) + np.abs(z))) * SLACK + SMALLEST
        digits += z > point
        certain &= (np.abs(z - point) > needed).all(axis=0)
    return digits, certain
