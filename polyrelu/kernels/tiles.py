"""The inner loop of wide networks: forms of units times a tile of their weights, in vector registers.

A tile is `TILE` preactivations of a level. Its coefficients stay in registers while the loop runs over the
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
def add_to_tile(typingctx, maps, column, weights, tile, offsets, forms, count, axes):
    """Add ``forms[c, i] * weights[tile + offsets[i] + lane]`` to ``maps[c, column + lane]`` for all i < count.

    ``c`` runs over the coefficients, one for each entry of ``axes``; ``lane`` runs over a tile. With a tuple as
    ``axes`` the sums of all coefficients are kept in registers at once, with an array those of one after the other.
    """

    def codegen(context, builder, signature, arguments):
        _, column, _, tile, _, _, count, axes = arguments
        arrays = (context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 2, 4, 5))
        maps, weights, offsets, forms = arrays

        def add(coefficients):
            targets = [_vector_at(builder, _row(builder, maps, c), column) for c in coefficients]
            sums = [cgutils.alloca_once(builder, _VECTOR) for _ in targets]
            for target, total in zip(targets, sums, strict=True):
                builder.store(builder.load(target, align=8, typ=_VECTOR), total)
            sources = [_row(builder, forms, c) for c in coefficients]
            with cgutils.for_range(builder, count) as loop:
                start = builder.add(tile, builder.load(builder.gep(offsets.data, [loop.index])))
                tile_weights = builder.load(_vector_at(builder, weights.data, start), align=8, typ=_VECTOR)
                for source, total in zip(sources, sums, strict=True):
                    coefficient = builder.load(builder.gep(source, [loop.index]))
                    product = builder.fmul(tile_weights, _spread(builder, coefficient), flags=_FUSED)
                    builder.store(builder.fadd(builder.load(total), product, flags=_FUSED), total)
            for target, total in zip(targets, sums, strict=True):
                builder.store(builder.load(total), target, align=8)

        if isinstance(signature.args[7], types.UniTuple):
            add([ir.Constant(_INTEGER, c) for c in range(signature.args[7].count)])
        else:
            n_axes = builder.extract_value(context.make_array(signature.args[7])(context, builder, axes).shape, 0)
            with cgutils.for_range(builder, n_axes) as loop:
                add([loop.index])
        return context.get_dummy_value()

    return types.void(maps, types.int64, weights, types.int64, offsets, forms, types.int64, axes), codegen


def _row(builder, array, index):
    """Return where a row of a matrix starts."""
    return builder.gep(array.data, [builder.mul(index, builder.extract_value(array.shape, 1))])


def _vector_at(builder, data, index):
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


def _spread(builder, value):
    """Return a vector with one value in all lanes."""
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(single, single, ir.Constant(ir.VectorType(ir.IntType(32), TILE), [0] * TILE))
