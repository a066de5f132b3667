"""Claims of paper 004 (Trimmel, Petzka, Sminchisescu: TropEx) about the algorithm and what it extracts.

The rows of its Table 1 are in `tropex_table.py`. "True" rests on the proof in `exact_tropex.py`, and where more than
that is needed on the proof in the docstring of the function that decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from polyrelu.analysis.claims.evidence import Computation, Counterexample, Examined, Exhaustive, search
from polyrelu.analysis.claims.exact_layers import (
    Dense,
    Point,
    TropexLayer,
    choices_at,
    layers_of,
    negative_part,
    positive_part,
    values_at,
)
from polyrelu.analysis.claims.exact_tropex import all_terms, extract, extracted_value, label_of
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import n_cases, proved
from polyrelu.analysis.claims.subjects import check_dense_relu, refuse, tessellated_subject
from polyrelu.analysis.claims.tropex_samples import (
    affine_of,
    as_network,
    data_for,
    dense_layers,
    find_wrong_datum,
    is_wrong_at,
    points_of_cell,
    terms_are_largest,
)
from polyrelu.analysis.claims.tropex_table import CLAIMS as TABLE_CLAIMS
from polyrelu.analysis.claims.tropex_table import PAPER
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import InputError
from polyrelu.network.model import Network

__all__ = ["CLAIMS"]

NEURON = "a neuron max(w x + b, 0) is the maximum of (w+ x + b+) and (w- x + b-), minus (w- x + b-)"
LEMMA = "the outputs of a ReLU network are maxima of affine functions minus one maximum that they have in common"
NONNEGATIVE = "none of these affine functions has a negative coefficient, and none has a negative constant"
EQUATION_2 = "the denominator of the extracted function may be the maximum over the data of the same label alone"
ALGORITHM = "Algorithm 3.1 returns members of the full families of terms, the largest ones at each datum"
FIRST_PART = "each extracted output is a maximum over the data of its label minus a maximum over all data"
SECOND_PART = "near every datum the largest extracted output is the largest output of the network"
NEIGHBOURHOODS = "the extracted function and the network agree, in all outputs, near every datum"
UPPER_BOUND = "A_max bounds every row from above without being masked, and the K that it makes cancels"
CONVEX = "a ReLU classifier decides as the largest of convex functions does"
MOST_REGIONS = 250


def _single_neuron(subject: Subject | None) -> Verdict:
    """Proof: w = w+ - w- and b = b+ - b-, and max(p - q, 0) = max(p, q) - q for all numbers p and q."""
    refuse(subject, "004-single-neuron", "one neuron")
    evidence = search("random neurons at random points", _examine_neuron, range(20))
    description = "proof: max(p - q, 0) = max(p, q) - q with p = w+ x + b+ and q = w- x + b-; recomputed for 20 neurons"
    return proved(NEURON, [evidence], description)


def _examine_neuron(seed: int) -> Examined:
    rng = Random(f"neuron {seed}")
    w, b = data_for(seed, 3, 1)[0], Fraction(rng.randint(-9, 9))
    points = data_for(seed + 1000, 3, 20)
    wrong = next((x for x in points if _neuron(w, b, x)[0] != _neuron(w, b, x)[1]), None)
    if wrong is None:
        return Examined(len(points), None)
    return Examined(len(points), Computation("both forms of a neuron", _neuron, (w, b, wrong), _neuron(w, b, wrong)))


def _neuron(w: Point, b: Fraction, x: Point) -> tuple[Fraction, Fraction]:
    """Return a neuron at a point, and its form as a difference."""

    def affine(slopes: Point, constant: Fraction) -> Fraction:
        return sum((a * v for a, v in zip(slopes, x, strict=True)), constant)

    above, below = affine(positive_part(w), max(b, Fraction(0))), affine(negative_part(w), max(-b, Fraction(0)))
    return max(affine(w, b), Fraction(0)), max(above, below) - below


def _lemma(subject: Subject | None) -> Verdict:
    refuse(subject, "004-lemma-3.2", "all networks, and its full families are too large for most")
    evidence = search("random networks with all masks", _examine_terms, range(8))
    description = f"proof in exact_tropex.py; full families of 8 networks recomputed at {n_cases(evidence)} points"
    return proved(LEMMA, [evidence], description)


def _algorithm(subject: Subject | None) -> Verdict:
    """For a subject: the affine map of every region, extracted at a point inside, is that of the network."""
    if subject is None:
        evidence = search("random networks with all masks", _examine_terms, range(8, 16))
        description = f"proof in exact_tropex.py; recomputed on 8 networks with all masks, {n_cases(evidence)} points"
        return proved(ALGORITHM, [evidence], description)
    layers, data = _subject_data(subject, "004-algorithm-3.1")
    parts = tuple(Computation("own terms", _own_map_is_right, (layers, point), True) for point in data)
    description = f"on each of {len(data)} regions the extracted terms are the affine map of the network's own label"
    return found(ALGORITHM, Outcome.TRUE, Exhaustive("regions", len(data), parts), description)


def _examine_terms(seed: int) -> Examined:
    layers, points = _example(seed)
    if terms_are_largest(layers, points):
        return Examined(len(points), None)
    return Examined(len(points), Computation("largest terms", terms_are_largest, (layers, points), False))


def _own_map_is_right(layers: tuple[TropexLayer, ...], point: Point) -> bool:
    extracted = extract(layers, [point])
    plus, minus = extracted.plus[0], extracted.minus[0]
    row = affine_of(layers, choices_at(layers, point))[extracted.labels[0]]
    difference = [a - b for a, b in zip(plus.slopes, minus.slopes, strict=True)]
    return (*difference, plus.constant - minus.constant) == row


def _nonnegative(subject: Subject | None) -> Verdict:
    refuse(subject, "004-coefficients", "one small network")
    for bias in (0, -1):
        layers = layers_of(Network.from_arrays([([[1]], [bias]), ([[1]], [0])]))
        constants = _constants(layers)
        if min(constants) < 0:
            break
    network = as_network(layers)
    fact = Computation("constants of all terms of relu(x - 1)", _constants, (layers,), constants)
    evidence = Counterexample(network, (), (), (fact,))
    description = (
        f"relu(x - 1) has a term with the constant {min(constants)}; slopes are never negative (proof in "
        "exact_tropex.py), and one constant added to all terms repairs the others"
    )
    return found(NONNEGATIVE, Outcome.FALSE, evidence, description)


def _constants(layers: tuple[TropexLayer, ...]) -> tuple[Fraction, ...]:
    plus, minus = all_terms(layers, 1)
    return tuple(term.constant for family in (*plus, minus) for term in family)


def _equation_2(subject: Subject | None) -> Verdict:
    if subject is None:
        examples = [_example(seed, (1, 3, 2)) for seed in range(100)]
    else:
        examples = [_subject_data(subject, "004-eq-2")]
    for n_networks, (layers, data) in enumerate(examples, start=1):
        wrong = find_wrong_datum(layers, data, own_denominator=True)
        if wrong is not None:
            right = extracted_value(extract(layers, data), wrong)
            printed = extracted_value(extract(layers, data), wrong, own_denominator=True)
            facts = (
                Computation("printed maximum is wrong", is_wrong_at, (layers, data, wrong, None, True), True),
                Computation("that of Algorithm 3.1 is right", is_wrong_at, (layers, data, wrong), False),
                Computation("values of eq. (2)", _printed_values, (layers, data, wrong), printed),
            )
            description = (
                f"network {n_networks} of the search: at the datum {_text(wrong)} of {len(data)} eq. (2) gives "
                f"{_text(printed)}, Algorithm 3.1 {_text(right)}, the network {_text(values_at(layers, wrong))}"
            )
            return found(EQUATION_2, Outcome.FALSE, _counterexample(layers, data, facts), description)
    done = Computation("no wrong datum", find_wrong_datum, (layers, data, None, True), None)
    return found(EQUATION_2, Outcome.TRUE, done, f"right at all {len(data)} data, one for each region")


def _printed_values(layers: tuple[TropexLayer, ...], data: tuple[Point, ...], x: Point) -> tuple[Fraction | None, ...]:
    return extracted_value(extract(layers, data), x, own_denominator=True)


def _first_part(subject: Subject | None) -> Verdict:
    """Proof: both maxima are over subsets of the families of Lemma 3.2; that of a label without data is empty."""
    refuse(subject, "004-theorem-3.3-1", "the form of the extracted function")
    layers, point = dense_layers(0, (1, 3, 2)), data_for(0, 1, 1)
    values = extracted_value(extract(layers, point), point[0])
    empty = Computation("a label without data", extracted_value, (extract(layers, point), point[0]), values)
    repeated = search("random networks with all masks", _examine_terms, range(16, 20))
    hypotheses = ("every label has a datum",)
    description = "proof in exact_tropex.py; without a datum the maximum is empty, as for one of two labels here"
    return proved(FIRST_PART, [repeated], description, hypotheses, [empty])


def _second_part(subject: Subject | None) -> Verdict:
    """Proof: let i be the label of the datum x_k. On the closed set where the network chooses what it chooses at x_k,
    its own terms are the largest of P_i and of M, so output i is the network's there. Every other output j is a
    maximum over a part of P_j, minus the same, so it is at most the network's. If x_k lies on no kink, that set is a
    neighbourhood of x_k; if output i alone is largest at x_k, it is so near x_k, for the network and for the extracted
    function.
    """
    hypotheses = (
        "no preactivation vanishes at the datum",
        "one output alone is largest at the datum",
        "labels are those that the network gives",
    )
    if subject is not None:
        layers, data = _subject_data(subject, "004-theorem-3.3-2")
        wrong = find_wrong_datum(layers, data)
        evidence = Computation("no wrong datum", find_wrong_datum, (layers, data), wrong)
        description = f"proof in the code of this claim; recomputed at {len(data)} data, one inside each region"
        outcome = Outcome.TRUE_UNDER if wrong is None else Outcome.FALSE
        return found(SECOND_PART, outcome, evidence, description, hypotheses)
    checked = search("points of the cells of data", _examine_cells, range(30))
    traps = (
        _trap([([[1]], [0]), ([[1], [0]], [0, -1])], [0], Fraction(1, 100)),
        _trap([([[1], [-1]], [5, 5]), ([[1, 0], [0, 1]], [0, 0])], [0], Fraction(-1, 10)),
        _trap([([[1], [-1]], [0, 5]), ([[10, 0], [0, 10]], [0, 1])], [-1], Fraction(-1), labels=(0,)),
    )
    description = (
        f"proof in the code of this claim; recomputed at {n_cases(checked)} points of cells of data, where the own "
        "output is even the network's; each hypothesis is needed: a network of one or two neurons fails without it"
    )
    return proved(SECOND_PART, [checked], description, hypotheses, traps)


def _trap(weights: list[object], datum: list[int], x: Fraction, labels: tuple[int, ...] | None = None) -> Evidence:
    layers = layers_of(Network.from_arrays(weights))  # type: ignore[arg-type]
    data = (tuple(map(Fraction, datum)),)
    assert _is_off(layers, data, (x,), labels)
    return Computation("differs near a datum", _is_off, (layers, data, (x,), labels), True)


def _is_off(
    layers: tuple[TropexLayer, ...], data: tuple[Point, ...], x: Point, labels: tuple[int, ...] | None
) -> bool:
    values = extracted_value(extract(layers, data, labels), x)
    return max(v for v in values if v is not None) != max(values_at(layers, x))


def _examine_cells(seed: int) -> Examined:
    layers, data = _example(seed)
    points = [(k, x) for k, datum in enumerate(data) for x in points_of_cell(layers, datum, seed)]
    wrong = next(((k, x) for k, x in points if not _own_output_is_right(layers, data, k, x)), None)
    if wrong is None:
        return Examined(len(points), None)
    return Examined(len(points), Computation("own output", _own_output_is_right, (layers, data, *wrong), False))


def _own_output_is_right(layers: tuple[TropexLayer, ...], data: tuple[Point, ...], k: int, x: Point) -> bool:
    extracted, values = extract(layers, data), values_at(layers, x)
    mine = extracted_value(extracted, x)
    others = all(v is None or v <= w for v, w in zip(mine, values, strict=True))
    return mine[extracted.labels[k]] == values[extracted.labels[k]] and others


def _neighbourhoods(subject: Subject | None) -> Verdict:
    if subject is None:
        candidates = [_example(seed, (1, 2, 2)) for seed in range(50)]
    else:
        candidates = [_subject_data(subject, "004-neighbourhoods")]
    for layers, data in candidates:
        first = _first_difference(layers, data)
        if first is not None:
            return _different(layers, data, first)
    part = Computation("first datum with another output", _first_difference, (layers, data), None)
    return found(NEIGHBOURHOODS, Outcome.TRUE, part, f"equal in all outputs that have data, at {len(data)} data")


def _different(layers: tuple[TropexLayer, ...], data: tuple[Point, ...], first: Point) -> Verdict:
    extracted = extract(layers, data)
    facts = (
        Computation("first datum with another output", _first_difference, (layers, data), first),
        Computation("extracted", _extracted_at, (layers, data, first), extracted_value(extracted, first)),
    )
    description = (
        f"at the datum {_text(first)} the network is {_text(values_at(layers, first))}, the extracted function "
        f"{_text(extracted_value(extracted, first))}; only the output of the own label is sure to agree"
    )
    return found(NEIGHBOURHOODS, Outcome.FALSE, _counterexample(layers, data, facts), description)


def _extracted_at(layers: tuple[TropexLayer, ...], data: tuple[Point, ...], x: Point) -> tuple[Fraction | None, ...]:
    return extracted_value(extract(layers, data), x)


def _first_difference(layers: tuple[TropexLayer, ...], data: tuple[Point, ...]) -> Point | None:
    extracted = extract(layers, data)
    for point in data:
        pairs = zip(extracted_value(extracted, point), values_at(layers, point), strict=True)
        if any(mine is not None and mine != true for mine, true in pairs):
            return point
    return None


def _upper_bound(subject: Subject | None) -> Verdict:
    refuse(subject, "004-a-max", "all networks")
    evidence = search("random networks with all masks", _examine_terms, range(20, 26))
    description = "proof in exact_tropex.py: 0 <= A <= A_max for all terms; K is added to all terms, so it cancels"
    return proved(UPPER_BOUND, [evidence], description)


def _convex(subject: Subject | None) -> Verdict:
    """Proof: by Lemma 3.2 the outputs are convex functions minus one function that all of them share."""
    refuse(subject, "004-footnote-3", "all networks")
    evidence = search("labels by the numerators alone", _examine_labels, range(12))
    description = f"proof: the denominators are equal; labels recomputed at {n_cases(evidence)} points of 12 networks"
    return proved(CONVEX, [evidence], description)


def _examine_labels(seed: int) -> Examined:
    layers, points = _example(seed)
    labels = _labels_of_numerators(layers, points)
    if labels == tuple(label_of(values_at(layers, point)) for point in points):
        return Examined(len(points), None)
    return Examined(len(points), Computation("other labels", _labels_of_numerators, (layers, points), labels))


def _labels_of_numerators(layers: tuple[TropexLayer, ...], points: tuple[Point, ...]) -> tuple[int, ...]:
    plus, _ = all_terms(layers, len(points[0]))
    return tuple(label_of([max(term.at(point) for term in family) for family in plus]) for point in points)


def _example(seed: int, widths: Sequence[int] | None = None) -> tuple[tuple[TropexLayer, ...], tuple[Point, ...]]:
    layers = dense_layers(seed, widths)
    assert isinstance(layers[0], Dense)
    return layers, data_for(seed, len(layers[0].weight[0]))


def _subject_data(subject: Subject, claim: str) -> tuple[tuple[TropexLayer, ...], tuple[Point, ...]]:
    """Return a network as layers, and a point inside each of its regions as data."""
    check_dense_relu(subject, claim)
    tessellation = tessellated_subject(subject, claim)
    if tessellation.n_regions > MOST_REGIONS or subject.network.n_out < 2 or tessellation.hull is not None:
        raise InputError(
            f"Claim {claim} needs two outputs or more, a full-dimensional domain and at most {MOST_REGIONS} regions, "
            f"but received {subject.network.n_out} outputs and {tessellation.n_regions} regions. Change the domain."
        )
    return layers_of(subject.network), tuple(tessellation.witness(i) for i in range(tessellation.n_regions))


def _counterexample(
    layers: tuple[TropexLayer, ...], data: tuple[Point, ...], facts: tuple[Evidence, ...]
) -> Counterexample:
    network = as_network(layers)
    return Counterexample(network, data, tuple(network.exact.pattern_at(x) for x in data), facts)


def _text(values: tuple[Fraction | None, ...]) -> str:
    return f"({', '.join('-' if v is None else str(v) for v in values)})"


CLAIMS = (
    Claim("004-single-neuron", PAPER, "Sec. 3.1", NEURON, Outcome.TRUE, _single_neuron),
    Claim("004-lemma-3.2", PAPER, "Lemma 3.2", LEMMA, Outcome.TRUE, _lemma),
    Claim("004-coefficients", PAPER, "eq. (1)", NONNEGATIVE, Outcome.FALSE, _nonnegative),
    Claim("004-eq-2", PAPER, "eq. (2)", EQUATION_2, Outcome.FALSE, _equation_2),
    Claim("004-algorithm-3.1", PAPER, "Algorithm 3.1", ALGORITHM, Outcome.TRUE, _algorithm),
    Claim("004-theorem-3.3-1", PAPER, "Theorem 3.3 (1)", FIRST_PART, Outcome.TRUE_UNDER, _first_part),
    Claim("004-theorem-3.3-2", PAPER, "Theorem 3.3 (2)", SECOND_PART, Outcome.TRUE_UNDER, _second_part),
    Claim("004-neighbourhoods", PAPER, "Sec. 1", NEIGHBOURHOODS, Outcome.FALSE, _neighbourhoods),
    *TABLE_CLAIMS,
    Claim("004-a-max", PAPER, "Algorithm 3.1, A_max", UPPER_BOUND, Outcome.TRUE, _upper_bound),
    Claim("004-footnote-3", PAPER, "footnote 3", CONVEX, Outcome.TRUE, _convex),
)
