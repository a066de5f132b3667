"""The least and the largest value of many forms at a few points: the first look at a level, in vector registers.

Eight forms at a time stay in registers while the loop runs over the points, so that nothing is stored in between.
"""

from __future__ import annotations

import math

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from polyrelu.kernels.lanes import INTEGER, N_LANES, VECTOR, Lanes, load, spread, store


@intrinsic
def least_and_largest(typingctx, maps, first, n, vertices, picked, kind, count, extremes, axes):
    """Write the range of values of ``n`` columns from ``first`` on at vertices ``picked[kind, :count]``.

    Of kind 0: the values at near vertices, to the rows 0 and 1 of ``extremes``. Of kind 1: those of the forms without
    their constants along the directions of far vertices, to the rows 2 and 3. Without vertices: infinity and minus
    infinity.
    """

    def codegen(context, builder, signature, arguments):
        _, first, n, _, _, kind, count, _, _ = arguments
        maps, vertices, picked, extremes = (
            context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 3, 4, 7)
        )
        dim = signature.args[8].count - 1
        offset = builder.mul(kind, ir.Constant(INTEGER, 2 * dim))
        is_near = builder.icmp_signed("==", kind, ir.Constant(INTEGER, 0))
        chosen = _row(builder, picked, kind)
        target = builder.mul(kind, ir.Constant(INTEGER, 2))
        one = ir.Constant(INTEGER, 1)

        blocks = builder.udiv(builder.add(n, ir.Constant(INTEGER, N_LANES - 1)), ir.Constant(INTEGER, N_LANES))
        with cgutils.for_range(builder, blocks) as loop:
            column = builder.add(first, builder.mul(loop.index, ir.Constant(INTEGER, N_LANES)))
            coefficients = [load(builder, _row(builder, maps, ir.Constant(INTEGER, c)), column) for c in range(dim + 1)]
            constant = builder.select(is_near, coefficients[dim].value, ir.Constant(VECTOR, [0.0] * N_LANES))
            low, high = cgutils.alloca_once(builder, VECTOR), cgutils.alloca_once(builder, VECTOR)
            builder.store(ir.Constant(VECTOR, [math.inf] * N_LANES), low)
            builder.store(ir.Constant(VECTOR, [-math.inf] * N_LANES), high)
            with cgutils.for_range(builder, count) as inner:
                vertex = builder.load(builder.gep(chosen, [inner.index]))
                point = builder.gep(_row(builder, vertices, vertex), [offset])
                value = Lanes(builder, constant)
                for c in range(dim):
                    x = spread(builder, builder.load(builder.gep(point, [ir.Constant(INTEGER, c)])))
                    value = coefficients[c].times_plus(x, value)
                least, largest = Lanes(builder, builder.load(low)), Lanes(builder, builder.load(high))
                builder.store((value < least).where(value, least).value, low)
                builder.store(value.larger(largest).value, high)
            store(Lanes(builder, builder.load(low)), _row(builder, extremes, target), column)
            store(Lanes(builder, builder.load(high)), _row(builder, extremes, builder.add(target, one)), column)
        return context.get_dummy_value()

    return (
        types.void(maps, types.int64, types.int64, vertices, picked, types.int64, types.int64, extremes, axes),
        codegen,
    )


def _row(builder, array, index):
    """Return where a row of a matrix starts."""
    return builder.gep(array.data, [builder.mul(index, builder.extract_value(array.shape, 1))])
