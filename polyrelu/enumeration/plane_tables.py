"""Lay a network with two inputs and a polygon out in the tables that the compiled plane enumeration reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyrelu.enumeration.exact_plane import FarPolygon, float_vertex
from polyrelu.enumeration.level_constants import double_double, extend_first_level, first_level
from polyrelu.enumeration.network_tables import NetworkTables, network_tables
from polyrelu.kernels import extended as E
from polyrelu.kernels import tables as T
from polyrelu.kernels.arithmetic import DD
from polyrelu.kernels.bounds import UNIT_ROUNDOFF, row_norms
from polyrelu.kernels.polygons import Polygons
from polyrelu.network.model import Network

__all__ = ["PlaneTables", "plane_tables"]


@dataclass(frozen=True)
class PlaneTables:
    """A network and a polygon in tables.

    Attributes
    ----------
    network : NetworkTables
    geometry, extended
        What the compiled loops read and write.
    """

    network: NetworkTables
    geometry: Polygons
    extended: E.Extended


def plane_tables(network: Network, polygon: FarPolygon) -> PlaneTables:
    """Return the tables for a network with two inputs on a polygon; the sides of the far square come last."""
    laid_out = network_tables(network, len(polygon.lines))
    extended = _extended(laid_out)
    if network.hidden:
        extend_first_level(first_level(network), laid_out.tables.levels[0], laid_out.maps, extended)
    _lay_out_domain(polygon, laid_out, extended)
    return PlaneTables(laid_out, _geometry(polygon, laid_out), extended)


def _lay_out_domain(polygon: FarPolygon, laid_out: NetworkTables, extended: E.Extended) -> None:
    """Set the columns of the domain's lines and of the sides of the far square."""
    laid_out.floats[-1, T.LATTICE] = 1.0
    laid_out.bounds[-1, T.RHO] = 2 * UNIT_ROUNDOFF
    extended.bounds[-1, E.RHO : E.RHO + 3] = DD
    for column, line in enumerate(polygon.lines, start=laid_out.first_line):
        if line[3]:
            laid_out.columns[column, T.FAR_SIDE] = (1 if line[0] else 3) if sum(line[:2]) > 0 else (2 if line[0] else 4)
            continue
        parts = np.array([double_double(value, 1) for value in line[:3]])
        extended.high[:, column], extended.low[:, column] = parts.T
        laid_out.maps[:3, column] = parts[:, 0]
        if parts[:, 1].any():  # only lines that floats do not hold have errors
            laid_out.maps[3, column] = row_norms(parts[None, :, 0], np.zeros(1))[0]


def _extended(laid_out: NetworkTables) -> E.Extended:
    n_levels, n_columns = len(laid_out.tables.levels), len(laid_out.columns)
    return E.Extended(
        high=np.zeros((3, n_columns)),
        low=np.zeros((3, n_columns)),
        bounds=np.zeros((n_levels + 1, E.N_BOUNDS)),
        formed_at=np.full(n_levels + 1, -1, np.int64),
        sources=laid_out.sources,
        shifts=laid_out.shifts,
        forms=np.zeros((2, 3, 3)),
        errors=np.zeros((3, 3)),
    )


def _geometry(polygon: FarPolygon, laid_out: NetworkTables) -> Polygons:
    """Return stacks with the polygon as the first and current task, after the rows kept for other uses."""
    size, n = 1024, len(polygon.edges)
    vertices = np.zeros((size, T.N_VERTEX_FLOATS))
    marks = np.zeros((size, T.N_VERTEX_INTEGERS), np.int64)
    start = T.FIRST_VERTEX
    for i, edge in enumerate(polygon.edges):
        vertices[start + i] = float_vertex(polygon.lines[polygon.edges[i - 1]], polygon.lines[edge])
        marks[start + i] = laid_out.first_line + edge, -1, 0
    state = np.zeros(T.N_STATE, np.int64)
    state[T.ENTERING] = len(laid_out.tables.levels) > 0
    state[T.START], state[T.LENGTH], state[T.TOP] = start, n, start + n
    zeros = np.zeros((size, 2), np.int64)
    return Polygons(laid_out.maps, laid_out.floats, laid_out.bounds, laid_out.columns, vertices, marks, zeros, state)
