"""Claims of paper 001 about its XOR example (Fig. 2, eqs. 3.2 and 3.3): which pieces the printed network has."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from polyrelu.analysis.claims.evidence import AllOf, Computation, Counterexample, Exhaustive, HasOutputs
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.subjects import refuse
from polyrelu.certificate.answers import affine_map
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import InternalError
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

__all__ = ["CLAIMS", "PAPER", "map_rows", "xor_network"]

PAPER = "Sattelberg et al. 2020, Locally Linear Attributes of ReLU Neural Networks"
PIECES = "the network of eq. (3.2) has the pieces -x-y+1, x+y+1 and -1 of eq. (3.3), and solves XOR on (+-1, +-1)"
REPAIR = "with 2 as its first bias the network has the pieces -s+1, s+1 and -1 of s = x + y, and solves XOR"
FOURTH = "the pattern of the network that no input has belongs to the map -4x-4y+3"
THREE = "the network has three regions, and its fourth pattern has none"
CORNERS = tuple((Fraction(x), Fraction(y)) for x in (-1, 1) for y in (-1, 1))
TARGETS = tuple((Fraction(-1) if x == y else Fraction(1),) for x, y in CORNERS)
PRINTED_PIECES = {"11": (-1, -1, 1), "10": (1, 1, 1), "00": (0, 0, -1)}

Rows = tuple[tuple[Fraction, ...], ...]


def xor_network(first_bias: int) -> Network:
    """Return eq. (3.2) with some number in place of its first bias, 1."""
    return Network.from_arrays([([[1, 1], [1, 1]], [first_bias, 0]), ([[1, -2]], [-1])])


def zero_one_network() -> Network:
    """Return the network that solves XOR on {0, 1}^2 with outputs -1 and 1."""
    return Network.from_arrays([([[1, 1], [1, 1]], [0, -1]), ([[2, -4]], [-1])])


def map_rows(network: Network, pattern: Pattern) -> Rows:
    """Return the affine map that a pattern gives, whether or not it has a region: rows ``(a_1, ..., a_dim, c)``."""
    return tuple(map(tuple, affine_map(network, pattern).to_fractions()))


def _pieces(subject: Subject | None) -> Verdict:
    refuse(subject, "001-xor-pieces", "the network of an example")
    network = xor_network(1)
    maps = {text: map_rows(network, Pattern.parse(text)) for text in PRINTED_PIECES}
    other = [text for text, printed in PRINTED_PIECES.items() if maps[text] != (tuple(map(Fraction, printed)),)]
    if not other:
        raise InternalError("The network of eq. (3.2) needs other pieces than printed ones. Please report it.")
    facts: list[Evidence] = [_map_fact(network, text) for text in other]
    facts += [HasOutputs(network, x, network.exact(x)) for x in CORNERS]
    border = (Fraction(-1), Fraction(0))
    jump = Computation("printed pieces at x + y = -1", _printed_at, (border,), (Fraction(0), Fraction(-1)))
    patterns = tuple(network.exact.pattern_at(x) for x in CORNERS)
    evidence = Counterexample(network, CORNERS, patterns, (*facts, jump))
    outputs = ", ".join(str(network.exact(x)[0]) for x in reversed(CORNERS))
    description = (
        f"its maps are {', '.join(_map_text(maps[text]) for text in maps)}; the printed ones do not even agree at "
        f"x + y = -1; outputs at (1, 1), (1, -1), (-1, 1), (-1, -1): {outputs}, so XOR's positive class gets 0"
    )
    return found(PIECES, Outcome.FALSE, evidence, description)


def _printed_at(point: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction]:
    """Return the second and the third printed piece at a point."""
    second, third = (
        sum((a * v for a, v in zip(PRINTED_PIECES[text], (*point, Fraction(1)), strict=True)), Fraction(0))
        for text in ("10", "00")
    )
    return second, third


def _repair(subject: Subject | None) -> Verdict:
    refuse(subject, "001-xor-repair", "the network of an example")
    right = [b for b in range(-5, 6) if _solves(xor_network(b))]
    network = xor_network(2)
    printed = {text: (tuple(map(Fraction, row)),) for text, row in PRINTED_PIECES.items()}
    facts = [_map_fact(network, text) for text in printed]
    facts_hold = all(fact.value == printed[text] for fact, text in zip(facts, printed, strict=True))
    outputs = [HasOutputs(network, x, y) for x, y in zip(CORNERS, TARGETS, strict=True)]
    outcome = Outcome.TRUE if facts_hold and right == [2] else Outcome.FALSE
    evidence = AllOf((*facts, *outputs, Computation("solves XOR", _solves, (network,), True)))
    description = f"of the biases -5 to 5 only {right} solves XOR; its maps are the printed ones, kinks at s = -2, 0"
    return found(REPAIR, outcome, evidence, description)


def _solves(network: Network) -> bool:
    return all(network.exact(x) == y for x, y in zip(CORNERS, TARGETS, strict=True))


def _fourth(subject: Subject | None) -> Verdict:
    refuse(subject, "001-xor-fourth-map", "the network of an example")
    claimed = (tuple(map(Fraction, (-4, -4, 3))),)
    networks = {"printed": xor_network(1), "repaired": xor_network(2), "on {0, 1}": zero_one_network()}
    maps = {name: map_rows(network, Pattern.parse("01")) for name, network in networks.items()}
    if claimed in (maps["printed"], maps["repaired"]):
        raise InternalError("The fourth map needs to be another than printed. Please report it.")
    facts = tuple(_map_fact(network, "01") for network in networks.values())
    description = ", ".join(f"{name}: {_map_text(rows)}" for name, rows in maps.items())
    evidence = Counterexample(networks["printed"], (), (), facts)
    description = f"map of the pattern 01 of the networks {description}: two different networks were mixed"
    return found(FOURTH, Outcome.FALSE, evidence, description)


def _three(subject: Subject | None) -> Verdict:
    from polyrelu.analysis.answers import decide_region_exists

    refuse(subject, "001-xor-three-regions", "the network of an example")
    parts: list[Evidence] = []
    counts = []
    for network in (xor_network(1), xor_network(2)):
        answers = [decide_region_exists(network, Pattern.parse(text)) for text in ("00", "01", "10", "11")]
        counts.append([bool(answer) for answer in answers])
        parts += [answer.evidence for answer in answers if answer.evidence is not None]
    outcome = Outcome.TRUE if counts == [[True, False, True, True]] * 2 else Outcome.FALSE
    description = "for the printed and the repaired network: 00, 10 and 11 have regions, 01 has none"
    return found(THREE, outcome, Exhaustive("patterns of two networks", 8, tuple(parts)), description)


def _map_fact(network: Network, text: str) -> Computation:
    pattern = Pattern.parse(text)
    return Computation(f"map of the pattern {text}", map_rows, (network, pattern), map_rows(network, pattern))


def _map_text(rows: Rows) -> str:
    """Return a map as text.

    Examples
    --------
    >>> _map_text(((Fraction(-2), Fraction(-2), Fraction(-1)),)), _map_text(((Fraction(0), Fraction(0), Fraction(-1)),))
    ('-2x -2y -1', '-1')
    """
    [row] = rows
    parts = [f"{a}{name}" for a, name in zip(row, ("x", "y", ""), strict=True) if a]
    return " ".join(part if i == 0 or part.startswith("-") else f"+{part}" for i, part in enumerate(parts)) or "0"


def _claim(
    name: str, place: str, statement: str, outcome: Outcome, decide: Callable[[Subject | None], Verdict]
) -> Claim:
    return Claim(f"001-xor-{name}", PAPER, place, statement, outcome, decide)


CLAIMS = (
    _claim("pieces", "eqs. (3.2) and (3.3)", PIECES, Outcome.FALSE, _pieces),
    _claim("repair", "eq. (3.2), corrected", REPAIR, Outcome.TRUE, _repair),
    _claim("fourth-map", "Sec. 3.2", FOURTH, Outcome.FALSE, _fourth),
    _claim("three-regions", "Sec. 3.2", THREE, Outcome.TRUE, _three),
)
