"""Data points in pictures: read from a file, drawn with their classes."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import FileError, InputError
from polyrelu.plot.canvas import add_legend
from polyrelu.plot.colours import INK, class_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Points", "plot_points", "read_points"]

MARKERS = "osD^vP*X<>"
MAX_CLASS = 999


class Points(NamedTuple):
    """Data points.

    positions : float64 array, shape (n, dim)
    classes : int64 array, shape (n,), or None
    names : tuple of str
        Of the classes.
    """

    positions: NDArray[np.float64]
    classes: NDArray[np.int64] | None
    names: tuple[str, ...]


def read_points(path: str | Path) -> Points:
    """Return the points in a file.

    Parameters
    ----------
    path : path
        ``.npz`` with ``X``, shape (n, dim), and, if wanted, whole numbers ``y``, shape (n,); or ``.csv`` with a point
        a line, coordinates first, then perhaps a class that is no decimal number or follows two coordinates. A first
        line without numbers is a heading.

    Raises
    ------
    FileError
        If the file cannot be read or holds something else.
    """
    file = Path(path)
    if file.suffix.lower() not in (".npz", ".csv"):
        raise FileError(f"Points need a .npz or .csv file but received {str(path)!r}. Convert them.")
    try:
        points = _from_npz(file) if file.suffix.lower() == ".npz" else _from_csv(file)
    except OSError as error:
        reason = f"could not read {str(path)!r} ({error.strerror or error})"
        raise FileError(f"Points need a readable file but polyrelu {reason}. Check the path.") from None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, csv.Error) as error:
        reason = f"could not be taken from {str(path)!r} ({error})"
        raise FileError(f"Points need X, perhaps y, or lines x,y,class, but {reason}. Repair the file.") from None
    if points.classes is not None and points.classes.max(initial=0) > MAX_CLASS:
        raise FileError(f"Points need classes up to {MAX_CLASS} but {str(path)!r} has larger ones. Renumber them.")
    if points.positions.ndim != 2 or not np.isfinite(points.positions).all():
        raise FileError(f"Points need finite coordinates, shape (n, dim), but {str(path)!r} has others. Repair it.")
    return points


def plot_points(points: Points, ax: Axes) -> Axes:
    """Draw points of the plane, or of the line on the lower edge of the picture, with a marker for each class."""
    positions, dim = points.positions, points.positions.shape[1]
    if dim not in (1, 2):
        raise InputError(f"plot_points needs points of 1 or 2 coordinates but received {dim}. Choose the columns.")
    classes = np.zeros(len(positions), np.int64) if points.classes is None else points.classes
    colours = class_colours(max(int(classes.max(initial=0)) + 1, len(points.names)))
    for label in np.unique(classes).tolist():
        own = positions[classes == label]
        heights = own[:, 1] if dim == 2 else np.full(len(own), 0.02)
        place = ax.transData if dim == 2 else ax.get_xaxis_transform()
        name = points.names[label] if label < len(points.names) else "points"
        marker, colour = MARKERS[label % len(MARKERS)], 0.75 * colours[label] if points.names else INK
        ax.scatter(
            own[:, 0], heights, s=18, marker=marker, color=colour, edgecolors="white", linewidths=0.6, zorder=6,
            label=name, transform=place,
        )  # fmt: skip
    add_legend(ax)
    return ax


def _from_npz(file: Path) -> Points:
    loaded = np.load(file, allow_pickle=False)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        raise ValueError("it holds one array, not an archive")
    with loaded as arrays:
        positions = np.array(arrays["X"], dtype=np.float64)
        if "y" not in arrays.files:
            return Points(positions, None, ())
        labels = np.asarray(arrays["y"])
    if labels.dtype.kind not in "iu" or labels.shape != (len(positions),) or (labels < 0).any() or not len(labels):
        raise ValueError("y is not one whole number for each point")
    return Points(positions, labels.astype(np.int64), tuple(f"points of class {i}" for i in range(labels.max() + 1)))


def _from_csv(file: Path) -> Points:
    with file.open(newline="", encoding="utf-8") as stream:
        lines = [line for line in csv.reader(stream) if line]
    if lines and not any(_is_number(value) for value in lines[0]):
        lines = lines[1:]
    if not lines or len({len(line) for line in lines}) != 1:
        raise ValueError("its lines have different lengths, or there are none")
    has_class = len(lines[0]) > 2 or not all(_is_number(line[-1]) for line in lines)
    positions = [[float(value) for value in (line[:-1] if has_class else line)] for line in lines]
    if not has_class:
        return Points(np.array(positions), None, ())
    return Points(np.array(positions), *_numbered([line[-1].strip() for line in lines]))


def _numbered(labels: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return classes and names; whole numbers stay the numbers of the network's outputs."""
    if all(label.isdecimal() for label in labels):
        classes = np.array([int(label) for label in labels])
        return classes, tuple(f"points of class {i}" for i in range(classes.max() + 1))
    names = sorted(set(labels))
    return np.array([names.index(label) for label in labels]), tuple(names)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
