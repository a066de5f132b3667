"""Certificates: what evidence costs beside the enumeration, how large it is, and how long a check takes.

Networks are those of `polyrelu.testing.gaussian`, on the box [-1, 1]^dim. ``enumerate`` is `tessellate`, ``maps`` the
affine maps and linear regions that the command prints as well, ``certify`` what is left of making a certificate;
``ratio`` is (maps + certify) / enumerate, with the goal of at most 5. The goal for ``check`` is 60 CPU seconds for 10^5
regions of the plane. CPU seconds of one thread; checks are run once.
"""

from __future__ import annotations

import time

from polyrelu import Domain, certify, check_certificate, tessellate
from polyrelu.certificate.format import to_bytes
from polyrelu.network.model import Network
from polyrelu.testing import braid, gaussian, resonance, shi

PLANE = [[2, *[32] * 3, 1], [2, *[64] * 4, 1], [2, *[256] * 2, 1], [2, *[128] * 4, 1], [2, *[64] * 8, 1]]
SPACE = [[3, 16, 16, 1], [4, 12, 12, 1], [5, 10, 10, 1], [6, 10, 8, 1], [8, 8, 6, 1]]
FAMILIES = {"braid(5)": lambda: braid(5), "shi(4)": lambda: shi(4), "resonance(4)": lambda: resonance(4)}
HEADER = (
    f"{'network':<24}{'regions':>9}{'enumerate':>11}{'maps':>8}{'certify':>9}{'ratio':>7}{'MB':>8}{'check':>9}"
    f"{'s/10^5':>9}"
)


def run(repeats: int = 3, models: str | None = None) -> None:
    """Print the tables; what is compiled on the first call is not counted."""
    for dim in (2, 3, 5):
        certify(tessellate(gaussian([dim, 4, 4, 1]))).n_regions  # noqa: B018
    for title, networks in (
        ("polygons (the plane)", {_name(w): gaussian(w) for w in PLANE}),
        ("bases (any dimension)", {_name(w): gaussian(w) for w in SPACE}),
        ("bases, degenerate, all of R^d", {name: made() for name, made in FAMILIES.items()}),
    ):
        print(f"\n{title}\n{HEADER}")
        for name, network in networks.items():
            domain = Domain.all(network.dim) if name in FAMILIES else Domain.box([-1] * network.dim, [1] * network.dim)
            print(_measured(name, network, domain, repeats), flush=True)


def _name(widths: list[int]) -> str:
    return "-".join(map(str, widths))


def _measured(name: str, network: Network, domain: Domain, repeats: int) -> str:
    best = [float("inf")] * 3
    for _ in range(repeats):
        times = [time.process_time()]
        tessellation = tessellate(network, domain)
        times.append(time.process_time())
        _ = tessellation.linear_regions
        times.append(time.process_time())
        certificate = certify(tessellation)
        times.append(time.process_time())
        best = [min(a, y - x) for a, x, y in zip(best, times, times[1:], strict=False)]
    size = sum(map(len, to_bytes(certificate))) / 1e6
    start = time.process_time()
    n_regions = check_certificate(certificate, network).n_regions
    checked = time.process_time() - start
    ratio = (best[1] + best[2]) / best[0]
    return (
        f"{name:<24}{n_regions:>9,}{best[0]:>11.3f}{best[1]:>8.3f}{best[2]:>9.3f}{ratio:>7.1f}{size:>8.2f}{checked:>9.2f}"
        f"{checked / n_regions * 1e5:>9.1f}"
    )
