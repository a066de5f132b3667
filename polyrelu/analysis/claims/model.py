"""What a claim is: a published statement, how it is decided, and what is expected of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

__all__ = ["Claim", "Finding", "Outcome", "Subject", "found"]


class Outcome(Enum):
    """What was found out about a claim."""

    TRUE = "true"
    TRUE_UNDER = "true-under"
    """True under hypotheses that the publication does not state, or in a corrected reading."""
    FALSE = "false"
    NOT_REFUTED = "not-refuted"
    """A search found no counterexample; nothing is proved."""
    DEFINITION = "definition"
    """Nothing to decide: a definition, or a question of wording, that is made precise."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a claim is decided about, if not about networks of its own choice.

    Attributes
    ----------
    network : Network
    domain : Domain
    """

    network: Network
    domain: Domain


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out, in words.

    Attributes
    ----------
    outcome : Outcome
    hypotheses : tuple of str
        Under which the outcome holds, one sentence each.
    description : str
        What the evidence is: the counterexample, the computation, or the search with its numbers.
    """

    outcome: Outcome
    hypotheses: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A published statement and how it is decided.

    Attributes
    ----------
    id : str
        Short name, unique: the paper's number, then the place, such as "003-lemma-1-if".
    paper : str
        Title and authors, short.
    place : str
        Where it stands there: "Lemma 1", "eq. (18)", "Table 1, row BNorm".
    statement : str
        The claim in one sentence of our own.
    expected : Outcome
        What `decide` finds without a subject.
    decide : callable
        ``decide(subject) -> Verdict``, where ``subject`` is a `Subject` or None; its value is a `Finding`. With one
        the claim is decided for that network alone; a claim that is not about one network then raises `InputError`.
    """

    id: str
    paper: str
    place: str
    statement: str
    expected: Outcome
    decide: Callable[[Subject | None], Verdict]


def found(
    statement: str, outcome: Outcome, evidence: Evidence, description: str, hypotheses: tuple[str, ...] = ()
) -> Verdict:
    """Return the verdict of a claim; it holds where the outcome is true, also if only under its hypotheses.

    A claim that a search did not refute, and a definition, are not decided: `Verdict.holds` is None.
    """
    decided = {Outcome.TRUE: True, Outcome.TRUE_UNDER: True, Outcome.FALSE: False}
    return Verdict(statement, decided.get(outcome), evidence, Finding(outcome, hypotheses, description))
