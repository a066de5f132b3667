"""Assemble a `Tessellation` from the polygons of a plane enumeration, in compiled loops.

Corners that are one vertex and sides that are one edge are found from the regions' patterns and the lines that vanish
(`polyrelu.kernels.assembly` says why that is exact). A network with one input was enumerated on a strip of height one;
its tessellation is read off the side ``y = 0``.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.plane import PlaneRegions
from polyrelu.errors import InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.tessellation.line_tables import Ending, LineTables, line_tables
from polyrelu.tessellation.lists import take_lists
from polyrelu.tessellation.marks import AT_INFINITY, BORDER, FAR_SIDE
from polyrelu.tessellation.model import Tessellation

__all__ = ["assemble_plane"]

SIDES = (2, 1, 3, 0)
"""The far square's sides in the order of the enumeration's last four lines: y = -M, x = M, y = M, x = -M."""


def assemble_plane(found: PlaneRegions, network: Network, domain: Domain, hull: Slice | None = None) -> Tessellation:
    """Return the tessellation of the regions that a plane enumeration has found.

    Parameters
    ----------
    found : PlaneRegions
        Complete or not.
    network, domain
        As they were enumerated; with one or two inputs.
    hull : Slice, optional
        Where the network's inputs lie, if the domain was flat.

    Raises
    ------
    InternalError
        If the polygons do not fit together.
    """
    start = time.process_time()
    tables = _tables_of(found, network, is_strip=network.dim == 1)
    glued = _glue(found, tables)
    n_open = int((glued.facet_regions[:, 1] == -2).sum())
    if found.is_complete and n_open:
        raise InternalError(
            f"Assembly needs a region on the other side of each edge but {n_open} edges of a network of "
            f"{network.n_neurons} neurons on {domain.label} have none. Please report the network."
        )
    arrays = _plane_arrays(found, glued) if network.dim == 2 else _line_arrays(found, glued, len(domain.rows))
    return Tessellation(
        network=network,
        domain=domain,
        hull=hull,
        words=found.words,
        region_zero_indptr=glued.region_zero_indptr,
        region_zero_neurons=glued.region_zero_neurons,
        bounded=_bounded(found, glued),
        decisions=found.decisions,
        seconds={"enumerate": found.seconds, "assemble": time.process_time() - start},
        is_complete=found.is_complete,
        has_vertices=True,
        **arrays,
    )


def _bounded(found: PlaneRegions, glued: _Glued) -> NDArray[np.bool_]:
    """Return which polygons have no corner at infinity."""
    is_far = glued.vertex_kind[glued.corner_vertices] == AT_INFINITY
    return np.diff(np.concatenate([[0], np.cumsum(is_far)])[found.indptr]) == 0


class _Glued(NamedTuple):
    """What the compiled loops find, in terms of polygons."""

    corner_vertices: NDArray[np.int32]
    vertices: NDArray[np.int64]
    vertex_rows: NDArray[np.int32]
    vertex_kind: NDArray[np.uint8]
    vertex_zero_indptr: NDArray[np.int64]
    vertex_zero_neurons: NDArray[np.int32]
    facet_corner: NDArray[np.int64]
    facet_vertices: NDArray[np.int32]
    facet_regions: NDArray[np.int32]
    facet_rows: NDArray[np.int32]
    facet_zero_indptr: NDArray[np.int64]
    facet_zero_neurons: NDArray[np.int32]
    region_zero_indptr: NDArray[np.int64]
    region_zero_neurons: NDArray[np.int32]


def _tables_of(found: PlaneRegions, network: Network, is_strip: bool) -> LineTables:
    """Return the tables of all lines; the sides of a strip around a line are no border."""
    n = len(found.line_unit) - found.first_line - len(SIDES)
    endings = [Ending(BORDER, row, int(not (is_strip and row >= n - 2))) for row in range(n)]
    endings += [Ending(FAR_SIDE, side, AT_INFINITY) for side in SIDES]
    return line_tables(network, found.line_unit, found.line_digits, found.unit_neuron, endings)


def _glue(found: PlaneRegions, tables: LineTables) -> _Glued:
    from polyrelu.kernels import assembly as A
    from polyrelu.kernels.space_assembly import name_facets

    words, indptr, edges = found.words, found.indptr, found.edges
    lines, items = tables.lines, tables.items
    n_corners = len(edges)
    n_touched = (2 * n_corners + len(found.extra)) * (2 if lines[:, A.LINE_IS_MAX].any() else 1)
    hashes, keys = np.empty(len(words), np.uint64), np.empty(n_corners, np.uint64)
    starts, touched = np.empty(n_corners + 1, np.int64), np.empty(n_touched, np.int32)
    A.hash_regions(words, tables.salts, hashes)
    A.touch_corners(
        words, hashes, indptr, edges, found.extra, lines, items, tables.salts, tables.item_salts, starts, touched, keys
    )

    corner_vertices, vertices = np.empty(n_corners, np.int32), np.empty((n_corners, 2), np.int64)
    vertex_keys, state = np.empty(n_corners, np.uint64), np.zeros(2, np.int64)
    table = np.full(_power_of_two(2 * len(words) + 64), A.FREE, np.int32)
    while not A.number_vertices(
        words, indptr, keys, starts, touched, items, table, corner_vertices, vertices, vertex_keys, state
    ):
        table = np.full(2 * len(table), A.FREE, np.int32)
        A.refill(table, vertex_keys, state[1])
    vertices = vertices[: state[1]].copy()

    table = np.full(_power_of_two(2 * n_corners), A.FREE, np.int32)
    facet_corner = np.empty(n_corners, np.int64)
    ends, regions = np.empty((n_corners, 2), np.int32), np.empty((n_corners, 2), np.int32)
    n = A.number_edges(indptr, edges, corner_vertices, lines, table, facet_corner, ends, regions)
    if n == A.FAILED:
        raise InternalError(
            "Assembly needs polygons that meet in whole edges but an edge belongs to three regions, or to two on one "
            "side. Please report the network."
        )
    facet_corner, ends, regions = facet_corner[:n].copy(), ends[:n].copy(), regions[:n].copy()

    n_touched = int(starts[-1])
    zeros = np.empty(2 * n_touched, np.int32)
    facet_zero_indptr = np.zeros(n + 1, np.int64)
    A.edge_zeros(words, indptr, starts, touched, items, facet_corner, regions, facet_zero_indptr, zeros)
    facet_zeros = zeros[: facet_zero_indptr[-1]].copy()
    vertex_zero_indptr, kinds = np.zeros(len(vertices) + 1, np.int64), np.empty(len(vertices), np.uint8)
    A.vertex_zeros(words, vertices, starts, touched, items, vertex_zero_indptr, zeros, kinds)
    vertex_zeros = zeros[: vertex_zero_indptr[-1]].copy()
    region_zero_indptr = np.zeros(len(words) + 1, np.int64)
    A.region_zeros(words, indptr, starts, touched, items, region_zero_indptr, zeros)
    region_zeros = zeros[: region_zero_indptr[-1]].copy()
    rows = np.empty((len(vertices), 2, 2), np.int32)
    A.vertex_rows(words, indptr, edges, vertices, lines, items, rows)
    facet_rows = np.empty((n, 2), np.int32)
    firsts = np.stack([facet_corner, regions[:, 0]], axis=1)
    name_facets(words, np.arange(n_corners + 1), edges, firsts, lines, items, facet_rows)
    return _Glued(
        corner_vertices, vertices, rows, kinds, vertex_zero_indptr, vertex_zeros,
        facet_corner, ends, regions, facet_rows, facet_zero_indptr, facet_zeros, region_zero_indptr, region_zeros,
    )  # fmt: skip


def _power_of_two(least: int) -> int:
    return 1 << max(int(least - 1).bit_length(), 4)


def _plane_arrays(found: PlaneRegions, glued: _Glued) -> dict[str, NDArray]:
    """Return the arrays of a tessellation of the plane."""
    first_corners = glued.vertices[:, 0]
    points = found.corners[first_corners]
    far = np.flatnonzero(glued.vertex_kind == 2)
    bases = points[far].copy()
    places = np.searchsorted(found.far_corners, first_corners[far])
    points[far] = found.far_directions[places]
    return {
        "corner_indptr": found.indptr,
        "corner_vertices": glued.corner_vertices,
        "vertices_float": points + 0.0,  # no -0.0
        "vertex_kind": glued.vertex_kind,
        "far_vertices": far.astype(np.int32),
        "far_points": bases,
        "vertex_region": glued.vertices[:, 1].astype(np.int32),
        "vertex_rows": glued.vertex_rows,
        "vertex_zero_indptr": glued.vertex_zero_indptr,
        "vertex_zero_neurons": glued.vertex_zero_neurons,
        "facet_regions": glued.facet_regions,
        "facet_rows": glued.facet_rows,
        "facet_indptr": 2 * np.arange(len(glued.facet_regions) + 1),
        "facet_vertices": glued.facet_vertices.ravel(),
        "facet_zero_indptr": glued.facet_zero_indptr,
        "facet_zero_neurons": glued.facet_zero_neurons,
    }


def _line_arrays(found: PlaneRegions, glued: _Glued, bottom: int) -> dict[str, NDArray]:
    """Return the arrays of a tessellation of the line from that of its strip.

    Every region's polygon has one side on the bottom ``y = 0``, the row ``bottom`` of the strip's domain, which goes
    from its left end to its right end; all other sides but those on the top are vertical.
    """
    bottom_corners = np.flatnonzero(found.edges == found.first_line + bottom)
    ends = np.stack([glued.corner_vertices[bottom_corners], glued.corner_vertices[_next(found, bottom_corners)]], 1)
    kept = np.unique(ends)
    number = np.full(len(glued.vertices), -1, np.int32)
    number[kept] = np.arange(len(kept))
    horizontal = (found.first_line + bottom, found.first_line + bottom + 1)
    facets = np.flatnonzero(~np.isin(found.edges[glued.facet_corner], horizontal))
    zero_indptr, zeros = take_lists(glued.vertex_zero_indptr, glued.vertex_zero_neurons, kept)
    facet_points = number[glued.facet_vertices[facets]].max(axis=1, initial=-1)
    facet_zero_indptr, facet_zeros = take_lists(zero_indptr, zeros, facet_points)

    corners = glued.vertices[kept, 0]
    points = found.corners[corners, :1]
    kinds = glued.vertex_kind[kept]
    far = np.flatnonzero(kinds == 2)
    bases = points[far].copy()
    points[far] = found.far_directions[np.searchsorted(found.far_corners, corners[far]), :1]
    rows = glued.vertex_rows[kept]
    is_bottom = (rows[:, :, 0] == BORDER) & (rows[:, :, 1] == bottom)
    return {
        "corner_indptr": 2 * np.arange(found.n_regions + 1),
        "corner_vertices": number[ends].ravel(),
        "vertices_float": points + 0.0,  # no -0.0
        "vertex_kind": kinds,
        "far_vertices": far.astype(np.int32),
        "far_points": bases,
        "vertex_region": glued.vertices[kept, 1].astype(np.int32),
        "vertex_rows": rows[~is_bottom].reshape(-1, 1, 2),
        "vertex_zero_indptr": zero_indptr,
        "vertex_zero_neurons": zeros,
        "facet_regions": glued.facet_regions[facets],
        "facet_rows": glued.facet_rows[facets],
        "facet_indptr": np.arange(len(facets) + 1),
        "facet_vertices": facet_points,
        "facet_zero_indptr": facet_zero_indptr,
        "facet_zero_neurons": facet_zeros,
    }


def _next(found: PlaneRegions, corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the corner after each corner, around its polygon."""
    region = np.searchsorted(found.indptr, corners, side="right") - 1
    return np.where(corners + 1 == found.indptr[region + 1], found.indptr[region], corners + 1)
