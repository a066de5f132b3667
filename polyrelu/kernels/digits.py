"""Digits of units from the signs of their cut rows, and their fields in the packed pattern."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels import tables as T
from polyrelu.kernels.compiled import inlined, loop


class Digits(NamedTuple):
    """The digits of the current task, and scratch space for finding them."""

    digits: NDArray[np.uint16]
    used_digits: NDArray[np.uint16]
    words: NDArray[np.uint64]
    bytes: NDArray[np.uint8]
    positive: NDArray[np.uint8]
    positive_words: NDArray[np.uint64]
    undecided: NDArray[np.uint8]
    undecided_words: NDArray[np.uint64]
    cuts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    forms: NDArray[np.float64]


@inlined
def digits_of_relus(level, levels, d):
    """Set the digits of a level of ReLUs from the signs of its rows, eight at a time; list the cut units."""
    row0, n_rows, unit0 = levels[level, T.ROW], levels[level, T.N_ROW], levels[level, T.UNIT]
    n_cuts = 0
    for word in range(row0 >> 3, (row0 + n_rows + 7) >> 3):
        bits = (d.positive_words[word] * np.uint64(0x0102040810204080)) >> np.uint64(56)
        d.bytes[levels[level, T.BYTE] + word - (row0 >> 3)] = bits
        if d.undecided_words[word] != 0:
            for row in range(word << 3, min((word << 3) + 8, row0 + n_rows)):
                if d.undecided[row] == T.CUTS:
                    d.cuts[unit0 + n_cuts] = unit0 + row - row0
                    n_cuts += 1
    levels[level, T.N_CUTS] = n_cuts
    first_unit, first_row = np.uint64(unit0), np.uint64(row0)
    for k in range(np.uint64(n_rows)):
        d.digits[first_unit + k] = d.positive[first_row + k]


@inlined
def digits_of_units(level, levels, units, d):
    """Set the digits of a level that is not of ReLUs only, from the signs of its rows; list the cut units."""
    unit0, n_cuts = levels[level, T.UNIT], 0
    for unit in range(unit0, unit0 + levels[level, T.N_UNIT]):
        row, digit, is_cut = units[unit, T.UNIT_ROW], 0, False
        if units[unit, T.UNIT_IS_MAX]:
            digit = _certain_winner(unit, units, d)
            is_cut = digit < 0
            digit = max(digit, 0)
        else:
            for i in range(units[unit, T.UNIT_ROWS]):
                is_cut |= d.undecided[row + i] == T.CUTS
                digit += d.positive[row + i] != 0
        set_digit(unit, digit, units, d)
        if is_cut:
            d.cuts[unit0 + n_cuts] = unit
            n_cuts += 1
    levels[level, T.N_CUTS] = n_cuts


@inlined
def _certain_winner(unit, units, d):
    """Return the input that is the first largest one on the whole polygon, or -1."""
    for p in range(units[unit, T.UNIT_INPUTS]):
        wins = True
        for q in range(units[unit, T.UNIT_INPUTS]):
            if q != p and wins:
                row = pair_row(unit, p, q, units)
                wins = d.undecided[row] != T.CUTS and beats(p, q, row, d)
        if wins:
            return p
    return -1


@loop
def beats(p, q, row, d):
    """Return whether input ``p`` of a max unit wins against ``q`` where their row is decided; ties go to the first."""
    if d.undecided[row] == T.VANISHES:
        return p < q
    return (d.positive[row] != 0) == (p < q)


@loop
def pair_row(unit, p, q, units):
    """Return the column that compares two inputs of a max unit, ``z_low - z_high`` of the lower and the higher."""
    low, high, m = min(p, q), max(p, q), units[unit, T.UNIT_INPUTS]
    return units[unit, T.UNIT_ROW] + low * m - low * (low + 1) // 2 + high - low - 1


@loop
def set_digit(unit, digit, units, d):
    """Set a unit's digit, and its field in the packed pattern."""
    d.digits[unit] = digit
    width = units[unit, T.UNIT_BITS]
    if width:
        word, shift = units[unit, T.UNIT_WORD], np.uint64(units[unit, T.UNIT_SHIFT])
        mask = ((np.uint64(1) << np.uint64(width)) - np.uint64(1)) << shift
        d.words[word] = (d.words[word] & ~mask) | (np.uint64(digit) << shift)
