"""Is a linear region convex? Decided at its facets, with three points on a line where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from polyrelu.analysis.claims.evidence import Computation, Counterexample
from polyrelu.certificate.verdict import Evidence
from polyrelu.network.pattern import Pattern

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["Dent", "dent_evidence", "find_dent", "is_between"]

Point = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Dent:
    """Two regions of one linear region, a region of another one, and points inside them on one line.

    Attributes
    ----------
    chain : tuple of Pattern
        Regions with one map, each sharing a facet with the next.
    between : Pattern
        With another map.
    points : three points
        Inside the first of the chain, inside ``between``, inside the last of the chain, in this order on a line.
    """

    chain: tuple[Pattern, ...]
    between: Pattern
    points: tuple[Point, Point, Point]


def find_dent(tessellation: Tessellation) -> Dent | None:
    """Return why some linear region is not convex, or None: all of them are.

    Notes
    -----
    A connected union of regions is convex exactly if it lies on the inner side of every facet that parts it from a
    region with another map. If a point p of it is beyond such a facet, the segment from a point of the facet to p
    starts in the region across; if there is none, the union is cut out by those halfspaces and the domain.

    Examples
    --------
    >>> from polyrelu import Network, tessellate
    >>> corner = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[-1, -1]], [1]), ([[1]], [0])])
    >>> dent = find_dent(tessellate(corner))
    >>> str(dent.between), [str(pattern) for pattern in dent.chain]
    ('11|1', ['11|0', '10|0'])
    """
    for i, row, start, across in _outer_facets(tessellation):
        for j in _regions_with_label(tessellation, i):
            beyond = _point_beyond(tessellation, j, row)
            if beyond is not None:
                return _dent(tessellation, (i, across, j), start, beyond)
    return None


def dent_evidence(tessellation: Tessellation, dent: Dent) -> Counterexample:
    """Return what proves a dent: shared facets, equal and different maps, and the points on their line."""
    from polyrelu.analysis.answers import decide_adjacent, decide_equal_maps

    network = tessellation.network
    facts: list[Evidence | None] = []
    for pattern, other in pairwise(dent.chain):
        facts.append(decide_adjacent(network, pattern, other).evidence)
        facts.append(decide_equal_maps(network, pattern, other).evidence)
    facts.append(decide_equal_maps(network, dent.chain[0], dent.between).evidence)
    facts.append(Computation("the second point is between the others", is_between, dent.points, True))
    patterns = (dent.chain[0], dent.between, dent.chain[-1])
    return Counterexample(network, dent.points, patterns, tuple(fact for fact in facts if fact is not None))


def is_between(p: Point, q: Point, r: Point) -> bool:
    """Return whether q lies on the segment from p to r, and is neither of them.

    Examples
    --------
    >>> zero, one, two = ((Fraction(k), Fraction(k)) for k in range(3))
    >>> is_between(zero, one, two), is_between(zero, two, one)
    (True, False)
    """
    whole = [c - a for a, c in zip(p, r, strict=True)]
    part = [b - a for a, b in zip(p, q, strict=True)]
    axis = next((k for k, step in enumerate(whole) if step), None)
    if axis is None:
        return False
    share = part[axis] / whole[axis]
    return 0 < share < 1 and all(b == share * c for b, c in zip(part, whole, strict=True))


def _outer_facets(t: Tessellation) -> Iterator[tuple[int, tuple[int, ...], Point, int]]:
    """Yield region, row, a point of the facet, and the region across, for facets between different maps."""
    from polyrelu.region.model import neighbour_across

    labels = t.linear_regions.labels
    numbers = {t.pattern(i): i for i in range(t.n_regions)}
    for i in range(t.n_regions):
        region = t.region(i)
        for facet in region.facets:
            across = numbers.get(neighbour_across(region, facet) or region.pattern, i)
            if labels[across] != labels[i]:
                yield i, facet.row, facet.point, across


def _regions_with_label(t: Tessellation, i: int) -> list[int]:
    labels = t.linear_regions.labels
    return [j for j in range(t.n_regions) if j != i and labels[j] == labels[i]]


def _point_beyond(t: Tessellation, j: int, row: tuple[int, ...]) -> Point | None:
    """Return a point inside a region and beyond a row, or None."""
    from polyrelu.region.lp import Witness, find_point

    rows = [*t.region(j).rows, tuple(-a for a in row)]
    answer = find_point(rows, [any(each[:-1]) for each in rows], t.dim)
    return answer.point if isinstance(answer, Witness) else None


def _dent(t: Tessellation, regions: tuple[int, int, int], start: Point, beyond: Point) -> Dent:
    """Return the dent, with points near the facet's point on the line to the one beyond."""
    import networkx

    i, across, j = regions
    labels = t.linear_regions.labels
    graph = networkx.Graph([pair for pair in t.adjacent_pairs.tolist() if labels[pair[0]] == labels[pair[1]]])
    chain = tuple(t.pattern(k) for k in networkx.shortest_path(graph, i, j))
    step = tuple(b - a for a, b in zip(start, beyond, strict=True))
    before, after = _on_line(t, start, step, chain[0], -1), _on_line(t, start, step, t.pattern(across), 1)
    return Dent(chain, t.pattern(across), (before, after, beyond))


def _on_line(t: Tessellation, start: Point, step: Point, pattern: Pattern, sign: int) -> Point:
    """Return a point on a line, on one side of its start and so near to it that it lies inside a region."""
    size = Fraction(sign, 2)
    while True:
        point = tuple(a + size * b for a, b in zip(start, step, strict=True))
        if t.network.exact.pattern_at(point) == pattern and t.domain.contains(point):
            return point
        size /= 2
