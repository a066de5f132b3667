"""Affine maps in integers, applied from behind: to rows of slopes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint

from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.exact_network import ExactLayer

__all__ = ["IntegerAffine", "Row", "Rows"]

Row = list[Any]
"""Integers: int or flint.fmpz."""
Rows = list[Row]


@dataclass(frozen=True, eq=False)
class IntegerAffine:
    """The map ``(weight @ x + bias) / scale``.

    Attributes
    ----------
    weight : flint.fmpz_mat, shape (n_rows, n_inputs), or list of (columns, integers) for each row
    bias : list of int
    scale, n_inputs : int
    """

    weight: flint.fmpz_mat | list[tuple[list[int], list[int]]]
    bias: Row
    scale: int
    n_inputs: int

    @staticmethod
    def of_layer(layer: ExactLayer, n_inputs: int) -> IntegerAffine:
        """Return the affine map of a layer."""
        return IntegerAffine(layer.weight, layer.bias, layer.scale, n_inputs)

    @staticmethod
    def of_map(matrix: RationalMatrix) -> IntegerAffine:
        """Return a rational affine map whose last column is its constants."""
        rows = matrix.numerators.tolist()
        n_inputs = matrix.shape[1] - 1
        weight = flint.fmpz_mat(len(rows), n_inputs, [value for row in rows for value in row[:-1]])
        return IntegerAffine(weight, [row[-1] for row in rows], matrix.denominator, n_inputs)

    def before(self, rows: Rows, common: Row) -> Rows:
        """Return ``slopes @ weight + common`` with the constants that this adds, for rows (slopes, constant)."""
        moved = self._times(self.weight, [row[:-1] for row in rows])
        result = []
        for row, slopes in zip(rows, moved, strict=True):
            constant = sum((a * b for a, b in zip(row[:-1], self.bias, strict=True) if a and b), row[-1] * self.scale)
            result.append([*(a + b for a, b in zip(slopes, common, strict=True)), constant])
        return result

    def common(self, highest: Row) -> Row:
        """Return ``highest @ max(-weight, 0)``."""
        return self._times(self._negative, [highest])[0]

    def magnitudes(self, highest: Row) -> Row:
        """Return ``highest @ |weight|``."""
        moved, common = self._times(self.weight, [highest])[0], self.common(highest)
        return [a + 2 * b for a, b in zip(moved, common, strict=True)]

    def dense_rows(self) -> Rows:
        """Return the weight, row by row."""
        if not isinstance(self.weight, list):
            return self.weight.tolist()
        result = []
        for columns, integers in self.weight:
            row: Row = [0] * self.n_inputs
            for column, value in zip(columns, integers, strict=True):
                row[column] = value
            result.append(row)
        return result

    @cached_property
    def _negative(self) -> flint.fmpz_mat | list[tuple[list[int], list[int]]]:
        if isinstance(self.weight, list):
            return [(columns, [max(-w, 0) for w in integers]) for columns, integers in self.weight]
        values = [-w if w < 0 else flint.fmpz(0) for w in self.weight.entries()]
        return flint.fmpz_mat(self.weight.nrows(), self.weight.ncols(), values)

    def _times(self, weight: flint.fmpz_mat | list[tuple[list[int], list[int]]], rows: Rows) -> Rows:
        if not isinstance(weight, list):
            flat = [value for row in rows for value in row]
            product: Rows = (flint.fmpz_mat(len(rows), weight.nrows(), flat) * weight).tolist()
            return product
        result = []
        for row in rows:
            total: Row = [0] * self.n_inputs
            for value, (columns, integers) in zip(row, weight, strict=True):
                if value:
                    for column, integer in zip(columns, integers, strict=True):
                        total[column] += value * integer
            result.append(total)
        return result
