"""One change anywhere: a certificate is refused, or it still says the truth."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from certificate_changes import NETWORKS, PLANE, START, adding, is_true, put, setting, swap, with_header
from hypothesis import given, settings
from hypothesis import strategies as st
from two_checkers import renewed, stored

from polyrelu.certificate.format import read_certificate
from polyrelu.errors import CertificateError


def test_is_true_can_fail(good):
    assert is_true(good["plane"], PLANE)
    for change in (put("maps", setting(-1, 0)), put("witnesses", swap(1, 2)), put("facet_neurons", adding(0, 1))):
        assert not is_true(change(good["plane"]), PLANE)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_one_change_anywhere_is_refused_or_changes_nothing(good, checkers, data):
    kind = data.draw(st.sampled_from(sorted(NETWORKS)))
    c = good[kind]
    name, array = data.draw(st.sampled_from([pair for pair in c.arrays() if pair[1].size]))
    index = data.draw(st.integers(0, len(array) - 1))
    other = data.draw(st.integers(0, len(array) - 1))
    place = (index, *(data.draw(st.integers(0, n - 1)) for n in array.shape[1:]))
    how = data.draw(st.sampled_from(["number", "number", "drop", "repeat", "swap", "neighbours"]))

    def change(array: np.ndarray) -> np.ndarray | None:
        if how == "drop":
            return np.delete(array, index, axis=0)
        if how == "repeat":
            return np.insert(array, other, array[index], axis=0)
        if how != "number":
            return swap(index, (index + 1) % len(array) if how == "neighbours" else other)(array)
        near = data.draw(st.sampled_from([-1, 1, 2, 128]))
        if array.dtype.kind == "f":
            values = [array[place] + near, -array[place], 0, 1e300, np.nan, np.inf, 5e-324]
            array[place] = data.draw(st.sampled_from(values))
        else:
            limits = np.iinfo(array.dtype)
            values = [int(array[place]) + near, -int(array[place]), 0, limits.max, limits.min]
            array[place] = min(max(data.draw(st.sampled_from(values)), limits.min), limits.max)
        return None

    changed = put(name, change)(c)
    data_of_change = stored(changed)
    if data_of_change != stored(c) and checkers[kind].accepts(data_of_change):
        assert is_true(changed, NETWORKS[kind])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_two_cells_or_facets_that_are_exchanged_are_refused_or_change_nothing(good, checkers, data):
    """All that belongs to two regions changes places, or to two facets: only their numbers, if nothing is forgotten."""
    kind = data.draw(st.sampled_from(sorted(NETWORKS)))
    c, changed = good[kind], good[kind]
    names = {"parents -1", "digits -1", "starts -1", "witnesses", "maps", "linear_regions", "sides -1", "facets -1"}
    for name in data.draw(st.sets(st.sampled_from(sorted(names)), min_size=1, max_size=3)):
        n = len(dict(c.arrays())[name.replace("-1", str(len(c.levels) - 1))])
        changed = put(name, swap(*(data.draw(st.integers(0, n - 1)) for _ in range(2))))(changed)
    if checkers[kind].accepts(changed):
        assert is_true(changed, NETWORKS[kind])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_changed_bytes_are_refused_unless_nothing_changes(good, checkers, data):
    kind = data.draw(st.sampled_from(sorted(NETWORKS)))
    original = stored(good[kind])
    start, n = data.draw(st.integers(0, len(original) - 1)), data.draw(st.integers(1, 9))
    new = data.draw(st.binary(max_size=9) | st.just(original[start : start + n] * 2))
    changed = original[:start] + new + original[start + n :]
    if changed == original:
        return
    checkers[kind].refuse(changed)
    if len(changed) > START + 32 and checkers[kind].accepts(renewed(changed)):
        assert is_true(read_certificate(checkers[kind].file), NETWORKS[kind])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_truncated_files_are_refused(good, checkers, data):
    original = stored(good["plane"])
    short = original[: data.draw(st.integers(0, len(original) - 1))]
    checkers["plane"].refuse(short)
    if len(short) >= 32:
        checkers["plane"].refuse(renewed(short))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_changed_numbers_of_the_header_are_refused_or_true(good, checkers, data):
    kind = data.draw(st.sampled_from(sorted(NETWORKS)))

    def change(header: dict) -> None:
        field = data.draw(st.sampled_from(["domain", "domain", "exact_witnesses", "shapes", "dim", "levels"]))
        value = header[field]
        if isinstance(value, int):
            header[field] += data.draw(st.sampled_from([-1, 1, 10**9]))
            return
        row = value[data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))]
        place = data.draw(st.integers(0, len(row) - 1))
        number = Fraction(row[place]) + data.draw(st.sampled_from([-2, -1, 1, 3, 10**30]))
        row[place] = int(number) if field == "shapes" else str(number)

    if checkers[kind].accepts(with_header(stored(good[kind]), change)):
        assert is_true(read_certificate(checkers[kind].file), NETWORKS[kind])


def test_random_bytes_are_no_certificate(checkers, tmp_path):
    random = np.random.default_rng(0)
    for n in (0, 1, START, 100, 10_000):
        checkers["plane"].refuse(random.bytes(n))
        checkers["plane"].refuse(b"polyrelu certificate 1\n" + random.bytes(n))
    with pytest.raises(CertificateError):
        read_certificate(checkers["plane"].file)
