"""All regions of a network with one or two inputs: depth-first plane enumeration, certified.

Floats propose, with proven error bounds; double-doubles and rationals decide the rest (`polyrelu.kernels.depth_first`,
`polyrelu.kernels.polygons`). A network with one input is enumerated on a strip of height one, whose regions are the
network's times an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.exact_plane import FarPolygon, far_polygon
from polyrelu.errors import DomainError
from polyrelu.exact.domain import Domain
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from polyrelu.enumeration.plane_tables import PlaneTables
    from polyrelu.kernels.polygons import PolygonOutput

__all__ = ["Decisions", "PlaneRegions", "enumerate_plane", "strip_domain", "strip_network"]


class Decisions(NamedTuple):
    """How many signs were decided by floats, by double-doubles (or repeated rows), and by rationals."""

    filtered: int
    extended: int
    exact: int


@dataclass(frozen=True)
class PlaneRegions:
    """All regions of a network on a domain of the plane, polygon by polygon, as enumerated.

    Attributes
    ----------
    network, domain
        A line's network and domain are those of the strip.
    words : uint64 array, shape (n_regions, n_words)
        Packed patterns.
    indptr : int64 array, shape (n_regions + 1,)
        Corners of region ``r`` are ``indptr[r]:indptr[r + 1]``, counter-clockwise.
    corners : float64 array, shape (n_corners, 2)
        Coordinates; for a far corner its finite part.
    edges : int32 array, shape (n_corners,)
        Line from each corner to the next.
    extra : int64 array, shape (n_extra, 2)
        (corner, line): further lines that pass through corners.
    far_corners : int64 array, shape (n_far,); far_directions : float64 array, shape (n_far, 2)
        Corners at infinity are ``corners + M far_directions`` for every large M.
    line_unit, line_digits, unit_neuron
        What the numbers of lines mean (`polyrelu.enumeration.plane_tables.PlaneTables`).
    first_line : int
        Lines from here on belong to the domain; the last four are at infinity.
    decisions : Decisions
    seconds : float
    is_complete : bool
    """

    network: Network
    domain: Domain
    words: NDArray[np.uint64]
    indptr: NDArray[np.int64]
    corners: NDArray[np.float64]
    edges: NDArray[np.int32]
    extra: NDArray[np.int64]
    far_corners: NDArray[np.int64]
    far_directions: NDArray[np.float64]
    line_unit: NDArray[np.int64]
    line_digits: NDArray[np.int64]
    unit_neuron: NDArray[np.int64]
    first_line: int
    decisions: Decisions
    seconds: float
    is_complete: bool = True

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.words)

    @property
    def n_bytes(self) -> int:
        """Memory of all arrays."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))


def enumerate_plane(
    network: Network,
    domain: Domain | None = None,
    *,
    max_regions: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> PlaneRegions:
    """Return all regions of a network with one or two inputs on a full-dimensional domain.

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
        If the domain has another dimension, or no interior.
    BudgetError, EnumerationInterrupted
        With ``.partial``.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> enumerate_plane(xor()).n_regions
    3
    """
    region_domain = (domain or Domain.all(network.dim)).check_dim(network.dim)
    if network.dim > 2:
        raise DomainError(
            f"enumerate_plane needs a network with 1 or 2 inputs but received one with {network.dim}. "
            "Restrict it to a slice, or use enumerate_vertices or enumerate_split."
        )
    if network.dim == 1:
        network, region_domain = strip_network(network), strip_domain(region_domain)
    polygon = far_polygon(region_domain)
    if polygon is None:
        raise DomainError(
            f"enumerate_plane needs a domain with interior but received {region_domain.label!r}, which is empty or "
            "flat. tessellate() handles flat domains."
        )
    # The compiled loops are imported here because `import polyrelu` must not load numba.
    from polyrelu.enumeration.plane_tables import plane_tables
    from polyrelu.enumeration.running import collect

    parts = _parts(network, region_domain, polygon, plane_tables(network, polygon))
    return collect("enumerate_plane", parts, _concatenate, max_regions, max_seconds, progress)


def strip_network(network: Network) -> Network:
    """Return a network of one input as one of two inputs that ignores the second."""
    rows = network.exact.input_rows().to_fractions()
    return replace(network, input_map=RationalMatrix.from_rows([[a, 0, c] for a, c in rows]))


def strip_domain(domain: Domain) -> Domain:
    """Return an interval times [0, 1]; the rows of the strip come last."""
    rows = tuple((a, 0, c) for a, c in domain.rows)
    return Domain(2, (*rows, (0, 1, 0), (0, -1, 1)), domain.label)


def _parts(network: Network, domain: Domain, polygon: FarPolygon, laid_out: PlaneTables) -> Iterator[PlaneRegions]:
    """Run the compiled loop; yield what it finds, the last part marked complete."""
    from polyrelu.enumeration.answers import PlaneAnswers
    from polyrelu.enumeration.running import run

    tables, n_words = laid_out.network, network.layout.n_words
    answers = PlaneAnswers(polygon, laid_out)
    for chunk in run(tables, laid_out.geometry, answers, lambda size: _output(size, n_words)):
        output, (regions, corners, extra, far, _) = chunk.output, chunk.lengths
        yield PlaneRegions(
            network,
            domain,
            output.words[:regions].copy(),
            output.indptr[: regions + 1].copy(),
            output.corners[:corners].copy(),
            output.edges[:corners].copy(),
            output.extra[:extra].copy(),
            output.far[:far, 0].astype(np.int64),
            output.far[:far, 1:].copy(),
            tables.column_unit,
            tables.column_pieces,
            tables.unit_neuron,
            tables.first_line,
            Decisions(*chunk.decisions),
            0.0,
            chunk.is_last,
        )


def _output(size: int, n_words: int) -> PolygonOutput:
    from polyrelu.kernels.polygons import PolygonOutput

    return PolygonOutput(
        np.empty((size, n_words), np.uint64),
        np.zeros(size + 1, np.int64),
        np.empty((8 * size, 2)),
        np.empty(8 * size, np.int32),
        np.empty((8 * size, 2), np.int64),
        np.empty((4 * size, 3)),
    )


def _concatenate(chunks: list[PlaneRegions], seconds: float, is_complete: bool) -> PlaneRegions:
    corner_starts = np.cumsum([0, *(len(c.edges) for c in chunks)])
    starts = corner_starts.tolist()
    indptr = [np.zeros(1, np.int64)] + [c.indptr[1:] + s for c, s in zip(chunks, starts, strict=False)]
    extra = [c.extra + np.array([s, 0]) for c, s in zip(chunks, starts, strict=False)]
    far = [c.far_corners + s for c, s in zip(chunks, starts, strict=False)]
    return replace(
        chunks[-1],
        words=np.concatenate([c.words for c in chunks]),
        indptr=np.concatenate(indptr),
        corners=np.concatenate([c.corners for c in chunks]),
        edges=np.concatenate([c.edges for c in chunks]),
        extra=np.concatenate(extra),
        far_corners=np.concatenate(far),
        far_directions=np.concatenate([c.far_directions for c in chunks]),
        seconds=seconds,
        is_complete=is_complete,
    )
