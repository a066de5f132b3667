"""Patterns of data points as files: packed arrays that come back the same, and text for other programs."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.errors import FileError, InputError
from polyrelu.network.batches import chunks
from polyrelu.network.data_file import UNREADABLE
from polyrelu.network.pattern import PatternLayout
from polyrelu.tessellation.targets import replacing

__all__ = ["check_pattern_name", "load_patterns", "save_patterns"]

UNPROVEN = -1
"""Stored for `DataPatterns.n_decided_exactly` where no digit is proven."""
OWN = ("words", "widths", "n_pieces", "decided_exactly")
ROWS_AT_ONCE = 1024


def save_patterns(patterns: DataPatterns, path: str | Path, columns: Mapping[str, ArrayLike] | None = None) -> None:
    """Write patterns to a file, whole or not at all.

    Parameters
    ----------
    patterns : DataPatterns
    path : path
        ``.npz``: packed words, and what `load_patterns` needs to read them; ``.csv``: a line for each point, with its
        number, its pattern as text such as ``10|011``, and the columns.
    columns : mapping of str to array, shape (n,), optional
        Further numbers of each point, such as labels.

    Raises
    ------
    FileError
        For another name, or if the file cannot be written.
    InputError
        If a column does not fit the points, or has a name that the file uses itself.
    """
    check_pattern_name(path)
    more = {name: np.asarray(column) for name, column in (columns or {}).items()}
    for name, column in more.items():
        if column.shape != (len(patterns),) or name in (*OWN, "point", "pattern"):
            raise InputError(
                f"save_patterns needs a number for each of {len(patterns)} points, under a name of its own, but "
                f"{name!r} has shape {column.shape}. Match or rename it."
            )
    with replacing(Path(path)) as temporary:
        (_write_csv if Path(path).suffix.lower() == ".csv" else _write_npz)(patterns, temporary, more)


def load_patterns(path: str | Path) -> DataPatterns:
    """Return the patterns in a ``.npz`` file that `save_patterns` wrote.

    Raises
    ------
    FileError
        If the file cannot be read or holds something else.

    Examples
    --------
    >>> load_patterns("nowhere.npz")
    Traceback (most recent call last):
    ...
    polyrelu.errors.FileError: Patterns need a readable file but 'nowhere.npz' could not be read (No such file or \
directory). Check the path.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            words, widths, n_pieces, decided = (arrays[name] for name in OWN)
    except OSError as error:
        reason = f"could not be read ({error.strerror or error})"
        raise FileError(f"Patterns need a readable file but {str(path)!r} {reason}. Check the path.") from None
    except (*UNREADABLE, TypeError) as error:
        message = f"Patterns need a file that save_patterns wrote but {str(path)!r} is none ({error}). Write it anew."
        raise FileError(message) from None
    whole = all(array.dtype.kind == "i" for array in (widths, n_pieces, decided))
    if not whole or not _fit(words, widths, n_pieces, decided):
        raise FileError(f"Patterns need arrays that fit each other but those of {str(path)!r} do not. Write it anew.")
    layout = PatternLayout.for_pieces(n_pieces, np.repeat(np.arange(len(widths)), widths))
    found = DataPatterns(layout, tuple(widths.tolist()), words, None if decided == UNPROVEN else int(decided))
    if layout.n_words != words.shape[1] or not all(
        _is_packed(found, piece) for piece in chunks(len(words), ROWS_AT_ONCE)
    ):
        message = f"Patterns need digits that neurons have but {str(path)!r} has others. Write it anew."
        raise FileError(message)
    return found


def check_pattern_name(path: str | Path) -> None:
    """Raise `FileError` unless a path ends like a file that `save_patterns` writes."""
    if Path(path).suffix.lower() not in (".npz", ".csv"):
        raise FileError(f"Patterns need a name in .npz or .csv but received {str(path)!r}. Rename it.")


def _is_packed(patterns: DataPatterns, piece: slice) -> bool:
    """Return whether neurons have the digits of some points, and nothing else is in their words, which are compared."""
    digits = patterns.digits(points=piece)
    if (digits >= patterns.layout.n_pieces).any():
        return False
    return np.array_equal(patterns.layout.pack(digits), patterns.words[piece])


def _fit(words: NDArray, widths: NDArray, n_pieces: NDArray, decided: NDArray) -> bool:
    return (
        words.dtype == np.uint64
        and (words.ndim, widths.ndim, n_pieces.ndim, decided.ndim) == (2, 1, 1, 0)
        and UNPROVEN <= int(decided) <= len(words)
        and bool((widths > 0).all() and (n_pieces > 1).all() and widths.sum() == len(n_pieces))
    )


def _write_npz(patterns: DataPatterns, path: Path, columns: Mapping[str, NDArray]) -> None:
    decided = UNPROVEN if patterns.n_decided_exactly is None else patterns.n_decided_exactly
    own = (patterns.words, np.array(patterns.widths, np.int64), patterns.layout.n_pieces, np.array(decided, np.int64))
    arrays: dict[str, Any] = {**dict(zip(OWN, own, strict=True)), **columns}
    with open(path, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def _write_csv(patterns: DataPatterns, path: Path, columns: Mapping[str, NDArray]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["point", "pattern", *columns])
        for point in range(len(patterns)):
            more = (column[point].item() for column in columns.values())
            writer.writerow([point, str(patterns.pattern(point)), *more])
