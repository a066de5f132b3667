"""Networks as plain JSON: every number as text, exactly, for programs that import nothing of polyrelu."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from polyrelu.errors import FileError
from polyrelu.network.model import Layer, Network
from polyrelu.network.weights import nonzero_entries

__all__ = ["write_plain_network"]


def write_plain_network(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network as a plain file, which `polyrelu.certificate.plain_checker` reads (docs/certificate_format.md).

    The file appears whole or not at all; an existing one is replaced.

    Raises
    ------
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from polyrelu.network.activation import ABS
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_plain_network(Network.from_arrays([([[1, 0]], [0.1]), ([[1]], [0])], ABS), f"{folder}/abs.json")
    ...     layer = json.loads(Path(folder, "abs.json").read_text())["layers"][0]
    >>> layer["weights"], layer["bias"], layer["functions"]
    ([{'0': '0x1.0000000000000p+0'}], ['0x1.999999999999ap-4'], [[['0'], ['-1', '1'], ['0', '0']]])
    """
    matrix = network.input_map
    stored = {
        "input_map": None if matrix is None else [[str(value) for value in row] for row in matrix.to_fractions()],
        "layers": [_stored(layer) for layer in network.layers],
    }
    target = Path(path)
    temporary = target.with_name(f".polyrelu-{os.urandom(8).hex()}.json")
    try:
        temporary.write_text(json.dumps(stored), encoding="utf-8")
        temporary.replace(target)
    except OSError as error:
        raise FileError(
            f"`write_plain_network` needs a file that it can write but received {str(path)!r} ({error.strerror}). "
            "Choose another path."
        ) from None
    finally:
        if temporary.exists():
            temporary.unlink()


def _stored(layer: Layer) -> dict[str, Any]:
    weights: list[dict[int, str]] = [{} for _ in layer.bias]
    for row, column, value in zip(*(entries.tolist() for entries in nonzero_entries(layer.weight)), strict=True):
        weights[row][column] = value.hex()
    activation = layer.activation
    return {
        "inputs": layer.n_inputs,
        "weights": weights,
        "bias": [value.hex() for value in layer.bias.tolist()],
        "functions": [
            [[str(value) for value in part] for part in (f.breakpoints, f.slopes, f.intercepts)]
            for f in activation.functions
        ],
        "kinds": activation.kind.tolist(),
        "starts": activation.indptr.tolist(),
    }
