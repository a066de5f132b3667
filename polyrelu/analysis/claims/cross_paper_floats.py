"""Claims about floats that implementations of all five papers rely on, each with a small network where they fail."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from polyrelu.analysis.claims.evidence import Computation, Counterexample, HasPattern
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.subjects import refuse
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

__all__ = ["CLAIMS", "PAPER"]

PAPER = "Between the papers"
SIGNS = "evaluating a network in float64 gives the right pattern of every float64 input"
BOX = "a box that is large, such as [-10^6, 10^6]^n, meets every region of a network with small weights"
ROWS = "every row of a region is a halfspace: no neuron is constant where the others keep their digits"


def _signs(subject: Subject | None) -> Verdict:
    refuse(subject, "x-float-signs", "one family of networks")
    network = Network.from_arrays([([[1, 1]], [-1]), ([[1]], [0])])
    for exponent in range(1, 200):
        point = (Fraction(1), Fraction(1, 2**exponent))
        rounded = _float_bit(network, point)
        pattern = network.exact.pattern_at(point)
        if pattern != rounded:
            facts = (HasPattern(network, point, pattern), Computation("float64", _float_bit, (network, point), rounded))
            description = (
                f"x + y - 1 at (1, 2^-{exponent}) is positive, and in float64 it is 0: bit {pattern} becomes {rounded}"
            )
            return found(SIGNS, Outcome.FALSE, Counterexample(network, (point,), (pattern,), facts), description)
    raise InternalError("Rounding needs to show at some power of two but did not. Please report it.")


def _float_bit(network: Network, point: tuple[Fraction, ...]) -> Pattern:
    """Return the pattern of a network with one neuron at a point, by its output in floats."""
    return Pattern(((int(network([float(x) for x in point])[0] > 0),),))


def _box(subject: Subject | None) -> Verdict:
    from polyrelu.analysis.answers import decide_region_exists

    refuse(subject, "x-large-box", "one family of networks")
    box = Domain.box([-(10**6)] * 2, [10**6] * 2)
    for exponent in range(1, 50):
        slope = float(Fraction(1, 2**exponent))
        network = Network.from_arrays([([[1.0, 0.0], [1.0, slope]], [0.0, -1.0]), ([[1, 1]], [0])])
        pattern = Pattern.parse("01")
        inside, anywhere = decide_region_exists(network, pattern, box), decide_region_exists(network, pattern)
        if anywhere and not inside and inside.evidence is not None and anywhere.evidence is not None:
            facts = (inside.evidence, anywhere.evidence)
            evidence = Counterexample(network, (anywhere.value,), (pattern,), facts)
            description = (
                f"the lines x = 0 and x + 2^-{exponent} y = 1 meet at y = 2^{exponent}, so the region {pattern} has no "
                "point in the box"
            )
            return found(BOX, Outcome.FALSE, evidence, description)
    raise InternalError("Some region needs to lie outside a large box but none does. Please report it.")


def _rows(subject: Subject | None) -> Verdict:
    refuse(subject, "x-constant-rows", "two networks")
    network = Network.from_arrays([([[0], [1]], [1, 0]), ([[1, 0], [0, 1]], [-1, 0]), ([[1, 1]], [0])])
    pattern = Pattern.parse("10|00")
    rows = preactivation_rows(network, pattern)
    fact = Computation("preactivations on the region", preactivation_rows, (network, pattern), rows)
    point = (Fraction(-1),)
    evidence = Counterexample(network, (point,), (pattern,), (fact,))
    n_constant, n_zero = sum(not row[0] for row in rows), sum(not any(row) for row in rows)
    outcome = Outcome.FALSE if n_constant else Outcome.TRUE
    description = (
        f"on the region {pattern}, x < 0, {n_constant} of 4 preactivations are constant, {n_zero} of them "
        "0: such rows are kept, without being halfspaces, and are no border"
    )
    return found(ROWS, outcome, evidence, description)


def preactivation_rows(network: Network, pattern: Pattern) -> tuple[tuple[Fraction, ...], ...]:
    """Return the preactivations of all neurons for a pattern, as rows ``(a_1, ..., a_dim, c)``."""
    layers = network.exact.preactivation_rows([digits.tolist() for digits in network.unit_digits(pattern)])[:-1]
    return tuple(tuple(row) for layer in layers for row in layer.to_fractions())


def _claim(name: str, statement: str, decide: Callable[[Subject | None], Verdict]) -> Claim:
    return Claim(f"x-{name}", PAPER, "implementations", statement, Outcome.FALSE, decide)


CLAIMS = (
    _claim("float-signs", SIGNS, _signs),
    _claim("large-box", BOX, _box),
    _claim("constant-rows", ROWS, _rows),
)
