"""Exact numbers in JSON: as text such as "-1/3", of any length, and never as floats."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

import flint

__all__ = ["MOST_DIGITS", "number_text", "parsed_json", "parsed_number"]

MOST_DIGITS = 1 << 20
"""Longer numbers are refused before they are read, unless a reader sets a limit of its own."""
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(/[1-9][0-9]*)?")


def number_text(value: Fraction | int) -> str:
    """Return a number as text.

    Examples
    --------
    >>> number_text(Fraction(-1, 3)), number_text(2), len(number_text(10**5000))
    ('-1/3', '2', 5001)
    """
    # Python itself refuses to write more than 4300 digits.
    numerator, denominator = value.as_integer_ratio()
    return str(flint.fmpz(numerator)) + (f"/{flint.fmpz(denominator)}" if denominator != 1 else "")


def parsed_number(text: object, most_digits: int = MOST_DIGITS) -> Fraction | None:
    """Return the number that `number_text` wrote, None for something else or something longer.

    Examples
    --------
    >>> parsed_number("-1/3"), parsed_number("1/0"), parsed_number("0x1"), parsed_number(1)
    (Fraction(-1, 3), None, None, None)
    """
    if not isinstance(text, str) or len(text) > most_digits or not NUMBER.fullmatch(text):
        return None
    numerator, _, denominator = text.partition("/")
    return Fraction(int(flint.fmpz(numerator)), int(flint.fmpz(denominator or "1")))


def parsed_json(text: str | bytes) -> Any:
    """Return what JSON says.

    Raises
    ------
    ValueError, RecursionError
        If it is damaged or nested too deeply, has a key twice, or a number that is not whole.
    """
    return json.loads(text, object_pairs_hook=_without_repeats, parse_float=_no_float, parse_constant=_no_float)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a key stands twice")
    return data


def _no_float(text: str) -> Any:
    raise ValueError(f"the number {text[:40]} is not whole")
