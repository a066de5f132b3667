"""Exact forms of neurons on one region after the other, with what consecutive regions share kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import MAX_UNIT

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["RegionForms"]


class RegionForms:
    """The exact preactivations of a network on the regions of a tessellation.

    Preactivations of a layer depend on the digits of the layers before it. Regions that come one after the other
    mostly differ in the last layers only, so the matrices of the first ones are kept.
    """

    def __init__(self, tessellation: Tessellation) -> None:
        network = tessellation.network
        self._words = tessellation.words
        self._network = network
        self._exact = network.exact
        self._neurons = network.neurons.tolist()
        layers = np.arange(len(network.hidden) + 1)
        self._bounds = np.searchsorted(network.neurons[:, 0], layers).tolist()
        self._digits: NDArray[np.integer] = np.zeros(0, np.uint8)
        self._matrices: list[RationalMatrix] = []

    def move_to(self, region: int) -> None:
        """Make a region the current one."""
        digits = self._network.layout.unpack(self._words[region])[0]
        if len(self._digits) == len(digits):
            changed = np.flatnonzero(digits != self._digits)
            if len(changed):
                del self._matrices[self._neurons[changed[0]][0] + 1 :]
        self._digits = digits

    def preactivations(self, layer: int) -> RationalMatrix:
        """Return the preactivations of a layer (the output layer comes last) on the current region."""
        while len(self._matrices) <= layer:
            level = len(self._matrices)
            if level == 0:
                values = self._exact.input_rows()
            else:
                values = self._outputs(level - 1)
            self._matrices.append(self._exact.layers[level].preactivations(values))
        return self._matrices[layer]

    def _outputs(self, level: int) -> RationalMatrix:
        """Return the outputs of a hidden layer's units on the current region."""
        layer, matrix = self._exact.layers[level], self._matrices[level]
        first, last = self._bounds[level : level + 2]
        digits = np.zeros(layer.activation.n_units, np.int64)
        digits[self._network.neurons[first:last, 1]] = self._digits[first:last]
        return layer.outputs(matrix, digits.tolist())

    def affine_map(self) -> RationalMatrix:
        """Return the output map on the current region, constants in the last column."""
        return self.preactivations(len(self._network.hidden))

    def form(self, neuron: int, other: int) -> list[int]:
        """Return the form that vanishes where a neuron's digit becomes ``other``, as integers up to a factor."""
        layer, unit = self._neurons[neuron]
        matrix = self.preactivations(layer)
        activation = self._network.hidden[layer].activation
        start, digit = int(activation.indptr[unit]), int(self._digits[neuron])
        entries, columns = matrix.numerators, range(matrix.shape[1])
        kind = int(activation.kind[unit])
        if kind == MAX_UNIT:
            return [int(entries[start + digit, c]) - int(entries[start + other, c]) for c in columns]
        point = activation.functions[kind].breakpoints[min(digit, other)]
        row = [point.denominator * int(entries[start, c]) for c in columns]
        row[-1] -= point.numerator * matrix.denominator
        return row
