"""All regions by trying every digit of every neuron: the slow reference for small networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.model import Network
from polyrelu.region.hrep import digit_rows
from polyrelu.region.hull import decide_domain
from polyrelu.region.lp import Witness, find_point
from polyrelu.region.model import Region

__all__ = ["enumerate_brute"]

Row = tuple[int, ...]


def enumerate_brute(network: Network, domain: Domain | None = None, max_neurons: int = 16) -> list[Region]:
    """Return all regions of a network in a domain, sorted by pattern.

    Depth-first over the neurons in layer order; every digit is tried with one exact LP, and a prefix that no
    ball of inputs has is not followed further. All activations, max units, any dimension.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        Bounded or not; default all inputs. A flat domain is enumerated in its affine hull: the regions then
        belong to the network restricted to it (`polyrelu.region.hull.decide_domain`).
    max_neurons : int
        Refuse networks with more neurons.

    Raises
    ------
    DomainError
        If the domain is empty or of another dimension than the network.
    InputError
        If the network has more than ``max_neurons`` neurons.

    Examples
    --------
    >>> fold = Network.from_arrays([([[1], [-1]], [0, 10]), ([[2, 1]], [-11]), ([[1]], [0])])
    >>> [str(region.pattern) for region in enumerate_brute(fold)]
    ['01|0', '01|1', '10|1', '11|0', '11|1']
    >>> [str(region.pattern) for region in enumerate_brute(fold, Domain.box([0], [9]))]
    ['11|0', '11|1']
    >>> enumerate_brute(fold, max_neurons=2)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: enumerate_brute needs a network of at most 2 neurons but received one of 3. \
Raise max_neurons or use a faster enumeration.
    """
    if network.n_neurons > max_neurons:
        raise InputError(
            f"enumerate_brute needs a network of at most {max_neurons} neurons but received one of "
            f"{network.n_neurons}. Raise max_neurons or use a faster enumeration."
        )
    if domain is None:
        return _regions_in(network, None)
    hull = decide_domain(domain.check_dim(network.dim))
    return _regions_in(network if hull.hull is None else network.restrict(hull.hull), hull.inner)


def _regions_in(network: Network, domain: Domain | None) -> list[Region]:
    root = _Prefix((), network.exact.input_rows(), domain.rows if domain is not None else ())
    digits = sorted(prefix.digits for prefix in _realised(network, root, 0))
    return [Region(network, network.pattern(each), domain) for each in digits]


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The digits of the first layers, realised in a ball of inputs.

    Attributes
    ----------
    digits : tuple of int
        Of the neurons.
    values : RationalMatrix
        What the next layer reads, as rows over the coordinates.
    rows : tuple of rows
        The domain's and all neurons' so far.
    """

    digits: tuple[int, ...]
    values: RationalMatrix
    rows: tuple[Row, ...]


def _realised(network: Network, prefix: _Prefix, index: int) -> Iterator[_Prefix]:
    """Yield every realised continuation of a prefix to all layers from one on."""
    if index == len(network.hidden):
        yield prefix
        return
    layer = network.exact.layers[index]
    preactivations = layer.preactivations(prefix.values)
    pieces = layer.activation.n_pieces.tolist()
    for units, rows in _layer_digits(network, preactivations, index, prefix.rows):
        own = tuple(digit for digit, n in zip(units, pieces, strict=True) if n > 1)
        values = layer.outputs(preactivations, units)
        yield from _realised(network, _Prefix(prefix.digits + own, values, rows), index + 1)


def _layer_digits(
    network: Network, preactivations: RationalMatrix, index: int, rows: tuple[Row, ...]
) -> Iterator[tuple[list[int], tuple[Row, ...]]]:
    """Yield the digits of a layer's units that are realised within rows, with the rows that result."""
    activation = network.hidden[index].activation
    numerators = [[int(value) for value in row] for row in preactivations.numerators.tolist()]
    pieces = activation.n_pieces.tolist()
    stack: list[tuple[list[int], tuple[Row, ...]]] = [([], rows)]
    while stack:
        units, before = stack.pop()
        if len(units) == len(pieces):
            yield units, before
            continue
        unit = len(units)
        for digit in range(pieces[unit]):
            conditions = digit_rows(activation, unit, digit, numerators, preactivations.denominator)
            new = tuple(condition.row for condition in conditions)
            # A form that is 0 everywhere decides by itself: > 0 is never true, >= 0 always.
            strict = [any(row[:-1]) for row in before] + [c.strict or any(c.row[:-1]) for c in conditions]
            if isinstance(find_point((*before, *new), strict, network.dim, central=False), Witness):
                stack.append(([*units, digit], (*before, *new)))
