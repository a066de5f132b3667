"""What two enumerations must agree on, in exact numbers, read from the oracle and from regions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import networkx as nx
from cases import hash_lines, hash_pairs
from oracle import Complex
from oracle_cells import ZERO, Point, midpoint, value_at

from polyrelu.exact.domain import Domain
from polyrelu.region.model import Region


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
        vanish on the facet but not on the region.
    """

    is_bounded: bool
    vertices: frozenset[tuple[Fraction, ...]]
    affine: tuple[tuple[Fraction, ...], ...]
    zero_neurons: frozenset[int]
    facets: Counter[tuple[str | None, frozenset[int]]]


def facts_of_oracle(found: Complex) -> dict[str, Facts]:
    """Return what the oracle says of each region, by pattern."""
    facets: list[Counter] = [Counter() for _ in found.regions]
    for ends, users in found.sides.items():
        for index, _ in users:
            [other] = [found.patterns[i] for i, _ in users if i != index] or [None]
            facets[index][other, neurons_on(found, index, midpoint(ends))] += 1
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


def neurons_on(found: Complex, index: int, point: Point) -> frozenset[int]:
    """Return the neurons with a wall that contains the point but not the region."""
    pieces = found.regions[index].pieces
    return frozenset(
        i for i, piece in enumerate(pieces) if any(any(wall) and value_at(wall, point) == ZERO for wall in piece.walls)
    )


def facts_of_regions(regions: list[Region]) -> dict[str, Facts]:
    """Return what regions say of themselves, by pattern."""
    result = {}
    for region in regions:
        across = {facet.row: without_bars(pattern) for facet, pattern in region.neighbours}
        result[without_bars(region.pattern)] = Facts(
            region.is_bounded,
            frozenset(region.vertices),
            tuple(map(tuple, region.affine_map.rows.to_fractions())),
            frozenset(region.zero_neurons),
            Counter((across.get(facet.row), frozenset(facet.neurons)) for facet in region.facets),
        )
    return result


def without_bars(pattern: object) -> str:
    return str(pattern).replace("|", "")


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
