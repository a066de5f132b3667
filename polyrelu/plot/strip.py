"""Cross-sections of space beside each other, each a picture of the plane."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from polyrelu.errors import InputError
from polyrelu.exact.rational import to_fractions
from polyrelu.network.slices import Slice
from polyrelu.plot.canvas import axis_names
from polyrelu.plot.colours import INK
from polyrelu.plot.figure import new_figure
from polyrelu.plot.plane import plot_classes, plot_output, plot_regions
from polyrelu.plot.view import around, check_dim
from polyrelu.tessellation.sections import section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from polyrelu.tessellation.model import Tessellation

__all__ = ["draw_sections"]

N_SECTIONS = 4


def draw_sections(
    tessellation: Tessellation,
    by: str = "region",
    output: int = 0,
    *,
    axis: int = 2,
    heights: Sequence[object] | None = None,
) -> Figure:
    """Return a strip of cross-sections, each a picture of the plane in the coordinates of the other two inputs.

    Parameters
    ----------
    tessellation : Tessellation
        Of three dimensions.
    by : {"region", "output", "class"}
    output : int
    axis : {0, 1, 2}
        The input that is the same on each section.
    heights : sequence of numbers, optional
        Its values, taken exactly; four of them, evenly through the box, by default.
    """
    t = tessellation
    check_dim("draw_sections", t, (3,))
    if by not in ("region", "output", "class") or axis not in (0, 1, 2):
        raise InputError(
            f"draw_sections needs region, output or class, and axis 0, 1 or 2, but received {by!r} and {axis!r}. "
            "Choose one of each."
        )
    if heights is not None and not len(heights):
        raise InputError("draw_sections needs at least one height but received none. Leave heights out for four.")
    low, high = (Fraction(float(corner[axis])) for corner in around(t))
    parts = [Fraction(2 * k + 1, 2 * N_SECTIONS) for k in range(N_SECTIONS)]
    values = [low + (high - low) * part for part in parts] if heights is None else to_fractions(heights)
    others, names = [j for j in range(3) if j != axis], axis_names(t)
    figure = new_figure(3.1 * len(values), 3.5)
    for ax, value in zip(figure.subplots(1, len(values), squeeze=False)[0], values, strict=True):
        origin = [value if j == axis else Fraction(0) for j in range(3)]
        found = section(t, Slice.along(origin, *([int(i == j) for i in range(3)] for j in others))).tessellation
        ax.set_xlabel(names[others[0]])
        ax.set_ylabel(names[others[1]])
        if by == "region":
            plot_regions(found, ax)
        elif by == "class":
            plot_classes(found, ax)
        else:
            plot_output(found, ax, output=output)
        ax.set_title(f"{names[axis]} = {float(value):.4g}", color=INK, fontsize="medium", loc="left")
    return figure
