"""`polyrelu maps`: the affine map that a network is near each point of a data set."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyrelu.cli.data_arguments import add_data, network_and_data, point_bar
from polyrelu.cli.output import DONE, about, say
from polyrelu.errors import FileError, InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from polyrelu.analysis.data.local_maps import LocalMaps
    from polyrelu.network.model import Network

__all__ = ["add_arguments", "run"]

SHOWN, SHOWN_ALL = 10, 5
"""So many points are drawn, and so many with the gradients of all outputs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    output_help = "of which outputs: that of each point's label (default), all, or the one with this number, from 0 on"
    parser.add_argument("--output", type=which, default="predicted", metavar="predicted|all|J", help=output_help)
    out_help = "write weights, offsets and outputs as arrays to this .npz file; it may be larger than the memory"
    parser.add_argument("--out", metavar="FILE", help=out_help)
    images_help = f"draw the first points and their gradients as images: .png, .svg or .pdf ({SHOWN} points at most)"
    parser.add_argument("--images", metavar="FILE", help=images_help)
    shape_help = "with --images: HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH of a point (default: a square)"
    parser.add_argument("--shape", type=shape, metavar="HxW", help=shape_help)
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.analysis.data.map_summary import summarise_maps
    from polyrelu.tessellation.targets import check_targets

    _check_names(arguments)
    wanted = {"--out": arguments.out, "--images": arguments.images}
    file, picture = check_targets(wanted, arguments.force, arguments.model)
    network, data = network_and_data(arguments)
    sizes = None if picture is None else _shape_of(arguments.shape, network.dim)
    output = None if arguments.output == "all" else arguments.output
    if isinstance(output, int) and output >= network.n_out:
        raise InputError(
            f"--output needs a number below {network.n_out}, that of the outputs, but received {output}. Count from 0."
        )
    n_maps = (len(data.points), network.n_out) if output is None else (len(data.points),)
    with _writer(file, n_maps, network.dim) as write, point_bar("local maps") as progress:
        summary = summarise_maps(
            network, data.points, output, device=arguments.device, each=write, progress=progress
        )
    if picture is not None and sizes is not None:
        _draw(network, data.points, output, sizes, picture)
    if arguments.json:
        facts = {**summary.to_json(), "network": network.hash, "output": arguments.output}
        say(json.dumps(facts, indent=2))
    else:
        say(f"{'network':<12}{about(network)}\n{summary.to_text()}")
    return DONE


def which(text: str) -> str | int:
    if text in ("predicted", "all"):
        return text
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"needs predicted, all, or the number of an output but received {text!r}")


def shape(text: str) -> tuple[int, ...]:
    parts = text.lower().split("x")
    if len(parts) not in (2, 3) or not all(part.isdecimal() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"needs HEIGHTxWIDTH such as 28x28 but received {text!r}")
    return tuple(map(int, parts))


def _check_names(arguments: argparse.Namespace) -> None:
    """Refuse names of files before any work."""
    if arguments.out is not None and Path(arguments.out).suffix.lower() != ".npz":
        raise FileError(f"--out needs a name in .npz but received {arguments.out!r}. Rename it.")
    if arguments.images is not None:
        from polyrelu.plot.figure import check_format

        check_format(arguments.images)
    elif arguments.shape is not None:
        raise InputError("--shape needs --images but received none. Name the picture.")
    for name in ("out", "images"):
        path = getattr(arguments, name)
        if path is not None and Path(path).resolve() == Path(arguments.data).resolve():
            raise FileError(f"--{name} needs a file of its own but {path!r} holds the data. Choose another path.")


def _shape_of(given: tuple[int, ...] | None, dim: int) -> tuple[int, ...]:
    """Return the shape of a point as an image."""
    side = math.isqrt(dim)
    if given is None and side * side == dim:
        return side, side
    if given is None or math.prod(given) != dim:
        received = "none" if given is None else "x".join(map(str, given))
        raise InputError(f"--shape needs the sizes of an image of {dim} numbers but received {received}. Name them.")
    return given


@contextmanager
def _writer(file: Path | None, shape: tuple[int, ...], dim: int) -> Iterator[Callable[[LocalMaps], None] | None]:
    """Yield a function that writes maps to a file, if there is one, which takes its place in the end."""
    if file is None:
        yield None
        return
    from polyrelu.analysis.data.map_file import maps_file
    from polyrelu.tessellation.targets import replacing

    with replacing(file) as temporary, maps_file(temporary, shape, dim) as write:
        yield write


def _draw(network: Network, points: NDArray[np.float64], output: Any, sizes: tuple[int, ...], path: Path) -> None:
    from polyrelu.analysis.data.local_maps import local_maps
    from polyrelu.plot.figure import save
    from polyrelu.plot.local_maps import draw_gradients
    from polyrelu.tessellation.targets import replacing

    first = points[: SHOWN_ALL if output is None else SHOWN]
    with replacing(path) as temporary:
        save(draw_gradients(first, local_maps(network, first, output), sizes), temporary)
