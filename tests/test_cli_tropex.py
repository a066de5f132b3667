"""The command `polyrelu tropex`, against what the library says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from polyrelu import cli, load, load_terms
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.analysis.tropex.overlap import region_overlap
from polyrelu.analysis.tropex.process import transformation_process

MODEL, DATA = (f"polyrelu/data/iris_petals{name}.npz" for name in ("", "_points"))
RANDOM = np.random.default_rng(4)


@pytest.fixture
def run(capsys):
    """Return a function that runs `polyrelu tropex` in this process and returns its exit code, output and errors."""

    def run(*argv: object) -> tuple[int, str, str]:
        code = cli.main(["tropex", *map(str, argv)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def halves(tmp_path):
    """Return two files that share the flowers, with labels."""
    with np.load(DATA) as arrays:
        points, labels = arrays["X"], arrays["y"]
    order = RANDOM.permutation(len(points))
    paths = []
    for name, chosen in (("train", order[:60]), ("test", order[60:])):
        paths.append(tmp_path / f"{name}.npz")
        np.savez(paths[-1], points=points[chosen], labels=labels[chosen])
    return paths


def test_the_report_is_what_the_library_says(run, halves, tmp_path):
    train, test = halves
    code, out, err = run(MODEL, train, "--test", test, "--layers", "--exact", "--out", tmp_path / "terms.npz", "--json")
    assert (code, err) == (0, "")
    facts, network = json.loads(out), load(MODEL)
    (x, _), (y, true) = ((arrays["points"], arrays["labels"]) for arrays in map(np.load, halves))
    found = extract_terms(network, x)
    assert facts["network"] == network.hash and facts["points"] == 60
    assert facts["terms_per_label"] == found.terms_per_label.tolist()
    assert facts["data"]["n_same"] == 60 and facts["theorem"]["holds"] is True
    labels = found.labels_of(y)
    assert facts["test"]["n_extracted_right"] == (labels == true).sum()
    assert facts["test"]["n_same"] == (labels == network(y).argmax(axis=1)).sum()
    overlap = region_overlap(network, x, y)
    assert facts["overlap"]["n_test_in_train_regions"] == overlap.n_test_in_train_regions
    steps = transformation_process(network, x, y, true)
    assert [step["agreement"] for step in facts["steps"]] == [step.agreement for step in steps]
    saved = load_terms(tmp_path / "terms.npz")
    assert saved.plus_slopes.tolist() == found.plus_slopes.tolist()


def test_the_text_has_a_line_for_each_part(run, halves):
    train, test = halves
    code, out, _ = run(MODEL, train, "--test", test, "--layers", "--exact")
    names = [line[:12].strip() for line in out.splitlines()]
    assert code == 0
    assert names == ["network", "terms", "regions", "rounding", "data", "data", "test", "test", "overlap",
                     "layers", "layers", "layers", "layers", "theorem"]  # fmt: skip
    code, out, _ = run(MODEL, train)
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == names[:6]


def test_images_are_divided_and_labels_without_data_are_named(run, tmp_path):
    np.save(tmp_path / "points.npy", np.array([[255 * 1.4, 255 * 0.2], [255 * 1.3, 255 * 0.2]]))
    code, out, _ = run(MODEL, tmp_path / "points.npy", "--divide", 255)
    assert code == 0 and "2 with a plus (2 for 0; none for 1, 2)" in out
    assert "right:" not in out


def test_bad_input_is_refused_before_any_work(run, halves, tmp_path):
    train, test = halves
    target = tmp_path / "old.npz"
    target.write_bytes(b"")
    for argv, message in (
        ((MODEL, train, "--layers"), "--layers needs --test"),
        ((MODEL, train, "--out", "terms.txt"), "--out needs a name in .npz"),
        ((MODEL, train, "--out", train), "holds data"),
        ((MODEL, train, "--test", test, "--out", test, "--force"), "holds data"),
        ((MODEL, train, "--out", MODEL, "--force"), "is the network"),
        ((MODEL, train, "--out", target), "overwrite it with --force"),
        ((MODEL, tmp_path / "none.npz"), "could not be read"),
        ((MODEL, train, "--test", tmp_path / "none.npy"), "could not be read"),
        ((MODEL, train, "--device", "abacus"), "needs a device that PyTorch has here"),
    ):
        code, out, err = run(*argv)
        assert (code, out) == (2, "") and message in err, argv
    assert target.read_bytes() == b""
    assert run(MODEL, train, "--out", target, "--force")[0] == 0 and len(load_terms(target)) == 60


def test_a_proof_that_takes_too_long_ends_with_what_there_is(run):
    code, out, err = run(MODEL, DATA, "--exact", "--max-seconds", "1e-9")
    assert code == 3 and "terms " in out and "theorem" not in out and "0 regions proved" in err
    code, out, _ = run(MODEL, DATA, "--exact", "--max-seconds", "1e-9", "--json")
    assert code == 3 and json.loads(out)["theorem"]["holds"] is None
    code, out, err = run(MODEL, DATA, "--max-seconds", "5")
    assert (code, out) == (2, "") and "--exact" in err


def test_a_proof_is_written_and_checked_by_another_command(run, tmp_path, capsys):
    proof = tmp_path / "proof.json"
    code, _, err = run(MODEL, DATA, "--exact", "--certificate", proof)
    assert (code, err) == (0, "")
    assert cli.main(["check", str(proof), MODEL]) == 0
    assert capsys.readouterr().out.startswith("accepted: on the regions of 24 points")
    assert cli.main(["check", str(proof), MODEL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_regions"] == 24
    proof.write_text(proof.read_text().replace('"labels": [0', '"labels": [1'))
    assert cli.main(["check", str(proof), MODEL]) == 1
    assert "the network's label for point 0" in capsys.readouterr().err
    code, _, err = run(MODEL, DATA, "--exact", "--certificate", proof)
    assert code == 2 and "--force" in err
    code, _, err = run(MODEL, DATA, "--certificate", tmp_path / "new.json")
    assert code == 2 and "--exact" in err
    code, _, err = run(MODEL, DATA, "--exact", "--certificate", tmp_path / "new.npz")
    assert code == 2 and ".json" in err
