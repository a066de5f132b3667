"""Pictures of space: what they show, in which order, and that all of them can be drawn."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

import polyrelu
from polyrelu.errors import BudgetError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.plot import Points, draw_sections, draw_space, plot_bent_hyperplanes, plot_polytopes, plot_surface, save
from polyrelu.plot.colours import class_colours
from polyrelu.plot.scene import faces_of, facet_levels, levels_of, normals_of, scene_of, shaded, space_axes
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.polygons import Cycles
from polyrelu.tessellation.polytopes import polytopes
from polyrelu.tessellation.surfaces import decision_surface
from polyrelu.testing import braid, gaussian, generic_arrangement, grid, xor

CUBE = Domain.box([-1] * 3, [1] * 3)
EYE = np.eye(3)

NETWORKS = {
    "planes": generic_arrangement(3, 4),
    "no vertex": braid(3),
    "one plane": grid(1, 0, 0),
    "affine": Network.from_arrays([([[1, 2, 3]], [1])]),
    "zero": Network.from_arrays([([[0, 0, 0]], [0])]),
    "three classes": Network.from_arrays([(EYE, np.zeros(3)), (EYE, [0, 0, 1])]),
    "deep": gaussian([3, 4, 3, 1], seed=1),
}


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("by", ["region", "output", "class", "surface"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_picture(tmp_path, name, by):
    network = NETWORKS[name]
    for domain in (Domain.all(3), CUBE):
        figure = draw_space(tessellate(network, domain), by, hyperplanes=domain is CUBE)
        save(figure, tmp_path / "picture.png")
        assert (tmp_path / "picture.png").stat().st_size > 5_000
        pyplot.close(figure)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("by", ["region", "output", "class"])
def test_sections(tmp_path, by):
    t = tessellate(NETWORKS["deep"], CUBE)
    figure = draw_sections(t, by, axis=1, heights=["1/3", 0])
    assert [ax.get_title(loc="left") for ax in figure.axes[:2]] == ["input 2 = 0.3333", "input 2 = 0"]
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("input 1", "input 3")
    save(figure, tmp_path / "picture.png")
    assert len(draw_sections(t).axes) == 4


def polygons_of(ax) -> list[Poly3DCollection]:
    return [each for each in ax.collections if isinstance(each, Poly3DCollection)]


def test_the_same_picture_has_the_same_bytes(tmp_path):
    files = [tmp_path / f"{i}.png" for i in range(2)]
    for file in files:
        save(draw_space(tessellate(NETWORKS["deep"], CUBE), "class", hyperplanes=True), file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_viewer_sees_three_sides_of_a_box():
    ax = plot_polytopes(tessellate(grid(1, 1, 1), CUBE))
    assert [len(each.get_facecolor()) for each in polygons_of(ax)] == [3, 9, 9, 3]
    assert sum(len(each.get_facecolor()) for each in polygons_of(ax)) == 8 * 3
    unmoved = plot_polytopes(tessellate(grid(1, 1, 1), CUBE), explode=0)
    assert sum(len(each.get_facecolor()) for each in polygons_of(unmoved)) == 3 * 4


@pytest.mark.parametrize("view", [(22.0, -58.0), (-40.0, 130.0), (89.0, 10.0)])
def test_nothing_is_drawn_before_what_it_hides(view):
    t = tessellate(gaussian([3, 5, 4, 1], seed=2), CUBE)
    p, scene = polytopes(t), scene_of(t, view)
    normals = normals_of(scene.scaled(t.vertices_float), p.cycles)
    inner = t.inner_facets
    facing = normals[inner] @ scene.towards_viewer
    levels = levels_of(t.facet_regions[inner], facing > 0, scene.scaled(t.witnesses_float) @ scene.towards_viewer)
    near = np.where(facing > 0, t.facet_regions[inner, 1], t.facet_regions[inner, 0])
    far = np.where(facing > 0, t.facet_regions[inner, 0], t.facet_regions[inner, 1])
    assert (levels[far] < levels[near]).all()


def test_facets_are_drawn_behind_what_they_bound():
    """Of a cube cut in 3 x 3 x 3 parts, seen from above: levels of horizontal facets grow with their height."""
    t = tessellate(grid(2, 2, 2), Domain.box([-1] * 3, [2] * 3))
    levels = facet_levels(t, scene_of(t, (89.0, 10.0)), np.arange(t.n_facets))
    corners = [t.vertices_float[t.facet_vertices[a:b]] for a, b in pairwise(t.facet_indptr.tolist())]
    for column in np.unique([each[:, :2].mean(axis=0) for each in corners], axis=0):
        stack = [
            (each[0, 2], level)
            for each, level in zip(corners, levels.tolist(), strict=True)
            if np.ptp(each[:, 2]) == 0 and (each[:, :2].mean(axis=0) == column).all()
        ]
        assert [level for _, level in sorted(stack)] == sorted({level for _, level in stack})


@pytest.mark.parametrize("view", [(22.0, -58.0), (-40.0, 130.0)])
@pytest.mark.parametrize(
    "network",
    [generic_arrangement(3, 5), grid(2, 1, 1), grid(1, 1, 0), grid(3, 0, 0)],
    ids=["planes", "grid", "cross", "slabs"],
)
def test_unbounded_facets_have_an_order_too(network, view):
    """The signs of a region say exactly on which side of a plane it lies, and so which of two neighbours is nearer."""
    t = tessellate(network)
    scene = scene_of(t, view)
    levels = facet_levels(t, scene, t.inner_facets)
    towards = scene.towards_viewer / (scene.aspect / (scene.high - scene.low))
    for cell in range(t.n_regions):
        behind, before = [], []
        for level, pair, facet in zip(levels.tolist(), t.adjacent_pairs.tolist(), t.inner_facets.tolist(), strict=True):
            if cell in pair:
                normal = network.hidden[0].weight[t.facet_neurons(facet)[0]]
                is_positive = t.pattern(cell).digits[t.facet_neurons(facet)[0]] == 1
                # The cell is the nearer one if it lies on the side of the plane towards which one goes to the viewer.
                (behind if is_positive == (normal @ towards > 0) else before).append(level)
        assert max(behind, default=-1) < min(before, default=10**6)


def test_cells_that_hide_each_other_in_a_circle_have_levels():
    pairs = np.array([[0, 1], [1, 2], [2, 0], [2, 3]])
    levels = levels_of(pairs, np.ones(4, bool), np.array([3.0, 1.0, 2.0, 0.0, 5.0])).tolist()
    assert levels[4] == 0 and levels[3] > levels[2]
    assert sorted(levels[:3]) == [0, 1, 2]  # one of the three is drawn first, though another one lies behind it


def test_a_surface_has_the_colour_of_the_class_behind_it():
    """The output is positive where x > 0: from there one sees class 0 behind the plane x = 0, from the other side 1."""
    surface = decision_surface(tessellate(Network.from_arrays([([[1, 0, 0]], [0])]), CUBE))
    for azimuth, behind in ((0.0, 0), (180.0, 1)):
        [plane] = polygons_of(plot_surface(surface, view=(10.0, azimuth), alpha=1.0))
        shade = plane.get_facecolor()[0, :3]
        strong = class_colours(2)[behind]
        assert np.allclose(shade / strong, shade[0] / strong[0])


def test_lit_polygons_are_brighter():
    scene = scene_of(tessellate(grid(1, 1, 1), CUBE))
    colours = shaded(np.ones((2, 3)), np.stack([scene.light, -scene.light]), scene)
    assert (colours[0] == 1).all() and (colours[1, :3] < 0.7).all()
    assert np.linalg.norm(scene.light) == pytest.approx(1)


def test_normals_and_padding():
    points = np.array([[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0], [0, 0, 1]], float)
    cycles = Cycles(np.array([0, 4, 4, 7]), np.array([0, 1, 2, 3, 0, 4, 1], np.int32))
    assert normals_of(points, cycles).tolist() == [[0, 0, 1], [0, 0, 0], [0, 1, 0]]
    faces = faces_of(points, cycles, np.array([2, 0]))
    assert faces[0].tolist() == points[[0, 4, 1, 1]].tolist()
    assert faces[1].tolist() == points[:4].tolist()


def test_layers_of_bent_hyperplanes():
    t = tessellate(NETWORKS["deep"], CUBE)
    ax = plot_bent_hyperplanes(t)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["layer 1", "layer 2"]
    second = plot_bent_hyperplanes(t, layers=[1])
    n_second = sum(min(t.facet_neurons(f)) >= 4 for f in t.inner_facets.tolist())
    assert sum(len(each.get_facecolor()) for each in polygons_of(second)) == n_second
    assert sum(len(each.get_facecolor()) for each in polygons_of(ax)) == len(t.inner_facets)


def test_points_and_legend():
    t = tessellate(NETWORKS["three classes"], CUBE)
    points = Points(np.array([[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]), np.array([0, 1, 2]), ())
    ax = draw_space(t, "surface", points=points).axes[0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["class 0", "class 1", "class 2"]
    drawn = [each for each in ax.collections if not isinstance(each, (Poly3DCollection, Line3DCollection))]
    assert np.allclose([each.get_facecolor()[0, :3] for each in drawn], 0.75 * class_colours(3))


def test_an_unbounded_tessellation_is_cut_to_a_box():
    t = tessellate(generic_arrangement(3, 4))
    ax = plot_polytopes(t)
    assert len(polygons_of(ax)) > 1
    low, high = np.array([ax.get_xlim(), ax.get_ylim(), ax.get_zlim()]).T
    scene = scene_of(t)
    assert (low < scene.low).all() and (high > scene.high).all()


def test_refusals():
    t = tessellate(grid(1, 1, 1), CUBE)
    with pytest.raises(InputError, match="draw_space needs a tessellation of dimension 3"):
        draw_space(tessellate(xor()))
    with pytest.raises(InputError, match="'colour'"):
        draw_space(t, "colour")
    with pytest.raises(InputError, match="output below 1"):
        draw_space(t, "output", 1)
    with pytest.raises(InputError, match="points of 2"):
        draw_space(t, "surface", points=Points(np.zeros((1, 2)), None, ()))
    with pytest.raises(InputError, match="by='region'"):
        draw_space(t, points=Points(np.zeros((1, 3)), None, ()))
    with pytest.raises(InputError, match="axis 0, 1 or 2, but received 'region' and 3"):
        draw_sections(t, axis=3)
    with pytest.raises(InputError, match="at least one height"):
        draw_sections(t, heights=[])
    with pytest.raises(BudgetError) as caught:
        tessellate(gaussian([3, 8, 8, 1]), max_regions=5)
    if not caught.value.partial.bounded.all():
        with pytest.raises(InputError, match="ended early"):
            draw_space(caught.value.partial)


def test_axes_can_be_given():
    t = tessellate(grid(1, 1, 1), CUBE)
    ax = space_axes(scene_of(t), t)
    assert plot_polytopes(t, ax) is ax and plot_bent_hyperplanes(t, ax) is ax
    assert ax.get_xlabel() == "input 1"


def test_importing_the_functions_does_not_load_matplotlib():
    script = "import sys, polyrelu.plot.space; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_data_of_wines():
    data = Path(polyrelu.__file__).parent / "data"
    points = polyrelu.plot.read_points(data / "wine_points.npz")
    network = polyrelu.load(data / "wine.npz")
    right = network(points.positions).argmax(axis=1) == points.classes
    assert (len(right), right.sum()) == (178, 177)
