"""Claims that stand between the papers: where their conventions, counts or a box quietly mean something else.

What goes wrong with floats is in `cross_paper_floats.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from polyrelu.analysis.claims.cross_paper_floats import CLAIMS as FLOAT_CLAIMS
from polyrelu.analysis.claims.cross_paper_floats import PAPER
from polyrelu.analysis.claims.evidence import (
    AllOf,
    Computation,
    Counterexample,
    Examined,
    Exhaustive,
    HasPattern,
    search,
)
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import n_cases, proved
from polyrelu.analysis.claims.sample_networks import folding_network, random_network, zero_bias_network
from polyrelu.analysis.claims.subjects import refuse, tessellated_subject
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Layer, Network
from polyrelu.network.pattern import Pattern

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["CLAIMS"]

STRICTNESS = "whether a neuron at 0 counts as on (001), off (000, 003) or neither (002) matters on null sets only"
THREE_NUMBERS = "regions, connected linear regions and distinct affine maps are equally many"
CLOSED = "a linear region is a largest connected set on which the network is linear, and this makes regions disjoint"
MONTUFAR = "the construction of Montufar et al. 2014 has as many linear regions of its output as regions"
BOX = "regions whose patterns differ in one neuron, and which share a facet, share one in every box that both meet"
BOX_DEPTH_1 = "with one hidden layer, regions at Hamming distance 1 share a facet in every convex domain that both meet"
SMALL = 5000


def _strictness(subject: Subject | None) -> Verdict:
    """Proof: where a preactivation is affine and not 0 everywhere on a region, it vanishes on a hyperplane at most."""
    from polyrelu.tessellation.build import tessellate

    hypotheses = ("no neuron vanishes on a whole region",)
    if subject is not None:
        tessellation = tessellated_subject(subject, "x-strictness", SMALL)
        thick = np.flatnonzero(~tessellation.is_strict).tolist()
        if not thick:
            pairs = [(tessellation.network, tessellation.pattern(i)) for i in range(tessellation.n_regions)]
            facts = tuple(Computation("neurons that vanish", vanishing_neurons, pair, ()) for pair in pairs)
            description = f"no neuron vanishes on any of the {tessellation.n_regions} regions"
            return found(STRICTNESS, Outcome.TRUE, Exhaustive("regions", tessellation.n_regions, facts), description)
        evidence = _thick(tessellation, thick[0])
        return found(STRICTNESS, Outcome.FALSE, evidence, f"neurons vanish on {len(thick)} whole regions")
    tessellation = tessellate(zero_bias_network())
    thick = np.flatnonzero(~tessellation.is_strict).tolist()
    evidence = _thick(tessellation, thick[0])
    checked = search("neurons that vanish on whole regions of random networks", _examine_strictness, range(10))
    description = (
        "proof: an affine function that is not 0 everywhere vanishes on a hyperplane at most; without it: in a "
        f"network with zero biases, a neuron is 0 on the whole region {tessellation.pattern(thick[0])}"
    )
    return proved(STRICTNESS, [checked], description, hypotheses, [evidence])


def _thick(tessellation: Tessellation, region: int) -> Counterexample:
    t, pattern = tessellation, tessellation.pattern(region)
    neurons = vanishing_neurons(t.network, pattern)
    fact = Computation("neurons that vanish on the region", vanishing_neurons, (t.network, pattern), neurons)
    return Counterexample(t.network, (t.witness(region),), (pattern,), (fact,))


def vanishing_neurons(network: Network, pattern: Pattern) -> tuple[int, ...]:
    """Return the neurons whose preactivation is identically 0 where the others have their digits.

    Examples
    --------
    >>> vanishing_neurons(zero_bias_network(), Pattern.parse("001|001"))
    (3,)
    """
    rows = network.exact.preactivation_rows([digits.tolist() for digits in network.unit_digits(pattern)])[:-1]
    flat = [row for layer in rows for row in layer.to_fractions()]
    return tuple(i for i, row in enumerate(flat) if not any(row))


def _examine_strictness(seed: int) -> Examined:
    """Compare the neurons that vanish on each region, as the tessellation has them, with the rows that are 0."""
    from polyrelu.tessellation.build import tessellate

    t = tessellate(random_network(f"strict {seed}", (2, 3, 3, 1), 3))
    for i in range(t.n_regions):
        zero, pattern = tuple(t.zero_neurons(i).tolist()), t.pattern(i)
        if vanishing_neurons(t.network, pattern) != zero:
            rows = vanishing_neurons(t.network, pattern)
            return Examined(t.n_regions, Computation("vanishing", vanishing_neurons, (t.network, pattern), rows))
    return Examined(t.n_regions, None)


def _three_numbers(subject: Subject | None) -> Verdict:
    from polyrelu.tessellation.build import tessellate

    if subject is not None:
        tessellation = tessellated_subject(subject, "x-linear-regions", SMALL)
        numbers = counted(tessellation.network, tessellation.domain)
        fact = Computation("three numbers", counted, (tessellation.network, tessellation.domain), numbers)
        outcome = Outcome.TRUE if len(set(numbers)) == 1 else Outcome.FALSE
        return found(THREE_NUMBERS, outcome, fact, _numbers_text(numbers))
    for n_tried in range(1, 400):
        tessellation = tessellate(random_network(f"three numbers {n_tried}", (2, 4, 4, 1)))
        numbers = (tessellation.n_regions, tessellation.n_linear_regions, tessellation.n_affine_maps)
        if len(set(numbers)) == 3:
            return _different_numbers(tessellation, numbers, n_tried)
    raise InternalError("A random network needs three different numbers but none has them. Please report it.")


def _different_numbers(tessellation: Tessellation, numbers: tuple[int, int, int], n_tried: int) -> Verdict:
    """Return the verdict: two regions with one map in different linear regions, and all three numbers."""
    from polyrelu.analysis.answers import decide_equal_maps

    t, linear = tessellation, tessellation.linear_regions
    pairs = itertools.combinations(range(t.n_regions), 2)
    i, j = next((i, j) for i, j in pairs if linear.maps[i] == linear.maps[j] and linear.labels[i] != linear.labels[j])
    equal = decide_equal_maps(t.network, t.pattern(i), t.pattern(j)).evidence
    fact = Computation("three numbers", counted, (t.network, t.domain), numbers)
    points = (t.witness(i), t.witness(j))
    facts: list[Evidence] = [fact] if equal is None else [fact, equal]
    evidence = Counterexample(t.network, points, (t.pattern(i), t.pattern(j)), tuple(facts))
    description = (
        f"network {n_tried} of the search (2-4-4-1): {_numbers_text(numbers)}; {t.pattern(i)} and {t.pattern(j)} have "
        "one map, and no chain of facets within it connects them"
    )
    return found(THREE_NUMBERS, Outcome.FALSE, evidence, description)


def counted(network: Network, domain: Domain) -> tuple[int, int, int]:
    """Return how many regions, linear regions and affine maps there are."""
    from polyrelu.tessellation.build import tessellate

    tessellation = tessellate(network, domain)
    return tessellation.n_regions, tessellation.n_linear_regions, tessellation.n_affine_maps


def _numbers_text(numbers: tuple[int, int, int]) -> str:
    return f"{numbers[0]} regions, {numbers[1]} linear regions, {numbers[2]} affine maps"


def _closed(subject: Subject | None) -> Verdict:
    refuse(subject, "x-closed-linear-regions", "one network")
    network, zero = Network.from_arrays([([[1]], [0]), ([[1]], [0])]), (Fraction(0),)
    maps = tuple(value_of_map(network, Pattern.parse(text), zero) for text in "01")
    facts = (
        Computation("value of the map of 0", value_of_map, (network, Pattern.parse("0"), zero), network.exact(zero)[0]),
        Computation("value of the map of 1", value_of_map, (network, Pattern.parse("1"), zero), network.exact(zero)[0]),
    )
    if maps[0] != maps[1]:
        raise InternalError("Both maps of relu(x) need one value at 0 but differ. Please report it.")
    evidence = Counterexample(network, (zero,), (Pattern.parse("0"),), facts)
    description = (
        "relu(x) is affine on x <= 0 and on x >= 0, both largest and both with the point 0: closed sets of this kind "
        "overlap; linear regions are counted here as regions joined through facets"
    )
    return found(CLOSED, Outcome.FALSE, evidence, description)


def value_of_map(network: Network, pattern: Pattern, point: tuple[Fraction, ...]) -> Fraction:
    """Return the first output that the affine map of a pattern gives a point."""
    from polyrelu.certificate.answers import affine_map

    row = affine_map(network, pattern).to_fractions()[0]
    return sum((a * x for a, x in zip(row, (*point, Fraction(1)), strict=True)), Fraction(0))


def _montufar(subject: Subject | None) -> Verdict:

    refuse(subject, "x-montufar", "one family of networks")
    network, unit = folding_network(), Domain.unit(2)
    numbers = counted(network, unit)
    turned = [(counted(other, unit), other) for other in _turned(network)]
    best, other = max(turned, key=lambda pair: pair[0][1])
    facts = (
        Computation("three numbers", counted, (network, unit), numbers),
        Computation("three numbers, last layer turned", counted, (other, unit), best),
    )
    outcome = Outcome.FALSE if numbers[1] < numbers[0] == best[1] else Outcome.TRUE
    description = (
        f"{numbers[0]} regions but {numbers[1]} linear regions on the unit square, as the output is 0 on both sides of "
        f"a fold where the last layer is off; with its neurons turned round suitably both are {best[1]}"
    )
    return found(MONTUFAR, outcome, Counterexample(network, (), (), facts), description)


def _turned(network: Network) -> Iterator[Network]:
    """Yield the network with some neurons of the last hidden layer replaced by their negatives."""
    last = network.hidden[-1]
    for signs in itertools.product((1.0, -1.0), repeat=last.n_outputs):
        factor = np.array(signs)
        layer = Layer(factor[:, None] * np.asarray(last.weight), factor * last.bias, last.activation)
        yield replace(network, hidden=(*network.hidden[:-1], layer))


def _box(subject: Subject | None) -> Verdict:

    if subject is not None:
        if not subject.domain.rows:
            raise InputError("Claim x-box-adjacency needs a domain with borders but received all inputs. Give a box.")
        pair = _lost_pair(subject.network, subject.domain)
        if pair is None:
            fact = Computation("pairs that lost their facet", _lost_pair, (subject.network, subject.domain), None)
            return found(BOX, Outcome.TRUE, fact, f"no pair loses its facet in {subject.domain.label}")
        return _lost(subject.network, subject.domain, pair, "")
    domain = Domain.box([-1, -1], [1, 1])
    for n_tried in range(1, 400):
        network = random_network(f"box {n_tried}", (2, 3, 3, 1))
        pair = _lost_pair(network, domain)
        if pair is not None:
            return _lost(network, domain, pair, f"network {n_tried} of the search (2-3-3-1): ")
    raise InternalError("Some box needs to cut a facet away but none does. Please report it.")


def _lost_pair(network: Network, domain: Domain) -> tuple[Pattern, Pattern] | None:
    """Return two patterns at Hamming distance 1 that share a facet, but none in the domain, which both meet."""
    from polyrelu.analysis.answers import decide_adjacent
    from polyrelu.tessellation.build import tessellate

    t = tessellate(network, domain)
    adjacent = {tuple(pair) for pair in t.adjacent_pairs.tolist()}
    for i, j in t.hamming1_pairs.tolist():
        if (i, j) not in adjacent and decide_adjacent(network, t.pattern(i), t.pattern(j)):
            return t.pattern(i), t.pattern(j)
    return None


def _lost(network: Network, domain: Domain, pair: tuple[Pattern, Pattern], prefix: str) -> Verdict:
    from polyrelu.analysis.answers import decide_adjacent, decide_region_exists

    answers = [decide_region_exists(network, pattern, domain) for pattern in pair]
    answers += [decide_adjacent(network, *pair), decide_adjacent(network, *pair, domain)]
    if [bool(answer) for answer in answers] != [True, True, True, False]:
        raise InternalError("Two regions need a facet outside the box but have none. Please report the network.")
    proofs = tuple(answer.evidence for answer in answers if answer.evidence is not None)
    point = ", ".join(f"{float(x):.3g}" for x in answers[2].value)
    description = (
        f"{prefix}{pair[0]} and {pair[1]} share a facet around ({point}), but none in {domain.label}, though both have "
        "regions there: adjacency has to be decided in the domain that is enumerated"
    )
    return found(BOX, Outcome.FALSE, AllOf(proofs), description)


def _box_depth_1(subject: Subject | None) -> Verdict:
    """Proof: only neuron j differs, so on the segment between points inside both regions every other neuron keeps its
    sign, strictly, and the domain contains the segment. Where it crosses z_j = 0 is a point inside the domain at which
    all others are strict: around it lies a common facet."""
    refuse(subject, "x-box-depth-1", "all networks with one hidden layer")
    checked = search("random lines in random boxes", _examine_depth_1, range(15))
    description = (
        "proof: the segment between points inside both regions crosses the hyperplane of the one neuron, and no other; "
        f"15 networks in boxes, {n_cases(checked)} pairs"
    )
    return proved(BOX_DEPTH_1, [checked], description)


def _examine_depth_1(seed: int) -> Examined:
    from polyrelu.tessellation.build import tessellate

    size = Fraction(1 + seed % 4, 2)
    t = tessellate(random_network(f"depth 1 {seed}", (2, 6, 1)), Domain.box([-size, -1], [1, size]))
    adjacent = {tuple(pair) for pair in t.adjacent_pairs.tolist()}
    wrong = next(((i, j) for i, j in t.hamming1_pairs.tolist() if (i, j) not in adjacent), None)
    if wrong is None:
        return Examined(len(t.hamming1_pairs), None)
    ends = tuple(HasPattern(t.network, t.witness(k), t.pattern(k), t.domain) for k in wrong)
    return Examined(len(t.hamming1_pairs), AllOf(ends))


def _claim(
    name: str, place: str, statement: str, outcome: Outcome, decide: Callable[[Subject | None], Verdict]
) -> Claim:
    return Claim(f"x-{name}", PAPER, place, statement, outcome, decide)


CLAIMS = (
    _claim("strictness", "000, 001, 002, 003", STRICTNESS, Outcome.TRUE_UNDER, _strictness),
    _claim("linear-regions", "002, 004", THREE_NUMBERS, Outcome.FALSE, _three_numbers),
    _claim("closed-linear-regions", "004, Sec. 1", CLOSED, Outcome.FALSE, _closed),
    _claim("montufar", "Montufar et al. 2014, cited in 002", MONTUFAR, Outcome.FALSE, _montufar),
    _claim("box-adjacency", "003, Lemma 1", BOX, Outcome.FALSE, _box),
    _claim("box-depth-1", "003, Lemma 1", BOX_DEPTH_1, Outcome.TRUE, _box_depth_1),
    *FLOAT_CLAIMS,
)
