"""Evaluation in rationals: at points, on regions, around ties."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks, random_networks, sliced_networks

from polyrelu.errors import InputError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import IDENTITY, MAX_UNIT, RELU, Activation
from polyrelu.network.exact_network import ExactLayer
from polyrelu.network.model import Layer, Network

any_network = networks() | sliced_networks() | random_networks()
small = st.fractions(min_value=-4, max_value=4, max_denominator=6)


def layer_values(network, x):
    """Return each layer's preactivations, digits and outputs at a point, written with fractions only."""
    values = [Fraction(v) for v in x]
    if network.input_map is not None:
        rows = network.input_map.to_fractions()
        values = [sum((a * v for a, v in zip(row, [*values, 1], strict=True)), Fraction(0)) for row in rows]
    for layer in network.layers:
        z = []
        for row, bias in zip(np.asarray(layer.weight).tolist(), layer.bias.tolist(), strict=True):
            z.append(sum((Fraction(w) * v for w, v in zip(row, values, strict=True)), Fraction(bias)))
        digits, outputs = [], []
        for unit, kind in enumerate(layer.activation.kind.tolist()):
            group = z[layer.activation.indptr[unit] : layer.activation.indptr[unit + 1]]
            if kind == MAX_UNIT:
                digits.append(group.index(max(group)))
                outputs.append(max(group))
            else:
                function = layer.activation.functions[kind]
                digits.append(function.digit(group[0]))
                outputs.append(function(group[0]))
        yield z, digits, outputs
        values = outputs


def point_of(network, data):
    return data.draw(st.lists(small, min_size=network.dim, max_size=network.dim))


@given(any_network, st.data())
def test_outputs_against_fractions(network, data):
    x = point_of(network, data)
    *_, (_, _, outputs) = layer_values(network, x)
    assert network.exact(x) == tuple(outputs)


@given(any_network, st.data())
def test_digits_against_fractions(network, data):
    x = point_of(network, data)
    expected = [digits for _, digits, _ in layer_values(network, x)][:-1]
    assert network.exact.unit_digits_at(x) == expected
    assert [d.tolist() for d in network.unit_digits(network.exact.pattern_at(x))] == expected


@given(any_network, st.data())
def test_rows_of_a_pattern_give_the_preactivations(network, data):
    x = point_of(network, data)
    digits = network.exact.unit_digits_at(x)
    rows = network.exact.preactivation_rows(digits)
    assert len(rows) == len(network.layers)
    for matrix, (z, _, _) in zip(rows, layer_values(network, x), strict=True):
        assert matrix.shape[1] == network.dim + 1
        column = matrix @ RationalMatrix.from_rows([[v] for v in [*x, 1]])
        assert [row[0] for row in column.to_fractions()] == z


@given(any_network, st.data())
def test_fewer_digits_give_fewer_layers(network, data):
    digits = network.exact.unit_digits_at(point_of(network, data))
    full = network.exact.preactivation_rows(digits)
    assert network.exact.preactivation_rows(digits[:-1]) == full[: len(digits)]
    assert network.exact.preactivation_rows([]) == full[:1]


@settings(max_examples=60)
@given(any_network, st.data())
def test_pattern_along_directions_is_that_of_a_small_enough_step(network, data):
    x = point_of(network, data)
    directions = [point_of(network, data) for _ in range(data.draw(st.integers(1, 2)))]
    pattern = network.exact.pattern_at(x, directions)
    # The step is tiny against 2**-1000 and 2**1000, the largest and smallest numbers that the weights have.
    step = Fraction(1, 2**20000)
    moved = [
        sum((d[i] * step ** (k + 1) for k, d in enumerate(directions)), Fraction(v)) for i, v in enumerate(x)
    ]
    assert network.exact.pattern_at(moved) == pattern


@given(any_network, st.data())
def test_no_direction_and_zero_directions_are_the_point(network, data):
    x = point_of(network, data)
    zero = [0] * network.dim
    assert network.exact.pattern_at(x, [zero, zero]) == network.exact.pattern_at(x)


@given(any_network, st.data())
def test_floats_agree_with_rationals(network, data):
    x = [Fraction(data.draw(st.integers(-8, 8)), 4) for _ in range(network.dim)]
    exact = network.exact(x)
    floats = network([float(v) for v in x])
    size = max(1, *(abs(v) for z, _, outputs in layer_values(network, x) for v in (*z, *outputs)))
    largest = max(float(np.abs(np.asarray(layer.weight)).max(initial=0)) for layer in network.layers)
    if largest < 2**20:
        assert all(abs(Fraction(f) - e) <= Fraction(1, 10**8) * size for f, e in zip(floats, exact, strict=True))


def test_ties_take_the_lower_digit():
    relu = Network.from_arrays([([[1]], [0]), ([[1]], [0])])
    assert relu.exact.pattern_at([0]).digits == (0,)
    assert relu.exact.pattern_at([0], [[1]]).digits == (1,)
    assert relu.exact.pattern_at([0], [[-1]]).digits == (0,)
    assert relu.exact.pattern_at([0], [[0], [1]]).digits == (1,)


def test_first_direction_counts_before_the_second():
    diagonal = Network.from_arrays([([[1, 1]], [0]), ([[1]], [0])])
    assert diagonal.exact.pattern_at([0, 0], [[1, 0], [0, -5]]).digits == (1,)
    assert diagonal.exact.pattern_at([0, 0], [[0, -5], [1, 0]]).digits == (0,)


def test_neuron_that_vanishes_everywhere_has_digit_zero():
    zero = Network.from_arrays([([[0, 0]], [0]), ([[1]], [0])])
    assert zero.exact.pattern_at([1, 2], [[1, 0], [0, 1]]).digits == (0,)


def test_max_unit_takes_the_first_of_equals_and_looks_along_directions():
    layer = Layer(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), np.zeros(3), Activation.max_units([3]))
    network = Network((layer,), Layer(np.ones((1, 1)), np.zeros(1), Activation.same(IDENTITY, 1)))
    assert network.exact.pattern_at([1, 1]).digits == (0,)
    assert network.exact.pattern_at([1, 1], [[0, 1]]).digits == (1,)
    assert network.exact.pattern_at([1, 1], [[1, 0]]).digits == (0,)
    assert network.exact([3, 5]) == (5,)


def test_numbers_far_apart():
    network = Network.from_arrays([([[2.0**1000]], [2.0**-1000]), ([[2.0**-1000]], [0])])
    assert network.exact([1]) == (1 + Fraction(1, 2**2000),)
    assert network.exact.pattern_at([-Fraction(1, 2**2000)]).digits == (0,)
    assert network.exact.pattern_at([-Fraction(1, 2**2000) + Fraction(1, 2**9000)]).digits == (1,)


def test_subnormal_weights():
    network = Network.from_arrays([([[5e-324]], [0])])
    assert network.exact([1]) == (Fraction(1, 2**1074),)


def test_layers_without_units():
    empty = Layer(np.zeros((0, 2)), np.zeros(0), Activation.same(RELU, 0))
    last = Layer(np.zeros((1, 0)), np.array([3.0]), Activation.same(IDENTITY, 1))
    network = Network((empty,), last)
    assert network.exact([1, 2]) == (3,)
    assert network([1.0, 2.0]).tolist() == [3.0]


def test_weights_as_integers():
    layer = Layer(np.array([[0.5, -0.75]]), np.array([3.0]), Activation.same(RELU, 1))
    exact = ExactLayer.of(layer)
    assert (exact.scale, exact.bias) == (4, [12])
    assert exact.weight.tolist() == [[2, -3]]


@pytest.mark.parametrize("x", [[1], [1, 2, 3], np.zeros((2, 2))])
def test_points_of_another_dimension(x):
    network = Network.from_arrays([([[1, 1]], [0])])
    with pytest.raises(InputError, match="2 coordinates"):
        network.exact(x)


@pytest.mark.parametrize("value", [float("nan"), "one", None, 1j])
def test_coordinates_of_another_kind(value):
    with pytest.raises(InputError):
        Network.from_arrays([([[1.0]], [0])]).exact([value])


def test_points_as_arrays_and_text():
    network = Network.from_arrays([([[1, 1]], [0])])
    assert network.exact(np.array([0.5, 1])) == network.exact(["1/2", "1"]) == (Fraction(3, 2),)
