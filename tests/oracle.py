"""A slow second opinion on networks with one or two inputs, written without the rest of polyrelu.

It reads the float weights of a `Network`, turns them into fractions and uses the standard library only. Layer by
layer and neuron by neuron it clips exact convex cells by the pieces of the activations.

Where a set has no bound it has corners at infinity (`oracle_cells`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations

from oracle_cells import (
    ZERO,
    Cell,
    FinitePoint,
    Point,
    Row,
    Side,
    clip,
    finite,
    infinite,
    infinite_box,
    is_finite,
    midpoint,
    value_at,
)

from polyrelu.network.activation import MAX_UNIT, PiecewiseLinear
from polyrelu.network.model import Layer, Network

SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Piece:
    """One piece of a unit: where it is active, what it gives, and where its neuron vanishes.

    Attributes
    ----------
    digit : int
    conditions : tuple of (Row, bool)
        Affine functions that are at least 0 on the piece; where the flag is set, not identically 0.
    output : Row
    walls : tuple of Row
        The functions whose zeros are the zeros of the neuron, on this piece: preactivation minus breakpoint, or
        winner minus other input of a max unit. None for a unit with one piece, which is no neuron.
    is_max : bool
    """

    digit: int
    conditions: tuple[tuple[Row, bool], ...]
    output: Row
    walls: tuple[Row, ...]
    is_max: bool

    @property
    def has_digit(self) -> bool:
        return bool(self.walls)

    def vanishes_at(self, point: Point) -> bool:
        """Return whether the preactivation is at a breakpoint, or two inputs of a max unit tie."""
        return any(value_at(row, point) == ZERO for row in self.walls)

    @property
    def vanishes_everywhere(self) -> bool:
        return any(not any(row) for row in self.walls)

    def digit_at(self, point: Point) -> int:
        """Return the digit at a point of the closed piece; on its border that can be a lower one."""
        if self.is_max:
            others = [j for j in range(len(self.walls) + 1) if j != self.digit]
            ties = [j for j, row in zip(others, self.walls, strict=True) if value_at(row, point) == ZERO]
            return min([self.digit, *ties])
        return sum(value_at(row, point) > ZERO for row in self.walls)


@dataclass(frozen=True)
class OracleRegion:
    """A region: its cell, the active piece of each neuron, the output map as rows over (x, 1)."""

    cell: Cell
    pieces: tuple[Piece, ...]
    affine: tuple[Row, ...]

    @property
    def digits(self) -> tuple[int, ...]:
        return tuple(piece.digit for piece in self.pieces)

    @property
    def is_strict(self) -> bool:
        """True if no neuron vanishes on the whole region."""
        return not any(piece.vanishes_everywhere for piece in self.pieces)

    def zeros_at(self, point: Point) -> frozenset[int]:
        return frozenset(i for i, piece in enumerate(self.pieces) if piece.vanishes_at(point))


@dataclass(frozen=True)
class Facet:
    """A common facet of two regions, or a facet of one region on the border of the domain.

    Attributes
    ----------
    regions : tuple of one or two int
    ends : frozenset of FinitePoint
        Its finite end points: two, one for a ray, none for a line; in one dimension the point itself.
    zeros : frozenset of int
        The neurons that vanish on it.
    """

    regions: tuple[int, ...]
    ends: frozenset[FinitePoint]
    zeros: frozenset[int]


@dataclass(frozen=True)
class Complex:
    """All regions of a network in a domain and how they meet."""

    dim: int
    domain_rows: tuple[Row, ...]
    regions: tuple[OracleRegion, ...]

    @cached_property
    def patterns(self) -> list[str]:
        """The digits of each region, without bars."""
        return [text(region.digits) for region in self.regions]

    @cached_property
    def sides(self) -> dict[frozenset[Point], list[tuple[int, Side]]]:
        """The facets by their (possibly infinite) ends, each with the regions it belongs to.

        A domain cut into regions is face to face, so that two regions with a common facet have the same ends of it.
        A facet of one region only that is no border would contradict that; it is refused.
        """
        found: dict[frozenset[Point], list[tuple[int, Side]]] = {}
        for index, region in enumerate(self.regions):
            for i, side in enumerate(region.cell.sides):
                if not side.is_infinite:
                    found.setdefault(frozenset(region.cell.ends(i)), []).append((index, side))
        for ends, users in found.items():
            if len(users) != (1 if any(side.is_border for _, side in users) else 2):
                raise AssertionError(f"The facet {ends} belongs to {len(users)} regions.")
        return found

    @cached_property
    def facets(self) -> list[Facet]:
        """All facets inside the closed domain."""
        result = []
        for ends, users in self.sides.items():
            regions = tuple(index for index, _ in users)
            zeros = self.agreed(self.regions[index].zeros_at(midpoint(ends)) for index in regions)
            result.append(Facet(regions, frozenset(finite(p) for p in ends if is_finite(p)), zeros))
        return result

    @cached_property
    def vertices(self) -> dict[FinitePoint, frozenset[int]]:
        """The vertices in the closed domain, its own corners included, with the neurons that vanish there."""
        seen: dict[Point, list[frozenset[int]]] = {}
        for region in self.regions:
            for corner in region.cell.corners:
                if is_finite(corner):
                    seen.setdefault(corner, []).append(region.zeros_at(corner))
        return {finite(corner): self.agreed(zeros) for corner, zeros in seen.items()}

    @property
    def interior_vertices(self) -> dict[FinitePoint, frozenset[int]]:
        """The vertices strictly inside the domain."""
        rows = [row for row in self.domain_rows if any(row[:-2])]
        return {p: z for p, z in self.vertices.items() if all(value_at(row, infinite(p)) > ZERO for row in rows)}

    @property
    def adjacent(self) -> set[tuple[int, int]]:
        """The pairs (i, j), i < j, of regions with a common facet."""
        return {tuple(sorted(facet.regions)) for facet in self.facets if len(facet.regions) == 2}

    @property
    def linear_regions(self) -> int:
        """Number of classes of regions under: adjacent, and the same affine map."""
        parent = list(range(len(self.regions)))

        def root(i: int) -> int:
            while parent[i] != i:
                i = parent[i]
            return i

        for i, j in self.adjacent:
            if self.regions[i].affine == self.regions[j].affine:
                parent[root(i)] = root(j)
        return sum(parent[i] == i for i in range(len(parent)))

    @property
    def distinct_affine_maps(self) -> int:
        return len({region.affine for region in self.regions})

    @property
    def hamming1(self) -> set[tuple[int, int]]:
        """The pairs (i, j), i < j, of regions whose patterns differ in exactly one neuron."""
        without: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for index, region in enumerate(self.regions):
            for i in range(len(region.digits)):
                rest = region.digits[:i] + region.digits[i + 1 :]
                without.setdefault((i, rest), []).append(index)
        return {pair for group in without.values() for pair in combinations(group, 2)}

    @property
    def all_patterns(self) -> set[str]:
        """The patterns of all points of the closed domain, those of lower-dimensional classes included."""
        found = set(self.patterns)
        for ends, users in self.sides.items():
            found.add(text(self.digits_at(users[0][0], midpoint(ends))))
        for index, region in enumerate(self.regions):
            found |= {text(self.digits_at(index, p)) for p in region.cell.corners if is_finite(p)}
        return found

    def digits_at(self, index: int, point: Point) -> tuple[int, ...]:
        return tuple(piece.digit_at(point) for piece in self.regions[index].pieces)

    @staticmethod
    def agreed(answers: Iterable[frozenset[int]]) -> frozenset[int]:
        """Return what all regions around a face say of it; refuse if they differ."""
        distinct = set(answers)
        if len(distinct) != 1:
            raise AssertionError(f"Regions around one face disagree: {distinct}")
        return distinct.pop()


def find_regions(network: Network, domain_rows: Iterable[Sequence[int]] = ()) -> Complex:
    """Return all regions of a network with one or two inputs.

    Parameters
    ----------
    network : Network
    domain_rows : iterable of (a_1, …, a_dim, c)
        The domain ``a · x + c >= 0``; none for all of R^dim. A domain without interior has no regions.
    """
    dim = network.dim
    rows = tuple(tuple(Fraction(v) for v in (*row, 0)) for row in domain_rows)
    start: Cell | None = infinite_box(dim)
    for row in rows:
        start = start and clip(start, row, strict=False, is_border=True)
    regions: list[OracleRegion] = []
    stack = [(0, start, input_rows(network), ())] if start else []
    while stack:
        depth, cell, inputs, pieces = stack.pop()
        preactivations = affine_image(network.layers[depth], inputs, dim)
        if depth == len(network.hidden):
            regions.append(OracleRegion(cell, pieces, tuple(row[:-1] for row in preactivations)))
            continue
        parts: list[tuple[Cell, tuple[Piece, ...]]] = [(cell, ())]
        for unit in units(network.layers[depth], preactivations):
            parts = [(c, (*before, piece)) for part, before in parts for piece in unit for c in restricted(part, piece)]
        for part, active in parts:
            neurons = tuple(piece for piece in active if piece.has_digit)
            stack.append((depth + 1, part, [piece.output for piece in active], pieces + neurons))
    return Complex(dim, rows, tuple(regions))


def input_rows(network: Network) -> list[Row]:
    """Return what the first layer reads, as affine functions of the coordinates."""
    no = Fraction(0)
    if network.input_map is not None:
        return [(*row, no) for row in network.input_map.to_fractions()]
    return [(*(Fraction(int(i == j)) for j in range(network.dim)), no, no) for i in range(network.dim)]


def affine_image(layer: Layer, inputs: list[Row], dim: int) -> list[Row]:
    """Return the preactivations of a layer as affine functions."""
    weight = layer.weight.toarray() if layer.is_sparse else layer.weight
    result = []
    for weights, bias in zip(weight.tolist(), layer.bias.tolist(), strict=True):
        total = [Fraction(0)] * (dim + 2)
        for w, row in zip(weights, inputs, strict=True):
            if w:
                total = [t + Fraction(w) * v for t, v in zip(total, row, strict=True)]
        total[-2] += Fraction(bias)
        result.append(tuple(total))
    return result


def units(layer: Layer, preactivations: list[Row]) -> Iterator[list[Piece]]:
    """Yield the pieces of each unit of a layer."""
    activation = layer.activation
    starts = activation.indptr.tolist()
    for unit, kind in enumerate(activation.kind.tolist()):
        group = preactivations[starts[unit] : starts[unit + 1]]
        if kind == MAX_UNIT:
            yield [max_piece(group, winner) for winner in range(len(group))]
            continue
        function = activation.functions[kind]
        yield [scalar_piece(function, group[0], digit) for digit in range(len(function.slopes))]


def scalar_piece(function: PiecewiseLinear, z: Row, digit: int) -> Piece:
    """Return the piece of a scalar unit above ``digit`` breakpoints and not above the next."""
    walls = tuple(shifted(z, 1, -point) for point in function.breakpoints)
    above = tuple((row, True) for row in walls[:digit][-1:])
    below = tuple((negated(row), False) for row in walls[digit:][:1])
    return Piece(digit, above + below, shifted(z, function.slopes[digit], function.intercepts[digit]), walls, False)


def max_piece(group: list[Row], winner: int) -> Piece:
    """Return the piece of a max unit on which one input wins: earlier ones are less, later ones not greater."""
    leads = [(j, tuple(a - b for a, b in zip(group[winner], row, strict=True))) for j, row in enumerate(group)]
    leads = [(j, row) for j, row in leads if j != winner]
    conditions = tuple((row, j < winner) for j, row in leads)
    return Piece(winner, conditions, group[winner], tuple(row for _, row in leads), True)


def shifted(row: Row, slope: Fraction | int, intercept: Fraction) -> Row:
    scaled = [slope * v for v in row]
    scaled[-2] += intercept
    return tuple(scaled)


def negated(row: Row) -> Row:
    return tuple(-v for v in row)


def restricted(cell: Cell, piece: Piece) -> list[Cell]:
    """Return the part of a cell on which a piece is active, as a list of no or one cell."""
    part: Cell | None = cell
    for row, strict in piece.conditions:
        part = part and clip(part, row, strict, is_border=False)
    return [part] if part else []


def text(digits: Sequence[int]) -> str:
    return "".join(SYMBOLS[digit] for digit in digits)
