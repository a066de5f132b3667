"""Which regions have one affine map: distinct maps, and connected unions of regions with one map.

Most maps are told apart by a weighted sum of their coefficients, in floats with an error bound; the others by their
residues modulo a prime; and maps with equal residues are compared as rationals. Each of these is a proof.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import IDENTITY, MAX_UNIT, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.tessellation.graph import components
from polyrelu.tessellation.region_forms import RegionForms

if TYPE_CHECKING:
    from polyrelu.kernels.residues import Residues
    from polyrelu.tessellation.model import Tessellation

__all__ = ["LinearRegions", "linear_regions"]

PRIMES = (2147483629, 2147483587, 2147483579, 2147483563, 2147483549)
"""Primes below 2^31; the first one that divides no denominator is used."""


@dataclass(frozen=True)
class LinearRegions:
    """Regions sorted by their affine maps.

    Attributes
    ----------
    maps : int64 array, shape (n_regions,)
        Equal numbers for equal affine maps, from 0 in the order of the first region with each.
    labels : int64 array, shape (n_regions,)
        Equal numbers for one linear region: equal maps, connected through common facets.
    n_maps, n_regions : int
        How many distinct maps and linear regions there are.
    """

    maps: NDArray[np.int64]
    labels: NDArray[np.int64]
    n_maps: int
    n_regions: int


def linear_regions(tessellation: Tessellation) -> LinearRegions:
    """Return which regions have one affine map, and which of these are connected.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> tent = Network.from_arrays([([[1], [1], [1]], [0, -1, -2]), ([[1, -2, 1]], [0])])
    >>> found = linear_regions(tessellate(tent))
    >>> found.n_maps, found.n_regions
    (3, 4)
    """
    t = tessellation
    candidates = np.arange(t.n_regions)
    close = np.flatnonzero(_are_close(*_weighted_sums(t)))
    _, alike = np.unique(_residues(t, close), axis=0, return_inverse=True)
    candidates[close] = t.n_regions + alike.reshape(-1)
    maps = _first_come(_compared(t, np.unique(candidates, return_inverse=True)[1].reshape(-1)))
    pairs = t.adjacent_pairs
    same = maps[pairs[:, 0]] == maps[pairs[:, 1]]
    n_regions, labels = components(pairs[same], t.n_regions)
    return LinearRegions(maps, labels.astype(np.int64), int(maps.max(initial=-1)) + 1, int(n_regions))


def _first_come(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels renumbered in the order in which they occur."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)]


def _compared(t: Tessellation, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels of equal maps: candidates with equal residues are compared as rationals."""
    labels = candidates.copy()
    free = int(candidates.max(initial=-1)) + 1
    known: dict[int, list[tuple[int, RationalMatrix]]] = {}
    forms = RegionForms(t)
    for region in np.flatnonzero(np.bincount(candidates)[candidates] > 1).tolist() if len(candidates) else []:
        forms.move_to(region)
        exact = forms.affine_map()
        others = known.setdefault(int(candidates[region]), [])
        for label, other in others:
            if other == exact:
                labels[region] = label
                break
        else:
            if others:
                labels[region], free = free, free + 1
            others.append((int(labels[region]), exact))
    return labels


def _weighted_sums(t: Tessellation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a weighted sum of the coefficients of each region's output map, and bounds of their errors."""
    from polyrelu.enumeration.replay import replay
    from polyrelu.kernels.replay import weigh_maps

    network = t.network
    nothing = Layer(np.zeros((1, network.n_out)), np.zeros(1), Activation.same(IDENTITY, 1))
    longer = replace(network, hidden=network.layers, output=nothing)  # the output layer is the last level
    weights = np.random.default_rng(0).uniform(1.0, 2.0, (t.dim + 1, network.n_out))
    values, errors = np.empty(t.n_regions), np.empty(t.n_regions)
    replay(weigh_maps, longer, t.words, weights, values, errors)
    return values, errors


def _are_close(values: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers may be equal to others, given bounds of their errors.

    Examples
    --------
    >>> _are_close(np.array([5.0, 1.0, 2.0, np.nan]), np.array([1.5, 0.25, 2.0, 0.0])).tolist()
    [True, True, True, True]
    >>> _are_close(np.array([5.0, 1.0, 2.0]), np.array([0.5, 0.5, 0.25])).tolist()
    [False, False, False]
    """
    with np.errstate(invalid="ignore"):
        low, high = values - errors, values + errors
    is_known = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(is_known, low, -np.inf), np.where(is_known, high, np.inf)
    order = np.argsort(low)
    reached = np.maximum.accumulate(high[order])
    touches = low[order][1:] <= np.nextafter(reached[:-1], np.inf)  # ends of intervals are rounded
    result = np.zeros(len(values), bool)
    result[order[1:]] = touches
    result[order[:-1]] |= touches
    return result


def _residues(t: Tessellation, chosen: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the residues of the output maps of some regions, shape (n_chosen, (dim + 1) * n_out)."""
    from polyrelu.kernels import residues as R

    network = t.network
    prime = _prime_for(network)
    modular = _modular_network(network, prime)
    n_columns = t.dim + 1
    widest = max(layer.n_inputs for layer in network.layers)
    values = np.zeros((n_columns, widest), np.uint64)
    inputs = network.exact.input_rows()
    factor = pow(inputs.denominator, -1, prime)
    for i, row in enumerate(inputs.numerators.tolist()):
        values[:, i] = [int(value) * factor % prime for value in row]
    preactivations = np.zeros((n_columns, int(modular.levels[:, R.N_ROWS].sum())), np.uint64)
    result = np.empty((len(chosen), n_columns * network.n_out), np.uint32)
    digits = np.full(len(modular.units), -1, np.int64)
    words = np.ascontiguousarray(t.words[chosen])
    R.output_residues(words, modular, np.uint64(prime), digits, values, preactivations, result)
    return result


def _prime_for(network: Network) -> int:
    """Return a prime that divides no denominator of a network."""
    functions = [f for layer in network.hidden for f in layer.activation.functions]
    denominators = {value.denominator for f in functions for value in (*f.slopes, *f.intercepts)}
    denominators.add(network.exact.input_rows().denominator)
    for prime in PRIMES:
        if all(denominator % prime for denominator in denominators):
            return prime
    return _next_prime(denominators)


def _next_prime(denominators: set[int]) -> int:
    import flint

    prime = 2**31 - 1
    while not flint.fmpz(prime).is_prime() or not all(denominator % prime for denominator in denominators):
        prime -= 2
    return prime


def _modular_network(network: Network, prime: int) -> Residues:
    """Lay a network out for `polyrelu.kernels.residues`."""
    from polyrelu.kernels import residues as R

    levels = np.zeros((len(network.layers), R.N_LEVEL), np.int64)
    units = np.zeros((sum(layer.n_outputs for layer in network.hidden), R.N_UNIT), np.int64)
    weights, pointers, rows, bias, pieces = [], [], [], [], []
    n_weights = n_pointers = n_bias = n_units = n_pieces = 0
    for level, layer in zip(levels, network.layers, strict=True):
        n = len(layer.bias)
        level[R.N_INPUTS], level[R.N_ROWS], level[R.IS_SPARSE] = layer.n_inputs, n, layer.is_sparse
        level[R.BIAS] = level[R.FIRST_ROW] = n_bias
        level[R.FIRST_UNIT], level[R.N_UNITS] = n_units, layer.n_outputs
        bias.append(_dyadic_residues(layer.bias, prime))
        n_bias += n
        if layer.is_sparse:
            columns = layer.weight.tocsc()
            columns.sort_indices()
            level[R.WEIGHT] = n_pointers
            pointers.append(columns.indptr.astype(np.int64) + n_weights)
            n_pointers += len(columns.indptr)
            entries, places = columns.data, columns.indices.astype(np.int64)
        else:
            level[R.WEIGHT] = n_weights
            entries = np.ascontiguousarray(layer.weight.T).ravel()
            places = np.zeros(len(entries), np.int64)
        weights.append(_dyadic_residues(entries, prime))
        rows.append(places)
        n_weights += len(entries)
        if layer is network.output:
            break
        activation = layer.activation
        starts = []
        for function in activation.functions:
            starts.append(n_pieces)
            both = zip(function.slopes, function.intercepts, strict=True)
            pieces += [[_residue(value, prime) for value in piece] for piece in both]
            n_pieces += function.n_pieces
        block = units[n_units : n_units + activation.n_units]
        block[:, R.UNIT_ROW] = activation.indptr[:-1]
        block[:, R.UNIT_PIECE] = np.where(activation.kind == MAX_UNIT, -1, np.array([*starts, 0])[activation.kind])
        n_units += activation.n_units
    layout, neurons = network.layout, network.neurons
    neuron_units = levels[neurons[:, 0], R.FIRST_UNIT] + neurons[:, 1]
    for column, field in ((R.UNIT_WORD, layout.word), (R.UNIT_SHIFT, layout.shift), (R.UNIT_BITS, layout.bits)):
        units[neuron_units, column] = field
    return R.Residues(
        levels,
        units,
        np.concatenate(weights),
        np.concatenate([*pointers, np.zeros(1, np.int64)]),
        np.concatenate(rows),
        np.concatenate(bias),
        np.array(pieces or [[0, 0]], np.uint32).T.copy(),
    )


def _dyadic_residues(values: NDArray[np.float64], prime: int) -> NDArray[np.uint32]:
    """Return floats modulo a prime, as the integers times powers of two that they are."""
    mantissas, exponents = np.frexp(np.asarray(values, np.float64).ravel())
    integers = np.mod(np.ldexp(mantissas, 53).astype(np.int64), prime).astype(np.uint64)
    distinct, inverse = np.unique(exponents, return_inverse=True)
    powers = np.array([pow(2, int(exponent) - 53, prime) for exponent in distinct], np.uint64)
    return (integers * powers[inverse.reshape(-1)] % np.uint64(prime)).astype(np.uint32)


def _residue(value: Fraction, prime: int) -> int:
    return value.numerator * pow(value.denominator, -1, prime) % prime
