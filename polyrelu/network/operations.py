"""The layers of models: convolution, normalisation, pooling, activations and maxima."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import NetworkError
from polyrelu.network.activation import MAX_UNIT, Activation, PiecewiseLinear, clip
from polyrelu.network.graph import Affine, Graph, finite_floats
from polyrelu.network.tensors import Tensor, add, broadcast, common_shape, lift, negate, rows_of, scaled
from polyrelu.network.windows import Window, convolution_matrix

__all__ = [
    "activate",
    "activate_each",
    "average_pool",
    "batch_normalize",
    "clip_between",
    "convolve",
    "max_pool",
    "maximum",
    "mean",
    "minimum",
    "reduce_max",
    "total",
]


def convolve(
    graph: Graph, value: Tensor, weight: NDArray, bias: NDArray | None, window: Window, groups: int
) -> Tensor:
    """Return a convolution, (batch, channels out, *sizes)."""
    tensor = lift(graph, value)
    matrix, shape = convolution_matrix(tensor.shape, finite_floats(weight, "A weight"), window, groups)
    result = graph.linear(tensor, matrix, shape)
    if bias is None:
        return result
    if bias.shape != (shape[1],):
        raise NetworkError(f"A convolution needs a bias ({shape[1]},) but received {bias.shape}. Repair the node.")
    return add(graph, result, bias.reshape(1, -1, *[1] * (len(shape) - 2)))


def batch_normalize(
    graph: Graph, value: Tensor, scale: NDArray, shift: NDArray, mean: NDArray, variance: NDArray, offset: float
) -> Tensor:
    """Return ``scale * (value - mean) / sqrt(variance + offset) + shift`` per channel, folded in float64."""
    tensor = lift(graph, value)
    columns = [finite_floats(v, "Batch normalisation") for v in (scale, shift, mean, variance)]
    if len(tensor.shape) < 2 or any(column.shape != (tensor.shape[1],) for column in columns):
        raise NetworkError(
            f"Batch normalisation needs one number for each channel of {tensor.shape} but received "
            f"{[column.shape for column in columns]}. Repair the node."
        )
    spread = columns[3] + offset
    if not (spread > 0).all():
        raise NetworkError("Batch normalisation needs positive variances but received one <= 0. Repair the model.")
    factor = columns[0] / np.sqrt(spread)
    constant = columns[1] - columns[2] * factor
    view = (1, -1, *[1] * (len(tensor.shape) - 2))
    factors, constants = (np.broadcast_to(v.reshape(view), tensor.shape) for v in (factor, constant))
    graph.notes.append(f"{graph.place} is folded into the affine map before it, in 64-bit floats.")
    return graph.shift(scaled(graph, tensor, factors, may_round=True), constants, may_round=True)


def total(graph: Graph, value: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    """Return the sum over axes."""
    tensor = lift(graph, value)
    groups, shape = _groups(tensor, axes, keep)
    return graph.linear(tensor, rows_of(groups, np.ones(groups.size), tensor.size), shape)


def mean(graph: Graph, value: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    """Return the mean over axes; global average pooling."""
    tensor = lift(graph, value)
    groups, shape = _groups(tensor, axes, keep)
    return _average(graph, tensor, groups, np.full(len(groups), groups.shape[1]), shape)


def average_pool(graph: Graph, value: Tensor, window: Window, count_padding: bool) -> Tensor:
    """Return the means over a window's positions, (batch, channels, *sizes)."""
    tensor = lift(graph, value)
    index, counted, shape = _pool(tensor, window)
    counts = counted if count_padding else (index >= 0).sum(axis=1)
    return _average(graph, tensor, index, counts, shape)


# Units -------------------------------------------------------------------------------------------------------


def activate(graph: Graph, value: Tensor, function: PiecewiseLinear) -> Tensor:
    """Return a function of each element."""
    tensor = lift(graph, value)
    return graph.units(tensor, Activation.same(function, tensor.size), tensor.shape)


def activate_each(
    graph: Graph, value: Tensor, parameters: NDArray, make: Callable[[float], PiecewiseLinear]
) -> Tensor:
    """Return ``make(parameter)(element)`` for each element; parameters broadcast to the tensor's shape."""
    tensor = lift(graph, value)
    if common_shape(tensor, parameters) != tensor.shape:
        raise NetworkError(
            f"An activation needs parameters that broadcast to {tensor.shape} but received {parameters.shape}. "
            "Give one for each channel."
        )
    distinct, kind = np.unique(finite_floats(parameters, "A parameter"), return_inverse=True)
    if len(distinct) == 1:
        return activate(graph, tensor, make(float(distinct[0])))
    kinds = np.broadcast_to(kind.reshape(parameters.shape), tensor.shape).ravel().astype(np.int32)
    functions = tuple(make(float(parameter)) for parameter in distinct)
    return graph.units(tensor, Activation(functions, kinds, np.arange(tensor.size + 1)), tensor.shape)


def clip_between(graph: Graph, value: Tensor, low: float | None, high: float | None) -> Tensor:
    """Return the tensor clipped to an interval.

    ``None``, infinities and bounds from the largest float32 on leave a side open: files write them for "no bound".
    """
    open_from = float(np.finfo(np.float32).max)
    below = None if low is None or low <= -open_from else low
    above = None if high is None or high >= open_from else high
    return activate(graph, value, clip(below, above))


def max_pool(graph: Graph, value: Tensor, window: Window) -> Tensor:
    """Return the largest value at each position of a window; padding does not take part."""
    tensor = lift(graph, value)
    index, _, shape = _pool(tensor, window)
    return _largest(graph, tensor, index, shape)


def reduce_max(graph: Graph, value: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    """Return the largest value along axes; maxout."""
    tensor = lift(graph, value)
    return _largest(graph, tensor, *_groups(tensor, axes, keep))


def _largest(graph: Graph, tensor: Affine, groups: NDArray[np.int64], shape: tuple[int, ...]) -> Affine:
    """Return the largest of each group of elements, shape (n, size of a group); -1 takes no part."""
    taken = groups >= 0
    sizes = taken.sum(axis=1)
    if not len(sizes) or sizes.min() < 1:
        raise NetworkError("A maximum needs a value in each window but received an empty one. Reduce the padding.")
    values = graph.select(tensor, groups[taken])
    if sizes.max() == 1:
        return Affine(shape, values.terms, values.bias)
    return graph.units(values, Activation((), np.full(len(sizes), MAX_UNIT), np.append(0, np.cumsum(sizes))), shape)


def maximum(graph: Graph, left: Tensor, right: Tensor) -> Tensor:
    """Return the larger of two tensors, element by element; a constant one becomes a clip."""
    if isinstance(left, np.ndarray):
        left, right = right, left
    shape = common_shape(left, right)
    first, second = lift(graph, broadcast(graph, left, shape)), broadcast(graph, right, shape)
    if isinstance(second, np.ndarray):
        return activate_each(graph, first, second, clip)
    groups = np.arange(2 * first.size).reshape(2, -1).T
    return _largest(graph, graph.stack([first, second]), groups, shape)


def minimum(graph: Graph, left: Tensor, right: Tensor) -> Tensor:
    """Return the smaller of two tensors, element by element."""
    if isinstance(left, np.ndarray) != isinstance(right, np.ndarray):
        value, bound = (right, left) if isinstance(left, np.ndarray) else (left, right)
        shape = common_shape(value, bound)
        wide, bounds = broadcast(graph, value, shape), np.broadcast_to(np.asarray(bound), shape)
        return activate_each(graph, wide, bounds, lambda high: clip(None, high))
    return negate(graph, maximum(graph, negate(graph, lift(graph, left)), negate(graph, lift(graph, right))))


# Windows and groups ------------------------------------------------------------------------------------------


def _average(
    graph: Graph, value: Affine, groups: NDArray[np.int64], counts: NDArray[np.int64], shape: tuple[int, ...]
) -> Affine:
    """Return the sum of each group of elements over its count; -1 takes no part."""
    if not counts.size or counts.min() < 1:
        raise NetworkError("An average needs a value in each window but received an empty one. Reduce the padding.")
    odd = sorted({int(count) for count in np.unique(counts) if count & (count - 1)})
    if odd:
        text = ", ".join(f"1/{count}" for count in odd)
        graph.notes.append(f"{graph.place} averages with the weight {text}, rounded to a 64-bit float once.")
    weights = np.broadcast_to((1.0 / counts)[:, np.newaxis], groups.shape)
    return graph.linear(value, rows_of(groups, weights.ravel(), value.size), shape)


def _pool(tensor: Affine, window: Window) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[int, ...]]:
    """Return elements per output (-1 in the padding), how many count as padded input, and the shape of the result."""
    if len(tensor.shape) < 3:
        raise NetworkError(f"Pooling needs a tensor (batch, channels, …) but received {tensor.shape}. Add an axis.")
    where = window.over(tensor.shape[2:])
    n_channels, n_elements = tensor.shape[0] * tensor.shape[1], int(np.prod(tensor.shape[2:]))
    index = np.arange(n_channels)[:, np.newaxis, np.newaxis] * n_elements + where.index
    index = np.where(where.index >= 0, index, -1).reshape(-1, where.index.shape[1])
    return index, np.tile(where.counted, n_channels), (*tensor.shape[:2], *where.shape)


def _groups(tensor: Affine, axes: Sequence[int], keep: bool) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """Return the elements that a reduction over axes joins, shape (n, size of a group), and the result's shape."""
    rank = len(tensor.shape)
    chosen = sorted({axis % rank for axis in axes if -rank <= axis < rank})
    if len(chosen) != len(axes) or not chosen:
        raise NetworkError(f"A reduction needs different axes of {tensor.shape} but received {list(axes)}.")
    others = [axis for axis in range(rank) if axis not in chosen]
    shape = tuple(1 if axis in chosen else size for axis, size in enumerate(tensor.shape) if keep or axis in others)
    group = int(np.prod([tensor.shape[axis] for axis in chosen]))
    return tensor.index.transpose(*others, *chosen).reshape(-1, group), shape
