"""Vertices in any dimension: where ``dim`` forms vanish, and the sign of another form there, with error bounds.

*Place.* The forms of a vertex have the normals ``A`` (dim x dim) and the constants ``c``. With any approximate inverse
``R`` (here: the adjugate over the determinant) let ``x = fl(-R c)`` and let ``res`` bound the exact ``|A x + c|``,
rounding and the errors of the forms included.
If ``E`` bounds ``|I - R A|`` for the exact ``A`` and its largest row sum is below 1, ``A`` is regular, and the exact
vertex ``x'`` obeys ``x - x' = R (A x + c) + (I - R A) (x - x')``, hence

    |x - x'|_i <= (|R| res)_i + rowsum_i(E) e,      e = max(|R| res) / (1 - max rowsum(E)).

Both terms vanish exactly where the form's zeros make them, so vertices of cones through the origin, and coordinates
that are zero by structure, are known without error.

*Far vertices.* Unbounded domains end at a cube ``|x_j| <= M`` for a symbolic ``M`` larger than any number that occurs.
A vertex on its sides is ``x + M q``, with ``A q = -m`` where ``m`` marks the far sides; a sign there is the sign of the
coefficient of ``M``, and of the constant part only where that is exactly zero.

*Zero.* Exact coefficients are multiples of lattices. A form at a vertex is a determinant of ``dim + 1`` forms over
``det A``, so it is zero or at least ``GAP`` times its own lattice, with ``GAP`` the product of the lattices of the
vertex over Hadamard's bound of ``|det A|``.

*Underflow.* Coefficients, entries of ``R`` and coordinates outside 2^-200 ... 2^200 are not decided here, so that no
product of two of them can vanish; `UNDERFLOW` covers the products with error bounds. What is not decided is `UNKNOWN`,
or False.
"""

from __future__ import annotations

import itertools

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import SLACK, SMALLEST_GAP, UNIT_ROUNDOFF
from polyrelu.kernels.compiled import inlined, loop
from polyrelu.kernels.lanes import INTEGER, N_LANES, Lanes, load, store
from polyrelu.kernels.predicates import UNDERFLOW, WORST_VERTEX, certain_sign

LEAST, MOST = 2.0**-200, 2.0**200


# --- fields of a block of vertices, each eight floats; the matrices come first --------------------------------
NORMALS = 0  # dim * dim entries, row by row; as many errors follow


def block_fields(dim):
    """Return where the fields of a block start: constants, their errors, far marks, lattices, and the results.

    Results are coordinates, their errors, far directions, the far error, the gap, and 1.0 where all this is certain.
    """
    first = 2 * dim * dim
    return (*range(first, first + 5 * dim, dim), first + 7 * dim, first + 7 * dim + 1, first + 7 * dim + 2)


def block_size(dim):
    """Return the number of floats of a block of eight vertices."""
    return N_LANES * (block_fields(dim)[-1] + 1)


def common_zero(normals, errors, constants, constant_errors, far, lattices, maximum, where, sqrt, has_far=True):
    """Return what is known of the common zero of ``dim`` forms: eight times at once, or of NumPy arrays.

    Parameters
    ----------
    normals, errors : lists of dim lists of dim vectors
        Coefficients and bounds of their errors.
    constants, constant_errors, far, lattices : lists of dim vectors
        ``far`` is 1 for sides of the far cube, else 0.
    maximum, where, sqrt : functions
        Of the number type.
    has_far : bool
        False if all of ``far`` is 0.

    Returns
    -------
    coordinates, their errors, far directions, far error, gap, and whether all this is certain
    """
    dim = len(normals)
    rounding = (2 * dim + 3) * UNIT_ROUNDOFF * SLACK
    span = range(dim)
    inverse, is_certain = _inverse(normals)
    for i in span:
        for j in span:
            is_certain = is_certain & _is_ordinary(normals[i][j]) & _is_ordinary(inverse[i][j])
    row_sums = []
    for i in span:
        total = 0.0
        for j in span:
            products = [inverse[i][k] * normals[k][j] for k in span]
            error = _sum(abs(inverse[i][k]) * errors[k][j] for k in span)
            off = _sum(products) - (1.0 if i == j else 0.0)
            total = abs(off) + rounding * _sum(map(abs, products)) + error + total
        row_sums.append(total * SLACK)
    largest = _largest(row_sums, maximum)
    is_certain = is_certain & (largest < 0.5)
    point = [-_sum(inverse[i][k] * constants[k] for k in span) for i in span]
    direction = [-_sum(inverse[i][k] * far[k] for k in span) for i in span] if has_far else far
    results = []
    for solution, right, right_errors in ((point, constants, constant_errors), (direction, far, None))[: 1 + has_far]:
        residuals = []
        for i in span:
            products = [normals[i][j] * solution[j] for j in span]
            size = _sum(map(abs, products)) + abs(right[i])
            error = _sum(errors[i][j] * abs(solution[j]) for j in span)
            error = error if right_errors is None else error + right_errors[i]
            bound = (abs(_sum(products) + right[i]) + rounding * size + error) * SLACK
            residuals.append(where(size + error > 0.0, bound + UNDERFLOW, 0.0))
        firsts = [_sum(abs(inverse[i][k]) * residuals[k] for k in span) for i in span]
        rest = _largest(firsts, maximum) / (1.0 - largest) * SLACK
        bounds = [firsts[i] + row_sums[i] * rest for i in span]
        results.append([where(bound > 0.0, bound * SLACK + UNDERFLOW, 0.0) for bound in bounds])
        for value in solution:
            is_certain = is_certain & _is_ordinary(value)
    point_errors, far_error = results[0], _largest(results[1], maximum) if has_far else far[0]
    size = _largest([abs(value) for value in point], maximum)
    is_certain = is_certain & (_largest(point_errors, maximum) <= size * WORST_VERTEX) & (far_error <= WORST_VERTEX)
    return point, point_errors, direction, far_error, _gap(normals, errors, lattices, where, sqrt), is_certain


def _sum(values):
    total, *rest = values
    for value in rest:
        total = total + value
    return total


def _largest(values, maximum):
    total, *rest = values
    for value in rest:
        total = maximum(total, value)
    return total


def _is_ordinary(value):
    """Say where a number is zero, or far from underflow and overflow (nowhere for NaN)."""
    return (value == 0.0) | ((abs(value) > LEAST) & (abs(value) < MOST))


def _inverse(matrix):
    """Return the adjugate over the determinant, and where that is not zero."""
    dim = len(matrix)
    minors = {((), ()): None}
    for size in range(1, dim):
        for rows in itertools.combinations(range(dim), size):
            for columns in itertools.combinations(range(dim), size):
                minors[rows, columns] = _minor(matrix, rows, columns, minors)
    determinant = _minor(matrix, tuple(range(dim)), tuple(range(dim)), minors)
    reciprocal = 1.0 / determinant

    def cofactor(i, j):
        rest = [tuple(k for k in range(dim) if k != without) for without in (j, i)]
        value = minors[rest[0], rest[1]]
        return value if (i + j) % 2 == 0 else -value

    entries = [[cofactor(i, j) * reciprocal for j in range(dim)] for i in range(dim)]
    return entries, abs(determinant) > 0.0


def _minor(matrix, rows, columns, minors):
    """Return a minor, expanded along its first row."""
    if len(rows) == 1:
        return matrix[rows[0]][columns[0]]
    total = None
    for position, column in enumerate(columns):
        rest = columns[:position] + columns[position + 1 :]
        product = matrix[rows[0]][column] * minors[rows[1:], rest]
        if total is None:
            total = product
        else:
            total = total + product if position % 2 == 0 else total - product
    return total


def _gap(normals, errors, lattices, where, sqrt):
    """Return the product of the lattices of a vertex's forms over a bound of their determinant; 0 for none."""
    lattice, hadamard = None, None
    for row, row_errors, own in zip(normals, errors, lattices, strict=True):
        square = _sum((abs(a) + e) * (abs(a) + e) for a, e in zip(row, row_errors, strict=True))
        length = sqrt(square) * SLACK
        hadamard = length if hadamard is None else hadamard * length
        lattice = own if lattice is None else lattice * own
    gap = lattice / hadamard * (1.0 / SLACK)
    return where((gap > SMALLEST_GAP) & (lattice > SMALLEST_GAP), gap, 0.0)


@intrinsic
def solve_block(typingctx, block, has_far, axes):
    """Write the results of `common_zero` for the eight vertices of a block."""

    def codegen(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        with builder.if_else(arguments[1]) as (yes, no):
            with yes:
                solve(builder, data, signature, True)
            with no:
                solve(builder, data, signature, False)
        return context.get_dummy_value()

    def solve(builder, data, signature, has_far):
        dim = signature.args[2].count - 1

        def index(field):
            return ir.Constant(INTEGER, N_LANES * field)

        def fields(first, n):
            return [load(builder, data, index(first + i)) for i in range(n)]

        matrix, matrix_errors = (
            [fields(start + i * dim, dim) for i in range(dim)] for start in (NORMALS, NORMALS + dim * dim)
        )
        constant, constant_error, far, lattice, result, far_error, gap, certain = block_fields(dim)
        found = common_zero(
            matrix, matrix_errors, *(fields(first, dim) for first in (constant, constant_error, far, lattice)),
            Lanes.larger, Lanes.where, Lanes.sqrt, has_far,
        )  # fmt: skip
        for values, first in zip(found[:3], (result, result + dim, result + 2 * dim), strict=True):
            for i, value in enumerate(values):
                store(value, data, index(first + i))
        store(found[3], data, index(far_error))
        store(found[4], data, index(gap))
        store(found[5].where(1.0, 0.0), data, index(certain))

    return types.void(block, types.boolean, axes), codegen


@intrinsic
def fields_of(typingctx, axes):
    """Return `block_fields` for the dimension that ``axes`` says, as constants of the compiled code."""
    values = block_fields(axes.count - 1)

    def codegen(context, builder, signature, arguments):
        return context.get_constant_generic(builder, signature.return_type, values)

    return types.UniTuple(types.int64, len(values))(axes), codegen


@loop
def sign_at(form, level, v, g):
    """Return the sign of a form of a level at a vertex, or UNKNOWN."""
    maps, bounds, vertex, dim = g.maps, g.bounds, g.vertices[v], len(g.axes) - 1
    norm = maps[dim + 1, form]
    rounding = (dim + 3) * UNIT_ROUNDOFF * SLACK
    gap = vertex[3 * dim + 1] * g.floats[level, T.LATTICE] / SLACK
    if gap < SMALLEST_GAP:
        gap = 0.0
    value, size, error, is_far = 0.0, 0.0, 0.0, False
    for c in range(dim):
        q = vertex[2 * dim + c]
        is_far |= q != 0.0
        product = maps[c, form] * q
        value += product
        size += abs(product)
        q_error = vertex[3 * dim]
        error += abs(maps[c, form]) * q_error + norm * bounds[level, T.RHO, c] * (abs(q) + q_error)
    if is_far:
        sign = certain_sign(value, UNDERFLOW + (rounding * size + error) * SLACK, gap)
        if value == 0.0 and _is_zero_by_structure(form, level, 2 * dim, vertex[3 * dim], 0.0, v, g):
            sign = 0
        if sign != 0:
            return sign
    value = maps[dim, form]
    size, error = abs(value), norm * bounds[level, T.RHO, dim]
    for c in range(dim):
        x, x_error = vertex[c], vertex[dim + c]
        product = maps[c, form] * x
        value += product
        size += abs(product)
        error += abs(maps[c, form]) * x_error + norm * bounds[level, T.RHO, c] * (abs(x) + x_error)
    has_no_constant = value == 0.0 and maps[dim, form] == 0.0 and norm * bounds[level, T.RHO, dim] == 0.0
    if has_no_constant and _is_zero_by_structure(form, level, 0, 0.0, 1.0, v, g):
        return 0
    return certain_sign(value, UNDERFLOW + (rounding * size + error) * SLACK, gap)


@inlined
def _is_zero_by_structure(form, level, offset, error, own_errors, v, g):
    """Return whether each product of a form's coefficient with a coordinate has a factor that is exactly zero."""
    dim = len(g.axes) - 1
    norm = g.maps[dim + 1, form]
    is_zero = True
    for c in range(dim):
        coefficient = g.maps[c, form] == 0.0 and norm * g.bounds[level, T.RHO, c] == 0.0
        x_error = error + own_errors * g.vertices[v, dim + c]
        is_zero &= coefficient or (g.vertices[v, offset + c] == 0.0 and x_error == 0.0)
    return is_zero
