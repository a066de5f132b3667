"""Does a network keep a property? Decided exactly, by boxes that floats exclude and parts that rationals decide.

The inputs of a case are a box, or lie in one. A cell, a box or a part of one on which some units have given digits, is
bounded in floats with all rounding errors (`polyrelu.analysis.verification.bounds`). If it reaches no output polyhedron
of the case, it is done. Else a box with few inputs is halved, and once few units bend inside, or if there are many
inputs, cells are divided by the digits of a unit instead, which ends: where no unit bends, the network is one affine
map, and a linear program in rationals has the last word. The cell that exceeds its bounds most comes first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from polyrelu.analysis.verification.property import Property
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import EnumerationInterrupted, InputError

if TYPE_CHECKING:
    from polyrelu.network.model import Network

__all__ = ["PropertyProgress", "decide_property"]


@dataclass(frozen=True, slots=True)
class PropertyProgress:
    """How far the decision of a property has come.

    Attributes
    ----------
    n_cells : int
        Boxes, and parts of boxes, that have been bounded.
    n_regions : int
        Cells that linear programs in rationals have decided.
    n_left_open : int
        Cells that are affine but too large for these programs.
    share : Fraction
        How much of the inputs is proved: of each case's volume, where the parts into which a unit divides a cell count
        as equal; the mean of all cases.
    seconds : float
    """

    n_cells: int
    n_regions: int
    n_left_open: int
    share: Fraction
    seconds: float


def decide_property(
    network: Network,
    unsafe: Property,
    *,
    max_seconds: float | None = None,
    max_regions: int | None = None,
    max_boxes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verdict:
    """Return whether no input violates a property, with a proof; or with an input that does.

    Parameters
    ----------
    network : Network
    unsafe : Property
        For example from `polyrelu.analysis.vnnlib.read_vnnlib`.
    max_seconds, max_regions, max_boxes : optional
        Budgets of time, of linear programs in rationals, and of cells. When one is reached, ``holds`` is None.
    progress : callable, optional
        Called with the number of cells now and then.

    Returns
    -------
    Verdict
        Its evidence is a `PropertyHolds`, whose check works out every cell's bounds once more in integers, or a
        `PropertyViolated`. Its value is a `PropertyProgress`.

    Raises
    ------
    InputError
        If the property is about another number of inputs or outputs.
    EnumerationInterrupted
        With a `Verdict` that holds None as ``.partial``.

    Notes
    -----
    A property is about a closed set unless its conditions are strict: a network that only touches it violates it.

    Examples
    --------
    >>> from polyrelu.analysis.verification.vnnlib import parse_vnnlib
    >>> from polyrelu.testing import xor
    >>> text = "(declare-const X_0 Real) (declare-const X_1 Real) (declare-const Y_0 Real)" + "".join(
    ...     f"(assert (>= X_{i} 0)) (assert (<= X_{i} 1))" for i in range(2)
    ... )
    >>> found = decide_property(xor(), parse_vnnlib(text + "(assert (> Y_0 1))"))
    >>> found.holds, found.evidence.check()
    (True, None)
    >>> decide_property(xor(), parse_vnnlib(text + "(assert (>= Y_0 1))")).evidence.outputs
    (Fraction(1, 1),)
    >>> decide_property(xor(), parse_vnnlib("(declare-const X_0 Real)"))
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: `decide_property` needs a property of 2 inputs and 1 outputs, those of the network, \
but property has 1 and 0. Declare the variables of the network.
    """
    from polyrelu.analysis.verification.proof import PropertyHolds, PropertyViolated
    from polyrelu.analysis.verification.search import Witness
    from polyrelu.analysis.verification.tree import BudgetReached, Counts, prove_property

    if (network.dim, network.n_out) != (unsafe.n_inputs, unsafe.n_outputs):
        raise InputError(
            f"`decide_property` needs a property of {network.dim} inputs and {network.n_out} outputs, those of the "
            f"network, but {unsafe.label} has {unsafe.n_inputs} and {unsafe.n_outputs}. Declare the variables of the "
            "network."
        )
    start = time.monotonic()
    deadline = None if max_seconds is None else start + max_seconds
    counts = Counts(max_boxes, max_regions, deadline, progress, [Fraction(0)] * len(unsafe.cases))

    def verdict(holds: bool | None, evidence: Evidence | None = None) -> Verdict:
        mean = sum(counts.shares, Fraction(0)) / len(counts.shares) if counts.shares else Fraction(1)
        seconds = time.monotonic() - start
        reached = PropertyProgress(counts.n_cells, counts.n_regions, counts.n_left_open, mean, seconds)
        return Verdict(f"no input violates {unsafe.label}", holds, evidence, reached)

    try:
        found = prove_property(network, unsafe, counts)
    except BudgetReached:
        return verdict(None)
    except KeyboardInterrupt as interrupt:
        raise EnumerationInterrupted(verdict(None)) from interrupt
    if found is None:
        return verdict(None)
    if isinstance(found, Witness):
        return verdict(False, PropertyViolated(network, unsafe, found.inputs, found.outputs))
    return verdict(True, PropertyHolds(network, unsafe, found))
