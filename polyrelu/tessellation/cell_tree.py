"""The tree of cells of a certificate in tables, for the compiled walk that proves it (`polyrelu.kernels.bases`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.certificate.borders import PLUS, LayerBorders
from polyrelu.certificate.format import Certificate, Level
from polyrelu.enumeration.essential import Essential, essential
from polyrelu.errors import InternalError
from polyrelu.exact.rational import nearest_float
from polyrelu.kernels import tables as T
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from polyrelu.enumeration.cell_tables import CellTables
    from polyrelu.kernels.cell_layout import Cells
    from polyrelu.kernels.cell_tree import Tree

__all__ = ["CellTree", "cell_tree"]

BLOCK = 1 << 16


@dataclass(frozen=True)
class CellTree:
    """All cells of a certificate, numbered one level after the other.

    Attributes
    ----------
    firsts : int64 array, shape (n_levels + 1,)
        First cell of each level.
    asked : int64 array, shape (n_cells + 1,)
        First asked row of each cell.
    digits : list of uint8 array, shape (n_cells, n_units)
        Digits of the cells of each level but the first.
    borders : int64 array, shape (n_columns, 2)
        Level and number of the border that each column is; for a row of the domain the number of levels comes first.
    core : Essential
        The network in coordinates that suffice.
    tables : CellTables
    geometry : Cells
    walk : Tree
    """

    firsts: NDArray[np.int64]
    asked: NDArray[np.int64]
    digits: list[NDArray[np.uint8]]
    borders: NDArray[np.int64]
    core: Essential
    tables: CellTables
    geometry: Cells
    walk: Tree


def cell_tree(certificate: Certificate, network: Network) -> CellTree:
    """Return the cells of a certificate with at least one coordinate in tables.

    Parameters
    ----------
    certificate : Certificate
        Complete and right but for bases and points beyond facets.
    network : Network
        Its network, with the input map.
    """
    from polyrelu.enumeration.cell_tables import cell_tables
    from polyrelu.kernels.cell_tree import Tree, count_asked

    core = essential(network, certificate.domain)
    tables = cell_tables(core.network, core.domain, False)
    laid_out, levels = tables.network, certificate.levels
    borders = [LayerBorders(layer.activation) for layer in network.hidden]
    columns = [_border_columns(each, i, tables) for i, each in enumerate(borders)]
    firsts = np.concatenate([[0], np.cumsum([len(level.parents) for level in levels])])
    n_cells, most = int(firsts[-1]), max(int(np.diff(level.starts).max(initial=0)) for level in levels)
    digits = [_digits(each, level) for each, level in zip(borders, levels[1:], strict=True)]
    keys = _facet_keys(levels, digits, borders, columns, laid_out.first_line)
    entries = np.concatenate([[0], np.cumsum([len(level.sides) for level in levels])])
    starts = [level.starts[:-1] + entry for level, entry in zip(levels, entries, strict=False)]
    choice_starts, choices = _choices(borders, columns)
    walk = Tree(
        children=_children(levels, firsts),
        starts=np.concatenate([*starts, entries[-1:]]),
        keys=np.concatenate(keys),
        targets=_targets(levels, int(entries[-1])),
        digits=np.concatenate([np.zeros(0, np.uint8), *(each.reshape(-1) for each in digits)]),
        digit_starts=_running([each.size for each in digits]),
        firsts=firsts,
        units=_integers([laid_out.tables.levels[i, T.UNIT] + np.array(b.units, int) for i, b in enumerate(borders)]),
        unit_starts=_running([len(each.units) for each in borders]),
        choice_starts=choice_starts,
        choices=choices,
        borders=_integers(columns),
        border_starts=_running([len(each) for each in columns]),
        asked=np.zeros(n_cells + 1, np.int64),
        inside=_first_regions(levels),
        points=_points_inside(certificate, core),
        domain=2 * (laid_out.first_line + np.arange(len(certificate.domain.rows))),
        sides=np.zeros((len(levels), len(laid_out.columns)), np.uint8),
        counts=np.zeros(len(laid_out.columns), np.int64),
        places=np.zeros(2 * len(laid_out.columns), np.int64),
        stamps=np.full(2 * len(laid_out.columns), -1),
        path=np.zeros(len(levels), np.int64),
        state=np.zeros(3, np.int64),
    )
    counts = np.zeros(n_cells, np.int64)
    count_asked(walk, counts)
    walk.asked[1:] = np.cumsum(counts)
    named = _named_borders(columns, laid_out.first_line, len(laid_out.columns))
    return CellTree(firsts, walk.asked, digits, named, core, tables, _roomy(tables.geometry, most), walk)


def _roomy(geometry: Cells, most: int) -> Cells:
    """Return a geometry with room for cells of so many facets, and for the corners that are kept."""
    from polyrelu.kernels.bases import KEPT
    from polyrelu.kernels.cell_layout import MOVING, N_EXTRA, stride_of

    dim, n_corners = len(geometry.axes) - 1, MOVING + 1 + KEPT
    return geometry._replace(
        vertices=np.zeros((dim + 1 + N_EXTRA) * int(stride_of(most))),
        corners=np.zeros((n_corners, dim)),
        inverses=np.zeros((n_corners, dim, dim)),
        bases=np.zeros((n_corners, dim), np.int64),
        values=np.zeros(most + 8),
        rates=np.zeros(most + 8),
        slacks=np.zeros(most + 8),
        is_facet=np.zeros(most + 8, np.int64),
    )


def _running(sizes: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)


def _integers(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _border_columns(borders: LayerBorders, index: int, tables: CellTables) -> NDArray[np.int64]:
    """Return the column of each border of a layer."""
    from polyrelu.kernels.digits import pair_row

    laid_out = tables.network.tables
    result = np.zeros(len(borders.strict), np.int64)
    for unit, choices in zip(borders.units, borders.sides, strict=True):
        row = int(laid_out.levels[index, T.UNIT]) + unit
        own = sorted({b for sides in choices for b in sides})
        if laid_out.units[row, T.UNIT_IS_MAX]:
            for b in own:
                p, q = (digit for digit, sides in enumerate(choices) if b in sides)
                result[b] = pair_row(row, p, q, laid_out.units)
        else:
            result[own] = laid_out.units[row, T.UNIT_ROW] + np.arange(len(own))
    return result


def _named_borders(columns: list[NDArray[np.int64]], first_line: int, n_columns: int) -> NDArray[np.int64]:
    result = np.stack([np.full(n_columns, len(columns)), np.arange(n_columns) - first_line], axis=1)
    for level, own in enumerate(columns):
        result[own, 0], result[own, 1] = level, np.arange(len(own))
    return result


def _digits(borders: LayerBorders, level: Level) -> NDArray[np.uint8]:
    """Return the digits of a level's cells, shape (n_cells, n_units)."""
    if not borders.is_binary:
        return level.digits
    return np.unpackbits(level.digits, axis=1)[:, : len(borders.units)]


def _choices(
    borders: list[LayerBorders], columns: list[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys of rows that each digit of each unit stands for."""
    most = max((len(choices) for each in borders for choices in each.sides), default=0)
    starts: list[list[int]] = []
    keys: list[int] = []
    for each, own in zip(borders, columns, strict=True):
        for choices in each.sides:
            row = [len(keys)]
            for sides in choices:
                keys += [2 * int(own[b]) + (side != PLUS) for b, side in sides.items()]
                row.append(len(keys))
            starts.append(row + row[-1:] * (most + 1 - len(row)))
    return np.array(starts, np.int64).reshape(len(starts), most + 1), np.array(keys, np.int64)


def _children(levels: tuple[Level, ...], firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    parts = [
        first + np.searchsorted(level.parents, np.arange(n))
        for level, first, n in zip(levels[1:], firsts[1:], np.diff(firsts), strict=False)
    ]
    return np.concatenate([*parts, np.full(len(levels[-1].parents) + 1, firsts[-1])])


def _first_regions(levels: tuple[Level, ...]) -> NDArray[np.int64]:
    """Return the first region in each cell."""
    parts = [np.arange(len(levels[-1].parents))]
    for above, level in zip(levels[-2::-1], levels[:0:-1], strict=True):
        parts.insert(0, parts[0][np.searchsorted(level.parents, np.arange(len(above.parents)))])
    return np.concatenate(parts)


def _facet_keys(
    levels: tuple[Level, ...], digits: list[NDArray[np.uint8]], borders: list[LayerBorders],
    columns: list[NDArray[np.int64]], first_line: int,
) -> list[NDArray[np.int64]]:  # fmt: skip
    """Return for each level the rows of its cells' facets, as the checker derives them from neighbours."""
    between = [_between(each, own) for each, own in zip(borders, columns, strict=True)]
    result = []
    for depth, level in enumerate(levels):
        keys = 2 * (first_line - 1 - level.facets[:, 1].astype(np.int64))
        inner = np.flatnonzero(level.facets[:, 1] >= 0)
        for start in range(0, len(inner), BLOCK):
            part = inner[start : start + BLOCK]
            keys[part] = _keys_between(level.facets[part], depth, levels, digits, between)
        owners = np.repeat(np.arange(len(level.parents)), np.diff(level.starts))
        is_second = level.facets[level.sides, 0] != owners
        result.append(keys[level.sides] ^ is_second)
    return result


def _between(borders: LayerBorders, columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the key of the row that parts two digits of a unit, positive on the side of the first, or -1."""
    most = max((len(choices) for choices in borders.sides), default=0)
    result = np.full((len(borders.sides), most, most), -1, np.int64)
    for unit, choices in enumerate(borders.sides):
        for digit, ours in enumerate(choices):
            for other, theirs in enumerate(choices):
                for b in ours.keys() & theirs.keys():
                    if ours[b] != theirs[b]:
                        result[unit, digit, other] = 2 * columns[b] + (ours[b] != PLUS)
    return result


def _keys_between(
    pairs: NDArray[np.int32], depth: int, levels: tuple[Level, ...], digits: list[NDArray[np.uint8]],
    between: list[NDArray[np.int64]],
) -> NDArray[np.int64]:  # fmt: skip
    """Return the rows of facets between pairs of cells, positive on the first one's side."""
    keys = np.full(len(pairs), -1, np.int64)
    left, cells = np.arange(len(pairs)), pairs
    for level in range(depth, 0, -1):
        above = levels[level].parents[cells]
        is_here = above[:, 0] == above[:, 1]
        ours, theirs = (digits[level - 1][cells[is_here, side]] for side in (0, 1))
        units = (ours != theirs).argmax(axis=1) if ours.shape[1] else np.zeros(len(ours), np.int64)
        places = np.arange(len(units))
        keys[left[is_here]] = between[level - 1][units, ours[places, units], theirs[places, units]]
        left, cells = left[~is_here], above[~is_here]
    if (keys < 0).any():
        raise InternalError("certify needs neighbours with neighbouring digits but some have others. Please report it.")
    return keys


def _targets(levels: tuple[Level, ...], n_entries: int) -> NDArray[np.int64]:
    """Return for each facet of each cell which point beyond it is asked for: of regions, on its first side."""
    leaves = levels[-1]
    owners = np.repeat(np.arange(len(leaves.parents)), np.diff(leaves.starts))
    is_first = leaves.facets[leaves.sides, 0] == owners
    result = np.full(n_entries, -1, np.int64)
    result[n_entries - len(leaves.sides) :] = np.where(is_first, leaves.sides, -1)
    return result


def _points_inside(certificate: Certificate, core: Essential) -> NDArray[np.float64]:
    """Return about the witnesses, in coordinates that suffice."""
    points = certificate.witnesses.floats.copy()
    for index, point in certificate.witnesses.exact.items():
        points[index] = [nearest_float(value.numerator, value.denominator) for value in point]
    if core.inputs is not None and len(core.inputs) == core.original.dim:
        return points
    exact = core.original.exact
    forms = exact.layers[0].preactivations(exact.input_rows()).to_floats()
    if core.inputs is None:
        return points @ forms[:, :-1].T + forms[:, -1]
    rows = [[nearest_float(value, 1) for value in row[:-1]] for row in certificate.domain.rows]
    normals = np.concatenate([forms[:, :-1], np.array(rows, np.float64).reshape(-1, forms.shape[1] - 1)])
    return points @ normals.T @ np.linalg.pinv(normals[:, core.inputs]).T
