"""The borders of a layer: the affine forms on whose signs its digits depend."""

from __future__ import annotations

from collections.abc import Sequence

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import IDENTITY, MAX_UNIT, Activation

__all__ = ["BOTH", "MINUS", "PLUS", "LayerBorders", "Row"]

Row = Sequence[flint.fmpz]
"""``(a_1, …, a_dim, c)``: the form ``a · x + c``, up to a positive factor."""
PLUS, MINUS, BOTH = 1, 2, 3


class LayerBorders:
    """What the digits of a layer's units say about its borders.

    A unit with breakpoints has a border ``z - breakpoint`` for each; its digit is that of the piece between two of them. A
    max unit has a border ``z_p - z_q`` for each two of its inputs ``p < q``.

    Attributes
    ----------
    sides : list of list of dict
        ``sides[unit][digit]`` maps the borders that the digit is about to `PLUS` or `MINUS`; units without digits are left
        out.
    strict : list of int
        The side of each border to which its zeros do not belong.
    """

    def __init__(self, activation: Activation | None) -> None:
        activation = activation or Activation.same(IDENTITY, 0)
        starts, self.n_units = activation.indptr.tolist(), activation.n_units
        self.sides: list[list[dict[int, int]]] = []
        self.strict: list[int] = []
        self.units: list[int] = []
        self._terms: list[tuple[int, int, int, int]] = []  # row, other row or -1, numerator and denominator of a breakpoint
        for unit, kind in enumerate(activation.kind.tolist()):
            first, n = len(self._terms), int(activation.n_pieces[unit])
            if n < 2:
                continue
            self.units.append(unit)
            if kind == MAX_UNIT:
                pairs = {(p, q): first + i for i, (p, q) in enumerate((p, q) for q in range(n) for p in range(q))}
                self._terms += [(starts[unit] + p, starts[unit] + q, 0, 1) for p, q in pairs]
                self.strict += [MINUS] * len(pairs)
                self.sides.append([{b: PLUS if p == t else MINUS for (p, q), b in pairs.items() if t in (p, q)} for t in range(n)])
            else:
                points = activation.functions[kind].breakpoints
                self._terms += [(starts[unit], -1, p.numerator, p.denominator) for p in points]
                self.strict += [PLUS] * len(points)
                near = [{first + t - 1: PLUS, first + t: MINUS} for t in range(n)]
                self.sides.append([{b: side for b, side in s.items() if first <= b < first + n - 1} for s in near])
        self.owner = {b: unit for unit, choices in enumerate(self.sides) for sides in choices for b in sides}
        self.is_binary = all(len(choices) == 2 for choices in self.sides)
        self.n_bytes = -(-len(self.sides) // 8) if self.is_binary else len(self.sides)

    def forms(self, preactivations: RationalMatrix) -> list[Row]:
        """Return the borders on a cell, from the layer's preactivations there."""
        rows, denominator = preactivations.numerators.tolist(), preactivations.denominator
        forms = []
        for row, other, numerator, scale in self._terms:
            form = rows[row] if other < 0 else [a - b for a, b in zip(rows[row], rows[other], strict=True)]
            if numerator:
                form = [*(scale * a for a in form[:-1]), scale * form[-1] - numerator * denominator]
            forms.append(form)
        return forms

    def sides_among(self, cells: Sequence[Sequence[int]]) -> list[int]:
        """Return for each border on which sides of it the cells with these digits lie: 0 for none, `BOTH` for both."""
        found = [0] * len(self.strict)
        for choices, digits in zip(self.sides, zip(*cells, strict=True), strict=True):
            for digit in set(digits):
                for border, side in choices[digit].items():
                    found[border] |= side
        return found

    def between(self, unit: int, digit: int, other: int) -> int:
        """Return the border that parts two digits of a unit, or -1 if they are not next to each other."""
        ours, theirs = self.sides[unit][digit], self.sides[unit][other]
        return next((b for b in ours if b in theirs and ours[b] != theirs[b]), -1)

    def fit(self, packed: NDArray[np.uint8]) -> bool:
        """Return whether all packed digits, shape (n_cells, n_bytes), are digits of the layer."""
        if packed.shape[1:] != (self.n_bytes,):
            return False
        if self.is_binary:
            return not np.unpackbits(packed, axis=1)[:, len(self.sides) :].any()
        return bool((packed < np.array([len(choices) for choices in self.sides])).all())

    def unpack(self, packed: bytes) -> list[int]:
        """Return the digits that some bytes hold: eight bits a byte from the highest on, or a byte each."""
        if not self.is_binary:
            return list(packed)
        return [packed[i >> 3] >> (7 - (i & 7)) & 1 for i in range(len(self.sides))]

    def unit_digits(self, digits: Sequence[int]) -> list[int]:
        """Return a digit for every unit, 0 for those without one."""
        result = [0] * self.n_units
        for unit, digit in zip(self.units, digits, strict=True):
            result[unit] = digit
        return result
