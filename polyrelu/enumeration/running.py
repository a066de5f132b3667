"""Run a compiled enumeration chunk by chunk: growing stacks, budgets, progress, interrupts."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from polyrelu.enumeration.answers import Answers
from polyrelu.enumeration.network_tables import NetworkTables
from polyrelu.errors import BudgetError, EnumerationInterrupted
from polyrelu.kernels import tables as T
from polyrelu.kernels.depth_first import enumerate_cells

__all__ = ["CHUNK", "Chunk", "Outgrown", "collect", "grown", "run"]

CHUNK = 1 << 15
"""Regions that one call of the compiled loop delivers at most; between calls Python sees interrupts."""


STACKS = ("vertices", "marks", "masks", "zeros", "picked")
"""Names of a geometry's arrays that grow together."""


class Outgrown(Exception):
    """A cell has outgrown what the geometry was made for: the enumeration has to start again with more."""


class Chunk(NamedTuple):
    """What one call of the compiled loop has found: the output's arrays are overwritten by the next call.

    Attributes
    ----------
    output : named tuple of arrays
        Of the geometry's own kind.
    lengths : list of int
        The lengths of the output (`polyrelu.kernels.tables`, `N_OUT` and after).
    decisions : tuple of int
        How many signs were decided how, since the start.
    is_last : bool
    """

    output: Any
    lengths: list[int]
    decisions: tuple[int, int, int]
    is_last: bool


class _Counted(Protocol):
    @property
    def n_regions(self) -> int: ...
    @property
    def is_complete(self) -> bool: ...


Part = TypeVar("Part", bound=_Counted)


def run(laid_out: NetworkTables, geometry: Any, answers: Answers, new_output: Callable[[int], Any]) -> Iterator[Chunk]:
    """Run the compiled loop; yield what it finds, the last chunk marked.

    Parameters
    ----------
    laid_out, geometry
        The network in tables, and the domain as the first cell.
    answers : Answers
    new_output : callable
        Returns an empty output for a number of regions.
    """
    tables, digits, state = laid_out.tables, laid_out.digits, geometry.state
    callback = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(answers.callback())
    state[T.ASK] = ctypes.cast(callback, ctypes.c_void_p).value
    tasks = np.zeros((64, T.N_TASK_INTEGERS), np.int64)
    size = CHUNK
    output = new_output(size)
    while True:
        status = enumerate_cells(tables, digits, geometry, tasks, output)
        if status == T.STACK_FULL:
            geometry = answers.geometry = grown(geometry)
            tasks = _doubled(tasks)
            continue
        if status == T.ABORTED:
            raise Outgrown if state[T.ABORT] == T.OUTGROWN else answers.error or KeyboardInterrupt()
        lengths = state[T.N_OUT : T.N_ZERO + 1].tolist()
        if status == T.OUTPUT_FULL and lengths[0] == 0:
            size *= 2
            output = new_output(size)
            continue
        state[T.N_OUT : T.N_ZERO + 1] = 0
        filtered, extended, exact = state[T.FILTERED : T.EXACT + 1].tolist()
        yield Chunk(output, lengths, (filtered, extended, exact), status == T.DONE)
        if status == T.DONE:
            return


def collect(
    name: str,
    parts: Iterable[Part],
    join: Callable[[list[Part], float, bool], Part],
    max_regions: int | None,
    max_seconds: float | None,
    progress: Callable[[int], None] | None,
) -> Part:
    """Return all parts joined, within a budget.

    Parameters
    ----------
    name : str
        Of the enumeration, for errors.
    parts : iterable
        Each with ``n_regions``; the last one with ``is_complete``.
    join : callable
        Makes one of a list of parts, the processor time, and whether they are all.
    max_regions, max_seconds, progress
        As everywhere.

    Raises
    ------
    BudgetError, EnumerationInterrupted
        With the joined parts as ``.partial``.
    """
    start = time.process_time()
    deadline = None if max_seconds is None else time.monotonic() + max_seconds
    done: list[Part] = []
    found = 0
    try:
        for part in parts:
            done.append(part)
            found += part.n_regions
            if progress is not None:
                progress(found)
            over_count = max_regions is not None and found > max_regions
            if over_count or (deadline is not None and time.monotonic() > deadline and not part.is_complete):
                limit = f"{max_regions} regions" if over_count else f"{max_seconds} seconds"
                raise BudgetError(
                    f"{name} reached its budget of {limit} after {found} regions; they are in .partial. "
                    "Raise the budget or cut the domain.",
                    join(done, time.process_time() - start, False),
                )
    except KeyboardInterrupt as interrupt:
        partial = join(done, time.process_time() - start, False) if done else None
        raise EnumerationInterrupted(partial) from interrupt
    return join(done, time.process_time() - start, True)


def grown(geometry: Any) -> Any:
    """Return a geometry with twice the room on its stacks."""
    return geometry._replace(**{name: _doubled(getattr(geometry, name)) for name in STACKS if hasattr(geometry, name)})


def _doubled(stack: NDArray) -> NDArray:
    return np.concatenate([stack, np.zeros_like(stack)], axis=stack.ndim - 1 if len(stack) == 2 else 0)
