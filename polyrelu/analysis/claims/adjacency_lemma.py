"""Claims of paper 003 (Shepeleva et al.) about adjacency: Lemma 1 in both directions, and the isometry of Theorem 2."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product

import numpy as np

from polyrelu.analysis.answers import decide_adjacent
from polyrelu.analysis.claims.adjacency import (
    adjacency_proofs,
    apart_pair,
    fold_network,
    generic_network,
    joined_pair,
)
from polyrelu.analysis.claims.evidence import AllOf, Computation, Counterexample, Examined, Exhaustive, search
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import n_cases, proved
from polyrelu.analysis.claims.subjects import refuse
from polyrelu.analysis.counterexamples import search_counterexample
from polyrelu.analysis.hamming import hamming_adjacency, shortest_walk, walking_distances
from polyrelu.certificate.answers import PairAdjacent
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import InternalError
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate

__all__ = ["LEMMA_CLAIMS", "PAPER"]

Decide = Callable[[Subject | None], Verdict]

PAPER = "ReLU code space (Shepeleva, Zellinger, Lewandowski, Moser 2020)"

IF = "in general position, regions whose patterns differ in one neuron share a facet"
ONLY_IF = "in general position, regions that share a facet have patterns that differ in one neuron"
OPEN = "a counterexample to Lemma 1 stays one under every small change of its parameters"
SMALLEST = "no network with fewer than three neurons has regions at Hamming distance 1 that share no facet"
TAUTOLOGY = "the adjacency distance of two points is the Hamming distance of their patterns, truncated at 2"
ISOMETRY = "the truncated Hamming distance of two patterns is 1 exactly if their regions are adjacent"
GENERIC = (
    "no two rows of the first layer (weights and bias) are proportional",
    "the biases of later layers avoid finitely many values each, which depend on the other parameters; 0 can be one",
)


def _lemma_if(subject: Subject | None) -> Verdict:
    """A search among random and structured networks finds a counterexample and makes it small."""
    if subject is not None:
        return _decided(subject, "003-lemma-1-if", IF, apart_pair(subject.network, subject.domain))
    small = search_counterexample(apart_pair, [(1, 3, 3)], budget=400)
    known = apart_pair(fold_network())
    if small is None or known is None:
        raise InternalError("The search for a counterexample of Lemma 1 needs to find one. Please report this.")
    patterns = " and ".join(map(str, small.evidence.patterns)) if isinstance(small.evidence, Counterexample) else ""
    description = (
        f"found among {small.n_examined} networks and made smaller: {_text(small.network)}; the regions {patterns} "
        "differ in one neuron and share no facet. So in v = (x, 10 - x), z = 2 relu(v1) + relu(v2) - 11"
    )
    return found(IF, Outcome.FALSE, AllOf((small.evidence, known)), description)


def _decided(subject: Subject, claim: str, statement: str, counterexample: Evidence | None) -> Verdict:
    """Return the verdict on one network: its counterexample, or the proof that each pair is adjacent."""
    if counterexample is not None:
        return found(statement, Outcome.FALSE, counterexample, "two regions of this network")
    adjacency = hamming_adjacency(subject.network, subject.domain)
    pairs = adjacency.hamming1 if statement in (IF, ISOMETRY) else adjacency.adjacent
    parts = adjacency_proofs(adjacency, pairs, claim)
    what = f"all {len(parts)} pairs of this network, each with a point inside the common facet"
    evidence = Exhaustive(what, len(pairs), parts)
    return found(statement, Outcome.TRUE, evidence, what)


def _text(network: Network) -> str:
    """Return the integers of a network on one line."""
    arrays = [(layer.weight.astype(int).tolist(), layer.bias.astype(int).tolist()) for layer in network.hidden]
    return "; ".join(f"W = {weight}, b = {bias}" for weight, bias in arrays)


def _lemma_only_if(subject: Subject | None) -> Verdict:
    """Proof for almost all parameters: exactly one neuron vanishes on each facet.

    Let two regions share a facet in the hyperplane H, and let k be the first layer in which their digits differ. Up
    to there both have the same affine forms. The neurons of layer k that flip have proportional forms, which vanish
    on H. In the first layer no two rows are proportional. In a later one, proportional forms ``g_i + b_i`` and
    ``g_j + b_j`` with ``g_i = c g_j`` not 0 need ``b_i = c b_j``, and with constant forms they vanish nowhere unless
    they are 0: for each of the finitely many patterns one value of ``b_i``. In a layer behind k the form of a neuron on
    either side is ``g + b`` with the same ``g`` on H; it vanishes on H only if ``g`` is constant there and ``b`` its
    negative: again one value for each pattern. (If a previous layer is off on one side, ``g`` is 0 on H, and the
    value to avoid is ``b = 0``.)
    """
    if subject is not None:
        return _decided(subject, "003-lemma-1-only-if", ONLY_IF, joined_pair(subject.network, subject.domain))
    evidence = search("adjacent pairs of networks with integers up to 1000", _examine_adjacent, range(42))
    small = search_counterexample(joined_pair, [(2, 3, 3), (1, 2, 2)], budget=60)
    if small is None:
        raise InternalError("The search for joined pairs needs to find one. Please report this.")
    description = (
        f"proved for almost all parameters; {n_cases(evidence)} adjacent pairs of 42 random networks recomputed. Other "
        f"parameters are counterexamples: {_text(small.network)}"
    )
    return proved(ONLY_IF, [evidence], description, GENERIC, [small.evidence])


def _examine_adjacent(seed: int) -> Examined:
    adjacency = hamming_adjacency(generic_network(seed))
    return Examined(len(adjacency.adjacent), joined_pair(generic_network(seed)) if len(adjacency.joined) else None)


def _lemma_open(subject: Subject | None) -> Verdict:
    """Proof: that two regions exist and are separated are strict inequalities in the parameters."""
    refuse(subject, "003-lemma-1-open", "one counterexample and its neighbours")
    evidence = search("all parameters moved by up to 1/100", _examine_moved, range(200), sample=8)
    description = (
        "proof: that two regions contain given points and are separated are strict inequalities; recomputed for 200 "
        "changes of all parameters of v = (x, 10 - x), z = 2 relu(v1) + relu(v2) - 11 by up to 1/100"
    )
    return proved(OPEN, [evidence], description)


def _examine_moved(seed: int) -> Examined:
    """Return a changed network as a counterexample of the claim if it has no pair apart."""
    random = np.random.default_rng(seed)
    layers = [
        tuple(part + random.integers(-81, 81, part.shape, endpoint=True) / 2**13 for part in (layer.weight, layer.bias))
        for layer in fold_network().layers
    ]
    network = Network.from_arrays([(weight, bias) for weight, bias in layers])
    if apart_pair(network) is not None:
        return Examined(1, None)
    return Examined(1, Computation("how many pairs are apart", count_apart, (network,), 0))


def count_apart(network: Network) -> int:
    """Return how many pairs at Hamming distance 1 are not adjacent."""
    return len(hamming_adjacency(network).apart)


def _lemma_smallest(subject: Subject | None) -> Verdict:
    """Proof: in one hidden layer there is none (003-shallow), and with widths (1, 1) there is none either.

    Let v be the first neuron's affine form and ``z = w relu(v) + b``. Patterns that differ in the second, last neuron
    are adjacent (003-last). Where v <= 0, z is b and one pattern 0s is realised. If 1s is realised too and b is
    not 0, then z has the sign of b for small v > 0, so 1s touches v = 0; if b = 0 then s = 0, and 10 needs w <= 0,
    hence is all of v > 0. Either way the two share the facet v = 0.
    """
    refuse(subject, "003-lemma-1-smallest", "all networks with two neurons")
    grid = tuple(product((-2, -1, 0, 1, 2), repeat=4))
    evidence = search("widths (1, 1), integers up to 2", _examine_chain, range(len(grid)), sample=20)
    description = f"proof in the code; recomputed for {len(grid)} networks with widths (1, 1) and integers up to 2"
    return proved(SMALLEST, [evidence], description)


def _examine_chain(seed: int) -> Examined:
    v, c, w, b = ((seed // 5**i) % 5 - 2 for i in range(4))
    network = Network.from_arrays([([[v]], [c]), ([[w]], [b]), ([[1]], [0])])
    adjacency = hamming_adjacency(network)
    return Examined(len(adjacency.hamming1), apart_pair(network) if len(adjacency.apart) else None)


def _tautology(subject: Subject | None) -> Verdict:
    """Equation (5) defines it so; `003-theorem-2` is about what the name promises."""
    t = tessellate(subject.network, subject.domain) if subject else tessellate(fold_network())
    some = range(min(5, t.n_regions))
    value = [min(t.pattern(0).hamming(t.pattern(i)), 2) for i in some]
    arguments = t.network, tuple(t.witness(i) for i in some)
    evidence = Computation("distances of points by equation (5)", defined_distances, arguments, value)
    return found(TAUTOLOGY, Outcome.DEFINITION, evidence, "a definition, so that Theorem 2 holds by definition")


def defined_distances(network: Network, points: tuple[tuple[object, ...], ...]) -> list[int]:
    """Return the distances of equation (5) of points from the first of them."""
    first, *_ = patterns = [network.exact.pattern_at(point) for point in points]
    return [min(first.hamming(pattern), 2) for pattern in patterns]


def _isometry(subject: Subject | None) -> Verdict:
    """What d_A is said to mean: 1 for adjacent regions, 2 for others. Both counterexamples of Lemma 1 contradict it."""
    if subject is not None:
        network, domain = subject.network, subject.domain
        counterexample = apart_pair(network, domain) or joined_pair(network, domain)
        return _decided(subject, "003-theorem-2", ISOMETRY, counterexample)
    network = fold_network()
    t = tessellate(network)
    counterexample = apart_pair(network)
    longest = walking_distances(t).longest
    if counterexample is None or longest is None:
        raise InternalError("The counterexample of Theorem 2 needs a pair that is apart. Please report this.")
    a, b, walking, hamming = longest
    walk = [t.pattern(i) for i in shortest_walk(t, a, b)]
    verdicts = [decide_adjacent(network, p, q) for p, q in pairwise(walk)]
    steps = tuple(verdict.evidence for verdict in verdicts if isinstance(verdict.evidence, PairAdjacent))
    description = (
        f"the patterns {walk[0]} and {walk[-1]} have Hamming distance {hamming} and walking distance {walking}: "
        f"{', '.join(map(str, walk))}; with equation (5) as the definition the theorem says nothing about regions"
    )
    return found(ISOMETRY, Outcome.FALSE, AllOf((counterexample, *steps)), description)


def _claim(name: str, place: str, statement: str, expected: Outcome, decide: Decide) -> Claim:
    return Claim(f"003-{name}", PAPER, place, statement, expected, decide)


LEMMA_CLAIMS = (
    _claim("lemma-1-if", "Lemma 1", IF, Outcome.FALSE, _lemma_if),
    _claim("lemma-1-only-if", "Lemma 1", ONLY_IF, Outcome.TRUE_UNDER, _lemma_only_if),
    _claim("lemma-1-open", "Lemma 1, its counterexample", OPEN, Outcome.TRUE, _lemma_open),
    _claim("lemma-1-smallest", "Lemma 1, its counterexample", SMALLEST, Outcome.TRUE, _lemma_smallest),
    _claim("eq-5", "eq. (5)", TAUTOLOGY, Outcome.DEFINITION, _tautology),
    _claim("theorem-2", "Theorem 2", ISOMETRY, Outcome.FALSE, _isometry),
)
