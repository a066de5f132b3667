"""Any PyTorch module on a batch of points, and the autograd graph of what it does with them.

The parameters are frozen and the points are not, so that the graph behind the output holds exactly the operations that
depend on the input. From it follows whether the module is piecewise linear (`polyrelu.network.torch_checks`), which
`from_torch` need not be able to read for that, and on which piece each point is (`polyrelu.network.torch_digits`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from polyrelu.errors import InputError, MissingExtraError, NetworkError

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike
    from torch.nn import Module

__all__ = ["HIDDEN", "ModuleRun", "frozen_copy", "name_of", "recording", "run_module"]

LEAF = "torch::autograd::AccumulateGrad"
HIDDEN = "torch::autograd::CopySlices"
"""An operation that changes a view in place: the graph does not say which."""

@dataclass(frozen=True, eq=False)
class ModuleRun:
    """What a module did with a batch of points.

    Attributes
    ----------
    inputs : tensor, shape (n, ...)
        The points: a leaf that requires gradients.
    outputs : tensor, shape (n, n_out)
        Flattened in C order. Without a graph (``requires_grad`` is False) if no output depends on the input.
    who : str
        The function that asks, for messages.
    """

    inputs: torch.Tensor
    outputs: torch.Tensor
    who: str

    @cached_property
    def nodes(self) -> tuple[Any, ...]:
        """The operations that depend on the input and that the output depends on, in the order they were done."""
        found, open_nodes = {}, [self.outputs.grad_fn]
        while open_nodes:
            node = open_nodes.pop()
            if node is not None and node not in found:
                found[node] = node._sequence_nr()
                open_nodes += [edge[0] for edge in node.next_functions]
        return tuple(sorted((node for node in found if node.name() != LEAF), key=found.__getitem__))


def frozen_copy(module: Module, who: str, device: str | None = None, dtype: torch.dtype | None = None) -> Module:
    """Return a copy of a module in evaluation mode without gradients of its parameters; the module is not touched.

    Parameters
    ----------
    module : torch.nn.Module
    who : str
        The function that asks, for messages.
    device : str, optional
        Default: the processor.
    dtype : torch.dtype, optional
        Of the floats in the copy: float64 by default, to which float32 widens exactly.

    Raises
    ------
    MissingExtraError
        Without PyTorch.
    InputError
        If this is no module, cannot be copied, or PyTorch has no such device.
    """
    from polyrelu.network.batches import arrays_on

    try:
        import torch
    except ModuleNotFoundError:
        raise MissingExtraError(f"`{who}` needs PyTorch. Install it with: pip install 'polyrelu[torch]'") from None
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"`{who}` needs a torch.nn.Module but received {type(module).__name__}. Pass the module.")
    place = arrays_on(device or "cpu").device
    with recording():
        try:
            copied = copy.deepcopy(module)
        except (RuntimeError, TypeError) as error:
            raise InputError(
                f"`{who}` needs a module that can be copied but {type(module).__name__} cannot be ({error}). "
                "Keep tensors with gradients out of its attributes."
            ) from None
        return copied.eval().requires_grad_(False).to(device=place, dtype=dtype or torch.float64)


def run_module(frozen: Module, points: ArrayLike, who: str) -> ModuleRun:
    """Return what a module does with points.

    Parameters
    ----------
    frozen : torch.nn.Module
        As `frozen_copy` returns it; points go to where its parameters are, in their type.
    points : array, shape (n, ...)
        In the shape that the module takes.
    who : str
        The function that asks, for messages.

    Raises
    ------
    InputError
        If the module cannot take the points or they are not finite.
    NetworkError
        If it does not return one tensor of floats with a row for each point.

    Examples
    --------
    >>> import torch
    >>> linear = torch.nn.Linear(2, 1, bias=False)
    >>> run = run_module(frozen_copy(torch.nn.Sequential(linear, torch.nn.ReLU()), "example"), [[1, 2]], "example")
    >>> [name_of(node) for node in run.nodes]
    ['Clone', 'Mm', 'Relu']
    """
    run = _run(frozen, points, who)
    in_place = [part for part in frozen.modules() if getattr(part, "inplace", False) is True]
    if in_place and any(node.name() == HIDDEN for node in run.nodes):
        # Changes in place of views hide in the graph. The same without is as good where nothing reads what changed.
        for part in in_place:
            part.inplace = False  # type: ignore[assignment]
        again = _run(frozen, points, who)
        for part in in_place:
            part.inplace = True  # type: ignore[assignment]
        return again if again.outputs.equal(run.outputs) else run
    return run


@contextmanager
def recording() -> Iterator[None]:
    """Let PyTorch record the graph, also where the caller has turned that off."""
    import torch

    with torch.inference_mode(False), torch.enable_grad():
        yield


def name_of(node: Any) -> str:
    """Return the name of an operation without its ending, such as "Relu" for ``ReluBackward0``."""
    return re.sub(r"Backward\d+$", "", str(node.name()))


def _run(frozen: Module, points: ArrayLike, who: str) -> ModuleRun:
    import torch

    parameter = next(frozen.parameters(), next((b for b in frozen.buffers() if b.is_floating_point()), None))
    like = torch.zeros(0, dtype=torch.float64) if parameter is None else parameter
    with recording():
        try:
            leaf = torch.as_tensor(points).detach().to(device=like.device, dtype=like.dtype).clone().requires_grad_()
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"`{who}` needs an array of points but it cannot be read ({error}). Repair it.") from None
        if not leaf.ndim or not torch.isfinite(leaf).all():
            what = "points (n, ...)" if not leaf.ndim else "finite numbers"
            raise InputError(f"`{who}` needs {what} but received others. Repair the points.")
        try:
            outputs = frozen(leaf.clone())  # a clone, because a leaf cannot be changed in place
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                f"`{who}` needs points that the module takes but it refuses shape {tuple(leaf.shape)} ({reason}). "
                "Give each point the shape of one input."
            ) from None
        if isinstance(outputs, tuple | list) and len(outputs) == 1:
            outputs = outputs[0]
        _check_outputs(outputs, len(leaf), who)
        return ModuleRun(leaf, outputs if outputs.ndim == 2 else outputs.reshape(len(leaf), -1), who)


def _check_outputs(outputs: Any, n: int, who: str) -> None:
    import torch

    if not isinstance(outputs, torch.Tensor) or not outputs.is_floating_point():
        kind = str(outputs.dtype) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise NetworkError(
            f"`{who}` needs a module that returns one tensor of floats but received {kind}. Wrap it to return one."
        )
    if not outputs.ndim or len(outputs) != n:
        raise NetworkError(
            f"`{who}` needs a module that returns a row for each of {n} points but received shape "
            f"{tuple(outputs.shape)}. Keep the batch as the first axis."
        )
