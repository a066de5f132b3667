"""`from_npz`: what it reads and what it refuses."""

import pickle
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import polyrelu
from polyrelu.errors import FileError, NetworkError, PolyreluError
from polyrelu.network.model import Network
from polyrelu.network.npz import from_npz

W0, B0, W1, B1 = np.array([[1.0, -1.0], [0.5, 2.0]]), np.array([0.0, 1.0]), np.array([[1.0, -2.0]]), np.array([0.25])
GOOD = {"W0": W0, "b0": B0, "W1": W1, "b1": B1}


def write(folder, arrays):
    path = folder / "network.npz"
    np.savez(path, **arrays)
    return path


def refused(path, error=FileError):
    with pytest.raises(error) as caught:
        from_npz(path)
    return str(caught.value)


def test_layers_in_order(tmp_path):
    network = from_npz(write(tmp_path, GOOD))
    assert network.hash == Network.from_arrays([(W0, B0), (W1, B1)]).hash
    assert network.is_relu
    assert network.exact([1, 2]) == (Fraction(-43, 4),)


def test_more_than_ten_layers_go_by_number(tmp_path):
    arrays = {f"W{i}": np.array([[float(i + 1)]]) for i in range(12)} | {f"b{i}": np.zeros(1) for i in range(12)}
    network = from_npz(write(tmp_path, arrays))
    assert [layer.weight[0, 0] for layer in network.layers] == list(range(1, 13))


def test_path_may_be_text(tmp_path):
    assert from_npz(str(write(tmp_path, GOOD))).dim == 2


def test_compressed(tmp_path):
    path = tmp_path / "network.npz"
    np.savez_compressed(path, **GOOD)
    assert from_npz(path).dim == 2


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint64, np.int64])
def test_types_that_widen_exactly(tmp_path, dtype):
    arrays = {"W0": np.array([[3, 5]], dtype=dtype), "b0": np.zeros(1, dtype=dtype)}
    assert from_npz(write(tmp_path, arrays)).output.weight.tolist() == [[3, 5]]


def test_float32_is_taken_exactly(tmp_path):
    arrays = {"W0": np.array([[0.1]], dtype=np.float32), "b0": np.zeros(1)}
    assert from_npz(write(tmp_path, arrays)).exact([1]) == (Fraction(float(np.float32(0.1))),)


def test_network_that_ships_with_the_package():
    network = from_npz(Path(polyrelu.__file__).parent / "data" / "iris_petals.npz")
    assert (network.dim, network.n_neurons, network.n_out) == (2, 32, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"b1": None}, "has no b1"),
        ({"W0": None}, "has no W0"),
        ({"W0": None, "b0": None}, "has no W0"),
        ({"W3": W1, "b3": B1}, "has no W2"),
        ({"W9999999999999": W1}, "has no W2"),
        ({"w0": W0}, "the key 'w0'"),
        ({"W01": W0}, "the key 'W01'"),
        ({"W²": W0}, "the key 'W²'"),
        ({"": W0}, "the key ''"),
        ({"labels": B0}, "the key 'labels'"),
        (dict.fromkeys(GOOD), "no keys"),
    ],
)
def test_keys(tmp_path, change, words):
    arrays = {key: value for key, value in (GOOD | change).items() if value is not None}
    assert words in refused(write(tmp_path, arrays))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"W0": W0 * np.nan}, "finite"),
        ({"b1": np.array([np.inf])}, "finite"),
        ({"b0": np.zeros(3)}, "(2, 2) and (3,)"),
        ({"W1": W0.T[:1, :1]}, "chain"),
        ({"W0": W0.ravel()}, "Weights have one row"),
        ({"W0": np.array([["a", "b"], ["c", "d"]])}, "numbers"),
        ({"W0": np.array([[2**60 + 1, 0], [0, 0]])}, "round"),
        ({"W0": W0.astype(np.complex128)}, "real"),
    ],
)
def test_arrays_that_form_no_network(tmp_path, change, words):
    path = write(tmp_path, GOOD | change)
    message = refused(path, NetworkError)
    assert "network.npz" in message
    assert words in message


class Malicious:
    def __reduce__(self):
        return (pytest.fail, ("a file was unpickled",))


def test_pickled_arrays_are_not_loaded(tmp_path):
    path = tmp_path / "network.npz"
    np.savez(path, allow_pickle=True, W0=np.array([[Malicious()]], dtype=object), b0=np.zeros(1))
    assert "pickle" in refused(path)


def test_pickle_files_are_not_loaded(tmp_path):
    path = tmp_path / "network.npz"
    path.write_bytes(pickle.dumps(Malicious()))
    refused(path)


def test_missing_file(tmp_path):
    assert "none at" in refused(tmp_path / "none.npz")


def test_folder(tmp_path):
    refused(tmp_path)


def test_one_array(tmp_path):
    path = tmp_path / "array.npy"
    np.save(path, W0)
    assert "one array" in refused(path)


def test_archive_of_other_files(tmp_path):
    path = tmp_path / "network.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W0.txt", "hello")
        archive.writestr("b0.npy", "hello")
    refused(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x93NUMPY", b"\x80\x04K\x01."])
def test_damaged_files(tmp_path, content):
    path = tmp_path / "network.npz"
    path.write_bytes(content)
    refused(path)


def test_header_of_an_enormous_array(tmp_path):
    path = tmp_path / "network.npz"
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000000)}".ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W0.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    refused(path)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.booleans())
def test_damaged_file_never_crashes(tmp_path_factory, seed, n_changes, cut):
    folder = tmp_path_factory.getbasetemp()
    content = bytearray(write(folder, GOOD).read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(content), n_changes):
        content[place] = rng.integers(0, 256)
    path = folder / "damaged.npz"
    path.write_bytes(content[: rng.integers(0, len(content))] if cut else content)
    try:
        from_npz(path)
    except PolyreluError as error:
        assert str(error)
