"""Which rows of a cell carry facets, and whether it is bounded: proposals by shooting and linear programs, with proofs.

A row carries a facet iff there is a point where it is negative while all others are positive: the segment from there
to a point inside the cell crosses the row where the others are positive. Shots from inside the cell find most facets:
the row that is hit first, clearly before the second, gives such a point. A row is redundant iff it is non-negative
where the others are; if the facets found so far prove that, the others are not needed (Clarkson, "More output-sensitive
geometric algorithms", 1994). Otherwise the point that shows the contrary is shot at, which finds a new facet.

A cell is bounded iff the sum of the rows of one of its corners has a largest value. The multipliers that prove it
cancel the normals of rows that span the space. It is unbounded if some direction has a positive rate on every row.
"""

from __future__ import annotations

import math

from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import SLACK, UNIT_ROUNDOFF
from polyrelu.kernels.cell_layout import (
    ASK_BOUNDED,
    ASK_FACET,
    COLUMN,
    GRAIN,
    IS_INSIDE,
    LINE,
    MOVING,
    N_EXTRA,
    N_ROWS,
    PLACE,
    ROW_ERROR,
    STRIDE,
    SUBJECT,
    TOUCHED,
    free_corner,
    header_size,
    load_corner,
    stride_of,
)
from polyrelu.kernels.cell_signs import HAS_POINT, UNDECIDED, search
from polyrelu.kernels.compiled import inlined, outlined
from polyrelu.kernels.composition import prove_by_composition
from polyrelu.kernels.geometry import ask
from polyrelu.kernels.predicates import UNDERFLOW
from polyrelu.kernels.programs import (
    NEGATIVE,
    NO_ROW,
    OPTIMAL,
    UNLIMITED,
    descend,
    evaluate,
    evaluate_rates,
    ground,
)
from polyrelu.kernels.proofs import (
    UNPROVEN,
    is_inside,
    is_ray_by_integers,
    least_value,
    prove_multipliers,
    sign_inside,
)

OPEN, REDUNDANT, FACET = 0, 1, 2
CLEARLY = 1.0 + 2.0**-20


@outlined
def find_facets(start, g):
    """Write to ``g.is_facet`` which rows of a cell carry facets."""
    dim, base = len(g.axes) - 1, LINE * start
    offset, stride, n = base + header_size(dim), g.marks[base + STRIDE], g.marks[base + N_ROWS]
    for i in range(n):
        g.is_facet[i] = OPEN
    known = LINE * g.state[T.TOP]  # the facets found so far, as a list of rows
    capacity = stride_of(n)
    n_known = 0
    if g.marks[base + IS_INSIDE]:
        evaluate(g.vertices, offset, stride, n, g.vertices[base : base + dim], g.slacks, dim)
        for i in range(n):
            for c in range(dim):
                g.direction[c] = -g.vertices[offset + c * stride + i]
            if _shoot(base, offset, stride, n, g) >= 0:
                n_known = _list_facets(known, capacity, n_known, offset, stride, n, g)
        _start_over(base, g)
    for i in range(n):
        if g.is_facet[i] != OPEN:
            continue
        _load_row(i, offset, stride, g)
        while g.marks[base + IS_INSIDE] and g.is_facet[i] == OPEN:
            answer = _test(base, known, capacity, n_known, offset, stride, n, g)
            if answer == REDUNDANT:
                g.is_facet[i] = REDUNDANT
            elif answer == FACET:
                n_known = _list_facets(known, capacity, n_known, offset, stride, n, g)
                _start_over(base, g)
            else:
                break
        if g.is_facet[i] == OPEN:
            _decide_alone(i, start, g)
        if g.state[T.ABORT]:
            return


@inlined
def _load_row(i, offset, stride, g):
    """Make a row of a cell the form."""
    g.found[SUBJECT] = g.marks[offset + COLUMN * stride + i]
    for c in range(len(g.form)):
        g.form[c] = g.vertices[offset + c * stride + i]


@inlined
def _start_over(base, g):
    """Put the moving corner back to the cell's point."""
    for c in range(len(g.axes) - 1):
        g.points[MOVING, c] = g.vertices[base + c]
    free_corner(g.points[MOVING], MOVING, g)


LISTED = 3


@inlined
def _list_facets(known, capacity, n_known, offset, stride, n, g):
    """Append rows that have become facets to the list of known ones; return its length."""
    for i in range(n):
        if g.is_facet[i] == FACET:
            g.is_facet[i] = LISTED
            for c in range(len(g.axes) + N_EXTRA):
                g.vertices[known + c * capacity + n_known] = g.vertices[offset + c * stride + i]
            g.marks[known + COLUMN * capacity + n_known] = g.marks[offset + COLUMN * stride + i]
            n_known += 1
    return n_known


@outlined
def _shoot(base, offset, stride, n, g):
    """Walk from the cell's point along ``g.direction``; return the new facet that is hit first, if it is proven, or -1.

    ``g.slacks`` has the values of all rows at the cell's point.
    """
    dim = len(g.axes) - 1
    evaluate_rates(g.vertices, offset, stride, n, g.direction, g.rates, dim)
    first, step, next_step = -1, math.inf, math.inf
    for i in range(n):
        if g.rates[i] < 0.0:
            arrival = g.slacks[i] / -g.rates[i]
            if arrival < step:
                first, step, next_step = i, arrival, step
            elif arrival < next_step:
                next_step = arrival
    if first < 0 or g.is_facet[first] != OPEN or not next_step > step * CLEARLY:
        return -1
    distance = 0.5 * (step + next_step) if next_step < 3.0 * step else 2.0 * step
    for c in range(dim):
        g.points[MOVING, c] = g.vertices[base + c] + distance * g.direction[c]
    if _is_negative(first, offset, stride, g) and is_inside(MOVING, first, offset, stride, n, g):
        g.is_facet[first] = FACET
        return first
    return -1


@inlined
def _is_negative(i, offset, stride, g):
    """Return whether a row is proven to be negative at the scratch point."""
    dim = len(g.axes) - 1
    for c in range(dim + 1 + N_EXTRA):
        g.rest[c] = g.vertices[offset + c * stride + i]
    return sign_inside(g.rest, g.points[MOVING], 0, dim) < 0


@outlined
def _test(base, known, capacity, n_known, offset, stride, n, g):
    """Compare the form with the known facets: REDUNDANT, FACET (a shot has found a new one), or OPEN."""
    dim = len(g.axes) - 1
    result = descend(g.form, 1.0, True, NO_ROW, known, capacity, n_known, MOVING, g)
    if result == OPTIMAL:
        if least_value(g.form, 1.0, NO_ROW, known, capacity, MOVING, base + dim, g) > 0.0:
            return REDUNDANT
        if prove_by_composition(g.form, 1.0, NO_ROW, known, capacity, MOVING, g):
            return REDUNDANT
        proof = prove_multipliers(g.form, 1.0, NO_ROW, known, capacity, MOVING, False, g)
        return OPEN if proof == UNPROVEN else REDUNDANT
    if result == NEGATIVE:
        for c in range(dim):
            g.direction[c] = g.corners[MOVING, c] - g.vertices[base + c]
    elif result != UNLIMITED:
        return OPEN
    return FACET if _shoot(base, offset, stride, n, g) >= 0 else OPEN


@outlined
def _decide_alone(i, start, g):
    """Decide whether one row carries a facet by all others, in the end by rationals."""
    base = LINE * start
    g.found[TOUCHED] = -1
    answer = search(-1, i, base, 0, g) if g.marks[base + IS_INSIDE] else UNDECIDED
    if answer == UNDECIDED:
        answer = ask(ASK_FACET, i, start, 0, g)
    else:
        g.state[T.FILTERED] += 1
    g.is_facet[i] = FACET if answer == HAS_POINT else REDUNDANT


@outlined
def decide_bounded(start, g):
    """Return whether a cell is bounded."""
    dim, base = len(g.axes) - 1, LINE * start
    offset, stride, n = base + header_size(dim), g.marks[base + STRIDE], g.marks[base + N_ROWS]
    load_corner(base, 0, g)
    evaluate(g.vertices, offset, stride, n, g.corners[0], g.values, dim)
    if ground(offset, stride, n, NO_ROW, 0, g):
        _add_up_basis(offset, stride, g)
        result = descend(g.form, -1.0, False, NO_ROW, offset, stride, n, 0, g)
        if result == OPTIMAL and prove_multipliers(g.form, -1.0, NO_ROW, offset, stride, 0, True, g) != UNPROVEN:
            g.state[T.FILTERED] += 1
            return True
        if result == UNLIMITED and (
            is_ray_by_integers(g.found[PLACE], offset, stride, n, 0, g) or _is_recession_direction(offset, stride, n, g)
        ):
            g.state[T.FILTERED] += 1
            return False
    return ask(ASK_BOUNDED, 0, start, 0, g) == 1


@inlined
def _add_up_basis(offset, stride, g):
    """Make the sum of the normals of the rows of corner 0 the form."""
    dim = len(g.axes) - 1
    for c in range(dim + 1 + N_EXTRA):
        g.form[c] = 0.0
    grain = 1.0
    for j in range(dim):
        row = g.bases[0, j]
        grain = min(grain, g.vertices[offset + (dim + GRAIN) * stride + row])
        g.form[dim + ROW_ERROR] += g.vertices[offset + (dim + ROW_ERROR) * stride + row]
        for c in range(dim):
            g.form[c] += g.vertices[offset + c * stride + row]
    if grain < 2.0**-40:  # the sum may have been rounded
        grain = 0.0
        g.form[dim + ROW_ERROR] += dim * dim * UNIT_ROUNDOFF
    g.form[dim + GRAIN] = grain


@inlined
def _is_recession_direction(offset, stride, n, g):
    """Return whether a direction near the endless edge ``g.direction`` is proven to raise every row."""
    dim = len(g.axes) - 1
    evaluate_rates(g.vertices, offset, stride, n, g.direction, g.values, dim)
    for c in range(dim):
        g.multipliers[c] = 0.0
        for j in range(dim):
            g.multipliers[c] += g.inverses[0, j, c]
    evaluate_rates(g.vertices, offset, stride, n, g.multipliers, g.rates, dim)
    step = 1.0
    for i in range(n):
        if g.rates[i] < 0.0:
            step = min(step, 0.5 * g.values[i] / -g.rates[i])
    reach = 0.0
    for c in range(dim):
        g.direction[c] += step * g.multipliers[c]
        reach += abs(g.direction[c])
    evaluate_rates(g.vertices, offset, stride, n, g.direction, g.rates, dim)
    for i in range(n):
        error = g.vertices[offset + (dim + ROW_ERROR) * stride + i] + (dim + 2) * UNIT_ROUNDOFF
        if not g.rates[i] > error * reach * SLACK + UNDERFLOW:
            return False
    return reach < math.inf
