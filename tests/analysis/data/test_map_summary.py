"""Summaries and files of local maps."""

import json

import numpy as np
import pytest

import polyrelu.analysis.data.map_summary as map_summary
from polyrelu.analysis.data.local_maps import LocalMaps, local_maps
from polyrelu.analysis.data.map_agreement import MapAgreement
from polyrelu.analysis.data.map_file import maps_file
from polyrelu.analysis.data.map_summary import summarise_maps
from polyrelu.errors import InputError, InternalError
from polyrelu.network.model import Network
from polyrelu.testing import xor


def test_a_summary_counts_patterns_and_maps():
    # Regions of xor: below the first line (no map of x), between the lines, above both.
    points = [[-1, 0], [-2, -2], [0.5, 0.25], [1, 0], [2, 2], [3, 1]]
    summary = summarise_maps(xor(), points)
    assert (summary.n_points, summary.n_maps, summary.n_patterns, summary.n_distinct) == (6, 6, 3, 3)
    assert summary.n_decided_exactly == 1  # (1, 0) lies on the second line
    assert summary.norms == (0.0, np.sqrt(2), np.sqrt(2))
    assert (summary.largest_difference, summary.largest_bound > 0) == (0.0, True)
    assert json.loads(json.dumps(summary.to_json()))["patterns"] == 3
    assert "3 different ones" in summary.to_text()


def test_no_points_make_no_maps():
    summary = summarise_maps(xor(), np.zeros((0, 2)))
    assert (summary.n_maps, summary.norms, summary.largest_bound) == (0, (), 0.0)
    assert "gradients   none" in summary.to_text()


def test_equal_patterns_give_equal_floats_wherever_the_points_stand():
    random = np.random.default_rng(0)
    shapes = [(9, 2), (9, 9), (1, 9)]
    network = Network.from_arrays([(random.standard_normal(each), random.standard_normal(each[0])) for each in shapes])
    points = random.standard_normal((333, 2))
    summary = summarise_maps(network, points)
    assert summary.n_distinct <= summary.n_patterns < 333


def test_overflow_is_no_disagreement_and_no_number():
    huge = Network.from_arrays([([[1e300]], [0.0]), ([[1e300]], [0.0])])
    summary = summarise_maps(huge, [[1.0]])
    assert summary.to_json()["largest_bound"] is None
    assert json.loads(json.dumps(summary.to_json()))["norms"] == [None] * 3


def test_values_that_are_no_numbers_do_not_look_like_agreement():
    """inf - inf is NaN, which is larger than nothing."""
    summary = summarise_maps(Network.from_arrays([([[2.0**1023]], [0.0]), ([[1.0]], [0.0])]), [[4.0], [0.5]])
    assert (summary.largest_difference, summary.largest_bound) == (float("inf"), float("inf"))


def test_a_map_that_disagrees_is_a_bug(monkeypatch):
    def wrong(network, points, output, device):
        maps = LocalMaps(np.zeros(1, np.int64), np.ones((1, 3)))
        yield slice(0, 1), maps, MapAgreement(*(np.array([value]) for value in (1.0, 0.0, 0.4, 0.5)))

    monkeypatch.setattr(map_summary, "iterate_checked_maps", wrong)
    with pytest.raises(InternalError, match="one of points 0 to 0 does not"):
        summarise_maps(xor(), [[1, 2]])


@pytest.mark.parametrize("output", [0, None])
def test_files_hold_the_maps(output, tmp_path):
    points = np.random.default_rng(0).integers(-4, 5, (300, 2)) / 2
    maps = local_maps(xor(), points, output)
    with maps_file(tmp_path / "maps.npz", maps.outputs.shape, 2) as write:
        summarise_maps(xor(), points, output, each=write)
    with np.load(tmp_path / "maps.npz", allow_pickle=False) as file:
        assert set(file) == {"weights", "offsets", "outputs"}
        assert (file["weights"] == maps.weights).all()
        assert (file["offsets"] == maps.offsets).all()
        assert (file["outputs"] == maps.outputs).all()
        assert (file["weights"].dtype, file["outputs"].dtype) == (np.float64, np.int64)


def test_files_hold_what_was_announced(tmp_path):
    maps = local_maps(xor(), [[1, 2], [3, 4]], 0)
    few = pytest.raises(InputError, match="needs the maps of 3 points but received 2")
    with few, maps_file(tmp_path / "few.npz", (3,), 2) as write:
        write(maps)
    wide = pytest.raises(InputError, match=r"needs maps of shape \(4,\) but received \(3,\)")
    with wide, maps_file(tmp_path / "wide.npz", (2,), 3) as write:
        write(maps)
    with maps_file(tmp_path / "none.npz", (0, 2), 3):
        pass
    assert np.load(tmp_path / "none.npz")["weights"].shape == (0, 2, 3)
