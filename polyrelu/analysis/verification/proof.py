"""What proves that a property holds, or that it is violated: checked in rationals, without a solver.

A proof that a property holds is one tree for each of its cases. Its cells are boxes of inputs, halved again and again,
or parts of boxes on which some units have given digits. A cell excludes an output polyhedron by nonnegative multipliers
of its rows whose sum no point of the cell can make >= 0. There are two kinds:

* bounded: the rows are values on a zonotope, and the largest value of the sum follows by adding magnitudes
  (`polyrelu.analysis.verification.fixed`);
* exact: the rows are affine in the inputs, and their sum is a negative constant (Farkas' lemma), or 0 where a strict
  row takes part.

Both halves of a box cover it, and so do all digits of a unit: the pieces of its function meet where they end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.analysis.verification.cells import bound_rows, exact_cell, pulled_back
from polyrelu.analysis.verification.fixed import FixedForm, FixedLayer, combination, fixed_layers, propagate_fixed
from polyrelu.analysis.verification.property import InputSet, Property, PropertyCase, find_violation
from polyrelu.errors import CertificateError, InputError
from polyrelu.network.model import Network
from polyrelu.region.evidence import Infeasible, check_infeasible

__all__ = [
    "BoxSplit",
    "CaseProof",
    "CellProof",
    "ImpliedBound",
    "ProofNode",
    "PropertyHolds",
    "PropertyViolated",
    "UnitSplit",
]

Unit = tuple[int, int]
Bound = Fraction | None
Multipliers = tuple[tuple[int, Fraction], ...]
"""Pairs of a row's number and its multiplier; all others are 0."""


@dataclass(frozen=True, slots=True)
class BoxSplit:
    """Two cells: one input below a value, and above it."""

    input: int
    at: Fraction


@dataclass(frozen=True, slots=True)
class UnitSplit:
    """One cell for each digit of a unit."""

    layer: int
    unit: int


@dataclass(frozen=True, slots=True)
class CellProof:
    """Why no input of a cell gives outputs in some of the output polyhedra.

    Attributes
    ----------
    excluded : tuple of int
        Which of the case's output polyhedra; several if no row of theirs takes part.
    multipliers : tuple of (row, Fraction)
        Nonnegative. Rows of bounded cells: the inputs' further rows, the conditions of the digits, the rows of the
        output polyhedron. Exact cells have the bounds of the inputs before them.
    is_exact : bool
    """

    excluded: tuple[int, ...]
    multipliers: Multipliers
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class ProofNode:
    """A cell: what is excluded in all of it, and how the rest is divided.

    Attributes
    ----------
    split : BoxSplit, UnitSplit or None
    proofs : tuple of CellProof
    winners : tuple of (Unit, int)
        For some max units the candidate that bounds compare the others with; any will do, and tell more or less.
    """

    split: BoxSplit | UnitSplit | None
    proofs: tuple[CellProof, ...]
    winners: tuple[tuple[Unit, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ImpliedBound:
    """A bound of one input that follows from rows: ``x - value`` (``value - x`` if upper) is at least their sum.

    Attributes
    ----------
    input : int
    is_upper : bool
    value : Fraction
    multipliers : tuple of (row, Fraction)
        Of the case's bounds and further rows.
    """

    input: int
    is_upper: bool
    value: Fraction
    multipliers: Multipliers


@dataclass(frozen=True, slots=True)
class CaseProof:
    """A case that no input realises: bounds that its inputs have, and a tree of cells in depth-first order."""

    bounds: tuple[ImpliedBound, ...]
    nodes: tuple[ProofNode, ...]


@dataclass(frozen=True, slots=True)
class PropertyViolated:
    """An input that violates a property.

    Attributes
    ----------
    network : Network
    unsafe : Property
    inputs, outputs : tuple of Fraction
    """

    network: Network
    unsafe: Property
    inputs: tuple[Fraction, ...]
    outputs: tuple[Fraction, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the network has these outputs, and they violate the property."""
        if len(self.inputs) != self.network.dim or self.network.exact(self.inputs) != self.outputs:
            raise _refused("the outputs of its input", "others", "the witness")
        if find_violation(self.unsafe, self.inputs, self.outputs) is None:
            raise _refused("inputs and outputs that violate the property", "some that do not", "the witness")


@dataclass(frozen=True, slots=True)
class PropertyHolds:
    """A proof that no input violates a property.

    Attributes
    ----------
    network : Network
    unsafe : Property
    cases : tuple of CaseProof
    """

    network: Network
    unsafe: Property
    cases: tuple[CaseProof, ...]

    @property
    def n_nodes(self) -> int:
        """Number of cells of all trees."""
        return sum(len(case.nodes) for case in self.cases)

    def check(self) -> None:
        """Raise `CertificateError`, naming the cell, unless every step is proved.

        Bounds of cells are worked out anew, in integers: about 10 ms for a cell of a network with 300 neurons.
        """
        if (self.network.dim, self.network.n_out) != (self.unsafe.n_inputs, self.unsafe.n_outputs):
            raise _refused("a network of the property's inputs and outputs", "another", "the network")
        if len(self.cases) != len(self.unsafe.cases):
            raise _refused("a proof for each case", f"{len(self.cases)} for {len(self.unsafe.cases)}", "the cases")
        layers = fixed_layers(self.network)
        for number, (case, proof) in enumerate(zip(self.unsafe.cases, self.cases, strict=True)):
            _check_case(self.network, layers, case, proof, f"case {number}")


@dataclass(frozen=True, slots=True)
class _Cell:
    lower: tuple[Bound, ...]
    upper: tuple[Bound, ...]
    digits: dict[Unit, int]
    remaining: frozenset[int]


def _check_case(
    network: Network, layers: Sequence[FixedLayer], case: PropertyCase, proof: CaseProof, where: str
) -> None:
    lower, upper = list(case.inputs.lower), list(case.inputs.upper)
    for bound in proof.bounds:
        _check_bound(case.inputs, bound, where)
        (upper if bound.is_upper else lower)[bound.input] = bound.value
    stack = [_Cell(tuple(lower), tuple(upper), {}, frozenset(range(len(case.outputs))))]
    for number, node in enumerate(proof.nodes):
        place = f"cell {number} of {where}"
        if not stack:
            raise _refused("cells that end with the tree", "more", place)
        cell = stack.pop()
        _check_proofs(network, layers, case, node, cell, place)
        remaining = cell.remaining - {each for found in node.proofs for each in found.excluded}
        if node.split is not None:
            stack += _children(network, cell, remaining, node.split, place)[::-1]
        elif remaining:
            raise _refused("every output polyhedron excluded", f"{sorted(remaining)} left open", place)
    if stack:
        raise _refused("all cells of the tree", f"{len(stack)} too few", where)


def _check_bound(inputs: InputSet, bound: ImpliedBound, where: str) -> None:
    rows = [*bound_rows(inputs.lower, inputs.upper), *inputs.halfspaces.rows]
    dim = len(inputs.lower)
    _check_multipliers(bound.multipliers, len(rows), where)
    if not 0 <= bound.input < dim:
        raise _refused("a bound of an input", f"one of input {bound.input}", where)
    rest = [Fraction(0)] * (dim + 1)
    rest[bound.input] = Fraction(-1 if bound.is_upper else 1)
    rest[-1] = bound.value if bound.is_upper else -bound.value
    for number, factor in bound.multipliers:
        rest = [a - factor * b for a, b in zip(rest, rows[number], strict=True)]
    if any(rest[:-1]) or rest[-1] < 0:
        raise _refused("multipliers that give a bound", f"others for input {bound.input}", where)


def _check_proofs(
    network: Network, layers: Sequence[FixedLayer], case: PropertyCase, node: ProofNode, cell: _Cell, where: str
) -> None:
    for proof in node.proofs:
        if not proof.excluded or not set(proof.excluded) <= set(range(len(case.outputs))):
            raise _refused("proofs about output polyhedra of the case", f"one about {proof.excluded}", where)
    bounded = [proof for proof in node.proofs if not proof.is_exact]
    if bounded:
        _check_bounded(network, layers, case, bounded, cell, dict(node.winners), where)
    exact = [proof for proof in node.proofs if proof.is_exact]
    if exact:
        found = exact_cell(network, case.inputs, cell.lower, cell.upper, cell.digits)
        for proof in exact:
            rows, strict = found.rows, found.strict
            if len(proof.excluded) == 1 and found.outputs is not None:
                halfspaces = case.outputs[proof.excluded[0]]
                rows, strict = (*rows, *pulled_back(halfspaces, found.outputs)), (*strict, *halfspaces.strict)
            _check_multipliers(proof.multipliers, len(rows), where)
            factors = [Fraction(0)] * len(rows)
            for number, factor in proof.multipliers:
                factors[number] += factor
            try:
                check_infeasible(rows, strict, Infeasible(tuple(factors)))
            except InputError as error:
                raise _refused("multipliers that exclude it", f"others ({error})", where) from None


def _check_bounded(
    network: Network,
    layers: Sequence[FixedLayer],
    case: PropertyCase,
    proofs: Sequence[CellProof],
    cell: _Cell,
    winners: dict[Unit, int],
    where: str,
) -> None:
    lower = [bound for bound in cell.lower if bound is not None]
    upper = [bound for bound in cell.upper if bound is not None]
    if not len(lower) == len(upper) == network.dim:
        raise _refused("a box of inputs", "one without an end", where)
    if any(low > high for low, high in zip(lower, upper, strict=True)):
        return
    inputs, conditions, outputs = propagate_fixed(network, layers, lower, upper, cell.digits, winners)
    known = [combination(row, inputs) for row in case.inputs.halfspaces.rows] + conditions
    strict = [*case.inputs.halfspaces.strict, *[False] * len(conditions)]
    for proof in proofs:
        rows, is_strict = known, strict
        if len(proof.excluded) == 1:
            halfspaces = case.outputs[proof.excluded[0]]
            rows = [*known, *(combination(row, outputs) for row in halfspaces.rows)]
            is_strict = [*strict, *halfspaces.strict]
        _check_multipliers(proof.multipliers, len(rows), where)
        total = FixedForm(0, {}, 0)
        for number, factor in proof.multipliers:
            total = total.minus(rows[number].scaled(-factor, Fraction(0)))
        takes_strict = any(factor and is_strict[number] for number, factor in proof.multipliers)
        if not (total.largest < 0 or (total.largest == 0 and takes_strict)):
            raise _refused("a sum of rows below 0", f"one that may be {float(total.largest)}", where)


def _children(
    network: Network, cell: _Cell, remaining: frozenset[int], split: BoxSplit | UnitSplit, where: str
) -> list[_Cell]:
    if isinstance(split, BoxSplit):
        i, at = split.input, split.at
        if not 0 <= i < network.dim:
            raise _refused("a split of an input", f"one of input {i}", where)
        low, high = cell.lower[i], cell.upper[i]
        if (low is not None and at < low) or (high is not None and at > high):
            raise _refused("a split inside of the box", f"one at {at}", where)
        below = _Cell(cell.lower, (*cell.upper[:i], at, *cell.upper[i + 1 :]), cell.digits, remaining)
        above = _Cell((*cell.lower[:i], at, *cell.lower[i + 1 :]), cell.upper, cell.digits, remaining)
        return [below, above]
    unit = split.layer, split.unit
    is_unit = 0 <= split.layer < len(network.hidden) and 0 <= split.unit < network.hidden[split.layer].n_outputs
    if not is_unit or unit in cell.digits:
        raise _refused("a split by a unit without a digit", f"one by unit {unit}", where)
    n_pieces = int(network.hidden[split.layer].activation.n_pieces[split.unit])
    return [_Cell(cell.lower, cell.upper, {**cell.digits, unit: digit}, remaining) for digit in range(n_pieces)]


def _check_multipliers(multipliers: Multipliers, n_rows: int, where: str) -> None:
    if not all(0 <= number < n_rows and factor >= 0 for number, factor in multipliers):
        raise _refused("nonnegative multipliers of its rows", "others", where)


def _refused(needs: str, received: str, where: str) -> CertificateError:
    return CertificateError(
        f"The proof of a property needs {needs} but received {received} ({where}). Decide the property again."
    )
