"""Means and sums over clusters of different sizes, against loops."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyrelu.analysis.data.cluster_sizes import means_by_size, sums_up_to_size
from polyrelu.errors import InputError

rows = st.lists(st.tuples(st.integers(1, 70), st.integers(0, 9)), max_size=30)


@given(rows)
def test_bins(table):
    sizes, values = [size for size, _ in table], [value for _, value in table]
    found = means_by_size(sizes, values)
    for first, count, total in zip(*map(np.ndarray.tolist, found), strict=True):
        inside = [value for size, value in table if first <= size < 2 * first]
        assert inside and (count, total) == (len(inside), sum(inside))
        assert first & (first - 1) == 0
    assert found.counts.sum() == len(table)


@given(rows, st.fractions(Fraction(1, 99), 1, max_denominator=99))
def test_sums(table, share):
    found = sums_up_to_size([size for size, _ in table], [value for _, value in table])
    assert found.sizes.tolist() == sorted({size for size, _ in table})
    for size, count, total in zip(*map(np.ndarray.tolist, found), strict=True):
        assert (count, total) == (sum(s <= size for s, _ in table), sum(v for s, v in table if s <= size))
    whole = sum(value for _, value in table)
    enough = [s for s, t in zip(found.sizes.tolist(), found.totals.tolist(), strict=True) if t >= share * whole]
    assert found.size_with(share) == (enough[0] if whole else None)


def test_a_share_that_is_reached_exactly_counts():
    assert sums_up_to_size([1, 2], [9, 1]).size_with(Fraction(9, 10)) == 1
    assert sums_up_to_size([1, 2], [9, 2]).size_with(Fraction(9, 10)) == 2


@pytest.mark.parametrize(("sizes", "values"), [([0], [1]), ([1], [1, 2]), ([1.5], [1]), ([1], [-1]), ([[1]], [[1]])])
def test_tables_that_do_not_fit(sizes, values):
    with pytest.raises(InputError, match="means_by_size needs a size"):
        means_by_size(sizes, values)
    with pytest.raises(InputError, match="sums_up_to_size needs a size"):
        sums_up_to_size(sizes, values)
