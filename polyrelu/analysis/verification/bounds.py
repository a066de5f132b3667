"""What a network can give on a box of inputs, in floats with all rounding errors: zonotopes.

The first noises of the zonotope are those of the inputs; a unit that bends inside the box adds one (Singh et al.,
"Fast and Effective Robustness Certification", 2018: the chord's slope). A unit whose digit is given is affine, and the
conditions of its digit are forms too: with them a zonotope describes a part of the box, cut by neurons. Intervals run
along, and the tighter bounds count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.verification.forms import (
    MOST_SHARED_INPUTS,
    FloatLayer,
    Forms,
    box_forms,
    linear,
    preactivations,
)
from polyrelu.analysis.verification.units import UnitStep
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.model import Network

__all__ = ["Bounds", "Unit", "float_layers", "propagate"]

Floats = NDArray[np.float64]
Unit = tuple[int, int]
"""A hidden layer and one of its units."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A zonotope with everything that a network gives on it.

    Attributes
    ----------
    inputs : int array, shape (n_free,)
        The inputs that are not fixed; their noises come first.
    outputs : Forms
    bends : tuple of Unit
        For each further noise the unit that made it.
    conditions : tuple of Forms
        For each unit whose digit is given, in their order: values that are >= 0.
    winners : dict of Unit to int
        For max units with nearly level candidates: which of them they were compared with.
    shares : float64 array, shape (n_noises, n_free), or None
        How much of each noise comes from each input.
    """

    inputs: NDArray[np.int64]
    outputs: Forms
    bends: tuple[Unit, ...]
    conditions: tuple[Forms, ...]
    winners: dict[Unit, int]
    shares: Floats | None


def propagate(
    layers: Sequence[FloatLayer],
    lower: Floats,
    upper: Floats,
    fixed_inputs: NDArray[np.bool_],
    digits: Mapping[Unit, int],
    first: int = 0,
) -> Bounds:
    """Return what a network gives on a box of inputs, and on the part of it where units have given digits.

    Parameters
    ----------
    layers : sequence of FloatLayer
        As `float_layers` returns them.
    lower, upper : float64 array, shape (dim,)
        Rounded outwards.
    fixed_inputs : bool array, shape (dim,)
        Inputs with one value, up to this rounding.
    digits : mapping of Unit to int
    first : int
        The number of layers that are an input map: 0 or 1.
    """
    forms = box_forms(lower, upper, fixed_inputs)
    inputs = np.flatnonzero(~fixed_inputs)
    shares = np.eye(len(inputs)) if len(inputs) <= MOST_SHARED_INPUTS else None
    bends: list[Unit] = []
    conditions: dict[Unit, Forms] = {}
    winners: dict[Unit, int] = {}
    low, high = lower, upper
    with np.errstate(all="ignore"):
        reach = forms.reach
        for index, layer in enumerate(layers, -first):
            if index + 1 == len(layers) - first:
                forms = linear(layer, forms, reach)
                break
            forms, reach, low, high = preactivations(layer, forms, reach, low, high)
            if index < 0:
                continue
            own = {unit: digit for (at, unit), digit in digits.items() if at == index}
            step = UnitStep.of(layer.activation, forms, reach, low, high, own)
            units = np.flatnonzero(step.bend)
            bends += [(index, unit) for unit in units.tolist()]
            conditions.update(((index, unit), step.conditions(unit, digit)) for unit, digit in own.items())
            if shares is not None and len(units):
                shares = np.concatenate([shares, step.shares(units, shares)])
            winners.update(((index, unit), winner) for unit, winner in step.winners.items())
            forms, reach, low, high = step.forms(units), step.reach(), *step.ends
    return Bounds(inputs, forms, tuple(bends), tuple(conditions[unit] for unit in digits), winners, shares)


def float_layers(network: Network) -> tuple[FloatLayer, ...]:
    """Return the layers of a network in floats, hidden ones and the output; an input map is a layer without units."""
    layers = [FloatLayer.of(layer.weight, layer.bias, layer.activation) for layer in network.layers]
    if network.input_map is not None:
        affine = network.input_map.to_floats()
        layers.insert(0, FloatLayer.of(affine[:, :-1], affine[:, -1], Activation.same(IDENTITY, len(affine))))
    return tuple(layers)
