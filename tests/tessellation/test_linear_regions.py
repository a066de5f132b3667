"""Equal affine maps are found, different ones kept apart, residues or not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, networks, random_networks, sliced_networks

from polyrelu.network.activation import leaky_relu
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.linear_regions import PRIMES, _prime_for, linear_regions
from polyrelu.testing import montufar, telgarsky


@given(st.data())
@settings(max_examples=100)
def test_maps_are_those_of_the_regions(data):
    network = data.draw(networks((1, 2, 3), max_neurons=6) | random_networks((1, 2)) | sliced_networks())
    t = tessellate(network, data.draw(domains(network.dim)))
    exact = [t.region(i).affine_map.rows.canonical() for i in range(t.n_regions)]
    first = [exact.index(each) for each in exact]
    labels = t.linear_regions.maps.tolist()
    assert [labels.index(label) for label in labels] == first
    assert t.n_affine_maps == len(set(exact))


def test_one_map_on_two_sides_is_two_linear_regions():
    plateau = Network.from_arrays([([[1], [1]], [0, -1]), ([[1, -1]], [0])])
    t = tessellate(plateau)
    assert (t.n_regions, t.n_affine_maps, t.n_linear_regions) == (3, 3, 3)
    bump = Network.from_arrays([([[1], [1], [1]], [0, -1, -2]), ([[1, -2, 1]], [0])])
    t = tessellate(bump)
    assert (t.n_regions, t.n_affine_maps, t.n_linear_regions) == (4, 3, 4)
    assert t.linear_regions.labels.max() == 3


def test_maps_with_equal_residues_are_compared():
    prime = PRIMES[0]
    network = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1 + prime, -1]], [0])])
    assert _prime_for(network) == prime
    t = tessellate(network)
    assert (t.n_regions, t.n_affine_maps) == (2, 2)


def test_a_prime_that_divides_a_denominator_is_not_used():
    network = Network.from_arrays([([[1]], [0]), ([[1]], [0])], leaky_relu(Fraction(1, PRIMES[0])))
    assert _prime_for(network) == PRIMES[1]
    assert tessellate(network).n_affine_maps == 2
    unlucky = leaky_relu(Fraction(1, int(np.prod([int(p) for p in PRIMES], dtype=object))))
    other = _prime_for(Network.from_arrays([([[1]], [0]), ([[1]], [0])], unlucky))
    assert other not in PRIMES and other < 2**31


def test_sparse_layers_give_the_same_labels():
    from scipy.sparse import csr_array

    dense = montufar(2, 2, layers=2)
    arrays = [(layer.weight, layer.bias) for layer in dense.layers]
    sparse = Network.from_arrays([(csr_array(w), b) for w, b in arrays])
    expected, found = tessellate(dense).linear_regions, linear_regions(tessellate(sparse))
    assert found.n_maps == expected.n_maps and found.n_regions == expected.n_regions


@pytest.mark.parametrize("layers", [1, 4])
def test_sawtooth(layers):
    t = tessellate(telgarsky(layers))
    assert t.n_affine_maps == 2**layers + 1
