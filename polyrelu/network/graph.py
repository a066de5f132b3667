"""Affine expressions over bases: the form that every reader brings a model into.

A *basis* is a vector of values that are not affine in what came before: the network's input, or the outputs of
units. Each tensor of a model is an `Affine` expression over bases. Maps are composed only where float64 holds the
result exactly; elsewhere the inner expression gets identity units of its own (`Graph.settle`) and becomes a basis.
So the network that `polyrelu.network.lowering` makes of a graph computes, in rationals, what the model says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array

from polyrelu.errors import NetworkError
from polyrelu.network.activation import IDENTITY, Activation

__all__ = ["MAX_SIZE", "Affine", "Basis", "Graph", "finite_floats", "product_is_exact", "sum_is_exact"]

MAX_SIZE = 2**28
"""Elements of the largest tensor; a damaged shape must not exhaust the memory."""


@dataclass(frozen=True, eq=False)
class Affine:
    """A tensor whose elements, in C order, are affine functions of bases.

    Attributes
    ----------
    shape : tuple of int
    terms : mapping from the number of a basis to csr_array, shape (size, size of the basis)
    bias : float64 array, shape (size,)
    """

    shape: tuple[int, ...]
    terms: Mapping[int, csr_array]
    bias: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of elements."""
        return len(self.bias)

    @property
    def index(self) -> NDArray[np.int64]:
        """The number of each element, in the tensor's shape: move it around like the tensor, then `Graph.select`."""
        return np.arange(self.size).reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Basis:
    """The network's input, or the outputs of units.

    Attributes
    ----------
    size, depth : int
        The input has depth 0; units lie one deeper than the deepest basis they read.
    preactivation : Affine or None
        None for the input.
    activation : Activation or None
    """

    size: int
    depth: int
    preactivation: Affine | None = None
    activation: Activation | None = None


@dataclass
class Graph:
    """A model under construction: its bases, and the notes for `Network.notes`.

    Attributes
    ----------
    bases : list of Basis
        Basis 0 is the network's input; units read bases of lower numbers.
    notes : list of str
    place : str
        The node that is being read, as notes name it.

    Examples
    --------
    >>> graph = Graph()
    >>> x = graph.start((1, 2))
    >>> tenth = csr_array(np.array([[0.1, 0.1]]))
    >>> y = graph.linear(graph.linear(x, tenth, (1, 1)), csr_array([[3.0]]), (1, 1))
    >>> len(graph.bases), sorted(y.terms), y.terms[1].toarray().tolist()  # 3 * 0.1 is no float: two steps
    (2, [1], [[3.0]])
    """

    bases: list[Basis] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    place: str = "model"
    _settled: dict[Affine, Affine] = field(default_factory=dict)

    def start(self, shape: tuple[int, ...]) -> Affine:
        """Return the network's input as a tensor; called once, first."""
        if math.prod(shape) > MAX_SIZE:
            raise NetworkError(f"An input needs at most {MAX_SIZE} elements but received {shape}. Check the shape.")
        self.bases.append(Basis(math.prod(shape), 0))
        return self._whole_basis(shape)

    def constant(self, values: NDArray) -> Affine:
        """Return a tensor that depends on no basis."""
        floats = finite_floats(values, "A constant")
        return Affine(floats.shape, {}, floats.ravel())

    def depth(self, value: Affine) -> int:
        """Return the depth of the deepest basis an expression reads."""
        return max((self.bases[number].depth for number in value.terms), default=0)

    def linear(self, value: Affine, matrix: csr_array, shape: tuple[int, ...], may_round: bool = False) -> Affine:
        """Return ``matrix @ value``.

        Parameters
        ----------
        value : Affine
        matrix : csr_array, shape (size of the result, size of value)
        shape : tuple of int
            Shape of the result.
        may_round : bool
            Fold in float64 even where that rounds (batch normalisation, with a note).
        """
        if not may_round and not _composes_exactly(matrix, value):
            value = self.settle(value)
        terms = {number: csr_array(matrix @ term) for number, term in value.terms.items()}
        for term in terms.values():
            term.eliminate_zeros()
        return Affine(shape, terms, matrix @ value.bias)

    def shift(self, value: Affine, constant: NDArray[np.float64], may_round: bool = False) -> Affine:
        """Return ``value + constant``, a constant of the same shape."""
        other = finite_floats(constant, "A bias").ravel()
        if not may_round and not sum_is_exact(value.bias, other):
            value = self.settle(value)
        return Affine(value.shape, value.terms, value.bias + other)

    def add(self, left: Affine, right: Affine) -> Affine:
        """Return the sum of two tensors of one shape."""
        shared = left.terms.keys() & right.terms.keys()
        exact = sum_is_exact(left.bias, right.bias)
        if not exact or not all(sum_is_exact(left.terms[number], right.terms[number]) for number in shared):
            # One of them as a basis of its own suffices; the shallower one is likelier not to add a layer.
            if self.depth(left) > self.depth(right):
                left, right = right, left
            return self.add(self.settle(left), right)
        terms = dict(left.terms)
        for number, term in right.terms.items():
            terms[number] = terms[number] + term if number in shared else term
        return Affine(left.shape, terms, left.bias + right.bias)

    def negate(self, value: Affine) -> Affine:
        """Return ``-value``."""
        return Affine(value.shape, {number: -term for number, term in value.terms.items()}, -value.bias)

    def select(self, value: Affine, index: NDArray[np.int64]) -> Affine:
        """Return the elements with these numbers, in the shape of ``index``; -1 stands for zero."""
        flat = index.ravel()
        if len(flat) == value.size and (flat == np.arange(value.size)).all():
            return Affine(index.shape, value.terms, value.bias)
        taken = flat >= 0
        starts = np.concatenate([[0], np.cumsum(taken)])
        chosen = csr_array((np.ones(starts[-1]), flat[taken], starts), shape=(len(flat), value.size))
        products = {number: csr_array(chosen @ term) for number, term in value.terms.items()}
        terms = {number: term for number, term in products.items() if term.nnz}
        return Affine(index.shape, terms, chosen @ value.bias)

    def stack(self, values: list[Affine]) -> Affine:
        """Return all elements of several tensors as one vector."""
        from scipy.sparse import vstack

        numbers = sorted({number for value in values for number in value.terms})
        terms = {}
        for number in numbers:
            width = self.bases[number].size
            terms[number] = csr_array(
                vstack([v.terms.get(number, csr_array((v.size, width))) for v in values], format="csr")
            )
        bias = np.concatenate([value.bias for value in values])
        return Affine((len(bias),), terms, bias)

    def units(self, preactivation: Affine, activation: Activation, shape: tuple[int, ...]) -> Affine:
        """Return the outputs of units that read an expression, as a tensor."""
        self.bases.append(
            Basis(activation.n_units, self.depth(preactivation) + 1, preactivation, activation)
        )
        return self._whole_basis(shape)

    def settle(self, value: Affine) -> Affine:
        """Return the same tensor as the outputs of identity units; once for each tensor."""
        if value not in self._settled:
            self._settled[value] = self.units(value, Activation.same(IDENTITY, value.size), value.shape)
        return self._settled[value]

    def _whole_basis(self, shape: tuple[int, ...]) -> Affine:
        size = self.bases[-1].size
        return Affine(shape, {len(self.bases) - 1: csr_array(eye_array(size, format="csr"))}, np.zeros(size))


def finite_floats(values: NDArray, what: str) -> NDArray[np.float64]:
    """Return numbers as float64, exactly; refuse NaN, infinities and what float64 cannot hold."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise NetworkError(f"{what} needs real numbers of at most 64 bits but received {array.dtype}. Convert them.")
    floats = array.astype(np.float64)
    if not np.isfinite(floats).all():
        place = np.argwhere(~np.isfinite(floats))[0].tolist()
        raise NetworkError(
            f"{what} needs finite numbers but received {floats[tuple(place)]} at {place}. Repair the model."
        )
    if array.dtype.kind in "iu" and (np.abs(floats) >= 2.0**53).any():
        raise NetworkError(f"{what} needs integers below 2**53 but received a larger one. Use floats.")
    return floats


def product_is_exact(left: csr_array, right: csr_array) -> bool:
    """Return True only if float64 holds ``left @ right`` without rounding.

    A sufficient condition. Where no element is a sum, the bits of two factors must fit together into 53.
    Otherwise all products of row ``i`` and column ``j`` are multiples of one power of two, the product of the
    lowest bits in that row and that column, and the sum of their magnitudes must stay below 2**52 of it.
    """
    if not left.nnz or not right.nnz:
        return True
    row_counts, column_counts = np.diff(left.indptr), np.bincount(right.indices, minlength=right.shape[1])
    if (column_counts.max() <= 1 and _only_signs(right)) or (row_counts.max() <= 1 and _only_signs(left)):
        return True
    (bits, lowest), (other_bits, other_lowest) = _bits(left.data), _bits(right.data)
    if bits.max() + other_bits.max() > 53 or not (_in_range(left.data) and _in_range(right.data)):
        return False
    if row_counts.max() <= 1 or column_counts.max() <= 1:
        return True
    row_unit = np.full(left.shape[0], np.iinfo(np.int32).max, dtype=np.int64)
    np.minimum.at(row_unit, np.repeat(np.arange(left.shape[0]), row_counts), lowest)
    column_unit = np.full(right.shape[1], np.iinfo(np.int32).max, dtype=np.int64)
    np.minimum.at(column_unit, right.indices, other_lowest)
    sums = (abs(left) @ abs(right)).tocoo()
    rows, columns = sums.coords
    return bool((sums.data <= np.ldexp(1.0, 52 + row_unit[rows] + column_unit[columns])).all())


def sum_is_exact(left: csr_array | NDArray[np.float64], right: csr_array | NDArray[np.float64]) -> bool:
    """Return whether float64 holds ``left + right`` without rounding (Knuth's TwoSum: the error is a float)."""
    total = left + right
    part = total - left
    error = (left - (total - part)) + (right - part)
    return not (error.count_nonzero() if isinstance(error, csr_array) else np.any(error))


def _composes_exactly(matrix: csr_array, value: Affine) -> bool:
    parts = list(value.terms.values())
    if value.bias.any():
        parts.append(csr_array(value.bias[:, np.newaxis]))
    return all(product_is_exact(matrix, part) for part in parts)


def _bits(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many bits each mantissa needs and the exponent of its lowest bit (1 and 0 for zero)."""
    mantissas, exponents = np.frexp(np.abs(values))
    integers = np.ldexp(mantissas, 53).astype(np.int64)
    trailing = np.frexp((integers & -integers).astype(np.float64))[1].astype(np.int64) - 1
    zero = integers == 0
    return np.where(zero, 1, 53 - trailing), np.where(zero, 0, exponents - 53 + trailing)


def _only_signs(matrix: csr_array) -> bool:
    return bool((np.abs(matrix.data) == 1).all())


def _in_range(values: NDArray[np.float64]) -> bool:
    """Return whether products of two such numbers neither overflow nor underflow."""
    exponents = np.frexp(values[values != 0])[1]
    return not len(exponents) or int(np.abs(exponents).max()) < 400
