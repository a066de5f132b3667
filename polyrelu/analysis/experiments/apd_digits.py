"""Craighero et al. 2020, section 4: clusters of the pattern graph of three architectures, errors and forgetting.

The paper trains on MNIST for 500 epochs with stochastic gradient descent. Here the same architectures learn any images
with `train_classifier`; the graph and the clusters are those of all images, for training and for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.data.cluster_sizes import means_by_size, sums_up_to_size
from polyrelu.analysis.data.forgetting import Forgetting, ForgettingRecorder
from polyrelu.analysis.data.pattern_dag import PatternDag, pattern_dag
from polyrelu.analysis.data.splitting import Clusters, clusters_of
from polyrelu.analysis.experiments.classifiers import accuracy_of, dense_classifier, imported, train_classifier
from polyrelu.analysis.experiments.image_data import ImageData
from polyrelu.analysis.experiments.threads import one_thread

__all__ = ["ARCHITECTURES", "ApdDigits", "ApdNetwork", "run"]

ARCHITECTURES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"32full": (32,) * 5, "16full": (16,) * 5, "32bottl": (32, 16, 12, 10, 8)}
)
PAPER = MappingProxyType({"32full": (98.3, 4), "16full": (95.8, 3), "32bottl": (97.2, 5)})
"""Accuracy in per cent, and mean cluster size, about; the largest clusters have up to 2,000 images."""
MOST = Fraction(9, 10)
LEARNING_RATE = 0.001


@dataclass(frozen=True, eq=False)
class ApdNetwork:
    """What was found for one architecture.

    Attributes
    ----------
    name : str
    widths : tuple of int
        Of the hidden layers.
    accuracy : float
        Share of the test images that are labelled right.
    dag : PatternDag
        Of all images, with predicted labels.
    clusters : Clusters
        Of Algorithm 1.
    forgetting : Forgetting
        Of all images, from before training to the last epoch.
    """

    name: str
    widths: tuple[int, ...]
    accuracy: float
    dag: PatternDag
    clusters: Clusters
    forgetting: Forgetting

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each image is labelled right in the end, shape (n,)."""
        return self.dag.labels == self.forgetting.labels

    @property
    def point_sizes(self) -> NDArray[np.int64]:
        """The size of each image's cluster, shape (n,)."""
        return self.clusters.point_sizes

    def to_json(self) -> dict[str, Any]:
        """Return the numbers of the table, and what the figures show."""
        sizes, is_right, forgotten = self.point_sizes, self.is_right, self.forgetting.n_forgotten
        bins = means_by_size(sizes, forgotten)
        spread = {"events": sums_up_to_size(sizes, forgotten), "errors": sums_up_to_size(sizes, ~is_right)}
        return {
            "name": self.name,
            "widths": list(self.widths),
            "accuracy": self.accuracy,
            "patterns": [len(self.dag.layer_nodes(layer)) for layer in range(self.dag.n_layers)],
            "stable": [int(self.dag.is_stable[self.dag.node_layers == k].sum()) for k in range(self.dag.n_layers)],
            "edges": self.dag.n_edges,
            "clusters": len(self.clusters),
            "mean_size": float(self.clusters.sizes.mean()),
            "largest": int(self.clusters.sizes.max()),
            "wrong": int((~is_right).sum()),
            "alone_if_wrong": _share((sizes == 1)[~is_right]),
            "alone_if_right": _share((sizes == 1)[is_right]),
            "mean_size_if_wrong": _mean(sizes[~is_right]),
            "mean_size_if_right": _mean(sizes[is_right]),
            "forgettable": _share(forgotten > 0),
            "never_learnt": int(self.forgetting.is_never_learnt.sum()),
            "forgetting_by_size": {
                "from_size": bins.firsts.tolist(), "images": bins.counts.tolist(), "mean": bins.means.tolist()
            },
            "size_with_90_percent": {name: sums.size_with(MOST) for name, sums in spread.items()},
            "cluster_sizes": np.sort(self.clusters.sizes)[::-1].tolist(),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class ApdDigits:
    """What was found for all architectures.

    Attributes
    ----------
    data : str
        Name of the images.
    n_images, epochs, seed : int
    networks : tuple of ApdNetwork
    """

    data: str
    n_images: int
    epochs: int
    seed: int
    networks: tuple[ApdNetwork, ...]

    def to_text(self) -> str:
        """Return the numbers of the paper's section 4, ours beside its."""
        rows = [HEAD, *(_row(network.to_json()) for network in self.networks)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
        about = f"{self.n_images:,} images of {self.data}, {self.epochs} epochs, seed {self.seed}"
        return "\n".join([about, *table, *(_spread(network) for network in self.networks), *NOTES])

    def to_json(self) -> dict[str, Any]:
        """Return all numbers as values of JSON."""
        about = {"data": self.data, "images": self.n_images, "epochs": self.epochs, "seed": self.seed}
        return {**about, "networks": [network.to_json() for network in self.networks]}


HEAD = (
    "", "accuracy", "paper", "clusters", "mean size", "paper", "largest", "alone: wrong", "right", "forgettable",
)  # fmt: skip
NOTES = (
    "accuracy: on test images; all else is about all images. alone: in a cluster of one image",
    "paper: on MNIST, 500 epochs; its clusters have up to 2,000 images, and wrong ones are mostly alone",
)


def run(
    data: ImageData, *, seed: int = 0, epochs: int = 150, progress: Callable[[str], None] | None = None
) -> ApdDigits:
    """Return what three architectures make of images, trained, split into clusters and watched for forgetting.

    Parameters
    ----------
    data : ImageData
    seed : int
        Draws weights and the order of the images.
    epochs : int
    progress : callable, optional
        ``progress(what)`` is told what is being worked on.

    Raises
    ------
    InputError
        For a seed below 0, or of more than 32 bits.
    MissingExtraError
        Without PyTorch or scikit-learn.
    """
    images = np.concatenate([data.train_images, data.test_images])
    labels = np.concatenate([data.train_labels, data.test_labels])
    networks = []
    with one_thread():
        for name, widths in ARCHITECTURES.items():
            if progress is not None:
                progress(f"training {name}")
            recorder, module = ForgettingRecorder(images, labels), dense_classifier(data, widths, seed)
            train_classifier(
                module, data, epochs=epochs, learning_rate=LEARNING_RATE, seed=seed, callback=recorder
            )
            if progress is not None:
                progress(f"patterns of {name}")
            dag, accuracy = pattern_dag(imported(module, data), images), accuracy_of(module, data)
            networks.append(ApdNetwork(name, widths, accuracy, dag, clusters_of(dag), recorder.forgetting()))
    return ApdDigits(data.name, len(images), epochs, seed, tuple(networks))


def _row(facts: Mapping[str, Any]) -> tuple[str, ...]:
    accuracy, mean = PAPER[facts["name"]]
    shares = [_percent(facts[key]) for key in ("alone_if_wrong", "alone_if_right", "forgettable")]
    ours = f"{facts['clusters']:,}", f"{facts['mean_size']:.1f}", f"about {mean}", f"{facts['largest']:,}"
    return facts["name"], _percent(facts["accuracy"]), f"{accuracy} %", *ours, *shares


def _spread(network: ApdNetwork) -> str:
    """Return a sentence on where forgetting events and errors lie."""
    sizes, forgotten = network.point_sizes, network.forgetting.n_forgotten
    parts = []
    for what, values in (("forgetting events", forgotten), ("errors", ~network.is_right)):
        size = sums_up_to_size(sizes, values).size_with(MOST)
        if size is None:
            parts.append(f"no {what}")
        else:
            parts.append(f"90 % of {what} in the {_percent(_share(sizes <= size))} of images up to size {size:,}")
    if (alone := _mean(forgotten[sizes == 1])) is not None:
        parts.append(f"{alone:.1f} events an image alone, {forgotten.mean():.1f} on average")
    return f"{network.name}: {'; '.join(parts)}"


def _share(chosen: NDArray[np.bool_]) -> float | None:
    return _mean(chosen.astype(np.int64))


def _mean(values: NDArray[np.int64]) -> float | None:
    return float(values.mean()) if len(values) else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
