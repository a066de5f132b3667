"""The affine maps of all regions, as floats and as rationals."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import random_networks

import polyrelu
from polyrelu import Domain, load, tessellate
from polyrelu.analysis.data.local_maps import local_maps
from polyrelu.analysis.data.region_maps import region_maps
from polyrelu.errors import InputError

FOLDER = Path(polyrelu.__file__).parent / "data"


@settings(max_examples=15, deadline=None)
@given(random_networks((1, 2), max_neurons=6))
def test_every_region_has_its_map(network):
    tessellation = tessellate(network)
    maps = region_maps(tessellation)
    assert maps.weights.shape == (tessellation.n_regions, 1, network.dim)
    is_integer = all((layer.weight == np.round(layer.weight)).all() for layer in network.layers)
    for index in range(tessellation.n_regions):
        rows = tessellation.region(index).affine_map.rows.to_fractions()
        for exact, row in zip(rows, maps.dual_points[index].tolist(), strict=True):
            errors = [abs(Fraction(value) - wanted) for value, wanted in zip(row, exact, strict=True)]
            # Weights are below 2^7 and there are at most 8 neurons: products of three layers are below 2^40.
            assert max(errors) <= (0 if is_integer else Fraction(1, 2**12))


def test_regions_at_data_have_the_maps_at_data():
    network = load(FOLDER / "iris_petals.npz")
    points = np.load(FOLDER / "iris_petals_points.npz")["X"]
    tessellation = tessellate(network, Domain.box([0, 0], [8, 3]))
    for output in (2, None):
        at_regions, at_points = region_maps(tessellation, output, device="cpu"), local_maps(network, points, output)
        found = at_regions.dual_points[tessellation.locate(points)]
        assert np.abs(found - at_points.dual_points).max() < 2.0**-40 * np.abs(found).max()


def test_labels_and_unknown_outputs_are_refused():
    tessellation = tessellate(load(FOLDER / "iris_petals.npz"), Domain.box([0, 0], [1, 1]))
    with pytest.raises(InputError, match="same in a whole region but received 'predicted'"):
        region_maps(tessellation, "predicted")
    with pytest.raises(InputError, match="outputs from 0 to 2 but received 3"):
        region_maps(tessellation, 3)
