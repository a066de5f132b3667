"""Train the small classifier of iris petals that ships with polyrelu and write it to ``polyrelu/data``.

The network reads two numbers, petal length and petal width in centimetres, without standardisation, so that the
axes of every picture are centimetres. It has two hidden ReLU layers of 16 neurons and three outputs, one score per
species (0 setosa, 1 versicolor, 2 virginica). Training is full-batch Adam in float32 with a fixed seed. It uses all
150 flowers; the accuracy printed at the end is that on the training data and estimates nothing else.

Run from the root of the repository, with the extras ``torch`` and ``dev`` installed::

    python tools/train_iris_petals.py

Files written:

``iris_petals.npz``
    ``W0, b0, W1, b1, W2, b2``, float32, each ``W`` of shape ``(out, in)``; the last pair is the affine output.
``iris_petals_points.npz``
    ``X``, float64, shape ``(150, 2)``, in cm, and ``y``, int64, shape ``(150,)``: the training data.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_iris

SEED = 0
WIDTHS = (2, 16, 16, 3)
STEPS = 2000
LEARNING_RATE = 0.01
WEIGHT_DECAY = 1e-3
DATA_FOLDER = Path(__file__).resolve().parent.parent / "polyrelu" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the iris petal classifier and write its weights.")
    parser.add_argument("--folder", type=Path, default=DATA_FOLDER, help="where to write (default: polyrelu/data)")
    folder = parser.parse_args().folder

    points, labels = load_petals()
    network = train(points, labels)
    print(f"accuracy on the {len(labels)} training points: {accuracy(network, points, labels):.4f}")
    write_npz(folder / "iris_petals.npz", network_arrays(network))
    write_npz(folder / "iris_petals_points.npz", {"X": points, "y": labels})


def load_petals() -> tuple[np.ndarray, np.ndarray]:
    """Return petal length and width in cm, shape (150, 2), and the species, shape (150,)."""
    iris = load_iris()
    return iris.data[:, 2:4].astype(np.float64), iris.target.astype(np.int64)


def train(points: np.ndarray, labels: np.ndarray) -> torch.nn.Sequential:
    """Return the trained network; the same versions on the same machine give the same weights."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    layers: list[torch.nn.Module] = []
    for n_in, n_out in itertools.pairwise(WIDTHS):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    inputs, targets = torch.tensor(points, dtype=torch.float32), torch.tensor(labels)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(inputs), targets)
        loss.backward()
        optimizer.step()
    return network


def accuracy(network: torch.nn.Sequential, points: np.ndarray, labels: np.ndarray) -> float:
    """Return the fraction of points whose largest score is that of their own species."""
    with torch.no_grad():
        scores = network(torch.tensor(points, dtype=torch.float32)).numpy()
    return float((scores.argmax(axis=1) == labels).mean())


def network_arrays(network: torch.nn.Sequential) -> dict[str, np.ndarray]:
    """Return the weights and biases under the names ``W0, b0, W1, ...``."""
    linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    arrays = {}
    for k, layer in enumerate(linear):
        arrays[f"W{k}"] = layer.weight.detach().numpy().astype(np.float32)
        arrays[f"b{k}"] = layer.bias.detach().numpy().astype(np.float32)
    return arrays


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the file whole or not at all: under another name in the same folder, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, **arrays)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


if __name__ == "__main__":
    main()
