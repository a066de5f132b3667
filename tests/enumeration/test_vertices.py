"""Enumeration by vertices: patterns, corners and what vanishes at them, against exhaustive exact enumeration."""

from __future__ import annotations

import numpy as np
import pytest
from cases import Case, hash_lines, load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import text
from strategies import domains, networks, random_networks, relu_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.plane import enumerate_plane
from polyrelu.enumeration.space import SpaceRegions
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.errors import BudgetError, DomainError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import nearest_float
from polyrelu.network.activation import IDENTITY, MAX_UNIT, RELU, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.network.slices import Slice
from polyrelu.region.model import Region
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import gaussian, generic_arrangement

CASES = [case for case in load_cases() if 3 <= case.dim <= 5]


def patterns_of(found: SpaceRegions) -> list[str]:
    return [text(digits) for digits in found.network.layout.unpack(found.words).tolist()]


def corners_of(found: SpaceRegions, region: int) -> tuple[set[tuple[float, ...]], int]:
    """Return the coordinates of the near corners of a region, and how many corners it has."""
    start, stop = found.corners.indptr[region : region + 2].tolist()
    near = sorted({*range(start, stop)} - {*found.corners.far_corners.tolist()})
    return {tuple(point) for point in (found.corners.points[near] + 0.0).tolist()}, stop - start


def check_agreement(found: SpaceRegions, regions: list[Region]) -> None:
    """Check patterns, the corners of each region, the neurons that vanish there, and witnesses."""
    patterns = patterns_of(found)
    assert sorted(patterns) == sorted(text(region.pattern.digits) for region in regions)
    assert found.is_complete and found.n_regions == len(found.witnesses) == len(regions)
    by_pattern = {text(region.pattern.digits): region for region in regions}
    meanings, corners = found.columns, found.corners
    far = set(corners.far_corners.tolist())
    for index, pattern in enumerate(patterns):
        region = by_pattern[pattern]
        assert np.isfinite(found.witnesses[index]).all()
        assert vanishing_neurons(found, index) <= set(region.zero_neurons)
        vertices = set(region.vertices)
        near = [i for i in range(corners.indptr[index], corners.indptr[index + 1]) if i not in far]
        if not region.lineality:
            assert len(near) == len(vertices)
            places = [[nearest_float(x.numerator, x.denominator) for x in vertex] for vertex in vertices]
            assert all(np.isclose(corners.points[near], place).all(axis=1).any() for place in places)
        for corner in range(corners.indptr[index], corners.indptr[index + 1]):
            forms = corners.forms[corners.form_indptr[corner] : corners.form_indptr[corner + 1]].tolist()
            assert len(forms) >= found.network.dim == len(set(forms[: found.network.dim]))
            assert all(column >= meanings.first_line or meanings.unit[column] >= 0 for column in forms)


def vanishing_neurons(found: SpaceRegions, region: int) -> set[int]:
    """Return the neurons with a border that vanishes on a whole region.

    Two inputs of a max unit that are equal there are none if both lose: they may have been compared before the winner.
    """
    digits = found.network.layout.unpack(found.words[region])[0].tolist()
    columns = found.zero_columns[found.zero_indptr[region] : found.zero_indptr[region + 1]].tolist()
    neurons = [(int(found.columns.unit_neuron[found.columns.unit[column]]), column) for column in columns]
    return {neuron for neuron, column in neurons if digits[neuron] in found.columns.digits[column].tolist()}


@st.composite
def problems(draw: st.DrawFn) -> tuple[Network, Domain]:
    """Draw a network with 3 or 4 inputs and a full-dimensional domain."""
    kinds = networks((3,), 6) | relu_networks((3, 4), 6) | random_networks((3, 4), 6)
    network = draw(kinds)
    return network, draw(domains(network.dim))


@given(problems())
@settings(max_examples=100)
def test_vertices_say_what_brute_says(problem):
    network, domain = problem
    check_agreement(enumerate_vertices(network, domain), enumerate_brute(network, domain))


def test_equal_losers_of_a_max_unit_are_no_border():
    first = Layer(np.full((1, 3), 0.125), np.array([0.125]), Activation.same(RELU, 1))
    largest = Activation((), np.array([MAX_UNIT]), np.array([0, 3]))
    second = Layer(np.full((3, 1), 0.125), np.array([0.125, 0.125, 0.375]), largest)
    network = Network((first, second), Layer(np.zeros((1, 1)), np.zeros(1), Activation.same(IDENTITY, 1)))
    check_agreement(enumerate_vertices(network, Domain.all(3)), enumerate_brute(network, Domain.all(3)))
    tessellation = tessellate(network, method=enumerate_vertices)
    assert [tessellation.zero_neurons(region).tolist() for region in range(2)] == [[], []]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_vertices_find_the_regions_of_every_case(case: Case):
    found = enumerate_vertices(case.network, case.domain)
    assert found.n_regions == case.expected["cells"]
    assert hash_lines(patterns_of(found)) == case.expected["code_set_sha256"]


@pytest.mark.parametrize(
    ("widths", "count"), [([3, 16, 16, 16, 1], 15_619), ([4, 16, 16, 1], 25_009), ([3, 32, 32, 32, 32, 1], 330_984)]
)
def test_generic_networks_have_the_counts_of_exact_integers(widths, count):
    """The counts come from an independent program in exact integers."""
    dim = widths[0]
    found = enumerate_vertices(gaussian(widths), Domain.box([-1] * dim, [1] * dim))
    assert found.n_regions == count == len(np.unique(found.words, axis=0))


def test_a_form_through_two_vertices_of_a_face_joins_them_by_no_edge():
    """Before a cone is cut by y + z = 0 that plane holds vertices of a face that no edge joins."""
    weight, output = [[2, -2, 2], [2, 2, 1], [0, 1, 1]], [[1, 1, 1]]
    network = Network.from_arrays([(weight, [0, 0, 0]), (output, [0])])
    domain = Domain.from_halfspaces([[1, 1, 1]], [1])
    check_agreement(enumerate_vertices(network, domain), enumerate_brute(network, domain))
    assert enumerate_vertices(network, domain).n_regions == 8


def test_regions_without_ends_have_corners_on_the_far_cube():
    found = enumerate_vertices(generic_arrangement(3, 2))
    assert found.n_regions == 4
    assert corners_of(found, 0)[1] == len(
        found.corners.far_corners[found.corners.far_corners < found.corners.indptr[1]]
    )


def test_a_budget_keeps_what_was_proved():
    network, box = gaussian([3, 32, 32, 32, 32, 1]), Domain.box([-1] * 3, [1] * 3)
    with pytest.raises(BudgetError) as caught:
        enumerate_vertices(network, box, max_regions=50_000)
    partial = caught.value.partial
    assert 50_000 < partial.n_regions < 330_984 and not partial.is_complete
    assert len(np.unique(partial.words, axis=0)) == partial.n_regions


@pytest.mark.parametrize("dim", [2, 9])
def test_other_dimensions_are_refused_with_the_method_that_takes_them(dim):
    with pytest.raises(DomainError, match="enumerate_plane" if dim == 2 else "enumerate_split"):
        enumerate_vertices(gaussian([dim, 3, 1]))


def test_a_flat_domain_is_refused():
    with pytest.raises(DomainError, match="interior"):
        enumerate_vertices(gaussian([3, 3, 1]), Domain.box([0, 0, 0], [1, 1, 0]))


def test_an_inactive_neuron_whose_square_is_infinite_costs_no_bound():
    """Its weights leave no trace in the next layer, but floats say ``infinity * 0``."""
    hidden = [
        ([[0, 0, 0], [0, 3, 3], [2.0**1000, 2.0**1000, 0], [-(2.0**1000), -3 * 2.0**1000, 2.0**-1000]], [0, 0, 0, 0]),
        ([[1.25, 0.75, 0.7, 0.7], [1.5, 0.5, -0.5, 1.4]], [-2.5, 1.5]),
    ]
    network = Network.from_arrays([*hidden, ([[3, 2]], [-1])])
    domain = Domain.from_halfspaces([[7, 0, 0], [0, -4, 0], [0, 0, 1]], [-11, -1, 0])
    check_agreement(enumerate_vertices(network, domain), enumerate_brute(network, domain))
    plane = network.restrict(Slice.through([-2, 1, -1], [-3, 2, -2], [-2, 3, -1]))
    assert enumerate_plane(plane).n_regions == len(enumerate_brute(plane))
