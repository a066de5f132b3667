"""The affine maps of all regions of a tessellation as one matrix, beside those at data."""

from __future__ import annotations

import numpy as np

from polyrelu.analysis.data.local_maps import LocalMaps, Outputs
from polyrelu.analysis.data.network_maps import checked_outputs, pattern_rows
from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.errors import InputError
from polyrelu.network.batches import batch_network
from polyrelu.tessellation.model import Tessellation

__all__ = ["region_maps"]


def region_maps(tessellation: Tessellation, output: Outputs = None, *, device: str | None = None) -> LocalMaps:
    """Return the affine map of each region of a tessellation, of one output or of all.

    Parameters
    ----------
    tessellation : Tessellation
    output : int, int array of shape (n_regions,) or (n_regions, k), or None
        Of which output, or for each region of which outputs; None is all.
    device : str, optional
        As for `polyrelu.analysis.data.local_maps.local_maps`.

    Returns
    -------
    LocalMaps
        Entry ``i`` is of region ``i``. For one output ``j`` the dual points are the matrix of Sattelberg et al. 2020,
        eq. 5.2. Floats; `Region.affine_map` has the rationals.

    Raises
    ------
    InputError
        If there is no such output, or labels are asked for, which differ within a region.

    Examples
    --------
    >>> from polyrelu import tessellate
    >>> from polyrelu.testing import xor
    >>> sorted(region_maps(tessellate(xor()), 0).dual_points.tolist())
    [[-1.0, -1.0, 2.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    t = tessellation
    outputs = checked_outputs("region_maps", output, t.n_regions, t.network.n_out)
    if outputs is None:
        raise InputError(
            "region_maps needs outputs that are the same in a whole region but received 'predicted'. Name an output."
        )
    patterns = DataPatterns(t.network.layout, t.network.pattern_widths, t.words, 0)
    rows = np.empty((*outputs.shape, t.network.dim + 1))
    for piece, _, own in pattern_rows(batch_network(t.network, device), patterns, outputs):
        rows[piece] = own
    return LocalMaps(outputs, rows)
