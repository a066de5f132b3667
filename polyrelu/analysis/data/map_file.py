"""Files of local affine maps that are written block by block, so that they may be larger than the memory."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.local_maps import LocalMaps
from polyrelu.errors import InputError

__all__ = ["maps_file"]


@contextmanager
def maps_file(path: str | Path, shape: Sequence[int], dim: int) -> Iterator[Callable[[LocalMaps], None]]:
    """Yield a function that writes the next local maps to an .npz file.

    The file holds ``weights``, shape (\\*shape, dim), ``offsets`` and ``outputs``, shape ``shape``, for `numpy.load`.

    Parameters
    ----------
    path : path
    shape : (n,) or (n, k)
        Of the outputs of all maps together.
    dim : int
        Number of inputs.

    Raises
    ------
    InputError
        At the end, if the maps that came were not as many as announced, or of other shapes.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> with maps_file(file, (2,), 1) as write:
    ...     for output in (0, 1):
    ...         write(LocalMaps(np.array([output]), np.array([[3.0, output]])))
    >>> _ = file.seek(0)
    >>> {name: array.tolist() for name, array in np.load(file).items()}
    {'weights': [[3.0], [3.0]], 'offsets': [0.0, 1.0], 'outputs': [0, 1]}
    """
    offsets: list[NDArray[np.float64]] = []
    outputs: list[NDArray[np.int64]] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        with archive.open("weights.npy", "w", force_zip64=True) as stream:
            header = {"descr": "<f8", "fortran_order": False, "shape": (*shape, dim)}
            np.lib.format.write_array_header_1_0(stream, header)

            def write(maps: LocalMaps) -> None:
                if maps.dual_points.shape[1:] != (*shape[1:], dim + 1):
                    raise InputError(
                        f"maps_file needs maps of shape {(*shape[1:], dim + 1)} but received "
                        f"{maps.dual_points.shape[1:]}. Announce what comes."
                    )
                stream.write(np.ascontiguousarray(maps.weights, "<f8").tobytes())
                offsets.append(maps.offsets.copy())
                outputs.append(maps.outputs)

            yield write
        n = sum(map(len, outputs))
        if n != shape[0]:
            raise InputError(f"maps_file needs the maps of {shape[0]} points but received {n}. Announce what comes.")
        for name, parts, kind in (("offsets", offsets, "<f8"), ("outputs", outputs, "<i8")):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                whole = np.concatenate(parts) if parts else np.zeros(shape)
                np.lib.format.write_array(stream, whole.astype(kind), allow_pickle=False)
