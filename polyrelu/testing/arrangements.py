"""Hyperplane arrangements: one hidden layer, a neuron for each hyperplane.

Output weights 1, 2, 3, … keep the affine maps of all regions apart. How many regions there are say the functions of
`polyrelu.testing.counts`, which are named after the families.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, product

import numpy as np

from polyrelu.errors import InputError
from polyrelu.network.model import Network
from polyrelu.testing.sizes import check_at_least

__all__ = [
    "braid",
    "catalan",
    "central_arrangement",
    "coxeter",
    "generic_arrangement",
    "graphic",
    "grid",
    "linial",
    "pencil",
    "resonance",
    "semiorder",
    "shi",
    "threshold",
]


def generic_arrangement(dim: int, n: int, seed: int | None = None) -> Network:
    """Return n hyperplanes of R^dim in general position.

    Counts: `generic_counts`.

    Parameters
    ----------
    dim, n : int
    seed : int, optional
        Draws the hyperplanes ``t^dim + x_1 + t x_2 + … + t^(dim-1) x_dim = 0`` for n distinct integers t in
        [-2 n, 2 n]; without a seed they are the n integers from -(n // 2) on. Any distinct t are in general
        position: dim equations form a Vandermonde matrix, and dim + 1 have no common solution.

    Examples
    --------
    >>> generic_arrangement(2, 4).hidden[0].weight.tolist()
    [[1.0, -2.0], [1.0, -1.0], [1.0, 0.0], [1.0, 1.0]]
    >>> generic_arrangement(2, 4).hidden[0].bias.tolist()
    [4.0, 1.0, 0.0, 1.0]
    >>> generic_arrangement(0, 4)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: generic_arrangement needs dim of at least 1 but received 0. Pass a larger one.
    """
    check_at_least("generic_arrangement", dim=(dim, 1), n=(n, 0))
    numbers = list(range(-(n // 2), n - n // 2))
    if seed is not None:
        numbers = np.random.default_rng(seed).choice(np.arange(-2 * n, 2 * n + 1), n, replace=False).tolist()
    return arrangement(dim, [[t**power for power in range(dim)] for t in numbers], [t**dim for t in numbers])


def central_arrangement(dim: int, n: int) -> Network:
    """Return n hyperplanes of R^dim through the origin, otherwise in general position: no region is bounded.

    Counts: `central_counts`.

    Examples
    --------
    >>> central_arrangement(3, 4).hidden[0].weight.tolist()
    [[1.0, -2.0, 4.0], [1.0, -1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    """
    check_at_least("central_arrangement", dim=(dim, 1), n=(n, 0))
    numbers = range(-(n // 2), n - n // 2)
    return arrangement(dim, [[t**power for power in range(dim)] for t in numbers], [0] * n)


def pencil(dim: int, n: int, through: int = 0) -> Network:
    """Return n hyperplanes of R^dim through one common set of codimension 2: 2 n regions around it, none bounded.

    In the plane these are n concurrent lines. The set holds the point (through, through, 0, …).

    Examples
    --------
    >>> pencil(2, 3, through=3).hidden[0].weight.tolist(), pencil(2, 3, through=3).hidden[0].bias.tolist()
    ([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [-3.0, -3.0, -6.0])
    """
    check_at_least("pencil", dim=(dim, 2), n=(n, 1))
    slopes = [(1, 0), (0, 1), *((1, sign * k) for k in range(1, n) for sign in (1, -1))][:n]
    normals = [[a, b, *[0] * (dim - 2)] for a, b in slopes]
    return arrangement(dim, normals, [-through * (a + b) for a, b in slopes])


def braid(n: int) -> Network:
    """Return the braid arrangement ``x_i = x_j`` of R^n: n! regions, the orders of the coordinates.

    All regions contain the direction (1, …, 1): none is bounded, and there is no vertex. The adjacency graph is the
    permutohedron's, with ``n! (n - 1) / 2`` edges. Counts: `braid_counts`.

    Examples
    --------
    >>> braid(3).hidden[0].weight.tolist()
    [[1.0, -1.0, 0.0], [1.0, 0.0, -1.0], [0.0, 1.0, -1.0]]
    """
    check_at_least("braid", n=(n, 2))
    normals = [difference(n, i, j) for i, j in combinations(range(n), 2)]
    return arrangement(n, normals, [0] * len(normals))


def coxeter(kind: str, n: int, shifts: Sequence[int] = (0,)) -> Network:
    """Return the arrangement ``root · x = 0`` of the positive roots of a Coxeter group.

    Its regions are as many as the group has elements. Counts: `coxeter_counts`, and `coxeter_shi_counts` with
    ``shifts=(0, 1)``.

    Parameters
    ----------
    kind : {"A", "B", "D", "G"}
        ``A``: the group of `braid` with n + 1 coordinates. ``B``: roots e_i ± e_j and e_i. ``D``: e_i ± e_j. ``G``: n
        must be 2; 6 lines of the plane, in coordinates in which they are rational.
    n : int
        Rank of the group; ``A`` has n + 1 inputs, the others n.
    shifts : sequence of int
        The right-hand sides of every root; (0, 1) gives the Shi arrangement of the group.

    Examples
    --------
    >>> coxeter("B", 2).hidden[0].weight.tolist()
    [[1.0, 1.0], [1.0, -1.0], [1.0, 0.0], [0.0, 1.0]]
    >>> coxeter("H", 3)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: coxeter needs kind A, B, D or G but received 'H'. Choose one of them.
    """
    if kind not in ("A", "B", "D", "G"):
        raise InputError(f"coxeter needs kind A, B, D or G but received {kind!r}. Choose one of them.")
    check_at_least("coxeter", n=(n, 2 if kind == "D" else 1))
    if kind == "G" and n != 2:
        raise InputError(f"coxeter needs n = 2 for kind G but received {n}. There is no other group of this kind.")
    if kind == "G":
        roots = [[1, -1], [0, 1], [1, 0], [2, -1], [-1, 2], [-1, -1]]
    elif kind == "A":
        roots = [difference(n + 1, i, j) for i, j in combinations(range(n + 1), 2)]
    else:
        pairs = [difference(n, i, j) for i, j in combinations(range(n), 2)]
        roots = [root for pair in pairs for root in ([abs(v) for v in pair], pair)]
        roots += np.eye(n, dtype=int).tolist() if kind == "B" else []
    return arrangement(len(roots[0]), [root for root in roots for _ in shifts], [-s for _ in roots for s in shifts])


def shi(n: int, essential: bool = False) -> Network:
    """Return the Shi arrangement ``x_i - x_j = 0, 1`` for i < j in R^n (Shi 1986).

    Counts: `shi_counts`.

    Parameters
    ----------
    n : int
    essential : bool
        Put ``x_n = 0``: the same arrangement in R^(n-1), without the lines that all regions contain. Only then are
        some regions bounded.

    Examples
    --------
    >>> shi(2).hidden[0].bias.tolist()
    [0.0, -1.0]
    >>> shi(3, essential=True).hidden[0].weight.tolist()[-1]
    [0.0, 1.0]
    """
    return _of_differences("shi", n, (0, 1), essential)


def linial(n: int, essential: bool = False) -> Network:
    """Return the Linial arrangement ``x_i - x_j = 1`` for i < j in R^n; `shi` explains ``essential``.

    Counts: `linial_counts`.

    Examples
    --------
    >>> linial(2).hidden[0].weight.tolist(), linial(2).hidden[0].bias.tolist()
    ([[1.0, -1.0]], [-1.0])
    """
    return _of_differences("linial", n, (1,), essential)


def catalan(n: int, essential: bool = False) -> Network:
    """Return the Catalan arrangement ``x_i - x_j = -1, 0, 1`` for i < j in R^n; `shi` explains ``essential``.

    Counts: `catalan_counts`.

    Examples
    --------
    >>> catalan(2).hidden[0].bias.tolist()
    [1.0, 0.0, -1.0]
    """
    return _of_differences("catalan", n, (-1, 0, 1), essential)


def semiorder(n: int, essential: bool = False) -> Network:
    """Return the arrangement ``x_i - x_j = -1, 1`` for i < j in R^n; `shi` explains ``essential``.

    Its regions are the semiorders of n things: which of two is larger by more than 1. Counts: `semiorder_counts`.

    Examples
    --------
    >>> semiorder(2).hidden[0].bias.tolist()
    [1.0, -1.0]
    """
    return _of_differences("semiorder", n, (-1, 1), essential)


def graphic(n: int, edges: Iterable[tuple[int, int]]) -> Network:
    """Return the hyperplanes ``x_i = x_j`` of R^n for the edges of a graph: its regions are the acyclic orientations.

    Counts: `graphic_counts`.

    Examples
    --------
    >>> graphic(3, [(0, 1), (1, 2)]).hidden[0].weight.tolist()
    [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]
    """
    pairs = list(edges)
    check_at_least("graphic", n=(n, 1), edges=(len(pairs), 0))
    if any(not 0 <= i < n or not 0 <= j < n or i == j for i, j in pairs):
        raise InputError(f"graphic needs edges between two of {n} vertices but received {pairs}. Count from 0.")
    return arrangement(n, [difference(n, i, j) for i, j in pairs], [0] * len(pairs))


def threshold(n: int) -> Network:
    """Return ``w_0 + w · x = 0`` for all x in {0, 1}^n, in R^(n+1): its regions are the threshold functions.

    Counts: `threshold_counts`.

    Examples
    --------
    >>> threshold(1).hidden[0].weight.tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    check_at_least("threshold", n=(n, 0))
    normals = [[1, *x] for x in product((0, 1), repeat=n)]
    return arrangement(n + 1, normals, [0] * len(normals))


def resonance(n: int) -> Network:
    """Return the hyperplanes ``sum of x_i over S = 0`` of R^n for all non-empty sets S of coordinates.

    Counts: `resonance_counts`.

    Examples
    --------
    >>> resonance(2).hidden[0].weight.tolist()
    [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    check_at_least("resonance", n=(n, 1))
    normals = [list(s) for s in product((0, 1), repeat=n) if any(s)]
    return arrangement(n, normals, [0] * len(normals))


def grid(*counts: int) -> Network:
    """Return the hyperplanes ``x_i = 0, 1, …, counts[i] - 1``: all regions are boxes, bounded or not.

    Counts: `grid_counts`.

    Examples
    --------
    >>> grid(1, 2).hidden[0].weight.tolist(), grid(1, 2).hidden[0].bias.tolist()
    ([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0.0, 0.0, -1.0])
    """
    check_at_least("grid", dim=(len(counts), 1), count=(min(counts, default=0), 0))
    normals = [row for row, count in zip(np.eye(len(counts)).tolist(), counts, strict=True) for _ in range(count)]
    return arrangement(len(counts), normals, [-k for count in counts for k in range(count)])




def _of_differences(function: str, n: int, shifts: Sequence[int], essential: bool) -> Network:
    """Return the hyperplanes ``x_i - x_j = shift`` for i < j and all shifts."""
    check_at_least(function, n=(n, 2))
    dim = n - 1 if essential else n
    pairs = [difference(n, i, j)[:dim] for i, j in combinations(range(n), 2)]
    return arrangement(dim, [pair for pair in pairs for _ in shifts], [-shift for _ in pairs for shift in shifts])


def arrangement(dim: int, normals: Sequence[Sequence[float]], constants: Sequence[float]) -> Network:
    """Return the network with the hyperplanes ``normal · x + constant = 0``."""
    weight = np.array(normals, dtype=object).reshape(len(normals), dim)
    return Network.from_arrays([(weight, constants), ([list(range(1, len(normals) + 1))], [0])])


def difference(n: int, i: int, j: int) -> list[int]:
    return [int(k == i) - int(k == j) for k in range(n)]
