"""Networks from files, by suffix."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from polyrelu.errors import FileError
from polyrelu.network.model import Network

__all__ = ["load"]

PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")


def load(path: str | PathLike[str]) -> Network:
    """Return the network in a file: ``.npz`` (`from_npz`) or ``.onnx`` (`from_onnx`).

    Files are data: nothing is unpickled or executed.

    Raises
    ------
    FileError
        If the file is missing, damaged, or of another kind.
    NetworkError, UnsupportedNodeError
        If its contents do not form a piecewise-linear network.

    Examples
    --------
    >>> load("model.pt")
    Traceback (most recent call last):
    ...
    polyrelu.errors.FileError: `load` needs a .npz or .onnx file but received 'model.pt', which is unpickled to be \
read, and unpickling executes code. Load it yourself if you trust it, then pass the module to \
`polyrelu.from_torch`, or export it to ONNX.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix in PICKLED:
        raise FileError(
            f"`load` needs a .npz or .onnx file but received {str(path)!r}, which is unpickled to be read, and "
            "unpickling executes code. Load it yourself if you trust it, then pass the module to "
            "`polyrelu.from_torch`, or export it to ONNX."
        )
    if suffix not in (".npz", ".onnx"):
        raise FileError(
            f"`load` needs a .npz or .onnx file but received {str(path)!r}. Convert the model to one of them."
        )
    if not file.is_file():
        raise FileError(f"`load` needs a file but found none at {str(path)!r}. Check the path.")
    if suffix == ".npz":
        from polyrelu.network.npz import from_npz

        return from_npz(file)
    from polyrelu.network.onnx_reader import from_onnx

    return from_onnx(file)
