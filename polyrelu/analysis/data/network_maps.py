"""Backward products through a network: weights and offsets of its local affine maps, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.patterns import DataPatterns, patterns_and_labels_at, patterns_at, unit_digits_at
from polyrelu.analysis.data.points import checked_points
from polyrelu.errors import InputError
from polyrelu.network.batches import Array, BatchNetwork, batch_network, chunks
from polyrelu.network.model import Network

__all__ = [
    "MapRows",
    "Visit",
    "checked_outputs",
    "filled_rows",
    "network_rows",
    "pattern_rows",
    "patterns_and_outputs",
    "pulled_back",
    "whole_blocks",
]

Visit = Callable[[int, Array, Array], None]

MapRows = tuple[slice, NDArray[np.int64], NDArray[np.float64]]
"""Which points, the outputs of their maps, (m,) or (m, k), and for each of them weights and offset, dim + 1 numbers."""


def network_rows(
    who: str, network: Network, points: ArrayLike, output: ArrayLike | None, device: str | None
) -> tuple[tuple[int, ...], int, Iterator[MapRows]]:
    """Return the shape of all outputs, the number of inputs, and an iterator over the maps at points.

    Parameters
    ----------
    who : str
        For messages.
    network, points, output, device
        As for `polyrelu.analysis.data.local_maps.local_maps`.
    """
    x = checked_points(network, points, who)
    patterns, outputs = patterns_and_outputs(who, network, x, output, device)
    return outputs.shape, network.dim, pattern_rows(batch_network(network, device), patterns, outputs)


def patterns_and_outputs(
    who: str, network: Network, x: NDArray[np.float64], output: ArrayLike | None, device: str | None
) -> tuple[DataPatterns, NDArray[np.int64]]:
    """Return patterns, and which outputs are wanted, shape (n,) or (n, k), labels where "predicted" says so."""
    outputs = checked_outputs(who, output, len(x), network.n_out)
    if outputs is not None:
        return patterns_at(network, x, device), outputs
    patterns, labels = patterns_and_labels_at(network, x, device)
    return patterns, labels if network.n_out > 1 else np.zeros_like(labels)  # both labels are those of one output


def checked_outputs(who: str, output: ArrayLike | None, n: int, n_out: int) -> NDArray[np.int64] | None:
    """Return which outputs are wanted at each of ``n`` points, shape (n,) or (n, k); None for "predicted".

    Raises
    ------
    InputError
        If they are not whole numbers, of another shape, or there is no such output.

    Examples
    --------
    >>> checked_outputs("f", 1, 2, 3).tolist(), checked_outputs("f", None, 2, 3).tolist()
    ([1, 1], [[0, 1, 2], [0, 1, 2]])
    >>> checked_outputs("f", 3, 2, 3)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: f needs outputs from 0 to 2 but received 3. Count them from 0.
    """
    if isinstance(output, str) and output == "predicted":
        return None
    wanted = np.arange(n_out) if output is None else np.asarray(output)
    if wanted.dtype.kind not in "iu":
        raise InputError(
            f"{who} needs outputs as whole numbers, 'predicted' or None but received {output!r}. Count them from 0."
        )
    if output is None or not wanted.ndim:
        wanted = np.broadcast_to(wanted, (n, *wanted.shape))
    if wanted.ndim > 2 or len(wanted) != n:
        raise InputError(
            f"{who} needs one output, or outputs of shape ({n},) or ({n}, k), but received shape {wanted.shape}. "
            "Give a row for each point."
        )
    outside = wanted[(wanted < 0) | (wanted >= n_out)]
    if len(outside):
        raise InputError(f"{who} needs outputs from 0 to {n_out - 1} but received {outside[0]}. Count them from 0.")
    return wanted.astype(np.int64)


def pulled_back(
    batch: BatchNetwork, digits: list[Array], slopes: Array, visit: Visit | None = None
) -> tuple[Array, Array]:
    """Return weights, shape (dim, m), and offsets, shape (m,), from slopes in the outputs, shape (n_out, m).

    Parameters
    ----------
    batch : BatchNetwork
    digits : list of arrays
        From `unit_digits_at`.
    slopes : float64 array, shape (n_out, m)
    visit : callable, optional
        ``visit(layer, above, below)`` sees the slopes in each layer's outputs and preactivations, the last layer first;
        layer -1 is the affine map of a slice, where both are the slopes in what the first layer reads.
    """
    offsets = batch.arrays.zeros(slopes.shape[1])
    for index, own in reversed(list(enumerate([*digits, None]))):
        layer, above = batch.layers[index], slopes
        if own is not None:
            slopes, constants = layer.pull_back(slopes, own)
            offsets = offsets + constants
        if visit is not None:
            visit(index, above, slopes)
        slopes, constants = layer.through_weight(slopes)
        offsets = offsets + constants
    if batch.input_map is not None:
        if visit is not None:
            visit(-1, slopes, slopes)
        matrix, constants = batch.input_map
        slopes, offsets = matrix.T @ slopes, offsets + constants @ slopes
    return slopes, offsets


def filled_rows(
    batch: BatchNetwork, digits: list[Array], outputs: NDArray[np.int64], visit: Callable[[int], Visit] | None = None
) -> NDArray[np.float64]:
    """Return weights and offsets of some points, shape (m, dim + 1) or (m, k, dim + 1), of outputs (m,) or (m, k).

    Parameters
    ----------
    batch, digits, outputs
    visit : callable, optional
        ``visit(k)`` returns the function that sees the slopes of the ``k``-th outputs (`pulled_back`).
    """
    rows = np.empty((*outputs.shape, batch.network.dim + 1))
    columns, targets = outputs.reshape(len(outputs), -1), rows.reshape(len(outputs), -1, rows.shape[-1])
    for k in range(columns.shape[1]):
        slopes = np.zeros((batch.network.n_out, len(outputs)))
        slopes[columns[:, k], np.arange(len(outputs))] = 1.0
        weights, offsets = pulled_back(batch, digits, batch.arrays.of(slopes), visit and visit(k))
        targets[:, k, :-1] = batch.arrays.to_host(weights).T
        targets[:, k, -1] = batch.arrays.to_host(offsets)
    return rows


def whole_blocks(n: int, size: int) -> Iterator[tuple[slice, slice]]:
    """Yield which of ``n`` points come next, and a block that ends with them: as long as all others, if there are any.

    Products of one shape round alike, so that points of one pattern get the same floats wherever they stand.

    Examples
    --------
    >>> [(range(5)[piece], range(5)[block]) for piece, block in whole_blocks(5, 3)]
    [(range(0, 3), range(0, 3)), (range(3, 5), range(2, 5))]
    """
    return ((piece, slice(max(0, min(piece.start, n - size)), piece.stop)) for piece in chunks(n, size))


def pattern_rows(batch: BatchNetwork, patterns: DataPatterns, outputs: NDArray[np.int64]) -> Iterator[MapRows]:
    """Yield the maps of patterns, a block of them at a time, of outputs (n,) or (n, k)."""
    for piece, block in whole_blocks(len(outputs), batch.arrays.chunk):
        rows = filled_rows(batch, unit_digits_at(batch, patterns, block), outputs[block])
        yield piece, outputs[piece], rows[piece.start - block.start :]
