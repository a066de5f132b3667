"""Distances, neighbours and embeddings of patterns at data."""

import builtins

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks

from polyrelu.analysis.data import embedding as module
from polyrelu.analysis.data.embedding import embed_mds, embed_patterns, embed_umap
from polyrelu.analysis.data.pattern_distances import chosen_layers, neighbour_accuracy, pattern_distances
from polyrelu.analysis.data.patterns import DataPatterns, patterns_at
from polyrelu.errors import InputError, MissingExtraError
from polyrelu.network.pattern import PatternLayout


def patterns_of(digits, widths, n_pieces=2):
    """Return patterns with these digits."""
    digits = np.array(digits)
    layers = np.repeat(np.arange(len(widths)), widths)
    layout = PatternLayout.for_pieces(np.full(sum(widths), n_pieces), layers)
    return DataPatterns(layout, tuple(widths), layout.pack(digits), 0)


def two_clusters(n=60, width=24, seed=0):
    """Return patterns in two clusters, in the second of two layers only, and to which cluster each belongs."""
    random, labels = np.random.default_rng(seed), np.arange(n) % 2
    digits = random.integers(0, 2, (n, 2 * width))
    digits[:, width:] = labels[:, None] ^ (random.random((n, width)) < 0.1)
    return patterns_of(digits, (width, width)), labels


@settings(max_examples=30, deadline=None)
@given(networks(dims=(1, 2)), st.data())
def test_distances_are_those_of_the_patterns(network, data):
    n = data.draw(st.integers(1, 5))
    points = np.random.default_rng(data.draw(st.integers(0, 99))).integers(-3, 4, (n, network.dim))
    patterns = patterns_at(network, points)
    each = [patterns.pattern(k) for k in range(n)]
    assert pattern_distances(patterns).tolist() == [[a.hamming(b) for b in each] for a in each]
    for layer in range(patterns.n_layers):
        own = patterns.digits(layer).astype(int)
        expected = (own[:, None] != own).sum(axis=2).tolist()
        assert pattern_distances(patterns, layer).tolist() == expected
        assert pattern_distances(patterns, layer, np.array([0])).tolist() == [[0]]
        only = chosen_layers(patterns, [layer - patterns.n_layers])
        assert only.widths == patterns.widths[layer : layer + 1] and (only.digits() == own).all()
    assert (chosen_layers(patterns, range(patterns.n_layers)).words == patterns.words).all()


def test_neighbours_at_one_distance_share():
    patterns = patterns_of([[0, 0], [0, 1], [1, 0]], (2,))
    assert neighbour_accuracy(patterns, [0, 0, 1]) == (0.5 + 1 + 0) / 3
    assert neighbour_accuracy(patterns_of([[0, 0], [0, 0], [1, 1]], (2,)), [0, 0, 1]) == 2 / 3


def test_neighbours_tell_the_layer_in_which_classes_separate():
    patterns, labels = two_clusters(n=600)
    assert neighbour_accuracy(patterns, labels, 1) == 1
    assert 0.3 < neighbour_accuracy(patterns, labels, 0) < 0.7


@pytest.mark.parametrize("method", [embed_umap, embed_mds])
def test_clusters_keep_apart_and_equal_patterns_together(method):
    pytest.importorskip("umap" if method is embed_umap else "sklearn")
    patterns, labels = two_clusters()
    found = embed_patterns(patterns, 1, method)
    assert found.method == method.__name__ and found.layer == 1 and found.points.tolist() == list(range(60))
    _, first, place = np.unique(patterns.digits(1), axis=0, return_index=True, return_inverse=True)
    assert found.n_patterns == len(first) and (found.positions[first][place] == found.positions).all()
    centres = np.stack([found.positions[labels == label].mean(axis=0) for label in (0, 1)])
    own = np.linalg.norm(found.positions - centres[labels], axis=1)
    other = np.linalg.norm(found.positions - centres[1 - labels], axis=1)
    assert (own < other).all()
    assert (embed_patterns(patterns, 1, method).positions == found.positions).all()


def test_scaling_keeps_distances_that_a_line_has():
    patterns = patterns_of(np.tri(9, 8, -1, dtype=int), (8,))
    positions = embed_patterns(patterns, method=embed_mds).positions
    found = np.linalg.norm(positions[:, None] - positions, axis=2)
    assert np.abs(found - np.abs(np.subtract.outer(range(9), range(9)))).max() < 0.01


@pytest.mark.parametrize("method", [embed_umap, embed_mds])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_few_patterns(method, n):
    pytest.importorskip("umap" if method is embed_umap else "sklearn")
    found = embed_patterns(patterns_of(np.tri(n, 4, -1, dtype=int), (4,)), method=method)
    assert found.positions.shape == (n, 2) and np.isfinite(found.positions).all()


def test_some_points_are_drawn_by_the_seed():
    patterns, _ = two_clusters()
    first, again, other = (embed_patterns(patterns, 1, embed_mds, seed, max_points=7) for seed in (0, 0, 1))
    assert len(first.points) == 7 and (first.points == again.points).all() and (np.diff(first.points) > 0).all()
    assert first.points.tolist() != other.points.tolist()


def test_umap_is_the_default_where_it_is(monkeypatch):
    patterns, _ = two_clusters()
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert embed_patterns(patterns, 1).method == "embed_mds"
    monkeypatch.setattr(module, "find_spec", lambda name: name)
    monkeypatch.setattr(module, "embed_umap", lambda distances, seed: np.zeros((len(distances), 2)))
    assert not embed_patterns(patterns, 1).positions.any()


def test_own_method():
    found = embed_patterns(two_clusters()[0], 1, lambda distances, seed: distances[:, :2])
    assert found.method == "<lambda>" and found.positions.max() <= 24


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: embed_patterns(p, 2), "a layer from -2 to 1"),
        (lambda p: embed_patterns(p, -3), "a layer from -2 to 1"),
        (lambda p: embed_patterns(p, max_points=0), "one point at least"),
        (lambda p: pattern_distances(p, 5), "a layer from -2 to 1"),
        (lambda p: neighbour_accuracy(p, [0, 1]), "a label for each"),
        (lambda p: embed_patterns(p, method=lambda distances, seed: distances), r"positions \(60, 2\)"),
        (lambda p: embed_mds(np.zeros((2001, 2001))), "at most 2000"),
        (lambda p: embed_patterns(patterns_of(_counting(4001), (12,))), "at most 4000"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(InputError, match=message):
        call(two_clusters()[0])


def _counting(n):
    return np.arange(n)[:, None] >> np.arange(12) & 1


@pytest.mark.parametrize(("method", "library"), [(embed_umap, "umap"), (embed_mds, "sklearn.manifold")])
def test_a_missing_library_is_named(method, library, monkeypatch):
    ordinary = builtins.__import__

    def without(name, *rest):
        if name.startswith(library):
            raise ModuleNotFoundError(name)
        return ordinary(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"polyrelu\[data\]"):
        method(np.ones((9, 9)) - np.eye(9))
