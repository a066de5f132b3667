"""The picture of the demonstration: a network that tells iris flowers apart by their petals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyrelu.exact.domain import Domain
from polyrelu.plot.colours import INK
from polyrelu.plot.figure import new_figure
from polyrelu.plot.plane import plot_classes, plot_hyperplanes, plot_regions
from polyrelu.plot.points import Points, plot_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from polyrelu.tessellation.model import Tessellation

__all__ = ["demo_domain", "draw_demo"]

SPECIES = ("setosa", "versicolor", "virginica")
AXES = ("petal length (cm)", "petal width (cm)")


def demo_domain() -> Domain:
    """Return the petals that the picture shows: up to 8 cm long and 3 cm wide."""
    return Domain.box([0, 0], [8, 3])


def draw_demo(tessellation: Tessellation, points: Points) -> Figure:
    """Return the picture: above the regions with the bent hyperplanes, below the classes with the data."""
    figure = new_figure(7.2, 7.2)
    above, below = figure.subplots(2, 1)
    for ax in (above, below):
        ax.set_xlabel(AXES[0])
        ax.set_ylabel(AXES[1])
    plot_regions(tessellation, above)
    plot_hyperplanes(tessellation, above)
    plot_classes(tessellation, below, names=[f"_{name}" for name in SPECIES])
    plot_points(points._replace(names=SPECIES), below)
    n_regions, n_points = tessellation.n_regions, len(points.positions)
    titles = f"{n_regions:,} regions, each with one affine map", f"What it decides, and {n_points} flowers"
    for ax, title in zip((above, below), titles, strict=True):
        ax.set_title(title, color=INK, fontsize="medium", loc="left")
    return figure
