"""Regions against the reference in every field: rows, map, boundedness, vertices, neighbours."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from cases import FOLDER, load_detail, load_network

from polyrelu.network.model import Network
from polyrelu.region.model import Region, region_of

WIDTHS = {
    "dup_base_2d": (4, 4),
    "hamming_1d": (2, 1),
    "rint_3_4_3_1_s13_box": (4, 3),
    "thick_zero_2d": (3, 3),
    "xor_printed": (2,),
}


@cache
def regions_of(name: str) -> list[tuple[dict, Region]]:
    """Return each record of the reference with the region of its pattern."""
    detail = load_detail(name)
    stored = (FOLDER / f"{name}.npz").exists()
    network = load_network(name) if stored else network_behind(detail.cells, WIDTHS[name])
    patterns = [network.pattern([int(bit) for bit in cell["code"]]) for cell in detail.cells]
    return [(cell, region_of(network, p, detail.domain)) for cell, p in zip(detail.cells, patterns, strict=True)]


def network_behind(cells: tuple[dict, ...], widths: tuple[int, ...]) -> Network:
    """Return the network with integer weights that has these preactivations and outputs on its regions.

    Layer by layer, all regions together determine the weights: each preactivation is one combination of the active
    neurons' preactivations before it, the same on all regions.
    """
    dim = len(cells[0]["h_rows"][0]) - 1
    inputs = [[[int(i == j) for j in range(dim + 1)] for i in range(1, dim + 1)] for _ in cells]
    layers, start = [], 0
    for width in (*widths, None):
        outputs = [c["affine"] if width is None else c["h_rows"][start : start + width] for c in cells]
        outputs = [[[int(Fraction(v)) for v in row] for row in rows] for rows in outputs]
        constant = [1] + [0] * dim
        known = np.concatenate([np.array([*rows, constant], dtype=float).T for rows in inputs])
        wanted = np.concatenate([np.array(rows, dtype=float).T for rows in outputs])
        weights = np.rint(np.linalg.lstsq(known, wanted, rcond=None)[0])
        assert (known @ weights == wanted).all()
        layers.append((weights[:-1].T, weights[-1]))
        if width is not None:
            bits = [[int(bit) for bit in c["code"][start : start + width]] for c in cells]
            inputs = [
                [[bit * v for v in row] for bit, row in zip(active, rows, strict=True)]
                for active, rows in zip(bits, outputs, strict=True)
            ]
            start += width
    return Network.from_arrays(layers)


def constant_last(row: list[str]) -> tuple[Fraction, ...]:
    return tuple(Fraction(v) for v in (*row[1:], row[0]))


@pytest.mark.parametrize("name", WIDTHS)
def test_rows_and_zero_neurons(name):
    for cell, region in regions_of(name):
        forms = [constant_last(row) for row in cell["h_rows"]]
        signs = [2 * bit - 1 for bit in region.pattern.digits]
        assert [region.hrep.form(i) for i in range(len(forms))] == [
            tuple(sign * v for v in form) for sign, form in zip(signs, forms, strict=True)
        ]
        assert region.zero_neurons == tuple(i for i, form in enumerate(forms) if not any(form))


@pytest.mark.parametrize("name", WIDTHS)
def test_affine_maps(name):
    for cell, region in regions_of(name):
        rows = zip(region.affine_map.matrix, region.affine_map.offset, strict=True)
        assert [(*normal, constant) for normal, constant in rows] == [constant_last(row) for row in cell["affine"]]


@pytest.mark.parametrize("name", WIDTHS)
def test_vertices_and_boundedness(name):
    for cell, region in regions_of(name):
        assert set(region.vertices) == {tuple(map(Fraction, point)) for point in cell["vertices"]}
        assert len(region.vertices) == len(cell["vertices"])
        assert region.is_bounded == cell["bounded"]


@pytest.mark.parametrize("name", WIDTHS)
def test_neighbours(name):
    for cell, region in regions_of(name):
        beyond = ["".join(map(str, pattern.digits)) for _, pattern in region.neighbours]
        assert sorted(beyond) == cell["neighbours"]
