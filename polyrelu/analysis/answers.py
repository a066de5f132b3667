"""Questions about regions by their patterns, each answered with its proof.

Does a region exist, is it bounded, does a row matter, do two regions share a facet, is the network one map on both?
Exact linear programs find the proofs; `polyrelu.certificate.answers` checks them without.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from polyrelu.certificate.answer_rows import AnswerRow, pattern_rows
from polyrelu.certificate.answers import (
    MapsDiffer,
    MapsEqual,
    PairAdjacent,
    PairNotAdjacent,
    RegionBounded,
    RegionEmpty,
    RegionExists,
    RegionUnbounded,
    RowNeeded,
    RowRedundant,
    affine_map,
    inner_flags,
)
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import rank
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.lp import Bounded, Infeasible, Witness, decide_bounded, find_point

__all__ = [
    "decide_adjacent",
    "decide_bounded_region",
    "decide_equal_maps",
    "decide_redundant",
    "decide_region_exists",
]


def decide_region_exists(network: Network, pattern: Pattern, domain: Domain | None = None) -> Verdict:
    """Decide whether some ball of inputs of a domain has a pattern.

    The value is a point inside, or None. No ball lies in a flat domain.

    Raises
    ------
    PatternError, DomainError
        If the pattern or the domain does not fit the network; so do the other questions.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> verdict = decide_region_exists(xor(), Pattern.parse("01"))
    >>> verdict.holds, [str(y) for y in verdict.evidence.multipliers]
    (False, ['1/4', '1/4'])
    >>> verdict.evidence.check()
    """
    _check(network, domain, pattern)
    statement = f"a ball of inputs{_within(domain)} has the pattern {pattern}"
    evidence = _existence(network, pattern, domain)
    if isinstance(evidence, RegionExists):
        return Verdict(statement, True, evidence, evidence.point)
    return Verdict(statement, False, evidence)


def decide_redundant(network: Network, pattern: Pattern, row: int, domain: Domain | None = None) -> Verdict:
    """Decide whether the other rows of a pattern imply one of its rows.

    The rows of the neurons come in their order, those of the domain after them; for ReLU, row ``i`` is neuron ``i``. Of
    two equal rows each is redundant, as the other one is left. The value is a point that only this row keeps out, or
    None.

    Raises
    ------
    InputError
        If there is no such row.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> [decide_redundant(xor(), Pattern.parse("11"), row).holds for row in (0, 1)]
    [True, False]
    """
    _check(network, domain, pattern)
    rows = pattern_rows(network, pattern, domain)
    if not 0 <= row < len(rows):
        raise InputError(f"decide_redundant needs a row from 0 to {len(rows) - 1} but received {row}. Name another.")
    statement = f"the other rows of the pattern {pattern}{_within(domain)} imply row {row}"
    turned = [tuple(-v for v in r.row) if i == row else r.row for i, r in enumerate(rows)]
    answer = find_point(turned, [i == row for i in range(len(rows))], network.dim, central=False)
    if isinstance(answer, Infeasible):
        return Verdict(statement, True, RowRedundant(network, pattern, domain, row, answer.multipliers))
    return Verdict(statement, False, RowNeeded(network, pattern, domain, row, answer.point), answer.point)


def decide_adjacent(network: Network, pattern: Pattern, other: Pattern, domain: Domain | None = None) -> Verdict:
    """Decide whether two regions share a facet.

    They do not if one of them does not exist; the evidence is then its `RegionEmpty`. The value is a point in the
    relative interior of the facet, or None.

    Raises
    ------
    InputError
        If the two patterns are one.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> patterns = [Pattern.parse(text) for text in ("00", "10", "11")]
    >>> decide_adjacent(xor(), *patterns[:2]).value
    (Fraction(0, 1), Fraction(0, 1))
    >>> decide_adjacent(xor(), patterns[0], patterns[2]).holds
    False
    """
    _check(network, domain, pattern, other)
    if pattern == other:
        raise InputError(f"decide_adjacent needs two patterns but received {str(pattern)!r} twice. Give two.")
    statement = f"the regions {pattern} and {other}{_within(domain)} share a facet"
    ours, theirs = pattern_rows(network, pattern, domain), pattern_rows(network, other, None)
    for each in (pattern, other):
        existence = _existence(network, each, domain)
        if isinstance(existence, RegionEmpty):
            return Verdict(statement, False, existence)
    found = _facet_or_multipliers([*ours, *theirs], network.dim)
    if isinstance(found, Witness):
        return Verdict(statement, True, PairAdjacent(network, pattern, other, domain, found.point), found.point)
    return Verdict(statement, False, PairNotAdjacent(network, pattern, other, domain, found))


def decide_bounded_region(network: Network, pattern: Pattern, domain: Domain | None = None) -> Verdict:
    """Decide whether a region is bounded; a pattern without a region has a bounded one, the empty set.

    The value is a direction in which one may go for ever, or None.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> verdict = decide_bounded_region(xor(), Pattern.parse("10"))
    >>> verdict.holds, [str(x) for x in verdict.value]
    (False, ['-1', '1'])
    """
    _check(network, domain, pattern)
    statement = f"the region {pattern}{_within(domain)} is bounded"
    existence = _existence(network, pattern, domain)
    if isinstance(existence, RegionEmpty):
        return Verdict(statement, True, existence)
    rows = [row.row for row in pattern_rows(network, pattern, domain)]
    is_bounded, answer = decide_bounded(rows, network.dim)
    if isinstance(answer, Bounded):
        return Verdict(statement, is_bounded, RegionBounded(network, pattern, domain, answer.multipliers))
    ray = tuple(Fraction(v) for v in answer.direction)
    return Verdict(statement, False, RegionUnbounded(network, pattern, domain, existence.point, ray), ray)


def decide_equal_maps(network: Network, pattern: Pattern, other: Pattern) -> Verdict:
    """Decide whether the network is the same affine map on two patterns, whether or not they have regions.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> decide_equal_maps(xor(), Pattern.parse("10"), Pattern.parse("11")).evidence.check()
    """
    _check(network, None, pattern, other)
    statement = f"the network is the same affine map on {pattern} and {other}"
    ours, theirs = (affine_map(network, each).to_fractions() for each in (pattern, other))
    for output, (row, compared) in enumerate(zip(ours, theirs, strict=True)):
        for column, (a, b) in enumerate(zip(row, compared, strict=True)):
            if a != b:
                return Verdict(statement, False, MapsDiffer(network, pattern, other, output, column))
    return Verdict(statement, True, MapsEqual(network, pattern, other))


def _check(network: Network, domain: Domain | None, *patterns: Pattern) -> None:
    for pattern in patterns:
        network.unit_digits(pattern)
    if domain is not None:
        domain.check_dim(network.dim)


def _existence(network: Network, pattern: Pattern, domain: Domain | None) -> RegionExists | RegionEmpty:
    rows = pattern_rows(network, pattern, domain)
    answer = find_point([row.row for row in rows], inner_flags(rows), network.dim)
    if isinstance(answer, Infeasible):
        return RegionEmpty(network, pattern, domain, answer.multipliers)
    return RegionExists(network, pattern, domain, answer.point)


def _facet_or_multipliers(rows: Sequence[AnswerRow], dim: int) -> Witness | tuple[Fraction, ...]:
    """Return a point of the common facet that lies on no other row, or multipliers that prove there is none.

    Round after round, a linear program asks for a point strictly inside all rows that are not known to vanish on the
    whole common set. Its refusal names more that do.
    """
    forms = [row.row for row in rows]
    turned = [tuple(-v for v in form) for form in forms]
    total = [Fraction(0)] * len(forms)
    while True:
        vanishing = [i for i, y in enumerate(total) if y]
        strict = [any(form[:-1]) and not y for form, y in zip(forms, total, strict=True)]
        # A row that vanishes stands beside itself turned round.
        asked = [*forms, *(turned[i] for i in vanishing)]
        answer = find_point(asked, [*strict, *(False for _ in vanishing)], dim)
        if isinstance(answer, Witness):
            normals = [forms[i][:-1] for i in vanishing]
            if rank(normals) == 1:
                return answer
            raise InternalError("Two regions need to meet in a facet or in less. Please report the network.")
        found = _without_turned(answer.multipliers, vanishing, total)
        total = [t + y for t, y in zip(total, found, strict=True)]
        constant = sum((y * form[-1] for y, form in zip(found, forms, strict=True)), Fraction(0))
        if constant < 0:
            return tuple(found)
        if rank([form[:-1] for form, y in zip(forms, total, strict=True) if y]) > 1:
            return tuple(total)


def _without_turned(
    multipliers: Sequence[Fraction], vanishing: Sequence[int], total: Sequence[Fraction]
) -> list[Fraction]:
    """Return multipliers of the rows alone: as ``sum(total * rows)`` is 0, minus a vanishing row is a sum of rows."""
    found = list(multipliers[: len(total)])
    for i, y in zip(vanishing, multipliers[len(total) :], strict=True):
        factor = y / total[i]
        found = [f + factor * t for f, t in zip(found, total, strict=True)]
        found[i] -= y
    return found


def _within(domain: Domain | None) -> str:
    return "" if domain is None else f" in {domain.label}"
