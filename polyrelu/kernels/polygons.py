"""Polygons on a stack: signs of a form at their vertices, and their parts on either side of it.

The stack, the maps and the lists of vanishing forms travel together as `Polygons`. Signs come from the filter of
`polyrelu.kernels.predicates`; rows that are proportional in the network are one line in every region, so their signs
need no arithmetic; all others that stay open are asked (`ask`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels import tables as T
from polyrelu.kernels.compiled import inlined, loop
from polyrelu.kernels.geometry import ask, classify_rows, emit, has_room, keep_side, refresh, row_signs, sides_at_once
from polyrelu.kernels.predicates import (
    UNDERFLOW,
    UNKNOWN,
    box_bounds,
    box_error,
    classify_box,
    place_crossing,
    place_far_crossing,
    sign_at_vertex,
)


class Polygons(NamedTuple):
    """What a polygon needs (columns: `polyrelu.kernels.tables`)."""

    maps: NDArray[np.float64]
    floats: NDArray[np.float64]
    bounds: NDArray[np.float64]
    columns: NDArray[np.int64]
    vertices: NDArray[np.float64]
    marks: NDArray[np.int64]
    zeros: NDArray[np.int64]
    state: NDArray[np.int64]
    axes: tuple[int, int, int] = (0, 1, 2)


class PolygonOutput(NamedTuple):
    """Finished regions; the caller empties it when it is full."""

    words: NDArray[np.uint64]
    indptr: NDArray[np.int64]
    corners: NDArray[np.float64]
    edges: NDArray[np.int32]
    extra: NDArray[np.int64]
    far: NDArray[np.float64]


@has_room.answer(Polygons)
def _has_room(n_rows, of_one_unit, g):
    state = g.state
    n = state[T.LENGTH]
    vertices = 2 * (n + of_one_unit + 8) * (of_one_unit + 2)
    return state[T.TOP] + vertices < len(g.vertices) and state[T.ZERO_TOP] + (n_rows + 8) * (
        n + 8
    ) + 8 * vertices < len(g.zeros)


@classify_rows.answer(Polygons)
def _classify_rows(level, row0, padded, d, g):
    """Compare with a box around the polygon; every row is undecided if it reaches the far square."""
    if not set_box(level, g):
        for row in range(row0, row0 + padded):
            d.undecided[row] = 1
            d.positive[row] = 0
        return
    box = g.vertices[T.BOX]
    x, y, x_half, y_half, error = box[T.X], box[T.Y], box[T.X_HALF], box[T.Y_HALF], box[T.BOX_ERROR]
    classify_box(g.maps, row0, padded, x, y, x_half, y_half, error, d.positive, d.undecided)


@loop
def set_box(level, g):
    """Store a box around the current polygon; False, and a box without bound, if the polygon is not near."""
    start, n, vertices = g.state[T.START], g.state[T.LENGTH], g.vertices
    for v in range(start, start + n):
        if vertices[v, T.FAR_X] != 0.0 or vertices[v, T.FAR_Y] != 0.0:
            vertices[T.BOX, T.BOX_ERROR] = math.inf
            return False
    x, y, x_half, y_half = box_bounds(vertices, start, n)
    vertices[T.BOX, T.X], vertices[T.BOX, T.Y] = x, y
    vertices[T.BOX, T.X_HALF], vertices[T.BOX, T.Y_HALF] = x_half, y_half
    vertices[T.BOX, T.BOX_ERROR] = box_error(g.bounds, level, x, y, x_half, y_half)
    return True


@refresh.answer(Polygons)
def _refresh(level, g):
    set_box(level, g)


@sides_at_once.answer(Polygons)
def _sides_of_box(row, g):
    """Compare with the box of the current polygon."""
    maps, box = g.maps, g.vertices
    a, b = maps[0, row], maps[1, row]
    value = a * box[T.BOX, T.X] + b * box[T.BOX, T.Y] + maps[2, row]
    reach = abs(a) * box[T.BOX, T.X_HALF] + abs(b) * box[T.BOX, T.Y_HALF] + UNDERFLOW
    reach += maps[3, row] * box[T.BOX, T.BOX_ERROR]
    g.state[T.FILTERED] += abs(value) > reach
    return 2 if value > reach else (1 if value < -reach else 3)


@row_signs.answer(Polygons)
def _row_signs(row, level, start, n, g):
    return signs_at_vertices(row, level, start, n, g)


@loop
def signs_at_vertices(row, level, start, n, g):
    """Write the signs of a row at a polygon's vertices; return 1 if some are negative plus 2 if some are positive.

    Where the row vanishes it is added to the vertex's list of vanishing forms.
    """
    found = 0
    for v in range(start, start + n):
        sign = sign_at_vertex(g.maps, g.floats, g.bounds, level, row, g.vertices, v)
        if sign == UNKNOWN:
            before = v - 1 if v > start else start + n - 1
            sign = _resolve(row, v, g.marks[before, T.EDGE], g.marks[v, T.EDGE], g)
        if sign == 0:
            add_zero(v, row, g)
        g.marks[v, T.SIGN] = sign
        found |= 1 if sign < 0 else (2 if sign > 0 else 0)
    g.state[T.FILTERED] += n
    return found


@loop
def _resolve(row, v, line, other, g):
    """Decide a sign that the filter left open: zero for proportional rows, else ask."""
    g.state[T.FILTERED] -= 1
    kind = g.columns[row, T.COLUMN_CLASS]
    is_zero = kind == g.columns[line, T.COLUMN_CLASS] or kind == g.columns[other, T.COLUMN_CLASS]
    node = g.marks[v, T.ZEROS]
    while node >= 0 and not is_zero:
        is_zero = g.columns[g.zeros[node, 0], T.COLUMN_CLASS] == kind
        node = g.zeros[node, 1]
    if is_zero:
        g.state[T.EXTENDED] += 1
        return 0
    return ask(T.ASK_SIGN, row, line, other, g)


@loop
def add_zero(v, row, g):
    """Add a form to the list of those that vanish at a vertex, unless it is there."""
    node = g.marks[v, T.ZEROS]
    while node >= 0:
        if g.zeros[node, 0] == row:
            return
        node = g.zeros[node, 1]
    top = g.state[T.ZERO_TOP]
    g.zeros[top, 0] = row
    g.zeros[top, 1] = g.marks[v, T.ZEROS]
    g.marks[v, T.ZEROS] = top
    g.state[T.ZERO_TOP] = top + 1


@keep_side.answer(Polygons)
def _keep_side(side, row, level, start, n, g):
    return keep_part(side, row, level, start, n, g)


@loop
def keep_part(side, row, level, start, n, g):
    """Put the part of a polygon on one side of a row on the stack; return its length.

    `signs_at_vertices` has just written the signs. Vertices keep the line of the edge that starts at them.
    """
    vertices, marks, state = g.vertices, g.marks, g.state
    top = state[T.TOP]
    for v in range(start, start + n):
        w = v + 1 if v + 1 < start + n else start
        here, there = marks[v, T.SIGN] * side, marks[w, T.SIGN] * side
        if here >= 0:
            for c in range(T.N_VERTEX_FLOATS):
                vertices[top, c] = vertices[v, c]
            marks[top, T.EDGE] = marks[v, T.EDGE]
            marks[top, T.ZEROS] = marks[v, T.ZEROS]
            if here == 0 and there < 0:  # the edge that leaves here is the row itself from now on
                add_zero(top, marks[v, T.EDGE], g)
                marks[top, T.EDGE] = row
            elif here == 0:
                add_zero(top, marks[v - 1 if v > start else start + n - 1, T.EDGE], g)
            top += 1
        if here * there < 0:
            _place(top, marks[v, T.EDGE], row, level, g)
            marks[top, T.EDGE] = row if here > 0 else marks[v, T.EDGE]
            marks[top, T.ZEROS] = -1
            if marks[v, T.ZEROS] >= 0 and marks[w, T.ZEROS] >= 0:
                _share_zeros(top, v, w, g)
            top += 1
    length = top - state[T.TOP]
    state[T.TOP] = top
    return length


@loop
def _share_zeros(new, v, w, g):
    """Give a vertex inside an edge the forms that vanish at both ends, hence on the whole edge."""
    node = g.marks[v, T.ZEROS]
    while node >= 0:
        row = g.zeros[node, 0]
        other = g.marks[w, T.ZEROS]
        while other >= 0 and g.zeros[other, 0] != row:
            other = g.zeros[other, 1]
        if other >= 0:
            add_zero(new, row, g)
        node = g.zeros[node, 1]


@inlined
def _place(v, line, row, level, g):
    """Store the crossing of an edge's line with a row as vertex ``v``."""
    side = g.columns[line, T.FAR_SIDE]
    if side != 0:
        sign = -1 if side & 1 else 1
        side_x, side_y = (sign, 0) if side <= 2 else (0, sign)
        is_certain = place_far_crossing(g.maps, g.floats, g.bounds, row, level, side_x, side_y, g.vertices, v)
    else:
        line_level = g.columns[line, T.COLUMN_LEVEL]
        is_certain = place_crossing(g.maps, g.floats, g.bounds, line, line_level, row, level, g.vertices, v)
    if not is_certain:
        ask(T.ASK_VERTEX, row, line, row, g)
        for c in range(T.N_VERTEX_FLOATS):
            g.vertices[v, c] = g.vertices[T.SCRATCH, c]


@emit.answer(Polygons)
def _emit(words, output, g):
    state = g.state
    start, n = state[T.START], state[T.LENGTH]
    region, corner, extra, far = state[T.N_OUT], state[T.N_CORNERS], state[T.N_EXTRA], state[T.N_FAR]
    if region + 1 >= len(output.indptr) or corner + n > len(output.edges) or far + n > len(output.far):
        return False
    for i in range(n):
        v = start + i
        output.corners[corner + i, 0] = g.vertices[v, T.X]
        output.corners[corner + i, 1] = g.vertices[v, T.Y]
        output.edges[corner + i] = g.marks[v, T.EDGE]
        far_x, far_y = g.vertices[v, T.FAR_X], g.vertices[v, T.FAR_Y]
        if far_x != 0.0 or far_y != 0.0:
            output.far[far, 0], output.far[far, 1], output.far[far, 2] = corner + i, far_x, far_y
            far += 1
        node = g.marks[v, T.ZEROS]
        while node >= 0:
            if extra >= len(output.extra):
                return False
            output.extra[extra, 0], output.extra[extra, 1] = corner + i, g.zeros[node, 0]
            extra += 1
            node = g.zeros[node, 1]
    for word in range(output.words.shape[1]):
        output.words[region, word] = words[word]
    output.indptr[region + 1] = corner + n
    state[T.N_OUT], state[T.N_CORNERS], state[T.N_EXTRA], state[T.N_FAR] = region + 1, corner + n, extra, far
    return True
