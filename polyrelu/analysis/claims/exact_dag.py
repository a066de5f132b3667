"""The graph of activation patterns of a data set and its clusters (paper 000), without a rounded number.

The algorithm needs nothing of a network but the pattern of every layer at every datum, so it takes these: as a sequence
with one tuple of layer patterns for each datum. Patterns may be any hashable values.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.network.model import Network

__all__ = [
    "PatternGraph",
    "clusters",
    "clusters_with_break",
    "descending_clusters",
    "forgetting_events",
    "has_gain",
    "is_gain_by_counting",
    "layer_patterns",
    "pattern_graph",
    "printed_clusters",
]

Trajectory = tuple[Hashable, ...]
Cluster = frozenset[int]
Node = tuple[int, Hashable]


@dataclass(frozen=True, slots=True)
class PatternGraph:
    """Definition 3 with nodes (layer, pattern): patterns of different layers are different nodes.

    Attributes
    ----------
    nodes : tuple of (layer, pattern)
    edges : tuple of pairs of nodes
        Of consecutive layers, where a datum has both patterns.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[Node, Node], ...]

    def predecessors(self, node: Node) -> list[Node]:
        """Return where the edges into a node come from."""
        return [start for start, end in self.edges if end == node]


def pattern_graph(data: Sequence[Trajectory]) -> PatternGraph:
    """Return the graph of the patterns of a data set.

    Examples
    --------
    >>> pattern_graph([("10", "10")]).edges
    (((0, '10'), (1, '10')),)
    """
    steps = [tuple(enumerate(trajectory)) for trajectory in data]
    nodes = dict.fromkeys(node for step in steps for node in step)
    edges = dict.fromkeys(pair for step in steps for pair in itertools.pairwise(step))
    return PatternGraph(tuple(sorted(nodes, key=lambda node: node[0])), tuple(edges))


def layer_patterns(network: Network, point: Sequence[object]) -> tuple[str, ...]:
    """Return the pattern of every hidden layer at a point, as text.

    Examples
    --------
    >>> from polyrelu.testing import adjacency_counterexample
    >>> layer_patterns(adjacency_counterexample(), [2])
    ('11', '1')
    """
    return tuple(str(network.exact.pattern_at(point)).split("|"))


def clusters(data: Sequence[Trajectory], labels: Sequence[Hashable]) -> frozenset[Cluster]:
    """Return the partition of Algorithm 1 with its two corrections.

    A cluster that cannot be split is done, and the others go on (`continue`, where the paper prints `break`); a
    predecessor without a datum of the cluster gives no cluster.

    Parameters
    ----------
    data : sequence of tuples
        Patterns of each datum, first layer first.
    labels : sequence of hashable values
        The label of each datum, as the network predicts it.

    Examples
    --------
    >>> sorted(map(sorted, clusters([("a", "c"), ("b", "c"), ("b", "d")], "xxy")))
    [[0, 1], [2]]
    """
    done, todo = set(), [(len(data[0]), frozenset(range(len(data))))]
    while todo:
        layer, cluster = todo.pop()
        parts = _parts(data, cluster, layer - 1) if layer and len(cluster) > 1 else []
        if parts and has_gain(cluster, parts, labels):
            todo.extend((layer - 1, part) for part in parts)
        else:
            done.add(cluster)
    return frozenset(done)


def descending_clusters(data: Sequence[Trajectory], labels: Sequence[Hashable]) -> frozenset[Cluster]:
    """Return the partition that the text describes: a cluster is split, layer by layer, as long as labels differ."""
    done, todo = set(), [(len(data[0]), frozenset(range(len(data))))]
    while todo:
        layer, cluster = todo.pop()
        if layer and (layer == len(data[0]) or len({labels[k] for k in cluster}) > 1):
            todo.extend((layer - 1, part) for part in _parts(data, cluster, layer - 1))
        else:
            done.add(cluster)
    return frozenset(done)


def clusters_with_break(
    data: Sequence[Trajectory], labels: Sequence[Hashable], last_first: bool = True
) -> tuple[Cluster, ...]:
    """Return what Algorithm 1 returns with its `break`: the loop ends at the first cluster that cannot be split.

    `P` is a set there, so its `pop` may take any cluster; here it takes the newest or the oldest.
    """
    done: list[Cluster] = []
    todo = deque([(len(data[0]), frozenset(range(len(data))))])
    while todo:
        layer, cluster = todo.pop() if last_first else todo.popleft()
        if not layer or len(cluster) == 1:
            done.append(cluster)
            break
        parts = _parts(data, cluster, layer - 1)
        if has_gain(cluster, parts, labels):
            todo.extend((layer - 1, part) for part in parts)
        else:
            done.append(cluster)
    return tuple(done)


def printed_clusters(data: Sequence[Trajectory], labels: Sequence[Hashable]) -> tuple[Cluster, ...]:
    """Return what Algorithm 1 returns with `continue` but with the predecessors as printed.

    They are those of a node in the whole graph, so that a cluster may have no datum with one of their patterns.
    """
    graph = pattern_graph(data)
    done: list[Cluster] = []
    end: Node = (len(data[0]), "out")
    todo = [(end, frozenset(range(len(data))))]
    while todo:
        node, cluster = todo.pop()
        last = [n for n in graph.nodes if n[0] == len(data[0]) - 1]
        before = last if node == end else graph.predecessors(node)
        if not before or len(cluster) == 1:
            done.append(cluster)
            continue
        split = [(v, frozenset(k for k in cluster if data[k][v[0]] == v[1])) for v in before]
        if has_gain(cluster, [part for _, part in split if part], labels):
            todo.extend(split)
        else:
            done.append(cluster)
    return tuple(done)


def has_gain(cluster: Cluster, parts: Sequence[Cluster], labels: Sequence[Hashable]) -> bool:
    """Return whether splitting a cluster has information gain > 0.

    Entropy is strictly concave, so the weighted mean of the entropies of the parts is below that of the whole unless
    all parts have the label distribution of the whole: comparing fractions decides.

    Examples
    --------
    >>> has_gain(frozenset(range(4)), [frozenset([0, 1]), frozenset([2, 3])], "xyxy")
    False
    """
    whole = _distribution(cluster, labels)
    return any(_distribution(part, labels) != whole for part in parts)


def is_gain_by_counting(cluster: Cluster, parts: Sequence[Cluster], labels: Sequence[Hashable]) -> bool:
    """Return whether the information gain is > 0, from its definition: a second way, in integers.

    With ``n^n`` for ``exp(n log n)``: the gain times the number of data is the logarithm of
    ``n^n prod(n_cl^n_cl) / (prod(n_l^n_l) prod(n_c^n_c))`` over parts c and labels l.
    """
    above, below = len(cluster) ** len(cluster), 1
    for count in Counter(labels[k] for k in cluster).values():
        below *= count**count
    for part in parts:
        below *= len(part) ** len(part)
        for count in Counter(labels[k] for k in part).values():
            above *= count**count
    return above > below


def forgetting_events(predictions: Sequence[Hashable], label: Hashable) -> list[int]:
    """Return the epochs at which a datum is forgotten: predicted right an epoch before, and wrong now (Definition 4).

    Examples
    --------
    >>> forgetting_events("abaab", "a")
    [1, 4]
    """
    steps = enumerate(itertools.pairwise(predictions), start=1)
    return [epoch for epoch, (before, now) in steps if before == label != now]


def _parts(data: Sequence[Trajectory], cluster: Cluster, layer: int) -> list[Cluster]:
    """Return a cluster parted by the patterns of a layer, in the order in which its data bring them up."""
    found: dict[Hashable, list[int]] = {}
    for k in sorted(cluster):
        found.setdefault(data[k][layer], []).append(k)
    return [frozenset(part) for part in found.values()]


def _distribution(cluster: Cluster, labels: Sequence[Hashable]) -> dict[Hashable, Fraction]:
    counts = Counter(labels[k] for k in cluster)
    return {label: Fraction(count, len(cluster)) for label, count in counts.items()}
