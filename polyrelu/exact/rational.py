"""Exact numbers: one place where anything a user may pass becomes a rational."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from numbers import Integral, Rational, Real

import flint

from polyrelu.errors import InputError

__all__ = ["common_denominator", "nearest_float", "primitive_row", "to_fraction", "to_fractions"]


def to_fraction(value: object, who: str = "polyrelu") -> Fraction:
    """Return a number as a `Fraction`, exactly.

    Parameters
    ----------
    value : int, float, Fraction, str, numpy scalar, flint.fmpq or flint.fmpz
        A float stands for the dyadic rational it stores; text may be a decimal ("0.1") or a
        fraction ("1/3") and is taken at its word.
    who : str
        Name used in the error message.

    Raises
    ------
    InputError
        For NaN, infinities and anything that is not a real number.

    Examples
    --------
    >>> to_fraction("0.1"), to_fraction(0.5)
    (Fraction(1, 10), Fraction(1, 2))
    >>> to_fraction(0.1) == Fraction(1, 10)
    False
    >>> to_fraction(float("nan"))
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: polyrelu needs a finite number but received nan. Replace it.
    """
    if isinstance(value, flint.fmpq):
        return Fraction(int(value.p), int(value.q))
    if isinstance(value, flint.fmpz):
        return Fraction(int(value))
    if isinstance(value, str):
        try:
            return Fraction(value.strip())
        except (ValueError, ZeroDivisionError):
            message = f"{who} needs a decimal or a fraction but received {value!r}. Write it like 0.25 or 1/4."
            raise InputError(message) from None
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{who} needs a real number but received {value!r}. Pass int, float, Fraction or text.")
    if isinstance(value, Integral):
        return Fraction(int(value))
    if isinstance(value, Rational):
        return Fraction(value)
    if not math.isfinite(value):
        raise InputError(f"{who} needs a finite number but received {value}. Replace it.")
    return Fraction(float(value))


def to_fractions(values: Iterable[object], who: str = "polyrelu") -> tuple[Fraction, ...]:
    """Return a sequence of numbers as a tuple of `Fraction` (see `to_fraction`)."""
    return tuple(to_fraction(value, who) for value in values)


def common_denominator(values: Iterable[Fraction]) -> int:
    """Return the least common multiple of the denominators (1 for no values)."""
    return math.lcm(*{value.denominator for value in values})


def primitive_row(values: Sequence[Fraction | int]) -> tuple[int, ...]:
    """Return the coprime integers that are a positive multiple of the given rationals.

    Examples
    --------
    >>> primitive_row([Fraction(1, 2), Fraction(-1, 3), Fraction(0)])
    (3, -2, 0)
    """
    scale = math.lcm(*(value.denominator for value in values))
    integers = [int(value * scale) for value in values]
    divisor = math.gcd(*integers) or 1
    return tuple(integer // divisor for integer in integers)


def nearest_float(numerator: int, denominator: int) -> float:
    """Return the float nearest to a fraction (infinite beyond the range of floats)."""
    try:
        return int(numerator) / int(denominator)
    except OverflowError:
        return math.inf if (numerator > 0) == (denominator > 0) else -math.inf
