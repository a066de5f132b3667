"""From a graph of affine expressions to a `Network`: one hidden layer for each depth.

A value that is read more than one layer later travels through identity units; what no later layer reads is
dropped. So residual networks and concatenations become sequential without a rounded number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from polyrelu.errors import NetworkError
from polyrelu.network.activation import IDENTITY, MAX_UNIT, Activation, PiecewiseLinear
from polyrelu.network.graph import Affine, Graph
from polyrelu.network.model import Layer, Network

__all__ = ["lower"]

SPARSE_ENTRIES = 10_000
SPARSE_DENSITY = 0.25


def lower(graph: Graph, output: Affine) -> Network:
    """Return the network that computes a tensor of a graph, its elements in C order.

    Raises
    ------
    NetworkError
        If the input or the output has no elements.
    """
    if not graph.bases[0].size or not output.size:
        raise NetworkError(
            f"A network needs inputs and outputs but received {graph.bases[0].size} and {output.size} of them. "
            "Check the shapes of the model."
        )
    reads = _find_reads(graph, output)
    places: dict[int, NDArray[np.int64]] = {0: np.arange(graph.bases[0].size)}
    width, layers = graph.bases[0].size, []
    for depth in range(1, graph.depth(output) + 1):
        layer, places = _layer(graph, reads, places, width, depth)
        layers.append(layer)
        width = layer.n_outputs
    weight = _as_weight(_placed(output, np.arange(output.size), places, width))
    last = Layer(weight, output.bias, Activation.same(IDENTITY, output.size))
    return Network(tuple(layers), last, notes=tuple(graph.notes))


@dataclass(frozen=True)
class _Reads:
    """What is read of each basis that the output depends on.

    Attributes
    ----------
    until : mapping from basis to int array, shape (size of the basis,)
        The depth of the last layer that reads each value; -1 where none does.
    rows : mapping from basis to int array
        The units that are kept: all, except that identity units nobody reads are dropped.
    """

    until: Mapping[int, NDArray[np.int64]]
    rows: Mapping[int, NDArray[np.int64]]


def _find_reads(graph: Graph, output: Affine) -> _Reads:
    until: dict[int, NDArray[np.int64]] = {}
    rows: dict[int, NDArray[np.int64]] = {}

    def read(value: Affine, kept: NDArray[np.int64], depth: int) -> None:
        for number, term in value.terms.items():
            last = until.setdefault(number, np.full(graph.bases[number].size, -1))
            columns = np.unique(term[kept].indices) if len(kept) < value.size else np.unique(term.indices)
            last[columns] = np.maximum(last[columns], depth)

    read(output, np.arange(output.size), graph.depth(output) + 1)
    # A basis reads only bases of lower numbers, so that its own readers are known when its turn comes.
    for number in range(len(graph.bases) - 1, 0, -1):
        basis = graph.bases[number]
        if number not in until or basis.preactivation is None or basis.activation is None:
            continue
        every = np.arange(basis.size)
        if basis.activation.is_identity:
            # A layer keeps a unit even where every weight that reads it is zero.
            every = every[until[number] >= 0] if until[number].max() >= 0 else every[:1]
        rows[number] = every
        kept = rows[number] if basis.activation.is_identity else np.arange(basis.preactivation.size)
        read(basis.preactivation, kept, basis.depth)
    return _Reads(until, rows)


def _layer(
    graph: Graph, reads: _Reads, places: Mapping[int, NDArray[np.int64]], width: int, depth: int
) -> tuple[Layer, dict[int, NDArray[np.int64]]]:
    """Return the layer of one depth and where it holds each value of each basis (-1 where it does not)."""
    weights, biases, activations = [], [], []
    held: dict[int, NDArray[np.int64]] = {}
    n_units = 0
    for number in sorted(reads.until):
        basis = graph.bases[number]
        if basis.depth > depth:
            continue
        if basis.depth == depth and basis.preactivation is not None and basis.activation is not None:
            units, activation, value = reads.rows[number], basis.activation, basis.preactivation
            kept = np.arange(value.size)
            if activation.is_identity:
                kept, activation = units, Activation.same(IDENTITY, len(units))
            weights.append(_placed(value, kept, places, width))
            biases.append(value.bias[kept])
        else:
            units = np.flatnonzero(reads.until[number] > depth)
            if not len(units):
                continue
            activation = Activation.same(IDENTITY, len(units))
            starts = np.arange(len(units) + 1)
            weights.append(csr_array((np.ones(len(units)), places[number][units], starts), (len(units), width)))
            biases.append(np.zeros(len(units)))
        held[number] = np.full(basis.size, -1)
        held[number][units] = n_units + np.arange(len(units))
        n_units += len(units)
        activations.append(activation)
    weight = csr_array(vstack(weights, format="csr"))
    return Layer(_as_weight(weight), np.concatenate(biases), _join(activations)), held


def _placed(
    value: Affine, rows: NDArray[np.int64], places: Mapping[int, NDArray[np.int64]], width: int
) -> csr_array:
    """Return rows of an expression as a matrix that reads the units of the layer before."""
    total = csr_array((len(rows), width))
    for number, term in value.terms.items():
        chosen = term[rows] if len(rows) < value.size else term
        if chosen.nnz:
            columns = places[number][chosen.indices]
            placed = csr_array((chosen.data, columns, chosen.indptr), shape=(len(rows), width))
            total = total + placed if total.nnz else placed
    return total


def _join(activations: Sequence[Activation]) -> Activation:
    """Return the activation that applies several ones to consecutive preactivations."""
    functions: dict[PiecewiseLinear, int] = {}
    kinds, sizes = [], []
    for activation in activations:
        numbers = [functions.setdefault(function, len(functions)) for function in activation.functions]
        lookup = np.array([*numbers, MAX_UNIT])  # MAX_UNIT is -1: the last entry
        kinds.append(lookup[activation.kind])
        sizes.append(np.diff(activation.indptr))
    starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    return Activation(tuple(functions), np.concatenate(kinds), starts)


def _as_weight(matrix: csr_array) -> csr_array | NDArray[np.float64]:
    matrix.eliminate_zeros()
    entries = matrix.shape[0] * matrix.shape[1]
    if entries > SPARSE_ENTRIES and matrix.nnz < SPARSE_DENSITY * entries:
        matrix.sort_indices()
        return matrix
    return matrix.toarray()
