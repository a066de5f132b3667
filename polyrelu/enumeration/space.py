"""What the enumerations of three or more dimensions hand over: all regions with their corners, or with their facets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.plane import Decisions
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

__all__ = ["CellFacets", "ColumnMeanings", "Corners", "SpaceRegions"]


@dataclass(frozen=True)
class ColumnMeanings:
    """What the numbers of columns mean: a column names one affine form in the context of a region's digits.

    Attributes
    ----------
    unit : int64 array, shape (n_columns,)
        Unit whose digit changes where the form vanishes; -1 for columns that are not cut rows.
    digits : int64 array, shape (n_columns, 2)
        The two digits on its sides (for a max unit: its two inputs).
    unit_neuron : int64 array, shape (n_units,)
        Neuron of a unit, -1 for units without a digit.
    first_line : int
        Columns from here on are the domain's rows; the last ``2 dim`` are the sides of the far cube ``|x_j| <= M``:
        ``2 j`` for ``x_j = -M``, ``2 j + 1`` for ``x_j = M``.
    """

    unit: NDArray[np.int64]
    digits: NDArray[np.int64]
    unit_neuron: NDArray[np.int64]
    first_line: int


@dataclass(frozen=True)
class Corners:
    """The corners of all regions, region by region.

    Attributes
    ----------
    indptr : int64 array, shape (n_regions + 1,)
        Corners of region ``r`` are ``indptr[r]:indptr[r + 1]``, in any order.
    points : float64 array, shape (n_corners, dim)
        Coordinates; for a far corner its finite part.
    far_corners : int64 array, shape (n_far,); far_directions : float64 array, shape (n_far, dim)
        Corners at infinity are ``points + M far_directions`` for every large M.
    form_indptr : int64 array, shape (n_corners + 1,); forms : int32 array
        Columns that vanish at each corner, those that vanish on the whole region left out. The first ``dim`` of them
        are independent.
    """

    indptr: NDArray[np.int64]
    points: NDArray[np.float64]
    far_corners: NDArray[np.int64]
    far_directions: NDArray[np.float64]
    form_indptr: NDArray[np.int64]
    forms: NDArray[np.int32]


@dataclass(frozen=True)
class CellFacets:
    """The facets of all regions, region by region.

    Attributes
    ----------
    indptr : int64 array, shape (n_regions + 1,)
        Facets of region ``r`` are ``indptr[r]:indptr[r + 1]``.
    form_indptr : int64 array, shape (n_facets + 1,); forms : int32 array
        Columns that vanish on each facet, those that vanish on the whole region left out.
    is_bounded : bool array, shape (n_regions,)
    """

    indptr: NDArray[np.int64]
    form_indptr: NDArray[np.int64]
    forms: NDArray[np.int32]
    is_bounded: NDArray[np.bool_]


@dataclass(frozen=True)
class SpaceRegions:
    """All regions of a network on a domain of any dimension, as enumerated.

    Attributes
    ----------
    network, domain
    words : uint64 array, shape (n_regions, n_words)
        Packed patterns.
    witnesses : float64 array, shape (n_regions, dim)
        A point of each region in floats: rounding may move it out of a region thinner than floats resolve.
    zero_indptr : int64 array, shape (n_regions + 1,); zero_columns : int32 array
        Columns that vanish on each whole region.
    corners : Corners or None
        From enumeration by vertices.
    facets : CellFacets or None
        From enumeration by linear programs.
    columns : ColumnMeanings
    decisions : Decisions
    seconds : float
    is_complete : bool
    """

    network: Network
    domain: Domain
    words: NDArray[np.uint64]
    witnesses: NDArray[np.float64]
    zero_indptr: NDArray[np.int64]
    zero_columns: NDArray[np.int32]
    corners: Corners | None
    facets: CellFacets | None
    columns: ColumnMeanings
    decisions: Decisions
    seconds: float
    is_complete: bool = True

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.words)
