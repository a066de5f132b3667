"""What a function extracted at a data set comes to: its terms, and how it does at the data and at test points."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.patterns import Progress, labels_at, patterns_and_labels_at, patterns_at
from polyrelu.analysis.data.points import checked_labels, checked_points
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.analysis.tropex.extracted import ExtractedFunction
from polyrelu.analysis.tropex.labels import extracted_labels
from polyrelu.analysis.tropex.overlap import RegionOverlap, region_overlap
from polyrelu.analysis.tropex.process import MergeStep, transformation_process
from polyrelu.analysis.tropex.theorem import ExtractionProof, decide_extraction
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError
from polyrelu.network.model import Network

__all__ = ["ExtractionSummary", "LabelCounts", "decide_distinct_regions", "summarise_extraction"]

Points = tuple[ArrayLike, ArrayLike | None]
"""Points, shape (n, ...), and their true labels, shape (n,), where they are known."""


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """How many of some points get which label, all labels as in exact arithmetic.

    Attributes
    ----------
    n_points : int
    n_same : int
        The extracted function gives the network's label.
    n_decided_exactly : int
        Rounding left the label of the extracted function open.
    n_right, n_extracted_right : int or None
        The network, and the extracted function, gives the true label; None where that is not known.
    """

    n_points: int
    n_same: int
    n_decided_exactly: int
    n_right: int | None
    n_extracted_right: int | None


@dataclass(frozen=True, slots=True)
class ExtractionSummary:
    """Numbers about an extracted function.

    Attributes
    ----------
    terms_per_label : tuple of int, one for each output
        0 for an output that is the label of no point.
    n_regions : int
        Different patterns of the data.
    n_terms : int
        Different pairs of a pattern and a label, hence terms that may differ.
    largest_error : float
        Proven bound of how far values at the data are from those of exact terms.
    data : LabelCounts
        At the data itself.
    test : LabelCounts or None
        At test points.
    overlap : RegionOverlap or None
        Of the data and the test points.
    steps : tuple of MergeStep
        From the network to the extracted function, at the test points; empty unless asked for.
    """

    terms_per_label: tuple[int, ...]
    n_regions: int
    n_terms: int
    largest_error: float
    data: LabelCounts
    test: LabelCounts | None
    overlap: RegionOverlap | None
    steps: tuple[MergeStep, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the numbers by name; None for what is not known, or floats cannot hold."""
        facts = asdict(self)
        if not math.isfinite(self.largest_error):
            facts["largest_error"] = None
        return facts

    def to_text(self) -> str:
        """Return the numbers as lines."""
        some = ", ".join(f"{n:,} for {label}" for label, n in enumerate(self.terms_per_label) if n)
        missing = [label for label, n in enumerate(self.terms_per_label) if not n]
        nothing = f"; none for {', '.join(map(str, missing))}" if missing else ""
        rows = [
            ("terms", f"{sum(self.terms_per_label):,} with a plus ({some}{nothing}), and as many with a minus"),
            ("regions", f"{self.n_regions:,} of the data; {self.n_terms:,} pairs of a region and a label"),
            ("rounding", f"values at the data are exact up to {self.largest_error:.2g}"),
            *_label_rows("data", self.data),
        ]
        if self.test is not None and self.overlap is not None:
            rows += _label_rows("test", self.test)
            inside = f"{self.overlap.n_test_in_train_regions:,} test points are in a region of the data"
            rows.append(("overlap", f"{inside}, {self.overlap.n_test_with_train_maps:,} have a map of the data"))
        for step in self.steps:
            merged = f"{step.n_merged} merged ({step.layer})" if step.n_merged else "none merged"
            right = "" if step.accuracy is None else f", {100 * step.accuracy:.1f} % right"
            rows.append(("layers", f"{merged}: {100 * step.agreement:.1f} % as the network{right}"))
        return "\n".join(f"{name:<12}{value}" for name, value in rows)


def summarise_extraction(
    network: Network,
    data: Points,
    test: Points | None = None,
    *,
    layers: bool = False,
    device: str | None = None,
    each: Callable[[ExtractedFunction], None] | None = None,
    progress: Progress | None = None,
) -> ExtractionSummary:
    """Return numbers about the function that TropEx extracts from a network at data points.

    Parameters
    ----------
    network : Network
    data, test : pairs of points (n, ...) and true labels (n,) or None
    layers : bool
        Go from the network to the extracted function layer by layer, at the test points.
    device : str, optional
        Work with PyTorch on this device; default: NumPy.
    each : callable, optional
        ``each(function)`` receives the extracted function, to keep it.
    progress : callable, optional
        ``progress(done, total)`` hears how many points are done.

    Raises
    ------
    InputError, MissingExtraError
        As `extract_terms`; if there is not a label for each point, or layers are asked for without test points.

    Examples
    --------
    >>> network = Network.from_arrays([([[1], [-1]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])])
    >>> print(summarise_extraction(network, ([[3.0], [4.0], [-1.0]], None), ([[1.5], [0.5]], [0, 1])).to_text())
    terms       3 with a plus (2 for 0, 1 for 1), and as many with a minus
    regions     2 of the data; 2 pairs of a region and a label
    rounding    values at the data are exact up to 2.4e-13
    data        3 points: 3 get the network's label (0 decided exactly)
    test        2 points: 2 get the network's label (0 decided exactly)
    test        right: 2 by the network, 2 by the extracted function
    overlap     0 test points are in a region of the data, 2 have a map of the data
    """
    if layers and test is None:
        raise InputError("summarise_extraction needs test points to merge layers at but received none. Pass some.")
    points, labels = _checked(network, data)
    tests = None if test is None else _checked(network, test)
    function = extract_terms(network, points, device=device, progress=progress)
    if each is not None:
        each(function)
    groups = patterns_at(network, points, device).groups()[1]
    overlap: RegionOverlap | None = None
    steps: tuple[MergeStep, ...] = ()
    if tests is not None:
        overlap = region_overlap(network, points, tests[0], device)
        steps = transformation_process(network, points, *tests, device=device) if layers else ()
    return ExtractionSummary(
        tuple(function.terms_per_label.tolist()),
        len(np.unique(groups)),
        len(np.unique(np.column_stack([groups, function.labels]), axis=0)),
        float(function.errors(points).max()),
        _counts(network, points, function, (points, labels), device),
        None if tests is None else _counts(network, points, function, tests, device),
        overlap,
        steps,
    )


def decide_distinct_regions(
    network: Network, points: ArrayLike, max_seconds: float | None = None, progress: Progress | None = None
) -> Verdict:
    """Return `decide_extraction` for one point of each pattern and label, its evidence checked.

    Points with one pattern and one label have one region and the same terms, and their proofs would be equal.

    Parameters
    ----------
    network, points
        As for `summarise_extraction`.
    max_seconds : float, optional
        When they are over, ``holds`` is None, and the value the tuple of `RegionProof` that were found.
    progress : callable, optional
        ``progress(done, total)`` hears of regions: each counts once when it is proved, and once when that is checked.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> decide_distinct_regions(xor(), [[0, 0.5], [0, 0.25], [1, 1]]).statement
    'on the regions of 2 points the extracted function is the network in the label and nowhere larger'
    """
    x = checked_points(network, points, "decide_distinct_regions")
    patterns, labels = patterns_and_labels_at(network, x)
    kinds = np.column_stack([patterns.groups()[1], labels])
    first = np.sort(np.unique(kinds, axis=0, return_index=True)[1])
    end, total = None if max_seconds is None else time.monotonic() + max_seconds, 2 * len(first)
    tell = progress or (lambda _done, _total: None)
    verdict = decide_extraction(
        network, x[first].tolist(), max_seconds=max_seconds, progress=lambda done, _: tell(done, total)
    )
    proof = verdict.evidence
    if isinstance(proof, ExtractionProof):
        proof.check_shapes()
        for k in range(len(first)):
            if end is not None and time.monotonic() > end:
                return Verdict(verdict.statement, None, None, proof.regions)
            proof.check_region(k)
            tell(len(first) + k + 1, total)
    return verdict


def _checked(network: Network, points: Points) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
    x, true = checked_points(network, points[0], "summarise_extraction"), points[1]
    return x, None if true is None else checked_labels(true, len(x), "summarise_extraction")


def _counts(
    network: Network,
    data: NDArray[np.float64],
    function: ExtractedFunction,
    points: tuple[NDArray[np.float64], NDArray[np.int64] | None],
    device: str | None,
) -> LabelCounts:
    x, true = points
    own, found = labels_at(network, x, device), extracted_labels(network, data, function, x, device)
    right = None if true is None else tuple(int((each == true).sum()) for each in (own, found.labels))
    n_same = int((own == found.labels).sum())
    return LabelCounts(len(own), n_same, found.n_decided_exactly, *(right or (None, None)))


def _label_rows(name: str, found: LabelCounts) -> list[tuple[str, str]]:
    exactly = f"({found.n_decided_exactly:,} decided exactly)"
    rows = [(name, f"{found.n_points:,} points: {found.n_same:,} get the network's label {exactly}")]
    if found.n_right is not None:
        ours = f"{found.n_right:,} by the network, {found.n_extracted_right:,} by the extracted function"
        rows.append((name, f"right: {ours}"))
    return rows
