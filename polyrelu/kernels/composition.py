"""Proofs from how a layer is made of the one before it, where coordinates of the inputs do not prove anything.

On a cell with fixed digits a neuron of a level that follows ReLUs is ``f = b + sum w_k u_k`` over the active neurons
of the level before, whose ``u_k`` are non-negative there, with the weights and the bias as they are stored: exactly. So
are the rows ``r_j`` of the same level. Hence for any ``m_j >= 0``

    f = sum m_j r_j + sum (w_k - sum_j m_j w_jk) u_k + (b - sum_j m_j b_j),

and ``f >= 0`` on the cell if all differences are non-negative, which floats prove with a bound of their rounding. The
multipliers come from a linear program; where a difference should be exactly zero, they are moved a little so that it is
positive. This is what decides networks without biases, whose forms often lie exactly in the span of fewer forms than
there are inputs.
"""

from __future__ import annotations

from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import SLACK, UNIT_ROUNDOFF
from polyrelu.kernels.cell_layout import COLUMN, FACTOR, SUBJECT
from polyrelu.kernels.compiled import inlined, outlined
from polyrelu.kernels.predicates import UNDERFLOW
from polyrelu.kernels.tiles import TILE

NEGLIGIBLE = 2.0**-36
"""Multipliers and differences below this count as zero, for the choice of multipliers."""
NUDGE = 2.0**-30


@outlined
def prove_by_composition(form, sign, skipped, offset, stride, corner, g):
    """Return whether ``sign * form`` is proven to be non-negative on a cell, and to vanish on none of its facets."""
    dim, subject = len(g.axes) - 1, g.found[SUBJECT]
    level = g.columns[subject, T.COLUMN_LEVEL]
    if level == 0 or level == len(g.levels) or not (g.levels[level, T.IS_RELU] and g.levels[level - 1, T.IS_RELU]):
        return False
    if g.levels[level, T.IS_SPARSE]:
        return False
    n_used = _choose_rows(form, sign, skipped, offset, stride, corner, level, g)
    if not _nudge(sign * form[dim + FACTOR], subject, level, n_used, offset, stride, g):
        return False
    return _has_no_negative_part(sign * form[dim + FACTOR], subject, level, n_used, offset, stride, g)


@inlined
def _choose_rows(form, sign, skipped, offset, stride, corner, level, g):
    """List the rows of a corner that are of the form's level, with their multipliers; return how many there are."""
    dim, n_used = len(g.axes) - 1, 0
    for j in range(dim):
        row = g.bases[corner, j]
        if row < 0 or row == skipped or g.columns[g.marks[offset + COLUMN * stride + row], T.COLUMN_LEVEL] != level:
            continue
        multiplier = 0.0
        for c in range(dim):
            multiplier += sign * form[c] * g.inverses[corner, j, c]
        if multiplier > NEGLIGIBLE:
            g.used[n_used] = row
            g.multipliers[n_used] = multiplier
            n_used += 1
    return n_used


@inlined
def _weight(column, unit, level, g):
    """Return the weight of a neuron's preactivation, by its column, for a unit of the level before."""
    row = column - g.levels[level, T.PRE]
    tile = g.levels[level, T.WEIGHT] + row // TILE * (g.levels[level - 1, T.N_UNIT] * TILE)
    return g.weights[tile + unit * TILE + row % TILE]


@inlined
def _difference(factor, subject, unit, level, n_used, offset, stride, g):
    """Return what remains of the form's weight for a unit, and a bound of its rounding."""
    first = factor * _weight(subject, unit, level, g)
    rest, size = first, abs(first)
    for j in range(n_used):
        row = g.used[j]
        own = g.vertices[offset + (len(g.axes) - 1 + FACTOR) * stride + row]
        product = g.multipliers[j] * own * _weight(g.marks[offset + COLUMN * stride + row], unit, level, g)
        rest -= product
        size += abs(product)
    return rest, size * (n_used + 4) * UNIT_ROUNDOFF * SLACK


@inlined
def _nudge(factor, subject, level, n_used, offset, stride, g):
    """Move the multipliers so that differences that are about zero become positive; False if there are too many."""
    before, n_tight = level - 1, 0
    unit0 = g.levels[before, T.UNIT]
    for unit in range(g.levels[before, T.N_UNIT]):
        if g.digits[unit0 + unit] == 0:
            continue
        rest, error = _difference(factor, subject, unit, level, n_used, offset, stride, g)
        if error == 0.0 or rest > NEGLIGIBLE:
            continue
        if n_tight == n_used:
            return False
        for j in range(n_used):
            row = g.used[j]
            own = g.vertices[offset + (len(g.axes) - 1 + FACTOR) * stride + row]
            g.matrix[n_tight, j] = own * _weight(g.marks[offset + COLUMN * stride + row], unit, level, g)
        g.rest[n_tight] = -NUDGE
        n_tight += 1
    return n_tight == 0 or _solve(g.matrix, g.rest, n_tight, n_used, g.multipliers)


@inlined
def _solve(matrix, right, n, width, result):
    """Add to ``result`` a solution of ``n`` equations in ``width`` unknowns, by elimination; False without pivots."""
    for k in range(n):
        best, pivot = 0.0, -1
        for j in range(width):
            if abs(matrix[k, j]) > best:
                best, pivot = abs(matrix[k, j]), j
        if not best > 2.0**-60:
            return False
        for i in range(n):
            share = matrix[i, pivot] / matrix[k, pivot]
            if i != k and share != 0.0:
                for j in range(width):
                    matrix[i, j] -= share * matrix[k, j]
                matrix[i, pivot] = 0.0
                right[i] -= share * right[k]
    for k in range(n):
        for j in range(width):
            is_pivot = matrix[k, j] != 0.0
            for i in range(n):
                is_pivot &= i == k or matrix[i, j] == 0.0
            if is_pivot:
                result[j] += right[k] / matrix[k, j]
                break
    return True


@inlined
def _has_no_negative_part(factor, subject, level, n_used, offset, stride, g):
    """Return whether all parts are proven to be non-negative, and to vanish together on no hyperplane."""
    dim, before = len(g.axes) - 1, level - 1
    for j in range(n_used):
        if not g.multipliers[j] >= 0.0:
            return False
    first = g.levels[level, T.BIAS] - g.levels[level, T.PRE]
    rest = factor * g.bias[first + subject]
    size = abs(rest)
    for j in range(n_used):
        row = g.used[j]
        own = g.vertices[offset + (dim + FACTOR) * stride + row]
        product = g.multipliers[j] * own * g.bias[first + g.marks[offset + COLUMN * stride + row]]
        rest -= product
        size += abs(product)
    error = size * (n_used + 4) * UNIT_ROUNDOFF * SLACK
    if size > 0.0 and not rest > error + UNDERFLOW:
        return False
    touches_nothing = size > 0.0
    reference = -1
    for j in range(n_used):
        if g.multipliers[j] > 0.0:
            column = g.marks[offset + COLUMN * stride + g.used[j]]
            touches_nothing |= reference >= 0 and _are_apart(reference, column, g)
            reference = column if reference < 0 else reference
    unit0, pre0 = g.levels[before, T.UNIT], g.levels[before, T.PRE]
    for unit in range(g.levels[before, T.N_UNIT]):
        if g.digits[unit0 + unit] == 0:
            continue
        rest, error = _difference(factor, subject, unit, level, n_used, offset, stride, g)
        if error == 0.0:  # all weights are zero
            continue
        if not rest > error + UNDERFLOW:
            return False
        touches_nothing |= reference >= 0 and _are_apart(reference, pre0 + unit, g)
        reference = pre0 + unit if reference < 0 else reference
    return touches_nothing


@inlined
def _are_apart(column, other, g):
    """Return whether the normals of two forms are proven not to be parallel, by one minor."""
    dim = len(g.axes) - 1
    largest, at = 0.0, 0
    for c in range(dim):
        if abs(g.maps[c, column]) > largest:
            largest, at = abs(g.maps[c, column]), c
    level, level_other = g.columns[column, T.COLUMN_LEVEL], g.columns[other, T.COLUMN_LEVEL]
    norm, norm_other = g.maps[dim + 1, column], g.maps[dim + 1, other]
    a, b = g.maps[at, column], g.maps[at, other]
    a_error, b_error = norm * g.bounds[level, T.RHO, at], norm_other * g.bounds[level_other, T.RHO, at]
    for c in range(dim):
        p, q = g.maps[c, column], g.maps[c, other]
        p_error, q_error = norm * g.bounds[level, T.RHO, c], norm_other * g.bounds[level_other, T.RHO, c]
        size = abs(a * q) + abs(b * p)
        error = abs(a) * q_error + abs(q) * a_error + a_error * q_error
        error += abs(b) * p_error + abs(p) * b_error + p_error * b_error
        if abs(a * q - b * p) > (error + 4.0 * UNIT_ROUNDOFF * size) * SLACK + UNDERFLOW:
            return True
    return False
