"""Exact linear programs: every answer carries evidence that a few sums and products confirm."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from polyrelu.errors import InputError
from polyrelu.exact.linalg import dot, null_space, rank
from polyrelu.region.evidence import (
    check_bounded,
    check_infeasible,
    check_optimal,
    check_ray,
    check_unbounded,
    check_witness,
)
from polyrelu.region.lp import (
    Bounded,
    Infeasible,
    Optimal,
    Ray,
    Unbounded,
    Witness,
    decide_bounded,
    find_interior_point,
    find_point,
    maximize,
)


@st.composite
def systems(draw, max_dim=4, max_rows=9):
    """Draw rows over R^dim that are often parallel, repeated, turned round, concurrent or zero."""
    dim = draw(st.integers(1, max_dim))
    number = draw(st.sampled_from([st.integers(-2, 2), st.integers(-9, 9), st.integers(-(2**70), 2**70)]))
    rows = draw(st.lists(st.tuples(*[number] * (dim + 1)), max_size=max_rows))
    for other in draw(st.lists(st.sampled_from(["opposite", "repeated", "zero", "through 0"]), max_size=3)):
        if rows and other == "opposite":
            rows.append(tuple(-v for v in rows[draw(st.integers(0, len(rows) - 1))]))
        elif rows and other == "repeated":
            rows.append(tuple(2 * v for v in rows[draw(st.integers(0, len(rows) - 1))]))
        elif other == "zero":
            rows.append((0,) * dim + (draw(st.integers(-1, 1)),))
        else:
            rows = [(*row[:-1], 0) for row in rows]
    return dim, rows


@given(systems(), st.data())
def test_maximize_proves_its_answer_and_agrees_with_highs(system, data):
    dim, rows = system
    objective = data.draw(st.tuples(*[st.integers(-3, 3)] * (dim + 1)))
    answer = maximize(objective, rows)
    if isinstance(answer, Optimal):
        check_optimal(objective, rows, answer)
    elif isinstance(answer, Unbounded):
        check_unbounded(objective, rows, answer)
    else:
        check_infeasible(rows, [False] * len(rows), answer)
    if rows and max(abs(v) for row in rows for v in row) < 10:
        matrix = np.array(rows, dtype=float)
        there = linprog(-np.array(objective[:-1], float), -matrix[:, :-1], matrix[:, -1], bounds=(None, None))
        ours = {Optimal: 0, Infeasible: 2, Unbounded: 3}[type(answer)]
        assert there.status in (ours, 4) or {there.status, ours} == {2, 3}
        if there.status == 0:
            assert isinstance(answer, Optimal)


@given(systems(), st.data())
def test_find_point_proves_its_answer(system, data):
    dim, rows = system
    strict = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    for central in (True, False):
        answer = find_point(rows, strict, dim, central)
        (check_witness if isinstance(answer, Witness) else check_infeasible)(rows, strict, answer)


@given(systems())
def test_interior_point_is_inside_all_rows_that_cut(system):
    dim, rows = system
    answer = find_interior_point(rows, dim)
    strict = [any(row[:-1]) for row in rows]
    (check_witness if isinstance(answer, Witness) else check_infeasible)(rows, strict, answer)


@given(systems())
def test_bounded_or_a_ray(system):
    dim, rows = system
    bounded, evidence = decide_bounded(rows, dim)
    if bounded:
        check_bounded(rows, evidence)
    else:
        check_ray(rows, evidence.direction)


def test_zero_rows_say_nothing_below_zero_everything():
    assert find_interior_point([(0, 0, 0), (0, 0, 3)]) == Witness((0, 0))
    assert find_interior_point([(1, 0, 0), (0, 0, -3)]) == Infeasible((0, 1))
    assert find_point([(0, 0)], [True]) == Infeasible((1,))
    assert maximize((0, 5), [(0, 0), (0, 1)]) == Optimal(5, (0,), (0, 0))


def test_lines_in_the_feasible_set():
    along = maximize((1, -1, 0), [(1, 1, 0)])
    assert isinstance(along, Unbounded)
    check_unbounded((1, -1, 0), [(1, 1, 0)], along)
    assert maximize((-2, -2, 0), [(1, 1, 3)]) == Optimal(6, (-3, 0), (2,))


def test_closed_set_without_interior():
    rows = [(1, 0, 0), (-1, 0, 0), (0, 1, 0)]
    refusal = find_interior_point(rows)
    check_infeasible(rows, [True] * 3, refusal)
    assert sum(dot(row, (0, 0, y)) for row, y in zip(rows, refusal.multipliers, strict=True)) == 0
    assert find_point(rows, [False, False, True]) == Witness((0, 1))


def test_a_program_on_which_the_largest_coefficient_rule_alone_cycles():
    # Beale 1955, scaled to integers: degenerate at the origin; the optimum is 1/20, here times 100.
    rows = [(-25, 6000, 4, -900, 0), (-50, 9000, 2, -300, 0), (0, 0, -1, 0, 1)]
    rows += [tuple(int(i == j) for j in range(5)) for i in range(4)]
    objective = (75, -15000, 2, -600, 0)
    answer = maximize(objective, rows)
    check_optimal(objective, rows, answer)
    assert answer.value == 5


def test_slivers_below_any_float_tolerance():
    tiny = 2**200
    rows = [(tiny, -1), (-tiny, 2)]
    witness = find_interior_point(rows)
    check_witness(rows, [True, True], witness)
    check_infeasible([(tiny, -1), (-tiny, 1)], [True, True], find_interior_point([(tiny, -1), (-tiny, 1)]))


@pytest.mark.parametrize("rows", [[(1, 0), (1, 0, 0)], [(1.5, 0)], [(Fraction(1, 2), 0)], [], [()]])
def test_bad_rows(rows):
    with pytest.raises(InputError, match="linear program needs rows"):
        find_interior_point(rows)


def test_changed_evidence_is_refused():
    objective, rows = (1, 1, 0), [(-2, 0, 1), (0, -1, 1), (1, 0, 7)]
    optimal = maximize(objective, rows)
    for changed in (
        replace(optimal, value=optimal.value + 1),
        replace(optimal, point=(optimal.point[0] + 1, optimal.point[1])),
        replace(optimal, multipliers=(*optimal.multipliers[:2], Fraction(1))),
        replace(optimal, multipliers=(-optimal.multipliers[0], *optimal.multipliers[1:])),
        replace(optimal, multipliers=optimal.multipliers[:2]),
    ):
        with pytest.raises(InputError, match="evidence"):
            check_optimal(objective, rows, changed)
    refusals = [
        (check_infeasible, ([(1, 0), (-1, 0)], [False, False], Infeasible((1, 1)))),
        (check_infeasible, ([(1, 0), (-1, -1)], [True, True], Infeasible((1, 2)))),
        (check_infeasible, ([(1, 0), (-1, 1)], [True, True], Infeasible((1, 1)))),
        (check_witness, ([(1, 0)], [True], Witness((Fraction(0),)))),
        (check_witness, ([(1, 0)], [False], Witness((Fraction(-1),)))),
        (check_unbounded, ((1, 0), [(1, 0)], Unbounded((Fraction(0),), (-1,)))),
        (check_unbounded, ((0, 0), [(1, 0)], Unbounded((Fraction(0),), (1,)))),
        (check_ray, ([(1, 0)], (0,))),
        (check_bounded, ([(1, 0), (-1, 0)], Bounded((Fraction(1), Fraction(2))))),
        (check_bounded, ([(1, 0, 0), (-1, 0, 0)], Bounded((Fraction(1), Fraction(1))))),
        (check_bounded, ([], Bounded(()))),
    ]
    for check, arguments in refusals:
        with pytest.raises(InputError, match="evidence"):
            check(*arguments)


@given(systems())
def test_null_space_and_rank(system):
    dim, rows = system
    basis = null_space(rows, dim + 1)
    assert len(basis) == dim + 1 - rank(rows) and rank(basis) == len(basis)
    assert all(dot(row, vector) == 0 for row in rows for vector in basis)


def test_ray_of_a_halfspace():
    assert decide_bounded([(0, 1, 0)], 2) == (False, Ray((1, 0)))
    assert decide_bounded([], 1) == (False, Ray((1,)))
