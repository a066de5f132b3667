"""Digits of single units at points, exactly: only what such a unit depends on is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.rational import common_denominator
from polyrelu.network.activation import MAX_UNIT

if TYPE_CHECKING:
    from polyrelu.exact.matrix import RationalMatrix
    from polyrelu.network.model import Network

__all__ = ["decide_units"]

RowOf = Callable[[int, int], tuple[list[int], list[int]]]
"""Columns and integers of a row of a layer."""


def decide_units(
    network: Network, points: Sequence[Sequence[object]], digits: list[NDArray], is_known: list[NDArray[np.bool_]]
) -> None:
    """Write the digits that are not known, as exact arithmetic gives them.

    Parameters
    ----------
    network : Network
    points : sequence of n points
        Numbers are taken exactly.
    digits, is_known : lists of arrays, shape (n_units, n) for each hidden layer
        A digit may be wrong only where it is not known; these are overwritten, the first layer's first.

    Examples
    --------
    >>> import numpy as np
    >>> from polyrelu import Network
    >>> twice = Network.from_arrays([([[1], [1]], [0, -1]), ([[1, 1]], [0]), ([[1]], [0])])
    >>> digits = [np.array([[1], [1]]), np.array([[0]])]
    >>> known = [np.array([[True], [False]]), np.array([[False]])]
    >>> decide_units(twice, [["1"]], digits, known)
    >>> [each.tolist() for each in digits]
    [[[1], [0]], [[1]]]
    """
    exact = network.exact
    row_of = lru_cache(maxsize=1 << 16)(lambda layer, row: _row(exact.layers[layer].weight, row))
    for column, point in enumerate(points):
        if all(known[:, column].all() for known in is_known):
            continue
        at = _Point(network, exact.inputs_at(point), row_of, [each[:, column] for each in digits])
        for layer, known in enumerate(is_known):
            for unit in np.flatnonzero(~known[:, column]).tolist():
                digits[layer][unit, column] = at.decide(layer, unit)


class _Point:
    """Values of units at one point, each evaluated when it is first needed: integers over one denominator a layer."""

    def __init__(self, network: Network, inputs: RationalMatrix, row_of: RowOf, digits: list[NDArray]) -> None:
        self.row_of, self.digits = row_of, digits
        self.layers = network.exact.layers
        self.values: list[dict[int, int]] = [{} for _ in self.layers]
        self.inputs = [int(row[0]) for row in inputs.numerators.tolist()]
        self.scales = [
            common_denominator(v for f in layer.activation.functions for v in (*f.slopes, *f.intercepts))
            for layer in self.layers
        ]
        self.denominators = [int(inputs.denominator)]
        for layer, scale in zip(self.layers, self.scales, strict=True):
            self.denominators.append(self.denominators[-1] * layer.scale * scale)

    def decide(self, layer: int, unit: int) -> int:
        """Return the digit of a unit whose own digit is not known, but those below are."""
        activation = self.layers[layer].activation
        start, end = activation.indptr[unit : unit + 2].tolist()
        z = [self.preactivation(layer, row) for row in range(start, end)]
        if activation.kind[unit] == MAX_UNIT:
            return max(range(len(z)), key=lambda i: (z[i], -i))
        return activation.functions[activation.kind[unit]].digit(Fraction(z[0], self._denominator(layer)))

    def preactivation(self, layer: int, row: int) -> int:
        """Return a numerator over the denominator of the layer's preactivations."""
        columns, weights = self.row_of(layer, row)
        values = map(self.inputs.__getitem__, columns) if not layer else (self.value(layer - 1, c) for c in columns)
        total = sum(w * v for w, v in zip(weights, values, strict=True))
        return total + int(self.layers[layer].bias[row]) * self.denominators[layer]

    def value(self, layer: int, unit: int) -> int:
        """Return the numerator of a unit's output."""
        known = self.values[layer]
        if unit not in known:
            activation, digit, scale = self.layers[layer].activation, int(self.digits[layer][unit]), self.scales[layer]
            start, kind = int(activation.indptr[unit]), int(activation.kind[unit])
            if kind == MAX_UNIT:
                known[unit] = scale * self.preactivation(layer, start + digit)
            else:
                function = activation.functions[kind]
                slope, intercept = (int(each[digit] * scale) for each in (function.slopes, function.intercepts))
                z = self.preactivation(layer, start) if slope else 0
                known[unit] = slope * z + intercept * self._denominator(layer)
        return known[unit]

    def _denominator(self, layer: int) -> int:
        return self.denominators[layer] * int(self.layers[layer].scale)


def _row(weight: Any, row: int) -> tuple[list[int], list[int]]:
    """Return the columns and the integers of a row, zeros left out."""
    if isinstance(weight, list):
        columns, integers = weight[row]
        return columns, list(map(int, integers))
    entries = [(j, int(weight[row, j])) for j in range(weight.ncols())]
    kept = [(j, w) for j, w in entries if w]
    return [j for j, _ in kept], [w for _, w in kept]
