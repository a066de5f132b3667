"""One case of a property, prepared: its bounds, in rationals and in floats, and its rows as layers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.verification.bounds import Unit
from polyrelu.analysis.verification.cells import bound_rows
from polyrelu.analysis.verification.forms import FloatLayer
from polyrelu.analysis.verification.proof import ImpliedBound, Multipliers
from polyrelu.analysis.verification.property import PropertyCase
from polyrelu.analysis.verification.search import FloatRows, float_rows
from polyrelu.exact.rational import nearest_float
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.region import lp

__all__ = ["Cell", "PreparedCase", "implied_bounds", "prepare_case", "sparse"]

Floats = NDArray[np.float64]
Bound = Fraction | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of the inputs that is not decided.

    Attributes
    ----------
    lower, upper : float64 array, shape (dim,)
        Rounded outwards where they are bounds of the case, else exact.
    digits : dict of Unit to int
    remaining : tuple of int
        Output polyhedra that are not excluded.
    share : Fraction
        Of the case's inputs.
    depth : int
        Number of halvings.
    """

    lower: Floats
    upper: Floats
    digits: dict[Unit, int]
    remaining: tuple[int, ...]
    share: Fraction
    depth: int


@dataclass(frozen=True, slots=True)
class PreparedCase:
    """Everything that all cells of a case share.

    Attributes
    ----------
    case : PropertyCase
    lower, upper : tuple of Fraction or None, length dim
        All bounds, those that only follow from rows included.
    root : Cell
        All inputs of the case.
    fixed_inputs : bool array, shape (dim,)
    rows, input_rows : FloatRows
        Of the output polyhedra, and the further rows of the inputs.
    output_layer, input_layer : FloatLayer
        The same, as layers.
    """

    case: PropertyCase
    lower: tuple[Bound, ...]
    upper: tuple[Bound, ...]
    root: Cell
    fixed_inputs: NDArray[np.bool_]
    rows: FloatRows
    input_rows: FloatRows
    output_layer: FloatLayer
    input_layer: FloatLayer

    @property
    def is_bounded(self) -> bool:
        """True if every input has a lower and an upper bound."""
        return None not in self.lower and None not in self.upper

    def exact_box(self, cell: Cell) -> tuple[tuple[Bound, ...], tuple[Bound, ...]]:
        """Return the bounds of a cell in rationals."""
        ends = []
        for floats, root, exact in (
            (cell.lower, self.root.lower, self.lower),
            (cell.upper, self.root.upper, self.upper),
        ):
            values = zip(floats.tolist(), root.tolist(), exact, strict=True)
            ends.append(tuple(bound if value == start else Fraction(value) for value, start, bound in values))
        return ends[0], ends[1]


def prepare_case(case: PropertyCase, bounds: Sequence[ImpliedBound], n_out: int) -> PreparedCase:
    """Return a case with bounds that follow from its rows, ready to be divided."""
    lower, upper = list(case.inputs.lower), list(case.inputs.upper)
    for bound in bounds:
        (upper if bound.is_upper else lower)[bound.input] = bound.value
    low = np.array([_rounded(value, -math.inf) for value in lower], dtype=np.float64)
    high = np.array([_rounded(value, math.inf) for value in upper], dtype=np.float64)
    rows, further = float_rows(case.outputs, n_out), float_rows([case.inputs.halfspaces], len(lower))
    return PreparedCase(
        case=case,
        lower=tuple(lower),
        upper=tuple(upper),
        root=Cell(low, high, {}, tuple(range(len(case.outputs))), Fraction(1), 0),
        fixed_inputs=np.array([a is not None and a == b for a, b in zip(lower, upper, strict=True)], dtype=np.bool_),
        rows=rows,
        input_rows=further,
        output_layer=_as_layer(rows),
        input_layer=_as_layer(further),
    )


def implied_bounds(case: PropertyCase) -> tuple[list[ImpliedBound], Multipliers | None]:
    """Return bounds that are missing but follow from the rows, and multipliers if no input satisfies the rows."""
    inputs, numbers = case.inputs, itertools.count()
    for low, high in zip(inputs.lower, inputs.upper, strict=True):
        own = [next(numbers) for bound in (low, high) if bound is not None]
        if low is not None and high is not None and low > high:
            return [], ((own[0], Fraction(1, low.denominator)), (own[1], Fraction(1, high.denominator)))
    bounds: list[ImpliedBound] = []
    if not inputs.halfspaces.rows:
        return bounds, None
    rows = [*bound_rows(inputs.lower, inputs.upper), *inputs.halfspaces.rows]
    for i, pair in enumerate(zip(inputs.lower, inputs.upper, strict=True)):
        for is_upper in (False, True):
            if pair[is_upper] is not None:
                continue
            objective = [0] * (len(inputs.lower) + 1)
            objective[i] = 1 if is_upper else -1
            best = lp.maximize(objective, rows)
            if isinstance(best, lp.Infeasible):
                return [], sparse(best.multipliers)
            if isinstance(best, lp.Optimal):
                value = best.value if is_upper else -best.value
                bounds.append(ImpliedBound(i, is_upper, value, sparse(best.multipliers)))
    return bounds, None


def sparse(multipliers: Sequence[Fraction]) -> Multipliers:
    """Return the multipliers that are not 0, with the numbers of their rows."""
    return tuple((number, factor) for number, factor in enumerate(multipliers) if factor)


def _as_layer(rows: FloatRows) -> FloatLayer:
    return FloatLayer.of(rows.weight, rows.bias, Activation.same(IDENTITY, len(rows.weight)))


def _rounded(value: Bound, towards: float) -> float:
    """Return the nearest float on one side; infinity for no bound."""
    if value is None:
        return towards
    nearest = nearest_float(value.numerator, value.denominator)
    if math.isinf(nearest):
        return nearest if nearest == towards else math.nextafter(nearest, towards)
    is_inside = Fraction(nearest) > value if towards < 0 else Fraction(nearest) < value
    return math.nextafter(nearest, towards) if is_inside else nearest
