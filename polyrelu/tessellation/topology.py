"""The topology of a surface made of polygons, exactly: components, Betti numbers, boundary, genus, where it branches.

Everything is counted from lists of vertices; no coordinate enters. The polygons, their edges and their vertices are a
cell complex. Its components are found by union-find. Its second Betti number, over the field of two elements, is the
number of independent sets of polygons that meet every edge an even number of times: polygons that share an edge with
no third one are in such a set together or not at all, so that the rank of a system is needed only where three or more
polygons meet in an edge. The first Betti number then follows from the Euler characteristic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.errors import InputError
from polyrelu.tessellation.graph import components

__all__ = ["Component", "Topology", "topology_of"]


@dataclass(frozen=True, slots=True)
class Component:
    """The topology of one connected component of a surface.

    Attributes
    ----------
    n_vertices, n_edges, n_polygons : int
    betti : tuple of int
        Betti numbers b0 = 1, b1, b2 over the field of two elements. Complexes in three-dimensional space have no
        torsion (Hatcher 2002, Corollary 3.46), so for them they are also the rational ones.
    n_boundary_curves : int
        Connected parts of the boundary: the edges in an odd number of polygons.
    is_manifold : bool
        Whether every edge is in at most two polygons and the polygons around each vertex form one disk.
    is_orientable : bool
        Whether polygons that share an edge with no third one can all be oriented alike.
    """

    n_vertices: int
    n_edges: int
    n_polygons: int
    betti: tuple[int, int, int]
    n_boundary_curves: int
    is_manifold: bool
    is_orientable: bool

    @property
    def euler_characteristic(self) -> int:
        """Vertices minus edges plus polygons; also b0 - b1 + b2."""
        return self.n_vertices - self.n_edges + self.n_polygons

    @property
    def is_closed(self) -> bool:
        """True if there is no boundary."""
        return self.n_boundary_curves == 0

    @property
    def genus(self) -> int | None:
        """Number of handles of an orientable manifold, with its boundary curves filled by disks; else None."""
        if not (self.is_manifold and self.is_orientable):
            return None
        return (2 - self.n_boundary_curves - self.euler_characteristic) // 2

    @property
    def name(self) -> str:
        """What a person would call it: a sphere, a torus, a disk, …"""
        genus, curves = self.genus, self.n_boundary_curves
        if genus is None:
            branching, one_sided = "" if self.is_manifold else "branching ", "" if self.is_orientable else "one-sided "
            return f"{branching}{one_sided}surface"
        known = {(0, 0): "sphere", (1, 0): "torus", (0, 1): "disk", (0, 2): "annulus"}
        closed = {0: "sphere", 1: "torus"}.get(genus, f"surface of genus {genus}")
        return known.get((genus, curves), closed if not curves else f"{closed} with {curves} hole{'s'[: curves - 1]}")


@dataclass(frozen=True, eq=False, slots=True)
class Topology:
    """The topology of a surface made of polygons.

    Attributes
    ----------
    components : tuple of Component
        In the order of their smallest vertices.
    labels : int64 array, shape (n_polygons,)
        The component of each polygon.
    boundary_edges : int64 array, shape (n, 2)
        Edges in an odd number of polygons, as pairs of vertices.
    singular_edges : int64 array, shape (n, 2)
        Edges in more than two polygons.
    singular_vertices : int64 array, shape (n,)
        Vertices around which the polygons do not form one disk; ends of singular edges are among them.
    is_oriented : bool
        Whether the given orders fit together: every edge is run through equally often both ways, a boundary edge once
        more in one of them.
    """

    components: tuple[Component, ...]
    labels: NDArray[np.int64]
    boundary_edges: NDArray[np.int64]
    singular_edges: NDArray[np.int64]
    singular_vertices: NDArray[np.int64]
    is_oriented: bool

    @property
    def euler_characteristic(self) -> int:
        """Vertices minus edges plus polygons."""
        return sum(component.euler_characteristic for component in self.components)

    @property
    def betti(self) -> tuple[int, int, int]:
        """Betti numbers b0, b1, b2 over the field of two elements (`Component.betti`)."""
        columns = list(zip(*(component.betti for component in self.components), strict=True)) or [(0,)] * 3
        return sum(columns[0]), sum(columns[1]), sum(columns[2])

    @property
    def is_closed(self) -> bool:
        """True if no component has a boundary."""
        return not len(self.boundary_edges)

    @property
    def is_manifold(self) -> bool:
        """True if all components are manifolds, perhaps with boundary."""
        return not len(self.singular_vertices)

    @property
    def is_orientable(self) -> bool:
        """True if all components are orientable."""
        return all(component.is_orientable for component in self.components)


def topology_of(indptr: ArrayLike, vertices: ArrayLike) -> Topology:
    """Return the topology of polygons glued along common edges and vertices.

    Parameters
    ----------
    indptr : int array, shape (n_polygons + 1,); vertices : int array
        Polygon ``i`` has the vertices ``vertices[indptr[i]:indptr[i + 1]]``, in order around it, each once.

    Raises
    ------
    InputError
        If a polygon has fewer than three vertices, or one of them twice.

    Examples
    --------
    >>> tetrahedron = [0, 2, 1, 0, 1, 3, 1, 2, 3, 2, 0, 3]
    >>> found = topology_of([0, 3, 6, 9, 12], tetrahedron)
    >>> found.betti, found.euler_characteristic, found.is_oriented, found.components[0].name
    ((1, 0, 1), 2, True, 'sphere')
    >>> topology_of([0, 3, 6, 9], tetrahedron[:9]).components[0].name
    'disk'
    >>> topology_of([0, 3], [0, 1, 0])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: topology_of needs polygons with three vertices or more, each once, but received \
polygon 0 with vertices [0, 1, 0]. Repair it.
    """
    starts = np.asarray(indptr, np.int64)
    numbers, around = np.unique(np.asarray(vertices, np.int64), return_inverse=True)
    mesh = _mesh(starts, around.reshape(-1), len(numbers))
    _check_simple(starts, np.asarray(vertices, np.int64))
    n_components, of_vertex = _components(mesh.edges, len(numbers))
    labels = of_vertex[around.reshape(-1)[starts[:-1]]]
    is_singular = _singular_vertices(mesh, len(numbers))
    patches, is_patch_orientable = _patches(mesh)
    is_odd = mesh.degrees % 2 == 1
    curves = _count_curves(mesh.edges[is_odd], of_vertex, n_components)
    second = _second_betti(mesh, patches, labels, n_components)
    bad = np.zeros(n_components, bool)
    bad[labels[~is_patch_orientable[patches]]] = True
    branching = np.zeros(n_components, bool)
    branching[of_vertex[is_singular]] = True
    counts = np.stack(
        [np.bincount(each, minlength=n_components) for each in (of_vertex, of_vertex[mesh.edges[:, 0]], labels)], axis=1
    )
    return Topology(
        tuple(
            Component(v, e, f, (1, 1 - (v - e + f) + second[i], second[i]), curves[i], not branching[i], not bad[i])
            for i, (v, e, f) in enumerate(counts.tolist())
        ),
        labels,
        numbers[mesh.edges[is_odd]],
        numbers[mesh.edges[mesh.degrees > 2]],
        numbers[is_singular],
        bool((np.abs(mesh.turns) == mesh.degrees % 2).all()),
    )


class _Mesh(NamedTuple):
    """Polygons with their edges; a *corner* is a vertex of a polygon with the edge to the next one.

    vertices, polygons, edge_of, onward : int64 array, shape (n_corners,)
        Vertex, polygon and edge of each corner, and the next corner around.
    is_forward : bool array, shape (n_corners,)
        Whether the edge is run through from its smaller vertex to its larger one.
    edges : int64 array, shape (n_edges, 2)
    degrees, turns : int64 array, shape (n_edges,)
        In how many polygons an edge is, and how many more run forward than backward.
    """

    vertices: NDArray[np.int64]
    polygons: NDArray[np.int64]
    edge_of: NDArray[np.int64]
    onward: NDArray[np.int64]
    is_forward: NDArray[np.bool_]
    edges: NDArray[np.int64]
    degrees: NDArray[np.int64]
    turns: NDArray[np.int64]


def _mesh(indptr: NDArray[np.int64], vertices: NDArray[np.int64], n_vertices: int) -> _Mesh:
    sizes = np.diff(indptr)
    onward = np.arange(1, len(vertices) + 1)
    onward[indptr[1:][sizes > 0] - 1] = indptr[:-1][sizes > 0]
    there = vertices[onward]
    keys = np.minimum(vertices, there) * n_vertices + np.maximum(vertices, there)
    edges, edge_of = np.unique(keys, return_inverse=True)
    edge_of, is_forward = edge_of.reshape(-1), vertices < there
    return _Mesh(
        vertices,
        np.repeat(np.arange(len(sizes)), sizes),
        edge_of,
        onward,
        is_forward,
        np.stack(np.divmod(edges, max(n_vertices, 1)), axis=1),
        np.bincount(edge_of, minlength=len(edges)),
        np.bincount(edge_of, np.where(is_forward, 1, -1), minlength=len(edges)).astype(np.int64),
    )


def _check_simple(indptr: NDArray[np.int64], vertices: NDArray[np.int64]) -> None:
    sizes = np.diff(indptr)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((vertices, owners))
    twice = (owners[order][1:] == owners[order][:-1]) & (vertices[order][1:] == vertices[order][:-1])
    wrong = np.concatenate([np.flatnonzero(sizes < 3), owners[order][1:][twice]])
    if len(wrong):
        first = int(wrong[0])
        raise InputError(
            "topology_of needs polygons with three vertices or more, each once, but received polygon "
            f"{first} with vertices {vertices[indptr[first] : indptr[first + 1]].tolist()}. Repair it."
        )


def _singular_vertices(mesh: _Mesh, n_vertices: int) -> NDArray[np.bool_]:
    """Return which vertices have no neighbourhood like a disk or half a disk.

    The *link* of a vertex is a graph: its nodes are the edges at the vertex, and each polygon joins two of them. It
    must be one circle or one arc: connected, and no node in more than two polygons.
    """
    n_edges = len(mesh.edges)
    into = np.empty_like(mesh.edge_of)
    into[mesh.onward] = mesh.edge_of
    # The end of an edge at its larger vertex is node n_edges + edge.
    arriving = np.empty_like(mesh.is_forward)
    arriving[mesh.onward] = mesh.is_forward
    nodes = np.stack([into + n_edges * arriving, mesh.edge_of + n_edges * ~mesh.is_forward], axis=1)
    _, links = _components(nodes, 2 * n_edges)
    pairs = _distinct(mesh.edges.T.ravel() * (2 * n_edges) + links)
    n_links = np.bincount(pairs // max(2 * n_edges, 1), minlength=n_vertices)
    result = n_links != 1
    result[mesh.edges[mesh.degrees > 2].ravel()] = True
    return result


def _patches(mesh: _Mesh) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the patch of each polygon, and which patches are orientable.

    A patch is a union of polygons connected through edges with two polygons. Each polygon is taken twice, once with
    each orientation, and joined with the neighbours that fit: a patch is orientable if that leaves two copies of it.
    """
    n = int(mesh.polygons.max(initial=-1)) + 1
    shared = np.flatnonzero(mesh.degrees[mesh.edge_of] == 2)
    inner = shared[np.argsort(mesh.edge_of[shared], kind="stable")].reshape(-1, 2)
    left, right = mesh.polygons[inner].T
    is_alike = mesh.is_forward[inner[:, 0]] != mesh.is_forward[inner[:, 1]]
    n_patches, patches = _components(np.stack([left, right], axis=1), n)
    other = np.where(is_alike, 0, n)
    pairs = np.concatenate([np.stack([left, right + other], 1), np.stack([left + n, right + n - other], 1)])
    _, sides = _components(pairs, 2 * n)
    is_orientable = np.ones(n_patches, bool)
    is_orientable[patches[sides[:n] == sides[n:]]] = False
    return patches, is_orientable


def _components(pairs: NDArray[np.int64], n: int) -> tuple[int, NDArray[np.int64]]:
    """Return the number of connected parts of a graph and the part of each node; pairs may repeat."""
    left, right = np.divmod(_distinct(pairs @ np.array([n, 1])), max(n, 1))
    count, labels = components(np.stack([left, right], axis=1), n)
    return int(count), labels.astype(np.int64)


def _distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return distinct values, sorted; the hash table of numpy.unique is many times slower on keys like these."""
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _count_curves(edges: NDArray[np.int64], of_vertex: NDArray[np.int64], n_components: int) -> list[int]:
    """Return how many connected parts the boundary of each component has."""
    numbers, ends = np.unique(edges, return_inverse=True)
    n_curves, of_end = _components(ends.reshape(-1, 2), len(numbers))
    first = np.full(n_curves, -1, np.int64)
    first[of_end] = of_vertex[numbers]
    return np.bincount(first, minlength=n_components).tolist()


def _second_betti(mesh: _Mesh, patches: NDArray[np.int64], labels: NDArray[np.int64], n_components: int) -> list[int]:
    """Return the number of independent closed sets of polygons of each component.

    One unknown of the field of two elements for each patch, 0 where the patch has an edge in no other polygon, and
    one equation for each edge in three polygons or more.
    """
    of_patch = np.zeros(int(patches.max(initial=-1)) + 1, np.int64)
    of_patch[patches] = labels
    is_live = np.ones(len(of_patch), bool)
    is_live[patches[mesh.polygons[mesh.degrees[mesh.edge_of] == 1]]] = False
    result = np.bincount(of_patch[is_live], minlength=n_components)
    branching = np.flatnonzero(mesh.degrees[mesh.edge_of] > 2)
    equations: dict[int, set[int]] = {}
    for edge, patch in zip(mesh.edge_of[branching].tolist(), patches[mesh.polygons[branching]].tolist(), strict=True):
        if is_live[patch]:
            equations.setdefault(edge, set()).symmetric_difference_update((patch,))
    for pivot in _pivots({frozenset(row) for row in equations.values()}):
        result[of_patch[pivot]] -= 1
    return result.tolist()


def _pivots(rows: set[frozenset[int]]) -> list[int]:
    """Return the leading columns of an echelon form over the field of two elements; a row is the set of its ones."""
    echelon: dict[int, frozenset[int]] = {}
    for row in sorted(rows, key=lambda each: (len(each), sorted(each))):
        rest = row
        while rest and max(rest) in echelon:
            rest = rest ^ echelon[max(rest)]
        if rest:
            echelon[max(rest)] = rest
    return list(echelon)
