"""Axes: made if none are given, with limits, labels and a legend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyrelu.plot.colours import BORDER_COLOUR, INK
from polyrelu.plot.view import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from polyrelu.tessellation.model import Tessellation

__all__ = ["add_legend", "fresh_axes", "prepare"]

MAX_RATIO = 4.0
"""Sides of a window in a larger ratio are drawn to different scales."""

LABELS_HEIGHT = 0.46
"""Inches that the numbers and the name of the horizontal axis take."""


def fresh_axes(ax: Axes | None) -> Axes:
    """Return the axes, new ones if there are none."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def prepare(ax: Axes, tessellation: Tessellation, window: Window) -> None:
    """Set the limits, the aspect and, where there are none yet, the labels of axes of the plane."""
    ax.set_xlim(window.left, window.right)
    ax.set_ylim(window.bottom, window.top)
    width, height = window.right - window.left, window.top - window.bottom
    ax.set_aspect("equal" if max(width, height) <= MAX_RATIO * min(width, height) else "auto")
    names = axis_names(tessellation)
    style(ax, ax.get_xlabel() or names[0], ax.get_ylabel() or names[1])


def axis_names(tessellation: Tessellation) -> list[str]:
    """Return what the coordinates are."""
    is_slice = tessellation.network.input_map is not None
    if tessellation.dim == 1:
        return ["slice coordinate" if is_slice else "input"]
    return [f"{'slice coordinate' if is_slice else 'input'} {i + 1}" for i in range(tessellation.dim)]


def style(ax: Axes, xlabel: str, ylabel: str) -> None:
    """Set labels and a quiet frame."""
    ax.set_xlabel(xlabel, color=INK)
    ax.set_ylabel(ylabel, color=INK)
    ax.tick_params(color=BORDER_COLOUR, labelcolor=INK)
    for spine in ax.spines.values():
        spine.set_color(BORDER_COLOUR)


def add_legend(ax: Axes) -> None:
    """Name what has a label below the axes; the legend replaces an earlier one."""
    from matplotlib.transforms import ScaledTranslation

    handles, labels = ax.get_legend_handles_labels()
    named = dict(zip(labels, handles, strict=True))
    if named:
        below = ax.transAxes + ScaledTranslation(0, -LABELS_HEIGHT, ax.figure.dpi_scale_trans)
        columns = len(named) if len(named) <= 5 else (len(named) + 1) // 2
        legend = ax.legend(
            named.values(), named.keys(), loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below,
            ncols=columns, frameon=False, fontsize="small", labelcolor=INK,
        )  # fmt: skip
        for line in legend.get_lines():
            line.set_linewidth(1.6)
