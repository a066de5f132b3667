"""Lists of different lengths that lie one after the other: number ``i`` is ``values[indptr[i]:indptr[i + 1]]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["keep_values", "take_lists", "to_lists"]


def take_lists(
    indptr: NDArray[np.int64], values: NDArray[np.generic], chosen: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the chosen ones of many lists.

    Examples
    --------
    >>> take_lists(np.array([0, 2, 2, 3]), np.array([5, 6, 7]), np.array([2, 0]))
    (array([0, 1, 3]), array([7, 5, 6]))
    """
    lengths = np.diff(indptr)[chosen]
    taken = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(indptr[chosen] - taken[:-1], lengths) + np.arange(taken[-1])
    return taken, values[places]


def keep_values(
    indptr: NDArray[np.int64], values: NDArray[np.generic], is_kept: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return lists without some of their values; ``is_kept`` has an entry for each value.

    Examples
    --------
    >>> keep_values(np.array([0, 2, 3]), np.array([5, 6, 7]), np.array([False, True, False]))
    (array([0, 1, 1]), array([6]))
    """
    return np.concatenate([[0], np.cumsum(is_kept)])[indptr], values[is_kept]


def to_lists(lists: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return Python's lists one after the other.

    Examples
    --------
    >>> to_lists([[5, 6], [], [7]])
    (array([0, 2, 2, 3]), array([5, 6, 7], dtype=int32))
    """
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in lists], dtype=np.int64)])
    return indptr.astype(np.int64), np.array([value for each in lists for value in each], np.int32)
