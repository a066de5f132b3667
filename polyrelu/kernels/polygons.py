"""Polygons on a stack: signs of a form at their vertices, and their parts on either side of it.

The stack, the maps and the lists of vanishing forms travel together as a `Geometry`. Signs come from the filter of
`polyrelu.kernels.predicates`; rows that are proportional in the network are one line in every region, so their signs
need no arithmetic; all others that stay open are asked (`ask`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import call_address
from polyrelu.kernels.compiled import inlined, loop
from polyrelu.kernels.predicates import (
    UNDERFLOW,
    UNKNOWN,
    box_bounds,
    box_error,
    place_crossing,
    place_far_crossing,
    sign_at_vertex,
)


class Geometry(NamedTuple):
    """What a polygon needs (columns: `polyrelu.kernels.tables`)."""

    maps: NDArray[np.float64]
    floats: NDArray[np.float64]
    columns: NDArray[np.int64]
    vertices: NDArray[np.float64]
    marks: NDArray[np.int64]
    zeros: NDArray[np.int64]
    state: NDArray[np.int64]


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
    vertices[T.BOX, T.BOX_ERROR] = box_error(g.floats, level, x, y, x_half, y_half)
    return True


@inlined
def sides_of_box(row, g):
    """Return 1 or 2 if a row is certainly negative or positive on the box of the current polygon, else 3."""
    maps, box = g.maps, g.vertices
    a, b = maps[0, row], maps[1, row]
    value = a * box[T.BOX, T.X] + b * box[T.BOX, T.Y] + maps[2, row]
    reach = abs(a) * box[T.BOX, T.X_HALF] + abs(b) * box[T.BOX, T.Y_HALF] + UNDERFLOW
    reach += maps[3, row] * box[T.BOX, T.BOX_ERROR]
    g.state[T.FILTERED] += abs(value) > reach
    return 2 if value > reach else (1 if value < -reach else 3)


@loop
def row_signs(row, level, start, n, g):
    """Write the signs of a row at a polygon's vertices; return 1 if some are negative plus 2 if some are positive.

    Where the row vanishes it is added to the vertex's list of vanishing forms.
    """
    found = 0
    for v in range(start, start + n):
        sign = sign_at_vertex(g.maps, g.floats, level, row, g.vertices, v)
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
def ask(kind, row, line, other, g):
    """Put a question; the answer to `ASK_VERTEX` lies in the scratch row of the vertices."""
    state = g.state
    state[T.QUESTION], state[T.QUESTION + 1] = kind, row
    state[T.QUESTION + 2], state[T.QUESTION + 3] = line, other
    answer = call_address(state[T.ASK], np.int64(0))
    if answer == T.ABORT_ANSWER:
        state[T.ABORT] = 1
        return 0
    return answer - T.SIGN_SHIFT


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


@loop
def keep_side(side, row, level, start, n, g):
    """Put the part of a polygon on one side of a row on the stack; return its length.

    `row_signs` has just written the signs. Vertices keep the line of the edge that starts at them.
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
    side_x, side_y = g.columns[line, T.FAR_SIDE_X], g.columns[line, T.FAR_SIDE_Y]
    if side_x != 0 or side_y != 0:
        is_certain = place_far_crossing(g.maps, g.floats, row, level, side_x, side_y, g.vertices, v)
    else:
        line_level = g.columns[line, T.COLUMN_LEVEL]
        is_certain = place_crossing(g.maps, g.floats, line, line_level, row, level, g.vertices, v)
    if not is_certain:
        ask(T.ASK_VERTEX, row, line, row, g)
        for c in range(T.N_VERTEX_FLOATS):
            g.vertices[v, c] = g.vertices[T.SCRATCH, c]
