"""Pictures of the plane: what the axes hold."""

from __future__ import annotations

import numpy as np
import pytest
from cases import load_case
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.plot import plane as plane_module
from polyrelu.plot import plot_classes, plot_hyperplanes, plot_output, plot_regions
from polyrelu.plot.colours import class_colours, layer_colours, lightened, region_colours
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import braid, gaussian, generic_arrangement, xor

BOX = Domain.box([-1, -1], [1, 1])


@pytest.fixture
def ax():
    return Figure().add_subplot()


def collections(ax, kind):
    return [collection for collection in ax.collections if isinstance(collection, kind)]


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []


def area(collection):
    total = 0.0
    for path in collection.get_paths():
        x, y = path.vertices[:-1].T
        total += abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return total


def test_regions(ax):
    t = tessellate(gaussian([2, 16, 16, 1]), BOX)
    assert plot_regions(t, ax) is ax
    [polygons] = ax.collections
    assert len(polygons.get_paths()) == t.n_regions and area(polygons) == pytest.approx(4)
    assert (polygons.get_facecolor()[:, :3] == region_colours(t.words)).all()
    assert ax.get_xlim() == (-1, 1) and ax.get_ylim() == (-1, 1) and ax.get_aspect() == 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("input 1", "input 2")


def test_colours_belong_to_patterns():
    network = gaussian([2, 16, 16, 1])
    large, small = tessellate(network, BOX), tessellate(network, Domain.box([0, 0], [1, 1]))
    colours = dict(zip(large.pattern_texts(), region_colours(large.words).tolist(), strict=True))
    for pattern, colour in zip(small.pattern_texts(), region_colours(small.words).tolist(), strict=True):
        assert colours[pattern] == colour
    assert len({tuple(colour) for colour in colours.values()}) > 0.99 * len(colours)


def test_window_and_labels_of_the_caller(ax):
    ax.set_xlabel("length")
    plot_regions(tessellate(xor()), ax, window=(0, 0, 1, 8))
    assert ax.get_xlim() == (0, 1) and ax.get_ylim() == (0, 8) and ax.get_aspect() == "auto"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("length", "input 2")


def test_slice_is_named(ax):
    t = tessellate(xor().restrict(_diagonal()), Domain.unit(2))
    plot_regions(t, ax)
    assert ax.get_xlabel() == "slice coordinate 1"


def _diagonal():
    from polyrelu.network.slices import Slice

    return Slice.along([0, 0], [1, 1], [1, -1])


def test_hyperplanes_by_layer(ax):
    t = tessellate(gaussian([2, 6, 6, 6, 1]), BOX)
    plot_hyperplanes(t, ax)
    lines = collections(ax, LineCollection)
    layers = t.network.neurons[[t.facet_neurons(facet)[0] for facet in t.inner_facets], 0]
    drawn = [len(collection.get_segments()) for collection in lines]
    assert drawn == [count for count in np.bincount(layers, minlength=3) if count]
    present = np.unique(layers)
    assert labels(ax) == [f"layer {layer + 1}" for layer in present]
    for collection, layer in zip(lines, present, strict=True):
        assert np.allclose(collection.get_color()[0, :3], layer_colours(3)[layer])


def test_coincident_hyperplanes_take_the_first_layer(ax):
    """Two layers vanish on one line."""
    network = Network.from_arrays([([[1, 0], [-1, 0]], [0, 0]), ([[1, -1]], [0]), ([[1]], [0])])
    plot_hyperplanes(tessellate(network, BOX), ax)
    assert labels(ax) == ["layer 1"]


def test_output(ax):
    t = tessellate(gaussian([2, 16, 16, 2]), BOX)
    plot_output(t, ax, output=1)
    low, high = ax.collections[0].norm.vmin, ax.collections[0].norm.vmax
    values = t.network(t.vertices_float)[:, 1]
    reach = max(abs(values.min()), abs(values.max()))
    expected = (-reach, reach) if values.min() < 0 < values.max() else (values.min(), values.max())
    assert (low, high) == pytest.approx(expected)
    [bar] = [other for other in ax.figure.axes if other is not ax]
    assert bar.get_ylabel() == "output 1"


def test_zero_of_an_output(ax):
    """max(0, x) + y - 1/2 vanishes on a bent line."""
    network = Network.from_arrays([([[1, 0], [0, 1], [0, -1]], [0] * 3), ([[1, 1, -1]], [-0.5])])
    plot_output(tessellate(network, BOX), ax)
    [line] = collections(ax, LineCollection)
    ends = {tuple(point) for segment in line.get_segments() for point in segment.tolist()}
    assert ends == {(-1.0, 0.5), (0.0, 0.5), (0.5, 0.0), (1.0, -0.5)}
    assert labels(ax) == ["output 0 = 0"]


def test_zero_outside_the_window_is_not_named(ax):
    plot_output(tessellate(Network.from_arrays([([[1, 2]], [3])])), ax)
    assert collections(ax, LineCollection) == [] and labels(ax) == []


def test_field_of_many_triangles(ax, monkeypatch):
    monkeypatch.setattr(plane_module, "MAX_CONTOURED", 10)
    plot_output(tessellate(gaussian([2, 16, 1]), BOX), ax)
    assert type(ax.collections[0]).__name__ == "TriMesh"


def test_constant_output(ax):
    plot_output(tessellate(Network.from_arrays([([[0, 0]], [2])]), BOX), ax)
    assert ax.collections[0].norm.vmin < 2 < ax.collections[0].norm.vmax


def test_classes(ax):
    case = load_case("int8_2_8_8_3_s33@box")
    t = tessellate(case.network, case.domain)
    plot_classes(t, ax)
    polygons = collections(ax, PolyCollection)
    assert sum(map(area, polygons)) == pytest.approx(64)
    grid = np.stack(np.meshgrid(*[np.linspace(-3.95, 3.95, 40)] * 2), -1).reshape(-1, 2)
    decided = t.network(grid).argmax(axis=1)
    for collection in polygons:
        label = int(collection.get_label().split()[-1])
        assert np.allclose(collection.get_facecolor()[0, :3], lightened(class_colours(3))[label])
        inside = np.logical_or.reduce([path.contains_points(grid) for path in collection.get_paths()])
        assert (decided[inside] == label).all()
        assert inside.sum() >= 0.97 * (decided == label).sum()
    assert labels(ax) == [collection.get_label() for collection in polygons]


def test_sign_of_one_output(ax):
    """x + max(0, y) is positive on 2.5 of 4, cut where it bends."""
    network = Network.from_arrays([([[1, 0], [-1, 0], [0, 1]], [0, 0, 0]), ([[1, -1, 1]], [0])])
    plot_classes(tessellate(network, BOX), ax, names=["no", "yes"])
    first, second = collections(ax, PolyCollection)
    assert (first.get_label(), second.get_label()) == ("no", "yes")
    assert (area(first), area(second)) == (1.5, 2.5)


def test_border_between_classes(ax):
    """x against y: the diagonal, once."""
    plot_classes(tessellate(Network.from_arrays([([[1, 0], [0, 1]], [0, 0])]), Domain.unit(2)), ax)
    border = collections(ax, LineCollection)[-1].get_segments()
    assert [sorted(segment.tolist()) for segment in border] == [[[0.0, 0.0], [1.0, 1.0]]]
    assert [area(collection) for collection in collections(ax, PolyCollection)] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("plot", [plot_regions, plot_hyperplanes, plot_output, plot_classes])
def test_refusals(plot):
    with pytest.raises(InputError, match=f"{plot.__name__} needs a tessellation of dimension 1 or 2"):
        plot(tessellate(braid(3)))


@pytest.mark.parametrize("output", [-1, 1])
def test_no_such_output(output):
    with pytest.raises(InputError, match="plot_output needs an output below 1"):
        plot_output(tessellate(xor()), output=output)


def test_new_axes():
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    ax = plot_regions(tessellate(generic_arrangement(2, 3)))
    assert len(ax.collections[0].get_paths()) == 7
    pyplot.close(ax.figure)
