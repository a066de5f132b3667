"""What is claimed of expected numbers of regions, and of their maps: Theorems 5 and 10 and Lemma 8 of the paper."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import isqrt

import numpy as np

from polyrelu.analysis.answers import decide_adjacent
from polyrelu.analysis.bounds import hanin_rolnick_bound, hanin_rolnick_density
from polyrelu.analysis.claims.evidence import Computation, Counterexample, Examined, search
from polyrelu.analysis.claims.few_patterns_deciding import PAPER, decide_by_counting, decide_for, searched
from polyrelu.analysis.claims.few_patterns_networks import drawn_network
from polyrelu.analysis.claims.few_patterns_partial import generic
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.subjects import refuse
from polyrelu.analysis.growth import count_by_neurons
from polyrelu.certificate.answers import MapsEqual, affine_map
from polyrelu.certificate.verdict import Verdict
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.model import Tessellation

__all__ = ["CLAIMS"]


# Theorems 5 and 10: expected numbers --------------------------------------------------------------------------

DRAWS = 8
CUBES = ((1, (6,), 2), (1, (4, 4), 1), (2, (6,), 1), (2, (4, 4), 2), (2, (3, 3, 3), 2))
"""Inputs, widths and the side of the cube."""


def means_and_bounds(seed: int) -> tuple[tuple[Fraction, Fraction], ...]:
    """Return, for k = 0, …, dim, the mean number of k-partial regions in a cube, and the bound from the proof.

    The weights are drawn once, normal; then only the biases are random, uniform on [-1, 1]: their density is 1/2. No
    gradient of a neuron is longer than the product of the Frobenius norms of the weights up to it.
    """
    dim, widths, side = CUBES[seed % len(CUBES)]
    random = np.random.default_rng([seed, 11])
    weights = [random.standard_normal((n, n_in)) * np.sqrt(2 / n_in) for n_in, n in pairwise([dim, *widths, 1])]
    squares = [sum(Fraction(w) ** 2 for w in weight.ravel().tolist()) for weight in weights[:-1]]
    longest, product = Fraction(0), Fraction(1)
    for square in squares:
        product *= square
        longest = max(longest, product)
    gradient = Fraction(isqrt(int(longest * 10**6) + 1) + 1, 1000)  # rounded up
    totals = [0] * (dim + 1)
    for _ in range(DRAWS):
        biases = [random.uniform(-1, 1, n) for n in (*widths, 1)]
        network = Network.from_arrays(list(zip(weights, biases, strict=True)))
        t = tessellate(network, Domain.box([0] * dim, [side] * dim))
        totals = [total + t.count_partial_regions(k) for k, total in enumerate(totals)]
    bounds = [hanin_rolnick_bound(sum(widths), dim, side, gradient, "1/2", k) for k in range(dim + 1)]
    return tuple((Fraction(total, DRAWS), bound) for total, bound in zip(totals, bounds, strict=True))


REGIONS = "If the gradients' moments and the biases' densities are bounded there is a constant T, depending on these \
bounds alone, such that for cubes that are not too small the expected number of activation regions per volume is at \
most (T neurons)^n / n!."
PARTIALS = "The same holds for k-partial activation regions, with C(n, k) / 2^k times this number."


def _decide_theorem(statement: str, partial: bool) -> Verdict:
    """Compare means with the explicit bound that the proof gives, whose constants are known here."""

    def examine(seed: int) -> Examined:
        pairs = means_and_bounds(seed)
        chosen = pairs[1:] if partial else pairs[:1]
        is_over = any(mean > bound for mean, bound in chosen)
        evidence = Computation("means and bounds", means_and_bounds, (seed,), pairs)
        return Examined(len(chosen), evidence if is_over else None)

    what = (
        f"means of {DRAWS} draws of uniform biases, for weights that are drawn once, compared with the explicit bound "
        "of the proof; T itself is only said to exist"
    )
    return searched(statement, what, search(what, examine, range(20)))


def decide_regions(subject: Subject | None) -> Verdict:
    """Decide Theorem 5."""
    refuse(subject, "002-theorem-5", "means over random networks")
    return _decide_theorem(REGIONS, False)


def decide_partials(subject: Subject | None) -> Verdict:
    """Decide Theorem 10."""
    refuse(subject, "002-theorem-10", "means over random networks")
    return _decide_theorem(PARTIALS, True)


def least_density(n_neurons: int, dim: int, side: Fraction, constant: Fraction) -> tuple[Fraction, Fraction]:
    """Return the density of one region in a cube, and the bound of eq. (5) for a constant T."""
    return 1 / side**dim, hanin_rolnick_density(n_neurons, dim, constant)


SMALL_CUBES = "The bound of Theorem 5 holds for cubes of every size."


def decide_small_cubes(subject: Subject | None) -> Verdict:
    """Decide whether the least side is needed: a cube meets a region at least, so that small ones have large densities.

    For every T a side below ``1 / (T neurons)`` will do, since ``1 / side^n > (T neurons)^n / n!``.
    """
    refuse(subject, "002-theorem-5-small", "means over random networks")
    network, facts, texts = drawn_network(0, 2, (3, 3)), [], []
    origin = (Fraction(0), Fraction(0))
    for constant in map(Fraction, (1, 10, 1000)):
        side = 1 / (constant * network.n_neurons + 1)
        arguments = (network.n_neurons, network.dim, side, constant)
        density, bound = least_density(*arguments)
        assert density > bound
        facts.append(Computation("density of one region, and the bound", least_density, arguments, (density, bound)))
        texts.append(f"T = {constant}, side {side}: at least {density} against {bound}")
    evidence = Counterexample(network, (origin,), (network.exact.pattern_at(origin),), tuple(facts))
    text = f"6 neurons, regions per area: {'; '.join(texts)}; for other T choose other sides"
    return found(SMALL_CUBES, Outcome.FALSE, evidence, text, ("the side is at least some delta_0 > 0",))


# Section 3.3: depth at initialisation --------------------------------------------------------------------------


def means_by_depth(seed: int) -> tuple[Fraction, ...]:
    """Return the mean numbers of regions of 6 networks with 24 neurons, over 24^2 / 2, for 1, 2 and 3 hidden layers."""
    return tuple(row.ratio for row in count_by_neurons(2, (1, 2, 3), [24], n_networks=6, seed=1000 * seed))


DEPTH = "At initialisation networks with as many neurons have about as many activation regions on average, whatever \
their depth."


def decide_depth(subject: Subject | None) -> Verdict:
    """Decide the heuristic of Section 3.3: "about" is taken as within a factor of two of neurons^2 / 2!."""
    refuse(subject, "002-section-3-3", "means over random networks")

    def examine(seed: int) -> Examined:
        ratios = means_by_depth(seed)
        is_off = any(not Fraction(1, 2) < ratio < 2 for ratio in ratios)
        return Examined(len(ratios), Computation("ratios", means_by_depth, (seed,), ratios) if is_off else None)

    what = "means of 6 networks with 2 inputs and 24 neurons in 1, 2, 3 layers, within a factor of two of 24^2 / 2"
    return searched(DEPTH, what, search(what, examine, range(15)))


# Lemma 8: regions are told apart by their gradients -----------------------------------------------------------


def equal_gradients(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many regions have a neuron on in every layer, and how many have the gradient of an earlier one."""
    t = tessellate(network, domain)
    patterns = (t.pattern(i) for i in range(t.n_regions))
    alive = [pattern for pattern in patterns if all(map(any, pattern.layers))]
    gradients = {tuple(tuple(row[:-1]) for row in affine_map(network, pattern).to_fractions()) for pattern in alive}
    return len(alive), len(alive) - len(gradients)


def joined_regions(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many regions there are, and how many more they are than linear regions."""
    t = tessellate(network, domain)
    return t.n_regions, t.n_regions - t.n_linear_regions


DISTINCT = "For almost every parameter vector the gradient differs on any two regions that both have a neuron on in \
every layer."
ALL_DISTINCT = "For almost every parameter vector neighbouring activation regions belong to different linear regions."


def decide_all_distinct(subject: Subject | None) -> Verdict:
    """Decide what the text behind Lemma 8 suggests, by searching drawn networks with widths 4, 4.

    Where the last layer is off on both of two neighbours the network is constant there, whatever the weights are, and
    the rows that keep a point of their common facet inside are strict: they stay so under small changes of everything.
    """
    if subject is not None:
        return decide_for(subject, "002-lemma-8-all", ALL_DISTINCT, joined_regions, "regions, less the linear regions")
    numbers, evidence = [], None
    for seed in range(40):
        t = tessellate(drawn_network(seed, 2, (4, 4)))
        numbers.append((t.n_regions, t.n_linear_regions))
        evidence = evidence or _joined_where_dead(t)
    assert evidence is not None
    fewer = sum(linear < regions for regions, linear in numbers)
    regions, linear = (sum(each) for each in zip(*numbers, strict=True))
    text = (
        f"the last layer is off on the neighbours {evidence.patterns[0]} and {evidence.patterns[1]}, whose maps are "
        f"equal, and on all networks nearby. {fewer} of {len(numbers)} drawn networks with 2 inputs and widths 4, 4 "
        f"have fewer linear regions than regions: {linear} against {regions} in all"
    )
    return found(ALL_DISTINCT, Outcome.FALSE, evidence, text, ("true where no layer is off",))


def _joined_where_dead(t: Tessellation) -> Counterexample | None:
    """Return two neighbours on which the last layer is off, with the proof, and that their maps are equal."""
    for a, b in t.adjacent_pairs.tolist():
        p, q = t.pattern(a), t.pattern(b)
        if not any(p.layers[-1]) and not any(q.layers[-1]):
            adjacent = decide_adjacent(t.network, p, q).evidence
            assert adjacent is not None
            facts = adjacent, MapsEqual(t.network, p, q)
            return Counterexample(t.network, (t.witness(a), t.witness(b)), (p, q), facts)
    return None


CLAIMS = (
    Claim("002-theorem-5", PAPER, "Theorem 5, eq. (5)", REGIONS, Outcome.NOT_REFUTED, decide_regions),
    Claim("002-theorem-5-small", PAPER, "Theorem 5, without delta_0", SMALL_CUBES, Outcome.FALSE, decide_small_cubes),
    Claim("002-section-3-3", PAPER, "Section 3.3, Figure 3", DEPTH, Outcome.NOT_REFUTED, decide_depth),
    Claim(
        "002-lemma-8", PAPER, "Lemma 8", DISTINCT, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-lemma-8", DISTINCT, equal_gradients, generic, range(60), "60 drawn networks",
            "regions with a neuron on in every layer, whose gradients are compared",
        ),
    ),
    Claim("002-lemma-8-all", PAPER, "Section 2.1 and Appendix B.4", ALL_DISTINCT, Outcome.FALSE, decide_all_distinct),
    Claim("002-theorem-10", PAPER, "Theorem 10, eq. (9)", PARTIALS, Outcome.NOT_REFUTED, decide_partials),
)  # fmt: skip
