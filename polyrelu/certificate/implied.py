"""Rows that hold wherever some facets do: proved by the corners of a polygon, or by non-negative multipliers."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.certificate.borders import Row
from polyrelu.certificate.format import UNUSED, refuse

__all__ = ["at", "find_corners", "implied_by_bases", "multiple_of"]

ZERO, ONE = flint.fmpz(0), flint.fmpz(1)
AT_INFINITY: Row = (ZERO, ZERO, ONE)
"""The row that homogeneous coordinates ``(x, y, w)`` always satisfy: ``w >= 0``."""


def at(row: Row, point: Sequence[int]) -> flint.fmpz:
    """Return the value of a row at a point in homogeneous coordinates, up to a positive factor."""
    return sum(map(mul, row, point), ZERO)


def multiple_of(row: Row) -> tuple[flint.fmpz, ...]:
    """Return what two rows share iff they vanish on the same set: () for a row that vanishes everywhere."""
    divisor = ZERO
    for value in row:
        divisor = divisor.gcd(value)
    if not divisor:
        return ()
    if next(value for value in row if value) < 0:
        divisor = -divisor
    return tuple(value // divisor for value in row)


def find_corners(rows: list[Row], where: str) -> list[Row]:
    """Return homogeneous points and directions that generate a polygon, which has just these rows as its facets.

    Parameters
    ----------
    rows : list of Row
        The polygon's facets counter-clockwise, positive inside.
    """
    if not all(a or b for a, b, _ in rows):
        refuse(f"a facet lies on a row that is the same everywhere{where}")
    if not rows:
        return [(ONE, ZERO, ZERO), (-ONE, ZERO, ZERO), (ZERO, ONE, ZERO), (ZERO, -ONE, ZERO), (ZERO, ZERO, ONE)]
    parallel = all(rows[0][0] * b == rows[0][1] * a for a, b, _ in rows[1:])
    if parallel and len(rows) <= 2:
        return _ends_of_strip(rows, where)
    cycle: list[Row] = []
    for row, (a, b, _) in zip(rows, [*rows[1:], rows[0]], strict=True):
        cycle += [row, AT_INFINITY] if row[0] * b < row[1] * a else [row]
    corners = [_cross(row, following) for row, following in zip(cycle, [*cycle[1:], cycle[0]], strict=True)]
    n = len(cycle)
    for i, (a, b, c) in enumerate(cycle):
        for j, (x, y, w) in enumerate(corners):
            if j != i and (j + 1) % n != i and a * x + b * y + c * w <= 0:
                refuse(f"its facets do not follow each other around a polygon{where}")
    return corners


def _ends_of_strip(rows: list[Row], where: str) -> list[Row]:
    """Return what generates a half-plane, or the strip between two parallel lines."""
    a, b, _ = rows[0]
    found: list[Row] = [(-b, a, ZERO), (b, -a, ZERO)]
    found += [(-p * r, -q * r, p * p + q * q) for p, q, r in rows]
    if len(rows) == 1:
        found.append((a, b, ZERO))
    elif not all(sum(p * q for p, q in zip(row, found[3 - i], strict=True)) > 0 for i, row in enumerate(rows)):
        refuse(f"its two parallel facets do not bound a strip{where}")
    return found


def _cross(p: Row, q: Row) -> Row:
    return (p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0])


def implied_by_bases(
    rows: list[Row], asked: list[Row], bases: NDArray[np.uint16], start: int, where: str
) -> tuple[list[bool], int]:
    """Refuse unless each asked row is a non-negative combination of rows, plus a constant that is not negative.

    Parameters
    ----------
    rows : list of Row
        Independent ones may form a basis.
    asked : list of Row
    bases : uint16 array, shape (n_bases, dim)
        Which rows to combine, for each asked row that is no constant; from the line ``start`` on.

    Returns
    -------
    positive : list of bool
        Which asked rows are surely positive where the rows hold.
    stop : int
        The first line that was not read.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    named = [i for i, row in enumerate(asked) if any(row[:-1])]
    stop = start + len(named)
    if stop > len(bases):
        refuse(f"it has too few bases{where}")
    for i, line in zip(named, bases[start:stop].tolist(), strict=True):
        groups.setdefault(tuple(line), []).append(i)
    rest: list[flint.fmpz] = [row[-1] for row in asked]
    for line, members in groups.items():
        basis = [k for k in line if k != UNUSED]
        if any(k >= len(rows) for k in basis):
            refuse(f"a basis names a facet that the cell does not have{where}")
        size = len(basis)
        columns = [rows[k][:-1] for k in basis] + [asked[i][:-1] for i in members]
        table, scale, rank = flint.fmpz_mat(columns).transpose().rref()
        if rank != size or any(table[k, k] != scale for k in range(size)):
            refuse(f"the facets of a basis do not span a row of the cell, or not in one way{where}")
        if scale < 0:
            table, scale = -table, -scale
        if min(table.entries()) < 0:
            refuse(f"a row of the cell is no non-negative combination of the facets of its basis{where}")
        constants = [rows[k][-1] for k in basis] + [ZERO] * (table.nrows() - size)
        for i, value in zip(members, (flint.fmpz_mat([constants]) * table).entries()[size:], strict=True):
            rest[i] = scale * rest[i] - value
    if any(constant < 0 for constant in rest):
        refuse(f"a row of the cell is negative somewhere on its facets{where}")
    return [constant > 0 for constant in rest], stop
