"""How cells of any dimension lie on their stacks: a header, then the rows, column by column.

On the stack ``vertices`` a cell has a header and then, one after the other, the coefficients of all its rows, the
bounds of their errors, their grains and factors (`polyrelu.kernels.proofs`); on the stack ``marks`` integers stand at
the same places. Both stacks count in lines of eight numbers. Rows are turned so that the cell is on their good side,
and scaled by powers of two. The header holds a point (proven to be strictly inside the cell if `IS_INSIDE` says so),
a box around the cell, and a corner from which the next linear program starts (`polyrelu.kernels.programs`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels import tables as T
from polyrelu.kernels.compiled import inlined, loop

LINE = 8
# --- integers in the header of a cell ----------------------------------------------------------------------------
N_ROWS, STRIDE, IS_INSIDE, ZERO_LIST = 0, 1, 2, 3  # ZERO_LIST: columns that vanish on the whole cell
BASIS = 4  # and after: the rows of the corner's basis
# --- integer columns of the rows ---------------------------------------------------------------------------------
COLUMN, SIDE, TOUCHES = 0, 1, 2  # TOUCHES: list of further columns that vanish on the same hyperplane
N_MARKS = 3
# --- float columns of a row after its dim + 1 coefficients, counted from the constant ----------------------------
ROW_ERROR, CONSTANT_ERROR, GRAIN, FACTOR = 1, 2, 3, 4  # FACTOR: the row is the column's form times this
N_EXTRA = 4
# --- questions to whoever knows the exact forms ------------------------------------------------------------------
ASK_SIDE, ASK_FACET, ASK_BOUNDED = 0, 1, 2
# --- settings ----------------------------------------------------------------------------------------------------
WANTS_FACETS, DOMAIN_IS_BOUNDED = 0, 1

MOVING = 2
"""Number of the corner that no side of a form owns."""


class Cells(NamedTuple):
    """What cells need (columns: `polyrelu.kernels.tables`).

    Attributes
    ----------
    vertices : float64 array, shape (8 size,); marks : int64 array, shape (8 size,)
        Stacks of cells.
    zeros : int64 array, shape (size, 2)
        Lists of columns (column, next).
    points : float64 array, shape (3, dim)
        A point on the negative and on the positive side of the form that was tested last, and a scratch point.
    are_inside : int64 array, shape (3,)
        Whether they are proven to be strictly inside the cell, on that side.
    corners, inverses, bases
        Shapes (3, dim), (3, dim, dim), (3, dim): corners on both sides of that form, and one that moves; row ``j`` of
        an inverse is the direction of the edge on which all rows of the basis but number ``j`` stay zero.
    are_ready : int64 array, shape (3,)
        Whether the corners on the two sides are there.
    form : float64 array, shape (dim + 5,)
        That form, as a row is stored.
    found : int64 array, shape (4,)
        The row that it is a multiple of, or -1; its column; the place in the basis of an endless edge.
    values, rates, slacks : float64 arrays
        Of all rows at a point; as long as the stack's longest cell.
    is_facet : int64 array
        What is known of each row of the current cell.
    multipliers, rest, direction, normal, matrix, integers
        Work space of the linear programs.
    used : int64 array, shape (dim,)
        Rows of a proof.
    extremes : float64 array, shape (2, n_columns)
        Work space of the test against the box.
    levels, weights, bias, digits
        Of the network (`polyrelu.kernels.depth_first.Tables`), for `polyrelu.kernels.composition`.
    settings : int64 array, shape (2,)
    axes : int64 array, shape (dim + 1,)
    """

    maps: NDArray[np.float64]
    floats: NDArray[np.float64]
    bounds: NDArray[np.float64]
    columns: NDArray[np.int64]
    vertices: NDArray[np.float64]
    marks: NDArray[np.int64]
    zeros: NDArray[np.int64]
    state: NDArray[np.int64]
    points: NDArray[np.float64]
    are_inside: NDArray[np.int64]
    corners: NDArray[np.float64]
    inverses: NDArray[np.float64]
    bases: NDArray[np.int64]
    are_ready: NDArray[np.int64]
    form: NDArray[np.float64]
    found: NDArray[np.int64]
    values: NDArray[np.float64]
    rates: NDArray[np.float64]
    slacks: NDArray[np.float64]
    is_facet: NDArray[np.int64]
    multipliers: NDArray[np.float64]
    rest: NDArray[np.float64]
    direction: NDArray[np.float64]
    normal: NDArray[np.float64]
    matrix: NDArray[np.float64]
    integers: NDArray[np.int64]
    used: NDArray[np.int64]
    extremes: NDArray[np.float64]
    levels: NDArray[np.int64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    digits: NDArray[np.uint16]
    settings: NDArray[np.int64]
    axes: NDArray[np.int64]


class CellOutput(NamedTuple):
    """Finished regions; the caller empties it when it is full."""

    words: NDArray[np.uint64]
    witnesses: NDArray[np.float64]
    is_bounded: NDArray[np.bool_]
    indptr: NDArray[np.int64]
    form_indptr: NDArray[np.int64]
    forms: NDArray[np.int32]
    zero_indptr: NDArray[np.int64]
    zero_columns: NDArray[np.int32]


TOUCHED, SUBJECT, PLACE = 0, 1, 2  # entries of `Cells.found`


@inlined
def header_size(dim):
    """Return how many numbers a header has: the point, the box, the corner and its inverse."""
    return (dim * (dim + 4) + LINE - 1) // LINE * LINE


@inlined
def stride_of(n):
    """Return the distance between the columns of a cell of so many rows."""
    return (n + LINE - 1) // LINE * LINE


@inlined
def cell_lines(n, dim):
    """Return how many lines a cell of so many rows has."""
    return (header_size(dim) + max(dim + 1 + N_EXTRA, N_MARKS) * stride_of(n)) // LINE


@loop
def push_on_list(column, head, g):
    """Put a column on the list whose head is a mark, once."""
    node = g.marks[head]
    while node >= 0:
        if g.zeros[node, 0] == column:
            return
        node = g.zeros[node, 1]
    top = g.state[T.ZERO_TOP]
    g.zeros[top, 0], g.zeros[top, 1] = column, g.marks[head]
    g.marks[head] = top
    g.state[T.ZERO_TOP] = top + 1


@inlined
def load_corner(base, corner, g):
    """Copy the corner in a cell's header."""
    dim = len(g.axes) - 1
    first = base + 3 * dim
    for c in range(dim):
        g.corners[corner, c] = g.vertices[first + c]
        g.bases[corner, c] = g.marks[base + BASIS + c]
        for j in range(dim):
            g.inverses[corner, c, j] = g.vertices[first + dim + c * dim + j]


@loop
def store_corner(base, corner, g):
    """Copy a corner to a cell's header."""
    dim = len(g.axes) - 1
    first = base + 3 * dim
    for c in range(dim):
        g.vertices[first + c] = g.corners[corner, c]
        g.marks[base + BASIS + c] = g.bases[corner, c]
        for j in range(dim):
            g.vertices[first + dim + c * dim + j] = g.inverses[corner, c, j]


@loop
def free_corner(point, corner, g):
    """Make a point a corner whose edges are the axes, free both ways."""
    for c in range(len(g.axes) - 1):
        g.corners[corner, c] = point[c]
        g.bases[corner, c] = -1 - c
        for j in range(len(g.axes) - 1):
            g.inverses[corner, c, j] = 1.0 * (c == j)
