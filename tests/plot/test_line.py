"""Pictures of networks with one input."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from cases import load_case
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.figure import Figure

from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.plot import plot_classes, plot_hyperplanes, plot_output, plot_regions
from polyrelu.tessellation.build import tessellate

WAVE = load_case("telgarsky_L5@unit")


@pytest.fixture
def ax():
    return Figure().add_subplot()


def strips(ax):
    return [
        (path.vertices[:, 0].min(), path.vertices[:, 0].max())
        for collection in ax.collections
        if isinstance(collection, PolyCollection)
        for path in collection.get_paths()
    ]


def test_graph_has_all_breakpoints(ax):
    plot_output(tessellate(WAVE.network, WAVE.domain), ax)
    graph = next(line for line in ax.lines if len(line.get_xdata()) > 2)
    assert graph.get_xdata().tolist() == [i / 32 for i in range(33)]
    assert graph.get_ydata().tolist() == [i % 2 for i in range(33)]
    assert ax.get_xlim() == (0, 1) and (ax.get_xlabel(), ax.get_ylabel()) == ("input", "output 0")


def test_breakpoints_by_layer(ax):
    plot_hyperplanes(tessellate(WAVE.network, WAVE.domain), ax)
    drawn = [c for c in ax.collections if isinstance(c, PathCollection)]
    assert [c.get_label() for c in drawn] == [f"layer {i}" for i in range(1, 6)]
    points = np.concatenate([c.get_offsets()[:, 0] for c in drawn])
    assert len(points) == len(set(points.tolist())) and set(points.tolist()) <= {i / 32 for i in range(33)}
    assert (np.diff(np.sort(points)) <= 1 / 32).all()


def test_regions_fill_the_line(ax):
    case = load_case("gauss64_1_8_8_1_s54")
    t = tessellate(case.network)
    plot_regions(t, ax)
    left, right = ax.get_xlim()
    found = sorted(strips(ax))
    assert found[0][0] == left and found[-1][1] == right
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert ax.get_legend() is None


def test_classes_are_cut_between_breakpoints(ax):
    """Class 1 leads where |x| > 1/2, in the middle of two regions."""
    network = Network.from_arrays([([[1], [-1]], [0, 0]), ([[0, 0], [1, 1]], [0.5, 0])])
    plot_classes(tessellate(network, Domain.box([-1], [1])), ax)
    assert sorted(strips(ax)) == [(-1.0, -0.5), (-0.5, 0.0), (0.0, 0.5), (0.5, 1.0)]
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["class 0", "class 1", "output 0", "output 1"]


@pytest.mark.parametrize("plot", [plot_regions, plot_output, plot_classes, plot_hyperplanes])
def test_nothing_bends(plot, ax):
    plot(tessellate(Network.from_arrays([([[2]], [1])])), ax)
    left, right = ax.get_xlim()
    assert left < right
