"""Whole pictures: one tessellation, drawn and saved without a display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from polyrelu.errors import FileError, InputError
from polyrelu.plot.colours import INK
from polyrelu.plot.plane import plot_classes, plot_hyperplanes, plot_output, plot_regions
from polyrelu.plot.points import Points, plot_points
from polyrelu.plot.view import window_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from polyrelu.tessellation.model import Tessellation

__all__ = ["check_format", "draw", "new_figure", "save", "title_of"]

FORMATS = (".png", ".svg", ".pdf")
DPI = 200
WIDTH, LEAST, MOST = 6.4, 3.6, 7.6
"""Inches: the width of a picture, and between what its height lies."""


def draw(
    tessellation: Tessellation,
    by: str = "region",
    output: int = 0,
    hyperplanes: bool = False,
    points: Points | None = None,
) -> Figure:
    """Return a picture of a tessellation.

    Parameters
    ----------
    tessellation : Tessellation
        Of dimension 1 or 2.
    by : {"region", "output", "class"}
        What the colours show.
    output : int
        Which output, for "output".
    hyperplanes : bool
        Draw the bent hyperplanes too, coloured by layer.
    points : Points, optional
        Data to draw on top.
    """
    if points is not None and points.positions.shape[1] != tessellation.dim:
        raise InputError(
            f"draw needs points of {tessellation.dim} coordinates but received {points.positions.shape[1]}. "
            "Give them in the coordinates of the picture."
        )
    window = window_of(tessellation)
    ratio = (window.top - window.bottom) / (window.right - window.left) if tessellation.dim == 2 else 0.62
    figure = new_figure(WIDTH, min(max(WIDTH * ratio, LEAST), MOST))
    ax = figure.add_subplot()
    if by == "region":
        plot_regions(tessellation, ax)
    elif by == "output":
        plot_output(tessellation, ax, output=output)
    elif by == "class":
        plot_classes(tessellation, ax)
    else:
        raise InputError(f"draw needs region, output or class but received {by!r}. Choose one.")
    if hyperplanes:
        plot_hyperplanes(tessellation, ax)
    if points is not None:
        plot_points(points, ax)
    ax.set_title(title_of(tessellation), color=INK, fontsize="medium", loc="left")
    return figure


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure that needs no display."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def title_of(tessellation: Tessellation) -> str:
    """Return how many regions a picture shows, and of what."""
    layers = tessellation.network.layers
    widths = [layers[0].n_inputs, *(layer.n_outputs for layer in layers)]
    name = "-".join(map(str, widths)) if len(widths) <= 7 else f"{widths[0]}-…-{widths[-1]}"
    regions = "1 region" if tessellation.n_regions == 1 else f"{tessellation.n_regions:,} regions"
    return f"{regions} of {name}" + ("" if tessellation.is_complete else " (incomplete)")


def check_format(path: str | Path) -> None:
    """Raise `FileError` unless a path ends like a picture that can be saved."""
    if Path(path).suffix.lower() not in FORMATS:
        raise FileError(f"A picture needs a name in {', '.join(FORMATS)} but received {str(path)!r}. Rename it.")


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure to a .png, .svg or .pdf file; the same figure gives the same bytes."""
    from matplotlib import rc_context

    check_format(path)
    kind = Path(path).suffix.lower()[1:]
    undated = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    with rc_context({"svg.hashsalt": "polyrelu"}):
        figure.savefig(path, dpi=DPI, format=kind, metadata=undated, facecolor="white")
