"""The largest value of an output on a domain, without all of its regions: climb, then prove that nothing exceeds it.

The linear program of a point's region leads to a vertex, and from there other regions lead on. Where this ends, the
property "the output is at most this value" is decided (`polyrelu.analysis.verification.decide`): it holds, which is the
proof, or an input violates it, from which the climb goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from polyrelu.analysis.ground import check_flat, find_flatness, pulled_back, require
from polyrelu.analysis.verification.property import Halfspaces, InputSet, Property, PropertyCase
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.rational import primitive_row, to_fractions
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.region.hull import DomainHull, decide_domain
from polyrelu.region.lp import Optimal, decide_bounded, maximize
from polyrelu.region.model import region_at

if TYPE_CHECKING:
    from polyrelu.analysis.verification.proof import PropertyHolds

__all__ = ["LargestOutput", "largest_output"]

Point = tuple[Fraction, ...]


@dataclass(frozen=True, eq=False)
class LargestOutput:
    """Proof that ``weights · f(x) <= value`` on a domain, and that a point attains it.

    Attributes
    ----------
    network : Network
    domain : Domain
    weights : tuple of Fraction, length n_out
    value : Fraction
    point : tuple of Fraction, length dim
    hull : Slice or None
        The affine hull of a flat domain that is no box; the proof is then about its coordinates.
    flatness : tuple of Fraction
        What proves the hull (`polyrelu.analysis.ground.check_flat`).
    proof : PropertyHolds
        That no input of the domain exceeds the value.
    """

    network: Network
    domain: Domain
    weights: tuple[Fraction, ...]
    value: Fraction
    point: Point
    hull: Slice | None
    flatness: tuple[Fraction, ...]
    proof: PropertyHolds

    def check(self) -> None:
        """Raise `CertificateError` unless the point attains the value and the proof excludes larger ones."""
        require(len(self.point) == self.domain.dim and self.domain.contains(self.point), "a point of the domain")
        require(dot(self.weights, self.network.exact(self.point)) == self.value, "a point with the stated value")
        if self.hull is not None:
            check_flat(self.domain, self.hull, self.flatness)
        network, domain = _in_hull(self.network, self.domain, self.hull)
        require(self.proof.network.hash == network.hash, "a proof about this network")
        exceeding = _exceeding(network, domain, self.weights, self.value)
        require(self.proof.unsafe == exceeding, "a proof about this value on this domain")
        self.proof.check()


def largest_output(
    network: Network,
    domain: Domain,
    weights: Sequence[object] | int,
    *,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verdict:
    """Return the largest value of one output, or of a weighted sum of outputs, on a bounded domain.

    `output_range` looks at every region; this looks only where the value may be reached, and is the choice for domains
    with very many regions.

    Parameters
    ----------
    network : Network
    domain : Domain
        Bounded; it may be flat.
    weights : int or sequence of numbers, length n_out
        The number of an output, or what to multiply the outputs by; negative weights give the least value.
    max_seconds : float, optional
        A budget for each proof that is tried; when it ends, ``holds`` is None.
    progress : callable, optional
        Called with the number of cells of the current proof now and then.

    Returns
    -------
    Verdict
        Its value is a Fraction, attained at ``evidence.point``. If a budget ended the work: the largest value that was
        found (a lower bound), and no evidence.

    Raises
    ------
    UnboundedError
        If the domain is unbounded.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> verdict = largest_output(xor(), Domain.unit(2), 0)
    >>> print(verdict.statement, verdict.evidence.check())
    the largest value of 1 f0 on 0:1,0:1 is 1 None
    >>> largest_output(xor(), Domain.unit(2), [-1]).value
    Fraction(0, 1)
    >>> largest_output(xor(), Domain.all(2), 0)
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnboundedError: largest_output needs a bounded domain but received one with the ray (1, 0). ...
    """
    from polyrelu.analysis.verification.decide import decide_property
    from polyrelu.analysis.verification.proof import PropertyHolds, PropertyViolated

    domain.check_dim(network.dim)
    factors = _factors(network, weights)
    is_bounded, ray = decide_bounded(domain.rows, domain.dim)
    if not is_bounded:
        raise UnboundedError(
            f"largest_output needs a bounded domain but received one with the ray {ray.direction}. "  # type: ignore[union-attr]
            "Intersect it with a box first, or ask output_range."
        )
    found = decide_domain(domain)
    hull = None if domain.box_bounds() is not None else found.hull
    flatness = () if hull is None else find_flatness(domain)
    inner_network, inner = _in_hull(network, domain, hull)
    climbing = network if found.hull is None else network.restrict(found.hull)
    point: Point = found.point
    end = None if max_seconds is None else time.monotonic() + max_seconds
    while True:
        point, value = _climbed(climbing, found, factors, point)
        left = None if end is None else max(end - time.monotonic(), 0.0)
        exceeding = _exceeding(inner_network, inner, factors, value)
        verdict = decide_property(inner_network, exceeding, max_seconds=left, progress=progress)
        name = " + ".join(f"{factor} f{i}" for i, factor in enumerate(factors) if factor) or "0"
        statement = f"the largest value of {name} on {domain.label} is {value}"
        if isinstance(verdict.evidence, PropertyHolds):
            evidence = LargestOutput(network, domain, factors, value, point, hull, flatness, verdict.evidence)
            return Verdict(statement, True, evidence, value)
        if not isinstance(verdict.evidence, PropertyViolated):
            return Verdict(statement, None, None, value)
        point = verdict.evidence.inputs if hull is None else hull.point(verdict.evidence.inputs)


def _in_hull(network: Network, domain: Domain, hull: Slice | None) -> tuple[Network, Domain]:
    """Return a network and a domain in the coordinates of a slice."""
    if hull is None:
        return network, domain
    rows = [row for row in pulled_back(domain.rows, hull) if any(row)]
    return network.restrict(hull), Domain(hull.dim, tuple(rows), domain.label)


def _factors(network: Network, weights: Sequence[object] | int) -> tuple[Fraction, ...]:
    if isinstance(weights, int):
        weights = [int(i == weights) for i in range(network.n_out)] if 0 <= weights < network.n_out else []
    factors = to_fractions(weights, "largest_output")
    if len(factors) != network.n_out:
        raise InputError(
            f"largest_output needs the number of one of {network.n_out} outputs, or {network.n_out} weights, but "
            f"received {len(factors)} weights. Match the network."
        )
    return factors


def _exceeding(network: Network, domain: Domain, weights: Sequence[Fraction], value: Fraction) -> Property:
    """Return the property that is violated where ``weights · f > value`` in the domain."""
    outputs = Halfspaces((primitive_row([*weights, -value]),), (True,))
    bounds = domain.box_bounds()
    if bounds is not None:
        inputs = InputSet(*bounds)
    else:
        free = (None,) * domain.dim
        inputs = InputSet(free, free, Halfspaces(domain.rows, (False,) * len(domain.rows)))
    return Property(network.dim, network.n_out, (PropertyCase(inputs, (outputs,)),), "a larger value")


def _climbed(
    network: Network, found: DomainHull, weights: Sequence[Fraction], point: Point
) -> tuple[Point, Fraction]:
    """Return a vertex that no region around it improves on, and the value there; steps are exact.

    Parameters
    ----------
    network : Network
        In the coordinates of the domain's hull, where the climb takes place.
    found : DomainHull
    weights : sequence of Fraction
    point : tuple of Fraction
        Where to start, in the domain's own coordinates, as the result.
    """
    inside = point if found.hull is None else found.coordinates_of(point)
    value = Fraction(dot(weights, network.exact(inside)))
    while found.inner.dim:
        region = region_at(network, inside, found.inner)
        rows = region.affine_map.rows.numerators.tolist()
        objective = primitive_row(
            [sum(w * int(row[c]) for w, row in zip(weights, rows, strict=True)) for c in range(len(rows[0]))]
        )  # the common denominator is positive
        best = maximize(objective, [row for row in region.rows if any(row[:-1])])
        reached = Fraction(dot(weights, network.exact(best.point))) if isinstance(best, Optimal) else value
        if not isinstance(best, Optimal) or reached <= value:
            break
        inside, value = best.point, reached
    return (inside if found.hull is None else found.hull.point(inside)), value
