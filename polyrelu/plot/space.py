"""Pictures of tessellations of space: polytopes moved apart, decision surfaces, bent hyperplanes.

What hides what is worked out for one view, from the facets that polytopes have in common; turn a picture by drawing it
with another ``view``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.plot.colours import BORDER_COLOUR, INK, class_colours, layer_colours, lightened, region_colours
from polyrelu.plot.figure import new_figure, title_of
from polyrelu.plot.points import MARKERS, Points
from polyrelu.plot.scene import (
    VIEW,
    Scene,
    add_box,
    add_polygons,
    faces_of,
    facet_levels,
    finish,
    levels_of,
    normals_of,
    scene_of,
    shaded,
    space_axes,
)
from polyrelu.plot.values import class_names, facet_layers, value_range, values_at
from polyrelu.plot.view import check_dim
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.level_sets import last_digits
from polyrelu.tessellation.polygons import ordered_facets
from polyrelu.tessellation.polytopes import Polytopes, polytopes
from polyrelu.tessellation.surfaces import Surface, decision_surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d import Axes3D

    from polyrelu.tessellation.model import Tessellation

__all__ = ["draw_space", "plot_bent_hyperplanes", "plot_polytopes", "plot_surface"]

MANY = 4_000
"""Polygons of a surface from which white edges would hide their colours."""

EXPLODE = 0.35
"""How far polytopes are moved away from the middle of the box, relative to their distance from it."""


def draw_space(
    tessellation: Tessellation,
    by: str = "region",
    output: int = 0,
    hyperplanes: bool = False,
    points: Points | None = None,
    *,
    explode: float = EXPLODE,
    view: tuple[float, float] = VIEW,
) -> Figure:
    """Return a picture of a tessellation of space.

    Parameters
    ----------
    tessellation : Tessellation
        Of three dimensions. An unbounded one is drawn in a box around its vertices.
    by : {"region", "output", "class", "surface"}
        Polytopes in a colour for each region, in the colours of an output's values, or in a colour for each class; or
        the surface where two classes meet.
    output : int
        Which output, for "output".
    hyperplanes : bool
        Draw the bent hyperplanes beside it, coloured by layer.
    points : Points, optional
        Data to draw with the surface.
    explode : float
        How far apart polytopes are moved; 0 leaves them where they are.
    view : (elevation, azimuth)
        Where the viewer is, in degrees.
    """
    t = tessellation
    check_dim("draw_space", t, (3,))
    if points is not None and (by != "surface" or points.positions.shape[1] != 3):
        raise InputError(
            f"draw_space needs points of 3 coordinates, and by='surface', but received points of "
            f"{points.positions.shape[1]} and by={by!r}. Choose the columns, or leave the points out."
        )
    shown = _bounded(t)
    scene = scene_of(shown, view)
    figure = new_figure(12.4 if hyperplanes else 6.4, 6.0)
    ax = space_axes(scene, shown, figure, 121 if hyperplanes else 111)
    if by == "surface":
        plot_surface(decision_surface(shown), ax, view=view, names=class_names(t.network), points=points)
    else:
        plot_polytopes(shown, ax, by=by, output=output, explode=explode, view=view)
    ax.set_title(title_of(t), color=INK, fontsize="medium", loc="left")
    if hyperplanes:
        plot_bent_hyperplanes(shown, space_axes(scene, shown, figure, 122), view=view)
    return figure


def plot_polytopes(
    tessellation: Tessellation,
    ax: Axes3D | None = None,
    *,
    by: str = "region",
    output: int = 0,
    explode: float = EXPLODE,
    view: tuple[float, float] = VIEW,
) -> Axes3D:
    """Draw the regions of space as polytopes, moved apart.

    Parameters
    ----------
    tessellation : Tessellation
        Of three dimensions; an unbounded one is cut to a box around its vertices.
    ax : mpl_toolkits.mplot3d.Axes3D, optional
        Made by `polyrelu.plot.scene.space_axes`.
    by : {"region", "output", "class"}
        What the colours show. For classes, regions are cut where the decision changes.
    output : int
    explode : float
    view : (elevation, azimuth)

    Raises
    ------
    InputError
        If the dimension is not 3, or ``by`` is something else.
    """
    check_dim("plot_polytopes", tessellation, (3,))
    if by not in ("region", "output", "class"):
        raise InputError(f"plot_polytopes needs region, output or class but received {by!r}. Choose one.")
    t = _bounded(tessellation)
    scene = scene_of(t, view)
    ax = space_axes(scene, t) if ax is None else ax
    cells = t.decision_boundary().tessellation if by == "class" else t
    if by == "region":
        colours = region_colours(cells.words)
    elif by == "output":
        colours = _output_colours(ax, t, output)
    else:
        names, classes = class_names(t.network), last_digits(cells)
        palette = lightened(class_colours(len(names)), 0.25)
        colours = palette[classes]
        _add_legend(ax, {names[i]: palette[i] for i in np.unique(classes).tolist()})
    _add_cells(ax, polytopes(cells), colours, scene, explode)
    finish(ax, scene, explode / 2)
    return ax


def plot_surface(
    surface: Surface,
    ax: Axes3D | None = None,
    *,
    alpha: float = 0.82,
    view: tuple[float, float] = VIEW,
    names: Sequence[str] | None = None,
    points: Points | None = None,
) -> Axes3D:
    """Draw a decision surface in the light: each polygon in the colour of the class that the viewer sees behind it.

    Parameters
    ----------
    surface : Surface
    ax : mpl_toolkits.mplot3d.Axes3D, optional
    alpha : float
        Opacity.
    view : (elevation, azimuth)
    names : sequence of str, optional
        Of the classes, in the legend.
    points : Points, optional
        Data to draw with it, in the colours of the classes.
    """
    t = surface.tessellation
    scene = scene_of(t, view)
    ax = space_axes(scene, t) if ax is None else ax
    labels = list(names or (f"class {i}" for i in range(int(surface.digits.max(initial=1)) + 1)))
    # The last colour, which index -1 takes, is that of what lies beyond the domain.
    colours = np.concatenate([class_colours(len(labels)), np.full((1, 3), 0.85)])
    normals = normals_of(scene.scaled(surface.vertices_float), surface.cycles)
    is_front = normals @ scene.towards_viewer > 0
    seen = np.where(is_front, surface.digits[:, 0], surface.digits[:, 1])
    if len(surface):
        polygons = faces_of(surface.vertices_float, surface.cycles, np.arange(len(surface)))
        lit = shaded(colours[seen], np.where(is_front[:, None], normals, -normals), scene, alpha)
        edges = (1, 1, 1, 0.5) if len(polygons) < MANY else lit
        add_polygons(ax, polygons, facet_levels(t, scene, surface.facets), lit, edges, 0.4)
    add_box(ax, scene)
    if points is not None:
        _add_points(ax, points, colours[:-1])
    finish(ax, scene)
    shown = range(len(labels)) if points is not None else np.unique(seen[seen >= 0]).tolist()
    _add_legend(ax, {labels[i]: colours[i] for i in shown})
    return ax


def plot_bent_hyperplanes(
    tessellation: Tessellation,
    ax: Axes3D | None = None,
    *,
    layers: Sequence[int] | None = None,
    alpha: float = 0.3,
    view: tuple[float, float] = VIEW,
) -> Axes3D:
    """Draw the bent hyperplanes: facets, in the colour of the first layer with a neuron that vanishes on them.

    Parameters
    ----------
    tessellation : Tessellation
        Of three dimensions; an unbounded one is cut to a box around its vertices.
    ax : mpl_toolkits.mplot3d.Axes3D, optional
    layers : sequence of int, optional
        Which layers to draw, counted from 0; all by default.
    alpha : float
        Opacity.
    view : (elevation, azimuth)
    """
    check_dim("plot_bent_hyperplanes", tessellation, (3,))
    t = _bounded(tessellation)
    scene = scene_of(t, view)
    ax = space_axes(scene, t) if ax is None else ax
    of_facet, palette = facet_layers(t), layer_colours(len(t.network.hidden))
    wanted = np.unique(of_facet[of_facet >= 0]) if layers is None else np.asarray(layers)
    facets = np.flatnonzero(np.isin(of_facet, wanted) & (of_facet >= 0))
    cycles = ordered_facets(t, facets)
    normals = normals_of(scene.scaled(t.vertices_float), cycles)
    facing = np.where((normals @ scene.towards_viewer > 0)[:, None], normals, -normals)
    colours = shaded(palette[of_facet[facets]], facing, scene, alpha)
    if len(facets):
        polygons = faces_of(t.vertices_float, cycles, np.arange(len(facets)))
        width = float(np.clip(12.0 / np.sqrt(len(facets)), 0.1, 0.6))
        add_polygons(ax, polygons, facet_levels(t, scene, facets), colours, (1, 1, 1, 0.6), width)
    add_box(ax, scene)
    finish(ax, scene)
    _add_legend(ax, {f"layer {layer + 1}": palette[layer] for layer in wanted.tolist()})
    return ax


def _bounded(t: Tessellation) -> Tessellation:
    """Return the tessellation, cut to a box around its vertices if it is unbounded."""
    if t.bounded.all():
        return t
    if not t.is_complete:
        raise InputError(
            f"A picture of space needs bounded regions, or all of them, but received {t.n_regions} of a tessellation "
            "that was ended early. Raise the budget, or give it a bounded domain."
        )
    scene = scene_of(t)
    box = Domain.box(scene.low.tolist(), scene.high.tolist())
    return tessellate(t.network, Domain(3, (*t.domain.rows, *box.rows), f"{t.domain.label}, near its vertices"))


def _add_cells(ax: Axes3D, cells: Polytopes, colours: NDArray[Any], scene: Scene, explode: float) -> None:
    """Draw polytopes from back to front: the sides that face the viewer, of all of them or, unmoved, of the outer ones.

    Moving polytopes apart by multiples of where their middles are keeps a plane between any two neighbours.
    """
    t = cells.tessellation
    points = scene.scaled(t.vertices_float - (scene.low + scene.high) / 2)
    sums = np.add.reduceat(points[t.corner_vertices], t.corner_indptr[:-1])
    middles = sums / np.diff(t.corner_indptr)[:, None]
    shifts = explode * middles * (scene.high - scene.low) / scene.aspect
    normals = normals_of(points, cells.cycles)
    facing = normals @ scene.towards_viewer
    inner = t.inner_facets
    levels = levels_of(t.facet_regions[inner], facing[inner] > 0, middles @ scene.towards_viewer)
    is_shown = np.ones(t.n_facets, bool)
    is_shown[inner] = explode > 0
    owners = np.repeat(np.arange(t.n_regions), np.diff(cells.region_indptr))
    seen = np.flatnonzero(is_shown[cells.region_facets] & (facing[cells.region_facets] * cells.region_sides > 0))
    width = float(np.clip(8.0 / np.sqrt(t.n_regions), 0.05, 0.5))
    facets, regions = cells.region_facets[seen], owners[seen]
    polygons = faces_of(t.vertices_float, cells.cycles, facets) + shifts[regions, None]
    lit = shaded(colours[regions], normals[facets] * cells.region_sides[seen, None], scene)
    add_polygons(ax, polygons, levels[regions], lit, "white", width)


def _output_colours(ax: Axes3D, t: Tessellation, output: int) -> NDArray[np.float64]:
    """Return the colours of an output's values at the middles of regions, and add their scale."""
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    if not 0 <= output < t.network.n_out:
        raise InputError(f"An output below {t.network.n_out} is needed but {output} was received. Count from 0.")
    values = values_at(t.network, t.witnesses_float)[:, output]
    low, high, name = value_range(values)
    shades = ScalarMappable(Normalize(low, high), matplotlib.colormaps[name])
    bar = ax.figure.colorbar(shades, ax=ax, shrink=0.6, pad=0.12, aspect=30)
    bar.outline.set_visible(False)
    bar.set_label(f"output {output} in the middle", color=INK)
    bar.ax.tick_params(color=BORDER_COLOUR, labelcolor=INK)
    return np.asarray(shades.to_rgba(values))[:, :3]


def _add_points(ax: Axes3D, points: Points, colours: NDArray[np.float64]) -> None:
    classes = np.zeros(len(points.positions), np.int64) if points.classes is None else points.classes
    for label in np.unique(classes).tolist():
        own = points.positions[classes == label]
        colour = 0.75 * colours[label] if points.classes is not None and label < len(colours) else INK
        ax.scatter(
            *own.T, s=16, marker=MARKERS[label % len(MARKERS)], color=colour, edgecolors="white", linewidths=0.5,
            depthshade=False, zorder=1e5,
        )  # fmt: skip


def _add_legend(ax: Axes3D, colours: dict[str, Any]) -> None:
    from matplotlib.patches import Patch

    if colours:
        patches = [Patch(color=colour, label=name) for name, colour in colours.items()]
        ax.legend(
            handles=patches, loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=min(len(patches), 5), frameon=False,
            fontsize="small", labelcolor=INK, handlelength=1.2,
        )  # fmt: skip
