"""The oracle against an independent exact reference, against plain evaluation, and against hand-made answers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from cases import Case, hash_areas, hash_lines, hash_pairs, load_cases, load_detail, load_network
from hypothesis import given
from hypothesis import strategies as st
from oracle import Complex, find_regions, text
from strategies import domains, flat_domains, networks, random_networks

from polyrelu.exact.domain import Domain
from polyrelu.network.activation import HARD_TANH, IDENTITY, MAX_UNIT, RELU, Activation
from polyrelu.network.model import Layer, Network

SLOW = ("perf_2_32_32_1_s91", "perf_2_32_32_1_s91@box")
CASES = [case for case in load_cases() if case.dim <= 2 and case.name not in SLOW]


def fields_of(found: Complex) -> dict[str, object]:
    """Return every field of ``expected.json`` for what the oracle found."""
    names = found.patterns
    areas = [region.cell.size for region in found.regions]
    inside = len(found.interior_vertices)
    return {
        "cells": len(found.regions),
        "bounded_cells": sum(region.cell.is_bounded for region in found.regions),
        "adjacency_edges": len(found.adjacent),
        "linear_regions": found.linear_regions,
        "distinct_affine_maps": found.distinct_affine_maps,
        "strict_regions": sum(region.is_strict for region in found.regions),
        "codes_total_003": len(found.all_patterns),
        "vertices": inside,
        "vertices_interior": inside,
        "vertices_total": len(found.vertices),
        "hamming1_pairs": len(found.hamming1),
        "hamming1_not_adjacent": len(found.hamming1 - found.adjacent),
        "adjacent_not_hamming1": len(found.adjacent - found.hamming1),
        "code_set_sha256": hash_lines(names),
        "edge_set_sha256": hash_pairs((names[i], names[j]) for i, j in found.adjacent),
        "area_sha256": None if None in areas else hash_areas(zip(names, areas, strict=True)),
    }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_field_of_every_case(case: Case):
    fields = fields_of(find_regions(case.network, case.domain.rows))
    assert {name: fields[name] for name in case.expected} == case.expected


@pytest.mark.parametrize("name", ["hamming_1d", "thick_zero_2d", "xor_printed"])
def test_every_region_of_the_detailed_cases(name: str):
    detail = load_detail(name)
    found = find_regions(load_network(name), detail.domain.rows)
    adjacent = found.adjacent | {(j, i) for i, j in found.adjacent}
    assert sorted(found.patterns) == [cell["code"] for cell in detail.cells]
    for cell in detail.cells:
        index = found.patterns.index(cell["code"])
        region = found.regions[index]
        assert region.cell.is_bounded == cell["bounded"]
        assert [[row[-1], *row[:-1]] for row in region.affine] == rationals(cell["affine"])
        assert sorted(found.patterns[j] for i, j in adjacent if i == index) == sorted(cell["neighbours"])
        assert sorted(map(list, region.cell.finite_corners)) == sorted(rationals(cell["vertices"]))


def rationals(rows):
    return [[Fraction(v) for v in row] for row in rows]


def digits_by_evaluation(network: Network, point) -> tuple[str, list[Fraction]]:
    """Return the digits and the outputs at a point, straight from the definition."""
    values, digits = list(point), []
    for layer in network.layers:
        z = [
            sum((Fraction(w) * v for w, v in zip(row, values, strict=True)), Fraction(bias))
            for row, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        ]
        values = []
        for kind, (a, b) in zip(layer.activation.kind, pairwise(layer.activation.indptr), strict=True):
            group = z[a:b]
            if kind == MAX_UNIT:
                digits += [group.index(max(group))] * (len(group) > 1)
                values.append(max(group))
            else:
                function = layer.activation.functions[kind]
                digits += [sum(group[0] > t for t in function.breakpoints)] * (len(function.slopes) > 1)
                values.append(function(group[0]))
    return text(digits), values


@given(st.data())
def test_regions_agree_with_evaluation_and_fill_the_domain(data):
    network = data.draw(networks() | random_networks())
    domain = data.draw(domains(network.dim))
    found = find_regions(network, domain.rows)
    assert len(set(found.patterns)) == len(found.regions) >= 1
    for pattern, region in zip(found.patterns, found.regions, strict=True):
        corners = region.cell.finite_corners
        if not region.cell.is_bounded:
            continue
        center = [sum(column) / len(corners) for column in zip(*corners, strict=True)]
        assert domain.contains(center)
        image = [sum(a * v for a, v in zip(row, (*center, 1), strict=True)) for row in region.affine]
        assert digits_by_evaluation(network, center) == (pattern, image)
    whole = find_regions(Network.from_arrays([(np.zeros((1, network.dim)), [0])]), domain.rows).regions[0].cell
    if whole.is_bounded:
        assert sum(region.cell.size for region in found.regions) == whole.size
        n_edges = len(found.facets) if network.dim == 2 else 0
        signs = len(found.vertices) - n_edges + len(found.regions) * (-1) ** network.dim
        assert signs == 1
    for point in found.vertices:
        assert digits_by_evaluation(network, point)[0] in found.all_patterns


def test_sets_without_vertices():
    line = Network.from_arrays([([[1, 1]], [0]), ([[1]], [0])])
    plane = find_regions(line)
    assert (sorted(plane.patterns), len(plane.adjacent), plane.vertices) == (["0", "1"], 1, {})
    assert [facet.ends for facet in plane.facets] == [frozenset()]
    assert not any(region.cell.is_bounded for region in plane.regions)
    strip = find_regions(line, [(1, 1, 1), (-1, -1, 1)])
    assert (len(strip.regions), len(strip.facets), strip.vertices) == (2, 3, {})
    quadrant = find_regions(line, [(1, 0, 0), (0, 1, 0)])
    assert (quadrant.patterns, list(quadrant.vertices.items())) == (["1"], [((0, 0), frozenset({0}))])


def test_flat_and_empty_domains_have_no_regions():
    network = Network.from_arrays([([[1, 1]], [0]), ([[1]], [0])])
    assert find_regions(network, Domain.box([0, 0], [1, 0]).rows).regions == ()
    assert find_regions(network, [(1, 0, 0), (-1, 0, -1)]).regions == ()


@given(st.data())
def test_random_flat_domains_have_no_regions(data):
    network = data.draw(networks())
    assert find_regions(network, data.draw(flat_domains(network.dim)).rows).regions == ()


def test_hard_tanh_counts_breakpoints():
    found = find_regions(Network.from_arrays([([[2]], [1]), ([[1]], [0])], activation=HARD_TANH))
    assert sorted(found.patterns) == ["0", "1", "2"]
    assert found.vertices == {(Fraction(-1),): frozenset({0}), (Fraction(0),): frozenset({0})}


def test_max_units_go_to_the_first_winner():
    pool = Layer(np.array([[1.0], [1.0], [-1.0]]), np.zeros(3), Activation.max_units([3]))
    found = find_regions(Network((pool,), Layer(np.eye(1), np.zeros(1), Activation.same(IDENTITY, 1))))
    assert sorted(found.patterns) == ["0", "2"]
    assert found.all_patterns == {"0", "2"}
    assert found.distinct_affine_maps == 2


def test_lower_dimensional_patterns():
    found = find_regions(Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])], activation=RELU))
    assert sorted(found.patterns) == ["01", "10"]
    assert found.all_patterns == {"01", "10", "00"}


def test_a_hole_is_refused():
    found = find_regions(load_network("generic_d2_n4"))
    with pytest.raises(AssertionError, match="belongs to 1 regions"):
        _ = replace(found, regions=found.regions[1:]).facets
