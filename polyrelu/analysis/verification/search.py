"""Counterexamples by descent in floats; what looks like one is confirmed in rationals, or dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.verification.property import Halfspaces, PropertyCase
from polyrelu.exact.rational import nearest_float
from polyrelu.network.activation import MAX_UNIT
from polyrelu.network.model import Layer, Network

if TYPE_CHECKING:
    from polyrelu.analysis.verification.case import PreparedCase

__all__ = ["FloatRows", "Witness", "confirmed", "float_rows", "searched"]

SAMPLES = 2000
STARTS, STEPS = 16, 30
SMALL = 100_000
"""Networks that cost more are tried at fewer points."""

Floats = NDArray[np.float64]
Point = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """An input with its exact outputs."""

    inputs: Point
    outputs: Point


@dataclass(frozen=True, slots=True)
class FloatRows:
    """The rows of all output polyhedra of a case, each scaled to a largest factor of 1.

    Attributes
    ----------
    weight : float64 array, shape (n_rows, n_out)
    bias : float64 array, shape (n_rows,)
    owner : int array, shape (n_rows,)
        The output polyhedron of each row.
    scale : tuple of int, length n_rows
        What the rows have been divided by.
    """

    weight: Floats
    bias: Floats
    owner: NDArray[np.int64]
    scale: tuple[int, ...]


def float_rows(sets: Sequence[Halfspaces], dim: int) -> FloatRows:
    """Return rows of several polyhedra of one dimension in floats."""
    rows, owner, scale = [], [], []
    for index, halfspaces in enumerate(sets):
        for row in halfspaces.rows:
            size = max(map(abs, row[:-1]), default=0) or 1
            rows.append([nearest_float(value, size) for value in row])
            owner.append(index)
            scale.append(size)
    values = np.array(rows, dtype=np.float64).reshape(len(rows), dim + 1)
    return FloatRows(values[:, :-1], values[:, -1], np.array(owner, dtype=np.int64), tuple(scale))


def confirmed(
    network: Network,
    case: PropertyCase,
    rows: FloatRows,
    points: Floats,
    sets: Sequence[int],
    lower: Sequence[Fraction | None],
    upper: Sequence[Fraction | None],
) -> Witness | None:
    """Return the first of some points, moved into the box, that is a counterexample exactly; None if none is."""
    values = network(points) @ rows.weight.T + rows.bias
    for index in sets:
        own = rows.owner == index
        promising = np.flatnonzero((values[:, own] >= 0).all(axis=1) & np.isfinite(points).all(axis=1))
        for number in promising[:3].tolist():
            inputs = tuple(
                _between(Fraction(x), low, high)
                for x, low, high in zip(points[number].tolist(), lower, upper, strict=True)
            )
            if not case.inputs.halfspaces.contains(inputs):
                continue
            outputs = network.exact(inputs)
            if case.outputs[index].contains(outputs):
                return Witness(inputs, outputs)
    return None


def _between(value: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction:
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


@np.errstate(all="ignore")  # what overflows is no counterexample: points that are not finite are dropped
def searched(
    network: Network, prepared: PreparedCase, sets: Sequence[int], check_time: Callable[[], None]
) -> Witness | None:
    """Return a counterexample that random points and descent from the best of them find, None if they find none.

    Parameters
    ----------
    network : Network
    prepared : PreparedCase
        With bounds of all inputs.
    sets : sequence of int
        The output polyhedra to aim at.
    check_time : callable
        Called now and then; raises when time is over.
    """
    rows, low, high = prepared.rows, prepared.root.lower, prepared.root.upper
    box, random = prepared.exact_box(prepared.root), np.random.default_rng(0)
    effort = min(1.0, SMALL / max(sum(map(_cost, network.layers)), 1))
    n_starts = max(2, round(STARTS * effort))
    fractions = random.random((max(2 * n_starts, round(SAMPLES * effort)), len(low)))
    points = np.concatenate([(low / 2 + high / 2)[None], low + (high - low) * fractions])
    found = confirmed(network, prepared.case, rows, points, sets, *box)
    for index in sets:
        weight, bias = rows.weight[rows.owner == index], rows.bias[rows.owner == index]
        if found is not None or not len(weight):
            break
        least = np.nan_to_num((network(points) @ weight.T + bias).min(axis=1), nan=-np.inf)
        start = points[np.argsort(-least)[:n_starts]]
        start[0] = points[0]
        best = _climbed(network, weight, bias, start, low, high, check_time)
        found = confirmed(network, prepared.case, rows, best, [index], *box)
    return found


def _cost(layer: Layer) -> int:
    """Return about how many operations a layer costs at a point: a unit as many as some entries of a weight."""
    return int(layer.weight.nnz if layer.is_sparse else layer.weight.size) + 20 * int(layer.weight.shape[0])


def _climbed(
    network: Network,
    weight: Floats,
    bias: Floats,
    points: Floats,
    low: Floats,
    high: Floats,
    check_time: Callable[[], None],
) -> Floats:
    """Return the best points on the way up the least row, by signs of gradients, with steps that shrink."""
    best, best_value = points.copy(), np.full(len(points), -np.inf)
    for step in range(STEPS):
        check_time()
        values, gradients = _least_row(network, weight, bias, points)
        better = values > best_value
        best[better], best_value[better] = points[better], values[better]
        points = np.clip(points + (high - low) * 0.5 * 0.85**step * np.sign(gradients), low, high)
    values, _ = _least_row(network, weight, bias, points)
    better = values > best_value
    best[better] = points[better]
    return best


def _least_row(network: Network, weight: Floats, bias: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Return the least row at each point, shape (n,), and its gradient, shape (n, dim)."""
    values, affine = points, None
    if network.input_map is not None:
        affine = network.input_map.to_floats()
        values = values @ affine[:, :-1].T + affine[:, -1]
    trace = []
    for layer in network.layers:
        values, slopes, sources = _through(layer, values)
        trace.append((slopes, sources))
    found = values @ weight.T + bias
    gradients = weight[found.argmin(axis=1)]
    for layer, (slopes, sources) in zip(network.layers[::-1], trace[::-1], strict=True):
        back = np.zeros((len(points), layer.weight.shape[0]))
        np.put_along_axis(back, sources, gradients * slopes, axis=1)
        gradients = (layer.weight.T @ back.T).T
    return found.min(axis=1), gradients if affine is None else gradients @ affine[:, :-1]


def _through(layer: Layer, values: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return a layer's outputs, their slopes, and the preactivations that they follow, each of shape (n, n_units)."""
    rows = (layer.weight @ values.T).T + layer.bias
    activation = layer.activation
    sources = np.tile(activation.indptr[:-1], (len(values), 1))
    slopes, shifts = np.ones(sources.shape), np.zeros(sources.shape)
    for index, function in enumerate(activation.functions):
        units = np.flatnonzero(activation.kind == index)
        points, steep, intercepts = (
            np.array([float(v) for v in each], dtype=np.float64)
            for each in (function.breakpoints, function.slopes, function.intercepts)
        )
        digits = np.searchsorted(points, rows[:, activation.indptr[units]], side="left")
        slopes[:, units], shifts[:, units] = steep[digits], intercepts[digits]
    for unit in np.flatnonzero(activation.kind == MAX_UNIT).tolist():
        start, stop = activation.indptr[unit : unit + 2].tolist()
        sources[:, unit] = start + rows[:, start:stop].argmax(axis=1)
    return slopes * np.take_along_axis(rows, sources, axis=1) + shifts, slopes, sources
