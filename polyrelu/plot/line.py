"""Pictures of networks with one input: the graph, with its breakpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.plot.canvas import add_legend, axis_names, style
from polyrelu.plot.colours import INK, class_colours, layer_colours, lightened, region_colours
from polyrelu.plot.values import class_names, facet_layers, values_at
from polyrelu.plot.view import Window
from polyrelu.tessellation.level_sets import last_digits
from polyrelu.tessellation.model import AT_INFINITY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from polyrelu.tessellation.model import Tessellation

__all__ = ["line_classes", "line_hyperplanes", "line_output", "line_regions"]


def line_regions(tessellation: Tessellation, ax: Axes, window: Window) -> Axes:
    """Draw the regions as strips behind the graphs of all outputs."""
    regions, ends = _strips(tessellation, window)
    _add_strips(ax, ends, region_colours(tessellation.words[regions]))
    return _add_graphs(tessellation, ax, window, range(tessellation.network.n_out))


def line_output(tessellation: Tessellation, ax: Axes, window: Window, output: int) -> Axes:
    """Draw the graph of one output, with its breakpoints and the zero line."""
    line_hyperplanes(tessellation, ax, window, output)
    ax.axhline(0, color=INK, linewidth=0.6, zorder=1)
    return _add_graphs(tessellation, ax, window, [output])


def line_classes(
    tessellation: Tessellation, ax: Axes, window: Window, names: Sequence[str] | None = None
) -> Axes:
    """Draw the classes as strips behind the graphs of all outputs."""
    refined, names = tessellation.decision_boundary().tessellation, names or class_names(tessellation.network)
    regions, ends = _strips(refined, window)
    classes, colours = last_digits(refined)[regions], lightened(class_colours(len(names)))
    for label in np.unique(classes).tolist():
        _add_strips(ax, ends[classes == label], colours[[label]], names[label])
    return _add_graphs(tessellation, ax, window, range(tessellation.network.n_out))


def line_hyperplanes(tessellation: Tessellation, ax: Axes, window: Window, output: int = 0) -> Axes:
    """Draw the points of an output's graph where a neuron vanishes, in the colour of the first layer with one."""
    t = tessellation
    layers = facet_layers(t)
    points = t.vertices_float[t.facet_vertices]
    for layer, colour in enumerate(layer_colours(len(t.network.hidden))):
        own = points[(layers == layer) & (points[:, 0] >= window.left) & (points[:, 0] <= window.right)]
        if len(own):
            heights = values_at(t.network, own)[:, output]
            size = float(np.clip(300 / len(points), 3, 30))
            ax.scatter(own[:, 0], heights, s=size, color=colour, zorder=5, label=f"layer {layer + 1}")
    ax.set_xlim(window.left, window.right)
    style(ax, ax.get_xlabel() or axis_names(t)[0], ax.get_ylabel() or f"output {output}")
    add_legend(ax)
    return ax


def _add_graphs(t: Tessellation, ax: Axes, window: Window, outputs: range | list[int]) -> Axes:
    knots = _knots(t, window)
    values = values_at(t.network, knots[:, None])
    is_single = len(outputs) == 1
    for output, colour in zip(outputs, class_colours(t.network.n_out)[list(outputs)], strict=True):
        look = {"color": INK} if is_single else {"color": 0.85 * colour, "label": f"output {output}"}
        ax.plot(knots, values[:, output], linewidth=1.4, zorder=4, **look)
    ax.set_xlim(window.left, window.right)
    vertical = f"output {outputs[0]}" if is_single else "outputs"
    style(ax, ax.get_xlabel() or axis_names(t)[0], ax.get_ylabel() or vertical)
    add_legend(ax)
    return ax


def _add_strips(ax: Axes, ends: NDArray[np.float64], colours: NDArray[np.float64], label: str | None = None) -> None:
    from matplotlib.collections import PolyCollection

    corners = [[(a, 0), (b, 0), (b, 1), (a, 1)] for a, b in ends.tolist()]
    strips = PolyCollection(
        corners, facecolors=colours, edgecolors="none", transform=ax.get_xaxis_transform(), label=label, zorder=0
    )
    ax.add_collection(strips, autolim=False)


def _strips(t: Tessellation, window: Window) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the regions in a window and their ends, cut to it, shape (n, 2)."""
    vertices = t.corner_vertices.reshape(-1, 2)
    ends = t.vertices_float[vertices, 0]
    beyond = np.where(ends > 0, window.right, window.left)
    ends = np.where(t.vertex_kind[vertices] == AT_INFINITY, beyond, np.clip(ends, window.left, window.right))
    regions = np.flatnonzero(ends[:, 0] < ends[:, 1])
    return regions, ends[regions]


def _knots(t: Tessellation, window: Window) -> NDArray[np.float64]:
    """Return the ends of a window and all vertices inside it, in order."""
    inside = t.vertices_float[t.vertex_kind != AT_INFINITY, 0]
    inside = inside[(inside > window.left) & (inside < window.right)]
    return np.unique(np.concatenate([[window.left, window.right], inside]))

