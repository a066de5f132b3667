"""Random networks and data for the claims of paper 004, equal for equal seeds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random
from typing import Any

from polyrelu.analysis.claims.exact_layers import (
    Choice,
    Conv,
    Dense,
    LeakyRelu,
    MaxPool,
    Norm,
    Point,
    Relu,
    TropexLayer,
    choices_at,
    values_at,
)
from polyrelu.analysis.claims.exact_tropex import Extracted, Merge, all_terms, extract, extracted_value
from polyrelu.network.model import Network

__all__ = [
    "affine_of",
    "as_network",
    "data_for",
    "dense_layers",
    "find_wrong_datum",
    "is_wrong_at",
    "mixed_layers",
    "points_of_cell",
    "terms_are_largest",
]

ARCHITECTURES = ((1, 3, 2), (2, 4, 3), (2, 3, 2, 2), (3, 4, 2, 3))


def dense_layers(seed: int, widths: Sequence[int] | None = None) -> tuple[Dense | Relu, ...]:
    """Return a ReLU network with integers from -5 to 5, its widths by the seed if none are given."""
    rng = Random(f"dense {seed}")
    widths = widths or ARCHITECTURES[seed % len(ARCHITECTURES)]
    layers: list[Dense | Relu] = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [_dense(rng, n_out, n_in), Relu()]
    return tuple(layers[:-1])


def mixed_layers(seed: int, kind: str, slope: Fraction = Fraction(1, 3)) -> tuple[TropexLayer, ...]:
    """Return a small network with a layer of one kind: "norm", "leaky", "pool", "overlap" or "conv"."""
    rng = Random(f"{kind} {seed}")
    between: dict[str, list[TropexLayer]] = {
        "norm": [Norm(_vector(rng, 4, 1, 5), _vector(rng, 4)), Relu()],
        "signed norm": [Relu(), Norm(_vector(rng, 4), _vector(rng, 4))],
        "leaky": [LeakyRelu(slope)],
        "pool": [Relu(), MaxPool(((0, 1), (2, 3)))],
        "overlap": [Relu(), MaxPool(((0, 1, 2), (1, 3)))],
        "conv": [Relu()],
    }
    last = _dense(rng, 3, 2 if kind in ("pool", "overlap") else 4)
    first: TropexLayer = _dense(rng, 4, 3)
    if kind == "conv":
        first = Conv(tuple((_vector(rng, 2),) for _ in range(2)), _vector(rng, 2), 3)
    return (first, *between[kind], last)


def data_for(seed: int, dim: int, count: int = 5) -> tuple[Point, ...]:
    """Return random points with sixteenths from -5 to 5."""
    rng = Random(f"data {seed}")
    return tuple(tuple(Fraction(rng.randint(-80, 80), 16) for _ in range(dim)) for _ in range(count))


def as_network(layers: Sequence[TropexLayer]) -> Network:
    """Return dense layers with ReLUs between them as a network."""
    dense = [layer for layer in layers if isinstance(layer, Dense)]
    arrays: list[tuple[Any, Any]] = [([list(row) for row in layer.weight], list(layer.bias)) for layer in dense]
    return Network.from_arrays(arrays)


def points_of_cell(layers: Sequence[TropexLayer], point: Point, seed: int, count: int = 4) -> list[Point]:
    """Return points near a point at which the network chooses the same: on the way there, in random directions."""
    rng = Random(f"cell {seed}")
    choices, found = choices_at(layers, point), []
    for _ in range(count):
        step = [Fraction(rng.randint(-40, 40), 8) for _ in point]
        for _ in range(12):
            candidate = tuple(x + s for x, s in zip(point, step, strict=True))
            if choices_at(layers, candidate) == choices:
                found.append(candidate)
                break
            step = [s / 2 for s in step]
    return found


def affine_of(layers: Sequence[TropexLayer], choices: Sequence[Choice]) -> list[tuple[Fraction, ...]]:
    """Return the affine map of dense layers with the given choices, as rows ``(a_1, ..., a_dim, c)``."""
    first = layers[0]
    assert isinstance(first, Dense)
    dim = len(first.weight[0])
    rows: list[tuple[Fraction, ...]] = [
        (*tuple(Fraction(int(i == j)) for j in range(dim)), Fraction(0)) for i in range(dim)
    ]
    for layer, choice in zip(layers, [*choices, None], strict=True):
        if isinstance(layer, Dense):
            rows = [
                tuple(
                    sum((w * row[j] for w, row in zip(weights, rows, strict=True)), b if j == dim else Fraction(0))
                    for j in range(dim + 1)
                )
                for weights, b in zip(layer.weight, layer.bias, strict=True)
            ]
        elif choice is not None:
            zero = (Fraction(0),) * (dim + 1)
            rows = [row if kept else zero for row, kept in zip(rows, choice.kept, strict=True)]
    return rows


def terms_are_largest(layers: Sequence[TropexLayer], points: Sequence[Point]) -> bool:
    """Return whether the full families give the network at points and each point's own terms are largest in them."""
    plus, minus = all_terms(layers, len(points[0]))
    if any(a < 0 for family in (*plus, minus) for term in family for a in term.slopes):
        return False
    labels = range(len(plus))
    for point in points:
        own = extract(layers, [point for _ in labels], labels)
        below = max(term.at(point) for term in minus)
        above = [max(term.at(point) for term in family) for family in plus]
        if (
            any(term.at(point) != below or term not in minus for term in own.minus)
            or any(own.plus[i].at(point) != above[i] or own.plus[i] not in plus[i] for i in labels)
            or tuple(a - below for a in above) != values_at(layers, point)
        ):
            return False
    return True


def is_wrong_at(
    layers: Sequence[TropexLayer],
    data: Sequence[Point],
    point: Point,
    merge: Merge | None = None,
    own_denominator: bool = False,
) -> bool:
    """Return whether the largest extracted output differs from the network's largest output at a point."""
    values = extracted_value(extract(layers, data, merge=merge), point, own_denominator)
    return max(v for v in values if v is not None) != max(values_at(layers, point))


def find_wrong_datum(
    layers: Sequence[TropexLayer], data: Sequence[Point], merge: Merge | None = None, own_denominator: bool = False
) -> Point | None:
    """Return a datum at which the largest extracted output is not the network's, or None."""
    found: Extracted = extract(layers, data, merge=merge)
    return next(_wrong(found, layers, data, own_denominator), None)


def _wrong(
    found: Extracted, layers: Sequence[TropexLayer], data: Sequence[Point], own_denominator: bool
) -> Iterator[Point]:
    for point in data:
        values = extracted_value(found, point, own_denominator)
        if max(v for v in values if v is not None) != max(values_at(layers, point)):
            yield point


def _vector(rng: Random, n: int, low: int = -5, high: int = 5) -> tuple[Fraction, ...]:
    return tuple(Fraction(rng.randint(low, high)) for _ in range(n))


def _dense(rng: Random, n_out: int, n_in: int) -> Dense:
    return Dense(tuple(_vector(rng, n_in) for _ in range(n_out)), _vector(rng, n_out))
