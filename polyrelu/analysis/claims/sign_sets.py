"""Connected parts of the sets where an output is positive or negative, and which of them are bounded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polyrelu.exact.domain import Domain
from polyrelu.network.activation import IDENTITY, RELU, Activation
from polyrelu.network.model import Layer, Network

__all__ = ["bounded_components", "signed_network"]


def signed_network(network: Network) -> Network:
    """Return a network with one output as one whose last neuron is that output.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> str(signed_network(xor()).exact.pattern_at([1, 0]))
    '10|1'
    """
    output = network.output
    last = Layer(output.weight, output.bias, Activation.same(RELU, 1))
    after = Layer(np.ones((1, 1)), np.zeros(1), Activation.same(IDENTITY, 1))
    return replace(network, hidden=(*network.hidden, last), output=after)


def bounded_components(network: Network, domain: Domain | None = None) -> tuple[tuple[str, ...], ...]:
    """Return the bounded connected parts of {f > 0} and {f < 0}, for a network f with one output.

    Each is the sorted tuple of the patterns of `signed_network` that it consists of. Two regions belong together if
    they share a facet on which f does not vanish; faces of lower dimension connect no open set.

    Examples
    --------
    >>> tent = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [-1])])
    >>> bounded_components(tent)
    (('01|0', '10|0'),)
    """
    import networkx

    from polyrelu.tessellation.build import tessellate

    t = tessellate(signed_network(network), domain)
    last = t.network.n_neurons - 1
    signs = [0 if last in t.zero_neurons(i) else 2 * t.pattern(i).digits[-1] - 1 for i in range(t.n_regions)]
    graph = networkx.Graph()
    graph.add_nodes_from(i for i, sign in enumerate(signs) if sign)
    for facet in t.inner_facets.tolist():
        left, right = t.facet_regions[facet].tolist()
        if signs[left] and signs[left] == signs[right] and last not in t.facet_neurons(facet):
            graph.add_edge(left, right)
    parts = (part for part in networkx.connected_components(graph) if all(t.bounded[i] for i in part))
    return tuple(sorted(tuple(sorted(str(t.pattern(i)) for i in part)) for part in parts))
