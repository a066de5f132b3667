"""Single answers with their proofs: right on every network, refused or still true when changed, as text too."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import domains, flat_domains, networks, random_networks, sliced_networks

from polyrelu.analysis.answers import (
    decide_adjacent,
    decide_bounded_region,
    decide_equal_maps,
    decide_redundant,
    decide_region_exists,
)
from polyrelu.certificate import answers
from polyrelu.certificate.answer_rows import pattern_rows
from polyrelu.certificate.answer_text import KINDS, from_text, to_text
from polyrelu.certificate.verdict import Evidence, check_verdict
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.hrep import region_hrep
from polyrelu.region.lp import Unbounded, Witness, find_point, maximize
from polyrelu.region.model import Region, decide_region

FOLD = Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])
SQUARE = Network.from_arrays([([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 0]], [0, 1, 0, 1, 1]), ([[1, 1, 1, 1, 1]], [0])])
TWINS = Network.from_arrays([([[1, 0], [2, 0], [0, 1]], [0, 0, 0]), ([[1, -1, 0]], [0]), ([[1]], [0])])


@st.composite
def cases(draw, dims=(1, 2)):
    """Draw a network, a domain or none, and two patterns, most often of regions."""
    network = draw(networks(dims, 5) | random_networks(dims, 6) | sliced_networks(dims, 5))
    domain = draw(st.one_of(st.none(), domains(network.dim), flat_domains(network.dim)))
    any_pattern = st.builds(
        lambda *digits: network.pattern(digits), *(st.integers(0, int(n) - 1) for n in network.layout.n_pieces)
    )
    real = st.sampled_from([region.pattern for region in enumerate_brute(network)])
    return network, domain, draw(real | any_pattern), draw(real | any_pattern)


# --- the answers are right ------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(cases((1, 2, 3)))
def test_rows_are_those_of_the_region(case):
    network, domain, pattern, _ = case
    hrep = region_hrep(network, pattern)
    rows = pattern_rows(network, pattern, domain)
    ours = sorted((row.row, row.is_strict, row.neuron) for row in rows if row.neuron >= 0)
    assert ours == sorted(zip(hrep.rows, hrep.strict, hrep.neuron, strict=True))


@settings(max_examples=100, deadline=None)
@given(cases((1, 2, 3)))
def test_existence_and_boundedness_agree_with_regions(case):
    network, domain, pattern, _ = case
    region = Region(network, pattern, domain)
    exists = decide_region(region)[0]
    verdict = decide_region_exists(network, pattern, domain)
    check_verdict(verdict)
    assert verdict.holds == exists
    bounded = decide_bounded_region(network, pattern, domain)
    check_verdict(bounded)
    assert bounded.holds == (not exists or region.decide_bounded()[0])


@settings(max_examples=100, deadline=None)
@given(cases((1, 2, 3)), st.data())
def test_redundancy_agrees_with_a_linear_program(case, data):
    network, domain, pattern, _ = case
    rows = [row.row for row in pattern_rows(network, pattern, domain)]
    assume(rows)
    row = data.draw(st.integers(0, len(rows) - 1))
    verdict = decide_redundant(network, pattern, row, domain)
    check_verdict(verdict)
    others = rows[:row] + rows[row + 1 :]
    if not isinstance(find_point(others, [False] * len(others), network.dim), Witness):
        assert verdict.holds
        return
    least = maximize(tuple(-v for v in rows[row]), others)
    assert verdict.holds == (not isinstance(least, Unbounded) and least.value <= 0)


@settings(max_examples=150, deadline=None)
@given(cases((1, 2, 3)))
def test_adjacency_agrees_with_the_neighbours(case):
    network, domain, pattern, other = case
    assume(pattern != other)
    verdict = decide_adjacent(network, pattern, other, domain)
    check_verdict(verdict)
    region = Region(network, pattern, domain)
    if not decide_region(region)[0] or not decide_region(Region(network, other, domain))[0]:
        assert verdict.holds is False
        return
    assert verdict.holds == (other in {neighbour for _, neighbour in region.neighbours})


@settings(max_examples=60, deadline=None)
@given(cases())
def test_maps_agree_with_the_regions(case):
    network, _, pattern, other = case
    verdict = decide_equal_maps(network, pattern, other)
    check_verdict(verdict)
    ours, theirs = (Region(network, each).affine_map for each in (pattern, other))
    assert verdict.holds == (ours == theirs)


def test_thick_zeros():
    """Where x > 0 the neuron x - x of the second layer is 0 everywhere: it may not have digit 1."""
    thick = Network.from_arrays([([[1], [1]], [0, 0]), ([[1, -1]], [0]), ([[1]], [0])])
    assert decide_region_exists(thick, Pattern.parse("11|0")).holds
    empty = decide_region_exists(thick, Pattern.parse("11|1"))
    assert empty.holds is False and empty.evidence.multipliers == (0, 0, 1)
    check_verdict(empty)


def test_twin_rows_make_each_other_redundant():
    pattern = Pattern.parse("111|0")
    assert [decide_redundant(TWINS, pattern, row).holds for row in range(4)] == [True, True, False, True]
    assert decide_adjacent(TWINS, Pattern.parse("110|0"), Pattern.parse("000|0")).holds
    assert not decide_adjacent(TWINS, Pattern.parse("110|0"), Pattern.parse("100|0")).holds


def test_regions_that_touch_in_a_point():
    verdict = decide_adjacent(SQUARE, Pattern.parse("11111"), Pattern.parse("01011"))
    assert verdict.holds is False and isinstance(verdict.evidence, answers.PairNotAdjacent)
    check_verdict(verdict)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: decide_region_exists(FOLD, Pattern.parse("11")),
        lambda: decide_redundant(FOLD, Pattern.parse("11|0"), 3),
        lambda: decide_redundant(FOLD, Pattern.parse("11|0"), -1),
        lambda: decide_adjacent(FOLD, Pattern.parse("11|0"), Pattern.parse("11|0")),
        lambda: decide_bounded_region(FOLD, Pattern.parse("11|0"), Domain.unit(2)),
        lambda: decide_equal_maps(FOLD, Pattern.parse("11|0"), Pattern.parse("11|2")),
    ],
)
def test_questions_that_do_not_fit_are_refused(ask):
    with pytest.raises(InputError):
        ask()


# --- changed numbers ------------------------------------------------------------------------------------------


def samples() -> list[Evidence]:
    """Return at least one piece of evidence of each kind."""
    strip, corner = Pattern.parse("11|0"), Pattern.parse("11111")
    box = Domain.box([0], [9])
    return [
        decide_region_exists(FOLD, strip, box).evidence,
        decide_region_exists(FOLD, Pattern.parse("00|0"), box).evidence,
        decide_region_exists(SQUARE, Pattern.parse("00111")).evidence,
        decide_redundant(SQUARE, corner, 4).evidence,
        decide_redundant(SQUARE, corner, 0).evidence,
        decide_adjacent(FOLD, strip, Pattern.parse("11|1"), box).evidence,
        decide_adjacent(SQUARE, corner, Pattern.parse("01111")).evidence,
        decide_adjacent(SQUARE, corner, Pattern.parse("01011")).evidence,
        decide_adjacent(SQUARE, Pattern.parse("10111"), Pattern.parse("01110")).evidence,
        decide_bounded_region(SQUARE, corner).evidence,
        decide_bounded_region(SQUARE, Pattern.parse("10111")).evidence,
        decide_equal_maps(TWINS, Pattern.parse("110|0"), Pattern.parse("111|0")).evidence,
        decide_equal_maps(FOLD, strip, Pattern.parse("11|1")).evidence,
    ]


def test_samples_hold_every_kind():
    assert {type(sample).__name__ for sample in samples()} == set(KINDS)
    for sample in samples():
        assert isinstance(sample, Evidence)
        sample.check()


def is_true(answer) -> bool:
    """Decide again what an answer says, by linear programs."""
    network, kind = answer.network, type(answer)
    if kind in (answers.MapsEqual, answers.MapsDiffer):
        return decide_equal_maps(network, answer.pattern, answer.other).holds == (kind is answers.MapsEqual)
    if kind in (answers.RegionExists, answers.RegionEmpty):
        found = decide_region(Region(network, answer.pattern, answer.domain))[0]
        return found == (kind is answers.RegionExists)
    if kind in (answers.RowRedundant, answers.RowNeeded):
        found = decide_redundant(network, answer.pattern, answer.row, answer.domain).holds
        return found == (kind is answers.RowRedundant)
    if kind in (answers.RegionBounded, answers.RegionUnbounded):
        found = decide_bounded_region(network, answer.pattern, answer.domain).holds
        return found == (kind is answers.RegionBounded)
    pair = [Region(network, p, answer.domain) for p in (answer.pattern, answer.other)]
    if not all(decide_region(region)[0] for region in pair):
        return kind is answers.PairNotAdjacent
    found = pair[1].pattern in {neighbour for _, neighbour in pair[0].neighbours}
    return found == (kind is answers.PairAdjacent)


def changed(answer):
    """Yield the answer with each of its numbers, digits and patterns changed in turn."""
    for field in fields(answer):
        value = getattr(answer, field.name)
        if isinstance(value, tuple):
            for i, number in enumerate(value):
                for other in (number + 1, number - 1, -number, number * 2, Fraction(0)):
                    if other != number:
                        yield replace(answer, **{field.name: (*value[:i], other, *value[i + 1 :])})
            yield replace(answer, **{field.name: value[:-1]})
            yield replace(answer, **{field.name: (*value, Fraction(0))})
        elif isinstance(value, Pattern):
            for i, digit in enumerate(value.digits):
                digits = (*value.digits[:i], 1 - digit, *value.digits[i + 1 :])
                yield replace(answer, **{field.name: answer.network.pattern(digits)})
            yield replace(answer, **{field.name: Pattern((*value.layers, (0,)))})
        elif isinstance(value, int):
            yield from (replace(answer, **{field.name: other}) for other in (-1, value + 1, value + 9))
        elif isinstance(value, Domain):
            yield from (replace(answer, domain=other) for other in (Domain.unit(2), Domain.box([5], [6]), None))


@pytest.mark.parametrize("number", range(len(samples())))
def test_a_change_is_refused_or_still_true(number):
    answer = samples()[number]
    refused = accepted = 0
    for other in changed(answer):
        try:
            other.check()
        except CertificateError:
            refused += 1
        else:
            accepted += 1
            assert is_true(other)
    assert refused > 0, "no change at all was refused"


@settings(max_examples=60, deadline=None)
@given(cases(), st.data())
def test_changes_of_drawn_answers_are_refused_or_still_true(case, data):
    network, domain, pattern, other = case
    verdicts = [decide_region_exists(network, pattern, domain), decide_bounded_region(network, pattern, domain)]
    if pattern != other:
        verdicts.append(decide_adjacent(network, pattern, other, domain))
    evidence = data.draw(st.sampled_from(verdicts)).evidence
    names = [field.name for field in fields(evidence) if field.name in ("point", "multipliers", "ray")]
    name = data.draw(st.sampled_from(names))
    numbers = list(getattr(evidence, name))
    assume(numbers)
    place = data.draw(st.integers(0, len(numbers) - 1))
    numbers[place] += data.draw(st.sampled_from([Fraction(1), Fraction(-1), Fraction(1, 3), Fraction(100)]))
    tampered = replace(evidence, **{name: tuple(numbers)})
    try:
        tampered.check()
    except CertificateError:
        return
    assert is_true(tampered)


# --- text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(len(samples())))
def test_text_gives_back_the_answer(number):
    answer = samples()[number]
    again = from_text(to_text(answer), answer.network)
    assert type(again) is type(answer)
    assert all(getattr(again, f.name) == getattr(answer, f.name) for f in fields(answer))
    again.check()


def test_text_carries_long_numbers():
    answer = replace(samples()[0], point=(Fraction(10**5000 + 1, 10**5000),))
    assert from_text(to_text(answer), FOLD).point == answer.point


def test_text_about_another_network_is_refused():
    with pytest.raises(CertificateError, match="needs the network"):
        from_text(to_text(samples()[0]), SQUARE)


DAMAGES = {
    "not JSON": lambda d: json.dumps(d)[:-1],
    "a list": lambda d: json.dumps([d]),
    "nested too deep": lambda d: "[" * 10**5,
    "a repeated key": lambda d: json.dumps(d)[:-1] + ', "version": 1}',
    "another version": lambda d: json.dumps(d | {"version": 2}),
    "version true": lambda d: json.dumps(d | {"version": True}),
    "another kind": lambda d: json.dumps(d | {"answer": "RegionFull"}),
    "a kind of another type": lambda d: json.dumps(d | {"answer": ["RegionExists"]}),
    "the keys of another kind": lambda d: json.dumps(d | {"answer": "RegionEmpty"}),
    "one key more": lambda d: json.dumps(d | {"more": 1}),
    "a number without quotes": lambda d: json.dumps(d | {"point": [1]}),
    "a float": lambda d: json.dumps(d | {"point": [0.5]}),
    "NaN": lambda d: json.dumps(d | {"point": [float("nan")]}),
    "a decimal": lambda d: json.dumps(d | {"point": ["0.5"]}),
    "digits of another script": lambda d: json.dumps(d | {"point": ["\u0661"]}),
    "a zero denominator": lambda d: json.dumps(d | {"point": ["1/0"]}),
    "a very long number": lambda d: json.dumps(d | {"point": ["1" * (1 << 21)]}),
    "no list": lambda d: json.dumps(d | {"point": "1"}),
    "no pattern": lambda d: json.dumps(d | {"pattern": "1?"}),
    "a pattern that is a number": lambda d: json.dumps(d | {"pattern": 11}),
    "a giant digit": lambda d: json.dumps(d | {"pattern": "(" + "9" * 500 + ")1|0"}),
    "a domain that is a text": lambda d: json.dumps(d | {"domain": "all"}),
    "a domain without rows": lambda d: json.dumps(d | {"domain": {"dim": 1, "label": ""}}),
    "a domain of halves": lambda d: json.dumps(d | {"domain": {"dim": 1, "rows": [["1/2", "1"]], "label": ""}}),
    "a row too short": lambda d: json.dumps(d | {"domain": {"dim": 1, "rows": [["1"]], "label": ""}}),
    "a row that is none": lambda d: json.dumps(d | {"domain": {"dim": 1, "rows": [7], "label": ""}}),
    "a negative dimension": lambda d: json.dumps(d | {"domain": {"dim": -1, "rows": [], "label": ""}}),
    "a giant whole number": lambda d: json.dumps(d)[:-1] + ', "row": ' + "9" * 9999 + "}",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_text_is_refused(damage):
    data = json.loads(to_text(samples()[0]))
    with pytest.raises(CertificateError):
        from_text(DAMAGES[damage](data), FOLD)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_text_with_changed_characters_never_crashes(data):
    answer = data.draw(st.sampled_from(samples()))
    text = to_text(answer)
    start = data.draw(st.integers(0, len(text) - 1))
    stop = data.draw(st.integers(start, min(start + 4, len(text))))
    text = text[:start] + data.draw(st.text('0123456789-/"{}[],:|() tn', max_size=4)) + text[stop:]
    try:
        again = from_text(text, answer.network)
        again.check()
    except CertificateError:
        return
    assert is_true(again)


def test_a_pattern_that_does_not_fit_is_refused_by_the_check():
    with pytest.raises(CertificateError, match=r"needs 2.1 digits"):
        replace(samples()[0], pattern=Pattern.parse("1")).check()
