"""Lay a network out in the tables that the compiled enumerations read."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.level_constants import (
    first_level,
    layer_bounds,
    piece_table,
    proportional_rows,
    set_first_level,
    set_lattices,
)
from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import SLACK, row_norms
from polyrelu.kernels.depth_first import Tables
from polyrelu.kernels.digits import Digits
from polyrelu.kernels.tiles import TILE
from polyrelu.network.activation import MAX_UNIT, Activation, PiecewiseLinear
from polyrelu.network.model import Layer, Network

__all__ = ["NetworkTables", "network_tables"]


@dataclass(frozen=True)
class NetworkTables:
    """A network in tables, with columns left free for the rows of a domain.

    Attributes
    ----------
    network : Network
    tables, digits
        What the compiled loop reads and writes.
    maps, floats, bounds, columns
        What every geometry has (`polyrelu.kernels.tables`); the last row of ``floats`` and ``bounds`` is the domain's.
    sources : int array, shape (n_columns, 2)
        A column is the preactivation in column ``p``, less that in column ``q`` unless ``q`` is -1, less
    shifts : float array, shape (2, n_columns)
        a breakpoint, as a double-double.
    first_line : int
        Column of the domain's first row.
    column_unit : int array, shape (n_columns,)
        Unit whose digit changes where a column vanishes; -1 for columns that are not cut rows.
    column_pieces : int array, shape (n_columns, 2)
        The two digits on its sides (for a max unit: its two inputs).
    unit_neuron : int array, shape (n_units,)
        Neuron of a unit, -1 for units without a digit.
    """

    network: Network
    tables: Tables
    digits: Digits
    maps: NDArray[np.float64]
    floats: NDArray[np.float64]
    bounds: NDArray[np.float64]
    columns: NDArray[np.int64]
    sources: NDArray[np.int64]
    shifts: NDArray[np.float64]
    first_line: int
    column_unit: NDArray[np.int64]
    column_pieces: NDArray[np.int64]
    unit_neuron: NDArray[np.int64]


def network_tables(network: Network, n_lines: int) -> NetworkTables:
    """Return the tables of a network, with ``n_lines`` columns for the rows of a domain."""
    hidden = network.hidden
    levels = np.zeros((len(hidden), T.N_INTEGERS), dtype=np.int64)
    floats = np.zeros((len(hidden) + 1, T.N_FLOATS))
    bounds = np.zeros((len(hidden) + 1, T.N_BOUNDS, network.dim + 1))
    functions = list(dict.fromkeys(f for layer in hidden for f in layer.activation.functions))
    pieces, piece_start = piece_table(functions)
    units = np.zeros((sum(layer.n_outputs for layer in hidden), T.N_UNIT_INTEGERS), dtype=np.int64)
    first_line = _lay_out_columns(hidden, levels, units, piece_start)
    n_columns = first_line + n_lines
    unit_neuron = _digit_fields(network, levels, units)

    maps = np.zeros((network.dim + 2, n_columns))
    column_unit = np.full(n_columns, -1, dtype=np.int64)
    column_pieces = np.zeros((n_columns, 2), dtype=np.int64)
    columns = np.zeros((n_columns, T.N_COLUMN_INTEGERS), dtype=np.int64)
    columns[:, T.COLUMN_LEVEL], columns[:, T.COLUMN_CLASS] = len(hidden), np.arange(n_columns)
    sources = np.stack([np.arange(n_columns), np.full(n_columns, -1)], axis=1)
    shifts = np.zeros((2, n_columns))
    weights, pointers, rows, bias = _Pool(np.float64), _Pool(np.int64), _Pool(np.int64), _Pool(np.float64)
    ends = [*levels[1:, T.PRE].tolist(), first_line]
    for index, layer in enumerate(hidden):
        row, end = levels[index], ends[index]
        norms = _lay_out_layer(layer, row, weights, pointers, rows, bias)
        layer_bounds(layer, norms, floats[index])
        block = slice(row[T.PRE], row[T.PRE] + len(norms))
        maps[-1, block] = norms
        columns[block, T.COLUMN_CLASS] = row[T.PRE] + proportional_rows(layer)
        columns[row[T.PRE] : end, T.COLUMN_LEVEL] = index
        maps[-2, block.stop : end] = -1.0
        _lay_out_cut_rows(row, units, pieces, column_unit, column_pieces, sources, shifts)
    if hidden:
        set_first_level(first_level(network), levels[0], maps, floats[0], bounds[0])
    for row, end, constants in zip(levels, ends, floats, strict=False):
        _norm_cut_rows(row, maps, sources, shifts)
        constants[T.LARGEST_ROW] = maps[-1, row[T.PRE] : end].max(initial=0.0)
    set_lattices(network, floats)
    tables = Tables(levels, units, pieces, weights.array(), pointers.array(), rows.array(), bias.array())
    digits = _digits(network, levels, n_columns, len(units))
    return NetworkTables(
        network, tables, digits, maps, floats, bounds, columns, sources, shifts,
        first_line, column_unit, column_pieces, unit_neuron,
    )  # fmt: skip


class _Pool:
    """Concatenates arrays and remembers how long the result is."""

    def __init__(self, dtype: type) -> None:
        self.parts: list[NDArray] = []
        self.size = 0
        self.dtype = dtype

    def append(self, values: NDArray) -> int:
        start = self.size
        self.parts.append(np.asarray(values, dtype=self.dtype).ravel())
        self.size += self.parts[-1].size
        return start

    def array(self) -> NDArray:
        return np.concatenate([*self.parts, np.zeros(8, dtype=self.dtype)])


def _row_counts(activation: Activation) -> NDArray[np.int64]:
    """Return the number of cut rows of each unit."""
    inputs = np.diff(activation.indptr)
    return np.where(activation.kind == MAX_UNIT, inputs * (inputs - 1) // 2, activation.n_pieces - 1)


def _lay_out_columns(
    hidden: Sequence[Layer],
    levels: NDArray[np.int64],
    units: NDArray[np.int64],
    piece_start: dict[PiecewiseLinear, int],
) -> int:
    """Assign columns to preactivations and cut rows; return how many there are."""
    column = unit = 0
    for index, layer in enumerate(hidden):
        activation = layer.activation
        row, n_pre, n_units = levels[index], activation.n_preactivations, activation.n_units
        counts = _row_counts(activation)
        row[T.PRE], row[T.N_PRE] = column, -(-n_pre // TILE) * TILE
        row[T.UNIT], row[T.N_UNIT], row[T.IS_RELU] = unit, n_units, activation.is_relu
        row[T.LARGEST_UNIT] = counts.max(initial=0)
        column += row[T.N_PRE]
        row[T.ROW] = row[T.PRE] if activation.is_relu else column
        row[T.N_ROW] = counts.sum()
        if not activation.is_relu:
            column += -(-row[T.N_ROW] // 8) * 8
        block = units[unit : unit + n_units]
        block[:, T.UNIT_PRE] = row[T.PRE] + activation.indptr[:-1]
        block[:, T.UNIT_INPUTS] = np.diff(activation.indptr)
        block[:, T.UNIT_ROW] = row[T.ROW] + np.concatenate([[0], np.cumsum(counts)[:-1]]) if n_units else 0
        block[:, T.UNIT_ROWS] = counts
        block[:, T.UNIT_IS_MAX] = activation.kind == MAX_UNIT
        starts = np.array([piece_start[f] for f in activation.functions] + [0])
        block[:, T.UNIT_PIECE] = np.where(activation.kind == MAX_UNIT, 0, starts[activation.kind])
        unit += n_units
    return column


def _digit_fields(network: Network, levels: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Copy the layout of packed patterns to the units; return each unit's neuron."""
    layout = network.layout
    neuron_unit = levels[network.neurons[:, 0], T.UNIT] + network.neurons[:, 1]
    units[neuron_unit, T.UNIT_WORD] = layout.word
    units[neuron_unit, T.UNIT_SHIFT] = layout.shift
    units[neuron_unit, T.UNIT_BITS] = layout.bits
    unit_neuron = np.full(len(units), -1, dtype=np.int64)
    unit_neuron[neuron_unit] = np.arange(len(neuron_unit))
    for row in levels:
        first = unit_neuron[row[T.UNIT]] if row[T.IS_RELU] and row[T.N_UNIT] else -1
        row[T.BYTE] = (layout.word[first] * 64 + layout.shift[first]) // 8 if first >= 0 else 0
    return unit_neuron


def _lay_out_layer(
    layer: Layer, row: NDArray[np.int64], weights: _Pool, pointers: _Pool, rows: _Pool, bias: _Pool
) -> NDArray[np.float64]:
    """Append a layer's weights by input unit and its bias; return the norms of its rows."""
    n_pre, padded = layer.activation.n_preactivations, int(row[T.N_PRE])
    row[T.BIAS] = bias.append(np.concatenate([layer.bias, np.full(padded - n_pre, -1.0)]))
    row[T.HAS_BIAS], row[T.IS_SPARSE] = layer.bias.any(), layer.is_sparse
    if layer.is_sparse:
        columns = layer.weight.tocsc()
        start = weights.append(columns.data)
        rows.append(np.zeros(start - rows.size))
        rows.append(columns.indices)
        row[T.WEIGHT] = pointers.append(columns.indptr.astype(np.int64) + start)
    else:
        padded_weight = np.zeros((padded, layer.n_inputs))
        padded_weight[:n_pre] = layer.weight
        row[T.WEIGHT] = weights.append(padded_weight.reshape(-1, TILE, layer.n_inputs).transpose(0, 2, 1))
    return row_norms(layer.weight, layer.bias)


def _lay_out_cut_rows(
    row: NDArray[np.int64],
    units: NDArray[np.int64],
    pieces: NDArray[np.float64],
    column_unit: NDArray[np.int64],
    column_pieces: NDArray[np.int64],
    sources: NDArray[np.int64],
    shifts: NDArray[np.float64],
) -> None:
    """Say for each cut row of a level which unit and digits it parts, and what it is made of."""
    for unit in range(row[T.UNIT], row[T.UNIT] + row[T.N_UNIT]):
        pre, column, piece = units[unit, T.UNIT_PRE], units[unit, T.UNIT_ROW], units[unit, T.UNIT_PIECE]
        inputs = units[unit, T.UNIT_INPUTS] if units[unit, T.UNIT_IS_MAX] else 0
        for p, q in itertools.combinations(range(inputs), 2):
            column_unit[column], column_pieces[column] = unit, (p, q)
            sources[column] = pre + p, pre + q
            column += 1
        for i in range(0 if inputs else units[unit, T.UNIT_ROWS]):
            column_unit[column + i], column_pieces[column + i] = unit, (i, i + 1)
            sources[column + i] = pre, -1
            shifts[:, column + i] = pieces[[T.BREAKPOINT, T.BREAKPOINT_LOW], piece + i]


def _norm_cut_rows(
    row: NDArray[np.int64], maps: NDArray[np.float64], sources: NDArray[np.int64], shifts: NDArray[np.float64]
) -> None:
    """Set the norms of a level's cut rows from those of the preactivations they are made of."""
    if row[T.IS_RELU]:
        return
    block = slice(row[T.ROW], row[T.ROW] + row[T.N_ROW])
    p, q = sources[block].T
    other = np.where(q >= 0, maps[-1, q], np.abs(shifts[0, block]))
    maps[-1, block] = (maps[-1, p] + other) * SLACK


def _digits(network: Network, levels: NDArray[np.int64], n_columns: int, n_units: int) -> Digits:
    padded = -(-n_columns // 8) + 1
    widest = int(levels[:, T.N_UNIT].max(initial=0)) + 8
    positive, undecided = np.zeros(padded, np.uint64), np.zeros(padded, np.uint64)
    words = np.zeros(network.layout.n_words + 1, np.uint64)
    return Digits(
        digits=np.zeros(n_units + 8, np.uint16),
        used_digits=np.zeros(n_units + 8, np.uint16),
        words=words,
        bytes=words.view(np.uint8),
        positive=positive.view(np.uint8),
        positive_words=positive,
        undecided=undecided.view(np.uint8),
        undecided_words=undecided,
        cuts=np.zeros(n_units + 1, np.int64),
        offsets=np.zeros(widest, np.int64),
        forms=np.zeros((network.dim + 1, widest)),
    )
