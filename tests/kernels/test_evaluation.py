"""Floats with error bounds against exact arithmetic: what they prove is true, also where everything is near a tie."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from breakpoints import points_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from strategies import networks, random_networks, sliced_networks

from polyrelu.exact.domain import Domain
from polyrelu.kernels import evaluation
from polyrelu.kernels.evaluation import certain_digits, certain_sides, evaluate, evaluations
from polyrelu.network.activation import HARD_SIGMOID, MAX_UNIT, RELU, Activation, clip, leaky_relu
from polyrelu.network.batches import CHUNK, batch_network
from polyrelu.network.model import Layer, Network

ALL_NETWORKS = networks((1, 2, 3)) | random_networks((1, 2, 3)) | sliced_networks((1, 2))


def devices():
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        return [None]
    return [None, "cpu"]


def assert_proven(network, points, device=None):
    """Assert that known digits and error bounds hold; return the fraction of digits that are known."""
    batch = batch_network(network, device)
    found = evaluate(batch, points)
    digits, known = ([batch.arrays.to_host(each) for each in part] for part in (found.digits, found.is_known))
    outputs, errors, strict = map(batch.arrays.to_host, (found.outputs, found.errors, found.is_strict))
    for k, point in enumerate(points):
        exact = network.exact.unit_digits_at(point.tolist())
        for layer, own in enumerate(exact):
            has_digit = network.hidden[layer].activation.n_pieces > 1
            chosen = known[layer][:, k] & has_digit
            assert (digits[layer][chosen, k] == np.array(own)[chosen]).all()
        for value, output, error in zip(network.exact(point.tolist()), outputs[:, k], errors[:, k], strict=True):
            if np.isfinite(error):
                assert np.isfinite(output) and abs(Fraction(output) - value) <= Fraction(error)
        if strict[k]:
            assert all(known[layer][:, k].all() for layer in range(len(exact)))
            assert not on_breakpoint(network, point.tolist())
    return float(np.mean([part.mean() for part in known])) if known else 1.0


def on_breakpoint(network, point):
    """Return whether a preactivation lies on a breakpoint, or the largest input of a max unit is not alone."""
    values = network.exact.inputs_at(point)
    digits = network.exact.unit_digits_at(point)
    for layer, own in zip(network.exact.layers[:-1], digits, strict=True):
        rational = layer.preactivations(values)
        z = [row[0] for row in rational.to_fractions()]
        activation = layer.activation
        for unit, kind in enumerate(activation.kind.tolist()):
            start, end = activation.indptr[unit : unit + 2].tolist()
            if kind == MAX_UNIT and z[start:end].count(max(z[start:end])) > 1:
                return True
            if kind != MAX_UNIT and z[start] in activation.functions[kind].breakpoints:
                return True
        values = layer.outputs(rational, own)
    return False


@pytest.mark.parametrize("device", devices())
@settings(max_examples=60, deadline=None)
@given(ALL_NETWORKS, st.data())
def test_what_floats_prove_is_true(device, network, data):
    assert_proven(network, data.draw(points_of(network)), device)


@pytest.mark.parametrize("device", devices())
def test_floats_prove_nearly_everything_away_from_breakpoints(device):
    random = np.random.default_rng(0)
    sizes = [(9, 4), (9, 9), (3, 9)]
    network = Network.from_arrays([(random.standard_normal(size), random.standard_normal(size[0])) for size in sizes])
    points = random.standard_normal((40, 4))
    assert assert_proven(network, points, device) == 1.0
    batch = batch_network(network, device)
    found = evaluate(batch, points)
    outputs, errors = map(batch.arrays.to_host, (found.outputs, found.errors))
    assert (errors < 2.0**-40 * np.abs(outputs).max()).all() and batch.arrays.to_host(found.is_strict).all()


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("exponent", [-1070, -1000, -500, 0, 500, 1000])
def test_tiny_and_huge_numbers(device, exponent):
    scale = 2.0**exponent
    weight = np.array([[3.0, -1.0], [-3.0, 1.0], [1.0, 1.0], [0.0, 0.0]]) * scale
    network = Network.from_arrays(
        [(weight, np.array([0.0, scale, -scale, 0.0])), (np.array([[1.0, -1.0, 2.0, 1.0]]), [0.0]), ([[1.0]], [scale])]
    )
    points = [[1 / 3, 1.0], [0, 0], [1, 3], [1e-300, 3e-300], [2.0**900, 0.5], [5e-324, 5e-324], [1 / 3, 2 / 3]]
    assert_proven(network, np.array(points), device)


@pytest.mark.parametrize("device", devices())
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999))
def test_breakpoints_that_are_no_floats(device, seed):
    """Hard sigmoids and leaky ReLUs with slopes 1/3: pieces meet exactly where floats cannot be."""
    random = np.random.default_rng(seed)
    functions = (HARD_SIGMOID, leaky_relu(Fraction(1, 3)), RELU, shifted_clip())
    kind = np.array([0, 1, 2, 3, MAX_UNIT, MAX_UNIT], np.int32)
    activation = Activation(functions, kind, np.array([0, 1, 2, 3, 4, 6, 9]))
    weight = random.integers(-3, 4, (9, 2)).astype(float)
    weight[5], weight[6] = weight[4], weight[7]
    hidden = Layer(weight, random.integers(-3, 4, 9).astype(float), activation)
    second = Layer(random.integers(-2, 3, (6, 6)).astype(float), np.zeros(6), Activation.of(functions[:1] * 6))
    output = Layer(random.integers(-2, 3, (2, 6)).astype(float), np.zeros(2), Activation.same(leaky_relu(1), 2))
    network = Network((hidden, second), output)
    points = random.integers(-9, 10, (6, 2)) / 3
    near = np.concatenate([points, np.nextafter(points, 9), np.nextafter(points, -9)])
    assert_proven(network, near, device)


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("size", [6, 8, 16])
def test_sums_that_overflow_on_their_way_prove_nothing(device, size):
    """Two huge terms and then smaller ones: infinity is no proof that the sum is positive."""
    huge = 2.0**1023
    row = np.full(size, -huge / 2)
    row[: size // 3] = huge
    rows = np.array([row, -row, row[::-1], np.roll(row, 1)])
    network = Network.from_arrays([(rows, np.zeros(4)), (np.ones((1, 4)), [0.0])])
    assert_proven(network, np.array([np.ones(size), -np.ones(size), np.full(size, 0.25)]), device)
    assert_proven(Network.from_arrays([(rows, np.zeros(4))]), np.ones((1, size)), device)


@pytest.mark.parametrize("device", devices())
def test_a_copy_beside_what_overflows_is_not_known(device):
    """0 * inf is NaN in the sum that should copy the 1 beside it."""
    first = ([[2.0**1023, 0.0], [0.0, 1.0]], [0.0, 0.0])
    network = Network.from_arrays([first, ([[0.0, 1.0], [1.0, 0.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0])])
    assert_proven(network, np.array([[4.0, 1.0], [1.0, 1.0]]), device)


@pytest.mark.parametrize("device", devices())
def test_huge_weights_on_subnormal_inputs(device):
    """Shares of such inputs are below the range of floats, but what sums round is not."""
    random = np.random.default_rng(0)
    left, right = random.integers(2**51, 2**52, (2, 60))
    rows = np.stack([left, right, (3 * left + 5 * right) // 7], axis=1) * 2.0**960
    network = Network.from_arrays([(rows, np.zeros(60)), (np.ones((1, 60)), [0.0])])
    assert_proven(network, np.array([[3.0, 5.0, -7.0]]) * 2.0**-1074, device)


@pytest.mark.parametrize("device", devices())
def test_tiny_products_vanish(device):
    network = Network.from_arrays([([[2.0**-600, 2.0**-600], [-(2.0**-600), 0.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0])])
    assert_proven(network, np.array([[2.0**-600, 2.0**-601], [-(2.0**-600), 0.0]]), device)


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("slope", [1 - Fraction(1, 2**100), Fraction(1, 2**2000), Fraction(2) ** 2000])
def test_slopes_that_are_nearly_those_of_a_copy(device, slope):
    """As floats they are 1 and 0, and what they give is not exact."""
    pair = Layer(np.ones((2, 1)), np.zeros(2), Activation.of([leaky_relu(slope), leaky_relu(1)]))
    output = Layer(np.ones((1, 1)), np.zeros(1), Activation.same(leaky_relu(1), 1))
    points = np.array([[-1.0], [-2.0], [0.0], [1.0], [-1e300], [-1e-300]])
    for order in ([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]):
        assert_proven(Network((pair, Layer(np.array(order), np.zeros(2), Activation.max_units([2]))), output), points)
    for row in ([[1.0, 0.0]], [[-1.0, 0.0]]):
        for function in (RELU, clip(-1)):
            last = Layer(np.array(row), np.zeros(1), Activation.same(function, 1))
            assert_proven(Network((pair, last), output), points, device)


def shifted_clip():
    return clip(Fraction(1, 3), Fraction(2, 3))


@pytest.mark.parametrize("weakened", ["SMALLEST", "LEAST_SHARE"])
def test_bounds_without_underflow_are_noticed(weakened, monkeypatch):
    """The tests above can fail."""
    monkeypatch.setattr(evaluation, weakened, 0.0)
    with pytest.raises(AssertionError):
        {"SMALLEST": test_tiny_products_vanish, "LEAST_SHARE": test_huge_weights_on_subnormal_inputs}[weakened](None)


def test_bounds_without_rounding_are_noticed(monkeypatch):
    monkeypatch.setattr(evaluation, "gamma", lambda n: 0.0)

    @settings(max_examples=300, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(ALL_NETWORKS, st.data())
    def check(network, data):
        assert_proven(network, data.draw(points_of(network)))

    with pytest.raises(AssertionError):
        check()


def test_certain_digits_are_those_of_a_region():
    network = Network.from_arrays([([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [-1]), ([[1]], [0])])
    digits, certain = certain_digits(network, np.array([[2.0, 1], [1, 1], [0.75, 0.25], [0, 0]]))
    assert certain.tolist() == [True, False, True, False] and digits[0].tolist() == [1, 1, 1]
    assert digits[2].tolist() == [1, 1, 1]


def test_points_come_in_pieces_that_do_not_matter():
    network = Network.from_arrays([([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [-1]), ([[1]], [0])])
    points = np.random.default_rng(0).standard_normal((2 * CHUNK + 1, 2))
    pieces = list(evaluations(batch_network(network), points))
    assert [piece for piece, _ in pieces] == [slice(0, CHUNK), slice(CHUNK, 2 * CHUNK), slice(2 * CHUNK, 2 * CHUNK + 1)]
    for piece, found in pieces:
        expected = points[piece] @ [[1, 1], [1, -1]] > 0
        assert np.array_equal(found.digits[0].T, expected)


def test_sides_of_a_domain():
    domain = Domain.box([0, 0], ["1/3", 1])
    points = np.array([[0.2, 0.5], [0.0, 0.5], [1 / 3, 0.5], [0.5, 0.5], [0.2, 1.5]])
    inside, outside = certain_sides(domain, points)
    assert inside.tolist() == [True, False, False, False, False]
    assert outside.tolist() == [False, False, False, True, True]


def test_sides_where_floats_overflow():
    """The coordinates add up to less than 0, but to infinity from left to right."""
    is_positive = Domain(8, ((1,) * 8 + (0,),))
    point = np.full(8, -(2.0**1023))
    point[:3] = 2.0**1023
    for order in (point, point[::-1], np.roll(point, 2)):
        inside, _ = certain_sides(is_positive, np.array([order, order]))
        _, outside = certain_sides(is_positive, np.array([-order, -order]))
        assert not inside.any() and not outside.any()
