"""Every piecewise-linear function as a difference of two that TropEx can take apart."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from polyrelu.network.activation import PiecewiseLinear

__all__ = ["convex_parts"]


@lru_cache(maxsize=1024)
def convex_parts(function: PiecewiseLinear) -> tuple[PiecewiseLinear, PiecewiseLinear]:
    """Return convex, non-decreasing functions ``rising`` and ``falling`` with ``function = rising - falling``.

    Both have the function's breakpoints, so that its digit names their pieces too, and each is the largest of its
    pieces everywhere. A convex, non-decreasing function is its own rising part, and its falling part is 0.

    Examples
    --------
    >>> from polyrelu.network.activation import ABS, RELU, RELU6
    >>> [[int(s) for s in part.slopes] for part in convex_parts(RELU)]
    [[0, 1], [0, 0]]
    >>> [[int(s) for s in part.slopes] for part in convex_parts(ABS)]
    [[0, 2], [1, 1]]
    >>> rising, falling = convex_parts(RELU6)
    >>> rising(Fraction(9)) - falling(Fraction(9)) == RELU6(Fraction(9))
    True
    """
    zero = Fraction(0)
    rising = [(max(function.slopes[0], zero), function.intercepts[0])]
    falling = [(max(-function.slopes[0], zero), zero)]
    for i, point in enumerate(function.breakpoints):
        change = function.slopes[i + 1] - function.slopes[i]
        for part, steeper in ((rising, max(change, zero)), (falling, max(-change, zero))):
            slope, intercept = part[-1]
            part.append((slope + steeper, intercept - steeper * point))
    above, below = (
        PiecewiseLinear(f"{side} part of {function.name}", function.breakpoints, *zip(*part, strict=True))
        for side, part in (("rising", rising), ("falling", falling))
    )
    return above, below
