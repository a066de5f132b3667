"""The command `polyrelu region`: one region, against what the library says of it."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from cases import FOLDER, Case, load_cases

from polyrelu import cli, testing
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.exact.domain import Domain
from polyrelu.region.model import region_at
from polyrelu.region.volume import exact_volume

KEYS = [
    "network", "domain", "point", "pattern", "zero_neurons", "bounded", "centre", "squared_radius",
    "squared_radius_bound", "volume", "matrix", "offset", "facets", "vertices", "rays", "lines",
]  # fmt: skip
CASES = [case for case in load_cases() if case.network.n_neurons <= 10]


@pytest.fixture
def run(capsys):
    """Return a function that runs `polyrelu region` in this process and returns what it prints."""

    def run(*argv: object) -> str:
        assert cli.main(["region", *map(str, argv)]) == 0
        out, err = capsys.readouterr()
        assert err in ("", "compiling the loops once (about a minute) ...\n")
        return out

    return run


def domain_text(case: Case) -> str:
    bounds = case.domain.box_bounds()
    return "all" if bounds is None else ",".join(f"{low}:{high}" for low, high in zip(*bounds, strict=True))


def fractions(texts: list[str]) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, texts))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_json_says_what_regions_say(run, case):
    file = FOLDER / f"{case.name.partition('@')[0]}.npz"
    for region in enumerate_brute(case.network, case.domain)[:4]:
        at = ",".join(map(str, region.witness))
        found = json.loads(run(file, "--at", at, "--domain", domain_text(case), "--json"))
        assert list(found) == KEYS
        assert (found["network"], fractions(found["point"])) == (case.network.hash, region.witness)
        assert (found["pattern"], found["bounded"]) == (str(region.pattern), region.is_bounded)
        assert found["zero_neurons"] == list(region.zero_neurons)
        assert tuple(map(fractions, found["matrix"])) == region.affine_map.matrix
        assert fractions(found["offset"]) == region.affine_map.offset
        across = {facet.row: str(pattern) for facet, pattern in region.neighbours}
        assert {fractions(f["row"]): f["neighbour"] for f in found["facets"]} == {
            facet.row: across.get(facet.row) for facet in region.facets
        }
        assert {fractions(f["row"]): (f["neurons"], f["domain_rows"]) for f in found["facets"]} == {
            facet.row: (sorted(facet.neurons), list(facet.domain_rows)) for facet in region.facets
        }
        assert set(map(fractions, found["vertices"])) == set(region.vertices)
        assert len(found["rays"]) == len(region.rays) and len(found["lines"]) == len(region.lineality)
        assert found["volume"] == (str(exact_volume(region)) if region.is_bounded else None)
        if found["centre"] is not None:
            assert region.class_contains(fractions(found["centre"]))
            assert 0 < Fraction(found["squared_radius"]) <= Fraction(found["squared_radius_bound"])
        else:
            assert not region.is_bounded


def test_text(run):
    assert run(FOLDER / "xor_01.npz", "--at", "0.25,1/4", "--domain", "unit").splitlines()[1:] == [
        "domain    0:1,0:1",
        "point     (1/4, 1/4)",
        "pattern   10",
        "active    1 of 2 neurons have a digit above 0",
        "bounded   yes",
        "centre    (0.292893, 0.292893), in a ball of radius 0.292893 (about)",
        "area      1/2",
        "map       y0 = 2 x0 + 2 x1 - 1",
        "facets    3",
        "  0       -x0 - x1 + 1 >= 0: neuron 1; beyond it 11",
        "  1       x0 >= 0: border of the domain (row 0)",
        "  2       x1 >= 0: border of the domain (row 2)",
        "vertices  3",
        "  0       (0, 0)",
        "  1       (0, 1)",
        "  2       (1, 0)",
    ]


def test_text_of_unbounded_and_degenerate_regions(run):
    lines = run(FOLDER / "braid_4.npz", "--at", "-1,0,1,2").splitlines()
    assert "bounded   no" in lines and "centre    none: the region holds arbitrarily large balls" in lines
    assert "  line    (1, 1, 1, 1)" in lines and "vertices  0, and 3 rays" in lines
    assert "zero      neuron 3 on the whole region" in run(FOLDER / "thick_zero_2d.npz", "--at", "-1,-2")


def test_flat_domains_are_looked_at_in_their_affine_hull(run):
    model = FOLDER / "xor_01.npz"
    found = json.loads(run(model, "--at", "1/3,1/4", "--domain", "0:1,1/4:1/4", "--json"))
    assert (found["point"], found["pattern"], found["volume"]) == (["1/3"], "10", "3/4")
    assert found["vertices"] == [["0"], ["3/4"]]
    found = json.loads(run(model, "--at", "1/3,1/4", "--domain", "1/3:1/3,1/4:1/4", "--json"))
    assert (found["point"], found["pattern"], found["vertices"], found["volume"]) == ([], "10", [[]], "1")
    assert "a point" in run(model, "--at", "1/3,1/4", "--domain", "1/3:1/3,1/4:1/4")


def test_a_slice(run, tmp_path):
    (tmp_path / "line.json").write_text('{"points": [[0, 0], [1, 1]]}')
    found = json.loads(run(FOLDER / "xor_01.npz", "--slice", tmp_path / "line.json", "--at", "1/4", "--json"))
    assert (found["pattern"], found["vertices"], found["matrix"]) == ("10", [["0"], ["1/2"]], [["4"]])


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_points_from_files(run, tmp_path, suffix):
    file = tmp_path / f"point{suffix}"
    values = np.array([[0.25], [0.125]])
    if suffix == ".npy":
        np.save(file, values)
    if suffix == ".npz":
        np.savez(file, x=values)
    if suffix == ".csv":
        file.write_text("0.25\n1/8\n")
    assert json.loads(run(FOLDER / "xor_01.npz", "--at", file, "--json"))["point"] == ["1/4", "1/8"]


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (lambda path: np.savez(path, x=np.zeros(2), y=np.zeros(2)), "2 arrays"),
        (lambda path: np.savez(path, x=np.zeros(3)), "has 3"),
        (lambda path: np.savez(path, x=np.array(["a", "b"])), "<U1"),
        (lambda path: np.savez(path, x=np.array([np.nan, 0])), "finite"),
        (lambda path: path.write_text("no archive"), "Repair it"),
        (lambda path: path.mkdir(), "Check the path"),
    ],
)
def test_bad_point_files(capsys, tmp_path, write, complaint):
    file = tmp_path / "point.npz"
    write(file)
    assert cli.main(["region", str(FOLDER / "xor_01.npz"), "--at", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and complaint in err and str(file) in err


def test_many_inputs(run, tmp_path):
    network = testing.gaussian([20, 12, 8, 3], seed=1)
    arrays = {}
    for i, layer in enumerate(network.layers):
        arrays |= {f"W{i}": layer.weight, f"b{i}": layer.bias}
    model, point = tmp_path / "model.npz", tmp_path / "point.npy"
    np.savez(model, **arrays)
    np.save(point, np.full(20, 0.5))
    found = json.loads(run(model, "--at", point, "--domain", "0:1", "--json"))
    region = region_at(network, [0.5] * 20, Domain.unit(20))
    assert {f["neighbour"] for f in found["facets"]} - {None} == {str(pattern) for _, pattern in region.neighbours}
    assert (found["bounded"], found["vertices"], found["volume"]) == (True, None, None)
    assert "(--json lists its entries)" in run(model, "--at", point, "--domain", "0:1")

