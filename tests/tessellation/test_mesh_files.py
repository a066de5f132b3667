"""Mesh files, read back by small readers that share nothing with the writers."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from polyrelu.errors import FileError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.mesh_files import save_polytopes, save_surface
from polyrelu.tessellation.polytopes import polytopes
from polyrelu.tessellation.surfaces import decision_surface, level_surface
from polyrelu.tessellation.topology import topology_of
from polyrelu.testing import gaussian, grid

CUBE = Domain.box([-1] * 3, [1] * 3)


@pytest.fixture(scope="module")
def surface():
    return level_surface(tessellate(gaussian([3, 4, 3, 1], seed=1), CUBE), cap=True)


@pytest.fixture(scope="module")
def cells():
    return polytopes(tessellate(gaussian([3, 5, 2], seed=4), CUBE))


def read_obj(path):
    """Return points, and polygons by group."""
    points, groups, name = [], {}, ""
    for line in path.read_text().splitlines():
        word, *rest = line.split()
        if word == "v":
            points.append([float(x) for x in rest])
        elif word == "g":
            [name] = rest
        elif word == "f":
            groups.setdefault(name, []).append([int(v) - 1 for v in rest])
    return points, groups


def read_ply(path):
    """Return points, polygons, and the whole numbers behind each polygon by name."""
    head, body = path.read_text().split("end_header\n")
    assert head.startswith("ply\nformat ascii 1.0\n")
    counts = {line.split()[1]: int(line.split()[2]) for line in head.splitlines() if line.startswith("element")}
    names = [line.split()[-1] for line in head.splitlines() if line.startswith("property int")]
    lines = body.splitlines()
    assert len(lines) == counts["vertex"] + counts["face"]
    rows = [[int(x) for x in line.split()] for line in lines[counts["vertex"] :]]
    points = [[float(x) for x in line.split()] for line in lines[: counts["vertex"]]]
    data = [dict(zip(names, row[row[0] + 1 :], strict=True)) for row in rows]
    return points, [row[1 : row[0] + 1] for row in rows], data


def read_vtu(path):
    """Return the arrays of an unstructured grid by name, after checking their sizes."""
    root = ElementTree.parse(path).getroot()
    assert root.attrib["type"] == "UnstructuredGrid"
    [piece] = root.iter("Piece")
    n_points, n_cells = int(piece.attrib["NumberOfPoints"]), int(piece.attrib["NumberOfCells"])
    arrays = {}
    for section in piece:
        for node in section:
            kind, name = node.attrib["type"], node.attrib["Name"]
            words = (node.text or "").split()
            if kind == "String":
                values = bytes(int(word) for word in words).decode().split("\0")[:-1]
            else:
                values = np.array(words, float if kind.startswith("Float") else int)
                values = values.reshape(-1, 3) if node.attrib["NumberOfComponents"] == "3" else values
            if section.tag in ("PointData", "CellData", "Points"):
                assert len(values) == (n_cells if section.tag == "CellData" else n_points)
            arrays[section.tag, name] = values
    assert len(arrays["Cells", "offsets"]) == len(arrays["Cells", "types"]) == n_cells
    return arrays


def flat(polygons):
    return np.cumsum([0, *map(len, polygons)]), [v for polygon in polygons for v in polygon]


@pytest.mark.parametrize("suffix", ["obj", "ply", "vtu"])
def test_surfaces_read_back(surface, tmp_path, suffix):
    path = tmp_path / f"surface.{suffix}"
    save_surface(surface, path)
    if suffix == "obj":
        points, groups = read_obj(path)
        polygons = groups[""]
    elif suffix == "ply":
        points, polygons, data = read_ply(path)
        assert [row["region"] for row in data] == surface.regions[:, 0].tolist()
        assert [row["beyond"] for row in data] == surface.regions[:, 1].tolist()
        assert {row["decided"] for row in data} == {1} and {row["decided_beyond"] for row in data} == {0, -1}
    else:
        arrays = read_vtu(path)
        points, bounds = arrays["Points", "points"], [0, *arrays["Cells", "offsets"]]
        on = arrays["Cells", "connectivity"]
        polygons = [on[a:b].tolist() for a, b in pairwise(bounds)]
        assert set(arrays["Cells", "types"].tolist()) == {7}
        assert arrays["CellData", "component"].tolist() == surface.topology.labels.tolist()
    assert polygons == [surface.cycles.of(i).tolist() for i in range(len(surface))]
    assert [[float(x) for x in point] for point in surface.vertices_exact] == [list(point) for point in points]
    assert topology_of(*flat(polygons)).is_closed


@pytest.mark.parametrize("suffix", ["obj", "ply"])
def test_polygons_of_regions_read_back(cells, tmp_path, suffix):
    path = tmp_path / f"cells.{suffix}"
    save_polytopes(cells, path)
    if suffix == "obj":
        points, groups = read_obj(path)
    else:
        points, polygons, data = read_ply(path)
        groups = {}
        for polygon, row in zip(polygons, data, strict=True):
            groups.setdefault(f"region_{row['region']}", []).append(polygon)
    assert list(groups) == [f"region_{i}" for i in range(cells.tessellation.n_regions)]
    for i, polygons in enumerate(groups.values()):
        assert topology_of(*flat(polygons)).components[0].name == "sphere"
        assert volume_of(points, polygons) == pytest.approx(float(cells.volume(i)))


def test_polyhedra_read_back(cells, tmp_path):
    path = tmp_path / "cells.vtu"
    save_polytopes(cells, path)
    arrays, t = read_vtu(path), cells.tessellation
    assert set(arrays["Cells", "types"].tolist()) == {42}
    assert arrays["CellData", "pattern"] == [str(t.pattern(i)) for i in range(t.n_regions)]
    assert arrays["CellData", "region"].tolist() == list(range(t.n_regions))
    points = arrays["Points", "points"]
    stream, ends = arrays["Cells", "faces"].tolist(), [0, *arrays["Cells", "faceoffsets"].tolist()]
    corners = [0, *arrays["Cells", "offsets"].tolist()]
    for i in range(t.n_regions):
        count, *rest = stream[ends[i] : ends[i + 1]]
        polygons = []
        while rest:
            polygons.append(rest[1 : rest[0] + 1])
            rest = rest[rest[0] + 1 :]
        assert len(polygons) == count
        on = arrays["Cells", "connectivity"][corners[i] : corners[i + 1]].tolist()
        assert on == sorted(t.corners(i).tolist()) == sorted({v for polygon in polygons for v in polygon})
        assert arrays["CellData", "volume"][i] == float(cells.volume(i)) == pytest.approx(volume_of(points, polygons))
        exact = [t.network.exact(t.vertex_exact(v)) for v in on]
        for k in range(2):
            mean = float(sum((values[k] for values in exact), Fraction(0)) / len(exact))
            assert arrays["CellData", f"output_{k}"][i] == pytest.approx(mean)
            assert arrays["PointData", f"output_{k}"][on].tolist() == pytest.approx([float(v[k]) for v in exact])


def volume_of(points, polygons) -> float:
    points = np.asarray(points)
    triangles = [(p[0], q, r) for p in polygons for q, r in pairwise(p[1:])]
    return float(np.linalg.det(points[triangles]).sum() / 6)


def test_an_empty_surface_can_be_written(tmp_path):
    nothing = level_surface(tessellate(grid(1, 1, 1), CUBE), level=100)
    for suffix in ("obj", "ply", "vtu"):
        save_surface(nothing, tmp_path / f"nothing.{suffix}")
    assert read_ply(tmp_path / "nothing.ply")[:2] == ([], [])
    assert len(read_vtu(tmp_path / "nothing.vtu")["Cells", "types"]) == 0


def test_surface_of_all_classes(tmp_path, cells):
    save_surface(decision_surface(cells.tessellation), tmp_path / "classes.ply")
    data = read_ply(tmp_path / "classes.ply")[2]
    assert {(row["decided"], row["decided_beyond"]) for row in data} == {(0, 1)}


def test_refusals(surface, cells, tmp_path):
    with pytest.raises(FileError, match=r"save_surface needs a name in \.obj, \.ply, \.vtu"):
        save_surface(surface, tmp_path / "surface.stl")
    with pytest.raises(FileError, match="existing folder"):
        save_polytopes(cells, tmp_path / "nowhere" / "cells.obj")
    with pytest.raises(FileError, match="received the folder"):
        (tmp_path / "folder.obj").mkdir()
        save_surface(surface, tmp_path / "folder.obj")
    save_surface(surface, tmp_path / "surface.obj")
    before = (tmp_path / "surface.obj").read_bytes()
    with pytest.raises(FileError, match="overwrite=True"):
        save_surface(surface, tmp_path / "surface.obj")
    save_surface(surface, tmp_path / "surface.obj", overwrite=True)
    assert (tmp_path / "surface.obj").read_bytes() == before
    with pytest.raises(UnboundedError, match="bounded domain"):
        save_polytopes(polytopes(tessellate(grid(1, 1, 1))), tmp_path / "cells.vtu")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.obj", "surface.obj"]
