"""`polyrelu tropex`: the function that TropEx extracts from a network at a data set."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from polyrelu.cli.arguments import seconds
from polyrelu.cli.data_arguments import add_data, network_and_data, point_bar
from polyrelu.cli.output import BUDGET, DONE, about, fail, say
from polyrelu.errors import FileError, InputError

if TYPE_CHECKING:
    from polyrelu.analysis.tropex.extracted import ExtractedFunction

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    test_help = "compare the extracted function with the network at these points too, and with their labels, if any"
    parser.add_argument("--test", metavar="FILE", help=test_help)
    layers_help = "with --test: from the network to the extracted function layer by layer, the last one first"
    parser.add_argument("--layers", action="store_true", help=layers_help)
    exact_help = "prove in rationals that both agree on the whole region of every point of the data (small networks)"
    parser.add_argument("--exact", action="store_true", help=exact_help)
    seconds_help = "with --exact: stop soon after S seconds; the time grows with the square of the number of regions"
    parser.add_argument("--max-seconds", type=seconds, metavar="S", help=seconds_help)
    proof_help = "with --exact: write the proof to this file, which `polyrelu check` checks again"
    parser.add_argument("--certificate", metavar="FILE.json", help=proof_help)
    parser.add_argument("--out", metavar="FILE", help="write the terms to this .npz file (polyrelu.load_terms)")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.analysis.tropex.proof_file import save_proof
    from polyrelu.analysis.tropex.summary import decide_distinct_regions, summarise_extraction
    from polyrelu.analysis.tropex.theorem import ExtractionProof
    from polyrelu.network.data_file import read_data
    from polyrelu.tessellation.targets import check_targets

    _check_names(arguments)
    wanted = {"--out": arguments.out, "--certificate": arguments.certificate}
    file, proof_file = check_targets(wanted, arguments.force, arguments.model)
    network, data = network_and_data(arguments)
    test = None
    if arguments.test is not None:
        found = read_data(arguments.test, network.dim, arguments.divide)
        test = found.points, found.labels
    with point_bar("terms") as progress:
        summary = summarise_extraction(
            network,
            (data.points, data.labels),
            test,
            layers=arguments.layers,
            device=arguments.device,
            each=None if file is None else lambda function: _save(function, file),
            progress=progress,
        )
    if not arguments.json:
        say(f"{'network':<12}{about(network)}\n{summary.to_text()}")
    verdict = None
    if arguments.exact:
        with point_bar("proof", " regions") as progress:
            verdict = decide_distinct_regions(network, data.points, arguments.max_seconds, progress)
        if proof_file is not None and isinstance(verdict.evidence, ExtractionProof):
            save_proof(verdict.evidence, proof_file, force=True)
    if arguments.json:
        facts = {"network": network.hash, "points": len(data.points), **summary.to_json()}
        facts["theorem"] = None if verdict is None else {"statement": verdict.statement, "holds": verdict.holds}
        say(json.dumps(facts, indent=2))
    elif verdict is not None and verdict.holds:
        say(f"{'theorem':<12}proved and checked: {verdict.statement}")
    if verdict is not None and verdict.holds is None:
        return fail(f"the time was over with {len(verdict.value):,} regions proved, not all checked.", BUDGET)
    return DONE


def _check_names(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be, before any work."""
    for option in ("max_seconds", "certificate"):
        if getattr(arguments, option) is not None and not arguments.exact:
            name = "--" + option.replace("_", "-")
            raise InputError(f"{name} needs a proof but received no --exact. Add it, or leave both out.")
    if arguments.layers and arguments.test is None:
        raise InputError("--layers needs --test but received none. Name a file with test points.")
    if arguments.certificate is not None and Path(arguments.certificate).suffix.lower() != ".json":
        raise FileError(f"--certificate needs a name in .json but received {arguments.certificate!r}. Rename it.")
    if arguments.out is None:
        return
    if Path(arguments.out).suffix.lower() != ".npz":
        raise FileError(f"--out needs a name in .npz but received {arguments.out!r}. Rename it.")
    for path in (arguments.data, arguments.test):
        if path is not None and Path(path).resolve() == Path(arguments.out).resolve():
            message = f"--out needs a file of its own but {arguments.out!r} holds data. Choose another path."
            raise FileError(message)


def _save(function: ExtractedFunction, file: Path) -> None:
    function.save(file)
