"""Claims of paper 004: verdicts, their evidence, and the examples of an independent analysis."""

from __future__ import annotations

from fractions import Fraction

import cases
import pytest

from polyrelu import Domain, Network
from polyrelu.analysis.claims.exact_layers import Dense, LeakyRelu, MaxPool, Norm, Relu, layers_of, values_at
from polyrelu.analysis.claims.exact_tropex import extract, extracted_value
from polyrelu.analysis.claims.model import Subject
from polyrelu.analysis.claims.registry import claim_named, try_claim
from polyrelu.analysis.claims.tropex_paper import CLAIMS
from polyrelu.analysis.claims.tropex_samples import mixed_layers, points_of_cell, terms_are_largest
from polyrelu.analysis.claims.tropex_table import _merge_all_largest, _scaled_first, _scaled_with_sign
from polyrelu.errors import InputError


def vector(*values):
    return tuple(Fraction(v) for v in values)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts_are_as_expected_and_checked(claim):
    trial = try_claim(claim)
    assert trial.refusal == ""
    assert trial.finding.outcome is claim.expected


def test_denominator_of_equation_2():
    network = Network.from_arrays([([[2], [2], [-5]], [4, -1, -3]), ([[2, -3, 5], [1, 0, -5]], [3, 5])])
    layers = layers_of(network)
    found = extract(layers, [vector("15/7"), vector("-6/7"), vector("2/7"), vector("33/7")])
    x = vector("15/7")
    assert extracted_value(found, x, own_denominator=True) == vector("137/7", "93/7")
    assert values_at(layers, x) == vector("68/7", "93/7")
    assert max(extracted_value(found, x)) == Fraction(93, 7)


def test_only_the_own_label_agrees():
    layers = layers_of(cases.load_network("tropex_label_gap"))
    found = extract(layers, [vector(0)])
    # relu(0) = relu(-0): the datum lies on a kink, where the extracted function need not be the network
    assert extracted_value(found, vector(1))[0] != values_at(layers, vector(1))[0]


def test_printed_rows_of_the_table_fail_as_they_should():
    layers = (Norm(vector(2), vector(3)), Dense((vector(5),), vector(4)))
    point = vector("3/2")
    assert values_at(layers, point) == vector(34)
    assert extracted_value(extract(layers, [point]), point) == vector(34)
    wrong = extracted_value(extract(layers, [point], merge=_scaled_first), point)
    assert wrong == (Fraction(34) + 5 * 3 * (2 - 1),)
    tied = (MaxPool(((0, 1),)), Dense((vector(3),), vector(0)))
    all_kept = extract(tied, [vector(1, 1)], merge=lambda *row: _merge_all_largest(vector(1, 1), *row))
    assert (values_at(tied, vector(1, 1)), extracted_value(all_kept, vector(1, 1))) == (vector(3), vector(6))
    first, last = Dense((vector(1), vector(-1)), vector(0, 0)), Dense((vector(-1, 1),), vector(0))
    assert not terms_are_largest((first, LeakyRelu(Fraction(3)), last), [vector(-2)])
    assert terms_are_largest((first, LeakyRelu(Fraction(1, 3)), last), [vector(-2), vector(2), vector(0)])


def test_negative_scales_need_the_corrected_row():
    layers = mixed_layers(1, "signed norm")
    points = [vector(k, -k, 1) for k in range(-2, 3)]
    right, wrong = extract(layers, points), extract(layers, points, merge=_scaled_with_sign)
    assert [max(extracted_value(right, x)[i] for i in {*right.labels}) for x in points] == [
        max(values_at(layers, x)) for x in points
    ]
    assert min(a for term in wrong.minus for a in term.slopes) != min(a for term in right.minus for a in term.slopes)


def test_points_of_a_cell_have_its_pattern():
    network = cases.load_network("width2_bounded_cell")
    start = vector("1/4", "1/4")
    points = points_of_cell(layers_of(network), start, 0)
    assert len(points) > 2
    assert {network.exact.pattern_at(x) for x in points} == {network.exact.pattern_at(start)}


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("004-algorithm-3.1", "true"), ("004-theorem-3.3-2", "true-under"), ("004-neighbourhoods", "false")],
)
def test_claims_about_one_network(name, verdict):
    network = Network.from_arrays([([[1], [-1]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])])
    trial = try_claim(claim_named(name), Subject(network, Domain.all(1)))
    assert (trial.finding.outcome.value, trial.refusal) == (verdict, "")


def test_networks_of_other_kinds_are_refused():
    from polyrelu.network.activation import leaky_relu

    network = Network.from_arrays([([[1], [-1]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])], activation=leaky_relu(0.25))
    with pytest.raises(InputError, match="hidden neurons all have a ReLU"):
        claim_named("004-eq-2").decide(Subject(network, Domain.all(1)))
    assert values_at((Relu(),), vector(-1, 2)) == vector(0, 2)
