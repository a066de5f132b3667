"""The compiled assembly in space against the exact one, and on larger networks against laws."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from facts import edges_of_tessellation, facts_of_tessellation, vertices_of_tessellation
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, networks, random_networks, relu_networks, sliced_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.space import Corners, SpaceRegions
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.tessellation import space_assembly
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.lists import take_lists
from polyrelu.tessellation.marks import AT_INFINITY
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.space_assembly import assemble_space
from polyrelu.testing import braid, coxeter, gaussian, generic_arrangement, grid

CUBE = Domain.box([-1] * 3, [1] * 3)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Network, Domain]:
    """Draw a network with 3 or 4 inputs and a full-dimensional domain."""
    kinds = networks((3,), 6) | networks((4,), 5) | relu_networks((3, 4), 6) | random_networks((3, 4), 6)
    network = draw(kinds | sliced_networks((3,)))
    return network, draw(domains(network.dim))


@given(problems())
@settings(max_examples=100)
def test_both_assemblies_agree(problem):
    network, domain = problem
    check_agreement(
        tessellate(network, domain, method=enumerate_vertices), tessellate(network, domain, method=enumerate_brute)
    )


def check_agreement(fast: Tessellation, slow: Tessellation) -> None:
    """Check that two tessellations are equal but for the numbers of regions, vertices and facets."""
    assert facts_of_tessellation(fast) == facts_of_tessellation(slow)
    assert vertices_of_tessellation(fast) == vertices_of_tessellation(slow)
    assert edges_of_tessellation(fast) == edges_of_tessellation(slow)
    assert ends_of(fast) == ends_of(slow)
    assert fast.n_facets == slow.n_facets
    assert np.isfinite(fast.witnesses_float).all() and fast.witnesses_float.shape == (slow.n_regions, slow.dim)


def ends_of(t: Tessellation) -> Counter:
    """Return each vertex at infinity as its direction, what vanishes there, and the facets that have it."""
    points, facets = t.vertices_exact(), {}
    owners = np.repeat(np.arange(t.n_facets), np.diff(t.facet_indptr))
    for facet, v in zip(owners.tolist(), t.facet_vertices.tolist(), strict=True):
        facets.setdefault(v, []).append(tuple(t.facet_neurons(facet).tolist()))
    return Counter(
        (points[v], tuple(t.vertex_neurons(v).tolist()), tuple(sorted(facets[v])))
        for v in np.flatnonzero(t.vertex_kind == AT_INFINITY).tolist()
    )


REGULAR = [grid(2, 1, 2), grid(2, 0, 1), grid(2, 0, 0), braid(4), coxeter("B", 3), generic_arrangement(3, 5)]


@pytest.mark.parametrize("network", REGULAR)
def test_regular_networks_agree(network):
    for domain in (Domain.all(network.dim), Domain.box([-1] * network.dim, [1] * network.dim)):
        check_agreement(
            tessellate(network, domain, method=enumerate_vertices), tessellate(network, domain, method=enumerate_brute)
        )


@pytest.mark.parametrize("widths", [[3, 12, 12, 1], [3, 8, 8, 8, 2], [4, 9, 6, 1]])
def test_laws_of_larger_networks(widths):
    dim = widths[0]
    for domain in (Domain.box([-1] * dim, [1] * dim), Domain.all(dim)):
        t = tessellate(gaussian(widths, seed=3), domain, method=enumerate_vertices)
        for facet in t.inner_facets.tolist():
            left, right = (t.pattern(i).digits for i in t.facet_regions[facet].tolist())
            changed = [n for n, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
            assert changed == t.facet_neurons(facet).tolist()
        points = t.vertices_exact()
        for v in np.flatnonzero(t.vertex_kind != AT_INFINITY)[::17].tolist():
            assert [float(x) for x in points[v]] == pytest.approx(t.vertices_float[v].tolist(), abs=2**-30)
            assert len(t.vertex_neurons(v)) <= dim


@pytest.mark.parametrize("network", [grid(2, 1, 1), braid(4), gaussian([3, 6, 6, 1])])
def test_equal_hashes_do_no_harm(network, monkeypatch):
    expected = tessellate(network)
    tables = space_assembly.line_tables

    def without_salts(*arguments):
        made = tables(*arguments)
        return made._replace(salts=made.salts * 0, item_salts=made.item_salts * 0)

    monkeypatch.setattr(space_assembly, "line_tables", without_salts)
    found = tessellate(network)
    assert (found.corner_vertices == expected.corner_vertices).all()
    assert (found.facet_regions == expected.facet_regions).all()


def without_first(found: SpaceRegions) -> SpaceRegions:
    """Return regions without the first one."""
    kept = np.arange(1, found.n_regions)
    return chosen(found, kept)


def chosen(found: SpaceRegions, kept: np.ndarray) -> SpaceRegions:
    """Return some of the regions, in this order."""
    corners = found.corners
    indptr, places = take_lists(corners.indptr, np.arange(len(corners.points)), kept)
    form_indptr, forms = take_lists(corners.form_indptr, corners.forms, places)
    is_far = np.isin(places, corners.far_corners)
    directions = corners.far_directions[np.searchsorted(corners.far_corners, places[is_far])]
    zero_indptr, zeros = take_lists(found.zero_indptr, found.zero_columns, kept)
    return replace(
        found,
        words=found.words[kept],
        witnesses=found.witnesses[kept],
        zero_indptr=zero_indptr,
        zero_columns=zeros,
        corners=Corners(indptr, corners.points[places], np.flatnonzero(is_far), directions, form_indptr, forms),
    )


def test_a_missing_region_is_noticed():
    found = enumerate_vertices(generic_arrangement(3, 4))
    with pytest.raises(InternalError, match="other side"):
        assemble_space(without_first(found), found.network, found.domain)
    partial = assemble_space(replace(without_first(found), is_complete=False), found.network, found.domain)
    assert partial.n_regions == found.n_regions - 1
    assert (partial.facet_regions == -2).any() and not partial.is_complete


def test_a_region_that_occurs_twice_is_noticed():
    found = enumerate_vertices(grid(1, 1, 1), CUBE)
    for twice in ([0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 0]):
        with pytest.raises(InternalError, match="one side"):
            assemble_space(chosen(found, np.array(twice)), found.network, found.domain)


def test_the_order_of_regions_does_not_matter():
    found = enumerate_vertices(gaussian([3, 7, 7, 1]))
    turned = assemble_space(chosen(found, np.arange(found.n_regions)[::-1]), found.network, found.domain)
    same = assemble_space(found, found.network, found.domain)
    assert facts_of_tessellation(turned) == facts_of_tessellation(same)
    assert vertices_of_tessellation(turned) == vertices_of_tessellation(same)


def test_patterns_alone_are_refused():
    found = enumerate_vertices(grid(1, 1, 1), CUBE)
    with pytest.raises(InputError, match="facets=True"):
        assemble_space(replace(found, corners=None), found.network, found.domain)


def test_no_neurons_at_all():
    affine = Network.from_arrays([([[1, 2, 3]], [3])])
    t = tessellate(affine, CUBE)
    assert (t.n_regions, t.n_vertices, t.n_facets, t.n_linear_regions, t.pattern_texts()) == (1, 8, 6, 1, [""])
    everything = tessellate(affine)
    assert (everything.n_vertices, everything.n_facets, everything.bounded.tolist()) == (0, 0, [False])


def test_a_tie_below_the_winner_names_no_vertex():
    """The basis of a vertex may hold a tie of two inputs that are not the largest: other forms stand for it."""
    weight = [[0, 0, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]
    layer = Layer(np.array(weight, float), np.array([0.5, 0, 0, 0, 0, 0, 0]), Activation.max_units([7]))
    network = Network((layer,), Layer(np.eye(1), np.zeros(1), Activation.same(IDENTITY, 1)))
    for domain in (CUBE, Domain.all(3)):
        check_agreement(
            tessellate(network, domain, method=enumerate_vertices), tessellate(network, domain, method=enumerate_brute)
        )


def test_a_form_that_touches_one_part_of_a_split_says_nothing_about_the_other():
    """While inputs of a max unit win in turn, rows touch the first part before the second one is cut off."""
    weight = [[1, -1, 0, 0], [-1, 0, 1, -1], [1, -1, -1, 1], [0, -1, -1, 1]]
    layer = Layer(np.array(weight, float), np.array([1.0, -1, 0, 0]), Activation.max_units([4]))
    network = Network((layer,), Layer(np.eye(1), np.zeros(1), Activation.same(IDENTITY, 1)))
    domain = Domain.from_halfspaces(
        [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0], [0, 0, 0, -1], [1, 1, 1, 1]], [0, 0, 1, 0, 0]
    )
    check_agreement(
        tessellate(network, domain, method=enumerate_vertices), tessellate(network, domain, method=enumerate_brute)
    )
