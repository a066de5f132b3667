"""The facets of each region as rows with names, and the output map beside them: what all questions are asked of.

A row is named as in `Tessellation.facet_rows`: (neuron, digit beyond) or (-1, row of the domain). A name and a pattern
determine the row through the weights, so evidence holds names and whoever checks it derives the rows anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import CertificateError, InternalError
from polyrelu.exact.linalg import dot
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import MAX_UNIT
from polyrelu.tessellation.exact_corners import Form
from polyrelu.tessellation.marks import BORDER
from polyrelu.tessellation.region_forms import RegionForms

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["LocalRows", "LocalView", "local_views", "step_inside"]


@dataclass(frozen=True, slots=True)
class LocalView:
    """One region: its facets as rows, and the output map.

    Attributes
    ----------
    region : int
    names : tuple of (int, int)
        What makes each row.
    rows : tuple of tuple of int, each of length dim + 1
        Coprime ``(a, c)``: the region is where ``a · x + c >= 0`` for all of them.
    outputs : RationalMatrix, shape (n_out, dim + 1)
        The output map, constants in the last column.
    """

    region: int
    names: tuple[Form, ...]
    rows: tuple[tuple[int, ...], ...]
    outputs: RationalMatrix


def local_views(tessellation: Tessellation) -> Iterator[LocalView]:
    """Yield each region with its facets as rows, in the order of the regions.

    Examples
    --------
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import xor
    >>> for view in local_views(tessellate(xor(), Domain.box([0, 0], [1, 2]))):
    ...     print(view.names, view.rows)
    ((-1, 1), (-1, 3), (-1, 0), (1, 0)) ((-1, 0, 1), (0, -1, 2), (1, 0, 0), (1, 1, -1))
    ((1, 1), (-1, 0), (-1, 2)) ((-1, -1, 1), (1, 0, 0), (0, 1, 0))
    """
    local, reference = LocalRows(tessellation), LocalRows(tessellation)
    for region in range(tessellation.n_regions):
        local.move_to(region)
        named = [_facet_row(tessellation, local, reference, facet) for facet in tessellation.facets_of(region).tolist()]
        yield LocalView(region, tuple(name for name, _ in named), tuple(row for _, row in named), local.outputs())


class LocalRows:
    """The rows of one region after the other, by their names, from the weights."""

    def __init__(self, tessellation: Tessellation) -> None:
        self._tessellation = tessellation
        self._forms = RegionForms(tessellation)
        self.region = -1
        self.digits: NDArray[np.integer] = np.zeros(0, np.uint8)

    def move_to(self, region: int) -> None:
        """Make a region the current one."""
        t = self._tessellation
        self.region = region
        self.digits = t.network.layout.unpack(t.words[region])[0]
        self._forms.move_to(region)

    def outputs(self) -> RationalMatrix:
        """Return the output map on the current region, shape (n_out, dim + 1)."""
        return self._forms.affine_map()

    def row(self, name: Form) -> tuple[int, ...]:
        """Return the row that a name stands for, >= 0 on the current region, coprime.

        Raises
        ------
        CertificateError
            If nothing has this name.
        """
        t, (owner, number) = self._tessellation, name
        if owner == BORDER and 0 <= number < len(t.domain.rows):
            return _coprime(t.domain.rows[number])
        if not (0 <= owner < len(self.digits) and 0 <= number < t.network.layout.n_pieces[owner]):
            raise CertificateError(
                f"A row needs the name of a neuron with a digit, or of a row of the domain, but received {name} "
                f"(region {self.region}). Make the evidence again."
            )
        digit = int(self.digits[owner])
        if number == digit:
            raise CertificateError(
                f"A row needs a digit beyond the region's own but received {name} (region {self.region}). "
                "Make the evidence again."
            )
        form = self._forms.form(owner, number)
        layer, unit = t.network.neurons[owner].tolist()
        is_max = t.network.hidden[layer].activation.kind[unit] == MAX_UNIT
        return _coprime(form if is_max or number < digit else [-value for value in form])


def step_inside(
    view: LocalView, point: Sequence[Fraction], direction: Sequence[Fraction | int]
) -> tuple[tuple[Fraction, ...], Fraction]:
    """Return a point of a region beyond an interior one in a direction, and how many times the direction it is away."""
    size = Fraction(1)
    while True:
        moved = tuple(a + size * b for a, b in zip(point, direction, strict=True))
        if all(dot(row, (*moved, 1)) >= 0 for row in view.rows):
            return moved, size
        size /= 2


def _facet_row(t: Tessellation, local: LocalRows, reference: LocalRows, facet: int) -> tuple[Form, tuple[int, ...]]:
    """Return the name and the row that a facet has in the current region."""
    owner, number = t.facet_rows[facet].tolist()
    first = int(t.facet_regions[facet, 0])
    if owner == BORDER or first == local.region:
        return (owner, number), local.row((owner, number))
    candidates = _candidates(t, local, t.facet_neurons(facet).tolist())
    if len(candidates) == 1:
        return candidates[0]
    # Several forms of these neurons vanish somewhere; the one that vanishes on the facet is known from its other side.
    reference.move_to(first)
    wanted = tuple(-value for value in reference.row((owner, number)))
    for name, row in candidates:
        if row == wanted:
            return name, row
    raise InternalError(
        f"A facet needs a row in both of its regions but facet {facet} has none in region {local.region}. "
        "Please report the network."
    )


def _candidates(t: Tessellation, local: LocalRows, neurons: Sequence[int]) -> list[tuple[Form, tuple[int, ...]]]:
    """Return the rows that some neurons give the current region, those with zero normals left out."""
    found = []
    for neuron in neurons:
        layer, unit = t.network.neurons[neuron].tolist()
        digit, n_pieces = int(local.digits[neuron]), int(t.network.layout.n_pieces[neuron])
        is_max = t.network.hidden[layer].activation.kind[unit] == MAX_UNIT
        others = [n for n in range(n_pieces) if n != digit] if is_max else [digit - 1, digit + 1]
        rows = [((neuron, n), local.row((neuron, n))) for n in others if 0 <= n < n_pieces]
        found += [(name, row) for name, row in rows if any(row[:-1])]
    return found


def _coprime(row: Sequence[int]) -> tuple[int, ...]:
    divisor = math.gcd(*(int(value) for value in row)) or 1
    return tuple(int(value) // divisor for value in row)
