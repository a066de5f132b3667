"""Layers merged one after the other: the ends are the network and its extracted function."""

from fractions import Fraction
from math import isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import with_outputs
from strategies import networks

from polyrelu.analysis.data.patterns import labels_at
from polyrelu.analysis.tropex.coefficients import compare_coefficients, pattern_agreement
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.analysis.tropex.overlap import region_overlap
from polyrelu.analysis.tropex.process import transformation_process, values_behind
from polyrelu.analysis.tropex.summary import summarise_extraction
from polyrelu.errors import InputError
from polyrelu.kernels.evaluation import evaluate
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.batches import batch_network
from polyrelu.network.model import Layer, Network
from polyrelu.network.slices import Slice
from polyrelu.testing import gaussian, xor

RANDOM = np.random.default_rng(0)


def test_the_ends_are_the_network_and_the_extracted_function():
    network = gaussian([4, 8, 6, 5, 3], seed=7)
    train, test = RANDOM.standard_normal((60, 4)), RANDOM.standard_normal((400, 4))
    own, true = labels_at(network, test), RANDOM.integers(0, 3, 400)
    assert len(np.unique(labels_at(network, train))) == 3
    steps = transformation_process(network, train, test, true)
    assert [step.n_merged for step in steps] == [0, 1, 2, 3, 4]
    assert [step.layer for step in steps] == ["", "dense", "dense", "dense", "dense"]
    assert steps[0].agreement == steps[1].agreement == 1.0
    assert steps[0].accuracy == steps[1].accuracy == (own == true).mean()
    last = extract_terms(network, train).labels_of(test)
    assert steps[-1].agreement == (last == own).mean() < 1
    assert steps[-1].accuracy == (last == true).mean()
    without = transformation_process(network, train, test)
    assert [step.agreement for step in without] == [step.agreement for step in steps]
    assert all(step.accuracy is None for step in without)


def test_training_points_keep_their_labels_at_every_step():
    network = gaussian([3, 7, 7, 4], seed=2)
    points = RANDOM.standard_normal((80, 3))
    heard = []
    steps = transformation_process(network, points, points, progress=lambda *done: heard.append(done))
    assert [step.agreement for step in steps] == [1.0] * 4
    assert heard == [(1, 3), (2, 3), (3, 3)]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_values_behind_layers_are_those_of_the_network(data):
    network = data.draw(networks((1, 2), max_neurons=5))
    coordinates = st.lists(st.integers(-2, 2), min_size=network.dim, max_size=network.dim)
    points = np.array(data.draw(st.lists(coordinates, min_size=1, max_size=4)), float)
    assert values_behind(network, 0, points).tolist() == points.tolist()
    for n_layers in range(1, len(network.hidden) + 1):
        hidden = network.hidden[:n_layers]
        n_units = hidden[-1].n_outputs
        start = Network(hidden, Layer(np.eye(n_units), np.zeros(n_units), Activation.same(IDENTITY, n_units)))
        values, errors = values_behind(network, n_layers, points), evaluate(batch_network(start), points).errors
        for point, value, error in zip(points.tolist(), values.tolist(), errors.T.tolist(), strict=True):
            for v, exact, e in zip(value, start.exact(point), error, strict=True):
                assert not isfinite(e) or abs(Fraction(v) - exact) <= 2 * Fraction(e)


def test_a_slice_is_merged_last():
    network = with_outputs(xor(), [[1, 0], [0, 1]]).restrict(Slice.along([0, 1], [1, 1]))
    points = [[-1.0], [0.25], [3.0]]
    assert values_behind(network, 1, points).tolist() == [[0.0, 0.0], [1.5, 0.5], [7.0, 6.0]]
    steps = transformation_process(network, points, [[0.5]], [0])
    assert [(step.n_merged, step.accuracy) for step in steps] == [(0, 1.0), (1, 1.0), (2, 1.0)]


def test_labels_and_points_that_do_not_fit_are_refused():
    network = gaussian([2, 3, 2], seed=0)
    points = np.zeros((3, 2))
    with pytest.raises(InputError, match="3 whole numbers as labels but received int64 of shape"):
        transformation_process(network, points, points, [0, 1])
    with pytest.raises(InputError, match="received float64"):
        transformation_process(network, points, points, [0.0, 1.0, 0.5])
    with pytest.raises(InputError, match="at least one test point"):
        transformation_process(network, points, points[:0])


@pytest.mark.parametrize("n_layers", [-1, 2])
def test_layers_that_are_not_there_are_refused(n_layers):
    with pytest.raises(InputError, match="up to 1 hidden layers"):
        values_behind(gaussian([2, 3, 2], seed=0), n_layers, [[0.0, 0.0]])


@pytest.mark.parametrize("labels", [[0], ["a", "b"], [0.0, 1.0]])
def test_a_summary_needs_a_label_for_each_point(labels):
    # One label for two points would be compared with both.
    network, points = gaussian([2, 3, 2], seed=0), [[0.0, 0.0], [1.0, 1.0]]
    for data, test in (((points, labels), None), ((points, [0, 1]), (points, labels))):
        with pytest.raises(InputError, match="2 whole numbers as labels"):
            summarise_extraction(network, data, test)


def test_pytorch_gives_the_same():
    network = gaussian([4, 8, 6, 5, 3], seed=7)
    train, test = RANDOM.standard_normal((40, 4)), RANDOM.standard_normal((60, 4))
    assert transformation_process(network, train, test, device="cpu") == transformation_process(network, train, test)
    assert region_overlap(network, train, test, device="cpu") == region_overlap(network, train, test)
    function = extract_terms(network, train)
    ours, theirs = (pattern_agreement(network, train, function, test, device) for device in ("cpu", None))
    assert ours.tolist() == theirs.tolist()
    angles = [compare_coefficients(network, function, test, device).angles for device in ("cpu", None)]
    assert np.nanmax(np.abs(angles[0] - angles[1])) < 1 / 2**20
    sliced = network.restrict(Slice.along([0, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 1]))
    ours, theirs = (values_behind(sliced, 2, test[:, :2], device) for device in ("cpu", None))
    assert np.abs(ours - theirs).max() < 1 / 2**40
