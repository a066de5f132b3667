"""The search for counterexamples: it finds them by itself, makes them small, and finds none where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from polyrelu.analysis.claims.adjacency import apart_pair, joined_pair
from polyrelu.analysis.claims.code_space_paper import CLAIMS
from polyrelu.analysis.claims.evidence import Computation
from polyrelu.analysis.claims.model import Claim, Outcome, found
from polyrelu.analysis.counterexamples import (
    STRUCTURES,
    network_size,
    search_counterexample,
    shrink_counterexample,
    structured_network,
)
from polyrelu.errors import CertificateError, InputError
from polyrelu.network.model import Network
from polyrelu.testing import adjacency_counterexample, xor


@pytest.mark.parametrize("architectures", [[(2, 4, 4)], [(1, 3, 3), (2, 3, 3)]], ids=str)
def test_the_search_finds_the_smallest_counterexample_of_the_adjacency_lemma(architectures):
    small = search_counterexample(apart_pair, architectures, budget=400, seed=1)
    network = small.network
    assert (network.dim, [layer.n_outputs for layer in network.hidden]) == (1, [2, 1])
    assert max(np.abs(layer.weight).max() for layer in network.layers) <= 3
    assert network_size(network) < network_size(adjacency_counterexample())
    assert small.evidence.network.hash == network.hash != small.first.hash
    small.evidence.check()
    with pytest.raises(CertificateError):  # the proof is about this network, not about another one
        type(small.evidence)(xor(), small.evidence.points, small.evidence.patterns, small.evidence.facts).check()


def test_the_search_finds_neighbours_that_differ_in_two_neurons():
    small = search_counterexample(joined_pair, [(2, 3, 3)], budget=50)
    assert small.network.n_neurons == 2
    small.evidence.check()
    assert small.structure in STRUCTURES
    assert small.n_examined <= 50


def test_one_hidden_layer_has_no_counterexample():
    assert search_counterexample(apart_pair, [(2, 4), (1, 5)], budget=60) is None


def test_no_smaller_widths_have_a_counterexample():
    assert search_counterexample(apart_pair, [(1, 1, 1), (2, 1, 1), (1, 1, 2)], budget=210) is None


def test_a_claim_is_decided_network_by_network():
    def decide(subject):
        n = subject.network.n_neurons
        proof = Computation("the number of neurons", len, (range(n),), n)
        return found("few neurons", Outcome.FALSE if n > 2 else Outcome.TRUE, proof, "counted")

    claim = Claim("few", "ours", "here", "A network has at most two neurons.", Outcome.FALSE, decide)
    assert search_counterexample(claim, [(1, 2)], budget=5) is None
    small = search_counterexample(claim, [(3, 4, 4)], budget=300, n_kept=1)
    assert small.network.n_neurons == 3
    assert (small.network.dim, len(small.network.hidden)) == (1, 1)
    assert not any(layer.bias.any() or layer.weight.any() for layer in small.network.hidden)


def test_a_budget_ends_the_shrinking():
    small, evidence, n_examined = shrink_counterexample(apart_pair, adjacency_counterexample(), budget=3)
    assert n_examined == 3
    assert small.n_neurons == 3
    evidence.check()


@pytest.mark.parametrize("structure", STRUCTURES)
def test_structures(structure):
    network = structured_network((2, 3, 3), structure, 4)
    assert network.hash == structured_network((2, 3, 3), structure, 4).hash
    layers = [np.column_stack([layer.weight, layer.bias]) for layer in network.hidden]
    assert all((rows == np.rint(rows)).all() for rows in layers)
    if structure == "zero bias":
        assert not any(layer.bias.any() for layer in network.hidden)
    if structure == "ternary":
        assert max(np.abs(rows).max() for rows in layers) == 1
    if structure == "dead layer":
        points = np.random.default_rng(0).integers(-99, 99, (20, 2)).tolist()
        patterns = [network.exact.pattern_at(x).layers for x in points]
        assert any(all(not any(pattern[k]) for pattern in patterns) for k in range(2))
    if structure in ("repeated", "opposite"):
        sign = 1 if structure == "repeated" else -1
        assert any((rows[-1] == factor * rows[0]).all() for rows in layers for factor in (sign, 2 * sign))


def test_refusals():
    with pytest.raises(InputError, match="received the budget 0"):
        search_counterexample(apart_pair, [(1, 2)], budget=0)
    with pytest.raises(InputError, match="0 architectures"):
        search_counterexample(apart_pair, [])
    with pytest.raises(InputError, match="received 'odd'"):
        structured_network((1, 2), "odd", 0)
    with pytest.raises(InputError, match="the claim holds for"):
        shrink_counterexample(apart_pair, Network.from_arrays([([[1]], [0]), ([[1]], [0])]))


def test_a_claim_about_something_else_is_refused():
    [claim] = [claim for claim in CLAIMS if claim.id == "003-eq-8"]
    with pytest.raises(InputError, match="003-eq-8"):
        search_counterexample(claim, [(1, 2)])


def test_a_published_claim_is_searched_by_its_own_means():
    [claim] = [claim for claim in CLAIMS if claim.id == "003-lemma-1-only-if"]
    small = search_counterexample(claim, [(2, 3)], budget=60)
    assert small.network.n_neurons == 2
    small.evidence.check()
