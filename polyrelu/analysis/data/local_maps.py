"""Local affine maps at the points of a data set: what a network, or a PyTorch module, is near each of them.

Near a point, output ``j`` of a piecewise-linear function is ``w · x + b``. All the maps of a data set seldom fit in
memory (points times outputs times inputs), so they come block by block; an array of all is made within a budget.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.module_maps import BATCH_SIZE, module_rows
from polyrelu.analysis.data.network_maps import MapRows, network_rows
from polyrelu.analysis.data.patterns import Progress
from polyrelu.analysis.data.points import host_array
from polyrelu.errors import BudgetError, InputError
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["BUDGET", "LocalMaps", "Outputs", "iterate_local_maps", "local_maps"]

Outputs = Literal["predicted"] | int | ArrayLike | None
"""Which outputs: an index, indices for each point, "predicted" for the label of each point, or None for all."""

BUDGET = 1 << 30
"""Bytes that all maps together may take unless more are allowed."""


@dataclass(frozen=True, eq=False)
class LocalMaps:
    """Affine maps ``x -> weights · x + offsets``, one for each point and output.

    Attributes
    ----------
    outputs : int64 array, shape (n,) or (n, k)
        Which output each map is of: one, or ``k``, for each point.
    dual_points : float64 array, shape (n, dim + 1) or (n, k, dim + 1)
        Weights, then the offset. For one output ``j`` this is the matrix ``C_j`` of Sattelberg et al. 2020, eq. 5.3.
    """

    outputs: NDArray[np.int64]
    dual_points: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.dual_points.shape[:-1] != self.outputs.shape or self.outputs.ndim not in (1, 2):
            raise InputError(
                "LocalMaps needs outputs (n,) or (n, k) and a row for each but received arrays of shapes "
                f"{self.outputs.shape} and {self.dual_points.shape}. Match them."
            )

    def __len__(self) -> int:
        return len(self.outputs)

    def __repr__(self) -> str:
        return f"<LocalMaps at {len(self)} points, weights {self.weights.shape}>"

    @property
    def weights(self) -> NDArray[np.float64]:
        """The gradients, shape (n, dim) or (n, k, dim)."""
        return self.dual_points[..., :-1]

    @property
    def offsets(self) -> NDArray[np.float64]:
        """The values at 0, shape (n,) or (n, k)."""
        return self.dual_points[..., -1]

    def values(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return what the maps of each point make of it, shape (n,) or (n, k).

        Parameters
        ----------
        points : array, shape (n, ...) with dim numbers each

        Raises
        ------
        InputError
            If there is not one point for the maps of each.
        """
        x = host_array(points, "LocalMaps.values").astype(np.float64)
        dim = self.weights.shape[-1]
        if x.ndim < 2 or len(x) != len(self) or x.size != len(self) * dim:
            raise InputError(
                f"LocalMaps.values needs points ({len(self)}, {dim}) but received an array of shape {x.shape}. "
                "Give the points whose maps these are."
            )
        return np.einsum("n...d,nd->n...", self.weights, x.reshape(len(self), dim)) + self.offsets


def local_maps(
    source: Network | Module,
    points: ArrayLike,
    output: Outputs = "predicted",
    *,
    device: str | None = None,
    budget: int = BUDGET,
    own_dtype: bool = False,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
) -> LocalMaps:
    """Return the local affine maps at the points of a data set, in one array.

    Parameters
    ----------
    source : Network or torch.nn.Module
        A module is differentiated as it is and need not be one that `from_torch` reads. It has to be piecewise linear
        and is left as it was.
    points : array, shape (n, ...)
        For a network with dim numbers each, flattened in C order; for a module in the shape of its inputs.
    output : int, "predicted", int array of shape (n,) or (n, k), or None
        Of which output, or for each point of which outputs: "predicted" is the label of each point, None is all.
    device : str, optional
        Compute with PyTorch on this device, such as ``"cuda"``; default: NumPy, and for a module the processor.
    budget : int
        Bytes that the maps may take.
    own_dtype : bool
        Run a module in the type of its parameters and not in float64.
    batch_size : int
        How many points a module sees at a time.
    progress : callable, optional
        ``progress(done, total)`` hears how many points are done.

    Raises
    ------
    BudgetError
        If the maps take more than the budget; nothing has been computed then.
    InputError
        If points, outputs or device do not fit.
    NetworkError, UnsupportedNodeError
        If a module does not return a row for each point, is not piecewise linear, or mixes the points of a batch.
    MissingExtraError
        With a device or a module, but without PyTorch.

    Notes
    -----
    A network's digits are those of exact arithmetic (`patterns_at`): at a point on a border of regions, the map is that
    of the pattern there, with each digit the lower one of two. Weights and offsets are floats, accumulated from the
    outputs back to the inputs; `iterate_checked_maps` bounds what rounding did to them.

    A module's weights are the gradients that PyTorch computes, and the offsets are what is left of the outputs. Nothing
    in them is proven: near borders of regions, rounding may choose another piece.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> maps = local_maps(xor(), [[0.5, 0.25], [2, 3]], output=0)
    >>> maps.weights.tolist(), maps.offsets.tolist(), maps.values([[0.5, 0.25], [2, 3]]).tolist()
    ([[1.0, 1.0], [-1.0, -1.0]], [0.0, 2.0], [0.75, -3.0])
    >>> local_maps(xor(), [[0.5, 0.25], [2, 3]], output=0, budget=40)
    Traceback (most recent call last):
    ...
    polyrelu.errors.BudgetError: local_maps needs 48 bytes for 2 maps but may use 40. Take them block by block with \
iterate_local_maps, or raise `budget`.
    """
    shape, dim, blocks = _opened("local_maps", source, points, output, device, own_dtype, batch_size)
    n_maps = math.prod(shape)
    size = 8 * n_maps * (dim + 1)
    if size > budget:
        raise BudgetError(
            f"local_maps needs {size:,} bytes for {n_maps:,} maps but may use {budget:,}. "
            "Take them block by block with iterate_local_maps, or raise `budget`."
        )
    outputs, dual_points = np.empty(shape, np.int64), np.empty((*shape, dim + 1))
    for piece, own, rows in blocks:
        outputs[piece], dual_points[piece] = own, rows
        if progress is not None:
            progress(piece.stop, len(outputs))
    return LocalMaps(outputs, dual_points)


def iterate_local_maps(
    source: Network | Module,
    points: ArrayLike,
    output: Outputs = "predicted",
    *,
    device: str | None = None,
    own_dtype: bool = False,
    batch_size: int = BATCH_SIZE,
) -> Iterator[tuple[slice, LocalMaps]]:
    """Return an iterator over the local affine maps of a data set: which points come next, and their maps.

    Memory is bounded by a block of points, whatever their number.

    Parameters
    ----------
    source, points, output, device, own_dtype, batch_size
        As for `local_maps`.

    Raises
    ------
    InputError, NetworkError, UnsupportedNodeError, MissingExtraError
        As `local_maps`, at the call.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> for piece, maps in iterate_local_maps(xor(), [[0.5, 0.25], [2, 3]], output=0):
    ...     print(range(2)[piece], maps.dual_points.tolist())
    range(0, 2) [[1.0, 1.0, 0.0], [-1.0, -1.0, 2.0]]
    """
    blocks = _opened("iterate_local_maps", source, points, output, device, own_dtype, batch_size)[2]
    return ((piece, LocalMaps(outputs, rows)) for piece, outputs, rows in blocks)


def _opened(
    who: str,
    source: Network | Module,
    points: ArrayLike,
    output: Outputs,
    device: str | None,
    own_dtype: bool,
    batch_size: int,
) -> tuple[tuple[int, ...], int, Iterator[MapRows]]:
    """Return the shape of all outputs, the number of inputs, and the maps block by block."""
    if isinstance(source, Network):
        return network_rows(who, source, points, output, device)
    return module_rows(who, source, points, output, device, own_dtype, batch_size)
