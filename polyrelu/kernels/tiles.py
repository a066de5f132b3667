"""The inner loop of wide networks: forms of units times a tile of their weights, in vector registers.

A tile is `TILE` preactivations of a level. Its three coefficients stay in registers while the loop runs over the
units, so that each weight is loaded once and nothing is stored in between; numba's own loops load and store the
sums for every few units (1.2 to 2.4 times slower, most on narrow levels). LLVM splits the vectors into whatever the
processor has. Weights are laid out tile by tile, unit by unit: ``weights[(tile * n_units + unit) * TILE + lane]``.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

TILE = 32

_INTEGER = ir.IntType(64)
_VECTOR = ir.VectorType(ir.DoubleType(), TILE)
_FUSED = ("contract",)  # a product and a sum may become one operation: fewer roundings than the bound counts


@intrinsic
def add_to_tile(typingctx, maps, column, weights, tile, offsets, forms, count):
    """Add ``forms[c, i] * weights[tile + offsets[i] + lane]`` to ``maps[c, column + lane]`` for all i < count.

    ``maps`` and ``forms`` hold three coefficients in their first rows, c = 0, 1, 2; ``lane`` runs over a tile.
    """

    def codegen(context, builder, signature, arguments):
        _, column, _, tile, _, _, count = arguments
        maps, weights, offsets, forms = (
            context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 2, 4, 5)
        )

        def row(array, c):
            start = builder.mul(ir.Constant(_INTEGER, c), builder.extract_value(array.shape, 1))
            return builder.gep(array.data, [start])

        def vector_at(data, index):
            return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())

        targets = [vector_at(row(maps, c), column) for c in range(3)]
        sums = [cgutils.alloca_once_value(builder, builder.load(t, align=8, typ=_VECTOR)) for t in targets]
        coefficients = [row(forms, c) for c in range(3)]
        with cgutils.for_range(builder, count) as loop:
            start = builder.add(tile, builder.load(builder.gep(offsets.data, [loop.index])))
            tile_weights = builder.load(vector_at(weights.data, start), align=8, typ=_VECTOR)
            for c in range(3):
                coefficient = builder.load(builder.gep(coefficients[c], [loop.index]))
                product = builder.fmul(tile_weights, _spread(builder, coefficient), flags=_FUSED)
                builder.store(builder.fadd(builder.load(sums[c]), product, flags=_FUSED), sums[c])
        for c in range(3):
            builder.store(builder.load(sums[c]), targets[c], align=8)
        return context.get_dummy_value()

    return types.void(maps, types.int64, weights, types.int64, offsets, forms, types.int64), codegen


def _spread(builder, value):
    """Return a vector with one value in all lanes."""
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(single, single, ir.Constant(ir.VectorType(ir.IntType(32), TILE), [0] * TILE))
