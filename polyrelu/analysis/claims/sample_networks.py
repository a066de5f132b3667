"""Networks on which claims of several papers are tried: random ones, equal for equal names, and two constructions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from polyrelu.network.model import Network

__all__ = ["folding_network", "random_network", "zero_bias_network"]


def random_network(name: str, widths: Sequence[int], most: int = 99) -> Network:
    """Return a random ReLU network with integers from -most to most.

    Examples
    --------
    >>> network = random_network("a", (2, 3, 1), 1)
    >>> network.hidden[0].weight.shape, set(network.hidden[0].weight.ravel().tolist()) <= {-1, 0, 1}
    ((3, 2), True)
    """
    rng = Random(name)

    def numbers(count: int) -> list[int]:
        return [rng.randint(-most, most) for _ in range(count)]

    return Network.from_arrays([([numbers(n) for _ in range(m)], numbers(m)) for n, m in pairwise(widths)])


def zero_bias_network() -> Network:
    """Return a network in which neurons of layer 2 vanish on whole regions.

    Layer 2 is ``(relu(x) - relu(y), relu(y) - relu(-x - y), relu(x) + relu(y) + relu(-x - y))``.
    """
    first = [[1, 0], [0, 1], [-1, -1]]
    second = [[1, -1, 0], [0, 1, -1], [1, 1, 1]]
    return Network.from_arrays([(first, [0, 0, 0]), (second, [0, 0, 0]), ([[1, 2, 3]], [0])])


def folding_network() -> Network:
    """Return a network that folds the unit square twice in each direction, twice, and cuts it by three lines.

    The construction of Montufar et al. 2014: each of the first two layers makes of x and y the tents
    ``t(x) = relu(2 x) - 2 relu(2 x - 1)``; three lines in general position cut what is folded into 7 parts.
    """
    tents = [[2, 0], [2, 0], [0, 2], [0, 2]]
    again = [[2, -4, 0, 0], [2, -4, 0, 0], [0, 0, 2, -4], [0, 0, 2, -4]]
    bias = [0, -1, 0, -1]
    lines = [[8, -16, 8, -16], [8, -16, -8, 16], [4, -8, 8, -16]]
    return Network.from_arrays([(tents, bias), (again, bias), (lines, [-7, -1, -6]), ([[1, 2, 3]], [0])])
