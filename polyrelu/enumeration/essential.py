"""Coordinates that suffice: a network that reads its inputs through fewer directions than there are inputs.

All regions are unions of parallel flats along the directions on which neither the first layer nor the domain depends.
Fixing some inputs at zero cuts each of these flats in one point, so that the regions of the restricted network are the
same ones, with the same faces and neighbours, and contain no line. Where the whole space is the domain and the first
layer's preactivations are independent, they are coordinates themselves: the first layer is then the identity. A
classifier of images with few neurons in its first layer becomes a network of few inputs in this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import row_reduce
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.model import Layer, Network

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
    original : Network
    inputs : int64 array or None
        The chosen inputs; all others are 0. None if the coordinates are the first layer's preactivations.
    """

    network: Network
    domain: Domain
    original: Network
    inputs: NDArray[np.int64] | None

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.network.dim

    @property
    def drops_lines(self) -> bool:
        """True if regions of the original network contain lines, and so are unbounded."""
        return self.dim < self.original.dim

    def lift(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points in these coordinates, shape (n, dim), as inputs of the original network, up to rounding."""
        if self.inputs is None:
            inverse, constants = self._right_inverse
            return (points - constants) @ inverse.T
        if len(self.inputs) == self.original.dim:
            return points
        lifted = np.zeros((len(points), self.original.dim))
        lifted[:, self.inputs] = points
        return lifted

    @cached_property
    def _right_inverse(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The pseudo-inverse of the first layer's normals, and its constants."""
        forms = _first_forms(self.original).to_floats()
        return np.asarray(np.linalg.pinv(forms[:, :-1]), np.float64), forms[:, -1]


def essential(network: Network, domain: Domain) -> Essential:
    """Return a network and a domain in coordinates in which no region contains a line.

    At least one input is kept.

    Examples
    --------
    >>> from polyrelu.testing import braid
    >>> essential(braid(4), Domain.all(4)).inputs.tolist()
    [0, 1, 2]
    >>> few = Network.from_arrays([([[1, 2, 3], [0, 1, 1]], [4, 5]), ([[1, 1]], [0])])
    >>> essential(few, Domain.all(3)).network.hidden[0].weight.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rows = [list(row[:-1]) for row in domain.rows]
    inputs = _independent_columns(rows, network.dim)
    if len(inputs) < network.dim and network.hidden:
        first = _first_forms(network)
        inputs = _independent_columns(rows + _normals(first), network.dim)
        if not rows and len(inputs) == first.shape[0]:
            return Essential(_from_preactivations(network), Domain.all(len(inputs)), network, None)
    inputs = inputs or [0]
    if len(inputs) == network.dim:
        return Essential(network, domain, network, np.arange(network.dim))
    chosen = np.array(inputs, np.int64)
    matrix = [[int(row[j]) for j in (*inputs, network.dim)] for row in network.exact.input_rows().numerators.tolist()]
    input_map = RationalMatrix(flint.fmpz_mat(matrix), network.exact.input_rows().denominator)
    rows_left = tuple(tuple(row[j] for j in (*inputs, domain.dim)) for row in domain.rows)
    inner = Domain(len(inputs), rows_left, domain.label)
    return Essential(replace(network, input_map=input_map), inner, network, chosen)


def _first_forms(network: Network) -> RationalMatrix:
    """Return the first layer's preactivations as forms of the inputs, constants last."""
    return network.exact.layers[0].preactivations(network.exact.input_rows())


def _normals(forms: RationalMatrix) -> list[list[int]]:
    return [[int(value) for value in row[:-1]] for row in forms.numerators.tolist()]


def _from_preactivations(network: Network) -> Network:
    """Return the network that reads the first layer's preactivations."""
    first = network.hidden[0]
    n = first.activation.n_preactivations
    identity = Layer(np.eye(n), np.zeros(n), first.activation)
    return replace(network, hidden=(identity, *network.hidden[1:]), input_map=None)


def _independent_columns(rows: Sequence[Sequence[int]], dim: int) -> list[int]:
    """Return a maximal set of independent columns: found modulo a prime, which proves independence, then counted."""
    if not rows:
        return []
    residues = flint.nmod_mat(len(rows), dim, [value % PRIME for row in rows for value in row], PRIME)
    reduced, rank = residues.rref()
    pivots: list[int] = []
    for i in range(rank):
        start = pivots[-1] + 1 if pivots else 0
        pivots.append(next(j for j in range(start, dim) if int(reduced[i, j])))
    if rank == min(len(rows), dim) or flint.fmpz_mat([list(row) for row in rows]).rank() == rank:
        return pivots
    return row_reduce(rows, dim)[1]
