"""The tessellation of a single point, a domain whose affine hull has dimension 0: one region, no facets."""

from __future__ import annotations

import time

import numpy as np

from polyrelu.enumeration.plane import Decisions
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.region.model import Region
from polyrelu.tessellation.model import Tessellation

__all__ = ["assemble_point"]


def assemble_point(network: Network, domain: Domain, hull: Slice | None = None) -> Tessellation:
    """Return the tessellation of the only point of R^0 for a network without inputs.

    Its region has the pattern at the point, which the exact network gives; every neuron that vanishes there is
    identically zero on the region.
    """
    start = time.process_time()
    pattern = network.exact.pattern_at(())
    zeros = sorted(set(Region(network, pattern, domain).zero_neurons))
    none, no_row = np.zeros(0, np.int32), np.zeros(1, np.int64)
    return Tessellation(
        network=network,
        domain=domain,
        hull=hull,
        words=network.layout.pack(np.array([pattern.digits], np.int64)),
        corner_indptr=np.zeros(2, np.int64),
        corner_vertices=none,
        vertices_float=np.zeros((0, 0)),
        vertex_kind=np.zeros(0, np.uint8),
        far_vertices=none,
        far_points=np.zeros((0, 0)),
        vertex_region=none,
        vertex_rows=np.zeros((0, 0, 2), np.int32),
        vertex_zero_indptr=no_row,
        vertex_zero_neurons=none,
        facet_regions=np.zeros((0, 2), np.int32),
        facet_indptr=no_row,
        facet_vertices=none,
        facet_rows=np.zeros((0, 2), np.int32),
        facet_zero_indptr=no_row,
        facet_zero_neurons=none,
        region_zero_indptr=np.array([0, len(zeros)], np.int64),
        region_zero_neurons=np.array(zeros, np.int32),
        bounded=np.ones(1, np.bool_),
        decisions=Decisions(0, 0, network.n_neurons),
        seconds={"enumerate": 0.0, "assemble": time.process_time() - start},
    )
