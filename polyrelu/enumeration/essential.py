"""Coordinates that suffice: a network that reads its inputs through fewer directions than there are inputs.

All regions are unions of parallel flats along the directions on which neither the first layer nor the domain depends.
Fixing some inputs at zero cuts each of these flats in one point, so that the regions of the restricted network are the
same ones, with the same faces and neighbours, and contain no line. A classifier of images with few neurons in its first
layer becomes a network of few inputs in this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import row_reduce
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.model import Network

__all__ = ["Essential", "essential"]

PRIME = 2**61 - 1


@dataclass(frozen=True)
class Essential:
    """A network and a domain, restricted to inputs on which they depend in independent ways.

    Attributes
    ----------
    network : Network
        Its inputs are the chosen ones.
    domain : Domain
    inputs : int64 array
        The chosen inputs; all others are 0.
    n_inputs : int
        Of the original network.
    """

    network: Network
    domain: Domain
    inputs: NDArray[np.int64]
    n_inputs: int

    def lift(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points of the restricted space, shape (n, len(inputs)), in the original one, shape (n, n_inputs)."""
        if len(self.inputs) == self.n_inputs:
            return points
        lifted = np.zeros((len(points), self.n_inputs))
        lifted[:, self.inputs] = points
        return lifted


def essential(network: Network, domain: Domain) -> Essential:
    """Return a network and a domain in coordinates in which no region contains a line.

    At least one input is kept.

    Examples
    --------
    >>> from polyrelu.testing import braid
    >>> essential(braid(4), Domain.all(4)).inputs.tolist()
    [0, 1, 2]
    """
    rows = [list(row[:-1]) for row in domain.rows]
    inputs = _independent_columns(rows, network.dim)
    if len(inputs) < network.dim and network.hidden:
        inputs = _independent_columns(rows + _first_normals(network), network.dim)
    inputs = inputs or [0]
    if len(inputs) == network.dim:
        return Essential(network, domain, np.arange(network.dim), network.dim)
    chosen = np.array(inputs, np.int64)
    matrix = [[int(row[j]) for j in (*inputs, network.dim)] for row in network.exact.input_rows().numerators.tolist()]
    input_map = RationalMatrix(flint.fmpz_mat(matrix), network.exact.input_rows().denominator)
    rows_left = tuple(tuple(row[j] for j in (*inputs, domain.dim)) for row in domain.rows)
    inner = Domain(len(inputs), rows_left, domain.label)
    return Essential(replace(network, input_map=input_map), inner, chosen, network.dim)


def _first_normals(network: Network) -> list[list[int]]:
    """Return the normals of the first layer's preactivations, up to factors."""
    first = network.exact.layers[0].preactivations(network.exact.input_rows())
    return [[int(value) for value in row[:-1]] for row in first.numerators.tolist()]


def _independent_columns(rows: Sequence[Sequence[int]], dim: int) -> list[int]:
    """Return a maximal set of independent columns: found modulo a prime, which proves independence, then counted."""
    if not rows:
        return []
    residues = flint.nmod_mat(len(rows), dim, [value % PRIME for row in rows for value in row], PRIME)
    reduced, rank = residues.rref()
    pivots = []
    for i in range(rank):
        start = pivots[-1] + 1 if pivots else 0
        pivots.append(next(j for j in range(start, dim) if reduced[i, j] != 0))
    if rank == min(len(rows), dim) or flint.fmpz_mat([list(row) for row in rows]).rank() == rank:
        return pivots
    return row_reduce(rows, dim)[1]
