"""Polytopes of three or more dimensions as cells: a header and their vertices.

Every vertex knows its coordinates, with error bounds, and the forms that vanish there
(`polyrelu.kernels.polytope_vertices`). A row's signs at the vertices decide whether it cuts the cell, which is then
split by `polyrelu.kernels.polytope_cuts`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import trailing_zeros
from polyrelu.kernels.bounds import HUGE, SLACK, UNIT_ROUNDOFF
from polyrelu.kernels.compiled import contracted_loop, loop
from polyrelu.kernels.extremes import least_and_largest
from polyrelu.kernels.geometry import ask, classify_rows, emit, has_room, keep_side, refresh, row_signs, sides_at_once
from polyrelu.kernels.polytope_cuts import (
    BITS,
    CUT_ROW,
    IS_FAR,
    SIGN,
    SLOTS,
    TOUCHED,
    ZERO_LIST,
    add_slot,
    keep_part,
    slot_of,
)
from polyrelu.kernels.polytope_vertices import sign_at
from polyrelu.kernels.predicates import UNDERFLOW, UNKNOWN


class Polytopes(NamedTuple):
    """What polytopes need (columns: `polyrelu.kernels.tables`).

    Attributes
    ----------
    vertices : float64 array, shape (size, 3 dim + 2)
        Coordinates, their errors, the far direction, its error, the gap (`polyrelu.kernels.polytope_vertices`).
    marks : int64 array, shape (size, N_MARKS)
    masks : uint64 array, shape (size, 2, n_words)
        Slots that vanish at each vertex, and those that are its basis.
    zeros : int64 array, shape (size, 2)
        Tables of slots (column of each) and lists of forms that vanish on whole cells (column, next).
    picked : int64 array, shape (2, size)
        Near and far vertices of the current cell.
    extremes : float64 array, shape (4, n_columns)
        Least and largest value of each row at near vertices, and at far ones.
    block, scratch : float64 arrays
        For solving linear systems, and for choosing independent forms.
    axes : tuple of int
        One entry for each coefficient.
    mask_words : tuple of int
        One entry for each word of a mask.
    """

    maps: NDArray[np.float64]
    floats: NDArray[np.float64]
    bounds: NDArray[np.float64]
    columns: NDArray[np.int64]
    vertices: NDArray[np.float64]
    marks: NDArray[np.int64]
    masks: NDArray[np.uint64]
    zeros: NDArray[np.int64]
    state: NDArray[np.int64]
    picked: NDArray[np.int64]
    extremes: NDArray[np.float64]
    block: NDArray[np.float64]
    scratch: NDArray[np.float64]
    axes: tuple[int, ...]
    mask_words: tuple[int, ...]


class PolytopeOutput(NamedTuple):
    """Finished regions; the caller empties it when it is full."""

    words: NDArray[np.uint64]
    indptr: NDArray[np.int64]
    points: NDArray[np.float64]
    far_corners: NDArray[np.int64]
    far_directions: NDArray[np.float64]
    form_indptr: NDArray[np.int64]
    forms: NDArray[np.int32]
    zero_indptr: NDArray[np.int64]
    zero_columns: NDArray[np.int32]


@has_room.answer(Polytopes)
def _has_room(n_rows, of_one_unit, g):
    state = g.state
    n, parts, table = state[T.LENGTH], 2 * of_one_unit + 2, BITS * len(g.mask_words)
    return state[T.TOP] + parts * (n * n // 4 + 2 * n + 8) < len(g.vertices) and state[T.ZERO_TOP] + n_rows + parts * (
        table + 2
    ) + table < len(g.zeros)


@classify_rows.answer(Polytopes)
def _classify_rows(level, row0, padded, d, g):
    """Compare the least and the largest value at the vertices with a bound of all errors."""
    start, n, dim = g.state[T.START], g.state[T.LENGTH], len(g.axes) - 1
    _set_box(level, g)
    near, far = 0, 0
    for v in range(start + 1, start + n):
        is_far = g.marks[v, IS_FAR]
        g.picked[is_far, far if is_far else near] = v
        far += is_far
        near += 1 - is_far
    least_and_largest(g.maps, row0, padded, g.vertices, g.picked, 0, near, g.extremes, g.axes)
    least_and_largest(g.maps, row0, padded, g.vertices, g.picked, 1, far, g.extremes, g.axes)
    far_error, doubt = 0.0, 0.0
    for i in range(far):
        doubt = max(doubt, g.vertices[g.picked[1, i], 3 * dim])
    for c in range(dim):
        reach = 0.0
        for i in range(far):
            reach = max(reach, abs(g.vertices[g.picked[1, i], 2 * dim + c]))
        rho, size = g.bounds[level, T.RHO, c], g.bounds[level, T.SIZE, c]
        far_error += rho * (reach + doubt) + size * (8.0 * UNIT_ROUNDOFF * reach + doubt)
    error = g.vertices[T.BOX, 2 * dim + 1]
    _compare(g.maps, row0, padded, error, far_error * SLACK, g.extremes, d.positive, d.undecided, g.axes)


@contracted_loop
def _compare(maps, first, n, error, far_error, extremes, positive, undecided, axes):
    norms = len(axes)
    start = np.uint64(first)
    for j in range(np.uint64(n)):
        k = start + j
        near = maps[norms, k] * error + UNDERFLOW
        far = maps[norms, k] * far_error + UNDERFLOW
        is_positive = (extremes[0, k] > near) & (extremes[2, k] > far)
        is_negative = (extremes[1, k] < -near) & (extremes[3, k] < -far)
        positive[k] = is_positive
        undecided[k] = not (is_positive | is_negative)


@refresh.answer(Polytopes)
def _refresh(level, g):
    _set_box(level, g)


@loop
def _set_box(level, g):
    """Store what bounds the current cell in the row BOX.

    A box around it (centre, half sides), what rounding can do on the box to a form of norm 1, the same at near
    vertices, their largest error.
    """
    start, n, dim, box = g.state[T.START], g.state[T.LENGTH], len(g.axes) - 1, g.vertices[T.BOX]
    error = g.bounds[level, T.RHO, dim] + 8.0 * UNIT_ROUNDOFF * (g.bounds[level, T.SIZE, dim] + 1.0)
    at_vertices, worst, has_far = error, 0.0, False
    for v in range(start + 1, start + n):
        has_far |= g.marks[v, IS_FAR] != 0
    for c in range(dim):
        low, high, largest = math.inf, -math.inf, 0.0
        for v in range(start + 1, start + n):
            x, doubt = g.vertices[v, c], g.vertices[v, dim + c]
            if has_far and g.marks[v, IS_FAR]:
                continue
            largest = doubt if doubt > largest else largest
            low = x if x < low else low
            high = x if x > high else high
        middle = 0.5 * (low + high)
        slack = largest + 8.0 * UNIT_ROUNDOFF * (abs(low) + abs(high)) + UNDERFLOW
        half = 0.5 * (high - low) * SLACK + slack
        box[c], box[dim + c] = middle, half
        reach, rho, size = abs(middle) + half, g.bounds[level, T.RHO, c], g.bounds[level, T.SIZE, c]
        error += (rho + 8.0 * UNIT_ROUNDOFF * size) * reach
        at_vertices += (rho + 8.0 * UNIT_ROUNDOFF * size) * reach + size * largest
        worst = max(worst, largest)
    box[2 * dim] = error * SLACK if error < HUGE and not has_far else math.inf
    box[2 * dim + 1] = at_vertices * SLACK if at_vertices < HUGE else math.inf
    box[2 * dim + 2] = worst


@sides_at_once.answer(Polytopes)
def _sides_of_box(row, g):
    """Compare with the box around the current cell."""
    maps, box, dim = g.maps, g.vertices[T.BOX], len(g.axes) - 1
    value, reach = maps[dim, row], maps[dim + 1, row] * box[2 * dim] + UNDERFLOW
    for c in range(dim):
        value += maps[c, row] * box[c]
        reach += abs(maps[c, row]) * box[dim + c]
    is_certain = abs(value) > reach * SLACK
    g.state[T.FILTERED] += is_certain
    return (2 if value > 0.0 else 1) if is_certain else 3


@row_signs.answer(Polytopes)
def _row_signs(row, level, start, n, g):
    return signs_at_vertices(row, level, start, n, g)


@loop
def signs_at_vertices(row, level, start, n, g):
    """Write the signs of a row at a cell's vertices; return 1 if some are negative plus 2 if some are positive.

    The cell is the current one or a part of it. A row that touches the cell gets a slot; one that vanishes everywhere
    joins the cell's list.
    """
    dim, box = len(g.axes) - 1, T.BOX
    error = g.maps[dim + 1, row] * g.vertices[box, 2 * dim + 1] + UNDERFLOW
    found, n_zero = 0, 0
    for v in range(start + 1, start + n):
        value, is_known = g.maps[dim, row], g.marks[v, IS_FAR] == 0
        for c in range(dim):
            value += g.maps[c, row] * g.vertices[v, c]
            is_known &= g.vertices[v, dim + c] <= g.vertices[box, 2 * dim + 2]
        if is_known and abs(value) > error:
            sign = 1 if value > 0.0 else -1
        else:
            sign = sign_at(row, level, v, g)
            if sign == UNKNOWN:
                sign = _resolve(row, v, start, g)
        g.marks[v, SIGN] = sign
        found |= 1 if sign < 0 else (2 if sign > 0 else 0)
        n_zero += sign == 0
    g.state[T.FILTERED] += n - 1
    if n_zero == n - 1:
        top = g.state[T.ZERO_TOP]
        g.zeros[top, 0], g.zeros[top, 1] = row, g.marks[start, ZERO_LIST]
        g.marks[start, ZERO_LIST] = top
        g.state[T.ZERO_TOP] = top + 1
    elif n_zero and found != 3:
        slot = slot_of(row, start, n, g)
        g.marks[start, CUT_ROW] = -1  # the slot of a row that has cut this cell may be this one now
        for v in range(start + 1, start + n):
            if g.marks[v, SIGN] == 0:
                add_slot(slot, v, g)
                g.marks[v, TOUCHED] = 1
    return found


@loop
def _resolve(row, v, start, g):
    """Decide a sign that the filter left open: zero for a row proportional to one that vanishes here, else ask."""
    g.state[T.FILTERED] -= 1
    kind = g.columns[row, T.COLUMN_CLASS]
    for w in range(len(g.mask_words)):
        bits = g.masks[v, 0, w]
        while bits:
            slot = w * BITS + np.int64(trailing_zeros(bits))
            bits &= bits - np.uint64(1)
            if g.columns[g.zeros[g.marks[start, SLOTS] + slot, 0], T.COLUMN_CLASS] == kind:
                g.state[T.EXTENDED] += 1
                return 0
    return ask(T.ASK_SIGN, row, v, start, g)


@keep_side.answer(Polytopes)
def _keep_side(side, row, level, start, n, g):
    return keep_part(side, row, start, n, g)


@emit.answer(Polytopes)
def _emit(words, output, g):
    state, dim = g.state, len(g.axes) - 1
    start, n = state[T.START], state[T.LENGTH]
    region, corner, entry, far = state[T.N_OUT], state[T.N_CORNERS], state[T.N_EXTRA], state[T.N_FAR]
    zero, table = state[T.N_ZERO], g.marks[start, SLOTS]
    n_slots = BITS * len(g.mask_words)
    if region + 1 >= len(output.indptr) or corner + n > len(output.points) or far + n > len(output.far_corners):
        return False
    if entry + n * n_slots > len(output.forms):
        return False
    node = g.marks[start, ZERO_LIST]
    while node >= 0:
        if zero >= len(output.zero_columns):
            return False
        output.zero_columns[zero] = g.zeros[node, 0]
        zero += 1
        node = g.zeros[node, 1]
    for v in range(start + 1, start + n):
        for c in range(dim):
            output.points[corner, c] = g.vertices[v, c]
        if g.marks[v, IS_FAR]:
            output.far_corners[far] = corner
            for c in range(dim):
                output.far_directions[far, c] = g.vertices[v, 2 * dim + c]
            far += 1
        for part in range(2):  # the basis first
            for w in range(len(g.mask_words)):
                bits = g.masks[v, 1, w] if part == 0 else g.masks[v, 0, w] & ~g.masks[v, 1, w]
                while bits:
                    slot = w * BITS + np.int64(trailing_zeros(bits))
                    bits &= bits - np.uint64(1)
                    output.forms[entry] = g.zeros[table + slot, 0]
                    entry += 1
        output.form_indptr[corner + 1] = entry
        corner += 1
    for word in range(output.words.shape[1]):
        output.words[region, word] = words[word]
    output.indptr[region + 1] = corner
    output.zero_indptr[region + 1] = zero
    state[T.N_OUT], state[T.N_CORNERS], state[T.N_EXTRA], state[T.N_FAR] = region + 1, corner, entry, far
    state[T.N_ZERO] = zero
    return True


@loop
def clip(first, last, g):
    """Cut the current cell with the good sides of some rows; return whether it keeps interior points."""
    state = g.state
    for row in range(first, last):
        g.vertices[T.BOX, 2 * len(g.axes) - 1] = math.inf  # no common bound: exact rows of the domain have norm 0
        level = g.columns[row, T.COLUMN_LEVEL]
        found = signs_at_vertices(row, level, state[T.START], state[T.LENGTH], g)
        if state[T.ABORT] or found == 1:
            return False
        if found == 3:
            start = state[T.TOP]
            state[T.LENGTH] = keep_part(1, row, state[T.START], state[T.LENGTH], g)
            state[T.START] = start
    g.marks[state[T.START], ZERO_LIST] = -1  # rows without a normal
    return True
