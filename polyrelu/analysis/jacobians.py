"""The Jacobians of all regions, and what their operator norms are."""

from __future__ import annotations

from fractions import Fraction

import flint

from polyrelu.analysis.ground import Ground
from polyrelu.analysis.region_rows import LocalRows
from polyrelu.analysis.spectrum import Matrix
from polyrelu.exact.linalg import dot
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.slices import Slice

__all__ = ["distinct_jacobians", "gram_of", "is_parallel_to_axes", "metric_of", "rational_norm"]


def distinct_jacobians(ground: Ground) -> list[tuple[RationalMatrix, list[int]]]:
    """Return the Jacobians, shape (n_out, dim) in the tessellation's coordinates, each with the regions that have it.

    Examples
    --------
    >>> from polyrelu.analysis.ground import find_ground
    >>> from polyrelu.testing import telgarsky
    >>> [(str(matrix.row(0)[0]), len(regions)) for matrix, regions in distinct_jacobians(find_ground(telgarsky(2)))]
    [('4', 2), ('-4', 2), ('0', 2)]
    """
    local = LocalRows(ground.tessellation)
    found: dict[tuple[int, ...], tuple[RationalMatrix, list[int]]] = {}
    for region in range(ground.tessellation.n_regions):
        local.move_to(region)
        outputs = local.outputs()
        slopes = [int(value) for row in outputs.numerators.tolist() for value in row[:-1]]
        matrix = RationalMatrix(
            flint.fmpz_mat(outputs.shape[0], outputs.shape[1] - 1, slopes), outputs.denominator
        )
        found.setdefault(matrix.canonical(), (matrix, []))[1].append(region)
    return list(found.values())


def rational_norm(jacobian: RationalMatrix, norm: float) -> Fraction:
    """Return the largest absolute sum of a column (L1) or of a row (L∞).

    Examples
    --------
    >>> matrix = RationalMatrix.from_rows([[1, -2], [3, 0]])
    >>> rational_norm(matrix, 1), rational_norm(matrix, float("inf"))
    (Fraction(4, 1), Fraction(3, 1))
    """
    rows = [[abs(int(value)) for value in row] for row in jacobian.numerators.tolist()]
    sums = [sum(line) for line in (zip(*rows, strict=True) if norm == 1 else rows)]
    return Fraction(max(sums, default=0), jacobian.denominator)


def gram_of(jacobian: RationalMatrix, metric: Matrix | None) -> tuple[Matrix, Matrix]:
    """Return two matrices: the largest eigenvalue of the first relative to the second is the L2 norm's square.

    Parameters
    ----------
    jacobian : RationalMatrix, shape (n_out, dim)
    metric : square matrix or None
        The squared length of a direction (`metric_of`).
    """
    matrix = jacobian.numerators
    is_wide = metric is None and matrix.nrows() < matrix.ncols()
    product = matrix * matrix.transpose() if is_wide else matrix.transpose() * matrix
    square = jacobian.denominator**2
    gram = [[Fraction(int(value), square) for value in row] for row in product.tolist()]
    if metric is None:
        metric = [[Fraction(int(i == j)) for j in range(len(gram))] for i in range(len(gram))]
    return gram, metric


def metric_of(ground: Ground) -> Matrix | None:
    """Return the matrix of the squared length of a direction in a flat domain's coordinates, None for sums of squares.

    Examples
    --------
    >>> from polyrelu.analysis.ground import find_ground
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.testing import xor
    >>> diagonal = Domain.from_halfspaces([[1, -1], [-1, 1]], [0, 0])
    >>> metric_of(find_ground(xor(), diagonal))
    [[Fraction(2, 1)]]
    """
    hull = ground.tessellation.hull
    if hull is None:
        return None
    columns = list(zip(*(row[:-1] for row in hull.matrix.to_fractions()), strict=True))
    return [[Fraction(dot(a, b)) for b in columns] for a in columns]


def is_parallel_to_axes(hull: Slice | None) -> bool:
    """Return whether each input is one of a hull's coordinates, or fixed."""
    if hull is None:
        return True
    slopes = (row[:-1] for row in hull.matrix.to_fractions())
    return len([row for row in slopes if any(row)]) == hull.dim
