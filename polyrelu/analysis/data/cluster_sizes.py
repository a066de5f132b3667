"""How something is spread over clusters of different sizes: means in bins, and shares up to a size."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.errors import InputError

__all__ = ["SizeBins", "SizeSums", "means_by_size", "sums_up_to_size"]


class SizeBins(NamedTuple):
    """Points binned by the size of their cluster: 1, 2 to 3, 4 to 7, and so on.

    firsts : int64 array, shape (n_bins,)
        The least size of each bin that has points.
    counts, totals : int64 arrays, shape (n_bins,)
        Number of points, and the sum of their values.
    """

    firsts: NDArray[np.int64]
    counts: NDArray[np.int64]
    totals: NDArray[np.int64]

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean value in each bin, shape (n_bins,)."""
        return self.totals / self.counts


class SizeSums(NamedTuple):
    """Sums over all points whose cluster has at most a size.

    sizes : int64 array, shape (n_sizes,)
        The sizes that occur, increasing.
    counts, totals : int64 arrays, shape (n_sizes,)
        Number of points in clusters up to that size, and the sum of their values.
    """

    sizes: NDArray[np.int64]
    counts: NDArray[np.int64]
    totals: NDArray[np.int64]

    def size_with(self, share: Fraction) -> int | None:
        """Return the least size up to which clusters hold this share of all values; None if all values are 0."""
        if not len(self.totals) or not self.totals[-1]:
            return None
        reached = self.totals * share.denominator >= self.totals[-1] * share.numerator
        return int(self.sizes[np.argmax(reached)])


def means_by_size(sizes: ArrayLike, values: ArrayLike) -> SizeBins:
    """Return the points in bins by the size of their cluster, each twice as wide as the one before.

    Parameters
    ----------
    sizes : int array, shape (n,)
        The size of each point's cluster (`Clusters.point_sizes`).
    values : int or bool array, shape (n,)
        Such as each point's number of forgetting events.

    Raises
    ------
    InputError
        If there is not one whole number for each size, or a size is below 1.

    Examples
    --------
    >>> found = means_by_size([1, 2, 3, 3, 3, 2], [5, 1, 1, 0, 0, 1])
    >>> found.firsts.tolist(), found.counts.tolist(), found.means.tolist()
    ([1, 2], [1, 5], [5.0, 0.6])
    """
    of, what = _checked(sizes, values, "means_by_size")
    bins = np.frexp(of)[1] - 1
    counts = np.bincount(bins)
    totals = np.zeros(len(counts), np.int64)
    np.add.at(totals, bins, what)
    used = np.flatnonzero(counts)
    return SizeBins(2**used, counts[used], totals[used])


def sums_up_to_size(sizes: ArrayLike, values: ArrayLike) -> SizeSums:
    """Return how many points, and how much of some value, lie in clusters up to each size.

    Parameters
    ----------
    sizes, values : int arrays, shape (n,)
        As for `means_by_size`.

    Raises
    ------
    InputError
        As `means_by_size`.

    Examples
    --------
    >>> found = sums_up_to_size([1, 4, 4, 4, 4, 1], [3, 0, 1, 0, 0, 6])
    >>> found.sizes.tolist(), found.counts.tolist(), found.totals.tolist(), found.size_with(Fraction(9, 10))
    ([1, 4], [2, 6], [9, 10], 1)
    """
    of, what = _checked(sizes, values, "sums_up_to_size")
    distinct, place, counts = np.unique(of, return_inverse=True, return_counts=True)
    totals = np.zeros(len(distinct), np.int64)
    np.add.at(totals, place, what)
    return SizeSums(distinct, np.cumsum(counts), np.cumsum(totals))


def _checked(sizes: ArrayLike, values: ArrayLike, who: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    of, what = np.asarray(sizes), np.asarray(values)
    of, what = (each.astype(np.int64) if not each.size else each for each in (of, what))
    kinds = "".join(each.dtype.kind for each in (of, what))
    if of.ndim != 1 or of.shape != what.shape or kinds.strip("biu") or (of < 1).any() or (what < 0).any():
        raise InputError(
            f"{who} needs a size of at least 1 and a whole number of at least 0 for each point but received "
            f"{of.dtype} of shape {of.shape} and {what.dtype} of shape {what.shape}. Check both."
        )
    return of.astype(np.int64), what.astype(np.int64)
