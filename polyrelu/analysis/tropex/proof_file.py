"""Proofs about extracted functions as files: JSON that whoever has the network can check again.

Numbers are text, such as "-1/3"; the network is named by its hash, and not in the file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint

from polyrelu.analysis.tropex.exact import ExactExtractedFunction
from polyrelu.analysis.tropex.theorem import ExtractionProof, RegionProof
from polyrelu.certificate.number_text import number_text, parsed_json, parsed_number
from polyrelu.errors import CertificateError, FileError, PatternError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.tessellation.targets import check_target, replacing

__all__ = ["is_proof_file", "read_proof", "save_proof"]

KIND, VERSION = "polyrelu extraction", 1
MOST_BYTES, MOST_DIGITS = 1 << 30, 1 << 16
"""Larger files and longer numbers are refused before they are read."""
KEYS = {KIND, "network", "n_out", "points", "labels", "plus", "minus", "regions"}


def save_proof(proof: ExtractionProof, path: str | Path, force: bool = False) -> None:
    """Write a proof to a file, which appears as a whole or not at all; `read_proof` reads it.

    Raises
    ------
    FileError
        If it cannot be written, or exists and is not to be overwritten.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from polyrelu.analysis.tropex.theorem import decide_extraction
    >>> from polyrelu.testing import xor
    >>> with TemporaryDirectory() as folder:
    ...     save_proof(decide_extraction(xor(), [[0, "1/2"], [1, 1]]).evidence, f"{folder}/proof.json")
    ...     read_proof(f"{folder}/proof.json", xor()).check()
    """
    target = check_target("save_proof", path, force)
    found = proof.function
    data = {
        KIND: VERSION,
        "network": proof.network.hash,
        "n_out": found.n_out,
        "points": [[number_text(value) for value in point] for point in proof.points],
        "labels": list(found.labels),
        "plus": _written(found.plus),
        "minus": _written(found.minus),
        "regions": [
            {
                "pattern": str(each.pattern),
                "terms": _written(each.terms),
                "multipliers": _written(each.multipliers),
            }
            for each in proof.regions
        ],
    }
    with replacing(target) as temporary:
        temporary.write_text(json.dumps(data) + "\n", encoding="utf-8")


def is_proof_file(path: str | Path) -> bool:
    """Return whether a file begins as `save_proof` writes it."""
    begin = f'{{"{KIND}"'.encode()
    try:
        with open(path, "rb") as stream:
            return stream.read(len(begin)) == begin
    except OSError:
        return False


def read_proof(path: str | Path, network: Network) -> ExtractionProof:
    """Return the proof in a file, about a network; it is read, not checked.

    Raises
    ------
    FileError
        If the file cannot be read.
    CertificateError
        If it is damaged, too large, or about another network.
    """
    try:
        with open(path, "rb") as stream:
            text = stream.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"A proof needs a readable file but {str(path)!r} is none ({reason}). Check it.") from None
    if len(text) > MOST_BYTES:
        raise _error(f"at most {MOST_BYTES} bytes", "more")
    try:
        data = parsed_json(text)
    except (ValueError, RecursionError) as error:
        raise _error("JSON", f"text that is not ({error})") from None
    if not isinstance(data, dict) or set(data) != KEYS or data[KIND] != VERSION:
        raise _error(f"the parts {', '.join(sorted(KEYS))}, version {VERSION}", "others")
    if data["network"] != network.hash:
        raise _error(f"the network {network.hash[:12]}", f"one about {data['network']!r:.20}")
    points, labels, regions = (_list(data[name], name) for name in ("points", "labels", "regions"))
    if any(type(value) is not int for value in (data["n_out"], *labels)):
        raise _error("whole numbers as labels", "others")
    matrices = (_matrix(data[name], name) for name in ("plus", "minus"))
    function = ExactExtractedFunction(data["n_out"], tuple(labels), *matrices)
    exact = tuple(tuple(_fraction(value) for value in _list(point, "points")) for point in points)
    return ExtractionProof(network, exact, function, tuple(map(_region, regions)))


def _region(data: Any) -> RegionProof:
    if not isinstance(data, dict) or set(data) != {"pattern", "terms", "multipliers"}:
        raise _error("a pattern, terms and multipliers of each region", "others")
    try:
        pattern = Pattern.parse(data["pattern"] if isinstance(data["pattern"], str) else "?")
    except PatternError as error:
        raise _error("patterns", f"others ({error})") from None
    return RegionProof(pattern, _matrix(data["terms"], "terms"), _matrix(data["multipliers"], "multipliers"))


def _written(matrix: RationalMatrix) -> dict[str, object]:
    rows = [[str(value) for value in row] for row in matrix.numerators.tolist()]
    return {"denominator": number_text(int(matrix.denominator)), "numerators": rows}


def _matrix(data: Any, name: str) -> RationalMatrix:
    if not isinstance(data, dict) or set(data) != {"denominator", "numerators"}:
        raise _error(f"a denominator and numerators in {name!r}", "others")
    rows = [[_integer(value) for value in _list(row, name)] for row in _list(data["numerators"], name)]
    if not rows or len({len(row) for row in rows}) != 1 or not rows[0]:
        raise _error(f"rows of one length in {name!r}", "others")
    denominator = _integer(data["denominator"])
    if denominator <= 0:
        raise _error(f"a positive denominator in {name!r}", f"{number_text(denominator):.30}")
    return RationalMatrix(flint.fmpz_mat(rows), denominator)


def _list(data: Any, name: str) -> Sequence[Any]:
    if not isinstance(data, list):
        raise _error(f"a list in {name!r}", type(data).__name__)
    return data


def _integer(value: Any) -> int:
    number = parsed_number(value, MOST_DIGITS)
    if number is None or number.denominator != 1:
        raise _error('whole numbers such as "-3"', f"{value!r:.30}")
    return int(number)


def _fraction(value: Any) -> Fraction:
    number = parsed_number(value, MOST_DIGITS)
    if number is None:
        raise _error('numbers such as "-1/3"', f"{value!r:.30}")
    return number


def _error(needed: str, received: str) -> CertificateError:
    return CertificateError(f"A proof file needs {needed} but received {received}. Write it anew with save_proof.")
