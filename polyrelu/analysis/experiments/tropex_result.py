"""What the experiment with extracted functions finds, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.tropex.coefficients import CoefficientComparison
from polyrelu.analysis.tropex.overlap import RegionOverlap
from polyrelu.analysis.tropex.process import MergeStep

__all__ = ["Architecture", "Examples", "Snapshot", "TropexResult", "mean_of_known"]

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
        return mean_of_known(self.comparison.angles[self.is_right == is_right])


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


def mean_of_known(values: Floats) -> float:
    """Return the mean of the values that are defined; nan if none is."""
    used = values[~np.isnan(values)]
    return float(used.mean()) if len(used) else float("nan")


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
