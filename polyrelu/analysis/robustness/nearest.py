"""The nearest point where some rows hold: floats propose it with multipliers, rationals find it exactly.

Few rows hold a nearest point back. Both start with those that the given point violates, and add those that the answer
violates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.robustness.simplex import shortest_step
from polyrelu.analysis.robustness.support import ExactNearest, nearest_from_support
from polyrelu.certificate.answer_rows import Row
from polyrelu.errors import BudgetError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import common_denominator, nearest_float
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.evaluation import row_values
from polyrelu.region.lp import Infeasible, find_point
from polyrelu.region.model import Region
from polyrelu.region.nearest import nearest_point
from polyrelu.region.proposals import propose_maximum

__all__ = [
    "ExactNearest",
    "Proposal",
    "dual_norms",
    "nearest_exactly",
    "propose_inner_step",
    "propose_nearest",
    "unit_rows",
]

Floats = NDArray[np.float64]
LARGEST = 1e100
"""Distances beyond are cut to this."""
MOST_SMALL = 16
"""Up to so many inputs a method of our own is faster than HiGHS."""
MOST_INPUTS = 48
"""Beyond, exact linear programs take too long."""


class Proposal(NamedTuple):
    """What floats say of the nearest point.

    Attributes
    ----------
    distance : float
        What the multipliers prove, up to rounding; infinite if no point has all rows.
    step : float64 array, shape (dim,), or None
        From the given point to the nearest one; None if there is none.
    multipliers : tuple of (int, float)
        Of unit rows.
    """

    distance: float
    step: Floats | None
    multipliers: tuple[tuple[int, float], ...]


def dual_norms(rows: Floats, norm: float) -> Floats:
    """Return the dual norms of vectors, shape (n,), of shape (n, dim)."""
    if norm == 2:
        return np.asarray(np.sqrt((rows * rows).sum(axis=1)))
    sizes = np.abs(rows)
    return np.asarray(sizes.sum(axis=1) if norm == math.inf else sizes.max(axis=1, initial=0.0))


# What overflows here is a bad proposal, which costs time later but proves nothing.
@np.errstate(all="ignore")
def propose_nearest(normals: Floats, margins: Floats, norm: float, start: Iterable[int] = ()) -> Proposal:
    """Return the probable shortest step to where all rows hold.

    Parameters
    ----------
    normals : float64 array, shape (n, dim)
        Unit rows: their dual norms are 1.
    margins : float64 array, shape (n,)
        Values of the rows at the given point; negative where they do not hold.
    start : iterable of int
        Rows that probably hold the point back.

    Examples
    --------
    >>> found = propose_nearest(np.array([[1.0, 0.0], [0.6, 0.8]]), np.array([-1.0, -2.0]), 2)
    >>> round(found.distance, 12), [row for row, _ in found.multipliers]
    (2.0, [1])
    """
    used = sorted({*start, *np.flatnonzero(margins < 0).tolist()})
    if not used:
        return Proposal(0.0, np.zeros(normals.shape[1]), ())
    if norm != 2 and normals.shape[1] <= MOST_SMALL:  # the small method takes all rows at once
        used = np.flatnonzero(normals.any(axis=1)).tolist()
    while True:
        solve = _least_squares if norm == 2 else _program
        step, weights = solve(normals[used], margins[used], norm)
        multipliers = tuple((used[i], float(weights[i])) for i in np.flatnonzero(weights > 0).tolist())
        if step is not None:
            violated = set(np.flatnonzero(margins + normals @ step < 0).tolist()) - set(used)
            if violated:
                used = sorted(violated | set(used))
                continue
        chosen = [i for i, _ in multipliers]
        values = np.array([y for _, y in multipliers])
        size = float(dual_norms((values @ normals[chosen])[None, :], norm)[0]) if chosen else 0.0
        bound = -float(values @ margins[chosen]) if chosen else 0.0
        distance = max(bound / size, 0.0) if size > 0 else math.inf
        return Proposal(math.inf if step is None else distance, step, multipliers)


@np.errstate(all="ignore")
def propose_inner_step(normals: Floats, margins: Floats, step: Floats, reach: float) -> Floats | None:
    """Return a step to strictly inside the rows near a step that they allow; None if floats find none.

    The rows are unit rows as in `propose_nearest`; no coordinate moves by more than ``reach``.
    """
    values = margins + normals @ step
    used = np.argsort(values)[: 2 * normals.shape[1] + 2].tolist()
    while True:
        table = np.hstack([normals[used], -np.ones((len(used), 1))])
        lower = np.clip(-values[used] / reach, -LARGEST, LARGEST)
        found = propose_maximum([*[0.0] * normals.shape[1], 1.0], table, lower, 1.0)
        if found is None or found.x[-1] <= 0:
            return None
        inner = np.asarray(step + reach * found.x[:-1])
        violated = set(np.flatnonzero(margins + normals @ inner <= 0).tolist()) - set(used)
        if not violated:
            return inner
        used = [*used, *violated]


def unit_rows(
    rows: Sequence[Row], scaled: Sequence[int], norm: float, is_constant: Callable[[Row], bool] | None = None
) -> tuple[Floats, Floats]:
    """Return rows divided by the dual norms of their normals, shape (n, dim), and their values, shape (n,).

    Parameters
    ----------
    scaled : sequence of int, length dim + 1
        The point times a common denominator, which comes last.
    is_constant : callable, optional
        Further rows to take for constants. A constant becomes a normal 0 and its sign times infinity, or 0.
    """
    dim = len(scaled) - 1
    if not rows:
        return np.zeros((0, dim)), np.zeros(0)
    # Arrays of Python integers: exact, whatever their length, and quotients of them are rounded once.
    entries = np.array(rows, dtype=object)
    values = (entries @ np.array(scaled, dtype=object)).tolist()
    largest = np.abs(entries[:, :-1]).max(axis=1, initial=0)
    largest[largest == 0] = 1
    units = np.asarray(entries[:, :-1] / largest[:, None], dtype=np.float64)
    lengths, margins = dual_norms(units, norm), np.zeros(len(rows))
    for i, value in enumerate(values):
        if not lengths[i] or (is_constant is not None and is_constant(rows[i])):
            units[i], lengths[i] = 0, 1
            margins[i] = math.inf * (1 if value > 0 else -1) if value else 0.0
        else:
            margins[i] = min(max(nearest_float(value, largest[i] * scaled[-1]), -LARGEST), LARGEST)
    return units / lengths[:, None], margins / lengths


def nearest_exactly(
    rows: Sequence[Row], point: Sequence[Fraction], norm: float, start: Iterable[int] = ()
) -> ExactNearest:
    """Return the nearest point at which all rows are >= 0, with multipliers.

    Floats say which rows hold it back; what follows from these is checked in rationals. Where that fails, exact linear
    programs go on from there.

    Raises
    ------
    BudgetError
        If it fails with more inputs than the exact method can do.

    Examples
    --------
    >>> nearest_exactly([(1, 0, -1), (0, 1, 5)], (Fraction(0), Fraction(0)), math.inf).squared_distance
    Fraction(1, 1)
    >>> nearest_exactly([(1, -1), (-1, 0)], (Fraction(0),), 2).squared_distance is None
    True
    """
    scale = common_denominator(point)
    units, margins = unit_rows(rows, (*(int(x * scale) for x in point), scale), norm)
    proposal = propose_nearest(units, margins, norm, start)
    held = [i for i, _ in proposal.multipliers]
    found = nearest_from_support([rows[i] for i in held], point, norm, [y for _, y in proposal.multipliers])
    if found is not None and found.point is not None and min(row_values(rows, found.point)[0], default=0) >= 0:
        multipliers = tuple((held[i], y) for i, y in found.multipliers)
        return ExactNearest(found.squared_distance, found.point, multipliers)
    if len(point) > MOST_INPUTS:
        raise BudgetError(
            f"nearest_exactly needs at most {MOST_INPUTS} inputs where floats do not find the point but received "
            f"{len(point)}. Use a slice."
        )
    return _nearest_by_programs(rows, point, norm, held)


def _nearest_by_programs(
    rows: Sequence[Row], point: Sequence[Fraction], norm: float, start: Iterable[int]
) -> ExactNearest:
    values, _ = row_values(rows, point)
    used = sorted({*start, *(i for i, value in enumerate(values) if value < 0)})
    while True:
        chosen = [rows[i] for i in used]
        answer = find_point(chosen, [False] * len(chosen), len(point), central=False)
        if isinstance(answer, Infeasible):
            return ExactNearest(None, None, _sparse(used, answer.multipliers))
        found = nearest_point(_polyhedron(chosen, len(point)), point, norm)
        values, _ = row_values(rows, found.point)
        violated = {i for i, value in enumerate(values) if value < 0}
        if not violated:
            return ExactNearest(found.squared_distance, found.point, _sparse(used, found.multipliers))
        used = sorted(violated | set(used))


def _polyhedron(rows: Sequence[Row], dim: int) -> Region:
    """Return the rows as the only region of an affine network."""
    return Region(Network.from_arrays([(np.zeros((1, dim)), [0.0])]), Pattern(()), Domain(dim, tuple(rows)))


def _sparse(numbers: Sequence[int], values: Sequence[Fraction]) -> tuple[tuple[int, Fraction], ...]:
    return tuple((i, y) for i, y in zip(numbers, values, strict=True) if y)


def _least_squares(normals: Floats, margins: Floats, _norm: float) -> tuple[Floats | None, Floats]:
    """Return the shortest step in L2 and multipliers (Lawson and Hanson 1974, Section 23.4)."""
    from scipy.optimize import nnls

    unit = float(np.abs(margins).max()) or 1.0
    table = np.vstack([normals.T, -margins / unit])
    target = np.array([*[0.0] * normals.shape[1], 1.0])
    try:
        weights, _ = nnls(table, target)
    except RuntimeError:  # too many steps
        return None, np.zeros(len(margins))
    rest = table @ weights - target
    return (None if rest[-1] >= 0 else -rest[:-1] / rest[-1] * unit), weights


def _program(normals: Floats, margins: Floats, norm: float) -> tuple[Floats | None, Floats]:
    """Return the shortest step in L1 or L-infinity and multipliers."""
    n, dim = normals.shape
    if n == 1:
        return _step_to_hyperplane(normals[0], -float(margins[0]), norm), np.ones(1)
    small = shortest_step(normals, margins, norm) if dim <= MOST_SMALL else None
    if small is not None:
        return small.step, small.weights
    unit = float(np.abs(margins).max()) or 1.0
    n_bounds = dim if norm == 1 else 1
    bounds = np.eye(dim) if norm == 1 else np.ones((dim, 1))
    table = np.vstack([
        np.hstack([normals, np.zeros((n, n_bounds))]),
        np.hstack([np.eye(dim), bounds]),
        np.hstack([-np.eye(dim), bounds]),
    ])  # fmt: skip
    lower = np.concatenate([-margins / unit, np.zeros(2 * dim)])
    found = propose_maximum([*[0.0] * dim, *[-1.0] * n_bounds], table, lower)
    if found is not None:
        return found.x[:dim] * unit, found.multipliers[:n]
    table = np.hstack([normals, -np.ones((n, 1))])
    slack = propose_maximum([*[0.0] * dim, 1.0], table, -margins / unit)
    return None, np.zeros(n) if slack is None else slack.multipliers


def _step_to_hyperplane(normal: Floats, depth: float, norm: float) -> Floats:
    """Return the shortest step to where a unit row is 0, which is ``depth`` away."""
    if norm == math.inf:
        return np.asarray(np.sign(normal) * depth)
    largest = int(np.abs(normal).argmax())
    step = np.zeros(len(normal))
    step[largest] = depth / normal[largest]
    return step
