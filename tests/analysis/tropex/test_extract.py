"""TropEx in floats: the reference's cases exactly, rational terms within proven bounds, and trained networks."""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tropex_networks import case_network, classifiers, data_points, floats

from polyrelu import Network, from_onnx, from_torch
from polyrelu.analysis.claims.exact_layers import Conv, Dense, LeakyRelu, MaxPool, Norm, Relu, as_dense
from polyrelu.analysis.claims.exact_tropex import extract
from polyrelu.analysis.data.patterns import labels_at
from polyrelu.analysis.tropex.exact import extract_exactly
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.analysis.tropex.extracted import ExtractedFunction
from polyrelu.analysis.tropex.terms_file import load_terms
from polyrelu.errors import FileError, InputError
from polyrelu.network.activation import Activation, leaky_relu
from polyrelu.network.model import Layer
from polyrelu.testing import gaussian

CASES = cases.read("tropex.json")["cases"]
MODELS = Path(__file__).resolve().parents[4] / "shared" / "models"
needs_models = pytest.mark.skipif(not MODELS.is_dir(), reason="the folder of trained networks is not there")


def exact(values):
    return tuple(map(Fraction, values))


def outputs(values):
    return [-np.inf if v is None else float(Fraction(v)) for v in values]


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_terms_and_values_are_those_of_the_reference(case, device):
    points = floats(case["X"])
    found = extract_terms(case_network(case), points, labels=case["labels"], device=device)
    assert found.labels.tolist() == case["labels"]
    for side in ("plus", "minus"):
        slopes, constants = getattr(found, f"{side}_slopes"), getattr(found, f"{side}_constants")
        assert slopes.tolist() == floats([term["A"] for term in case[side]]).tolist()
        assert constants.tolist() == floats([term["a"] for term in case[side]]).tolist()
    assert found.values(points, device=device).tolist() == [outputs(y) for y in case["NX_at_X"]]
    probes = floats([probe["x"] for probe in case["probes"]])
    assert found.values(probes).tolist() == [outputs(probe["NX"]) for probe in case["probes"]]
    module = found.to_torch()
    import torch

    assert module(torch.tensor(probes)).tolist() == found.values(probes).tolist()


@settings(max_examples=60)
@given(st.data())
def test_terms_are_near_the_exact_ones_by_the_proven_bound(data):
    network = data.draw(classifiers())
    points = np.array(data.draw(data_points(network.dim)), dtype=np.float64)
    try:
        found = extract_terms(network, points)
    except InputError as error:
        assert "range of floats" in str(error)
        return
    rational = extract_exactly(network, points.tolist())
    assert found.labels.tolist() == list(rational.labels)
    sizes = [*found.slope_bounds.tolist(), found.constant_bound]
    if not np.isfinite([found.rounding, *sizes]).all():
        return
    bound = [Fraction(found.rounding) * Fraction(size) for size in sizes]
    for side, rows in (("plus", rational.plus), ("minus", rational.minus)):
        slopes, constants = getattr(found, f"{side}_slopes"), getattr(found, f"{side}_constants")
        for slope, constant, row in zip(slopes.tolist(), constants.tolist(), rows.to_fractions(), strict=True):
            errors = [abs(Fraction(a) - b) for a, b in zip([*slope, constant], row, strict=True)]
            assert all(error <= most for error, most in zip(errors, bound, strict=True))
    probes = np.array(data.draw(data_points(network.dim)), dtype=np.float64)
    own = data.draw(st.booleans())
    with np.errstate(all="ignore"):
        values, errors = found.values(probes, own), found.errors(probes)
    for value, error, x in zip(values.tolist(), errors.tolist(), probes.tolist(), strict=True):
        for v, w in zip(value, rational.value(x, own), strict=True):
            assert (v == -np.inf) == (w is None)
            assert w is None or not np.isfinite(error) or abs(Fraction(v) - w) <= Fraction(error)


def test_every_row_of_table_1_is_an_affine_row_or_a_unit():
    """Convolution, batch normalisation (one scale negative), leaky ReLU, max-pooling that overlaps, ReLU, dense."""
    kernel, windows = [[[1, -2]], [[-1, 1]]], [[0, 1], [1, 2], [3, 4, 5]]
    scale, shift = [3, 3, 3, -2, -2, -2], [0, 0, 0, 1, 1, 1]
    rows = [[1, -1, 2], [-2, 0, 1]]
    layers = (
        Conv(tuple(tuple(map(exact, each)) for each in kernel), exact([1, -1]), 4),
        Norm(exact(scale), exact(shift)),
        LeakyRelu(Fraction(1, 4)),
        MaxPool(tuple(map(tuple, windows))),
        Relu(),
        Dense(tuple(map(exact, rows)), exact([0, 1])),
    )
    matrix = as_dense(layers[0])
    hidden = [
        ["dense", [[int(v) for v in row] for row in matrix.weight], [int(v) for v in matrix.bias]],
        ["bn", scale, shift],
        ["relu"],
        ["maxpool", windows],
        ["relu"],
        ["dense", rows, [0, 1]],
    ]
    plain = case_network({"X": [[0] * 4], "layers": hidden})
    first = plain.hidden[0]
    leaky = Layer(first.weight, first.bias, Activation.same(leaky_relu(Fraction(1, 4)), 6))
    network = replace(plain, hidden=(leaky, *plain.hidden[1:]))
    points = np.array([[1.0, 2.0, -1.0, 0.0], [0.0, -1.0, 3.0, 1.0], [-2.0, 0.5, 0.25, 4.0], [0.0, 0.0, 0.0, 0.0]])
    found, other = extract_terms(network, points), extract(layers, [exact(x) for x in points])
    assert found.labels.tolist() == list(other.labels)
    for slopes, constants, terms in (
        (found.plus_slopes, found.plus_constants, other.plus),
        (found.minus_slopes, found.minus_constants, other.minus),
    ):
        assert slopes.tolist() == [list(map(float, term.slopes)) for term in terms]
        # Folding a negative scale moves one constant, common to all terms.
        assert {a - b for a, b in zip(constants.tolist(), [term.constant for term in terms], strict=True)} == {12}


def torch_networks():
    import torch
    from torch import nn

    torch.manual_seed(0)
    norm = nn.BatchNorm2d(3)
    norm.running_mean.uniform_(-0.5, 0.5)
    norm.weight.data = torch.tensor([1.0, -0.5, 2.0])
    plain = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), norm, nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(3, 4, 2), nn.LeakyReLU(0.25),
        nn.AvgPool2d(2, 1), nn.Flatten(), nn.Linear(4, 5), nn.ReLU6(), nn.Linear(5, 4),
    )  # fmt: skip

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.last = nn.Linear(49, 8), nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x):
            h = torch.relu(self.first(x.flatten(1)))
            return self.last(torch.relu(h + self.second(torch.nn.functional.hardtanh(h))))

    return [from_torch(module.double().eval(), (1, 7, 7)) for module in (plain, Residual())]


@pytest.mark.parametrize("number", [0, 1])
def test_networks_of_torch_keep_labels_and_maps(number):
    network = torch_networks()[number]
    points = np.random.default_rng(3).normal(size=(40, 1, 7, 7))
    found = extract_terms(network, points)
    assert min(found.plus_slopes.min(), found.minus_slopes.min()) >= -found.rounding * found.slope_bounds.max()
    check_at_the_data(network, points.reshape(40, -1), found)
    rational = extract_exactly(network, points.reshape(40, -1)[:2].tolist())
    again = extract_terms(network, points[:2])
    shift = abs(again.minus_slopes - rational.minus.to_floats()[:, :-1])
    assert (shift <= (again.rounding + 2.0**-52) * again.slope_bounds).all()


def check_at_the_data(network, points, found):
    """Check labels, own outputs, other outputs, and local affine maps at the data."""
    truth, values, errors = network(points), found.values(points), found.errors(points)
    assert found.labels_of(points).tolist() == found.labels.tolist() == labels_at(network, points).tolist()
    rows = np.arange(len(points))
    slack = 2 * errors  # forward passes err by less than values of terms do
    assert (abs(values - truth)[rows, found.labels] <= slack).all()
    assert (values <= truth + slack[:, None]).all()
    maps = found.plus_slopes - found.minus_slopes
    offsets = found.plus_constants - found.minus_constants
    assert (abs((maps * points).sum(axis=1) + offsets - truth[rows, found.labels]) <= slack).all()


@needs_models
@pytest.mark.parametrize("name", ["mnist-net_256x2", "Convnet_avgpool", "Convnet_maxpool", "resnet_2b"])
def test_trained_networks_keep_the_label_of_every_sample(name):
    network = from_onnx(MODELS / f"{name}.onnx")
    if network.dim == 784:
        with np.load(MODELS / "mnist_samples.npz") as archive:
            points = archive["images"].reshape(-1, 784) / 255
    else:
        points = np.random.default_rng(0).random((20, network.dim))
    check_at_the_data(network, points, extract_terms(network, points))


def test_evaluation_in_tiny_blocks_and_on_a_device_is_the_same():
    network = case_network(CASES[2])
    points = np.random.default_rng(0).integers(-8, 8, (40, 3)) / 4
    found = extract_terms(network, points)
    assert found.values(points).tolist() != found.values(points, own_denominator=True).tolist()
    for own in (False, True):
        values = found.values(points, own).tolist()
        assert values == found.values(points, own, budget=1).tolist() == found.values(points, own, "cpu").tolist()
        import torch

        assert found.to_torch(own)(torch.tensor(points)).tolist() == values
        assert found.labels_of(points, own).tolist() == np.argmax(values, axis=1).tolist()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("own_denominator", [False, True])
def test_values_labels_and_modules_are_those_of_the_exact_function(seed, own_denominator):
    import torch

    network, random = gaussian([2, 4, 3, 1 + seed % 4], seed=seed), np.random.default_rng(seed)
    data, probes = random.integers(-4, 5, (5, 2)) / 2, random.integers(-8, 9, (8, 2)) / 4
    found, rational = extract_terms(network, data), extract_exactly(network, data)
    computed = [found.values(probes, own_denominator, device) for device in (None, "cpu")]
    computed.append(found.to_torch(own_denominator)(torch.tensor(probes)).numpy())
    for k, (probe, error) in enumerate(zip(probes.tolist(), found.errors(probes).tolist(), strict=True)):
        exact_values = rational.value(probe, own_denominator)
        for values in computed:
            for value, own in zip(values[k].tolist(), exact_values, strict=True):
                assert value == -np.inf if own is None else abs(Fraction(value) - own) <= Fraction(error)
        largest = sorted((v for v in exact_values if v is not None), reverse=True)
        gap = largest[0] - largest[1] if len(largest) > 1 else abs(largest[0])
        if network.n_out == len(largest) and gap > 2 * Fraction(error):
            assert found.labels_of(probes, own_denominator)[k] == rational.label_of(probe, own_denominator)


@pytest.mark.parametrize("kind", ["float32", "float64", "uint8"])
def test_a_module_takes_points_of_any_type(kind):
    import torch

    found = extract_terms(case_network(CASES[0]), floats(CASES[0]["X"]))
    points = torch.tensor([[1, 2], [0, 3]], dtype=getattr(torch, kind))
    module = found.to_torch()
    assert module(points).tolist() == found.values(points.numpy()).tolist()
    assert module.float()(points).dtype == torch.float32


def test_one_output_has_one_label_and_the_sign_as_class():
    network = Network.from_arrays([([[1.0], [-1.0]], [0, -1]), ([[1.0, -1.0]], [-0.5])])
    points = [[2.0], [-3.0], [0.5]]
    found = extract_terms(network, points, labels=[1, 0, 0])
    assert found.labels.tolist() == [0, 0, 0] and found.labels_of(points).tolist() == [1, 0, 0]
    assert found.values(points)[:, 0].tolist() == network(points)[:, 0].tolist()


def test_input_is_refused_with_one_clear_sentence(tmp_path):
    network = case_network(CASES[0])
    found = extract_terms(network, [[1, 2], [0, 1]])
    for call, message in (
        (lambda: extract_terms(network, np.zeros((0, 2))), "at least one point"),
        (lambda: extract_terms(network, [[1, 2, 3]]), r"points \(n, 2\)"),
        (lambda: extract_terms(network, [[1, 2]], labels=[0.5]), "whole numbers"),
        (lambda: extract_terms(network, [[1, 2]], labels=[9]), "which the network gives label"),
        (lambda: found.values([1, 2]), r"points \(n, 2\)"),
        (lambda: found.values([[1, np.inf]]), "finite"),
        (lambda: found.values([[1, 2j]]), "at most 64 bits"),
        (lambda: found.values([[1, 2], [3]]), "points of one shape"),
        (lambda: found.errors([["a", "b"]]), "at most 64 bits"),
        (lambda: found.labels_of([[2**53 + 1, 0]]), "up to 2"),
        (lambda: found.values([[1, 2]], budget=0), "positive budget"),
        (lambda: ExtractedFunction(1, *([np.zeros((2, 1))] * 6), 1.0, 1.0), "terms of each kind"),
        (lambda: ExtractedFunction(1, *([np.zeros(2)] * 6), 1.0, 1.0), "terms of each kind"),
    ):
        with pytest.raises(InputError, match=message):
            call()
    huge = Network.from_arrays([([[1e300]], [0]), ([[1e300]], [0]), ([[1.0], [2.0]], [0, 0])])
    with pytest.raises(InputError, match="range of floats"):
        extract_terms(huge, [[1.0]])
    with pytest.raises(FileError, match="found none"):
        load_terms(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(FileError, match="could not read"):
        load_terms(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", n_out=3)
    with pytest.raises(FileError, match="could not read"):
        load_terms(tmp_path / "other.npz")
    with pytest.raises(FileError, match="Make the folder"):
        found.save(tmp_path / "none" / "terms.npz")


def test_a_file_holds_all_of_it(tmp_path):
    found = extract_terms(case_network(CASES[2]), floats(CASES[2]["X"]))
    found.save(tmp_path / "terms.npz")
    again = load_terms(tmp_path / "terms.npz")
    for name in ExtractedFunction.__dataclass_fields__:
        assert np.array_equal(getattr(found, name), getattr(again, name))
    with np.load(tmp_path / "terms.npz") as archive:
        np.savez(tmp_path / "short.npz", **{**archive, "labels": archive["labels"][:-1]})
        np.savez(tmp_path / "float.npz", **{**archive, "labels": archive["labels"] + 0.5})
        np.savez(tmp_path / "nan.npz", **{**archive, "plus_constants": archive["plus_constants"] * np.nan})
        np.savez(tmp_path / "negative.npz", **{**archive, "rounding": -archive["rounding"]})
        np.savez(tmp_path / "flat.npz", **{**archive, "plus_slopes": archive["plus_slopes"].ravel()})
    messages = {
        "short": "Match them", "float": "64-bit", "nan": "finite terms", "negative": "sizes from 0", "flat": "Match"
    }  # fmt: skip
    for name, message in messages.items():
        with pytest.raises(FileError, match=message):
            load_terms(tmp_path / f"{name}.npz")


def test_damaged_files_are_refused_and_closed(tmp_path):
    extract_terms(case_network(CASES[2]), floats(CASES[2]["X"])).save(tmp_path / "terms.npz")
    data = (tmp_path / "terms.npz").read_bytes()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ResourceWarning)  # of files that are left open
        for length in range(0, len(data) - 1, 97):
            (tmp_path / "short.npz").write_bytes(data[:length])
            with pytest.raises(FileError, match="could not read"):
                load_terms(tmp_path / "short.npz")
    assert not heard
