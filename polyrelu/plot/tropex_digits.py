"""The figures of the experiment with extracted functions (Trimmel et al. 2021, Figures 2 to 5 and Section E.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.experiments.tropex_result import Examples, TropexResult
from polyrelu.plot.canvas import style
from polyrelu.plot.colours import CLASSES, INK
from polyrelu.plot.figure import new_figure
from polyrelu.plot.tropex import add_band, plot_angles, plot_merge_steps, widen

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_tropex_digits"]

BLUE, RED = CLASSES[:2]
GREY = "#8c8c94"
LETTERS = {"D": "dense", "C": "convolution", "M": "max pool"}


def draw_tropex_digits(result: TropexResult) -> dict[str, Figure]:
    """Return the figures: layers merged, training, angles, retraining, and coefficients as images; name to figure."""
    return {
        "layers merged": _layers_merged(result),
        "training": _training(result),
        "angles": _angles(result),
        "retraining": _retraining(result),
        "coefficients": _coefficients(result.examples, [each.name for each in result.architectures]),
    }


def _layers_merged(result: TropexResult) -> Figure:
    """Accuracy and agreement while layers become an extracted function (Figure 3)."""
    n = len(result.architectures)
    figure = new_figure(4.4 * n, 3.6)
    for ax, each in zip(figure.subplots(1, n, sharey=True, squeeze=False)[0], result.architectures, strict=True):
        plot_merge_steps(each.steps, ax, each.letters)
        style(ax, "layers merged, from the last one", "test images, %")
        _title(ax, f"{each.name} ({', '.join(f'{a} {LETTERS[a]}' for a in sorted(set(each.letters)))})")
        ax.label_outer()
    _legend(figure)
    return figure


def _training(result: TropexResult) -> Figure:
    """Agreement and accuracy of the extracted function during training (Figure 4)."""
    n = len(result.architectures)
    figure = new_figure(4.4 * n, 3.6)
    for ax, each in zip(figure.subplots(1, n, sharey=True, squeeze=False)[0], result.architectures, strict=True):
        agreement, extracted, accuracy = (
            100 * np.array([[getattr(snapshot, name) for snapshot in run] for run in each.snapshots])
            for name in ("agreement", "extracted_accuracy", "accuracy")
        )
        add_band(ax, result.epochs, accuracy, GREY, "network right")
        add_band(ax, result.epochs, agreement, BLUE, "same label as the network")
        add_band(ax, result.epochs, extracted, RED, "extracted function right", dashed=True)
        _epochs_axis(ax, result)
        style(ax, "epoch", "test images, %")
        _title(ax, each.name)
        widen(ax)
        ax.label_outer()
    _legend(figure)
    return figure


def _angles(result: TropexResult) -> Figure:
    """Angle and distance between coefficients in the network and in its extracted function (Figure 2)."""
    n = len(result.architectures)
    figure = new_figure(4.4 * n, 3.9)
    for ax, each in zip(figure.subplots(1, n, squeeze=False)[0], result.architectures, strict=True):
        plot_angles(each.comparison, each.is_right, ax)
        _title(ax, f"{each.name}, a dot for each test image")
    return figure


def _retraining(result: TropexResult) -> Figure:
    """Correlation between the coefficients of two runs during training (Figure 5)."""
    figure = new_figure(5.2, 3.6)
    ax = figure.add_subplot()
    for each, colour in zip(result.architectures, (BLUE, RED), strict=True):
        add_band(ax, result.epochs, each.correlations, colour, each.name, limits=(-1.0, 1.0))
    _epochs_axis(ax, result)
    ax.set_ylim(min(0.0, ax.get_ylim()[0]), max(0.6, ax.get_ylim()[1]))
    style(ax, "epoch", "mean correlation of two runs")
    ax.legend(frameon=False, fontsize="small", labelcolor=INK, loc="upper left")
    _title(ax, "Coefficients of networks trained anew")
    return figure


def _coefficients(examples: Examples, names: list[str]) -> Figure:
    """Slopes as images: in the network and in its extracted function (Section E.7)."""
    n, n_kinds = examples.slopes.shape[:2]
    rows = ["image", *(f"{name}, {which}" for name in names for which in ("network", "extracted"))]
    figure = new_figure(max(1.15 * n + 1.1, 4.6), 1.2 * len(rows) + 0.3)  # the caption needs some width
    grid = figure.subplots(len(rows), n, squeeze=False)
    for column in range(n):
        _image(grid[0, column], examples.images[column], examples.shape, "gray_r", 0.0, 1.0)
        for kind in range(n_kinds):
            pair = examples.slopes[column, kind]
            largest = float(np.abs(pair).max()) or 1.0
            for which in range(2):
                ax = grid[1 + 2 * kind + which, column]
                _image(ax, pair[which], examples.shape, "RdBu_r", -largest, largest)
    for ax, name in zip(grid[:, 0], rows, strict=True):
        ax.set_ylabel(name, color=INK, fontsize="small", rotation=0, ha="right", va="center")
    figure.supxlabel(
        "slopes of the largest output: red positive, blue negative,\none scale for network and extracted function",
        color=INK, fontsize="small",
    )  # fmt: skip
    return figure


def _image(
    ax: Axes, values: NDArray[np.float64], shape: tuple[int, int], colours: str, low: float, high: float
) -> None:
    ax.imshow(values.reshape(shape), cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def _epochs_axis(ax: Axes, result: TropexResult) -> None:
    ax.set_xscale("log", base=2)
    ax.set_xlim(0.9 * result.epochs[0], 1.1 * result.epochs[-1])
    ax.set_xticks(result.epochs, [str(epoch) for epoch in result.epochs])
    ax.minorticks_off()


def _legend(figure: Figure) -> None:
    """Set one legend for all axes below them."""
    handles, names = figure.axes[0].get_legend_handles_labels()
    for own in [legend for ax in figure.axes if (legend := ax.get_legend()) is not None]:
        own.remove()
    figure.legend(
        handles, names, loc="outside lower center", ncols=len(names), frameon=False, fontsize="small", labelcolor=INK
    )


def _title(ax: Axes, text: str) -> None:
    ax.set_title(text, color=INK, fontsize="medium", loc="left")
