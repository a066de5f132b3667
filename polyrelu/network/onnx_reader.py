"""ONNX models as networks. A file is data: nothing in it is executed, and files beside it are read only if named
inside its folder."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import FileError, InputError, NetworkError, UnsupportedNodeError
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

    from polyrelu.network.graph import Affine, Graph
    from polyrelu.network.onnx_node import Value

__all__ = ["from_onnx"]

FIRST_OPSET = 7
"""Before it, elementwise operations broadcast by rules of their own."""


def from_onnx(model: str | PathLike[str] | ModelProto) -> Network:
    """Return the network of an ONNX model with one input and one output.

    A first dimension of unknown size is the batch and becomes 1. Input ``i`` of the network is element ``i`` of the
    model's input flattened in C order, outputs likewise; `Network.notes` records the shape, and what was folded or
    dropped. float16 and float32 weights widen to float64 exactly, and maps are composed only where that rounds
    nothing: elsewhere identity units keep the steps apart.

    Parameters
    ----------
    model : path or onnx.ModelProto

    Raises
    ------
    FileError
        If the file cannot be read, is damaged, or refers to data outside its folder.
    UnsupportedNodeError
        If a node is not piecewise linear or not known; the message names it and its position.
    NetworkError
        If the model's shapes or numbers do not form a network, or it has several inputs or outputs.

    Examples
    --------
    >>> from onnx import TensorProto, helper
    >>> def model(operation):
    ...     node = helper.make_node(operation, ["x"], ["y"], name="last")
    ...     values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", 2]) for n in "xy"]
    ...     return helper.make_model(helper.make_graph([node], "g", values[:1], values[1:]))
    >>> network = from_onnx(model("Abs"))
    >>> network([[-1.0, 2.0]]).tolist(), network.notes
    ([[1.0, 2.0]], ("Input 'x' of shape (1, 2) is flattened in C order.",))
    >>> from_onnx(model("Tanh"))
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnsupportedNodeError: Tanh node 'last' (1 of 1): `from_onnx` needs piecewise-linear operations \
but received Tanh. Replace it by a piecewise-linear activation, or export the part of the model before it.
    """
    from polyrelu.network.graph import Graph
    from polyrelu.network.lowering import lower

    proto = _checked(_read(model) if isinstance(model, str | PathLike) else model)
    graph = Graph()
    output = _run(graph, proto.graph)
    return lower(graph, output)


def _read(path: str | PathLike[str]) -> ModelProto:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        proto = onnx.load_model(str(path), format="protobuf", load_external_data=False)
    except OSError as error:
        raise FileError(
            f"`from_onnx` needs a readable file but received {str(path)!r} ({error.strerror}). Check the path."
        ) from None
    except (DecodeError, ValueError) as error:
        raise FileError(
            f"`from_onnx` needs an ONNX model but {str(path)!r} is damaged or something else ({error}). "
            "Export it again."
        ) from None
    _load_external_data(proto, Path(path).resolve().parent, str(path))
    return proto


def _load_external_data(proto: ModelProto, folder: Path, path: str) -> None:
    """Read the weights that a model keeps in files beside it; refuse files outside its folder."""
    from onnx.checker import ValidationError
    from onnx.external_data_helper import load_external_data_for_tensor, uses_external_data

    for tensor in proto.graph.initializer:
        if not uses_external_data(tensor):
            continue
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        target = (folder / location).resolve()
        if not location or not target.is_relative_to(folder) or not target.is_file():
            raise FileError(
                f"`from_onnx` needs the weights {tensor.name!r} in a file inside the model's folder but {path!r} names "
                f"{location!r}. Put the file beside the model, or save the model in one file."
            )
        try:
            load_external_data_for_tensor(tensor, str(folder))
        except (ValidationError, ValueError, OSError) as error:
            raise FileError(
                f"`from_onnx` needs readable weights {tensor.name!r} but {location!r} is damaged ({error}). "
                "Export the model again."
            ) from None


def _checked(proto: ModelProto) -> ModelProto:
    """Return the model if its nodes are known and each has the inputs and attributes ONNX prescribes."""
    import onnx

    from polyrelu.network.onnx_operations import HANDLERS

    if not isinstance(proto, onnx.ModelProto):
        raise InputError(
            f"`from_onnx` needs a path or an onnx.ModelProto but received {type(proto).__name__}. "
            "Pass PyTorch modules to `from_torch`."
        )
    if not proto.graph.output:
        raise FileError("`from_onnx` needs a model but received one without outputs. The file may be damaged or empty.")
    for number, node in enumerate(proto.graph.node):
        if node.op_type not in HANDLERS or node.domain not in ("", "ai.onnx"):
            name = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
            raise UnsupportedNodeError(
                f"{_label(node, number, proto.graph)}: `from_onnx` needs piecewise-linear operations but received "
                f"{name}. Replace it by a piecewise-linear activation, or export the part of the model before it."
            )
    if _opset(proto) < FIRST_OPSET:
        raise NetworkError(
            f"`from_onnx` needs opset {FIRST_OPSET} or later but received {_opset(proto)}. Convert the model with "
            "onnx.version_converter."
        )
    if proto.graph.sparse_initializer:
        raise NetworkError("`from_onnx` needs dense initializers but received sparse ones. Store them dense.")
    context = onnx.checker.C.CheckerContext()
    context.ir_version = proto.ir_version
    context.opset_imports = {"": _opset(proto)}
    for number, node in enumerate(proto.graph.node):
        # Nodes only: whole models in use often miss what the checker wants of their declared shapes.
        try:
            onnx.checker.check_node(node, context)
        except (onnx.checker.ValidationError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise NetworkError(
                f"{_label(node, number, proto.graph)}: `from_onnx` needs valid nodes but ONNX reports: {reason}. "
                "Export the model again."
            ) from None
    return proto


def _opset(proto: ModelProto) -> int:
    return next((int(entry.version) for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), 1)


def _run(graph: Graph, proto: GraphProto) -> Affine:
    """Return the output of a model as an affine expression."""
    from polyrelu.network.onnx_node import Node
    from polyrelu.network.onnx_operations import HANDLERS
    from polyrelu.network.tensors import as_output, reading

    values: dict[str, Value] = {t.name: _array(t, f"Initializer {t.name!r}") for t in proto.initializer}
    inputs = [value for value in proto.input if value.name not in values]
    if len(inputs) != 1 or len(proto.output) != 1:
        raise NetworkError(
            f"`from_onnx` needs a model with one input and one output but received inputs {[v.name for v in inputs]} "
            f"and outputs {[v.name for v in proto.output]}. Export one of them only."
        )
    shape = _input_shape(inputs[0])
    values[inputs[0].name] = graph.start(shape)
    graph.notes.append(f"Input {inputs[0].name!r} of shape {shape} is flattened in C order.")
    for number, node in enumerate(proto.node):
        label = _label(node, number, proto)
        with reading(graph, label):
            read = [_value(values, name) for name in node.input]
            _refuse_second(values, node)
            attributes = {a.name: _attribute(a) for a in node.attribute}
            results = HANDLERS[node.op_type](graph, Node(node.op_type, label, read, attributes, len(node.output)))
        produced = results if isinstance(results, list) else [results]
        values.update({name: value for name, value in zip(node.output, produced, strict=False) if name})
    name = proto.output[0].name
    if name not in values:
        raise NetworkError(f"`from_onnx` needs a node that gives the output {name!r} but found none. Export it again.")
    return as_output(graph, values[name], f"Output {name!r}", batch=0)


def _label(node: NodeProto, number: int, proto: GraphProto) -> str:
    name = node.name or next((output for output in node.output if output), "")
    return f"{node.op_type} node {name!r} ({number + 1} of {len(proto.node)})"


def _value(values: Mapping[str, Value], name: str) -> Any:
    """Return what a node reads; None for an input that is left out."""
    if not name:
        return None
    if name not in values:
        raise NetworkError(
            f"`from_onnx` needs every value before it is read but {name!r} is not there: it is an output polyrelu does "
            "not give, such as the indices of a MaxPool, or the nodes are out of order. Export the model again."
        )
    return values[name]


def _refuse_second(values: Mapping[str, Value], node: NodeProto) -> None:
    for name in node.output:
        if name in values:
            raise NetworkError(f"`from_onnx` needs one node for each value but {name!r} has two. Export it again.")


def _attribute(attribute: Any) -> Any:
    import onnx

    if attribute.type == onnx.AttributeProto.TENSOR:
        return _array(attribute.t, f"Attribute {attribute.name!r}")
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def _array(tensor: TensorProto, what: str) -> NDArray:
    """Return a tensor as an array, floats as float64, which holds every shorter float exactly."""
    import onnx

    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise FileError(
            f"{what} needs its numbers in the model but they lie in a file that was not loaded. "
            "Pass the path of the model, or load it with its external data."
        )
    try:
        array = onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise FileError(f"{what} needs numbers of a known type and count but is damaged ({error}).") from None
    if array.dtype.kind in "iub":
        return np.array(array)
    if array.dtype.kind in "cOSU":
        raise NetworkError(f"{what} needs real numbers but received {array.dtype}. Store floats.")
    with np.errstate(invalid="ignore"):  # NaN is refused where it is used
        return np.array(array, dtype=np.float64)


def _input_shape(value: ValueInfoProto) -> tuple[int, ...]:
    """Return the shape of the model's input with 1 for the batch."""
    import onnx

    tensor = value.type.tensor_type
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    if tensor.elem_type not in floats:
        raise NetworkError(
            f"`from_onnx` needs an input of floats but {value.name!r} has type {tensor.elem_type}. Cast it outside."
        )
    sizes = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in tensor.shape.dim]
    if len(sizes) > 1 and sizes[0] < 1:
        sizes[0] = 1
    if not sizes or min(sizes) < 1:
        raise NetworkError(
            f"`from_onnx` needs an input of known shape but {value.name!r} has "
            f"{[dim.dim_param or dim.dim_value for dim in tensor.shape.dim]}. Fix all sizes but the batch."
        )
    return tuple(sizes)
