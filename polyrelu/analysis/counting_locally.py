"""How dense the regions are: along lines, in planes, and in a ball around a point, with their sizes.

All counts and sizes are exact. Lengths and areas within a slice of a higher-dimensional space are square roots of
rationals, so densities are floats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from polyrelu.analysis.counting import RegionCounts, count_tessellation
from polyrelu.errors import InputError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import to_fraction
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.model import Tessellation

__all__ = [
    "BallCounts",
    "RegionSizes",
    "SliceDensity",
    "count_in_ball",
    "density_along",
    "region_sizes",
]


@dataclass(frozen=True, slots=True)
class SliceDensity:
    """How many regions a segment, a parallelogram or a parallelepiped in input space meets.

    Attributes
    ----------
    dim : int
        1 for a segment, 2 for a parallelogram, and so on.
    n_regions : int
        Regions of the network restricted to the slice: a neuron that vanishes on all of it counts as off.
    squared_size : Fraction
        Square of the length, area or volume of what is met, in the Euclidean norm of the input space.
    """

    dim: int
    n_regions: int
    squared_size: Fraction

    @property
    def size_float(self) -> float:
        """Length, area or volume."""
        return math.sqrt(self.squared_size)

    @property
    def density_float(self) -> float:
        """Regions per length, area or volume."""
        return self.n_regions / self.size_float

    def per_neuron_float(self, n_neurons: int) -> float:
        """Return the density over ``neurons^dim / dim!``, the growth of Theorem 5 of Hanin and Rolnick 2019."""
        return self.density_float * math.factorial(self.dim) / n_neurons**self.dim


def density_along(network: Network, *points: Sequence[object], **options: Any) -> SliceDensity:
    """Return how many regions a segment or a parallelogram meets.

    Parameters
    ----------
    network : Network
    *points : sequences of dim numbers
        Two for the segment between them; three or more for the parallelogram (parallelepiped) with the first as a
        corner and edges to the others. Taken exactly.
    **options
        As for `tessellate`.

    Raises
    ------
    InputError
        If the edges are not independent, or points have another length than the network's inputs.
    BudgetError, EnumerationInterrupted
        As from `tessellate`.

    Examples
    --------
    >>> from polyrelu.testing import telgarsky, xor
    >>> density_along(telgarsky(4), [0], [1]).n_regions
    16
    >>> across = density_along(xor(), [-1, -1], [2, 2])
    >>> across.n_regions, across.squared_size
    (3, Fraction(18, 1))
    >>> square = density_along(xor(), [0, 0], [1, 0], [0, 1])
    >>> square.n_regions, square.density_float
    (2, 2.0)
    >>> density_along(xor(), [0, 0], [1, 1], [2, 2])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: Slice needs independent directions but received 2 of rank 1. \
Choose points that do not lie on one line.
    """
    plane = Slice.through(*points)
    regions = tessellate(network.restrict(plane), Domain.unit(plane.dim), **options).n_regions
    return SliceDensity(plane.dim, regions, _gram_determinant(plane))


def _gram_determinant(plane: Slice) -> Fraction:
    """Return the squared volume of the parallelepiped that a slice's directions span."""
    import flint

    directions = plane.matrix.numerators.tolist()
    n, dim = len(directions), plane.dim
    columns = flint.fmpz_mat([[int(v) for v in row[:-1]] for row in directions])
    gram = columns.transpose() * columns
    assert gram.nrows() == dim and n >= dim
    return Fraction(int(gram.det()), int(plane.matrix.denominator) ** (2 * dim))


@dataclass(frozen=True, slots=True)
class RegionSizes:
    """Lengths, areas or volumes of bounded regions, exactly.

    Attributes
    ----------
    sizes : tuple of Fraction
        From small to large; at least one.
    """

    sizes: tuple[Fraction, ...]

    @property
    def smallest(self) -> Fraction:
        """Size of the smallest region."""
        return self.sizes[0]

    @property
    def largest(self) -> Fraction:
        """Size of the largest region."""
        return self.sizes[-1]

    @property
    def total(self) -> Fraction:
        """Sum of all sizes."""
        return sum(self.sizes, start=Fraction(0))

    @property
    def mean(self) -> Fraction:
        """Mean size of a region."""
        return self.total / len(self.sizes)

    def quantile(self, fraction: object) -> Fraction:
        """Return the smallest size that at least this fraction of the regions does not exceed: 1/2 is the median.

        Examples
        --------
        >>> sizes = RegionSizes((Fraction(1), Fraction(2), Fraction(6)))
        >>> sizes.quantile("1/2"), sizes.quantile(0), sizes.quantile(1), sizes.mean
        (Fraction(2, 1), Fraction(1, 1), Fraction(6, 1), Fraction(3, 1))
        """
        share = to_fraction(fraction, "quantile")
        if not 0 <= share <= 1:
            raise InputError(f"quantile needs a fraction from 0 to 1 but received {share}. Write 1/2 for the median.")
        return self.sizes[max(math.ceil(share * len(self.sizes)) - 1, 0)]


def region_sizes(tessellation: Tessellation) -> RegionSizes:
    """Return the sizes of all regions of a bounded tessellation.

    Raises
    ------
    UnboundedError
        If a region is unbounded.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> sizes = region_sizes(tessellate(xor(), Domain.unit(2)))
    >>> [str(size) for size in sizes.sizes]
    ['1/2', '1/2']
    """
    t = tessellation
    areas = [area for area in t.areas() if area is not None]
    if len(areas) < t.n_regions or not areas:
        raise UnboundedError(
            f"region_sizes needs bounded regions but received {t.n_regions - len(areas)} unbounded ones. "
            "Tessellate a bounded domain."
        )
    return RegionSizes(tuple(sorted(areas)))


@dataclass(frozen=True, slots=True)
class BallCounts:
    """The regions in a ball around a point.

    Attributes
    ----------
    counts : RegionCounts
    sizes : RegionSizes
        Of the parts inside the ball; they add up to the ball's volume.
    own_size : Fraction
        Size of the region of the centre, inside the ball; of one of them if the centre lies on a border
        (`Tessellation.locate` says which).
    """

    counts: RegionCounts
    sizes: RegionSizes
    own_size: Fraction


def count_in_ball(
    network: Network, centre: Sequence[object], radius: object, norm: object = math.inf, **options: Any
) -> BallCounts:
    """Return how many regions a ball around a point meets, and how large they are in it.

    Parameters
    ----------
    network : Network
        Restrict it to a slice first where there are many inputs.
    centre : sequence of dim numbers
        Taken exactly.
    radius : number or text
        Larger than 0.
    norm : 1 or math.inf ("inf" will do)
    **options
        As for `tessellate`.

    Raises
    ------
    DomainError
        If the ball is none, or of another dimension than the network.
    BudgetError, EnumerationInterrupted
        As from `tessellate`.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> ball = count_in_ball(xor(), [0, 0], 1, norm=1)
    >>> ball.counts.regions, ball.sizes.sizes, ball.own_size
    (2, (Fraction(1, 1), Fraction(1, 1)), Fraction(1, 1))
    """
    ball = Domain.ball(centre, radius, norm)
    t = tessellate(network, ball, **options)
    if t.hull is not None:
        raise InputError(f"count_in_ball needs a radius larger than 0 but received {radius}. Ask `region_at` instead.")
    [own] = t.locate([centre]).tolist()
    size = t.area(own)
    assert size is not None  # a ball is bounded
    return BallCounts(count_tessellation(t, partial=False), region_sizes(t), size)
