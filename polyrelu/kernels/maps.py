"""Affine maps of a level from those of the level before, with error bounds.

A level's preactivations are ``Z = W Y + b`` where each row of ``Y`` (n_units, 3) holds the affine form of one unit
of the level before. Let ``E_c`` bound the Euclidean norm of the errors in column ``c`` of ``Y`` and ``S_c`` the norm
of column ``c`` of the computed ``Y`` (for the constant column with one more entry, the factor 1 of the bias). Then
column ``c`` of the computed form ``j`` errs by at most

    |(w_j, b_j)| * RHO_c      with      RHO_c = E_c + gamma(n + 68) S_c,

by Cauchy-Schwarz, and the errors of all forms together have norm at most ``|W|_2 E_c + gamma(n + 68) |(W, b)|_F S_c``.

*Updates.* Where neighbours differ in the digits of few units, ``Z`` is updated by adding and subtracting the terms
of those units. The computed ``Z`` is then still the value of one long sum, of the first terms and all later ones,
so both bounds hold with ``S_c`` enlarged by the sizes of the later terms; `MAX_FLIPS` and a doubling of ``S_c``
end the updates, and the product is formed afresh.

*Activations.* A unit's output ``s z + t`` computed with rounded ``s`` and ``t`` errs by at most
``|s| err(z) + 4 u (|s z + t| + 2 |t|)`` (SLACK covers the products of roundings), so
``E_c <= max|s| ERROR_c + 4 u (S_c + 2 |t|)``; for ReLU and max units the last term is zero, because their slopes are
0 and 1. Cut rows ``z_p - z_q`` and ``z - t`` err by one more rounding; their norms are ``|w_p| + |w_q|`` and
``|w| + |t|``, and RHO is enlarged by ``4 u`` times SIZE (plus 1 in the constant column) on levels that have them.

Underflow and overflow: see `polyrelu.kernels.bounds` (`FLOOR`, `HUGE`).
"""

from __future__ import annotations

import math

import numpy as np

from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import trailing_zeros
from polyrelu.kernels.bounds import FLOOR, HUGE, SLACK, UNIT_ROUNDOFF
from polyrelu.kernels.compiled import contracted_loop, inlined, loop
from polyrelu.kernels.tiles import TILE, add_to_tile

MAX_FLIPS = 60


@inlined
def scaled(slope, value):
    """Return ``slope * value``, never zero by underflow: zero is to mean exactly zero (`FLOOR`)."""
    product = slope * value
    return 2.0**-1074 if product == 0.0 and value != 0.0 else product


@loop
def unit_output(units, unit, digit, pieces, maps):
    """Return the three coefficients of a unit's output on one of its pieces."""
    pre = units[unit, T.UNIT_PRE]
    if units[unit, T.UNIT_IS_MAX]:
        pre += digit
        return maps[0, pre], maps[1, pre], maps[2, pre]
    piece = units[unit, T.UNIT_PIECE] + digit
    slope, intercept = pieces[T.SLOPE, piece], pieces[T.INTERCEPT_HIGH, piece]
    if slope == 0.0:
        return 0.0, 0.0, intercept
    return scaled(slope, maps[0, pre]), scaled(slope, maps[1, pre]), scaled(slope, maps[2, pre]) + intercept


@loop
def add_sparse_unit(maps, start, pointers, offset, rows, values, unit, x, y, c):
    """Add one unit's form to the preactivations that read it, on a sparse level."""
    for i in range(pointers[offset + unit], pointers[offset + unit + 1]):
        j = start + rows[i]
        maps[0, j] += values[i] * x
        maps[1, j] += values[i] * y
        maps[2, j] += values[i] * c


@loop
def set_bounds(levels, floats, level):
    """Set a level's error bounds from the sizes and errors of its inputs (module docstring)."""
    has_slopes = level > 0 and levels[level - 1, T.IS_RELU] == 0
    has_cut_rows = levels[level, T.ROW] != levels[level, T.PRE]
    largest = floats[level, T.LARGEST_ROW]
    for c in range(3):
        size = floats[level, T.SIZE + c]
        error = floats[level, T.INPUT_ERROR + c]
        if has_slopes and size > 0.0:
            intercept = 2.0 * floats[level - 1, T.INTERCEPT] if c == 2 else 0.0
            error += 4.0 * UNIT_ROUNDOFF * (size + intercept) * SLACK
        rho = (error + floats[level, T.GAMMA] * size) * SLACK
        total = (floats[level, T.SPECTRAL] * error + floats[level, T.GAMMA] * floats[level, T.FROBENIUS] * size) * SLACK
        if has_cut_rows:
            shifted = size + 1.0 if c == 2 else size
            rho += 4.0 * UNIT_ROUNDOFF * shifted * SLACK
        if not (size * largest < HUGE and error * largest < HUGE):
            rho = math.inf
            total = math.inf
        floats[level, T.RHO + c] = rho
        floats[level, T.ERROR + c] = total


@contracted_loop
def _sum_of_squares(maps, c, start, n, digits, first):
    """Return the sum of the squares of one coefficient over the active units of a level of ReLUs."""
    total = 0.0
    column, unit = np.uint64(start), np.uint64(first)
    for k in range(np.uint64(n)):
        total += maps[c, column + k] * maps[c, column + k] * np.float64(digits[unit + k])
    return total


@inlined
def _active_relus(level, levels, floats, digits, pattern, maps, offsets, forms):
    """List the active units of a level of ReLUs and their forms; return how many there are."""
    pre0, n = levels[level, T.PRE], levels[level, T.N_UNIT]
    for c in range(3):
        floats[level + 1, T.SIZE + c] = _sum_of_squares(maps, c, pre0, n, digits, levels[level, T.UNIT])
    count = 0
    byte0 = levels[level, T.BYTE]
    for byte in range((n + 7) >> 3):
        bits = np.uint64(pattern[byte0 + byte])
        while bits:
            k = (byte << 3) + np.int64(trailing_zeros(bits))
            bits &= bits - np.uint64(1)
            offsets[count] = k
            forms[0, count] = maps[0, pre0 + k]
            forms[1, count] = maps[1, pre0 + k]
            forms[2, count] = maps[2, pre0 + k]
            count += 1
    return count


@inlined
def _active_units(level, levels, floats, units, pieces, digits, maps, offsets, forms):
    """List the units of any level whose output is not exactly zero; return how many there are."""
    unit0 = levels[level, T.UNIT]
    for c in range(3):
        floats[level + 1, T.SIZE + c] = 0.0
    count = 0
    for k in range(levels[level, T.N_UNIT]):
        x, y, c = unit_output(units, unit0 + k, digits[unit0 + k], pieces, maps)
        if x != 0.0 or y != 0.0 or c != 0.0:
            floats[level + 1, T.SIZE] += x * x
            floats[level + 1, T.SIZE + 1] += y * y
            floats[level + 1, T.SIZE + 2] += c * c
            forms[0, count], forms[1, count], forms[2, count] = x, y, c
            offsets[count] = k
            count += 1
    return count


@inlined
def fresh_product(
    level, levels, floats, units, pieces, digits, pattern, maps, weights, pointers, rows, bias, offsets, forms
):
    """Form the maps of a level from the current digits of the level before it."""
    before = level - 1
    is_relu = levels[before, T.IS_RELU]
    start, n, weight0 = levels[level, T.PRE], levels[level, T.N_PRE], levels[level, T.WEIGHT]
    bias0 = levels[level, T.BIAS]
    if is_relu:
        count = _active_relus(before, levels, floats, digits, pattern, maps, offsets, forms)
    else:
        count = _active_units(before, levels, floats, units, pieces, digits, maps, offsets, forms)
    for j in range(n):
        maps[0, start + j] = 0.0
        maps[1, start + j] = 0.0
        maps[2, start + j] = bias[bias0 + j]
    if levels[level, T.IS_SPARSE]:
        for i in range(count):
            add_sparse_unit(
                maps, start, pointers, weight0, rows, weights, offsets[i], forms[0, i], forms[1, i], forms[2, i]
            )
    else:
        n_units = levels[before, T.N_UNIT]
        for i in range(count):
            offsets[i] *= TILE
        for tile in range(n // TILE):
            add_to_tile(maps, start + tile * TILE, weights, weight0 + tile * n_units * TILE, offsets, forms, count)
    bias_entry = levels[level, T.HAS_BIAS] * 1.0
    for c in range(3):
        largest = 0.0
        if floats[level, T.SIZE + c] < 2.0 * FLOOR * FLOOR:  # squares may have vanished: look at the numbers
            for i in range(count):
                largest = max(largest, abs(forms[c, i]))
        total = floats[level, T.SIZE + c] + (bias_entry if c == 2 else 0.0)
        size = math.sqrt(total) * SLACK
        floats[level, T.SIZE + c] = max(size, FLOOR) if total > 0.0 or largest > 0.0 else 0.0
        error = floats[before, T.STEEPEST] * floats[before, T.ERROR + c] * SLACK
        floats[level, T.INPUT_ERROR + c] = 0.0 if count == 0 and is_relu else error
    set_bounds(levels, floats, level)


@inlined
def replace_unit(
    level, unit, old, new, levels, floats, units, pieces, maps, weights, pointers, rows, offsets, forms
):
    """Update the maps of a level where one unit of the level before it goes from one digit to another."""
    before = level - 1
    k = unit - levels[before, T.UNIT]
    start, n, weight0 = levels[level, T.PRE], levels[level, T.N_PRE], levels[level, T.WEIGHT]
    count = 0
    for step in range(2):
        digit = old if step == 0 else new
        x, y, c = unit_output(units, unit, digit, pieces, maps)
        if x == 0.0 and y == 0.0 and c == 0.0:
            continue
        floats[level, T.SIZE] += abs(x) * SLACK
        floats[level, T.SIZE + 1] += abs(y) * SLACK
        floats[level, T.SIZE + 2] += abs(c) * SLACK
        sign = -1.0 if step == 0 else 1.0
        forms[0, count], forms[1, count], forms[2, count] = sign * x, sign * y, sign * c
        offsets[count] = k * TILE
        count += 1
    if levels[level, T.IS_SPARSE]:
        for i in range(count):
            add_sparse_unit(maps, start, pointers, weight0, rows, weights, k, forms[0, i], forms[1, i], forms[2, i])
    else:
        n_units = levels[before, T.N_UNIT]
        for tile in range(n // TILE):
            add_to_tile(maps, start + tile * TILE, weights, weight0 + tile * n_units * TILE, offsets, forms, count)


@loop
def cut_rows(level, levels, units, pieces, maps):
    """Form the cut rows of a level that is not of ReLUs only: ``z - t`` and ``z_p - z_q``."""
    for unit in range(levels[level, T.UNIT], levels[level, T.UNIT] + levels[level, T.N_UNIT]):
        pre, row = units[unit, T.UNIT_PRE], units[unit, T.UNIT_ROW]
        if not units[unit, T.UNIT_IS_MAX]:
            for i in range(units[unit, T.UNIT_ROWS]):
                maps[0, row + i] = maps[0, pre]
                maps[1, row + i] = maps[1, pre]
                maps[2, row + i] = maps[2, pre] - pieces[T.BREAKPOINT, units[unit, T.UNIT_PIECE] + i]
            continue
        for p in range(units[unit, T.UNIT_INPUTS]):
            for q in range(p + 1, units[unit, T.UNIT_INPUTS]):
                for c in range(3):
                    maps[c, row] = maps[c, pre + p] - maps[c, pre + q]
                row += 1
