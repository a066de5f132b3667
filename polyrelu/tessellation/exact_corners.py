"""The corners of one exact region: its vertices, where its unbounded edges end, and their order around it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from polyrelu.exact.linalg import rank
from polyrelu.network.activation import MAX_UNIT
from polyrelu.region.facets import Facet
from polyrelu.region.model import Region
from polyrelu.tessellation.marks import BORDER, FAR_SIDE

__all__ = ["FAR_CORNERS", "Corner", "Form", "Point", "RegionCorners", "corner_cycle", "independent_forms", "row_names"]

Point = tuple[Fraction, ...]
Corner = tuple[Point, Point | None]
"""(coordinates, None) of a vertex; (point, direction) of one at infinity, ``point + M direction``."""
Form = tuple[int, int]
"""An entry of `Tessellation.vertex_rows`."""

FAR_CORNERS: tuple[Corner, ...] = tuple(
    ((Fraction(0), Fraction(0)), (Fraction(x), Fraction(y))) for x, y in ((1, 1), (-1, 1), (-1, -1), (1, -1))
)
"""The corners of the far square, counter-clockwise; they close polygons."""


class RegionCorners:
    """The vertices of one region and the ends at infinity of its edges, with the rows that vanish there.

    Attributes
    ----------
    region : Region
    corners : list of Corner
    rows : list of frozenset of int
        Which of the region's rows vanish at each corner.
    """

    def __init__(self, region: Region) -> None:
        self.region = region
        shape = region.generators
        self.corners: list[Corner] = []
        self.rows: list[frozenset[int]] = []
        if len(shape.lineality) > 1:  # no vertices and no edges
            return
        for point, tight in zip(shape.points, shape.point_rows, strict=True):
            for line in shape.lineality:
                for direction in (line, tuple(-value for value in line)):
                    self._append(_at_infinity(point, direction), tight)
            if shape.lineality:
                continue
            self._append((point, None), tight)
            for ray, ray_tight in zip(shape.rays, shape.ray_rows, strict=True):
                if self._is_edge(tight & ray_tight):
                    self._append(_at_infinity(point, ray), tight & ray_tight)

    def _append(self, corner: Corner, tight: frozenset[int]) -> None:
        self.corners.append(corner)
        self.rows.append(tight)

    def _is_edge(self, common: frozenset[int]) -> bool:
        """Return whether one point and one ray alone lie on rows that both of them lie on."""
        shape = self.region.generators
        return sum(common <= tight for tight in (*shape.point_rows, *shape.ray_rows)) == 2

    def on(self, facet: Facet) -> list[int]:
        """Return which corners lie on a facet; in the plane both ends, the region on the left."""
        index = self.region.rows.index(facet.row)
        found = [i for i, tight in enumerate(self.rows) if index in tight]
        if self.region.network.dim == 2:
            a, b, _ = facet.row
            found.sort(key=lambda i: _along((b, -a), self.corners[i]))
        return found

    def zero_neurons(self, index: int) -> list[int]:
        """Return the neurons that vanish at a corner, sorted."""
        hrep = self.region.hrep
        neurons = {hrep.neuron[i] for i in self.rows[index] if i < len(hrep.rows)}
        return sorted(neurons.union(self.region.zero_neurons))

    def forms(self, index: int) -> list[Form]:
        """Return independent forms that vanish at a corner alone: rows of the region, then a side of the far cube."""
        point, direction = self.corners[index]
        names = row_names(self.region)
        forms = [names[i] for i in sorted(self.rows[index])]
        if direction is not None:
            axis = _exit(point, direction)
            forms.append((FAR_SIDE, 2 * axis + (direction[axis] > 0)))
        return independent_forms(self.region, forms)


def independent_forms(region: Region, forms: Sequence[Form]) -> list[Form]:
    """Return independent ones of some forms, from the first one on: as many as the region has dimensions.

    Parameters
    ----------
    region : Region
    forms : sequence of Form
        Of the region, its domain or the far cube; their normals span the space.
    """
    index = {name: i for i, name in enumerate(row_names(region))}
    found: list[Form] = []
    chosen: list[tuple[int, ...]] = []
    for form in forms:
        if form[0] == FAR_SIDE:
            normal = tuple(int(j == form[1] // 2) for j in range(region.network.dim))
        else:
            normal = region.rows[index[form]][:-1]
        if rank([*chosen, normal]) > len(chosen):
            chosen.append(normal)
            found.append(form)
    return found


def _along(direction: Sequence[int], corner: Corner) -> tuple[Fraction, Fraction]:
    """Return a number that grows along a direction, infinite corners included."""
    point, far = corner
    near = direction[0] * point[0] + direction[1] * point[1]
    return (Fraction(0) if far is None else direction[0] * far[0] + direction[1] * far[1]), near


def _at_infinity(point: Sequence[Fraction], direction: Sequence[int]) -> Corner:
    """Return where the line through a point meets the far cube, in the direction's sense."""
    axis = _exit(point, direction)
    scaled = tuple(Fraction(value, abs(direction[axis])) for value in direction)
    back = point[axis] / scaled[axis]
    return tuple(p - back * d for p, d in zip(point, scaled, strict=True)), scaled


def _exit(point: Sequence[Fraction], direction: Sequence[Fraction | int]) -> int:
    """Return which coordinate reaches the far cube first on a half-line."""
    signs = [1 if d > 0 else -1 for d in direction]
    return max(range(len(direction)), key=lambda j: (abs(direction[j]), signs[j] * point[j], -j))


def row_names(region: Region) -> list[Form]:
    """Return for each of a region's rows the neuron and its digit beyond the row, or (`BORDER`, the domain's row)."""
    network, hrep = region.network, region.hrep
    digits = region.pattern.digits
    names: list[Form] = []
    while len(names) < len(hrep.rows):
        neuron = hrep.neuron[len(names)]
        layer, unit = network.neurons[neuron].tolist()
        activation, digit = network.hidden[layer].activation, digits[neuron]
        if activation.kind[unit] == MAX_UNIT:
            size = int(activation.indptr[unit + 1] - activation.indptr[unit])
            names += [(neuron, other) for other in range(size) if other != digit]
        else:
            n_pieces = activation.functions[activation.kind[unit]].n_pieces
            names += [(neuron, other) for other in (digit - 1, digit + 1) if 0 <= other < n_pieces]
    return names + [(BORDER, i) for i in range(len(region.rows) - len(hrep.rows))]


def corner_cycle(local: RegionCorners) -> list[Corner]:
    """Return a region's corners counter-clockwise in the plane, from left to right on a line, else as they come.

    In the plane corners of the far square are added where the polygon would be open.
    """
    if local.region.network.dim == 1:
        return sorted(local.corners, key=lambda corner: corner[1] or (Fraction(0), *corner[0]))
    if local.region.network.dim > 2:
        return local.corners
    edges = {}
    for facet in local.region.facets:
        start, stop = (local.corners[i] for i in local.on(facet))
        edges[start] = stop
    if not edges:
        return list(FAR_CORNERS)
    result: list[Corner] = []
    current = next(iter(edges))
    for _ in range(len(edges)):
        result.append(current)
        current = edges[current]
        if current[1] is not None:
            result.append(current)
            gaps = {start: _far_corners_between(current[1], start[1]) for start in edges if start[1] is not None}
            current = min(gaps, key=lambda start: len(gaps[start]))
            result += gaps[current]
    return result


def _far_corners_between(start: Point, stop: Point) -> list[Corner]:
    """Return the corners of the far square strictly between two directions, counter-clockwise."""
    first, last = _turn(start, start), _turn(start, stop)
    turns = sorted((_turn(start, corner[1] or ()), corner) for corner in FAR_CORNERS)
    return [corner for turn, corner in turns if first < turn < last]


def _turn(start: Point, stop: Point) -> tuple[int, Fraction]:
    """Return what orders directions by their counter-clockwise angle from one, from 0 up to 360 degrees."""
    cross = start[0] * stop[1] - start[1] * stop[0]
    inner = start[0] * stop[0] + start[1] * stop[1]
    signed_square = inner * abs(inner) / (stop[0] ** 2 + stop[1] ** 2)
    if cross > 0 or (cross == 0 and inner > 0):
        return 0, -signed_square
    return 1, signed_square
