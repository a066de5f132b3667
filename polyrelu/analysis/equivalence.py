"""Whether two networks agree on a domain, and how far apart their outputs are at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Unpack

from polyrelu.analysis.ground import Ground, Options, find_ground, require
from polyrelu.analysis.ranges import OutputRange, RangeEvidence, ranges_on
from polyrelu.analysis.region_rows import LocalRows, LocalView, local_views, step_inside
from polyrelu.analysis.side_by_side import difference
from polyrelu.certificate.verdict import Verdict
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.network.model import Network
from polyrelu.region.hull import decide_domain

__all__ = ["Agree", "Differ", "Difference", "DifferenceEvidence", "decide_equivalent", "max_difference"]


@dataclass(frozen=True, eq=False)
class Differ:
    """An input of a domain at which two networks have different outputs."""

    first: Network
    second: Network
    domain: Domain
    point: tuple[Fraction, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the point is in the domain and the outputs differ there."""
        require(len(self.point) == self.domain.dim == self.first.dim == self.second.dim, "an input of both networks")
        require(self.domain.contains(self.point), "an input in the domain")
        require(self.first.exact(self.point) != self.second.exact(self.point), "an input at which the outputs differ")


@dataclass(frozen=True, eq=False)
class Agree:
    """Proof that two networks agree on a domain: their difference is the zero map on every common region.

    Attributes
    ----------
    first, second : Network
    ground : Ground
        The regions of their difference.
    """

    first: Network
    second: Network
    ground: Ground

    def check(self) -> None:
        """Raise `CertificateError` unless every map is zero, given that the regions cover the domain."""
        require(self.ground.network.hash == difference(self.first, self.second).hash, "regions of the difference")
        self.ground.check()
        local = LocalRows(self.ground.tessellation)
        for region in range(self.ground.tessellation.n_regions):
            local.move_to(region)
            zero = not any(local.outputs().numerators.entries())
            require(zero, f"maps that agree (region {region})")


@dataclass(frozen=True, slots=True)
class Difference:
    """How far apart the outputs of two networks are on a domain.

    Attributes
    ----------
    value : Fraction or None
        The largest ``|f_i(x) - g_i(x)|`` over all inputs and outputs, attained; None if there is no bound.
    output : int
        An output that attains it, or has no bound.
    point : tuple of Fraction
        An input that attains it; without a bound, where the half-line starts.
    ray : tuple of Fraction or None
        Along it the difference grows for ever.
    ranges : tuple of OutputRange
        Of ``f_i - g_i``, for each output.
    """

    value: Fraction | None
    output: int
    point: tuple[Fraction, ...]
    ray: tuple[Fraction, ...] | None
    ranges: tuple[OutputRange, ...]


@dataclass(frozen=True, eq=False)
class DifferenceEvidence:
    """Proof of the largest difference: the ranges of the outputs of the network that subtracts."""

    first: Network
    second: Network
    difference: Difference
    proof: RangeEvidence

    def check(self) -> None:
        """Raise `CertificateError` unless the ranges are proved, given that the regions cover the domain."""
        require(self.proof.ground.network.hash == difference(self.first, self.second).hash, "regions of the difference")
        outputs = [found.output for found in self.proof.ranges]
        require(outputs == list(range(self.first.n_out)), "a range for each output")
        self.proof.check()
        require(_largest(self.proof.ranges) == self.difference, "ranges with the stated largest difference")


def decide_equivalent(
    first: Network, second: Network, domain: Domain | None = None, **options: Unpack[Options]
) -> Verdict:
    """Return whether two networks have the same outputs at every input of a domain.

    Parameters
    ----------
    first, second : Network
        Of one input dimension and with equally many outputs; the architectures may differ.
    domain : Domain, optional
        All of R^dim by default.
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`.

    Returns
    -------
    Verdict
        With `Agree` as evidence, or `Differ`: an input at which they differ, which is the value too.

    Examples
    --------
    >>> hat = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> half = Network.from_arrays([([[1]], [0]), ([[1]], [0])])
    >>> decide_equivalent(hat, half, Domain.box([0], [1])).holds, decide_equivalent(hat, half).holds
    (True, False)
    """
    network = difference(first, second)
    domain = (domain or Domain.all(first.dim)).check_dim(first.dim)
    statement = f"both networks have the same outputs on {domain.label}"
    point = decide_domain(domain).point
    if any(network.exact(point)):
        return Verdict(statement, False, Differ(first, second, domain, point), point)
    ground = find_ground(network, domain, **options)
    if ground is None:
        return Verdict(statement, None, None)
    for view in local_views(ground.tessellation):
        if any(view.outputs.numerators.entries()):
            point = ground.to_input(_point_off_zero(ground, view))
            return Verdict(statement, False, Differ(first, second, domain, point), point)
    if not ground.tessellation.is_complete:
        return Verdict(statement, None, None)
    return Verdict(statement, True, Agree(first, second, ground))


def max_difference(
    first: Network, second: Network, domain: Domain | None = None, **options: Unpack[Options]
) -> Verdict:
    """Return how far apart the outputs of two networks are at most on a domain, exactly.

    Parameters as for `decide_equivalent`.

    Returns
    -------
    Verdict
        Its value is a `Difference`. If a budget ended the enumeration, ``holds`` is None and the value is the largest
        difference on the regions found.

    Examples
    --------
    >>> hat = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> zero = Network.from_arrays([([[0]], [0])])
    >>> found = max_difference(hat, zero, Domain.box(["-1/3"], ["1/4"])).value
    >>> found.value, found.point, max_difference(hat, zero).value.value
    (Fraction(1, 3), (Fraction(-1, 3),), None)
    """
    network = difference(first, second)
    domain = (domain or Domain.all(first.dim)).check_dim(first.dim)
    ground = find_ground(network, domain, **options)
    if ground is None:
        return Verdict(f"the largest difference of the outputs on {domain.label} is known", None, None)
    proof = ranges_on(ground, range(first.n_out))
    found = _largest(proof.ranges)
    size = "has no bound" if found.value is None else f"is {found.value}"
    statement = f"the largest difference of the outputs on {domain.label} {size}"
    if not ground.tessellation.is_complete:
        return Verdict(statement, None, None, found)
    return Verdict(statement, True, DifferenceEvidence(first, second, found, proof), found)


def _largest(ranges: Sequence[OutputRange]) -> Difference:
    """Return the largest absolute value in some ranges; the first one without a bound, if there is one."""
    best: tuple[Fraction, int, tuple[Fraction, ...]] | None = None
    for found in ranges:
        ends = (
            (found.upper, found.upper_point, found.upper_ray),
            (None if found.lower is None else -found.lower, found.lower_point, found.lower_ray),
        )
        for value, point, ray in ends:
            if value is None:
                return Difference(None, found.output, point, ray, tuple(ranges))
            if best is None or value > best[0]:
                best = value, found.output, point
    assert best is not None  # a network has an output
    return Difference(best[0], best[1], best[2], None, tuple(ranges))


def _point_off_zero(ground: Ground, view: LocalView) -> tuple[Fraction, ...]:
    """Return a point inside a region at which one of the outputs, which are not all identically 0 there, is not 0."""
    point = ground.tessellation.witness(view.region)
    forms = [form for form in view.outputs.to_fractions() if any(form)]
    if any(dot(form, (*point, 1)) for form in forms):
        return point
    # Each of these forms vanishes here, so each has a gradient, along which it grows.
    return step_inside(view, point, forms[0][:-1])[0]
