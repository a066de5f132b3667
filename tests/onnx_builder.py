"""Small ONNX models, onnxruntime, and comparisons of a network with it.

Weights and inputs are multiples of 1/4 where the operation allows it: then float32 computes exactly and equality
is ``==``.
"""

from fractions import Fraction

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from polyrelu.network.onnx_reader import from_onnx

OPSET = 17


def quarters(seed, *shape):
    """Return random multiples of 1/4, float32."""
    return (np.random.default_rng(seed).integers(-8, 9, shape) / 4).astype(np.float32)


def build(nodes, shape, constants=(), output="y", opset=OPSET, kind=TensorProto.FLOAT):
    """Return a model with the input x and one output."""
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in dict(constants).items()]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(output, kind, None)],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(kind, inputs="x", outputs="y", **attributes):
    names = inputs.split(" ") if inputs else []
    return helper.make_node(kind, names, outputs.split(), name=f"my_{outputs.split()[0]}", **attributes)


def run(model, points):
    """Return onnxruntime's outputs for flat inputs, shape (n, n_out)."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    source = model if isinstance(model, str) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    first = session.get_inputs()[0]
    shape = [size if isinstance(size, int) else 1 for size in first.shape]
    return np.stack([session.run(None, {first.name: point.reshape(shape)})[0].ravel() for point in points])


def assert_equal(model, seed=0):
    """Assert that the network equals onnxruntime at quarter points, in floats and in rationals; return it."""
    network = from_onnx(model)
    points = quarters(seed, 12, network.dim)
    expected = run(model, points).astype(np.float64)
    assert (network(points) == expected).all()
    assert network.exact(points[0].tolist()) == tuple(map(Fraction, expected[0].tolist()))
    return network


def assert_close(model, seed=0, points=None):
    """Assert that the network agrees with onnxruntime but for float32; return it."""
    network = from_onnx(model)
    points = quarters(seed, 12, network.dim) if points is None else points
    expected = run(model, points)
    values = network(points)
    assert np.abs(values - expected).max() <= 1e-5 * max(1, np.abs(expected).max())
    exact = np.array([float(v) for v in network.exact(points[0].tolist())])
    assert np.abs(exact - values[0]).max() <= 1e-9 * max(1, np.abs(exact).max())
    return network


def batch_norm_constants(channels, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "scale": quarters(seed, channels), "shift": quarters(seed + 1, channels), "mean": quarters(seed + 2, channels),
        "var": rng.uniform(0.5, 2, channels).astype(np.float32),
    }  # fmt: skip
