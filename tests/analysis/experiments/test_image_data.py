"""Images from scikit-learn and from files in MNIST's format, which the tests write."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from polyrelu.analysis.experiments.image_data import image_data, mnist_data, read_idx
from polyrelu.errors import FileError, InputError

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
TRAIN = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4) * 4
TEST = 255 - TRAIN[:2]
ARRAYS = (TRAIN, np.array([3, 1, 4, 1, 5]), TEST, np.array([9, 2]))


def idx(array):
    """Return an array of bytes in the format of MNIST's files."""
    array = np.asarray(array, np.uint8)
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def written(folder, arrays=ARRAYS, names=NAMES, pack=lambda data: data):
    for name, array in zip(names, arrays, strict=True):
        (folder / name).write_bytes(pack(array if isinstance(array, bytes) else idx(array)))
    return folder


PLACES = {
    "plain": (NAMES, bytes),
    "packed": ([f"{name}.gz" for name in NAMES], gzip.compress),
    "packed without the ending": (NAMES, gzip.compress),
    "with a dot": ([name.replace("-idx", ".idx") for name in NAMES], bytes),
    "with a dot, packed": ([name.replace("-idx", ".idx") + ".gz" for name in NAMES], gzip.compress),
}


@pytest.mark.parametrize("place", PLACES)
def test_mnist_is_read(tmp_path, place):
    names, pack = PLACES[place]
    data = image_data(f"mnist:{written(tmp_path, names=names, pack=pack)}")
    assert (data.name, data.shape, data.dim, data.n_classes) == ("mnist", (3, 4), 12, 10)
    assert (data.train_images == TRAIN.reshape(5, 12) / 255).all() and data.train_images.dtype == np.float64
    assert (data.test_images == TEST.reshape(2, 12) / 255).all() and data.test_images.max() == 1
    assert data.train_labels.tolist() == [3, 1, 4, 1, 5] and data.test_labels.tolist() == [9, 2]
    few = data.first(2, 1)
    assert len(few.train_images) == len(few.train_labels) == 2 and len(few.test_images) == len(few.test_labels) == 1
    everything = data.first(None, None)
    assert len(everything.train_images) == 5 and len(everything.test_labels) == 2


@pytest.mark.parametrize("shape", [(0,), (3,), (2, 3), (1, 2, 3, 4)])
def test_idx_of_any_number_of_axes(tmp_path, shape):
    array = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    (tmp_path / "file").write_bytes(idx(array))
    assert np.array_equal(read_idx(tmp_path / "file"), array)


GOOD = idx(TRAIN)
DAMAGED = {
    "nothing": (b"", "starts with nothing"),
    "another format": (b"\x89PNG\r\n\x1a\n", "starts with 89 50 4e 47"),
    "another type": (b"\0\0\x0d" + GOOD[3:], "starts with 00 00 0d 03"),
    "cut off": (GOOD[:-1], "announces 5 x 3 x 4 bytes and holds 59"),
    "too long": (GOOD + b"\0", "announces 5 x 3 x 4 bytes and holds 61"),
    "cut off in the head": (GOOD[:9], "announces 5 bytes"),
    "no axes": (b"\0\0\x08\0", "announces no bytes"),
    "far too large": (b"\0\0\x08\x03" + b"\xff" * 12, "x 4294967295 bytes and holds 0"),
    "packed and damaged": (gzip.compress(GOOD)[:4] + b"\xff" * 30, "cannot be unpacked"),
    "packed and cut off": (gzip.compress(GOOD)[:-20], "whole files"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_files_are_refused(tmp_path, damage):
    data, message = DAMAGED[damage]
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(FileError, match=message) as caught:
        read_idx(tmp_path / "file")
    assert "file" in str(caught.value)


def test_missing_and_unreadable_files_are_refused(tmp_path):
    with pytest.raises(FileError, match="No such file"):
        read_idx(tmp_path / "file")
    with pytest.raises(FileError, match="directory"):
        read_idx(tmp_path)
    with pytest.raises(FileError, match="needs a file 'train-images-idx3-ubyte'"):
        mnist_data(tmp_path)
    written(tmp_path)
    (tmp_path / NAMES[3]).unlink()
    with pytest.raises(FileError, match="needs a file 't10k-labels-idx1-ubyte'"):
        mnist_data(tmp_path)


@pytest.mark.parametrize(
    ("index", "array", "message"),
    [
        (1, [1, 2], "n labels"),
        (0, TRAIN[0], "images .n, height, width."),
        (0, TRAIN[:0], "n labels"),
        (0, TRAIN[:, :0], "n labels"),
        (1, [[1], [2], [3], [4], [5]], "n labels"),
        (2, TEST[:, :2], "images of one size"),
    ],
)
def test_files_that_do_not_match_are_refused(tmp_path, index, array, message):
    arrays = list(ARRAYS)
    arrays[index] = array
    with pytest.raises(FileError, match=message):
        mnist_data(written(tmp_path, arrays))


@pytest.mark.parametrize("text", ["letters", "mnist", "mnist:", "MNIST:x", ""])
def test_other_data_are_refused(text):
    with pytest.raises(InputError, match="'digits' or 'mnist:DIR'"):
        image_data(text)


def test_digits_are_parted_and_always_alike():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra `data`)")
    first, again = image_data("digits"), image_data("digits")
    assert (first.train_images == again.train_images).all() and (first.test_labels == again.test_labels).all()
    together = np.concatenate([first.train_images, first.test_images])
    assert together.min() == 0 and together.max() == 1 and (together * 16 % 1 == 0).all()
    assert np.bincount(np.concatenate([first.train_labels, first.test_labels])).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180
    ]  # fmt: skip
