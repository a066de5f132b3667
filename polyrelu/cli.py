"""The command `polyrelu`: tessellate a network, draw it, or watch a small demonstration.

This file reads arguments, writes files and prints; the work is done below. It imports nothing heavy before a command
needs it, so that ``polyrelu --help`` is quick.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from polyrelu.errors import BudgetError, EnumerationInterrupted, FileError, InputError, InternalError, PolyreluError

if TYPE_CHECKING:
    from polyrelu.exact.domain import Domain
    from polyrelu.network.model import Network
    from polyrelu.tessellation.model import Tessellation

__all__ = ["main"]

DONE, BUG, BAD_INPUT, BUDGET, INTERRUPTED = 0, 1, 2, 3, 130

EXIT_CODES = """\
exit codes: 0 done, 2 bad input or a file that cannot be read or written, 3 a budget was reached (what was proved is
printed and saved), 130 after Ctrl-C, 1 a self-check failed (a bug)"""

MODEL_HELP = "network, .npz (W0, b0, W1, b1, ...) or .onnx"
DOMAIN_HELP = "all (default), unit, LO:HI for every input, LO:HI,LO:HI,... or a JSON file; bounds are taken exactly"
SLICE_HELP = 'JSON file {"points": [p, q, r]} or {"point": p, "directions": [u, v]}: tessellate this slice'


class Command(NamedTuple):
    """One subcommand: its name, a line of help, how to add its arguments, and what it does."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; default: those of the process.
    """
    try:
        arguments = _parser().parse_args(_joined(sys.argv[1:] if argv is None else argv))
        code = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)
    except EnumerationInterrupted as interrupt:
        found = interrupt.partial.n_regions if interrupt.partial is not None else 0
        return _fail(f"interrupted after {found:,} proved regions.", INTERRUPTED)
    except KeyboardInterrupt:
        return _fail("interrupted.", INTERRUPTED)
    except InternalError as error:
        return _fail(str(error), BUG)
    except PolyreluError as error:
        return _fail(str(error), BUDGET if isinstance(error, BudgetError) else BAD_INPUT)
    except BrokenPipeError:
        _drop_output()
        return DONE
    except OSError as error:
        _drop_output()
        return _fail(f"writing the output failed: {error.strerror or error}. Make room or write elsewhere.", BAD_INPUT)
    except MemoryError:
        return _fail("the tessellation needs more memory than there is. Cut the domain or set --max-regions.", BAD_INPUT)


# --- commands -------------------------------------------------------------------------------------------------


def _tessellate_arguments(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("--method", choices=("plane", "brute"), help="enumeration; default: the one that fits")
    parser.add_argument("--max-regions", type=int, metavar="N", help="stop after N regions")
    parser.add_argument("--max-seconds", type=float, metavar="S", help="stop after S seconds")
    parser.add_argument("--out", metavar="FILE.parquet", help="write the tessellation, readable by Tessellation.load")
    parser.add_argument(
        "--patterns", metavar="FILE", help="write the pattern of each region, a digit a neuron (a bit for ReLU), sorted"
    )
    parser.add_argument("--adjacency", metavar="FILE", help="write 'patternA patternB', A < B, for each common facet")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--full", action="store_true", help="work out the costly numbers above 50,000 regions too")


def _tessellate(arguments: argparse.Namespace) -> int:
    paths = [arguments.out, arguments.patterns, arguments.adjacency]
    targets = _checked_targets(paths, arguments.force, arguments.model)
    network, domain = _network_and_domain(arguments)
    try:
        tessellation = _tessellation(network, domain, arguments)
    except (BudgetError, EnumerationInterrupted) as early:
        if early.partial is not None:
            _write(early.partial, *targets)
            if isinstance(early, BudgetError):
                _show_summary(early.partial, arguments)
        raise
    _write(tessellation, *targets)
    _show_summary(tessellation, arguments)
    return DONE


def _plot_arguments(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("--by", choices=("region", "output", "class"), default="region", help="what the colours show")
    parser.add_argument("--output", type=int, default=0, metavar="K", help="which output --by output shows (default 0)")
    parser.add_argument("--hyperplanes", action="store_true", help="draw bent hyperplanes, coloured by layer")
    parser.add_argument("--points", metavar="FILE", help="draw data: .npz (X, optionally y) or .csv (x, y[, class])")
    parser.add_argument("--out", metavar="FILE", required=True, help="picture: .png, .svg or .pdf")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def _plot(arguments: argparse.Namespace) -> int:
    from polyrelu.plot.figure import FORMATS, check_drawable, draw, read_points, save

    if Path(arguments.out).suffix.lower() not in FORMATS:
        raise FileError(f"plot needs --out to end in {', '.join(FORMATS)} but received {arguments.out!r}. Rename it.")
    (target,) = _checked_targets([arguments.out], arguments.force, arguments.model)
    network, domain = _network_and_domain(arguments)
    check_drawable(network, arguments.by, arguments.output)
    points = read_points(arguments.points) if arguments.points else None
    tessellation = _tessellation(network, domain, arguments)
    figure = draw(tessellation, arguments.by, arguments.output, arguments.hyperplanes, points)
    with _replacing(target) as path:
        save(figure, path)
    print(f"{tessellation.n_regions:,} regions drawn in {arguments.out!r}")
    return DONE


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out-dir", metavar="DIR", default="polyrelu-demo", help="where to write (./polyrelu-demo)")


def _demo(arguments: argparse.Namespace) -> int:
    from polyrelu.network.load import load
    from polyrelu.plot.demo import DOMAIN, draw_iris
    from polyrelu.plot.figure import read_points, save

    folder = Path(arguments.out_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"demo needs a folder it can make but received {str(folder)!r} ({error.strerror}). Choose another --out-dir."
        ) from None
    names = [folder / "iris_petals.parquet", folder / "iris_petals.png"]
    table, picture = _checked_targets([str(name) for name in names], True, None)
    data = Path(__file__).parent / "data"
    network = load(data / "iris_petals.npz")
    print("A classifier of iris flowers, trained on the length and width of 150 petals (cm).\n")
    tessellation = _tessellation(network, DOMAIN, arguments)
    _write(tessellation, table, None, None)
    with _replacing(picture) as path:
        save(draw_iris(tessellation, read_points(data / "iris_petals_points.npz")), path)
    _show_summary(tessellation, arguments)
    print(f"\npicture       {names[1]}\ntessellation  {names[0]}")
    return DONE


COMMANDS = (
    Command("tessellate", "all regions of a network in a domain", _tessellate_arguments, _tessellate),
    Command("plot", "draw a network with one or two inputs, or a slice", _plot_arguments, _plot),
    Command("demo", "tessellate and draw a small trained network", _demo_arguments, _demo),
)


# --- arguments ------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line like all others."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}. See: {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    from polyrelu import __version__

    about = "Exact polyhedral geometry of ReLU networks."
    parser = _Parser(prog="polyrelu", description=about, epilog=EXIT_CODES, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"polyrelu {__version__}")
    choices = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    for command in COMMANDS:
        sub = choices.add_parser(
            command.name, help=command.help, description=command.help, epilog=EXIT_CODES, allow_abbrev=False
        )
        sub.set_defaults(run=command.run)
        command.add_arguments(sub)
    return parser


def _joined(argv: Sequence[str]) -> list[str]:
    """Return the arguments with "--domain -1:1" as "--domain=-1:1", which argparse does not take for an option."""
    joined: list[str] = []
    for argument in argv:
        if joined and joined[-1] == "--domain":
            joined[-1] = f"--domain={argument}"
        else:
            joined.append(argument)
    return joined


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--domain", default="all", metavar="DOMAIN", help=DOMAIN_HELP)
    parser.add_argument("--slice", metavar="FILE", help=SLICE_HELP)


def _network_and_domain(arguments: argparse.Namespace) -> tuple[Network, Domain]:
    from polyrelu.exact.domain import Domain
    from polyrelu.network.load import load

    network = load(arguments.model)
    if arguments.slice is not None:
        from polyrelu.network.slices import Slice

        network = network.restrict(Slice.read(arguments.slice))
    return network, Domain.parse(arguments.domain, network.dim)


# --- work and output ------------------------------------------------------------------------------------------


def _tessellation(network: Network, domain: Domain, arguments: argparse.Namespace) -> Tessellation:
    """Tessellate; say on stderr that the loops are being compiled, and on a terminal how far it is."""
    from polyrelu.tessellation.build import tessellate

    names = {"max_regions": "max_regions", "max_seconds": "max_seconds"}
    options: dict[str, Any] = {name: getattr(arguments, name, None) for name in names}
    method = getattr(arguments, "method", None)
    if method == "brute":
        from polyrelu.enumeration.brute import enumerate_brute as options["method"]
    return tessellate(network, domain, **options)
