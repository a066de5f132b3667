"""Pictures of the activation patterns of data: embeddings, heat maps, and numbers of regions during training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.embedding import Embedding
from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.analysis.data.region_counter import RegionCounts
from polyrelu.errors import InputError
from polyrelu.plot.canvas import fresh_axes
from polyrelu.plot.colours import BORDER_COLOUR, INK, class_colours, layer_colours
from polyrelu.plot.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_embeddings", "draw_patterns", "plot_embedding", "plot_pattern_rows", "plot_region_counts"]

MOST_CLASSES = 40
CELL = 2.3
"""Inches: width and height of one embedding in a grid."""


def plot_embedding(embedding: Embedding, labels: ArrayLike | None = None, ax: Axes | None = None) -> Axes:
    """Draw the positions of patterns in the plane, coloured by labels.

    Points with one pattern are spread over a small disc around it, so that all of them are seen.

    Parameters
    ----------
    embedding : Embedding
    labels : int array, shape (n,), optional
        Of all points of the data set; the embedding knows which of them it has.
    ax : Axes, optional

    Raises
    ------
    InputError
        If labels are no whole numbers, more than 40 different ones, or too few.
    """
    axes = fresh_axes(ax)
    colours = np.full((len(embedding.points), 3), 0.35)
    if labels is not None:
        names, index = _classes(labels, "plot_embedding")
        if len(index) <= embedding.points.max():
            raise InputError(
                f"plot_embedding needs a label for each point of the data set but received {len(index)}, and point "
                f"{embedding.points.max()} is embedded. Give the labels of all points."
            )
        colours = class_colours(len(names))[index[embedding.points]]
    x, y = _spread(embedding.positions).T
    order = np.random.default_rng(0).permutation(len(x))  # so that no class covers the others
    axes.scatter(x[order], y[order], s=9, c=colours[order], linewidths=0, alpha=0.85)
    axes.set(xticks=[], yticks=[])
    axes.margins(0.06)
    axes.set_box_aspect(1)
    for side in axes.spines.values():
        side.set(color=BORDER_COLOUR, linewidth=0.6)
    return axes


def draw_embeddings(
    rows: Sequence[Sequence[Embedding]],
    row_names: Sequence[str],
    column_names: Sequence[str],
    labels: ArrayLike | None = None,
    notes: Sequence[Sequence[str]] | None = None,
    title: str = "",
) -> Figure:
    """Return a grid of embeddings, such as an epoch in each row and a layer in each column.

    Parameters
    ----------
    rows : sequence of sequences of Embedding
    row_names, column_names : sequences of str
    labels : int array, shape (n,), optional
    notes : sequence of sequences of str, optional
        A few words for each embedding, written below it.
    title : str

    Raises
    ------
    InputError
        As `plot_embedding`, or without embeddings.
    """
    columns = max(map(len, rows), default=0)
    if not columns:
        raise InputError("draw_embeddings needs one embedding at least but received none. Give a row of them.")
    figure = new_figure(CELL * columns + 1.1, CELL * len(rows) + 0.9)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for row, embeddings in enumerate(rows):
        for column, embedding in enumerate(embeddings):
            ax = plot_embedding(embedding, labels, grid[row, column])
            if row == 0:
                ax.set_title(column_names[column], color=INK, fontsize="medium")
            if column == 0:
                ax.set_ylabel(row_names[row], color=INK, fontsize="medium")
            if notes is not None:
                ax.set_xlabel(notes[row][column], color=INK, fontsize="small")
    if labels is not None:
        _add_classes(figure, _classes(labels, "draw_embeddings")[0])
    figure.suptitle(title, color=INK, fontsize="large", x=0.02, ha="left")
    return figure


def plot_pattern_rows(
    patterns: DataPatterns, labels: ArrayLike | None = None, ax: Axes | None = None, layer: int | None = None
) -> Axes:
    """Draw patterns as a picture, a row for each point and a column for each neuron: dark where it is active.

    Parameters
    ----------
    patterns : DataPatterns
    labels : int array, shape (n,), optional
        Points are sorted by them; a strip of their colours stands to the left.
    ax : Axes, optional
    layer : int, optional
        Among the layers that have neurons; default: all, parted by lines.

    Raises
    ------
    InputError
        As `plot_embedding`, or without points or neurons.
    """
    from matplotlib.ticker import MaxNLocator

    axes = fresh_axes(ax)
    digits = patterns.digits(layer).astype(float)
    if not digits.size:
        raise InputError(f"plot_pattern_rows needs points and neurons but received {digits.shape}. Give it some.")
    digits /= np.maximum(patterns.layout.n_pieces - 1, 1)[_columns(patterns, layer)]
    left, right = -0.5, digits.shape[1] - 0.5
    if labels is not None:
        names, index = _classes(labels, "plot_pattern_rows")
        if len(index) != len(digits):
            raise InputError(
                f"plot_pattern_rows needs a label for each of {len(digits)} points but received {len(index)}. "
                "Match them."
            )
        order = np.argsort(index, kind="stable")
        digits, index = digits[order], index[order]
        width = max(digits.shape[1] / 40, 0.5)
        strip = class_colours(len(names))[index][:, None]
        extent = (left - 2 * width, left - width / 2, len(digits), 0)
        axes.imshow(strip, aspect="auto", extent=extent, interpolation="nearest")
        for first in (np.flatnonzero(np.diff(index)) + 1).tolist():
            axes.axhline(first, color=BORDER_COLOUR, linewidth=0.5)
        for number, name in enumerate(names):
            middle = float(np.flatnonzero(index == number).mean())
            axes.text(left - 2.4 * width, middle, name, ha="right", va="center", color=INK, fontsize="small")
    extent = (left, right, len(digits), 0)
    axes.imshow(1 - 0.75 * digits, cmap="gray", vmin=0, vmax=1, aspect="auto", extent=extent, interpolation="nearest")
    if layer is None:
        for start in patterns.starts[1:-1]:
            axes.axvline(start - 0.5, color=class_colours(2)[1], linewidth=1)
    axes.set(yticks=[], xlabel="neuron", xlim=(left if labels is None else left - 2 * width, right))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for side in axes.spines.values():
        side.set_visible(False)
    return axes


def draw_patterns(patterns: DataPatterns, labels: ArrayLike | None = None, layer: int | None = None) -> Figure:
    """Return a picture of patterns (`plot_pattern_rows`) with its size in numbers as title."""
    figure = new_figure(6.4, 5.2)
    ax = plot_pattern_rows(patterns, labels, figure.add_subplot(), layer)
    text = f"{patterns.count_distinct(layer):,} patterns of {len(patterns):,} points"
    ax.set_title(text, color=INK, fontsize="medium", loc="left")
    return figure


def plot_region_counts(
    curves: Mapping[str, Sequence[RegionCounts]], ax: Axes | None = None, right: bool = False
) -> Axes:
    """Draw how many regions data points lie in against the epoch, a curve for each name.

    Parameters
    ----------
    curves : mapping of str to sequence of RegionCounts
        As `RegionCounter.rows` holds them.
    ax : Axes, optional
    right : bool
        Count only regions with a point that is labelled right.

    Raises
    ------
    InputError
        Without counts, or with ``right``, if they know no labels.
    """
    from matplotlib.ticker import MaxNLocator

    if not curves:
        raise InputError("plot_region_counts needs a curve at least but received none. Give it the rows of a counter.")
    axes = fresh_axes(ax)
    for colour, (name, rows) in zip(layer_colours(len(curves)), curves.items(), strict=True):
        counts = [n for row in rows if (n := row.n_right if right else row.n_patterns) is not None]
        if len(counts) < len(rows):
            raise InputError(f"plot_region_counts needs counts with labels but {name!r} has none. Count with labels.")
        axes.plot([row.epoch for row in rows], counts, "o-", color=colour, markersize=3, linewidth=1.4, label=name)
    axes.set(xlabel="epoch", ylabel="regions with a point labelled right" if right else "regions with a point")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    return axes


def _classes(labels: ArrayLike, who: str) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the labels that occur, and which of them each point has."""
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "biu":
        raise InputError(f"{who} needs labels that are whole numbers, one a point, but received others. Number them.")
    names, index = np.unique(array, return_inverse=True)
    if len(names) > MOST_CLASSES:
        message = f"{who} needs at most {MOST_CLASSES} different labels but received {len(names)}. Merge some."
        raise InputError(message)
    return [str(name) for name in names.tolist()], index.reshape(-1).astype(np.int64)


def _spread(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions of which equal ones lie side by side, as the seeds of a sunflower do."""
    _, place, counts = np.unique(positions, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(place.reshape(-1), kind="stable")
    number = np.zeros(len(positions))
    number[order] = np.arange(len(positions)) - np.repeat(np.cumsum(counts) - counts, counts)
    extents = np.ptp(positions, axis=0)
    extents = np.where(extents > 0, extents, extents.max() or 1.0)
    step = extents * min(0.012, 0.08 / float(np.sqrt(counts.max())))
    angles = number * np.pi * (3 - np.sqrt(5))
    return positions + step * np.sqrt(number)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _columns(patterns: DataPatterns, layer: int | None) -> NDArray[np.int64]:
    neurons = np.arange(patterns.layout.n_neurons)
    return neurons if layer is None else neurons[patterns.neurons_of(layer)]


def _add_classes(figure: Figure, names: Sequence[str]) -> None:
    """Add a legend with the labels that occur."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=5, color=colour, label=name)
        for colour, name in zip(class_colours(len(names)), names, strict=True)
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False, handletextpad=0.1, fontsize="small")
