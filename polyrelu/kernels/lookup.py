"""Finding regions by their packed patterns: a hash table, compared word by word, so that no answer rests on chance.

Hashes are those of `polyrelu.kernels.assembly`; they are linear, so that another digit changes them by one product.
"""

from __future__ import annotations

import numpy as np

from polyrelu.kernels.assembly import FREE, field_hash, slot_of
from polyrelu.kernels.compiled import loop

# --- columns of the integer table of neurons -----------------------------------------------------------------
WORD, SHIFT, BITS, PIECES = 0, 1, 2, 3
N_NEURON = 4


@loop
def fill_table(words, hashes, table):
    """Fill an empty hash table with the regions; return the first one whose pattern occurred before, or -1."""
    mask = len(table) - 1
    for region in range(len(words)):
        slot = slot_of(hashes[region], mask)
        while table[slot] != FREE:
            other = table[slot]
            if hashes[other] == hashes[region] and _is_equal(words, region, words, other):
                return region
            slot = (slot + 1) & mask
        table[slot] = region
    return -1


@loop
def find_patterns(queries, query_hashes, words, hashes, table, found):
    """Write the region of each queried pattern, -1 where there is none."""
    for query in range(len(queries)):
        found[query] = _find(queries, query, query_hashes[query], words, hashes, table)


@loop
def _find(queries, query, key, words, hashes, table):
    mask = len(table) - 1
    slot = slot_of(key, mask)
    while table[slot] != FREE:
        region = table[slot]
        if hashes[region] == key and _is_equal(queries, query, words, region):
            return region
        slot = (slot + 1) & mask
    return -1


@loop
def _is_equal(left, i, right, j):
    is_equal = True
    for word in range(left.shape[1]):
        is_equal &= left[i, word] == right[j, word]
    return is_equal


@loop
def fill_sieve(hashes, sieve):
    """Set one bit for each region in a sieve of ``64 * len(sieve)`` bits, a power of two."""
    mask = np.uint64(64 * len(sieve) - 1)
    for region in range(len(hashes)):
        place = (hashes[region] >> np.uint64(20)) & mask
        sieve[place >> np.uint64(6)] |= np.uint64(1) << (place & np.uint64(63))


@loop
def pairs_at_distance_one(words, hashes, table, sieve, neurons, salts, query, pairs, state):
    """Write the pairs of regions that differ in one digit, the region with the lower digit first.

    Returns False when ``pairs`` is full; ``state`` holds the next region and the number of pairs. ``query`` (1,
    n_words) is scratch space. Every pair is found once: only digits are raised. Most patterns with a raised digit are
    no region's; the sieve, small enough for the cache, says so without a look at the table.
    """
    n_pairs, most = 0, 0
    mask = np.uint64(64 * len(sieve) - 1)
    for neuron in range(len(neurons)):
        most += neurons[neuron, PIECES] - 1
    for region in range(state[0], len(words)):
        if n_pairs + most > len(pairs):
            state[0], state[1] = region, n_pairs
            return False
        for word in range(words.shape[1]):
            query[0, word] = words[region, word]
        for neuron in range(len(neurons)):
            word, shift = neurons[neuron, WORD], np.uint64(neurons[neuron, SHIFT])
            old = words[region, word]
            field = (np.uint64(1) << np.uint64(neurons[neuron, BITS])) - np.uint64(1)
            digit = np.int64((old >> shift) & field)
            for higher in range(digit + 1, neurons[neuron, PIECES]):
                new = old + (np.uint64(higher - digit) << shift)
                key = hashes[region] - field_hash(old, word, salts) + field_hash(new, word, salts)
                place = (key >> np.uint64(20)) & mask
                if (sieve[place >> np.uint64(6)] >> (place & np.uint64(63))) & np.uint64(1) == np.uint64(0):
                    continue
                query[0, word] = new
                other = _find(query, 0, key, words, hashes, table)
                query[0, word] = old
                if other >= 0:
                    pairs[n_pairs, 0], pairs[n_pairs, 1] = region, other
                    n_pairs += 1
    state[0], state[1] = len(words), n_pairs
    return True
