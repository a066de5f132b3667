"""Plane geometry in rationals: lines, their crossings, and the polygon that an enumeration starts from.

A line is four integers ``(a, b, c, m)``: ``a x + b y + c + m M`` is non-negative on its good side, where ``M`` is a
number larger than all others. Only the sides of the far square ``|x|, |y| <= M``, which closes unbounded domains, have
``m != 0``. Signs are those of the ordered field of rational functions in ``M``: the coefficient of ``M`` counts
first.
"""

from __future__ import annotations

from dataclasses import dataclass

from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import nearest_float
from polyrelu.kernels.bounds import SLACK, SMALLEST_GAP, rounding_error

__all__ = ["FarPolygon", "Line", "crossing", "far_polygon", "float_vertex", "sign_at_crossing"]

Line = tuple[int, int, int, int]

FAR_SQUARE: tuple[Line, ...] = ((0, 1, 0, 1), (-1, 0, 0, 1), (0, -1, 0, 1), (1, 0, 0, 1))


@dataclass(frozen=True)
class FarPolygon:
    """A convex polygon, bounded by lines of the domain and possibly by sides of the far square.

    Attributes
    ----------
    lines : tuple of Line
        The domain's rows, then the four sides of the far square.
    edges : tuple of int
        Lines of the edges, counter-clockwise; vertex ``i`` is where edges ``i - 1`` and ``i`` meet.
    """

    lines: tuple[Line, ...]
    edges: tuple[int, ...]


def crossing(i: Line, j: Line) -> tuple[int, int, int, int, int]:
    """Return (x0, x1, y0, y1, w): the lines meet at ``((x0 + x1 M) / w, (y0 + y1 M) / w)``."""
    (a, b, c, m), (d, e, f, n) = i, j
    return b * f - e * c, b * n - e * m, c * d - f * a, m * d - n * a, a * e - d * b


def sign_at_crossing(form: Line, i: Line, j: Line) -> int:
    """Return the sign (-1, 0, 1) of a form at the crossing of two lines that are not parallel."""
    x0, x1, y0, y1, w = crossing(i, j)
    a, b, c, m = form
    far = a * x1 + b * y1 + m * w
    value = far if far else a * x0 + b * y0 + c * w
    return ((value > 0) - (value < 0)) * (1 if w > 0 else -1)


def float_vertex(i: Line, j: Line) -> tuple[float, ...]:
    """Return a crossing as the columns of a vertex on the stack (`polyrelu.kernels.tables`), nearest floats."""
    x0, x1, y0, y1, w = (int(v) for v in crossing(i, j))
    x, y, far_x, far_y = (nearest_float(v, w) for v in (x0, y0, x1, y1))
    x_error, y_error = rounding_error(x, x0, w), rounding_error(y, y0, w)
    far_error = max(rounding_error(far_x, x1, w), rounding_error(far_y, y1, w))
    gap = nearest_float(1, abs(w)) / SLACK
    return x, y, x_error, y_error, far_x, far_y, far_error, gap if gap > SMALLEST_GAP else 0.0


def far_polygon(domain: Domain) -> FarPolygon | None:
    """Return a domain of the plane as a polygon; None if it has no interior."""
    lines = (*((row[0], row[1], row[2], 0) for row in domain.rows), *FAR_SQUARE)
    first_side = len(domain.rows)
    edges = [first_side + side for side in range(4)]
    for index in range(first_side):
        clipped = _clip(lines, edges, index)
        if clipped is None:
            return None
        edges = clipped
    return FarPolygon(lines, tuple(edges))


def _clip(lines: tuple[Line, ...], edges: list[int], index: int) -> list[int] | None:
    """Return the edges of the part of a polygon on a line's good side; None if it has no interior."""
    n, form = len(edges), lines[index]
    if not form[0] and not form[1]:
        return edges if form[2] >= 0 else None
    signs = [sign_at_crossing(form, lines[edges[i - 1]], lines[edges[i]]) for i in range(n)]
    if max(signs) <= 0:
        return None
    if min(signs) >= 0:
        return edges
    result = []
    for i in range(n):
        here, there = signs[i], signs[(i + 1) % n]
        if here >= 0 and there < 0:
            result += [edges[i], index] if here > 0 else [index]
        elif here >= 0 or there > 0:
            result.append(edges[i])
    return result
