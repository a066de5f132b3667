"""Where the bars and ribbons of a pattern graph lie: columns for layers, and one for the labels.

A bar is a pattern, as high as it has points, and stacked by label; the patterns of a layer that are not shown share
one bar. A ribbon is what goes from a bar to one of the next column with one label, and is as wide as it has points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.pattern_dag import PatternDag

__all__ = ["Bars", "DagLayout", "Ribbons", "lay_out"]

SWEEPS = 12
GAPS = 0.32
"""The gaps of the column with most bars together, as a share of its bars."""
WIDEST_GAP = 0.03


@dataclass(frozen=True, eq=False)
class Bars:
    """The bars of one column, from top to bottom.

    Attributes
    ----------
    nodes : int64 array, shape (n_bars,)
        The node of each; -1 for the bar that rare patterns share. Places of labels in the last column.
    n_patterns : int64 array, shape (n_bars,)
        How many patterns it stands for.
    counts : int64 array, shape (n_bars, n_classes)
        Points by label.
    tops : float64 array, shape (n_bars,)
        Upper ends; they reach down by the number of their points.
    """

    nodes: NDArray[np.int64]
    n_patterns: NDArray[np.int64]
    counts: NDArray[np.int64]
    tops: NDArray[np.float64]

    @property
    def heights(self) -> NDArray[np.int64]:
        """Number of points of each, shape (n_bars,)."""
        return self.counts.sum(axis=1)

    @property
    def class_tops(self) -> NDArray[np.float64]:
        """Upper end of each label's part, shape (n_bars, n_classes)."""
        return self.tops[:, None] - np.cumsum(self.counts, axis=1) + self.counts


@dataclass(frozen=True, eq=False)
class Ribbons:
    """The ribbons from one column to the next.

    Attributes
    ----------
    starts, ends, classes : int64 arrays, shape (n_ribbons,)
        Bars of both columns, and the label.
    widths : int64 array, shape (n_ribbons,)
        Number of points.
    left, right : float64 arrays, shape (n_ribbons,)
        Upper ends on both sides.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    classes: NDArray[np.int64]
    widths: NDArray[np.int64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DagLayout:
    """A drawing as numbers.

    Attributes
    ----------
    columns : tuple of Bars
        The layers, and the labels.
    ribbons : tuple of Ribbons
        Between them.
    """

    columns: tuple[Bars, ...]
    ribbons: tuple[Ribbons, ...]


def lay_out(dag: PatternDag, max_nodes: int, least_count: int) -> DagLayout:
    """Return the layout of a graph.

    A layer with more than ``max_nodes`` patterns shows at most so many, the most frequent ones, of at least
    ``least_count`` points.

    Bars are sorted by barycentres: each near the mean of what it is tied to, in sweeps from side to side.
    """
    shown = [_shown(dag, layer, max_nodes, least_count) for layer in range(dag.n_layers)]
    bar_of = [_places(dag.trajectories[:, layer], nodes) for layer, nodes in enumerate(shown)]
    bar_of.append(dag.point_classes)
    n_rare = [len(dag.layer_nodes(layer)) - len(each) for layer, each in enumerate(shown)]
    nodes = [np.append(each, -1) if n else each for each, n in zip(shown, n_rare, strict=True)]
    nodes.append(np.arange(len(dag.classes)))
    _sort(nodes, bar_of, len(dag))
    gap = min(GAPS / max(max(map(len, nodes)) - 1, 1), WIDEST_GAP) * len(dag)
    columns = []
    for k, (own, n) in enumerate(zip(nodes, [*n_rare, 0], strict=True)):
        counts = _table(bar_of[k], dag.point_classes, len(own), len(dag.classes))
        columns.append(Bars(own, np.where(own < 0, n, 1), counts, _tops(counts.sum(axis=1), gap)))
    pairs = zip(columns, columns[1:], bar_of, bar_of[1:], strict=False)
    return DagLayout(tuple(columns), tuple(_ribbons(*pair, dag.point_classes) for pair in pairs))


def _shown(dag: PatternDag, layer: int, max_nodes: int, least_count: int) -> NDArray[np.int64]:
    """Return the nodes of a layer that have a bar of their own, the largest first."""
    nodes = np.array(dag.layer_nodes(layer), np.int64)
    best = nodes[np.argsort(-dag.node_counts[nodes], kind="stable")]
    return best if len(best) <= max_nodes else best[dag.node_counts[best] >= least_count][:max_nodes]


def _places(nodes: NDArray[np.int64], shown: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each node among those shown, and their number for all others."""
    place = np.full(int(nodes.max(initial=-1)) + 1, len(shown))
    place[shown] = np.arange(len(shown))
    return place[nodes]


def _sort(nodes: list[NDArray[np.int64]], bar_of: list[NDArray[np.int64]], n: int) -> None:
    """Bring the bars of each column, the last one apart, into an order with few crossings; rare ones at the bottom."""
    last = len(nodes) - 1
    heights = [np.bincount(bars, minlength=len(own)) for bars, own in zip(bar_of, nodes, strict=True)]
    centres = [np.zeros(len(own)) for own in nodes]
    centres[last] = np.cumsum(heights[last]) - heights[last] / 2
    goal = centres[last][bar_of[last]]
    for sweep in range(SWEEPS):
        for k in range(last - 1, -1, -1) if sweep % 2 == 0 else range(last):
            sides = [goal] if sweep == 0 else [centres[j][bar_of[j]] for j in (k - 1, k + 1) if j >= 0]
            pull = np.mean(sides, axis=0)
            means = np.bincount(bar_of[k], pull, len(nodes[k])) / np.maximum(heights[k], 1)
            means[nodes[k] < 0] = n
            order = np.argsort(means, kind="stable")
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            nodes[k], heights[k], bar_of[k] = nodes[k][order], heights[k][order], rank[bar_of[k]]
            centres[k] = np.cumsum(heights[k]) - heights[k] / 2


def _table(bars: NDArray, classes: NDArray, n_bars: int, n_classes: int) -> NDArray[np.int64]:
    return np.bincount(bars * n_classes + classes, minlength=n_bars * n_classes).reshape(n_bars, n_classes)


def _tops(heights: NDArray[np.int64], gap: float) -> NDArray[np.float64]:
    """Return upper ends of stacked bars, the stack centred on 0."""
    steps = heights + gap
    return (heights.sum() + gap * (len(heights) - 1)) / 2 - np.cumsum(steps) + steps


def _ribbons(left: Bars, right: Bars, starts: NDArray, ends: NDArray, classes: NDArray) -> Ribbons:
    """Return ribbons; within the part of a label, they lie in the order of the bars on the other side."""
    codes = (starts * len(right.nodes) + ends) * left.counts.shape[1] + classes
    found, widths = np.unique(codes, return_counts=True)
    pairs, labels = np.divmod(found, max(left.counts.shape[1], 1))
    a, b = np.divmod(pairs, max(len(right.nodes), 1))
    upper = []
    for bars, own, other in ((left, a, b), (right, b, a)):
        order = np.lexsort((other, labels, own))
        part = own[order] * left.counts.shape[1] + labels[order]
        before = np.cumsum(widths[order]) - widths[order]
        is_first = np.append(True, part[1:] != part[:-1])[: len(part)]
        within = before - np.maximum.accumulate(np.where(is_first, before, 0))
        tops = np.empty(len(order))
        tops[order] = bars.class_tops[own[order], labels[order]] - within
        upper.append(tops)
    return Ribbons(a, b, labels, widths, *upper)
