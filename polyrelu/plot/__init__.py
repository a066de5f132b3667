"""Pictures of tessellations of the line, the plane and space; matplotlib is loaded when something is drawn.

>>> from polyrelu import plot, tessellate
>>> from polyrelu.testing import generic_arrangement
>>> axes = plot.plot_regions(tessellate(generic_arrangement(2, 4)))
>>> len(axes.collections[0].get_paths())
11
"""

from polyrelu.plot.figure import draw, save
from polyrelu.plot.images import plot_image, plot_image_space
from polyrelu.plot.plane import plot_classes, plot_hyperplanes, plot_output, plot_regions
from polyrelu.plot.points import Points, plot_points, read_points
from polyrelu.plot.space import draw_space, plot_bent_hyperplanes, plot_polytopes, plot_surface
from polyrelu.plot.strip import draw_sections

__all__ = [
    "Points",
    "draw",
    "draw_sections",
    "draw_space",
    "plot_bent_hyperplanes",
    "plot_classes",
    "plot_hyperplanes",
    "plot_image",
    "plot_image_space",
    "plot_output",
    "plot_points",
    "plot_polytopes",
    "plot_regions",
    "plot_surface",
    "read_points",
    "save",
]
