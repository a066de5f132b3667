"""Evaluation of a network in rationals, at points and as affine maps on regions.

Values travel as *rows*: a quantity that depends affinely on the coordinates is one row of a
`RationalMatrix` whose last column is its constant. At a point there is only the constant column; on
a region there is one column for each coordinate as well; around a point (to break ties by an
infinitesimal step) the other columns are directions.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.exact.matrix import RationalMatrix, dyadic_integers
from polyrelu.exact.rational import common_denominator, to_fractions
from polyrelu.network.activation import MAX_UNIT, Activation
from polyrelu.network.pattern import Pattern

if TYPE_CHECKING:
    from polyrelu.network.model import Layer, Network

__all__ = ["ExactLayer", "ExactNetwork"]


@dataclass(frozen=True)
class ExactLayer:
    """One layer in integers: ``weight / scale`` and ``bias / scale``, and its activation.

    Attributes
    ----------
    weight : flint.fmpz_mat, shape (n_preactivations, n_inputs), or list of (columns, integers) for each row
        The list is the form of sparse layers.
    bias : list of int
    scale : int
        A power of two.
    activation : Activation
    """

    weight: flint.fmpz_mat | list[tuple[list[int], list[int]]]
    bias: list[int]
    scale: int
    activation: Activation

    @staticmethod
    def of(layer: Layer) -> ExactLayer:
        """Return a layer's floats as integers over one power of two."""
        n_rows = layer.weight.shape[0]
        entries = layer.weight.data if layer.is_sparse else layer.weight
        integers, exponent = dyadic_integers(np.concatenate([np.ravel(entries), layer.bias]))
        weights, bias = integers[: len(integers) - n_rows], integers[len(integers) - n_rows :]
        if not layer.is_sparse:
            matrix = flint.fmpz_mat(n_rows, layer.n_inputs, weights)
            return ExactLayer(matrix, bias, 1 << exponent, layer.activation)
        bounds = layer.weight.indptr.tolist()
        columns = layer.weight.indices.tolist()
        rows = [(columns[a:b], weights[a:b]) for a, b in itertools.pairwise(bounds)]
        return ExactLayer(rows, bias, 1 << exponent, layer.activation)

    def preactivations(self, inputs: RationalMatrix) -> RationalMatrix:
        """Return the rows ``weight @ inputs + bias``; the bias goes to the last column."""
        if isinstance(self.weight, list):
            product = _sparse_product(self.weight, inputs.numerators)
        else:
            product = self.weight * inputs.numerators
        constants = self._constants(product.ncols())
        return RationalMatrix(product + constants * inputs.denominator, inputs.denominator * self.scale)

    def _constants(self, n_columns: int) -> flint.fmpz_mat:
        """Return the bias as the last of so many columns; the others are 0."""
        if n_columns not in self._constants_by_width:
            columns = flint.fmpz_mat(len(self.bias), n_columns)
            for i, value in enumerate(self.bias):
                columns[i, n_columns - 1] = value
            self._constants_by_width[n_columns] = columns
        return self._constants_by_width[n_columns]

    @cached_property
    def _constants_by_width(self) -> dict[int, flint.fmpz_mat]:
        return {}

    def outputs(self, preactivations: RationalMatrix, digits: Sequence[int]) -> RationalMatrix:
        """Return the units' output rows where unit ``u`` is on piece ``digits[u]``."""
        n_columns = preactivations.shape[1]
        activation, denominator = self.activation, preactivations.denominator
        if activation.is_relu:
            kept = flint.fmpz_mat(preactivations.numerators)
            for unit in (u for u, digit in enumerate(digits) if not digit):
                for column in range(n_columns):
                    kept[unit, column] = 0
            return RationalMatrix(kept, denominator)
        rows = preactivations.numerators.tolist()
        zero = [flint.fmpz(0)] * n_columns
        starts, kinds = activation.indptr.tolist(), activation.kind.tolist()
        scale = common_denominator(v for f in activation.functions for v in (*f.slopes, *f.intercepts))
        result = []
        for unit, digit in enumerate(digits):
            if kinds[unit] == MAX_UNIT:
                result.append([scale * value for value in rows[starts[unit] + digit]])
                continue
            function = activation.functions[kinds[unit]]
            slope = int(function.slopes[digit] * scale)
            row = [slope * value for value in rows[starts[unit]]] if slope else list(zero)
            if function.intercepts[digit]:
                row[-1] += int(function.intercepts[digit] * scale) * denominator
            result.append(row)
        matrix = flint.fmpz_mat(result) if result else flint.fmpz_mat(0, n_columns)
        return RationalMatrix(matrix, denominator * scale)

    def digits(self, preactivations: RationalMatrix) -> list[int]:
        """Return each unit's digit; rows are compared by the last column, ties by the ones before it.

        With one column this is the digit at a point; further columns are directions of an infinitesimal
        step, the last of them the most important.
        """
        rows = [tuple(reversed(row)) for row in preactivations.numerators.tolist()]
        activation, denominator = self.activation, preactivations.denominator
        starts, kinds = activation.indptr.tolist(), activation.kind.tolist()
        digits = []
        for unit, kind in enumerate(kinds):
            group = rows[starts[unit] : starts[unit + 1]]
            if kind == MAX_UNIT:
                digits.append(max(range(len(group)), key=lambda i: (group[i], -i)))
                continue
            row = group[0]
            count = 0
            for point in activation.functions[kind].breakpoints:
                lead = row[0] * point.denominator - point.numerator * denominator
                count += (lead, *row[1:]) > (0,) * len(row)
            digits.append(count)
        return digits


@dataclass(frozen=True)
class ExactNetwork:
    """A network in rationals.

    Attributes
    ----------
    network : Network
    layers : tuple of ExactLayer
        Hidden layers and the output layer.
    """

    network: Network
    layers: tuple[ExactLayer, ...]

    @staticmethod
    def of(network: Network) -> ExactNetwork:
        """Return a network's exact form."""
        return ExactNetwork(network, tuple(ExactLayer.of(layer) for layer in network.layers))

    def __call__(self, x: Sequence[object]) -> tuple[Fraction, ...]:
        """Return the outputs at a point, exactly."""
        values = self.inputs_at(x)
        for layer in self.layers:
            rows = layer.preactivations(values)
            values = layer.outputs(rows, layer.digits(rows))
        return tuple(row[0] for row in values.to_fractions())

    def unit_digits_at(self, x: Sequence[object], directions: Sequence[Sequence[object]] = ()) -> list[list[int]]:
        """Return each hidden layer's unit digits at a point (see `pattern_at`)."""
        values, result = self.inputs_at(x, directions), []
        for layer in self.layers[:-1]:
            rows = layer.preactivations(values)
            result.append(layer.digits(rows))
            values = layer.outputs(rows, result[-1])
        return result

    def pattern_at(self, x: Sequence[object], directions: Sequence[Sequence[object]] = ()) -> Pattern:
        """Return the activation pattern at a point; exact at ties, where the digit is the lower one.

        Parameters
        ----------
        x : sequence of dim numbers
        directions : sequence of vectors
            If given: the pattern at ``x + e d_1 + e^2 d_2 + …`` for all small enough ``e > 0``. With ``dim``
            independent directions this is always the pattern of a full-dimensional region that touches x.
        """
        digits = self.unit_digits_at(x, directions)
        return self.network.pattern([digits[layer][unit] for layer, unit in self.network.neurons.tolist()])

    def input_rows(self) -> RationalMatrix:
        """Return the values the first layer reads, as rows over the coordinates, shape (n_inputs, dim + 1)."""
        network = self.network
        return RationalMatrix.identity_map(network.dim) if network.input_map is None else network.input_map

    def preactivation_rows(self, digits: Sequence[Sequence[int]]) -> list[RationalMatrix]:
        """Return the preactivations of every layer, the output layer last, as rows over the coordinates.

        Parameters
        ----------
        digits : one sequence of unit digits for each hidden layer
            The activation pattern (`Network.unit_digits`); shorter lists give fewer layers.
        """
        values, result = self.input_rows(), []
        for layer, layer_digits in zip(self.layers, [*digits, None], strict=False):
            result.append(layer.preactivations(values))
            if layer_digits is not None:
                values = layer.outputs(result[-1], layer_digits)
        return result

    def inputs_at(self, x: Sequence[object], directions: Sequence[Sequence[object]] = ()) -> RationalMatrix:
        """Return the values that the first layer reads, as rows: directions (see `pattern_at`), then the point."""
        vectors = [
            to_fractions(vector.ravel().tolist() if isinstance(vector, np.ndarray) else vector)
            for vector in (*directions[::-1], x)
        ]
        for vector in vectors:
            if len(vector) != self.network.dim:
                raise InputError(
                    f"Network needs a point of {self.network.dim} coordinates but received {len(vector)}. Match them."
                )
        columns = RationalMatrix.from_rows(list(zip(*vectors, strict=True)))
        if self.network.input_map is None:
            return columns
        homogeneous = [*columns.to_fractions(), [Fraction(0)] * len(directions) + [Fraction(1)]]
        return self.network.input_map @ RationalMatrix.from_rows(homogeneous)


def _sparse_product(rows: list[tuple[list[int], list[int]]], inputs: flint.fmpz_mat) -> flint.fmpz_mat:
    values: list[list[flint.fmpz]] = inputs.tolist()
    n_columns = inputs.ncols()
    nonzero: NDArray[np.bool_] = np.array([any(row) for row in values], dtype=bool)
    product = []
    for columns, integers in rows:
        total = [flint.fmpz(0)] * n_columns
        for column, integer in zip(columns, integers, strict=True):
            if nonzero[column]:
                total = [a + integer * b for a, b in zip(total, values[column], strict=True)]
        product.append(total)
    return flint.fmpz_mat(product) if product else flint.fmpz_mat(0, n_columns)
