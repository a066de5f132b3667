"""Distances between the activation patterns of data points: in how many neurons they differ.

The Hamming metric of the code space (Shepeleva et al. 2020, Definition 1), on one layer or on all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.codes import distances_between
from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.errors import InputError
from polyrelu.network.batches import chunks
from polyrelu.network.pattern import PatternLayout

__all__ = ["chosen_layers", "layer_words", "neighbour_accuracy", "pattern_distances"]

MOST_NEURONS = (1 << 16) - 1
"""Distances are whole numbers of two bytes."""
ROWS_AT_ONCE = 256


def pattern_distances(
    patterns: DataPatterns, layer: int | None = None, points: slice | NDArray = slice(None)
) -> NDArray[np.uint16]:
    """Return the Hamming distances between the patterns of data points, shape (n, n): two bytes for each pair.

    Parameters
    ----------
    patterns : DataPatterns
    layer : int, optional
        Among the layers that have neurons, from 0 on, or from the last with negative numbers; default: all together.
    points : slice or int array
        Which points; all by default.

    Raises
    ------
    InputError
        For a layer that there is not, or of more than 65535 neurons.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> from polyrelu.analysis.data.patterns import patterns_at
    >>> pattern_distances(patterns_at(xor(), [[-1, 0], [0.5, 0.5], [2, 3]])).tolist()
    [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    """
    layout, words = layer_words(patterns, layer, points)
    return distances_between(layout, words, words)


def neighbour_accuracy(patterns: DataPatterns, labels: ArrayLike, layer: int | None = None) -> float:
    """Return how often the nearest other point in the Hamming metric has the same label: how well classes separate.

    Where several points are nearest, the fraction of them with the label counts.

    Parameters
    ----------
    patterns : DataPatterns
        Of two points at least.
    labels : int array, shape (n,)
    layer : int, optional
        As for `pattern_distances`.

    Raises
    ------
    InputError
        If labels and points do not match, or there are fewer than two.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> from polyrelu.analysis.data.patterns import patterns_at
    >>> patterns = patterns_at(xor(), [[-1, 0], [-2, 0], [2, 3], [3, 3]])
    >>> neighbour_accuracy(patterns, [0, 0, 1, 1]), neighbour_accuracy(patterns, [0, 0, 1, 0])
    (1.0, 0.5)
    """
    given = np.asarray(labels)
    if len(patterns) < 2 or given.shape != (len(patterns),):
        raise InputError(
            f"neighbour_accuracy needs two points and a label for each but received {len(patterns)} points and labels "
            f"of shape {given.shape}. Match them."
        )
    layout, words = layer_words(patterns, layer)
    total = 0.0
    for piece in chunks(len(words), ROWS_AT_ONCE):
        distances = distances_between(layout, words[piece], words).astype(np.int64)
        distances[np.arange(len(distances)), np.arange(piece.start, piece.stop)] = layout.n_neurons + 1
        is_nearest = distances == distances.min(axis=1, keepdims=True)
        is_right = is_nearest & (given[piece, None] == given)
        total += float((is_right.sum(axis=1) / is_nearest.sum(axis=1)).sum())
    return total / len(words)


def chosen_layers(patterns: DataPatterns, layers: Sequence[int]) -> DataPatterns:
    """Return the patterns of some layers only.

    Parameters
    ----------
    patterns : DataPatterns
    layers : sequence of int
        Among the layers that have neurons, in order; negative numbers count from the last.

    Raises
    ------
    InputError
        For a layer that there is not.

    Examples
    --------
    >>> from polyrelu import Network
    >>> from polyrelu.analysis.data.patterns import patterns_at
    >>> twice = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [-1]), ([[1]], [0])])
    >>> patterns = patterns_at(twice, [[2], [-2]])
    >>> str(patterns.pattern(1)), str(chosen_layers(patterns, [-1]).pattern(1))
    ('01|1', '1')
    """
    whole = np.arange(patterns.layout.n_neurons)
    neurons = np.concatenate([whole[:0], *(whole[patterns.neurons_of(layer)] for layer in layers)])
    widths = [patterns.widths[layer] for layer in layers]
    layout = PatternLayout.for_pieces(patterns.layout.n_pieces[neurons], np.repeat(np.arange(len(widths)), widths))
    words = layout.pack(patterns.digits()[:, neurons])
    return DataPatterns(layout, tuple(widths), words, patterns.n_decided_exactly)


def layer_words(
    patterns: DataPatterns, layer: int | None = None, points: slice | NDArray = slice(None)
) -> tuple[PatternLayout, NDArray[np.uint64]]:
    """Return the packed patterns of one layer, or of all, and where digits lie in them.

    Raises
    ------
    InputError
        As `pattern_distances`.
    """
    layout, words = patterns.layout, patterns.words[points]
    if layer is not None:
        n_pieces = layout.n_pieces[patterns.neurons_of(layer)]
        layout = PatternLayout.for_pieces(n_pieces, np.zeros(len(n_pieces), np.int64))
        words = layout.pack(patterns.digits(layer, points))
    if layout.n_neurons > MOST_NEURONS:
        raise InputError(
            f"Distances need at most {MOST_NEURONS} neurons but received {layout.n_neurons}. Choose a layer."
        )
    return layout, words
