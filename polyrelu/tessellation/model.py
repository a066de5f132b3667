"""`Tessellation`: all regions of a network in a domain and how they meet, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.enumeration.plane import Decisions
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.network.slices import Slice
from polyrelu.region.model import Region
from polyrelu.tessellation import code_space, faces, geometry, graph, linear_regions, locate, lookup, shapes
from polyrelu.tessellation.marks import AT_INFINITY, BORDER, FAR_SIDE, INSIDE, ON_BORDER

if TYPE_CHECKING:
    import networkx
    from scipy.sparse import csr_array

    from polyrelu.tessellation.faces import Faces
    from polyrelu.tessellation.level_sets import LevelSet
    from polyrelu.tessellation.linear_regions import LinearRegions
    from polyrelu.tessellation.lookup import PatternTable

__all__ = ["AT_INFINITY", "BORDER", "FAR_SIDE", "INSIDE", "ON_BORDER", "Tessellation"]


@dataclass(frozen=True, eq=False)
class Tessellation:
    """All regions of a network in a domain, and how they meet.

    `tessellate` makes one. Lists of different lengths lie one after the other: those of ``x`` number ``i`` are
    ``values[indptr[i]:indptr[i + 1]]``. A vertex *at infinity* stands for the end of an unbounded edge, or in the plane
    a corner that closes an unbounded polygon; no count of vertices includes it. What `enumerate_split` has found has no
    vertices (`has_vertices`): their arrays are empty.

    Attributes
    ----------
    network : Network
        The network that is tessellated: the given one, or its restriction to ``hull``.
    domain : Domain
        Full-dimensional, in the network's coordinates.
    hull : Slice or None
        Where the coordinates lie in the given network's input space, if the given domain was flat.
    words : uint64 array, shape (n_regions, n_words)
        Packed patterns (`Network.layout`).
    corner_indptr : int64 array, shape (n_regions + 1,); corner_vertices : int32 array
        Vertices of each region: counter-clockwise in the plane, from left to right on a line, else in any order.
    vertices_float : float64 array, shape (n_points, dim)
        Coordinates of vertices; the direction of those at infinity.
    vertex_kind : uint8 array, shape (n_points,)
        0 inside the domain, 1 on its border, 2 at infinity.
    far_vertices : int32 array, shape (n_far,); far_points : float64 array, shape (n_far, dim)
        A vertex at infinity is ``far_points[i] + M vertices_float[far_vertices[i]]`` for every large enough M.
    vertex_region : int32 array, shape (n_points,)
        A region with this vertex.
    vertex_rows : int32 array, shape (n_points, dim, 2)
        Forms whose only common zero is the vertex: (neuron, digit beyond its border) in that region's context,
        (-1, row of the domain), (-2, side at infinity: 2 j for x_j = -M, 2 j + 1 for x_j = M).
    vertex_zero_indptr : int64 array, shape (n_points + 1,); vertex_zero_neurons : int32 array
        Neurons that vanish at each vertex, sorted.
    facet_regions : int32 array, shape (n_facets, 2)
        Regions on both sides; the second is -1 on the border of the domain, -2 if it has not been enumerated.
    facet_indptr : int64 array, shape (n_facets + 1,); facet_vertices : int32 array
        Vertices of each facet; in the plane its two ends, with the first region on the left.
    facet_rows : int32 array, shape (n_facets, 2)
        A form that vanishes on the facet, as in ``vertex_rows``, in the context of its first region.
    facet_zero_indptr : int64 array, shape (n_facets + 1,); facet_zero_neurons : int32 array
        Neurons that vanish on each facet, sorted.
    region_zero_indptr : int64 array, shape (n_regions + 1,); region_zero_neurons : int32 array
        Neurons that vanish on each whole region, sorted.
    bounded : bool array, shape (n_regions,)
        Which regions are bounded.
    decisions : Decisions or None
        How many signs were decided by floats, double-doubles and rationals; None: all by rationals.
    seconds : dict of str to float
        Processor time of each stage.
    is_complete : bool
        False for what a budget or an interrupt left.
    has_vertices : bool
        False if the enumeration found facets only.
    witnesses : float64 array, shape (n_regions, dim), or None
        A point of each region, as the enumeration gave it; None: their vertices do (`witnesses_float`).

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import thick_zero
    >>> t = tessellate(thick_zero(), Domain.box([-1, -1], [1, 1]))
    >>> t.n_regions, t.n_vertices, t.n_facets, t.n_linear_regions
    (8, 10, 17, 8)
    >>> i = t.pattern_texts().index("001001")
    >>> str(t.pattern(i)), t.zero_neurons(i).tolist(), t.area(i), t.total_area()
    ('001|001', [3], Fraction(1, 1), Fraction(4, 1))
    >>> [t.vertex_neurons(v).tolist() for v in np.flatnonzero(t.vertex_kind == 0)]
    [[0, 1, 2, 3, 4, 5]]
    """

    network: Network
    domain: Domain
    hull: Slice | None
    words: NDArray[np.uint64]
    corner_indptr: NDArray[np.int64]
    corner_vertices: NDArray[np.int32]
    vertices_float: NDArray[np.float64]
    vertex_kind: NDArray[np.uint8]
    far_vertices: NDArray[np.int32]
    far_points: NDArray[np.float64]
    vertex_region: NDArray[np.int32]
    vertex_rows: NDArray[np.int32]
    vertex_zero_indptr: NDArray[np.int64]
    vertex_zero_neurons: NDArray[np.int32]
    facet_regions: NDArray[np.int32]
    facet_indptr: NDArray[np.int64]
    facet_vertices: NDArray[np.int32]
    facet_rows: NDArray[np.int32]
    facet_zero_indptr: NDArray[np.int64]
    facet_zero_neurons: NDArray[np.int32]
    region_zero_indptr: NDArray[np.int64]
    region_zero_neurons: NDArray[np.int32]
    bounded: NDArray[np.bool_]
    decisions: Decisions | None
    seconds: dict[str, float]
    is_complete: bool = True
    has_vertices: bool = True
    witnesses: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        return f"<Tessellation of {self.domain.label} in dimension {self.dim}: {self.n_regions} regions>"

    # --- sizes -------------------------------------------------------------------------------------------

    @property
    def dim(self) -> int:
        """Dimension of the regions."""
        return self.network.dim

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.words)

    @property
    def n_facets(self) -> int:
        """Number of facets, those on the border of the domain included."""
        return len(self.facet_regions)

    @property
    def n_vertices(self) -> int:
        """Number of vertices in the closed domain."""
        geometry.check_vertices("n_vertices", self)
        return int((self.vertex_kind != AT_INFINITY).sum())

    @property
    def n_inner_vertices(self) -> int:
        """Number of vertices strictly inside the domain."""
        geometry.check_vertices("n_inner_vertices", self)
        return int((self.vertex_kind == INSIDE).sum())

    @property
    def n_bytes(self) -> int:
        """Memory of all arrays."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))

    # --- one region, facet or vertex --------------------------------------------------------------------

    def pattern(self, index: int) -> Pattern:
        """Return the pattern of a region."""
        return self.network.pattern(self.network.layout.unpack(self.words[self._checked(index)])[0].tolist())

    def region(self, index: int) -> Region:
        """Return a region with everything that rational arithmetic says about it."""
        return Region(self.network, self.pattern(index), self.domain)

    def corners(self, index: int) -> NDArray[np.int32]:
        """Return the vertices of a region, as numbers."""
        index = self._checked(index)
        geometry.check_vertices("corners", self)
        return self.corner_vertices[self.corner_indptr[index] : self.corner_indptr[index + 1]]

    def facets_of(self, index: int) -> NDArray[np.int64]:
        """Return the facets of a region, as numbers."""
        indptr, facets = self._region_facets
        index = self._checked(index)
        return facets[indptr[index] : indptr[index + 1]]

    @cached_property
    def _region_facets(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return geometry.facets_of_regions(self)

    def zero_neurons(self, index: int) -> NDArray[np.int32]:
        """Return the neurons that vanish on a whole region."""
        index = self._checked(index)
        return self.region_zero_neurons[self.region_zero_indptr[index] : self.region_zero_indptr[index + 1]]

    def facet_neurons(self, facet: int) -> NDArray[np.int32]:
        """Return the neurons that vanish on a facet."""
        facet = _checked(facet, self.n_facets, "facets")
        return self.facet_zero_neurons[self.facet_zero_indptr[facet] : self.facet_zero_indptr[facet + 1]]

    def vertex_neurons(self, vertex: int) -> NDArray[np.int32]:
        """Return the neurons that vanish at a vertex."""
        vertex = _checked(vertex, len(self.vertex_kind), "vertices")
        return self.vertex_zero_neurons[self.vertex_zero_indptr[vertex] : self.vertex_zero_indptr[vertex + 1]]

    def _checked(self, region: int) -> int:
        return _checked(region, self.n_regions, "regions")

    # --- patterns ----------------------------------------------------------------------------------------

    def pattern_texts(self) -> list[str]:
        """Return the patterns of all regions as digits without bars ("0101…")."""
        return code_space.texts_of(self.network, self.words)

    @cached_property
    def pattern_table(self) -> PatternTable:
        """Where each packed pattern is found."""
        return lookup.pattern_table(self)

    def code_space(self) -> NDArray[np.uint64]:
        """Return all realised patterns, packed, those of lower-dimensional classes included, in no order."""
        return code_space.code_space(self)

    @cached_property
    def hamming1_pairs(self) -> NDArray[np.int32]:
        """The pairs of regions at Hamming distance 1, shape (n_pairs, 2), smaller index first, sorted."""
        return lookup.hamming1_pairs(self)

    def count_hamming1_not_adjacent(self) -> int:
        """Return how many pairs at Hamming distance 1 have no common facet."""
        return graph.count_pairs_without(self.hamming1_pairs, self.adjacent_pairs, self.n_regions)

    def count_adjacent_not_hamming1(self) -> int:
        """Return how many pairs with a common facet differ in more than one neuron."""
        return graph.count_pairs_without(self.adjacent_pairs, self.hamming1_pairs, self.n_regions)

    # --- how regions meet --------------------------------------------------------------------------------

    @property
    def inner_facets(self) -> NDArray[np.int64]:
        """Numbers of the facets with a region on both sides."""
        return np.flatnonzero(self.facet_regions[:, 1] >= 0)

    @property
    def adjacent_pairs(self) -> NDArray[np.int32]:
        """The pairs of regions with a common facet, shape (n_pairs, 2), smaller index first."""
        return self.facet_regions[self.facet_regions[:, 1] >= 0]

    @cached_property
    def adjacency(self) -> csr_array:
        """Symmetric sparse matrix, shape (n_regions, n_regions), 1 where two regions have a common facet."""
        return graph.adjacency(self)

    def to_networkx(self) -> networkx.Graph:
        """Return the adjacency graph; its nodes and edges carry exact attributes (`graph.to_networkx`)."""
        return graph.to_networkx(self)

    @property
    def is_strict(self) -> NDArray[np.bool_]:
        """Which regions have no neuron that vanishes on all of them, shape (n_regions,)."""
        return np.diff(self.region_zero_indptr) == 0

    @cached_property
    def linear_regions(self) -> LinearRegions:
        """Which regions have one affine map, and which of these are connected."""
        return linear_regions.linear_regions(self)

    @property
    def n_linear_regions(self) -> int:
        """Number of connected unions of regions with one affine map."""
        return self.linear_regions.n_regions

    @property
    def n_affine_maps(self) -> int:
        """Number of distinct affine maps."""
        return self.linear_regions.n_maps

    # --- exact geometry ----------------------------------------------------------------------------------

    def vertex_exact(self, vertex: int) -> tuple[Fraction, ...]:
        """Return the exact coordinates of a vertex; the exact direction of one at infinity."""
        geometry.check_vertices("vertex_exact", self)
        return geometry.vertices_exact(self, [_checked(vertex, len(self.vertex_kind), "vertices")])[0]

    def vertices_exact(self) -> list[tuple[Fraction, ...]]:
        """Return the exact coordinates of all vertices, directions of those at infinity."""
        geometry.check_vertices("vertices_exact", self)
        _ = self._exact_corners
        return geometry.vertices_exact(self, range(len(self.vertex_kind)))

    @cached_property
    def _exact_corners(self) -> list[tuple[Any, Any]]:
        return geometry.exact_corners(self, range(len(self.vertex_kind)))

    def area(self, index: int) -> Fraction | None:
        """Return the exact area (length, volume) of a region, None if it is unbounded."""
        return geometry.area(self, self._checked(index))

    def areas(self) -> list[Fraction | None]:
        """Return the exact areas (lengths, volumes) of all regions, None for unbounded ones."""
        return geometry.areas(self)

    def total_area(self) -> Fraction | None:
        """Return the sum of the areas of all regions, None if one is unbounded."""
        return geometry.total(self.areas())

    def domain_area(self) -> Fraction | None:
        """Return the exact area of the domain, from the domain alone; None if it is unbounded."""
        return geometry.domain_area(self.domain)

    def witness(self, index: int) -> tuple[Fraction, ...]:
        """Return an exact point strictly inside a region."""
        return geometry.witness(self, self._checked(index))

    @cached_property
    def witnesses_float(self) -> NDArray[np.float64]:
        """A point of each region in floats, shape (n_regions, dim)."""
        return geometry.witnesses_float(self)

    # --- faces -------------------------------------------------------------------------------------------

    def faces(self, dim: int) -> Faces:
        """Return the faces of one dimension, with the neurons that vanish on each (`faces.faces_of`)."""
        return faces.faces_of(self, dim)

    def f_vector(self) -> tuple[int, ...]:
        """Return the number of faces of dimension 0, …, dim in the closed domain, unbounded ones included."""
        return faces.count_faces(self)

    def count_partial_regions(self, k: int) -> int:
        """Return how many open faces inside the domain have exactly ``k`` vanishing neurons."""
        return faces.count_partial_regions(self, k)

    @cached_property
    def _middle_faces(self) -> dict[int, Faces]:
        return faces.middle_faces(self)

    @cached_property
    def _exact_faces(self) -> dict[int, Faces]:
        return faces.exact_faces(self)

    def check_euler(self) -> None:
        """Raise `InternalError` unless the faces of all dimensions add up as Euler's formula demands."""
        faces.check_euler(self)

    # --- points, lines, shapes, files -------------------------------------------------------------------

    def locate(self, points: ArrayLike | Sequence[Sequence[object]]) -> NDArray[np.int64]:
        """Return the region of each point, -1 outside the domain (`polyrelu.tessellation.locate`)."""
        return locate.locate(self, points)

    def level_set(self, output: int = 0, level: object = 0) -> LevelSet:
        """Return where an output has a value, as exact segments."""
        from polyrelu.tessellation.level_sets import level_set

        return level_set(self, output, level)

    def decision_boundary(self) -> LevelSet:
        """Return where the decision changes: the sign of one output, or the largest of several."""
        from polyrelu.tessellation.level_sets import decision_boundary

        return decision_boundary(self)

    def to_shapely(self, window: Sequence[float] | None = None) -> NDArray[np.object_]:
        """Return the regions of the plane as shapely polygons, unbounded ones cut to a window."""
        return shapes.to_shapely(self, window)

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write everything to a Parquet file, with the network's hash inside."""
        from polyrelu.tessellation.files import save

        save(self, path, overwrite)

    @staticmethod
    def load(path: str | Path, network: Network) -> Tessellation:
        """Return the tessellation that `save` wrote, of the same network."""
        from polyrelu.tessellation.files import load

        return load(path, network)


def _checked(index: int, size: int, what: str) -> int:
    """Return an index that may count from the end as one from the start."""
    if not -size <= index < size:
        raise InputError(
            f"A tessellation needs the number of one of its {size} {what} but received {index}. Count from 0."
        )
    return int(index) % size
