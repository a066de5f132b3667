"""Best first through the tree of digits, from the region of a point to the nearest change of class.

A queue holds what stands beside the ways taken so far, by about how far away it begins: a digit that leads to other
regions, or another class in a region. A key is first the distance of the one row farthest away. If it comes to the
front, it becomes that of the nearest point where all rows hold; so most digits cost no linear program. Floats choose
the order. What they left out is proved, in rationals, by `polyrelu.analysis.robustness.proof`.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.robustness.cells import CellLayer, Path, Question
from polyrelu.analysis.robustness.guess import guess_change
from polyrelu.analysis.robustness.nearest import (
    Proposal,
    nearest_exactly,
    propose_inner_step,
    propose_nearest,
)
from polyrelu.analysis.robustness.support import ExactNearest
from polyrelu.certificate.answer_rows import LayerForms
from polyrelu.exact.rational import nearest_float
from polyrelu.region.lp import Infeasible, find_point

__all__ = ["Search", "float_steps", "root_distance"]


MOST_ROWS = 128
"""So many rows, those nearest to a point, are asked whether they leave an interior."""


Floats = tuple[tuple[int, float], ...]
"""(Which row, multiplier of the unit row)."""


class _Entry(NamedTuple):
    """Something beside a way; neuron -1 stands for the outputs, and then the digit is a class."""

    key: float
    number: int
    path: Path
    neuron: int
    digit: int
    found: Proposal | None


@dataclass(eq=False)
class Search:
    """A search that can be continued.

    Attributes
    ----------
    question : Question
    root : Path
        The region at the point.
    limit : float
        What begins further away is not looked at.
    nearest : ExactNearest or None
        The nearest change so far.
    n_regions : int
        Regions visited.
    """

    question: Question
    limit: float = math.inf
    nearest: ExactNearest | None = None
    n_regions: int = 0
    queue: list[_Entry] = field(default_factory=list)
    layers: dict[tuple[int, tuple[int, ...]], CellLayer] = field(default_factory=dict)
    root: Path = None  # type: ignore[assignment]
    n_entries: int = 0

    @staticmethod
    def of(question: Question, limit: float) -> Search:
        """Return a search at its start."""
        search = Search(question, limit)
        guess = guess_change(question)
        if guess is not None:
            search._note(guess)
        network, point = question.network, question.point
        inward = [b - a for a, b in zip(point, question.interior, strict=True)]
        axes = question.ball.directions
        if axes is None:
            axes = tuple(tuple(int(i == j) for j in range(network.dim)) for i in range(network.dim))
        digits = network.exact.pattern_at(point, [inward, *axes]).digits
        search.root = search._path(None, 0, list(digits), np.zeros(network.dim), 0.0, ())
        return search

    def run(self, max_regions: int | None, deadline: float | None, progress: Callable[[int], None] | None) -> bool:
        """Go on until nothing nearer than the limit is left; return False if a budget ended the search first."""
        last = time.monotonic()
        while self.queue:
            if self.queue[0].key >= self.limit:
                return True
            now = time.monotonic()
            if (max_regions is not None and self.n_regions >= max_regions) or (deadline is not None and now > deadline):
                return False
            if progress is not None and now > last + 0.25:
                last = now
                progress(self.n_regions)
            entry = heapq.heappop(self.queue)
            try:
                self._advance(entry)
            except KeyboardInterrupt:
                heapq.heappush(self.queue, entry)
                raise
        return True

    def proved_limit(self) -> float:
        """Return about how far away everything begins that is still to be looked at."""
        return min(self.queue[0].key if self.queue else math.inf, self.limit)

    def open(self, path: Path, neuron: int, digit: int, found: ExactNearest) -> None:
        """Take up something beside a way, which is known to be as near as it is."""
        if neuron < 0:
            self._note(found)
            return
        if found.point is None:
            return
        step = float_steps(found.point, self.question.point)
        self._branch(path, neuron, digit, root_distance(found.squared_distance), step, ())

    def _advance(self, entry: _Entry) -> None:
        key, _, path, neuron, digit, found = entry
        if found is None:
            rows = path.floats_beside(self.question, neuron, digit)
            held = [i for i, _ in path.basis]
            proposal = propose_nearest(rows.normals, rows.margins, self.question.norm, held)
            self._push(path, neuron, digit, max(key, proposal.distance), proposal)
            return
        if neuron < 0:
            self._note(self.exact(path, neuron, digit, [i for i, _ in found.multipliers]))
        elif found.step is not None:
            self._branch(path, neuron, digit, key, found.step, found.multipliers)

    def exact(self, path: Path, neuron: int, digit: int, start: Sequence[int]) -> ExactNearest:
        """Return the nearest point beside a way, exactly; a proof that there is none is kept."""
        before, own = path.rows_beside(self.question, neuron, digit)
        rows = [row for row, _, _ in (*before, *own)]
        found = nearest_exactly(rows, self.question.point, self.question.norm, start)
        if found.squared_distance is None:
            path.proofs[neuron, digit] = found.multipliers
        return found

    def prove_flat(self, path: Path, neuron: int, digit: int, step: NDArray[np.float64]) -> bool:
        """Return whether a digit has no interior points beside a way; the proof is kept."""
        before, own = path.rows_beside(self.question, neuron, digit)
        floats, ball = path.floats_beside(self.question, neuron, digit), self.question.ball
        near = np.argsort(floats.margins + floats.normals @ step)[:MOST_ROWS].tolist()
        rows = [[*before, *own][i] for i in near]
        strict = [row.neuron >= 0 and (row.is_strict or not ball.is_constant(row.row)) for row in rows]
        answer = find_point([row.row for row in rows], strict, self.question.network.dim, central=False)
        if isinstance(answer, Infeasible):
            path.proofs[neuron, digit] = tuple((i, y) for i, y in zip(near, answer.multipliers, strict=True) if y)
            return True
        return False

    def _note(self, found: ExactNearest) -> None:
        if found.squared_distance is None:
            return
        if self.nearest is None or found.squared_distance < (self.nearest.squared_distance or 0):
            self.nearest = found
            self.limit = min(self.limit, root_distance(found.squared_distance))

    def _branch(
        self, path: Path, neuron: int, digit: int, bound: float, step: NDArray[np.float64], basis: Floats
    ) -> None:
        """Follow a digit beside a way to a region."""
        rows = path.floats_beside(self.question, neuron, digit)
        reach = float(np.abs(step).max(initial=0.0)) / 64 or 1 / 64
        inner = propose_inner_step(rows.normals, rows.margins, step, reach)
        if inner is not None:
            step = step + (inner - step) / 1024
        elif self.prove_flat(path, neuron, digit, step):
            return
        digits = [*path.digits[:neuron], digit]
        path.branches[neuron, digit] = self._path(path, neuron, digits, step, bound, basis)

    def _path(
        self,
        parent: Path | None,
        first: int,
        digits: list[int],
        step: NDArray[np.float64],
        bound: float,
        basis: Floats,
    ) -> Path:
        """Return the way with these first digits, the others those at a step, and push what is beside it."""
        question, layers, places, starts = self.question, [], [], []
        normals, margins = [question.domain_floats.normals], [question.domain_floats.margins]
        n_rows, number = len(question.domain_rows), 0
        layer = self._layer(None, ())
        while not layer.forms.is_output:
            n = len(layer.forms.units)
            if number + n > len(digits):
                digits = digits[:number] + (digits[number:] + layer.digits_at(step)[len(digits) - number :])
            choices = layer.choices
            chosen: list[int] = []
            for place, own in enumerate(digits[number : number + n]):
                starts.append(n_rows + len(chosen))
                chosen += choices.rows[choices.first[place] + own]
                places.append((layer, place))
            borders, signs = choices.borders[chosen], choices.signs[chosen]
            normals.append(signs[:, None] * layer.floats.normals[borders])
            margins.append(signs * layer.floats.margins[borders])
            layers.append(layer)
            n_rows, number = n_rows + len(chosen), number + n
            layer = self._layer(layer, tuple(digits[:number]))
        all_normals, all_margins = np.vstack(normals), np.concatenate(margins)
        all_margins[~all_normals.any(axis=1)] = math.inf
        path = Path([*layers, layer], digits, places, [*starts, n_rows], all_normals, all_margins, first, bound, basis)
        self.n_regions += 1
        self._push_beside(path, first + (parent is not None))
        return path

    def _layer(self, before: CellLayer | None, digits: tuple[int, ...]) -> CellLayer:
        """Return the layer behind another one, where all neurons up to that have these digits."""
        key = (0 if before is None else before.forms.layer + 1, digits)
        if key not in self.layers:
            network = self.question.network
            n = 0 if before is None else len(before.forms.units)
            forms = LayerForms.of(network) if before is None else before.forms.behind(digits[len(digits) - n :])
            self.layers[key] = CellLayer(self.question, forms)
        return self.layers[key]

    def _push_beside(self, path: Path, first: int) -> None:
        """Put the other digits from a neuron on, and the other classes, in the queue."""
        number = 0
        for layer in path.layers[:-1]:
            choices, keys = layer.choices, np.maximum(layer.alone, path.bound)
            own = np.array(path.digits[number : number + len(choices.first)], np.int64)
            is_beside = (choices.digit != own[choices.place]) & (choices.place + number >= first) & (keys <= self.limit)
            for i in np.flatnonzero(is_beside).tolist():
                self._push(path, number + int(choices.place[i]), int(choices.digit[i]), float(keys[i]), None)
            number += len(own)
        margins = path.layers[-1].floats.margins.tolist()
        for other, margin in zip(self.question.others, margins, strict=True):
            self._push(path, -1, other, max(path.bound, -margin), None)

    def _push(self, path: Path, neuron: int, digit: int, key: float, found: Proposal | None) -> None:
        """Put something beside a way in the queue, if it is near enough."""
        if found is not None:
            path.proposals[neuron, digit] = found.multipliers
        if key <= self.limit and key < math.inf:
            self.n_entries += 1
            heapq.heappush(self.queue, _Entry(key, self.n_entries, path, neuron, digit, found))


def float_steps(point: Sequence[Fraction], start: Sequence[Fraction]) -> NDArray[np.float64]:
    """Return the step from one point to another, rounded, shape (dim,)."""
    return np.array([nearest_float(*(a - b).as_integer_ratio()) for a, b in zip(point, start, strict=True)])


def root_distance(square: Fraction | None) -> float:
    """Return the root of a squared distance, rounded."""
    if square is None:
        return math.inf
    return math.sqrt(min(nearest_float(square.numerator, square.denominator), 1e300))
