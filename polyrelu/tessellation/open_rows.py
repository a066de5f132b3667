"""What floats leave open of proofs by bases, in rationals: what they propose if it is right, else a linear program."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.certificate.borders import LayerBorders, Row
from polyrelu.certificate.format import UNUSED, Certificate
from polyrelu.errors import InternalError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import to_fractions
from polyrelu.network.model import Network
from polyrelu.region.evaluation import is_strictly_inside
from polyrelu.region.lp import Optimal, Witness, find_point, maximize

if TYPE_CHECKING:
    from polyrelu.kernels.cell_tree import Proofs
    from polyrelu.tessellation.cell_tree import CellTree

__all__ = ["IS_CONSTANT", "decide_open"]

OPEN, PROVEN, IS_CONSTANT = 0, 1, 2
"""What is known of an asked row (`polyrelu.kernels.cell_tree`)."""

Point = tuple[Fraction, ...]


def decide_open(certificate: Certificate, network: Network, tree: CellTree, proofs: Proofs) -> dict[int, Point]:
    """Prove in rationals what is open; return the points beyond facets that are none of the proposed floats.

    Parameters
    ----------
    certificate : Certificate
    network : Network
        Its network, with the input map.
    tree : CellTree
    proofs : Proofs
        Of all coordinates; what was open is not afterwards.
    """
    if proofs.known.all() and proofs.are_proven.all():
        return {}
    forms, points = _ExactForms(network, certificate, tree), {}
    asked, starts, facets = tree.asked.tolist(), tree.walk.starts.tolist(), tree.walk.targets
    for cell in _open_cells(certificate, tree, proofs):
        forms.move_to(cell)
        rows = [forms.row(key) for key in tree.walk.keys[starts[cell] : starts[cell + 1]].tolist()]
        lines = asked[cell] + np.flatnonzero(proofs.known[asked[cell] : asked[cell + 1]] == OPEN)
        if len(lines):
            _decide_rows(rows, [forms.row(key) for key in proofs.keys[lines].tolist()], lines, proofs)
        for i, facet in enumerate(facets[starts[cell] : starts[cell + 1]].tolist()):
            if facet >= 0 and not proofs.are_proven[facet]:
                point = _point_beyond(rows, i, proofs.points[facet])
                if point is not None:
                    points[facet] = point
    return points


def _open_cells(certificate: Certificate, tree: CellTree, proofs: Proofs) -> list[int]:
    """Return the cells with something open, in the order of a walk: cells between the cells that they lie in."""
    is_known = np.concatenate([[0], np.cumsum(proofs.known != OPEN)])[tree.asked]
    is_open = np.diff(is_known) < np.diff(tree.asked)
    is_open[tree.firsts[-2] + certificate.levels[-1].facets[proofs.are_proven == 0, 0]] = True
    cells = np.flatnonzero(is_open)
    return cells[np.lexsort((cells, tree.walk.inside[cells]))].tolist()


class _ExactForms:
    """The exact borders on one cell after the other; what consecutive cells share is kept."""

    def __init__(self, network: Network, certificate: Certificate, tree: CellTree) -> None:
        self._exact, self._digits, self._firsts = network.exact, tree.digits, tree.firsts
        self._borders = [LayerBorders(layer.activation) for layer in network.hidden]
        self._names = tree.borders.tolist()
        self._parents = [level.parents.tolist() for level in certificate.levels]
        self._path: list[int] = []
        self._matrices: list[RationalMatrix] = []
        self._forms: list[list[Row]] = []
        self._domain = [[flint.fmpz(value) for value in row] for row in certificate.domain.rows]

    def move_to(self, cell: int) -> None:
        """Make a cell the current one."""
        depth = int(np.searchsorted(self._firsts, cell, side="right")) - 1
        path = [cell - int(self._firsts[depth])]
        for level in range(depth, 0, -1):
            path.append(self._parents[level][path[-1]])
        path.reverse()
        shared = next((i for i, (a, b) in enumerate(zip(path, self._path, strict=False)) if a != b), len(path))
        self._path = path
        del self._matrices[shared:], self._forms[shared:]

    def row(self, key: int) -> Row:
        """Return the row of a key on the current cell, positive inside."""
        level, border = self._names[key >> 1]
        form = self._domain[border] if level == len(self._borders) else self._level(level)[border]
        return [-value for value in form] if key & 1 else form

    def _level(self, level: int) -> list[Row]:
        """Return the borders of a layer, counted from 0, on the current cell."""
        while len(self._forms) <= level:
            depth = len(self._forms)
            values = self._exact.input_rows()
            if depth:
                digits = self._borders[depth - 1].unit_digits(self._digits[depth - 1][self._path[depth]].tobytes())
                values = self._exact.layers[depth - 1].outputs(self._matrices[-1], digits)
            self._matrices.append(self._exact.layers[depth].preactivations(values))
            self._forms.append(list(self._borders[depth].forms(self._matrices[-1]).tolist()))
        return self._forms[level]


def _decide_rows(rows: list[Row], asked: list[Row], lines: NDArray[np.int64], proofs: Proofs) -> None:
    """Write a basis for each asked row of a cell."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for i, row in enumerate(asked):
        if any(row[:-1]):
            groups.setdefault(tuple(k for k in proofs.bases[lines[i]].tolist() if k != UNUSED), []).append(i)
        else:
            proofs.known[lines[i]] = IS_CONSTANT
    for basis, members in groups.items():
        for i, is_right in zip(members, _are_implied(rows, basis, [asked[i] for i in members]), strict=True):
            if not is_right:
                found = _basis_of(rows, asked[i])
                proofs.bases[lines[i]] = found + [UNUSED] * (proofs.bases.shape[1] - len(found))
            proofs.known[lines[i]] = PROVEN


def _are_implied(rows: list[Row], basis: tuple[int, ...], asked: list[Row]) -> list[bool]:
    """Return for each asked row whether it is a non-negative combination of a basis, which is independent, and of 1."""
    size = len(basis)
    columns = [rows[k][:-1] for k in basis] + [row[:-1] for row in asked]
    table, scale, rank = flint.fmpz_mat(columns).transpose().rref()
    scale = flint.fmpz(scale)
    if rank < size or any(table[k, k] != scale for k in range(size)):
        return [False] * len(asked)
    result = []
    for column, row in enumerate(asked, size):
        multipliers = [table[k, column] * scale for k in range(size)]
        rest = scale * scale * row[-1] - sum(y * rows[k][-1] for y, k in zip(multipliers, basis, strict=True))
        is_spanned = not any(table[k, column] for k in range(size, rank))
        result.append(is_spanned and rest >= 0 and all(y >= 0 for y in multipliers))
    return result


def _basis_of(rows: list[Row], asked: Row) -> list[int]:
    """Return independent rows of which the asked one is a non-negative combination, but for a constant >= 0.

    The multipliers of an optimal corner are those of independent rows.
    """
    answer = maximize([-int(value) for value in asked], [[int(value) for value in row] for row in rows])
    if isinstance(answer, Optimal):
        basis = tuple(i for i, y in enumerate(answer.multipliers) if y)
        if _are_implied(rows, basis, [asked])[0]:
            return list(basis)
    raise InternalError("certify needs facets that imply the rows of their cell but some do not. Please report it.")


def _point_beyond(rows: list[Row], index: int, proposed: NDArray[np.float64]) -> Point | None:
    """Return a point where just one row is negative and the others are positive; None if the proposed one is that."""
    turned = [[int(-value if i == index else value) for value in row] for i, row in enumerate(rows)]
    if np.isfinite(proposed).all() and is_strictly_inside(turned, to_fractions(proposed.tolist())):
        return None
    answer = find_point(turned, [True] * len(turned), len(proposed))
    if not isinstance(answer, Witness):
        raise InternalError("certify needs facets of regions but one is none. Please report it.")
    return answer.point
