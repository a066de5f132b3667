"""Data points: from files, and in pictures."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from polyrelu.errors import FileError, InputError
from polyrelu.plot.points import Points, plot_points, read_points


def written(folder, text, name="points.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def saved(folder, **arrays):
    np.savez(folder / "points.npz", **arrays)
    return folder / "points.npz"


def test_npz(tmp_path):
    found = read_points(saved(tmp_path, X=[[1, 2], [3, 4]], y=[2, 0]))
    assert found.positions.tolist() == [[1, 2], [3, 4]] and found.classes.tolist() == [2, 0]
    assert found.names == ("points of class 0", "points of class 1", "points of class 2")
    assert read_points(saved(tmp_path, X=[[1.5]])).classes is None


@pytest.mark.parametrize(
    ("text", "positions", "classes", "names"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]], None, ()),
        ("x,y\n1,2\n\n3,4", [[1, 2], [3, 4]], None, ()),
        ("1,2,1\n3,4,0\n", [[1, 2], [3, 4]], [1, 0], ("points of class 0", "points of class 1")),
        ("a,b,kind\n1,2,cat\n3,4,ant\n5,6,cat\n", [[1, 2], [3, 4], [5, 6]], [1, 0, 1], ("ant", "cat")),
        ("1,cat\n2,ant\n", [[1], [2]], [1, 0], ("ant", "cat")),
        ("1\n2\n", [[1], [2]], None, ()),
    ],
)
def test_csv(tmp_path, text, positions, classes, names):
    found = read_points(written(tmp_path, text))
    assert found.positions.tolist() == positions and found.names == names
    assert (None if found.classes is None else found.classes.tolist()) == classes


@pytest.mark.parametrize("text", ["", "x,y\n", "1,2\n3\n", "1,2\nx,3\n", "1,nan\n", "1,2,5000\n", "1,x,3\n"])
def test_bad_csv(tmp_path, text):
    with pytest.raises(FileError, match=r"points\.csv"):
        read_points(written(tmp_path, text))


@pytest.mark.parametrize(
    "arrays",
    [
        {"Y": [[1]]},
        {"X": [1, 2]},
        {"X": [[np.inf]]},
        {"X": [["a"]]},
        {"X": [[1, 2]], "y": [0.5]},
        {"X": [[1, 2]], "y": [0, 1]},
        {"X": [[1, 2]], "y": [-1]},
        {"X": [[1, 2]], "y": [10**6]},
    ],
)
def test_bad_npz(tmp_path, arrays):
    with pytest.raises(FileError, match=r"points\.npz"):
        read_points(saved(tmp_path, **arrays))


@pytest.mark.parametrize("name", ["points.npz", "points.txt", "nowhere.npz", "nowhere.csv"])
def test_bad_files(tmp_path, name):
    if "nowhere" not in name:
        (tmp_path / name).write_bytes(b"PK\x03\x04\xff\x00")
    with pytest.raises(FileError, match=name):
        read_points(tmp_path / name)


def test_plot():
    ax = Figure().add_subplot()
    plot_points(Points(np.array([[0.0, 1], [2, 3], [4, 5]]), np.array([1, 0, 1]), ("ant", "cat")), ax)
    assert [c.get_label() for c in ax.collections] == ["ant", "cat"]
    assert [c.get_offsets().tolist() for c in ax.collections] == [[[2, 3]], [[0, 1], [4, 5]]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ant", "cat"]


def test_plot_on_a_line():
    ax = Figure().add_subplot()
    plot_points(Points(np.array([[0.5], [2]]), None, ()), ax)
    assert ax.collections[0].get_offsets()[:, 0].tolist() == [0.5, 2]


def test_other_dimensions():
    with pytest.raises(InputError, match="1 or 2 coordinates but received 3"):
        plot_points(Points(np.zeros((2, 3)), None, ()), Figure().add_subplot())
