"""Zonotopes in integers: the bounds of `polyrelu.analysis.verification.bounds`, re-proved without floats.

Every number is an integer over ``2^BITS``; what a rounding down drops is less than one unit and goes to the error. So
each step is a sum or a product of integers, and what it says is a theorem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import flint

from polyrelu.network.activation import MAX_UNIT, RELU, PiecewiseLinear
from polyrelu.network.exact_network import ExactLayer
from polyrelu.network.model import Network

__all__ = ["FixedForm", "FixedLayer", "combination", "fixed_layers", "propagate_fixed"]

BITS = 80
ONE = 1 << BITS
LARGEST_TABLE = 2_000_000
"""Larger tables of generators are multiplied entry by entry, and only where they are not zero."""

Unit = tuple[int, int]
Range = tuple[int, int]
"""A lower and an upper bound, in units of ``2^-BITS``."""


@dataclass(slots=True)
class FixedForm:
    """A value on a zonotope: ``centre + sum(generators * noises)`` up to ``error``, in units of ``2^-BITS``.

    Attributes
    ----------
    centre, error : int
    generators : dict of int to int
        By noise; those of the inputs come first.
    """

    centre: int
    generators: dict[int, int]
    error: int

    @property
    def reach(self) -> int:
        """How far the value can be from its centre."""
        return sum(map(abs, self.generators.values())) + self.error

    @property
    def largest(self) -> Fraction:
        """An upper bound of the value."""
        return Fraction(self.centre + self.reach, ONE)

    def scaled(self, factor: Fraction, shift: Fraction) -> FixedForm:
        """Return ``factor * value + shift``."""
        p, q = factor.numerator, factor.denominator
        if q == 1 and shift.denominator == 1:
            generators = {noise: p * value for noise, value in self.generators.items()} if p else {}
            return FixedForm(p * self.centre + shift.numerator * ONE, generators, abs(p) * self.error)
        generators = {noise: p * value // q for noise, value in self.generators.items()}
        centre = p * self.centre // q + shift.numerator * ONE // shift.denominator
        return FixedForm(centre, generators, abs(p) * self.error // q + 3 + len(generators))

    def minus(self, other: FixedForm) -> FixedForm:
        """Return the difference of two values."""
        generators = dict(self.generators)
        for noise, value in other.generators.items():
            generators[noise] = generators.get(noise, 0) - value
        return FixedForm(self.centre - other.centre, generators, self.error + other.error)


@dataclass(frozen=True, slots=True)
class FixedLayer:
    """A layer in integers with what its errors are multiplied with.

    Attributes
    ----------
    layer : ExactLayer
    rows : list of (columns, integers), one for each preactivation
        The entries of the weight that are not zero.
    magnitude : flint.fmpz_mat or None
        The magnitudes of a dense weight.
    """

    layer: ExactLayer
    rows: list[tuple[list[int], list[int]]]
    magnitude: flint.fmpz_mat | None

    def preactivations(
        self, forms: Sequence[FixedForm], ranges: Sequence[Range], n_noises: int
    ) -> tuple[list[FixedForm], list[Range]]:
        """Return the weighted sums of forms, plus the bias, and bounds of them."""
        scale, doubled = self.layer.scale, 2 * self.layer.scale
        sums = [low + high for low, high in ranges]
        spreads = [[form.error, high - low] for form, (low, high) in zip(forms, ranges, strict=True)]
        found, bounds = [], []
        for (centre, middle, generators), (error, spread), bias in zip(
            self._products(forms, sums, n_noises), self._magnitudes(spreads), self.layer.bias, strict=True
        ):
            if scale > 1:
                generators = {noise: value // scale for noise, value in generators.items()}
                error = error // scale + 2 + len(generators)
            form = FixedForm((centre + bias * ONE) // scale, generators, error)
            reach, shift = form.reach, 2 * bias * ONE
            low, high = (middle - spread + shift) // doubled, -((-middle - spread - shift) // doubled)
            found.append(form)
            bounds.append((max(low, form.centre - reach), min(high, form.centre + reach)))
        return found, bounds

    def _products(
        self, forms: Sequence[FixedForm], sums: Sequence[int], n_noises: int
    ) -> Iterator[tuple[int, int, dict[int, int]]]:
        """Yield for each row the sum of centres, that of other numbers, and those of generators."""
        weight = self.layer.weight
        if isinstance(weight, list) or len(forms) * n_noises > LARGEST_TABLE or not forms:
            for columns, integers in self.rows:
                centre, generators = _sum(columns, integers, forms)
                middle = sum(integer * sums[column] for column, integer in zip(columns, integers, strict=True))
                yield centre, middle, generators
            return
        table = [[0] * (n_noises + 2) for _ in forms]
        for row, form, middle in zip(table, forms, sums, strict=True):
            row[-2:] = form.centre, middle
            for noise, value in form.generators.items():
                row[noise] = value
        for entries in (weight * flint.fmpz_mat(table)).tolist():
            *values, centre, middle = map(int, entries)
            yield centre, middle, {noise: value for noise, value in enumerate(values) if value}

    def _magnitudes(self, pairs: list[list[int]]) -> Iterator[tuple[int, int]]:
        """Yield for each row the sums of two numbers of each input, weighted with magnitudes."""
        if self.magnitude is not None and pairs:
            product = self.magnitude * flint.fmpz_mat(pairs)
            yield from ((int(row[0]), int(row[1])) for row in product.tolist())
            return
        for columns, integers in self.rows:
            first = second = 0
            for column, integer in zip(columns, integers, strict=True):
                first += abs(integer) * pairs[column][0]
                second += abs(integer) * pairs[column][1]
            yield first, second


def fixed_layers(network: Network) -> list[FixedLayer]:
    """Return the layers of a network for `propagate_fixed`."""
    result = []
    for layer in network.exact.layers:
        if isinstance(layer.weight, list):
            result.append(FixedLayer(layer, layer.weight, None))
            continue
        entries = [list(map(int, row)) for row in layer.weight.tolist()]
        rows = []
        for row in entries:
            columns = [j for j, value in enumerate(row) if value]
            rows.append((columns, [row[j] for j in columns]))
        magnitudes = [abs(value) for row in entries for value in row]
        magnitude = flint.fmpz_mat(layer.weight.nrows(), layer.weight.ncols(), magnitudes)
        result.append(FixedLayer(layer, rows, magnitude))
    return result


def propagate_fixed(
    network: Network,
    layers: Sequence[FixedLayer],
    lower: Sequence[Fraction],
    upper: Sequence[Fraction],
    digits: Mapping[Unit, int],
    winners: Mapping[Unit, int] | None = None,
) -> tuple[list[FixedForm], list[FixedForm], list[FixedForm]]:
    """Return the inputs, the conditions and the outputs of a network on a box where units have given digits.

    Parameters
    ----------
    network : Network
    layers : sequence of FixedLayer
        As `fixed_layers` returns them.
    lower, upper : sequence of Fraction, length dim
    digits : mapping of Unit to int
    winners : mapping of Unit to int, optional
        The candidate with which a max unit's others are compared, instead of the one with the largest centre.

    Returns
    -------
    inputs : list of FixedForm, length dim
    conditions : list of FixedForm
        Values that are >= 0 where the units have these digits, in the order of ``digits``.
    outputs : list of FixedForm, length n_out
    """
    inputs, n_noises = [], 0
    for low, high in zip(lower, upper, strict=True):
        centre, radius = (low + high) * ONE // 2, -((low - high) * ONE // 2)
        inputs.append(FixedForm(int(centre), {n_noises: int(radius)} if radius else {}, 1))
        n_noises += bool(radius)
    forms = inputs
    if network.input_map is not None:
        forms = [combination(row, inputs) for row in network.input_map.to_fractions()]
    ranges = [(form.centre - form.reach, form.centre + form.reach) for form in forms]
    conditions: dict[Unit, list[FixedForm]] = {}
    for index, layer in enumerate(layers):
        before, bounds = layer.preactivations(forms, ranges, n_noises)
        if index + 1 == len(layers):
            break
        activation = network.hidden[index].activation
        starts, kinds = activation.indptr.tolist(), activation.kind.tolist()
        forms, ranges = [], []
        for unit, kind in enumerate(kinds):
            own, near = before[starts[unit] : starts[unit + 1]], bounds[starts[unit] : starts[unit + 1]]
            digit = digits.get((index, unit), -1)
            if kind == MAX_UNIT:
                changed = _largest(own, near, digit, n_noises, (winners or {}).get((index, unit)))
            else:
                changed = _bent(activation.functions[kind], own[0], near[0], digit, n_noises)
            forms.append(changed.form)
            ranges.append(changed.ends)
            n_noises += changed.is_bent
            if digit >= 0:
                conditions[index, unit] = changed.conditions
    return inputs, [form for unit in digits for form in conditions[unit]], before


def combination(row: Sequence[Fraction | int], forms: Sequence[FixedForm]) -> FixedForm:
    """Return ``row[:-1] · forms + row[-1]``."""
    total = FixedForm(0, {}, 0).scaled(Fraction(1), Fraction(row[-1]))
    for factor, form in zip(row[:-1], forms, strict=True):
        if factor:
            total = total.minus(form.scaled(Fraction(-factor), Fraction(0)))
    return total


def _sum(columns: Sequence[int], integers: Sequence[int], forms: Sequence[FixedForm]) -> tuple[int, dict[int, int]]:
    centre, generators = 0, dict[int, int]()
    for column, integer in zip(columns, integers, strict=True):
        centre += integer * forms[column].centre
        for noise, value in forms[column].generators.items():
            generators[noise] = generators.get(noise, 0) + integer * value
    return centre, generators


class _Changed(NamedTuple):
    """What a unit gives: a form, bounds of it, the conditions of its digit, and whether it has a noise of its own."""

    form: FixedForm
    ends: Range
    conditions: list[FixedForm]
    is_bent: bool = False


def _bent(function: PiecewiseLinear, form: FixedForm, bounds: Range, digit: int, n_noises: int) -> _Changed:
    low, high = bounds
    if digit >= 0:
        rows, points = [], function.breakpoints
        if digit > 0:
            rows.append(form.scaled(Fraction(1), -points[digit - 1]))
            low = max(low, int(points[digit - 1] * ONE // 1))
        if digit < len(points):
            rows.append(form.scaled(Fraction(-1), points[digit]))
            high = min(high, -int(-points[digit] * ONE // 1))
        changed = form.scaled(function.slopes[digit], function.intercepts[digit])
        return _Changed(changed, _ends(function, low, high), rows)
    if function == RELU:
        ends = max(low, 0), max(high, 0)
        if low >= 0 or high <= 0:
            return _Changed(form if low >= 0 else FixedForm(0, {}, 0), ends, [])
        slope = high * ONE // (high - low)
        half = (max(-slope * low, (ONE - slope) * high) >> (BITS + 1)) + 1
        generators = {noise: slope * value >> BITS for noise, value in form.generators.items()}
        error = (slope * form.error >> BITS) + 2 + len(generators)
        generators[n_noises] = half
        return _Changed(FixedForm((slope * form.centre >> BITS) + half, generators, error), ends, [], True)
    ends = _ends(function, low, high)
    piece = sum(high > point * ONE for point in function.breakpoints)
    if piece == 0 or low >= function.breakpoints[piece - 1] * ONE:
        return _Changed(form.scaled(function.slopes[piece], function.intercepts[piece]), ends, [])
    sides = Fraction(low, ONE), Fraction(high, ONE)
    chord = (function(sides[1]) - function(sides[0])) / (sides[1] - sides[0])
    steep = Fraction(int(chord * ONE // 1), ONE)
    inside = [point for point in function.breakpoints if sides[0] < point < sides[1]]
    leaves = [function(z) - steep * z for z in (*sides, *inside)]
    found = form.scaled(steep, (min(leaves) + max(leaves)) / 2)
    found.generators[n_noises] = int((max(leaves) - min(leaves)) * ONE // 2) + 1
    return _Changed(found, ends, [], True)


def _ends(function: PiecewiseLinear, low: int, high: int) -> Range:
    """Return bounds of a function's values between two bounds."""
    sides = Fraction(low, ONE), Fraction(high, ONE)
    values = [function(z) for z in (*sides, *(point for point in function.breakpoints if sides[0] < point < sides[1]))]
    return int(min(values) * ONE // 1), -int(-max(values) * ONE // 1)


def _largest(
    forms: Sequence[FixedForm], bounds: Sequence[Range], digit: int, n_noises: int, winner: int | None
) -> _Changed:
    ends = max(low for low, _ in bounds), max(high for _, high in bounds)
    if digit >= 0:
        return _Changed(forms[digit], ends, [forms[digit].minus(form) for i, form in enumerate(forms) if i != digit])
    if winner is None or not 0 <= winner < len(forms):
        winner = max(range(len(forms)), key=lambda i: (forms[i].centre, -i))
    own = forms[winner]
    others = [form.minus(own) for i, form in enumerate(forms) if i != winner and bounds[i][1] >= bounds[winner][0]]
    most = max((other.centre + other.reach for other in others), default=0)
    if most <= 0:
        return _Changed(own, ends, [])
    half = most // 2 + 1
    changed = FixedForm(own.centre + half, {**own.generators, n_noises: half}, own.error)
    return _Changed(changed, ends, [], True)
