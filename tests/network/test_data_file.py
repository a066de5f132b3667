"""Data sets from files."""

from contextlib import suppress

import numpy as np
import pytest

from polyrelu.errors import FileError, InputError
from polyrelu.network.data_file import read_data


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_npz_images_are_flattened_and_divided(tmp_path):
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    data = read_data(save(tmp_path / "a.npz", images=images, labels=np.array([3, 1], np.uint8)), 4, divide=255)
    assert data.points.tolist() == [[0 / 255, 1 / 255, 2 / 255, 3 / 255], [4 / 255, 5 / 255, 6 / 255, 7 / 255]]
    assert data.labels.tolist() == [3, 1] and data.labels.dtype == np.int64


@pytest.mark.parametrize("name", ["points", "X", "inputs", "anything"])
def test_npz_names(tmp_path, name):
    path = save(tmp_path / "a.npz", **{name: np.ones((3, 2)), "Y": np.zeros((3, 1))})
    data = read_data(path, 2)
    assert data.points.tolist() == [[1.0, 1.0]] * 3 and data.labels.tolist() == [0, 0, 0]


def test_npy(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 3), np.float32))
    data = read_data(tmp_path / "a.npy", 3)
    assert data.points.dtype == np.float64 and data.labels is None


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("1,2\n3,4\n", None),
        ("1,2,0\n\n3,4,7\n", [0, 7]),
        ("label,a,b\n5,1,2\n6,3,4\n", [5, 6]),
        ("\ufeffa,b,c\n1,2,0\n3,4,1\n", [0, 1]),
        ("a, b\n1,2\n3,4\n", None),
        ("x,y\n1,2\n3,4\n", None),
        ("x,t,y\n1,2,5\n3,4,6\n", [5, 6]),
    ],
)
def test_csv(tmp_path, text, labels):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    data = read_data(tmp_path / "a.csv", 2)
    assert data.points.tolist() == [[1, 2], [3, 4]]
    assert (data.labels if data.labels is None else data.labels.tolist()) == labels


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"a": np.ones((2, 2)), "b": np.ones((2, 2))}, "its arrays are a, b"),
        ({"x": np.array([["a", "b"]])}, "of type <U1"),
        ({"x": np.array([[1.0, np.inf]])}, "point 0 is not finite"),
        ({"x": np.array([[2**53 + 1, 1]])}, "beyond 2\\^53"),
        ({"x": np.array([[-(2**63), 1]])}, "beyond 2\\^53"),
        ({"x": np.ones((2, 2)), "y": np.array([1])}, "not one whole number for each of 2"),
        ({"x": np.ones((2, 2)), "y": np.array([1, 0.5])}, "not one whole number"),
        ({"x": np.ones((2, 2)), "y": np.array([1, -1])}, "not one whole number"),
        ({"x": np.ones((2, 2)), "y": np.array([1, np.inf])}, "not one whole number"),
        ({"x": np.ones((2, 2)), "y": np.array([2**63, 1], np.uint64)}, "not one whole number"),
        ({"x": np.ones((2, 2)), "y": np.array(1)}, "not one whole number"),
    ],
)
def test_unusable_arrays(tmp_path, arrays, complaint):
    with pytest.raises(FileError, match=complaint):
        read_data(save(tmp_path / "a.npz", **arrays), 2)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"1,2\n3\n", b"1,x\n2,y\n3,z"])
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv"])
def test_damaged_files(tmp_path, suffix, content):
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises((FileError, InputError)):
        read_data(tmp_path / f"a{suffix}", 2)


def test_bytes_that_are_others(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    whole = (tmp_path / "a.npy").read_bytes()
    for place in range(128):  # of the header, which can be damaged in many ways
        (tmp_path / "b.npy").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with suppress(FileError, InputError):
            assert read_data(tmp_path / "b.npy", 2).points.shape == (2, 2)


def test_files_with_the_other_ending(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(FileError, match="no archive"):
        read_data(tmp_path / "a.npz", 2)
    save(tmp_path / "b.npz", x=np.ones((2, 2))).rename(tmp_path / "b.npy")
    with pytest.raises(FileError, match=r"end in \.npz"):
        read_data(tmp_path / "b.npy", 2)


def test_other_shapes(tmp_path):
    with pytest.raises(InputError, match=r"need 2 numbers for each point but .* shape \(2, 3\)"):
        read_data(save(tmp_path / "a.npz", x=np.ones((2, 3))), 2)
    with pytest.raises(InputError, match="at least one point"):
        read_data(save(tmp_path / "b.npz", x=np.ones((0, 2))), 2)
    with pytest.raises(InputError, match="divisor"):
        read_data(save(tmp_path / "c.npz", x=np.ones((1, 2))), 2, divide=0.0)
    with pytest.raises(InputError, match="leaves them finite"):
        read_data(tmp_path / "c.npz", 2, divide=2.0**-1074)
    with pytest.raises(FileError, match="could not be read"):
        read_data(tmp_path / "none.npz", 2)
    with pytest.raises(FileError, match="could not be read"):
        read_data(tmp_path / "none.npy", 2)
