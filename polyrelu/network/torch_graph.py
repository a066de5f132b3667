"""Any PyTorch module on a batch of points, and what its autograd graph says about the operations.

The parameters are frozen and the points are not, so that the graph behind the output holds exactly the operations that
depend on the input. From it follows whether the module is piecewise linear, which `from_torch` need not be able to read
for that, and on which piece each point is (`polyrelu.network.torch_digits`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from polyrelu.errors import InputError, MissingExtraError, NetworkError, UnsupportedNodeError

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike
    from torch.nn import Module

__all__ = [
    "ModuleRun",
    "check_piecewise_linear",
    "check_points_apart",
    "frozen_copy",
    "name_of",
    "recording",
    "run_module",
]

LEAF = "torch::autograd::AccumulateGrad"
HIDDEN = "torch::autograd::CopySlices"
"""An operation that changes a view in place: the graph does not say which."""

LINEAR_NAMES = """
    AdaptiveAvgPool2D AdaptiveAvgPool3D Add Addbmm Addmm Addmv Alias AsStrided AvgPool2D AvgPool3D Baddbmm Cat
    ChannelShuffle Clone Col2Im ConstantPadNd CopyBackwards Cumsum Diag DiagEmbed Diagonal Expand Flip Gather Im2Col
    Index IndexAdd IndexCopy IndexPut IndexSelect Lerp Mean Narrow Neg Permute PixelShuffle PixelUnshuffle
    ReflectionPad1D ReflectionPad2D ReflectionPad3D Repeat ReplicationPad1D ReplicationPad2D ReplicationPad3D
    ReshapeAlias Roll Rsub Scatter ScatterAdd Select SelectScatter Slice SliceScatter Split SplitWithSizes Squeeze
    Stack Sub Sum T ToCopy Trace Transpose Tril Triu Unbind Unfold UnsafeIndex UnsafeSplit UnsafeView Unsqueeze
    UpsampleBicubic2D UpsampleBilinear2D UpsampleLinear1D UpsampleNearest1D UpsampleNearest2D UpsampleNearest3D
    UpsampleNearestExact1D UpsampleNearestExact2D UpsampleNearestExact3D UpsampleTrilinear3D View
    """
LINEAR = frozenset(LINEAR_NAMES.split())
"""Affine in all operands together, but for the factors that `FACTORS` names."""

FACTORS: dict[str, tuple[tuple[int, str], ...]] = {
    "Addbmm": ((1, "batch1"), (2, "batch2")),
    "Addcmul": ((1, "tensor1"), (2, "tensor2")),
    "Addmm": ((1, "mat1"), (2, "mat2")),
    "Addmv": ((1, "self"), (2, "vec")),
    "Baddbmm": ((1, "batch1"), (2, "batch2")),
    "Bmm": ((0, "self"), (1, "mat2")),
    "Convolution": ((0, "input"), (1, "weight")),
    "CudnnBatchNorm": ((0, "input"), (1, "weight")),
    "Dot": ((0, "self"), (1, "tensor")),
    "GridSampler2D": ((0, "input"), (1, "grid")),
    "GridSampler3D": ((0, "input"), (1, "grid")),
    "Linear": ((0, "input"), (1, "weight")),
    "MiopenBatchNorm": ((0, "input"), (1, "weight")),
    "Mm": ((0, "self"), (1, "mat2")),
    "Mul": ((0, "self"), (1, "other")),
    "Mv": ((0, "self"), (1, "vec")),
    "NativeBatchNorm": ((0, "input"), (1, "weight")),
    "PreluKernel": ((0, "self"), (1, "weight")),
}
"""Operands that are multiplied with each other, at most one of which may depend on the input: edge and saved name.

Some of these operations exist on graphics cards only.
"""

DIVISORS = {"Div": (1, "other"), "Lerp": (2, "weight")}
"""Operands that may not depend on the input: edge and saved name."""

BY_POINT = frozenset({"Addcmul", "Baddbmm", "Bmm", "Div", "Mul"})
"""Operations whose factors have the batch as first axis where the result has."""

CHOICE_NAMES = """
    AbsBackward0 AdaptiveMaxPool2DBackward0 AdaptiveMaxPool3DBackward0 AmaxBackward0 AminBackward0 ClampBackward0
    ClampBackward1 ClampMaxBackward0 ClampMinBackward0 FmaxBackward0 FminBackward0 HardsigmoidBackward0
    HardtanhBackward0 HardtanhBackward1 LeakyReluBackward0 LeakyReluBackward1 MaskedFillBackward0 MaskedFillBackward1
    MaxBackward0 MaxPool2DWithIndicesBackward0 MaxPool3DWithIndicesBackward0 MaximumBackward0 MinBackward0
    MinimumBackward0 PreluKernelBackward0 ReluBackward0 RreluWithNoiseBackward0 SoftshrinkBackward0 SortBackward0
    TopkBackward0 WhereBackward0
    """
CHOICES = frozenset(CHOICE_NAMES.split())
"""Operations that choose between affine pieces; `polyrelu.network.torch_digits` knows how each of them chooses."""


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


def check_piecewise_linear(run: ModuleRun) -> None:
    """Raise if a module does something that is not piecewise linear.

    Raises
    ------
    UnsupportedNodeError
        Naming the operation that is not, or whose values were overwritten.

    Notes
    -----
    The graph holds what gradients follow. What a module cuts from it (``detach``, numbers read out with ``item``,
    decisions of Python) is taken as constant; a factor that differs from point to point gives it away and is refused.
    That the pieces meet is not checked where a module itself chooses, with ``torch.where`` or a mask.

    Examples
    --------
    >>> import torch
    >>> frozen = frozen_copy(torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.GELU()), "example")
    >>> check_piecewise_linear(run_module(frozen, [[1.0]], "example"))
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnsupportedNodeError: `example` needs piecewise-linear operations but the module does Gelu \
(operation 3 of 3). Replace it by a piecewise-linear one.
    """
    nodes = run.nodes
    for number, node in enumerate(nodes, 1):
        name, place = name_of(node), f"(operation {number} of {len(nodes)})"
        if name == HIDDEN:
            raise UnsupportedNodeError(
                f"`{run.who}` needs operations that the graph shows but one changes a part or a view of a tensor in "
                f"place {place}. Use inplace=False, torch.cat or torch.where."
            )
        factors = FACTORS.get(name, ())
        if not (name in LINEAR or name in DIVISORS or factors or node.name() in CHOICES):
            raise UnsupportedNodeError(
                f"`{run.who}` needs piecewise-linear operations but the module does {name} {place}. "
                "Replace it by a piecewise-linear one."
            )
        _check_unchanged(run, node, name, place)
        _check_factors(run, node, name, place)
        if getattr(node, "_saved_training", False):
            raise UnsupportedNodeError(
                f"`{run.who}` needs normalisation by stored statistics but {name} {place} takes them from the points. "
                "Set track_running_stats=True, or replace it."
            )


def check_points_apart(run: ModuleRun) -> None:
    """Raise if what a module does with the first point depends on the others, shown by a gradient that is not 0.

    Raises
    ------
    UnsupportedNodeError
    """
    import torch

    if len(run.inputs) < 2 or not run.outputs.requires_grad:
        return
    with recording():
        outputs = run.outputs[0]
        # Not the plain sum, which is constant where outputs are centred.
        weights = torch.arange(1, len(outputs) + 1, device=outputs.device, dtype=outputs.dtype)
        [gradient] = torch.autograd.grad(outputs @ weights, run.inputs, retain_graph=True, allow_unused=True)
    if gradient is not None and gradient[1:].any():
        raise UnsupportedNodeError(
            f"`{run.who}` needs a module that takes each point by itself but this one mixes the points of a batch. "
            "Let it reduce over other axes than the first."
        )


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


def _check_unchanged(run: ModuleRun, node: Any, name: str, place: str) -> None:
    """Raise if a value that gradients need was overwritten: PyTorch tells when it is read."""
    try:
        for saved in dir(node):
            if saved.startswith("_saved_"):
                getattr(node, saved)
    except RuntimeError:
        raise UnsupportedNodeError(
            f"`{run.who}` needs values that do not change but one of {name} {place} was changed in place. "
            "Use inplace=False."
        ) from None


def _check_factors(run: ModuleRun, node: Any, name: str, place: str) -> None:
    """Raise if a product has two factors that depend on the input, or a divisor does."""
    edges = [edge[0] is not None for edge in node.next_functions]
    factors, divisor = FACTORS.get(name, ()), DIVISORS.get(name)
    open_factors = sum(edges[index] for index, _ in factors if index < len(edges))
    if open_factors > 1 or (divisor is not None and divisor[0] < len(edges) and edges[divisor[0]]):
        raise UnsupportedNodeError(
            f"`{run.who}` needs piecewise-linear operations but {name} {place} multiplies or divides two values that "
            "both depend on the input. Replace it."
        )
    operands = [*factors, divisor] if divisor else factors
    constants = [saved for index, saved in operands if index >= len(edges) or not edges[index]]
    if any(_varies(getattr(node, f"_saved_{saved}", None), len(run.inputs), node) for saved in constants):
        raise UnsupportedNodeError(
            f"`{run.who}` needs constant factors but one of {name} {place} differs from point to point: it depends on "
            "the input, cut from the graph. Write choices with torch.where, and leave out detach()."
        )


def _varies(factor: Any, n: int, node: Any) -> bool:
    """Return True if a factor has rows of its own for the points and they differ."""
    import torch

    if not isinstance(factor, torch.Tensor):
        return False
    shape = node._input_metadata[0].shape
    by_point = factor.ndim == len(shape) and factor.ndim > 0 and len(factor) == n == shape[0] and n > 1
    return by_point and name_of(node) in BY_POINT and bool((factor != factor[:1]).any())
