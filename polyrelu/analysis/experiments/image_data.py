"""Images with labels, parted for training and for tests: the digits of scikit-learn, or the files of MNIST."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.training import digit_images
from polyrelu.errors import FileError, InputError

__all__ = ["ImageData", "digits_data", "image_data", "mnist_data", "read_idx"]

N_DIGITS_FOR_TESTS = 450
MOST_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class ImageData:
    """Images and their labels.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Height and width of an image.
    train_images, test_images : float64 arrays, shape (n, height * width)
        Grey values from 0 to 1.
    train_labels, test_labels : int64 arrays, shape (n,)
    """

    name: str
    shape: tuple[int, int]
    train_images: NDArray[np.float64]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float64]
    test_labels: NDArray[np.int64]

    @property
    def n_classes(self) -> int:
        """Number of labels."""
        return int(max(self.train_labels.max(initial=0), self.test_labels.max(initial=0))) + 1

    @property
    def dim(self) -> int:
        """Number of pixels."""
        return self.shape[0] * self.shape[1]

    def first(self, n_train: int | None, n_test: int | None) -> ImageData:
        """Return the data with so many images at most; None for all."""
        train, test = slice(n_train), slice(n_test)
        return ImageData(
            self.name,
            self.shape,
            self.train_images[train],
            self.train_labels[train],
            self.test_images[test],
            self.test_labels[test],
        )


def image_data(text: str) -> ImageData:
    """Return the data that a text names: "digits", or "mnist:DIR" for the files of MNIST in a folder.

    Raises
    ------
    InputError
        For another text.
    FileError
        If a file is missing or damaged.
    MissingExtraError
        For digits without scikit-learn.

    Examples
    --------
    >>> data = image_data("digits")
    >>> data.train_images.shape, data.test_images.shape, data.shape, data.n_classes
    ((1347, 64), (450, 64), (8, 8), 10)
    >>> image_data("letters")
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: Data need to be 'digits' or 'mnist:DIR' but received 'letters'. Choose one.
    """
    if text == "digits":
        return digits_data()
    name, colon, folder = text.partition(":")
    if name == "mnist" and colon and folder:
        return mnist_data(folder)
    raise InputError(f"Data need to be 'digits' or 'mnist:DIR' but received {text!r}. Choose one.")


def digits_data() -> ImageData:
    """Return scikit-learn's 1797 images of digits, 8 × 8 in sixteenths, 450 of them for tests, in a fixed random order.

    Raises
    ------
    MissingExtraError
        Without scikit-learn.
    """
    images, labels = digit_images()
    order = np.random.default_rng(1797).permutation(len(images))
    test, train = order[:N_DIGITS_FOR_TESTS], order[N_DIGITS_FOR_TESTS:]
    return ImageData("digits", (8, 8), images[train], labels[train], images[test], labels[test])


def mnist_data(folder: str | Path) -> ImageData:
    """Return MNIST from its four original files, packed or not, in a folder; grey values are divided by 255.

    Raises
    ------
    FileError
        If a file is missing, damaged, or does not match the others.
    """
    parts = []
    for part in ("train", "t10k"):
        names = (f"{part}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
        images, labels = (read_idx(_find(Path(folder), name)) for name in names)
        if images.ndim != 3 or labels.shape != images.shape[:1] or not images.size:
            raise FileError(
                f"MNIST needs images (n, height, width) and n labels but the files of {part!r} have shapes "
                f"{images.shape} and {labels.shape}. Take both from one data set."
            )
        parts.append((images, labels.astype(np.int64)))
    (train, train_labels), (test, test_labels) = parts
    if train.shape[1:] != test.shape[1:]:
        raise FileError(
            f"MNIST needs images of one size but received {train.shape[1:]} and {test.shape[1:]}. Take one data set."
        )
    height, width = train.shape[1:]
    flat = (each.reshape(len(each), -1) / 255 for each in (train, test))
    train_images, test_images = flat
    return ImageData("mnist", (height, width), train_images, train_labels, test_images, test_labels)


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """Return the array of bytes in an IDX file, the format of MNIST, packed by gzip or not.

    Notes
    -----
    Two zero bytes, a byte for the type (8: bytes), the number of dimensions, then each dimension as four bytes, the
    highest first, then the entries.

    Raises
    ------
    FileError
        If the file cannot be read, is of another kind, or is cut off.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(MOST_BYTES)
        if data[:2] == b"\x1f\x8b":
            data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, MOST_BYTES)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"MNIST needs readable files but {str(path)!r} is none ({reason}). Check the path.") from None
    except zlib.error as error:
        message = f"MNIST needs whole files but {str(path)!r} cannot be unpacked ({error}). Fetch it anew."
        raise FileError(message) from None
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise FileError(
            f"MNIST needs IDX files of bytes but {str(path)!r} starts with {data[:4].hex(' ') or 'nothing'}. "
            "Take the original files."
        )
    shape = tuple(np.frombuffer(data, ">u4", min(data[3], (len(data) - 4) // 4), 4).tolist())
    entries = len(data) - 4 - 4 * data[3]
    size = int(np.prod([int(n) for n in shape], dtype=object)) if shape else 0
    if len(shape) != data[3] or not shape or entries != size:
        announced = " x ".join(map(str, shape)) or "no"
        raise FileError(
            f"MNIST needs whole files but {str(path)!r} announces {announced} bytes and holds {max(entries, 0)}. "
            "Fetch it anew."
        )
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _find(folder: Path, name: str) -> Path:
    """Return the file of this name, or of its variants with a dot or packed."""
    names = [stem + suffix for stem in (name, name.replace("-idx", ".idx")) for suffix in ("", ".gz")]
    for each in names:
        if (folder / each).is_file():
            return folder / each
    raise FileError(f"MNIST needs a file {name!r} but {str(folder)!r} has none. Put its four files there.")
