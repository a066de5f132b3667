"""What is true of Hamming distance and adjacency, where Lemma 1 of paper 003 is not: statements with their proofs.

Each is examined on the regions of one network: on those of many networks of all kinds, or on the one that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

import numpy as np

from polyrelu.analysis.claims.adjacency import apart_pair, generic_network, is_generic, joined_pair, sample_network
from polyrelu.analysis.claims.adjacency_lemma import PAPER
from polyrelu.analysis.claims.evidence import Computation, Counterexample, Examined, Search, search
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import n_cases, proved
from polyrelu.analysis.counterexamples import STRUCTURES, structured_network
from polyrelu.analysis.frequencies import integer_network
from polyrelu.analysis.hamming import HammingAdjacency, hamming_adjacency, is_flip_adjacent, walking_distances
from polyrelu.certificate.answer_rows import pattern_rows
from polyrelu.certificate.answers import PairAdjacent
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import rank
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

__all__ = ["TRUE_CLAIMS"]

Examine = Callable[[HammingAdjacency], Examined]

FLIPPED = "the neurons in which two adjacent regions differ all vanish on their common facet, and there is at least one"
ZERO_BIAS = "where all biases are 0 and the weights are general, adjacent regions differ in one neuron"
LAST = "regions whose patterns differ in one neuron, of the last hidden layer, share a facet"
SHALLOW = "with one hidden layer, regions at Hamming distance 1 share a facet"
SHALLOW_BOTH = "with one hidden layer, adjacent means Hamming distance 1 iff no two neurons have one hyperplane"
WALK = "with one hidden layer, the walking distance of two regions is their Hamming distance"
NARROW = "with two hidden layers, regions at Hamming distance 1 share a facet"
FLIP = "regions that differ in one neuron share a facet iff its row can be 0 where all other non-zero rows are > 0"
DEEP_WALK = "the walking distance of two regions is at least their Hamming distance"


def _flipped(subject: Subject | None) -> Verdict:
    """Proof: a preactivation is continuous, and where its neuron flips it is >= 0 on one side and <= 0 on the other.

    Two regions are different patterns, so that one neuron flips at least. (That it is one only, for almost all
    parameters, is 003-lemma-1-only-if.)
    """
    if subject is not None:
        return _on(subject, FLIPPED, "adjacent pairs", _examine_flipped)
    evidence = _over("adjacent pairs", _examine_flipped, sample_network, range(98))
    return proved(FLIPPED, [evidence], f"proof by continuity; {n_cases(evidence)} pairs of 98 networks recomputed")


def _examine_flipped(adjacency: HammingAdjacency) -> Examined:
    t = adjacency.tessellation
    for facet in t.inner_facets.tolist():
        flipped = adjacency.flipped(*t.facet_regions[facet].tolist())
        if not flipped or not set(flipped) <= set(t.facet_neurons(facet).tolist()):
            wrong = Computation("neurons that flip at a facet", _flips_at, (t.network, t.domain, facet), flipped)
            return Examined(facet, wrong)
    return Examined(len(t.inner_facets), None)


def _flips_at(network: Network, domain: Domain, facet: int) -> tuple[int, ...]:
    adjacency = hamming_adjacency(network, domain)
    return adjacency.flipped(*adjacency.tessellation.facet_regions[facet].tolist())


def _zero_bias(subject: Subject | None) -> Verdict:
    """False: where a whole layer is off, every neuron behind it is identically 0, and flips as soon as one is on."""
    if subject is not None:
        if any(layer.bias.any() for layer in subject.network.hidden):
            raise InputError("Claim 003-zero-bias needs biases of 0 but received others. Give another network.")
        return _on(subject, ZERO_BIAS, "adjacent pairs", _examine_joined)
    counts, first = [], None
    for architecture in ((2, 2, 2), (2, 3, 3), (3, 3, 3)):
        networks = [integer_network(architecture, (9, i), zero_bias=True) for i in range(20)]
        pairs = [joined_pair(network) for network in networks]
        first = first or next((pair for pair in pairs if pair is not None), None)
        counts.append(f"{sum(pair is not None for pair in pairs)} of 20 of {architecture}")
    if first is None:
        raise InternalError("Networks without biases need joined pairs but have none. Please report this.")
    description = f"networks with an adjacent pair that differs in more neurons: {', '.join(counts)}"
    return found(ZERO_BIAS, Outcome.FALSE, first, description)


def _examine_joined(adjacency: HammingAdjacency) -> Examined:
    pairs = adjacency.joined
    wrong = adjacency.prove_joined(*pairs[0].tolist()).evidence if len(pairs) else None
    return Examined(len(adjacency.adjacent), wrong)


def _last(subject: Subject | None) -> Verdict:
    """Proof: the two patterns cut out one convex set C with the rows that they share; the neuron's row cuts C in two.

    Rows of the last layer do not depend on each other. C has points on both sides of the hyperplane, in its interior
    where both regions have interior points, so that C meets it in a set of dimension ``dim - 1``: the common facet.
    """
    if subject is not None:
        return _on(subject, LAST, "pairs that differ in the last layer", _examine_last)
    evidence = _over("pairs that differ in the last layer", _examine_last, sample_network, range(98))
    return proved(LAST, [evidence], f"proof by convexity; {n_cases(evidence)} pairs of 98 networks recomputed")


def _examine_last(adjacency: HammingAdjacency) -> Examined:
    network = adjacency.tessellation.network
    last = network.n_neurons - network.pattern_widths[-1] if network.pattern_widths else 0

    def count(pairs: np.ndarray) -> list[tuple[int, int]]:
        return [(a, b) for a, b in pairs.tolist() if adjacency.flipped(a, b)[0] >= last]

    wrong = count(adjacency.apart)
    return Examined(len(count(adjacency.hamming1)), adjacency.prove_apart(*wrong[0]).evidence if wrong else None)


def _shallow(subject: Subject | None) -> Verdict:
    """The only hidden layer is the last one: 003-last."""
    if subject is not None:
        _check_depth(subject, "003-shallow", 1)
        return _on(subject, SHALLOW, "pairs at Hamming distance 1", _examine_apart)
    evidence = _over("pairs at Hamming distance 1", _examine_apart, _shallow_network, range(56))
    description = f"follows from 003-last; {n_cases(evidence)} pairs of 56 arrangements recomputed"
    return proved(SHALLOW, [evidence], description)


def _shallow_network(seed: int) -> Network:
    """Return every second network degenerate."""
    architecture = ((1, 5), (2, 4), (2, 5), (3, 4))[seed % 4]
    return structured_network(architecture, STRUCTURES[seed // 4 % len(STRUCTURES)], seed)


def _examine_apart(adjacency: HammingAdjacency) -> Examined:
    pairs = adjacency.apart
    return Examined(len(adjacency.hamming1), adjacency.prove_apart(*pairs[0].tolist()).evidence if len(pairs) else None)


def _shallow_both(subject: Subject | None) -> Verdict:
    """Proof: at a general point of a hyperplane, which is on a facet, the neurons that have it flip, and no others."""
    if subject is not None:
        _check_depth(subject, "003-shallow-both", 1)
        return _on(subject, SHALLOW_BOTH, "adjacent pairs", _examine_distinct)
    evidence = _over("adjacent pairs", _examine_distinct, _shallow_network, range(56))
    description = f"proof at general points; {n_cases(evidence)} pairs of 56 arrangements recomputed"
    return proved(SHALLOW_BOTH, [evidence], description)


def _examine_distinct(adjacency: HammingAdjacency) -> Examined:
    """Compare whether a pair is joined with whether two rows are multiples; a domain can hide their hyperplane."""
    network, domain = adjacency.tessellation.network, adjacency.tessellation.domain
    is_distinct, is_joined = _has_distinct_hyperplanes(network), bool(len(adjacency.joined))
    if is_distinct != is_joined or (not is_distinct and domain.rows):
        return Examined(len(adjacency.adjacent), None)
    return Examined(0, Computation("distinct hyperplanes", _has_distinct_hyperplanes, (network,), is_distinct))


def _has_distinct_hyperplanes(network: Network) -> bool:
    rows = [row for row in _rows(network, network.pattern([0] * network.n_neurons)) if any(row[:-1])]
    return len({max(row, tuple(-value for value in row)) for row in rows}) == len(rows)


def _walk(subject: Subject | None) -> Verdict:
    """Proof: a segment between general points of two regions crosses each hyperplane that parts them once, one by one.

    It crosses no other, and each crossing is a facet; fewer steps flip fewer neurons.
    """
    if subject is not None:
        _check_depth(subject, "003-walk", 1)
        return _on(subject, WALK, "pairs of regions", _examine_isometry)
    evidence = _over("pairs of regions", _examine_isometry, _distinct_network, range(40))
    twice = Network.from_arrays([([[1], [2]], [0, 0]), ([[1, 1]], [0])])
    other = Computation("two neurons with one border: walking minus Hamming distance", _excess, (twice, None), {-1: 1})
    description = f"proof by a segment; {n_cases(evidence)} pairs of 40 arrangements recomputed; false for (x, 2 x)"
    return proved(WALK, [evidence], description, ("no two neurons define the same hyperplane",), [other])


def _distinct_network(seed: int) -> Network:
    return integer_network(((1, 6), (2, 5), (3, 4), (2, 6))[seed % 4], (seed, 5))


def _examine_isometry(adjacency: HammingAdjacency) -> Examined:
    return _examine_walks(adjacency, lambda excess: excess == 0)


def _examine_walks(adjacency: HammingAdjacency, holds: Callable[[int], bool]) -> Examined:
    t = adjacency.tessellation
    distances = walking_distances(t)
    if all(holds(excess) for excess in distances.excess):
        return Examined(distances.n_pairs, None)
    wrong = Computation("walking minus Hamming distances", _excess, (t.network, t.domain), distances.excess)
    return Examined(distances.n_pairs, wrong)


def _excess(network: Network, domain: Domain | None) -> dict[int, int]:
    return walking_distances(hamming_adjacency(network, domain).tessellation).excess


def _narrow(subject: Subject | None) -> Verdict:
    """Proof: let the first layer be coordinates u (its rows are independent), and let neuron j of it flip.

    On the region with u_j < 0 the second layer's rows depend on the active coordinates other than u_j, and are
    strict in its interior: none vanishes identically, as its bias is not 0. Take such a point and set u_j = 0: the
    rows of the other pattern have the same values there, so they are strict as well, and both regions touch it. Pairs
    that differ in the last layer are adjacent by 003-last.
    """
    if subject is not None:
        _check_depth(subject, "003-narrow", 2)
        return _on(subject, NARROW, "pairs at Hamming distance 1", _examine_apart)
    evidence = _over("pairs at Hamming distance 1", _examine_apart, _narrow_network, range(60))
    others = [each for each in map(apart_pair, map(_network, ([2, 3, 3], [2, 2, 2, 2]))) if each is not None]
    hypotheses = "the rows of the first layer's weight are linearly independent", "no bias of the second layer is 0"
    description = (
        f"proof in the code; {n_cases(evidence)} pairs of 60 networks recomputed; counterexamples with dependent rows, "
        "and with independent rows but three hidden layers"
    )
    return proved(NARROW, [evidence], description, hypotheses, others)


def _narrow_network(seed: int) -> Network:
    """Return a network of two hidden layers whose first weight has independent rows."""
    architecture = ((2, 2, 2), (2, 2, 5), (3, 3, 3), (3, 2, 5), (2, 1, 4))[seed % 5]
    candidates = (integer_network(architecture, (seed, i), 3 if seed % 2 else 1000) for i in range(100))
    return next(each for each in candidates if rank(each.hidden[0].weight.astype(int).tolist()) == architecture[1])


def _network(architecture: Sequence[int]) -> Network:
    """Return the first random network with a pair that is apart."""
    candidates = (integer_network(architecture, (4, i)) for i in range(200))
    return next(each for each in candidates if apart_pair(each) is not None)


def _flip(subject: Subject | None) -> Verdict:
    """The proof is in `is_flip_adjacent`. Word for word the statement is false: ``relu(-relu(x))``."""
    if subject is not None:
        return _on(subject, FLIP, "pairs at Hamming distance 1, from either side", _examine_flip)
    evidence = _over("pairs at Hamming distance 1, from either side", _examine_flip, sample_network, range(98))
    touching = Network.from_arrays([([[1]], [0]), ([[-1]], [0]), ([[1]], [0])])
    on, off = Pattern.parse("1|0"), Pattern.parse("0|0")
    adjacent = PairAdjacent(touching, on, off, None, (Fraction(0),))
    rows = Computation("rows of the pattern 1|0", _rows, (touching, on), [(1, 0), (1, 0)])
    points = (Fraction(1),), (Fraction(-1),)
    literal = Counterexample(touching, points, (on, off), (adjacent, rows))
    description = (
        f"proof in `is_flip_adjacent`; {n_cases(evidence)} flips of 98 networks recomputed. Word for word it is false: "
        "in relu(-relu(x)) the regions x > 0 and x < 0 are adjacent and differ in the first neuron, but on x > 0 both "
        "rows are x"
    )
    hypotheses = ("rows that are multiples of the neuron's own are not among the others",)
    return proved(FLIP, [evidence], description, hypotheses, [literal])


def _rows(network: Network, pattern: Pattern) -> list[tuple[int, ...]]:
    return [row.row for row in pattern_rows(network, pattern, None)]


def _examine_flip(adjacency: HammingAdjacency) -> Examined:
    t = adjacency.tessellation
    adjacent = {(a, b) for a, b in adjacency.adjacent.tolist()}
    for a, b in adjacency.hamming1.tolist():
        [neuron] = adjacency.flipped(a, b)
        for index in (a, b):
            says = is_flip_adjacent(t.network, t.pattern(index), neuron, t.domain)
            if says != ((a, b) in adjacent):
                arguments = t.network, t.pattern(index), neuron, t.domain
                return Examined(0, Computation("whether a flip crosses a facet", is_flip_adjacent, arguments, says))
    return Examined(2 * len(adjacency.hamming1), None)


def _deep_walk(subject: Subject | None) -> Verdict:
    """Proof: where every facet flips one neuron, a walk of n steps flips at most n neurons."""
    if subject is not None:
        return _on(subject, DEEP_WALK, "pairs of regions", _examine_longer)
    evidence = _over("pairs of regions", _examine_longer, _generic_deep, range(45))
    shares, longest = [], 0
    for architecture in ((2, 3, 3), (2, 4, 4), (2, 3, 3, 3)):
        excesses = [_excess(integer_network(architecture, (11, i)), None) for i in range(20)]
        total = sum(sum(excess.values()) for excess in excesses)
        longer = sum(count for excess in excesses for more, count in excess.items() if more > 0)
        longest = max(longest, *(max(excess) for excess in excesses))
        shares.append(f"{100 * longer / total:.1f} % of the pairs of {architecture}")
    description = (
        f"proof by counting flips; {n_cases(evidence)} pairs of 45 networks recomputed. It is larger for "
        f"{', '.join(shares)}, by up to {longest}. Word for word it is false where a facet flips two neurons"
    )
    twice = Network.from_arrays([([[1], [2]], [0, 0]), ([[1, 1]], [0])])
    other = Computation("two neurons with one border: walking minus Hamming distance", _excess, (twice, None), {-1: 1})
    hypotheses = ("exactly one neuron vanishes on each facet, as for almost all parameters",)
    return proved(DEEP_WALK, [evidence], description, hypotheses, [other])


def _generic_deep(seed: int) -> Network:
    candidates = (generic_network(seed + 1000 * i) for i in range(20))
    return next(each for each in candidates if is_generic(hamming_adjacency(each).tessellation))


def _examine_longer(adjacency: HammingAdjacency) -> Examined:
    return _examine_walks(adjacency, lambda excess: excess >= 0)


# Examining ----------------------------------------------------------------------------------------------------


def _over(what: str, examine: Examine, network_of: Callable[[int], Network], seeds: range) -> Search | Evidence:
    """Return the search through the networks of some seeds."""
    return search(f"{what} of {len(seeds)} networks", partial(_examine_seed, examine, network_of), seeds, sample=5)


def _examine_seed(examine: Examine, network_of: Callable[[int], Network], seed: int) -> Examined:
    return examine(hamming_adjacency(network_of(seed)))


def _on(subject: Subject, statement: str, what: str, examine: Examine) -> Verdict:
    """Return the verdict on one network: its counterexample, or the number of cases, which can be counted again."""
    result = examine(hamming_adjacency(subject.network, subject.domain))
    if result.counterexample is not None:
        return found(statement, Outcome.FALSE, result.counterexample, f"one of the {what} of this network")
    fact = Computation(f"{what}, without exception", _count, (examine, subject.network, subject.domain), result.n_cases)
    return found(statement, Outcome.TRUE, fact, f"all {result.n_cases} {what} of this network")


def _count(examine: Examine, network: Network, domain: Domain) -> int | None:
    """Return the number of cases; None if one of them is a counterexample."""
    result = examine(hamming_adjacency(network, domain))
    return None if result.counterexample is not None else result.n_cases


def _check_depth(subject: Subject, claim: str, depth: int) -> None:
    if len(subject.network.hidden) != depth:
        raise InputError(
            f"Claim {claim} needs a network with {depth} hidden layers but received one with "
            f"{len(subject.network.hidden)}. Give another network."
        )


def _claim(name: str, place: str, statement: str, expected: Outcome, decide: Callable[..., Verdict]) -> Claim:
    return Claim(f"003-{name}", PAPER, f"about Lemma 1: {place}", statement, expected, decide)


TRUE_CLAIMS = (
    _claim("flipped", "correct statement 1", FLIPPED, Outcome.TRUE, _flipped),
    _claim("zero-bias", "correct statement 1, its limits", ZERO_BIAS, Outcome.FALSE, _zero_bias),
    _claim("last", "correct statement 2", LAST, Outcome.TRUE, _last),
    _claim("shallow", "correct statement 3", SHALLOW, Outcome.TRUE, _shallow),
    _claim("shallow-both", "correct statement 3", SHALLOW_BOTH, Outcome.TRUE, _shallow_both),
    _claim("walk", "correct statement 3, isometry", WALK, Outcome.TRUE_UNDER, _walk),
    _claim("narrow", "correct statement 4", NARROW, Outcome.TRUE_UNDER, _narrow),
    _claim("flip", "correct statement 5", FLIP, Outcome.TRUE_UNDER, _flip),
    _claim("deep-walk", "correct statement 6", DEEP_WALK, Outcome.TRUE_UNDER, _deep_walk),
)
