"""Where a class is chosen, whether it is chosen everywhere or nowhere, and where two classes meet.

With several outputs class ``i`` is *chosen* at an input where output ``i`` is the largest; with one output class 1 is
chosen where it is >= 0 and class 0 where it is <= 0. At a tie every largest output is chosen, so the set of a class is
closed; with ``ties=False`` a class counts as chosen only where it is the one largest output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from polyrelu.analysis.ground import Ground, Options, find_ground, require
from polyrelu.analysis.preimages import InputUnion, preimage
from polyrelu.analysis.reach import NotReached, Reached, decide_reachable, find_reached, reaches
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.region.hull import decide_domain

__all__ = [
    "ChosenEverywhere",
    "class_boundary",
    "class_set",
    "decide_class_everywhere",
    "decide_class_nowhere",
    "outputs_of_class",
]


@dataclass(frozen=True, eq=False)
class ChosenEverywhere:
    """Proof that a class is chosen on a whole domain: no other output beats it on any region.

    Attributes
    ----------
    ground : Ground
    label : int
        The class.
    ties : bool
        Whether a tie counts as chosen.
    proofs : tuple of NotReached
        One for each way in which the class can fail to be chosen.
    """

    ground: Ground
    label: int
    ties: bool
    proofs: tuple[NotReached, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless every way is excluded, given that the regions cover the domain."""
        require(0 <= self.label < _n_classes(self.ground.network), "one of the network's classes")
        ways = _ways_to_fail(self.ground.network.n_out, self.label)
        require(len(self.proofs) == len(ways), "a proof for each other class")
        for proof, way in zip(self.proofs, ways, strict=True):
            require(proof.ground is self.ground, "proofs about one network and one domain")
            require(proof.outputs.rows == way.rows and proof.strict == (self.ties,), "a proof about this class")
            proof.check()


def class_set(
    network: Network,
    label: int,
    domain: Domain | None = None,
    **options: Unpack[Options],
) -> InputUnion:
    """Return all inputs of a domain at which a class is chosen, ties included: a closed union of polyhedra.

    Parameters
    ----------
    network : Network
    label : int
        The class.
    domain : Domain, optional
        All of R^dim by default.
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`.

    Raises
    ------
    InputError
        If there is no such class.
    BudgetError
        With the part found as ``.partial``.

    Examples
    --------
    >>> corner = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1], [0, 0]], [0, 0, 1])])
    >>> sets = [class_set(corner, label, Domain.box([0, 0], [2, 2])) for label in range(3)]
    >>> [found.volume for found in sets], [len(found) for found in sets]
    ([Fraction(3, 2), Fraction(3, 2), Fraction(1, 1)], [1, 1, 1])
    >>> [found.contains([1, 1]) for found in sets]
    [True, True, True]
    """
    return preimage(network, outputs_of_class(network, label), domain, **options)


def class_boundary(
    network: Network,
    first: int,
    second: int,
    domain: Domain | None = None,
    **options: Unpack[Options],
) -> InputUnion:
    """Return all inputs of a domain at which two classes are both chosen, in any dimension.

    Parameters and errors as for `class_set`. ``pieces_of(network.dim - 1)`` are the pieces of the decision boundary
    proper; ``pieces`` are the parts of full dimension on which the two outputs tie.

    Examples
    --------
    >>> corner = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1], [0, 0]], [0, 0, 1])])
    >>> found = class_boundary(corner, 0, 1, Domain.box([0, 0], [2, 2]))
    >>> [piece.polyhedron.vertices for piece in found.pieces_of(1)], found.pieces
    ([((Fraction(1, 1), Fraction(1, 1)), (Fraction(2, 1), Fraction(2, 1)))], ())
    """
    both = outputs_of_class(network, first).rows + outputs_of_class(network, second).rows
    outputs = Domain(network.n_out, both, f"the outputs that choose both class {first} and class {second}")
    return preimage(network, outputs, domain, **options)


def decide_class_everywhere(
    network: Network,
    label: int,
    domain: Domain | None = None,
    *,
    ties: bool = True,
    **options: Unpack[Options],
) -> Verdict:
    """Return whether a class is chosen at every input of a domain.

    Parameters
    ----------
    network, label, domain, **options
        As for `class_set`.
    ties : bool
        Whether the class is chosen where it ties with another one.

    Returns
    -------
    Verdict
        With `ChosenEverywhere` as evidence, or `Reached`: an input at which another output is larger (or, with
        ``ties=False``, as large), which is the value too.

    Examples
    --------
    >>> hat = Network.from_arrays([([[1], [-1]], [0, 0]), ([[0, 0], [1, 1]], [0, 0])])  # 0 and |x|
    >>> decide_class_everywhere(hat, 1).holds, decide_class_everywhere(hat, 1, ties=False).value
    (True, (Fraction(0, 1),))
    """
    ways = _ways_to_fail(network.n_out, _checked("decide_class_everywhere", network, label))
    domain = (domain or Domain.all(network.dim)).check_dim(network.dim)
    statement = f"class {label} is chosen everywhere on {domain.label}, {'ties included' if ties else 'without ties'}"
    point = decide_domain(domain).point
    for way in ways:
        if reaches(network, way, (ties,), point):
            return Verdict(statement, False, Reached(network, domain, way, (ties,), point), point)
    ground = find_ground(network, domain, **options)
    if ground is None:
        return Verdict(statement, None, None)
    proofs = []
    for way in ways:
        found = find_reached(ground, way, (ties,))
        if isinstance(found, Reached):
            return Verdict(statement, False, found, found.point)
        proofs.append(found)
    if not ground.tessellation.is_complete:
        return Verdict(statement, None, None)
    return Verdict(statement, True, ChosenEverywhere(ground, label, ties, tuple(proofs)))


def decide_class_nowhere(
    network: Network,
    label: int,
    domain: Domain | None = None,
    *,
    ties: bool = True,
    **options: Unpack[Options],
) -> Verdict:
    """Return whether a class is chosen at no input of a domain.

    Parameters as for `decide_class_everywhere`. With ``ties=True`` an input at which the class only ties refutes this.

    Returns
    -------
    Verdict
        With `NotReached` as evidence, or `Reached`: an input at which the class is chosen, which is the value too.

    Examples
    --------
    >>> hat = Network.from_arrays([([[1], [-1]], [0, 0]), ([[0, 0], [1, 1]], [0, 0])])  # 0 and |x|
    >>> decide_class_nowhere(hat, 0).value, decide_class_nowhere(hat, 0, ties=False).holds
    ((Fraction(0, 1),), True)
    """
    outputs = outputs_of_class(network, label)
    found = decide_reachable(network, outputs, domain, strict=[not ties] * len(outputs.rows), **options)
    where = (domain or Domain.all(network.dim)).label
    statement = f"class {label} is chosen nowhere on {where}, {'not even in a tie' if ties else 'except in ties'}"
    return Verdict(statement, None if found.holds is None else not found.holds, found.evidence, found.value)


def outputs_of_class(network: Network, label: int) -> Domain:
    """Return the outputs that choose a class, as a closed cone in output space.

    Examples
    --------
    >>> two = Network.from_arrays([([[1], [2]], [0, 0])])
    >>> outputs_of_class(two, 1).rows
    ((-1, 1, 0),)
    >>> outputs_of_class(two, 2)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: A class needs to be one of the network's 2 but received 2. Count from 0.
    """
    _checked("A class", network, label)
    if network.n_out == 1:
        return Domain(1, ((2 * label - 1, 0),), f"the outputs that choose class {label}")
    rows = (_difference(network.n_out, label, other) for other in range(network.n_out) if other != label)
    return Domain(network.n_out, tuple(rows), f"the outputs that choose class {label}")


def _ways_to_fail(n_out: int, label: int) -> list[Domain]:
    """Return for each other class the outputs that are in its favour, to be met strictly where ties do no harm."""
    if n_out == 1:
        return [Domain(1, ((1 - 2 * label, 0),), f"the outputs against class {label}")]
    others = (other for other in range(n_out) if other != label)
    return [Domain(n_out, (_difference(n_out, other, label),), f"the outputs in favour of {other}") for other in others]


def _difference(n_out: int, larger: int, smaller: int) -> tuple[int, ...]:
    return (*(int(i == larger) - int(i == smaller) for i in range(n_out)), 0)


def _n_classes(network: Network) -> int:
    return max(network.n_out, 2)


def _checked(who: str, network: Network, label: int) -> int:
    if not 0 <= label < _n_classes(network):
        what = "to be one of the network's" if who == "A class" else "one of the network's classes, of which there are"
        raise InputError(f"{who} needs {what} {_n_classes(network)} but received {label}. Count from 0.")
    return label
