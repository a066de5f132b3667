"""Affine maps of a level from those of the level before, with error bounds.

A level's preactivations are ``Z = W Y + b`` where each row of ``Y`` (n_units, dim + 1) holds the affine form of one
unit of the level before. Let ``E_c`` bound the Euclidean norm of the errors in column ``c`` of ``Y`` and ``S_c`` the
norm of column ``c`` of the computed ``Y`` (for the constant column with one more entry, the factor 1 of the bias). Then
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

*Dimension.* ``axes`` has one entry for each coefficient. Where it is a tuple, its length is known to the compiler,
which unrolls the short loops; where it is an array, one compiled loop serves every dimension.
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


@inlined
def unit_coefficient(units, unit, digit, pieces, maps, c, is_constant):
    """Return one coefficient of a unit's output on one of its pieces."""
    pre = units[unit, T.UNIT_PRE]
    if units[unit, T.UNIT_IS_MAX]:
        return maps[c, pre + digit]
    piece = units[unit, T.UNIT_PIECE] + digit
    slope = pieces[T.SLOPE, piece]
    value = scaled(slope, maps[c, pre]) if slope != 0.0 else 0.0
    return value + pieces[T.INTERCEPT_HIGH, piece] if is_constant else value


@loop
def add_sparse_unit(maps, start, pointers, offset, rows, values, unit, forms, i, axes):
    """Add form ``i`` of a list, that of one unit, to the preactivations that read it, on a sparse level."""
    for c in range(len(axes)):
        for entry in range(pointers[offset + unit], pointers[offset + unit + 1]):
            maps[c, start + rows[entry]] += values[entry] * forms[c, i]


@loop
def set_bounds(levels, floats, bounds, level, axes):
    """Set a level's error bounds from the sizes and errors of its inputs (module docstring)."""
    has_slopes = level > 0 and levels[level - 1, T.IS_RELU] == 0
    has_cut_rows = levels[level, T.ROW] != levels[level, T.PRE]
    largest = floats[level, T.LARGEST_ROW]
    for c in range(len(axes)):
        is_constant = c == len(axes) - 1
        size = bounds[level, T.SIZE, c]
        error = bounds[level, T.INPUT_ERROR, c]
        if has_slopes and size > 0.0:
            intercept = 2.0 * floats[level - 1, T.INTERCEPT] if is_constant else 0.0
            error += 4.0 * UNIT_ROUNDOFF * (size + intercept) * SLACK
        rho = (error + floats[level, T.GAMMA] * size) * SLACK
        total = (floats[level, T.SPECTRAL] * error + floats[level, T.GAMMA] * floats[level, T.FROBENIUS] * size) * SLACK
        if has_cut_rows:
            shifted = size + 1.0 if is_constant else size
            rho += 4.0 * UNIT_ROUNDOFF * shifted * SLACK
        if not (size * largest < HUGE and error * largest < HUGE):
            rho = math.inf
            total = math.inf
        bounds[level, T.RHO, c] = rho
        bounds[level, T.ERROR, c] = total


@contracted_loop
def _sum_of_squares(maps, c, start, n, digits, first):
    """Return the sum of the squares of one coefficient over the active units of a level of ReLUs."""
    total = 0.0
    column, unit = np.uint64(start), np.uint64(first)
    for k in range(np.uint64(n)):
        total += maps[c, column + k] * maps[c, column + k] * np.float64(digits[unit + k])
    return total


@inlined
def _active_relus(level, levels, bounds, digits, pattern, maps, offsets, forms, axes):
    """List the active units of a level of ReLUs and their forms; return how many there are."""
    pre0, n = levels[level, T.PRE], levels[level, T.N_UNIT]
    for c in range(len(axes)):
        bounds[level + 1, T.SIZE, c] = _sum_of_squares(maps, c, pre0, n, digits, levels[level, T.UNIT])
    count = 0
    byte0 = levels[level, T.BYTE]
    for byte in range((n + 7) >> 3):
        bits = np.uint64(pattern[byte0 + byte])
        while bits:
            k = (byte << 3) + np.int64(trailing_zeros(bits))
            bits &= bits - np.uint64(1)
            offsets[count] = k
            for c in range(len(axes)):
                forms[c, count] = maps[c, pre0 + k]
            count += 1
    return count


@inlined
def _active_units(level, levels, bounds, units, pieces, digits, maps, offsets, forms, axes):
    """List the units of any level whose output is not exactly zero; return how many there are."""
    unit0 = levels[level, T.UNIT]
    for c in range(len(axes)):
        bounds[level + 1, T.SIZE, c] = 0.0
    count = 0
    for k in range(levels[level, T.N_UNIT]):
        if _take_unit(unit0 + k, digits[unit0 + k], units, pieces, maps, forms, count, 1.0, axes):
            for c in range(len(axes)):
                bounds[level + 1, T.SIZE, c] += forms[c, count] * forms[c, count]
            offsets[count] = k
            count += 1
    return count


@inlined
def _take_unit(unit, digit, units, pieces, maps, forms, i, sign, axes):
    """Write a unit's output as form ``i`` of a list; return whether any coefficient is not zero."""
    is_used = False
    for c in range(len(axes)):
        value = unit_coefficient(units, unit, digit, pieces, maps, c, c == len(axes) - 1)
        forms[c, i] = sign * value
        is_used |= value != 0.0
    return is_used


@inlined
def fresh_product(
    level, levels, floats, bounds, units, pieces, digits, pattern, maps, weights, pointers, rows, bias, offsets, forms,
    axes
):  # fmt: skip
    """Form the maps of a level from the current digits of the level before it."""
    before = level - 1
    is_relu = levels[before, T.IS_RELU]
    start, n, weight0 = levels[level, T.PRE], levels[level, T.N_PRE], levels[level, T.WEIGHT]
    bias0 = levels[level, T.BIAS]
    if is_relu:
        count = _active_relus(before, levels, bounds, digits, pattern, maps, offsets, forms, axes)
    else:
        count = _active_units(before, levels, bounds, units, pieces, digits, maps, offsets, forms, axes)
    last = len(axes) - 1
    for c in range(last):
        for j in range(n):
            maps[c, start + j] = 0.0
    for j in range(n):
        maps[last, start + j] = bias[bias0 + j]
    if levels[level, T.IS_SPARSE]:
        for i in range(count):
            add_sparse_unit(maps, start, pointers, weight0, rows, weights, offsets[i], forms, i, axes)
    else:
        n_units = levels[before, T.N_UNIT]
        for i in range(count):
            offsets[i] *= TILE
        for tile in range(n // TILE):
            add_to_tile(
                maps, start + tile * TILE, weights, weight0 + tile * n_units * TILE, offsets, forms, count, axes
            )
    bias_entry = levels[level, T.HAS_BIAS] * 1.0
    for c in range(len(axes)):
        largest = 0.0
        if bounds[level, T.SIZE, c] < 2.0 * FLOOR * FLOOR:  # squares may have vanished: look at the numbers
            for i in range(count):
                largest = max(largest, abs(forms[c, i]))
        total = bounds[level, T.SIZE, c] + (bias_entry if c == last else 0.0)
        size = math.sqrt(total) * SLACK
        bounds[level, T.SIZE, c] = max(size, FLOOR) if total > 0.0 or largest > 0.0 else 0.0
        if not total < math.inf:  # an inactive unit whose square is infinite makes it NaN
            bounds[level, T.SIZE, c] = math.inf
        error = floats[before, T.STEEPEST] * bounds[before, T.ERROR, c] * SLACK
        bounds[level, T.INPUT_ERROR, c] = 0.0 if count == 0 and is_relu else error
    set_bounds(levels, floats, bounds, level, axes)


@inlined
def replace_unit(
    level, unit, old, new, levels, bounds, units, pieces, maps, weights, pointers, rows, offsets, forms, axes
):
    """Update the maps of a level where one unit of the level before it goes from one digit to another."""
    before = level - 1
    k = unit - levels[before, T.UNIT]
    start, n, weight0 = levels[level, T.PRE], levels[level, T.N_PRE], levels[level, T.WEIGHT]
    count = 0
    for step in range(2):
        digit = old if step == 0 else new
        if not _take_unit(unit, digit, units, pieces, maps, forms, count, -1.0 if step == 0 else 1.0, axes):
            continue
        for c in range(len(axes)):
            bounds[level, T.SIZE, c] += abs(forms[c, count]) * SLACK
        offsets[count] = k * TILE
        count += 1
    if levels[level, T.IS_SPARSE]:
        for i in range(count):
            add_sparse_unit(maps, start, pointers, weight0, rows, weights, k, forms, i, axes)
    else:
        n_units = levels[before, T.N_UNIT]
        for tile in range(n // TILE):
            add_to_tile(
                maps, start + tile * TILE, weights, weight0 + tile * n_units * TILE, offsets, forms, count, axes
            )


@loop
def cut_rows(level, levels, units, pieces, maps, axes):
    """Form the cut rows of a level that is not of ReLUs only: ``z - t`` and ``z_p - z_q``."""
    last = len(axes) - 1
    for unit in range(levels[level, T.UNIT], levels[level, T.UNIT] + levels[level, T.N_UNIT]):
        pre, row = units[unit, T.UNIT_PRE], units[unit, T.UNIT_ROW]
        if not units[unit, T.UNIT_IS_MAX]:
            for i in range(units[unit, T.UNIT_ROWS]):
                for c in range(last):
                    maps[c, row + i] = maps[c, pre]
                maps[last, row + i] = maps[last, pre] - pieces[T.BREAKPOINT, units[unit, T.UNIT_PIECE] + i]
            continue
        for p in range(units[unit, T.UNIT_INPUTS]):
            for q in range(p + 1, units[unit, T.UNIT_INPUTS]):
                for c in range(len(axes)):
                    maps[c, row] = maps[c, pre + p] - maps[c, pre + q]
                row += 1
