"""Claims of paper 001: verdicts, the XOR networks, small widths, and convexity of linear regions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cases
import pytest

from polyrelu import Domain, Network, Pattern, tessellate
from polyrelu.analysis.claims.convex_unions import dent_evidence, find_dent
from polyrelu.analysis.claims.local_maps_paper import CLAIMS, DRAWN, FIGURE_1, _printed_values_are_positive
from polyrelu.analysis.claims.local_maps_xor import map_rows, xor_network, zero_one_network
from polyrelu.analysis.claims.model import Subject
from polyrelu.analysis.claims.registry import claim_named, try_claim
from polyrelu.analysis.claims.sign_sets import bounded_components
from polyrelu.errors import CertificateError, InputError


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts_are_as_expected_and_checked(claim):
    trial = try_claim(claim)
    assert trial.refusal == ""
    assert trial.finding.outcome is claim.expected


def test_networks_are_those_of_the_cases():
    assert xor_network(1).hash == cases.load_network("xor_printed").hash
    assert xor_network(2).hash == cases.load_network("xor_repaired_pm1").hash
    assert zero_one_network().hash == cases.load_network("xor_01").hash


def test_maps_are_those_of_the_reference():
    for cell in cases.load_detail("xor_printed").cells:
        [[constant, *slopes]] = cell["affine"]
        [row] = map_rows(xor_network(1), Pattern.parse(cell["code"]))
        assert row == tuple(map(Fraction, [*slopes, constant]))


def test_figure_1_at_the_point_of_the_reference():
    point = tuple(Fraction(v, 5075) for v in (-4162, 314, -4491))
    network = Network.from_arrays([*FIGURE_1, ([[1, 1, 1]], [0])])
    assert _printed_values_are_positive(point)
    assert not _printed_values_are_positive(tuple(-v for v in point))
    assert str(network.exact.pattern_at(point)) == "101|111" != DRAWN
    assert tessellate(network).n_regions == 8


@pytest.mark.parametrize(
    ("name", "case", "verdict"),
    [
        ("001-eq-3.1", "thick_zero_2d", "true"),
        ("001-eq-3.1", "rint_3_4_3_1_s14", "true"),
        ("001-convex-portions", "xor_printed", "true"),
        ("001-convex-portions", "dead_layer_2d", "true"),
        ("001-convex-portions", "rint_2_6_6_1_s6", "true"),
        ("001-width-2", "width2_bounded_cell", "false"),
        ("001-width-2", "xor_printed", "true"),
        ("001-decision-sets", "width2_bounded_cell", "true"),
        ("001-region-growth", "int8_2_8_8_3_s33", "true"),
        ("001-eqs-5.2-5.4", "xor_01", "definition"),
    ],
)
def test_claims_about_one_network(name, case, verdict):
    network = cases.load_network(case)
    trial = try_claim(claim_named(name), Subject(network, Domain.all(network.dim)))
    assert (trial.finding.outcome.value, trial.refusal) == (verdict, "")


def test_the_bounded_cell_of_the_reference():
    network = cases.load_network("width2_bounded_cell")
    trial = try_claim(claim_named("001-width-2"), Subject(network, Domain.all(2)))
    assert "11|01" in trial.finding.description
    assert "its map differs from those of all its neighbours" in trial.finding.description


def test_a_dent_and_what_proves_it():
    corner = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[-1, -1]], [1]), ([[1]], [0])])
    tessellation = tessellate(corner)
    dent = find_dent(tessellation)
    evidence = dent_evidence(tessellation, dent)
    evidence.check()
    p, q, r = evidence.points
    with pytest.raises(CertificateError):
        replace(evidence, points=(p, r, q)).check()
    assert [corner.exact(x)[0] > 0 for x in dent.points].count(True) in (1, 2)


def test_bounded_parts_of_sign_sets():
    moat = Network.from_arrays([([[1], [1], [1], [1]], [0, -1, -2, -3]), ([[1, -2, 2, -2]], [-0.5])])
    # -1/2 up to x = 0, then a tooth up to 1/2, down to -1/2, up again, and constant slope -1 from 3 on
    parts = bounded_components(moat)
    assert len(parts) == 3
    touching = Network.from_arrays([([[1], [-1], [1]], [0, 0, -2]), ([[-1, -1, 2]], [0])])
    assert bounded_components(touching) == (("100|0", "101|0"),)  # f(0) = 0 parts x < 0 from 0 < x < 4


def test_wide_networks_are_refused():
    network = cases.load_network("int8_2_8_8_3_s33")
    with pytest.raises(InputError, match="no layer wider than its 2 inputs"):
        claim_named("001-width-2").decide(Subject(network, Domain.all(2)))
    two_outputs = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[1, 1], [1, -1]], [0, 0])])
    with pytest.raises(InputError, match="needs one output but received 2"):
        claim_named("001-decision-sets").decide(Subject(two_outputs, Domain.all(2)))
    with pytest.raises(InputError, match="needs all inputs as its domain"):
        claim_named("001-decision-sets").decide(
            Subject(cases.load_network("width2_bounded_cell"), Domain.box([-1, -1], [1, 1]))
        )
