"""Files of proofs about extracted functions: what was written comes back, and nothing else is believed."""

from __future__ import annotations

import copy
import json
from fractions import Fraction

import pytest

from polyrelu.analysis.data.patterns import exact_label
from polyrelu.analysis.tropex.proof_file import is_proof_file, read_proof, save_proof
from polyrelu.analysis.tropex.theorem import decide_extraction
from polyrelu.errors import CertificateError, FileError
from polyrelu.testing import gaussian, xor

NETWORK = gaussian([2, 4, 3], seed=3)
POINTS = [["1/2", 1], [-1, "2/3"], [3, -1]]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a proof as its file holds it."""
    path = tmp_path_factory.mktemp("proofs") / "proof.json"
    save_proof(decide_extraction(NETWORK, POINTS).evidence, path)
    assert is_proof_file(path)
    return json.loads(path.read_text())


def write(tmp_path, data):
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(data))
    return path


def places(data, way=()):
    """Yield the way to each number in a file."""
    if isinstance(data, dict | list):
        for key in data if isinstance(data, dict) else range(len(data)):
            yield from places(data[key], (*way, key))
    elif way[0] not in ("network", "polyrelu extraction"):
        yield way


def changed(data, way, change):
    """Return a copy with one place changed."""
    result = inner = copy.deepcopy(data)
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = change(inner[way[-1]])
    return result


def another(data, way):
    """Return a function that gives a place another value of its kind."""
    if way[0] == "n_out":
        return lambda n: n + 1
    if way[0] == "labels":
        return lambda label: (label + 1) % data["n_out"]
    if way[-1] == "pattern":
        return lambda pattern: "0000" if pattern != "0000" else "1111"
    return lambda _: "1000003"


def test_what_was_written_comes_back(tmp_path, data):
    proof = read_proof(write(tmp_path, data), NETWORK)
    proof.check()
    again = tmp_path / "again.json"
    save_proof(proof, again)
    assert json.loads(again.read_text()) == data
    with pytest.raises(FileError, match="exists"):
        save_proof(proof, again)


def test_numbers_may_be_longer_than_python_writes(tmp_path):
    point = [Fraction(1, 3**10_000), 1]
    with pytest.raises(ValueError, match="digits"):
        str(point[0])
    file = tmp_path / "long.json"
    save_proof(decide_extraction(NETWORK, [point, *POINTS]).evidence, file)
    proof = read_proof(file, NETWORK)
    assert proof.points[0][0] == point[0]
    proof.check()


def test_one_number_changed_is_refused(tmp_path, data):
    ways = [way for way in places(data) if way[0] != "points"]
    assert len(ways) == 150
    for way in ways:
        file = write(tmp_path, changed(data, way, another(data, way)))
        with pytest.raises(CertificateError):
            read_proof(file, NETWORK).check()


def test_points_may_move_inside_their_region(tmp_path, data):
    for way in (way for way in places(data) if way[0] == "points"):
        moved = changed(data, way, another(data, way))
        before, after = (read_proof(write(tmp_path, each), NETWORK).points[way[1]] for each in (data, moved))
        same = NETWORK.exact.pattern_at(before) == NETWORK.exact.pattern_at(after)
        proof, label = read_proof(write(tmp_path, moved), NETWORK), data["labels"][way[1]]
        if same and exact_label(NETWORK.exact(after)) == label:
            proof.check()
        else:
            with pytest.raises(CertificateError):
                proof.check()


@pytest.mark.parametrize(
    ("way", "value", "message"),
    [
        (("n_out",), 3.0, "JSON"),
        (("n_out",), "3", "whole numbers as labels"),
        (("labels", 0), True, "whole numbers as labels"),
        (("points", 0, 0), 0.5, "JSON"),
        (("points", 0, 0), "1/0", "numbers such as"),
        (("points", 0, 0), "0x1", "numbers such as"),
        (("points", 0, 0), "1" * 70_000, "numbers such as"),
        (("points",), {}, "a list"),
        (("points", 0), [], "points of the network's dimension"),
        (("plus", "denominator"), "0", "positive denominator"),
        (("plus", "denominator"), "-8", "positive denominator"),
        (("plus", "numerators"), [], "rows of one length"),
        (("plus", "numerators", 0), ["1"], "rows of one length"),
        (("plus", "numerators", 0, 0), "1/2", "whole numbers such as"),
        (("minus",), [], "a denominator and numerators"),
        (("regions", 0, "pattern"), "1x!", "patterns"),
        (("regions", 0, "pattern"), 7, "patterns"),
        (("regions", 0), {"pattern": "1"}, "a pattern, terms and multipliers"),
        (("regions",), [], "a label and a region for each point"),
        (("network",), "00", "the network"),
        (("polyrelu extraction",), 2, "version 1"),
    ],
)
def test_damaged_files_are_refused(tmp_path, data, way, value, message):
    file = write(tmp_path, changed(data, way, lambda _: value))
    with pytest.raises(CertificateError, match=message):
        read_proof(file, NETWORK).check()


def test_other_files_are_refused(tmp_path, data):
    file = write(tmp_path, data)
    with pytest.raises(CertificateError, match="about"):
        read_proof(file, xor())
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(CertificateError, match="JSON"):
        read_proof(file, NETWORK)
    file.write_bytes(b"[" * 100_000)
    with pytest.raises(CertificateError, match="JSON"):
        read_proof(file, NETWORK)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CertificateError, match="JSON"):
        read_proof(file, NETWORK)
    assert not is_proof_file(file) and not is_proof_file(tmp_path / "none")
    with pytest.raises(FileError, match="readable file"):
        read_proof(tmp_path / "none", NETWORK)
