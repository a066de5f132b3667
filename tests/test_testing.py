"""Networks of `polyrelu.testing` against stored networks of the same construction and against the oracle."""

from __future__ import annotations

from math import comb, factorial

import pytest
from cases import load_network
from oracle import find_regions, text

from polyrelu import testing
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain


@pytest.mark.parametrize(
    ("stored", "network"),
    [
        ("generic_d1_n5", testing.generic_arrangement(1, 5)),
        ("generic_d2_n4", testing.generic_arrangement(2, 4)),
        ("generic_d3_n5", testing.generic_arrangement(3, 5)),
        ("braid_4", testing.braid(4)),
        ("braid_6", testing.coxeter("A", 5)),
        ("coxeterB_1", testing.coxeter("B", 1)),
        ("coxeterB_2", testing.coxeter("B", 2)),
        ("coxeterD_4", testing.coxeter("D", 4)),
        ("coxeterG_2", testing.coxeter("G", 2)),
        ("shi_3", testing.shi(3)),
        ("grid_3x4", testing.grid(3, 4)),
        ("grid_1x1x1x1x1", testing.grid(1, 1, 1, 1, 1)),
        ("telgarsky_L1", testing.telgarsky(1)),
        ("telgarsky_L5", testing.telgarsky(5)),
        ("montufar_d2_p2_l3", testing.montufar(2, 2)),
        ("montufar_d2_p3_l3", testing.montufar(2, 3)),
        ("montufar_d3_p2_l3", testing.montufar(3, 2)),
        ("hamming_1d", testing.adjacency_counterexample()),
        ("thick_zero_2d", testing.thick_zero()),
    ],
)
def test_stored_networks_are_the_same_construction(stored, network):
    assert network.hash == load_network(stored).hash


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("dim", "n"), [(1, 6), (2, 7), (2, 0)])
def test_generic_arrangements_have_the_zaslavsky_counts(dim, n, seed):
    found = find_regions(testing.generic_arrangement(dim, n, seed))
    assert len(found.regions) == sum(comb(n, i) for i in range(dim + 1))
    assert sum(region.cell.is_bounded for region in found.regions) == (comb(n - 1, dim) if n else 0)
    assert len(found.vertices) == comb(n, dim)


def test_classical_arrangements_have_their_counts():
    assert len(find_regions(testing.coxeter("B", 2)).regions) == 2**2 * factorial(2)
    assert len(find_regions(testing.coxeter("D", 2)).regions) == 2 * factorial(2)
    assert len(find_regions(testing.coxeter("A", 1)).regions) == factorial(2)
    assert len(find_regions(testing.shi(2)).regions) == 3
    grid = find_regions(testing.grid(3, 2))
    assert (len(grid.regions), sum(r.cell.is_bounded for r in grid.regions), len(grid.vertices)) == (12, 2, 6)


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_telgarsky_doubles_with_every_layer(layers):
    found = find_regions(testing.telgarsky(layers), Domain.unit(1).rows)
    assert len(found.regions) == found.linear_regions == 2**layers


@pytest.mark.parametrize(("dim", "folds", "layers"), [(1, 3, 1), (1, 2, 3), (1, 4, 2), (2, 1, 1), (2, 2, 2), (2, 3, 1)])
def test_montufar_multiplies_with_every_layer(dim, folds, layers):
    found = find_regions(testing.montufar(dim, folds, layers), Domain.unit(dim).rows)
    assert len(found.regions) == (7 if dim == 2 else 2) * folds ** (dim * layers)


def test_the_adjacency_counterexample_is_one():
    found = find_regions(testing.adjacency_counterexample())
    [pair] = found.hamming1 - found.adjacent
    assert {found.patterns[i] for i in pair} == {"011", "111"}


def test_xor_and_thick_zero_are_as_described():
    found = find_regions(testing.xor())
    assert (sorted(found.patterns), found.vertices) == (["00", "10", "11"], {})
    found = find_regions(testing.thick_zero())
    assert (len(found.regions), list(found.vertices)) == (8, [(0, 0)])
    assert {text(region.digits) for region in found.regions if not region.is_strict} == {"001001", "100101"}


def test_gaussian_networks_are_dyadic_and_reproducible():
    network = testing.gaussian([2, 5, 3, 1], seed=4)
    assert network.hash == testing.gaussian([2, 5, 3, 1], seed=4).hash
    assert network.hash != testing.gaussian([2, 5, 3, 1], seed=5).hash
    assert [layer.weight.shape for layer in network.layers] == [(5, 2), (3, 5), (1, 3)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: testing.braid(1),
        lambda: testing.coxeter("G", 3),
        lambda: testing.grid(),
        lambda: testing.telgarsky(0),
        lambda: testing.gaussian([2]),
    ],
)
def test_impossible_sizes_are_refused(make):
    with pytest.raises(InputError, match="needs"):
        make()
