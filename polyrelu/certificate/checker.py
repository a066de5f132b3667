"""`check_certificate`: is a tessellation right and complete? Decided by sums and products of rationals alone.

The checker walks through the tree of cells: below a cell of one level are those into which the next layer cuts it. It derives
each cell's rows from the weights, and shows for every cell that the stated facets cut out just the set where all rows hold,
that the facets of regions are facets, and that each leads to a neighbour or to the domain's border.
docs/certificate_format.md proves that this suffices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import flint
import numpy as np

from polyrelu.certificate.borders import BOTH, MINUS, LayerBorders, Row
from polyrelu.certificate.format import BASES, POLYGONS, Certificate, Level, refuse
from polyrelu.certificate.implied import at, find_corners, implied_by_bases, multiple_of
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.model import Network

__all__ = ["CheckedTessellation", "check_certificate"]


class CheckedTessellation(NamedTuple):
    """How much a certificate proves: numbers of regions, of facets, of linear regions and of affine maps."""

    n_regions: int
    n_facets: int
    n_linear_regions: int
    n_maps: int


def check_certificate(
    certificate: Certificate, network: Network, progress: Callable[[int], None] | None = None
) -> CheckedTessellation:
    """Return what a certificate proves about a network.

    Parameters
    ----------
    certificate : Certificate
        From `read_certificate`.
    network : Network
        The model; an input map in the certificate is put before it.
    progress : callable, optional
        Called with the number of checked regions now and then.

    Raises
    ------
    CertificateError
        With the condition that fails.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.tessellation.certify import certify
    >>> from polyrelu.testing import thick_zero, xor
    >>> certificate = certify(tessellate(thick_zero()))
    >>> check_certificate(certificate, thick_zero())
    CheckedTessellation(n_regions=8, n_facets=9, n_linear_regions=8, n_maps=8)
    >>> check_certificate(certificate, xor())
    Traceback (most recent call last):
    ...
    polyrelu.errors.CertificateError: The certificate is refused: it is about another network.
    """
    matrix, dim = certificate.input_map, certificate.domain.dim
    if replace(network, input_map=None).hash != certificate.network:
        refuse("it is about another network")
    if (network.input_map or matrix) != matrix or (matrix and matrix.shape[0] != network.layers[0].n_inputs):
        refuse("its input map is not the network's, or does not fit it")
    network = replace(network, input_map=matrix)
    if dim != network.dim or len(certificate.levels) != len(network.layers):
        refuse(f"it has {dim} coordinates and {len(certificate.levels)} levels, unlike the network")
    if certificate.proof != BASES and (certificate.proof != POLYGONS or dim != 2):
        refuse(f"there is no proof of the kind {certificate.proof!r:.20} in {dim} dimensions")
    walk = Walk(certificate, network, progress or (lambda _: None))
    walk.visit(walk.cell(0, 0, [], network.exact.input_rows(), walk.domain))
    walk.finish()
    numbers = (len(set(found)) for found in (certificate.linear_regions.tolist(), walk.maps))
    return CheckedTessellation(certificate.n_regions, certificate.n_facets, *numbers)


class Cell(NamedTuple):
    """A cell on the way from the domain to a region."""

    number: int
    digits: list[int]  # of its own layer
    rows: list[Row]  # its facets, positive inside
    values: RationalMatrix  # what the next layer reads, as rows over the coordinates
    forms: list[Row]  # the next layer's borders
    sides: list[int]  # on which sides of each of them there are cells
    live: dict[tuple[flint.fmpz, ...], list[int]]  # those that may vanish on facets of such cells, by `multiple_of`


class Cells:
    """The cells of one level; all numbers that serve as an index are checked."""

    def __init__(self, level: Level, depth: int, n_above: int, borders: LayerBorders) -> None:
        n, facets = len(level.parents), level.facets.astype(np.int64)
        parents, starts, sides = level.parents, level.starts, level.sides
        if facets.shape[1] != 2 or len(starts) != n + 1 or len(level.digits) != n or not borders.fit(level.digits):
            refuse(f"the arrays of level {depth} do not fit each other, or the network")
        steps = np.diff(parents.astype(np.int64), prepend=-1, append=n_above)
        if not n or steps[0] != 1 or steps[-1] != 1 or not np.isin(steps, (0, 1)).all():
            refuse(f"the cells of level {depth} do not lie, in order, in all cells of the level above")
        if starts[0] or (np.diff(starts) < 0).any() or starts[-1] != len(sides):
            refuse(f"the lists of facets of level {depth} do not follow each other")
        if (facets[:, 0] < 0).any() or (facets >= n).any() or (facets[:, 0] == facets[:, 1]).any():
            refuse(f"a facet of level {depth} does not lie between two of its cells")
        if len(sides) and not 0 <= sides.min() <= sides.max() < len(facets):
            refuse(f"a cell of level {depth} has a facet that is not there")
        if not np.array_equal(np.bincount(sides, minlength=len(facets)), 1 + (facets[:, 1] >= 0)):
            refuse(f"a facet of level {depth} is not in the lists of both its cells, once")
        packed = [row.tobytes() for row in level.digits]
        for cell in range(1, n):
            if steps[cell] == 0 and packed[cell - 1] >= packed[cell]:
                refuse(f"cell {cell} of level {depth} has the pattern of another one, or stands in the wrong place")
        self.borders, self.bases, self.parents, self.facets = borders, level.bases, parents.tolist(), facets.tolist()
        self._starts, self._sides, self._packed = starts.tolist(), sides.tolist(), packed
        self._children = np.searchsorted(parents, np.arange(n_above + 1)).tolist()

    def children(self, cell: int) -> range:
        """Return which cells of this level lie in one of the level above."""
        return range(self._children[cell], self._children[cell + 1])

    def digits(self, cell: int) -> list[int]:
        """Return the digits that a cell has in this level's layer."""
        return self.borders.unpack(self._packed[cell])

    def facets_of(self, cell: int) -> list[int]:
        """Return the numbers of a cell's facets."""
        return self._sides[self._starts[cell] : self._starts[cell + 1]]


class Walk:
    """One pass through the tree of cells; `path` leads from the domain to the cell that is looked at."""

    def __init__(self, certificate: Certificate, network: Network, progress: Callable[[int], None]) -> None:
        self.certificate, self.progress, self.layers = certificate, progress, network.exact.layers
        self.domain: list[Row] = [tuple(map(flint.fmpz, row)) for row in certificate.domain.rows]
        self.levels: list[Cells] = []
        for depth, level in enumerate(certificate.levels):
            borders = LayerBorders(network.hidden[depth - 1].activation if depth else None)
            self.levels.append(Cells(level, depth, len(self.levels[-1].parents) if depth else 1, borders))
        counts = np.cumsum([len(cells.borders.sides) for cells in self.levels])
        self.first_neuron = [0, *counts.tolist()]
        self.path: list[Cell] = []
        self.used = [0] * len(self.levels)  # how many bases of each level
        self.maps: list[int] = []
        self.first_with: dict[tuple[int, ...], int] = {}
        n, m, dim, starts = certificate.n_regions, certificate.n_facets, certificate.domain.dim, certificate.facet_starts
        witnesses, points = certificate.witnesses, certificate.facet_points
        fit = witnesses.fit(n, dim) and points.fit(m if certificate.proof == BASES else 0, dim)
        if not fit or len(starts) != m + 1 or len(certificate.maps) != n or len(certificate.linear_regions) != n:
            refuse("the arrays of its regions and facets do not fit each other")
        if starts[0] or (np.diff(starts) < 0).any() or starts[-1] != len(certificate.facet_neurons):
            refuse("the lists of neurons of its facets do not follow each other")

    def visit(self, cell: Cell) -> None:
        """Check all that lies below a cell, or the region that it is."""
        depth = len(self.path)
        self.path.append(cell)
        if depth == len(self.levels) - 1:
            self.check_region(cell)
        else:
            layer, below = self.layers[depth], self.levels[depth + 1]
            preactivations = layer.preactivations(cell.values)
            for child in below.children(cell.number):
                digits = below.digits(child)
                asked = list(cell.rows)
                for choices, digit in zip(below.borders.sides, digits, strict=True):
                    asked += [signed(cell.forms[b], side) for b, side in choices[digit].items() if cell.sides[b] == BOTH]
                values = layer.outputs(preactivations, below.borders.unit_digits(digits))
                self.visit(self.cell(depth + 1, child, digits, values, asked))
        self.path.pop()

    def cell(self, depth: int, number: int, digits: list[int], values: RationalMatrix, asked: list[Row]) -> Cell:
        """Return a cell whose facets imply the asked rows, and those of the next layer that have one side only."""
        where = f" (level {depth}, cell {number})"
        rows = [self.facet_row(depth, number, facet, digits, where) for facet in self.levels[depth].facets_of(number)]
        forms: list[Row] = []
        sides: list[int] = []
        if depth < len(self.levels) - 1:
            below = self.levels[depth + 1]
            forms = below.borders.forms(self.layers[depth].preactivations(values))
            sides = below.borders.sides_among([below.digits(child) for child in below.children(number)])
        for form, side, strict in zip(forms, sides, self.levels[depth + 1].borders.strict if forms else (), strict=True):
            if side & strict and not any(form):
                refuse(f"a neuron that vanishes on a whole cell has the digit of its further side{where}")
        alone = [b for b, side in enumerate(sides) if side and side != BOTH]
        asked = asked + [signed(forms[b], sides[b]) for b in alone]
        positive = self.prove(depth, rows, asked, where)[len(asked) - len(alone) :]
        beyond = {b for b, is_positive in zip(alone, positive, strict=True) if is_positive}
        live: dict[tuple[flint.fmpz, ...], list[int]] = {}
        for b, form in enumerate(forms):
            if b not in beyond:
                live.setdefault(multiple_of(form), []).append(b)
        return Cell(number, digits, rows, values, forms, sides, live)

    def prove(self, depth: int, rows: list[Row], asked: list[Row], where: str) -> list[bool]:
        """Refuse unless rows imply the asked ones; return which of those are surely positive."""
        if self.certificate.proof == BASES:
            bases = self.levels[depth].bases
            positive, self.used[depth] = implied_by_bases(rows, asked, bases, self.used[depth], where)
            return positive
        corners = flint.fmpz_mat(find_corners(rows, where)).transpose()
        lowest = [min(row) for row in (flint.fmpz_mat(asked) * corners).tolist()] if asked else []
        if any(value < 0 for value in lowest):
            refuse(f"a row of the cell is negative at a corner of its facets{where}")
        return [value > 0 for value in lowest]

    def facet_row(self, depth: int, number: int, facet: int, digits: list[int], where: str) -> Row:
        """Return the row of a cell's facet: that of the first digit which is another one behind it, or the domain's."""
        first, second = self.levels[depth].facets[facet]
        if number not in (first, second):
            refuse(f"facet {facet} is in the list of a cell that is not beside it{where}")
        if second < 0:
            if second < -len(self.domain):
                refuse(f"facet {facet} lies on a row that the domain does not have{where}")
            return self.domain[-1 - second]
        other = first + second - number
        for level in range(depth, 0, -1):
            above = self.path[level - 1]
            if self.levels[level].parents[other] == above.number:
                mine = digits if level == depth else self.path[level].digits
                borders, theirs = self.levels[level].borders, self.levels[level].digits(other)
                unit = next(u for u, (ours, digit) in enumerate(zip(mine, theirs, strict=True)) if ours != digit)
                border = borders.between(unit, mine[unit], theirs[unit])
                if border < 0:
                    refuse(f"behind facet {facet} is a digit that is not next to the cell's own{where}")
                return signed(above.forms[border], borders.sides[unit][mine[unit]][border])
            other = self.levels[level].parents[other]
        raise AssertionError("two cells have the domain in common")

    def check_region(self, cell: Cell) -> None:
        """Refuse unless a region has an interior witness, real facets, neighbours behind them, and its stated map."""
        number, where = cell.number, f" (region {cell.number})"
        witness = self.certificate.witnesses[number]
        if any(at(row, witness) <= 0 for row in cell.rows):
            refuse(f"the witness is not strictly inside{where}")
        stated = self.levels[-1].facets_of(number)
        for row, facet in zip(cell.rows, stated, strict=True):
            first, second = self.levels[-1].facets[facet]
            if first != number and second >= 0:
                continue
            if self.certificate.proof == BASES:
                point = self.certificate.facet_points[facet]
                if any((at(other, point) < 0) != (other is row) or at(other, point) == 0 for other in cell.rows):
                    refuse(f"the point beyond facet {facet} is not beyond it alone{where}")
            self.check_facet(facet, multiple_of(row), second)
        affine = self.layers[-1].preactivations(cell.values).canonical()
        self.maps.append(self.first_with.setdefault(affine, number))
        if self.maps[-1] != self.certificate.maps[number]:
            refuse(f"its affine map is not that of the regions it is said to be{where}")
        if number % 1000 == 999:
            self.progress(number + 1)

    def check_facet(self, facet: int, line: tuple[flint.fmpz, ...], other: int) -> None:
        """Refuse unless just the stated neurons vanish on a facet, and only they may have another digit behind it."""
        neurons: list[int] = []
        for level in range(1, len(self.path)):
            borders, above = self.levels[level].borders, self.path[level - 1]
            zeros = {*above.live.get(line, ()), *above.live.get((), ())}
            mine = self.path[level].digits
            units = {borders.owner[b] for b in zeros if b in borders.sides[borders.owner[b]][mine[borders.owner[b]]]}
            neurons += [self.first_neuron[level] + unit for unit in sorted(units)]
        stated = self.certificate.facet_neurons[slice(*self.certificate.facet_starts[facet : facet + 2].tolist())]
        if neurons != stated.tolist():
            refuse(f"the neurons {stated.tolist()} are said to vanish on facet {facet}, but {neurons} do")
        for level in range(len(self.path) - 1, 0, -1) if other >= 0 else ():
            borders, above = self.levels[level].borders, self.path[level - 1]
            zeros = {*above.live.get(line, ()), *above.live.get((), ())}
            for unit, (ours, theirs) in enumerate(zip(self.path[level].digits, self.levels[level].digits(other), strict=True)):
                if ours != theirs and borders.between(unit, ours, theirs) not in zeros:
                    refuse(f"behind facet {facet} a digit changes of a neuron that does not vanish there (region {other})")
            other = self.levels[level].parents[other]

    def finish(self) -> None:
        """Refuse what is left over, and linear regions other than the parts of one map that facets connect."""
        if any(used != len(cells.bases) for used, cells in zip(self.used, self.levels, strict=True)):
            refuse("it has more bases than there are rows to prove")
        roots = list(range(self.certificate.n_regions))
        for first, second in self.levels[-1].facets:
            if second >= 0 and self.maps[first] == self.maps[second]:
                first, second = sorted((root_of(roots, first), root_of(roots, second)))
                roots[second] = first
        if [root_of(roots, region) for region in range(len(roots))] != self.certificate.linear_regions.tolist():
            refuse("its linear regions are not the regions of one map that facets connect")


def root_of(roots: list[int], region: int) -> int:
    """Return the first of the regions that are joined with one."""
    while roots[region] != region:
        roots[region] = roots[roots[region]]
        region = roots[region]
    return region


def signed(form: Row, side: int) -> Row:
    """Return a border as a row that is positive on a side."""
    return [-value for value in form] if side == MINUS else form
