"""What of a tessellation a picture shows: a window, and the regions and facets cut to it, in floats."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.tessellation.geometry import check_vertices
from polyrelu.tessellation.model import AT_INFINITY, Tessellation

__all__ = ["Cells", "Window", "around", "cells_in", "check_dim", "facets_in", "window_of"]

MARGIN = 0.3
"""Part of the extent of the vertices that an unbounded picture shows around them."""

FENCE = 2.0
"""How many interquartile ranges beyond the quartiles a vertex is an outlier (Tukey 1977 takes 1.5 and 3)."""

SHRINK = 3.0
"""How many times wider outliers must make a window to be left out of it."""

FAR = 4.0
"""How many times further out than everything else the ends of unbounded edges are drawn."""


class Window(NamedTuple):
    """The part of the plane (of the line: x only) that is shown."""

    left: float
    bottom: float
    right: float
    top: float


class Cells(NamedTuple):
    """Convex polygons: the regions as far as they lie in a window.

    points : float64 array, shape (n_points, 2), counted around each polygon
    indptr : int64 array, shape (n_cells + 1,)
    regions : int64 array, shape (n_cells,)
    """

    points: NDArray[np.float64]
    indptr: NDArray[np.int64]
    regions: NDArray[np.int64]

    def polygons(self) -> list[NDArray[np.float64]]:
        """Return the corners of each polygon."""
        return [self.points[a:b] for a, b in pairwise(self.indptr.tolist())]


def check_dim(who: str, tessellation: Tessellation, dims: tuple[int, ...] = (1, 2)) -> None:
    """Raise `InputError` unless a tessellation has one of these dimensions, and vertices."""
    if tessellation.dim not in dims:
        raise InputError(
            f"{who} needs a tessellation of dimension {' or '.join(map(str, dims))} but received one of dimension "
            f"{tessellation.dim}. Restrict the network to a slice."
        )
    check_vertices(who, tessellation)


def window_of(tessellation: Tessellation) -> Window:
    """Return a window that shows a bounded domain as a whole, and of an unbounded one where the vertices are.

    Vertices that lie far out (beyond the fences of a box plot) may be outside the window.
    """
    low, high = around(tessellation)
    if tessellation.dim == 1:
        return Window(float(low[0]), 0.0, float(high[0]), 1.0)
    return Window(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def around(tessellation: Tessellation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and the upper corner of what `window_of` shows, in any dimension."""
    t = tessellation
    finite = t.vertices_float[t.vertex_kind != AT_INFINITY]
    if t.bounded.all():
        return finite.min(axis=0), finite.max(axis=0)
    return _near(next(points for points in (finite, t.far_points, t.witnesses_float) if len(points)))


def _near(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    quarter, three_quarters = np.quantile(points, [0.25, 0.75], axis=0)
    spread = three_quarters - quarter
    reach = np.where(spread > 0, FENCE * spread, np.inf)
    near = points[((points >= quarter - reach) & (points <= three_quarters + reach)).all(axis=1)]
    if len(near) and (np.ptp(points, axis=0) > SHRINK * np.ptp(near, axis=0)).any():
        points = near
    low, high = points.min(axis=0), points.max(axis=0)
    extent = high - low
    largest = extent.max() or max(1.0, np.abs(points).max())
    extent = np.maximum(extent, 0.5 * largest)
    middle = (low + high) / 2
    return middle - (0.5 + MARGIN) * extent, middle + (0.5 + MARGIN) * extent


def cells_in(tessellation: Tessellation, window: Window) -> Cells:
    """Return the regions of the plane, cut to a window; those outside it are left out."""
    points = _corner_points(tessellation, tessellation.corner_vertices, tessellation.corner_indptr, window)
    indptr = tessellation.corner_indptr
    starts = indptr[:-1]
    low, high = np.minimum.reduceat(points, starts, axis=0), np.maximum.reduceat(points, starts, axis=0)
    corner, opposite = np.array(window[:2]), np.array(window[2:])
    inside = ((low >= corner) & (high <= opposite)).all(axis=1)
    crossing = ~inside & (high > corner).all(axis=1) & (low < opposite).all(axis=1)
    kept = _taken(points, indptr, np.flatnonzero(inside))
    cut = _clipped(points, indptr, np.flatnonzero(crossing), window)
    both = Cells(
        np.concatenate([kept.points, cut.points]),
        np.concatenate([kept.indptr, kept.indptr[-1] + cut.indptr[1:]]),
        np.concatenate([kept.regions, cut.regions]),
    )
    return _taken(both.points, both.indptr, np.argsort(both.regions, kind="stable"), both.regions)


def facets_in(
    tessellation: Tessellation, window: Window, facets: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the ends of the facets of the plane (of some of them) that meet a window, shape (n, 2, 2)."""
    t = tessellation
    numbers = np.arange(t.n_facets) if facets is None else facets
    vertices = t.facet_vertices.reshape(-1, 2)[numbers]
    ends = _corner_points(t, vertices.ravel(), 2 * np.arange(len(vertices) + 1), window).reshape(-1, 2, 2)
    along = ends[:, 1] - ends[:, 0]
    still = along == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        to_low, to_high = ((np.array(side) - ends[:, 0]) / along for side in (window[:2], window[2:]))
    outside = still & ((ends[:, 0] < window[:2]) | (ends[:, 0] > window[2:]))
    enter = np.where(still, -np.inf, np.minimum(to_low, to_high)).max(axis=1, initial=0.0)
    leave = np.where(still, np.inf, np.maximum(to_low, to_high)).min(axis=1, initial=1.0)
    return ends[(enter <= leave) & ~outside.any(axis=1)]


def _corner_points(
    t: Tessellation, corners: NDArray[np.int32], indptr: NDArray[np.int64], window: Window
) -> NDArray[np.float64]:
    """Return the coordinates of the vertices in lists, those at infinity far outside the rest of their list."""
    base = t.vertices_float.copy()
    base[t.far_vertices] = t.far_points
    points = base[corners]
    far = t.vertex_kind[corners] == AT_INFINITY
    if far.any():
        sizes = np.maximum.reduceat(np.abs(points).max(axis=1), indptr[:-1])
        reach = FAR * np.maximum(sizes, np.abs(window).max())
        reach = np.repeat(reach, np.diff(indptr))[far]
        points[far] += reach[:, None] * t.vertices_float[corners[far]]
    return points


def _taken(
    points: NDArray[np.float64],
    indptr: NDArray[np.int64],
    chosen: NDArray[np.int64],
    regions: NDArray[np.int64] | None = None,
) -> Cells:
    lengths = np.diff(indptr)[chosen]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(indptr[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
    return Cells(points[places], starts, chosen if regions is None else regions[chosen])


def _clipped(
    points: NDArray[np.float64], indptr: NDArray[np.int64], chosen: NDArray[np.int64], window: Window
) -> Cells:
    import shapely

    cells = _taken(points, indptr, chosen)
    owners = np.repeat(np.arange(len(chosen)), np.diff(cells.indptr))
    rings = shapely.linearrings(cells.points, indices=owners) if len(chosen) else np.zeros(0, object)
    parts = shapely.clip_by_rect(shapely.polygons(rings), *window)
    is_polygon = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    parts, regions = parts[is_polygon], chosen[is_polygon]
    coordinates, owners = shapely.get_coordinates(parts, return_index=True)
    is_last = np.append(owners[1:] != owners[:-1], True) if len(owners) else np.zeros(0, bool)
    lengths = np.bincount(owners[~is_last], minlength=len(parts))
    return Cells(coordinates[~is_last], np.concatenate([[0], np.cumsum(lengths)]), regions)
