"""Run a loop of `polyrelu.kernels.replay` over regions: lay the network out in tables, and hand them over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.network_tables import network_tables
from polyrelu.network.model import Network

__all__ = ["replay"]


def replay(
    loop: Callable[..., Any], network: Network, words: NDArray[np.uint64], given: NDArray[Any], *results: NDArray[Any]
) -> None:
    """Call ``loop`` with packed patterns of a network, in the order in which they were enumerated.

    Parameters
    ----------
    loop : callable
        Of `polyrelu.kernels.replay`.
    words : uint64 array, shape (n_regions, n_words)
    given : array
        What the loop reads beside the patterns.
    *results : array
        What it fills.
    """
    laid_out = network_tables(network, 0)
    axes = (0, 1, 2) if network.dim == 2 else np.arange(network.dim + 1)  # a tuple's length is known to the compiler
    tables = laid_out.tables, laid_out.digits, laid_out.maps, laid_out.floats, laid_out.bounds
    loop(np.ascontiguousarray(words), given, *tables, axes, *results)
