"""Surfaces and polytopes in mesh files: Wavefront OBJ, Stanford PLY, and VTK's XML format, which ParaView reads.

All three are text. Coordinates are written as the shortest decimals that read back as the floats nearest to the exact
coordinates; polygons refer to vertices by number, so that what closes up exactly closes up in the file.

======  ===========================================================================================
format  holds
======  ===========================================================================================
.obj    vertices and polygons; polytopes as one group for each region, ``region_12``
.ply    vertices and polygons, whole numbers that belong to each polygon
.vtu    an unstructured grid of polygons or polyhedra, all data of cells and vertices
======  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import FileError
from polyrelu.exact.rational import nearest_float
from polyrelu.tessellation.polygons import Cycles
from polyrelu.tessellation.polytopes import Polytopes
from polyrelu.tessellation.surfaces import Surface
from polyrelu.tessellation.targets import replacing

__all__ = ["save_polytopes", "save_surface"]

POLYGON, POLYHEDRON = 7, 42
"""Cell types of VTK."""

LARGEST_LIST = 255
"""Polygons with more vertices need a wider type than the one byte that readers of PLY expect."""


def save_surface(surface: Surface, path: str | Path, overwrite: bool = False) -> None:
    """Write a surface to an .obj, .ply or .vtu file.

    Polygons carry ``region`` and ``beyond``, the regions of the original tessellation inside and outside (-1 beyond the
    domain), ``decided`` and ``decided_beyond``, what is decided there, and ``component``, which connected component it
    belongs to.

    Parameters
    ----------
    surface : Surface
    path : path
        Its ending chooses the format.
    overwrite : bool

    Raises
    ------
    FileError
        If the ending is another one, the folder is missing, the file exists, or the disk is full.
    """
    data = {
        "region": surface.regions[:, 0],
        "beyond": surface.regions[:, 1],
        "decided": surface.digits[:, 0],
        "decided_beyond": surface.digits[:, 1],
        "component": surface.topology.labels,
    }
    points = [tuple(nearest_float(x.numerator, x.denominator) for x in point) for point in surface.vertices_exact]
    _save("save_surface", _Mesh(np.array(points).reshape(-1, 3), surface.cycles, None, data), path, overwrite)


def save_polytopes(polytopes: Polytopes, path: str | Path, overwrite: bool = False) -> None:
    """Write all regions of a tessellation of space to an .obj, .ply or .vtu file.

    Polyhedra in .vtu files carry ``region``, ``pattern``, ``volume`` and each ``output`` at the mean of their vertices;
    vertices carry each ``output`` there. These are floats. In .obj and .ply files every region has polygons of its own,
    so that a common facet of two occurs twice, once for each side.

    Parameters and errors as for `save_surface`.

    Raises
    ------
    UnboundedError
        If a region is unbounded.
    """
    p, t = polytopes, polytopes.tessellation
    faces = [face for region in range(t.n_regions) for face in p.faces(region)]
    sizes = np.array([len(face) for face in faces], np.int64)
    cycles = Cycles(np.concatenate([[0], np.cumsum(sizes)]), np.concatenate([np.zeros(0, np.int32), *faces]))
    points = [tuple(nearest_float(x.numerator, x.denominator) for x in point) for point in t.vertices_exact()]
    outputs = t.network(np.array(points).reshape(-1, 3))
    means = np.add.reduceat(outputs[t.corner_vertices], t.corner_indptr[:-1]) / np.diff(t.corner_indptr)[:, None]
    names = [f"output_{k}" for k in range(t.network.n_out)]
    data = {
        "region": np.arange(t.n_regions),
        "pattern": [str(t.pattern(region)) for region in range(t.n_regions)],
        "volume": np.array([float(volume or 0) for volume in p.volumes]),
        **dict(zip(names, means.T, strict=True)),
    }
    mesh = _Mesh(np.array(points), cycles, p.region_indptr, data, dict(zip(names, outputs.T, strict=True)))
    _save("save_polytopes", mesh, path, overwrite)


@dataclass(frozen=True)
class _Mesh:
    """What a file holds.

    Attributes
    ----------
    points : float64 array, shape (n_points, 3)
    cycles : Cycles
    cell_indptr : int64 array, shape (n_cells + 1,), or None
        The polygons of each polyhedron; None: each polygon is a cell.
    cell_data, point_data : dict
        Arrays of numbers, or lists of texts.
    """

    points: NDArray[np.float64]
    cycles: Cycles
    cell_indptr: NDArray[np.int64] | None
    cell_data: Mapping[str, NDArray | list[str]]
    point_data: Mapping[str, NDArray] = field(default_factory=dict)

    @property
    def n_cells(self) -> int:
        return len(self.cycles.indptr if self.cell_indptr is None else self.cell_indptr) - 1

    @property
    def cells(self) -> NDArray[np.int64]:
        """The cell of each polygon."""
        sizes = np.ones(self.n_cells, np.int64) if self.cell_indptr is None else np.diff(self.cell_indptr)
        return np.repeat(np.arange(self.n_cells), sizes)

    def polygons(self) -> Iterator[list[int]]:
        """Yield the vertices of each polygon."""
        for index in range(len(self.cycles.indptr) - 1):
            yield self.cycles.of(index).tolist()


def _save(who: str, mesh: _Mesh, path: str | Path, overwrite: bool) -> None:
    target = Path(path)
    write = WRITERS.get(target.suffix.lower())
    if write is None:
        raise FileError(f"{who} needs a name in {', '.join(WRITERS)} but received {str(path)!r}. Rename it.")
    if not target.parent.is_dir():
        raise FileError(f"{who} needs an existing folder but received {str(target.parent)!r}. Make it first.")
    if target.is_dir():
        raise FileError(f"{who} needs the name of a file but received the folder {str(target)!r}. Add a name.")
    if target.exists() and not overwrite:
        raise FileError(f"{who} needs a new file but {str(target)!r} exists. Rename it, or pass overwrite=True.")
    with replacing(target) as place, place.open("w", encoding="ascii", newline="\n") as stream:
        write(mesh, stream)


def _write_obj(mesh: _Mesh, stream: TextIO) -> None:
    stream.write("# polyrelu\n")
    for point in mesh.points.tolist():
        stream.write(f"v {_joined(point)}\n")
    cells, group = mesh.cells.tolist(), -1
    for cell, polygon in zip(cells, mesh.polygons(), strict=True):
        if mesh.cell_indptr is not None and cell != group:
            group = cell
            stream.write(f"g region_{cell}\n")
        stream.write(f"f {_joined([v + 1 for v in polygon])}\n")


def _write_ply(mesh: _Mesh, stream: TextIO) -> None:
    sizes = np.diff(mesh.cycles.indptr)
    numbers = {name: values for name, values in mesh.cell_data.items() if np.asarray(values).dtype.kind == "i"}
    size_type = "uchar" if sizes.max(initial=0) <= LARGEST_LIST else "uint"
    header = [
        "ply", "format ascii 1.0", "comment polyrelu", f"element vertex {len(mesh.points)}",
        *(f"property double {axis}" for axis in "xyz"), f"element face {len(sizes)}",
        f"property list {size_type} int vertex_indices", *(f"property int {name}" for name in numbers), "end_header",
    ]  # fmt: skip
    stream.write("\n".join(header) + "\n")
    for point in mesh.points.tolist():
        stream.write(f"{_joined(point)}\n")
    rows = np.stack([np.asarray(values)[mesh.cells] for values in numbers.values()], axis=1).tolist()
    for polygon, row in zip(mesh.polygons(), rows, strict=True):
        stream.write(f"{_joined([len(polygon), *polygon, *row])}\n")


def _write_vtu(mesh: _Mesh, stream: TextIO) -> None:
    stream.write('<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian">\n')
    stream.write(f'<UnstructuredGrid>\n<Piece NumberOfPoints="{len(mesh.points)}" NumberOfCells="{mesh.n_cells}">\n')
    for section, data in (("PointData", mesh.point_data), ("CellData", mesh.cell_data)):
        stream.write(f"<{section}>\n")
        for name, values in data.items():
            _write_array(stream, name, values)
        stream.write(f"</{section}>\n")
    stream.write("<Points>\n")
    _write_array(stream, "points", mesh.points)
    stream.write("</Points>\n<Cells>\n")
    for name, values in _vtk_cells(mesh).items():
        _write_array(stream, name, values)
    stream.write("</Cells>\n</Piece>\n</UnstructuredGrid>\n</VTKFile>\n")


def _vtk_cells(mesh: _Mesh) -> dict[str, NDArray]:
    """Return the arrays that describe cells: vertices, where they end, types, and the polygons of polyhedra."""
    if mesh.cell_indptr is None:
        on, ends = mesh.cycles.vertices.astype(np.int64), mesh.cycles.indptr[1:]
        return {"connectivity": on, "offsets": ends, "types": np.full(mesh.n_cells, POLYGON, np.uint8)}
    vertices, offsets, faces, face_offsets = [], [], [], []
    polygons = list(mesh.polygons())
    for start, stop in pairwise(mesh.cell_indptr.tolist()):
        vertices += sorted({v for polygon in polygons[start:stop] for v in polygon})
        faces += [stop - start, *(number for polygon in polygons[start:stop] for number in (len(polygon), *polygon))]
        offsets.append(len(vertices))
        face_offsets.append(len(faces))
    arrays = {"connectivity": vertices, "offsets": offsets, "faces": faces, "faceoffsets": face_offsets}
    types = np.full(mesh.n_cells, POLYHEDRON, np.uint8)
    return {**{name: np.array(values, np.int64) for name, values in arrays.items()}, "types": types}


def _write_array(stream: TextIO, name: str, values: NDArray | list[str]) -> None:
    """Write one array; texts are character codes that end with 0, as VTK has them."""
    if isinstance(values, list):
        kind, rows = f'type="String" NumberOfTuples="{len(values)}"', [[*text.encode("ascii"), 0] for text in values]
    else:
        array = np.asarray(values)
        width = array.shape[1] if array.ndim == 2 else 1
        kind = f'type="{VTK_TYPES[array.dtype.name]}" NumberOfComponents="{width}"'
        rows = array.reshape(-1, width).tolist()
    stream.write(f'<DataArray {kind} Name="{name}" format="ascii">\n')
    stream.writelines(f"{_joined(row)}\n" for row in rows)
    stream.write("</DataArray>\n")


VTK_TYPES = {"float64": "Float64", "int64": "Int64", "int32": "Int32", "uint8": "UInt8"}

WRITERS: dict[str, Callable[[_Mesh, TextIO], None]] = {".obj": _write_obj, ".ply": _write_ply, ".vtu": _write_vtu}


def _joined(values: Sequence[float]) -> str:
    return " ".join(map(repr, values))
