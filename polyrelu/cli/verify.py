"""`polyrelu verify`: does a network keep a property?"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyrelu.cli.arguments import count, seconds
from polyrelu.cli.output import BUDGET, DONE, INTERRUPTED, about, fail, say
from polyrelu.errors import EnumerationInterrupted, FileError, MissingExtraError

if TYPE_CHECKING:
    from polyrelu.certificate.verdict import Verdict
    from polyrelu.network.model import Network

__all__ = ["VIOLATED", "add_arguments", "run"]

VIOLATED = 1
SHOWN = 10
"""So many inputs and outputs the text shows at most."""
LONGEST = 24
"""Exact numbers with more characters are shown rounded."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exit codes: 0 the property holds; 1 it is violated; 2 bad input; 3 a budget was reached first, and how much "
        "was proved is printed; 130 after Ctrl-C, which prints it too."
    )
    parser.add_argument("model", metavar="MODEL", help="network: .npz (W0, b0, W1, b1, ...) or .onnx")
    parser.add_argument("property", metavar="PROPERTY.vnnlib", help="what must not happen, in VNN-LIB")
    parser.add_argument("--max-seconds", type=seconds, metavar="S", help="stop soon after S seconds")
    parser.add_argument("--max-boxes", type=count, metavar="N", help="stop after N cells")
    regions_help = "stop after N cells that linear programs in rationals have to decide"
    parser.add_argument("--max-regions", type=count, metavar="N", help=regions_help)
    witness_help = "write the input that violates the property, and its outputs, exactly, as JSON"
    parser.add_argument("--witness", metavar="FILE", help=witness_help)
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    check_help = "work out the proof once more in integers, without a solver: some 10 ms for each cell"
    parser.add_argument("--check", action="store_true", help=check_help)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.analysis.verification.decide import decide_property
    from polyrelu.analysis.verification.proof import PropertyViolated
    from polyrelu.analysis.verification.vnnlib import read_vnnlib
    from polyrelu.certificate.verdict import check_verdict
    from polyrelu.network.load import load
    from polyrelu.tessellation.targets import check_targets, replacing

    [target] = check_targets({"--witness": arguments.witness}, arguments.force, arguments.model)
    network, unsafe = load(arguments.model), read_vnnlib(arguments.property)
    options = {name: getattr(arguments, name) for name in ("max_seconds", "max_boxes", "max_regions")}
    try:
        with _cell_bar() as progress:
            verdict = decide_property(network, unsafe, progress=progress, **options)
    except EnumerationInterrupted as early:
        _show(early.partial, network, arguments, None)
        return fail("interrupted before the property was decided.", INTERRUPTED)
    start, witness = time.monotonic(), verdict.evidence if isinstance(verdict.evidence, PropertyViolated) else None
    if arguments.check or witness is not None:
        check_verdict(verdict)
    if witness is not None and target is not None:
        with replacing(target) as path:
            exact = {"inputs": list(map(str, witness.inputs)), "outputs": list(map(str, witness.outputs))}
            path.write_text(json.dumps(exact, indent=1) + "\n", encoding="utf-8")
    _show(verdict, network, arguments, time.monotonic() - start)
    if verdict.holds is None:
        reason = "the budget ended" if not verdict.value.n_left_open else "some cells are too large to decide"
        return fail(f"{reason} before the property was decided. Raise the budget, or cut the property.", BUDGET)
    return DONE if verdict.holds else VIOLATED


def _show(verdict: Verdict, network: Network, arguments: argparse.Namespace, check_seconds: float | None) -> None:
    facts = _facts(verdict, network, arguments, check_seconds)
    if arguments.json:
        say(json.dumps(facts, indent=2))
        return
    rows = [("verdict", facts["verdict"]), ("network", about(network)), ("property", facts["property"])]
    if "inputs" in facts:
        rows += [("inputs", _vector(facts["inputs"])), ("outputs", f"{_vector(facts['outputs'])}, checked exactly")]
        if isinstance(facts["onnxruntime"], list):
            rows.append(("onnxruntime", _vector(facts["onnxruntime"])))
        elif facts["onnxruntime"] is not None:
            rows.append(("onnxruntime", facts["onnxruntime"]))
    else:
        rows.append(("proved", f"{100 * facts['share']:.4g} % of the inputs"))
    programs = f", {facts['regions']:,} of them by linear programs in rationals" if facts["regions"] else ""
    rows.append(("cells", f"{facts['cells']:,}{programs}"))
    if facts["checked"] and verdict.holds:
        rows.append(("check", f"every cell proved once more in integers, {facts['check_seconds']:.1f} s"))
    rows.append(("seconds", f"{facts['seconds']:.2f}"))
    say("\n".join(f"{name:<12}{value}" for name, value in rows))


def _facts(
    verdict: Verdict, network: Network, arguments: argparse.Namespace, check_seconds: float | None
) -> dict[str, Any]:
    from polyrelu.analysis.verification.proof import PropertyViolated

    names = {True: "holds", False: "violated", None: "not decided"}
    facts: dict[str, Any] = {
        "verdict": names[verdict.holds],
        "network": network.hash,
        "property": Path(arguments.property).name,
        "cells": verdict.value.n_cells,
        "regions": verdict.value.n_regions,
        "left_open": verdict.value.n_left_open,
        "share": 1.0 if verdict.holds else float(verdict.value.share),
        "seconds": round(verdict.value.seconds, 3),
        "checked": verdict.holds is False or (arguments.check and verdict.holds is True),
    }
    if facts["checked"] and check_seconds is not None:
        facts["check_seconds"] = round(check_seconds, 3)
    if isinstance(verdict.evidence, PropertyViolated):
        facts["inputs"] = list(map(str, verdict.evidence.inputs))
        facts["outputs"] = list(map(str, verdict.evidence.outputs))
        facts["onnxruntime"] = _second_opinion(arguments.model, verdict.evidence.inputs)
    return facts


def _second_opinion(model: str, inputs: Sequence[Fraction]) -> list[float] | str | None:
    """Return onnxruntime's outputs, why there are none, or None for other models."""
    if Path(model).suffix.lower() != ".onnx":
        return None
    from polyrelu.analysis.verification.onnx import onnx_outputs

    try:
        return list(onnx_outputs(model, inputs))
    except MissingExtraError:
        return "not installed"
    except FileError as error:
        return f"does not run the model: {' '.join(str(error).split())}"


def _vector(values: Sequence[str | float]) -> str:
    shown = [_number(value) for value in values[:SHOWN]]
    return f"({', '.join(shown)}{', ...' if len(values) > SHOWN else ''})"


def _number(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.9g}"
    return value if len(value) <= LONGEST else f"{float(Fraction(value)):.9g}"


@contextmanager
def _cell_bar() -> Iterator[Callable[[int], None] | None]:
    """Yield a function that shows the number of cells on a terminal after a second; None elsewhere."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(unit=" cells", delay=1, leave=False) as bar:
        yield lambda found: bar.update(found - bar.n) and None
