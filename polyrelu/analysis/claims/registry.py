"""All claims of all papers, and what a run of them says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from polyrelu.analysis.claims.model import Claim, Finding, Outcome, Subject
from polyrelu.errors import CertificateError, InputError, InternalError

__all__ = ["Trial", "all_claims", "claim_named", "try_claim"]

MODULES = (
    "pattern_dag_paper",
    "local_maps_paper",
    "few_patterns_paper",
    "code_space_paper",
    "tropex_paper",
    "cross_paper",
)
"""In the order of the papers' numbers, 000 to 004; what stands between the papers comes last."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came out when a claim was decided.

    Attributes
    ----------
    claim : Claim
    finding : Finding
    is_checked : bool
        Whether the evidence was accepted when it was checked.
    refusal : str
        The condition that failed, "" if none did.
    has_subject : bool
        Whether the claim was decided for one network; nothing is expected then.
    """

    claim: Claim
    finding: Finding
    is_checked: bool
    refusal: str
    has_subject: bool

    @property
    def is_expected(self) -> bool:
        """Whether the evidence was accepted and the outcome is the one that is expected."""
        return self.is_checked and (self.has_subject or self.finding.outcome is self.claim.expected)

    def to_json(self) -> dict[str, Any]:
        """Return the trial as values for JSON; "verdict" is true or false, or the outcome's name."""
        outcome = self.finding.outcome
        return {
            "id": self.claim.id,
            "paper": self.claim.paper,
            "place": self.claim.place,
            "statement": self.claim.statement,
            "verdict": {Outcome.TRUE: True, Outcome.FALSE: False}.get(outcome, outcome.value),
            "hypotheses": list(self.finding.hypotheses),
            "evidence": self.finding.description,
            "checked": self.is_checked,
        }


@cache
def all_claims() -> tuple[Claim, ...]:
    """Return the claims of all papers; their modules are imported when this is first called.

    Examples
    --------
    >>> [claim.place for claim in all_claims() if claim.id == "004-eq-2"]
    ['eq. (2)']
    """
    modules = [import_module(f"polyrelu.analysis.claims.{name}") for name in MODULES]
    claims = tuple(claim for module in modules for claim in module.CLAIMS)
    repeated = {claim.id for claim in claims if sum(other.id == claim.id for other in claims) > 1}
    if repeated:
        raise InternalError(f"Claims need names of their own but {sorted(repeated)} occur twice. Please report it.")
    return claims


def claim_named(name: str) -> Claim:
    """Return the claim with an id.

    Raises
    ------
    InputError
        If there is none; the message names those that start alike.

    Examples
    --------
    >>> claim_named("004-eq-3")
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: A claim needs an id of the list but received '004-eq-3'. Did you mean 004-eq-2?
    """
    from difflib import get_close_matches

    names = [claim.id for claim in all_claims()]
    if name in names:
        return all_claims()[names.index(name)]
    close = get_close_matches(name, names, 3)
    hint = f"Did you mean {' or '.join(close)}?" if close else "`polyrelu claims --list` lists them."
    raise InputError(f"A claim needs an id of the list but received {name!r}. {hint}")


def try_claim(claim: Claim, subject: Subject | None = None) -> Trial:
    """Decide a claim, for one network if there is a subject, and check the evidence.

    Raises
    ------
    InputError
        If the claim cannot be decided for this network.

    Examples
    --------
    >>> trial = try_claim(claim_named("001-xor-fourth-map"))
    >>> trial.finding.outcome.value, trial.is_checked, trial.is_expected
    ('false', True, True)
    """
    verdict = claim.decide(subject)
    finding = verdict.value
    if not isinstance(finding, Finding):
        raise InternalError(f"Claim {claim.id} needs a finding but gave {finding!r}. Please report it.")
    refusal = ""
    try:
        if verdict.evidence is None:
            raise CertificateError(f"Claim {claim.id} needs evidence but has none. Please report it.")
        verdict.evidence.check()
    except CertificateError as error:
        refusal = str(error)
    return Trial(claim, finding, not refusal, refusal, subject is not None)
