"""The experiment with pattern graphs: its numbers are those of its parts, its table and figures show them."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from polyrelu.analysis.experiments.apd_digits import ARCHITECTURES, ApdDigits, run
from polyrelu.analysis.experiments.image_data import image_data
from polyrelu.plot.apd_digits import draw_apd_digits


@pytest.fixture(scope="module")
def result() -> ApdDigits:
    return run(image_data("digits").first(400, 100), epochs=6, seed=1)


def test_numbers(result):
    facts = result.to_json()
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["images"], facts["epochs"], facts["seed"]) == (500, 6, 1)
    assert [each["name"] for each in facts["networks"]] == list(ARCHITECTURES)
    for each, network in zip(facts["networks"], result.networks, strict=True):
        assert each["widths"] == list(network.dag.patterns.widths)
        assert sum(each["cluster_sizes"]) == 500 and len(each["cluster_sizes"]) == each["clusters"]
        assert (each["largest"], each["mean_size"]) == (each["cluster_sizes"][0], 500 / each["clusters"])
        assert each["wrong"] == (network.dag.labels != network.forgetting.labels).sum()
        alone = sum(size == 1 for size in each["cluster_sizes"])
        by_parts = each["alone_if_wrong"] * each["wrong"] + each["alone_if_right"] * (500 - each["wrong"])
        assert round(by_parts) == alone
        tests = network.is_right[400:]
        assert each["accuracy"] == pytest.approx(tests.mean(), abs=0.011)  # float32 against exact: one image at most
        assert network.forgetting.predictions.shape == (7, 500)
        # What the module predicts in float32 after the last epoch is what the exact network predicts.
        assert (network.forgetting.predictions[-1] == network.dag.labels).mean() > 0.99
        assert sum(each["forgetting_by_size"]["images"]) == 500


def test_the_same_seed_gives_the_same_numbers(result):
    again = run(image_data("digits").first(400, 100), epochs=6, seed=1)
    assert again.to_json() == result.to_json()


def test_table(result):
    lines = result.to_text().splitlines()
    assert lines[0] == "500 images of digits, 6 epochs, seed 1"
    assert [line.split()[0] for line in lines[2:5]] == list(ARCHITECTURES)
    assert "98.3 %" in lines[2] and "95.8 %" in lines[3] and "97.2 %" in lines[4]
    assert lines[5].startswith("32full: 90 % of forgetting events in the ")


def test_figures(result):
    figures = draw_apd_digits(result)
    graphs = [f"graph of {name}" for name in ARCHITECTURES]
    assert list(figures) == ["cluster sizes", "cumulative", "right and wrong", *graphs]
    assert [len(figure.axes) for figure in figures.values()] == [2, 3, 1, 1, 1, 1]


def test_progress():
    heard: list[str] = []
    data = image_data("digits").first(50, 20)
    found = run(data, epochs=1, progress=heard.append)
    assert heard == [f"{what} {name}" for name in ARCHITECTURES for what in ("training", "patterns of")]
    assert np.isfinite(found.to_json()["networks"][0]["mean_size"])
