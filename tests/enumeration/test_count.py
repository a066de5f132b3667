"""Counting without keeping says what enumerating says, and a budget says how far it came."""

from __future__ import annotations

import pytest

from polyrelu.enumeration.count import count_regions
from polyrelu.enumeration.split import enumerate_split
from polyrelu.errors import BudgetError
from polyrelu.exact.domain import Domain
from polyrelu.testing import braid, gaussian, thick_zero


@pytest.mark.parametrize("network", [gaussian([4, 8, 8, 1]), braid(5), thick_zero()], ids=["generic", "lines", "thick"])
@pytest.mark.parametrize("is_bounded", [True, False])
def test_a_count_is_the_length_of_the_enumeration(network, is_bounded):
    domain = Domain.box([-1] * network.dim, [1] * network.dim) if is_bounded else Domain.all(network.dim)
    assert count_regions(network, domain) == enumerate_split(network, domain, facets=False).n_regions


def test_a_budget_says_how_many_regions_were_proved():
    with pytest.raises(BudgetError) as caught:
        count_regions(gaussian([6, 30, 30, 30, 1]), Domain.box([-1] * 6, [1] * 6), max_seconds=0.1)
    assert caught.value.partial > 0
