"""Whether any input of a domain has an output in a polyhedron: an input, or multipliers for every region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Unpack

from polyrelu.analysis.ground import Ground, Options, find_ground, require
from polyrelu.analysis.maximum import Multipliers, add_rows, named_multipliers
from polyrelu.analysis.preimages import check_outputs, pulled_back
from polyrelu.analysis.region_rows import LocalRows, local_views
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.network.model import Network
from polyrelu.region.hull import decide_domain
from polyrelu.region.lp import Witness, find_point

__all__ = ["NotReached", "Reached", "decide_reachable", "find_reached", "reaches"]


@dataclass(frozen=True, eq=False)
class Reached:
    """An input whose output lies in a polyhedron.

    Attributes
    ----------
    network : Network
    domain : Domain
    outputs : Domain
        The polyhedron, in output space.
    strict : tuple of bool, one for each row of ``outputs``
        Which rows must be > 0 rather than >= 0.
    point : tuple of Fraction, length network.dim
    """

    network: Network
    domain: Domain
    outputs: Domain
    strict: tuple[bool, ...]
    point: tuple[Fraction, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the input is in the domain and its output in the polyhedron."""
        require(len(self.point) == self.network.dim == self.domain.dim, "an input of the network")
        require(self.domain.contains(self.point), "an input in the domain")
        require(len(self.strict) == len(self.outputs.rows), "a flag for each row")
        require(reaches(self.network, self.outputs, self.strict, self.point), "an input whose output is in the set")


@dataclass(frozen=True, eq=False)
class NotReached:
    """Proof that no input of a domain has an output in a polyhedron.

    Attributes
    ----------
    ground : Ground
    outputs : Domain
    strict : tuple of bool, one for each row of ``outputs``
    of_rows : tuple of Multipliers, one for each region
        Of rows of the region.
    of_outputs : tuple of tuples of Fraction, one for each region
        Of the rows of ``outputs``. Both sums together are the constant -1, or 0 while the multipliers of strict rows
        add up to 1 (Farkas' lemma, Motzkin's theorem).
    """

    ground: Ground
    outputs: Domain
    strict: tuple[bool, ...]
    of_rows: tuple[Multipliers, ...]
    of_outputs: tuple[tuple[Fraction, ...], ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the multipliers exclude every region, given that these cover the domain."""
        t = self.ground.tessellation
        self.ground.check()
        require(self.outputs.dim == self.ground.network.n_out, "a polyhedron of the outputs")
        require(len(self.strict) == len(self.outputs.rows), "a flag for each row")
        require(len(self.of_rows) == len(self.of_outputs) == t.n_regions, "multipliers for each region")
        local = LocalRows(t)
        for region, (of_rows, of_outputs) in enumerate(zip(self.of_rows, self.of_outputs, strict=True)):
            local.move_to(region)
            rows = pulled_back(self.outputs, local.outputs())
            require(len(of_outputs) == len(rows), f"a multiplier for each row of the outputs (region {region})")
            require(min(of_outputs, default=0) >= 0, f"nonnegative multipliers (region {region})")
            start = [Fraction(0)] * (t.dim + 1)
            for y, row in zip(of_outputs, rows, strict=True):
                start = [a + y * b for a, b in zip(start, row, strict=True)]
            sums = add_rows(start, local, of_rows)
            of_strict = sum(y for y, flag in zip(of_outputs, self.strict, strict=True) if flag)
            require(not any(sums[:-1]), f"multipliers that cancel the normals (region {region})")
            forbidden = sums[-1] == -1 or (sums[-1] == 0 and of_strict == 1)
            require(forbidden, f"multipliers whose sum the rows forbid (region {region})")


def decide_reachable(
    network: Network,
    outputs: Domain,
    domain: Domain | None = None,
    strict: Sequence[bool] | None = None,
    **options: Unpack[Options],
) -> Verdict:
    """Return whether any input of a domain has an output in a polyhedron.

    Parameters
    ----------
    network : Network
    outputs : Domain
        In output space.
    domain : Domain, optional
        All of R^dim by default.
    strict : sequence of bool, optional
        For each row of ``outputs`` whether the output must be strictly inside; by default none.
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`.

    Returns
    -------
    Verdict
        With `Reached` or `NotReached` as evidence; the value is the input, if there is one.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> one = Domain.box([1], [2])
    >>> decide_reachable(xor(), one, Domain.unit(2)).value
    (Fraction(1, 2), Fraction(1, 2))
    >>> above = decide_reachable(xor(), one, Domain.unit(2), strict=[True, False])
    >>> above.holds, above.evidence.check()
    (False, None)
    """
    check_outputs("decide_reachable", network, outputs)
    flags = tuple(bool(flag) for flag in (strict if strict is not None else [False] * len(outputs.rows)))
    if len(flags) != len(outputs.rows):
        raise InputError(
            f"decide_reachable needs a flag for each of the {len(outputs.rows)} rows of the polyhedron but received "
            f"{len(flags)}. Match them."
        )
    domain = (domain or Domain.all(network.dim)).check_dim(network.dim)
    statement = f"some input in {domain.label} has an output in {outputs.label}"
    point = decide_domain(domain).point
    if reaches(network, outputs, flags, point):
        return Verdict(statement, True, Reached(network, domain, outputs, flags, point), point)
    ground = find_ground(network, domain, **options)
    if ground is None:
        return Verdict(statement, None, None)
    found = find_reached(ground, outputs, flags)
    if isinstance(found, Reached):
        return Verdict(statement, True, found, found.point)
    return Verdict(statement, False, found) if ground.tessellation.is_complete else Verdict(statement, None, None)


def find_reached(ground: Ground, outputs: Domain, strict: Sequence[bool]) -> Reached | NotReached:
    """Return an input in the regions of a ground with an output in a polyhedron, or why there is none in them."""
    of_rows, of_outputs = [], []
    for view in local_views(ground.tessellation):
        rows = (*view.rows, *pulled_back(outputs, view.outputs))
        n = len(view.rows)
        found = find_point(rows, [False] * n + list(strict), ground.tessellation.dim)
        if isinstance(found, Witness):
            point = ground.to_input(found.point)
            return Reached(ground.network, ground.domain, outputs, tuple(strict), point)
        of_strict = sum(y for y, flag in zip(found.multipliers[n:], strict, strict=True) if flag)
        size = -Fraction(dot(found.multipliers, [row[-1] for row in rows])) or Fraction(of_strict)
        of_rows.append(named_multipliers(view.names, [y / size for y in found.multipliers[:n]]))
        of_outputs.append(tuple(y / size for y in found.multipliers[n:]))
    return NotReached(ground, outputs, tuple(strict), tuple(of_rows), tuple(of_outputs))


def reaches(network: Network, outputs: Domain, strict: Sequence[bool], point: Sequence[Fraction]) -> bool:
    """Return whether the output at a point lies in a polyhedron, strictly inside of some of its rows."""
    values = (*network.exact(point), Fraction(1))
    both = ((dot(row, values), flag) for row, flag in zip(outputs.rows, strict, strict=True))
    return all(value > 0 or (value == 0 and not flag) for value, flag in both)
