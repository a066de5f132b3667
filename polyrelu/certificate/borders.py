"""The borders of a layer: the affine forms on whose signs its digits depend."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import IDENTITY, MAX_UNIT, Activation

__all__ = ["BOTH", "MINUS", "PLUS", "SOME", "LayerBorders", "Row"]

Row = Sequence[flint.fmpz]
"""``(a_1, …, a_dim, c)``: the form ``a · x + c``, up to a positive factor."""
PLUS, MINUS, BOTH = 1, 2, 3
SOME = 4
"""Added to the sides of a border that some cells say nothing about."""


class LayerBorders:
    """What the digits of a layer's units say about its borders.

    A unit with breakpoints has a border ``z - breakpoint`` for each; its digit is that of the piece between two of
    them. A max unit has a border ``z_p - z_q`` for each two of its inputs ``p < q``.

    Attributes
    ----------
    sides : list of list of dict
        ``sides[unit][digit]`` maps the borders that the digit is about to `PLUS` or `MINUS`; units without digits are
        left out.
    strict : list of int
        The side of each border to which its zeros do not belong.
    """

    def __init__(self, activation: Activation | None) -> None:
        activation = activation or Activation.same(IDENTITY, 0)
        starts, self.n_units = activation.indptr.tolist(), activation.n_units
        self.sides: list[list[dict[int, int]]] = []
        self.strict: list[int] = []
        self.units: list[int] = []
        self._terms: list[tuple[int, int, int, int]] = []  # row, other row or -1, the breakpoint's two numbers
        for unit, kind in enumerate(activation.kind.tolist()):
            first, n = len(self._terms), int(activation.n_pieces[unit])
            if n < 2:
                continue
            self.units.append(unit)
            choices: list[dict[int, int]] = []
            if kind == MAX_UNIT:
                pairs = {pair: first + i for i, pair in enumerate(itertools.combinations(range(n), 2))}
                self._terms += [(starts[unit] + p, starts[unit] + q, 0, 1) for p, q in pairs]
                self.strict += [MINUS] * len(pairs)
                for t in range(n):
                    choices.append({b: PLUS if p == t else MINUS for (p, q), b in pairs.items() if t in (p, q)})
            else:
                points = activation.functions[kind].breakpoints
                self._terms += [(starts[unit], -1, p.numerator, p.denominator) for p in points]
                self.strict += [PLUS] * len(points)
                for t in range(n):
                    choices.append(({first + t - 1: PLUS} if t else {}) | ({first + t: MINUS} if t < n - 1 else {}))
            self.sides.append(choices)
        self.owner = {b: unit for unit, choices in enumerate(self.sides) for sides in choices for b in sides}
        self.is_binary = all(len(choices) == 2 for choices in self.sides)
        self._is_plain = self._terms == [(row, -1, 0, 1) for row in range(activation.n_preactivations)]

    def forms(self, preactivations: RationalMatrix) -> flint.fmpz_mat:
        """Return the borders on a cell, one a row, from the layer's preactivations there."""
        if self._is_plain:
            return preactivations.numerators
        rows, denominator = preactivations.numerators.tolist(), preactivations.denominator
        forms = []
        for row, other, numerator, scale in self._terms:
            form = rows[row] if other < 0 else [a - b for a, b in zip(rows[row], rows[other], strict=True)]
            forms.append([scale * a for a in form])
            forms[-1][-1] -= numerator * denominator
        return flint.fmpz_mat(forms) if forms else flint.fmpz_mat(0, preactivations.shape[1])

    def sides_of(self, digits: NDArray[np.uint8], starts: Sequence[int]) -> list[list[int]]:
        """Return on which sides of each border there are cells, for each run of cells from one start to the next.

        `SOME` is added where some cells are about a border and others are not: those may lie on both sides.

        Parameters
        ----------
        digits : uint8 array, shape (n_cells, n_digits)
        starts : sequence of int
            First cell of each run.
        """
        if self.is_binary and len(self.strict) == len(self.sides):  # one border each
            low = np.minimum.reduceat(digits, starts, axis=0)
            high = np.maximum.reduceat(digits, starts, axis=0)
            pairs = [[choices[0][b], choices[1][b]] for b, choices in enumerate(self.sides)]
            values = np.array(pairs, np.uint8).reshape(-1, 2)
            return (values.T[0] * (low == 0) | values.T[1] * (high == 1)).tolist()
        result = []
        for start, stop in itertools.pairwise([*starts, len(digits)]):
            found = [0] * len(self.strict)
            for choices, own in zip(self.sides, digits[start:stop].T.tolist(), strict=True):
                chosen = [choices[digit] for digit in set(own)]
                for border, side in itertools.chain.from_iterable(sides.items() for sides in chosen):
                    found[border] |= side if all(border in sides for sides in chosen) else side | SOME
            result.append(found)
        return result

    def between(self, unit: int, digit: int, other: int) -> int:
        """Return the border that parts two digits of a unit, or -1 if they are not next to each other."""
        ours, theirs = self.sides[unit][digit], self.sides[unit][other]
        return next((b for b in ours if b in theirs and ours[b] != theirs[b]), -1)

    def unpack(self, packed: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """Return digits, shape (n_cells, n_digits), or None if the bytes are none of this layer.

        A byte holds eight bits, the highest first, if all units have two digits, and else one digit.
        """
        n = len(self.sides)
        if packed.shape[1:] != (-(-n // 8) if self.is_binary else n,):
            return None
        digits = np.unpackbits(packed, axis=1) if self.is_binary else packed
        if digits[:, n:].any() or (digits[:, :n] >= np.array([len(choices) for choices in self.sides])).any():
            return None
        return digits[:, :n]

    def pack(self, digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return what `unpack` reads."""
        return np.packbits(digits, axis=1) if self.is_binary else digits

    def unit_digits(self, digits: bytes) -> Sequence[int]:
        """Return a digit for every unit, 0 for those without one."""
        if len(digits) == self.n_units:
            return digits
        result = [0] * self.n_units
        for unit, digit in zip(self.units, digits, strict=True):
            result[unit] = digit
        return result
