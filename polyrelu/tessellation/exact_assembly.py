"""Assemble a `Tessellation` from exact regions, in any dimension: slow, readable, all in rationals.

Vertices are found by their coordinates, facets by the patterns on both sides. What has no end gets one at infinity,
where the far cube ``|x_j| <= M`` ends it, so that in the plane the result is what `assemble_plane` makes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.rational import nearest_float
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.region.facets import Facet
from polyrelu.region.model import Region
from polyrelu.tessellation.exact_corners import FAR_CORNERS, Corner, Form, Point, RegionCorners, corner_cycle, row_names
from polyrelu.tessellation.lists import to_lists
from polyrelu.tessellation.marks import AT_INFINITY, FAR_SIDE, INSIDE, ON_BORDER
from polyrelu.tessellation.model import Tessellation

__all__ = ["assemble_exact"]


def assemble_exact(
    regions: Sequence[Region],
    network: Network,
    domain: Domain,
    hull: Slice | None = None,
    *,
    seconds: float = 0.0,
    is_complete: bool = True,
) -> Tessellation:
    """Return the tessellation of exact regions.

    Parameters
    ----------
    regions : sequence of Region
        Of this network and domain, with interior points, each once.
    network, domain
        The domain is full-dimensional.
    hull : Slice, optional
        Where the network's inputs lie, if the domain was flat.
    seconds : float
        What the enumeration took.
    is_complete : bool
        False if regions are missing; facets then may have an unknown other side.

    Raises
    ------
    InternalError
        If a neighbour is missing although the regions are complete.
    """
    start = time.process_time()
    vertices, facets = _Vertices(network.dim), _Facets()
    number = {region.pattern: index for index, region in enumerate(regions)}
    cycles, zeros = [], []
    for index, region in enumerate(regions):
        local = RegionCorners(region)
        places = [vertices.add(local, i, index) for i in range(len(local.corners))]
        cycles.append([vertices.add_far_corner(corner, index) for corner in corner_cycle(local)])
        zeros.append(sorted(set(region.zero_neurons)))
        names = dict(zip(region.rows, row_names(region), strict=True))
        across = {facet.row: pattern for facet, pattern in region.neighbours}
        for facet in region.facets:
            other = number.get(across[facet.row], -2) if facet.row in across else -1
            if other == -2 and is_complete:
                raise InternalError(
                    f"Assembly needs the neighbour {across[facet.row]} of region {region.pattern} but the enumeration "
                    "did not find it. Please report the network."
                )
            on_facet = sorted({*facet.neurons, *zeros[-1]})
            corners = [places[i] for i in local.on(facet)]
            facets.add((index, other), facet, names[facet.row], corners, on_facet)
    digits = [region.pattern.digits for region in regions]
    return Tessellation(
        network=network,
        domain=domain,
        hull=hull,
        words=network.layout.pack(np.array(digits, np.int64).reshape(len(regions), network.n_neurons)),
        **_lists("corner_indptr", "corner_vertices", cycles),
        **vertices.arrays(domain),
        **facets.arrays(),
        **_lists("region_zero_indptr", "region_zero_neurons", zeros),
        bounded=np.array([region.is_bounded for region in regions], np.bool_),
        decisions=None,
        seconds={"enumerate": seconds, "assemble": time.process_time() - start},
        is_complete=is_complete,
        has_vertices=True,
    )


@dataclass
class _Vertices:
    """All vertices so far, each once."""

    dim: int
    number: dict[Corner, int] = field(default_factory=dict)
    regions: list[int] = field(default_factory=list)
    forms: list[list[tuple[int, int]]] = field(default_factory=list)
    zeros: list[list[int]] = field(default_factory=list)

    def add(self, local: RegionCorners, index: int, region: int) -> int:
        """Return the number of a corner of a region."""
        corner = local.corners[index]
        if corner not in self.number:
            self._append(corner, region, local.forms(index), local.zero_neurons(index))
        return self.number[corner]

    def add_far_corner(self, corner: Corner, region: int) -> int:
        """Return the number of a corner that is known, or of the far square."""
        if corner in FAR_CORNERS and corner not in self.number:
            sides = [(FAR_SIDE, 2 * j + (value > 0)) for j, value in enumerate(corner[1] or ())]
            self._append(corner, region, sides, [])
        return self.number[corner]

    def _append(self, corner: Corner, region: int, forms: list[tuple[int, int]], zeros: list[int]) -> None:
        self.number[corner] = len(self.number)
        self.regions.append(region)
        self.forms.append(forms)
        self.zeros.append(zeros)

    def arrays(self, domain: Domain) -> dict[str, NDArray]:
        """Return the arrays of vertices."""
        corners = list(self.number)
        far = [i for i, (_, direction) in enumerate(corners) if direction is not None]
        return {
            "vertices_float": _floats([direction or point for point, direction in corners], self.dim),
            "vertex_kind": np.array([_kind(corner, domain) for corner in corners], np.uint8),
            "far_vertices": np.array(far, np.int32),
            "far_points": _floats([corners[i][0] for i in far], self.dim),
            "vertex_region": np.array(self.regions, np.int32),
            "vertex_rows": np.array(self.forms, np.int32).reshape(-1, self.dim, 2),
            **_lists("vertex_zero_indptr", "vertex_zero_neurons", self.zeros),
        }


def _kind(corner: Corner, domain: Domain) -> int:
    point, direction = corner
    if direction is not None:
        return AT_INFINITY
    is_inside = all(dot(row, (*point, 1)) > 0 for row in domain.rows if any(row[:-1]))
    return INSIDE if is_inside else ON_BORDER


@dataclass
class _Facets:
    """All facets so far, each once."""

    number: dict[object, int] = field(default_factory=dict)
    regions: list[tuple[int, int]] = field(default_factory=list)
    rows: list[Form] = field(default_factory=list)
    vertices: list[list[int]] = field(default_factory=list)
    zeros: list[list[int]] = field(default_factory=list)

    def add(self, pair: tuple[int, int], facet: Facet, row: Form, vertices: list[int], zeros: list[int]) -> None:
        """Add a facet of a region with another one (-1: the border, -2: unknown) unless it is there."""
        region, other = pair
        key = (min(pair), max(pair)) if other >= 0 else (region, facet.row)
        if key not in self.number:
            self.number[key] = len(self.number)
            self.regions.append(pair)
            self.rows.append(row)
            self.vertices.append(vertices)
            self.zeros.append(zeros)

    def arrays(self) -> dict[str, NDArray]:
        """Return the arrays of facets."""
        return {
            "facet_regions": np.array(self.regions, np.int32).reshape(-1, 2),
            "facet_rows": np.array(self.rows, np.int32).reshape(-1, 2),
            **_lists("facet_indptr", "facet_vertices", self.vertices),
            **_lists("facet_zero_indptr", "facet_zero_neurons", self.zeros),
        }


def _lists(indptr: str, values: str, lists: Sequence[Sequence[int]]) -> dict[str, NDArray]:
    return dict(zip((indptr, values), to_lists(lists), strict=True))


def _floats(points: Sequence[Point], dim: int) -> NDArray[np.float64]:
    rows = [[nearest_float(value.numerator, value.denominator) for value in point] for point in points]
    return np.array(rows, np.float64).reshape(-1, dim)
