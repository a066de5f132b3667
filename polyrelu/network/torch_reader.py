"""PyTorch modules as networks, through torch.fx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from polyrelu.errors import InputError, MissingExtraError, NetworkError, UnsupportedNodeError
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from torch.fx import GraphModule, Node
    from torch.nn import Module

    from polyrelu.network.graph import Affine, Graph
    from polyrelu.network.tensors import Dropped

__all__ = ["from_torch"]


def from_torch(module: Module, input_shape: Sequence[int] | None = None) -> Network:
    """Return the network of a PyTorch module in evaluation mode.

    Input ``i`` of the network is element ``i`` of the module's input flattened in C order, outputs likewise;
    `Network.notes` records the shape, and what was folded or dropped. float16 and float32 weights widen to float64
    exactly, and maps are composed only where that rounds nothing: elsewhere identity units keep the steps apart.

    Parameters
    ----------
    module : torch.nn.Module
    input_shape : sequence of int, optional
        Shape of one input without the batch dimension, such as (3, 32, 32). Not needed where the first layer is a
        Linear.

    Raises
    ------
    MissingExtraError
        If PyTorch is not installed.
    UnsupportedNodeError
        If an operation is not piecewise linear or not known, or torch.fx cannot trace the module.
    NetworkError
        If shapes or numbers do not form a network.

    Notes
    -----
    torch.fx runs the module's ``forward`` once to record it. It records ``x += y`` as ``x = x + y``: a module that
    relies on the change showing through another name of the tensor is not what is read.

    Examples
    --------
    >>> import torch
    >>> linear = torch.nn.Linear(2, 1).requires_grad_(False)
    >>> linear.weight[:], linear.bias[:] = torch.tensor([[1.0, -0.5]]), 0.25
    >>> from_torch(torch.nn.Sequential(linear, torch.nn.ReLU())).exact([1, "1/3"])
    (Fraction(13, 12),)
    >>> from_torch(torch.nn.Sequential(linear, torch.nn.GELU()))
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnsupportedNodeError: GELU node '1' (3 of 4): `from_torch` needs piecewise-linear operations but \
received GELU. Replace it by a piecewise-linear activation.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError("`from_torch` needs PyTorch. Install it with: pip install 'polyrelu[torch]'") from None
    from polyrelu.network.graph import Graph
    from polyrelu.network.lowering import lower

    if not isinstance(module, torch.nn.Module) or isinstance(module, torch.jit.ScriptModule):
        raise InputError(
            f"`from_torch` needs a torch.nn.Module but received {type(module).__name__}. "
            "Pass the module itself, not its file, state or scripted form."
        )
    traced = _trace(module)
    graph = Graph()
    return lower(graph, _run(graph, traced, _checked_shape(traced, input_shape)))


def _trace(module: Module) -> GraphModule:
    import torch

    for name, part in module.named_modules():
        if part._forward_hooks or part._forward_pre_hooks:
            raise UnsupportedNodeError(
                f"`from_torch` needs modules without hooks but {name or 'the module'!r} ({type(part).__name__}) has "
                "one, which may change values. Remove it (for weight or spectral norm: fold the weight)."
            )
    # A module of torch.nn itself is read as one node, not through the checks of its forward.
    own = type(module).__module__.startswith("torch.nn.modules") and not isinstance(module, torch.nn.Sequential)
    try:
        return torch.fx.symbolic_trace(torch.nn.Sequential(module) if own else module)
    except (TypeError, ValueError, RuntimeError, AttributeError, KeyError, IndexError) as error:
        raise UnsupportedNodeError(
            f"`from_torch` needs a module that torch.fx can trace but {type(module).__name__} cannot be ({error}). "
            "Remove control flow that depends on values, or export it to ONNX."
        ) from None


def _checked_shape(traced: GraphModule, input_shape: Sequence[int] | None) -> tuple[int, ...]:
    shape = _first_width(traced) if input_shape is None else input_shape
    if shape is None:
        raise InputError(
            "`from_torch` needs input_shape where the first layer is not a Linear but received None. "
            "Pass the shape of one input without the batch dimension, such as (3, 32, 32)."
        )
    if not isinstance(shape, Sequence) or not all(isinstance(size, int) and size > 0 for size in shape):
        raise InputError(
            f"`from_torch` needs input_shape to be positive integers but received {shape!r}. Leave the batch out."
        )
    return tuple(shape)


def _first_width(traced: GraphModule) -> tuple[int] | None:
    """Return the input shape that the first layer tells, if it does."""
    node = next(node for node in traced.graph.nodes if node.op == "placeholder")
    while len(node.users) == 1:
        node = next(iter(node.users))
        if node.op != "call_module":
            return None
        layer: Any = traced.get_submodule(node.target)
        if type(layer).__name__ == "Linear":
            return (int(layer.in_features),)
        flat = type(layer).__name__ == "Flatten" and (layer.start_dim, layer.end_dim) == (1, -1)
        if not flat and type(layer).__name__ not in ("Identity", "Dropout"):
            return None
    return None


def _run(graph: Graph, traced: GraphModule, shape: tuple[int, ...]) -> Affine:
    """Return the output of a traced module as an affine expression."""
    from polyrelu.network.tensors import as_output, reading
    from polyrelu.network.torch_modules import as_array

    nodes = list(traced.graph.nodes)
    inputs = [node for node in nodes if node.op == "placeholder" and not node.args]
    if len(inputs) != 1:
        names = [node.name for node in inputs]
        raise NetworkError(f"`from_torch` needs a module with one input but received {names}. Fix the others.")
    graph.notes.append(f"The input of shape {shape} is flattened in C order.")
    values: dict[Node, Any] = {}
    aliases: dict[Node, Node] = {}
    for number, node in enumerate(nodes[:-1]):
        if node.op == "placeholder":
            values[node] = node.args[0] if node.args else graph.start((1, *shape))
        elif node.op == "get_attr":
            values[node] = as_array(_attribute(traced, node.target), node.target)
        else:
            layer = traced.get_submodule(node.target) if node.op == "call_module" else None
            with reading(graph, f"{_kind(node, layer)} node {_name(node)!r} ({number + 1} of {len(nodes)})"):
                values[node], effect = _call(graph, node, layer, values)
                _follow_aliases(node, effect, aliases, nodes)
    return as_output(graph, _returned(nodes[-1], values), "The output", batch=1)


def _call(graph: Graph, node: Node, layer: Module | None, values: Mapping[Node, Any]) -> tuple[Any, str]:
    """Return the value of a node and its effect on memory."""
    from torch.fx.node import map_arg

    from polyrelu.network.torch_functions import call_function, call_module

    arguments: Any = map_arg(node.args, lambda source: _readable(values[source]))
    keywords: Any = map_arg(node.kwargs, lambda source: _readable(values[source]))
    if layer is None:
        return call_function(graph, node.target, arguments, keywords)
    return call_module(graph, layer, arguments, keywords)


def _returned(node: Node, values: Mapping[Node, Any]) -> Affine | Dropped:
    from polyrelu.network.graph import Affine
    from polyrelu.network.tensors import Dropped

    returned: Any = node.args[0]
    if isinstance(returned, tuple | list) and len(returned) == 1:
        returned = returned[0]
    result = values.get(returned) if hasattr(returned, "op") else None
    if not isinstance(result, Affine | Dropped):
        raise NetworkError(
            f"`from_torch` needs a module that returns one tensor but it returns {returned!r}. Wrap it to return one."
        )
    return result


def _follow_aliases(node: Node, effect: str, aliases: dict[Node, Node], nodes: Sequence[Node]) -> None:
    """Note which nodes share memory; refuse an operation in place whose old value is read later.

    torch.fx treats every node as a new value, which is wrong for such a module.
    """
    source = next((argument for argument in node.all_input_nodes), None)
    aliases[node] = aliases.get(source, source) if source is not None and effect else node
    if effect != "in place" or source is None:
        return
    position = {other: number for number, other in enumerate(nodes)}
    shared = [m for m in nodes[: position[node]] if m is aliases[node] or aliases.get(m) is aliases[node]]
    for other in shared:
        late = next((user for user in other.users if position[user] > position[node]), None)
        if late is not None:
            raise UnsupportedNodeError(
                f"`from_torch` needs values that do not change but this operation changes {other.name!r} in place and "
                f"{late.name!r} reads it later. Use inplace=False."
            )


def _kind(node: Node, layer: Module | None) -> str:
    if layer is not None:
        return type(layer).__name__
    return str(node.target if node.op == "call_method" else getattr(node.target, "__name__", node.target))


def _name(node: Node) -> str:
    return str(node.target if node.op == "call_module" else node.name)


def _readable(value: Any) -> Any:
    from polyrelu.network.tensors import Dropped

    if isinstance(value, Dropped):
        raise UnsupportedNodeError(
            f"`from_torch` needs {value.label} to come last, where it is dropped, but this node reads it. "
            "Pass the part of the module before it."
        )
    return value


def _attribute(traced: GraphModule, target: str) -> Any:
    value: Any = traced
    for part in target.split("."):
        value = getattr(value, part)
    return value
