"""The command `polyrelu verify`: answers, exit codes, files, and what it says to bad input."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cases import FOLDER
from onnx_builder import build, node

import polyrelu
from polyrelu import cli
from polyrelu.errors import EnumerationInterrupted

XOR = FOLDER / "xor_01.npz"
MODELS = Path(__file__).resolve().parents[2] / "shared" / "models"
BOX = "".join(f"(assert (>= X_{i} 0)) (assert (<= X_{i} 1))" for i in range(2))
DECLARED = "(declare-const X_0 Real) (declare-const X_1 Real) (declare-const Y_0 Real)"


@pytest.fixture
def verify(capsys, tmp_path):
    """Return a function that runs `polyrelu verify` on a condition: exit code, stdout, stderr."""

    def verify(condition: str, *options: object, model: object = XOR) -> tuple[int, str, str]:
        file = tmp_path / "property.vnnlib"
        file.write_text(f"{DECLARED} {BOX} (assert {condition})", encoding="utf-8")
        code = cli.main(["verify", str(model), str(file), *map(str, options)])
        out, err = capsys.readouterr()
        return code, out, err

    return verify


def lines(out: str) -> dict[str, str]:
    return {line.split()[0]: line[12:] for line in out.splitlines()}


def test_a_property_that_holds(verify):
    code, out, err = verify("(> Y_0 1)", "--check")
    said = lines(out)
    assert (code, err) == (0, "")
    assert list(said) == ["verdict", "network", "property", "proved", "cells", "check", "seconds"]
    assert (said["verdict"], said["proved"]) == ("holds", "100 % of the inputs")
    assert said["check"].startswith("every cell proved once more in integers")
    assert "check" not in lines(verify("(> Y_0 1)")[1])


def test_a_property_that_is_violated(verify, tmp_path):
    code, out, err = verify("(>= Y_0 1)", "--witness", tmp_path / "witness.json")
    said = lines(out)
    assert (code, err) == (1, "")
    assert list(said) == ["verdict", "network", "property", "inputs", "outputs", "cells", "seconds"]
    assert (said["verdict"], said["outputs"]) == ("violated", "(1), checked exactly")
    witness = json.loads((tmp_path / "witness.json").read_text())
    network = polyrelu.load(XOR)
    assert network.exact([Fraction(v) for v in witness["inputs"]]) == (1,)
    assert witness["outputs"] == ["1"]
    assert verify("(>= Y_0 1)", "--witness", tmp_path / "witness.json")[0] == 2
    assert verify("(>= Y_0 1)", "--witness", tmp_path / "witness.json", "--force")[0] == 1


def test_json(verify):
    code, out, _ = verify("(> Y_0 1)", "--json", "--check")
    found = json.loads(out)
    assert code == 0
    assert list(found) == [
        "verdict", "network", "property", "cells", "regions", "left_open", "share", "seconds", "checked",
        "check_seconds",
    ]  # fmt: skip
    assert (found["verdict"], found["share"], found["checked"]) == ("holds", 1.0, True)
    assert found["network"] == polyrelu.load(XOR).hash
    code, out, _ = verify("(>= Y_0 1)", "--json")
    found = json.loads(out)
    assert (code, found["verdict"], found["outputs"], found["onnxruntime"]) == (1, "violated", ["1"], None)


def test_budgets(verify):
    code, out, err = verify("(> Y_0 1)", "--max-boxes", 1)
    assert code == 3
    assert lines(out)["verdict"] == "not decided" and "share" not in out
    assert err == "polyrelu: the budget ended before the property was decided. Raise the budget, or cut the property.\n"
    assert verify("(> Y_0 1)", "--max-boxes", 100, "--max-regions", 100, "--max-seconds", 100)[0] == 0


def test_interrupts_print_what_is_proved(verify, monkeypatch):
    from polyrelu.analysis.verification import decide

    partial = decide.Verdict("no input violates it", None, None, decide.PropertyProgress(5, 0, 0, 0, 1.0))

    def interrupted(*_: object, **__: object) -> None:
        raise EnumerationInterrupted(partial)

    monkeypatch.setattr(decide, "decide_property", interrupted)
    code, out, err = verify("(> Y_0 1)")
    assert (code, err) == (130, "polyrelu: interrupted before the property was decided.\n")
    assert lines(out)["cells"] == "5"


def onnx_xor(path: Path) -> Path:
    weight, bias = np.array([[1, 1], [1, 1]], np.float32), np.array([0, -1], np.float32)
    constants = {"W": weight, "b": bias, "V": np.array([[1], [-2]], np.float32)}
    nodes = [node("MatMul", "x W", "h"), node("Add", "h b", "z"), node("Relu", "z", "a"), node("MatMul", "a V", "y")]
    path.write_bytes(build(nodes, [1, 2], constants).SerializeToString())
    return path


def test_onnxruntime_gives_a_second_opinion(verify, tmp_path, monkeypatch):
    model = onnx_xor(tmp_path / "xor.onnx")
    assert lines(verify("(>= Y_0 1)", model=model)[1])["onnxruntime"] == "(1)"
    assert json.loads(verify("(>= Y_0 1)", "--json", model=model)[1])["onnxruntime"] == [1.0]
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert lines(verify("(>= Y_0 1)", model=model)[1])["onnxruntime"] == "not installed"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([str(XOR), "none.vnnlib"], "needs a readable text file but received 'none.vnnlib'"),
        (["none.npz", "none.vnnlib"], "needs a file but found none at 'none.npz'"),
        ([str(XOR)], "the following arguments are required: PROPERTY.vnnlib"),
        ([str(XOR), "p", "--max-boxes", "0"], "needs a positive whole number but received '0'"),
        ([str(XOR), "p", "--witness", "/dev/null/w"], "needs an existing folder"),
    ],
)
def test_bad_input(capsys, arguments, complaint):
    assert cli.main(["verify", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and complaint in err


def test_other_sizes_are_refused(verify, tmp_path):
    np.savez(tmp_path / "three.npz", W0=np.ones((1, 3)), b0=np.zeros(1))
    code, out, err = verify("(> Y_0 1)", model=tmp_path / "three.npz")
    assert (code, out) == (2, "") and "needs a property of 3 inputs and 1 outputs" in err


def test_help_names_the_exit_codes(capsys):
    assert cli.main(["verify", "--help"]) == 0
    assert "Exit codes: 0 the property holds; 1 it is violated;" in " ".join(capsys.readouterr().out.split())


@pytest.mark.skipif(not MODELS.is_dir(), reason="the folder of trained networks is not there")
def test_controller(capsys):
    model, question = MODELS / "ACASXU_run2a_2_3_batch_2000.onnx", MODELS / "prop_2.vnnlib"
    assert cli.main(["verify", str(model), str(question), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    exact = polyrelu.load(model).exact([Fraction(v) for v in found["inputs"]])
    assert list(map(str, exact)) == found["outputs"] and exact[0] >= max(exact)
    assert np.allclose(found["onnxruntime"], [float(v) for v in exact], atol=1e-4)
