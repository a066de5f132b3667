"""What the commands print, and their exit codes."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polyrelu.network.model import Network
    from polyrelu.tessellation.model import Tessellation

__all__ = ["BAD_INPUT", "BUDGET", "BUG", "DONE", "INTERRUPTED", "about", "drop_output", "fail", "say", "show"]

DONE, BUG, BAD_INPUT, BUDGET, INTERRUPTED = 0, 1, 2, 3, 130


def show(tessellation: Tessellation, as_json: bool = False, full: bool = False) -> None:
    from polyrelu.tessellation.summary import summarise

    summary = summarise(tessellation, full=full, check=not as_json)
    say(json.dumps(summary.to_json(), indent=2) if as_json else summary.to_text())


def about(network: Network) -> str:
    """Return the size of a network and the beginning of its hash."""
    return f"{network.dim} inputs, {network.n_out} outputs, {network.n_neurons} neurons ({network.hash[:12]})"


def say(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def fail(problem: object, code: int) -> int:
    print("polyrelu:", " ".join(str(problem).split()), file=sys.stderr)
    return code


def drop_output() -> None:
    """Send what is left for stdout nowhere, so that Python's flush at exit does not complain once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
