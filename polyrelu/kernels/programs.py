"""Small dense linear programs on a cell, warm-started: they propose, `polyrelu.kernels.proofs` proves.

A cell is ``{x : a_i · x + c_i >= 0}``, its rows scaled by powers of two to a largest coefficient of about 1, stored
column by column so that loops over the rows are vectors. A *corner* is a point with ``dim`` independent rows that
vanish there, its basis, and the inverse of their normals, whose columns are the directions in which one row grows while
the others stay zero. Entries of a basis below zero are no rows but fixed coordinates, for cells that have no vertices:
they may move both ways, and never come back.

The simplex method walks from corner to corner along the edge that descends most steeply. Nothing here is exact, and
nothing has to be: tolerances only choose where to go.
"""

from __future__ import annotations

import math

import numpy as np

from polyrelu.kernels.cell_layout import PLACE
from polyrelu.kernels.compiled import contracted_loop, inlined, outlined

FLAT = 2.0**-33
"""Slopes below this do not descend, and rates below this do not block: proposals only."""
JITTER = 2.0**-28
"""Rows are moved outwards by about this when a walk is long: then no more than ``dim`` meet in a corner."""
MOST_STEPS = 60

OPTIMAL, NEGATIVE, UNLIMITED, STUCK = 0, 1, 2, 3
NO_ROW = -(2**40)


@contracted_loop
def evaluate(rows, offset, stride, n, point, values, dim):
    """Write the values of all rows of a cell at a point."""
    first = np.uint64(offset + dim * stride)
    for i in range(np.uint64(n)):
        values[i] = rows[first + i]
    for c in range(dim):
        x, column = point[c], np.uint64(offset + c * stride)
        for i in range(np.uint64(n)):
            values[i] += rows[column + i] * x


@contracted_loop
def evaluate_rates(rows, offset, stride, n, direction, rates, dim):
    """Write how fast all rows of a cell change along a direction."""
    for i in range(np.uint64(n)):
        rates[i] = 0.0
    for c in range(dim):
        x, column = direction[c], np.uint64(offset + c * stride)
        for i in range(np.uint64(n)):
            rates[i] += rows[column + i] * x


@contracted_loop
def _advance(values, rates, step, n):
    for i in range(np.uint64(n)):
        values[i] += step * rates[i]


@inlined
def _jitter(values, n):
    """Move all rows outwards, each by another small amount."""
    for i in range(n):
        values[i] += JITTER * (1.0 + (0.6180339887498949 * (i + 1)) % 1.0)


@inlined
def first_blocking(values, rates, n, skipped):
    """Return the row that ends a walk along a direction, and after how much; (-1, infinity) if none does."""
    best, step, steepest = -1, math.inf, 0.0
    for i in range(n):
        if rates[i] < -FLAT and i != skipped:
            arrival = max(values[i], 0.0) / -rates[i]
            if arrival < step or (arrival == step and rates[i] < steepest):
                best, step, steepest = i, arrival, rates[i]
    return best, step


@inlined
def descend(form, sign, stop, skipped, offset, stride, n, corner, p):
    """Walk down from corner to corner while ``sign * form`` decreases.

    Parameters
    ----------
    form : float array, shape (dim + 1,)
    sign : 1.0 or -1.0
    stop : bool
        Stop at the first corner where the form is clearly negative.
    skipped : int
        A row that does not count, or NO_ROW.
    offset, stride, n
        Where the rows of the cell are (``p.vertices[offset + c * stride + i]``), and how many.
    corner : int
        Number of the corner in ``p`` that moves.

    Returns
    -------
    OPTIMAL, NEGATIVE (stopped), UNLIMITED (the edge in ``p.direction`` never ends; ``p.found[PLACE]`` is its place in
    the basis), or STUCK.
    """
    dim = len(p.axes) - 1
    x, inverse, basis = p.corners[corner], p.inverses[corner], p.bases[corner]
    evaluate(p.vertices, offset, stride, n, x, p.values, dim)
    clearly = FLAT
    for step_number in range(MOST_STEPS + 4 * dim):
        if stop and sign * value_at(form, x, dim) < -clearly:
            return NEGATIVE
        if step_number == 2 * dim + 12:
            _jitter(p.values, n)
            clearly = 2.0**10 * JITTER
        place, way = _steepest(form, sign, skipped, inverse, basis, dim)
        if place < 0:
            ground(offset, stride, n, skipped, corner, p)
            return OPTIMAL
        for c in range(dim):
            p.direction[c] = way * inverse[place, c]
        evaluate_rates(p.vertices, offset, stride, n, p.direction, p.rates, dim)
        row, step = first_blocking(p.values, p.rates, n, skipped)
        if row < 0:
            p.found[PLACE] = place
            return UNLIMITED
        for c in range(dim):
            x[c] += step * p.direction[c]
        _advance(p.values, p.rates, step, n)
        p.values[row] = 0.0
        exchange(place, row, p.vertices, offset + row, stride, corner, p)
    return STUCK


@outlined
def ground(offset, stride, n, skipped, corner, p):
    """Replace coordinates in the basis of a corner by rows, walking along their edges; False if some edge has no end.

    ``p.values`` has the values of all rows at the corner.
    """
    dim = len(p.axes) - 1
    is_complete = True
    for place in range(dim):
        if p.bases[corner, place] >= 0:
            continue
        row, step = -1, 0.0
        for way in range(2):
            for c in range(dim):
                p.direction[c] = (1.0 - 2.0 * way) * p.inverses[corner, place, c]
            evaluate_rates(p.vertices, offset, stride, n, p.direction, p.rates, dim)
            row, step = first_blocking(p.values, p.rates, n, skipped)
            if row >= 0:
                break
        if row < 0:
            is_complete = False
            continue
        for c in range(dim):
            p.corners[corner, c] += step * p.direction[c]
        _advance(p.values, p.rates, step, n)
        p.values[row] = 0.0
        exchange(place, row, p.vertices, offset + row, stride, corner, p)
    return is_complete


@inlined
def value_at(form, x, dim):
    """Return the value of a form at a point."""
    value = form[dim]
    for c in range(dim):
        value += form[c] * x[c]
    return value


@inlined
def _steepest(form, sign, skipped, inverse, basis, dim):
    """Return the place in the basis whose edge descends most steeply, and which way; (-1, 0) if none descends."""
    best, way, steepest = -1, 0.0, FLAT * FLAT
    for j in range(dim):
        slope, square = _slope_and_square(form, inverse, j, dim)
        slope *= sign
        is_free = basis[j] < 0 or basis[j] == skipped
        if slope < 0.0 or is_free:
            steepness = slope * slope / square
            if steepness > steepest:
                best, way, steepest = j, 1.0 if slope < 0.0 else -1.0, steepness
    return best, way


@contracted_loop
def _slope_and_square(form, inverse, j, dim):
    slope, square = 0.0, 0.0
    for c in range(np.uint64(dim)):
        slope += form[c] * inverse[j, c]
        square += inverse[j, c] * inverse[j, c]
    return slope, square


@inlined
def exchange(place, row, rows, first, stride, corner, p):
    """Put a row in the place of a basis; ``first`` is where the row's first coefficient is."""
    for c in range(len(p.axes) - 1):
        p.normal[c] = rows[first + c * stride]
    _pivot(place, p.normal, p.inverses[corner], len(p.axes) - 1)
    p.bases[corner, place] = row


@contracted_loop
def _pivot(place, normal, inverse, dim):
    """Make the edge of a place one on which a row grows at rate 1, and the others ones on which it stays zero."""
    pivot, n = 0.0, np.uint64(dim)
    for c in range(n):
        pivot += normal[c] * inverse[place, c]
    for c in range(n):
        inverse[place, c] /= pivot
    for j in range(n):
        if j == np.uint64(place):
            continue
        factor = 0.0
        for c in range(n):
            factor += normal[c] * inverse[j, c]
        if factor != 0.0:
            for c in range(n):
                inverse[j, c] -= factor * inverse[place, c]


@outlined
def refine(corner, offset, stride, p):
    """Compute a corner and its inverse afresh from its basis; False if the rows look dependent."""
    dim = len(p.axes) - 1
    x, inverse, basis, matrix = p.corners[corner], p.inverses[corner], p.bases[corner], p.matrix
    for i in range(dim):
        for c in range(dim):
            matrix[i, c] = p.vertices[offset + c * stride + basis[i]] if basis[i] >= 0 else 1.0 * (c == -1 - basis[i])
            inverse[i, c] = 1.0 * (i == c)
    for c in range(dim):
        pivot = c
        for i in range(c + 1, dim):
            if abs(matrix[i, c]) > abs(matrix[pivot, c]):
                pivot = i
        if not abs(matrix[pivot, c]) > FLAT * FLAT:
            return False
        for k in range(dim):
            matrix[c, k], matrix[pivot, k] = matrix[pivot, k], matrix[c, k]
            inverse[c, k], inverse[pivot, k] = inverse[pivot, k], inverse[c, k]
        scale = 1.0 / matrix[c, c]
        for k in range(dim):
            matrix[c, k] *= scale
            inverse[c, k] *= scale
        for i in range(dim):
            factor = matrix[i, c]
            if i != c and factor != 0.0:
                for k in range(dim):
                    matrix[i, k] -= factor * matrix[c, k]
                    inverse[i, k] -= factor * inverse[c, k]
    for c in range(dim):
        p.direction[c] = x[c]
    for i in range(dim):
        value = 0.0
        for j in range(dim):
            right = p.vertices[offset + dim * stride + basis[j]] if basis[j] >= 0 else -p.direction[-1 - basis[j]]
            value -= inverse[i, j] * right
        x[i] = value
    for i in range(dim):
        for j in range(i):
            inverse[i, j], inverse[j, i] = inverse[j, i], inverse[i, j]
    return True
