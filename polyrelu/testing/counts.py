"""How many regions the families of arrangements have over all of R^dim: closed formulas, and where they come from.

An arrangement with the characteristic polynomial chi has ``|chi(-1)|`` regions, and ``|chi(1)|`` bounded ones if it has
vertices (Zaslavsky 1975). If it has none, because all regions contain a common line, no region is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import comb, factorial, prod
from typing import NamedTuple

from polyrelu.errors import InputError
from polyrelu.testing.sizes import check_at_least

__all__ = [
    "Counts",
    "braid_counts",
    "catalan_counts",
    "central_counts",
    "coxeter_counts",
    "coxeter_shi_counts",
    "generic_counts",
    "graphic_counts",
    "grid_counts",
    "linial_counts",
    "montufar_counts",
    "pencil_counts",
    "resonance_counts",
    "semiorder_counts",
    "shi_counts",
    "telgarsky_counts",
    "threshold_counts",
]


class Counts(NamedTuple):
    """Numbers of regions over all of R^dim.

    Attributes
    ----------
    regions : int
    bounded : int
        How many of them are bounded.
    """

    regions: int
    bounded: int


def generic_counts(dim: int, n: int) -> Counts:
    """Return the counts of n hyperplanes in general position (Schläfli 1901; bounded: Zaslavsky 1975).

    Examples
    --------
    >>> generic_counts(2, 4)
    Counts(regions=11, bounded=3)
    """
    check_at_least("generic_counts", dim=(dim, 1), n=(n, 0))
    return Counts(sum(comb(n, i) for i in range(dim + 1)), comb(n - 1, dim) if n else 0)


def central_counts(dim: int, n: int) -> Counts:
    """Return the counts of n hyperplanes through the origin, otherwise in general position (Schläfli 1901; Cover 1965).

    Examples
    --------
    >>> central_counts(3, 6)
    Counts(regions=32, bounded=0)
    """
    check_at_least("central_counts", dim=(dim, 1), n=(n, 0))
    # In one dimension all of them are one point.
    return Counts(2 * sum(comb(n - 1, i) for i in range(dim)) if n else 1, 0)


def pencil_counts(n: int) -> Counts:
    """Return the counts of n hyperplanes through one set of codimension 2: sectors around it.

    Examples
    --------
    >>> pencil_counts(5)
    Counts(regions=10, bounded=0)
    """
    check_at_least("pencil_counts", n=(n, 1))
    return Counts(2 * n, 0)


def grid_counts(*counts: int) -> Counts:
    """Return the counts of the hyperplanes ``x_i = 0, …, counts[i] - 1``: products of those on the axes.

    Examples
    --------
    >>> grid_counts(3, 4)
    Counts(regions=20, bounded=6)
    """
    check_at_least("grid_counts", dim=(len(counts), 1), count=(min(counts, default=0), 0))
    return Counts(prod(k + 1 for k in counts), prod(max(k - 1, 0) for k in counts))


def braid_counts(n: int) -> Counts:
    """Return the counts of ``x_i = x_j`` in R^n: the orders of n numbers.

    Examples
    --------
    >>> braid_counts(4)
    Counts(regions=24, bounded=0)
    """
    check_at_least("braid_counts", n=(n, 2))
    return Counts(factorial(n), 0)


def coxeter_counts(kind: str, n: int) -> Counts:
    """Return the counts of the reflections of a Coxeter group: the order of the group (Humphreys 1990, Section 2.11).

    Examples
    --------
    >>> [coxeter_counts(kind, n).regions for kind, n in (("A", 3), ("B", 3), ("D", 4), ("G", 2))]
    [24, 48, 192, 12]
    """
    orders = {"A": factorial(n + 1), "B": 2**n * factorial(n), "D": 2 ** (n - 1) * factorial(n), "G": 12}
    return Counts(orders[_checked_kind("coxeter_counts", kind, n)], 0)


def coxeter_shi_counts(kind: str, n: int) -> Counts:
    """Return the counts of ``root · x = 0, 1`` for the positive roots of a Coxeter group with Coxeter number h.

    There are ``(h + 1)^n`` regions (Shi 1987), of which ``(h - 1)^n`` are bounded (Headley 1997) unless, for kind A,
    all contain the line (1, …, 1).

    Examples
    --------
    >>> coxeter_shi_counts("B", 2), coxeter_shi_counts("A", 2)
    (Counts(regions=25, bounded=9), Counts(regions=16, bounded=0))
    """
    kind = _checked_kind("coxeter_shi_counts", kind, n)
    if kind == "G":
        raise InputError(
            "coxeter_shi_counts needs kind A, B or D but received 'G', whose rational coordinates scale its roots. "
            "Choose another kind."
        )
    h = {"A": n + 1, "B": 2 * n, "D": 2 * n - 2}[kind]
    return Counts((h + 1) ** n, 0 if kind == "A" else (h - 1) ** n)


def shi_counts(n: int, essential: bool = False) -> Counts:
    """Return the counts of ``x_i - x_j = 0, 1``: ``chi(t) = t (t - n)^(n - 1)`` (Shi 1986; Stanley 1996).

    Examples
    --------
    >>> shi_counts(4), shi_counts(4, essential=True)
    (Counts(regions=125, bounded=0), Counts(regions=125, bounded=27))
    """
    check_at_least("shi_counts", n=(n, 2))
    return Counts((n + 1) ** (n - 1), (n - 1) ** (n - 1) if essential else 0)


def linial_counts(n: int, essential: bool = False) -> Counts:
    """Return the counts of ``x_i - x_j = 1`` for i < j.

    ``chi(t) = t / 2^n sum comb(n, k) (t - k)^(n - 1)`` (Athanasiadis 1996; Postnikov and Stanley 2000).

    Examples
    --------
    >>> [linial_counts(n).regions for n in (2, 3, 4, 5)], linial_counts(3, essential=True).bounded
    ([2, 7, 36, 246], 1)
    """
    check_at_least("linial_counts", n=(n, 2))
    regions = sum(comb(n, k) * (k + 1) ** (n - 1) for k in range(n + 1)) // 2**n
    bounded = sum(comb(n, k) * (k - 1) ** (n - 1) for k in range(n + 1)) // 2**n
    return Counts(regions, bounded if essential else 0)


def catalan_counts(n: int, essential: bool = False) -> Counts:
    """Return the counts of ``x_i - x_j = -1, 0, 1``: n! times the Catalan numbers C_n and C_(n-1).

    ``chi(t) = t (t - n - 1) (t - n - 2) … (t - 2 n + 1)`` (Stanley 1996).

    Examples
    --------
    >>> catalan_counts(4, essential=True)
    Counts(regions=336, bounded=120)
    """
    check_at_least("catalan_counts", n=(n, 2))
    return Counts(factorial(n) * _catalan(n), factorial(n) * _catalan(n - 1) if essential else 0)


def semiorder_counts(n: int, essential: bool = False) -> Counts:
    """Return the counts of ``x_i - x_j = -1, 1``.

    ``chi(t)`` is the sum of the Catalan arrangements' over all partitions of n coordinates into k groups of equal ones
    (Postnikov and Stanley 2000; labelled semiorders: Chandon, Lemaire and Pouget 1978).

    Examples
    --------
    >>> [semiorder_counts(n).regions for n in (2, 3, 4, 5)], semiorder_counts(3, essential=True).bounded
    ([3, 19, 183, 2371], 7)
    """
    check_at_least("semiorder_counts", n=(n, 2))
    signed = [(_stirling(n, k) * (-1) ** (n - k) * factorial(k), k) for k in range(1, n + 1)]
    regions = sum(number * _catalan(k) for number, k in signed)
    bounded = sum(number * _catalan(k - 1) for number, k in signed)
    return Counts(regions, bounded if essential else 0)


def graphic_counts(n: int, edges: Iterable[tuple[int, int]]) -> Counts:
    """Return the counts of ``x_i = x_j`` for the edges of a graph: ``chi`` is its chromatic polynomial.

    ``|chi(-1)|`` counts acyclic orientations (Stanley 1973), here by deleting and contracting edges: the edges' number
    should be below 25.

    Examples
    --------
    >>> graphic_counts(4, [(0, 1), (1, 2), (2, 3), (3, 0)])
    Counts(regions=14, bounded=0)
    """
    simple = frozenset(frozenset(edge) for edge in edges)
    check_at_least("graphic_counts", n=(n, 1), edges=(len(simple), 0))
    return Counts(_acyclic_orientations(simple), 0)


def threshold_counts(n: int) -> Counts:
    """Return the counts of ``w_0 + w · x = 0`` for x in {0, 1}^n, up to n = 6.

    No formula is known; the table is sequence A000609 of the OEIS (Muroga 1971).

    Examples
    --------
    >>> threshold_counts(3).regions
    104
    """
    return _from_table("threshold_counts", n, dict(enumerate((2, 4, 14, 104, 1882, 94572, 15028134))))


def resonance_counts(n: int) -> Counts:
    """Return the counts of the sums of all sets of coordinates, up to n = 6.

    No formula is known; the table is sequence A034997 of the OEIS (Evans 1995).

    Examples
    --------
    >>> resonance_counts(3).regions
    32
    """
    return _from_table("resonance_counts", n, dict(enumerate((2, 6, 32, 370, 11292, 1066044), start=1)))


def telgarsky_counts(layers: int) -> Counts:
    """Return the counts of the tent map composed with itself, on [0, 1]: they double with every layer (Telgarsky 2016).

    Examples
    --------
    >>> telgarsky_counts(5)
    Counts(regions=32, bounded=32)
    """
    check_at_least("telgarsky_counts", layers=(layers, 1))
    return Counts(2**layers, 2**layers)


def montufar_counts(dim: int, folds: int, layers: int = 1) -> Counts:
    """Return the counts of a folded and then cut cube, on [0, 1]^dim (after Montúfar et al. 2014, Section 4).

    Each layer multiplies by ``folds**dim``; the last one cuts the cube into 7 parts in the plane and 2^dim otherwise.

    Examples
    --------
    >>> montufar_counts(2, 3, layers=2).regions
    567
    """
    check_at_least("montufar_counts", dim=(dim, 1), folds=(folds, 1), layers=(layers, 1))
    regions = (7 if dim == 2 else 2**dim) * folds ** (dim * layers)
    return Counts(regions, regions)


def _from_table(function: str, n: int, regions: dict[int, int]) -> Counts:
    if n not in regions:
        raise InputError(
            f"{function} needs n from {min(regions)} to {max(regions)} but received {n}. Further numbers are not known "
            "to this table: count regions instead."
        )
    return Counts(regions[n], 0)


def _catalan(n: int) -> int:
    return comb(2 * n, n) // (n + 1)


def _stirling(n: int, k: int) -> int:
    """Return the number of partitions of n things into k groups."""
    return sum((-1) ** (k - j) * comb(k, j) * j**n for j in range(k + 1)) // factorial(k)


def _acyclic_orientations(edges: frozenset[frozenset[int]]) -> int:
    if not edges:
        return 1
    edge = min(edges, key=sorted)
    kept, gone = sorted(edge)
    others = edges - {edge}
    merged = frozenset(frozenset(kept if v == gone else v for v in other) for other in others)
    return _acyclic_orientations(others) + _acyclic_orientations(merged)


def _checked_kind(function: str, kind: str, n: int) -> str:
    if kind not in ("A", "B", "D", "G"):
        raise InputError(f"{function} needs kind A, B, D or G but received {kind!r}. Choose one of them.")
    check_at_least(function, n=(n, 2 if kind in "DG" else 1))
    return kind
