"""`Region`: one region of a network, with everything that rational arithmetic says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from polyrelu.errors import DomainError, EmptyRegionError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.rational import primitive_row, to_fractions
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.affine import AffineMap
from polyrelu.region.double_description import Face, Generators, face_lattice, generators_of
from polyrelu.region.evaluation import is_strictly_inside
from polyrelu.region.facets import Facet, find_facets
from polyrelu.region.hrep import HRep, region_hrep
from polyrelu.region.hull import decide_domain
from polyrelu.region.lp import Bounded, Infeasible, Ray, Witness, decide_bounded, find_point

__all__ = ["Region", "decide_class", "decide_region", "neighbour_across", "region_at", "region_of"]


@dataclass(frozen=True, eq=False)
class Region:
    """The inputs on which a network has one activation pattern, as a closed polyhedron.

    `region_of` and `region_at` make regions and check that they have interior points; the constructor does
    not. Everything else is worked out when it is first asked for.

    Attributes
    ----------
    network : Network
    pattern : Pattern
    domain : Domain or None
        The polyhedron that is cut; None for all inputs.

    Examples
    --------
    >>> fold = Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])
    >>> region = region_of(fold, Pattern.parse("11|0"))
    >>> [str(x) for point in region.vertices for x in point], region.is_bounded
    (['0', '1'], True)
    >>> [(facet.neurons, str(pattern)) for facet, pattern in region.neighbours]
    [((0,), '01|0'), ((2,), '11|1')]
    >>> region.contains([1]), region.class_contains([1]), region.class_contains([0])
    (True, True, False)
    >>> region_of(fold, Pattern.parse("00|0"))
    Traceback (most recent call last):
    ...
    polyrelu.errors.EmptyRegionError: region_of needs a pattern with interior points but no input near any point \
has '00|0'. Its `certificate` proves it; take a pattern from `region_at`.
    """

    network: Network
    pattern: Pattern
    domain: Domain | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Region):
            return NotImplemented
        if self.pattern != other.pattern or self.domain != other.domain:
            return False
        return self.network is other.network or self.network.hash == other.network.hash

    def __hash__(self) -> int:
        return hash((self.pattern, self.domain))

    @cached_property
    def hrep(self) -> HRep:
        """The rows of all neurons, not reduced, without the domain's."""
        return region_hrep(self.network, self.pattern)

    @cached_property
    def rows(self) -> tuple[tuple[int, ...], ...]:
        """The coprime rows of all neurons, then those of the domain: the region is where all are >= 0."""
        domain_rows = self.domain.rows if self.domain is not None else ()
        return (*self.hrep.rows, *(primitive_row(row) for row in domain_rows))

    @cached_property
    def witness(self) -> tuple[Fraction, ...]:
        """A point strictly inside; raises `EmptyRegionError` if there is none."""
        answer = decide_region(self)[1]
        if isinstance(answer, Infeasible):
            raise _empty_error(self, answer)
        return answer.point

    @cached_property
    def zero_neurons(self) -> tuple[int, ...]:
        """Neurons that sit on the border of their digit on the whole region: for ReLU, identically 0."""
        return tuple(n for n, row in zip(self.hrep.neuron, self.hrep.rows, strict=True) if not any(row))

    @cached_property
    def facets(self) -> tuple[Facet, ...]:
        """The facets, each once, with its neurons and the rows of the domain on it."""
        n = len(self.hrep.rows)
        result = []
        for row, point in find_facets(self.rows, self.witness):
            on = [i for i, other in enumerate(self.rows) if other == row]
            neurons = dict.fromkeys(self.hrep.neuron[i] for i in on if i < n)
            result.append(Facet(row, tuple(neurons), tuple(i - n for i in on if i >= n), point))
        return tuple(result)

    @cached_property
    def neighbours(self) -> tuple[tuple[Facet, Pattern], ...]:
        """Each facet inside the domain with the pattern on its other side."""
        pairs = ((facet, neighbour_across(self, facet)) for facet in self.facets)
        return tuple((facet, pattern) for facet, pattern in pairs if pattern is not None)

    def decide_bounded(self) -> tuple[bool, Bounded | Ray]:
        """Return whether the region is bounded, with multipliers of `rows` or a ray that prove it."""
        return decide_bounded(self.rows, self.network.dim)

    @cached_property
    def is_bounded(self) -> bool:
        """True if the region is bounded."""
        if self.domain is not None and self.domain.dim and self.domain.box_bounds() is not None:
            return True
        n_rows = sum(any(row[:-1]) for row in self.rows)  # up to dim halfspaces always leave a direction
        return n_rows > self.network.dim and self.decide_bounded()[0]

    @cached_property
    def generators(self) -> Generators:
        """Vertices, rays and lineality space with the `rows` that vanish on each."""
        return generators_of(self.rows, self.network.dim)

    @property
    def vertices(self) -> tuple[tuple[Fraction, ...], ...]:
        """The vertices of the closed region; none if it contains a line."""
        return () if self.generators.lineality else self.generators.points

    @property
    def rays(self) -> tuple[tuple[int, ...], ...]:
        """The extreme rays, modulo the lineality space."""
        return self.generators.rays

    @property
    def lineality(self) -> tuple[tuple[int, ...], ...]:
        """A basis of the lines in the region."""
        return self.generators.lineality

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        """All non-empty faces, the region itself included, by dimension."""
        return face_lattice(self.generators)

    @cached_property
    def affine_map(self) -> AffineMap:
        """The affine map that the network is on the region; its ``.matrix`` is the Jacobian."""
        digits = [layer.tolist() for layer in self.network.unit_digits(self.pattern)]
        return AffineMap(self.network.exact.preactivation_rows(digits)[-1])

    def contains(self, x: Sequence[object]) -> bool:
        """Return whether a point lies in the closed region."""
        point = self._point(x)
        return all(dot(row, point) >= 0 for row in self.rows)

    def class_contains(self, x: Sequence[object]) -> bool:
        """Return whether a point of the closed domain has exactly this pattern.

        The class is half-open: its closure is the region, and points on a facet belong to the class on the
        side where the neuron is not active.
        """
        point = self._point(x)
        n = len(self.hrep.rows)
        values = [dot(row, point) for row in self.rows]
        on_strict = any(value == 0 and strict for value, strict in zip(values[:n], self.hrep.strict, strict=True))
        return min(values, default=0) >= 0 and not on_strict

    def _point(self, x: Sequence[object]) -> tuple[Fraction, ...]:
        point = to_fractions(x.ravel().tolist() if hasattr(x, "ravel") else x, "Region.contains")
        if len(point) != self.network.dim:
            raise DomainError(
                f"Region needs a point of {self.network.dim} coordinates but received {len(point)}. Match them."
            )
        return (*point, Fraction(1))


def region_of(network: Network, pattern: Pattern, domain: Domain | None = None) -> Region:
    """Return the region of a pattern.

    Parameters
    ----------
    network : Network
    pattern : Pattern
    domain : Domain, optional
        Default: all inputs.

    Raises
    ------
    PatternError
        If the pattern does not fit the network.
    EmptyRegionError
        If no ball of inputs inside the domain has the pattern; ``certificate`` holds Farkas multipliers of
        `Region.rows`. A pattern of lower-dimensional sets only is refused too; `decide_class` finds those.
    DomainError
        If the domain has another dimension than the network, is empty or flat.
    """
    region = Region(network, pattern, _checked(domain, network))
    _ = region.witness
    return region


def region_at(network: Network, x: Sequence[object], domain: Domain | None = None) -> Region:
    """Return a region that contains a point.

    Where the inputs with the point's own pattern have interior points, theirs is the region. Otherwise, as
    where two regions meet and the set between them is flat, the point is moved by an infinitesimal step
    towards an interior point of the domain, by a much smaller one along the first axis, and so on.

    Parameters
    ----------
    network : Network
    x : sequence of dim numbers
    domain : Domain, optional
        Default: all inputs.

    Raises
    ------
    DomainError
        If the point is outside the domain, or the domain is flat.

    Examples
    --------
    >>> cross = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> str(cross.exact.pattern_at([0])), str(region_at(cross, [0]).pattern)
    ('00', '10')
    >>> str(region_at(cross, [0], Domain.box([-1], [0])).pattern)
    '01'
    """
    domain = _checked(domain, network)
    point = to_fractions(x.ravel().tolist() if hasattr(x, "ravel") else x, "region_at")
    pattern = network.exact.pattern_at(point)
    directions: list[Sequence[object]] = _axes(network.dim)
    if domain is not None:
        if not domain.contains(point):
            raise DomainError(
                f"region_at needs a point of the domain ({domain.label}) but received "
                f"({', '.join(map(str, point))}). Move the point or widen the domain."
            )
        directions.insert(0, [b - a for a, b in zip(point, _interior_of(domain), strict=True)])
    region = Region(network, pattern, domain)
    witness = _near(region, point)
    if witness is not None:
        vars(region)["witness"] = witness  # the cached property
        return region
    if decide_region(region)[0]:
        return region
    return Region(network, network.exact.pattern_at(point, directions), domain)


def decide_region(region: Region) -> tuple[bool, Witness | Infeasible]:
    """Return whether a region has interior points, with one or with Farkas multipliers of its rows.

    Rows that vanish identically: a strict one (for ReLU, digit 1) forbids the pattern, a weak one does not.
    """
    strict = [flag or any(row[:-1]) for flag, row in zip(_strict(region), region.rows, strict=True)]
    answer = find_point(region.rows, strict, region.network.dim)
    return isinstance(answer, Witness), answer


def decide_class(network: Network, pattern: Pattern, domain: Domain | None = None) -> tuple[bool, Witness | Infeasible]:
    """Return whether any input of the closed domain has a pattern, with one or with Farkas multipliers.

    Unlike `decide_region` this finds classes of lower dimension too: the paper's full code space.

    Examples
    --------
    >>> cross = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> decide_class(cross, Pattern.parse("00"))
    (True, Witness(point=(Fraction(0, 1),)))
    >>> decide_region(Region(cross, Pattern.parse("00")))[0], decide_class(cross, Pattern.parse("11"))[0]
    (False, False)
    """
    region = Region(network, pattern, _checked(domain, network))
    answer = find_point(region.rows, _strict(region), network.dim)
    return isinstance(answer, Witness), answer


def neighbour_across(region: Region, facet: Facet) -> Pattern | None:
    """Return the pattern on the other side of a facet, None where that is outside the domain.

    The step from the facet's interior point goes outward first; close to such a point the other side is one
    region, since every preactivation that vanishes there vanishes on the whole facet.
    """
    if facet.domain_rows:
        return None
    outward = [-value for value in facet.row[:-1]]
    return region.network.exact.pattern_at(facet.point, [outward, *_axes(region.network.dim)])


def _near(region: Region, point: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
    """Return a point strictly inside a region near a point of it, where that needs no linear program.

    The point itself, if it lies strictly inside every neuron's row; on the border of the domain a short step from it
    into the domain.
    """
    neuron_rows = [row for row in region.hrep.rows if any(row[:-1])]
    is_forbidden = any(s and not any(row) for row, s in zip(region.hrep.rows, region.hrep.strict, strict=True))
    if is_forbidden or not is_strictly_inside(neuron_rows, point):
        return None
    rows = [row for row in region.rows if any(row[:-1])]
    if region.domain is None or is_strictly_inside(rows[len(neuron_rows) :], point):
        return tuple(point)
    steps = [b - a for a, b in zip(point, _interior_of(region.domain), strict=True)]
    size = Fraction(1)
    while True:
        size /= 2
        moved = tuple(a + size * step for a, step in zip(point, steps, strict=True))
        if is_strictly_inside(rows, moved):
            return moved


def _axes(dim: int) -> list[Sequence[object]]:
    return [[int(i == j) for j in range(dim)] for i in range(dim)]


def _strict(region: Region) -> list[bool]:
    """Return which of a region's rows the half-open class needs > 0; the domain is closed."""
    return [*region.hrep.strict] + [False] * (len(region.rows) - len(region.hrep.rows))


def _checked(domain: Domain | None, network: Network) -> Domain | None:
    return None if domain is None else domain.check_dim(network.dim)


def _interior_of(domain: Domain) -> tuple[Fraction, ...]:
    hull = decide_domain(domain)
    if not hull.is_full_dimensional:
        raise DomainError(
            f"A region needs a domain with interior points but {domain.label} is flat. "
            "Restrict the network to its affine hull: `decide_domain(domain).hull`."
        )
    return hull.point


def _empty_error(region: Region, answer: Infeasible) -> EmptyRegionError:
    """Return the error for a region without interior points; raise `DomainError` if the domain is to blame."""
    inside = ""
    if region.domain is not None:
        _interior_of(region.domain)
        inside = f" inside {region.domain.label}"
    return EmptyRegionError(
        f"region_of needs a pattern with interior points but no input near any point{inside} has "
        f"{str(region.pattern)!r}. Its `certificate` proves it; take a pattern from `region_at`.",
        answer,
    )
