"""Which piece of each piecewise-linear operation of a PyTorch module each point is on, read from the autograd graph.

Digits mean what they mean for a network (`polyrelu.network.activation`): the number of breakpoints strictly below the
preactivation, or which of the values that compete is the largest, the first one at a tie. They are signs of floats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import UnsupportedNodeError
from polyrelu.network.torch_graph import ModuleRun, name_of
from polyrelu.network.windows import Window

if TYPE_CHECKING:
    import torch

__all__ = ["CHOICES", "ActivationDigits", "activation_digits"]

CHOICE_NAMES = """
    AbsBackward0 AdaptiveMaxPool2DBackward0 AdaptiveMaxPool3DBackward0 AmaxBackward0 AminBackward0 ClampBackward0
    ClampBackward1 ClampMaxBackward0 ClampMinBackward0 FmaxBackward0 FminBackward0 HardsigmoidBackward0
    HardtanhBackward0 HardtanhBackward1 LeakyReluBackward0 LeakyReluBackward1 MaskedFillBackward0 MaskedFillBackward1
    MaxBackward0 MaxPool2DWithIndicesBackward0 MaxPool3DWithIndicesBackward0 MaximumBackward0 MinBackward0
    MinimumBackward0 PreluKernelBackward0 ReluBackward0 RreluWithNoiseBackward0 SoftshrinkBackward0 SortBackward0
    TopkBackward0 WhereBackward0
    """
CHOICES = frozenset(CHOICE_NAMES.split())
"""Operations that choose between affine pieces; `READERS` knows how each of them chooses."""

Choice = tuple[Any, Any]
"""Digits, shape (n, ...), and how many pieces there are: a number, or one for each unit in a shape that broadcasts."""


@dataclass(frozen=True, eq=False)
class ActivationDigits:
    """The digits that one operation of a module gives the points of a batch.

    Attributes
    ----------
    name : str
        Of the operation, such as "Relu".
    digits : integer tensor, shape (n, n_units)
        Units in C order.
    n_pieces : int64 array, shape (n_units,)
        How many digits each unit can have; one that has only one is no neuron.
    """

    name: str
    digits: torch.Tensor
    n_pieces: NDArray[np.int64]


def activation_digits(run: ModuleRun) -> tuple[ActivationDigits, ...]:
    """Return the digits of each operation that chooses between affine pieces, in the order they were done.

    Parameters
    ----------
    run : ModuleRun
        Of a module that `check_piecewise_linear` accepts.

    Raises
    ------
    UnsupportedNodeError
        If the batch is not the first axis of an operation.

    Examples
    --------
    >>> import torch
    >>> from polyrelu.network.torch_graph import frozen_copy, run_module
    >>> module = torch.nn.Sequential(torch.nn.Hardtanh(), torch.nn.MaxPool1d(2))
    >>> run = run_module(frozen_copy(module, "example"), [[[-3.0, 0.5, 2.0, 7.0]]], "example")
    >>> [(each.name, each.digits.tolist(), each.n_pieces.tolist()) for each in activation_digits(run)]
    [('Hardtanh', [[0, 1, 2, 2]], [3, 3, 3, 3]), ('MaxPool2DWithIndices', [[1, 0]], [2, 2])]
    """
    n = len(run.inputs)
    nodes = [node for node in run.nodes if node.name() in CHOICES]
    return tuple(_read(node, n, run.who) for node in nodes)


def _read(node: Any, n: int, who: str) -> ActivationDigits:
    import torch

    name = name_of(node)
    digits, n_pieces = READERS[name](node)
    if not digits.ndim or len(digits) != n:
        raise UnsupportedNodeError(
            f"`{who}` needs the batch as first axis but {name} works on shape {tuple(digits.shape)} for {n} points. "
            "Keep the batch in front."
        )
    counts = torch.as_tensor(n_pieces, device=digits.device).expand(digits.shape[1:]).reshape(-1)
    return ActivationDigits(name, digits.reshape(n, -1), counts.cpu().numpy().astype(np.int64))


# One function of one value ------------------------------------------------------------------------------------


def _relu(node: Any) -> Choice:
    return node._saved_result > 0, 2


def _leaky(node: Any) -> Choice:
    kept = node._saved_self if hasattr(node, "_saved_self") else node._saved_result
    return _unless_linear(kept > 0, node._saved_negative_slope == 1)


def _rrelu(node: Any) -> Choice:
    return _unless_linear(node._saved_self > 0, node._saved_lower + node._saved_upper == 2)


def _prelu(node: Any) -> Choice:
    import torch

    linear = (node._saved_weight == 1).expand_as(node._saved_self)[0]
    return (node._saved_self > 0) & ~linear, torch.where(linear, 1, 2)


def _abs(node: Any) -> Choice:
    return node._saved_self > 0, 2


def _hard_tanh(node: Any) -> Choice:
    return _between(node._saved_self, node._saved_min_val, node._saved_max_val)


def _hard_sigmoid(node: Any) -> Choice:
    return _between(node._saved_self, -3, 3)


def _soft_shrink(node: Any) -> Choice:
    return _between(node._saved_self, -node._saved_lambd, node._saved_lambd)


def _clamp(node: Any) -> Choice:
    return _between(node._saved_self, getattr(node, "_saved_min", None), getattr(node, "_saved_max", None))


def _between(value: torch.Tensor, low: Any, high: Any) -> Choice:
    """Return how many of the bounds that there are lie strictly below a value."""
    bounds = [bound for bound in (low, high) if bound is not None]
    return sum((value > bound).long() for bound in bounds), len(bounds) + 1


def _unless_linear(digits: torch.Tensor, is_linear: bool) -> Choice:
    return (digits & False, 1) if is_linear else (digits, 2)


# Choices that the module makes by a mask ----------------------------------------------------------------------


def _where(node: Any) -> Choice:
    return node._saved_condition.expand(node._input_metadata[0].shape), 2


def _masked_fill(node: Any) -> Choice:
    return ~node._saved_mask.expand(node._input_metadata[0].shape), 2


# The largest of several ---------------------------------------------------------------------------------------


def _maximum(node: Any) -> Choice:
    return _of_two(node, lambda left, right: left > right)


def _minimum(node: Any) -> Choice:
    return _of_two(node, lambda left, right: left < right)


def _of_two(node: Any, beats: Callable[[Any, Any], Any]) -> Choice:
    """Return which of two values was taken; where one is constant, whether the other is above it."""
    left, right = node._saved_self, node._saved_other
    if all(edge[0] is not None for edge in node.next_functions):
        return beats(right, left), 2
    value, bound = (left, right) if node.next_functions[0][0] is not None else (right, left)
    return value > bound, 2


def _along_axis(node: Any) -> Choice:
    return node._saved_indices, int(node._saved_self_sym_sizes[_axis(node._saved_dim)])


def _largest(node: Any) -> Choice:
    return _first_extreme(node._saved_self, node)


def _smallest(node: Any) -> Choice:
    return _first_extreme(-node._saved_self, node)


def _first_extreme(value: torch.Tensor, node: Any) -> Choice:
    """Return the position of the first largest value over some axes, in C order."""
    axes = sorted(_axis(axis) % value.ndim for axis in node._saved_dim) or list(range(value.ndim))
    others = [axis for axis in range(value.ndim) if axis not in axes]
    moved = value.permute(*others, *axes).flatten(len(others))
    return moved.argmax(-1), moved.shape[-1]


def _axis(number: int) -> int:
    """Return an axis, which PyTorch saves as a whole number of 64 bits without a sign."""
    return number - (1 << 64) if number >= 1 << 63 else number


# Pooling ------------------------------------------------------------------------------------------------------


def _max_pool(node: Any) -> Choice:
    winners = node._saved_result1
    kernel = tuple(node._saved_kernel_size)
    window = Window.of(
        kernel, tuple(node._saved_stride) or kernel, tuple(node._saved_dilation), tuple(node._saved_padding),
        tuple(node._saved_padding), node._saved_ceil_mode,
    )  # fmt: skip
    return _in_windows(winners, window.over(tuple(node._saved_self.shape[-len(kernel) :])).index)


def _adaptive_max_pool(node: Any) -> Choice:
    winners, value = node._saved_result1, node._saved_self
    rank = int(name_of(node)[-2])
    index: NDArray[np.int64] = np.zeros((1, 1), np.int64)
    for size, count in zip(value.shape[-rank:], winners.shape[-rank:], strict=True):
        own = _adaptive_windows(size, count)
        both = index[:, None, :, None] * size + own[None, :, None, :]
        hidden = (index < 0)[:, None, :, None] | (own < 0)[None, :, None, :]
        index = np.where(hidden, -1, both).reshape(len(index) * len(own), -1)
    return _in_windows(winners, index)


def _adaptive_windows(size: int, count: int) -> NDArray[np.int64]:
    """Return what each of so many windows over an axis reads, shape (count, most), -1 where it reads less."""
    starts = [i * size // count for i in range(count)]
    stops = [-(-(i + 1) * size // count) for i in range(count)]
    most = max(stop - start for start, stop in zip(starts, stops, strict=True))
    elements = np.array(starts)[:, None] + np.arange(most)
    return np.where(elements < np.array(stops)[:, None], elements, -1)


def _in_windows(winners: torch.Tensor, index: NDArray[np.int64]) -> Choice:
    """Return the position in its window of each element that won, and how many elements each window has.

    Parameters
    ----------
    winners : int tensor, shape (n, ..., *windows)
        Elements of the axes pooled over, in C order.
    index : int array, shape (n_windows, most)
        What each window reads, increasing; -1 in the padding.
    """
    import torch

    flat = winners.reshape(-1, len(index))
    digits = torch.zeros_like(flat)
    for column in torch.from_numpy(index.T.copy()).to(winners.device):
        digits += (column >= 0) & (column < flat)
    sizes = torch.from_numpy((index >= 0).sum(axis=1)).to(winners.device)
    return digits.reshape(*winners.shape[:2], -1), sizes


READERS: dict[str, Callable[[Any], Choice]] = {
    "Abs": _abs,
    "AdaptiveMaxPool2D": _adaptive_max_pool,
    "AdaptiveMaxPool3D": _adaptive_max_pool,
    "Amax": _largest,
    "Amin": _smallest,
    "Clamp": _clamp,
    "ClampMax": _clamp,
    "ClampMin": _clamp,
    "Fmax": _maximum,
    "Fmin": _minimum,
    "Hardsigmoid": _hard_sigmoid,
    "Hardtanh": _hard_tanh,
    "LeakyRelu": _leaky,
    "MaskedFill": _masked_fill,
    "Max": _along_axis,
    "MaxPool2DWithIndices": _max_pool,
    "MaxPool3DWithIndices": _max_pool,
    "Maximum": _maximum,
    "Min": _along_axis,
    "Minimum": _minimum,
    "PreluKernel": _prelu,
    "Relu": _relu,
    "RreluWithNoise": _rrelu,
    "Softshrink": _soft_shrink,
    "Sort": _along_axis,
    "Topk": _along_axis,
    "Where": _where,
}
"""How each operation of `CHOICES` chooses."""
