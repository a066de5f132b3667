"""Patterns that differ in one neuron, and regions that share a facet: where the two notions part.

For one hidden layer of distinct neurons they are one. In general neither implies the other (against Lemma 1 of
Shepeleva et al. 2020), and every pair in which they part is listed here, with its proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.answers import decide_adjacent
from polyrelu.certificate.answer_rows import pattern_rows
from polyrelu.certificate.answers import PairAdjacent, PairNotAdjacent
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.lp import Witness, find_point
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.model import Tessellation

__all__ = [
    "ApartPair",
    "HammingAdjacency",
    "JoinedPair",
    "WalkingDistances",
    "hamming_adjacency",
    "is_flip_adjacent",
    "shortest_walk",
    "walking_distances",
]

DISTANCES_AT_ONCE = 1 << 21
"""So many entries of the matrix of walking distances are held at a time."""


@dataclass(frozen=True, slots=True)
class ApartPair:
    """Two patterns that differ in one neuron, whose regions do not share a facet.

    Attributes
    ----------
    pattern, other : Pattern
    neuron : int
        The one in which they differ.
    evidence : PairNotAdjacent
    """

    pattern: Pattern
    other: Pattern
    neuron: int
    evidence: PairNotAdjacent


@dataclass(frozen=True, slots=True)
class JoinedPair:
    """Two regions that share a facet, whose patterns differ in several neurons.

    Attributes
    ----------
    pattern, other : Pattern
    neurons : tuple of int
        Those in which they differ; all of them vanish on the facet.
    point : tuple of Fraction, length dim
        In the relative interior of the facet.
    evidence : PairAdjacent
    """

    pattern: Pattern
    other: Pattern
    neurons: tuple[int, ...]
    point: tuple[Fraction, ...]
    evidence: PairAdjacent


@dataclass(frozen=True, eq=False)
class HammingAdjacency:
    """All pairs of regions at Hamming distance 1, and all that share a facet.

    Pairs are numbers of regions, smaller one first.

    Attributes
    ----------
    tessellation : Tessellation
    hamming1 : int32 array, shape (n, 2)
        The patterns differ in one neuron.
    adjacent : int32 array, shape (n, 2)
        The regions share a facet.
    apart : int32 array, shape (n, 2)
        At Hamming distance 1, not adjacent.
    joined : int32 array, shape (n, 2)
        Adjacent, at a Hamming distance above 1.
    """

    tessellation: Tessellation
    hamming1: NDArray[np.int32]
    adjacent: NDArray[np.int32]
    apart: NDArray[np.int32]
    joined: NDArray[np.int32]

    @cached_property
    def apart_pairs(self) -> tuple[ApartPair, ...]:
        """The pairs of ``apart``, each with its proof."""
        return tuple(self.prove_apart(a, b) for a, b in self.apart.tolist())

    @cached_property
    def joined_pairs(self) -> tuple[JoinedPair, ...]:
        """The pairs of ``joined``, each with its proof."""
        return tuple(self.prove_joined(a, b) for a, b in self.joined.tolist())

    def flipped(self, a: int, b: int) -> tuple[int, ...]:
        """Return the neurons in which the patterns of two regions differ."""
        t = self.tessellation
        ours, theirs = t.network.layout.unpack(t.words[[a, b]])
        return tuple(np.flatnonzero(ours != theirs).tolist())

    def prove_apart(self, a: int, b: int) -> ApartPair:
        """Return one pair of ``apart`` with its proof."""
        t = self.tessellation
        pattern, other = t.pattern(a), t.pattern(b)
        evidence = decide_adjacent(t.network, pattern, other, t.domain).evidence
        if not isinstance(evidence, PairNotAdjacent):
            raise InternalError(_DISAGREE.format(pattern, other))
        [neuron] = self.flipped(a, b)
        return ApartPair(pattern, other, neuron, evidence)

    def prove_joined(self, a: int, b: int) -> JoinedPair:
        """Return one pair of ``joined`` with its proof."""
        t = self.tessellation
        pattern, other = t.pattern(a), t.pattern(b)
        verdict = decide_adjacent(t.network, pattern, other, t.domain)
        if not isinstance(verdict.evidence, PairAdjacent):
            raise InternalError(_DISAGREE.format(pattern, other))
        return JoinedPair(pattern, other, self.flipped(a, b), verdict.value, verdict.evidence)


_DISAGREE = (
    "hamming_adjacency needs a tessellation that agrees with linear programs but {} and {} do not. "
    "Please report the network."
)


def hamming_adjacency(network: Network | Tessellation, domain: Domain | None = None) -> HammingAdjacency:
    """Return all pairs of regions at Hamming distance 1, all adjacent pairs, and where the two differ.

    Adjacency is that of the regions in the domain: a facet outside of it does not count.

    Parameters
    ----------
    network : Network or Tessellation
        A tessellation has its domain.
    domain : Domain, optional
        All of R^dim by default.

    Raises
    ------
    InputError
        For a domain beside a tessellation, or a tessellation that a budget ended.

    Examples
    --------
    >>> from polyrelu.testing import adjacency_counterexample
    >>> found = hamming_adjacency(adjacency_counterexample())
    >>> len(found.hamming1), len(found.adjacent), len(found.joined)
    (5, 4, 0)
    >>> [pair] = found.apart_pairs
    >>> str(pair.pattern), str(pair.other), pair.neuron
    ('11|1', '01|1', 0)
    >>> pair.evidence.check()
    """
    t = _tessellation(network, domain)
    hamming1, adjacent = t.hamming1_pairs, np.unique(np.sort(t.adjacent_pairs, axis=1), axis=0)
    left, right = (pairs[:, 0].astype(np.int64) * t.n_regions + pairs[:, 1] for pairs in (hamming1, adjacent))
    return HammingAdjacency(t, hamming1, adjacent, hamming1[~np.isin(left, right)], adjacent[~np.isin(right, left)])


def _tessellation(network: Network | Tessellation, domain: Domain | None) -> Tessellation:
    if isinstance(network, Network):
        return tessellate(network, domain)
    if domain is not None or not network.is_complete:
        what = f"the domain {domain.label}" if domain is not None else f"one that ended at {network.n_regions} regions"
        raise InputError(
            f"hamming_adjacency needs a network and a domain, or a complete tessellation alone, but received {what}. "
            "Tessellate the whole domain first."
        )
    return network


def is_flip_adjacent(network: Network, pattern: Pattern, neuron: int, domain: Domain | None = None) -> bool:
    """Return whether the region of a pattern has a facet on which one ReLU neuron vanishes.

    If the pattern with this neuron's digit flipped has a region too, this decides whether the two are adjacent.

    Raises
    ------
    InputError
        If the network has units other than ReLU, or no such neuron.

    Examples
    --------
    >>> from polyrelu.testing import adjacency_counterexample
    >>> left = Pattern.parse("01|1")
    >>> [is_flip_adjacent(adjacency_counterexample(), left, neuron) for neuron in range(3)]
    [False, False, True]

    The second neuron of ``relu(-relu(x))`` is never on, and vanishes wherever the first one does:

    >>> touching = Network.from_arrays([([[1]], [0]), ([[-1]], [0]), ([[1]], [0])])
    >>> is_flip_adjacent(touching, Pattern.parse("1|0"), 0)
    True

    Notes
    -----
    One linear program: is there a point where the neuron's row is 0 and all rows are > 0 that are neither constant 0
    nor a multiple of it? Let ``p`` and ``q`` differ in neuron ``j`` only, and both have regions. Up to the layer of
    ``j`` all rows of ``p`` and ``q`` are equal but for the sign of row ``j``; so none of them is 0 for ``j``, and none
    is a multiple of it, since such a neuron would flip as well. Behind it they are equal where row ``j`` vanishes. If
    there is such a point, then close to it and beyond row ``j``, the rows of ``q`` that are > 0 at the point still
    are, and the others are multiples of row ``j`` with the sign that the region of ``q`` shows: ``q`` is next to ``p``
    there. Conversely, in the relative interior of a common facet exactly the multiples of row ``j`` vanish. A program
    that asks for *all* other rows to be > 0 would deny the facet of the second example.
    """
    if not network.is_relu or not 0 <= neuron < network.n_neurons:
        raise InputError(
            f"is_flip_adjacent needs a ReLU network and one of its {network.n_neurons} neurons but received "
            f"{neuron}. Count neurons from 0; `decide_adjacent` takes every activation."
        )
    rows = [row.row for row in pattern_rows(network, pattern, domain)]
    turned = tuple(-value for value in rows[neuron])
    strict = [any(row[:-1]) and row != rows[neuron] for row in rows]
    return isinstance(find_point([*rows, turned], [*strict, False], network.dim, central=False), Witness)


@dataclass(frozen=True, slots=True)
class WalkingDistances:
    """How many facets one has to cross between two regions, against the Hamming distance of their patterns.

    Attributes
    ----------
    n_pairs : int
        How many pairs of different regions were compared: ordered pairs, if only some regions are sources.
    excess : dict of int to int
        How many pairs have which walking distance minus Hamming distance.
    longest : tuple of int, length 4, or None
        Two regions with the largest excess, their walking distance, their Hamming distance; None without pairs.
    """

    n_pairs: int
    excess: dict[int, int]
    longest: tuple[int, int, int, int] | None

    @property
    def is_isometric(self) -> bool:
        """True if both distances are equal for all pairs."""
        return set(self.excess) <= {0}


def walking_distances(tessellation: Tessellation, sources: Sequence[int] | None = None) -> WalkingDistances:
    """Return how walking distances in the graph of regions compare with Hamming distances.

    Parameters
    ----------
    tessellation : Tessellation
        Complete; the domain is convex, so that its regions are connected by facets.
    sources : sequence of int, optional
        Regions to start from, for a sample; from all of them by default, and then each pair counts once.

    Examples
    --------
    >>> from polyrelu.testing import adjacency_counterexample, grid
    >>> t = tessellate(adjacency_counterexample())
    >>> found = walking_distances(t)
    >>> found.n_pairs, found.excess, [str(t.pattern(i)) for i in found.longest[:2]], found.longest[2:]
    (10, {0: 8, 2: 2}, ['11|1', '01|1'], (3, 1))
    >>> walking_distances(tessellate(grid(2, 3))).is_isometric
    True
    """
    t = tessellation
    starts = np.arange(t.n_regions) if sources is None else np.asarray(sources, dtype=np.int64)
    excess: dict[int, int] = {}
    longest: tuple[int, int, int, int] | None = None
    size = max(1, DISTANCES_AT_ONCE // t.n_regions)
    for first in range(0, len(starts), size):
        block = starts[first : first + size]
        walking, hamming = _walking(t, block), _hamming(t, block)
        targets = np.arange(t.n_regions)
        chosen = targets > block[:, None] if sources is None else targets != block[:, None]
        if not chosen.any():
            continue
        more = walking - hamming
        values, counts = np.unique(more[chosen], return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            excess[value] = excess.get(value, 0) + count
        if longest is None or values[-1] > longest[2] - longest[3]:
            row, region = np.argwhere(chosen & (more == values[-1]))[0].tolist()
            longest = int(block[row]), region, int(walking[row, region]), int(hamming[row, region])
    return WalkingDistances(sum(excess.values()), dict(sorted(excess.items())), longest)


def shortest_walk(tessellation: Tessellation, start: int, end: int) -> list[int]:
    """Return the regions of a shortest walk from one region to another, each adjacent to the one before it.

    Examples
    --------
    >>> from polyrelu.testing import adjacency_counterexample
    >>> t = tessellate(adjacency_counterexample())
    >>> number = t.pattern_texts().index
    >>> [str(t.pattern(i)) for i in shortest_walk(t, number("011"), number("111"))]
    ['01|1', '01|0', '11|0', '11|1']
    """
    from scipy.sparse.csgraph import breadth_first_order

    _, before = breadth_first_order(tessellation.adjacency, end, directed=False)
    walk = [start]
    while walk[-1] != end:
        if before[walk[-1]] < 0:
            raise InputError(
                f"shortest_walk needs a complete tessellation but received one in which no walk leads from {start} to "
                f"{end}. Raise the budget."
            )
        walk.append(int(before[walk[-1]]))
    return walk


def _walking(t: Tessellation, sources: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of facets between some regions and all, shape (n_sources, n_regions)."""
    from scipy.sparse.csgraph import shortest_path

    if t.n_regions == 1:
        return np.zeros((len(sources), 1), np.int64)
    steps = shortest_path(t.adjacency, directed=False, unweighted=True, indices=sources)
    if not np.isfinite(steps).all():
        raise InputError(
            "walking_distances needs a complete tessellation but received one with regions that no walk reaches. "
            "Raise the budget."
        )
    return steps.astype(np.int64)


def _hamming(t: Tessellation, sources: NDArray[np.int64]) -> NDArray[np.int64]:
    from polyrelu.analysis.codes import distances_between

    return distances_between(t.network.layout, t.words[sources], t.words).astype(np.int64)
