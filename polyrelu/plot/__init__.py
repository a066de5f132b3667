"""Pictures of tessellations of the line and the plane; matplotlib is loaded when something is drawn.

>>> from polyrelu import plot, tessellate
>>> from polyrelu.testing import generic_arrangement
>>> axes = plot.plot_regions(tessellate(generic_arrangement(2, 4)))
>>> len(axes.collections[0].get_paths())
11
"""

from polyrelu.plot.figure import draw, save
from polyrelu.plot.plane import plot_classes, plot_hyperplanes, plot_output, plot_regions
from polyrelu.plot.points import Points, plot_points, read_points

__all__ = [
    "Points",
    "draw",
    "plot_classes",
    "plot_hyperplanes",
    "plot_output",
    "plot_points",
    "plot_regions",
    "read_points",
    "save",
]
