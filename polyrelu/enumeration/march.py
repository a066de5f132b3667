"""From region to region across facets, breadth first: local exploration in any dimension.

Each region is found from its pattern by the loops of the enumeration by linear programs, with proofs
(`polyrelu.kernels.march`). What is on the other side of a facet follows from the neurons that vanish on it. A convex
domain's regions are connected through facets, so that a march that runs out of new patterns has found them all.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.region_finder import RegionFinder
from polyrelu.enumeration.space import SpaceRegions
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

__all__ = ["MarchRegions", "enumerate_march"]


@dataclass(frozen=True)
class MarchRegions(SpaceRegions):
    """What a march has found, in the order in which it came there.

    Attributes
    ----------
    distances : int64 array, shape (n_regions,)
        Walking distance of each region from the first one: facets to cross. A march that ended early has the true
        distances too, because it is breadth first.
    """

    distances: NDArray[np.int64] = None  # type: ignore[assignment]


def enumerate_march(
    network: Network,
    domain: Domain | None = None,
    *,
    start: Sequence[object] | None = None,
    max_distance: int | None = None,
    max_regions: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> MarchRegions:
    """Return the regions of a network around a point, breadth first across facets.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default; with interior points.
    start : sequence of dim numbers, optional
        A point of the domain, taken exactly; default one of its interior points.
    max_distance : int, optional
        Regions that are further away are not visited; the result is then complete only if there are none.
    max_regions, max_seconds : optional
        Budgets; when one is reached `BudgetError` carries the regions found so far as ``.partial``.
    progress : callable, optional
        Called with the number of regions now and then.

    Raises
    ------
    DomainError
        If the domain has another dimension or no interior, or the point lies outside it.
    BudgetError, EnumerationInterrupted
        With ``.partial``.

    Examples
    --------
    >>> from polyrelu.testing import generic_arrangement
    >>> found = enumerate_march(generic_arrangement(3, 5))
    >>> found.n_regions, found.is_complete, int(found.distances.max())
    (26, True, 5)
    >>> near = enumerate_march(generic_arrangement(3, 5), max_distance=1)
    >>> near.is_complete, near.distances.tolist()
    (False, [0, 1, 1, 1, 1, 1])
    """
    from polyrelu.enumeration.running import collect

    finder = RegionFinder(network, (domain or Domain.all(network.dim)).check_dim(network.dim))
    parts = _march(finder, finder.first_words(start), max_distance)
    return collect("enumerate_march", parts, _joined, max_regions, max_seconds, progress)


def _march(finder: RegionFinder, first: NDArray[np.uint64], max_distance: int | None) -> Iterator[MarchRegions]:
    """March from a pattern; yield what is found, the last part marked complete if there is nothing left."""
    finder.clear()
    seen = {first.tobytes()}
    waiting = deque([(first, 0)])
    distances: list[int] = []
    starts, is_cut, last = np.zeros(5, np.int64), False, time.monotonic()
    while waiting:
        words, distance = waiting.popleft()
        index = finder.visit(words)
        distances.append(distance)
        for other in finder.patterns_across(index):
            key = None if other is None else other.tobytes()
            if key is None or other is None or key in seen:
                continue
            if max_distance is not None and distance >= max_distance:
                is_cut = True
                continue
            seen.add(key)
            waiting.append((other, distance + 1))
        if waiting and (finder.is_nearly_full() or time.monotonic() > last + 0.25):
            last = time.monotonic()
            yield _with_distances(finder.take(starts, False), distances)
            distances = []
    yield _with_distances(finder.take(starts, not is_cut), distances)


def _joined(parts: list[MarchRegions], seconds: float, is_complete: bool) -> MarchRegions:
    from polyrelu.enumeration.split import joined_regions

    together = joined_regions(list(parts), seconds, is_complete and parts[-1].is_complete)
    return _with_distances(together, np.concatenate([part.distances for part in parts]))


def _with_distances(found: SpaceRegions, distances: Sequence[int] | NDArray[np.int64]) -> MarchRegions:
    fields = {name: getattr(found, name) for name in SpaceRegions.__dataclass_fields__}
    return MarchRegions(**(fields | {"distances": np.array(distances, np.int64)}))
