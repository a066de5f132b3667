"""VNN-LIB files: properties of networks as linear conditions on inputs and outputs, read exactly.

The language is the part of SMT-LIB that the verification competitions use: ``declare-const`` or ``declare-fun`` of
reals ``X_i`` and ``Y_j``, and ``assert`` of conditions made of ``and``, ``or``, ``not``, ``<=``, ``>=``, ``<``, ``>``,
``=`` and linear terms. All asserts together describe what must *not* happen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path

from polyrelu.analysis.verification.property import Halfspaces, InputSet, Property, PropertyCase
from polyrelu.analysis.verification.vnnlib_terms import (
    Atom,
    Expression,
    conjunctions,
    expressions,
    linear_atoms,
    refuse,
)
from polyrelu.errors import FileError
from polyrelu.exact.rational import primitive_row

__all__ = ["parse_vnnlib", "read_vnnlib"]

LARGEST_FILE = 64 << 20
"""Bytes; the largest published properties, of images, have a few million."""
IGNORED = ("set-logic", "set-info", "set-option", "check-sat", "get-model", "exit")
"""Commands that say nothing about the property."""


def read_vnnlib(path: str | PathLike[str]) -> Property:
    """Return the property in a VNN-LIB file.

    Raises
    ------
    FileError
        If the file cannot be read, or says something else than linear conditions on declared inputs and outputs.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise FileError(
                f"`read_vnnlib` needs a file of at most {LARGEST_FILE >> 20} MB but {str(path)!r} is larger. "
                "Write boxes of inputs as bounds, and split the property."
            )
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"`read_vnnlib` needs a readable text file but received {str(path)!r} ({reason}). Check the path."
        raise FileError(message) from None
    return parse_vnnlib(text, file.name)


def parse_vnnlib(text: str, label: str = "property") -> Property:
    """Return the property that a text in VNN-LIB describes.

    Parameters
    ----------
    text : str
    label : str
        The property's name, for messages.

    Raises
    ------
    FileError
        As `read_vnnlib`; the message names the line.

    Examples
    --------
    >>> unsafe = parse_vnnlib('''(declare-const X_0 Real) (declare-const Y_0 Real)
    ... (assert (>= X_0 0.1)) (assert (<= X_0 1e0)) (assert (or (< Y_0 (* 2.0 3)) (not (<= Y_0 7))))''')
    >>> unsafe.cases[0].inputs.lower, [sets.rows for sets in unsafe.cases[0].outputs]
    ((Fraction(1, 10),), [((-1, 6),), ((1, -7),)])
    >>> parse_vnnlib("(declare-const Y_0 Real) (assert (<= (* Y_0 Y_0) 1))")
    Traceback (most recent call last):
    ...
    polyrelu.errors.FileError: VNN-LIB needs products with at most one variable but line 1 of property has \
'(* Y_0 Y_0)'. Write linear conditions.
    """
    declared: dict[str, int] = {}
    formulas = []
    for expression in expressions(text, label):
        command = expression.head
        if command in ("declare-const", "declare-fun"):
            _declare(expression, declared, label)
        elif command == "assert" and len(expression.items) == 2:
            formulas.append(linear_atoms(expression.items[1], declared, label))
        elif command not in IGNORED:
            raise refuse("declare-const, declare-fun and assert with one condition", expression, label, "Remove it.")
    sizes = {kind: _number_declared(declared, kind, label) for kind in "XY"}
    cases = _cases(conjunctions(formulas, label), sizes["X"], sizes["Y"])
    return Property(sizes["X"], sizes["Y"], cases, label)


def _declare(expression: Expression, declared: dict[str, int], label: str) -> None:
    words = [item.text for item in expression.items[1:] if not (expression.head == "declare-fun" and item.is_empty)]
    if len(words) != 2 or words[1] != "Real" or not re.fullmatch(r"[XY]_(0|[1-9]\d{0,6})", words[0]):
        raise refuse("declarations of reals X_i and Y_j", expression, label, "Rename the variable.")
    if words[0] in declared:
        raise refuse("each variable declared once", expression, label, "Remove one.")
    declared[words[0]] = expression.line


def _number_declared(declared: dict[str, int], kind: str, label: str) -> int:
    found = sorted(int(name[2:]) for name in declared if name[0] == kind)
    if found != list(range(len(found))):
        gap = next(i for i, number in enumerate(found) if number != i)
        raise FileError(
            f"VNN-LIB needs {kind}_0 to {kind}_{found[-1]} declared without a gap but {label} lacks {kind}_{gap}. "
            "Declare it."
        )
    return len(found)


@dataclass(frozen=True, slots=True)
class _Conjunction:
    """The atoms of one way to violate the property, those of inputs and those of outputs."""

    inputs: tuple[Atom, ...]
    outputs: tuple[Atom, ...]


def _cases(found: Sequence[Sequence[Atom]], n_inputs: int, n_outputs: int) -> tuple[PropertyCase, ...]:
    """Return conjunctions as cases; those with the same conditions on inputs share one."""
    grouped: dict[tuple[Atom, ...], dict[Halfspaces, None]] = {}
    for atoms in found:
        inputs = tuple(atom for atom in atoms if atom.kind == "X")
        outputs = tuple(dict.fromkeys(atom for atom in atoms if atom.kind == "Y"))
        rows = tuple(_row(atom, n_outputs) for atom in outputs)
        grouped.setdefault(inputs, {})[Halfspaces(rows, tuple(atom.strict for atom in outputs))] = None
    return tuple(PropertyCase(_input_set(inputs, n_inputs), tuple(outputs)) for inputs, outputs in grouped.items())


def _input_set(atoms: Sequence[Atom], n_inputs: int) -> InputSet:
    lower: list[Fraction | None] = [None] * n_inputs
    upper: list[Fraction | None] = [None] * n_inputs
    others: dict[Atom, None] = {}
    for atom in atoms:
        if len(atom.terms) == 1:
            [(index, factor)] = atom.terms
            bound = -atom.constant / factor
            old = lower[index] if factor > 0 else upper[index]
            if factor > 0:
                lower[index] = bound if old is None else max(bound, old)
            else:
                upper[index] = bound if old is None else min(bound, old)
        if len(atom.terms) > 1 or atom.strict:
            others[atom] = None
    rows = tuple(_row(atom, n_inputs) for atom in others)
    return InputSet(tuple(lower), tuple(upper), Halfspaces(rows, tuple(atom.strict for atom in others)))


def _row(atom: Atom, size: int) -> tuple[int, ...]:
    values = [Fraction(0)] * size + [atom.constant]
    for index, factor in atom.terms:
        values[index] = factor
    return primitive_row(values)
