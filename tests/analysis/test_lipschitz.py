"""Local Lipschitz constants and the exact comparison of eigenvalues."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import brute_regions, first_regions, mutations, with_outputs
from strategies import domains, flat_domains, networks

from polyrelu.analysis.lipschitz import local_lipschitz
from polyrelu.analysis.spectrum import count_roots, eigenvalue_polynomial, is_bounded_by, is_root, largest_factor
from polyrelu.certificate.verdict import check_verdict
from polyrelu.errors import CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.testing import gaussian, telgarsky, thick_zero, xor

SQUARE = Domain.box([-1, -1], [1, 1])
GOLDEN = Network.from_arrays([([[1, 1], [1, 0]], [0, 0])])
"""Its largest singular value is the golden ratio, whose square is the larger root of t² - 3 t + 1."""


def test_a_sawtooth_is_as_steep_as_its_teeth():
    for norm in (1, 2, "inf"):
        verdict = local_lipschitz(telgarsky(3), Domain.unit(1), norm)
        assert verdict.value.value == 8
        check_verdict(verdict)


def test_the_golden_ratio():
    verdict = local_lipschitz(GOLDEN, SQUARE, 2, "1/10000000000")
    assert verdict.value.polynomial == (1, -3, 1) and verdict.value.value is None
    assert verdict.value.upper - verdict.value.lower <= Fraction(1, 10**10)
    assert verdict.value.lower < Fraction(1 + math.isqrt(5 * 10**40), 2) / 10**20 + 1
    assert abs(float(verdict.value) - (1 + math.sqrt(5)) / 2) < 1e-9
    check_verdict(verdict)
    assert [local_lipschitz(GOLDEN, SQUARE, norm).value.value for norm in (1, "inf")] == [2, 2]


def test_a_constant_network_has_none():
    constant = Network.from_arrays([([[0, 0]], [3])])
    for norm in (1, 2, "inf"):
        verdict = local_lipschitz(constant, SQUARE, norm)
        assert verdict.value.value == 0
        check_verdict(verdict)


def test_equal_norms_of_different_maps():
    """|x| + |y| has four maps of norm √2, whose squares no bisection parts."""
    cone = Network.from_arrays([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[1, 1, 1, 1]], [0])])
    verdict = local_lipschitz(cone, SQUARE, 2)
    assert verdict.value.polynomial == (-2, 1)
    check_verdict(verdict)


def test_norms_that_floats_do_not_part():
    tiny = 2.0**-52
    network = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1 + tiny]], [0])])
    verdict = local_lipschitz(network, Domain.box([-1], [1]), 2, 1)
    assert verdict.value.value == Fraction(1 + tiny) and str(verdict.value.pattern) == "01"
    check_verdict(verdict)


def test_flat_domains_measure_along_the_domain():
    face = Domain.box([0, 1], [1, 1])
    for norm in (1, 2, "inf"):
        verdict = local_lipschitz(GOLDEN, face, norm)
        expected = {1: 2, "inf": 1}.get(norm)
        assert expected is None or verdict.value.value == expected
        check_verdict(verdict)
    assert local_lipschitz(GOLDEN, face, 2).value.polynomial == (-2, 1)
    diagonal = Domain.from_halfspaces([[1, -1], [-1, 1]], [0, 0])
    verdict = local_lipschitz(GOLDEN, diagonal, 2)  # (1, 1) becomes (2, 1): √(5 / 2)
    assert verdict.value.polynomial == (-5, 2)
    check_verdict(verdict)
    with pytest.raises(InputError, match="parallel to the axes"):
        local_lipschitz(GOLDEN, diagonal, 1)
    point = local_lipschitz(GOLDEN, Domain.box([0, 0], [0, 0]), 2)
    assert point.value.value == 0
    check_verdict(point)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_norms_agree_with_all_patterns(data):
    rows = data.draw(st.sampled_from([[[1, -1, 2]], [[1, -1, 2], [0, 3, -1]]]))
    network = with_outputs(data.draw(networks((1, 2, 3), max_neurons=4)), rows)
    domain = data.draw(domains(network.dim))
    matrices = [region.affine_map.matrix for region in brute_regions(network, domain)]
    largest = {
        1: max(max(sum(map(abs, column)) for column in zip(*m, strict=True)) for m in matrices),
        "inf": max(max(sum(map(abs, row)) for row in m) for m in matrices),
    }
    for norm, expected in largest.items():
        verdict = local_lipschitz(network, domain, norm)
        assert verdict.value.value == expected
        check_verdict(verdict)
    verdict = local_lipschitz(network, domain, 2, "1/1000")
    check_verdict(verdict)
    for matrix in matrices:
        gram = [[sum((a * b for a, b in zip(r, s, strict=True)), Fraction(0)) for s in matrix] for r in matrix]
        identity = [[Fraction(int(i == j)) for j in range(len(gram))] for i in range(len(gram))]
        assert is_bounded_by(gram, identity, verdict.value.upper**2)
    if network.n_out == 1:
        squares = [sum(v * v for v in matrix[0]) for matrix in matrices]
        square = Fraction(-verdict.value.polynomial[0], verdict.value.polynomial[1])
        assert len(verdict.value.polynomial) == 2 and square == max(squares)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_every_flat_domain_has_an_euclidean_norm(data):
    network = data.draw(networks((2, 3), max_neurons=4))
    domain = data.draw(flat_domains(network.dim))
    verdict = local_lipschitz(network, domain, 2)
    check_verdict(verdict)


def test_no_two_points_are_farther_apart_than_the_constant_allows():
    network = gaussian([2, 8, 8, 2], seed=7)
    found = {norm: local_lipschitz(network, SQUARE, norm).value.upper for norm in (1, 2, "inf")}
    random = np.random.default_rng(0)
    for a, b in random.uniform(-1, 1, (50, 2, 2)):
        outputs = [y - x for x, y in zip(network.exact(a), network.exact(b), strict=True)]
        inputs = [Fraction(y) - Fraction(x) for x, y in zip(a, b, strict=True)]
        assert sum(map(abs, outputs)) <= found[1] * sum(map(abs, inputs))
        assert max(map(abs, outputs)) <= found["inf"] * max(map(abs, inputs))
        assert sum(v * v for v in outputs) <= found[2] ** 2 * sum(v * v for v in inputs)


def test_a_slice_has_the_norm_of_its_map():
    plane = Slice.along([0, 0, 0], [2, 0, 0], [0, 0, 1])
    network = Network.from_arrays([([[1, 5, 0]], [0])]).restrict(plane)
    assert local_lipschitz(network, SQUARE, 2).value.value == 2


def test_a_changed_number_is_refused():
    tried = 0
    for network, norm in ((xor(), 1), (thick_zero(), "inf"), (xor(), 2), (GOLDEN, 2), (telgarsky(2), 2)):
        evidence = local_lipschitz(network, Domain.box([-1] * network.dim, [2] * network.dim), norm).evidence
        evidence.check()
        for wrong in mutations(evidence):
            tried += 1
            if evidence.found.value is None and wrong.found.upper > evidence.found.upper:
                wrong.check()  # wider bounds around the same root are true
                continue
            with pytest.raises(CertificateError):
                wrong.check()
    assert tried > 60


def test_small_changes_of_the_bounds_are_refused():
    evidence = local_lipschitz(xor(), SQUARE, 2).evidence
    found = evidence.found
    size = found.upper - found.lower
    for wrong in (
        replace(found, lower=found.upper, upper=found.upper + size),
        replace(found, lower=found.lower - size, upper=found.lower),
        replace(found, lower=found.upper, upper=found.lower),
        replace(found, polynomial=(-4, 2)),
        replace(found, polynomial=(4, -4, 1)),
        replace(found, polynomial=None),
        replace(found, norm=3),
        replace(found, region=(found.region + 1) % 3),
    ):
        with pytest.raises(CertificateError):
            replace(evidence, found=wrong).check()


def test_budgets():
    network = gaussian([2, 4, 4, 2])
    part = local_lipschitz(network, SQUARE, "inf", max_regions=3, method=first_regions)
    assert part.holds is None and part.value.value <= local_lipschitz(network, SQUARE, "inf").value.value


def test_what_is_no_norm_or_width_is_refused():
    with pytest.raises(InputError, match="norm 1, 2 or inf but received 3"):
        local_lipschitz(xor(), SQUARE, 3)
    with pytest.raises(InputError, match="width above 0 but received 0"):
        local_lipschitz(xor(), SQUARE, 2, 0)


def test_eigenvalues():
    gram, one = ([[Fraction(a), Fraction(b)], [Fraction(b), Fraction(a)]] for a, b in ((2, 1), (1, 0)))
    assert eigenvalue_polynomial(gram, one) == (3, -4, 1)
    assert is_bounded_by(gram, one, Fraction(3)) and not is_bounded_by(gram, one, 3 - Fraction(1, 10**30))
    assert is_root(gram, one, Fraction(1)) and not is_root(gram, one, Fraction(2))
    metric = [[Fraction(2), Fraction(1)], [Fraction(1), Fraction(2)]]
    assert eigenvalue_polynomial(gram, metric) == (1, -2, 1)
    assert is_bounded_by(gram, metric, Fraction(1)) and not is_bounded_by(gram, metric, Fraction(99, 100))
    assert not is_bounded_by([[Fraction(0), Fraction(1)], [Fraction(1), Fraction(0)]], one, Fraction(0))


def test_roots_are_counted_once_and_at_the_upper_end():
    assert count_roots((1, -2, 1), Fraction(0), Fraction(1)) == 1
    assert count_roots((1, -2, 1), Fraction(1), Fraction(2)) == 0
    assert count_roots((-2, 0, 1), Fraction(0), Fraction(2)) == 1
    assert count_roots((1, 0, 1), Fraction(-9), Fraction(9)) == 0
    assert count_roots((0, 1, -2, 1), Fraction(-1), Fraction(9)) == 2  # 0, and 1 twice
    assert largest_factor((-6, 1, 1), Fraction(0), Fraction(5)) == (-2, 1)
    assert largest_factor((-6, 1, 1), Fraction(-5), Fraction(5)) is None
