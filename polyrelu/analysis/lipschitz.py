"""The largest operator norm of a region's Jacobian: the local Lipschitz constant of a network on a domain.

Inputs and outputs are measured in the same norm, L1, L2 or L∞. On a convex domain, and every domain here is one, the
largest norm over all regions is the Lipschitz constant itself: a segment runs through closed regions, and on each the
outputs change by at most its norm times the length; inside the region with the largest norm that much is reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Unpack

import numpy as np

from polyrelu.analysis.ground import Ground, Options, find_ground, require
from polyrelu.analysis.jacobians import distinct_jacobians, gram_of, is_parallel_to_axes, metric_of, rational_norm
from polyrelu.analysis.spectrum import (
    Matrix,
    eigenvalue_polynomial,
    is_bounded_by,
    is_root,
    largest_factor,
)
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.rational import nearest_float, to_fraction
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

__all__ = ["LipschitzEvidence", "LocalLipschitz", "local_lipschitz"]


@dataclass(frozen=True, slots=True)
class LocalLipschitz:
    """The largest operator norm, and a region that has it.

    Attributes
    ----------
    norm : 1, 2 or math.inf
    lower, upper : Fraction
        ``lower <= norm of the Jacobian <= upper``; equal where it is rational, as always for L1 and L∞.
    polynomial : tuple of int or None
        For L2: the irreducible polynomial, coefficients from the constant on, whose only root between the squares of
        the bounds is the square of the norm. None for L1 and L∞.
    region : int
        A region that attains it.
    pattern : Pattern
        Of that region.
    point : tuple of Fraction
        An input strictly inside it.
    """

    norm: float
    lower: Fraction
    upper: Fraction
    polynomial: tuple[int, ...] | None
    region: int
    pattern: Pattern
    point: tuple[Fraction, ...]

    @property
    def value(self) -> Fraction | None:
        """The norm where it is a rational that is known exactly, else None."""
        return self.lower if self.lower == self.upper else None

    def __float__(self) -> float:
        middle = (self.lower + self.upper) / 2
        return nearest_float(middle.numerator, middle.denominator)


@dataclass(frozen=True, eq=False)
class LipschitzEvidence:
    """Proof that no region has a Jacobian with a larger norm, and that one attains it.

    Attributes
    ----------
    ground : Ground
    found : LocalLipschitz
    """

    ground: Ground
    found: LocalLipschitz

    def check(self) -> None:
        """Raise `CertificateError` unless the Jacobians of all regions say so, given that these cover the domain."""
        ground, found, t = self.ground, self.found, self.ground.tessellation
        ground.check()
        require(found.norm in (1, 2, math.inf), "one of the norms 1, 2 and inf")
        require(0 <= found.region < t.n_regions and t.pattern(found.region) == found.pattern, "a region of the domain")
        is_inside = len(found.point) == ground.domain.dim and ground.domain.contains(found.point)
        require(is_inside, "a point in the domain")
        inner, region = ground.to_inner(found.point), t.region(found.region)
        require(ground.to_input(inner) == found.point and region.contains(inner), "a point of the region")
        inside = all(dot(row, (*inner, 1)) > 0 for row in region.rows if any(row[:-1]))
        require(inside, "a point strictly inside the region")
        if found.norm == 2:
            self._check_spectra()
            return
        require(is_parallel_to_axes(t.hull), "a domain parallel to the axes")
        require(found.polynomial is None and found.lower == found.upper, "a rational norm")
        for jacobian, regions in distinct_jacobians(ground):
            norm = rational_norm(jacobian, found.norm)
            require(norm <= found.upper, f"a norm of at most the stated one (region {regions[0]})")
            require(norm == found.lower or found.region not in regions, "a region that has the stated norm")

    def _check_spectra(self) -> None:
        found = self.found
        require(0 <= found.lower <= found.upper, "bounds in order")
        low, high = found.lower**2, found.upper**2
        is_exact = low == high
        polynomial = found.polynomial or ()
        below = low - 1 if is_exact else low
        require(len(polynomial) > 1, "a polynomial")
        require(largest_factor(polynomial, below, high) == polynomial, "an irreducible polynomial in lowest terms")
        if is_exact:
            require(polynomial[0] + polynomial[1] * low == 0 and len(polynomial) == 2, "a polynomial with this root")
        metric = metric_of(self.ground)
        for jacobian, regions in distinct_jacobians(self.ground):
            gram, own = gram_of(jacobian, metric)
            attains = found.region in regions
            if is_exact and attains:
                require(low == 0 or is_root(gram, own, low), "a region that has the stated norm")
            if is_bounded_by(gram, own, low) and (is_exact or not attains):
                continue
            where = f"(region {regions[0]})"
            require(not is_exact and is_bounded_by(gram, own, high), f"a norm of at most the upper bound {where}")
            factor = largest_factor(eigenvalue_polynomial(gram, own), low, high)
            require(factor == polynomial, f"a norm that is the stated root {where}")


def local_lipschitz(
    network: Network,
    domain: Domain | None = None,
    norm: object = math.inf,
    width: object = "1/1000000",
    **options: Unpack[Options],
) -> Verdict:
    """Return the largest operator norm of the Jacobian over all regions of a domain.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default. A flat domain needs to be parallel to the axes for the norms L1 and L∞; for L2 it need
        not be.
    norm : 1, 2 or math.inf ("inf" will do)
        Of inputs and outputs.
    width : number or text
        For L2, how far apart the two rational bounds may be, above 0. Where the norm is rational they are equal.
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`.

    Returns
    -------
    Verdict
        Its value is a `LocalLipschitz`. If a budget ended the enumeration, ``holds`` is None and the value is the
        largest norm of the regions found, a lower bound.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> [local_lipschitz(xor(), Domain.unit(2), norm).value.value for norm in (1, "inf")]
    [Fraction(1, 1), Fraction(2, 1)]
    >>> verdict = local_lipschitz(xor(), Domain.unit(2), 2)
    >>> verdict.value.polynomial, round(float(verdict.value), 5), verdict.evidence.check()  # the root of 2
    ((-2, 1), 1.41421, None)
    """
    domain = (domain or Domain.all(network.dim)).check_dim(network.dim)
    kind, gap = _norm_of(norm), to_fraction(width, "local_lipschitz")
    if gap <= 0:
        raise InputError(f"local_lipschitz needs a width above 0 but received {gap}. Give a positive one.")
    name = "L∞" if kind == math.inf else f"L{kind:g}"
    statement = f"the largest {name} norm of a Jacobian on {domain.label} is known"
    ground = find_ground(network, domain, **options)
    if ground is None:
        return Verdict(statement, None, None)
    found = _largest_spectral(ground, gap) if kind == 2 else _largest_rational(ground, kind)
    size = f"is {found.value}" if found.value is not None else f"lies between {found.lower} and {found.upper}"
    statement = f"the largest {name} norm of a Jacobian on {domain.label} {size}"
    if not ground.tessellation.is_complete:
        return Verdict(statement, None, None, found)
    return Verdict(statement, True, LipschitzEvidence(ground, found), found)


def _norm_of(norm: object) -> float:
    names: dict[object, float] = {1: 1, "1": 1, 2: 2, "2": 2, math.inf: math.inf, "inf": math.inf}
    if norm not in names:
        raise InputError(f"local_lipschitz needs the norm 1, 2 or inf but received {norm!r}. Choose one of them.")
    return names[norm]


def _largest_rational(ground: Ground, norm: float) -> LocalLipschitz:
    if not is_parallel_to_axes(ground.tessellation.hull):
        raise InputError(
            f"local_lipschitz needs a domain parallel to the axes for the norms 1 and inf but received "
            f"{ground.domain.label}, which is flat and oblique. Use the norm 2, or restrict the network to a slice."
        )
    norms = {regions[0]: rational_norm(matrix, norm) for matrix, regions in distinct_jacobians(ground)}
    region = max(norms, key=lambda region: (norms[region], -region))
    return _at(ground, norm, norms[region], norms[region], None, region)


def _largest_spectral(ground: Ground, width: Fraction) -> LocalLipschitz:
    """Return the largest L2 norm: bounds by bisection, ties by irreducible factors of characteristic polynomials."""
    metric = metric_of(ground)
    rivals = [(regions[0], *gram_of(matrix, metric)) for matrix, regions in distinct_jacobians(ground)]
    first = rivals[0][0]
    rivals = [rival for rival in rivals if not is_bounded_by(rival[1], rival[2], Fraction(0))]
    if not rivals:
        return _at(ground, 2, Fraction(0), Fraction(0), (0, 1), first)
    low, high = Fraction(0), 1 + max(sum((row[i] for i, row in enumerate(gram)), Fraction(0)) for _, gram, _ in rivals)
    proposals = _proposed_bounds(rivals, width)
    factors: dict[int, tuple[int, ...] | None] = {}
    while high - low > width or len(set(factors.values())) != 1 or None in factors.values():
        proposed = next(proposals, low)
        middle = proposed if low < proposed < high else _middle(low, high)
        above = [rival for rival in rivals if not is_bounded_by(rival[1], rival[2], middle**2)]
        low, high = (middle, high) if above else (low, middle)
        rivals = above or rivals
        if high - low <= width:
            factors = {
                region: largest_factor(eigenvalue_polynomial(gram, own), low**2, high**2)
                for region, gram, own in rivals
            }
    [polynomial] = {factor for factor in factors.values() if factor is not None}
    root = _rational_root(polynomial)
    lower, upper = (low, high) if root is None else (root, root)
    return _at(ground, 2, lower, upper, polynomial, min(region for region, _, _ in rivals))


def _proposed_bounds(rivals: Sequence[tuple[int, Matrix, Matrix]], width: Fraction) -> Iterator[Fraction]:
    """Yield where to bisect first: just below and just above the largest norm in floats."""
    floats = [np.array([_floats(gram), _floats(own)]) for _, gram, own in rivals]
    if not all(np.isfinite(pair).all() for pair in floats):
        return
    values = [float(np.linalg.eigvals(np.linalg.solve(own, gram)).real.max()) for gram, own in floats]
    root = math.sqrt(max(*values, 0.0))
    margin = min(width, Fraction(1)) / 4
    for sign in (-1, 1):
        yield _rounded(Fraction(root) + sign * margin, margin)


def _middle(low: Fraction, high: Fraction) -> Fraction:
    """Return a number with few digits strictly between two numbers."""
    return _rounded((low + high) / 2, (high - low) / 4)


def _rounded(value: Fraction, margin: Fraction) -> Fraction:
    """Return a number with few binary digits less than a margin away."""
    bits = max(0, margin.denominator.bit_length() - margin.numerator.bit_length() + 1)
    return Fraction(round(value * (1 << bits)), 1 << bits)


def _rational_root(polynomial: Sequence[int]) -> Fraction | None:
    """Return the root of the root of a linear polynomial, where that is rational."""
    if len(polynomial) != 2:
        return None
    square = Fraction(-polynomial[0], polynomial[1])
    root = Fraction(math.isqrt(square.numerator), math.isqrt(square.denominator))
    return root if root**2 == square else None


def _at(
    ground: Ground, norm: float, lower: Fraction, upper: Fraction, polynomial: tuple[int, ...] | None, region: int
) -> LocalLipschitz:
    t = ground.tessellation
    point = ground.to_input(t.witness(region))
    return LocalLipschitz(norm, lower, upper, polynomial, region, t.pattern(region), point)


def _floats(matrix: Matrix) -> list[list[float]]:
    return [[nearest_float(value.numerator, value.denominator) for value in row] for row in matrix]
