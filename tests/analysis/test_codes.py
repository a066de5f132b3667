"""Code spaces: patterns, distances on packed bits, neighbours, and half-open classes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from cases import load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import find_regions
from strategies import domains, networks, relu_networks

from polyrelu.analysis.codes import CodeSpace, code_space_of, distances_between
from polyrelu.analysis.half_open import half_open_class
from polyrelu.errors import EmptyRegionError, InputError, PatternError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import adjacency_counterexample, gaussian, grid, thick_zero

CASES = [case for case in load_cases() if "codes_total_003" in case.expected]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_numbers_of_patterns_of_the_cases(case):
    space = code_space_of(case.network, case.domain)
    assert len(space) == case.expected["codes_total_003"]
    assert space.has_region.sum() == case.expected["cells"]
    assert len(code_space_of(case.network, case.domain, flat=False)) == case.expected["cells"]


@given(networks(max_neurons=5), st.data())
@settings(max_examples=20)
def test_patterns_and_distances_agree_with_the_oracle(network, data):
    domain = data.draw(domains(network.dim))
    space = code_space_of(network, domain)
    assert set(space.texts()) == find_regions(network, domain.rows).all_patterns
    patterns = [space.pattern(i) for i in range(len(space))]
    expected = np.array([[a.hamming(b) for b in patterns] for a in patterns])
    threshold = data.draw(st.integers(1, 4))
    radius = data.draw(st.integers(1, 3))
    assert (space.distance_matrix() == expected).all()
    assert (space.distance_matrix(threshold) == np.minimum(expected, threshold)).all()
    blocks = [block for _, block in space.distance_blocks(threshold)]
    assert (np.concatenate(blocks) == space.distance_matrix(threshold)).all()
    upper = np.triu_indices(len(space), 1)
    counts = space.distance_counts(threshold)
    assert counts.tolist() == np.bincount(np.minimum(expected, threshold)[upper], minlength=len(counts)).tolist()
    assert space.pairs_within(radius).tolist() == np.argwhere(np.triu((expected <= radius), 1)).tolist()
    for i, pattern in enumerate(patterns):
        assert space.index(pattern) == i
        assert space.neighbours(pattern, radius).tolist() == np.flatnonzero(expected[i] <= radius).tolist()
        assert (space.distances(pattern) == expected[i]).all()
        assert space.nearest(pattern, 2).tolist() == np.argsort(expected[i], kind="stable")[:2].tolist()


def test_tiles_make_no_difference():
    random = np.random.default_rng(0)
    layout = gaussian([2, 70, 70, 1]).layout
    digits = random.integers(0, 2, (150, 140))
    many = random.integers(0, 2, (9000, 140))
    found = distances_between(layout, layout.pack(digits), layout.pack(many))
    assert (found[::13, ::7] == (digits[::13, None] != many[None, ::7]).sum(axis=2)).all()


@pytest.mark.parametrize("threshold", [1, 2, 3, 9])
def test_truncated_distances_are_a_metric(threshold):
    space = code_space_of(thick_zero())
    d = space.distance_matrix(threshold).astype(int)
    assert (d == d.T).all()
    assert ((d == 0) == np.eye(len(space), dtype=bool)).all()
    assert (d[:, :, None] <= d[:, None, :] + d.T[None, :, :]).all()


def test_pairs_at_distance_one_are_those_of_the_tessellation():
    t = tessellate(gaussian([2, 16, 16, 1]), Domain.box([-1, -1], [1, 1]))
    space = code_space_of(t, flat=False)
    ours = {frozenset(map(space.texts().__getitem__, pair)) for pair in space.pairs_within(1).tolist()}
    texts = t.pattern_texts()
    assert ours == {frozenset(map(texts.__getitem__, pair)) for pair in t.hamming1_pairs.tolist()}


def test_a_pattern_that_no_point_has_still_has_distances():
    space = code_space_of(adjacency_counterexample())
    nowhere = Pattern.parse("00|0")
    assert space.index(nowhere) is None
    assert [str(space.pattern(i)) for i in space.neighbours(nowhere, 1)] == ["01|0"]


def test_refusals_of_code_spaces():
    space = code_space_of(grid(1, 1))
    with pytest.raises(InputError, match="threshold of at least 1 but received 0"):
        space.distance_matrix(0)
    with pytest.raises(InputError, match="radius of at least 1"):
        space.pairs_within(0)
    with pytest.raises(InputError, match="Leave the domain out"):
        code_space_of(tessellate(grid(1, 1)), Domain.unit(2))
    with pytest.raises(PatternError):
        space.neighbours(Pattern.parse("000"))


def test_an_empty_space_has_no_pairs():
    space = code_space_of(grid(1, 1))
    empty = CodeSpace(space.network, space.words[:0], space.has_region[:0])
    assert (empty.pairs_within(1).shape, empty.distance_counts().tolist()) == ((0, 2), [0, 0, 0])


# Half-open classes --------------------------------------------------------------------------------------------


@given(networks(max_neurons=4) | relu_networks(max_neurons=5))
@settings(max_examples=25)
def test_classes_are_disjoint_unions_of_relative_interiors(network):
    points = [tuple(x) for x in product([-2, -1, "-1/2", 0, "1/3", 1, 2], repeat=network.dim)]
    for i in range(len(space := code_space_of(network))):
        found = half_open_class(network, space.pattern(i))
        assert (found.dim == network.dim) == space.has_region[i]
        assert found.faces[-1].is_inside  # the class is dense in its closure
        for face in found.faces:
            assert found.contains(face.point) == face.is_inside
            assert found.face_of(face.point) == face
            assert (network.exact.pattern_at(face.point) == space.pattern(i)) == face.is_inside
        for x in points:
            face = found.face_of(x)
            assert found.contains(x) == (face is not None and face.is_inside)
        assert found.is_lattice(with_empty_face=True)


def test_two_ends_have_nothing_below_them_but_the_empty_face():
    between = Network.from_arrays([([[-1], [1]], [0, -1]), ([[1, 1]], [0])])
    found = half_open_class(between, Pattern.parse("00"))
    assert [found.is_lattice(with_empty_face=flag) for flag in (False, True)] == [False, True]


def test_a_flat_class_has_its_dimension():
    cross = Network.from_arrays([([[1, 0], [-1, 0]], [0, 0]), ([[1, 1]], [0])])
    line = half_open_class(cross, Pattern.parse("00"))
    assert (line.dim, len(line.faces), line.contains([0, 7]), line.face_of([1, 0])) == (1, 1, True, None)


def test_a_domain_cuts_classes():
    found = half_open_class(grid(1), Pattern.parse("1"), Domain.box([-3], [3]))
    assert [face.is_inside for face in found.faces] == [False, True, True]


def test_a_pattern_that_no_point_has_has_no_class():
    with pytest.raises(EmptyRegionError, match=r"no input has '00\|0'") as refused:
        half_open_class(adjacency_counterexample(), Pattern.parse("00|0"))
    assert refused.value.certificate is not None
