"""Digits of single units at points, exactly: only what such a unit depends on is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import common_denominator
from polyrelu.network.activation import MAX_UNIT, Activation

if TYPE_CHECKING:
    from polyrelu.network.exact_network import ExactLayer
    from polyrelu.network.model import Network

__all__ = ["decide_units"]


def decide_units(
    network: Network, points: NDArray[np.float64], digits: list[NDArray], is_known: list[NDArray[np.bool_]]
) -> None:
    """Write the digits that are not known, as exact arithmetic gives them.

    Parameters
    ----------
    network : Network
    points : float64 array, shape (n, dim)
        Taken exactly.
    digits, is_known : lists of arrays, shape (n_units, n) for each hidden layer
        A digit may be wrong only where it is not known; these are overwritten, the first layer's first.

    Examples
    --------
    >>> import numpy as np
    >>> from polyrelu import Network
    >>> twice = Network.from_arrays([([[1], [1]], [0, -1]), ([[1, 1]], [0]), ([[1]], [0])])
    >>> digits = [np.array([[1], [1]]), np.array([[0]])]
    >>> known = [np.array([[True], [False]]), np.array([[False]])]
    >>> decide_units(twice, np.array([[1.0]]), digits, known)
    >>> [each.tolist() for each in digits]
    [[[1], [0]], [[1]]]
    """
    layers = [_Layer.of(layer) for layer in network.exact.layers[:-1]]
    for column, point in enumerate(points):
        inputs = RationalMatrix.from_floats(point[:, None])
        if network.input_map is not None:
            inputs = network.exact.inputs_at(point.tolist())
        at = _Point(layers, inputs, [each[:, column] for each in digits])
        for index, known in enumerate(is_known):
            for unit in np.flatnonzero(~known[:, column]).tolist():
                digits[index][unit, column] = at.decide(index, unit)


@dataclass(frozen=True)
class _Layer:
    """A layer in integers: preactivations over ``scale``, outputs over ``scale * function_scale``.

    ``row(i)`` gives columns and integers of a row of the weight; ``pieces[k]`` the slopes and intercepts of function k.
    """

    row: Callable[[int], tuple[list[int], list[int]]]
    bias: list[int]
    scale: int
    starts: list[int]
    kinds: list[int]
    activation: Activation
    pieces: list[list[tuple[int, int]]]
    function_scale: int

    @staticmethod
    def of(layer: ExactLayer) -> _Layer:
        functions = layer.activation.functions
        scale = common_denominator(v for f in functions for v in (*f.slopes, *f.intercepts))
        pieces = [
            [(int(s * scale), int(c * scale)) for s, c in zip(f.slopes, f.intercepts, strict=True)] for f in functions
        ]
        row = lru_cache(maxsize=1 << 14)(lambda index: _row(layer.weight, index))
        starts, kinds = layer.activation.indptr.tolist(), layer.activation.kind.tolist()
        return _Layer(row, list(map(int, layer.bias)), layer.scale, starts, kinds, layer.activation, pieces, scale)


class _Point:
    """Values of the units that are needed at one point: integers over one denominator a layer."""

    def __init__(self, layers: list[_Layer], inputs: RationalMatrix, digits: list[NDArray]) -> None:
        self.layers, self.digits = layers, digits
        self.inputs = [int(row[0]) for row in inputs.numerators.tolist()]
        self.values: list[dict[int, int]] = [{} for _ in layers]
        self.denominators = [int(inputs.denominator)]
        for layer in layers:
            self.denominators.append(self.denominators[-1] * layer.scale * layer.function_scale)

    def decide(self, index: int, unit: int) -> int:
        """Return the digit of a unit whose own digit is not known, but those below are."""
        layer = self.layers[index]
        rows = range(layer.starts[unit], layer.starts[unit + 1])
        self.prepare(index, rows)
        z = [self.preactivation(index, row) for row in rows]
        if layer.kinds[unit] == MAX_UNIT:
            return max(range(len(z)), key=lambda i: (z[i], -i))
        function = layer.activation.functions[layer.kinds[unit]]
        return function.digit(Fraction(z[0], self.denominators[index] * layer.scale))

    def prepare(self, index: int, rows: Iterable[int]) -> None:
        """Evaluate the units that some preactivations depend on, the first layer's first."""
        needed: list[tuple[int, set[int]]] = []
        while index and rows:
            columns = {column for row in rows for column in self.layers[index].row(row)[0]}
            index -= 1
            needed.append((index, columns - self.values[index].keys()))
            pieces = (self.piece(index, unit) for unit in needed[-1][1])
            rows = [row for row, slope, _ in pieces if slope]
        for index, units in reversed(needed):
            for unit in units:
                self.values[index][unit] = self.value(index, unit)

    def preactivation(self, index: int, row: int) -> int:
        """Return the numerator of a preactivation, where what it reads is evaluated."""
        layer = self.layers[index]
        columns, weights = layer.row(row)
        inputs = self.values[index - 1] if index else self.inputs
        products = (weight * inputs[column] for column, weight in zip(columns, weights, strict=True))
        return sum(products, layer.bias[row] * self.denominators[index])

    def value(self, index: int, unit: int) -> int:
        """Return the numerator of a unit's output, where what it reads is evaluated."""
        row, slope, intercept = self.piece(index, unit)
        z = self.preactivation(index, row) if slope else 0
        return slope * z + intercept * self.denominators[index] * self.layers[index].scale

    def piece(self, index: int, unit: int) -> tuple[int, int, int]:
        """Return which preactivation a unit reads at its digit, and slope and intercept over the function scale."""
        layer, digit = self.layers[index], int(self.digits[index][unit])
        if layer.kinds[unit] == MAX_UNIT:
            return layer.starts[unit] + digit, layer.function_scale, 0
        return layer.starts[unit], *layer.pieces[layer.kinds[unit]][digit]


def _row(weight: Any, row: int) -> tuple[list[int], list[int]]:
    """Return the columns and the integers of a row, zeros left out."""
    if isinstance(weight, list):
        columns, integers = weight[row]
        return columns, list(map(int, integers))
    entries = [(j, int(weight[row, j])) for j in range(weight.ncols())]
    kept = [(j, w) for j, w in entries if w]
    return [j for j, _ in kept], [w for _, w in kept]
