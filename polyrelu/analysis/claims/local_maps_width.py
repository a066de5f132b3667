"""Claims of paper 001 about networks of small width, and about how many regions there are."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb, prod
from typing import TYPE_CHECKING

from polyrelu.analysis.claims.evidence import (
    AllOf,
    Computation,
    Counterexample,
    Examined,
    Exhaustive,
    HasPattern,
    search,
)
from polyrelu.analysis.claims.local_maps_xor import PAPER
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import n_cases, searched
from polyrelu.analysis.claims.sample_networks import random_network
from polyrelu.analysis.claims.sign_sets import bounded_components, signed_network
from polyrelu.analysis.claims.subjects import check_dense_relu, refuse, tessellated_subject
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError, InternalError
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["CLAIMS"]

WIDTH_2 = "with two inputs and layers of width two no region is bounded"
DECISIONS = "with no layer wider than the input, every connected part of {f > 0} and of {f < 0} is unbounded"
WIDTH_3 = "with two inputs, three neurons in a layer can enclose a bounded part of {f < 0}"
GROWTH = "the number of regions grows at most exponentially with depth, polynomially with width"


def _width_2(subject: Subject | None) -> Verdict:
    from polyrelu.tessellation.build import tessellate

    if subject is not None:
        _check_everywhere(subject, "001-width-2")
        tessellation = tessellated_subject(subject, "001-width-2", 500)
        if not tessellation.bounded.any():
            return _no_bounded_region(tessellation)
        return _bounded_region(tessellation, "")
    for n_tried in range(1, 500):
        tessellation = tessellate(random_network(f"cell {n_tried}", (2, 2, 2, 1), 2))
        if _islands(tessellation):
            return _bounded_region(tessellation, f"network {n_tried} of the search: ")
    raise InternalError("A network of width two needs a bounded linear region but none has one. Please report it.")


def _islands(tessellation: Tessellation) -> list[int]:
    """Return the bounded regions whose map differs from those of all their neighbours."""
    labels = tessellation.linear_regions.labels.tolist()
    return [i for i in range(tessellation.n_regions) if tessellation.bounded[i] and labels.count(labels[i]) == 1]


def _bounded_region(tessellation: Tessellation, prefix: str) -> Verdict:
    from polyrelu.analysis.answers import decide_bounded_region, decide_equal_maps, decide_region_exists

    t = tessellation
    index = next(iter(_islands(t)), int(t.bounded.argmax()))
    pattern = t.pattern(index)
    facts = [decide(t.network, pattern).evidence for decide in (decide_region_exists, decide_bounded_region)]
    beside = [i + j - index for i, j in t.adjacent_pairs.tolist() if index in (i, j)]
    facts += [decide_equal_maps(t.network, pattern, t.pattern(i)).evidence for i in beside]
    point = t.witness(index)
    proofs = tuple(fact for fact in facts if fact is not None)
    evidence = Counterexample(t.network, (point,), (pattern,), proofs)
    alone = ", and its map differs from those of all its neighbours" if index in _islands(t) else ""
    weights = "; ".join(f"{layer.weight.tolist()} + {layer.bias.tolist()}" for layer in t.network.hidden)
    shown = f" (weights + biases {weights})".replace(".0", "") if prefix else ""
    return found(WIDTH_2, Outcome.FALSE, evidence, f"{prefix}the region {pattern} is bounded{alone}{shown}")


def _no_bounded_region(tessellation: Tessellation) -> Verdict:
    from polyrelu.analysis.answers import decide_bounded_region

    t = tessellation
    answers = [decide_bounded_region(t.network, t.pattern(i)).evidence for i in range(t.n_regions)]
    parts = tuple(answer for answer in answers if answer is not None)
    evidence = Exhaustive("regions", t.n_regions, parts)
    return found(WIDTH_2, Outcome.TRUE, evidence, f"{len(parts)} regions, none bounded")


def _decisions(subject: Subject | None) -> Verdict:
    if subject is None:
        result = search("random integer networks of width two", _examine_signs, range(40))
        description = f"40 networks with two inputs, {n_cases(result)} regions, no bounded part"
        return searched(DECISIONS, result, description)
    _check_everywhere(subject, "001-decision-sets")
    if subject.network.n_out != 1:
        raise InputError(
            f"Claim 001-decision-sets needs one output but received {subject.network.n_out}. Give another network."
        )
    parts = bounded_components(subject.network)
    fact = Computation("bounded parts", bounded_components, (subject.network,), parts)
    outcome = Outcome.FALSE if parts else Outcome.TRUE
    return found(DECISIONS, outcome, fact, f"{len(parts)} bounded parts of {{f > 0}} and {{f < 0}}, of all inputs")


def _examine_signs(seed: int) -> Examined:
    from polyrelu.enumeration.count import count_regions

    network = random_network(f"signs {seed}", (2, 2, 2, 1) if seed % 2 else (2, 2, 2, 2, 1), 9)
    parts = bounded_components(network)
    count = count_regions(signed_network(network))
    return Examined(count, Computation("bounded parts", bounded_components, (network,), parts) if parts else None)


def _check_everywhere(subject: Subject, claim: str) -> None:
    """Raise `InputError` unless no layer is wider than the input and the domain is all inputs."""
    check_dense_relu(subject, claim)
    network = subject.network
    if subject.domain.rows:
        raise InputError(
            f"Claim {claim} needs all inputs as its domain but received {subject.domain.label}. Leave the domain out."
        )
    widest = max((layer.n_outputs for layer in network.hidden), default=0)
    if widest > network.dim:
        raise InputError(
            f"Claim {claim} needs a network with no layer wider than its {network.dim} inputs but received one of "
            f"width {widest}. Give another network."
        )


def _width_3(subject: Subject | None) -> Verdict:
    from polyrelu.analysis.answers import decide_bounded_region

    refuse(subject, "001-width-3", "one network")
    network = Network.from_arrays([([[1, 0], [0, 1], [-1, -1]], [0, 0, 3]), ([[1, 1, 1]], [-4])])
    parts = bounded_components(network)
    signed = signed_network(network)
    proofs = [decide_bounded_region(signed, Pattern.parse(text)).evidence for part in parts for text in part]
    fact = Computation("bounded parts", bounded_components, (network,), parts)
    inside = (Fraction(1), Fraction(1))
    outside = (Fraction(9), Fraction(9))
    points = [HasPattern(signed, x, signed.exact.pattern_at(x)) for x in (inside, outside)]
    evidence = AllOf((fact, *points, *filter(None, proofs)))
    outcome = Outcome.TRUE if len(parts) == 1 and network.exact(inside)[0] < 0 else Outcome.FALSE
    description = f"relu(x) + relu(y) + relu(3 - x - y) < 4 is one bounded part, of {len(parts[0])} regions"
    return found(WIDTH_3, outcome, evidence, description)


def _growth(subject: Subject | None) -> Verdict:
    if subject is not None:
        tessellation = tessellated_subject(subject, "001-region-growth")
        check_dense_relu(subject, "001-region-growth")
        bound = _layer_bound(subject.network)
        fact = Computation("bound", _layer_bound, (subject.network,), bound)
        outcome = Outcome.TRUE if tessellation.n_regions <= bound else Outcome.FALSE
        return found(GROWTH, outcome, fact, f"{tessellation.n_regions} regions; the product over layers allows {bound}")
    result = search("random networks, depth 1 to 4, width 2 to 5", _examine_growth, range(12))
    description = (
        f"cited from elsewhere; 12 networks with {n_cases(result)} regions, none above the product over layers of "
        "sum_j binomial(width, j), j at most the number of inputs"
    )
    return searched(GROWTH, result, description)


def _examine_growth(seed: int) -> Examined:
    from polyrelu.enumeration.count import count_regions

    network = random_network(f"growth {seed}", (2, *[2 + seed % 4] * (1 + seed % 3 + seed // 9), 1))
    n_regions, bound = count_regions(network), _layer_bound(network)
    return Examined(n_regions, Computation("bound", _layer_bound, (network,), bound) if n_regions > bound else None)


def _layer_bound(network: Network) -> int:
    return prod(sum(comb(layer.n_outputs, j) for j in range(network.dim + 1)) for layer in network.hidden)


def _claim(
    name: str, place: str, statement: str, outcome: Outcome, decide: Callable[[Subject | None], Verdict]
) -> Claim:
    return Claim(f"001-{name}", PAPER, place, statement, outcome, decide)


CLAIMS = (
    _claim("width-2", "Sec. 4", WIDTH_2, Outcome.FALSE, _width_2),
    _claim("decision-sets", "Sec. 4", DECISIONS, Outcome.NOT_REFUTED, _decisions),
    _claim("width-3", "Sec. 4", WIDTH_3, Outcome.TRUE, _width_3),
    _claim("region-growth", "Sec. 3.1", GROWTH, Outcome.NOT_REFUTED, _growth),
)
