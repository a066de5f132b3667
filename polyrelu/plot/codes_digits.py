"""Pictures of the experiment on patterns during training (Shepeleva et al. 2020, Figures 1 and 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyrelu.analysis.experiments.codes_result import CodesDigits, LayerStory
from polyrelu.plot.colours import INK, class_colours
from polyrelu.plot.figure import new_figure
from polyrelu.plot.patterns import draw_embeddings, draw_patterns, plot_region_counts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_codes_digits"]


def draw_codes_digits(result: CodesDigits) -> dict[str, Figure]:
    """Return the experiment's pictures by name."""
    last = result.classifier.patterns[-1]
    patterns = draw_patterns(last, result.classifier.labels)
    patterns.suptitle("Dense layers of the classifier after training", color=INK, fontsize="large", x=0.02, ha="left")
    return {
        "regions": _regions(result),
        "autoencoder": _embeddings(result.autoencoder, "Autoencoder"),
        "classifier": _embeddings(result.classifier, "Classifier, dense layers"),
        "separation": _separation(result),
        "patterns": patterns,
    }


def _regions(result: CodesDigits) -> Figure:
    figure = new_figure(9.2, 3.6)
    left, right = figure.subplots(1, 2)
    names = {f"learning rate {each.rate:g}": each.rows for each in result.rates}
    plot_region_counts(names, left, right=True)
    left.set_title("Regions", color=INK, fontsize="medium", loc="left")
    for line, each in zip(left.get_lines(), result.rates, strict=True):
        epochs, shares = zip(*((row.epoch, row.accuracy) for row in each.rows), strict=True)
        right.plot(epochs, shares, "o-", color=line.get_color(), markersize=3, linewidth=1.4)
    right.set(xlabel="epoch", ylabel="training images labelled right", ylim=(0, 1.03))
    right.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    right.spines[["top", "right"]].set_visible(False)
    for ax in (left, right):
        ax.xaxis.get_major_locator().set_params(integer=True)
    ends = " and ".join(f"{each.test_accuracy:.1%}" for each in result.rates)
    right.set_title(f"Accuracy (test images in the end: {ends})", color=INK, fontsize="medium", loc="left")
    return figure


def _embeddings(story: LayerStory, name: str) -> Figure:
    notes = [
        [f"{share:.0%} · {count:,} pattern{'' if count == 1 else 's'}" for share, count in zip(*pair, strict=True)]
        for pair in zip(story.separation, story.n_distinct, strict=True)
    ]
    rows = [_time(epoch) for epoch in story.epochs]
    columns = [f"layer {k} ({width} neurons)" for k, width in enumerate(story.widths, 1)]
    title = f"{name} (%: the nearest pattern has the same label)"
    return draw_embeddings(story.embeddings, rows, columns, story.labels, notes, title)


def _separation(result: CodesDigits) -> Figure:
    figure = new_figure(7.6, 3.4)
    stories = {"autoencoder": result.autoencoder, "classifier": result.classifier}
    chance = 1 / result.n_classes
    for ax, (name, story) in zip(figure.subplots(1, 2, sharey=True), stories.items(), strict=True):
        layers = [str(k) for k in range(1, len(story.widths) + 1)]
        for colour, epoch, shares in zip(class_colours(len(story.epochs)), story.epochs, story.separation, strict=True):
            ax.plot(layers, shares, "o-", color=colour, linewidth=1.4, markersize=4, label=_time(epoch))
        ax.axhline(chance, color=INK, linewidth=0.8, linestyle=":", label="chance")
        ax.set(xlabel="layer", ylim=(0, 1.03))
        ax.set_title(name, color=INK, fontsize="medium", loc="left")
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        ax.spines[["top", "right"]].set_visible(False)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize="small")
    figure.axes[0].set_ylabel("nearest pattern\nhas the same label")
    return figure


def _time(epoch: int) -> str:
    return f"after epoch {epoch}" if epoch else "before training"
