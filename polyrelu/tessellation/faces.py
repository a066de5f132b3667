"""How many faces of each dimension a tessellation has, and Euler's formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.region.double_description import generators_of

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["check_euler", "count_faces", "euler_characteristic"]


def count_faces(tessellation: Tessellation) -> tuple[int, ...]:
    """Return the number of faces of dimension 0, …, dim in the closed domain.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import grid
    >>> count_faces(tessellate(grid(1, 2))), count_faces(tessellate(grid(1, 1, 1)))
    ((2, 7, 6), (1, 6, 12, 8))
    """
    t = tessellation
    if t.dim == 0:
        return (t.n_regions,)
    if t.dim == 1:
        return t.n_facets, t.n_regions
    if t.dim == 2:
        return t.n_vertices, t.n_facets, t.n_regions
    # All regions contain the same lines, so their points and rays, reduced by the same basis, are comparable.
    found: list[set[tuple[frozenset, frozenset]]] = [set() for _ in range(t.dim + 1)]
    for index in range(t.n_regions):
        region = t.region(index)
        shape = region.generators
        for face in region.faces:
            points = frozenset(shape.points[i] for i in face.points)
            found[face.dim].add((points, frozenset(shape.rays[i] for i in face.rays)))
    return tuple(len(faces) for faces in found)


def euler_characteristic(domain: Domain) -> int:
    """Return the alternating sum of the numbers of faces that every tessellation of a domain has.

    1 for a bounded domain (the formula V - E + F = 1); an unbounded one without lines has 0, and every line in it
    changes the sign.

    Examples
    --------
    >>> euler_characteristic(Domain.unit(2)), euler_characteristic(Domain.all(1))
    (1, -1)
    >>> euler_characteristic(Domain.from_halfspaces([[1, 0]], [0]))
    0
    """
    shape = generators_of(domain.rows, domain.dim)
    return 0 if shape.rays else (-1) ** len(shape.lineality)


def check_euler(tessellation: Tessellation) -> None:
    """Raise `InternalError` unless the numbers of faces alternate to what the domain demands.

    Raises
    ------
    InputError
        If the tessellation is incomplete.
    """
    t = tessellation
    if not t.is_complete:
        raise InputError(
            f"check_euler needs a complete tessellation but received {t.n_regions} regions of one that was ended "
            "early. Raise the budget."
        )
    counts, expected = count_faces(t), euler_characteristic(t.domain)
    found = sum((-1) ** k * count for k, count in enumerate(counts))
    if found != expected:
        raise InternalError(
            f"Euler's formula needs an alternating sum of {expected} but the faces {counts} give {found} (network "
            f"{t.network.hash[:12]} on {t.domain.label}). Please report the network."
        )
