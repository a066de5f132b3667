"""The norms that the filters are made of are never too small."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from polyrelu.kernels.bounds import FLOOR, row_norms, spectral_bound

ENTRIES = st.one_of(
    st.just(0.0),
    st.floats(-4, 4),
    st.floats(-1e300, 1e300),
    st.floats(-1e-300, 1e-300, allow_subnormal=True),
)


def matrices(entries: st.SearchStrategy[float]) -> st.SearchStrategy[np.ndarray]:
    sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))
    return sizes.flatmap(lambda shape: arrays(np.float64, shape, elements=entries))


def exact_square(row: np.ndarray) -> Fraction:
    return sum((Fraction(x) ** 2 for x in row.tolist()), Fraction(0))


@given(matrices(ENTRIES))
def test_row_norms_bound_the_exact_norms(matrix: np.ndarray) -> None:
    bias = matrix[:, 0].copy()
    for weight in (matrix, csr_array(matrix)):
        norms = row_norms(weight, bias)
        for norm, row, constant in zip(norms.tolist(), matrix, bias.tolist(), strict=True):
            square = exact_square(row) + Fraction(constant) ** 2
            assert np.isinf(norm) or Fraction(norm) ** 2 >= square
            assert (norm == 0) == (square == 0)
            if square > Fraction(FLOOR) ** 2 * 4 and np.isfinite(norm):
                assert Fraction(norm) ** 2 <= square * Fraction(101, 100)


@given(matrices(st.integers(-5, 5).map(float)), st.data())
def test_spectral_bound_bounds_every_image(matrix: np.ndarray, data: st.DataObject) -> None:
    """``|W x| <= bound |x|`` for integer vectors x, checked in rationals."""
    x = data.draw(arrays(np.float64, matrix.shape[1], elements=st.integers(-9, 9).map(float)))
    for weight in (matrix, csr_array(matrix)):
        bound = Fraction(spectral_bound(weight))
        assert exact_square(matrix @ x) <= bound**2 * exact_square(x)


@pytest.mark.parametrize("shape", [(100, 100), (256, 256), (64, 300), (300, 64)])
def test_spectral_bound_is_tight_on_gaussian_matrices(shape: tuple[int, int]) -> None:
    """Depth 20 is certified in floats because the bound is within a few percent, not a factor, of the norm."""
    matrix = np.random.default_rng(5).standard_normal(shape)
    norm = np.linalg.norm(matrix, 2)
    assert norm <= spectral_bound(matrix) <= 1.25 * norm


def test_spectral_bound_of_extreme_matrices() -> None:
    assert spectral_bound(np.zeros((3, 2))) == 0.0
    assert spectral_bound(np.full((2, 2), 2.0**-600)) >= FLOOR
    assert spectral_bound(np.full((2, 2), 2.0**600)) >= 2.0**601
