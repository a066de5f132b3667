"""Train the small classifier of wines that ships with polyrelu and write it to ``polyrelu/data``.

The network reads three measurements of a wine: alcohol in per cent by volume, flavanoids in grams per litre, and colour
intensity. It has two hidden ReLU layers of 8 neurons and three outputs, one score for each of three cultivars. Training
is full-batch Adam with a fixed seed on standardised inputs; the standardisation is then folded into the first layer,
so that the axes of every picture are the measurements themselves, and all weights are rounded to float32 once. It uses
all 178 wines; the accuracy printed at the end is that of the stored network on the training data and estimates nothing
else.

Run from the root of the repository, with the extras ``torch`` and ``dev`` installed::

    python tools/train_wine.py

Files written:

``wine.npz``
    ``W0, b0, W1, b1, W2, b2``, float32, each ``W`` of shape ``(out, in)``; the last pair is the affine output.
``wine_points.npz``
    ``X``, float64, shape ``(178, 3)``, and ``y``, int64, shape ``(178,)``: the training data (Aeberhard, Coomans and de
    Vel 1992, in the UCI repository).
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_wine
from train_iris_petals import DATA_FOLDER, network_arrays, write_npz

SEED = 0
FEATURES = ("alcohol", "flavanoids", "color_intensity")
WIDTHS = (3, 8, 8, 3)
STEPS = 1500
LEARNING_RATE = 0.01
WEIGHT_DECAY = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the wine classifier and write its weights.")
    parser.add_argument("--folder", type=Path, default=DATA_FOLDER, help="where to write (default: polyrelu/data)")
    folder = parser.parse_args().folder

    points, labels = load_measurements()
    arrays = fold(train(points, labels), points)
    accuracy = (scores(arrays, points).argmax(axis=1) == labels).mean()
    print(f"accuracy on the {len(labels)} training points: {accuracy:.4f}")
    write_npz(folder / "wine.npz", arrays)
    write_npz(folder / "wine_points.npz", {"X": points, "y": labels})


def load_measurements() -> tuple[np.ndarray, np.ndarray]:
    """Return the three measurements, shape (178, 3), and the cultivar, shape (178,)."""
    wine = load_wine()
    columns = [wine.feature_names.index(name) for name in FEATURES]
    return wine.data[:, columns].astype(np.float64), wine.target.astype(np.int64)


def train(points: np.ndarray, labels: np.ndarray) -> torch.nn.Sequential:
    """Return the network trained on standardised points; one machine with the same versions gives the same weights."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    layers: list[torch.nn.Module] = []
    for n_in, n_out in pairwise(WIDTHS):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    inputs = torch.tensor((points - points.mean(axis=0)) / points.std(axis=0), dtype=torch.float32)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(inputs), torch.tensor(labels)).backward()
        optimizer.step()
    return network


def fold(network: torch.nn.Sequential, points: np.ndarray) -> dict[str, np.ndarray]:
    """Return the weights of the network of the points as they are, the standardisation in the first layer."""
    arrays = network_arrays(network)
    weight = arrays["W0"] / points.std(axis=0)
    arrays["b0"] = (arrays["b0"] - weight @ points.mean(axis=0)).astype(np.float32)
    arrays["W0"] = weight.astype(np.float32)
    return arrays


def scores(arrays: dict[str, np.ndarray], points: np.ndarray) -> np.ndarray:
    """Return the outputs of the stored network, shape (n, 3)."""
    values = points
    for k in range(len(WIDTHS) - 2):
        values = np.maximum(values @ arrays[f"W{k}"].T + arrays[f"b{k}"], 0)
    return values @ arrays[f"W{len(WIDTHS) - 2}"].T + arrays[f"b{len(WIDTHS) - 2}"]


if __name__ == "__main__":
    main()
