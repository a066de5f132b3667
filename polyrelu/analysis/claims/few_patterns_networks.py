"""Networks that are examined for claims about numbers of regions, and exact facts about the signs of their neurons."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from polyrelu.analysis.answers import decide_region_exists
from polyrelu.certificate.answer_rows import pattern_rows, require, value_at
from polyrelu.certificate.answers import RegionEmpty, RegionExists
from polyrelu.network.activation import IDENTITY, Activation, PiecewiseLinear
from polyrelu.network.model import Layer, Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.lp import Infeasible, find_point

__all__ = [
    "NoStrictPoint",
    "RegionNumber",
    "StrictPoint",
    "VanishesOn",
    "all_patterns",
    "degenerate_network",
    "drawn_network",
    "preactivations_at",
    "prove_region_number",
    "prove_strict_number",
    "small_networks",
]

Point = tuple[Fraction, ...]


# Networks -----------------------------------------------------------------------------------------------------


def drawn_network(
    seed: int, dim: int, widths: Sequence[int], activation: PiecewiseLinear | None = None, n_out: int = 1
) -> Network:
    """Return a network with integer weights from -1000 to 1000, biases too but not 0.

    Generic for all practical purposes: no coincidence among its regions has been seen.

    Examples
    --------
    >>> drawn_network(0, 2, [2]).hidden[0].weight.tolist()
    [[-675.0, -897.0], [-7.0, -851.0]]
    """
    random = np.random.default_rng([seed, dim, *widths])
    layers = []
    for n_in, n in pairwise([dim, *widths, n_out]):
        weight = random.integers(-1000, 1001, (n, n_in))
        layers.append((weight, random.integers(1, 1001, n) * random.choice([-1, 1], n)))
    if activation is None:
        return Network.from_arrays(layers)
    hidden = [Layer(w.astype(float), b.astype(float), Activation.same(activation, len(b))) for w, b in layers[:-1]]
    weight, bias = layers[-1]
    return Network(tuple(hidden), Layer(weight.astype(float), bias.astype(float), Activation.same(IDENTITY, n_out)))


def degenerate_network(seed: int, dim: int, widths: Sequence[int]) -> Network:
    """Return a network with weights -1, 0, 1, biases that are mostly 0, and here and there a repeated or a dead neuron.

    Examples
    --------
    >>> degenerate_network(0, 1, [2]).hidden[0].bias.tolist()
    [-1.0, 0.0]
    """
    random = np.random.default_rng([seed, dim, *widths, 7])
    layers = []
    for n_in, n in pairwise([dim, *widths, 1]):
        weight, bias = random.integers(-1, 2, (n, n_in)), random.choice([0, 0, 0, 1, -1], n)
        kind = random.integers(6)
        if kind == 0 and n > 1:
            weight[1], bias[1] = weight[0], bias[0]
        if kind == 1:
            weight[0], bias[0] = -np.abs(weight[0]), -1
        layers.append((weight, bias))
    return Network.from_arrays(layers)


def small_networks(dim: int, widths: Sequence[int]) -> Iterator[Network]:
    """Yield the networks with all parameters in {-1, 0, 1} and output weights 1, those with many zeros first.

    Examples
    --------
    >>> sum(1 for _ in small_networks(1, [1, 1])), next(small_networks(1, [1])).hidden[0].weight.tolist()
    (81, [[0.0]])
    """
    shapes = [(n, n_in) for n_in, n in pairwise([dim, *widths])]
    sizes = [n * n_in + n for n, n_in in shapes]
    values = itertools.product((0, 1, -1), repeat=sum(sizes))
    for parameters in sorted(values, key=lambda each: sum(map(abs, each))):
        rest, layers = list(parameters), []
        for (n, n_in), size in zip(shapes, sizes, strict=True):
            block, rest = rest[:size], rest[size:]
            layers.append((np.array(block[: n * n_in]).reshape(n, n_in), block[n * n_in :]))
        yield Network.from_arrays([*layers, (np.ones((1, widths[-1])), [0])])


# Signs --------------------------------------------------------------------------------------------------------


def preactivations_at(network: Network, point: Sequence[object]) -> tuple[Fraction, ...]:
    """Return the preactivations of all hidden units at a point, exactly.

    Examples
    --------
    >>> twice = Network.from_arrays([([[1]], [0]), ([[1]], [-3]), ([[1]], [0])])
    >>> preactivations_at(twice, [2])
    (Fraction(2, 1), Fraction(-1, 1))
    """
    values, found = network.exact.inputs_at(point), []
    for layer in network.exact.layers[:-1]:
        rows = layer.preactivations(values)
        found += [row[0] for row in rows.to_fractions()]
        values = layer.outputs(rows, layer.digits(rows))
    return tuple(found)


def all_patterns(network: Network) -> Iterator[Pattern]:
    """Yield all 2^neurons patterns of a ReLU network."""
    for digits in itertools.product((0, 1), repeat=network.n_neurons):
        yield network.pattern(digits)


# Proofs -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class StrictPoint:
    """At a point every neuron has the sign of a pattern, and none is 0.

    Attributes
    ----------
    network : Network
    pattern : Pattern
    point : tuple of Fraction, length dim
    """

    network: Network
    pattern: Pattern
    point: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        require(len(self.point) == self.network.dim, "a point of the network's dimension")
        rows = pattern_rows(self.network, self.pattern, None)
        require(all(value_at(row.row, self.point) > 0 for row in rows), "a point where every neuron has its sign")


@dataclass(frozen=True, slots=True, eq=False)
class NoStrictPoint:
    """At no point has every neuron the sign of a pattern without being 0: a sum of its rows is a constant <= 0.

    Attributes
    ----------
    network : Network
    pattern : Pattern
    multipliers : tuple of Fraction, one for each neuron
        Nonnegative, not all 0.
    """

    network: Network
    pattern: Pattern
    multipliers: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        rows = [row.row for row in pattern_rows(self.network, self.pattern, None)]
        require(len(rows) == len(self.multipliers), "a number for each neuron")
        require(min(self.multipliers) >= 0 < max(self.multipliers), "nonnegative numbers, not all of them 0")
        total = [sum(y * row[i] for y, row in zip(self.multipliers, rows, strict=True)) for i in range(len(rows[0]))]
        require(not any(total[:-1]) and total[-1] <= 0, "multipliers whose sum is a constant <= 0")


@dataclass(frozen=True, slots=True, eq=False)
class VanishesOn:
    """Where the layers before it have a pattern's digits, a neuron's preactivation is a constant.

    Attributes
    ----------
    network : Network
    pattern : Pattern
    neuron : int
    sign : int
        Of the constant: 0 if the neuron vanishes identically.
    """

    network: Network
    pattern: Pattern
    neuron: int
    sign: int

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        [row] = [r for r in pattern_rows(self.network, self.pattern, None) if r.neuron == self.neuron]
        turn = 1 if self.pattern.digits[self.neuron] else -1
        require(not any(row.row[:-1]), "a neuron that is constant there")
        require((turn * row.row[-1] > 0) - (turn * row.row[-1] < 0) == self.sign, "a constant of this sign")


@dataclass(frozen=True, slots=True, eq=False)
class RegionNumber:
    """How many patterns of a small ReLU network have a region, or a strict one: a proof for each of the 2^neurons.

    Attributes
    ----------
    network : Network
    number : int
    parts : tuple of RegionExists and RegionEmpty, or of StrictPoint and NoStrictPoint
        One for each pattern, all patterns in the order of `all_patterns`.
    """

    network: Network
    number: int
    parts: tuple[RegionExists | RegionEmpty | StrictPoint | NoStrictPoint, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        patterns = list(all_patterns(self.network))
        require([part.pattern for part in self.parts] == patterns, "a proof for each pattern")
        require(all(part.network is self.network for part in self.parts), "proofs about one network")
        require(len({isinstance(p, RegionExists | RegionEmpty) for p in self.parts}) == 1, "proofs of one kind")
        require(not any(getattr(part, "domain", None) for part in self.parts), "proofs about all inputs")
        for part in self.parts:
            part.check()
        n_proved = sum(isinstance(part, RegionExists | StrictPoint) for part in self.parts)
        require(n_proved == self.number, "as many regions as it states")


def prove_region_number(network: Network) -> RegionNumber:
    """Return how many regions a small ReLU network has, with the proof.

    Examples
    --------
    >>> proof = prove_region_number(Network.from_arrays([([[1], [1]], [0, -1]), ([[1, 1]], [0])]))
    >>> proof.check()
    >>> proof.number
    3
    """
    parts = tuple(decide_region_exists(network, pattern).evidence for pattern in all_patterns(network))
    return RegionNumber(network, sum(isinstance(part, RegionExists) for part in parts), parts)  # type: ignore[arg-type]


def prove_strict_number(network: Network) -> RegionNumber:
    """Return how many strict regions a small ReLU network has, with the proof.

    Examples
    --------
    >>> twice = Network.from_arrays([([[1]], [0]), ([[1]], [0]), ([[1]], [0])])
    >>> proof = prove_strict_number(twice)
    >>> proof.check()
    >>> proof.number, prove_region_number(twice).number
    (1, 2)
    """
    parts: list[StrictPoint | NoStrictPoint] = []
    for pattern in all_patterns(network):
        rows = [row.row for row in pattern_rows(network, pattern, None)]
        answer = find_point(rows, [True] * len(rows), network.dim)
        if isinstance(answer, Infeasible):
            parts.append(NoStrictPoint(network, pattern, answer.multipliers))
        else:
            parts.append(StrictPoint(network, pattern, answer.point))
    return RegionNumber(network, sum(isinstance(part, StrictPoint) for part in parts), tuple(parts))
