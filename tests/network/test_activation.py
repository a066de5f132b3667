"""Piecewise-linear functions and units."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyrelu.errors import InputError, NetworkError
from polyrelu.network.activation import (
    ABS,
    HARD_SIGMOID,
    HARD_TANH,
    IDENTITY,
    MAX_UNIT,
    RELU,
    RELU6,
    Activation,
    PiecewiseLinear,
    clip,
    hard_sigmoid,
    leaky_relu,
)

rationals = st.fractions(max_denominator=100)
KNOWN = {
    IDENTITY: lambda z: z,
    RELU: lambda z: max(z, 0),
    ABS: abs,
    HARD_TANH: lambda z: min(max(z, -1), 1),
    RELU6: lambda z: min(max(z, 0), 6),
    HARD_SIGMOID: lambda z: min(max(z / 6 + Fraction(1, 2), 0), 1),
    leaky_relu("1/3"): lambda z: z if z > 0 else z / 3,
    leaky_relu(-2): lambda z: z if z > 0 else -2 * z,
    leaky_relu(3): lambda z: z if z > 0 else 3 * z,
    clip(Fraction(1, 3)): lambda z: max(z, Fraction(1, 3)),
    clip(None, -2): lambda z: min(z, -2),
    clip(-5, -2): lambda z: min(max(z, -5), -2),
    hard_sigmoid("1/5", -1): lambda z: min(max(z / 5 - 1, 0), 1),
}


@st.composite
def functions(draw):
    """Draw a continuous function with up to four pieces."""
    points = sorted(draw(st.sets(rationals, max_size=3)))
    slopes = draw(st.lists(rationals, min_size=len(points) + 1, max_size=len(points) + 1))
    intercepts = [draw(rationals)]
    for i, point in enumerate(points):
        intercepts.append(intercepts[-1] + (slopes[i] - slopes[i + 1]) * point)
    return PiecewiseLinear("drawn", points, slopes, intercepts)


@pytest.mark.parametrize("function", KNOWN, ids=lambda f: f.name)
@given(z=rationals | st.integers(-7, 7).map(Fraction))
def test_values(function, z):
    assert function(z) == KNOWN[function](z)


@given(functions(), rationals)
def test_digit_says_which_piece(function, z):
    digit = function.digit(z)
    assert all(point < z for point in function.breakpoints[:digit])
    assert all(z <= point for point in function.breakpoints[digit:])
    assert function(z) == function.piece(digit, z)


@given(functions())
def test_pieces_meet_and_the_lower_digit_holds_at_a_breakpoint(function):
    for i, point in enumerate(function.breakpoints):
        assert function.digit(point) == i
        assert function.piece(i, point) == function.piece(i + 1, point)


@given(functions())
def test_equal_functions_are_one(function):
    twin = PiecewiseLinear(function.name, function.breakpoints, function.slopes, function.intercepts)
    assert twin == function
    assert hash(twin) == hash(function)


def test_numbers_become_fractions():
    function = PiecewiseLinear("f", ("1/2",), (0.5, 1), (0, np.float64(-0.25)))
    assert function.breakpoints == (Fraction(1, 2),)
    assert all(isinstance(v, Fraction) for v in function.slopes + function.intercepts)


def test_n_pieces():
    assert [f.n_pieces for f in (IDENTITY, RELU, ABS, HARD_TANH)] == [1, 2, 2, 3]


def test_special_cases_are_the_same_objects():
    assert leaky_relu(0) is RELU
    assert leaky_relu(1.0) is IDENTITY
    assert clip() is IDENTITY
    assert clip(0) is RELU


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PiecewiseLinear("f", (0,), (0, 1), (0, 1)), "jumps at 0"),
        (lambda: PiecewiseLinear("f", (0,), (0, 1, 2), (0, 0)), "1 breakpoints, 3 slopes, 2 intercepts"),
        (lambda: PiecewiseLinear("f", (1, 0), (0, 0, 0), (0, 0, 0)), "1 before 0"),
        (lambda: PiecewiseLinear("f", (0, 0), (0, 1, 2), (0, 0, 0)), "0 before 0"),
        (lambda: PiecewiseLinear("f", (float("nan"),), (0, 0), (0, 0)), "finite"),
        (lambda: leaky_relu(float("inf")), "finite"),
        (lambda: clip(1, 1), "low < high"),
        (lambda: clip(2, 1), "low < high"),
        (lambda: hard_sigmoid(0), "alpha > 0"),
        (lambda: hard_sigmoid(-1), "alpha > 0"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(InputError) as caught:
        make()
    assert words in str(caught.value)


# Units -------------------------------------------------------------------------------------------------------


def test_same():
    activation = Activation.same(RELU, 3)
    assert (activation.n_units, activation.n_preactivations) == (3, 3)
    assert activation.n_pieces.tolist() == [2, 2, 2]
    assert activation.is_relu
    assert not activation.is_identity


def test_of_keeps_each_function_once():
    activation = Activation.of([ABS, RELU, ABS, IDENTITY])
    assert activation.functions == (ABS, RELU, IDENTITY)
    assert activation.kind.tolist() == [0, 1, 0, 2]
    assert activation.n_pieces.tolist() == [2, 2, 2, 1]
    assert not activation.is_relu


def test_max_units():
    activation = Activation.max_units([2, 1, 3])
    assert activation.indptr.tolist() == [0, 2, 3, 6]
    assert activation.n_pieces.tolist() == [2, 1, 3]
    assert (activation.n_units, activation.n_preactivations) == (3, 6)
    assert not activation.is_relu
    assert not activation.is_identity


def test_mixture():
    activation = Activation((HARD_TANH,), [0, MAX_UNIT, 0], [0, 1, 4, 5])
    assert activation.n_pieces.tolist() == [3, 3, 3]


def test_no_units():
    activation = Activation.same(RELU, 0)
    assert (activation.n_units, activation.n_preactivations) == (0, 0)


def test_arrays_are_copied_and_read_only():
    kind = np.zeros(2, dtype=np.int32)
    activation = Activation((RELU,), kind, np.arange(3))
    kind[0] = MAX_UNIT
    assert activation.kind.tolist() == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        activation.kind[0] = 1


@pytest.mark.parametrize(
    ("kind", "indptr"),
    [([0, 0], [0, 1]), ([0], [0, 2]), ([0], [0, 0]), ([MAX_UNIT], [0, 0]), ([MAX_UNIT, 0], [0, 2, 1])],
)
def test_units_that_do_not_fit(kind, indptr):
    with pytest.raises(NetworkError, match="Check indptr"):
        Activation((RELU,), kind, indptr)
