"""Counterexamples to both halves of the adjacency lemma, where a network has one."""

from __future__ import annotations

from polyrelu.analysis.claims.evidence import Counterexample
from polyrelu.analysis.hamming import hamming_adjacency
from polyrelu.certificate.answers import RegionExists
from polyrelu.certificate.verdict import Evidence
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.model import region_of

__all__ = ["apart_pair", "joined_pair"]


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
    pair = found._apart(*found.apart[0].tolist())
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
    pair = found._joined(*found.joined[0].tolist())
    return _pair(found.tessellation.network, pair.pattern, pair.other, found.tessellation.domain, pair.evidence)


def _pair(network: Network, pattern: Pattern, other: Pattern, domain: Domain, evidence: Evidence) -> Counterexample:
    """Return the pair with a point strictly inside each region, which proves that both exist."""
    patterns = pattern, other
    inside = [RegionExists(network, each, domain, region_of(network, each, domain).witness) for each in patterns]
    return Counterexample(network, tuple(each.point for each in inside), patterns, (*inside, evidence))
