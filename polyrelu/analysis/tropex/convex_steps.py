"""How the layers of a network build convex functions from each other, and what these are on one region.

The formulas are those of `polyrelu.analysis.tropex.decomposition`: ``z = V g + b`` becomes ``p - m`` with ``p = (V + c)
g + b`` and ``m = c g``, and a unit makes convex functions of ``p`` and ``m``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.tropex.convex_parts import convex_parts
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import MAX_UNIT, Activation, PiecewiseLinear
from polyrelu.network.model import Network

__all__ = ["ConvexStep", "convex_steps", "propagate"]


@dataclass(frozen=True, eq=False)
class ConvexStep:
    """One layer: how ``p`` and ``m`` come from the convex functions before it.

    Attributes
    ----------
    rows : RationalMatrix, shape (n_preactivations + 1, n_before)
        ``V + c``, and ``c`` as the last row; nonnegative but in the first layer, which reads affine functions.
    bias : RationalMatrix, shape (n_preactivations + 1, 1)
        0 for the last row.
    activation : Activation
    """

    rows: RationalMatrix
    bias: RationalMatrix
    activation: Activation


def convex_steps(network: Network) -> tuple[ConvexStep, ...]:
    """Return the steps of all layers, the output layer last."""
    steps = []
    reads: RationalMatrix | None = None  # H of the values that the layer reads; None: the inputs themselves
    for layer in network.layers:
        weight = RationalMatrix.from_floats(layer.weight.toarray() if layer.is_sparse else layer.weight)
        common = [Fraction(0)] * layer.n_inputs
        rows = weight.to_fractions()
        if reads is not None:
            rows = (weight @ reads).to_fractions()
            common = [max(-min(column), Fraction(0)) for column in zip(*rows, strict=True)]
        shifted = [[a + c for a, c in zip(row, common, strict=True)] for row in rows]
        bias = RationalMatrix.from_floats(np.append(layer.bias, 0.0)[:, None])
        steps.append(ConvexStep(RationalMatrix.from_rows([*shifted, common]), bias, layer.activation))
        reads = _reads(layer.activation)
    return tuple(steps)


def propagate(
    network: Network, steps: Sequence[ConvexStep], digits: Sequence[NDArray[np.int64]]
) -> list[RationalMatrix]:
    """Return the affine functions that ``p`` and ``m`` of the output layer are on a region, one row each.

    Parameters
    ----------
    network : Network
    steps : sequence of ConvexStep
        Of this network.
    digits : sequence of int64 arrays, shape (n_units,)
        The digits of the units of each hidden layer in the region (`Network.unit_digits`).

    Returns
    -------
    list of n_out + 1 RationalMatrix, shape (1, dim + 1)
    """
    functions = network.exact.input_rows()
    for step, own in zip(steps[:-1], digits, strict=True):
        functions = _unit_functions(step, _preactivations(step, functions), own)
    values = _preactivations(steps[-1], functions)
    return [RationalMatrix(flint.fmpz_mat([row]), values.denominator) for row in values.numerators.tolist()]


def _preactivations(step: ConvexStep, functions: RationalMatrix) -> RationalMatrix:
    """Return ``p`` and ``m``, a row each."""
    product, bias = step.rows @ functions, step.bias
    denominator = product.denominator * bias.denominator
    values = product.numerators * bias.denominator
    last = values.ncols() - 1
    for i in range(values.nrows()):
        values[i, last] += bias.numerators[i, 0] * product.denominator
    return RationalMatrix(values, denominator)


def _unit_functions(step: ConvexStep, values: RationalMatrix, digits: NDArray[np.int64]) -> RationalMatrix:
    """Return the convex functions of all units, then those subtracted, then ``m``: the order of `_reads`."""
    *rows, below = values.to_fractions()
    activation, added, subtracted = step.activation, [], []
    starts, kinds = activation.indptr.tolist(), activation.kind.tolist()
    for start, kind, digit in zip(starts[:-1], kinds, digits.tolist(), strict=True):
        if kind == MAX_UNIT:
            added.append(rows[start + digit])
            continue
        rising, falling = convex_parts(activation.functions[kind])
        steepest = _steepest(activation.functions[kind])
        added.append(_piece(rising, digit, steepest, rows[start], below))
        if _has_falling_part(activation.functions[kind]):
            subtracted.append(_piece(falling, digit, steepest, rows[start], below))
    return RationalMatrix.from_rows([*added, *subtracted, below])


def _piece(
    function: PiecewiseLinear, digit: int, steepest: Fraction, above: Sequence[Fraction], below: Sequence[Fraction]
) -> list[Fraction]:
    """Return ``f(p - m) + S m`` on one piece of a function f."""
    slope = function.slopes[digit]
    row = [slope * a + (steepest - slope) * b for a, b in zip(above, below, strict=True)]
    row[-1] += function.intercepts[digit]
    return row


def _reads(activation: Activation) -> RationalMatrix:
    """Return H: the outputs of a layer's units in terms of its convex functions."""
    kinds = activation.kind.tolist()
    falling = [
        unit for unit, kind in enumerate(kinds) if kind != MAX_UNIT and _has_falling_part(activation.functions[kind])
    ]
    n = len(kinds)
    rows = [[Fraction(0)] * (n + len(falling) + 1) for _ in kinds]
    for unit, kind in enumerate(kinds):
        rows[unit][unit] = Fraction(1)
        if unit in falling:
            rows[unit][n + falling.index(unit)] = Fraction(-1)
        else:
            rows[unit][-1] = Fraction(-1) if kind == MAX_UNIT else -_steepest(activation.functions[kind])
    return RationalMatrix.from_rows(rows)


def _has_falling_part(function: PiecewiseLinear) -> bool:
    return any(convex_parts(function)[1].slopes)


def _steepest(function: PiecewiseLinear) -> Fraction:
    """Return S: the last slopes of both parts are their largest."""
    return max(part.slopes[-1] for part in convex_parts(function))
