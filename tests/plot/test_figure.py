"""Whole pictures and their files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import polyrelu
from polyrelu.errors import BudgetError, FileError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.plot import Points, draw, save
from polyrelu.plot.demo import demo_domain, draw_demo
from polyrelu.plot.figure import title_of
from polyrelu.plot.points import read_points
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import generic_arrangement, telgarsky, thick_zero, xor

DATA = Path(polyrelu.__file__).parent / "data"

NETWORKS = {
    "lines": generic_arrangement(2, 5),
    "thick zero": thick_zero(),
    "no vertex": xor(),
    "affine": Network.from_arrays([([[1, 2]], [3])]),
    "zero": Network.from_arrays([([[0, 0]], [0])]),
    "three classes": Network.from_arrays([(np.eye(2), [0, 0]), ([[1, 0], [0, 1], [1, 1]], [0, 0, -1])]),
    "one input": telgarsky(3),
    "one input, affine": Network.from_arrays([([[1]], [0])]),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("by", ["region", "output", "class"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_picture(tmp_path, name, by):
    network = NETWORKS[name]
    for domain in (Domain.all(network.dim), Domain.box([-1] * network.dim, [2] * network.dim)):
        figure = draw(tessellate(network, domain), by, hyperplanes=True)
        save(figure, tmp_path / "picture.png")
        assert (tmp_path / "picture.png").stat().st_size > 5_000


@pytest.mark.filterwarnings("error")
def test_flat_domain(tmp_path):
    save(draw(tessellate(xor(), Domain.box([0, 1], [1, 1])), "output"), tmp_path / "picture.png")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_picture_has_the_same_bytes(tmp_path, suffix):
    files = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    for file in files:
        save(draw(tessellate(xor()), "class", hyperplanes=True), file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_titles():
    t = tessellate(generic_arrangement(2, 5))
    assert title_of(t) == "16 regions of 2-5-1" and draw(t).axes[0].get_title(loc="left") == title_of(t)
    assert title_of(tessellate(NETWORKS["affine"])) == "1 region of 2-1"
    assert title_of(tessellate(telgarsky(9), Domain.unit(1))) == "512 regions of 1-…-1"
    with pytest.raises(BudgetError) as caught:
        tessellate(xor(), max_regions=1)
    assert title_of(caught.value.partial).endswith("(incomplete)")


def test_points_are_drawn():
    points = Points(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, 1]), ("no", "yes"))
    ax = draw(tessellate(xor()), "class", points=points).axes[0]
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts[-2:] == ["no", "yes"]


def test_refusals(tmp_path):
    t = tessellate(xor())
    with pytest.raises(InputError, match="'colour'"):
        draw(t, "colour")
    with pytest.raises(InputError, match="2 coordinates but received 1"):
        draw(t, points=Points(np.zeros((1, 1)), None, ()))
    with pytest.raises(FileError, match=r"\.png"):
        save(draw(t), tmp_path / "picture.jpg")


def test_demo():
    network = polyrelu.load(DATA / "iris_petals.npz")
    points = read_points(DATA / "iris_petals_points.npz")
    t = tessellate(network, demo_domain())
    above, below = draw_demo(t, points).axes
    assert len(above.collections[0].get_paths()) == t.n_regions
    drawn = [c for c in below.collections if c.get_label() in ("setosa", "versicolor", "virginica")]
    assert sum(len(c.get_offsets()) for c in drawn) == 150
    assert [text.get_text() for text in below.get_legend().get_texts()] == ["setosa", "versicolor", "virginica"]


def test_importing_the_functions_does_not_load_matplotlib():
    script = "import sys, polyrelu.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
