"""Answers to what the plane enumeration's float filter leaves open: double-doubles, then rationals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from polyrelu.enumeration.exact_plane import FarPolygon, Line, float_vertex, sign_at_crossing
from polyrelu.enumeration.plane_tables import PlaneTables
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.kernels import tables as T
from polyrelu.kernels.extended import extended_answer
from polyrelu.kernels.polygons import Geometry
from polyrelu.kernels.predicates import UNKNOWN
from polyrelu.network.model import Network

__all__ = ["Answers"]


@dataclass
class Answers:
    """Answers the questions of a compiled enumeration about its current region.

    Double-doubles come first, rationals have the last word. Exact maps are kept for each level until the
    enumeration changes them. An exception, such as the user's interrupt, is stored and ends the enumeration.
    """

    network: Network
    polygon: FarPolygon
    laid_out: PlaneTables
    geometry: Geometry = field(init=False)
    error: BaseException | None = None
    _maps: dict[int, tuple[int, RationalMatrix]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.geometry = self.laid_out.geometry  # replaced when the stacks grow

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        """Keep an exception for the caller of the compiled loop: nothing may escape into compiled code."""
        self.error = error
        return True

    def callback(self) -> Callable[[int], int]:
        """Return the function that the compiled loop calls."""

        def answer(_: int) -> int:
            result = T.ABORT_ANSWER
            with self:
                result = self._answer() + T.SIGN_SHIFT
            return result

        return answer

    def _answer(self) -> int:
        state = self.geometry.state
        kind, row, line, other = state[T.QUESTION : T.QUESTION + 4].tolist()
        extended = self._extended(kind, row, line, other)
        if extended is not None:
            state[T.EXTENDED] += 1
            return extended
        state[T.EXACT] += 1
        if kind == T.ASK_SIGN:
            return sign_at_crossing(self.form(row), self.form(line), self.form(other))
        vertex = self.geometry.vertices[T.SCRATCH]
        vertex[:] = float_vertex(self.form(line), self.form(other))
        vertex[T.GAP] = 0.0  # the forms above are exact only up to factors
        return 0

    def _extended(self, kind: int, row: int, line: int, other: int) -> int | None:
        """Return what double-doubles answer, None if they cannot."""
        laid_out = self.laid_out
        sides = laid_out.geometry.columns[[line, other], T.FAR_SIDE_X : T.FAR_SIDE_Y + 1]
        if sides.any():
            return None
        answer = extended_answer(
            kind, row, line, other, laid_out.tables, laid_out.digits.digits, self.geometry, laid_out.extended
        )
        return None if answer == UNKNOWN else answer

    def form(self, column: int) -> Line:
        """Return the exact line of a column, up to a positive factor, in the current region."""
        if column >= self.laid_out.first_line:
            return self.polygon.lines[column - self.laid_out.first_line]
        level = int(self.laid_out.geometry.columns[column, T.COLUMN_LEVEL])
        maps = self._level_maps(level)
        first, last = int(self.laid_out.tables.levels[level, T.PRE]), int(self.laid_out.tables.levels[level, T.ROW])
        if column < last or first == last:
            return _row(maps, column - first)
        return self._cut_row(maps, column, first)

    def _cut_row(self, maps: RationalMatrix, column: int, first: int) -> Line:
        p, q = self.laid_out.extended.sources[column].tolist()
        a, b, c, _ = _row(maps, p - first)
        if q >= 0:
            d, e, f, _ = _row(maps, q - first)
            return a - d, b - e, c - f, 0
        level = int(self.laid_out.geometry.columns[column, T.COLUMN_LEVEL])
        activation = self.network.hidden[level].activation
        unit, index = self._unit_of(level, column)
        point = activation.functions[activation.kind[unit]].breakpoints[index]
        scale = point.denominator
        return a * scale, b * scale, c * scale - point.numerator * maps.denominator, 0

    def _unit_of(self, level: int, column: int) -> tuple[int, int]:
        """Return the unit of a cut row, counted in its layer, and which of the unit's rows it is."""
        start, n = int(self.laid_out.tables.levels[level, T.UNIT]), int(self.laid_out.tables.levels[level, T.N_UNIT])
        firsts = self.laid_out.tables.units[start : start + n, T.UNIT_ROW]
        unit = int(firsts.searchsorted(column, side="right")) - 1
        return unit, column - int(firsts[unit])

    def _level_maps(self, level: int) -> RationalMatrix:
        """Return the exact preactivations of a level under the current digits."""
        serial = int(self.laid_out.tables.levels[level, T.SERIAL])
        known = self._maps.get(level)
        if known is not None and known[0] == serial:
            return known[1]
        exact = self.network.exact
        if level == 0:
            inputs = exact.input_rows()
        else:
            start, n = self.laid_out.tables.levels[level - 1, [T.UNIT, T.N_UNIT]].tolist()
            digits = self.laid_out.digits.digits[start : start + n].tolist()
            inputs = exact.layers[level - 1].outputs(self._level_maps(level - 1), digits)
        maps = exact.layers[level].preactivations(inputs)
        self._maps[level] = serial, maps
        return maps


def _row(maps: RationalMatrix, index: int) -> Line:
    numerators = maps.numerators
    return int(numerators[index, 0]), int(numerators[index, 1]), int(numerators[index, 2]), 0
