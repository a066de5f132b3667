"""What proves the answers of `polyrelu.kernels.programs`: bounds of all errors, or integers.

Rows are ``a · x + c`` with ``|a|_max <= 1``, every coefficient of ``a`` in error by at most ``ROW_ERROR`` and the
constant by ``CONSTANT_ERROR``. ``S = |x_1| + … + |x_dim|``.

*Inside.* The computed value of a row at a float point errs by at most ``ROW_ERROR S + CONSTANT_ERROR +
gamma(dim + 2) (S + |c|)``; a row that exceeds this is positive there. A cell whose rows are all positive at a point has
it inside.

*Above a number.* For any ``l_j >= 0`` a form obeys ``g = sum l_j r_j + rest`` with a rest that is computed, with its
errors, coefficient by coefficient. On the cell ``g >= rest``, and the rest is bounded on a box around it (Neumaier and
Shcherbina, "Safe bounds in linear and mixed-integer linear programming", 2004). Nothing is asked of the multipliers.

*Multipliers.* Where the least value is zero, or there is no box, the exact multipliers have to be non-negative. With
the computed inverse ``R`` of the normals ``A`` of a basis let ``eta < 1`` bound the row sums of ``|I - R A|``; then
``A`` is regular, and if ``r`` bounds what the computed multipliers ``m`` leave of the form's normal, the exact ones
obey

    |l_j - m_j| <= sum_i r_i |R_ij| + (eta / (1 - eta)) |r|_1 max_i |R_ij|.

The rest is a constant, zero exactly where all constants are. *Integers.* Where all coefficients are known exactly, as
small multiples of a power of two, multipliers are computed by elimination without fractions (Bareiss 1968), so that
zeros are zeros. A form with exactly one positive multiplier, and rest zero, vanishes on that row's facet; one with
more vanishes on no facet, because rows of a basis are independent.
"""

from __future__ import annotations

import math

import numpy as np

from polyrelu.kernels.bounds import SLACK, UNIT_ROUNDOFF
from polyrelu.kernels.cell_layout import CONSTANT_ERROR, GRAIN, ROW_ERROR, TOUCHED
from polyrelu.kernels.compiled import contracted_loop, inlined, loop, outlined
from polyrelu.kernels.predicates import UNDERFLOW

TOUCHES_NOTHING, TOUCHES_ONE, UNPROVEN = 0, 1, 2
SMALL = 2.0**31
LARGE = 2.0**62


@inlined
def is_inside(part, skipped, offset, stride, n, p):
    """Return whether all rows of a cell but one are proven to be positive at ``p.points[part]``; write their values."""
    dim = len(p.axes) - 1
    reach = 0.0
    for c in range(dim):
        reach += abs(p.points[part, c])
    if not reach < LARGE:
        return False
    if 0 <= skipped < n:
        above = _least_margin(p.vertices, offset, stride, skipped + 1, n, p.points, part, p.values, reach, dim)
        if not above > 0.0:
            return False
        n = skipped
    return _least_margin(p.vertices, offset, stride, 0, n, p.points, part, p.values, reach, dim) > 0.0


@contracted_loop
def _least_margin(rows, offset, stride, first, last, points, part, values, reach, dim):
    """Return the least value of some rows at a point, each less its error; infinity if there are none."""
    constant = np.uint64(offset + dim * stride)
    for i in range(np.uint64(first), np.uint64(last)):
        values[i] = rows[constant + i]
    for c in range(dim):
        x, column = points[part, c], np.uint64(offset + c * stride)
        for i in range(np.uint64(first), np.uint64(last)):
            values[i] += rows[column + i] * x
    rounding = (dim + 3) * UNIT_ROUNDOFF * SLACK
    row_error = np.uint64(offset + (dim + ROW_ERROR) * stride)
    constant_error = np.uint64(offset + (dim + CONSTANT_ERROR) * stride)
    least = math.inf
    for i in range(np.uint64(first), np.uint64(last)):
        error = rows[row_error + i] * reach + rows[constant_error + i] + rounding * (reach + abs(rows[constant + i]))
        margin = values[i] - error * SLACK - UNDERFLOW
        least = margin if margin < least else least
    return least


@inlined
def sign_inside(form, points, first, dim):
    """Return the proven sign of a form (coefficients, then errors) at the point from ``points[first]`` on, or 0."""
    value, reach = form[dim], 0.0
    for c in range(dim):
        value += form[c] * points[first + c]
        reach += abs(points[first + c])
    error = form[dim + ROW_ERROR] * reach + form[dim + CONSTANT_ERROR]
    error = (error + (dim + 3) * UNIT_ROUNDOFF * SLACK * (reach + abs(form[dim]))) * SLACK + UNDERFLOW
    return 1 if value > error else (-1 if value < -error else 0)


@inlined
def least_value(form, sign, skipped, offset, stride, corner, box, p):
    """Return a proven lower bound of ``sign * form`` on a cell, from the multipliers at a corner, within a box."""
    dim = len(p.axes) - 1
    inverse, basis, rest = p.inverses[corner], p.bases[corner], p.rest
    rounding = (2 * dim + 4) * UNIT_ROUNDOFF
    error, constant_error = form[dim + ROW_ERROR] + rounding, form[dim + CONSTANT_ERROR] + rounding * abs(form[dim])
    for c in range(dim + 1):
        rest[c] = sign * form[c]
    for j in range(dim):
        multiplier = 0.0
        for c in range(dim):
            multiplier += form[c] * inverse[j, c]
        multiplier *= sign
        row = basis[j]
        if row < 0 or row == skipped or not multiplier > 0.0:
            continue
        for c in range(dim + 1):
            rest[c] -= multiplier * p.vertices[offset + c * stride + row]
        error += multiplier * (p.vertices[offset + (dim + ROW_ERROR) * stride + row] + rounding)
        constant = abs(p.vertices[offset + dim * stride + row])
        constant_error += multiplier * (
            p.vertices[offset + (dim + CONSTANT_ERROR) * stride + row] + rounding * constant
        )
    value, lost = rest[dim], constant_error
    for c in range(dim):
        lost += (abs(rest[c]) + error) * max(abs(p.vertices[box + c]), abs(p.vertices[box + dim + c]))
    return value - lost * SLACK - UNDERFLOW


@outlined
def prove_multipliers(form, sign, skipped, offset, stride, corner, normals_only, p):
    """Return whether ``sign * form`` is proven to be non-negative on a cell, by the multipliers at a corner.

    If ``normals_only``, whether it is bounded from below there: constants do not count.

    Returns TOUCHES_NOTHING (it vanishes on no facet), TOUCHES_ONE (it is a positive multiple of the row
    ``p.found[TOUCHED]``), or UNPROVEN.
    """
    dim = len(p.axes) - 1
    found = _prove_by_integers(form, sign, skipped, offset, stride, corner, normals_only, p)
    if found != UNPROVEN:
        return found
    inverse, basis, rest, bounds = p.inverses[corner], p.bases[corner], p.rest, p.direction
    for j in range(dim):
        if basis[j] < 0 or basis[j] == skipped:
            return UNPROVEN
        multiplier = 0.0
        for c in range(dim):
            multiplier += form[c] * inverse[j, c]
        p.multipliers[j] = sign * multiplier
        if not p.multipliers[j] > 0.0:
            return UNPROVEN
    rounding = (2 * dim + 4) * UNIT_ROUNDOFF * SLACK
    largest = 0.0
    for i in range(dim):
        total = 0.0
        for c in range(dim):
            entry, size, doubt = (-1.0 if i == c else 0.0), 0.0, 0.0
            for j in range(dim):
                product = inverse[j, i] * p.vertices[offset + c * stride + basis[j]]
                entry += product
                size += abs(product)
                doubt += abs(inverse[j, i]) * p.vertices[offset + (dim + ROW_ERROR) * stride + basis[j]]
            total += abs(entry) + rounding * (size + 1.0) + doubt
        largest = max(largest, total * SLACK)
    if not largest < 0.5:
        return UNPROVEN
    for c in range(dim):
        rest[c], bounds[c] = sign * form[c], form[dim + ROW_ERROR] + rounding * abs(form[c])
    value, value_error, has_constants = sign * form[dim], form[dim + CONSTANT_ERROR], form[dim] != 0.0
    for j in range(dim):
        multiplier = p.multipliers[j]
        for c in range(dim):
            product = multiplier * p.vertices[offset + c * stride + basis[j]]
            rest[c] -= product
            bounds[c] += abs(multiplier) * p.vertices[offset + (dim + ROW_ERROR) * stride + basis[j]]
            bounds[c] += rounding * abs(product)
    sum_of_rests = 0.0
    for c in range(dim):
        bounds[c] = (bounds[c] + abs(rest[c])) * SLACK + UNDERFLOW
        sum_of_rests += bounds[c]
    for j in range(dim):
        doubt, longest = 0.0, 0.0
        for c in range(dim):
            doubt += bounds[c] * abs(inverse[j, c])
            longest = max(longest, abs(inverse[j, c]))
        doubt = (doubt + 2.0 * largest * sum_of_rests * longest) * SLACK + UNDERFLOW
        if not p.multipliers[j] > doubt:
            return UNPROVEN
        constant = p.vertices[offset + dim * stride + basis[j]]
        constant_doubt = p.vertices[offset + (dim + CONSTANT_ERROR) * stride + basis[j]]
        has_constants |= constant != 0.0 or constant_doubt != 0.0
        value -= p.multipliers[j] * constant
        value_error += doubt * abs(constant) + (p.multipliers[j] + doubt) * constant_doubt
        value_error += rounding * p.multipliers[j] * abs(constant)
    if normals_only:
        return TOUCHES_NOTHING
    value_error += rounding * abs(form[dim])
    if (has_constants or value_error != 0.0) and not value > value_error * SLACK + UNDERFLOW:
        return UNPROVEN
    p.found[TOUCHED] = basis[0]
    return TOUCHES_ONE if dim == 1 and not has_constants else TOUCHES_NOTHING


@outlined
def _prove_by_integers(form, sign, skipped, offset, stride, corner, normals_only, p):
    """Do as `prove_multipliers` with exact integers; UNPROVEN where coefficients are not exact, or too large."""
    dim = len(p.axes) - 1
    basis, table = p.bases[corner], p.integers
    if not _load_integers(form, sign, offset, stride, basis, p):
        return UNPROVEN
    determinant = _eliminate(table, dim)
    if determinant == 0 or abs(float(table[dim, 0]) * float(determinant)) > LARGE:
        return UNPROVEN
    turn = 1 if determinant > 0 else -1
    rest = table[dim, 0] * determinant * turn
    n_positive, at = 0, 0
    for j in range(dim):
        multiplier = table[j, dim] * turn
        if multiplier < 0 or (multiplier > 0 and (basis[j] < 0 or basis[j] == skipped)):
            return UNPROVEN
        if multiplier > 0 and not normals_only:
            value = p.vertices[offset + dim * stride + basis[j]]
            constant = np.int64(value / p.vertices[offset + (dim + GRAIN) * stride + basis[j]])
            if abs(float(multiplier) * float(constant)) + abs(float(rest)) > LARGE:
                return UNPROVEN
            rest -= multiplier * constant
            n_positive += 1
            at = basis[j]
    if rest < 0 and not normals_only:
        return UNPROVEN
    p.found[TOUCHED] = at
    return TOUCHES_ONE if n_positive == 1 and rest == 0 else TOUCHES_NOTHING


@loop
def _eliminate(table, dim):
    """Reduce the first ``dim`` rows and columns to a multiple of the identity without fractions (Bareiss 1968).

    Column ``dim`` is the right-hand side. Returns the determinant up to its sign's convention of swapped rows: the
    solution is column ``dim`` over it. Returns 0 if the matrix is singular, or numbers get too large.
    """
    previous = 1
    for k in range(dim):
        pivot = k
        while pivot < dim and table[pivot, k] == 0:
            pivot += 1
        if pivot == dim:
            return 0
        for j in range(dim + 1):
            table[k, j], table[pivot, j] = table[pivot, j], table[k, j]
        head = table[k, k]
        for i in range(dim):
            factor = table[i, k]
            if i == k:
                continue
            for j in range(dim + 1):
                if abs(float(head) * float(table[i, j])) + abs(float(factor) * float(table[k, j])) > LARGE:
                    return 0
                table[i, j] = (head * table[i, j] - factor * table[k, j]) // previous
        previous = head
    return previous


@outlined
def is_ray_by_integers(place, offset, stride, n, corner, p):
    """Return whether the edge of a corner where one row of its basis grows is proven, in integers, never to end."""
    dim, basis, table = len(p.axes) - 1, p.bases[corner], p.integers
    for i in range(dim):
        grain = p.vertices[offset + (dim + GRAIN) * stride + basis[i]] if basis[i] >= 0 else 0.0
        if grain == 0.0:
            return False
        for c in range(dim):
            value = p.vertices[offset + c * stride + basis[i]] / grain
            if abs(value) > SMALL:
                return False
            table[i, c] = np.int64(value)
        table[i, dim] = 1 if i == place else 0
    determinant = _eliminate(table, dim)
    if determinant == 0:
        return False
    turn = 1 if determinant > 0 else -1
    for i in range(n):
        grain, rate = p.vertices[offset + (dim + GRAIN) * stride + i], np.int64(0)
        if grain == 0.0:
            return False
        for c in range(dim):
            value, along = p.vertices[offset + c * stride + i] / grain, table[c, dim] * turn
            if abs(value) > SMALL or abs(value * float(along)) + abs(float(rate)) > LARGE:
                return False
            rate += np.int64(value) * along
        if rate < 0:
            return False
    return True


@inlined
def _load_integers(form, sign, offset, stride, basis, p):
    """Write the system for the multipliers in integers, the form's constant after it; False if there is none."""
    dim, table = len(p.axes) - 1, p.integers
    grain = form[dim + GRAIN]
    if grain == 0.0:
        return False
    for c in range(dim + 1):
        value = sign * form[c] / grain
        if abs(value) > SMALL:
            return False
        if c < dim:
            table[c, dim] = np.int64(value)
        else:
            table[dim, 0] = np.int64(value)
    for j in range(dim):
        row = basis[j]
        grain = 1.0 if row < 0 else p.vertices[offset + (dim + GRAIN) * stride + row]
        if grain == 0.0:
            return False
        for c in range(dim):
            value = 1.0 * (c == -1 - row) if row < 0 else p.vertices[offset + c * stride + row] / grain
            if abs(value) > SMALL:
                return False
            table[c, j] = np.int64(value)
        if row >= 0 and abs(p.vertices[offset + dim * stride + row] / grain) > SMALL:
            return False
    return True
