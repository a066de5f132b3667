"""Depth-first enumeration of all regions of a polygon: the compiled loop.

One task is (level, cut, polygon): the polygon carries the digits of all earlier levels and of the first ``cut`` cut
units of this level. A cut unit is one whose rows really cut the polygon; all other units get their digits at once
when the level is entered (`_enter_level`: one vectorised pass over the rows against the polygon's bounding box, then
single tests). Splitting leaves one part as the current task and pushes the others. When a level is complete the maps
of the next one are formed, or updated where only few digits have changed since the last time.

Everything a task needs lies on stacks that are popped with it: polygons, lists of vanishing forms, and the maps of
its level, which stay valid until the whole subtree is finished. Lines are named by columns of ``maps`` (see
`polyrelu.kernels.tables`): in the context of the current digits, a column is one exact line, so that a vertex is two
columns and every sign can be decided again, exactly, by whoever knows the digits.

What the filters leave undecided is asked through ``ask``, the address of a C function that answers in rational
arithmetic (`polyrelu.enumeration.exact_plane`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels import extended as E
from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import call_address
from polyrelu.kernels.bounds import FLOOR, SLACK
from polyrelu.kernels.compiled import loop
from polyrelu.kernels.maps import MAX_FLIPS, cut_rows, fresh_product, replace_unit, set_bounds
from polyrelu.kernels.predicates import (
    UNKNOWN,
    box_bounds,
    box_error,
    classify_box,
    place_crossing,
    place_far_crossing,
    sign_at_vertex,
)

ABORT_ANSWER = -9
"""Answer of ``ask`` that ends the enumeration; the asker knows why."""

# Columns of `Work.state`.
LEVEL, CUT, START, LENGTH, TOP, ZERO_TOP, N_TASKS, ENTERING, N_OUT, N_CORNERS, N_EXTRA, N_FAR, SERIAL, ABORT = range(14)
N_STATE = 14
# Columns of a task.
TASK_LEVEL, TASK_CUT, TASK_START, TASK_LENGTH, TASK_DIGIT, TASK_ZERO_TOP = range(6)
N_TASK = 6
# Columns of `Work.counters`.
FILTERED, EXTENDED, EXACT, PRODUCTS, UPDATES = range(5)
N_COUNTERS = 5
# `Work.question` is (kind, form, line, line, level).
ASK_SIGN, ASK_VERTEX = 0, 1
# Values of `Work.undecided` once a level is entered.
DECIDED, CUTS, VANISHES = 0, 1, 2


class Tables(NamedTuple):
    """The network and the domain, read only (columns: `polyrelu.kernels.tables`)."""

    levels: NDArray[np.int64]
    units: NDArray[np.int64]
    pieces: NDArray[np.float64]
    weights: NDArray[np.float64]
    pointers: NDArray[np.int64]
    rows: NDArray[np.int64]
    bias: NDArray[np.float64]
    column_level: NDArray[np.int64]
    line_class: NDArray[np.int64]
    sources: NDArray[np.int64]
    shifts: NDArray[np.float64]
    far_side: NDArray[np.float64]


class Work(NamedTuple):
    """Everything that changes, except the stacks."""

    maps: NDArray[np.float64]
    floats: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    bounds: NDArray[np.float64]
    digits: NDArray[np.uint16]
    used_digits: NDArray[np.uint16]
    is_formed: NDArray[np.uint8]
    serial: NDArray[np.int64]
    extended_at: NDArray[np.int64]
    flips: NDArray[np.int64]
    words: NDArray[np.uint64]
    bytes: NDArray[np.uint8]
    positive: NDArray[np.uint8]
    positive_words: NDArray[np.uint64]
    undecided: NDArray[np.uint8]
    undecided_words: NDArray[np.uint64]
    cuts: NDArray[np.int64]
    n_cuts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    forms: NDArray[np.float64]
    extended_forms: NDArray[np.float64]
    extended_errors: NDArray[np.float64]
    state: NDArray[np.int64]
    counters: NDArray[np.int64]
    question: NDArray[np.int64]
    answer: NDArray[np.float64]


class Stacks(NamedTuple):
    """Stacks that the caller enlarges when they are full."""

    vertices: NDArray[np.float64]
    marks: NDArray[np.int64]
    signs: NDArray[np.int8]
    zeros: NDArray[np.int64]
    tasks: NDArray[np.int64]


class Output(NamedTuple):
    """Finished regions; the caller empties it when it is full."""

    words: NDArray[np.uint64]
    indptr: NDArray[np.int64]
    corners: NDArray[np.float64]
    edges: NDArray[np.int32]
    extra: NDArray[np.int64]
    far: NDArray[np.float64]


@loop
def enumerate_polygon(tables, work, stacks, output, ask):  # type: ignore[no-untyped-def]
    """Run until done, or until the output or a stack is full; call again to go on."""
    state, levels = work.state, tables.levels
    last = len(levels) - 1
    while True:
        if state[ABORT]:
            return T.ABORTED
        if not _has_room(tables, stacks, state):
            return T.STACK_FULL
        level = state[LEVEL]
        if state[ENTERING]:
            _enter_level(level, tables, work, stacks, ask)
            state[ENTERING] = 0
            state[CUT] = 0
        elif level > last or (level == last and state[CUT] == work.n_cuts[level]):
            if not _emit(work, stacks, output):
                return T.OUTPUT_FULL
            if state[N_TASKS] == 0:
                return T.DONE
            _pop(tables, work, stacks)
        elif state[CUT] == work.n_cuts[level]:
            _form_next_level(level + 1, tables, work)
            state[LEVEL] = level + 1
            state[ENTERING] = 1
        else:
            unit = work.cuts[levels[level, T.UNIT] + state[CUT]]
            state[CUT] += 1
            if tables.units[unit, T.UNIT_IS_MAX]:
                _split_by_max(unit, level, tables, work, stacks, ask)
            else:
                _split_by_breakpoints(unit, level, tables, work, stacks, ask)


@loop
def _has_room(tables, stacks, state):  # type: ignore[no-untyped-def]
    """Return whether the stacks surely have room for whatever one step may do."""
    n = state[LENGTH]
    most_rows = 1
    vertices_needed = n
    if state[LEVEL] < len(tables.levels):
        most_rows = tables.levels[state[LEVEL], T.N_ROW]
        of_one_unit = tables.levels[state[LEVEL], T.LARGEST_UNIT]
        vertices_needed = 2 * (n + of_one_unit + 8) * (of_one_unit + 2)
    return (
        state[TOP] + vertices_needed < len(stacks.vertices)
        and state[ZERO_TOP] + (most_rows + 8) * (n + most_rows + 8) + 8 * vertices_needed < len(stacks.zeros)
        and state[N_TASKS] + most_rows + 2 < len(stacks.tasks)
    )


@loop
def _enter_level(level, tables, work, stacks, ask):  # type: ignore[no-untyped-def]
    """Decide every unit that a polygon does not have to be split for, and list the others as cuts."""
    levels, state = tables.levels, work.state
    is_relu = levels[level, T.IS_RELU]
    row0, n_rows = levels[level, T.ROW], levels[level, T.N_ROW]
    padded = (n_rows + 7) // 8 * 8
    if not is_relu:
        cut_rows(level, levels, tables.units, tables.pieces, work.maps)
    _classify_rows(level, row0, padded, work, stacks)
    candidates = 0
    for word in range(row0 >> 3, (row0 + padded) >> 3):
        if work.undecided_words[word] == 0:
            continue
        for row in range(word << 3, min((word << 3) + 8, row0 + n_rows)):
            if not work.undecided[row]:
                continue
            candidates += 1
            found = _row_signs(row, level, state[START], state[LENGTH], tables, work, stacks, ask)
            work.positive[row] = found == 2
            work.undecided[row] = CUTS if found == 3 else (VANISHES if found == 0 else DECIDED)
    work.counters[FILTERED] += n_rows - candidates
    work.n_cuts[level] = 0
    unit0 = levels[level, T.UNIT]
    if is_relu:
        for word in range(row0 >> 3, (row0 + padded) >> 3):
            bits = (work.positive_words[word] * np.uint64(0x0102040810204080)) >> np.uint64(56)
            work.bytes[levels[level, T.BYTE] + word - (row0 >> 3)] = bits
            if work.undecided_words[word] != 0:
                for row in range(word << 3, min((word << 3) + 8, row0 + n_rows)):
                    if work.undecided[row] == CUTS:
                        work.cuts[unit0 + work.n_cuts[level]] = unit0 + row - row0
                        work.n_cuts[level] += 1
        for k in range(np.uint64(n_rows)):
            work.digits[np.uint64(unit0) + k] = work.positive[np.uint64(row0) + k]
    else:
        _digits_of_units(level, tables, work)
    if level + 1 < len(levels):
        work.is_formed[level + 1] = 0


@loop
def _classify_rows(level, row0, padded, work, stacks):  # type: ignore[no-untyped-def]
    """Mark the rows whose sign is certain on a box around the polygon; none if it reaches the far square."""
    start, n = work.state[START], work.state[LENGTH]
    for v in range(start, start + n):
        if stacks.vertices[v, T.FAR_X] != 0.0 or stacks.vertices[v, T.FAR_Y] != 0.0:
            for row in range(row0, row0 + padded):
                work.undecided[row] = 1
                work.positive[row] = 0
            return
    x, y, x_half, y_half = box_bounds(stacks.vertices, start, n)
    error = box_error(work.floats, level, x, y, x_half, y_half)
    classify_box(work.maps, row0, padded, x, y, x_half, y_half, error, work.positive, work.undecided)


@loop
def _digits_of_units(level, tables, work):  # type: ignore[no-untyped-def]
    """Set the digits of a level that is not of ReLUs only, from the signs of its rows; list the cut units."""
    levels, units = tables.levels, tables.units
    unit0 = levels[level, T.UNIT]
    for unit in range(unit0, unit0 + levels[level, T.N_UNIT]):
        row, digit, is_cut = units[unit, T.UNIT_ROW], 0, False
        if units[unit, T.UNIT_IS_MAX]:
            digit = -1
            for p in range(units[unit, T.UNIT_INPUTS]):
                if _certainly_wins(unit, p, units, work):
                    digit = p
                    break
            is_cut = digit < 0
            digit = max(digit, 0)
        else:
            for i in range(units[unit, T.UNIT_ROWS]):
                is_cut |= work.undecided[row + i] == CUTS
                digit += work.positive[row + i] != 0
        _set_digit(unit, digit, units, work)
        if is_cut:
            work.cuts[unit0 + work.n_cuts[level]] = unit
            work.n_cuts[level] += 1


@loop
def _pair_row(unit, p, q, units):  # type: ignore[no-untyped-def]
    """Return the column of ``z_p - z_q``, p < q, of a max unit."""
    m = units[unit, T.UNIT_INPUTS]
    return units[unit, T.UNIT_ROW] + p * m - p * (p + 1) // 2 + q - p - 1


@loop
def _certainly_wins(unit, p, units, work):  # type: ignore[no-untyped-def]
    """Return whether input ``p`` is known to be the first largest one on the whole polygon."""
    for q in range(units[unit, T.UNIT_INPUTS]):
        if q == p:
            continue
        row = _pair_row(unit, min(p, q), max(p, q), units)
        if work.undecided[row] == CUTS or not _beats(p, q, row, work):
            return False
    return True


@loop
def _beats(p, q, row, work):  # type: ignore[no-untyped-def]
    """Return whether input ``p`` of a max unit wins against ``q`` where their row is decided; ties go to the first."""
    if work.undecided[row] == VANISHES:
        return p < q
    return (work.positive[row] != 0) == (p < q)


@loop
def _row_signs(row, level, start, n, tables, work, stacks, ask):  # type: ignore[no-untyped-def]
    """Write the signs of a row at a polygon's vertices; return 1 if some are negative plus 2 if some are positive.

    Where the row vanishes it is added to the vertex's list of vanishing forms.
    """
    found = 0
    for i in range(n):
        v = start + i
        sign = sign_at_vertex(work.maps, work.floats, level, row, stacks.vertices, v)
        if sign == UNKNOWN:
            before = v - 1 if i > 0 else start + n - 1
            sign = _resolve(row, level, v, stacks.marks[before, T.EDGE], stacks.marks[v, T.EDGE], tables, work, stacks, ask)
        else:
            work.counters[FILTERED] += 1
        if sign == 0:
            _add_zero(v, row, work, stacks)
        stacks.signs[v] = sign
        found |= 1 if sign < 0 else (2 if sign > 0 else 0)
    return found


@loop
def _add_zero(v, row, work, stacks):  # type: ignore[no-untyped-def]
    node = stacks.marks[v, T.ZEROS]
    while node >= 0:
        if stacks.zeros[node, 0] == row:
            return
        node = stacks.zeros[node, 1]
    top = work.state[ZERO_TOP]
    stacks.zeros[top, 0] = row
    stacks.zeros[top, 1] = stacks.marks[v, T.ZEROS]
    stacks.marks[v, T.ZEROS] = top
    work.state[ZERO_TOP] = top + 1


@loop
def _resolve(row, level, v, line, other, tables, work, stacks, ask):  # type: ignore[no-untyped-def]
    """Decide a sign that the filter left open: proportional rows, then double-doubles, then rationals."""
    line_class = tables.line_class
    kind = line_class[row]
    if kind == line_class[line] or kind == line_class[other]:
        work.counters[EXTENDED] += 1
        return 0
    node = stacks.marks[v, T.ZEROS]
    while node >= 0:
        if line_class[stacks.zeros[node, 0]] == kind:
            work.counters[EXTENDED] += 1
            return 0
        node = stacks.zeros[node, 1]
    if _load_extended(row, level, line, other, tables, work):
        lattices = work.floats[level, T.LATTICE]
        lattices *= work.floats[tables.column_level[line], T.LATTICE]
        lattices *= work.floats[tables.column_level[other], T.LATTICE]
        sign = E.extended_sign(work.extended_forms, work.extended_errors, lattices)
        if sign != UNKNOWN:
            work.counters[EXTENDED] += 1
            return sign
    return _ask(ASK_SIGN, row, line, other, level, work, ask)


@loop
def _load_extended(row, level, line, other, tables, work):  # type: ignore[no-untyped-def]
    """Bring the double-double forms of three columns up to date; False if one is a side of the far square."""
    sides = tables.far_side
    for column in (line, other):
        if sides[0, column] != 0.0 or sides[1, column] != 0.0:
            return False
    E.refresh(
        level,
        tables.levels,
        work.floats,
        tables.units,
        tables.pieces,
        work.digits,
        work.high,
        work.low,
        work.bounds,
        tables.weights,
        tables.pointers,
        tables.rows,
        tables.bias,
        work.serial,
        work.extended_at,
    )
    E.load_forms(
        (row, line, other),
        tables.column_level,
        work.maps,
        tables.sources,
        tables.shifts,
        work.high,
        work.low,
        work.bounds,
        work.extended_forms,
        work.extended_errors,
    )
    return True


@loop
def _ask(kind, row, line, other, level, work, ask):  # type: ignore[no-untyped-def]
    """Have Python decide in rational arithmetic."""
    question = work.question
    question[0], question[1], question[2], question[3], question[4] = kind, row, line, other, level
    work.counters[EXACT] += 1
    sign = call_address(ask, np.int64(0))
    if sign == ABORT_ANSWER:
        work.state[ABORT] = 1
        return 0
    return sign


@loop
def _set_digit(unit, digit, units, work):  # type: ignore[no-untyped-def]
    """Set a unit's digit, and its field in the packed pattern."""
    work.digits[unit] = digit
    width = units[unit, T.UNIT_BITS]
    if width:
        word, shift = units[unit, T.UNIT_WORD], np.uint64(units[unit, T.UNIT_SHIFT])
        mask = ((np.uint64(1) << np.uint64(width)) - np.uint64(1)) << shift
        work.words[word] = (work.words[word] & ~mask) | (np.uint64(digit) << shift)


@loop
def _split_by_breakpoints(unit, level, tables, work, stacks, ask):  # type: ignore[no-untyped-def]
    """Cut the current polygon at each breakpoint of a unit; keep the last part, push the others."""
    state, row0 = work.state, tables.units[unit, T.UNIT_ROW]
    digit = 0
    for i in range(tables.units[unit, T.UNIT_ROWS]):
        row = row0 + i
        if work.undecided[row] != CUTS:
            if not work.positive[row]:
                break
            digit = i + 1
            continue
        start, n = state[START], state[LENGTH]
        found = _row_signs(row, level, start, n, tables, work, stacks, ask)
        if found < 2:
            break
        if found == 3:
            below = state[TOP]
            below_length = _keep_side(-1, row, level, start, n, tables, work, stacks, ask)
            above = state[TOP]
            above_length = _keep_side(1, row, level, start, n, tables, work, stacks, ask)
            _push(below, below_length, digit, work, stacks)
            state[START], state[LENGTH] = above, above_length
        digit = i + 1
    _set_digit(unit, digit, tables.units, work)


@loop
def _split_by_max(unit, level, tables, work, stacks, ask):  # type: ignore[no-untyped-def]
    """Cut the current polygon into the parts where each input of a max unit wins; keep one, push the others."""
    state, units = work.state, tables.units
    whole, whole_length = state[START], state[LENGTH]
    winner = -1
    for p in range(units[unit, T.UNIT_INPUTS]):
        part, part_length, alive = whole, whole_length, True
        for q in range(units[unit, T.UNIT_INPUTS]):
            if q == p or not alive:
                continue
            row, side = _pair_row(unit, min(p, q), max(p, q), units), 1 if p < q else -1
            if work.undecided[row] != CUTS:
                alive = _beats(p, q, row, work)
                continue
            found = _row_signs(row, level, part, part_length, tables, work, stacks, ask)
            good, bad = (2, 1) if side > 0 else (1, 2)
            if found == 0:
                alive = p < q
            elif not found & good:
                alive = False
            elif found & bad:
                start = state[TOP]
                part_length = _keep_side(side, row, level, part, part_length, tables, work, stacks, ask)
                part = start
        if not alive or state[ABORT]:
            continue
        if winner >= 0:
            _push(state[START], state[LENGTH], winner, work, stacks)
        winner = p
        state[START], state[LENGTH] = part, part_length
    _set_digit(unit, max(winner, 0), units, work)


@loop
def _keep_side(side, row, level, start, n, tables, work, stacks, ask):  # type: ignore[no-untyped-def]
    """Put the part of a polygon on one side of a row on the stack; `_row_signs` has just written the signs."""
    vertices, marks, signs, state = stacks.vertices, stacks.marks, stacks.signs, work.state
    top = state[TOP]
    for i in range(n):
        v, w = start + i, start + (i + 1 if i + 1 < n else 0)
        here, there = signs[v] * side, signs[w] * side
        if here >= 0:
            for c in range(T.N_VERTEX_FLOATS):
                vertices[top, c] = vertices[v, c]
            marks[top, T.EDGE] = marks[v, T.EDGE]
            marks[top, T.ZEROS] = marks[v, T.ZEROS]
            if here == 0:
                before = marks[v - 1 if i > 0 else start + n - 1, T.EDGE]
                if there < 0:  # the side that leaves here is the row itself from now on
                    _add_zero(top, marks[v, T.EDGE], work, stacks)
                    marks[top, T.EDGE] = row
                else:
                    _add_zero(top, before, work, stacks)
            top += 1
        if here * there < 0:
            _place(top, marks[v, T.EDGE], row, level, tables, work, stacks, ask)
            marks[top, T.EDGE] = row if here > 0 else marks[v, T.EDGE]
            marks[top, T.ZEROS] = -1
            _share_zeros(top, v, w, work, stacks)
            top += 1
    length = top - state[TOP]
    state[TOP] = top
    return length


@loop
def _share_zeros(new, v, w, work, stacks):  # type: ignore[no-untyped-def]
    """Give a vertex inside an edge the forms that vanish at both ends, hence on the whole edge."""
    node = stacks.marks[v, T.ZEROS]
    while node >= 0:
        row = stacks.zeros[node, 0]
        other = stacks.marks[w, T.ZEROS]
        while other >= 0 and stacks.zeros[other, 0] != row:
            other = stacks.zeros[other, 1]
        if other >= 0:
            _add_zero(new, row, work, stacks)
        node = stacks.zeros[node, 1]


@loop
def _place(v, line, row, level, tables, work, stacks, ask):  # type: ignore[no-untyped-def]
    """Store the crossing of an edge's line with a row as vertex ``v``."""
    side_x, side_y = tables.far_side[0, line], tables.far_side[1, line]
    line_level = tables.column_level[line]
    if side_x != 0.0 or side_y != 0.0:
        if place_far_crossing(work.maps, work.floats, row, level, side_x, side_y, stacks.vertices, v):
            return
    else:
        if place_crossing(work.maps, work.floats, line, line_level, row, level, stacks.vertices, v):
            return
        if _load_extended(row, level, line, row, tables, work):
            if E.extended_crossing(work.extended_forms, work.extended_errors, stacks.vertices, v):
                work.counters[EXTENDED] += 1
                return
    _ask(ASK_VERTEX, row, line, row, level, work, ask)
    for c in range(T.N_VERTEX_FLOATS):
        stacks.vertices[v, c] = work.answer[c]


@loop
def _push(start, n, digit, work, stacks):  # type: ignore[no-untyped-def]
    state = work.state
    task = state[N_TASKS]
    stacks.tasks[task, TASK_LEVEL] = state[LEVEL]
    stacks.tasks[task, TASK_CUT] = state[CUT]
    stacks.tasks[task, TASK_START] = start
    stacks.tasks[task, TASK_LENGTH] = n
    stacks.tasks[task, TASK_DIGIT] = digit
    stacks.tasks[task, TASK_ZERO_TOP] = state[ZERO_TOP]
    state[N_TASKS] = task + 1


@loop
def _pop(tables, work, stacks):  # type: ignore[no-untyped-def]
    state = work.state
    state[N_TASKS] -= 1
    task = state[N_TASKS]
    level, cut = stacks.tasks[task, TASK_LEVEL], stacks.tasks[task, TASK_CUT]
    state[LEVEL], state[CUT] = level, cut
    state[START], state[LENGTH] = stacks.tasks[task, TASK_START], stacks.tasks[task, TASK_LENGTH]
    state[TOP] = state[START] + state[LENGTH]
    state[ZERO_TOP] = stacks.tasks[task, TASK_ZERO_TOP]
    unit = work.cuts[tables.levels[level, T.UNIT] + cut - 1]
    _set_digit(unit, stacks.tasks[task, TASK_DIGIT], tables.units, work)


@loop
def _form_next_level(level, tables, work):  # type: ignore[no-untyped-def]
    """Bring the maps of a level up to date with the digits of the level before: update or form afresh."""
    before = level - 1
    levels, floats = tables.levels, work.floats
    unit0 = levels[before, T.UNIT]
    n_flips = 0
    if work.is_formed[level]:
        for i in range(work.n_cuts[before]):
            unit = work.cuts[unit0 + i]
            n_flips += work.used_digits[unit] != work.digits[unit]
    work.flips[level] += n_flips
    is_update = work.is_formed[level] and 4 * n_flips <= levels[before, T.N_UNIT] and work.flips[level] <= MAX_FLIPS
    for c in range(3):
        is_update &= floats[level, T.SIZE + c] <= 4.0 * floats[level, T.FRESH_SIZE + c]
    if is_update:
        for i in range(work.n_cuts[before]):
            unit = work.cuts[unit0 + i]
            if work.used_digits[unit] != work.digits[unit]:
                replace_unit(
                    level,
                    unit,
                    work.used_digits[unit],
                    work.digits[unit],
                    levels,
                    floats,
                    tables.units,
                    tables.pieces,
                    work.maps,
                    tables.weights,
                    tables.pointers,
                    tables.rows,
                )
                work.used_digits[unit] = work.digits[unit]
        for c in range(3):
            if floats[level, T.SIZE + c] > 0.0:
                floats[level, T.SIZE + c] = max(floats[level, T.SIZE + c], FLOOR)
            floats[level, T.INPUT_ERROR + c] = floats[before, T.STEEPEST] * floats[before, T.ERROR + c] * SLACK
        set_bounds(levels, floats, level)
        work.counters[UPDATES] += 1
    else:
        fresh_product(
            level,
            levels,
            floats,
            tables.units,
            tables.pieces,
            work.digits,
            work.maps,
            tables.weights,
            tables.pointers,
            tables.rows,
            tables.bias,
            work.offsets,
            work.forms,
        )
        for c in range(3):
            floats[level, T.FRESH_SIZE + c] = floats[level, T.SIZE + c]
        for i in range(work.n_cuts[before]):
            work.used_digits[work.cuts[unit0 + i]] = work.digits[work.cuts[unit0 + i]]
        work.flips[level] = 0
        work.is_formed[level] = 1
        work.counters[PRODUCTS] += 1
    work.state[SERIAL] += 1
    work.serial[level] = work.state[SERIAL]


@loop
def _emit(work, stacks, output):  # type: ignore[no-untyped-def]
    """Write the current polygon and pattern to the output; False if it has no room."""
    state = work.state
    start, n = state[START], state[LENGTH]
    region, corner, extra, far = state[N_OUT], state[N_CORNERS], state[N_EXTRA], state[N_FAR]
    if region + 1 >= len(output.indptr) or corner + n > len(output.edges) or far + n > len(output.far):
        return False
    for i in range(n):
        v = start + i
        output.corners[corner + i, 0] = stacks.vertices[v, T.X]
        output.corners[corner + i, 1] = stacks.vertices[v, T.Y]
        output.edges[corner + i] = stacks.marks[v, T.EDGE]
        far_x, far_y = stacks.vertices[v, T.FAR_X], stacks.vertices[v, T.FAR_Y]
        if far_x != 0.0 or far_y != 0.0:
            output.far[far, 0], output.far[far, 1], output.far[far, 2] = corner + i, far_x, far_y
            far += 1
        node = stacks.marks[v, T.ZEROS]
        while node >= 0:
            if extra >= len(output.extra):
                return False
            output.extra[extra, 0], output.extra[extra, 1] = corner + i, stacks.zeros[node, 0]
            extra += 1
            node = stacks.zeros[node, 1]
    for word in range(len(work.words)):
        output.words[region, word] = work.words[word]
    output.indptr[region + 1] = corner + n
    state[N_OUT], state[N_CORNERS], state[N_EXTRA], state[N_FAR] = region + 1, corner + n, extra, far
    return True
