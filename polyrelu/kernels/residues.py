"""The output maps of all regions modulo a prime: different residues prove different maps.

Weights are dyadic, slopes and slices rational with denominators that the prime does not divide, so every exact number
has a residue and the map ``exact -> residue`` respects sums and products. Residues that agree prove nothing; whoever
needs equality compares rationals.

Sums of products of residues below 2^31 are kept below 2^64 by subtracting ``prime << 32`` where that is possible.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels.compiled import loop

# --- columns of the integer table of levels (hidden layers, then the output layer) ---------------------------------
N_INPUTS, N_ROWS = 0, 1
WEIGHT = 2  # offset of the transposed dense weight; for a sparse one of its column pointers
IS_SPARSE = 3
BIAS = 4
FIRST_ROW = 5  # where its preactivations lie
FIRST_UNIT = 6
N_UNITS = 7
N_LEVEL = 8

# --- columns of the integer table of units ------------------------------------------------------------------
UNIT_ROW = 0  # first preactivation, counted in the layer
UNIT_WORD, UNIT_SHIFT, UNIT_BITS = 1, 2, 3  # BITS 0: no digit
UNIT_PIECE = 4  # offset into slopes and intercepts; -1 for a max unit
N_UNIT = 5


class Residues(NamedTuple):
    """A network modulo a prime.

    Attributes
    ----------
    levels, units : int64 arrays
    weights : uint32 array
        Transposed dense weights, and the entries of sparse ones, column by column.
    pointers, rows : int64 arrays
        Of sparse weights.
    bias : uint32 array
    pieces : uint32 array, shape (2, n_pieces)
        Slopes and intercepts.
    """

    levels: NDArray[np.int64]
    units: NDArray[np.int64]
    weights: NDArray[np.uint32]
    pointers: NDArray[np.int64]
    rows: NDArray[np.int64]
    bias: NDArray[np.uint32]
    pieces: NDArray[np.uint32]


@loop
def output_residues(words, network, prime, digits, values, preactivations, result):
    """Write the residues of each region's output map, columns of the coordinates first, then the constants.

    ``values`` (n_columns, widest) and ``preactivations`` (n_columns, n_rows) are scratch space; ``values`` brings the
    first layer's inputs. ``digits`` (n_units,) starts at -1. Levels are formed afresh from the first one on in whose
    inputs a digit has changed.
    """
    levels = network.levels
    last = len(levels) - 1
    _form(0, levels, network.weights, network.pointers, network.rows, network.bias, prime, values, preactivations)
    for region in range(len(words)):
        first = last
        for level in range(last - 1, -1, -1):
            if _read_digits(level, levels, network.units, words, region, digits):
                first = level
        for level in range(first, last):
            _activate(level, levels, network.units, network.pieces, prime, digits, preactivations, values)
            _form(
                level + 1, levels, network.weights, network.pointers, network.rows, network.bias, prime, values,
                preactivations,
            )  # fmt: skip
        n_out, row = levels[last, N_ROWS], levels[last, FIRST_ROW]
        for c in range(len(preactivations)):
            for j in range(n_out):
                result[region, c * n_out + j] = preactivations[c, row + j]


@loop
def _read_digits(level, levels, units, words, region, digits):
    """Read a level's digits; return whether one has changed."""
    has_changed = False
    for unit in range(levels[level, FIRST_UNIT], levels[level, FIRST_UNIT] + levels[level, N_UNITS]):
        mask = (np.uint64(1) << np.uint64(units[unit, UNIT_BITS])) - np.uint64(1)
        digit = np.int64((words[region, units[unit, UNIT_WORD]] >> np.uint64(units[unit, UNIT_SHIFT])) & mask)
        has_changed |= digit != digits[unit]
        digits[unit] = digit
    return has_changed


@loop
def _activate(level, levels, units, pieces, prime, digits, preactivations, values):
    """Write the outputs of a level's units."""
    row0, unit0, constants = levels[level, FIRST_ROW], levels[level, FIRST_UNIT], len(preactivations) - 1
    for u in range(levels[level, N_UNITS]):
        unit = unit0 + u
        row, piece = row0 + units[unit, UNIT_ROW], units[unit, UNIT_PIECE]
        if piece < 0:
            for c in range(constants + 1):
                values[c, u] = preactivations[c, row + digits[unit]]
            continue
        slope = np.uint64(pieces[0, piece + digits[unit]])
        for c in range(constants + 1):
            values[c, u] = slope * preactivations[c, row] % prime
        values[constants, u] = (values[constants, u] + np.uint64(pieces[1, piece + digits[unit]])) % prime


@loop
def _form(level, levels, weights, pointers, rows, bias, prime, values, preactivations):
    """Write the preactivations of a level from its inputs."""
    n, row0, start = levels[level, N_ROWS], levels[level, FIRST_ROW], levels[level, WEIGHT]
    shifted = prime << np.uint64(32)
    constants = len(preactivations) - 1
    for c in range(constants + 1):
        for j in range(n):
            preactivations[c, row0 + j] = np.uint64(bias[levels[level, BIAS] + j]) if c == constants else np.uint64(0)
        for i in range(levels[level, N_INPUTS]):
            factor = values[c, i]
            if factor == np.uint64(0):
                continue
            if levels[level, IS_SPARSE]:
                for k in range(pointers[start + i], pointers[start + i + 1]):
                    total = preactivations[c, row0 + rows[k]] + factor * np.uint64(weights[k])
                    preactivations[c, row0 + rows[k]] = min(total, total - shifted)
            else:
                column = start + i * n
                for j in range(n):
                    total = preactivations[c, row0 + j] + factor * np.uint64(weights[column + j])
                    preactivations[c, row0 + j] = min(total, total - shifted)
        for j in range(n):
            preactivations[c, row0 + j] %= prime
