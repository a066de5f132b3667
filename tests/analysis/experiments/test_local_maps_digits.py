"""The experiment on local maps of images, on few of them."""

import json

import numpy as np
import pytest

from polyrelu.analysis.experiments.image_data import digits_data
from polyrelu.analysis.experiments.local_maps_digits import N_CLUSTERS, residual_classifier, run
from polyrelu.analysis.experiments.threads import one_thread
from polyrelu.network.torch_reader import from_torch

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def result():
    said = []
    found = run(digits_data().first(150, 80), epochs=2, seed=1, progress=said.append)
    assert said[0] == "training dense"
    assert said[-1] == "maps between networks"
    return found


def test_tables_have_the_same_originals(result):
    assert (result.n_train, result.n_test, result.names) == (150, 80, ("dense", "conv", "residual"))
    assert [table.original for table in result.clusters] == np.diag(result.mapping.right).tolist()
    assert all(table.n_clusters == N_CLUSTERS and table.n_points == 80 for table in result.clusters)
    # 1000 clusters of 150 maps are the maps themselves; a dense network's mean map is a linear classifier.
    assert result.clusters[0].right[3] > 20
    assert (np.diag(result.mapping.residuals) == 0).all()
    assert (result.mapping.residuals < 1).all()
    assert all(1 < n <= 150 for n in result.n_patterns)


def test_pictures_have_their_gradients(result):
    assert result.gradients.shape == (3, 10, 64)
    assert result.mapped.shape == (5, 3, 64)
    for row, network in ((0, 0), (2, 1)):  # output 0 of the dense and the conv network at the first image
        gradient = result.gradients[network, 0]
        assert np.abs(result.mapped[0, row] - gradient).max() < 2.0**-30 * np.abs(gradient).max()
    from polyrelu.plot.local_maps_digits import draw_local_maps_digits

    figures = draw_local_maps_digits(result)
    assert list(figures) == ["gradients", "mapped", "clusters", "mapping"]
    assert len(figures["gradients"].axes) == 3 * 11
    assert len(figures["mapped"].axes) == 4 * 5
    lines = figures["clusters"].axes[0].get_lines()
    assert lines[0].get_ydata()[-1] == 100 * result.clusters[0].original / 80
    texts = [text.get_text() for text in figures["mapping"].axes[0].texts]
    assert texts[0] == f"{100 * result.mapping.right[0, 0] / 80:.1f} %\npaper 96.0 %"


def test_text_and_json_have_both_tables(result):
    text = result.to_text()
    assert "Table 1" in text
    assert f"{'1000':<12}" + f"{100 * result.clusters[0].right[3] / 80:>10.2f}   95.08" in text
    facts = json.loads(json.dumps(result.to_json()))
    assert facts["right_mapped"] == result.mapping.right.tolist()
    assert facts["right_clustered"][2] == list(result.clusters[2].right)


def test_the_residual_classifier_can_be_imported():
    data = digits_data().first(20, 20)
    module = residual_classifier(data, seed=3).eval()
    network = from_torch(module, (64,))
    with torch.no_grad():
        values = module.double()(torch.from_numpy(data.test_images)).numpy()
    assert np.abs(network(data.test_images) - values).max() < 2.0**-30 * np.abs(values).max()
    again = residual_classifier(data, seed=3)
    assert all(torch.equal(a, b.double()) for a, b in zip(module.parameters(), again.parameters(), strict=True))


def test_one_thread_is_undone():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), one_thread():
        assert torch.get_num_threads() == 1
        _ = 1 / 0
    assert torch.get_num_threads() == before
