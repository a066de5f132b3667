"""The rows that single answers speak of, derived from the weights: what each digit of a neuron says about the input.

A row ``(a_1, …, a_dim, c)`` of coprime integers stands for ``a · x + c >= 0``. Nothing here knows a solver.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from polyrelu.errors import CertificateError, PatternError
from polyrelu.exact.domain import Domain
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import primitive_row
from polyrelu.network.activation import MAX_UNIT
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

__all__ = [
    "AnswerRow", "Condition", "LayerForms", "Multipliers", "Row", "check_pattern", "combine", "domain_rows",
    "pattern_rows", "require", "value_at",
]  # fmt: skip

Row = tuple[int, ...]
Multipliers = Sequence[tuple[int, Fraction]]
"""(Which row, multiplier), for the rows whose multiplier is not 0."""


class Condition(NamedTuple):
    """What a digit says about one border of its neuron: ``sign * border >= 0``, or ``> 0`` where strict."""

    border: int
    sign: int
    is_strict: bool


class AnswerRow(NamedTuple):
    """A row of a region and what kind of row it is.

    Attributes
    ----------
    row : tuple of int, length dim + 1
    is_strict : bool
        True if the pattern needs ``> 0``: for ReLU, digit 1.
    neuron : int
        -1 for a row of the domain.
    """

    row: Row
    is_strict: bool
    neuron: int


@dataclass(frozen=True)
class LayerForms:
    """The preactivations of one layer as affine functions of the input, where the layers before it have given digits.

    Attributes
    ----------
    network : Network
    layer : int
        Behind the last hidden layer come the outputs.
    matrix : RationalMatrix, shape (n_preactivations, dim + 1)

    Notes
    -----
    A *border* of a unit is an affine function whose sign its digit depends on: the preactivation minus a breakpoint, or
    the difference of two inputs ``i < j`` of a max unit.

    Examples
    --------
    >>> from polyrelu.network.model import Network
    >>> fold = Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])
    >>> first = LayerForms.of(fold)
    >>> first.borders, first.conditions(0, 1)
    (((1, 0), (-1, 10)), [Condition(border=0, sign=1, is_strict=True)])
    >>> first.behind([1, 1]).borders
    ((1, -1),)
    """

    network: Network
    layer: int
    matrix: RationalMatrix

    @staticmethod
    def of(network: Network) -> LayerForms:
        """Return the first layer's forms."""
        exact = network.exact
        return LayerForms(network, 0, exact.layers[0].preactivations(exact.input_rows()))

    def behind(self, digits: Sequence[int]) -> LayerForms:
        """Return the next layer's forms, where this layer's neurons have these digits."""
        exact = self.network.exact.layers
        by_unit = [0] * self.network.hidden[self.layer].n_outputs
        for unit, digit in zip(self.units, digits, strict=True):
            by_unit[unit] = digit
        values = exact[self.layer].outputs(self.matrix, by_unit)
        return LayerForms(self.network, self.layer + 1, exact[self.layer + 1].preactivations(values))

    @property
    def is_output(self) -> bool:
        """True behind the last hidden layer."""
        return self.layer == len(self.network.hidden)

    @cached_property
    def n_digits(self) -> tuple[int, ...]:
        """How many digits each neuron of the layer has."""
        return tuple(n for n in self._n_pieces if n > 1)

    @cached_property
    def units(self) -> tuple[int, ...]:
        """Which units are neurons."""
        return tuple(unit for unit, n in enumerate(self._n_pieces) if n > 1)

    @cached_property
    def _n_pieces(self) -> list[int]:
        return [] if self.is_output else self.network.hidden[self.layer].activation.n_pieces.tolist()

    @cached_property
    def borders(self) -> tuple[Row, ...]:
        """The borders of all neurons, as coprime rows."""
        activation = self.network.hidden[self.layer].activation
        rows = [[int(value) for value in row] for row in self.matrix.numerators.tolist()]
        found = []
        for unit in self.units:
            start, kind = int(activation.indptr[unit]), int(activation.kind[unit])
            if kind == MAX_UNIT:
                inputs = rows[start : int(activation.indptr[unit + 1])]
                found += [_difference(a, b) for j, b in enumerate(inputs) for a in inputs[:j]]
                continue
            for point in activation.functions[kind].breakpoints:
                form = rows[start]
                if point:
                    form = [point.denominator * value for value in form]
                    form[-1] -= point.numerator * self.matrix.denominator
                found.append(form)
        return tuple(_coprime(form) for form in found)

    @cached_property
    def first_borders(self) -> tuple[int, ...]:
        """Where each neuron's borders begin, and where the last one's end."""
        starts = [0]
        for unit, n in zip(self.units, self.n_digits, strict=True):
            starts.append(starts[-1] + (n * (n - 1) // 2 if self._is_max(unit) else n - 1))
        return tuple(starts)

    def conditions(self, place: int, digit: int) -> list[Condition]:
        """Return what a digit of the layer's neuron number ``place`` says; a zero belongs to the lower digit."""
        first, n = self.first_borders[place], self.n_digits[place]
        if not self._is_max(self.units[place]):
            below = [Condition(first + digit - 1, 1, True)] if digit else []
            return below + ([Condition(first + digit, -1, False)] if digit < n - 1 else [])
        lower = [Condition(first + digit * (digit - 1) // 2 + i, -1, True) for i in range(digit)]
        return lower + [Condition(first + j * (j - 1) // 2 + digit, 1, False) for j in range(digit + 1, n)]

    def rows(self, place: int, digit: int, neuron: int) -> list[AnswerRow]:
        """Return the rows of a digit; ``neuron`` is only noted."""
        return [
            AnswerRow(self.borders[b] if sign > 0 else tuple(-v for v in self.borders[b]), is_strict, neuron)
            for b, sign, is_strict in self.conditions(place, digit)
        ]

    def difference(self, output: int, other: int) -> Row:
        """Return the coprime row that says that an output is at least another one."""
        rows = self.matrix.numerators.tolist()
        return _coprime(_difference(*([int(value) for value in rows[i]] for i in (output, other))))

    def _is_max(self, unit: int) -> bool:
        return int(self.network.hidden[self.layer].activation.kind[unit]) == MAX_UNIT


def pattern_rows(network: Network, pattern: Pattern, domain: Domain | None) -> list[AnswerRow]:
    """Return the rows of all neurons, in their order, then those of the domain.

    Raises
    ------
    CertificateError
        If the pattern or the domain does not fit the network.
    """
    check_pattern(network, pattern)
    forms, rows, left = LayerForms.of(network), [], list(pattern.digits)
    neuron = 0
    while not forms.is_output:
        digits, left = left[: len(forms.units)], left[len(forms.units) :]
        for place, digit in enumerate(digits):
            rows += forms.rows(place, digit, neuron)
            neuron += 1
        forms = forms.behind(digits)
    return rows + domain_rows(network, domain)


def check_pattern(network: Network, pattern: Pattern) -> None:
    """Raise `CertificateError` unless a pattern has a digit for each neuron, and one that the neuron has."""
    try:
        network.unit_digits(pattern)
    except PatternError as error:
        raise CertificateError(str(error)) from None


def domain_rows(network: Network, domain: Domain | None) -> list[AnswerRow]:
    """Return the rows of a domain, coprime; none without a domain."""
    if domain is None:
        return []
    require(domain.dim == network.dim, "a domain of the network's dimension")
    return [AnswerRow(primitive_row(row), False, -1) for row in domain.rows]


def value_at(row: Row, point: Sequence[Fraction]) -> Fraction:
    """Return ``a · x + c``."""
    return sum((a * x for a, x in zip(row, point, strict=False) if a), Fraction(row[-1]))


def combine(rows: Sequence[Row], multipliers: Multipliers, width: int) -> list[int]:
    """Return a positive multiple of the sum of some rows' multiples, shape (width,)."""
    scale = math.lcm(*(y.denominator for _, y in multipliers))
    total = [0] * width
    for index, y in multipliers:
        factor = int(y * scale)
        total = [t + factor * a for t, a in zip(total, rows[index], strict=True)]
    return total


def require(holds: bool, what: str) -> None:
    """Raise `CertificateError`, naming what is missing, unless it is there."""
    if not holds:
        raise CertificateError(f"A proof needs {what} but has none. Ask the question again.")


def _difference(row: Sequence[int], other: Sequence[int]) -> list[int]:
    return [a - b for a, b in zip(row, other, strict=True)]


def _coprime(values: Sequence[int]) -> Row:
    divisor = math.gcd(*values)
    return tuple(values) if divisor < 2 else tuple([value // divisor for value in values])
