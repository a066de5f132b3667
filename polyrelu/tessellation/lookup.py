"""Finding the regions of patterns, and the pairs of regions whose patterns differ in one neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InternalError

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["PatternTable", "hamming1_pairs", "pattern_table"]


@dataclass(frozen=True)
class PatternTable:
    """A hash table of packed patterns (`polyrelu.kernels.lookup`).

    Attributes
    ----------
    words : uint64 array, shape (n_regions, n_words)
    hashes : uint64 array, shape (n_regions,)
    salts : uint64 array, shape (2 * n_words,)
    table : int32 array
        Its length is a power of two.
    """

    words: NDArray[np.uint64]
    hashes: NDArray[np.uint64]
    salts: NDArray[np.uint64]
    table: NDArray[np.int32]

    def find(self, queries: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the region with each packed pattern, -1 where there is none, shape (n_queries,)."""
        from polyrelu.kernels.assembly import hash_regions
        from polyrelu.kernels.lookup import find_patterns

        queries = np.ascontiguousarray(queries, np.uint64)
        hashes, found = np.empty(len(queries), np.uint64), np.empty(len(queries), np.int64)
        hash_regions(queries, self.salts, hashes)
        find_patterns(queries, hashes, self.words, self.hashes, self.table, found)
        return found


def pattern_table(tessellation: Tessellation) -> PatternTable:
    """Return the table of a tessellation's patterns; raise `InternalError` if one occurs twice."""
    from polyrelu.kernels.assembly import FREE, hash_regions
    from polyrelu.kernels.lookup import fill_table

    words = np.ascontiguousarray(tessellation.words)
    salts = np.random.default_rng(1).integers(0, 2**64, 2 * words.shape[1], np.uint64)
    hashes = np.empty(len(words), np.uint64)
    hash_regions(words, salts, hashes)
    table = np.full(1 << max(int(2 * len(words)).bit_length(), 4), FREE, np.int32)
    repeated = fill_table(words, hashes, table)
    if repeated >= 0:
        raise InternalError(
            f"A tessellation needs distinct patterns but region {repeated} repeats {tessellation.pattern(repeated)}. "
            "Please report the network."
        )
    return PatternTable(words, hashes, salts, table)


def hamming1_pairs(tessellation: Tessellation) -> NDArray[np.int32]:
    """Return the pairs of regions whose patterns differ in one neuron, shape (n_pairs, 2), sorted.

    For each region every other digit of every neuron is looked up.
    """
    from polyrelu.kernels.lookup import N_NEURON, fill_sieve, pairs_at_distance_one

    known, layout = tessellation.pattern_table, tessellation.network.layout
    neurons = np.stack([layout.word, layout.shift, layout.bits, layout.n_pieces], axis=1).reshape(-1, N_NEURON)
    sieve = np.zeros(len(known.table) // 4, np.uint64)
    fill_sieve(known.hashes, sieve)
    query, state = np.empty((1, known.words.shape[1]), np.uint64), np.zeros(2, np.int64)
    size = max(1 << 16, int((layout.n_pieces - 1).sum()))
    found = []
    while True:
        pairs = np.empty((size, 2), np.int32)
        is_done = pairs_at_distance_one(
            known.words, known.hashes, known.table, sieve, neurons, known.salts, query, pairs, state
        )
        found.append(np.sort(pairs[: state[1]], axis=1))
        if is_done:
            break
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
