"""Answers to what the filters of a compiled enumeration leave open: double-doubles in the plane, then rationals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

from polyrelu.enumeration.exact_forms import CurrentForms
from polyrelu.enumeration.exact_plane import FarPolygon, Line, float_vertex, sign_at_crossing
from polyrelu.enumeration.plane_tables import PlaneTables
from polyrelu.kernels import tables as T
from polyrelu.kernels.extended import extended_answer
from polyrelu.kernels.predicates import UNKNOWN

__all__ = ["Answers", "PlaneAnswers"]


class Answers(ABC):
    """Answers the questions of a compiled enumeration about its current region.

    An exception, such as the user's interrupt, is stored and ends the enumeration.

    Attributes
    ----------
    forms : CurrentForms
    geometry
        That of the compiled loop; replaced when its stacks grow.
    error : BaseException or None
    """

    def __init__(self, forms: CurrentForms, geometry: Any) -> None:
        self.forms = forms
        self.geometry = geometry
        self.error: BaseException | None = None

    @abstractmethod
    def answer(self) -> int:
        """Return the sign that answers the question in the state."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        """Keep an exception for the caller of the compiled loop: nothing may escape into compiled code."""
        self.error = self.error or error
        return True

    def callback(self) -> Callable[[int], int]:
        """Return the function that the compiled loop calls."""

        def call(_: int) -> int:
            if self.geometry.state[T.ABORT]:  # the loop is about to stop: what it asks until then need not make sense
                return T.SIGN_SHIFT
            result = T.ABORT_ANSWER
            with self:
                result = self.answer() + T.SIGN_SHIFT
            return result

        return call


class PlaneAnswers(Answers):
    """Answers about crossings of lines: double-doubles come first, rationals have the last word."""

    def __init__(self, polygon: FarPolygon, laid_out: PlaneTables) -> None:
        super().__init__(CurrentForms(laid_out.network, polygon.lines), laid_out.geometry)
        self.laid_out = laid_out

    def answer(self) -> int:
        """Return a row's sign at a crossing, or place the crossing in the scratch row of the vertices."""
        state = self.geometry.state
        kind, row, line, other = state[T.QUESTION : T.QUESTION + 4].tolist()
        extended = self._extended(kind, row, line, other)
        if extended is not None:
            state[T.EXTENDED] += 1
            return extended
        state[T.EXACT] += 1
        if kind == T.ASK_SIGN:
            return sign_at_crossing(self._line(row), self._line(line), self._line(other))
        vertex = self.geometry.vertices[T.SCRATCH]
        vertex[:] = float_vertex(self._line(line), self._line(other))
        vertex[T.GAP] = 0.0  # the lines above are exact only up to factors
        return 0

    def _line(self, column: int) -> Line:
        a, b, c, m = self.forms.form(column)
        return a, b, c, m

    def _extended(self, kind: int, row: int, line: int, other: int) -> int | None:
        """Return what double-doubles answer, None if they cannot."""
        network = self.laid_out.network
        if network.columns[[line, other], T.FAR_SIDE].any():
            return None
        digits = network.digits.digits
        answer = extended_answer(kind, row, line, other, network.tables, digits, self.geometry, self.laid_out.extended)
        return None if answer == UNKNOWN else answer
