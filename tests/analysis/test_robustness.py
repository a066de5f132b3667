"""Distances to the nearest change of class: known answers, a slow second opinion, and refusal of changed evidence."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, flat_domains, networks, random_networks, rationals, sliced_networks

from polyrelu.analysis.robustness.decide import decide_robustness
from polyrelu.analysis.robustness.nearest import nearest_exactly
from polyrelu.analysis.robustness.support import nearest_from_support
from polyrelu.certificate.answer_robustness import ClassKept, NearestChange, squared_norm
from polyrelu.certificate.answer_rows import LayerForms
from polyrelu.certificate.verdict import check_verdict
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import CertificateError, DomainError, EnumerationInterrupted, InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import primitive_row
from polyrelu.network.activation import IDENTITY, MAX_UNIT, RELU, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.hull import decide_domain
from polyrelu.region.lp import Witness, find_point
from polyrelu.region.model import Region
from polyrelu.region.nearest import nearest_point

NORMS = (1, 2, math.inf)
CORNER = Network.from_arrays([([[1, 0], [0, 1]], [-1, -2]), ([[0, 0], [2, 1]], [1, 0])])
"""Class 1 beats class 0 where 2 (x - 1)+ + (y - 2)+ >= 1."""


def slow_squared_distance(network: Network, point, label: int, norm: float, domain: Domain) -> Fraction | None:
    """Return the squared distance by trying all regions, each as a polyhedron with the row of another class."""
    hull = decide_domain(domain)
    cut = network if hull.hull is None else network.restrict(hull.hull)
    best = None
    for pattern in patterns_of(cut, hull.inner):
        forms, left = LayerForms.of(network), list(pattern.digits)
        while not forms.is_output:
            digits, left = left[: len(forms.units)], left[len(forms.units) :]
            forms = forms.behind(digits)
        for other in range(network.n_out):
            if other == label:
                continue
            with_goal = Domain(network.dim, (*domain.rows, forms.difference(other, label)))
            region = Region(network, pattern, with_goal)
            if not isinstance(find_point(region.rows, [False] * len(region.rows), network.dim), Witness):
                continue
            square = nearest_point(region, point, norm).squared_distance
            best = square if best is None else min(best, square)
    return best


def patterns_of(network: Network, domain: Domain) -> list[Pattern]:
    if network.dim == 0:
        return [network.exact.pattern_at([])]
    return [region.pattern for region in enumerate_brute(network, domain)]


@st.composite
def questions(draw, dims=(1, 2), flat=False):
    """Draw a classifier, a domain, a point of it and a norm."""
    network = draw(networks(dims, 5) | random_networks(dims, 6) | sliced_networks(dims, 5))
    n_in, n_out = network.output.n_inputs, draw(st.integers(2, 3))
    numbers = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    weight = np.array(draw(st.lists(numbers, min_size=n_in * n_out, max_size=n_in * n_out))).reshape(n_out, n_in)
    bias = np.array(draw(st.lists(numbers, min_size=n_out, max_size=n_out)))
    network = replace(network, output=Layer(weight, bias, Activation.same(IDENTITY, n_out)))
    domain = draw(flat_domains(network.dim) if flat else domains(network.dim))
    start = tuple(draw(st.lists(rationals(), min_size=network.dim, max_size=network.dim)))
    if not domain.contains(start):
        rows = tuple(primitive_row(row) for row in domain.rows)
        affine = Network.from_arrays([(np.zeros((1, network.dim)), [0])])
        start = nearest_point(Region(affine, Pattern(()), Domain(network.dim, rows)), start, 2).point
    return network, start, draw(st.sampled_from(NORMS)), domain


def assert_agrees(question) -> None:
    network, point, norm, domain = question
    verdict = decide_robustness(network, point, None, norm, domain)
    verdict.evidence.check()
    value = verdict.value
    slow = slow_squared_distance(network, point, value.label, norm, domain)
    assert value.squared_distance == slow == value.squared_bound
    assert verdict.holds == (slow is None)
    if slow is None:
        return
    radius = Fraction(math.isqrt(int(slow * 10**6)), 1000)
    for r in (radius, radius + Fraction(1, 999), value.distance):
        if r is not None:
            inside = decide_robustness(network, point, r, norm, domain)
            inside.evidence.check()
            assert inside.holds == (r * r < slow)


@settings(max_examples=120, deadline=None)
@given(questions())
def test_all_regions_agree(question):
    assert_agrees(question)


@settings(max_examples=40, deadline=None)
@given(questions((3, 4)))
def test_all_regions_agree_in_more_dimensions(question):
    assert_agrees(question)


@settings(max_examples=60, deadline=None)
@given(questions((1, 2, 3), flat=True))
def test_all_regions_agree_on_flat_domains(question):
    assert_agrees(question)


# --- known answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "norm", "square"),
    [
        ([0, 0], math.inf, Fraction(9, 4)),
        ([0, 3], 2, 0),  # (y - 2)+ = 1: a tie
        ([0, 2], 1, 1),
        ([0, 2], math.inf, 1),
        ([1, 2], 2, Fraction(1, 5)),  # the line 2 (x - 1) + (y - 2) = 1
        ([1, 2], math.inf, Fraction(1, 9)),
        ([1, 2], 1, Fraction(1, 4)),
    ],
)
def test_distances_by_hand(point, norm, square):
    verdict = decide_robustness(CORNER, point, norm=norm)
    assert verdict.holds is False and verdict.value.squared_distance == square
    check_verdict(verdict)


def test_irrational_distances_are_named_by_their_square():
    value = decide_robustness(CORNER, [1, 2], norm=2).value
    assert value.distance is None and value.distance_float == math.sqrt(0.2)
    assert decide_robustness(CORNER, [1, 2], norm=math.inf).value.distance == Fraction(1, 3)


def test_a_ball_is_closed():
    assert decide_robustness(CORNER, [1, 2], Fraction(1, 3)).holds is False
    assert decide_robustness(CORNER, [1, 2], Fraction(333333333333333333, 10**18)).holds is True
    assert decide_robustness(CORNER, [0, 0], 0).holds is True
    assert decide_robustness(CORNER, [0, 3], 0).holds is False


def test_the_domain_cuts_the_way():
    free = decide_robustness(CORNER, [0, 0], norm=1).value
    assert free.change == (Fraction(3, 2), 0)
    cut = decide_robustness(CORNER, [0, 0], norm=1, domain=Domain.box([-1, -1], ["1.25", 5])).value
    assert cut.distance == 3 and cut.change == (0, 3)
    verdict = decide_robustness(CORNER, [0, 0], domain=Domain.box([-1, -1], [1, "5/2"]))
    assert verdict.holds is True and verdict.value.squared_bound is None
    check_verdict(verdict)


def test_a_label_that_is_not_the_largest_has_changed_already():
    verdict = decide_robustness(CORNER, [0, 0], label=1)
    assert verdict.holds is False and verdict.value.squared_distance == 0
    assert isinstance(verdict.evidence, NearestChange) and verdict.evidence.kept is None
    check_verdict(verdict)


def test_the_first_of_two_largest_outputs_is_the_class():
    value = decide_robustness(CORNER, [0, 3]).value
    assert (value.label, value.distance, value.change) == (0, 0, (0, 3))


def test_a_point_where_many_hyperplanes_meet():
    """Twelve copies of three lines through 0: digits that fit no ball of inputs must not multiply."""
    lines = np.tile([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], (4, 1))
    star = Network.from_arrays([(lines, np.zeros(12)), ([[0.0] * 12, [1.0] * 12], [1, 0])])
    verdict = decide_robustness(star, [0, 0], norm=1)
    assert verdict.value.distance == Fraction(1, 8) and verdict.value.n_regions <= 8
    check_verdict(verdict)


def test_max_units():
    pool = Activation((RELU,), np.array([MAX_UNIT, 0], np.int32), np.array([0, 3, 4]))
    hidden = Layer(np.array([[1.0, 0], [0, 1], [-1, -1], [1, 1]]), np.zeros(4), pool)
    network = Network((hidden,), Layer(np.array([[0.0, 0], [1, 1]]), np.array([2.0, 0]), Activation.same(IDENTITY, 2)))
    verdict = decide_robustness(network, [0, 0])
    assert verdict.value.distance == Fraction(2, 3)  # max(x, y) + (x + y)+ = 2
    check_verdict(verdict)


def test_a_flat_domain_of_one_point():
    verdict = decide_robustness(CORNER, [0, 0], domain=Domain.box([0, 0], [0, 0]))
    assert verdict.holds is True
    check_verdict(verdict)


# --- budgets --------------------------------------------------------------------------------------------------

DEEP = Network.from_arrays(
    [
        (np.random.default_rng(3).standard_normal((8, 3)), np.random.default_rng(4).standard_normal(8)),
        (np.random.default_rng(5).standard_normal((8, 8)), np.random.default_rng(6).standard_normal(8)),
        (np.random.default_rng(11).standard_normal((3, 8)), [1, 0, 0]),
    ]
)


def test_a_budget_leaves_what_is_proved():
    whole = decide_robustness(DEEP, [0] * 3).value.squared_distance
    verdict = decide_robustness(DEEP, [0] * 3, max_regions=2)
    value = verdict.value
    assert verdict.holds is None and value.n_regions == 2
    assert 0 < value.squared_bound <= whole <= value.squared_distance
    assert isinstance(verdict.evidence, ClassKept) and verdict.evidence.squared_radius == value.squared_bound
    verdict.evidence.check()
    with pytest.raises(InputError, match="a budget ended"):
        bool(verdict)


def test_no_time_at_all_is_a_budget_too():
    verdict = decide_robustness(DEEP, [0] * 3, max_seconds=0)
    assert verdict.holds is None
    verdict.evidence.check()


def test_progress_is_told(monkeypatch):
    from polyrelu.analysis.robustness import search

    clock = iter(range(10**6))
    monkeypatch.setattr(search.time, "monotonic", lambda: next(clock))
    told = []
    decide_robustness(DEEP, [0] * 3, progress=told.append)
    assert told and told == sorted(told) and told[0] == 1


def test_labels_may_be_numpy_integers():
    assert decide_robustness(CORNER, np.zeros(2), label=np.int64(0)).value.label == 0


def test_an_interrupt_keeps_what_is_proved(monkeypatch):
    from polyrelu.analysis.robustness import search

    steps = iter(range(3))
    propose = search.propose_nearest

    def propose_until_interrupted(*arguments):
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return propose(*arguments)

    monkeypatch.setattr(search, "propose_nearest", propose_until_interrupted)
    with pytest.raises(EnumerationInterrupted) as caught:
        decide_robustness(DEEP, [0] * 3)
    partial = caught.value.partial
    assert partial.holds is None and partial.value.squared_bound > 0
    partial.evidence.check()


# --- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (InputError, {"norm": 3}),
        (InputError, {"point": [0]}),
        (InputError, {"radius": -1}),
        (InputError, {"radius": "wide"}),
        (InputError, {"label": 2}),
        (InputError, {"label": "cat"}),
        (InputError, {"point": [float("nan"), 0]}),
        (InputError, {"network": Network.from_arrays([([[1, 1]], [0])])}),
        (DomainError, {"domain": Domain.unit(3)}),
        (DomainError, {"domain": Domain.box([1, 1], [2, 2])}),
        (DomainError, {"domain": Domain.from_halfspaces([[1, 0], [-1, 0]], [0, -1])}),
    ],
)
def test_questions_that_do_not_fit_are_refused(error, arguments):
    with pytest.raises(error):
        decide_robustness(**({"network": CORNER, "point": [0, 0]} | arguments))


def changes_of(kept: ClassKept):
    """Yield the proof with its radius, its point, its label, its domain, or one step changed."""
    if kept.squared_radius is not None:
        yield replace(kept, squared_radius=kept.squared_radius * 4)
        yield replace(kept, squared_radius=None)
        yield replace(kept, squared_radius=-kept.squared_radius)
    yield replace(kept, label=1 - kept.label)
    yield replace(kept, point=(*kept.point[:-1], kept.point[-1] + 10))
    yield replace(kept, interior=(*kept.interior[:-1], kept.interior[-1] + 1000))
    yield replace(kept, flatness=tuple(y + 1 for y in kept.flatness))
    yield replace(kept, steps=kept.steps[:-1])
    yield replace(kept, steps=(*kept.steps, ()))
    for i, step in enumerate(kept.steps):
        others = [None, ()] if step else [((0, Fraction(1)),)] if step is None else [None]
        yield from (replace(kept, steps=(*kept.steps[:i], other, *kept.steps[i + 1 :])) for other in others)
        for j, (row, y) in enumerate(step or ()):
            for other in ((row, -y), (row + 1, y), (-1, y), (row, y * 50)):
                changed = (*step[:j], other, *step[j + 1 :])
                yield replace(kept, steps=(*kept.steps[:i], changed, *kept.steps[i + 1 :]))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("domain", [None, Domain.box([-1, -1], [4, 4]), Domain.box([0, -1], [0, 4])])
def test_changed_proofs_are_refused_or_still_true(norm, domain):
    """A change that is accepted leaves a true statement: about the same ball or a smaller one, closed as before."""
    evidence = decide_robustness(CORNER, [0, 0], norm=norm, domain=domain).evidence
    evidence.check()
    refused = 0
    for other in changes_of(evidence.kept):
        try:
            other.check()
        except CertificateError:
            refused += 1
            continue
        slow = slow_squared_distance(other.network, other.point, other.label, norm, other.domain)
        assert other.squared_radius is not None and other.squared_radius <= slow
    assert refused > 10
    change = evidence.change
    for other in (
        replace(change, squared_distance=change.squared_distance + 1),
        replace(change, change=change.point, squared_distance=Fraction(0)),
        replace(change, change=tuple(2 * x for x in change.change)),
        replace(change, change=change.change[:-1]),
        replace(change, norm=3),
        replace(change, label=7),
    ):
        with pytest.raises(CertificateError):
            replace(evidence, change=other).check()
    with pytest.raises(CertificateError):
        replace(evidence, kept=None).check()
    with pytest.raises(CertificateError):
        replace(evidence, kept=replace(evidence.kept, squared_radius=evidence.kept.squared_radius / 4)).check()


@settings(max_examples=60, deadline=None)
@given(questions(), st.data())
def test_changed_steps_of_drawn_proofs_never_prove_too_much(question, data):
    network, point, norm, domain = question
    verdict = decide_robustness(network, point, None, norm, domain)
    kept = verdict.evidence if verdict.holds else verdict.evidence.kept
    if kept is None:
        return
    steps = list(kept.steps)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(steps)))
        made = data.draw(st.sampled_from([None, (), ((0, Fraction(1)),), ((0, Fraction(1)), (1, Fraction(2)))]))
        steps[place : place + data.draw(st.integers(0, 1))] = [made]
    factor = data.draw(st.sampled_from([1, 4, Fraction(1, 4)]))
    square = None if kept.squared_radius is None else kept.squared_radius * factor
    changed = replace(kept, steps=tuple(steps), squared_radius=square)
    try:
        changed.check()
    except CertificateError:
        return
    slow = verdict.value.squared_distance
    assert slow is None or (square is not None and square <= slow)


# --- nearest points -------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.sampled_from(NORMS), st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_nearest_points_agree_with_regions(dim, n, norm, seed, largest):
    random = np.random.default_rng(seed)
    rows = [primitive_row([int(v) for v in random.integers(-largest, largest + 1, dim + 1)]) for _ in range(n)]
    rows = [row for row in rows if any(row[:-1])]
    point = tuple(Fraction(int(v), 2) for v in random.integers(-4, 5, dim))
    found = nearest_exactly(rows, point, norm)
    if not isinstance(find_point(rows, [False] * len(rows), dim), Witness):
        assert found.squared_distance is None
        return
    affine = Network.from_arrays([(np.zeros((1, dim)), [0])])
    slow = nearest_point(Region(affine, Pattern(()), Domain(dim, tuple(rows))), point, norm)
    assert found.squared_distance == slow.squared_distance
    steps = [a - b for a, b in zip(found.point, point, strict=True)]
    assert squared_norm(steps, norm) == found.squared_distance


@pytest.mark.parametrize("norm", NORMS)
def test_a_wrong_support_is_refused(norm):
    rows = [(1, 0, -1), (-1, 0, 3)]
    assert nearest_from_support(rows, (Fraction(0), Fraction(0)), norm, [1.0, 1.0]) is None
    assert nearest_from_support(rows[1:], (Fraction(0), Fraction(0)), norm, [1.0]) is None
