"""Where an output has a given value, and where the decision changes: exact segments and polygons.

The output map becomes one more hidden layer, with a breakpoint at the level or a unit that takes the largest output;
the facets on which that neuron vanishes are the level set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import DomainError, InputError
from polyrelu.exact.rational import to_fraction
from polyrelu.network.activation import IDENTITY, Activation, PiecewiseLinear
from polyrelu.network.model import Layer, Network
from polyrelu.tessellation.build import Method, tessellate
from polyrelu.tessellation.geometry import check_vertices, exact_corners
from polyrelu.tessellation.marks import AT_INFINITY
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.polygons import Cycles, Polygon, check_space, facet_polygon, ordered_facets

__all__ = ["LevelSet", "Segment", "decision_boundary", "last_digits", "level_set"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment, half-line or line of the plane, or a point of a line.

    Attributes
    ----------
    points : tuple of points
        Exact ends; for a line one point on it.
    rays : tuple of vectors
        Exact directions in which it is unbounded.
    """

    points: tuple[tuple[Fraction, ...], ...]
    rays: tuple[tuple[Fraction, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class LevelSet:
    """A level set, cut into the facets of a tessellation.

    Attributes
    ----------
    tessellation : Tessellation
        Of the network with the output map as one more hidden layer: its last neuron vanishes on the level set.
    facets : int64 array, shape (n,)
        Facets of that tessellation.
    regions : int64 array, shape (n, 2)
        Regions of the original tessellation on both sides; equal where the facet crosses a region, -1 beyond the
        border of the domain.
    digits : int64 array, shape (n, 2)
        What the last neuron is on both sides: 1 above the level, 0 below, or the largest output; -1 beyond the border.
    flat_regions : int64 array
        Regions of the original tessellation with a part of full dimension on which the output is identically on the
        level (or the largest output is attained twice); what bounds these parts is not in ``facets``.
    origins : int64 array, shape (tessellation.n_regions,)
        Region of the original tessellation in which each region of ``tessellation`` lies.
    """

    tessellation: Tessellation
    facets: NDArray[np.int64]
    regions: NDArray[np.int64]
    digits: NDArray[np.int64]
    flat_regions: NDArray[np.int64]
    origins: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.facets)

    def segment(self, index: int) -> Segment:
        """Return one facet exactly, in the plane or on a line."""
        ends = exact_corners(self.tessellation, self._ends()[index].tolist())
        points = [point for point, direction in ends if direction is None]
        rays = [direction for _, direction in ends if direction is not None]
        return Segment(
            tuple(tuple(map(to_fraction, point)) for point in points or [ends[0][0]]),
            tuple(tuple(map(to_fraction, ray)) for ray in rays),
        )

    def polygon(self, index: int) -> Polygon:
        """Return one facet exactly, in space; its corners are counter-clockwise seen from its second side."""
        t = self.tessellation
        on = self._cycles.of(index)
        if not len(on):
            return facet_polygon(t, int(self.facets[index]))
        corners = exact_corners(t, on.tolist())
        return Polygon(tuple(tuple(map(to_fraction, point)) for point, _ in corners))

    @cached_property
    def _cycles(self) -> Cycles:
        check_space("LevelSet.polygon", self.tessellation)
        return ordered_facets(self.tessellation, self.facets)

    @cached_property
    def ends_float(self) -> NDArray[np.float64]:
        """Ends of all segments, shape (n, 2, 2) in the plane, (n, 1, 1) on a line.

        In place of an end at infinity (`is_ray`) stands the point one direction beyond the other end.
        """
        t, ends = self.tessellation, self._ends()
        points = t.vertices_float[ends].copy()
        if not len(t.far_vertices) or not len(ends):
            return points
        bases = np.zeros_like(t.vertices_float)
        bases[t.far_vertices] = t.far_points
        for here in range(ends.shape[1]):
            far, there = self.is_ray[:, here], ends[:, -1 - here]
            start = np.where(self.is_ray[:, -1 - here, None], bases[ends[:, here]], t.vertices_float[there])
            points[far, here] = (start + t.vertices_float[ends[:, here]])[far]
        return points

    @property
    def is_ray(self) -> NDArray[np.bool_]:
        """Which ends are at infinity, shape (n, 2) in the plane, (n, 1) on a line."""
        return self.tessellation.vertex_kind[self._ends()] == AT_INFINITY

    def _ends(self) -> NDArray[np.int32]:
        t = self.tessellation
        if t.dim > 2:
            raise DomainError(
                f"Segments need a tessellation of the plane but received a {t.dim}-dimensional one. "
                "Use .polygon in space, .facets with .tessellation, or restrict the network to a plane."
            )
        check_vertices("A segment", t)
        return t.facet_vertices.reshape(-1, t.dim)[self.facets]


def level_set(
    tessellation: Tessellation, output: int = 0, level: object = 0, *, method: Method | None = None
) -> LevelSet:
    """Return where one output has a value.

    Parameters
    ----------
    tessellation : Tessellation
    output : int
    level : number or text
        Taken exactly.
    method : callable, optional
        How the refined network is enumerated (`tessellate`).

    Examples
    --------
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.testing import xor
    >>> found = level_set(tessellate(xor(), Domain.unit(2)), level="1/2")
    >>> sorted([[float(x) for x in point] for point in sorted(found.segment(i).points)] for i in range(len(found)))
    [[[0.0, 0.5], [0.5, 0.0]], [[0.5, 1.0], [1.0, 0.5]]]
    >>> level_set(tessellate(xor()), output=1)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: level_set needs one of the network's 1 outputs but received 1. Count from 0.
    """
    network = tessellation.network
    if not 0 <= output < network.n_out:
        raise InputError(
            f"level_set needs one of the network's {network.n_out} outputs but received {output}. Count from 0."
        )
    one, zero = Fraction(1), Fraction(0)
    step = PiecewiseLinear("level", (to_fraction(level, "level_set"),), (one, one), (zero, zero))
    return _vanishing(tessellation, _extended(network, [output], Activation.of([step])), method)


def decision_boundary(tessellation: Tessellation, *, method: Method | None = None) -> LevelSet:
    """Return where the decision changes: one output is 0, or the largest of several is attained twice.

    Examples
    --------
    >>> found = decision_boundary(tessellate(Network.from_arrays([([[1, 0], [-1, 1]], [0, 1])])))
    >>> found.segment(0).points, [tuple(map(str, ray)) for ray in sorted(found.segment(0).rays)]
    (((Fraction(1, 2), Fraction(0, 1)),), [('-1/2', '-1'), ('1/2', '1')])
    """
    network = tessellation.network
    if network.n_out == 1:
        return level_set(tessellation, method=method)
    outputs = list(range(network.n_out))
    return _vanishing(tessellation, _extended(network, outputs, Activation.max_units([len(outputs)])), method)


def _extended(network: Network, outputs: list[int], activation: Activation) -> Network:
    """Return a network with some of its outputs as one more hidden layer."""
    layer = Layer(network.output.weight[outputs], network.output.bias[outputs], activation)
    size = activation.n_units
    output = Layer(np.eye(size), np.zeros(size), Activation.same(IDENTITY, size))
    return replace(network, hidden=(*network.hidden, layer), output=output)


def _vanishing(original: Tessellation, network: Network, method: Method | None) -> LevelSet:
    """Return the facets on which the last neuron vanishes, without those of regions on which it does."""
    t = tessellate(network, original.domain, method=method)
    neuron = network.n_neurons - 1
    is_flat = _has(t.region_zero_indptr, t.region_zero_neurons, neuron)
    sides = t.facet_regions
    near_flat = is_flat[sides[:, 0]] | (is_flat[sides[:, 1]] & (sides[:, 1] >= 0))
    facets = np.flatnonzero(_has(t.facet_zero_indptr, t.facet_zero_neurons, neuron) & ~near_flat)
    layout, digits = network.layout, last_digits(t)
    words = t.words.copy()
    words[:, layout.word[neuron]] ^= digits.astype(np.uint64) << np.uint64(layout.shift[neuron])
    places = original.pattern_table.find(words[:, : original.words.shape[1]])
    beyond = sides[facets] < 0
    return LevelSet(
        t,
        facets,
        np.where(beyond, -1, places[sides[facets]]),
        np.where(beyond, -1, digits[sides[facets]]),
        np.unique(places[is_flat]),
        places,
    )


def last_digits(tessellation: Tessellation) -> NDArray[np.int64]:
    """Return the digit of the last neuron on each region: the class, where that neuron takes the largest output."""
    layout = tessellation.network.layout
    words = tessellation.words[:, layout.word[-1]] >> np.uint64(layout.shift[-1])
    return (words & np.uint64((1 << int(layout.bits[-1])) - 1)).astype(np.int64)


def _has(indptr: NDArray[np.int64], neurons: NDArray[np.int32], neuron: int) -> NDArray[np.bool_]:
    """Return which of many sorted lists contain a neuron."""
    hits = np.concatenate([[0], np.cumsum(neurons == neuron)])
    return np.diff(hits[indptr]) > 0
