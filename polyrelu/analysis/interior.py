"""Whether rows hold a point, and in which dimension: with multipliers that prove it either way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.exact.linalg import rank
from polyrelu.region.lp import Witness, find_point

__all__ = ["Emptiness", "Interior", "find_interior"]


@dataclass(frozen=True, slots=True)
class Interior:
    """A point of the relative interior of ``{x : every row >= 0}``, and the rows that vanish on all of it.

    Attributes
    ----------
    dim : int
        Dimension of the polyhedron.
    point : tuple of Fraction
        Every row that does not vanish on the whole polyhedron is > 0 there.
    flatness : tuple of Fraction, one for each row
        Nonnegative, ``sum(flatness * rows) = 0``: rows with a positive one vanish on the whole polyhedron, and all
        others with a normal do not.
    """

    dim: int
    point: tuple[Fraction, ...]
    flatness: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Emptiness:
    """Proof that no point has every row >= 0: ``sum(multipliers * rows)`` is the constant -1.

    Attributes
    ----------
    multipliers : tuple of Fraction, one for each row
        Nonnegative.
    """

    multipliers: tuple[Fraction, ...]


def find_interior(rows: Sequence[Sequence[int]], dim: int) -> Interior | Emptiness:
    """Return a point of the relative interior of ``{x : every row >= 0}`` and its dimension, or why it is empty.

    Parameters
    ----------
    rows : sequence of integer rows, each of length dim + 1
    dim : int

    Examples
    --------
    >>> find_interior([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 2)], 2)
    Interior(dim=1, point=(Fraction(0, 1), Fraction(1, 1)), flatness=(Fraction(1, 2), Fraction(1, 2), Fraction(0, 1), \
Fraction(0, 1)))
    >>> find_interior([(1, -1), (-1, 0)], 1)
    Emptiness(multipliers=(Fraction(1, 1), Fraction(1, 1)))
    """
    flatness = [Fraction(0)] * len(rows)
    while True:
        strict = [any(row[:-1]) and not y for row, y in zip(rows, flatness, strict=True)]
        answer = find_point(rows, strict, dim)
        if isinstance(answer, Witness):
            vanishing = [row[:-1] for row, y in zip(rows, flatness, strict=True) if y]
            return Interior(dim - rank(vanishing), answer.point, tuple(flatness))
        constant = sum((y * row[-1] for y, row in zip(answer.multipliers, rows, strict=True)), Fraction(0))
        if constant < 0:
            return Emptiness(tuple(y / -constant for y in answer.multipliers))
        # The multipliers cancel the rows, so that each row with a positive one vanishes; at least one was strict.
        flatness = [a + b for a, b in zip(flatness, answer.multipliers, strict=True)]
