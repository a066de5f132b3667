"""What is claimed of linear regions and of bent hyperplanes: Lemmas 3 and 4 of the paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from polyrelu.analysis.answers import decide_adjacent, decide_equal_maps
from polyrelu.analysis.claims.evidence import AllOf, Counterexample
from polyrelu.analysis.claims.few_patterns_deciding import (
    PAPER,
    decide_for,
    first_exception,
)
from polyrelu.analysis.claims.few_patterns_networks import (
    VanishesOn,
    prove_region_number,
    prove_strict_number,
    small_networks,
)
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.certificate.answer_rows import pattern_rows
from polyrelu.certificate.answers import MapsDiffer, PairAdjacent, RegionExists
from polyrelu.certificate.verdict import Verdict
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.tessellation.build import tessellate

__all__ = ["CLAIMS", "text_of"]

# Lemma 3: more activation regions than linear regions ---------------------------------------------------------


def more_linear(network: Network, domain: Domain) -> tuple[int, int]:
    """Return (1, 1) if there are more linear regions than strict regions, else (1, 0)."""
    t = tessellate(network, domain)
    return 1, int(t.n_linear_regions > t.is_strict.sum())


def uncovered(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many linear regions there are, and how many of them have a part in no closure of a strict region."""
    t = tessellate(network, domain)
    return t.n_linear_regions, len(set(t.linear_regions.labels[~t.is_strict].tolist()))


MORE = "For every parameter vector there are at least as many activation regions as linear regions."
CLOSURES = "For every parameter vector each linear region's closure is the closure of a union of activation regions."
ALMOST = "It is true for almost every parameter vector, and for every one if a neuron that is 0 counts as off."


def decide_more(subject: Subject | None) -> Verdict:
    """Decide the inequality; without a subject, search the smallest networks with one input and two hidden layers."""
    if subject is not None:
        return decide_for(subject, "002-lemma-3", MORE, more_linear, "comparisons of linear with strict regions")
    network = first_exception(_with_kinks(), Domain.all(1), more_linear)
    strict = prove_strict_number(network)
    kink, points = _kink_of(network)
    text = (
        f"{text_of(network)} has {strict.number} strict region, all patterns considered, but its gradient jumps at "
        f"{kink.point[0]}: two linear regions. {ALMOST}"
    )
    evidence = Counterexample(network, points, (kink.pattern, kink.other), (strict, kink, _gradients_differ(kink)))
    return found(MORE, Outcome.FALSE, evidence, text)


def decide_closures(subject: Subject | None) -> Verdict:
    """Decide the second sentence of the lemma by the same search."""
    if subject is not None:
        return decide_for(subject, "002-lemma-3-closure", CLOSURES, uncovered, "linear regions")
    network = first_exception(_with_kinks(), Domain.all(1), uncovered)
    kink, points = _kink_of(network)
    patterns = (kink.pattern, kink.other)
    vanishing = [(p, n) for p in patterns for n in range(network.n_neurons) if _is_zero(network, p, n)]
    zero = tuple(VanishesOn(network, pattern, neuron, 0) for pattern, neuron in vanishing)
    text = (
        f"{text_of(network)} has another gradient on each side of {kink.point[0]}, but on the side with the pattern "
        f"{vanishing[0][0]} neuron {vanishing[0][1]} vanishes identically: no strict region is near. {ALMOST}"
    )
    return found(CLOSURES, Outcome.FALSE, Counterexample(network, points, patterns, (kink, *zero)), text)


def _with_kinks() -> Iterator[Network]:
    """Yield the smallest networks that are not affine."""
    return (network for network in small_networks(1, [1, 1]) if tessellate(network).n_linear_regions > 1)


def _kink_of(network: Network) -> tuple[PairAdjacent, tuple[tuple[Fraction, ...], ...]]:
    """Return a pair of neighbours with different maps, and a point of each."""
    t = tessellate(network)
    maps = t.linear_regions.maps
    a, b = next((a, b) for a, b in t.adjacent_pairs.tolist() if maps[a] != maps[b])
    pair = decide_adjacent(network, t.pattern(a), t.pattern(b)).evidence
    assert isinstance(pair, PairAdjacent)
    return pair, (t.witness(a), t.witness(b))


def _gradients_differ(pair: PairAdjacent) -> MapsDiffer:
    """Return the proof that neighbours have different maps; both are continuous, so their gradients differ too."""
    evidence = decide_equal_maps(pair.network, pair.pattern, pair.other).evidence
    assert isinstance(evidence, MapsDiffer)
    return evidence


def _is_zero(network: Network, pattern: Pattern, neuron: int) -> bool:
    return not any(pattern_rows(network, pattern, None)[neuron].row)


# Lemma 4: bent hyperplanes ------------------------------------------------------------------------------------


def odd_sections(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many pairs of a last neuron and a region of the layers before there are; how many have only zeros."""
    t = tessellate(network, domain)
    n = network.hidden[-1].n_outputs
    patterns = {t.pattern(i).layers[:-1]: t.pattern(i) for i in range(t.n_regions)}
    last = range(network.n_neurons - n, network.n_neurons)
    return len(patterns) * n, sum(_is_zero(network, pattern, k) for pattern in patterns.values() for k in last)


BENDS = "Inside each region of the layers before, the bent hyperplane of a neuron is one hyperplane's, for almost \
every parameter vector."
SECTION = "read: it is empty or the section of one hyperplane"


def decide_bends(subject: Subject | None) -> Verdict:
    """Decide the lemma: two examples for what its wording leaves out, and a proof of the corrected one.

    Where the layers before have one pattern, the neuron's preactivation is an affine function a · x + c. If a is not 0,
    its zero set is a hyperplane, which may miss the region. If a is 0 the set is empty or, for the one bias that makes
    c zero, everything: for each pattern one value of the bias, so that almost every parameter vector avoids them all.
    """
    if subject is not None:
        return decide_for(subject, "002-lemma-4", BENDS, odd_sections, "last neurons on regions of the layers before")
    networks = list(small_networks(1, [1, 1]))
    never = next(VanishesOn(n, p, 1, 1) for n in networks for p in _cell_patterns(n) if _sign_on(n, p) == 1)
    always = next(VanishesOn(n, p, 1, 0) for n in networks for p in _cell_patterns(n) if _sign_on(n, p) == 0)
    text = (
        f"a neuron that vanishes nowhere on a region: {text_of(never.network)} on {never.pattern}; one that "
        f"vanishes on all of it: {text_of(always.network)} on {always.pattern}. "
        "The corrected statement has a short proof"
    )
    hypotheses = (SECTION, "almost every parameter vector: biases behind the first layer avoid finitely many values")
    return found(BENDS, Outcome.TRUE_UNDER, AllOf((never, always)), text, hypotheses)


def _cell_patterns(network: Network) -> list[Pattern]:
    return [part.pattern for part in prove_region_number(network).parts if isinstance(part, RegionExists)]


def _sign_on(network: Network, pattern: Pattern) -> int | None:
    """Return the sign of the second neuron where it is constant, None if it is not or the first one is too."""
    first, second = (row.row for row in pattern_rows(network, pattern, None))
    if not first[0] or second[0] or not network.hidden[1].weight.any():
        return None
    value = second[-1] if pattern.digits[1] else -second[-1]
    return (value > 0) - (value < 0)


def text_of(network: Network) -> str:
    """Return a network with one neuron a layer, or one hidden layer, as a formula.

    Examples
    --------
    >>> text_of(Network.from_arrays([([[1]], [0]), ([[1]], [0]), ([[1]], [0])]))
    'relu(relu(x))'
    >>> text_of(Network.from_arrays([([[1], [-2]], [0, 3]), ([[1, 1]], [0])]))
    'relu(x), relu(-2 x + 3)'
    """
    names = ["x"] if network.dim == 1 else [f"x{i + 1}" for i in range(network.dim)]
    for layer in network.hidden:
        rows = zip(np.asarray(layer.weight).tolist(), layer.bias.tolist(), strict=True)
        names = [f"relu({_affine(row, bias, names)})" for row, bias in rows]
    return ", ".join(names)


def _affine(weights: Sequence[float], bias: float, names: Sequence[str]) -> str:
    terms = [(weight, name) for weight, name in zip(weights, names, strict=True) if weight]
    terms += [(bias, "")] if bias or not terms else []
    parts = []
    for i, (value, name) in enumerate(terms):
        size = f"{abs(value):g}"
        number = name if name and size == "1" else f"{size} {name}".strip()
        sign = "-" if value < 0 else "+"
        parts.append(f"{sign} {number}" if i else f"{'-' if value < 0 else ''}{number}")
    return " ".join(parts)


CLAIMS = (
    Claim("002-lemma-3", PAPER, "Lemma 3, first sentence", MORE, Outcome.FALSE, decide_more),
    Claim("002-lemma-3-closure", PAPER, "Lemma 3, second sentence", CLOSURES, Outcome.FALSE, decide_closures),
    Claim("002-lemma-4", PAPER, "Lemma 4", BENDS, Outcome.TRUE_UNDER, decide_bends),
)
