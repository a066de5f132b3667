"""Trained models of others: `from_onnx` against onnxruntime on 100 inputs each."""

from pathlib import Path

import numpy as np
import pytest
from onnx_builder import run

from polyrelu.network.onnx_reader import from_onnx

MODELS = Path(__file__).resolve().parents[2].parent / "shared" / "models"
NEURONS = {
    "ACASXU_run2a_1_1_batch_2000": 300,
    "ACASXU_run2a_2_3_batch_2000": 300,
    "Convnet_avgpool": 32 * 27 * 27,
    "Convnet_maxpool": 32 * 27 * 27 + 32 * 6 * 6,
    "mnist-net_256x2": 512,
    "resnet_2b": 2048 + 1024 + 1024 + 1024 + 1024 + 100,
    "test_nano": 1,
    "test_tiny": 1,
}


@pytest.mark.skipif(not MODELS.is_dir(), reason="the trained models in ../shared/models are not here")
@pytest.mark.parametrize("name", NEURONS)
def test_trained_model_agrees_with_onnxruntime(name):
    path = MODELS / f"{name}.onnx"
    network = from_onnx(path)
    assert network.n_neurons == NEURONS[name]
    points = np.random.default_rng(0).uniform(-1, 1, (100, network.dim)).astype(np.float32)
    expected = run(str(path), points)
    values = network(points)
    assert np.abs(values - expected).max() <= 1e-4 * np.abs(expected).max()
    exact = np.array([float(v) for v in network.exact(points[0].tolist())])
    assert np.abs(exact - values[0]).max() <= 1e-10 * max(1, np.abs(exact).max())


@pytest.mark.skipif(not MODELS.is_dir(), reason="the trained models in ../shared/models are not here")
def test_every_trained_model_is_tested():
    assert {path.stem for path in MODELS.glob("*.onnx")} == set(NEURONS)
