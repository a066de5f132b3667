"""Affine slices of the input space."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import networks

from polyrelu.errors import InputError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.slices import Slice

rationals = st.fractions(max_denominator=20, min_value=-20, max_value=20)
vectors = st.lists(rationals, min_size=3, max_size=3)


def slice_or_assume(make, *points):
    try:
        return make(*points)
    except InputError:
        assume(False)


@given(vectors, vectors, vectors)
def test_through_points(p, q, r):
    plane = slice_or_assume(Slice.through, p, q, r)
    assert (plane.dim, plane.ambient_dim) == (2, 3)
    assert [plane.point(t) for t in ([0, 0], [1, 0], [0, 1])] == [tuple(p), tuple(q), tuple(r)]


@given(vectors, vectors, vectors, rationals, rationals)
def test_along_directions(p, d, e, s, t):
    plane = slice_or_assume(Slice.along, p, d, e)
    assert plane.point([s, t]) == tuple(a + s * b + t * c for a, b, c in zip(p, d, e, strict=True))


@given(networks((3,)), vectors, vectors, vectors, rationals, rationals)
def test_restricted_network_is_the_network_on_the_slice(network, p, d, e, s, t):
    plane = slice_or_assume(Slice.along, p, d, e)
    restricted = network.restrict(plane)
    assert restricted.dim == 2
    assert restricted.n_neurons == network.n_neurons
    assert restricted.exact([s, t]) == network.exact(plane.point([s, t]))
    assert restricted.exact.pattern_at([s, t]) == network.exact.pattern_at(plane.point([s, t]))


@given(networks((3,)), vectors, vectors, vectors, st.tuples(rationals, rationals), rationals, rationals)
def test_slice_of_a_slice(network, p, d, e, start, direction, s):
    plane = slice_or_assume(Slice.along, p, d, e)
    line = Slice.along(start, (1, direction))
    both = network.restrict(plane).restrict(line)
    assert both.exact([s]) == network.exact(plane.point(line.point([s])))
    assert both.dim == 1


@given(networks((3,)))
def test_the_whole_space_as_a_slice(network):
    everything = Slice.along([0, 0, 0], *np.eye(3).tolist())
    point = [Fraction(1, 3), -2, 5]
    assert network.restrict(everything).exact(point) == network.exact(point)


def test_arrays_and_images_are_flattened():
    images = np.arange(12).reshape(3, 2, 2) ** 2
    plane = Slice.through(*images)
    assert plane.ambient_dim == 4
    assert plane.point([1, 0]) == (16, 25, 36, 49)


def test_floats_are_taken_exactly():
    assert Slice.through([0.1], [1]).point([0]) == (Fraction(0.1),)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Slice.through([0, 0]), "at least 2 points"),
        (lambda: Slice.through([0, 0], [1, 0, 0]), "lengths [2, 3]"),
        (lambda: Slice.along([0, 0], [0, 0]), "received 1 of rank 0"),
        (lambda: Slice.along([0, 0], [1, 2], [2, 4]), "received 2 of rank 1"),
        (lambda: Slice.along([0], [1], [2]), "received 2 of rank 1"),
        (lambda: Slice.through([0, float("nan")], [1, 1]), "finite"),
        (lambda: Slice(RationalMatrix.from_rows([], 2)), "at least one coordinate"),
        (lambda: Slice.through([0, 0], [1, 1]).point([1, 2]), "needs 1 coordinates but received 2"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(InputError) as caught:
        make()
    assert words in str(caught.value)


def test_slice_of_another_space():
    from polyrelu.network.model import Network

    network = Network.from_arrays([([[1, 1]], [0])])
    with pytest.raises(InputError, match=r"R\^2 but received one of R\^3"):
        network.restrict(Slice.through([0, 0, 0], [1, 1, 1]))
