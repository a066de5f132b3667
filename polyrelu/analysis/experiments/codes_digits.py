"""Shepeleva et al. 2020, section 3: patterns of an autoencoder and of a classifier while they learn images.

The paper trains VGG16 with one to three dense layers, and an autoencoder of three layers, on MNIST and CIFAR-10 with
plain gradient descent, and shows pictures. Here a small convolutional classifier with three dense layers and an
autoencoder with the paper's widths learn any images with Adam; a number beside each picture says how well the classes
separate.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.embedding import embed_patterns
from polyrelu.analysis.data.pattern_distances import neighbour_accuracy
from polyrelu.analysis.data.region_counter import RegionCounter
from polyrelu.analysis.experiments.classifiers import convolutional_classifier, seeded, train_classifier
from polyrelu.analysis.experiments.codes_result import CodesDigits, LayerStory, LearningRate
from polyrelu.analysis.experiments.image_data import ImageData
from polyrelu.analysis.experiments.threads import one_thread
from polyrelu.errors import InputError

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["run"]

Progress = Callable[[str], None]

RATES = (0.001, 0.01)
"""The learning rates of the paper's Figure 1."""
AUTOENCODER = (128, 64, 32)
DENSE = (64, 32, 32)
AUTOENCODER_RATE = 0.003
MOST_IMAGES, MOST_EMBEDDED = 2000, 500


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
