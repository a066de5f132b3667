"""Clusters of local maps: a network with few maps, counted by hand."""

import warnings

import numpy as np
import pytest

from polyrelu.analysis.data.local_maps import local_maps
from polyrelu.analysis.data.map_clusters import (
    cluster_table,
    clustered,
    kmeans_centres,
    minibatch_centres,
)
from polyrelu.analysis.data.patterns import labels_at
from polyrelu.analysis.data.points import labels_of_values
from polyrelu.errors import BudgetError, InputError
from polyrelu.network.model import Network

RANDOM = np.random.default_rng(5)
POINTS = RANDOM.integers(-8, 9, (300, 3)) / 4
NETWORK = Network.from_arrays(
    [(RANDOM.standard_normal((7, 3)), RANDOM.standard_normal(7)), (RANDOM.standard_normal((4, 7)), np.zeros(4))]
)
LABELS = labels_at(NETWORK, POINTS)


def test_a_network_with_all_its_maps_labels_as_before():
    labels = np.where(np.arange(300) % 3 == 0, (LABELS + 1) % 4, LABELS)
    table = cluster_table(NETWORK, POINTS, POINTS, labels, [300])
    assert (table.n_points, table.original, table.right) == (300, 200, (200,))


def test_one_cluster_is_the_mean_map():
    train, test = POINTS[:200], POINTS[200:]
    means = np.stack([local_maps(NETWORK, train, j).dual_points.mean(axis=0) for j in range(4)])
    values = test @ means[:, :-1].T + means[:, -1]
    # The labels are no closer than rounding could matter.
    top = np.sort(values, axis=1)
    assert (top[:, -1] - top[:, -2]).min() > 2.0**-30
    table = cluster_table(NETWORK, train, test, LABELS[200:], [1])
    assert table.right == ((values.argmax(axis=1) == LABELS[200:]).sum(),)
    assert table.original == 100


@pytest.mark.parametrize("fit", [kmeans_centres, minibatch_centres])
def test_more_clusters_come_nearer(fit):
    rows = local_maps(NETWORK, POINTS, 0).dual_points
    distances = []
    for n in (1, 4, 16):
        centres = fit(rows, n, 0)
        assert centres.shape == (n, 4)
        distances.append(np.square(rows - centres[clustered(rows, centres)]).sum())
    assert distances[0] > distances[1] > distances[2]


def test_the_nearest_centre_is_found_across_blocks():
    rows, centres = RANDOM.integers(-9, 10, (2100, 3)).astype(float), RANDOM.integers(-9, 10, (50, 3)).astype(float)
    squares = np.square(rows[:, None] - centres[None]).sum(axis=2)
    assert (clustered(rows, centres) == squares.argmin(axis=1)).all()


def test_no_more_centres_than_distinct_maps():
    rows = np.repeat([[1.0, 0.0, -0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 1.0]], 5, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kmeans_centres(rows, 2).tolist() == [[1, 0, 0], [2, 0, 1]]
        assert len(kmeans_centres(rows, 1)) == 1


def test_clusters_are_those_of_the_seed_and_of_the_function_that_is_passed():
    asked = []

    def first_rows(rows, n_clusters, seed):
        asked.append((rows.shape, n_clusters, seed))
        return rows[:n_clusters]

    cluster_table(NETWORK, POINTS[:50], POINTS, LABELS, (1, 2), fit=first_rows, seed=7)
    assert asked == [((50, 4), n, 7) for _ in range(4) for n in (1, 2)]
    rows = local_maps(NETWORK, POINTS, 0).dual_points
    assert (kmeans_centres(rows, 5, seed=3) == kmeans_centres(rows, 5, seed=3)).all()


def test_a_module_is_clustered_as_its_network_is():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(3, 7), torch.nn.ReLU(), torch.nn.Linear(7, 4)).double()
    for linear, layer in zip((module[0], module[2]), NETWORK.layers, strict=True):
        linear.weight.data[:], linear.bias.data[:] = torch.tensor(layer.weight), torch.tensor(layer.bias)
    one, two = (cluster_table(source, POINTS, POINTS, LABELS, (1, 300)) for source in (NETWORK, module))
    assert (one.original, one.right) == (two.original, two.right)


def test_one_output_has_two_labels():
    assert labels_of_values(np.array([[0.0], [1.0], [-1.0]])).tolist() == [0, 1, 0]
    network = Network.from_arrays([([[1.0]], [0.0]), ([[1.0]], [-1.0])])
    table = cluster_table(network, [[0.0], [2.0]], [[0.0], [2.0], [3.0]], [0, 1, 1], [2])
    assert (table.original, table.right) == (3, (3,))


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"needs 300 whole numbers as labels but received float64 of shape \(300,\)"):
        cluster_table(NETWORK, POINTS, POINTS, LABELS * 1.0)
    with pytest.raises(InputError, match="needs 300 whole numbers as labels"):
        cluster_table(NETWORK, POINTS, POINTS, LABELS[1:])
    with pytest.raises(InputError, match=r"positive numbers of clusters but received \[0\]"):
        cluster_table(NETWORK, POINTS, POINTS, LABELS, [0])
    with pytest.raises(BudgetError, match="needs 9,600 bytes"):
        cluster_table(NETWORK, POINTS, POINTS, LABELS, [1], budget=9599)
    for train, test in ((POINTS[:0], POINTS), (POINTS, POINTS[:0])):
        with pytest.raises(InputError, match="with at least one, but received shape"):
            cluster_table(NETWORK, train, test, LABELS[: len(test)])
