"""Assemble a `Tessellation` from an enumeration of any dimension, in compiled loops.

Vertices and facets of different regions that are one are found by their names: the neurons that vanish there and the
digits of all others (`polyrelu.kernels.space_assembly` says why that is exact). Where the enumeration has no corners
the tessellation has no vertices.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.space import CellFacets, Corners, SpaceRegions
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.region.model import Region
from polyrelu.tessellation.exact_corners import independent_forms
from polyrelu.tessellation.line_tables import Ending, LineTables, line_tables
from polyrelu.tessellation.lists import keep_values, take_lists
from polyrelu.tessellation.marks import AT_INFINITY, BORDER, FAR_SIDE, ON_BORDER
from polyrelu.tessellation.model import Tessellation

__all__ = ["assemble_space"]


def assemble_space(found: SpaceRegions, network: Network, domain: Domain, hull: Slice | None = None) -> Tessellation:
    """Return the tessellation of the regions that an enumeration has found, with vertices if it has corners.

    Parameters
    ----------
    found : SpaceRegions
        Complete or not.
    network, domain
        As they were enumerated.
    hull : Slice, optional
        Where the network's inputs lie, if the domain was flat.

    Raises
    ------
    InputError
        If the regions have neither corners nor facets.
    InternalError
        If they do not fit together.

    Examples
    --------
    >>> from polyrelu.enumeration.vertices import enumerate_vertices
    >>> from polyrelu.testing import grid
    >>> network, box = grid(2, 1, 1), Domain.box([-1] * 3, [2] * 3)
    >>> t = assemble_space(enumerate_vertices(network, box), network, box)
    >>> t.n_regions, t.n_facets, t.n_vertices, t.n_inner_vertices
    (12, 52, 36, 2)
    """
    start = time.process_time()
    glue = _Glue(found)
    if found.corners is not None:
        facets, places = _facets_at_corners(found.corners, glue)
        pairs = _pair(glue, facets)
        arrays = _vertex_arrays(glue, found.corners, places, pairs)
    elif found.facets is not None:
        facets = found.facets
        pairs = _pair(glue, facets)
        arrays = _no_vertices(network.dim, found.n_regions, len(pairs.regions))
    else:
        raise InputError(
            "assemble_space needs regions with corners or facets but received patterns alone. Enumerate them with "
            "facets=True."
        )
    region_zeros = glue.zeros_of_regions()
    return Tessellation(
        network=network,
        domain=domain,
        hull=hull,
        words=found.words,
        facet_regions=pairs.regions,
        facet_rows=pairs.rows,
        facet_zero_indptr=pairs.faces.zero_indptr,
        facet_zero_neurons=pairs.faces.zero_neurons,
        region_zero_indptr=region_zeros.zero_indptr,
        region_zero_neurons=region_zeros.zero_neurons,
        bounded=facets.is_bounded,
        witnesses=found.witnesses,
        has_vertices=found.corners is not None,
        decisions=found.decisions,
        seconds={"enumerate": found.seconds, "assemble": time.process_time() - start},
        is_complete=found.is_complete,
        **arrays,
    )


class _Faces(NamedTuple):
    """Faces of which several regions may have one: corners, facets.

    Attributes
    ----------
    numbers : int32 array, shape (n_members,)
        The face that each member is.
    firsts : int64 array, shape (n_faces, 2)
        The first member that is the face, and that one's region.
    kinds : uint8 array, shape (n_faces,)
        Inside the domain, on its border, or at infinity.
    zero_indptr, zero_neurons
        Neurons that vanish on each.
    """

    numbers: NDArray[np.int32]
    firsts: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    zero_indptr: NDArray[np.int64]
    zero_neurons: NDArray[np.int32]


class _Glue:
    """Names members of regions, corners or facets, by what they touch, and says which ones are one face."""

    def __init__(self, found: SpaceRegions) -> None:
        from polyrelu.kernels.assembly import hash_regions

        columns, n_rows = found.columns, len(found.domain.rows)
        n_far = len(columns.unit) - columns.first_line - n_rows
        endings = [Ending(BORDER, row, ON_BORDER) for row in range(n_rows)]
        endings += [Ending(FAR_SIDE, side, AT_INFINITY) for side in range(n_far)]
        self.found = found
        self.tables: LineTables = line_tables(
            found.network, columns.unit, columns.digits, columns.unit_neuron, endings
        )
        self.first_far = columns.first_line + n_rows
        self.hashes = np.empty(found.n_regions, np.uint64)
        hash_regions(found.words, self.tables.salts, self.hashes)

    def faces(self, indptr: NDArray[np.int64], form_indptr: NDArray[np.int64], forms: NDArray[np.int32]) -> _Faces:
        """Return the distinct ones of members; ``indptr`` are those of each region, ``forms`` vanish on each."""
        from polyrelu.kernels import assembly as A

        starts, touched, keys = self._touched(indptr, form_indptr, forms)
        n = len(keys)
        numbers, firsts, first_keys = np.empty(n, np.int32), np.empty((n, 2), np.int64), np.empty(n, np.uint64)
        table, state = np.full(1 << max(n // 4, 8).bit_length(), A.FREE, np.int32), np.zeros(2, np.int64)
        words, items = self.found.words, self.tables.items
        while not A.number_vertices(
            words, indptr, keys, starts, touched, items, table, numbers, firsts, first_keys, state
        ):
            table = np.full(2 * len(table), A.FREE, np.int32)
            A.refill(table, first_keys, state[1])
        return self._faces(numbers, firsts[: state[1]].copy(), starts, touched)

    def zeros_of_regions(self) -> _Faces:
        """Return the regions themselves as faces."""
        regions = np.arange(self.found.n_regions + 1)
        starts, touched, _ = self._touched(regions, np.zeros_like(regions), np.zeros(0, np.int32))
        return self._faces(regions[:-1].astype(np.int32), np.stack([regions[:-1]] * 2, axis=1), starts, touched)

    def _touched(
        self, indptr: NDArray[np.int64], form_indptr: NDArray[np.int64], forms: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint64]]:
        from polyrelu.kernels.assembly import LINE_IS_MAX
        from polyrelu.kernels.space_assembly import touch_forms

        found, (lines, items, salts, item_salts) = self.found, self.tables
        n = len(form_indptr) - 1
        n_touched = len(forms) + int((np.diff(indptr) * np.diff(found.zero_indptr)).sum())
        starts, keys = np.empty(n + 1, np.int64), np.empty(n, np.uint64)
        touched = np.empty(n_touched * (2 if lines[:, LINE_IS_MAX].any() else 1), np.int32)
        touch_forms(
            found.words, self.hashes, indptr, form_indptr, forms, found.zero_indptr, found.zero_columns, lines, items,
            salts, item_salts, starts, touched, keys,
        )  # fmt: skip
        return starts, touched, keys

    def _faces(
        self,
        numbers: NDArray[np.int32],
        firsts: NDArray[np.int64],
        starts: NDArray[np.int64],
        touched: NDArray[np.int32],
    ) -> _Faces:
        from polyrelu.kernels.assembly import vertex_zeros

        zero_indptr, kinds = np.zeros(len(firsts) + 1, np.int64), np.empty(len(firsts), np.uint8)
        zeros = np.empty(int(np.diff(starts)[firsts[:, 0]].sum()), np.int32)
        vertex_zeros(self.found.words, firsts, starts, touched, self.tables.items, zero_indptr, zeros, kinds)
        return _Faces(numbers, firsts, kinds, zero_indptr, zeros[: zero_indptr[-1]].copy())


class _Places(NamedTuple):
    """Where facets have their corners, and which corners are vertices or ends of edges."""

    indptr: NDArray[np.int64]
    corners: NDArray[np.int64]
    is_kept: NDArray[np.bool_]


def _facets_at_corners(corners: Corners, glue: _Glue) -> tuple[CellFacets, _Places]:
    """Return the facets of all regions, found from the forms of their corners, and where these are."""
    from polyrelu.kernels.space_assembly import BITS, find_facets

    dim, n_regions, n_columns = corners.points.shape[1], len(corners.indptr) - 1, len(glue.tables.lines)
    n_corners, n_forms = len(corners.points), len(corners.forms)
    most_corners = int(np.diff(corners.indptr).max(initial=0))
    most_forms = min(n_columns, int(np.diff(corners.form_indptr[corners.indptr]).max(initial=0)))
    # A facet has at least dim corners, and so each of its forms is in at least dim entries of ``forms``.
    indptr, form_indptr, corner_indptr = (np.zeros(n + 1, np.int64) for n in (n_regions, *[n_forms // dim] * 2))
    forms, places = np.empty(n_forms // dim, np.int32), np.empty(n_forms, np.int64)
    is_kept, sizes = np.empty(n_corners, np.bool_), np.zeros(3, np.int64)
    find_facets(
        dim, glue.first_far, corners.indptr, corners.form_indptr, corners.forms, np.zeros(n_columns, np.int32),
        *np.zeros((2, most_forms), np.int32), np.zeros((most_forms, -(-most_corners // BITS)), np.uint64),
        (indptr, form_indptr, forms, corner_indptr, places), is_kept, sizes,
    )  # fmt: skip
    far = np.zeros(n_corners + 1, np.int64)
    far[corners.far_corners + 1] = 1
    is_bounded = np.diff(np.cumsum(far)[corners.indptr]) == 0
    n = int(sizes[0])
    facets = CellFacets(indptr, form_indptr[: n + 1].copy(), forms[: sizes[1]].copy(), is_bounded)
    return facets, _Places(corner_indptr[: n + 1].copy(), places[: sizes[2]].copy(), is_kept)


class _Pairs(NamedTuple):
    """The facets, the regions on both sides of each, and a form that vanishes on each."""

    faces: _Faces
    regions: NDArray[np.int32]
    rows: NDArray[np.int32]


def _pair(glue: _Glue, facets: CellFacets) -> _Pairs:
    """Return the distinct facets with the regions on both sides, -1 for the domain's border, -2 for none."""
    from polyrelu.kernels.assembly import FAILED
    from polyrelu.kernels.space_assembly import name_facets, pair_regions

    found = glue.found
    faces = glue.faces(facets.indptr, facets.form_indptr, facets.forms)
    regions = np.empty((len(faces.firsts), 2), np.int32)
    is_wrong = pair_regions(facets.indptr, faces.numbers, regions) == FAILED
    is_border, is_inner = faces.kinds != 0, regions[:, 1] >= 0
    a, b = regions[is_inner].T
    if is_wrong or (is_border & is_inner).any() or (found.words[a] == found.words[b]).all(axis=1).any():
        raise InternalError(
            "Assembly needs regions that meet in whole facets but a facet belongs to three regions, or to two on one "
            f"side (network {found.network.hash[:12]} on {found.domain.label}). Please report the network."
        )
    regions[is_border, 1] = -1
    n_open = int((regions[:, 1] == -2).sum())
    if found.is_complete and n_open:
        raise InternalError(
            f"Assembly needs a region on the other side of each facet but {n_open} facets of a network of "
            f"{found.network.n_neurons} neurons on {found.domain.label} have none. Please report the network."
        )
    rows = np.empty((len(regions), 2), np.int32)
    lines, items = glue.tables.lines, glue.tables.items
    name_facets(found.words, facets.form_indptr, facets.forms, faces.firsts, lines, items, rows)
    return _Pairs(faces, regions, rows)


def _vertex_arrays(glue: _Glue, corners: Corners, places: _Places, pairs: _Pairs) -> dict[str, NDArray]:
    """Return the arrays of vertices, and which ones regions and facets have."""
    faces = glue.faces(corners.indptr, corners.form_indptr, corners.forms)
    is_kept = places.is_kept[faces.firsts[:, 0]]
    number = (np.cumsum(is_kept) - 1).astype(np.int32)
    corner_indptr, corner_vertices = keep_values(corners.indptr, number[faces.numbers], is_kept[faces.numbers])
    on_facets = take_lists(places.indptr, places.corners, pairs.faces.firsts[:, 0])
    of_facets = faces.numbers[on_facets[1]]
    facet_indptr, facet_vertices = keep_values(on_facets[0], number[of_facets], is_kept[of_facets])
    zero_indptr, zeros = take_lists(faces.zero_indptr, faces.zero_neurons, np.flatnonzero(is_kept))
    firsts, kinds = faces.firsts[is_kept], faces.kinds[is_kept]
    points = corners.points[firsts[:, 0]]
    far = np.flatnonzero(kinds == AT_INFINITY)
    bases = points[far]
    points[far] = corners.far_directions[np.searchsorted(corners.far_corners, firsts[far, 0])]
    return {
        "corner_indptr": corner_indptr,
        "corner_vertices": corner_vertices,
        "vertices_float": points + 0.0,  # no -0.0
        "vertex_kind": kinds,
        "far_vertices": far.astype(np.int32),
        "far_points": bases + 0.0,
        "vertex_region": firsts[:, 1].astype(np.int32),
        "vertex_rows": _vertex_rows(glue, corners, firsts),
        "vertex_zero_indptr": zero_indptr,
        "vertex_zero_neurons": zeros,
        "facet_indptr": facet_indptr,
        "facet_vertices": facet_vertices,
    }


def _vertex_rows(glue: _Glue, corners: Corners, firsts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return forms whose only common zero is each vertex, by the names that they have in its first region."""
    from polyrelu.kernels.space_assembly import UNNAMED, name_rows

    found, (lines, items, _, _) = glue.found, glue.tables
    rows = np.empty((len(firsts), found.network.dim, 2), np.int32)
    name_rows(found.words, corners.form_indptr, corners.forms, firsts, lines, items, rows)
    for vertex in np.flatnonzero((rows[:, :, 0] == UNNAMED).any(axis=1)).tolist():
        corner, index = firsts[vertex].tolist()
        names = np.empty((1, int(np.diff(corners.form_indptr)[corner]), 2), np.int32)
        name_rows(found.words, corners.form_indptr, corners.forms, firsts[vertex : vertex + 1], lines, items, names)
        digits = found.network.layout.unpack(found.words[index])[0].tolist()
        region = Region(found.network, found.network.pattern(digits), found.domain)
        rows[vertex] = independent_forms(region, [(o, n) for o, n in names[0].tolist() if o != UNNAMED])
    return rows


def _no_vertices(dim: int, n_regions: int, n_facets: int) -> dict[str, NDArray]:
    """Return the arrays of vertices of a tessellation without any."""
    none, no_list = np.zeros(0, np.int32), np.zeros(1, np.int64)
    return {
        "corner_indptr": np.zeros(n_regions + 1, np.int64),
        "corner_vertices": none,
        "vertices_float": np.zeros((0, dim)),
        "vertex_kind": np.zeros(0, np.uint8),
        "far_vertices": none,
        "far_points": np.zeros((0, dim)),
        "vertex_region": none,
        "vertex_rows": np.zeros((0, dim, 2), np.int32),
        "vertex_zero_indptr": no_list,
        "vertex_zero_neurons": none,
        "facet_indptr": np.zeros(n_facets + 1, np.int64),
        "facet_vertices": none,
    }
