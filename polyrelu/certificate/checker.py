"""`check_certificate`: is a tessellation right and complete? Decided by sums and products of rationals alone.

The checker walks through the tree of cells: below a cell of one level are those into which the next layer cuts it. It
derives each cell's rows from the weights, and shows for every cell that the stated facets cut out just the set where
all rows hold, that the facets of regions are facets, and that each leads to a neighbour or to the domain's border.
docs/certificate_format.md proves that this suffices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import flint
import numpy as np

from polyrelu.certificate.borders import MINUS, PLUS, LayerBorders, Row
from polyrelu.certificate.cells import Cells, first_of_each
from polyrelu.certificate.format import BASES, POLYGONS, Certificate, refuse
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
    CheckedTessellation(n_regions=8, n_facets=8, n_linear_regions=8, n_maps=8)
    >>> check_certificate(certificate, xor())
    Traceback (most recent call last):
    ...
    polyrelu.errors.CertificateError: The certificate is refused: it is about another network.
    """
    matrix, dim = certificate.input_map, certificate.domain.dim
    if replace(network, input_map=None).hash != certificate.network:
        refuse("it is about another network")
    if (network.input_map or matrix) != matrix or (matrix and matrix.shape[0] != network.layers[0].n_inputs):
        refuse("its input map is not the network's, or does not fit it (the network may also be given without its own)")
    network = replace(network, input_map=matrix)
    if dim != network.dim or len(certificate.levels) != len(network.layers):
        refuse(f"it has {dim} coordinates and {len(certificate.levels)} levels, unlike the network")
    if certificate.proof != BASES and (certificate.proof != POLYGONS or dim != 2):
        refuse(f"there is no proof of the kind {certificate.proof!r:.20} in {dim} dimensions")
    walk = Walk(certificate, network, progress or (lambda _: None))
    walk.visit(walk.cell(0, 0, b"", network.exact.input_rows(), walk.domain))
    walk.finish()
    numbers = (len(set(found)) for found in (certificate.linear_regions.tolist(), walk.maps))
    return CheckedTessellation(certificate.n_regions, certificate.n_facets, *numbers)


class Cell(NamedTuple):
    """A cell on the way from the domain to a region."""

    number: int
    digits: bytes  # of its own layer, one a byte
    rows: list[Row]  # its facets, positive inside
    preactivations: RationalMatrix  # of the next layer, as rows over the coordinates; of the last cell the outputs
    forms: flint.fmpz_mat  # the next layer's borders, one a row
    sides: list[int]  # on which sides of each of them there are children
    live: dict[tuple[flint.fmpz, ...], list[int]]  # those that may vanish on facets of such cells, by `multiple_of`


class Walk:
    """One pass through the tree of cells; `path` leads from the domain to the cell that is looked at."""

    def __init__(self, certificate: Certificate, network: Network, progress: Callable[[int], None]) -> None:
        self.certificate, self.progress, self.layers = certificate, progress, network.exact.layers
        self.domain: list[Row] = [tuple(map(flint.fmpz, row)) for row in certificate.domain.rows]
        self.levels: list[Cells] = []
        for depth, level in enumerate(certificate.levels):
            borders = LayerBorders(network.hidden[depth - 1].activation if depth else None)
            self.levels.append(Cells(level, depth, len(self.levels[-1].parents) if depth else 1, borders))
        self.first_neuron = [0, *np.cumsum([len(cells.borders.sides) for cells in self.levels]).tolist()]
        self.path: list[Cell] = []
        self.used = [0] * len(self.levels)  # how many bases of each level
        self.maps: list[int] = []
        self.first_with: dict[tuple[int, ...], int] = {}
        n, m, dim, starts = certificate.n_regions, certificate.n_facets, network.dim, certificate.facet_starts
        fit = certificate.facet_points.fit(m if certificate.proof == BASES else 0, dim)
        fit = fit and certificate.witnesses.fit(n, dim) and len(starts) == m + 1 and len(certificate.maps) == n
        if not fit or any(level.bases.shape[1] != dim for level in certificate.levels):
            refuse("the arrays of its regions and facets do not fit each other")
        if starts[0] or (starts[1:] < starts[:-1]).any() or starts[-1] != len(certificate.facet_neurons):
            refuse("the lists of neurons of its facets do not follow each other")

    def visit(self, cell: Cell) -> None:
        """Check all that lies below a cell, or the region that it is."""
        depth = len(self.path)
        self.path.append(cell)
        if depth == len(self.levels) - 1:
            self.check_region(cell)
        else:
            below, borders = self.levels[depth + 1], self.levels[depth + 1].borders
            cut = {b: row_of(cell.forms, b) for b, side in enumerate(cell.sides) if side not in (0, PLUS, MINUS)}
            for child in below.children(cell.number):
                digits = below.digits[child]
                own = ((form, borders.sides[u := borders.owner[b]][digits[u]].get(b)) for b, form in cut.items())
                asked = [*cell.rows, *(signed(form, side) for form, side in own if side)]
                values = self.layers[depth].outputs(cell.preactivations, borders.unit_digits(digits))
                self.visit(self.cell(depth + 1, child, digits, values, asked))
        self.path.pop()

    def cell(self, depth: int, number: int, digits: bytes, values: RationalMatrix, asked: list[Row]) -> Cell:
        """Return a cell whose facets imply the asked rows, and the borders that all children put on one side."""
        where = f" (level {depth}, cell {number})"
        rows = [self.facet_row(depth, number, facet, digits, where) for facet in self.levels[depth].facets_of(number)]
        preactivations = self.layers[depth].preactivations(values)
        if depth == len(self.levels) - 1:
            self.prove(depth, rows, asked, flint.fmpz_mat(0, 0), [], where)
            return Cell(number, digits, rows, preactivations, flint.fmpz_mat(0, 0), [], {})
        below = self.levels[depth + 1]
        forms, sides = below.borders.forms(preactivations), below.border_sides[number]
        positive = self.prove(depth, rows, asked, forms, sides, where)
        live: dict[tuple[flint.fmpz, ...], list[int]] = {}
        for b, is_positive in enumerate(positive):
            if not is_positive:
                live.setdefault(multiple_of(row_of(forms, b)), []).append(b)
        if any(sides[b] & below.borders.strict[b] for b in live.get((), ())):
            refuse(f"a neuron that vanishes on a whole cell has the digit of its further side{where}")
        return Cell(number, digits, rows, preactivations, forms, sides, live)

    def prove(
        self, depth: int, rows: list[Row], asked: list[Row], forms: flint.fmpz_mat, sides: list[int], where: str
    ) -> list[bool]:
        """Refuse unless rows imply the asked ones and forms on their side; return which forms are surely not zero."""
        if self.certificate.proof == BASES:
            alone = [b for b, side in enumerate(sides) if side in (PLUS, MINUS)]
            asked = asked + [signed(row_of(forms, b), sides[b]) for b in alone]
            bases, start = self.levels[depth].bases, self.used[depth]
            positive, self.used[depth] = implied_by_bases(rows, asked, bases, start, where)
            surely = {b for b, is_positive in zip(reversed(alone), reversed(positive), strict=False) if is_positive}
            return [b in surely for b in range(len(sides))]
        corners = flint.fmpz_mat(find_corners(rows, where)).transpose()
        if asked and any(value < 0 for value in (flint.fmpz_mat(asked) * corners).entries()):
            refuse(f"a row of the cell is negative at a corner of its facets{where}")
        result = []
        for values, side in zip((forms * corners).tolist() if sides else (), sides, strict=True):
            low, high = min(values), max(values)
            if (side == PLUS and low < 0) or (side == MINUS and high > 0):
                refuse(f"a neuron has both signs on a cell that it does not cut{where}")
            result.append(low > 0 or high < 0)
        return result

    def facet_row(self, depth: int, number: int, facet: int, digits: bytes, where: str) -> Row:
        """Return the row of a cell's facet: that of the first digit which is another one behind it, or the domain's."""
        first, second = self.levels[depth].facets[facet]
        if second < 0:
            if second < -len(self.domain):
                refuse(f"facet {facet} lies on a row that the domain does not have{where}")
            return self.domain[-1 - second]
        other = first + second - number
        for level in range(depth, 0, -1):
            above = self.path[level - 1]
            if self.levels[level].parents[other] == above.number:
                mine = digits if level == depth else self.path[level].digits
                borders, theirs = self.levels[level].borders, self.levels[level].digits[other]
                unit = next(u for u, digit in enumerate(theirs) if mine[u] != digit)
                border = borders.between(unit, mine[unit], theirs[unit])
                if border < 0:
                    refuse(f"behind facet {facet} is a digit that is not next to the cell's own{where}")
                return signed(row_of(above.forms, border), borders.sides[unit][mine[unit]][border])
            other = self.levels[level].parents[other]
        raise AssertionError("two cells have the domain in common")

    def check_region(self, cell: Cell) -> None:
        """Refuse unless a region has an interior witness, real facets, neighbours behind them, and its stated map."""
        number, where = cell.number, f" (region {cell.number})"
        witness = self.certificate.witnesses.scaled(number)
        if any(at(row, witness) <= 0 for row in cell.rows):
            refuse(f"the witness is not strictly inside{where}")
        facets = self.levels[-1].facets
        own = [(i, f) for i, f in enumerate(self.levels[-1].facets_of(number)) if facets[f][0] == number]
        if self.certificate.proof == BASES and own:
            points = flint.fmpz_mat([self.certificate.facet_points.scaled(f) for _, f in own])
            for (i, f), values in zip(own, (points * flint.fmpz_mat(cell.rows).transpose()).tolist(), strict=True):
                values[i] = -values[i]
                if min(values) <= 0:
                    refuse(f"the point beyond facet {f} is not beyond it alone{where}")
        for i, f in own:
            self.check_facet(f, multiple_of(cell.rows[i]), facets[f][1])
        affine = cell.preactivations.canonical()
        self.maps.append(self.first_with.setdefault(affine, number))
        if self.maps[-1] != self.certificate.maps[number]:
            refuse(f"its affine map is not that of the regions it is said to be{where}")
        if number % 1000 == 999:
            self.progress(number + 1)

    def check_facet(self, facet: int, line: tuple[flint.fmpz, ...], other: int) -> None:
        """Refuse unless just the stated neurons vanish on a facet, and only they may have another digit behind it."""
        neurons: list[int] = []
        vanishing = [{*above.live.get(line, ()), *above.live.get((), ())} for above in self.path[:-1]]
        for level, zeros in enumerate(vanishing, 1):
            borders, mine = self.levels[level].borders, self.path[level].digits
            units = {borders.owner[b] for b in zeros if b in borders.sides[borders.owner[b]][mine[borders.owner[b]]]}
            neurons += [self.first_neuron[level] + unit for unit in sorted(units)]
        stated = self.certificate.facet_neurons[slice(*self.certificate.facet_starts[facet : facet + 2].tolist())]
        if neurons != stated.tolist():
            refuse(f"the neurons {stated.tolist()} are said to vanish on facet {facet}, but {neurons} do")
        for level in range(len(self.path) - 1, 0, -1) if other >= 0 else ():
            cells, zeros = self.levels[level], vanishing[level - 1]
            mine, theirs = self.path[level].digits, cells.digits[other]
            for unit in (u for u, digit in enumerate(theirs) if digit != mine[u]) if mine != theirs else ():
                if cells.borders.between(unit, mine[unit], theirs[unit]) not in zeros:
                    refuse(f"behind facet {facet} the digit changes of a neuron that does not vanish there")
            other = cells.parents[other]

    def finish(self) -> None:
        """Refuse what is left over, and linear regions other than the parts of one map that facets connect."""
        if any(used != len(cells.bases) for used, cells in zip(self.used, self.levels, strict=True)):
            refuse("it has more bases than there are rows to prove")
        same = [(a, b) for a, b in self.levels[-1].facets if b >= 0 and self.maps[a] == self.maps[b]]
        if first_of_each(self.certificate.n_regions, same) != self.certificate.linear_regions.tolist():
            refuse("its linear regions are not the regions of one map that facets connect")


def row_of(forms: flint.fmpz_mat, border: int) -> Row:
    """Return one row of a matrix."""
    return [forms[border, column] for column in range(forms.ncols())]


def signed(form: Row, side: int) -> Row:
    """Return a border as a row that is positive on a side."""
    return [-value for value in form] if side == MINUS else form
