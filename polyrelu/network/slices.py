"""Affine slices: low-dimensional windows into a high-dimensional input space, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from polyrelu.errors import InputError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import to_fractions

if TYPE_CHECKING:
    from polyrelu.network.model import Network

__all__ = ["Slice", "compose"]


@dataclass(frozen=True)
class Slice:
    """The affine map ``t -> matrix[:, :-1] t + matrix[:, -1]`` from R^k into the input space R^d.

    Attributes
    ----------
    matrix : RationalMatrix, shape (d, k + 1)
        Directions in the first k columns, the origin of the slice in the last.

    Examples
    --------
    >>> plane = Slice.through([0, 0, 0], [1, 0, 0], [0, 0, 2])
    >>> plane.point([Fraction(1, 2), Fraction(1, 2)])
    (Fraction(1, 2), Fraction(0, 1), Fraction(1, 1))
    >>> Slice.through([0, 0], [1, 1], [2, 2])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: Slice needs independent directions but received 2 of rank 1. \
Choose points that do not lie on one line.
    """

    matrix: RationalMatrix

    def __post_init__(self) -> None:
        rows, columns = self.matrix.shape
        if rows < 1:
            raise InputError("Slice needs points with at least one coordinate but received none. Pass the points.")
        directions = type(self.matrix.numerators)(
            [[int(v) for v in row[:-1]] for row in self.matrix.numerators.tolist()]
        )
        rank = directions.rank() if columns > 1 else 0
        if rank != columns - 1:
            raise InputError(
                f"Slice needs independent directions but received {columns - 1} of rank {rank}. "
                "Choose points that do not lie on one line."
            )

    @staticmethod
    def through(*points: Sequence[object]) -> Slice:
        """Return the slice through points; coordinates are relative to the first point.

        Coordinate ``(0, …, 0)`` is the first point, the i-th unit vector the i-th further point: three
        points span a plane in which they are (0, 0), (1, 0) and (0, 1).
        """
        if len(points) < 2:
            raise InputError(f"Slice.through needs at least 2 points but received {len(points)}. Add points.")
        exact = [to_fractions(_flat(point), "Slice.through") for point in points]
        _same_length(exact)
        origin = exact[0]
        directions = [[b - a for a, b in zip(origin, point, strict=True)] for point in exact[1:]]
        return _from_columns(directions, origin)

    @staticmethod
    def along(point: Sequence[object], *directions: Sequence[object]) -> Slice:
        """Return the slice from a point along directions; coordinates are multiples of the directions."""
        exact = [to_fractions(_flat(vector), "Slice.along") for vector in (point, *directions)]
        _same_length(exact)
        return _from_columns(exact[1:], exact[0])

    @property
    def dim(self) -> int:
        """Number of coordinates on the slice."""
        return self.matrix.shape[1] - 1

    @property
    def ambient_dim(self) -> int:
        """Dimension of the space the slice lies in."""
        return self.matrix.shape[0]

    def point(self, coordinates: Sequence[object]) -> tuple[Fraction, ...]:
        """Return the point of the ambient space with these coordinates on the slice."""
        values = (*to_fractions(coordinates, "Slice.point"), Fraction(1))
        if len(values) != self.matrix.shape[1]:
            raise InputError(f"Slice.point needs {self.dim} coordinates but received {len(values) - 1}. Match them.")
        return tuple(
            sum((a * v for a, v in zip(row, values, strict=True)), Fraction(0)) for row in self.matrix.to_fractions()
        )


def compose(network: Network, plane: Slice) -> RationalMatrix:
    """Return the input map of a network restricted to a slice of its inputs, shape (n_inputs, k + 1)."""
    if plane.ambient_dim != network.dim:
        raise InputError(
            f"Network.restrict needs a slice of R^{network.dim} but received one of R^{plane.ambient_dim}. "
            "Give points with one coordinate for each input."
        )
    if network.input_map is None:
        return plane.matrix
    last = [Fraction(0)] * plane.dim + [Fraction(1)]
    homogeneous = RationalMatrix.from_rows([*plane.matrix.to_fractions(), last])
    return network.input_map @ homogeneous


def _flat(point: Sequence[object]) -> Sequence[object]:
    return point.ravel().tolist() if hasattr(point, "ravel") else point


def _same_length(vectors: Sequence[Sequence[Fraction]]) -> None:
    lengths = {len(vector) for vector in vectors}
    if len(lengths) > 1:
        raise InputError(f"Slice needs vectors of one length but received lengths {sorted(lengths)}. Match them.")


def _from_columns(directions: Sequence[Sequence[Fraction]], origin: Sequence[Fraction]) -> Slice:
    columns = [*directions, origin]
    return Slice(RationalMatrix.from_rows(list(zip(*columns, strict=True))))
