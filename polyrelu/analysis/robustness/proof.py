"""The tree that proves what a search has left out: a step for every digit and class beside the ways it took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from polyrelu.analysis.robustness.cells import Path, Question
from polyrelu.analysis.robustness.search import Search, float_steps
from polyrelu.analysis.robustness.support import ExactNearest
from polyrelu.certificate.answer_robustness import BallConditions, ClassKept, Step, squared_norm
from polyrelu.certificate.answer_rows import AnswerRow

__all__ = ["Gap", "kept_of", "prove"]


class Gap(NamedTuple):
    """Something beside a way that does meet the ball: neuron -1 stands for the outputs and a class."""

    path: Path
    neuron: int
    digit: int
    found: ExactNearest


def prove(
    search: Search, squared_radius: Fraction | None, is_closed: bool, only_floats: bool = False
) -> tuple[tuple[Step, ...], list[Gap]]:
    """Return the steps of a tree for a ball, and the gaps where there is no proof.

    Parameters
    ----------
    search : Search
    squared_radius, is_closed
        As in `ClassKept`.
    only_floats : bool
        Try no exact linear program: only what floats proposed, made exact. A gap then ends the work.
    """
    question = search.question
    ball = replace(question.ball, squared_radius=squared_radius, is_closed=is_closed)
    steps: list[Step] = []
    gaps: list[Gap] = []
    nodes: list[tuple[Path, int, tuple[AnswerRow, ...]]] = [(search.root, 0, tuple(question.domain_rows))]
    while nodes:
        path, neuron, rows = nodes.pop()
        if neuron == len(path.digits):
            for other in question.others:
                goal = AnswerRow(path.layers[-1].forms.difference(other, question.label), False, -1)
                steps.append(_step(search, ball, (path, -1, other), rows, [goal], gaps, only_floats))
        else:
            layer, place = path.places[neuron]
            for digit in range(layer.forms.n_digits[place]):
                own = layer.forms.rows(place, digit, neuron)
                below = path if digit == path.digits[neuron] else path.branches.get((neuron, digit))
                if below is not None:
                    nodes.append((below, neuron + 1, (*rows, *own)))
                    steps.append(None)
                else:
                    steps.append(_step(search, ball, (path, neuron, digit), rows, own, gaps, only_floats))
        if only_floats and gaps:
            break
    return tuple(steps), gaps


def kept_of(
    question: Question, squared_radius: Fraction | None, is_closed: bool, steps: tuple[Step, ...]
) -> ClassKept:
    """Return the steps of a tree as a proof."""
    q = question
    return ClassKept(
        q.network, q.domain, q.point, q.label, q.norm, squared_radius, is_closed, q.interior, q.flatness, steps
    )


def _step(
    search: Search,
    ball: BallConditions,
    place: tuple[Path, int, int],
    rows: Sequence[AnswerRow],
    own: Sequence[AnswerRow],
    gaps: list[Gap],
    only_floats: bool,
) -> Step:
    path, neuron, digit = place
    is_open = neuron >= 0
    if ball.forbids(rows, own, (), is_open):
        return ()
    known = path.proofs.get((neuron, digit))
    if known is not None and ball.forbids(rows, own, known, is_open):
        return known
    floats = path.proposals.get((neuron, digit), path.basis)
    proposed = _rational([*rows, *own], floats, search.question.norm)
    if proposed and ball.forbids(rows, own, proposed, is_open):
        return proposed
    if only_floats:
        gaps.append(Gap(path, neuron, digit, ExactNearest(None, None, ())))
        return ()
    found = search.exact(path, neuron, digit, [i for i, _ in floats])
    if ball.forbids(rows, own, found.multipliers or None, is_open):
        return found.multipliers
    step = float_steps(found.point or search.question.point, search.question.point)
    if is_open and search.prove_flat(path, neuron, digit, step):
        return path.proofs[neuron, digit]
    gaps.append(Gap(path, neuron, digit, found))
    return ()


def _rational(rows: Sequence[AnswerRow], floats: Sequence[tuple[int, float]], norm: float) -> Step:
    """Return multipliers of unit rows as multipliers of the rows."""
    result = []
    for i, y in floats:
        square = int(squared_norm(rows[i].row[:-1], {1: math.inf, 2: 2, math.inf: 1}[norm]))
        result.append((i, Fraction(y) / math.isqrt(square)))
    return tuple(result)
