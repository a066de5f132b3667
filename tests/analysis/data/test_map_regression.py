"""Affine maps between the local maps of networks: least squares from triangles, the same as from all rows."""

import numpy as np
import pytest

from polyrelu.analysis.data import map_regression
from polyrelu.analysis.data.local_maps import local_maps
from polyrelu.analysis.data.map_regression import map_between, mapping_table, triangle_of
from polyrelu.analysis.data.patterns import labels_at
from polyrelu.errors import InputError
from polyrelu.network.model import Network

RANDOM = np.random.default_rng(11)
POINTS = RANDOM.standard_normal((400, 4))


def random_network(seed, n_hidden=12, n_out=3, dead_inputs=()):
    random = np.random.default_rng(seed)
    weight = random.standard_normal((n_hidden, 4))
    weight[:, list(dead_inputs)] = 0
    return Network.from_arrays(
        [(weight, random.standard_normal(n_hidden)), (random.standard_normal((n_out, n_hidden)), np.zeros(n_out))]
    )


def near(one, other):
    """Return whether matrices differ by far less than their entries: well-conditioned problems, solved in two ways."""
    return np.abs(one - other).max() <= 2.0**-26 * np.abs(other).max()


@pytest.mark.parametrize("dead", [(), (1,), (0, 3)])
def test_the_matrix_is_the_least_squares_solution_of_least_norm(dead, monkeypatch):
    monkeypatch.setattr(map_regression, "BLOCK", 64)
    one, two = random_network(1, dead_inputs=dead), random_network(2)
    rows, targets = (local_maps(network, POINTS, 2).dual_points for network in (one, two))
    matrix = map_between(one, two, POINTS, 2)
    assert near(matrix, np.linalg.pinv(rows) @ targets)
    for column in dead:  # what no map of the source uses is mapped to nothing
        assert np.abs(matrix[column]).max() < 2.0**-26


def test_a_linear_relation_is_found():
    one = random_network(3)
    layer, output = one.layers
    twice = Network.from_arrays([(layer.weight, layer.bias), (-2.0 * output.weight, output.bias)])
    assert near(map_between(one, one, POINTS, 0), np.eye(5))
    assert near(map_between(one, twice, POINTS, 0), -2.0 * np.eye(5))


def test_a_table_counts_what_mapped_maps_label_right(monkeypatch):
    monkeypatch.setattr(map_regression, "BLOCK", 50)
    networks = [random_network(seed) for seed in (4, 5, 6)]
    train, test = POINTS[:300], POINTS[300:]
    labels = labels_at(networks[0], test)
    table = mapping_table(networks, train, test, labels)
    assert table.right[0, 0] == table.n_points == 100
    for a, one in enumerate(networks):
        for b, two in enumerate(networks):
            values, squares = [], np.zeros(2)
            for j in range(3):
                rows, targets = (local_maps(network, train, j).dual_points for network in (one, two))
                matrix = np.eye(5) if a == b else np.linalg.lstsq(rows, targets)[0]
                squares += np.square(rows @ matrix - targets).sum(), np.square(targets).sum()
                mapped = local_maps(one, test, j).dual_points @ matrix
                values.append((mapped[:, :-1] * test).sum(axis=1) + mapped[:, -1])
            values = np.stack(values, axis=1)
            top = np.sort(values, axis=1)
            assert (top[:, -1] - top[:, -2]).min() > 2.0**-26
            assert table.right[a, b] == (values.argmax(axis=1) == labels).sum()
            assert abs(table.residuals[a, b] - np.sqrt(squares[0] / squares[1]) * (a != b)) < 2.0**-26


def test_a_triangle_has_the_products_of_all_rows():
    rows = RANDOM.integers(-3, 4, (90, 6)).astype(float)
    triangle = triangle_of(rows[i : i + 4] for i in range(0, 90, 4))
    assert triangle.shape == (6, 6)
    assert (np.tril(triangle, -1) == 0).all()
    assert near(triangle.T @ triangle, rows.T @ rows)
    few = triangle_of([rows[:2]])
    assert near(few.T @ few, rows[:2].T @ rows[:2])


def test_bad_input_is_refused():
    one, other = random_network(1), random_network(2, n_out=2)
    with pytest.raises(InputError, match="same outputs but received 3, 2 of them"):
        mapping_table([one, other], POINTS, POINTS, np.zeros(400, int))
    with pytest.raises(InputError, match="needs points but received none"):
        map_between(one, one, np.zeros((0, 4)), 0)
    with pytest.raises(InputError, match="whole numbers as labels"):
        mapping_table([one, one], POINTS, POINTS, np.zeros(3, int))
    with pytest.raises(InputError, match="outputs from 0 to 1 but received 2"):
        map_between(one, other, POINTS, 2)
    with pytest.raises(InputError, match="with at least one, but received shape"):
        mapping_table([one, one], POINTS, POINTS[:0], np.zeros(0, int))
