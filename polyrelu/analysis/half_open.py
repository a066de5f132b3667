"""The half-open class of a pattern, and the faces of its closure whose relative interiors it consists of.

Shepeleva et al. 2020, Theorem 1: the closure of a class is a polyhedron, and the class is the disjoint union of the
relative interiors of some of its faces. A row that a digit 1 makes strict is > 0 on the class, a row of a digit 0 is
<= 0; so a face belongs to the class unless a strict row vanishes on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from polyrelu.errors import EmptyRegionError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.rational import to_fractions
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.lp import Infeasible, find_point
from polyrelu.region.model import Region

__all__ = ["ClassFace", "HalfOpenClass", "half_open_class"]


@dataclass(frozen=True, slots=True)
class ClassFace:
    """A non-empty face of the closure of a class.

    Attributes
    ----------
    dim : int
    neurons : tuple of int
        Those that vanish on the whole face.
    rows : frozenset of int
        The rows of the region that vanish on it (those of the neurons, then those of the domain).
    point : tuple of Fraction, length dim
        In its relative interior.
    is_inside : bool
        Whether its relative interior belongs to the class; otherwise they are disjoint.
    """

    dim: int
    neurons: tuple[int, ...]
    rows: frozenset[int]
    point: tuple[Fraction, ...]
    is_inside: bool


@dataclass(frozen=True, slots=True)
class HalfOpenClass:
    """All points of the domain with one pattern.

    Attributes
    ----------
    region : Region
        The closure, with or without interior points.
    faces : tuple of ClassFace
        All non-empty faces of the closure, by dimension; the last one is the closure itself.
    """

    region: Region
    faces: tuple[ClassFace, ...]

    @property
    def dim(self) -> int:
        """Dimension of the class."""
        return self.faces[-1].dim

    @property
    def inside(self) -> tuple[ClassFace, ...]:
        """The faces whose relative interiors make up the class."""
        return tuple(face for face in self.faces if face.is_inside)

    def contains(self, x: Sequence[object]) -> bool:
        """Return whether a point belongs to the class."""
        return self.region.class_contains(x)

    def face_of(self, x: Sequence[object]) -> ClassFace | None:
        """Return the face whose relative interior has a point of the closure; None outside of it."""
        if not self.region.contains(x):
            return None
        point = (*to_fractions(x, "face_of"), Fraction(1))
        on = {i for i, row in enumerate(self.region.rows) if dot(row, point) == 0}
        return next(face for face in self.faces if face.rows == on)

    def is_lattice(self, *, with_empty_face: bool) -> bool:
        """Return whether the faces inside have a least upper and a greatest lower bound, pair by pair.

        They are ordered by inclusion of their closures.

        Parameters
        ----------
        with_empty_face : bool
            Whether the empty face is adjoined, below all others.
        """
        elements = [face.rows for face in self.inside]
        if with_empty_face:
            everything: frozenset[int] = frozenset(range(-1, len(self.region.rows)))
            elements.append(everything)
        return all(_has_bounds(a, b, elements) for a, b in combinations(elements, 2))


def half_open_class(network: Network, pattern: Pattern, domain: Domain | None = None) -> HalfOpenClass:
    """Return the class of a pattern, cut into relative interiors of faces.

    Raises
    ------
    EmptyRegionError
        If no point of the domain has the pattern.

    Examples
    --------
    >>> between = Network.from_arrays([([[-1], [1]], [0, -1]), ([[1, 1]], [0])])
    >>> middle = half_open_class(between, Pattern.parse("00"))
    >>> [(face.dim, face.neurons, face.is_inside) for face in middle.faces]
    [(0, (0,), True), (0, (1,), True), (1, (), True)]
    >>> middle.is_lattice(with_empty_face=False), middle.is_lattice(with_empty_face=True)
    (False, True)
    >>> right = half_open_class(between, Pattern.parse("01"))
    >>> [(face.dim, face.is_inside) for face in right.faces], right.contains([1])
    ([(0, False), (1, True)], False)
    """
    network.unit_digits(pattern)
    if domain is not None:
        domain.check_dim(network.dim)
    region = Region(network, pattern, domain)
    n = len(region.hrep.rows)
    strict = [*region.hrep.strict, *(False for _ in region.rows[n:])]
    answer = find_point(region.rows, strict, network.dim, central=False)
    if isinstance(answer, Infeasible):
        raise EmptyRegionError(
            f"half_open_class needs a realised pattern but no input has {str(pattern)!r}. Its `certificate` proves it; "
            "take a pattern of `code_space_of`.",
            answer,
        )
    return HalfOpenClass(region, tuple(_faces(region, strict)))


def _faces(region: Region, strict: Sequence[bool]) -> list[ClassFace]:
    n, neurons = len(region.hrep.rows), region.hrep.neuron
    zero = frozenset(i for i, row in enumerate(region.rows) if not any(row))
    found = []
    for face in region.faces:
        rows = face.rows | zero
        on = tuple(sorted({neurons[i] for i in rows if i < n}))
        point = face.relative_interior_point(region.generators)
        found.append(ClassFace(face.dim, on, rows, point, not any(strict[i] for i in rows)))
    return found


def _has_bounds(a: frozenset[int], b: frozenset[int], elements: Sequence[frozenset[int]]) -> bool:
    """Return whether two elements have a least upper and a greatest lower bound; fewer rows are higher."""
    above = [each for each in elements if each <= a and each <= b]
    below = [each for each in elements if each >= a and each >= b]
    has_join = any(all(other <= each for other in above) for each in above)
    has_meet = any(all(other >= each for other in below) for each in below)
    return has_join and has_meet
