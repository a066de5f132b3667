"""Learning and forgetting while a network is trained: predictions epoch by epoch, and their events.

Toneva et al. 2019, as defined in Craighero et al. 2020, Definition 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.points import checked_labels, host_array, labels_of_values
from polyrelu.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Forgetting", "ForgettingRecorder", "forgetting_of"]

BATCH = 1024


@dataclass(frozen=True, eq=False)
class Forgetting:
    """What was predicted for each point at each epoch.

    Attributes
    ----------
    predictions : int64 array, shape (n_epochs, n)
        In the order of the epochs; the first row may be from before training.
    labels : int64 array, shape (n,)
        The true labels.
    """

    predictions: NDArray[np.int64]
    labels: NDArray[np.int64]

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether the prediction is the label, shape (n_epochs, n)."""
        return self.predictions == self.labels

    @cached_property
    def is_forgotten(self) -> NDArray[np.bool_]:
        """Whether a point is right in one row and wrong in the next, shape (n_epochs - 1, n)."""
        return self.is_right[:-1] & ~self.is_right[1:]

    @cached_property
    def is_learnt(self) -> NDArray[np.bool_]:
        """Whether a point is wrong in one row and right in the next, shape (n_epochs - 1, n)."""
        return ~self.is_right[:-1] & self.is_right[1:]

    @cached_property
    def n_forgotten(self) -> NDArray[np.int64]:
        """Number of forgetting events of each point, shape (n,)."""
        return self.is_forgotten.sum(axis=0)

    @cached_property
    def n_learnt(self) -> NDArray[np.int64]:
        """Number of learning events of each point, shape (n,)."""
        return self.is_learnt.sum(axis=0)

    @property
    def is_forgettable(self) -> NDArray[np.bool_]:
        """Whether a point has a forgetting event, shape (n,)."""
        return self.n_forgotten > 0

    @property
    def is_unforgettable(self) -> NDArray[np.bool_]:
        """Whether a point has none, shape (n,); by this definition points that were never learnt are unforgettable."""
        return self.n_forgotten == 0

    @property
    def is_never_learnt(self) -> NDArray[np.bool_]:
        """Whether a point is right in no row, shape (n,)."""
        return np.logical_not(self.is_right.any(axis=0))

    def forgotten_at(self, point: int) -> list[int]:
        """Return the rows in which a point that was right before is wrong."""
        return (np.flatnonzero(self.is_forgotten[:, point]) + 1).tolist()

    def learnt_at(self, point: int) -> list[int]:
        """Return the rows in which a point that was wrong before is right."""
        return (np.flatnonzero(self.is_learnt[:, point]) + 1).tolist()


def forgetting_of(predictions: ArrayLike, labels: ArrayLike) -> Forgetting:
    """Return the events in predictions that are known.

    Parameters
    ----------
    predictions : int array, shape (n_epochs, n)
        The predicted label of each point, a row for each epoch.
    labels : int array, shape (n,)

    Raises
    ------
    InputError
        If they are no whole numbers of these shapes.

    Examples
    --------
    >>> found = forgetting_of([[1, 0, 2], [0, 0, 2], [1, 1, 2], [0, 1, 2]], [1, 1, 0])
    >>> found.n_forgotten.tolist(), found.forgotten_at(0), found.learnt_at(1), found.is_never_learnt.tolist()
    ([2, 0, 0], [1, 3], [2], [False, False, True])
    >>> forgetting_of([0, 1], [0])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: forgetting_of needs whole numbers of shape (n_epochs, n) but received int64 of shape \
(2,). Give a row of predictions for each epoch.
    """
    table = np.asarray(predictions)
    if table.ndim != 2 or table.dtype.kind not in "biu":
        raise InputError(
            f"forgetting_of needs whole numbers of shape (n_epochs, n) but received {table.dtype} of shape "
            f"{table.shape}. Give a row of predictions for each epoch."
        )
    return Forgetting(table.astype(np.int64), checked_labels(labels, table.shape[1], "forgetting_of"))


@dataclass(frozen=True, eq=False)
class ForgettingRecorder:
    """A callback that notes what a PyTorch module predicts while it is trained.

    Call it with the epoch and the module, once before training and after each epoch.

    Attributes
    ----------
    points : array, shape (n, ...)
        Inputs as the module takes them.
    labels : int array, shape (n,)
        The true labels.
    epochs : list of int
        At which epochs it was called.
    rows : list of int64 arrays, shape (n,)
        What was predicted then: the first of the largest outputs, or of one output whether it is > 0.

    Examples
    --------
    >>> import torch
    >>> module = torch.nn.Linear(1, 2, bias=False)
    >>> recorder = ForgettingRecorder([[1.0], [-1.0]], [0, 0])
    >>> for epoch, slope in enumerate([1.0, -1.0, 1.0]):
    ...     module.weight.data[:] = torch.tensor([[slope], [0]])
    ...     recorder(epoch, module)
    >>> recorder.forgetting().n_forgotten.tolist()
    [1, 1]
    """

    points: ArrayLike
    labels: ArrayLike
    epochs: list[int] = field(default_factory=list)
    rows: list[NDArray[np.int64]] = field(default_factory=list)

    def __post_init__(self) -> None:
        shape = host_array(self.points, "ForgettingRecorder").shape
        if len(shape) < 2:
            raise InputError(
                f"ForgettingRecorder needs points (n, ...) but received an array of shape {shape}. "
                "Give one row, or one image, for each point."
            )
        checked_labels(self.labels, shape[0], "ForgettingRecorder")

    def __call__(self, epoch: int, module: Module) -> None:
        """Note the predictions of a module; its mode, training or not, and its gradients stay as they are.

        Raises
        ------
        InputError
            If the epoch is not after the one before, or the module does not return a row of outputs for each point.
        MissingExtraError
            Without PyTorch.
        """
        if self.epochs and epoch <= self.epochs[-1]:
            raise InputError(
                f"ForgettingRecorder needs growing epochs but received {epoch} after {self.epochs[-1]}. "
                "Make a new one for each training."
            )
        self.rows.append(_predictions(module, host_array(self.points, "ForgettingRecorder")))
        self.epochs.append(epoch)

    def forgetting(self) -> Forgetting:
        """Return what was noted, a row for each call."""
        shape = (len(self.rows), len(host_array(self.points, "ForgettingRecorder")))
        return forgetting_of(np.array(self.rows, np.int64).reshape(shape), self.labels)


def _predictions(module: Module, points: NDArray) -> NDArray[np.int64]:
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingExtraError(
            "ForgettingRecorder needs PyTorch. Install it with: pip install 'polyrelu[torch]'"
        ) from None
    like = next(module.parameters(), torch.zeros(()))
    found = np.zeros(len(points), np.int64)
    with torch.no_grad(), _evaluating(module):
        for start in range(0, len(points), BATCH):
            piece = torch.as_tensor(points[start : start + BATCH]).to(like)
            outputs = module(piece)
            if outputs.ndim != 2 or len(outputs) != len(piece):
                raise InputError(
                    f"ForgettingRecorder needs a module with outputs ({len(piece)}, n_out) but received outputs of "
                    f"shape {tuple(outputs.shape)}. Flatten them in the module."
                )
            # NumPy's argmax takes the first of equal outputs; PyTorch promises nothing.
            found[start : start + BATCH] = labels_of_values(outputs.cpu().numpy())
    return found


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """Switch each part of a module to evaluation, and back to what it was."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
