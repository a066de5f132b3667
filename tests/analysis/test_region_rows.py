"""Facets as named rows: the same that each region says of itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, networks

from polyrelu.analysis.region_rows import LocalRows, local_views
from polyrelu.enumeration.split import enumerate_split
from polyrelu.errors import CertificateError
from polyrelu.exact.domain import Domain
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import thick_zero, xor


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_are_the_facets_of_the_regions(data):
    network = data.draw(networks((1, 2, 3), max_neurons=6))
    domain = data.draw(domains(network.dim))
    method = data.draw(st.sampled_from([None, enumerate_split]))
    t = tessellate(network, domain, method=method)
    local = LocalRows(t)
    for view in local_views(t):
        region = t.region(view.region)
        assert sorted(view.rows) == sorted(facet.row for facet in region.facets)
        assert view.outputs == region.affine_map.rows
        local.move_to(view.region)
        assert [local.row(name) for name in view.names] == list(view.rows)


def test_thick_zeros_give_no_row():
    t = tessellate(thick_zero(), Domain.box([-1, -1], [1, 1]))
    assert all(any(row[:-1]) for view in local_views(t) for row in view.rows)


@pytest.mark.parametrize("name", [(9, 0), (-1, 4), (-2, 0), (0, 2), (0, -1), (-1, -1)])
def test_a_name_without_a_row_is_refused(name):
    local = LocalRows(tessellate(xor(), Domain.unit(2)))
    local.move_to(0)
    with pytest.raises(CertificateError, match="needs the name"):
        local.row(name)
    with pytest.raises(CertificateError, match="beyond"):
        local.row((0, int(local.digits[0])))
