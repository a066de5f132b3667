"""What the commands about data sets read: a network, a data set, and where to evaluate."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polyrelu.network.data_file import DataFile
    from polyrelu.network.model import Network

__all__ = ["add_data", "divisor", "network_and_data", "point_bar"]


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add MODEL, DATA, --divide, --device and --json."""
    parser.add_argument("model", metavar="MODEL", help="network: .npz (W0, b0, W1, b1, ...) or .onnx")
    data_help = "points, and perhaps labels: .npz (points or images, labels), .npy, or .csv with a point a line"
    parser.add_argument("data", metavar="DATA", help=data_help)
    divide_help = "divide all numbers of the data by N: 255 for images of bytes (default: 1)"
    parser.add_argument("--divide", type=divisor, default=1.0, metavar="N", help=divide_help)
    device_help = "evaluate with PyTorch on this device: cpu or cuda (default: NumPy)"
    parser.add_argument("--device", metavar="NAME", help=device_help)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def divisor(text: str) -> float:
    """Return a positive number, which may be written as a fraction."""
    try:
        value = float(Fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError):
        value = 0.0
    if not value > 0:
        raise argparse.ArgumentTypeError(f"needs a positive number but received {text!r}")
    return value


def network_and_data(arguments: argparse.Namespace) -> tuple[Network, DataFile]:
    """Return the network of MODEL and the points of DATA."""
    from polyrelu.network.data_file import read_data
    from polyrelu.network.load import load

    network = load(arguments.model)
    return network, read_data(arguments.data, network.dim, arguments.divide)


@contextmanager
def point_bar(what: str, unit: str = " points") -> Iterator[Callable[[int, int], None]]:
    """Yield ``progress(done, total)``, which draws a bar on a terminal once the work takes seconds."""
    from tqdm import tqdm

    with tqdm(desc=what, unit=unit, file=sys.stderr, disable=None, delay=2, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress
