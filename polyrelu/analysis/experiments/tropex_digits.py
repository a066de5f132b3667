"""Functions extracted from dense and convolutional networks, on images of digits (paper 004, Section 4)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.local_maps import local_maps
from polyrelu.analysis.data.patterns import labels_at
from polyrelu.analysis.experiments.classifiers import (
    convolutional_classifier,
    dense_classifier,
    imported,
    train_classifier,
)
from polyrelu.analysis.experiments.image_data import ImageData
from polyrelu.analysis.experiments.threads import one_thread
from polyrelu.analysis.experiments.tropex_result import Architecture, Examples, Snapshot, TropexResult, mean_of_known
from polyrelu.analysis.tropex.coefficients import (
    angles_between,
    column_correlation,
    compare_coefficients,
    pattern_agreement,
)
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.analysis.tropex.extracted import ExtractedFunction
from polyrelu.analysis.tropex.overlap import region_overlap
from polyrelu.analysis.tropex.process import transformation_process
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["run"]

N_RUNS = 5
N_EXAMPLES = 6
N_DENSE = 2
"""Dense layers at the end of both networks."""
N_CORRELATED = 2000
"""Training images whose coefficients are compared between networks, at most: they are kept for every epoch."""


def run(
    data: ImageData, *, seed: int = 0, epochs: int = 20, progress: Callable[[str], None] | None = None
) -> TropexResult:
    """Return what TropEx finds in dense (FCN) and convolutional (CNN) networks that are trained on images.

    Parameters
    ----------
    data : ImageData
        Terms are extracted at all its training images: a term for each, in memory.
    seed : int
        Draws initial weights and the order of the images; the runs take this and the next seeds.
    epochs : int
        Of training.
    progress : callable, optional
        ``progress(what)`` is told what is being worked on.

    Raises
    ------
    InputError
        For a seed below 0, or of more than 32 bits.
    MissingExtraError
        Without PyTorch or scikit-learn.

    Notes
    -----
    Trimmel et al. 2021, Table 2 and Figures 2 to 5, Sections E.5 to E.7.
    """
    say = progress or (lambda what: None)
    start = time.monotonic()
    makers = {"FCN": (_dense, "D"), "CNN": (_convolutional, "C")}
    with one_thread():
        runs = {
            name: [_train(f"{name}, run {k + 1}", make(data, seed + k), data, seed + k, epochs, say)
                   for k in range(N_RUNS)]
            for name, (make, _) in makers.items()
        }  # fmt: skip
        architectures = []
        for name, trained in runs.items():
            say(f"{name}: coefficients and layers")
            architectures.append(_architecture(name, makers[name][1], trained, data))
        examples = _examples(data, [trained[0] for trained in runs.values()])
    return TropexResult(
        data.name,
        len(data.train_images),
        len(data.test_images),
        N_RUNS,
        tuple(architectures),
        examples,
        time.monotonic() - start,
    )


def _dense(data: ImageData, seed: int) -> Module:
    return dense_classifier(data, (64, 64, 64, 64), seed)


def _convolutional(data: ImageData, seed: int) -> Module:
    return convolutional_classifier(data, (8, 16), 32, seed)


@dataclass(frozen=True, eq=False)
class _Trained:
    """A trained network, its extracted function, and what was recorded on the way.

    Attributes
    ----------
    network : Network
    function : ExtractedFunction
    snapshots : tuple of Snapshot
    slopes : list of float32 arrays, shape (n, dim)
        Coefficients at some training images, for each snapshot.
    """

    network: Network
    function: ExtractedFunction
    snapshots: tuple[Snapshot, ...]
    slopes: list[NDArray[np.float32]]


def _train(name: str, module: Module, data: ImageData, seed: int, epochs: int, say: Callable[[str], None]) -> _Trained:
    """Train a network, and extract its function after 1, 2, 4, 8, ... epochs and at the end."""
    recorded = {1 << k for k in range(epochs.bit_length())} | {epochs}
    snapshots: list[Snapshot] = []
    slopes: list[NDArray[np.float32]] = []
    last: list[tuple[Network, ExtractedFunction]] = []

    def record(epoch: int, current: Module) -> None:
        say(f"{name}: epoch {epoch} of {epochs}")
        if epoch not in recorded:
            return
        network = imported(current, data)
        function = extract_terms(network, data.train_images)
        labels, found = labels_at(network, data.test_images), function.labels_of(data.test_images)
        true = data.test_labels
        shares = [float((a == b).mean()) for a, b in ((labels, found), (labels, true), (found, true))]
        snapshots.append(Snapshot(epoch, *shares))
        some = slice(N_CORRELATED)
        slopes.append((function.plus_slopes[some] - function.minus_slopes[some]).astype(np.float32))
        last[:] = [(network, function)]

    train_classifier(module, data, epochs=epochs, seed=seed, callback=record)
    [(network, function)] = last
    return _Trained(network, function, tuple(snapshots), slopes)


def _architecture(name: str, first_letter: str, runs: list[_Trained], data: ImageData) -> Architecture:
    train, test, true = data.train_images, data.test_images, data.test_labels
    pairs = list(itertools.combinations(runs, 2))
    correlations = [[column_correlation(*both).mean for both in zip(a.slopes, b.slopes, strict=True)] for a, b in pairs]
    first = runs[0]
    comparison = compare_coefficients(first.network, first.function, test)
    steps = tuple(transformation_process(each.network, train, test, true) for each in runs)
    return Architecture(
        name,
        first.network.n_neurons,
        tuple(
            "M" if step.layer == "max" else "D" if k < N_DENSE else first_letter for k, step in enumerate(steps[0][1:])
        ),
        tuple(each.snapshots for each in runs),
        tuple(region_overlap(each.network, train, test) for each in runs),
        steps,
        np.array([pattern_agreement(each.network, train, each.function, test) for each in runs]),
        np.array(correlations),
        mean_of_known(np.concatenate([angles_between(a.slopes[-1], b.slopes[-1]) for a, b in pairs])),
        comparison,
        comparison.extracted_labels == true,
    )


def _examples(data: ImageData, runs: list[_Trained]) -> Examples:
    """Return the first test images with different labels, with coefficients."""
    places = np.sort(np.unique(data.test_labels, return_index=True)[1])[:N_EXAMPLES]
    images = data.test_images[places]
    slopes = []
    for each in runs:
        found = compare_coefficients(each.network, each.function, images)
        extracted = each.function.plus_slopes[found.plus_terms] - each.function.minus_slopes[found.minus_terms]
        slopes.append(np.stack([local_maps(each.network, images).weights, extracted], axis=1))
    return Examples(data.shape, images, np.stack(slopes, axis=1))
