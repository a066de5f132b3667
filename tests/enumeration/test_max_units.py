"""Max units with ties: every enumeration finds the same regions and the same neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import text

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.march import enumerate_march
from polyrelu.enumeration.split import enumerate_split
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import MAX_UNIT, Activation, PiecewiseLinear
from polyrelu.network.model import Layer, Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.model import Tessellation


def network_of_ties(seed: int) -> Network:
    """Return a network of one or two max units of 2 to 4 small integer forms in R^3, and two ReLUs behind them."""
    r = np.random.default_rng(seed)
    sizes = r.integers(2, 5, int(r.integers(1, 3)))
    n = int(sizes.sum())
    maxima = Activation((), np.full(len(sizes), MAX_UNIT), np.concatenate([[0], np.cumsum(sizes)]))
    plain = Network.from_arrays([(r.integers(-2, 3, (2, len(sizes))), r.integers(-1, 2, 2)), ([[1, 1]], [0])])
    first = Layer(r.integers(-2, 3, (n, 3)).astype(float), r.integers(-1, 2, n).astype(float), maxima)
    return Network((first, *plain.hidden), plain.output)


def neighbours(t: Tessellation) -> set[frozenset[str]]:
    texts = t.pattern_texts()
    return {frozenset((texts[a], texts[b])) for a, b in t.adjacent_pairs.tolist()}


@pytest.mark.parametrize("domain", [Domain.all(3), Domain.box([-2] * 3, [2] * 3)], ids=["space", "box"])
@pytest.mark.parametrize("seed", range(40))
def test_all_enumerations_agree(seed, domain):
    network = network_of_ties(seed)
    expected = sorted(text(region.pattern.digits) for region in enumerate_brute(network, domain))
    found = [tessellate(network, domain, method=m) for m in (enumerate_vertices, enumerate_split, enumerate_march)]
    for t in found:
        assert sorted(t.pattern_texts()) == expected
        assert neighbours(t) == neighbours(found[0])
        t.check_euler()


def test_a_row_that_touches_a_cell_between_its_two_parts_leaves_their_slots_alone():
    """Four forms of one neuron compete: all their borders are parallel planes, some of them the same."""
    hard_tanh = PiecewiseLinear("hard_tanh", (-1, 1), (0, 1, 0), (-1, 0, 1))
    relu = PiecewiseLinear("relu", (0,), (0, 1), (0, 0))
    narrow = Layer(np.full((1, 3), 0.125), np.array([0.125]), Activation((hard_tanh,), np.array([0]), np.array([0, 1])))
    maxima = Activation((relu,), np.array([MAX_UNIT, MAX_UNIT, 0, 0, 0]), np.array([0, 2, 6, 7, 8, 9]))
    weights = np.array([[-1.0], [1], [-1], [-2], [1], [-1], [1], [1], [1]])
    wide = Layer(weights, np.array([0.0, 0, 0, 2, 0, 0, 0, 0, 0]), maxima)
    last = Network.from_arrays([(np.full((1, 5), 0.125), [0.125]), ([[1]], [0])])
    network = Network((narrow, wide, *last.hidden), last.output)
    by_vertices, by_programs = (tessellate(network, method=m) for m in (enumerate_vertices, enumerate_split))
    assert sorted(by_vertices.pattern_texts()) == sorted(by_programs.pattern_texts())
    assert neighbours(by_vertices) == neighbours(by_programs)
