"""Affine maps between the local maps of networks (Sattelberg et al. 2020, 5.2), by least squares in bounded memory.

For networks ``a`` and ``b``, the matrix ``M`` minimises ``|C_a M - C_b|``, where the rows of ``C_a`` and ``C_b`` are
the local maps of one output at the same points. With ``[C_a C_b] = Q R`` and orthogonal columns of ``Q`` this is
``|R_a M - R_b|``: the triangle ``R`` is all that has to be kept, and it is updated block by block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.local_maps import local_maps
from polyrelu.analysis.data.map_clusters import applied_to
from polyrelu.analysis.data.patterns import Progress
from polyrelu.analysis.data.points import checked_labels, host_array, labels_of_values, some_points
from polyrelu.errors import InputError
from polyrelu.network.batches import chunks
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["MappingTable", "map_between", "mapping_table", "triangle_of"]

BLOCK = 4096
"""Points at a time."""


@dataclass(frozen=True, eq=False)
class MappingTable:
    """How many points are labelled right with the local maps of one network mapped to those of another.

    Attributes
    ----------
    n_points : int
    right : int array, shape (k, k)
        From the network of the row to that of the column; on the diagonal with the network's own maps.
    residuals : float64 array, shape (k, k)
        ``|C_a M - C_b| / |C_b|`` in the Frobenius norm at the training points, over all outputs; 0 on the diagonal.
    """

    n_points: int
    right: NDArray[np.int64]
    residuals: NDArray[np.float64]


def map_between(
    source: Network | Module, target: Network | Module, points: ArrayLike, output: int, *, device: str | None = None
) -> NDArray[np.float64]:
    """Return the matrix that maps the local maps of one output of a network to those of another (eq. 5.4).

    Parameters
    ----------
    source, target : Network or torch.nn.Module
    points : array, shape (n, ...)
        Both take them.
    output : int
    device : str, optional

    Returns
    -------
    float64 array, shape (dim + 1, dim + 1)
        ``C_source @ M`` is nearest to ``C_target``; of several such matrices the one of least norm.

    Raises
    ------
    InputError
        If points or output do not fit both.

    Notes
    -----
    Sattelberg et al. 2020, eq. 5.4. Pixels that are the same in all images leave ``C`` rank-deficient more often than
    not; rank is what singular values say relative to rounding, as in `numpy.linalg.lstsq`.

    Examples
    --------
    >>> from polyrelu import Network
    >>> one = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [1])])
    >>> two = Network.from_arrays([([[0, 1], [1, 0]], [0, 0]), ([[2, 2]], [3])])
    >>> points = [[1, 1], [1, -1], [-1, 1], [-1, -1]]
    >>> matrix = map_between(one, two, points, 0)
    >>> ((local_maps(one, points, 0).dual_points @ matrix).round(6) + 0.0).tolist()
    [[2.0, 2.0, 3.0], [2.0, 0.0, 3.0], [0.0, 2.0, 3.0], [0.0, 0.0, 3.0]]
    """
    triangle = triangle_of(np.hstack(rows) for rows in _rows((source, target), points, output, device))
    width = triangle.shape[1] // 2
    return _solved(triangle[:, :width], triangle[:, width:])


def mapping_table(
    networks: Sequence[Network | Module],
    train_points: ArrayLike,
    test_points: ArrayLike,
    test_labels: ArrayLike,
    *,
    device: str | None = None,
    progress: Progress | None = None,
) -> MappingTable:
    """Return how well the maps of each network, mapped to those of each other, label test points (Table 2).

    Parameters
    ----------
    networks : sequence of k Network or torch.nn.Module
        With the same inputs and outputs.
    train_points : array, shape (n, ...)
        The matrices are fitted here.
    test_points : array, shape (m, ...)
    test_labels : int array, shape (m,)
    device : str, optional
    progress : callable, optional
        ``progress(done, total)`` hears how many outputs are done.

    Raises
    ------
    InputError
        If networks or data do not fit each other.

    Notes
    -----
    Memory is a triangle of ``k (dim + 1)`` columns and a block of points, whatever their number.

    Examples
    --------
    >>> from polyrelu import Network
    >>> one = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[1, -1], [0, 0]], [1, 1])])
    >>> two = Network.from_arrays([([[0, 1], [1, 0]], [0, 0]), ([[-2, 2], [0, 0]], [3, 3])])
    >>> points = [[1, 2], [1, -1], [-2, 1], [2, 1]]
    >>> mapping_table([one, two], points, points, [1, 0, 1, 0]).right.tolist()
    [[4, 4], [4, 4]]
    """
    test_array = some_points(test_points, "mapping_table")
    x = test_array.reshape(len(test_array), -1).astype(np.float64)
    labels = checked_labels(test_labels, len(x), "mapping_table")
    n_outs = [local_maps(each, test_array[:1], None, device=device).outputs.shape[1] for each in networks]
    if len(set(n_outs)) != 1:
        raise InputError(
            f"mapping_table needs networks with the same outputs but received {', '.join(map(str, n_outs))} of them. "
            "Compare networks that solve one task."
        )
    k, n_out, width = len(networks), n_outs[0], x.shape[1] + 1
    values = np.empty((k, k, len(x), n_out))
    squares = np.zeros((2, k, k))
    for output in range(n_out):
        triangle = triangle_of(np.hstack(rows) for rows in _rows(networks, train_points, output, device))
        parts = [triangle[:, i * width : (i + 1) * width] for i in range(k)]
        matrices = {(a, b): _solved(parts[a], parts[b]) for a in range(k) for b in range(k) if a != b}
        for (a, b), matrix in matrices.items():
            squares[:, a, b] += np.square(parts[a] @ matrix - parts[b]).sum(), np.square(parts[b]).sum()
        for piece, rows in zip(chunks(len(x), BLOCK), _rows(networks, test_array, output, device), strict=True):
            for a in range(k):
                values[a, a, piece, output] = applied_to(rows[a], x[piece])
            for (a, b), matrix in matrices.items():
                values[a, b, piece, output] = applied_to(rows[a] @ matrix, x[piece])
        if progress is not None:
            progress(output + 1, n_out)
    right = [[int((labels_of_values(values[a, b]) == labels).sum()) for b in range(k)] for a in range(k)]
    with np.errstate(invalid="ignore", divide="ignore"):
        residuals = np.sqrt(np.where(squares[0] > 0, squares[0] / squares[1], 0.0))
    return MappingTable(len(x), np.array(right, np.int64), residuals)


def triangle_of(blocks: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return an upper triangle ``R`` with ``R.T @ R`` the sum of ``B.T @ B`` over all blocks of rows.

    Examples
    --------
    >>> triangle = triangle_of([np.array([[3.0, 1.0]]), np.array([[4.0, 1.0], [0.0, 1.0]])])
    >>> (triangle.T @ triangle).round(6).tolist()
    [[25.0, 7.0], [7.0, 3.0]]
    """
    triangle: NDArray[np.float64] | None = None
    for block in blocks:
        triangle = _factor(block if triangle is None else np.vstack([triangle, block]))
    if triangle is None:
        raise InputError("A regression needs points but received none. Give some.")
    return triangle


def _rows(
    networks: Sequence[Network | Module], points: ArrayLike, output: int, device: str | None
) -> Iterator[list[NDArray[np.float64]]]:
    """Yield the local maps of all networks at some points at a time, an array (m, dim + 1) for each network."""
    x = host_array(points, "A regression")
    for piece in chunks(len(x), BLOCK):
        yield [local_maps(network, x[piece], output, device=device).dual_points for network in networks]


def _factor(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.qr(rows, mode="r"), np.float64)


def _solved(rows: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.lstsq(rows, targets)[0], np.float64)
