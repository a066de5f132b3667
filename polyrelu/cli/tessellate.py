"""`polyrelu tessellate`: find all regions of a network in a domain."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from polyrelu.cli.arguments import add_model, count, network_and_domain, seconds
from polyrelu.cli.output import BUDGET, DONE, INTERRUPTED, fail, show
from polyrelu.cli.work import METHODS, inner_dim, progress_bar, tessellated
from polyrelu.errors import BudgetError, EnumerationInterrupted, InputError

if TYPE_CHECKING:
    from polyrelu.exact.domain import Domain
    from polyrelu.tessellation.model import Tessellation

__all__ = ["add_arguments", "run"]

MESHES = (".obj", ".ply", ".vtu")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--method", choices=METHODS, help="enumeration (default: the one that fits)")
    start_help = "where --method march starts: X,Y,... taken exactly, or a file with one point (default: inside)"
    parser.add_argument("--start", metavar="POINT", help=start_help)
    distance_help = "--method march goes at most N facets far; what is further away is left out"
    parser.add_argument("--max-distance", type=count, metavar="N", help=distance_help)
    parser.add_argument("--max-regions", type=count, metavar="N", help="stop soon after N regions")
    parser.add_argument("--max-seconds", type=seconds, metavar="S", help="stop soon after S seconds")
    parser.add_argument("--out", metavar="FILE.parquet", help="write the tessellation, for Tessellation.load")
    parser.add_argument("--patterns", metavar="FILE", help="write sorted patterns, a digit a neuron: for ReLU its bit")
    parser.add_argument("--adjacency", metavar="FILE", help="write sorted lines 'A B', A < B, for each common facet")
    proof_help = "write a proof that nothing is wrong or missing, for `polyrelu check`"
    parser.add_argument("--certificate", metavar="FILE", help=proof_help)
    mesh_help = "write the polytopes of three inputs, for other programs: .obj, .ply or .vtu"
    parser.add_argument("--mesh", metavar="FILE", help=mesh_help)
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--full", action="store_true", help="work out costly numbers above 50,000 regions too")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.tessellation.summary import write_files
    from polyrelu.tessellation.targets import check_targets

    names = ("--out", "--patterns", "--adjacency", "--mesh", "--certificate")
    wanted = {name: getattr(arguments, name.strip("-")) for name in names}
    devices = ("--patterns", "--adjacency")
    *targets, mesh, proof = check_targets(wanted, arguments.force, arguments.model, devices=devices)
    network, domain = network_and_domain(arguments)
    if mesh is not None:
        _check_mesh(arguments.mesh, domain)
    try:
        tessellation = tessellated(network, domain, arguments)
    except (BudgetError, EnumerationInterrupted) as early:
        return _ended_early(early, targets[0], arguments)
    if mesh is not None:
        from polyrelu.tessellation.mesh_files import save_polytopes
        from polyrelu.tessellation.polytopes import polytopes

        save_polytopes(polytopes(tessellation), mesh, overwrite=True)
    write_files(tessellation, *targets)
    if proof is not None:
        _write_certificate(tessellation, proof)
    show(tessellation, arguments.json, arguments.full)
    return DONE


def _write_certificate(tessellation: Tessellation, target: Path) -> None:
    from polyrelu.tessellation.certify import save_certificate

    with progress_bar() as progress:
        save_certificate(tessellation, target, overwrite=True, progress=progress)


def _check_mesh(path: str, domain: Domain) -> None:
    """Raise `InputError` before any work if no mesh can be written."""
    dim = inner_dim(domain)
    if Path(path).suffix.lower() not in MESHES or dim != 3:
        raise InputError(
            f"--mesh needs three inputs and a name in {', '.join(MESHES)} but received {dim} and {path!r}. "
            "Choose a --slice, or rename it."
        )


def _ended_early(early: BudgetError | EnumerationInterrupted, table: Path | None, arguments: argparse.Namespace) -> int:
    """Save and report what was proved; not the lists, since nothing in them says that some are missing."""
    from polyrelu.tessellation.summary import write_files

    found: Tessellation | None = early.partial
    proved = f"after {0 if found is None else found.n_regions:,} proved regions"
    if found is not None and table is not None:
        write_files(found, table)
        proved += f"; {arguments.out!r} holds them, marked incomplete"
    if isinstance(early, EnumerationInterrupted):
        return fail(f"interrupted {proved}.", INTERRUPTED)
    if found is not None:
        show(found, arguments.json)
    return fail(f"the budget ended {proved}. Raise it or cut the domain.", BUDGET)
