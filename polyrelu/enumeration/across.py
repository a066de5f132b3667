"""The pattern on the other side of a facet, from exact forms alone: no linear program, no point on the facet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import MAX_UNIT, Activation
from polyrelu.network.model import Network

__all__ = ["digits_across"]

Vanishing = tuple[int, int, int, int]
"""(layer, unit, digit, other digit): the border between the two digits of a unit."""


def digits_across(network: Network, digits: Sequence[Sequence[int]], facet: Iterable[Vanishing]) -> list[list[int]]:
    """Return the digits of all units on the other side of a facet of a region.

    Parameters
    ----------
    network : Network
    digits : sequence of layers' digits
        Of all units on the region (`Network.unit_digits`).
    facet : iterable of (layer, unit, digit, other digit)
        All borders of digits that vanish on the facet, those that vanish on the whole region included; at least one
        does not.

    Notes
    -----
    Every preactivation is continuous. What vanishes on the facet is, on the other side too, a multiple of the facet's
    form, and all other units keep their digits. So the digits follow layer by layer from the signs of multiples.

    Examples
    --------
    >>> fold = Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])
    >>> digits_across(fold, [[1, 1], [0]], [(0, 0, 0, 1)])
    [[0, 1], [0]]
    """
    borders: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for level, unit, digit, other in facet:
        borders[level][unit].append((digit, other))
    here = there = network.exact.input_rows()
    normal: tuple[int, int] | None = None  # a coordinate in which the facet's form is not zero, and its sign there
    result: list[list[int]] = []
    for index, layer in enumerate(network.exact.layers[:-1]):
        before, after = layer.preactivations(here), layer.preactivations(there)
        activation = network.hidden[index].activation
        own = list(digits[index])
        for unit, pairs in borders[index].items():
            if normal is None:
                normal = _outward(before, activation, unit, own[unit], pairs)
        for unit, pairs in borders[index].items():
            own[unit] = _digit_beyond(after, activation, unit, own[unit], pairs, normal)
        here, there = layer.outputs(before, list(digits[index])), layer.outputs(after, own)
        result.append(own)
    return result


def _outward(
    matrix: RationalMatrix, activation: Activation, unit: int, digit: int, pairs: Sequence[tuple[int, int]]
) -> tuple[int, int] | None:
    """Return a coordinate, and the sign of steps in it that leave the region through the facet; None for no form."""
    for low, high in pairs:
        if digit not in (low, high):
            continue
        form = _border(matrix, activation, unit, low, high)
        for c, value in enumerate(form[:-1]):
            if value:
                is_positive = digit == (high if activation.kind[unit] != MAX_UNIT else low)
                return c, (-1 if (value > 0) == is_positive else 1)
    return None


def _digit_beyond(
    matrix: RationalMatrix,
    activation: Activation,
    unit: int,
    digit: int,
    pairs: Sequence[tuple[int, int]],
    normal: tuple[int, int] | None,
) -> int:
    """Return a unit's digit beyond the facet, where some of its borders vanish on it."""
    coordinate, way = normal or (0, 1)
    if activation.kind[unit] != MAX_UNIT:
        [(low, high)] = {pair for pair in pairs if digit in pair} or {pairs[0]}
        return high if _border(matrix, activation, unit, low, high)[coordinate] * way > 0 else low
    tied = sorted({p for pair in pairs if digit in pair for p in pair} | {digit})
    best = tied[0]
    for other in tied[1:]:
        if _border(matrix, activation, unit, other, best)[coordinate] * way > 0:
            best = other
    return best


def _border(matrix: RationalMatrix, activation: Activation, unit: int, low: int, high: int) -> list[int]:
    """Return the form between two digits, positive on the higher one's side (for a max unit: ``z_low - z_high``)."""
    start = int(activation.indptr[unit])
    entries, columns = matrix.numerators, range(matrix.shape[1])
    if activation.kind[unit] == MAX_UNIT:
        return [int(entries[start + low, c]) - int(entries[start + high, c]) for c in columns]
    point = activation.functions[activation.kind[unit]].breakpoints[min(low, high)]
    form = [point.denominator * int(entries[start, c]) for c in columns]
    form[-1] -= point.numerator * int(matrix.denominator)
    return form
