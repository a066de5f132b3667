"""Whether arrays that come from a file can be those of a tessellation: every index within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import FileError
from polyrelu.tessellation.marks import AT_INFINITY, BORDER, FAR_SIDE

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["check_arrays"]


def check_arrays(tessellation: Tessellation, name: str) -> None:
    """Raise `FileError` unless dimensions and indices fit together.

    This keeps every later access inside its array. It does not prove that the numbers are those of the network:
    `Tessellation.check_euler` and the sum of areas say more.
    """
    t = tessellation
    n_points, n_neurons = len(t.vertex_kind), t.network.n_neurons
    if t.domain.dim != t.dim:
        _refuse(name, f"a domain of dimension {t.domain.dim}")
    if t.hull is not None and t.hull.dim != t.dim:
        _refuse(name, f"an affine hull of dimension {t.hull.dim}")
    for what, values, low, high in (
        ("a vertex of a region", t.corner_vertices, 0, n_points),
        ("a vertex of a facet", t.facet_vertices, 0, n_points),
        ("a region of a vertex", t.vertex_region, 0, t.n_regions),
        ("the first region of a facet", t.facet_regions[:, 0], 0, t.n_regions),
        ("the second region of a facet", t.facet_regions[:, 1], -1 if t.is_complete else -2, t.n_regions),
        ("a neuron of a region", t.region_zero_neurons, 0, n_neurons),
        ("a neuron of a vertex", t.vertex_zero_neurons, 0, n_neurons),
        ("a neuron of a facet", t.facet_zero_neurons, 0, n_neurons),
        ("the kind of a vertex", t.vertex_kind, 0, AT_INFINITY + 1),
    ):
        if len(values) and (values.min() < low or values.max() >= high):
            _refuse(name, f"{what} outside {low}:{high}")
    if t.dim <= 2 and t.has_vertices and (np.diff(t.facet_indptr) != t.dim).any():
        _refuse(name, f"a facet without {t.dim} ends")
    if t.n_regions and 1 <= t.dim <= 2 and t.has_vertices and np.diff(t.corner_indptr).min() < 1:
        _refuse(name, "a region without corners")
    if not t.has_vertices and (n_points or len(t.corner_vertices) or len(t.facet_vertices)):
        _refuse(name, "vertices that it says it has not")
    if any(np.isnan(a).any() for a in (t.vertices_float, t.far_points, t.witnesses) if a is not None):
        _refuse(name, "coordinates that are no numbers")
    _check_patterns(t, name)
    _check_rows(t, name)


def _check_patterns(t: Tessellation, name: str) -> None:
    layout = t.network.layout
    one = np.uint64(1)
    largest = (one << layout.bits.astype(np.uint64)) - one
    used = np.zeros(layout.n_words, np.uint64)
    np.bitwise_or.at(used, layout.word, largest << layout.shift.astype(np.uint64))
    if (t.words & ~used).any():
        _refuse(name, "bits of a pattern that belong to no neuron")
    for neuron in np.flatnonzero(layout.n_pieces.astype(np.uint64) <= largest).tolist():
        digits = (t.words[:, layout.word[neuron]] >> np.uint64(layout.shift[neuron])) & largest[neuron]
        if (digits >= np.uint64(layout.n_pieces[neuron])).any():
            _refuse(name, f"a digit that neuron {neuron} does not have")


def _check_rows(t: Tessellation, name: str) -> None:
    rows, regions = _all_rows(t)
    owner, number = rows[:, 0], rows[:, 1]
    if len(rows) and (owner.min() < FAR_SIDE or owner.max() >= t.network.n_neurons):
        _refuse(name, "a row of a vertex or facet that belongs to nothing")
    n_pieces = t.network.layout.n_pieces
    of_neuron = owner >= 0
    limit = np.zeros(len(rows), np.int64)
    limit[of_neuron] = n_pieces[owner[of_neuron]]
    for kind, size in ((BORDER, len(t.domain.rows)), (FAR_SIDE, 2 * t.dim)):
        limit[owner == kind] = size
    if (number < 0).any() or (number >= limit).any():
        _refuse(name, "a row of a vertex or facet that does not exist")
    _check_neighbours(t, name, rows[of_neuron], regions[of_neuron])


def _all_rows(t: Tessellation) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the rows of vertices and facets, and the region that each one belongs to."""
    rows = np.concatenate([t.vertex_rows.reshape(-1, 2), t.facet_rows])
    return rows, np.concatenate([np.repeat(t.vertex_region, t.dim), t.facet_regions[:, 0]])


def _check_neighbours(t: Tessellation, name: str, rows: NDArray[np.int32], regions: NDArray[np.int32]) -> None:
    """Refuse rows between digits that have no common border: a breakpoint parts consecutive digits."""
    from polyrelu.network.activation import MAX_UNIT

    layout = t.network.layout
    shifts, bits = layout.shift[rows[:, 0]].astype(np.uint64), layout.bits[rows[:, 0]].astype(np.uint64)
    fields = (t.words[regions, layout.word[rows[:, 0]]] >> shifts) & ((np.uint64(1) << bits) - np.uint64(1))
    steps = np.abs(fields.astype(np.int64) - rows[:, 1])
    is_max = np.array([t.network.hidden[i].activation.kind[u] == MAX_UNIT for i, u in t.network.neurons], bool)
    wrong = (steps == 0) | ((steps > 1) & ~is_max[rows[:, 0]])
    if wrong.any():
        _refuse(name, "a row of a vertex or facet between digits that do not meet")


def _refuse(name: str, what: str) -> None:
    raise FileError(f"load needs what `save` wrote but {name!r} has {what}: it is damaged. Save it again.")
