"""Theorem 3.3 of TropEx on whole regions: the extracted function against the network, with a proof that solves nothing.

Let ``P_k`` be the closed region of data point ``k``: the inputs that satisfy all rows of its pattern, weakly. There
the network is one affine map, and for each family of terms the term of ``k`` is the largest one. Hence, with ``i`` the
label of ``k``, on all of ``P_k``

    N_i^(X) = N_i    and    N_j^(X) <= N_j    for every output j that is the label of some point.

Why: go down the layers with the network's own values on ``P_k``. Passing a layer, the terms of ``k`` and of ``m``
drift apart by ``A (r_k - r_m)(z) + (A_max - A) (f_k - f_m)(z)`` for each unit, where ``A`` is the slope of the term of
``m`` behind the layer, and ``r_k``, ``f_k`` are the pieces of the rising and falling parts that point ``k`` is on.
Both factors are nonnegative, and the pieces of ``k`` are the largest on ``P_k``: the difference is a nonnegative
combination of the rows of ``P_k``, and that is what a proof writes down for each pair of points.

A point on a kink has a region of lower dimension, a face that it shares with its neighbours. The statement is then
about this face, and the paper's, that N and N^(X) agree near the point, may be false.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import flint

from polyrelu.analysis.data.patterns import Progress, exact_label
from polyrelu.analysis.ground import require
from polyrelu.analysis.tropex.exact import (
    ExactExtractedFunction,
    are_exact_points,
    exact_points,
    extract_exactly,
)
from polyrelu.analysis.tropex.exact_family import find_exact_family
from polyrelu.analysis.tropex.multipliers import PointTerms, region_multipliers
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import EnumerationInterrupted
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import common_denominator
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.hrep import HRep, region_hrep

__all__ = ["ExtractionProof", "RegionProof", "decide_extraction"]

Point = tuple[Fraction, ...]


@dataclass(frozen=True, eq=False)
class RegionProof:
    """Why the terms of one data point are the largest on its region.

    Attributes
    ----------
    pattern : Pattern
        Of the point.
    terms : RationalMatrix, shape (1 + n_present, dim + 1)
        Of the pattern: the common one, then those of all outputs that are the label of some point.
    multipliers : RationalMatrix, shape (2 n, n_rows + 1)
        Nonnegative. Row ``m`` combines the rows of the region (`region_hrep`) and the constant 1 to the common term
        minus that of point ``m``; row ``n + m`` to the term of the output that is the label of ``m``, minus ``plus``
        of point ``m``.
    """

    pattern: Pattern
    terms: RationalMatrix
    multipliers: RationalMatrix


@dataclass(frozen=True, eq=False)
class ExtractionProof:
    """A proof of Theorem 3.3 for a network and data points, on their whole closed regions.

    Attributes
    ----------
    network : Network
    points : tuple of n points of Fractions
    function : ExactExtractedFunction
    regions : tuple of RegionProof
        One for each point.
    """

    network: Network
    points: tuple[Point, ...]
    function: ExactExtractedFunction
    regions: tuple[RegionProof, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless this proves the theorem: by products of matrices, for all pairs of points."""
        self.check_shapes()
        for k in range(len(self.points)):
            self.check_region(k)

    def check_shapes(self) -> None:
        """Raise `CertificateError` unless the parts fit each other and labels are the network's."""
        n, found, dim = len(self.points), self.function, self.network.dim
        require(found.n_out == self.network.n_out, "a function of the network's outputs")
        require(len(found.labels) == len(self.regions) == n > 0, "a label and a region for each point")
        require(found.plus.shape == found.minus.shape == (n, dim + 1), "a term of each kind for each point")
        require(are_exact_points(self.points, dim), "Fractions that are points of the network's dimension")
        require(all(type(label) is int for label in found.labels), "labels that are whole numbers")
        matrices = [found.plus, found.minus, *(m for proof in self.regions for m in (proof.terms, proof.multipliers))]
        require(all(matrix.denominator > 0 for matrix in matrices), "positive denominators")
        for k, (point, label) in enumerate(zip(self.points, found.labels, strict=True)):
            own = exact_label(self.network.exact(point)) if found.n_out > 1 else 0
            require(label == own, f"the network's label for point {k}")

    def check_region(self, k: int) -> None:
        """Raise `CertificateError` unless the proof for one region is right, given that shapes and labels are."""
        proof = self.regions[k]
        require(proof.pattern == self.network.exact.pattern_at(self.points[k]), f"the pattern of point {k}")
        self._check_terms(k, proof)
        self._check_multipliers(k, proof)

    def _check_terms(self, k: int, proof: RegionProof) -> None:
        """Check that differences of terms are the network's local affine map, and that those of ``k`` are its own."""
        digits = [each.tolist() for each in self.network.unit_digits(proof.pattern)]
        outputs = self.network.exact.preactivation_rows(digits)[-1].to_fractions()
        rows, present = proof.terms.to_fractions(), self.function.present
        require(len(rows) == 1 + len(present), f"a term of each output at point {k}")
        for label, row in zip(present, rows[1:], strict=True):
            difference = [a - b for a, b in zip(row, rows[0], strict=True)]
            require(difference == outputs[label], f"terms of output {label} that give its affine map at point {k}")
        own = rows[1 + present.index(self.function.labels[k])]
        require(tuple(rows[0]) == self.function.minus.row(k), f"the common term of point {k}")
        require(tuple(own) == self.function.plus.row(k), f"the term of point {k}")

    def _check_multipliers(self, k: int, proof: RegionProof) -> None:
        """Check that nonnegative combinations of the region's rows are what separates the terms of ``k`` from all."""
        rows = region_rows(region_hrep(self.network, proof.pattern))
        n = len(self.points)
        require(proof.multipliers.shape == (2 * n, rows.shape[0]), f"multipliers of all pairs with point {k}")
        require(min(proof.multipliers.numerators.entries()) >= 0, f"nonnegative multipliers at point {k}")
        require(proof.multipliers @ rows == self._differences(proof), f"multipliers that give all differences at {k}")

    def _differences(self, proof: RegionProof) -> RationalMatrix:
        """Return the terms of a region minus those of all points, in the order of the multipliers."""
        minus, plus, present = self.function.minus, self.function.plus, self.function.present
        own = proof.terms.numerators.tolist()
        rows = [own[0]] * len(self.points) + [own[1 + present.index(label)] for label in self.function.labels]
        others = [*(minus.numerators * plus.denominator).tolist(), *(plus.numerators * minus.denominator).tolist()]
        denominator = minus.denominator * plus.denominator
        numerators = flint.fmpz_mat(rows) * denominator - flint.fmpz_mat(others) * proof.terms.denominator
        return RationalMatrix(numerators, denominator * proof.terms.denominator)


def decide_extraction(
    network: Network,
    points: Iterable[object],
    *,
    max_seconds: float | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Return that TropEx agrees with a network on the whole regions of the data points, with a proof.

    On the closed region of each point the extracted function equals the network in the output that is the point's
    label, and exceeds it in no other one that has data. The proof compares all pairs of points: for small networks.

    Parameters
    ----------
    network : Network
        With any activations.
    points : n points of dim numbers each
        Taken exactly; arrays of any shape are flattened in C order.
    max_seconds : float, optional
        When they are over, ``holds`` is None: the time grows with the square of the number of points.
    progress : callable, optional
        ``progress(done, total)`` hears how many regions are done.

    Returns
    -------
    Verdict
        It holds; the evidence is an `ExtractionProof`, the value the `ExactExtractedFunction`. If time was over first,
        the value is the tuple of `RegionProof` of the first points.

    Raises
    ------
    InputError
        If there are no points, or they do not fit.
    EnumerationInterrupted
        After Ctrl-C, with such a verdict as ``.partial``.

    Notes
    -----
    Trimmel et al. 2021, Theorem 3.3, which speaks of the points and of neighbourhoods only, and needs besides that
    labels are the network's and that no other output ties with the label.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> verdict = decide_extraction(xor(), [[0, "1/2"], [1, 1]])
    >>> verdict.evidence.check()
    >>> verdict.statement
    'on the regions of 2 points the extracted function is the network in the label and nowhere larger'
    """
    end = math.inf if max_seconds is None else time.monotonic() + max_seconds
    exact = exact_points(network, points, "decide_extraction")
    function = extract_exactly(network, exact)
    family = find_exact_family(network, function.present)
    patterns = [network.exact.pattern_at(point) for point in exact]
    others = []
    for pattern, label in zip(patterns, function.labels, strict=True):
        digits = [each.tolist() for each in network.unit_digits(pattern)]
        others.append(PointTerms(digits, family.stages(digits, [label])))
    subject = f"on the regions of {len(exact)} points the extracted function is the network in the label"
    statement = f"{subject} and nowhere larger"
    regions: list[RegionProof] = []
    try:
        for pattern, own in zip(patterns, others, strict=True):
            if time.monotonic() > end:
                return Verdict(statement, None, None, tuple(regions))
            rows = family.terms(own.digits, function.present)
            terms = RationalMatrix(flint.fmpz_mat(rows), family.denominator)
            regions.append(RegionProof(pattern, terms, region_multipliers(family, own.digits, others)))
            if progress is not None:
                progress(len(regions), len(exact))
    except KeyboardInterrupt:
        raise EnumerationInterrupted(Verdict(statement, None, None, tuple(regions))) from None
    return Verdict(statement, True, ExtractionProof(network, exact, function, tuple(regions)), function)


def region_rows(hrep: HRep) -> RationalMatrix:
    """Return the exact forms of a region's rows and the constant 1, shape (n_rows + 1, dim + 1)."""
    scale = common_denominator(hrep.factors)
    factors = [int(factor * scale) for factor in hrep.factors]
    rows = [[factor * value for value in row] for factor, row in zip(factors, hrep.rows, strict=True)]
    return RationalMatrix(flint.fmpz_mat([*rows, [0] * hrep.dim + [scale]]), scale)
