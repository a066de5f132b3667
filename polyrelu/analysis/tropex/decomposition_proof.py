"""Whether polynomials ``P_i`` and ``M`` are a network, ``f_i = P_i - M``, at every input; with evidence either way.

The usual proof names for each region of the network the term of each polynomial that is the largest there:

1. On each region, the terms of ``P_i`` and of ``M`` differ by the network's own affine map.
2. Across each facet, the term of a region minus that of its neighbour is a nonnegative multiple of the facet's row,
   which is positive inside the region. So the terms join to a continuous function that is convex along every line that
   meets no face of lower dimension, and by continuity along every line. A convex piecewise-linear function is the
   largest of its affine pieces.
3. Every other term of a polynomial is nowhere above a mean of the named ones.

By 2 and 3 each polynomial is on each region the term that is named. Only a decomposition that bends where the network
does not, the same in ``P_i`` and in ``M``, has no such proof; the common refinement of both decides then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.equivalence import Agree, Differ, decide_equivalent
from polyrelu.analysis.ground import Ground, Options, find_ground, require
from polyrelu.analysis.region_rows import LocalView, local_views
from polyrelu.analysis.tropex.decomposition import TropicalDecomposition
from polyrelu.analysis.tropex.polynomials import MaxPolynomial, TermRedundant, find_mean_above
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import CertificateError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

__all__ = ["DecompositionProof", "RegionTerms", "decide_decomposition"]

Row = Sequence[Fraction]


@dataclass(frozen=True, eq=False)
class RegionTerms:
    """Proof that a decomposition equals a network everywhere: which terms are the largest on each region.

    Attributes
    ----------
    network : Network
    decomposition : TropicalDecomposition
    ground : Ground
        The network's regions in the whole space. That they cover it, and that all their facets are listed, is what the
        tessellation's certificate proves.
    terms : int64 array, shape (n_regions, n_out + 1)
        The term of each polynomial, ``minus`` the last.
    redundant : tuple of tuples of TermRedundant, one for each polynomial
        Of the terms that no region names; the means are of terms that regions name.
    """

    network: Network
    decomposition: TropicalDecomposition
    ground: Ground
    terms: NDArray[np.int64]
    redundant: tuple[tuple[TermRedundant, ...], ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the terms fit the maps, are convex across facets, and leave none out."""
        polynomials, tessellation = self.decomposition.polynomials, self.ground.tessellation
        require(self.ground.network.hash == self.network.hash, "regions of the network")
        require(not any(any(row[:-1]) for row in self.ground.domain.rows), "regions of the whole space")
        self.ground.check()
        n_regions, n_polynomials = tessellation.n_regions, len(polynomials)
        require(len(self.decomposition.plus) == self.network.n_out, "a polynomial for each output")
        is_table = self.terms.shape == (n_regions, n_polynomials) and self.terms.dtype.kind == "i"
        require(is_table, "a term of each polynomial for each region")
        sizes = [polynomial.n_terms for polynomial in polynomials]
        require(bool(((self.terms >= 0) & (self.terms < sizes)).all()), "the numbers of terms")
        require(bool((tessellation.facet_regions >= 0).all()), "a region on both sides of each facet")
        rows = [polynomial.rows.to_fractions() for polynomial in polynomials]
        for view in local_views(tessellation):
            self._check_map(view, rows)
            self._check_facets(view, rows)
        require(len(self.redundant) == n_polynomials, "redundant terms of each polynomial")
        for polynomial, named, proofs in zip(polynomials, self.terms.T, self.redundant, strict=True):
            _check_redundant(polynomial, set(named.tolist()), proofs)

    def _check_map(self, view: LocalView, rows: Sequence[Sequence[Row]]) -> None:
        *plus, minus = (family[term] for family, term in zip(rows, self.terms[view.region].tolist(), strict=True))
        for above, own in zip(plus, view.outputs.to_fractions(), strict=True):
            is_map = all(a - b == c for a, b, c in zip(above, minus, own, strict=True))
            require(is_map, f"terms whose difference is the network's map (region {view.region})")

    def _check_facets(self, view: LocalView, rows: Sequence[Sequence[Row]]) -> None:
        tessellation = self.ground.tessellation
        for facet, row in zip(tessellation.facets_of(view.region).tolist(), view.rows, strict=True):
            first, second = tessellation.facet_regions[facet].tolist()
            if first != view.region:
                continue
            for family, here, there in zip(rows, *self.terms[[first, second]].tolist(), strict=True):
                difference = [a - b for a, b in zip(family[here], family[there], strict=True)]
                require(_is_multiple(difference, row), f"terms that are convex across facets (facet {facet})")


@dataclass(frozen=True, eq=False)
class DecompositionProof:
    """Proof that a decomposition equals a network everywhere, or an input at which it does not, without such terms.

    Attributes
    ----------
    network : Network
    decomposition : TropicalDecomposition
    proof : Agree or Differ
        About the network and the network of max units that the decomposition is.
    """

    network: Network
    decomposition: TropicalDecomposition
    proof: Agree | Differ

    def check(self) -> None:
        """Raise `CertificateError` unless the proof is about these two, on all inputs if they agree, and right."""
        require(self.proof.first.hash == self.network.hash, "a proof about the network")
        require(self.proof.second.hash == self.decomposition.to_network().hash, "a proof about the decomposition")
        if isinstance(self.proof, Agree):
            require(not any(any(row[:-1]) for row in self.proof.ground.domain.rows), "a proof for all inputs")
        self.proof.check()


def decide_decomposition(network: Network, decomposition: TropicalDecomposition, **options: Unpack[Options]) -> Verdict:
    """Decide whether a decomposition, from wherever it is, equals a network at every input.

    The value is an input where they differ, or None.

    Parameters
    ----------
    network : Network
    decomposition : TropicalDecomposition
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`.

    Raises
    ------
    NetworkError
        If the numbers of inputs or of outputs differ.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from polyrelu.analysis.tropex.decomposition import decompose
    >>> from polyrelu.testing import xor
    >>> found = decompose(xor())
    >>> verdict = decide_decomposition(xor(), found)
    >>> verdict.evidence.check()
    >>> verdict.holds, verdict.evidence.terms.tolist()
    (True, [[0, 0], [0, 1], [1, 1]])
    >>> decide_decomposition(xor(), replace(found, minus=found.plus[0])).holds
    False
    """
    statement = "the network is the difference of the max-plus polynomials at every input"
    other = decomposition.to_network()
    if (network.dim, network.n_out) == (other.dim, other.n_out):
        ground = find_ground(network, Domain.all(network.dim), **options)
        if ground is None:
            return Verdict(statement, None, None)
        terms = _largest_terms(ground, decomposition)
        if isinstance(terms, tuple):
            differ = Differ(network, other, ground.domain, terms)
            return Verdict(statement, False, DecompositionProof(network, decomposition, differ), terms)
        if not ground.tessellation.is_complete:
            return Verdict(statement, None, None)
        proof = _proof_by(terms, ground, decomposition)
        if proof is not None:
            return Verdict(statement, True, proof)
    verdict = decide_equivalent(network, other, **options)
    if verdict.holds is None:
        return Verdict(statement, None, None)
    assert isinstance(verdict.evidence, Agree | Differ)
    return Verdict(
        statement, verdict.holds, DecompositionProof(network, decomposition, verdict.evidence), verdict.value
    )


def _largest_terms(ground: Ground, decomposition: TropicalDecomposition) -> NDArray[np.int64] | tuple[Fraction, ...]:
    """Return the largest term of each polynomial inside each region, or a point at which the network differs."""
    tessellation = ground.tessellation
    terms = np.zeros((tessellation.n_regions, len(decomposition.polynomials)), np.int64)
    for region in range(tessellation.n_regions):
        point = tessellation.witness(region)
        found = [polynomial.largest(point) for polynomial in decomposition.polynomials]
        terms[region] = [term for term, _ in found]
        if tuple(value - found[-1][1] for _, value in found[:-1]) != ground.network.exact(point):
            return point
    return terms


def _proof_by(terms: NDArray[np.int64], ground: Ground, decomposition: TropicalDecomposition) -> RegionTerms | None:
    """Return the proof by the terms that are the largest inside the regions, None if it fails."""
    polynomials = decomposition.polynomials
    redundant = []
    for polynomial, named in zip(polynomials, terms.T, strict=True):
        proofs = [find_mean_above(polynomial, term, named.tolist()) for term in _unnamed(polynomial, named.tolist())]
        found = tuple(proof for proof in proofs if proof is not None)
        if len(found) < len(proofs):
            return None
        redundant.append(found)
    proof = RegionTerms(ground.network, decomposition, ground, terms, tuple(redundant))
    try:
        proof.check()
    except CertificateError:
        return None
    return proof


def _unnamed(polynomial: MaxPolynomial, named: Sequence[int]) -> list[int]:
    return sorted(set(range(polynomial.n_terms)) - set(named))


def _check_redundant(polynomial: MaxPolynomial, named: set[int], proofs: Sequence[TermRedundant]) -> None:
    """Raise `CertificateError` unless every term that no region names has a mean of named ones above it."""
    require([proof.term for proof in proofs] == _unnamed(polynomial, list(named)), "a proof for each other term")
    for proof in proofs:
        require(proof.polynomial.rows == polynomial.rows, "a proof about the polynomial")
        proof.check()
        used = {term for term, weight in enumerate(proof.weights) if weight}
        require(used <= named, "a mean of terms that regions name")


def _is_multiple(difference: Row, row: Sequence[int]) -> bool:
    """Return whether a form is a nonnegative multiple of a row that is not constant."""
    if not any(row[:-1]):
        return False
    column = next(j for j, value in enumerate(row) if value)
    factor = difference[column] / row[column]
    return factor >= 0 and all(a == factor * b for a, b in zip(difference, row, strict=True))
