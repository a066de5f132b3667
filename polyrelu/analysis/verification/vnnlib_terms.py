"""What VNN-LIB files are made of: nested lists of words with their lines, linear terms, and/or/not in normal form."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.errors import FileError

__all__ = ["Atom", "Expression", "Formula", "conjunctions", "expressions", "linear_atoms", "refuse"]

DEEPEST = 100
"""Levels of brackets."""
MOST_ATOMS = 2_000_000
"""Conditions after `or` has been multiplied out."""
LONGEST_NUMBER = 400
LARGEST_EXPONENT = 400
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE]([-+]?\d{1,4}))?")
TOKEN = re.compile(r"[()]|[^\s();\"|]+|;[^\n]*|\s+|.", re.DOTALL)
TURNED = {"<=": ">", ">=": "<", "<": ">=", ">": "<="}
"""What the negation of a comparison says."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A word, or a list of expressions in brackets.

    Attributes
    ----------
    line : int
        Where it starts, from 1.
    word : str
        Empty for a list.
    items : tuple of Expression
    """

    line: int
    word: str
    items: tuple[Expression, ...] = ()

    @property
    def head(self) -> str:
        """The first word of a list."""
        return self.items[0].word if self.items else ""

    @property
    def is_empty(self) -> bool:
        """True for ``()``."""
        return not self.word and not self.items

    @property
    def text(self) -> str:
        """The expression as it was written, up to spaces; long ones are cut."""
        if self.word:
            return self.word
        shown = " ".join(item.text for item in self.items[:4])
        return f"({shown}{' ...' if len(self.items) > 4 else ''})"


@dataclass(frozen=True, slots=True)
class Atom:
    """The condition ``sum(factor * variable) + constant >= 0``, or ``> 0``.

    Attributes
    ----------
    kind : str
        "X" for inputs, "Y" for outputs.
    terms : tuple of (index, factor)
        Sorted, factors not zero; at least one.
    constant : Fraction
    strict : bool
    """

    kind: str
    terms: tuple[tuple[int, Fraction], ...]
    constant: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class Formula:
    """A condition without negations: an atom, or all or any of several formulas.

    Attributes
    ----------
    atom : Atom or None
    is_any : bool
        Whether one of the parts suffices; without parts, "any" is false and "all" is true.
    parts : tuple of Formula
    """

    atom: Atom | None
    is_any: bool = False
    parts: tuple[Formula, ...] = ()


def refuse(needs: str, received: Expression, label: str, advice: str) -> FileError:
    """Return the error that names a place in the file."""
    shown = received.text if len(received.text) <= 80 else received.text[:77] + "..."
    return FileError(f"VNN-LIB needs {needs} but line {received.line} of {label} has {shown!r}. {advice}")


def expressions(text: str, label: str) -> Iterator[Expression]:
    """Yield the lists on the top level of a text, without comments."""
    line = 1
    open_lists: list[tuple[int, list[Expression]]] = []
    for match in TOKEN.finditer(text):
        token = match.group()
        here, line = line, line + token.count("\n")
        if token[0] == ";" or token.isspace():
            continue
        if token == "(":
            open_lists.append((here, []))
            if len(open_lists) > DEEPEST:
                raise FileError(
                    f"VNN-LIB needs at most {DEEPEST} levels of brackets but line {here} of {label} has more. "
                    "Flatten the condition."
                )
            continue
        if not open_lists or token in '"|':
            raise refuse("words inside of round brackets", Expression(here, token), label, "Repair the line.")
        if token != ")":
            open_lists[-1][1].append(Expression(here, token))
            continue
        start, items = open_lists.pop()
        expression = Expression(start, "", tuple(items))
        if open_lists:
            open_lists[-1][1].append(expression)
        else:
            yield expression
    if open_lists:
        start = open_lists[0][0]
        raise FileError(
            f"VNN-LIB needs every bracket closed but {label} ends inside the one of line {start}. Close it."
        )


def linear_atoms(expression: Expression, declared: Mapping[str, int], label: str, turned: bool = False) -> Formula:
    """Return a condition, or its negation if ``turned``, as a formula of atoms."""
    head, parts = expression.head, expression.items[1:]
    if head == "not" and len(parts) == 1:
        return linear_atoms(parts[0], declared, label, not turned)
    if head in ("and", "or"):
        formulas = tuple(linear_atoms(part, declared, label, turned) for part in parts)
        return Formula(None, (head == "or") != turned, formulas)
    if expression.word in ("true", "false"):
        return Formula(None, (expression.word == "false") != turned)
    if head not in (*TURNED, "=") or len(parts) < 2:
        raise refuse("conditions of and, or, not, <=, >=, <, > and =", expression, label, "Write it with these.")
    terms = [_linear(part, declared, label) for part in parts]
    pairs = itertools.pairwise(terms)
    found = [_compared(head, left, right, turned, expression, label) for left, right in pairs]
    return found[0] if len(found) == 1 else Formula(None, turned, tuple(found))


def conjunctions(formulas: Sequence[Formula], label: str) -> list[tuple[Atom, ...]]:
    """Return all formulas together as a list of conjunctions, one of which has to hold."""
    return _multiplied_out(Formula(None, False, tuple(formulas)), label)


Linear = tuple[dict[str, Fraction], Fraction]
"""Factors of variables, and a constant."""


def _linear(expression: Expression, declared: Mapping[str, int], label: str) -> Linear:
    if expression.word:
        return _word(expression, declared, label)
    head, values = expression.head, [_linear(part, declared, label) for part in expression.items[1:]]
    if head == "+" and values:
        return _sum(values)
    if head == "-" and values:
        first = values[0] if len(values) > 1 else ({}, Fraction(0))
        return _sum([first, *(_times(value, Fraction(-1)) for value in values[1 if len(values) > 1 else 0 :])])
    if head == "*" and values:
        result = values[0]
        for value in values[1:]:
            if result[0] and value[0]:
                needs = "products with at most one variable"
                raise refuse(needs, expression, label, "Write linear conditions.")
            result = _times(value, result[1]) if value[0] else _times(result, value[1])
        return result
    if head == "/" and len(values) == 2 and not values[1][0] and values[1][1]:
        return _times(values[0], 1 / values[1][1])
    raise refuse("terms of +, -, * and / by a number that is not 0", expression, label, "Write linear conditions.")


def _word(expression: Expression, declared: Mapping[str, int], label: str) -> Linear:
    word = expression.word
    if word in declared:
        return {word: Fraction(1)}, Fraction(0)
    number = NUMBER.fullmatch(word) if len(word) <= LONGEST_NUMBER else None
    if number is None:
        raise refuse("declared variables and decimals", expression, label, "Declare it, or write a shorter decimal.")
    if number[3] and abs(int(number[3])) > LARGEST_EXPONENT:
        raise refuse(f"exponents up to {LARGEST_EXPONENT}", expression, label, "Rescale the condition.")
    return {}, Fraction(word)


def _sum(values: Sequence[Linear]) -> Linear:
    factors: dict[str, Fraction] = {}
    for terms, _ in values:
        for name, factor in terms.items():
            factors[name] = factors.get(name, Fraction(0)) + factor
    return {name: factor for name, factor in factors.items() if factor}, sum((c for _, c in values), Fraction(0))


def _times(value: Linear, factor: Fraction) -> Linear:
    terms, constant = value
    return ({name: factor * each for name, each in terms.items()} if factor else {}), factor * constant


def _compared(sign: str, left: Linear, right: Linear, turned: bool, where: Expression, label: str) -> Formula:
    """Return the formula of one comparison of two terms."""
    if sign == "=":
        both = tuple(_compared(each, left, right, turned, where, label) for each in ("<=", ">="))
        return Formula(None, turned, both)
    sign = TURNED[sign] if turned else sign
    smaller, larger = (left, right) if sign in ("<=", "<") else (right, left)
    factors, constant = _sum([larger, _times(smaller, Fraction(-1))])
    strict = sign in ("<", ">")
    if not factors:
        return Formula(None, not (constant > 0 or (constant == 0 and not strict)))
    kinds = {name[0] for name in factors}
    if len(kinds) > 1:
        raise refuse("conditions on inputs or on outputs", where, label, "Split what compares inputs with outputs.")
    terms = tuple(sorted((int(name[2:]), factor) for name, factor in factors.items()))
    return Formula(Atom(kinds.pop(), terms, constant, strict))


def _multiplied_out(formula: Formula, label: str) -> list[tuple[Atom, ...]]:
    if formula.atom is not None:
        return [(formula.atom,)]
    if formula.is_any:
        found = [each for part in formula.parts for each in _multiplied_out(part, label)]
        return _within_limit(list(dict.fromkeys(found)), label)
    alone = tuple(part.atom for part in formula.parts if part.atom is not None)
    found = [alone]
    for part in formula.parts:
        if part.atom is None:
            others = _multiplied_out(part, label)
            _refuse_many(sum(map(len, found)) * len(others) + sum(map(len, others)) * len(found), label)
            found = [each + other for each in found for other in others]
    return found


def _within_limit(found: list[tuple[Atom, ...]], label: str) -> list[tuple[Atom, ...]]:
    _refuse_many(sum(map(len, found)), label)
    return found


def _refuse_many(n_atoms: int, label: str) -> None:
    if n_atoms > MOST_ATOMS:
        raise FileError(
            f"VNN-LIB needs at most {MOST_ATOMS} conditions once `or` is multiplied out but {label} has {n_atoms}. "
            "Split the property."
        )
