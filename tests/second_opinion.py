"""Slow answers about small networks, by trying all patterns; and everything that is wrong with a proof by one number.

The regions come from `enumerate_brute`, their vertices and rays from the double description method: no tessellation and
no objective of a linear program.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from fractions import Fraction
from typing import Any

from polyrelu.analysis.ground import Ground
from polyrelu.analysis.polyhedra import Polyhedron
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import BudgetError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.region.hull import decide_domain
from polyrelu.region.model import Region

STEP = 97
"""What is added to a number to spoil it: more than any domain of these tests is wide."""


def brute_regions(network: Network, domain: Domain) -> list[Region]:
    """Return all regions of a network in a full-dimensional domain."""
    assert decide_domain(domain).is_full_dimensional
    return enumerate_brute(network, domain)


def first_regions(network: Network, domain: Domain, max_regions: int) -> list[Region]:
    """Enumerate with a budget that is kept to the region (the fast methods stop a thousand regions later)."""
    regions = enumerate_brute(network, domain)
    if len(regions) <= max_regions:
        return regions
    raise BudgetError("The budget is used up.", regions[:max_regions])


def brute_maximum(network: Network, domain: Domain, weights: Sequence[int]) -> Fraction | None:
    """Return the largest value of a combination of outputs on a domain, None if it has no bound."""
    best: Fraction | None = None
    for region in brute_regions(network, domain):
        shape = region.generators
        slopes = [dot(weights, column) for column in zip(*region.affine_map.matrix, strict=True)]
        if any(dot(slopes, ray) > 0 for ray in shape.rays) or any(dot(slopes, line) for line in shape.lineality):
            return None
        values = [dot(weights, region.affine_map(point)) for point in shape.points]
        best = max(values if best is None else [best, *values])
    return best


def grid_points(domain: Domain, size: int = 4) -> list[tuple[Fraction, ...]]:
    """Return the points of a regular grid that lie in a domain, with its vertices and a point inside."""
    axis = [Fraction(i, 2) for i in range(-size, size + 1)]
    inside = [point for point in itertools.product(axis, repeat=domain.dim) if domain.contains(point)]
    return [*inside, *Polyhedron(domain.dim, domain.rows).vertices, decide_domain(domain).point]


def with_outputs(network: Network, rows: Sequence[Sequence[int]], bias: Sequence[int] | None = None) -> Network:
    """Return a network with other outputs: affine functions of its last hidden layer's values."""
    width = network.output.n_inputs
    weight = [[float(row[i % len(row)]) for i in range(width)] for row in rows]
    bias = [float(b) for b in bias or range(len(rows))]
    return replace(network, output=Layer(weight, bias, Activation.same(IDENTITY, len(rows))))


def mutations(value: Any) -> Iterator[Any]:
    """Yield copies of a proof with one number, flag or choice changed; networks, domains and grounds stay."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, Fraction)):
        yield value + STEP
        yield value - STEP
    elif isinstance(value, Enum):
        yield from (other for other in type(value) if other is not value)
    elif isinstance(value, tuple):
        for i, entry in enumerate(value):
            yield from (type(value)((*value[:i], changed, *value[i + 1 :])) for changed in mutations(entry))
        if value and len({type(entry) for entry in value}) == 1 and not isinstance(value[0], int):
            yield value[:-1]
    elif is_dataclass(value) and not isinstance(value, (Network, Domain, Ground, Polyhedron)):
        for field in fields(value):
            for changed in mutations(getattr(value, field.name)):
                yield replace(value, **{field.name: changed})
