"""Modules of torch.nn as calls of functions: the function's name and the arguments the module holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from polyrelu.errors import NetworkError, UnsupportedNodeError

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["MODULES", "as_array"]

Call = tuple[str, dict[str, Any]]


def as_array(value: Any, name: str) -> NDArray | None:
    """Return a tensor as an array, floats as float64, which holds every shorter float exactly."""
    import torch

    if value is None:
        return None
    if not isinstance(value, torch.Tensor):
        raise NetworkError(f"`from_torch` needs tensors but {name!r} is {type(value).__name__}. Store a tensor.")
    if value.is_complex() or value.is_quantized or value.is_meta or value.layout != torch.strided:
        raise NetworkError(
            f"`from_torch` needs dense real tensors with data but {name!r} is {value.dtype} on {value.device}, "
            f"{value.layout}. Convert it."
        )
    array = value.detach().cpu()
    return (array.double() if array.is_floating_point() else array).numpy().copy()


def _linear(layer: Any) -> Call:
    return "linear", {"weight": as_array(layer.weight, "weight"), "bias": as_array(layer.bias, "bias")}


def _convolution(rank: int) -> Callable[[Any], Call]:
    def describe(layer: Any) -> Call:
        if layer.padding_mode != "zeros":
            raise UnsupportedNodeError(
                f"A convolution needs padding with zeros but received padding_mode={layer.padding_mode!r}. "
                "Pad before the layer."
            )
        fields = ("stride", "padding", "dilation", "groups")
        return f"conv{rank}d", _linear(layer)[1] | {field: getattr(layer, field) for field in fields}

    return describe


def _batch_norm(layer: Any) -> Call:
    if layer.training or layer.running_mean is None:
        raise UnsupportedNodeError(
            "Batch normalisation needs evaluation mode and stored statistics but the module is in training mode or "
            "stores none. Call module.eval() first."
        )
    names = ("running_mean", "running_var", "weight", "bias")
    # The number under the root is a Python float: it counts as the double it is.
    return "batch_norm", {name: as_array(getattr(layer, name), name) for name in names} | _fields("", "eps")(layer)[1]


def _fields(function: str, *names: str) -> Callable[[Any], Call]:
    """Return a description that passes attributes of the module on under their own names."""
    return lambda layer: (function, {name: getattr(layer, name) for name in names})


def _dropout(layer: Any) -> Call:
    return "dropout", {"p": layer.p, "training": layer.training, "inplace": layer.inplace}


_MAX_POOL = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_AVERAGE_POOL = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")

MODULES: dict[str, Callable[[Module], Call]] = {
    "Linear": _linear,
    "Identity": _fields("identity"),
    "Flatten": _fields("flatten", "start_dim", "end_dim"),
    "Unflatten": lambda layer: ("unflatten", {"dim": layer.dim, "sizes": layer.unflattened_size}),
    "ReLU": _fields("relu", "inplace"),
    "ReLU6": _fields("relu6", "inplace"),
    "LeakyReLU": _fields("leaky_relu", "negative_slope", "inplace"),
    "PReLU": lambda layer: ("prelu", {"weight": as_array(layer.weight, "weight")}),
    "Hardtanh": _fields("hardtanh", "min_val", "max_val", "inplace"),
    "Hardsigmoid": _fields("hardsigmoid", "inplace"),
    "Threshold": _fields("threshold", "threshold", "value", "inplace"),
    "Softmax": _fields("softmax", "dim"),
    "LogSoftmax": _fields("log_softmax", "dim"),
    "Sigmoid": _fields("sigmoid"),
    **{f"Conv{rank}d": _convolution(rank) for rank in (1, 2, 3)},
    **{f"BatchNorm{rank}d": _batch_norm for rank in (1, 2, 3)},
    **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d"), _dropout),
    **{f"MaxPool{rank}d": _fields(f"max_pool{rank}d", *_MAX_POOL) for rank in (1, 2, 3)},
    "AvgPool1d": _fields("avg_pool1d", *_AVERAGE_POOL),
    **{f"AvgPool{rank}d": _fields(f"avg_pool{rank}d", *_AVERAGE_POOL, "divisor_override") for rank in (2, 3)},
    **{f"AdaptiveAvgPool{rank}d": _fields(f"adaptive_avg_pool{rank}d", "output_size") for rank in (1, 2, 3)},
    **{
        f"AdaptiveMaxPool{rank}d": _fields(f"adaptive_max_pool{rank}d", "output_size", "return_indices")
        for rank in (1, 2, 3)
    },
    **{f"ConstantPad{rank}d": _fields("pad", "padding", "value") for rank in (1, 2, 3)},
    **{f"ZeroPad{rank}d": _fields("pad", "padding") for rank in (1, 2, 3)},
}
"""How each module of torch.nn that `from_torch` reads becomes a call in `polyrelu.network.torch_nodes`."""
