"""`polyrelu experiment`, from the outside."""

from __future__ import annotations

import json
from importlib import import_module

import numpy as np
import pytest

from polyrelu import cli
from polyrelu.analysis.experiments.image_data import digits_data
from polyrelu.cli.experiment import EXPERIMENTS


@pytest.fixture
def run(capsys):
    """Return a function that runs the command and returns its exit code, what it prints, and its complaint."""

    def run(*argv: object) -> tuple[int, str, str]:
        code = cli.main(["experiment", *(str(argument) for argument in argv)])
        return (code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """Return a folder with four files in the format of MNIST."""
    folder, data = tmp_path_factory.mktemp("mnist"), digits_data()
    for part, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("t10k", data.test_images, data.test_labels),
    ):
        bytes_of = (images[:120] * 255).astype(np.uint8).reshape(-1, 8, 8)
        write_idx(folder / f"{part}-images-idx3-ubyte", bytes_of)
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels[:120].astype(np.uint8))
    return folder


def write_idx(path, array):
    sizes = b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    path.write_bytes(b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes())


def test_original_files_are_learnt_and_results_saved(run, mnist, tmp_path):
    import torch

    torch.set_num_threads(1)
    options = ["--data", f"mnist:{mnist}", "--train", 60, "--test", 30, "--epochs", 1, "--seed", 3]
    code, out, err = run("local-maps-digits", *options, "--out", tmp_path / "new" / "folder")
    assert (code, err) == (0, "")
    assert "60 images to train, 30 to test" in out
    saved = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert "local-maps-digits.json" in saved and sum(name.endswith(".png") for name in saved) >= 3
    assert all(f"saved {tmp_path / 'new' / 'folder' / name}" in out for name in saved)
    code, _, err = run("local-maps-digits", *options, "--out", tmp_path / "new" / "folder")
    assert code == 2 and "without results of local-maps-digits" in err

    code, out, err = run("local-maps-digits", *options, "--json")
    again = json.loads(out)
    written = json.loads((tmp_path / "new" / "folder" / "local-maps-digits.json").read_text())
    assert {**again, "seconds": 0} == {**written, "seconds": 0}


def test_every_experiment_has_its_functions():
    for each in EXPERIMENTS:
        for place in (each.run, each.draw):
            module, name = place.split(":")
            assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["letters"], "needs one of apd-digits"),
        (["apd-digits", "--data", "letters"], "'digits' or 'mnist:DIR' but received 'letters'"),
        (["apd-digits", "--data", "mnist:/nowhere"], "needs a file 'train-images-idx3-ubyte'"),
        (["apd-digits", "--out", "/dev/null/here"], "needs a folder that it can make"),
        (["apd-digits", "--epochs", "0"], "needs a positive whole number"),
        *(([each.name, "--seed", "-1"], "a seed from 0 to 2^32 - 1 but received -1") for each in EXPERIMENTS),
        (["codes-digits", "--seed", "4294967296"], "a seed from 0 to 2^32 - 1"),
    ],
)
def test_bad_input(run, argv, complaint):
    code, out, err = run(*argv)
    assert (code, out) == (2, "") and complaint in err
