"""All regions of a network with three or more inputs by their vertices: for low dimensions, certified.

Every region is a polytope that carries its vertices and the forms that vanish at each (`polyrelu.kernels.polytopes`).
Floats propose, with proven error bounds; rationals decide what they leave open. Unbounded domains end at a cube whose
half side is a symbol larger than every number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.plane import Decisions
from polyrelu.enumeration.space import ColumnMeanings, Corners, SpaceRegions
from polyrelu.errors import DomainError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from polyrelu.kernels.polytopes import PolytopeOutput

__all__ = ["enumerate_vertices"]

MAX_DIM = 8
"""The far cube has 2^dim vertices, and so about every region."""

FAR, LARGEST = 1024.0, 1e300
"""How far out on its ray a witness takes a vertex at infinity; larger coordinates count as this."""


def enumerate_vertices(
    network: Network,
    domain: Domain | None = None,
    *,
    max_regions: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> SpaceRegions:
    """Return all regions of a network with 3 to 8 inputs on a full-dimensional domain, with their vertices.

    The fastest method for 3 and 4 inputs. A region has about ``2^dim`` vertices, so that beyond 5 inputs
    `polyrelu.enumeration.split.enumerate_split` is faster.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default.
    max_regions, max_seconds : optional
        Budgets; when one is reached `BudgetError` carries the regions found so far as ``.partial``.
    progress : callable, optional
        Called with the number of regions now and then.

    Raises
    ------
    DomainError
        If the domain has another dimension, or no interior, or the network fewer than 3 or more than 8 inputs.
    BudgetError, EnumerationInterrupted
        With ``.partial``.

    Examples
    --------
    >>> from polyrelu.testing import generic_arrangement
    >>> found = enumerate_vertices(generic_arrangement(3, 5))
    >>> found.n_regions, found.is_complete
    (26, True)
    """
    region_domain = (domain or Domain.all(network.dim)).check_dim(network.dim)
    if not 3 <= network.dim <= MAX_DIM:
        raise DomainError(
            f"enumerate_vertices needs a network with 3 to {MAX_DIM} inputs but received one with {network.dim}. "
            f"Use {'enumerate_plane' if network.dim < 3 else 'enumerate_split'}."
        )
    # The compiled loops are imported here because `import polyrelu` must not load numba.
    from polyrelu.enumeration.running import Outgrown, collect

    size, n_words = 4096, 1
    while True:
        parts = _parts(network, region_domain, size, n_words)
        try:
            return collect("enumerate_vertices", parts, _joined, max_regions, max_seconds, progress)
        except Outgrown:
            size, n_words = 4 * size, 2 * n_words


def _parts(network: Network, domain: Domain, size: int, n_words: int) -> Iterator[SpaceRegions]:
    """Run the compiled loop; yield what it finds, the last part marked complete."""
    from polyrelu.enumeration.polytope_tables import PolytopeAnswers, polytope_tables
    from polyrelu.enumeration.running import run

    laid_out = polytope_tables(network, domain, size, n_words)
    tables = laid_out.network
    answers = PolytopeAnswers(laid_out)
    _clip(laid_out, answers, domain)
    meanings = ColumnMeanings(tables.column_unit, tables.column_pieces, tables.unit_neuron, tables.first_line)
    words = network.layout.n_words
    starts = np.zeros(5, np.int64)
    for chunk in run(tables, laid_out.geometry, answers, lambda size: _output(size, words, network.dim)):
        output, lengths = chunk.output, chunk.lengths
        regions, corners, forms, far, zeros = lengths
        indptr, points = output.indptr[: regions + 1], output.points[:corners].copy()
        far_corners, directions = output.far_corners[:far], output.far_directions[:far].copy()
        yield SpaceRegions(
            network=network,
            domain=domain,
            words=output.words[:regions].copy(),
            witnesses=_means(points, far_corners, directions, indptr),
            zero_indptr=output.zero_indptr[1 : regions + 1] + starts[4],
            zero_columns=output.zero_columns[:zeros].copy(),
            corners=Corners(
                indptr[1:] + starts[1],
                points,
                far_corners + starts[1],
                directions,
                output.form_indptr[1 : corners + 1] + starts[2],
                output.forms[:forms].copy(),
            ),
            facets=None,
            columns=meanings,
            decisions=Decisions(*chunk.decisions),
            seconds=0.0,
            is_complete=chunk.is_last,
        )
        starts += lengths


def _clip(laid_out, answers, domain):  # type: ignore[no-untyped-def]
    """Cut the far cube with the rows of the domain: the first cell."""
    import ctypes

    from polyrelu.kernels import tables as T
    from polyrelu.kernels.polytopes import clip

    state, first = laid_out.geometry.state, laid_out.network.first_line
    callback = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(answers.callback())
    state[T.ASK] = ctypes.cast(callback, ctypes.c_void_p).value
    has_interior = clip(first, first + len(domain.rows), laid_out.geometry)
    if state[T.ABORT]:
        from polyrelu.enumeration.running import Outgrown

        raise Outgrown if state[T.ABORT] == T.OUTGROWN else answers.error
    if not has_interior:
        raise DomainError(
            f"enumerate_vertices needs a domain with interior but received {domain.label!r}, which is empty or flat. "
            "tessellate() handles flat domains."
        )


def _means(
    points: NDArray[np.float64], far: NDArray[np.int64], directions: NDArray[np.float64], indptr: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean of each region's vertices, those at infinity taken far out on their rays."""
    counts = np.diff(indptr)
    places = np.clip(points, -LARGEST, LARGEST)
    places[far] += directions * (FAR * (1 + np.abs(places[far]).max(axis=1, initial=0)))[:, None]
    return np.add.reduceat(places / np.repeat(counts, counts)[:, None], indptr[:-1], axis=0)


def _output(size: int, n_words: int, dim: int) -> PolytopeOutput:
    from polyrelu.kernels.polytope_cuts import BITS
    from polyrelu.kernels.polytopes import PolytopeOutput

    n_corners = size * 2 ** (dim + 1)
    return PolytopeOutput(
        np.empty((size, n_words), np.uint64),
        np.zeros(size + 1, np.int64),
        np.empty((n_corners, dim)),
        np.empty(n_corners, np.int64),
        np.empty((n_corners, dim)),
        np.zeros(n_corners + 1, np.int64),
        np.empty(n_corners * (dim + 2) + BITS, np.int32),
        np.zeros(size + 1, np.int64),
        np.empty(8 * size, np.int32),
    )


def _joined(parts: list[SpaceRegions], seconds: float, is_complete: bool) -> SpaceRegions:
    """Return all parts as one; their indices of lists go on from part to part and lack the leading zero."""
    corners = [part.corners for part in parts if part.corners is not None]
    zero = np.zeros(1, np.int64)
    return replace(
        parts[-1],
        words=np.concatenate([part.words for part in parts]),
        witnesses=np.concatenate([part.witnesses for part in parts]),
        zero_indptr=np.concatenate([zero, *(part.zero_indptr for part in parts)]),
        zero_columns=np.concatenate([part.zero_columns for part in parts]),
        corners=Corners(
            np.concatenate([zero, *(c.indptr for c in corners)]),
            np.concatenate([c.points for c in corners]),
            np.concatenate([c.far_corners for c in corners]),
            np.concatenate([c.far_directions for c in corners]),
            np.concatenate([zero, *(c.form_indptr for c in corners)]),
            np.concatenate([c.forms for c in corners]),
        ),
        seconds=seconds,
        is_complete=is_complete,
    )
