"""Adjacent pairs and pairs at Hamming distance 1 as evidence, and the networks on which claims about them are tried."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.answers import decide_adjacent
from polyrelu.analysis.claims.evidence import Counterexample
from polyrelu.analysis.counterexamples import STRUCTURES, structured_network
from polyrelu.analysis.frequencies import integer_network
from polyrelu.analysis.hamming import HammingAdjacency, hamming_adjacency
from polyrelu.certificate.answers import RegionExists
from polyrelu.certificate.verdict import Evidence
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.model import region_of
from polyrelu.tessellation.model import Tessellation

__all__ = [
    "MOST_PAIRS", "adjacency_proofs", "apart_pair", "fold_network", "generic_network", "is_generic", "joined_pair",
    "sample_network",
]  # fmt: skip

ARCHITECTURES = ((1, 3), (2, 3), (1, 2, 2), (2, 2, 2), (2, 3, 2), (1, 2, 2, 2), (3, 2, 2))
MOST_PAIRS = 3000
"""Up to so many pairs of one network are proved one by one."""


def fold_network() -> Network:
    """Return ``relu(2 relu(x) + relu(10 - x) - 11)``: the first and the fourth region differ in one neuron."""
    return Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])


def sample_network(seed: int) -> Network:
    """Return one of the small networks that claims are tried on, degenerate ones on purpose; one for each seed."""
    n = len(ARCHITECTURES)
    return structured_network(ARCHITECTURES[seed % n], STRUCTURES[seed // n % len(STRUCTURES)], seed)


def generic_network(seed: int) -> Network:
    """Return a random network with integer weights up to 1000 and no zero bias; one for each seed."""
    return integer_network(ARCHITECTURES[seed % len(ARCHITECTURES)], (seed, 17))


def is_generic(tessellation: Tessellation) -> bool:
    """Return whether exactly one neuron vanishes on every facet inside the domain."""
    t = tessellation
    return bool((np.diff(t.facet_zero_indptr)[t.inner_facets] == 1).all())


def adjacency_proofs(found: HammingAdjacency, pairs: NDArray[np.int32], claim: str) -> tuple[Evidence, ...]:
    """Return the proof for each of some pairs that it is adjacent, or that it is not; refuse too many."""
    t = found.tessellation
    if len(pairs) > MOST_PAIRS:
        raise InputError(
            f"Claim {claim} needs at most {MOST_PAIRS} pairs to prove but received a network with {len(pairs)} in "
            f"{t.domain.label}. Make the domain smaller."
        )
    verdicts = (decide_adjacent(t.network, t.pattern(a), t.pattern(b), t.domain) for a, b in pairs.tolist())
    return tuple(verdict.evidence for verdict in verdicts if verdict.evidence is not None)


def apart_pair(network: Network, domain: Domain | None = None) -> Counterexample | None:
    """Return two regions at Hamming distance 1 that share no facet, with their proof; None if there are none.

    Examples
    --------
    >>> from polyrelu.testing import adjacency_counterexample, xor
    >>> found = apart_pair(adjacency_counterexample())
    >>> [str(pattern) for pattern in found.patterns], apart_pair(xor())
    (['11|1', '01|1'], None)
    """
    found = hamming_adjacency(network, domain)
    if not len(found.apart):
        return None
    pair = found.prove_apart(*found.apart[0].tolist())
    return _pair(found.tessellation.network, pair.pattern, pair.other, found.tessellation.domain, pair.evidence)


def joined_pair(network: Network, domain: Domain | None = None) -> Counterexample | None:
    """Return two regions that share a facet at a Hamming distance above 1, with their proof; None if there are none.

    Examples
    --------
    >>> twice = Network.from_arrays([([[1], [2]], [0, 0]), ([[1, 1]], [0])])
    >>> found = joined_pair(twice)
    >>> [str(pattern) for pattern in found.patterns]
    ['11', '00']
    """
    found = hamming_adjacency(network, domain)
    if not len(found.joined):
        return None
    pair = found.prove_joined(*found.joined[0].tolist())
    return _pair(found.tessellation.network, pair.pattern, pair.other, found.tessellation.domain, pair.evidence)


def _pair(network: Network, pattern: Pattern, other: Pattern, domain: Domain, evidence: Evidence) -> Counterexample:
    """Return the pair with a point strictly inside each region, which proves that both exist."""
    patterns = pattern, other
    inside = [RegionExists(network, each, domain, region_of(network, each, domain).witness) for each in patterns]
    return Counterexample(network, tuple(each.point for each in inside), patterns, (*inside, evidence))
