"""`from_onnx` against onnxruntime, operation by operation, and the form of the networks it gives."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper
from onnx_builder import assert_close, assert_equal, batch_norm_constants, build, node, quarters

from polyrelu.network.onnx_reader import from_onnx

# Operations --------------------------------------------------------------------------------------------------

W23, W34, B3, B4 = quarters(1, 2, 3), quarters(2, 3, 4), quarters(3, 3), quarters(4, 4)
IMAGE = (1, 2, 5, 6)
KERNEL = quarters(5, 3, 2, 2, 3)

EQUAL = {
    "gemm": ([node("Gemm", "x W b")], (1, 2), {"W": W23, "b": B3}),
    "gemm alpha beta": ([node("Gemm", "x W b", alpha=0.5, beta=-2.0)], (1, 2), {"W": W23, "b": B3}),
    "gemm transB": ([node("Gemm", "x W", transB=1)], (1, 3), {"W": W23}),
    "gemm transA": ([node("Gemm", "x W", transA=1)], (2, 3), {"W": W23}),
    "gemm constant left": ([node("Gemm", "W x")], (3, 2), {"W": W23}),
    "gemm scalar bias": ([node("Gemm", "x W b")], (1, 2), {"W": W23, "b": np.float32(0.5)}),
    "matmul": ([node("MatMul", "x W")], (1, 2), {"W": W23}),
    "matmul vector": ([node("MatMul", "x W")], (2,), {"W": W23}),
    "matmul constant left": ([node("MatMul", "W x")], (3, 4), {"W": W23}),
    "matmul constant left, vector": ([node("MatMul", "W x")], (3,), {"W": W23}),
    "matmul two vectors": ([node("MatMul", "x b")], (3,), {"b": B3}),
    "matmul batches": ([node("MatMul", "x W")], (2, 3, 2), {"W": quarters(6, 2, 2, 3)}),
    "matmul broadcast batches": ([node("MatMul", "W x")], (2, 1, 3, 2), {"W": quarters(6, 4, 2, 3)}),
    "matmul chain": ([node("MatMul", "x W", "h"), node("MatMul", "h V")], (1, 2), {"W": W23, "V": W34}),
    "add": ([node("Add", "x b")], (1, 3), {"b": B3}),
    "add constant first": ([node("Add", "b x")], (2, 3), {"b": B3}),
    "add broadcasts the input": ([node("Add", "x b")], (3, 1), {"b": B4}),
    "sub": ([node("Sub", "x b")], (1, 3), {"b": B3}),
    "sub from constant": ([node("Sub", "b x")], (1, 3), {"b": B3}),
    "mul": ([node("Mul", "x b")], (1, 3), {"b": B3}),
    "mul constant first": ([node("Mul", "b x")], (2, 3), {"b": B3}),
    "mul zero": ([node("Mul", "x b")], (1, 3), {"b": np.zeros(3, np.float32)}),
    "div by powers of two": ([node("Div", "x b")], (1, 3), {"b": np.array([2, -0.5, 4], np.float32)}),
    "neg": ([node("Neg")], (1, 3), {}),
    "sum of three": ([node("Sum", "x b x")], (1, 3), {"b": B3}),
    "branches": (
        [node("Gemm", "x W", "a"), node("Relu", "a", "r"), node("Add", "r a")], (1, 2), {"W": W23}),
    "branches that share a basis": (
        [node("MatMul", "x W", "a"), node("MatMul", "x V", "b"), node("Sub", "a b")], (1, 2),
        {"W": W23, "V": quarters(7, 2, 3)}),
    "input past two layers": (
        [node("MatMul", "x W", "a"), node("Relu", "a", "r"), node("MatMul", "r V", "c"), node("Relu", "c", "s"),
         node("Concat", "s x a", axis=1)], (1, 2), {"W": W23, "V": W34}),
    "twice the same": ([node("Relu", "x", "r"), node("Add", "r r")], (1, 3), {}),
    "relu": ([node("Relu")], (1, 3), {}),
    "relu twice": ([node("Relu", "x", "r"), node("Relu", "r")], (1, 3), {}),
    "leaky relu": ([node("LeakyRelu", alpha=0.25)], (1, 3), {}),
    "prelu": ([node("PRelu", "x s")], (1, 3), {"s": np.array([0.25, 0, -1], np.float32)}),
    "prelu one slope": ([node("PRelu", "x s")], (1, 3), {"s": np.array([0.25], np.float32)}),
    "prelu channels": ([node("PRelu", "x s")], IMAGE, {"s": np.array([[[0.25]], [[2]]], np.float32)}),
    "prelu slope one": ([node("PRelu", "x s")], (1, 2), {"s": np.array([1, 0.5], np.float32)}),
    "abs": ([node("Abs")], (1, 3), {}),
    "clip": ([node("Clip", "x a b")], (1, 3), {"a": np.float32(-1), "b": np.float32(0.5)}),
    "clip low": ([node("Clip", "x a")], (1, 3), {"a": np.float32(-1)}),
    "clip high": ([node("Clip", "x  b")], (1, 3), {"b": np.float32(0.5)}),
    "clip open": ([node("Clip")], (1, 3), {}),
    "clip largest float": (
        [node("Clip", "x a b")], (1, 3), {"a": np.float32(0), "b": np.finfo(np.float32).max}),
    "hard sigmoid": ([node("HardSigmoid", alpha=0.25, beta=0.5)], (1, 3), {}),
    "max with constant": ([node("Max", "x b")], (1, 3), {"b": B3}),
    "min with constant": ([node("Min", "b x")], (1, 3), {"b": B3}),
    "max of branches": ([node("MatMul", "x W", "a"), node("Max", "x a")], (1, 3), {"W": quarters(1, 3, 3)}),
    "min of branches": ([node("MatMul", "x W", "a"), node("Min", "x a x")], (1, 3), {"W": quarters(1, 3, 3)}),
    "conv": ([node("Conv", "x W b")], IMAGE, {"W": KERNEL, "b": B3}),
    "conv without bias": ([node("Conv", "x W", pads=[1, 0, 2, 1], strides=[2, 1])], IMAGE, {"W": KERNEL}),
    "conv of a batch of two": ([node("Conv", "x W b")], (2, 2, 4, 4), {"W": KERNEL, "b": B3}),
    "conv twice": (
        [node("Conv", "x W b", "h"), node("Conv", "h V")], IMAGE, {"W": KERNEL, "b": B3, "V": quarters(8, 1, 3, 2, 2)}),
    "max pool": ([node("MaxPool", kernel_shape=[2, 3])], IMAGE, {}),
    "max pool padded": (
        [node("MaxPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])], IMAGE, {}),
    "max pool of ones": ([node("MaxPool", kernel_shape=[1, 1], strides=[2, 2])], IMAGE, {}),
    "max pool ceil": ([node("MaxPool", kernel_shape=[2, 2], strides=[3, 3], ceil_mode=1)], IMAGE, {}),
    "average pool": ([node("AveragePool", kernel_shape=[2, 2])], IMAGE, {}),
    "average pool padded": (
        [node("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 1, 1])], IMAGE, {}),
    "average pool counts padding": (
        [node("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)], IMAGE, {}),
    "global average pool": ([node("GlobalAveragePool")], (1, 2, 4, 4), {}),
    "global max pool": ([node("GlobalMaxPool")], IMAGE, {}),
    "reduce mean": ([node("ReduceMean", axes=[1], keepdims=0)], (1, 4, 3), {}),
    "reduce sum": ([node("ReduceSum", "x a", keepdims=0)], (1, 4, 3), {"a": np.array([-1])}),
    "reduce max": ([node("ReduceMax", axes=[2])], (1, 4, 3), {}),
    "reduce max over all": ([node("ReduceMax")], (1, 4, 3), {}),
    "flatten": ([node("Flatten")], IMAGE, {}),
    "flatten axis": ([node("Flatten", "x", "f", axis=-1), node("MatMul", "f W")], (1, 4, 2), {"W": W23}),
    "reshape": ([node("Reshape", "x s", "r"), node("MatMul", "r W")], (1, 4, 2), {"s": np.array([0, 2, -1]),
        "W": quarters(2, 4, 2)}),
    "transpose": ([node("Transpose", "x", "t", perm=[0, 2, 1]), node("MatMul", "t W")], (1, 2, 5),
        {"W": W23}),
    "squeeze": ([node("Squeeze", "x a", "s"), node("MatMul", "s W")], (1, 1, 2), {"a": np.array([1]), "W": W23}),
    "unsqueeze": ([node("Unsqueeze", "x a", "s"), node("MatMul", "s W")], (1, 2), {"a": np.array([-1]),
        "W": quarters(1, 1, 3)}),
    "concat": ([node("Concat", "x b x", axis=1)], (1, 3), {"b": B4[np.newaxis]}),
    "concat axis 0": ([node("Neg", "x", "n"), node("Concat", "x n", axis=0)], (1, 3), {}),
    "slice": ([node("Slice", "x s e a t")], (1, 7), {"s": np.array([-1]), "e": np.array([-(2**31)]),
        "a": np.array([1]), "t": np.array([-2])}),
    "gather": ([node("Gather", "x i", axis=1)], (1, 4), {"i": np.array([3, -4, 3])}),
    "expand": ([node("Expand", "x s")], (3, 1), {"s": np.array([2, 1, 2])}),
    "split": ([node("Split", "x s", "a b", axis=1), node("Relu", "b", "r"), node("Concat", "r a", axis=1)], (1, 5),
        {"s": np.array([2, 3])}),
    "pad": ([node("Pad", "x p v")], (1, 2, 3), {"p": np.array([0, 1, -1, 0, 0, 2]), "v": np.float32(0.5)}),
    "identity": ([node("Identity")], (1, 3), {}),
    "dropout": ([node("Dropout", "x r")], (1, 3), {"r": np.float32(0.5)}),
    "cast": ([node("Cast", "x", "d", to=TensorProto.DOUBLE), node("Cast", "d", to=TensorProto.FLOAT)], (1, 3), {}),
    "constant node": (
        [node("Constant", "", "c", value=numpy_helper.from_array(B3)), node("Add", "x c")], (1, 3), {}),
    "constant float": ([node("Constant", "", "c", value_float=0.5), node("Mul", "x c")], (1, 3), {}),
    "flatten by shape": (
        [node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n axis", "u"),
         node("Concat", "u rest", "t", axis=0), node("Reshape", "x t")], IMAGE,
        {"zero": np.array(0), "axis": np.array([0]), "rest": np.array([-1])}),
    "constants combined": (
        [node("Mul", "b c", "d"), node("Add", "d b", "e"), node("Reshape", "e s", "f"), node("MatMul", "x f")], (1, 3),
        {"b": B3, "c": np.float32(0.5), "s": np.array([3, 1])}),
    "constant of shape": (
        [node("ConstantOfShape", "s", "c", value=numpy_helper.from_array(np.array([0.5], np.float32))),
         node("Add", "x c")], (1, 3), {"s": np.array([3])}),
    "constant output part": ([node("Relu", "b", "r"), node("Add", "x r")], (1, 3), {"b": B3}),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUAL)
def test_operation_equals_onnxruntime(name):
    nodes, shape, constants = EQUAL[name]
    assert_equal(build(nodes, shape, constants))


OLD = {
    "clip": ([node("Clip", min=-1.0, max=0.5)], (1, 3), {}, 9),
    "squeeze": ([node("Squeeze", axes=[1])], (1, 1, 2), {}, 9),
    "unsqueeze": ([node("Unsqueeze", axes=[0])], (1, 2), {}, 9),
    "pad": ([node("Pad", pads=[0, 1, 0, 2], value=0.5)], (1, 2), {}, 9),
    "slice": ([node("Slice", starts=[1], ends=[3], axes=[1])], (1, 4), {}, 9),
    "split": ([node("Split", "x", "a b", axis=1, split=[1, 3]), node("Concat", "b a", axis=1)], (1, 4), {}, 9),
    "split even": ([node("Split", "x", "a b", axis=1), node("Concat", "b a", axis=1)], (1, 4), {}, 9),
    "dropout": ([node("Dropout", ratio=0.5)], (1, 3), {}, 9),
    "reduce mean, opset 18": ([node("ReduceMean", "x a")], (1, 4), {"a": np.array([1])}, 18),
    "split uneven, opset 18": (
        [node("Split", "x", "a b", axis=1, num_outputs=2), node("Concat", "b a", axis=1)], (1, 5), {}, 18),
    "pad axes, opset 18": ([node("Pad", "x p  a")], (1, 3), {"p": np.array([1, 2]), "a": np.array([-1])}, 18),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_forms_of_other_opsets(name):
    nodes, shape, constants, opset = OLD[name]
    assert_equal(build(nodes, shape, constants, opset=opset))


CLOSE = {
    "hard sigmoid default": ([node("HardSigmoid")], (1, 5), {}),
    "leaky relu default": ([node("LeakyRelu")], (1, 5), {}),
    "div": ([node("Div", "x b")], (1, 3), {"b": np.array([3, 0.1, -7], np.float32)}),
    "average of nine": ([node("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1])], IMAGE, {}),
    "global average of thirty": ([node("GlobalAveragePool")], IMAGE, {}),
}


@pytest.mark.parametrize("name", CLOSE)
def test_operation_agrees_with_onnxruntime(name):
    nodes, shape, constants = CLOSE[name]
    assert_close(build(nodes, shape, constants))


def test_batch_normalization_is_folded_into_the_map_before():
    nodes = [
        node("Conv", "x W b", "h"),
        node("BatchNormalization", "h scale shift mean var", "n", epsilon=0.01),
        node("Relu", "n"),
    ]
    network = assert_close(build(nodes, IMAGE, {"W": KERNEL, "b": B3} | batch_norm_constants(3)))
    assert [layer.n_outputs for layer in network.layers] == [3 * 4 * 4] * 2
    assert any("BatchNormalization node" in note and "folded" in note for note in network.notes)


def test_batch_normalization_after_relu_keeps_the_next_map_exact():
    nodes = [
        node("Relu", "x", "r"),
        node("BatchNormalization", "r scale shift mean var", "n"),
        node("Gemm", "n W"),
    ]
    model = build(nodes, (1, 2), {"W": W23 / 3} | batch_norm_constants(2))
    network = assert_close(model)
    # Folded numbers have 53 bits: a product with W would be rounded, so that identity units stand between.
    assert [layer.activation.is_identity for layer in network.hidden] == [False, True]
    assert (network.output.weight == (W23 / 3).T).all()


# Windows -----------------------------------------------------------------------------------------------------


@st.composite
def windows(draw, dilated=True):
    rank = draw(st.integers(1, 3))
    axis = lambda low, high: draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank))  # noqa: E731
    kernel, sizes = axis(1, 3), axis(1, 6)
    attributes = {"kernel_shape": kernel, "strides": axis(1, 3)}
    if dilated:
        attributes["dilations"] = axis(1, 2)
    reach = [d * (k - 1) + 1 for d, k in zip(attributes.get("dilations", [1] * rank), kernel, strict=True)]
    mode = draw(st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if mode == "NOTSET":
        # onnxruntime wants padding smaller than the kernel.
        attributes["pads"] = [draw(st.integers(0, k - 1)) for k in kernel + kernel]
        sizes = [max(size, r) for size, r in zip(sizes, reach, strict=True)]
    else:
        attributes["auto_pad"] = mode
        if mode == "VALID":
            sizes = [max(size, r) for size, r in zip(sizes, reach, strict=True)]
        else:
            # onnxruntime refuses SAME with dilation, and pads less than nothing where a stride skips elements.
            attributes.pop("dilations", None)
            attributes["strides"] = [min(s, k) for s, k in zip(attributes["strides"], kernel, strict=True)]
    return sizes, attributes


@settings(max_examples=60, deadline=None)
@given(windows(), st.sampled_from([1, 2]), st.integers(1, 2), st.integers(1, 2), st.integers(0, 9))
def test_convolutions(window, groups, n_in, n_out, seed):
    sizes, attributes = window
    weight = quarters(seed, n_out * groups, n_in, *attributes["kernel_shape"])
    nodes = [node("Conv", "x W b", group=groups, **attributes)]
    model = build(nodes, (1, n_in * groups, *sizes), {"W": weight, "b": quarters(seed, n_out * groups)})
    assert_equal(model, seed)


@settings(max_examples=60, deadline=None)
@given(windows(), st.booleans(), st.integers(0, 9))
def test_max_pools(window, ceil_mode, seed):
    sizes, attributes = window
    if "auto_pad" not in attributes:
        attributes["ceil_mode"] = int(ceil_mode)
    assert_equal(build([node("MaxPool", **attributes)], (1, 2, *sizes)), seed)


@settings(max_examples=60, deadline=None)
@given(windows(dilated=False), st.booleans(), st.booleans(), st.integers(0, 9))
def test_average_pools(window, ceil_mode, count_padding, seed):
    sizes, attributes = window
    assume(not (count_padding and "auto_pad" in attributes))
    if "auto_pad" not in attributes:
        attributes["ceil_mode"] = int(ceil_mode)
    nodes = [node("AveragePool", count_include_pad=int(count_padding), **attributes)]
    assert_close(build(nodes, (1, 2, *sizes), opset=19), seed)


# Exactness ---------------------------------------------------------------------------------------------------


def fractions(matrix):
    return [[Fraction(float(v)) for v in row] for row in np.atleast_2d(matrix)]


def product(vector, matrix):
    columns = zip(*matrix, strict=True)
    return [sum((v * w for v, w in zip(vector, column, strict=True)), Fraction(0)) for column in columns]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 4), min_size=3, max_size=5), st.sampled_from(["f4", "f8", "f2"]))
def test_maps_in_a_row_are_composed_exactly(seed, widths, dtype):
    rng = np.random.default_rng(seed)
    scale = 2.0 ** rng.integers(-6, 6)
    weights = [(scale * rng.normal(size=pair)).astype(dtype) for pair in pairwise(widths)]
    biases = [rng.normal(size=width).astype(dtype) for width in widths[1:]]
    nodes, constants, last = [], {}, "x"
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        constants |= {f"W{i}": weight, f"b{i}": bias}
        nodes += [node("MatMul", f"{last} W{i}", f"m{i}"), node("Add", f"m{i} b{i}", f"a{i}")]
        last = f"a{i}"
    kinds = {"f2": TensorProto.FLOAT16, "f4": TensorProto.FLOAT, "f8": TensorProto.DOUBLE}
    network = from_onnx(build(nodes, (1, widths[0]), constants, output=last, kind=kinds[dtype]))
    point = [Fraction(int(v), 3) for v in rng.integers(-9, 9, widths[0])]
    expected = point
    for weight, bias in zip(weights, biases, strict=True):
        expected = [a + Fraction(float(b)) for a, b in zip(product(expected, fractions(weight)), bias, strict=True)]
    assert network.exact(point) == tuple(expected)
    assert network.n_neurons == 0


def test_product_that_is_no_float_gets_its_own_layer():
    tenth = np.array([[0.1]])
    nodes = [node("MatMul", "x W", "h"), node("MatMul", "h W")]
    network = from_onnx(build(nodes, (1, 1), {"W": tenth}, kind=TensorProto.DOUBLE))
    assert len(network.hidden) == 1
    assert network.exact([1]) == (Fraction(0.1) ** 2,)
    assert Fraction(0.1 * 0.1) != Fraction(0.1) ** 2


def test_product_that_is_a_float_is_composed():
    nodes = [node("MatMul", "x W", "h"), node("MatMul", "h V")]
    assert from_onnx(build(nodes, (1, 2), {"W": W23, "V": W34})).hidden == ()


def test_bias_that_would_be_rounded_gets_its_own_layer():
    nodes = [node("Add", "x a", "h"), node("Add", "h b")]
    constants = {"a": np.array([1.0]), "b": np.array([2.0**-60])}
    network = from_onnx(build(nodes, (1, 1), constants, kind=TensorProto.DOUBLE))
    assert network.exact([0]) == (1 + Fraction(1, 2**60),)


def test_branches_whose_sum_would_be_rounded():
    nodes = [node("Mul", "x a", "h"), node("Mul", "x b", "g"), node("Add", "h g")]
    constants = {"a": np.array([1.0]), "b": np.array([2.0**-60])}
    network = from_onnx(build(nodes, (1, 1), constants, kind=TensorProto.DOUBLE))
    assert network.exact([1]) == (1 + Fraction(1, 2**60),)


@pytest.mark.parametrize("factor", [2.0**-600, 2.0**600])
def test_products_beyond_the_range_of_floats(factor):
    nodes = [node("Mul", "x a", "h"), node("Mul", "h a", "g"), node("Mul", "g a")]
    network = from_onnx(build(nodes, (1, 1), {"a": np.array([factor])}, kind=TensorProto.DOUBLE))
    assert network.exact([1]) == (Fraction(factor) ** 3,)


def test_parameters_are_taken_exactly():
    nodes = [node("HardSigmoid", "x", "h"), node("LeakyRelu", "h", "g", alpha=0.1), node("Clip", "g a b")]
    constants = {"a": np.float32(0.3), "b": np.float32(0.7)}
    functions = [f for layer in from_onnx(build(nodes, (1, 1), constants)).hidden for f in layer.activation.functions]
    assert functions[0].slopes[1] == Fraction(float(np.float32(0.2)))
    assert functions[0].intercepts[1] == Fraction(1, 2)
    assert functions[1].slopes[0] == Fraction(float(np.float32(0.1)))
    assert functions[2].breakpoints == (Fraction(float(np.float32(0.3))), Fraction(float(np.float32(0.7))))


def test_numbers_that_were_rounded_are_noted():
    nodes = [node("AveragePool", "x", "p", kernel_shape=[3]), node("Div", "p c")]
    network = from_onnx(build(nodes, (1, 1, 5), {"c": np.float32(10)}))
    assert [("AveragePool" in n, "Div" in n) for n in network.notes] == [
        (False, False), (True, False), (False, True), (False, False)
    ]  # fmt: skip
    assert network.exact([1, 0, 0, 0, 0])[0] == Fraction(1 / 3) * Fraction(0.1)


def test_cast_to_short_floats_is_the_identity_with_a_note():
    nodes = [node("Cast", "x", "h", to=TensorProto.FLOAT16), node("Cast", "h", to=TensorProto.FLOAT)]
    network = from_onnx(build(nodes, (1, 1)))
    assert network.exact(["1/3"]) == (Fraction(1, 3),)
    assert network.notes[1:] == ("Cast node 'my_h' (1 of 2) is read as the identity: no value is rounded to float16.",)


# What a network looks like -----------------------------------------------------------------------------------


def test_only_what_is_read_later_is_carried():
    nodes = [
        node("Relu", "x", "r"),
        node("Slice", "r s e a", "part"),
        node("MatMul", "r W", "h"),
        node("Relu", "h", "t"),
        node("Concat", "t part", axis=1),
    ]
    constants = {"W": quarters(1, 5, 3), "s": np.array([3]), "e": np.array([4]), "a": np.array([1])}
    network = assert_equal(build(nodes, (1, 5), constants))
    assert [layer.n_outputs for layer in network.hidden] == [5, 3 + 1]
    assert network.n_neurons == 8


def test_nodes_that_the_output_does_not_need_are_left_out():
    nodes = [node("Relu"), node("Abs", "x", "unused")]
    assert from_onnx(build(nodes, (1, 2))).n_neurons == 2


def test_neurons_behind_zero_weights_stay():
    nodes = [node("Relu", "x", "r"), node("MatMul", "r W")]
    network = assert_equal(build(nodes, (1, 3), {"W": np.zeros((3, 2), np.float32)}))
    assert network.n_neurons == 3


def test_sparse_where_it_pays():
    conv = from_onnx(build([node("Conv", "x W"), node("Flatten", "y", "z")], (1, 2, 20, 20), {"W": KERNEL}, output="z"))
    assert conv.output.is_sparse
    assert not from_onnx(build([node("Gemm", "x W")], (1, 2), {"W": W23})).output.is_sparse


def test_dynamic_batch_is_one_and_noted():
    network = assert_equal(build([node("Flatten")], ("batch", 2, 3)))
    assert (network.dim, network.n_out) == (6, 6)
    assert network.notes == ("Input 'x' of shape (1, 2, 3) is flattened in C order.",)


def test_shape_of_the_output_is_noted():
    assert from_onnx(build([node("Relu")], (1, 2, 3))).notes[-1] == (
        "Output 'y' of shape (1, 2, 3) is flattened in C order."
    )


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "Sigmoid"])
def test_last_softmax_is_dropped_with_a_note(kind):
    nodes = [node("Gemm", "x W", "h"), node(kind, "h")]
    network = from_onnx(build(nodes, (1, 2), {"W": W23}))
    assert (network([1.0, 0.0]) == W23[0]).all()
    assert network.notes[-1] == f"{kind} node 'my_y' (2 of 2) is dropped: the outputs are the values it reads."


def test_last_softmax_may_pass_an_identity():
    network = from_onnx(build([node("Softmax", "x", "s"), node("Identity", "s")], (1, 2)))
    assert "dropped" in network.notes[-1]
