"""The command `polyrelu`: tessellate a network, draw it, look at one region, or watch a small demonstration.

It imports nothing heavy before a command needs it, so that ``polyrelu --help`` is quick. A further command is a
further row of `COMMANDS`, and a module beside this one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple

from polyrelu.cli import check, claims, dag, demo, experiment, maps, patterns, plot, region, tessellate, tropex, verify
from polyrelu.cli.arguments import Parser, joined
from polyrelu.cli.output import BAD_INPUT, BUDGET, BUG, DONE, INTERRUPTED, drop_output, fail
from polyrelu.cli.work import held_interrupts
from polyrelu.errors import BudgetError, InternalError, PolyreluError

__all__ = ["COMMANDS", "Command", "main"]

EXIT_CODES = """Exit codes: 0 done; 2 bad input, or a file that cannot be read or written; 3 a budget was reached, and
what was proved until then is printed and saved; 130 after Ctrl-C; 1 a certificate is refused, a property is
violated, the verdict on a claim is not the expected one, or a self-check failed, which is a bug."""


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
        arguments = _parser().parse_args(joined(sys.argv[1:] if argv is None else argv))
        with held_interrupts():
            import_module("polyrelu.tessellation")
        code = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except SystemExit as end:  # --help and --version
        return int(end.code or DONE)
    except KeyboardInterrupt:
        return fail("interrupted.", INTERRUPTED)
    except InternalError as error:
        return fail(error, BUG)
    except PolyreluError as error:
        return fail(error, BUDGET if isinstance(error, BudgetError) else BAD_INPUT)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        drop_output()
        return DONE
    except OSError as error:
        drop_output()
        return fail(f"reading or writing failed ({error.strerror or error}). Make room or use other paths.", BAD_INPUT)
    except MemoryError:
        return fail("the memory does not suffice. Cut the domain or set --max-regions.", BAD_INPUT)


COMMANDS = (
    Command("tessellate", "find all regions of a network in a domain", tessellate.add_arguments, tessellate.run),
    Command("check", "check the proof that a tessellation carries", check.add_arguments, check.run),
    Command("region", "look at the region around a point", region.add_arguments, region.run),
    Command("verify", "decide whether a network keeps a property", verify.add_arguments, verify.run),
    Command("patterns", "count the patterns of a data set, in all and by layer", patterns.add_arguments, patterns.run),
    Command("dag", "follow a data set from pattern to pattern, and cluster it", dag.add_arguments, dag.run),
    Command("maps", "find the affine map of a network near each point of a data set", maps.add_arguments, maps.run),
    Command("tropex", "extract the linear terms of a network at a data set", tropex.add_arguments, tropex.run),
    Command("experiment", "train on digits and repeat what papers found", experiment.add_arguments, experiment.run),
    Command("claims", "decide what papers state about regions", claims.add_arguments, claims.run),
    Command("plot", "draw a network with one, two or three inputs, or a slice of one", plot.add_arguments, plot.run),
    Command("demo", "tessellate and draw a small trained network", demo.add_arguments, demo.run),
)


def _parser() -> argparse.ArgumentParser:
    from polyrelu import __version__

    parser = Parser(prog="polyrelu", description="Exact geometry of ReLU networks.", epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"polyrelu {__version__}")
    choices = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in COMMANDS:
        about = command.help.capitalize() + "."
        sub = choices.add_parser(command.name, help=command.help, description=about, epilog=EXIT_CODES)
        sub.set_defaults(run=command.run)
        command.add_arguments(sub)
    return parser
