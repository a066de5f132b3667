"""The command `polyrelu maps`: what it prints, its files and pictures, and what it says to bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import polyrelu
from polyrelu import cli

FOLDER = Path(polyrelu.__file__).parent / "data"
MODELS = Path(__file__).resolve().parents[2] / "shared" / "models"
MODEL, DATA = FOLDER / "iris_petals.npz", FOLDER / "iris_petals_points.npz"


@pytest.fixture
def maps(capsys):
    """Return a function that runs `polyrelu maps`: exit code, stdout, stderr."""

    def maps(*options: object, model: object = MODEL, data: object = DATA) -> tuple[int, str, str]:
        code = cli.main(["maps", str(model), str(data), *map(str, options)])
        out, err = capsys.readouterr()
        return code, out, err

    return maps


def flowers() -> np.ndarray:
    with np.load(DATA, allow_pickle=False) as file:
        return file["X"]


def test_text_and_json_say_the_same(maps):
    code, out, err = maps("--output", "all")
    said = {line[:12].strip(): line[12:] for line in out.splitlines()}
    assert (code, err) == (0, "")
    assert list(said) == ["network", "points", "patterns", "maps", "gradients", "check"]
    assert said["points"] == "150; 0 had digits that floats left open"
    assert said["patterns"] == "22 different ones"
    assert said["maps"] == "450, 66 different as floats"
    facts = json.loads(maps("--output", "all", "--json")[1])
    assert (facts["points"], facts["maps"], facts["patterns"], facts["distinct_maps"]) == (150, 450, 22, 66)
    assert facts["network"] == polyrelu.load(MODEL).hash
    assert facts["output"] == "all"
    assert facts["largest_difference"] <= facts["largest_bound"] < 1e-10
    weights = polyrelu.local_maps(polyrelu.load(MODEL), flowers(), None).weights
    assert facts["norms"][2] == np.linalg.norm(weights.reshape(-1, 2), axis=1).max()


@pytest.mark.parametrize(("option", "output"), [("predicted", "predicted"), ("all", None), ("2", 2)])
def test_files_hold_the_maps(maps, tmp_path, option, output):
    assert maps("--output", option, "--out", tmp_path / "maps.npz", "--divide", 2)[0] == 0
    expected = polyrelu.local_maps(polyrelu.load(MODEL), flowers() / 2, output)
    with np.load(tmp_path / "maps.npz", allow_pickle=False) as file:
        assert (file["weights"] == expected.weights).all()
        assert (file["offsets"] == expected.offsets).all()
        assert (file["outputs"] == expected.outputs).all()


def test_files_are_not_overwritten(maps, tmp_path):
    file = tmp_path / "maps.npz"
    file.write_bytes(b"mine")
    code, _, err = maps("--out", file)
    assert (code, file.read_bytes()) == (2, b"mine")
    assert "--force" in err
    assert maps("--out", file, "--force")[0] == 0
    assert file.read_bytes() != b"mine"


def test_data_and_network_are_not_overwritten(maps, tmp_path):
    data, model = tmp_path / "data.npz", tmp_path / "model.npz"
    data.write_bytes(DATA.read_bytes())
    model.write_bytes(MODEL.read_bytes())
    for target in (data, model):
        code, out, err = maps("--out", target, "--force", model=model, data=data)
        assert (code, out) == (2, "")
        assert "needs a file of its own" in err
    assert data.read_bytes() == DATA.read_bytes()


@pytest.mark.skipif(not MODELS.is_dir(), reason="the folder of trained networks is not there")
def test_pictures_of_images(maps, tmp_path):
    model, data = MODELS / "mnist-net_256x2.onnx", MODELS / "mnist_samples.npz"
    for name, options in (("predicted.png", []), ("all.png", ["--output", "all", "--shape", "28x28"])):
        code, out, _ = maps("--images", tmp_path / name, "--divide", 255, *options, model=model, data=data)
        assert code == 0
        assert "patterns    35 different ones" in out
        assert (tmp_path / name).read_bytes()[:4] == b"\x89PNG"


def test_any_shape_that_fits_is_drawn(maps, tmp_path):
    assert maps("--images", tmp_path / "flowers.svg", "--shape", "1x2")[0] == 0
    assert (tmp_path / "flowers.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output", "most"], "needs predicted, all, or the number of an output but received 'most'"),
        (["--output", "3"], "--output needs a number below 3, that of the outputs, but received 3"),
        (["--out", "maps.npy"], "--out needs a name in .npz but received 'maps.npy'"),
        (["--images", "maps.jpg"], "A picture needs a name in .png, .svg, .pdf but received 'maps.jpg'"),
        (["--shape", "1x2"], "--shape needs --images"),
        (["--images", "maps.png"], "--shape needs the sizes of an image of 2 numbers but received none"),
        (["--images", "maps.png", "--shape", "2x2"], "image of 2 numbers but received 2x2"),
        (["--images", "maps.png", "--shape", "0x2"], "needs HEIGHTxWIDTH such as 28x28 but received '0x2'"),
        (["--device", "abacus"], "device that PyTorch has here but received 'abacus'"),
    ],
)
def test_bad_input_is_refused(maps, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = maps(*options)
    assert (code, out) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_no_file(maps, tmp_path, monkeypatch):
    monkeypatch.setattr("polyrelu.analysis.data.map_file.zipfile.ZipFile.open", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        maps("--out", tmp_path / "maps.npz")
    assert list(tmp_path.iterdir()) == []
