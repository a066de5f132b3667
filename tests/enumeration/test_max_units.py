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
from polyrelu.network.activation import MAX_UNIT, Activation
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
