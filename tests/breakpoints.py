"""Points that are hard for floats: on breakpoints of a network, next to them, zero, tiny and huge ones."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from polyrelu.network.activation import MAX_UNIT
from polyrelu.network.model import Network

NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1 / 3, -0.1, 1e-300, -(2.0**600), 2.0**-1074, 1e17])


@st.composite
def points_of(draw: DrawFn, network: Network) -> np.ndarray:
    """Draw a few points, shape (n, dim): small numbers, the zero, and floats on and next to breakpoints."""
    dim = network.dim
    start = draw(st.lists(st.integers(-8, 8).map(lambda k: k / 4) | NUMBERS, min_size=dim, max_size=dim))
    axis = draw(st.integers(0, dim - 1))
    near = near_breakpoints(network, start, axis)
    chosen = draw(st.lists(st.sampled_from(near), max_size=4)) if near else []
    return np.array([start, [0.0] * dim, *chosen])


def near_breakpoints(network: Network, start: list[float], axis: int) -> list[list[float]]:
    """Return points that differ from one in one coordinate: there a preactivation is on a breakpoint, or nearly.

    The breakpoints are those of the affine functions at ``start``, also beyond its region.
    """
    rows = network.exact.preactivation_rows(network.exact.unit_digits_at(start))
    found = []
    for layer, row in zip(network.hidden, rows, strict=False):
        functions = row.to_fractions()
        for targets in targets_of(layer.activation, functions):
            slope = targets[axis]
            if slope:
                rest = sum(a * Fraction(x) for k, (a, x) in enumerate(zip(targets, start, strict=False)) if k != axis)
                root = -(rest + targets[-1]) / slope
                if abs(root) < 2**1000:
                    middle = float(root)
                    values = (middle, np.nextafter(middle, np.inf), np.nextafter(middle, -np.inf))
                    found += [[float(v) if k == axis else x for k, x in enumerate(start)] for v in values]
    return found


def targets_of(activation, functions):
    """Yield affine functions of the input that are 0 where a preactivation is on a breakpoint or two are equal."""
    for unit, kind in enumerate(activation.kind.tolist()):
        start, end = activation.indptr[unit : unit + 2].tolist()
        if kind == MAX_UNIT:
            for other in range(start + 1, end):
                yield [a - b for a, b in zip(functions[start], functions[other], strict=True)]
        else:
            for point in activation.functions[kind].breakpoints:
                yield [*functions[start][:-1], functions[start][-1] - point]
