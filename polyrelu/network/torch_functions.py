"""What PyTorch functions and methods mean.

Both share one table by name: ``torch.relu(x)``, ``F.relu(x)`` and ``x.relu()`` mean the same. Each entry has the
parameters of PyTorch's function; a call with others is refused.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from polyrelu.errors import UnsupportedNodeError
from polyrelu.network import operations, tensors
from polyrelu.network.activation import ABS, HARD_SIGMOID, RELU, RELU6, PiecewiseLinear, clip, leaky_relu
from polyrelu.network.graph import Affine, Graph, finite_floats
from polyrelu.network.tensors import Dropped, Tensor, constant_of, lift
from polyrelu.network.torch_modules import MODULES
from polyrelu.network.torch_movements import MOVEMENTS, VIEWS, as_tensor
from polyrelu.network.windows import Window, same_padding

__all__ = ["call_function", "call_module"]


def call_module(graph: Graph, layer: Any, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the value of a module and its effect on memory, as `call_function` does."""
    kind = type(layer).__name__
    if kind not in MODULES or not type(layer).__module__.startswith("torch.nn.modules"):
        raise _unsupported(kind)
    name, held = MODULES[kind](layer)
    return call_function(graph, name, arguments, {**keywords, **held})


def call_function(graph: Graph, target: Any, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the value of a function or of a method, given by name, and its effect on memory.

    The effect is "in place" if the first argument changes, "view" if the result may share memory with it, else "".
    """
    name = target if isinstance(target, str) else str(getattr(target, "__name__", target))
    home = "torch" if isinstance(target, str) else str(getattr(target, "__module__", None) or "torch")
    plain = IN_PLACE_OPERATORS.get(name, name.rstrip("_"))
    if home.split(".")[0] not in ("torch", "_operator", "builtins"):
        raise _unsupported(name)
    if plain in NUMBER_OPERATORS and all(isinstance(argument, int | float) for argument in arguments):
        return NUMBER_OPERATORS[plain](*arguments), ""
    if plain not in FUNCTIONS:
        raise _unsupported(name)
    function = FUNCTIONS[plain]
    try:
        renamed = {OTHER_NAMES.get(name, name): value for name, value in keywords.items()}
        bound = inspect.signature(function).bind(graph, *arguments, **renamed)
    except TypeError as error:
        raise UnsupportedNodeError(
            f"`from_torch` needs a call of {plain} with arguments it knows but received others ({error}). "
            "Simplify the call."
        ) from None
    if "input" in bound.arguments and plain not in ("getitem", "getattr"):
        bound.arguments["input"] = as_tensor(bound.arguments["input"])
    in_place = name != plain or bool(bound.arguments.get("inplace", False))
    return function(*bound.args, **bound.kwargs), "in place" if in_place else "view" if plain in VIEWS else ""


def _unsupported(name: str) -> UnsupportedNodeError:
    return UnsupportedNodeError(
        f"`from_torch` needs piecewise-linear operations but received {name}. Replace it by a piecewise-linear "
        "activation."
    )


# Arithmetic --------------------------------------------------------------------------------------------------


def _binary(operation: Callable[[Graph, Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda graph, input, other: operation(graph, as_tensor(input), as_tensor(other))


def _add(graph: Graph, input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    scaled = as_tensor(other) if alpha == 1 else tensors.multiply(graph, as_tensor(other), np.asarray(alpha))
    return tensors.add(graph, as_tensor(input), scaled)


def _sub(graph: Graph, input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    return _add(graph, input, tensors.negate(graph, as_tensor(other)), alpha=alpha)


def _linear(graph: Graph, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    numbers = finite_floats(constant_of(weight, "The weight of a linear layer"), "A weight")
    result = tensors.matrix_product(graph, input, numbers.T)
    return result if bias is None else tensors.add(graph, result, bias)


def _addmm(graph: Graph, input: Tensor, mat1: Tensor, mat2: Tensor) -> Tensor:
    return tensors.add(graph, tensors.matrix_product(graph, mat1, mat2), input)


def _reduction(reduce: Callable[[Graph, Tensor, Sequence[int], bool], Tensor]) -> Callable[..., Tensor]:
    def handle(graph: Graph, input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        axes = range(len(input.shape)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
        return reduce(graph, input, axes, keepdim)

    return handle


def _reduce_min(graph: Graph, value: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    negative = tensors.negate(graph, lift(graph, value))
    return tensors.negate(graph, operations.reduce_max(graph, negative, axes, keep))


def _extremum(pairwise: Any, reduce: Any) -> Callable[..., Any]:
    """Return torch.max or torch.min: of two tensors, of all elements, or along an axis as (values, indices)."""

    def handle(graph: Graph, input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        second = dim if isinstance(dim, Affine | np.ndarray) else other
        if second is not None:
            return pairwise(graph, input, second)
        if dim is None:
            return reduce(graph, input, range(len(input.shape)), False)
        return reduce(graph, input, (dim,), keepdim), None

    return handle


# Layers ------------------------------------------------------------------------------------------------------


def _each(value: Any, rank: int) -> list[int]:
    """Return one integer per axis of an argument that may be one for all."""
    return [value] * rank if isinstance(value, int) else [int(v) for v in value] * (rank if len(value) == 1 else 1)


def _convolution(rank: int) -> Callable[..., Tensor]:
    def handle(
        graph: Graph, input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        kernel = constant_of(weight, "The weight of a convolution")
        edge = [0] * rank if isinstance(padding, str) else _each(padding, rank)
        window = Window.of(kernel.shape[2:], _each(stride, rank), _each(dilation, rank), edge, edge)
        if padding == "same":
            before, after = same_padding(input.shape[2:], window, more_at_end=True)
            window = Window.of(window.kernel, window.strides, window.dilations, before, after)
        shift = None if bias is None else constant_of(bias, "The bias of a convolution")
        return operations.convolve(graph, input, kernel, shift, window, groups)

    return handle


def _batch_norm(
    graph: Graph, input: Tensor, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, offset: float = 1e-5,
) -> Tensor:  # fmt: skip
    if training or running_mean is None or running_var is None:
        raise UnsupportedNodeError("Batch normalisation needs stored statistics but trains. Call module.eval() first.")
    mean, variance = (constant_of(v, "A statistic of batch normalisation") for v in (running_mean, running_var))
    scale = np.ones(mean.shape) if weight is None else constant_of(weight, "The scale of batch normalisation")
    shift = np.zeros(mean.shape) if bias is None else constant_of(bias, "The shift of batch normalisation")
    return operations.batch_normalize(graph, input, scale, shift, mean, variance, offset)


def _max_pool(rank: int) -> Callable[..., Tensor]:
    def handle(
        graph: Graph, input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> Tensor:  # fmt: skip
        _refuse(return_indices, "max_pool", "return_indices")
        kernel, edge = _each(kernel_size, rank), _each(padding, rank)
        strides = _each(stride, rank) if stride else kernel
        return operations.max_pool(
            graph, input, Window.of(kernel, strides, _each(dilation, rank), edge, edge, ceil_mode)
        )

    return handle


def _average_pool(rank: int) -> Callable[..., Tensor]:
    def handle(
        graph: Graph, input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> Tensor:  # fmt: skip
        _refuse(divisor_override is not None, "avg_pool", "divisor_override")
        kernel, edge = _each(kernel_size, rank), _each(padding, rank)
        window = Window.of(kernel, _each(stride, rank) if stride else kernel, None, edge, edge, ceil_mode)
        return operations.average_pool(graph, input, window, count_include_pad)

    return handle


def _adaptive(rank: int, pool: Callable[[Graph, Tensor, Window], Tensor]) -> Callable[..., Tensor]:
    def handle(graph: Graph, input: Tensor, output_size: Any, return_indices: bool = False) -> Tensor:
        _refuse(return_indices, "adaptive pooling", "return_indices")
        given = [output_size] * rank if isinstance(output_size, int | None) else list(output_size)
        sizes = input.shape[2:]
        wanted = [have if want is None else want for have, want in zip(sizes, given, strict=False)]
        if len(sizes) != rank or any(want < 1 or have % want for have, want in zip(sizes, wanted, strict=True)):
            raise UnsupportedNodeError(
                f"Adaptive pooling needs output sizes that divide {list(sizes)} but received {given}. "
                "Use a pooling layer with a fixed kernel."
            )
        kernel = [have // want for have, want in zip(sizes, wanted, strict=True)]
        return pool(graph, input, Window.of(kernel, kernel))

    return handle


def _average_whole(graph: Graph, value: Tensor, window: Window) -> Tensor:
    return operations.average_pool(graph, value, window, False)


def _refuse(condition: bool, who: str, what: str) -> None:
    if condition:
        raise UnsupportedNodeError(f"{who} needs to be plain but received {what}. Leave it out.")


# Activations -------------------------------------------------------------------------------------------------


def _activation(function: PiecewiseLinear) -> Callable[..., Tensor]:
    return lambda graph, input, inplace=False: operations.activate(graph, input, function)


def _leaky_relu(graph: Graph, input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    return operations.activate(graph, input, leaky_relu(negative_slope))


def _prelu(graph: Graph, input: Tensor, weight: Tensor) -> Tensor:
    slopes = constant_of(weight, "The slope of a PReLU")
    view = slopes.reshape(1, -1, *[1] * (len(input.shape) - 2)) if len(input.shape) > 1 else slopes
    return operations.activate_each(graph, input, view, leaky_relu)


def _hardtanh(
    graph: Graph, input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    return operations.clip_between(graph, input, min_val, max_val)


def _clamp(graph: Graph, input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    numbers = all(bound is None or isinstance(bound, int | float) for bound in (min, max))
    if numbers:
        return operations.clip_between(graph, input, min, max)
    below = input if min is None else operations.maximum(graph, input, as_tensor(min))
    return below if max is None else operations.minimum(graph, below, as_tensor(max))


def _threshold(graph: Graph, input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    _refuse(threshold != value, "threshold", "a value that makes it jump")
    return operations.activate(graph, input, clip(threshold))


def _dropout(graph: Graph, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    if training and p:
        raise UnsupportedNodeError(
            "Dropout needs evaluation mode but is in training mode. Call module.eval() first, and pass "
            "training=self.training to the function."
        )
    return input


def _drop(graph: Graph, input: Tensor, dim: Any = None, **_: Any) -> Dropped:
    return Dropped(lift(graph, input), graph.place)


NUMBER_OPERATORS: dict[str, Callable[..., Any]] = {
    name: getattr(operator, name) for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "neg")
}
"""Operators that shapes are computed with."""

OTHER_NAMES = {"eps": "offset"}
"""Parameters of PyTorch that have another name here."""

IN_PLACE_OPERATORS = {"iadd": "add", "isub": "sub", "imul": "mul", "itruediv": "div"}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **MOVEMENTS,
    "abs": _activation(ABS), "add": _add, "addmm": _addmm, "amax": _reduction(operations.reduce_max),
    "amin": _reduction(_reduce_min), "batch_norm": _batch_norm, "clamp": _clamp,
    "clamp_max": lambda graph, input, max: _clamp(graph, input, None, max),
    "clamp_min": lambda graph, input, min: _clamp(graph, input, min), "clip": _clamp,
    "div": _binary(tensors.divide), "divide": _binary(tensors.divide), "dropout": _dropout,
    "hardsigmoid": _activation(HARD_SIGMOID), "hardtanh": _hardtanh, "leaky_relu": _leaky_relu, "linear": _linear,
    "log_softmax": _drop, "matmul": _binary(tensors.matrix_product),
    "max": _extremum(operations.maximum, operations.reduce_max), "maximum": _binary(operations.maximum),
    "mean": _reduction(operations.mean), "min": _extremum(operations.minimum, _reduce_min),
    "minimum": _binary(operations.minimum), "mm": _binary(tensors.matrix_product),
    "mul": _binary(tensors.multiply), "multiply": _binary(tensors.multiply), "neg": tensors.negate, "prelu": _prelu,
    "relu": _activation(RELU), "relu6": _activation(RELU6), "sigmoid": _drop, "softmax": _drop, "sub": _sub,
    "subtract": _sub, "sum": _reduction(operations.total), "threshold": _threshold, "_threshold": _threshold,
    "truediv": _binary(tensors.divide),
}  # fmt: skip
for _rank in (1, 2, 3):
    FUNCTIONS[f"conv{_rank}d"] = _convolution(_rank)
    FUNCTIONS[f"max_pool{_rank}d"] = _max_pool(_rank)
    FUNCTIONS[f"avg_pool{_rank}d"] = _average_pool(_rank)
    FUNCTIONS[f"adaptive_avg_pool{_rank}d"] = _adaptive(_rank, _average_whole)
    FUNCTIONS[f"adaptive_max_pool{_rank}d"] = _adaptive(_rank, operations.max_pool)
