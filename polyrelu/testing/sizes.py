"""Sizes that a family has no member of are refused."""

from __future__ import annotations

from polyrelu.errors import InputError

__all__ = ["check_at_least"]


def check_at_least(function: str, **arguments: tuple[int, int]) -> None:
    """Raise `InputError` unless each number is at least its least value: ``name=(number, least)``."""
    for name, (number, least) in arguments.items():
        if number < least:
            raise InputError(f"{function} needs {name} of at least {least} but received {number}. Pass a larger one.")
