"""Clusters by patterns: against the slow exact program, on every kind of tie."""

from __future__ import annotations

import time

import cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyrelu.analysis.claims.exact_dag import clusters, descending_clusters
from polyrelu.analysis.data.splitting import Clusters, Split, Stop, has_gain, is_impure, split_points
from polyrelu.errors import InputError

FIGURE = cases.read("apd.json")["cases"][1]


def partition_of(found: Clusters) -> set[frozenset[int]]:
    return {frozenset(found.points_of(k).tolist()) for k in range(len(found))}


def figure_numbers() -> np.ndarray:
    names = np.array([FIGURE["patterns"][f"x{k}"] for k in range(7)])
    return np.unique(names, return_inverse=True)[1].reshape(7, 3)


def test_figure_2():
    found = split_points(figure_numbers(), FIGURE["labels"])
    assert sorted(map(sorted, partition_of(found))) == FIGURE["partition"]
    assert found.sizes.tolist() == [2, 1, 1, 3]
    names = [found.stop(k) for k in range(4)]
    assert names == [Stop.ONE_LABEL, Stop.ONE_POINT, Stop.ONE_POINT, Stop.NO_LAYER]
    assert found.stop_layers.tolist() == [2, 1, 0, 0]
    x = figure_numbers()
    assert found.history(3) == [(2, x[4, 2], 5), (1, x[4, 1], 4), (0, x[4, 0], 3)]


@st.composite
def labelled_paths(draw):
    n_layers, n_patterns, n_labels = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    row = st.tuples(*[st.integers(0, n_patterns - 1)] * n_layers)
    paths = draw(st.lists(row, min_size=1, max_size=14))
    return paths, [draw(st.integers(0, n_labels - 1)) for _ in paths]


@settings(max_examples=200)
@given(labelled_paths())
def test_partitions_are_those_of_the_exact_program(drawn):
    paths, labels = drawn
    for rule, slow in ((has_gain, clusters), (is_impure, descending_clusters)):
        found = split_points(paths, labels, rule)
        assert partition_of(found) == slow(paths, labels)
        check_tree(found, paths, labels)


def check_tree(found: Clusters, paths, labels) -> None:
    """Check what each cluster says of itself against its points."""
    firsts = [found.points_of(k)[0] for k in range(len(found))]
    assert firsts == sorted(firsts)
    assert found.place_sizes[0] == len(paths)
    for k in range(len(found)):
        points, history = found.points_of(k).tolist(), found.history(k)
        assert found.sizes[k] == len(points) == found.place_sizes[found.leaves[k]]
        assert [layer for layer, _, _ in history] == list(range(found.n_layers - 1, found.stop_layers[k] - 1, -1))
        left = range(len(paths))
        for layer, node, size in history:
            left = [i for i in left if paths[i][layer] == node]
            assert len(left) == size
        assert list(left) == points
        stop, kinds = found.stop(k), {labels[i] for i in points}
        assert (stop is Stop.ONE_POINT) == (len(points) == 1)
        if stop is Stop.NO_LAYER:
            assert found.stop_layers[k] == 0
        if stop in (Stop.ONE_LABEL, Stop.NO_GAIN):
            assert (len(kinds) == 1) == (stop is Stop.ONE_LABEL)


def test_text_and_code_differ_where_the_last_layer_gains_nothing():
    paths, labels = [("p", "a"), ("q", "a"), ("p", "b"), ("q", "b")], [0, 1, 0, 1]
    numbers = [[ord(name) for name in path] for path in paths]
    by_gain, by_label = split_points(numbers, labels), split_points(numbers, labels, is_impure)
    assert (by_gain.sizes.tolist(), by_gain.stop(0), by_gain.history(0)) == ([4], Stop.NO_GAIN, [])
    assert (by_label.sizes.tolist(), by_label.history(1)) == ([1] * 4, [(1, ord("a"), 2), (0, ord("q"), 1)])


def test_shares_are_compared_exactly():
    """Two shares that are one float are not equal."""

    def answer(part: int, whole: int, in_part: int, in_whole: int) -> bool:
        table = [np.array([each]) for each in (whole, 2, 0, part, 0, in_part, in_whole)]
        return has_gain(Split(0, True, *table)).item()

    shares = 2**30, 2**31 + 1, 2**30 - 1, 2**31 - 1
    assert shares[2] / shares[0] == shares[3] / shares[1]
    assert answer(*shares)
    assert not answer(2**30, 2**31, 2**30 - 1, 2**31 - 2)


def test_numbers_of_patterns_may_be_any():
    far = [[2**62, -(2**62)], [5, -(2**62)], [2**62, 7]]
    found = split_points(far, [0, 1, 1])
    assert found.cluster_of.tolist() == [0, 1, 2]
    assert found.history(0) == [(1, -(2**62), 2), (0, 2**62, 1)]


def test_a_rule_of_ones_own():
    paths, labels = [[0, 0], [1, 0], [0, 1], [1, 1], [1, 1]], [0, 0, 0, 0, 0]
    assert split_points(paths, labels, lambda split: split.cluster_sizes > 2).sizes.tolist() == [2, 1, 2]
    assert split_points(paths, labels, lambda split: np.True_).sizes.tolist() == [1, 1, 1, 2]


def test_a_rule_that_does_not_answer():
    for rule in (lambda split: np.array([True, False]), lambda split: 1, lambda split: None):
        with pytest.raises(InputError, match="each of 1 clusters but received"):
            split_points([[0], [1]], [0, 1], rule)


def test_nothing():
    assert len(split_points(np.zeros((0, 3), int), [])) == 0
    found = split_points(np.zeros((3, 0), int), [0, 1, 1])
    assert (found.sizes.tolist(), found.stop(0), found.history(0)) == ([3], Stop.NO_LAYER, [])


@pytest.mark.parametrize(
    ("paths", "labels", "part"),
    [
        ([0, 1], [0, 1], "shape \\(n, n_layers\\)"),
        ([[0.0], [1.0]], [0, 1], "float64"),
        ([[0], [1]], [0], "2 whole numbers as labels"),
        ([[0], [1]], [0.0, 1.0], "whole numbers as labels"),
    ],
)
def test_input_that_does_not_fit(paths, labels, part):
    with pytest.raises(InputError, match=part):
        split_points(paths, labels)


def test_as_many_points_as_mnist_has():
    random = np.random.default_rng(0)
    paths = (random.exponential(300, (60_000, 5)) * np.linspace(20, 1, 5)).astype(int)
    start = time.process_time()
    found = split_points(paths, random.integers(0, 10, 60_000), is_impure)
    assert time.process_time() - start < 3
    assert found.sizes.sum() == 60_000
