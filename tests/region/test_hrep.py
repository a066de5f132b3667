"""The rows of a region: direct propagation, the closed formula, and the digits at points must agree."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from cases import load_network
from hypothesis import given
from hypothesis import strategies as st
from strategies import networks, relu_networks

from polyrelu.errors import InputError, PatternError
from polyrelu.exact.linalg import dot
from polyrelu.network.activation import HARD_TANH, IDENTITY, RELU, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.network.pattern import Pattern
from polyrelu.network.slices import Slice
from polyrelu.region.hrep import region_hrep, relu_recursion


def any_pattern(data, network):
    pieces = network.layout.n_pieces.tolist()
    return network.pattern([data.draw(st.integers(0, n - 1)) for n in pieces])


@given(relu_networks(dims=(1, 2, 4)), st.data())
def test_the_closed_formula_is_direct_propagation(network, data):
    """Shepeleva et al. 2020, eq. 17, for any pattern, realised or not."""
    if data.draw(st.booleans()):
        directions = [[1] * network.dim, [0.5] + [0] * (network.dim - 1)]
        network = network.restrict(Slice.along([1] * network.dim, directions[data.draw(st.integers(0, 1))]))
    pattern = any_pattern(data, network)
    digits = [layer.tolist() for layer in network.unit_digits(pattern)]
    direct = network.exact.preactivation_rows(digits)[:-1]
    hrep = region_hrep(network, pattern)
    literal = [row for matrix in relu_recursion(network, pattern) for row in matrix.to_fractions()]
    signs = [2 * digit - 1 for digit in pattern.digits]
    propagated = [row for matrix in direct for row in matrix.to_fractions()]
    assert literal == [[sign * v for v in row] for sign, row in zip(signs, propagated, strict=True)]
    assert literal == [list(hrep.form(i)) for i in range(len(hrep.rows))]
    assert hrep.neuron == tuple(range(network.n_neurons))
    assert hrep.strict == tuple(digit == 1 for digit in pattern.digits)


@given(networks(dims=(1, 2, 3)), st.data())
def test_rows_say_which_points_have_the_pattern(network, data):
    """At every point the rows of its own pattern hold, and those of another pattern fail."""
    coordinate = st.integers(-8, 8).map(lambda k: Fraction(k, 2))
    point = data.draw(st.lists(coordinate, min_size=network.dim, max_size=network.dim))
    own = network.exact.pattern_at(point)
    for pattern in (own, any_pattern(data, network)):
        hrep = region_hrep(network, pattern)
        values = [dot(row, (*point, 1)) for row in hrep.rows]
        holds = all(v > 0 or (v == 0 and not s) for v, s in zip(values, hrep.strict, strict=True))
        assert holds == (pattern == own)
        for (normal, offset), value, factor in zip(hrep.halfspaces(), values, hrep.factors, strict=True):
            assert offset - dot(normal, point) == value * factor
            assert factor > 0


def test_layers_neurons_and_several_rows():
    mixed = Activation.of([HARD_TANH, IDENTITY, RELU])
    pooled = Activation.max_units([1, 3])
    first = Layer(np.array([[2.0], [1.0], [-1.0]]), np.zeros(3), mixed)
    second = Layer(np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0, 0, 0]]), np.array([0, 0, 0, 1.0]), pooled)
    network = Network((first, second), Layer(np.ones((1, 2)), np.zeros(1), Activation.same(IDENTITY, 1)))
    hrep = region_hrep(network, Pattern.parse("10|1"))
    # tanh in (-1, 1], relu(-x) = 0, then 0 = relu(-x) wins against x, against the constant 1 it does not.
    assert hrep.rows == ((2, 1), (-2, 1), (1, 0), (-1, 0), (0, -1))
    assert hrep.strict == (True, False, False, True, False)
    assert (hrep.neuron, hrep.layer) == ((0, 0, 1, 2, 2), (0, 0, 0, 1, 1))


def test_refusals():
    network = load_network("hamming_1d")
    with pytest.raises(PatternError, match=r"needs 2\|1 digits"):
        region_hrep(network, Pattern.parse("11"))
    with pytest.raises(PatternError, match="digit below 2"):
        relu_recursion(network, Pattern.parse("12|0"))
    bent = Network.from_arrays([([[1]], [0]), ([[1]], [0])], activation=HARD_TANH)
    with pytest.raises(InputError, match="ReLU only"):
        relu_recursion(bent, Pattern.parse("1"))


def test_no_hidden_layer():
    network = Network.from_arrays([([[1, 2]], [3])])
    assert region_hrep(network, Pattern(())).rows == ()
    assert relu_recursion(network, Pattern(())) == []
