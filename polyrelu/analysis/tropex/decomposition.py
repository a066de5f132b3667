"""Small networks in full as differences of max-plus polynomials: ``f_i = P_i - M`` with one ``M`` for all outputs.

Every value of a network can be written with convex functions that its layers build from each other (Zhang et al. 2018;
Trimmel et al. 2021, Lemma 3.2). Let the values that a layer reads be ``h = H g`` with convex functions ``g`` of the
input. Its preactivations are ``V g + b`` with ``V = W H``; with ``c`` the largest negative parts of the columns of
``V``, all of them are ``z_j = p_j - m`` with the convex functions ``p_j = (V_j + c) g + b_j`` and ``m = c g``.

* A max unit is the largest of its ``p_j``, minus ``m``.
* A piecewise-linear function is the difference ``u - v`` of two convex ones with slopes from 0 to S, and ``u(p - m) =
  max_k (u_k p + (S - u_k) m + constant_k) - S m``, where every coefficient is nonnegative. For a ReLU that is ``max(p,
  m) - m``, and ``v`` is 0 for every convex function that does not fall.

So each layer gives convex functions again, and all of them bend only where the network bends: on a region, each is one
affine function, known from the pattern. As a convex piecewise-linear function is the largest of its affine pieces,
going through all regions finds the polynomials, and every term found is the only largest one inside some region: it is
needed. Which terms are redundant is never a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Unpack

import numpy as np

from polyrelu.analysis.ground import Options
from polyrelu.analysis.tropex.convex_steps import convex_steps, propagate
from polyrelu.analysis.tropex.polynomials import MaxPolynomial
from polyrelu.errors import BudgetError, InputError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.model import Tessellation

__all__ = ["TropicalDecomposition", "decompose"]

MAX_TERMS = 100_000


@dataclass(frozen=True, slots=True)
class TropicalDecomposition:
    """Output ``i`` of a network as ``plus[i] - minus``.

    Attributes
    ----------
    plus : tuple of MaxPolynomial, one for each output
    minus : MaxPolynomial
    n_regions : int
        Of the network; no polynomial that `decompose` finds has more terms.
    """

    plus: tuple[MaxPolynomial, ...]
    minus: MaxPolynomial
    n_regions: int

    def __post_init__(self) -> None:
        if not self.plus or {each.dim for each in self.plus} != {self.minus.dim}:
            raise InputError(
                "A decomposition needs polynomials with one number of inputs, one for each output, but received "
                f"{[each.dim for each in self.plus]} and {self.minus.dim} inputs. Match them."
            )

    @property
    def polynomials(self) -> tuple[MaxPolynomial, ...]:
        """All polynomials, ``minus`` the last."""
        return (*self.plus, self.minus)

    @property
    def n_terms(self) -> int:
        """Number of terms of all polynomials."""
        return sum(each.n_terms for each in self.polynomials)

    def value(self, x: Sequence[object]) -> tuple[Fraction, ...]:
        """Return the outputs at a point, exactly."""
        below = self.minus.value(x)
        return tuple(each.value(x) - below for each in self.plus)

    def nonnegative(self) -> TropicalDecomposition:
        """Return the decomposition in which one affine function is added to every polynomial, so that none is negative.

        All slopes and constants are nonnegative then, as below equation (1) of the paper, and the least of each is 0.

        Examples
        --------
        >>> from polyrelu.testing import xor
        >>> print(decompose(xor()).nonnegative())
        f0 = max(x + y + 2, 2) - max(2 x + 2 y, 2)
        """
        rows = [row for each in self.polynomials for row in each.rows.to_fractions()]
        affine = [-min(column) for column in zip(*rows, strict=True)]
        return TropicalDecomposition(
            tuple(each.shifted(affine) for each in self.plus), self.minus.shifted(affine), self.n_regions
        )

    def to_network(self) -> Network:
        """Return a network of max units with these outputs: the terms are its input map, so that none is rounded."""
        sizes = [each.n_terms for each in self.polynomials]
        rows = [row for each in self.polynomials for row in each.rows.to_fractions()]
        hidden = Layer(np.eye(len(rows)), np.zeros(len(rows)), Activation.max_units(sizes))
        n = len(self.plus)
        weight = np.hstack([np.eye(n), np.full((n, 1), -1.0)])
        output = Layer(weight, np.zeros(n), Activation.same(IDENTITY, n))
        return Network((hidden,), output, RationalMatrix.from_rows(rows))

    def to_text(self, names: Sequence[str] | None = None) -> str:
        """Return a line for each output, such as ``f0 = max(2 x + y, 3) - max(x, 0)``."""
        below = self.minus.to_text(names)
        return "\n".join(f"f{i} = {each.to_text(names)} - {_bracketed(below)}" for i, each in enumerate(self.plus))

    def __str__(self) -> str:
        return self.to_text()


def decompose(network: Network, max_terms: int = MAX_TERMS, **options: Unpack[Options]) -> TropicalDecomposition:
    """Return every output of a network as a difference of max-plus polynomials, without redundant terms.

    Parameters
    ----------
    network : Network
        With any piecewise-linear activations and max units; of few inputs and regions.
    max_terms : int
        Of all polynomials together.
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`: with tens of inputs there may
        be more regions than anyone can list, so give a limit there.

    Raises
    ------
    BudgetError
        With the terms found until then as ``.partial``, a decomposition whose polynomials are lower bounds (None if
        nothing was found).

    Notes
    -----
    Trimmel et al. 2021, Lemma 3.2, for more activations. The affine function that ReLU networks carry along, ``K`` in
    their Algorithm 3.1, is here as small as the layer allows, so that there are no more terms than regions.

    Examples
    --------
    >>> hat = Network.from_arrays([([[1], [1], [1]], [0, -1, -2]), ([[1, -2, 1]], [0])])
    >>> print(decompose(hat))
    f0 = max(2 x - 2, x, 0) - max(2 x - 2, 0)
    >>> decompose(hat, max_terms=2)
    Traceback (most recent call last):
    ...
    polyrelu.errors.BudgetError: `decompose` needs more than 2 terms: 3 on 2 of 4 regions. Raise `max_terms`, or take \
a smaller network.
    """
    try:
        found = tessellate(network, **options)
    except BudgetError as error:
        partial = None if error.partial is None else _decomposition(network, error.partial, max_terms)
        raise BudgetError(str(error), partial) from None
    return _decomposition(network, found, max_terms)


def _decomposition(network: Network, found: Tessellation, max_terms: int) -> TropicalDecomposition:
    """Return the polynomials whose terms the regions of a tessellation give."""
    steps = convex_steps(network)
    terms: list[dict[tuple[int, ...], RationalMatrix]] = [{} for _ in range(network.n_out + 1)]
    for region in range(found.n_regions):
        rows = propagate(network, steps, network.unit_digits(found.pattern(region)))
        for family, row in zip(terms, rows, strict=True):
            family.setdefault(row.canonical(), row)
        n_terms = sum(map(len, terms))
        if n_terms > max_terms:
            raise BudgetError(
                f"`decompose` needs more than {max_terms} terms: {n_terms} on {region + 1} of {found.n_regions} "
                "regions. Raise `max_terms`, or take a smaller network.",
                _polynomials(terms, found.n_regions),
            )
    return _polynomials(terms, found.n_regions)


def _polynomials(terms: list[dict[tuple[int, ...], RationalMatrix]], n_regions: int) -> TropicalDecomposition:
    """Return families of terms as polynomials, the terms with the largest slopes first."""
    *plus, minus = (
        MaxPolynomial.from_rows(sorted((row.row(0) for row in family.values()), reverse=True)) for family in terms
    )
    return TropicalDecomposition(tuple(plus), minus, n_regions)


def _bracketed(text: str) -> str:
    return f"({text})" if " " in text and not text.startswith("max(") else text
