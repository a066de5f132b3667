"""`Network` and `Layer`: shapes, neurons, float evaluation, hashes, refusals."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import coo_array, csr_array
from strategies import networks, relu_networks, sliced_networks

from polyrelu.errors import NetworkError, PatternError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import ABS, HARD_TANH, IDENTITY, MAX_UNIT, RELU, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.network.pattern import Pattern

PAIRS = [([[1.0, -1.0], [0.5, 2.0]], [0.0, 1.0]), ([[1.0, -2.0]], [0.25])]
seeds = st.integers(0, 2**32 - 1)


def as_sparse(network):
    layers = [Layer(csr_array(layer.weight), layer.bias, layer.activation) for layer in network.layers]
    return Network(tuple(layers[:-1]), layers[-1], network.input_map)


# Shapes and neurons ------------------------------------------------------------------------------------------


def test_from_arrays():
    network = Network.from_arrays(PAIRS)
    assert (network.dim, network.n_out, network.n_neurons, len(network.hidden)) == (2, 1, 2, 1)
    assert network([1.0, 2.0]).tolist() == [-10.75]


def test_one_affine_layer():
    network = Network.from_arrays(PAIRS[1:])
    assert (network.dim, network.n_neurons, network.pattern_widths) == (2, 0, ())
    assert network.is_relu


def test_activation_between_all_layers():
    network = Network.from_arrays([*PAIRS, ([[3.0]], [0.0])], activation=ABS)
    assert [layer.activation.functions for layer in network.layers] == [(ABS,), (ABS,), (IDENTITY,)]
    assert not network.is_relu


@given(networks())
def test_neurons_are_the_units_with_a_digit(network):
    expected = [
        (i, unit)
        for i, layer in enumerate(network.hidden)
        for unit, n_pieces in enumerate(layer.activation.n_pieces)
        if n_pieces > 1
    ]
    assert [tuple(pair) for pair in network.neurons.tolist()] == expected
    assert network.n_neurons == sum(network.pattern_widths) == network.layout.n_neurons
    assert 0 not in network.pattern_widths


def test_identity_units_are_not_neurons():
    mixed = Activation.of([RELU, IDENTITY, ABS])
    layer = Layer(np.ones((3, 2)), np.zeros(3), mixed)
    network = Network((layer,), Layer(np.ones((1, 3)), np.zeros(1), Activation.same(IDENTITY, 1)))
    assert network.neurons.tolist() == [[0, 0], [0, 2]]
    assert network.pattern_widths == (2,)
    assert [d.tolist() for d in network.unit_digits(Pattern.parse("11"))] == [[1, 0, 1]]


def test_residual_network_is_relu():
    layer = Layer(np.ones((2, 1)), np.zeros(2), Activation.of([RELU, IDENTITY]))
    last = Layer(np.ones((1, 2)), np.zeros(1), Activation.same(IDENTITY, 1))
    assert Network((layer,), last).is_relu
    pooled = Layer(np.ones((2, 1)), np.zeros(2), Activation.max_units([2]))
    assert not Network((pooled,), Layer(np.ones((1, 1)), np.zeros(1), Activation.same(IDENTITY, 1))).is_relu


@given(networks(), seeds)
def test_digits_and_pattern(network, seed):
    digits = np.random.default_rng(seed).integers(0, network.layout.n_pieces)
    pattern = network.pattern(digits)
    assert pattern.digits == tuple(digits)
    by_unit = network.unit_digits(pattern)
    assert [by_unit[layer][unit] for layer, unit in network.neurons.tolist()] == digits.tolist()


@pytest.mark.parametrize("text", ["1", "101", "1|1", "12"])
def test_pattern_of_another_network(text):
    with pytest.raises(PatternError):
        Network.from_arrays(PAIRS).unit_digits(Pattern.parse(text))


# Values ------------------------------------------------------------------------------------------------------


def reference(network, x):
    """Return the outputs in floats, unit by unit, written without vectors."""
    values = list(x)
    if network.input_map is not None:
        rows = network.input_map.to_floats()
        values = [float(row[:-1] @ np.array(values) + row[-1]) for row in rows]
    for layer in network.layers:
        z = [float(np.dot(row, values) + b) for row, b in zip(np.asarray(layer.weight), layer.bias, strict=True)]
        values = []
        for unit, kind in enumerate(layer.activation.kind):
            group = z[layer.activation.indptr[unit] : layer.activation.indptr[unit + 1]]
            if kind == MAX_UNIT:
                values.append(max(group))
                continue
            function = layer.activation.functions[kind]
            digit = sum(group[0] > float(point) for point in function.breakpoints)
            values.append(float(function.slopes[digit]) * group[0] + float(function.intercepts[digit]))
    return values


@given(networks() | sliced_networks(), seeds)
def test_values_against_a_loop(network, seed):
    x = np.random.default_rng(seed).integers(-4, 5, network.dim) / 2
    with np.errstate(over="ignore", invalid="ignore"):
        expected, scale = np.array(reference(network, x)), np.abs(reference(magnitudes(network), np.abs(x))).max()
    assume(scale < 2.0**1000)
    assert np.abs(network(x) - expected).max() <= 1e-9 * max(scale, 2.0**-1000)


def magnitudes(network):
    """Return a network whose values bound all numbers that occur in the evaluation of another."""
    def bound(layer):
        identity = Activation.same(IDENTITY, layer.n_outputs)
        starts, kind = layer.activation.indptr[:-1], layer.activation.kind
        steep = [max([abs(float(s)) for s in f.slopes]) for f in layer.activation.functions] + [1.0]
        high = [max([abs(float(s)) for s in f.intercepts]) for f in layer.activation.functions] + [0.0]
        factor, shift = np.array(steep)[kind], np.array(high)[kind]
        weight = np.add.reduceat(np.abs(np.asarray(layer.weight)), starts, axis=0) * factor[:, np.newaxis]
        return Layer(weight, np.add.reduceat(np.abs(layer.bias), starts) * factor + shift, identity)

    input_map = network.input_map
    if input_map is not None:
        input_map = RationalMatrix.from_rows([[abs(v) for v in row] for row in input_map.to_fractions()])
    layers = [bound(layer) for layer in network.layers]
    return Network(tuple(layers[:-1]), layers[-1], input_map)


@given(networks(), seeds)
def test_batches(network, seed):
    x = np.random.default_rng(seed).integers(-4, 5, (2, 3, network.dim)).astype(float)
    with np.errstate(over="ignore", invalid="ignore"):
        scale = np.abs(reference(magnitudes(network), np.abs(x[1, 2]))).max()
        values = network(x)
    assert values.shape == (2, 3, network.n_out)
    assume(scale < 2.0**1000)
    assert np.abs(values[1, 2] - network(x[1, 2])).max() <= 1e-9 * max(scale, 2.0**-1000)


def test_empty_batch():
    assert Network.from_arrays(PAIRS)(np.zeros((0, 2))).shape == (0, 1)


@pytest.mark.parametrize("shape", [(), (3,), (2, 1), (2, 3)])
def test_points_of_another_dimension(shape):
    with pytest.raises(NetworkError, match=r"\(..., 2\)"):
        Network.from_arrays(PAIRS)(np.zeros(shape))


# Sparse weights, hashes --------------------------------------------------------------------------------------


@given(networks() | sliced_networks(), seeds)
def test_sparse_weights_are_the_same_network(network, seed):
    sparse = as_sparse(network)
    assert all(layer.is_sparse for layer in sparse.layers)
    assert sparse.hash == network.hash
    x = np.random.default_rng(seed).integers(-4, 5, network.dim).tolist()
    assert sparse.exact(x) == network.exact(x)
    assert sparse.exact.pattern_at(x) == network.exact.pattern_at(x)


def test_hash_ignores_the_form_of_sparse_weights():
    dense = np.array([[1.0, 0.0], [0.0, 2.0]])
    explicit_zero = csr_array(([1.0, 0.0, 2.0], [0, 1, 1], [0, 2, 3]), shape=(2, 2))
    unordered = coo_array(([2.0, 1.0], ([1, 0], [1, 0])), shape=(2, 2))
    assert len({Network.from_arrays([(w, [0, 0])]).hash for w in (dense, explicit_zero, unordered)}) == 1


def test_hash_ignores_notes_and_the_sign_of_zero():
    plain = Network.from_arrays([([[0.0, 1.0]], [0.0])])
    assert Network.from_arrays([([[-0.0, 1.0]], [-0.0])], notes=["read"]).hash == plain.hash


@given(relu_networks(), st.data())
def test_hash_changes_with_every_number(network, data):
    layer = data.draw(st.integers(0, len(network.layers) - 1))
    weight, bias = (np.array(v) for v in (network.layers[layer].weight, network.layers[layer].bias))
    changed = data.draw(st.sampled_from([weight, bias]))
    place = tuple(data.draw(st.integers(0, n - 1)) for n in changed.shape)
    changed[place] = np.nextafter(changed[place], np.inf)
    layers = list(network.layers)
    layers[layer] = Layer(weight, bias, layers[layer].activation)
    assert Network(tuple(layers[:-1]), layers[-1]).hash != network.hash


def test_hash_knows_activations_and_slices():
    from polyrelu.network.slices import Slice

    plain = Network.from_arrays(PAIRS)
    plane = Slice.along([0, 0], [1, 0], [0, 1])
    others = [Network.from_arrays(PAIRS, activation=a) for a in (ABS, HARD_TANH, IDENTITY)]
    assert len({network.hash for network in [plain, plain.restrict(plane), *others]}) == 5


# Refusals ----------------------------------------------------------------------------------------------------


def one(weight, bias=(0,)):
    return Network.from_arrays([(weight, bias)])


REFUSED = {
    "nothing": (lambda: Network.from_arrays([]), "at least one"),
    "nan": (lambda: one([[np.nan]]), "nan at [0, 0]"),
    "infinite bias": (lambda: one([[1.0]], [np.inf]), "inf at [0]"),
    "infinite sparse": (lambda: one(csr_array([[np.inf]])), "finite"),
    "text": (lambda: one([["1"]]), "real numbers"),
    "decimal text in objects": (lambda: one(np.array([["0.1"]], dtype=object)), "round"),
    "complex": (lambda: one([[1j]]), "real numbers"),
    "sparse complex": (lambda: one(csr_array([[1j]])), "real numbers"),
    "ragged": (lambda: one([[1, 2], [3]]), "could not be read"),
    "large integer": (lambda: one([[2**53 + 1]]), "round"),
    "large sparse integer": (lambda: one(csr_array(np.array([[2**53 + 1]]))), "round"),
    "huge integer": (lambda: one([[2**2000]]), "could not be read"),
    "third": (lambda: one(np.array([[Fraction(1, 3)]])), "round"),
    "tenth": (lambda: one(np.array([[Decimal("0.1")]])), "real number"),
    "long double": (lambda: one(np.array([[1 / np.longdouble(3)]])), "longer"),
    "vector as weight": (lambda: one([1.0]), "(1,) and (1,)"),
    "bias of another length": (lambda: one([[1.0]], [0, 0]), "(1, 1) and (2,)"),
    "layers that do not chain": (lambda: Network.from_arrays([PAIRS[1], PAIRS[0]]), "layer 1 reads 2"),
    "activation of another size": (lambda: Layer(np.ones((2, 1)), np.zeros(2), Activation.same(RELU, 1)), "2 rows"),
    "activation at the end": (
        lambda: Network((), Layer(np.ones((1, 1)), np.zeros(1), Activation.same(RELU, 1))), "affine output"),
    "input map of another size": (
        lambda: Network((), one([[1.0]]).output, RationalMatrix.identity_map(2)), "input map with 1 rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    make, words = REFUSED[name]
    with pytest.raises(ValueError) as caught:
        make()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "value", [2**53, 2**60, -(2**100), Fraction(3, 8), np.float32(0.1), np.longdouble(0.5), np.uint8(255), True]
)
def test_numbers_that_floats_hold(value):
    expected = Fraction(value) if isinstance(value, int | Fraction) else Fraction(float(value))
    assert one(np.array([[value]])).exact([1]) == (expected,)


def test_arrays_are_copied_and_read_only():
    weight = np.ones((1, 1))
    network = one(weight)
    weight[0, 0] = 5
    assert network.exact([1]) == (1,)
    with pytest.raises(ValueError, match="read-only"):
        network.output.weight[0, 0] = 2


def test_sparse_weights_are_copied():
    weight = csr_array([[1.0, 2.0]])
    network = one(weight)
    weight.data[:] = 5
    assert network.exact([1, 1]) == (3,)
