"""Single answers as text: JSON that can be kept, sent and checked again, by whoever has the network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction
from typing import Any

from polyrelu.certificate import answers
from polyrelu.certificate.number_text import MOST_DIGITS, number_text, parsed_json, parsed_number
from polyrelu.errors import CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

__all__ = ["Answer", "from_text", "to_text"]

Answer = (
    answers.MapsDiffer
    | answers.MapsEqual
    | answers.PairAdjacent
    | answers.PairNotAdjacent
    | answers.RegionBounded
    | answers.RegionEmpty
    | answers.RegionExists
    | answers.RegionUnbounded
    | answers.RowNeeded
    | answers.RowRedundant
)

VERSION = 1
KINDS = {kind.__name__: kind for kind in Answer.__args__}
MOST_CHARACTERS = 1 << 26
"""Longer texts are refused before they are read."""


def to_text(answer: Answer) -> str:
    """Return an answer as JSON; numbers are text such as "-1/3", the network is named by its hash.

    Examples
    --------
    >>> from polyrelu.network.model import Network
    >>> fold = Network.from_arrays([([[1], [-1]], [0, 10]), ([[1, 1]], [0])])
    >>> exists = answers.RegionExists(fold, Pattern.parse("11"), None, (Fraction(5, 2),))
    >>> text = to_text(exists)
    >>> text[:59]
    '{"answer": "RegionExists", "version": 1, "network": "528db1'
    >>> from_text(text, fold).check()
    >>> from_text(text.replace("5/2", "5/0"), fold)
    Traceback (most recent call last):
    ...
    polyrelu.errors.CertificateError: An answer in text needs numbers such as "-1/3" in 'point' but received '5/0'. \
Write it anew with to_text.
    """
    data: dict[str, Any] = {"answer": type(answer).__name__, "version": VERSION, "network": answer.network.hash}
    for name in _names(type(answer)):
        data[name] = _written(getattr(answer, name))
    return json.dumps(data)


def from_text(text: str, network: Network) -> Answer:
    """Return the answer that `to_text` wrote, about a network; it is read, not checked.

    Raises
    ------
    CertificateError
        If the text is damaged, too long, or about another network.
    """
    if len(text) > MOST_CHARACTERS:
        raise _error(f"at most {MOST_CHARACTERS} characters", f"{len(text)}")
    try:
        data = parsed_json(text)
    except (ValueError, RecursionError) as error:
        raise _error("JSON", f"text that is not ({error})") from None
    name = data.get("answer") if isinstance(data, dict) else None
    if not isinstance(name, str) or name not in KINDS:
        raise _error(f"one of the answers {', '.join(sorted(KINDS))}", _short(name))
    kind = KINDS[name]
    if set(data) != {"answer", "version", "network", *_names(kind)}:
        raise _error(f"the keys of {kind.__name__}", ", ".join(map(repr, sorted(data)[:12])))
    if data["version"] is True or data["version"] != VERSION:
        raise _error(f"version {VERSION}", repr(data["version"])[:40])
    if data["network"] != network.hash:
        raise _error(f"the network {network.hash[:12]}", repr(data["network"])[:40])
    values = {name: READERS[name](name, data[name]) for name in _names(kind)}
    return kind(network=network, **values)


def _names(kind: type[Answer]) -> list[str]:
    return [field.name for field in fields(kind) if field.name != "network"]


# --- writing ------------------------------------------------------------------------------------------------


def _written(value: Any) -> Any:
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, Pattern):
        return str(value)
    if isinstance(value, Domain):
        return {"dim": value.dim, "rows": [[number_text(v) for v in row] for row in value.rows], "label": value.label}
    return [number_text(v) for v in value]


# --- reading ------------------------------------------------------------------------------------------------


def _read_numbers(name: str, value: Any) -> tuple[Fraction, ...]:
    if not isinstance(value, list):
        raise _error(f"a list in {name!r}", _short(value))
    return tuple(_read_number(name, v) for v in value)


def _read_number(name: str, value: Any) -> Fraction:
    number = parsed_number(value)
    if number is None:
        raise _error(f'numbers such as "-1/3" in {name!r}', _short(value))
    return number


def _read_place(name: str, value: Any) -> int:
    if type(value) is not int:
        raise _error(f"a whole number in {name!r}", _short(value))
    return value


def _read_pattern(name: str, value: Any) -> Pattern:
    if not isinstance(value, str):
        raise _error(f"a pattern in {name!r}", _short(value))
    try:
        pattern = Pattern.parse(value)
    except (InputError, ValueError):
        raise _error(f"a pattern in {name!r}", _short(value)) from None
    if max(pattern.digits, default=0) >= MOST_DIGITS:
        raise _error(f"digits below {MOST_DIGITS} in {name!r}", _short(value))
    return pattern


def _read_domain(name: str, value: Any) -> Domain | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"dim", "rows", "label"}:
        raise _error(f"a domain in {name!r}", _short(value))
    dim, rows, label = value["dim"], value["rows"], value["label"]
    if type(dim) is not int or not isinstance(label, str) or not isinstance(rows, list):
        raise _error(f"a domain in {name!r}", _short(value))
    exact = [_read_numbers(name, row) for row in rows]
    if any(v.denominator != 1 for row in exact for v in row):
        raise _error(f"whole numbers in {name!r}", _short(value))
    try:
        return Domain(dim, tuple(tuple(int(v) for v in row) for row in exact), label)
    except InputError as error:
        raise _error(f"a domain in {name!r}", f"one that is refused ({error})") from None


READERS: dict[str, Callable[[str, Any], Any]] = {
    "pattern": _read_pattern,
    "other": _read_pattern,
    "domain": _read_domain,
    "point": _read_numbers,
    "ray": _read_numbers,
    "multipliers": _read_numbers,
    "row": _read_place,
    "output": _read_place,
    "column": _read_place,
}


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:50]}..."


def _error(needs: str, received: str) -> CertificateError:
    return CertificateError(f"An answer in text needs {needs} but received {received}. Write it anew with to_text.")
