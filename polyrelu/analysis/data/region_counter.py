"""How many regions the points of a data set lie in while a network is trained.

A callback for any training loop: the first experiment of Shepeleva et al. 2020 (Figure 1).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.module_patterns import module_patterns
from polyrelu.analysis.data.pattern_distances import chosen_layers
from polyrelu.analysis.data.patterns import DataPatterns, patterns_and_labels_at, patterns_at
from polyrelu.analysis.data.points import host_array, labels_of_values
from polyrelu.errors import InputError

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["RegionCounter", "RegionCounts"]


@dataclass(frozen=True, slots=True)
class RegionCounts:
    """How many regions data points lie in, at one epoch.

    Attributes
    ----------
    epoch : int
    n_patterns : int
        How many different patterns the points have: regions hit.
    by_layer : tuple of int
        The same, of each layer alone.
    n_right : int or None
        How many patterns a point has that is labelled right; None without labels.
    accuracy : float or None
        The fraction of the points that are labelled right.
    n_decided_exactly : int or None
        How many points had a digit that floats left open; None where nothing is proven.
    """

    epoch: int
    n_patterns: int
    by_layer: tuple[int, ...]
    n_right: int | None
    accuracy: float | None
    n_decided_exactly: int | None


@dataclass(frozen=True, eq=False)
class RegionCounter:
    """A callback that counts in how many regions data points lie, while a PyTorch module is trained.

    Call it with the epoch and the module, once before training and after each epoch. The module is not touched.

    Attributes
    ----------
    points : array, shape (n, ...)
        Inputs in the shape that the module takes.
    labels : int array, shape (n,), optional
        The true labels, to count regions with points that are labelled right.
    exact : bool
        Import the module with `from_torch` and decide every digit exactly. Else take what floats say, with
        `module_patterns`, for modules that cannot be imported.
    layers : sequence of int, optional
        Which layers count, as for `chosen_layers`; default: all that have neurons.
    keep : collection of int
        At which epochs to keep the patterns, for embeddings.
    device : str, optional
        Evaluate with PyTorch on this device, such as ``"cuda"``.
    rows : list of RegionCounts
        One for each call.
    patterns : dict of int to DataPatterns
        Those that are kept.

    Examples
    --------
    >>> import torch
    >>> module = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    >>> counter = RegionCounter([[-1.0], [-0.5], [1.0]], keep=[1])
    >>> for epoch, slope in enumerate([1.0, -1.0]):
    ...     module[0].weight.data[:] = torch.tensor([[1.0], [slope]])
    ...     module[0].bias.data[:] = torch.tensor([0.0, -0.75])
    ...     counter(epoch, module)
    >>> print(counter.to_text())
    epoch  patterns  by layer
        0         2  2
        1         3  3
    >>> len(counter.patterns[1])
    3
    """

    points: ArrayLike
    labels: ArrayLike | None = None
    exact: bool = True
    layers: Sequence[int] | None = None
    keep: Collection[int] = ()
    device: str | None = None
    rows: list[RegionCounts] = field(default_factory=list, init=False)
    patterns: dict[int, DataPatterns] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        shape = host_array(self.points, "RegionCounter").shape
        if len(shape) < 2 or not shape[0]:
            raise InputError(
                f"RegionCounter needs points (n, ...) but received an array of shape {shape}. "
                "Give one row, or one image, for each point."
            )
        if self.labels is not None and np.shape(self.labels) != shape[:1]:
            raise InputError(
                f"RegionCounter needs a label for each of {shape[0]} points but received shape "
                f"{np.shape(self.labels)}. Match them."
            )

    def __call__(self, epoch: int, module: Module) -> None:
        """Count for a module, as it is in evaluation; its mode, training or not, and its gradients stay as they are.

        Raises
        ------
        InputError
            If the epoch is not after the one before, or the module does not take the points.
        UnsupportedNodeError
            If the module is not piecewise linear, or exact and `from_torch` cannot read it.
        MissingExtraError
            Without PyTorch.
        """
        if self.rows and epoch <= self.rows[-1].epoch:
            raise InputError(
                f"RegionCounter needs growing epochs but received {epoch} after {self.rows[-1].epoch}. "
                "Make a new one for each training."
            )
        patterns, predicted = (self._exactly if self.exact else self._in_floats)(module)
        if self.layers is not None:
            patterns = chosen_layers(patterns, self.layers)
        n_right = accuracy = None
        if predicted is not None:
            is_right = predicted == np.asarray(self.labels)
            n_right, accuracy = len(np.unique(patterns.keys()[is_right])), float(is_right.mean())
        by_layer = tuple(patterns.count_distinct(layer) for layer in range(patterns.n_layers))
        total = patterns.count_distinct()
        self.rows.append(RegionCounts(epoch, total, by_layer, n_right, accuracy, patterns.n_decided_exactly))
        if epoch in self.keep:
            self.patterns[epoch] = patterns

    def to_text(self) -> str:
        """Return a table with a line for each call."""
        head = ["epoch", "patterns", *(["right", "accuracy"] if self.labels is not None else []), "by layer"]
        lines = [[str(row.epoch), str(row.n_patterns), *_right(row), _list(row.by_layer)] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
        table = [[cell.rjust(width) for cell, width in zip(line[:-1], widths, strict=False)] for line in (head, *lines)]
        return "\n".join("  ".join([*cells, line[-1]]) for cells, line in zip(table, (head, *lines), strict=True))

    def _exactly(self, module: Module) -> tuple[DataPatterns, NDArray[np.int64] | None]:
        from polyrelu.network.torch_graph import frozen_copy
        from polyrelu.network.torch_reader import from_torch

        points = host_array(self.points, "RegionCounter")
        network = from_torch(frozen_copy(module, "RegionCounter"), points.shape[1:])
        if self.labels is None:
            return patterns_at(network, points, self.device), None
        return patterns_and_labels_at(network, points, self.device)

    def _in_floats(self, module: Module) -> tuple[DataPatterns, NDArray[np.int64] | None]:
        from polyrelu.network.torch_graph import frozen_copy, run_module

        patterns = module_patterns(module, self.points, self.device)
        if self.labels is None:
            return patterns, None
        frozen, points = frozen_copy(module, "RegionCounter", self.device), host_array(self.points, "RegionCounter")
        parts = np.array_split(points, -(-len(points) // 128))
        outputs = np.concatenate(
            [run_module(frozen, part, "RegionCounter").outputs.detach().cpu().numpy() for part in parts]
        )
        return patterns, labels_of_values(outputs)


def _right(row: RegionCounts) -> list[str]:
    return [] if row.accuracy is None else [str(row.n_right), f"{row.accuracy:.4f}"]


def _list(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
