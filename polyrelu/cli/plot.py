"""`polyrelu plot`: draw a network with one, two or three inputs, or a slice of one."""

from __future__ import annotations

import argparse

from polyrelu.cli.arguments import add_model, network_and_domain
from polyrelu.cli.output import DONE, say
from polyrelu.cli.work import inner_dim, tessellated
from polyrelu.errors import InputError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    by_help = "what colours show; surface (three inputs): where the decision changes"
    parser.add_argument("--by", choices=("region", "output", "class", "surface"), default="region", help=by_help)
    parser.add_argument("--output", type=int, default=0, metavar="K", help="the output for --by output (default: 0)")
    parser.add_argument("--hyperplanes", action="store_true", help="draw bent hyperplanes, coloured by layer")
    points_help = "draw data: .npz (X and, if wanted, y) or .csv (x, y, class); in space with --by surface"
    parser.add_argument("--points", metavar="FILE", help=points_help)
    parser.add_argument("--out", metavar="FILE", required=True, help="picture: .png, .svg or .pdf")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.plot.figure import check_format, draw, save
    from polyrelu.plot.points import read_points
    from polyrelu.plot.space import draw_space
    from polyrelu.tessellation.targets import check_target, replacing

    check_format(arguments.out)
    target = check_target("--out", arguments.out, arguments.force, arguments.model)
    network, domain = network_and_domain(arguments)
    dim = inner_dim(domain)
    if dim not in (1, 2, 3):
        raise InputError(f"plot needs a domain of dimension 1, 2 or 3 but received one of {dim}. Choose a --slice.")
    if arguments.by == "surface" and dim != 3:
        raise InputError(f"--by surface needs a domain of dimension 3 but received one of {dim}. Choose --by class.")
    if not 0 <= arguments.output < network.n_out:
        raise InputError(f"--output needs to be below {network.n_out} but received {arguments.output}. Count from 0.")
    points = None if arguments.points is None else read_points(arguments.points)
    tessellation = tessellated(network, domain, arguments)
    drawn = draw_space if dim == 3 else draw
    figure = drawn(tessellation, arguments.by, arguments.output, arguments.hyperplanes, points)
    with replacing(target) as path:
        save(figure, path)
    say(f"{tessellation.n_regions:,} regions drawn in {arguments.out!r}")
    return DONE
