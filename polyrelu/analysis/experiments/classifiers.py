"""Small classifiers of images in PyTorch, and a plain loop that trains them the same way each time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from polyrelu.analysis.experiments.image_data import ImageData
from polyrelu.analysis.experiments.threads import one_thread
from polyrelu.errors import InputError, MissingExtraError
from polyrelu.network.model import Network

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["accuracy_of", "convolutional_classifier", "dense_classifier", "imported", "seeded", "train_classifier"]

N_SEEDS = 1 << 32
"""What scikit-learn takes."""


def dense_classifier(data: ImageData, widths: Sequence[int], seed: int = 0) -> Module:
    """Return an untrained classifier of flat images with hidden layers of these widths, ReLUs between them."""
    nn, sizes = _torch().nn, [data.dim, *widths, data.n_classes]
    parts: list[Module] = []
    with seeded(seed):
        for n_in, n_out in itertools.pairwise(sizes):
            parts += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def convolutional_classifier(
    data: ImageData, channels: Sequence[int] = (8, 16), hidden: int = 32, seed: int = 0, batch_norm: bool = False
) -> Module:
    """Return an untrained convolutional classifier of flat images: 3 × 3 convolutions, max pooling, dense layers.

    Every convolution keeps the size; each is followed by a ReLU and, while an image has four pixels a side, by max
    pooling of 2 × 2.
    """
    nn, (height, width), before = _torch().nn, data.shape, 1
    parts: list[Module] = [nn.Unflatten(1, (1, height, width))]
    with seeded(seed):
        for after in channels:
            parts.append(nn.Conv2d(before, after, 3, padding=1))
            parts += [nn.BatchNorm2d(after)] if batch_norm else []
            parts.append(nn.ReLU())
            if min(height, width) >= 4:
                parts.append(nn.MaxPool2d(2))
                height, width = height // 2, width // 2
            before = after
        parts += [nn.Flatten(), nn.Linear(before * height * width, hidden), nn.ReLU()]
        parts.append(nn.Linear(hidden, data.n_classes))
    return nn.Sequential(*parts)


def train_classifier(
    module: Module,
    data: ImageData,
    *,
    epochs: int,
    learning_rate: float = 0.002,
    batch_size: int = 64,
    seed: int = 0,
    callback: Callable[[int, Module], None] | None = None,
) -> Module:
    """Train a classifier in place with Adam on the cross-entropy, and return it in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        Of flat images, shape (n, dim), in float32.
    data : ImageData
    epochs, learning_rate, batch_size, seed : int, float, int, int
        The seed draws the order of the images.
    callback : callable, optional
        ``callback(epoch, module)`` is called before training, with epoch 0, and after each epoch; the module is in
        evaluation mode then.

    Raises
    ------
    InputError
        For a seed below 0, or of more than 32 bits.
    MissingExtraError
        Without PyTorch or scikit-learn.
    """
    torch = _torch()
    _check_seed(seed)
    x = torch.from_numpy(data.train_images.astype(np.float32))
    y = torch.from_numpy(data.train_labels)
    optimiser = torch.optim.Adam(module.parameters(), lr=learning_rate)
    random = np.random.default_rng(seed)
    with one_thread():
        if callback is not None:
            callback(0, module.eval())
        for epoch in range(1, epochs + 1):
            module.train()
            for batch in torch.from_numpy(random.permutation(len(x))).split(batch_size):
                loss = torch.nn.functional.cross_entropy(module(x[batch]), y[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            if callback is not None:
                callback(epoch, module.eval())
    return module.eval()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let PyTorch draw what a seed says, and then go on as if nothing had been drawn.

    Raises
    ------
    InputError
        For a seed below 0, or of more than 32 bits.
    MissingExtraError
        Without PyTorch.
    """
    torch = _torch()
    _check_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def imported(module: Module, data: ImageData) -> Network:
    """Return the exact network of a trained classifier."""
    from polyrelu.network.torch_reader import from_torch

    return from_torch(module, (data.dim,))


def accuracy_of(module: Module, data: ImageData) -> float:
    """Return the fraction of the test images that a classifier labels right."""
    torch = _torch()
    with torch.no_grad():
        predicted = module(torch.from_numpy(data.test_images.astype(np.float32))).argmax(1).numpy()
    return float((predicted == data.test_labels).mean())


def _check_seed(seed: int) -> None:
    if not 0 <= seed < N_SEEDS:
        raise InputError(f"Training needs a seed from 0 to 2^32 - 1 but received {seed}. Choose another.")


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingExtraError("Training needs PyTorch. Install it with: pip install 'polyrelu[torch]'") from None
    return torch
