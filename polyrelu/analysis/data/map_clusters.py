"""k-means on local affine maps: how well does a network with few maps label data? (Sattelberg et al. 2020, 5.1)"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.local_maps import BUDGET, local_maps
from polyrelu.analysis.data.patterns import Progress
from polyrelu.analysis.data.points import checked_labels, labels_of_values, some_points
from polyrelu.errors import InputError, MissingExtraError
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = [
    "ClusterTable",
    "applied_to",
    "cluster_table",
    "clustered",
    "kmeans_centres",
    "minibatch_centres",
]

Centres = Callable[[NDArray[np.float64], int, int], NDArray[np.float64]]
"""``fit(rows, n_clusters, seed)`` returns at most so many centres of rows, shape (n_centres, dim + 1)."""


@dataclass(frozen=True, eq=False)
class ClusterTable:
    """How many points a network labels right with its own maps, and with the centres of clusters of them.

    Attributes
    ----------
    n_points : int
    original : int
        Right with the network's own maps.
    n_clusters : tuple of int
        So many clusters for each output.
    right : tuple of int
        Right with the centres, for each number of clusters.
    """

    n_points: int
    original: int
    n_clusters: tuple[int, ...]
    right: tuple[int, ...]


def cluster_table(
    source: Network | Module,
    train_points: ArrayLike,
    test_points: ArrayLike,
    test_labels: ArrayLike,
    n_clusters: Sequence[int] = (1, 10, 100, 1000),
    *,
    fit: Centres | None = None,
    seed: int = 0,
    device: str | None = None,
    budget: int = BUDGET,
    progress: Progress | None = None,
) -> ClusterTable:
    """Return how many test points are labelled right when each output has few affine maps (Table 1 of the paper).

    The maps of an output at the training points are clustered; at a test point, the centre nearest to the map there
    takes its place. One output is looked at after the other, so that memory holds the maps of one.

    Parameters
    ----------
    source : Network or torch.nn.Module
    train_points, test_points : arrays, shapes (n, ...) and (m, ...)
    test_labels : int array, shape (m,)
    n_clusters : sequence of int
        For each output.
    fit : callable, optional
        `kmeans_centres` (default), `minibatch_centres`, or another function of rows, number of clusters and seed.
    seed : int
    device, budget
        As for `polyrelu.analysis.data.local_maps.local_maps`; the budget is for the maps of one output.
    progress : callable, optional
        ``progress(done, total)`` hears how many outputs are done.

    Raises
    ------
    InputError
        If data do not fit the network.
    BudgetError
        If the maps of one output take more than the budget.
    MissingExtraError
        Without scikit-learn, unless ``fit`` does without it.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> points, labels = [[0.1, 0.1], [0.5, 0.4], [1, 1], [2, 0.5]], [1, 1, 0, 0]
    >>> cluster_table(xor(), points, points, labels, n_clusters=[1, 2])
    ClusterTable(n_points=4, original=4, n_clusters=(1, 2), right=(2, 4))
    """
    fit = fit or kmeans_centres
    if not all(isinstance(n, int) and n > 0 for n in n_clusters):
        raise InputError(f"cluster_table needs positive numbers of clusters but received {n_clusters!r}. Raise them.")
    train_array, test_array = (some_points(points, "cluster_table") for points in (train_points, test_points))
    x = test_array.reshape(len(test_array), -1).astype(np.float64)
    labels = checked_labels(test_labels, len(x), "cluster_table")
    n_out = local_maps(source, test_array[:1], None, device=device).outputs.shape[1]
    values = np.empty((1 + len(n_clusters), len(x), n_out))
    for output in range(n_out):
        train, test = (
            local_maps(source, points, output, device=device, budget=budget).dual_points
            for points in (train_array, test_array)
        )
        values[0, :, output] = applied_to(test, x)
        for k, n in enumerate(n_clusters, 1):
            centres = fit(train, n, seed)
            values[k, :, output] = applied_to(centres[clustered(test, centres)], x)
        if progress is not None:
            progress(output + 1, n_out)
    original, *right = [int((labels_of_values(each) == labels).sum()) for each in values]
    return ClusterTable(len(x), original, tuple(n_clusters), tuple(right))


def kmeans_centres(rows: NDArray[np.float64], n_clusters: int, seed: int = 0) -> NDArray[np.float64]:
    """Return the centres that scikit-learn's `KMeans` finds, or the distinct rows if these are no more.

    Examples
    --------
    >>> sorted(kmeans_centres(np.array([[0.0, 1], [0, 3], [8, 0]]), 2).tolist())
    [[0.0, 2.0], [8.0, 0.0]]
    >>> kmeans_centres(np.array([[0.0, 1], [0, 1]]), 5).tolist()
    [[0.0, 1.0]]
    """
    return _fitted(_cluster().KMeans, rows, n_clusters, n_init=1, random_state=seed)


def minibatch_centres(rows: NDArray[np.float64], n_clusters: int, seed: int = 0) -> NDArray[np.float64]:
    """Return the centres that scikit-learn's `MiniBatchKMeans` finds: faster where rows are many."""
    return _fitted(_cluster().MiniBatchKMeans, rows, n_clusters, n_init=1, random_state=seed, batch_size=4096)


def clustered(rows: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which centre is nearest to each row, shape (n,); of equally near ones the first, up to rounding."""
    squares = np.square(centres).sum(axis=1)
    nearest = np.empty(len(rows), np.int64)
    for start in range(0, len(rows), 1024):
        piece = slice(start, start + 1024)
        nearest[piece] = (squares - 2 * rows[piece] @ centres.T).argmin(axis=1)
    return nearest


def applied_to(dual_points: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each row of weights and offset makes of the point in the same row, shape (n,)."""
    return np.einsum("nd,nd->n", dual_points[:, :-1], x) + dual_points[:, -1]


def _fitted(kind: Any, rows: NDArray[np.float64], n_clusters: int, **options: Any) -> NDArray[np.float64]:
    distinct = _distinct(rows)
    if len(distinct) <= n_clusters:
        return distinct
    centres: NDArray[np.float64] = kind(n_clusters, **options).fit(rows).cluster_centers_
    return centres


def _distinct(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distinct rows, in the order of their first appearance."""
    whole = np.ascontiguousarray(rows + 0.0)  # no -0.0, which is 0.0 in other bytes
    keys = whole.view(np.dtype((np.void, whole.shape[1] * whole.itemsize)))[:, 0]
    return whole[np.sort(np.unique(keys, return_index=True)[1])]


def _cluster() -> Any:
    try:
        from sklearn import cluster
    except ModuleNotFoundError:
        raise MissingExtraError(
            "`kmeans_centres` needs scikit-learn. Install it with: pip install 'polyrelu[data]'"
        ) from None
    return cluster
