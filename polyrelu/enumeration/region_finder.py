"""One region after the other by their patterns, in any dimension: with all facets, and the patterns behind them.

The compiled loops (`polyrelu.kernels.march`) follow the digits of a pattern instead of trying all.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.across import Vanishing, digits_across
from polyrelu.enumeration.essential import essential
from polyrelu.enumeration.plane import Decisions
from polyrelu.enumeration.space import CellFacets, ColumnMeanings, SpaceRegions
from polyrelu.errors import DomainError, EmptyRegionError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import to_fractions
from polyrelu.network.activation import MAX_UNIT
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.hull import decide_domain

__all__ = ["MarchFacet", "MarchRegion", "RegionFinder", "find_region"]


@dataclass(frozen=True, slots=True)
class MarchFacet:
    """A facet of a region that a march has found.

    Attributes
    ----------
    neurons : tuple of int
        Those that vanish on it, but not on the whole region.
    domain_rows : tuple of int
        Rows of the domain that vanish on it.
    neighbour : Pattern or None
        The pattern on the other side; None on the border of the domain.
    """

    neurons: tuple[int, ...]
    domain_rows: tuple[int, ...]
    neighbour: Pattern | None


@dataclass(frozen=True, slots=True)
class MarchRegion:
    """One region with all its facets.

    Attributes
    ----------
    pattern : Pattern
    witness : float64 array, shape (dim,)
        A point inside, in floats.
    is_bounded : bool
    facets : tuple of MarchFacet
    decisions : Decisions
    """

    pattern: Pattern
    witness: NDArray[np.float64]
    is_bounded: bool
    facets: tuple[MarchFacet, ...]
    decisions: Decisions


def find_region(network: Network, at: Sequence[object] | Pattern, domain: Domain | None = None) -> MarchRegion:
    """Return the region at a point, or of a pattern, with all its facets and the patterns behind them.

    Made for networks with many inputs, where `Region` with its exact linear programs is slow.

    Raises
    ------
    DomainError
        If the domain has another dimension or no interior, or the point lies outside it.
    PatternError
        If no ball of inputs inside the domain has the pattern.

    Examples
    --------
    >>> from polyrelu.testing import adjacency_counterexample
    >>> region = find_region(adjacency_counterexample(), ["1/2"])
    >>> str(region.pattern), [(facet.neurons, str(facet.neighbour)) for facet in region.facets]
    ('11|0', [((0,), '01|0'), ((2,), '11|1')])
    """
    finder = RegionFinder(network, (domain or Domain.all(network.dim)).check_dim(network.dim))
    if not isinstance(at, Pattern):
        return finder.region(finder.visit_at(at))
    digits = np.array([network.pattern(at.digits).digits], np.int64)
    return finder.region(finder.visit(network.layout.pack(digits)[0]))


class RegionFinder:
    """A network in tables, ready to find one region after the other.

    Attributes
    ----------
    network, domain
        As given.
    core : Essential
        The same in coordinates without lines.
    output : CellOutput
        The regions found since it was emptied.
    """

    def __init__(self, network: Network, domain: Domain) -> None:
        # The compiled loops are imported here because `import polyrelu` must not load numba.
        from polyrelu.enumeration.cell_answers import CellAnswers
        from polyrelu.enumeration.cell_tables import cell_tables
        from polyrelu.kernels import tables as T

        self.network, self.domain = network, domain
        self.core = essential(network, domain)
        self.laid_out = cell_tables(self.core.network, self.core.domain, True)
        self.geometry = self.laid_out.geometry
        self.answers = CellAnswers(self.laid_out.network, self.geometry, self.laid_out.lines)
        self.callback = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(self.answers.callback())
        self.geometry.state[T.ASK] = ctypes.cast(self.callback, ctypes.c_void_p).value or 0
        self.home = int(self.geometry.state[T.LENGTH])
        tables = self.laid_out.network
        self.columns = ColumnMeanings(tables.column_unit, tables.column_pieces, tables.unit_neuron, tables.first_line)
        self.output = self._new_output(1024)
        self.across = np.zeros((64, network.layout.n_words), np.uint64)
        self.kinds = np.zeros(64, np.int64)

    def _new_output(self, size: int) -> Any:
        from polyrelu.enumeration.split import cell_output

        return cell_output(size, self.network.layout.n_words, self.core.dim)

    # --- one region --------------------------------------------------------------------------------------

    def first_words(self, start: Sequence[object] | None) -> NDArray[np.uint64]:
        """Return the packed pattern of a region at a point of the domain."""
        hull = decide_domain(self.domain)
        point = hull.point if start is None else to_fractions(start, "enumerate_march")
        if len(point) != self.network.dim or not self.domain.contains(point):
            raise DomainError(
                f"enumerate_march needs a point of the domain ({self.domain.label}) but received "
                f"({', '.join(map(str, point[:6]))}{', …' if len(point) > 6 else ''}). Move it or widen the domain."
            )
        exact, layout = self.network.exact, self.network.layout
        words = layout.pack(np.array([exact.pattern_at(point).digits], np.int64))[0]
        if self._follow(words):
            return words
        inward = [a - b for a, b in zip(hull.point, point, strict=True)]
        axes = [[int(i == j) for j in range(len(point))] for i in range(len(point))]
        return layout.pack(np.array([exact.pattern_at(point, [inward, *axes]).digits], np.int64))[0]

    def visit_at(self, start: Sequence[object]) -> int:
        """Find the region at a point of the domain; return its number in the output."""
        before = self.n_found
        words = self.first_words(start)  # has found it already, unless it had to step off a border
        return before if self.n_found > before else self.visit(words)

    def visit(self, words: NDArray[np.uint64]) -> int:
        """Find the region of a pattern; return its number in the output.

        Raises
        ------
        EmptyRegionError
            If there is none.
        """
        if not self._follow(words):
            pattern = self.network.pattern(self.network.layout.unpack(words)[0].tolist())
            raise EmptyRegionError(
                f"find_region needs a pattern with interior points but no ball of inputs in {self.domain.label} has "
                f"{str(pattern)!r}. Take a point, or use `region_of`, which proves it."
            )
        return self.n_found - 1

    @property
    def n_found(self) -> int:
        """Regions in the output."""
        from polyrelu.kernels import tables as T

        return int(self.geometry.state[T.N_OUT])

    def _follow(self, words: NDArray[np.uint64]) -> bool:
        """Append the region of a pattern to the output; False if there is none."""
        from polyrelu.enumeration.running import grown
        from polyrelu.kernels import march as M
        from polyrelu.kernels import tables as T

        tables = self.laid_out.network
        while True:
            status = M.follow(words, self.home, tables.tables, tables.digits, self.geometry, self.output)
            if status == T.STACK_FULL:
                self.geometry = self.answers.geometry = grown(self.geometry)
            elif status == T.OUTPUT_FULL:
                raise InternalError("A march needs room for one more region. Please report the network.")
            elif status == T.ABORTED:
                raise self.answers.error or KeyboardInterrupt()
            else:
                return bool(status == T.DONE)

    def patterns_across(self, region: int) -> list[NDArray[np.uint64] | None]:
        """Return for each facet of a region of the output the packed pattern behind it, None on the domain's border."""
        from polyrelu.kernels import march as M

        output, tables = self.output, self.laid_out.network
        n_facets = int(output.indptr[region + 1] - output.indptr[region])
        if n_facets > len(self.kinds):
            self.across = np.zeros((2 * n_facets, self.across.shape[1]), np.uint64)
            self.kinds = np.zeros(2 * n_facets, np.int64)
        M.neighbours(
            region, output, tables.tables.units, tables.column_unit, tables.column_pieces, self.geometry.columns,
            len(tables.tables.levels), self.across, self.kinds,
        )  # fmt: skip
        found: list[NDArray[np.uint64] | None] = []
        for facet, kind in enumerate(self.kinds[:n_facets].tolist()):
            if kind == M.BORDER:
                found.append(None)
            elif kind == M.ACROSS:
                found.append(self.across[facet].copy())
            else:
                found.append(self._exact_across(region, int(output.indptr[region]) + facet))
        return found

    def _exact_across(self, region: int, facet: int) -> NDArray[np.uint64]:
        output, network = self.output, self.core.network
        zeros = output.zero_columns[output.zero_indptr[region] : output.zero_indptr[region + 1]]
        forms = output.forms[output.form_indptr[facet] : output.form_indptr[facet + 1]]
        pattern = network.pattern(network.layout.unpack(output.words[region])[0].tolist())
        digits = [layer.tolist() for layer in network.unit_digits(pattern)]
        borders = [self._border(int(column)) for column in (*forms, *zeros)]
        found = digits_across(network, digits, borders)
        own = [found[layer][unit] for layer, unit in network.neurons.tolist()]
        return network.layout.pack(np.array([own], np.int64))[0]

    def _border(self, column: int) -> Vanishing:
        from polyrelu.kernels import tables as T

        tables = self.laid_out.network
        level = int(self.geometry.columns[column, T.COLUMN_LEVEL])
        unit = int(tables.column_unit[column]) - int(tables.tables.levels[level, T.UNIT])
        low, high = tables.column_pieces[column].tolist()
        return level, unit, low, high

    def region(self, index: int) -> MarchRegion:
        """Return a region of the output."""
        output, network, meanings = self.output, self.network, self.columns
        facets = []
        pattern = network.pattern(network.layout.unpack(output.words[index])[0].tolist())
        for facet, words in enumerate(self.patterns_across(index), start=int(output.indptr[index])):
            forms = output.forms[output.form_indptr[facet] : output.form_indptr[facet + 1]].tolist()
            inner = [column for column in forms if column < meanings.first_line]
            neurons = {self._neuron(column, pattern) for column in inner} - {-1}
            facets.append(
                MarchFacet(
                    tuple(sorted(neurons)),
                    tuple(sorted(column - meanings.first_line for column in forms if column >= meanings.first_line)),
                    None if words is None else network.pattern(network.layout.unpack(words)[0].tolist()),
                )
            )
        facets.sort(key=lambda facet: (not facet.neurons, facet.neurons, facet.domain_rows))
        witness = self.core.lift(output.witnesses[index : index + 1])[0].copy()
        is_bounded = bool(output.is_bounded[index]) and not self.core.drops_lines
        return MarchRegion(pattern, witness, is_bounded, tuple(facets), self.decisions())

    def _neuron(self, column: int, pattern: Pattern) -> int:
        """Return the neuron of a column; -1 for two inputs of a max unit that both lose."""
        unit = int(self.columns.unit[column])
        neuron = int(self.columns.unit_neuron[unit])
        layer, place = self.network.neurons[neuron].tolist()
        is_max = self.network.hidden[layer].activation.kind[place] == MAX_UNIT
        return -1 if is_max and pattern.digits[neuron] not in self.columns.digits[column] else neuron

    def decisions(self) -> Decisions:
        """Return how many signs were decided how, so far."""
        from polyrelu.kernels import tables as T

        return Decisions(*self.geometry.state[T.FILTERED : T.EXACT + 1].tolist())

    # --- many regions ------------------------------------------------------------------------------------

    def is_nearly_full(self) -> bool:
        """Return whether the output may have no room for another region."""
        from polyrelu.kernels import tables as T

        regions, facets, forms, _, zeros = self.geometry.state[T.N_OUT : T.N_ZERO + 1].tolist()
        n, output = len(self.geometry.columns), self.output
        return bool(
            regions + 2 >= len(output.indptr)
            or facets + 2 * n >= len(output.form_indptr)
            or forms + 2 * n >= len(output.forms)
            or zeros + 2 * n >= len(output.zero_columns)
        )

    def clear(self) -> None:
        """Empty the output."""
        from polyrelu.kernels import tables as T

        self.geometry.state[T.N_OUT : T.N_ZERO + 1] = 0

    def take(self, starts: NDArray[np.int64], is_complete: bool) -> SpaceRegions:
        """Return what is in the output, and empty it; ``starts`` counts how long all lists before it were."""
        from polyrelu.kernels import tables as T

        output = self.output
        lengths = self.geometry.state[T.N_OUT : T.N_ZERO + 1].copy()
        regions, facets, forms, _, zeros = lengths.tolist()
        part = SpaceRegions(
            network=self.network,
            domain=self.domain,
            words=output.words[:regions].copy(),
            witnesses=self.core.lift(output.witnesses[:regions].copy()),
            zero_indptr=output.zero_indptr[1 : regions + 1] + starts[4],
            zero_columns=output.zero_columns[:zeros].copy(),
            corners=None,
            facets=CellFacets(
                output.indptr[1 : regions + 1] + starts[1],
                output.form_indptr[1 : facets + 1] + starts[2],
                output.forms[:forms].copy(),
                output.is_bounded[:regions] & (not self.core.drops_lines),
            ),
            columns=self.columns,
            decisions=self.decisions(),
            seconds=0.0,
            is_complete=is_complete,
        )
        starts += lengths
        self.clear()
        return part
