"""Pictures of images: the outputs of a domain, region by region, in the plane and in space.

Colours are those of the regions in every other picture, so that one sees where a region of the inputs goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.images import OutputUnion
from polyrelu.analysis.polyhedra import Polyhedron
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import nearest_float
from polyrelu.plot.canvas import fresh_axes, style
from polyrelu.plot.colours import BORDER_COLOUR, INK, region_colours
from polyrelu.plot.scene import VIEW, Scene, add_box, finish, shaded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from mpl_toolkits.mplot3d import Axes3D

__all__ = ["plot_image", "plot_image_space"]

MARGIN, RAY_MARGIN = 0.06, 0.5
"""How much wider than the vertices a picture is, and one of an unbounded image."""

MAX_RATIO = 4.0
"""Sides in a larger ratio are drawn to different scales."""

ALPHA = 0.75
"""Opacity: what is covered twice is darker."""


def plot_image(image: OutputUnion, ax: Axes | None = None, *, window: Sequence[float] | None = None) -> Axes:
    """Draw the outputs of a network with two outputs: polygons, segments and points.

    Parameters
    ----------
    image : OutputUnion
        What `polyrelu.analysis.images.image` returns.
    ax : matplotlib.axes.Axes, optional
    window : (left, bottom, right, top), optional
        Default: around all vertices. Unbounded polygons are cut to it.

    Returns
    -------
    matplotlib.axes.Axes
        Its first collection holds one polygon for each region whose outputs have an area in the window.

    Raises
    ------
    InputError
        If there are not two outputs.
    """
    from matplotlib.collections import LineCollection, PolyCollection

    _check_outputs("plot_image", image, 2)
    ax = fresh_axes(ax)
    low, high = _limits(image) if window is None else (np.array(window[:2]), np.array(window[2:]))
    colours = _colours(image)
    shapes = [_points_in(piece.polyhedron, low, high) for piece in image.pieces]
    areas = [i for i, points in enumerate(shapes) if _flat_dim(points) == 2]
    thin = [i for i, points in enumerate(shapes) if len(points) and _flat_dim(points) < 2]
    polygons = [_around(shapes[i]) for i in areas]
    ax.add_collection(
        PolyCollection(polygons, facecolors=colours[areas], edgecolors="white", linewidths=_width(areas), alpha=ALPHA)
    )
    ends = [shapes[i][[0, -1]] for i in thin]
    ax.add_collection(LineCollection(ends, colors=colours[thin] * 0.8, linewidths=2.2, capstyle="round"))
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    size = high - low
    ax.set_aspect("equal" if size.max() <= MAX_RATIO * size.min() else "auto")
    style(ax, ax.get_xlabel() or "output 0", ax.get_ylabel() or "output 1")
    return ax


def plot_image_space(image: OutputUnion, *, view: tuple[float, float] = VIEW) -> Axes3D:
    """Draw the outputs of a network with three outputs: solids, or the surface that a network with two inputs makes.

    Parameters
    ----------
    image : OutputUnion
    view : (elevation, azimuth), in degrees

    Raises
    ------
    InputError
        If there are not three outputs.
    """
    from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

    _check_outputs("plot_image_space", image, 3)
    low, high = _limits(image)
    size = high - low
    aspect = size / size.max() if size.max() <= MAX_RATIO * size.min() else np.ones(3)
    scene = Scene(low, high, aspect, view)
    ax = _space_axes(scene)
    faces, owners, ends, line_owners = [], [], [], []
    for i, piece in enumerate(image.pieces):
        points = _points_in(piece.polyhedron, low, high)
        dim = _flat_dim(points) if len(points) else -1
        if dim >= 2:
            own = _faces(piece.polyhedron, low, high) if dim == 3 else [points]
            faces += [_around(face) for face in own]
            owners += [i] * len(own)
        elif dim >= 0:
            ends.append(points[[0, -1]])
            line_owners.append(i)
    colours = _colours(image)
    if faces:
        lit = shaded(colours[owners], _normals(faces, scene), scene, ALPHA)
        corners = [_filled(face, max(map(len, faces))) for face in faces]
        ax.add_collection3d(Poly3DCollection(corners, facecolors=lit, edgecolors="white", linewidths=_width(faces)))
    if ends:
        ax.add_collection3d(Line3DCollection(ends, colors=colours[line_owners] * 0.8, linewidths=2.2))
    add_box(ax, scene)
    finish(ax, scene)
    return ax


def _check_outputs(who: str, image: OutputUnion, n_outputs: int) -> None:
    if image.dim != n_outputs:
        raise InputError(
            f"{who} needs a network with {n_outputs} outputs but received one with {image.dim}. "
            "Append a layer that picks or adds outputs."
        )


def _colours(image: OutputUnion) -> NDArray[np.float64]:
    regions = [piece.region for piece in image.pieces]
    return region_colours(image.ground.tessellation.words[regions])


def _width(shapes: Sequence[Any]) -> float:
    return float(np.clip(16.0 / np.sqrt(max(len(shapes), 1)), 0.05, 0.8))


def _limits(image: OutputUnion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of a box around all vertices, or around the origin's sides if there are none."""
    shapes = [piece.polyhedron.generators for piece in image.pieces]
    points = _floats([point for shape in shapes for point in shape.points])
    low, high = points.min(axis=0), points.max(axis=0)
    is_open = any(shape.rays or shape.lineality for shape in shapes)
    size = high - low
    largest = size.max() or 1.0
    reach = np.where(size > 0, size, largest) * (RAY_MARGIN if is_open else MARGIN)
    return low - reach, high + reach


def _points_in(polyhedron: Polyhedron, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vertices of the part of a polyhedron in a box, shape (n, dim)."""
    return _floats(_cut(polyhedron, low, high).vertices, polyhedron.dim)


def _cut(polyhedron: Polyhedron, low: NDArray[np.float64], high: NDArray[np.float64]) -> Polyhedron:
    """Return the part of a polyhedron in a box; the polyhedron itself, if it lies inside."""
    box = Domain.box(low.tolist(), high.tolist())
    if polyhedron.is_bounded and all(box.contains(vertex) for vertex in polyhedron.vertices):
        return polyhedron
    return Polyhedron(polyhedron.dim, (*polyhedron.rows, *box.rows))


def _faces(polyhedron: Polyhedron, low: NDArray[np.float64], high: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the vertices of each facet of a solid in a box."""
    shape = _cut(polyhedron, low, high).generators
    points = _floats(shape.points)
    on_rows = ([i for i, tight in enumerate(shape.point_rows) if row in tight] for row in range(shape.n_rows))
    return [points[list(face)] for face in dict.fromkeys(tuple(on) for on in on_rows) if len(face) > 2]


def _flat_dim(points: NDArray[np.float64]) -> int:
    """Return in which dimension points lie, as far as a picture shows it."""
    return int(np.linalg.matrix_rank(points - points[0])) if len(points) > 1 else 0


def _around(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of a convex polygon, in the plane or in space, in order."""
    centred = points - points.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    x, y = axes @ centred.T
    return points[np.argsort(np.arctan2(y, x))]


def _normals(faces: Sequence[NDArray[np.float64]], scene: Scene) -> NDArray[np.float64]:
    """Return unit normals of polygons, on the viewer's side, shape (n, 3)."""
    normals = np.array([np.linalg.svd(scene.scaled(face - face.mean(axis=0)))[2][2] for face in faces])
    return np.where((normals @ scene.towards_viewer > 0)[:, None], normals, -normals)


def _filled(face: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return a polygon whose last corner is repeated up to a number of corners."""
    return face[np.minimum(np.arange(size), len(face) - 1)]


def _floats(points: Sequence[Sequence[Fraction]], dim: int = 0) -> NDArray[np.float64]:
    values = [[nearest_float(value.numerator, value.denominator) for value in point] for point in points]
    return np.array(values, dtype=np.float64).reshape(len(values), -1 if values else dim)


def _space_axes(scene: Scene) -> Axes3D:
    from matplotlib import pyplot
    from matplotlib.ticker import MaxNLocator

    figure = pyplot.figure(figsize=(6.4, 6.0), layout="constrained")
    ax = figure.add_subplot(111, projection="3d", computed_zorder=False)
    ax.set_proj_type("ortho")
    ax.view_init(*scene.view)
    ax.autoscale(False)
    for number, axis in enumerate((ax.xaxis, ax.yaxis, ax.zaxis)):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axis.set_pane_color((1, 1, 1, 0))
        axis.line.set_color(BORDER_COLOUR)
        axis.set_label_text(f"output {number}", color=INK)
        axis.set_tick_params(color=BORDER_COLOUR, labelcolor=INK, labelsize="small")
    ax.grid(False)
    return ax
