"""`tessellate`: from a network and a domain to a tessellation."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable

from polyrelu.enumeration.plane import PlaneRegions, enumerate_plane
from polyrelu.enumeration.space import SpaceRegions
from polyrelu.enumeration.split import enumerate_split
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.errors import BudgetError, EnumerationInterrupted, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network, check_network
from polyrelu.network.slices import Slice
from polyrelu.region.hull import decide_domain
from polyrelu.region.model import Region
from polyrelu.tessellation.exact_assembly import assemble_exact
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.plane_assembly import assemble_plane
from polyrelu.tessellation.point_assembly import assemble_point
from polyrelu.tessellation.space_assembly import assemble_space

__all__ = ["tessellate"]

FIRST_SPLIT_DIM = 5
"""From how many inputs on linear programs are faster than vertices, of which a region has about ``2^dim``."""

Method = Callable[..., "PlaneRegions | SpaceRegions | list[Region]"]


def tessellate(
    network: Network,
    domain: Domain | None = None,
    *,
    method: Method | None = None,
    max_regions: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Tessellation:
    """Return all regions of a network in a domain, and how they meet.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default. A flat domain is tessellated in its affine hull: the result's network is then the
        network restricted to ``hull``.
    method : callable, optional
        ``method(network, domain)`` returns the regions of a full-dimensional domain. Default: `enumerate_plane` for
        one or two inputs, `enumerate_vertices` for three or four, `enumerate_split` for more, which finds no vertices.
    max_regions, max_seconds : optional
        Budgets, for methods that have them.
    progress : callable, optional
        Called with the number of regions now and then, by methods that do so.

    Raises
    ------
    DomainError
        If the domain is empty, or of another dimension than the network.
    InputError
        If the method has no such budget.
    BudgetError, EnumerationInterrupted
        With the incomplete tessellation as ``.partial`` (None if nothing was found).

    Examples
    --------
    >>> from polyrelu.testing import generic_arrangement, xor
    >>> t = tessellate(xor())
    >>> t.n_regions, t.n_vertices, t.n_linear_regions
    (3, 0, 3)
    >>> tessellate(xor(), Domain.box([0, 1], [1, 1])).hull.point(["1/2"])
    (Fraction(1, 2), Fraction(1, 1))
    >>> space = tessellate(generic_arrangement(3, 20))
    >>> space.n_regions, space.n_vertices, space.n_facets
    (1351, 1140, 3820)
    >>> tessellate(xor(), Domain.unit(3))
    Traceback (most recent call last):
    ...
    polyrelu.errors.DomainError: The network has 2 inputs but the domain (0:1,0:1,0:1) has 3. Give a domain of R^2.
    """
    check_network(network, "tessellate")
    region_domain = (domain or Domain.all(network.dim)).check_dim(network.dim)
    hull = decide_domain(region_domain)
    if hull.hull is not None:
        network = network.restrict(hull.hull)
    inner = hull.inner
    if network.dim == 0:
        return assemble_point(network, inner, hull.hull)
    chosen = method or _default_method(network)
    options = _options(chosen, max_regions=max_regions, max_seconds=max_seconds)
    if progress is not None and "progress" in inspect.signature(chosen).parameters:
        options["progress"] = progress
    start = time.process_time()
    try:
        found = chosen(network, inner, **options)
    except BudgetError as error:
        raise BudgetError(str(error), _assembled(error.partial, network, inner, hull.hull, start, False)) from None
    except EnumerationInterrupted as interrupt:
        partial = _assembled(interrupt.partial, network, inner, hull.hull, start, False)
        raise EnumerationInterrupted(partial) from None
    result = _assembled(found, network, inner, hull.hull, start, True)
    assert result is not None
    return result


def _default_method(network: Network) -> Method:
    if network.dim <= 2:
        return enumerate_plane
    return enumerate_vertices if network.dim < FIRST_SPLIT_DIM else enumerate_split


def _options(method: Method, **budgets: float | None) -> dict[str, object]:
    """Return the budgets that are set; refuse those that the method does not know."""
    given = {name: value for name, value in budgets.items() if value is not None}
    parameters = inspect.signature(method).parameters
    for name in given:
        if name not in parameters:
            raise InputError(
                f"tessellate needs a method with the budget {name} but received "
                f"{getattr(method, '__name__', repr(method))}, which has none. Leave the budget out."
            )
    return dict(given)


def _assembled(
    found: PlaneRegions | SpaceRegions | list[Region] | None,
    network: Network,
    domain: Domain,
    hull: Slice | None,
    start: float,
    is_complete: bool,
) -> Tessellation | None:
    if found is None:
        return None
    if isinstance(found, PlaneRegions):
        return assemble_plane(found, network, domain, hull)
    if isinstance(found, SpaceRegions):
        return assemble_space(found, network, domain, hull)
    seconds = time.process_time() - start
    return assemble_exact(found, network, domain, hull, seconds=seconds, is_complete=is_complete)
