"""The patterns of a tessellation as text, and the full code space with its lower-dimensional classes.

The class of a pattern is half-open, so the points of a facet or a vertex may have a pattern that no region has. Each
such class is a union of relative interiors of faces (Shepeleva et al. 2020, Theorem 1.3): the code space is what the
faces of all dimensions realise.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.network.model import Network
from polyrelu.tessellation.faces import faces_of, is_quick
from polyrelu.tessellation.geometry import facet_point, inner_point

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["code_space", "texts_of"]


def texts_of(network: Network, words: NDArray[np.uint64]) -> list[str]:
    """Return packed patterns as digits without bars; digits beyond 9 as in `Pattern`."""
    digits = network.layout.unpack(words)
    if digits.size and digits.max() > 9:
        return [str(network.pattern(row)).replace("|", "") for row in digits.tolist()]
    characters = np.ascontiguousarray(digits.astype(np.uint8) + ord("0"))
    width = characters.shape[1]
    text = characters.tobytes().decode("ascii")
    return [text[i * width : (i + 1) * width] for i in range(len(words))]


def code_space(tessellation: Tessellation) -> NDArray[np.uint64]:
    """Return all patterns of points of the closed domain, packed, shape (n_patterns, n_words), sorted.

    Where the neurons that vanish on a face have two pieces, their digits there are 0 and the face's pattern is read
    off a region's; all others are evaluated, exactly, at a point of the face.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> cross = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> texts_of(cross, code_space(tessellate(cross)))
    ['00', '10', '01']
    """
    t = tessellation
    found = [t.words]
    for dim in range(t.dim):
        faces = faces_of(t, dim)
        found.append(_cleared(t, faces.regions, faces.zero_indptr, faces.zero_neurons))
    points = list(_points_to_evaluate(t))
    if points:
        digits = [t.network.exact.pattern_at(point).digits for point in points]
        found.append(t.network.layout.pack(np.array(digits, np.int64)))
    return np.unique(np.concatenate(found), axis=0)


def _cleared(
    t: Tessellation, owners: NDArray[np.int32], indptr: NDArray[np.int64], zeros: NDArray[np.int32]
) -> NDArray[np.uint64]:
    """Return the patterns of faces: an adjacent region's with digit 0 where a neuron vanishes.

    A face with a vanishing neuron of more pieces is given the region's own pattern.
    """
    layout = t.network.layout
    words = t.words[owners]
    faces = np.repeat(np.arange(len(owners)), np.diff(indptr))
    has_other = np.zeros(len(owners), bool)
    has_other[faces[layout.n_pieces[zeros] > 2]] = True
    kept = ~has_other[faces]
    masks = ~(((np.uint64(1) << layout.bits.astype(np.uint64)) - np.uint64(1)) << layout.shift.astype(np.uint64))
    np.bitwise_and.at(words, (faces[kept], layout.word[zeros[kept]]), masks[zeros[kept]])
    return words


def _points_to_evaluate(t: Tessellation) -> Iterator[tuple[Fraction, ...]]:
    """Yield a point of the relative interior of each face whose pattern cannot be read off."""
    pieces = t.network.layout.n_pieces
    if not (pieces > 2).any():
        return
    if not is_quick(t):
        regions = (t.region(index) for index in range(t.n_regions))
        yield from {face.relative_interior_point(r.generators) for r in regions for face in r.faces}
        return
    for dim in range(t.dim):
        faces = faces_of(t, dim)
        hits = np.concatenate([[0], np.cumsum(pieces[faces.zero_neurons] > 2)])
        for face in np.flatnonzero(np.diff(hits[faces.zero_indptr])).tolist():
            vertices = faces.vertices[faces.vertex_indptr[face] : faces.vertex_indptr[face + 1]].tolist()
            yield facet_point(t, face) if dim == t.dim - 1 else inner_point(t, vertices) or ()
