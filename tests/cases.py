"""The cases of ``tests/data/cases``: networks and what an independent exact reference says of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

FOLDER = Path(__file__).parent / "data" / "cases"


@dataclass(frozen=True)
class Case:
    """One network in one domain.

    Attributes
    ----------
    name : str
    network : Network
    domain : Domain
        A box or all of R^dim.
    expected : dict
        The fields of ``expected.json`` (its ``conventions`` say what they mean); a field that is None or missing
        there is missing here.
    """

    name: str
    network: Network
    domain: Domain
    expected: dict[str, Any]

    @property
    def dim(self) -> int:
        return self.network.dim

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Detail:
    """All regions of one case, in rationals.

    Attributes
    ----------
    name : str
    domain : Domain
    cells : tuple of dict
        For each region ``code``, ``bounded``, ``affine``, ``neighbours``, ``vertices`` and ``h_rows``; affine
        functions have their constant first.
    """

    name: str
    domain: Domain
    cells: tuple[dict[str, Any], ...]


def load_cases() -> list[Case]:
    """Return all cases of ``expected.json``."""
    return [case_of(record) for record in read("expected.json")["cases"]]


def load_case(name: str) -> Case:
    """Return the case with this name."""
    return next(case for case in load_cases() if case.name == name)


def load_detail(name: str) -> Detail:
    """Return the regions in ``detail_<name>.json``; some have no network beside them."""
    data = read(f"detail_{name}.json")
    dim = len(data["cells"][0]["h_rows"][0]) - 1
    return Detail(data["name"], domain_of(data["domain"], dim), tuple(data["cells"]))


def load_network(name: str) -> Network:
    """Return the network in ``<name>.npz``."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as arrays:
        return Network.from_arrays([(arrays[f"W{i}"], arrays[f"b{i}"]) for i in range(len(arrays.files) // 2)])


def read(file: str) -> dict[str, Any]:
    """Return a JSON file of the folder."""
    return json.loads((FOLDER / file).read_text(encoding="utf-8"))


def case_of(record: dict[str, Any]) -> Case:
    about = ("name", "file", "group", "d", "widths", "outputs", "note", "domain")
    expected = {key: value for key, value in record.items() if key not in about and value is not None}
    network = load_network(record["file"].removesuffix(".npz"))
    return Case(record["name"], network, domain_of(record["domain"], record["d"]), expected)


def domain_of(bounds: list[list[str]] | None, dim: int) -> Domain:
    return Domain.all(dim) if bounds is None else Domain.box(*bounds)


def hash_lines(lines: Iterable[str]) -> str:
    """Return the SHA-256 of sorted lines, as the hashes in ``expected.json`` are made."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def hash_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the hash of unordered pairs of patterns."""
    return hash_lines(" ".join(sorted(pair)) for pair in pairs)


def hash_areas(areas: Iterable[tuple[str, Fraction]]) -> str:
    """Return the hash of patterns with their areas."""
    return hash_lines(f"{pattern} {area.numerator}/{area.denominator}" for pattern, area in areas)
