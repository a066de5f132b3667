"""Lay a network and a polygon out in the tables that the compiled plane enumeration reads."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.exact_plane import FarPolygon, float_vertex
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import common_denominator, nearest_float
from polyrelu.kernels import extended as E
from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import DD
from polyrelu.kernels.bounds import SLACK, UNIT_ROUNDOFF, gamma, row_norms, spectral_bound
from polyrelu.kernels.maps import MAX_FLIPS
from polyrelu.kernels.plane import Digits, Tables
from polyrelu.kernels.polygons import Geometry
from polyrelu.network.activation import MAX_UNIT, Activation, PiecewiseLinear
from polyrelu.network.model import Layer, Network

__all__ = ["PlaneTables", "plane_tables"]


@dataclass(frozen=True)
class PlaneTables:
    """A network and a polygon in tables.

    Attributes
    ----------
    tables, digits, geometry, extended
        What the compiled loops read and write.
    first_line : int
        Column of the domain's first row; the four sides of the far square come last.
    column_unit : int array, shape (n_columns,)
        Unit whose digit changes across a column's line; -1 for columns that are not cut rows.
    column_pieces : int array, shape (n_columns, 2)
        The two digits on its sides (for a max unit: its two inputs).
    unit_neuron : int array, shape (n_units,)
        Neuron of a unit, -1 for units without a digit.
    """

    tables: Tables
    digits: Digits
    geometry: Geometry
    extended: E.Extended
    first_line: int
    column_unit: NDArray[np.int64]
    column_pieces: NDArray[np.int64]
    unit_neuron: NDArray[np.int64]


def plane_tables(network: Network, polygon: FarPolygon) -> PlaneTables:
    """Return the tables for a network with two inputs on a polygon."""
    hidden = network.hidden
    levels = np.zeros((len(hidden), T.N_INTEGERS), dtype=np.int64)
    floats = np.zeros((len(hidden) + 1, T.N_FLOATS))
    functions = list(dict.fromkeys(f for layer in hidden for f in layer.activation.functions))
    pieces, piece_start = _piece_table(functions)
    units = np.zeros((sum(layer.n_outputs for layer in hidden), T.N_UNIT_INTEGERS), dtype=np.int64)
    n_columns = _lay_out_columns(hidden, levels, units, piece_start)
    first_line, n_columns = n_columns, n_columns + len(polygon.lines)
    unit_neuron = _digit_fields(network, levels, units)

    maps = np.zeros((4, n_columns))
    column_unit = np.full(n_columns, -1, dtype=np.int64)
    column_pieces = np.zeros((n_columns, 2), dtype=np.int64)
    columns = np.zeros((n_columns, T.N_COLUMN_INTEGERS), dtype=np.int64)
    columns[:, T.COLUMN_LEVEL], columns[:, T.COLUMN_CLASS] = len(hidden), np.arange(n_columns)
    extended = _extended(len(hidden), n_columns)
    weights, pointers, rows, bias = _Pool(np.float64), _Pool(np.int64), _Pool(np.int64), _Pool(np.float64)
    ends = [*levels[1:, T.PRE].tolist(), first_line]
    for index, layer in enumerate(hidden):
        row, end = levels[index], ends[index]
        norms = _lay_out_layer(layer, row, weights, pointers, rows, bias)
        _layer_bounds(layer, norms, floats[index])
        block = slice(row[T.PRE], row[T.PRE] + len(norms))
        maps[3, block] = norms
        columns[block, T.COLUMN_CLASS] = row[T.PRE] + _proportional_rows(layer)
        columns[row[T.PRE] : end, T.COLUMN_LEVEL] = index
        maps[2, block.stop : end] = -1.0
        _lay_out_cut_rows(row, units, pieces, column_unit, column_pieces, extended)
    if hidden:
        first = network.exact.layers[0].preactivations(network.exact.input_rows())
        _lay_out_first_level(first, levels[0], maps, floats[0], extended)
    for row, end, constants in zip(levels, ends, floats, strict=False):
        _norm_cut_rows(row, end, maps, extended)
        constants[T.LARGEST_ROW] = maps[3, row[T.PRE] : end].max(initial=0.0)
    _set_lattices(network, floats)
    _lay_out_domain(polygon, first_line, columns, maps, floats[-1], extended)

    tables = Tables(levels, units, pieces, weights.array(), pointers.array(), rows.array(), bias.array())
    geometry = _geometry(polygon, first_line, maps, floats, columns, len(hidden))
    digits = _digits(network, levels, n_columns, len(units))
    return PlaneTables(tables, digits, geometry, extended, first_line, column_unit, column_pieces, unit_neuron)


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


def _piece_table(functions: Sequence[PiecewiseLinear]) -> tuple[NDArray[np.float64], dict[PiecewiseLinear, int]]:
    """Return slopes, intercepts and breakpoints of all functions as double-doubles, and where each one starts."""
    start, columns = {}, []
    for function in functions:
        start[function] = len(columns)
        for i in range(function.n_pieces):
            point = function.breakpoints[i] if i < len(function.breakpoints) else Fraction(0)
            column = []
            for value in (function.slopes[i], function.intercepts[i], point):
                column += _double_double(value.numerator, value.denominator)
            columns.append(column)
    return np.array(columns or [[0.0] * T.N_PIECE_FLOATS]).T.copy(), start


def _double_double(numerator: int, denominator: int) -> tuple[float, float]:
    high = nearest_float(numerator, denominator)
    if not math.isfinite(high):
        return high, 0.0
    exact = Fraction(high)
    remainder = numerator * exact.denominator - exact.numerator * denominator
    return high, nearest_float(remainder, denominator * exact.denominator)


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
        row[T.PRE], row[T.N_PRE] = column, -(-n_pre // 8) * 8
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
        transposed = np.zeros((layer.n_inputs, padded))
        transposed[:, :n_pre] = layer.weight.T
        row[T.WEIGHT] = weights.append(transposed)
    return row_norms(layer.weight, layer.bias)


def _layer_bounds(layer: Layer, norms: NDArray[np.float64], floats: NDArray[np.float64]) -> None:
    """Fill a level's constants (columns of `polyrelu.kernels.tables`)."""
    floats[T.SPECTRAL] = spectral_bound(layer.weight)
    is_huge = norms.max(initial=0) > 2.0**500
    floats[T.FROBENIUS] = math.inf if is_huge else math.sqrt(float(np.square(norms).sum())) * SLACK
    floats[T.GAMMA] = gamma(layer.n_inputs + 2 * MAX_FLIPS + 8)
    steepest = intercepts = 0.0
    counts = np.bincount(layer.activation.kind + 1, minlength=len(layer.activation.functions) + 1)
    steepest = 1.0 if counts[0] else 0.0
    for function, count in zip(layer.activation.functions, counts[1:], strict=True):
        steepest = max(steepest, *(nearest_float(abs(s.numerator), s.denominator) for s in function.slopes))
        largest = max(nearest_float(abs(t.numerator), t.denominator) for t in function.intercepts)
        intercepts += count * largest * largest
    floats[T.STEEPEST] = steepest if steepest == 1.0 else steepest * SLACK
    floats[T.INTERCEPT] = math.sqrt(intercepts) * SLACK


def _proportional_rows(layer: Layer) -> NDArray[np.int64]:
    """Return for each row of (weight, bias) the first row that is a multiple of it; such rows give one line.

    Candidates share the quotients of their entries in floats; they are compared exactly, in cross products.
    """
    n = len(layer.bias)
    first = np.arange(n)
    if layer.is_sparse:
        return first
    full = np.concatenate([layer.weight, layer.bias[:, None]], axis=1)
    lead = np.argmax(full != 0, axis=1)
    leads = full[np.arange(n), lead]
    with np.errstate(all="ignore"):
        scaled = (full / leads[:, None]).astype(np.float32)
    groups: dict[bytes, list[int]] = {}
    for j in range(n):
        groups.setdefault(scaled[j].tobytes(), []).append(j)
    for members in groups.values():
        for position, j in enumerate(members):
            for earlier in members[:position]:
                if first[earlier] == earlier and _is_proportional(full[earlier], full[j], lead[j]):
                    first[j] = earlier
                    break
    return first


def _is_proportional(row: NDArray[np.float64], other: NDArray[np.float64], lead: int) -> bool:
    a, b = Fraction(row[lead]), Fraction(other[lead])
    if not a or not b:
        return False
    return all(Fraction(x) * b == Fraction(y) * a for x, y in zip(row.tolist(), other.tolist(), strict=True))


def _lay_out_cut_rows(
    row: NDArray[np.int64],
    units: NDArray[np.int64],
    pieces: NDArray[np.float64],
    column_unit: NDArray[np.int64],
    column_pieces: NDArray[np.int64],
    extended: E.Extended,
) -> None:
    """Say for each cut row of a level which unit and digits it parts, and what it is made of."""
    for unit in range(row[T.UNIT], row[T.UNIT] + row[T.N_UNIT]):
        pre, column, piece = units[unit, T.UNIT_PRE], units[unit, T.UNIT_ROW], units[unit, T.UNIT_PIECE]
        inputs = units[unit, T.UNIT_INPUTS] if units[unit, T.UNIT_IS_MAX] else 0
        for p, q in itertools.combinations(range(inputs), 2):
            column_unit[column], column_pieces[column] = unit, (p, q)
            extended.sources[column] = pre + p, pre + q
            column += 1
        for i in range(0 if inputs else units[unit, T.UNIT_ROWS]):
            column_unit[column + i], column_pieces[column + i] = unit, (i, i + 1)
            extended.sources[column + i] = pre, -1
            extended.shifts[:, column + i] = pieces[[T.BREAKPOINT, T.BREAKPOINT_LOW], piece + i]


def _norm_cut_rows(row: NDArray[np.int64], end: int, maps: NDArray[np.float64], extended: E.Extended) -> None:
    """Set the norms of a level's cut rows from those of the preactivations they are made of."""
    if row[T.IS_RELU]:
        return
    block = slice(row[T.ROW], row[T.ROW] + row[T.N_ROW])
    p, q = extended.sources[block].T
    other = np.where(q >= 0, maps[3, q], np.abs(extended.shifts[0, block]))
    maps[3, block] = (maps[3, p] + other) * SLACK


def _set_lattices(network: Network, floats: NDArray[np.float64]) -> None:
    """Set what every exact coefficient of a level is a multiple of."""
    denominator = network.exact.input_rows().denominator
    for index, layer in enumerate(network.exact.layers[:-1]):
        denominator *= layer.scale
        functions = layer.activation.functions
        rows = denominator * common_denominator(t for f in functions for t in f.breakpoints)
        lattice = nearest_float(1, rows) / SLACK
        floats[index, T.LATTICE] = lattice if lattice > 2.0**-900 else 0.0
        denominator *= common_denominator(v for f in functions for v in (*f.slopes, *f.intercepts))


def _lay_out_first_level(
    first: RationalMatrix,
    row: NDArray[np.int64],
    maps: NDArray[np.float64],
    floats: NDArray[np.float64],
    extended: E.Extended,
) -> None:
    """Set the first level's maps: the nearest floats of the exact forms, with errors relative to their size."""
    n = first.shape[0]
    block = slice(row[T.PRE], row[T.PRE] + n)
    exact = first.numerators.tolist()
    parts = [[_double_double(int(v), first.denominator) for v in entries] for entries in exact]
    high, low = np.array(parts, dtype=np.float64).reshape(n, 3, 2).transpose(2, 1, 0)
    maps[:3, block] = extended.high[:, block] = high
    extended.low[:, block] = low
    maps[3, block] = row_norms(high.T, np.zeros(n))
    frobenius = math.sqrt(float(np.square(maps[3, block]).sum())) * SLACK
    has_cut_rows = row[T.ROW] != row[T.PRE]
    for c in range(3):
        in_floats = not low[c].any()
        floats[T.SIZE + c] = 1.0 if high[c].any() else 0.0
        floats[T.RHO + c] = (0.0 if in_floats else 2 * UNIT_ROUNDOFF) + has_cut_rows * 8 * UNIT_ROUNDOFF
        floats[T.ERROR + c] = 0.0 if in_floats else 2 * UNIT_ROUNDOFF * frobenius
        in_doubles = in_floats or all(
            Fraction(h) + Fraction(s) == Fraction(int(v[c]), first.denominator)
            for h, s, v in zip(high[c].tolist(), low[c].tolist(), exact, strict=True)
        )
        extended.bounds[0, E.RHO + c] = (0.0 if in_doubles else DD) + has_cut_rows * 8 * DD
        extended.bounds[0, E.ERROR + c] = 0.0 if in_doubles else DD * frobenius


def _lay_out_domain(
    polygon: FarPolygon,
    first_line: int,
    columns: NDArray[np.int64],
    maps: NDArray[np.float64],
    floats: NDArray[np.float64],
    extended: E.Extended,
) -> None:
    """Set the columns of the domain's lines and of the sides of the far square."""
    floats[T.LATTICE] = 1.0
    floats[T.RHO : T.RHO + 3] = 2 * UNIT_ROUNDOFF
    extended.bounds[-1, E.RHO : E.RHO + 3] = DD
    for column, line in enumerate(polygon.lines, start=first_line):
        if line[3]:
            columns[column, T.FAR_SIDE_X], columns[column, T.FAR_SIDE_Y] = -line[0], -line[1]
            continue
        parts = np.array([_double_double(value, 1) for value in line[:3]])
        extended.high[:, column], extended.low[:, column] = parts.T
        maps[:3, column] = parts[:, 0]
        if parts[:, 1].any():  # only lines that floats do not hold have errors
            maps[3, column] = row_norms(parts[None, :, 0], np.zeros(1))[0]


def _extended(n_levels: int, n_columns: int) -> E.Extended:
    return E.Extended(
        high=np.zeros((3, n_columns)),
        low=np.zeros((3, n_columns)),
        bounds=np.zeros((n_levels + 1, E.N_BOUNDS)),
        formed_at=np.full(n_levels + 1, -1, np.int64),
        sources=np.stack([np.arange(n_columns), np.full(n_columns, -1)], axis=1),
        shifts=np.zeros((2, n_columns)),
        forms=np.zeros((2, 3, 3)),
        errors=np.zeros((3, 3)),
    )


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
        forms=np.zeros((3, widest)),
    )


def _geometry(
    polygon: FarPolygon,
    first_line: int,
    maps: NDArray[np.float64],
    floats: NDArray[np.float64],
    columns: NDArray[np.int64],
    n_levels: int,
) -> Geometry:
    """Return stacks with the polygon as the first and current task, after the rows kept for other uses."""
    size, n = 1024, len(polygon.edges)
    vertices = np.zeros((size, T.N_VERTEX_FLOATS))
    marks = np.zeros((size, T.N_VERTEX_INTEGERS), np.int64)
    start = T.FIRST_VERTEX
    for i, edge in enumerate(polygon.edges):
        vertices[start + i] = float_vertex(polygon.lines[polygon.edges[i - 1]], polygon.lines[edge])
        marks[start + i] = first_line + edge, -1, 0
    state = np.zeros(T.N_STATE, np.int64)
    state[T.ENTERING] = n_levels > 0
    state[T.START], state[T.LENGTH], state[T.TOP] = start, n, start + n
    return Geometry(maps, floats, columns, vertices, marks, np.zeros((size, 2), np.int64), state)
