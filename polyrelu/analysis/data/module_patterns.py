"""Activation patterns of any piecewise-linear PyTorch module at the points of a data set, in floats.

For modules that `from_torch` cannot read, or that are too large for it. The digits are signs of floats and nothing
proves them; for a network, `polyrelu.analysis.data.patterns` decides every digit exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.errors import InputError, UnsupportedNodeError
from polyrelu.network.batches import chunks
from polyrelu.network.pattern import PatternLayout

if TYPE_CHECKING:
    import torch
    from torch.nn import Module

    from polyrelu.network.torch_digits import ActivationDigits

__all__ = ["module_patterns"]

WHO = "module_patterns"


def module_patterns(
    module: Module,
    points: ArrayLike,
    device: str | None = None,
    batch_size: int = 128,
    dtype: torch.dtype | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DataPatterns:
    """Return the activation pattern of a PyTorch module at each point of a data set, as floats give it.

    Each operation that chooses between affine pieces is a layer: a call of ReLU, leaky ReLU, a clamp, max pooling, the
    larger of two tensors, ``torch.where``, ... in the order in which the module does them.

    Parameters
    ----------
    module : torch.nn.Module
        Copied and put in evaluation mode; the module itself is not touched.
    points : array, shape (n, ...)
        In the shape that the module takes, one point at least.
    device : str, optional
        Such as ``"cuda"``; default: the processor.
    batch_size : int
        How many points the module sees at a time; what it computes for them must fit in memory.
    dtype : torch.dtype, optional
        float64 by default, to which float32 widens exactly.
    progress : callable, optional
        ``progress(done, total)`` hears how many points are done.

    Returns
    -------
    DataPatterns
        `DataPatterns.n_decided_exactly` is None: no digit is proven.

    Raises
    ------
    UnsupportedNodeError
        If the module does something that is not piecewise linear, mixes points, or does different things with
        different batches.
    InputError
        If it cannot take the points, or PyTorch has no such device.
    MissingExtraError
        Without PyTorch.

    Examples
    --------
    >>> import torch
    >>> class Residual(torch.nn.Module):
    ...     def forward(self, x):
    ...         return torch.relu(x + torch.relu(x[:, [1, 0]] - 1)).amax(1, keepdim=True)
    >>> patterns = module_patterns(Residual(), [[0.5, 0.5], [-2.0, 3.0]])
    >>> [str(patterns.pattern(k)) for k in range(2)], patterns.n_decided_exactly
    (['00|11|0', '10|01|1'], None)
    >>> module_patterns(torch.nn.Softmax(1), [[0.5, 0.5]])
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnsupportedNodeError: `module_patterns` needs piecewise-linear operations but the module does \
Softmax (operation 2 of 2). Replace it by a piecewise-linear one.
    """
    from polyrelu.network.torch_graph import frozen_copy

    if batch_size < 1:
        raise InputError(f"`{WHO}` needs a batch size of at least 1 but received {batch_size}. Try 128.")
    frozen, rows = frozen_copy(module, WHO, device, dtype), _rows(points)
    first = _probed(frozen, rows)
    layout, widths = _layout(first)
    words = np.zeros((len(rows), layout.n_words), np.uint64)
    for piece in chunks(len(rows), batch_size):
        found = _digits(frozen, rows[piece])
        _check_same(found, first)
        words[piece] = layout.pack(_neurons(found, piece.stop - piece.start))
        if progress is not None:
            progress(piece.stop, len(rows))
    return DataPatterns(layout, widths, words, None)


def _rows(points: ArrayLike) -> Any:
    try:
        rows: Any = points if hasattr(points, "detach") else np.asarray(points)
    except ValueError:
        raise InputError(f"`{WHO}` needs points of one shape but received points of several. Match them.") from None
    if not rows.ndim or not len(rows):
        raise InputError(f"`{WHO}` needs points (n, ...) but received shape {tuple(rows.shape)}. Give one at least.")
    return rows


def _probed(frozen: Module, rows: Any) -> tuple[ActivationDigits, ...]:
    """Return the digits of three points, after checks of what the module does.

    Their number is another than the batches have, which shows an axis that only looks like the batch.
    """
    from polyrelu.network.torch_checks import check_nothing_cut, check_piecewise_linear, check_points_apart
    from polyrelu.network.torch_digits import activation_digits
    from polyrelu.network.torch_graph import run_module

    run = run_module(frozen, rows[np.arange(3) % len(rows)], WHO)
    check_piecewise_linear(run)
    check_points_apart(run)
    check_nothing_cut(frozen, run)
    return activation_digits(run)


def _digits(frozen: Module, rows: Any) -> tuple[ActivationDigits, ...]:
    from polyrelu.network.torch_digits import activation_digits
    from polyrelu.network.torch_graph import run_module

    return activation_digits(run_module(frozen, rows, WHO))


def _neurons(found: tuple[ActivationDigits, ...], n: int) -> NDArray[np.int64]:
    """Return the digits of those units that have any, shape (n, n_neurons)."""
    parts = [each.digits.cpu().numpy()[:, each.n_pieces > 1] for each in found]
    return np.concatenate([np.zeros((n, 0), np.int64), *parts], axis=1)


def _layout(found: tuple[ActivationDigits, ...]) -> tuple[PatternLayout, tuple[int, ...]]:
    counts = [each.n_pieces[each.n_pieces > 1] for each in found]
    widths = [len(each) for each in counts]
    layers = np.repeat(np.arange(len(widths)), widths)
    n_pieces = np.concatenate(counts) if counts else np.zeros(0, np.int64)
    return PatternLayout.for_pieces(n_pieces, layers), tuple(width for width in widths if width)


def _check_same(found: tuple[ActivationDigits, ...], first: tuple[ActivationDigits, ...]) -> None:
    for own, other in zip(found, first, strict=False):
        if own.name != other.name or not np.array_equal(own.n_pieces, other.n_pieces):
            break
    else:
        if len(found) == len(first):
            return
    raise UnsupportedNodeError(
        f"`{WHO}` needs a module that does the same with all batches but its operations or their sizes differ. "
        "Remove decisions that depend on values, and keep the batch as first axis."
    )
