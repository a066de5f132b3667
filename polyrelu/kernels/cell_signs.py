"""On which sides of a form a cell has points: the question that splitting by linear programs asks, with proofs.

A form cuts the cell iff it has a proven sign at two points that are proven to be inside, one on each side; it does not
if it is proven to be non-negative or non-positive. Rationals decide what neither proves.
"""

from __future__ import annotations

import math

from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import SLACK
from polyrelu.kernels.cell_layout import (
    ASK_SIDE,
    COLUMN,
    CONSTANT_ERROR,
    FACTOR,
    GRAIN,
    IS_INSIDE,
    LINE,
    N_EXTRA,
    N_ROWS,
    PLACE,
    ROW_ERROR,
    STRIDE,
    SUBJECT,
    TOUCHED,
    TOUCHES,
    ZERO_LIST,
    header_size,
    load_corner,
    push_on_list,
)
from polyrelu.kernels.compiled import inlined, loop, outlined
from polyrelu.kernels.composition import prove_by_composition
from polyrelu.kernels.geometry import ask
from polyrelu.kernels.programs import NEGATIVE, NO_ROW, OPTIMAL, UNLIMITED, descend, exchange, refine, value_at
from polyrelu.kernels.proofs import (
    TOUCHES_ONE,
    UNPROVEN,
    is_inside,
    least_value,
    prove_multipliers,
    sign_inside,
)

ZERO, CONSTANT, UNCLEAR, PLAIN = 0, 1, 2, 3
NO_POINT, HAS_POINT, UNDECIDED = 0, 1, 2


@outlined
def signs_on_cell(column, level, start, g):
    """Return 1 if a form is negative somewhere inside a cell, plus 2 if it is positive somewhere.

    Points on both sides are left in ``g`` for `keep_part`; a form that vanishes on the cell, or on the hyperplane of
    one of its rows, joins the cell's lists.
    """
    base = LINE * start
    g.found[SUBJECT] = column
    g.are_ready[0] = g.are_ready[1] = 0
    g.are_inside[0] = g.are_inside[1] = 0
    kind = load_form(column, level, g)
    if kind == UNCLEAR:
        forget_form(g)
    if kind == ZERO:
        push_on_list(column, base + ZERO_LIST, g)
        return 0
    if kind == CONSTANT:
        g.state[T.FILTERED] += 1
        return 2 if g.form[len(g.axes) - 1] > 0.0 else 1
    found, touched = _known_side(base, g) if kind == PLAIN else 0, -1
    for part in range(2):
        if found & (1 << part):
            continue
        g.found[TOUCHED] = -1
        answer = search(2 * part - 1, NO_ROW, base, part, g) if kind == PLAIN else UNDECIDED
        if answer == UNDECIDED:
            answer = _ask_side(column, start, part, g)
        else:
            g.state[T.FILTERED] += 1
        if answer == HAS_POINT:
            found |= 1 << part
            continue
        touched = max(touched, g.found[TOUCHED])
        if part == 0 and kind == PLAIN:  # not negative, and not zero everywhere
            found = 2
            break
    if found == 0:
        push_on_list(column, base + ZERO_LIST, g)
    elif found != 3 and touched >= 0:
        rows = base + header_size(len(g.axes) - 1)
        push_on_list(column, rows + TOUCHES * g.marks[base + STRIDE] + touched, g)
    return found


@loop
def load_form(column, level, g):
    """Write a form as a row is stored, scaled by a power of two; say whether it has a normal."""
    dim, form = len(g.axes) - 1, g.form
    norm, grain = g.maps[dim + 1, column], g.floats[level, T.GRAIN]
    largest, row_error, constant_error, is_exact = 0.0, 0.0, 0.0, grain > 0.0
    for c in range(dim + 1):
        value, error = g.maps[c, column], norm * g.bounds[level, T.RHO, c] * SLACK
        if not error < 2.0**500:
            return UNCLEAR
        if error != 0.0:
            if error < 0.25 * grain and abs(value) < 2.0**50 * grain:
                value, error = round(value / grain) * grain, 0.0
            else:
                is_exact = False
        form[c] = value
        if c < dim:
            largest, row_error = max(largest, abs(value)), max(row_error, error)
        else:
            constant_error = error
    form[dim + GRAIN] = grain if is_exact else 0.0
    form[dim + ROW_ERROR], form[dim + CONSTANT_ERROR] = row_error, constant_error
    if largest == 0.0 and row_error == 0.0:
        if form[dim] == 0.0 and constant_error == 0.0:
            return ZERO
        return CONSTANT if abs(form[dim]) > constant_error else UNCLEAR
    if not (largest > 2.0 * row_error and 2.0**-500 < largest < 2.0**500 and abs(form[dim]) < 2.0**500):
        return UNCLEAR
    scale = 2.0 ** (-1 - math.floor(math.log2(largest)))
    for c in range(dim + FACTOR):
        form[c] *= scale
    form[dim + FACTOR] = scale
    return PLAIN


@inlined
def forget_form(g):
    """Make the form one of which nothing is known: no proof can use it."""
    dim = len(g.axes) - 1
    for c in range(dim + 1 + N_EXTRA):
        g.form[c] = 0.0
    g.form[dim + CONSTANT_ERROR] = math.inf


@inlined
def _known_side(base, g):
    """Return the side of the form in ``g.form`` that the cell's own point is on, 0 if that is not certain."""
    dim = len(g.axes) - 1
    if not g.marks[base + IS_INSIDE]:
        return 0
    known = sign_inside(g.form, g.vertices, base, dim)
    if known == 0:
        return 0
    part = (known + 1) // 2
    for c in range(dim):
        g.points[part, c] = g.vertices[base + c]
    g.are_inside[part] = 1
    return 1 << part


@inlined
def search(side, skipped, base, part, g):
    """Look for a point of a cell where the form has the sign ``side``: HAS_POINT, NO_POINT or UNDECIDED.

    The walk starts at the cell's corner and moves corner ``part``, which ends where the form has that sign; the point
    is ``g.points[part]``.
    """
    dim, form = len(g.axes) - 1, g.form
    offset, stride, n = base + header_size(dim), g.marks[base + STRIDE], g.marks[base + N_ROWS]
    load_corner(base, part, g)
    for attempt in range(2):
        if attempt == 1 and not refine(part, offset, stride, g):
            return UNDECIDED
        result = descend(form, -1.0 * side, True, skipped, offset, stride, n, part, g)
        if result in (NEGATIVE, UNLIMITED):
            _propose(side, result, base, part, g)
            if sign_inside(form, g.points[part], 0, dim) == side and is_inside(part, skipped, offset, stride, n, g):
                g.are_inside[part] = 1
                if result == UNLIMITED:
                    _cross(side, n, part, g)
                g.are_ready[part] = 1
                return HAS_POINT
        elif result == OPTIMAL:
            if least_value(form, -1.0 * side, skipped, offset, stride, part, base + dim, g) > 0.0:
                return NO_POINT
            if skipped == NO_ROW and _is_multiple(side, offset, stride, n, g):
                return NO_POINT
            if prove_by_composition(form, -1.0 * side, skipped, offset, stride, part, g):
                return NO_POINT
            proof = prove_multipliers(form, -1.0 * side, skipped, offset, stride, part, False, g)
            if proof != UNPROVEN:
                if proof != TOUCHES_ONE:
                    g.found[TOUCHED] = -1
                return NO_POINT
            g.found[TOUCHED] = -1
    return UNDECIDED


@inlined
def _propose(side, result, base, part, g):
    """Write a point between the cell's point and a corner, or far along an edge, where the form has a sign."""
    dim, form = len(g.axes) - 1, g.form
    here, there = form[dim], 0.0
    for c in range(dim):
        here += form[c] * g.vertices[base + c]
    here *= -side
    if result == NEGATIVE:
        there = -side * value_at(form, g.corners[part], dim)
        share = (here - 0.5 * there) / (here - there) if here > 0.0 else 0.5
        for c in range(dim):
            g.points[part, c] = g.vertices[base + c] + share * (g.corners[part, c] - g.vertices[base + c])
        return
    for c in range(dim):
        there += -side * form[c] * g.direction[c]
    step = 2.0 * here / -there if here > 0.0 else 1.0
    for c in range(dim):
        g.points[part, c] = g.vertices[base + c] + step * g.direction[c]


@inlined
def _cross(side, n, part, g):
    """Move a corner along an endless edge to where the form vanishes; the form is to be row ``n``."""
    dim, form = len(g.axes) - 1, g.form
    slope = 0.0
    for c in range(dim):
        slope += form[c] * g.direction[c]
    step = -value_at(form, g.corners[part], dim) / slope
    for c in range(dim):
        g.corners[part, c] += step * g.direction[c]
    place = g.found[PLACE]
    exchange(place, n, form, 0, 1, part, g)
    for c in range(dim):
        g.inverses[part, place, c] *= side


@outlined
def find_corner(side, part, base, g):
    """Find a corner of a cell on one side of the form, or where it vanishes."""
    dim = len(g.axes) - 1
    offset, stride, n = base + header_size(dim), g.marks[base + STRIDE], g.marks[base + N_ROWS]
    load_corner(base, part, g)
    if side * value_at(g.form, g.corners[part], dim) < 0.0:
        result = descend(g.form, -1.0 * side, True, NO_ROW, offset, stride, n, part, g)
        if result == UNLIMITED:
            _cross(side, n, part, g)


@inlined
def _is_multiple(side, offset, stride, n, g):
    """Return whether the form is a negative multiple of ``side`` times a row, by classes of proportional columns."""
    dim, form = len(g.axes) - 1, g.form
    kind = g.columns[g.found[SUBJECT], T.COLUMN_CLASS]
    for i in range(n):
        if g.columns[g.marks[offset + COLUMN * stride + i], T.COLUMN_CLASS] == kind:
            product, doubt = 0.0, form[dim + ROW_ERROR] + g.vertices[offset + (dim + ROW_ERROR) * stride + i]
            for c in range(dim):
                product += form[c] * g.vertices[offset + c * stride + i]
            if product * side < -0.1 and 4.0 * dim * doubt < 0.05:
                g.found[TOUCHED] = i
                return True
    return False


@outlined
def _ask_side(column, start, part, g):
    """Ask rationals; prove again that the point they propose is inside."""
    dim, base, side = len(g.axes) - 1, LINE * start, 2 * part - 1
    g.found[TOUCHED] = -1
    answer = ask(ASK_SIDE, column, start, part, g)
    offset, stride, n = base + header_size(dim), g.marks[base + STRIDE], g.marks[base + N_ROWS]
    if answer == HAS_POINT:
        g.are_inside[part] = sign_inside(g.form, g.points[part], 0, dim) == side and is_inside(
            part, NO_ROW, offset, stride, n, g
        )
    g.are_ready[part] = 0
    return answer
