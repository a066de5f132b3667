"""What speaks for a claim: points with their patterns, recomputed facts, exhaustive computations, and searches.

Each is frozen and its ``check`` derives what it says again from weights or seeds. `Search` proves nothing about the
networks that were not examined: only its numbers can be checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from polyrelu.certificate.answer_rows import pattern_rows, require, value_at
from polyrelu.certificate.verdict import Evidence
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

__all__ = [
    "AllOf",
    "Computation",
    "Counterexample",
    "Examined",
    "Exhaustive",
    "HasOutputs",
    "HasPattern",
    "Search",
    "search",
]

Point = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True, eq=False)
class HasPattern:
    """A point of the domain has a pattern, where a preactivation of 0 counts as off.

    Attributes
    ----------
    network : Network
    point : tuple of Fraction, length dim
    pattern : Pattern
    domain : Domain or None
        None for all inputs.

    Examples
    --------
    >>> from polyrelu.testing import adjacency_counterexample
    >>> HasPattern(adjacency_counterexample(), (Fraction(0),), Pattern.parse("01|0")).check()
    >>> HasPattern(adjacency_counterexample(), (Fraction(0),), Pattern.parse("11|0")).check()
    Traceback (most recent call last):
    ...
    polyrelu.errors.CertificateError: A proof needs a point with the pattern 11|0 but has none. Ask the question again.
    """

    network: Network
    point: Point
    pattern: Pattern
    domain: Domain | None = None

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        require(len(self.point) == self.network.dim, "a point of the network's dimension")
        for row in pattern_rows(self.network, self.pattern, self.domain):
            value = value_at(row.row, self.point)
            require(value > 0 if row.is_strict else value >= 0, f"a point with the pattern {self.pattern}")


@dataclass(frozen=True, slots=True, eq=False)
class HasOutputs:
    """The network has these outputs at a point.

    Attributes
    ----------
    network : Network
    point : tuple of Fraction, length dim
    outputs : tuple of Fraction, length n_out
    """

    network: Network
    point: Point
    outputs: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        require(self.network.exact(self.point) == self.outputs, "the outputs of the network at its point")


@dataclass(frozen=True, slots=True, eq=False)
class Computation:
    """A function of rationals, networks and patterns has a value: for what has no evidence of its own.

    Attributes
    ----------
    description : str
        What the function says about its arguments.
    compute : callable
        A plain function of exact arithmetic.
    arguments : tuple
    value : object
        Compared with ``==``.

    Examples
    --------
    >>> Computation("2 + 2", sum, ((Fraction(2), Fraction(2)),), Fraction(4)).check()
    """

    description: str
    compute: Callable[..., Any]
    arguments: tuple[Any, ...]
    value: Any

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        require(self.compute(*self.arguments) == self.value, f"the value it states ({self.description})")


@dataclass(frozen=True, slots=True, eq=False)
class AllOf:
    """Several proofs that together say something.

    Attributes
    ----------
    parts : tuple of Evidence
        At least one.
    """

    parts: tuple[Evidence, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless every part proves what it says."""
        require(bool(self.parts), "a part")
        for part in self.parts:
            part.check()


@dataclass(frozen=True, slots=True, eq=False)
class Counterexample:
    """A network with points, their patterns, and what contradicts the claim.

    Attributes
    ----------
    network : Network
    points : tuple of tuple of Fraction
    patterns : tuple of Pattern
        Of the points, in their order.
    facts : tuple of Evidence
        Statements about this network (or others) that the claim denies; at least one.
    """

    network: Network
    points: tuple[Point, ...]
    patterns: tuple[Pattern, ...]
    facts: tuple[Evidence, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the points have their patterns and every fact is proved."""
        require(len(self.points) == len(self.patterns), "a pattern for each point")
        require(bool(self.facts), "a fact that contradicts the claim")
        for point, pattern in zip(self.points, self.patterns, strict=True):
            HasPattern(self.network, point, pattern).check()
        for fact in self.facts:
            fact.check()


@dataclass(frozen=True, slots=True, eq=False)
class Exhaustive:
    """All cases of a given network, each with its proof.

    Attributes
    ----------
    description : str
        What the cases are.
    n_cases : int
        How many there have to be: counted apart from the proofs.
    parts : tuple of Evidence, one for each case
    """

    description: str
    n_cases: int
    parts: tuple[Evidence, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless every case is proved."""
        require(len(self.parts) == self.n_cases, f"a proof for each case ({self.description})")
        for part in self.parts:
            part.check()


class Examined(NamedTuple):
    """What the network of one seed has to say about a claim.

    Attributes
    ----------
    n_cases : int
        How many pairs, points or regions were compared.
    counterexample : Evidence or None
    """

    n_cases: int
    counterexample: Evidence | None


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A search that found no counterexample; it can be repeated.

    Attributes
    ----------
    description : str
        Which networks were examined, and how.
    examine : callable
        ``examine(seed) -> Examined``; equal for equal seeds.
    seeds : tuple of int
        One for each network.
    n_cases : tuple of int
        How many cases each network had.
    sample : int
        How many networks ``check`` examines again.
    """

    description: str
    examine: Callable[[int], Examined]
    seeds: tuple[int, ...]
    n_cases: tuple[int, ...]
    sample: int = 3

    @property
    def n_networks(self) -> int:
        """Number of networks examined."""
        return len(self.seeds)

    def check(self) -> None:
        """Raise `CertificateError` unless some of the networks, examined again, have as many cases and nothing new."""
        require(len(self.seeds) == len(self.n_cases) > 0, "the number of cases of each network")
        step = max(1, len(self.seeds) // max(1, self.sample))
        for index in range(0, len(self.seeds), step):
            again = self.examine(self.seeds[index])
            require(again.counterexample is None, f"a network without counterexample (seed {self.seeds[index]})")
            require(again.n_cases == self.n_cases[index], f"as many cases as before (seed {self.seeds[index]})")


def search(
    description: str, examine: Callable[[int], Examined], seeds: Sequence[int], sample: int = 3
) -> Search | Evidence:
    """Return the first counterexample that the networks of some seeds give, or the `Search` that found none.

    Examples
    --------
    >>> def even(seed):
    ...     return Examined(1, Computation("odd", divmod, (seed, 2), (seed // 2, 1)) if seed % 2 else None)
    >>> search("even numbers", even, range(0, 20, 2)).n_networks, type(search("numbers", even, range(5))).__name__
    (10, 'Computation')
    """
    counts = []
    for seed in seeds:
        found = examine(seed)
        if found.counterexample is not None:
            return found.counterexample
        counts.append(found.n_cases)
    return Search(description, examine, tuple(seeds), tuple(counts), sample)
