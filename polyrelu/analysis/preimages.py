"""All inputs of a domain whose outputs lie in a polyhedron: an exact union of polyhedra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Unpack

from polyrelu.analysis.ground import Ground, Options, find_ground, require
from polyrelu.analysis.interior import Emptiness, Interior, find_interior
from polyrelu.analysis.maximum import combined
from polyrelu.analysis.polyhedra import Polyhedron
from polyrelu.analysis.region_rows import LocalView, local_views
from polyrelu.errors import BudgetError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot, rank
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import primitive_row, to_fractions
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.tessellation.geometry import total

__all__ = ["InputPiece", "InputUnion", "check_outputs", "preimage", "pulled_back", "union_of"]


@dataclass(frozen=True, slots=True)
class InputPiece:
    """One polyhedron of a union: the part of one region.

    Attributes
    ----------
    region : int
        Of the ground's tessellation.
    pattern : Pattern
    polyhedron : Polyhedron
        In the coordinates of the tessellation.
    dim : int
        Its dimension.
    point : tuple of Fraction
        In its relative interior.
    """

    region: int
    pattern: Pattern
    polyhedron: Polyhedron
    dim: int
    point: tuple[Fraction, ...]


@dataclass(frozen=True, eq=False)
class InputUnion:
    """The inputs of a domain whose outputs lie in a closed polyhedron, and the proof that this is all of them.

    Attributes
    ----------
    ground : Ground
        Where the domain is flat, pieces live in the coordinates of ``ground.tessellation`` (`Ground.to_input`).
    outputs : Domain
        The polyhedron, in output space.
    answers : tuple of Interior or Emptiness, one for each region
        What the rows of the region's facets, followed by those of ``outputs`` over the inputs, hold.
    """

    ground: Ground
    outputs: Domain
    answers: tuple[Interior | Emptiness, ...]

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def dim(self) -> int:
        """Dimension of the regions."""
        return self.ground.tessellation.dim

    @property
    def is_empty(self) -> bool:
        """True if no input of the domain has such an output."""
        return all(isinstance(answer, Emptiness) for answer in self.answers)

    @cached_property
    def pieces(self) -> tuple[InputPiece, ...]:
        """The pieces of full dimension, no two of which have a common interior point."""
        return tuple(piece for piece in self.all_pieces if piece.dim == self.dim)

    @cached_property
    def all_pieces(self) -> tuple[InputPiece, ...]:
        """One piece for each region that holds such an input: together exactly the closed set.

        Those of lower dimension are parts that no full-dimensional piece holds, or lie on the border of a neighbour's.
        """
        t = self.ground.tessellation
        return tuple(
            InputPiece(view.region, t.pattern(view.region), Polyhedron(t.dim, rows), answer.dim, answer.point)
            for view, rows, answer in self._parts()
            if isinstance(answer, Interior)
        )

    def pieces_of(self, dim: int) -> tuple[InputPiece, ...]:
        """Return the pieces of one dimension, equal sets once (two regions may share one on their common facet)."""
        distinct: dict[object, InputPiece] = {}
        for piece in self.all_pieces:
            if piece.dim == dim:
                shape = piece.polyhedron.generators
                distinct.setdefault((shape.points, shape.rays, shape.lineality), piece)
        return tuple(distinct.values())

    @cached_property
    def volume(self) -> Fraction:
        """Exact volume, in the coordinates of the tessellation.

        Raises
        ------
        UnboundedError
            If the set is unbounded and has interior points.
        """
        found = total([piece.polyhedron.volume for piece in self.pieces])
        assert found is not None
        return found

    def contains(self, x: Sequence[object]) -> bool:
        """Return whether an input lies in the set; one evaluation of the network decides it."""
        ground = self.ground
        point = to_fractions(x, "InputUnion.contains")
        return ground.domain.contains(point) and self.outputs.contains(ground.network.exact(point))

    def check(self) -> None:
        """Raise `CertificateError` unless every piece, its dimension and every empty part are proved.

        Given that the regions cover the domain and that their facets are all of them.
        """
        ground = self.ground
        ground.check()
        require(self.outputs.dim == ground.network.n_out, "a polyhedron of the outputs")
        require(len(self.answers) == ground.tessellation.n_regions, "an answer for each region")
        for view, rows, answer in self._parts():
            where = f"(region {view.region})"
            multipliers = answer.multipliers if isinstance(answer, Emptiness) else answer.flatness
            require(len(multipliers) == len(rows), f"a multiplier for each row {where}")
            require(min(multipliers, default=0) >= 0, f"nonnegative multipliers {where}")
            sums = [dot(multipliers, column) for column in zip(*rows, strict=True)] or [0]
            require(not any(sums[:-1]), f"multipliers that cancel the normals {where}")
            if isinstance(answer, Emptiness):
                require(sums[-1] == -1, f"multipliers whose sum is -1 {where}")
                continue
            require(sums[-1] == 0, f"multipliers that cancel the rows {where}")
            require(len(answer.point) == self.dim, f"a point of the region's dimension {where}")
            values = [dot(row, (*answer.point, 1)) for row in rows]
            both = list(zip(rows, values, multipliers, strict=True))
            require(all(value >= 0 for value in values), f"a point of the piece {where}")
            inside = all(value > 0 or y or not any(row[:-1]) for row, value, y in both)
            require(inside, f"a point of the piece's relative interior {where}")
            flat = rank([row[:-1] for row, y in zip(rows, multipliers, strict=True) if y])
            require(answer.dim == self.dim - flat, f"a dimension that fits the rows {where}")

    def _parts(self) -> list[tuple[LocalView, tuple[tuple[int, ...], ...], Interior | Emptiness]]:
        views = local_views(self.ground.tessellation)
        both = zip(views, self.answers, strict=True)
        return [(view, (*view.rows, *pulled_back(self.outputs, view.outputs)), answer) for view, answer in both]


def preimage(
    network: Network,
    outputs: Domain,
    domain: Domain | None = None,
    **options: Unpack[Options],
) -> InputUnion:
    """Return all inputs of a domain whose outputs lie in a polyhedron.

    Parameters
    ----------
    network : Network
    outputs : Domain
        A closed polyhedron in output space, for example ``Domain.box``; it may be flat or unbounded.
    domain : Domain, optional
        All of R^dim by default.
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`.

    Raises
    ------
    InputError
        If the polyhedron has another dimension than the outputs.
    BudgetError
        With the part found as ``.partial`` (None if nothing was found).

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> found = preimage(xor(), Domain.box(["1/2"], [2]), Domain.unit(2))
    >>> found.volume, len(found), found.contains(["1/2", "1/2"]), found.contains([0, 0])
    (Fraction(3, 4), 2, True, False)
    >>> found.check()
    >>> top = preimage(xor(), Domain.box([1], [1]), Domain.unit(2))
    >>> top.volume, len(top), [piece.polyhedron.vertices for piece in top.pieces_of(1)]
    (Fraction(0, 1), 0, [((Fraction(0, 1), Fraction(1, 1)), (Fraction(1, 1), Fraction(0, 1)))])
    """
    check_outputs("preimage", network, outputs)
    ground = find_ground(network, domain, **options)
    return union_of(ground, outputs)


def union_of(ground: Ground | None, outputs: Domain) -> InputUnion:
    """Return the preimage of a polyhedron on a ground; raise `BudgetError` with it where the ground is incomplete."""
    found = None
    if ground is not None:
        views = local_views(ground.tessellation)
        dim = ground.tessellation.dim
        answers = (find_interior((*view.rows, *pulled_back(outputs, view.outputs)), dim) for view in views)
        found = InputUnion(ground, outputs, tuple(answers))
        if ground.tessellation.is_complete:
            return found
    n_regions = len(found.answers) if found else 0
    raise BudgetError(
        f"A preimage needs all regions of the domain but a budget ended their enumeration after {n_regions}. "
        "Raise the budget; what was found is in .partial.",
        found,
    )


def check_outputs(who: str, network: Network, outputs: Domain) -> None:
    """Raise `InputError` unless a polyhedron lies in a network's output space."""
    if outputs.dim != network.n_out:
        raise InputError(
            f"{who} needs a polyhedron of R^{network.n_out}, where the outputs lie, but received one of "
            f"R^{outputs.dim} ({outputs.label}). Give one coordinate for each output."
        )


def pulled_back(outputs: Domain, local_map: RationalMatrix) -> list[tuple[int, ...]]:
    """Return the rows of a polyhedron of outputs as coprime rows over the inputs of one region."""
    result = []
    for row in outputs.rows:
        values, denominator = combined(row[:-1], local_map)
        values[-1] += row[-1] * denominator
        result.append(primitive_row(values))
    return result
