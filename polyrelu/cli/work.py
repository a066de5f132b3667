"""Tessellations for the commands, with progress on a terminal; interrupts held while libraries load."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from polyrelu.errors import InputError

if TYPE_CHECKING:
    from polyrelu.exact.domain import Domain
    from polyrelu.network.model import Network
    from polyrelu.tessellation.build import Method
    from polyrelu.tessellation.model import Tessellation

__all__ = ["METHODS", "announce_compilation", "held_interrupts", "inner_dim", "progress_bar", "tessellated"]

METHODS = ("plane", "vertices", "split", "march", "brute")
CELLS = {"plane": "Polygons", "vertices": "Polytopes", "split": "Cells"}
"""What the loop is given by each method that has one."""


def tessellated(network: Network, domain: Domain, arguments: argparse.Namespace) -> Tessellation:
    """Tessellate; say before the loops are compiled, and on a terminal how many regions there are."""
    from polyrelu.enumeration.brute import enumerate_brute
    from polyrelu.enumeration.march import enumerate_march
    from polyrelu.enumeration.plane import enumerate_plane
    from polyrelu.enumeration.split import enumerate_split
    from polyrelu.enumeration.vertices import enumerate_vertices
    from polyrelu.tessellation.build import FIRST_SPLIT_DIM, tessellate

    methods: dict[str, Method] = dict(
        zip(
            METHODS,
            (
                enumerate_plane,
                enumerate_vertices,
                enumerate_split,
                _marching(enumerate_march, network, domain, arguments),
                enumerate_brute,
            ),
            strict=True,
        )
    )
    name = getattr(arguments, "method", None)
    options = {name: getattr(arguments, name, None) for name in ("max_regions", "max_seconds")}
    dim = inner_dim(domain)
    if dim and name != "brute":
        announce_compilation(name or ("plane" if dim <= 2 else "vertices" if dim < FIRST_SPLIT_DIM else "split"))
    method = methods.get(name or "")
    with progress_bar() as progress:
        return tessellate(network, domain, method=method, progress=progress, **options)


def _marching(march: Method, network: Network, domain: Domain, arguments: argparse.Namespace) -> Method:
    """Return the march from where, and as far as, the arguments say; refuse them for other methods."""
    from polyrelu.network.point_file import parse_point
    from polyrelu.region.hull import decide_domain

    start, distance = getattr(arguments, "start", None), getattr(arguments, "max_distance", None)
    if (start, distance) != (None, None) and arguments.method != "march":
        raise InputError(
            f"--start and --max-distance need --method march but received {arguments.method or 'no method'}. Add it."
        )
    if start is None:
        return partial(march, max_distance=distance)
    point, hull = parse_point(start, network.dim), decide_domain(domain)
    if hull.hull is not None and domain.contains(point):  # a flat domain is tessellated in its affine hull
        point = hull.coordinates_of(point)
    return partial(march, start=point, max_distance=distance)


def announce_compilation(method: str) -> None:
    """Say that the loops of a method will be compiled first, if they will be."""
    with held_interrupts():
        from polyrelu.kernels.compiled import is_cached
        from polyrelu.kernels.depth_first import enumerate_cells
        from polyrelu.kernels.march import follow

        is_ready = is_cached(follow) if method == "march" else is_cached(enumerate_cells, CELLS[method])
    if not is_ready:
        print("compiling the loops once (about a minute) ...", file=sys.stderr, flush=True)


def inner_dim(domain: Domain) -> int:
    from polyrelu.region.hull import decide_domain

    return decide_domain(domain).inner.dim


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back while libraries are imported: some of them swallow it."""
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # ignored, or a program's own
        yield
        return
    held: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if held:
        raise KeyboardInterrupt


@contextmanager
def progress_bar() -> Iterator[Callable[[int], None] | None]:
    """Yield a function that shows the number of regions on a terminal after a second; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(unit=" regions", delay=1, leave=False) as bar:
        yield lambda found: bar.update(found - bar.n) and None
