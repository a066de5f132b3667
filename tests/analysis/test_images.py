"""Images of domains, exactly."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import brute_regions, first_regions, grid_points, mutations, with_outputs
from strategies import domains, flat_domains, networks

from polyrelu.analysis.images import image
from polyrelu.analysis.polyhedra import Polyhedron
from polyrelu.analysis.ranges import output_range
from polyrelu.errors import BudgetError, CertificateError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.region.lp import Witness, find_point
from polyrelu.testing import gaussian, thick_zero, xor

FOLD = Network.from_arrays([([[1, 0], [-1, 0], [0, 1]], [0, 0, 5]), ([[1, 1, 0], [0, 0, 1]], [0, -5])])  # (|x|, y)
SQUARE = Domain.box([-1, -1], [1, 1])


def test_a_fold_covers_its_image_twice():
    found = image(FOLD, SQUARE)
    assert len(found) == 2 and len(found.distinct) == 1
    assert set(found.distinct[0].vertices) == {(0, -1), (0, 1), (1, -1), (1, 1)}
    assert found.contains(["1/2", 0]) and not found.contains(["-1/2", 0])
    found.check()


def test_an_unbounded_image_has_rays():
    found = image(FOLD, Domain.from_halfspaces([[0, 1], [0, -1]], [1, 1]))
    assert found.distinct[0].rays == ((1, 0),)
    assert found.contains([10**9, 1]) and not found.contains([0, 2])
    found.check()


def test_the_whole_plane_and_a_line():
    identity = Network.from_arrays([([[1, 0], [0, 1]], [0, 0])])
    assert image(identity).distinct[0].rows == ()
    summed = Network.from_arrays([([[1, 1], [2, 2]], [0, 1])])
    [line] = image(summed).distinct
    assert line.lineality == ((1, 2),) and line.contains([3, 7]) and not line.contains([3, 6])
    image(summed).check()


def test_a_constant_output_is_a_point():
    constant = Network.from_arrays([([[0, 0], [0, 0]], [3, "1/2" and 0.5])])
    [point] = image(constant, SQUARE).distinct
    assert point.vertices == ((3, Fraction(1, 2)),)
    image(constant, SQUARE).check()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_images_agree_with_evaluation_and_with_all_patterns(data):
    rows = data.draw(st.sampled_from([[[1, -1, 2]], [[1, -1, 2], [0, 3, -1]], [[1, 0], [0, 1], [1, 1]]]))
    network = with_outputs(data.draw(networks((1, 2, 3), max_neurons=4)), rows)
    domain = data.draw(domains(network.dim))
    found = image(network, domain)
    found.check()
    for point in grid_points(domain, 2):
        assert found.contains(network.exact(point))
    regions = brute_regions(network, domain)
    values = st.lists(st.fractions(-4, 4, max_denominator=2), min_size=network.n_out, max_size=network.n_out)
    for output in [data.draw(values) for _ in range(3)]:
        reached = False
        for region in regions:
            equal = []
            for form, value in zip(region.affine_map.rows.to_fractions(), output, strict=True):
                row = [*form[:-1], form[-1] - value]
                scale = np.lcm.reduce([v.denominator for v in row], dtype=object)
                equal += [tuple(int(s * v * scale) for v in row) for s in (1, -1)]
            together = [*region.rows, *equal]
            reached |= isinstance(find_point(together, [False] * len(together), network.dim), Witness)
        assert found.contains(output) == reached


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_flat_domains(data):
    network = with_outputs(data.draw(networks((2, 3), max_neurons=4)), [[1, -1, 2], [0, 3, -1]])
    domain = data.draw(flat_domains(network.dim))
    found = image(network, domain)
    found.check()
    assert all(found.contains(network.exact(point)) for point in grid_points(domain, 3))


def test_shadows_of_an_image_are_the_ranges():
    network = gaussian([3, 6, 6, 3], seed=1)
    domain = Domain.box([-1] * 3, [1] * 3)
    vertices = [vertex for piece in image(network, domain).distinct for vertex in piece.vertices]
    for found in output_range(network, domain).value:
        values = [vertex[found.output] for vertex in vertices]
        assert (min(values), max(values)) == (found.lower, found.upper)


def test_a_changed_number_is_refused():
    found = image(FOLD, SQUARE)
    tried = 0
    for wrong in mutations(found):
        tried += 1
        with pytest.raises(CertificateError):
            wrong.check()
    assert tried > 60


def test_a_changed_polyhedron_is_refused():
    found = image(FOLD, SQUARE)
    piece = found.pieces[0]
    rows = piece.polyhedron.rows
    wider = ((rows[0][0], rows[0][1], rows[0][2] + 1), *rows[1:])
    for polyhedron, multipliers in (
        (Polyhedron(2, wider), piece.multipliers),
        (Polyhedron(2, rows[1:]), piece.multipliers[1:]),
        (Polyhedron(2, rows[1:]), piece.multipliers),
        (Polyhedron(2, (*rows, (1, 0, -1))), (*piece.multipliers, ())),
        (Polyhedron(3, rows), piece.multipliers),
        (Polyhedron(2, tuple(row[:2] for row in rows)), piece.multipliers),
    ):
        wrong = replace(piece, polyhedron=polyhedron, multipliers=multipliers)
        with pytest.raises(CertificateError):
            replace(found, pieces=(wrong, *found.pieces[1:])).check()


def test_a_budget_leaves_what_was_found():
    network = gaussian([2, 4, 4, 2])
    with pytest.raises(BudgetError, match=r"\.partial") as caught:
        image(network, SQUARE, max_regions=5, method=first_regions)
    assert len(caught.value.partial) == 5
    with pytest.raises(CertificateError, match="complete"):
        caught.value.partial.check()


def test_thick_zeros():
    found = image(thick_zero(), SQUARE)
    found.check()
    assert len(found) == 8
    assert image(xor(), Domain.box([0, 1], [1, 1])).distinct[0].vertices == ((0,), (1,))
