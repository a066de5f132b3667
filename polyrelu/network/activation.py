"""Piecewise-linear activations, neuron by neuron, and max units.

A *unit* turns preactivations into one output. A scalar unit applies a continuous piecewise-linear
function to one preactivation; a max unit (max-pool, maxout) takes the largest of several. The digit
of a unit says which piece is active: the number of breakpoints strictly below the preactivation, or
the position of the winning input (the first one at a tie). For ReLU the digit is the familiar bit,
1 iff the preactivation is > 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import NetworkError
from polyrelu.exact.rational import to_fraction, to_fractions

__all__ = [
    "ABS",
    "HARD_SIGMOID",
    "HARD_TANH",
    "IDENTITY",
    "MAX_UNIT",
    "RELU",
    "RELU6",
    "Activation",
    "PiecewiseLinear",
    "clip",
    "leaky_relu",
]

MAX_UNIT = -1
"""Entry of `Activation.kind` that marks a max unit."""


@dataclass(frozen=True)
class PiecewiseLinear:
    """A continuous piecewise-linear function of one variable.

    Attributes
    ----------
    name : str
    breakpoints : tuple of Fraction, length p
        Strictly increasing.
    slopes, intercepts : tuple of Fraction, length p + 1
        Piece ``i`` is ``slopes[i] * z + intercepts[i]`` for ``breakpoints[i-1] < z <= breakpoints[i]``.

    Examples
    --------
    >>> RELU(Fraction(-3)), RELU(Fraction(2)), HARD_TANH.digit(Fraction(1, 2))
    (Fraction(0, 1), Fraction(2, 1), 1)
    >>> PiecewiseLinear("step", (0,), (0, 0), (0, 1))
    Traceback (most recent call last):
    ...
    polyrelu.errors.NetworkError: Activation 'step' needs to be continuous but jumps at 0. Make the pieces meet.
    """

    name: str
    breakpoints: tuple[Fraction, ...]
    slopes: tuple[Fraction, ...]
    intercepts: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        for field in ("breakpoints", "slopes", "intercepts"):
            object.__setattr__(self, field, to_fractions(getattr(self, field), f"Activation {self.name!r}"))
        if not len(self.slopes) == len(self.intercepts) == len(self.breakpoints) + 1:
            raise NetworkError(
                f"Activation {self.name!r} needs one slope and one intercept more than breakpoints but received "
                f"{len(self.breakpoints)} breakpoints, {len(self.slopes)} slopes, {len(self.intercepts)} intercepts. "
                "Give one pair for each piece."
            )
        for left, right in zip(self.breakpoints, self.breakpoints[1:], strict=False):
            if left >= right:
                raise NetworkError(
                    f"Activation {self.name!r} needs increasing breakpoints but received {left} before {right}. "
                    "Sort them."
                )
        for i, point in enumerate(self.breakpoints):
            if self.piece(i, point) != self.piece(i + 1, point):
                raise NetworkError(
                    f"Activation {self.name!r} needs to be continuous but jumps at {point}. Make the pieces meet."
                )

    def piece(self, digit: int, value: Fraction) -> Fraction:
        """Return the affine function of one piece at a value (anywhere, not only on the piece)."""
        return self.slopes[digit] * value + self.intercepts[digit]

    def digit(self, value: Fraction) -> int:
        """Return which piece a value lies on: how many breakpoints are strictly below it."""
        return sum(value > point for point in self.breakpoints)

    def __call__(self, value: Fraction) -> Fraction:
        return self.piece(self.digit(value), value)

    @property
    def n_pieces(self) -> int:
        """Number of pieces; 1 for an affine function, which has no digit in a pattern."""
        return len(self.slopes)


def _through(name: str, breakpoints: Sequence[object], slopes: Sequence[object], start: object) -> PiecewiseLinear:
    """Return the continuous function with these slopes and the value ``start`` at the first breakpoint."""
    points, steep, value = to_fractions(breakpoints), to_fractions(slopes), to_fraction(start)
    intercepts = [value - steep[0] * points[0]]
    for i, point in enumerate(points):
        intercepts.append(intercepts[-1] + (steep[i] - steep[i + 1]) * point)
    return PiecewiseLinear(name, points, steep, tuple(intercepts))


IDENTITY = PiecewiseLinear("identity", (), (Fraction(1),), (Fraction(0),))
RELU = _through("relu", (0,), (0, 1), 0)
ABS = _through("abs", (0,), (-1, 1), 0)


def leaky_relu(slope: object) -> PiecewiseLinear:
    """Return ``z`` for ``z > 0`` and ``slope * z`` below: leaky ReLU, or one channel of a PReLU.

    Slopes 0 and 1 give `RELU` and `IDENTITY`, so that no digit distinguishes what is one affine map.
    """
    alpha = to_fraction(slope, "leaky_relu")
    if alpha == 0:
        return RELU
    if alpha == 1:
        return IDENTITY
    return _through(f"leaky_relu({alpha})", (0,), (alpha, 1), 0)


def clip(low: object = None, high: object = None, name: str | None = None) -> PiecewiseLinear:
    """Return ``min(max(z, low), high)``; ``None`` leaves that side open."""
    below = None if low is None else to_fraction(low, "clip")
    above = None if high is None else to_fraction(high, "clip")
    if below is None and above is None:
        return IDENTITY
    if below == 0 and above is None:
        return RELU
    label = name or f"clip({below}, {above})"
    if below is None or above is None:
        point = below if above is None else above
        return _through(label, (point,), (0, 1) if above is None else (1, 0), point)
    if below >= above:
        raise NetworkError(f"clip needs low < high but received {below} and {above}. Swap or separate them.")
    return _through(label, (below, above), (0, 1, 0), below)


HARD_TANH = clip(-1, 1, "hard_tanh")
RELU6 = clip(0, 6, "relu6")


def hard_sigmoid(alpha: object = Fraction(1, 6), beta: object = Fraction(1, 2)) -> PiecewiseLinear:
    """Return ``min(max(alpha * z + beta, 0), 1)`` for ``alpha > 0``.

    The default is the function of PyTorch; ONNX writes its own ``alpha`` and ``beta`` in the node.
    """
    slope, shift = to_fraction(alpha, "hard_sigmoid"), to_fraction(beta, "hard_sigmoid")
    if slope <= 0:
        raise NetworkError(f"hard_sigmoid needs alpha > 0 but received {slope}. Negate the weights instead.")
    return _through(f"hard_sigmoid({slope}, {shift})", (-shift / slope, (1 - shift) / slope), (0, slope, 0), 0)


HARD_SIGMOID = hard_sigmoid()


@dataclass(frozen=True)
class Activation:
    """The activation of one layer: which unit applies which function to which preactivations.

    Attributes
    ----------
    functions : tuple of PiecewiseLinear
        The distinct functions that occur.
    kind : int array, shape (n_units,)
        Index into ``functions``, or `MAX_UNIT`.
    indptr : int array, shape (n_units + 1,)
        Unit ``u`` reads preactivations ``indptr[u]:indptr[u + 1]``; scalar units read one.
    """

    functions: tuple[PiecewiseLinear, ...]
    kind: NDArray[np.int32]
    indptr: NDArray[np.int64]

    def __post_init__(self) -> None:
        kind = np.array(self.kind, dtype=np.int32)
        indptr = np.array(self.indptr, dtype=np.int64)
        sizes = np.diff(indptr)
        if len(indptr) != len(kind) + 1 or (len(sizes) and sizes.min() < 1) or (sizes[kind != MAX_UNIT] != 1).any():
            raise NetworkError(
                "Activation needs one preactivation for each scalar unit and at least one for a max unit but "
                f"received sizes {sizes.tolist()[:8]} for kinds {kind.tolist()[:8]}. Check indptr."
            )
        kind.flags.writeable = indptr.flags.writeable = False
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "indptr", indptr)

    @staticmethod
    def same(function: PiecewiseLinear, n_units: int) -> Activation:
        """Return the activation that applies one function to every preactivation."""
        return Activation((function,), np.zeros(n_units, dtype=np.int32), np.arange(n_units + 1))

    @staticmethod
    def of(functions: Iterable[PiecewiseLinear]) -> Activation:
        """Return the activation that applies the i-th function to the i-th preactivation."""
        each = list(functions)
        distinct = tuple(dict.fromkeys(each))
        index = {function: i for i, function in enumerate(distinct)}
        return Activation(distinct, np.array([index[f] for f in each], np.int32), np.arange(len(each) + 1))

    @staticmethod
    def max_units(sizes: Sequence[int]) -> Activation:
        """Return max units; unit ``u`` reads the next ``sizes[u]`` preactivations."""
        return Activation((), np.full(len(sizes), MAX_UNIT), np.concatenate([[0], np.cumsum(sizes)]))

    @property
    def n_units(self) -> int:
        """Number of outputs."""
        return len(self.kind)

    @property
    def n_preactivations(self) -> int:
        """Number of inputs, the rows of the layer's weight."""
        return int(self.indptr[-1])

    @property
    def n_pieces(self) -> NDArray[np.int64]:
        """Number of pieces of each unit, shape (n_units,); 1 where the unit has no digit."""
        by_function = np.array([f.n_pieces for f in self.functions] + [0], dtype=np.int64)
        return np.where(self.kind == MAX_UNIT, np.diff(self.indptr), by_function[self.kind])

    @cached_property
    def is_relu(self) -> bool:
        """True if every unit is a ReLU."""
        return all(f == RELU for f in self.functions) and not (self.kind == MAX_UNIT).any()

    @property
    def is_identity(self) -> bool:
        """True if no unit has a digit and every unit passes its preactivation on."""
        return all(f == IDENTITY for f in self.functions) and not (self.kind == MAX_UNIT).any()
