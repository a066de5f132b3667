"""VNN-LIB files: what they say, exactly, and how bad ones are refused."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyrelu.analysis.verification.property import find_violation
from polyrelu.analysis.verification.vnnlib import parse_vnnlib, read_vnnlib
from polyrelu.errors import FileError

MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"
DECLARED = "".join(f"(declare-const {name} Real)\n" for name in ("X_0", "X_1", "Y_0", "Y_1"))


def says(condition: str, x: tuple, y: tuple) -> bool:
    """Return whether inputs and outputs satisfy a condition, as parsed."""
    unsafe = parse_vnnlib(f"{DECLARED}(assert {condition})")
    return find_violation(unsafe, tuple(map(Fraction, x)), tuple(map(Fraction, y))) is not None


@pytest.mark.parametrize(
    ("condition", "x", "y", "expected"),
    [
        ("(<= X_0 0.1)", ("1/10", 0), (0, 0), True),
        ("(< X_0 0.1)", ("1/10", 0), (0, 0), False),
        ("(>= X_0 1e-3)", ("1/1000", 0), (0, 0), True),
        ("(>= X_0 1.0E-3)", ("999/1000000", 0), (0, 0), False),
        ("(<= -1.5 X_0)", ("-3/2", 0), (0, 0), True),
        ("(<= (- 1.5) X_0)", ("-3/2", 0), (0, 0), True),
        ("(<= (+ X_0 X_1 X_0) 3)", (1, 1), (0, 0), True),
        ("(< (+ X_0 X_1 X_0) 3)", (1, 1), (0, 0), False),
        ("(>= (- Y_0 Y_1 1) 0)", (0, 0), (2, 1), True),
        ("(> (- Y_0 Y_1 1) 0)", (0, 0), (2, 1), False),
        ("(>= (* 2 Y_0 3) (* -1.5 4))", (0, 0), (-1, 0), True),
        ("(>= (* 2 (+ Y_0 (* 3 Y_1))) 8)", (0, 0), (1, 1), True),
        ("(<= (/ Y_0 3) (/ 1 3))", (0, 0), (1, 0), True),
        ("(= Y_0 (- Y_1))", (0, 0), (1, -1), True),
        ("(= Y_0 Y_1)", (0, 0), (1, -1), False),
        ("(not (= Y_0 Y_1))", (0, 0), (1, -1), True),
        ("(not (= Y_0 Y_1))", (0, 0), (1, 1), False),
        ("(<= 0 Y_0 Y_1 2)", (0, 0), (1, 2), True),
        ("(<= 0 Y_0 Y_1 2)", (0, 0), (2, 1), False),
        ("(not (<= 0 Y_0 Y_1 2))", (0, 0), (2, 1), True),
        ("(not (and (<= Y_0 1) (not (> Y_1 0))))", (0, 0), (1, 0), False),
        ("(or (and (<= X_0 0) (<= Y_0 0)) (and (>= X_0 1) (>= Y_0 1)))", (1, 0), (1, 0), True),
        ("(or (and (<= X_0 0) (<= Y_0 0)) (and (>= X_0 1) (>= Y_0 1)))", (1, 0), (0, 0), False),
        ("(or)", (0, 0), (0, 0), False),
        ("(and)", (0, 0), (0, 0), True),
        ("true", (0, 0), (0, 0), True),
        ("(not true)", (0, 0), (0, 0), False),
        ("(<= Y_0 Y_0)", (0, 0), (0, 0), True),
        ("(< (* 0 Y_0) 0)", (0, 0), (0, 0), False),
    ],
)
def test_conditions(condition, x, y, expected):
    assert says(condition, x, y) is expected


def test_cases_share_their_inputs():
    text = (
        "(assert (or (and (<= X_0 1) (>= X_0 0)) (and (<= X_0 3) (>= X_0 2) (>= X_0 1))))"
        "(assert (<= (+ X_0 X_1) 1)) (assert (< X_1 5))"
        "(assert (or (<= Y_0 Y_1) (and (>= Y_0 0) (> Y_1 0.5)) (<= Y_0 Y_1)))"
    )
    unsafe = parse_vnnlib(DECLARED + text, "two boxes")
    assert (unsafe.n_inputs, unsafe.n_outputs, unsafe.label, len(unsafe.cases)) == (2, 2, "two boxes", 2)
    first, second = unsafe.cases
    assert (first.inputs.lower, first.inputs.upper) == ((0, None), (1, 5))
    assert (second.inputs.lower, second.inputs.upper) == ((2, None), (3, 5))
    assert set(zip(first.inputs.halfspaces.rows, first.inputs.halfspaces.strict, strict=True)) == {
        ((-1, -1, 1), False),
        ((0, -1, 5), True),
    }
    assert first.outputs == second.outputs
    assert [each.rows for each in first.outputs] == [((-1, 1, 0),), ((1, 0, 0), (0, 2, -1))]
    assert [each.strict for each in first.outputs] == [(False,), (False, True)]


def test_comments_and_other_commands():
    text = f"; a comment ( with \"signs\"\n(set-logic QF_LRA)\n{DECLARED}(assert (<= X_0 ; here\n 1))\n(check-sat)"
    assert parse_vnnlib(text).cases[0].inputs.upper == (1, None)
    assert parse_vnnlib("(declare-fun X_0 () Real)").n_inputs == 1


def test_nothing_violates_a_contradiction():
    assert parse_vnnlib(f"{DECLARED}(assert (or (< Y_0 Y_0) false))").cases == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("(assert (<= X_0 1))", "needs declared variables and decimals but line 1 of property has 'X_0'"),
        ("(declare-const Z_0 Real)", "needs declarations of reals X_i and Y_j but line 1"),
        ("(declare-const X_0 Int)", "needs declarations of reals"),
        ("(declare-fun X_0 (Real) Real)", "needs declarations of reals"),
        ("(declare-const X_00 Real)", "needs declarations of reals"),
        ("(declare-const X_1 Real)", "needs X_0 to X_1 declared without a gap but property lacks X_0"),
        ("(declare-const X_0 Real)\n(declare-const X_0 Real)", "declared once but line 2"),
        (f"{DECLARED}(assert (<= X_0 Y_0))", "conditions on inputs or on outputs but line 5"),
        (f"{DECLARED}(assert (<= (* X_0 X_1) 0))", "at most one variable but line 5"),
        (f"{DECLARED}(assert (<= (/ 1 X_0) 0))", "a number that is not 0 but line 5"),
        (f"{DECLARED}(assert (<= (/ X_0 0) 0))", "a number that is not 0 but line 5"),
        (f"{DECLARED}(assert (<= X_0 1e500))", "exponents up to 400"),
        (f"{DECLARED}(assert (<= X_0 {'1' * 500}))", "declared variables and decimals"),
        (f"{DECLARED}(assert (<= X_0 nan))", "declared variables and decimals"),
        (f"{DECLARED}(assert (<= X_0 0x1))", "declared variables and decimals"),
        (f"{DECLARED}(assert (<= X_0 1/3))", "declared variables and decimals"),
        (f"{DECLARED}(assert (<= X_0 (exp 1)))", "needs terms of"),
        (f"{DECLARED}(assert (<= X_0))", "needs conditions of"),
        (f"{DECLARED}(assert (=> (<= X_0 1) (<= X_1 1)))", "needs conditions of"),
        (f"{DECLARED}(assert X_0)", "needs conditions of"),
        (f"{DECLARED}(assert)", "with one condition"),
        (f"{DECLARED}(minimize X_0)", "needs declare-const"),
        (f"{DECLARED}(assert (<= X_0 1)", "needs every bracket closed but property ends inside the one of line 5"),
        (f"{DECLARED}(assert (<= X_0 1)))", "needs words inside of round brackets but line 5 of property has"),
        (f"{DECLARED}X_0", "needs words inside of round brackets"),
        (f'{DECLARED}(assert "text")', "needs words inside of round brackets"),
        ("(" * 200, "needs at most 100 levels of brackets"),
        (f"{DECLARED}(assert ())", "needs conditions of"),
    ],
)
def test_bad_files_are_refused(text, complaint):
    with pytest.raises(FileError) as caught:
        parse_vnnlib(text)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("VNN-LIB needs ") and str(caught.value).endswith(".")


def test_explosions_are_refused():
    either = "(assert (or (<= Y_0 {0}) (>= Y_1 {0})))"
    with pytest.raises(FileError, match="once `or` is multiplied out"):
        parse_vnnlib(DECLARED + "".join(either.format(i) for i in range(40)))


def test_files(tmp_path):
    with pytest.raises(FileError, match="needs a readable text file"):
        read_vnnlib(tmp_path / "none.vnnlib")
    (tmp_path / "binary.vnnlib").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="needs a readable text file"):
        read_vnnlib(tmp_path / "binary.vnnlib")
    (tmp_path / "some.vnnlib").write_text(DECLARED, encoding="utf-8")
    assert read_vnnlib(tmp_path / "some.vnnlib").label == "some.vnnlib"


FORMULAS = st.recursive(
    st.builds(
        "({} {} {})".format,
        st.sampled_from(["<=", ">=", "<", ">", "="]),
        st.sampled_from(["X_0", "X_1", "Y_0", "(+ Y_0 Y_1)", "(- X_0 (* 2 X_1))"]),
        st.sampled_from(["0", "1", "-1", "0.5"]),
    ),
    lambda parts: st.one_of(
        st.builds("(not {})".format, parts),
        st.lists(parts, min_size=1, max_size=3).map(lambda each: f"(and {' '.join(each)})"),
        st.lists(parts, min_size=1, max_size=3).map(lambda each: f"(or {' '.join(each)})"),
    ),
    max_leaves=6,
)


def value_of(text: str, names: dict[str, Fraction]) -> object:
    """Evaluate a condition or a term directly."""
    tokens = iter(text.replace("(", " ( ").replace(")", " ) ").split())

    def item(token: str) -> object:
        if token != "(":
            return names[token] if token in names else Fraction(token)
        head, values = next(tokens), []
        for inner in iter(lambda: next(tokens), ")"):
            values.append(item(inner))
        compare = {"<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b}
        compare |= {">": lambda a, b: a > b, "=": lambda a, b: a == b}
        if head in compare:
            return compare[head](*values)
        if head in ("and", "or"):
            return all(values) if head == "and" else any(values)
        if head == "not":
            return not values[0]
        return values[0] * values[1] if head == "*" else values[0] + values[1] if head == "+" else values[0] - values[1]

    return item(next(tokens))


@settings(max_examples=60)
@given(FORMULAS)
def test_normal_form_says_the_same(formula):
    values = (Fraction(-1), Fraction(0), Fraction(1, 2), Fraction(1))
    unsafe = parse_vnnlib(f"{DECLARED}(assert {formula})")
    for x0, x1, y0, y1 in itertools.product(values, repeat=4):
        expected = value_of(formula, {"X_0": x0, "X_1": x1, "Y_0": y0, "Y_1": y1})
        assert (find_violation(unsafe, (x0, x1), (y0, y1)) is not None) == expected


@settings(max_examples=100)
@given(st.text(alphabet="()XY_01 <=>+-*/.eandortassdeclre-constReal;\n", max_size=80), st.booleans())
def test_any_text_is_read_or_refused(text, is_declared):
    try:
        parse_vnnlib(DECLARED + text if is_declared else text)
    except FileError as error:
        assert str(error).startswith("VNN-LIB needs ")


@pytest.mark.skipif(not MODELS.is_dir(), reason="the folder of trained networks is not there")
def test_published_properties():
    found = {i: read_vnnlib(MODELS / f"prop_{i}.vnnlib") for i in (1, 2, 3, 4, 6)}
    assert all((each.n_inputs, each.n_outputs) == (5, 5) for each in found.values())
    assert [len(each.cases) for each in found.values()] == [1, 1, 1, 1, 2]
    assert [len(each.cases[0].outputs) for each in found.values()] == [1, 1, 1, 1, 4]
    assert [len(each.cases[0].outputs[0].rows) for each in found.values()] == [1, 4, 4, 4, 1]
    assert found[4].cases[0].inputs.lower[2] == found[4].cases[0].inputs.upper[2] == 0
    assert found[6].cases[1].inputs.upper[0] == Fraction(700434925, 10**9)
