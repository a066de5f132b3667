"""Pictures of local affine maps: gradients as images, and maps of the plane as points of dual space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.local_maps import LocalMaps, local_maps
from polyrelu.analysis.data.region_maps import region_maps
from polyrelu.errors import InputError
from polyrelu.plot.colours import BORDER_COLOUR, CLASSES, INK, region_colours
from polyrelu.plot.figure import new_figure
from polyrelu.plot.plane import plot_regions
from polyrelu.plot.scene import VIEW, Scene, add_box, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d.axes3d import Axes3D

    from polyrelu.tessellation.model import Tessellation

__all__ = ["draw_dual", "draw_gradients", "draw_image_grid", "plot_dual_points", "plot_gradient", "plot_image_of_data"]

GRADIENTS, GREYS = "RdBu_r", "gray_r"
"""Colour maps: red raises an output, blue lowers it, white does nothing; ink on paper."""

CELL, MARGIN, TITLE = 1.0, 0.95, 0.42
"""Inches: a cell of a grid, the names of its rows, the names of its columns."""

BLUE, RED = CLASSES[:2]
LEAST_DOT, LARGEST_DOT, RED_DOT = 8, 110, 48
"""Square points: a map of one point, the most frequent map, and what is highlighted."""
ROOM = 0.06
"""Between the points and the box around them, as a part of it."""


def draw_dual(tessellation: Tessellation, output: int = 0, points: ArrayLike = ()) -> Figure:
    """Return a figure with the regions of the plane, and beside them their affine maps as points of dual space.

    A region and its map have one colour; in red are the given points, and the maps there (Sattelberg et al. 2020,
    Figures 4 and 11).

    Parameters
    ----------
    tessellation : Tessellation
        Of dimension 2.
    output : int
    points : array, shape (n, 2)
        Such as the training data.

    Raises
    ------
    InputError
        If the dimension is not 2, there is no such output, or the points are not in the plane.
    """
    maps = region_maps(tessellation, output)
    x = np.asarray(points, np.float64)
    x = x if x.size else np.zeros((0, tessellation.dim))
    at_points = local_maps(tessellation.network, x, output)
    figure = new_figure(10.4, 5.2)
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 0.97))  # square axes leave too little room for titles
    plane, dual = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2, projection="3d")
    plot_dual_points(maps, dual, colours=region_colours(tessellation.words) * 0.85)
    a, b, c = at_points.dual_points.T
    dual.scatter(a, b, c, s=RED_DOT, c=RED, edgecolors="white", linewidths=0.5, depthshade=False, zorder=3)
    plot_regions(tessellation, plane)
    plane.scatter(x[:, 0], x[:, 1], s=RED_DOT, c=RED, edgecolors="white", linewidths=0.5, zorder=5)
    n_maps = len(np.unique(maps.dual_points + 0.0, axis=0))
    regions = "1 region" if len(maps) == 1 else f"{len(maps):,} regions"
    found = "1 affine map" if n_maps == 1 else f"{n_maps:,} different affine maps"
    for ax, title in ((plane, regions), (dual, f"output {output}: {found}")):
        ax.set_title(title, color=INK, fontsize="medium", loc="left")
    return figure


def draw_gradients(points: ArrayLike, maps: LocalMaps, shape: Sequence[int]) -> Figure:
    """Return a figure with images and the gradients of their local maps (Sattelberg et al. 2020, Figure 6).

    Parameters
    ----------
    points : array, shape (n, ...)
        The images, few of them.
    maps : LocalMaps
        Of these points. With one output for each, an image stands above its gradient; with several, beside them.
    shape : (height, width) or (channels, height, width)
        Of channels, an image shows the mean, and a gradient the sum: what raising all of them does.

    Raises
    ------
    InputError
        If there are no points, or they do not have this shape.
    """
    sizes, n = tuple(shape), len(maps)
    x, dim = np.asarray(points, np.float64), math.prod(sizes)
    if not n or len(sizes) not in (2, 3) or maps.weights.shape[-1] != dim or x.size != n * dim:
        raise InputError(
            f"draw_gradients needs images of shape {' x '.join(map(str, sizes))}, with at least one, but received "
            f"points of shape {x.shape}. Give HEIGHT x WIDTH, or CHANNELS x HEIGHT x WIDTH."
        )
    images = x.reshape(n, -1, *sizes[-2:]).mean(axis=1)
    outputs = maps.outputs.reshape(n, -1)
    gradients = maps.weights.reshape(*outputs.shape, -1, *sizes[-2:]).sum(axis=2)
    if maps.outputs.ndim == 1:
        return draw_image_grid(
            [list(images), list(gradients[:, 0])],
            is_gradient=[[False] * n, [True] * n],
            row_names=["image", "gradient"],
            column_names=[f"output {output}" for output in outputs[:, 0].tolist()],
        )
    is_same = bool((outputs == outputs[0]).all())
    return draw_image_grid(
        [[image, *own] for image, own in zip(images, gradients, strict=True)],
        is_gradient=[[False, *[True] * outputs.shape[1]]] * n,
        row_names=[f"point {k}" for k in range(n)],
        column_names=["image", *(f"output {j}" if is_same else "" for j in outputs[0].tolist())],
    )


def draw_image_grid(
    cells: Sequence[Sequence[NDArray[np.float64] | None]],
    *,
    is_gradient: Sequence[Sequence[bool]],
    row_names: Sequence[str],
    column_names: Sequence[str],
    title: str = "",
) -> Figure:
    """Return a figure with a grid of small images.

    Parameters
    ----------
    cells : rows of float64 arrays, shape (height, width), or None
        None leaves a cell empty.
    is_gradient : rows of bool
        Gradients are coloured around 0, each by its own largest entry; other images are grey.
    row_names, column_names : sequences of str
    title : str

    Raises
    ------
    InputError
        If rows have different lengths, or names do not fit.
    """
    n_columns = len(column_names)
    if len(row_names) != len(cells) or {len(row) for row in (*cells, *is_gradient)} != {n_columns}:
        raise InputError(
            f"draw_image_grid needs rows of {n_columns} cells, and {len(row_names)} of them, but received lengths "
            f"{[len(row) for row in cells]}. Name every row and column."
        )
    figure = new_figure(MARGIN + CELL * n_columns, TITLE * (2 if title else 1) + CELL * len(cells))
    axes = figure.subplots(len(cells), n_columns, squeeze=False)
    for row, kinds, own_axes, row_name in zip(cells, is_gradient, axes, row_names, strict=True):
        for image, kind, ax in zip(row, kinds, own_axes, strict=True):
            if image is None:
                ax.set_axis_off()
            else:
                (plot_gradient if kind else plot_image_of_data)(image, ax)
        _name_row(own_axes[0], row_name)
    for ax, name in zip(axes[0], column_names, strict=True):
        ax.set_title(name, color=INK, fontsize="small", pad=4)
        ax.title.set_visible(True)
    if title:
        figure.suptitle(title, color=INK, fontsize="medium", x=0.01, ha="left")
    return figure


def plot_gradient(gradient: NDArray[np.float64], ax: Axes) -> Axes:
    """Draw a gradient, shape (height, width): red where more of an input raises the output, blue where it lowers it.

    Colours are those of the largest entry in magnitude, so that 0 is white.
    """
    largest = float(np.abs(gradient).max(initial=0.0)) or 1.0
    ax.imshow(gradient, cmap=GRADIENTS, vmin=-largest, vmax=largest, interpolation="nearest")
    return _framed(ax)


def plot_image_of_data(image: NDArray[np.float64], ax: Axes) -> Axes:
    """Draw an image of a data set, shape (height, width), dark where values are large."""
    ax.imshow(image, cmap=GREYS, interpolation="nearest")
    return _framed(ax)


def plot_dual_points(
    maps: LocalMaps,
    ax: Axes3D | None = None,
    *,
    highlighted: ArrayLike = (),
    colours: NDArray[np.float64] | None = None,
    view: tuple[float, float] = VIEW,
) -> Axes3D:
    """Draw the local maps of two inputs as points of space: both weights, and the offset (Sattelberg et al., Figure 4).

    Parameters
    ----------
    maps : LocalMaps
        Of one output at points of the plane. Equal maps are one point, larger where there are more of them.
    ax : Axes3D, optional
    highlighted : int array
        Which maps to draw in red on top, such as those of the training data.
    colours : float64 array, shape (n, 3), optional
        Of the maps; equal maps get the colour of the first.
    view : (elevation, azimuth), in degrees

    Returns
    -------
    Axes3D
        Its first collection holds the distinct maps.

    Raises
    ------
    InputError
        If there are not two inputs, or maps of several outputs, or none, or those highlighted are not among them.
    """
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    if maps.outputs.ndim != 1 or maps.dual_points.shape[-1] != 3 or not len(maps):
        raise InputError(
            "plot_dual_points needs maps of one output of a network with two inputs, one at least, but received an "
            f"array of shape {maps.dual_points.shape}. Choose an output, or a slice of the network."
        )
    which = np.asarray(highlighted, np.int64)
    if ((which < 0) | (which >= len(maps))).any():
        raise InputError(f"plot_dual_points needs numbers of {len(maps)} maps but received others. Count from 0.")
    distinct, first, counts = np.unique(maps.dual_points + 0.0, axis=0, return_index=True, return_counts=True)
    chosen = np.unique(maps.dual_points[which] + 0.0, axis=0)
    scene = _scene(distinct, view)
    ax = _prepared(new_figure(6.4, 5.8).add_subplot(projection="3d") if ax is None else ax, scene)
    feet = distinct * [1, 1, 0] + [0, 0, scene.low[2]]
    stems = Line3DCollection(np.stack([distinct, feet], axis=1), colors=BORDER_COLOUR, linewidths=0.4, alpha=0.45)
    many = counts.max(initial=1)
    sizes = LEAST_DOT + (LARGEST_DOT - LEAST_DOT) * counts / many if many > 1 else np.full(len(counts), RED_DOT / 1.5)
    look = {"edgecolors": "white", "linewidths": 0.5, "depthshade": False}
    ax.scatter(*distinct.T, s=sizes, c=BLUE if colours is None else colours[first], zorder=2, **look)
    ax.add_collection3d(stems)
    add_box(ax, scene)
    if len(chosen):
        ax.scatter(*chosen.T, s=RED_DOT, c=RED, zorder=3, **look)
    finish(ax, scene)
    return ax


def _scene(points: NDArray[np.float64], view: tuple[float, float]) -> Scene:
    """Return a scene around points, all sides of the same length."""
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(3), np.zeros(3))
    reach = np.where(high > low, (high - low) * ROOM, 1.0)
    return Scene(low - reach, high + reach, np.ones(3), view)


def _prepared(ax: Axes3D, scene: Scene) -> Axes3D:
    from matplotlib.ticker import MaxNLocator

    ax.computed_zorder = False
    ax.set_proj_type("ortho")
    ax.view_init(*scene.view)
    for name, axis in zip(("weight 1", "weight 2", "offset"), (ax.xaxis, ax.yaxis, ax.zaxis), strict=True):
        axis.set_label_text(name, color=INK)
        axis.set_tick_params(color=BORDER_COLOUR, labelcolor=INK, labelsize="small")
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axis.set_pane_color((1, 1, 1, 0))
        axis.line.set_color(BORDER_COLOUR)
    ax.grid(False)
    return ax


def _framed(ax: Axes) -> Axes:
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color(BORDER_COLOUR)
        spine.set_linewidth(0.6)
    return ax


def _name_row(ax: Axes, name: str) -> None:
    ax.annotate(
        name, (0, 0.5), (-6, 0), "axes fraction", "offset points", ha="right", va="center", fontsize="small", color=INK
    )
