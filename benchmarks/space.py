"""Three and more dimensions: regions per CPU second in one thread, marches, and a real controller.

Generic networks are those of `polyrelu.testing.gaussian`, on the box [-1, 1]^dim; ``prototype`` is the rate of the
throw-away prototype that this engine has to beat, ``goal`` the rate it aims for. Degenerate networks and arrangements
show what exact zeros cost. Marches find all facets and neighbours of each region. The real jobs are a trained
controller of aircraft (5 inputs, 300 neurons) on the input boxes of its published properties, and a classifier of
images. CPU seconds are the best of a few runs.
"""

from __future__ import annotations

import gc
import itertools
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from polyrelu import Domain, Network, count_regions, load, tessellate
from polyrelu.enumeration.march import enumerate_march
from polyrelu.enumeration.region_finder import RegionFinder
from polyrelu.enumeration.space import SpaceRegions
from polyrelu.enumeration.split import enumerate_split
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.errors import BudgetError
from polyrelu.region.hull import decide_domain
from polyrelu.testing import braid, coxeter, gaussian, resonance, shi, threshold

BY_VERTICES = [
    # widths, regions, prototype and goal in thousand regions a second
    ([3, *[16] * 3, 1], 15_619, 1150, 1000),
    ([3, *[32] * 4, 1], 330_984, 960, 1000),
    ([3, *[64] * 3, 1], 876_518, 910, 1000),
    ([4, *[16] * 2, 1], 25_009, 380, 400),
    ([4, *[16] * 3, 1], 146_603, 380, 400),
]
BY_PROGRAMS = [
    # widths, regions, prototype in thousand regions a second, goal in thousand linear programs a second
    ([4, *[16] * 2, 1], 25_009, 207, 1000),
    ([6, *[12] * 2, 1], 77_455, 277, 0),
    ([8, *[10] * 2, 1], 58_127, 231, 0),
    ([10, *[8] * 3, 1], 144_158, 144, 400),
]
HEADER = (
    f"{'network':<34}{'regions':>10}{'CPU s':>9}{'k/s':>8}{'proto':>7}{'ratio':>7}{'goal':>6}"
    f"{'k LP/s':>9}{'exact':>8}"
)


def run(repeats: int = 3, models: str | None = None) -> None:
    """Print the tables."""
    for name, method in (("vertices", enumerate_vertices), ("split", enumerate_split), ("march", enumerate_march)):
        start = time.process_time()
        method(gaussian([3, 4, 4, 1]), Domain.box([-1] * 3, [1] * 3))
        seconds = time.process_time() - start
        print(f"{name}: first call (compilation, or loading what was compiled) {seconds:.1f} CPU s")
    print(f"\nby vertices\n{HEADER}")
    for widths, expected, prototype, goal in BY_VERTICES:
        found = _best(lambda widths=widths: enumerate_vertices(gaussian(widths), _box(widths[0])), repeats)
        _row(_name(widths), found, expected, prototype, goal)
    for facets in (False, True):
        print(f"\nby linear programs, {'with' if facets else 'without'} facets\n{HEADER}")
        for widths, expected, prototype, goal in BY_PROGRAMS:
            network, box = gaussian(widths), _box(widths[0])
            found = _best(lambda n=network, b=box, f=facets: enumerate_split(n, b, facets=f), repeats)
            _row(_name(widths), found, expected, 0 if facets else prototype, 0 if facets else goal, has_programs=True)
    for facets in (False, True):
        print(f"\ndegenerate, by linear programs, {'with' if facets else 'without'} facets\n{HEADER}")
        for name, network in _degenerate():
            for domain in (_box(network.dim), Domain.all(network.dim)):
                found = _best(lambda n=network, d=domain, f=facets: enumerate_split(n, d, facets=f), 1)
                _row(f"{name}, {'box' if domain.rows else 'R^' + str(network.dim)}", found, has_programs=True)
    _marches(repeats)
    folder = Path(models) if models else Path(__file__).resolve().parents[2] / "shared" / "models"
    _controller(folder)
    _classifier(folder)


def _best(job: Callable[[], SpaceRegions], repeats: int) -> SpaceRegions:
    best: SpaceRegions | None = None
    for _ in range(repeats):
        gc.collect()
        gc.disable()
        found = job()
        gc.enable()
        best = found if best is None or found.seconds < best.seconds else best
    assert best is not None
    return best


def _row(
    name: str,
    found: SpaceRegions,
    expected: int | None = None,
    prototype: int = 0,
    goal: int = 0,
    has_programs: bool = False,
) -> None:
    assert expected in (None, found.n_regions), f"{name}: {found.n_regions} regions"
    rate = found.n_regions / max(found.seconds, 1e-9) / 1000
    programs = sum(found.decisions) / max(found.seconds, 1e-9) / 1000
    compared = f"{prototype:>7}{rate / prototype:>7.2f}{goal or '':>6}" if prototype else f"{'':>20}"
    print(
        f"{name:<34}{found.n_regions:>10,}{found.seconds:>9.4f}{rate:>8.1f}{compared}"
        f"{f'{programs:.0f}' if has_programs else '':>9}{found.decisions.exact:>8,}",
        flush=True,
    )


def _name(widths: list[int]) -> str:
    inner = widths[1:-1]
    return f"{widths[0]}-[{inner[0]}]*{len(inner)}-{widths[-1]}"


def _box(dim: int) -> Domain:
    return Domain.box([-1] * dim, [1] * dim)


def _degenerate() -> list[tuple[str, Network]]:
    """Return networks full of exact zeros, and arrangements of hyperplanes."""

    def stacked(dim: int, layer: Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]) -> Network:
        r, widths = np.random.default_rng(1), [dim, 10, 10, 1]
        return Network.from_arrays([layer(r, n, h) for n, h in itertools.pairwise(widths)])

    networks = []
    for dim in (4, 5, 6):
        for name, layer in (
            ("integers -3..3", lambda r, n, h: (r.integers(-3, 4, (h, n)), r.integers(-3, 4, h))),
            ("ternary", lambda r, n, h: (r.integers(-1, 2, (h, n)), r.integers(-1, 2, h))),
            ("zero bias", lambda r, n, h: (r.standard_normal((h, n)), np.zeros(h))),
        ):
            networks.append((f"{dim}-[10]*2 {name}", stacked(dim, layer)))
    arrangements = [("braid 7", braid(7)), ("Shi 6", shi(6)), ("Coxeter B5", coxeter("B", 5))]
    return [*networks, *arrangements, ("resonance 5", resonance(5)), ("threshold 5", threshold(5))]


def _marches(repeats: int) -> None:
    """March 1,000 regions with all facets and neighbours; find one region of a network with many inputs."""
    print("\nmarch with all facets and neighbours, 1,000 regions (goal: under 1 CPU s)")
    network = gaussian([5, *[50] * 6, 1])
    for domain in (_box(5), Domain.all(5)):
        best = min(_march_of_a_thousand(network, domain) for _ in range(repeats))
        print(f"5-[50]*6-1, {'box' if domain.rows else 'R^5'}: {best:.3f} CPU s for 1,000 regions")
    finder = RegionFinder(gaussian([784, 16, 16, 1]), Domain.all(784))
    words, seconds = finder.first_words([0.1] * 784), []
    for _ in range(repeats + 1):
        start = time.process_time()
        region = finder.region(finder.visit(words))
        seconds.append(time.process_time() - start)
    print(f"784-[16]*2-1, one region: {len(region.facets)} facets in {min(seconds) * 1000:.2f} ms (goal: 5 ms)")


def _march_of_a_thousand(network: Network, domain: Domain) -> float:
    try:
        found = enumerate_march(network, domain, max_regions=999)
    except BudgetError as budget:
        found = budget.partial
    return found.seconds / found.n_regions * 1000


def _controller(models: Path) -> None:
    names = ("1_1", "2_3")
    if not all((models / f"ACASXU_run2a_{name}_batch_2000.onnx").is_file() for name in names):
        print(f"\nACAS Xu: skipped, {models.name}/ACASXU_run2a_*.onnx are not there")
        return
    print("\nACAS Xu (5-[50]*6-5) on the boxes of its properties, which are flat in some inputs")
    print(
        f"{'network':<9}{'box':<8}{'dim':>4}{'regions':>9}{'CPU s':>8}{'with facets':>13}{'graph':>8}{'pairs':>10}"
        f"{'exact':>7}"
    )
    for name, number in itertools.product(names, (3, 4, 2)):
        network = load(models / f"ACASXU_run2a_{name}_batch_2000.onnx")
        domain = _input_box(models / f"prop_{number}.vnnlib")
        hull = decide_domain(domain)
        inner = network if hull.hull is None else network.restrict(hull.hull)
        plain = enumerate_split(inner, hull.inner, facets=False)
        t = tessellate(network, domain, method=enumerate_split)
        assert t.n_regions == plain.n_regions and t.decisions is not None
        print(
            f"{name:<9}prop_{number:<3}{hull.inner.dim:>4}{t.n_regions:>9,}{plain.seconds:>8.2f}"
            f"{t.seconds['enumerate']:>13.2f}{t.seconds['assemble']:>8.2f}{len(t.adjacent_pairs):>10,}"
            f"{t.decisions.exact:>7,}",
            flush=True,
        )


def count_whole_range(seconds: float = 600.0) -> None:
    """Print how many regions of a controller on [-0.5, 0.5]^5 are proved within a budget: not part of `run`.

    Run it with ``python -c "from benchmarks.space import count_whole_range as c; c()"``.
    """
    network = load(Path(__file__).resolve().parents[2] / "shared" / "models" / "ACASXU_run2a_1_1_batch_2000.onnx")
    start = time.process_time()
    try:
        found, end = count_regions(network, Domain.box(["-0.5"] * 5, ["0.5"] * 5), max_seconds=seconds), "all"
    except BudgetError as budget:
        found, end = budget.partial, "budget reached"
    print(f"ACAS Xu 1_1 on [-0.5, 0.5]^5: {found:,} regions proved in {time.process_time() - start:.0f} CPU s ({end})")


def _input_box(path: Path) -> Domain:
    """Return the box of inputs that a VNN-LIB file asserts, exactly."""
    bounds: dict[str, dict[int, str]] = {"<=": {}, ">=": {}}
    for sign, index, value in re.findall(r"\(assert \((<=|>=) X_(\d+) ([-+.\deE]+)\)\)", path.read_text()):
        bounds[sign][int(index)] = value
    order = sorted(bounds["<="])
    return Domain.box([bounds[">="][i] for i in order], [bounds["<="][i] for i in order])


def _classifier(models: Path) -> None:
    if not (models / "mnist-net_256x2.onnx").is_file():
        print(f"\nmnist-net_256x2: skipped, {models.name}/mnist-net_256x2.onnx is not there")
        return
    network = load(models / "mnist-net_256x2.onnx")
    images = np.load(models / "mnist_samples.npz", allow_pickle=False)["images"][:3].reshape(3, -1) / 255.0
    print("\nmnist-net_256x2 (784-[256]*2-10), one region with all facets at an image (goal: 10 s)")
    start = time.process_time()
    finder = RegionFinder(network, Domain.all(784))
    print(f"tables: {time.process_time() - start:.2f} CPU s")
    for image in images:
        start = time.process_time()
        region = finder.region(finder.visit_at(image.tolist()))
        print(f"{len(region.facets)} facets in {time.process_time() - start:.2f} CPU s; {region.decisions}")
