"""What onnxruntime says at the input that violates a property: a second opinion, in the arithmetic of the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from os import PathLike

import numpy as np

from polyrelu.errors import FileError, MissingExtraError

__all__ = ["onnx_outputs"]

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}


def onnx_outputs(path: str | PathLike[str], inputs: Sequence[Fraction]) -> tuple[float, ...]:
    """Return the outputs of a model at one input, worked out by onnxruntime, flattened.

    The input is rounded to the model's floats, so that outputs agree with exact ones up to roundings only.

    Parameters
    ----------
    path : path of an .onnx file
    inputs : sequence of Fraction, length dim

    Raises
    ------
    MissingExtraError
        If onnxruntime is not installed.
    FileError
        If onnxruntime cannot run the model.
    """
    try:
        import onnxruntime
    except ImportError:
        message = "`onnx_outputs` needs onnxruntime. Install it with: pip install 'polyrelu[onnxruntime]'"
        raise MissingExtraError(message) from None
    failures = (RuntimeError, ValueError, onnxruntime.capi.onnxruntime_pybind11_state.Fail)
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        [source] = session.get_inputs()
        shape = [size if isinstance(size, int) and size > 0 else 1 for size in source.shape]
        if math.prod(shape) != len(inputs) or source.type not in TYPES:
            raise ValueError(f"its input has the shape {source.shape} and the type {source.type}")
        values = np.array([float(value) for value in inputs]).astype(TYPES[source.type]).reshape(shape)
        found = session.run(None, {source.name: values})[0]
    except failures as error:
        raise FileError(
            f"`onnx_outputs` needs a model with one input that onnxruntime runs but received {str(path)!r} ({error}). "
            "Compare the outputs yourself."
        ) from None
    return tuple(float(value) for value in np.asarray(found).ravel())
