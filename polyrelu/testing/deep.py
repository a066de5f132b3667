"""Networks that are no arrangements, or only happen to be one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.network.model import Network
from polyrelu.network.weights import Weight, is_sparse
from polyrelu.testing.sizes import check_at_least

__all__ = [
    "adjacency_counterexample",
    "direct_sum",
    "gaussian",
    "montufar",
    "telgarsky",
    "thick_zero",
    "xor",
]


def telgarsky(layers: int) -> Network:
    """Return the tent map ``x -> min(2 x, 2 - 2 x)`` composed ``layers`` times, two neurons a layer.

    On [0, 1] it has 2^layers regions and as many linear regions: a sawtooth between 0 and 1 (Telgarsky 2016).

    Examples
    --------
    >>> [int(telgarsky(3)([k / 8])[0]) for k in range(9)]
    [0, 1, 0, 1, 0, 1, 0, 1, 0]
    """
    check_at_least("telgarsky", layers=(layers, 1))
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
    check_at_least("montufar", dim=(dim, 1), folds=(folds, 1), layers=(layers, 1))
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
    check_at_least("gaussian", layers=(len(widths) - 1, 1), width=(min(widths, default=0), 1))
    random = np.random.default_rng(seed)
    layers = []
    for n_in, n_out in pairwise(widths):
        weight = np.float32(random.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in))
        layers.append((weight, np.float32(random.standard_normal(n_out) * bias_std)))
    return Network.from_arrays(layers)


def direct_sum(first: Network, second: Network) -> Network:
    """Return two ReLU networks side by side: the inputs of both, the neurons of both, the sum of their outputs.

    Its regions are the products of a region of each, and two of them are adjacent where one factor is equal and the
    other adjacent. With r and s regions and e and f pairs of neighbours there are ``r s`` regions and
    ``e s + r f`` pairs. Patterns hold the digits layer by layer, those of the first network first.

    Parameters
    ----------
    first, second : Network
        With as many hidden layers, and as many outputs.

    Examples
    --------
    >>> both = direct_sum(xor(), telgarsky(1))
    >>> both.dim, [layer.n_outputs for layer in both.hidden], both.exact([1, 0, "1/4"])
    (3, [4], (Fraction(3, 2),))
    """
    sizes = [(len(network.hidden), network.n_out, network.input_map is None) for network in (first, second)]
    is_relu = all(layer.activation.is_relu for network in (first, second) for layer in network.hidden)
    if sizes[0] != sizes[1] or not sizes[0][2] or not is_relu:
        raise InputError(
            "direct_sum needs two networks of ReLUs, without slices, and with as many layers and outputs, but received "
            f"{sizes[0][0]} and {sizes[1][0]} hidden layers, {first.n_out} and {second.n_out} outputs. Match them."
        )
    layers = []
    for a, b in zip(first.hidden, second.hidden, strict=True):
        p, q = dense(a.weight), dense(b.weight)
        corners = np.zeros((len(p), q.shape[1])), np.zeros((len(q), p.shape[1]))
        layers.append((np.block([[p, corners[0]], [corners[1], q]]), np.concatenate([a.bias, b.bias])))
    weight = np.hstack([dense(first.output.weight), dense(second.output.weight)])
    return Network.from_arrays([*layers, (weight, first.output.bias + second.output.bias)])


def dense(weight: Weight) -> NDArray[np.float64]:
    """Return a weight, sparse or not, as an array."""
    return np.asarray(weight.toarray() if is_sparse(weight) else weight)
