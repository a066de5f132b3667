"""Algorithm 3.1 in rationals against the terms of an independent program, and against full expansions."""

from __future__ import annotations

from fractions import Fraction

import cases
import pytest

from polyrelu.analysis.claims.exact_layers import (
    Choice,
    Conv,
    Dense,
    LeakyRelu,
    MaxPool,
    Norm,
    Relu,
    as_dense,
    choices_at,
    values_at,
)
from polyrelu.analysis.claims.exact_tropex import Term, all_terms, extract, extracted_value, merge_layer


def vector(values):
    return tuple(Fraction(v) for v in values)


def layer_of(record):
    kind, *data = record
    match kind:
        case "dense":
            return Dense(tuple(map(vector, data[0])), vector(data[1]))
        case "relu":
            return Relu()
        case "bn":
            return Norm(vector(data[0]), vector(data[1]))
        case "maxpool":
            return MaxPool(tuple(map(tuple, data[0])))
    raise AssertionError(kind)


CASES = cases.read("tropex.json")["cases"]


def outputs(values):
    return [None if v is None else Fraction(v) for v in values]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_terms_and_values_are_those_of_the_reference(case):
    layers = tuple(map(layer_of, case["layers"]))
    points = [vector(x) for x in case["X"]]
    found = extract(layers, points)
    assert list(found.labels) == case["labels"]
    assert [list(values_at(layers, x)) for x in points] == [outputs(y) for y in case["N_at_X"]]
    assert list(found.plus) == [Term(vector(term["A"]), Fraction(term["a"])) for term in case["plus"]]
    assert list(found.minus) == [Term(vector(term["A"]), Fraction(term["a"])) for term in case["minus"]]
    assert [list(extracted_value(found, x)) for x in points] == [outputs(y) for y in case["NX_at_X"]]
    for probe in case["probes"]:
        assert list(values_at(layers, vector(probe["x"]))) == outputs(probe["N"])
        assert list(extracted_value(found, vector(probe["x"]))) == outputs(probe["NX"])


def test_full_expansion_is_the_network():
    layers = (
        Dense(tuple(map(vector, [[1, -2], [-3, 1]])), vector([1, -1])),
        LeakyRelu(Fraction(1, 3)),
        Dense(tuple(map(vector, [[2, -1], [-1, -1]])), vector([0, 3])),
        MaxPool(((0, 1), (1,))),
        Dense(tuple(map(vector, [[1, -2], [-1, 3]])), vector([0, -1])),
    )
    plus, minus = all_terms(layers, 2)
    assert len(minus) == 4 * 2
    for x in (vector([0, 0]), vector([1, -2]), vector(["-5/3", "7/2"])):
        below = max(term.at(x) for term in minus)
        assert tuple(max(t.at(x) for t in family) - below for family in plus) == values_at(layers, x)
        own = extract(layers, [x, x], labels=[0, 1])  # both labels have data, as in the families
        assert (own.minus[0].at(x), own.plus[1].at(x)) == (below, max(t.at(x) for t in plus[1]))


def test_convolution_is_its_matrix():
    conv = Conv(((vector([1, -2]), vector([3, 0])), (vector([-1, 1]), vector([0, 5]))), vector([1, -1]), 3)
    dense, x = as_dense(conv), vector([1, 2, 3, 4, 5, -6])
    assert values_at([conv], x) == values_at([dense], x) == vector([10, 12, 25, -30])
    term, highest = Term(vector([1, 2, 3, 4]), Fraction(7)), vector([5, 6, 7, 8])
    choice = choices_at([conv, conv], x)[0]
    assert merge_layer(conv, choice, highest, [term]) == merge_layer(dense, choice, highest, [term])


def test_negative_scales_count_as_dense_layers():
    term, highest = Term(vector([1, 2]), Fraction(0)), vector([3, 3])
    nothing = Choice((), 2)
    above, [moved] = merge_layer(Norm(vector([2, -3]), vector([1, 1])), nothing, highest, [term])
    assert above == vector([6, 9])
    assert moved == Term(vector([2, 3]), Fraction(3))  # 2 * 1 and 9 - 3 * 2; 1 * 1 + 2 * 1


def test_windows_that_overlap_add_up():
    layers = (MaxPool(((0, 1), (1, 2))), Dense((vector([1, 1]),), vector([0])))
    found = extract(layers, [vector([0, 5, 1])])
    assert found.plus == (Term(vector([0, 2, 0]), Fraction(0)),)
    above, _ = merge_layer(layers[0], choices_at(layers, vector([0, 5, 1]))[0], vector([1, 1]), [])
    assert above == vector([1, 2, 1])
