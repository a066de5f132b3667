"""`ExtractedFunction`: what TropEx finds, a difference of maxima of affine functions for each output, in floats."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.points import checked_points, labels_of_values
from polyrelu.analysis.tropex.maxima import BUDGET, largest_terms
from polyrelu.errors import InputError

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["ExtractedFunction"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExtractedFunction:
    """The function N^(X) that TropEx extracts from a network N at data points X: a term of each maximum for each point.

    For an output ``i`` that is the label of some point,

        N_i^(X)(x) = max over k with label i of (plus_slopes[k] · x + plus_constants[k])
                   - max over all k of (minus_slopes[k] · x + minus_constants[k]),

    and -inf for an output that is the label of none. ``plus - minus`` of point ``k`` is the local affine map of output
    ``labels[k]`` at it.

    Attributes
    ----------
    n_out : int
        Number of outputs.
    labels : int64 array, shape (n,)
        Which output each point's term ``plus`` belongs to: the network's label, or 0 if there is one output only.
    plus_slopes, minus_slopes : float64 arrays, shape (n, dim)
        None is negative, but for rounding.
    plus_constants, minus_constants : float64 arrays, shape (n,)
    slope_bounds : float64 array, shape (dim,)
        Up to rounding, no slope of any term exceeds these (the paper's A_max).
    constant_bound : float
        Up to rounding, no constant is larger in size.
    rounding : float
        Each slope is within ``rounding * slope_bounds``, each constant within ``rounding * constant_bound`` of the
        exact one (`extract_exactly`), proven.
    """

    n_out: int
    labels: NDArray[np.int64]
    plus_slopes: Floats
    plus_constants: Floats
    minus_slopes: Floats
    minus_constants: Floats
    slope_bounds: Floats
    constant_bound: float
    rounding: float

    def __post_init__(self) -> None:
        arrays = (self.plus_slopes, self.minus_slopes, self.plus_constants, self.minus_constants, self.labels)
        shapes = [each.shape for each in (*arrays, self.slope_bounds)]
        n, dim = shapes[0] if len(shapes[0]) == 2 else (0, 0)
        if not n or shapes != [(n, dim), (n, dim), (n,), (n,), (n,), (dim,)]:
            raise InputError(
                f"An extracted function needs n > 0 terms of each kind but received arrays of shapes {shapes}. "
                "Match them."
            )
        if self.labels.min() < 0 or self.labels.max() >= self.n_out:
            raise InputError(
                f"An extracted function needs labels from 0 to {self.n_out - 1} but received {self.labels.min()} to "
                f"{self.labels.max()}. Count outputs from 0."
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def dim(self) -> int:
        """Number of inputs."""
        return int(self.plus_slopes.shape[1])

    @cached_property
    def terms_per_label(self) -> NDArray[np.int64]:
        """How many terms the first maximum of each output has, shape (n_out,)."""
        return np.bincount(self.labels, minlength=self.n_out)

    @cached_property
    def groups(self) -> list[NDArray[np.int64]]:
        """The points of each label, int arrays for each output."""
        return [np.flatnonzero(self.labels == label) for label in range(self.n_out)]

    @property
    def present(self) -> list[int]:
        """The outputs that are not -inf."""
        return [int(label) for label in np.flatnonzero(self.terms_per_label)]

    def values(
        self,
        points: ArrayLike,
        own_denominator: bool = False,
        device: str | None = None,
        budget: int = BUDGET,
    ) -> Floats:
        """Return the function at points, shape (n_points, n_out), -inf for an output without data.

        Parameters
        ----------
        points : array, shape (n_points, ...) with dim numbers each
        own_denominator : bool
            Let the second maximum run over the points of the same label only, as the paper's equation (2) prints it
            and Algorithm 3.1 does not: this function does not keep the labels of the data (`decide_printed_quotient`).
        device : str, optional
            Evaluate with PyTorch on this device; default: NumPy.
        budget : int
            Bytes of working memory.

        Raises
        ------
        InputError, MissingExtraError
            For points of another shape, or a device that is missing.

        Examples
        --------
        >>> from polyrelu.testing import xor
        >>> from polyrelu.analysis.tropex.extract import extract_terms
        >>> extract_terms(xor(), [[0, 0.5], [1, 1]]).values([[0, 0.5], [1, 1], [0, 1]]).tolist()
        [[0.5], [0.0], [1.0]]
        """
        x = checked_points(self, points, "values")
        everything = [np.arange(len(self))]
        groups = self.groups if own_denominator else everything
        plus = largest_terms(self.plus_slopes, self.plus_constants, self.groups, x, device, budget)
        minus = largest_terms(self.minus_slopes, self.minus_constants, groups, x, device, budget)
        with np.errstate(invalid="ignore"):
            return np.where(self.terms_per_label > 0, plus - minus, -np.inf)

    def errors(self, points: ArrayLike) -> Floats:
        """Return by how much `values` may differ from the exact function at points, shape (n_points,), proven.

        Infinite or nan where values may exceed the range of floats.
        """
        from polyrelu.kernels.bounds import SLACK, gamma

        x = checked_points(self, points, "errors")
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = np.abs(x) @ self.slope_bounds + self.constant_bound
            return (2 * SLACK * (self.rounding + 2 * gamma(self.dim + 4))) * sizes

    def labels_of(
        self, points: ArrayLike, own_denominator: bool = False, device: str | None = None, budget: int = BUDGET
    ) -> NDArray[np.int64]:
        """Return the label of each point in floats: the first of its largest outputs, shape (n_points,).

        With one output, 1 where it is > 0, else 0. `extracted_labels` decides what floats leave open.

        Parameters and errors as for `values`.
        """
        if self.n_out > 1 and not own_denominator:  # what is subtracted is the same for all outputs
            x = checked_points(self, points, "labels_of")
            plus = largest_terms(self.plus_slopes, self.plus_constants, self.groups, x, device, budget)
            return plus.argmax(axis=1)
        return labels_of_values(self.values(points, own_denominator, device, budget))

    def to_torch(self, own_denominator: bool = False) -> Module:
        """Return the function as a PyTorch module, terms as buffers: it maps points (n, ...) to outputs (n, n_out).

        Raises
        ------
        MissingExtraError
            Without PyTorch.
        """
        from polyrelu.analysis.tropex.module import to_module

        return to_module(self, own_denominator)

    def save(self, path: str | Path) -> None:
        """Write the terms to an ``.npz`` file, which appears as a whole or not at all; `load_terms` reads it.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        from polyrelu.analysis.tropex.terms_file import save_terms

        save_terms(self, path)
