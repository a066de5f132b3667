"""Networks in full as differences of max-plus polynomials, with proofs and redundant terms."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import first_regions, grid_points, with_outputs
from strategies import networks, random_networks, sliced_networks

from polyrelu.analysis.claims.exact_layers import layers_of
from polyrelu.analysis.claims.exact_tropex import all_terms
from polyrelu.analysis.tropex.decomposition import TropicalDecomposition, decompose
from polyrelu.analysis.tropex.decomposition_proof import DecompositionProof, RegionTerms, decide_decomposition
from polyrelu.analysis.tropex.polynomials import MaxPolynomial, decide_term_needed, remove_redundant
from polyrelu.certificate.verdict import check_verdict
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.split import enumerate_split
from polyrelu.errors import BudgetError, CertificateError, InputError, NetworkError
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import ABS, HARD_TANH
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import gaussian, xor

HAT = Network.from_arrays([([[1], [1], [1]], [0, -1, -2]), ([[1, -2, 1]], [0])])


@settings(max_examples=60, deadline=None)
@given(networks((1, 2), max_neurons=5) | sliced_networks((1, 2), max_neurons=4) | random_networks((1, 2), 6))
def test_a_decomposition_is_the_network_without_a_term_too_many(network):
    found = decompose(network)
    assert max(each.n_terms for each in found.polynomials) <= found.n_regions == tessellate(network).n_regions
    for point in grid_points(Domain.box([-2] * network.dim, [2] * network.dim), 3):
        assert found.value(point) == network.exact(point)
    verdict = decide_decomposition(network, found)
    assert verdict.holds and isinstance(verdict.evidence, RegionTerms)
    check_verdict(verdict)
    for polynomial in found.polynomials:
        assert remove_redundant(polynomial).n_terms == polynomial.n_terms


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_several_outputs_and_three_inputs(data):
    network = data.draw(networks((2, 3), max_neurons=4, max_layers=2))
    n_units = network.output.n_inputs
    rows = data.draw(st.lists(st.lists(st.integers(-2, 2), min_size=n_units, max_size=n_units), min_size=2, max_size=3))
    network = with_outputs(network, rows)
    found = decompose(network)
    assert len(found.plus) == len(rows)
    check_verdict(decide_decomposition(network, found))
    shifted = found.nonnegative()
    columns = zip(*(row for each in shifted.polynomials for row in each.rows.to_fractions()), strict=True)
    assert all(min(column) == 0 for column in columns)
    assert decide_decomposition(network, shifted)


@settings(max_examples=15, deadline=None)
@given(networks((2, 3), max_neurons=4), st.sampled_from([enumerate_split, enumerate_brute]))
def test_all_enumerations_give_the_same_polynomials_and_proofs(network, method):
    found = decompose(network)
    assert [each.rows for each in decompose(network, method=method).polynomials] == [e.rows for e in found.polynomials]
    verdict = decide_decomposition(network, found, method=method)
    assert verdict.holds and isinstance(verdict.evidence, RegionTerms)
    check_verdict(verdict)


@pytest.mark.parametrize(("widths", "seed"), [([2, 3, 3, 2], 0), ([2, 4, 3], 1), ([1, 3, 3, 1], 2)])
def test_all_choices_give_the_same_function_with_no_more_terms_after_removal(widths, seed):
    """The families of Lemma 3.2 in full, from all masks: the same outputs, and redundant terms that go away."""
    network = gaussian(widths, seed=seed)
    *plus, minus = (
        remove_redundant(MaxPolynomial.from_rows([(*term.slopes, term.constant) for term in family]))
        for families in [all_terms(layers_of(network), network.dim)]
        for family in (*families[0], families[1])
    )
    full, found = TropicalDecomposition(tuple(plus), minus, 1), decompose(network)
    verdict = decide_decomposition(network, full)
    assert verdict.holds and isinstance(verdict.evidence, RegionTerms)
    check_verdict(verdict)
    n_regions = tessellate(network).n_regions
    assert all(each.n_terms <= n_regions for each in (*full.polynomials, *found.polynomials))


def test_terms_of_a_hat_in_the_plane_of_slopes_and_constants():
    found = decompose(HAT)
    assert str(found) == "f0 = max(2 x - 2, x, 0) - max(2 x - 2, 0)"
    # Dual points (slope, constant): (1, -1) is the middle of (2, -2) and (0, 0), below (1, 0).
    below = MaxPolynomial.from_rows([[2, -2], [1, 0], [0, 0], [1, -1]])
    assert [decide_term_needed(below, term).holds for term in range(4)] == [True, True, True, False]
    assert remove_redundant(below).rows == found.plus[0].rows


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2), st.data())
def test_every_term_is_needed_or_below_a_mean(dim, data):
    numbers = st.integers(-2, 2).map(Fraction) | st.fractions(-2, 2, max_denominator=3)
    rows = data.draw(st.lists(st.lists(numbers, min_size=dim + 1, max_size=dim + 1), min_size=1, max_size=6))
    polynomial = MaxPolynomial.from_rows(rows)
    for term in range(len(rows)):
        verdict = decide_term_needed(polynomial, term)
        check_verdict(verdict)
        if verdict.holds:
            others = [row for i, row in enumerate(rows) if i != term]
            assert not others or MaxPolynomial.from_rows(others).value(verdict.value) < polynomial.value(verdict.value)
    reduced = remove_redundant(polynomial)
    assert all(decide_term_needed(reduced, term) for term in range(reduced.n_terms))
    for point in grid_points(Domain.box([-2] * dim, [2] * dim), 3) if dim else [()]:
        assert reduced.value(point) == polynomial.value(point)


@pytest.mark.parametrize("seed", range(3))
def test_each_term_is_one_linear_region_of_its_maximum(seed):
    found = decompose(gaussian([2, 4, 3, 2], seed=seed))
    for polynomial in found.polynomials:
        network = TropicalDecomposition((polynomial,), MaxPolynomial.from_rows([[0, 0, 0]]), 1).to_network()
        assert tessellate(network).n_linear_regions == polynomial.n_terms <= found.n_regions


def test_affine_networks_and_units_without_inputs():
    line = Network.from_arrays([([[2, -1]], [3])])
    assert str(decompose(line)) == "f0 = 2 x - y + 3 - 0"
    constant = Network.from_arrays([([[0, 0]], [0]), ([[5]], [-1])])
    assert decompose(constant).value([1, 2]) == (-1,)
    check_verdict(decide_decomposition(constant, decompose(constant)))


def test_functions_that_fall_or_are_not_convex():
    for function in (ABS, HARD_TANH):
        network = Network.from_arrays([([[1]], [0]), ([[-1]], [0]), ([[1]], [0])], activation=function)
        check_verdict(decide_decomposition(network, decompose(network)))
    clipped = decompose(Network.from_arrays([([[1]], [0]), ([[1]], [0])], activation=HARD_TANH))
    assert str(clipped) == "f0 = max(x, -1) - max(x - 1, 0)"


def test_polynomials_that_bend_where_the_network_does_not_are_compared_on_common_regions():
    found = decompose(HAT)
    bends = [[3, 1], [-1, 0]]
    rows = [each.rows.to_fractions() for each in found.polynomials]
    plus, minus = (
        MaxPolynomial.from_rows([[a + b for a, b in zip(row, more, strict=True)] for row in family for more in bends])
        for family in rows
    )
    verdict = decide_decomposition(HAT, TropicalDecomposition((plus,), minus, 4))
    assert verdict.holds and isinstance(verdict.evidence, DecompositionProof)
    check_verdict(verdict)


def test_a_term_too_many_is_proved_redundant_or_refutes():
    found = decompose(HAT)
    low, high = ([*found.plus[0].rows.to_fractions(), row] for row in ([1, -1], [1, 1]))
    verdict = decide_decomposition(HAT, replace(found, plus=(MaxPolynomial.from_rows(low),)))
    assert verdict.holds and len(verdict.evidence.redundant[0]) == 1
    check_verdict(verdict)
    verdict = decide_decomposition(HAT, replace(found, plus=(MaxPolynomial.from_rows(high),)))
    assert verdict.holds is False
    check_verdict(verdict)
    # Larger only between two witnesses: at the middle of the network's one long region nothing shows.
    spike = MaxPolynomial.from_rows([*found.plus[0].rows.to_fractions(), [1000, -5000]])
    wrong = replace(found, plus=(spike,))
    verdict = decide_decomposition(HAT, wrong)
    assert verdict.holds is False and HAT.exact(verdict.value) != wrong.value(verdict.value)


def test_a_changed_proof_is_refused():
    network = gaussian([2, 3, 2], seed=3)
    found = decompose(network)
    proof = decide_decomposition(network, found).evidence
    for region, family in np.ndindex(proof.terms.shape):
        changed = proof.terms.copy()
        changed[region, family] = (changed[region, family] + 1) % found.polynomials[family].n_terms
        if (changed != proof.terms).any():
            with pytest.raises(CertificateError):
                replace(proof, terms=changed).check()
    for terms in (proof.terms.astype(float), proof.terms[:-1]):
        with pytest.raises(CertificateError, match="a term of each polynomial for each region"):
            replace(proof, terms=terms).check()
    rows = found.plus[0].rows.to_fractions()
    rows[0][-1] += Fraction(1, 1000)
    wrong = replace(found, plus=(MaxPolynomial.from_rows(rows), *found.plus[1:]))
    with pytest.raises(CertificateError, match=r"difference is the network's map|convex across facets"):
        replace(proof, decomposition=wrong).check()
    more = MaxPolynomial.from_rows([*found.minus.rows.to_fractions(), [9, 9, 9]])
    with pytest.raises(CertificateError, match="a proof for each other term"):
        replace(proof, decomposition=replace(found, minus=more)).check()
    with pytest.raises(CertificateError, match="regions of the network"):
        replace(proof, network=xor()).check()


def test_terms_that_are_not_convex_are_refused():
    """Minima instead of maxima have the right map on each region."""
    network = Network.from_arrays([([[1]], [0]), ([[1]], [0])])
    right = TropicalDecomposition((MaxPolynomial.from_rows([[1, 0], [0, 0]]),), MaxPolynomial.from_rows([[0, 0]]), 2)
    proof = decide_decomposition(network, right).evidence
    upside_down = TropicalDecomposition(
        (MaxPolynomial.from_rows([[0, 0], [-1, 0]]),), MaxPolynomial.from_rows([[-1, 0], [0, 0]]), 2
    )
    terms = np.array([[0, 0] if right.plus[0].rows.row(t)[0] else [0, 1] for t in proof.terms[:, 0].tolist()])
    flipped = replace(upside_down, plus=(MaxPolynomial.from_rows([[0, 0], [0, 0]]),))
    with pytest.raises(CertificateError, match="convex across facets"):
        replace(proof, decomposition=flipped, terms=terms, redundant=((), ())).check()


def test_budgets_give_lower_bounds():
    network = gaussian([2, 4, 4, 1], seed=1)
    found = decompose(network)
    with pytest.raises(BudgetError, match="`decompose` needs more than 5 terms") as caught:
        decompose(network, max_terms=5)
    part = caught.value.partial
    for point in grid_points(Domain.box([-2, -2], [2, 2]), 3):
        pairs = zip(part.polynomials, found.polynomials, strict=True)
        assert all(some.value(point) <= full.value(point) for some, full in pairs)
    assert part.n_terms == 6
    assert decide_decomposition(network, found, max_regions=3, method=first_regions).holds is None
    with pytest.raises(BudgetError, match="used up") as caught:
        decompose(network, max_regions=3, method=first_regions)
    assert caught.value.partial.n_regions == 3


def test_what_does_not_fit_is_refused():
    with pytest.raises(NetworkError, match="one input dimension"):
        decide_decomposition(xor(), decompose(HAT))
    with pytest.raises(NetworkError, match="equally many outputs"):
        decide_decomposition(gaussian([1, 2, 2], seed=0), decompose(HAT))
    with pytest.raises(InputError, match="polynomials with one number of inputs"):
        TropicalDecomposition((MaxPolynomial.from_rows([[1, 2]]),), MaxPolynomial.from_rows([[1]]), 1)
    with pytest.raises(InputError, match="a point of 1 coordinates but received 2"):
        MaxPolynomial.from_rows([[1, 2]]).value([0, 0])
    with pytest.raises(InputError, match="a name for each of 1 inputs"):
        MaxPolynomial.from_rows([[1, 2]]).to_text(["x", "y"])
