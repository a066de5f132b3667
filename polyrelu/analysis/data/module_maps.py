"""Local affine maps of PyTorch modules, also of those too large or too unusual to import, by batched gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.network_maps import MapRows, checked_outputs
from polyrelu.analysis.data.points import some_points
from polyrelu.errors import InputError
from polyrelu.network.batches import chunks
from polyrelu.network.torch_checks import check_nothing_cut, check_piecewise_linear, check_points_apart
from polyrelu.network.torch_graph import ModuleRun, frozen_copy, recording, run_module

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["BATCH_SIZE", "module_rows"]

BATCH_SIZE = 32
"""Points at a time: so few that the values of a large network fit in memory."""


def module_rows(
    who: str,
    module: Module,
    points: ArrayLike,
    output: ArrayLike | None,
    device: str | None = None,
    own_dtype: bool = False,
    batch_size: int = BATCH_SIZE,
) -> tuple[tuple[int, ...], int, Iterator[MapRows]]:
    """Return the shape of all outputs, the number of inputs, and an iterator over the maps of a module at points.

    Parameters
    ----------
    who : str
        For messages.
    module, points, output, device, own_dtype, batch_size
        As for `polyrelu.analysis.data.local_maps.local_maps`.

    Raises
    ------
    InputError, NetworkError, UnsupportedNodeError, MissingExtraError
        As `polyrelu.network.torch_graph`, after a first look at two points.
    """
    x = some_points(points, who)
    if batch_size < 1:
        raise InputError(f"{who} needs a batch_size of at least 1 but received {batch_size}. Raise it.")
    parameter = next(module.parameters(), None) if own_dtype and hasattr(module, "parameters") else None
    frozen = frozen_copy(module, who, device, None if parameter is None else parameter.dtype)
    first = run_module(frozen, x[:2], who)
    check_piecewise_linear(first)
    check_points_apart(first)
    check_nothing_cut(frozen, first)
    n_out = first.outputs.shape[1]
    wanted = checked_outputs(who, output, len(x), n_out)
    shape = (len(x),) if wanted is None else wanted.shape
    return shape, math.prod(x.shape[1:]), _rows(who, frozen, x, wanted, batch_size)


def _rows(
    who: str, frozen: Any, x: NDArray[Any], wanted: NDArray[np.int64] | None, batch_size: int
) -> Iterator[MapRows]:
    for piece in chunks(len(x), batch_size):
        run = run_module(frozen, x[piece], who)
        check_piecewise_linear(run)
        if wanted is not None:
            outputs = wanted[piece]
        elif run.outputs.shape[1] == 1:  # both labels are those of one output
            outputs = np.zeros(len(run.inputs), np.int64)
        else:
            outputs = run.outputs.detach().cpu().double().numpy().argmax(axis=1)
        with recording():
            rows = _differentiated(run, outputs)
        yield piece, outputs, rows


def _differentiated(run: ModuleRun, outputs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return gradients, and what the outputs are more than these times the points."""
    import torch

    n = len(run.inputs)
    flat = run.inputs.detach().reshape(n, -1).double()
    rows = np.zeros((*outputs.shape, flat.shape[1] + 1))
    targets, columns = rows.reshape(n, -1, rows.shape[-1]), outputs.reshape(n, -1)
    for k in range(columns.shape[1]):
        chosen = torch.as_tensor(columns[:, k], device=run.outputs.device)[:, None]
        gradient = None
        values = run.outputs.gather(1, chosen)[:, 0]
        if values.requires_grad:
            is_last = k + 1 == columns.shape[1]
            [gradient] = torch.autograd.grad(values.sum(), run.inputs, retain_graph=not is_last, allow_unused=True)
        weights = torch.zeros_like(flat) if gradient is None else gradient.reshape(n, -1).double()
        offsets = values.detach().double() - (weights * flat).sum(1)
        targets[:, k, :-1] = weights.cpu().numpy()
        targets[:, k, -1] = offsets.cpu().numpy()
    return rows
