"""Which digits neurons may have in a domain, from exact bounds on their preactivations, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint

from polyrelu.exact.domain import Domain
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import MAX_UNIT, PiecewiseLinear
from polyrelu.network.exact_network import ExactLayer
from polyrelu.network.model import Network
from polyrelu.region.lp import Optimal, maximize

__all__ = ["possible_digits"]

Bounds = tuple[list[Fraction], list[Fraction]]
"""Lower and upper bounds of some values."""


def possible_digits(network: Network, domain: Domain) -> list[set[int]]:
    """Return for each neuron the digits that its bounds in a full-dimensional domain do not exclude.

    In an unbounded domain nothing is excluded.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> possible_digits(xor(), Domain.box([1, 1], [2, 2]))
    [{1}, {1}]
    >>> possible_digits(xor(), Domain.all(2))
    [{0, 1}, {0, 1}]
    """
    bounds = _box_around(domain)
    if bounds is None:
        return [set(range(pieces)) for pieces in network.layout.n_pieces.tolist()]
    if network.input_map is not None:
        bounds = _affine(network.input_map.numerators, [], network.input_map.denominator, bounds)
    found: list[set[int]] = []
    for layer in network.exact.layers[:-1]:
        low, high = _preactivations(layer, bounds)
        starts, kinds = layer.activation.indptr.tolist(), layer.activation.kind.tolist()
        units: Bounds = ([], [])
        for unit, kind in enumerate(kinds):
            a, b = low[starts[unit] : starts[unit + 1]], high[starts[unit] : starts[unit + 1]]
            if kind == MAX_UNIT:
                digits = {i for i, top in enumerate(b) if top >= max(a)}
                ends = max(a), max(b)
            else:
                digits, ends = _pieces(layer.activation.functions[kind], a[0], b[0])
            if layer.activation.n_pieces[unit] > 1:
                found.append(digits)
            units[0].append(ends[0])
            units[1].append(ends[1])
        bounds = units
    return found


def _box_around(domain: Domain) -> Bounds | None:
    """Return bounds of the coordinates, None if one has none."""
    box = domain.box_bounds()
    if box is not None:
        return list(box[0]), list(box[1])
    low, high = [], []
    for j in range(domain.dim):
        axis = [int(i == j) for i in range(domain.dim)]
        top, bottom = (maximize((*(sign * a for a in axis), 0), domain.rows) for sign in (1, -1))
        if not isinstance(top, Optimal) or not isinstance(bottom, Optimal):
            return None
        low.append(-bottom.value)
        high.append(top.value)
    return low, high


def _preactivations(layer: ExactLayer, bounds: Bounds) -> Bounds:
    """Return bounds of a layer's preactivations."""
    if not isinstance(layer.weight, list):
        return _affine(layer.weight, layer.bias, layer.scale, bounds)
    low, high = bounds
    result: Bounds = ([], [])
    for (columns, integers), bias in zip(layer.weight, layer.bias, strict=True):
        pairs = list(zip(columns, integers, strict=True))
        result[0].append(sum((w * (low if w > 0 else high)[j] for j, w in pairs), Fraction(bias)) / layer.scale)
        result[1].append(sum((w * (high if w > 0 else low)[j] for j, w in pairs), Fraction(bias)) / layer.scale)
    return result


def _affine(weight: flint.fmpz_mat, bias: Sequence[int], scale: int, bounds: Bounds) -> Bounds:
    """Return bounds of ``(weight x + bias) / scale``; without a bias, the weight's last column is the constant."""
    low, high = bounds
    if not bias:
        low, high = [*low, Fraction(1)], [*high, Fraction(1)]
    values = RationalMatrix.from_rows([[*low, *high]])
    n = len(low)
    stacked = flint.fmpz_mat(2 * n, 1, values.numerators.entries())
    rows = weight.tolist()
    positive = [[value if value > 0 else 0 for value in row] for row in rows]
    negative = [[value if value < 0 else 0 for value in row] for row in rows]
    least = flint.fmpz_mat([p + q for p, q in zip(positive, negative, strict=True)]) * stacked
    most = flint.fmpz_mat([q + p for p, q in zip(positive, negative, strict=True)]) * stacked
    shifts = [int(b) * values.denominator for b in bias] or [0] * len(rows)
    denominator = values.denominator * scale
    return (
        [Fraction(int(v) + s, denominator) for v, s in zip(least.entries(), shifts, strict=True)],
        [Fraction(int(v) + s, denominator) for v, s in zip(most.entries(), shifts, strict=True)],
    )


def _pieces(function: PiecewiseLinear, low: Fraction, high: Fraction) -> tuple[set[int], tuple[Fraction, Fraction]]:
    """Return the pieces on which values of an interval lie, and bounds of the function there."""
    points = function.breakpoints
    inner = [low, high, *(p for p in points if low < p < high)]
    values = [function(value) for value in inner]
    return set(range(function.digit(low), function.digit(high) + 1)), (min(values), max(values))
