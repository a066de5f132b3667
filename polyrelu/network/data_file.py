"""Data sets from files: points, and labels where the file has them."""

from __future__ import annotations

import csv
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import FileError, InputError

__all__ = ["UNREADABLE", "DataFile", "read_data"]

POINT_NAMES = ("points", "images", "data", "inputs", "x")
LABEL_NAMES = ("labels", "label", "targets", "classes", "class", "y")

UNREADABLE = (
    ValueError, KeyError, EOFError, NotImplementedError, RuntimeError, TokenError, csv.Error, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What readers raise for damaged files: of headers, of archives, of text."""


@dataclass(frozen=True, eq=False)
class DataFile:
    """A data set as a file gives it.

    Attributes
    ----------
    points : float64 array, shape (n, dim)
    labels : int64 array, shape (n,), or None
    """

    points: NDArray[np.float64]
    labels: NDArray[np.int64] | None


def read_data(path: str | Path, dim: int, divide: float = 1.0) -> DataFile:
    """Return the points in a file, and the labels that it has.

    Parameters
    ----------
    path : path
        ``.npz`` with an array ``points``, ``images``, ``data``, ``inputs`` or ``x`` (or just one array) and perhaps
        whole numbers ``labels``, ``label``, ``targets``, ``classes``, ``class`` or ``y``; ``.npy`` with one array;
        ``.csv`` with a point a line, and perhaps a first line of names: of ``dim + 1`` columns, the one with a name as
        above, or else the last, holds labels. Images of any shape are flattened in C order.
    dim : int
        Numbers of each point.
    divide : float
        All numbers are divided by this: 255 for images stored as bytes whose network reads 0 to 1.

    Raises
    ------
    FileError
        If the file cannot be read, or holds something else.
    InputError
        If the points have another number of coordinates.

    Examples
    --------
    >>> read_data("weights.pt", 2)
    Traceback (most recent call last):
    ...
    polyrelu.errors.FileError: Data need a .npz, .npy or .csv file but received 'weights.pt'. Convert them.
    """
    file = Path(path)
    readers = {".npz": _from_npz, ".npy": _from_npy, ".csv": lambda each: _from_csv(each, dim)}
    if file.suffix.lower() not in readers:
        raise FileError(f"Data need a .npz, .npy or .csv file but received {str(path)!r}. Convert them.")
    if not (np.isfinite(divide) and divide):
        raise InputError(f"Data need a finite divisor other than 0 but received {divide}. 1 leaves them as they are.")
    try:
        points, labels = readers[file.suffix.lower()](file)
        points = _numbers(points)
        labels = None if labels is None else _labels(labels, len(points))
    except OSError as error:
        reason = f"could not be read ({error.strerror or error})"
        raise FileError(f"Data need a readable file but {str(path)!r} {reason}. Check the path.") from None
    except UNREADABLE as error:
        message = f"Data need points, and perhaps labels, but {str(path)!r} has none: {error}. Repair it."
        raise FileError(message) from None
    points = points[:, None] if points.ndim == dim == 1 else points
    if points.ndim < 2 or points[:1].size != dim * len(points[:1]):
        raise InputError(
            f"Data for this network need {dim} numbers for each point but {str(path)!r} has an array of shape "
            f"{points.shape}. Give one row, or one image, for each point."
        )
    if not len(points):
        raise InputError(f"Data need at least one point but {str(path)!r} has none. Check what wrote it.")
    with np.errstate(over="ignore"):
        divided = points.reshape(len(points), dim) / divide
    if not np.isfinite(divided).all():
        raise InputError(f"Data need a divisor that leaves them finite but received {divide}. Take a larger one.")
    return DataFile(divided, labels)


Found = tuple[NDArray, NDArray | None]


def _from_npy(file: Path) -> Found:
    points = np.load(file, allow_pickle=False)
    if not isinstance(points, np.ndarray):
        raise ValueError("it is an archive of arrays, whose name should end in .npz")
    return points, None


def _from_npz(file: Path) -> Found:
    with file.open("rb") as stream:
        if not zipfile.is_zipfile(stream):
            raise ValueError("it is no archive of arrays")
    with np.load(file, allow_pickle=False) as arrays:
        names = {name.lower(): name for name in arrays.files}
        label = next((names[name] for name in LABEL_NAMES if name in names), None)
        point = next((names[name] for name in POINT_NAMES if name in names), None)
        if point is None:
            others = [name for name in arrays.files if name != label]
            if len(others) != 1:
                raise ValueError(f"its arrays are {', '.join(arrays.files) or 'none'}, and none is called 'points'")
            point = others[0]
        return arrays[point], None if label is None else arrays[label]


def _from_csv(file: Path, dim: int) -> Found:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        lines = [line for line in csv.reader(stream) if any(cell.strip() for cell in line)]
    names = [cell.strip().lower() for cell in lines[0]] if lines and not _is_numeric(lines[0]) else None
    lines = lines if names is None else lines[1:]
    if len({len(line) for line in lines} | ({len(names)} if names else set())) > 1:
        raise ValueError("its lines have different lengths")
    if not lines:
        return np.zeros((0, dim)), None
    table = np.array([[float(cell) for cell in line] for line in lines])
    if table.shape[1] != dim + 1:  # two columns "x" and "y" for two inputs hold no labels
        return table, None
    column = next((names.index(name) for name in LABEL_NAMES if name in names), dim) if names else dim
    return np.delete(table, column, axis=1), table[:, column]


def _is_numeric(line: Sequence[str]) -> bool:
    try:
        return bool([float(cell) for cell in line])
    except ValueError:
        return False


def _numbers(points: NDArray) -> NDArray[np.float64]:
    if points.dtype.kind not in "biuf" or points.dtype.itemsize > 8:
        raise ValueError(f"its values are of type {points.dtype}")
    if points.dtype.kind in "iu" and not -(2**53) <= int(points.min(initial=0)) <= int(points.max(initial=0)) <= 2**53:
        raise ValueError("it has whole numbers beyond 2^53, which floats would round")
    values = points.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"point {int(np.argwhere(~np.isfinite(values))[0][0])} is not finite")
    return values


def _labels(labels: NDArray, n: int) -> NDArray[np.int64]:
    flat = labels.reshape(-1) if labels.size == n else labels
    is_whole = flat.shape == (n,) and flat.dtype.kind in "biuf" and bool(((flat >= 0) & (flat <= 2**53)).all())
    if not is_whole or (flat != np.floor(flat)).any():
        raise ValueError(f"its labels, of shape {labels.shape}, are not one whole number for each of {n} points")
    return flat.astype(np.int64)
