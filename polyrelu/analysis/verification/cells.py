"""Parts of the inputs on which a network is one affine map, or one up to some unit: their rows, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.analysis.verification.property import Halfspaces, InputSet
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import primitive_row
from polyrelu.network.activation import MAX_UNIT, Activation
from polyrelu.network.model import Network

__all__ = ["ExactCell", "bound_rows", "exact_cell", "pulled_back"]

Row = tuple[int, ...]
Unit = tuple[int, int]
Bound = Fraction | None


@dataclass(frozen=True, slots=True)
class ExactCell:
    """The inputs in a box on which some units have given digits.

    Attributes
    ----------
    rows : tuple of integer rows, each of length dim + 1
        ``a · x + c >= 0``: bounds, further rows of the inputs, and the conditions of the given digits, in their order.
    strict : tuple of bool
    outputs : RationalMatrix or None, shape (n_out, dim + 1)
        The network's affine map there; None if a unit without a digit bends inside the box.
    open_unit : Unit or None
        The first such unit. Digits of later layers have not given rows.
    """

    rows: tuple[Row, ...]
    strict: tuple[bool, ...]
    outputs: RationalMatrix | None
    open_unit: Unit | None


def exact_cell(
    network: Network, inputs: InputSet, lower: Sequence[Bound], upper: Sequence[Bound], digits: Mapping[Unit, int]
) -> ExactCell:
    """Return the rows of a part of the inputs, and the affine map on it if there is one.

    Parameters
    ----------
    network : Network
    inputs : InputSet
        Gives the rows that are not bounds.
    lower, upper : sequence of Fraction or None, length dim
    digits : mapping of Unit to int
    """
    rows = [*bound_rows(lower, upper), *inputs.halfspaces.rows]
    strict = [False] * (len(rows) - len(inputs.halfspaces.rows)) + list(inputs.halfspaces.strict)
    conditions: dict[Unit, list[Row]] = {}
    values, open_unit = network.exact.input_rows(), None
    for index, layer in enumerate(network.exact.layers):
        before = layer.preactivations(values)
        if index + 1 == len(network.exact.layers):
            values = before
            break
        activation = layer.activation
        numerators = [tuple(map(int, row)) for row in before.numerators.tolist()]
        found = []
        for unit in range(activation.n_units):
            digit = digits.get((index, unit), -1)
            if digit >= 0:
                conditions[index, unit] = _conditions(activation, unit, digit, numerators, before.denominator)
            else:
                digit = _only_digit(activation, unit, numerators, before.denominator, lower, upper)
            if digit < 0 and open_unit is None:
                open_unit = index, unit
            found.append(digit)
        if open_unit is not None:
            break
        values = layer.outputs(before, found)
    known = [row for unit in digits for row in conditions.get(unit, [])]
    outputs = values if open_unit is None else None
    return ExactCell((*rows, *known), (*strict, *[False] * len(known)), outputs, open_unit)


def bound_rows(lower: Sequence[Bound], upper: Sequence[Bound]) -> list[Row]:
    """Return the bounds of single inputs as rows, input by input, the lower one first."""
    rows, dim = [], len(lower)
    for i, (low, high) in enumerate(zip(lower, upper, strict=True)):
        for bound, sign in ((low, 1), (high, -1)):
            if bound is not None:
                row = [0] * (dim + 1)
                row[i], row[-1] = sign * bound.denominator, -sign * bound.numerator
                rows.append(tuple(row))
    return rows


def pulled_back(halfspaces: Halfspaces, outputs: RationalMatrix) -> tuple[Row, ...]:
    """Return rows over the outputs as rows over the inputs of an affine map."""
    n_out, dim = outputs.shape[0], outputs.shape[1] - 1
    numerators = [list(map(int, row)) for row in outputs.numerators.tolist()]
    result = []
    for row in halfspaces.rows:
        values = [sum(row[i] * numerators[i][j] for i in range(n_out) if row[i]) for j in range(dim + 1)]
        values[-1] += row[-1] * outputs.denominator
        result.append(primitive_row(values))
    return tuple(result)


def _conditions(
    activation: Activation, unit: int, digit: int, numerators: Sequence[Row], denominator: int
) -> list[Row]:
    """Return the rows that are >= 0 where a unit has a digit."""
    start, stop = activation.indptr[unit : unit + 2].tolist()
    kind = int(activation.kind[unit])
    if kind == MAX_UNIT:
        own = numerators[start + digit]
        others = [numerators[row] for row in range(start, stop) if row != start + digit]
        return [primitive_row([a - b for a, b in zip(own, other, strict=True)]) for other in others]
    points, rows = activation.functions[kind].breakpoints, []
    for point, sign in [*((p, 1) for p in points[max(digit - 1, 0) : digit]), *((p, -1) for p in points[digit:][:1])]:
        values = [sign * point.denominator * value for value in numerators[start]]
        values[-1] -= sign * point.numerator * denominator
        rows.append(primitive_row(values))
    return rows


def _only_digit(
    activation: Activation,
    unit: int,
    numerators: Sequence[Row],
    denominator: int,
    lower: Sequence[Bound],
    upper: Sequence[Bound],
) -> int:
    """Return the digit that a unit has everywhere in a box (one of them, where pieces meet), -1 if it has several."""
    start, stop = activation.indptr[unit : unit + 2].tolist()
    kind = int(activation.kind[unit])
    if kind == MAX_UNIT:
        for winner in range(start, stop):
            differences = (_difference(numerators[winner], numerators[row]) for row in range(start, stop))
            if all(low is not None and low >= 0 for low in (_least(each, lower, upper) for each in differences)):
                return winner - start
        return -1
    points = activation.functions[kind].breakpoints
    if not points:
        return 0
    low = _least(numerators[start], lower, upper)
    minus_high = _least([-value for value in numerators[start]], lower, upper)
    piece = len(points) if minus_high is None else sum(-minus_high > point * denominator for point in points)
    is_inside = piece == 0 or (low is not None and low >= points[piece - 1] * denominator)
    return piece if is_inside else -1


def _difference(row: Row, other: Row) -> list[int]:
    return [a - b for a, b in zip(row, other, strict=True)]


def _least(form: Sequence[int], lower: Sequence[Bound], upper: Sequence[Bound]) -> Fraction | None:
    """Return the least value of a form in a box, None if there is none."""
    total = Fraction(form[-1])
    for factor, low, high in zip(form[:-1], lower, upper, strict=True):
        if factor:
            bound = low if factor > 0 else high
            if bound is None:
                return None
            total += factor * bound
    return total
