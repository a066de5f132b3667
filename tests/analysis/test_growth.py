"""Numbers of regions as networks grow, are scaled, and learn."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import networks

from polyrelu.analysis import training
from polyrelu.analysis.bounds import zaslavsky_count
from polyrelu.analysis.growth import count_by_bias_scale, count_by_neurons, count_by_weight_scale, initial_network
from polyrelu.analysis.scaling import scale_biases, scale_weights, zero_biases
from polyrelu.analysis.training import (
    count_during_training,
    count_of_memorising,
    count_of_memorising_digits,
    digit_images,
    noisy_labels,
    random_points,
    regions_in,
    trained,
)
from polyrelu.enumeration.count import count_regions
from polyrelu.errors import InputError, MissingExtraError, NetworkError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import central_counts, generic_arrangement, xor

SQUARE = Domain.box([-1, -1], [1, 1])


# Size ----------------------------------------------------------------------------------------------------------


def test_one_layer_at_initialisation_is_in_general_position():
    for row in count_by_neurons(2, [1], [5, 12], n_networks=3):
        assert row.regions == (zaslavsky_count(2, row.n_neurons),) * 3
        assert row.ratio == Fraction(2 * zaslavsky_count(2, row.n_neurons), row.n_neurons**2)


def test_depth_hardly_matters_at_initialisation():
    """The means are within a factor of two of each other, as the paper finds, while the bounds are far apart."""
    rows = count_by_neurons(2, [1, 2, 3], [24], n_networks=4)
    assert [row.widths for row in rows] == [(24,), (12, 12), (8, 8, 8)]
    assert max(row.mean for row in rows) < 2 * min(row.mean for row in rows)
    assert all(Fraction(1, 2) < row.ratio < 2 for row in rows)
    uneven = count_by_neurons(1, [3], [7], Domain.box([-1], [1]), n_networks=1)[0]
    assert uneven.widths == (3, 2, 2) and uneven.n_neurons == 7


def test_sizes_that_do_not_exist_are_refused():
    for ask in (
        lambda: initial_network([2]),
        lambda: initial_network([2, 0, 1]),
        lambda: count_by_neurons(2, [3], [2]),
        lambda: count_by_neurons(2, [0], [2]),
        lambda: count_by_neurons(2, [1], [2], n_networks=0),
    ):
        with pytest.raises(InputError, match=r"needs .* but received"):
            ask()


# Scale ---------------------------------------------------------------------------------------------------------


def test_scaled_biases_keep_the_regions_over_all_inputs():
    network = initial_network([2, 6, 5, 1], 3, 0.5)
    rows = count_by_bias_scale(network, [0, "1/16", 1, 16], SQUARE)
    assert len({row.all_regions for row in rows[1:]}) == 1 and rows[0].all_regions <= rows[1].all_regions
    assert rows[0].regions == rows[0].all_regions  # cones meet every neighbourhood of 0
    assert rows[1].regions > rows[3].regions
    weights = count_by_weight_scale(generic_arrangement(2, 6), ["1/8", 1, 8], SQUARE)
    biases = count_by_bias_scale(generic_arrangement(2, 6), [8, 1, "1/8"], SQUARE)
    assert [(w.regions, w.all_regions) for w in weights] == [(b.regions, b.all_regions) for b in biases]
    assert count_regions(zero_biases(generic_arrangement(2, 6))) == central_counts(2, 6).regions


@settings(max_examples=40)
@given(networks((1, 2), 6, only_relu=True))
def test_scaled_networks_have_scaled_values(network):
    bigger = scale_biases(network, 4)
    halves = [Fraction(1, 2**i) for i in range(1, len(network.layers) + 1)]
    heavier, lighter = scale_weights(network, 2), scale_biases(network, halves)
    for x in ([1] * network.dim, ["-3/7"] * network.dim):
        point = [Fraction(v) for v in x]
        assert bigger.exact([4 * v for v in point]) == tuple(4 * y for y in network.exact(point))
        assert heavier.exact(point) == tuple(2 ** len(network.layers) * y for y in lighter.exact(point))
    assert tessellate(bigger).n_regions == tessellate(network).n_regions
    assert scale_biases(network, 1).hash == scale_weights(network, 1).hash == network.hash


def test_scaling_never_rounds():
    assert scale_biases(xor(), "3/8").hidden[0].bias.tolist() == [0, -0.375]
    with pytest.raises(NetworkError, match="holds exactly"):
        scale_weights(xor(), "1/3")
    with pytest.raises(InputError, match="one for each of the 2 layers"):
        scale_biases(xor(), [1, 2, 3])


# Training ------------------------------------------------------------------------------------------------------


def test_training_learns_and_counts_what_it_gave():
    points, _ = random_points(60)
    labels = (points[:, 0] > 0).astype(int)
    start = initial_network([2, 6, 2], 1, 0.1)
    rows = count_during_training(start, points, labels, regions_in(SQUARE), (0, 15), learning_rate=0.05)
    assert [row.epoch for row in rows] == [0, 15] and rows[0].network.hash == start.hash
    assert rows[1].loss_float < rows[0].loss_float and rows[1].accuracy > 0.9
    assert [row.n_regions for row in rows] == [tessellate(row.network, SQUARE).n_regions for row in rows]
    again = trained(start, points, labels, epochs=15, learning_rate=0.05)
    assert again.hash == rows[1].network.hash != start.hash


def test_memorising_starts_from_one_network():
    points, labels = random_points(30, seed=1)
    rows = count_of_memorising((0, 1), (5, 5), points, labels, regions_in(SQUARE), epochs=3)
    assert [row.fraction for row in rows] == [0, 1]
    assert rows[0].before.network.hash == rows[1].before.network.hash
    assert rows[0].after.network.hash != rows[1].after.network.hash
    assert all(row.after.epoch == 3 and row.after.n_regions >= 1 for row in rows)


def test_memorising_digits_counts_in_a_triangle_of_images():
    [row] = count_of_memorising_digits((0.5,), (6, 6), epochs=1, n_images=60)
    assert row.before.n_regions >= 1 and row.after.network.dim == 64 and row.after.network.n_out == 10
    images, labels = digit_images()
    assert images.shape == (1797, 64) and (images * 16 == np.round(images * 16)).all() and set(labels) == set(range(10))


def test_noise_grows_with_the_fraction():
    labels = np.arange(1000) % 10
    half, full = noisy_labels(labels, 0.5), noisy_labels(labels, 1)
    assert (noisy_labels(labels, 0) == labels).all()
    changed = half != labels
    assert (half[changed] == full[changed]).all()
    assert 350 < changed.sum() < 500 < (full != labels).sum()
    with pytest.raises(InputError, match="a fraction from 0 to 1"):
        noisy_labels(labels, 1.5)


def test_regions_are_counted_on_planes():
    plane = Slice.through([0, 0, 0], [1, 0, 0], [0, 1, 1])
    network = generic_arrangement(3, 6)
    assert regions_in(SQUARE, plane)(network) == tessellate(network.restrict(plane), SQUARE).n_regions
    assert regions_in()(xor()) == 3


@pytest.mark.parametrize(
    ("network", "points", "labels", "what"),
    [
        (initial_network([2, 3, 2]), [[0.0, 1.0, 2.0]], [0], "needs points"),
        (initial_network([2, 3, 2]), [[0.0, 1.0]], [0, 1], "needs points"),
        (initial_network([2, 3, 2]), [[0.0, 1.0]], [2], "labels below the 2 outputs"),
        (initial_network([2, 3, 2]).restrict(Slice.through([0, 0], [1, 1])), [[0.0]], [0], "no slice"),
    ],
)
def test_data_that_do_not_fit_are_refused(network: Network, points, labels, what):
    with pytest.raises(InputError, match=what):
        trained(network, points, labels, epochs=1)


def test_epochs_that_do_not_exist_are_refused():
    network = initial_network([1, 2, 2])
    with pytest.raises(InputError, match="epochs"):
        trained(network, [[0.0]], [0], epochs=-1)
    for at in ((), (-1, 2)):
        with pytest.raises(InputError, match="epochs from 0 on"):
            count_during_training(network, [[0.0]], [0], regions_in(), at)


@pytest.mark.parametrize(("module", "ask"), [("torch", "trained"), ("sklearn", "digits")])
def test_missing_libraries_are_named(module, ask, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    if module == "sklearn":
        monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match="Install it with: pip install"):
        if ask == "trained":
            trained(initial_network([1, 2, 2]), [[0.0]], [0], epochs=1)
        else:
            digit_images()


def test_importing_loads_no_library_for_training():
    code = f"import sys, {training.__name__}; print({{'torch', 'sklearn'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
