"""Whether a PyTorch module is piecewise linear, and takes each point by itself, as its autograd graph tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polyrelu.errors import UnsupportedNodeError
from polyrelu.network.torch_digits import CHOICES, activation_digits
from polyrelu.network.torch_graph import HIDDEN, ModuleRun, name_of, recording, run_module

if TYPE_CHECKING:
    import torch
    from torch.nn import Module

__all__ = ["check_nothing_cut", "check_piecewise_linear", "check_points_apart"]

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

STEPS = (2.0**-4, 2.0**-8, 2.0**-12, 2.0**-16)
"""How far points are moved, relative to their size."""


def check_piecewise_linear(run: ModuleRun) -> None:
    """Raise if a module does something that is not piecewise linear.

    Raises
    ------
    UnsupportedNodeError
        Naming the operation that is not, or whose values were overwritten.

    Notes
    -----
    The graph holds what gradients follow. What a module cuts from it (``detach``, numbers read out with ``item``) looks
    like a constant; a factor that differs from point to point gives it away and is refused, and `check_nothing_cut`
    looks for the rest. That the pieces meet is not checked where a module itself chooses, with ``torch.where``, a mask
    or decisions of Python.

    Examples
    --------
    >>> import torch
    >>> from polyrelu.network.torch_graph import frozen_copy, run_module
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
    if len(run.inputs) < 2:
        return
    if _gradients(run, slice(1))[1:].any():
        raise UnsupportedNodeError(
            f"`{run.who}` needs a module that takes each point by itself but this one mixes the points of a batch. "
            "Let it reduce over other axes than the first."
        )


def check_nothing_cut(frozen: Module, run: ModuleRun) -> None:
    """Raise if outputs change by other amounts than their gradients say: something is cut from the graph.

    Near each point three more are tried, nearer and nearer, until all three have the same digits. Along them a
    piecewise-linear module is affine, and the change of its outputs is the gradient times the step, up to rounding; how
    large that is, half the step says. Nothing is checked where no three are found, or in shorter floats than float64.

    Parameters
    ----------
    frozen : torch.nn.Module
        As `run_module` takes it, in float64.
    run : ModuleRun
        Of a module that `check_piecewise_linear` accepts.

    Raises
    ------
    UnsupportedNodeError

    Examples
    --------
    >>> import torch
    >>> from polyrelu.network.torch_graph import frozen_copy, run_module
    >>> class Rounding(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x + (x.round() - x).detach()
    >>> frozen = frozen_copy(Rounding(), "example")
    >>> check_nothing_cut(frozen, run_module(frozen, [[0.25]], "example"))
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnsupportedNodeError: `example` needs gradients that say how outputs change but they change by \
other amounts: something that depends on the input is cut from the graph. Leave out detach(), item() and no_grad().
    """
    import torch

    points, is_cut = run.inputs.detach(), False
    if points.dtype != torch.float64:
        return
    signs = torch.randint(0, 2, points.shape, generator=torch.Generator().manual_seed(0)).to(points) * 2 - 1
    steps = signs * (points.abs() + points.abs().mean() + 1)
    for size in STEPS:
        # Not from the points themselves, which may lie on breakpoints.
        start, near, far = (run_module(frozen, points + steps * (size * part), run.who) for part in (0.5, 0.75, 1.0))
        stays = _same_digits(start, near) & _same_digits(start, far)
        if stays.any():
            agrees, differs = _compared(start, near, far)
            if agrees[stays].all():
                return
            # Also a decision of Python may lie between the three points: smaller steps have the last word.
            is_cut = bool(differs[stays].any())
    if is_cut:
        raise UnsupportedNodeError(
            f"`{run.who}` needs gradients that say how outputs change but they change by other amounts: something that "
            "depends on the input is cut from the graph. Leave out detach(), item() and no_grad()."
        )


def _compared(start: ModuleRun, near: ModuleRun, far: ModuleRun) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where changes of outputs are those of the gradients, and where they are others for sure, shapes (n,)."""
    import torch

    values, to_near, to_far = (_sums(each).detach() for each in (start, near, far))
    to_near, to_far = to_near - values, to_far - values
    steps, resolution = (far.inputs - start.inputs).detach().flatten(1), torch.finfo(values.dtype).resolution
    expected = (_gradients(start).flatten(1) * steps).sum(1)
    rounding = 64 * resolution * values.abs() + resolution**0.5 * steps.abs().sum(1)
    excess = (to_far - expected).abs() - (to_far.abs() + expected.abs()) / 1024 - rounding
    return excess <= 0, excess > 16 * (to_far - 2 * to_near).abs()


def _same_digits(run: ModuleRun, other: ModuleRun) -> torch.Tensor:
    """Return which points have equal digits in two runs of a module, shape (n,)."""
    import torch

    pairs = list(zip(activation_digits(run), activation_digits(other), strict=False))
    same = torch.full((len(run.inputs),), len(run.nodes) == len(other.nodes), device=run.inputs.device)
    for one, two in pairs:
        same &= (one.digits == two.digits).all(1) if one.digits.shape == two.digits.shape else torch.zeros_like(same)
    return same


def _sums(run: ModuleRun) -> torch.Tensor:
    """Return weighted sums of each point's outputs, shape (n,).

    Not plain sums, which are constant where outputs are centred.
    """
    import torch

    with recording():
        return run.outputs @ torch.arange(1, run.outputs.shape[1] + 1, device=run.outputs.device).to(run.outputs)


def _gradients(run: ModuleRun, points: slice = slice(None)) -> torch.Tensor:
    """Return the gradients, shape (n, ...), of the sums of some points together."""
    import torch

    with recording():
        total, found = _sums(run)[points].sum(), None
        if total.requires_grad:
            [found] = torch.autograd.grad(total, run.inputs, retain_graph=True, allow_unused=True)
        return torch.zeros_like(run.inputs) if found is None else found


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
