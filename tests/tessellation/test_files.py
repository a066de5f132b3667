"""Tessellations survive a file, and no damaged or foreign file passes for one."""

from __future__ import annotations

import json
import random
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import domains, networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import BudgetError, FileError
from polyrelu.exact.domain import Domain
from polyrelu.tessellation import files
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.model import Tessellation
from polyrelu.testing import braid, gaussian, grid, thick_zero, xor


def assert_equal(left: Tessellation, right: Tessellation) -> None:
    for field in fields(Tessellation):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if isinstance(a, np.ndarray):
            assert (a.dtype, a.shape) == (b.dtype, b.shape), field.name
            assert (a == b).all(), field.name
        elif field.name == "network":
            assert a.hash == b.hash
        else:
            assert a == b, field.name


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(data, tmp_path):
    network = data.draw(networks((1, 2, 3), max_neurons=5))
    t = tessellate(network, data.draw(domains(network.dim)))
    t.save(tmp_path / "t.parquet", overwrite=True)
    assert_equal(Tessellation.load(tmp_path / "t.parquet", network), t)


@pytest.mark.parametrize("network", [xor(), braid(4), gaussian([2, 70, 3]), gaussian([1, 4, 1])])
def test_round_trip_in_small_row_groups(network, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ROWS", 50)
    t = tessellate(network)
    t.save(tmp_path / "t.parquet")
    found = Tessellation.load(tmp_path / "t.parquet", network)
    assert_equal(found, t)
    found.check_euler()
    assert found.n_linear_regions == t.n_linear_regions


def test_incomplete_and_flat_ones_survive_too(tmp_path):
    network = gaussian([2, 64, 64, 1])
    with pytest.raises(BudgetError) as caught:
        tessellate(network, max_regions=5)
    caught.value.partial.save(tmp_path / "partial")
    assert not Tessellation.load(tmp_path / "partial", network).is_complete
    flat = tessellate(xor(), Domain.box([0, 0], [2, 0]))
    flat.save(tmp_path / "flat")
    for same in (xor(), flat.network):
        assert Tessellation.load(tmp_path / "flat", same).hull == flat.hull


def test_what_is_in_a_file_can_be_read_by_others(tmp_path):
    t = tessellate(grid(1, 1), Domain.box([-1, -1], [1, 1]))
    t.save(tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    assert table["kind"].value_counts().to_pylist() == [
        {"values": "region", "counts": 4},
        {"values": "vertex", "counts": 9},
        {"values": "facet", "counts": 12},
    ]
    assert table.schema.metadata[b"network"].decode() == t.network.hash


def test_other_networks_and_files_are_refused(tmp_path):
    path = tmp_path / "t.parquet"
    tessellate(xor()).save(path)
    with pytest.raises(FileError, match="another one"):
        Tessellation.load(path, thick_zero())
    with pytest.raises(FileError, match="readable"):
        Tessellation.load(tmp_path / "none.parquet", xor())
    with pytest.raises(FileError, match="readable"):
        Tessellation.load(tmp_path, xor())
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    with pytest.raises(FileError, match="another one"):
        Tessellation.load(tmp_path / "other.parquet", xor())
    (tmp_path / "text").write_text("no Parquet at all, but long enough to be looked at" * 10)
    with pytest.raises(FileError, match="text"):
        Tessellation.load(tmp_path / "text", xor())


def test_places_that_cannot_be_written_are_refused(tmp_path, monkeypatch):
    t, path = tessellate(xor()), tmp_path / "t.parquet"
    path.write_text("mine")
    with pytest.raises(FileError, match="exists"):
        t.save(path)
    assert path.read_text() == "mine"
    with pytest.raises(FileError, match="folder"):
        t.save(tmp_path / "missing" / "t.parquet")
    with pytest.raises(FileError, match="folder"):
        t.save(tmp_path)

    def no_space(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", no_space)
    with pytest.raises(FileError, match="No space left"):
        t.save(path, overwrite=True)
    assert path.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


@pytest.mark.skipif(not __import__("os").path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_device_is_reported(tmp_path):
    with pytest.raises(FileError):
        tessellate(xor()).save("/dev/full", overwrite=True)


def test_damaged_bytes_are_refused(tmp_path):
    network, path = gaussian([2, 12, 1]), tmp_path / "t.parquet"
    t = tessellate(network)
    t.save(path)
    whole = path.read_bytes()
    rng = random.Random(0)
    for _ in range(150):
        damaged = bytearray(whole)
        if rng.random() < 0.3:
            damaged = damaged[: rng.randrange(len(whole))]
        else:
            damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            found = Tessellation.load(path, network)
        except FileError:
            continue
        assert_equal_numbers(found, t)


def assert_equal_numbers(left: Tessellation, right: Tessellation) -> None:
    """Damage in the notes (seconds, labels, versions) may pass; in the numbers it may not."""
    for field in fields(Tessellation):
        if isinstance(getattr(left, field.name), np.ndarray):
            assert (getattr(left, field.name) == getattr(right, field.name)).all(), field.name


def rewritten(path, change) -> None:
    """Write a file again with changed columns or metadata."""
    table = pq.read_table(path)
    columns = {name: table[name].to_pylist() for name in table.column_names}
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    change(columns, metadata)
    schema = table.schema.with_metadata(metadata)
    kinds = columns["kind"]
    with pq.ParquetWriter(path, schema) as writer:
        for kind in dict.fromkeys(kinds):
            rows = [i for i, other in enumerate(kinds) if other == kind]
            part = {name: [values[i] for i in rows] for name, values in columns.items()}
            writer.write_table(pa.table(part, schema=schema))


def first(columns, kind: str) -> int:
    return columns["kind"].index(kind)


CHANGES = {
    "a vertex that does not exist": lambda c, m: c["vertices"][first(c, "region")].__setitem__(0, 99),
    "a negative vertex": lambda c, m: c["vertices"][first(c, "facet")].__setitem__(0, -1),
    "a region that does not exist": lambda c, m: c["regions"][first(c, "facet")].__setitem__(1, 99),
    "an unknown region": lambda c, m: c["regions"][first(c, "facet")].__setitem__(1, -2),
    "a neuron that does not exist": lambda c, m: c["neurons"].__setitem__(first(c, "facet"), [99]),
    "a foreign bit": lambda c, m: c["pattern"].__setitem__(0, [2**63]),
    "a pattern of two words": lambda c, m: c["pattern"].__setitem__(0, [1, 1]),
    "a place that is none": lambda c, m: c["place"].__setitem__(first(c, "vertex"), 7),
    "a row of no neuron": lambda c, m: c["rows"].__setitem__(first(c, "vertex"), [99, 0, 0, 0]),
    "a row of no digit": lambda c, m: c["rows"].__setitem__(first(c, "vertex"), [0, 5, 1, 0]),
    "a row of no side": lambda c, m: c["rows"].__setitem__(first(c, "vertex"), [-2, 9, -2, 0]),
    "a missing list": lambda c, m: c["vertices"].__setitem__(0, None),
    "a point with three coordinates": lambda c, m: c["point"].__setitem__(first(c, "vertex"), [0.0, 0.0, 0.0]),
    "a point that is no number": lambda c, m: c["point"].__setitem__(first(c, "vertex"), [float("nan"), 0.0]),
    "a lost facet": lambda c, m: [values.pop() for values in c.values()],
    "another kind": lambda c, m: c["kind"].__setitem__(slice(None), ["x"] * len(c["kind"])),
    "a domain of another dimension": lambda c, m: m.__setitem__("domain", Domain.unit(3).to_text()),
    "a domain that is none": lambda c, m: m.__setitem__("domain", "[]"),
    "no hash": lambda c, m: m.pop("network"),
    "counts that are none": lambda c, m: m.__setitem__("counts", json.dumps("many")),
    "decisions that are none": lambda c, m: m.__setitem__("decisions", "[1]"),
    "a hull that is none": lambda c, m: m.__setitem__("hull", '[["x"]]'),
    "seconds that are none": lambda c, m: m.__setitem__("seconds", "[]"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_changed_files_are_refused(what, tmp_path):
    path = tmp_path / "t.parquet"
    network = grid(1, 1)
    tessellate(network, Domain.box([-1, -1], [1, 1])).save(path)
    rewritten(path, lambda columns, metadata: None)
    Tessellation.load(path, network)
    rewritten(path, CHANGES[what])
    with pytest.raises(FileError):
        Tessellation.load(path, network)


def test_exact_assemblies_are_files_too(tmp_path):
    t = tessellate(thick_zero(), method=enumerate_brute)
    t.save(tmp_path / "t")
    found = Tessellation.load(tmp_path / "t", thick_zero())
    assert found.vertices_exact() == t.vertices_exact() and found.decisions is None


def test_a_point_is_saved_and_found(tmp_path):
    network = thick_zero()
    t = tessellate(network, Domain.box([0, 1], [0, 1]))
    t.save(tmp_path / "point.parquet")
    loaded = Tessellation.load(tmp_path / "point.parquet", network)
    assert str(loaded.pattern(0)) == str(network.exact.pattern_at([0, 1]))
    assert loaded.hull.point(()) == (0, 1) and loaded.n_facets == loaded.n_vertices == 0
    assert loaded.locate([[]]).tolist() == [0]
    assert loaded.network.exact(()) == network.exact([0, 1])
