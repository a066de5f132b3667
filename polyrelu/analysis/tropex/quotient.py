"""The quotient of TropEx as its equation (2) prints it: the denominator over the points of the same label only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.analysis.data.patterns import exact_label
from polyrelu.analysis.ground import require
from polyrelu.analysis.tropex.exact import (
    ExactExtractedFunction,
    Outputs,
    are_exact_points,
    exact_points,
    extract_exactly,
)
from polyrelu.certificate.verdict import Verdict
from polyrelu.network.model import Network

__all__ = ["PrintedQuotient", "decide_printed_quotient"]


@dataclass(frozen=True, eq=False)
class PrintedQuotient:
    """What equation (2) gives at data points, and which of them it gives another label than the network.

    Attributes
    ----------
    network : Network
    points : tuple of points of Fractions
    function : ExactExtractedFunction
        Of the network at these points.
    failing : tuple of int
        The points with another label.
    """

    network: Network
    points: tuple[tuple[Fraction, ...], ...]
    function: ExactExtractedFunction
    failing: tuple[int, ...]

    def values(self, k: int) -> tuple[Outputs, Outputs]:
        """Return the outputs of the network and of the quotient at a point."""
        return self.network.exact(self.points[k]), self.function.value(self.points[k], own_denominator=True)

    def check(self) -> None:
        """Raise `CertificateError` unless the terms are the network's and the labels as told: by evaluation alone."""
        require(are_exact_points(self.points, self.network.dim), "Fractions that are points of the network's dimension")
        again, ours = extract_exactly(self.network, self.points), self.function
        same = (again.n_out, again.labels, again.plus, again.minus) == (ours.n_out, ours.labels, ours.plus, ours.minus)
        require(same, "the terms of this network at these points")
        failing = tuple(k for k in range(len(self.points)) if len({*map(exact_label, self.values(k))}) > 1)
        require(failing == self.failing, "the points where labels differ")


def decide_printed_quotient(network: Network, points: Iterable[object]) -> Verdict:
    """Return whether equation (2) of TropEx keeps the label of every data point.

    The equation takes the second maximum over the points of the same label, Algorithm 3.1 over all points. At a point
    with label ``i`` the quotient of another label ``j`` then lacks the largest terms below, and may exceed the
    network's output ``j``, up to another label: where the paper's Theorem 3.3 is about the algorithm, this is not.

    Parameters
    ----------
    network : Network
    points : n points of dim numbers each
        Taken exactly; arrays of any shape are flattened in C order.

    Returns
    -------
    Verdict
        The evidence is a `PrintedQuotient`; the value is the first failing point's number, None if all is well.

    Raises
    ------
    InputError
        If there are no points, or they do not fit.

    Examples
    --------
    >>> layers = [([[2], [2], [-5]], [4, -1, -3]), ([[2, -3, -5], [1, 0, -5]], [3, 5])]
    >>> verdict = decide_printed_quotient(Network.from_arrays(layers), [["15/7"], ["-6/7"], ["2/7"], ["33/7"]])
    >>> verdict.holds, [[str(v) for v in values] for values in verdict.evidence.values(verdict.value)]
    (False, [['68/7', '93/7'], ['137/7', '93/7']])
    """
    exact = exact_points(network, points, "decide_printed_quotient")
    function = extract_exactly(network, exact)
    found = PrintedQuotient(network, exact, function, ())
    failing = tuple(k for k in range(len(exact)) if len({*map(exact_label, found.values(k))}) > 1)
    evidence = PrintedQuotient(network, exact, function, failing)
    statement = f"equation (2) gives each of {len(exact)} points the label that the network gives it"
    return Verdict(statement, not failing, evidence, failing[0] if failing else None)
