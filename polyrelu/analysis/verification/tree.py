"""The trees of cells that prove all cases of a property, or the input that realises one: the worst cell comes first."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from polyrelu.analysis.verification.bounds import float_layers
from polyrelu.analysis.verification.case import Cell, PreparedCase, implied_bounds, prepare_case
from polyrelu.analysis.verification.proof import CaseProof, CellProof, ImpliedBound, ProofNode
from polyrelu.analysis.verification.property import Property
from polyrelu.analysis.verification.search import Witness, searched
from polyrelu.analysis.verification.steps import Step, bounded_step, exact_step
from polyrelu.network.model import Network

__all__ = ["BudgetReached", "Counts", "prove_property"]


class BudgetReached(Exception):
    """A budget of the decision is over."""


@dataclass(slots=True)
class Counts:
    """Budgets, and what has been used of them.

    Attributes
    ----------
    shares : list of Fraction
        How much of each case's inputs is proved.
    """

    max_cells: int | None
    max_regions: int | None
    deadline: float | None
    progress: Callable[[int], None] | None
    shares: list[Fraction]
    n_cells: int = 0
    n_regions: int = 0
    n_left_open: int = 0

    def check_time(self) -> None:
        """Raise `BudgetReached` after the deadline."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise BudgetReached

    def count_cell(self) -> None:
        """Count one more cell; raise `BudgetReached` where none is left."""
        self.check_time()
        if self.max_cells is not None and self.n_cells >= self.max_cells:
            raise BudgetReached
        self.n_cells += 1
        if self.progress is not None and self.n_cells % 16 == 0:
            self.progress(self.n_cells)

    def count_region(self) -> None:
        """Count one more cell for linear programs in rationals; raise `BudgetReached` where none is left."""
        self.check_time()
        if self.max_regions is not None and self.n_regions >= self.max_regions:
            raise BudgetReached
        self.n_regions += 1


@dataclass(slots=True)
class _Tree:
    """The tree of one case while it grows; cells have numbers, the root 0."""

    bounds: list[ImpliedBound]
    prepared: PreparedCase | None
    nodes: dict[int, ProofNode] = field(default_factory=dict)
    children: dict[int, list[int]] = field(default_factory=dict)
    n_numbers: int = 1

    def enter(self, number: int, step: Step) -> list[int]:
        """Enter what became of a cell, and return the numbers of its children."""
        self.nodes[number] = ProofNode(step.split, tuple(step.proofs), step.winners)
        numbers = list(range(self.n_numbers, self.n_numbers + len(step.children)))
        self.children[number] = numbers
        self.n_numbers += len(numbers)
        return numbers

    def proof(self) -> CaseProof:
        """Return the tree in depth-first order."""
        stack, found = [0], []
        while stack:
            number = stack.pop()
            found.append(self.nodes[number])
            stack += self.children.get(number, [])[::-1]
        return CaseProof(tuple(self.bounds), tuple(found))


def prove_property(network: Network, unsafe: Property, counts: Counts) -> tuple[CaseProof, ...] | Witness | None:
    """Return a proof for each case, or an input that realises one; None if cells were left open.

    Raises
    ------
    BudgetReached
    """
    trees = [_planted(network, unsafe, index, counts) for index in range(len(unsafe.cases))]
    layers, agenda = float_layers(network), _Agenda()
    for index, tree in enumerate(trees):
        if tree.prepared is not None:
            agenda.push(math.inf, index, 0, tree.prepared.root)
    while agenda.n_cells:
        counts.count_cell()
        index, number, cell = agenda.pop()
        prepared = trees[index].prepared
        assert prepared is not None
        if prepared.is_bounded:
            step = bounded_step(network, layers, prepared, cell, counts.count_region)
        else:
            step = exact_step(network, prepared, cell, counts.count_region)
        if number == 0 and prepared.is_bounded and step.witness is None and step.children:
            step.witness = searched(network, prepared, step.children[0].remaining, counts.check_time)
        if step.witness is not None:
            return step.witness
        numbers = trees[index].enter(number, step)
        for child_number, child in zip(numbers, step.children, strict=True):
            agenda.push(step.urgency, index, child_number, child)
        counts.n_left_open += step.is_left_open
        if not step.children and not step.is_left_open:
            counts.shares[index] += cell.share
    return None if counts.n_left_open else tuple(tree.proof() for tree in trees)


@dataclass(slots=True)
class _Agenda:
    """Open cells, handed out in turn: the one that seems nearest to a counterexample, and the one that came last.

    The first kind finds counterexamples soon, the second finishes what is begun, so that a budget shows how far it got.
    """

    queue: list[tuple[float, int]] = field(default_factory=list)
    stack: list[int] = field(default_factory=list)
    cells: dict[int, tuple[int, int, Cell]] = field(default_factory=dict)
    n_pushed: int = 0
    n_popped: int = 0

    @property
    def n_cells(self) -> int:
        return len(self.cells)

    def push(self, urgency: float, index: int, number: int, cell: Cell) -> None:
        self.n_pushed += 1
        self.cells[self.n_pushed] = index, number, cell
        heapq.heappush(self.queue, (-urgency, -self.n_pushed))
        self.stack.append(self.n_pushed)

    def pop(self) -> tuple[int, int, Cell]:
        self.n_popped += 1
        while True:
            key = self.stack.pop() if self.n_popped % 2 else -heapq.heappop(self.queue)[1]
            if key in self.cells:
                return self.cells.pop(key)


def _planted(network: Network, unsafe: Property, index: int, counts: Counts) -> _Tree:
    """Return the tree of a case with nothing but its root, or all of it if the case has no inputs."""
    case = unsafe.cases[index]
    bounds, nothing = implied_bounds(case)
    if nothing is None:
        return _Tree(bounds, prepare_case(case, bounds, network.n_out))
    tree = _Tree([], None)
    tree.enter(0, Step([CellProof(tuple(range(len(case.outputs))), nothing, is_exact=True)]))
    counts.shares[index] = Fraction(1)
    return tree
