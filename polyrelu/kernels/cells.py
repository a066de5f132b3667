"""Cells of any dimension as lists of halfspaces, with a point inside: what splitting by linear programs needs.

How a cell is stored: `polyrelu.kernels.cell_layout`. On which sides of a form it has points, with proofs:
`polyrelu.kernels.cell_signs`. Which of its rows are facets: `polyrelu.kernels.cell_facets`.
"""

from __future__ import annotations

import math

import numpy as np

from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import SLACK, UNIT_ROUNDOFF
from polyrelu.kernels.cell_facets import REDUNDANT, decide_bounded, find_facets
from polyrelu.kernels.cell_layout import (
    COLUMN,
    DOMAIN_IS_BOUNDED,
    FACTOR,
    IS_INSIDE,
    LINE,
    MOVING,
    N_EXTRA,
    N_MARKS,
    N_ROWS,
    SIDE,
    STRIDE,
    TOUCHES,
    WANTS_FACETS,
    ZERO_LIST,
    Cells,
    cell_lines,
    free_corner,
    header_size,
    store_corner,
    stride_of,
)
from polyrelu.kernels.cell_signs import PLAIN, find_corner, forget_form, load_form, signs_on_cell
from polyrelu.kernels.compiled import contracted_loop, inlined, loop, outlined
from polyrelu.kernels.geometry import classify_rows, emit, has_room, keep_side, refresh, row_signs, sides_at_once
from polyrelu.kernels.predicates import UNDERFLOW
from polyrelu.kernels.programs import NO_ROW, evaluate_rates
from polyrelu.kernels.proofs import is_inside

NARROW = 2.0**-20
"""A cell's point that is closer than this to one of its rows is moved to where there is more room."""


@has_room.answer(Cells)
def _has_room(n_rows, of_one_unit, g):
    state, dim, parts = g.state, len(g.axes) - 1, 2 * of_one_unit + 2
    n = g.marks[LINE * state[T.START] + N_ROWS] + of_one_unit + 1
    top = state[T.TOP] + (parts + 1) * cell_lines(n, dim)
    return LINE * top < len(g.vertices) and state[T.ZERO_TOP] + n_rows + parts < len(g.zeros)


@classify_rows.answer(Cells)
def _classify_rows(level, row0, padded, d, g):
    """Compare with the box around the cell."""
    dim, box = len(g.axes) - 1, LINE * g.state[T.START] + len(g.axes) - 1
    error = g.bounds[level, T.RHO, dim] + 8.0 * UNIT_ROUNDOFF * (g.bounds[level, T.SIZE, dim] + 1.0)
    for c in range(dim):
        reach = max(abs(g.vertices[box + c]), abs(g.vertices[box + dim + c]))
        error += (g.bounds[level, T.RHO, c] + 8.0 * UNIT_ROUNDOFF * g.bounds[level, T.SIZE, c]) * reach
    _evaluate_on_box(g.maps, row0, padded, g.vertices, box, g.extremes, dim)
    _compare(g.maps, row0, padded, error * SLACK, g.extremes, d.positive, d.undecided, dim)


@contracted_loop
def _evaluate_on_box(maps, first, n, vertices, box, extremes, dim):
    """Write the value of each form at the centre of a box, and how far it can differ from that on the box."""
    begin = np.uint64(first)
    for j in range(np.uint64(n)):
        extremes[0, begin + j] = maps[dim, begin + j]
        extremes[1, begin + j] = 0.0
    for c in range(dim):
        low, high = vertices[box + c], vertices[box + dim + c]
        centre, half = 0.5 * (low + high), 0.5 * (high - low)
        for j in range(np.uint64(n)):
            extremes[0, begin + j] += maps[c, begin + j] * centre
            extremes[1, begin + j] += abs(maps[c, begin + j]) * half


@contracted_loop
def _compare(maps, first, n, error, extremes, positive, undecided, dim):
    begin = np.uint64(first)
    for j in range(np.uint64(n)):
        k = begin + j
        reach = extremes[1, k] * SLACK + maps[dim + 1, k] * error + UNDERFLOW
        positive[k] = extremes[0, k] > reach
        undecided[k] = not (abs(extremes[0, k]) > reach)


@refresh.answer(Cells)
def _refresh(level, g):
    pass


@sides_at_once.answer(Cells)
def _sides_at_once(row, g):
    return 3


@row_signs.answer(Cells)
def _row_signs(row, level, start, n, g):
    return signs_on_cell(row, level, start, g)


@keep_side.answer(Cells)
def _keep_side(side, row, level, start, n, g):
    return keep_part(side, row, start, g)


@outlined
def keep_part(side, column, start, g):
    """Put the part of a cell on one side of the form that was tested last on the stack; return its lines."""
    dim, base, part = len(g.axes) - 1, LINE * start, (side + 1) // 2
    old, n = g.marks[base + STRIDE], g.marks[base + N_ROWS]
    source, new = base + header_size(dim), stride_of(n + 1)
    target = LINE * g.state[T.TOP]
    rows = target + header_size(dim)
    if not g.are_ready[part]:
        find_corner(side, part, base, g)
    for c in range(dim):
        g.vertices[target + c] = g.points[part, c]
    for c in range(dim, 3 * dim):
        g.vertices[target + c] = g.vertices[base + c]
    store_corner(target, part, g)
    g.marks[target + N_ROWS], g.marks[target + STRIDE] = n + 1, new
    g.marks[target + IS_INSIDE], g.marks[target + ZERO_LIST] = g.are_inside[part], g.marks[base + ZERO_LIST]
    _copy_rows(g.vertices, source, old, rows, new, n, dim + 1 + N_EXTRA)
    _copy_rows(g.marks, source, old, rows, new, n, N_MARKS)
    for c in range(dim + 1 + N_EXTRA):
        g.vertices[rows + c * new + n] = g.form[c] * (side if c <= dim or c == dim + FACTOR else 1)
    g.marks[rows + COLUMN * new + n], g.marks[rows + SIDE * new + n] = column, side
    g.marks[rows + TOUCHES * new + n] = -1
    lines = cell_lines(n + 1, dim)
    g.state[T.TOP] += lines
    if g.marks[target + IS_INSIDE]:
        _make_room(target, rows, new, n + 1, part, g)
    return lines


@inlined
def _copy_rows(stack, source, old, target, new, n, width):
    for c in range(width):
        for i in range(n):
            stack[target + c * new + i] = stack[source + c * old + i]


@inlined
def _make_room(base, offset, stride, n, part, g):
    """Move a cell's point away from its nearest row, to the middle of the chord, where that gives more room."""
    dim = len(g.axes) - 1
    for c in range(dim):
        g.points[MOVING, c] = g.vertices[base + c]
    if not is_inside(MOVING, NO_ROW, offset, stride, n, g):
        return
    for _ in range(4):
        nearest = 0
        for i in range(n):
            nearest = i if g.values[i] < g.values[nearest] else nearest
        room = g.values[nearest]
        if room > NARROW:
            return
        for c in range(dim):
            g.direction[c] = g.vertices[offset + c * stride + nearest]
        evaluate_rates(g.vertices, offset, stride, n, g.direction, g.rates, dim)
        low, high = -math.inf, math.inf
        for i in range(n):
            if g.rates[i] > 0.0:
                low = max(low, -g.values[i] / g.rates[i])
            elif g.rates[i] < 0.0:
                high = min(high, g.values[i] / -g.rates[i])
        step = 0.5 * (low + high) if high < math.inf else 1.0
        for c in range(dim):
            g.points[MOVING, c] += step * g.direction[c]
        if not is_inside(MOVING, NO_ROW, offset, stride, n, g):
            return
        least = math.inf
        for i in range(n):
            least = min(least, g.values[i])
        if least < room:
            return
        for c in range(dim):
            g.vertices[base + c] = g.points[MOVING, c]


@emit.answer(Cells)
def _emit(words, output, g):
    state, dim = g.state, len(g.axes) - 1
    start, base = state[T.START], LINE * state[T.START]
    region, facet, entry, zero = state[T.N_OUT], state[T.N_CORNERS], state[T.N_EXTRA], state[T.N_ZERO]
    n, stride, offset = g.marks[base + N_ROWS], g.marks[base + STRIDE], base + header_size(dim)
    if region + 1 >= len(output.indptr):
        return False
    zero = _write_list(g.marks[base + ZERO_LIST], g.zeros, output.zero_columns, zero)
    is_bounded = g.settings[DOMAIN_IS_BOUNDED] != 0
    if zero < 0 or facet + n >= len(output.form_indptr):
        return False
    if g.settings[WANTS_FACETS]:
        if entry + n >= len(output.forms):
            return False
        is_bounded = is_bounded or decide_bounded(start, g)
        find_facets(start, g)
        for i in range(n):
            if g.is_facet[i] == REDUNDANT:
                continue
            if entry >= len(output.forms):
                return False
            output.forms[entry] = g.marks[offset + COLUMN * stride + i]
            entry = _write_list(g.marks[offset + TOUCHES * stride + i], g.zeros, output.forms, entry + 1)
            if entry < 0:
                return False
            facet += 1
            output.form_indptr[facet] = entry
    for c in range(dim):
        output.witnesses[region, c] = g.vertices[base + c]
    for word in range(output.words.shape[1]):
        output.words[region, word] = words[word]
    output.is_bounded[region] = is_bounded
    output.indptr[region + 1], output.zero_indptr[region + 1] = facet, zero
    state[T.N_OUT], state[T.N_CORNERS], state[T.N_EXTRA], state[T.N_ZERO] = region + 1, facet, entry, zero
    return True


@inlined
def _write_list(node, zeros, output, place):
    """Write a list of columns; return where it ends, or -1 if there is no room."""
    while node >= 0 and place >= 0:
        if place >= len(output):
            place = -1
        else:
            output[place] = zeros[node, 0]
            place += 1
            node = zeros[node, 1]
    return place


@loop
def push_domain(columns, point, box, g):
    """Make the domain the first cell: rows that are its facets, a point inside, a box around it.

    Parameters
    ----------
    columns : int64 array
    point : float64 array, shape (dim,)
    box : float64 array, shape (2, dim)
    """
    dim, n = len(g.axes) - 1, len(columns)
    offset, stride = header_size(dim), stride_of(n)
    for c in range(dim):
        g.points[MOVING, c] = g.vertices[c] = point[c]
        g.vertices[dim + c], g.vertices[2 * dim + c] = box[0, c], box[1, c]
    free_corner(g.points[MOVING], MOVING, g)
    store_corner(0, MOVING, g)
    g.marks[N_ROWS], g.marks[STRIDE], g.marks[ZERO_LIST] = n, stride, -1
    for i in range(n):
        if load_form(columns[i], g.columns[columns[i], T.COLUMN_LEVEL], g) != PLAIN:
            forget_form(g)
        for c in range(dim + 1 + N_EXTRA):
            g.vertices[offset + c * stride + i] = g.form[c]
        g.marks[offset + COLUMN * stride + i], g.marks[offset + SIDE * stride + i] = columns[i], 1
        g.marks[offset + TOUCHES * stride + i] = -1
    g.marks[IS_INSIDE] = is_inside(MOVING, NO_ROW, offset, stride, n, g)
    g.state[T.START], g.state[T.LENGTH] = 0, cell_lines(n, dim)
    g.state[T.TOP], g.state[T.ZERO_TOP] = cell_lines(n, dim), 0
