"""Depth-first enumeration of all regions of a domain: the compiled loop, for every geometry.

One task is (level, cut, cell): the cell carries the digits of all earlier levels and of the first ``cut`` cut units of
this level. A cut unit is one whose rows really cut the cell; all other units get their digits at once when the level
is entered (`_enter_level`: one vectorised pass over the rows, then single tests). Splitting leaves one part as the
current task and pushes the others. When a level is complete the maps of the next one are formed, or updated where only
few digits have changed since the last time.

Everything a task needs lies on stacks that are popped with it: cells, lists of vanishing forms, and the maps of its
level, which stay valid until the whole subtree is finished. Forms are named by columns of ``maps`` (see
`polyrelu.kernels.tables`): in the context of the current digits, a column is one exact form, so that every sign can be
decided again, exactly, by whoever knows the digits. What a cell is, and how it is cut, is up to the geometry
(`polyrelu.kernels.geometry`).

What the geometry's filter leaves undecided is asked through a C function whose address is in the state; it answers in
double-doubles or rationals (`polyrelu.enumeration.answers`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import FLOOR, SLACK
from polyrelu.kernels.compiled import inlined, loop
from polyrelu.kernels.digits import beats, digits_of_relus, digits_of_units, pair_row, set_digit
from polyrelu.kernels.geometry import classify_rows, emit, has_room, keep_side, refresh, row_signs, sides_at_once
from polyrelu.kernels.maps import MAX_FLIPS, cut_rows, fresh_product, replace_unit, set_bounds


class Tables(NamedTuple):
    """The network (columns: `polyrelu.kernels.tables`); read only but for the last columns of ``levels``."""

    levels: NDArray[np.int64]
    units: NDArray[np.int64]
    pieces: NDArray[np.float64]
    weights: NDArray[np.float64]
    pointers: NDArray[np.int64]
    rows: NDArray[np.int64]
    bias: NDArray[np.float64]


@loop
def enumerate_cells(tables, d, g, tasks, output):
    """Run until done, or until the output or a stack is full; call again to go on."""
    state, levels = g.state, tables.levels
    last = len(levels) - 1
    while True:
        if state[T.ABORT]:
            return T.ABORTED
        if not _has_room(levels, g, tasks):
            return T.STACK_FULL
        level = state[T.LEVEL]
        if state[T.ENTERING]:
            _enter_level(level, tables, d, g)
            state[T.ENTERING] = 0
            state[T.CUT] = 0
        elif level > last or (level == last and state[T.CUT] == levels[level, T.N_CUTS]):
            if not emit(d.words, output, g):
                return T.OUTPUT_FULL
            if state[T.N_TASKS] == 0:
                return T.DONE
            _pop(levels, tables.units, d, g, tasks)
        elif state[T.CUT] == levels[level, T.N_CUTS]:
            _form_next_level(level + 1, tables, d, g)
            state[T.LEVEL] = level + 1
            state[T.ENTERING] = 1
        elif levels[level, T.IS_RELU] and _skip_uncut(level, levels, tables.units, d, g):
            continue
        else:
            unit = d.cuts[levels[level, T.UNIT] + state[T.CUT]]
            state[T.CUT] += 1
            if tables.units[unit, T.UNIT_IS_MAX]:
                _split_by_max(unit, level, tables.units, d, g, tasks)
            else:
                _split_by_breakpoints(unit, level, tables.units, d, g, tasks)


@inlined
def _has_room(levels, g, tasks):
    """Return whether the stacks surely have room for whatever one step may do."""
    level, n_rows, of_one_unit = g.state[T.LEVEL], 1, 0
    if level < len(levels):
        n_rows, of_one_unit = levels[level, T.N_ROW], levels[level, T.LARGEST_UNIT]
    return g.state[T.N_TASKS] + of_one_unit + 2 < len(tasks) and has_room(n_rows, of_one_unit, g)


@inlined
def _enter_level(level, tables, d, g):
    """Decide every unit that a cell does not have to be split for, and list the others as cuts."""
    levels, state = tables.levels, g.state
    is_relu = levels[level, T.IS_RELU]
    row0, n_rows = levels[level, T.ROW], levels[level, T.N_ROW]
    padded = (n_rows + 7) // 8 * 8
    if not is_relu:
        cut_rows(level, levels, tables.units, tables.pieces, g.maps, g.axes)
    classify_rows(level, row0, padded, d, g)
    candidates = 0
    for word in range(row0 >> 3, (row0 + padded) >> 3):
        if d.undecided_words[word] == 0:
            continue
        for row in range(word << 3, min((word << 3) + 8, row0 + n_rows)):
            if d.undecided[row]:
                candidates += 1
                found = row_signs(row, level, state[T.START], state[T.LENGTH], g)
                d.positive[row] = found == 2
                d.undecided[row] = T.CUTS if found == 3 else (T.VANISHES if found == 0 else T.DECIDED)
    state[T.FILTERED] += n_rows - candidates
    if is_relu:
        digits_of_relus(level, levels, d)
    else:
        digits_of_units(level, levels, tables.units, d)
    levels[level, T.CHANGED] = 0
    if level + 1 < len(levels):
        levels[level + 1, T.IS_FORMED] = 0


@inlined
def _skip_uncut(level, levels, units, d, g):
    """Decide the next cut units of a level of ReLUs as long as that needs no split; return whether all are done."""
    unit0, n_cuts, cut = levels[level, T.UNIT], levels[level, T.N_CUTS], g.state[T.CUT]
    to_row = levels[level, T.ROW] - unit0
    while cut < n_cuts:
        unit = d.cuts[unit0 + cut]
        found = sides_at_once(unit + to_row, g)
        if found == 3:
            break
        set_digit(unit, found == 2, units, d)
        cut += 1
    g.state[T.CUT] = cut
    return cut == n_cuts


@inlined
def _split_by_breakpoints(unit, level, units, d, g, tasks):
    """Cut the current cell at each breakpoint of a unit; keep the last part, push the others."""
    state, row0, digit = g.state, units[unit, T.UNIT_ROW], 0
    for i in range(units[unit, T.UNIT_ROWS]):
        row = row0 + i
        found = 2 if d.positive[row] else 1
        if d.undecided[row] == T.CUTS:
            found = sides_at_once(row, g)
            if found == 3:
                found = row_signs(row, level, state[T.START], state[T.LENGTH], g)
        if found < 2:
            break
        if found == 3:
            start, n, below = state[T.START], state[T.LENGTH], state[T.TOP]
            _push(below, keep_side(-1, row, level, start, n, g), digit, state, tasks)
            above = state[T.TOP]
            state[T.LENGTH] = keep_side(1, row, level, start, n, g)
            state[T.START] = above
            refresh(level, g)
        digit = i + 1
    set_digit(unit, digit, units, d)


@inlined
def _split_by_max(unit, level, units, d, g, tasks):
    """Cut the current cell into the parts where each input of a max unit wins; keep one, push the others."""
    state, winner = g.state, -1
    whole, whole_length = state[T.START], state[T.LENGTH]
    for p in range(units[unit, T.UNIT_INPUTS]):
        part, n, wins = whole, whole_length, True
        for q in range(units[unit, T.UNIT_INPUTS]):
            if q == p or not wins:
                continue
            row, side = pair_row(unit, p, q, units), 1 if p < q else -1
            if d.undecided[row] != T.CUTS:
                wins = beats(p, q, row, d)
                continue
            found = row_signs(row, level, part, n, g)
            if found == 3:
                start = state[T.TOP]
                n = keep_side(side, row, level, part, n, g)
                part = start
            else:
                wins = p < q if found == 0 else (found == 2) == (p < q)
        if not wins or state[T.ABORT]:
            continue
        if winner >= 0:
            _push(state[T.START], state[T.LENGTH], winner, state, tasks)
        winner = p
        state[T.START], state[T.LENGTH] = part, n
    refresh(level, g)
    set_digit(unit, max(winner, 0), units, d)


@loop
def _push(start, n, digit, state, tasks):
    task = state[T.N_TASKS]
    tasks[task, T.TASK_LEVEL] = state[T.LEVEL]
    tasks[task, T.TASK_CUT] = state[T.CUT]
    tasks[task, T.TASK_START] = start
    tasks[task, T.TASK_LENGTH] = n
    tasks[task, T.TASK_DIGIT] = digit
    tasks[task, T.TASK_ZERO_TOP] = state[T.ZERO_TOP]
    state[T.N_TASKS] = task + 1


@inlined
def _pop(levels, units, d, g, tasks):
    state = g.state
    state[T.N_TASKS] -= 1
    task = state[T.N_TASKS]
    level, cut = tasks[task, T.TASK_LEVEL], tasks[task, T.TASK_CUT]
    state[T.LEVEL], state[T.CUT] = level, cut
    state[T.START], state[T.LENGTH] = tasks[task, T.TASK_START], tasks[task, T.TASK_LENGTH]
    state[T.TOP] = state[T.START] + state[T.LENGTH]
    state[T.ZERO_TOP] = tasks[task, T.TASK_ZERO_TOP]
    set_digit(d.cuts[levels[level, T.UNIT] + cut - 1], tasks[task, T.TASK_DIGIT], units, d)
    levels[level, T.CHANGED] = min(levels[level, T.CHANGED], cut - 1)
    if cut < levels[level, T.N_CUTS]:
        refresh(level, g)


@inlined
def _form_next_level(level, tables, d, g):
    """Bring the maps of a level up to date with the digits of the level before: update or form afresh."""
    before = level - 1
    levels, floats, bounds = tables.levels, g.floats, g.bounds
    unit0, n_cuts = levels[before, T.UNIT], levels[before, T.N_CUTS]
    changed = levels[before, T.CHANGED]
    n_flips = 0
    for i in range(changed, n_cuts):
        n_flips += d.used_digits[d.cuts[unit0 + i]] != d.digits[d.cuts[unit0 + i]]
    levels[level, T.FLIPS] += n_flips
    is_update = levels[level, T.IS_FORMED] and 4 * n_flips <= levels[before, T.N_UNIT]
    is_update &= levels[level, T.FLIPS] <= MAX_FLIPS
    for c in range(len(g.axes)):
        is_update &= bounds[level, T.SIZE, c] <= 4.0 * bounds[level, T.FRESH_SIZE, c]
    if is_update:
        for i in range(changed, n_cuts):
            unit = d.cuts[unit0 + i]
            if d.used_digits[unit] != d.digits[unit]:
                replace_unit(
                    level, unit, d.used_digits[unit], d.digits[unit], levels, bounds, tables.units, tables.pieces,
                    g.maps, tables.weights, tables.pointers, tables.rows, d.offsets, d.forms, g.axes,
                )  # fmt: skip
        for c in range(len(g.axes)):
            if bounds[level, T.SIZE, c] > 0.0:
                bounds[level, T.SIZE, c] = max(bounds[level, T.SIZE, c], FLOOR)
            bounds[level, T.INPUT_ERROR, c] = floats[before, T.STEEPEST] * bounds[before, T.ERROR, c] * SLACK
        set_bounds(levels, floats, bounds, level, g.axes)
        g.state[T.UPDATES] += 1
    else:
        fresh_product(
            level, levels, floats, bounds, tables.units, tables.pieces, d.digits, d.bytes, g.maps, tables.weights,
            tables.pointers, tables.rows, tables.bias, d.offsets, d.forms, g.axes,
        )  # fmt: skip
        for c in range(len(g.axes)):
            bounds[level, T.FRESH_SIZE, c] = bounds[level, T.SIZE, c]
        levels[level, T.FLIPS] = 0
        levels[level, T.IS_FORMED] = 1
        g.state[T.PRODUCTS] += 1
    for i in range(changed, n_cuts):
        d.used_digits[d.cuts[unit0 + i]] = d.digits[d.cuts[unit0 + i]]
    levels[before, T.CHANGED] = n_cuts
    levels[level, T.SERIAL] += 1
