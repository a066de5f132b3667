"""One cell of the tree that proves a property: excluded, decided by linear programs in rationals, or divided."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.verification.bounds import Bounds, Unit, propagate
from polyrelu.analysis.verification.case import Cell, PreparedCase, sparse
from polyrelu.analysis.verification.cells import exact_cell, pulled_back
from polyrelu.analysis.verification.forms import FloatLayer, Forms, box_forms, linear
from polyrelu.analysis.verification.proof import BoxSplit, CellProof, Multipliers, UnitSplit
from polyrelu.analysis.verification.search import Witness, confirmed
from polyrelu.kernels.bounds import SLACK
from polyrelu.network.model import Network
from polyrelu.region import lp

__all__ = ["Step", "bounded_step", "exact_step"]

SPARE = 2.0**-16
"""Floats prove a cell with this share of its size to spare, so that the check, which rounds differently, does too."""
SPARE_ERRORS = 8
MOST_HALVED_INPUTS = 16
"""With more inputs, halving boxes leads nowhere: cells are divided by units at once."""
FEW_BENDS = 6
HALVINGS = 10
"""How often a box is halved for each of its inputs before its cells are divided by units."""
LARGEST_PROGRAM = 100_000
"""Entries of a linear program in rationals."""
MULTIPLIER_BITS = 30

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Step:
    """What became of a cell.

    Attributes
    ----------
    proofs : list of CellProof
    split : BoxSplit, UnitSplit or None
    children : sequence of Cell
        Where it was divided.
    urgency : float
        How far the cell's bounds reach into an output polyhedron.
    witness : Witness or None
    is_left_open : bool
        True if a linear program would have been too large.
    winners : tuple of (Unit, int)
        What the proofs' check has to know of max units (`ProofNode`).
    """

    proofs: list[CellProof]
    split: BoxSplit | UnitSplit | None = None
    children: Sequence[Cell] = ()
    urgency: float = 0.0
    witness: Witness | None = None
    is_left_open: bool = False
    winners: tuple[tuple[Unit, int], ...] = ()


@np.errstate(all="ignore")  # what overflows is not proved: comparisons with NaN are false
def bounded_step(
    network: Network,
    layers: Sequence[FloatLayer],
    prepared: PreparedCase,
    cell: Cell,
    count_region: Callable[[], None],
) -> Step:
    """Exclude what bounds exclude, look for a counterexample, and divide the rest.

    Parameters
    ----------
    network : Network
    layers : sequence of FloatLayer
        Its layers in floats.
    prepared : PreparedCase
        With bounds of all inputs.
    cell : Cell
    count_region : callable
        Called before linear programs in rationals; raises where there must be none.
    """
    bounds = propagate(
        layers, cell.lower, cell.upper, prepared.fixed_inputs, cell.digits, int(network.input_map is not None)
    )
    rows = _all_rows(prepared, cell, bounds)
    largest = rows.largest()
    proofs: list[CellProof] = []
    worst: dict[int, Floats] = {}
    urgency = -math.inf
    for index in cell.remaining:
        own = rows.of(index)
        values = np.where(np.isnan(largest[own]), math.inf, largest[own])
        number = int(values.argmin()) if len(own) else 0
        if len(own) and values[number] < 0:
            proofs.append(CellProof((index,), ((number, Fraction(1)),)))
            continue
        worst[index] = np.zeros(len(rows.forms.centre))
        if len(own):
            worst[index][own[number]] = 1.0
            urgency = max(urgency, float(values[number]))
    winners = tuple(bounds.winners.items())
    if not worst:
        return Step(proofs, winners=winners)
    box = prepared.exact_box(cell)
    points = _corners(bounds, cell, rows, worst)
    witness = confirmed(network, prepared.case, prepared.rows, points, list(worst), *box)
    if witness is None and (cell.digits or rows.n_known):
        for index in list(worst):
            multipliers, point = _combined(rows, rows.of(index), bounds, cell, worst[index])
            if multipliers is not None:
                proofs.append(CellProof((index,), multipliers))
                del worst[index]
            elif point is not None and witness is None:
                witness = confirmed(network, prepared.case, prepared.rows, point[None], [index], *box)
    if witness is not None or not worst:
        return Step(proofs, witness=witness, winners=winners)
    rest = replace(cell, remaining=tuple(worst))
    is_finite = bool(np.isfinite(largest).all())
    divided = _divided(network, rest, bounds, rows, worst) if is_finite else None
    step = divided or exact_step(network, prepared, rest, count_region)
    step.proofs, step.urgency = proofs + step.proofs, urgency
    step.winners = winners if proofs else ()
    return step


def exact_step(network: Network, prepared: PreparedCase, cell: Cell, count_region: Callable[[], None]) -> Step:
    """Decide a cell by linear programs in rationals if the network is affine there, else divide it by a unit."""
    inputs, (lower, upper) = prepared.case.inputs, prepared.exact_box(cell)
    found = exact_cell(network, inputs, lower, upper, cell.digits)
    if len(found.rows) * network.dim > LARGEST_PROGRAM:
        return Step([], is_left_open=True)
    count_region()
    if found.open_unit is not None or found.outputs is None:
        answer = lp.find_point(found.rows, found.strict, network.dim, central=False)
        if isinstance(answer, lp.Infeasible):
            return Step([CellProof(cell.remaining, sparse(answer.multipliers), is_exact=True)])
        assert found.open_unit is not None
        return Step([], UnitSplit(*found.open_unit), _parts(network, cell, found.open_unit))
    proofs = []
    for index in cell.remaining:
        halfspaces = prepared.case.outputs[index]
        rows = (*found.rows, *pulled_back(halfspaces, found.outputs))
        answer = lp.find_point(rows, (*found.strict, *halfspaces.strict), network.dim, central=False)
        if isinstance(answer, lp.Witness):
            return Step([], witness=Witness(answer.point, network.exact(answer.point)))
        proofs.append(CellProof((index,), sparse(answer.multipliers), is_exact=True))
    return Step(proofs)


@dataclass(frozen=True, slots=True)
class _Rows:
    """All rows on a cell: the inputs' and the digits', which come first, then those of the output polyhedra.

    Attributes
    ----------
    forms : Forms
    n_known : int
        Number of the rows that come first.
    owner : int array
        The output polyhedron of each other row.
    scale : list of int, one for each row
        What the row has been divided by.
    """

    forms: Forms
    n_known: int
    owner: NDArray[np.int64]
    scale: list[int]

    def of(self, index: int) -> NDArray[np.int64]:
        """Return the rows of one output polyhedron, known ones first."""
        return np.concatenate([np.arange(self.n_known), self.n_known + np.flatnonzero(self.owner == index)])

    def largest(self) -> Floats:
        """Return upper bounds of all rows, with something to spare."""
        reach = self.forms.reach
        spare = SPARE * (reach + SPARE * np.abs(self.forms.centre)) + SPARE_ERRORS * self.forms.error
        return self.forms.centre + reach * SLACK + spare


def _all_rows(prepared: PreparedCase, cell: Cell, bounds: Bounds) -> _Rows:
    n_noises = bounds.outputs.generators.shape[1]
    parts = [_padded(condition, n_noises) for condition in bounds.conditions]
    if len(prepared.input_layer.bias):
        inputs = box_forms(cell.lower, cell.upper, prepared.fixed_inputs)
        parts.insert(0, _padded(linear(prepared.input_layer, inputs, inputs.reach), n_noises))
    n_known = sum(len(part.centre) for part in parts)
    parts.append(_padded(linear(prepared.output_layer, bounds.outputs, bounds.outputs.reach), n_noises))
    together = parts[0] if len(parts) == 1 else Forms(
        np.concatenate([part.centre for part in parts]),
        np.concatenate([part.generators for part in parts]),
        np.concatenate([part.error for part in parts]),
    )
    n_conditions = n_known - len(prepared.input_rows.scale)
    scale = [*prepared.input_rows.scale, *[1] * n_conditions, *prepared.rows.scale]
    return _Rows(together, n_known, prepared.rows.owner, scale)


def _padded(forms: Forms, n_noises: int) -> Forms:
    generators = forms.generators.toarray() if hasattr(forms.generators, "toarray") else forms.generators
    missing = n_noises - generators.shape[1]
    return Forms(forms.centre, np.pad(generators, ((0, 0), (0, missing))) if missing else generators, forms.error)


def _corners(bounds: Bounds, cell: Cell, rows: _Rows, worst: dict[int, Floats]) -> Floats:
    """Return the middle of a box, and for each output polyhedron the corner where its worst row is largest."""
    points = np.tile(cell.lower / 2 + cell.upper / 2, (len(worst) + 1, 1))
    for point, weights in zip(points[1:], worst.values(), strict=True):
        rises = weights @ rows.forms.generators[:, : len(bounds.inputs)] > 0
        point[bounds.inputs] = np.where(rises, cell.upper[bounds.inputs], cell.lower[bounds.inputs])
    return points


def _combined(
    rows: _Rows, own: NDArray[np.int64], bounds: Bounds, cell: Cell, worst: Floats
) -> tuple[Multipliers | None, Floats | None]:
    """Return multipliers whose sum of rows is negative, or the input that a linear program proposes.

    The multipliers that come nearest are written to ``worst``.
    """
    from polyrelu.region.proposals import propose_maximum

    centre, generators, error = rows.forms.centre[own], rows.forms.generators[own], rows.forms.error[own]
    size = np.abs(centre) + np.abs(generators).sum(axis=1)
    if not len(own) or not np.isfinite(size).all() or not (size > 0).all():
        return None, None
    matrix = np.concatenate([generators / size[:, None], np.full((len(own), 1), -1.0)], axis=1)
    objective = np.append(np.zeros(generators.shape[1]), 1.0)
    proposal = propose_maximum(objective, matrix, -centre / size, reach=1.0)
    if proposal is None or not proposal.multipliers.any():
        return None, None
    factors = proposal.multipliers / size
    factors = np.round(factors / factors.max() * 2.0**MULTIPLIER_BITS)
    worst[:] = 0.0
    worst[own] = factors
    reach = float(np.abs(factors @ generators).sum())
    spare = SPARE * (reach + SPARE * float(factors @ size)) + SPARE_ERRORS * float(factors @ error)
    if float(factors @ centre) + reach + spare < 0:
        whole = zip(factors.tolist(), own.tolist(), strict=True)
        return sparse([Fraction(int(factor), rows.scale[row]) for factor, row in whole]), None
    point = cell.lower / 2 + cell.upper / 2
    point[bounds.inputs] += (cell.upper / 2 - cell.lower / 2)[bounds.inputs] * proposal.x[: len(bounds.inputs)]
    return None, point


def _divided(network: Network, cell: Cell, bounds: Bounds, rows: _Rows, worst: dict[int, Floats]) -> Step | None:
    """Halve a box, or divide a cell by the digits of the unit whose bend matters most; None where nothing bends."""
    if not bounds.bends:
        return None
    n_inputs = len(bounds.inputs)
    effects = np.zeros(rows.forms.generators.shape[1])
    for weights in worst.values():
        effects += np.abs(np.nan_to_num(weights @ rows.forms.generators))
    is_halved = not cell.digits and 0 < n_inputs <= MOST_HALVED_INPUTS and len(bounds.bends) > FEW_BENDS
    if is_halved and cell.depth < HALVINGS * n_inputs and bounds.shares is not None:
        for number in np.argsort(-(effects @ np.nan_to_num(bounds.shares)), kind="stable").tolist():
            i = int(bounds.inputs[number])
            middle = float(cell.lower[i] / 2 + cell.upper[i] / 2)
            if cell.lower[i] < middle < cell.upper[i]:
                return Step([], BoxSplit(i, Fraction(middle)), _halves(cell, i, middle))
    unit = bounds.bends[int(effects[n_inputs:].argmax())]
    return Step([], UnitSplit(*unit), _parts(network, cell, unit))


def _halves(cell: Cell, i: int, middle: float) -> list[Cell]:
    lower, upper = cell.lower.copy(), cell.upper.copy()
    lower[i] = upper[i] = middle
    share, depth = cell.share / 2, cell.depth + 1
    return [
        replace(cell, upper=upper, share=share, depth=depth),
        replace(cell, lower=lower, share=share, depth=depth),
    ]


def _parts(network: Network, cell: Cell, unit: Unit) -> list[Cell]:
    n = int(network.hidden[unit[0]].activation.n_pieces[unit[1]])
    return [replace(cell, digits={**cell.digits, unit: digit}, share=cell.share / n) for digit in range(n)]
