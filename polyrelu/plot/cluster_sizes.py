"""Sizes of clusters against forgetting events and errors, network by network (Craighero et al. 2020, Figs. 3 to 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.cluster_sizes import means_by_size, sums_up_to_size
from polyrelu.errors import InputError
from polyrelu.plot.canvas import fresh_axes, style
from polyrelu.plot.colours import BORDER_COLOUR, INK, class_colours, lightened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_cluster_sizes", "plot_means_by_size", "plot_right_and_wrong", "plot_sums_up_to_size"]

Sizes = Mapping[str, NDArray[np.int64]]
RIGHT, WRONG = class_colours(2)
SHARE = Fraction(9, 10)


def plot_cluster_sizes(sizes: Sizes, ax: Axes | None = None) -> Axes:
    """Draw a boxplot of the sizes of clusters for each network, with the mean as a diamond (Fig. 3, left).

    Parameters
    ----------
    sizes : mapping of str to int array, shape (n_clusters,)
        The sizes of the clusters of each network.
    """
    ax = fresh_axes(ax)
    _boxes(ax, list(sizes.values()), range(len(sizes)), class_colours(len(sizes)))
    _name_boxes(ax, list(sizes), "size of the cluster")
    return ax


def plot_means_by_size(sizes: Sizes, values: Sizes, ax: Axes | None = None, what: str = "forgetting events") -> Axes:
    """Draw the mean of a value of points against the size of their clusters, in bins of 1, 2 to 3, 4 to 7, … (Fig. 3).

    Parameters
    ----------
    sizes : mapping of str to int array, shape (n,)
        The size of each point's cluster, for each network.
    values : mapping of str to int array, shape (n,)
    what : str
        What the values are.

    Raises
    ------
    InputError
        If a network has no points.
    """
    _check_points("plot_means_by_size", *sizes.values())
    ax = fresh_axes(ax)
    largest = max((int(each.max(initial=1)) for each in sizes.values()), default=1)
    for name, colour in zip(sizes, class_colours(len(sizes)), strict=True):
        bins = means_by_size(sizes[name], values[name])
        middles = _middles(bins.firsts)
        area = 16 + 220 * bins.counts / bins.counts.sum()
        ax.plot(middles, bins.means, color=colour, linewidth=1.6, label=name, zorder=3)
        ax.scatter(
            middles, bins.means, s=area, color=[colour], edgecolors="white", linewidths=0.8, zorder=4,
            clip_on=False,  # a mean of 0 is a whole dot
        )  # fmt: skip
    ax.set_xscale("log", base=2)
    firsts = 2 ** np.arange(largest.bit_length())
    ax.set_xticks(_middles(firsts), ["1", *(f"{first}–{2 * first - 1}" for first in firsts[1:])], fontsize="x-small")
    ax.tick_params(axis="x", which="minor", length=0)
    ax.set_ylim(bottom=0)
    style(ax, "size of the cluster", f"{what} of a point, mean")
    ax.grid(axis="y", color=lightened(_grey()), linewidth=0.6)
    ax.legend(frameon=False, fontsize="small", labelcolor=INK)
    return ax


def plot_sums_up_to_size(
    sizes: NDArray[np.int64], values: Mapping[str, NDArray[np.int64]], ax: Axes | None = None
) -> Axes:
    """Draw which share of some values lies in clusters up to a size (Fig. 4).

    A dotted line marks where 90 % are reached, the grey line counts the points themselves.

    Parameters
    ----------
    sizes : int array, shape (n,)
        The size of each point's cluster.
    values : mapping of str to int array, shape (n,)

    Raises
    ------
    InputError
        If there are no points.
    """
    _check_points("plot_sums_up_to_size", sizes)
    ax = fresh_axes(ax)
    rows = {"points": np.ones(len(sizes), np.int64), **values}
    colours = [_grey(), *class_colours(len(values))[::-1]]
    for (name, each), colour in zip(rows.items(), colours, strict=True):
        found = sums_up_to_size(sizes, each)
        size = found.size_with(SHARE)
        if size is None:
            continue
        share = found.totals / found.totals[-1]
        ax.step(found.sizes, share, where="post", color=colour, linewidth=1.8, label=f"{name} ({found.totals[-1]:,})")
        ax.axvline(size, color=colour, linewidth=1.2, linestyle=(0, (1, 1.6)), zorder=1)
    _log_sizes(ax, int(sizes.max(initial=1)))
    ax.set_ylim(0, 1.02)
    style(ax, "size of the cluster, up to", "share; dotted: 90 %")
    quiet = {"facecolor": "white", "edgecolor": "none", "framealpha": 0.9}
    ax.legend(fontsize="x-small", labelcolor=INK, loc="lower right", **quiet)
    return ax


def plot_right_and_wrong(sizes: Sizes, is_right: Mapping[str, NDArray[np.bool_]], ax: Axes | None = None) -> Axes:
    """Draw boxplots of the size of a point's cluster, for points that are labelled right and for the others (Fig. 5).

    Parameters
    ----------
    sizes : mapping of str to int array, shape (n,)
        The size of each point's cluster, for each network.
    is_right : mapping of str to bool array, shape (n,)
    """
    from matplotlib.patches import Patch

    ax = fresh_axes(ax)
    for shift, colour, wanted in ((-0.2, RIGHT, True), (0.2, WRONG, False)):
        parts = [sizes[name][is_right[name] == wanted] for name in sizes]
        _boxes(ax, parts, np.arange(len(sizes)) + shift, [colour] * len(sizes), width=0.32)
        for place, part in zip(np.arange(len(sizes)) + shift, parts, strict=True):
            ax.annotate(
                f"n = {len(part):,}", (place, 1), (0, 4), ("data", "axes fraction"), "offset points", ha="center",
                color=INK, fontsize="x-small",
            )  # fmt: skip
    _name_boxes(ax, list(sizes), "size of a point's cluster")
    # Room for the legend above the highest box.
    ax.set_ylim(top=2.6 * max((int(each.max(initial=1)) for each in sizes.values()), default=1))
    handles = [Patch(facecolor=tuple(lightened(each)), edgecolor=tuple(each)) for each in (RIGHT, WRONG)]
    names = ["labelled right", "labelled wrong"]
    ax.legend(handles, names, frameon=False, fontsize="small", labelcolor=INK, loc="upper left", ncols=2)
    return ax


def _check_points(who: str, *sizes: NDArray[np.int64]) -> None:
    if not all(map(len, sizes)):
        raise InputError(f"{who} needs points but received none. Give it a data set.")


def _boxes(ax: Axes, parts: Sequence[NDArray], places: Iterable, colours: Iterable, width: float = 0.5) -> None:
    """Draw boxes with whiskers to the 5th and 95th per cent, and means as diamonds; nothing where there is no point."""
    flier = {"marker": ".", "markersize": 5, "markeredgecolor": "none", "alpha": 0.6}
    for part, place, colour in zip(parts, places, colours, strict=True):
        if not len(part):
            continue
        ax.boxplot(
            [part], positions=[place], widths=width, whis=(5, 95), showmeans=True, patch_artist=True,
            boxprops={"facecolor": lightened(colour), "edgecolor": colour},
            medianprops={"color": colour, "linewidth": 2}, whiskerprops={"color": colour}, capprops={"color": colour},
            meanprops={"marker": "D", "markersize": 5, "markerfacecolor": INK, "markeredgecolor": "white"},
            flierprops={**flier, "markerfacecolor": colour},
        )  # fmt: skip


def _name_boxes(ax: Axes, names: Sequence[str], label: str) -> None:
    from matplotlib.ticker import FuncFormatter

    ax.set_yscale("log")
    ax.set_ylim(bottom=0.85)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_xticks(range(len(names)), names)
    ax.set_xlim(-0.6, len(names) - 0.4)
    style(ax, "", label)
    ax.grid(axis="y", color=lightened(_grey()), linewidth=0.6)
    ax.set_axisbelow(True)


def _log_sizes(ax: Axes, largest: int) -> None:
    from matplotlib.ticker import FuncFormatter

    ax.set_xscale("log")
    ax.set_xlim(0.9, 1.1 * largest)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _middles(firsts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the middles of bins that begin at powers of 2, on a logarithmic scale."""
    return np.sqrt(firsts * np.maximum(2.0 * firsts - 1, 1))


def _grey() -> NDArray[np.float64]:
    from matplotlib.colors import to_rgb

    return np.array(to_rgb(BORDER_COLOUR))
