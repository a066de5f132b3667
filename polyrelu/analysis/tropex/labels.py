"""Labels that an extracted function gives, as in exact arithmetic: floats where they prove it, rationals elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.patterns import DataPatterns, patterns_at
from polyrelu.analysis.data.points import checked_points
from polyrelu.analysis.tropex.exact_family import ExactFamily, find_exact_family
from polyrelu.analysis.tropex.extracted import ExtractedFunction
from polyrelu.analysis.tropex.integer_affine import Row
from polyrelu.analysis.tropex.maxima import BUDGET, largest_terms
from polyrelu.errors import InputError
from polyrelu.exact.linalg import dot
from polyrelu.network.model import Network

__all__ = ["ExtractedLabels", "extracted_labels"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExtractedLabels:
    """The label that an extracted function gives each of some points.

    Attributes
    ----------
    labels : int64 array, shape (n_points,)
        The first of the largest outputs; with one output 1 where it is > 0, else 0.
    n_decided_exactly : int
        For how many of them floats left the label open.
    """

    labels: NDArray[np.int64]
    n_decided_exactly: int


def extracted_labels(
    network: Network,
    data: ArrayLike,
    function: ExtractedFunction,
    points: ArrayLike,
    device: str | None = None,
    budget: int = BUDGET,
) -> ExtractedLabels:
    """Return the labels that the exact extracted function gives points, all as in exact arithmetic.

    Where rounding leaves a label open, the terms that may be the largest are computed in rationals; at a data point
    itself the label is the network's, which needs no computation (`decide_extraction`).

    Parameters
    ----------
    network : Network
    data : array, shape (n, ...)
        The points that the function was extracted at.
    function : ExtractedFunction
    points : array, shape (n_points, ...)
    device, budget
        As for `ExtractedFunction.values`.

    Raises
    ------
    InputError
        If points do not fit, or the function has other numbers of points, inputs or outputs than the data and the
        network. That it comes from them is taken on trust.

    Examples
    --------
    A term of output 0 and one of output 1 that agree at 1, to the last bit:

    >>> from polyrelu import Network
    >>> from polyrelu.analysis.tropex.extract import extract_terms
    >>> network = Network.from_arrays([([[1], [-1]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])])
    >>> found = extract_terms(network, [[3.0], [-1.0]])
    >>> answer = extracted_labels(network, [[3.0], [-1.0]], found, [[1.0], [1.25]])
    >>> answer.labels.tolist(), answer.n_decided_exactly
    ([0, 0], 1)
    """
    from polyrelu.kernels.bounds import SLACK

    rows = checked_points(network, data, "extracted_labels")
    if (len(function), function.dim, function.n_out) != (len(rows), network.dim, network.n_out):
        raise InputError(
            f"extracted_labels needs the function of this network at these {len(rows)} points but received one of "
            f"{len(function)} points with {function.dim} inputs. Extract it again."
        )
    x = checked_points(function, points, "extracted_labels")
    errors = function.errors(x)
    if function.n_out == 1:
        values = function.values(x, device=device, budget=budget)[:, 0]
        labels, is_open = (values > 0).astype(np.int64), ~(np.abs(values) > errors)
    else:
        plus = largest_terms(function.plus_slopes, function.plus_constants, function.groups, x, device, budget)
        labels = plus.argmax(axis=1)
        best = plus.max(axis=1)
        np.put_along_axis(plus, labels[:, None], -np.inf, 1)
        is_open = ~(best - plus.max(axis=1) > errors * SLACK)
    number_of = {row.tobytes(): k for k, row in reversed(list(enumerate(rows + 0.0)))} if is_open.any() else {}
    exact = _ExactTerms(network, rows, function)
    for k in np.flatnonzero(is_open).tolist():
        number = number_of.get((x[k] + 0.0).tobytes())
        labels[k] = exact.label_of(x[k], float(errors[k])) if number is None else exact.data_label(number)
    return ExtractedLabels(labels, int(is_open.sum()))


@dataclass(frozen=True, eq=False)
class _ExactTerms:
    """Terms of data points in rationals, each computed when it is first asked for."""

    network: Network
    data: Floats
    function: ExtractedFunction

    def data_label(self, k: int) -> int:
        """Return the label of a data point."""
        if self.function.n_out > 1:
            return int(self.function.labels[k])
        return int(self.network.exact(self.data[k].tolist())[0] > 0)

    @np.errstate(over="ignore", invalid="ignore")
    def label_of(self, point: Floats, error: float) -> int:
        """Return the label of any point; values in floats err by no more than ``error``."""
        function = self.function
        plus = self._largest(point, function.plus_slopes @ point + function.plus_constants, error, 0)
        if function.n_out > 1:
            return min(plus, key=lambda label: (-plus[label], label))
        minus = self._largest(point, function.minus_slopes @ point + function.minus_constants, error, 1)
        return int(plus[0] > minus[0])

    def _largest(self, point: Floats, values: Floats, error: float, side: int) -> dict[int, Fraction]:
        """Return exact values of the terms that may be the largest: the best for each label that has any."""
        x = [Fraction(v) for v in point.tolist()]
        best: dict[int, Fraction] = {}
        terms = {self._key(k): k for k in np.flatnonzero(~(values < values.max() - error)).tolist()}
        for k in terms.values():
            row = self._term(k)[side]
            label = int(self.function.labels[k])
            value = Fraction(dot([int(v) for v in row[:-1]], x) + int(row[-1]))
            best[label] = max(best.get(label, value), value)
        return best

    def _term(self, k: int) -> tuple[Row, Row]:
        key = self._key(k)
        if key not in self._terms:
            pattern = self._patterns.pattern(k)
            digits = [each.tolist() for each in self.network.unit_digits(pattern)]
            minus, plus = self._family.terms(digits, [int(self.function.labels[k])])
            self._terms[key] = plus, minus
        return self._terms[key]

    def _key(self, k: int) -> tuple[int, int]:
        """Return what points share that have the same terms: pattern and label."""
        return int(self._groups[k]), int(self.function.labels[k])

    @cached_property
    def _terms(self) -> dict[tuple[int, int], tuple[Row, Row]]:
        return {}

    @cached_property
    def _family(self) -> ExactFamily:
        return find_exact_family(self.network, self.function.present)

    @cached_property
    def _patterns(self) -> DataPatterns:
        return patterns_at(self.network, self.data)

    @cached_property
    def _groups(self) -> NDArray[np.int64]:
        return self._patterns.groups()[1]
