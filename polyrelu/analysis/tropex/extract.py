"""TropEx: the terms of a network at data points (Trimmel et al. 2021, Algorithm 3.1), for many points at once.

From the last layer to the first, each output is kept in the form

    N_i = max over P_i of (A h + a)  -  max over M of (A h + a),    h = the values behind the layers to come,

with a family P_i for each output, one family M for all, and ``0 <= A <= A_max`` for every term. *Affine*, ``h = W g +
b``: terms become ``(A W + K, a + A b)`` with ``K = A_max W^neg``; adding ``K g`` to all of them changes no difference.
*ReLU*: because ``A >= 0``, ``A relu(z)`` is the largest of the ``(A m) z`` over all masks m, and likewise for max
units and for all functions that are convex and do not decrease. *Any other function* is a difference of two such,
``f = rising - falling`` (`convex_parts`), and ``A f + A_max falling = A rising + (A_max - A) falling``: what is added
is again common to all terms, and what stands on the right is a maximum again. A term of each family for each point is
kept, of the pieces that the network itself chooses there; A_max and K do not depend on the points.

Table 1 of the paper is this: batch normalisation and average pools are affine (a scale need not be positive),
max-pooling is a selection followed by max units, where windows may overlap, and residual branches are identity units.

Rounding. Let ``H`` be A_max behind a layer; then ``|A| W^pos + (H - A) W^neg <= H |W|``, which is A_max before it. If
slopes err by at most ``rho H`` and the floats of H by at most ``theta H``, then behind the next affine map with sums of
``n`` products slopes err by at most ``(rho + theta + 4 gamma(n)) H |W|`` and A_max by ``theta + 2 gamma(n)`` of itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.patterns import Progress, patterns_and_labels_at, unit_digits_at
from polyrelu.analysis.data.points import checked_points
from polyrelu.analysis.tropex.extracted import ExtractedFunction
from polyrelu.analysis.tropex.highest import Family, find_family
from polyrelu.errors import InputError
from polyrelu.network.batches import Array, BatchNetwork, batch_network, chunks
from polyrelu.network.model import Network

__all__ = ["extract_terms"]


def extract_terms(
    network: Network,
    points: ArrayLike,
    labels: ArrayLike | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> ExtractedFunction:
    """Return the function that TropEx extracts from a network at data points.

    Parameters
    ----------
    network : Network
    points : array, shape (n, ...) with dim numbers each
        Floats, taken exactly; images are flattened in C order.
    labels : int array, shape (n,), optional
        The network's labels, if known already. Others are refused: with the data's own labels the extracted function
        would not agree with the network at the points.
    device : str, optional
        Work with PyTorch on this device, such as ``"cuda"``; default: NumPy.
    progress : callable, optional
        ``progress(done, total)`` hears how many points are done.

    Returns
    -------
    ExtractedFunction
        Pieces and labels are those of exact arithmetic, terms are rounded (`ExtractedFunction.rounding`).

    Raises
    ------
    InputError
        If there are no points, they do not fit, labels are not the network's, or terms exceed the range of floats.
    MissingExtraError
        With a device, but without PyTorch.

    Examples
    --------
    >>> from polyrelu import Network
    >>> network = Network.from_arrays([([[1], [-1]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])])
    >>> found = extract_terms(network, [[3.0], [-1.0]])
    >>> found.labels.tolist(), found.values([[3.0], [-1.0]]).tolist(), network([[3.0], [-1.0]]).tolist()
    ([0, 1], [[3.0, -1.0], [-1.0, 3.0]], [[3.0, 0.0], [0.0, 3.0]])
    >>> extract_terms(network, [[3.0], [-1.0]], labels=[0, 0])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: extract_terms needs the network's own labels but received 0 for point 1, which the \
network gives label 1. Leave `labels` out.
    """
    x = checked_points(network, points, "extract_terms")
    if not len(x):
        raise InputError("extract_terms needs at least one point but received none. Pass some data.")
    patterns, own = patterns_and_labels_at(network, x, device)
    if labels is not None:
        _check_labels(labels, own)
    if network.n_out == 1:
        own = np.zeros_like(own)  # there is one output, whatever its sign
    batch = batch_network(network, device)
    family = find_family(batch, np.unique(own).tolist())
    slopes, constants = np.empty((2, len(x), network.dim)), np.empty((2, len(x)))
    for piece in chunks(len(x), batch.arrays.chunk):
        ends, offsets = _terms(batch, family, own[piece], unit_digits_at(batch, patterns, piece))
        width = piece.stop - piece.start
        for side, columns in enumerate((slice(0, width), slice(width, None))):
            slopes[side, piece] = batch.arrays.to_host(ends[:, columns]).T
            constants[side, piece] = batch.arrays.to_host(offsets[columns])
        if progress is not None:
            progress(piece.stop, len(x))
    if not (np.isfinite(slopes).all() and np.isfinite(constants).all()):
        raise InputError(
            "extract_terms needs terms within the range of floats but received a network whose terms exceed it. "
            "Scale its weights, or use `extract_exactly`."
        )
    return ExtractedFunction(
        network.n_out,
        own,
        slopes[0],
        constants[0],
        slopes[1],
        constants[1],
        family.slope_bounds,
        family.constant_bound,
        family.rounding,
    )


def _check_labels(labels: ArrayLike, own: NDArray[np.int64]) -> None:
    """Raise `InputError` for labels that are not the network's own."""
    given = np.asarray(labels)
    if given.dtype.kind not in "iu" or given.shape != own.shape:
        raise InputError(
            f"extract_terms needs {len(own)} whole numbers as labels but received {given.dtype} of shape "
            f"{given.shape}. Leave `labels` out."
        )
    if (given != own).any():
        k = int(np.flatnonzero(given != own)[0])
        raise InputError(
            f"extract_terms needs the network's own labels but received {given[k]} for point {k}, which the network "
            f"gives label {own[k]}. Leave `labels` out."
        )


def _terms(batch: BatchNetwork, family: Family, labels: NDArray, digits: list[Array]) -> tuple[Array, Array]:
    """Return slopes and constants of terms of both kinds, shapes (dim, 2 n) and (2 n,), those with a plus first."""
    arrays, places = batch.arrays, batch.arrays.of(labels)
    join, zeros = arrays.library.concatenate, arrays.zeros(len(labels))
    minus = family.minus_slopes[:, None] + zeros
    slopes = join([family.plus_slopes[:, places], minus], 1)
    constants = join([family.plus_constants[places], family.minus_constant + zeros], 0)
    with np.errstate(over="ignore", invalid="ignore"):
        for merge, own in zip(family.merges, reversed(digits), strict=True):
            slopes, constants = merge.before(slopes, constants, join([own, own], 1))
        if batch.input_map is not None:
            matrix, offsets = batch.input_map
            constants = constants + offsets @ slopes
            slopes = matrix.T @ slopes + family.input_common
    return slopes, constants
