"""Activation patterns and labels of a network at the points of a data set, exactly.

Floats with proven error bounds decide nearly every digit; the few that they leave open (a preactivation near its
breakpoint, or equal inputs of a max unit) are decided by exact arithmetic, unit by unit, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.points import checked_points
from polyrelu.errors import EnumerationInterrupted, InputError
from polyrelu.network.batches import Array, Arrays, BatchNetwork, batch_network
from polyrelu.network.exact_units import decide_units
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern, PatternLayout

if TYPE_CHECKING:
    from polyrelu.kernels.evaluation import Evaluation

__all__ = [
    "DataPatterns",
    "Progress",
    "exact_label",
    "labels_at",
    "patterns_and_labels_at",
    "patterns_at",
    "unit_digits_at",
]

Progress = Callable[[int, int], None]
"""``progress(done, total)`` is told how many points are done."""


@dataclass(frozen=True, eq=False)
class DataPatterns:
    """The activation pattern of each point of a data set, packed into bits.

    Attributes
    ----------
    layout : PatternLayout
        Where each neuron's digit lies.
    widths : tuple of int
        Number of neurons of each layer that has any.
    words : uint64 array, shape (n, n_words)
        Packed patterns, a row for each point.
    n_decided_exactly : int or None
        How many points had a digit that floats left open; None if no digit is proven (`module_patterns`).
    """

    layout: PatternLayout
    widths: tuple[int, ...]
    words: NDArray[np.uint64]
    n_decided_exactly: int | None

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return f"<DataPatterns of {len(self)} points, widths {self.widths}>"

    @property
    def n_layers(self) -> int:
        """Number of layers that have neurons."""
        return len(self.widths)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first neuron of each layer, and the number of all, shape (n_layers + 1,)."""
        return np.concatenate([[0], np.cumsum(self.widths)]).astype(np.int64)

    def neurons_of(self, layer: int) -> slice:
        """Return which neurons are those of a layer, counted among those that have any; from the last if negative.

        Raises
        ------
        InputError
            For a layer that there is not.
        """
        n = self.n_layers
        if not -n <= layer < n:
            raise InputError(
                f"Patterns need a layer from {-n} to {n - 1} but received {layer}. Count the layers that have neurons."
            )
        start, stop = self.starts[layer % n : layer % n + 2].tolist()
        return slice(start, stop)

    def pattern(self, point: int) -> Pattern:
        """Return the pattern of a point."""
        return Pattern.from_digits(self.layout.unpack(self.words[point])[0].tolist(), self.widths)

    def digits(self, layer: int | None = None, points: slice | NDArray = slice(None)) -> NDArray:
        """Return digits, shape (n, n_neurons) or (n, width) of one layer, unsigned integers.

        Parameters
        ----------
        layer : int, optional
            As for `neurons_of`.
        points : slice or index array
            Which points; all by default.
        """
        digits = self.layout.unpack(self.words[points])
        return digits if layer is None else digits[:, self.neurons_of(layer)]

    def keys(self, layer: int | None = None) -> NDArray:
        """Return one opaque value for each point, equal where patterns (of one layer) are equal, shape (n,)."""
        rows = np.ascontiguousarray(self.words if layer is None else self._layer_bytes(layer))
        return rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize)))[:, 0]

    def groups(self, layer: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the distinct patterns: a first point of each, which one each point has, and how many points have it.

        They are numbered in the order in which the points bring them up.

        Examples
        --------
        >>> from polyrelu.testing import xor
        >>> [part.tolist() for part in patterns_at(xor(), [[1, 1], [0, 0], [1, 1.5]]).groups()]
        [[0, 1], [0, 1, 0], [2, 1]]
        """
        _, first, inverse, counts = np.unique(
            self.keys(layer), return_index=True, return_inverse=True, return_counts=True
        )
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return first[order], rank[inverse.reshape(-1)], counts[order]

    def count_distinct(self, layer: int | None = None) -> int:
        """Return how many different patterns the points have, in one layer or in all together."""
        return len(np.unique(self.keys(layer)))

    def _layer_bytes(self, layer: int) -> NDArray[np.uint8]:
        """Return the bytes that hold a layer: each layer starts at a whole byte."""
        own = self.neurons_of(layer)
        bits = (self.layout.word * 64 + self.layout.shift)[own]
        start, stop = bits[0] // 8, -(-(bits[-1] + self.layout.bits[own][-1]) // 8)
        return self.words.astype("<u8").view(np.uint8)[:, start:stop]


def patterns_at(
    network: Network, points: ArrayLike, device: str | None = None, progress: Progress | None = None
) -> DataPatterns:
    """Return the activation pattern of a network at each point of a data set, all digits as in exact arithmetic.

    Parameters
    ----------
    network : Network
    points : array, shape (n, ...) with dim numbers each
        Floats, taken exactly; images are flattened in C order.
    device : str, optional
        Evaluate with PyTorch on this device, such as ``"cuda"``; default: NumPy.
    progress : callable, optional
        ``progress(done, total)`` hears how many points are done.

    Raises
    ------
    InputError
        If the points do not fit the network or are not finite, or PyTorch has no such device.
    MissingExtraError
        With a device, but without PyTorch.
    EnumerationInterrupted
        After Ctrl-C; ``.partial`` holds the patterns of the first points, those that were done.

    Notes
    -----
    Craighero et al. 2020, Definition 1: a ReLU that is exactly 0 is off.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> patterns = patterns_at(xor(), [[0.5, 0.5], [1, 1], [2, 3]])
    >>> [str(patterns.pattern(k)) for k in range(3)], patterns.count_distinct(), patterns.n_decided_exactly
    (['10', '11', '11'], 2, 1)
    >>> patterns_at(xor(), [[1.0, float("nan")]])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: patterns_at needs finite numbers but point 0 has nan. Repair or drop it.
    """
    return _patterns(network, checked_points(network, points, "patterns_at"), device, progress)


def patterns_and_labels_at(
    network: Network, points: ArrayLike, device: str | None = None, progress: Progress | None = None
) -> tuple[DataPatterns, NDArray[np.int64]]:
    """Return `patterns_at` and `labels_at`, for which the network is evaluated once.

    Parameters, errors, and what an interrupt leaves, as for `patterns_at`.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> patterns, labels = patterns_and_labels_at(xor(), [[0.5, 0.25], [1, 1]])
    >>> str(patterns.pattern(0)), labels.tolist()
    ('10', [1, 0])
    """
    x = checked_points(network, points, "patterns_at")
    _check_outputs(network)
    labels = np.zeros(len(x), np.int64)
    return _patterns(network, x, device, progress, labels), labels


def labels_at(network: Network, points: ArrayLike, device: str | None = None) -> NDArray[np.int64]:
    """Return the label that a network gives each point: the first of its largest outputs, in exact arithmetic.

    A network with one output gives label 1 where it is > 0, else 0.

    Parameters
    ----------
    network, points, device
        As for `patterns_at`.

    Raises
    ------
    InputError, MissingExtraError
        As `patterns_at`.

    Examples
    --------
    >>> from polyrelu import Network
    >>> labels_at(Network.from_arrays([([[1], [-1], [1]], [0, 0, 0])]), [[1.0], [-2.0], [0.0]]).tolist()
    [0, 1, 0]
    """
    from polyrelu.kernels.evaluation import evaluations

    x, batch = checked_points(network, points, "labels_at"), batch_network(network, device)
    _check_outputs(network)
    labels = np.zeros(len(x), np.int64)
    for piece, found in evaluations(batch, x):
        labels[piece] = _decided_labels(network, x[piece], found, batch.arrays)
    return labels


def exact_label(outputs: Sequence[Fraction | None]) -> int:
    """Return the first of the largest outputs, those that are None left out; 1 or 0 for the sign of a single one.

    Examples
    --------
    >>> exact_label([None, Fraction(1), Fraction(1)]), exact_label([Fraction(0)])
    (1, 0)
    """
    if len(outputs) == 1:
        return int(outputs[0] is not None and outputs[0] > 0)
    return max((i for i, y in enumerate(outputs) if y is not None), key=lambda i: (outputs[i], -i))


def unit_digits_at(batch: BatchNetwork, patterns: DataPatterns, piece: slice) -> list[Array]:
    """Return the digits of all units at some points, shape (n_units, m) for each hidden layer; 0 for units without one.

    Digits of layers of ReLUs are booleans, others int64, where the network's arrays are.
    """
    digits, first, result = patterns.digits(None, piece), 0, []
    for layer in batch.layers[:-1]:
        activation = layer.activation
        own = np.flatnonzero(activation.n_pieces > 1)
        units = np.zeros((activation.n_units, len(digits)), bool if activation.is_relu else np.int64)
        units[own] = digits[:, first : first + len(own)].T
        first += len(own)
        result.append(batch.arrays.of(units))
    return result


def _patterns(
    network: Network,
    x: NDArray[np.float64],
    device: str | None,
    progress: Progress | None,
    labels: NDArray[np.int64] | None = None,
) -> DataPatterns:
    """Return patterns of checked points, and write labels, if they are wanted."""
    from polyrelu.kernels.evaluation import evaluations

    batch = batch_network(network, device)
    words, done, n_exact = np.zeros((len(x), network.layout.n_words), np.uint64), 0, 0
    try:
        for piece, found in evaluations(batch, x):
            digits, n_decided = _decided(network, x[piece], found, batch.arrays)
            words[piece] = network.layout.pack(_neurons(network, digits, len(x[piece])))
            if labels is not None:
                labels[piece] = _decided_labels(network, x[piece], found, batch.arrays)
            done, n_exact = piece.stop, n_exact + n_decided
            if progress is not None:
                progress(done, len(x))
    except KeyboardInterrupt:
        partial = DataPatterns(network.layout, network.pattern_widths, words[:done], n_exact)
        raise EnumerationInterrupted(partial) from None
    return DataPatterns(network.layout, network.pattern_widths, words, n_exact)


def _decided(network: Network, points: NDArray, found: Evaluation, arrays: Arrays) -> tuple[list[NDArray], int]:
    """Return the digits of units, shape (n_units, n) for each layer, and how many points had any left to decide."""
    digits = [arrays.to_host(each) for each in found.digits]
    is_known = [arrays.to_host(each) for each in found.is_known]
    is_open = np.zeros(len(points), bool)
    for known in is_known:
        is_open |= ~known.all(axis=0)
    chosen = np.flatnonzero(is_open)
    if len(chosen):
        decided = [each[:, chosen].astype(np.int64) for each in digits]
        decide_units(network, points[chosen], decided, [each[:, chosen] for each in is_known])
        digits = [each.astype(np.int64) for each in digits]
        for each, own in zip(digits, decided, strict=True):
            each[:, chosen] = own
    return digits, len(chosen)


def _neurons(network: Network, digits: list[NDArray], n: int) -> NDArray[np.uint32]:
    """Return the digits of neurons, shape (n, n_neurons), from those of all units."""
    rows = [
        each[layer.activation.n_pieces > 1].astype(np.uint32)
        for layer, each in zip(network.hidden, digits, strict=True)
    ]
    return np.concatenate([np.zeros((0, n), np.uint32), *rows]).T


def _check_outputs(network: Network) -> None:
    if not network.n_out:
        raise InputError("labels_at needs a network with outputs but received one without. Check its last layer.")


def _decided_labels(network: Network, points: NDArray, found: Evaluation, arrays: Arrays) -> NDArray[np.int64]:
    labels, is_known = _labels(arrays.to_host(found.outputs), arrays.to_host(found.errors))
    for k in np.flatnonzero(~is_known).tolist():
        labels[k] = exact_label(network.exact(points[k].tolist()))
    return labels


def _labels(outputs: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return labels of outputs, shape (n_out, n), and which of them are proven by bounds of the outputs' errors."""
    from polyrelu.kernels.bounds import SLACK

    if len(outputs) == 1:
        return (outputs[0] > 0).astype(np.int64), (np.abs(outputs[0]) > errors[0]) | (errors[0] == 0)
    best = outputs.argmax(axis=0)
    top, top_error = (np.take_along_axis(each, best[None], 0) for each in (outputs, errors))
    with np.errstate(invalid="ignore", over="ignore"):
        beaten = top - outputs > (top_error + errors) * SLACK
    # Of outputs known exactly the largest is known, and of equal ones the first.
    beaten |= (errors == 0) & (top_error == 0)
    np.put_along_axis(beaten, best[None], True, 0)
    return best, np.all(beaten, axis=0)
