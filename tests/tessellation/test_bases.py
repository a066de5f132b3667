"""Certificates by bases: what is written for any network in any dimension is accepted, and what is changed refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cases import Case, load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from numpy.typing import NDArray
from strategies import domains, flat_domains, networks, random_networks, sliced_networks

from polyrelu import testing
from polyrelu.certificate.checker import check_certificate
from polyrelu.certificate.format import BASES, UNUSED, Certificate, Points
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.march import enumerate_march
from polyrelu.enumeration.split import enumerate_split
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.errors import CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.tessellation import bases
from polyrelu.tessellation import certify as certify_module
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.certify import certify
from polyrelu.tessellation.model import Tessellation

CASES = [case for case in load_cases() if case.dim != 2]
FAMILIES = {
    "braid": testing.braid(5),
    "catalan": testing.catalan(4),
    "central": testing.central_arrangement(5, 7),
    "coxeter": testing.coxeter("B", 4),
    "direct sum": testing.direct_sum(testing.xor(), testing.telgarsky(1)),
    "gaussian": testing.gaussian([3, 6, 6, 6, 1]),
    "gaussian in 4": testing.gaussian([4, 6, 6, 1]),
    "gaussian in 6": testing.gaussian([6, 6, 4, 1]),
    "gaussian in 16": testing.gaussian([16, 4, 3, 1]),
    "generic": testing.generic_arrangement(4, 8),
    "graphic": testing.graphic(5, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2)]),
    "grid": testing.grid(1, 2, 1, 1),
    "linial": testing.linial(4),
    "montufar": testing.montufar(3, 2, 2),
    "pencil": testing.pencil(4, 3),
    "resonance": testing.resonance(4),
    "semiorder": testing.semiorder(4),
    "shi": testing.shi(4),
    "telgarsky": testing.telgarsky(4),
    "threshold": testing.threshold(3),
    "wide": testing.gaussian([5, 3, 8, 1]),
    "zero bias": testing.gaussian([3, 9, 9, 1], bias_std=0.0),
}
METHODS = {
    "default": None,
    "split": enumerate_split,
    "march": enumerate_march,
    "vertices": enumerate_vertices,
    "brute": enumerate_brute,
}


def check(t: Tessellation) -> Certificate:
    """Check that a tessellation's certificate is accepted, and says what the tessellation does."""
    certificate = certify(t)
    checked = check_certificate(certificate, t.network)
    assert certificate.proof == BASES
    assert checked == (t.n_regions, t.n_facets, t.n_linear_regions, t.n_affine_maps)
    return certificate


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cases(case: Case) -> None:
    check(tessellate(case.network, case.domain))


@pytest.mark.parametrize("name", FAMILIES)
def test_families(name: str) -> None:
    network = FAMILIES[name]
    check(tessellate(network))
    check(tessellate(network, Domain.box([-1] * network.dim, [2] * network.dim)))


@pytest.mark.parametrize("network", [testing.thick_zero(), testing.xor(), testing.gaussian([2, 5, 5, 1])])
def test_flat_domains_become_lines_and_points(network: Network) -> None:
    check(tessellate(network, Domain.box([-2, 1], [2, 1])))
    check(tessellate(network, Domain.from_halfspaces([[1, 1], [-1, -1]], [0, 0])))
    point = check(tessellate(network, Domain.box([0, 1], [0, 1])))
    assert (point.domain.dim, point.n_regions, point.n_facets) == (0, 1, 0)


def test_a_network_without_hidden_layers() -> None:
    linear = Network.from_arrays([([[1, 2, 3]], [4])])
    assert check(tessellate(linear)).n_facets == 0
    assert check(tessellate(linear, Domain.box([0] * 3, [1] * 3))).n_facets == 6


def test_repeated_and_redundant_rows_of_a_domain() -> None:
    normals = [[1, 0, 0], [2, 0, 0], [-1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]]
    domain = Domain.from_halfspaces(normals, [1, 2, 1, 5, 1, 2, 3])
    check(tessellate(testing.gaussian([3, 4, 4, 1]), domain))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_random_networks(data: DataObject) -> None:
    dim = data.draw(st.sampled_from([1, 3, 3, 4, 5]))
    most = 6 if dim < 4 else 5
    kinds = (networks((dim,), most), random_networks((dim,), most + 2), sliced_networks((dim,), most))
    network, name = data.draw(st.one_of(*kinds)), data.draw(st.sampled_from(sorted(METHODS)))
    method = None if name == "vertices" and dim < 3 else METHODS[name]
    check(tessellate(network, data.draw(domains(dim)), method=method))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_random_flat_domains(data: DataObject) -> None:
    dim = data.draw(st.sampled_from([1, 2, 3, 4, 5]))
    t = tessellate(data.draw(networks((dim,), 5)), data.draw(flat_domains(dim)))
    if t.dim != 2:
        check(t)


def without_floats(monkeypatch: pytest.MonkeyPatch, points: float) -> None:
    """Let the walk in floats prove nothing, and propose no bases and useless points."""
    walk = bases._prove_by_floats

    def forget(*arguments: object) -> object:
        proofs = walk(*arguments)  # type: ignore[arg-type]
        proofs.bases[:], proofs.known[:] = UNUSED, 0
        proofs.points[:], proofs.are_proven[:] = points, 0
        return proofs

    monkeypatch.setattr(bases, "_prove_by_floats", forget)


@pytest.mark.parametrize("points", [0.0, np.nan])
@pytest.mark.parametrize("name", ["braid", "gaussian in 4", "montufar", "pencil", "wide", "zero bias"])
def test_rationals_alone_do_it_too(name: str, points: float, monkeypatch: pytest.MonkeyPatch) -> None:
    without_floats(monkeypatch, points)
    check(tessellate(FAMILIES[name]))


def test_rationals_confirm_what_floats_propose(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = bases._prove_by_floats

    def doubt(*arguments: object) -> object:
        proofs = walk(*arguments)  # type: ignore[arg-type]
        proofs.known[:], proofs.are_proven[:] = 0, 0
        return proofs

    t = tessellate(FAMILIES["gaussian in 4"], Domain.box([-1] * 4, [1] * 4))
    expected = certify(t)
    monkeypatch.setattr(bases, "_prove_by_floats", doubt)
    found = certify(t)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found.arrays(), expected.arrays(), strict=True))


def test_a_row_that_touches_a_cell() -> None:
    # The second layer's neuron vanishes on an edge of the cube and is positive elsewhere in it.
    network = Network.from_arrays(
        [(np.eye(3), [-1.0] * 3), (np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]), [0.0, 0.0]), ([[1.0, 1.0]], [0.0])]
    )
    check(tessellate(network))
    check(tessellate(network, Domain.box([0] * 3, [2] * 3)))
    check(tessellate(network, Domain.box([1] * 3, [2] * 3)))


def test_points_that_are_no_floats() -> None:
    # No float is between 1/3 and a fifth of the float above 5/3.
    normals, constants = [[3, 0, 0], [5, 0, 0], [0, 1, 0], [0, 0, 1]], [-1, -5 / 3, 0, 0]
    certificate = check(tessellate(Network.from_arrays([(normals, constants), ([[1] * 4], [0])])))
    assert certificate.n_regions == 12 and certificate.witnesses.exact and certificate.facet_points.exact


def test_cells_with_more_facets_than_a_basis_can_name(monkeypatch: pytest.MonkeyPatch) -> None:
    t = tessellate(testing.gaussian([3, 2, 1]), Domain.box([-1] * 3, [1] * 3))
    monkeypatch.setattr(bases, "UNUSED", 6)
    with pytest.raises(InputError, match="at most 5 facets"):
        certify(t)


# --- refusals ----------------------------------------------------------------------------------------------------

NETWORK = testing.gaussian([3, 5, 4, 1])
CERTIFICATE = certify(tessellate(NETWORK, Domain.box([-1] * 3, [1] * 3)))
Change = Callable[[NDArray[np.uint16], int], object]


def changed(level: int, change: Change, line: int) -> Certificate:
    """Return the certificate with the bases of one level changed."""
    own = CERTIFICATE.levels[level].bases.copy()
    result = change(own, line)
    levels = list(CERTIFICATE.levels)
    levels[level] = replace(levels[level], bases=own if result is None else result)
    return replace(CERTIFICATE, levels=tuple(levels))


def forget_line(own: NDArray[np.uint16], line: int) -> None:
    own[line] = UNUSED


def name_a_facet_that_is_not_there(own: NDArray[np.uint16], line: int) -> None:
    own[line, 0] = 60000


def name_a_facet_twice(own: NDArray[np.uint16], line: int) -> None:
    own[line, :2] = own[line, 0]


def drop_a_line(own: NDArray[np.uint16], line: int) -> NDArray[np.uint16]:
    return np.delete(own, line, axis=0)


def repeat_a_line(own: NDArray[np.uint16], line: int) -> NDArray[np.uint16]:
    return np.insert(own, line, own[line], axis=0)


CHANGES = [forget_line, name_a_facet_that_is_not_there, name_a_facet_twice, drop_a_line, repeat_a_line]


@pytest.mark.parametrize("change", CHANGES)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_refuses_changed_bases(change: Change, data: DataObject) -> None:
    level = data.draw(st.integers(0, 2))
    line = data.draw(st.integers(0, len(CERTIFICATE.levels[level].bases) - 1))
    with pytest.raises(CertificateError):
        check_certificate(changed(level, change, line), NETWORK)


def test_refuses_every_other_facet_for_a_facet_of_the_domain() -> None:
    t = tessellate(testing.gaussian([3, 1]), Domain.box([-1] * 3, [1] * 3))
    certificate = certify(t)
    own = certificate.levels[0].bases
    assert own[:, 1:].tolist() == [[UNUSED, UNUSED]] * 6
    for line in range(6):
        for facet in range(6):
            other = own.copy()
            other[line, 0] = facet
            levels = (replace(certificate.levels[0], bases=other),)
            if facet == own[line, 0]:
                check_certificate(replace(certificate, levels=levels), t.network)
                continue
            with pytest.raises(CertificateError, match="basis"):
                check_certificate(replace(certificate, levels=levels), t.network)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_refuses_facet_points_elsewhere(data: DataObject) -> None:
    points = CERTIFICATE.facet_points
    facet = data.draw(st.integers(0, CERTIFICATE.n_facets - 1))
    region = int(CERTIFICATE.levels[-1].facets[facet, 0])
    same = np.flatnonzero(CERTIFICATE.levels[-1].facets[:, 0] == region)
    witness = [float(value) for value in CERTIFICATE.witnesses.floats[region]]
    back = [2.0 * b - a for a, b in zip(points.floats[facet].tolist(), witness, strict=True)]
    others = [points.floats[i].tolist() for i in same.tolist() if i != facet]
    floats = points.floats.copy()
    floats[facet] = data.draw(st.sampled_from([witness, back, *others]))
    with pytest.raises(CertificateError, match="beyond"):
        check_certificate(replace(CERTIFICATE, facet_points=Points(floats, points.exact)), NETWORK)
    listed = {facet: tuple(map(Fraction, witness))}
    floats[facet] = 0.0
    with pytest.raises(CertificateError, match="beyond"):
        check_certificate(replace(CERTIFICATE, facet_points=Points(floats, listed)), NETWORK)


def test_units_of_more_pieces_than_a_byte_holds_are_refused(monkeypatch):
    monkeypatch.setattr(certify_module, "MOST_PIECES", 2)
    hidden = Layer(np.array([[1.0], [-1.0], [0.0]]), np.zeros(3), Activation.max_units([3]))
    network = Network((hidden,), Layer(np.ones((1, 1)), np.zeros(1), Activation.same(IDENTITY, 1)))
    with pytest.raises(InputError, match="at most 2 pieces, a byte for each digit, but received one of 3"):
        certify(tessellate(network))
