"""Pictures of tessellations: regions, outputs, classes and bent hyperplanes.

Each function draws into axes (new ones, if none are given) and returns them. Networks with one input are drawn as
graphs (`polyrelu.plot.line`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.plot.canvas import add_legend, fresh_axes, prepare
from polyrelu.plot.colours import BORDER_COLOUR, INK, class_colours, layer_colours, lightened, region_colours
from polyrelu.plot.line import line_classes, line_hyperplanes, line_output, line_regions
from polyrelu.plot.values import class_names, digit_borders, facet_layers, value_range, values_at
from polyrelu.plot.view import Cells, Window, cells_in, check_dim, facets_in, window_of
from polyrelu.tessellation.level_sets import last_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from polyrelu.tessellation.model import Tessellation

__all__ = ["plot_classes", "plot_hyperplanes", "plot_output", "plot_regions"]

MANY = 20_000
"""Polygons from which vector formats hold a bitmap of them."""

LEVELS = 96
"""Colours of the field of an output."""

MAX_CONTOURED = 400_000
"""Triangles up to which the field is drawn as contours, exact to the pixel; smaller triangles are shaded."""


def plot_regions(tessellation: Tessellation, ax: Axes | None = None, *, window: Window | None = None) -> Axes:
    """Draw each region in a colour of its own, the same for a pattern in every picture.

    Parameters
    ----------
    tessellation : Tessellation
        Of dimension 1 or 2.
    ax : matplotlib.axes.Axes, optional
    window : Window, optional
        (left, bottom, right, top); default: the domain, or around the vertices (`polyrelu.plot.view.window_of`).

    Returns
    -------
    matplotlib.axes.Axes
        Its first collection holds one polygon for each region in the window.

    Raises
    ------
    InputError
        If the dimension is above 2.
    """
    check_dim("plot_regions", tessellation)
    ax, window = fresh_axes(ax), Window(*(window or window_of(tessellation)))
    if tessellation.dim == 1:
        return line_regions(tessellation, ax, window)
    cells = cells_in(tessellation, window)
    width = float(np.clip(16.0 / np.sqrt(max(len(cells.regions), 1)), 0.03, 0.8))
    _add_polygons(ax, cells.polygons(), region_colours(tessellation.words[cells.regions]), "white", width)
    prepare(ax, tessellation, window)
    return ax


def plot_hyperplanes(tessellation: Tessellation, ax: Axes | None = None, *, window: Window | None = None) -> Axes:
    """Draw the bent hyperplanes: facets, in the colour of the first layer with a neuron that vanishes on them.

    Of a network with one input, the points where a neuron vanishes. Parameters and errors as for `plot_regions`.
    """
    check_dim("plot_hyperplanes", tessellation)
    ax, window = fresh_axes(ax), Window(*(window or window_of(tessellation)))
    if tessellation.dim == 1:
        return line_hyperplanes(tessellation, ax, window)
    t = tessellation
    layers = facet_layers(t)
    width = float(np.clip(20.0 / np.sqrt(max(t.n_regions, 1)), 0.25, 1.2))
    for layer, colour in enumerate(layer_colours(len(t.network.hidden))):
        lines = facets_in(t, window, np.flatnonzero(layers == layer))
        if len(lines):
            _add_lines(ax, lines, colour, width, label=f"layer {layer + 1}")
    prepare(ax, t, window)
    add_legend(ax)
    return ax


def plot_output(
    tessellation: Tessellation, ax: Axes | None = None, *, output: int = 0, window: Window | None = None
) -> Axes:
    """Draw one output as a field of colours, affine on each region, and the exact border of where it is positive.

    Raises
    ------
    InputError
        If the dimension is above 2 or there is no such output.
    """
    t = tessellation
    check_dim("plot_output", t)
    if not 0 <= output < t.network.n_out:
        raise InputError(f"plot_output needs an output below {t.network.n_out} but received {output}. Count from 0.")
    ax, window = fresh_axes(ax), Window(*(window or window_of(t)))
    if t.dim == 1:
        return line_output(t, ax, window, output)
    cells = cells_in(t, window)
    values = values_at(t.network, cells.points)[:, output]
    bar = ax.figure.colorbar(_add_field(ax, cells, values), ax=ax, shrink=0.85, pad=0.02, aspect=30)
    bar.outline.set_visible(False)
    bar.set_label(f"output {output}", color=INK)
    bar.ax.tick_params(color=BORDER_COLOUR, labelcolor=INK)
    bar.locator = _ticks()
    bar.update_ticks()
    refined = t.level_set(output).tessellation
    border = facets_in(refined, window, digit_borders(refined))
    if len(border):
        _add_lines(ax, border, INK, 1.6, label=f"output {output} = 0", zorder=4)
    prepare(ax, t, window)
    add_legend(ax)
    return ax


def plot_classes(
    tessellation: Tessellation,
    ax: Axes | None = None,
    *,
    window: Window | None = None,
    names: Sequence[str] | None = None,
) -> Axes:
    """Draw which output is the largest (of one output: whether it is positive), and the borders in between.

    Regions are cut exactly where two outputs are equal; at a tie the first one counts. ``names`` are those of the
    classes in the legend, which leaves out names that begin with an underscore. Other parameters and errors as for
    `plot_regions`.
    """
    t = tessellation
    check_dim("plot_classes", t)
    ax, window = fresh_axes(ax), Window(*(window or window_of(t)))
    if t.dim == 1:
        return line_classes(t, ax, window, names)
    refined, names = t.decision_boundary().tessellation, names or class_names(t.network)
    cells = cells_in(refined, window)
    polygons, classes = cells.polygons(), last_digits(refined)[cells.regions]
    for label, colour in enumerate(lightened(class_colours(len(names)))):
        own = [polygons[cell] for cell in np.flatnonzero(classes == label)]
        if own:
            _add_polygons(ax, own, colour[None], colour[None], 0.3, label=names[label])
    width = float(np.clip(12.0 / np.sqrt(max(t.n_regions, 1)), 0.05, 0.6))
    _add_lines(ax, facets_in(t, window), "white", width)
    _add_lines(ax, facets_in(refined, window, digit_borders(refined)), INK, 1.4, zorder=4)
    prepare(ax, t, window)
    add_legend(ax)
    return ax


def _add_polygons(
    ax: Axes, polygons: list[NDArray[np.float64]], faces: Any, edges: Any, width: float, label: str | None = None
) -> None:
    from matplotlib.collections import PolyCollection

    many = len(polygons) > MANY
    ax.add_collection(
        PolyCollection(polygons, facecolors=faces, edgecolors=edges, linewidths=width, label=label, rasterized=many)
    )


def _add_lines(
    ax: Axes, lines: NDArray[np.float64], colour: Any, width: float, label: str | None = None, zorder: int = 3
) -> None:
    from matplotlib.collections import LineCollection

    many = len(lines) > MANY
    collection = LineCollection(list(lines), colors=[colour], linewidths=width, label=label, rasterized=many)
    collection.set_zorder(zorder)
    collection.set_capstyle("round")
    ax.add_collection(collection)


def _add_field(ax: Axes, cells: Cells, values: NDArray[np.float64]) -> Any:
    """Fill the cells with the colours of values at their corners, affine in between."""
    from matplotlib.colors import Normalize
    from matplotlib.tri import Triangulation

    low, high, name = value_range(values)
    mesh = Triangulation(cells.points[:, 0], cells.points[:, 1], _fans(cells))
    if len(mesh.triangles) > MAX_CONTOURED:
        norm = Normalize(low, high)
        return ax.tripcolor(mesh, values, shading="gouraud", cmap=name, norm=norm, rasterized=True)
    field = ax.tricontourf(mesh, values, levels=np.linspace(low, high, LEVELS + 1), cmap=name)
    field.set_rasterized(len(mesh.triangles) > MANY)
    return field


def _fans(cells: Cells) -> NDArray[np.int64]:
    """Return the triangles from the first corner of each cell, shape (n_triangles, 3)."""
    counts = np.diff(cells.indptr) - 2
    firsts = np.repeat(cells.indptr[:-1], counts)
    steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([firsts, firsts + steps + 1, firsts + steps + 2], axis=1)


def _ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(7)
