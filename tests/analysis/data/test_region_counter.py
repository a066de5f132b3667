"""Counting regions during training: exact, in floats, and at the right epochs."""

import numpy as np
import pytest

from polyrelu.analysis.data.patterns import labels_at, patterns_at
from polyrelu.analysis.data.region_counter import RegionCounter
from polyrelu.errors import InputError, UnsupportedNodeError
from polyrelu.network.torch_reader import from_torch

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `torch`)")
nn = torch.nn

POINTS = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
LABELS = (POINTS.sum(axis=1) > 0).astype(np.int64)


def small_module(n_out=2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, n_out))


def trained(module, callbacks, epochs=3):
    optimiser = torch.optim.SGD(module.parameters(), lr=0.5)
    for epoch in range(epochs):
        for callback in callbacks:
            callback(epoch, module)
        loss = nn.functional.cross_entropy(module(torch.from_numpy(POINTS)), torch.from_numpy(LABELS))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return module


def test_counts_are_those_of_the_networks_and_training_is_not_disturbed():
    networks = []
    counter = RegionCounter(POINTS, LABELS, keep=[0, 2])
    module = trained(small_module(), [lambda _, m: networks.append(from_torch(m)), counter])
    plain = trained(small_module(), [])
    assert all(p.equal(q) for p, q in zip(module.parameters(), plain.parameters(), strict=True))
    assert [row.epoch for row in counter.rows] == [0, 1, 2] and sorted(counter.patterns) == [0, 2]
    for network, row in zip(networks, counter.rows, strict=True):
        digits, right = patterns_at(network, POINTS).digits(), labels_at(network, POINTS) == LABELS
        assert row.n_patterns == len(np.unique(digits, axis=0))
        assert row.by_layer == tuple(len(np.unique(part, axis=0)) for part in (digits[:, :6], digits[:, 6:]))
        assert row.n_right == len(np.unique(digits[right], axis=0)) and row.accuracy == right.mean()
    last = RegionCounter(POINTS, layers=[-1])
    last(2, module)
    assert last.rows[0].by_layer == (last.rows[0].n_patterns,) == (len(np.unique(digits_of(module)[:, 6:], axis=0)),)
    assert (counter.patterns[2].words == patterns_at(networks[2], POINTS).words).all()
    lines = counter.to_text().splitlines()
    assert lines[0].split() == ["epoch", "patterns", "right", "accuracy", "by", "layer"] and len(lines) == 4


def digits_of(module):
    return patterns_at(from_torch(module), POINTS).digits()


@pytest.mark.parametrize("n_out", [1, 2])
def test_floats_agree_with_exact_counts_here(n_out):
    exact, floats = (RegionCounter(torch.from_numpy(POINTS), LABELS, exact=flag) for flag in (True, False))
    module = small_module(n_out)
    exact(0, module)
    floats(0, module)
    [first], [second] = exact.rows, floats.rows
    assert second.n_decided_exactly is None and first.n_decided_exactly is not None
    assert (first.n_patterns, first.by_layer, first.n_right) == (second.n_patterns, second.by_layer, second.n_right)


@pytest.mark.parametrize("exact", [True, False])
def test_a_module_in_training_mode_is_counted_as_in_evaluation_and_left_as_it_was(exact):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    module[1].eval()  # a part that its user has frozen
    module[1].running_mean += 0.25
    counter = RegionCounter(POINTS, LABELS, exact=exact)
    counter(0, module)
    assert [part.training for part in module.modules()] == [True, True, False, True, True, True]
    assert all(parameter.requires_grad for parameter in module.parameters())
    network = from_torch(module.eval())
    assert counter.rows[0].n_patterns == len(np.unique(patterns_at(network, POINTS).digits(), axis=0))
    assert counter.rows[0].accuracy == (labels_at(network, POINTS) == LABELS).mean()


def test_floats_count_what_cannot_be_imported():
    class Unreadable(nn.Module):
        def forward(self, x):
            return torch.relu(x * (2 if len(x.shape) > 1 and float(x.shape[1]) > 0 else 1)).sort(1).values

    with pytest.raises(UnsupportedNodeError):
        RegionCounter(POINTS)(0, Unreadable())
    counter = RegionCounter(POINTS, exact=False)
    counter(0, Unreadable())
    assert counter.rows[0].by_layer[0] == len(np.unique(POINTS > 0, axis=0)) == 8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RegionCounter([1.0, 2.0]), r"needs points \(n, ...\)"),
        (lambda: RegionCounter([[1.0], [2.0, 3.0]]), "of one shape"),
        (lambda: RegionCounter(np.zeros((0, 3))), r"needs points \(n, ...\)"),
        (lambda: RegionCounter(POINTS, [0, 1]), "a label for each of 60"),
        (lambda: trained(small_module(), [RegionCounter(POINTS[:, :2])]), "shapes that chain"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_epochs_grow():
    counter = RegionCounter(POINTS)
    counter(1, small_module())
    with pytest.raises(InputError, match="growing epochs"):
        counter(1, small_module())
