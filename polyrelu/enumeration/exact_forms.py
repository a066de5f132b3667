"""The exact forms that the columns of a running enumeration stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from polyrelu.enumeration.network_tables import NetworkTables
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.kernels import tables as T

__all__ = ["CurrentForms", "Form"]

Form = tuple[int, ...]
"""``(a_1, …, a_dim, c, m)`` for ``a · x + c + m M``; only sides of the far cube have ``m != 0``."""


@dataclass
class CurrentForms:
    """The exact forms of columns, up to positive factors, in the current region of an enumeration.

    Exact maps and forms are kept until the enumeration changes them.

    Attributes
    ----------
    laid_out : NetworkTables
    lines : sequence of Form
        Of the domain's columns.
    """

    laid_out: NetworkTables
    lines: Sequence[Form]
    _maps: dict[int, tuple[int, RationalMatrix]] = field(default_factory=dict)
    _forms: dict[int, tuple[int, Form]] = field(default_factory=dict)

    def form(self, column: int) -> Form:
        """Return the exact form of a column."""
        if column >= self.laid_out.first_line:
            return self.lines[column - self.laid_out.first_line]
        level = int(self.laid_out.columns[column, T.COLUMN_LEVEL])
        serial = int(self.laid_out.tables.levels[level, T.SERIAL])
        known = self._forms.get(column)
        if known is None or known[0] != serial:
            known = self._forms[column] = serial, self._form(column, level)
        return known[1]

    def _form(self, column: int, level: int) -> Form:
        maps = self._level_maps(level)
        first, last = self.laid_out.tables.levels[level, [T.PRE, T.ROW]].tolist()
        if column < last or first == last:
            return (*_row(maps, column - first), 0)
        return (*self._cut_row(maps, column, level, first), 0)

    def _cut_row(self, maps: RationalMatrix, column: int, level: int, first: int) -> list[int]:
        p, q = self.laid_out.sources[column].tolist()
        row = _row(maps, p - first)
        if q >= 0:
            return [a - b for a, b in zip(row, _row(maps, q - first), strict=True)]
        activation = self.laid_out.network.hidden[level].activation
        unit, index = self._unit_of(level, column)
        point = activation.functions[activation.kind[unit]].breakpoints[index]
        shifted = [value * point.denominator for value in row]
        shifted[-1] -= point.numerator * int(maps.denominator)
        return shifted

    def _unit_of(self, level: int, column: int) -> tuple[int, int]:
        """Return the unit of a cut row, counted in its layer, and which of the unit's rows it is."""
        start, n = self.laid_out.tables.levels[level, [T.UNIT, T.N_UNIT]].tolist()
        firsts = self.laid_out.tables.units[start : start + n, T.UNIT_ROW]
        unit = int(firsts.searchsorted(column, side="right")) - 1
        return unit, column - int(firsts[unit])

    def _level_maps(self, level: int) -> RationalMatrix:
        """Return the exact preactivations of a level under the current digits."""
        serial = int(self.laid_out.tables.levels[level, T.SERIAL])
        known = self._maps.get(level)
        if known is not None and known[0] == serial:
            return known[1]
        exact = self.laid_out.network.exact
        if level == 0:
            inputs = exact.input_rows()
        else:
            start, n = self.laid_out.tables.levels[level - 1, [T.UNIT, T.N_UNIT]].tolist()
            digits = self.laid_out.digits.digits[start : start + n].tolist()
            inputs = exact.layers[level - 1].outputs(self._level_maps(level - 1), digits)
        maps = exact.layers[level].preactivations(inputs)
        self._maps[level] = serial, maps
        return maps


def _row(maps: RationalMatrix, index: int) -> list[int]:
    return [int(maps.numerators[index, c]) for c in range(maps.shape[1])]
