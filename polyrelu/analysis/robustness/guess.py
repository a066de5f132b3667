"""A changed point that floats guess, checked in rationals: it tells a search early what it need not look at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.robustness.cells import Question
from polyrelu.analysis.robustness.support import ExactNearest
from polyrelu.certificate.answer_robustness import squared_norm
from polyrelu.exact.rational import nearest_float
from polyrelu.network.activation import MAX_UNIT
from polyrelu.network.model import Network

__all__ = ["guess_change", "slopes_at"]

STEPS, HALVINGS = 12, 20
STRETCHES = (1.0, 2.0, 4.0, 8.0)
"""How far along a ray one looks for a changed point."""


def guess_change(question: Question) -> ExactNearest | None:
    """Return a point of another class that may be near, without multipliers; None if floats find none.

    For each other class, steps to where the local affine map reaches it (DeepFool: Moosavi-Dezfooli et al. 2016), then
    halvings of the way back.
    """
    network, start = question.network, _floats(question.point)
    bounds = question.domain.box_bounds()
    lower, upper = (_floats(side) for side in bounds) if bounds else (-np.inf, np.inf)
    best = None
    for other in question.others:
        point = start
        with np.errstate(all="ignore"):  # a guess beyond the range of floats is dropped below
            for _ in range(STEPS):
                value, slope = slopes_at(network, point, other, question.label)
                if value >= 0 or not np.isfinite(value) or not slope.any():
                    break
                # A little beyond the border of the classes, so that rounding does not keep it on this side.
                point = np.clip(point + _step(slope, -value, question.norm) * 1.02, lower, upper)
            found = _pulled_back(question, start, point)
        if found is not None and (best is None or _square(found) < _square(best)):
            best = found
    return best


def slopes_at(
    network: Network, point: NDArray[np.float64], output: int, other: int
) -> tuple[float, NDArray[np.float64]]:
    """Return by how much an output exceeds another one, and the gradient of that, shape (dim,).

    Examples
    --------
    >>> from polyrelu.network.model import Network
    >>> network = Network.from_arrays([([[1, 0], [0, 1]], [-1, -2]), ([[0, 0], [2, 1]], [1, 0])])
    >>> value, slope = slopes_at(network, np.array([2.0, 0.0]), 1, 0)
    >>> value, slope.tolist()
    (1.0, [2.0, 0.0])
    """
    affine = None if network.input_map is None else network.input_map.to_floats()
    values = point if affine is None else affine[:, :-1] @ point + affine[:, -1]
    taken: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    for layer in network.hidden:
        z = layer.weight @ values + layer.bias
        activation = layer.activation
        source, slope = activation.indptr[:-1].copy(), np.ones(activation.n_units)
        values = np.empty(activation.n_units)
        for unit, kind in enumerate(activation.kind.tolist()):
            first = int(source[unit])
            if kind == MAX_UNIT:
                source[unit] = first + int(z[first : activation.indptr[unit + 1]].argmax())
                values[unit] = z[source[unit]]
                continue
            function = activation.functions[kind]
            digit = sum(z[first] > float(b) for b in function.breakpoints)
            slope[unit] = float(function.slopes[digit])
            values[unit] = slope[unit] * z[first] + float(function.intercepts[digit])
        taken.append((source, slope))
    z = network.output.weight @ values + network.output.bias
    unit_row = np.zeros(len(z))
    unit_row[output], unit_row[other] = 1.0, -1.0
    back = network.output.weight.T @ unit_row
    for layer, (source, slope) in zip(network.hidden[::-1], taken[::-1], strict=True):
        row = np.zeros(layer.weight.shape[0])
        np.add.at(row, source, slope * back)
        back = layer.weight.T @ row
    gradient = back if affine is None else back @ affine[:, :-1]
    return float(z[output] - z[other]), np.asarray(gradient)


def _step(slope: NDArray[np.float64], depth: float, norm: float) -> NDArray[np.float64]:
    """Return the shortest step along which a slope gains ``depth``."""
    if norm == 2:
        return slope * (depth / (slope @ slope))
    if norm == math.inf:
        return np.asarray(np.sign(slope) * (depth / np.abs(slope).sum()))
    step, largest = np.zeros(len(slope)), int(np.abs(slope).argmax())
    step[largest] = depth / slope[largest]
    return step


def _pulled_back(question: Question, start: NDArray[np.float64], point: NDArray[np.float64]) -> ExactNearest | None:
    """Return a changed point of the domain on the ray to a point, about the nearest one."""
    ray = point - start
    if not np.isfinite(ray).all() or not ray.any():
        return None
    parts = [part for part in STRETCHES if _seems_changed(question, start + part * ray)]
    if not parts:
        return None
    kept, changed = 0.0, [parts[0]]
    for _ in range(HALVINGS):
        middle = (kept + changed[-1]) / 2
        if _seems_changed(question, start + middle * ray):
            changed.append(middle)
        else:
            kept = middle
    steps = [Fraction(x) for x in ray.tolist()]
    for part in reversed(changed):
        moved = tuple(c + Fraction(part) * s for c, s in zip(question.point, steps, strict=True))
        outputs = question.network.exact(moved)
        if max(outputs[i] for i in question.others) >= outputs[question.label] and question.domain.contains(moved):
            return ExactNearest(squared_norm([Fraction(part) * s for s in steps], question.norm), moved, ())
    return None


def _seems_changed(question: Question, point: NDArray[np.float64]) -> bool:
    outputs = question.network(point)
    return bool(outputs[question.others].max() >= outputs[question.label])


def _floats(values: Sequence[Fraction]) -> NDArray[np.float64]:
    return np.array([nearest_float(x.numerator, x.denominator) for x in values], dtype=np.float64)


def _square(found: ExactNearest) -> Fraction:
    return found.squared_distance or Fraction(0)
