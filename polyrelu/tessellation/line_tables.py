"""Tables for the compiled assemblies: what the numbers of forms mean, and the items that a face touches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.network.activation import MAX_UNIT
from polyrelu.network.model import Network

__all__ = ["Ending", "LineTables", "line_tables"]


class Ending(NamedTuple):
    """A row of the domain, or a side of the far cube.

    Attributes
    ----------
    owner, row : int
        As in `Tessellation.vertex_rows`.
    kind : int
        What a vertex on it is at least: an entry of `Tessellation.vertex_kind`.
    """

    owner: int
    row: int
    kind: int


class LineTables(NamedTuple):
    """Forms and items (columns: `polyrelu.kernels.assembly`), and random numbers that hash them.

    Attributes
    ----------
    lines : int32 array, shape (n_lines, N_LINE)
    items : int32 array, shape (n_items, N_ITEM)
    salts : uint64 array, shape (2 * n_words,)
    item_salts : uint64 array, shape (n_items,)
    """

    lines: NDArray[np.int32]
    items: NDArray[np.int32]
    salts: NDArray[np.uint64]
    item_salts: NDArray[np.uint64]


def line_tables(
    network: Network,
    units: NDArray[np.int64],
    digits: NDArray[np.int64],
    unit_neuron: NDArray[np.int64],
    endings: Sequence[Ending],
) -> LineTables:
    """Return the tables of a network's forms; items are numbered in the order of their neurons.

    Parameters
    ----------
    network : Network
    units : int64 array, shape (n_lines,)
        Unit whose digit changes where a form vanishes; -1 for those that part no digits.
    digits : int64 array, shape (n_lines, 2)
        The two digits on its sides (for a max unit: its two inputs).
    unit_neuron : int64 array, shape (n_units,)
    endings : sequence of Ending
        What the last lines are.
    """
    from polyrelu.kernels import assembly as A

    first_ending = len(units) - len(endings)
    lines = np.zeros((len(units), A.N_LINE), np.int32)
    layout = network.layout
    items: list[tuple[int, ...]] = []
    first_of_unit: dict[int, int] = {}
    kinds = [layer.activation.kind for layer in network.hidden]
    is_max = np.concatenate([kind == MAX_UNIT for kind in kinds]) if kinds else np.zeros(0, bool)
    sizes = np.concatenate([np.diff(layer.activation.indptr) for layer in network.hidden]) if kinds else is_max
    for line, unit in enumerate(units.tolist()):
        if line >= first_ending:
            ending = endings[line - first_ending]
            lines[line, A.LINE_NEURON], lines[line, A.LINE_ROW] = ending.owner, ending.row
            lines[line, A.LINE_ITEM] = len(items)
            items.append((-1, -1, 0, 0, -1, ending.kind))
        elif unit >= 0:
            neuron = int(unit_neuron[unit])
            field = (neuron, int(layout.word[neuron]), int(layout.shift[neuron]), int(layout.bits[neuron]))
            if is_max[unit] and unit not in first_of_unit:
                first_of_unit[unit] = len(items)
                items += [(*field, i, 0) for i in range(sizes[unit])]
            lines[line, A.LINE_NEURON] = neuron
            lines[line, A.LINE_LOW : A.LINE_HIGH + 1] = digits[line]
            lines[line, A.LINE_IS_MAX] = is_max[unit]
            lines[line, A.LINE_ITEM] = first_of_unit.get(unit, len(items))
            if not is_max[unit]:
                items.append((*field, -1, 0))
    random = np.random.default_rng(0)
    salts, item_salts = (random.integers(0, 2**64, n, np.uint64) for n in (2 * layout.n_words, len(items)))
    return LineTables(lines, np.array(items, np.int32).reshape(-1, A.N_ITEM), salts, item_salts)
