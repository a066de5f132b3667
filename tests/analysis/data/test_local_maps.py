"""Local affine maps at data: exact where floats are, within proven bounds elsewhere, on every kind of network."""

import copy
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks, sliced_networks

from polyrelu.analysis.data.local_maps import LocalMaps, iterate_local_maps, local_maps
from polyrelu.analysis.data.map_agreement import iterate_checked_maps
from polyrelu.analysis.data.patterns import labels_at, patterns_at
from polyrelu.errors import BudgetError, InputError, UnsupportedNodeError
from polyrelu.network.activation import HARD_TANH, IDENTITY, MAX_UNIT, RELU, Activation, leaky_relu
from polyrelu.network.load import load
from polyrelu.network.model import Layer, Network
from polyrelu.network.slices import Slice
from polyrelu.network.torch_reader import from_torch
from polyrelu.testing import xor

MODELS = Path(__file__).resolve().parents[4] / "shared" / "models"
needs_models = pytest.mark.skipif(not MODELS.is_dir(), reason="the trained models in ../shared/models are not here")
POINT = st.sampled_from([0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 0.1, 2.0**-60, -(2.0**40)])


def exact_rows(network, x):
    """Return the exact affine map at the pattern of a point: a row for each output, constants last."""
    digits = network.unit_digits(network.exact.pattern_at(x))
    return network.exact.preactivation_rows(digits)[-1].to_fractions()


def at(row, x):
    return sum((Fraction(w) * Fraction(v) for w, v in zip(row[:-1], x, strict=True)), Fraction(row[-1]))


def integer_network(seed, n_out=3):
    """Return a network with every kind of unit and small integers, in which floats do not round."""
    random = np.random.default_rng(seed)

    def matrix(*shape):
        return random.integers(-2, 3, shape).astype(float)

    mixed = Activation(
        (RELU, IDENTITY, HARD_TANH, leaky_relu(Fraction(1, 4))),
        np.array([0, MAX_UNIT, 1, 2, MAX_UNIT, 3], np.int32),
        np.array([0, 1, 4, 5, 6, 8, 9]),
    )
    first = Layer(matrix(9, 3), matrix(9), mixed)
    second = Layer(matrix(5, 6), matrix(5), Activation.same(RELU, 5))
    return Network((first, second), Layer(matrix(n_out, 5), matrix(n_out), Activation.same(IDENTITY, n_out)))


@pytest.mark.parametrize("seed", range(8))
def test_maps_of_integer_networks_are_the_exact_ones(seed):
    network = integer_network(seed)
    points = np.random.default_rng(seed).integers(-3, 4, (40, 3)) / 2
    maps = local_maps(network, points, None)
    for x, dual in zip(points.tolist(), maps.dual_points.tolist(), strict=True):
        assert [[Fraction(v) for v in row] for row in dual] == exact_rows(network, x)


@settings(max_examples=150, deadline=None)
@given(st.one_of(networks((1, 2, 3)), sliced_networks((1, 2))), st.data())
def test_bounds_hold_for_the_map_and_for_the_forward_pass(network, data):
    points = data.draw(st.lists(st.lists(POINT, min_size=network.dim, max_size=network.dim), min_size=1, max_size=3))
    [(_, maps, agreement)] = iterate_checked_maps(network, points, 0)
    for k, x in enumerate(points):
        [exact] = network.exact(x)
        for value, bound in (
            (agreement.network_values[k], agreement.network_bounds[k]),
            (agreement.map_values[k], agreement.map_bounds[k]),
        ):
            if np.isfinite(bound):
                assert abs(Fraction(value) - exact) <= Fraction(bound)
        if np.isfinite(agreement.map_bounds[k]):
            assert abs(at(maps.dual_points[k], x) - exact) <= Fraction(agreement.map_bounds[k])


def test_a_map_of_another_region_does_not_agree():
    network, points = xor(), [[0.25, 0.5]]
    [(_, _, agreement)] = iterate_checked_maps(network, points, 0)
    other = local_maps(network, [[2.0, 2.0]], 0).values(points)
    assert agreement.agrees
    assert abs(other[0] - agreement.network_values[0]) > agreement.bounds[0]


@needs_models
@pytest.mark.parametrize("name", ["Convnet_maxpool", "Convnet_avgpool", "resnet_2b", "mnist-net_256x2"])
def test_maps_of_trained_networks_give_the_forward_pass(name):
    network = load(MODELS / f"{name}.onnx")
    if network.dim == 784:
        points = np.load(MODELS / "mnist_samples.npz")["images"].reshape(-1, 784) / 255
    else:
        points = np.random.default_rng(0).random((12, network.dim))
    n = 0
    for piece, maps, agreement in iterate_checked_maps(network, points, None):
        assert agreement.agrees
        assert agreement.bounds.max() < 1e-8 * np.abs(agreement.network_values).max()
        n += maps.offsets.size
        assert (agreement.network_values.argmax(axis=1) == labels_at(network, points[piece])).all()
    assert n == len(points) * network.n_out


@needs_models
@pytest.mark.parametrize("name", ["resnet_2b", "mnist-net_256x2"])
def test_maps_of_trained_networks_are_near_the_exact_rows(name):
    network = load(MODELS / f"{name}.onnx")
    x = np.random.default_rng(1).integers(0, 256, network.dim) / 256
    if network.dim == 784:
        x = np.load(MODELS / "mnist_samples.npz")["images"][0].ravel() / 256
    [maps] = [maps for _, maps in iterate_local_maps(network, x[None], None)]
    digits = network.unit_digits(patterns_at(network, x[None]).pattern(0))
    columns = np.random.default_rng(2).choice(network.dim, 3, replace=False)
    for column in columns.tolist():
        slopes = derivative(network, digits, [Fraction(i == column) for i in range(network.dim)])
        size = Fraction(np.abs(maps.weights).max())
        pairs = zip(maps.weights[0, :, column].tolist(), slopes, strict=True)
        assert all(abs(Fraction(weight) - slope) < size / 10**11 for weight, slope in pairs)
        assert any(slopes)


def derivative(network, digits, values):
    """Return the exact derivatives of all outputs of a network of ReLUs and identities in a direction."""
    for layer, own in zip(network.layers, [*digits, None], strict=True):
        rows = layer.weight
        result = []
        for i in range(rows.shape[0]):
            if layer.is_sparse:
                part = slice(rows.indptr[i], rows.indptr[i + 1])
                pairs = zip(rows.data[part].tolist(), rows.indices[part].tolist(), strict=True)
            else:
                pairs = zip(rows[i].tolist(), range(rows.shape[1]), strict=True)
            result.append(sum((Fraction(w) * values[j] for w, j in pairs if values[j]), Fraction(0)))
        if own is not None:
            is_relu = [layer.activation.functions[kind] is not IDENTITY for kind in layer.activation.kind.tolist()]
            result = [v if d or not relu else Fraction(0) for v, d, relu in zip(result, own, is_relu, strict=True)]
        values = result
    return values


def test_outputs_are_chosen_by_number_by_point_by_label_or_all():
    network, points = integer_network(0), np.arange(12.0).reshape(4, 3) - 5
    every = local_maps(network, points, None)
    assert every.weights.shape == (4, 3, 3)
    assert (local_maps(network, points, 1).dual_points == every.dual_points[:, 1]).all()
    assert (local_maps(network, points, [2, 0, 1, 1]).dual_points == every.dual_points[range(4), [2, 0, 1, 1]]).all()
    pairs = local_maps(network, points, [[2, 0]] * 4)
    assert (pairs.dual_points == every.dual_points[:, [2, 0]]).all()
    predicted = local_maps(network, points)
    assert (predicted.outputs == labels_at(network, points)).all()
    assert (predicted.values(points) == network(points).max(axis=1)).all()
    assert local_maps(network, np.zeros((0, 3))).dual_points.shape == (0, 4)


def test_both_labels_of_one_output_have_its_map():
    points = [[2.0, 2.0], [0.5, 0.25]]
    maps = local_maps(xor(), points)
    assert labels_at(xor(), points).tolist() == [0, 1]
    assert maps.outputs.tolist() == [0, 0]
    assert maps.values(points).tolist() == xor()(points)[:, 0].tolist()


def test_blocks_are_the_whole():
    network, points = integer_network(3), np.random.default_rng(0).integers(-4, 5, (300, 3))
    whole, heard = [], []
    for piece, maps in iterate_local_maps(network, points, 2):
        assert len(maps) == piece.stop - piece.start < 300
        whole.append(maps.dual_points)
    maps = local_maps(network, points, 2, progress=lambda done, total: heard.append((done, total)))
    assert (np.concatenate(whole) == maps.dual_points).all()
    assert heard[-1] == (300, 300)
    assert len(heard) == len(whole) > 1


def test_pytorch_gives_the_maps_of_numpy():
    network, points = integer_network(4), np.random.default_rng(0).integers(-4, 5, (50, 3))
    ours, theirs = local_maps(network, points, None), local_maps(network, points, None, device="cpu")
    assert (ours.dual_points == theirs.dual_points).all()
    assert all(agreement.agrees for _, _, agreement in iterate_checked_maps(network, points, device="cpu"))
    sliced = network.restrict(Slice.through([0, 0, 0], [1, 2, 0], [0, 1, 3]))
    for device in (None, "cpu"):
        assert all(a.agrees for _, _, a in iterate_checked_maps(sliced, points[:, :2] / 8, None, device=device))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"output": 3}, InputError, "outputs from 0 to 2 but received 3"),
        ({"output": -1}, InputError, "outputs from 0 to 2 but received -1"),
        ({"output": "largest"}, InputError, "'predicted' or None but received 'largest'"),
        ({"output": 0.0}, InputError, "whole numbers"),
        ({"output": [0, 1]}, InputError, r"shape \(4,\) or \(4, k\), but received shape \(2,\)"),
        ({"output": np.zeros((4, 1, 1), int)}, InputError, "received shape"),
        ({"budget": 127, "output": 1}, BudgetError, "needs 128 bytes for 4 maps but may use 127"),
        ({"device": "abacus"}, InputError, "device that PyTorch has here"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        local_maps(integer_network(0), np.zeros((4, 3)), **arguments)


def test_a_budget_is_enough_if_it_is_exact():
    assert local_maps(integer_network(0), np.zeros((4, 3)), 1, budget=128).dual_points.nbytes == 128


def test_maps_and_points_have_to_fit():
    maps = local_maps(integer_network(0), np.zeros((4, 3)))
    with pytest.raises(InputError, match=r"needs points \(4, 3\) but received an array of shape \(3, 4\)"):
        maps.values(np.zeros((3, 4)))
    with pytest.raises(InputError, match="LocalMaps needs outputs"):
        LocalMaps(np.zeros(3, np.int64), np.zeros((4, 3)))


# Modules --------------------------------------------------------------------------------------------------------


def block(torch, n_in, n_out, stride):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(n_in, n_out, 3, stride, 1), nn.Conv2d(n_out, n_out, 3, 1, 1)
            self.norms = nn.ModuleList([nn.BatchNorm2d(n_out), nn.BatchNorm2d(n_out)])
            self.short = nn.Identity() if n_in == n_out and stride == 1 else nn.Conv2d(n_in, n_out, 1, stride)

        def forward(self, x):
            y = torch.relu(self.norms[0](self.first(x)))
            return torch.relu(self.norms[1](self.second(y)) + self.short(x))

    return Block()


def residual(torch, widths, n_classes, size):
    """Return a residual network of two blocks for each width, after a first convolution."""
    nn, parts, n_in = torch.nn, [], widths[0]
    torch.manual_seed(0)
    parts += [nn.Conv2d(3, n_in, 3, 1, 1), nn.BatchNorm2d(n_in), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    for i, width in enumerate(widths):
        parts += [block(torch, n_in, width, 2 if i else 1), block(torch, width, width, 1)]
        n_in = width
    module = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n_in, n_classes))
    with torch.no_grad():
        module.train()(torch.randn(8, 3, size, size))  # so that batch norms have statistics
    return module


def test_a_module_has_the_maps_of_its_network():
    torch = pytest.importorskip("torch")
    module = residual(torch, (4, 6), 5, 8)
    network = from_torch(copy.deepcopy(module).eval(), (3, 8, 8))
    points = np.random.default_rng(0).random((6, 3, 8, 8))
    for output in ("predicted", 2, None):
        ours, theirs = local_maps(network, points, output), local_maps(module, points, output, batch_size=4)
        assert (ours.outputs == theirs.outputs).all()
        # Sums of fewer than 2000 products in each of nine layers: far below 2^-53 times 10^7.
        assert np.abs(ours.dual_points - theirs.dual_points).max() < 1e-9 * np.abs(ours.dual_points).max()


def test_a_module_as_large_as_resnet_18_is_left_as_it_was():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    module = residual(torch, (64, 128, 256, 512), 10, 32)
    assert sum(p.numel() for p in module.parameters()) > 11_000_000
    before = copy.deepcopy(module.state_dict())
    points = np.random.default_rng(0).random((3, 3, 32, 32)).astype(np.float32)
    maps = local_maps(module, points, own_dtype=True, batch_size=2)
    assert maps.weights.shape == (3, 3072)
    with torch.no_grad():
        values = copy.deepcopy(module).eval()(torch.from_numpy(points)).numpy()
    assert (maps.outputs == values.argmax(axis=1)).all()
    assert np.abs(maps.values(points) - values.max(axis=1)).max() <= 1e-4 * np.abs(values).max()
    # The gradient is that of the function: a small step changes the output by it.
    step = np.zeros((3, 3, 32, 32), np.float32)
    step[:, 1, 7, 7] = 2.0**-20
    exact = copy.deepcopy(module).eval().double()
    with torch.no_grad():
        before_it, behind_it = (exact(torch.from_numpy(p.astype(float))).numpy() for p in (points, points + step))
    slope = (behind_it - before_it)[range(3), maps.outputs] * 2.0**20
    assert np.abs(slope - maps.weights.reshape(3, 3, 32, 32)[:, 1, 7, 7]).max() < 1e-2 * np.abs(maps.weights).max()
    assert module.training
    assert all(p.grad is None and p.requires_grad for p in module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_a_constant_output_has_the_map_zero():
    torch = pytest.importorskip("torch")

    class Constant(torch.nn.Module):
        def forward(self, x):
            return torch.stack([torch.zeros(len(x), dtype=x.dtype) + 3, x[:, 0]], dim=1)

    maps = local_maps(Constant(), [[1.0, 2.0], [5.0, 6.0]], None)
    assert maps.dual_points.tolist() == [[[0, 0, 3], [1, 0, 0]]] * 2


def test_modules_that_are_not_piecewise_linear_are_refused():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    for last in (nn.GELU(), nn.Softmax(1), nn.Sigmoid(), nn.Bilinear(2, 2, 1)):
        module = nn.Sequential(nn.Linear(2, 2), last)
        if isinstance(last, nn.Bilinear):
            module = type("Squared", (nn.Module,), {"forward": lambda self, x: x * x})()
        with pytest.raises(UnsupportedNodeError, match="`local_maps` needs piecewise-linear operations"):
            local_maps(module, [[1.0, 2.0]])
    with pytest.raises(InputError, match=r"needs an array of points, with at least one, .* shape \(0, 2\)"):
        local_maps(nn.Linear(2, 2), np.zeros((0, 2)))
    with pytest.raises(InputError, match="batch_size of at least 1 but received 0"):
        local_maps(nn.Linear(2, 2), [[1.0, 2.0]], batch_size=0)
    with pytest.raises(InputError, match="outputs from 0 to 1 but received 2"):
        local_maps(nn.Linear(2, 2), [[1.0, 2.0]], 2)
    with pytest.raises(InputError, match=r"needs a torch\.nn\.Module but received str"):
        local_maps("model.onnx", [[1.0, 2.0]])


def test_a_module_has_its_maps_also_where_gradients_are_turned_off():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    points = np.random.default_rng(0).random((4, 3))
    expected = local_maps(module, points, 0).weights
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            assert (local_maps(module, points, 0).weights == expected).all()
    assert expected.any()


@pytest.mark.parametrize("slope", [Fraction(3, 2**1076), Fraction(1, 2**2000)])
@pytest.mark.parametrize("weight", [1.0, 2.0**500])
def test_bounds_hold_for_slopes_below_the_range_of_floats(slope, weight):
    """What is rounded to 0 is multiplied by what is large before it and behind it."""
    hidden = Layer(np.array([[1.0]]), np.zeros(1), Activation.same(leaky_relu(slope), 1))
    network = Network((hidden,), Layer(np.array([[weight]]), np.zeros(1), Activation.same(IDENTITY, 1)))
    points = np.array([[-1.0], [-(2.0**1000)]])
    [(_, _, agreement)] = iterate_checked_maps(network, points, 0)
    for k, point in enumerate(points.tolist()):
        value = network.exact(point)[0]
        assert abs(Fraction(agreement.map_values[k]) - value) <= Fraction(agreement.map_bounds[k])
        assert abs(Fraction(agreement.network_values[k]) - value) <= Fraction(agreement.network_bounds[k])
