"""Points and labels of a data set at the door: arrays that a network can take as they are."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.errors import InputError

__all__ = ["HasInputs", "checked_labels", "checked_points", "host_array", "labels_of_values"]


class HasInputs(Protocol):
    """A network, or another function of ``dim`` numbers."""

    @property
    def dim(self) -> int:
        """Number of inputs."""


def host_array(points: Any, who: str) -> NDArray[Any]:
    """Return points as a NumPy array, from lists, arrays, or a tensor of PyTorch wherever it is.

    Raises
    ------
    InputError
        If they have several shapes, or some are masked.

    Examples
    --------
    >>> import torch
    >>> host_array(torch.ones(1, 2, dtype=torch.bfloat16, requires_grad=True), "f").tolist()
    [[1.0, 1.0]]
    >>> host_array([[1.0, 2.0], [3.0]], "f")
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: f needs points of one shape but received points of several. Match them.
    """
    if np.ma.is_masked(points):
        raise InputError(f"{who} needs numbers everywhere but received an array with masked ones. Fill or drop them.")
    if hasattr(points, "detach"):
        points = points.detach().cpu()
        if str(points.dtype) == "torch.bfloat16":  # unknown to NumPy, and exact in longer floats
            points = points.double()
    try:
        return np.asarray(points)
    except ValueError:
        raise InputError(f"{who} needs points of one shape but received points of several. Match them.") from None
    except (TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{who} needs an array of points but it cannot be read ({reason}). Convert it.") from None


def checked_points(network: HasInputs, points: ArrayLike, who: str) -> NDArray[np.float64]:
    """Return points as a float64 array, shape (n, dim), if they fit a network and are exact and finite.

    Raises
    ------
    InputError
        If they do not, if a whole number is beyond 2^53, where floats would round it, or if the network is something
        else, such as a module of PyTorch or the path of a file.

    Examples
    --------
    >>> checked_points("model.onnx", [[1.0]], "patterns_at")
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: patterns_at needs a Network but received str. Make one with load or from_torch.
    """
    if not hasattr(network, "dim"):
        raise InputError(
            f"{who} needs a Network but received {type(network).__name__}. Make one with load or from_torch."
        )
    array = host_array(points, who)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise InputError(f"{who} needs numbers of at most 64 bits but received {array.dtype}. Convert them.")
    n = len(array) if array.ndim else 0
    if array.ndim < 2 or array.size != n * network.dim:
        raise InputError(
            f"{who} needs points (n, {network.dim}) but received an array of shape {array.shape}. "
            "Give one row, or one image, for each point."
        )
    if array.dtype.kind in "iu" and not -(2**53) <= int(array.min(initial=0)) <= int(array.max(initial=0)) <= 2**53:
        raise InputError(f"{who} needs whole numbers up to 2^53 but received larger ones. Scale them.")
    x = array.reshape(n, network.dim).astype(np.float64)
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0].tolist()
        raise InputError(f"{who} needs finite numbers but point {row} has {x[row, column]}. Repair or drop it.")
    return x


def some_points(points: ArrayLike, who: str) -> NDArray[Any]:
    """Return points as an array, shape (n, ...), if they are numbers and at least one point.

    Raises
    ------
    InputError
        If they are not.
    """
    array = host_array(points, who)
    if array.ndim < 2 or not len(array) or array.dtype.kind not in "biuf":
        raise InputError(
            f"{who} needs an array of points, with at least one, but received shape {array.shape} of {array.dtype}. "
            "Give each point the shape of one input."
        )
    return array


def checked_labels(labels: ArrayLike, n: int, who: str) -> NDArray[np.int64]:
    """Return labels as an int64 array, shape (n,), if they are one whole number for each point.

    Raises
    ------
    InputError
        If they are not.
    """
    array = np.asarray(labels)
    if not array.size and not n:
        return np.zeros(0, np.int64)
    if array.shape != (n,) or array.dtype.kind not in "biu":
        raise InputError(
            f"{who} needs {n} whole numbers as labels but received {array.dtype} of shape {array.shape}. "
            "Give one for each point."
        )
    return array.astype(np.int64)


def labels_of_values(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return labels of outputs, shape (n, n_out): the first of the largest, and for one output whether it is > 0."""
    return (values[:, 0] > 0).astype(np.int64) if values.shape[1] == 1 else values.argmax(axis=1)
