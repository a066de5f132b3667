"""Laws that relate the tessellations of two networks, on random degenerate networks with 1 to 5 inputs.

Each law holds for every enumeration that takes the network; which one is part of what is drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import flint
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import boxes, domains, networks, random_networks, relu_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.plane import enumerate_plane
from polyrelu.enumeration.split import enumerate_split
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.rational import primitive_row
from polyrelu.network.model import Layer, Network
from polyrelu.network.slices import Slice
from polyrelu.region.hull import decide_domain
from polyrelu.region.volume import exact_volume
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import direct_sum

DIMS = (1, 2, 3, 4, 5)
MAX_NEURONS = {1: 7, 2: 7, 3: 6, 4: 6, 5: 5}
EXAMPLES = settings(max_examples=50)


@dataclass(frozen=True)
class Seen:
    """What a tessellation says without coordinates, by digits.

    Attributes
    ----------
    regions : dict of digits to (bool, frozenset of int)
        Whether a region is bounded, and the neurons that vanish on all of it.
    facets : Counter of (frozenset of digits, frozenset of int)
        The regions beside each facet, and the neurons that vanish on it.
    """

    regions: dict[tuple[int, ...], tuple[bool, frozenset[int]]]
    facets: Counter[tuple[frozenset[tuple[int, ...]], frozenset[int]]]


Method = Callable[..., object]


def methods(dim: int) -> list[Method]:
    """Return the enumerations for networks with so many inputs."""
    return [enumerate_plane if dim <= 2 else enumerate_vertices, enumerate_split, enumerate_brute]


def see(network: Network, domain: Domain, method: Method) -> Seen:
    t = tessellate(network, domain, method=method)
    digits = [tuple(row) for row in network.layout.unpack(t.words).tolist()]
    facets: Counter = Counter()
    for facet, regions in enumerate(t.facet_regions.tolist()):
        facets[frozenset(digits[i] for i in regions if i >= 0), frozenset(t.facet_neurons(facet).tolist())] += 1
    bounded = t.bounded.tolist()
    return Seen({d: (bounded[i], frozenset(t.zero_neurons(i).tolist())) for i, d in enumerate(digits)}, facets)


def renamed(seen: Seen, order: list[int]) -> Seen:
    """Return what is seen after neuron ``order[i]`` has become neuron ``i``."""
    place = {old: new for new, old in enumerate(order)}
    permute = lambda digits: tuple(digits[old] for old in order)  # noqa: E731
    return Seen(
        {permute(d): (b, frozenset(place[n] for n in zeros)) for d, (b, zeros) in seen.regions.items()},
        Counter(
            {
                (frozenset(map(permute, beside)), frozenset(place[n] for n in zeros)): count
                for (beside, zeros), count in seen.facets.items()
            }
        ),
    )


@st.composite
def problems(draw: st.DrawFn, only_relu: bool = False) -> tuple[Network, Domain, Method]:
    """Draw a network, a full-dimensional domain, and an enumeration."""
    dim = draw(st.sampled_from(DIMS))
    n = MAX_NEURONS[dim]
    degenerate = relu_networks((dim,), n) if only_relu else networks((dim,), n)
    network = draw(degenerate | random_networks((dim,), n))
    return network, draw(domains(dim)), draw(st.sampled_from(methods(dim)))


def rescaled(layers: list[Layer], index: int, rows: np.ndarray) -> list[Layer]:
    """Return layers with the neurons of one times ``rows`` and the weights that read them divided by it."""
    layer, after = layers[index], layers[index + 1]
    weight, bias = layer.weight * rows[:, None], layer.bias * rows
    new = [replace(layer, weight=weight, bias=bias), replace(after, weight=after.weight / rows)]
    return [*layers[:index], *new, *layers[index + 2 :]]


def with_layers(network: Network, layers: list[Layer]) -> Network:
    return replace(network, hidden=tuple(layers[:-1]), output=layers[-1])


# Neurons ------------------------------------------------------------------------------------------------------


@given(problems(only_relu=True), st.data())
@EXAMPLES
def test_permuting_neurons_permutes_digits(problem, data):
    network, domain, method = problem
    layers, order, start = list(network.layers), [], 0
    for index, layer in enumerate(network.hidden):
        own = data.draw(st.permutations(range(layer.n_outputs)))
        order += [start + i for i in own]
        start += layer.n_outputs
        layers[index] = replace(layers[index], weight=layers[index].weight[own], bias=layer.bias[own])
        layers[index + 1] = replace(layers[index + 1], weight=layers[index + 1].weight[:, own])
    permuted = with_layers(network, layers)
    assert see(permuted, domain, method) == renamed(see(network, domain, method), order)


@given(problems(only_relu=True), st.data())
@EXAMPLES
def test_scaling_neurons_by_positive_numbers_changes_nothing(problem, data):
    network, domain, method = problem
    layers = list(network.layers)
    for index, layer in enumerate(network.hidden):
        powers = st.sampled_from([2.0**-3, 0.5, 1.0, 2.0, 2.0**20])
        rows = np.array(data.draw(st.lists(powers, min_size=layer.n_outputs, max_size=layer.n_outputs)))
        largest = max((np.abs(each.weight).max(initial=0) for each in layers), default=0)
        assume(largest < 2.0**900)
        layers = rescaled(layers, index, rows)
    scaled = with_layers(network, layers)
    assert scaled.exact(domain_point(domain)) == network.exact(domain_point(domain))
    assert see(scaled, domain, method) == see(network, domain, method)


@given(problems(only_relu=True), st.data())
@EXAMPLES
def test_a_neuron_that_is_doubled_has_its_digit_twice(problem, data):
    """A copy of a neuron takes over half of what the next layer reads of it."""
    network, domain, method = problem
    index = data.draw(st.integers(0, len(network.hidden) - 1))
    layer, after = network.layers[index], network.layers[index + 1]
    unit = data.draw(st.integers(0, layer.n_outputs - 1))
    start = sum(each.n_outputs for each in network.hidden[:index])
    pairs = [(each.weight, each.bias) for each in network.layers]
    columns = after.weight.copy()
    columns[:, unit] /= 2
    pairs[index] = np.vstack([layer.weight, layer.weight[unit]]), np.append(layer.bias, layer.bias[unit])
    pairs[index + 1] = np.hstack([columns, columns[:, [unit]]]), after.bias
    position = start + layer.n_outputs
    original = see(network, domain, method)
    doubled = see(Network.from_arrays(pairs), domain, method)

    def longer(digits: tuple[int, ...]) -> tuple[int, ...]:
        return (*digits[:position], digits[start + unit], *digits[position:])

    def more(zeros: frozenset[int]) -> frozenset[int]:
        moved = {n + (n >= position) for n in zeros}
        return frozenset(moved | ({position} if start + unit in zeros else set()))

    assert doubled.regions == {longer(d): (b, more(zeros)) for d, (b, zeros) in original.regions.items()}
    assert doubled.facets == Counter(
        {(frozenset(map(longer, beside)), more(z)): count for (beside, z), count in original.facets.items()}
    )


# Inputs -------------------------------------------------------------------------------------------------------


@given(problems(), st.data())
@EXAMPLES
def test_invertible_changes_of_the_inputs_change_no_digit(problem, data):
    network, domain, method = problem
    dim = network.dim
    entries = data.draw(st.lists(st.integers(-2, 2), min_size=dim * dim, max_size=dim * dim))
    shift = data.draw(st.lists(st.integers(-3, 3), min_size=dim, max_size=dim))
    matrix = [[entries[i * dim + j] + 3 * (i == j) for j in range(dim)] for i in range(dim)]
    assume(flint.fmpz_mat(matrix).det() != 0)
    columns = [list(column) for column in zip(*matrix, strict=True)]
    changed = network.restrict(Slice.along(shift, *columns))
    rows = [
        primitive_row([*(dot(row[:-1], column) for column in columns), dot(row[:-1], shift) + row[-1]])
        for row in domain.rows
    ]
    assert see(changed, Domain(dim, tuple(rows)), method) == see(network, domain, method)


@given(st.data())
@settings(max_examples=60)
def test_changes_of_the_inputs_divide_volumes_by_the_determinant(data):
    dim = data.draw(st.sampled_from(DIMS[:4]))
    network = data.draw(networks((dim,), 4) | random_networks((dim,), 4))
    box = data.draw(boxes(dim))
    entries = data.draw(st.lists(st.integers(-2, 2), min_size=dim * dim, max_size=dim * dim))
    matrix = [[entries[i * dim + j] + 3 * (i == j) for j in range(dim)] for i in range(dim)]
    determinant = abs(int(flint.fmpz_mat(matrix).det()))
    assume(determinant)
    columns = [list(column) for column in zip(*matrix, strict=True)]
    rows = [primitive_row([*(dot(row[:-1], column) for column in columns), row[-1]]) for row in box.rows]
    changed = network.restrict(Slice.along([0] * dim, *columns))
    volumes = volumes_of(network, box)
    assert volumes_of(changed, Domain(dim, tuple(rows))) == {d: v / determinant for d, v in volumes.items()}
    assert sum(volumes.values()) == volume_of_box(box)


@given(st.data())
@settings(max_examples=60)
def test_parts_of_a_box_add_up(data):
    dim = data.draw(st.sampled_from(DIMS))
    network = data.draw(networks((dim,), MAX_NEURONS[dim] - 1) | random_networks((dim,), MAX_NEURONS[dim] - 1))
    box, axis = data.draw(boxes(dim)), data.draw(st.integers(0, dim - 1))
    method = data.draw(st.sampled_from(methods(dim)))
    lower, upper = (list(side) for side in box.box_bounds())
    share = data.draw(st.sampled_from([Fraction(1, 2), Fraction(1, 3), Fraction(7, 8)]))
    middle = lower[axis] + share * (upper[axis] - lower[axis])
    left = Domain.box(lower, [*upper[:axis], middle, *upper[axis + 1 :]])
    right = Domain.box([*lower[:axis], middle, *lower[axis + 1 :]], upper)
    whole, first, second = (see(network, part, method) for part in (box, left, right))
    assert set(whole.regions) == set(first.regions) | set(second.regions)
    inner = {beside for beside, _ in whole.facets if len(beside) == 2}
    assert inner >= {beside for part in (first, second) for beside, _ in part.facets if len(beside) == 2}
    if dim < 5:
        volumes, a, b = (volumes_of(network, part) for part in (box, left, right))
        assert volumes == {digits: a.get(digits, 0) + b.get(digits, 0) for digits in volumes}


# Sums ---------------------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=60)
def test_direct_sums_multiply(data):
    """Regions are products; facets are a facet of one factor times a region of the other."""
    dims = data.draw(st.sampled_from([(1, 1), (1, 2), (2, 2), (1, 3), (2, 3), (1, 4)]))
    depth = data.draw(st.integers(1, 2))
    first, second = (data.draw(relu_networks((dim,), 4, depth)) for dim in dims)
    assume(len(first.hidden) == len(second.hidden))
    left, right = (data.draw(domains(dim)) for dim in dims)
    both = direct_sum(first, second)
    rows = [(*row[:-1], *[0] * dims[1], row[-1]) for row in left.rows]
    rows += [(*[0] * dims[0], *row) for row in right.rows]
    seen = see(both, Domain(sum(dims), tuple(rows)), data.draw(st.sampled_from(methods(sum(dims)))))
    a, b = see(first, left, enumerate_brute), see(second, right, enumerate_brute)
    widths = [(p.n_outputs, q.n_outputs) for p, q in zip(first.hidden, second.hidden, strict=True)]

    def joined(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...]:
        result: tuple[int, ...] = ()
        for p, q in widths:
            result, x, y = result + x[:p] + y[:q], x[p:], y[q:]
        return result

    places = joined(tuple(range(first.n_neurons)), tuple(range(-1, -1 - second.n_neurons, -1)))
    of_first = {neuron: place for place, neuron in enumerate(places) if neuron >= 0}
    of_second = {-1 - neuron: place for place, neuron in enumerate(places) if neuron < 0}

    def zeros(p: frozenset[int], q: frozenset[int]) -> frozenset[int]:
        return frozenset([*(of_first[n] for n in p), *(of_second[n] for n in q)])

    assert seen.regions == {
        joined(x, y): (p and q, zeros(m, n))
        for (x, (p, m)), (y, (q, n)) in product(a.regions.items(), b.regions.items())
    }
    facets: Counter = Counter()
    for (beside, vanish), count in a.facets.items():
        for y, (_, n) in b.regions.items():
            facets[frozenset(joined(x, y) for x in beside), zeros(vanish, n)] += count
    for (beside, vanish), count in b.facets.items():
        for x, (_, m) in a.regions.items():
            facets[frozenset(joined(x, y) for y in beside), zeros(m, vanish)] += count
    assert seen.facets == facets


# Faces --------------------------------------------------------------------------------------------------------


@given(problems())
@EXAMPLES
def test_euler(problem):
    network, domain, method = problem
    assume(network.dim <= 4 and method is not enumerate_split)
    tessellate(network, domain, method=method).check_euler()


@given(problems())
@EXAMPLES
def test_a_second_enumeration_sees_the_same(problem):
    network, domain, method = problem
    others = [other for other in methods(network.dim) if other is not method]
    seen = see(network, domain, method)
    assert all(see(network, domain, other) == seen for other in others)


def volumes_of(network: Network, domain: Domain) -> dict[tuple[int, ...], Fraction]:
    return {region.pattern.digits: exact_volume(region) for region in enumerate_brute(network, domain)}


def volume_of_box(box: Domain) -> Fraction:
    lower, upper = box.box_bounds()
    return Fraction(np.prod([high - low for low, high in zip(lower, upper, strict=True)]))


def domain_point(domain: Domain) -> tuple[Fraction, ...]:
    return decide_domain(domain).point
