"""A data set through a trained classifier (784-[256]*2-10): 20,000 images, seconds and memory of each question.

The images are mixtures of the real ones in the folder of models. Every question runs in a process of its own, so that
the most memory it held can be told; ``evaluate`` is the extracted function at all images, by labels.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyrelu import load
from polyrelu.analysis.data.local_maps import iterate_local_maps
from polyrelu.analysis.data.pattern_dag import pattern_dag
from polyrelu.analysis.data.patterns import labels_at, patterns_at
from polyrelu.analysis.data.splitting import clusters_of
from polyrelu.analysis.tropex.extract import extract_terms

N_POINTS = 20_000
QUESTIONS = ("labels", "patterns", "local maps", "pattern DAG", "extract", "evaluate")


def run(repeats: int = 3, models: str | None = None) -> None:
    """Print the table."""
    folder = Path(models) if models else Path(__file__).resolve().parents[2] / "shared" / "models"
    if not (folder / "mnist_samples.npz").is_file():
        print(f"data: skipped, {folder.name}/mnist_samples.npz is not there")
        return
    print(f"{N_POINTS:,} images through 784-[256]*2-10\n{'question':<14}{'CPU s':>8}{'MiB':>7}  answer")
    for question in QUESTIONS:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("spawn").Process(target=_measure, args=(question, str(folder), theirs))
        process.start()
        theirs.close()
        seconds, mebibytes, answer = ours.recv()
        process.join()
        print(f"{question:<14}{seconds:>8.2f}{mebibytes:>7.0f}  {answer}", flush=True)


def images(folder: Path) -> NDArray[np.float64]:
    """Return mixtures of two real images each, shape (N_POINTS, 784)."""
    data = np.load(folder / "mnist_samples.npz", allow_pickle=False)
    real = data["images"].reshape(len(data["images"]), -1) / 255
    random = np.random.default_rng(0)
    first, second = real[random.integers(0, len(real), (2, N_POINTS))]
    share = random.uniform(0, 1, (N_POINTS, 1))
    return share * first + (1 - share) * second


def _measure(question: str, folder: str, to: Connection) -> None:
    network, x = load(Path(folder) / "mnist-net_256x2.onnx"), images(Path(folder))
    start = time.process_time()
    answer = _answer(question, network, x)
    seconds = time.process_time() - start
    to.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, answer))


def _answer(question: str, network, x: NDArray[np.float64]) -> str:  # type: ignore[no-untyped-def]
    match question:
        case "labels":
            return f"{np.bincount(labels_at(network, x)).tolist()} images of each label"
        case "patterns":
            found = patterns_at(network, x)
            return f"{found.count_distinct():,} distinct, {found.n_decided_exactly} points decided exactly"
        case "local maps":
            size = sum(len(maps.offsets) for _, maps in iterate_local_maps(network, x))
            return f"{size:,} maps of the predicted class"
        case "pattern DAG":
            dag = pattern_dag(network, x)
            return f"{dag.n_nodes:,} nodes, {len(clusters_of(dag)):,} clusters"
        case "extract":
            return f"{len(extract_terms(network, x)):,} terms of each kind"
        case _:
            found = extract_terms(network, x)
            agreeing = (found.labels_of(x) == found.labels).sum()
            return f"{agreeing:,} of {len(x):,} labels kept"
