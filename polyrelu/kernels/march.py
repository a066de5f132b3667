"""One region by its pattern: the enumeration by linear programs with every digit chosen; and the patterns beside it."""

from __future__ import annotations

import numpy as np

from polyrelu.kernels import tables as T
from polyrelu.kernels.cell_box import tighten_box
from polyrelu.kernels.cell_layout import LINE, N_ROWS, STRIDE, TOUCHES, ZERO_LIST, header_size
from polyrelu.kernels.compiled import inlined, loop, outlined
from polyrelu.kernels.digits import pair_row
from polyrelu.kernels.geometry import classify_rows, emit, has_room, keep_side, row_signs
from polyrelu.kernels.maps import cut_rows, fresh_product

NOT_REALISED = 4
"""Beside the answers of `polyrelu.kernels.tables`: no ball of inputs has the pattern."""
ACROSS, BORDER, UNKNOWN = 0, 1, 2
"""What is on the other side of a facet: a known pattern, nothing, a pattern that takes exact forms."""


@loop
def follow(words, home, tables, d, g, output):
    """Append the region of a pattern to the output; ``home`` is the length of the domain's cell below all others."""
    state, levels, units = g.state, tables.levels, tables.units
    _take_pattern(words, units, d)
    _start_from_domain(home, g)
    for level in range(len(levels)):
        if level > 0:
            fresh_product(
                level, levels, g.floats, g.bounds, units, tables.pieces, d.digits, d.bytes, g.maps, tables.weights,
                tables.pointers, tables.rows, tables.bias, d.offsets, d.forms, g.axes,
            )  # fmt: skip
            levels[level, T.SERIAL] += 1
        if not levels[level, T.IS_RELU]:
            cut_rows(level, levels, units, tables.pieces, g.maps, g.axes)
        if level > 0 and levels[level, T.N_ROW] > 4 * len(g.axes):
            tighten_box(LINE * state[T.START], g)
        row0 = levels[level, T.ROW]
        classify_rows(level, row0, (levels[level, T.N_ROW] + 7) // 8 * 8, d, g)
        for unit in range(levels[level, T.UNIT], levels[level, T.UNIT] + levels[level, T.N_UNIT]):
            status = _keep_unit(unit, level, home, units, d, g)
            if status != T.DONE:
                return status
    return T.DONE if emit(d.words, output, g) else T.OUTPUT_FULL


@inlined
def _take_pattern(words, units, d):
    for word in range(len(words)):
        d.words[word] = words[word]
    for unit in range(len(units)):
        width = np.uint64(units[unit, T.UNIT_BITS])
        if width:
            field = d.words[units[unit, T.UNIT_WORD]] >> np.uint64(units[unit, T.UNIT_SHIFT])
            d.digits[unit] = field & ((np.uint64(1) << width) - np.uint64(1))
        else:
            d.digits[unit] = 0


@inlined
def _start_from_domain(home, g):
    """Copy the domain's cell, without what the last region has put on its lists."""
    for i in range(LINE * home):
        g.vertices[LINE * home + i] = g.vertices[i]
        g.marks[LINE * home + i] = g.marks[i]
    base = LINE * home
    rows = base + header_size(len(g.axes) - 1) + TOUCHES * g.marks[base + STRIDE]
    g.marks[base + ZERO_LIST] = -1
    for i in range(g.marks[base + N_ROWS]):
        g.marks[rows + i] = -1
    g.state[T.START], g.state[T.LENGTH], g.state[T.TOP], g.state[T.ZERO_TOP] = home, home, 2 * home, 0


@inlined
def _keep_unit(unit, level, home, units, d, g):
    """Cut the current cell with all rows of a unit that its digit takes part in."""
    digit, status = np.int64(d.digits[unit]), T.DONE
    if units[unit, T.UNIT_IS_MAX]:
        for other in range(units[unit, T.UNIT_INPUTS]):
            if other != digit and status == T.DONE:
                row, side = pair_row(unit, digit, other, units), 1 if digit < other else -1
                status = _keep_row(row, side, True, level, home, d, g)
    else:
        for i in range(units[unit, T.UNIT_ROWS]):
            if status == T.DONE:
                status = _keep_row(units[unit, T.UNIT_ROW] + i, 1 if digit > i else -1, False, level, home, d, g)
    return status


@outlined
def _keep_row(row, side, is_pair, level, home, d, g):
    """Cut the current cell with one row, whose sign the pattern says, or find that it does not cut."""
    state = g.state
    if not d.undecided[row]:
        return T.DONE if (d.positive[row] != 0) == (side > 0) else NOT_REALISED
    if not has_room(1, 1, g):
        return T.STACK_FULL
    found = row_signs(row, level, state[T.START], state[T.LENGTH], g)
    if state[T.ABORT]:
        return T.ABORTED
    if found == 0:  # where inputs of a max unit are equal the first one wins; all other digits are the lower ones
        return T.DONE if side == (1 if is_pair else -1) else NOT_REALISED
    if found != 3:
        return T.DONE if (found == 2) == (side > 0) else NOT_REALISED
    new = state[T.TOP]
    lines = keep_side(side, row, level, state[T.START], state[T.LENGTH], g)
    for i in range(LINE * lines):
        g.vertices[LINE * home + i] = g.vertices[LINE * new + i]
        g.marks[LINE * home + i] = g.marks[LINE * new + i]
    state[T.START], state[T.LENGTH], state[T.TOP] = home, lines, home + lines
    return T.DONE


@loop
def neighbours(region, output, units, column_unit, column_digits, columns, n_levels, across, kinds):
    """Write what is on the other side of each facet of a region of the output.

    Crossing a facet changes the digits of the neurons that vanish on it, where they are all of one level and no neuron
    of a later level vanishes there: their forms are the same on both sides. All other patterns are left to exact forms.
    """
    first, last = output.indptr[region], output.indptr[region + 1]
    latest_zero = -1
    for i in range(output.zero_indptr[region], output.zero_indptr[region + 1]):
        latest_zero = max(latest_zero, columns[output.zero_columns[i], T.COLUMN_LEVEL])
    has_zeros = output.zero_indptr[region + 1] > output.zero_indptr[region]
    for facet in range(first, last):
        place, level, kind = facet - first, -1, ACROSS
        for word in range(across.shape[1]):
            across[place, word] = output.words[region, word]
        for entry in range(output.form_indptr[facet], output.form_indptr[facet + 1]):
            column = output.forms[entry]
            own = columns[column, T.COLUMN_LEVEL]
            if own == n_levels:
                kind = BORDER
                break
            unit = column_unit[column]
            is_max = units[unit, T.UNIT_IS_MAX]
            is_alone = output.form_indptr[facet + 1] == output.form_indptr[facet] + 1 and not has_zeros
            if (level >= 0 and own != level) or latest_zero > own or (is_max and not is_alone):
                kind = UNKNOWN
            level = own
            word, shift = units[unit, T.UNIT_WORD], np.uint64(units[unit, T.UNIT_SHIFT])
            mask = ((np.uint64(1) << np.uint64(units[unit, T.UNIT_BITS])) - np.uint64(1)) << shift
            digit = np.int64((across[place, word] & mask) >> shift)
            low, high = column_digits[column, 0], column_digits[column, 1]
            if digit != low and digit != high:
                kind = UNKNOWN
                continue
            other = np.uint64(low + high - digit)
            across[place, word] = (across[place, word] & ~mask) | (other << shift)
        kinds[place] = kind
    return last - first
