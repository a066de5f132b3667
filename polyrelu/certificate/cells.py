"""The cells of one level of a certificate, with every number that serves as an index checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polyrelu.certificate.borders import LayerBorders
from polyrelu.certificate.format import Level, refuse

__all__ = ["Cells", "first_of_each"]


class Cells:
    """The cells of one level: what the level says, in lists.

    Attributes
    ----------
    borders : LayerBorders
        Of the level's layer.
    digits : list of bytes
        The digits of each cell, one a byte.
    parents : list of int; facets : list of [int, int]; bases : uint16 array
        As in `Level`.
    border_sides : list of list of int
        For each cell of the level above: on which sides of each border there are cells of this level.
    """

    def __init__(self, level: Level, depth: int, n_above: int, borders: LayerBorders) -> None:
        n, facets = len(level.parents), level.facets.astype(np.int64)
        parents, starts, sides, digits = level.parents, level.starts, level.sides, borders.unpack(level.digits)
        if facets.shape[1] != 2 or len(starts) != n + 1 or len(level.digits) != n or digits is None:
            refuse(f"the arrays of level {depth} do not fit each other, or the network")
        steps = np.diff(parents.astype(np.int64), prepend=-1, append=n_above)
        if not n or steps[0] != 1 or steps[-1] != 1 or not np.isin(steps, (0, 1)).all():
            refuse(f"the cells of level {depth} do not lie, in order, in all cells of the level above")
        if starts[0] or (starts[1:] < starts[:-1]).any() or starts[-1] != len(sides):  # differences could overflow
            refuse(f"the lists of facets of level {depth} do not follow each other")
        if (facets[:, 0] < 0).any() or (facets >= n).any() or (facets[:, 0] == facets[:, 1]).any():
            refuse(f"a facet of level {depth} does not lie between two of its cells")
        if len(sides) and not 0 <= sides.min() <= sides.max() < len(facets):
            refuse(f"a cell of level {depth} has a facet that is not there")
        owners = np.repeat(np.arange(n), np.diff(starts))
        listed = [np.bincount(sides[facets[sides, k] == owners], minlength=len(facets)) for k in (0, 1)]
        is_inner = facets[:, 1] >= 0
        if len(sides) != (1 + is_inner).sum() or (listed[0] != 1).any() or (listed[1] != is_inner).any():
            refuse(f"a facet of level {depth} is not in the lists of both its cells, once in each")
        self.digits = [row.tobytes() for row in digits]
        for cell in range(1, n):
            if steps[cell] == 0 and self.digits[cell - 1] >= self.digits[cell]:
                refuse(f"cell {cell} of level {depth} has the pattern of another one, or stands in the wrong place")
        self.borders, self.bases, self.parents, self.facets = borders, level.bases, parents.tolist(), facets.tolist()
        self._starts, self._sides = starts.tolist(), sides.tolist()
        self._children = [*np.flatnonzero(steps[:n]).tolist(), n]
        self.border_sides = borders.sides_of(digits, self._children[:-1])  # for each cell of the level above

    def children(self, cell: int) -> range:
        """Return which cells of this level lie in one of the level above."""
        return range(self._children[cell], self._children[cell + 1])

    def facets_of(self, cell: int) -> list[int]:
        """Return the numbers of a cell's facets."""
        return self._sides[self._starts[cell] : self._starts[cell + 1]]


def first_of_each(n: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return for each of ``n`` numbers the first one that pairs connect it with.

    Examples
    --------
    >>> first_of_each(5, [(3, 4), (1, 3)])
    [0, 1, 2, 1, 1]
    """
    roots = list(range(n))
    for pair in pairs:
        first, second = sorted(_root(roots, number) for number in pair)
        roots[second] = first
    return [_root(roots, number) for number in range(n)]


def _root(roots: list[int], number: int) -> int:
    while roots[number] != number:
        roots[number] = roots[roots[number]]
        number = roots[number]
    return number
