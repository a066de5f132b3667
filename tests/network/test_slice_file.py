"""Slices from JSON files."""

from __future__ import annotations

from fractions import Fraction

import pytest

from polyrelu.errors import FileError, InputError
from polyrelu.network.slice_file import read_slice
from polyrelu.network.slices import Slice


def written(folder, text):
    (folder / "slice.json").write_text(text)
    return folder / "slice.json"


def test_numbers_are_exact(tmp_path):
    found = read_slice(written(tmp_path, '{"points": [[0, 0.1, "1/3"], [1e-3, "0.25", -2]]}'))
    assert found.point([0]) == (0, Fraction(1, 10), Fraction(1, 3))
    assert found.point([1]) == (Fraction(1, 1000), Fraction(1, 4), -2)


def test_point_and_directions(tmp_path):
    found = read_slice(written(tmp_path, '{"point": [1, 2], "directions": [[0, 1], [3, 0]]}'))
    assert found == Slice.along([1, 2], [0, 1], [3, 0])


@pytest.mark.parametrize(
    ("text", "kind", "complaint"),
    [
        ("", FileError, "is not"),
        ("[" * 100_000, FileError, "is not"),
        ("3", FileError, "has none"),
        ('{"points": [[0, 1], [1, 0]], "point": [0, 0]}', FileError, "point"),
        ('{"points": null}', FileError, "lists of numbers"),
        ('{"points": [1, 2]}', FileError, "lists of numbers"),
        ('{"points": [[0, NaN], [1, 0]]}', InputError, "finite"),
        ('{"points": [[0, true], [1, 0]]}', InputError, "real number"),
        ('{"points": [[0, 0]]}', InputError, "2 points"),
        ('{"points": [[0, 0], [1]]}', InputError, "one length"),
    ],
)
def test_refusals(tmp_path, text, kind, complaint):
    file = written(tmp_path, text)
    with pytest.raises(kind, match=complaint) as caught:
        read_slice(file)
    assert str(file) in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        read_slice(tmp_path / "nowhere.json")
