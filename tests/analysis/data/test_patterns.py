"""Patterns and labels at data against exact arithmetic, point by point."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from breakpoints import points_of
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks, random_networks, sliced_networks

from polyrelu.analysis.data.pattern_dag import pattern_dag
from polyrelu.analysis.data.patterns import exact_label, labels_at, patterns_and_labels_at, patterns_at
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.errors import EnumerationInterrupted, InputError
from polyrelu.network.activation import HARD_SIGMOID, HARD_TANH, IDENTITY, MAX_UNIT, RELU, Activation
from polyrelu.network.batches import CHUNK, batch_network, chunks
from polyrelu.network.exact_units import decide_units
from polyrelu.network.load import load
from polyrelu.network.model import Layer, Network
from polyrelu.testing import xor

MODELS = Path(__file__).resolve().parents[4] / "shared" / "models"
ALL_NETWORKS = networks((1, 2, 3)) | random_networks((1, 2, 3)) | sliced_networks((1, 2))


def devices():
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        return [None]
    return [None, "cpu"]


def with_outputs(network, weight):
    """Return the network with other outputs: rows of weights, no bias."""
    weight = np.asarray(weight, float)
    return Network(network.hidden, Layer(weight, np.zeros(len(weight)), Activation.same(IDENTITY, len(weight))))


@pytest.mark.parametrize("device", devices())
@settings(max_examples=80, deadline=None)
@given(ALL_NETWORKS, st.data())
def test_each_pattern_is_the_exact_one(device, network, data):
    points = data.draw(points_of(network))
    patterns = patterns_at(network, points, device)
    expected = [network.exact.pattern_at(point.tolist()) for point in points]
    assert [patterns.pattern(k) for k in range(len(points))] == expected
    assert patterns.digits().tolist() == [list(each.digits) for each in expected]
    assert 0 <= patterns.n_decided_exactly <= len(points)
    for layer in (None, *range(patterns.n_layers)):
        texts = [str(each if layer is None else each.layers[layer]) for each in expected]
        first, which, counts = patterns.groups(layer)
        assert patterns.count_distinct(layer) == len(first) == len(set(texts)) == len(counts)
        assert [texts.index(text) for text in texts] == first[which].tolist() and (np.diff(first) > 0).all()
        assert counts.tolist() == [texts.count(texts[k]) for k in first]


@settings(max_examples=60, deadline=None)
@given(ALL_NETWORKS, st.data())
def test_units_are_decided_from_nothing(network, data):
    """With no digit known, exact arithmetic finds all of them, whatever stands there."""
    points = data.draw(points_of(network))
    sizes = [layer.n_outputs for layer in network.hidden]
    pieces = [layer.activation.n_pieces for layer in network.hidden]
    seed = np.random.default_rng(0)
    digits = [seed.integers(0, own[:, None], (n, len(points))) for n, own in zip(sizes, pieces, strict=True)]
    decide_units(network, points, digits, [np.zeros(each.shape, bool) for each in digits])
    for k, point in enumerate(points):
        for layer, exact in enumerate(network.exact.unit_digits_at(point.tolist())):
            has_digit = pieces[layer] > 1
            assert (digits[layer][has_digit, k] == np.array(exact)[has_digit]).all()


@pytest.mark.parametrize("device", devices())
@settings(max_examples=60, deadline=None)
@given(networks((1, 2)) | random_networks((1, 2)), st.data())
def test_each_label_is_the_first_of_the_largest_outputs(device, network, data):
    n_units, n_out = network.hidden[-1].n_outputs, data.draw(st.integers(1, 4))
    row = st.lists(st.integers(-2, 2), min_size=n_units, max_size=n_units)
    weight = data.draw(st.lists(row, min_size=n_out, max_size=n_out))
    if data.draw(st.booleans()):
        weight[-1] = weight[0]  # a tie at every point
    network = with_outputs(network, weight)
    points = data.draw(points_of(network))
    expected = []
    for point in points:
        outputs = network.exact(point.tolist())
        expected.append(int(outputs[0] > 0) if n_out == 1 else outputs.index(max(outputs)))
    assert labels_at(network, points, device).tolist() == expected


def test_a_label_that_floats_round_to_a_tie():
    """Outputs that differ by less than the rounding of their sums."""
    network = Network.from_arrays([([[2.0**60, 1.0], [2.0**60, 0.0]], [1.0, 2.0**-30])])
    points = [[1.0, -1.0], [1.0, -1 + 2.0**-29], [1.0, -1 + 2.0**-30]]
    assert labels_at(network, points).tolist() == [1, 0, 0]


def test_zero_biases_at_zero_and_equal_inputs_of_max_units_are_decided():
    activation = Activation((RELU, HARD_TANH), np.array([0, 1, MAX_UNIT], np.int32), np.array([0, 1, 2, 5]))
    hidden = Layer(np.array([[1.0], [1.0], [1.0], [2.0], [2.0]]), np.array([0, 1.0, 0, 0, 0]), activation)
    network = Network((hidden,), Layer(np.ones((1, 3)), np.zeros(1), Activation.same(IDENTITY, 1)))
    patterns = patterns_at(network, [[0.0], [1.0], [-2.0], [-1.0], [5e-324]])
    assert patterns.digits().tolist() == [[0, 1, 0], [1, 2, 1], [0, 0, 0], [0, 1, 0], [1, 2, 1]]


def test_points_may_be_images_bytes_and_many():
    random = np.random.default_rng(0)
    hidden = random.integers(-3, 4, (20, 12)), random.integers(-3, 4, 20)
    network = Network.from_arrays([hidden, (np.ones((1, 20)), [0])])
    images = random.integers(0, 256, (2 * CHUNK + 3, 3, 4)).astype(np.uint8)
    heard = []
    patterns = patterns_at(network, images, progress=lambda *args: heard.append(args))
    assert heard == [(CHUNK, len(images)), (2 * CHUNK, len(images)), (len(images), len(images))]
    flat = images.reshape(len(images), -1).astype(float)
    weight, bias = network.hidden[0].weight, network.hidden[0].bias
    assert (patterns.digits() == (flat @ weight.T + bias > 0)).all()
    assert (patterns_at(network, flat.astype(np.float16)).words == patterns.words).all()
    assert (patterns.digits(points=np.array([3, 1])) == patterns.digits()[[3, 1]]).all()
    assert len(patterns) == len(images)


def test_no_points_and_no_neurons():
    assert len(patterns_at(xor(), np.zeros((0, 2)))) == 0 and labels_at(xor(), np.zeros((0, 2))).tolist() == []
    flat = patterns_at(Network.from_arrays([([[1, 1]], [0])]), [[1, 2], [3, 4]])
    assert flat.count_distinct() == 1 and str(flat.pattern(1)) == "" and flat.n_layers == 0


def test_an_interrupt_keeps_what_is_done():
    def stop(done, total):
        raise KeyboardInterrupt

    points = np.random.default_rng(0).standard_normal((CHUNK + 5, 2))
    with pytest.raises(EnumerationInterrupted) as caught:
        patterns_at(xor(), points, progress=stop)
    assert (caught.value.partial.words == patterns_at(xor(), points).words[:CHUNK]).all()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([1.0, 2.0], r"needs points \(n, 2\)"),
        ([[1.0]], r"needs points \(n, 2\)"),
        ([[1.0, 2.0], [3.0]], "of one shape"),
        ([[1.0, float("inf")]], "finite"),
        ([["a", "b"]], "64 bits"),
        (np.array([[1j, 0]]), "64 bits"),
        (np.array([[2**53 + 1, 0]]), "up to 2"),
        (np.array([[0, -(2**63)]]), "up to 2"),
        (np.array([[2**63 + 1, 0]], np.uint64), "up to 2"),
        (np.ma.array([[1.0, 2.0]], mask=[[False, True]]), "masked"),
        (np.array([[1, 2]], np.longdouble), "64 bits"),
        ([[Fraction(1, 3), 0]], "64 bits"),
    ],
)
def test_bad_points_are_refused(points, message):
    for function in (patterns_at, labels_at):
        with pytest.raises(InputError, match=f"{function.__name__}.*{message}"):
            function(xor(), points)


def test_layers_count_from_both_ends():
    network = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [-1]), ([[1]], [0])])
    patterns = patterns_at(network, [[2.0], [-0.5], [-2.0]])
    assert patterns.digits(-1).tolist() == patterns.digits(1).tolist() == [[1], [0], [1]]
    assert [patterns.count_distinct(layer) for layer in (-2, -1, 0, 1)] == [2, 2, 2, 2]
    for layer in (2, -3):
        for look in (patterns.digits, patterns.keys, patterns.groups, patterns.count_distinct, patterns.neurons_of):
            with pytest.raises(InputError, match="need a layer from -2 to 1 but received"):
                look(layer)


def test_no_outputs_give_no_labels():
    silent = Network.from_arrays([([[1, 1]], [0]), (np.zeros((0, 1)), [])])
    assert patterns_at(silent, [[1, 1]]).digits().tolist() == [[1]]
    with pytest.raises(InputError, match="needs a network with outputs"):
        labels_at(silent, [[1, 1]])


def test_points_may_be_tensors():
    torch = pytest.importorskip("torch")
    points = [[1.0, 1.0], [0.5, 0.25]]
    for tensor in (torch.tensor(points, requires_grad=True), torch.tensor(points, dtype=torch.bfloat16)):
        assert (patterns_at(xor(), tensor).words == patterns_at(xor(), points).words).all()
    with pytest.raises(InputError, match="cannot be read"):
        patterns_at(xor(), torch.tensor(points).to_sparse())


def test_a_processor_that_flushes_small_numbers_is_refused():
    torch = pytest.importorskip("torch")
    network = Network.from_arrays([([[1]], [0]), ([[1]], [0])])
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor does not flush")
    try:
        with pytest.raises(InputError, match="flushes the smallest ones"):
            patterns_at(network, [[5e-324]])
    finally:
        torch.set_flush_denormal(False)
    assert patterns_at(network, [[5e-324]]).digits().tolist() == [[1]]


def test_a_tie_behind_hundreds_of_layers():
    """Python's own stack would not reach so deep."""
    mixing = [([[0.75, 0.25], [0.25, 0.75]], [0, 0])] * 600
    network = Network.from_arrays([*mixing, ([[1, -1], [1, 1]], [0, 0]), ([[1, 1]], [0])])
    patterns = patterns_at(network, [[1 / 3, 1 / 3]])
    assert patterns.digits()[0].tolist() == [1] * 1200 + [0, 1] and patterns.n_decided_exactly == 1


def test_equal_outputs_that_floats_know_exactly_need_no_rationals(monkeypatch):
    network = Network.from_arrays([([[1, 0], [0, 1]], [-5, -5]), ([[1, 2], [1, 2], [1, 1]], [1, 2, 2])])
    monkeypatch.setattr(Network, "exact", None)
    assert labels_at(network, [[0.1, 0.2], [1 / 3, 0.3]]).tolist() == [1, 1]
    assert labels_at(Network.from_arrays([([[1]], [-5]), ([[1]], [0])]), [[0.1], [1 / 3]]).tolist() == [0, 0]


def test_arrays_of_a_network():
    network = xor()
    for device in devices():
        batch = batch_network(network, device)
        values = batch.arrays.of(np.array([[1.0, 2.0], [1.0, -1.0]]))
        layer = batch.layers[0]
        z = layer.preactivations(values)
        assert batch.arrays.to_host(z).tolist() == [[2, 1], [1, 0]]
        outputs = layer.outputs(z, batch.arrays.of(np.array([[1, 1], [1, 0]])))
        assert batch.arrays.to_host(outputs).tolist() == [[2, 1], [1, 0]]
    assert list(chunks(0, 3)) == [] and [piece.stop for piece in chunks(7, 3)] == [3, 6, 7]


@pytest.mark.parametrize("device", devices())
@settings(max_examples=60, deadline=None)
@given(networks((1, 2, 3)), st.data())
def test_slopes_pulled_back_are_the_exact_local_map(device, network, data):
    """Where all numbers are small integers, floats round nothing."""
    network = with_small_integers(network)
    point = data.draw(st.lists(st.integers(-4, 4), min_size=network.dim, max_size=network.dim))
    batch, digits = batch_network(network, device), network.exact.unit_digits_at(point)
    slopes, constant = batch.arrays.of(network.output.weight.T.copy()), network.output.bias[0]
    for layer, own in zip(batch.layers[-2::-1], digits[::-1], strict=True):
        inner, from_pieces = layer.pull_back(slopes, batch.arrays.of(np.array(own)[:, None]))
        slopes, from_bias = layer.through_weight(inner)
        constant = constant + float(from_pieces[0]) + float(from_bias[0])
    row = network.exact.preactivation_rows(digits)[-1].to_fractions()[0]
    assert [*batch.arrays.to_host(slopes)[:, 0].tolist(), constant] == row


def with_small_integers(network):
    """Return the network with weights of at most 3 and no hard sigmoid, whose slope is no float."""
    hidden = []
    for layer in network.hidden:
        functions = tuple(HARD_TANH if f == HARD_SIGMOID else f for f in layer.activation.functions)
        activation = Activation(functions, layer.activation.kind, layer.activation.indptr)
        weight, bias = (np.clip(np.round(each), -3, 3) for each in (layer.weight, layer.bias))
        hidden.append(Layer(weight, bias, activation))
    return Network(tuple(hidden), network.output)


@pytest.mark.parametrize("name", ["Convnet_maxpool.onnx", "Convnet_avgpool.onnx", "mnist-net_256x2.onnx"])
def test_trained_networks_on_images(name):
    if not (MODELS / name).exists():
        pytest.skip("the trained networks are not here")
    network = load(MODELS / name)
    with np.load(MODELS / "mnist_samples.npz") as file:
        images, labels = file["images"][:6] / 255, file["labels"][:6]
    patterns = patterns_at(network, images)
    for k in (0, 5):
        assert patterns.pattern(k) == network.exact.pattern_at(images[k].ravel().tolist())
    assert (labels_at(network, images) == labels).mean() > 0.8


@pytest.mark.parametrize("function", [patterns_at, labels_at, extract_terms, pattern_dag])
@pytest.mark.parametrize("thing", ["model.onnx", object(), None])
def test_what_is_no_network_is_refused_in_words(function, thing):
    with pytest.raises(InputError, match=r"needs a Network but received \w+\. Make one with load or from_torch"):
        function(thing, [[1.0, 2.0]])


@given(ALL_NETWORKS, st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_patterns_and_labels_together_are_those_of_each(network, seed):
    points = np.random.default_rng(seed).integers(-2, 3, (6, network.dim)) / 2
    patterns, labels = patterns_and_labels_at(network, points)
    assert labels.tolist() == labels_at(network, points).tolist()
    assert labels.tolist() == [exact_label(network.exact(x)) for x in points.tolist()]
    assert (patterns.words == patterns_at(network, points).words).all()
