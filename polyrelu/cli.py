"""The command `polyrelu`: tessellate a network, draw it, or watch a small demonstration.

It imports nothing heavy before a command needs it, so that ``polyrelu --help`` is quick. A further command is a
further row of `COMMANDS`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from polyrelu.errors import BudgetError, EnumerationInterrupted, InputError, InternalError, PolyreluError

if TYPE_CHECKING:
    from polyrelu.exact.domain import Domain
    from polyrelu.network.model import Network
    from polyrelu.tessellation.build import Method
    from polyrelu.tessellation.model import Tessellation

__all__ = ["COMMANDS", "Command", "main"]

DONE, BUG, BAD_INPUT, BUDGET, INTERRUPTED = 0, 1, 2, 3, 130

EXIT_CODES = """Exit codes: 0 done; 2 bad input, or a file that cannot be read or written; 3 a budget was reached, and
what was proved until then is printed and saved; 130 after Ctrl-C; 1 a self-check failed, which is a bug."""


class Command(NamedTuple):
    """One subcommand: its name, a line of help, how to add its arguments, and what it does."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, with the arguments of the process if none are given, and return its exit code.

    Examples
    --------
    >>> main(["demo", "--out-dir", "/dev/null/demo"])
    2
    """
    try:
        arguments = _parser().parse_args(_joined(sys.argv[1:] if argv is None else argv))
        with _held_interrupts():
            import_module("polyrelu.tessellation")
        code = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except SystemExit as end:  # --help and --version
        return int(end.code or DONE)
    except KeyboardInterrupt:
        return _fail("interrupted.", INTERRUPTED)
    except InternalError as error:
        return _fail(error, BUG)
    except PolyreluError as error:
        return _fail(error, BUDGET if isinstance(error, BudgetError) else BAD_INPUT)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _drop_output()
        return DONE
    except OSError as error:
        _drop_output()
        return _fail(f"reading or writing failed ({error.strerror or error}). Make room or use other paths.", BAD_INPUT)
    except MemoryError:
        return _fail("the memory does not suffice. Cut the domain or set --max-regions.", BAD_INPUT)


# --- commands -------------------------------------------------------------------------------------------------


def _tessellate_arguments(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("--method", choices=("plane", "brute"), help="enumeration (default: the one that fits)")
    parser.add_argument("--max-regions", type=_count, metavar="N", help="stop soon after N regions")
    parser.add_argument("--max-seconds", type=_seconds, metavar="S", help="stop soon after S seconds")
    parser.add_argument("--out", metavar="FILE.parquet", help="write the tessellation, for Tessellation.load")
    parser.add_argument("--patterns", metavar="FILE", help="write sorted patterns, a digit a neuron: for ReLU its bit")
    parser.add_argument("--adjacency", metavar="FILE", help="write sorted lines 'A B', A < B, for each common facet")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--full", action="store_true", help="work out costly numbers above 50,000 regions too")


def _tessellate(arguments: argparse.Namespace) -> int:
    from polyrelu.tessellation.summary import write_files
    from polyrelu.tessellation.targets import check_targets

    wanted = {"--out": arguments.out, "--patterns": arguments.patterns, "--adjacency": arguments.adjacency}
    targets = check_targets(wanted, arguments.force, arguments.model, devices=("--patterns", "--adjacency"))
    network, domain = _network_and_domain(arguments)
    try:
        tessellation = _tessellation(network, domain, arguments)
    except (BudgetError, EnumerationInterrupted) as early:
        return _ended_early(early, targets[0], arguments)
    write_files(tessellation, *targets)
    _show(tessellation, arguments.json, arguments.full)
    return DONE


def _ended_early(early: BudgetError | EnumerationInterrupted, table: Path | None, arguments: argparse.Namespace) -> int:
    """Save and report what was proved; not the lists, since nothing in them says that some are missing."""
    from polyrelu.tessellation.summary import write_files

    found: Tessellation | None = early.partial
    proved = f"after {0 if found is None else found.n_regions:,} proved regions"
    if found is not None and table is not None:
        write_files(found, table)
        proved += f"; {arguments.out!r} holds them, marked incomplete"
    if isinstance(early, EnumerationInterrupted):
        return _fail(f"interrupted {proved}.", INTERRUPTED)
    if found is not None:
        _show(found, arguments.json)
    return _fail(f"the budget ended {proved}. Raise it or cut the domain.", BUDGET)


def _plot_arguments(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("--by", choices=("region", "output", "class"), default="region", help="what colours show")
    parser.add_argument("--output", type=int, default=0, metavar="K", help="the output for --by output (default: 0)")
    parser.add_argument("--hyperplanes", action="store_true", help="draw bent hyperplanes, coloured by layer")
    parser.add_argument("--points", metavar="FILE", help="draw data: .npz (X and, if wanted, y) or .csv (x, y, class)")
    parser.add_argument("--out", metavar="FILE", required=True, help="picture: .png, .svg or .pdf")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def _plot(arguments: argparse.Namespace) -> int:
    from polyrelu.plot.figure import check_format, draw, save
    from polyrelu.plot.points import read_points
    from polyrelu.tessellation.targets import check_target, replacing

    check_format(arguments.out)
    target = check_target("--out", arguments.out, arguments.force, arguments.model)
    network, domain = _network_and_domain(arguments)
    dim = _inner_dim(domain)
    if dim not in (1, 2):
        raise InputError(f"plot needs a domain of dimension 1 or 2 but received one of {dim}. Choose a --slice.")
    if not 0 <= arguments.output < network.n_out:
        raise InputError(f"--output needs to be below {network.n_out} but received {arguments.output}. Count from 0.")
    points = None if arguments.points is None else read_points(arguments.points)
    tessellation = _tessellation(network, domain, arguments)
    figure = draw(tessellation, arguments.by, arguments.output, arguments.hyperplanes, points)
    with replacing(target) as path:
        save(figure, path)
    _say(f"{tessellation.n_regions:,} regions drawn in {arguments.out!r}")
    return DONE


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out-dir", metavar="DIR", default="polyrelu-demo", help="where to write (./polyrelu-demo)")


def _demo(arguments: argparse.Namespace) -> int:
    from polyrelu.network.load import load
    from polyrelu.plot.demo import demo_domain, draw_demo
    from polyrelu.plot.figure import save
    from polyrelu.plot.points import read_points
    from polyrelu.tessellation.summary import write_files
    from polyrelu.tessellation.targets import check_target, make_folder, replacing

    folder = make_folder("demo", arguments.out_dir)
    table = check_target("demo", folder / "iris_petals.parquet", force=True)
    picture = check_target("demo", folder / "iris_petals.png", force=True)
    data = Path(__file__).parent / "data"
    _say("A network that tells three species of iris by the length and width of their petals (cm).\n")
    tessellation = _tessellation(load(data / "iris_petals.npz"), demo_domain(), arguments)
    with replacing(picture) as path:
        save(draw_demo(tessellation, read_points(data / "iris_petals_points.npz")), path)
    write_files(tessellation, table)
    _show(tessellation)
    _say(f"\npicture       {str(folder / 'iris_petals.png')!r}\ntessellation  {str(folder / 'iris_petals.parquet')!r}")
    return DONE


COMMANDS = (
    Command("tessellate", "find all regions of a network in a domain", _tessellate_arguments, _tessellate),
    Command("plot", "draw a network with one or two inputs, or a slice of one", _plot_arguments, _plot),
    Command("demo", "tessellate and draw a small trained network", _demo_arguments, _demo),
)


# --- arguments ------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line, as everything else does, and takes no abbreviated options."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}. See: {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    from polyrelu import __version__

    parser = _Parser(prog="polyrelu", description="Exact geometry of ReLU networks.", epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"polyrelu {__version__}")
    choices = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    for command in COMMANDS:
        about = command.help.capitalize() + "."
        sub = choices.add_parser(command.name, help=command.help, description=about, epilog=EXIT_CODES)
        sub.set_defaults(run=command.run)
        command.add_arguments(sub)
    return parser


def _joined(argv: Sequence[str]) -> list[str]:
    """Return the arguments with "--domain -1:1" as "--domain=-1:1": argparse would take "-1:1" for an option."""
    joined: list[str] = []
    for argument in argv:
        if joined and joined[-1] == "--domain":
            joined[-1] = f"--domain={argument}"
        else:
            joined.append(argument)
    return joined


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="network: .npz (W0, b0, W1, b1, ...) or .onnx")
    domain_help = "all (default), unit, LO:HI for every input, LO:HI,LO:HI,... or a JSON file; bounds are taken exactly"
    parser.add_argument("--domain", default="all", metavar="DOMAIN", help=domain_help)
    slice_help = 'only this slice of the inputs: JSON {"points": [p, q, r]} or {"point": p, "directions": [u, v]}'
    parser.add_argument("--slice", metavar="FILE", help=slice_help)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"needs a positive whole number but received {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if (seconds := float(text)) > 0:
            return seconds
    raise argparse.ArgumentTypeError(f"needs a positive number but received {text!r}")


def _network_and_domain(arguments: argparse.Namespace) -> tuple[Network, Domain]:
    from polyrelu.exact.domain import Domain
    from polyrelu.network.load import load
    from polyrelu.network.slice_file import read_slice

    network = load(arguments.model)
    if arguments.slice is not None:
        network = network.restrict(read_slice(arguments.slice))
    return network, Domain.parse(arguments.domain, network.dim)


# --- work -----------------------------------------------------------------------------------------------------


def _tessellation(network: Network, domain: Domain, arguments: argparse.Namespace) -> Tessellation:
    """Tessellate; say before the loops are compiled, and on a terminal how many regions there are."""
    from polyrelu.enumeration.brute import enumerate_brute
    from polyrelu.enumeration.plane import enumerate_plane
    from polyrelu.tessellation.build import tessellate

    methods: dict[str, Method] = {"plane": enumerate_plane, "brute": enumerate_brute}
    method = methods.get(getattr(arguments, "method", None) or "")
    options = {name: getattr(arguments, name, None) for name in ("max_regions", "max_seconds")}
    if method is not enumerate_brute and 1 <= _inner_dim(domain) <= 2:
        _announce_compilation()
    with _progress() as progress:
        return tessellate(network, domain, method=method, progress=progress, **options)


def _announce_compilation() -> None:
    with _held_interrupts():
        from polyrelu.kernels.assembly import vertex_rows
        from polyrelu.kernels.compiled import is_cached
        from polyrelu.kernels.depth_first import enumerate_cells

        is_ready = is_cached(enumerate_cells) and is_cached(vertex_rows)
    if not is_ready:
        print("compiling the loops once (about 30 s) ...", file=sys.stderr, flush=True)


def _inner_dim(domain: Domain) -> int:
    from polyrelu.region.hull import decide_domain

    return decide_domain(domain).inner.dim


@contextmanager
def _held_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back while libraries are imported: some of them swallow it."""
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # ignored, or a program's own
        yield
        return
    held: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if held:
        raise KeyboardInterrupt


@contextmanager
def _progress() -> Iterator[Callable[[int], None] | None]:
    """Yield a function that shows the number of regions on a terminal after a second; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(unit=" regions", delay=1, leave=False) as bar:
        yield lambda found: bar.update(found - bar.n) and None


# --- output ---------------------------------------------------------------------------------------------------


def _show(tessellation: Tessellation, as_json: bool = False, full: bool = False) -> None:
    from polyrelu.tessellation.summary import summarise

    summary = summarise(tessellation, full=full, check=not as_json)
    _say(json.dumps(summary.to_json(), indent=2) if as_json else summary.to_text())


def _say(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _fail(problem: object, code: int) -> int:
    print("polyrelu:", " ".join(str(problem).split()), file=sys.stderr)
    return code


def _drop_output() -> None:
    """Send what is left for stdout nowhere, so that Python's flush at exit does not complain once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
