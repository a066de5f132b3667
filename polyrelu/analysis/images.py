"""What outputs a domain has: an exact union of polyhedra in output space, with the inputs that give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Unpack

from polyrelu.analysis.ground import Ground, Options, find_ground, require
from polyrelu.analysis.maximum import Multipliers, add_rows, named_multipliers
from polyrelu.analysis.polyhedra import Polyhedron
from polyrelu.analysis.region_rows import LocalRows, LocalView, local_views
from polyrelu.errors import BudgetError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import primitive_row, to_fractions
from polyrelu.network.model import Network
from polyrelu.region.double_description import generators_of
from polyrelu.region.evaluation import row_values
from polyrelu.region.lp import Optimal, maximize

__all__ = ["OutputPiece", "OutputUnion", "image"]


@dataclass(frozen=True, eq=False)
class OutputPiece:
    """The outputs of one region.

    Attributes
    ----------
    region : int
    polyhedron : Polyhedron
        In output space. Where it is flat, pairs of rows turned round say in which plane it lies.
    points, rays, lines : tuples of tuples of Fraction
        Inputs of the region, in the tessellation's coordinates, and directions and lines in it; their images span the
        polyhedron.
    multipliers : tuple of Multipliers, one for each row of the polyhedron
        Of rows of the region: they prove that all of its outputs satisfy the row.
    """

    region: int
    polyhedron: Polyhedron
    points: tuple[tuple[Fraction, ...], ...]
    rays: tuple[tuple[Fraction, ...], ...]
    lines: tuple[tuple[Fraction, ...], ...]
    multipliers: tuple[Multipliers, ...]


@dataclass(frozen=True, eq=False)
class OutputUnion:
    """The outputs of a domain as a union of polyhedra, one for each region, and the proof that it is right.

    Polyhedra may overlap: several regions can have the same outputs.

    Attributes
    ----------
    ground : Ground
    pieces : tuple of OutputPiece, one for each region
    """

    ground: Ground
    pieces: tuple[OutputPiece, ...]

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def dim(self) -> int:
        """Dimension of output space."""
        return self.ground.network.n_out

    @cached_property
    def distinct(self) -> tuple[Polyhedron, ...]:
        """The polyhedra, equal ones once."""
        found: dict[object, Polyhedron] = {}
        for piece in self.pieces:
            shape = piece.polyhedron.generators
            found.setdefault((shape.points, shape.rays, shape.lineality), piece.polyhedron)
        return tuple(found.values())

    def contains(self, output: Sequence[object]) -> bool:
        """Return whether some input of the domain has an output."""
        value = to_fractions(output, "OutputUnion.contains")
        return any(piece.polyhedron.contains(value) for piece in self.pieces)

    def check(self) -> None:
        """Raise `CertificateError` unless each polyhedron holds all outputs of its region and nothing else.

        Given that the regions cover the domain and that their facets are all of them. The rows hold for all outputs by
        the multipliers. That they hold for nothing else is checked by the double description method, in integers: they
        are those of the convex hull of images of points, rays and lines of the region.
        """
        self.ground.check()
        t = self.ground.tessellation
        require([piece.region for piece in self.pieces] == list(range(t.n_regions)), "a piece for each region")
        local = LocalRows(t)
        for piece, view in zip(self.pieces, local_views(t), strict=True):
            local.move_to(view.region)
            _check_outside(piece, local)
            _check_inside(piece, view)


def image(network: Network, domain: Domain | None = None, **options: Unpack[Options]) -> OutputUnion:
    """Return all outputs of a network on a domain.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default.
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`.

    Raises
    ------
    BudgetError
        With the outputs of the regions found as ``.partial`` (None if nothing was found).

    Examples
    --------
    >>> bent = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, -1], [1, 1]], [0, 0])])  # x and |x|
    >>> found = image(bent, Domain.box([-1], [2]))
    >>> [[tuple(map(str, point)) for point in piece.vertices] for piece in found.distinct]
    [[('0', '0'), ('2', '2')], [('-1', '1'), ('0', '0')]]
    >>> found.contains([1, 1]), found.contains([1, 0]), found.check()
    (True, False, None)
    >>> [piece.rays for piece in image(bent).distinct]
    [((1, 1),), ((-1, 1),)]
    """
    ground = find_ground(network, domain, **options)
    found = None
    if ground is not None:
        found = OutputUnion(ground, tuple(_image_of(view) for view in local_views(ground.tessellation)))
        if ground.tessellation.is_complete:
            return found
    raise BudgetError(
        "An image needs all regions of the domain but a budget ended their enumeration after "
        f"{len(found.pieces) if found else 0}. Raise the budget; what was found is in .partial.",
        found,
    )


def _image_of(view: LocalView) -> OutputPiece:
    """Return the image of one region, by its generators, and why it holds all of its outputs."""
    outputs = view.outputs
    shape = generators_of(view.rows, outputs.shape[1] - 1)
    points = shape.points
    rays, lines = (tuple(tuple(map(Fraction, v)) for v in vectors) for vectors in (shape.rays, shape.lineality))
    affine = outputs.to_fractions()
    mapped_points = [tuple(Fraction(dot(row, (*point, 1))) for row in affine) for point in points]
    mapped_rays, mapped_lines = (
        [tuple(Fraction(dot(row[:-1], ray)) for row in affine) for ray in vectors] for vectors in (rays, lines)
    )
    rows = _hull_rows(mapped_points, mapped_rays, mapped_lines, outputs.shape[0])
    multipliers = tuple(_bounding(view, row) for row in rows)
    return OutputPiece(view.region, Polyhedron(outputs.shape[0], rows), points, rays, lines, multipliers)


def _hull_rows(
    points: Sequence[Sequence[Fraction]],
    rays: Sequence[Sequence[Fraction]],
    lines: Sequence[Sequence[Fraction]],
    dim: int,
) -> tuple[tuple[int, ...], ...]:
    """Return the rows that all points, rays and lines satisfy, as few as describe their convex hull.

    Such rows are a cone, cut out by the points and rays: its extreme rays are the facets, its lines the equalities.
    """
    cone = [primitive_row([*point, Fraction(1)]) for point in points]
    directions = [primitive_row([*ray, Fraction(0)]) for ray in (*rays, *lines)]
    turned = [tuple(-value for value in row) for row in directions[len(rays) :]]
    shape = generators_of([(*row, 0) for row in dict.fromkeys((*cone, *directions, *turned))], dim + 1)
    equalities = [tuple(sign * value for value in row) for row in shape.lineality for sign in (1, -1)]
    # The extreme ray that no point lies on is no facet but the row that says 1 >= 0.
    facets = [row for row in shape.rays if not all(dot(row, point) for point in cone)]
    return (*facets, *equalities)


def _bounding(view: LocalView, row: Sequence[int]) -> Multipliers:
    """Return multipliers of a region's rows that prove a row of the outputs."""
    pulled, denominator = _pulled(row, view.outputs)
    best = maximize([-value for value in pulled], view.rows)
    if not isinstance(best, Optimal) or best.value > 0:
        raise InternalError(f"An image needs rows that hold but one fails in region {view.region}. Please report this.")
    return named_multipliers(view.names, best.multipliers, denominator)


def _check_outside(piece: OutputPiece, local: LocalRows) -> None:
    """Check that each row of a piece is a constant of at least 0 plus nonnegative multiples of the region's rows."""
    where = f"(region {piece.region})"
    rows, outputs = piece.polyhedron.rows, local.outputs()
    require(piece.polyhedron.dim == outputs.shape[0], f"a polyhedron of the outputs {where}")
    require(len(piece.multipliers) == len(rows), f"multipliers for each row {where}")
    for row, multipliers in zip(rows, piece.multipliers, strict=True):
        require(len(row) == outputs.shape[0] + 1, f"rows of the outputs {where}")
        pulled, denominator = _pulled(row, outputs)
        total = add_rows([Fraction(-value, denominator) for value in pulled], local, multipliers)
        require(not any(total[:-1]) and total[-1] <= 0, f"multipliers that prove each row {where}")


def _check_inside(piece: OutputPiece, view: LocalView) -> None:
    """Check that a piece is no larger than the hull of the images of points, rays and lines of the region."""
    where, rows, outputs = f"(region {piece.region})", view.rows, view.outputs
    dims = {len(vector) for vectors in (piece.points, piece.rays, piece.lines) for vector in vectors}
    require(dims == {outputs.shape[1] - 1}, f"generators of the region's dimension {where}")
    values = (row_values(rows, point)[0] for point in piece.points)
    require(all(min(own, default=0) >= 0 for own in values), f"points of the region {where}")
    normals = [(*row[:-1], 0) for row in rows]
    growths = (row_values(normals, ray)[0] for ray in piece.rays)
    require(all(min(own, default=0) >= 0 for own in growths), f"rays of the region {where}")
    require(not any(any(row_values(normals, line)[0]) for line in piece.lines), f"lines of the region {where}")
    affine = outputs.to_fractions()
    points = [tuple(Fraction(dot(row, (*point, 1))) for row in affine) for point in piece.points]
    rays, lines = (
        [tuple(Fraction(dot(row[:-1], v)) for row in affine) for v in vectors] for vectors in (piece.rays, piece.lines)
    )
    hull = _hull_rows(points, rays, lines, piece.polyhedron.dim)
    require(sorted(hull) == sorted(piece.polyhedron.rows), f"the rows of the hull {where}")


def _pulled(row: Sequence[int], outputs: RationalMatrix) -> tuple[list[int], int]:
    """Return a row of the outputs over the inputs of a region, as integers over a positive denominator."""
    total = [0] * outputs.shape[1]
    for factor, form in zip(row, outputs.numerators.tolist(), strict=False):
        if factor:
            total = [a + factor * int(b) for a, b in zip(total, form, strict=True)]
    total[-1] += row[-1] * outputs.denominator
    return total, outputs.denominator
