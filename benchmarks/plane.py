"""Plane tessellations: regions per CPU second in one thread, memory, and which arithmetic decided.

Generic networks are those of `polyrelu.testing.gaussian`, on the box [-1, 1]^2. ``prototype`` is the rate of the
throw-away prototype that this engine has to beat, ``goal`` the rate it aims for. Degenerate networks show what
exact zeros cost. The last job is real: the plane through three images, through a network with 784 inputs.

CPU seconds of the whole process are compared, the best of a few runs, with Python's garbage collector off as in
`timeit`; other work on the machine still slows them down.
"""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from polyrelu import Domain, Network, Slice, enumerate_plane, load, tessellate
from polyrelu.enumeration.plane import PlaneRegions
from polyrelu.testing import gaussian

BOX = Domain.box([-1, -1], [1, 1])
GENERIC = [
    # widths, regions, prototype and goal in thousand regions a second
    ([2, *[32] * 3, 1], 3_897, 1580, 2500),
    ([2, *[64] * 4, 1], 23_467, 1190, 2000),
    ([2, *[256] * 3, 1], 262_431, 657, 1000),
    ([2, *[100] * 10, 1], 483_109, 420, 700),
    ([2, *[512] * 3, 1], 1_026_304, 237, 500),
]
HEADER = (
    f"{'network':<26}{'regions':>10}{'CPU s':>9}{'k/s':>7}{'proto':>7}{'ratio':>7}{'goal':>6}{'B/region':>10}"
    f"{'assemble us':>12}{'filtered':>14}{'extended':>10}{'exact':>8}"
)


def run(repeats: int = 3, models: str | None = None) -> None:
    """Print the table."""
    start = time.process_time()
    enumerate_plane(gaussian([2, 4, 1]), BOX)
    print(f"plane: first call (compilation, or loading what was compiled) {time.process_time() - start:.1f} CPU s\n")
    print(HEADER)
    for widths, expected, prototype, goal in GENERIC:
        _row(_name(widths), gaussian(widths), BOX, repeats, expected, prototype, goal)
    print()
    for name, network in _degenerate():
        for domain in (BOX, Domain.all(2)):
            _row(f"{name}, {'R^2' if not domain.rows else 'box'}", network, domain, repeats)
    _mnist(Path(models) if models else Path(__file__).resolve().parents[2] / "shared" / "models", repeats)


def _row(
    name: str,
    network: Network,
    domain: Domain,
    repeats: int,
    expected: int | None = None,
    prototype: int = 0,
    goal: int = 0,
) -> None:
    best: PlaneRegions | None = None
    for _ in range(repeats):
        gc.collect()
        gc.disable()
        found = enumerate_plane(network, domain)
        gc.enable()
        best = found if best is None or found.seconds < best.seconds else best
    assert best is not None and expected in (None, best.n_regions), f"{name}: {best and best.n_regions} regions"
    assemble = tessellate(network, domain).seconds["assemble"]
    rate = best.n_regions / max(best.seconds, 1e-9) / 1000
    compared = f"{prototype:>7}{rate / prototype:>7.2f}{goal:>6}" if prototype else f"{'':>20}"
    d = best.decisions
    print(
        f"{name:<26}{best.n_regions:>10,}{best.seconds:>9.4f}{rate:>7.0f}{compared}"
        f"{best.n_bytes / best.n_regions:>10.0f}{assemble / best.n_regions * 1e6:>12.2f}"
        f"{d.filtered:>14,}{d.extended:>10,}{d.exact:>8,}",
        flush=True,
    )


def _name(widths: list[int]) -> str:
    inner = widths[1:-1]
    return f"{widths[0]}-[{inner[0]}]*{len(inner)}-{widths[-1]}"


def _degenerate() -> list[tuple[str, Network]]:
    """Return networks full of exact zeros: small integers, ternary, zero bias, every neuron twice, depth."""

    def stacked(layer: Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]) -> Network:
        r, widths = np.random.default_rng(1), [2, 32, 32, 32, 32, 1]
        return Network.from_arrays([layer(r, n, h) for n, h in itertools.pairwise(widths)])

    def twice(r: np.random.Generator, n: int, h: int) -> tuple[np.ndarray, np.ndarray]:
        weight, bias = r.standard_normal((max(h // 2, 1), n)), r.standard_normal(max(h // 2, 1))
        return (np.concatenate([weight, 2 * weight]), np.concatenate([bias, 2 * bias])) if h > 1 else (weight, bias)

    return [
        ("integers -3..3", stacked(lambda r, n, h: (r.integers(-3, 4, (h, n)), r.integers(-3, 4, h)))),
        ("ternary", stacked(lambda r, n, h: (r.integers(-1, 2, (h, n)), r.integers(-1, 2, h)))),
        ("zero bias", stacked(lambda r, n, h: (r.standard_normal((h, n)), np.zeros(h)))),
        ("every neuron twice", stacked(twice)),
        ("2-[50]*20-1", gaussian([2, *[50] * 20, 1])),
    ]


def _mnist(models: Path, repeats: int) -> None:
    if not (models / "mnist-net_256x2.onnx").is_file():
        print(f"\nmnist-net_256x2: skipped, {models.name}/mnist-net_256x2.onnx is not there")
        return
    network = load(models / "mnist-net_256x2.onnx")
    images = np.load(models / "mnist_samples.npz", allow_pickle=False)["images"][:3].reshape(3, -1) / 255.0
    plane = network.restrict(Slice.through(*images))
    print()
    _row("mnist 784-[256]*2, [-1,2]^2", plane, Domain.box([-1, -1], [2, 2]), repeats)
    _row("mnist 784-[256]*2, plane", plane, Domain.all(2), repeats)
