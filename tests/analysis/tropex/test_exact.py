"""TropEx in rationals: the reference's cases, the program of the claims, and what Algorithm 3.1 promises."""

from __future__ import annotations

from fractions import Fraction

import cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from strategies import relu_networks
from tropex_networks import case_network, classifiers, data_points

from polyrelu.analysis.claims import exact_tropex
from polyrelu.analysis.claims.exact_layers import layers_of
from polyrelu.analysis.data.patterns import exact_label
from polyrelu.analysis.tropex.exact import extract_exactly
from polyrelu.errors import InputError
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.model import Layer, Network

CASES = cases.read("tropex.json")["cases"]


def fractions(values):
    return tuple(None if v is None else Fraction(v) for v in values)


def rows(terms):
    return [(*fractions(term["A"]), Fraction(term["a"])) for term in terms]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_terms_and_values_are_those_of_the_reference(case):
    network = case_network(case)
    found = extract_exactly(network, case["X"])
    assert list(found.labels) == case["labels"]
    assert [tuple(row) for row in found.plus.to_fractions()] == rows(case["plus"])
    assert [tuple(row) for row in found.minus.to_fractions()] == rows(case["minus"])
    assert [found.value(x) for x in case["X"]] == [fractions(y) for y in case["NX_at_X"]]
    for probe in case["probes"]:
        assert network.exact(probe["x"]) == fractions(probe["N"])
        assert found.value(probe["x"]) == fractions(probe["NX"])
        assert found.label_of(probe["x"]) == exact_label(fractions(probe["NX"]))


@settings(max_examples=40)
@given(st.data())
def test_terms_are_those_of_the_other_program(data):
    hidden = data.draw(relu_networks((1, 2), 6))
    weight = np.concatenate([hidden.output.weight, -1 - hidden.output.weight])
    network = Network(hidden.hidden, Layer(weight, np.array([0.5, 1.0]), Activation.same(IDENTITY, 2)))
    points = data.draw(data_points(network.dim))
    found = extract_exactly(network, points)
    other = exact_tropex.extract(layers_of(network), [tuple(point) for point in points])
    assert found.labels == other.labels
    assert [tuple(row) for row in found.plus.to_fractions()] == [(*t.slopes, t.constant) for t in other.plus]
    assert [tuple(row) for row in found.minus.to_fractions()] == [(*t.slopes, t.constant) for t in other.minus]
    probe = data.draw(data_points(network.dim, 1))[0]
    for own in (False, True):
        assert found.value(probe, own) == exact_tropex.extracted_value(other, tuple(probe), own)


@settings(max_examples=60)
@given(st.data())
def test_every_activation_keeps_labels_and_own_outputs_at_the_data(data):
    network = data.draw(classifiers())
    points = data.draw(data_points(network.dim))
    found = extract_exactly(network, points)
    assert min(v for side in (found.plus, found.minus) for row in side.to_fractions() for v in row[:-1]) >= 0
    for label, x in zip(found.labels, points, strict=True):
        truth, value = network.exact(x), found.value(x)
        assert value[label] == truth[label]
        assert all(v is None or v <= y for v, y in zip(value, truth, strict=True))
        assert found.label_of(x) == exact_label(truth)


def test_sparse_weights_give_the_same_terms():
    case = CASES[1]
    dense = case_network(case)
    sparse = Network.from_arrays([(csr_array(layer.weight), layer.bias) for layer in dense.layers])
    assert all(layer.is_sparse for layer in sparse.layers)
    one, other = (extract_exactly(network, case["X"]) for network in (dense, sparse))
    assert (one.plus, one.minus, one.labels) == (other.plus, other.minus, other.labels)


def test_points_are_lists_arrays_or_tensors():
    import torch

    network, points = case_network(CASES[0]), [[0.5, 2.0], [-1.0, 0.25]]
    one, *others = (extract_exactly(network, each) for each in (points, np.array(points), torch.tensor(points)))
    assert all((one.plus, one.minus, one.labels) == (other.plus, other.minus, other.labels) for other in others)


def test_points_are_refused_where_they_do_not_fit():
    network = case_network(CASES[0])
    with pytest.raises(InputError, match="at least one point"):
        extract_exactly(network, [])
    with pytest.raises(InputError, match="points of 2 numbers"):
        extract_exactly(network, [[1, 2], [1, 2, 3]])
    with pytest.raises(InputError, match="a sequence of points"):
        extract_exactly(network, 3)
    with pytest.raises(InputError, match="2 coordinates"):
        extract_exactly(network, [[1, 2]]).value([1])
