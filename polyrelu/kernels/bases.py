"""One walk through the tree of cells of a tessellation: which facets of each cell imply the further rows, with proofs.

A cell is given by its facets; asked are the rows that they have to imply (`polyrelu.certificate.checker`). A linear
program proposes facets whose non-negative combination a row is, and `polyrelu.kernels.proofs` proves that it is, or
leaves it open. What has proven one row is tried for the next ones first: a basis that rows share is cheap to check.

Between a region and a neighbour there is a point beyond their facet and beyond no other: shots from inside the region
find it, against the normals first, and then towards corners where the facet's row is negative.
"""

from __future__ import annotations

import math

from polyrelu.certificate.format import UNUSED
from polyrelu.kernels import tables as T
from polyrelu.kernels.cell_layout import FACTOR, MOVING, N_EXTRA, free_corner, stride_of
from polyrelu.kernels.cell_signs import CONSTANT, PLAIN, ZERO, forget_form, load_form
from polyrelu.kernels.cell_tree import DEPTH, IS_CONSTANT, IS_FACET, N_KEPT, PROVEN, find_sides
from polyrelu.kernels.compiled import inlined, loop, outlined
from polyrelu.kernels.digits import set_digit
from polyrelu.kernels.maps import cut_rows, fresh_product
from polyrelu.kernels.programs import (
    NEGATIVE,
    NO_ROW,
    OPTIMAL,
    UNLIMITED,
    descend,
    evaluate,
    evaluate_rates,
    refine,
)
from polyrelu.kernels.proofs import UNPROVEN, is_inside, prove_multipliers, sign_inside

KEPT = 12
"""So many bases of a cell are kept at most."""
NEGLIGIBLE = 2.0**-36
"""Multipliers below this are left out of what is proposed, and not proven."""


@loop
def walk_cells(tree, tables, d, g, proofs, n_cells):
    """Look at so many cells more; return whether all are done. The first call starts at the domain."""
    state, path = tree.state, tree.path
    for _ in range(n_cells):
        depth = state[DEPTH]
        if depth < 0:
            return True
        _look_at(path[depth], depth, tree, tables, d, g, proofs)
        if depth < len(path) - 1:
            path[depth + 1] = tree.children[path[depth]]
            state[DEPTH] = depth + 1
            continue
        while depth > 0 and path[depth] + 1 == tree.children[path[depth - 1] + 1]:
            depth -= 1
        path[depth] += 1
        state[DEPTH] = depth if depth > 0 else -1
    return state[DEPTH] < 0


@outlined
def _look_at(cell, depth, tree, tables, d, g, proofs):
    """Prove the rows that one cell is asked for."""
    line = tree.asked[cell]
    n = _load_facets(cell, tree, g)
    _start_inside(tree.inside[cell], tree, g)
    state = tree.state
    state[N_KEPT] = 0
    if depth == 0:
        for i in range(len(tree.domain)):
            _ask(tree.domain[i], cell, line, n, tree, g, proofs)
            line += 1
    else:
        above = tree.path[depth - 1]
        for i in range(tree.starts[above], tree.starts[above + 1]):
            _ask(tree.keys[i], cell, line, n, tree, g, proofs)
            line += 1
        first, width = tree.unit_starts[depth - 1], tree.unit_starts[depth] - tree.unit_starts[depth - 1]
        digits = tree.digit_starts[depth - 1] + (cell - tree.firsts[depth]) * width
        for u in range(width):
            digit = tree.digits[digits + u]
            for i in range(tree.choice_starts[first + u, digit], tree.choice_starts[first + u, digit + 1]):
                if tree.sides[depth - 1, tree.choices[i] >> 1] > 2:
                    _ask(tree.choices[i], cell, line, n, tree, g, proofs)
                    line += 1
    if depth < len(tree.path) - 1:
        _form_maps(cell, depth, tree, tables, d, g)
        find_sides(cell, depth, tree)
        for b in range(tree.border_starts[depth], tree.border_starts[depth + 1]):
            side = tree.sides[depth, tree.borders[b]]
            if side == 1 or side == 2:
                _ask(2 * tree.borders[b] + side - 1, cell, line, n, tree, g, proofs)
                line += 1
    else:
        _find_points(cell, n, tree, g, proofs)
    _share(tree.asked[cell], line, state[N_KEPT], g, proofs)


@inlined
def _start_inside(region, tree, g):
    """Let the next linear program start at a region's point."""
    for c in range(len(g.axes) - 1):
        g.points[MOVING, c] = tree.points[region, c]
    free_corner(g.points[MOVING], MOVING, g)


@inlined
def _form_maps(cell, depth, tree, tables, d, g):
    """Form the maps of the layer below a cell."""
    levels = tables.levels
    if depth > 0:
        first, width = tree.unit_starts[depth - 1], tree.unit_starts[depth] - tree.unit_starts[depth - 1]
        digits = tree.digit_starts[depth - 1] + (cell - tree.firsts[depth]) * width
        for u in range(width):
            set_digit(tree.units[first + u], tree.digits[digits + u], tables.units, d)
        fresh_product(
            depth, levels, g.floats, g.bounds, tables.units, tables.pieces, d.digits, d.bytes, g.maps, tables.weights,
            tables.pointers, tables.rows, tables.bias, d.offsets, d.forms, g.axes,
        )  # fmt: skip
    if not levels[depth, T.IS_RELU]:
        cut_rows(depth, levels, tables.units, tables.pieces, g.maps, g.axes)


@inlined
def _load_facets(cell, tree, g):
    """Make the facets of a cell the rows of linear programs; return how many there are."""
    dim, start = len(g.axes) - 1, tree.starts[cell]
    n = tree.starts[cell + 1] - start
    stride = stride_of(n)
    for i in range(n):
        key = tree.keys[start + i]
        tree.places[key], tree.stamps[key] = i, cell
        if load_form(key >> 1, g.columns[key >> 1, T.COLUMN_LEVEL], g) != PLAIN:
            forget_form(g)
        for c in range(dim + 1 + N_EXTRA):
            turn = -1.0 if key & 1 and (c <= dim or c == dim + FACTOR) else 1.0
            g.vertices[c * stride + i] = turn * g.form[c]
    return n


@loop
def _ask(key, cell, line, n, tree, g, proofs):
    """Find a basis for one row, and prove it if floats can."""
    dim, stride = len(g.axes) - 1, stride_of(n)
    proofs.keys[line] = key
    for c in range(dim):
        proofs.bases[line, c] = UNUSED
    if tree.stamps[key] == cell:
        proofs.bases[line, 0], proofs.known[line] = tree.places[key], IS_FACET
        return
    found = load_form(key >> 1, g.columns[key >> 1, T.COLUMN_LEVEL], g)
    sign = -1.0 if key & 1 else 1.0
    if found == ZERO or (found == CONSTANT and sign * g.form[dim] > 0.0):
        proofs.known[line] = IS_CONSTANT
        return
    if found != PLAIN:
        return
    for kept in range(tree.state[N_KEPT]):
        if _is_proven(sign, n, MOVING + 1 + kept, g):
            _write(line, MOVING + 1 + kept, g, proofs)
            proofs.known[line] = PROVEN
            return
    if descend(g.form, sign, False, NO_ROW, 0, stride, n, MOVING, g) != OPTIMAL:
        return
    if _is_proven(sign, n, MOVING, g) or (refine(MOVING, 0, stride, g) and _is_proven(sign, n, MOVING, g)):
        _write(line, MOVING, g, proofs)
        proofs.known[line] = PROVEN
        if tree.state[N_KEPT] < KEPT:
            _keep(MOVING + 1 + tree.state[N_KEPT], g)
            tree.state[N_KEPT] += 1
        return
    place = 0
    for j in range(dim):
        multiplier = 0.0
        for c in range(dim):
            multiplier += sign * g.form[c] * g.inverses[MOVING, j, c]
        if g.bases[MOVING, j] >= 0 and multiplier > NEGLIGIBLE:
            proofs.bases[line, place] = g.bases[MOVING, j]
            place += 1


@outlined
def _is_proven(sign, n, corner, g):
    return prove_multipliers(g.form, sign, NO_ROW, 0, stride_of(n), corner, False, g) != UNPROVEN


@inlined
def _keep(corner, g):
    dim = len(g.axes) - 1
    for j in range(dim):
        g.bases[corner, j] = g.bases[MOVING, j]
        for c in range(dim):
            g.inverses[corner, j, c] = g.inverses[MOVING, j, c]


@inlined
def _write(line, corner, g, proofs):
    """Write the rows of a corner in ascending order, so that bases with the same rows are equal."""
    place = 0
    for j in range(len(g.axes) - 1):
        row = g.bases[corner, j]
        if row < 0:
            continue
        k = place
        while k > 0 and proofs.bases[line, k - 1] > row:
            proofs.bases[line, k] = proofs.bases[line, k - 1]
            k -= 1
        proofs.bases[line, k] = row
        place += 1


@inlined
def _share(first, last, n_kept, g, proofs):
    """Give rows that are facets' a basis that is there anyway: any that the facet is in."""
    dim = len(g.axes) - 1
    for line in range(first, last):
        if proofs.known[line] != IS_FACET:
            continue
        row, found = proofs.bases[line, 0], -1
        for kept in range(n_kept):
            for j in range(dim):
                if found < 0 and g.bases[MOVING + 1 + kept, j] == row:
                    found = kept
        if found >= 0:
            _write(line, MOVING + 1 + found, g, proofs)


@inlined
def _find_points(cell, n, tree, g, proofs):
    """Find the points beyond those facets of a region that need one."""
    dim, stride, start = len(g.axes) - 1, stride_of(n), tree.starts[cell]
    inside, left = tree.inside[cell], 0
    for i in range(n):
        g.is_facet[i] = tree.targets[start + i] >= 0
        left += g.is_facet[i]
    if not left:
        return
    evaluate(g.vertices, 0, stride, n, tree.points[inside], g.slacks, dim)
    for i in range(n):
        if g.is_facet[i]:
            for c in range(dim):
                g.direction[c] = -g.vertices[c * stride + i]
            _shoot(cell, n, tree, g, proofs)
    for i in range(n):
        if not g.is_facet[i]:
            continue
        for c in range(dim + 1 + N_EXTRA):
            g.form[c] = g.vertices[c * stride + i]
        _start_inside(inside, tree, g)
        result = descend(g.form, 1.0, True, i, 0, stride, n, MOVING, g)
        if result == NEGATIVE:
            for c in range(dim):
                g.direction[c] = g.corners[MOVING, c] - tree.points[inside, c]
        if result in (NEGATIVE, UNLIMITED):
            _shoot(cell, n, tree, g, proofs)


@outlined
def _shoot(cell, n, tree, g, proofs):
    """Walk from a region's point along ``g.direction`` to between the first facet and the second."""
    dim, stride = len(g.axes) - 1, stride_of(n)
    evaluate_rates(g.vertices, 0, stride, n, g.direction, g.rates, dim)
    first, step, next_step = -1, math.inf, math.inf
    for i in range(n):
        if g.rates[i] < 0.0:
            arrival = g.slacks[i] / -g.rates[i]
            if arrival < step:
                first, step, next_step = i, arrival, step
            elif arrival < next_step:
                next_step = arrival
    if first < 0 or not g.is_facet[first]:
        return
    distance = 0.5 * (step + next_step) if next_step < 3.0 * step else 2.0 * step
    target = tree.targets[tree.starts[cell] + first]
    for c in range(dim):
        g.points[MOVING, c] = tree.points[tree.inside[cell], c] + distance * g.direction[c]
        proofs.points[target, c] = g.points[MOVING, c]
    for c in range(dim + 1 + N_EXTRA):
        g.rest[c] = g.vertices[c * stride + first]
    if sign_inside(g.rest, g.points[MOVING], 0, dim) < 0 and is_inside(MOVING, first, 0, stride, n, g):
        proofs.are_proven[target] = 1
        g.is_facet[first] = 0
