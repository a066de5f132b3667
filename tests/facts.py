"""What two enumerations must agree on, in exact numbers, read from the oracle, from regions and from tessellations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import networkx as nx
from cases import hash_areas, hash_lines, hash_pairs
from oracle import Complex

from polyrelu.exact.domain import Domain
from polyrelu.region.model import Region
from polyrelu.tessellation.model import AT_INFINITY, INSIDE, Tessellation


@dataclass(frozen=True)
class Facts:
    """What is compared of one region, in exact numbers.

    Attributes
    ----------
    is_bounded : bool
    vertices : frozenset of points
    affine : tuple of rows
        The output map, constants last.
    zero_neurons : frozenset of int
        Those that vanish on the whole region.
    facets : Counter of (pattern or None, frozenset of int)
        For each facet the region on its other side, None on the border of the domain, and the neurons that
        vanish on it.
    """

    is_bounded: bool
    vertices: frozenset[tuple[Fraction, ...]]
    affine: tuple[tuple[Fraction, ...], ...]
    zero_neurons: frozenset[int]
    facets: Counter[tuple[str | None, frozenset[int]]]


def facts_of_oracle(found: Complex) -> dict[str, Facts]:
    """Return what the oracle says of each region, by pattern."""
    facets: list[Counter] = [Counter() for _ in found.regions]
    for facet in found.facets:
        for index in facet.regions:
            [other] = [found.patterns[i] for i in facet.regions if i != index] or [None]
            facets[index][other, facet.zeros] += 1
    return {
        pattern: Facts(
            region.cell.is_bounded,
            frozenset(region.cell.finite_corners),
            region.affine,
            frozenset(i for i, piece in enumerate(region.pieces) if piece.vanishes_everywhere),
            facets[index],
        )
        for index, (pattern, region) in enumerate(zip(found.patterns, found.regions, strict=True))
    }


def facts_of_regions(regions: list[Region]) -> dict[str, Facts]:
    """Return what regions say of themselves, by pattern."""
    result = {}
    for region in regions:
        across = {facet.row: without_bars(pattern) for facet, pattern in region.neighbours}
        zeros = frozenset(region.zero_neurons)
        result[without_bars(region.pattern)] = Facts(
            region.is_bounded,
            frozenset(region.vertices),
            affine_rows(region),
            zeros,
            Counter((across.get(facet.row), zeros.union(facet.neurons)) for facet in region.facets),
        )
    return result


def facts_of_tessellation(t: Tessellation) -> dict[str, Facts]:
    """Return what a tessellation says of each region, by pattern; without vertices, those of its regions."""
    patterns = t.pattern_texts()
    points = t.vertices_exact() if t.has_vertices else []
    facets: list[Counter] = [Counter() for _ in patterns]
    for facet, (left, right) in enumerate(t.facet_regions.tolist()):
        zeros = frozenset(t.facet_neurons(facet).tolist())
        facets[left][None if right == -1 else patterns[right], zeros] += 1
        if right != -1:
            facets[right][patterns[left], zeros] += 1
    return {
        pattern: Facts(
            bool(t.bounded[i]),
            frozenset(points[v] for v in t.corners(i) if t.vertex_kind[v] != AT_INFINITY)
            if t.has_vertices
            else frozenset(t.region(i).vertices),
            affine_rows(t.region(i)),
            frozenset(t.zero_neurons(i).tolist()),
            facets[i],
        )
        for i, pattern in enumerate(patterns)
    }


def affine_rows(region: Region) -> tuple[tuple[Fraction, ...], ...]:
    return tuple(map(tuple, region.affine_map.rows.to_fractions()))


def without_bars(pattern: object) -> str:
    return str(pattern).replace("|", "")


def vertices_of_tessellation(t: Tessellation) -> dict[tuple[Fraction, ...], tuple[bool, frozenset[int]]]:
    """Return each vertex with whether it is strictly inside the domain, and the neurons that vanish there."""
    return {
        point: (bool(t.vertex_kind[v] == INSIDE), frozenset(t.vertex_neurons(v).tolist()))
        for v, point in enumerate(t.vertices_exact())
        if t.vertex_kind[v] != AT_INFINITY
    }


def vertices_of_oracle(found: Complex) -> dict[tuple[Fraction, ...], tuple[bool, frozenset[int]]]:
    """Return each vertex with whether it is strictly inside the domain, and the neurons that vanish there."""
    inside = found.interior_vertices
    return {point: (point in inside, zeros) for point, zeros in found.vertices.items()}


def edges_of_tessellation(t: Tessellation) -> Counter[tuple[frozenset, frozenset, frozenset[int]]]:
    """Return each facet as the patterns beside it, its finite ends, and the neurons that vanish on it."""
    patterns, points = t.pattern_texts(), t.vertices_exact()
    facets: Counter = Counter()
    for facet, regions in enumerate(t.facet_regions.tolist()):
        ends = t.facet_vertices[t.facet_indptr[facet] : t.facet_indptr[facet + 1]]
        facets[
            frozenset(patterns[i] for i in regions if i != -1),
            frozenset(points[v] for v in ends if t.vertex_kind[v] != AT_INFINITY),
            frozenset(t.facet_neurons(facet).tolist()),
        ] += 1
    return facets


def edges_of_oracle(found: Complex) -> Counter[tuple[frozenset, frozenset, frozenset[int]]]:
    """Return each facet as the patterns beside it, its finite ends, and the neurons that vanish on it."""
    return Counter((frozenset(found.patterns[i] for i in f.regions), f.ends, f.zeros) for f in found.facets)


def fields_of_tessellation(t: Tessellation) -> dict[str, object]:
    """Return every field of ``expected.json`` for a tessellation."""
    patterns, areas, vertices = t.pattern_texts(), t.areas(), t.faces(0)
    return {
        "cells": t.n_regions,
        "bounded_cells": int(t.bounded.sum()),
        "adjacency_edges": len(t.adjacent_pairs),
        "linear_regions": t.n_linear_regions,
        "distinct_affine_maps": t.n_affine_maps,
        "strict_regions": int(t.is_strict.sum()),
        "codes_total_003": len(t.code_space()),
        "vertices": int(vertices.is_inner.sum()),
        "vertices_interior": int(vertices.is_inner.sum()),
        "vertices_total": len(vertices),
        "hamming1_pairs": len(t.hamming1_pairs),
        "hamming1_not_adjacent": t.count_hamming1_not_adjacent(),
        "adjacent_not_hamming1": t.count_adjacent_not_hamming1(),
        "code_set_sha256": hash_lines(patterns),
        "edge_set_sha256": hash_pairs((patterns[i], patterns[j]) for i, j in t.adjacent_pairs.tolist()),
        "area_sha256": None if None in areas else hash_areas(zip(patterns, areas, strict=True)),
    }


def fields_of_facts(facts: dict[str, Facts], domain: Domain) -> dict[str, object]:
    """Return the fields of ``expected.json``, without areas and lower-dimensional patterns."""
    adjacent = {frozenset((a, b)) for a, each in facts.items() for b, _ in each.facets if b is not None}
    maps = nx.Graph(pair for pair in adjacent if len({facts[pattern].affine for pattern in pair}) == 1)
    maps.add_nodes_from(facts)
    vertices = {point for each in facts.values() for point in each.vertices}
    inside = [
        p for p in vertices if all(sum(a * v for a, v in zip(row, (*p, 1), strict=True)) > 0 for row in domain.rows)
    ]
    hamming1 = {
        frozenset((a, b)) for a, b in combinations(facts, 2) if sum(x != y for x, y in zip(a, b, strict=True)) == 1
    }
    return {
        "cells": len(facts),
        "bounded_cells": sum(each.is_bounded for each in facts.values()),
        "adjacency_edges": len(adjacent),
        "linear_regions": nx.number_connected_components(maps),
        "distinct_affine_maps": len({each.affine for each in facts.values()}),
        "strict_regions": sum(not each.zero_neurons for each in facts.values()),
        "vertices": len(inside),
        "vertices_interior": len(inside),
        "vertices_total": len(vertices),
        "hamming1_pairs": len(hamming1),
        "hamming1_not_adjacent": len(hamming1 - adjacent),
        "adjacent_not_hamming1": len(adjacent - hamming1),
        "code_set_sha256": hash_lines(facts),
        "edge_set_sha256": hash_pairs(map(tuple, adjacent)),
    }


def patterns_of_faces(regions: list[Region]) -> set[str]:
    """Return the patterns of the relative interiors of all faces, those of the regions included."""
    return {
        without_bars(region.network.exact.pattern_at(face.relative_interior_point(region.generators)))
        for region in regions
        for face in region.faces
    }
