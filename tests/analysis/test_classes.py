"""Where a class is chosen, ties included."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import first_regions, grid_points, mutations, with_outputs
from strategies import bounded_domains, domains, networks

from polyrelu.analysis.classes import class_boundary, class_set, decide_class_everywhere, decide_class_nowhere
from polyrelu.certificate.verdict import check_verdict
from polyrelu.errors import CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.geometry import domain_area
from polyrelu.tessellation.level_sets import decision_boundary
from polyrelu.testing import gaussian, xor

SQUARE = Domain.box([0, 0], [2, 2])
CORNER = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1], [0, 0]], [0, 0, 1])])  # x, y, 1
HAT = Network.from_arrays([([[1], [-1]], [0, 0]), ([[0, 0], [1, 1]], [0, 0])])  # 0, |x|
TIED = Network.from_arrays([([[1]], [0]), ([[1], [1], [0]], [0, 0, -1])])  # relu(x), relu(x), -1


def test_three_classes_meet_in_a_point():
    sets = [class_set(CORNER, label, SQUARE) for label in range(3)]
    assert [found.volume for found in sets] == [Fraction(3, 2), Fraction(3, 2), 1]
    assert [tuple(map(str, piece.polyhedron.vertices)) for piece in sets[2].pieces] == [
        ("(Fraction(0, 1), Fraction(0, 1))", "(Fraction(0, 1), Fraction(1, 1))",
         "(Fraction(1, 1), Fraction(0, 1))", "(Fraction(1, 1), Fraction(1, 1))")
    ]  # fmt: skip
    borders = {pair: class_boundary(CORNER, *pair, SQUARE) for pair in ((0, 1), (0, 2), (1, 2))}
    segments = {pair: [p.polyhedron.vertices for p in found.pieces_of(1)] for pair, found in borders.items()}
    assert segments == {
        (0, 1): [((1, 1), (2, 2))],
        (0, 2): [((1, 0), (1, 1))],
        (1, 2): [((0, 1), (1, 1))],
    }
    for found in (*sets, *borders.values()):
        found.check()


def test_a_class_that_only_ties():
    assert class_set(HAT, 0).volume == 0
    assert [piece.point for piece in class_set(HAT, 0).pieces_of(0)] == [(0,)]
    assert not decide_class_nowhere(HAT, 0)
    assert decide_class_nowhere(HAT, 0, ties=False)
    assert decide_class_everywhere(HAT, 1)
    assert decide_class_everywhere(HAT, 1, ties=False).value == (0,)
    assert decide_class_nowhere(HAT, 0, Domain.box([1], [2]))


def test_classes_that_tie_everywhere():
    domain = Domain.box([-1], [1])
    both = [class_set(TIED, label, domain) for label in range(3)]
    assert [found.volume for found in both] == [2, 2, 0]
    assert class_boundary(TIED, 0, 1, domain).volume == 2
    assert decide_class_everywhere(TIED, 0, domain) and decide_class_everywhere(TIED, 1, domain)
    assert not decide_class_everywhere(TIED, 0, domain, ties=False)
    assert decide_class_nowhere(TIED, 0, domain, ties=False)
    assert decide_class_nowhere(TIED, 2)


def test_one_output_has_two_classes():
    shifted = replace(xor(), output=replace(xor().output, bias=np.array([-0.5])))
    inside, outside = (class_set(shifted, label, Domain.unit(2)) for label in (1, 0))
    assert (inside.volume, outside.volume) == (Fraction(3, 4), Fraction(1, 4))
    assert [len(class_boundary(shifted, *pair, Domain.unit(2)).pieces_of(1)) for pair in ((0, 1), (1, 0))] == [2, 2]
    assert decide_class_everywhere(shifted, 0, Domain.box([-1, -1], [0, 0]))
    assert decide_class_nowhere(shifted, 1, Domain.box([-1, -1], [0, 0]))
    assert decide_class_everywhere(shifted, 1, Domain.unit(2)).holds is False


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_classes_agree_with_evaluation(data):
    network = with_outputs(data.draw(networks((1, 2, 3), max_neurons=4)), [[1, -1, 2], [0, 3, -1], [1, 0, 1]])
    domain = data.draw(domains(network.dim))
    points = grid_points(domain, 2)
    values = [network.exact(point) for point in points]
    for label in range(3):
        found = class_set(network, label, domain)
        found.check()
        chosen = [value[label] == max(value) for value in values]
        alone = [value[label] == max(value) and value.count(max(value)) == 1 for value in values]
        assert [found.contains(point) for point in points] == chosen
        for ties, hits in ((True, chosen), (False, alone)):
            everywhere = decide_class_everywhere(network, label, domain, ties=ties)
            nowhere = decide_class_nowhere(network, label, domain, ties=ties)
            check_verdict(everywhere)
            check_verdict(nowhere)
            assert all(hits) or not everywhere.holds
            assert not any(hits) or not nowhere.holds
        assert decide_class_nowhere(network, label, domain).holds == found.is_empty
        full = len(found.pieces) == found.ground.tessellation.n_regions
        assert full or not decide_class_everywhere(network, label, domain).holds
        if not decide_class_nowhere(network, label, domain, ties=False).holds:
            assert found.pieces


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_volumes_of_classes_add_up(data):
    network = with_outputs(data.draw(networks((1, 2, 3), max_neurons=4)), [[1, -1, 2], [0, 3, -1]], [0, 1])
    domain = data.draw(bounded_domains(network.dim))
    sizes = [class_set(network, label, domain).volume for label in (0, 1)]
    assert sum(sizes) - class_boundary(network, 0, 1, domain).volume == domain_area(domain)


def test_boundaries_are_the_facets_that_a_refined_tessellation_finds():
    network = gaussian([2, 10, 10, 3], seed=5)
    domain = Domain.box([-1, -1], [1, 1])
    refined = decision_boundary(tessellate(network, domain))
    theirs = {frozenset(refined.segment(i).points) for i in range(len(refined))}
    pieces = [p for pair in ((0, 1), (0, 2), (1, 2)) for p in class_boundary(network, *pair, domain).pieces_of(1)]
    assert len(pieces) > 5
    assert {frozenset(piece.polyhedron.vertices) for piece in pieces} == theirs


def test_five_inputs():
    network = gaussian([5, 6, 3], seed=2)
    domain = Domain.box([-1] * 5, [1] * 5)
    sets = [class_set(network, label, domain) for label in range(3)]
    assert sum(found.volume for found in sets) == 2**5
    border = class_boundary(network, 0, 1, domain)
    assert all(piece.dim <= 4 for piece in border.all_pieces)
    border.check()


def test_permuted_outputs_permute_classes():
    network = gaussian([2, 8, 8, 3], seed=6)
    order = [2, 0, 1]
    permuted = replace(
        network, output=replace(network.output, weight=network.output.weight[order], bias=network.output.bias[order])
    )
    domain = Domain.box([-2, -2], [2, 2])
    assert [class_set(permuted, i, domain).volume for i in range(3)] == [
        class_set(network, order[i], domain).volume for i in range(3)
    ]


def test_a_changed_number_is_refused():
    tried = 0
    for verdict in (
        decide_class_everywhere(CORNER, 2, Domain.box([-1, -1], [1, 1])),
        decide_class_everywhere(CORNER, 2, Domain.box([-1, -1], ["1/2", "1/2"]), ties=False),
        decide_class_nowhere(CORNER, 0, Domain.box(["1/8", "1/8"], ["1/2", "1/2"])),
    ):
        assert verdict.holds
        for wrong in mutations(verdict.evidence):
            strict_only = getattr(wrong, "strict", None) != getattr(verdict.evidence, "strict", None)
            if strict_only:  # a stronger or a weaker statement, which may be true
                continue
            tried += 1
            with pytest.raises(CertificateError):
                wrong.check()
    assert tried > 30


def test_budgets():
    network, domain = gaussian([2, 4, 4, 2], seed=3), Domain.box([-9, -9], [9, 9])
    assert decide_class_nowhere(network, 0, domain, max_regions=1, method=first_regions).holds in (None, False)
    shifted = replace(network, output=replace(network.output, bias=network.output.bias + np.array([1000.0, 0.0])))
    assert decide_class_everywhere(shifted, 0, domain).holds is True
    assert decide_class_everywhere(shifted, 0, domain, max_regions=5, method=first_regions).holds is None
    assert decide_class_everywhere(shifted, 1, domain, max_regions=5, method=first_regions).holds is False


@pytest.mark.parametrize("label", [-1, 3])
def test_a_class_that_does_not_exist_is_refused(label):
    for ask in (class_set, decide_class_everywhere, decide_class_nowhere):
        with pytest.raises(InputError, match=f"3 but received {label}. Count from 0"):
            ask(CORNER, label)
