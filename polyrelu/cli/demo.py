"""`polyrelu demo`: tessellate and draw a small trained network."""

from __future__ import annotations

import argparse
from pathlib import Path

from polyrelu.cli.output import DONE, say, show
from polyrelu.cli.work import tessellated

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out-dir", metavar="DIR", default="polyrelu-demo", help="where to write (./polyrelu-demo)")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.network.load import load
    from polyrelu.plot.demo import demo_domain, draw_demo
    from polyrelu.plot.figure import save
    from polyrelu.plot.points import read_points
    from polyrelu.tessellation.summary import write_files
    from polyrelu.tessellation.targets import check_target, make_folder, replacing

    folder = make_folder("demo", arguments.out_dir)
    table = check_target("demo", folder / "iris_petals.parquet", force=True)
    picture = check_target("demo", folder / "iris_petals.png", force=True)
    data = Path(__file__).parent.parent / "data"
    say("A network that tells three species of iris by the length and width of their petals (cm).\n")
    tessellation = tessellated(load(data / "iris_petals.npz"), demo_domain(), arguments)
    with replacing(picture) as path:
        save(draw_demo(tessellation, read_points(data / "iris_petals_points.npz")), path)
    write_files(tessellation, table)
    show(tessellation)
    say(f"\npicture       {str(folder / 'iris_petals.png')!r}\ntessellation  {str(folder / 'iris_petals.parquet')!r}")
    return DONE
