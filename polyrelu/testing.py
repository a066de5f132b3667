"""Networks with known answers, for tests and for teaching.

Every function returns a `Network` and says in its docstring what is exactly true of it. Arrangements are networks
with one hidden layer: one neuron for each hyperplane, and output weights 1, 2, 3, … that keep the affine maps of
all regions apart. Counts without a domain are over all of R^dim.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np

from polyrelu.errors import InputError
from polyrelu.network.model import Network

__all__ = [
    "adjacency_counterexample",
    "braid",
    "coxeter",
    "gaussian",
    "generic_arrangement",
    "grid",
    "montufar",
    "shi",
    "telgarsky",
    "thick_zero",
    "xor",
]


def generic_arrangement(dim: int, n: int, seed: int | None = None) -> Network:
    """Return n hyperplanes of R^dim in general position.

    They have ``sum(comb(n, i) for i in range(dim + 1))`` regions, of which ``comb(n - 1, dim)`` are bounded, and
    ``comb(n, dim)`` vertices (Zaslavsky 1975).

    Parameters
    ----------
    dim, n : int
    seed : int, optional
        Draws the hyperplanes ``t^dim + x_1 + t x_2 + … + t^(dim-1) x_dim = 0`` for n distinct integers t in
        [-2 n, 2 n]; without a seed they are the n integers from -(n // 2) on. Any distinct t are in general
        position: dim equations form a Vandermonde matrix, and dim + 1 have no common solution.

    Examples
    --------
    >>> generic_arrangement(2, 4).hidden[0].weight.tolist()
    [[1.0, -2.0], [1.0, -1.0], [1.0, 0.0], [1.0, 1.0]]
    >>> generic_arrangement(2, 4).hidden[0].bias.tolist()
    [4.0, 1.0, 0.0, 1.0]
    >>> generic_arrangement(0, 4)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: generic_arrangement needs dim of at least 1 but received 0. Pass a larger one.
    """
    _check_at_least("generic_arrangement", dim=(dim, 1), n=(n, 0))
    numbers = list(range(-(n // 2), n - n // 2))
    if seed is not None:
        numbers = np.random.default_rng(seed).choice(np.arange(-2 * n, 2 * n + 1), n, replace=False).tolist()
    return _arrangement(dim, [[t**power for power in range(dim)] for t in numbers], [t**dim for t in numbers])


def braid(n: int) -> Network:
    """Return the braid arrangement ``x_i = x_j`` of R^n: n! regions, the orders of the coordinates.

    All regions contain the direction (1, …, 1): none is bounded, and there is no vertex. The adjacency graph is the
    permutohedron's, with ``n! (n - 1) / 2`` edges.

    Examples
    --------
    >>> braid(3).hidden[0].weight.tolist()
    [[1.0, -1.0, 0.0], [1.0, 0.0, -1.0], [0.0, 1.0, -1.0]]
    """
    _check_at_least("braid", n=(n, 2))
    normals = [_difference(n, i, j) for i, j in combinations(range(n), 2)]
    return _arrangement(n, normals, [0] * len(normals))


def coxeter(kind: str, n: int) -> Network:
    """Return the reflection arrangement of a Coxeter group; its regions are as many as the group has elements.

    Parameters
    ----------
    kind : {"A", "B", "D", "G"}
    n : int
        ``A``: `braid` of n + 1 coordinates, (n + 1)! regions. ``B``: 2^n n! regions. ``D``: 2^(n-1) n!.
        ``G``: n must be 2; 6 lines of the plane and 12 regions, in coordinates in which they are rational.

    Examples
    --------
    >>> coxeter("B", 2).hidden[0].weight.tolist()
    [[1.0, 1.0], [1.0, -1.0], [1.0, 0.0], [0.0, 1.0]]
    >>> coxeter("H", 3)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: coxeter needs kind A, B, D or G but received 'H'. Choose one of them.
    """
    if kind not in ("A", "B", "D", "G"):
        raise InputError(f"coxeter needs kind A, B, D or G but received {kind!r}. Choose one of them.")
    _check_at_least("coxeter", n=(n, 2 if kind == "D" else 1))
    if kind == "A":
        return braid(n + 1)
    if kind == "G":
        if n != 2:
            raise InputError(f"coxeter needs n = 2 for kind G but received {n}. There is no other group of this kind.")
        return _arrangement(2, [[1, -1], [0, 1], [1, 0], [2, -1], [-1, 2], [-1, -1]], [0] * 6)
    normals = []
    for i, j in combinations(range(n), 2):
        normals += [np.abs(_difference(n, i, j)).tolist(), _difference(n, i, j)]
    if kind == "B":
        normals += np.eye(n).tolist()
    return _arrangement(n, normals, [0] * len(normals))


def shi(n: int) -> Network:
    """Return the Shi arrangement ``x_i - x_j = 0, 1`` for i < j in R^n: (n + 1)^(n - 1) regions (Shi 1986).

    None of them is bounded; on the plane ``sum x = 0`` there are (n - 1)^(n - 1) bounded ones.

    Examples
    --------
    >>> shi(2).hidden[0].bias.tolist()
    [0.0, -1.0]
    """
    _check_at_least("shi", n=(n, 2))
    normals = [_difference(n, i, j) for i, j in combinations(range(n), 2) for _ in range(2)]
    return _arrangement(n, normals, [0, -1] * (len(normals) // 2))


def grid(*counts: int) -> Network:
    """Return the hyperplanes ``x_i = 0, 1, …, counts[i] - 1``: ``prod(counts[i] + 1)`` regions, all of them boxes.

    ``prod(counts[i] - 1)`` are bounded (where no count is 0), and there are ``prod(counts[i])`` vertices.

    Examples
    --------
    >>> grid(1, 2).hidden[0].weight.tolist(), grid(1, 2).hidden[0].bias.tolist()
    ([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0.0, 0.0, -1.0])
    """
    _check_at_least("grid", dim=(len(counts), 1), count=(min(counts, default=0), 0))
    normals = [row for row, count in zip(np.eye(len(counts)).tolist(), counts, strict=True) for _ in range(count)]
    return _arrangement(len(counts), normals, [-k for count in counts for k in range(count)])


def telgarsky(layers: int) -> Network:
    """Return the tent map ``x -> min(2 x, 2 - 2 x)`` composed ``layers`` times, two neurons a layer.

    On [0, 1] it has 2^layers regions and as many linear regions: a sawtooth between 0 and 1 (Telgarsky 2016).

    Examples
    --------
    >>> [int(telgarsky(3)([k / 8])[0]) for k in range(9)]
    [0, 1, 0, 1, 0, 1, 0, 1, 0]
    """
    _check_at_least("telgarsky", layers=(layers, 1))
    first, last = ([[1], [1]], [0, -0.5]), ([[2, -4]], [0])
    return Network.from_arrays([first, *[([[2, -4], [2, -4]], [0, -0.5])] * (layers - 1), last])


def montufar(dim: int, folds: int, layers: int = 1) -> Network:
    """Return a network that folds the unit cube and then cuts what it folded.

    Each of the first ``layers`` hidden layers folds every coordinate of [0, 1]^dim with ``folds`` neurons into a
    sawtooth of that many monotone parts, so that the cube is covered folds^(dim * layers) times; the last hidden
    layer cuts the folded cube. On [0, 1]^dim there are ``cuts * folds**(dim * layers)`` regions, where ``cuts`` is 7
    in the plane (three lines) and 2^dim otherwise (dim hyperplanes through one point). (After Montúfar et al. 2014,
    Section 4; they have fewer linear regions than regions where the map is 0 on both sides of a fold.)

    Examples
    --------
    >>> network = montufar(2, 3, layers=2)
    >>> [layer.n_outputs for layer in network.hidden], 7 * 3 ** (2 * 2)
    ([6, 6, 3], 567)
    """
    _check_at_least("montufar", dim=(dim, 1), folds=(folds, 1), layers=(layers, 1))
    identity = np.eye(dim)
    steps = folds * np.ones((folds, 1))
    sawtooth = np.array([[1.0]] + [[2.0 * (-1) ** k] for k in range(1, folds)]).T
    fold, unfold = np.kron(identity, steps), np.kron(identity, sawtooth)
    bias = np.tile(-np.arange(folds), dim)
    cuts, shift = 7 * identity + 1, np.full(dim, -4)
    if dim == 2:
        cuts, shift = np.array([[8, 8], [8, -8], [4, 8]]), np.array([-7, -1, -6])
    output = np.arange(1, len(cuts) + 1).reshape(1, -1)
    folding = [(fold, bias), *[(fold @ unfold, bias)] * (layers - 1)]
    return Network.from_arrays([*folding, (cuts @ unfold, shift), (output, np.zeros(1))])


def xor() -> Network:
    """Return ``relu(x + y) - 2 relu(x + y - 1)``, which is XOR on {0, 1}^2.

    Over R^2 it has 3 regions, strips and half-planes between the lines x + y = 0 and x + y = 1; pattern 01 is empty,
    and there is no vertex.

    Examples
    --------
    >>> xor()([[0, 0], [0, 1], [1, 0], [1, 1]]).ravel().tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    return Network.from_arrays([([[1, 1], [1, 1]], [0, -1]), ([[1, -2]], [0])])


def adjacency_counterexample() -> Network:
    """Return the smallest network whose patterns at Hamming distance 1 are not all adjacent.

    With ``v_1 = x``, ``v_2 = 10 - x`` and ``z = 2 relu(v_1) + relu(v_2) - 11`` the regions from left to right are
    011, 010, 110, 111, 101 with borders at -1, 0, 1 and 10. Patterns 011 and 111 differ in one neuron, but the
    regions ``x < -1`` and ``1 < x < 10`` do not touch: a counterexample to the adjacency lemma (Lemma 1) of
    Shepeleva et al. 2020, which holds for one hidden layer.

    Examples
    --------
    >>> network = adjacency_counterexample()
    >>> [str(network.exact.pattern_at([x])) for x in (-2, "-1/2", "1/2", 2, 11)]
    ['01|1', '01|0', '11|0', '11|1', '10|1']
    """
    return Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])


def thick_zero() -> Network:
    """Return a network whose second-layer neurons vanish on whole regions, not only on their borders.

    ``z = (relu(x) - relu(y), relu(y) - relu(-x-y), relu(x) + relu(y) + relu(-x-y))``, all biases 0: 8 regions over
    R^2, all cones with apex 0, the only vertex. The first neuron of the second layer is identically 0 on
    ``x, y < 0`` and the second on ``-x < y < 0``; their bits are therefore 0 there.

    Examples
    --------
    >>> [str(thick_zero().exact.pattern_at(x)) for x in ([-1, -2], [1, -2], [2, -1])]
    ['001|001', '101|101', '100|101']
    """
    return Network.from_arrays(
        [
            ([[1, 0], [0, 1], [-1, -1]], [0, 0, 0]),
            ([[1, -1, 0], [0, 1, -1], [1, 1, 1]], [0, 0, 0]),
            ([[1, 2, 3]], [0]),
        ]
    )


def gaussian(widths: Sequence[int], seed: int = 0, bias_std: float = 0.1) -> Network:
    """Return a random network with He-normal weights, drawn as float32 and then taken exactly.

    Parameters
    ----------
    widths : sequence of int
        From the inputs to the outputs: ``[2, 32, 32, 1]`` has two hidden layers of 32 neurons.
    seed : int
    bias_std : float
        Standard deviation of the biases; that of the weights is ``sqrt(2 / n_inputs)`` of each layer.

    Notes
    -----
    With seed 0 and bias_std 0.1, on [-1, 1]^dim, there are these numbers of regions (two engines agree): 3,897 for
    2-[32]*3-1, 23,467 for 2-[64]*4-1, 262,431 for 2-[256]*3-1, 15,619 for 3-[16]*3-1, 330,984 for 3-[32]*4-1,
    876,518 for 3-[64]*3-1, 25,009 for 4-[16]*2-1, 146,603 for 4-[16]*3-1, 77,455 for 6-[12]*2-1, 58,127 for
    8-[10]*2-1 and 144,158 for 10-[8]*3-1. The weights are NumPy's default generator's, layer by layer, weights
    before biases.

    Examples
    --------
    >>> network = gaussian([2, 32, 32, 32, 1])
    >>> network.dim, network.n_neurons, float(network.hidden[0].weight[0, 0])
    (2, 96, 0.1257302165031433)
    """
    _check_at_least("gaussian", layers=(len(widths) - 1, 1), width=(min(widths, default=0), 1))
    random = np.random.default_rng(seed)
    layers = []
    for n_in, n_out in pairwise(widths):
        weight = np.float32(random.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in))
        layers.append((weight, np.float32(random.standard_normal(n_out) * bias_std)))
    return Network.from_arrays(layers)


def _arrangement(dim: int, normals: Sequence[Sequence[float]], constants: Sequence[float]) -> Network:
    """Return the network with the hyperplanes ``normal · x + constant = 0``."""
    weight = np.array(normals, dtype=object).reshape(len(normals), dim)
    return Network.from_arrays([(weight, constants), ([list(range(1, len(normals) + 1))], [0])])


def _difference(n: int, i: int, j: int) -> list[int]:
    return [int(k == i) - int(k == j) for k in range(n)]


def _check_at_least(function: str, **arguments: tuple[int, int]) -> None:
    for name, (number, least) in arguments.items():
        if number < least:
            raise InputError(f"{function} needs {name} of at least {least} but received {number}. Pass a larger one.")
