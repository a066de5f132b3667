"""Properties of trained networks: cells and seconds until they are decided, and until their proofs are checked.

The controllers (5 inputs, 300 neurons) have their published properties; the classifiers of images are asked whether a
class is the same for all images near one. ``CPU s`` is that of the decision, ``check`` that of working the proof out
once more in integers, which is left out where a tree has more than `MOST_CHECKED` cells.
"""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from polyrelu import Network, load
from polyrelu.analysis.verification.decide import decide_property
from polyrelu.analysis.verification.property import Halfspaces, InputSet, Property, PropertyCase
from polyrelu.analysis.verification.vnnlib import read_vnnlib
from polyrelu.certificate.verdict import check_verdict

CONTROLLERS = ("1_1", "2_3")
PROPERTIES = (2, 3, 4, 6)
CLASSIFIERS = ("mnist-net_256x2", "Convnet_avgpool", "Convnet_maxpool")
RADII = ("1/1000", "1/100", "3/100", "1/10")
N_IMAGES = 2
MAX_SECONDS = 30.0
MOST_CHECKED = 50_000


def run(repeats: int = 3, models: str | None = None) -> None:
    """Print the tables."""
    folder = Path(models) if models else Path(__file__).resolve().parents[2] / "shared" / "models"
    if not (folder / "mnist_samples.npz").is_file():
        print(f"verify: skipped, {folder.name}/mnist_samples.npz is not there")
        return
    titles = f"{'network':<18}{'property':<18}{'verdict':<13}{'cells':>8}{'exact':>7}"
    header = f"{titles}{'share':>11}{'CPU s':>8}{'check':>8}"
    print(f"controllers (5-[50]*6-5)\n{header}")
    for number in PROPERTIES:
        for name in CONTROLLERS:
            network = load(folder / f"ACASXU_run2a_{name}_batch_2000.onnx")
            _row(f"ACAS Xu {name}", f"prop_{number}", network, read_vnnlib(folder / f"prop_{number}.vnnlib"))
    print(f"\nclassifiers of images (784 inputs), one class within a distance in the norm inf\n{header}")
    data = np.load(folder / "mnist_samples.npz", allow_pickle=False)
    for name in CLASSIFIERS:
        network = load(folder / f"{name}.onnx")
        for radius in RADII:
            for number in range(N_IMAGES):
                near = same_class(network, data["images"][number].ravel().tolist(), Fraction(radius))
                _row(name, f"image {number}, {radius}", network, near)


def same_class(network: Network, pixels: list[int], radius: Fraction) -> Property:
    """Return the property that all images near one get a class of their own, and no other output is as large.

    Parameters
    ----------
    network : Network
    pixels : list of int, 0 to 255
    radius : Fraction
        In the norm inf, of values between 0 and 1.
    """
    image = [Fraction(pixel, 255) for pixel in pixels]
    outputs = network.exact(image)
    label = max(range(network.n_out), key=lambda i: outputs[i])
    lower, upper = ([min(max(v + s * radius, Fraction(0)), Fraction(1)) for v in image] for s in (-1, 1))
    rows = [tuple(int(j == i) - int(j == label) for j in range(network.n_out)) for i in range(network.n_out)]
    others = tuple(Halfspaces(((*row, 0),), (False,)) for row in rows if any(row))
    case = PropertyCase(InputSet.box(lower, upper), others)
    return Property(network.dim, network.n_out, (case,), f"class {label}")


def _row(name: str, label: str, network: Network, unsafe: Property) -> None:
    start = time.process_time()
    verdict = decide_property(network, unsafe, max_seconds=MAX_SECONDS)
    seconds, check = time.process_time() - start, ""
    if verdict.holds is not None and verdict.value.n_cells <= MOST_CHECKED:
        start = time.process_time()
        check_verdict(verdict)
        check = f"{time.process_time() - start:.2f}"
    said = {True: "holds", False: "violated", None: "not decided"}[verdict.holds]
    share = "" if verdict.holds is False else f"{100 * float(verdict.value.share):.2g} %"
    print(
        f"{name:<18}{label:<18}{said:<13}{verdict.value.n_cells:>8,}{verdict.value.n_regions:>7,}{share:>11}"
        f"{seconds:>8.2f}{check:>8}",
        flush=True,
    )
