"""Pictures of patterns: what is drawn where, and what is refused."""

import numpy as np
import pytest

from polyrelu.analysis.data.embedding import Embedding
from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.analysis.data.region_counter import RegionCounts
from polyrelu.errors import InputError
from polyrelu.network.pattern import PatternLayout
from polyrelu.plot.colours import class_colours
from polyrelu.plot.figure import new_figure, save
from polyrelu.plot.patterns import (
    draw_embeddings,
    draw_patterns,
    plot_embedding,
    plot_pattern_rows,
    plot_region_counts,
)

DIGITS = np.array([[0, 1, 2], [1, 1, 0], [0, 0, 1], [0, 1, 2]])
LAYOUT = PatternLayout.for_pieces(np.array([2, 2, 3]), np.array([0, 0, 1]))
PATTERNS = DataPatterns(LAYOUT, (2, 1), LAYOUT.pack(DIGITS), 0)


def embedding_of(positions, points=None):
    positions = np.array(positions, float)
    return Embedding(np.arange(len(positions)) if points is None else np.array(points), positions, None, "mine", 1)


def axes():
    return new_figure(3, 3).add_subplot()


def test_an_embedding_has_a_mark_in_the_colour_of_its_label_for_each_point():
    positions = [[0, 0], [1, 0], [0, 2], [1, 1]]
    marks = plot_embedding(embedding_of(positions, [4, 3, 1, 0]), [2, 0, 9, 1, 1], axes()).collections[0]
    shown = marks.get_offsets(), marks.get_facecolors()
    assert len(shown[0]) == 4
    drawn = {tuple(place): tuple(colour[:3]) for place, colour in zip(*shown, strict=True)}
    colours = class_colours(4)  # 0, 1, 2 and 9
    assert drawn == {tuple(p): tuple(colours[label]) for p, label in zip(positions, [1, 1, 0, 2], strict=True)}


def test_points_with_one_pattern_are_drawn_side_by_side():
    many = embedding_of([[0.0, 0.0]] * 50 + [[1.0, 0.0]])
    offsets = plot_embedding(many, ax=axes()).collections[0].get_offsets()
    assert len(np.unique(offsets, axis=0)) == 51
    near = np.linalg.norm(offsets, axis=1) < 0.1
    assert near.sum() == 50
    same = plot_embedding(embedding_of([[2.0, 2.0]] * 3), ax=axes()).collections[0].get_offsets()
    assert len(np.unique(same, axis=0)) == 3


def test_rows_of_patterns_are_sorted_by_label_and_dark_where_active():
    ax = plot_pattern_rows(PATTERNS, [1, 0, 1, 0], axes())
    strip, picture = (image.get_array() for image in ax.images)
    assert (picture == 1 - 0.75 * DIGITS[[1, 3, 0, 2]] / [1, 1, 2]).all()
    assert (strip[:, 0] == class_colours(2)[[0, 0, 1, 1]]).all()
    assert [text.get_text() for text in ax.texts] == ["0", "1"]
    assert (plot_pattern_rows(PATTERNS, None, axes(), 1).images[0].get_array() == 1 - 0.75 * DIGITS[:, 2:] / 2).all()


def test_curves_are_the_counts():
    rows = [RegionCounts(0, 5, (5,), 2, 0.5, 0), RegionCounts(3, 9, (9,), 8, 0.9, 0)]
    for right, expected in ((False, [5, 9]), (True, [2, 8])):
        ax = plot_region_counts({"mine": rows}, axes(), right)
        [line] = ax.get_lines()
        assert all(epoch == round(epoch) for epoch in ax.get_xticks())
        assert (list(line.get_xdata()), list(line.get_ydata()), line.get_label()) == ([0, 3], expected, "mine")
    with pytest.raises(InputError, match="counts with labels"):
        plot_region_counts({"mine": [RegionCounts(0, 5, (5,), None, None, 0)]}, axes(), right=True)


def test_whole_pictures_can_be_saved(tmp_path):
    row = [embedding_of([[0, 0], [1, 1]]), embedding_of([[0, 0], [0, 0]])]
    figure = draw_embeddings([row, row], ["before", "after"], ["one", "two"], [0, 1], [["a", "b"]] * 2, "title")
    save(figure, tmp_path / "grid.png")
    texts = {ax.get_title() for ax in figure.axes} | {ax.get_ylabel() for ax in figure.axes}
    assert texts == {"one", "two", "", "before", "after"} and figure.axes[3].get_xlabel() == "b"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["0", "1"]
    save(draw_patterns(PATTERNS, [0, 0, 1, 1]), tmp_path / "rows.png")
    assert draw_patterns(PATTERNS, layer=0).axes[0].get_title(loc="left") == "3 patterns of 4 points"


@pytest.mark.parametrize(
    ("labels", "message"), [([0.5, 1], "whole numbers"), (range(41), "at most 40 different"), (0, "one a point")]
)
def test_refuses_labels(labels, message):
    with pytest.raises(InputError, match=message):
        plot_embedding(embedding_of([[0, 0], [1, 1]]), labels, axes())


def test_refuses_empty_patterns():
    with pytest.raises(InputError, match="points and neurons"):
        plot_pattern_rows(DataPatterns(LAYOUT, (2, 1), PATTERNS.words[:0], 0), ax=axes())


def test_refuses_labels_that_do_not_fit_the_points():
    with pytest.raises(InputError, match="received 1, and point 1 is embedded"):
        plot_embedding(embedding_of([[0, 0], [1, 1]]), [0], axes())
    with pytest.raises(InputError, match="a label for each of 4 points but received 2"):
        plot_pattern_rows(PATTERNS, [0, 1], axes())


def test_refuses_to_draw_nothing():
    for rows in ([], [[]]):
        with pytest.raises(InputError, match="one embedding at least"):
            draw_embeddings(rows, [], [])
    with pytest.raises(InputError, match="a curve at least"):
        plot_region_counts({}, axes())


def test_neurons_are_whole_numbers_in_the_middle_of_their_columns():
    ax = plot_pattern_rows(PATTERNS, ax=axes())
    assert ax.get_xlim() == (-0.5, 2.5) and [line.get_xdata()[0] for line in ax.lines] == [1.5]
    assert all(tick == round(tick) for tick in ax.get_xticks())
