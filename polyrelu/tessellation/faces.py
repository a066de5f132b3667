"""Faces of all dimensions: how many there are, which neurons vanish on each, and Euler's formula."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot, row_reduce
from polyrelu.region.lp import decide_bounded
from polyrelu.tessellation.geometry import inner_point
from polyrelu.tessellation.lists import take_lists, to_lists
from polyrelu.tessellation.marks import AT_INFINITY, INSIDE

if TYPE_CHECKING:
    from polyrelu.region.model import Region
    from polyrelu.tessellation.model import Tessellation

__all__ = [
    "Faces",
    "check_euler",
    "count_faces",
    "count_partial_regions",
    "euler_characteristic",
    "exact_faces",
    "faces_of",
    "is_quick",
    "middle_faces",
]


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces of one dimension, each once.

    Attributes
    ----------
    dim : int
    regions : int32 array, shape (n_faces,)
        A region with each face.
    is_inner : bool array, shape (n_faces,)
        Whether the relative interior of the face is inside the domain, not on its border.
    vertex_indptr : int64 array, shape (n_faces + 1,); vertices : int32 array
        Vertices of each face, ends of unbounded edges included; none where the tessellation has none.
    zero_indptr : int64 array, shape (n_faces + 1,); zero_neurons : int32 array
        Neurons that vanish on each face, sorted.
    """

    dim: int
    regions: NDArray[np.int32]
    is_inner: NDArray[np.bool_]
    vertex_indptr: NDArray[np.int64]
    vertices: NDArray[np.int32]
    zero_indptr: NDArray[np.int64]
    zero_neurons: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.regions)

    def neurons(self, face: int) -> NDArray[np.int32]:
        """Return the neurons that vanish on a face."""
        return self.zero_neurons[self.zero_indptr[face] : self.zero_indptr[face + 1]]


def faces_of(tessellation: Tessellation, dim: int) -> Faces:
    """Return the faces of one dimension in the closed domain, unbounded ones included.

    From the arrays where the regions have vertices; region by region, in rationals, where there are none or the regions
    contain lines.

    Raises
    ------
    InputError
        If there are no faces of this dimension.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import grid
    >>> edges = faces_of(tessellate(grid(1, 1, 1)), 1)
    >>> len(edges), bool(edges.is_inner.all()), [edges.neurons(i).tolist() for i in range(6)]
    (6, True, [[0, 1], [0, 2], [1, 2], [0, 1], [0, 2], [1, 2]])
    """
    t = tessellation
    if not 0 <= dim <= t.dim:
        raise InputError(f"faces_of needs a dimension of 0 to {t.dim} but received {dim}. Choose one of these.")
    if dim == t.dim:
        regions = np.arange(t.n_regions, dtype=np.int32)
        corners = t.corner_indptr, t.corner_vertices
        return Faces(dim, regions, regions >= 0, *corners, t.region_zero_indptr, t.region_zero_neurons)
    if dim == t.dim - 1:
        border, on = t.facet_regions[:, 1] == -1, (t.facet_indptr, t.facet_vertices)
        return Faces(dim, t.facet_regions[:, 0], ~border, *on, t.facet_zero_indptr, t.facet_zero_neurons)
    if not is_quick(t):
        return t._exact_faces[dim]
    if dim == 0:
        chosen = np.flatnonzero(t.vertex_kind != AT_INFINITY)
        zeros = take_lists(t.vertex_zero_indptr, t.vertex_zero_neurons, chosen)
        is_inner = t.vertex_kind[chosen] == INSIDE
        own = np.arange(len(chosen) + 1), chosen.astype(np.int32)
        return Faces(dim, t.vertex_region[chosen], is_inner, *own, *zeros)
    return t._middle_faces[dim]


def is_quick(tessellation: Tessellation) -> bool:
    """Return whether all faces follow from the arrays: the regions have vertices, or the plane has no more to tell."""
    return tessellation.has_vertices and (tessellation.dim <= 2 or tessellation.n_vertices > 0)


def count_faces(tessellation: Tessellation) -> tuple[int, ...]:
    """Return the number of faces of dimension 0, …, dim in the closed domain, unbounded ones included: the f-vector.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import grid
    >>> count_faces(tessellate(grid(1, 2))), count_faces(tessellate(grid(1, 1, 1)))
    ((2, 7, 6), (1, 6, 12, 8))
    """
    return tuple(len(faces_of(tessellation, k)) for k in range(tessellation.dim + 1))


def count_partial_regions(tessellation: Tessellation, k: int) -> int:
    """Return the number of k-partial regions: of open faces, of any dimension, on which exactly ``k`` neurons vanish.

    In general position they are the faces of dimension ``dim - k``. Those inside the domain are counted, not those on
    its border; a region on which neurons vanish identically counts with these.

    Notes
    -----
    Hanin and Rolnick 2019, Definition 4, read so that the marked neurons vanish: sets on which a neuron may have any
    value need not be convex, against their Lemma 9.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import generic_arrangement, thick_zero
    >>> t = tessellate(generic_arrangement(3, 5))
    >>> [count_partial_regions(t, k) for k in range(5)], count_faces(t)
    ([26, 55, 40, 10, 0], (10, 40, 55, 26))
    >>> [count_partial_regions(tessellate(thick_zero()), k) for k in range(7)]
    [6, 6, 4, 0, 0, 0, 1]
    """
    t = tessellation
    if k < 0:
        raise InputError(f"count_partial_regions needs a number of neurons but received {k}. Count from 0.")
    levels = (faces_of(t, dim) for dim in range(t.dim + 1))
    return sum(int((faces.is_inner & (np.diff(faces.zero_indptr) == k)).sum()) for faces in levels)


def euler_characteristic(domain: Domain) -> int:
    """Return the alternating sum of the numbers of faces that every tessellation of a domain has.

    It is 1 for a bounded domain, 0 for an unbounded one without lines; every line in a domain changes the sign.

    Notes
    -----
    The relative interiors of all faces, of the regions too, are disjoint and cover the closed domain, and each is an
    open ball. The Euler characteristic with compact support is additive and is ``(-1)^k`` for an open ball of dimension
    ``k``, so ``sum_k (-1)^k f_k`` is that of the domain. A domain is the product of its lines and a polyhedron without
    lines. Lines have ``(-1)^l``, and characteristics multiply. A polytope is compact and can be contracted: 1. An
    unbounded polyhedron without lines is a closed half-space but for a homeomorphism, and a half-line has 1 - 1 = 0.

    Examples
    --------
    >>> euler_characteristic(Domain.unit(2)), euler_characteristic(Domain.all(1))
    (1, -1)
    >>> euler_characteristic(Domain.from_halfspaces([[1, 0]], [0]))
    0
    """
    columns = row_reduce([row[:-1] for row in domain.rows], domain.dim)[1]
    without_lines = [(*(row[j] for j in columns), row[-1]) for row in domain.rows]
    is_bounded = not columns or decide_bounded(without_lines, len(columns))[0]
    return (-1) ** (domain.dim - len(columns)) if is_bounded else 0


def check_euler(tessellation: Tessellation) -> None:
    """Raise `InternalError` unless the numbers of faces alternate to what the domain demands, in every dimension.

    Raises
    ------
    InputError
        If the tessellation is incomplete.
    """
    t = tessellation
    if not t.is_complete:
        raise InputError(
            f"check_euler needs a complete tessellation but received {t.n_regions} regions of one that was ended "
            "early. Raise the budget."
        )
    counts, expected = count_faces(t), euler_characteristic(t.domain)
    found = sum((-1) ** k * count for k, count in enumerate(counts))
    if found != expected:
        raise InternalError(
            f"Euler's formula needs an alternating sum of {expected} but the faces {counts} give {found} (network "
            f"{t.network.hash[:12]} on {t.domain.label}). Please report the network."
        )


def middle_faces(tessellation: Tessellation) -> dict[int, Faces]:
    """Return the faces of dimensions 1 to dim - 2 of regions with vertices: facets of facets, and so on."""
    t = tessellation
    owners = np.repeat(np.arange(t.n_facets), np.diff(t.facet_indptr))
    vertices = t.facet_vertices[np.lexsort((t.facet_vertices, owners))]
    regions, border = np.ascontiguousarray(t.facet_regions[:, 0]), t.facet_regions[:, 1] == -1
    found, sets = {}, _Sets(regions, border, t.facet_indptr, vertices)
    for dim in range(t.dim - 2, 0, -1):
        sets = _facets_of(t, sets)
        found[dim] = Faces(dim, sets.regions, ~sets.is_border, sets.indptr, sets.vertices, *_common_neurons(t, sets))
    return found


class _Sets(NamedTuple):
    """Faces as sorted lists of vertices, with a region that has each, and whether it is on the domain's border."""

    regions: NDArray[np.int32]
    is_border: NDArray[np.bool_]
    indptr: NDArray[np.int64]
    vertices: NDArray[np.int32]


def _facets_of(t: Tessellation, known: _Sets) -> _Sets:
    """Return the facets of faces, each once."""
    from polyrelu.kernels.assembly import FREE, refill
    from polyrelu.kernels.faces import BITS, find_faces

    region_facets = t._region_facets
    most = int(np.diff(region_facets[0]).max(initial=0))
    largest = int(np.diff(known.indptr).max(initial=1))
    size, n_entries = 2 * len(known.regions) + most, 2 * len(known.vertices) + most * largest
    arrays: list[Any] = [np.empty(size, np.int32), np.empty(size, np.bool_), np.zeros(size + 1, np.int64)]
    arrays += [np.empty(n_entries, np.int32), np.empty(size, np.uint64)]
    table, state = np.full(1 << (2 * size).bit_length(), FREE, np.int32), np.zeros(2, np.int64)
    salts = np.random.default_rng(2).integers(0, 2**64, len(t.vertex_kind), np.uint64)
    place, masks = np.full(len(salts), -1, np.int32), np.zeros((most + 1, -(-largest // BITS)), np.uint64)
    facets, is_far = (t.facet_indptr, t.facet_vertices), t.vertex_kind == AT_INFINITY
    while not find_faces(tuple(known), region_facets, facets, is_far, salts, place, masks, tuple(arrays), table, state):
        arrays = [np.concatenate([each, each]) for each in arrays]
        table = np.full(2 * len(table), FREE, np.int32)
        refill(table, arrays[-1], state[1])
    n = int(state[1])
    regions, is_border, indptr, vertices, _ = arrays
    return _Sets(regions[:n].copy(), is_border[:n].copy(), indptr[: n + 1].copy(), vertices[: indptr[n]].copy())


def _common_neurons(t: Tessellation, sets: _Sets) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the neurons that vanish on each face."""
    from polyrelu.kernels.faces import common_neurons

    indptr, is_open = np.zeros(len(sets.regions) + 1, np.int64), np.empty(len(sets.regions), np.bool_)
    zeros = np.empty(int(np.diff(t.vertex_zero_indptr)[sets.vertices[sets.indptr[:-1]]].sum()), np.int32)
    pieces = t.network.layout.n_pieces
    common_neurons(*sets[2:], t.vertex_zero_indptr, t.vertex_zero_neurons, pieces, indptr, zeros, is_open)
    zeros = zeros[: indptr[-1]]
    if not is_open.any():
        return indptr, zeros.copy()
    lists = [zeros[a:b].tolist() for a, b in pairwise(indptr.tolist())]
    for face in np.flatnonzero(is_open).tolist():
        region = t.region(int(sets.regions[face]))
        point = inner_point(t, sets.vertices[sets.indptr[face] : sets.indptr[face + 1]].tolist()) or ()
        lists[face] = _neurons_on(region, [i for i, row in enumerate(region.rows) if dot(row, (*point, 1)) == 0])
    return to_lists(lists)


def _neurons_on(region: Region, rows: Iterable[int]) -> list[int]:
    """Return the neurons of some of a region's rows, and those that vanish on all of it, sorted."""
    neurons = region.hrep.neuron
    return sorted({*(neurons[i] for i in rows if i < len(neurons)), *region.zero_neurons})


def exact_faces(tessellation: Tessellation) -> dict[int, Faces]:
    """Return the faces of dimensions 0 to dim - 2, region by region, in rationals."""
    t = tessellation
    known: list[dict[tuple[frozenset, frozenset], tuple[int, bool, list[int]]]] = [{} for _ in range(t.dim + 1)]
    for index in range(t.n_regions):
        region = t.region(index)
        shape, n = region.generators, len(region.hrep.rows)
        for face in region.faces:
            # All regions contain the same lines, so their points and rays, reduced by the same basis, are comparable.
            key = frozenset(shape.points[i] for i in face.points), frozenset(shape.rays[i] for i in face.rays)
            if face.dim <= t.dim - 2 and key not in known[face.dim]:
                is_inner = not any(i >= n for i in face.rows)
                known[face.dim][key] = index, is_inner, _neurons_on(region, face.rows)
    return {dim: _faces_of_lists(dim, list(known[dim].values())) for dim in range(t.dim - 1)}


def _faces_of_lists(dim: int, found: list[tuple[int, bool, list[int]]]) -> Faces:
    regions, is_inner = np.array([each[0] for each in found], np.int32), np.array([each[1] for each in found], np.bool_)
    none = np.zeros(len(found) + 1, np.int64), np.zeros(0, np.int32)
    return Faces(dim, regions, is_inner, *none, *to_lists([zeros for *_, zeros in found]))
