"""Proofs about how far a point is from another class: a point that has it, and a tree that no nearer one has.

The tree follows the neurons in their order. A node is the set of inputs on which some first neurons have given digits.
Below it stands a node for each digit of the next neuron, unless multipliers prove that it does not meet the ball. The
last nodes are regions, and multipliers prove for each other class that no point of the region in the ball has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from polyrelu.certificate.answer_rows import (
    AnswerRow,
    LayerForms,
    Multipliers,
    combine,
    domain_rows,
    require,
    value_at,
)
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import null_space
from polyrelu.network.model import Network

__all__ = ["BallConditions", "ClassChange", "ClassKept", "NearestChange", "Step", "squared_norm"]

Step = tuple[tuple[int, Fraction], ...] | None
"""What a tree says of a digit or a class: None if the node stands in the tree, else multipliers of the domain's rows,
the node's and its own that prove: nothing is in the ball. No multipliers: one of its own rows proves it."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassChange:
    """A point of the domain at which another output is at least as large as that of the class.

    Attributes
    ----------
    network : Network
    domain : Domain
    point : tuple of Fraction, length dim
        The point that was asked about.
    label : int
        Its class, an output.
    norm : {1, 2, math.inf}
    change : tuple of Fraction, length dim
    squared_distance : Fraction
        Between the two points.
    """

    network: Network
    domain: Domain
    point: tuple[Fraction, ...]
    label: int
    norm: float
    change: tuple[Fraction, ...]
    squared_distance: Fraction

    def check(self) -> None:
        """Raise `CertificateError` unless the class changes at this distance."""
        _check_question(self.network, self.domain, self.point, self.label, self.norm)
        require(len(self.change) == self.network.dim, "a changed point of the network's dimension")
        require(_is_inside(self.domain, self.change), "a changed point of the domain")
        steps = [a - b for a, b in zip(self.change, self.point, strict=True)]
        require(squared_norm(steps, self.norm) == self.squared_distance, "the distance of its changed point")
        outputs = self.network.exact(self.change)
        others = [value for i, value in enumerate(outputs) if i != self.label]
        require(max(others) >= outputs[self.label], "a changed point of another class")


@dataclass(frozen=True, slots=True, eq=False)
class ClassKept:
    """A proof that all other outputs stay below that of the class, at all points of the domain in a ball.

    Attributes
    ----------
    network, domain, point, label, norm
        As in `ClassChange`.
    squared_radius : Fraction or None
        None for the whole domain.
    is_closed : bool
        True if points at just the radius belong to the ball.
    interior : tuple of Fraction, length dim
        Strictly inside each row of the domain that does not vanish on all of it.
    flatness : tuple of Fraction, one for each row of the domain
        Nonnegative, with ``sum(flatness * rows) = 0``: rows with a positive one vanish on the whole domain. All 0 for a
        domain with interior points.
    steps : tuple of Step
        The tree, node by node. A node that is not yet a region takes one step for each digit of its next neuron, a
        region one for each other class. Of the nodes that are still to be read the latest comes first.

    Notes
    -----
    Why it suffices. Almost every point ``x`` of the domain lies on no row of the tree (rows that are constant on the
    domain left aside), so its digits lead through nodes in whose rows it lies strictly, up to a region or to a digit
    without a node. With multipliers ``y >= 0`` of rows that are nonnegative at ``x``, and ``u`` their normals' sum,
    ``u · (x - point) >= -sum(y * rows at point) =: m``. If ``m`` is at least the radius times the dual norm of ``u``,
    then ``x`` is not in the open ball; if ``u`` is 0, then ``m > 0`` is impossible, and so is ``m = 0`` with a strict
    row. So almost every point of the ball reaches a region. As regions are closed and finitely many, every point of the
    ball lies in one, and what is proved there, with rows taken as closed, holds for it. A closed ball lies in an open
    one for which the same multipliers do, since they are finitely many and each proves a little more.
    """

    network: Network
    domain: Domain
    point: tuple[Fraction, ...]
    label: int
    norm: float
    squared_radius: Fraction | None
    is_closed: bool
    interior: tuple[Fraction, ...]
    flatness: tuple[Fraction, ...]
    steps: tuple[Step, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the class is kept."""
        _check_question(self.network, self.domain, self.point, self.label, self.norm)
        self._check_domain()
        ball = BallConditions.of(self)
        first = domain_rows(self.network, self.domain)
        nodes: list[tuple[LayerForms, tuple[int, ...], tuple[AnswerRow, ...]]]
        nodes = [(LayerForms.of(self.network), (), tuple(first))]
        steps, neuron = iter(self.steps), 0
        while nodes:
            forms, digits, rows = nodes.pop()
            while len(digits) == len(forms.units) and not forms.is_output:
                forms, digits = forms.behind(digits), ()
            if forms.is_output:
                for other in range(self.network.n_out):
                    if other != self.label:
                        goal = AnswerRow(forms.difference(other, self.label), False, -1)
                        require(ball.forbids(rows, [goal], _next(steps), False), "a region where the class is kept")
                continue
            for digit in range(forms.n_digits[len(digits)]):
                own, step = forms.rows(len(digits), digit, neuron), _next(steps)
                if step is None:
                    nodes.append((forms, (*digits, digit), (*rows, *own)))
                else:
                    require(ball.forbids(rows, own, step, True), "multipliers that keep a digit out of the ball")
        require(not list(steps), "a tree that ends with its last node")

    def _check_domain(self) -> None:
        rows = [row for row, _, _ in domain_rows(self.network, self.domain)]
        require(len(self.flatness) == len(rows), "one number of its flatness for each row of the domain")
        require(all(y >= 0 for y in self.flatness), "a flatness that is not negative")
        total = combine(rows, list(enumerate(self.flatness)), self.network.dim + 1)
        require(not any(total), "a flatness that cancels the rows of the domain")
        require(len(self.interior) == self.network.dim, "an interior point of the domain's dimension")
        for row, y in zip(rows, self.flatness, strict=True):
            value = value_at(row, self.interior)
            require(value > 0 or (value == 0 and (y > 0 or not any(row))), "an interior point of the domain")
        square = self.squared_radius
        require(square is None or square > 0 or (self.is_closed and square == 0), "a radius")


@dataclass(frozen=True, slots=True, eq=False)
class NearestChange:
    """A changed point, and the proof that no nearer one is changed.

    Attributes
    ----------
    change : ClassChange
    kept : ClassKept or None
        None if the distance is 0.
    """

    change: ClassChange
    kept: ClassKept | None

    def check(self) -> None:
        """Raise `CertificateError` unless both hold and fit together."""
        self.change.check()
        if self.change.squared_distance == 0:
            return
        kept, change = self.kept, self.change
        require(kept is not None, "a tree for the points that are nearer")
        if kept is None:
            return
        require(kept.network.hash == change.network.hash, "two proofs about one network")
        require(kept.domain.rows == change.domain.rows, "two proofs about one domain")
        ours, theirs = ((p.point, p.label, p.norm) for p in (kept, change))
        require(ours == theirs, "two proofs about one point")
        is_nearest = kept.squared_radius is None or kept.squared_radius >= change.squared_distance
        require(is_nearest, "a tree for all points that are nearer")
        kept.check()


@dataclass(frozen=True, slots=True)
class BallConditions:
    """A ball in the affine hull of a domain, ready to be compared with rows.

    Attributes
    ----------
    point : tuple of int, length dim + 1
        The centre times its common denominator, which comes last.
    norm : {1, 2, math.inf}
    squared_radius : Fraction or None
    is_closed : bool
    directions : tuple of tuple of int, or None
        A basis of the hull; None for the whole space.
    """

    point: tuple[int, ...]
    norm: float
    squared_radius: Fraction | None
    is_closed: bool
    directions: tuple[tuple[int, ...], ...] | None

    @staticmethod
    def of(kept: ClassKept) -> BallConditions:
        """Return the ball of a proof."""
        scale = math.lcm(*(x.denominator for x in kept.point))
        equal = [row[:-1] for row, y in zip(kept.domain.rows, kept.flatness, strict=True) if y and any(row[:-1])]
        directions = null_space(equal, kept.network.dim) if equal else None
        point = (*(int(x * scale) for x in kept.point), scale)
        return BallConditions(point, kept.norm, kept.squared_radius, kept.is_closed, directions)

    def is_constant(self, row: Sequence[int]) -> bool:
        """Return whether a row is constant on the hull."""
        if self.directions is None:
            return not any(row[:-1])
        return not any(sum(a * v for a, v in zip(row, way, strict=False)) for way in self.directions)

    def forbids(self, rows: Sequence[AnswerRow], own: Sequence[AnswerRow], step: Step, is_open: bool) -> bool:
        """Return whether multipliers prove that rows and a node's own rows do not meet the ball.

        Parameters
        ----------
        step : Step
        is_open : bool
            Only for points strictly inside the rows; else for all.
        """
        if step is None:
            return False
        if not step:
            return any(self._is_beyond(row.row, is_open and self._is_strict(row)) for row in own)
        n, last = len(rows), len(rows) + len(own)
        if not all(0 <= i < last and y >= 0 for i, y in step):
            return False
        used = [(rows[i] if i < n else own[i - n], y) for i, y in step if y]
        pairs: Multipliers = [(i, y) for i, (_, y) in enumerate(used)]
        total = combine([row.row for row, _ in used], pairs, len(self.point))
        return self._is_beyond(total, is_open and any(self._is_strict(row) for row, _ in used))

    def _is_strict(self, row: AnswerRow) -> bool:
        return row.is_strict or (row.neuron >= 0 and not self.is_constant(row.row))

    def _is_beyond(self, total: Sequence[int], is_strict: bool) -> bool:
        margin = -sum(a * x for a, x in zip(total, self.point, strict=True) if a)
        if self.is_constant(total):
            return margin > 0 or (margin == 0 and is_strict)
        if margin < 0 or self.squared_radius is None:
            return False
        dual = squared_norm(total[:-1], {1: math.inf, 2: 2, math.inf: 1}[self.norm])
        square = margin * margin * self.squared_radius.denominator
        bound = self.squared_radius.numerator * dual * self.point[-1] ** 2
        return square > bound if self.is_closed else square >= bound


def squared_norm(vector: Sequence[Any], norm: float) -> Any:
    """Return the square of a norm, an int of ints and a Fraction of fractions."""
    if norm == 2:
        return sum(value * value for value in vector)
    sizes = [abs(value) for value in vector]
    length = sum(sizes) if norm == 1 else max(sizes, default=0)
    return length * length


def _check_question(
    network: Network, domain: Domain, point: Sequence[Fraction], label: int, norm: float
) -> None:
    require(domain.dim == network.dim == len(point), "a domain and a point of the network's dimension")
    require(network.n_out > 1 and 0 <= label < network.n_out, "a class among the outputs")
    require(norm in (1, 2, math.inf), "the norm 1, 2 or inf")
    require(_is_inside(domain, point), "a point of the domain")


def _is_inside(domain: Domain, point: Sequence[Fraction]) -> bool:
    return all(value_at(row, point) >= 0 for row in domain.rows)


def _next(steps: Iterator[Step]) -> Step:
    for step in steps:
        return step
    require(False, "a step for every digit and every class")
    return None
