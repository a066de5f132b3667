"""Pictures of cluster sizes: what is drawn is what was counted."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from polyrelu.errors import InputError
from polyrelu.plot.cluster_sizes import (
    plot_cluster_sizes,
    plot_means_by_size,
    plot_right_and_wrong,
    plot_sums_up_to_size,
)

SIZES = np.array([1, 2, 2, 3, 3, 3, 40, *[40] * 39])
EVENTS = np.array([7, 3, 1, 1, 0, 0, 2, *[0] * 39])


@pytest.fixture
def ax():
    return Figure().add_subplot()


def test_boxes(ax):
    assert plot_cluster_sizes({"a": np.array([1, 1, 2, 9]), "b": np.array([5]), "none": np.array([], int)}, ax) is ax
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert (names, ax.get_yscale()) == (["a", "b", "none"], "log")
    means = sorted(line.get_ydata()[0] for line in ax.lines if line.get_marker() == "D")
    assert means == [3.25, 5.0]


def test_means(ax):
    plot_means_by_size({"a": SIZES}, {"a": EVENTS}, ax)
    [line] = ax.lines
    assert line.get_ydata().tolist() == [7.0, 1.0, 0.05]
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["1", "2–3", "4–7", "8–15", "16–31", "32–63"]
    ticks = ax.get_xticks().tolist()
    assert line.get_xdata().tolist() == [ticks[0], ticks[1], ticks[5]]


def test_sums(ax):
    plot_sums_up_to_size(SIZES, {"events": EVENTS, "errors": np.zeros(46, int)}, ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["points (46)", "events (14)"]  # nothing to draw where there is no error
    steps = [line for line in ax.lines if line.get_drawstyle() == "steps-post"]
    assert steps[0].get_ydata().tolist() == [1 / 46, 3 / 46, 6 / 46, 1.0]
    assert steps[1].get_ydata().tolist() == [7 / 14, 11 / 14, 12 / 14, 1.0]
    marks = [line.get_xdata()[0] for line in ax.lines if line not in steps]
    assert marks == [40, 40]


def test_right_and_wrong(ax):
    plot_right_and_wrong({"a": SIZES, "b": SIZES}, {"a": EVENTS == 0, "b": np.ones(46, bool)}, ax)
    assert [text.get_text() for text in ax.texts] == ["n = 41", "n = 46", "n = 5", "n = 0"]
    means = [line.get_ydata()[0] for line in ax.lines if line.get_marker() == "D"]
    assert means == [SIZES[EVENTS == 0].mean(), SIZES.mean(), SIZES[EVENTS > 0].mean()]


def test_no_points(ax):
    none = SIZES[:0]
    with pytest.raises(InputError, match="plot_means_by_size needs points"):
        plot_means_by_size({"a": SIZES, "b": none}, {"a": EVENTS, "b": none}, ax)
    with pytest.raises(InputError, match="plot_sums_up_to_size needs points"):
        plot_sums_up_to_size(none, {"errors": none}, ax)
