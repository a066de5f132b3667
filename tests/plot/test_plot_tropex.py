"""Pictures of extracted functions: what is drawn is what was counted."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from polyrelu.analysis.tropex.coefficients import CoefficientComparison
from polyrelu.analysis.tropex.process import MergeStep
from polyrelu.errors import InputError
from polyrelu.plot.tropex import plot_angles, plot_merge_steps

FIRST = [MergeStep(0, "", 1.0, 0.5), MergeStep(1, "dense", 0.75, 0.5), MergeStep(2, "max", 0.5, 0.25)]
SECOND = [MergeStep(0, "", 1.0, 1.0), MergeStep(1, "dense", 1.0, 1.0), MergeStep(2, "max", 1.0, 0.75)]


@pytest.fixture
def ax():
    return Figure().add_subplot()


def test_one_network_is_two_lines(ax):
    assert plot_merge_steps([FIRST], ax) is ax
    agreement, accuracy = ax.get_lines()
    assert agreement.get_ydata().tolist() == [100, 75, 50] and accuracy.get_ydata().tolist() == [50, 50, 25]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["none", "dense", "max"]


def test_several_networks_are_a_mean_and_a_band(ax):
    plot_merge_steps([FIRST, SECOND], ax, names=["D", "M"])
    assert ax.get_lines()[1].get_ydata().tolist() == [75, 75, 50]
    band = ax.collections[1].get_paths()[0].vertices
    assert band[:, 1].min() == 25 and band[:, 1].max() == 100
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["none", "D", "M"]


def test_without_labels_there_is_no_accuracy(ax):
    plot_merge_steps([[MergeStep(0, "", 1.0, None), MergeStep(1, "dense", 1.0, None)]], ax)
    assert len(ax.get_lines()) == 1 and ax.get_ylim()[0] < 95


def test_axes_that_share_a_scale_show_all_of_it():
    left, right = Figure().subplots(1, 2, sharey=True)
    plot_merge_steps([SECOND], left)
    plot_merge_steps([FIRST], right)
    assert left.get_ylim() == right.get_ylim() and left.get_ylim()[0] < 25


@pytest.mark.parametrize(("runs", "names"), [([], None), ([FIRST, FIRST[:2]], None), ([FIRST], ["D"])])
def test_networks_of_other_shapes_are_refused(runs, names, ax):
    with pytest.raises(InputError, match="plot_merge_steps needs runs, and names if any, of one number of layers"):
        plot_merge_steps(runs, ax, names)


def comparison():
    labels, others, terms = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]), np.zeros(4, np.int64)
    angles, distances = np.array([0.0, 30, 120, np.nan]), np.array([0.0, 2, 5, 1])
    return CoefficientComparison(labels, others, terms, terms, angles, distances)


def test_angles_are_dots_of_two_colours(ax):
    plot_angles(comparison(), ax=ax)
    same, other = ax.collections
    assert same.get_offsets().tolist() == [[0, 0], [30, 2]] and other.get_offsets().tolist() == [[120, 5]]
    assert to_hex(same.get_facecolor()[0]) != to_hex(other.get_facecolor()[0])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["same label (2)", "another label (1)"]
    assert ax.get_xlim()[1] > 120 and ax.get_ylim()[1] > 5


def test_angles_by_what_is_right(ax):
    plot_angles(comparison(), [False, False, True, True], ax)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["extracted function right (1)", "wrong (2)"]
    for wrong in ([True], [0, 1, 1, 0]):
        with pytest.raises(InputError, match="plot_angles needs 4 times True or False"):
            plot_angles(comparison(), wrong, ax)
