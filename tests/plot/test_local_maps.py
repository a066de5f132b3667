"""Pictures of local maps: what each cell shows, and which points lie in dual space."""

import numpy as np
import pytest

from polyrelu import Domain, Network, tessellate
from polyrelu.analysis.data.local_maps import LocalMaps, local_maps
from polyrelu.analysis.data.region_maps import region_maps
from polyrelu.errors import InputError
from polyrelu.plot.colours import region_colours
from polyrelu.plot.figure import save
from polyrelu.plot.local_maps import draw_dual, draw_gradients, draw_image_grid, plot_dual_points, plot_gradient
from polyrelu.testing import xor

ONE, TWO = np.array([[1.0, -3.0], [0.0, 2.0]]), np.array([[0.0, 0.25], [0.5, 1.0]])


def images_of(figure):
    return [list(ax.get_images()) for ax in figure.axes]


def test_gradients_are_white_at_zero():
    figure = draw_image_grid([[ONE]], is_gradient=[[True]], row_names=["a"], column_names=["b"])
    [[image]] = images_of(figure)
    assert (image.get_array() == ONE).all()
    assert image.get_clim() == (-3.0, 3.0)
    assert np.abs(np.array(image.cmap(image.norm(0.0)))[:3] - 1).max() < 0.05
    assert plot_gradient(np.zeros((2, 2)), figure.axes[0]).get_images()[-1].get_clim() == (-1.0, 1.0)


def test_a_grid_has_its_cells_and_names(tmp_path):
    figure = draw_image_grid(
        [[TWO, ONE], [None, 2 * ONE]],
        is_gradient=[[False, True]] * 2,
        row_names=["first", "second"],
        column_names=["image", "output 7"],
        title="title",
    )
    found = images_of(figure)
    assert [len(each) for each in found] == [1, 1, 0, 1]
    assert [ax.get_title() for ax in figure.axes[:2]] == ["image", "output 7"]
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["first", "second"]
    assert not figure.axes[2].axison
    save(figure, tmp_path / "grid.png")
    with pytest.raises(InputError, match="needs rows of 1 cells, and 1 of them"):
        draw_image_grid([[ONE, ONE]], is_gradient=[[True, True]], row_names=["a"], column_names=["b"])


def test_images_stand_above_their_gradients():
    points = np.arange(8.0).reshape(2, 4)
    maps = LocalMaps(np.array([3, 1]), np.arange(10.0).reshape(2, 5))
    figure = draw_gradients(points, maps, (2, 2))
    shown = [each[0].get_array().ravel().tolist() for each in images_of(figure)]
    assert shown == [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3], [5, 6, 7, 8]]
    assert [ax.get_title() for ax in figure.axes[:2]] == ["output 3", "output 1"]


def test_channels_are_averaged_in_images_and_summed_in_gradients():
    maps = LocalMaps(np.array([[0, 1]]), np.arange(10.0).reshape(1, 2, 5))
    figure = draw_gradients([[0.0, 2.0, 4.0, 8.0]], maps, (2, 1, 2))
    shown = [each[0].get_array().ravel().tolist() for each in images_of(figure)]
    assert shown == [[2, 5], [2, 4], [12, 14]]
    assert [ax.get_title() for ax in figure.axes] == ["image", "output 0", "output 1"]


def test_images_of_another_shape_are_refused():
    maps = LocalMaps(np.array([0]), np.zeros((1, 5)))
    with pytest.raises(InputError, match=r"images of shape 3 x 3, .* points of shape \(1, 4\)"):
        draw_gradients(np.zeros((1, 4)), maps, (3, 3))
    with pytest.raises(InputError, match="with at least one"):
        draw_gradients(np.zeros((0, 4)), LocalMaps(np.zeros(0, np.int64), np.zeros((0, 5))), (2, 2))


def test_dual_points_are_the_distinct_maps(tmp_path):
    grid = np.stack(np.meshgrid(np.linspace(-2, 2, 21), np.linspace(-2, 2, 21)), axis=-1).reshape(-1, 2) + 0.01
    maps = local_maps(xor(), grid, 0)
    ax = plot_dual_points(maps, highlighted=[0])
    cloud, chosen = (each for each in ax.collections if hasattr(each, "_offsets3d"))
    assert {tuple(map(float, point)) for point in zip(*cloud._offsets3d, strict=True)} == {
        (0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (-1.0, -1.0, 2.0)
    }  # fmt: skip
    assert [tuple(map(float, point)) for point in zip(*chosen._offsets3d, strict=True)] == [(0.0, 0.0, 0.0)]
    assert len(set(cloud.get_sizes())) == 3
    assert [axis.label.get_text() for axis in (ax.xaxis, ax.yaxis, ax.zaxis)] == ["weight 1", "weight 2", "offset"]
    save(ax.figure, tmp_path / "dual.png")


def test_regions_and_their_maps_have_one_colour(tmp_path):
    tessellation = tessellate(xor(), Domain.box([-2, -2], [2, 2]))
    figure = draw_dual(tessellation, points=[[1, 1], [-1, -1]])
    plane, dual = figure.axes
    maps = {tuple(map(float, p)): k for k, p in enumerate(zip(*dual.collections[0]._offsets3d, strict=True))}
    for region, row in enumerate(region_maps(tessellation, 0).dual_points.tolist()):
        colour = region_colours(tessellation.words)[region]
        assert (plane.collections[0].get_facecolor()[region, :3] == colour).all()
        assert np.abs(dual.collections[0]._facecolors[maps[tuple(row)], :3] - 0.85 * colour).max() < 2.0**-40
    assert (plane.get_title(loc="left"), dual.get_title(loc="left")) == (
        "3 regions", "output 0: 3 different affine maps"
    )  # fmt: skip
    save(figure, tmp_path / "dual.png")
    save(draw_dual(tessellation), tmp_path / "without_points.png")
    with pytest.raises(InputError, match="outputs from 0 to 0 but received 1"):
        draw_dual(tessellation, 1)
    with pytest.raises(InputError, match=r"needs points \(n, 2\)"):
        draw_dual(tessellation, points=[[1, 2, 3]])
    line = Network.from_arrays([([[1]], [0]), ([[1]], [0])])
    with pytest.raises(InputError, match="a network with two inputs"):
        draw_dual(tessellate(line))


def test_dual_points_of_other_dimensions_are_refused():
    three_inputs = LocalMaps(np.zeros(1, np.int64), np.zeros((1, 4)))
    two_outputs = LocalMaps(np.zeros((1, 2), np.int64), np.zeros((1, 2, 3)))
    none = LocalMaps(np.zeros(0, np.int64), np.zeros((0, 3)))
    for maps in (three_inputs, two_outputs, none):
        with pytest.raises(InputError, match="needs maps of one output of a network with two inputs"):
            plot_dual_points(maps)
    for number in (-1, 2):
        with pytest.raises(InputError, match="numbers of 2 maps"):
            plot_dual_points(LocalMaps(np.zeros(2, np.int64), np.zeros((2, 3))), highlighted=[number])
