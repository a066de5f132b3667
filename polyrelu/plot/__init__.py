"""Pictures of tessellations of the line, the plane and space, and of data seen through networks.

``plot_*`` draws into axes and returns them, ``draw_*`` returns a whole figure (those of the experiments a dictionary of
figures), which `save` writes. matplotlib is loaded when something is drawn.

>>> from polyrelu import plot, tessellate
>>> from polyrelu.testing import generic_arrangement
>>> axes = plot.plot_regions(tessellate(generic_arrangement(2, 4)))
>>> len(axes.collections[0].get_paths())
11

Names are loaded when they are first used, so that a picture of regions does not wait for what draws data.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polyrelu.plot.apd_digits import draw_apd_digits
    from polyrelu.plot.cluster_sizes import (
        plot_cluster_sizes,
        plot_means_by_size,
        plot_right_and_wrong,
        plot_sums_up_to_size,
    )
    from polyrelu.plot.codes_digits import draw_codes_digits
    from polyrelu.plot.figure import draw, save
    from polyrelu.plot.images import plot_image, plot_image_space
    from polyrelu.plot.local_maps import (
        draw_dual,
        draw_gradients,
        draw_image_grid,
        plot_dual_points,
        plot_gradient,
        plot_image_of_data,
    )
    from polyrelu.plot.local_maps_digits import draw_local_maps_digits
    from polyrelu.plot.pattern_dag import draw_pattern_dag, plot_pattern_dag
    from polyrelu.plot.patterns import (
        draw_embeddings,
        draw_patterns,
        plot_embedding,
        plot_pattern_rows,
        plot_region_counts,
    )
    from polyrelu.plot.plane import plot_classes, plot_hyperplanes, plot_output, plot_regions
    from polyrelu.plot.points import Points, plot_points, read_points
    from polyrelu.plot.space import draw_space, plot_bent_hyperplanes, plot_polytopes, plot_surface
    from polyrelu.plot.strip import draw_sections
    from polyrelu.plot.tropex import plot_angles, plot_merge_steps
    from polyrelu.plot.tropex_digits import draw_tropex_digits

_HOME = {
    "Points": "polyrelu.plot.points",
    "draw": "polyrelu.plot.figure",
    "draw_apd_digits": "polyrelu.plot.apd_digits",
    "draw_codes_digits": "polyrelu.plot.codes_digits",
    "draw_dual": "polyrelu.plot.local_maps",
    "draw_embeddings": "polyrelu.plot.patterns",
    "draw_gradients": "polyrelu.plot.local_maps",
    "draw_image_grid": "polyrelu.plot.local_maps",
    "draw_local_maps_digits": "polyrelu.plot.local_maps_digits",
    "draw_pattern_dag": "polyrelu.plot.pattern_dag",
    "draw_patterns": "polyrelu.plot.patterns",
    "draw_sections": "polyrelu.plot.strip",
    "draw_space": "polyrelu.plot.space",
    "draw_tropex_digits": "polyrelu.plot.tropex_digits",
    "plot_angles": "polyrelu.plot.tropex",
    "plot_bent_hyperplanes": "polyrelu.plot.space",
    "plot_classes": "polyrelu.plot.plane",
    "plot_cluster_sizes": "polyrelu.plot.cluster_sizes",
    "plot_dual_points": "polyrelu.plot.local_maps",
    "plot_embedding": "polyrelu.plot.patterns",
    "plot_gradient": "polyrelu.plot.local_maps",
    "plot_hyperplanes": "polyrelu.plot.plane",
    "plot_image": "polyrelu.plot.images",
    "plot_image_of_data": "polyrelu.plot.local_maps",
    "plot_image_space": "polyrelu.plot.images",
    "plot_means_by_size": "polyrelu.plot.cluster_sizes",
    "plot_merge_steps": "polyrelu.plot.tropex",
    "plot_output": "polyrelu.plot.plane",
    "plot_pattern_dag": "polyrelu.plot.pattern_dag",
    "plot_pattern_rows": "polyrelu.plot.patterns",
    "plot_points": "polyrelu.plot.points",
    "plot_polytopes": "polyrelu.plot.space",
    "plot_region_counts": "polyrelu.plot.patterns",
    "plot_regions": "polyrelu.plot.plane",
    "plot_right_and_wrong": "polyrelu.plot.cluster_sizes",
    "plot_sums_up_to_size": "polyrelu.plot.cluster_sizes",
    "plot_surface": "polyrelu.plot.space",
    "read_points": "polyrelu.plot.points",
    "save": "polyrelu.plot.figure",
}

__all__ = [
    "Points",
    "draw",
    "draw_apd_digits",
    "draw_codes_digits",
    "draw_dual",
    "draw_embeddings",
    "draw_gradients",
    "draw_image_grid",
    "draw_local_maps_digits",
    "draw_pattern_dag",
    "draw_patterns",
    "draw_sections",
    "draw_space",
    "draw_tropex_digits",
    "plot_angles",
    "plot_bent_hyperplanes",
    "plot_classes",
    "plot_cluster_sizes",
    "plot_dual_points",
    "plot_embedding",
    "plot_gradient",
    "plot_hyperplanes",
    "plot_image",
    "plot_image_of_data",
    "plot_image_space",
    "plot_means_by_size",
    "plot_merge_steps",
    "plot_output",
    "plot_pattern_dag",
    "plot_pattern_rows",
    "plot_points",
    "plot_polytopes",
    "plot_region_counts",
    "plot_regions",
    "plot_right_and_wrong",
    "plot_sums_up_to_size",
    "plot_surface",
    "read_points",
    "save",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'polyrelu.plot' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
