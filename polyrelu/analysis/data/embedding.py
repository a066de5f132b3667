"""Two-dimensional embeddings of activation patterns under the Hamming metric, for pictures.

As in Shepeleva et al. 2020, Figure 2. An embedding shows some of the distances and distorts all of them: it decides
nothing. `neighbour_accuracy` puts a number on what it shows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.codes import distances_between
from polyrelu.analysis.data.pattern_distances import layer_words
from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.errors import InputError, MissingExtraError

__all__ = ["Embedding", "embed_mds", "embed_patterns", "embed_umap"]

Method = Callable[[NDArray[np.float64], int], NDArray[np.float64]]
"""Positions, shape (m, 2), from distances, shape (m, m), and a seed."""

MOST_PATTERNS = 4000
"""Beyond that, the matrix of distances and the time that grows with it are a burden."""
MOST_FOR_MDS = 2000
N_NEIGHBOURS, LEAST_FOR_UMAP = 15, 4


@dataclass(frozen=True, eq=False)
class Embedding:
    """Positions in the plane for the patterns of data points.

    Attributes
    ----------
    points : int64 array, shape (m,)
        Which points of the data set.
    positions : float64 array, shape (m, 2)
        Equal for equal patterns.
    layer : int or None
        Of which layer the patterns are; None for all together.
    method : str
        The name of the function that placed them.
    n_patterns : int
        How many different patterns these points have.
    """

    points: NDArray[np.int64]
    positions: NDArray[np.float64]
    layer: int | None
    method: str
    n_patterns: int


def embed_patterns(
    patterns: DataPatterns,
    layer: int | None = None,
    method: Method | None = None,
    seed: int = 0,
    max_points: int | None = None,
) -> Embedding:
    """Return positions in the plane for the patterns of data points, near where patterns differ in few neurons.

    Parameters
    ----------
    patterns : DataPatterns
        Of one point at least.
    layer : int, optional
        Among the layers that have neurons, from 0 on; default: all together.
    method : callable, optional
        `embed_umap` or `embed_mds`, or any function of distances and a seed. By default UMAP if umap-learn is
        installed, else MDS.
    seed : int
        Draws what is random.
    max_points : int, optional
        Embed at most so many of the points, drawn with the seed.

    Raises
    ------
    InputError
        For a layer that there is not, no points, more than 4000 different patterns, or a method that returns no
        positions.
    MissingExtraError
        If the method's library is not installed.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> from polyrelu.analysis.data.patterns import patterns_at
    >>> patterns = patterns_at(xor(), [[-1, 0], [0.5, 0.5], [2, 3], [-2, 0]])
    >>> embedding = embed_patterns(patterns, method=embed_mds)
    >>> embedding.n_patterns, abs(embedding.positions.round(3)).tolist()
    (3, [[1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    """
    points = np.arange(len(patterns))
    if max_points is not None and max_points < len(points):
        points = np.sort(np.random.default_rng(seed).choice(points, max(max_points, 0), replace=False))
    if not len(points):
        raise InputError("embed_patterns needs one point at least but received none. Raise max_points, or add points.")
    layout, words = layer_words(patterns, layer, points)
    distinct, place = np.unique(words, axis=0, return_inverse=True)
    if len(distinct) > MOST_PATTERNS:
        raise InputError(
            f"embed_patterns needs at most {MOST_PATTERNS} different patterns but received {len(distinct)}. "
            f"Take some of the points: max_points={MOST_PATTERNS // 2}."
        )
    chosen = method or (embed_umap if find_spec("umap") else embed_mds)
    positions = np.zeros((1, 2))
    if len(distinct) > 1:
        positions = np.asarray(chosen(distances_between(layout, distinct, distinct).astype(np.float64), seed))
    if positions.shape != (len(distinct), 2):
        raise InputError(
            f"embed_patterns needs a method that returns positions ({len(distinct)}, 2) but received shape "
            f"{positions.shape}. Return two numbers for each row of the distances."
        )
    name = getattr(chosen, "__name__", type(chosen).__name__)
    return Embedding(points, positions[place.reshape(-1)], layer, name, len(distinct))


def embed_umap(distances: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    """Return an embedding by UMAP (McInnes et al. 2018): clusters keep together, long distances mean little.

    Parameters
    ----------
    distances : float64 array, shape (m, m)
        Fewer than 4 patterns are placed by `embed_mds`, which UMAP cannot do.
    seed : int

    Returns
    -------
    float64 array, shape (m, 2)

    Raises
    ------
    MissingExtraError
        Without umap-learn.
    """
    if len(distances) < LEAST_FOR_UMAP:
        return embed_mds(distances, seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)
            from umap import UMAP
    except ModuleNotFoundError:
        message = "`embed_umap` needs umap-learn. Install it with: pip install 'polyrelu[data]'"
        raise MissingExtraError(message) from None
    neighbours = min(N_NEIGHBOURS, len(distances) - 1)
    model = UMAP(n_neighbors=neighbours, metric="precomputed", random_state=seed, n_jobs=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "using precomputed metric")
        warnings.filterwarnings("ignore", message="k >= N")
        return np.asarray(model.fit_transform(distances.astype(np.float32)), np.float64)


def embed_mds(distances: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    """Return an embedding by metric multidimensional scaling: distances are kept as well as the plane allows.

    SMACOF from the classical solution; in time and memory that grow with the square of the number of patterns.

    Parameters
    ----------
    distances : float64 array, shape (m, m)
        Of at most 2000 patterns.
    seed : int
        Nothing is random here.

    Returns
    -------
    float64 array, shape (m, 2)

    Raises
    ------
    InputError
        For more patterns.
    MissingExtraError
        Without scikit-learn.
    """
    if len(distances) > MOST_FOR_MDS:
        raise InputError(
            f"embed_mds needs at most {MOST_FOR_MDS} different patterns but received {len(distances)}. "
            "Take some of the points (max_points), or embed_umap."
        )
    try:
        from sklearn.manifold import smacof
    except ModuleNotFoundError:
        message = "`embed_mds` needs scikit-learn. Install it with: pip install 'polyrelu[data]'"
        raise MissingExtraError(message) from None
    if not distances.any():
        return np.zeros((len(distances), 2))
    start = _classical(distances)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        found, _ = smacof(distances, n_components=2, init=start, n_init=1, random_state=seed)
    return np.asarray(found, np.float64)


def _classical(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the classical solution (Torgerson 1952)."""
    from scipy.linalg import eigh

    squares, n = distances**2, len(distances)
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1, keepdims=True) + squares.mean()
    values, vectors = eigh(-centred / 2, subset_by_index=[max(n - 2, 0), n - 1])
    positions = np.zeros((n, 2))
    positions[:, : len(values)] = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1]
    return positions
