"""Double-double arithmetic and calls back into Python, for compiled loops.

A double-double is an unevaluated sum ``hi + lo`` of two floats with ``|lo| <= ulp(hi) / 2``: about 106 bits.
The algorithms are the accurate ones of Joldes, Muller and Popescu, "Tight and rigorous error bounds for basic
building blocks of double-word arithmetic" (ACM TOMS 44, 2017): addition (their algorithm 6) errs by less than
``3 u^2 / (1 - 4u)``, multiplication by a float (algorithm 9) by less than ``2 u^2``, multiplication
(algorithm 12) by less than ``4 u^2``, each relative to the exact result and in absence of underflow and
overflow; ``u = 2^-53``. `DD` = 2^-103 = 8 u^2 bounds all of them, with room to spare.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from polyrelu.kernels.compiled import loop

DD = 2.0**-103
"""Bound of the relative error of every double-double operation in this module."""


@intrinsic
def fused_multiply_add(typingctx, a, b, c):
    """Return ``a * b + c`` with one rounding."""

    def codegen(context, builder, signature, arguments):
        double = ir.DoubleType()
        function = builder.module.declare_intrinsic(
            "llvm.fma", [double], ir.FunctionType(double, [double, double, double])
        )
        return builder.call(function, arguments)

    return types.float64(types.float64, types.float64, types.float64), codegen


@intrinsic
def trailing_zeros(typingctx, value):
    """Return the position of the lowest set bit of a 64-bit integer that is not zero."""

    def codegen(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), codegen


@intrinsic
def count_ones(typingctx, value):
    """Return the number of set bits of a 64-bit integer."""

    def codegen(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), codegen


@intrinsic
def call_address(typingctx, address, argument):
    """Call the C function ``int64 f(int64)`` at an address; compiled loops ask Python through it."""

    def codegen(context, builder, signature, arguments):
        function_type = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        pointer = builder.inttoptr(arguments[0], function_type.as_pointer())
        return builder.call(pointer, [arguments[1]])

    return types.int64(types.int64, types.int64), codegen


@loop
def two_sum(a, b):
    """Return (s, e) with ``s = fl(a + b)`` and ``s + e == a + b`` (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@loop
def fast_two_sum(a, b):
    """Return (s, e) as `two_sum`, for ``|a| >= |b|`` (Dekker)."""
    s = a + b
    return s, b - (s - a)


@loop
def dd_add(ah, al, bh, bl):
    """Return the double-double sum."""
    sh, sl = two_sum(ah, bh)
    th, tl = two_sum(al, bl)
    vh, vl = fast_two_sum(sh, sl + th)
    return fast_two_sum(vh, tl + vl)


@loop
def dd_mul(ah, al, bh, bl):
    """Return the double-double product."""
    ph = ah * bh
    pl = fused_multiply_add(ah, bh, -ph)
    cross = fused_multiply_add(al, bh, fused_multiply_add(ah, bl, al * bl))
    return fast_two_sum(ph, pl + cross)


@loop
def dd_mul_float(ah, al, b):
    """Return the double-double product with a float."""
    ph = ah * b
    pl = fused_multiply_add(ah, b, -ph)
    return fast_two_sum(ph, fused_multiply_add(al, b, pl))
