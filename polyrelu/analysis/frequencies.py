"""How often the adjacency lemma fails: random networks with integer weights, counted exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from polyrelu.analysis.hamming import hamming_adjacency
from polyrelu.errors import InputError
from polyrelu.network.model import Network

__all__ = ["AdjacencyFrequencies", "adjacency_frequencies", "integer_network"]


@dataclass(frozen=True, slots=True)
class AdjacencyFrequencies:
    """Counts over the networks of one architecture.

    Attributes
    ----------
    architecture : tuple of int
        Number of inputs, then the widths of the hidden layers.
    n_networks : int
    n_violating : int
        Networks with a pair at Hamming distance 1 that is not adjacent.
    n_hamming1 : int
        Pairs at Hamming distance 1.
    n_apart : int
        Those of them that are not adjacent.
    n_apart_in_last : int
        Those of these whose patterns differ in the last hidden layer.
    n_joined : int
        Adjacent pairs at a Hamming distance above 1.
    """

    architecture: tuple[int, ...]
    n_networks: int
    n_violating: int
    n_hamming1: int
    n_apart: int
    n_apart_in_last: int
    n_joined: int


def adjacency_frequencies(
    architecture: Sequence[int], n_networks: int = 60, seed: int = 0, largest: int = 1000
) -> AdjacencyFrequencies:
    """Return how often patterns at Hamming distance 1 are not adjacent, and adjacent ones differ in more.

    Parameters
    ----------
    architecture : sequence of int
        Number of inputs, then the widths of the hidden layers.
    n_networks : int
    seed : int
        Network ``i`` is ``integer_network(architecture, (seed, i), largest)``.
    largest : int
        Largest absolute value of a weight or a bias.

    Examples
    --------
    >>> shallow, deep = adjacency_frequencies([2, 5], 10), adjacency_frequencies([2, 4, 4], 10)
    >>> shallow.n_apart, deep.n_apart > 0, deep.n_apart_in_last, deep.n_joined
    (0, True, 0, 0)
    """
    violating = hamming1 = apart = in_last = joined = 0
    for index in range(n_networks):
        network = integer_network(architecture, (seed, index), largest)
        found = hamming_adjacency(network)
        first_of_last = network.n_neurons - architecture[-1]
        violating += bool(len(found.apart))
        hamming1 += len(found.hamming1)
        apart += len(found.apart)
        in_last += sum(min(found.flipped(a, b)) >= first_of_last for a, b in found.apart.tolist())
        joined += len(found.joined)
    return AdjacencyFrequencies(tuple(architecture), n_networks, violating, hamming1, apart, in_last, joined)


def integer_network(
    architecture: Sequence[int], seed: int | Sequence[int], largest: int = 1000, *, zero_bias: bool = False
) -> Network:
    """Return a random ReLU network with integer weights and biases, uniform between plus and minus a bound.

    No bias is 0, unless all are. The output is the sum of the last layer.

    Parameters
    ----------
    architecture : sequence of int
        Number of inputs, then the widths of the hidden layers.
    seed : int or sequence of int
    largest : int
        At least 1.
    zero_bias : bool

    Raises
    ------
    InputError
        If a width or the bound is not positive, or there is no hidden layer.

    Examples
    --------
    >>> integer_network([2, 3], 0, 5).hidden[0].weight.tolist()
    [[4.0, 2.0], [0.0, -3.0], [-2.0, -5.0]]
    """
    if len(architecture) < 2 or min(architecture) < 1 or largest < 1:
        raise InputError(
            "integer_network needs a number of inputs, widths of at least one hidden layer and a bound, all positive, "
            f"but received {list(architecture)} and {largest}. Change them."
        )
    random = np.random.default_rng(seed)
    layers = []
    for n_in, n_out in pairwise(architecture):
        weight = random.integers(-largest, largest, (n_out, n_in), endpoint=True)
        bias = random.integers(1, largest, n_out, endpoint=True) * random.choice([-1, 1], n_out)
        layers.append((weight, 0 * bias if zero_bias else bias))
    return Network.from_arrays([*layers, (np.ones((1, architecture[-1])), [0])])
