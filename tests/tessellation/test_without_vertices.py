"""Tessellations that have facets but no vertices: what they answer, and what they refuse."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from facts import facts_of_tessellation
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, networks, random_networks

from polyrelu.enumeration.space import CellFacets, SpaceRegions
from polyrelu.enumeration.split import enumerate_split
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.errors import BudgetError, InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.plot import plot_regions
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.level_sets import decision_boundary, level_set
from polyrelu.tessellation.lists import take_lists
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.space_assembly import assemble_space
from polyrelu.tessellation.summary import adjacency_lines, summarise
from polyrelu.testing import gaussian, generic_arrangement, grid, xor

NETWORK, CUBE = gaussian([3, 7, 7, 2], seed=1), Domain.box([-1] * 3, [1] * 3)


@pytest.fixture(scope="module")
def pair() -> tuple[Tessellation, Tessellation]:
    """One network in one domain without vertices and with them."""
    return tuple(tessellate(NETWORK, CUBE, method=method) for method in (enumerate_split, enumerate_vertices))


def test_what_needs_no_vertices_is_the_same(pair):
    t, other = pair
    assert (t.has_vertices, other.has_vertices) == (False, True)
    assert sorted(t.pattern_texts()) == sorted(other.pattern_texts())
    assert list(adjacency_lines(t)) == list(adjacency_lines(other))
    assert (t.n_linear_regions, t.n_affine_maps) == (other.n_linear_regions, other.n_affine_maps)
    assert t.count_hamming1_not_adjacent() == other.count_hamming1_not_adjacent()
    assert t.f_vector() == other.f_vector() and t.total_area() == other.total_area() == 8
    assert [t.count_partial_regions(k) for k in range(5)] == [other.count_partial_regions(k) for k in range(5)]
    assert (t.code_space() == other.code_space()).all()
    points = np.random.default_rng(1).uniform(-1.1, 1.1, (200, 3))
    found = [np.array([*s.pattern_texts(), ""])[s.locate(points)] for s in pair]
    assert (found[0] == found[1]).all()
    assert facts_of_tessellation(t) == facts_of_tessellation(other)


@pytest.mark.parametrize("call", [
    lambda t: t.n_vertices, lambda t: t.n_inner_vertices, lambda t: t.corners(0), lambda t: t.vertex_exact(0),
    lambda t: t.vertices_exact(),
])  # fmt: skip
def test_what_needs_vertices_says_how_to_have_them(pair, call):
    with pytest.raises(InputError, match=r"facets only\. Pass method=enumerate_vertices"):
        call(pair[0])


def test_the_plane_without_vertices():
    t = tessellate(xor(), Domain.unit(2), method=enumerate_split)
    assert (t.n_regions, t.f_vector(), t.total_area()) == (2, (4, 5, 2), 1)
    with pytest.raises(InputError, match=r"to_shapely needs .* Pass method=enumerate_plane"):
        t.to_shapely()
    with pytest.raises(InputError, match=r"plot_regions needs .* Pass method=enumerate_plane"):
        plot_regions(t)
    found = level_set(t, level="1/2", method=enumerate_split)
    assert len(found) == len(level_set(t, level="1/2")) > 0
    with pytest.raises(InputError, match="A segment needs"):
        found.segment(0)


@pytest.mark.parametrize("method", [enumerate_split, enumerate_vertices])
def test_files(method, tmp_path):
    for network, domain in ((NETWORK, CUBE), (grid(1, 1, 0), Domain.all(3)), (NETWORK, Domain.all(3))):
        t = tessellate(network, domain, method=method)
        t.save(tmp_path / "t.parquet", overwrite=True)
        found = Tessellation.load(tmp_path / "t.parquet", network)
        for field in fields(Tessellation):
            a, b = getattr(t, field.name), getattr(found, field.name)
            assert a.hash == b.hash if field.name == "network" else np.array_equal(a, b), field.name


def test_graphs_have_witnesses_but_no_areas(pair):
    t, other = pair
    graph, full = t.to_networkx(), other.to_networkx()
    assert graph.number_of_edges() == full.number_of_edges()
    assert "area" not in graph.nodes[0] and sum(full.nodes[n]["area"] for n in full) == 8
    for node, data in graph.nodes(data=True):
        assert NETWORK.exact.pattern_at(data["witness"]) == data["pattern"] == t.pattern(node)


@given(st.data())
@settings(max_examples=40)
def test_witnesses_are_strictly_inside(data):
    network = data.draw(networks((2, 3, 4), max_neurons=5) | random_networks((3, 4), 6))
    t = tessellate(network, data.draw(domains(network.dim)), method=enumerate_split)
    assert np.isfinite(t.witnesses_float).all()
    for index in range(t.n_regions):
        rows = [row for row in t.region(index).rows if any(row[:-1])]
        assert min((dot(row, (*t.witness(index), 1)) for row in rows), default=1) > 0


def test_a_witness_that_is_none_is_not_believed(pair):
    t = pair[0]
    wrong = replace(t, witnesses=np.full_like(t.witnesses, 0.75))
    nowhere = replace(t, witnesses=np.full_like(t.witnesses, np.inf))
    for each in (wrong, nowhere):
        assert all(NETWORK.exact.pattern_at(each.witness(i)) == t.pattern(i) for i in range(t.n_regions))


@pytest.mark.parametrize("method", [enumerate_split, enumerate_vertices])
def test_level_sets_in_space(pair, method):
    """Each facet of a level set is where the output has the value: exactly, at a point of the facet."""
    for t in pair:
        for found in (level_set(t, 1, "1/8", method=method), decision_boundary(t, method=method)):
            assert len(found) > 3
            refined = found.tessellation
            inner = found.regions[:, 1] >= 0
            for facet in found.facets[inner][:10].tolist():
                point = refined.region(int(refined.facet_regions[facet, 0])).witness
                assert t.locate([point])[0] in found.regions[list(found.facets).index(facet)]
            assert ((found.digits == -1) == (found.regions == -1)).all()


def test_summaries(pair):
    for t, vertices in zip(pair, (None, pair[1].n_inner_vertices), strict=True):
        found = summarise(t)
        assert found.vertices == found.to_json()["vertices"] == vertices
        assert found.regions == t.n_regions
    assert "not worked out" in summarise(pair[0]).to_text()
    large = summarise(tessellate(gaussian([5, 6, 5, 1]), Domain.unit(5)))
    assert large.checks == ("every facet has a region or the domain's border behind it",)
    assert summarise(pair[1]).checks == ("Euler's formula holds", "exact volumes add up to the domain's 8")
    with pytest.raises(InternalError, match="behind each facet"):
        summarise(replace(pair[0], facet_regions=np.where(pair[0].facet_regions == -1, -2, pair[0].facet_regions)))


def without_first(found: SpaceRegions) -> SpaceRegions:
    """Return regions without the first one."""
    kept, facets = np.arange(1, found.n_regions), found.facets
    indptr, places = take_lists(facets.indptr, np.arange(len(facets.form_indptr) - 1), kept)
    zero_indptr, zeros = take_lists(found.zero_indptr, found.zero_columns, kept)
    return replace(
        found,
        words=found.words[kept],
        witnesses=found.witnesses[kept],
        zero_indptr=zero_indptr,
        zero_columns=zeros,
        facets=CellFacets(indptr, *take_lists(facets.form_indptr, facets.forms, places), facets.is_bounded[kept]),
    )


def test_a_missing_region_is_noticed():
    found = enumerate_split(generic_arrangement(4, 5))
    with pytest.raises(InternalError, match="other side"):
        assemble_space(without_first(found), found.network, found.domain)
    partial = assemble_space(replace(without_first(found), is_complete=False), found.network, found.domain)
    assert (partial.facet_regions == -2).any() and not partial.is_complete


@pytest.mark.parametrize(("method", "dim"), [(enumerate_split, 5), (enumerate_vertices, 3)])
def test_budgets_leave_what_was_found(method, dim):
    network = gaussian([dim, 32, 32, 32, 1])
    with pytest.raises(BudgetError, match="budget") as caught:
        tessellate(network, method=method, max_regions=10)
    t = caught.value.partial
    assert t.n_regions > 10 and not t.is_complete and (t.facet_regions == -2).any()
    assert summarise(t).checks == ()


def test_a_domain_of_many_dimensions():
    t = tessellate(gaussian([12, 3, 1]), Domain.box([-1] * 12, [1] * 12))
    assert t.n_regions == 8 and t.has_vertices is False and t.bounded.all()
    assert summarise(t).regions == 8
