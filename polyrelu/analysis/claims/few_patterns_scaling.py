"""What is claimed of larger, smaller and zero biases: Section 4.2 and Appendix D of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from polyrelu.analysis.claims.evidence import AllOf
from polyrelu.analysis.claims.few_patterns_bends import text_of
from polyrelu.analysis.claims.few_patterns_deciding import PAPER, Counting, decide_by_counting, first_exception
from polyrelu.analysis.claims.few_patterns_networks import RegionNumber, prove_region_number, small_networks
from polyrelu.analysis.claims.few_patterns_regions import both_kinds
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.subjects import refuse
from polyrelu.analysis.scaling import scale_biases, scale_weights, zero_biases
from polyrelu.certificate.answer_rows import require
from polyrelu.certificate.verdict import Verdict
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import primitive_row
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.model import Tessellation

__all__ = ["CLAIMS"]

FACTORS = (Fraction(1, 4), Fraction(1, 2), Fraction(2), Fraction(8))


def scaled_domain(domain: Domain, factor: Fraction) -> Domain:
    """Return a domain times a positive factor."""
    rows = tuple(primitive_row([*map(Fraction, row[:-1]), factor * row[-1]]) for row in domain.rows)
    return Domain(domain.dim, rows, domain.label)


def neighbours(t: Tessellation) -> tuple[set[str], set[frozenset[str]]]:
    """Return all patterns, and the pairs of those that are adjacent."""
    texts = t.pattern_texts()
    return set(texts), {frozenset((texts[a], texts[b])) for a, b in t.adjacent_pairs.tolist()}


# Lemma 6 and the remark behind it -----------------------------------------------------------------------------


def changed_by_biases(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many factors were tried, and for how many of them patterns or adjacent pairs changed."""
    before = neighbours(tessellate(network, domain))
    changes = [
        neighbours(tessellate(scale_biases(network, c), scaled_domain(domain, c))) != before for c in FACTORS
    ]  # fmt: skip
    return len(changes), sum(changes)


def changed_by_weights(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many factors were tried, and for how many of them weights and biases gave another network.

    Weights times c, against the output times c^depth and the biases of layer i over c^i: patterns, adjacent pairs, and
    the values at a point of each region.
    """
    depth, wrong = len(network.layers), 0
    for c in FACTORS:
        weights = scale_weights(network, c)
        biases = scale_biases(network, [1 / c**i for i in range(1, depth + 1)])
        ours, theirs = tessellate(weights, domain), tessellate(biases, domain)
        points = [ours.witness(i) for i in range(ours.n_regions)]
        values = all(weights.exact(x) == tuple(c**depth * y for y in biases.exact(x)) for x in points)
        wrong += neighbours(ours) != neighbours(theirs) or not values
    return len(FACTORS), wrong


BIASES = "All biases times one constant c > 0 leave the number of activation regions over all inputs as it is."
ANY_SIGN = "The same holds for every constant c, also for c <= 0."
WEIGHTS = "All weights times c > 0 give c^depth times the network whose biases of layer i are divided by c^i: \
activation regions are the same."


@dataclass(frozen=True, slots=True, eq=False)
class ScalingChangesNumber:
    """A network and the one with all biases times a factor have different numbers of regions.

    Attributes
    ----------
    before, after : RegionNumber
    factor : Fraction
    """

    before: RegionNumber
    after: RegionNumber
    factor: Fraction

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        scaled = scale_biases(self.before.network, self.factor)
        require(scaled.hash == self.after.network.hash, "the network with scaled biases")
        self.before.check()
        self.after.check()
        require(self.before.number != self.after.number, "two numbers of regions")


def decide_any_sign(subject: Subject | None) -> Verdict:
    """Decide the extension of Lemma 6 to other constants, by searching the smallest networks."""
    refuse(subject, "002-lemma-6-sign", "constants that the lemma excludes")
    zero = first_exception(small_networks(1, [2]), Domain.all(1), _other_number(Fraction(0)))
    negative = first_exception(small_networks(1, [2, 1]), Domain.all(1), _other_number(Fraction(-1)))
    parts = [
        ScalingChangesNumber(prove_region_number(n), prove_region_number(scale_biases(n, c)), c)
        for n, c in ((zero, Fraction(0)), (negative, Fraction(-1)))
    ]
    changes = [f"with c = {p.factor} {p.before.number} regions become {p.after.number}" for p in parts]
    text = f"{text_of(zero)}: {changes[0]}; a network with widths 2, 1: {changes[1]}"
    return found(ANY_SIGN, Outcome.FALSE, AllOf(tuple(parts)), text, ("c > 0 is needed",))


def _other_number(factor: Fraction) -> Counting:
    def count(network: Network, domain: Domain) -> tuple[int, int]:
        scaled = scale_biases(network, factor)
        return 1, int(tessellate(network, domain).n_regions != tessellate(scaled, domain).n_regions)

    return count


# Zero biases --------------------------------------------------------------------------------------------------


def no_cones(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many regions the network without its biases has, and how many are no cones or do not scale.

    A point inside times 3, and times 1/5, must have the same pattern and 3 times, 1/5 times the outputs.
    """
    zero = zero_biases(network)
    t, wrong = tessellate(zero), 0
    for i, is_bounded in enumerate(t.bounded.tolist()):
        x, pattern = t.witness(i), t.pattern(i)
        scaled = [(c, [c * v for v in x]) for c in (Fraction(3), Fraction(1, 5))]
        same = all(zero.exact.pattern_at(y) == pattern for _, y in scaled)
        values = all(zero.exact(y) == tuple(c * v for v in zero.exact(x)) for c, y in scaled)
        wrong += is_bounded or not same or not values
    return t.n_regions, wrong


def more_without_biases(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many comparisons were made, and how many contradict Proposition 14.

    Strict regions of the network without biases must be strict regions of the network, by their patterns, and regions
    where a neuron that is 0 counts as off must not be more.
    """
    zero, ours = tessellate(zero_biases(network)), tessellate(network)
    strict = [{s for s, flag in zip(t.pattern_texts(), t.is_strict, strict=True) if flag} for t in (zero, ours)]
    return len(strict[0]) + 1, len(strict[0] - strict[1]) + (zero.n_regions > ours.n_regions)


CONES = "Without biases a ReLU network commutes with positive factors, and its activation regions are convex cones."
FEWER = "A network has at least as many activation regions over all inputs as the same network with all biases 0."


CLAIMS = (
    Claim(
        "002-lemma-6", PAPER, "Lemma 6", BIASES, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-lemma-6", BIASES, changed_by_biases, both_kinds, range(24), "24 drawn and degenerate networks",
            "factors from 1/4 to 8 for which patterns and adjacent pairs are compared", False,
        ),
    ),
    Claim("002-lemma-6-sign", PAPER, "Lemma 6, without c > 0", ANY_SIGN, Outcome.FALSE, decide_any_sign),
    Claim(
        "002-weight-scaling", PAPER, "Section 4.2, behind Lemma 6", WEIGHTS, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-weight-scaling", WEIGHTS, changed_by_weights, both_kinds, range(16), "16 drawn, degenerate networks",
            "factors from 1/4 to 8 for which patterns, adjacent pairs and values are compared", False,
        ),
    ),
    Claim(
        "002-lemma-15", PAPER, "Lemma 15", CONES, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-lemma-15", CONES, no_cones, both_kinds, range(40), "40 drawn and degenerate networks without biases",
            "regions of the network without its biases, at a point of each and at its multiples",
        ),
    ),
    Claim(
        "002-proposition-14", PAPER, "Proposition 14", FEWER, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-proposition-14", FEWER, more_without_biases, both_kinds, range(60), "60 drawn and degenerate networks",
            "strict regions without biases, looked up among those with biases, and one comparison of numbers",
        ),
    ),
)  # fmt: skip
