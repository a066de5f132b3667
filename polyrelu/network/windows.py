"""Sliding windows by index arithmetic: which inputs each output of a convolution or a pooling layer reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from polyrelu.errors import NetworkError
from polyrelu.network.graph import MAX_SIZE

__all__ = ["Window", "WindowIndex", "convolution_matrix", "same_padding"]


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides over the last axes of a tensor.

    Attributes
    ----------
    kernel, strides, dilations : tuple of int
        One number for each axis, at least 1.
    before, after : tuple of int
        Padding before and after each axis.
    ceil_mode : bool
        Keep a last window that reaches beyond the padding, unless it starts there.

    Examples
    --------
    >>> Window.of((3,), strides=(2,), before=(1,), after=(1,)).over((5,)).index.tolist()
    [[-1, 0, 1], [1, 2, 3], [3, 4, -1]]
    >>> Window.of((3,)).over((2,))
    Traceback (most recent call last):
    ...
    polyrelu.errors.NetworkError: A window of 3 needs at least 3 values along axis 0 but received 2 with padding. \
Pad the tensor or shrink the kernel.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        rank = len(self.kernel)
        for name in ("kernel", "strides", "dilations", "before", "after"):
            values = getattr(self, name)
            least = 0 if name in ("before", "after") else 1
            if len(values) != rank or any(value < least for value in values):
                raise NetworkError(
                    f"A window over {rank} axes needs {rank} {name} of at least {least} but received {list(values)}. "
                    "Repair the node."
                )

    @staticmethod
    def of(
        kernel: Sequence[int],
        strides: Sequence[int] | None = None,
        dilations: Sequence[int] | None = None,
        before: Sequence[int] | None = None,
        after: Sequence[int] | None = None,
        ceil_mode: bool = False,
    ) -> Window:
        """Return a window; steps default to 1 and padding to 0."""
        ones, zeros = (1,) * len(kernel), (0,) * len(kernel)
        return Window(
            tuple(kernel), tuple(strides or ones), tuple(dilations or ones), tuple(before or zeros),
            tuple(after or zeros), ceil_mode,
        )  # fmt: skip

    def over(self, sizes: tuple[int, ...]) -> WindowIndex:
        """Return which elements of axes of these sizes each position of the window reads."""
        if len(sizes) != len(self.kernel):
            raise NetworkError(
                f"A window over {len(self.kernel)} axes needs as many sizes but received {list(sizes)}. "
                "Check the number of axes of the tensor."
            )
        counts = [self._count(axis, size) for axis, size in enumerate(sizes)]
        if math.prod(counts) * math.prod(self.kernel) > MAX_SIZE:
            raise NetworkError(f"A window needs at most {MAX_SIZE} reads but has {counts} positions. Repair the node.")
        axes = [self._positions(axis, count) for axis, count in enumerate(counts)]
        rank, shape = len(sizes), tuple(len(position) for position in axes)
        index = np.zeros((1,) * (2 * rank), dtype=np.int64)
        inside, counted = np.ones((2, *index.shape), dtype=bool)
        for axis, (position, size) in enumerate(zip(axes, sizes, strict=True)):
            view = [1] * (2 * rank)
            view[axis], view[rank + axis] = position.shape
            grid = position.reshape(view)
            index = index * size + grid
            inside = inside & (grid >= 0) & (grid < size)
            counted = counted & (grid < size + self.after[axis])
        index = np.where(inside, index, -1)
        n_windows = int(np.prod(shape))
        return WindowIndex(shape, index.reshape(n_windows, -1), counted.reshape(n_windows, -1).sum(axis=1))

    def _count(self, axis: int, size: int) -> int:
        """Return how many positions the window has along one axis."""
        reach = self.dilations[axis] * (self.kernel[axis] - 1) + 1
        before, stride = self.before[axis], self.strides[axis]
        room = size + before + self.after[axis] - reach
        if room < 0:
            raise NetworkError(
                f"A window of {reach} needs at least {reach} values along axis {axis} but received "
                f"{room + reach} with padding. Pad the tensor or shrink the kernel."
            )
        count = (-(-room // stride) if self.ceil_mode else room // stride) + 1
        starts_beyond = self.ceil_mode and (count - 1) * stride >= size + before
        return count - 1 if starts_beyond else count

    def _positions(self, axis: int, count: int) -> NDArray[np.int64]:
        """Return the coordinate of each window's elements along one axis, shape (count, kernel)."""
        starts = np.arange(count) * self.strides[axis] - self.before[axis]
        return starts[:, np.newaxis] + np.arange(self.kernel[axis]) * self.dilations[axis]


@dataclass(frozen=True, slots=True)
class WindowIndex:
    """What each position of a window reads.

    Attributes
    ----------
    shape : tuple of int
        Number of positions along each axis.
    index : int array, shape (n_positions, size of the kernel)
        Element of the axes, in C order; -1 in the padding.
    counted : int array, shape (n_positions,)
        How many of them lie in the tensor or its padding, not beyond.
    """

    shape: tuple[int, ...]
    index: NDArray[np.int64]
    counted: NDArray[np.int64]


def same_padding(
    sizes: Sequence[int], window: Window, more_at_end: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the padding before and after each axis that gives ``ceil(size / stride)`` positions."""
    before, after = [], []
    for size, kernel, stride, dilation in zip(sizes, window.kernel, window.strides, window.dilations, strict=True):
        total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
        before.append(total // 2 if more_at_end else total - total // 2)
        after.append(total - before[-1])
    return tuple(before), tuple(after)


def convolution_matrix(
    shape: tuple[int, ...], weight: NDArray[np.float64], window: Window, groups: int
) -> tuple[csr_array, tuple[int, ...]]:
    """Return the matrix of a convolution and the shape of its result.

    Parameters
    ----------
    shape : tuple of int
        (batch, channels, *sizes) of the input.
    weight : float64 array, shape (channels out, channels in / groups, *kernel)
    window : Window
    groups : int
    """
    n_out, n_in = weight.shape[:2] if weight.ndim > 2 else (0, 0)
    if groups < 1 or not n_out or n_out % groups or len(shape) < 3 or shape[1] != n_in * groups:
        raise NetworkError(
            f"A convolution needs inputs (batch, {n_in} channels for each of {groups} groups, …) but received a tensor "
            f"{shape} for a weight {weight.shape}. Repair the node."
        )
    where = window.over(shape[2:])
    n_channels, n_elements, n_windows = shape[1], int(np.prod(shape[2:])), len(where.index)
    channel = (np.arange(n_out) // (n_out // groups))[:, np.newaxis] * n_in + np.arange(n_in)
    batch = np.arange(shape[0])[:, np.newaxis, np.newaxis, np.newaxis, np.newaxis] * n_channels
    # Axes: batch, channel out, window | channel in, element of the kernel.
    columns = (batch + channel[:, np.newaxis, :, np.newaxis]) * n_elements + where.index[:, np.newaxis, :]
    read = np.broadcast_to((where.index >= 0)[:, np.newaxis, :], columns.shape)
    values = np.broadcast_to(weight.reshape(n_out, 1, n_in, -1), columns.shape)
    starts = np.concatenate([[0], np.cumsum(read.reshape(shape[0] * n_out * n_windows, -1).sum(axis=1))])
    matrix = csr_array(
        (values[read], columns[read], starts), shape=(shape[0] * n_out * n_windows, int(np.prod(shape)))
    )
    return matrix, (shape[0], n_out, *where.shape)
