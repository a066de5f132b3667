"""The one predicate of plane geometry, the sign of a form at the crossing of two lines, with error bounds.

*Near vertices.* A vertex is stored as floats ``(x, y)`` with bounds of their errors. The two lines
``a_i x + b_i y + c_i = 0`` meet where Cramer's rule says; the error is bounded afterwards from the residuals
``r_i`` of the computed point: with the exact matrix ``A`` of the lines, ``A (p' - p) = r``, hence
``|x' - x| <= (|b_2| R_1 + |b_1| R_2) / |D|`` where ``R_i`` bounds the exact residual (its floating-point value, its
rounding, and the errors of the coefficients) and ``|D|`` is bounded from below.

*Far vertices.* Unbounded domains end at a square ``|x|, |y| <= M`` for a symbolic ``M`` larger than any number that
occurs. Its corners and its crossings with lines are ``(x, y) + M (far_x, far_y)``; a sign there is the sign of the
coefficient of ``M``, and of the constant part only where that is exactly zero. Nothing is "large enough": the order
of the field of rational functions in ``M`` decides.

*Zero.* Exact coefficients of a level are multiples of its ``LATTICE``. The determinant of three forms is therefore
zero or at least the product of three lattices, and a form at a vertex is zero or at least
``GAP * LATTICE = (lattice_i lattice_j / |D|) * LATTICE``. If value plus error is below that, it is zero, certified.
So networks of small integers, where a third of all tests are exact zeros, rarely leave floats. Products of lattices
below 2^-900 count as no lattice at all, which keeps underflow away.

*Underflow.* Every bound contains `UNDERFLOW`, more than what the few products of one test can lose below the
smallest normal float. It is left out only where a value is zero by structure, each product having a factor that is
exactly zero: so forms through the origin are certified there whatever their lattice.

What these bounds do not decide is returned as `UNKNOWN`.
"""

from __future__ import annotations

import math

import numpy as np

from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import HUGE, SLACK, SMALLEST_GAP, UNIT_ROUNDOFF
from polyrelu.kernels.compiled import contracted_loop, inlined

UNKNOWN = 2
WORST_VERTEX = 2.0**-10
"""Vertices with a larger bound of their relative error are placed by extended arithmetic."""
UNDERFLOW = 2.0**-1060
_ROUNDING = 4.0 * UNIT_ROUNDOFF * SLACK


@inlined
def certain_sign(value, error, gap):
    """Return the sign that a value with an error bound proves: -1, 0, 1 or UNKNOWN (also for NaN)."""
    if value > error:
        return 1
    if value < -error:
        return -1
    if abs(value) + error < gap:
        return 0
    return UNKNOWN


@inlined
def sign_at_vertex(maps, floats, bounds, level, form, vertices, v):
    """Return the sign of a form of a level at a vertex on the stack, or UNKNOWN."""
    a, b, c, norm = maps[0, form], maps[1, form], maps[2, form], maps[3, form]
    rho_x, rho_y = norm * bounds[level, T.RHO, 0], norm * bounds[level, T.RHO, 1]
    x, y = vertices[v, T.X], vertices[v, T.Y]
    x_error, y_error = vertices[v, T.X_ERROR], vertices[v, T.Y_ERROR]
    gap = vertices[v, T.GAP] * floats[level, T.LATTICE] / SLACK
    if gap < SMALLEST_GAP:
        gap = 0.0
    far_x, far_y = vertices[v, T.FAR_X], vertices[v, T.FAR_Y]
    if far_x != 0.0 or far_y != 0.0:
        far_error = vertices[v, T.FAR_ERROR]
        value = a * far_x + b * far_y
        error = (
            UNDERFLOW
            + (
                (abs(a) + abs(b)) * far_error
                + rho_x * (abs(far_x) + far_error)
                + rho_y * (abs(far_y) + far_error)
                + _ROUNDING * (abs(a * far_x) + abs(b * far_y))
            )
            * SLACK
        )
        sign = certain_sign(value, error, gap)
        if a == 0.0 and b == 0.0 and rho_x == 0.0 and rho_y == 0.0:
            sign = 0
        if sign != 0:
            return sign
    ax, by = a * x, b * y
    value = ax + by + c
    if c == 0.0 and norm * bounds[level, T.RHO, 2] == 0.0:
        x_part = (a == 0.0 and rho_x == 0.0) or (x == 0.0 and x_error == 0.0)
        if x_part and ((b == 0.0 and rho_y == 0.0) or (y == 0.0 and y_error == 0.0)):
            return 0
    error = (
        UNDERFLOW
        + (
            abs(a) * x_error
            + abs(b) * y_error
            + rho_x * (abs(x) + x_error)
            + rho_y * (abs(y) + y_error)
            + norm * bounds[level, T.RHO, 2]
            + _ROUNDING * (abs(ax) + abs(by) + abs(c))
        )
        * SLACK
    )
    return certain_sign(value, error, gap)


@inlined
def place_crossing(maps, floats, bounds, i, level_i, j, level_j, vertices, v):
    """Store the crossing of two lines, neither of them at infinity, as vertex ``v``; False if it is not certain."""
    vertices[v, T.GAP] = 0.0
    a1, b1, c1, n1 = maps[0, i], maps[1, i], maps[2, i], maps[3, i]
    a2, b2, c2, n2 = maps[0, j], maps[1, j], maps[2, j], maps[3, j]
    a1_error, b1_error = n1 * bounds[level_i, T.RHO, 0], n1 * bounds[level_i, T.RHO, 1]
    a2_error, b2_error = n2 * bounds[level_j, T.RHO, 0], n2 * bounds[level_j, T.RHO, 1]
    p, q = a1 * b2, a2 * b1
    determinant = p - q
    determinant_error = (
        UNDERFLOW
        + (
            _ROUNDING * (abs(p) + abs(q))
            + (abs(a1) + a1_error) * b2_error
            + abs(b2) * a1_error
            + (abs(a2) + a2_error) * b1_error
            + abs(b1) * a2_error
        )
        * SLACK
    )
    least = abs(determinant) - determinant_error
    if not least > 0.0:
        return False
    x = (b1 * c2 - b2 * c1) / determinant
    y = (c1 * a2 - c2 * a1) / determinant
    r1 = _residual(a1, b1, c1, a1_error, b1_error, n1 * bounds[level_i, T.RHO, 2], x, y)
    r2 = _residual(a2, b2, c2, a2_error, b2_error, n2 * bounds[level_j, T.RHO, 2], x, y)
    vertices[v, T.X], vertices[v, T.Y] = x, y
    x_error = y_error = 0.0
    if r1 > 0.0 or r2 > 0.0:
        x_error = ((abs(b2) + b2_error) * r1 + (abs(b1) + b1_error) * r2 + UNDERFLOW) / least * SLACK + UNDERFLOW
        y_error = ((abs(a2) + a2_error) * r1 + (abs(a1) + a1_error) * r2 + UNDERFLOW) / least * SLACK + UNDERFLOW
    vertices[v, T.X_ERROR], vertices[v, T.Y_ERROR] = x_error, y_error
    vertices[v, T.FAR_X] = vertices[v, T.FAR_Y] = vertices[v, T.FAR_ERROR] = 0.0
    set_gap(floats[level_i, T.LATTICE] * floats[level_j, T.LATTICE], abs(determinant) + determinant_error, vertices, v)
    return x_error + y_error <= WORST_VERTEX * (abs(x) + abs(y))


@inlined
def _residual(a, b, c, a_error, b_error, c_error, x, y):
    """Return a bound of the exact form ``a x + b y + c`` at a float point; 0 only for forms through the origin."""
    if x == 0.0 and y == 0.0 and c == 0.0 and c_error == 0.0:
        return 0.0
    ax, by = a * x, b * y
    rounding = _ROUNDING * (abs(ax) + abs(by) + abs(c))
    return (abs(ax + by + c) + rounding + a_error * abs(x) + b_error * abs(y) + c_error) * SLACK + UNDERFLOW


@inlined
def set_gap(lattices, determinant, vertices, v):
    """Store the gap of a vertex from the product of its lines' lattices and a bound of their determinant."""
    gap = lattices / determinant / SLACK
    vertices[v, T.GAP] = gap if gap > SMALLEST_GAP and lattices > SMALLEST_GAP else 0.0


@inlined
def place_far_crossing(maps, floats, bounds, i, level_i, side_x, side_y, vertices, v):
    """Store the crossing of a line with the far square's side ``x = side_x M`` (or ``y = side_y M``)."""
    vertices[v, T.GAP] = 0.0
    a, b, c, norm = maps[0, i], maps[1, i], maps[2, i], maps[3, i]
    side = side_x
    a_error, b_error = norm * bounds[level_i, T.RHO, 0], norm * bounds[level_i, T.RHO, 1]
    if side_x == 0.0:
        side = side_y
        a, b, a_error, b_error = b, a, b_error, a_error
    least = abs(b) - b_error
    if not least > 0.0:
        return False
    along, offset = -a * side / b, -c / b
    along_error = offset_error = 0.0
    if a != 0.0 or a_error > 0.0:
        along_error = (a_error + abs(along) * b_error + UNDERFLOW) / least + 4.0 * UNIT_ROUNDOFF * abs(along)
        along_error = along_error * SLACK + UNDERFLOW
    c_error = norm * bounds[level_i, T.RHO, 2]
    if c != 0.0 or c_error > 0.0:
        offset_error = (c_error + abs(offset) * b_error + UNDERFLOW) / least + 4.0 * UNIT_ROUNDOFF * abs(offset)
        offset_error = offset_error * SLACK + UNDERFLOW
    vertices[v, T.FAR_ERROR] = along_error
    if side_x != 0.0:
        vertices[v, T.FAR_X], vertices[v, T.FAR_Y] = side, along
        vertices[v, T.X], vertices[v, T.X_ERROR] = 0.0, 0.0
        vertices[v, T.Y], vertices[v, T.Y_ERROR] = offset, offset_error
    else:
        vertices[v, T.FAR_X], vertices[v, T.FAR_Y] = along, side
        vertices[v, T.X], vertices[v, T.X_ERROR] = offset, offset_error
        vertices[v, T.Y], vertices[v, T.Y_ERROR] = 0.0, 0.0
    set_gap(floats[level_i, T.LATTICE], abs(b) + b_error, vertices, v)
    return along_error <= WORST_VERTEX * abs(along) and offset_error <= WORST_VERTEX * abs(offset)


@inlined
def box_bounds(vertices, start, n):
    """Return centre and half sides of a box that surely contains a polygon of near vertices."""
    x_low = y_low = math.inf
    x_high = y_high = -math.inf
    for v in range(start, start + n):
        x, x_error = vertices[v, T.X], vertices[v, T.X_ERROR]
        y, y_error = vertices[v, T.Y], vertices[v, T.Y_ERROR]
        x_slack, y_slack = x_error + _ROUNDING * abs(x) + UNDERFLOW, y_error + _ROUNDING * abs(y) + UNDERFLOW
        x_low, x_high = min(x_low, x - x_slack), max(x_high, x + x_slack)
        y_low, y_high = min(y_low, y - y_slack), max(y_high, y + y_slack)
    x_mid, y_mid = 0.5 * (x_low + x_high), 0.5 * (y_low + y_high)
    x_half, y_half = max(x_high - x_mid, x_mid - x_low) * SLACK, max(y_high - y_mid, y_mid - y_low) * SLACK
    return x_mid, y_mid, x_half, y_half


@contracted_loop
def classify_box(maps, first, n, x, y, x_half, y_half, error, positive, undecided):
    """Mark which of ``n`` forms are certainly positive on a box, and which have no certain sign there.

    ``error`` times a form's norm bounds everything that rounding can do to it on the box.
    """
    start = np.uint64(first)
    for j in range(np.uint64(n)):
        k = start + j
        value = maps[0, k] * x + maps[1, k] * y + maps[2, k]
        reach = abs(maps[0, k]) * x_half + abs(maps[1, k]) * y_half + maps[3, k] * error + UNDERFLOW
        positive[k] = value > reach
        undecided[k] = not abs(value) > reach


@inlined
def box_error(bounds, level, x, y, x_half, y_half):
    """Return the factor ``error`` of `classify_box` for a level."""
    x_reach, y_reach = abs(x) + x_half, abs(y) + y_half
    if not x_reach + y_reach < HUGE:
        return math.inf
    error = bounds[level, T.RHO, 0] * x_reach + bounds[level, T.RHO, 1] * y_reach + bounds[level, T.RHO, 2]
    size = bounds[level, T.SIZE, 0] * x_reach + bounds[level, T.SIZE, 1] * y_reach + bounds[level, T.SIZE, 2]
    return (error + 8.0 * UNIT_ROUNDOFF * (size + error)) * SLACK
