"""What pictures show of a tessellation besides its shapes: outputs in floats, classes, layers of facets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.tessellation.level_sets import last_digits

if TYPE_CHECKING:
    from polyrelu.network.model import Network
    from polyrelu.tessellation.model import Tessellation

__all__ = ["class_names", "digit_borders", "facet_layers", "value_range", "values_at"]

BATCH = 1 << 14
"""Points that the network evaluates at a time."""

NOTHING = 2.0**-44
"""Values this small, relative to the largest, are drawn as zero."""


def values_at(network: Network, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outputs at points, shape (n_points, n_out): a batch at a time, and rounding noise as zero."""
    batches = [network(points[i : i + BATCH]) for i in range(0, len(points), BATCH)]
    values = np.concatenate(batches) if batches else np.zeros((0, network.n_out))
    largest = np.abs(values).max(axis=0, initial=0.0)
    return np.where(np.abs(values) <= NOTHING * largest, 0.0, values)


def class_names(network: Network) -> list[str]:
    """Return the names of the classes."""
    return [f"class {i}" for i in range(network.n_out)] if network.n_out > 1 else ["output ≤ 0", "output > 0"]


def value_range(values: NDArray[np.float64]) -> tuple[float, float, str]:
    """Return the ends of the range that colours show, and the name of a colour map: the palest colour is that of 0."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    if low < 0 < high:
        reach = max(-low, high)
        return -reach, reach, "RdBu_r"
    name = "YlGnBu" if low + high >= 0 else "YlGnBu_r"
    return (low, high, name) if low < high else (low - 1.0, high + 1.0, name)


def facet_layers(tessellation: Tessellation) -> NDArray[np.int64]:
    """Return the first layer with a neuron that vanishes on each facet, -1 on the border of the domain."""
    t = tessellation
    layers = np.full(t.n_facets, -1, np.int64)
    inner = np.diff(t.facet_zero_indptr) > 0
    layers[inner] = t.network.neurons[t.facet_zero_neurons[t.facet_zero_indptr[:-1][inner]], 0]
    return layers


def digit_borders(tessellation: Tessellation) -> NDArray[np.int64]:
    """Return the facets between regions on which the last neuron has different digits."""
    digits = last_digits(tessellation)[tessellation.adjacent_pairs]
    return tessellation.inner_facets[digits[:, 0] != digits[:, 1]]
