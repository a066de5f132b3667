"""From region to region across facets, breadth first: local exploration in any dimension.

Each region is found from its pattern by the loops of the enumeration by linear programs, with proofs
(`polyrelu.kernels.march`). What is on the other side of a facet follows from the neurons that vanish on it. A convex
domain's regions are connected through facets, so that a march that runs out of new patterns has found them all.
"""

from __future__ import annotations

import ctypes
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.across import Vanishing, digits_across
from polyrelu.enumeration.essential import essential
from polyrelu.enumeration.plane import Decisions
from polyrelu.enumeration.space import CellFacets, ColumnMeanings, SpaceRegions
from polyrelu.errors import DomainError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import to_fractions
from polyrelu.network.activation import MAX_UNIT
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.hull import decide_domain

__all__ = ["MarchFacet", "MarchRegion", "MarchRegions", "enumerate_march", "find_region"]


@dataclass(frozen=True)
class MarchRegions(SpaceRegions):
    """What a march has found, in the order in which it came there.

    Attributes
    ----------
    distances : int64 array, shape (n_regions,)
        Walking distance of each region from the first one: facets to cross. A march that ended early has the true
        distances too, because it is breadth first.
    """

    distances: NDArray[np.int64] = None  # type: ignore[assignment]


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


def enumerate_march(
    network: Network,
    domain: Domain | None = None,
    *,
    start: Sequence[object] | None = None,
    max_distance: int | None = None,
    max_regions: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> MarchRegions:
    """Return the regions of a network around a point, breadth first across facets.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default; with interior points.
    start : sequence of dim numbers, optional
        A point of the domain, taken exactly; default one of its interior points.
    max_distance : int, optional
        Regions that are further away are not visited; the result is then complete only if there are none.
    max_regions, max_seconds : optional
        Budgets; when one is reached `BudgetError` carries the regions found so far as ``.partial``.
    progress : callable, optional
        Called with the number of regions now and then.

    Raises
    ------
    DomainError
        If the domain has another dimension or no interior, or the point lies outside it.
    BudgetError, EnumerationInterrupted
        With ``.partial``.

    Examples
    --------
    >>> from polyrelu.testing import generic_arrangement
    >>> found = enumerate_march(generic_arrangement(3, 5))
    >>> found.n_regions, found.is_complete, int(found.distances.max())
    (26, True, 5)
    >>> near = enumerate_march(generic_arrangement(3, 5), max_distance=1)
    >>> near.is_complete, near.n_regions == 1 + (near.distances == 1).sum()
    (False, True)
    """
    from polyrelu.enumeration.running import collect

    march = _March(network, (domain or Domain.all(network.dim)).check_dim(network.dim))
    parts = march.run(march.first_words(start), max_distance)
    return collect("enumerate_march", parts, _joined, max_regions, max_seconds, progress)


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
    march = _March(network, (domain or Domain.all(network.dim)).check_dim(network.dim))
    if isinstance(at, Pattern):
        words = network.layout.pack(np.array([network.pattern(at.digits).digits], np.int64))[0]
        march.visit(words)
    else:
        words = march.first_words(at)
    return march.region(march.visit(words))


class _March:
    """A network in tables, ready to find one region after the other.

    Attributes
    ----------
    network, domain
        As given.
    core : Essential
        The same in coordinates without lines.
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
        self.geometry.state[T.ASK] = ctypes.cast(self.callback, ctypes.c_void_p).value
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
                f"({', '.join(map(str, point[:6]))}{', …' if len(point) > 6 else ''}). Move the point or widen the domain."
            )
        exact, layout = self.network.exact, self.network.layout
        words = layout.pack(np.array([exact.pattern_at(point).digits], np.int64))[0]
        if self._follow(words):
            return words
        inward = [a - b for a, b in zip(hull.point, point, strict=True)]
        axes = [[int(i == j) for j in range(len(point))] for i in range(len(point))]
        return layout.pack(np.array([exact.pattern_at(point, [inward, *axes]).digits], np.int64))[0]

    def visit(self, words: NDArray[np.uint64]) -> int:
        """Find the region of a pattern; return its number in the output.

        Raises
        ------
        EmptyRegionError
            If there is none.
        """
        from polyrelu.errors import EmptyRegionError

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
        return MarchRegion(pattern, witness, is_bounded, tuple(facets), self._decisions())

    def _neuron(self, column: int, pattern: Pattern) -> int:
        """Return the neuron of a column; -1 for two inputs of a max unit that both lose."""
        unit = int(self.columns.unit[column])
        neuron = int(self.columns.unit_neuron[unit])
        layer, place = self.network.neurons[neuron].tolist()
        is_max = self.network.hidden[layer].activation.kind[place] == MAX_UNIT
        return -1 if is_max and pattern.digits[neuron] not in self.columns.digits[column] else neuron

    def _decisions(self) -> Decisions:
        from polyrelu.kernels import tables as T

        return Decisions(*self.geometry.state[T.FILTERED : T.EXACT + 1].tolist())

    # --- many regions ------------------------------------------------------------------------------------

    def run(self, first: NDArray[np.uint64], max_distance: int | None) -> Iterator[MarchRegions]:
        """March from a pattern; yield what is found, the last part marked complete if there is nothing left."""
        self._clear()
        seen = {first.tobytes()}
        waiting = deque([(first, 0)])
        distances: list[int] = []
        starts, is_cut, last = np.zeros(5, np.int64), False, time.monotonic()
        while waiting:
            words, distance = waiting.popleft()
            index = self.visit(words)
            distances.append(distance)
            for other in self.patterns_across(index):
                key = None if other is None else other.tobytes()
                if other is None or key in seen:
                    continue
                if max_distance is not None and distance >= max_distance:
                    is_cut = True
                    continue
                seen.add(key)
                waiting.append((other, distance + 1))
            if waiting and (self._is_nearly_full() or time.monotonic() > last + 0.25):
                last = time.monotonic()
                yield self._part(starts, distances, False)
                distances = []
        yield self._part(starts, distances, not is_cut)

    def _is_nearly_full(self) -> bool:
        from polyrelu.kernels import tables as T

        regions, facets, forms, _, zeros = self.geometry.state[T.N_OUT : T.N_ZERO + 1].tolist()
        n, output = len(self.geometry.columns), self.output
        return bool(
            regions + 2 >= len(output.indptr)
            or facets + 2 * n >= len(output.form_indptr)
            or forms + 2 * n >= len(output.forms)
            or zeros + 2 * n >= len(output.zero_columns)
        )

    def _clear(self) -> None:
        from polyrelu.kernels import tables as T

        self.geometry.state[T.N_OUT : T.N_ZERO + 1] = 0

    def _part(self, starts: NDArray[np.int64], distances: list[int], is_complete: bool) -> MarchRegions:
        """Return what is in the output, and empty it."""
        from polyrelu.kernels import tables as T

        output = self.output
        lengths = self.geometry.state[T.N_OUT : T.N_ZERO + 1].copy()
        regions, facets, forms, _, zeros = lengths.tolist()
        part = MarchRegions(
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
            decisions=self._decisions(),
            seconds=0.0,
            is_complete=is_complete,
            distances=np.array(distances, np.int64),
        )
        starts += lengths
        self._clear()
        return part


def _joined(parts: list[MarchRegions], seconds: float, is_complete: bool) -> MarchRegions:
    from polyrelu.enumeration.split import joined_regions

    together = joined_regions(list(parts), seconds, is_complete and parts[-1].is_complete)
    return replace(together, distances=np.concatenate([part.distances for part in parts]))
