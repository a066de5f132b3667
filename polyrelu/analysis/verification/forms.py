"""Values on a zonotope, in floats, with a bound of every rounding error.

Each value is written as ``centre + generators @ noise`` up to ``error``, where every noise lies in [-1, 1]. A sum of
``n`` products errs by at most ``gamma(n)`` times the sum of their magnitudes (`polyrelu.kernels.bounds`), and what
underflows by less than `LEAST`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.kernels.bounds import SLACK, gamma
from polyrelu.network.activation import Activation
from polyrelu.network.weights import is_sparse

__all__ = ["LEAST", "MOST_SHARED_INPUTS", "FloatLayer", "Forms", "box_forms", "linear", "preactivations"]

LEAST = math.ldexp(1.0, -1000)
DENSE = 0.2
"""Sparse generators become dense above this share of entries."""
MOST_SHARED_INPUTS = 16
"""With more inputs generators begin sparse, and nobody asks which input makes a form vary."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FloatLayer:
    """An affine map in floats, and what comes after it.

    Attributes
    ----------
    weight, magnitude : float64 array or csr_array, shape (n_preactivations, n_inputs)
        ``magnitude`` is ``abs(weight)``.
    bias : float64 array, shape (n_preactivations,)
    rounding : float
        The relative error of a row of products, that of its entries included.
    activation : Activation
    """

    weight: Any
    magnitude: Any
    bias: Floats
    rounding: float
    activation: Activation

    @staticmethod
    def of(weight: Any, bias: Floats, activation: Activation) -> FloatLayer:
        """Return a layer whose entries may each be off by a rounding."""
        return FloatLayer(weight, abs(weight), bias, gamma(weight.shape[1] + 8), activation)


@dataclass(frozen=True, slots=True)
class Forms:
    """Values on a zonotope.

    Attributes
    ----------
    centre, error : float64 array, shape (n,)
    generators : float64 array or csr_array, shape (n, n_noises)
    """

    centre: Floats
    generators: Any
    error: Floats

    @property
    def reach(self) -> Floats:
        """How far the noises can move each value, without the errors, shape (n,); up to a factor `SLACK`."""
        return np.asarray(abs(self.generators).sum(axis=1)).ravel()

    def rows(self, chosen: Any) -> Forms:
        """Return some of the forms."""
        return Forms(self.centre[chosen], self.generators[chosen], self.error[chosen])


def box_forms(lower: Floats, upper: Floats, fixed: NDArray[np.bool_]) -> Forms:
    centre = lower / 2 + upper / 2
    radius = np.nextafter(np.maximum(upper - centre, centre - lower), np.inf)
    radius[lower == upper] = 0.0
    free = np.flatnonzero(~fixed)
    generators: Any = np.zeros((len(centre), len(free)))
    generators[free, np.arange(len(free))] = radius[free]
    if len(free) > MOST_SHARED_INPUTS:
        from scipy.sparse import csr_array

        generators = csr_array(generators)
    return Forms(centre, generators, np.where(fixed, radius, 0.0))


def linear(layer: FloatLayer, forms: Forms, reach: Floats) -> Forms:
    """Return the preactivations of a layer."""
    generators = layer.weight @ forms.generators
    if is_sparse(generators) and generators.nnz > DENSE * math.prod(generators.shape):
        generators = generators.toarray()
    spread = forms.error + layer.rounding * (np.abs(forms.centre) + reach)
    error = (layer.magnitude @ spread + layer.rounding * np.abs(layer.bias)) * SLACK + LEAST
    return Forms(layer.weight @ forms.centre + layer.bias, generators, error)


def preactivations(
    layer: FloatLayer, forms: Forms, reach: Floats, low: Floats, high: Floats
) -> tuple[Forms, Floats, Floats, Floats]:
    """Return a layer's preactivations, their reach, and bounds of them, from intervals and from the forms."""
    middle = low / 2 + high / 2
    radius = (high / 2 - low / 2) * SLACK
    middles, magnitudes = np.empty((len(low), 2)), np.empty((len(low), 2))
    middles[:, 0], middles[:, 1] = forms.centre, middle
    magnitudes[:, 0], magnitudes[:, 1] = forms.error + layer.rounding * reach, radius
    magnitudes += layer.rounding * np.abs(middles)
    products = layer.weight @ middles + layer.bias[:, None]
    errors = (layer.magnitude @ magnitudes + layer.rounding * np.abs(layer.bias)[:, None]) * SLACK + LEAST
    generators = layer.weight @ forms.generators
    if is_sparse(generators) and generators.nnz > DENSE * math.prod(generators.shape):
        generators = generators.toarray()
    found = Forms(products[:, 0], generators, errors[:, 0])
    size = found.reach
    own = (size + found.error) * SLACK + gamma(8) * np.abs(found.centre)
    lows = np.fmax(found.centre - own, products[:, 1] - errors[:, 1])
    return found, size, lows, np.fmin(found.centre + own, products[:, 1] + errors[:, 1])
