"""Pictures of images: every region that has an area is there, in the colour that it has elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot

from polyrelu.analysis.images import image
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.plot.colours import region_colours
from polyrelu.plot.images import plot_image, plot_image_space
from polyrelu.testing import gaussian, xor

SQUARE = Domain.box([-1, -1], [1, 1])
FOLD = Network.from_arrays([([[1, 0], [-1, 0], [0, 1]], [0, 0, 5]), ([[1, 1, 0], [0, 0, 1]], [0, -5])])  # (|x|, y)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def test_a_fold_is_drawn_twice_in_the_colours_of_its_regions():
    found = image(FOLD, SQUARE)
    ax = plot_image(found)
    polygons = ax.collections[0]
    assert len(polygons.get_paths()) == 2
    for path in polygons.get_paths():
        assert {tuple(corner) for corner in path.vertices.tolist()} == {(0, -1), (0, 1), (1, -1), (1, 1)}
    np.testing.assert_array_equal(polygons.get_facecolors()[:, :3], region_colours(found.ground.tessellation.words))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("output 0", "output 1")


def test_areas_agree_with_the_exact_ones():
    found = image(gaussian([2, 6, 6, 2], seed=7), SQUARE)
    ax = plot_image(found)
    drawn = sum(area_of(path.vertices) for path in ax.collections[0].get_paths())
    exact = sum(piece.polyhedron.volume for piece in found.pieces)
    assert drawn == pytest.approx(float(exact))


def test_unbounded_polygons_are_cut_to_the_window():
    found = image(Network.from_arrays([([[1, 0], [0, 1]], [0, 0])]))
    ax = plot_image(found, window=(-1, -2, 3, 4))
    [path] = ax.collections[0].get_paths()
    assert {tuple(corner) for corner in path.vertices.tolist()} == {(-1, -2), (3, -2), (3, 4), (-1, 4)}
    assert plot_image(image(FOLD)).collections[0].get_paths()


def test_curves_are_segments():
    bent = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, -1], [1, 1]], [0, 0])])
    ax = plot_image(image(bent, Domain.box([-1], [2])))
    assert not ax.collections[0].get_paths()
    assert sorted(segment.tolist() for segment in ax.collections[1].get_segments()) == [
        [[-1, 1], [0, 0]], [[0, 0], [2, 2]]
    ]  # fmt: skip


def test_a_point_is_drawn():
    constant = Network.from_arrays([([[0, 0], [0, 0]], [3, 4])])
    assert plot_image(image(constant, SQUARE)).collections[1].get_segments()[0].tolist() == [[3, 4], [3, 4]]


def test_a_cube_in_space_has_six_faces_and_a_surface_one_for_each_region():
    identity = Network.from_arrays([([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0, 0, 0])])
    ax = plot_image_space(image(identity, Domain.box([0] * 3, [1] * 3)))
    assert len(faces_in(ax)) == 6
    hidden = ([[1, 0], [-1, 0], [0, 1]], [0, 0, 5])
    lifted = Network.from_arrays([hidden, ([[1, -1, 0], [0, 0, 1], [1, 1, 0]], [0, -5, 0])])  # (x, y, |x|)
    ax = plot_image_space(image(lifted, SQUARE))
    assert len(faces_in(ax)) == 2
    assert ax.get_zlabel() == "output 2"
    ax.figure.canvas.draw()


def test_unbounded_solids_and_lines_in_space():
    identity = Network.from_arrays([([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0, 0, 0])])
    plot_image_space(image(identity)).figure.canvas.draw()
    line = Network.from_arrays([([[1], [2], [-1]], [0, 0, 1])])
    plot_image_space(image(line, Domain.unit(1))).figure.canvas.draw()


def test_other_numbers_of_outputs_are_refused():
    with pytest.raises(InputError, match="2 outputs but received one with 1"):
        plot_image(image(xor(), SQUARE))
    with pytest.raises(InputError, match="3 outputs but received one with 2"):
        plot_image_space(image(FOLD, SQUARE))


def area_of(corners):
    x, y = corners.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def faces_in(ax):
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    return [face for found in ax.collections if isinstance(found, Poly3DCollection) for face in found.get_facecolor()]
