"""ReLU networks in NumPy archives: weights ``W0, W1, …`` and biases ``b0, b1, …``."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Collection
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import FileError, NetworkError
from polyrelu.network.model import Network

__all__ = ["from_npz"]


def from_npz(path: str | PathLike[str]) -> Network:
    """Return the ReLU network with the weights and biases of an archive.

    Layer ``i`` is ``W{i}``, shape (n_out, n_in), and ``b{i}``, shape (n_out,); a ReLU follows every layer but the
    last. float16 and float32 numbers widen to float64 exactly. Pickled arrays are refused, never loaded.

    Raises
    ------
    FileError
        If the file cannot be read, is damaged, holds pickled objects, or its keys are not ``W0, b0, W1, b1, …``.
    NetworkError
        If the arrays do not form a network.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/abs.npz", W0=[[1], [-1]], b0=[0, 0], W1=[[1, 1]], b1=[0])
    ...     from_npz(f"{folder}/abs.npz").exact([-3])
    (Fraction(3, 1),)
    """
    arrays = _read(path)
    n_layers = _count_layers(arrays.keys(), str(path))
    try:
        return Network.from_arrays([(arrays[f"W{i}"], arrays[f"b{i}"]) for i in range(n_layers)])
    except NetworkError as error:
        raise NetworkError(f"{str(path)!r}: {error}") from None


def _read(path: str | PathLike[str]) -> dict[str, NDArray]:
    name = str(path)
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise ValueError("it holds one array, not an archive of arrays")
        with loaded as archive:
            return {key: archive[key] for key in archive.files}
    except FileNotFoundError:
        raise FileError(f"`from_npz` needs a file but found none at {name!r}. Check the path.") from None
    except (
        OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, SyntaxError, MemoryError, OverflowError,
        RuntimeError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise FileError(
            f"`from_npz` needs an archive of number arrays but could not read {name!r} ({error}). Write it with "
            "numpy.savez, arrays of floats only."
        ) from None


def _count_layers(keys: Collection[str], path: str) -> int:
    """Return how many layers the keys name; refuse holes and keys of other kinds."""
    strangers = sorted(key for key in keys if not re.fullmatch(r"[Wb](0|[1-9][0-9]*)", key))
    if strangers or not keys:
        found = f"the key {strangers[0]!r}" if strangers else "no keys"
        raise FileError(
            f"`from_npz` needs the keys W0, b0, W1, b1, … but {path!r} has {found}. Rename or remove it."
        )
    n_layers = 1 + max(int(key[1:]) for key in keys)
    missing = next((f"{letter}{i}" for i in range(n_layers) for letter in "Wb" if f"{letter}{i}" not in keys), None)
    if missing is not None:
        raise FileError(
            f"`from_npz` needs the keys W0, b0, … to W{n_layers - 1}, b{n_layers - 1} but {path!r} has no {missing}. "
            "Number the layers without holes and give each a bias."
        )
    return n_layers
