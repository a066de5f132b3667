"""Exact points of space in homogeneous integers, and the few determinants that polygons and volumes need.

A point ``(x, y, z) / w`` is the row ``(x, y, z, w)`` with w > 0, a direction the row ``(x, y, z, 0)``. Every point has
a denominator of its own: a common one for all vertices would be as long as all of them together.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import lcm
from typing import Any

import flint

from polyrelu.tessellation.geometry import ExactCorner

__all__ = ["HomogeneousPoint", "determinant", "homogeneous", "plane_through", "value_at"]

HomogeneousPoint = tuple[Any, Any, Any, Any]
"""Integers (flint.fmpz) ``(x, y, z, w)``."""


def homogeneous(corners: Iterable[ExactCorner]) -> list[HomogeneousPoint]:
    """Return exact corners in integers: points with a positive last coordinate, directions with 0.

    Examples
    --------
    >>> half = flint.fmpq(1, 2)
    >>> homogeneous([((half, half / 3, half - half), None)])
    [(3, 1, 0, 6)]
    """
    result = []
    for point, direction in corners:
        values = point if direction is None else direction
        scale = flint.fmpz(lcm(*(int(value.q) for value in values)))
        x, y, z = (value.p * (scale // value.q) for value in values)
        result.append((x, y, z, scale if direction is None else flint.fmpz(0)))
    return result


def determinant(p: HomogeneousPoint, q: HomogeneousPoint, r: HomogeneousPoint) -> Any:
    """Return the determinant of the first three coordinates of three points."""
    x, y, z, _ = p
    return (
        x * (q[1] * r[2] - q[2] * r[1]) - y * (q[0] * r[2] - q[2] * r[0]) + z * (q[0] * r[1] - q[1] * r[0])
    )  # fmt: skip


def plane_through(p: HomogeneousPoint, q: HomogeneousPoint, r: HomogeneousPoint) -> HomogeneousPoint:
    """Return a form that vanishes at three points, and is positive where one sees them counter-clockwise.

    Parameters
    ----------
    p, q, r : HomogeneousPoint
        Points, no directions, and not on one line.
    """
    a, b = ([x * p[3] - y * s[3] for x, y in zip(s[:3], p[:3], strict=True)] for s in (q, r))
    normal = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    offset = sum((n * x for n, x in zip(normal, p[:3], strict=True)), flint.fmpz(0))
    return normal[0] * p[3], normal[1] * p[3], normal[2] * p[3], -offset


def value_at(form: HomogeneousPoint, point: HomogeneousPoint) -> Any:
    """Return the value of a form at a point, times the point's denominator; at a direction, its growth."""
    return sum((a * x for a, x in zip(form, point, strict=True)), flint.fmpz(0))
