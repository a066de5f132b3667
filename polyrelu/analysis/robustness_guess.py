"""A changed point that floats guess, checked in rationals: it tells a search early what it need not look at."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.robustness_cells import Question
from polyrelu.analysis.robustness_nearest import ExactNearest
from polyrelu.certificate.answer_robustness import squared_norm
from polyrelu.network.activation import MAX_UNIT
from polyrelu.network.model import Network

__all__ = ["guess_change", "slopes_at"]

STEPS, HALVINGS = 12, 20


def guess_change(question: Question) -> ExactNearest | None:
    """Return a point of another class that may be near, without multipliers; None if floats find none.

    For each other class, steps to where the local affine map reaches it (DeepFool: Moosavi-Dezfooli et al. 2016), then
    halvings of the way back.
    """
    network, start = question.network, np.array([float(x) for x in question.point])
    bounds = question.domain.box_bounds()
    lower, upper = (np.array([float(x) for x in side]) for side in bounds) if bounds else (-np.inf, np.inf)
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
        found = _pulled_back(question, point)
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


def _pulled_back(question: Question, point: NDArray[np.float64]) -> ExactNearest | None:
    """Return a changed point of the domain on the way to a point, the nearest that a few halvings find."""
    if not np.isfinite(point).all():
        return None
    steps = [Fraction(x) - c for x, c in zip(point.tolist(), question.point, strict=True)]
    kept, changed = Fraction(0), Fraction(1)
    if not _is_changed(question, steps, changed):
        return None
    for _ in range(HALVINGS):
        middle = (kept + changed) / 2
        if _is_changed(question, steps, middle):
            changed = middle
        else:
            kept = middle
    moved = tuple(c + changed * s for c, s in zip(question.point, steps, strict=True))
    square = squared_norm([changed * s for s in steps], question.norm)
    return ExactNearest(Fraction(square), moved, ())


def _is_changed(question: Question, steps: list[Fraction], part: Fraction) -> bool:
    moved = [c + part * s for c, s in zip(question.point, steps, strict=True)]
    outputs = question.network.exact(moved)
    return max(outputs[i] for i in question.others) >= outputs[question.label] and question.domain.contains(moved)


def _square(found: ExactNearest) -> Fraction:
    return found.squared_distance or Fraction(0)
