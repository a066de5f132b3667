"""Extracted functions in NumPy archives."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from polyrelu.analysis.tropex.extracted import ExtractedFunction
from polyrelu.errors import FileError, InputError
from polyrelu.tessellation.targets import replacing

__all__ = ["load_terms", "save_terms"]

KINDS = {
    "n_out": "i",
    "labels": "i",
    "plus_slopes": "f",
    "plus_constants": "f",
    "minus_slopes": "f",
    "minus_constants": "f",
    "slope_bounds": "f",
    "constant_bound": "f",
    "rounding": "f",
}


def save_terms(function: ExtractedFunction, path: str | Path) -> None:
    """Write an extracted function to an ``.npz`` file, an array for each of its attributes.

    The file is written beside its place and then moved there, so that nobody sees half of it.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    target = Path(path)
    if not target.parent.is_dir() or target.is_dir():
        raise FileError(f"save_terms needs the name of a file in a folder but received {str(path)!r}. Make the folder.")
    with replacing(target) as place, open(place, "wb") as file:
        arrays: dict[str, Any] = {name: np.asarray(getattr(function, name)) for name in KINDS}
        np.savez(file, **arrays)


def load_terms(path: str | Path) -> ExtractedFunction:
    """Return an extracted function that `ExtractedFunction.save` wrote.

    Raises
    ------
    FileError
        If the file cannot be read or does not hold one. Pickled arrays are refused, never loaded.

    Examples
    --------
    >>> import tempfile
    >>> from polyrelu.analysis.tropex.extract import extract_terms
    >>> from polyrelu.testing import xor
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     extract_terms(xor(), [[0, 0.5], [1, 1]]).save(f"{folder}/terms.npz")
    ...     load_terms(f"{folder}/terms.npz").values([[0, 0.75]]).tolist()
    [[0.75]]
    """
    name = str(path)
    try:
        with open(path, "rb") as file:  # NumPy, given the name, leaves damaged files open
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it holds one array, not an archive")
            arrays = {key: archive[key] for key in KINDS}
    except FileNotFoundError:
        raise FileError(f"load_terms needs a file but found none at {name!r}. Check the path.") from None
    except (
        OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, SyntaxError, MemoryError, OverflowError,
        RuntimeError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise FileError(
            f"load_terms needs a file of terms but could not read {name!r} ({error}). Write it with "
            "ExtractedFunction.save."
        ) from None
    wrong = [key for key, kind in KINDS.items() if arrays[key].dtype.kind != kind or arrays[key].dtype.itemsize != 8]
    numbers = ("n_out", "constant_bound", "rounding")
    wrong += [key for key in numbers if arrays[key].shape != ()]
    if wrong:
        raise FileError(f"load_terms needs 64-bit numbers but {name!r} has another {wrong[0]}. Write it again.")
    terms = ("plus_slopes", "plus_constants", "minus_slopes", "minus_constants")
    sizes = ("slope_bounds", "constant_bound", "rounding")  # may be infinite
    wrong = [key for key in terms if not np.isfinite(arrays[key]).all()]
    wrong += [key for key in sizes if not (arrays[key] >= 0).all()]
    if wrong:
        raise FileError(
            f"load_terms needs finite terms, and sizes from 0, but {name!r} has others in {wrong[0]}. Write it again."
        )
    single: dict[str, Any] = {key: arrays[key].item() for key in numbers}
    try:
        return ExtractedFunction(**{**arrays, **single})
    except InputError as error:
        raise FileError(f"{name!r}: {error}") from None
