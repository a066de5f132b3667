"""The search for a counterexample, and its reduction to a network that fits on a line.

Random and structured networks with integer weights are examined one after the other: small and large integers, zero
biases, a dead layer, repeated and opposite neurons. What is found is made smaller, step by step, as long as it stays a
counterexample: fewer neurons, inputs and layers, then smaller integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.claims.model import Claim, Outcome, Subject
from polyrelu.analysis.frequencies import integer_network
from polyrelu.certificate.verdict import Evidence
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

__all__ = [
    "STRUCTURES",
    "ShrunkCounterexample",
    "network_size",
    "search_counterexample",
    "shrink_counterexample",
    "structured_network",
]

Arrays = tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]
Predicate = Callable[[Network], Evidence | None]

STRUCTURES = ("small", "large", "ternary", "zero bias", "dead layer", "repeated", "opposite")
"""What `structured_network` makes."""

MOST_ENTRIES_IN_PAIRS = 20
"""Up to so many weights and biases, two of them are also changed at once."""


@dataclass(frozen=True, slots=True, eq=False)
class ShrunkCounterexample:
    """A network that contradicts a claim, made as small as the search could.

    Attributes
    ----------
    network : Network
    evidence : Evidence
        What proves that it contradicts the claim.
    first : Network
        The network that was found, before it was made smaller.
    structure : str
        Which of `STRUCTURES` it had.
    n_examined : int
        How many networks were examined until it was found.
    n_shrinking : int
        How many more were examined to make it smaller.
    """

    network: Network
    evidence: Evidence
    first: Network
    structure: str
    n_examined: int
    n_shrinking: int


def search_counterexample(
    claim: Claim | Predicate, architectures: Sequence[Sequence[int]], budget: int = 1000, seed: int = 0, n_kept: int = 3
) -> ShrunkCounterexample | None:
    """Return a small network that contradicts a claim, with its proof; None if the budget found none.

    Parameters
    ----------
    claim : Claim or callable
        A claim that can be decided on one network (on all inputs), or ``claim(network)`` that returns the proof that
        the network is a counterexample, or None.
    architectures : sequence of sequences of int
        Each is a number of inputs, then the widths of the hidden layers; all are tried in turn.
    budget : int
        How many networks are examined, and at most how many more to make one counterexample smaller.
    seed : int
    n_kept : int
        How many counterexamples are looked for within the budget; the smallest one is returned.

    Raises
    ------
    InputError
        If the budget or the architectures leave nothing to examine, or the claim is not about single networks.

    Examples
    --------
    >>> from polyrelu.analysis.claims.adjacency import apart_pair
    >>> found = search_counterexample(apart_pair, [(1, 3, 3)], budget=300)
    >>> found.network.n_neurons, found.network.dim
    (3, 1)
    >>> found.evidence.check()
    """
    if budget < 1 or n_kept < 1 or not architectures:
        raise InputError(
            f"search_counterexample needs positive numbers and an architecture but received the budget {budget}, "
            f"n_kept {n_kept} and {len(architectures)} architectures. Give it something to examine."
        )
    refutes = _predicate(claim)
    kept: list[ShrunkCounterexample] = []
    for index in range(budget):
        architecture = architectures[index % len(architectures)]
        structure = STRUCTURES[index // len(architectures) % len(STRUCTURES)]
        network = structured_network(architecture, structure, (seed, index))
        if refutes(network) is None:
            continue
        small, evidence, n_shrinking = shrink_counterexample(refutes, network, budget)
        kept.append(ShrunkCounterexample(small, evidence, network, structure, index + 1, n_shrinking))
        if len(kept) == n_kept:
            break
    return min(kept, key=lambda found: network_size(found.network), default=None)


def network_size(network: Network) -> tuple[float, ...]:
    """Return what makes a network small, most important first: neurons, inputs, layers, the sum of its integers."""
    entries = np.concatenate([part.ravel() for layer in _arrays(network) for part in layer])
    total, n_negative = float(np.abs(entries).sum()), int((entries < 0).sum())
    return network.n_neurons, network.dim, len(network.layers), total, n_negative


def _predicate(claim: Claim | Predicate) -> Predicate:
    if not isinstance(claim, Claim):
        return claim

    def refutes(network: Network) -> Evidence | None:
        verdict = claim.decide(Subject(network, Domain.all(network.dim)))
        return verdict.evidence if verdict.value.outcome is Outcome.FALSE else None

    return refutes


def structured_network(architecture: Sequence[int], structure: str, seed: int | Sequence[int]) -> Network:
    """Return a random network with integer weights that has one of the `STRUCTURES`.

    Raises
    ------
    InputError
        For another structure.

    Examples
    --------
    >>> network = structured_network((1, 2, 2), "repeated", 3)
    >>> network.hidden[1].weight.tolist(), network.hidden[1].bias.tolist()
    ([[3.0, 1.0], [3.0, 1.0]], [1.0, 1.0])
    """
    if structure not in STRUCTURES:
        raise InputError(
            f"structured_network needs one of the structures {', '.join(STRUCTURES)} but received {structure!r}. "
            "Choose one of these."
        )
    largest = {"large": 1000, "ternary": 1}.get(structure, 3)
    network = integer_network(architecture, seed, largest, zero_bias=structure == "zero bias")
    layers = [(weight.copy(), bias.copy()) for weight, bias in _arrays(network)]
    random = np.random.default_rng([*np.atleast_1d(seed), 1])
    chosen = int(random.integers(len(architecture) - 1))
    weight, bias = layers[chosen]
    if structure == "dead layer":
        weight[...] = -np.abs(weight) if chosen else 0
        bias[...] = -np.abs(bias)
    if structure in ("repeated", "opposite"):
        # Another positive multiple, or the negative, of the layer's first neuron.
        factor = int(random.integers(1, 3)) if structure == "repeated" else -1
        weight[-1], bias[-1] = factor * weight[0], factor * bias[0]
    return Network.from_arrays(layers)


def shrink_counterexample(
    refutes: Predicate, network: Network, budget: int = 1000
) -> tuple[Network, Evidence, int]:
    """Return a smaller network that is still a counterexample, its proof, and how many networks were examined.

    Parameters
    ----------
    refutes : callable
        ``refutes(network)`` returns the proof that a network is a counterexample, or None.
    network : Network
        A counterexample with ReLU layers and integers for weights.
    budget : int

    Raises
    ------
    InputError
        If the network is no counterexample.
    """
    evidence = refutes(network)
    if evidence is None:
        raise InputError(
            "shrink_counterexample needs a counterexample but received a network that the claim holds for. "
            "Search for one first."
        )
    layers, n_examined, seen = _arrays(network), 0, set[bytes]()
    is_reduced = False
    while not is_reduced:
        is_reduced = True
        for smaller in _smaller(layers):
            name = b"|".join(repr(part.shape).encode() + (part + 0.0).tobytes() for layer in smaller for part in layer)
            if n_examined == budget or name in seen:
                continue
            seen.add(name)
            n_examined += 1
            found = refutes(Network.from_arrays(smaller))
            if found is not None:
                layers, evidence, is_reduced = smaller, found, False
                break
    return Network.from_arrays(layers), evidence, n_examined


def _arrays(network: Network) -> Arrays:
    return tuple((np.array(layer.weight, dtype=np.float64), layer.bias) for layer in network.layers)


def _smaller(layers: Arrays) -> Iterator[Arrays]:
    """Yield networks that are smaller, those that promise most first."""
    yield from _without_layers(layers)
    yield from _without_neurons(layers)
    yield from _without_inputs(layers)
    weight, bias = layers[-1]
    plain = np.ones((1, weight.shape[1])), np.zeros(1)
    is_plain = weight.shape == plain[0].shape and (weight == 1).all() and not bias.any()
    if not is_plain:
        yield (*layers[:-1], plain)
    yield from _with_smaller_entries(layers[:-1] if is_plain else layers, layers[-1:] if is_plain else ())


def _without_layers(layers: Arrays) -> Iterator[Arrays]:
    for k, (weight, _) in enumerate(layers[:-1]):
        if len(layers) > 2 and weight.shape[0] == weight.shape[1]:
            yield (*layers[:k], *layers[k + 1 :])


def _without_neurons(layers: Arrays) -> Iterator[Arrays]:
    for k, ((weight, bias), (behind, constants)) in enumerate(pairwise(layers)):
        for unit in range(len(bias) if len(bias) > 1 else 0):
            less = np.delete(weight, unit, axis=0), np.delete(bias, unit)
            yield (*layers[:k], less, (np.delete(behind, unit, axis=1), constants), *layers[k + 2 :])


def _without_inputs(layers: Arrays) -> Iterator[Arrays]:
    weight, bias = layers[0]
    for column in range(weight.shape[1] if weight.shape[1] > 1 else 0):
        yield ((np.delete(weight, column, axis=1), bias), *layers[1:])


def _with_smaller_entries(changed: Arrays, kept: Arrays) -> Iterator[Arrays]:
    """Yield the network with a layer divided and rounded, with one entry nearer to 0, and with two."""
    entries = np.concatenate([part.ravel() for layer in changed for part in layer])
    places = np.flatnonzero(entries)

    def network(values: NDArray[np.float64]) -> Arrays:
        parts, start = [], 0
        for layer in changed:
            for part in layer:
                parts.append(values[start : start + part.size].reshape(part.shape))
                start += part.size
        return (*zip(parts[::2], parts[1::2], strict=True), *kept)

    for layer, (weight, bias) in enumerate(changed):
        for divisor in (100, 10, 3, 2):
            if max(np.abs(weight).max(), np.abs(bias).max()) > divisor:
                divided = np.rint(weight / divisor), np.rint(bias / divisor)
                yield (*changed[:layer], divided, *changed[layer + 1 :], *kept)
    for place in places:
        for value in _nearer(entries[place]):
            smaller = entries.copy()
            smaller[place] = value
            yield network(smaller)
    for place in places[entries[places] < 0]:
        positive = entries.copy()
        positive[place] *= -1
        yield network(positive)
    if len(places) <= MOST_ENTRIES_IN_PAIRS:
        for pair in combinations(places, 2):
            for values in product(*(_nearer(entries[place])[-1:] for place in pair)):
                smaller = entries.copy()
                smaller[list(pair)] = values
                yield network(smaller)


def _nearer(value: float) -> list[float]:
    """Return smaller integers of the same sign: 0, 1, half, one less."""
    size = int(abs(value))
    return [float(np.copysign(v, value)) for v in dict.fromkeys((0, 1, size // 2, size - 1)) if v < size]
