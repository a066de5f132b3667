"""Rational answers to what the proofs of the enumeration by linear programs leave open.

A compiled linear program has mostly found the right basis, only not proven it: then one exact system of equations
decides. Otherwise an exact linear program does.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.answers import Answers
from polyrelu.enumeration.exact_forms import CurrentForms, Form
from polyrelu.enumeration.network_tables import NetworkTables
from polyrelu.exact.rational import nearest_float, primitive_row
from polyrelu.kernels import cell_layout as C
from polyrelu.kernels import tables as T
from polyrelu.kernels.cell_signs import HAS_POINT, NO_POINT
from polyrelu.region.facets import decide_facet
from polyrelu.region.lp import Witness, decide_bounded, find_point

__all__ = ["CellAnswers", "nearest_point"]

Row = tuple[int, ...]

LARGEST = 1e300


class CellAnswers(Answers):
    """Answers about the sides of a form on a cell, and about facets, by exact linear algebra."""

    def __init__(self, laid_out: NetworkTables, geometry: C.Cells, lines: Sequence[Form]) -> None:
        super().__init__(CurrentForms(laid_out, lines), geometry)

    def answer(self) -> int:
        """Return what the question asks for (`polyrelu.kernels.cell_layout`)."""
        state = self.geometry.state
        kind, subject, start, part = state[T.QUESTION : T.QUESTION + 4].tolist()
        state[T.EXACT] += 1
        base = C.LINE * start
        dim = len(self.geometry.axes) - 1
        n, stride = self.geometry.marks[base + C.N_ROWS], self.geometry.marks[base + C.STRIDE]
        offset = base + C.header_size.py_func(dim)
        columns = self.geometry.marks[offset + C.COLUMN * stride :][:n].tolist()
        sides = self.geometry.marks[offset + C.SIDE * stride :][:n].tolist()
        if kind == C.ASK_SIDE:
            return self._side(subject, part, columns, sides)
        if kind == C.ASK_FACET:
            return self._facet(subject, columns, sides)
        return int(decide_bounded(self._rows(columns, sides), dim)[0])

    def _facet(self, index: int, columns: Sequence[int], sides: Sequence[int]) -> int:
        basis = self.geometry.bases[0].tolist()
        if all(0 <= i < len(columns) and i != index for i in basis):
            [row, *chosen] = [self._form(columns[i], sides[i]) for i in (index, *basis)]
            if _multipliers(row, chosen) is not None:
                return NO_POINT
        return HAS_POINT if decide_facet(self._rows(columns, sides), index)[0] else NO_POINT

    def _rows(self, columns: Sequence[int], sides: Sequence[int]) -> list[Row]:
        return [primitive_row(self._form(column, side)) for column, side in zip(columns, sides, strict=True)]

    def _form(self, column: int, side: int) -> Row:
        return tuple(side * value for value in self.forms.form(column)[:-1])

    def _side(self, column: int, part: int, columns: Sequence[int], sides: Sequence[int]) -> int:
        """Say whether a form has inner points of the cell on one side; propose one, or name a row that it touches."""
        g, form, side = self.geometry, self.forms.form(column)[:-1], 2 * part - 1
        if not any(form):
            return NO_POINT
        target = tuple(side * value for value in form)
        basis = g.bases[part].tolist()
        if all(0 <= i < len(columns) for i in basis):
            chosen = [self._form(columns[i], sides[i]) for i in basis]
            multipliers = _multipliers([-value for value in target], chosen)
            if multipliers is not None:
                positive = [i for i, value in zip(basis, multipliers[:-1], strict=True) if value]
                g.found[C.TOUCHED] = positive[0] if len(positive) == 1 and multipliers[-1] == 0 else -1
                return NO_POINT
        rows = self._rows(columns, sides)
        turned = primitive_row([-value for value in target])
        answer = find_point([*rows, primitive_row(target)], [True] * (len(rows) + 1))
        if isinstance(answer, Witness):
            g.points[part] = nearest_point(answer.point)
            return HAS_POINT
        g.found[C.TOUCHED] = rows.index(turned) if turned in rows else -1
        return NO_POINT


def _multipliers(form: Sequence[int], basis: Sequence[Row]) -> list[flint.fmpq] | None:
    """Return non-negative multipliers with ``form = sum of multiplier * row + rest``, the rest last and non-negative.

    None if there are none for this basis.
    """
    dim = len(basis)
    normals = flint.fmpz_mat([[row[c] for row in basis] for c in range(dim)])
    try:
        solution = normals.solve(flint.fmpz_mat(dim, 1, list(form[:dim])))
    except ZeroDivisionError:
        return None
    values = [solution[j, 0] for j in range(dim)]
    if any(value < 0 for value in values):
        return None
    rest = form[dim] - sum((value * row[dim] for value, row in zip(values, basis, strict=True)), flint.fmpq(0))
    return None if rest < 0 else [*values, rest]


def nearest_point(point: Sequence[Fraction]) -> NDArray[np.float64]:
    """Return a point in floats, coordinates beyond their range cut off."""
    floats = [nearest_float(value.numerator, value.denominator) for value in point]
    return np.clip(np.array(floats, np.float64), -LARGEST, LARGEST)
