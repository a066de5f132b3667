"""Coefficients in a network and in its extracted function, correlations, and shared regions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import with_outputs
from strategies import networks

from polyrelu.analysis.data.local_maps import local_maps
from polyrelu.analysis.data.patterns import labels_at, patterns_at
from polyrelu.analysis.tropex.coefficients import (
    angles_between,
    column_correlation,
    compare_coefficients,
    largest_terms_at,
    pattern_agreement,
)
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.analysis.tropex.overlap import region_overlap
from polyrelu.errors import InputError
from polyrelu.network.model import Network
from polyrelu.testing import gaussian, thick_zero

RANDOM = np.random.default_rng(3)


def test_at_the_data_the_extracted_coefficients_are_the_networks():
    network = gaussian([3, 8, 8, 4], seed=7)
    data = RANDOM.standard_normal((90, 3))
    found = compare_coefficients(network, extract_terms(network, data), data)
    assert found.labels.tolist() == found.extracted_labels.tolist() == labels_at(network, data).tolist()
    slopes = local_maps(network, data).weights
    assert found.distances.max() <= np.abs(slopes).max() / 2**30
    assert np.nanmax(found.angles) <= 1 / 2**20 and np.isnan(found.angles).sum() == (slopes == 0).all(axis=1).sum()
    assert pattern_agreement(network, data, extract_terms(network, data), data).tolist() == [1.0, 1.0]


def test_elsewhere_they_are_those_of_the_largest_terms():
    network = gaussian([3, 8, 8, 4], seed=7)
    data, points = RANDOM.standard_normal((50, 3)), RANDOM.standard_normal((200, 3)) * 2
    function = extract_terms(network, data)
    found = compare_coefficients(network, function, points)
    values = function.values(points)
    assert found.extracted_labels.tolist() == values.argmax(axis=1).tolist()
    for k in range(0, 200, 17):
        plus, minus = found.plus_terms[k], found.minus_terms[k]
        slopes = function.plus_slopes[plus] - function.minus_slopes[minus]
        value = slopes @ points[k] + function.plus_constants[plus] - function.minus_constants[minus]
        assert abs(value - values[k].max()) <= 2 * function.errors(points[k : k + 1])[0]
        distance = np.linalg.norm(slopes - local_maps(network, points[k : k + 1]).weights[0])
        assert abs(found.distances[k] - distance) < 1 / 2**40
    digits, data_digits = (patterns_at(network, each).digits() for each in (points, data))
    agreement = (digits == data_digits[found.plus_terms]).mean(axis=0)
    layers = pattern_agreement(network, data, function, points)
    assert np.abs(layers - [agreement[:8].mean(), agreement[8:].mean()]).max() < 1 / 2**40
    assert layers.max() < 1


def test_angles_of_known_vectors():
    first = np.array([[1.0, 0], [1, 0], [1, 1], [2, 0], [0, 0]])
    second = np.array([[0.0, 3], [-2, 0], [1, 0], [5, 0], [1, 0]])
    assert angles_between(first, second)[:4].round(12).tolist() == [90.0, 180.0, 45.0, 0.0]
    assert np.isnan(angles_between(first, second)[4])


def test_dead_networks_have_no_angles():
    dead = Network.from_arrays([([[1.0], [1]], [-100, -100]), ([[1, 0], [0, 1]], [1, 0])])
    found = compare_coefficients(dead, extract_terms(dead, [[0.0]]), [[0.0], [1.0]])
    assert np.isnan(found.angles).all() and found.distances.tolist() == [0.0, 0.0]


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_correlations_are_numpys(n, dim, seed):
    first, second = np.random.default_rng(seed).integers(-3, 4, (2, n, dim)).astype(float)
    found = column_correlation(first, second)
    for j, own in enumerate(found.columns.tolist()):
        if len(np.unique(first[:, j])) == 1 or len(np.unique(second[:, j])) == 1:
            assert np.isnan(own)
        else:
            assert abs(own - np.corrcoef(first[:, j], second[:, j])[0, 1]) < 1 / 2**40
    assert found.n_constant == np.isnan(found.columns).sum()
    used = found.columns[~np.isnan(found.columns)]
    assert np.isnan(found.mean) if not len(used) else found.mean == used.mean()
    assert np.isnan(column_correlation(np.zeros((3, 2)), np.zeros((3, 2))).mean)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_overlap_is_counted_as_rationals_count_it(data):
    network = data.draw(networks((1, 2), max_neurons=4))
    n_units = network.output.n_inputs
    rows = data.draw(st.lists(st.lists(st.integers(-1, 1), min_size=n_units, max_size=n_units), min_size=1, max_size=3))
    network = with_outputs(network, rows)
    points = st.lists(st.lists(st.integers(-3, 3), min_size=network.dim, max_size=network.dim), min_size=1, max_size=4)
    train, test = (np.array(data.draw(points), float) for _ in range(2))
    try:
        found = region_overlap(network, train, test)
    except InputError:  # slopes of 2^1000 and more
        return
    maps = []
    for x in (*train.tolist(), *test.tolist()):
        pattern = network.exact.pattern_at(x)
        outputs = network.exact(x)
        label = outputs.index(max(outputs))
        digits = [each.tolist() for each in network.unit_digits(pattern)]
        maps.append((str(pattern), network.exact.preactivation_rows(digits)[-1].row(label)))
    known, new = maps[: len(train)], maps[len(train) :]
    assert found.n_train_regions == len({pattern for pattern, _ in known})
    assert found.n_test_regions == len({pattern for pattern, _ in new})
    assert found.n_test_in_train_regions == sum(pattern in {p for p, _ in known} for pattern, _ in new)
    assert found.n_test_with_train_maps == sum(row in {r for _, r in known} for _, row in new)


def test_regions_with_one_map_are_known_by_it():
    found = region_overlap(thick_zero(), [[-0.5, -0.5]], [[-0.25, -0.5], [-0.5, 0.5], [0.5, 0.25]])
    assert (found.n_train, found.n_test, found.n_test_in_train_regions) == (1, 3, 1)


def test_what_does_not_fit_is_refused():
    network, other = gaussian([2, 3, 2], seed=0), gaussian([2, 3, 3], seed=0)
    points = np.zeros((3, 2))
    function = extract_terms(network, points)
    with pytest.raises(InputError, match="a function of 2 inputs and 3 outputs but received one of 2 and 2"):
        compare_coefficients(other, function, points)
    with pytest.raises(InputError, match="needs the 3 points that the function was extracted at but received 2"):
        pattern_agreement(network, points[:2], function, points)
    with pytest.raises(InputError, match="two arrays of one shape"):
        column_correlation(points, points[:2])
    assert [each.tolist() for each in largest_terms_at(function, points[:1])] == [[0], [0]]


@pytest.mark.parametrize("size", [2.0**-1070, 2.0**-600, 2.0**600, 2.0**1023])
def test_large_and_small_numbers_have_angles_and_correlations(size):
    # Squares of these numbers are not in the range of floats.
    assert angles_between(np.array([[size, 0.0]]), np.array([[0.0, size]])).tolist() == [90.0]
    falling = column_correlation([[size], [-size], [0.0]], [[-1], [1], [0]])
    assert abs(falling.mean + 1) < 1 / 2**40 and falling.n_constant == 0


def test_nearly_constant_columns_have_correlations():
    # The last bit alone differs, and is lost where a mean is rounded.
    found = column_correlation([[2.0**53], [2.0**53 - 1], [2.0**53]], [[2], [1], [2]])
    assert abs(found.mean - 1) < 1 / 2**40


def test_numbers_that_are_none_are_no_constants():
    with pytest.raises(InputError, match="needs finite numbers"):
        column_correlation([[np.nan], [1], [2]], [[1], [2], [3]])
    network = gaussian([2, 3, 2], seed=0)
    points = np.ones((3, 2))
    with pytest.raises(InputError, match="at least one point"):
        pattern_agreement(network, points, extract_terms(network, points), points[:0])
