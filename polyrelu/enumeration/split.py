"""All regions of a network with any number of inputs by linear programs: certified, for every dimension.

Depth-first over the neurons: a cell is a list of halfspaces with a point strictly inside, and one linear program says
whether a neuron's hyperplane cuts it (`polyrelu.kernels.cells`). Floats propose, with proven error bounds; rationals
decide what they leave open. Unbounded domains are no special case: cells may have endless edges, or no corner at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from polyrelu.enumeration.essential import essential
from polyrelu.enumeration.plane import Decisions
from polyrelu.enumeration.space import CellFacets, ColumnMeanings, SpaceRegions
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from polyrelu.kernels.cell_layout import CellOutput

__all__ = ["cell_output", "enumerate_split", "joined_regions"]


def enumerate_split(
    network: Network,
    domain: Domain | None = None,
    *,
    facets: bool = True,
    max_regions: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> SpaceRegions:
    """Return all regions of a network with any number of inputs on a full-dimensional domain, with their facets.

    The fastest method from 5 inputs on.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default.
    facets : bool
        Also find the facets of every region: several linear programs for each.
    max_regions, max_seconds : optional
        Budgets; when one is reached `BudgetError` carries the regions found so far as ``.partial``.
    progress : callable, optional
        Called with the number of regions now and then.

    Raises
    ------
    DomainError
        If the domain has another dimension, or no interior.
    BudgetError, EnumerationInterrupted
        With ``.partial``.

    Examples
    --------
    >>> from polyrelu.testing import generic_arrangement
    >>> found = enumerate_split(generic_arrangement(5, 6))
    >>> found.n_regions, found.is_complete
    (63, True)
    """
    region_domain = (domain or Domain.all(network.dim)).check_dim(network.dim)
    # The compiled loops are imported here because `import polyrelu` must not load numba.
    from polyrelu.enumeration.running import collect

    parts = _parts(network, region_domain, facets)
    return collect("enumerate_split", parts, joined_regions, max_regions, max_seconds, progress)


def _parts(network: Network, domain: Domain, facets: bool) -> Iterator[SpaceRegions]:
    """Run the compiled loop; yield what it finds, the last part marked complete."""
    from polyrelu.enumeration.cell_answers import CellAnswers
    from polyrelu.enumeration.cell_tables import cell_tables
    from polyrelu.enumeration.running import run

    core = essential(network, domain)
    laid_out = cell_tables(core.network, core.domain, facets)
    tables = laid_out.network
    meanings = ColumnMeanings(tables.column_unit, tables.column_pieces, tables.unit_neuron, tables.first_line)
    n_words = network.layout.n_words
    starts = np.zeros(5, np.int64)
    answers = CellAnswers(tables, laid_out.geometry, laid_out.lines)
    for chunk in run(tables, laid_out.geometry, answers, lambda size: cell_output(size, n_words, core.dim)):
        output, lengths = chunk.output, chunk.lengths
        regions, n_facets, forms, _, zeros = lengths
        found = CellFacets(
            output.indptr[1 : regions + 1] + starts[1],
            output.form_indptr[1 : n_facets + 1] + starts[2],
            output.forms[:forms].copy(),
            output.is_bounded[:regions] & (not core.drops_lines),
        )
        yield SpaceRegions(
            network=network,
            domain=domain,
            words=output.words[:regions].copy(),
            witnesses=core.lift(output.witnesses[:regions].copy()),
            zero_indptr=output.zero_indptr[1 : regions + 1] + starts[4],
            zero_columns=output.zero_columns[:zeros].copy(),
            corners=None,
            facets=found if facets else None,
            columns=meanings,
            decisions=Decisions(*chunk.decisions),
            seconds=0.0,
            is_complete=chunk.is_last,
        )
        starts += lengths


def cell_output(size: int, n_words: int, dim: int) -> CellOutput:
    """Return an empty output for so many regions."""
    from polyrelu.kernels.cell_layout import CellOutput

    n_facets = 4 * size * (dim + 1)
    return CellOutput(
        np.empty((size, n_words), np.uint64),
        np.empty((size, dim)),
        np.empty(size, np.bool_),
        np.zeros(size + 1, np.int64),
        np.zeros(n_facets + 1, np.int64),
        np.empty(2 * n_facets, np.int32),
        np.zeros(size + 1, np.int64),
        np.empty(8 * size, np.int32),
    )


def joined_regions(parts: list[SpaceRegions], seconds: float, is_complete: bool) -> SpaceRegions:
    """Return all parts as one; their indices of lists go on from part to part and lack the leading zero."""
    facets = [part.facets for part in parts if part.facets is not None]
    zero = np.zeros(1, np.int64)
    together = CellFacets(
        np.concatenate([zero, *(f.indptr for f in facets)]),
        np.concatenate([zero, *(f.form_indptr for f in facets)]),
        np.concatenate([np.zeros(0, np.int32), *(f.forms for f in facets)]),
        np.concatenate([np.zeros(0, np.bool_), *(f.is_bounded for f in facets)]),
    )
    return replace(
        parts[-1],
        words=np.concatenate([part.words for part in parts]),
        witnesses=np.concatenate([part.witnesses for part in parts]),
        zero_indptr=np.concatenate([zero, *(part.zero_indptr for part in parts)]),
        zero_columns=np.concatenate([part.zero_columns for part in parts]),
        facets=together if facets else None,
        seconds=seconds,
        is_complete=is_complete,
    )
