"""What floats and double-doubles certify is what rationals say; what they cannot certify they leave open."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyrelu.enumeration.exact_plane import float_vertex, sign_at_crossing
from polyrelu.enumeration.plane import enumerate_plane
from polyrelu.exact.domain import Domain
from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import DD
from polyrelu.kernels.compiled import loop
from polyrelu.kernels.predicates import (
    UNKNOWN,
    classify_box,
    place_crossing,
    place_far_crossing,
    sign_at_vertex,
)
from polyrelu.network.model import Network

SMALL = st.integers(-4, 4)
LARGE = st.integers(-(2**70), 2**70)
NUMBERS = st.one_of(SMALL, LARGE, st.integers(-(2**200), 2**200))
LINES = st.tuples(NUMBERS, NUMBERS, NUMBERS).filter(lambda line: line[0] or line[1])


@loop
def near_sign(maps, floats, bounds, vertices):  # type: ignore[no-untyped-def]
    """Place the crossing of columns 0 and 1; return the sign of column 2 there."""
    if not place_crossing(maps, floats, bounds, 0, 0, 1, 0, vertices, 0):
        return UNKNOWN
    return sign_at_vertex(maps, floats, bounds, 0, 2, vertices, 0)


@loop
def far_sign(maps, floats, bounds, side_x, side_y, vertices):  # type: ignore[no-untyped-def]
    """Place the crossing of column 0 with a far side; return the sign of column 2 there."""
    if not place_far_crossing(maps, floats, bounds, 0, 0, side_x, side_y, vertices, 0):
        return UNKNOWN
    return sign_at_vertex(maps, floats, bounds, 0, 2, vertices, 0)


def tables(lines: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return maps, floats, bounds and vertices for integer lines: nearest floats, errors of one rounding, lattice 1."""
    maps, floats, bounds = np.zeros((4, 8)), np.zeros((1, T.N_FLOATS)), np.zeros((1, T.N_BOUNDS, 3))
    for j, line in enumerate(lines):
        maps[:3, j] = [float(v) for v in line]
        maps[3, j] = np.linalg.norm(maps[:3, j]) * (1 + 2.0**-40)
    bounds[0, T.RHO] = 0.0 if all(float(v) == v for line in lines for v in line) else 2.0**-52
    floats[0, T.LATTICE] = 1.0
    return maps, floats, bounds, np.zeros((1, T.N_VERTEX_FLOATS))


@settings(max_examples=400)
@given(LINES, LINES, st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_near_signs_are_exact_or_open(i, j, form) -> None:
    if i[0] * j[1] == i[1] * j[0]:
        return
    sign = near_sign(*tables([i, j, form]))
    assert sign in (UNKNOWN, sign_at_crossing((*form, 0), (*i, 0), (*j, 0)))


@settings(max_examples=200)
@given(LINES, st.tuples(NUMBERS, NUMBERS, NUMBERS), st.sampled_from([(1, 0), (-1, 0), (0, 1), (0, -1)]))
def test_far_signs_are_exact_or_open(line, form, side) -> None:
    side_x, side_y = side
    if not line[1 if side_x else 0]:
        return
    maps, floats, bounds, vertices = tables([line, (0, 0, 0), form])
    sign = far_sign(maps, floats, bounds, float(side_x), float(side_y), vertices)
    far = (-side_x, -side_y, 0, 1)
    assert sign in (UNKNOWN, sign_at_crossing((*form, 0), (*line, 0), far))


@settings(max_examples=200)
@given(st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=3, max_size=3))
def test_small_integers_never_leave_floats(lines) -> None:
    """The lattice certifies zeros: with small integers nothing is left open."""
    i, j, form = lines
    if i[0] * j[1] == i[1] * j[0]:
        return
    assert near_sign(*tables(lines)) == sign_at_crossing((*form, 0), (*i, 0), (*j, 0))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308])
def test_what_overflows_is_left_open(bad: float) -> None:
    maps, floats, bounds, vertices = tables([(1, 0, 0), (0, 1, 0), (1, 1, 1)])
    maps[:, 0], maps[3, 0] = bad, bad
    bounds[0, T.RHO] = 2.0**-52
    assert near_sign(maps, floats, bounds, vertices) == UNKNOWN


@settings(max_examples=200)
@given(
    st.lists(st.tuples(*[st.floats(-8, 8)] * 3), min_size=8, max_size=8),
    *[st.floats(-4, 4)] * 2,
    *[st.floats(0, 2)] * 2,
    *[st.fractions(-1, 1)] * 2,
)
def test_box_signs_hold_at_points_of_the_box(forms, x, y, x_half, y_half, s, t) -> None:
    maps = np.zeros((4, 8))
    maps[:3] = np.array(forms).T
    maps[3] = 100.0
    positive, undecided = np.zeros(8, np.uint8), np.zeros(8, np.uint8)
    classify_box(maps, 0, 8, x, y, x_half, y_half, 2.0**-45, positive, undecided)
    px, py = Fraction(x) + s * Fraction(x_half), Fraction(y) + t * Fraction(y_half)
    for j, (a, b, c) in enumerate(forms):
        value = Fraction(a) * px + Fraction(b) * py + Fraction(c)
        if not undecided[j]:
            assert (value > 0) == bool(positive[j]) and value != 0


def test_float_vertices_say_how_exact_they_are() -> None:
    assert float_vertex((2, 0, -1, 0), (0, 4, 3, 0))[:4] == (0.5, -0.75, 0.0, 0.0)
    x, _, x_error, *_ = float_vertex((3, 0, -1, 0), (0, 1, 0, 0))
    assert 0 < abs(Fraction(x) - Fraction(1, 3)) <= Fraction(x_error)


def test_double_doubles_decide_before_rationals_do() -> None:
    """The third line misses the crossing of the others by about 2^-60: too close for floats, not for 106 bits."""
    third = 1 / 3
    rows = [[third, 1.0], [1.0, third], [1.0, 1.0]]
    crossing = Fraction(-1) / (1 + Fraction(third))
    bias = float(-2 * crossing)
    assert 0 < abs(Fraction(bias) + 2 * crossing) < Fraction(1, 2**52)
    network = Network.from_arrays([(rows, [1.0, 1.0, bias]), ([[1, 1, 1]], [0])])
    decisions = enumerate_plane(network, Domain.box([-2, -2], [2, 2])).decisions
    assert decisions.extended > 0 and decisions.exact == 0
    assert DD == 8 * (2.0**-53) ** 2
