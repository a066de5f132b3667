"""How the number of regions changes while a network learns, and when it memorises random labels.

The experiments of Hanin and Rolnick 2019, Section 4, as functions. Training needs PyTorch, and the images scikit-learn;
both load when a function is called. Training runs in float64 on the processor, so that a network is trained the same
way each time; every count is exact for the network that training gave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.growth import initial_network
from polyrelu.errors import InputError, MissingExtraError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.tessellation.build import tessellate

__all__ = [
    "MemoryRow",
    "TrainingRow",
    "count_during_training",
    "count_of_memorising",
    "count_of_memorising_digits",
    "digit_images",
    "noisy_labels",
    "random_points",
    "regions_in",
    "trained",
]

TRIANGLE = Domain.polygon([(0, 0), (1, 0), (0, 1)])
"""In a plane through three points: the triangle between them."""


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A network after some epochs of training.

    Attributes
    ----------
    epoch : int
    n_regions : int
    loss_float : float
        Mean cross-entropy on the training data.
    accuracy : float
        Fraction of the training data whose label has the largest output.
    network : Network
    """

    epoch: int
    n_regions: int
    loss_float: float
    accuracy: float
    network: Network


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """A network before and after it learnt labels of which a fraction is random.

    Attributes
    ----------
    fraction : float
    before, after : TrainingRow
    """

    fraction: float
    before: TrainingRow
    after: TrainingRow


def regions_in(domain: Domain | None = None, plane: Slice | None = None) -> Callable[[Network], int]:
    """Return the function that counts the regions of a network in a domain, of a plane if there is one.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> regions_in(Domain.unit(1), Slice.through([0, 0], [2, 2]))(xor())
    2
    """

    def count(network: Network) -> int:
        return tessellate(network if plane is None else network.restrict(plane), domain).n_regions

    return count


def trained(
    network: Network,
    points: ArrayLike,
    labels: ArrayLike,
    *,
    epochs: int,
    learning_rate: float = 0.001,
    batch_size: int = 128,
    seed: int = 0,
) -> Network:
    """Return a network after training with Adam on the cross-entropy of its outputs.

    Parameters
    ----------
    network : Network
        Of ReLUs, without a slice, with an output for each class.
    points : array, shape (n, dim)
    labels : int array, shape (n,)
    epochs : int
        How often all points are seen, in an order that ``seed`` draws anew for each epoch.
    learning_rate, batch_size, seed : float, int, int

    Raises
    ------
    InputError
        If the data do not fit the network.
    MissingExtraError
        Without PyTorch.
    """
    x, y = _checked(network, points, labels)
    if epochs < 0:
        raise InputError(f"trained needs a number of epochs but received {epochs}. Start at 0.")
    [(_, after)] = _snapshots(network, x, y, {epochs}, learning_rate, batch_size, seed)
    return after


def count_during_training(
    network: Network,
    points: ArrayLike,
    labels: ArrayLike,
    count: Callable[[Network], int],
    at: Iterable[int],
    **options: Any,
) -> tuple[TrainingRow, ...]:
    """Return the number of regions of a network after several numbers of epochs.

    Parameters
    ----------
    network, points, labels
        As for `trained`.
    count : callable
        ``count(network)``: `regions_in` makes one.
    at : iterable of int
        After how many epochs to count; 0 is before training.
    **options
        ``learning_rate``, ``batch_size`` and ``seed`` as for `trained`.

    Raises
    ------
    InputError
        If the data do not fit the network, or an epoch is negative.
    MissingExtraError
        Without PyTorch.

    Notes
    -----
    Hanin and Rolnick 2019, Figures 3 to 6.
    """
    wanted = set(at)
    if not wanted or min(wanted) < 0:
        raise InputError(f"count_during_training needs epochs from 0 on but received {sorted(wanted)}. Name some.")
    x, y = _checked(network, points, labels)
    rows, settings = [], {"learning_rate": 0.001, "batch_size": 128, "seed": 0, **options}
    for epoch, each in _snapshots(network, x, y, wanted, **settings):
        loss, accuracy = _quality(each, x, y)
        rows.append(TrainingRow(epoch, count(each), loss, accuracy, each))
    return tuple(rows)


def random_points(n: int, dim: int = 2, n_classes: int = 2, seed: int = 0) -> tuple[NDArray, NDArray[np.int64]]:
    """Return points drawn uniformly from [-1, 1]^dim, shape (n, dim), with random labels: all is to be memorised.

    Examples
    --------
    >>> points, labels = random_points(4)
    >>> points.shape, labels.tolist()
    ((4, 2), [1, 1, 1, 1])
    """
    random = np.random.default_rng(seed)
    return random.uniform(-1, 1, (n, dim)), random.integers(0, n_classes, n)


def noisy_labels(labels: ArrayLike, fraction: float, seed: int = 0) -> NDArray[np.int64]:
    """Return labels of which a fraction is replaced by labels drawn at random from all classes.

    Larger fractions with one seed replace the same ones and more, by the same labels.

    Raises
    ------
    InputError
        If the fraction is not between 0 and 1.

    Examples
    --------
    >>> noisy_labels([0, 0, 0, 0, 1, 1, 1, 1], 0.5, seed=1).tolist()
    [1, 0, 0, 0, 0, 0, 1, 1]
    """
    if not 0 <= fraction <= 1:
        raise InputError(f"noisy_labels needs a fraction from 0 to 1 but received {fraction}. 1 makes all random.")
    random = np.random.default_rng(seed)
    clean = np.array(labels, dtype=np.int64)
    order, drawn = random.permutation(len(clean)), random.choice(np.unique(clean), len(clean))
    chosen = order[: round(fraction * len(clean))]
    clean[chosen] = drawn[chosen]
    return clean


def count_of_memorising(
    fractions: Iterable[float],
    hidden: Sequence[int],
    points: ArrayLike,
    labels: ArrayLike,
    count: Callable[[Network], int],
    *,
    epochs: int,
    seed: int = 0,
    **options: Any,
) -> tuple[MemoryRow, ...]:
    """Return the numbers of regions before and after learning labels of which a fraction is random.

    Parameters
    ----------
    fractions : iterable of float
        From 0, the given labels, to 1, all random.
    hidden : sequence of int
        Widths of the hidden layers; every fraction starts from the same `initial_network`.
    points, labels
        As for `trained`.
    count : callable
        ``count(network)``: `regions_in` makes one.
    epochs, seed : int
        The seed draws the network, the noise and the order of the points.
    **options
        ``learning_rate`` and ``batch_size`` as for `trained`.

    Notes
    -----
    Hanin and Rolnick 2019, Section 4.1, Figures 4 and 5.
    """
    x, clean = np.asarray(points, dtype=np.float64), np.asarray(labels)
    start = initial_network([x.shape[-1], *hidden, int(clean.max(initial=0)) + 1], seed)
    rows = []
    for fraction in fractions:
        y = noisy_labels(clean, fraction, seed)
        before, after = count_during_training(start, x, y, count, (0, epochs), seed=seed, **options)
        rows.append(MemoryRow(fraction, before, after))
    return tuple(rows)


def count_of_memorising_digits(
    fractions: Iterable[float],
    hidden: Sequence[int],
    *,
    epochs: int,
    n_images: int = 500,
    seed: int = 0,
    **options: Any,
) -> tuple[MemoryRow, ...]:
    """Return `count_of_memorising` for images of digits, in the triangle between three of them.

    Parameters
    ----------
    fractions, hidden, epochs, seed, options
        As for `count_of_memorising`.
    n_images : int
        How many images are learnt; three of different digits, drawn with the seed, span the plane.

    Raises
    ------
    MissingExtraError
        Without PyTorch or scikit-learn.

    Notes
    -----
    Hanin and Rolnick 2019, Figure 4, with the 8 × 8 images of scikit-learn for MNIST.
    """
    images, labels = digit_images()
    images, labels = images[:n_images], labels[:n_images]
    random = np.random.default_rng(seed)
    digits = random.choice(np.unique(labels), 3, replace=False).tolist()
    corners = [images[random.choice(np.flatnonzero(labels == digit))] for digit in digits]
    count = regions_in(TRIANGLE, Slice.through(*corners))
    return count_of_memorising(fractions, hidden, images, labels, count, epochs=epochs, seed=seed, **options)


def digit_images() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the images of scikit-learn, shape (1797, 64), sixteenths from 0 to 1, and their digits.

    Raises
    ------
    MissingExtraError
        Without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        message = "`digit_images` needs scikit-learn. Install it with: pip install 'polyrelu[data]'"
        raise MissingExtraError(message) from None
    data = load_digits()
    return np.asarray(data.data, np.float64) / 16, np.asarray(data.target, np.int64)


def _snapshots(
    network: Network,
    points: NDArray[np.float64],
    labels: NDArray[np.int64],
    wanted: set[int],
    learning_rate: float,
    batch_size: int,
    seed: int,
) -> Iterator[tuple[int, Network]]:
    """Yield (epoch, network) after each number of epochs that is wanted."""
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingExtraError("Training needs PyTorch. Install it with: pip install 'polyrelu[torch]'") from None
    x, y = torch.from_numpy(points.copy()), torch.from_numpy(labels.copy())
    layers = [
        [torch.from_numpy(np.array(each)).requires_grad_() for each in (layer.weight, layer.bias)]
        for layer in network.layers
    ]
    optimiser = torch.optim.Adam([p for layer in layers for p in layer], lr=learning_rate)
    random = np.random.default_rng(seed)
    if 0 in wanted:
        yield 0, network
    for epoch in range(1, max(wanted) + 1):
        for batch in torch.from_numpy(random.permutation(len(x))).split(batch_size):
            values = x[batch]
            for weight, bias in layers[:-1]:
                values = torch.relu(values @ weight.T + bias)
            loss = torch.nn.functional.cross_entropy(values @ layers[-1][0].T + layers[-1][1], y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if epoch in wanted:
            arrays = [[p.detach().numpy().copy() for p in layer] for layer in layers]
            yield epoch, Network.from_arrays([(weight, bias) for weight, bias in arrays])


def _checked(network: Network, points: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return data as arrays if they fit a network that can be trained."""
    x, y = np.asarray(points, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    is_plain = all(layer.activation.is_relu and not layer.is_sparse for layer in network.hidden)
    if not is_plain or network.output.is_sparse or network.input_map is not None:
        raise InputError("Training needs dense layers of ReLUs and no slice but received others. Train it elsewhere.")
    if x.ndim != 2 or x.shape[1] != network.dim or y.shape != x.shape[:1] or not len(x):
        raise InputError(
            f"Training needs points (n, {network.dim}) and labels (n,) but received {x.shape} and {y.shape}. "
            "Match them."
        )
    if y.min() < 0 or y.max() >= network.n_out:
        raise InputError(
            f"Training needs labels below the {network.n_out} outputs but received {y.min()} to {y.max()}. "
            "Add outputs: one for each class."
        )
    return x, y


def _quality(network: Network, x: NDArray[np.float64], y: NDArray[np.int64]) -> tuple[float, float]:
    """Return the mean cross-entropy and the accuracy."""
    outputs = network(x)
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]
    return float(losses.mean()), float((outputs.argmax(axis=1) == y).mean())
