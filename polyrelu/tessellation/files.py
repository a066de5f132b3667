"""Tessellations in Parquet files: one row for each region, vertex and facet, in row groups of one kind.

=============  =======================================================================================
column         meaning
=============  =======================================================================================
kind           "region", "vertex" or "facet"
neurons        neurons that vanish on it, list of int32
vertices       regions and facets: their vertices, list of int32
pattern        regions: the packed pattern, list of uint64
is_bounded     regions: whether they are bounded
witness        regions of enumerations in space: a point, list of float64
point          vertices: coordinates (at infinity: direction), list of float64
far_point      vertices at infinity: a point of the line towards it, list of float64
place          vertices: 0 inside the domain, 1 on its border, 2 at infinity
region         vertices: a region with it
rows           vertices: `Tessellation.vertex_rows`, facets: `Tessellation.facet_rows`, list of int32
regions        facets: the regions on both sides, list of int32
=============  =======================================================================================

What does not apply is null. The schema's metadata hold the network's hash, the domain and the counts; pages
carry checksums, and `load` checks every number that is used as an index.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.plane import Decisions
from polyrelu.errors import FileError
from polyrelu.exact.domain import Domain
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.tessellation.checks import check_arrays
from polyrelu.tessellation.marks import AT_INFINITY
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.targets import replacing

if TYPE_CHECKING:
    import pyarrow

__all__ = ["load", "save"]

FORMAT = "polyrelu tessellation 2"
ROWS = 1 << 16
"""Rows of one row group."""

LISTS = {
    "neurons": "int32", "vertices": "int32", "pattern": "uint64", "witness": "float64", "point": "float64",
    "far_point": "float64", "rows": "int32", "regions": "int32",
}  # fmt: skip
NUMBERS = {"is_bounded": "bool", "place": "uint8", "region": "int32"}


def save(tessellation: Tessellation, path: str | Path, overwrite: bool = False) -> None:
    """Write a tessellation to a Parquet file.

    The file is written beside its place and then moved there, so that nobody sees half of it.

    Raises
    ------
    FileError
        If the folder is missing, the file exists and ``overwrite`` is False, or the disk is full.
    """
    import pyarrow
    from pyarrow import parquet

    target = Path(path)
    if not target.parent.is_dir():
        raise FileError(f"save needs an existing folder but received {str(target.parent)!r}. Make it first.")
    if target.is_dir():
        raise FileError(f"save needs the name of a file but received the folder {str(target)!r}. Add a name.")
    if target.exists() and not overwrite:
        raise FileError(f"save needs a new file but {str(target)!r} exists. Rename it, or pass overwrite=True.")
    columns = {name: pyarrow.list_(pyarrow.type_for_alias(kind)) for name, kind in LISTS.items()}
    columns |= {name: pyarrow.type_for_alias(kind) for name, kind in NUMBERS.items()}
    schema = pyarrow.schema([("kind", pyarrow.string()), *columns.items()], metadata=_metadata(tessellation))
    with replacing(target) as place, parquet.ParquetWriter(place, schema, write_page_checksum=True) as writer:
        for group in _groups(tessellation):
            size = len(group["kind"])
            missing = {field.name: pyarrow.nulls(size, field.type) for field in schema if field.name not in group}
            writer.write_table(pyarrow.table(group | missing, schema=schema))


def _metadata(t: Tessellation) -> dict[str, str]:
    from polyrelu import __version__

    hull = None if t.hull is None else [[str(value) for value in row] for row in t.hull.matrix.to_fractions()]
    return {
        "format": FORMAT,
        "polyrelu": __version__,
        "network": t.network.hash,
        "domain": t.domain.to_text(),
        "hull": json.dumps(hull),
        "decisions": json.dumps(t.decisions),
        "seconds": json.dumps(t.seconds),
        "is_complete": json.dumps(t.is_complete),
        "has_vertices": json.dumps(t.has_vertices),
        "has_witnesses": json.dumps(t.witnesses is not None),
        "counts": json.dumps([t.n_regions, len(t.vertex_kind), t.n_facets]),
    }


def _groups(t: Tessellation) -> Iterator[dict[str, pyarrow.Array]]:
    """Yield the row groups: columns that are not null."""
    import pyarrow

    def equal(values: NDArray) -> pyarrow.Array:
        flat = np.ascontiguousarray(values).reshape(len(values), -1)
        offsets = np.arange(len(flat) + 1, dtype=np.int32) * flat.shape[1]
        return pyarrow.ListArray.from_arrays(offsets, flat.ravel())

    def lists(indptr: NDArray[np.int64], values: NDArray[np.int32], start: int, stop: int) -> pyarrow.Array:
        bounds = indptr[start : stop + 1]
        return pyarrow.ListArray.from_arrays((bounds - bounds[0]).astype(np.int32), values[bounds[0] : bounds[-1]])

    far_place = np.full(len(t.vertex_kind), -1, np.int64)
    far_place[t.far_vertices] = np.arange(len(t.far_vertices))
    for kind, size in (("region", t.n_regions), ("vertex", len(t.vertex_kind)), ("facet", t.n_facets)):
        for start in range(0, size, ROWS):
            stop = min(start + ROWS, size)
            part = slice(start, stop)
            group = {"kind": pyarrow.array([kind] * (stop - start))}
            if kind == "region":
                group["pattern"] = equal(t.words[part])
                group["is_bounded"] = pyarrow.array(t.bounded[part])
                if t.witnesses is not None:
                    group["witness"] = equal(t.witnesses[part])
                group["vertices"] = lists(t.corner_indptr, t.corner_vertices, start, stop)
                group["neurons"] = lists(t.region_zero_indptr, t.region_zero_neurons, start, stop)
            elif kind == "vertex":
                far = far_place[part]
                lengths = np.where(far >= 0, t.dim, 0)
                offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
                group["point"] = equal(t.vertices_float[part])
                group["far_point"] = pyarrow.ListArray.from_arrays(offsets, t.far_points[far[far >= 0]].ravel())
                group["place"] = pyarrow.array(t.vertex_kind[part])
                group["region"] = pyarrow.array(t.vertex_region[part])
                group["rows"] = equal(t.vertex_rows[part])
                group["neurons"] = lists(t.vertex_zero_indptr, t.vertex_zero_neurons, start, stop)
            else:
                group["regions"] = equal(t.facet_regions[part])
                group["rows"] = equal(t.facet_rows[part])
                group["vertices"] = lists(t.facet_indptr, t.facet_vertices, start, stop)
                group["neurons"] = lists(t.facet_zero_indptr, t.facet_zero_neurons, start, stop)
            yield group


def load(path: str | Path, network: Network) -> Tessellation:
    """Return the tessellation in a file that `save` wrote.

    Parameters
    ----------
    network : Network
        The one that was tessellated; for a flat domain the original one or its restriction.

    Raises
    ------
    FileError
        If the file is missing, damaged, or of another network.
    """
    import pyarrow
    from pyarrow import parquet

    name = str(path)
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            metadata = {key.decode(): value.decode() for key, value in (file.schema_arrow.metadata or {}).items()}
            if metadata.get("format") != FORMAT:
                raise FileError(f"load needs a file that `save` wrote but {name!r} is another one. Name such a file.")
            groups = [file.read_row_group(i) for i in range(file.num_row_groups)]
        facts = _facts(metadata)
        tables = {kind: _rows(groups, kind) for kind in ("region", "vertex", "facet")}
        known = _of_network(network, facts["hull"], metadata["network"], name)
        result = _tessellation(known, facts, tables)
    except OSError as error:
        raise FileError(f"load needs a readable Parquet file but {name!r} is none ({error}). Save it again.") from None
    except (pyarrow.ArrowException, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"load needs what `save` wrote but {name!r} is damaged ({error}). Save it again.") from None
    counts = [result.n_regions, len(result.vertex_kind), result.n_facets]
    if counts != facts["counts"]:
        raise FileError(f"load needs {facts['counts']} rows but {name!r} has {counts}. Save it again.")
    check_arrays(result, name)
    return result


def _facts(metadata: dict[str, str]) -> dict[str, Any]:
    hull = json.loads(metadata["hull"])
    decisions = json.loads(metadata["decisions"])
    return {
        "domain": Domain.from_text(metadata["domain"]),
        "hull": None if hull is None else Slice(RationalMatrix.from_rows(hull)),
        "decisions": None if decisions is None else Decisions(*decisions),
        "seconds": {str(key): float(value) for key, value in json.loads(metadata["seconds"]).items()},
        **{name: bool(json.loads(metadata[name])) for name in ("is_complete", "has_vertices", "has_witnesses")},
        "counts": json.loads(metadata["counts"]),
    }


def _of_network(network: Network, hull: Slice | None, expected: str, name: str) -> Network:
    """Return the network, or its restriction, that has the expected hash."""
    if network.hash == expected:
        return network
    if hull is not None and hull.ambient_dim == network.dim:
        restricted = network.restrict(hull)
        if restricted.hash == expected:
            return restricted
    raise FileError(
        f"load needs the network of {name!r} (hash {expected[:12]}…) but received another one "
        f"({network.hash[:12]}…). Load the model that was tessellated."
    )


def _rows(groups: list[pyarrow.Table], kind: str) -> pyarrow.Table:
    """Return all rows of one kind; the kinds lie in row groups of their own."""
    import pyarrow

    chosen = [group for group in groups if group.num_rows and group["kind"][0].as_py() == kind]
    return pyarrow.concat_tables(chosen) if chosen else groups[0].slice(0, 0) if groups else None


def _tessellation(network: Network, facts: dict[str, Any], tables: dict[str, pyarrow.Table]) -> Tessellation:
    region, vertex, facet = tables["region"], tables["vertex"], tables["facet"]
    dim, n_words = network.dim, network.layout.n_words
    if region["is_bounded"].null_count:
        raise ValueError("a region is neither bounded nor unbounded")
    kinds = vertex["place"].to_numpy()
    far = np.flatnonzero(kinds == AT_INFINITY)
    arrays: dict[str, NDArray] = {}
    for table, column, names in (
        (region, "vertices", ("corner_indptr", "corner_vertices")),
        (region, "neurons", ("region_zero_indptr", "region_zero_neurons")),
        (vertex, "neurons", ("vertex_zero_indptr", "vertex_zero_neurons")),
        (facet, "vertices", ("facet_indptr", "facet_vertices")),
        (facet, "neurons", ("facet_zero_indptr", "facet_zero_neurons")),
    ):
        arrays[names[0]], arrays[names[1]] = _read_lists(table[column])
    return Tessellation(
        network=network,
        domain=facts["domain"],
        hull=facts["hull"],
        words=_read_equal(region["pattern"], n_words),
        vertices_float=_read_equal(vertex["point"], dim),
        vertex_kind=kinds,
        far_vertices=far.astype(np.int32),
        far_points=_read_lists(vertex["far_point"])[1].reshape(len(far), dim),
        vertex_region=vertex["region"].to_numpy(),
        vertex_rows=_read_equal(vertex["rows"], 2 * dim).reshape(len(vertex["rows"]), dim, 2),
        facet_regions=_read_equal(facet["regions"], 2),
        facet_rows=_read_equal(facet["rows"], 2),
        bounded=region["is_bounded"].to_numpy(),
        decisions=facts["decisions"],
        seconds=facts["seconds"],
        is_complete=facts["is_complete"],
        has_vertices=facts["has_vertices"],
        witnesses=_read_equal(region["witness"], dim) if facts["has_witnesses"] else None,
        **arrays,
    )


def _read_lists(column: pyarrow.ChunkedArray) -> tuple[NDArray[np.int64], NDArray]:
    """Return a column of lists as one array after the other."""
    if column.null_count:
        raise ValueError("a list is missing")
    array = column.combine_chunks()
    lengths = array.value_lengths().to_numpy(zero_copy_only=False)
    indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    return indptr, array.flatten().to_numpy(zero_copy_only=False)


def _read_equal(column: pyarrow.ChunkedArray, width: int) -> NDArray:
    """Return a column of lists of one length as a matrix."""
    indptr, values = _read_lists(column)
    if (np.diff(indptr) != width).any():
        raise ValueError(f"a list has not {width} entries")
    return values.reshape(len(column), width)
