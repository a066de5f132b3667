"""`certify`: a tessellation with the proof that it is right and complete, for `polyrelu.certificate.checker`.

The cells of each level are the regions of the network's first layers: a tessellation of its own. In the plane nothing
more is needed; elsewhere `polyrelu.tessellation.bases` names the facets that imply each further row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyrelu.certificate.borders import LayerBorders
from polyrelu.certificate.format import BASES, POLYGONS, Certificate, Level, Points, to_bytes
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.rational import primitive_row
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.interior import interior_points
from polyrelu.tessellation.lists import take_lists
from polyrelu.tessellation.marks import BORDER
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.region_forms import RegionForms
from polyrelu.tessellation.targets import check_target, replacing

__all__ = ["certify", "save_certificate"]

Progress = Callable[[int], None]
MOST_PIECES = 256


def save_certificate(
    tessellation: Tessellation, path: str | Path, overwrite: bool = False, progress: Progress | None = None
) -> None:
    """Write a tessellation with its proof to a file, for ``polyrelu check`` (docs/certificate_format.md).

    Raises
    ------
    InputError
        If the tessellation is incomplete.
    FileError
        If the folder is missing, or the file exists and ``overwrite`` is False.
    """
    target = check_target("save_certificate", path, overwrite)
    certificate = certify(tessellation, progress)
    with replacing(target) as place, open(place, "wb") as file:
        for piece in to_bytes(certificate):
            file.write(piece)


def certify(tessellation: Tessellation, progress: Progress | None = None) -> Certificate:
    """Return a tessellation with its proof.

    Parameters
    ----------
    tessellation : Tessellation
        Complete; found by any method.
    progress : callable, optional
        Called with the number of proved regions now and then.

    Raises
    ------
    InputError
        If the tessellation is incomplete.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> certificate = certify(tessellate(xor()))
    >>> certificate.n_regions, certificate.n_facets, certificate.maps.tolist()
    (3, 2, [0, 1, 2])
    """
    t = tessellation
    if not t.is_complete:
        raise InputError("certify needs a complete tessellation but this one was ended early. Finish it.")
    n_pieces = int(t.network.layout.n_pieces.max(initial=0))
    if n_pieces > MOST_PIECES:
        raise InputError(
            f"certify needs units of at most {MOST_PIECES} pieces, a byte for each digit, but received one of "
            f"{n_pieces}. Split the max unit into several layers."
        )
    n_layers = len(t.network.hidden)
    above = _Cells(np.zeros((1, 0), np.uint8), np.zeros(1, np.int64), np.zeros(1, np.int64))
    levels: list[Level] = []
    for depth in range(n_layers + 1):
        found = t if depth == n_layers else tessellate(_first_layers(t.network, depth), t.domain)
        above = _sorted_cells(found, above)
        levels.append(_level(found, above))
    linear, witnesses, order = t.linear_regions, interior_points(t), above.order
    starts, neurons = t.facet_zero_indptr, t.facet_zero_neurons
    certificate = Certificate(
        network=replace(t.network, input_map=None).hash,
        input_map=t.network.input_map,
        domain=t.domain,
        proof=POLYGONS if t.dim == 2 else BASES,
        levels=tuple(levels),
        witnesses=Points(witnesses.floats[order], {int(above.rank[i]): x for i, x in witnesses.exact.items()}),
        facet_starts=starts,
        facet_neurons=neurons,
        maps=_firsts(linear.maps[order]),
        linear_regions=_firsts(linear.labels[order]),
        facet_points=Points(np.zeros((0, t.dim))),
    )
    if certificate.proof == POLYGONS:
        return certificate
    from polyrelu.tessellation.bases import with_bases

    return with_bases(certificate, t.network, progress)


def _first_layers(network: Network, depth: int) -> Network:
    """Return the network that ends after some of the hidden layers, with one output that is zero."""
    width = network.layers[depth].n_inputs
    output = Layer(np.zeros((1, width)), np.zeros(1), Activation.same(IDENTITY, 1))
    return replace(network, hidden=network.hidden[:depth], output=output)


class _Cells:
    """How the regions of one level are sorted: by their digits, layer by layer.

    Attributes
    ----------
    keys : uint8 array, shape (n_cells, n_digits)
        Digits of all layers so far, sorted.
    order, rank : int64 arrays, shape (n_cells,)
        Region of each cell, and cell of each region.
    parents : int64 array, shape (n_cells,)
    """

    def __init__(self, keys: NDArray[np.uint8], order: NDArray[np.int64], parents: NDArray[np.int64]) -> None:
        self.keys, self.order, self.parents = keys, order, parents
        self.rank = np.empty_like(order)
        self.rank[order] = np.arange(len(order))


def _sorted_cells(found: Tessellation, above: _Cells) -> _Cells:
    keys = _digits(found)
    order = np.argsort(_texts(keys), kind="stable")
    keys = keys[order]
    known, prefixes = _texts(above.keys), _texts(keys[:, : above.keys.shape[1]])
    parents = np.searchsorted(known, prefixes)
    if (parents >= len(known)).any() or (known[parents] != prefixes).any():
        raise InternalError("certify needs regions inside those of fewer layers but one is in none. Please report it.")
    return _Cells(keys, order, parents)


def _digits(t: Tessellation) -> NDArray[np.uint8]:
    """Return all digits, shape (n_regions, n_neurons)."""
    layout = t.network.layout
    if (layout.bits > 1).any():
        return layout.unpack(t.words).astype(np.uint8)
    bits = np.unpackbits(np.ascontiguousarray(t.words).view(np.uint8), axis=1, bitorder="little")
    places = 64 * layout.word + layout.shift  # without gaps but at the starts of layers
    runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1) if len(places) else []
    return np.concatenate([bits[:, :0], *(bits[:, run[0] : run[-1] + 1] for run in runs)], axis=1)


def _texts(keys: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Return rows of bytes as texts, which NumPy sorts; all are of one length, so that padding changes nothing."""
    width = keys.shape[1] + 1
    padded = np.concatenate([np.ones((len(keys), 1), np.uint8), keys], axis=1)
    return np.ascontiguousarray(padded).view(f"S{width}").reshape(len(keys))


def _level(found: Tessellation, cells: _Cells) -> Level:
    """Return the cells of a level with their facets."""
    layers = found.network.hidden
    borders = LayerBorders(layers[-1].activation if layers else None)
    is_inner = found.facet_regions[:, 1] >= 0
    facets = np.where(found.facet_regions >= 0, cells.rank[found.facet_regions], 0)
    facets[~is_inner, 1] = -1 - _domain_rows(found)
    lists, sides = _facets_of_cells(found)
    starts, sides = take_lists(lists, sides, cells.order)
    facets[is_inner] = np.sort(facets[is_inner], axis=1)
    digits = cells.keys[:, cells.keys.shape[1] - len(borders.sides) :]
    return Level(
        cells.parents.astype(np.int32),
        borders.pack(digits),
        facets.astype(np.int32),
        starts,
        sides.astype(np.int32),
        np.zeros((0, found.dim), np.uint16),
    )


def _domain_rows(t: Tessellation) -> NDArray[np.int64]:
    """Return the row of the domain that vanishes on each facet of its border."""
    rows = t.facet_rows[t.facet_regions[:, 1] < 0].astype(np.int64)
    unnamed = np.flatnonzero(rows[:, 0] != BORDER)
    forms = RegionForms(t)
    for index, facet in zip(unnamed.tolist(), np.flatnonzero(t.facet_regions[:, 1] < 0)[unnamed].tolist(), strict=True):
        forms.move_to(int(t.facet_regions[facet, 0]))
        form = primitive_row(forms.form(*rows[index].tolist()))
        rows[index, 1] = next(
            i for i, row in enumerate(t.domain.rows) if primitive_row(row) in (form, tuple(-v for v in form))
        )
    return rows[:, 1]


def _facets_of_cells(t: Tessellation) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the facets of each region as lists one after the other, in the plane counter-clockwise."""
    facets = np.arange(t.n_facets)
    inner = t.inner_facets
    owners = np.concatenate([t.facet_regions[:, 0], t.facet_regions[inner, 1]]).astype(np.int64)
    numbers = np.concatenate([facets, inner])
    places = numbers
    if t.dim == 2:
        ends = t.facet_vertices.reshape(-1, 2)
        corners = np.concatenate([ends[:, 0], ends[inner, 1]])  # where the facet begins, going around its region
        n_points = len(t.vertex_kind)
        regions = np.repeat(np.arange(t.n_regions), np.diff(t.corner_indptr))
        keys = regions * n_points + t.corner_vertices
        order = np.argsort(keys)
        places = order[np.searchsorted(keys, owners * n_points + corners, sorter=order)]
    order = np.lexsort((places, owners))
    return np.searchsorted(owners[order], np.arange(t.n_regions + 1)), numbers[order]


def _firsts(labels: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return for each region the first with its label."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)].astype(np.int32)
