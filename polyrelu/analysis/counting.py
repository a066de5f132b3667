"""How many regions a network has in a domain, in every sense in which they are counted.

`polyrelu.analysis.counting_locally` counts along lines, in planes and around points, `polyrelu.analysis.bounds` says
how many there can be, and `polyrelu.analysis.growth` how the number changes with size, scale and training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.faces import faces_of
from polyrelu.tessellation.model import Tessellation

__all__ = ["RegionCounts", "count_all", "count_tessellation"]


@dataclass(frozen=True, slots=True)
class RegionCounts:
    """The numbers of regions of one network in one domain.

    Attributes
    ----------
    regions : int
        Full-dimensional sets of inputs with one pattern, where a neuron that is 0 counts as off.
    bounded_regions : int
    strict_regions : int
        Those with no neuron that vanishes on the whole region: non-empty sets where every neuron is > 0 or < 0
        (Hanin and Rolnick 2019, Definition 1).
    linear_regions : int
        Connected unions of regions with one affine map (the same, Definition 2).
    affine_maps : int
        Distinct affine maps. Regions that do not touch may share one.
    partial_regions : tuple of int, or None
        How many open faces of any dimension, inside the domain, have exactly 0, 1, 2, … vanishing neurons (the same,
        Definition 4); up to the last number that is not 0. None if they were not asked for.
    """

    regions: int
    bounded_regions: int
    strict_regions: int
    linear_regions: int
    affine_maps: int
    partial_regions: tuple[int, ...] | None


def count_all(network: Network, domain: Domain | None = None, *, partial: bool = True, **options: Any) -> RegionCounts:
    """Return how many regions of each kind a network has in a domain.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default.
    partial : bool
        Count partial regions too: all faces of all dimensions. From five inputs on that takes rational arithmetic for
        every region.
    **options
        As for `tessellate`.

    Raises
    ------
    DomainError
        If the domain is empty, or of another dimension than the network.
    BudgetError, EnumerationInterrupted
        As from `tessellate`.

    Examples
    --------
    >>> from polyrelu.testing import generic_arrangement, thick_zero
    >>> count_all(generic_arrangement(2, 4)).partial_regions
    (11, 16, 6)

    Neurons that vanish on whole regions: 8 regions, of which 6 are strict.

    >>> count_all(thick_zero())
    RegionCounts(regions=8, bounded_regions=0, strict_regions=6, linear_regions=8, affine_maps=8, \
partial_regions=(6, 6, 4, 0, 0, 0, 1))
    """
    return count_tessellation(tessellate(network, domain, **options), partial=partial)


def count_tessellation(tessellation: Tessellation, *, partial: bool = True) -> RegionCounts:
    """Return how many regions of each kind a tessellation has; `count_all` explains.

    Raises
    ------
    InputError
        If the tessellation is incomplete.
    """
    t = tessellation
    if not t.is_complete:
        raise InputError(
            f"count_tessellation needs a complete tessellation but received {t.n_regions} regions of one that was "
            "ended early. Raise the budget."
        )
    return RegionCounts(
        regions=t.n_regions,
        bounded_regions=int(t.bounded.sum()),
        strict_regions=int(t.is_strict.sum()),
        linear_regions=t.n_linear_regions,
        affine_maps=t.n_affine_maps,
        partial_regions=_partial_regions(t) if partial else None,
    )


def _partial_regions(t: Tessellation) -> tuple[int, ...]:
    """Return how many inner faces have 0, 1, 2, … vanishing neurons."""
    levels = [faces_of(t, dim) for dim in range(t.dim + 1)]
    vanishing = np.concatenate([np.diff(faces.zero_indptr)[faces.is_inner] for faces in levels])
    return tuple(np.bincount(vanishing.astype(np.int64)).tolist())
