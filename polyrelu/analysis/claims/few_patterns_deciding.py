"""Deciding claims about numbers of regions: count the exceptions on one network, or on many that are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from polyrelu.analysis.claims.evidence import Computation, Examined, Search, search
from polyrelu.analysis.claims.model import Outcome, Subject, found
from polyrelu.analysis.claims.subjects import check_dense_relu, tessellated_subject
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

__all__ = [
    "PAPER",
    "Counting",
    "Drawing",
    "decide_by_counting",
    "decide_for",
    "definition",
    "first_exception",
    "searched",
]

PAPER = "Hanin and Rolnick 2019, Deep ReLU Networks Have Surprisingly Few Activation Patterns"

Counting = Callable[[Network, Domain], tuple[int, int]]
"""``count(network, domain)`` returns how many cases there are, and how many of them contradict a statement."""

Drawing = Callable[[int], tuple[Network, Domain]]
"""``draw(seed)`` returns the network of a seed and where to look at it."""


def decide_by_counting(
    claim: str,
    statement: str,
    count: Counting,
    draw: Drawing,
    seeds: Sequence[int],
    networks: str,
    cases: str,
    is_exhaustive: bool = True,
) -> Callable[[Subject | None], Verdict]:
    """Return how a claim is decided whose exceptions a function counts.

    Parameters
    ----------
    claim, statement : str
        The id, and what is claimed.
    count : Counting
    draw : Drawing
    seeds : sequence of int
    networks, cases : str
        What is drawn, and which cases are counted, for people.
    is_exhaustive : bool
        Whether the cases of a network are all there are, so that no exception among them proves the claim for it.
    """

    def examine(seed: int) -> Examined:
        network, domain = draw(seed)
        n_cases, n_exceptions = count(network, domain)
        evidence = Computation(cases, count, (network, domain), (n_cases, n_exceptions))
        return Examined(n_cases, evidence if n_exceptions else None)

    def decide(subject: Subject | None) -> Verdict:
        if subject is None:
            return searched(statement, f"{networks}: {cases}", search(networks, examine, seeds))
        return decide_for(subject, claim, statement, count, cases, is_exhaustive)

    return decide


def decide_for(
    subject: Subject, claim: str, statement: str, count: Counting, cases: str, is_exhaustive: bool = True
) -> Verdict:
    """Decide a claim for one ReLU network by counting its exceptions; `decide_by_counting` explains.

    Raises
    ------
    InputError
        If the network has other activations, or no case, or the domain is flat.
    BudgetError
        If it has more than 20,000 regions.
    """
    check_dense_relu(subject, claim)
    if tessellated_subject(subject, claim).hull is not None:
        raise InputError(
            f"Claim {claim} needs a full-dimensional domain but received {subject.domain.label}, which is flat. "
            "Restrict the network, or give a larger domain."
        )
    n_cases, n_exceptions = count(subject.network, subject.domain)
    if not n_cases:
        raise InputError(
            f"Claim {claim} needs a network with a case to examine but received one without ({cases}). Give another "
            "network or a larger domain."
        )
    evidence = Computation(cases, count, (subject.network, subject.domain), (n_cases, n_exceptions))
    what = f"{cases}: {n_cases} on this network, of which {n_exceptions} contradict the claim"
    if n_exceptions:
        return found(statement, Outcome.FALSE, evidence, what)
    return found(statement, Outcome.TRUE if is_exhaustive else Outcome.NOT_REFUTED, evidence, what)


def searched(statement: str, what: str, evidence: Search | Evidence) -> Verdict:
    """Return the verdict of a search: refuted by what it found, or not refuted."""
    if not isinstance(evidence, Search):
        return found(statement, Outcome.FALSE, evidence, f"a counterexample among {what}")
    numbers = f"{evidence.n_networks} networks, {sum(evidence.n_cases)} cases"
    return found(statement, Outcome.NOT_REFUTED, evidence, f"not refuted on {numbers}; {what}")


def first_exception(networks: Iterable[Network], domain: Domain, count: Counting) -> Network:
    """Return the first network of which a function counts an exception.

    Raises
    ------
    InputError
        If there is none.
    """
    for network in networks:
        if count(network, domain)[1]:
            return network
    raise InputError("first_exception needs a network with an exception but none was found. Search more networks.")


def definition(statement: str, what: str, evidence: Evidence) -> Callable[[Subject | None], Verdict]:
    """Return how a definition is "decided": it is not; the evidence shows what it says of an example."""

    def decide(subject: Subject | None) -> Verdict:
        if subject is not None:
            raise InputError(
                "A definition needs no network but received one: it is neither true nor false. Leave the network out."
            )
        return found(statement, Outcome.DEFINITION, evidence, what)

    return decide
