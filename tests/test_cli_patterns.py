"""The command `polyrelu patterns`, against what the library says."""

from __future__ import annotations

import csv
import json
from contextlib import suppress

import numpy as np
import pytest

from polyrelu import cli
from polyrelu.analysis.data import embedding
from polyrelu.analysis.data.pattern_files import load_patterns, save_patterns
from polyrelu.analysis.data.patterns import DataPatterns, labels_at, patterns_at
from polyrelu.errors import FileError, InputError
from polyrelu.network.load import load
from polyrelu.network.pattern import PatternLayout
from polyrelu.testing import xor

FLOWERS = ("polyrelu/data/iris_petals.npz", "polyrelu/data/iris_petals_points.npz")


@pytest.fixture
def run(capsys):
    """Return a function that runs `polyrelu patterns` in this process and returns its exit code and what it prints."""

    def run(*argv: object) -> tuple[int, str, str]:
        code = cli.main(["patterns", *map(str, argv)])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def files(tmp_path):
    """Return a small network and its data: floats on a bent hyperplane, with labels."""
    arrays = {f"W{k}": layer.weight for k, layer in enumerate(xor().layers)}
    arrays |= {f"b{k}": layer.bias for k, layer in enumerate(xor().layers)}
    np.savez(tmp_path / "xor.npz", **arrays)
    points = np.array([[0, 0], [2, 2], [0.1, 0.2], [0.5, 0.5], [1, 1], [0, 0]])
    np.savez(tmp_path / "data.npz", points=points, labels=[0, 0, 1, 1, 0, 0])
    return tmp_path


def test_json_says_what_the_library_says(run, files):
    code, out, err = run(files / "xor.npz", files / "data.npz", "--json")
    found = json.loads(out)
    patterns = patterns_at(xor(), np.load(files / "data.npz")["points"])
    assert (code, err, found["network"]) == (0, "", xor().hash)
    assert (found["points"], found["patterns"], found["decided_exactly"]) == (6, 3, patterns.n_decided_exactly)
    assert (found["points_that_share"], found["largest"]) == (6, 2)
    assert found["layers"] == [{"neurons": 2, "patterns": 3, "largest": 2}]
    predicted = labels_at(xor(), np.load(files / "data.npz")["points"])
    assert found["right"] == int((predicted == [0, 0, 1, 1, 0, 0]).sum()) == round(6 * found["accuracy"])


def test_csv_has_a_line_for_each_point(run, files):
    assert run(files / "xor.npz", files / "data.npz", "--out", files / "p.csv")[0] == 0
    with open(files / "p.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    points = np.load(files / "data.npz")["points"]
    patterns, labels = patterns_at(xor(), points), labels_at(xor(), points)
    assert [row["pattern"] for row in rows] == [str(patterns.pattern(k)) for k in range(6)]
    assert [(row["point"], row["predicted"]) for row in rows] == [(str(k), str(labels[k])) for k in range(6)]
    assert [row["label"] for row in rows] == list("001100")


def test_npz_comes_back_and_a_layer_can_be_chosen(run, tmp_path, request):
    root = request.config.rootpath
    model, data = (root / name for name in FLOWERS)
    assert run(model, data, "--out", tmp_path / "all.npz")[0] == 0
    assert run(model, data, "--out", tmp_path / "one.npz", "--layer", 1)[0] == 0
    expected = patterns_at(load(model), np.load(data)["X"])
    whole, one = load_patterns(tmp_path / "all.npz"), load_patterns(tmp_path / "one.npz")
    assert (whole.words == expected.words).all() and whole.widths == expected.widths
    assert whole.n_decided_exactly == expected.n_decided_exactly
    assert one.widths == (16,) and (one.digits() == expected.digits(1)).all()
    with np.load(tmp_path / "all.npz") as arrays:
        assert (arrays["predicted"] == labels_at(load(model), np.load(data)["X"])).all()
        assert (arrays["label"] == np.load(data)["y"]).all()


def test_files_keep_digits_of_any_size_and_that_nothing_is_proven(tmp_path):
    layout = PatternLayout.for_pieces(np.array([2, 300, 5]), np.array([0, 0, 1]))
    patterns = DataPatterns(layout, (2, 1), layout.pack(np.array([[1, 299, 4], [0, 7, 0]])), None)
    save_patterns(patterns, tmp_path / "p.npz", {"label": [3, 4]})
    again = load_patterns(tmp_path / "p.npz")
    assert again.n_decided_exactly is None and (again.digits() == patterns.digits()).all()
    none = patterns_at(load_flat(), [[1.0], [2.0]])
    save_patterns(none, tmp_path / "none.npz")
    assert load_patterns(tmp_path / "none.npz").widths == () and len(load_patterns(tmp_path / "none.npz")) == 2


def load_flat():
    from polyrelu import Network

    return Network.from_arrays([([[2]], [0])])


def test_a_picture_is_drawn(run, files, monkeypatch):
    monkeypatch.setattr(embedding, "find_spec", lambda name: None)
    code, out, err = run(files / "xor.npz", files / "data.npz", "--embed", files / "e.png", "--max-points", 4)
    assert (code, err) == (0, "") and out.startswith("network     2 inputs")
    assert (files / "e.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layer", "1"], "--layer needs a number below 1"),
        (["--layer", "-1"], "--layer"),
        (["--out", "p.txt"], ".npz or .csv"),
        (["--embed", "e.gif"], ".png"),
        (["--out", "data.npz", "--force"], "holds the data"),
        (["--out", "xor.npz", "--force"], "is the network"),
        (["--out", "old.csv"], "--force"),
        (["--device", "abacus"], "device"),
    ],
)
def test_refuses(run, files, monkeypatch, arguments, message):
    monkeypatch.chdir(files)
    (files / "old.csv").write_text("old")
    before = (files / "data.npz").read_bytes(), (files / "xor.npz").read_bytes()
    code, out, err = run("xor.npz", "data.npz", *arguments)
    assert (code, out) == (2, "") and message in err and len(err.splitlines()) == 1
    assert ((files / "data.npz").read_bytes(), (files / "xor.npz").read_bytes()) == before


def test_damaged_files_are_refused(tmp_path):
    layout = PatternLayout.for_pieces(np.array([2, 3]), np.array([0, 1]))
    good = {"words": layout.pack(np.array([[1, 2]])), "widths": np.array([1, 1]), "n_pieces": np.array([2, 3])}
    good["decided_exactly"] = np.array(0)
    path = tmp_path / "p.npz"
    np.savez(path, **good)
    assert load_patterns(path).digits().tolist() == [[1, 2]]
    changes = [
        {"widths": np.array([1, 2])}, {"widths": np.array([1.0, 1.0])}, {"n_pieces": np.array([2, 1])},
        {"words": good["words"].astype(np.int64)}, {"words": good["words"][0]},
        {"words": np.array([[3 << 8]], np.uint64)}, {"words": np.zeros((1, 2), np.uint64)},
        {"decided_exactly": np.array([0])}, {"decided_exactly": np.array(-2)}, {"decided_exactly": np.array(2)},
        {"words": good["words"] | np.uint64(1 << 40)},
    ]  # fmt: skip
    for change in changes:
        np.savez(path, **{**good, **change})
        with pytest.raises(FileError, match=r"p\.npz"):
            load_patterns(path)
    np.savez(path, words=good["words"])
    with pytest.raises(FileError, match="save_patterns wrote"):
        load_patterns(path)
    np.savez(path, **good)
    whole = path.read_bytes()
    for place in range(0, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(FileError):
            assert load_patterns(path).digits().tolist() == [[1, 2]]
    path.write_bytes(b"PK\x03\x04 no")
    with pytest.raises(FileError, match="save_patterns wrote"):
        load_patterns(path)
    with pytest.raises(InputError, match="a number for each of 2 points"):
        save_patterns(patterns_at(xor(), [[0, 0], [1, 1]]), path, {"label": [1]})
    with pytest.raises(InputError, match="name of its own"):
        save_patterns(patterns_at(xor(), [[0, 0]]), path, {"words": [1]})
