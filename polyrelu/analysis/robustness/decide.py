"""Pointwise robustness: how far is a point from the nearest change of class? Exactly, with proof."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral

from polyrelu.analysis.robustness.cells import Question
from polyrelu.analysis.robustness.proof import kept_of, prove
from polyrelu.analysis.robustness.search import Search, root_distance
from polyrelu.analysis.robustness.support import ExactNearest
from polyrelu.certificate.answer_robustness import BallConditions, ClassChange, ClassKept, NearestChange
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import BudgetError, DomainError, EnumerationInterrupted, InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import null_space
from polyrelu.exact.rational import primitive_row, to_fraction, to_fractions
from polyrelu.network.model import Network
from polyrelu.region.hull import decide_domain
from polyrelu.region.lp import Optimal, maximize

__all__ = ["ClassDistance", "decide_robustness"]


@dataclass(frozen=True, slots=True)
class ClassDistance:
    """How far it is from a point to the nearest change of class.

    Attributes
    ----------
    norm : {1, 2, math.inf}
    label : int
        The class of the point.
    change : tuple of Fraction, length dim, or None
        A point at which another output is at least as large; None if there is none, or none is known.
    squared_distance : Fraction or None
        Of the change; in L2 the distance itself is in general irrational.
    squared_bound : Fraction or None
        No change is nearer, as is proved. It is the squared distance where that is the smallest; None if there is no
        change at all.
    n_regions : int
        Regions visited.
    """

    norm: float
    label: int
    change: tuple[Fraction, ...] | None
    squared_distance: Fraction | None
    squared_bound: Fraction | None
    n_regions: int

    @property
    def distance(self) -> Fraction | None:
        """The distance, where it is rational; always in L1 and L-infinity."""
        return _root(self.squared_distance)

    @property
    def distance_float(self) -> float:
        """The distance, rounded; infinite if no change is known."""
        return root_distance(self.squared_distance)

    @property
    def bound_float(self) -> float:
        """The root of the squared bound, rounded."""
        return root_distance(self.squared_bound)


def decide_robustness(
    network: Network,
    point: Sequence[object],
    radius: object = None,
    norm: float = math.inf,
    domain: Domain | None = None,
    label: int | None = None,
    *,
    max_regions: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verdict:
    """Decide whether all points of a ball have the class of its centre, and find the nearest one that has not.

    The class of a point is its largest output. It changes where another output is *at least* as large, so that the
    nearest change exists, and a point with two largest outputs has distance 0.

    Parameters
    ----------
    network : Network
        With two outputs or more.
    point : sequence of dim numbers
        Taken exactly; in the domain.
    radius : number or text, optional
        Of the closed ball; default the whole domain.
    norm : {math.inf, 2, 1}
        In the network's own inputs; for a slice, in the coordinates of the slice.
    domain : Domain, optional
        Default all inputs; it may be flat.
    label : int, optional
        The class to keep; default the largest output at the point, the first one at a tie.
    max_regions, max_seconds : optional
        Budgets of the search; making the proof comes on top.
    progress : callable, optional
        Called with the number of regions now and then.

    Returns
    -------
    verdict : Verdict
        It holds if the class is kept. ``value`` is a `ClassDistance`; where it does not hold, with the nearest change
        of all, and where a budget ended the work, with the best bounds so far. The evidence is a
        `polyrelu.certificate.answer_robustness.ClassKept` or a `NearestChange`, after a budget a `ClassKept` for a
        smaller ball.

    Raises
    ------
    InputError
        For a network with one output, another norm, a negative radius, a point or a label that does not fit.
    DomainError
        If the domain has another dimension or is empty, or the point lies outside it.
    EnumerationInterrupted
        With the verdict so far as ``.partial``.

    Examples
    --------
    >>> corner = Network.from_arrays([([[1, 0], [0, 1]], [-1, -2]), ([[0, 0], [2, 1]], [1, 0])])
    >>> verdict = decide_robustness(corner, [0, 0])
    >>> verdict.holds, str(verdict.value.distance), str(verdict.value.change[0])
    (False, '3/2', '3/2')
    >>> verdict.evidence.check()
    >>> decide_robustness(corner, [0, 0], "1.4").holds
    True
    >>> decide_robustness(corner, [0, 0], domain=Domain.box([-1, -1], [1, 1])).holds
    True
    >>> decide_robustness(corner, [0, 0], norm=3)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: decide_robustness needs norm 1, 2 or math.inf but received 3. Choose one of them.
    """
    question = _question(network, point, norm, domain, label)
    reach = None if radius is None else _radius(radius)
    deadline = None if max_seconds is None else time.monotonic() + max_seconds
    outputs = network.exact(question.point)
    if max(outputs[i] for i in question.others) >= outputs[question.label]:
        found = ExactNearest(Fraction(0), question.point, ())
        return _changed(question, reach, found, NearestChange(_change(question, found), None), 0)
    search = Search.of(question, root_distance(None if reach is None else reach * reach))
    try:
        while search.run(max_regions, deadline, progress):
            nearest, squared = search.nearest, None if reach is None else reach * reach
            if nearest is not None and squared is not None and (nearest.squared_distance or 0) > squared:
                nearest = None
            if nearest is not None:
                squared = nearest.squared_distance
            steps, gaps = prove(search, squared, nearest is None)
            if not gaps:
                kept = kept_of(question, squared, nearest is None, steps)
                if nearest is None:
                    return _kept(question, reach, kept, search)
                evidence = NearestChange(_change(question, nearest), kept)
                return _changed(question, reach, nearest, evidence, search.n_regions)
            for gap in gaps:
                search.open(*gap)
    except BudgetError:  # too many inputs for an exact linear program
        return _undecided(question, reach, search)
    except KeyboardInterrupt as interrupt:
        raise EnumerationInterrupted(_undecided(question, reach, search)) from interrupt
    return _undecided(question, reach, search)


# --- the question -------------------------------------------------------------------------------------------


def _question(
    network: Network, point: Sequence[object], norm: float, domain: Domain | None, label: int | None
) -> Question:
    if norm not in (1, 2, math.inf):
        raise InputError(f"decide_robustness needs norm 1, 2 or math.inf but received {norm}. Choose one of them.")
    if network.n_out < 2:
        raise InputError(
            f"decide_robustness needs a network with two outputs or more but received {network.n_out}. "
            "Give each class an output."
        )
    centre = to_fractions(point.ravel().tolist() if hasattr(point, "ravel") else point, "decide_robustness")
    if len(centre) != network.dim:
        raise InputError(
            f"decide_robustness needs a point of {network.dim} coordinates but received {len(centre)}. Match them."
        )
    outputs = network.exact(centre)
    kept = outputs.index(max(outputs)) if label is None else label
    if not isinstance(kept, Integral) or not 0 <= kept < network.n_out:
        raise InputError(
            f"decide_robustness needs a label from 0 to {network.n_out - 1} but received {label!r}. Name an output."
        )
    domain = (domain or Domain.all(network.dim)).check_dim(network.dim)
    if not domain.contains(centre):
        raise DomainError(
            f"decide_robustness needs a point of the domain ({domain.label}) but received "
            f"({', '.join(map(str, centre[:6]))}{', …' if len(centre) > 6 else ''}). Move it or widen the domain."
        )
    hull = decide_domain(domain)
    flatness = _flatness(domain, hull.equalities)
    directions = null_space([domain.rows[i][:-1] for i in hull.equalities], domain.dim) if hull.equalities else None
    scale = math.lcm(*(x.denominator for x in centre))
    scaled = (*(int(x * scale) for x in centre), scale)
    ball = BallConditions(scaled, norm, None, False, directions)
    return Question(network, domain, centre, int(kept), norm, hull.point, flatness, ball)


def _flatness(domain: Domain, equalities: Sequence[int]) -> tuple[Fraction, ...]:
    """Return nonnegative multipliers that cancel a domain's rows, positive on those that vanish on all of it."""
    rows = [primitive_row(row) for row in domain.rows]
    total = [Fraction(0)] * len(rows)
    for i in equalities:
        if total[i]:
            continue
        answer = maximize(rows[i], rows)
        if not isinstance(answer, Optimal) or answer.value:
            raise InternalError(f"A row of a flat domain needs to vanish but received {answer}. Please report it.")
        total = [t + y + (i == j) for j, (t, y) in enumerate(zip(total, answer.multipliers, strict=True))]
    return tuple(total)


def _radius(radius: object) -> Fraction:
    value = to_fraction(radius, "decide_robustness")
    if value < 0:
        raise InputError(f"decide_robustness needs a radius of at least 0 but received {value}. Give its size.")
    return value


# --- the answer ---------------------------------------------------------------------------------------------


def _statement(question: Question, reach: Fraction | None) -> str:
    where = f"the domain ({question.domain.label})"
    if reach is not None:
        name = {1: "1", 2: "2", math.inf: "∞"}[question.norm]
        where += f" at most {reach} away from the point in L{name}"
    return f"every point of {where} keeps class {question.label}"


def _change(question: Question, found: ExactNearest) -> ClassChange:
    q, change, squared = question, found.point, found.squared_distance
    if change is None or squared is None:
        raise InternalError("A change of class needs a point but has none. Please report the network.")
    return ClassChange(q.network, q.domain, q.point, q.label, q.norm, change, squared)


def _changed(
    question: Question, reach: Fraction | None, found: ExactNearest, evidence: NearestChange, n_regions: int
) -> Verdict:
    square = found.squared_distance
    value = ClassDistance(question.norm, question.label, found.point, square, square, n_regions)
    return Verdict(_statement(question, reach), False, evidence, value)


def _kept(question: Question, reach: Fraction | None, kept: ClassKept, search: Search) -> Verdict:
    value = ClassDistance(question.norm, question.label, None, None, kept.squared_radius, search.n_regions)
    return Verdict(_statement(question, reach), True, kept, value)


def _undecided(question: Question, reach: Fraction | None, search: Search) -> Verdict:
    """Return what a search has proved that a budget ended."""
    limit = search.proved_limit()
    evidence, bound = None, Fraction(0)
    if 0 < limit < math.inf:
        # Floats chose the limit; a little below it all that they left out can be proved.
        square = Fraction(limit) ** 2 * Fraction(2**20 - 1, 2**20)
        for _ in range(8):
            steps, gaps = prove(search, square, False, only_floats=True)
            if not gaps:
                evidence, bound = kept_of(question, square, False, steps), square
                break
            square /= 4
    found = search.nearest or ExactNearest(None, None, ())
    value = ClassDistance(question.norm, question.label, found.point, found.squared_distance, bound, search.n_regions)
    return Verdict(_statement(question, reach), None, evidence, value)


def _root(square: Fraction | None) -> Fraction | None:
    if square is None:
        return None
    root = Fraction(math.isqrt(square.numerator), math.isqrt(square.denominator))
    return root if root * root == square else None
