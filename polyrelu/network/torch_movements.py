"""PyTorch functions that move, join and cut tensors, or ask for their shapes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from polyrelu.errors import NetworkError, UnsupportedNodeError
from polyrelu.network.graph import Affine, Graph
from polyrelu.network.tensors import Tensor, concatenate, move, pad

__all__ = ["MOVEMENTS", "VIEWS", "as_tensor"]


def as_tensor(value: Any) -> Tensor:
    """Return an argument as a tensor; Python numbers become constants, floats as the doubles they are."""
    if isinstance(value, Affine | np.ndarray):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NetworkError(f"`from_torch` needs a tensor or a number but received {value!r}. Simplify the call.")
    return np.asarray(value)


def _identity(graph: Graph, input: Tensor) -> Tensor:
    return input


def _to(graph: Graph, input: Tensor, *others: Any, **keywords: Any) -> Tensor:
    for other in (*others, *keywords.values()):
        if getattr(other, "is_floating_point", None) is False:
            raise UnsupportedNodeError(f"to needs a type of floats but received {other}. Leave the values as floats.")
    return input


def _sizes(values: Sequence[Any]) -> tuple[int, ...]:
    """Return integers passed one by one or as one sequence."""
    flat = tuple(values[0]) if len(values) == 1 and not isinstance(values[0], int) else tuple(values)
    if not all(isinstance(value, int) for value in flat):
        raise UnsupportedNodeError(f"`from_torch` needs sizes that are integers but received {flat}. Write them out.")
    return flat


def _reshape(graph: Graph, input: Tensor, *shape: Any) -> Tensor:
    sizes = _sizes(shape)
    return move(graph, input, lambda array: array.reshape(sizes))


def _flatten(graph: Graph, input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    rank = len(input.shape)
    first, last = start_dim % rank, end_dim % rank
    sizes = (*input.shape[:first], math.prod(input.shape[first : last + 1]), *input.shape[last + 1 :])
    return _reshape(graph, input, sizes)


def _unflatten(graph: Graph, input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    axis = dim % len(input.shape)
    return _reshape(graph, input, (*input.shape[:axis], *sizes, *input.shape[axis + 1 :]))


def _permute(graph: Graph, input: Tensor, *dims: Any) -> Tensor:
    axes = _sizes(dims)
    return move(graph, input, lambda array: np.transpose(array, axes))


def _transpose(graph: Graph, input: Tensor, dim0: int, dim1: int) -> Tensor:
    return move(graph, input, lambda array: np.swapaxes(array, dim0, dim1))


def _squeeze(graph: Graph, input: Tensor, dim: Any = None) -> Tensor:
    axes = range(len(input.shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    ones = tuple(axis for axis in axes if input.shape[axis] == 1)
    return move(graph, input, lambda array: np.squeeze(array, ones))


def _unsqueeze(graph: Graph, input: Tensor, dim: int) -> Tensor:
    return move(graph, input, lambda array: np.expand_dims(array, dim))


def _concatenate(graph: Graph, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    return concatenate(graph, [as_tensor(value) for value in tensors], dim)


def _stack(graph: Graph, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    return concatenate(graph, [_unsqueeze(graph, as_tensor(value), dim) for value in tensors], dim)


def _split(graph: Graph, tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    size, step = tensor.shape[dim], split_size_or_sections
    bounds = [*range(0, size, step), size] if isinstance(step, int) else np.cumsum([0, *step]).tolist()
    return tuple(
        move(graph, tensor, lambda array, a=a, b=b: np.take(array, range(a, b), axis=dim))  # type: ignore[misc]
        for a, b in pairwise(bounds)
    )


def _chunk(graph: Graph, input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    return _split(graph, input, -(-input.shape[dim] // chunks), dim)


def _pad(graph: Graph, input: Tensor, padding: Sequence[int], mode: str = "constant", value: Any = None) -> Tensor:
    if mode != "constant":
        raise UnsupportedNodeError(f"pad needs mode='constant' but received {mode!r}. Pad with a constant.")
    n_axes, rank = len(padding) // 2, len(input.shape)
    pairs = [(0, 0)] * (rank - n_axes) + [(padding[2 * i], padding[2 * i + 1]) for i in reversed(range(n_axes))]
    return pad(graph, input, [a for a, _ in pairs], [b for _, b in pairs], value or 0.0)


def _getitem(graph: Graph, input: Any, index: Any) -> Any:
    if not isinstance(input, Affine | np.ndarray):
        return operator.getitem(input, index)
    return move(graph, input, lambda array: array[index])


def _getattr(graph: Graph, input: Any, name: str) -> Any:
    if name == "values" and isinstance(input, tuple):
        return input[0]
    if name in ("T", "mT"):
        return move(graph, input, np.transpose if name == "T" else np.matrix_transpose)
    if name in ("shape", "ndim"):
        return tuple(input.shape) if name == "shape" else len(input.shape)
    raise UnsupportedNodeError(f"`from_torch` needs the shape of a tensor but reads {name}. Write the value out.")


def _size(graph: Graph, input: Tensor, dim: int | None = None) -> Any:
    return tuple(input.shape) if dim is None else input.shape[dim]


MOVEMENTS: dict[str, Callable[..., Any]] = {
    "cat": _concatenate, "chunk": _chunk, "clone": _identity, "concat": _concatenate, "concatenate": _concatenate,
    "contiguous": _identity, "detach": _identity, "dim": lambda graph, input: len(input.shape), "double": _identity,
    "flatten": _flatten, "float": _identity, "getattr": _getattr, "getitem": _getitem, "identity": _identity,
    "pad": _pad, "permute": _permute, "reshape": _reshape, "size": _size, "split": _split, "squeeze": _squeeze,
    "stack": _stack, "t": lambda graph, input: move(graph, input, np.transpose), "to": _to, "transpose": _transpose,
    "unflatten": _unflatten, "unsqueeze": _unsqueeze, "view": _reshape,
}  # fmt: skip

VIEWS = frozenset(
    (
        "chunk", "contiguous", "detach", "double", "dropout", "flatten", "float", "getitem", "identity", "permute",
        "reshape", "split", "squeeze", "t", "to", "transpose", "unflatten", "unsqueeze", "view",
    )
)  # fmt: skip
"""Functions whose result may be the memory of their argument."""
