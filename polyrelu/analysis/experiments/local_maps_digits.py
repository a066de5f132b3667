"""Clusters of local maps, and affine maps between those of different networks, on images of digits (paper 001)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.local_maps import local_maps
from polyrelu.analysis.data.map_clusters import ClusterTable, cluster_table, kmeans_centres, minibatch_centres
from polyrelu.analysis.data.map_regression import MappingTable, map_between, mapping_table
from polyrelu.analysis.data.patterns import patterns_at
from polyrelu.analysis.experiments.classifiers import (
    convolutional_classifier,
    dense_classifier,
    imported,
    seeded,
    train_classifier,
)
from polyrelu.analysis.experiments.image_data import ImageData
from polyrelu.analysis.experiments.threads import one_thread
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["LocalMapsResult", "residual_classifier", "run"]

NAMES = ("dense", "conv", "residual")
N_CLUSTERS = (1, 10, 100, 1000)
N_EXAMPLES = 5
MANY = 5000
"""From so many images on, k-means takes batches of them."""

PAPER_ORIGINAL = {"dense": 96.03, "conv": 98.07, "residual": 98.92}
PAPER_CLUSTERS = {
    "dense": (86.79, 92.31, 94.34, 95.08),
    "conv": (67.66, 86.39, 93.82, 95.86),
    "residual": (14.32, 81.66, 84.58, 89.82),
}
PAPER_MAPPING = ((96.03, 95.36, 90.68), (95.67, 98.07, 95.88), (93.20, 97.38, 98.92))
"""Tables 1 and 2 of Sattelberg et al. 2020 in percent of 10,000 images of MNIST; residual is their ResNet-152."""


@dataclass(frozen=True, eq=False)
class LocalMapsResult:
    """What the local maps of three networks say about images of digits.

    Attributes
    ----------
    data : str
    shape : tuple of int
        Height and width of an image.
    n_train, n_test : int
    names : tuple of str
        Of the networks.
    n_patterns : tuple of int
        Different activation patterns of each network at the training images, exactly.
    clusters : tuple of ClusterTable
        For each network (Table 1).
    mapping : MappingTable
        Between the networks (Table 2).
    images : float64 array, shape (n_examples, dim)
        Test images.
    gradients : float64 array, shape (n_networks, n_out, dim)
        Of each output of each network at the first image (Figure 6).
    mapped : float64 array, shape (n_examples, 3, dim)
        Gradients of output 0 of the dense network, what they are mapped to, and of the conv network (Figure 12).
    seconds : float
    """

    data: str
    shape: tuple[int, int]
    n_train: int
    n_test: int
    names: tuple[str, ...]
    n_patterns: tuple[int, ...]
    clusters: tuple[ClusterTable, ...]
    mapping: MappingTable
    images: NDArray[np.float64]
    gradients: NDArray[np.float64]
    mapped: NDArray[np.float64]
    seconds: float

    def to_text(self) -> str:
        """Return both tables, the paper's numbers beside ours, in percent of the test images."""
        head = f"{'':<12}" + "".join(f"{name:>18}" for name in self.names)
        under = f"{'':<12}" + "".join(f"{'ours   paper':>18}" for _ in self.names)
        lines = [
            f"Local maps of three networks on {self.data}: {self.n_train:,} images to train, {self.n_test:,} to test.",
            "Right test images in percent; the paper's are for MNIST and its Dense, Conv and ResNet-152 networks.",
            "",
            "Table 1: the maps of each output replaced by the centres of so many clusters",
            head,
            under,
            f"{'original':<12}" + self._row(self._original(), [PAPER_ORIGINAL[name] for name in self.names]),
        ]
        for k, n in enumerate(self.clusters[0].n_clusters):
            ours = [self._percent(table.right[k]) for table in self.clusters]
            lines.append(f"{n:<12}" + self._row(ours, [PAPER_CLUSTERS[name][k] for name in self.names]))
        lines += ["", "Table 2: the maps of the network of the row, mapped to those of the column", head, under]
        for a, name in enumerate(self.names):
            ours = [self._percent(right) for right in self.mapping.right[a].tolist()]
            lines.append(f"{name:<12}" + self._row(ours, PAPER_MAPPING[a]))
        lines += ["", f"{'residuals':<12}" + "".join(f"{name:>18}" for name in self.names)]
        for name, row in zip(self.names, self.mapping.residuals.tolist(), strict=True):
            lines.append(f"{name:<12}" + "".join(f"{value:>18.3f}" for value in row))
        counts = ", ".join(f"{n:,} ({name})" for name, n in zip(self.names, self.n_patterns, strict=True))
        lines += ["", f"Different patterns of the training images: {counts}.", f"Seconds: {self.seconds:.1f}."]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers of both tables."""
        return {
            "data": self.data,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "networks": list(self.names),
            "patterns": list(self.n_patterns),
            "right_original": [table.original for table in self.clusters],
            "n_clusters": list(self.clusters[0].n_clusters),
            "right_clustered": [list(table.right) for table in self.clusters],
            "right_mapped": self.mapping.right.tolist(),
            "residuals": [[round(value, 6) for value in row] for row in self.mapping.residuals.tolist()],
            "seconds": round(self.seconds, 3),
        }

    def _percent(self, right: int) -> float:
        return 100 * right / self.n_test

    def _original(self) -> list[float]:
        return [self._percent(table.original) for table in self.clusters]

    def _row(self, ours: Sequence[float], paper: Sequence[float]) -> str:
        return "".join(f"{mine:>10.2f}{theirs:>8.2f}" for mine, theirs in zip(ours, paper, strict=True))


def run(
    data: ImageData, *, seed: int = 0, epochs: int = 20, progress: Callable[[str], None] | None = None
) -> LocalMapsResult:
    """Return what the local maps of a dense, a convolutional and a residual network say about images.

    The networks are trained; their local maps at the training images are clustered and mapped to each other, and judged
    at the test images (Sattelberg et al. 2020, Tables 1 and 2, Figures 6 and 12). The dense and the convolutional
    network are imported; the maps of the residual one are gradients of the PyTorch module.

    Parameters
    ----------
    data : ImageData
    seed : int
        Draws initial weights, the order of the images, and where k-means starts.
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
    """
    say = progress or (lambda what: None)
    start = time.monotonic()
    train, test = (data.train_images,), (data.test_images, data.test_labels)
    with one_thread():
        modules = []
        for name, make in _makers(data, seed).items():
            say(f"training {name}")
            modules.append(train_classifier(make(), data, epochs=epochs, seed=seed))
        exact = [imported(module, data) for module in modules]
        n_patterns = tuple(patterns_at(network, data.train_images).count_distinct() for network in exact)
        networks: list[Network | Module] = [*exact[:2], modules[2]]
        fit = kmeans_centres if len(data.train_images) < MANY else minibatch_centres
        clusters = []
        for name, network in zip(NAMES, networks, strict=True):
            say(f"clusters of {name}")
            clusters.append(cluster_table(network, *train, *test, N_CLUSTERS, fit=fit, seed=seed))
        say("maps between networks")
        mapping = mapping_table(networks, *train, *test)
        images = _examples(data)
        gradients = np.stack([local_maps(network, images[:1], None).weights[0] for network in networks])
        mapped = _mapped_gradients(exact[0], exact[1], data.train_images, images)
    return LocalMapsResult(
        data.name,
        data.shape,
        len(data.train_images),
        len(data.test_images),
        NAMES,
        n_patterns,
        tuple(clusters),
        mapping,
        images,
        gradients,
        mapped,
        time.monotonic() - start,
    )


def _makers(data: ImageData, seed: int) -> dict[str, Callable[[], Module]]:
    """Return functions that make the untrained networks."""
    return {
        "dense": lambda: dense_classifier(data, (128,), seed),
        "conv": lambda: convolutional_classifier(data, (10, 20), 50, seed),
        "residual": lambda: residual_classifier(data, seed),
    }


def residual_classifier(data: ImageData, seed: int = 0, channels: int = 16) -> Module:
    """Return an untrained classifier of flat images: convolutions with batch norms, in two residual blocks.

    After the first convolution and after each block an image is halved while it has four pixels a side.
    """
    import torch

    nn, (height, width) = torch.nn, data.shape

    class Block(nn.Module):
        """A ReLU of the input plus two convolutions of it."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels),
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x + self.inner(x))

    with seeded(seed):
        parts: list[Module] = [
            nn.Unflatten(1, (1, height, width)),
            nn.Conv2d(1, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
        for blocks in ([], [Block()], [Block()]):
            parts += blocks
            if min(height, width) >= 4:
                parts.append(nn.MaxPool2d(2))
                height, width = height // 2, width // 2
        parts += [nn.Flatten(), nn.Linear(channels * height * width, data.n_classes)]
    return nn.Sequential(*parts)


def _examples(data: ImageData) -> NDArray[np.float64]:
    """Return the first test images with different labels."""
    first = np.unique(data.test_labels, return_index=True)[1]
    return data.test_images[np.sort(first)[:N_EXAMPLES]]


def _mapped_gradients(
    source: Network, target: Network, train_images: NDArray[np.float64], images: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return gradients of output 0 of two networks, with those of the first mapped to the second between them."""
    matrix = map_between(source, target, train_images, 0)
    before, behind = (local_maps(network, images, 0) for network in (source, target))
    return np.stack([before.weights, (before.dual_points @ matrix)[:, :-1], behind.weights], axis=1)
