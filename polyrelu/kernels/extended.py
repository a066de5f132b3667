"""The same predicate in double-doubles, for what floats leave undecided in deep networks.

Maps of a level are formed afresh in double-doubles (106 bits) with the bounds of `polyrelu.kernels.maps`, where
``gamma(n + 68)`` becomes ``2 (n + 4) DD``: one product and one sum for each term, each with a relative error of at
most `DD`. They are kept until the level's maps change, so the cost is shared by all questions about one polygon.
The sign of a form ``k`` at the crossing of lines ``i, j`` is the sign of ``det(i, j, k) / det_2(i, j)``; both
determinants are bounded term by term. A zero is certified by the lattice as in `polyrelu.kernels.predicates`.

Underflow: a product whose parts fall below 2^-968 loses more than `DD` allows, at most 2^-1021. Sizes are at
least `FLOOR` unless exactly zero, so ``DD * FLOOR^2 >= 2^-903`` covers it in the maps; in the determinants `TINY`
is added for every product that has no factor that is exactly zero.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import DD, dd_add, dd_mul, dd_mul_float
from polyrelu.kernels.bounds import FLOOR, HUGE, SLACK, SMALLEST_GAP
from polyrelu.kernels.compiled import inlined, loop
from polyrelu.kernels.predicates import UNKNOWN, WORST_VERTEX, certain_sign, set_gap
from polyrelu.kernels.tiles import TILE

RHO, ERROR, SIZE = 0, 3, 6
"""Columns of the bounds of a level, three each, as in the float table."""
N_BOUNDS = 9
TINY = 2.0**-1000


class Extended(NamedTuple):
    """The double-double maps, and what their columns are made of.

    Attributes
    ----------
    high, low : float64 arrays, shape (3, n_columns)
    bounds : float64 array, shape (n_levels + 1, N_BOUNDS)
    formed_at : int64 array, shape (n_levels + 1,)
        `SERIAL` of the maps that the level was last formed for.
    sources : int64 array, shape (n_columns, 2)
        A column is the preactivation in column ``p``, less that in column ``q`` unless ``q`` is -1, less
    shifts : float64 array, shape (2, n_columns)
        a breakpoint, as a double-double.
    forms : float64 array, shape (2, 3, 3), and errors : float64 array, shape (3, 3)
        High and low parts of three forms, and bounds of their errors.
    """

    high: NDArray[np.float64]
    low: NDArray[np.float64]
    bounds: NDArray[np.float64]
    formed_at: NDArray[np.int64]
    sources: NDArray[np.int64]
    shifts: NDArray[np.float64]
    forms: NDArray[np.float64]
    errors: NDArray[np.float64]


@loop
def extended_answer(kind, row, line, other, tables, digits, g, x):
    """Return the sign of a row at the crossing of two near lines, or UNKNOWN.

    Of kind `ASK_VERTEX`: store the crossing in the scratch row of the vertices and return 0, or UNKNOWN.
    """
    _load(row, line, other, tables, digits, g, x)
    lattices = 1.0
    for column in (line, other):
        lattices *= g.floats[g.columns[column, T.COLUMN_LEVEL], T.LATTICE]
    if kind == T.ASK_SIGN:
        return _sign(x.forms, x.errors, lattices * g.floats[g.columns[row, T.COLUMN_LEVEL], T.LATTICE])
    return 0 if _crossing(x.forms, x.errors, lattices, g.vertices, T.SCRATCH) else UNKNOWN


@inlined
def _load(row, line, other, tables, digits, g, x):
    """Bring the maps up to date with the current digits, and write the forms of three columns."""
    last = 0
    for column in (row, line, other):
        level = g.columns[column, T.COLUMN_LEVEL]
        if level < len(tables.levels):
            last = max(last, level)
    for level in range(1, last + 1):
        if x.formed_at[level] != tables.levels[level, T.SERIAL]:
            _form_level(
                level, tables.levels, g.floats, tables.units, tables.pieces, digits, x.high, x.low, x.bounds,
                tables.weights, tables.pointers, tables.rows, tables.bias,
            )  # fmt: skip
            x.formed_at[level] = tables.levels[level, T.SERIAL]
    for r, column in enumerate((row, line, other)):
        for c in range(3):
            x.forms[0, r, c], x.forms[1, r, c] = _coefficient(column, c, x.sources, x.shifts, x.high, x.low)
            x.errors[r, c] = g.maps[3, column] * x.bounds[g.columns[column, T.COLUMN_LEVEL], RHO + c]


@inlined
def _form_level(
    level, levels, floats, units, pieces, digits, high, low, bounds, weights, pointers, rows, bias
):
    before = level - 1
    start, n, weight0 = levels[level, T.PRE], levels[level, T.N_PRE], levels[level, T.WEIGHT]
    unit0, n_units = levels[before, T.UNIT], levels[before, T.N_UNIT]
    for j in range(n):
        for c in range(3):
            high[c, start + j] = bias[levels[level, T.BIAS] + j] if c == 2 else 0.0
            low[c, start + j] = 0.0
    count = 0
    for c in range(3):
        bounds[level, SIZE + c] = 0.0
    for k in range(n_units):
        unit = unit0 + k
        used = False
        for c in range(3):
            h, s = _unit_output(unit, digits[unit], c, units, pieces, high, low)
            if h == 0.0:
                continue
            used = True
            bounds[level, SIZE + c] += abs(h) * SLACK
            if levels[level, T.IS_SPARSE]:
                for i in range(pointers[weight0 + k], pointers[weight0 + k + 1]):
                    j = start + rows[i]
                    ph, pl = dd_mul_float(h, s, weights[i])
                    high[c, j], low[c, j] = dd_add(high[c, j], low[c, j], ph, pl)
            else:
                for tile in range(n // TILE):
                    source = weight0 + (tile * n_units + k) * TILE
                    _add_tile(high, low, c, start + tile * TILE, weights, source, h, s)
        count += used
    has_slopes = levels[before, T.IS_RELU] == 0
    rounding = 2.0 * (count + 4) * DD * SLACK
    largest = floats[level, T.LARGEST_ROW]
    for c in range(3):
        size = bounds[level, SIZE + c] + (levels[level, T.HAS_BIAS] if c == 2 else 0.0)
        size = max(size, FLOOR) if size > 0.0 else 0.0
        bounds[level, SIZE + c] = size
        error = floats[before, T.STEEPEST] * bounds[before, ERROR + c] * SLACK
        if has_slopes and size > 0.0:
            error += 4.0 * DD * (size + 2.0 * floats[before, T.INTERCEPT]) * SLACK
        if not has_slopes and count == 0:
            error = 0.0
        rho = (error + rounding * size) * SLACK
        total = (floats[level, T.SPECTRAL] * error + rounding * floats[level, T.FROBENIUS] * size) * SLACK
        if levels[level, T.ROW] != start:
            rho += 4.0 * DD * (size + 1.0) * SLACK
        if not (size * largest < HUGE and error * largest < HUGE):
            rho = math.inf
            total = math.inf
        bounds[level, RHO + c] = rho
        bounds[level, ERROR + c] = total


@loop
def _add_tile(high, low, c, start, weights, offset, h, s):
    first, source = np.uint64(start), np.uint64(offset)
    for j in range(np.uint64(TILE)):
        ph, pl = dd_mul_float(h, s, weights[source + j])
        high[c, first + j], low[c, first + j] = dd_add(high[c, first + j], low[c, first + j], ph, pl)


@loop
def _unit_output(unit, digit, c, units, pieces, high, low):
    """Return one coefficient of a unit's output as a double-double."""
    pre = units[unit, T.UNIT_PRE]
    if units[unit, T.UNIT_IS_MAX]:
        return high[c, pre + digit], low[c, pre + digit]
    piece = units[unit, T.UNIT_PIECE] + digit
    if pieces[T.SLOPE, piece] == 0.0:
        return (pieces[T.INTERCEPT_HIGH, piece], pieces[T.INTERCEPT_LOW, piece]) if c == 2 else (0.0, 0.0)
    h, s = dd_mul(high[c, pre], low[c, pre], pieces[T.SLOPE, piece], pieces[T.SLOPE_LOW, piece])
    if h == 0.0 and high[c, pre] != 0.0:
        h = 2.0**-1074  # zero is to mean exactly zero
    if c == 2:
        h, s = dd_add(h, s, pieces[T.INTERCEPT_HIGH, piece], pieces[T.INTERCEPT_LOW, piece])
    return h, s


@inlined
def _coefficient(column, c, sources, shifts, high, low):
    """Return one coefficient of a column's form: a preactivation, ``z - t``, ``z_p - z_q``, or a domain line."""
    p, q = sources[column, 0], sources[column, 1]
    h, s = high[c, p], low[c, p]
    if q >= 0:
        return dd_add(h, s, -high[c, q], -low[c, q])
    if c == 2 and shifts[0, column] != 0.0:
        return dd_add(h, s, -shifts[0, column], -shifts[1, column])
    return h, s


@loop
def _minor(forms, errors, r, s, c, d):
    """Return (high, low, error) of the 2 x 2 minor of rows ``r, s`` and columns ``c, d``."""
    ph, pl = dd_mul(forms[0, r, c], forms[1, r, c], forms[0, s, d], forms[1, s, d])
    qh, ql = dd_mul(forms[0, r, d], forms[1, r, d], forms[0, s, c], forms[1, s, c])
    h, low = dd_add(ph, pl, -qh, -ql)
    rc, rd = abs(forms[0, r, c]), abs(forms[0, r, d])
    sc, sd = abs(forms[0, s, c]), abs(forms[0, s, d])
    error = 4.0 * DD * (abs(ph) + abs(qh))
    error += (rc + errors[r, c]) * errors[s, d] + sd * errors[r, c] + (rd + errors[r, d]) * errors[s, c]
    error += sc * errors[r, d]
    p_is_zero = (rc == 0.0 and errors[r, c] == 0.0) or (sd == 0.0 and errors[s, d] == 0.0)
    q_is_zero = (rd == 0.0 and errors[r, d] == 0.0) or (sc == 0.0 and errors[s, c] == 0.0)
    return h, low, (0.0 if p_is_zero and q_is_zero else error * SLACK + TINY)


@inlined
def _sign(forms, errors, lattices):
    """Return the sign of form 0 at the crossing of lines 1 and 2, or UNKNOWN."""
    h, _, error = _minor(forms, errors, 1, 2, 0, 1)
    orientation = certain_sign(h, error + 2.0 * DD * abs(h), 0.0)
    if orientation == 0 or orientation == UNKNOWN:
        return UNKNOWN
    total_h = total_l = total_error = 0.0
    for c in range(3):
        d, e = (1, 2) if c == 0 else ((2, 0) if c == 1 else (0, 1))
        mh, ml, m_error = _minor(forms, errors, 1, 2, d, e)
        if (forms[0, 0, c] == 0.0 and errors[0, c] == 0.0) or (mh == 0.0 and m_error == 0.0):
            continue
        th, tl = dd_mul(forms[0, 0, c], forms[1, 0, c], mh, ml)
        total_h, total_l = dd_add(total_h, total_l, th, tl)
        total_error += 8.0 * DD * (abs(th) + abs(total_h))
        total_error += (abs(forms[0, 0, c]) + errors[0, c]) * m_error + abs(mh) * errors[0, c]
        total_error += TINY
    total_error *= SLACK
    gap = lattices / SLACK if lattices > SMALLEST_GAP else 0.0
    if total_error == 0.0:  # every product has a factor that is exactly zero
        return 0
    sign = certain_sign(total_h, (total_error + 2.0 * DD * abs(total_h)) * SLACK, gap)
    return sign if sign == UNKNOWN else sign * orientation


@inlined
def _crossing(forms, errors, lattices, vertices, v):
    """Place the crossing of lines 1 and 2; False if its error is not small."""
    w, _, w_error = _minor(forms, errors, 1, 2, 0, 1)
    x, _, x_error = _minor(forms, errors, 1, 2, 1, 2)
    y, _, y_error = _minor(forms, errors, 1, 2, 2, 0)
    w_error += 2.0 * DD * abs(w)
    least = abs(w) - w_error * SLACK
    if not least > 0.0:
        return False
    rounding = 2.0**-51
    px, py = x / w, y / w
    x_error += TINY if x_error > 0.0 else 0.0
    y_error += TINY if y_error > 0.0 else 0.0
    x_error = ((x_error + 2.0 * DD * abs(x) + abs(px) * w_error) / least + rounding * abs(px)) * SLACK
    y_error = ((y_error + 2.0 * DD * abs(y) + abs(py) * w_error) / least + rounding * abs(py)) * SLACK
    vertices[v, T.X], vertices[v, T.Y] = px, py
    vertices[v, T.X_ERROR], vertices[v, T.Y_ERROR] = x_error, y_error
    vertices[v, T.FAR_X] = vertices[v, T.FAR_Y] = vertices[v, T.FAR_ERROR] = 0.0
    set_gap(lattices, abs(w) + w_error, vertices, v)
    return x_error + y_error <= WORST_VERTEX * (abs(px) + abs(py))
