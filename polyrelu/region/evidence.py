"""What an answer of a linear program proves, and the checks: sums and products of rationals, no solver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.errors import InputError
from polyrelu.exact.linalg import dot, rank

__all__ = [
    "Bounded",
    "Infeasible",
    "Optimal",
    "Ray",
    "Row",
    "Unbounded",
    "Witness",
    "check_bounded",
    "check_infeasible",
    "check_optimal",
    "check_ray",
    "check_unbounded",
    "check_witness",
]

Row = Sequence[int]
"""``(a_1, …, a_dim, c)``, which says ``a · x + c >= 0``."""


@dataclass(frozen=True, slots=True)
class Optimal:
    """The objective's largest value: ``objective = value - sum(multipliers * rows)`` and ``point`` attains it.

    Attributes
    ----------
    value : Fraction
    point : tuple of Fraction, length dim
    multipliers : tuple of Fraction, one for each row
        Nonnegative.
    """

    value: Fraction
    point: tuple[Fraction, ...]
    multipliers: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Unbounded:
    """The objective has no largest value: it rises along ``ray`` from the feasible ``point``.

    Attributes
    ----------
    point : tuple of Fraction, length dim
    ray : tuple of int, length dim
    """

    point: tuple[Fraction, ...]
    ray: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Infeasible:
    """No point satisfies the rows: ``sum(multipliers * rows)`` is a constant that they forbid.

    Attributes
    ----------
    multipliers : tuple of Fraction, one for each row
        Nonnegative. The sum has a zero normal, and a constant that is negative, or zero while a strict row
        has a positive multiplier (Farkas' lemma, Motzkin's transposition theorem).
    """

    multipliers: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """A point that satisfies all rows, the strict ones strictly.

    Attributes
    ----------
    point : tuple of Fraction, length dim
    """

    point: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Bounded:
    """The rows bound every direction: ``sum(multipliers * normals) = 0`` and the normals span the space.

    Attributes
    ----------
    multipliers : tuple of Fraction, one for each row
        Positive (Stiemke's lemma).
    """

    multipliers: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Ray:
    """A direction in which one may go for ever.

    Attributes
    ----------
    direction : tuple of int, length dim
    """

    direction: tuple[int, ...]


def check_optimal(objective: Row, rows: Sequence[Row], answer: Optimal) -> None:
    """Raise `InputError` unless the evidence proves the value."""
    _check_feasible(rows, answer.point)
    _require(dot(objective, (*answer.point, 1)) == answer.value, "a point with the stated value")
    _require(_nonnegative(answer.multipliers, rows), "one nonnegative multiplier for each row")
    total = [g + s for g, s in zip(objective, _combination(rows, answer.multipliers, len(objective)), strict=True)]
    _require(not any(total[:-1]) and total[-1] == answer.value, "multipliers that bound the objective")


def check_unbounded(objective: Row, rows: Sequence[Row], answer: Unbounded) -> None:
    """Raise `InputError` unless the evidence proves that the objective has no largest value."""
    _check_feasible(rows, answer.point)
    check_ray(rows, answer.ray)
    _require(dot(objective[:-1], answer.ray) > 0, "a ray along which the objective rises")


def check_infeasible(rows: Sequence[Row], strict: Sequence[bool], answer: Infeasible) -> None:
    """Raise `InputError` unless the multipliers prove that no point has all rows >= 0, the strict ones > 0."""
    _require(_nonnegative(answer.multipliers, rows), "one nonnegative multiplier for each row")
    total = _combination(rows, answer.multipliers, len(rows[0]) if rows else 1)
    used_strict = any(y > 0 and s for y, s in zip(answer.multipliers, strict, strict=True))
    _require(not any(total[:-1]), "multipliers that cancel the normals")
    _require(total[-1] < 0 or (total[-1] == 0 and used_strict), "multipliers whose sum the rows forbid")


def check_witness(rows: Sequence[Row], strict: Sequence[bool], answer: Witness) -> None:
    """Raise `InputError` unless the point has all rows >= 0 and the strict ones > 0."""
    _check_feasible(rows, answer.point)
    point = [*answer.point, Fraction(1)]
    inside = all(dot(row, point) > 0 for row, is_strict in zip(rows, strict, strict=True) if is_strict)
    _require(inside, "a point inside the strict rows")


def check_ray(rows: Sequence[Row], ray: Sequence[int]) -> None:
    """Raise `InputError` unless the direction is not 0 and leaves no row."""
    _require(any(ray) and all(dot(row[:-1], ray) >= 0 for row in rows), "a direction that leaves no row")


def check_bounded(rows: Sequence[Row], answer: Bounded) -> None:
    """Raise `InputError` unless the multipliers prove that no direction other than 0 stays inside."""
    _require(_nonnegative(answer.multipliers, rows) and all(answer.multipliers), "one positive multiplier for each row")
    normals = [row[:-1] for row in rows]
    _require(bool(rows) and rank(normals) == len(normals[0]), "normals that span the space")
    _require(not any(_combination(normals, answer.multipliers, len(normals[0]))), "multipliers that cancel the normals")


def _check_feasible(rows: Sequence[Row], point: Sequence[Fraction]) -> None:
    _require(all(len(row) == len(point) + 1 for row in rows), "a point of the dimension of the rows")
    _require(all(dot(row, (*point, 1)) >= 0 for row in rows), "a point with every row >= 0")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise InputError(f"The evidence of a linear program needs {what} but has none. Solve it again.")


def _nonnegative(multipliers: Sequence[Fraction], rows: Sequence[Row]) -> bool:
    return len(multipliers) == len(rows) and all(y >= 0 for y in multipliers)


def _combination(rows: Sequence[Row], multipliers: Sequence[Fraction], width: int) -> list[Fraction]:
    total = [Fraction(0)] * width
    for row, y in zip(rows, multipliers, strict=True):
        if y:
            total = [t + y * a for t, a in zip(total, row, strict=True)]
    return total
