"""The last link: the regions that evidence speaks of are those of a certificate, which proves that none is missing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.ground import Ground, require
from polyrelu.certificate.borders import LayerBorders
from polyrelu.certificate.checker import check_certificate
from polyrelu.certificate.format import Certificate
from polyrelu.exact.rational import primitive_row
from polyrelu.network.model import Network

__all__ = ["check_cover"]


def check_cover(ground: Ground, certificate: Certificate, progress: Callable[[int], None] | None = None) -> None:
    """Raise `CertificateError` unless a certificate proves that the regions of a ground are all there are.

    With this, what the ``check`` of evidence on the ground takes for granted is proved too: every number comes from
    sums and products of rationals, and the enumeration need not be trusted.

    Parameters
    ----------
    ground : Ground
    certificate : Certificate
        Of the ground's tessellation: from `certify`, or read from a file.
    progress : callable, optional
        Called with the number of checked regions now and then.

    Examples
    --------
    >>> from polyrelu import Domain, certify, output_range
    >>> from polyrelu.testing import thick_zero
    >>> verdict = output_range(thick_zero(), Domain.box([-1, -1], [1, 1]))
    >>> verdict.evidence.check()
    >>> check_cover(verdict.evidence.ground, certify(verdict.evidence.ground.tessellation))
    """
    t = ground.tessellation
    ground.check()
    check_certificate(certificate, t.network, progress)
    rows = ({primitive_row(row) for row in domain.rows if any(row[:-1])} for domain in (t.domain, certificate.domain))
    require(t.domain.dim == certificate.domain.dim and next(rows) == next(rows), "a certificate for its domain")
    ours, theirs = t.network.layout.unpack(t.words), _certified_digits(certificate, t.network)
    same = ours.shape == theirs.shape and np.array_equal(_sorted(ours), _sorted(theirs))
    require(same, "the regions of the certificate")


def _certified_digits(certificate: Certificate, network: Network) -> NDArray[np.uint8]:
    """Return the digits of the regions of a checked certificate, shape (n_regions, n_neurons): a way down its tree."""
    digits = np.zeros((1, 0), np.uint8)
    for level, layer in zip(certificate.levels[1:], network.hidden, strict=True):
        own = LayerBorders(layer.activation).unpack(level.digits)
        assert own is not None  # the checker has read them
        digits = np.concatenate([digits[level.parents], own], axis=1)
    return digits


def _sorted(digits: NDArray[np.integer]) -> NDArray[np.integer]:
    return np.unique(digits, axis=0)
