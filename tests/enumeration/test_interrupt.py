"""Long enumerations: interrupts and budgets keep what was proved."""

from __future__ import annotations

import numpy as np
import pytest

from polyrelu.enumeration import answers
from polyrelu.enumeration.plane import enumerate_plane
from polyrelu.enumeration.running import CHUNK
from polyrelu.errors import BudgetError, EnumerationInterrupted
from polyrelu.exact.domain import Domain
from polyrelu.testing import gaussian

BOX = Domain.box([-1, -1], [1, 1])
LARGE = gaussian([2, 128, 128, 128, 1])


def words(found) -> set[bytes]:
    return {row.tobytes() for row in found.words}


def test_an_interrupt_between_chunks_keeps_the_regions() -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(EnumerationInterrupted) as caught:
        enumerate_plane(LARGE, BOX, progress=interrupt)
    partial = caught.value.partial
    whole = enumerate_plane(LARGE, BOX)
    assert partial.n_regions <= CHUNK < whole.n_regions and not partial.is_complete
    assert words(partial) < words(whole)
    assert isinstance(caught.value, KeyboardInterrupt)


def test_an_interrupt_inside_a_question_ends_the_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may escape into compiled code: the exception is stored, the loop ends, then it is raised."""
    deep = gaussian([2, *[50] * 20, 1])

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(answers.PlaneAnswers, "answer", interrupt)
    with pytest.raises(EnumerationInterrupted) as caught:
        enumerate_plane(deep, BOX)
    assert caught.value.partial is None or not caught.value.partial.is_complete


def test_an_interrupt_before_a_question_is_read_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """ctypes drops an exception raised on the way into Python and returns 0: that must not count as a sign."""
    monkeypatch.setattr(answers.Answers, "callback", lambda self: lambda _: 0)
    with pytest.raises(EnumerationInterrupted):
        enumerate_plane(gaussian([2, *[50] * 20, 1]), BOX)


def test_an_error_inside_a_question_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(answers.PlaneAnswers, "answer", fail)
    with pytest.raises(ZeroDivisionError, match="planted"):
        enumerate_plane(gaussian([2, *[50] * 20, 1]), BOX)


def test_budgets_keep_the_regions() -> None:
    with pytest.raises(BudgetError) as caught:
        enumerate_plane(LARGE, BOX, max_regions=1000)
    assert caught.value.partial.n_regions > 1000 and not caught.value.partial.is_complete
    with pytest.raises(BudgetError, match="seconds"):
        enumerate_plane(LARGE, BOX, max_seconds=0)


def test_chunks_join_without_seam() -> None:
    found = enumerate_plane(LARGE, BOX)
    assert found.n_regions > CHUNK
    assert len(words(found)) == found.n_regions
    assert found.indptr[0] == 0 and (np.diff(found.indptr) >= 3).all() and found.indptr[-1] == len(found.edges)
