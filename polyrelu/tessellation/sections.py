"""Cross-sections of tessellations: by a slice in any dimension, and polytopes cut by a plane.

`section` restricts the network to a slice, tessellates that, and finds the region that each part lies in. `cut_regions`
cuts the polytopes of a three-dimensional tessellation by a plane, edge by edge. Both are exact, and they agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import DomainError, InputError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import null_space
from polyrelu.exact.rational import primitive_row, to_fraction, to_fractions
from polyrelu.network.slices import Slice
from polyrelu.region.hull import decide_domain
from polyrelu.tessellation.build import Method, tessellate
from polyrelu.tessellation.geometry import exact_corners
from polyrelu.tessellation.homogeneous import homogeneous, value_at
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.polygons import Polygon
from polyrelu.tessellation.polytopes import Polytopes

__all__ = ["Section", "cut_regions", "plane_of", "section"]

Node = tuple[int, ...]
"""Where a plane meets an edge: its two vertices, or the one vertex that lies on the plane."""


@dataclass(frozen=True, eq=False)
class Section:
    """The part of a tessellation on a slice.

    Attributes
    ----------
    slice : Slice
    tessellation : Tessellation
        Of the network restricted to the slice, in the slice's coordinates.
    regions : int64 array, shape (tessellation.n_regions,)
        The region of the original tessellation that each of its regions lies in. Where the slice runs along a common
        facet of two, it is the one that `Tessellation.locate` gives.
    """

    slice: Slice
    tessellation: Tessellation
    regions: NDArray[np.int64]

    def __len__(self) -> int:
        return self.tessellation.n_regions

    def polygon(self, index: int) -> Polygon:
        """Return one region of a plane section exactly, in the coordinates of the original space.

        Raises
        ------
        DomainError
            If the section is not one by a plane.
        """
        t = self.tessellation
        if t.dim != 2:
            raise DomainError(
                f"Section.polygon needs a section by a plane but received one of dimension {t.dim}. "
                "Use .tessellation.region and .slice.point."
            )
        corners = exact_corners(t, t.corners(index).tolist())
        points = [self.slice.point(point) for point, direction in corners if direction is None]
        origin = self.slice.point([0] * t.dim)
        rays = [
            tuple(a - b for a, b in zip(self.slice.point(direction), origin, strict=True))
            for _, direction in corners
            if direction is not None
        ]
        anchors = points or [self.slice.point(point) for point, _ in corners]
        return Polygon(tuple(dict.fromkeys(anchors)), tuple(dict.fromkeys(rays)))


def section(tessellation: Tessellation, plane: Slice, *, method: Method | None = None) -> Section:
    """Return the cross-section of a tessellation by a slice.

    Parameters
    ----------
    tessellation : Tessellation
        Of any dimension.
    plane : Slice
        Of fewer coordinates, in the tessellation's space (`plane_of`, `Slice.through`).
    method : callable, optional
        How the restricted network is enumerated (`polyrelu.tessellation.build.tessellate`).

    Raises
    ------
    DomainError
        If the slice does not meet the domain, or meets it in a set of lower dimension than its own.
    InputError
        If the slice lies in a space of another dimension.

    Examples
    --------
    >>> from polyrelu.testing import grid
    >>> cubes = tessellate(grid(1, 1, 1), Domain.box([-1] * 3, [1] * 3))
    >>> found = section(cubes, plane_of([1, 1, 1], 1))
    >>> sorted(len(found.polygon(i).points) for i in range(len(found)))
    [3, 3, 3, 3]
    >>> section(cubes, plane_of([1, 1, 1], 3))
    Traceback (most recent call last):
    ...
    polyrelu.errors.DomainError: section needs a slice that meets the domain in a set of dimension 2 but received one \
of dimension 0. Move the slice.
    """
    t = tessellation
    network = t.network.restrict(plane)
    rows = (_pulled_back(row, plane) for row in t.domain.rows)
    domain = Domain(plane.dim, tuple(row for row in rows if any(row)), f"{t.domain.label} on a slice")
    try:
        inner = decide_domain(domain)
    except DomainError as error:
        message = "section needs a slice that meets the domain but received one that misses it. Move the slice."
        raise DomainError(message, error.certificate) from None
    if not inner.is_full_dimensional:
        raise DomainError(
            f"section needs a slice that meets the domain in a set of dimension {plane.dim} but received one of "
            f"dimension {inner.inner.dim}. Move the slice."
        )
    found = tessellate(network, domain, method=method)
    regions = t.pattern_table.find(found.words)
    # Along a facet a pattern of the slice may be that of no region.
    strange = np.flatnonzero(regions < 0)
    regions[strange] = t.locate([plane.point(found.witness(i)) for i in strange.tolist()])
    return Section(plane, found, regions)


def plane_of(normal: Sequence[object], offset: object) -> Slice:
    """Return the slice of all points with ``normal · x = offset``.

    Examples
    --------
    >>> plane = plane_of([0, 0, 2], 1)
    >>> [str(x) for x in plane.point([3, 4])]
    ['3', '4', '1/2']
    >>> plane_of([0, 0], 1)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: plane_of needs a normal of two numbers or more, not all 0, but received (0, 0). \
Give another one.
    """
    values, height = to_fractions(normal, "plane_of"), to_fraction(offset, "plane_of")
    length = sum((value * value for value in values), Fraction(0))
    if len(values) < 2 or not length:
        raise InputError(
            f"plane_of needs a normal of two numbers or more, not all 0, but received ({', '.join(map(str, values))}). "
            "Give another one."
        )
    axis = next(j for j, value in enumerate(values) if value)
    origin = [height / values[axis] if j == axis else Fraction(0) for j in range(len(values))]
    return Slice.along(origin, *null_space([primitive_row(values)], len(values)))


def cut_regions(polytopes: Polytopes, normal: Sequence[object], offset: object) -> list[tuple[int, Polygon]]:
    """Return the polygons in which the plane ``normal · x = offset`` meets the regions, each with its region.

    Corners are counter-clockwise, seen from where ``normal · x`` is larger. A common facet of two regions that lies on
    the plane is returned for both of them.

    Raises
    ------
    UnboundedError
        If a region is unbounded.
    InputError
        If the normal is not of three numbers, or 0.

    Examples
    --------
    >>> from polyrelu.testing import grid
    >>> from polyrelu.tessellation.polytopes import polytopes
    >>> cubes = polytopes(tessellate(grid(1, 1, 1), Domain.box([-1] * 3, [1] * 3)))
    >>> [len(polygon.points) for _, polygon in cut_regions(cubes, [1, 1, 1], 1)]
    [3, 3, 3, 3]
    >>> len(cut_regions(cubes, [0, 0, 1], 0)), len(cut_regions(cubes, [0, 0, 1], "1/2"))
    (8, 4)
    """
    t = polytopes.tessellation
    direction, height = to_fractions(normal, "cut_regions"), to_fraction(offset, "cut_regions")
    if len(direction) != 3 or not any(direction):
        raise InputError(
            f"cut_regions needs a normal of three numbers, not all 0, but received ({', '.join(map(str, direction))}). "
            "Give another one."
        )
    if not t.bounded.all():
        raise UnboundedError(
            f"cut_regions needs bounded regions but received {int((~t.bounded).sum())} unbounded ones. Use section."
        )
    a, b, c, d = map(flint.fmpz, primitive_row((*direction, -height)))
    corners = exact_corners(t, range(len(t.vertex_kind)))
    values = [flint.fmpq(value_at((a, b, c, d), point), point[3]) for point in homogeneous(corners)]
    signs = np.array([(value > 0) - (value < 0) for value in values])
    found = []
    for region in np.flatnonzero(_meets(t, signs)).tolist():
        cycle = _section_cycle([face.tolist() for face in polytopes.faces(region)], signs)
        if cycle:
            points = [_crossing(node, corners, values) for node in cycle]
            found.append((region, Polygon(_counter_clockwise(points, direction))))
    return found


def _pulled_back(row: Sequence[int], plane: Slice) -> tuple[int, ...]:
    """Return a row of the space as one of the slice's coordinates."""
    columns = zip(*plane.matrix.to_fractions(), strict=True)
    *slopes, constant = (sum((a * m for a, m in zip(row[:-1], column, strict=True)), Fraction(0)) for column in columns)
    return primitive_row([*slopes, constant + row[-1]])


def _meets(t: Tessellation, signs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which regions have vertices on both sides of the plane, or on it."""
    of_corners, starts = signs[t.corner_vertices], t.corner_indptr[:-1]
    return (np.minimum.reduceat(of_corners, starts) <= 0) & (np.maximum.reduceat(of_corners, starts) >= 0)


def _section_cycle(faces: list[list[int]], signs: NDArray[np.int64]) -> list[Node]:
    """Return where the plane meets the edges of a polytope, in order; nothing if that is no polygon."""
    onward: dict[Node, set[Node]] = {}
    for face in faces:
        nodes = _nodes(face, signs)
        if len(nodes) == len(face) and all(len(node) == 1 for node in nodes):
            return nodes
        if len(nodes) == 2:
            onward.setdefault(nodes[0], set()).add(nodes[1])
            onward.setdefault(nodes[1], set()).add(nodes[0])
    if len(onward) < 3:
        return []
    cycle = [min(onward)]
    while len(cycle) < len(onward):
        cycle.append(min(onward[cycle[-1]] - set(cycle[-2:])))
    return cycle


def _nodes(face: list[int], signs: NDArray[np.int64]) -> list[Node]:
    """Return where the plane meets the edges of a polygon, each vertex once."""
    nodes: list[Node] = []
    for u, v in zip(face, face[1:] + face[:1], strict=True):
        if signs[u] == 0:
            nodes.append((u,))
        elif signs[u] * signs[v] < 0:
            nodes.append((min(u, v), max(u, v)))
    return nodes


def _crossing(node: Node, corners: list[tuple[Any, Any]], values: list[Any]) -> tuple[Fraction, ...]:
    """Return the point of an edge at which a form vanishes, from its values at both ends."""
    if len(node) == 1:
        return tuple(map(to_fraction, corners[node[0]][0]))
    (p, _), (q, _) = (corners[v] for v in node)
    a, b = (values[v] for v in node)
    return tuple(to_fraction((b * x - a * y) / (b - a)) for x, y in zip(p, q, strict=True))


def _counter_clockwise(
    points: list[tuple[Fraction, ...]], normal: Sequence[Fraction]
) -> tuple[tuple[Fraction, ...], ...]:
    p, q, r = points[:3]
    a, b = ([y - x for x, y in zip(p, other, strict=True)] for other in (q, r))
    turn = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    is_forward = sum((n * x for n, x in zip(normal, turn, strict=True)), Fraction(0)) > 0
    return tuple(points if is_forward else points[::-1])
