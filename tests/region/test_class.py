"""Classes and their closures: what the code-space paper claims of them, and what is so.

Statements are numbered as in Shepeleva et al. 2020, appendix A.3.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from strategies import relu_networks

from polyrelu.exact.linalg import dot
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.double_description import face_lattice, generators_of
from polyrelu.region.hrep import region_hrep
from polyrelu.region.lp import Infeasible, find_point
from polyrelu.region.model import Region, decide_class, region_at, region_of

TWICE = Network.from_arrays([([[1]], [0]), ([[1]], [0]), ([[1]], [0])])
"""relu(relu(x))"""


def values_at(network, pattern, point):
    return [dot(row, (*point, 1)) for row in region_hrep(network, pattern).rows]


def test_interior_is_not_where_all_rows_are_positive():
    """Statement (18) fails: the second row of the class x <= 0 vanishes identically, its interior is not empty."""
    pattern = Pattern.parse("0|0")
    rows = region_hrep(TWICE, pattern).rows
    assert rows == ((-1, 0), (0, 0))
    assert isinstance(find_point(rows, [True, True]), Infeasible)
    region = region_of(TWICE, pattern)
    assert region.witness[0] < 0
    assert region.class_contains([-5])


def test_a_class_is_not_its_polyhedron():
    """The text after (18) fails: 0 lies in the polyhedron of digit 1 of relu(x), but not in the class."""
    relu = Network.from_arrays([([[1]], [0]), ([[1]], [0])])
    active = region_of(relu, Pattern.parse("1"))
    assert active.contains([0])
    assert not active.class_contains([0])
    assert region_of(relu, Pattern.parse("0")).class_contains([0])


@given(relu_networks(dims=(1, 2, 3), max_neurons=6), st.data())
def test_interior_is_where_the_rows_that_do_not_vanish_are_positive(network, data):
    """The repair of (18): leave out rows that are 0 everywhere; a row of digit 1 never is on a region."""
    point = [Fraction(data.draw(st.integers(-6, 6)), 3) for _ in range(network.dim)]
    region = region_at(network, point)
    cutting = [row for row in region.rows if any(row[:-1])]
    assert all(row[-1] >= 0 for row in region.rows if not any(row[:-1]))
    assert all(any(row) for row, strict in zip(region.rows, region.hrep.strict, strict=True) if strict)
    inside = all(dot(row, (*point, 1)) > 0 for row in cutting)
    step = [data.draw(st.integers(-3, 3)) for _ in range(network.dim)]
    around = {network.exact.pattern_at(point, [direction]) for direction in (step, [-v for v in step])}
    if inside:
        assert region.class_contains(point)
        assert around == {region.pattern}


@given(relu_networks(dims=(1, 2, 3), max_neurons=6), st.data())
def test_the_closure_of_a_class_is_its_polyhedron(network, data):
    """(16) and its converse: from any point of the polyhedron, a step towards the class lies in the class."""
    pattern = network.exact.pattern_at([data.draw(st.integers(-3, 3)) for _ in range(network.dim)])
    witness = decide_class(network, pattern)[1].point
    region = Region(network, pattern)
    generators = generators_of(region.rows, network.dim)
    for face in face_lattice(generators):
        point = face.relative_interior_point(generators)
        assert region.contains(point)
        nearby = [p + (w - p) / 2**60 for p, w in zip(point, witness, strict=True)]
        assert region.class_contains(nearby)
        assert network.exact.pattern_at(nearby) == pattern
        # Theorem 1.3: a class is a union of relative interiors of faces, the closed rows decide which.
        assert region.class_contains(point) == (network.exact.pattern_at(point) == pattern)


def test_the_faces_in_a_class_need_the_empty_one_to_form_a_lattice():
    """Theorem 1.3: rows (-x, x - 1), pattern 00: the faces of [0, 1] in the class have no common lower bound."""
    network = Network.from_arrays([([[-1], [1]], [0, -1]), ([[1, 1]], [0])])
    region = region_of(network, Pattern.parse("00"))
    points = [face.relative_interior_point(region.generators) for face in region.faces]
    assert [(face.dim, region.class_contains(p)) for face, p in zip(region.faces, points, strict=True)] == [
        (0, True),
        (0, True),
        (1, True),
    ]


def test_patterns_of_one_digit_apart_need_not_be_neighbours():
    """Lemma 1 fails at depth 2: 01|1 and 11|1 differ in one digit, their regions lie apart."""
    fold = Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])
    left, right = (region_of(fold, Pattern.parse(text)) for text in ("01|1", "11|1"))
    assert left.pattern.hamming(right.pattern) == 1
    assert (left.vertices, right.vertices) == (((-1,),), ((1,), (10,)))
    assert right.pattern not in [pattern for _, pattern in left.neighbours]
