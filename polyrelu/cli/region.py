"""`polyrelu region`: look at the region around a point."""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from typing import TYPE_CHECKING

from polyrelu.cli.arguments import add_model, network_and_domain
from polyrelu.cli.output import DONE, say
from polyrelu.cli.work import announce_compilation

if TYPE_CHECKING:
    from polyrelu.exact.domain import Domain
    from polyrelu.network.model import Network
    from polyrelu.region.model import Region
    from polyrelu.region.summary import RegionFacet

__all__ = ["add_arguments", "run"]

Point = tuple[Fraction, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    at_help = "point: X,Y,... taken exactly, or a .npy, .npz or .csv file that holds one point"
    parser.add_argument("--at", metavar="POINT", required=True, help=at_help)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.network.point_file import parse_point
    from polyrelu.region.model import region_at
    from polyrelu.region.summary import summarise_region

    network, domain = network_and_domain(arguments)
    point = parse_point(arguments.at, network.dim)
    network, domain, point = _in_hull(network, domain, point)
    region = region_at(network, point, domain)
    summary = summarise_region(region, point, _facets(region))
    say(json.dumps(summary.to_json(), indent=2) if arguments.json else summary.to_text())
    return DONE


def _in_hull(network: Network, domain: Domain, point: Point) -> tuple[Network, Domain, Point]:
    """Return all three in the coordinates of a flat domain's affine hull, those of any other domain as they are."""
    from polyrelu.region.hull import decide_domain

    bounds = domain.box_bounds()
    if not domain.rows or (bounds is not None and all(low < high for low, high in zip(*bounds, strict=True))):
        return network, domain, point
    hull = decide_domain(domain)
    if hull.hull is None or not domain.contains(point):  # region_at complains of points outside
        return network, domain, point
    return network.restrict(hull.hull), hull.inner, hull.coordinates_of(point)


def _facets(region: Region) -> list[RegionFacet]:
    """Return all facets of a region with the pattern on their other side."""
    from polyrelu.enumeration.region_finder import find_region
    from polyrelu.region.summary import RegionFacet, row_of_facet

    if not region.network.dim:
        return []
    announce_compilation("march")
    facets = []
    for facet in find_region(region.network, region.pattern, region.domain).facets:
        neurons, domain_rows = tuple(map(int, facet.neurons)), tuple(map(int, facet.domain_rows))
        row = row_of_facet(region, neurons, domain_rows, facet.neighbour)
        facets.append(RegionFacet(row, neurons, domain_rows, facet.neighbour))
    return facets
