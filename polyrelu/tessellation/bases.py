"""Proofs by bases, for tessellations of any dimension: which facets of a cell imply each further row.

A walk through the tree of cells in floats with error bounds proves most of it (`polyrelu.kernels.bases`). What that
leaves open is decided in rationals (`polyrelu.tessellation.open_rows`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from polyrelu.certificate.format import UNUSED, Certificate
from polyrelu.errors import InputError
from polyrelu.network.model import Network
from polyrelu.tessellation.cell_tree import CellTree, cell_tree
from polyrelu.tessellation.interior import as_points
from polyrelu.tessellation.open_rows import IS_CONSTANT, decide_open

if TYPE_CHECKING:
    from polyrelu.kernels.cell_tree import Proofs

__all__ = ["with_bases"]

CHUNK = 5000


def with_bases(
    certificate: Certificate, network: Network, progress: Callable[[int], None] | None = None
) -> Certificate:
    """Return a certificate with the bases of all rows, and with a point beyond each facet of a region.

    Parameters
    ----------
    certificate : Certificate
        Complete and right but for ``bases`` of its levels and ``facet_points``.
    network : Network
        Its network, with the input map.
    progress : callable, optional
        Called with the number of proved regions now and then.

    Raises
    ------
    InputError
        If a cell has too many facets for the format.

    Examples
    --------
    >>> from polyrelu.certificate.checker import check_certificate
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.tessellation.certify import certify
    >>> from polyrelu.testing import braid
    >>> certificate = certify(tessellate(braid(3)))
    >>> certificate.levels[1].bases.tolist()[:2]
    [[0, 1, 65535], [0, 1, 65535]]
    >>> check_certificate(certificate, braid(3)).n_regions
    6
    """
    most = max(int(np.diff(level.starts).max(initial=0)) for level in certificate.levels)
    if most >= UNUSED:
        raise InputError(
            f"A certificate needs cells of at most {UNUSED - 1:,} facets but one has {most:,}. Use a smaller domain."
        )
    if not certificate.domain.dim:  # all rows are constants
        return certificate
    tree = cell_tree(certificate, network)
    proofs = _prove_by_floats(tree, certificate, progress)
    exact = decide_open(certificate, network, tree, proofs)
    is_written = proofs.known != IS_CONSTANT
    levels = []
    for level, first, last in zip(certificate.levels, tree.firsts[:-1], tree.firsts[1:], strict=True):
        own = slice(tree.asked[first], tree.asked[last])
        levels.append(replace(level, bases=proofs.bases[own][is_written[own]]))
    return replace(certificate, levels=tuple(levels), facet_points=as_points(proofs.points, exact))


def _prove_by_floats(tree: CellTree, certificate: Certificate, progress: Callable[[int], None] | None) -> Proofs:
    """Return what floats prove, and what they propose, for all coordinates."""
    from polyrelu.kernels.bases import walk_cells
    from polyrelu.kernels.cell_tree import Proofs

    core, n_asked, n_facets, dim = tree.core, int(tree.asked[-1]), certificate.n_facets, certificate.domain.dim
    found = Proofs(
        keys=np.zeros(n_asked, np.int64),
        bases=np.full((n_asked, core.dim), UNUSED, np.uint16),
        known=np.zeros(n_asked, np.uint8),
        points=np.zeros((n_facets, core.dim)),
        are_proven=np.zeros(n_facets, np.uint8),
    )
    laid_out, is_done = tree.tables.network, False
    while not is_done:
        is_done = walk_cells(tree.walk, laid_out.tables, laid_out.digits, tree.geometry, found, CHUNK)
        if progress is not None:
            progress(max(0, int(tree.walk.path[-1] - tree.firsts[-2])))
    bases = np.full((n_asked, dim), UNUSED, np.uint16)
    bases[:, : core.dim] = found.bases
    if core.inputs is None:  # lifted points are rounded
        found.are_proven[:] = 0
    return found._replace(bases=bases, points=core.lift(found.points))
