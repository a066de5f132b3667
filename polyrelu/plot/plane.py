"""Pictures of tessellations: regions, outputs, classes and bent hyperplanes.

Each function draws into axes (new ones, if none are given) and returns them. Networks with one input are drawn as
graphs (`polyrelu.plot.line`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.plot.canvas import add_legend, fresh_axes, prepare
from polyrelu.plot.classes import cut_classes
from polyrelu.plot.colours import BORDER_COLOUR, INK, class_colours, layer_colours, lightened, region_colours
from polyrelu.plot.line import line_classes, line_hyperplanes, line_output, line_regions
from polyrelu.plot.view import Cells, Window, cells_in, check_dim, facet_ends, values_at, window_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from polyrelu.tessellation.model import Tessellation

__all__ = ["plot_classes", "plot_hyperplanes", "plot_output", "plot_regions"]

MANY = 20_000
"""Regions from which vector formats hold a bitmap instead of every polygon."""

LEVELS = 96
"""Colours of the field of an output."""

ZERO = 2.0**-40
"""Values this small, relative to the largest in the window, are drawn as zero."""


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
    ax, window = fresh_axes(ax), window or window_of(tessellation)
    if tessellation.dim == 1:
        return line_regions(tessellation, ax, window)
    cells = cells_in(tessellation, window)
    _add_polygons(ax, cells.polygons(), region_colours(tessellation.words[cells.regions]))
    prepare(ax, tessellation, window)
    return ax


def plot_hyperplanes(
    tessellation: Tessellation, ax: Axes | None = None, *, window: Window | None = None, width: float | None = None
) -> Axes:
    """Draw the bent hyperplanes: facets, in the colour of the first layer with a neuron that vanishes on them."""
    check_dim("plot_hyperplanes", tessellation)
    ax, window = fresh_axes(ax), window or window_of(tessellation)
    if tessellation.dim == 1:
        return line_hyperplanes(tessellation, ax, window)
    from matplotlib.collections import LineCollection

    t = tessellation
    ends = facet_ends(t, window)
    seen = ((ends.max(axis=1) >= window[:2]) & (ends.min(axis=1) <= window[2:])).all(axis=1)
    has_neuron = np.diff(t.facet_zero_indptr) > 0
    layers = np.full(t.n_facets, -1)
    first_neurons = t.facet_zero_neurons[t.facet_zero_indptr[:-1][has_neuron]]
    layers[has_neuron] = t.network.neurons[first_neurons, 0]
    if width is None:
        width = float(np.clip(40.0 / np.sqrt(t.n_regions), 0.25, 1.4))
    for layer, colour in enumerate(layer_colours(len(t.network.hidden))):
        lines = ends[seen & has_neuron & (layers == layer)]
        if len(lines):
            ax.add_collection(
                LineCollection(
                    lines, colors=[colour], linewidths=width, capstyle="round", zorder=3, label=f"layer {layer + 1}",
                    rasterized=t.n_regions > MANY,
                )  # fmt: skip
            )
    prepare(ax, t, window)
    add_legend(ax)
    return ax


def plot_output(
    tessellation: Tessellation, ax: Axes | None = None, *, output: int = 0, window: Window | None = None
) -> Axes:
    """Draw one output as a field of colours, affine on each region, and the line where it changes sign.

    Raises
    ------
    InputError
        If the dimension is above 2 or there is no such output.
    """
    t = tessellation
    check_dim("plot_output", t)
    _check_output("plot_output", t, output)
    ax, window = fresh_axes(ax), window or window_of(t)
    if t.dim == 1:
        return line_output(t, ax, window, output)
    from matplotlib.collections import LineCollection

    cells = cells_in(t, window)
    values = _cleaned(values_at(t.network, cells.points)[:, output])
    field = _add_field(ax, cells, values)
    bar = ax.figure.colorbar(field, ax=ax, shrink=0.85, pad=0.02, aspect=30)
    bar.outline.set_visible(False)
    bar.set_label(f"output {output}")
    segments = _sign_changes(cells, values)
    if len(segments):
        style = {"colors": INK, "linewidths": 1.6, "zorder": 4, "capstyle": "round"}
        ax.add_collection(LineCollection(segments, label=f"output {output} = 0", **style))
    else:
        ax.collections[0].set_label("_field")
    prepare(ax, t, window)
    add_legend(ax)
    return ax


def plot_classes(tessellation: Tessellation, ax: Axes | None = None, *, window: Window | None = None) -> Axes:
    """Draw which output is the largest (of one output: whether it is positive), with the border between classes.

    The borders are cut into the regions where two outputs are equal, so that they are straight in each region.
    """
    t = tessellation
    check_dim("plot_classes", t)
    ax, window = fresh_axes(ax), window or window_of(t)
    if t.dim == 1:
        return line_classes(t, ax, window)
    from matplotlib.collections import LineCollection, PolyCollection

    cells = cells_in(t, window)
    scores = values_at(t.network, cells.points)
    if t.n_out == 1:
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    polygons, classes, borders = cut_classes(cells, scores)
    colours = class_colours(scores.shape[1])
    for label in np.unique(classes).tolist():
        own = [polygon for polygon, other in zip(polygons, classes, strict=True) if other == label]
        name = f"class {label}" if t.n_out > 1 else ("output <= 0", "output > 0")[label]
        colour = lightened(colours[[label]])
        ax.add_collection(
            PolyCollection(own, facecolors=colour, edgecolors=colour, linewidths=0.3, label=name,
                           rasterized=len(polygons) > MANY)
        )  # fmt: skip
    faint = float(np.clip(12.0 / np.sqrt(t.n_regions), 0.15, 0.6))
    ends = facet_ends(t, window)
    ax.add_collection(LineCollection(ends, colors="white", linewidths=faint, zorder=2, label="_regions"))
    ax.add_collection(LineCollection(borders, colors=INK, linewidths=1.4, zorder=4, capstyle="round", label="_borders"))
    prepare(ax, t, window)
    add_legend(ax)
    return ax
