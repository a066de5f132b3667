"""`Domain`: the polyhedron that is cut into regions, as exact halfspaces.

A domain is a box, a convex polygon, any H-polyhedron, or all of R^d. Rows are stored as
``a · x + c >= 0`` with coprime integers, the form in which neurons give theirs.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from polyrelu.errors import DomainError, FileError
from polyrelu.exact.rational import primitive_row, to_fraction, to_fractions

__all__ = ["Domain"]

MOST_L1_INPUTS = 16


@dataclass(frozen=True)
class Domain:
    """A polyhedron ``{x : a · x + c >= 0 for every row (a, c)}`` with integer rows.

    Attributes
    ----------
    dim : int
    rows : tuple of tuple of int
        Each row is ``(a_1, …, a_dim, c)``, coprime; no rows means all of R^dim.
    label : str
        How a person would call it; for messages and files.

    Notes
    -----
    Construction checks shapes only. Whether a domain is empty or flat is decided, exactly, by the
    function that uses it.

    Examples
    --------
    >>> Domain.box(["-0.1", 0], ["1/3", 1]).rows
    ((10, 0, 1), (-3, 0, 1), (0, 1, 0), (0, -1, 1))
    >>> Domain.polygon([(0, 0), (1, 0), (0, 1)]).contains([Fraction(1, 2), Fraction(1, 2)])
    True
    >>> Domain.box([0], [-1])
    Traceback (most recent call last):
    ...
    polyrelu.errors.DomainError: Domain.box needs lower <= upper but received 0 > -1 in input 0. Swap the bounds.
    """

    dim: int
    rows: tuple[tuple[int, ...], ...] = ()
    label: str = "polyhedron"

    def __post_init__(self) -> None:
        if self.dim < 0:
            raise DomainError(
                f"Domain needs a dimension of at least 0 but received {self.dim}. Pass the input dimension."
            )
        for row in self.rows:
            if len(row) != self.dim + 1:
                raise DomainError(
                    f"Domain needs rows of {self.dim + 1} numbers (normal, constant) but received {len(row)}. "
                    "Match the dimension."
                )

    @staticmethod
    def all(dim: int) -> Domain:
        """Return all of R^dim."""
        return Domain(dim, (), "all")

    @staticmethod
    def box(lower: Sequence[object], upper: Sequence[object]) -> Domain:
        """Return the box ``lower <= x <= upper``; text bounds are taken as exact decimals or fractions."""
        low, high = to_fractions(lower, "Domain.box"), to_fractions(upper, "Domain.box")
        if len(low) != len(high) or not low:
            raise DomainError(
                f"Domain.box needs as many lower as upper bounds but received {len(low)} and {len(high)}. Match them."
            )
        rows = []
        for i, (a, b) in enumerate(zip(low, high, strict=True)):
            if a > b:
                raise DomainError(
                    f"Domain.box needs lower <= upper but received {a} > {b} in input {i}. Swap the bounds."
                )
            unit = [Fraction(int(i == j)) for j in range(len(low))]
            rows += [primitive_row([*unit, -a]), primitive_row([*(-u for u in unit), b])]
        label = ",".join(f"{a}:{b}" for a, b in zip(low, high, strict=True))
        return Domain(len(low), tuple(rows), label)

    @staticmethod
    def unit(dim: int) -> Domain:
        """Return [0, 1]^dim."""
        return Domain.box([0] * dim, [1] * dim)

    @staticmethod
    def polygon(vertices: Sequence[Sequence[object]]) -> Domain:
        """Return the convex polygon with these vertices, in order around it (either way).

        Raises
        ------
        DomainError
            If there are fewer than three vertices or the polygon is not strictly convex.
        """
        points = [to_fractions(vertex, "Domain.polygon") for vertex in vertices]
        if len(points) < 3 or any(len(point) != 2 for point in points):
            raise DomainError(
                f"Domain.polygon needs at least 3 points of the plane but received {len(points)} "
                f"of {len(points[0]) if points else 0} coordinates. Use a box or halfspaces for other domains."
            )
        turns = [_cross(points[i - 2], points[i - 1], points[i]) for i in range(len(points))]
        if min(turns) < 0 < max(turns) or 0 in turns or _winding(points) != 1:
            raise DomainError(
                "Domain.polygon needs the corners of a convex polygon in order but received points that turn both "
                "ways, repeat or lie on one line. List each corner once, in order."
            )
        if turns[0] < 0:
            points.reverse()
        rows = []
        for p, q in zip(points, points[1:] + points[:1], strict=True):
            a, b = p[1] - q[1], q[0] - p[0]
            rows.append(primitive_row([a, b, -(a * p[0] + b * p[1])]))
        return Domain(2, tuple(rows), f"polygon of {len(points)} vertices")

    @staticmethod
    def from_halfspaces(normals: Sequence[Sequence[object]], offsets: Sequence[object]) -> Domain:
        """Return ``{x : normal · x <= offset}`` for all pairs; at least one pair."""
        exact = [to_fractions(normal, "Domain.from_halfspaces") for normal in normals]
        bounds = to_fractions(offsets, "Domain.from_halfspaces")
        if not exact or len(exact) != len(bounds):
            raise DomainError(
                f"Domain.from_halfspaces needs as many normals as offsets but received {len(exact)} and "
                f"{len(bounds)}. Use Domain.all for no halfspace."
            )
        rows = [primitive_row([*(-a for a in normal), bound]) for normal, bound in zip(exact, bounds, strict=True)]
        return Domain(len(exact[0]), tuple(rows), f"{len(rows)} halfspaces")

    @staticmethod
    def ball(centre: Sequence[object], radius: object, norm: object = math.inf) -> Domain:
        """Return the points at most ``radius`` away from a centre in the L1 or the L∞ norm.

        Parameters
        ----------
        centre : sequence of numbers or text, length dim
            Taken exactly.
        radius : number or text
            Not negative.
        norm : 1 or math.inf ("inf" will do)

        Notes
        -----
        The L1 ball has 2^dim facets, so at most 16 inputs are accepted; the L∞ ball is a box.

        Examples
        --------
        >>> Domain.ball([0, "1/2"], 1, norm=1).rows
        ((2, 2, 1), (2, -2, 3), (-2, 2, 1), (-2, -2, 3))
        >>> Domain.ball([1, 2], "1/2") == Domain.box(["1/2", "3/2"], ["3/2", "5/2"])
        True
        """
        middle, reach = to_fractions(centre, "Domain.ball"), to_fraction(radius, "Domain.ball")
        if norm not in (1, "1", math.inf, "inf") or reach < 0 or not middle:
            raise DomainError(
                f"Domain.ball needs a centre, a radius of at least 0 and the norm 1 or inf but received {len(middle)} "
                f"coordinates, the radius {reach} and the norm {norm!r}. Change them."
            )
        if norm in (math.inf, "inf"):
            return Domain.box([x - reach for x in middle], [x + reach for x in middle])
        if len(middle) > MOST_L1_INPUTS:
            raise DomainError(
                f"Domain.ball needs at most {MOST_L1_INPUTS} inputs for the norm 1, because the ball has 2^dim facets, "
                f"but received {len(middle)}. Use the norm inf, or a slice."
            )
        rows = []
        for signs in itertools.product((1, -1), repeat=len(middle)):
            constant = reach - sum((s * x for s, x in zip(signs, middle, strict=True)), Fraction(0))
            rows.append(primitive_row([*map(Fraction, signs), constant]))
        label = f"L1 ball of radius {reach} around ({', '.join(map(str, middle))})"
        return Domain(len(middle), tuple(rows), label)

    @staticmethod
    def parse(text: str, dim: int) -> Domain:
        """Return the domain that a text names, for a network with ``dim`` inputs.

        Parameters
        ----------
        text : str
            "all", "unit", "LO:HI" for every input, "LO:HI,LO:HI,…" one for each, or the path of a JSON file
            (`read`).
        """
        word = text.strip()
        if word == "all":
            return Domain.all(dim)
        if word == "unit":
            return Domain.unit(dim)
        if ":" in word and not Path(word).is_file():
            parts = [part.split(":") for part in word.split(",")]
            if any(len(part) != 2 for part in parts):
                raise DomainError(f"A domain needs LO:HI for each input but received {text!r}. Write -1:1 or 0:1,0:2.")
            if len(parts) == 1:
                parts = parts * dim
            domain = Domain.box([low for low, _ in parts], [high for _, high in parts])
        else:
            domain = Domain.read(word)
        return domain.check_dim(dim)

    @staticmethod
    def read(path: str | Path) -> Domain:
        """Return the domain in a JSON file: {"lower", "upper"}, {"vertices"}, {"normals", "offsets"} or a ball.

        A ball is {"centre", "radius", "norm"} with the norm 1 or "inf".

        Numbers may be JSON numbers (decimals are exact) or text such as "1/3".
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"), parse_float=Fraction)
        except OSError as error:
            raise FileError(
                f"Domain.read needs a readable file but received {str(path)!r} ({error.strerror}). Use all, unit, "
                "LO:HI, or the path of a JSON file."
            ) from None
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, ValueError) as error:
            raise FileError(f"Domain.read needs JSON but {str(path)!r} is not ({error}). Repair the file.") from None
        keys = set(data) if isinstance(data, dict) else set()
        try:
            if keys == {"lower", "upper"}:
                return Domain.box(data["lower"], data["upper"])
            if keys == {"vertices"}:
                return Domain.polygon(data["vertices"])
            if keys == {"normals", "offsets"}:
                return Domain.from_halfspaces(data["normals"], data["offsets"])
            if keys == {"centre", "radius", "norm"}:
                return Domain.ball(data["centre"], data["radius"], data["norm"])
        except TypeError as error:
            message = f"Domain.read needs lists of numbers in {str(path)!r} ({error}). Repair the file."
            raise FileError(message) from None
        raise FileError(
            f"Domain.read needs the keys lower and upper, or vertices, or normals and offsets, or centre, radius and "
            f"norm, but {str(path)!r} has "
            f"{sorted(keys)}. Rename them."
        )

    def check_dim(self, dim: int) -> Domain:
        """Return self; raise `DomainError` if the dimension is not ``dim``."""
        if self.dim != dim:
            raise DomainError(
                f"The network has {dim} inputs but the domain ({self.label}) has {self.dim}. Give a domain of R^{dim}."
            )
        return self

    def contains(self, point: Sequence[object]) -> bool:
        """Return whether a point lies in the (closed) domain."""
        values = (*to_fractions(point, "Domain.contains"), Fraction(1))
        return all(sum(a * v for a, v in zip(row, values, strict=True) if a) >= 0 for row in self.rows)

    def box_bounds(self) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]] | None:
        """Return (lower, upper) if the domain was made as a box, else None."""
        if len(self.rows) != 2 * self.dim:
            return None
        lower, upper = [], []
        for i in range(self.dim):
            low, high = self.rows[2 * i], self.rows[2 * i + 1]
            others = [v for j, v in enumerate(low[:-1] + high[:-1]) if j % self.dim != i]
            if any(others) or low[i] <= 0 or high[i] >= 0:
                return None
            lower.append(Fraction(-low[-1], low[i]))
            upper.append(Fraction(high[-1], -high[i]))
        return tuple(lower), tuple(upper)

    def to_text(self) -> str:
        """Return the domain as JSON text that `from_text` reads back."""
        return json.dumps({"dim": self.dim, "rows": [[str(v) for v in row] for row in self.rows], "label": self.label})

    @staticmethod
    def from_text(text: str) -> Domain:
        """Return the domain that `to_text` wrote."""
        try:
            data = json.loads(text)
            rows = tuple(tuple(int(v) for v in row) for row in data["rows"])
            return Domain(int(data["dim"]), rows, str(data["label"]))
        except (ValueError, KeyError, TypeError) as error:
            raise FileError(f"Domain.from_text needs what to_text wrote but could not read it ({error}).") from None


def _cross(p: Sequence[Fraction], q: Sequence[Fraction], r: Sequence[Fraction]) -> Fraction:
    return (q[0] - p[0]) * (r[1] - q[1]) - (q[1] - p[1]) * (r[0] - q[0])


def _winding(points: Sequence[Sequence[Fraction]]) -> int:
    """Return how often a closed polyline whose turns have one sign goes round: its sign changes in x, halved."""
    steps = [to_fraction(b[0] - a[0]) for a, b in zip(points, [*points[1:], points[0]], strict=True)]
    signs = [step > 0 for step in steps if step]
    return sum(a != b for a, b in zip(signs, signs[1:] + signs[:1], strict=True)) // 2
