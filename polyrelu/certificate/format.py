"""The file of a certificate: what it holds, how it is written, and how it is read without trusting it.

docs/certificate_format.md defines every field, and proves that the conditions of the checkers suffice. All sizes follow
from the header and must add up to the length of the file, before anything of that size is made.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import CertificateError, FileError
from polyrelu.exact.domain import Domain
from polyrelu.exact.matrix import RationalMatrix

__all__ = ["BASES", "POLYGONS", "UNUSED", "Certificate", "Level", "Points", "read_certificate", "to_bytes"]

MAGIC = b"polyrelu certificate 1\n"
POLYGONS, BASES = "polygons", "bases"
UNUSED = 0xFFFF
"""Fills up a basis that has fewer facets than there are inputs."""

MOST_HEADER = 1 << 24
DIGEST = 32
NUMBER = re.compile(r"-?[0-9]{1,4000}(/[0-9]{1,4000})?")
"""A rational. Python reads integers of at most 4,300 digits, in quadratic time."""


@dataclass(frozen=True)
class Level:
    """All cells of one level: the regions of the network's first layers.

    Attributes
    ----------
    parents : int32 array, shape (n_cells,)
        Cell of the level above that contains each cell, in ascending order.
    digits : uint8 array, shape (n_cells, width)
        The packed digits of the level's layer.
    facets : int32 array, shape (n_facets, 2)
        The cells on both sides; on the border of the domain -1 - r in place of the second, if the domain's row r
        vanishes there.
    starts : int64 array, shape (n_cells + 1,); sides : int32 array
        Facets of cell ``i`` are ``sides[starts[i]:starts[i + 1]]``; with polygons counter-clockwise.
    bases : uint16 array, shape (n_bases, dim)
        With bases: which of its facets prove each row of a cell, in the order in which the checker asks.
    """

    parents: NDArray[np.int32]
    digits: NDArray[np.uint8]
    facets: NDArray[np.int32]
    starts: NDArray[np.int64]
    sides: NDArray[np.int32]
    bases: NDArray[np.uint16]


@dataclass(frozen=True)
class Points:
    """Exact points: floats stand for what they store, and other rationals are listed.

    Attributes
    ----------
    floats : float64 array, shape (n, dim)
    exact : dict of int to tuple of Fraction
        Points that are no floats; their floats are zeros.
    """

    floats: NDArray[np.float64]
    exact: dict[int, tuple[Fraction, ...]] = field(default_factory=dict)

    def fit(self, n: int, dim: int) -> bool:
        """Return whether these are ``n`` points of so many coordinates, each given once."""
        listed = list(self.exact)
        if self.floats.shape != (n, dim) or not np.isfinite(self.floats).all() or not set(listed) <= set(range(n)):
            return False
        return not self.floats[listed].any()

    def scaled(self, index: int) -> list[int]:
        """Return a point in homogeneous coordinates: integers, and last what to divide them by."""
        point: Sequence[float | Fraction] = self.exact.get(index) or self.floats[index].tolist()
        ratios = [value.as_integer_ratio() for value in point]
        scale = math.lcm(*(denominator for _, denominator in ratios))
        return [*(numerator * (scale // denominator) for numerator, denominator in ratios), scale]


@dataclass(frozen=True)
class Certificate:
    """A tessellation with the proof that it is right and complete.

    Attributes
    ----------
    network : str
        Hash of the network, without its input map.
    input_map : RationalMatrix or None
        Applied to the coordinates before the network's first layer.
    domain : Domain
    proof : str
        `POLYGONS` or `BASES`.
    levels : tuple of Level
        One for each hidden layer, after the domain as level 0; the cells of the last are the regions.
    witnesses : Points
        A point strictly inside each region.
    facet_starts : int64 array, shape (n_facets + 1,); facet_neurons : int32 array
        Neurons that vanish on each facet of a region, sorted.
    maps, linear_regions : int32 arrays, shape (n_regions,)
        First region with the same affine map, and first region of the same linear region.
    facet_points : Points
        With bases: a point that is beyond this facet of its first region, and beyond no other.
    """

    network: str
    input_map: RationalMatrix | None
    domain: Domain
    proof: str
    levels: tuple[Level, ...]
    witnesses: Points
    facet_starts: NDArray[np.int64]
    facet_neurons: NDArray[np.int32]
    maps: NDArray[np.int32]
    linear_regions: NDArray[np.int32]
    facet_points: Points

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.levels[-1].parents)

    @property
    def n_facets(self) -> int:
        """Number of facets of regions, those on the domain's border included."""
        return len(self.levels[-1].facets)

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield every array with its name, in the order of the file."""
        for i, level in enumerate(self.levels):
            for name in ("parents", "digits", "facets", "starts", "sides", "bases"):
                yield f"{name} {i}", getattr(level, name)
        yield "witnesses", self.witnesses.floats
        for name in ("facet_starts", "facet_neurons", "maps", "linear_regions"):
            yield name, getattr(self, name)
        yield "facet_points", self.facet_points.floats


TYPES = {
    "parents": "<i4", "digits": "|u1", "facets": "<i4", "starts": "<i8", "sides": "<i4", "bases": "<u2",
    "witnesses": "<f8", "facet_starts": "<i8", "facet_neurons": "<i4", "maps": "<i4", "linear_regions": "<i4",
    "facet_points": "<f8",
}  # fmt: skip
MATRICES = ("digits", "facets", "bases", "witnesses", "facet_points")


def to_bytes(certificate: Certificate) -> Iterator[bytes]:
    """Yield the file of a certificate, piece by piece."""
    input_map = certificate.input_map
    header = {
        "network": certificate.network,
        "input_map": None if input_map is None else [_texts(row) for row in input_map.to_fractions()],
        "dim": certificate.domain.dim,
        "domain": [_texts(row) for row in certificate.domain.rows],
        "label": certificate.domain.label,
        "proof": certificate.proof,
        "levels": len(certificate.levels),
        "exact_witnesses": {str(i): _texts(point) for i, point in certificate.witnesses.exact.items()},
        "exact_facet_points": {str(i): _texts(point) for i, point in certificate.facet_points.exact.items()},
        "shapes": [list(array.shape) for _, array in certificate.arrays()],
    }
    text = json.dumps(header).encode()
    if len(text) > MOST_HEADER:
        raise CertificateError(
            f"A certificate needs a header of at most {MOST_HEADER:,} bytes but this one has {len(text):,}: too many "
            "points are no floats. Cut the domain."
        )
    digest = hashlib.sha256()
    for piece in (MAGIC, len(text).to_bytes(8, "little"), text):
        digest.update(piece)
        yield piece
    for name, array in certificate.arrays():
        piece = np.ascontiguousarray(array, TYPES[name.split()[0]]).tobytes()
        digest.update(piece)
        yield piece
    yield digest.digest()


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values]


def read_certificate(path: str | os.PathLike[str]) -> Certificate:
    """Return what a file of a certificate holds. Nothing of it is believed: that is for `check_certificate`.

    Raises
    ------
    FileError
        If the file cannot be read.
    CertificateError
        If it is not of this format: the sizes do not add up, the digest differs, a field is missing.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"A certificate needs a readable file but {str(path)!r} is none ({error.strerror}).") from None
    start = len(MAGIC) + 8
    if data[: len(MAGIC)] != MAGIC or len(data) < start + DIGEST:
        refuse("it does not begin as a certificate of version 1 does")
    size = int.from_bytes(data[len(MAGIC) : start], "little")
    if size > min(MOST_HEADER, len(data) - start - DIGEST):
        refuse(f"its header would have {size:,} bytes")
    if hashlib.sha256(data[:-DIGEST]).digest() != data[-DIGEST:]:
        refuse("its digest is not that of its contents: it was cut off or changed")
    try:
        header = json.loads(data[start : start + size])
        return _certificate(header, memoryview(data)[start + size : -DIGEST])
    except CertificateError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError) as error:
        refuse(f"a field of its header cannot be read ({type(error).__name__}: {error})")


def refuse(condition: str) -> NoReturn:
    """Raise the error of a certificate that fails a condition."""
    raise CertificateError(f"The certificate is refused: {condition}.")


def _certificate(header: dict[str, Any], data: memoryview) -> Certificate:
    expected = {
        "network", "input_map", "dim", "domain", "label", "proof", "levels", "exact_witnesses", "exact_facet_points",
        "shapes",
    }  # fmt: skip
    if set(header) != expected:
        refuse(f"its header needs the fields {', '.join(sorted(expected))}")
    dim, n_levels, shapes, label = (header[name] for name in ("dim", "levels", "shapes", "label"))
    if (type(dim), type(n_levels), type(label)) != (int, int, str) or dim < 0 or n_levels < 1:
        refuse("its header needs a dimension, a number of levels, and a label")
    if len(shapes) != 6 * n_levels + 6:
        refuse("its header needs a shape for each array")
    names = [f"{name} {i}" for i in range(n_levels) for name in Level.__dataclass_fields__]
    names += ["witnesses", "facet_starts", "facet_neurons", "maps", "linear_regions", "facet_points"]
    arrays = dict(_arrays(names, shapes, data))
    levels = [Level(*(arrays[f"{name} {i}"] for name in Level.__dataclass_fields__)) for i in range(n_levels)]
    rows = header["input_map"]
    return Certificate(
        network=str(header["network"]),
        input_map=None if rows is None else RationalMatrix.from_rows([_numbers(row, dim + 1) for row in rows], dim + 1),
        domain=Domain(dim, tuple(tuple(_integers(row, dim + 1)) for row in header["domain"]), label),
        proof=str(header["proof"]),
        levels=tuple(levels),
        witnesses=Points(arrays["witnesses"], _points(header["exact_witnesses"], dim)),
        facet_points=Points(arrays["facet_points"], _points(header["exact_facet_points"], dim)),
        **{name: arrays[name] for name in ("facet_starts", "facet_neurons", "maps", "linear_regions")},
    )


def _arrays(names: list[str], shapes: list[list[int]], data: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    position = 0
    for name, shape in zip(names, shapes, strict=True):
        kind = name.split()[0]
        if len(shape) != 1 + (kind in MATRICES) or any(type(n) is not int or not 0 <= n < 1 << 40 for n in shape):
            refuse(f"the array {name!r} cannot have the shape {shape!r:.60}")
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        stop = position + count * np.dtype(TYPES[kind]).itemsize
        if stop > len(data):
            refuse(f"the file ends before its array {name!r}")
        yield name, np.frombuffer(data[position:stop], TYPES[kind]).reshape(shape)
        position = stop
    if position != len(data):
        refuse(f"{len(data) - position:,} bytes follow its last array")


def _numbers(texts: list[str], n: int) -> list[Fraction]:
    if type(texts) is not list or len(texts) != n:
        refuse(f"its header needs lists of {n} numbers, unlike {texts!s:.60}")
    if not all(isinstance(text, str) and NUMBER.fullmatch(text) for text in texts):
        refuse(f"numbers of its header need to look like -3/4, unlike some of {texts!s:.60}")
    return [Fraction(text) for text in texts]


def _integers(texts: list[str], n: int) -> list[int]:
    numbers = _numbers(texts, n)
    if any(number.denominator != 1 for number in numbers):
        refuse("rows of its domain need integers")
    return [int(number) for number in numbers]


def _points(listed: dict[str, list[str]], dim: int) -> dict[int, tuple[Fraction, ...]]:
    points = {int(key): tuple(_numbers(texts, dim)) for key, texts in listed.items()}
    if [str(place) for place in points] != list(listed):
        refuse("its listed points need plain numbers, each once")
    return points
