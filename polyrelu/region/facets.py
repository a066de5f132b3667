"""Facets of a polyhedron with interior points: which rows are irredundant, and a point inside each facet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.exact.linalg import dot
from polyrelu.region.lp import Infeasible, Witness, find_point

__all__ = ["Facet", "decide_facet", "find_facets"]


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet of a region.

    Attributes
    ----------
    row : tuple of int, length dim + 1
        ``(a_1, …, a_dim, c)``, coprime: the region lies in ``a · x + c >= 0``, the facet on its boundary.
    neurons : tuple of int
        The neurons whose preactivation (or distance from the breakpoint, or difference of max inputs)
        vanishes on the whole facet but not on the region; several where bent hyperplanes coincide.
    domain_rows : tuple of int
        The rows of the domain that vanish on it.
    point : tuple of Fraction, length dim
        In the relative interior: every row but this one is > 0 there.
    """

    row: tuple[int, ...]
    neurons: tuple[int, ...]
    domain_rows: tuple[int, ...]
    point: tuple[Fraction, ...]


def find_facets(
    rows: Sequence[tuple[int, ...]], interior: Sequence[Fraction]
) -> list[tuple[tuple[int, ...], tuple[Fraction, ...]]]:
    """Return each row that carries a facet, once, with a point of the facet's relative interior.

    Parameters
    ----------
    rows : sequence of coprime integer rows, each of length dim + 1
    interior : tuple of Fraction, length dim
        Strictly inside every row with a non-zero normal.

    Notes
    -----
    From the interior point one shoots along each normal: a row hit first and alone carries a facet. What no
    shot has hit is decided by an exact LP.

    Examples
    --------
    >>> from polyrelu.region.lp import find_interior_point
    >>> rows = [(1, 0, 0), (0, 1, 0), (-1, -1, 2), (-1, 0, 5)]
    >>> [row for row, _ in find_facets(rows, find_interior_point(rows).point)]
    [(1, 0, 0), (0, 1, 0), (-1, -1, 2)]
    """
    distinct = list(dict.fromkeys(row for row in rows if any(row[:-1])))
    values = [dot(row, (*interior, 1)) for row in distinct]
    hit: dict[int, tuple[Fraction, ...]] = {}
    for target in range(len(distinct)):
        shot = _shoot(distinct, values, interior, distinct[target][:-1])
        if shot is not None:
            hit.setdefault(*shot)
    facets = []
    for i, row in enumerate(distinct):
        answer = Witness(hit[i]) if i in hit else decide_facet(distinct, i)[1]
        if isinstance(answer, Witness):
            facets.append((row, answer.point))
    return facets


def decide_facet(rows: Sequence[tuple[int, ...]], index: int) -> tuple[bool, Witness | Infeasible]:
    """Return whether a row carries a facet that no other row carries, with evidence.

    The polyhedron needs interior points. A witness lies on the row and strictly inside the others; the
    multipliers of a refusal belong to the rows and, last, to the row turned round.

    Examples
    --------
    >>> decide_facet([(1, 0), (1, 1)], 0)
    (True, Witness(point=(Fraction(0, 1),)))
    >>> decide_facet([(1, 0), (1, 1)], 1)
    (False, Infeasible(multipliers=(Fraction(1, 1), Fraction(0, 1), Fraction(1, 1))))
    """
    turned = tuple(-value for value in rows[index])
    strict = [any(row[:-1]) and i != index for i, row in enumerate(rows)]
    answer = find_point([*rows, turned], [*strict, False], central=False)
    return isinstance(answer, Witness), answer


def _shoot(
    rows: Sequence[tuple[int, ...]],
    values: Sequence[Fraction | int],
    origin: Sequence[Fraction],
    normal: Sequence[int],
) -> tuple[int, tuple[Fraction, ...]] | None:
    """Return the row that the half-line against a normal hits first, and where, if it hits one alone."""
    first, alone, time = -1, True, Fraction(0)
    for i, row in enumerate(rows):
        rate = dot(row[:-1], normal)
        if rate > 0:
            arrival = Fraction(values[i]) / rate
            if first < 0 or arrival < time:
                first, alone, time = i, True, arrival
            elif arrival == time:
                alone = False
    if not alone:
        return None
    return first, tuple(x - time * a for x, a in zip(origin, normal, strict=True))
