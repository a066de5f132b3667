"""What `tessellate` accepts, how budgets end it, and what it refuses."""

from __future__ import annotations

from functools import partial

import pytest

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.plane import enumerate_plane
from polyrelu.errors import BudgetError, DomainError, EnumerationInterrupted, InputError
from polyrelu.exact.domain import Domain
from polyrelu.tessellation.build import FIRST_SPLIT_DIM, tessellate
from polyrelu.testing import gaussian, generic_arrangement, grid, xor


def test_the_method_fits_the_network():
    assert tessellate(grid(2, 2)).decisions is not None
    assert tessellate(grid(2, 2), method=enumerate_brute).n_regions == 9
    assert tessellate(grid(1, 1, 1), method=enumerate_brute).decisions is None
    for dim in (3, 4):
        found = tessellate(generic_arrangement(dim, dim + 1))
        assert found.n_vertices == dim + 1 and found.decisions.filtered > 0
    assert not tessellate(generic_arrangement(FIRST_SPLIT_DIM, 3)).has_vertices
    assert tessellate(generic_arrangement(3, 4), method=partial(enumerate_brute, max_neurons=4)).n_regions == 15


def test_empty_and_wrong_domains_are_refused():
    with pytest.raises(DomainError, match="holds no point"):
        tessellate(xor(), Domain.from_halfspaces([[1, 0], [-1, 0]], [0, -1]))
    with pytest.raises(DomainError, match="2 inputs but the domain"):
        tessellate(xor(), Domain.unit(3))


def test_flat_domains_are_tessellated_in_their_hull():
    t = tessellate(xor(), Domain.box([0, 0], [2, 0]))
    assert (t.dim, t.n_regions, t.total_area()) == (1, 2, 2)
    assert t.hull.point([1]) == (1, 0)
    assert sorted(t.vertices_float[t.vertex_kind == 0, 0].tolist()) == [1]
    space = tessellate(gaussian([5, 20, 1]), Domain.box([0, 0, 1, 0, 0], [1, 1, 1, 0, 0]))
    assert (space.dim, space.total_area()) == (2, 1)
    space.check_euler()


def test_budgets_leave_what_was_found():
    network, domain = gaussian([2, 64, 64, 64, 1]), Domain.box([-1, -1], [1, 1])
    for method in (None, enumerate_plane):
        with pytest.raises(BudgetError, match="budget") as caught:
            tessellate(network, domain, method=method, max_regions=10)
        t = caught.value.partial
        assert not t.is_complete
        assert t.n_regions > 10
        with pytest.raises(InputError, match="complete"):
            t.check_euler()
    with pytest.raises(InputError, match="budget max_regions"):
        tessellate(xor(), method=enumerate_brute, max_regions=10)


def test_interrupts_leave_what_was_found():
    def interrupted(network, domain):
        raise EnumerationInterrupted(enumerate_plane(network, domain))

    with pytest.raises(EnumerationInterrupted) as caught:
        tessellate(xor(), method=interrupted)
    assert caught.value.partial.n_regions == 3


def test_progress_is_told():
    told = []
    tessellate(xor(), progress=told.append)
    assert told[-1] == 3
    tessellate(xor(), method=enumerate_brute, progress=told.append)


def test_what_is_no_network_is_refused():
    with pytest.raises(InputError, match=r"tessellate needs a Network but received str\. Make one"):
        tessellate("model.onnx")
