"""A proven box around a cell, by linear programs: then most neurons of a wide layer need none of their own."""

from __future__ import annotations

from polyrelu.kernels.cell_layout import MOVING, N_EXTRA, N_ROWS, STRIDE, header_size, load_corner, store_corner
from polyrelu.kernels.compiled import outlined
from polyrelu.kernels.programs import NO_ROW, OPTIMAL, descend
from polyrelu.kernels.proofs import least_value


@outlined
def tighten_box(base, g):
    """Shrink the box in a cell's header to the cell, as far as that is proven."""
    dim = len(g.axes) - 1
    offset, stride, n = base + header_size(dim), g.marks[base + STRIDE], g.marks[base + N_ROWS]
    load_corner(base, MOVING, g)
    for c in range(dim + 1 + N_EXTRA):
        g.form[c] = 0.0
    for c in range(dim):
        g.form[c] = 1.0
        for way in range(2):
            sign = 1.0 - 2.0 * way
            if descend(g.form, sign, False, NO_ROW, offset, stride, n, MOVING, g) == OPTIMAL:
                least = least_value(g.form, sign, NO_ROW, offset, stride, MOVING, base + dim, g)
                if way == 0:
                    g.vertices[base + dim + c] = max(g.vertices[base + dim + c], least)
                else:
                    g.vertices[base + 2 * dim + c] = min(g.vertices[base + 2 * dim + c], -least)
        g.form[c] = 0.0
    store_corner(base, MOVING, g)
