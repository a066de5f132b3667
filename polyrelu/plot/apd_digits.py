"""The figures of the experiment with pattern graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyrelu.analysis.experiments.apd_digits import ApdDigits
from polyrelu.plot.cluster_sizes import (
    plot_cluster_sizes,
    plot_means_by_size,
    plot_right_and_wrong,
    plot_sums_up_to_size,
)
from polyrelu.plot.colours import INK
from polyrelu.plot.figure import new_figure
from polyrelu.plot.pattern_dag import draw_pattern_dag

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_apd_digits"]


def draw_apd_digits(result: ApdDigits) -> dict[str, Figure]:
    """Return the paper's Figs. 3, 4 and 5 and the graph of each network: name to figure."""
    networks = result.networks
    sizes = {network.name: network.point_sizes for network in networks}
    forgotten = {network.name: network.forgetting.n_forgotten for network in networks}
    left_and_right = new_figure(9.6, 3.9)
    left, right = left_and_right.subplots(1, 2, width_ratios=[1, 1.3])
    _title(plot_cluster_sizes({network.name: network.clusters.sizes for network in networks}, left), "Clusters")
    _title(plot_means_by_size(sizes, forgotten, right), "Forgetting by size of the cluster")
    sums = new_figure(3.4 * len(networks), 3.6)
    for network, ax in zip(networks, sums.subplots(1, len(networks), sharey=True, squeeze=False)[0], strict=True):
        values = {"forgetting events": network.forgetting.n_forgotten, "errors": (~network.is_right).astype(int)}
        _title(plot_sums_up_to_size(network.point_sizes, values, ax), network.name)
        ax.label_outer()
    boxes = new_figure(5.6, 4.0)
    is_right = {network.name: network.is_right for network in networks}
    plot_right_and_wrong(sizes, is_right, boxes.add_subplot())
    graphs = {f"graph of {network.name}": draw_pattern_dag(network.dag) for network in networks}
    return {"cluster sizes": left_and_right, "cumulative": sums, "right and wrong": boxes, **graphs}


def _title(ax: Axes, text: str) -> None:
    ax.set_title(text, color=INK, fontsize="medium", loc="left")
