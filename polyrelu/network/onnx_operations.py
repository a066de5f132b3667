"""What the layers, activations and sums of ONNX mean; `HANDLERS` has every operation that is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from polyrelu.errors import NetworkError, UnsupportedNodeError
from polyrelu.network import operations, tensors
from polyrelu.network.activation import ABS, RELU, hard_sigmoid, leaky_relu
from polyrelu.network.graph import Graph, finite_floats
from polyrelu.network.onnx_movements import MOVEMENTS
from polyrelu.network.onnx_node import Handler, Node
from polyrelu.network.tensors import Dropped, Tensor, lift, move
from polyrelu.network.windows import Window, same_padding

__all__ = ["HANDLERS"]


# Affine layers -----------------------------------------------------------------------------------------------


def _gemm(graph: Graph, node: Node) -> Tensor:
    left, right = node.tensor(0), node.tensor(1)
    if isinstance(right, np.ndarray):
        right = finite_floats(right, "A weight")
    if node.attributes.get("transA", 0):
        left = move(graph, left, np.transpose)
    if node.attributes.get("transB", 0):
        right = move(graph, right, np.transpose)
    result = _times(graph, tensors.matrix_product(graph, left, right), node.attributes.get("alpha", 1.0))
    if len(node.inputs) < 3 or node.inputs[2] is None:
        return result
    shift = _times(graph, node.tensor(2), node.attributes.get("beta", 1.0))
    return tensors.add(graph, result, shift)


def _times(graph: Graph, value: Tensor, factor: float) -> Tensor:
    return value if factor == 1 else tensors.multiply(graph, lift(graph, value), np.array(factor))


def _conv(graph: Graph, node: Node) -> Tensor:
    value, weight = node.tensor(0), node.required(1)
    window = _window(node, value.shape[2:], weight.shape[2:])
    return operations.convolve(graph, value, weight, node.constant(2), window, node.attributes.get("group", 1))


def _window(node: Node, sizes: Sequence[int], kernel: Sequence[int] | None = None) -> Window:
    attributes = node.attributes
    if kernel is None:
        kernel = attributes["kernel_shape"]
    elif list(attributes.get("kernel_shape", kernel)) != list(kernel):
        raise NetworkError(
            f"{node.kind} needs a weight of kernel {attributes['kernel_shape']} but received {list(kernel)}. "
            "Repair the node."
        )
    rank = len(kernel)
    pads = attributes.get("pads") or [0] * (2 * rank)
    window = Window.of(
        kernel, attributes.get("strides"), attributes.get("dilations"), pads[:rank], pads[rank:],
        bool(attributes.get("ceil_mode", 0)),
    )  # fmt: skip
    mode = attributes.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", "VALID"):
        return window
    if mode not in ("SAME_UPPER", "SAME_LOWER") or len(sizes) != rank:
        raise NetworkError(f"{node.kind} needs a known auto_pad but received {mode!r}. Write the pads.")
    before, after = same_padding(sizes, window, mode == "SAME_UPPER")
    return Window(window.kernel, window.strides, window.dilations, before, after)


def _batch_norm(graph: Graph, node: Node) -> Tensor:
    if node.attributes.get("training_mode", 0) or not node.attributes.get("spatial", 1):
        raise UnsupportedNodeError(
            "BatchNormalization needs fixed statistics per channel but is in training mode or not spatial. "
            "Export the model in evaluation mode."
        )
    scale, shift, mean, variance = (node.required(number) for number in range(1, 5))
    offset = float(node.attributes.get("epsilon", np.float32(1e-5)))
    return operations.batch_normalize(graph, node.tensor(), scale, shift, mean, variance, offset)


def _elementwise(operation: Callable[[Graph, Tensor, Tensor], Tensor]) -> Handler:
    def handle(graph: Graph, node: Node) -> Tensor:
        result, *others = node.all_tensors()
        for other in others:
            result = operation(graph, result, other)
        return result

    return handle


# Pooling and reductions --------------------------------------------------------------------------------------


def _max_pool(graph: Graph, node: Node) -> Tensor:
    value = lift(graph, node.tensor())
    return operations.max_pool(graph, value, _window(node, value.shape[2:]))


def _average_pool(graph: Graph, node: Node) -> Tensor:
    value = lift(graph, node.tensor())
    window = _window(node, value.shape[2:])
    return operations.average_pool(graph, value, window, bool(node.attributes.get("count_include_pad", 0)))


def _global(reduce: Callable[[Graph, Tensor, Sequence[int], bool], Tensor]) -> Handler:
    def handle(graph: Graph, node: Node) -> Tensor:
        return reduce(graph, node.tensor(), range(2, len(node.tensor().shape)), True)

    return handle


def _reduce(reduce: Callable[[Graph, Tensor, Sequence[int], bool], Tensor]) -> Handler:
    def handle(graph: Graph, node: Node) -> Tensor:
        value, axes = node.tensor(), node.integers(1, "axes")
        if not axes:
            if node.attributes.get("noop_with_empty_axes", 0):
                return value
            axes = list(range(len(value.shape)))
        return reduce(graph, value, axes, bool(node.attributes.get("keepdims", 1)))

    return handle


# Activations -------------------------------------------------------------------------------------------------


def _relu(graph: Graph, node: Node) -> Tensor:
    return operations.activate(graph, node.tensor(), RELU)


def _abs(graph: Graph, node: Node) -> Tensor:
    return operations.activate(graph, node.tensor(), ABS)


def _leaky_relu(graph: Graph, node: Node) -> Tensor:
    return operations.activate(graph, node.tensor(), leaky_relu(float(node.attributes.get("alpha", np.float32(0.01)))))


def _prelu(graph: Graph, node: Node) -> Tensor:
    return operations.activate_each(graph, node.tensor(), node.required(1), leaky_relu)


def _hard_sigmoid(graph: Graph, node: Node) -> Tensor:
    alpha, beta = node.attributes.get("alpha", np.float32(0.2)), node.attributes.get("beta", 0.5)
    return operations.activate(graph, node.tensor(), hard_sigmoid(float(alpha), float(beta)))


def _clip(graph: Graph, node: Node) -> Tensor:
    low, high = node.scalar(1, "min", None), node.scalar(2, "max", None)
    return operations.clip_between(graph, node.tensor(), low, high)


def _drop(graph: Graph, node: Node) -> Dropped:
    return Dropped(lift(graph, node.tensor()), node.label)


def _identity(graph: Graph, node: Node) -> Any:
    return node.inputs[0] if isinstance(node.inputs[0], Dropped) else node.tensor()


def _dropout(graph: Graph, node: Node) -> Tensor:
    training = node.constant(2)
    if training is not None and training.any():
        raise UnsupportedNodeError("Dropout needs evaluation mode but is in training mode. Export the model again.")
    return node.tensor()


HANDLERS: dict[str, Handler] = {
    **MOVEMENTS,
    "Abs": _abs,
    "Add": _elementwise(tensors.add),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Conv": _conv,
    "Div": _elementwise(tensors.divide),
    "Dropout": _dropout,
    "Gemm": _gemm,
    "GlobalAveragePool": _global(operations.mean),
    "GlobalMaxPool": _global(operations.reduce_max),
    "HardSigmoid": _hard_sigmoid,
    "Identity": _identity,
    "LeakyRelu": _leaky_relu,
    "LogSoftmax": _drop,
    "MatMul": _elementwise(tensors.matrix_product),
    "Max": _elementwise(operations.maximum),
    "MaxPool": _max_pool,
    "Min": _elementwise(operations.minimum),
    "Mul": _elementwise(tensors.multiply),
    "Neg": lambda graph, node: tensors.negate(graph, node.tensor()),
    "PRelu": _prelu,
    "ReduceMax": _reduce(operations.reduce_max),
    "ReduceMean": _reduce(operations.mean),
    "ReduceSum": _reduce(operations.total),
    "Relu": _relu,
    "Sigmoid": _drop,
    "Softmax": _drop,
    "Sub": _elementwise(tensors.subtract),
    "Sum": _elementwise(tensors.add),
}
"""The function of each ONNX operation that `from_onnx` reads."""
