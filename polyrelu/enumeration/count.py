"""How many regions there are, without keeping them: for counts that no memory holds."""

from __future__ import annotations

import time
from collections.abc import Callable

from polyrelu.enumeration.essential import essential
from polyrelu.errors import BudgetError, EnumerationInterrupted
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

__all__ = ["count_regions"]


def count_regions(
    network: Network,
    domain: Domain | None = None,
    *,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Return the number of regions of a network on a full-dimensional domain, by linear programs.

    Memory does not grow with the number of regions.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default.
    max_seconds : float, optional
        When they are over, `BudgetError` carries the number of regions proved so far as ``.partial``.
    progress : callable, optional
        Called with the number of regions now and then.

    Raises
    ------
    DomainError
        If the domain has another dimension, or no interior.
    BudgetError, EnumerationInterrupted
        With the number of regions as ``.partial``: all of them exist, and more may.

    Examples
    --------
    >>> from polyrelu.testing import generic_arrangement
    >>> count_regions(generic_arrangement(5, 6))
    63
    """
    # The compiled loops are imported here because `import polyrelu` must not load numba.
    from polyrelu.enumeration.cell_answers import CellAnswers
    from polyrelu.enumeration.cell_tables import cell_tables
    from polyrelu.enumeration.running import run
    from polyrelu.enumeration.split import cell_output

    core = essential(network, (domain or Domain.all(network.dim)).check_dim(network.dim))
    laid_out = cell_tables(core.network, core.domain, False)
    answers = CellAnswers(laid_out.network, laid_out.geometry, laid_out.lines)
    n_words = network.layout.n_words
    deadline = None if max_seconds is None else time.monotonic() + max_seconds
    found = 0
    try:
        chunks = run(laid_out.network, laid_out.geometry, answers, lambda size: cell_output(size, n_words, core.dim))
        for chunk in chunks:
            found += chunk.lengths[0]
            if progress is not None:
                progress(found)
            if deadline is not None and time.monotonic() > deadline and not chunk.is_last:
                raise BudgetError(
                    f"count_regions reached its budget of {max_seconds} seconds after {found} regions, the number in "
                    ".partial. Raise the budget or cut the domain.",
                    found,
                )
    except KeyboardInterrupt as interrupt:
        raise EnumerationInterrupted(found) from interrupt
    return found
