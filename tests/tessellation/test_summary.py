"""Summaries and lists of tessellations."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cases import hash_lines, load_case

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.plane import Decisions
from polyrelu.errors import BudgetError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import HARD_TANH, PiecewiseLinear
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.summary import adjacency_lines, pattern_lines, summarise, write_files
from polyrelu.testing import braid, generic_arrangement, xor

COSTLY = ("linear_regions", "affine_maps", "hamming1_pairs", "hamming1_not_adjacent", "adjacent_not_hamming1")


def test_numbers():
    case = load_case("dup_split_2d")
    found = summarise(tessellate(case.network, case.domain))
    expected = case.expected
    assert (found.regions, found.bounded, found.vertices) == (
        expected["cells"], expected["bounded_cells"], expected["vertices"],
    )  # fmt: skip
    assert found.hamming1_not_adjacent == expected["hamming1_not_adjacent"]
    assert found.adjacent_not_hamming1 == expected["adjacent_not_hamming1"]
    assert found.checks == ("Euler's formula holds",) and not found.is_flat and found.is_complete


def test_vertices_are_those_strictly_inside():
    lines = generic_arrangement(2, 4)
    assert summarise(tessellate(lines)).vertices == 6
    assert summarise(tessellate(lines, Domain.box([-2, -2], [2, 2]))).vertices == 3


def test_areas_are_checked():
    t = tessellate(xor(), Domain.box(["-1/3", 0], [1, "1/2"]))
    assert summarise(t).checks[1] == "exact areas add up to the domain's 2/3"
    assert summarise(t, check=False).checks == ()
    line = tessellate(Network.from_arrays([([[1]], [0]), ([[1]], [0])]), Domain.box([-1], [2]))
    assert summarise(line).checks[1] == "exact lengths add up to the domain's 3"


def test_areas_that_do_not_add_up_are_reported():
    """A region is taken away: the numbers that are left must be refused."""
    t = tessellate(xor(), Domain.unit(2))
    with pytest.raises(InternalError):
        summarise(replace(t, domain=Domain.box([0, 0], [1, 2])))


def test_a_long_rational_is_shortened():
    t = tessellate(xor(), Domain.box([0, 0], [Fraction(1, 3**40), Fraction(1, 7**30)]))
    assert summarise(t).checks[1].endswith("e-45 (about)")


def test_costly_numbers_only_when_asked_for(monkeypatch):
    monkeypatch.setattr("polyrelu.tessellation.summary.MAX_ANALYSED", 2)
    t = tessellate(xor())
    assert all(getattr(summarise(t), name) is None for name in COSTLY)
    assert all(getattr(summarise(t, full=True), name) is not None for name in COSTLY)


def test_incomplete():
    with pytest.raises(BudgetError) as caught:
        tessellate(generic_arrangement(2, 7), max_regions=1)
    found = summarise(caught.value.partial, full=True)
    assert not found.is_complete and found.checks == () and found.linear_regions is None
    assert found.to_json()["complete"] is False and "incomplete" in found.to_text()


def test_json():
    found = json.loads(json.dumps(summarise(tessellate(xor())).to_json()))
    assert found["decisions"].keys() == set(Decisions._fields)
    assert found["regions"] == 3 and "complete" not in found and "affine_hull_dimension" not in found
    by_rationals = summarise(tessellate(braid(3), method=enumerate_brute)).to_json()
    assert by_rationals["decisions"] == {"filtered": 0, "extended": 0, "exact": None}
    flat = summarise(tessellate(xor(), Domain.box([0, 1], [1, 1])))
    assert flat.to_json()["affine_hull_dimension"] == 1


def test_text():
    t = tessellate(replace(xor(), notes=("A note.",)), Domain.box([0, 1], [1, 1]))
    lines = summarise(t).to_text().splitlines()
    assert lines[0].startswith("network") and "on a slice of dimension 1" in lines[0]
    assert lines[1].endswith("0:1,1:1 (flat: tessellated in its affine hull of dimension 1)")
    assert lines[-1].endswith("A note.")
    assert len({len(line) - len(line.split("  ")[-1].lstrip()) for line in lines}) == 1  # one column
    deep = Network.from_arrays([([[1.0]], [0.0])] * 14)
    assert "1-...-1, 14 layers" in summarise(tessellate(deep)).to_text().splitlines()[0]


def test_pattern_lines():
    case = load_case("int8_2_8_8_3_s33@box")
    lines = list(pattern_lines(tessellate(case.network, case.domain)))
    assert lines == sorted(lines) and hash_lines(lines) == case.expected["code_set_sha256"]


def test_adjacency_lines():
    case = load_case("dup_lines_2d")
    lines = list(adjacency_lines(tessellate(case.network, case.domain)))
    assert lines == sorted(lines) and hash_lines(lines) == case.expected["edge_set_sha256"]


def test_lines_of_other_activations():
    """Digits beyond a bit are written as `Pattern` writes them, and sorted as text."""
    stairs = PiecewiseLinear("stairs", range(40), [i % 2 for i in range(41)], _intercepts(40))
    t = tessellate(Network.from_arrays([([[1]], [0]), ([[1]], [0])], activation=stairs))
    patterns = list(pattern_lines(t))
    assert patterns == sorted(patterns) and {"0", "9", "a", "z", "(36)", "(40)"} <= set(patterns)
    lines = list(adjacency_lines(t))
    assert lines == sorted(lines) and len(lines) == 40 and "9 a" in lines and "(36) z" in lines
    tanh = tessellate(Network.from_arrays([(np.eye(2), [0, 0]), ([[1, 1]], [0])], activation=HARD_TANH))
    assert list(pattern_lines(tanh)) == ["00", "01", "02", "10", "11", "12", "20", "21", "22"]


def _intercepts(n: int) -> list[int]:
    intercepts = [0]
    for i in range(n):
        intercepts.append(intercepts[-1] + (i % 2 - (i + 1) % 2) * i)
    return intercepts


def test_no_neurons():
    t = tessellate(Network.from_arrays([([[1, 2]], [3])]))
    assert list(pattern_lines(t)) == [""] and list(adjacency_lines(t)) == []
    assert summarise(t).regions == 1


def test_write_files(tmp_path):
    t = tessellate(xor())
    table, patterns, adjacency = (tmp_path / name for name in ("t.parquet", "patterns", "adjacency"))
    write_files(t, None, patterns)
    assert [path.name for path in tmp_path.iterdir()] == ["patterns"]
    assert patterns.read_text() == "00\n10\n11\n"
    write_files(t, table, None, adjacency)
    assert adjacency.read_text() == "00 10\n10 11\n" and table.exists()
