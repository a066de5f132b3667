"""The adjacency graph of a tessellation, as a sparse matrix and for networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import networkx
    from scipy.sparse import csr_array

    from polyrelu.tessellation.model import Tessellation

__all__ = ["adjacency", "components", "count_pairs_without", "to_networkx"]


def adjacency(tessellation: Tessellation) -> csr_array:
    """Return the symmetric matrix with 1 where two regions have a common facet, shape (n_regions, n_regions)."""
    return _symmetric(tessellation.adjacent_pairs, tessellation.n_regions)


def components(pairs: NDArray[np.int32], n_regions: int) -> tuple[int, NDArray[np.int32]]:
    """Return the number of connected components of a graph and the component of each region."""
    from scipy.sparse.csgraph import connected_components

    return connected_components(_symmetric(pairs, n_regions), directed=False)


def count_pairs_without(pairs: NDArray[np.int32], others: NDArray[np.int32], n_regions: int) -> int:
    """Return how many of some pairs (smaller index first) are not among others."""
    left, right = (each[:, 0].astype(np.int64) * n_regions + each[:, 1] for each in (pairs, others))
    return int((~np.isin(left, right)).sum())


def to_networkx(tessellation: Tessellation) -> networkx.Graph:
    """Return the adjacency graph with exact attributes.

    Nodes are the regions' numbers with ``index``, ``pattern`` (`Pattern`), ``witness`` (tuple of Fraction), ``area``
    (Fraction, None if unbounded) and ``is_bounded``; edges carry ``neurons``, those that vanish on the common facet,
    and ``facet``, its number. Where the tessellation has no vertices there is no ``area``: each would take a region's
    vertices (`Tessellation.area`).

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import adjacency_counterexample
    >>> graph = to_networkx(tessellate(adjacency_counterexample()))
    >>> number = {str(data["pattern"]): node for node, data in graph.nodes(data=True)}
    >>> sorted(number), graph.number_of_edges()
    (['01|0', '01|1', '10|1', '11|0', '11|1'], 4)
    >>> graph.nodes[number["11|0"]]["area"], graph.nodes[number["11|0"]]["witness"]
    (Fraction(1, 1), (Fraction(1, 2),))
    >>> graph.edges[number["11|0"], number["11|1"]]["neurons"]
    (2,)
    """
    import networkx

    t = tessellation
    graph = networkx.Graph()
    patterns = t.network.layout.unpack(t.words).tolist()
    bounded = t.bounded.tolist()
    areas = t.areas() if t.has_vertices else None
    for index, digits in enumerate(patterns):
        facts = {"pattern": t.network.pattern(digits), "witness": t.witness(index), "is_bounded": bounded[index]}
        if areas is not None:
            facts["area"] = areas[index]
        graph.add_node(index, index=index, **facts)
    for facet in t.inner_facets.tolist():
        a, b = t.facet_regions[facet].tolist()
        graph.add_edge(a, b, neurons=tuple(t.facet_neurons(facet).tolist()), facet=facet)
    return graph


def _symmetric(pairs: NDArray[np.int32], n: int) -> csr_array:
    from scipy.sparse import coo_array

    rows, columns = np.concatenate([pairs, pairs[:, ::-1]]).T if len(pairs) else np.zeros((2, 0), np.int32)
    return coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(n, n)).tocsr()
