"""Formulas on eight numbers at once, in vector registers, written as ordinary Python.

`Lanes` stands for a vector of eight floats while code is generated: its operators emit instructions. A function that is
written with operators only, like `polyrelu.kernels.polytope_vertices.common_zero`, is then the source of compiled code,
and works on NumPy arrays just the same.
"""

from __future__ import annotations

from llvmlite import ir

N_LANES = 8

VECTOR = ir.VectorType(ir.DoubleType(), N_LANES)
INTEGER = ir.IntType(64)


class Lanes:
    """Eight floats during code generation; comparisons give eight bits, for `where` and ``&``."""

    def __init__(self, builder, value):
        self.builder = builder
        self.value = value

    def _of(self, value):
        return Lanes(self.builder, value)

    def _other(self, other):
        return other.value if isinstance(other, Lanes) else ir.Constant(VECTOR, [float(other)] * N_LANES)

    def __add__(self, other):
        return self._of(self.builder.fadd(self.value, self._other(other)))

    def __sub__(self, other):
        return self._of(self.builder.fsub(self.value, self._other(other)))

    def __rsub__(self, other):
        return self._of(self.builder.fsub(self._other(other), self.value))

    def __mul__(self, other):
        return self._of(self.builder.fmul(self.value, self._other(other)))

    def __truediv__(self, other):
        return self._of(self.builder.fdiv(self.value, self._other(other)))

    def __rtruediv__(self, other):
        return self._of(self.builder.fdiv(self._other(other), self.value))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self._of(self.builder.fneg(self.value))

    def __abs__(self):
        return self._of(self.builder.call(_unary(self.builder, "fabs"), [self.value]))

    def sqrt(self):
        return self._of(self.builder.call(_unary(self.builder, "sqrt"), [self.value]))

    def __lt__(self, other):
        return self._of(self.builder.fcmp_ordered("<", self.value, self._other(other)))

    def __gt__(self, other):
        return self._of(self.builder.fcmp_ordered(">", self.value, self._other(other)))

    def __le__(self, other):
        return self._of(self.builder.fcmp_ordered("<=", self.value, self._other(other)))

    def __eq__(self, other):
        return self._of(self.builder.fcmp_ordered("==", self.value, self._other(other)))

    def __and__(self, other):
        return self._of(self.builder.and_(self.value, other.value))

    def __or__(self, other):
        return self._of(self.builder.or_(self.value, other.value))

    def where(self, yes, no):
        """Return ``yes`` where this comparison holds, else ``no``."""
        return self._of(self.builder.select(self.value, self._other(yes), self._other(no)))

    def times_plus(self, factor, term):
        """Return this times a factor plus a term; the two may be one operation with one rounding."""
        product = self.builder.fmul(self.value, factor.value, flags=("contract",))
        return self._of(self.builder.fadd(product, term.value, flags=("contract",)))

    def larger(self, other):
        """Return the larger number; the other one where this is not a number."""
        return (self > other).where(self, other)


def _unary(builder, name):
    name = f"llvm.{name}.v{N_LANES}f64"
    known = builder.module.globals.get(name)
    return known or ir.Function(builder.module, ir.FunctionType(VECTOR, [VECTOR]), name)


def load(builder, data, index):
    """Return eight floats from an index of an array's data on."""
    pointer = builder.bitcast(builder.gep(data, [index]), VECTOR.as_pointer())
    return Lanes(builder, builder.load(pointer, align=8, typ=VECTOR))


def store(lanes, data, index):
    """Write eight floats to an array's data."""
    builder = lanes.builder
    builder.store(lanes.value, builder.bitcast(builder.gep(data, [index]), VECTOR.as_pointer()), align=8)


def spread(builder, value):
    """Return eight times one float."""
    single = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), N_LANES), [0] * N_LANES)
    return Lanes(builder, builder.shuffle_vector(single, single, zeros))
