"""Figures of the experiment on local maps of images: gradients, mapped gradients, and both tables of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polyrelu.analysis.experiments.local_maps_digits import (
    PAPER_CLUSTERS,
    PAPER_MAPPING,
    PAPER_ORIGINAL,
    LocalMapsResult,
)
from polyrelu.plot.canvas import style
from polyrelu.plot.colours import BORDER_COLOUR, INK, class_colours
from polyrelu.plot.figure import new_figure
from polyrelu.plot.local_maps import draw_image_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_local_maps_digits"]


def draw_local_maps_digits(result: LocalMapsResult) -> dict[str, Figure]:
    """Return the figures of the experiment by name.

    "gradients" shows the gradient of each output of each network at one image (Figure 6), "mapped" gradients of the
    dense network mapped to the convolutional one (Figure 12), "clusters" and "mapping" Tables 1 and 2.
    """
    return {
        "gradients": _gradients(result),
        "mapped": _mapped(result),
        "clusters": _clusters(result),
        "mapping": _mapping(result),
    }


def _gradients(result: LocalMapsResult) -> Figure:
    n_out = result.gradients.shape[1]
    gradients = result.gradients.reshape(-1, n_out, *result.shape)
    image = result.images[0].reshape(result.shape)
    cells = [[image, *each] for each in gradients]
    return draw_image_grid(
        cells,
        is_gradient=[[False, *[True] * n_out] for _ in cells],
        row_names=result.names,
        column_names=["image", *(f"output {j}" for j in range(n_out))],
        title="What raises (red) and lowers (blue) each output near one image",
    )


def _mapped(result: LocalMapsResult) -> Figure:
    images = result.images.reshape(-1, *result.shape)
    mapped = result.mapped.reshape(len(images), 3, *result.shape)
    cells = [[images[k] for k in range(len(images))], *([each[row] for each in mapped] for row in range(3))]
    source, target = result.names[:2]
    return draw_image_grid(
        cells,
        is_gradient=[[row > 0] * len(images) for row in range(4)],
        row_names=["image", source, f"{source}\nmapped", target],
        column_names=[""] * len(images),
        title=f"Gradients of output 0: {source} to {target}",
    )


def _clusters(result: LocalMapsResult) -> Figure:
    figure = new_figure(6.4, 4.2)
    ax: Axes = figure.add_subplot()
    numbers = result.clusters[0].n_clusters
    for colour, name, table in zip(class_colours(len(result.names)), result.names, result.clusters, strict=True):
        ours = [100 * right / result.n_test for right in (*table.right, table.original)]
        ax.plot(ours, "o-", color=colour, label=name, markersize=5)
        ax.plot([*PAPER_CLUSTERS[name], PAPER_ORIGINAL[name]], "s:", color=colour, markersize=4, alpha=0.7)
    ax.plot([], "o-", color=INK, label=result.data, markersize=5)
    ax.plot([], "s:", color=INK, label="paper, on MNIST", markersize=4, alpha=0.7)
    ax.set_xticks(range(len(numbers) + 1), [*(f"{n:,}" for n in numbers), "all maps"])
    ax.set_ylim(0, 103)
    ax.grid(axis="y", color=BORDER_COLOUR, alpha=0.25)
    style(ax, "clusters of the maps of each output", "right test images (%)")
    ax.legend(frameon=False, fontsize="small", labelcolor=INK, loc="lower right")
    ax.set_title(f"{result.data}: few local maps instead of many", color=INK, fontsize="medium", loc="left")
    return figure


def _mapping(result: LocalMapsResult) -> Figure:
    figure = new_figure(4.8, 4.4)
    ax: Axes = figure.add_subplot()
    ours = 100 * result.mapping.right / result.n_test
    ax.imshow(ours, cmap="Blues", vmin=min(80.0, float(ours.min())), vmax=112)
    for (row, column), value in np.ndenumerate(ours):
        text = f"{value:.1f} %\npaper {PAPER_MAPPING[row][column]:.1f} %"
        ax.text(column, row, text, ha="center", va="center", color=INK, fontsize="small")
    ax.set_xticks(range(len(result.names)), result.names)
    ax.set_yticks(range(len(result.names)), result.names)
    style(ax, "to the maps of", "from the maps of")
    ax.set_title(f"{result.data}: right test images after mapping", color=INK, fontsize="medium", loc="left")
    return figure
