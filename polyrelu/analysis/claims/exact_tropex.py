"""Linear terms of a network at data points (TropEx, Algorithm 3.1 of paper 004), in rationals.

A network is a tuple of layers, as in Table 1 there. Before layers ``1 .. l`` are merged, each output is

    N_i = max over P_i of (A h + a)  -  max over M of (A h + a),    h = the values behind layer l,

with one family P_i for each output (that has data) and one family M for all, and ``0 <= A <= A_max`` entry by entry
for every term ``(A, a)`` of every family. Merging keeps this. *Dense*, ``h = W g + b``: the terms become ``(A W, a +
A b)``, and adding ``K = A_max W^neg`` to all of them changes no difference; ``A W + K = A W^pos + (A_max - A) W^neg``
lies between 0 and ``A_max W^pos + K``. *ReLU*: because ``A >= 0``, ``A relu(z)`` is the maximum of the masked ``(A m)
z`` over all masks m; *LeakyReLU* likewise with factors 1 and alpha if ``0 <= alpha <= 1``, since then ``leaky(z) =
max(z, alpha z)``, and *MaxPool* with one input of each window. *Norm*, ``h = s g + t`` with ``s >= 0``: ``(A s, a + A
t)``. The choices that the network itself makes at a point x give terms that are largest there, and on all points with
the same choices: this proves Lemma 3.2, Algorithm 3.1 and the rows of Table 1 with the hypotheses named here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.analysis.claims.exact_layers import (
    Choice,
    Conv,
    Dense,
    LeakyRelu,
    MaxPool,
    Norm,
    Numbers,
    Point,
    Relu,
    TropexLayer,
    all_choices,
    choices_at,
    negative_part,
    positive_part,
    pull_back,
    pull_back_highest,
    times,
    transposed_convolution,
    values_at,
)

__all__ = [
    "Extracted",
    "Merge",
    "Term",
    "all_terms",
    "extract",
    "extracted_value",
    "label_of",
    "merge_layer",
    "start_terms",
]


@dataclass(frozen=True, slots=True)
class Term:
    """An affine function ``slopes · h + constant`` of the values behind the layers that are not merged yet."""

    slopes: Numbers
    constant: Fraction

    def at(self, values: Sequence[Fraction]) -> Fraction:
        """Return the value at a point."""
        return sum((a * v for a, v in zip(self.slopes, values, strict=True)), self.constant)


Merge = Callable[[TropexLayer, Choice, Numbers, Sequence[Term]], tuple[Numbers, list[Term]]]
"""A row of Table 1: ``merge(layer, choice, highest, terms) -> (highest, terms)``; ``highest`` is A_max there."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What Algorithm 3.1 returns: a term of the numerator and one of the denominator for each data point.

    Attributes
    ----------
    n_out : int
    labels : tuple of int, one for each data point
    plus, minus : tuples of Term, one for each data point
    """

    n_out: int
    labels: tuple[int, ...]
    plus: tuple[Term, ...]
    minus: tuple[Term, ...]


def extract(
    layers: Sequence[TropexLayer],
    points: Sequence[Point],
    labels: Sequence[int] | None = None,
    merge: Merge | None = None,
) -> Extracted:
    """Return the terms of a network at data points.

    Parameters
    ----------
    layers : sequence of layers, the last of them a `Dense` without activation
    points : sequence of tuples of Fraction
    labels : sequence of int, optional
        Of the points; default: those that the network gives (`label_of`).
    merge : callable, optional
        The rows of Table 1; default `merge_layer`, the corrected ones.

    Examples
    --------
    >>> from polyrelu import Network
    >>> from polyrelu.analysis.claims.exact_layers import layers_of
    >>> layers = layers_of(Network.from_arrays([([[1], [-1]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])]))
    >>> found = extract(layers, ((Fraction(3),), (Fraction(-1),)))
    >>> found.labels, [str(v) for v in extracted_value(found, (Fraction(3),))]
    ((0, 1), ['3', '-1'])
    >>> [str(v) for v in values_at(layers, (Fraction(3),))]
    ['3', '0']
    """
    if labels is None:
        labels = [label_of(values_at(layers, point)) for point in points]
    present = sorted(set(labels))
    pairs = [_term_pair(layers, choices_at(layers, x), i, present, merge) for x, i in zip(points, labels, strict=True)]
    plus, minus = (tuple(pair[side] for pair in pairs) for side in (0, 1))
    return Extracted(_n_out(layers), tuple(labels), plus, minus)


def extracted_value(found: Extracted, point: Point, own_denominator: bool = False) -> tuple[Fraction | None, ...]:
    """Return the extracted function at a point; None for a label without data, where it is an empty maximum.

    With ``own_denominator`` the second maximum runs over the data of the same label alone, as eq. (2) prints it, and
    not over all data, as Algorithm 3.1 does.
    """
    plus = [term.at(point) for term in found.plus]
    minus = [term.at(point) for term in found.minus]
    result: list[Fraction | None] = []
    for label in range(found.n_out):
        own = [k for k, other in enumerate(found.labels) if other == label]
        below = [minus[k] for k in own] if own_denominator else minus
        result.append(max(plus[k] for k in own) - max(below) if own else None)
    return tuple(result)


def label_of(outputs: Sequence[Fraction | None]) -> int:
    """Return the first of the largest outputs, those that are None left out.

    Examples
    --------
    >>> label_of([None, Fraction(1), Fraction(1)])
    1
    """
    return max((i for i, y in enumerate(outputs) if y is not None), key=lambda i: (outputs[i], -i))


def all_terms(layers: Sequence[TropexLayer], n_inputs: int) -> tuple[list[list[Term]], list[Term]]:
    """Return the families of Lemma 3.2 in full: every choice of every layer (for networks with few neurons).

    Returns
    -------
    list of lists of Term, one for each output; list of Term
        Numerators and the common denominator.
    """
    plus: list[list[Term]] = [[] for _ in range(_n_out(layers))]
    minus: list[Term] = []
    for choices in all_choices(layers, n_inputs):
        for label, family in enumerate(plus):
            above, below = _term_pair(layers, choices, label, range(len(plus)), None)
            family.append(above)
        minus.append(below)
    return plus, minus


def start_terms(last: Dense, labels: Sequence[int]) -> tuple[Numbers, list[Term], Term]:
    """Return A_max, the numerators of all outputs and the denominator that the last layer gives (steps 1 to 7).

    A_max is over the denominator and the numerators of the given labels: those without data have no rows to stack.
    """
    columns = [negative_part(column) for column in zip(*last.weight, strict=True)]
    below = Term(tuple(sum(column, Fraction(0)) for column in columns), sum(negative_part(last.bias), Fraction(0)))
    plus = [
        Term(tuple(w + c for w, c in zip(row, below.slopes, strict=True)), b + below.constant)
        for row, b in zip(last.weight, last.bias, strict=True)
    ]
    highest = tuple(max(column) for column in zip(below.slopes, *(plus[i].slopes for i in labels), strict=True))
    return highest, plus, below


def merge_layer(
    layer: TropexLayer, choice: Choice, highest: Numbers, terms: Sequence[Term]
) -> tuple[Numbers, list[Term]]:
    """Return A_max and terms before a layer from those behind it: Table 1 with its corrections.

    Constants change before slopes do; a scale with a negative entry counts as a diagonal dense layer; of several
    largest inputs of a window one is kept, and windows that overlap add up.
    """
    match layer:
        case Norm(scale, shift) if min(scale) < 0:
            zero = Fraction(0)
            rows = tuple(tuple(s if i == j else zero for j in range(len(scale))) for i, s in enumerate(scale))
            return merge_layer(Dense(rows, shift), choice, highest, terms)
        case Norm(scale, shift):
            pairs = [(_product(term.slopes, scale), term.constant + _dot(term.slopes, shift)) for term in terms]
            return _product(highest, scale), [Term(*pair) for pair in pairs]
        case Dense(weight, bias):
            positive, negative = (tuple(map(part, weight)) for part in (positive_part, negative_part))
            common = times(highest, negative)
            moved = [_sum(common, times(term.slopes, weight)) for term in terms]
            constants = [term.constant + _dot(term.slopes, bias) for term in terms]
            return _sum(common, times(highest, positive)), list(map(Term, moved, constants))
        case Conv():
            common = transposed_convolution(layer, highest, negative_part)
            moved = [_sum(common, transposed_convolution(layer, term.slopes)) for term in terms]
            constants = [term.constant + _dot(term.slopes, layer.biases) for term in terms]
            highest = _sum(common, transposed_convolution(layer, highest, positive_part))
            return highest, list(map(Term, moved, constants))
        case Relu() | LeakyRelu() | MaxPool():
            moved = [pull_back(choice, term.slopes) for term in terms]
            above = pull_back_highest(layer, highest, choice.n_inputs)
            return above, [Term(slopes, term.constant) for slopes, term in zip(moved, terms, strict=True)]


def _term_pair(
    layers: Sequence[TropexLayer], choices: Sequence[Choice], label: int, labels: Sequence[int], merge: Merge | None
) -> tuple[Term, Term]:
    """Return the term of one output and that of the denominator for given choices of all layers."""
    *hidden, last = layers
    assert isinstance(last, Dense)
    highest, plus, below = start_terms(last, labels)
    terms = [plus[label], below]
    for layer, choice in zip(reversed(hidden), reversed(choices), strict=True):
        highest, terms = (merge or merge_layer)(layer, choice, highest, terms)
    return terms[0], terms[1]


def _n_out(layers: Sequence[TropexLayer]) -> int:
    last = layers[-1]
    assert isinstance(last, Dense)
    return len(last.bias)


def _sum(left: Numbers, right: Numbers) -> Numbers:
    return tuple(a + b for a, b in zip(left, right, strict=True))


def _product(left: Numbers, right: Numbers) -> Numbers:
    return tuple(a * b for a, b in zip(left, right, strict=True))


def _dot(left: Numbers, right: Numbers) -> Fraction:
    return sum(_product(left, right), Fraction(0))
