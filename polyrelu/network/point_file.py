"""Points from text and from files, exactly."""

from __future__ import annotations

import csv
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np

from polyrelu.errors import FileError, InputError
from polyrelu.exact.rational import to_fractions

__all__ = ["parse_point"]

SUFFIXES = (".npy", ".npz", ".csv")


def parse_point(text: str, dim: int) -> tuple[Fraction, ...]:
    """Return the point that a text names: "0.1,-1/3" (decimals and fractions are exact), or the path of a file.

    Parameters
    ----------
    text : str
        Coordinates parted by commas, or the path of a file that holds one point: ``.npy``; ``.npz`` with one array;
        ``.csv`` with numbers parted by commas and lines. Arrays of any shape are read in C order; their floats are
        taken exactly.
    dim : int

    Raises
    ------
    FileError
        If a file cannot be read or holds something else than numbers.
    InputError
        For something else than ``dim`` numbers.

    Examples
    --------
    >>> parse_point("0.1, -1/3", 2)
    (Fraction(1, 10), Fraction(-1, 3))
    >>> parse_point("1,2,3", 2)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: A point of this network needs 2 coordinates but '1,2,3' has 3. Give one for each input.
    """
    suffix = Path(text.strip()).suffix.lower()
    is_file = suffix in SUFFIXES
    point = _from_file(Path(text.strip()), suffix) if is_file else to_fractions(text.split(","), "A point")
    if len(point) != dim:
        raise InputError(
            f"A point of this network needs {dim} coordinates but {text!r} has {len(point)}. Give one for each input."
        )
    return point


def _from_file(path: Path, suffix: str) -> tuple[Fraction, ...]:
    try:
        if suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as stream:
                return to_fractions((cell for line in csv.reader(stream) for cell in line), f"A point in {str(path)!r}")
        loaded = np.load(path, allow_pickle=False)
        if suffix == ".npz":
            with loaded:
                if len(loaded.files) != 1:
                    raise ValueError(f"it holds {len(loaded.files)} arrays")
                loaded = loaded[loaded.files[0]]
        if loaded.dtype.kind not in "iufb":
            raise ValueError(f"it holds values of type {loaded.dtype}")
    except OSError as error:
        reason = f"could not be read ({error.strerror or error})"
        raise FileError(f"A point needs a readable file but {str(path)!r} {reason}. Check the path.") from None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, csv.Error) as error:
        message = f"A point needs one array of numbers but {str(path)!r} has none ({error}). Repair it."
        raise FileError(message) from None
    values = loaded.astype(np.uint8) if loaded.dtype.kind == "b" else loaded
    return to_fractions(values.ravel().tolist(), f"A point in {str(path)!r}")
