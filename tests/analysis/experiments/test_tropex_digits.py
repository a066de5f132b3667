"""The experiment with extracted functions, on few images and one epoch."""

import json

import numpy as np
import pytest

from polyrelu.analysis.experiments.image_data import digits_data
from polyrelu.analysis.experiments.tropex_digits import N_RUNS, run
from polyrelu.plot.figure import save
from polyrelu.plot.tropex_digits import draw_tropex_digits


@pytest.fixture(scope="module")
def result():
    return run(digits_data().first(90, 40), seed=3, epochs=3)


def test_the_parts_agree_with_each_other(result):
    assert (result.n_train, result.n_test, result.n_runs, result.epochs) == (90, 40, N_RUNS, (1, 2, 3))
    dense, conv = result.architectures
    assert (dense.name, dense.letters, conv.name, conv.letters) == ("FCN", tuple("DDDDD"), "CNN", tuple("DDMCMC"))
    for each in result.architectures:
        agreement, accuracy, extracted = each.final()
        for steps, share, right, own in zip(each.steps, agreement, accuracy, extracted, strict=True):
            assert (steps[0].agreement, steps[0].accuracy) == (1.0, right)
            assert (steps[-1].agreement, steps[-1].accuracy) == (share, own)
        assert each.is_right.mean() == extracted[0]
        assert (each.comparison.labels == each.comparison.extracted_labels).mean() == agreement[0]
        for overlap in each.overlaps:
            assert max(overlap.n_test_in_train_regions, overlap.n_test_with_train_maps) <= 40
            assert overlap.n_train_regions <= 90
        assert each.layer_agreement.min() > 0 and each.layer_agreement.max() <= 1
        assert np.abs(each.correlations).max() <= 1 and each.correlations.shape == (N_RUNS * (N_RUNS - 1) // 2, 3)
        assert 0 <= each.retrained_angle <= 180


def test_the_table_has_both_numbers(result):
    text = result.to_text()
    first = 100 * result.architectures[0].final()[0].mean()
    line = next(line for line in text.splitlines() if line.startswith("FCN "))
    assert f"{first:.1f} ±" in line and "97.7 ± 0.2" in line and "97.6 ± 0.2" in line
    assert "CNN (992 neurons)" in text and "Seconds:" in text
    facts = json.loads(json.dumps(result.to_json()))
    assert [each["name"] for each in facts["architectures"]] == ["FCN", "CNN"]
    assert facts["architectures"][1]["snapshots"][0][-1]["epoch"] == 3


def test_the_same_seed_gives_the_same_numbers(result):
    again = run(digits_data().first(90, 40), seed=3, epochs=3).to_json()
    assert {**again, "seconds": 0} == {**result.to_json(), "seconds": 0}


def test_figures_are_drawn(result, tmp_path):
    figures = draw_tropex_digits(result)
    assert list(figures) == ["layers merged", "training", "angles", "retraining", "coefficients"]
    merged = figures["layers merged"].axes
    assert [ax.get_xticklabels()[-1].get_text() for ax in merged] == ["D", "C"]
    line = merged[0].get_lines()[0].get_ydata()
    steps = result.architectures[0].steps
    assert line[-1] == 100 * np.mean([each[-1].agreement for each in steps])
    dots = sum(len(collection.get_offsets()) for collection in figures["angles"].axes[0].collections)
    assert dots == 40 - np.isnan(result.architectures[0].comparison.angles).sum()
    for name, figure in figures.items():
        save(figure, tmp_path / f"{name}.png")


def test_one_image_will_do(tmp_path):
    tiny = run(digits_data().first(1, 1), epochs=1)
    assert "correlation of coefficients - after 1" in tiny.to_text()
    facts = tiny.to_json()["architectures"][0]
    assert facts["correlations"] == [[None]] * 10 and json.dumps(tiny.to_json(), allow_nan=False)
    figures = draw_tropex_digits(tiny)
    for name, figure in figures.items():
        save(figure, tmp_path / f"{name}.png")
    # Nothing is drawn outside of what percentages there are, and ticks have their places where nothing is drawn.
    for ax in (*figures["training"].axes, *figures["layers merged"].axes):
        assert all(np.nanmax(band.get_paths()[0].vertices[:, 1]) <= 100 for band in ax.collections)
    low, high = figures["retraining"].axes[0].get_xlim()
    assert low < 1 < high
