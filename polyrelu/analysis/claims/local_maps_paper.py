"""Claims of paper 001 (Sattelberg et al.: locally linear attributes): pieces, the figure, regions of small width.

Those about its XOR example are in `local_maps_xor.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from polyrelu.analysis.claims.convex_unions import Dent, dent_evidence, find_dent
from polyrelu.analysis.claims.evidence import (
    AllOf,
    Computation,
    Counterexample,
    Examined,
    Exhaustive,
    HasPattern,
    search,
)
from polyrelu.analysis.claims.local_maps_width import CLAIMS as WIDTH_CLAIMS
from polyrelu.analysis.claims.local_maps_xor import CLAIMS as XOR_CLAIMS
from polyrelu.analysis.claims.local_maps_xor import PAPER, map_rows, xor_network
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import n_cases, proved
from polyrelu.analysis.claims.sample_networks import random_network
from polyrelu.analysis.claims.subjects import refuse, tessellated_subject
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["CLAIMS"]

PIECES = "a ReLU network is one affine map on each of finitely many closed polyhedra, the regions of its patterns"
CONVEX = "each linear portion of the network, a largest connected set with one affine map, is a convex polyhedron"
FIGURE = "the inequalities printed in Fig. 1 describe the inputs with the drawn pattern 101|100"
STRICTNESS = "a neuron with preactivation 0 counts as active in Fig. 1, and as inactive elsewhere"
ROWS = "the rows (w, b) of all regions, or of a sample, are a matrix for each output; least squares maps one to another"
FIGURE_1 = (([[3, 0, 4], [5, 9, 1], [6, 1, 2]], [7, 2, 9]), ([[1, 3, 3], [2, 9, 5], [8, 7, 0]], [7, 7, 8]))
DRAWN = "101|100"
SMALL = 2000


def _pieces(subject: Subject | None) -> Verdict:
    """Proof: for fixed digits every preactivation is affine, so the set where they keep their signs is a polyhedron and
    the network affine on it; on its closure by continuity."""
    if subject is None:
        evidence = search("random networks, all regions and vertices", _examine_pieces, range(8))
        description = "proof: fixed digits make every preactivation affine, and maps agree on borders by continuity; "
        return proved(PIECES, [evidence], f"{description}8 networks, {n_cases(evidence)} regions with their vertices")
    tessellation = tessellated_subject(subject, "001-eq-3.1", SMALL)
    parts = tuple(_piece(tessellation, i) for i in range(tessellation.n_regions))
    outcome = Outcome.TRUE if all(part.value for part in parts) else Outcome.FALSE
    description = f"map and network agree inside all {len(parts)} regions, and at their vertices"
    return found(PIECES, outcome, Exhaustive("regions", tessellation.n_regions, parts), description)


def _examine_pieces(seed: int) -> Examined:
    from polyrelu.tessellation.build import tessellate

    tessellation = tessellate(random_network(f"pieces {seed}", (2, 4, 3, 2)))
    parts = [_piece(tessellation, i) for i in range(tessellation.n_regions)]
    return Examined(len(parts), next((part for part in parts if not part.value), None))


def _piece(tessellation: Tessellation, index: int) -> Computation:
    """Return that the map of a region is the network at a point inside and at the vertices."""
    from polyrelu.tessellation.marks import AT_INFINITY

    t, points = tessellation, [tessellation.witness(index)]
    if t.has_vertices:
        points += [t.vertex_exact(int(v)) for v in t.corners(index) if t.vertex_kind[v] != AT_INFINITY]
    arguments = (t.network, t.pattern(index), tuple(points))
    return Computation("map and network agree", _agrees, arguments, _agrees(*arguments))


def _agrees(network: Network, pattern: Pattern, points: tuple[tuple[Fraction, ...], ...]) -> bool:
    rows = map_rows(network, pattern)
    one = Fraction(1)

    def at(row: tuple[Fraction, ...], x: tuple[Fraction, ...]) -> Fraction:
        return sum((a * v for a, v in zip(row, (*x, one), strict=True)), Fraction(0))

    return all(tuple(at(row, x) for row in rows) == network.exact(x) for x in points)


def _convex(subject: Subject | None) -> Verdict:
    from polyrelu.tessellation.build import tessellate

    if subject is not None:
        tessellation = tessellated_subject(subject, "001-convex-portions", SMALL)
        dent = find_dent(tessellation)
        if dent is not None:
            return _dented(tessellation, dent, "")
        fact = Computation("a dent", find_dent_of, (tessellation.network, tessellation.domain), None)
        description = f"all {tessellation.n_linear_regions} linear regions are convex: none reaches beyond its facets"
        return found(CONVEX, Outcome.TRUE, fact, description)
    for n_tried in range(1, 200):
        tessellation = tessellate(random_network(f"dent {n_tried}", (2, 2, 1, 1), 1))
        dent = find_dent(tessellation)
        if dent is not None:
            return _dented(tessellation, dent, f"network {n_tried} of the search: ")
    raise InternalError("A small network needs a linear region that is not convex but none has one. Please report it.")


def find_dent_of(network: Network, domain: Domain) -> Dent | None:
    """Return `find_dent` of a network on a domain."""
    from polyrelu.tessellation.build import tessellate

    return find_dent(tessellate(network, domain))


def _dented(tessellation: Tessellation, dent: Dent, prefix: str) -> Verdict:
    x, y, z = (f"({', '.join(map(str, point))})" for point in dent.points)
    description = (
        f"{prefix}the regions {', '.join(map(str, dent.chain))} have one map and share facets, but between {x} and {z} "
        f"in them lies {y}, with another map; the regions of patterns are convex"
    )
    return found(CONVEX, Outcome.FALSE, dent_evidence(tessellation, dent), description)


def _figure(subject: Subject | None) -> Verdict:
    from polyrelu.analysis.answers import decide_region_exists
    from polyrelu.region.lp import Witness, find_point

    refuse(subject, "001-figure-1", "the network of a figure")
    network = Network.from_arrays([*FIGURE_1, ([[1, 1, 1]], [0])])
    rows = _printed_rows()
    answer = find_point(rows, [True] * len(rows), 3)
    empty = decide_region_exists(network, Pattern.parse(DRAWN))
    if not isinstance(answer, Witness) or empty.holds or empty.evidence is None:
        raise InternalError("The rows of Fig. 1 need a point, and its pattern no region. Please report it.")
    pattern = network.exact.pattern_at(answer.point)
    layer_2 = _patterns_of_layer_2(network)
    facts = (
        Computation("printed inequalities", _printed_values_are_positive, (answer.point,), True),
        empty.evidence,
        Computation("all patterns of layer 2", _patterns_of_layer_2, (network,), layer_2),
    )
    evidence = Counterexample(network, (answer.point,), (pattern,), facts)
    description = (
        f"({', '.join(map(str, answer.point))}) fulfils them, but has the pattern {pattern}: in the rows of layer 2, "
        f"the column of the inactive neuron has to be 0. No input has {DRAWN}: in layer 2 all have {layer_2[0]}"
    )
    return found(FIGURE, Outcome.FALSE, evidence, description)


def _printed_rows() -> list[tuple[int, ...]]:
    """Return the rows (a, c) of Fig. 1 with a x + c > 0, layer 2 with all three rows of layer 1."""
    (first, bias), (second, later) = FIGURE_1
    rows = [(*row, c) for row, c in zip(first, bias, strict=True)]
    rows += [
        (*(sum(w * row[k] for w, row in zip(weights, first, strict=True)) for k in range(3)),
         sum(w * c for w, c in zip(weights, bias, strict=True)) + b)
        for weights, b in zip(second, later, strict=True)
    ]  # fmt: skip
    signs = [1 if digit == "1" else -1 for digit in DRAWN.replace("|", "")]
    return [tuple(sign * a for a in row) for sign, row in zip(signs, rows, strict=True)]


def _printed_values_are_positive(point: tuple[Fraction, ...]) -> bool:
    one = Fraction(1)
    return all(sum(a * v for a, v in zip(row, (*point, one), strict=True)) > 0 for row in _printed_rows())


def _patterns_of_layer_2(network: Network) -> list[str]:
    from polyrelu.tessellation.build import tessellate

    tessellation = tessellate(network)
    return sorted({str(tessellation.pattern(i)).split("|")[1] for i in range(tessellation.n_regions)})


def _strictness(subject: Subject | None) -> Verdict:
    refuse(subject, "001-figure-1-strictness", "wording")
    network, zero = Network.from_arrays([([[1]], [0]), ([[1]], [0])]), (Fraction(0),)
    fact = Computation("both maps at 0", _maps_at_border, (network,), (Fraction(0), Fraction(0)))
    evidence = AllOf((HasPattern(network, zero, Pattern.parse("0")), fact))
    description = "wording: both maps have one value where the preactivation is 0; here its bit is 0 there"
    return found(STRICTNESS, Outcome.DEFINITION, evidence, description)


def _maps_at_border(network: Network) -> tuple[Fraction, Fraction]:
    constants = [map_rows(network, Pattern.parse(text))[0][-1] for text in "01"]
    return constants[0], constants[1]


def _rows(subject: Subject | None) -> Verdict:
    from polyrelu.tessellation.build import tessellate

    network = xor_network(1) if subject is None else subject.network
    tessellation = tessellate(network) if subject is None else tessellated_subject(subject, "001-eqs-5.2-5.4", SMALL)
    patterns = [tessellation.pattern(i) for i in range(tessellation.n_regions)]
    asked = [(tessellation.network, pattern) for pattern in patterns]
    parts = tuple(Computation("rows of a region", map_rows, pair, map_rows(*pair)) for pair in asked)
    description = f"a row for each of {len(parts)} regions; order and repetition matter for clustering alone"
    return found(ROWS, Outcome.DEFINITION, Exhaustive("regions", tessellation.n_regions, parts), description)


def _claim(
    name: str, place: str, statement: str, outcome: Outcome, decide: Callable[[Subject | None], Verdict]
) -> Claim:
    return Claim(f"001-{name}", PAPER, place, statement, outcome, decide)


CLAIMS = (
    _claim("eq-3.1", "eq. (3.1)", PIECES, Outcome.TRUE, _pieces),
    _claim("convex-portions", "Sec. 3", CONVEX, Outcome.FALSE, _convex),
    _claim("figure-1", "Fig. 1", FIGURE, Outcome.FALSE, _figure),
    _claim("figure-1-strictness", "Fig. 1 and eq. (3.1)", STRICTNESS, Outcome.DEFINITION, _strictness),
    *XOR_CLAIMS,
    *WIDTH_CLAIMS,
    _claim("eqs-5.2-5.4", "eqs. (5.2) to (5.4)", ROWS, Outcome.DEFINITION, _rows),
)
