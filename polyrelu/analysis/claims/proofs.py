"""Verdicts on claims that a short proof settles: its steps are recomputed, and a contradiction is not overlooked."""

from __future__ import annotations

from collections.abc import Sequence

from polyrelu.analysis.claims.evidence import AllOf, Search
from polyrelu.analysis.claims.model import Outcome, found
from polyrelu.certificate.verdict import Evidence, Verdict

__all__ = ["n_cases", "proved", "searched"]


def proved(
    statement: str,
    searches: Sequence[Search | Evidence],
    description: str,
    hypotheses: tuple[str, ...] = (),
    others: Sequence[Evidence] = (),
) -> Verdict:
    """Return "true" (with hypotheses: "true-under") unless one of the searches has found a counterexample.

    Parameters
    ----------
    statement : str
    searches : sequence
        What `search` returned where the proof was recomputed.
    description : str
        The proof, or where it stands, and what was recomputed.
    hypotheses : tuple of str
    others : sequence of Evidence
        Further facts, such as what goes wrong without a hypothesis.

    Examples
    --------
    >>> from polyrelu.analysis.claims.evidence import Examined, search
    >>> fine = search("numbers", lambda seed: Examined(1, None), range(3))
    >>> proved("x = x", [fine], "proof: by definition").holds
    True
    """
    contradiction = next((each for each in searches if not isinstance(each, Search)), None)
    if contradiction is not None:
        return found(statement, Outcome.FALSE, contradiction, f"a counterexample, against this: {description}")
    outcome = Outcome.TRUE_UNDER if hypotheses else Outcome.TRUE
    parts = (*searches, *others)
    return found(statement, outcome, parts[0] if len(parts) == 1 else AllOf(parts), description, hypotheses)


def searched(
    statement: str, result: Search | Evidence, description: str, hypotheses: tuple[str, ...] = ()
) -> Verdict:
    """Return "not-refuted" for a search that found nothing, else "false" with what it found."""
    if isinstance(result, Search):
        return found(statement, Outcome.NOT_REFUTED, result, description, hypotheses)
    return found(statement, Outcome.FALSE, result, f"the search found a counterexample ({description})", hypotheses)


def n_cases(result: Search | Evidence) -> int:
    """Return how many cases a search compared (0 if it ended with a counterexample)."""
    return sum(result.n_cases) if isinstance(result, Search) else 0
