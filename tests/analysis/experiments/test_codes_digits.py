"""The experiment on patterns during training, small: its tables, its pictures, and that the seed decides all."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed (extra `torch`)")
pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra `data`)")

from polyrelu.analysis.data import embedding
from polyrelu.analysis.data.pattern_distances import neighbour_accuracy
from polyrelu.analysis.experiments.codes_digits import AUTOENCODER, run
from polyrelu.analysis.experiments.image_data import image_data
from polyrelu.errors import InputError
from polyrelu.plot.codes_digits import draw_codes_digits


@pytest.fixture(scope="module")
def data():
    return image_data("digits").first(120, 40)


@pytest.fixture(autouse=True)
def without_umap(monkeypatch):
    """UMAP compiles for ten seconds."""
    monkeypatch.setattr(embedding, "find_spec", lambda name: None)


def test_a_small_run(data):
    heard = []
    result = run(data, seed=1, epochs=2, progress=heard.append)
    assert len(heard) == 3 + 2 * 3
    for each in result.rates:
        assert [row.epoch for row in each.rows] == [0, 1, 2] and len(each.rows[0].by_layer) == 3
        assert all(row.n_right <= row.n_patterns <= 120 for row in each.rows)
    assert result.rates[0].rows[0] == result.rates[1].rows[0] != result.rates[0].rows[2]
    assert result.autoencoder.widths == AUTOENCODER and result.autoencoder.epochs == (0, 1, 2)
    for story in (result.autoencoder, result.classifier):
        assert story.separation[2, 1] == neighbour_accuracy(story.patterns[2], data.test_labels, 1)
        assert story.n_distinct[0, 0] == story.patterns[0].count_distinct(0)
    text = result.to_text()
    assert f"{result.rates[1].rows[2].n_patterns}" in text and "Figure 2a" in text and "after epoch 2" in text
    report = json.loads(json.dumps(result.to_json()))
    assert report["rates"][0]["regions"] == [row.n_patterns for row in result.rates[0].rows]
    assert json.loads(json.dumps(run(data, seed=1, epochs=2).to_json())) == report
    figures = draw_codes_digits(result)
    assert sorted(figures) == ["autoencoder", "classifier", "patterns", "regions", "separation"]
    assert len(figures["autoencoder"].axes) == 9
    line = figures["regions"].axes[0].get_lines()[1]
    assert list(line.get_ydata()) == [row.n_right for row in result.rates[1].rows]


def test_training_changes_the_weights_by_the_seed_alone(data):
    first, other = (run(data, seed=seed, epochs=1) for seed in (0, 2))
    assert not np.array_equal(first.classifier.patterns[0].words, other.classifier.patterns[0].words)


def test_refuses(data):
    with pytest.raises(InputError, match="an epoch and two test images"):
        run(data, epochs=0)
    with pytest.raises(InputError, match="an epoch and two test images"):
        run(data.first(10, 1))
