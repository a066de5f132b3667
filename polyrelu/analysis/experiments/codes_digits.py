"""Shepeleva et al. 2020, section 3: patterns of an autoencoder and of a classifier while they learn images.

The paper trains VGG16 with one to three dense layers, and an autoencoder of three layers, on MNIST and CIFAR-10 with
plain gradient descent, and shows pictures. Here a small convolutional classifier with three dense layers and an
autoencoder with the paper's widths learn any images with Adam; a number beside each picture says how well the classes
separate.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.embedding import Embedding, embed_patterns
from polyrelu.analysis.data.pattern_distances import neighbour_accuracy
from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.analysis.data.region_counter import RegionCounter, RegionCounts
from polyrelu.analysis.experiments.classifiers import convolutional_classifier, seeded, train_classifier
from polyrelu.analysis.experiments.image_data import ImageData
from polyrelu.analysis.experiments.threads import one_thread
from polyrelu.errors import InputError

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["CodesDigits", "LayerStory", "LearningRate", "run"]

Progress = Callable[[str], None]

RATES = (0.001, 0.01)
"""The learning rates of the paper's Figure 1."""
AUTOENCODER = (128, 64, 32)
DENSE = (64, 32, 32)
AUTOENCODER_RATE = 0.003
MOST_IMAGES, MOST_EMBEDDED = 2000, 500


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


PAPER_RATES = (
    "Paper, Figure 1: with two learning rates the accuracy is the same in the end, but the number of regions evolves "
    "differently."
)
PAPER_AUTOENCODER = (
    "Paper, Figure 2a: in higher layers of an autoencoder, patterns of different classes are not separated well; "
    "training makes this stronger."
)
PAPER_CLASSIFIER = "Paper, Figure 2b: in a classifier, higher layers separate the classes better than lower ones."


def run(data: ImageData, *, seed: int = 0, epochs: int = 30, progress: Progress | None = None) -> CodesDigits:
    """Train the networks and look at their patterns; a minute at most on digits.

    Parameters
    ----------
    data : ImageData
        Of MNIST's size, regions are counted at the first 2,000 training images.
    seed : int
        Draws weights, the order of the images, and what is random in embeddings.
    epochs : int
        At least 1.
    progress : callable, optional
        Hears what is being worked on.

    Raises
    ------
    InputError
        For no epochs, fewer than two test images, or a seed below 0.
    MissingExtraError
        Without PyTorch or scikit-learn.
    """
    if epochs < 1 or len(data.test_labels) < 2:
        raise InputError(
            f"codes-digits needs an epoch and two test images but received {epochs} and {len(data.test_labels)}. "
            "Add some."
        )
    say = progress or (lambda what: None)
    few, looked_at = data.first(MOST_IMAGES, MOST_EMBEDDED), _looked_at(epochs)
    rates = []
    with one_thread():
        for rate in RATES:
            say(f"training a classifier with learning rate {rate}")
            classifier = RegionCounter(few.test_images, few.test_labels, layers=(-3, -2, -1), keep=looked_at)
            rates.append(_with_rate(data, few, rate, seed, epochs, classifier))
        say("training an autoencoder")
        autoencoder = RegionCounter(few.test_images, keep=looked_at)
        _train_autoencoder(data, seed, epochs, lambda epoch, module: _at(looked_at, autoencoder, epoch, module))
        return CodesDigits(
            data.name, len(few.train_labels), len(few.test_labels), data.n_classes, epochs, seed, tuple(rates),
            _story("autoencoder", autoencoder, few.test_labels, seed, say),
            _story("classifier", classifier, few.test_labels, seed, say),
        )  # fmt: skip


def _looked_at(epochs: int) -> tuple[int, ...]:
    """Return epochs in the beginning, in the middle and in the end."""
    return tuple(sorted({0, max(1, epochs // 6), epochs}))


def _counted(epochs: int) -> set[int]:
    """Return the first ten epochs, then every third, and the last."""
    return {*range(min(epochs, 10) + 1), *range(10, epochs, 3), epochs}


def _at(epochs: Collection[int], counter: RegionCounter, epoch: int, module: Module) -> None:
    if epoch in epochs:
        counter(epoch, module)


def _with_rate(
    data: ImageData, few: ImageData, rate: float, seed: int, epochs: int, watched: RegionCounter
) -> LearningRate:
    """Train a classifier; count the regions of its dense layers, and let ``watched`` keep patterns."""
    counter = RegionCounter(few.train_images, few.train_labels, layers=(-3, -2, -1))

    def callback(epoch: int, module: Module) -> None:
        _at(_counted(epochs), counter, epoch, module)
        _at(watched.keep, watched, epoch, module)

    module = _classifier(data, seed)
    train_classifier(module, data, epochs=epochs, learning_rate=rate, seed=seed, callback=callback)
    return LearningRate(rate, tuple(counter.rows), watched.rows[-1].accuracy or 0.0)


def _classifier(data: ImageData, seed: int) -> Module:
    """Return convolutions with pooling, then three dense layers, with the paper's first weights."""
    import torch

    module: Any = convolutional_classifier(data, hidden=DENSE[0], seed=seed)
    with seeded(seed):
        widths = [*DENSE, data.n_classes]
        parts = [
            part
            for n_in, n_out in itertools.pairwise(widths)
            for part in (torch.nn.Linear(n_in, n_out), torch.nn.ReLU())
        ]
        return _with_first_weights(torch.nn.Sequential(*module[:-1], *parts[:-1]))


def _train_autoencoder(data: ImageData, seed: int, epochs: int, callback: Callable[[int, Module], None]) -> None:
    """Train an encoder of three ReLU layers with an affine decoder on the mean squared error."""
    import torch

    with seeded(seed):
        parts = [
            part
            for n_in, n_out in itertools.pairwise([data.dim, *AUTOENCODER])
            for part in (torch.nn.Linear(n_in, n_out), torch.nn.ReLU())
        ]
        module = _with_first_weights(torch.nn.Sequential(*parts, torch.nn.Linear(AUTOENCODER[-1], data.dim)))
    optimiser = torch.optim.Adam(module.parameters(), lr=AUTOENCODER_RATE)
    x, random = torch.from_numpy(data.train_images.astype(np.float32)), np.random.default_rng(seed)
    callback(0, module)
    for epoch in range(1, epochs + 1):
        for batch in torch.from_numpy(random.permutation(len(x))).split(64):
            loss = torch.nn.functional.mse_loss(module(x[batch]), x[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        callback(epoch, module)


def _with_first_weights(module: Module) -> Module:
    """Give weights as Glorot and Bengio draw them, and no biases (appendix B)."""
    import torch

    for parameter in module.parameters():
        if parameter.ndim > 1:
            torch.nn.init.xavier_uniform_(parameter)
        else:
            torch.nn.init.zeros_(parameter)
    return module


def _story(name: str, counter: RegionCounter, labels: NDArray[np.int64], seed: int, say: Progress) -> LayerStory:
    patterns = tuple(counter.patterns.values())
    widths = patterns[0].widths
    embeddings, separation = [], np.zeros((len(patterns), len(widths)))
    for row, (epoch, each) in enumerate(counter.patterns.items()):
        say(f"embedding patterns of the {name} after epoch {epoch}")
        embeddings.append(tuple(embed_patterns(each, layer, seed=seed) for layer in range(len(widths))))
        separation[row] = [neighbour_accuracy(each, labels, layer) for layer in range(len(widths))]
    return LayerStory(name, widths, tuple(counter.patterns), patterns, tuple(embeddings), separation, labels)


# Tables ------------------------------------------------------------------------------------------------------


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
