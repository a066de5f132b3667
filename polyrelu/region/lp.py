"""Exact linear programs over the rationals, each answer with its evidence.

A row ``(a_1, …, a_dim, c)`` of integers stands for ``a · x + c >= 0``. What an answer proves, and the functions
that check it without a solver, are in `polyrelu.region.evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from polyrelu.errors import InputError, InternalError
from polyrelu.exact.linalg import dot, null_space
from polyrelu.exact.rational import primitive_row
from polyrelu.region.evidence import Bounded, Infeasible, Optimal, Ray, Row, Unbounded, Witness
from polyrelu.region.simplex import Dictionary

__all__ = [
    "Bounded",
    "Infeasible",
    "Optimal",
    "Ray",
    "Unbounded",
    "Witness",
    "decide_bounded",
    "find_interior_point",
    "find_point",
    "maximize",
]


def maximize(objective: Row, rows: Sequence[Row]) -> Optimal | Unbounded | Infeasible:
    """Return the largest value of ``objective`` on ``{x : every row >= 0}``, with evidence.

    Parameters
    ----------
    objective : sequence of int, length dim + 1
        ``(g_1, …, g_dim, g)`` for ``g_1 x_1 + … + g``.
    rows : sequence of integer rows, each of length dim + 1

    Examples
    --------
    >>> maximize((1, 1, 0), [(-2, 0, 1), (0, -1, 1)])
    Optimal(value=Fraction(3, 2), point=(Fraction(1, 2), Fraction(1, 1)), multipliers=(Fraction(1, 2), Fraction(1, 1)))
    >>> maximize((1, 0), [(1, 0)])
    Unbounded(point=(Fraction(0, 1),), ray=(1,))
    >>> maximize((1, 0), [(1, -1), (-1, 0)])
    Infeasible(multipliers=(Fraction(1, 1), Fraction(1, 1)))
    """
    dim = _dim_of((objective, *rows))
    constant = _constant_violation(rows, [False] * len(rows))
    if constant is not None:
        return constant
    used = [i for i, row in enumerate(rows) if any(row[:-1])]
    dictionary = Dictionary(dim, [rows[i] for i in used], [objective])
    if not dictionary.make_feasible():
        return Infeasible(_spread(dictionary.multipliers(len(used)), used, len(rows)))
    unlimited = dictionary.maximize()
    point = _fractions(dictionary.point())
    if unlimited is not None:
        return Unbounded(point, primitive_row(dictionary.direction(*unlimited)))
    multipliers = _spread(dictionary.multipliers(len(used)), used, len(rows))
    return Optimal(Fraction(dictionary.table[-1][-1], dictionary.denominator), point, multipliers)


def find_point(
    rows: Sequence[Row], strict: Sequence[bool], dim: int | None = None, central: bool = True
) -> Witness | Infeasible:
    """Return a point with every row >= 0 and every strict row > 0, or Farkas multipliers.

    Parameters
    ----------
    rows : sequence of integer rows, each of length dim + 1
    strict : sequence of bool, one for each row
    dim : int, optional
        Needed where there are no rows.
    central : bool
        Maximise the least slack of the strict rows, in units of each row's size, up to 1; if False, stop as
        soon as it is positive.

    Notes
    -----
    The point is rounded to as few binary digits as the strict rows allow.

    Examples
    --------
    >>> find_point([(2, -1), (-1, 1)], [True, True])
    Witness(point=(Fraction(3, 4),))
    >>> find_point([(1, 0), (-1, 0)], [False, False])
    Witness(point=(Fraction(0, 1),))
    >>> find_point([(1, 0), (-1, 0)], [True, False])
    Infeasible(multipliers=(Fraction(1, 1), Fraction(1, 1)))
    """
    dim = _dim_of(rows, dim)
    constant = _constant_violation(rows, strict)
    if constant is not None:
        return constant
    used = [i for i, row in enumerate(rows) if any(row[:-1])]
    lifted = [(*rows[i][:-1], -_size(rows[i]) if strict[i] else 0, rows[i][-1]) for i in used]
    cap, slack = (0,) * dim + (-1, 1), (0,) * dim + (1, 0)
    dictionary = Dictionary(dim + 1, [*lifted, cap], [slack])
    if any(row[-1] < 0 and row[-2] == 0 for row in lifted):
        if not dictionary.make_feasible():
            return Infeasible(_spread(dictionary.multipliers(len(used) + 1), used, len(rows)))
    elif any(row[-1] < 0 for row in lifted):
        dictionary.pivot(dictionary.most_violated(dim), dim)
    dictionary.maximize(stop_positive=not central)
    if dictionary.table[-1][-1] <= 0 and any(row[-2] for row in lifted):
        return Infeasible(_spread(dictionary.multipliers(len(used) + 1), used, len(rows)))
    numerators, denominator = dictionary.point()
    return Witness(_rounded(numerators[:-1], denominator, [rows[i] for i in used], [strict[i] for i in used]))


def find_interior_point(rows: Sequence[Row], dim: int | None = None) -> Witness | Infeasible:
    """Return a point strictly inside every row with a non-zero normal, or Farkas multipliers.

    A row with a zero normal is a constant: >= 0 it says nothing, < 0 it forbids every point.

    Examples
    --------
    >>> find_interior_point([(1, 0, 0), (0, 1, 0), (-1, -1, 3), (0, 0, 0)])
    Witness(point=(Fraction(1, 1), Fraction(1, 1)))
    >>> find_interior_point([], dim=1)
    Witness(point=(Fraction(0, 1),))
    """
    return find_point(rows, [any(row[:-1]) for row in rows], dim)


def decide_bounded(rows: Sequence[Row], dim: int) -> tuple[bool, Bounded | Ray]:
    """Return whether directions with every ``a · v >= 0`` are only 0, with evidence.

    For a non-empty ``{x : every row >= 0}`` this says whether it is bounded.

    Examples
    --------
    >>> decide_bounded([(1, 0), (-1, 1)], 1)
    (True, Bounded(multipliers=(Fraction(1, 1), Fraction(1, 1))))
    >>> decide_bounded([(1, 0, 0), (-1, 0, 1)], 2)
    (False, Ray(direction=(0, 1)))
    """
    normals = [tuple(row[:-1]) for row in rows]
    free = null_space(normals, dim)
    if free:
        return False, Ray(free[0])
    total = tuple(sum(column) for column in zip(*normals, strict=True))
    homogeneous = [(*normal, 0) for normal in normals]
    best = maximize((*total, 0), [*homogeneous, (*(-v for v in total), 1)])
    if not isinstance(best, Optimal):
        raise InternalError(f"decide_bounded needs an optimal value but received {best}. Please report the rows.")
    if best.value > 0:
        return False, Ray(primitive_row(best.point))
    return True, Bounded(tuple(1 + y for y in best.multipliers[:-1]))


def _dim_of(rows: Sequence[Row], dim: int | None = None) -> int:
    widths = {len(row) for row in rows} | (set() if dim is None else {dim + 1})
    if len(widths) != 1 or min(widths) < 1:
        raise InputError(
            f"A linear program needs rows of one length, dim + 1, but received {sorted(widths)}. Match them."
        )
    if any(type(value) is not int for row in rows for value in row):
        raise InputError("A linear program needs rows of int but received other numbers. Use `primitive_row`.")
    return widths.pop() - 1


def _constant_violation(rows: Sequence[Row], strict: Sequence[bool]) -> Infeasible | None:
    """Return the proof of emptiness that one row with a zero normal gives, if one does."""
    for i, row in enumerate(rows):
        if (row[-1] < 0 or (row[-1] == 0 and strict[i])) and not any(row[:-1]):
            return Infeasible(tuple(Fraction(int(i == j)) for j in range(len(rows))))
    return None


def _size(row: Row) -> int:
    return sum(abs(value) for value in row[:-1])


def _spread(values: tuple[list[int], int], used: Sequence[int], n_rows: int) -> tuple[Fraction, ...]:
    """Return multipliers of the used rows as multipliers of all rows."""
    numerators, denominator = values
    result = [Fraction(0)] * n_rows
    for i, numerator in zip(used, numerators, strict=False):
        if numerator:
            result[i] = Fraction(numerator, denominator)
    return tuple(result)


def _fractions(values: tuple[list[int], int]) -> tuple[Fraction, ...]:
    numerators, denominator = values
    return tuple(Fraction(numerator, denominator) for numerator in numerators)


def _rounded(
    numerators: Sequence[int], denominator: int, rows: Sequence[Row], strict: Sequence[bool]
) -> tuple[Fraction, ...]:
    """Return a nearby point with few binary digits that satisfies the rows too, else the point itself."""
    bits = 0
    while bits < denominator.bit_length():
        scale = 1 << bits
        nearby = [*((2 * v * scale + denominator) // (2 * denominator) for v in numerators), scale]
        values = (dot(row, nearby) for row in rows)
        if all(value > 0 or (value == 0 and not s) for value, s in zip(values, strict, strict=True)):
            return tuple(Fraction(v, scale) for v in nearby[:-1])
        bits = 2 * bits or 2
    return tuple(Fraction(v, denominator) for v in numerators)
