"""What a geometry has to offer so that regions can be enumerated with it.

The depth-first enumeration (`polyrelu.kernels.depth_first`) asks only the questions below. A *cell* is the set of
inputs with certain digits, stored as ``length`` consecutive rows of a stack from ``start`` on. What a row holds is the
geometry's own business: a corner of a polygon (`polyrelu.kernels.polygons`), a vertex of a polytope
(`polyrelu.kernels.polytopes`), a halfspace (`polyrelu.kernels.cells`). A geometry is a named tuple of arrays, always
the last argument; the compiler chooses by its class. Its arrays ``maps``, ``floats``, ``bounds``, ``columns`` and
``state`` are those of `polyrelu.kernels.tables`, its stacks ``vertices``, ``marks`` and ``zeros`` grow when one is
full, and ``axes`` has one entry for each coefficient (`polyrelu.kernels.maps`).
"""

from __future__ import annotations

from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import call_address
from polyrelu.kernels.compiled import answered_by_class, loop


@answered_by_class
def has_room(n_rows, of_one_unit, g):
    """Return whether the stacks surely have room for entering a level of ``n_rows``, or splitting by one unit."""


@answered_by_class
def classify_rows(level, row0, padded, d, g):
    """Mark the rows of a level whose sign is certain on the current cell, all others as undecided; then `refresh`."""


@answered_by_class
def row_signs(row, level, start, n, g):
    """Return 1 if a row is negative somewhere on a cell, plus 2 if it is positive somewhere."""


@answered_by_class
def keep_side(side, row, level, start, n, g):
    """Push the part of a cell on one side of the row that `row_signs` has just found to cut; return its length."""


@answered_by_class
def refresh(level, g):
    """Prepare `sides_at_once` for the current cell, which has changed since the level was entered."""


@answered_by_class
def sides_at_once(row, g):
    """Return 1 or 2 if a row is certainly negative or positive on the current cell, 3 if that takes `row_signs`."""


@answered_by_class
def emit(words, output, g):
    """Write the current cell and its pattern to the output; False if that has no room."""


@loop
def ask(kind, row, line, other, g):
    """Put a question to Python; return the sign it answers with."""
    state = g.state
    state[T.QUESTION], state[T.QUESTION + 1] = kind, row
    state[T.QUESTION + 2], state[T.QUESTION + 3] = line, other
    answer = call_address(state[T.ASK], 0)
    if answer == T.ABORT_ANSWER:
        state[T.ABORT] = 1
        return 0
    return answer - T.SIGN_SHIFT
