"""Decision surfaces of networks with three inputs: watertight meshes with exact vertices and exact topology.

A surface is the boundary of a set of inputs that are decided alike: ``{output > level}``, or the inputs of one class.
The refined network (`polyrelu.tessellation.level_sets`) cuts the domain so that this set is a union of its regions; the
surface consists of the facets between a region inside and one outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError, InternalError, UnboundedError
from polyrelu.exact.rational import to_fraction
from polyrelu.tessellation.build import Method
from polyrelu.tessellation.geometry import exact_corners
from polyrelu.tessellation.homogeneous import homogeneous
from polyrelu.tessellation.level_sets import LevelSet, decision_boundary, last_digits, level_set
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.polygons import Cycles, Polygon, check_space, facet_polygon, ordered_facets
from polyrelu.tessellation.polytopes import fan_volume
from polyrelu.tessellation.topology import Topology, topology_of

__all__ = ["Surface", "check_watertight", "decision_surface", "level_surface", "surface_of"]


@dataclass(frozen=True, eq=False)
class Surface:
    """A surface in space: facets of a tessellation as oriented polygons that share vertices and edges.

    Attributes
    ----------
    tessellation : Tessellation
        Of the refined network.
    facets : int64 array, shape (n_polygons,)
        Facets of that tessellation.
    cycles : Cycles
        The vertices of each polygon as numbers in `vertices`, counter-clockwise seen from outside.
    vertices : int64 array, shape (n_vertices,)
        The vertices of that tessellation that are on the surface.
    regions : int64 array, shape (n_polygons, 2)
        Regions of the original tessellation inside and outside; equal where the polygon crosses a region, -1 beyond
        the border of the domain.
    digits : int64 array, shape (n_polygons, 2)
        What is decided inside and outside: 1 above the level and 0 elsewhere, or the class; -1 beyond the border.
    inside : int or None
        The digit of the set that the surface bounds. None: the surface is where any two classes meet.

    Examples
    --------
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.network.model import Network
    >>> from polyrelu.tessellation.build import tessellate
    >>> sides = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]]
    >>> distance = Network.from_arrays([(sides, [0] * 6), ([[-1] * 6], [1])])  # 1 - |x| - |y| - |z|
    >>> octahedron = level_surface(tessellate(distance, Domain.box([-2] * 3, [2] * 3)))
    >>> len(octahedron), len(octahedron.vertices), octahedron.topology.components[0].name, octahedron.volume()
    (8, 6, 'sphere', Fraction(4, 3))
    >>> cut = level_surface(tessellate(distance, Domain.box([0] * 3, [2] * 3)))
    >>> cut.topology.components[0].name
    'disk'
    >>> cut.volume()
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: volume needs a surface that bounds a set alone but received one without 3 polygons on \
the border of the domain. Make it with cap=True.
    """

    tessellation: Tessellation
    facets: NDArray[np.int64]
    cycles: Cycles
    vertices: NDArray[np.int64]
    regions: NDArray[np.int64]
    digits: NDArray[np.int64]
    inside: int | None

    def __len__(self) -> int:
        return len(self.facets)

    @property
    def is_cap(self) -> NDArray[np.bool_]:
        """Which polygons lie on the border of the domain, shape (n_polygons,)."""
        return self.digits[:, 1] < 0

    @property
    def vertices_float(self) -> NDArray[np.float64]:
        """Coordinates, shape (n_vertices, 3)."""
        return self.tessellation.vertices_float[self.vertices]

    @cached_property
    def vertices_exact(self) -> list[tuple[Fraction, ...]]:
        """Exact coordinates."""
        return [tuple(map(to_fraction, point)) for point, _ in exact_corners(self.tessellation, self.vertices.tolist())]

    def polygon(self, index: int) -> Polygon:
        """Return one polygon exactly."""
        return Polygon(tuple(self.vertices_exact[v] for v in self.cycles.of(index).tolist()))

    @cached_property
    def triangles(self) -> NDArray[np.int64]:
        """The polygons cut into triangles from their first vertices, shape (n_triangles, 3)."""
        first, last = self.cycles.indptr[:-1], self.cycles.indptr[1:]
        counts = last - first - 2
        starts = np.repeat(first, counts)
        steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.cycles.vertices[np.stack([starts, starts + steps + 1, starts + steps + 2], axis=1)].astype(np.int64)

    @property
    def triangle_polygons(self) -> NDArray[np.int64]:
        """The polygon of each triangle, shape (n_triangles,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.cycles.indptr) - 2)

    @cached_property
    def topology(self) -> Topology:
        """Components, Betti numbers, boundary curves, genus, and where the surface branches."""
        return topology_of(*self.cycles)

    def volume(self) -> Fraction | None:
        """Return the exact volume of the set that the surface bounds, None if it is unbounded.

        Raises
        ------
        InputError
            If the border of the domain bounds the set too and is not part of the surface, or the surface is where any
            two classes meet.
        """
        if self.inside is None:
            raise InputError("volume needs the surface of one class but received that of all. Name a class.")
        t = self.tessellation
        is_inside = last_digits(t) == self.inside
        n_caps = int((is_inside[t.facet_regions[:, 0]] & (t.facet_regions[:, 1] < 0)).sum() - self.is_cap.sum())
        if n_caps:
            raise InputError(
                f"volume needs a surface that bounds a set alone but received one without {n_caps} polygons on the "
                "border of the domain. Make it with cap=True."
            )
        if not t.bounded[is_inside].all():
            return None
        points = homogeneous(exact_corners(t, self.vertices.tolist()))
        around = (self.cycles.of(i).tolist() for i in range(len(self)))
        sizes = (fan_volume([points[v] for v in on]) for on in around)
        return to_fraction(sum(sizes, start=flint.fmpq(0)) / 6)


def level_surface(
    tessellation: Tessellation,
    output: int = 0,
    level: object = 0,
    *,
    cap: bool = False,
    method: Method | None = None,
) -> Surface:
    """Return the boundary of the inputs at which an output is above a level.

    This is a surface whatever the network does. Where the output is on the level on a whole region, that region is
    outside. Facets at which the output only touches the level, the same side of it on both sides of the facet, are not
    on the surface; `LevelSet.facets` has them.

    Parameters
    ----------
    tessellation : Tessellation
        Of a network with three inputs.
    output : int
    level : number or text
        Taken exactly.
    cap : bool
        Close the surface with the parts of the domain's border at which the output is above the level.
    method : callable, optional
        How the refined network is enumerated (`polyrelu.tessellation.build.tessellate`).

    Raises
    ------
    DomainError
        If the tessellation is not three-dimensional.
    InputError
        If there is no such output, or the tessellation is incomplete.
    UnboundedError
        If the surface is unbounded.
    """
    check_space("level_surface", tessellation)
    _check_complete(tessellation)
    return surface_of(level_set(tessellation, output, level, method=method), 1, cap=cap)


def decision_surface(
    tessellation: Tessellation, label: int | None = None, *, cap: bool = False, method: Method | None = None
) -> Surface:
    """Return the boundary of the inputs of one class, or where any two classes meet.

    With one output there are two classes: 1 where it is positive, 0 elsewhere. With several the class is the largest
    output, at a tie the first one.

    Parameters
    ----------
    tessellation : Tessellation
        Of a network with three inputs.
    label : int, optional
        The class. Without one, the surface is where any two classes meet; where three meet, it branches.
    cap : bool
        Close the surface of a class with the parts of the domain's border that belong to it.
    method : callable, optional
        How the refined network is enumerated.

    Raises
    ------
    DomainError, InputError, UnboundedError
        As `level_surface`.
    """
    check_space("decision_surface", tessellation)
    _check_complete(tessellation)
    n_classes = max(tessellation.network.n_out, 2)
    if label is not None and not 0 <= label < n_classes:
        raise InputError(f"decision_surface needs one of {n_classes} classes but received {label}. Count from 0.")
    return surface_of(decision_boundary(tessellation, method=method), label, cap=cap)


def surface_of(found: LevelSet, inside: int | None = 1, *, cap: bool = False) -> Surface:
    """Return the surface of a level set or decision boundary: the facets where its last digit changes.

    Parameters
    ----------
    found : LevelSet
        Of a tessellation of three dimensions.
    inside : int, optional
        Only the boundary of the regions with this digit. None: between any two digits, outside is the larger one.
    cap : bool
        Add the parts of the domain's border that belong to those regions.
    """
    t = found.tessellation
    if cap and inside is None:
        raise InputError("A cap needs the surface of one class but received that of all. Name a class.")
    sides = t.facet_regions
    digits = np.where(sides >= 0, last_digits(t)[sides], -1)
    if inside is None:
        is_turned = digits[:, 0] > digits[:, 1]
        is_chosen = (digits[:, 0] != digits[:, 1]) & (sides[:, 1] >= 0)
    else:
        is_turned = digits[:, 0] != inside
        is_chosen = ((digits == inside).sum(axis=1) == 1) & (cap | (sides[:, 1] >= 0))
    facets = np.flatnonzero(is_chosen)
    cycles = _closed_cycles(t, facets).turned(is_turned[facets])
    vertices, numbers = np.unique(cycles.vertices, return_inverse=True)
    outward = np.where(is_turned[facets, None], [[1, 0]], [[0, 1]])
    regions = np.where(sides[facets] >= 0, found.origins[sides[facets]], -1)
    surface = Surface(
        t,
        facets,
        Cycles(cycles.indptr, numbers.reshape(-1).astype(np.int32)),
        vertices.astype(np.int64),
        np.take_along_axis(regions, outward, axis=1),
        np.take_along_axis(digits[facets], outward, axis=1),
        inside,
    )
    if inside is not None:
        check_watertight(surface)
    return surface


def check_watertight(surface: Surface) -> None:
    """Raise `InternalError` unless the boundary of a surface lies on the border of the domain.

    A surface of one class is watertight: its polygons are oriented alike, each of its edges inside the domain is in an
    even number of them, and edges in an odd number are edges of facets on the border; with a cap there are none.
    """
    t, topology = surface.tessellation, surface.topology
    ends = np.sort(surface.vertices[topology.boundary_edges], axis=1)
    border = np.flatnonzero(t.facet_regions[:, 1] == -1)
    if len(ends):
        known, size = np.sort(ordered_facets(t, border).ends, axis=1), len(t.vertex_kind)
        ends = ends[~np.isin(ends @ [size, 1], known @ [size, 1])]
    if len(ends) or not topology.is_oriented or (surface.is_cap.any() and not topology.is_closed):
        raise InternalError(
            f"A surface needs polygons that close up inside the domain but received {len(ends)} edges that are open "
            f"there, or orders that do not fit (network {t.network.hash[:12]}). Please report the network."
        )


def _closed_cycles(t: Tessellation, facets: NDArray[np.int64]) -> Cycles:
    """Return the vertices of facets in order; raise `UnboundedError` if one is unbounded."""
    cycles = ordered_facets(t, facets)
    is_open = np.diff(cycles.indptr) == 0
    if is_open.any():
        polygon = facet_polygon(t, int(facets[np.argmax(is_open)]))
        ray = ", ".join(map(str, polygon.rays[0]))
        raise UnboundedError(
            f"A surface needs bounded polygons but received one with ray ({ray}). Give the tessellation a bounded "
            "domain."
        )
    return cycles


def _check_complete(t: Tessellation) -> None:
    if not t.is_complete:
        raise InputError(
            f"A surface needs a complete tessellation but received {t.n_regions} regions of one that was ended early. "
            "Raise the budget."
        )
