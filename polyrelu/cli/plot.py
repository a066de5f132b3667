"""`polyrelu plot`: draw a network with one or two inputs, or a slice of one."""

from __future__ import annotations

import argparse

from polyrelu.cli.arguments import add_model, network_and_domain
from polyrelu.cli.output import DONE, say
from polyrelu.cli.work import inner_dim, tessellated
from polyrelu.errors import InputError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--by", choices=("region", "output", "class"), default="region", help="what colours show")
    parser.add_argument("--output", type=int, default=0, metavar="K", help="the output for --by output (default: 0)")
    parser.add_argument("--hyperplanes", action="store_true", help="draw bent hyperplanes, coloured by layer")
    parser.add_argument("--points", metavar="FILE", help="draw data: .npz (X and, if wanted, y) or .csv (x, y, class)")
    parser.add_argument("--out", metavar="FILE", required=True, help="picture: .png, .svg or .pdf")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.plot.figure import check_format, draw, save
    from polyrelu.plot.points import read_points
    from polyrelu.tessellation.targets import check_target, replacing

    check_format(arguments.out)
    target = check_target("--out", arguments.out, arguments.force, arguments.model)
    network, domain = network_and_domain(arguments)
    dim = inner_dim(domain)
    if dim not in (1, 2):
        raise InputError(f"plot needs a domain of dimension 1 or 2 but received one of {dim}. Choose a --slice.")
    if not 0 <= arguments.output < network.n_out:
        raise InputError(f"--output needs to be below {network.n_out} but received {arguments.output}. Count from 0.")
    points = None if arguments.points is None else read_points(arguments.points)
    tessellation = tessellated(network, domain, arguments)
    figure = draw(tessellation, arguments.by, arguments.output, arguments.hyperplanes, points)
    with replacing(target) as path:
        save(figure, path)
    say(f"{tessellation.n_regions:,} regions drawn in {arguments.out!r}")
    return DONE
