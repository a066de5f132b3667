"""How far local affine maps, accumulated in floats, are from the network at their points: measured, and proven."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.local_maps import LocalMaps, Outputs
from polyrelu.analysis.data.network_maps import Visit, filled_rows, patterns_and_outputs, whole_blocks
from polyrelu.analysis.data.patterns import unit_digits_at
from polyrelu.analysis.data.points import checked_points
from polyrelu.network.batches import Array, BatchLayer, BatchNetwork, batch_network
from polyrelu.network.model import Network

__all__ = ["MapAgreement", "iterate_checked_maps"]


@dataclass(frozen=True, eq=False)
class MapAgreement:
    """The values of maps at their points beside those of the network; all arrays have the shape of the maps' outputs.

    Attributes
    ----------
    map_values : float64 array, shape (n,) or (n, k)
        What each map makes of its point, in floats.
    network_values : float64 array, shape (n,) or (n, k)
        What a forward pass in floats makes of it.
    map_bounds, network_bounds : float64 arrays, shape (n,) or (n, k)
        Proven bounds of how far these are from the network's exact value.
    """

    map_values: NDArray[np.float64]
    network_values: NDArray[np.float64]
    map_bounds: NDArray[np.float64]
    network_bounds: NDArray[np.float64]

    @property
    def differences(self) -> NDArray[np.float64]:
        """Distances between both values."""
        with np.errstate(invalid="ignore"):  # values may overflow
            return np.abs(self.map_values - self.network_values)

    @property
    def bounds(self) -> NDArray[np.float64]:
        """How much of the differences rounding explains: the sum of both bounds."""
        return self.map_bounds + self.network_bounds

    @property
    def agrees(self) -> bool:
        """True if rounding explains every difference."""
        return bool((self.differences <= self.bounds).all())


def iterate_checked_maps(
    network: Network, points: ArrayLike, output: Outputs = "predicted", *, device: str | None = None
) -> Iterator[tuple[slice, LocalMaps, MapAgreement]]:
    """Return an iterator over local affine maps, and what they make of their points beside the network itself.

    Parameters
    ----------
    network, points, output, device
        As for `polyrelu.analysis.data.local_maps.local_maps`.

    Raises
    ------
    InputError, MissingExtraError
        As `local_maps`, at the call.

    Notes
    -----
    Weights and offsets are accumulated backwards, and nothing in them is fitted to the value at the point. Before a
    step, a map is an affine function ``s · a + c`` of the values ``a`` behind a layer; after it, one of the values
    before that layer. A step that rounds ``s`` by ``d`` changes the map's value at the point by ``d · a``, whatever
    follows: the steps that are left would be exact at the point's pattern. So the errors of all steps add up, and no
    later weight multiplies them. With ``g(n)`` for the relative error of a sum of ``n`` products, a layer adds at most
    ``g(n) |s| · (|W| |a| + |b|)``. How large ``a`` is a forward pass says, with its own error.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> [(_, maps, agreement)] = iterate_checked_maps(xor(), [[0.5, 0.25], [2, 3]], output=0)
    >>> agreement.map_values.tolist(), agreement.network_values.tolist(), agreement.agrees
    ([0.75, -3.0], [0.75, -3.0], True)
    """
    x = checked_points(network, points, "iterate_checked_maps")
    patterns, outputs = patterns_and_outputs("iterate_checked_maps", network, x, output, device)
    batch = batch_network(network, device)

    def blocks() -> Iterator[tuple[slice, LocalMaps, MapAgreement]]:
        for piece, block in whole_blocks(len(x), batch.arrays.chunk):
            new = slice(piece.start - block.start, None)
            maps, agreement = _checked(batch, x[block], outputs[block], unit_digits_at(batch, patterns, block))
            parts = (agreement.map_values, agreement.network_values, agreement.map_bounds, agreement.network_bounds)
            own = MapAgreement(*(each[new] for each in parts))
            yield piece, LocalMaps(maps.outputs[new], maps.dual_points[new]), own

    return blocks()


@dataclass(frozen=True, eq=False)
class _Sizes:
    """What bounds the rounding of one step back through a layer, for slopes of size 1.

    Attributes
    ----------
    affine : float64 array, shape (n_preactivations, m)
        Of ``|W| |a| + |b|``, through the weight.
    pieces : float64 array, shape (n_units, m), or None
        Of ``|slope| |z| + |intercept|``, through each unit's piece; None for ReLUs, which round nothing.
    underflow : float64 array, shape (m,)
        For slopes of any size.
    """

    affine: Array
    pieces: Array | None
    underflow: Array


def _checked(
    batch: BatchNetwork, x: NDArray[np.float64], outputs: NDArray[np.int64], digits: list[Array]
) -> tuple[LocalMaps, MapAgreement]:
    from polyrelu.kernels.bounds import SLACK, gamma
    from polyrelu.kernels.evaluation import evaluate

    found = evaluate(batch, x)
    columns = outputs.reshape(len(outputs), -1)
    bounds = np.zeros(columns.shape)
    with np.errstate(all="ignore"):
        sizes = _forward(batch, x, digits)

        def visit(k: int) -> Visit:
            def add(index: int, above: Array, below: Array) -> None:
                size = sizes[index]
                bound = (abs(below) * size.affine).sum(0) + size.underflow
                if size.pieces is not None:
                    bound = bound + (abs(above) * size.pieces).sum(0)
                bounds[:, k] += batch.arrays.to_host(bound)

            return add

        maps = LocalMaps(outputs, filled_rows(batch, digits, outputs, visit))
        values = maps.values(x)
        rounding = np.einsum("n...d,nd->n...", abs(maps.weights), abs(x)) + abs(maps.offsets)
        bounds = bounds.reshape(outputs.shape) * SLACK + gamma(x.shape[1] + 4) * rounding * SLACK
    forward, errors = (
        np.take_along_axis(batch.arrays.to_host(each).T, columns, 1).reshape(outputs.shape)
        for each in (found.outputs, found.errors)
    )
    return maps, MapAgreement(values, forward, bounds, errors)


def _forward(batch: BatchNetwork, x: NDArray[np.float64], digits: list[Array]) -> dict[int, _Sizes]:
    """Return the sizes of each layer at points whose digits are known; layer -1 is the map of a slice."""
    values = batch.arrays.of(np.ascontiguousarray(x.T))
    errors, result = batch.arrays.zeros(*values.shape), {}
    n_sums = 2 * len(batch.layers) + 2
    if batch.input_map is not None:
        matrix, constants = batch.input_map
        rows, columns = matrix.shape
        result[-1], errors = _affine(abs(matrix), abs(constants), values, errors, (columns, rows, rows + n_sums))
        values = matrix @ values + constants[:, None]
    for index, layer in enumerate(batch.layers):
        terms = (*_terms(layer), len(layer.bias) + n_sums)
        sizes, z_errors = _affine(layer.magnitude, abs(layer.bias), values, errors, terms)
        if index < len(digits):
            z = layer.preactivations(values)
            values = layer.outputs(z, digits[index])
            pieces, errors = _units(layer, abs(z) + z_errors, z_errors, digits[index], n_sums)
            sizes = _Sizes(sizes.affine, pieces, sizes.underflow)
        result[index] = sizes
    return result


def _terms(layer: BatchLayer) -> tuple[int, int]:
    """Return how many products a sum has at most, forward and backward."""
    weight = layer.layer.weight
    if not layer.layer.is_sparse:
        return weight.shape[1], weight.shape[0]
    columns = np.bincount(weight.indices, minlength=1)
    return int(np.diff(weight.indptr).max(initial=0)), int(columns.max(initial=0))


def _affine(
    magnitude: Array, bias: Array, values: Array, errors: Array, terms: tuple[int, int, int]
) -> tuple[_Sizes, Array]:
    """Return the sizes of an affine map, and bounds of the errors of its results.

    Parameters
    ----------
    terms : (forward, backward, offset)
        How many products the sums have: of preactivations, of slopes, and of the offset together with all its parts.
    """
    from polyrelu.kernels.bounds import SLACK, gamma
    from polyrelu.kernels.evaluation import SMALLEST

    forward, backward, offset = (gamma(n + 16) * SLACK for n in terms)
    reach = abs(values) + errors
    products, constants = (magnitude @ reach) * SLACK, bias[:, None]
    underflow = SMALLEST * (1.0 + reach.sum(0) + products.sum(0) + constants.sum())
    passed_on = (magnitude @ errors + forward * (products + constants)) * SLACK + SMALLEST * (1.0 + reach.sum(0))
    return _Sizes(backward * products + offset * constants, None, underflow), passed_on


def _units(layer: BatchLayer, reach: Array, errors: Array, digits: Array, n_sums: int) -> tuple[Array | None, Array]:
    """Return the sizes of units' pieces, and bounds of the errors of their outputs."""
    from polyrelu.kernels.bounds import SLACK, gamma
    from polyrelu.kernels.evaluation import SMALLEST

    if layer.activation.is_relu or layer.activation.is_identity:
        return None, layer.outputs(errors, digits)
    pieces, tiny, passed_on = (layer.arrays.zeros(*digits.shape) for _ in range(3))
    for table in layer.functions:
        own = digits[table.units]
        slopes, intercepts = abs(table.slopes[own]), abs(table.intercepts[own])
        pieces[table.units] = slopes * reach[table.places] + intercepts
        # Slopes and intercepts below the range of floats are rounded to 0.
        tiny[table.units] = SMALLEST * (1.0 + reach[table.places])
        passed_on[table.units] = slopes * errors[table.places]
    own_errors = (passed_on + gamma(16) * pieces) * SLACK + tiny
    winners = layer.outputs(errors, digits)
    for units, _ in layer.pools:
        own_errors[units] = winners[units]
    # A slope is one product; the constants of all units are one sum, and part of the offset.
    return gamma(len(pieces) + n_sums + 16) * SLACK * pieces + tiny, own_errors
