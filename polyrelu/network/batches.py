"""A network's layers as arrays of floats, for many points at once: NumPy's, or PyTorch's on a device.

Every array has one column for each point. The formulas are written once, with what both libraries share; the weights
are moved to the device once. Floats round: who needs a digit must know how much (`polyrelu.kernels.evaluation`).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError, MissingExtraError
from polyrelu.exact.rational import nearest_float
from polyrelu.network.activation import MAX_UNIT, Activation
from polyrelu.network.weights import nonzero_entries

if TYPE_CHECKING:
    from polyrelu.network.model import Layer, Network

__all__ = ["Array", "Arrays", "BatchLayer", "BatchNetwork", "FunctionTable", "arrays_on", "batch_network", "chunks"]

Array = Any
"""A NumPy array or a PyTorch tensor."""

CHUNK = 128
"""Points at a time on the processor: products so small that BLAS starts no threads, which cost more than they give."""
DEVICE_CHUNK = 4096


@dataclass(frozen=True)
class Arrays:
    """Where arrays are: in NumPy, or in PyTorch on a device.

    Attributes
    ----------
    library : module
        ``numpy`` or ``torch``, of which only what both have is used.
    device : str
    """

    library: Any
    device: str

    @property
    def is_numpy(self) -> bool:
        """True for NumPy."""
        return self.library is np

    @property
    def chunk(self) -> int:
        """How many points are worked on at a time."""
        return CHUNK if self.is_numpy or self.device == "cpu" else DEVICE_CHUNK

    def of(self, host: NDArray) -> Array:
        """Return a NumPy array here."""
        if self.is_numpy:
            return host
        own = np.ascontiguousarray(host)
        return self.library.as_tensor(own if own.flags.writeable else own.copy()).to(self.device)

    def zeros(self, *shape: int) -> Array:
        """Return zeros."""
        return self.library.zeros(shape, dtype=self.library.float64, device=self.device)

    def integers(self, array: Array) -> Array:
        """Return whole numbers as int64."""
        return array.astype(np.int64) if self.is_numpy else array.long()

    def to_host(self, array: Array) -> NDArray:
        """Return an array as NumPy's."""
        return array if self.is_numpy else array.cpu().numpy()

    def matrix_of(self, weight: Any) -> Array:
        """Return a dense or sparse weight here."""
        if self.is_numpy or not hasattr(weight, "indptr"):
            return weight if self.is_numpy else self.of(weight)
        parts = (self.of(np.asarray(part, np.int64)) for part in (weight.indptr, weight.indices))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR")  # PyTorch announces that they are new
            return self.library.sparse_csr_tensor(
                *parts, self.of(weight.data), size=weight.shape, check_invariants=False
            )


def arrays_on(device: str | None) -> Arrays:
    """Return where the arrays of a ``device`` argument are: None is NumPy, all else a device of PyTorch.

    Raises
    ------
    MissingExtraError
        Without PyTorch.
    InputError
        If PyTorch has no such device here.

    Examples
    --------
    >>> arrays_on(None).is_numpy, arrays_on("cpu").device
    (True, 'cpu')
    >>> arrays_on("abacus")
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: `device` needs a device that PyTorch has here but received 'abacus'. Use 'cpu', or \
'cuda' where there is one.
    """
    if device is None:
        return Arrays(np, "cpu")
    try:
        import torch
    except ModuleNotFoundError:
        message = "`device` needs PyTorch. Install it with: pip install 'polyrelu[torch]', or leave `device` out."
        raise MissingExtraError(message) from None
    try:
        torch.zeros(1, dtype=torch.float64, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError):
        raise InputError(
            f"`device` needs a device that PyTorch has here but received {device!r}. "
            "Use 'cpu', or 'cuda' where there is one."
        ) from None
    return Arrays(torch, str(device))


@dataclass(frozen=True, eq=False)
class FunctionTable:
    """Units of one layer with one piecewise-linear function, as floats.

    Attributes
    ----------
    arrays : Arrays
    units : int array, shape (n,)
    places : int array, shape (n,)
        Their preactivations.
    slopes, intercepts : float64 arrays, shape (n_pieces,)
        Nearest to the exact ones.
    is_copy : bool array, shape (n_pieces,)
        Which pieces are exactly ``z`` or 0, and not only as floats: these round nothing.
    """

    arrays: Arrays
    units: Array
    places: Array
    slopes: Array
    intercepts: Array
    is_copy: Array


@dataclass(frozen=True, eq=False)
class BatchLayer:
    """One layer of a network as float arrays.

    Attributes
    ----------
    layer : Layer
        The layer itself.
    arrays : Arrays
    """

    layer: Layer
    arrays: Arrays

    @property
    def activation(self) -> Activation:
        """The layer's activation."""
        return self.layer.activation

    @cached_property
    def weight(self) -> Array:
        """Dense, or sparse by rows, shape (n_preactivations, n_inputs)."""
        return self.arrays.matrix_of(self.layer.weight)

    @cached_property
    def transposed(self) -> Array:
        """The transposed weight, shape (n_inputs, n_preactivations)."""
        return self.arrays.matrix_of(self.layer.weight.T.tocsr() if self.layer.is_sparse else self.layer.weight.T)

    @cached_property
    def bias(self) -> Array:
        """Shape (n_preactivations,)."""
        return self.arrays.of(self.layer.bias)

    @cached_property
    def magnitude(self) -> Array:
        """The absolute values of the weight."""
        return self.arrays.matrix_of(abs(self.layer.weight))

    @cached_property
    def support(self) -> Array | None:
        """A one for each stored entry of a sparse weight; None for a dense one."""
        if not self.layer.is_sparse:
            return None
        support = self.layer.weight.copy()
        support.data = np.ones_like(support.data)
        return self.arrays.matrix_of(support)

    @cached_property
    def copies(self) -> tuple[Array, Array]:
        """Rows that copy one input, with either sign, and which input that is: int arrays, shape (n,)."""
        rows, columns, values = nonzero_entries(self.layer.weight)
        single = np.bincount(rows, minlength=len(self.layer.bias)) == 1
        chosen = single[rows] & (np.abs(values) == 1.0) & (self.layer.bias[rows] == 0.0)
        return self.arrays.of(rows[chosen]), self.arrays.of(columns[chosen])

    @cached_property
    def functions(self) -> tuple[FunctionTable, ...]:
        """The units of each function of the activation, in its order."""
        tables = []
        for index, function in enumerate(self.activation.functions):
            units = np.flatnonzero(self.activation.kind == index)
            floats = (
                np.array([nearest_float(v.numerator, v.denominator) for v in values], np.float64)
                for values in (function.slopes, function.intercepts)
            )
            places = self.activation.indptr[:-1][units]
            pieces = zip(function.slopes, function.intercepts, strict=True)
            is_copy = np.array([slope in (0, 1) and not intercept for slope, intercept in pieces])
            tables.append(FunctionTable(self.arrays, *map(self.arrays.of, (units, places, *floats, is_copy))))
        return tuple(tables)

    @cached_property
    def pools(self) -> tuple[tuple[Array, Array], ...]:
        """Max units by the number of preactivations that they read: units (n,) and places (n, number)."""
        activation = self.activation
        units = np.flatnonzero(activation.kind == MAX_UNIT)
        sizes = np.diff(activation.indptr)[units]
        groups = []
        for size in np.unique(sizes).tolist():
            own = units[sizes == size]
            places = activation.indptr[own][:, None] + np.arange(size)
            groups.append((self.arrays.of(own), self.arrays.of(places)))
        return tuple(groups)

    def preactivations(self, values: Array) -> Array:
        """Return ``weight @ values + bias``, shape (n_preactivations, n)."""
        return self.weight @ values + self.bias[:, None]

    def outputs(self, z: Array, digits: Array) -> Array:
        """Return the units' outputs, shape (n_units, n), where each unit is on the piece that its digit names."""
        if self.activation.is_identity:
            return z
        if self.activation.is_relu:
            return self.arrays.library.where(digits > 0, z, 0.0)
        result = self.arrays.zeros(self.activation.n_units, z.shape[1])
        for table in self.functions:
            own = digits[table.units]
            result[table.units] = table.slopes[own] * z[table.places] + table.intercepts[own]
        for units, places in self.pools:
            result[units] = z[self._winners(places, digits[units])]
        return result

    def pull_back(self, slopes: Array, digits: Array) -> tuple[Array, Array]:
        """Return slopes in the preactivations from slopes in the outputs, and the constants that this adds.

        Parameters
        ----------
        slopes : float64 array, shape (n_units, n)
            Of one affine function of the outputs for each point.
        digits : int or bool array, shape (n_units, n)

        Returns
        -------
        float64 array, shape (n_preactivations, n); float64 array, shape (n,)
        """
        constants = self.arrays.zeros(slopes.shape[1])
        if self.activation.is_identity:
            return slopes, constants
        if self.activation.is_relu:
            return self.arrays.library.where(digits > 0, slopes, 0.0), constants
        result = self.arrays.zeros(self.activation.n_preactivations, slopes.shape[1])
        for table in self.functions:
            own, above = digits[table.units], slopes[table.units]
            result[table.places] = table.slopes[own] * above
            constants = constants + (table.intercepts[own] * above).sum(0)
        for units, places in self.pools:
            result[self._winners(places, digits[units])] = slopes[units]
        return result, constants

    def through_weight(self, slopes: Array) -> tuple[Array, Array]:
        """Return slopes in the layer's inputs from slopes in its preactivations, and the constants that this adds."""
        return self.transposed @ slopes, self.bias @ slopes

    def _winners(self, places: Array, digits: Array) -> tuple[Array, Array]:
        """Return where max units take their outputs from: rows and columns of the preactivations."""
        columns = self.arrays.library.arange(digits.shape[1], device=self.arrays.device)
        return places[:, :1] + digits, columns[None, :]


@dataclass(frozen=True, eq=False)
class BatchNetwork:
    """A network as float arrays.

    Attributes
    ----------
    network : Network
    arrays : Arrays
    layers : tuple of BatchLayer
        Hidden layers and the output layer.
    """

    network: Network
    arrays: Arrays
    layers: tuple[BatchLayer, ...]

    @cached_property
    def input_map(self) -> tuple[Array, Array] | None:
        """The nearest floats of the matrix and the constants that a slice puts before the first layer."""
        if self.network.input_map is None:
            return None
        matrix = self.network.input_map.to_floats()
        return self.arrays.of(matrix[:, :-1]), self.arrays.of(matrix[:, -1])


def batch_network(network: Network, device: str | None = None) -> BatchNetwork:
    """Return a network's arrays: NumPy's, or PyTorch's on a device such as ``"cuda"``.

    Raises
    ------
    MissingExtraError
        As `arrays_on`.
    InputError
        As `arrays_on`, or if the processor was told to take numbers near 0 for 0, which no error bound foresees.
    """
    arrays = arrays_on(device)
    if not math.ulp(0.0) * 1.0:
        raise InputError(
            "A network needs floats down to 2^-1074 but received a processor that flushes the smallest ones to 0. "
            "Call torch.set_flush_denormal(False)."
        )
    return BatchNetwork(network, arrays, tuple(BatchLayer(layer, arrays) for layer in network.layers))


def chunks(n: int, size: int) -> Iterator[slice]:
    """Yield slices that part ``range(n)`` into pieces of at most ``size``.

    Examples
    --------
    >>> [range(5)[piece] for piece in chunks(5, 2)]
    [range(0, 2), range(2, 4), range(4, 5)]
    """
    return (slice(start, min(start + size, n)) for start in range(0, n, size))
