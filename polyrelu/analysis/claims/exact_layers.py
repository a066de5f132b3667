"""Layers of Table 1 of paper 004 in rationals: their values, and what they choose at a point.

Every layer is a small frozen object; vectors are tuples of `Fraction`. ReLU, leaky ReLU and max pooling are linear once
it is known what they *choose* at a point: which inputs they pass on, and with which factor.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from polyrelu.network.model import Layer, Network

__all__ = [
    "Choice",
    "Conv",
    "Dense",
    "LeakyRelu",
    "MaxPool",
    "Norm",
    "Numbers",
    "Point",
    "Relu",
    "TropexLayer",
    "all_choices",
    "as_dense",
    "choices_at",
    "layers_of",
    "negative_part",
    "positive_part",
    "pull_back",
    "pull_back_highest",
    "times",
    "transposed_convolution",
    "values_at",
]

Numbers = tuple[Fraction, ...]
Point = tuple[Fraction, ...]
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Dense:
    """``weight @ x + bias``."""

    weight: tuple[Numbers, ...]
    bias: Numbers


@dataclass(frozen=True, slots=True)
class Norm:
    """``scale * x + shift``, entry by entry: batch normalisation."""

    scale: Numbers
    shift: Numbers


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution along a line, without padding: ``y[o][p] = sum_c,t kernel[o][c][t] x[c][p + t] + bias[o]``.

    Attributes
    ----------
    kernel : nested tuples of Fraction, shape (n_channels_out, n_channels_in, n_taps)
    bias : tuple of Fraction, length n_channels_out
    length : int
        Entries of each input channel; vectors hold one channel after the other.
    """

    kernel: tuple[tuple[Numbers, ...], ...]
    bias: Numbers
    length: int

    @property
    def n_positions(self) -> int:
        """Number of entries of each output channel."""
        return self.length - len(self.kernel[0][0]) + 1

    @property
    def biases(self) -> Numbers:
        """The bias of each output entry."""
        return tuple(b for b in self.bias for _ in range(self.n_positions))


@dataclass(frozen=True, slots=True)
class Relu:
    """``max(x, 0)``."""


@dataclass(frozen=True, slots=True)
class LeakyRelu:
    """``x`` where x > 0, else ``slope * x``."""

    slope: Fraction


@dataclass(frozen=True, slots=True)
class MaxPool:
    """The largest entry of each window, a tuple of places; windows may overlap."""

    windows: tuple[tuple[int, ...], ...]


TropexLayer = Dense | Norm | Conv | Relu | LeakyRelu | MaxPool


@dataclass(frozen=True, slots=True)
class Choice:
    """What a layer passes on at a point.

    Attributes
    ----------
    kept : tuple of tuples of (int, Fraction)
        For each output the inputs that it passes on, each with its factor; empty for affine layers.
    n_inputs : int
    """

    kept: tuple[tuple[tuple[int, Fraction], ...], ...]
    n_inputs: int


def layers_of(network: Network) -> tuple[Dense | Relu, ...]:
    """Return a dense ReLU network as layers.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> layers = layers_of(xor())
    >>> [type(layer).__name__ for layer in layers], values_at(layers, (ONE, ZERO))
    (['Dense', 'Relu', 'Dense'], (Fraction(1, 1),))
    """
    dense = [
        Dense(tuple(tuple(map(Fraction, row)) for row in _rows(layer)), tuple(map(Fraction, layer.bias.tolist())))
        for layer in network.layers
    ]
    between: list[Dense | Relu] = [part for layer in dense[:-1] for part in (layer, Relu())]
    return (*between, dense[-1])


def values_at(layers: Sequence[TropexLayer], point: Point) -> Numbers:
    """Return what the layers make of a point."""
    values = point
    for layer in layers:
        values = _forward(layer, values)
    return values


def choices_at(layers: Sequence[TropexLayer], point: Point) -> list[Choice]:
    """Return what each layer but the last chooses at a point; ReLUs at 0 are off, of equal inputs the first counts."""
    values, choices = point, []
    for layer in layers[:-1]:
        kept: tuple[tuple[tuple[int, Fraction], ...], ...] = ()
        match layer:
            case Relu():
                kept = tuple(((j, ONE),) if v > 0 else () for j, v in enumerate(values))
            case LeakyRelu(slope):
                kept = tuple(((j, ONE if v > 0 else slope),) for j, v in enumerate(values))
            case MaxPool(windows):
                kept = tuple(((max(window, key=lambda i: (values[i], -i)), ONE),) for window in windows)
        choices.append(Choice(kept, len(values)))
        values = _forward(layer, values)
    return choices


def all_choices(layers: Sequence[TropexLayer], n_inputs: int) -> Iterator[list[Choice]]:
    """Yield every combination of choices of the layers but the last."""
    options: list[list[Choice]] = []
    width = n_inputs
    for layer in layers[:-1]:
        each: list[list[tuple[tuple[int, Fraction], ...]]] = []
        match layer:
            case Relu():
                each = [[(), ((j, ONE),)] for j in range(width)]
            case LeakyRelu(slope):
                each = [[((j, slope),), ((j, ONE),)] for j in range(width)]
            case MaxPool(windows):
                each = [[((i, ONE),) for i in window] for window in windows]
        options.append([Choice(kept, width) for kept in itertools.product(*each)])
        width = len(_forward(layer, (ZERO,) * width))
    yield from (list(choices) for choices in itertools.product(*options))


def pull_back(choice: Choice, slopes: Numbers) -> Numbers:
    """Return the slopes before a layer from those behind it; inputs that several outputs pass on add up."""
    result = [ZERO] * choice.n_inputs
    for kept, slope in zip(choice.kept, slopes, strict=True):
        for place, factor in kept:
            result[place] += factor * slope
    return tuple(result)


def pull_back_highest(layer: TropexLayer, highest: Numbers, n_inputs: int) -> Numbers:
    """Return A_max before a layer that chooses: the same, or what every window adds to all of its places."""
    if not isinstance(layer, MaxPool):
        return highest
    result = [ZERO] * n_inputs
    for window, value in zip(layer.windows, highest, strict=True):
        for place in window:
            result[place] += value
    return tuple(result)


def transposed_convolution(
    layer: Conv, slopes: Numbers, part: Callable[[Numbers], Numbers] = lambda taps: taps
) -> Numbers:
    """Return slopes of the input from those of the output, with the kernel or a part of it."""
    n_in, n_positions = len(layer.kernel[0]), layer.n_positions
    result = [ZERO] * (n_in * layer.length)
    for o, channels in enumerate(layer.kernel):
        for c, taps in enumerate(channels):
            for p, (t, tap) in itertools.product(range(n_positions), enumerate(part(taps))):
                result[c * layer.length + p + t] += slopes[o * n_positions + p] * tap
    return tuple(result)


def as_dense(layer: Conv) -> Dense:
    """Return a convolution as the matrix that it is."""
    n_inputs = len(layer.kernel[0]) * layer.length
    zero = _forward(layer, (ZERO,) * n_inputs)
    units = (tuple(ONE if i == j else ZERO for i in range(n_inputs)) for j in range(n_inputs))
    columns = [[a - b for a, b in zip(_forward(layer, unit), zero, strict=True)] for unit in units]
    return Dense(tuple(zip(*columns, strict=True)), zero)


def positive_part(row: Sequence[Fraction]) -> Numbers:
    """Return ``max(x, 0)`` entry by entry."""
    return tuple(max(w, ZERO) for w in row)


def negative_part(row: Sequence[Fraction]) -> Numbers:
    """Return ``max(-x, 0)`` entry by entry."""
    return tuple(max(-w, ZERO) for w in row)


def times(row: Numbers, matrix: Sequence[Numbers]) -> Numbers:
    """Return ``row @ matrix``."""
    return tuple(sum((a * w for a, w in zip(row, column, strict=True)), ZERO) for column in zip(*matrix, strict=True))


def _forward(layer: TropexLayer, values: Numbers) -> Numbers:
    match layer:
        case Dense(weight, bias):
            rows = zip(weight, bias, strict=True)
            return tuple(sum((w * v for w, v in zip(row, values, strict=True)), b) for row, b in rows)
        case Norm(scale, shift):
            return tuple(s * v + t for s, v, t in zip(scale, values, shift, strict=True))
        case Conv(kernel, bias, length):
            channels = [values[i : i + length] for i in range(0, len(values), length)]
            return tuple(
                b + sum((w * x[p + t] for taps, x in zip(row, channels, strict=True) for t, w in enumerate(taps)), ZERO)
                for row, b in zip(kernel, bias, strict=True)
                for p in range(layer.n_positions)
            )
        case Relu():
            return positive_part(values)
        case LeakyRelu(slope):
            return tuple(v if v > 0 else slope * v for v in values)
        case MaxPool(windows):
            return tuple(max(values[i] for i in window) for window in windows)


def _rows(layer: Layer) -> list[list[float]]:
    weight: Any = layer.weight
    rows: list[list[float]] = (weight.toarray() if layer.is_sparse else weight).tolist()
    return rows
