"""The graph of activation patterns and Algorithm 1 against answers of an independent program."""

from __future__ import annotations

import itertools
from fractions import Fraction

import cases

from polyrelu.analysis.claims.exact_dag import (
    clusters,
    clusters_with_break,
    descending_clusters,
    forgetting_events,
    has_gain,
    is_gain_by_counting,
    layer_patterns,
    pattern_graph,
    printed_clusters,
)

APD, FIGURE = cases.read("apd.json")["cases"]
FIGURE_DATA = [tuple(FIGURE["patterns"][f"x{k}"]) for k in range(7)]


def plain(found):
    return sorted(sorted(cluster) for cluster in found)


def test_graph_and_partition_of_a_network():
    network = cases.load_network(APD["file"].removesuffix(".npz"))
    points = [[Fraction(v) for v in x] for x in APD["X"]]
    outputs = [network.exact(x) for x in points]
    labels = [max(range(len(y)), key=lambda i, y=y: (y[i], -i)) for y in outputs]
    assert labels == APD["labels"]
    data = [layer_patterns(network, x) for x in points]
    graph = pattern_graph(data)
    assert sorted(map(list, graph.nodes)) == APD["nodes"]
    assert sorted([start[0], start[1], end[1]] for start, end in graph.edges) == APD["edges"]
    assert plain(clusters(data, labels)) == APD["partition"]


def test_partition_of_the_figure():
    assert plain(clusters(FIGURE_DATA, FIGURE["labels"])) == FIGURE["partition"]


def test_break_loses_data():
    for last_first in (True, False):
        found = clusters_with_break(FIGURE_DATA, FIGURE["labels"], last_first)
        assert sum(map(len, found)) < len(FIGURE_DATA)


def test_predecessors_of_the_whole_graph_give_empty_clusters():
    data = [("p", "c"), ("q", "c"), ("q", "d"), ("r", "d")]
    assert frozenset() not in printed_clusters(data, [0, 1, 0, 1])  # gain 0 at once
    data = [("p", "c", "a"), ("q", "c", "b"), ("r", "c", "b"), ("q", "d", "b")]
    assert frozenset() in printed_clusters(data, "xxyy")
    assert plain(clusters(data, "xxyy")) == [[0], [1], [2], [3]]


def test_text_and_code_differ_where_the_first_split_gains_nothing():
    data = [("p", "a"), ("q", "a"), ("p", "b"), ("q", "b")]
    assert plain(clusters(data, "xyxy")) == [[0, 1, 2, 3]]
    assert plain(descending_clusters(data, "xyxy")) == [[0], [1], [2], [3]]


def test_gain_by_fractions_and_by_counting_agree():
    cluster = frozenset(range(5))
    seen = set()
    for labels in itertools.product("xyz", repeat=5):
        for sides in itertools.product(range(2), repeat=5):
            parts = [frozenset(k for k in cluster if sides[k] == side) for side in range(2)]
            parts = [part for part in parts if part]
            answer = has_gain(cluster, parts, labels)
            seen.add(answer)
            assert is_gain_by_counting(cluster, parts, labels) == answer
    assert seen == {True, False}


def test_forgetting_events():
    assert forgetting_events([0, 0, 0], 1) == []
    assert forgetting_events([1, 0, 1, 2], 1) == [1, 3]
