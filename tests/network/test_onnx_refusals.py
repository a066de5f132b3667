"""What `from_onnx` refuses: operations, shapes, numbers, damaged files, data outside the folder."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx_builder import batch_norm_constants, build, node, quarters

from polyrelu.errors import FileError, InputError, NetworkError, PolyreluError, UnsupportedNodeError
from polyrelu.network.onnx_reader import from_onnx

W23, B3, B4, IMAGE, KERNEL = quarters(1, 2, 3), quarters(3, 3), quarters(4, 4), (1, 2, 5, 6), quarters(5, 3, 2, 2, 3)


def refused(model, error=UnsupportedNodeError):
    with pytest.raises(error) as caught:
        from_onnx(model)
    return str(caught.value)


def test_softmax_in_the_middle():
    message = refused(build([node("Softmax", "x", "s"), node("Relu", "s")], (1, 2)))
    assert message.startswith("Relu node 'my_y' (2 of 2): ")
    assert "Softmax node 'my_s' (1 of 2) to come last" in message


def test_unknown_operation_is_named_with_its_place():
    assert refused(build([node("Relu", "x", "r"), node("Tanh", "r")], (1, 2))) == (
        "Tanh node 'my_y' (2 of 2): `from_onnx` needs piecewise-linear operations but received Tanh. Replace it by "
        "a piecewise-linear activation, or export the part of the model before it."
    )


def test_operation_of_another_domain():
    model = build([helper.make_node("Relu", ["x"], ["y"], domain="com.example")], (1, 2))
    assert refused(model).startswith("Relu node 'y' (1 of 1): ")


REFUSED = {
    "product of two branches": ([node("Mul", "x x")], (1, 2), {}, UnsupportedNodeError, "constant"),
    "matmul of two branches": ([node("MatMul", "x x")], (2, 2), {}, UnsupportedNodeError, "constant"),
    "weight that depends on the input": ([node("Conv", "c x")], (1, 1, 2, 2), {"c": quarters(0, 1, 1, 3, 3)},
        UnsupportedNodeError, "constant"),
    "division by the input": ([node("Div", "c x")], (1, 2), {"c": B4[:2]}, UnsupportedNodeError, "constant"),
    "division by zero": ([node("Div", "x c")], (1, 2), {"c": np.float32(0)}, NetworkError, "not zero"),
    "nan weight": ([node("MatMul", "x W")], (1, 2), {"W": W23 * np.float32("nan")}, NetworkError, "nan at [0, 0]"),
    "infinite bias": ([node("Add", "x b")], (1, 2), {"b": np.float32("inf")}, NetworkError, "finite"),
    "shapes that do not chain": ([node("MatMul", "x W")], (1, 3), {"W": W23}, NetworkError, "(1, 3) and (2, 3)"),
    "shapes that do not match": ([node("Add", "x b")], (1, 2), {"b": B3}, NetworkError, "(1, 2) and (3,)"),
    "reshape to another size": ([node("Reshape", "x s")], (1, 2), {"s": np.array([3])}, NetworkError, "size 2"),
    "gather beyond the end": ([node("Gather", "x s")], (2, 2), {"s": np.array([3])}, NetworkError, "out of bounds"),
    "clip upside down": ([node("Clip", "x a b")], (1, 2), {"a": np.float32(1), "b": np.float32(0)}, NetworkError,
        "low < high"),
    "clip at nan": ([node("Clip", "x a")], (1, 2), {"a": np.float32("nan")}, InputError, "finite"),
    "kernel larger than the image": ([node("MaxPool", kernel_shape=[3])], (1, 1, 2), {}, NetworkError, "axis 0"),
    "window in the padding": ([node("MaxPool", kernel_shape=[1], pads=[1, 0])], (1, 1, 2), {}, NetworkError, "empty"),
    "pool of a vector": ([node("MaxPool", kernel_shape=[1])], (1, 2), {}, NetworkError, "Pooling needs"),
    "channels of a conv": ([node("Conv", "x W")], (1, 3, 4, 4), {"W": KERNEL}, NetworkError, "2 channels"),
    "bias of a conv": ([node("Conv", "x W b")], IMAGE, {"W": KERNEL, "b": B4}, NetworkError, "(3,)"),
    "pool with strides of zero": ([node("MaxPool", kernel_shape=[1], strides=[0])], (1, 1, 2), {}, NetworkError,
        "strides of at least 1"),
    "padding that is not constant": ([node("Pad", "x p", mode="reflect")], (1, 3), {"p": np.array([0, 1, 0, 1])},
        UnsupportedNodeError, "reflect"),
    "cast to integers": ([node("Cast", to=TensorProto.INT64)], (1, 2), {}, UnsupportedNodeError, "int64"),
    "training batch normalisation": (
        [node("BatchNormalization", "x scale shift mean var", "y m v", training_mode=1)], (1, 2),
        batch_norm_constants(2), UnsupportedNodeError, "training"),
    "negative variance": ([node("BatchNormalization", "x scale shift mean var")], (1, 2),
        batch_norm_constants(2) | {"var": np.array([1, -1], np.float32)}, NetworkError, "positive"),
    "negative alpha": ([node("HardSigmoid", alpha=-1.0)], (1, 2), {}, NetworkError, "alpha > 0"),
    "enormous expand": ([node("Expand", "x s")], (1, 2), {"s": np.array([2**40, 2])}, NetworkError, "elements"),
    "enormous pad": ([node("Pad", "x p")], (1, 2), {"p": np.array([0, 2**40, 0, 0])}, NetworkError, "size"),
    "split that does not add up": ([node("Split", "x s", "y z", axis=1)], (1, 4), {"s": np.array([1, 1])},
        NetworkError, "add up to 4"),
    "missing input": ([node("Relu", "nowhere")], (1, 2), {}, NetworkError, "nowhere"),
    "indices of a max pool": ([node("MaxPool", "x", "a i", kernel_shape=[2]), node("Identity", "i")], (1, 1, 4), {},
        NetworkError, "'i'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_says_why(name):
    nodes, shape, constants, error, words = REFUSED[name]
    message = refused(build(nodes, shape, constants), error)
    assert words in message, message


@pytest.mark.parametrize("name", sorted(set(REFUSED) - {"missing input"}))
def test_refusal_names_the_node(name):
    nodes, shape, constants, error, _ = REFUSED[name]
    message = refused(build(nodes, shape, constants), error)
    assert f"{nodes[-1].op_type} node '{nodes[-1].name}' ({len(nodes)} of {len(nodes)})" in message, message


def test_several_inputs_or_outputs():
    model = build([node("Relu")], (1, 2))
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 2]))
    assert "['x', 'z']" in refused(model, NetworkError)
    model = build([node("Relu")], (1, 2))
    model.graph.output.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2]))
    assert "['y', 'x']" in refused(model, NetworkError)


@pytest.mark.parametrize("shape", [("n",), (1, "width"), (1, 0), ()])
def test_input_of_unknown_shape(shape):
    assert "known shape" in refused(build([node("Relu")], shape), NetworkError)


def test_input_of_integers():
    assert "floats" in refused(build([node("Relu")], (1, 2), kind=TensorProto.INT32, opset=14), NetworkError)


def test_old_opset():
    assert "opset 7" in refused(build([node("Relu")], (1, 2), opset=6), NetworkError)


def test_invalid_model():
    assert "ONNX reports" in refused(build([node("Gemm", "x")], (1, 2)), NetworkError)


def test_complex_weights():
    assert "real numbers" in refused(build([node("Add", "x b")], (1, 2), {"b": np.complex64(1)}), NetworkError)


def test_something_else():
    assert "ModelProto" in refused(3.0, InputError)


def test_missing_file(tmp_path):
    assert "readable" in refused(tmp_path / "none.onnx", FileError)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", bytes(range(256))])
def test_file_that_is_no_model(tmp_path, content):
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)
    refused(path, FileError)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 4), st.booleans())
def test_damaged_file_never_crashes(tmp_path_factory, seed, n_changes, cut):
    nodes = [
        node("Conv", "x W b", "h"), node("Relu", "h", "r"), node("MaxPool", "r", "p", kernel_shape=[2, 2]),
        node("Reshape", "p s", "f"), node("Pad", "f q"),
    ]  # fmt: skip
    constants = {"W": KERNEL, "b": B3, "s": np.array([1, -1]), "q": np.array([0, 1, 0, 1])}
    content = bytearray(build(nodes, IMAGE, constants).SerializeToString())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(content), n_changes):
        content[place] = rng.integers(0, 256)
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(content[: rng.integers(0, len(content))] if cut else content)
    try:
        from_onnx(path)
    except PolyreluError as error:
        assert str(error)


# External data -----------------------------------------------------------------------------------------------


def save_with_external_data(folder):
    weight = quarters(1, 40, 50)
    model = build([node("MatMul", "x W")], (1, 40), {"W": weight})
    onnx.save_model(
        model, folder / "m.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    return folder / "m.onnx", weight


def test_external_data_beside_the_model(tmp_path):
    path, weight = save_with_external_data(tmp_path)
    assert (from_onnx(path).output.weight == weight.T).all()


def test_external_data_missing(tmp_path):
    path, _ = save_with_external_data(tmp_path)
    (tmp_path / "weights.bin").unlink()
    assert "'weights.bin'" in refused(path, FileError)


def test_external_data_too_short(tmp_path):
    path, _ = save_with_external_data(tmp_path)
    (tmp_path / "weights.bin").write_bytes(b"\0" * 10)
    refused(path, FileError)


@pytest.mark.parametrize("how", ["parent", "absolute", "link"])
def test_external_data_outside_the_folder(tmp_path, how):
    folder = tmp_path / "model"
    folder.mkdir()
    path, weight = save_with_external_data(folder)
    secret = tmp_path / "secret.bin"
    secret.write_bytes(weight.tobytes())
    location = {"parent": "../secret.bin", "absolute": str(secret), "link": "link.bin"}[how]
    (folder / "link.bin").symlink_to(secret)
    model = onnx.load_model(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    path.write_bytes(model.SerializeToString())
    assert "inside the model's folder" in refused(path, FileError)


def test_external_data_not_loaded(tmp_path):
    path, _ = save_with_external_data(tmp_path)
    assert "not loaded" in refused(onnx.load_model(path, load_external_data=False), FileError)
