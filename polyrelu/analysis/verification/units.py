"""What the units of a layer do to values on a zonotope: a chord, and a noise of its own for each unit that bends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.verification.forms import LEAST, Forms
from polyrelu.kernels.bounds import SLACK, gamma
from polyrelu.network.activation import MAX_UNIT, Activation, PiecewiseLinear
from polyrelu.network.weights import is_sparse

__all__ = ["UnitStep"]

CLEAR_LEAD = 2.0**-16
"""Max units whose winner leads by less than this share of the sizes are reported: a check in rationals could choose
another."""

Floats = NDArray[np.float64]


@dataclass(slots=True)
class UnitStep:
    """How one layer's units change forms: ``slope * preactivation + shift``, plus ``bend`` times a noise of their own.

    Attributes
    ----------
    activation : Activation
    before : Forms
        The preactivations.
    size, low, high : float64 array, shape (n_preactivations,)
        The reach of the preactivations, and bounds of them.
    source : int array, shape (n_units,), or None
        Which preactivation each unit follows; None if there is one for each unit.
    slope, shift, bend : float64 array, shape (n_units,)
    extra : float64 array, shape (n_units,), or float
        Bounds the errors of the other three.
    ends : pair of float64 arrays, shape (n_units,)
        Bounds of what the units give.
    winners : dict of int to int
        For max units with nearly level candidates: which of them they follow.
    """

    activation: Activation
    before: Forms
    size: Floats
    low: Floats
    high: Floats
    source: NDArray[np.int64] | None
    slope: Floats
    shift: Floats
    bend: Floats
    extra: Floats | float
    ends: tuple[Floats, Floats]
    winners: dict[int, int] = field(default_factory=dict)

    @staticmethod
    def of(
        activation: Activation, before: Forms, size: Floats, low: Floats, high: Floats, digits: Mapping[int, int]
    ) -> UnitStep:
        given = np.full(activation.n_units, -1)
        given[list(digits)] = list(digits.values())
        if activation.is_relu:
            slope, bend, ends = _relu_chords(low, high, given)
            return UnitStep(activation, before, size, low, high, None, slope, bend, bend, 0.0, ends)
        source = activation.indptr[:-1].copy()
        slope, shift, bend, extra, least, most = (np.zeros(activation.n_units) for _ in range(6))
        step = UnitStep(activation, before, size, low, high, source, slope, shift, bend, extra, (least, most))
        for index, function in enumerate(activation.functions):
            units = np.flatnonzero(activation.kind == index)
            own = source[units]
            fitted = _chords(function, low[own], high[own], given[units])
            slope[units], shift[units], bend[units], extra[units], least[units], most[units] = fitted
        if (activation.kind == MAX_UNIT).any():
            step._follow_winners(activation.kind == MAX_UNIT, given, extra)
        return step

    def _follow_winners(self, is_max: NDArray[np.bool_], given: NDArray[np.int64], extra: Floats) -> None:
        """Let max units follow the candidate with the largest centre, and bend by what others can exceed it."""
        assert self.source is not None
        starts, centre = self.activation.indptr[:-1], self.before.centre
        unit, number = np.repeat(np.arange(len(starts)), np.diff(self.activation.indptr)), np.arange(len(centre))
        is_best = centre == np.maximum.reduceat(centre, starts)[unit]
        best = np.minimum.reduceat(np.where(is_best, number, len(centre)), starts)
        winner = np.where(given < 0, np.where(best < len(centre), best, starts), starts + np.where(is_max, given, 0))
        self.source[is_max], self.slope[is_max] = winner[is_max], 1.0
        self.ends[0][is_max] = np.maximum.reduceat(self.low, starts)[is_max]
        self.ends[1][is_max] = np.maximum.reduceat(self.high, starts)[is_max]
        is_near = (is_max & (given < 0))[unit] & (number != winner[unit]) & ~(self.high < self.low[winner][unit])
        near = np.flatnonzero(is_near)
        owner, ahead = unit[near], winner[unit[near]]
        behind = centre[ahead] - centre[near]
        scale = np.abs(centre[near]) + np.abs(centre[ahead]) + self.size[near] + self.size[ahead]
        spread = np.asarray(abs(self.before.generators[near] - self.before.generators[ahead]).sum(axis=1)).ravel()
        excess = spread * SLACK - behind + self.before.error[near] + self.before.error[ahead] + gamma(8) * scale
        most, is_level = np.zeros(len(starts)), np.zeros(len(starts), dtype=bool)
        np.maximum.at(most, owner, excess)
        is_level[owner[~(behind > CLEAR_LEAD * scale)]] = True
        bends = most != 0.0
        self.bend[bends] = self.shift[bends] = most[bends] / 2
        extra[bends] = gamma(4) * most[bends] + LEAST
        units = np.flatnonzero(bends & is_level)
        self.winners.update(zip(units.tolist(), (winner - starts)[units].tolist(), strict=True))

    def forms(self, units: NDArray[np.int64]) -> Forms:
        before = self.before if self.source is None else self.before.rows(self.source)
        size = self.size if self.source is None else self.size[self.source]
        steep, generators = np.abs(self.slope), before.generators
        centre = self.slope * before.centre
        error = steep * before.error + self.extra
        error += gamma(4) * (np.abs(centre) + np.abs(self.shift) + steep * size) + LEAST
        if is_sparse(generators):
            from scipy.sparse import csr_array, diags_array, hstack

            own = csr_array((self.bend[units], (units, np.arange(len(units)))), shape=(len(centre), len(units)))
            generators = hstack([diags_array(self.slope) @ generators, own], format="csr")
        else:
            wide = np.zeros((len(centre), generators.shape[1] + len(units)))
            np.multiply(self.slope[:, None], generators, out=wide[:, : generators.shape[1]])
            wide[units, generators.shape[1] + np.arange(len(units))] = self.bend[units]
            generators = wide
        return Forms(centre + self.shift, generators, error * SLACK)

    def reach(self) -> Floats:
        size = self.size if self.source is None else self.size[self.source]
        return (np.abs(self.slope) * size + np.abs(self.bend)) * SLACK

    def conditions(self, unit: int, digit: int) -> Forms:
        """Return the forms that are >= 0 where a unit has a digit."""
        start, stop = self.activation.indptr[unit : unit + 2].tolist()
        if self.activation.kind[unit] == MAX_UNIT:
            others = [row for row in range(start, stop) if row != start + digit]
            own, other = self.before.rows([start + digit] * len(others)), self.before.rows(others)
            error = own.error + other.error + gamma(8) * (np.abs(own.centre) + np.abs(other.centre))
            error = error + gamma(8) * (self.size[others] + self.size[start + digit])
            return Forms(own.centre - other.centre, own.generators - other.generators, (error + LEAST) * SLACK)
        points = self.activation.functions[int(self.activation.kind[unit])].breakpoints
        near = [(points[digit - 1], 1.0)] if digit > 0 else []
        near += [(points[digit], -1.0)] if digit < len(points) else []
        values, signs = np.array([float(point) for point, _ in near]), np.array([sign for _, sign in near])
        row = self.before.rows([start] * len(near))
        generators = row.generators * signs[:, None]
        centre = signs * (row.centre - values)
        error = row.error + gamma(8) * (np.abs(row.centre) + np.abs(values))
        return Forms(centre, generators, (error + LEAST) * SLACK)

    def shares(self, units: NDArray[np.int64], before: Floats) -> Floats:
        rows = np.abs(self.before.generators[units if self.source is None else self.source[units]])
        return rows @ before / np.maximum(rows.sum(axis=1), LEAST)[:, None]


def _relu_chords(low: Floats, high: Floats, given: NDArray[np.int64]) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
    """Return slope and bend of ReLUs between bounds, and bounds of what they give; digits are given, or -1."""
    bends = ~((low >= 0) | (high <= 0)) & (given < 0)
    slope = np.where(bends, high / (high - low), low >= 0)
    known = given >= 0
    if known.any():
        slope[known] = given[known]
        low, high = np.where(given == 1, np.maximum(low, 0.0), low), np.where(given == 0, np.minimum(high, 0.0), high)
    bend = np.where(bends, np.maximum(-slope * low, (1.0 - slope) * high), 0.0) * (SLACK / 2)
    return slope, bend, (np.maximum(low, 0.0), np.maximum(high, 0.0))


def _chords(
    function: PiecewiseLinear, low: Floats, high: Floats, given: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Return slope, shift, bend, extra error, and bounds of values for any function: its chord, and what leaves it."""
    points, slopes, intercepts = (
        np.array([float(v) for v in values], dtype=np.float64)
        for values in (function.breakpoints, function.slopes, function.intercepts)
    )
    steepest, farthest = np.abs(slopes).max(), np.abs(intercepts).max()
    guard = gamma(8) * np.abs(points)
    for i, (point, width) in enumerate(zip(points, guard, strict=True)):
        low = np.where(given > i, np.fmax(low, point - width), low)
        high = np.where((given >= 0) & (given <= i), np.fmin(high, point + width), high)
    piece = np.where(given < 0, np.searchsorted(points, high, side="left"), given)
    outermost = np.maximum(np.abs(low), np.abs(high))
    extra = gamma(16) * (2 * steepest * (outermost + np.abs(points).max(initial=0.0)) + farthest) + LEAST
    places = np.stack([low, high, *(np.clip(point, low, high) for point in points)])
    values = np.stack([slopes[digit] * z + intercepts[digit] for z in places for digit in [_digits(points, z)]])
    slope, shift, bend = slopes[piece], intercepts[piece], np.zeros(len(low))
    is_inside = np.ones(len(low), dtype=bool)
    for i, (point, width) in enumerate(zip(points, guard, strict=True)):
        is_inside &= np.where(piece > i, low >= point + width, high <= point - width)
    bends = np.flatnonzero(~is_inside & (given < 0))
    steep = (values[1] - values[0])[bends] / (high - low)[bends]
    steep = np.clip(np.where(np.isfinite(steep), steep, 0.0), slopes.min(), slopes.max())
    leaves = values[:, bends] - steep * places[:, bends]
    least, most = leaves.min(axis=0), leaves.max(axis=0)
    slope[bends], shift[bends], bend[bends] = steep, (least + most) / 2, (most - least) / 2
    bend[bends] += LEAST  # a unit without a digit has to be seen
    return slope, shift, bend, extra, values.min(axis=0) - extra, values.max(axis=0) + extra


def _digits(points: Floats, values: Floats) -> NDArray[np.int64]:
    return np.searchsorted(points, values, side="left")
