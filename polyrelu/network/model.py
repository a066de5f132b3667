"""`Network`: affine layers and piecewise-linear activations, exactly as stored.

Every weight is a float64, hence a dyadic rational: the network is an exact mathematical object and
every other module speaks about that object. `network(x)` evaluates it in floats, `network.exact` in
rationals.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.errors import InputError, NetworkError, PatternError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import IDENTITY, MAX_UNIT, RELU, Activation, PiecewiseLinear
from polyrelu.network.pattern import Pattern, PatternLayout
from polyrelu.network.weights import Weight, as_pair, exact_floats, is_sparse, nonzero_entries, refuse_nonfinite

if TYPE_CHECKING:
    from polyrelu.network.exact_network import ExactNetwork
    from polyrelu.network.slices import Slice

__all__ = ["Layer", "Network", "check_network"]


@dataclass(frozen=True)
class Layer:
    """One affine map followed by one activation.

    Attributes
    ----------
    weight : float64 array or scipy.sparse.csr_array, shape (n_preactivations, n_inputs)
    bias : float64 array, shape (n_preactivations,)
    activation : Activation
    """

    weight: Weight
    bias: NDArray[np.float64]
    activation: Activation

    def __post_init__(self) -> None:
        weight: Weight = self.weight if is_sparse(self.weight) else exact_floats(self.weight, "A weight")
        bias = exact_floats(self.bias, "A bias")
        if is_sparse(weight):
            weight = self.weight.tocsr()
            exact_floats(weight.data, "A weight")
            weight = weight.astype(np.float64)
            weight.sum_duplicates()
            refuse_nonfinite(weight.data, "A weight")
        if weight.ndim != 2 or bias.shape != (weight.shape[0],):
            raise NetworkError(
                f"A layer needs a weight (n, m) and a bias (n,) but received {weight.shape} and {bias.shape}. "
                "Weights have one row for each neuron."
            )
        if self.activation.n_preactivations != weight.shape[0]:
            raise NetworkError(
                f"A layer needs an activation for its {weight.shape[0]} rows but received one for "
                f"{self.activation.n_preactivations}. Match them."
            )
        object.__setattr__(self, "weight", weight)
        object.__setattr__(self, "bias", bias)

    @property
    def is_sparse(self) -> bool:
        """True if the weight is stored sparse."""
        return is_sparse(self.weight)

    @property
    def n_inputs(self) -> int:
        """Number of values the layer reads."""
        return int(self.weight.shape[1])

    @property
    def n_outputs(self) -> int:
        """Number of units."""
        return self.activation.n_units


@dataclass(frozen=True)
class Network:
    """A piecewise-linear network: hidden layers, then one affine output layer.

    Attributes
    ----------
    hidden : tuple of Layer
    output : Layer
        With the identity as activation.
    input_map : RationalMatrix or None, shape (n_inputs, dim + 1)
        Exact affine map applied before the first layer, constants in the last column; `restrict` puts
        slices there. None means that inputs go straight to the first layer.
    notes : tuple of str
        What an importer folded or dropped, one sentence each.

    Notes
    -----
    *Neurons* are the units that have a digit (two pieces or more), numbered in layer order; units with the
    identity carry values past a layer and are not neurons.

    Examples
    --------
    >>> xor = Network.from_arrays([([[1, 1], [1, 1]], [0, -1]), ([[1, -2]], [0])])
    >>> xor.dim, xor.n_neurons, xor([1.0, 1.0]).tolist()
    (2, 2, [0.0])
    >>> xor.exact([1, 0])
    (Fraction(1, 1),)
    >>> Network.from_arrays([([[1, 1]], [0]), ([[1, 2]], [0])])
    Traceback (most recent call last):
    ...
    polyrelu.errors.NetworkError: Network needs layers that chain but layer 1 reads 2 values and layer 0 gives 1. \
Check the order of the layers and that weights are (outputs, inputs).
    """

    hidden: tuple[Layer, ...]
    output: Layer
    input_map: RationalMatrix | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        layers = self.layers
        for i, (left, right) in enumerate(itertools.pairwise(layers)):
            if right.n_inputs != left.n_outputs:
                raise NetworkError(
                    f"Network needs layers that chain but layer {i + 1} reads {right.n_inputs} values and layer "
                    f"{i} gives {left.n_outputs}. Check the order of the layers and that weights are "
                    "(outputs, inputs)."
                )
        if not self.output.activation.is_identity:
            raise NetworkError(
                "Network needs an affine output layer but received one with an activation. "
                "Append an identity layer after the last activation."
            )
        if self.input_map is not None and self.input_map.shape[0] != layers[0].n_inputs:
            raise NetworkError(
                f"Network needs an input map with {layers[0].n_inputs} rows but received {self.input_map.shape[0]}. "
                "Match the first layer."
            )

    @staticmethod
    def from_arrays(
        layers: Sequence[tuple[ArrayLike, ArrayLike]], activation: PiecewiseLinear = RELU, notes: Sequence[str] = ()
    ) -> Network:
        """Return the network with these weights and biases and one activation between all layers.

        Parameters
        ----------
        layers : sequence of (weight, bias)
            ``weight`` has shape (n_out, n_in), ``bias`` (n_out,); the last pair is the affine output layer.
            Scipy sparse weights stay sparse.
        activation : PiecewiseLinear
            Applied after every layer but the last.

        Raises
        ------
        NetworkError
            For NaN or infinite entries, numbers that a float64 cannot hold exactly, layers that do not chain.
        """
        pairs = [as_pair(weight, bias, i) for i, (weight, bias) in enumerate(layers)]
        if not pairs:
            raise NetworkError(
                "Network needs at least one (weight, bias) pair but received none. Pass the output layer."
            )
        *hidden, last = pairs
        return Network(
            tuple(Layer(w, b, Activation.same(activation, w.shape[0])) for w, b in hidden),
            Layer(*last, Activation.same(IDENTITY, last[0].shape[0])),
            notes=tuple(notes),
        )

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Hidden layers and the output layer."""
        return (*self.hidden, self.output)

    @property
    def dim(self) -> int:
        """Input dimension."""
        return self.layers[0].n_inputs if self.input_map is None else self.input_map.shape[1] - 1

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.output.n_outputs

    @cached_property
    def neurons(self) -> NDArray[np.int64]:
        """Layer and unit of each neuron, shape (n_neurons, 2)."""
        places = [
            np.stack([np.full(len(units), i), units], axis=1)
            for i, layer in enumerate(self.hidden)
            for units in [np.flatnonzero(layer.activation.n_pieces > 1)]
        ]
        return np.concatenate(places) if places else np.zeros((0, 2), dtype=np.int64)

    @property
    def n_neurons(self) -> int:
        """Number of digits in a pattern."""
        return len(self.neurons)

    @cached_property
    def layout(self) -> PatternLayout:
        """Where each neuron lies in packed patterns."""
        pieces = [layer.activation.n_pieces for layer in self.hidden]
        return PatternLayout.for_pieces(
            np.array([pieces[layer][unit] for layer, unit in self.neurons.tolist()], dtype=np.int64),
            self.neurons[:, 0],
        )

    @cached_property
    def pattern_widths(self) -> tuple[int, ...]:
        """Number of neurons of each hidden layer that has any."""
        counts = np.bincount(self.neurons[:, 0], minlength=len(self.hidden))
        return tuple(int(count) for count in counts if count)

    @property
    def is_relu(self) -> bool:
        """True if every digit is the bit of a ReLU (identity units may pass values on)."""
        return all(
            f in (RELU, IDENTITY) for layer in self.hidden for f in layer.activation.functions
        ) and not any((layer.activation.kind == MAX_UNIT).any() for layer in self.hidden)

    def pattern(self, digits: Sequence[int]) -> Pattern:
        """Return digits, one for each neuron, as a `Pattern` of this network."""
        return Pattern.from_digits(digits, self.pattern_widths)

    def unit_digits(self, pattern: Pattern) -> list[NDArray[np.int64]]:
        """Return the digit of every unit, one array for each hidden layer (0 for units without one).

        Raises
        ------
        PatternError
            If the pattern has another shape than the network's, or a digit its neuron does not have.
        """
        if pattern.widths != self.pattern_widths:
            ours, theirs = ("|".join(map(str, widths)) or "no" for widths in (self.pattern_widths, pattern.widths))
            raise PatternError(
                f"A pattern of this network needs {ours} digits but received {theirs}. Give one digit for each neuron."
            )
        flat = pattern.digits
        self.layout.pack(np.array([flat], dtype=np.int64))
        digits = [np.zeros(layer.n_outputs, dtype=np.int64) for layer in self.hidden]
        for (layer, unit), digit in zip(self.neurons.tolist(), flat, strict=True):
            digits[layer][unit] = digit
        return digits

    @cached_property
    def exact(self) -> ExactNetwork:
        """The network in rationals; ``network.exact(x)`` evaluates it."""
        from polyrelu.network.exact_network import ExactNetwork

        return ExactNetwork.of(self)

    def restrict(self, plane: Slice) -> Network:
        """Return the network on an affine slice: a network of the slice's coordinates, exactly.

        Parameters
        ----------
        plane : Slice
            For example `polyrelu.Slice.through(p0, p1, p2)`.
        """
        from polyrelu.network.slices import compose

        return replace(self, input_map=compose(self, plane))

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the outputs in floats, shape (..., n_out), of inputs of shape (..., dim)."""
        points = np.asarray(x, dtype=np.float64)
        if points.shape[-1:] != (self.dim,):
            raise NetworkError(
                f"Network needs inputs of shape (..., {self.dim}) but received {points.shape}. Reshape them."
            )
        values = points.reshape(math.prod(points.shape[:-1]), self.dim)
        if self.input_map is not None:
            affine = self.input_map.to_floats()
            values = values @ affine[:, :-1].T + affine[:, -1]
        for layer in self.layers:
            values = _apply((layer.weight @ values.T).T + layer.bias, layer.activation)
        return values.reshape(*points.shape[:-1], self.n_out)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything that defines the function (not of the notes), as hexadecimal text."""
        digest = hashlib.sha256(b"polyrelu network 1")
        if self.input_map is not None:
            digest.update(repr(self.input_map.canonical()).encode())
        for layer in self.layers:
            rows, columns, values = nonzero_entries(layer.weight)
            functions = [(f.breakpoints, f.slopes, f.intercepts) for f in layer.activation.functions]
            digest.update(repr((layer.weight.shape, functions)).encode())
            for array in (rows, columns, values, layer.bias + 0.0, layer.activation.kind, layer.activation.indptr):
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def check_network(network: object, who: str) -> None:
    """Raise `InputError` for something else than a network, such as a module of PyTorch or the path of a file.

    Examples
    --------
    >>> check_network("model.onnx", "tessellate")
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: tessellate needs a Network but received str. Make one with load or from_torch.
    """
    if not isinstance(network, Network):
        kind = type(network).__name__
        raise InputError(f"{who} needs a Network but received {kind}. Make one with load or from_torch.")


def _apply(values: NDArray[np.float64], activation: Activation) -> NDArray[np.float64]:
    """Return the units' outputs in floats for a batch of preactivations, shape (n, n_preactivations)."""
    if activation.is_identity:
        return values
    if activation.is_relu:
        return np.maximum(values, 0.0)
    outputs = np.empty((len(values), activation.n_units))
    starts = activation.indptr[:-1]
    for index, function in enumerate(activation.functions):
        units = np.flatnonzero(activation.kind == index)
        z = values[:, starts[units]]
        digit = np.searchsorted(np.array(function.breakpoints, dtype=np.float64), z, side="left")
        slopes, intercepts = (np.array(c, dtype=np.float64) for c in (function.slopes, function.intercepts))
        outputs[:, units] = slopes[digit] * z + intercepts[digit]
    pooled = np.flatnonzero(activation.kind == MAX_UNIT)
    if len(pooled):
        outputs[:, pooled] = np.maximum.reduceat(values, starts, axis=1)[:, pooled]
    return outputs
