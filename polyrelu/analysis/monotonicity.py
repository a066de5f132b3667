"""Whether an output only rises, or only falls, as one input grows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Unpack

from polyrelu.analysis.ground import Ground, Options, find_ground, require
from polyrelu.analysis.region_rows import LocalRows, LocalView, local_views, step_inside
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice

__all__ = ["Monotone", "Monotonicity", "NotMonotone", "Pair", "decide_monotone"]


class Monotonicity(Enum):
    """How an output depends on one input, all others held fixed."""

    CONSTANT = "constant"
    NONDECREASING = "nondecreasing"
    NONINCREASING = "nonincreasing"
    NEITHER = "neither"


Pair = tuple[tuple[Fraction, ...], Fraction]
"""An input ``x`` and a step ``t > 0``: the pair of inputs ``x`` and ``x + t e_k``."""


@dataclass(frozen=True, eq=False)
class Monotone:
    """Proof that an output is monotone in an input: the slopes of all regions have one sign.

    Attributes
    ----------
    ground : Ground
    output, input : int
    kind : Monotonicity
        Not NEITHER.
    """

    ground: Ground
    output: int
    input: int
    kind: Monotonicity

    def check(self) -> None:
        """Raise `CertificateError` unless every region has a slope of this sign, given that they cover the domain."""
        ground, t = self.ground, self.ground.tessellation
        ground.check()
        has_both = 0 <= self.output < ground.network.n_out and 0 <= self.input < ground.network.dim
        require(has_both, "an output and an input of the network")
        direction = direction_of(self.input, t.hull, t.dim)
        kinds = set()
        local = LocalRows(t)
        for region in range(t.n_regions):
            local.move_to(region)
            kinds.add(_kind(local.outputs(), self.output, direction))
        require(_joint(kinds) is self.kind is not Monotonicity.NEITHER, "slopes of one sign")


@dataclass(frozen=True, eq=False)
class NotMonotone:
    """Two pairs of inputs that differ in one coordinate alone: along one an output rises, along the other it falls.

    Attributes
    ----------
    network : Network
    domain : Domain
    output, input : int
    rise, fall : (point, step)
        ``f(x + t e_k) > f(x)`` and ``f(x + t e_k) < f(x)``.
    """

    network: Network
    domain: Domain
    output: int
    input: int
    rise: Pair
    fall: Pair

    def check(self) -> None:
        """Raise `CertificateError` unless both pairs lie in the domain and the output changes as stated."""
        network = self.network
        has_both = 0 <= self.output < network.n_out and 0 <= self.input < network.dim == self.domain.dim
        require(has_both, "an output and an input of the network")
        for (point, step), sign in ((self.rise, 1), (self.fall, -1)):
            require(len(point) == network.dim and step > 0, "an input and a positive step")
            moved = tuple(x + step * (i == self.input) for i, x in enumerate(point))
            require(self.domain.contains(point) and self.domain.contains(moved), "inputs in the domain")
            change = network.exact(moved)[self.output] - network.exact(point)[self.output]
            require(sign * change > 0, f"a pair along which the output {'rises' if sign > 0 else 'falls'}")


def decide_monotone(
    network: Network, output: int, input: int, domain: Domain | None = None, **options: Unpack[Options]
) -> Verdict:
    """Return whether an output is monotone in an input on a domain.

    Parameters
    ----------
    network : Network
    output, input : int
        From 0.
    domain : Domain, optional
        All of R^dim by default.
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`.

    Returns
    -------
    Verdict
        Its value is a `Monotonicity`; the evidence `Monotone`, or `NotMonotone` with two pairs of inputs. If a budget
        ended the enumeration, ``holds`` is None and the value is what the regions found say.

    Notes
    -----
    A segment along an input in the domain runs through closed regions and the output is affine on each part, so that
    slopes of one sign on all regions suffice. They are needed too: a region holds a segment in every direction.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> decide_monotone(xor(), 0, 0, Domain.box([-1, -1], [0, 0])).value
    <Monotonicity.CONSTANT: 'constant'>
    >>> verdict = decide_monotone(xor(), 0, 0, Domain.unit(2))
    >>> verdict.holds, verdict.value.value, verdict.evidence.check()
    (False, 'neither', None)
    """
    if not (0 <= output < network.n_out and 0 <= input < network.dim):
        raise InputError(
            f"decide_monotone needs one of {network.n_out} outputs and one of {network.dim} inputs but received "
            f"output {output} and input {input}. Count from 0."
        )
    domain = domain or Domain.all(network.dim)
    statement = f"output {output} is monotone in input {input} on {domain.label}"
    ground = find_ground(network, domain, **options)
    if ground is None:
        return Verdict(statement, None, None)
    t = ground.tessellation
    direction = direction_of(input, t.hull, t.dim)
    pairs: dict[Monotonicity, Pair] = {}
    for view in local_views(t):
        kind = _kind(view.outputs, output, direction)
        if direction is not None and kind is not Monotonicity.CONSTANT and kind not in pairs:
            pairs[kind] = _pair(ground, view, direction)
    kind = _joint(set(pairs))
    if kind is Monotonicity.NEITHER:
        rise, fall = pairs[Monotonicity.NONDECREASING], pairs[Monotonicity.NONINCREASING]
        return Verdict(statement, False, NotMonotone(network, domain, output, input, rise, fall), kind)
    if not t.is_complete:
        return Verdict(statement, None, None, kind)
    return Verdict(statement, True, Monotone(ground, output, input, kind), kind)


def direction_of(input: int, hull: Slice | None, dim: int) -> tuple[Fraction, ...] | None:
    """Return an input's axis in the coordinates of an affine hull, None if it leaves the hull."""
    if hull is None:
        return tuple(Fraction(int(i == input)) for i in range(dim))
    rows = [row[:-1] for row in hull.matrix.to_fractions()]
    units = [[Fraction(int(i == j)) for i in range(dim)] for j in range(dim)]
    # Each coordinate of a hull is one of the inputs, so the axis is a coordinate's, if it is in the hull at all.
    found = [unit for unit in units if [dot(row, unit) for row in rows] == [int(i == input) for i in range(len(rows))]]
    return tuple(found[0]) if found else None


def _kind(outputs: RationalMatrix, output: int, direction: tuple[Fraction, ...] | None) -> Monotonicity:
    """Return how an output depends on an input on one region."""
    slope = 0 if direction is None else dot(outputs.row(output)[:-1], direction)
    if slope == 0:
        return Monotonicity.CONSTANT
    return Monotonicity.NONDECREASING if slope > 0 else Monotonicity.NONINCREASING


def _joint(kinds: set[Monotonicity]) -> Monotonicity:
    """Return how an output depends on an input whose slopes have these signs."""
    signs = kinds - {Monotonicity.CONSTANT}
    if len(signs) > 1:
        return Monotonicity.NEITHER
    return signs.pop() if signs else Monotonicity.CONSTANT


def _pair(ground: Ground, view: LocalView, direction: tuple[Fraction, ...]) -> Pair:
    """Return an interior point of a region and a step after which one is still in it."""
    point = ground.tessellation.witness(view.region)
    return ground.to_input(point), step_inside(view, point, direction)[1]
