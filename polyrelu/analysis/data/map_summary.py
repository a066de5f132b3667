"""What the local maps of a data set come to: how many there are, how steep they are, and how exact."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.local_maps import LocalMaps, Outputs
from polyrelu.analysis.data.map_agreement import iterate_checked_maps
from polyrelu.analysis.data.patterns import Progress, patterns_at
from polyrelu.errors import InternalError
from polyrelu.network.model import Network

__all__ = ["MapSummary", "summarise_maps"]


@dataclass(frozen=True, slots=True)
class MapSummary:
    """Numbers about the local maps at some points.

    Attributes
    ----------
    n_points, n_maps : int
    n_patterns : int
        Different activation patterns of the points, exactly.
    n_decided_exactly : int
        Points with a digit that floats left open.
    n_distinct : int
        Different rows of weights and offset, as floats.
    norms : tuple of float
        Least, median and largest Euclidean norm of the weights; empty without points.
    largest_difference : float
        Of a map at its point and the forward pass.
    largest_bound : float
        Of how much of such a difference rounding explains.
    """

    n_points: int
    n_maps: int
    n_patterns: int
    n_decided_exactly: int
    n_distinct: int
    norms: tuple[float, ...]
    largest_difference: float
    largest_bound: float

    def to_json(self) -> dict[str, Any]:
        """Return the numbers by name; None for what floats cannot hold."""
        numbers = {"largest_difference": self.largest_difference, "largest_bound": self.largest_bound}
        return {
            "points": self.n_points,
            "maps": self.n_maps,
            "patterns": self.n_patterns,
            "decided_exactly": self.n_decided_exactly,
            "distinct_maps": self.n_distinct,
            "norms": [norm if math.isfinite(norm) else None for norm in self.norms],
            **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
        }

    def to_text(self) -> str:
        """Return the numbers as lines."""
        norms = " to ".join(f"{norm:.4g}" for norm in self.norms[::2])
        rows = [
            ("points", f"{self.n_points:,}; {self.n_decided_exactly:,} had digits that floats left open"),
            ("patterns", f"{self.n_patterns:,} different ones"),
            ("maps", f"{self.n_maps:,}, {self.n_distinct:,} different as floats"),
            ("gradients", f"norms {norms}, median {self.norms[1]:.4g}" if self.norms else "none"),
            ("check", f"map(x) is f(x) up to {self.largest_difference:.2g}; rounding allows {self.largest_bound:.2g}"),
        ]
        return "\n".join(f"{name:<12}{value}" for name, value in rows)


def summarise_maps(
    network: Network,
    points: ArrayLike,
    output: Outputs = "predicted",
    *,
    device: str | None = None,
    each: Callable[[LocalMaps], None] | None = None,
    progress: Progress | None = None,
) -> MapSummary:
    """Return what the local maps at points come to, each checked against the network at its point.

    Parameters
    ----------
    network, points, output, device
        As for `polyrelu.analysis.data.local_maps.local_maps`.
    each : callable, optional
        ``each(maps)`` is given the maps of one block of points after the other.
    progress : callable, optional
        ``progress(done, total)`` hears how many points are done.

    Raises
    ------
    InputError, MissingExtraError
        As `local_maps`.
    InternalError
        If a map differs from the network by more than rounding explains.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> summary = summarise_maps(xor(), [[2, 1], [3, 3], [0.5, 0.25]])
    >>> summary.n_patterns, summary.n_distinct, summary.largest_difference
    (2, 2, 0.0)
    """
    norms: list[NDArray[np.float64]] = []
    seen: set[bytes] = set()
    difference = bound = 0.0
    patterns = patterns_at(network, points, device)
    for piece, maps, agreement in iterate_checked_maps(network, points, output, device=device):
        is_bounded = np.isfinite(agreement.bounds)
        if (agreement.differences[is_bounded] > agreement.bounds[is_bounded]).any():
            raise InternalError(
                f"summarise_maps needs maps that agree with the network at their points but one of points "
                f"{piece.start} to {piece.stop - 1} does not. Please report the network."
            )
        rows = np.ascontiguousarray(maps.dual_points.reshape(-1, network.dim + 1) + 0.0)  # no -0.0
        with np.errstate(over="ignore"):
            norms.append(np.linalg.norm(rows[:, :-1], axis=1))
        seen.update(blake2b(row.tobytes(), digest_size=16).digest() for row in rows)
        difference = max(difference, _largest(agreement.differences))
        bound = max(bound, _largest(agreement.bounds))
        if each is not None:
            each(maps)
        if progress is not None:
            progress(piece.stop, len(patterns))
    sizes = np.concatenate(norms) if norms else np.zeros(0)
    spread = tuple(map(float, (sizes.min(), np.median(sizes), sizes.max()))) if len(sizes) else ()
    n_exact = patterns.n_decided_exactly or 0
    return MapSummary(
        len(patterns), len(sizes), patterns.count_distinct(), n_exact, len(seen), spread, difference, bound
    )


def _largest(sizes: NDArray[np.float64]) -> float:
    """Return the largest of some sizes; infinity if one is NaN, as after an overflow."""
    return math.inf if np.isnan(sizes).any() else float(sizes.max(initial=0.0))
