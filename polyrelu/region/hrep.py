"""The H-representation of a region: the rows that each neuron's digit imposes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import MAX_UNIT, Activation
from polyrelu.network.pattern import Pattern

if TYPE_CHECKING:
    from polyrelu.network.model import Network

__all__ = ["HRep", "NeuronRow", "digit_rows", "layer_digit_rows", "region_hrep", "relu_recursion"]


@dataclass(frozen=True, slots=True)
class NeuronRow:
    """One condition that a neuron's digit imposes: ``a · x + c >= 0``, or ``> 0`` where strict.

    Attributes
    ----------
    row : tuple of int, length dim + 1
        ``(a_1, …, a_dim, c)``, coprime; all zeros for a form that vanishes identically.
    factor : Fraction
        Positive; ``factor * row`` is the signed form itself: the preactivation, minus a breakpoint, or the
        difference of two preactivations of a max unit.
    strict : bool
        True if points with ``a · x + c = 0`` have another digit.
    """

    row: tuple[int, ...]
    factor: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class HRep:
    """The rows of all neurons on the region of a pattern, in neuron order; complete but not reduced.

    Attributes
    ----------
    dim : int
    rows : tuple of tuple of int
        Row ``(a_1, …, a_dim, c)``, coprime integers, says ``a · x + c >= 0``.
    factors : tuple of Fraction
        Positive; ``factors[i] * rows[i]`` is the signed preactivation form (see `NeuronRow`).
    strict : tuple of bool
        True if the half-open class of the pattern needs ``> 0``: for ReLU, digit 1.
    neuron : tuple of int
        Which neuron gives the row.
    layer : tuple of int
        Hidden layer of that neuron, from 0.
    """

    dim: int
    rows: tuple[tuple[int, ...], ...]
    factors: tuple[Fraction, ...]
    strict: tuple[bool, ...]
    neuron: tuple[int, ...]
    layer: tuple[int, ...]

    def form(self, index: int) -> tuple[Fraction, ...]:
        """Return the exact signed form of one row, ``(a_1, …, a_dim, c)``."""
        return tuple(self.factors[index] * value for value in self.rows[index])

    def halfspaces(self) -> list[tuple[tuple[Fraction, ...], Fraction]]:
        """Return ``(normal, offset)`` of every row, which says ``normal · x <= offset``."""
        forms = [self.form(i) for i in range(len(self.rows))]
        return [(tuple(-value for value in form[:-1]), form[-1]) for form in forms]


def region_hrep(network: Network, pattern: Pattern) -> HRep:
    """Return the rows that cut out the region of an activation pattern.

    On the inputs with this pattern every preactivation is one affine function ``z(x)`` of the input. A ReLU
    neuron gives ``z(x) >= 0`` where its digit is 1 and ``-z(x) >= 0`` where it is 0. A neuron with
    breakpoints gives a row for the breakpoint below and one for the breakpoint above; a max unit gives one
    row for each input that does not win.

    Parameters
    ----------
    network : Network
    pattern : Pattern
        Need not be realised by any input.

    Raises
    ------
    PatternError
        If the pattern does not fit the network.

    Notes
    -----
    A neuron that is constant on the region gives a row with a zero normal; it is kept, so that in a ReLU
    network row ``i`` is always neuron ``i``. (Recursion: Shepeleva et al. 2020, eq. 17; see
    `relu_recursion` for its literal form.)

    Examples
    --------
    >>> from polyrelu.network.model import Network
    >>> fold = Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])
    >>> hrep = region_hrep(fold, Pattern.parse("11|0"))
    >>> hrep.rows, hrep.strict
    (((1, 0), (-1, 10), (-1, 1)), (True, True, False))
    >>> region_hrep(fold, Pattern.parse("00|0")).rows[2]
    (0, 1)
    >>> region_hrep(fold, Pattern.parse("11|2"))
    Traceback (most recent call last):
    ...
    polyrelu.errors.PatternError: Neuron 2 needs a digit below 2 but received 2. Count its pieces from 0.
    """
    digits = [layer.tolist() for layer in network.unit_digits(pattern)]
    matrices = network.exact.preactivation_rows(digits)[:-1]
    number = 0
    found: list[NeuronRow] = []
    neurons: list[int] = []
    layers: list[int] = []
    for index, (layer, matrix) in enumerate(zip(network.hidden, matrices, strict=True)):
        pieces = layer.activation.n_pieces.tolist()
        for unit, conditions in layer_digit_rows(layer.activation, matrix, digits[index]):
            if pieces[unit] < 2:
                continue
            found += conditions
            neurons += [number] * len(conditions)
            layers += [index] * len(conditions)
            number += 1
    return HRep(
        network.dim,
        tuple(condition.row for condition in found),
        tuple(condition.factor for condition in found),
        tuple(condition.strict for condition in found),
        tuple(neurons),
        tuple(layers),
    )


def layer_digit_rows(
    activation: Activation, preactivations: RationalMatrix, digits: Sequence[int]
) -> Iterator[tuple[int, list[NeuronRow]]]:
    """Yield each unit of a layer with the conditions of its digit; a unit without a digit has none."""
    numerators = [[int(value) for value in row] for row in preactivations.numerators.tolist()]
    for unit, digit in enumerate(digits):
        yield unit, digit_rows(activation, unit, digit, numerators, preactivations.denominator)


def digit_rows(
    activation: Activation, unit: int, digit: int, numerators: Sequence[Sequence[int]], denominator: int
) -> list[NeuronRow]:
    """Return the conditions under which a unit has a digit.

    Parameters
    ----------
    numerators : sequence of integer rows, shape (n_preactivations, dim + 1)
        The layer's preactivations times ``denominator``, constants in the last column.
    """
    start, stop = (int(value) for value in activation.indptr[unit : unit + 2])
    kind = int(activation.kind[unit])
    if kind == MAX_UNIT:
        winner = start + digit
        return [
            _condition(_difference(numerators[winner], numerators[other]), denominator, other < winner)
            for other in range(start, stop)
            if other != winner
        ]
    points = activation.functions[kind].breakpoints
    below = [_beyond(numerators[start], denominator, points[digit - 1], 1)] if digit > 0 else []
    above = [_beyond(numerators[start], denominator, points[digit], -1)] if digit < len(points) else []
    return below + above


def _beyond(numerators: Sequence[int], denominator: int, point: Fraction, sign: int) -> NeuronRow:
    """Return the condition ``sign * (preactivation - point) >= 0``; the side above is the strict one."""
    values = [sign * point.denominator * value for value in numerators]
    values[-1] -= sign * point.numerator * denominator
    return _condition(values, denominator * point.denominator, sign > 0)


def _difference(row: Sequence[int], other: Sequence[int]) -> list[int]:
    return [a - b for a, b in zip(row, other, strict=True)]


def _condition(values: Sequence[int], denominator: int, strict: bool) -> NeuronRow:
    divisor = math.gcd(*values) or 1
    return NeuronRow(tuple(value // divisor for value in values), Fraction(divisor, denominator), strict)


def relu_recursion(network: Network, pattern: Pattern) -> list[RationalMatrix]:
    """Return each layer's matrix ``[W | b]`` of the region's rows, straight from the closed formula.

    For layer ``k``, with the diagonal matrices ``B_k`` of the bits and ``P_k = 2 B_k - 1`` of their signs,
    ``W = P_k W_k (B_{k-1} W_{k-1}) … (B_1 W_1)`` and
    ``b = P_k W_k sum_i (B_{k-1} W_{k-1}) … (B_{i+1} W_{i+1}) B_i b_i + P_k b_k``
    (Shepeleva et al. 2020, eq. 17). Row ``i`` is the signed preactivation of neuron ``i`` of the layer.

    Raises
    ------
    InputError
        If the network has units other than ReLU; `region_hrep` takes all.

    Examples
    --------
    >>> from polyrelu.network.model import Network
    >>> fold = Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])
    >>> [matrix.to_fractions() for matrix in relu_recursion(fold, Pattern.parse("11|0"))][1]
    [[Fraction(-1, 1), Fraction(1, 1)]]
    """
    if not all(layer.activation.is_relu for layer in network.hidden):
        raise InputError("relu_recursion needs a network with ReLU only but received other units. Use `region_hrep`.")
    beta = [_diagonal(layer.tolist()) for layer in network.unit_digits(pattern)]
    pi = [_diagonal((2 * digits - 1).tolist()) for digits in network.unit_digits(pattern)]
    W = [_matrix(_dense(layer.weight)) for layer in network.hidden]
    b = [_matrix(layer.bias[:, None]) for layer in network.hidden]

    def product(k: int, lowest: int) -> flint.fmpq_mat:
        """Return ``B_{k-1} W_{k-1} … B_lowest W_lowest``, the identity where there is no factor."""
        result = _diagonal([1] * W[k].ncols())
        for j in range(k - 1, lowest - 1, -1):
            result = result * beta[j] * W[j]
        return result

    matrices = []
    for k in range(len(W)):
        linear = pi[k] * W[k] * product(k, 0)
        constant = pi[k] * b[k]
        for i in range(k):
            constant += pi[k] * W[k] * product(k, i + 1) * beta[i] * b[i]
        matrices.append(_after_input_map(network, linear, constant))
    return matrices


def _dense(weight: Any) -> NDArray[np.float64]:
    return np.asarray(weight.toarray() if hasattr(weight, "toarray") else weight, dtype=np.float64)


def _matrix(values: NDArray[np.float64]) -> flint.fmpq_mat:
    exact = RationalMatrix.from_floats(values)
    return flint.fmpq_mat(exact.numerators) / exact.denominator


def _diagonal(values: Sequence[int]) -> flint.fmpq_mat:
    n = len(values)
    return flint.fmpq_mat(n, n, [values[i] if i == j else 0 for i in range(n) for j in range(n)])


def _after_input_map(network: Network, linear: flint.fmpq_mat, constant: flint.fmpq_mat) -> RationalMatrix:
    """Return ``[linear | constant]`` over the network's coordinates."""
    rows = [[*a, *c] for a, c in zip(linear.tolist(), constant.tolist(), strict=True)]
    matrix = RationalMatrix.from_rows(rows, linear.ncols() + 1)
    if network.input_map is None:
        return matrix
    last = [Fraction(0)] * network.dim + [Fraction(1)]
    return matrix @ RationalMatrix.from_rows([*network.input_map.to_fractions(), last])
