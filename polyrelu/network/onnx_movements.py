"""ONNX operations that make constants, or move, join and cut tensors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import NetworkError, UnsupportedNodeError
from polyrelu.network.graph import Graph
from polyrelu.network.onnx_node import Handler, Node, Value
from polyrelu.network.tensors import Tensor, broadcast, common_shape, concatenate, move, pad

__all__ = ["MOVEMENTS"]


def _constant(graph: Graph, node: Node) -> NDArray:
    (name, value), *_ = node.attributes.items()
    if name not in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        raise UnsupportedNodeError(f"A Constant needs dense numbers but received {name}. Store them as a tensor.")
    return np.asarray(value)


def _constant_of_shape(graph: Graph, node: Node) -> NDArray:
    shape = tuple(int(size) for size in node.required(0))
    fill = np.ravel(node.attributes.get("value", np.zeros(1)))[0]
    return np.array(broadcast(graph, np.asarray(fill), shape))


def _shape(graph: Graph, node: Node) -> NDArray:
    sizes = np.array(node.tensor().shape, dtype=np.int64)
    return sizes[node.attributes.get("start", 0) : node.attributes.get("end", len(sizes))]


def _flatten(graph: Graph, node: Node) -> Tensor:
    value, axis = node.tensor(), node.attributes.get("axis", 1)
    rows = int(np.prod(value.shape[: axis % len(value.shape) if axis < 0 else axis]))
    return move(graph, value, lambda array: array.reshape(rows, -1))


def _reshape(graph: Graph, node: Node) -> Tensor:
    value, sizes = node.tensor(), [int(size) for size in node.required(1)]
    if not node.attributes.get("allowzero", 0):
        have = (*value.shape, *[0] * len(sizes))
        sizes = [size or have[axis] for axis, size in enumerate(sizes)]
    return move(graph, value, lambda array: array.reshape(sizes))


def _transpose(graph: Graph, node: Node) -> Tensor:
    return move(graph, node.tensor(), lambda array: np.transpose(array, node.attributes.get("perm")))


def _squeeze(graph: Graph, node: Node) -> Tensor:
    axes = node.integers(1, "axes")
    return move(graph, node.tensor(), lambda array: np.squeeze(array, None if axes is None else tuple(axes)))


def _unsqueeze(graph: Graph, node: Node) -> Tensor:
    axes = node.integers(1, "axes")
    return move(graph, node.tensor(), lambda array: np.expand_dims(array, tuple(axes or ())))


def _expand(graph: Graph, node: Node) -> Tensor:
    value, sizes = node.tensor(), tuple(int(size) for size in node.required(1))
    return broadcast(graph, value, common_shape(value, np.broadcast_to(np.zeros(1), sizes)))


def _gather(graph: Graph, node: Node) -> Tensor:
    index, axis = node.required(1).astype(np.int64), node.attributes.get("axis", 0)
    return move(graph, node.tensor(), lambda array: np.take(array, index, axis=axis))


def _slice(graph: Graph, node: Node) -> Tensor:
    starts, ends = node.integers(1, "starts") or [], node.integers(2, "ends") or []
    axes, steps = node.integers(3, "axes") or list(range(len(starts))), node.integers(4, "steps") or [1] * len(starts)
    rank = len(node.tensor().shape)
    cut = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=False):
        # An end below the first element means "to the very first", which Python writes None.
        last = None if step < 0 and end < -node.tensor().shape[axis % rank] else end
        cut[axis % rank] = slice(start, last, step)
    return move(graph, node.tensor(), lambda array: array[tuple(cut)])


def _split(graph: Graph, node: Node) -> list[Value]:
    value, axis = node.tensor(), node.attributes.get("axis", 0)
    size = value.shape[axis]
    chunk = -(-size // node.n_outputs)
    sizes = node.integers(1, "split") or [min(chunk, size - i * chunk) for i in range(node.n_outputs)]
    bounds = np.cumsum([0, *sizes])
    if bounds[-1] != size or min(sizes) < 1:
        raise NetworkError(f"Split needs parts that add up to {size} but received {sizes}. Repair the node.")
    return [
        move(graph, value, lambda array, a=a, b=b: np.take(array, np.arange(a, b), axis=axis))  # type: ignore[misc]
        for a, b in pairwise(bounds)
    ]


def _concat(graph: Graph, node: Node) -> Tensor:
    return concatenate(graph, node.all_tensors(), node.attributes["axis"])


def _pad(graph: Graph, node: Node) -> Tensor:
    value, pads = node.tensor(), node.integers(1, "pads") or []
    axes = node.integers(3, "axes") or list(range(len(value.shape)))
    if node.attributes.get("mode", "constant") != "constant" or len(pads) != 2 * len(axes):
        raise UnsupportedNodeError(
            f"Pad needs constant padding on both sides of {len(axes)} axes but received mode "
            f"{node.attributes.get('mode', 'constant')!r} and {pads}. Pad with a constant."
        )
    before, after = [0] * len(value.shape), [0] * len(value.shape)
    for axis, first, last in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        before[axis], after[axis] = first, last
    return pad(graph, value, before, after, node.scalar(2, "value", 0.0) or 0.0)


def _cast(graph: Graph, node: Node) -> Tensor:
    import onnx

    value = node.tensor()
    target = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(node.attributes["to"]))
    if isinstance(value, np.ndarray):
        array = value.astype(target)
        return array if target.kind in "iub" else array.astype(np.float64)
    if target.kind in "iubSUO":
        raise UnsupportedNodeError(f"Cast needs a type of floats but received {target}. Leave the values as floats.")
    if target.itemsize < 4:
        graph.notes.append(f"{graph.place} is read as the identity: no value is rounded to {target}.")
    return value


MOVEMENTS: dict[str, Handler] = {
    "Cast": _cast,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Pad": _pad,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
