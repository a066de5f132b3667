"""Tensors of a model, their movements, sums and products.

A tensor is an `Affine` expression or a constant array. Movements (reshape, transpose, slice, …) act on the numbers
of the elements; products become sparse matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from polyrelu.errors import InputError, NetworkError, UnsupportedNodeError
from polyrelu.network.graph import MAX_SIZE, Affine, Graph, finite_floats

__all__ = [
    "Dropped",
    "Tensor",
    "add",
    "as_output",
    "broadcast",
    "common_shape",
    "concatenate",
    "constant_of",
    "divide",
    "lift",
    "matrix_product",
    "move",
    "multiply",
    "negate",
    "pad",
    "reading",
    "rows_of",
    "scaled",
    "subtract",
]

Tensor: TypeAlias = Affine | NDArray


@dataclass(frozen=True)
class Dropped:
    """A softmax or sigmoid: allowed as the last node only, where it is left out."""

    value: Affine
    label: str



@contextmanager
def reading(graph: Graph, place: str) -> Iterator[None]:
    """Name the node that is being read in the notes and errors that it causes.

    What NumPy refuses is the fault of the model too: a file may say anything.
    """
    graph.place = place
    try:
        yield
    except InputError as error:
        raise type(error)(f"{place}: {error}") from None
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, MemoryError) as error:
        raise NetworkError(
            f"{place}: the node needs arguments that fit what it reads but they do not ({error}). Check the shapes."
        ) from error


def as_output(graph: Graph, value: Tensor | Dropped, name: str, batch: int) -> Affine:
    """Return the output of a model, without a last softmax; note that, and the shape from axis ``batch`` on."""
    if isinstance(value, Dropped):
        graph.notes.append(f"{value.label} is dropped: the outputs are the values it reads.")
        value = value.value
    if len(value.shape) > 2:
        graph.notes.append(f"{name} of shape {tuple(value.shape[batch:])} is flattened in C order.")
    return lift(graph, value)


def move(graph: Graph, value: Tensor, movement: Callable[[NDArray], NDArray]) -> Tensor:
    """Return a tensor whose elements are moved, repeated or dropped like those of an array."""
    if isinstance(value, np.ndarray):
        return np.asarray(movement(value))
    return graph.select(value, np.asarray(movement(value.index)))


def constant_of(value: Tensor, what: str) -> NDArray:
    """Return the array of a tensor that depends on no input."""
    if isinstance(value, np.ndarray):
        return value
    if value.terms:
        raise UnsupportedNodeError(
            f"{what} needs to be a constant but received a value that depends on the input. "
            "Only sums of such values, not products, are piecewise linear."
        )
    return value.bias.reshape(value.shape)


def lift(graph: Graph, value: Tensor) -> Affine:
    """Return a tensor as an affine expression."""
    return graph.constant(value) if isinstance(value, np.ndarray) else value


def broadcast(graph: Graph, value: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor repeated to a shape by NumPy's rules."""
    if int(np.prod(shape, dtype=object)) > MAX_SIZE:
        raise NetworkError(f"A tensor needs at most {MAX_SIZE} elements but received shape {shape}. Repair the node.")
    return move(graph, value, lambda array: np.broadcast_to(array, shape))


def common_shape(*values: Tensor) -> tuple[int, ...]:
    """Return the shape to which tensors broadcast."""
    try:
        return np.broadcast_shapes(*(value.shape for value in values))
    except ValueError:
        shapes = " and ".join(str(value.shape) for value in values)
        raise NetworkError(f"Elementwise operations need matching shapes but received {shapes}. Reshape one.") from None


# Sums and products -------------------------------------------------------------------------------------------


def add(graph: Graph, left: Tensor, right: Tensor) -> Tensor:
    """Return the sum of two tensors."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray) and _are_integers(left, right):
        return np.asarray(left + right)
    shape = common_shape(left, right)
    first, second = broadcast(graph, left, shape), broadcast(graph, right, shape)
    if isinstance(first, np.ndarray):
        first, second = second, first
    if isinstance(second, np.ndarray):
        return graph.shift(lift(graph, first), second)
    return graph.add(lift(graph, first), second)


def negate(graph: Graph, value: Tensor) -> Tensor:
    """Return ``-value``."""
    return np.asarray(-value) if isinstance(value, np.ndarray) else graph.negate(value)


def subtract(graph: Graph, left: Tensor, right: Tensor) -> Tensor:
    """Return ``left - right``."""
    return add(graph, left, negate(graph, right))


def multiply(graph: Graph, left: Tensor, right: Tensor) -> Tensor:
    """Return the product of a tensor and a constant, element by element."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray) and _are_integers(left, right):
        return np.asarray(left * right)
    if isinstance(left, np.ndarray) or (isinstance(right, Affine) and right.terms):
        left, right = right, left
    shape = common_shape(left, right)
    factors = np.broadcast_to(finite_floats(constant_of(right, "A factor"), "A factor"), shape)
    return scaled(graph, lift(graph, broadcast(graph, left, shape)), factors)


def divide(graph: Graph, left: Tensor, right: Tensor) -> Tensor:
    """Return a tensor divided by a constant; 1 over it is rounded to float64, with a note, where it must be."""
    divisors = finite_floats(constant_of(right, "A divisor"), "A divisor")
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray) and _are_integers(left, right):
        raise UnsupportedNodeError("A division needs floats but received integers. Cast them before.")
    if not divisors.all():
        raise NetworkError("A division needs a divisor that is not zero but received 0. Repair the model.")
    reciprocals = finite_floats(1.0 / divisors, "1 / divisor")
    if (np.abs(np.frexp(divisors)[0]) != 0.5).any():
        graph.notes.append(
            f"{graph.place} multiplies by 1 / divisor, rounded to a 64-bit float once, because a divisor is not a "
            "power of two."
        )
    return multiply(graph, lift(graph, left), reciprocals)


def matrix_product(graph: Graph, left: Tensor, right: Tensor) -> Tensor:
    """Return ``left @ right`` by the rules of ``np.matmul``; one of them is a constant."""
    swap = isinstance(left, np.ndarray) or (isinstance(right, Affine) and bool(right.terms))
    value, other = lift(graph, right if swap else left), left if swap else right
    weight = finite_floats(constant_of(other, "A factor of a matrix product"), "A weight")
    index = value.index
    shapes = (weight.shape, index.shape) if swap else (index.shape, weight.shape)
    if not weight.ndim or not index.ndim or shapes[0][-1] != shapes[1][max(-2, -len(shapes[1]))]:
        raise NetworkError(
            f"A matrix product needs shapes that chain but received {shapes[0]} and {shapes[1]}. Check the weights."
        )
    shape = np.matmul(np.empty(shapes[0], dtype=bool), np.empty(shapes[1], dtype=bool)).shape
    first, second = (weight, index) if swap else (index, weight)
    first = first[np.newaxis] if first.ndim == 1 else first
    second = second[:, np.newaxis] if second.ndim == 1 else second
    # Axes: batch, row, column, inner.
    rows_first, columns_second = first[..., :, np.newaxis, :], np.swapaxes(second, -1, -2)[..., np.newaxis, :, :]
    columns, values = np.broadcast_arrays(*((columns_second, rows_first) if swap else (rows_first, columns_second)))
    matrix = rows_of(columns.reshape(int(np.prod(shape)), -1), values.ravel(), value.size)
    return graph.linear(value, matrix, shape)


# Several tensors ---------------------------------------------------------------------------------------------


def concatenate(graph: Graph, values: Sequence[Tensor], axis: int) -> Tensor:
    """Return tensors joined along an axis."""
    if all(isinstance(value, np.ndarray) for value in values):
        return np.concatenate([np.asarray(value) for value in values], axis=axis)
    tensors = [lift(graph, value) for value in values]
    starts = np.cumsum([0, *(tensor.size for tensor in tensors)])
    try:
        parts = [tensor.index + start for tensor, start in zip(tensors, starts, strict=False)]
        index = np.concatenate(parts, axis=axis)
    except ValueError:
        shapes = [tensor.shape for tensor in tensors]
        raise NetworkError(f"A concatenation needs shapes that match but received {shapes}. Check the axis.") from None
    return graph.select(graph.stack(tensors), index)


def pad(graph: Graph, value: Tensor, before: Sequence[int], after: Sequence[int], fill: float) -> Tensor:
    """Return a tensor with a constant around it; negative numbers cut."""
    if len(before) != len(value.shape) or len(after) != len(value.shape):
        raise NetworkError(
            f"Padding needs two numbers for each axis of {value.shape} but received {[*before, *after]}. "
            "Repair the node."
        )
    sizes = [size + a + b for size, a, b in zip(value.shape, before, after, strict=True)]
    if min(sizes, default=1) < 1 or int(np.prod(sizes, dtype=object)) > MAX_SIZE:
        raise NetworkError(f"Padding needs to give a tensor of reasonable size but received {sizes}. Repair the node.")
    cut = tuple(
        slice(max(-a, 0), size - max(-b, 0)) for size, a, b in zip(value.shape, before, after, strict=True)
    )
    widths = [(max(a, 0), max(b, 0)) for a, b in zip(before, after, strict=True)]
    if isinstance(value, np.ndarray):
        return np.pad(value[cut], widths, constant_values=fill)
    index = np.pad(value.index[cut], widths, constant_values=-1)
    padded = graph.select(value, index)
    return graph.shift(padded, np.where(index < 0, fill, 0.0)) if fill else padded


# Matrices ----------------------------------------------------------------------------------------------------


def scaled(graph: Graph, value: Affine, factors: NDArray[np.float64], may_round: bool = False) -> Affine:
    """Return the product of each element and its factor."""
    matrix = csr_array(diags_array(factors.ravel(), format="csr"))
    return graph.linear(value, matrix, value.shape, may_round)


def rows_of(groups: NDArray[np.int64], values: NDArray[np.float64], width: int) -> csr_array:
    """Return the matrix whose row ``i`` has the given values at columns ``groups[i]``; -1 and zeros are left out."""
    flat = groups.ravel()
    taken = (flat >= 0) & (values != 0)
    starts = np.append(0, np.cumsum(taken.reshape(groups.shape).sum(axis=1)))
    matrix = csr_array((values[taken], flat[taken], starts), shape=(len(groups), width))
    matrix.sum_duplicates()
    return matrix


def _are_integers(left: NDArray, right: NDArray) -> bool:
    return left.dtype.kind in "iub" and right.dtype.kind in "iub"
