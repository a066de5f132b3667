"""Patterns are found again, and all pairs at Hamming distance 1."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import domains, networks

from polyrelu.errors import InternalError
from polyrelu.tessellation import lookup
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.graph import count_pairs_without
from polyrelu.testing import adjacency_counterexample, gaussian, grid, thick_zero


def pairs_by_comparison(t) -> list[list[int]]:
    digits = t.network.layout.unpack(t.words)
    return [[i, j] for i, j in combinations(range(t.n_regions), 2) if (digits[i] != digits[j]).sum() == 1]


@given(st.data())
def test_pairs_at_distance_one(data):
    network = data.draw(networks())
    t = tessellate(network, data.draw(domains(network.dim)))
    assert t.hamming1_pairs.tolist() == pairs_by_comparison(t)


@pytest.mark.parametrize("network", [thick_zero(), grid(3, 4), gaussian([2, 10, 10, 1])])
def test_equal_hashes_do_no_harm(network, monkeypatch):
    class NoRandom:
        def integers(self, low, high, size, dtype):
            return np.zeros(size, dtype)

    expected = tessellate(network).hamming1_pairs
    monkeypatch.setattr(lookup.np.random, "default_rng", lambda seed: NoRandom())
    t = tessellate(network)
    assert t.hamming1_pairs.tolist() == expected.tolist() == pairs_by_comparison(t)
    assert t.pattern_table.find(t.words).tolist() == list(range(t.n_regions))


def test_more_pairs_than_fit_at_once(monkeypatch):
    t = tessellate(gaussian([2, 30, 30, 1]))
    whole = t.hamming1_pairs
    original = lookup.np.empty
    monkeypatch.setattr(
        lookup.np, "empty", lambda shape, dtype: original((60, 2) if shape == (1 << 16, 2) else shape, dtype)
    )
    assert lookup.hamming1_pairs(t).tolist() == whole.tolist()


def test_unknown_patterns_are_not_found():
    t = tessellate(adjacency_counterexample())
    words = t.network.layout.pack(np.array([[0, 0, 0], [1, 1, 0]]))
    found = t.pattern_table.find(words).tolist()
    assert found[0] == -1 and str(t.pattern(found[1])) == "11|0"


def test_repeated_patterns_are_refused():
    t = tessellate(grid(1, 1))
    with pytest.raises(InternalError, match="repeats"):
        replace(t, words=t.words[[0, 1, 2, 0]]).pattern_table  # noqa: B018


def test_pairs_are_counted():
    some, other = np.array([[0, 1], [2, 5], [1, 2]], np.int32), np.array([[1, 2]], np.int32)
    assert count_pairs_without(some, other, 6) == 2
    assert count_pairs_without(other, some, 6) == 0
    assert count_pairs_without(np.zeros((0, 2), np.int32), some, 6) == 0
