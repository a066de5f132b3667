"""Hypothesis strategies for small networks and domains that are degenerate on purpose.

Weights are small integers, signs, dyadic numbers or floats; neurons repeat, run parallel, meet in one point, vanish
identically or never switch on; layers mix activations; domains have neurons on their borders. Everything is small, so
that trying all patterns stays quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from polyrelu.exact.domain import Domain
from polyrelu.network.activation import (
    ABS,
    HARD_SIGMOID,
    HARD_TANH,
    IDENTITY,
    MAX_UNIT,
    RELU,
    RELU6,
    Activation,
    PiecewiseLinear,
    leaky_relu,
)
from polyrelu.network.model import Layer, Network
from polyrelu.network.slices import Slice

STAIRCASE = PiecewiseLinear("staircase", (-1, 0, 2), (0, 1, 1, -1), (0, 1, 1, 5))
"""Three breakpoints, of which the middle one is no kink."""

NEURON_FUNCTIONS = (RELU, leaky_relu(Fraction(1, 2)), leaky_relu(-2), ABS, HARD_TANH, RELU6, HARD_SIGMOID, STAIRCASE)
OUTPUT = Activation.same(IDENTITY, 1)


def weights() -> SearchStrategy[SearchStrategy[float]]:
    """Draw a family of numbers, as a strategy for its members."""
    floats = st.integers(0, 2**16).map(lambda seed: float(np.random.default_rng(seed).standard_normal()))
    integers = st.sampled_from([1.0, -1.0, 2.0, -3.0, 0.0, -2.0, 3.0])
    dyadic = st.integers(-16, 16).map(lambda k: k / 8)
    ternary = st.sampled_from([1.0, -1.0, 0.0, -1.0, 1.0])
    return st.sampled_from([floats, integers, dyadic, ternary, scaled_numbers(60), scaled_numbers(1000)])


def scaled_numbers(exponent: int) -> SearchStrategy[float]:
    """Draw small integers, some of them times a power of two with this exponent or its negative."""
    factors = st.sampled_from([1.0, 1.0, 2.0**exponent, 2.0**-exponent])
    return st.builds(float.__mul__, st.sampled_from([1.0, -1.0, 3.0, 0.0, -3.0]), factors)


@st.composite
def affine_maps(draw: DrawFn, n_in: int, n_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a weight (n_out, n_in) and a bias (n_out,) whose rows are often degenerate, alone or together."""
    numbers = draw(weights())
    weight = np.array(draw(st.lists(numbers, min_size=n_in * n_out, max_size=n_in * n_out))).reshape(n_out, n_in)
    bias = np.array(draw(st.lists(numbers, min_size=n_out, max_size=n_out)))
    together = draw(st.sampled_from(["free"] * 5 + ["zero bias", "concurrent", "dead"]))
    if together == "zero bias":
        bias[:] = 0
    if together == "concurrent" and n_out:
        bias = -weight @ np.array(draw(st.lists(st.integers(-2, 2), min_size=n_in, max_size=n_in)))
    if together == "dead":
        bias -= 1000
    for row in range(n_out):
        alone = draw(
            st.sampled_from(
                ["free"] * 12 + ["repeated", "repeated", "parallel", "parallel", "zero", "constant", "dead"]
            )
        )
        if alone in ("repeated", "parallel") and row:
            other, factor = draw(st.integers(0, row - 1)), draw(st.sampled_from([1, -1, 2, -0.5]))
            weight[row], bias[row] = factor * weight[other], factor * bias[other]
            bias[row] += (alone == "parallel") * draw(st.sampled_from([-1, 0.5, 2]))
        if alone in ("zero", "constant"):
            weight[row], bias[row] = 0, draw(st.integers(-1, 1)) if alone == "constant" else 0
        if alone == "dead":
            bias[row] = -1000
    return weight, bias


@st.composite
def activations(draw: DrawFn, n_units: int, only_relu: bool = False) -> Activation:
    """Draw the activation of a layer: one function, a mix with identities, or a mix with max units of sizes 1 to 4."""
    kind = "relu" if only_relu else draw(st.sampled_from(["relu", "relu", "same", "residual", "mixed", "max"]))
    if kind == "relu":
        return Activation.same(RELU, n_units)
    if kind == "same":
        return Activation.same(draw(st.sampled_from([*NEURON_FUNCTIONS, IDENTITY])), n_units)
    choices = {
        "residual": [RELU, IDENTITY],
        "mixed": [*NEURON_FUNCTIONS, IDENTITY],
        "max": [RELU, IDENTITY, None, None],
    }
    functions = draw(st.lists(st.sampled_from(choices[kind]), min_size=n_units, max_size=n_units))
    sizes = [draw(st.integers(1, 4)) if function is None else 1 for function in functions]
    scalar = tuple(dict.fromkeys(f for f in functions if f is not None))
    kinds = [MAX_UNIT if f is None else scalar.index(f) for f in functions]
    return Activation(scalar, np.array(kinds, np.int32), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


@st.composite
def networks(
    draw: DrawFn, dims: Sequence[int] = (1, 2), max_neurons: int = 7, max_layers: int = 3, only_relu: bool = False
) -> Network:
    """Draw a network with one output and at most ``max_neurons`` hidden units, at least one a layer."""
    dim = draw(st.sampled_from(dims))
    n_layers = draw(st.sampled_from([n for n in (2, 1, 2, 3) if n <= min(max_layers, max_neurons)]))
    layers, n_in, left = [], dim, max_neurons
    for depth in range(n_layers):
        most = left - (n_layers - 1 - depth)
        n_units = draw(st.sampled_from([most, *range(most, 0, -1)]))
        activation = draw(activations(n_units, only_relu))
        weight, bias = draw(affine_maps(n_in, activation.n_preactivations))
        layers.append(Layer(weight, bias, activation))
        n_in, left = n_units, left - n_units
    output = np.array([draw(st.lists(st.integers(-2, 3), min_size=n_in, max_size=n_in))], dtype=float)
    return Network(tuple(layers), Layer(output, np.array([float(draw(st.integers(-1, 1)))]), OUTPUT))


def relu_networks(dims: Sequence[int] = (1, 2), max_neurons: int = 8, max_layers: int = 3) -> SearchStrategy[Network]:
    """Draw a network with ReLU neurons only."""
    return networks(dims, max_neurons, max_layers, only_relu=True)


@st.composite
def random_networks(draw: DrawFn, dims: Sequence[int] = (1, 2), max_neurons: int = 8) -> Network:
    """Draw a ReLU network from a seed: less degenerate and with more regions than `networks` gives."""
    dim, n_layers = draw(st.sampled_from(dims)), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    numbers = draw(st.sampled_from(["normal", "integers", "ternary"]))
    largest = {"normal": 0, "integers": 5, "ternary": 1}[numbers]
    widths = [dim, *[max_neurons // n_layers] * n_layers, 1]
    layers = []
    for n_in, n_out in pairwise(widths):
        entries = random.integers(-largest, largest, (n_out, n_in + 1), endpoint=True).astype(float)
        if numbers == "normal":
            entries = random.standard_normal((n_out, n_in + 1)) * np.sqrt(2 / n_in)
        layers.append((entries[:, 1:], entries[:, 0] * draw(st.sampled_from([1, 0.5, 0]))))
    return Network.from_arrays(layers)


@st.composite
def sliced_networks(draw: DrawFn, dims: Sequence[int] = (1, 2), max_neurons: int = 6) -> Network:
    """Draw a network with one input more than asked for, on a line, plane or space with rational coordinates."""
    dim = draw(st.sampled_from(dims))
    network = draw(networks((dim + 1,), max_neurons) | random_networks((dim + 1,), max_neurons))
    vectors = st.lists(rationals(), min_size=dim + 1, max_size=dim + 1)
    directions = [draw(vectors) for _ in range(dim)]
    for i, direction in enumerate(directions):
        direction[i] += 20  # the others are at most 6, so that the directions are independent
    return network.restrict(Slice.along(draw(vectors), *directions))


def domains(dim: int) -> SearchStrategy[Domain]:
    """Draw a full-dimensional domain: everything, a box, a polytope or an unbounded polyhedron."""
    bounded = [boxes(dim), polygons()] if dim == 2 else [boxes(dim), simplices(dim)]
    return st.one_of(st.just(Domain.all(dim)), *bounded, unbounded_domains(dim))


def bounded_domains(dim: int) -> SearchStrategy[Domain]:
    """Draw a full-dimensional bounded domain."""
    return st.one_of(boxes(dim), simplices(dim), *([polygons()] if dim == 2 else []))


def rationals() -> SearchStrategy[Fraction]:
    """Draw a small rational number, most often an integer."""
    integers = st.integers(-3, 3).map(Fraction)
    return st.one_of(integers, st.builds(Fraction, st.integers(-12, 12), st.sampled_from([2, 3, 4, 7, 10])))


@st.composite
def boxes(draw: DrawFn, dim: int) -> Domain:
    """Draw a box; its sides are often integers, on which neurons with integer weights lie."""
    if draw(st.booleans()):
        low, high = draw(st.sampled_from([(-1, 1), (0, 1), (-2, 2), (0, 2)]))
        return Domain.box([low] * dim, [high] * dim)
    bounds = [sorted(draw(st.lists(rationals(), min_size=2, max_size=2, unique=True))) for _ in range(dim)]
    return Domain.box([low for low, _ in bounds], [high for _, high in bounds])


@st.composite
def simplices(draw: DrawFn, dim: int) -> Domain:
    """Draw a simplex ``x_i >= low_i, sum x <= sum low + size``, some rows twice or redundant."""
    low, size = draw(st.lists(rationals(), min_size=dim, max_size=dim)), draw(st.integers(1, 4))
    normals = [[-int(i == j) for j in range(dim)] for i in range(dim)] + [[1] * dim]
    offsets = [-v for v in low] + [sum(low) + size]
    if draw(st.booleans()):
        normals, offsets = [*normals, normals[-1], normals[0]], [*offsets, offsets[-1], offsets[0] + 1]
    return Domain.from_halfspaces(normals, offsets)


@st.composite
def polygons(draw: DrawFn) -> Domain:
    """Draw a convex polygon with rational corners."""
    points = draw(st.lists(st.tuples(rationals(), rationals()), min_size=3, max_size=6, unique=True))
    corners = convex_hull(points)
    if len(corners) < 3:
        corners = [points[0], (points[0][0] + 1, points[0][1]), (points[0][0], points[0][1] + 1)]
    return Domain.polygon(corners)


@st.composite
def unbounded_domains(draw: DrawFn, dim: int) -> Domain:
    """Draw a halfspace, a slab, an orthant or a wedge."""
    normal = draw(st.lists(st.integers(-2, 2), min_size=dim, max_size=dim).filter(any))
    offset = draw(rationals())
    opposite = [-v for v in normal]
    slab = Domain.from_halfspaces([normal, opposite], [offset, draw(st.integers(1, 3)) - offset])
    signs = draw(st.lists(st.sampled_from([-1, 1]), min_size=dim, max_size=dim))
    rows = [[sign * int(i == j) for j in range(dim)] for i, sign in enumerate(signs)]
    orthant = Domain.from_halfspaces(rows, draw(st.lists(rationals(), min_size=dim, max_size=dim)))
    halfspace = Domain.from_halfspaces([normal], [offset])
    wedge = Domain.from_halfspaces([normal, rows[0]], [offset, draw(rationals())])
    # Opposite normals can leave a wedge flat or empty.
    is_wedge = any(normal[1:]) or normal[0] * rows[0][0] > 0
    return draw(st.sampled_from([halfspace, orthant, *([wedge] if is_wedge else []), *([slab] if dim > 1 else [])]))


@st.composite
def flat_domains(draw: DrawFn, dim: int) -> Domain:
    """Draw a non-empty domain without interior: a point, a segment, a line, a face of a box."""
    box = draw(boxes(dim))
    lower, upper = (list(bounds) for bounds in box.box_bounds())
    for i in draw(st.lists(st.integers(0, dim - 1), min_size=1, max_size=dim)):
        upper[i] = lower[i]
    normal = draw(st.lists(st.integers(-2, 2), min_size=dim, max_size=dim).filter(any))
    offset = draw(rationals())
    hyperplane = Domain.from_halfspaces([normal, [-v for v in normal]], [offset, -offset])
    return draw(st.sampled_from([Domain.box(lower, upper), hyperplane]))


def convex_hull(points: Sequence[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, Fraction]]:
    """Return the corners of the convex hull, in order (Andrew's monotone chain)."""

    def chain(ordered: Sequence[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, Fraction]]:
        result: list[tuple[Fraction, Fraction]] = []
        for p in ordered:
            while len(result) > 1 and not turns_left(result[-2], result[-1], p):
                result.pop()
            result.append(p)
        return result[:-1]

    ordered = sorted(points)
    return chain(ordered) + chain(ordered[::-1])


def turns_left(p: Sequence[Fraction], q: Sequence[Fraction], r: Sequence[Fraction]) -> bool:
    return (q[0] - p[0]) * (r[1] - q[1]) > (q[1] - p[1]) * (r[0] - q[0])
