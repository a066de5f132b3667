"""The graph of a data set's activation patterns as a drawing: bars for patterns, ribbons for points between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.pattern_dag import PatternDag
from polyrelu.errors import InputError
from polyrelu.plot.canvas import fresh_axes
from polyrelu.plot.colours import BORDER_COLOUR, INK, class_colours
from polyrelu.plot.dag_layout import Bars, DagLayout, Ribbons, lay_out
from polyrelu.plot.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_pattern_dag", "plot_pattern_dag"]

BAR, EDGE = 0.09, 0.022
"""Widths of a bar and of its edge; columns are 1 apart."""
LONGEST_TEXT, LEAST_DISTANCE = 12, 0.03
"""Patterns are written where they have at most so many digits, and so far apart as a share of all points."""
NARROWEST, WIDEST = 4.8, 30.0
"""Inches."""


def draw_pattern_dag(dag: PatternDag, max_nodes: int = 24, least_count: int = 2) -> Figure:
    """Return a picture of a pattern graph (`plot_pattern_dag`)."""
    figure = new_figure(min(max(1.5 + 1.75 * dag.n_layers, NARROWEST), WIDEST), 6.4)
    plot_pattern_dag(dag, figure.add_subplot(), max_nodes, least_count)
    return figure


def plot_pattern_dag(dag: PatternDag, ax: Axes | None = None, max_nodes: int = 24, least_count: int = 2) -> Axes:
    """Draw a pattern graph: a column of bars for each layer, and one for the labels.

    A bar is a pattern, as high as it has points and coloured by their labels; one with a dark edge is stable: its
    points have one label. A ribbon is as wide as it has points.

    Parameters
    ----------
    dag : PatternDag
    ax : Axes, optional
    max_nodes, least_count : int
        A layer with more patterns than ``max_nodes`` shows at most so many, the most frequent ones, of at least
        ``least_count`` points. All others share one bar at the bottom, and a text says how many they are.

    Raises
    ------
    InputError
        If there is no point, or one of the numbers is below 1.
    """
    if not len(dag):
        raise InputError("plot_pattern_dag needs at least one point but received none. Give it a data set.")
    if min(max_nodes, least_count) < 1:
        raise InputError(
            f"plot_pattern_dag needs max_nodes and least_count of at least 1 but received {max_nodes} and "
            f"{least_count}. Raise them."
        )
    layout, colours, ax = lay_out(dag, max_nodes, least_count), class_colours(len(dag.classes)), fresh_axes(ax)
    for k, ribbons in enumerate(layout.ribbons):
        _add_ribbons(ax, ribbons, k, colours)
    for k, bars in enumerate(layout.columns):
        _add_bars(ax, bars, k, colours, is_layer=k < dag.n_layers)
    _add_titles(ax, dag, layout)
    for k, bars in enumerate(layout.columns[:-1]):
        _add_patterns(ax, dag, bars, k)
    ax.set_xlim(-0.3, dag.n_layers + 0.3)
    # Room for a line below the lowest bar.
    ax.margins(y=0.03)
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return ax


def _add_ribbons(ax: Axes, ribbons: Ribbons, column: int, colours: NDArray[np.float64]) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    x = column + np.array([BAR, 0.5 + BAR / 2, 0.5 + BAR / 2, 1.0])
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    paths = []
    # The widest first, so that thin ones stay visible.
    order = np.argsort(-ribbons.widths, kind="stable")
    for left, right, width in zip(ribbons.left[order], ribbons.right[order], ribbons.widths[order], strict=True):
        upper = np.column_stack([x, [left, left, right, right]])
        lower = np.column_stack([x[::-1], [right - width, right - width, left - width, left - width]])
        paths.append(Path(np.concatenate([upper, lower, upper[:1]]), codes))
    faces = np.column_stack([colours[ribbons.classes[order]], np.full(len(order), 0.42)])
    ax.add_collection(PathCollection(paths, facecolors=faces, linewidths=0), autolim=True)


def _add_bars(ax: Axes, bars: Bars, column: int, colours: NDArray[np.float64], is_layer: bool) -> None:
    from matplotlib.collections import PolyCollection

    own, labels = np.nonzero(bars.counts)
    boxes = _boxes(column, column + BAR, bars.class_tops[own, labels], bars.counts[own, labels])
    # The line keeps bars of few points visible.
    ax.add_collection(PolyCollection(boxes, facecolors=colours[labels], edgecolors=colours[labels], linewidths=0.3))
    if is_layer:
        is_stable = (np.count_nonzero(bars.counts, axis=1) == 1) & (bars.nodes >= 0)
        edges = _boxes(column - EDGE, column, bars.tops[is_stable], bars.heights[is_stable])
        ax.add_collection(PolyCollection(edges, facecolors=INK, edgecolors=INK, linewidths=0.4))
    ax.autoscale_view()


def _boxes(left: float, right: float, tops: NDArray, heights: NDArray) -> list[NDArray[np.float64]]:
    """Return the corners of boxes, each of shape (4, 2)."""
    x = np.broadcast_to([left, right, right, left], (len(tops), 4))
    return list(np.stack([x, np.column_stack([tops, tops, tops - heights, tops - heights])], axis=2))


def _add_titles(ax: Axes, dag: PatternDag, layout: DagLayout) -> None:
    """Name columns and labels, and say what is drawn."""
    titles = []
    for layer in range(dag.n_layers):
        nodes = dag.layer_nodes(layer)
        n_stable = int(dag.is_stable[nodes.start : nodes.stop].sum())
        titles.append(f"layer {layer}\n{_counted(len(nodes), 'pattern')}\n{n_stable:,} stable")
    ax.set_xticks(np.arange(dag.n_layers + 1) + BAR / 2, [*titles, "label"])
    quiet = {"top": False, "bottom": False, "labelbottom": False, "labeltop": True}
    ax.tick_params(axis="x", labelsize="small", labelcolor=INK, pad=1, **quiet)
    about = f"{_counted(len(dag), 'point')}. Bars are patterns, with a dark edge where all points have one label."
    ax.set_xlabel(about, fontsize="small", color=BORDER_COLOUR)
    bars = layout.columns[-1]
    middles = bars.tops - bars.heights / 2
    for k in _apart(bars, LEAST_DISTANCE * len(dag)):
        at = (dag.n_layers + BAR, middles[k])
        text = str(dag.classes[k])
        ax.annotate(text, at, (4, 0), textcoords="offset points", va="center", fontsize="small", color=INK)


def _add_patterns(ax: Axes, dag: PatternDag, bars: Bars, layer: int) -> None:
    """Write short patterns beside their bars, as far as there is room, and how many the rare ones are below theirs."""
    from matplotlib.patheffects import withStroke

    glow = [withStroke(linewidth=2.5, foreground="white")]
    if bars.nodes[-1] < 0:
        bottom = bars.tops[-1] - bars.heights[-1]
        ax.annotate(
            _counted(int(bars.n_patterns[-1]), "rare pattern"), (layer + BAR / 2, bottom), (0, -3), ha="center",
            va="top", textcoords="offset points", fontsize="x-small", color=INK, path_effects=glow,
        )  # fmt: skip
    if dag.patterns.widths[layer] > LONGEST_TEXT:
        return
    middles = bars.tops - bars.heights / 2
    for k in _apart(bars, LEAST_DISTANCE * len(dag)):
        ax.annotate(
            dag.pattern(int(bars.nodes[k])), (layer + BAR, middles[k]), (3, 0), textcoords="offset points", va="center",
            fontsize="x-small", color=INK, path_effects=glow,
        )  # fmt: skip


def _apart(bars: Bars, distance: float) -> list[int]:
    """Return bars of single patterns whose middles are so far apart, high bars first."""
    middles = (bars.tops - bars.heights / 2).tolist()
    chosen: list[int] = []
    for k in np.argsort(-bars.heights, kind="stable").tolist():
        if bars.nodes[k] >= 0 and all(abs(middles[k] - middles[other]) >= distance for other in chosen):
            chosen.append(k)
    return chosen


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
