"""Splitting a polytope by a form: which vertices it keeps, where the edges are cut, and how the new ones are placed.

A cell's rows on the stack are a header and its vertices (`polyrelu.kernels.polytopes`). Forms that vanish at some
vertex of a cell, and have no zero inside it, have a *slot*: the cell's table of slots lies on the stack ``zeros``, and
each vertex has a mask of slots. All facets of the cell are among the slots, and all slots cut faces out of it. Hence
two vertices are joined by an edge iff no third vertex lies on all slots that both lie on: the face lattice of a
polytope is that of its incidences, simple or not. (A form that cuts the cell must have no slot before the cell is
split: with the diagonal of a square among the slots, its ends would count as joined.) Splitting keeps the vertices on
one side, and adds one on each edge that the form crosses.

A vertex is placed by ``dim`` forms that vanish there and are independent, its basis
(`polyrelu.kernels.polytope_vertices`). On an edge they are those of a basis of one end that vanish at the other end
too; where these are too few, forms are chosen by elimination, which only proposes: independence is proved when the
vertex is placed, by floats or by rationals.
"""

from __future__ import annotations

import math

import numpy as np

from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import count_ones, trailing_zeros
from polyrelu.kernels.compiled import inlined, loop
from polyrelu.kernels.geometry import ask
from polyrelu.kernels.lanes import N_LANES
from polyrelu.kernels.polytope_vertices import fields_of, solve_block

# --- columns of the marks of a vertex, and of a header ----------------------------------------------------------
SIGN, IS_FAR = 0, 1
SLOTS, N_SLOTS = 0, 1  # the cell's table of slots
ZERO_LIST = 2  # forms that vanish on the whole cell
CUT_ROW, CUT_AT, N_CUT = 3, 4, 5  # the row that has just cut the cell, and where its new vertices are
N_MARKS = 6
TOUCHED = 2  # of a vertex: a row that touches its cell has given it a slot since it was made
BITS = 64  # slots in one word of a mask


@inlined
def add_slot(slot, v, g):
    g.masks[v, 0, slot // BITS] |= np.uint64(1) << np.uint64(slot % BITS)


@loop
def slot_of(row, start, n, g):
    """Return the slot of a row in a cell's table: the one it has, or the first one that no vertex needs."""
    table, length = g.marks[start, SLOTS], g.marks[start, N_SLOTS]
    for slot in range(length):
        if g.zeros[table + slot, 0] == row:
            return slot
    for w in range(len(g.mask_words)):
        used = np.uint64(0)
        for v in range(start + 1, start + n):
            used |= g.masks[v, 0, w]
        if ~used:
            slot = w * BITS + np.int64(trailing_zeros(~used))
            g.zeros[table + slot, 0] = row
            g.marks[start, N_SLOTS] = max(length, slot + 1)
            return slot
    g.state[T.ABORT] = T.OUTGROWN
    return 0


@loop
def keep_part(side, row, start, n, g):
    """Put the part of a cell on one side of a row on the stack; return its length, 0 if there is no room.

    `signs_at_vertices` has just written the signs. Both parts have the same new vertices: the second one copies them.
    """
    top = g.state[T.TOP]
    n_kept, n_lost = 0, 0
    for v in range(start + 1, start + n):
        n_kept += g.marks[v, SIGN] * side >= 0
        n_lost += g.marks[v, SIGN] * side < 0
    if top + 2 + n_kept * (n_lost + 1) > len(g.vertices):  # the part of a part: `has_room` has not seen it
        g.state[T.ABORT] = T.OUTGROWN
        return 0
    slot = slot_of(row, start, n, g)
    header, table = top, g.state[T.ZERO_TOP]
    old_table, n_slots = g.marks[start, SLOTS], g.marks[start, N_SLOTS]
    for i in range(n_slots):
        g.zeros[table + i, 0] = g.zeros[old_table + i, 0]
    g.state[T.ZERO_TOP] = table + BITS * len(g.mask_words)
    g.marks[header, SLOTS], g.marks[header, N_SLOTS] = table, n_slots
    g.marks[header, ZERO_LIST], g.marks[header, CUT_ROW] = g.marks[start, ZERO_LIST], -1
    top += 1
    for v in range(start + 1, start + n):
        if g.marks[v, SIGN] * side >= 0:
            _copy_vertex(top, v, g)
            if g.marks[v, SIGN] == 0:
                add_slot(slot, top, g)
            top += 1
    if g.marks[start, CUT_ROW] == row and _is_untouched(start, g):
        first = g.marks[start, CUT_AT]
        for v in range(first, first + g.marks[start, N_CUT]):
            _copy_vertex(top, v, g)
            top += 1
    else:
        first = top
        for v in range(start + 1, start + n):
            if g.marks[v, SIGN] > 0:
                for u in range(start + 1, start + n):
                    if g.marks[u, SIGN] < 0 and _is_edge(v, u, start, n, top, g):
                        _choose_forms(top, v, u, slot, header, g)
                        top += 1
        for v in range(first, top):
            g.marks[v, TOUCHED] = 0
        _place(first, top, header, g)
        g.marks[start, CUT_ROW], g.marks[start, CUT_AT], g.marks[start, N_CUT] = row, first, top - first
    g.state[T.TOP] = top
    return top - header


@inlined
def _is_untouched(start, g):
    """Return whether the vertices that the last cut of a cell made are as they were made."""
    first, touched = g.marks[start, CUT_AT], 0
    for v in range(first, first + g.marks[start, N_CUT]):
        touched |= g.marks[v, TOUCHED]
    return touched == 0


@inlined
def _copy_vertex(target, source, g):
    for c in range(3 * len(g.axes) - 1):
        g.vertices[target, c] = g.vertices[source, c]
    g.marks[target, IS_FAR], g.marks[target, TOUCHED] = g.marks[source, IS_FAR], 0
    for w in range(len(g.mask_words)):
        g.masks[target, 0, w] = g.masks[source, 0, w]
        g.masks[target, 1, w] = g.masks[source, 1, w]


@inlined
def _is_edge(v, u, start, n, new, g):
    """Return whether two vertices are joined by an edge; if so, write the slots of the edge as the mask ``new``.

    A vertex with ``dim`` slots is simple: any ``dim - 1`` of them meet in an edge.
    """
    dim = len(g.axes) - 1
    common, at_first = 0, 0
    for w in range(len(g.mask_words)):
        g.masks[new, 0, w] = g.masks[v, 0, w] & g.masks[u, 0, w]
        common += np.int64(count_ones(g.masks[new, 0, w]))
        at_first += np.int64(count_ones(g.masks[v, 0, w]))
    if common < dim - 1:
        return False
    if at_first == dim:
        return True
    for other in range(start + 1, start + n):
        missing = np.uint64(0)
        for w in range(len(g.mask_words)):
            missing |= g.masks[new, 0, w] & ~g.masks[other, 0, w]
        if missing == np.uint64(0) and other != v and other != u:
            return False
    return True


@inlined
def _choose_forms(new, v, u, slot, header, g):
    """Complete the mask of a new vertex on the edge from ``v`` to ``u``, and choose its basis."""
    needed = len(g.axes) - 2
    n_first, n_second = 0, 0
    for w in range(len(g.mask_words)):
        n_first += np.int64(count_ones(g.masks[new, 0, w] & g.masks[v, 1, w]))
        n_second += np.int64(count_ones(g.masks[new, 0, w] & g.masks[u, 1, w]))
    if n_first >= needed or n_second >= needed:
        end = v if n_first >= needed else u
        for w in range(len(g.mask_words)):
            g.masks[new, 1, w] = g.masks[new, 0, w] & g.masks[end, 1, w]
    else:
        _choose_basis(new, header, needed, g)
    add_slot(slot, new, g)
    g.masks[new, 1, slot // BITS] |= np.uint64(1) << np.uint64(slot % BITS)


@loop
def _place(first, last, header, g):
    """Place vertices by the forms of their bases, eight at a time."""
    dim = len(g.axes) - 1
    _, _, _, _, result, far_error, gap, certain = fields_of(g.axes)
    for start in range(first, last, N_LANES):
        stop = min(start + N_LANES, last)
        is_complete, has_far = True, False
        for v in range(start, stop):
            g.marks[v, IS_FAR] = 0
            is_complete &= _load_forms(v, v - start, header, g)
            has_far |= g.marks[v, IS_FAR] != 0
        solve_block(g.block, has_far, g.axes)
        for v in range(start, stop):
            lane = v - start
            for c in range(3 * dim):
                g.vertices[v, c] = g.block[N_LANES * (result + c) + lane]
            g.vertices[v, 3 * dim] = g.block[N_LANES * far_error + lane]
            g.vertices[v, 3 * dim + 1] = g.block[N_LANES * gap + lane]
            if not is_complete or g.block[N_LANES * certain + lane] != 1.0:
                ask(T.ASK_VERTEX, 0, v, header, g)


@inlined
def _load_forms(v, lane, header, g):
    """Write the forms of a vertex's basis to a lane of the block; False if they are not ``dim``."""
    dim, i = len(g.axes) - 1, 0
    constant, constant_error, far, lattice, _, _, _, _ = fields_of(g.axes)
    for w in range(len(g.mask_words)):
        bits = g.masks[v, 1, w]
        while bits:
            slot = w * BITS + np.int64(trailing_zeros(bits))
            bits &= bits - np.uint64(1)
            if i == dim:
                return False
            column = g.zeros[g.marks[header, SLOTS] + slot, 0]
            level, norm = g.columns[column, T.COLUMN_LEVEL], g.maps[dim + 1, column]
            for c in range(dim):
                g.block[N_LANES * (i * dim + c) + lane] = g.maps[c, column]
                g.block[N_LANES * (dim * dim + i * dim + c) + lane] = norm * g.bounds[level, T.RHO, c]
            g.block[N_LANES * (constant + i) + lane] = g.maps[dim, column]
            g.block[N_LANES * (constant_error + i) + lane] = norm * g.bounds[level, T.RHO, dim]
            is_far = g.columns[column, T.FAR_SIDE] != 0
            g.block[N_LANES * (far + i) + lane] = 1.0 if is_far else 0.0
            g.marks[v, IS_FAR] |= is_far
            g.block[N_LANES * (lattice + i) + lane] = g.floats[level, T.LATTICE]
            i += 1
    return i == dim


@loop
def _choose_basis(new, header, needed, g):
    """Propose independent forms among those of an edge, by elimination: each time the longest remaining normal."""
    dim = len(g.axes) - 1
    for w in range(len(g.mask_words)):
        g.masks[new, 1, w] = np.uint64(0)
    for chosen in range(needed):
        best, longest = -1, 0.0
        for w in range(len(g.mask_words)):
            bits = g.masks[new, 0, w] & ~g.masks[new, 1, w]
            while bits:
                slot = w * BITS + np.int64(trailing_zeros(bits))
                bits &= bits - np.uint64(1)
                length = _remainder(g.zeros[g.marks[header, SLOTS] + slot, 0], chosen, needed, g)
                if length > longest:
                    best, longest = slot, length
        if best < 0:
            return
        g.masks[new, 1, best // BITS] |= np.uint64(1) << np.uint64(best % BITS)
        length = math.sqrt(_remainder(g.zeros[g.marks[header, SLOTS] + best, 0], chosen, needed, g))
        for c in range(dim):
            g.scratch[chosen, c] = g.scratch[needed, c] / length


@inlined
def _remainder(column, chosen, target, g):
    """Write what remains of a normal beside the chosen directions to a row of the scratch space; return its square."""
    dim, norm = len(g.axes) - 1, 0.0
    for c in range(dim):
        norm += g.maps[c, column] * g.maps[c, column]
    norm = math.sqrt(norm)
    square = 0.0
    for c in range(dim):
        g.scratch[target, c] = g.maps[c, column] / norm
    for i in range(chosen):
        along = 0.0
        for c in range(dim):
            along += g.scratch[i, c] * g.scratch[target, c]
        for c in range(dim):
            g.scratch[target, c] -= along * g.scratch[i, c]
    for c in range(dim):
        square += g.scratch[target, c] * g.scratch[target, c]
    return square
