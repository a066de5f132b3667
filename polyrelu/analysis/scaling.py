"""The same network with larger or smaller biases and weights, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from polyrelu.errors import InputError
from polyrelu.exact.rational import to_fraction
from polyrelu.network.model import Layer, Network
from polyrelu.network.weights import Weight, exact_floats, is_sparse

__all__ = ["scale_biases", "scale_weights", "zero_biases"]


def scale_biases(network: Network, factor: object) -> Network:
    """Return a network with all biases times a factor, those of the output too.

    Parameters
    ----------
    network : Network
    factor : number or text, or a list of these, one for each layer

    Raises
    ------
    NetworkError
        If a 64-bit float does not hold a product exactly; powers of two always do.

    Notes
    -----
    For ReLU and a factor c > 0 the regions are c times as large, and the values too: ``N_c(x) = c N(x / c)`` (Hanin and
    Rolnick 2019, Lemma 6).

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> scale_biases(xor(), 2).hidden[0].bias.tolist(), scale_biases(xor(), ["1/2", 1]).hidden[0].bias.tolist()
    ([0.0, -2.0], [0.0, -0.5])
    >>> scale_biases(xor(), "1/3")
    Traceback (most recent call last):
    ...
    polyrelu.errors.NetworkError: A bias needs numbers that a 64-bit float holds exactly but received one it would \
round. Scale the layer to dyadic numbers, or round it yourself.
    """
    factors = _factors(network, factor)
    layers = [
        Layer(layer.weight, _times(layer.bias, c, "A bias"), layer.activation)
        for layer, c in zip(network.layers, factors, strict=True)
    ]
    return replace(network, hidden=tuple(layers[:-1]), output=layers[-1])


def scale_weights(network: Network, factor: object) -> Network:
    """Return a network with all weights times a factor, those of the output too; `scale_biases` explains.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> scale_weights(xor(), 2).output.weight.tolist()
    [[2.0, -4.0]]
    """
    factors = _factors(network, factor)
    layers = [
        Layer(_weight_times(layer.weight, c), layer.bias, layer.activation)
        for layer, c in zip(network.layers, factors, strict=True)
    ]
    return replace(network, hidden=tuple(layers[:-1]), output=layers[-1])


def zero_biases(network: Network) -> Network:
    """Return a network with all biases 0: for ReLU all its regions are cones with apex 0.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> zero_biases(xor()).hidden[0].bias.tolist()
    [0.0, 0.0]
    """
    return scale_biases(network, 0)


def _factors(network: Network, factor: object) -> list[Fraction]:
    if isinstance(factor, Sequence) and not isinstance(factor, str):
        factors = [to_fraction(c, "A factor") for c in factor]
    else:
        factors = [to_fraction(factor, "A factor")] * len(network.layers)
    if len(factors) != len(network.layers):
        raise InputError(
            f"Scaling needs one factor, or one for each of the {len(network.layers)} layers, but received "
            f"{len(factors)}. Count the output layer too."
        )
    return factors


def _times(values: Any, factor: Fraction, what: str) -> Any:
    """Return floats times a rational, exactly."""
    products = np.array([Fraction(value) * factor for value in np.ravel(values).tolist()], dtype=object)
    return exact_floats(products, what).reshape(np.shape(values))


def _weight_times(weight: Weight, factor: Fraction) -> Weight:
    if not is_sparse(weight):
        return _times(weight, factor, "A weight")
    result = weight.copy()
    result.data = np.array(_times(weight.data, factor, "A weight"))
    return result
