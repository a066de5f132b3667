"""One network that runs two others side by side, or subtracts them: its regions are their common refinement."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np

from polyrelu.errors import NetworkError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import IDENTITY, MAX_UNIT, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.network.weights import Weight

__all__ = ["difference", "side_by_side"]


def side_by_side(first: Network, second: Network) -> Network:
    """Return a network with the outputs of two networks, one after the other.

    Parameters
    ----------
    first, second : Network
        Of one input dimension. Depths, widths, activations and numbers of outputs may differ.

    Notes
    -----
    Layers are block-diagonal; identity units carry the outputs of the shallower network to the end. No weight is
    rounded, because none is added to another one.

    Examples
    --------
    >>> from polyrelu.testing import telgarsky, xor
    >>> both = side_by_side(telgarsky(1), telgarsky(2))
    >>> both.exact(["1/8"]) == telgarsky(1).exact(["1/8"]) + telgarsky(2).exact(["1/8"])
    True
    >>> side_by_side(telgarsky(1), xor())
    Traceback (most recent call last):
    ...
    polyrelu.errors.NetworkError: side_by_side needs networks with one input dimension but received 1 and 2. Restrict \
one of them to a slice.
    """
    if first.dim != second.dim:
        raise NetworkError(
            f"side_by_side needs networks with one input dimension but received {first.dim} and {second.dim}. "
            "Restrict one of them to a slice."
        )
    pairs = list(zip_longest(first.layers, second.layers))
    input_map = None
    if first.input_map is not None or second.input_map is not None:
        rows = [*first.exact.input_rows().to_fractions(), *second.exact.input_rows().to_fractions()]
        input_map = RationalMatrix.from_rows(rows)
    hidden = [
        _joined(left or _pass_on(first.n_out), right or _pass_on(second.n_out), depth > 0 or input_map is not None)
        for depth, (left, right) in enumerate(pairs)
    ]
    n_out = first.n_out + second.n_out
    return Network(tuple(hidden), _pass_on(n_out), input_map)


def difference(first: Network, second: Network) -> Network:
    """Return a network that subtracts the outputs of the second network from those of the first.

    Parameters and notes as for `side_by_side`; the numbers of outputs must agree.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> difference(xor(), xor()).exact(["1/2", "1/3"])
    (Fraction(0, 1),)
    """
    if first.n_out != second.n_out:
        raise NetworkError(
            f"difference needs networks with equally many outputs but received {first.n_out} and {second.n_out}. "
            "Append a layer that picks outputs."
        )
    both = side_by_side(first, second)
    identity = np.eye(first.n_out)
    weight = np.hstack([identity, -identity])
    return Network(both.hidden, Layer(weight, np.zeros(first.n_out), _identity(first.n_out)), both.input_map)


def _joined(left: Layer, right: Layer, reads_both: bool) -> Layer:
    """Return two layers as one; they read one input each, or the same one."""
    bias = np.concatenate([left.bias, right.bias])
    return Layer(_stacked(left.weight, right.weight, reads_both), bias, _merged(left.activation, right.activation))


def _stacked(left: Weight, right: Weight, reads_both: bool) -> Weight:
    """Return two weights as blocks on a diagonal, or one above the other."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        if not reads_both:
            return np.vstack([left, right])
        corner, opposite = np.zeros((len(left), right.shape[1])), np.zeros((len(right), left.shape[1]))
        return np.block([[left, corner], [opposite, right]])
    from scipy.sparse import block_diag, csr_array, vstack

    parts = [csr_array(left), csr_array(right)]
    return csr_array(block_diag(parts) if reads_both else vstack(parts))


def _merged(left: Activation, right: Activation) -> Activation:
    """Return the activation of two layers one after the other."""
    functions = tuple(dict.fromkeys((*left.functions, *right.functions)))
    number = {function: i for i, function in enumerate(functions)}
    kinds = [
        MAX_UNIT if kind == MAX_UNIT else number[activation.functions[kind]]
        for activation in (left, right)
        for kind in activation.kind.tolist()
    ]
    indptr = np.concatenate([left.indptr, left.indptr[-1] + right.indptr[1:]])
    return Activation(functions, np.array(kinds, np.int32), indptr)


def _pass_on(n: int) -> Layer:
    return Layer(np.eye(n), np.zeros(n), _identity(n))


def _identity(n: int) -> Activation:
    return Activation.same(IDENTITY, n)
