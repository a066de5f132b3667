"""TropEx in rationals: the terms of a network at data points, without rounding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint

from polyrelu.analysis.data.patterns import exact_label
from polyrelu.analysis.tropex.exact_family import ExactFamily, find_exact_family
from polyrelu.analysis.tropex.integer_affine import Row, Rows
from polyrelu.errors import InputError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import to_fractions
from polyrelu.network.model import Network, check_network

__all__ = ["ExactExtractedFunction", "Outputs", "are_exact_points", "exact_points", "extract_exactly"]

Outputs = tuple[Fraction | None, ...]
Point = tuple[Fraction, ...]


@dataclass(frozen=True, eq=False)
class ExactExtractedFunction:
    """The function N^(X) that TropEx extracts from a network N at data points X, in rationals.

    The floats of an `ExtractedFunction` are within its ``rounding`` of these.

    Attributes
    ----------
    n_out : int
    labels : tuple of int, length n
        Which output each point's term ``plus`` belongs to.
    plus, minus : RationalMatrix, shape (n, dim + 1)
        Terms, constants in the last column.
    """

    n_out: int
    labels: tuple[int, ...]
    plus: RationalMatrix
    minus: RationalMatrix

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def dim(self) -> int:
        """Number of inputs."""
        return self.plus.shape[1] - 1

    @property
    def present(self) -> list[int]:
        """The outputs that are the label of some point."""
        return sorted(set(self.labels))

    def value(self, point: Sequence[object], own_denominator: bool = False) -> Outputs:
        """Return the function at a point, None for an output without data.

        Parameters
        ----------
        point : sequence of dim numbers
            Taken exactly.
        own_denominator : bool
            As in `ExtractedFunction.values`.

        Examples
        --------
        >>> from polyrelu.testing import xor
        >>> [str(v) for v in extract_exactly(xor(), [[0, "1/3"]]).value(["1/7", "1/7"])]
        ['2/7']
        """
        x = RationalMatrix.from_rows([[v] for v in (*self._checked(point), 1)])
        plus, minus = ([row[0] for row in (side @ x).to_fractions()] for side in (self.plus, self.minus))
        result: list[Fraction | None] = [None] * self.n_out
        for label in self.present:
            own = [k for k, other in enumerate(self.labels) if other == label]
            below = [minus[k] for k in own] if own_denominator else minus
            result[label] = max(plus[k] for k in own) - max(below)
        return tuple(result)

    def label_of(self, point: Sequence[object], own_denominator: bool = False) -> int:
        """Return the label of a point (`exact_label`)."""
        return exact_label(self.value(point, own_denominator))

    def _checked(self, point: Sequence[object]) -> tuple[Fraction, ...]:
        values = to_fractions(point, "value")
        if len(values) != self.dim:
            raise InputError(f"value needs a point of {self.dim} coordinates but received {len(values)}. Match them.")
        return values


def extract_exactly(network: Network, points: Iterable[object]) -> ExactExtractedFunction:
    """Return the function that TropEx extracts from a network at data points, in rationals.

    Parameters
    ----------
    network : Network
    points : n points of dim numbers each
        Anything `to_fraction` takes, exactly; arrays of any shape are flattened in C order.

    Raises
    ------
    InputError
        If there are no points, or they do not fit.

    Examples
    --------
    >>> from polyrelu import Network
    >>> network = Network.from_arrays([([[1], [-1]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])])
    >>> found = extract_exactly(network, [[3], [-1]])
    >>> [[int(v) for v in row] for row in found.plus.to_fractions()], [int(v) for v in found.value([3])]
    ([[2, 0], [0, 2]], [3, -1])
    """
    exact = exact_points(network, points, "extract_exactly")
    labels = tuple(exact_label(network.exact(x)) if network.n_out > 1 else 0 for x in exact)
    family = find_exact_family(network, sorted(set(labels)))
    rows = [_terms_at(family, x, label) for x, label in zip(exact, labels, strict=True)]
    plus, minus = (_matrix([pair[side] for pair in rows], family.denominator) for side in (0, 1))
    return ExactExtractedFunction(network.n_out, labels, plus, minus)


def exact_points(network: Network, points: Iterable[object], who: str) -> tuple[Point, ...]:
    """Return data points as rationals, each flattened.

    Raises
    ------
    InputError
        If there are none, or they do not fit the network.
    """
    check_network(network, who)
    if not isinstance(points, Iterable):
        raise InputError(f"{who} needs a sequence of points but received {points!r:.60}. Put it into a list.")
    result: list[Point] = []
    for point in points:
        flat: Any = point.ravel().tolist() if hasattr(point, "ravel") else point  # NumPy's arrays, PyTorch's tensors
        if not isinstance(flat, Sequence) or isinstance(flat, str) or len(flat) != network.dim:
            raise InputError(
                f"{who} needs points of {network.dim} numbers but received {flat!r:.60} as point {len(result)}. "
                "Match the network's inputs."
            )
        result.append(to_fractions(flat, who))
    if not result:
        raise InputError(f"{who} needs at least one point but received none. Pass some data.")
    return tuple(result)


def are_exact_points(points: Sequence[Sequence[object]], dim: int) -> bool:
    """Return whether there are points, all of ``dim`` Fractions."""
    return bool(points) and all(len(x) == dim and all(isinstance(v, Fraction) for v in x) for x in points)


def _terms_at(family: ExactFamily, point: Point, label: int) -> tuple[Row, Row]:
    """Return the term of an output and the common term at a point, integers over the family's denominator."""
    minus, plus = family.terms(family.network.exact.unit_digits_at(point), [label])
    return plus, minus


def _matrix(rows: Rows, denominator: int) -> RationalMatrix:
    return RationalMatrix(flint.fmpz_mat(rows), denominator)
