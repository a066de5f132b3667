"""Clusters of points that a network treats alike: patterns split a data set, the last layer first.

Algorithm 1 of Craighero et al. 2020, with two corrections: a cluster that cannot be split is done while the others go
on (`break` is printed where `continue` is meant), and a pattern that no point of a cluster has gives no cluster. All
clusters of a layer are split at once; what decides is compared in whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.pattern_dag import PatternDag
from polyrelu.analysis.data.points import checked_labels
from polyrelu.errors import InputError

__all__ = ["Clusters", "Rule", "Split", "Stop", "clusters_of", "has_gain", "is_impure", "split_points"]


class Stop(IntEnum):
    """Why a cluster was not split further: the first of these that holds."""

    ONE_POINT = 0
    """It has one point."""
    NO_LAYER = 1
    """No layer is left: the first one made the last split."""
    ONE_LABEL = 2
    """All its points have one label, and the rule asks for no further split."""
    NO_GAIN = 3
    """It has several labels, but the rule asks for no further split."""


@dataclass(frozen=True, eq=False)
class Split:
    """Clusters, and the parts into which the patterns of a layer would split them.

    An entry is a part with a label that one of its points has.

    Attributes
    ----------
    layer : int
        The layer.
    is_last_layer : bool
        Whether it is the last one, and the only cluster is the whole data set.
    cluster_sizes : int64 array, shape (n_clusters,)
    n_labels : int64 array, shape (n_clusters,)
        How many different labels each cluster has.
    part_clusters, part_sizes : int64 arrays, shape (n_parts,)
        The cluster that each part is of, and how many points it has.
    entry_parts, entry_counts, entry_wholes : int64 arrays, shape (n_entries,)
        The part, how many points of it have the label, and how many points of the cluster have it.
    """

    layer: int
    is_last_layer: bool
    cluster_sizes: NDArray[np.int64]
    n_labels: NDArray[np.int64]
    part_clusters: NDArray[np.int64]
    part_sizes: NDArray[np.int64]
    entry_parts: NDArray[np.int64]
    entry_counts: NDArray[np.int64]
    entry_wholes: NDArray[np.int64]


Rule = Callable[[Split], NDArray[np.bool_]]
"""Says of each cluster whether it is split, shape (n_clusters,)."""


def has_gain(split: Split) -> NDArray[np.bool_]:
    """Return whether splitting has information gain > 0: the rule of Algorithm 1.

    Notes
    -----
    Entropy is strictly concave, so the gain is 0 exactly if every part has the label distribution of its cluster. It
    suffices to compare the labels that a part has: if their shares are equal, those of the cluster add up to 1, and it
    has no others. Shares are compared as products of counts, which fit 64 bits below three billion points.
    """
    part = split.entry_parts
    cluster = split.part_clusters[part]
    differs = split.entry_counts * split.cluster_sizes[cluster] != split.entry_wholes * split.part_sizes[part]
    answer = np.zeros(len(split.cluster_sizes), np.bool_)
    answer[cluster[differs]] = True
    return answer


def is_impure(split: Split) -> NDArray[np.bool_]:
    """Return whether a cluster has several labels: the rule of the paper's text.

    It descends where splitting gains nothing yet. The last layer always splits.
    """
    return (split.n_labels > 1) | split.is_last_layer


@dataclass(frozen=True, eq=False)
class Clusters:
    """A partition of a data set, and the tree of splits that led to it.

    Clusters are numbered in the order of their first points. Places of the tree are numbered with the whole data set
    as 0, then layer by layer, from the last one to the first.

    Attributes
    ----------
    n_layers : int
    cluster_of : int64 array, shape (n,)
        The cluster of each point.
    sizes : int64 array, shape (n_clusters,)
        Number of points.
    stops : int64 array, shape (n_clusters,)
        Why each was not split further (`Stop`).
    leaves : int64 array, shape (n_clusters,)
        Where it is in the tree.
    parents : int64 array, shape (n_places,)
        The place that was split; -1 for the whole data set.
    layers : int64 array, shape (n_places,)
        The layer that split it off; ``n_layers`` for the whole data set.
    nodes : int64 array, shape (n_places,)
        The pattern there: a node of the graph; -1 for the whole data set.
    place_sizes : int64 array, shape (n_places,)
        Number of points.
    """

    n_layers: int
    cluster_of: NDArray[np.int64]
    sizes: NDArray[np.int64]
    stops: NDArray[np.int64]
    leaves: NDArray[np.int64]
    parents: NDArray[np.int64]
    layers: NDArray[np.int64]
    nodes: NDArray[np.int64]
    place_sizes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sizes)

    def __repr__(self) -> str:
        return f"<Clusters of {len(self.cluster_of)} points: {len(self)}, the largest of {self.sizes.max(initial=0)}>"

    @property
    def stop_layers(self) -> NDArray[np.int64]:
        """The layer whose patterns made the last split, shape (n_clusters,); ``n_layers`` where none did."""
        return self.layers[self.leaves]

    @cached_property
    def point_sizes(self) -> NDArray[np.int64]:
        """The size of each point's cluster, shape (n,)."""
        return self.sizes[self.cluster_of]

    def points_of(self, cluster: int) -> NDArray[np.int64]:
        """Return the points of a cluster."""
        return np.flatnonzero(self.cluster_of == cluster)

    def stop(self, cluster: int) -> Stop:
        """Return why a cluster was not split further."""
        return Stop(int(self.stops[cluster]))

    def history(self, cluster: int) -> list[tuple[int, int, int]]:
        """Return the splits that led to a cluster: layer, node, and how many points were left, the last layer first."""
        found = []
        place = int(self.leaves[cluster])
        while place > 0:
            found.append((int(self.layers[place]), int(self.nodes[place]), int(self.place_sizes[place])))
            place = int(self.parents[place])
        return found[::-1]


def clusters_of(dag: PatternDag, rule: Rule = has_gain) -> Clusters:
    """Return the clusters of the points of a pattern graph, by its labels.

    Parameters
    ----------
    dag : PatternDag
    rule : callable
        Which clusters are split: `has_gain` (Algorithm 1) or `is_impure` (the paper's text).

    Examples
    --------
    >>> from polyrelu.analysis.data.pattern_dag import pattern_dag
    >>> from polyrelu.testing import xor
    >>> dag = pattern_dag(xor(), [[1, 1], [0, 1], [2, 1], [1, 0]])
    >>> found = clusters_of(dag)
    >>> found.cluster_of.tolist(), found.stop(0).name, found.history(0)
    ([0, 1, 0, 1], 'NO_LAYER', [(0, 0, 2)])
    """
    return split_points(dag.trajectories, dag.point_classes, rule)


def split_points(trajectories: ArrayLike, labels: ArrayLike, rule: Rule = has_gain) -> Clusters:
    """Return the clusters of points of which only the numbers of their patterns are known.

    Parameters
    ----------
    trajectories : int array, shape (n, n_layers)
        A number for the pattern of each point in each layer, equal where patterns are.
    labels : int array, shape (n,)
    rule : callable
        Which clusters are split, as for `clusters_of`; a function of one's own gets a `Split`.

    Raises
    ------
    InputError
        If the trajectories are no table of whole numbers, the labels are not one for each of its rows, or the rule
        does not answer for each cluster.

    Examples
    --------
    The paper's Fig. 2, patterns numbered within each layer:

    >>> x = [[0, 0, 0], [1, 0, 0], [1, 1, 1], [0, 2, 1], [2, 2, 1], [2, 2, 1], [2, 2, 1]]
    >>> split_points(x, [1, 1, 2, 2, 3, 3, 3]).cluster_of.tolist()
    [0, 0, 1, 2, 3, 3, 3]

    Where the last layer gains nothing, Algorithm 1 ends; the text goes on:

    >>> x, y = [[0, 0], [1, 0], [0, 1], [1, 1]], [0, 1, 0, 1]
    >>> split_points(x, y).cluster_of.tolist(), split_points(x, y, is_impure).cluster_of.tolist()
    ([0, 0, 0, 0], [0, 1, 2, 3])
    """
    table = np.asarray(trajectories)
    if table.ndim != 2 or table.dtype.kind not in "biu":
        raise InputError(
            f"split_points needs whole numbers, shape (n, n_layers), but received {table.dtype} of shape "
            f"{table.shape}. Number the patterns of each layer."
        )
    _, classes = np.unique(checked_labels(labels, len(table), "split_points"), return_inverse=True)
    n, n_layers = table.shape
    is_any = min(n, 1)
    made = _Made(n_layers, np.full(is_any, -1), np.full(is_any, -1), np.full(is_any, n))
    levels, stops = [made], []
    # Places are numbered level by level, and `start` is the first of the newest level; `active` are its points.
    place_of, start, active = np.zeros(n, np.int64), 0, np.arange(n)
    for layer in range(n_layers - 1, -1, -1):
        owners = place_of[active] - start
        split, part_of, first = _split(layer, layer == n_layers - 1, owners, table[active, layer], classes[active])
        stops.append(_stops(split, rule))
        is_kept = stops[-1][split.part_clusters] == GOES_ON
        parents, nodes = start + split.part_clusters[is_kept], table[active[first[is_kept]], layer].astype(np.int64)
        levels.append(_Made(layer, parents, nodes, split.part_sizes[is_kept]))
        start += len(stops[-1])
        active, part_of = active[is_kept[part_of]], part_of[is_kept[part_of]]
        place_of[active] = start + (np.cumsum(is_kept) - 1)[part_of]
    stops.append(np.where(levels[-1].sizes > 1, Stop.NO_LAYER, Stop.ONE_POINT))
    return _clusters(levels, np.concatenate(stops), place_of)


GOES_ON = -1


class _Made(NamedTuple):
    """The places of the tree that one layer makes: parents, nodes and sizes."""

    layer: int
    parents: NDArray[np.int64]
    nodes: NDArray[np.int64]
    sizes: NDArray[np.int64]


def _split(
    layer: int, is_last_layer: bool, owners: NDArray, patterns: NDArray, classes: NDArray
) -> tuple[Split, NDArray[np.int64], NDArray[np.int64]]:
    """Return what the patterns of a layer would do to clusters; the part of each point; a first point of each part."""
    n_classes = int(classes.max(initial=0)) + 1
    _, numbers = np.unique(patterns, return_inverse=True)
    codes = owners * (int(numbers.max(initial=0)) + 1) + numbers
    _, first, part_of, part_sizes = np.unique(codes, return_index=True, return_inverse=True, return_counts=True)
    part_clusters = owners[first]
    entries, entry_counts = np.unique(part_of * n_classes + classes, return_counts=True)
    entry_parts, entry_classes = np.divmod(entries, n_classes)
    wholes, whole_counts = np.unique(owners * n_classes + classes, return_counts=True)
    entry_wholes = whole_counts[np.searchsorted(wholes, part_clusters[entry_parts] * n_classes + entry_classes)]
    cluster_sizes, n_labels = np.bincount(owners), np.bincount(wholes // n_classes)
    entry = (entry_parts, entry_counts, entry_wholes)
    return Split(layer, is_last_layer, cluster_sizes, n_labels, part_clusters, part_sizes, *entry), part_of, first


def _stops(split: Split, rule: Rule) -> NDArray[np.int64]:
    """Return why each cluster is not split, or `GOES_ON`."""
    answers, n_clusters = np.asarray(rule(split)), len(split.cluster_sizes)
    if answers.shape not in ((), (n_clusters,)) or answers.dtype != np.bool_:
        raise InputError(
            f"split_points needs a rule that answers True or False for each of {n_clusters} clusters but received "
            f"{answers.dtype} of shape {answers.shape}. Return a bool array."
        )
    idle = np.where(split.n_labels > 1, Stop.NO_GAIN, Stop.ONE_LABEL)
    return np.where(split.cluster_sizes == 1, Stop.ONE_POINT, np.where(answers, GOES_ON, idle))


def _clusters(levels: Sequence[_Made], stops: NDArray[np.int64], place_of: NDArray[np.int64]) -> Clusters:
    """Return the leaves of the tree, in the order of their first points."""
    parents, nodes, sizes = (np.concatenate([level[k] for level in levels]) for k in (1, 2, 3))
    layers = np.repeat([level.layer for level in levels], [len(level.sizes) for level in levels])
    found, first, cluster_of = np.unique(place_of, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    leaves = found[order]
    return Clusters(
        levels[0].layer, rank[cluster_of], sizes[leaves], stops[leaves], leaves, parents, layers, nodes, sizes
    )
