"""The compiled assembly against the exact one, on larger networks against laws, and with every hash the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from facts import edges_of_tessellation, facts_of_tessellation, vertices_of_tessellation
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, networks, random_networks, sliced_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.plane import PlaneRegions, enumerate_plane
from polyrelu.errors import InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.tessellation import plane_assembly
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.marks import AT_INFINITY
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.plane_assembly import assemble_plane
from polyrelu.testing import adjacency_counterexample, gaussian, generic_arrangement, grid, thick_zero, xor

SQUARE = Domain.box([-1, -1], [1, 1])


@st.composite
def problems(draw: st.DrawFn) -> tuple[Network, Domain]:
    network = draw(networks() | random_networks(max_neurons=8) | sliced_networks())
    return network, draw(domains(network.dim))


@given(problems())
@settings(max_examples=150)
def test_both_assemblies_agree(problem):
    network, domain = problem
    fast, slow = tessellate(network, domain), tessellate(network, domain, method=enumerate_brute)
    assert facts_of_tessellation(fast) == facts_of_tessellation(slow)
    assert vertices_of_tessellation(fast) == vertices_of_tessellation(slow)
    assert edges_of_tessellation(fast) == edges_of_tessellation(slow)
    assert cycles_of(fast) == cycles_of(slow)
    assert rays_of(fast) == rays_of(slow)
    assert (fast.facet_zero_indptr[-1], fast.n_facets) == (slow.facet_zero_indptr[-1], slow.n_facets)


def cycles_of(t: Tessellation) -> dict[str, tuple]:
    """Return the vertices of each region in their order, from the least one on, without those at infinity."""
    points, result = t.vertices_exact(), {}
    for index, pattern in enumerate(t.pattern_texts()):
        cycle = [points[v] for v in t.corners(index) if t.vertex_kind[v] != AT_INFINITY]
        first = cycle.index(min(cycle)) if cycle else 0
        result[pattern] = (*cycle[first:], *cycle[:first])
    return result


def rays_of(t: Tessellation) -> Counter:
    """Return how often each facet with an end at infinity goes there in which direction."""
    points, found = t.vertices_exact(), Counter()
    for facet in range(t.n_facets):
        for v in t.facet_vertices[t.facet_indptr[facet] : t.facet_indptr[facet + 1]]:
            if t.vertex_kind[v] == AT_INFINITY:
                found[tuple(t.facet_neurons(facet)), points[v]] += 1
    return found


@given(problems())
def test_edges_have_the_first_region_on_their_left(problem):
    t = tessellate(*problem)
    if t.dim == 1:
        return
    for (left, _), ends in zip(t.facet_regions, t.facet_vertices.reshape(-1, 2), strict=True):
        corners = t.corners(left).tolist()
        assert tuple(ends) in set(zip(corners, [*corners[1:], corners[0]], strict=True))


@pytest.mark.parametrize("widths", [[2, 12, 12, 1], [2, 8, 8, 8, 2], [2, 40, 1]])
def test_laws_of_larger_networks(widths):
    for domain in (SQUARE, Domain.all(2), Domain.polygon([(0, 0), (2, 1), (0, 3)])):
        t = tessellate(gaussian(widths, seed=3), domain)
        t.check_euler()
        inner = t.facet_regions[:, 1] >= 0
        for facet in np.flatnonzero(inner).tolist():
            left, right = (t.pattern(i).digits for i in t.facet_regions[facet].tolist())
            changed = [n for n, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
            assert changed == t.facet_neurons(facet).tolist()
        if domain is SQUARE:
            assert t.bounded.all() and t.total_area() == 4
        points = t.vertices_exact()
        for v in np.flatnonzero(t.vertex_kind != AT_INFINITY)[::7].tolist():
            assert float(points[v][0]) == pytest.approx(t.vertices_float[v, 0], abs=2**-30)
            assert float(points[v][1]) == pytest.approx(t.vertices_float[v, 1], abs=2**-30)


@pytest.mark.parametrize("network", [thick_zero(), xor(), grid(3, 4), gaussian([2, 7, 7, 1])])
def test_equal_hashes_do_no_harm(network, monkeypatch):
    expected = tessellate(network)
    tables = plane_assembly._tables_of

    def without_salts(*arguments, **options):
        made = tables(*arguments, **options)
        return made._replace(salts=made.salts * 0, item_salts=made.item_salts * 0)

    monkeypatch.setattr(plane_assembly, "_tables_of", without_salts)
    found = tessellate(network)
    assert (found.corner_vertices == expected.corner_vertices).all()
    assert (found.facet_regions == expected.facet_regions).all()


def test_a_missing_region_is_noticed():
    found = enumerate_plane(generic_arrangement(2, 4))
    with pytest.raises(InternalError, match="other side"):
        assemble_plane(without_first(found), found.network, found.domain)
    partial = assemble_plane(replace(without_first(found), is_complete=False), found.network, found.domain)
    assert partial.n_regions == found.n_regions - 1
    assert (partial.facet_regions == -2).any() and not partial.is_complete


def without_first(found: PlaneRegions) -> PlaneRegions:
    n = int(found.indptr[1])
    kept, far = found.extra[:, 0] >= n, found.far_corners >= n
    return replace(
        found,
        words=found.words[1:],
        indptr=found.indptr[1:] - n,
        corners=found.corners[n:],
        edges=found.edges[n:],
        extra=found.extra[kept] - np.array([n, 0]),
        far_corners=found.far_corners[far] - n,
        far_directions=found.far_directions[far],
    )


def test_a_region_that_occurs_twice_is_noticed():
    found = enumerate_plane(grid(1, 1), SQUARE)
    twice = replace(
        found,
        words=np.concatenate([found.words, found.words[:1]]),
        indptr=np.append(found.indptr, found.indptr[-1] + found.indptr[1]),
        corners=np.concatenate([found.corners, found.corners[: found.indptr[1]]]),
        edges=np.concatenate([found.edges, found.edges[: found.indptr[1]]]),
    )
    with pytest.raises(InternalError, match="one side"):
        assemble_plane(twice, found.network, found.domain)


def test_lines_are_read_off_their_strip():
    t = tessellate(adjacency_counterexample(), Domain.box([-2], [10]))
    order = np.argsort(t.vertices_float[:, 0])
    assert t.vertices_float[order, 0].tolist() == [-2, -1, 0, 1, 10]
    assert t.vertex_kind[order].tolist() == [1, 0, 0, 0, 1]
    assert [t.vertex_neurons(v).tolist() for v in order] == [[], [2], [0], [2], [1]]
    assert (t.n_facets, len(t.inner_facets), t.total_area()) == (5, 3, 12)
    ends = t.vertices_float[t.corner_vertices.reshape(-1, 2), 0]
    assert (ends[:, 0] < ends[:, 1]).all()


def test_no_neurons_at_all():
    affine = Network.from_arrays([([[1, 2]], [3])])
    t = tessellate(affine, SQUARE)
    assert (t.n_regions, t.n_vertices, t.n_facets, t.n_linear_regions, t.pattern_texts()) == (1, 4, 4, 1, [""])
    everything = tessellate(affine)
    assert (everything.n_vertices, everything.n_facets, everything.bounded.tolist()) == (0, 0, [False])
