"""`load` chooses the reader by suffix and never unpickles."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper

from polyrelu.errors import FileError, UnsupportedNodeError
from polyrelu.network.load import load


def refused(path):
    with pytest.raises(FileError) as caught:
        load(path)
    return str(caught.value)


def onnx_bytes(kind):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node(kind, ["x"], ["y"])], "g", values[:1], values[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


@pytest.mark.parametrize("name", ["network.npz", "network.NPZ"])
def test_npz(tmp_path, name):
    with (tmp_path / name).open("wb") as file:
        np.savez(file, W0=[[1.0, 2.0]], b0=[3.0])
    assert load(tmp_path / name).exact([1, 1]) == (6,)
    assert load(str(tmp_path / name)).dim == 2


def test_onnx(tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(onnx_bytes("Relu"))
    assert load(path).exact([-1, 1]) == (0, 1)


def test_errors_of_the_readers_pass(tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(onnx_bytes("Tanh"))
    with pytest.raises(UnsupportedNodeError, match="Tanh node 'y'"):
        load(path)


class Malicious:
    def __reduce__(self):
        return (pytest.fail, ("a file was unpickled",))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".PT"])
def test_pickles_are_refused_unread(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(pickle.dumps(Malicious()))
    message = refused(path)
    assert "unpickling executes code" in message
    assert "polyrelu.from_torch" in message


@pytest.mark.parametrize("name", ["model", "model.h5", "model.json", ".npz", "npz"])
def test_other_suffixes(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert "needs a .npz or .onnx file" in refused(tmp_path / name)


@pytest.mark.parametrize("name", ["none.npz", "none.onnx"])
def test_missing(tmp_path, name):
    assert f"none at '{tmp_path / name}'" in refused(tmp_path / name)


def test_folder(tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    refused(tmp_path / "folder.onnx")


def test_readers_are_imported_where_they_are_used():
    script = (
        "import sys\n"
        "from polyrelu.network import load, npz, onnx_reader, torch_reader\n"
        "heavy = ('onnx', 'torch', 'scipy.sparse', 'polyrelu.network.graph')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
