"""What TropEx adds to all terms alike: it depends on the network and on which labels occur, not on the points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.tropex.convex_parts import convex_parts
from polyrelu.exact.rational import nearest_float
from polyrelu.network.activation import Activation, PiecewiseLinear
from polyrelu.network.batches import Array, BatchLayer, BatchNetwork
from polyrelu.network.weights import Weight

__all__ = ["Family", "Lift", "Merge", "find_family"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lift:
    """``A_max`` times the falling part of one function, for its units.

    Attributes
    ----------
    units, places : int arrays, shape (n,)
        Units and their preactivations.
    slopes, intercepts : float64 arrays, shape (n, n_pieces)
    """

    units: Array
    places: Array
    slopes: Array
    intercepts: Array


@dataclass(frozen=True, eq=False)
class Merge:
    """One hidden layer, as terms pass it from behind.

    Attributes
    ----------
    layer : BatchLayer
    lifts : tuple of Lift
        One for each function of the layer that has a falling part.
    common : float64 array, shape (n_inputs, 1)
        The paper's K.
    """

    layer: BatchLayer
    lifts: tuple[Lift, ...]
    common: Array

    def before(self, slopes: Array, constants: Array, digits: Array) -> tuple[Array, Array]:
        """Return terms before the layer, shapes (n_inputs, n) and (n,), from terms behind it and digits of units."""
        z_slopes, added = self.layer.pull_back(slopes, digits)
        constants = constants + added
        for lift in self.lifts:
            own = digits[lift.units]
            rows = self.layer.arrays.library.arange(len(own), device=self.layer.arrays.device)[:, None]
            z_slopes[lift.places] += lift.slopes[rows, own]
            constants = constants + lift.intercepts[rows, own].sum(0)
        moved, added = self.layer.through_weight(z_slopes)
        return moved + self.common, constants + added


@dataclass(frozen=True, eq=False)
class Family:
    """Where terms start, and how they pass the layers.

    Attributes
    ----------
    plus_slopes, plus_constants : float64 arrays, shapes (n_inputs of the output layer, n_out) and (n_out,)
        The term of each output behind the hidden layers.
    minus_slopes, minus_constant : float64 array, shape (n_inputs of the output layer,), and float
        The common term.
    merges : tuple of Merge
        The last hidden layer first.
    input_common : float64 array, shape (dim, 1), or None
        K of a slice before the first layer.
    slope_bounds, constant_bound, rounding
        As in `ExtractedFunction`.
    """

    plus_slopes: Array
    plus_constants: Array
    minus_slopes: Array
    minus_constant: float
    merges: tuple[Merge, ...]
    input_common: Array | None
    slope_bounds: Floats
    constant_bound: float
    rounding: float


def find_family(batch: BatchNetwork, present: Sequence[int]) -> Family:
    """Return A_max and what follows from it, for terms of the outputs that are present."""
    arrays, output = batch.arrays, batch.network.output
    weight, bias = _dense(output.weight), output.bias
    minus = np.maximum(-weight, 0.0).sum(axis=0)
    minus_constant = float(np.maximum(-bias, 0.0).sum())
    plus = weight + minus
    highest = np.maximum(minus, plus[list(present)].max(axis=0))
    bounds = _Bounds.of_output(np.maximum(minus, abs(plus).max(axis=0)), bias)
    merges = []
    with np.errstate(over="ignore", invalid="ignore"):
        for layer in reversed(batch.layers[:-1]):
            lifts = _lifts(layer, highest)
            highest = _before_activation(layer.activation, highest)
            bounds = bounds.before_activation(layer.activation).before_affine(layer.layer.weight, layer.layer.bias)
            common = _negative(layer.layer.weight).T @ highest
            highest = abs(layer.layer.weight).T @ highest
            merges.append(Merge(layer, lifts, arrays.of(common[:, None])))
        input_common = None
        if batch.input_map is not None:
            matrix, constants = map(arrays.to_host, batch.input_map)
            bounds = bounds.before_affine(matrix, constants)
            input_common = arrays.of((_negative(matrix).T @ highest)[:, None])
    return Family(
        arrays.of(plus.T),
        arrays.of(bias + minus_constant),
        arrays.of(minus),
        minus_constant,
        tuple(merges),
        input_common,
        bounds.slopes,
        bounds.constant,
        bounds.total(),
    )


@dataclass(frozen=True, eq=False)
class _Bounds:
    """Sizes of terms behind some layers, and their errors in units of these (see `polyrelu.analysis.tropex.extract`).

    Sizes are kept above `FLOOR`, so that relative errors cover what is lost below the range of floats.
    """

    slopes: Floats
    constant: float
    common: float
    """Relative error of the sizes, hence of everything that is common to all terms."""
    own: float
    """Error of slopes over their sizes."""
    longest: int
    """Products in the longest sum until now."""

    @staticmethod
    def of_output(slopes: Floats, bias: Floats) -> _Bounds:
        from polyrelu.kernels.bounds import FLOOR, gamma

        share = gamma(len(bias) + 4)
        return _Bounds(np.maximum(slopes, FLOOR), max(2 * float(abs(bias).sum()), FLOOR), share, share, len(bias))

    def before_activation(self, activation: Activation) -> _Bounds:
        if activation.is_relu or activation.is_identity:
            return self
        from polyrelu.kernels.bounds import FLOOR, gamma

        constant = self.constant
        for index, function in enumerate(activation.functions):
            sizes = self.slopes[activation.kind == index]
            parts = (function, *convex_parts(function))
            constant += float(sizes.sum() * sum(_largest(part.intercepts) for part in parts))
        slopes = np.maximum(_before_activation(activation, self.slopes), FLOOR)
        return _Bounds(
            slopes,
            constant,
            self.common + gamma(16),
            self.own + self.common + gamma(16),
            max(self.longest, activation.n_units),
        )

    def before_affine(self, weight: Weight, bias: Floats) -> _Bounds:
        from polyrelu.kernels.bounds import FLOOR, gamma

        share = gamma(len(bias) + 8)
        return _Bounds(
            np.maximum(abs(weight).T @ self.slopes, FLOOR),
            self.constant + float(abs(bias) @ self.slopes),
            self.common + 2 * share,
            self.own + self.common + 4 * share,
            max(self.longest, len(bias)) + 4,
        )

    def total(self) -> float:
        """Return the error of slopes and constants over their sizes; infinite where the estimates do not hold."""
        from polyrelu.kernels.bounds import SLACK, gamma

        if not self.own < 0.25:
            return float("inf")
        return (self.own + 2 * gamma(self.longest + 16)) * (1 + 2 * self.common) * SLACK


def _lifts(layer: BatchLayer, highest: Floats) -> tuple[Lift, ...]:
    of, activation, lifts = layer.arrays.of, layer.activation, []
    for index, function in enumerate(activation.functions):
        units = np.flatnonzero(activation.kind == index)
        falling = convex_parts(function)[1]
        if any(falling.slopes):
            slopes, intercepts = (
                highest[units, None] * np.array([nearest_float(v.numerator, v.denominator) for v in values])
                for values in (falling.slopes, falling.intercepts)
            )
            lifts.append(Lift(of(units), of(activation.indptr[:-1][units]), of(slopes), of(intercepts)))
    return tuple(lifts)


def _before_activation(activation: Activation, highest: Floats) -> Floats:
    """Return A_max in the preactivations from A_max in the outputs."""
    steepest = np.array([float(_steepest(function)) for function in activation.functions] + [1.0])
    return np.repeat(highest * steepest[activation.kind], np.diff(activation.indptr))


def _steepest(function: PiecewiseLinear) -> float:
    """Return the largest slope of the two parts."""
    return _largest(slope for part in convex_parts(function) for slope in part.slopes)


def _largest(values: Iterable[Fraction]) -> float:
    return max(nearest_float(abs(v).numerator, v.denominator) for v in values)


def _negative(weight: Weight) -> Weight:
    """Return ``max(-weight, 0)`` entry by entry."""
    if not hasattr(weight, "indptr"):
        return np.maximum(-weight, 0.0)
    result = weight.copy()
    result.data = np.maximum(-result.data, 0.0)
    return result


def _dense(weight: Weight) -> Floats:
    return weight.toarray() if hasattr(weight, "toarray") else weight
