"""Preimages of polyhedra, exactly, and whether outputs are reached at all."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import brute_regions, first_regions, grid_points, mutations, with_outputs
from strategies import bounded_domains, domains, flat_domains, networks

from polyrelu.analysis.interior import Emptiness, Interior, find_interior
from polyrelu.analysis.polyhedra import Polyhedron
from polyrelu.analysis.preimages import preimage
from polyrelu.analysis.reach import NotReached, Reached, decide_reachable
from polyrelu.certificate.verdict import check_verdict
from polyrelu.enumeration.split import enumerate_split
from polyrelu.errors import BudgetError, CertificateError, InputError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.region.lp import Witness, find_point
from polyrelu.tessellation.geometry import domain_area
from polyrelu.testing import gaussian, telgarsky, thick_zero, xor

HALF = Domain.box(["1/2"], [5])


def output_sets(n_out: int) -> st.SearchStrategy[Domain]:
    """Draw a polyhedron of outputs: a box, a point, a halfspace, everything."""
    corner = st.lists(st.integers(-2, 2), min_size=n_out, max_size=n_out)
    boxes = st.builds(lambda low, size: Domain.box(low, [v + size for v in low]), corner, st.integers(0, 4))
    levels = st.integers(-2, 2)
    halfspaces = st.builds(lambda normal, offset: Domain.from_halfspaces([normal], [offset]), corner, levels)
    return boxes | halfspaces | st.just(Domain.all(n_out))


def test_the_teeth_of_a_sawtooth():
    found = preimage(telgarsky(3), HALF, Domain.unit(1))
    assert found.volume == Fraction(1, 2)
    assert len(found) == 8  # two pieces for each of four teeth
    found.check()


def test_everything_and_nothing():
    both = Domain.all(1), Domain.box([2], [3])
    everything, nothing = (preimage(xor(), outputs, Domain.unit(2)) for outputs in both)
    assert everything.volume == 1 and nothing.volume == 0 and nothing.is_empty and not everything.is_empty
    everything.check()
    nothing.check()


def test_a_plateau_is_a_preimage_of_full_dimension():
    clipped = Network.from_arrays([([[1], [1]], [0, -1]), ([[1, -1]], [0])])  # 0 below 0, 1 beyond 1
    found = preimage(clipped, Domain.box([1], [1]))
    assert [piece.polyhedron.rays for piece in found.pieces] == [((1,),)]
    assert [piece.dim for piece in found.all_pieces] == [1, 0]
    with pytest.raises(UnboundedError, match="ray \\(1\\)"):
        _ = found.volume
    found.check()


def test_a_single_input_is_found():
    cone = Network.from_arrays([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[1, 1, 1, 1]], [0])])  # |x| + |y|
    found = preimage(cone, Domain.from_halfspaces([[1]], [0]))
    assert not found.pieces and [piece.polyhedron.vertices for piece in found.pieces_of(0)] == [((0, 0),)]
    assert found.volume == 0 and found.contains([0, 0]) and not found.contains([0, "1/9"])
    found.check()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_preimages_agree_with_evaluation_and_with_all_patterns(data):
    network = with_outputs(data.draw(networks((1, 2, 3), max_neurons=4)), [[1, -1, 2], [0, 3, -1]])
    domain = data.draw(domains(network.dim))
    outputs = data.draw(output_sets(2))
    found = preimage(network, outputs, domain, method=data.draw(st.sampled_from([None, enumerate_split])))
    found.check()
    for point in grid_points(domain, 2):
        expected = outputs.contains(network.exact(point))
        assert found.contains(point) == expected
        assert any(piece.polyhedron.contains(point) for piece in found.all_pieces) == expected
    for piece in found.all_pieces:
        assert domain.contains(piece.point) and outputs.contains(network.exact(piece.point))
        assert all(outputs.contains(network.exact(vertex)) for vertex in piece.polyhedron.vertices)
    hits = 0
    for region in brute_regions(network, domain):
        pulled = [region.affine_map.rows.row(i) for i in range(2)]
        rows = [*region.rows, *(integer_row(row, pulled) for row in outputs.rows)]
        hits += isinstance(find_point(rows, [any(row[:-1]) for row in rows], network.dim), Witness)
    assert len(found.pieces) == hits


def integer_row(row, outputs):
    from polyrelu.exact.rational import primitive_row

    values = [sum(a * form[j] for a, form in zip(row[:-1], outputs, strict=True)) for j in range(len(outputs[0]))]
    values[-1] += row[-1]
    return primitive_row([Fraction(v) for v in values])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_volumes_of_both_sides_add_up(data):
    network = data.draw(networks((1, 2, 3), max_neurons=4))
    domain = data.draw(bounded_domains(network.dim))
    level = data.draw(st.integers(-2, 2)) + Fraction(1, 3)
    below, above = (Domain.from_halfspaces([[s]], [s * level]) for s in (1, -1))
    sizes = [preimage(network, outputs, domain).volume for outputs in (below, above)]
    flat = preimage(network, Domain.box([level], [level]), domain).volume
    assert sum(sizes) - flat == domain_area(domain)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_flat_domains(data):
    network = data.draw(networks((2, 3), max_neurons=4))
    domain, outputs = data.draw(flat_domains(network.dim)), data.draw(output_sets(1))
    found = preimage(network, outputs, domain)
    found.check()
    for piece in found.all_pieces:
        point = found.ground.to_input(piece.point)
        assert domain.contains(point) and outputs.contains(network.exact(point))
    verdict = decide_reachable(network, outputs, domain)
    check_verdict(verdict)
    assert verdict.holds != found.is_empty


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_reached(data):
    network = with_outputs(data.draw(networks((1, 2, 3), max_neurons=4)), [[1, -1, 2], [0, 3, -1]])
    domain, outputs = data.draw(domains(network.dim)), data.draw(output_sets(2))
    strict = [data.draw(st.booleans()) for _ in outputs.rows]
    verdict = decide_reachable(network, outputs, domain, strict=strict)
    check_verdict(verdict)
    assert isinstance(verdict.evidence, Reached if verdict.holds else NotReached)
    if not any(strict):
        assert verdict.holds != preimage(network, outputs, domain).is_empty


def test_a_bound_that_is_only_touched():
    touching = Domain.box([1], [2])
    assert decide_reachable(xor(), touching, Domain.unit(2)).holds
    for strict, holds in (([True, False], False), ([False, True], True)):
        verdict = decide_reachable(xor(), touching, Domain.unit(2), strict=strict)
        assert verdict.holds is holds
        check_verdict(verdict)


def test_budgets():
    network, domain = gaussian([2, 4, 4, 1]), Domain.box([-1, -1], [1, 1])
    outputs = Domain.box([-5], [5])
    with pytest.raises(BudgetError, match=r"needs all regions.*\.partial") as caught:
        preimage(network, outputs, domain, max_regions=5, method=first_regions)
    part, whole = caught.value.partial, preimage(network, outputs, domain)
    assert 0 < part.volume < whole.volume
    with pytest.raises(CertificateError, match="complete"):
        part.check()
    far = decide_reachable(network, Domain.box([1000], [1001]), domain, max_regions=5, method=first_regions)
    assert far.holds is None and decide_reachable(network, Domain.box([1000], [1001]), domain).holds is False


@pytest.mark.parametrize("outputs", [HALF, Domain.box([1], [1]), Domain.box([7], [8])])
@pytest.mark.parametrize("network", [xor(), thick_zero()])
def test_a_changed_number_is_refused(network, outputs):
    domain = Domain.box([-1, -1], [1, 2])
    found = preimage(network, outputs, domain)
    for wrong in mutations(found):
        with pytest.raises(CertificateError):
            wrong.check()
    with pytest.raises(CertificateError, match="polyhedron of the outputs"):
        replace(found, outputs=Domain.box([-4, 2], [0, 7])).check()


def test_another_polyhedron_is_refused():
    found = preimage(xor(), HALF, Domain.box([-1, -1], [1, 2]))
    for other in (Domain.box([-1], [5]), Domain.box([2], [5])):
        with pytest.raises(CertificateError):
            replace(found, outputs=other).check()


def test_a_changed_number_of_a_verdict_is_refused():
    domain, tried = Domain.box([-1, -1], [1, 2]), 0
    for outputs in (HALF, Domain.box([7], [8])):
        evidence = decide_reachable(xor(), outputs, domain, strict=[True, False]).evidence
        for wrong in mutations(evidence):
            if wrong.strict == evidence.strict or isinstance(evidence, Reached):
                tried += 1
                still_true = isinstance(wrong, Reached) and wrong.point == evidence.point
                if still_true:
                    wrong.check()  # the output is strictly inside of both rows
                    continue
                with pytest.raises(CertificateError):
                    wrong.check()
    assert tried > 10


def test_interiors():
    square = [(1, 0, 0), (-1, 0, 1), (0, 1, 0), (0, -1, 1)]
    assert find_interior(square, 2).dim == 2
    assert find_interior([*square, (1, 1, 0), (-1, -1, 0)], 2) == Interior(
        0, (0, 0), find_interior([*square, (1, 1, 0), (-1, -1, 0)], 2).flatness
    )
    assert isinstance(find_interior([*square, (1, 1, -3)], 2), Emptiness)
    assert find_interior([], 2).dim == 2 and find_interior([], 0).dim == 0
    assert isinstance(find_interior([(0, 0, -1)], 2), Emptiness)
    assert find_interior([(0, 0, 0), (1, 0, 0)], 2).dim == 2


def test_polyhedra():
    slab = Polyhedron(2, ((1, 0, 0), (-1, 0, 1)))
    assert slab.vertices == () and slab.lineality == ((0, 1),) and not slab.is_bounded
    with pytest.raises(UnboundedError, match="needs a bounded polyhedron"):
        _ = slab.volume
    with pytest.raises(InputError, match="2 coordinates but received 1"):
        slab.contains([1])
    assert Polyhedron(2, ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 1))).volume == 0


def test_a_polyhedron_of_another_space_is_refused():
    for ask in (preimage, decide_reachable):
        with pytest.raises(InputError, match=r"needs a polyhedron of R\^1"):
            ask(xor(), Domain.unit(2))
    with pytest.raises(InputError, match="a flag for each of the 2 rows"):
        decide_reachable(xor(), Domain.unit(1), strict=[True])
