"""Lay a network and a polygon out in the tables that the compiled plane enumeration reads."""

from __future__ import annotations

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
from polyrelu.kernels.plane import (
    ENTERING,
    LENGTH,
    N_COUNTERS,
    N_STATE,
    N_TASK,
    TOP,
    Stacks,
    Tables,
    Work,
)
from polyrelu.network.activation import MAX_UNIT, Activation, PiecewiseLinear
from polyrelu.network.model import Layer, Network

__all__ = ["PlaneTables", "plane_tables"]

FAR_SIDES = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))


@dataclass(frozen=True)
class PlaneTables:
    """A network and a polygon in tables.

    Attributes
    ----------
    tables, work, stacks
        What `polyrelu.kernels.plane.enumerate_polygon` reads and writes.
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
    work: Work
    stacks: Stacks
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
    column_level = np.full(n_columns, len(hidden), dtype=np.int64)
    sources = np.stack([np.arange(n_columns), np.full(n_columns, -1)], axis=1)
    shifts = np.zeros((2, n_columns))
    line_class = np.arange(n_columns)
    weights, pointers, rows, bias = _Pool(np.float64), _Pool(np.int64), _Pool(np.int64), _Pool(np.float64)
    for index, layer in enumerate(hidden):
        row = levels[index]
        norms = _lay_out_layer(layer, row, weights, pointers, rows, bias)
        _layer_bounds(layer, norms, floats[index])
        block = slice(row[T.PRE], row[T.PRE] + len(norms))
        maps[3, block] = norms
        line_class[block] = row[T.PRE] + _proportional_rows(layer)
        end = levels[index + 1, T.PRE] if index + 1 < len(levels) else first_line
        column_level[row[T.PRE] : end] = index
        maps[2, row[T.PRE] + len(norms) : end] = -1.0
        _lay_out_cut_rows(row, units, pieces, maps, column_unit, column_pieces, sources, shifts)
        floats[index, T.LARGEST_ROW] = maps[3, row[T.PRE] : end].max(initial=0.0)
    _set_lattices(network, floats)

    high, low = np.zeros((3, n_columns)), np.zeros((3, n_columns))
    bounds = np.zeros((len(hidden) + 1, E.N_BOUNDS))
    if hidden:
        first = network.exact.layers[0].preactivations(network.exact.input_rows())
        _lay_out_first_level(first, levels[0], maps, floats[0], high, low, bounds[0])
        _renorm_cut_rows(levels[0], units, sources, maps, pieces)
        floats[0, T.LARGEST_ROW] = maps[3, : levels[1, T.PRE] if len(levels) > 1 else first_line].max(initial=0.0)
    far_side = _lay_out_domain(polygon, first_line, maps, floats[-1], high, low, bounds[-1])

    tables = Tables(
        levels,
        units,
        pieces,
        weights.array(),
        pointers.array(),
        rows.array(),
        bias.array(),
        column_level,
        line_class,
        sources,
        shifts,
        far_side,
    )
    work = _work(network, tables, maps, floats, high, low, bounds)
    stacks = _stacks(polygon, first_line, work)
    return PlaneTables(tables, work, stacks, first_line, column_unit, column_pieces, unit_neuron)


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
    floats[T.FROBENIUS] = math.sqrt(float(np.square(norms).sum())) * SLACK if norms.max(initial=0) < 2.0**500 else math.inf
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
    maps: NDArray[np.float64],
    column_unit: NDArray[np.int64],
    column_pieces: NDArray[np.int64],
    sources: NDArray[np.int64],
    shifts: NDArray[np.float64],
) -> None:
    """Say for each cut row of a level which unit and digits it parts, and what it is made of."""
    for unit in range(row[T.UNIT], row[T.UNIT] + row[T.N_UNIT]):
        pre, column, piece = units[unit, T.UNIT_PRE], units[unit, T.UNIT_ROW], units[unit, T.UNIT_PIECE]
        if units[unit, T.UNIT_IS_MAX]:
            inputs = units[unit, T.UNIT_INPUTS]
            for p in range(inputs):
                for q in range(p + 1, inputs):
                    column_unit[column], column_pieces[column] = unit, (p, q)
                    sources[column] = pre + p, pre + q
                    maps[3, column] = (maps[3, pre + p] + maps[3, pre + q]) * SLACK
                    column += 1
            continue
        for i in range(units[unit, T.UNIT_ROWS]):
            column_unit[column + i], column_pieces[column + i] = unit, (i, i + 1)
            if row[T.IS_RELU]:
                continue
            sources[column + i] = pre, -1
            shifts[:, column + i] = pieces[T.BREAKPOINT, piece + i], pieces[T.BREAKPOINT_LOW, piece + i]
            maps[3, column + i] = (maps[3, pre] + abs(pieces[T.BREAKPOINT, piece + i])) * SLACK


def _renorm_cut_rows(
    row: NDArray[np.int64],
    units: NDArray[np.int64],
    sources: NDArray[np.int64],
    maps: NDArray[np.float64],
    pieces: NDArray[np.float64],
) -> None:
    """Recompute the norms of the first level's cut rows from those of its preactivations."""
    if row[T.IS_RELU]:
        return
    for unit in range(row[T.UNIT], row[T.UNIT] + row[T.N_UNIT]):
        column, piece = units[unit, T.UNIT_ROW], units[unit, T.UNIT_PIECE]
        for i in range(units[unit, T.UNIT_ROWS]):
            p, q = sources[column + i]
            other = maps[3, q] if q >= 0 else abs(pieces[T.BREAKPOINT, piece + i])
            maps[3, column + i] = (maps[3, p] + other) * SLACK


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
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    bounds: NDArray[np.float64],
) -> None:
    """Set the first level's maps: the nearest floats of the exact forms, with errors relative to their size."""
    n = first.shape[0]
    block = slice(row[T.PRE], row[T.PRE] + n)
    exact = first.numerators.tolist()
    doubled = [[_double_double(int(v), first.denominator) for v in entries] for entries in exact]
    parts = np.array(doubled, dtype=np.float64).reshape(n, 3, 2)
    high[:, block], low[:, block] = parts[:, :, 0].T, parts[:, :, 1].T
    maps[:3, block] = parts[:, :, 0].T
    maps[3, block] = row_norms(parts[:, :, 0], np.zeros(n))
    frobenius = math.sqrt(float(np.square(maps[3, block]).sum())) * SLACK
    for c in range(3):
        in_floats = not parts[:, c, 1].any()
        is_zero = not parts[:, c, 0].any()
        floats[T.SIZE + c] = 0.0 if is_zero else 1.0
        floats[T.RHO + c] = 0.0 if in_floats else 2 * UNIT_ROUNDOFF
        if row[T.ROW] != row[T.PRE]:
            floats[T.RHO + c] += 8 * UNIT_ROUNDOFF
        floats[T.ERROR + c] = 0.0 if in_floats else 2 * UNIT_ROUNDOFF * frobenius
        in_doubles = all(
            Fraction(h) + Fraction(s) == Fraction(int(v[c]), first.denominator)
            for (h, s), v in zip(parts[:, c].tolist(), exact, strict=True)
            if math.isfinite(h)
        )
        bounds[E.RHO + c] = 0.0 if in_doubles else DD
        bounds[E.ERROR + c] = 0.0 if in_doubles else DD * frobenius
        if row[T.ROW] != row[T.PRE]:
            bounds[E.RHO + c] += 8 * DD


def _lay_out_domain(
    polygon: FarPolygon,
    first_line: int,
    maps: NDArray[np.float64],
    floats: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    bounds: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Set the columns of the domain's lines; return which of them are sides of the far square."""
    floats[T.LATTICE] = 1.0
    floats[T.RHO : T.RHO + 3] = 2 * UNIT_ROUNDOFF
    bounds[E.RHO : E.RHO + 3] = DD
    far_side = np.zeros((2, maps.shape[1]))
    for i, line in enumerate(polygon.lines):
        column = first_line + i
        if line[3]:
            far_side[:, column] = -line[0] * line[3], -line[1] * line[3]
            continue
        for c in range(3):
            high[c, column], low[c, column] = _double_double(line[c], 1)
        maps[:3, column] = high[:, column]
        if low[:, column].any():
            maps[3, column] = row_norms(high[:, column][None, :], np.zeros(1))[0]
    return far_side


def _work(
    network: Network,
    tables: Tables,
    maps: NDArray[np.float64],
    floats: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    bounds: NDArray[np.float64],
) -> Work:
    n_columns, n_units, n_levels = maps.shape[1], len(tables.units), len(tables.levels)
    padded = -(-n_columns // 8) * 8 + 8
    widest = int(tables.levels[:, T.N_UNIT].max(initial=0)) + 8
    positive_words, undecided_words = np.zeros(padded // 8, np.uint64), np.zeros(padded // 8, np.uint64)
    words = np.zeros(network.layout.n_words + 1, np.uint64)
    state = np.zeros(N_STATE, np.int64)
    state[ENTERING] = n_levels > 0
    return Work(
        maps=maps,
        floats=floats,
        high=high,
        low=low,
        bounds=bounds,
        digits=np.zeros(n_units + 8, np.uint16),
        used_digits=np.zeros(n_units + 8, np.uint16),
        is_formed=np.zeros(n_levels + 1, np.uint8),
        serial=np.zeros(n_levels + 1, np.int64),
        extended_at=np.full(n_levels + 1, -1, np.int64),
        flips=np.zeros(n_levels + 1, np.int64),
        words=words,
        bytes=words.view(np.uint8),
        positive=positive_words.view(np.uint8),
        positive_words=positive_words,
        undecided=undecided_words.view(np.uint8),
        undecided_words=undecided_words,
        cuts=np.zeros(n_units + 1, np.int64),
        n_cuts=np.zeros(n_levels + 1, np.int64),
        offsets=np.zeros(widest, np.int64),
        forms=np.zeros((3, widest)),
        extended_forms=np.zeros((2, 3, 3)),
        extended_errors=np.zeros((3, 3)),
        state=state,
        counters=np.zeros(N_COUNTERS, np.int64),
        question=np.zeros(5, np.int64),
        answer=np.zeros(T.N_VERTEX_FLOATS),
    )


def _stacks(polygon: FarPolygon, first_line: int, work: Work) -> Stacks:
    """Return stacks with the polygon as the first and current task."""
    size = 1024
    stacks = Stacks(
        np.zeros((size, T.N_VERTEX_FLOATS)),
        np.zeros((size, T.N_VERTEX_INTEGERS), np.int64),
        np.zeros(size, np.int8),
        np.zeros((size, 2), np.int64),
        np.zeros((64, N_TASK), np.int64),
    )
    n = len(polygon.edges)
    for i, edge in enumerate(polygon.edges):
        stacks.vertices[i] = float_vertex(polygon.lines[polygon.edges[i - 1]], polygon.lines[edge])
        stacks.marks[i] = first_line + edge, -1
    work.state[LENGTH] = work.state[TOP] = n
    return stacks
