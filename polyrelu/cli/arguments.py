"""What the commands read: a parser that complains in one line, the model, its domain, numbers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from polyrelu.errors import InputError

if TYPE_CHECKING:
    from polyrelu.exact.domain import Domain
    from polyrelu.network.model import Network

__all__ = ["Parser", "add_model", "count", "joined", "network_and_domain", "seconds"]

SIGNED = ("--domain", "--at")
"""Options whose values may start with a minus sign."""


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="network: .npz (W0, b0, W1, b1, ...) or .onnx")
    domain_help = "all (default), unit, LO:HI for every input, LO:HI,LO:HI,... or a JSON file; bounds are taken exactly"
    parser.add_argument("--domain", default="all", metavar="DOMAIN", help=domain_help)
    slice_help = 'only this slice of the inputs: JSON {"points": [p, q, r]} or {"point": p, "directions": [u, v]}'
    parser.add_argument("--slice", metavar="FILE", help=slice_help)


def count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"needs a positive whole number but received {text!r}")
    return int(text)


def seconds(text: str) -> float:
    with suppress(ValueError):
        if (number := float(text)) > 0:
            return number
    raise argparse.ArgumentTypeError(f"needs a positive number but received {text!r}")


def network_and_domain(arguments: argparse.Namespace) -> tuple[Network, Domain]:
    from polyrelu.exact.domain import Domain
    from polyrelu.network.load import load
    from polyrelu.network.slice_file import read_slice

    network = load(arguments.model)
    if arguments.slice is not None:
        network = network.restrict(read_slice(arguments.slice))
    return network, Domain.parse(arguments.domain, network.dim)


class Parser(argparse.ArgumentParser):
    """A parser that complains in one line, as everything else does, and takes no abbreviated options."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}. See: {self.prog} --help")


def joined(argv: Sequence[str]) -> list[str]:
    """Return the arguments with "--domain -1:1" as "--domain=-1:1": argparse would take "-1:1" for an option."""
    result: list[str] = []
    for argument in argv:
        if result and result[-1] in SIGNED:
            result[-1] = f"{result[-1]}={argument}"
        else:
            result.append(argument)
    return result
