"""The regions of an enumeration once more, in its order: are points inside, and how do output maps differ?

Consecutive regions mostly agree in their first levels, whose maps (`polyrelu.kernels.maps`) then need not be formed
again. A form ``a · x + c`` with norm ``w`` is off by at most ``w sum_c RHO_c |x_c|`` for the errors of its
coefficients, and ``(dim + 8) u`` times the sum of the terms' magnitudes for the evaluation, in which no term is rounded
more than ``dim + 2`` times.
"""

from __future__ import annotations

import numpy as np

from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import SLACK, UNIT_ROUNDOFF
from polyrelu.kernels.compiled import inlined, loop
from polyrelu.kernels.digits import pair_row
from polyrelu.kernels.maps import cut_rows, fresh_product

UNDERFLOW = 2.0**-1000


@loop
def prove_inside(words, points, tables, d, maps, floats, bounds, axes, is_proved):
    """Mark each region whose point is certainly strictly inside all rows of its neurons.

    A form that is exactly zero, as behind a layer that is dead on a region, is not a row.
    """
    for region in range(len(words)):
        _form_levels(region, words, tables, d, maps, floats, bounds, axes)
        is_inside = True
        for level in range(len(tables.levels)):
            if is_inside:
                is_inside = _is_inside(level, points[region], tables.levels, tables.units, d, maps, bounds, axes)
        is_proved[region] = is_inside


@loop
def weigh_maps(words, weights, tables, d, maps, floats, bounds, axes, values, errors):
    """Write a weighted sum of the coefficients of each region's last level, and a bound of its error.

    Maps with certainly different sums are different. ``weights`` (n_columns, n_outputs) are positive floats up to 2.
    """
    last = len(tables.levels) - 1
    first, n = tables.levels[last, T.PRE], tables.levels[last, T.N_UNIT]
    for region in range(len(words)):
        _form_levels(region, words, tables, d, maps, floats, bounds, axes)
        value, size, error = 0.0, 0.0, 0.0
        for c in range(len(axes)):
            for j in range(n):
                term = weights[c, j] * maps[c, first + j]
                value += term
                size += abs(term)
                error += maps[len(axes), first + j] * bounds[last, T.RHO, c]
        values[region] = value
        errors[region] = (2.0 * error + (len(axes) * n + 8.0) * UNIT_ROUNDOFF * size) * SLACK + UNDERFLOW


@loop
def _form_levels(region, words, tables, d, maps, floats, bounds, axes):
    """Form the maps of a region, from those of the region before it."""
    levels, units, pieces = tables.levels, tables.units, tables.pieces
    changed = _take_digits(words[region], levels, units, d)
    if region == 0:
        changed = 0
    for level in range(len(levels)):
        if level > changed:
            fresh_product(
                level, levels, floats, bounds, units, pieces, d.digits, d.bytes, maps, tables.weights, tables.pointers,
                tables.rows, tables.bias, d.offsets, d.forms, axes,
            )  # fmt: skip
        if not levels[level, T.IS_RELU] and (level > changed or region == 0):
            cut_rows(level, levels, units, pieces, maps, axes)


@loop
def _take_digits(row, levels, units, d):
    """Take the digits of a pattern; return the first level in which one is new, or the last level."""
    changed = len(levels)
    for word in range(len(row)):
        d.words[word] = row[word]
    for level in range(len(levels) - 1, -1, -1):
        for unit in range(levels[level, T.UNIT], levels[level, T.UNIT] + levels[level, T.N_UNIT]):
            width = np.uint64(units[unit, T.UNIT_BITS])
            digit = np.uint64(0)
            if width:
                field = row[units[unit, T.UNIT_WORD]] >> np.uint64(units[unit, T.UNIT_SHIFT])
                digit = field & ((np.uint64(1) << width) - np.uint64(1))
            if np.uint64(d.digits[unit]) != digit:
                changed = level
                d.digits[unit] = digit
    return changed


@loop
def _is_inside(level, point, levels, units, d, maps, bounds, axes):
    """Return whether a point is certainly inside all rows of a level."""
    last = len(axes) - 1
    reach = bounds[level, T.RHO, last]
    for c in range(last):
        reach += bounds[level, T.RHO, c] * abs(point[c])
    for unit in range(levels[level, T.UNIT], levels[level, T.UNIT] + levels[level, T.N_UNIT]):
        digit = np.int64(d.digits[unit])
        if units[unit, T.UNIT_IS_MAX]:
            for other in range(units[unit, T.UNIT_INPUTS]):
                if other != digit:
                    side = 1 if digit < other else -1
                    if not _is_beyond(pair_row(unit, digit, other, units), side, point, reach, maps, axes):
                        return False
        elif units[unit, T.UNIT_BITS]:
            for i in range(units[unit, T.UNIT_ROWS]):
                side = 1 if digit > i else -1
                if not _is_beyond(units[unit, T.UNIT_ROW] + i, side, point, reach, maps, axes):
                    return False
    return True


@inlined
def _is_beyond(row, side, point, reach, maps, axes):
    """Return whether a form certainly has a sign at a point, or is exactly zero everywhere."""
    last = len(axes) - 1
    value, size = maps[last, row], abs(maps[last, row])
    for c in range(last):
        term = maps[c, row] * point[c]
        value += term
        size += abs(term)
    error = (maps[last + 1, row] * reach + (last + 8.0) * UNIT_ROUNDOFF * size) * SLACK
    if size == 0.0 and error == 0.0:
        vanishes = True
        for c in range(len(axes)):
            vanishes &= maps[c, row] == 0.0
        return vanishes
    return side * value > error + UNDERFLOW
