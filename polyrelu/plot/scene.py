"""Three-dimensional axes: what box they show, from where, in what light, and what hides what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.plot.canvas import axis_names
from polyrelu.plot.colours import BORDER_COLOUR, INK
from polyrelu.plot.view import around
from polyrelu.tessellation.marks import BORDER
from polyrelu.tessellation.polygons import ordered_facets
from polyrelu.tessellation.region_forms import RegionForms

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d import Axes3D

    from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.polygons import Cycles

__all__ = [
    "VIEW",
    "Scene",
    "add_box",
    "add_polygons",
    "faces_of",
    "facet_levels",
    "finish",
    "levels_of",
    "normals_of",
    "scene_of",
    "shaded",
    "space_axes",
]

VIEW = (22.0, -58.0)
"""Elevation and azimuth of the viewer, in degrees."""

MAX_RATIO = 2.0
"""Sides of a box in a larger ratio are drawn to different scales."""

LIGHT = (0.25, -0.45, 0.86)
"""Where the light comes from, if the viewer looks along the second axis."""

AMBIENT = 0.58
"""How bright a polygon is that the light does not reach."""


class Scene(NamedTuple):
    """What axes show.

    low, high : float64 array, shape (3,)
        Corners of the box.
    aspect : float64 array, shape (3,)
        Lengths of its sides in the picture, the longest 1.
    view : (elevation, azimuth), in degrees
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    aspect: NDArray[np.float64]
    view: tuple[float, float]

    def scaled(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return vectors of the data in the proportions of the picture."""
        return vectors * (self.aspect / (self.high - self.low))

    @property
    def towards_viewer(self) -> NDArray[np.float64]:
        """The direction of the viewer, in the proportions of the picture."""
        elevation, azimuth = np.radians(self.view)
        return np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])

    @property
    def light(self) -> NDArray[np.float64]:
        """The direction of the light; it turns with the viewer, so that the same sides are bright in every view."""
        turn = np.radians(self.view[1] + 90)
        x, y, z = np.array(LIGHT) / np.linalg.norm(LIGHT)
        return np.array([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn), z])


def scene_of(tessellation: Tessellation, view: tuple[float, float] = VIEW) -> Scene:
    """Return a scene that shows a bounded domain as a whole, and of an unbounded one where the vertices are."""
    low, high = around(tessellation)
    extent = high - low
    aspect = extent / extent.max() if extent.max() <= MAX_RATIO * extent.min() else np.ones(3)
    return Scene(low, high, aspect, view)


def space_axes(scene: Scene, tessellation: Tessellation, figure: Figure | None = None, place: int = 111) -> Axes3D:
    """Return three-dimensional axes for a scene, in a new figure if there is none."""
    from matplotlib.ticker import MaxNLocator

    if figure is None:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=(6.4, 6.0), layout="constrained")
    ax = figure.add_subplot(place, projection="3d", computed_zorder=False)
    ax.set_proj_type("ortho")
    ax.view_init(*scene.view)
    ax.autoscale(False)
    names = axis_names(tessellation)
    for axis, name, length in zip((ax.xaxis, ax.yaxis, ax.zaxis), names, scene.aspect, strict=True):
        axis.set_major_locator(MaxNLocator(max(2, round(6 * length)), steps=[1, 2, 5, 10]))
        axis.set_pane_color((1, 1, 1, 0))
        axis.line.set_color(BORDER_COLOUR)
        axis.set_label_text(name, color=INK)
        axis.set_tick_params(color=BORDER_COLOUR, labelcolor=INK, labelsize="small")
    ax.grid(False)
    return ax


def finish(ax: Axes3D, scene: Scene, reach: float = 0.0) -> None:
    """Set the limits, wider by a part of the box where shapes were moved apart; the axes then have no numbers."""
    margin = reach * (scene.high - scene.low)
    for axis, low, high in zip((ax.xaxis, ax.yaxis, ax.zaxis), scene.low - margin, scene.high + margin, strict=True):
        ax.set(**{f"{axis.axis_name}lim": (low, high)})
        if reach:
            axis.set_ticks([])
            axis.line.set_color((1, 1, 1, 0))
            axis.labelpad = -8
    ax.set_box_aspect(scene.aspect, zoom=1.1 if reach else 0.92)


def add_box(ax: Axes3D, scene: Scene) -> None:
    """Draw the edges of the box: those behind everything first, those in front of it last."""
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    edges = [(a, b) for a in range(8) for b in range(a + 1, 8) if np.abs(corners[a] - corners[b]).sum() == 1]
    nearest = (scene.towards_viewer > 0).astype(int)
    points = scene.low + corners * (scene.high - scene.low)
    for is_front, zorder in ((False, -1), (True, 1e6)):
        lines = [points[[a, b]] for a, b in edges if is_front == _is_seen(corners[[a, b]], nearest)]
        ax.add_collection3d(Line3DCollection(lines, colors=BORDER_COLOUR, linewidths=0.7, zorder=zorder))


def _is_seen(ends: NDArray[np.int64], nearest: NDArray[np.int64]) -> bool:
    """Return whether an edge of a box lies on a side that faces the viewer."""
    return bool(((ends[0] == ends[1]) & (ends[0] == nearest)).any())


def add_polygons(
    ax: Axes3D, polygons: NDArray[np.float64], levels: NDArray[np.int64], colours: NDArray, edges: Any, width: float
) -> None:
    """Draw polygons, shape (n, corners, 3), in the order of their levels; ``edges`` is one colour or one for each."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    for level in np.unique(levels).tolist():
        own = np.flatnonzero(levels == level)
        around = edges[own] if isinstance(edges, np.ndarray) else edges
        ax.add_collection3d(
            Poly3DCollection(polygons[own], facecolors=colours[own], edgecolors=around, linewidths=width, zorder=level)
        )


def faces_of(points: NDArray[np.float64], cycles: Cycles, chosen: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the corners of some polygons, shape (n, most corners, 3); shorter ones repeat their last corner.

    Poly3DCollection fills up shorter polygons with whatever is in memory, which overflows when it is projected.
    """
    first, last = cycles.indptr[:-1][chosen], cycles.indptr[1:][chosen] - 1
    steps = np.arange(int((last - first + 1).max(initial=0)))
    return points[cycles.vertices[np.minimum(first[:, None] + steps, last[:, None])]]


def normals_of(points: NDArray[np.float64], cycles: Cycles) -> NDArray[np.float64]:
    """Return the unit normals of polygons, towards those who see them counter-clockwise, shape (n, 3).

    Parameters
    ----------
    points : float64 array, shape (n_vertices, 3)
        In the proportions of the picture.
    cycles : Cycles
        Empty polygons get the normal 0.
    """
    ends, sizes = points[cycles.ends], np.diff(cycles.indptr)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    first = points[cycles.vertices[cycles.indptr[owners]]]
    areas = np.cross(ends[:, 0] - first, ends[:, 1] - first)
    normals = np.stack([np.bincount(owners, areas[:, k], len(sizes)) for k in range(3)], axis=1).astype(np.float64)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)


def shaded(
    colours: NDArray[np.float64], normals: NDArray[np.float64], scene: Scene, alpha: float = 1.0
) -> NDArray[np.float64]:
    """Return the colours of matt polygons in the light, shape (n, 4)."""
    lit = AMBIENT + (1 - AMBIENT) * np.clip(0.5 + 0.5 * (normals @ scene.light), 0, 1) ** 1.3
    return np.concatenate([np.clip(colours * lit[:, None], 0, 1), np.full((len(colours), 1), alpha)], axis=1)


def facet_levels(
    tessellation: Tessellation, scene: Scene, facets: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Return levels of facets: drawn in their order, none is covered by one that it hides.

    A facet is drawn before the region in front of it, and after everything behind the region at its back.
    """
    t = tessellation
    cycles = ordered_facets(t, np.arange(t.n_facets))
    facing = normals_of(scene.scaled(t.vertices_float), cycles) @ scene.towards_viewer
    is_open = np.diff(cycles.indptr) == 0
    facing[is_open] = _open_normals(t, scene, np.flatnonzero(is_open).tolist()) @ scene.towards_viewer
    inner = t.inner_facets
    depths = scene.scaled(t.witnesses_float) @ scene.towards_viewer
    levels = levels_of(t.facet_regions[inner], facing[inner] > 0, depths)
    sides = t.facet_regions[facets]
    on_border = np.where(facing[facets] > 0, levels.max(initial=0) + 1, levels[sides[:, 0]])
    return np.where(sides[:, 1] < 0, on_border, levels[sides].max(axis=1))


def _open_normals(t: Tessellation, scene: Scene, facets: list[int]) -> NDArray[np.float64]:
    """Return normals of unbounded facets, away from their first regions, from the forms that vanish there."""
    forms, result = RegionForms(t), np.zeros((len(facets), 3))
    for i, facet in enumerate(facets):
        region, (owner, number) = int(t.facet_regions[facet, 0]), t.facet_rows[facet].tolist()
        forms.move_to(region)
        exact = list(t.domain.rows[number]) if owner == BORDER else forms.form(owner, number)
        largest = max(map(abs, exact))
        row = np.array([value / largest for value in exact])
        is_inward = row[:-1] @ t.witnesses_float[region] + row[-1] > 0
        result[i] = (-1 if is_inward else 1) * row[:-1]
    return result * (scene.high - scene.low) / scene.aspect


def levels_of(
    pairs: NDArray[np.integer], is_second_nearer: NDArray[np.bool_], depths: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return levels of convex cells: drawn in their order, no cell is covered by one that it hides.

    Parameters
    ----------
    pairs : int array, shape (n_pairs, 2)
        Cells with a common facet.
    is_second_nearer : bool array, shape (n_pairs,)
        Whether the second cell of a pair lies on the viewer's side of that facet.
    depths : float64 array, shape (n_cells,)
        How near the middle of each cell is: where cells hide each other in a circle, the farthest is drawn first.

    Notes
    -----
    What lies behind a point of a cell is reached by crossing facets, so these pairs say everything, and cells of one
    level do not hide each other.

    Examples
    --------
    >>> levels_of(np.array([[0, 1], [1, 2]]), np.array([False, True]), np.zeros(3)).tolist()
    [1, 0, 1]
    """
    n = len(depths)
    hides: list[list[int]] = [[] for _ in range(n)]
    behind: list[list[int]] = [[] for _ in range(n)]
    for far, near in np.where(is_second_nearer[:, None], pairs, pairs[:, ::-1]).tolist():
        hides[far].append(near)
        behind[near].append(far)
    waits = [len(each) for each in behind]
    ready = [cell for cell in range(n) if not waits[cell]]
    farthest_last = np.argsort(-depths, kind="stable").tolist()
    levels, is_done = [0] * n, [False] * n
    while ready or farthest_last:
        cell = ready.pop() if ready else farthest_last.pop()
        if is_done[cell]:
            continue
        if waits[cell]:
            farthest_last.append(cell)
            cell = _in_circle(cell, behind, is_done)
        is_done[cell] = True
        for other in hides[cell]:
            waits[other] -= 1
            if not is_done[other]:
                levels[other] = max(levels[other], levels[cell] + 1)
                ready += [other] * (waits[other] == 0)
    return np.array(levels, np.int64)


def _in_circle(cell: int, behind: list[list[int]], is_done: list[bool]) -> int:
    """Return a cell that waits for itself, found behind a cell that waits."""
    seen: set[int] = set()
    while cell not in seen:
        seen.add(cell)
        cell = next(other for other in behind[cell] if not is_done[other])
    return cell
