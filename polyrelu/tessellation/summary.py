"""What a tessellation comes to: the numbers, the self-checks, and the lists of patterns, for people and programs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from polyrelu.enumeration.plane import Decisions
from polyrelu.errors import InternalError
from polyrelu.tessellation.faces import is_quick
from polyrelu.tessellation.model import Tessellation
from polyrelu.tessellation.targets import replacing

__all__ = ["Summary", "adjacency_lines", "pattern_lines", "summarise", "write_files"]

MAX_ANALYSED = 50_000
"""Regions up to which the costly numbers are worked out unasked."""

MAX_AREAS, MAX_DIM = 3_000, 4
"""Regions and dimensions up to which the exact areas are added up."""

MAX_SLOW = 200
"""Regions up to which this is done, and faces are counted, where there are no vertices: one region after the other."""

UNITS = {0: "points", 1: "lengths", 2: "areas"}


@dataclass(frozen=True)
class Summary:
    """The numbers of a tessellation; None where they were not worked out.

    Attributes
    ----------
    network : str
        Widths and number of neurons, with the start of the network's hash.
    domain : str
    dim : int
        Dimension of the regions.
    is_flat : bool
        True if the domain was tessellated in its affine hull, of dimension ``dim``.
    is_complete : bool
        False if a budget or an interrupt ended the enumeration; the numbers count what was proved until then.
    regions, bounded, adjacencies : int
    vertices : int or None
        Vertices strictly inside the domain: all of them where the domain is the whole space. None: not found.
    linear_regions, affine_maps : int or None
    hamming1_pairs, hamming1_not_adjacent, adjacent_not_hamming1 : int or None
        Pairs of regions whose patterns differ in one neuron; how many of them share no facet; how many pairs that
        share a facet differ in more neurons.
    decisions : Decisions or None
        None: all by rationals.
    seconds : dict of str to float
        Processor time of "enumerate", "assemble" and "analyse".
    checks : tuple of str
        The self-checks that were made and hold, one sentence each.
    notes : tuple of str
        The importer's.
    """

    network: str
    domain: str
    dim: int
    is_flat: bool
    is_complete: bool
    regions: int
    bounded: int
    adjacencies: int
    vertices: int | None
    linear_regions: int | None
    affine_maps: int | None
    hamming1_pairs: int | None
    hamming1_not_adjacent: int | None
    adjacent_not_hamming1: int | None
    decisions: Decisions | None
    seconds: dict[str, float]
    checks: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as an object for JSON.

        Two keys appear only where they say something: "affine_hull_dimension" if the domain was flat, and
        "complete" (false) if the enumeration was ended early.
        """
        names = (
            "regions", "bounded", "adjacencies", "linear_regions", "affine_maps", "vertices",
            "hamming1_pairs", "hamming1_not_adjacent", "adjacent_not_hamming1",
        )  # fmt: skip
        decisions: dict[str, int | None] = {"filtered": 0, "extended": 0, "exact": None}
        if self.decisions is not None:
            decisions = {name: int(count) for name, count in self.decisions._asdict().items()}
        data: dict[str, Any] = {name: getattr(self, name) for name in names}
        data |= {"decisions": decisions, "seconds": {name: round(s, 6) for name, s in self.seconds.items()}}
        if self.is_flat:
            data["affine_hull_dimension"] = self.dim
        if not self.is_complete:
            data["complete"] = False
        return data

    def to_text(self) -> str:
        """Return the numbers as a short text, one a line."""
        flat = f" (flat: tessellated in its affine hull of dimension {self.dim})" if self.is_flat else ""
        decided = "all by rationals"
        if self.decisions is not None:
            filtered, extended, exact = self.decisions
            decided = f"{filtered:,} by floats, {extended:,} by double-doubles, {exact:,} by rationals"
        rows = [
            ("network", self.network),
            ("domain", self.domain + flat),
            ("regions", f"{self.regions:,}" + ("" if self.is_complete else " (incomplete: ended early)")),
            ("bounded", f"{self.bounded:,}"),
            ("adjacencies", f"{self.adjacencies:,}"),
            ("vertices", _shown(self.vertices)),
            ("linear regions", _shown(self.linear_regions)),
            ("affine maps", _shown(self.affine_maps)),
            ("Hamming distance 1", self._hamming_text()),
            *(("check", check) for check in self.checks),
            ("decisions", decided),
            ("seconds", ", ".join(f"{name} {value:.3f}" for name, value in self.seconds.items())),
            *(("note", note) for note in self.notes),
        ]
        width = max(len(name) for name, _ in rows) + 2
        return "\n".join(f"{name:{width}}{value}" for name, value in rows)

    def _hamming_text(self) -> str:
        if self.hamming1_pairs is None:
            return _shown(None)
        return (
            f"{self.hamming1_pairs:,} pairs, {self.hamming1_not_adjacent:,} of them not adjacent; "
            f"{self.adjacent_not_hamming1:,} adjacent pairs are further apart"
        )


def summarise(tessellation: Tessellation, *, full: bool = False, check: bool = True) -> Summary:
    """Return the numbers of a tessellation.

    Parameters
    ----------
    tessellation : Tessellation
    full : bool
        Also work out the costly numbers (linear regions, affine maps, Hamming pairs) above 50,000 regions. An
        incomplete tessellation never has them: they would count what is missing.
    check : bool
        Make the self-checks: Euler's formula, and on a bounded domain that exact areas add up. Where these take long,
        because there are no vertices, that every facet has a region or the domain's border behind it; a tessellation
        with a gap has a facet without.

    Raises
    ------
    InternalError
        If a self-check fails.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import xor
    >>> summary = summarise(tessellate(xor()))
    >>> summary.regions, summary.adjacencies, summary.linear_regions, summary.checks
    (3, 2, 3, ("Euler's formula holds",))
    >>> list(summary.to_json())[:4]
    ['regions', 'bounded', 'adjacencies', 'linear_regions']
    """
    t, start = tessellation, time.process_time()
    has_costly = t.is_complete and (full or t.n_regions <= MAX_ANALYSED)
    linear = (t.n_linear_regions, t.n_affine_maps) if has_costly else (None, None)
    hamming: tuple[int | None, int | None, int | None] = (None, None, None)
    if has_costly:
        hamming = (len(t.hamming1_pairs), t.count_hamming1_not_adjacent(), t.count_adjacent_not_hamming1())
    bounded = int(t.bounded.sum())
    checks = _checks(t) if check and t.is_complete else ()
    return Summary(
        network=_network_text(t),
        domain=t.domain.label.removesuffix(", in its affine hull"),
        dim=t.dim,
        is_flat=t.hull is not None,
        is_complete=t.is_complete,
        regions=t.n_regions,
        bounded=bounded,
        adjacencies=len(t.inner_facets),
        vertices=t.n_inner_vertices if t.has_vertices else None,
        linear_regions=linear[0],
        affine_maps=linear[1],
        hamming1_pairs=hamming[0],
        hamming1_not_adjacent=hamming[1],
        adjacent_not_hamming1=hamming[2],
        decisions=t.decisions,
        seconds={**t.seconds, "analyse": time.process_time() - start},
        checks=checks,
        notes=t.network.notes,
    )


def pattern_lines(tessellation: Tessellation) -> Iterator[str]:
    """Yield the patterns of all regions, sorted, digits without bars ("0101…").

    For networks of ReLUs the digits are bits; `Pattern` says how larger digits are written.
    """
    yield from sorted(tessellation.pattern_texts())


def adjacency_lines(tessellation: Tessellation) -> Iterator[str]:
    """Yield "patternA patternB", sorted and A < B, for each pair of regions with a common facet."""
    texts = tessellation.pattern_texts()
    order = sorted(range(len(texts)), key=texts.__getitem__)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    ranked = np.sort(rank[tessellation.adjacent_pairs], axis=1)
    for a, b in ranked[np.lexsort((ranked[:, 1], ranked[:, 0]))].tolist():
        yield f"{texts[order[a]]} {texts[order[b]]}"


def write_files(
    tessellation: Tessellation, table: Path | None, patterns: Path | None = None, adjacency: Path | None = None
) -> None:
    """Write the Parquet file and the lists that are wanted, over what is there: all of them, or none after an error.

    Raises
    ------
    FileError
        If one cannot be written.
    """
    with ExitStack() as files:
        for target, lines_of in ((patterns, pattern_lines), (adjacency, adjacency_lines)):
            if target is not None:
                path = files.enter_context(replacing(target))
                with path.open("w", encoding="ascii") as stream:
                    stream.writelines(f"{line}\n" for line in lines_of(tessellation))
        if table is not None:
            tessellation.save(table, overwrite=True)


def _checks(tessellation: Tessellation) -> tuple[str, ...]:
    """Make the self-checks that do not take long; return what holds."""
    t, checks = tessellation, ["every facet has a region or the domain's border behind it"]
    if (t.facet_regions[:, 1] == -2).any():
        raise InternalError(
            f"A complete tessellation needs a region behind each facet but one has none (network "
            f"{t.network.hash[:12]} on {t.domain.label}). Please report the network."
        )
    if is_quick(t) or (t.n_regions <= MAX_SLOW and t.dim <= MAX_DIM):
        t.check_euler()
        checks = ["Euler's formula holds"]
    if t.n_regions > (MAX_AREAS if t.has_vertices else MAX_SLOW) or t.dim > MAX_DIM:
        return tuple(checks)
    expected = t.domain_area()
    if expected is None:
        return tuple(checks)
    total = t.total_area()
    if total != expected:
        raise InternalError(
            f"The regions need to add up to the domain's {_rational(expected)} but add up to {total} "
            f"(network {t.network.hash[:12]} on {t.domain.label}). Please report the network."
        )
    return (*checks, f"exact {UNITS.get(t.dim, 'volumes')} add up to the domain's {_rational(expected)}")


def _rational(value: Fraction) -> str:
    """Return a rational in full if it is short, else about how large it is."""
    text = str(value)
    return text if len(text) <= 24 else f"{float(value):.6g} (about)"


def _network_text(tessellation: Tessellation) -> str:
    network = tessellation.network
    widths = [network.layers[0].n_inputs, *(layer.n_outputs for layer in network.layers)]
    sizes = "-".join(map(str, widths))
    if len(widths) > 12:
        sizes = f"{widths[0]}-...-{widths[-1]}, {len(widths) - 1} layers"
    on = f", on a slice of dimension {network.dim}" if network.dim != widths[0] else ""
    return f"{sizes}{on}, {network.n_neurons} neurons ({network.hash[:12]})"


def _shown(number: int | None) -> str:
    return "not worked out" if number is None else f"{number:,}"
