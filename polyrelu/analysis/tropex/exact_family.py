"""TropEx in integers: how terms pass a network's layers, one activation pattern after the other.

The formulas are those of `polyrelu.analysis.tropex.extract`. All terms at one place in the network have one common
denominator, which depends on the network alone, so that everything is a matrix of integers: a row for each term, its
constant last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from polyrelu.analysis.tropex.convex_parts import convex_parts
from polyrelu.analysis.tropex.integer_affine import IntegerAffine, Row, Rows
from polyrelu.exact.rational import common_denominator
from polyrelu.network.activation import MAX_UNIT, Activation
from polyrelu.network.model import Network

__all__ = ["ExactFamily", "ExactMerge", "find_exact_family"]

@dataclass(frozen=True, eq=False)
class ExactMerge:
    """One hidden layer, as terms pass it from behind.

    Attributes
    ----------
    activation : Activation
    scale : int
        Common denominator of the slopes and intercepts of the activation's functions, and of their convex parts.
    affine : IntegerAffine
        The affine map before the activation.
    highest : list of int, length n_units
        A_max behind the layer, over ``denominator``.
    denominator : int
        Of the terms behind the layer.
    """

    activation: Activation
    scale: int
    affine: IntegerAffine
    highest: Row
    denominator: int

    def before(self, rows: Rows, digits: Sequence[int]) -> Rows:
        """Return terms before the layer from those behind it, where unit ``u`` is on piece ``digits[u]``."""
        starts, kinds = self.activation.indptr.tolist(), self.activation.kind.tolist()
        result: Rows = []
        for row in rows:
            z, constant = [0] * self.activation.n_preactivations, row[-1] * self.scale
            for unit, digit in enumerate(digits):
                if kinds[unit] == MAX_UNIT:
                    z[starts[unit] + digit] = self.scale * row[unit]
                    continue
                (slope, intercept), (fall, falling) = self._pieces[kinds[unit]][digit]
                z[starts[unit]] = slope * row[unit] + fall * self.highest[unit]
                constant += intercept * row[unit] + falling * self.highest[unit]
            result.append([*z, constant])
        return self.affine.before(result, self.common)

    @cached_property
    def _pieces(self) -> list[list[tuple[tuple[int, int], tuple[int, int]]]]:
        """Slope and intercept of each function and of its falling part, a pair of pairs for each piece."""
        return [
            [
                (
                    (int(f.slopes[d] * self.scale), int(f.intercepts[d] * self.scale)),
                    (int(g.slopes[d] * self.scale), int(g.intercepts[d] * self.scale)),
                )
                for d in range(f.n_pieces)
            ]
            for f in self.activation.functions
            for g in [convex_parts(f)[1]]
        ]

    @cached_property
    def common(self) -> Row:
        """The paper's K."""
        return self.affine.common(self.highest_inside)

    @cached_property
    def highest_inside(self) -> Row:
        """A_max in the preactivations, over ``denominator * scale``."""
        steepest = [
            int(max(slope for part in convex_parts(f) for slope in part.slopes) * self.scale)
            for f in self.activation.functions
        ]
        result = []
        for unit, kind in enumerate(self.activation.kind.tolist()):
            size = int(self.activation.indptr[unit + 1] - self.activation.indptr[unit])
            result += [self.highest[unit] * (self.scale if kind == MAX_UNIT else steepest[kind])] * size
        return result


@dataclass(frozen=True, eq=False)
class ExactFamily:
    """Where exact terms start, and how they pass the layers.

    Attributes
    ----------
    network : Network
    plus : list of n_out lists of int
        The term of each output behind the hidden layers.
    minus : list of int
        The common term.
    merges : tuple of ExactMerge
        The last hidden layer first.
    input_map : (IntegerAffine, list of int) or None
        A slice before the first layer, and its K.
    denominator : int
        Of the terms at the network's inputs.
    """

    network: Network
    plus: Rows
    minus: Row
    merges: tuple[ExactMerge, ...]
    input_map: tuple[IntegerAffine, Row] | None
    denominator: int

    def terms(self, digits: Sequence[Sequence[int]], labels: Sequence[int]) -> Rows:
        """Return the common term and those of some outputs at the network's inputs, over ``denominator``."""
        return self.stages(digits, labels)[-1]

    def stages(self, digits: Sequence[Sequence[int]], labels: Sequence[int]) -> list[Rows]:
        """Return the common term and those of some outputs behind each hidden layer, the last first, and at the inputs.

        Parameters
        ----------
        digits : a sequence of unit digits for each hidden layer
        labels : sequence of int
            Outputs; their terms follow the common one.
        """
        stages = [[self.minus, *(self.plus[label] for label in labels)]]
        for merge, own in zip(self.merges, reversed(digits), strict=True):
            stages.append(merge.before(stages[-1], own))
        if self.input_map is not None:
            affine, common = self.input_map
            stages[-1] = affine.before(stages[-1], common)
        return stages


def find_exact_family(network: Network, present: Sequence[int]) -> ExactFamily:
    """Return A_max and what follows from it, for terms of the outputs that are present."""
    output = IntegerAffine.of_layer(network.exact.layers[-1], network.output.n_inputs)
    weight = output.dense_rows()
    minus = [sum((max(-w, 0) for w in column), 0) for column in zip(*weight, strict=True)]
    constant = sum((max(-b, 0) for b in output.bias), 0)
    plus = [
        [*(w + m for w, m in zip(row, minus, strict=True)), b + constant]
        for row, b in zip(weight, output.bias, strict=True)
    ]
    highest = [max(column) for column in zip(minus, *(plus[label][:-1] for label in present), strict=True)]
    merges, denominator = [], output.scale
    for floats, layer in zip(reversed(network.hidden), reversed(network.exact.layers[:-1]), strict=True):
        functions = [g for f in layer.activation.functions for g in (f, *convex_parts(f))]
        scale = common_denominator(v for f in functions for v in (*f.slopes, *f.intercepts))
        affine = IntegerAffine.of_layer(layer, floats.n_inputs)
        merge = ExactMerge(layer.activation, scale, affine, highest, denominator)
        highest = affine.magnitudes(merge.highest_inside)
        denominator *= scale * affine.scale
        merges.append(merge)
    input_map = None
    if network.input_map is not None:
        affine = IntegerAffine.of_map(network.input_map)
        input_map, denominator = (affine, affine.common(highest)), denominator * affine.scale
    return ExactFamily(network, plus, [*minus, constant], tuple(merges), input_map, denominator)
