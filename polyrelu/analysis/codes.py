"""Code spaces: the realised patterns of a network with the truncated Hamming metric, on packed bits.

Shepeleva et al. 2020, Definition 1. A point on a facet or a vertex may have a pattern that no region has; such classes
belong to the space too, and can be left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern, PatternLayout
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.code_space import texts_of
from polyrelu.tessellation.model import Tessellation

__all__ = ["CodeSpace", "code_space_of", "distances_between"]

TILE, MOST_COLUMNS = 1 << 15, 1 << 12
"""How many distances are worked on at a time, so that the processor's cache holds them."""
ROWS_AT_ONCE = 64


def code_space_of(network: Network | Tessellation, domain: Domain | None = None, *, flat: bool = True) -> CodeSpace:
    """Return the code space of a network on a closed domain.

    Parameters
    ----------
    network : Network or Tessellation
        A tessellation has its domain.
    domain : Domain, optional
        All of R^dim by default.
    flat : bool
        Whether patterns without a region, those of lower-dimensional classes only, are included.

    Raises
    ------
    InputError
        For a domain beside a tessellation.

    Examples
    --------
    >>> cross = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> space = code_space_of(cross)
    >>> space.texts(), space.has_region.tolist()
    (['00', '10', '01'], [False, True, True])
    >>> space.distance_matrix().tolist(), space.distance_matrix(threshold=1).tolist()
    ([[0, 1, 1], [1, 0, 2], [1, 2, 0]], [[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    >>> len(code_space_of(cross, flat=False))
    2
    """
    if isinstance(network, Tessellation) and domain is not None:
        raise InputError(
            f"code_space_of needs a network and a domain, or a tessellation alone, but received both a tessellation "
            f"and the domain {domain.label}. Leave the domain out."
        )
    t = network if isinstance(network, Tessellation) else tessellate(network, domain)
    words = t.code_space() if flat else np.unique(t.words, axis=0)
    return CodeSpace(t.network, words, t.pattern_table.find(words) >= 0)


@dataclass(frozen=True, eq=False)
class CodeSpace:
    """Realised patterns, each once, with the Hamming distance: in how many neurons two patterns differ.

    Distances can be truncated: ``min(distance, threshold)`` is a metric for every threshold of at least 1.

    Attributes
    ----------
    network : Network
    words : uint64 array, shape (n_patterns, n_words)
        Packed patterns (`Network.layout`).
    has_region : bool array, shape (n_patterns,)
        False for the pattern of lower-dimensional classes only.
    """

    network: Network
    words: NDArray[np.uint64]
    has_region: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.words)

    def pattern(self, index: int) -> Pattern:
        """Return one of the patterns."""
        return self.network.pattern(self.network.layout.unpack(self.words[index])[0].tolist())

    def texts(self) -> list[str]:
        """Return all patterns as digits without bars."""
        return texts_of(self.network, self.words)

    def index(self, pattern: Pattern) -> int | None:
        """Return the number of a pattern, None if no point has it."""
        [hits] = np.nonzero((self.words == self._packed(pattern)).all(axis=1))
        return int(hits[0]) if len(hits) else None

    # --- distances ---------------------------------------------------------------------------------------

    def distances(self, pattern: Pattern, threshold: int | None = None) -> NDArray[np.uint16]:
        """Return the distances of all patterns from one, which need not be realised, shape (n_patterns,)."""
        return distances_between(self.network.layout, self._packed(pattern), self.words, threshold)[0]

    def distance_matrix(self, threshold: int | None = None) -> NDArray[np.uint16]:
        """Return all distances, shape (n_patterns, n_patterns): two bytes for each pair."""
        return distances_between(self.network.layout, self.words, self.words, threshold)

    def distance_blocks(self, threshold: int | None = None) -> Iterator[tuple[int, NDArray[np.uint16]]]:
        """Yield the distance matrix a few rows at a time: the first row's number, and the rows."""
        for first in range(0, len(self), ROWS_AT_ONCE):
            rows = self.words[first : first + ROWS_AT_ONCE]
            yield first, distances_between(self.network.layout, rows, self.words, threshold)

    def distance_counts(self, threshold: int | None = None) -> NDArray[np.int64]:
        """Return how many unordered pairs of different patterns have distance 0, 1, 2, …

        Examples
        --------
        >>> from polyrelu.testing import adjacency_counterexample
        >>> space = code_space_of(adjacency_counterexample())
        >>> space.distance_counts().tolist(), space.distance_counts(threshold=2).tolist()
        ([0, 5, 4, 1], [0, 5, 5])
        """
        layout, n = self.network.layout, self.network.n_neurons
        twice = np.zeros(n + 1, np.int64)
        for first in range(0, len(self), ROWS_AT_ONCE):
            rows, others = np.split(self.words[first:], [ROWS_AT_ONCE])
            for columns, factor in ((rows, 1), (others, 2)):
                for _, _, tile in _tiles(layout, rows, columns):
                    twice += factor * np.bincount(tile.ravel(), minlength=n + 1)
        twice[0] -= len(self)
        counts = twice // 2
        if threshold is None or _checked(threshold) >= n:
            return counts
        return np.append(counts[:threshold], counts[threshold:].sum())

    # --- neighbours --------------------------------------------------------------------------------------

    def neighbours(self, pattern: Pattern, radius: int = 1) -> NDArray[np.int64]:
        """Return the patterns at most so far from one, itself included if it is realised, as numbers in order."""
        _checked(radius, "radius", 0)
        packed = self._packed(pattern)
        near = self._near_counts(int(active_counts(self.network.layout, packed)[0]), radius)
        found = distances_between(self.network.layout, packed, self.words[near])[0] <= radius
        return np.sort(near[found])

    def nearest(self, pattern: Pattern, count: int = 1) -> NDArray[np.int64]:
        """Return the patterns nearest to one, nearest first; those at one distance in their order."""
        return np.argsort(self.distances(pattern), kind="stable")[: _checked(count, "count")]

    def pairs_within(self, radius: int = 1) -> NDArray[np.int64]:
        """Return all pairs of different patterns at most so far from each other, shape (n_pairs, 2), sorted.

        Notes
        -----
        Two patterns differ in at least as many neurons as their numbers of active neurons do, so that each is compared
        only with those that have about as many.

        Examples
        --------
        >>> from polyrelu.testing import grid
        >>> space = code_space_of(grid(2, 2), flat=False)
        >>> len(space), len(space.pairs_within(1))
        (9, 12)
        """
        _checked(radius, "radius")
        order, counts = self._by_count
        words, found = self.words[order], []
        first = 0
        while first < len(self):
            window = int(np.searchsorted(counts, counts[first] + radius, side="right"))
            last = min(first + ROWS_AT_ONCE, int(np.searchsorted(counts, counts[first], side="right")))
            near = distances_between(self.network.layout, words[first:last], words[first:window]) <= radius
            pairs = np.argwhere(np.triu(near, k=1))
            found.append(order[pairs + first])
            first = last
        result = np.sort(np.concatenate(found), axis=1) if found else np.zeros((0, 2), np.int64)
        return result[np.lexsort((result[:, 1], result[:, 0]))]

    @cached_property
    def _by_count(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The patterns by number of active neurons, and these numbers."""
        counts = active_counts(self.network.layout, self.words)
        order = np.argsort(counts, kind="stable")
        return order, counts[order]

    def _near_counts(self, count: int, radius: int) -> NDArray[np.int64]:
        order, counts = self._by_count
        return order[np.searchsorted(counts, count - radius) : np.searchsorted(counts, count + radius, side="right")]

    def _packed(self, pattern: Pattern) -> NDArray[np.uint64]:
        self.network.unit_digits(pattern)
        return self.network.layout.pack(np.array([pattern.digits], dtype=np.int64))


def distances_between(
    layout: PatternLayout, rows: NDArray[np.uint64], columns: NDArray[np.uint64], threshold: int | None = None
) -> NDArray[np.uint16]:
    """Return the Hamming distances between packed patterns, shape (n_rows, n_columns).

    Parameters
    ----------
    layout : PatternLayout
    rows, columns : uint64 arrays, shapes (n_rows, n_words) and (n_columns, n_words)
    threshold : int, optional
        Larger distances are cut down to it.

    Raises
    ------
    InputError
        If the threshold is below 1.

    Examples
    --------
    >>> layout = PatternLayout.for_pieces(np.array([2, 5, 2]), np.array([0, 0, 0]))
    >>> words = layout.pack(np.array([[0, 4, 1], [0, 3, 0], [1, 4, 1]]))
    >>> distances_between(layout, words, words).tolist()
    [[0, 2, 1], [2, 0, 3], [1, 3, 0]]
    """
    limit = None if threshold is None else _checked(threshold)
    total = np.empty((len(rows), len(columns)), np.uint16)
    for top, left, tile in _tiles(layout, rows, columns):
        total[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    if limit is not None:
        np.minimum(total, limit, out=total)
    return total


def _tiles(
    layout: PatternLayout, rows: NDArray[np.uint64], columns: NDArray[np.uint64]
) -> Iterator[tuple[int, int, NDArray[np.uint16]]]:
    """Yield the distances a tile at a time: its first row, its first column, and distances in a buffer."""
    masks, turned = _masks(layout), np.ascontiguousarray(columns.T)
    width = max(1, min(len(columns), MOST_COLUMNS))
    height = max(1, TILE // width)
    xors, counts, sums = (np.empty((height, width), dtype) for dtype in (np.uint64, np.uint8, np.uint16))
    for top in range(0, len(rows), height):
        part = rows[top : top + height]
        for left in range(0, len(columns), width):
            there = turned[:, None, left : left + width]
            x, c, s = (each[: len(part), : there.shape[2]] for each in (xors, counts, sums))
            s[...] = 0
            for word in range(layout.n_words):
                np.bitwise_xor(part[:, word, None], there[word], out=x)
                np.bitwise_count(_lowest_bits(x, masks[word]), out=c)
                np.add(s, c, out=s)
            yield top, left, s


def active_counts(layout: PatternLayout, words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how many neurons of each packed pattern have a digit other than 0, shape (n_patterns,)."""
    masks = _masks(layout)
    counts = [np.bitwise_count(_lowest_bits(words[:, w], masks[w])).astype(np.int64) for w in range(layout.n_words)]
    return np.sum(counts, axis=0)


def _masks(layout: PatternLayout) -> list[list[np.uint64]]:
    """Return, for each word and each ``k``, the lowest bits of the fields with more than ``k`` bits."""
    masks: list[list[np.uint64]] = []
    for word in range(layout.n_words):
        inside = layout.word == word
        largest = int(layout.bits[inside].max(initial=0))
        lowest = [np.uint64(1) << layout.shift[inside & (layout.bits > k)].astype(np.uint64) for k in range(largest)]
        masks.append([np.bitwise_or.reduce(each) for each in lowest])
    return masks


def _lowest_bits(words: NDArray[np.uint64], masks: Sequence[np.uint64]) -> NDArray[np.uint64]:
    """Return words with the lowest bit of each field that is not 0, and no other."""
    if len(masks) < 2:  # one bit a neuron
        return words
    result = words & masks[0]
    for k, mask in enumerate(masks[1:], start=1):
        result |= (words >> np.uint64(k)) & mask
    return result


def _checked(value: int, name: str = "threshold", least: int = 1) -> int:
    if value < least:
        raise InputError(f"A code space needs a {name} of at least {least} but received {value}. Raise it.")
    return value
