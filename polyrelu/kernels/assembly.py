"""Gluing regions of the plane: which corners of polygons are one vertex, which sides one edge.

At a corner some lines vanish. A line of a neuron parts two of its digits; what a corner *touches* is written as a
sorted list of **items**: for a neuron with breakpoints the item of the breakpoint, for a max unit the items of all
inputs that tie with the winner (the winner included), for a row of the domain its own item. The **key** of a corner
is its region's packed pattern with the fields of all touched neurons cleared, together with the items.

Two corners are the same point iff their keys are equal. Neurons that are not touched are away from their breakpoints
at the point and keep their digits in every region around it, and what is touched depends on the point alone; so equal
points have equal keys. Conversely every neuron keeps its sign on the segment between two points with one key (layer by
layer: it is affine there, and has equal signs at both ends); a region with one of them as a corner would have the
segment in its zero-dimensional face.

Keys are found by 64-bit hashes and then compared, so no answer rests on chance. The hash is linear in the halves of
the packed words: clearing a field subtracts a product.
"""

from __future__ import annotations

import numpy as np

from polyrelu.kernels.compiled import loop

# --- columns of the integer table of lines ---------------------------------------------------------------
LINE_ITEM = 0  # item of the line; for a pair of inputs of a max unit the item of the unit's first input
LINE_LOW, LINE_HIGH = 1, 2  # the digits on its sides (inputs of a max unit)
LINE_IS_MAX = 3
LINE_NEURON = 4  # -1 for a row of the domain, -2 for a side of the far square
LINE_ROW = 5  # of the domain; or the side: 2 j for x_j = -M, 2 j + 1 for x_j = M
N_LINE = 6

# --- columns of the integer table of items -----------------------------------------------------------------
ITEM_NEURON = 0  # -1 for rows of the domain
ITEM_WORD, ITEM_SHIFT, ITEM_BITS = 1, 2, 3  # field of the neuron in packed patterns; word -1 for none
ITEM_INPUT = 4  # which input of a max unit, else -1
ITEM_KIND = 5  # what a vertex with the item is at least: 0 inside the domain, 1 on its border, 2 at infinity
N_ITEM = 6

FREE = -1  # empty slot of a hash table
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
LOW_HALF = np.uint64(0xFFFFFFFF)
FAILED = -1


@loop
def field_hash(value, word, salts):
    """Return what the bits ``value`` of a word add to the hash."""
    return (value & LOW_HALF) * salts[2 * word] + (value >> np.uint64(32)) * salts[2 * word + 1]


@loop
def slot_of(key, mask):
    """Return where the search for a hash starts."""
    mixed = (key ^ (key >> np.uint64(32))) * MULTIPLIER
    return np.int64((mixed ^ (mixed >> np.uint64(29))) & np.uint64(mask))


@loop
def field_of(words, region, items, item):
    """Return the bits of an item's neuron in a region's pattern, in place."""
    mask = (np.uint64(1) << np.uint64(items[item, ITEM_BITS])) - np.uint64(1)
    return words[region, items[item, ITEM_WORD]] & (mask << np.uint64(items[item, ITEM_SHIFT]))


@loop
def hash_regions(words, salts, hashes):
    """Write the hash of each region's packed pattern."""
    for region in range(words.shape[0]):
        total = np.uint64(0)
        for word in range(words.shape[1]):
            total += field_hash(words[region, word], word, salts)
        hashes[region] = total


@loop
def touch_corners(words, hashes, indptr, edges, extra, lines, items, salts, item_salts, starts, touched, keys):
    """Write the items that each corner touches, and the hash of its key.

    ``touched[starts[c]:starts[c + 1]]`` are the items of corner ``c``, sorted.
    """
    position, top = 0, 0
    starts[0] = 0
    for region in range(len(indptr) - 1):
        first, last = indptr[region], indptr[region + 1] - 1
        for corner in range(first, last + 1):
            key = hashes[region]
            before = last if corner == first else corner - 1
            start = top
            top, key = touch(edges[before], region, start, top, key, words, lines, items, salts, item_salts, touched)
            top, key = touch(edges[corner], region, start, top, key, words, lines, items, salts, item_salts, touched)
            while position < len(extra) and extra[position, 0] == corner:
                line = extra[position, 1]
                top, key = touch(line, region, start, top, key, words, lines, items, salts, item_salts, touched)
                position += 1
            keys[corner] = key
            starts[corner + 1] = top


@loop
def touch(line, region, start, top, key, words, lines, items, salts, item_salts, touched):
    """Add a line's items to the sorted list ``touched[start:top]``; return the new end and hash."""
    item = lines[line, LINE_ITEM]
    if not lines[line, LINE_IS_MAX]:
        end = _insert(item, start, top, touched)
        if end > top:
            key += item_salts[item]
            if items[item, ITEM_WORD] >= 0:
                key -= field_hash(field_of(words, region, items, item), items[item, ITEM_WORD], salts)
        return end, key
    field = field_of(words, region, items, item)
    winner = np.int64(field >> np.uint64(items[item, ITEM_SHIFT]))
    low, high = lines[line, LINE_LOW], lines[line, LINE_HIGH]
    if winner != low and winner != high:  # a tie below the largest input
        return top, key
    other = item + low + high - winner
    end = _insert(other, start, top, touched)
    if end > top:
        key += item_salts[other]
        top = end
    end = _insert(item + winner, start, top, touched)
    if end > top:
        key += item_salts[item + winner] - field_hash(field, items[item, ITEM_WORD], salts)
    return end, key


@loop
def _insert(item, start, top, touched):
    """Insert an item into a sorted list unless it is there; return the new end."""
    place = top
    while place > start and touched[place - 1] > item:
        place -= 1
    if place > start and touched[place - 1] == item:
        return top
    for i in range(top, place, -1):
        touched[i] = touched[i - 1]
    touched[place] = item
    return top + 1


@loop
def number_vertices(words, indptr, keys, starts, touched, items, table, corner_vertices, vertices, vertex_keys, state):
    """Give each corner the number of its vertex; return False when the hash table is too full to go on.

    ``state`` holds the next region and the number of vertices; ``vertices`` (n, 2) gets the first corner of each
    vertex and its region. Whoever calls again brings a larger table, filled by `refill`.
    """
    mask, limit = len(table) - 1, len(table) // 2
    n_vertices = state[1]
    for region in range(state[0], len(indptr) - 1):
        if n_vertices + indptr[region + 1] - indptr[region] > limit:
            state[0], state[1] = region, n_vertices
            return False
        for corner in range(indptr[region], indptr[region + 1]):
            slot = slot_of(keys[corner], mask)
            while True:
                vertex = table[slot]
                if vertex == FREE:
                    table[slot] = vertex = n_vertices
                    vertices[vertex, 0], vertices[vertex, 1] = corner, region
                    vertex_keys[vertex] = keys[corner]
                    n_vertices += 1
                    break
                if vertex_keys[vertex] == keys[corner] and _is_same_key(
                    corner, region, vertices[vertex, 0], vertices[vertex, 1], words, starts, touched, items
                ):
                    break
                slot = (slot + 1) & mask
            corner_vertices[corner] = vertex
    state[0], state[1] = len(indptr) - 1, n_vertices
    return True


@loop
def _is_same_key(corner, region, other, other_region, words, starts, touched, items):
    start, there = starts[corner], starts[other]
    n = starts[corner + 1] - start
    if starts[other + 1] - there != n:
        return False
    for i in range(n):
        if touched[start + i] != touched[there + i]:
            return False
    for word in range(words.shape[1]):
        difference = words[region, word] ^ words[other_region, word]
        if difference != np.uint64(0):
            for i in range(n):
                item = touched[start + i]
                if items[item, ITEM_WORD] == word:
                    mask = (np.uint64(1) << np.uint64(items[item, ITEM_BITS])) - np.uint64(1)
                    difference &= ~(mask << np.uint64(items[item, ITEM_SHIFT]))
            if difference != np.uint64(0):
                return False
    return True


@loop
def refill(table, keys, n):
    """Fill an empty hash table with the numbers 0 … n - 1 of distinct keys."""
    mask = len(table) - 1
    for number in range(n):
        slot = slot_of(keys[number], mask)
        while table[slot] != FREE:
            slot = (slot + 1) & mask
        table[slot] = number


@loop
def number_edges(indptr, edges, corner_vertices, lines, table, corner_of, ends, regions):
    """Find the edges and the regions on both sides; return their number, or `FAILED` if the regions do not fit.

    ``regions[e]`` is (first region, second region); the second is -1 on the border of the domain and -2 where it has
    not been found. Sides of the far square are no edges. ``corner_of[e]`` is the corner of the first region at which
    the edge starts, ``ends[e]`` its vertices in that region's order.
    """
    mask, n_edges = len(table) - 1, 0
    for region in range(len(indptr) - 1):
        first, last = indptr[region], indptr[region + 1] - 1
        for corner in range(first, last + 1):
            owner = lines[edges[corner], LINE_NEURON]
            if owner == -2:
                continue
            here = np.int64(corner_vertices[corner])
            there = np.int64(corner_vertices[first if corner == last else corner + 1])
            slot = slot_of((np.uint64(min(here, there)) << np.uint64(32)) | np.uint64(max(here, there)), mask)
            while True:
                edge = table[slot]
                if edge == FREE:
                    table[slot] = n_edges
                    corner_of[n_edges] = corner
                    ends[n_edges, 0], ends[n_edges, 1] = here, there
                    regions[n_edges, 0] = region
                    regions[n_edges, 1] = -1 if owner == -1 else -2
                    n_edges += 1
                    break
                if ends[edge, 0] == there and ends[edge, 1] == here:
                    if regions[edge, 1] != -2 or owner < 0:
                        return FAILED
                    regions[edge, 1] = region
                    break
                if ends[edge, 0] == here and ends[edge, 1] == there:
                    return FAILED
                slot = (slot + 1) & mask
    return n_edges


@loop
def edge_zeros(words, indptr, starts, touched, items, corner_of, regions, zero_indptr, zeros):
    """Write the neurons that vanish on each edge: those whose line both ends touch."""
    top = 0
    for edge in range(len(corner_of)):
        region, corner = regions[edge, 0], corner_of[edge]
        after = indptr[region] if corner + 1 == indptr[region + 1] else corner + 1
        i, j = starts[corner], starts[after]
        start = top
        while i < starts[corner + 1] and j < starts[after + 1]:
            if touched[i] == touched[j]:
                top = _add_neuron(touched[i], region, start, top, words, items, zeros)
                i += 1
                j += 1
            elif touched[i] < touched[j]:
                i += 1
            else:
                j += 1
        zero_indptr[edge + 1] = top


@loop
def vertex_zeros(words, vertices, starts, touched, items, zero_indptr, zeros, kinds):
    """Write the neurons that vanish at each vertex, and whether it is inside, on the border or at infinity."""
    top = 0
    for vertex in range(len(vertices)):
        corner, region = vertices[vertex, 0], vertices[vertex, 1]
        start, kind = top, 0
        for i in range(starts[corner], starts[corner + 1]):
            kind = max(kind, items[touched[i], ITEM_KIND])
            top = _add_neuron(touched[i], region, start, top, words, items, zeros)
        zero_indptr[vertex + 1] = top
        kinds[vertex] = kind


@loop
def region_zeros(words, indptr, starts, touched, items, zero_indptr, zeros):
    """Write the neurons that vanish on each whole region: those whose line all corners touch."""
    top = 0
    for region in range(len(indptr) - 1):
        first, start = indptr[region], top
        for i in range(starts[first], starts[first + 1]):
            item, is_common = touched[i], True
            for corner in range(first + 1, indptr[region + 1]):
                j, end = starts[corner], starts[corner + 1]
                while j < end and touched[j] < item:
                    j += 1
                if j == end or touched[j] != item:
                    is_common = False
                    break
            if is_common:
                top = _add_neuron(item, region, start, top, words, items, zeros)
        zero_indptr[region + 1] = top


@loop
def _add_neuron(item, region, start, top, words, items, zeros):
    """Append the neuron of an item to a list, once; the winner of a max unit says nothing, its equals do."""
    neuron = items[item, ITEM_NEURON]
    if neuron < 0 or (top > start and zeros[top - 1] == neuron):
        return top
    if items[item, ITEM_INPUT] >= 0:
        winner = field_of(words, region, items, item) >> np.uint64(items[item, ITEM_SHIFT])
        if np.int64(winner) == items[item, ITEM_INPUT]:
            return top
    zeros[top] = neuron
    return top + 1


@loop
def vertex_rows(words, indptr, edges, vertices, lines, items, rows):
    """Write the two lines that cross at each vertex as (neuron, digit on the other side), (-1, row) or (-2, side)."""
    for vertex in range(len(vertices)):
        corner, region = vertices[vertex, 0], vertices[vertex, 1]
        before = indptr[region + 1] - 1 if corner == indptr[region] else corner - 1
        for i in range(2):
            line = edges[before] if i == 0 else edges[corner]
            neuron = lines[line, LINE_NEURON]
            rows[vertex, i, 0] = neuron
            if neuron < 0:
                rows[vertex, i, 1] = lines[line, LINE_ROW]
            else:
                item = lines[line, LINE_ITEM]
                digit = field_of(words, region, items, item) >> np.uint64(items[item, ITEM_SHIFT])
                rows[vertex, i, 1] = lines[line, LINE_LOW] + lines[line, LINE_HIGH] - np.int64(digit)
