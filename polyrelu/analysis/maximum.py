"""The largest value of a linear function of the outputs on a domain, proved by multipliers for every region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.analysis.ground import Ground, require
from polyrelu.analysis.region_rows import LocalRows, LocalView, local_views
from polyrelu.errors import InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import common_denominator
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.lp import Infeasible, Unbounded, maximize
from polyrelu.region.model import Region
from polyrelu.tessellation.exact_corners import Form

__all__ = [
    "Multipliers",
    "OutputMaximum",
    "OutputRise",
    "add_rows",
    "combined",
    "is_about",
    "maximize_outputs",
    "named_multipliers",
]

Multipliers = tuple[tuple[Form, Fraction], ...]
"""Names of rows of one region (`LocalView.names`), each with a positive number."""


@dataclass(frozen=True, eq=False)
class OutputMaximum:
    """Proof that ``weights · f(x) <= value`` on a domain, and that a point attains it.

    Attributes
    ----------
    ground : Ground
    weights : tuple of Fraction, length n_out
    value : Fraction
    point : tuple of Fraction, length network.dim
        An input with ``weights · f(point) = value``.
    multipliers : tuple of Multipliers, one for each region
        On the region ``weights · f + sum(multipliers * rows)`` is a constant of at most ``value``.
    """

    ground: Ground
    weights: tuple[Fraction, ...]
    value: Fraction
    point: tuple[Fraction, ...]
    multipliers: tuple[Multipliers, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the proof holds, given that the regions cover the domain."""
        ground, t = self.ground, self.ground.tessellation
        ground.check()
        require(len(self.weights) == ground.network.n_out, "one weight for each output")
        is_inside = len(self.point) == ground.domain.dim and ground.domain.contains(self.point)
        require(is_inside, "a point of the domain")
        require(dot(self.weights, ground.network.exact(self.point)) == self.value, "a point with the stated value")
        require(len(self.multipliers) == t.n_regions, "multipliers for each region")
        local = LocalRows(t)
        for region, multipliers in enumerate(self.multipliers):
            local.move_to(region)
            objective, denominator = combined(self.weights, local.outputs())
            total = [Fraction(value, denominator) for value in objective]
            total = add_rows(total, local, multipliers)
            require(not any(total[:-1]), f"multipliers that bound the outputs (region {region})")
            require(total[-1] <= self.value, f"a bound of at most the stated value (region {region})")


@dataclass(frozen=True, eq=False)
class OutputRise:
    """Proof that ``weights · f`` has no largest value on a domain: it rises along a half-line in one region.

    Attributes
    ----------
    network : Network
    domain : Domain
    weights : tuple of Fraction, length n_out
    pattern : Pattern
        Of the region.
    point, ray : tuple of Fraction, length network.dim
        The half-line ``point + t ray``, t >= 0.
    """

    network: Network
    domain: Domain
    weights: tuple[Fraction, ...]
    pattern: Pattern
    point: tuple[Fraction, ...]
    ray: tuple[Fraction, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the half-line lies in the region and the outputs rise along it."""
        region = Region(self.network, self.pattern, self.domain)
        dims = {len(self.point), len(self.ray), self.domain.dim}
        require(dims == {self.network.dim}, "a half-line of the network's dimension")
        require(all(dot(row, (*self.point, 1)) >= 0 for row in region.rows), "a point of the region")
        require(all(dot(row[:-1], self.ray) >= 0 for row in region.rows), "a ray of the region")
        slopes = [dot(row, self.ray) for row in region.affine_map.matrix]
        require(len(self.weights) == len(slopes) and dot(self.weights, slopes) > 0, "outputs that rise along the ray")


def maximize_outputs(
    ground: Ground, all_weights: Sequence[Sequence[Fraction | int]]
) -> list[OutputMaximum | OutputRise]:
    """Return the largest value of ``weights · f`` on the regions of a ground, for several weights at once.

    Parameters
    ----------
    ground : Ground
        Where it is incomplete, the value is that of the regions found, and proves nothing for the domain.
    all_weights : sequence of sequences of n_out numbers

    Examples
    --------
    >>> from polyrelu.analysis.ground import find_ground
    >>> from polyrelu.testing import xor
    >>> ground = find_ground(xor(), Domain.unit(2))
    >>> [largest] = maximize_outputs(ground, [[1]])
    >>> largest.check()
    >>> largest.value, largest.point
    (Fraction(1, 1), (Fraction(1, 1), Fraction(0, 1)))
    >>> maximize_outputs(find_ground(xor()), [[-1]])[0].ray
    (Fraction(1, 1), Fraction(0, 1))
    """
    climbs = [_Climb(ground, tuple(map(Fraction, weights))) for weights in all_weights]
    for view in local_views(ground.tessellation):
        for climb in climbs:
            climb.add(view)
    return [climb.answer() for climb in climbs]


class _Climb:
    """The largest value so far, and the multipliers of the regions so far."""

    def __init__(self, ground: Ground, weights: tuple[Fraction, ...]) -> None:
        self._ground, self._weights = ground, weights
        self._best: tuple[Fraction, tuple[Fraction, ...]] | None = None
        self._multipliers: list[Multipliers] = []
        self._rise: OutputRise | None = None

    def add(self, view: LocalView) -> None:
        """Solve the linear program of one region."""
        if self._rise is not None:
            return
        ground = self._ground
        objective, denominator = combined(self._weights, view.outputs)
        found = maximize(objective, view.rows)
        if isinstance(found, Infeasible):
            raise InternalError(f"A region needs points but region {view.region} has none. Please report the network.")
        if isinstance(found, Unbounded):
            point, ray = ground.to_input(found.point), ground.to_input_direction(found.ray)
            pattern = ground.tessellation.pattern(view.region)
            self._rise = OutputRise(ground.network, ground.domain, self._weights, pattern, point, ray)
            return
        value = found.value / denominator
        if self._best is None or value > self._best[0]:
            self._best = value, found.point
        self._multipliers.append(named_multipliers(view.names, found.multipliers, denominator))

    def answer(self) -> OutputMaximum | OutputRise:
        """Return what has been found."""
        if self._rise is not None:
            return self._rise
        assert self._best is not None  # a tessellation has a region
        value, point = self._best
        return OutputMaximum(
            self._ground, self._weights, value, self._ground.to_input(point), tuple(self._multipliers)
        )


def is_about(proof: OutputMaximum | OutputRise, ground: Ground) -> bool:
    """Return whether a proof speaks of the network and the domain of a ground."""
    if isinstance(proof, OutputMaximum):
        return proof.ground is ground
    return proof.network.hash == ground.network.hash and proof.domain == ground.domain


def combined(weights: Sequence[Fraction | int], outputs: RationalMatrix) -> tuple[list[int], int]:
    """Return ``weights · outputs`` as integers over one positive denominator, constant last."""
    scale = common_denominator(Fraction(weight) for weight in weights)
    integers = [int(weight * scale) for weight in weights]
    total = [0] * outputs.shape[1]
    for weight, row in zip(integers, outputs.numerators.tolist(), strict=True):
        if weight:
            total = [a + weight * int(b) for a, b in zip(total, row, strict=True)]
    return total, outputs.denominator * scale


def named_multipliers(names: Sequence[Form], multipliers: Sequence[Fraction], denominator: int = 1) -> Multipliers:
    """Return the multipliers that are not 0 with the names of their rows, divided by a positive number."""
    return tuple((name, y / denominator) for name, y in zip(names, multipliers, strict=True) if y)


def add_rows(total: Sequence[Fraction], local: LocalRows, multipliers: Multipliers) -> list[Fraction]:
    """Return a form plus multiples of rows of the current region; raise `CertificateError` if one is negative."""
    result = list(total)
    for name, y in multipliers:
        require(y >= 0, f"nonnegative multipliers (region {local.region})")
        result = [a + y * b for a, b in zip(result, local.row(name), strict=True)]
    return result
