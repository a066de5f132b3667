"""What the experiment with patterns during training finds, as text and as JSON."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.embedding import Embedding
from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.analysis.data.region_counter import RegionCounts

__all__ = ["CodesDigits", "LayerStory", "LearningRate"]

PAPER_RATES = (
    "Paper, Figure 1: with two learning rates the accuracy is the same in the end, but the number of regions evolves "
    "differently."
)
PAPER_AUTOENCODER = (
    "Paper, Figure 2a: in higher layers of an autoencoder, patterns of different classes are not separated well; "
    "training makes this stronger."
)
PAPER_CLASSIFIER = "Paper, Figure 2b: in a classifier, higher layers separate the classes better than lower ones."


@dataclass(frozen=True, eq=False)
class LearningRate:
    """How the number of regions evolved with one learning rate.

    Attributes
    ----------
    rate : float
    rows : tuple of RegionCounts
        Of the dense layers at the training images, from before training to the last epoch: at each of the first ten,
        then at every third.
    test_accuracy : float
        In the end.
    """

    rate: float
    rows: tuple[RegionCounts, ...]
    test_accuracy: float


@dataclass(frozen=True, eq=False)
class LayerStory:
    """What the patterns of a network's layers say about the classes, while it learns.

    Attributes
    ----------
    name : str
    widths : tuple of int
        Of the layers looked at.
    epochs : tuple of int
        When they were looked at.
    patterns : tuple of DataPatterns
        Of the embedded images then.
    embeddings : tuple of tuple of Embedding
        A row for each of these epochs, with an embedding for each layer.
    separation : float64 array, shape (n_epochs, n_layers)
        How often the image with the nearest pattern has the same label (`neighbour_accuracy`).
    labels : int64 array, shape (n,)
        Of the embedded images.
    """

    name: str
    widths: tuple[int, ...]
    epochs: tuple[int, ...]
    patterns: tuple[DataPatterns, ...]
    embeddings: tuple[tuple[Embedding, ...], ...]
    separation: NDArray[np.float64]
    labels: NDArray[np.int64]

    @property
    def n_distinct(self) -> NDArray[np.int64]:
        """How many different patterns the images have, shape (n_epochs, n_layers)."""
        return np.array([[each.n_patterns for each in row] for row in self.embeddings], np.int64)


@dataclass(frozen=True, eq=False)
class CodesDigits:
    """What the experiment found.

    Attributes
    ----------
    data : str
        Name of the images.
    n_images, n_embedded, n_classes : int
        Training images whose regions are counted, test images that are embedded, and their labels.
    epochs, seed : int
    rates : tuple of LearningRate
    autoencoder, classifier : LayerStory
        The classifier is the one of the largest rate.
    """

    data: str
    n_images: int
    n_embedded: int
    n_classes: int
    epochs: int
    seed: int
    rates: tuple[LearningRate, ...]
    autoencoder: LayerStory
    classifier: LayerStory

    def to_text(self) -> str:
        """Return what the paper says with our numbers below."""
        about = f"{self.n_images:,} images of {self.data}, {self.epochs} epochs, seed {self.seed}"
        stories = [_story_text(self.autoencoder, PAPER_AUTOENCODER), _story_text(self.classifier, PAPER_CLASSIFIER)]
        return "\n\n".join([about, _rates_text(self.rates), *stories])

    def to_json(self) -> dict[str, Any]:
        """Return all numbers as values of JSON."""
        return {
            "data": self.data,
            "images": self.n_images,
            "embedded": self.n_embedded,
            "epochs": self.epochs,
            "seed": self.seed,
            "rates": [_rate_json(each) for each in self.rates],
            "autoencoder": _story_json(self.autoencoder),
            "classifier": _story_json(self.classifier),
        }


def _rates_text(rates: Sequence[LearningRate]) -> str:
    last = rates[0].rows[-1].epoch
    kept = [row.epoch in (0, 1, 2, 5, 10, 19, last) for row in rates[0].rows]
    lines = [["epoch", *(str(row.epoch) for row in itertools.compress(rates[0].rows, kept)), "test accuracy"]]
    for each in rates:
        rows = list(itertools.compress(each.rows, kept))
        first = [f"rate {each.rate:g}: regions", *(f"{row.n_patterns:,}" for row in rows), f"{each.test_accuracy:.1%}"]
        right = ["with a right image", *(f"{row.n_right:,}" for row in rows), ""]
        lines += [first, right, ["training accuracy", *(f"{row.accuracy:.1%}" for row in rows), ""]]
    return f"{PAPER_RATES}\n{_table(lines)}"


def _story_text(story: LayerStory, paper: str) -> str:
    head = [f"{story.name}: nearest has the same label", *(f"layer {k} ({w})" for k, w in enumerate(story.widths, 1))]
    lines = [
        [f"after epoch {epoch}" if epoch else "before training", *(f"{share:.1%}" for share in row)]
        for epoch, row in zip(story.epochs, story.separation, strict=True)
    ]
    return f"{paper}\n{_table([head, *lines])}"


def _table(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]).rstrip()
        for line in lines
    )


def _rate_json(each: LearningRate) -> dict[str, Any]:
    return {
        "rate": each.rate,
        "test_accuracy": each.test_accuracy,
        "epochs": [row.epoch for row in each.rows],
        "regions": [row.n_patterns for row in each.rows],
        "regions_by_layer": [list(row.by_layer) for row in each.rows],
        "regions_with_a_right_image": [row.n_right for row in each.rows],
        "training_accuracy": [row.accuracy for row in each.rows],
        "images_decided_exactly": [row.n_decided_exactly for row in each.rows],
    }


def _story_json(story: LayerStory) -> dict[str, Any]:
    return {
        "widths": list(story.widths),
        "epochs": list(story.epochs),
        "patterns": story.n_distinct.tolist(),
        "nearest_has_same_label": story.separation.tolist(),
        "embedding": story.embeddings[0][0].method,
    }
