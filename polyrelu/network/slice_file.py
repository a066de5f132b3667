"""Slices from JSON files."""

from __future__ import annotations

import json
from fractions import Fraction
from os import PathLike
from pathlib import Path

from polyrelu.errors import FileError, InputError
from polyrelu.network.slices import Slice

__all__ = ["read_slice"]


def read_slice(path: str | PathLike[str]) -> Slice:
    """Return the slice in a JSON file: {"points": [p, q, r]} or {"point": p, "directions": [u, v]}.

    Numbers may be JSON numbers (decimals are exact) or text such as "1/3". The coordinates are those of
    `Slice.through` and `Slice.along`.

    Raises
    ------
    FileError
        If the file cannot be read or holds something else.
    InputError
        If the points do not span a slice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    ...     print('{"point": [0, 0.1, "1/3"], "directions": [[1, 0, 0]]}', file=file, flush=True)
    ...     read_slice(file.name).point([2])
    (Fraction(2, 1), Fraction(1, 10), Fraction(1, 3))
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"), parse_float=Fraction)
    except OSError as error:
        reason = f"cannot be read ({error.strerror}). Check the path."
        raise FileError(f"read_slice needs a JSON file but {str(path)!r} {reason}") from None
    except (ValueError, RecursionError) as error:
        raise FileError(f"read_slice needs JSON but {str(path)!r} is not ({error}). Repair the file.") from None
    keys = set(data) if isinstance(data, dict) else set()
    try:
        if keys == {"points"}:
            return Slice.through(*data["points"])
        if keys == {"point", "directions"}:
            return Slice.along(data["point"], *data["directions"])
    except InputError as error:
        raise InputError(f"{str(path)!r}: {error}") from None
    except TypeError as error:
        raise FileError(f"read_slice needs lists of numbers in {str(path)!r} ({error}). Repair the file.") from None
    found = f"has {sorted(keys)}" if keys else "has none"
    raise FileError(
        f"read_slice needs the key points, or point and directions, but {str(path)!r} {found}. Rename them."
    )
