"""Whether test points fall into the regions of training points, or get their affine maps: exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.patterns import DataPatterns, patterns_at
from polyrelu.analysis.data.points import checked_points
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.network.model import Network

__all__ = ["RegionOverlap", "region_overlap"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RegionOverlap:
    """How training and test points share regions and affine maps.

    Attributes
    ----------
    n_train, n_test : int
        Points.
    n_train_regions, n_test_regions : int
        Different patterns.
    n_test_in_train_regions : int
        Test points with the pattern of a training point.
    n_test_with_train_maps : int
        Test points whose label's output is the same affine function there as that of a training point's label is at
        that point.
    """

    n_train: int
    n_test: int
    n_train_regions: int
    n_test_regions: int
    n_test_in_train_regions: int
    n_test_with_train_maps: int


def region_overlap(
    network: Network, train_points: ArrayLike, test_points: ArrayLike, device: str | None = None
) -> RegionOverlap:
    """Return how many test points lie in the regions, or have the affine maps, of training points.

    Parameters
    ----------
    network : Network
    train_points, test_points : arrays, shapes (n_train, ...) and (n_test, ...) with dim numbers each
    device : str, optional
        Work with PyTorch on this device; default: NumPy.

    Raises
    ------
    InputError, MissingExtraError
        As `extract_terms`.

    Notes
    -----
    Trimmel et al. 2021, Section 4, find that all points have different functions. Here floats with proven bounds tell
    maps apart, and rationals those that they leave open.

    Examples
    --------
    A network that is 0 on both sides of a dead neuron's hyperplane has one map on two regions:

    >>> network = Network.from_arrays([([[1], [1]], [0, -1]), ([[1, -1], [0, 0]], [0, -5])])
    >>> region_overlap(network, [[-1.0], [2]], [[-2.0], [0.5], [9]])
    RegionOverlap(n_train=2, n_test=3, n_train_regions=2, n_test_regions=3, n_test_in_train_regions=2, \
n_test_with_train_maps=2)
    """
    train, test = (checked_points(network, each, "region_overlap") for each in (train_points, test_points))
    points = np.concatenate([train, test])
    patterns = patterns_at(network, points, device)
    regions = patterns.groups()[1]
    ours, theirs = regions[: len(train)], regions[len(train) :]
    return RegionOverlap(
        len(train),
        len(test),
        len(np.unique(ours)),
        len(np.unique(theirs)),
        int(np.isin(theirs, ours).sum()),
        int(_have_known_maps(network, points, patterns, len(train), device).sum()),
    )


def _have_known_maps(
    network: Network, points: Floats, patterns: DataPatterns, n_train: int, device: str | None
) -> NDArray[np.bool_]:
    """Return which points after the first ``n_train`` have the map of one of those."""
    terms = extract_terms(network, points, device=device)
    slopes = terms.plus_slopes - terms.minus_slopes
    maps = np.column_stack([slopes, terms.plus_constants - terms.minus_constants])
    # Each term is within the rounding of the exact one: a difference of two is within less than four times as much,
    # and equal maps are twice that apart.
    apart = 8 * terms.rounding * np.append(terms.slope_bounds, terms.constant_bound)
    kinds = np.column_stack([patterns.groups()[1], terms.labels])
    _, first, kind = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
    kind = kind.reshape(-1)
    known = np.unique(kind[:n_train])
    known = known[np.argsort(maps[first[known], 0])]
    column = maps[first[known], 0]
    is_known = np.isin(np.arange(len(first)), known)
    exact = _ExactMaps(network, patterns, terms.labels)
    for new in np.flatnonzero(~is_known).tolist():
        own = maps[first[new]]
        near = known[np.searchsorted(column, own[0] - apart[0]) : np.searchsorted(column, own[0] + apart[0], "right")]
        near = near[(np.abs(maps[first[near]] - own) <= apart).all(axis=1)]
        is_known[new] = any(exact.at(int(first[new])) == exact.at(int(first[other])) for other in near.tolist())
    return is_known[kind[n_train:]]


@dataclass(frozen=True, eq=False)
class _ExactMaps:
    """The affine function of each point's label around it, in rationals, made when asked for.

    Attributes
    ----------
    network : Network
    patterns : DataPatterns
    outputs : int64 array, shape (n,)
    """

    network: Network
    patterns: DataPatterns
    outputs: NDArray[np.int64]

    @cached_property
    def _rows(self) -> dict[int, tuple[Fraction, ...]]:
        return {}

    def at(self, point: int) -> tuple[Fraction, ...]:
        """Return slopes and the constant at a point."""
        if point not in self._rows:
            digits = [each.tolist() for each in self.network.unit_digits(self.patterns.pattern(point))]
            outputs = self.network.exact.preactivation_rows(digits)[-1]
            self._rows[point] = outputs.row(int(self.outputs[point]))
        return self._rows[point]
