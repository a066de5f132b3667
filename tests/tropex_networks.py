"""Networks with several outputs for tests of TropEx: cases of an independent program, and random degenerate ones."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from strategies import networks, random_networks, rationals, sliced_networks

from polyrelu.network.activation import IDENTITY, RELU, Activation
from polyrelu.network.model import Layer, Network


def floats(values: Any) -> np.ndarray:
    """Return nested texts of dyadic fractions as floats."""
    exact = np.vectorize(Fraction, otypes=[object])(np.array(values, dtype=object))
    result = exact.astype(np.float64)
    assert [Fraction(v) for v in result.ravel().tolist()] == exact.ravel().tolist()
    return result


def case_network(case: dict[str, Any]) -> Network:
    """Return a case of ``tropex.json``; batch normalisation goes into the affine map before it."""
    layers: list[Layer] = []
    weight, bias = np.eye(len(case["X"][0])), np.zeros(len(case["X"][0]))
    for kind, *data in case["layers"]:
        if kind == "dense":
            own = floats(data[0])
            weight, bias = own @ weight, own @ bias + floats(data[1])
        elif kind == "bn":
            scale, shift = map(floats, data)
            weight, bias = scale[:, None] * weight, scale * bias + shift
        else:
            if kind == "relu":
                activation = Activation.same(RELU, len(bias))
            else:
                places = np.concatenate(data[0])
                weight, bias = weight[places], bias[places]
                activation = Activation.max_units([len(window) for window in data[0]])
            layers.append(Layer(weight, bias, activation))
            weight, bias = np.eye(activation.n_units), np.zeros(activation.n_units)
    return Network(tuple(layers), Layer(weight, bias, Activation.same(IDENTITY, len(bias))))


@st.composite
def classifiers(draw: DrawFn, max_neurons: int = 6) -> Network:
    """Draw a network with one to three outputs, some of them equal or constant, sometimes on a slice."""
    network = draw(networks((1, 2), max_neurons) | random_networks((1, 2), max_neurons) | sliced_networks((1, 2), 5))
    n_in, n_out = network.output.n_inputs, draw(st.integers(1, 3))
    numbers = draw(st.sampled_from([st.integers(-3, 3).map(float), st.integers(-16, 16).map(lambda k: k / 8)]))
    rows = draw(st.lists(st.lists(numbers, min_size=n_in + 1, max_size=n_in + 1), min_size=n_out, max_size=n_out))
    if draw(st.integers(0, 5)) == 0:
        rows[-1] = list(rows[0])
    last = np.array(rows)
    output = Layer(last[:, :-1], last[:, -1], Activation.same(IDENTITY, n_out))
    return Network(network.hidden, output, network.input_map)


def data_points(dim: int, max_size: int = 5) -> st.SearchStrategy[list[list[Fraction]]]:
    """Draw a few points, often on kinks, sometimes repeated."""
    return st.lists(st.lists(rationals(), min_size=dim, max_size=dim), min_size=1, max_size=max_size)
