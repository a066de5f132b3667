"""`Property`: what must not happen, as a union of input polyhedra, each with a union of output polyhedra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.errors import InputError
from polyrelu.exact.linalg import dot
from polyrelu.exact.rational import to_fractions

__all__ = ["Halfspaces", "InputSet", "Property", "PropertyCase", "find_violation"]

Row = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Halfspaces:
    """The points with ``a · v + c >= 0`` for every row ``(a, c)``, and ``> 0`` where strict.

    Attributes
    ----------
    rows : tuple of integer rows, each of length dim + 1
    strict : tuple of bool, one for each row
    """

    rows: tuple[Row, ...]
    strict: tuple[bool, ...]

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.strict) or len({len(row) for row in self.rows}) > 1:
            raise InputError(
                f"Halfspaces need rows of one length and a flag for each but received {len(self.rows)} rows of the "
                f"lengths {sorted({len(row) for row in self.rows})} and {len(self.strict)} flags. Match them."
            )

    def contains(self, point: Sequence[Fraction]) -> bool:
        """Return whether a point satisfies every row."""
        values = [dot(row, (*point, 1)) for row in self.rows]
        return all(value > 0 or (value == 0 and not strict) for value, strict in zip(values, self.strict, strict=True))


@dataclass(frozen=True, slots=True)
class InputSet:
    """A polyhedron of inputs: bounds of single inputs, which may be missing, and further rows.

    Attributes
    ----------
    lower, upper : tuple of Fraction or None, length dim
        The inputs lie in ``lower <= x <= upper``; None where there is no bound.
    halfspaces : Halfspaces
        Further rows over the inputs. A strict bound is a bound and a strict row.
    """

    lower: tuple[Fraction | None, ...]
    upper: tuple[Fraction | None, ...]
    halfspaces: Halfspaces = Halfspaces((), ())

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.halfspaces.rows}
        if len(self.lower) != len(self.upper) or not widths <= {len(self.lower) + 1}:
            raise InputError(
                f"InputSet needs a lower and an upper bound for each input but received {len(self.lower)} and "
                f"{len(self.upper)}, and rows of the lengths {sorted(widths)}. Match them."
            )

    @staticmethod
    def box(lower: Sequence[object], upper: Sequence[object]) -> InputSet:
        """Return the box ``lower <= x <= upper``; text is taken exactly."""
        return InputSet(to_fractions(lower, "InputSet.box"), to_fractions(upper, "InputSet.box"))

    def contains(self, point: Sequence[Fraction]) -> bool:
        """Return whether a point lies in the polyhedron."""
        above = all(low is None or low <= x for low, x in zip(self.lower, point, strict=True))
        below = all(high is None or x <= high for high, x in zip(self.upper, point, strict=True))
        return above and below and self.halfspaces.contains(point)


@dataclass(frozen=True, slots=True)
class PropertyCase:
    """Inputs of a polyhedron whose outputs lie in one of several polyhedra.

    Attributes
    ----------
    inputs : InputSet
    outputs : tuple of Halfspaces
        Over the outputs.
    """

    inputs: InputSet
    outputs: tuple[Halfspaces, ...]


@dataclass(frozen=True, slots=True)
class Property:
    """What a network must not do: the property is violated by an input that lies in one of the cases.

    Attributes
    ----------
    n_inputs, n_outputs : int
    cases : tuple of PropertyCase
        A union. Without cases nothing violates the property.
    label : str
        How a person would call it; for messages.

    Examples
    --------
    >>> case = PropertyCase(InputSet.box([0], [1]), (Halfspaces(((1, -2),), (False,)),))
    >>> unsafe = Property(1, 1, (case,), "output >= 2 somewhere on [0, 1]")
    >>> Property(2, 1, (case,))
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: Property needs cases over 2 inputs and 1 outputs but case 0 has 1 inputs. Match them.
    """

    n_inputs: int
    n_outputs: int
    cases: tuple[PropertyCase, ...]
    label: str = "property"

    def __post_init__(self) -> None:
        for i, case in enumerate(self.cases):
            widths = {len(row) - 1 for halfspaces in case.outputs for row in halfspaces.rows} - {self.n_outputs}
            if len(case.inputs.lower) != self.n_inputs or widths:
                has = f"{min(widths)} outputs" if widths else f"{len(case.inputs.lower)} inputs"
                raise InputError(
                    f"Property needs cases over {self.n_inputs} inputs and {self.n_outputs} outputs but case {i} has "
                    f"{has}. Match them."
                )


def find_violation(
    unsafe: Property, inputs: Sequence[Fraction], outputs: Sequence[Fraction]
) -> tuple[int, int] | None:
    """Return which case and which of its output polyhedra hold a point and its outputs; None if none do."""
    for i, case in enumerate(unsafe.cases):
        if case.inputs.contains(inputs):
            for j, halfspaces in enumerate(case.outputs):
                if halfspaces.contains(outputs):
                    return i, j
    return None
