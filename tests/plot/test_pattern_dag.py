"""Pictures of pattern graphs: where bars and ribbons lie, and what is written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyrelu import Network
from polyrelu.analysis.data.pattern_dag import PatternDag, dag_of_patterns, pattern_dag
from polyrelu.analysis.data.patterns import DataPatterns
from polyrelu.errors import InputError
from polyrelu.network.pattern import PatternLayout
from polyrelu.plot.dag_layout import lay_out
from polyrelu.plot.figure import save
from polyrelu.plot.pattern_dag import draw_pattern_dag, plot_pattern_dag


def random_dag(n: int, n_layers: int, width: int, n_labels: int, seed: int = 0) -> PatternDag:
    random = np.random.default_rng(seed)
    layout = PatternLayout.for_pieces(np.full(n_layers * width, 2), np.repeat(np.arange(n_layers), width))
    words = layout.pack(random.integers(0, 2, (n, n_layers * width)))
    return dag_of_patterns(DataPatterns(layout, (width,) * n_layers, words, 0), random.integers(0, n_labels, n))


@settings(max_examples=40)
@given(
    st.integers(1, 60), st.integers(0, 4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.integers(1, 4)
)  # fmt: skip
def test_every_point_is_drawn_once(n, n_layers, width, n_labels, max_nodes, least_count):
    dag = random_dag(n, n_layers, width, n_labels)
    layout = lay_out(dag, max_nodes, least_count)
    assert (len(layout.columns), len(layout.ribbons)) == (n_layers + 1, n_layers)
    for layer, bars in enumerate(layout.columns):
        assert bars.heights.sum() == n
        # From top to bottom, without overlap.
        assert (bars.tops[:-1] - bars.heights[:-1] >= bars.tops[1:]).all()
        if layer == n_layers:
            assert bars.nodes.tolist() == list(range(len(dag.classes)))
            continue
        shown = bars.nodes[bars.nodes >= 0]
        assert len(shown) <= max_nodes
        assert len(dag.layer_nodes(layer)) <= max_nodes or (dag.node_counts[shown] >= least_count).all()
        assert len(dag.layer_nodes(layer)) > max_nodes or len(shown) == len(dag.layer_nodes(layer))
        assert (bars.nodes[:-1] >= 0).all()  # rare ones share the last bar
        assert bars.n_patterns.sum() == len(dag.layer_nodes(layer))
        hidden = set(dag.layer_nodes(layer)) - set(shown.tolist())
        rest = dag.node_counts[sorted(hidden)]
        assert len(shown) == max_nodes or (rest < least_count).all()
        assert not hidden or not len(shown) or rest.max() <= dag.node_counts[shown].min()
        for node, counts in zip(bars.nodes.tolist(), bars.counts, strict=True):
            nodes = [node] if node >= 0 else sorted(hidden)
            assert counts.tolist() == np.asarray(dag.label_counts[nodes].sum(axis=0)).ravel().tolist()


@pytest.mark.parametrize("seed", range(3))
def test_ribbons_fill_the_bars_of_their_label(seed):
    """The ribbons at a bar's side tile the part of the bar that has their label."""
    dag = random_dag(200, 3, 3, 3, seed)
    layout = lay_out(dag, 5, 2)
    for k, ribbons in enumerate(layout.ribbons):
        before, after = layout.columns[k : k + 2]
        for bars, own, upper in ((before, ribbons.starts, ribbons.left), (after, ribbons.ends, ribbons.right)):
            for bar in range(len(bars.nodes)):
                for label in range(len(dag.classes)):
                    here = np.flatnonzero((own == bar) & (ribbons.classes == label))
                    here = here[np.argsort(-upper[here])]
                    ends = np.append(upper[here], bars.class_tops[bar, label] - bars.counts[bar, label])
                    assert np.abs(ends[0] - bars.class_tops[bar, label]) < 2.0**-30
                    assert np.abs(ends[:-1] - ribbons.widths[here] - ends[1:]).max(initial=0) < 2.0**-30


def test_bars_are_sorted_to_cross_little():
    """Patterns that go straight to one label each are in the order of the labels, however they are numbered."""
    network = Network.from_arrays([(np.eye(4), np.zeros(4)), (np.eye(4), np.zeros(4)), (np.eye(4), np.zeros(4))])
    points = np.eye(4)[[3, 1, 0, 2, 2, 0]]
    layout = lay_out(pattern_dag(network, points), 10, 1)
    for bars in layout.columns[:2]:
        assert bars.counts.argmax(axis=1).tolist() == [0, 1, 2, 3]


def texts_of(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_words():
    dag = random_dag(300, 2, 6, 3)
    ax = draw_pattern_dag(dag, max_nodes=5).axes[0]
    titles = [label.get_text() for label in ax.get_xticklabels()]
    counts = [len(dag.layer_nodes(k)) for k in range(2)]
    stable = [int(dag.is_stable[dag.node_layers == k].sum()) for k in range(2)]
    assert titles == [f"layer {k}\n{counts[k]} patterns\n{stable[k]} stable" for k in range(2)] + ["label"]
    assert ax.get_xlabel().startswith("300 points.")
    assert f"{counts[0] - 5} rare patterns" in texts_of(ax)
    assert {"0", "1", "2"} < set(texts_of(ax))
    most = int(dag.node_counts[: counts[0]].argmax())
    assert dag.pattern(most) in texts_of(ax)
    wide = draw_pattern_dag(random_dag(20, 1, 20, 2)).axes[0]
    assert not [text for text in texts_of(wide) if len(text) == 20]


def test_texts_keep_apart():
    """A label of few points is not written over its neighbour; the frequent ones are all there."""
    counts = np.ones(30, int)
    counts[[0, 14, 29]] = 500
    labels = np.repeat(np.arange(30), counts)
    network = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    dag = pattern_dag(network, np.zeros((len(labels), 1)), labels)
    texts = [text for text in draw_pattern_dag(dag).axes[0].texts if text.xy[0] > 1]
    assert {"0", "14", "29"} <= {text.get_text() for text in texts}
    heights = sorted(text.xy[1] for text in texts)
    assert 3 < len(texts) < 30 and np.diff(heights).min() >= 0.03 * len(dag)


def test_a_thousand_patterns_are_drawn(tmp_path):
    dag = random_dag(3000, 4, 10, 10)
    assert dag.n_nodes > 3000
    figure = draw_pattern_dag(dag)
    save(figure, tmp_path / "graph.png")
    n_shown = sum(len(bars.nodes) for bars in lay_out(dag, 24, 2).columns)
    assert n_shown == 4 * 25 + 10


def test_graphs_without_layers_or_points():
    affine = Network.from_arrays([([[1], [2]], [0, 0])])
    plot_pattern_dag(pattern_dag(affine, [[1.0], [-1.0]]))
    with pytest.raises(InputError, match="at least one point"):
        draw_pattern_dag(pattern_dag(affine, np.zeros((0, 1))))
    with pytest.raises(InputError, match="received 0 and 2"):
        draw_pattern_dag(pattern_dag(affine, [[1.0]]), max_nodes=0)
