"""The cells of a certificate as tables, and what a walk through them finds (`polyrelu.kernels.bases`).

Rows are named by *keys*: twice the column of the form (`polyrelu.kernels.tables`), and 1 more where it is turned.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels.compiled import inlined, loop

OPEN, PROVEN, IS_CONSTANT, IS_FACET = 0, 1, 2, 3
"""What is known of an asked row: nothing, a basis, that it has no normal and is not negative, that it is a facet's."""
DEPTH, N_KEPT = 0, 1
"""Entries of `Tree.state`: where the walk is, and how many bases of its cell are kept."""


class Tree(NamedTuple):
    """The cells of all levels, numbered one level after the other.

    Attributes
    ----------
    children : int64 array, shape (n_cells + 1,)
        First child of each cell, those of the next cell follow.
    starts : int64 array, shape (n_cells + 1,)
        First facet of each cell in ``keys`` and ``targets``.
    keys : int64 array
        The rows of facets, cell by cell.
    targets : int64 array
        For each facet of a region that needs a point: which one. Else -1.
    digits : uint8 array; digit_starts : int64 array, shape (n_levels + 1,)
        Digits of the cells of each level.
    firsts : int64 array, shape (n_levels + 1,)
        First cell of each level.
    units : int64 array; unit_starts : int64 array, shape (n_levels + 1,)
        Units of each level that have digits.
    choice_starts : int64 array, shape (n_units, most_digits + 1)
        Which ``choices`` a digit of a unit stands for.
    choices : int64 array
        Keys of rows, by unit and digit.
    borders : int64 array; border_starts : int64 array, shape (n_levels + 1,)
        Columns of the borders of each level.
    asked : int64 array, shape (n_cells + 1,)
        First asked row of each cell.
    inside : int64 array, shape (n_cells,)
        A region in each cell.
    points : float64 array, shape (n_regions, dim)
        A point in each region.
    domain : int64 array
        Keys of the domain's rows.
    sides : uint8 array, shape (n_levels + 1, n_columns)
        On which sides of the columns lie the children of the cell on the path: 1, 2 or 3, and 4 more if some children
        are not about the column.
    counts : int64 array, shape (n_columns,)
        How many children are.
    places, stamps : int64 arrays, shape (2 n_columns,)
        Which facet of a cell has a key.
    path : int64 array, shape (n_levels + 1,)
        The cell of each level that the walk is in.
    state : int64 array, shape (2,)
    """

    children: NDArray[np.int64]
    starts: NDArray[np.int64]
    keys: NDArray[np.int64]
    targets: NDArray[np.int64]
    digits: NDArray[np.uint8]
    digit_starts: NDArray[np.int64]
    firsts: NDArray[np.int64]
    units: NDArray[np.int64]
    unit_starts: NDArray[np.int64]
    choice_starts: NDArray[np.int64]
    choices: NDArray[np.int64]
    borders: NDArray[np.int64]
    border_starts: NDArray[np.int64]
    asked: NDArray[np.int64]
    inside: NDArray[np.int64]
    points: NDArray[np.float64]
    domain: NDArray[np.int64]
    sides: NDArray[np.uint8]
    counts: NDArray[np.int64]
    places: NDArray[np.int64]
    stamps: NDArray[np.int64]
    path: NDArray[np.int64]
    state: NDArray[np.int64]


class Proofs(NamedTuple):
    """What is found.

    Attributes
    ----------
    keys : int64 array, shape (n_asked,)
        The asked rows.
    bases : uint16 array, shape (n_asked, dim)
        Facets for each asked row: proven, or proposed where it is open.
    known : uint8 array, shape (n_asked,)
        `OPEN`, `PROVEN`, `IS_CONSTANT` or `IS_FACET`.
    points : float64 array, shape (n_targets, dim); are_proven : uint8 array, shape (n_targets,)
        Points beyond facets: proven, or proposed.
    """

    keys: NDArray[np.int64]
    bases: NDArray[np.uint16]
    known: NDArray[np.uint8]
    points: NDArray[np.float64]
    are_proven: NDArray[np.uint8]


@loop
def count_asked(tree, counts):
    """Write how many rows each cell is asked for."""
    n_levels = len(tree.path) - 1
    counts[0] += len(tree.domain)
    for depth in range(n_levels):
        for cell in range(tree.firsts[depth], tree.firsts[depth + 1]):
            find_sides(cell, depth, tree)
            for b in range(tree.border_starts[depth], tree.border_starts[depth + 1]):
                side = tree.sides[depth, tree.borders[b]]
                counts[cell] += side == 1 or side == 2
            n_facets = tree.starts[cell + 1] - tree.starts[cell]
            for child in range(tree.children[cell], tree.children[cell + 1]):
                counts[child] += n_facets + _count_cuts(child, depth, tree)


@inlined
def _count_cuts(cell, above, tree):
    first, width = tree.unit_starts[above], tree.unit_starts[above + 1] - tree.unit_starts[above]
    digits = tree.digit_starts[above] + (cell - tree.firsts[above + 1]) * width
    count = 0
    for u in range(width):
        digit = tree.digits[digits + u]
        for i in range(tree.choice_starts[first + u, digit], tree.choice_starts[first + u, digit + 1]):
            count += tree.sides[above, tree.choices[i] >> 1] > 2
    return count


@loop
def find_sides(cell, depth, tree):
    """Write on which sides of each border of the next layer a cell has children."""
    first, width = tree.unit_starts[depth], tree.unit_starts[depth + 1] - tree.unit_starts[depth]
    for b in range(tree.border_starts[depth], tree.border_starts[depth + 1]):
        tree.sides[depth, tree.borders[b]] = tree.counts[tree.borders[b]] = 0
    for child in range(tree.children[cell], tree.children[cell + 1]):
        digits = tree.digit_starts[depth] + (child - tree.firsts[depth + 1]) * width
        for u in range(width):
            digit = tree.digits[digits + u]
            for i in range(tree.choice_starts[first + u, digit], tree.choice_starts[first + u, digit + 1]):
                key = tree.choices[i]
                tree.sides[depth, key >> 1] |= 1 + (key & 1)
                tree.counts[key >> 1] += 1
    n_children = tree.children[cell + 1] - tree.children[cell]
    for b in range(tree.border_starts[depth], tree.border_starts[depth + 1]):
        if 0 < tree.counts[tree.borders[b]] < n_children:
            tree.sides[depth, tree.borders[b]] |= 4
