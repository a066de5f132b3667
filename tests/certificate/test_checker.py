"""Both checkers accept what `certify` writes, and prove the numbers of the tessellation."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cases import load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from strategies import domains, flat_domains, networks, random_networks, sliced_networks
from two_checkers import Checkers, all_patterns

from polyrelu.certificate import plain_checker
from polyrelu.certificate.checker import check_certificate
from polyrelu.certificate.format import BASES, POLYGONS, Certificate
from polyrelu.errors import CertificateError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import to_fractions
from polyrelu.network.activation import ABS, HARD_TANH, IDENTITY, RELU6, Activation, leaky_relu
from polyrelu.network.load import load
from polyrelu.network.model import Layer, Network
from polyrelu.network.plain import write_plain_network
from polyrelu.network.slices import Slice
from polyrelu.tessellation.bases import with_bases
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.certify import certify, save_certificate
from polyrelu.tessellation.model import Tessellation
from polyrelu.testing import (
    adjacency_counterexample,
    braid,
    coxeter,
    gaussian,
    montufar,
    pencil,
    telgarsky,
    thick_zero,
    xor,
)

PLAIN = Path(plain_checker.__file__)
PLANE = [case for case in load_cases() if case.dim == 2]


def proves(t: Tessellation, folder: Path, certificate: Certificate | None = None) -> Certificate:
    """Return a tessellation's certificate, after both checkers prove its numbers; its witnesses have its patterns."""
    certificate = certificate or certify(t)
    network = replace(t.network, input_map=None)
    found = Checkers(network, folder).accept(certificate)
    linear = t.linear_regions
    assert found == (t.n_regions, t.n_facets, len(set(linear.labels.tolist())), len(set(linear.maps.tolist())))
    for i, pattern in enumerate(all_patterns(certificate, network)):
        *point, scale = certificate.witnesses.scaled(i)
        assert t.network.exact.pattern_at([Fraction(value, scale) for value in point]).digits == pattern
    return certificate


@pytest.mark.parametrize("case", [case for case in PLANE if case.expected["cells"] <= 200], ids=str)
def test_both_accept_the_plane_cases(case, tmp_path):
    t = tessellate(case.network, case.domain)
    assert t.n_regions == case.expected["cells"]
    proves(t, tmp_path)


@pytest.mark.parametrize("case", [case for case in PLANE if case.expected["cells"] > 200], ids=str)
def test_the_fast_checker_accepts_large_plane_cases(case):
    t = tessellate(case.network, case.domain)
    assert check_certificate(certify(t), case.network)[:2] == (case.expected["cells"], t.n_facets)


SPACE = [
    telgarsky(3), Network.from_arrays([([[1], [1], [-2]], [0, -1, 0]), ([[1, 1, 1]], [0])]), pencil(3, 4), braid(4),
    coxeter("B", 3), montufar(3, 2), adjacency_counterexample(), gaussian([3, 5, 4, 1], 1), gaussian([5, 5, 1], 2),
]  # fmt: skip


@pytest.mark.parametrize("network", SPACE, ids=lambda network: f"{network.dim}-{network.n_neurons}")
def test_both_accept_other_dimensions(network, tmp_path):
    assert proves(tessellate(network, Domain.all(network.dim)), tmp_path).proof == (BASES, POLYGONS)[network.dim == 2]
    proves(tessellate(network, Domain.box([-1] * network.dim, ["3/4"] * network.dim)), tmp_path)


@pytest.mark.parametrize(
    "domain",
    [
        Domain.all(2),
        Domain.from_halfspaces([[1, 2]], [1]),
        Domain.from_halfspaces([[1, 2], [-1, -2]], [1, 1]),
        Domain.from_halfspaces([[-1, 0], [0, -1]], [0, 0]),
        Domain.from_halfspaces([[-1, 0], [0, -1], [0, 1]], [0, 0, 1]),
        Domain.box([-1, -1], ["1/3", 2]),
        Domain.polygon([(0, 0), (2, 0), (1, 3)]),
        Domain.from_halfspaces([[1, 0], [1, 0], [1, 1], [0, 0]], [1, 1, 5, 3]),
        Domain.box([0, -1], [0, 1]),
        Domain.from_halfspaces([[1, 2], [-1, -2]], [1, -1]),
        Domain.box(["1/2", "1/3"], ["1/2", "1/3"]),
    ],
    ids=[
        "plane", "half-plane", "strip", "wedge", "half-strip", "box", "triangle", "repeated rows", "segment", "line",
        "point",
    ],
)  # fmt: skip
@pytest.mark.parametrize("activation", [None, leaky_relu("1/3"), ABS, HARD_TANH, RELU6], ids=str)
def test_both_accept_every_kind_of_domain(domain, activation, tmp_path):
    network = thick_zero()
    if activation:
        first = ([[1, 0], [1, 0], [-2, 0], [1, 1], [0, 0]], [0, 0, 1, -1, 0])
        network = Network.from_arrays([first, ([[1, 1, 1, 0, 1]] * 2, [0, 1]), ([[1, -1]], [0])], activation)
    proves(tessellate(network, domain), tmp_path)


def test_both_accept_max_units_with_ties_everywhere(tmp_path):
    """Two inputs of the first unit are equal, and one of the second is never largest."""
    weight = [[1, 0], [1, 0], [0, 1], [0, 0], [0, 0], [0, -1]]
    layer = Layer(np.array(weight, float), np.array([0, 0, 0, -1, 0, 0.0]), Activation.max_units([3, 3]))
    output = Layer(np.array([[1.0, 1.0]]), np.zeros(1), Activation.same(IDENTITY, 1))
    certificate = proves(tessellate(Network((layer,), output), Domain.all(2)), tmp_path)
    assert {pattern[0] for pattern in all_patterns(certificate, Network((layer,), output))} == {0, 2}


def test_both_accept_slices_and_the_plane_by_bases(tmp_path):
    network = gaussian([4, 6, 5, 2], 3)
    plane = Slice.along([0, "1/3", 0, 1], [1, 0, 2, 0], [0, 1, 0, "-1/7"])
    t = tessellate(network.restrict(plane), Domain.box([-2, -2], [2, 2]))
    certificate = proves(t, tmp_path)
    assert certificate.input_map is not None
    assert check_certificate(certificate, t.network).n_regions == t.n_regions
    proves(t, tmp_path, with_bases(replace(certificate, proof=BASES), t.network))


def test_a_certificate_about_one_slice_is_refused_for_another(tmp_path):
    network = gaussian([3, 4, 1], 3)
    slices = [Slice.along([0, 0, z], [1, 0, 0], [0, 1, 0]) for z in (0, 1)]
    certificate = certify(tessellate(network.restrict(slices[0]), Domain.unit(2)))
    Checkers(network.restrict(slices[0]), tmp_path).accept(certificate)
    refusal, reason = Checkers(network.restrict(slices[1]), tmp_path).refuse(certificate)
    assert "input map" in refusal and "condition 1 " in reason


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_both_accept_random_networks(tmp_path_factory, data):
    dim = data.draw(st.sampled_from([2, 2, 1, 3]))
    network = data.draw(networks((dim,), 7) | random_networks((dim,), 8) | sliced_networks((dim,), 6))
    domain = data.draw(domains(dim) | domains(dim) | flat_domains(dim))
    proves(tessellate(network, domain), tmp_path_factory.mktemp("pair"))


# The plain checker by itself ------------------------------------------------------------------------------------------


def test_the_plain_checker_imports_the_standard_library_alone():
    found = [node for node in ast.walk(ast.parse(PLAIN.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {alias.name for node in found if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in found if isinstance(node, ast.ImportFrom)}
    assert modules and {module.split(".")[0] for module in modules} <= {*sys.stdlib_module_names, "__future__"}


def test_the_plain_checker_runs_alone(tmp_path):
    save_certificate(tessellate(xor(), Domain.unit(2)), tmp_path / "a.cert")
    arrays = {f"W{i}": layer.weight for i, layer in enumerate(xor().layers)}
    arrays |= {f"b{i}": layer.bias for i, layer in enumerate(xor().layers)}
    np.savez(tmp_path / "xor.npz", **arrays)
    np.savez(tmp_path / "other.npz", **{**arrays, "b0": arrays["b0"] + 1})
    (tmp_path / "copied.py").write_text(PLAIN.read_text())

    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", "copied.py", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    accepted = "accepted: 2 regions, 5 facets, 2 linear regions, 2 maps\n"
    rows = "[[1, 0, 0], [-1, 0, 1], [0, 1, 0], [0, -1, 1]]"
    assert run("a.cert", "xor.npz") == (0, f"{accepted}rows of the domain: {rows}, input map: None\n")
    assert run("a.cert", "other.npz") == (1, "condition 1 (form) fails: it is about another network\n")
    assert run("a.cert") == (2, "usage: python plain_checker.py FILE MODEL\n")
    assert run("a.cert", "none.npz")[0] == run("none", "xor.npz")[0] == run("a.cert", "a.cert")[0] == 2


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<f2", "<i8", ">i2", "|i1", "|u1", "|b1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_plain_checker_reads_archives_as_the_package_does(dtype, order, tmp_path):
    weight, bias = np.asarray(np.arange(12).reshape(4, 3) % 5, dtype, order=order), np.array([0, 1, 2, 3], dtype)
    np.savez(tmp_path / "model.npz", W0=weight, b0=bias, W1=[[0, 1, 0.1, -0.0]], b1=[-0.0])
    found = plain_checker.read_network((tmp_path / "model.npz").read_bytes(), False)
    assert found[1] == load(tmp_path / "model.npz").hash


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_plain_checker_finds_the_hash_of_every_network(tmp_path_factory, data):
    network = data.draw(networks() | sliced_networks())
    path = tmp_path_factory.mktemp("model") / "network.json"
    if data.draw(st.booleans()):
        layers = [replace(layer, weight=csr_array(layer.weight)) for layer in network.hidden]
        network = replace(network, hidden=tuple(layers))
    write_plain_network(network, path)
    _, found, input_map = plain_checker.read_network(path.read_bytes(), True)
    assert found == replace(network, input_map=None).hash
    rows = network.input_map and [to_fractions(row) for row in network.input_map.to_fractions()]
    assert input_map == rows


NAN = b'{"layers": [{"inputs": 1, "weights": [{}], "bias": ["nan"], "functions": [], "kinds": [], "starts": [0]}]}'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npz", b""), ("a.npz", b"PK\x03\x04 no archive"), ("a.json", b"{"), ("a.json", b"[" * 100_000),
        ("a.json", b"[]"), ("a.json", b'{"layers": [], "input_map": null}'), ("a.json", NAN),
        ("a.json", b'{"layers": [{}], "input_map": null}'),
    ],
)  # fmt: skip
def test_models_that_cannot_be_read_are_reported(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    save_certificate(tessellate(xor()), tmp_path / "a.cert")
    with pytest.raises(ValueError, match="holds no network"):
        plain_checker.check(str(tmp_path / "a.cert"), str(tmp_path / name))


@pytest.mark.parametrize(
    "change",
    [
        {"starts": [0, 2]}, {"starts": [1, 1]}, {"starts": [0.0, 1.0]}, {"kinds": [1]}, {"kinds": [-2]}, {"kinds": []},
        {"functions": [[["0"], ["0", "1"], ["0", "1"]]]}, {"functions": [[["1", "0"], ["0"] * 3, ["0"] * 3]]},
        {"functions": [[[], [], []]]}, {"functions": [[["0"], ["0", "1"]]]}, {"inputs": "1"},
        {"functions": [[["x"], ["0", "1"], ["0", "0"]]]}, {"weights": [{"1": "0x1p+0"}]},
        {"weights": [{"-1": "0x1p+0"}]},
        {"weights": [{"0": "inf"}]}, {"weights": []}, {"bias": []}, {"inputs": -1},
    ],
    ids=str,
)  # fmt: skip
def test_layers_that_do_not_fit_together_are_refused(change):
    stored = {
        "inputs": 1, "weights": [{"0": "0x1p+0"}], "bias": ["0x0p+0"], "functions": [[["0"], ["0", "1"], ["0", "0"]]],
        "kinds": [0], "starts": [0, 1],
    }  # fmt: skip
    assert len(plain_checker.Layer(stored).neurons) == 1
    with pytest.raises(plain_checker.MISREAD):
        plain_checker.Layer({**stored, **change})


def test_refusals_of_the_checkers_are_errors_of_the_package():
    with pytest.raises(CertificateError, match="about another network"):
        check_certificate(certify(tessellate(xor())), thick_zero())
