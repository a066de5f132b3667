"""How the number of regions grows with neurons, and what the scale of biases and weights does to it.

The experiments of Hanin and Rolnick 2019 at initialisation, as functions: each returns a table of exact counts.
`polyrelu.analysis.training` has those that need training.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import factorial

import numpy as np

from polyrelu.analysis.scaling import scale_biases, scale_weights
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import to_fraction
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate

__all__ = [
    "GrowthRow",
    "ScaleRow",
    "count_by_bias_scale",
    "count_by_neurons",
    "count_by_weight_scale",
    "initial_network",
]


def initial_network(widths: Sequence[int], seed: int = 0, bias_std: float = 0.001) -> Network:
    """Return a network as it is before training: normal weights of variance 2 / inputs, normal biases.

    Parameters
    ----------
    widths : sequence of int
        From the inputs to the outputs.
    seed : int
    bias_std : float
        Standard deviation of the biases; 0 for none.

    Notes
    -----
    Hanin and Rolnick 2019, Appendix A. Numbers are drawn as float32 and then taken exactly.

    Examples
    --------
    >>> network = initial_network([2, 8, 8, 1])
    >>> network.dim, network.n_neurons, bool(abs(network.hidden[0].bias).max() < 0.01)
    (2, 16, True)
    """
    if len(widths) < 2 or min(widths) < 1:
        raise InputError(
            f"initial_network needs the numbers of inputs, neurons and outputs but received {list(widths)}. "
            "Write [2, 16, 1] for one hidden layer."
        )
    random = np.random.default_rng(seed)
    layers = []
    for n_in, n in pairwise(widths):
        weight = np.float32(random.standard_normal((n, n_in)) * np.sqrt(2 / n_in))
        layers.append((weight, np.float32(random.standard_normal(n) * bias_std)))
    return Network.from_arrays(layers)


@dataclass(frozen=True, slots=True)
class GrowthRow:
    """The regions of networks of one size.

    Attributes
    ----------
    widths : tuple of int
        Of the hidden layers.
    dim : int
        Number of inputs.
    regions : tuple of int
        Of each network.
    """

    widths: tuple[int, ...]
    dim: int
    regions: tuple[int, ...]

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return sum(self.widths)

    @property
    def mean(self) -> Fraction:
        """Mean number of regions."""
        return Fraction(sum(self.regions), len(self.regions))

    @property
    def ratio(self) -> Fraction:
        """Mean number of regions over ``neurons^dim / dim!``, its growth at initialisation whatever the depth."""
        return self.mean * factorial(self.dim) / Fraction(self.n_neurons) ** self.dim


def count_by_neurons(
    dim: int,
    depths: Iterable[int],
    neurons: Iterable[int],
    domain: Domain | None = None,
    *,
    n_networks: int = 5,
    seed: int = 0,
    bias_std: float = 0.001,
) -> tuple[GrowthRow, ...]:
    """Return the numbers of regions for several depths and numbers of neurons, at a fixed number of inputs.

    Parameters
    ----------
    dim : int
    depths, neurons : iterables of int
        All combinations; the neurons are spread evenly over the hidden layers.
    domain : Domain, optional
        All of R^dim by default.
    n_networks : int
        How many networks of each size are drawn.
    seed : int
    bias_std : float
        As for `initial_network`.

    Raises
    ------
    InputError
        If there are fewer neurons than layers.

    Notes
    -----
    Hanin and Rolnick 2019, Figure 3 (right): the number grows like the number of neurons to the power ``dim``, and
    depth hardly matters.

    Examples
    --------
    >>> rows = count_by_neurons(1, [1, 2], [6], n_networks=3)
    >>> [(row.widths, row.regions) for row in rows]
    [((6,), (7, 7, 7)), ((3, 3), (5, 4, 6))]
    >>> rows[0].ratio
    Fraction(7, 6)
    """
    numbers = list(neurons)
    if n_networks < 1:
        raise InputError(f"count_by_neurons needs a network of each size but received {n_networks}. Draw at least 1.")
    rows = []
    for depth in depths:
        for n in numbers:
            if not 1 <= depth <= n:
                raise InputError(
                    f"count_by_neurons needs a neuron in each layer but received {n} for {depth} layers. Change them."
                )
            widths = tuple(n // depth + (i < n % depth) for i in range(depth))
            networks = (initial_network([dim, *widths, 1], seed + i, bias_std) for i in range(n_networks))
            rows.append(GrowthRow(widths, dim, tuple(tessellate(each, domain).n_regions for each in networks)))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """The regions of a network whose biases or weights are scaled.

    Attributes
    ----------
    factor : Fraction
    regions : int
        In the domain.
    all_regions : int
        Over all inputs.
    """

    factor: Fraction
    regions: int
    all_regions: int


def count_by_bias_scale(network: Network, factors: Iterable[object], domain: Domain) -> tuple[ScaleRow, ...]:
    """Return the numbers of regions with all biases times each of several factors.

    Parameters
    ----------
    network : Network
    factors : iterable of numbers or text
        Powers of two never round; 0 gives a network without biases.
    domain : Domain
        Where regions are counted besides all inputs.

    Raises
    ------
    NetworkError
        If a float does not hold a scaled bias exactly.

    Notes
    -----
    Hanin and Rolnick 2019, Section 4.2: for ReLU and positive factors the number over all inputs is the same (Lemma 6)
    and without biases it is not larger (Proposition 14), but in a domain it changes.

    Examples
    --------
    >>> from polyrelu.testing import generic_arrangement
    >>> rows = count_by_bias_scale(generic_arrangement(2, 6), [0, "1/8", 1], Domain.box([-1, -1], [1, 1]))
    >>> [(str(row.factor), row.regions, row.all_regions) for row in rows]
    [('0', 12, 12), ('1/8', 22, 22), ('1', 4, 22)]
    """
    return _by_scale(network, factors, domain, is_weight=False)


def count_by_weight_scale(network: Network, factors: Iterable[object], domain: Domain) -> tuple[ScaleRow, ...]:
    """Return the numbers of regions with all weights times each of several factors; `count_by_bias_scale` explains.

    Notes
    -----
    Scaling all weights by c is, but for a factor of the outputs, dividing the biases of layer i by c^i.

    Examples
    --------
    >>> from polyrelu.testing import generic_arrangement
    >>> rows = count_by_weight_scale(generic_arrangement(2, 6), [1, 8], Domain.box([-1, -1], [1, 1]))
    >>> [(row.regions, row.all_regions) for row in rows]
    [(4, 22), (22, 22)]
    """
    return _by_scale(network, factors, domain, is_weight=True)


def _by_scale(network: Network, factors: Iterable[object], domain: Domain, is_weight: bool) -> tuple[ScaleRow, ...]:
    rows = []
    for factor in factors:
        exact = to_fraction(factor, "A factor")
        scaled = (scale_weights if is_weight else scale_biases)(network, exact)
        rows.append(ScaleRow(exact, tessellate(scaled, domain).n_regions, tessellate(scaled).n_regions))
    return tuple(rows)
