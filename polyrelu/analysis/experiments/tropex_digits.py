"""Functions extracted from dense and convolutional networks, on images of digits (paper 004, Section 4)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

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
from polyrelu.analysis.tropex.coefficients import (
    CoefficientComparison,
    angles_between,
    column_correlation,
    compare_coefficients,
    pattern_agreement,
)
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.analysis.tropex.extracted import ExtractedFunction
from polyrelu.analysis.tropex.overlap import RegionOverlap, region_overlap
from polyrelu.analysis.tropex.process import MergeStep, transformation_process
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Architecture", "Examples", "Snapshot", "TropexResult", "run"]

N_RUNS = 5
N_EXAMPLES = 6
N_DENSE = 2
"""Dense layers at the end of both networks."""
N_CORRELATED = 2000
"""Training images whose coefficients are compared between networks, at most: they are kept for every epoch."""

PAPER = {"FCN": ((97.7, 0.2), (98.1, 0.2), (97.6, 0.2)), "CNN": ((95.7, 0.3), (99.2, 0.1), (95.8, 0.2))}
"""Table 2 of Trimmel et al. 2021: MNIST, mean and deviation in percent of the test images."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A network and its extracted function at one moment of training, as fractions of the test images.

    Attributes
    ----------
    epoch : int
    agreement : float
        Both give the same label.
    accuracy, extracted_accuracy : float
        The network, and the extracted function, gives the true label.
    """

    epoch: int
    agreement: float
    accuracy: float
    extracted_accuracy: float


@dataclass(frozen=True, eq=False)
class Architecture:
    """What was found for one kind of network, trained several times.

    Attributes
    ----------
    name : str
    n_neurons : int
    letters : tuple of str
        Of its layers, the last one first: D dense, C convolution, M max pool.
    snapshots : tuple of tuples of Snapshot
        For each run, after some epochs, the last one last.
    overlaps : tuple of RegionOverlap
        For each run, trained.
    steps : tuple of tuples of MergeStep
        For each run, trained: the transformation process.
    layer_agreement : float64 array, shape (n_runs, n_layers)
        Fractions of equal digits of test images and of the training images whose terms they get.
    correlations : float64 array, shape (n_pairs, n_snapshots)
        Mean correlation of coefficients between two runs.
    retrained_angle : float
        Mean angle in degrees between the coefficients of two runs at the same training image.
    comparison : CoefficientComparison
        At the test images, of the first run.
    is_right : bool array, shape (n_test,)
        Which test images the extracted function of the first run labels right.
    """

    name: str
    n_neurons: int
    letters: tuple[str, ...]
    snapshots: tuple[tuple[Snapshot, ...], ...]
    overlaps: tuple[RegionOverlap, ...]
    steps: tuple[tuple[MergeStep, ...], ...]
    layer_agreement: Floats
    correlations: Floats
    retrained_angle: float
    comparison: CoefficientComparison
    is_right: NDArray[np.bool_]

    def final(self) -> Floats:
        """Return agreement, accuracy and extracted accuracy of each trained network, shape (3, n_runs)."""
        last = [run[-1] for run in self.snapshots]
        rows = [(each.agreement, each.accuracy, each.extracted_accuracy) for each in last]
        return np.array(rows).T

    def angles(self, is_right: bool) -> float:
        """Return the mean angle in degrees between the slopes in the network and in its extracted function."""
        return _mean(self.comparison.angles[self.is_right == is_right])


@dataclass(frozen=True, eq=False)
class Examples:
    """Some test images, and the slopes of the label of each in both networks and in their extracted functions.

    Attributes
    ----------
    shape : tuple of int
        Height and width of an image.
    images : float64 array, shape (n, dim)
    slopes : float64 array, shape (n, n_architectures, 2, dim)
        In the network, then in the extracted function, of the first run.
    """

    shape: tuple[int, int]
    images: Floats
    slopes: Floats


@dataclass(frozen=True, eq=False)
class TropexResult:
    """What TropEx finds in dense and convolutional networks that were trained on images.

    Attributes
    ----------
    data : str
    n_train, n_test, n_runs : int
    architectures : tuple of Architecture
    examples : Examples
    seconds : float
    """

    data: str
    n_train: int
    n_test: int
    n_runs: int
    architectures: tuple[Architecture, ...]
    examples: Examples
    seconds: float

    @property
    def epochs(self) -> tuple[int, ...]:
        """After which epochs there is a snapshot."""
        return tuple(each.epoch for each in self.architectures[0].snapshots[0])

    def to_text(self) -> str:
        """Return Table 2 with the paper's numbers beside ours, and the other numbers of the section."""
        lines = [
            f"Extracted functions on {self.data}: {self.n_train:,} images to extract at, {self.n_test:,} to test, "
            f"{self.n_runs} runs of {self.epochs[-1]} epochs.",
            "Table 2, percent of the test images, mean and deviation over runs; the paper's are for MNIST.",
            "",
            f"{'':<6}" + "".join(f"{name:^26}" for name in ("N vs N^(X)", "N vs true", "N^(X) vs true")).rstrip(),
            (f"{'':<6}" + f"{'ours':>12}{'paper':>12}  " * 3).rstrip(),
        ]
        for each in self.architectures:
            cells = [
                f"{100 * row.mean():.1f} ± {100 * row.std():.1f}".rjust(12) + f"{mean} ± {deviation}  ".rjust(14)
                for row, (mean, deviation) in zip(each.final(), PAPER[each.name], strict=True)
            ]
            lines.append(f"{each.name:<6}" + "".join(cells).rstrip())
        lines.append("")
        for each in self.architectures:
            lines += self._lines(each)
        lines.append(f"Seconds: {self.seconds:.1f}.")
        return "\n".join(lines)

    def _lines(self, each: Architecture) -> list[str]:
        first, last = (_text(value, 2) for value in each.correlations.mean(axis=0)[[0, -1]].tolist())
        right, wrong, retrained = (
            _text(value, 0) for value in (each.angles(True), each.angles(False), each.retrained_angle)
        )
        regions = ", ".join(f"{overlap.n_train_regions:,}" for overlap in each.overlaps)
        shared = sum(overlap.n_test_in_train_regions for overlap in each.overlaps)
        maps = sum(overlap.n_test_with_train_maps for overlap in each.overlaps)
        layers = ", ".join(f"{100 * value:.0f}" for value in each.layer_agreement.mean(axis=0).tolist())
        merged = ", ".join(
            f"{letter} {100 * value:.1f}"
            for letter, value in zip(each.letters, np.mean(_agreements(each), axis=0).tolist()[1:], strict=True)
        )
        return [
            f"{each.name} ({each.n_neurons} neurons)",
            f"  regions of the {self.n_train:,} training images: {regions}",
            f"  test images in a training image's region: {shared} of {self.n_test * self.n_runs:,}; "
            f"with a training image's map: {maps}",
            f"  equal digits of a test image and the training image whose term it gets, by layer: {layers} %",
            f"  labels that stay while layers are merged, from the last one: {merged} %",
            f"  mean angle between coefficients in N and in N^(X): {right} degrees where N^(X) is right, "
            f"{wrong} where it is wrong",
            f"  two runs: correlation of coefficients {first} after {self.epochs[0]} and {last} after "
            f"{self.epochs[-1]} epochs, mean angle {retrained} degrees",
            "",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return all numbers but those of single images."""
        return {
            "data": self.data,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "n_runs": self.n_runs,
            "epochs": list(self.epochs),
            "architectures": [_architecture_json(each) for each in self.architectures],
            "seconds": round(self.seconds, 3),
        }


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


def _train(
    name: str, module: Module, data: ImageData, seed: int, epochs: int, say: Callable[[str], None]
) -> _Trained:
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
    correlations = [
        [column_correlation(*both).mean for both in zip(a.slopes, b.slopes, strict=True)] for a, b in pairs
    ]
    first = runs[0]
    comparison = compare_coefficients(first.network, first.function, test)
    steps = tuple(transformation_process(each.network, train, test, true) for each in runs)
    return Architecture(
        name,
        first.network.n_neurons,
        tuple(
            "M" if step.layer == "max" else "D" if k < N_DENSE else first_letter
            for k, step in enumerate(steps[0][1:])
        ),
        tuple(each.snapshots for each in runs),
        tuple(region_overlap(each.network, train, test) for each in runs),
        steps,
        np.array([pattern_agreement(each.network, train, each.function, test) for each in runs]),
        np.array(correlations),
        _mean(np.concatenate([angles_between(a.slopes[-1], b.slopes[-1]) for a, b in pairs])),
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


def _architecture_json(each: Architecture) -> dict[str, Any]:
    return {
        "name": each.name,
        "neurons": each.n_neurons,
        "layers": "".join(each.letters),
        "snapshots": [[asdict(snapshot) for snapshot in run] for run in each.snapshots],
        "overlaps": [asdict(overlap) for overlap in each.overlaps],
        "steps": [[asdict(step) for step in run] for run in each.steps],
        "layer_agreement": each.layer_agreement.tolist(),
        "correlations": [[_known(value) for value in row] for row in each.correlations.tolist()],
        "retrained_angle": _known(each.retrained_angle),
        "angle_where_right": _known(each.angles(True)),
        "angle_where_wrong": _known(each.angles(False)),
    }


def _agreements(each: Architecture) -> list[list[float]]:
    return [[step.agreement for step in run] for run in each.steps]


def _known(value: float) -> float | None:
    """Return a number as JSON holds it: None for nan."""
    return None if np.isnan(value) else value


def _text(value: float, places: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{places}f}"


def _mean(values: Floats) -> float:
    """Return the mean of the values that are defined; nan if none is."""
    used = values[~np.isnan(values)]
    return float(used.mean()) if len(used) else float("nan")
