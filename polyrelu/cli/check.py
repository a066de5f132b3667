"""`polyrelu check`: does a certificate prove what it says about a network?"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

from polyrelu.cli.output import BUG, DONE, fail, say
from polyrelu.cli.work import progress_bar
from polyrelu.errors import CertificateError

if TYPE_CHECKING:
    from polyrelu.network.model import Network

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    file_help = "certificate, as --certificate of `polyrelu tessellate` or `polyrelu tropex` writes it"
    parser.add_argument("file", metavar="FILE", help=file_help)
    parser.add_argument("model", metavar="MODEL", help="network: .npz (W0, b0, W1, b1, ...) or .onnx")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    plain_help = "also write the network as JSON, for the checker that needs nothing but Python (plain_checker.py)"
    parser.add_argument("--write-network", metavar="FILE.json", help=plain_help)
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.analysis.tropex.proof_file import is_proof_file
    from polyrelu.certificate.checker import check_certificate
    from polyrelu.certificate.format import read_certificate
    from polyrelu.network.load import load
    from polyrelu.tessellation.targets import check_target

    target = None
    if arguments.write_network is not None:
        target = check_target("--write-network", arguments.write_network, arguments.force, arguments.model)
    network = load(arguments.model)
    if target is not None:
        from polyrelu.network.plain import write_plain_network

        write_plain_network(network, target)
    if is_proof_file(arguments.file):
        return _check_extraction(arguments, network)
    start = time.process_time()
    try:
        certificate = read_certificate(arguments.file)
        with progress_bar() as progress:
            proved = check_certificate(certificate, network, progress)
    except CertificateError as refusal:
        if arguments.json:
            say(json.dumps({"accepted": False, "condition": str(refusal)}, indent=2))
        return fail(refusal, BUG)
    seconds = time.process_time() - start
    facts = {
        **proved._asdict(),
        "domain": certificate.domain.label,
        "rows_of_domain": [list(row) for row in certificate.domain.rows],
        "is_slice": certificate.input_map is not None,
        "proof": certificate.proof,
        "network": certificate.network,
    }
    if arguments.json:
        say(json.dumps({"accepted": True, **facts, "seconds": round(seconds, 3)}, indent=2, default=str))
        return DONE
    say(
        f"accepted: {proved.n_regions:,} regions, {proved.n_facets:,} facets, {proved.n_linear_regions:,} linear "
        f"regions with {proved.n_maps:,} affine maps\n"
        f"  network  {certificate.network}\n"
        f"  domain   {_domain(certificate.domain.dim, facts['rows_of_domain'])}\n"
        + ("  slice    of the model's inputs, in its own coordinates\n" if certificate.input_map is not None else "")
        + f"  proof    {certificate.proof}, checked in {seconds:.1f} s"
    )
    return DONE


def _check_extraction(arguments: argparse.Namespace, network: Network) -> int:
    """Check a proof about a function that TropEx extracted."""
    from polyrelu.analysis.tropex.proof_file import read_proof

    start = time.process_time()
    try:
        proof = read_proof(arguments.file, network)
        proof.check()
    except CertificateError as refusal:
        if arguments.json:
            say(json.dumps({"accepted": False, "condition": str(refusal)}, indent=2))
        return fail(refusal, BUG)
    seconds = time.process_time() - start
    if arguments.json:
        facts = {"accepted": True, "extracted": True, "n_regions": len(proof.regions), "network": network.hash}
        say(json.dumps({**facts, "seconds": round(seconds, 3)}, indent=2))
        return DONE
    say(
        f"accepted: on the regions of {len(proof.regions):,} points the extracted function is the network in the label "
        f"and nowhere larger\n  network  {network.hash}\n  proof    multipliers, checked in {seconds:.1f} s"
    )
    return DONE


def _domain(dim: int, rows: list[list[int]]) -> str:
    """Return the domain that was checked as text, from its rows: the label in a file proves nothing."""
    from polyrelu.exact.domain import Domain

    if not rows:
        return f"all of R^{dim}"
    bounds = Domain(dim, tuple(tuple(row) for row in rows)).box_bounds()
    if bounds is None:
        return f"the {len(rows)} halfspaces " + ", ".join(map(str, rows[:4])) + (", …" if len(rows) > 4 else "")
    return ",".join(f"{low}:{high}" for low, high in zip(*bounds, strict=True))
