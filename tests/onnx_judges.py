"""Converts models with `lanthorn convert`, and has the files judged by onnx.checker and ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator

import program

TOLERANCE = 1e-4


def convert(source, target, *flags):
    return program.succeed("convert", source, target, *flags)


def checked(path):
    onnx.checker.check_model(str(path), full_check=True)
    return onnx.load(str(path))


def run_file(path, inputs: dict) -> list:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


# What ONNX Runtime 1.32 has no kernel for on a CPU, and the opset from which on; onnx's own reference runs these.
WITHOUT_KERNEL = {"Swish": 25, "SwiGLU": 25, "QuantizeLinear": 28, "DequantizeLinear": 28}


def run_model(model, path, inputs: dict) -> list:
    opset = next(entry.version for entry in model.opset_import if not entry.domain)
    if any(opset >= WITHOUT_KERNEL.get(node.op_type, 99) for node in model.graph.node):
        return ReferenceEvaluator(model).run(None, inputs)
    return run_file(path, inputs)


def assert_close(got, want, tolerance=TOLERANCE):
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype and a.shape == b.shape, f"{a.dtype}{a.shape}, not {b.dtype}{b.shape}"
        if a.dtype.kind in "fc":
            assert (np.isnan(a) == np.isnan(b)).all()
            finite = np.isfinite(b)
            assert (a[~finite & ~np.isnan(b)] == b[~finite & ~np.isnan(b)]).all()
            scale = np.abs(b[finite]).max(initial=1e-6)
            assert np.abs(a[finite].astype(np.float64) - b[finite]).max(initial=0) <= tolerance * scale
        else:
            assert (a == b).all()


def values(*types):
    return [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape) for name, dtype, shape in types]


def ints(*numbers):
    return np.array(numbers, np.int64)


def floats(*numbers):
    return np.array(numbers, np.float32)


def random_inputs(model, generator) -> dict:
    given = {tensor.name for tensor in model.graph.initializer}
    inputs = {}
    for port in model.graph.input:
        if port.name in given:
            continue
        dtype = helper.tensor_dtype_to_np_dtype(port.type.tensor_type.elem_type)
        shape = [dim.dim_value for dim in port.type.tensor_type.shape.dim]
        if dtype == np.bool_:
            inputs[port.name] = generator.random(shape) > 0.4
        elif np.issubdtype(dtype, np.integer):
            inputs[port.name] = generator.integers(0 if np.iinfo(dtype).min == 0 else -20, 20, shape).astype(dtype)
        else:
            inputs[port.name] = generator.standard_normal(shape).astype(dtype)
    return inputs
