"""Layers and regions as the search for the nearest change of class sees them: rows with float copies."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polyrelu.analysis.robustness.nearest import unit_rows
from polyrelu.certificate.answer_robustness import BallConditions, Step
from polyrelu.certificate.answer_rows import AnswerRow, LayerForms, Row, domain_rows
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import MAX_UNIT
from polyrelu.network.model import Network

__all__ = ["CellLayer", "FloatRows", "Path", "Question"]


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes
    ----------
    network : Network
    domain : Domain
    point : tuple of Fraction, length dim
        In the domain.
    label : int
        The class whose change is looked for.
    norm : {1, 2, math.inf}
    interior : tuple of Fraction, length dim
        In the relative interior of the domain.
    flatness : tuple of Fraction, one for each row of the domain
        As in `polyrelu.certificate.answer_robustness.ClassKept`.
    ball : BallConditions
        Around the point; its radius does not matter.
    """

    network: Network
    domain: Domain
    point: tuple[Fraction, ...]
    label: int
    norm: float
    interior: tuple[Fraction, ...]
    flatness: tuple[Fraction, ...]
    ball: BallConditions

    @cached_property
    def domain_rows(self) -> list[AnswerRow]:
        """The rows of the domain."""
        return domain_rows(self.network, self.domain)

    @cached_property
    def domain_floats(self) -> FloatRows:
        """The rows of the domain as unit rows."""
        return FloatRows.of(self, [row for row, _, _ in self.domain_rows])

    @cached_property
    def choices(self) -> list[Choices]:
        """What the digits of each hidden layer say."""
        forms, found = LayerForms.of(self.network), []
        while not forms.is_output:
            found.append(Choices.of(forms))
            forms = forms.behind([0] * len(forms.units))
        return found

    @cached_property
    def others(self) -> list[int]:
        """The other classes."""
        return [i for i in range(self.network.n_out) if i != self.label]


@dataclass(frozen=True)
class FloatRows:
    """Rows divided by the dual norms of their normals.

    Attributes
    ----------
    normals : float64 array, shape (n, dim)
        0 for a row that is constant on the domain.
    margins : float64 array, shape (n,)
        Signed distances of the point; for a constant row its sign times infinity, or 0.
    """

    normals: NDArray[np.float64]
    margins: NDArray[np.float64]

    @staticmethod
    def of(question: Question, rows: list[Row]) -> FloatRows:
        """Return rows as unit rows."""
        ball = question.ball
        is_constant = None if ball.directions is None else ball.is_constant
        return FloatRows(*unit_rows(rows, ball.point, question.norm, is_constant))


@dataclass(frozen=True)
class Choices:
    """All digits of all neurons of a layer in one list, each a choice, and what it says about the borders.

    Attributes
    ----------
    place, digit : int64 arrays, shape (n_choices,)
        Neuron of the layer, and its digit.
    first : list of int
        The first choice of each neuron.
    rows : list of list of int
        The conditions of each choice.
    starts : int64 array, shape (n_choices,)
        The first of them.
    borders, signs, is_strict : arrays, shape (n_conditions,)
    has_max : bool
        Whether there are max units.
    """

    place: NDArray[np.int64]
    digit: NDArray[np.int64]
    first: list[int]
    rows: list[list[int]]
    starts: NDArray[np.int64]
    borders: NDArray[np.int64]
    signs: NDArray[np.float64]
    is_strict: NDArray[np.bool_]
    has_max: bool

    @staticmethod
    def of(forms: LayerForms) -> Choices:
        """Return the choices of a layer; they depend on no digit before it."""
        pairs = [(place, digit) for place, n in enumerate(forms.n_digits) for digit in range(n)]
        found = [forms.conditions(place, digit) for place, digit in pairs]
        starts = np.cumsum([0, *(len(conditions) for conditions in found)])
        flat = [condition for conditions in found for condition in conditions]
        return Choices(
            place=np.array([place for place, _ in pairs], np.int64),
            digit=np.array([digit for _, digit in pairs], np.int64),
            first=np.cumsum([0, *forms.n_digits])[:-1].tolist(),
            rows=[list(range(a, b)) for a, b in itertools.pairwise(starts.tolist())],
            starts=starts[:-1],
            borders=np.array([c.border for c in flat], np.int64),
            signs=np.array([float(c.sign) for c in flat]),
            is_strict=np.array([c.is_strict for c in flat], bool),
            has_max=bool((forms.network.hidden[forms.layer].activation.kind == MAX_UNIT).any()),
        )


@dataclass(frozen=True)
class CellLayer:
    """A layer behind given digits of the layers before it.

    Attributes
    ----------
    question : Question
    forms : LayerForms
    """

    question: Question
    forms: LayerForms

    @cached_property
    def floats(self) -> FloatRows:
        """The borders as unit rows; for the outputs, one row for each other class: it is at least the label's."""
        forms = self.forms
        rows = list(forms.borders) if not forms.is_output else [
            forms.difference(other, self.question.label) for other in self.question.others
        ]  # fmt: skip
        return FloatRows.of(self.question, rows)

    @cached_property
    def alone(self) -> NDArray[np.float64]:
        """For each choice of the layer, how far away the farthest of its own rows begins."""
        choices, margins = self.choices, self.floats.margins
        distances = -choices.signs * margins[choices.borders]
        is_never = choices.is_strict & ((~self.floats.normals.any(axis=1)) & (margins == 0))[choices.borders]
        distances[is_never] = math.inf
        return np.maximum(np.maximum.reduceat(distances, choices.starts), 0.0)

    @property
    def choices(self) -> Choices:
        """What the digits of the layer say."""
        return self.question.choices[self.forms.layer]

    def digits_at(self, step: NDArray[np.float64]) -> list[int]:
        """Return the probable digits at the point moved by a step."""
        floats = self.floats.margins + self.floats.normals @ step
        if len(floats) and not self.choices.has_max:
            counts: list[int] = np.add.reduceat(floats > 0, self.forms.first_borders[:-1], dtype=np.int64).tolist()
            return counts
        values = floats.tolist()
        kinds = self.question.network.hidden[self.forms.layer].activation.kind
        first, digits = self.forms.first_borders, []
        for place, unit in enumerate(self.forms.units):
            if kinds[unit] != MAX_UNIT:
                digits.append(sum(value > 0 for value in values[first[place] : first[place + 1]]))
                continue
            best = 0
            for other in range(1, self.forms.n_digits[place]):
                if values[first[place] + other * (other - 1) // 2 + best] < 0:
                    best = other
            digits.append(best)
        return digits


@dataclass(eq=False)
class Path:
    """A region, as a way through the tree of digits, and what is known of the digits beside the way.

    Attributes
    ----------
    layers : list of CellLayer
        The outputs last.
    digits : list of int
        Of all neurons.
    places : list of (CellLayer, int)
        Layer of each neuron and its number there.
    starts : list of int
        Where the rows of each neuron begin, after those of the domain; the end of all comes last.
    normals, margins : float64 arrays, shapes (n_rows, dim) and (n_rows,)
        Rows of the domain and of all digits, as unit rows.
    first : int
        The neuron at which this way leaves another one.
    bound : float
        About how far away the region begins, or less.
    basis : tuple of (int, float)
        Multipliers of unit rows, in floats, that prove the bound.
    branches : dict
        (neuron, digit) to the path that goes on there.
    proposals : dict
        (neuron, digit), or (-1, class), to multipliers of unit rows, in floats.
    proofs : dict
        The same to exact multipliers of rows that prove: there is nothing.
    """

    layers: list[CellLayer]
    digits: list[int]
    places: list[tuple[CellLayer, int]]
    starts: list[int]
    normals: NDArray[np.float64]
    margins: NDArray[np.float64]
    first: int
    bound: float
    basis: tuple[tuple[int, float], ...]
    branches: dict[tuple[int, int], Path] = field(default_factory=dict)
    proposals: dict[tuple[int, int], tuple[tuple[int, float], ...]] = field(default_factory=dict)
    proofs: dict[tuple[int, int], Step] = field(default_factory=dict)

    def rows_beside(self, question: Question, neuron: int, digit: int) -> tuple[list[AnswerRow], list[AnswerRow]]:
        """Return the rows before a neuron, and those of a digit; neuron -1 stands for the outputs and a class."""
        last = neuron if neuron >= 0 else len(self.digits)
        rows = list(question.domain_rows)
        for i in range(last):
            layer, place = self.places[i]
            rows += layer.forms.rows(place, self.digits[i], i)
        if neuron < 0:
            return rows, [AnswerRow(self.layers[-1].forms.difference(digit, question.label), False, -1)]
        layer, place = self.places[neuron]
        return rows, layer.forms.rows(place, digit, neuron)

    def floats_beside(self, question: Question, neuron: int, digit: int) -> FloatRows:
        """Return the same rows as unit rows."""
        if neuron < 0:
            layer, last = self.layers[-1], len(self.margins)
            borders, signs = np.array([question.others.index(digit)]), np.ones(1)
        else:
            layer, last = self.places[neuron][0], self.starts[neuron]
            choices = layer.choices
            chosen = choices.rows[choices.first[self.places[neuron][1]] + digit]
            borders, signs = choices.borders[chosen], choices.signs[chosen]
        own = layer.floats
        normals, margins = signs[:, None] * own.normals[borders], signs * own.margins[borders]
        # Rows that are constant on the domain hold back no point.
        margins[~normals.any(axis=1)] = math.inf
        return FloatRows(np.vstack([self.normals[:last], normals]), np.concatenate([self.margins[:last], margins]))
