"""Answers to compiled loops: what fails ends the loop, and what a loop asks once it has to stop does not count."""

from types import SimpleNamespace

import numpy as np

from polyrelu.analysis.tropex.decomposition import TropicalDecomposition, decompose
from polyrelu.analysis.tropex.polynomials import MaxPolynomial
from polyrelu.enumeration.answers import Answers
from polyrelu.enumeration.split import enumerate_split
from polyrelu.kernels import tables as T
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import gaussian


class Failing(Answers):
    """Answers that fail."""

    def __init__(self) -> None:
        super().__init__(None, SimpleNamespace(state=np.zeros(T.N_STATE, np.int64)))

    def answer(self) -> int:
        raise ValueError("no answer")


def test_a_failure_is_kept_and_ends_the_loop():
    answers = Failing()
    assert answers.callback()(0) == T.ABORT_ANSWER
    assert str(answers.error) == "no answer"


def test_a_loop_that_has_to_stop_is_told_anything():
    answers = Failing()
    answers.geometry.state[T.ABORT] = T.OUTGROWN
    assert answers.callback()(0) == T.SIGN_SHIFT
    assert answers.error is None


def test_a_cell_may_outgrow_its_masks_while_it_is_cut():
    """Two max units of many inputs: more than 64 forms vanish at the vertices of one cell."""
    found = decompose(gaussian([3, 4, 3, 2], seed=0))
    above, below = found.plus[1].rows.to_fractions()[5:], found.minus.rows.to_fractions()[20:]
    polynomials = (MaxPolynomial.from_rows(above),), MaxPolynomial.from_rows(below)
    network = TropicalDecomposition(*polynomials, found.n_regions).to_network()
    ours, theirs = tessellate(network), tessellate(network, method=enumerate_split)
    assert (ours.n_regions, ours.n_facets) == (theirs.n_regions, theirs.n_facets)
    assert sorted(ours.pattern_texts()) == sorted(theirs.pattern_texts())
