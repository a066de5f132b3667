"""Networks of `polyrelu.testing` against stored networks of the same construction and against the oracle."""

from __future__ import annotations

from math import comb, factorial

import numpy as np
import pytest
from cases import load_network
from oracle import find_regions, text

from polyrelu import testing
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.tessellation.build import tessellate

K33 = [(i, j) for i in range(3) for j in range(3, 6)]
CYCLE = [(i, (i + 1) % 5) for i in range(5)]
PETERSEN = [edge for i in range(5) for edge in ((i, (i + 1) % 5), (5 + i, 5 + (i + 2) % 5), (i, i + 5))]


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
        ("coxeterD_3", testing.coxeter("D", 3)),
        ("shiB_2", testing.coxeter("B", 2, (0, 1))),
        ("shi_ess_4", testing.shi(4, essential=True)),
        ("linial_2", testing.linial(2)),
        ("linial_ess_3", testing.linial(3, essential=True)),
        ("catalan_ess_3", testing.catalan(3, essential=True)),
        ("catalan_ess_4", testing.catalan(4, essential=True)),
        ("semiorder_2", testing.semiorder(2)),
        ("semiorder_3", testing.semiorder(3)),
        ("threshold_1", testing.threshold(1)),
        ("threshold_2", testing.threshold(2)),
        ("resonance_3", testing.resonance(3)),
        ("graphic_K33", testing.graphic(6, K33)),
        ("central_d3_n6", testing.central_arrangement(3, 6)),
        ("central_d4_n7", testing.central_arrangement(4, 7)),
        ("pencil_3d", testing.pencil(3, 4)),
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


FAMILIES = {
    "generic": [(n, d, testing.generic_arrangement(d, n), testing.generic_counts(d, n))
                for d, n in ((1, 30), (2, 40), (3, 12), (3, 25), (4, 12), (5, 11), (3, 0))],
    "generic, seeded": [(s, d, testing.generic_arrangement(d, n, s), testing.generic_counts(d, n))
                        for s in (0, 1) for d, n in ((1, 9), (2, 12), (3, 9), (4, 8))],
    "central": [(n, d, testing.central_arrangement(d, n), testing.central_counts(d, n))
                for d, n in ((1, 3), (2, 20), (3, 20), (4, 12), (5, 12), (6, 10))],
    "pencil": [(n, d, testing.pencil(d, n, 2), testing.pencil_counts(n)) for d, n in ((2, 9), (3, 7), (4, 1), (5, 6))],
    "grid": [(0, len(c), testing.grid(*c), testing.grid_counts(*c))
             for c in ((9,), (7, 8), (5, 4, 3), (3, 2, 4, 1), (0, 2, 3), (2, 3, 2, 3, 2))],
    "braid": [(n, n, testing.braid(n), testing.braid_counts(n)) for n in range(2, 7)],
    "coxeter": [(n, kind, testing.coxeter(kind, n), testing.coxeter_counts(kind, n))
                for kind, n in ("A1", "A2", "A3", "A5", "B1", "B2", "B3", "B4", "B5", "D2", "D3", "D4", "D5", "G2")
                for n in [int(n)]],
    "coxeter shi": [(n, kind, testing.coxeter(kind, n, (0, 1)), testing.coxeter_shi_counts(kind, n))
                    for kind, n in ("A1", "A2", "A3", "B1", "B2", "B3", "B4", "D2", "D3", "D4") for n in [int(n)]],
    "graphic": [(n, len(edges), testing.graphic(n, edges), testing.graphic_counts(n, edges))
                for n, edges in ((1, []), (3, [(0, 1)]), (5, CYCLE), (6, K33), (10, PETERSEN))],
    "threshold": [(n, n + 1, testing.threshold(n), testing.threshold_counts(n)) for n in range(5)],
    "resonance": [(n, n, testing.resonance(n), testing.resonance_counts(n)) for n in range(1, 6)],
    **{
        f.__name__: [(n, is_essential, f(n, is_essential), counts(n, is_essential))
                     for n in range(2, most + 1) for is_essential in (False, True) if n < most or is_essential]
        for f, counts, most in ((testing.shi, testing.shi_counts, 6), (testing.linial, testing.linial_counts, 6),
                                (testing.catalan, testing.catalan_counts, 5),
                                (testing.semiorder, testing.semiorder_counts, 5))
    },
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_arrangements_have_their_counts(family):
    for *size, network, counts in FAMILIES[family]:
        found = tessellate(network)
        assert (found.n_regions, int(found.bounded.sum())) == counts, (family, size)


@pytest.mark.parametrize(("dim", "folds", "layers"), [(1, 5, 4), (2, 4, 2), (3, 3, 1), (3, 2, 2), (4, 2, 1), (5, 2, 1)])
def test_deep_families_have_their_counts(dim, folds, layers):
    found = tessellate(testing.montufar(dim, folds, layers), Domain.unit(dim))
    assert (found.n_regions, int(found.bounded.sum())) == testing.montufar_counts(dim, folds, layers)


def test_the_tent_map_has_its_counts():
    for layers in (1, 6, 9):
        found = tessellate(testing.telgarsky(layers), Domain.unit(1))
        assert (found.n_regions, found.n_linear_regions) == testing.telgarsky_counts(layers)


def test_counts_of_random_graphs_are_those_of_networks():
    random = np.random.default_rng(0)
    for n in (3, 4, 5):
        for _ in range(5):
            edges = [(i, j) for i in range(n) for j in range(i) if random.random() < 0.6]
            found = tessellate(testing.graphic(n, [*edges, *edges[:1]]))
            assert found.n_regions == testing.graphic_counts(n, edges).regions


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
        lambda: testing.coxeter("D", 1),
        lambda: testing.shi(1),
        lambda: testing.pencil(1, 2),
        lambda: testing.graphic(2, [(0, 2)]),
        lambda: testing.direct_sum(testing.xor(), testing.telgarsky(2)),
        lambda: testing.coxeter_counts("E", 8),
        lambda: testing.coxeter_shi_counts("G", 2),
        lambda: testing.threshold_counts(7),
        lambda: testing.resonance_counts(0),
    ],
)
def test_impossible_sizes_are_refused(make):
    with pytest.raises(InputError, match="needs"):
        make()
