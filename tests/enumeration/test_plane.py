"""The plane enumeration against the oracle: patterns, and every corner and edge through the lines that make it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cases import Case, hash_lines, load_case, load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Complex, OracleRegion, find_regions, text
from oracle_cells import Point, Row, crossing, infinite_box, is_finite
from strategies import domains, flat_domains, networks, random_networks, sliced_networks

from polyrelu.enumeration.plane import PlaneRegions, enumerate_plane
from polyrelu.errors import BudgetError, DomainError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.testing import braid, gaussian, generic_arrangement

CASES = [case for case in load_cases() if case.dim <= 2]


def patterns_of(found: PlaneRegions) -> list[str]:
    return [text(digits) for digits in found.network.layout.unpack(found.words).tolist()]


def check_agreement(found: PlaneRegions, expected: Complex) -> None:
    """Check the regions, their corners in exact coordinates, and the lines through corners."""
    patterns = patterns_of(found)
    assert sorted(patterns) == sorted(expected.patterns)
    far = set(found.far_corners.tolist())
    further: dict[int, set[int]] = {}
    for corner, line in found.extra.tolist():
        further.setdefault(corner, set()).add(line)
    for pattern, start, stop in zip(patterns, found.indptr[:-1], found.indptr[1:], strict=True):
        region = expected.regions[expected.patterns.index(pattern)]
        edges = found.edges[start:stop].tolist()
        rows = [row_of(found, region, line) for line in edges]
        corners = [crossing([rows[i - 1], rows[i]]) for i in range(len(rows))]
        assert corners in list(rotations(region.cell.corners))
        assert [start + i in far for i in range(len(edges))] == [not is_finite(corner) for corner in corners]
        for i, corner in enumerate(corners):
            lines = {edges[i - 1], edges[i], *further.get(start + i, ())}
            assert {neuron_of(found, line) for line in lines if counts(found, region, line)} <= region.zeros_at(corner)


def row_of(found: PlaneRegions, region: OracleRegion, line: int) -> Row:
    """Return the affine function of a line, up to sign, in a region."""
    n_domain = len(found.domain.rows)
    if line >= found.first_line + n_domain:
        return infinite_box(2).sides[line - found.first_line - n_domain].row
    if line >= found.first_line:
        return (*map(Fraction, found.domain.rows[line - found.first_line]), Fraction(0))
    piece = region.pieces[neuron_of(found, line)]
    first, second = found.line_digits[line].tolist()
    if not piece.is_max:
        return piece.walls[first]
    assert piece.digit in (first, second)
    other = first + second - piece.digit
    return piece.walls[other - (other > piece.digit)]


def neuron_of(found: PlaneRegions, line: int) -> int:
    """Return the neuron whose digit changes across a line."""
    return int(found.unit_neuron[found.line_unit[line]])


def counts(found: PlaneRegions, region: OracleRegion, line: int) -> bool:
    """Return whether a neuron vanishes on a line: not a border, and no tie of inputs of a max unit that lose."""
    if line >= found.first_line:
        return False
    piece = region.pieces[neuron_of(found, line)]
    return not piece.is_max or piece.digit in found.line_digits[line]


def rotations(corners: tuple[Point, ...]) -> Iterator[list[Point]]:
    for i in range(len(corners)):
        yield [*corners[i:], *corners[:i]]


@given(st.data())
@settings(max_examples=300)
def test_random_networks(data):
    network = data.draw(networks() | random_networks() | sliced_networks())
    found = enumerate_plane(network, data.draw(domains(network.dim)))
    check_agreement(found, find_regions(found.network, found.domain.rows))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_case(case: Case):
    found = enumerate_plane(case.network, case.domain)
    assert found.is_complete and found.n_regions == case.expected["cells"]
    assert hash_lines(patterns_of(found)) == case.expected["code_set_sha256"]


@pytest.mark.parametrize("name", ["dup_split_2d", "tiny_margin_2d", "gauss32_2_4_4_4_4_1_s55", "int8_2_8_8_3_s33@box"])
def test_corners_of_cases(name: str):
    case = load_case(name)
    check_agreement(enumerate_plane(case.network, case.domain), find_regions(case.network, case.domain.rows))


def test_a_changed_edge_is_noticed():
    case = load_case("generic_d2_n7")
    found, expected = enumerate_plane(case.network), find_regions(case.network)
    check_agreement(found, expected)
    edges = found.edges.copy()
    edges[3] = (edges[3] + 1) % 7
    with pytest.raises((AssertionError, ZeroDivisionError)):
        check_agreement(replace(found, edges=edges), expected)


@pytest.mark.parametrize("exponent", [60, 500, 538, 700, 1000, 1074])
def test_products_that_underflow(exponent: int):
    """Between the lines x = -t and x = 0 lies a region in which the second form is about -t^2."""
    small = 2.0**-exponent
    network = Network.from_arrays([([[1], [small]], [small, 0]), ([[1, 1]], [0])])
    assert sorted(patterns_of(enumerate_plane(network))) == ["00", "10", "11"]


@pytest.mark.parametrize("exponent", [60, 500, 700, 1000])
def test_second_layers_that_underflow(exponent: int):
    """The second layer is on for -t x < t: its slope and its zero, x = -1, come from products of tiny numbers."""
    small = 2.0**-exponent
    network = Network.from_arrays([([[-small]], [0]), ([[-1]], [small]), ([[1]], [0])])
    assert sorted(patterns_of(enumerate_plane(network))) == ["01", "10", "11"]


def test_parallel_lines_of_extreme_slope():
    normal = [2.0**-1000, 2.0**1000]
    network = Network.from_arrays([([normal, normal], [1, 3]), ([[1, 1]], [0])])
    assert sorted(patterns_of(enumerate_plane(network))) == ["00", "01", "11"]


@pytest.mark.parametrize(("widths", "n_regions"), [([2, 32, 32, 32, 1], 3897), ([2, 64, 64, 64, 64, 1], 23467)])
def test_gaussian_networks_have_the_known_counts(widths: list[int], n_regions: int):
    found = enumerate_plane(gaussian(widths), Domain.box([-1, -1], [1, 1]))
    assert found.n_regions == n_regions == len(np.unique(found.words, axis=0))


@given(st.data())
@settings(max_examples=20)
def test_flat_domains_are_refused(data):
    network = data.draw(networks())
    with pytest.raises(DomainError, match="interior"):
        enumerate_plane(network, data.draw(flat_domains(network.dim)))


def test_three_inputs_are_refused():
    with pytest.raises(DomainError, match="1 or 2 inputs"):
        enumerate_plane(braid(3))


def test_a_budget_keeps_what_was_found():
    with pytest.raises(BudgetError, match="budget of 3 regions") as caught:
        enumerate_plane(generic_arrangement(2, 6), max_regions=3)
    partial = caught.value.partial
    assert not partial.is_complete and partial.n_regions > 3
