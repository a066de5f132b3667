"""The graph of activation patterns: against an independent reference, and against the slow exact program."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction
from pathlib import Path

import cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import polyrelu
from polyrelu import Network
from polyrelu.analysis.claims.exact_dag import layer_patterns, pattern_graph
from polyrelu.analysis.data.pattern_dag import PatternDag, dag_of_patterns, pattern_dag
from polyrelu.analysis.data.patterns import DataPatterns, labels_at, patterns_at
from polyrelu.analysis.data.splitting import clusters_of
from polyrelu.errors import InputError
from polyrelu.network.pattern import PatternLayout

APD, FIGURE = cases.read("apd.json")["cases"]
MODELS = Path(__file__).resolve().parents[4] / "shared" / "models"
FIGURE_BITS = {
    "p": "11110", "q": "10011", "r": "10010", "c": "10100", "d": "11110", "e": "01100", "a": "10001", "b": "00111",
}  # fmt: skip
"""Bits for the patterns of Fig. 2, which the reference calls by letters."""


def figure_dag() -> PatternDag:
    """Return the graph of the paper's Fig. 2."""
    texts = ["".join(FIGURE_BITS[name] for name in FIGURE["patterns"][f"x{k}"]) for k in range(7)]
    layout = PatternLayout.for_pieces(np.full(15, 2), np.repeat([0, 1, 2], 5))
    words = layout.pack(np.array([list(map(int, text)) for text in texts]))
    return dag_of_patterns(DataPatterns(layout, (5, 5, 5), words, 0), FIGURE["labels"])


def nodes_of(dag: PatternDag) -> list[list]:
    return [[layer, dag.pattern(node)] for node, layer in enumerate(dag.node_layers.tolist())]


def partition_of(cluster_of) -> list[list[int]]:
    return [np.flatnonzero(cluster_of == k).tolist() for k in range(int(np.max(cluster_of, initial=-1)) + 1)]


def test_reference_case():
    network = cases.load_network(APD["file"].removesuffix(".npz"))
    points = [[float(Fraction(v)) for v in x] for x in APD["X"]]
    dag = pattern_dag(network, points)
    nodes = nodes_of(dag)
    assert dag.labels.tolist() == APD["labels"]
    assert sorted(nodes) == APD["nodes"]
    assert sorted([*nodes[a], nodes[b][1]] for a, b in dag.edges.tolist()) == APD["edges"]
    assert sorted(nodes[k] for k in np.flatnonzero(dag.is_stable)) == APD["stable_nodes"]
    assert sorted(partition_of(clusters_of(dag).cluster_of)) == APD["partition"]
    assert (dag.edge_counts.sum(), dag.node_counts.sum()) == (len(points), 2 * len(points))


def test_figure_2():
    dag = figure_dag()
    assert sorted(partition_of(clusters_of(dag).cluster_of)) == FIGURE["partition"]
    stable = {(int(dag.node_layers[k]), dag.pattern(k)) for k in np.flatnonzero(dag.is_stable)}
    assert (0, "10010") in stable and (2, "00111") not in stable  # as the text says
    twice = [node for node in nodes_of(dag) if node[1] == "11110"]
    assert twice == [[0, "11110"], [1, "11110"]]  # one vertex as printed


def test_networkx():
    import networkx

    dag = figure_dag()
    graph = dag.to_networkx()
    assert networkx.is_directed_acyclic_graph(graph)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (dag.n_nodes, dag.n_edges) == (8, 8)
    for node, facts in graph.nodes(data=True):
        assert facts["n"] == sum(facts["labels"].values()) == len(dag.points_of(node))
        assert facts["labels"] == dict(Counter(FIGURE["labels"][k] for k in dag.points_of(node)))
        assert facts["is_stable"] == (len(facts["labels"]) == 1)
        into, out = (sum(n for *_, n in edges(node, data="n")) for edges in (graph.in_edges, graph.out_edges))
        assert into == (facts["n"] if facts["layer"] > 0 else 0)
        assert out == (facts["n"] if facts["layer"] < 2 else 0)


def test_equal_bits_of_two_layers_are_two_nodes():
    network = Network.from_arrays([([[1], [-1]], [0, -5]), ([[1, 0], [-1, 0]], [0, -1]), ([[1, 1]], [0])])
    dag = pattern_dag(network, [[3]])
    assert (nodes_of(dag), dag.edges.tolist()) == ([[0, "10"], [1, "10"]], [[0, 1]])


small = st.integers(-2, 2)


@settings(max_examples=40)
@given(st.data(), st.integers(1, 3), st.integers(1, 3), st.integers(0, 12))
def test_graph_is_that_of_the_exact_program(data, first, second, n):
    """Small integers: points on many hyperplanes, repeated neurons, neurons that are 0 everywhere."""
    sizes = [2, first, second, 2]
    layers = [
        (data.draw(arrays(np.int64, (b, a), elements=small)), data.draw(arrays(np.int64, b, elements=small)))
        for a, b in itertools.pairwise(sizes)
    ]
    network = Network.from_arrays(layers)
    points = data.draw(arrays(np.float64, (n, 2), elements=small.map(float)))
    dag = pattern_dag(network, points)
    paths = [layer_patterns(network, x) for x in points.astype(int).tolist()]
    slow = pattern_graph(paths)
    nodes = list(map(tuple, nodes_of(dag)))
    assert sorted(nodes) == sorted(slow.nodes)
    assert sorted((nodes[a], nodes[b]) for a, b in dag.edges.tolist()) == sorted(slow.edges)
    assert [tuple(nodes[k] for k in row) for row in dag.trajectories.tolist()] == [tuple(enumerate(p)) for p in paths]
    assert dag.edge_counts.sum() == n and dag.node_counts.sum() == 2 * n
    for node in range(dag.n_nodes):
        assert dag.labels_of(node) == dict(Counter(dag.labels[dag.points_of(node)].tolist()))
        assert dag.node_counts[node] == len(dag.points_of(node))


def test_networks_and_data_sets_without_anything():
    affine = Network.from_arrays([([[1], [2]], [0, 0])])
    dag = pattern_dag(affine, [[1.0], [-1.0]])
    assert (dag.n_layers, dag.n_nodes, dag.n_edges, len(dag)) == (0, 0, 0, 2)
    assert clusters_of(dag).sizes.tolist() == [2]
    none = pattern_dag(polyrelu.load(cases.FOLDER / "xor_01.npz"), np.zeros((0, 2)))
    assert (len(none), none.n_nodes, none.to_networkx().number_of_nodes(), len(clusters_of(none))) == (0, 0, 0, 0)


def test_devices_and_modules_give_the_same_graph():
    torch = pytest.importorskip("torch")
    from polyrelu.analysis.data.module_patterns import module_patterns

    torch.manual_seed(0)
    nn = torch.nn
    module = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)).double()
    network, points = polyrelu.from_torch(module, (3,)), torch.randn(80, 3, dtype=torch.float64).numpy()
    dag = pattern_dag(network, points)
    by_module = dag_of_patterns(module_patterns(module, points), dag.labels)
    for other in (pattern_dag(network, points, device="cpu"), by_module):
        assert nodes_of(other) == nodes_of(dag)
        assert (other.edges == dag.edges).all() and (other.trajectories == dag.trajectories).all()
        assert (other.is_stable == dag.is_stable).all()


@pytest.mark.parametrize("labels", [[0, 1], [0.5, 1, 2], [[0], [1], [2]], ["a", "b", "c"]])
def test_labels_that_do_not_fit(labels):
    network = polyrelu.load(cases.FOLDER / "xor_01.npz")
    with pytest.raises(InputError, match="A pattern graph needs"):
        pattern_dag(network, [[0, 0], [1, 0], [1, 1]], labels)


@pytest.mark.skipif(not MODELS.is_dir(), reason="the folder of trained networks is not there")
@pytest.mark.parametrize("name", ["mnist-net_256x2", "Convnet_maxpool"])
def test_trained_networks(name):
    network = polyrelu.load(MODELS / f"{name}.onnx")
    with np.load(MODELS / "mnist_samples.npz", allow_pickle=False) as samples:
        images = next(samples[key] for key in samples.files if samples[key].ndim > 1).reshape(-1, 28 * 28)
    points = images[: 4 if name.startswith("Conv") else None].astype(np.float64) / 255
    if network.dim != 784:
        points = np.random.default_rng(0).random((4, network.dim))
    dag = pattern_dag(network, points)
    assert dag.labels.tolist() == labels_at(network, points).tolist()
    for k in range(min(4, len(points))):
        texts = str(network.exact.pattern_at(points[k].tolist())).split("|")
        assert [dag.pattern(node) for node in dag.trajectories[k]] == texts
    paths = {tuple(row) for row in dag.trajectories.tolist()}
    assert patterns_at(network, points).count_distinct() == len(paths)
    assert clusters_of(dag).sizes.sum() == len(points)


def test_layers_and_nodes_that_there_are_not():
    dag = figure_dag()
    last = dag.n_nodes - 1
    assert list(dag.layer_nodes(-1)) == list(dag.layer_nodes(2)) and dag.pattern(-1) == dag.pattern(last)
    assert dag.labels_of(-1) == dag.labels_of(last) and dag.points_of(-1).tolist() == dag.points_of(last).tolist()
    for look in (dag.pattern, dag.labels_of, dag.points_of):
        with pytest.raises(InputError, match=f"needs a node below {last + 1} but received {last + 1}"):
            look(last + 1)
    with pytest.raises(InputError, match="needs a layer below 3 but received 3"):
        dag.layer_nodes(3)
