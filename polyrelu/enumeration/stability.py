"""Which neurons can never change inside a domain: exactly, with a point for every digit that a neuron has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.digit_bounds import possible_digits
from polyrelu.enumeration.plane import PlaneRegions, enumerate_plane
from polyrelu.enumeration.space import SpaceRegions
from polyrelu.errors import BudgetError, EnumerationInterrupted, InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.network.activation import IDENTITY, MAX_UNIT, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.region.hull import decide_domain
from polyrelu.region.model import region_of

__all__ = ["NeuronStability", "check_stability", "stable_neurons"]

SAMPLES = 4096
"""Points at which floats look for digits; every digit they find is confirmed in rationals."""

Point = tuple[Fraction, ...]


@dataclass(frozen=True)
class NeuronStability:
    """Which digits each neuron has on the regions that meet the interior of a domain.

    A neuron with one digit never changes: on the whole domain it is one affine piece. (For ReLU, a neuron that is
    identically 0 on a region has digit 0 there, as everywhere.)

    Attributes
    ----------
    network : Network
    domain : Domain
        Of a flat domain, regions and interior are those in its affine hull.
    digits : tuple of tuple of int
        For each neuron the digits found, increasing.
    points : tuple of tuple of points
        For each digit found a point strictly inside the domain that a region with this digit touches.
    is_decided : bool array, shape (n_neurons,)
        Whether there are no other digits than those found.
    """

    network: Network
    domain: Domain
    digits: tuple[tuple[int, ...], ...]
    points: tuple[tuple[Point, ...], ...]
    is_decided: NDArray[np.bool_]

    @cached_property
    def stable(self) -> NDArray[np.int64]:
        """The neurons that never change."""
        return np.flatnonzero(self.is_decided & (self._counts == 1))

    @cached_property
    def changing(self) -> NDArray[np.int64]:
        """The neurons that have at least two digits."""
        return np.flatnonzero(self._counts > 1)

    @cached_property
    def unknown(self) -> NDArray[np.int64]:
        """The neurons of which a budget has left open whether they change."""
        return np.flatnonzero(~self.is_decided & (self._counts == 1))

    @property
    def always_active(self) -> NDArray[np.int64]:
        """The neurons that are always on their last piece: ReLUs that pass every input on."""
        last = self.network.layout.n_pieces - 1
        return np.array([n for n in self.stable.tolist() if self.digits[n] == (last[n],)], dtype=np.int64)

    @property
    def always_inactive(self) -> NDArray[np.int64]:
        """The neurons that are always on their first piece: ReLUs that are 0 everywhere."""
        return np.array([n for n in self.stable.tolist() if self.digits[n] == (0,)], dtype=np.int64)

    @property
    def _counts(self) -> NDArray[np.int64]:
        return np.array([len(each) for each in self.digits], dtype=np.int64)


def stable_neurons(
    network: Network,
    domain: Domain | None = None,
    *,
    max_regions: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> NeuronStability:
    """Return which neurons never change inside a domain, and for all others points on both sides.

    Points that are drawn at random show digits; bounds on the preactivations, layer by layer in rationals, exclude
    others. What both leave open is decided by the regions of the network up to the last layer with an open neuron.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default. Flat domains are looked at in their affine hull.
    max_regions, max_seconds, progress
        As those of the enumerations.

    Raises
    ------
    DomainError
        If the domain is empty or of another dimension.
    BudgetError, EnumerationInterrupted
        With a `NeuronStability` as ``.partial`` in which some neurons are not decided.

    Examples
    --------
    >>> from polyrelu.testing import adjacency_counterexample, thick_zero
    >>> found = stable_neurons(adjacency_counterexample(), Domain.box(["0"], ["1/2"]))
    >>> found.always_active.tolist(), found.always_inactive.tolist(), found.changing.tolist()
    ([0, 1], [2], [])
    >>> stable_neurons(thick_zero(), Domain.box([-2, -2], [-1, -1])).digits[3]
    (0,)
    """
    region_domain = (domain or Domain.all(network.dim)).check_dim(network.dim)
    hull = decide_domain(region_domain)
    inner = network if hull.hull is None else network.restrict(hull.hull)
    found: list[dict[int, Point]] = [{} for _ in range(network.n_neurons)]
    _look_at_samples(inner, hull.inner, hull.inner_point, found)
    possible = possible_digits(inner, hull.inner)
    is_open = np.array([set(each) != allowed for each, allowed in zip(found, possible, strict=True)], dtype=np.bool_)

    def answer(is_complete: bool) -> NeuronStability:
        to_domain = (lambda point: point) if hull.hull is None else hull.hull.point
        digits = tuple(tuple(sorted(each)) for each in found)
        points = tuple(tuple(to_domain(each[digit]) for digit in sorted(each)) for each in found)
        return NeuronStability(network, region_domain, digits, points, ~is_open | is_complete)

    if is_open.any() and inner.dim:
        front = _first_layers(inner, int(inner.neurons[is_open, 0].max()) + 1)
        options = {"max_regions": max_regions, "max_seconds": max_seconds, "progress": progress}
        try:
            _look_at_regions(front, _enumerate(front, hull.inner, options), is_open, found)
        except (BudgetError, EnumerationInterrupted) as early:
            if early.partial is not None:
                _look_at_regions(front, early.partial, is_open, found)
            if isinstance(early, BudgetError):
                raise BudgetError(f"stable_neurons: {early}", answer(False)) from None
            raise EnumerationInterrupted(answer(False)) from None
    return answer(True)


def check_stability(answer: NeuronStability) -> None:
    """Raise `InputError` unless every digit is that of a region that touches its point inside the domain.

    This proves which neurons change; that others do not is proved by the bounds and the enumeration alone.
    """
    hull = decide_domain(answer.domain)
    directions = [[int(i == j) for j in range(answer.domain.dim)] for i in range(answer.domain.dim)]
    if hull.hull is not None:
        directions = [list(column) for column in zip(*hull.hull.matrix.to_fractions(), strict=True)][:-1]
    strict = [row for i, row in enumerate(answer.domain.rows) if i not in hull.equalities and any(row[:-1])]
    for neuron, (digits, points) in enumerate(zip(answer.digits, answer.points, strict=True)):
        for digit, point in zip(digits, points, strict=True):
            is_inside = answer.domain.contains(point) and all(dot(row, (*point, 1)) > 0 for row in strict)
            if not is_inside or answer.network.exact.pattern_at(point, directions).digits[neuron] != digit:
                raise InputError(
                    f"The digits of neuron {neuron} need points inside the domain with these digits but "
                    f"({', '.join(map(str, point))}) is none for {digit}. Ask for them again."
                )


def _look_at_samples(network: Network, domain: Domain, start: Point, found: list[dict[int, Point]]) -> None:
    """Enter the digits that random points of the interior of a domain show, each confirmed in rationals."""
    axes = [[int(i == j) for j in range(network.dim)] for i in range(network.dim)]

    def enter(point: Point) -> None:
        if all(dot(row, (*point, 1)) > 0 for row in domain.rows if any(row[:-1])):
            for neuron, digit in enumerate(network.exact.pattern_at(point, axes).digits):
                found[neuron].setdefault(digit, point)

    enter(start)
    if not network.dim or not network.n_neurons:
        return
    points = _samples(domain, start)
    with np.errstate(all="ignore"):  # what overflows proposes nothing
        digits = _digits_float(network, points)
    seen: set[tuple[int, int]] = {(n, digit) for n, each in enumerate(found) for digit in each}
    for digit in range(int(digits.max(initial=0)) + 1):
        shows = digits == digit
        for neuron in np.flatnonzero(shows.any(axis=0)).tolist():
            if (neuron, digit) not in seen:
                point = tuple(map(Fraction, points[int(shows[:, neuron].argmax())].tolist()))
                enter(point)
                seen = {(n, d) for n, each in enumerate(found) for d in each}


def _samples(domain: Domain, start: Point) -> NDArray[np.float64]:
    """Return random points, shape (SAMPLES, dim): of a box, or else near and far around a point."""
    random = np.random.default_rng(0)
    bounds = domain.box_bounds()
    if bounds is not None:
        low, high = (np.array([float(v) for v in side]) for side in bounds)
        return low + (high - low) * random.beta(0.5, 0.5, (SAMPLES, domain.dim))  # more of them near the sides
    scales = 2.0 ** random.integers(-8, 9, (SAMPLES, 1))
    return np.array([float(v) for v in start]) + scales * random.standard_normal((SAMPLES, domain.dim))


def _digits_float(network: Network, points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the digits of all neurons at points, in floats, shape (n_points, n_neurons)."""
    values, digits = points, []
    if network.input_map is not None:
        affine = network.input_map.to_floats()
        values = values @ affine[:, :-1].T + affine[:, -1]
    for index, layer in enumerate(network.hidden):
        rows = (layer.weight @ values.T).T + layer.bias
        activation, starts = layer.activation, layer.activation.indptr
        outputs = np.empty((len(points), activation.n_units))
        found = np.zeros((len(points), activation.n_units), np.int64)
        for unit, kind in enumerate(activation.kind.tolist()):
            own = rows[:, starts[unit] : starts[unit + 1]]
            if kind == MAX_UNIT:
                found[:, unit], outputs[:, unit] = own.argmax(axis=1), own.max(axis=1)
                continue
            function = activation.functions[kind]
            found[:, unit] = np.searchsorted(np.array(function.breakpoints, np.float64), own[:, 0], side="left")
            slopes, intercepts = (np.array(c, np.float64) for c in (function.slopes, function.intercepts))
            outputs[:, unit] = slopes[found[:, unit]] * own[:, 0] + intercepts[found[:, unit]]
        digits.append(found[:, network.neurons[network.neurons[:, 0] == index, 1]])
        values = outputs
    return np.concatenate(digits, axis=1) if digits else np.zeros((len(points), 0), np.int64)


def _first_layers(network: Network, n_layers: int) -> Network:
    """Return the network of the first hidden layers: what comes later does not change their regions."""
    hidden = network.hidden[:n_layers]
    nothing = Layer(np.zeros((1, hidden[-1].n_outputs)), np.zeros(1), Activation.same(IDENTITY, 1))
    return replace(network, hidden=hidden, output=nothing)


def _enumerate(network: Network, domain: Domain, options: Mapping[str, object]) -> PlaneRegions | SpaceRegions:
    """Return all regions of a full-dimensional domain by the method that is fastest for its dimension."""
    from polyrelu.enumeration.split import enumerate_split
    from polyrelu.enumeration.vertices import enumerate_vertices

    if network.dim <= 2:
        return enumerate_plane(network, domain, **options)  # type: ignore[arg-type]
    if network.dim <= 4:
        return enumerate_vertices(network, domain, **options)  # type: ignore[arg-type]
    return enumerate_split(network, domain, facets=False, **options)  # type: ignore[arg-type]


def _look_at_regions(
    front: Network, regions: PlaneRegions | SpaceRegions, is_open: NDArray[np.bool_], found: list[dict[int, Point]]
) -> None:
    """Enter the digits of open neurons that regions have; a line's regions are those of its strip."""
    digits = front.layout.unpack(regions.words)
    points: dict[int, Point] = {}
    for neuron in np.flatnonzero(is_open[: front.n_neurons]).tolist():
        values, firsts = np.unique(digits[:, neuron], return_index=True)
        for digit, region in zip(values.tolist(), firsts.tolist(), strict=True):
            if digit not in found[neuron]:
                if region not in points:
                    pattern = front.pattern(digits[region].tolist())
                    points[region] = region_of(regions.network, pattern, regions.domain).witness[: front.dim]
                found[neuron][digit] = points[region]


