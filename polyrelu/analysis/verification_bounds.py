"""Zonotopes in floats: what a network can give on a box of inputs, with a bound of every rounding error.

Each value is written as ``centre + generators @ noise`` up to ``error``, where every noise lies in [-1, 1]. The first
noises are those of the inputs; a unit that bends inside the box adds one (Singh et al., "Fast and Effective Robustness
Certification", 2018: the chord's slope). A unit whose digit is given is affine, and its digit's conditions are forms
too: with them a zonotope describes a part of the box, cut by neurons.

A sum of ``n`` products errs by at most ``gamma(n)`` times the sum of their magnitudes (`polyrelu.kernels.bounds`), and
what underflows by less than `LEAST`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels.bounds import SLACK, gamma
from polyrelu.network.activation import IDENTITY, MAX_UNIT, Activation, PiecewiseLinear
from polyrelu.network.model import Network
from polyrelu.network.weights import is_sparse

__all__ = ["Bounds", "FloatLayer", "Forms", "Unit", "box_forms", "float_layers", "linear", "propagate"]

LEAST = math.ldexp(1.0, -1000)
DENSE = 0.2
"""Sparse generators become dense above this share of entries."""
CLEAR_LEAD = 2.0**-16
"""Max units whose winner leads by less than this share of the sizes are reported: a check in rationals could choose
another."""
MOST_SHARED_INPUTS = 16
"""With more inputs nobody asks which of them makes a form vary."""

Floats = NDArray[np.float64]
Unit = tuple[int, int]
"""A hidden layer and one of its units."""


@dataclass(frozen=True, slots=True)
class FloatLayer:
    """An affine map in floats, and what comes after it.

    Attributes
    ----------
    weight, magnitude : float64 array or csr_array, shape (n_preactivations, n_inputs)
        ``magnitude`` is ``abs(weight)``.
    bias : float64 array, shape (n_preactivations,)
    rounding : float
        The relative error of a row of products, that of its entries included.
    activation : Activation
    """

    weight: Any
    magnitude: Any
    bias: Floats
    rounding: float
    activation: Activation

    @staticmethod
    def of(weight: Any, bias: Floats, activation: Activation) -> FloatLayer:
        """Return a layer whose entries may each be off by a rounding."""
        return FloatLayer(weight, abs(weight), bias, gamma(weight.shape[1] + 8), activation)


@dataclass(frozen=True, slots=True)
class Forms:
    """Values on a zonotope.

    Attributes
    ----------
    centre, error : float64 array, shape (n,)
    generators : float64 array or csr_array, shape (n, n_noises)
    """

    centre: Floats
    generators: Any
    error: Floats

    @property
    def reach(self) -> Floats:
        """How far the noises can move each value, without the errors, shape (n,); up to a factor `SLACK`."""
        return np.asarray(abs(self.generators).sum(axis=1)).ravel()

    def rows(self, chosen: Any) -> Forms:
        """Return some of the forms."""
        return Forms(self.centre[chosen], self.generators[chosen], self.error[chosen])


@dataclass(frozen=True, slots=True)
class Bounds:
    """A zonotope with everything that a network gives on it.

    Attributes
    ----------
    inputs : int array, shape (n_free,)
        The inputs that are not fixed; their noises come first.
    outputs : Forms
    bends : tuple of Unit
        For each further noise the unit that made it.
    conditions : tuple of Forms
        For each unit whose digit is given, in their order: values that are >= 0.
    winners : dict of Unit to int
        For max units with nearly level candidates: which of them they were compared with.
    shares : float64 array, shape (n_noises, n_free), or None
        How much of each noise comes from each input.
    """

    inputs: NDArray[np.int64]
    outputs: Forms
    bends: tuple[Unit, ...]
    conditions: tuple[Forms, ...]
    winners: dict[Unit, int]
    shares: Floats | None


def float_layers(network: Network) -> tuple[FloatLayer, ...]:
    """Return the layers of a network in floats, hidden ones and the output; an input map is a layer without units."""
    layers = [FloatLayer.of(layer.weight, layer.bias, layer.activation) for layer in network.layers]
    if network.input_map is not None:
        affine = network.input_map.to_floats()
        layers.insert(0, FloatLayer.of(affine[:, :-1], affine[:, -1], Activation.same(IDENTITY, len(affine))))
    return tuple(layers)


def propagate(
    layers: Sequence[FloatLayer],
    lower: Floats,
    upper: Floats,
    fixed_inputs: NDArray[np.bool_],
    digits: Mapping[Unit, int],
    first: int = 0,
) -> Bounds:
    """Return what a network gives on a box of inputs, and on the part of it where units have given digits.

    Parameters
    ----------
    layers : sequence of FloatLayer
        As `float_layers` returns them.
    lower, upper : float64 array, shape (dim,)
        Rounded outwards.
    fixed_inputs : bool array, shape (dim,)
        Inputs with one value, up to this rounding.
    digits : mapping of Unit to int
    first : int
        The number of layers that are an input map: 0 or 1.
    """
    forms = box_forms(lower, upper, fixed_inputs)
    inputs = np.flatnonzero(~fixed_inputs)
    shares = np.eye(len(inputs)) if len(inputs) <= MOST_SHARED_INPUTS else None
    bends: list[Unit] = []
    conditions: dict[Unit, Forms] = {}
    winners: dict[Unit, int] = {}
    low, high = lower, upper
    with np.errstate(all="ignore"):  # what overflows is not proved: comparisons with NaN are false
        reach = forms.reach
        for index, layer in enumerate(layers, -first):
            if index + 1 == len(layers) - first:
                forms = linear(layer, forms, reach)
                break
            forms, low, high = _preactivations(layer, forms, reach, low, high)
            reach = forms.reach
            if index < 0:
                continue
            own = {unit: digit for (at, unit), digit in digits.items() if at == index}
            step = _Step.of(layer.activation, forms, reach, low, high, own)
            units = np.flatnonzero(step.bend)
            bends += [(index, unit) for unit in units.tolist()]
            conditions.update(((index, unit), step.conditions(unit, digit)) for unit, digit in own.items())
            if shares is not None and len(units):
                shares = np.concatenate([shares, step.shares(units, shares)])
            winners.update(((index, unit), winner) for unit, winner in step.winners.items())
            forms, reach, low, high = step.forms(units), step.reach(), *step.ends
    return Bounds(inputs, forms, tuple(bends), tuple(conditions[unit] for unit in digits), winners, shares)


def linear(layer: FloatLayer, forms: Forms, reach: Floats) -> Forms:
    """Return the preactivations of a layer."""
    generators = layer.weight @ forms.generators
    if is_sparse(generators) and generators.nnz > DENSE * math.prod(generators.shape):
        generators = generators.toarray()
    spread = forms.error + layer.rounding * (np.abs(forms.centre) + reach)
    error = (layer.magnitude @ spread + layer.rounding * np.abs(layer.bias)) * SLACK + LEAST
    return Forms(layer.weight @ forms.centre + layer.bias, generators, error)


def _preactivations(
    layer: FloatLayer, forms: Forms, reach: Floats, low: Floats, high: Floats
) -> tuple[Forms, Floats, Floats]:
    """Return a layer's preactivations and bounds of them, from those of what the layer reads and from the forms."""
    middle = low / 2 + high / 2
    radius = (high / 2 - low / 2) * SLACK
    middles, magnitudes = np.empty((len(low), 2)), np.empty((len(low), 2))
    middles[:, 0], middles[:, 1] = forms.centre, middle
    magnitudes[:, 0], magnitudes[:, 1] = forms.error + layer.rounding * reach, radius
    magnitudes += layer.rounding * np.abs(middles)
    products = layer.weight @ middles + layer.bias[:, None]
    errors = (layer.magnitude @ magnitudes + layer.rounding * np.abs(layer.bias)[:, None]) * SLACK + LEAST
    generators = layer.weight @ forms.generators
    if is_sparse(generators) and generators.nnz > DENSE * math.prod(generators.shape):
        generators = generators.toarray()
    found = Forms(products[:, 0], generators, errors[:, 0])
    own = (found.reach + found.error) * SLACK + gamma(8) * np.abs(found.centre)
    lows = np.fmax(found.centre - own, products[:, 1] - errors[:, 1])
    return found, lows, np.fmin(found.centre + own, products[:, 1] + errors[:, 1])


def box_forms(lower: Floats, upper: Floats, fixed: NDArray[np.bool_]) -> Forms:
    centre = lower / 2 + upper / 2
    radius = np.nextafter(np.maximum(upper - centre, centre - lower), np.inf)
    radius[lower == upper] = 0.0
    free = np.flatnonzero(~fixed)
    generators: Any = np.zeros((len(centre), len(free)))
    generators[free, np.arange(len(free))] = radius[free]
    if len(free) > MOST_SHARED_INPUTS:
        from scipy.sparse import csr_array

        generators = csr_array(generators)
    return Forms(centre, generators, np.where(fixed, radius, 0.0))


@dataclass(slots=True)
class _Step:
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
    ) -> _Step:
        given = np.full(activation.n_units, -1)
        given[list(digits)] = list(digits.values())
        if activation.is_relu:
            slope, bend, ends = _relu_chords(low, high, given)
            return _Step(activation, before, size, low, high, None, slope, bend, bend, 0.0, ends)
        source = activation.indptr[:-1].copy()
        slope, shift, bend, extra, least, most = (np.zeros(activation.n_units) for _ in range(6))
        step = _Step(activation, before, size, low, high, source, slope, shift, bend, extra, (least, most))
        for index, function in enumerate(activation.functions):
            units = np.flatnonzero(activation.kind == index)
            own = source[units]
            fitted = _chords(function, low[own], high[own], given[units])
            slope[units], shift[units], bend[units], extra[units], least[units], most[units] = fitted
        for unit in np.flatnonzero(activation.kind == MAX_UNIT).tolist():
            step._follow_winner(unit, int(given[unit]), extra)
        return step

    def _follow_winner(self, unit: int, digit: int, extra: Floats) -> None:
        """Let a max unit follow the candidate with the largest centre, and bend by what others can exceed it."""
        start, stop = self.activation.indptr[unit : unit + 2].tolist()
        assert self.source is not None
        self.slope[unit] = 1.0
        self.ends[0][unit], self.ends[1][unit] = self.low[start:stop].max(), self.high[start:stop].max()
        if digit >= 0 or stop - start == 1:
            self.source[unit] = start + max(digit, 0)
            return
        candidates = np.arange(start, stop)
        winner = start + int(self.before.centre[start:stop].argmax())
        self.source[unit] = winner
        near = candidates[~(self.high[start:stop] < self.low[winner]) & (candidates != winner)]
        if not len(near):
            return
        centre = self.before.centre[near] - self.before.centre[winner]
        own = self.before.generators[[winner]]
        others = self.before.generators[near]
        if is_sparse(own):
            own, others = own.toarray(), others.toarray()
        scale = np.abs(self.before.centre[near]) + abs(self.before.centre[winner])
        scale = scale + self.size[near] + self.size[winner]
        excess = centre + np.abs(others - own).sum(axis=1) * SLACK + self.before.error[near] + self.before.error[winner]
        most = float((excess + gamma(8) * scale).max())
        if most > 0 or math.isnan(most):
            self.bend[unit] = self.shift[unit] = most / 2
            extra[unit] = gamma(4) * most + LEAST
            if not (centre < -CLEAR_LEAD * scale).all():
                self.winners[unit] = winner - start

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
