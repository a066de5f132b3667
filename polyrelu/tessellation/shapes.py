"""The regions of the plane as shapely polygons, in floats, for pictures and other tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import DomainError, UnboundedError
from polyrelu.tessellation.geometry import check_vertices
from polyrelu.tessellation.marks import AT_INFINITY

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["to_shapely"]

FAR = 2.0**12
"""How far beyond everything else the ends of unbounded edges are put before they are cut off."""


def to_shapely(tessellation: Tessellation, window: Sequence[float] | None = None) -> NDArray[np.object_]:
    """Return one polygon for each region, shape (n_regions,).

    Parameters
    ----------
    window : (x_min, y_min, x_max, y_max), optional
        Cut all regions to this rectangle; needed where a region is unbounded. Polygons outside it are empty.

    Raises
    ------
    DomainError
        If the tessellation is not of the plane.
    InputError
        If it has no vertices.
    UnboundedError
        If a region is unbounded and there is no window.

    Notes
    -----
    Coordinates are floats: slivers narrower than rounding errors may be invalid polygons (`shapely.make_valid`).

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import xor
    >>> [polygon.area for polygon in to_shapely(tessellate(xor()), window=(-1, -1, 1, 1))]
    [0.5, 1.5, 2.0]
    >>> to_shapely(tessellate(xor()))
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnboundedError: to_shapely needs bounded regions but received 3 unbounded ones. Pass a window.
    """
    import shapely

    t = tessellation
    if t.dim != 2:
        raise DomainError(
            f"to_shapely needs regions of the plane but received a {t.dim}-dimensional tessellation. "
            "Restrict the network to a plane."
        )
    check_vertices("to_shapely", t)
    n_unbounded = int((~t.bounded).sum())
    if n_unbounded and window is None:
        raise UnboundedError(
            f"to_shapely needs bounded regions but received {n_unbounded} unbounded ones. Pass a window."
        )
    points = _points(t, window)[t.corner_vertices]
    owners = np.repeat(np.arange(t.n_regions), np.diff(t.corner_indptr))
    polygons = shapely.polygons(shapely.linearrings(points, indices=owners))
    return polygons if window is None else shapely.intersection(polygons, shapely.box(*window))


def _points(t: Tessellation, window: Sequence[float] | None) -> NDArray[np.float64]:
    """Return all vertices, those at infinity far outside the window."""
    points = t.vertices_float.copy()
    if len(t.far_vertices):
        near = points[t.vertex_kind != AT_INFINITY]
        extent = max(np.abs(each).max(initial=1.0) for each in (near, t.far_points, np.asarray(window, np.float64)))
        points[t.far_vertices] = t.far_points + FAR * extent * points[t.far_vertices]
    return points
