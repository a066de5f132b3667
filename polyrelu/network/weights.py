"""Weights at the door: float64 arrays or sparse matrices, finite, and never rounded."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.errors import NetworkError
from polyrelu.exact.rational import to_fraction

__all__ = ["Weight", "as_pair", "exact_floats", "is_sparse", "nonzero_entries", "refuse_nonfinite"]

Weight = Any
"""A float64 array or a scipy.sparse.csr_array, shape (n_preactivations, n_inputs)."""


def as_pair(weight: Weight, bias: ArrayLike, index: int) -> tuple[Weight, NDArray[np.float64]]:
    matrix = weight if is_sparse(weight) else exact_floats(weight, f"The weight of layer {index}")
    vector = exact_floats(bias, f"The bias of layer {index}")
    if matrix.ndim != 2 or vector.shape != (matrix.shape[0],):
        raise NetworkError(
            f"Layer {index} needs a weight (n, m) and a bias (n,) but received {matrix.shape} and {vector.shape}. "
            "Weights have one row for each neuron."
        )
    return matrix, vector


def exact_floats(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return a read-only float64 copy; refuse what it cannot hold exactly."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":
            raise NetworkError(f"{what} needs real numbers but received {array.dtype}. Convert them yourself.")
        floats = np.array(array, dtype=np.float64)
    except NetworkError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise NetworkError(f"{what} needs to be an array of numbers but could not be read ({error}).") from None
    refuse_nonfinite(floats, what)
    may_round = array.dtype.kind == "O" or (array.dtype.kind in "iu" and (np.abs(floats) >= 2.0**53).any())
    if may_round and any(Fraction(f) != to_fraction(v, what) for f, v in _changed(floats, array)):
        raise NetworkError(
            f"{what} needs numbers that a 64-bit float holds exactly but received one it would round. "
            "Scale the layer to dyadic numbers, or round it yourself."
        )
    if array.dtype.kind == "f" and array.dtype.itemsize > 8 and (floats.astype(array.dtype) != array).any():
        raise NetworkError(f"{what} needs 64-bit floats but received longer ones. Round them yourself.")
    floats += 0.0  # -0.0 becomes 0.0: one number, one hash
    floats.flags.writeable = False
    return floats


def _changed(floats: NDArray[np.float64], array: NDArray) -> list[tuple[float, object]]:
    return list(zip(floats.ravel().tolist(), array.ravel().tolist(), strict=True))


def refuse_nonfinite(values: NDArray[np.float64], what: str) -> None:
    if not np.isfinite(values).all():
        bad = values[~np.isfinite(values)][0]
        place = np.argwhere(~np.isfinite(values))[0].tolist()
        raise NetworkError(f"{what} needs finite numbers but received {bad} at {place}. Repair the model.")


def is_sparse(weight: object) -> bool:
    return hasattr(weight, "tocsr")


def nonzero_entries(weight: Any) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return row, column and value of each entry that is not zero, row by row."""
    if is_sparse(weight):
        entries = weight.tocoo()
        kept = entries.data != 0
        (rows, columns), values = (axis[kept] for axis in entries.coords), entries.data[kept]
    else:
        rows, columns = weight.nonzero()
        values = weight[rows, columns]
    order = np.lexsort((columns, rows))
    return rows[order].astype(np.int64), columns[order].astype(np.int64), values[order]
