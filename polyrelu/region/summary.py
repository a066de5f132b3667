"""What one region comes to, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint

from polyrelu.errors import BudgetError, InternalError, UnboundedError
from polyrelu.network.pattern import Pattern
from polyrelu.region.centre import InscribedBall, chebyshev_centre
from polyrelu.region.double_description import Generators, generators_of
from polyrelu.region.model import Region
from polyrelu.region.volume import polytope_volume

__all__ = ["RegionFacet", "RegionSummary", "row_of_facet", "summarise_region"]

MAX_VERTEX_DIM, MAX_VERTEX_FACETS = 6, 40
"""Up to here vertices and volume are worked out."""
MAX_MAP_DIM = 8
"""Up to so many inputs the text shows the affine map and the halfspaces of the facets."""
MAX_LINES = 40
"""So many facets and vertices the text shows at most."""
SIZES = {1: "length", 2: "area"}


@dataclass(frozen=True, slots=True)
class RegionFacet:
    """A facet of a region and what is behind it.

    Attributes
    ----------
    row : tuple of int, length dim + 1
        ``(a_1, …, a_dim, c)``: the region lies in ``a · x + c >= 0``, the facet on its border.
    neurons, domain_rows : tuple of int
        What vanishes on the facet.
    neighbour : Pattern or None
        None on the border of the domain.
    """

    row: tuple[int, ...]
    neurons: tuple[int, ...]
    domain_rows: tuple[int, ...]
    neighbour: Pattern | None


@dataclass(frozen=True)
class RegionSummary:
    """One region in every respect.

    Attributes
    ----------
    region : Region
    point : tuple of Fraction
        The region contains it.
    facets : tuple of RegionFacet
        All of them.
    is_bounded : bool
    ball : InscribedBall or None
    no_ball : str
        Why there is none.
    shape : Generators or None
        Vertices, rays and lines, where there are few.
    volume : Fraction or None
        None if the region is unbounded, or has no ``shape``.
    """

    region: Region
    point: tuple[Fraction, ...]
    facets: tuple[RegionFacet, ...]
    is_bounded: bool
    ball: InscribedBall | None
    no_ball: str
    shape: Generators | None
    volume: Fraction | None

    def to_json(self) -> dict[str, Any]:
        """Return everything as an object for JSON; rationals are text such as "1/3"."""
        region, ball, shape = self.region, self.ball, self.shape
        vertices = None if shape is None else [] if shape.lineality else [_texts(v) for v in shape.points]
        return {
            "network": region.network.hash,
            "domain": "all" if region.domain is None else region.domain.label,
            "point": _texts(self.point),
            "pattern": str(region.pattern),
            "zero_neurons": list(region.zero_neurons),
            "bounded": self.is_bounded,
            "centre": None if ball is None else _texts(ball.centre),
            "squared_radius": None if ball is None else _text(ball.squared_radius),
            "squared_radius_bound": None if ball is None else _text(ball.squared_bound),
            "volume": None if self.volume is None else _text(self.volume),
            "matrix": [_texts(row) for row in region.affine_map.matrix],
            "offset": _texts(region.affine_map.offset),
            "facets": [
                {
                    "row": _texts(facet.row),
                    "neurons": list(facet.neurons),
                    "domain_rows": list(facet.domain_rows),
                    "neighbour": None if facet.neighbour is None else str(facet.neighbour),
                }
                for facet in self.facets
            ],
            "vertices": vertices,
            "rays": None if shape is None else [_texts(ray) for ray in shape.rays],
            "lines": None if shape is None else [_texts(line) for line in shape.lineality],
        }

    def to_text(self) -> str:
        """Return a short text; numbers that are not exact say so."""
        region = self.region
        domain = "all" if region.domain is None else region.domain.label
        active = sum(digit > 0 for digit in region.pattern.digits)
        rows = [
            ("network", _network_text(region)),
            ("domain", domain if len(domain) <= 80 else f"{domain[:60]}... ({region.network.dim} inputs)"),
            ("point", _vector(self.point)),
            ("pattern", str(region.pattern)),
            ("active", f"{active} of {region.network.n_neurons} neurons have a digit above 0"),
            *([("zero", f"{_neurons(region.zero_neurons)} on the whole region")] if region.zero_neurons else []),
            ("bounded", "yes" if self.is_bounded else "no"),
            ("centre", self._centre_text()),
            *([(SIZES.get(region.network.dim, "volume"), _rational(self.volume))] if self.volume is not None else []),
            *(("map", line) for line in _map_lines(region)),
            ("facets", f"{len(self.facets)}"),
            *((f"  {i}", _facet_text(region, facet)) for i, facet in self._some(self.facets)),
        ]
        if self.shape is not None:
            points, ends = ((), self.shape.rays) if self.shape.lineality else (self.shape.points, self.shape.rays)
            rows.append(("vertices", f"{len(points)}" + (f", and {len(ends)} rays" if ends else "")))
            rows += [(f"  {i}", _vector(v)) for i, v in self._some(points)]
            rows += [("  ray", _vector(ray)) for _, ray in self._some(self.shape.rays)]
            rows += [("  line", _vector(line)) for line in self.shape.lineality]
        width = max(len(name) for name, _ in rows) + 2
        return "\n".join(f"{name:{width}}{value}" for name, value in rows)

    def _centre_text(self) -> str:
        if not self.region.network.dim:
            return "the region is a point"
        if self.ball is None:
            return self.no_ball
        return f"{_vector(self.ball.centre)}, in a ball of radius {self.ball.radius_float:.6g} (about)"

    @staticmethod
    def _some(values: Sequence[Any]) -> list[tuple[int, Any]]:
        return list(enumerate(values))[:MAX_LINES]


def summarise_region(region: Region, point: Sequence[Fraction], facets: Sequence[RegionFacet]) -> RegionSummary:
    """Return what one region comes to.

    Parameters
    ----------
    region : Region
    point : tuple of Fraction
        In the region.
    facets : sequence of RegionFacet
        All facets, by whoever has found them fastest.

    Examples
    --------
    >>> from polyrelu.region.model import neighbour_across, region_at
    >>> from polyrelu.testing import xor
    >>> region = region_at(xor(), ["1/4", "1/4"])
    >>> facets = [RegionFacet(f.row, f.neurons, f.domain_rows, neighbour_across(region, f)) for f in region.facets]
    >>> found = summarise_region(region, region.witness, facets)
    >>> found.is_bounded, str(found.ball.squared_radius), found.shape.lineality, found.volume
    (False, '1/8', ((-1, 1),), None)
    """
    ball, no_ball = None, ""
    try:
        ball = chebyshev_centre(region)
    except UnboundedError:
        no_ball = "none: the region holds arbitrarily large balls"
    except BudgetError:
        no_ball = "not worked out: too many inputs outside a box"
    shape, volume = None, None
    if region.network.dim <= MAX_VERTEX_DIM and len(facets) <= MAX_VERTEX_FACETS:
        facet_rows = [facet.row for facet in facets]
        shape = generators_of(facet_rows, region.network.dim)
        if not shape.rays and not shape.lineality:
            lists = [[i for i, on in enumerate(shape.point_rows) if row in on] for row in range(len(facet_rows))]
            volume = polytope_volume(shape.points, lists)
    is_bounded = region.is_bounded if shape is None else volume is not None
    return RegionSummary(region, tuple(point), tuple(facets), is_bounded, ball, no_ball, shape, volume)


def row_of_facet(
    region: Region, neurons: Sequence[int], domain_rows: Sequence[int], neighbour: Pattern | None
) -> tuple[int, ...]:
    """Return the row of a facet that is given by what vanishes on it.

    Parameters
    ----------
    region : Region
    neurons, domain_rows : sequence of int
        All that vanish on the facet, but not on the region; at least one.
    neighbour : Pattern or None
        Behind the facet.
    """
    hrep = region.hrep
    if domain_rows:
        return region.rows[len(hrep.rows) + domain_rows[0]]
    for neuron in neurons:
        rows = {row for row, owner in zip(hrep.rows, hrep.neuron, strict=True) if owner == neuron and any(row[:-1])}
        if len(rows) > 1 and neighbour is not None:  # several breakpoints, or a max unit of several inputs
            behind = Region(region.network, neighbour, region.domain).rows
            rows = {row for row in rows if tuple(-value for value in row) in behind}
        if len(rows) == 1:
            return rows.pop()
    raise InternalError(f"row_of_facet needs neurons that vanish on a facet but received {neurons}. Please report it.")


# --- text ---------------------------------------------------------------------------------------------------


def _network_text(region: Region) -> str:
    network = region.network
    widths = [network.layers[0].n_inputs, *(layer.n_outputs for layer in network.layers)]
    sizes = "-".join(map(str, widths))
    if len(widths) > 12:
        sizes = f"{widths[0]}-...-{widths[-1]}, {len(widths) - 1} layers"
    on = f", on a slice of dimension {network.dim}" if network.dim != widths[0] else ""
    return f"{sizes}{on}, {network.n_neurons} neurons ({network.hash[:12]})"


def _facet_text(region: Region, facet: RegionFacet) -> str:
    """Return what a facet lies on and what is beyond."""
    pattern = facet.neighbour
    condition = f"{_form(_scaled(facet.row))} >= 0: " if region.network.dim <= MAX_MAP_DIM else ""
    if pattern is None:
        on = f", and {_neurons(facet.neurons)}" if facet.neurons else ""
        return f"{condition}border of the domain (row {', '.join(map(str, facet.domain_rows))}){on}"
    own = region.pattern.digits
    changed = [i for i, (a, b) in enumerate(zip(own, pattern.digits, strict=True)) if a != b]
    beyond = str(pattern) if len(own) <= 40 else f"the pattern that differs in {_neurons(changed)}"
    return f"{condition}{_neurons(facet.neurons)}; beyond it {beyond}"


def _scaled(row: Sequence[int]) -> Sequence[Fraction | int]:
    """Return a row of long integers divided by the largest coefficient."""
    largest = max(abs(value) for value in row[:-1])
    return row if max(map(abs, row)) < 10**10 else [Fraction(value, largest) for value in row]


def _neurons(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
    return f"neuron{'s' if len(numbers) != 1 else ''} {shown}"


def _map_lines(region: Region) -> list[str]:
    n_out, dim = region.network.n_out, region.network.dim
    if dim > MAX_MAP_DIM or n_out > MAX_LINES:
        return [f"affine, from {dim} inputs to {n_out} outputs (--json lists its entries)"]
    return [f"y{i} = {_form(row)}" for i, row in enumerate(region.affine_map.rows.to_fractions())]


def _form(row: Sequence[Fraction | int]) -> str:
    """Return an affine form as text, its coefficients exact where they are short."""
    terms = [(value, f" x{j}") for j, value in enumerate(row[:-1])] + [(row[-1], "")]
    text = ""
    for value, name in terms:
        if value:
            size = "" if name and value in (1, -1) else _rational(-value if value < 0 else value, mark=False)
            name = name if size else name.strip()
            sign = ("- " if value < 0 else "+ ") if text else ("-" if value < 0 else "")
            text += f" {sign}{size}{name}" if text else f"{sign}{size}{name}"
    return text or "0"


def _vector(values: Sequence[Fraction | int]) -> str:
    shown = [_rational(value, mark=False) for value in values[:MAX_MAP_DIM]]
    more = f", ... {len(values)} in all" if len(values) > MAX_MAP_DIM else ""
    return f"({', '.join(shown)}{more})"


def _rational(value: Fraction | int, mark: bool = True) -> str:
    """Return a rational in full if it is short, else about how large it is."""
    numerator, denominator = value.as_integer_ratio()
    if numerator.bit_length() + denominator.bit_length() < 64 and len(str(value)) <= 12:
        return str(value)
    return f"{_float_text(Fraction(value))}{' (about)' if mark else ''}"


def _float_text(value: Fraction) -> str:
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        bits = value.numerator.bit_length() - value.denominator.bit_length()
        return f"{'-' if value < 0 else ''}2^{bits}"


def _texts(values: Sequence[Fraction | int]) -> list[str]:
    return [_text(value) for value in values]


def _text(value: Fraction | int) -> str:
    """Return a rational in full: Python itself refuses to write more than 4300 digits."""
    numerator, denominator = value.as_integer_ratio()
    return str(flint.fmpz(numerator)) + (f"/{flint.fmpz(denominator)}" if denominator != 1 else "")
