"""Lay a network of any number of inputs and a domain out in the tables of the enumeration by linear programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.cell_answers import nearest_point
from polyrelu.enumeration.exact_forms import Form
from polyrelu.enumeration.network_tables import NetworkTables, network_tables
from polyrelu.enumeration.polytope_tables import lay_out_domain
from polyrelu.errors import DomainError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import nearest_float, primitive_row
from polyrelu.kernels import cell_layout as C
from polyrelu.kernels import tables as T
from polyrelu.kernels.cells import push_domain
from polyrelu.network.model import Network
from polyrelu.region.facets import find_facets
from polyrelu.region.lp import Optimal, Witness, decide_bounded, find_interior_point, maximize

__all__ = ["CellTables", "cell_tables"]


@dataclass(frozen=True)
class CellTables:
    """A network in tables, and a domain as the first cell.

    Attributes
    ----------
    network : NetworkTables
    geometry : Cells
    lines : tuple of Form
        The domain's rows.
    """

    network: NetworkTables
    geometry: C.Cells
    lines: tuple[Form, ...]


def cell_tables(network: Network, domain: Domain, wants_facets: bool) -> CellTables:
    """Return the tables for a network on a domain with interior points.

    Raises
    ------
    DomainError
        If the domain has none.
    """
    point, facet_rows, is_bounded = _shape(domain)
    lines = tuple((*row, 0) for row in domain.rows)
    laid_out = network_tables(network, len(lines))
    lay_out_domain(lines, laid_out)
    geometry = _geometry(laid_out, network.dim, wants_facets, is_bounded)
    facets = laid_out.first_line + np.array(facet_rows, np.int64)
    push_domain(facets, nearest_point(point), _box(domain), geometry)
    return CellTables(laid_out, geometry, lines)


def _shape(domain: Domain) -> tuple[Sequence[Fraction], list[int], bool]:
    """Return a point inside a domain, the rows that are its facets, each once, and whether it is bounded."""
    bounds = domain.box_bounds()
    if bounds is not None and all(low < high for low, high in zip(*bounds, strict=True)):
        return [(low + high) / 2 for low, high in zip(*bounds, strict=True)], list(range(2 * domain.dim)), True
    inner = find_interior_point(domain.rows, domain.dim)
    if not isinstance(inner, Witness):
        raise DomainError(
            f"The enumeration needs a domain with interior but received {domain.label!r}, which is empty or flat. "
            "tessellate() handles flat domains."
        )
    primitive = [primitive_row(row) for row in domain.rows]
    facets = [primitive.index(row) for row, _ in find_facets(primitive, inner.point)]
    return inner.point, facets, decide_bounded(domain.rows, domain.dim)[0]


def _box(domain: Domain) -> NDArray[np.float64]:
    """Return a box around a domain in floats, shape (2, dim), with infinite sides where there are none."""
    box = np.full((2, domain.dim), math.inf)
    box[0] = -math.inf
    bounds = domain.box_bounds()
    for j in range(domain.dim):
        for side, sign in enumerate((-1, 1)):
            if bounds is not None:
                value = bounds[side][j]
            else:
                best = maximize([*(sign * int(i == j) for i in range(domain.dim)), 0], domain.rows)
                if not isinstance(best, Optimal):
                    continue
                value = sign * best.value
            box[side, j] = math.nextafter(nearest_float(value.numerator, value.denominator), sign * math.inf)
    return box


def _geometry(laid_out: NetworkTables, dim: int, wants_facets: bool, is_bounded: bool) -> C.Cells:
    size, k, n_columns = 1024, dim + 1, len(laid_out.columns)
    length = size * max(1, dim * dim // 64)
    state = np.zeros(T.N_STATE, np.int64)
    state[T.ENTERING] = len(laid_out.tables.levels) > 0
    return C.Cells(
        laid_out.maps, laid_out.floats, laid_out.bounds, laid_out.columns,
        vertices=np.zeros(C.LINE * length),
        marks=np.zeros(C.LINE * length, np.int64),
        zeros=np.zeros((size, 2), np.int64),
        state=state,
        points=np.zeros((3, dim)),
        are_inside=np.zeros(3, np.int64),
        corners=np.zeros((3, dim)),
        inverses=np.zeros((3, dim, dim)),
        bases=np.zeros((3, dim), np.int64),
        are_ready=np.zeros(3, np.int64),
        form=np.zeros(k + C.N_EXTRA),
        found=np.zeros(4, np.int64),
        values=np.zeros(n_columns + 8),
        rates=np.zeros(n_columns + 8),
        slacks=np.zeros(n_columns + 8),
        is_facet=np.zeros(n_columns + 8, np.int64),
        multipliers=np.zeros(k + C.N_EXTRA),
        rest=np.zeros(k + C.N_EXTRA),
        direction=np.zeros(k),
        normal=np.zeros(k + C.N_EXTRA),
        matrix=np.zeros((dim, dim)),
        integers=np.zeros((k, k), np.int64),
        used=np.zeros(dim, np.int64),
        extremes=np.zeros((2, n_columns)),
        levels=laid_out.tables.levels,
        weights=laid_out.tables.weights,
        bias=laid_out.tables.bias,
        digits=laid_out.digits.digits,
        settings=np.array([wants_facets, is_bounded], np.int64),
        axes=np.arange(k),
    )  # fmt: skip
