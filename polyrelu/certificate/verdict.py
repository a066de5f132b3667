"""`Verdict`: an answer together with what proves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from polyrelu.errors import CertificateError, InputError

__all__ = ["Evidence", "Verdict", "check_verdict"]


@runtime_checkable
class Evidence(Protocol):
    """A proof that can be checked without a solver: by sums and products of rationals."""

    def check(self) -> None:
        """Raise `CertificateError`, naming the condition that fails, unless this proves what it says."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a statement holds, and why.

    Attributes
    ----------
    statement : str
        What was decided, as a sentence that is true or false.
    holds : bool or None
        None if a budget ended the work first.
    evidence : Evidence or None
        A witness or a certificate; None only where ``holds`` is None.
    value : object
        The exact number or object that was asked for, where there is one. Where ``holds`` is None: what was proved
        until then.

    Examples
    --------
    >>> verdict = Verdict("output 0 is positive on the box", None, None)
    >>> bool(verdict)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: A verdict needs to be decided before it counts as true or false, but a budget ended \
'output 0 is positive on the box' first. Raise the budget, or look at .holds.
    """

    statement: str
    holds: bool | None
    evidence: Evidence | None
    value: Any = None

    def __bool__(self) -> bool:
        if self.holds is None:
            raise InputError(
                "A verdict needs to be decided before it counts as true or false, but a budget ended "
                f"{self.statement!r} first. Raise the budget, or look at .holds."
            )
        return self.holds


def check_verdict(verdict: Verdict) -> None:
    """Raise `CertificateError` unless the evidence of a decided verdict proves it."""
    if verdict.holds is None:
        return
    if verdict.evidence is None:
        raise CertificateError(
            f"A decided verdict needs evidence but {verdict.statement!r} has none. Decide it again."
        )
    verdict.evidence.check()
