"""Wrong certificates are refused by both checkers with the condition that fails, and never with another error."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_changes import START, adding, put, setting, swap, with_header
from two_checkers import renewed, stored

from polyrelu.certificate.format import BASES, Certificate, Points, read_certificate
from polyrelu.errors import FileError
from polyrelu.exact.domain import Domain
from polyrelu.exact.matrix import RationalMatrix


def test_unchanged_certificates_are_accepted(good, checkers):
    for name, certificate in good.items():
        assert checkers[name].accept(certificate).n_regions == certificate.n_regions > 2


# Every field ----------------------------------------------------------------------------------------------------------


def domain(rows: object) -> Callable[[Certificate], Certificate]:
    return lambda c: replace(c, domain=Domain(c.domain.dim, tuple(rows(c.domain.rows))))


def witness(place: int, *point: object) -> Callable[[Certificate], Certificate]:
    return lambda c: replace(c, witnesses=Points(c.witnesses.floats, {place: tuple(map(Fraction, point))}))


def far(certificate: Certificate) -> Points:
    return Points(certificate.facet_points.floats, {10**6: (Fraction(1, 3),) * 3})


FIELDS = [
    ("plane", "network", lambda c: replace(c, network="0" * 64), "another network", 1),
    ("plane", "input_map rows", lambda c: replace(c, input_map=RationalMatrix.from_rows([[1, 0, 0]])), "input map", 1),
    ("plane", "input_map", lambda c: replace(c, input_map=RationalMatrix.from_rows([[-1, 0, 0], [0, 1, 0]])), ".", 2),
    ("plane", "dim", lambda c: replace(c, domain=Domain.all(3)), "lists of 3 numbers", 1),
    ("plane", "levels less", lambda c: replace(c, levels=c.levels[:-1]), "2 levels, unlike the network", 1),
    ("plane", "levels more", lambda c: replace(c, levels=(*c.levels, c.levels[-1])), "4 levels, unlike the network", 1),
    ("plane", "proof", lambda c: replace(c, proof="volumes"), "no proof of the kind 'volumes'", 1),
    ("plane", "proof bases", lambda c: replace(c, proof=BASES), "arrays", 1),
    ("space", "proof polygons", lambda c: replace(c, proof="polygons"), "no proof of the kind 'polygons'", 1),
    ("plane", "domain cut", domain(lambda rows: [(1, 0, -1), *rows[1:]]), ".", 2),
    ("space", "domain cut", domain(lambda rows: [(1, 0, 0, -1), *rows[1:]]), ".", 2),
    ("plane", "domain more", domain(lambda rows: [*rows, (-1, 0, 1)]), "negative at a corner", 2),
    ("space", "domain more", domain(lambda rows: [*rows, (-1, 0, 0, 1)]), "too few bases", 2),
    ("plane", "domain less", domain(lambda rows: rows[:-1]), "a row that the domain does not have", 1),
    ("plane", "domain turned", domain(lambda rows: [rows[1], rows[0], *rows[2:]]), "polygon", 2),
    ("plane", "domain empty", domain(lambda rows: [*rows, (0, 0, -1)]), "negative at a corner", 2),
    ("space", "domain empty", domain(lambda rows: [*rows, (0, 0, 0, -1)]), "negative somewhere", 2),
    ("plane", "exact_witnesses", witness(0, 7, "1/3"), "witness is not strictly inside", 4),
    ("plane", "exact_witnesses place", witness(1, "1/3", "1/3"), "do not fit each other", 1),
    ("plane", "exact_witnesses range", witness(10**6, "1/3", "1/3"), "do not fit each other", 1),
    ("plane", "exact_witnesses negative", witness(-1, "1/3", "1/3"), "do not fit each other", 1),
    ("plane", "exact_witnesses length", witness(0, "1/3"), "lists of 2 numbers", 1),
    ("plane", "parents", put("parents -1", setting(-1, 0)), "do not lie, in order", 1),
    ("plane", "parents range", put("parents -1", adding(-1, 1)), "do not lie, in order", 1),
    ("plane", "parents start", put("parents -1", setting(0, 1)), "do not lie, in order", 1),
    ("plane", "parents negative", put("parents -1", setting(0, -1)), "do not lie, in order", 1),
    ("plane", "parents less", put("parents -1", lambda a: a[:-1]), "do not fit each other", 1),
    ("plane", "digits order", put("digits 1", swap(0, 1)), "stands in the wrong place", 1),
    ("plane", "digits repeated", put("digits 1", setting(1, [0] * 5)), "stands in the wrong place", 1),
    ("plane", "digits range", put("digits 1", setting((-1, 0), 2)), "do not fit", 1),
    ("plane", "digits spare bits", put("digits 2", setting((-1, 0), 255)), "do not fit", 1),
    ("plane", "digits less", put("digits -1", lambda a: a[:-1]), "do not fit", 1),
    ("space", "digits", put("digits 1", setting(-1, 0)), "stands in the wrong place", 1),
    ("plane", "facets", put("facets -1", swap((0, 0), (-1, 0))), "in the lists of both", 1),
    ("plane", "facets negative", put("facets -1", setting((0, 0), -1)), "between two of its cells", 1),
    ("plane", "facets same", put("facets -1", lambda a: setting((0, 1), a[0, 0])(a)), "between two of its cells", 1),
    ("plane", "facets range", put("facets -1", setting((0, 1), 10**6)), "between two of its cells", 1),
    ("plane", "facets row", put("facets 0", setting((0, 1), -9)), "a row that the domain does not have", 1),
    ("plane", "facets lowest", put("facets 0", setting((0, 1), -(2**31))), "a row that the domain does not have", 1),
    ("plane", "facets rows swapped", put("facets 0", swap((0, 1), (1, 1))), "polygon", 2),
    ("space", "facets rows swapped", put("facets 0", swap((0, 1), (1, 1))), ".", 2),
    ("plane", "starts", put("starts -1", adding(1, 1)), "in the lists of both", 1),
    ("plane", "starts first", put("starts -1", adding(0, 1)), "do not follow", 1),
    ("plane", "starts last", put("starts -1", adding(-1, 1)), "do not follow", 1),
    ("plane", "starts down", put("starts -1", setting(1, 2**62)), "do not follow", 1),
    ("plane", "starts overflow", put("starts 0", lambda a: [0, 2**63 - 1, -(2**63), -1, a[-1]]), "do not fit", 1),
    ("plane", "starts less", put("starts -1", lambda a: a[1:]), "do not fit", 1),
    ("plane", "sides order", put("sides 0", swap(0, 1)), "polygon", 2),
    ("plane", "sides range", put("sides -1", setting(0, 10**6)), "a facet that is not there", 1),
    ("plane", "sides negative", put("sides -1", setting(0, -1)), "a facet that is not there", 1),
    ("plane", "sides repeated", put("sides -1", lambda a: setting(0, a[1])(a)), "in the lists of both", 1),
    ("space", "sides order", put("sides -1", swap(0, 1)), ".", 2),
    ("space", "bases", put("bases 0", setting((0, 0), 1)), ".", 2),
    ("space", "bases range", put("bases -1", setting((0, 0), 10**4)), "names a facet that the cell does not have", 2),
    ("space", "bases twice", put("bases -1", setting(0, 1)), "do not span", 2),
    ("space", "bases unused", put("bases -1", setting(0, 65535)), "do not span", 2),
    ("space", "bases less", put("bases -1", lambda a: a[:-1]), "too few bases", 2),
    ("space", "bases more", put("bases -1", lambda a: [*a, a[-1]]), "more bases", 2),
    ("space", "bases wide", put("bases -1", lambda a: np.pad(a, [(0, 0), (0, 1)])), "do not fit", 1),
    ("plane", "bases in the plane", put("bases -1", lambda a: [[0, 1]]), "more bases", 2),
    ("plane", "witnesses", put("witnesses", swap(1, 2)), "witness is not strictly inside", 4),
    ("plane", "witnesses NaN", put("witnesses", setting((1, 0), np.nan)), "do not fit", 1),
    ("plane", "witnesses infinite", put("witnesses", setting((1, 0), np.inf)), "do not fit", 1),
    ("plane", "witnesses less", put("witnesses", lambda a: a[:-1]), "do not fit", 1),
    ("plane", "witnesses wide", put("witnesses", lambda a: np.pad(a, [(0, 0), (0, 1)])), "do not fit", 1),
    ("plane", "facet_starts", put("facet_starts", adding(1, 1)), "are said to vanish on facet", 7),
    ("plane", "facet_starts last", put("facet_starts", adding(-1, 1)), "do not follow", 1),
    ("plane", "facet_starts down", put("facet_starts", setting(2, -1)), "do not follow", 1),
    ("plane", "facet_starts less", put("facet_starts", lambda a: a[:-1]), "do not fit", 1),
    ("plane", "facet_neurons", put("facet_neurons", adding(0, 1)), "are said to vanish on facet", 7),
    ("plane", "facet_neurons less", put("facet_neurons", lambda a: a[:-1]), "do not follow", 1),
    ("plane", "maps", put("maps", setting(-1, 0)), "affine map is not that", 8),
    ("plane", "maps later", put("maps", adding(0, 1)), "affine map is not that", 8),
    ("plane", "maps less", put("maps", lambda a: a[:-1]), "do not fit", 1),
    ("plane", "linear_regions", put("linear_regions", setting(-1, 0)), "linear regions are not", 8),
    ("plane", "linear_regions later", put("linear_regions", adding(0, 1)), "linear regions are not", 8),
    ("plane", "linear_regions less", put("linear_regions", lambda a: a[:-1]), "linear regions", 1),
    ("space", "facet_points", put("facet_points", setting(0, 0)), "not beyond it alone", 5),
    ("space", "facet_points swapped", put("facet_points", swap(0, 1)), "not beyond it alone", 5),
    ("space", "facet_points NaN", put("facet_points", setting((0, 0), np.nan)), "do not fit", 1),
    ("space", "facet_points less", put("facet_points", lambda a: a[:-1]), "do not fit", 1),
    ("plane", "facet_points in the plane", put("facet_points", lambda a: np.zeros((1, 2))), "do not fit", 1),
    ("space", "exact_facet_points", lambda c: replace(c, facet_points=far(c)), "do not fit", 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "field", "change", "words", "condition"), FIELDS, ids=[f"{f[0]}: {f[1]}" for f in FIELDS]
)
def test_every_changed_field_is_refused(kind, field, change, words, condition, good, checkers):
    changed = change(good[kind])
    assert stored(changed) != stored(good[kind])
    refusal, reason = checkers[kind].refuse(changed)
    assert f"condition {condition} " in reason, reason
    assert words == "." or words in refusal


HEADER = [
    ("domain", [["1/2", "0", "1/2"], ["-1", "0", "2"], ["0", "1", "1"], ["0", "-1", "2"]], "integers"),
    ("network", 5, "another network"), ("input_map", [], "input map"),
    ("input_map", [["1", "0"]], "lists of 3 numbers"), ("input_map", {"100": 1}, "lists of 3 numbers"),
    ("dim", 3, "."), ("dim", -1, "needs a dimension"), ("dim", "2", "."), ("dim", 2.0, "."), ("dim", True, "."),
    ("dim", 10**30, "."), ("domain", 5, "cannot be read"), ("domain", ["101"], "lists of 3"),
    ("domain", [["1", "0", "1/2"]], "integers"), ("domain", [["1", "0"]], "lists of 3"),
    ("domain", [["1", "0", "1e9"]], "look like"), ("domain", [["1", "0", 1]], "look like"),
    ("domain", [["1", "0", "1" * 4001]], "look like"), ("domain", [["1", "0", "1/0"]], "."),
    ("domain", [["1", "0", "١"]], "look like"), ("domain", [["1", "0", "1_0"]], "look like"),
    ("domain", None, "cannot be read"), ("label", 5, "label"), ("label", [[]], "label"),
    ("proof", ["polygons"], "no proof"), ("levels", 2, "shape for each"), ("levels", 0, "needs a dimension"),
    ("levels", 10**9, "shape for each"), ("levels", True, "."), ("levels", 3.0, "."),
    ("exact_witnesses", [], "cannot be read"), ("exact_witnesses", {"00": ["0", "0"]}, "plain numbers"),
    ("exact_witnesses", {"x": ["0", "0"]}, "cannot be read"),
    ("exact_witnesses", {"1" * 5000: ["0", "0"]}, "cannot be read"),
    ("exact_witnesses", {"0": ["0", "1e999999999"]}, "look like"),
    ("exact_witnesses", {"0": ["0", "nan"]}, "look like"), ("exact_witnesses", {"0": "00"}, "lists of 2"),
    ("exact_facet_points", {"0": ["0", "0"]}, "do not fit"), ("shapes", [], "shape for each"),
    ("shapes", {}, "shape for each"), ("shapes", 5, "."), ("other", 1, "needs the fields"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "words"), HEADER, ids=[f"{f[0]}-{i}" for i, f in enumerate(HEADER)])
def test_every_field_of_the_header_has_its_form(field, value, words, good, checkers):
    changed = with_header(stored(good["plane"]), lambda header: header.__setitem__(field, value))
    refusal, reason = checkers["plane"].refuse(changed)
    assert "condition 1 " in reason, reason
    assert words == "." or words in refusal


@pytest.mark.parametrize("field", ["network", "domain", "label", "shapes", "exact_facet_points"])
def test_no_field_may_be_missing(field, good, checkers):
    checkers["plane"].refuse(with_header(stored(good["plane"]), lambda h: h.pop(field) and None))


def test_the_label_is_not_used(good, checkers):
    checkers["plane"].accept(with_header(stored(good["plane"]), lambda h: h.__setitem__("label", "everywhere")))


SHAPES = [
    (0, [0]), (0, [1 << 60]), (0, [-1]), (0, [1.0]), (0, [True]), (0, [[1]]), (0, "1"), (0, None), (0, [1, 1]), (0, []),
    (1, [1 << 39, 0]), (2, [1 << 39, 0]), (2, [1 << 30, 1 << 30]), (3, [3]), (5, [1 << 39, 0]), (5, [0, 1 << 39]),
    (-1, [0, 3]), (-1, [0]), (-2, [1]), (18, [0]),
]  # fmt: skip


@pytest.mark.parametrize(("place", "shape"), SHAPES, ids=str)
def test_shapes_cannot_lie(place, shape, good, checkers):
    def change(header: dict) -> None:
        header["shapes"][place : place + 1 or None] = [shape]

    _, reason = checkers["plane"].refuse(with_header(stored(good["plane"]), change))
    assert "condition 1 " in reason


def test_hostile_files_are_refused(good, checkers):
    data = stored(good["plane"])
    relabelled = data.replace(b'"-1:2,', b'"-1:3,')
    assert relabelled != data and checkers["plane"].accepts(renewed(relabelled))
    size = len(data)
    for hostile in (
        relabelled, b"", b"\0" * size, data[:START], data[:-1], data + b"\0", renewed(data + b"\0"),
        renewed(data[:-33] + data[-32:]),
        data[: START - 8] + b"\xff" * 8 + data[START:], renewed(data[: START - 8] + b"\xff" * 8 + data[START:]),
        renewed(data[: START - 8] + struct.pack("<Q", 1 << 24) + data[START:]),
        renewed(data[: START - 8] + struct.pack("<Q", 0) + data[START:]), renewed(b"P" + data[1:]),
        renewed(data.replace(b"certificate 1", b"certificate 2")),
        with_header(data, lambda h: b"[" * 200_000), with_header(data, lambda h: b'{"a":' * 100_000),
        with_header(data, lambda h: b"1" * 100_000), with_header(data, lambda h: b"NaN"),
        with_header(data, lambda h: b"\xff\xfe"),
        with_header(data, lambda h: json.dumps([*h]).encode()),
        with_header(data, lambda h: json.dumps({**h, "levels": 10**9, "shapes": [[]] * 10**5}).encode()),
    ):  # fmt: skip
        _, reason = checkers["plane"].refuse(hostile)
        assert "condition 1 " in reason


def test_a_missing_file_is_no_certificate(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(FileError, match="needs a readable file"):
            read_certificate(path)


