"""The graph of a data set's activation patterns, layer by layer (Craighero et al. 2020).

A node is a layer with one of its patterns, an edge leads from a pattern to one of the next layer that some point has
with it. A point is a path through the graph, and that it is one: patterns part the points anew in each layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.patterns import DataPatterns, patterns_and_labels_at, patterns_at
from polyrelu.analysis.data.points import checked_labels
from polyrelu.errors import InputError
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

if TYPE_CHECKING:
    import networkx
    from scipy.sparse import csr_array

__all__ = ["PatternDag", "dag_of_patterns", "pattern_dag"]


@dataclass(frozen=True, eq=False)
class PatternDag:
    """The patterns that a data set has in each layer, and how the points go from one to the next.

    Nodes are numbered layer by layer, within a layer in the order in which the points bring their patterns up.

    Attributes
    ----------
    patterns : DataPatterns
        The pattern of each point.
    classes : int64 array, shape (n_classes,)
        The labels that occur, in increasing order.
    point_classes : int64 array, shape (n,)
        The label of each point, as its place in ``classes``.
    trajectories : int64 array, shape (n, n_layers)
        The node of each point in each layer.
    node_layers : int64 array, shape (n_nodes,)
        The layer of each node, from 0 on, among those that have neurons.
    node_points : int64 array, shape (n_nodes,)
        The first point with the node's pattern.
    node_counts : int64 array, shape (n_nodes,)
        How many points have the node's pattern.
    label_counts : sparse int64 array, shape (n_nodes, n_classes)
        How many of them have which label.
    edges : int64 array, shape (n_edges, 2)
        Pairs of nodes of consecutive layers, sorted.
    edge_counts : int64 array, shape (n_edges,)
        How many points go along each edge.
    """

    patterns: DataPatterns
    classes: NDArray[np.int64]
    point_classes: NDArray[np.int64]
    trajectories: NDArray[np.int64]
    node_layers: NDArray[np.int64]
    node_points: NDArray[np.int64]
    node_counts: NDArray[np.int64]
    label_counts: csr_array
    edges: NDArray[np.int64]
    edge_counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.trajectories)

    def __repr__(self) -> str:
        return f"<PatternDag of {len(self)} points: {self.n_layers} layers, {self.n_nodes} nodes, {self.n_edges} edges>"

    @property
    def n_layers(self) -> int:
        """Number of layers that have neurons."""
        return self.trajectories.shape[1]

    @property
    def n_nodes(self) -> int:
        """Number of pairs of a layer and a pattern."""
        return len(self.node_layers)

    @property
    def n_edges(self) -> int:
        """Number of consecutive pairs of patterns."""
        return len(self.edges)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The label of each point, shape (n,)."""
        return self.classes[self.point_classes]

    @cached_property
    def is_stable(self) -> NDArray[np.bool_]:
        """Whether all points of a node have one label, shape (n_nodes,)."""
        return np.diff(self.label_counts.indptr) == 1

    def layer_nodes(self, layer: int) -> range:
        """Return the nodes of a layer, counted from the last if negative."""
        layer = _place(layer, self.n_layers, "layer")
        start, stop = np.searchsorted(self.node_layers, [layer, layer + 1]).tolist()
        return range(start, stop)

    def pattern(self, node: int) -> str:
        """Return the pattern of a node as text, one digit for each neuron of its layer."""
        node = _place(node, self.n_nodes, "node")
        return self.texts(int(self.node_layers[node]), [node])[0]

    def texts(self, layer: int, nodes: Sequence[int]) -> list[str]:
        """Return the patterns of some nodes of one layer as text."""
        digits = self.patterns.digits(layer, self.node_points[np.asarray(nodes, np.int64)])
        if digits.max(initial=0) > 9:
            return [str(Pattern((tuple(row),))) for row in digits.tolist()]
        width, text = digits.shape[1], (digits.astype(np.uint8) + ord("0")).tobytes().decode("ascii")
        return [text[start : start + width] for start in range(0, len(text), width)]

    def labels_of(self, node: int) -> dict[int, int]:
        """Return how many points of a node have which label."""
        node = _place(node, self.n_nodes, "node")
        own = slice(*self.label_counts.indptr[node : node + 2].tolist())
        places, counts = self.label_counts.indices[own], self.label_counts.data[own]
        return dict(zip(self.classes[places].tolist(), counts.tolist(), strict=True))

    def points_of(self, node: int) -> NDArray[np.int64]:
        """Return the points of a node: the paper's activation region of its pattern (Definition 2)."""
        node = _place(node, self.n_nodes, "node")
        return np.flatnonzero(self.trajectories[:, self.node_layers[node]] == node)

    def to_networkx(self) -> networkx.DiGraph:
        """Return the graph with attributes.

        Nodes carry ``layer``, ``pattern`` (text), ``n`` (number of points), ``labels`` (label to number of points) and
        ``is_stable``; edges carry ``n``.

        Examples
        --------
        >>> from polyrelu.testing import xor
        >>> graph = pattern_dag(xor(), [[1, 1], [0, 1], [2, 1]], labels=[0, 1, 0]).to_networkx()
        >>> graph.nodes[0]
        {'layer': 0, 'pattern': '11', 'n': 2, 'labels': {0: 2}, 'is_stable': True}
        """
        import networkx

        graph = networkx.DiGraph()
        stable, counts = self.is_stable.tolist(), self.node_counts.tolist()
        for layer in range(self.n_layers):
            nodes = self.layer_nodes(layer)
            for node, text in zip(nodes, self.texts(layer, nodes), strict=True):
                facts = {"layer": layer, "pattern": text, "n": counts[node]}
                graph.add_node(node, **facts, labels=self.labels_of(node), is_stable=stable[node])
        for (start, end), n in zip(self.edges.tolist(), self.edge_counts.tolist(), strict=True):
            graph.add_edge(start, end, n=n)
        return graph


def pattern_dag(
    network: Network, points: ArrayLike, labels: ArrayLike | None = None, device: str | None = None
) -> PatternDag:
    """Return the graph of the activation patterns that a network has at the points of a data set, exactly.

    Parameters
    ----------
    network : Network
    points : array, shape (n, ...) with dim numbers each
        Floats, taken exactly.
    labels : int array, shape (n,), optional
        A label for each point, such as the true ones; default: those that the network predicts (`labels_at`), as in
        the paper's Fig. 2.
    device : str, optional
        As for `patterns_at`.

    Raises
    ------
    InputError
        If the points do not fit the network, or the labels do not fit the points.
    MissingExtraError
        With a device, but without PyTorch.

    Notes
    -----
    Craighero et al. 2020, Definition 3, with nodes (layer, pattern). As printed, equal bits in two layers are one
    vertex, and the graph may have a cycle.

    Examples
    --------
    Layer 1 is (x, -x - 5) and layer 2 is (h1, -h1 - 1): at 3 both have the bits 10.

    >>> network = Network.from_arrays([([[1], [-1]], [0, -5]), ([[1, 0], [-1, 0]], [0, -1]), ([[1, 1]], [0])])
    >>> dag = pattern_dag(network, [[3], [-1], [-6]])
    >>> [(layer, dag.pattern(node)) for node, layer in enumerate(dag.node_layers.tolist())]
    [(0, '10'), (0, '00'), (0, '01'), (1, '10'), (1, '00')]
    >>> dag.edges.tolist(), dag.is_stable.tolist()
    ([[0, 3], [1, 4], [2, 4]], [True, True, True, True, True])
    >>> pattern_dag(network, [[3], [-1]], labels=[0])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: A pattern graph needs 2 whole numbers as labels but received int64 of shape (1,). \
Give one for each point.
    """
    if labels is None:
        return dag_of_patterns(*patterns_and_labels_at(network, points, device))
    return dag_of_patterns(patterns_at(network, points, device), labels)


def dag_of_patterns(patterns: DataPatterns, labels: ArrayLike) -> PatternDag:
    """Return the graph of patterns that are known, with a label for each point.

    Parameters
    ----------
    patterns : DataPatterns
    labels : int array, shape (n,)

    Raises
    ------
    InputError
        If there is not one whole number for each point.
    """
    from scipy.sparse import csr_array

    classes, point_classes = np.unique(checked_labels(labels, len(patterns), "A pattern graph"), return_inverse=True)
    trajectories = np.zeros((len(patterns), patterns.n_layers), np.int64)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    n_nodes = 0
    for layer in range(patterns.n_layers):
        first, number, counts = patterns.groups(layer)
        trajectories[:, layer] = number + n_nodes
        n_nodes += len(first)
        parts.append((first, counts))
    node_counts = _joined([counts for _, counts in parts])
    entries, label_counts = np.unique(trajectories * len(classes) + point_classes[:, None], return_counts=True)
    nodes, places = np.divmod(entries, max(len(classes), 1))
    starts = np.searchsorted(nodes, np.arange(n_nodes + 1))
    edges, edge_counts = np.unique(trajectories[:, :-1] * n_nodes + trajectories[:, 1:], return_counts=True)
    return PatternDag(
        patterns,
        classes,
        point_classes,
        trajectories,
        np.repeat(np.arange(len(parts)), [len(first) for first, _ in parts]),
        _joined([first for first, _ in parts]),
        node_counts,
        csr_array((label_counts, places, starts), shape=(n_nodes, len(classes))),
        np.stack(np.divmod(edges, max(n_nodes, 1)), axis=1),
        edge_counts,
    )


def _place(number: int, n: int, what: str) -> int:
    """Return the number of a layer or a node from 0 on."""
    if not -n <= number < n:
        raise InputError(f"A pattern graph needs a {what} below {n} but received {number}. Count from 0.")
    return number % n


def _joined(arrays: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *arrays])
