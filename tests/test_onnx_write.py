"""ONNX files that we write, judged by onnx.checker and ONNX Runtime: from TorchScript, and from ONNX in other opsets."""

import json
import os
import random

import numpy as np
import pytest

import program

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

SEED = int(os.environ.get("LANTHORN_SEED", "20261124"))
OPSETS = [7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28]
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


# ---- from TorchScript


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.features = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
                                            torch.nn.MaxPool2d(2), torch.nn.Conv2d(8, 8, 3, groups=2), torch.nn.Hardswish())
        self.fc = torch.nn.Linear(8, 10)

    def forward(self, x):
        return self.fc(self.features(x).mean((2, 3)))


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.qkv, self.out = torch.nn.LayerNorm(16), torch.nn.Linear(16, 48), torch.nn.Linear(16, 16)
        self.group = torch.nn.GroupNorm(4, 16)
        self.mlp = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.GELU(), torch.nn.Linear(32, 16), torch.nn.Mish())

    def forward(self, x, mask):
        b, s, _ = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, s, 3, 4, 4).permute(2, 0, 3, 1, 4).unbind(0)
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.out(y.transpose(1, 2).reshape(b, s, 16))
        x = x + self.group(x.transpose(1, 2)).transpose(1, 2)
        return torch.clamp(x + self.mlp(x), -3, 3), torch.tril(x), torch.nn.functional.softmax(x, 1)


def saved(module, example, path):
    torch.manual_seed(SEED)
    module = module().eval()
    for _, buffer in module.named_buffers():
        if buffer.dtype == torch.float32:
            buffer.uniform_(0.5, 1.5)
    torch.jit.trace(module, example).save(str(path))
    return module


@pytest.mark.parametrize("opset", [None, *OPSETS])
def test_a_classifier_with_a_free_batch(tmp_path, opset):
    example = torch.rand(2, 3, 16, 16)
    module = saved(Classifier, example, tmp_path / "m.pt")
    np.savez(tmp_path / "in.npz", in0=example.numpy())
    flags = ["--opset", opset] if opset else []
    convert(tmp_path / "m.pt", tmp_path / "m.onnx", "--example", tmp_path / "in.npz", "--input-names", "input", "--output-names", "output",
            "--dynamic", "input:0=batch_size", "--dynamic", "output:0=batch_size", *flags)
    model = checked(tmp_path / "m.onnx")
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": opset or onnx.defs.onnx_opset_version()}
    dims = [[dim.dim_param or dim.dim_value for dim in port.type.tensor_type.shape.dim] for port in [*model.graph.input, *model.graph.output]]
    assert dims == [["batch_size", 3, 16, 16], ["batch_size", 10]]
    x = torch.rand(5, 3, 16, 16)
    assert_close(run_file(tmp_path / "m.onnx", {"input": x.numpy()}), [module(x).detach().numpy()])
    # Clean: nothing about shapes is computed, batch normalization stays, and names tell the modules.
    ops = [node.op_type for node in model.graph.node]
    assert "BatchNormalization" in ops and not {"Shape", "Constant", "Identity"} & set(ops)
    assert {"features.0.weight", "fc.bias"} <= {tensor.name for tensor in model.graph.initializer}
    assert "/features/0/Conv" in [node.name for node in model.graph.node]


def test_batch_normalization_is_folded_when_asked(tmp_path):
    example = torch.rand(2, 3, 16, 16)
    module = saved(Classifier, example, tmp_path / "m.pt")
    np.savez(tmp_path / "in.npz", in0=example.numpy())
    convert(tmp_path / "m.pt", tmp_path / "m.onnx", "--example", tmp_path / "in.npz", "--fold-batch-norm")
    model = checked(tmp_path / "m.onnx")
    assert "BatchNormalization" not in [node.op_type for node in model.graph.node]
    assert_close(run_file(tmp_path / "m.onnx", {model.graph.input[0].name: example.numpy()}), [module(example).detach().numpy()])


@pytest.mark.parametrize("opset", [11, 13, 14, 17, 18, 20, 21, 23, 28])
def test_a_transformer_block(tmp_path, opset):
    example = (torch.rand(2, 5, 16), torch.rand(2, 1, 5, 5) > 0.4)
    module = saved(Block, example, tmp_path / "m.pt")
    np.savez(tmp_path / "in.npz", in0=example[0].numpy(), in1=example[1].numpy())
    convert(tmp_path / "m.pt", tmp_path / "m.onnx", "--example", tmp_path / "in.npz", "--opset", opset, "--input-names", "x,mask",
            "--dynamic", "x:0=batch", "--dynamic", "mask:0=batch", "--dynamic", "x:1=length", "--dynamic", "mask:2=length", "--dynamic", "mask:3=length")
    checked(tmp_path / "m.onnx")
    x, mask = torch.rand(3, 7, 16), torch.rand(3, 1, 7, 7) > 0.3
    want = [value.detach().numpy() for value in module(x, mask)]
    assert_close(run_file(tmp_path / "m.onnx", {"x": x.numpy(), "mask": mask.numpy()}), want)


def test_silu_is_what_runtimes_have(tmp_path):
    torch.jit.trace(torch.nn.SiLU(), torch.rand(2, 3)).save(str(tmp_path / "m.pt"))
    convert(tmp_path / "m.pt", tmp_path / "m.onnx", "--input-shape", "x:2,3")
    model, x = checked(tmp_path / "m.onnx"), torch.rand(2, 3)
    assert [node.op_type for node in model.graph.node] == ["Sigmoid", "Mul"]
    assert_close(run_file(tmp_path / "m.onnx", {model.graph.input[0].name: x.numpy()}), [torch.nn.functional.silu(x).numpy()])


def test_what_cannot_be_free_is_said(tmp_path):
    @torch.jit.script
    def branches(x):
        if x.size(0) > 2:
            return x + 1
        return x * 2

    branches.save(str(tmp_path / "m.pt"))
    np.savez(tmp_path / "in.npz", in0=np.ones((2, 3), np.float32))
    flags = ["--example", tmp_path / "in.npz"]
    answer = program.call("convert", tmp_path / "m.pt", tmp_path / "m.onnx", *flags, "--dynamic", "x:0=batch")
    assert answer.code == 4 and "holds for 2 only" in answer.stderr
    convert(tmp_path / "m.pt", tmp_path / "m.onnx", *flags, "--dynamic", "x:1=width")
    assert_close(run_file(tmp_path / "m.onnx", {"x": np.ones((2, 9), np.float32)}), [np.full((2, 9), 2, np.float32)])
    for flag in ["x:7=a", "y:0=a", "x:0", "x=a", "x:a=b", "x:0="]:
        assert program.call("convert", tmp_path / "m.pt", tmp_path / "m.onnx", *flags, "--dynamic", flag).code == 2


# ---- from ONNX


def values(*types):
    return [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape) for name, dtype, shape in types]


def one_node(op, inputs, outputs, constants=(), opset=28, **attributes):
    """A model of one node; inputs and outputs are (name, dtype, shape), constants (name, array)."""
    names = [entry[0] for entry in [*inputs, *constants]]
    order = attributes.pop("order", names)
    node = helper.make_node(op, order, [entry[0] for entry in outputs], name=f"the_{op}", **attributes)
    graph = helper.make_graph([node], "g", values(*inputs), values(*outputs), [numpy_helper.from_array(array, name) for name, array in constants])
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets))


F, X, Y = np.float32, ("x", np.float32, [2, 4, 6]), ("y", np.float32, None)
PICTURE = ("x", np.float32, [1, 4, 6, 6])


def ints(*numbers):
    return np.array(numbers, np.int64)


def floats(*numbers):
    return np.array(numbers, np.float32)


rng = np.random.default_rng(SEED)
QKV = [(name, F, [2, 4, 5, 8]) for name in ("q", "k", "v")]
GROUPED = [("q", F, [2, 5, 32]), ("k", F, [2, 6, 16]), ("v", F, [2, 6, 16])]
# Operators that older opsets have not, or not so: name, the oldest opset in which they can be said, model.
CASES = [
    ("gelu", 9, one_node("Gelu", [X], [Y])),
    ("gelu_tanh", 7, one_node("Gelu", [X], [Y], approximate="tanh")),
    ("mish", 7, one_node("Mish", [X], [Y])),
    ("hard_swish", 7, one_node("HardSwish", [X], [Y])),
    ("swish", 7, one_node("Swish", [X], [Y], alpha=1.5)),
    ("swiglu", 7, one_node("SwiGLU", [("a", F, [2, 3]), ("b", F, [2, 3])], [Y], alpha=1.25)),
    ("celu", 7, one_node("Celu", [X], [Y], alpha=2.0)),
    ("shrink", 7, one_node("Shrink", [X], [Y], bias=0.25, lambd=0.5)),
    ("thresholded_relu", 7, one_node("ThresholdedRelu", [X], [Y], alpha=0.5)),
    ("relu_int", 9, one_node("Relu", [("x", np.int32, [4])], [("y", np.int32, None)])),
    ("layer_norm", 7, one_node("LayerNormalization", [X], [Y], [("s", rng.random((4, 6), F)), ("b", rng.random((4, 6), F))], axis=1)),
    ("layer_norm_plain", 7, one_node("LayerNormalization", [X], [Y], [("s", rng.random(6, F))])),
    ("rms_norm", 7, one_node("RMSNormalization", [X], [Y], [("s", rng.random(6, F))])),
    ("group_norm", 7, one_node("GroupNormalization", [PICTURE], [Y], [("s", rng.random(4, F)), ("b", rng.random(4, F))], num_groups=2)),
    ("softmax_middle", 7, one_node("Softmax", [X], [Y], axis=1)),
    ("log_softmax_last", 7, one_node("LogSoftmax", [X], [Y])),
    ("hardmax_first", 7, one_node("Hardmax", [X], [Y], axis=0)),
    ("greater_or_equal", 11, one_node("GreaterOrEqual", [X, ("z", F, [6])], [("y", np.bool_, None)])),
    ("less_or_equal_int", 9, one_node("LessOrEqual", [("x", np.int8, [4]), ("z", np.int8, [4])], [("y", np.bool_, None)])),
    ("max_int", 9, one_node("Max", [("x", np.int64, [4]), ("z", np.int64, [4]), ("w", np.int64, [1])], [("y", np.int64, None)])),
    ("clip", 7, one_node("Clip", [X], [Y], [("low", np.array(-0.5, F)), ("high", np.array(0.75, F))])),
    ("clip_int", 9, one_node("Clip", [("x", np.int32, [4])], [("y", np.int32, None)], [("low", np.array(-2, np.int32))])),
    ("clip_computed", 8, one_node("Clip", [X, ("low", F, [])], [Y])),
    ("add_uint8", 9, one_node("Add", [("x", np.uint8, [4]), ("z", np.uint8, [4])], [("y", np.uint8, None)])),
    ("equal_float", 11, one_node("Equal", [X, ("z", F, [6])], [("y", np.bool_, None)])),
    ("pow_int_exponent", 7, one_node("Pow", [X], [Y], [("n", np.array(3, np.int64))])),
    ("cast_like", 7, one_node("CastLike", [X, ("z", np.int32, [1])], [("y", np.int32, None)])),
    ("is_inf", 7, one_node("IsInf", [X], [("y", np.bool_, None)])),
    ("shift_left", 12, one_node("BitShift", [("x", np.int32, [4])], [("y", np.int32, None)], [("n", np.array([1, 2, 3, 0], np.int32))], direction="LEFT")),
    ("shift_right", 12, one_node("BitShift", [("x", np.int32, [4])], [("y", np.int32, None)], [("n", np.array([1, 2, 3, 0], np.int32))], direction="RIGHT")),
    ("squeeze", 7, one_node("Squeeze", [("x", F, [1, 3, 1])], [Y], [("axes", ints(-1))])),
    ("unsqueeze", 7, one_node("Unsqueeze", [X], [Y], [("axes", ints(0, -1))])),
    ("reduce_mean", 7, one_node("ReduceMean", [X], [Y], [("axes", ints(-1, 0))], keepdims=0)),
    ("reduce_sum_all", 7, one_node("ReduceSum", [X], [Y])),
    ("reduce_max_bool", 11, one_node("ReduceMax", [("x", np.bool_, [3, 4])], [("y", np.bool_, None)], [("axes", ints(1))])),
    ("split_uneven", 7, one_node("Split", [("x", F, [2, 7])], [("y", F, None), ("z", F, None), ("w", F, None)], axis=-1, num_outputs=3)),
    ("pad_axes", 7, one_node("Pad", [X], [Y], [("pads", ints(1, 2)), ("value", np.array(0.5, F)), ("axes", ints(-1))])),
    ("pad_reflect", 7, one_node("Pad", [X], [Y], [("pads", ints(0, 1, 1, 0, 0, 2))], mode="reflect")),
    ("slice_steps", 10, one_node("Slice", [X], [Y], [("s", ints(5)), ("e", ints(-100)), ("a", ints(-1)), ("t", ints(-2))])),
    ("slice", 7, one_node("Slice", [X], [Y], [("s", ints(1)), ("e", ints(1000)), ("a", ints(-1))])),
    ("top_k_smallest", 7, one_node("TopK", [X], [Y, ("i", np.int64, None)], [("k", ints(2))], axis=1, largest=0)),
    ("shape_part", 10, one_node("Shape", [X], [("y", np.int64, None)], start=-2, end=3)),
    ("trilu", 11, one_node("Trilu", [X], [Y], [("k", np.array(1, np.int64))], upper=0)),
    ("gather_negative", 7, one_node("Gather", [X], [Y], [("i", ints(-1, 0))], axis=-1)),
    ("argmax", 7, one_node("ArgMax", [X], [("y", np.int64, None)], axis=-2)),
    ("gemm_plain", 7, one_node("Gemm", [("x", F, [2, 3])], [Y], [("w", rng.random((3, 4), F))])),
    ("dropout", 7, one_node("Dropout", [X], [Y])),
    ("depth_to_space", 7, one_node("DepthToSpace", [PICTURE], [Y], blocksize=2, mode="CRD")),
    ("average_pool", 10, one_node("AveragePool", [PICTURE], [Y], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, count_include_pad=1)),
    ("max_pool", 8, one_node("MaxPool", [PICTURE], [Y], kernel_shape=[2, 2], strides=[2, 2])),
    ("resize_axes", 11, one_node("Resize", [PICTURE], [Y], [("sizes", ints(9, 7))], order=["x", "", "", "sizes"], axes=[2, 3], mode="linear")),
    ("resize_scales", 11, one_node("Resize", [PICTURE], [Y], [("scales", floats(2, 1.5))], order=["x", "", "scales"], axes=[2, 3])),
    ("resize_corner", 7, one_node("Resize", [PICTURE], [Y], [("scales", floats(1, 1, 2, 2))], order=["x", "", "scales"],
                                  coordinate_transformation_mode="asymmetric", nearest_mode="floor")),
    ("grid_sample", 16, one_node("GridSample", [PICTURE, ("grid", F, [1, 3, 3, 2])], [Y], mode="cubic")),
    ("attention", 9, one_node("Attention", QKV, [Y])),
    ("attention_causal", 11, one_node("Attention", QKV, [Y], is_causal=1, softcap=2.0, scale=0.3)),
    ("attention_grouped", 9, one_node("Attention", GROUPED, [Y], q_num_heads=4, kv_num_heads=2)),
    ("attention_mask", 9, one_node("Attention", [*QKV, ("m", np.bool_, [5, 5])], [Y])),
    ("attention_past", 11, one_node("Attention", [*QKV, ("pk", F, [2, 4, 3, 8]), ("pv", F, [2, 4, 3, 8])],
                                    [Y, ("nk", F, None), ("nv", F, None)], order=["q", "k", "v", "", "pk", "pv"], is_causal=1)),
    ("rotary", 9, one_node("RotaryEmbedding", [("x", F, [2, 3, 4, 8])], [Y], [("c", rng.random((9, 4), F)), ("s", rng.random((9, 4), F)),
                                                                               ("p", rng.integers(0, 9, (2, 4)))])),
    ("rotary_interleaved", 10, one_node("RotaryEmbedding", [("x", F, [2, 4, 24])], [Y], [("c", rng.random((2, 4, 2), F)), ("s", rng.random((2, 4, 2), F))],
                                        num_heads=3, interleaved=1, rotary_embedding_dim=4)),
    ("dequantize_axis", 10, one_node("DequantizeLinear", [("x", np.int8, [3, 4])], [Y], [("s", rng.random(3, F)), ("z", np.array([1, 2, 3], np.int8))], axis=0)),
    ("dequantize_blocks", 10, one_node("DequantizeLinear", [("x", np.uint8, [2, 6])], [Y], [("s", rng.random((2, 2), F))], axis=1, block_size=3)),
    ("quantize_axis", 11, one_node("QuantizeLinear", [X], [("y", np.int8, None)], [("s", rng.random(4, F) + F(0.1)), ("z", np.zeros(4, np.int8))], axis=1)),
]


def with_shapes(model):
    """Outputs need shapes for the full check."""
    return onnx.shape_inference.infer_shapes(model)


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


@pytest.mark.parametrize(("name", "oldest", "model"), CASES, ids=[case[0] for case in CASES])
def test_operators_in_older_opsets(tmp_path, name, oldest, model):
    model = with_shapes(model)
    onnx.save(model, tmp_path / "m.onnx")
    inputs = random_inputs(model, np.random.default_rng(SEED))
    want = ReferenceEvaluator(model).run(None, inputs)
    for opset in OPSETS:
        target = tmp_path / f"{opset}.onnx"
        answer = program.call("convert", tmp_path / "m.onnx", target, "--opset", opset)
        if opset < oldest:
            # Older ones may do, too; where they do not, it is said which operator is in the way.
            assert answer.code in (0, 4) and (answer.code == 0 or "cannot express" in answer.stderr), answer.stderr
        else:
            assert answer.code == 0, f"opset {opset}: {answer.stderr}"
        if answer.code == 0:
            lowered = checked(target)
            assert lowered.opset_import[0].version == opset
            assert_close(run_model(lowered, target, inputs), want)


def test_all_that_an_opset_lacks_is_listed(tmp_path):
    nodes = [helper.make_node("GridSample", ["x", "grid"], ["a"], name="sample"), helper.make_node("Det", ["a"], ["b"], name="det"),
             helper.make_node("Gelu", ["b"], ["y"], name="act")]
    graph = helper.make_graph(nodes, "g", values(("x", F, [1, 1, 3, 3]), ("grid", F, [1, 3, 3, 2])), values(("y", F, [1, 1])))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), tmp_path / "m.onnx")
    answer = program.call("convert", tmp_path / "m.onnx", tmp_path / "old.onnx", "--opset", 8)
    assert answer.code == 4 and not (tmp_path / "old.onnx").exists()
    assert "GridSample" in answer.stderr and "'det'" in answer.stderr and "Erf" in answer.stderr
    for opset in (6, 29, 0):
        assert program.call("convert", tmp_path / "m.onnx", tmp_path / "old.onnx", "--opset", opset).code in (2, 4)


def random_model(generator: random.Random):
    """A chain of operators over a few values of one shape, at a random opset."""
    opset = generator.choice([9, 11, 13, 17, 18, 21])
    unary = ["Relu", "Sigmoid", "Tanh", "Abs", "Neg", "Softplus", "Erf", "Identity"]
    binary = ["Add", "Sub", "Mul", "Max", "Min"]
    nodes, constants, known = [], [], ["x", "z"]
    for i in range(generator.randrange(1, 12)):
        name = generator.choice([f"v{i}", f"a/b.{i}", f"größe {i}", f"v{i}\n"])
        kind = generator.randrange(5)
        if kind == 0:
            nodes.append(helper.make_node(generator.choice(binary), [generator.choice(known), generator.choice(known)], [name]))
        elif kind == 1:
            axes = generator.choice([[0], [1], [-1], [0, 1]])
            if opset >= 18:
                constants.append(numpy_helper.from_array(ints(*axes), f"axes{i}"))
                nodes.append(helper.make_node("ReduceMean", [generator.choice(known), f"axes{i}"], [f"r{i}"]))
            else:
                axes = [axis % 2 for axis in axes]
                nodes.append(helper.make_node("ReduceMean", [generator.choice(known)], [f"r{i}"], axes=axes))
            nodes.append(helper.make_node("Add", [f"r{i}", generator.choice(known)], [name]))
        elif kind == 2:
            nodes.append(helper.make_node("Softmax", [generator.choice(known)], [name], axis=generator.choice([0, 1])))
        elif kind == 3:
            constants.append(numpy_helper.from_array(np.array([-1], np.int64), f"shape{i}"))
            nodes += [helper.make_node("Reshape", [generator.choice(known), f"shape{i}"], [f"f{i}"]), helper.make_node("Shape", ["x"], [f"s{i}"]),
                      helper.make_node("Reshape", [f"f{i}", f"s{i}"], [name])]
        else:
            nodes.append(helper.make_node(generator.choice(unary), [generator.choice(known)], [name], name=generator.choice(["", f"n{i}"])))
        known.append(name)
    graph = helper.make_graph(nodes, "random", values(("x", F, [3, 4]), ("z", F, [3, 4])), values((known[-1], F, [3, 4])), constants)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets))


@pytest.mark.parametrize("case", range(20))
def test_random_graphs_keep_their_numbers(tmp_path, case):
    generator = random.Random(f"{SEED}/{case}")
    model = random_model(generator)
    onnx.save(model, tmp_path / "m.onnx")
    inputs = random_inputs(model, np.random.default_rng(SEED + case))
    want = run_file(tmp_path / "m.onnx", inputs)
    newest = tmp_path / "newest.onnx"
    convert(tmp_path / "m.onnx", newest)
    for source in (tmp_path / "m.onnx", newest):
        for opset in generator.sample([9, 10, 11, 12, 13, 15, 17, 18, 20, 22, 24, 26, 28], 3):
            convert(source, tmp_path / "out.onnx", "--opset", opset)
            made = checked(tmp_path / "out.onnx")
            assert [port.name for port in made.graph.input] == ["x", "z"]
            assert [port.name for port in made.graph.output] == [port.name for port in model.graph.output]
            assert_close(run_file(tmp_path / "out.onnx", inputs), want)


def described_model():
    text = "\n ".join(["a description", "größer"])
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name="product", doc_string=text)
    node.metadata_props.add(key="where", value="model.py:3")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 64], doc_string="what goes in")
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 64])
    weight = numpy_helper.from_array(rng.random((64, 64), F), "w")
    weight.doc_string = "trained"
    graph = helper.make_graph([node], "net", [x], [y], [weight], doc_string="a graph")
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="someone", producer_version="3",
                              domain="org.example", model_version=7, doc_string="a model")
    helper.set_model_props(model, {"author": "me", "labels": "a,b"})
    return model


def test_descriptions_and_metadata_stay(tmp_path):
    onnx.save(described_model(), tmp_path / "m.onnx")
    convert(tmp_path / "m.onnx", tmp_path / "out.onnx", "--opset", 13)
    old, new = described_model(), checked(tmp_path / "out.onnx")
    for field in ("producer_name", "producer_version", "domain", "model_version", "doc_string", "metadata_props"):
        assert getattr(new, field) == getattr(old, field), field
    assert new.graph.name == "net" and new.graph.doc_string == "a graph"
    assert (new.graph.node[0].name, new.graph.node[0].doc_string) == ("product", old.graph.node[0].doc_string)
    assert new.graph.node[0].metadata_props == old.graph.node[0].metadata_props
    assert new.graph.input[0] == old.graph.input[0] and new.graph.output[0] == old.graph.output[0]
    assert new.graph.initializer[0].doc_string == "trained"


def test_big_tensors_go_beside_the_model(tmp_path):
    onnx.save(described_model(), tmp_path / "m.onnx")
    convert(tmp_path / "m.onnx", tmp_path / "out.onnx", "--external-data", "1K")
    assert (tmp_path / "out.onnx.data").stat().st_size == 64 * 64 * 4
    assert (tmp_path / "out.onnx").stat().st_size < 2000
    checked(tmp_path / "out.onnx")
    x = np.ones((2, 64), F)
    assert_close(run_file(tmp_path / "out.onnx", {"x": x}), run_file(tmp_path / "m.onnx", {"x": x}))
    # And back into one file.
    convert(tmp_path / "out.onnx", tmp_path / "one.onnx")
    assert_close(run_file(tmp_path / "one.onnx", {"x": x}), run_file(tmp_path / "m.onnx", {"x": x}))


def test_the_same_model_gives_the_same_bytes(tmp_path):
    onnx.save(described_model(), tmp_path / "m.onnx")
    for name in ("a", "b"):
        convert(tmp_path / "m.onnx", tmp_path / f"{name}.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    convert(tmp_path / "a.onnx", tmp_path / "c.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "c.onnx").read_bytes()


def test_dimensions_are_freed_and_ports_renamed(tmp_path):
    node = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("Relu", ["f"], ["y"])]
    graph = helper.make_graph(node, "g", values(("x", F, [1, 3, 2])), values(("y", F, [1, 6])), value_info=values(("f", F, [1, 6])))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    convert(tmp_path / "m.onnx", tmp_path / "out.onnx", "--input-names", "f", "--output-names", "out", "--dynamic", "f:0=n")
    model = checked(tmp_path / "out.onnx")
    assert [dim.dim_param or dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim] == ["n", 6]
    assert run_file(tmp_path / "out.onnx", {"f": np.ones((4, 3, 2), F)})[0].shape == (4, 6)
    for flags in (["--input-names", "a,b"], ["--output-names", "x"], ["--dynamic", "x:3=n"], ["--dynamic", "q:0=n"], ["--select", "a"], ["--input-names", ","]):
        assert program.call("convert", tmp_path / "m.onnx", tmp_path / "bad.onnx", *flags).code == 2, flags


@pytest.mark.parametrize("kind", ["sequence", "optional", "strings", "loop", "if", "bfloat16", "int4", "float8"])
def test_all_kinds_of_values_are_written(tmp_path, kind):
    opset, inputs, feed = 21, values(("x", F, [2])), {"x": floats(1, 2)}
    outputs, constants = values(("y", F, [2])), []
    if kind == "sequence":
        nodes = [helper.make_node("SequenceConstruct", ["x", "x"], ["s"])]
        outputs = [helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, [2])]
    elif kind == "optional":
        inner = helper.make_tensor_type_proto(TensorProto.FLOAT, [2])
        nodes = [helper.make_node("Optional", [], ["o"], type=inner), helper.make_node("OptionalHasElement", ["o"], ["y"])]
        outputs = values(("y", np.bool_, []))
    elif kind == "strings":
        constants = [helper.make_tensor("t", TensorProto.STRING, [2], [b"a", "größe".encode()])]
        nodes = [helper.make_node("Identity", ["t"], ["y"])]
        outputs = [helper.make_tensor_value_info("y", TensorProto.STRING, [2])]
    elif kind == "loop":
        body = helper.make_graph([helper.make_node("Add", ["v", "x"], ["w"]), helper.make_node("Identity", ["c"], ["d"])], "body",
                                 [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("c", TensorProto.BOOL, []),
                                  helper.make_tensor_value_info("v", TensorProto.FLOAT, [2])],
                                 [helper.make_tensor_value_info("d", TensorProto.BOOL, []), helper.make_tensor_value_info("w", TensorProto.FLOAT, [2])])
        constants = [numpy_helper.from_array(np.array(3, np.int64), "n"), numpy_helper.from_array(np.array(True), "go")]
        nodes = [helper.make_node("Loop", ["n", "go", "x"], ["y"], body=body)]
    elif kind == "if":
        branch = [helper.make_graph([helper.make_node(op, ["x", "x"], ["r"])], op, [], [helper.make_tensor_value_info("r", TensorProto.FLOAT, [2])])
                  for op in ("Add", "Mul")]
        nodes = [helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0), helper.make_node("Cast", ["m"], ["c"], to=TensorProto.BOOL),
                 helper.make_node("If", ["c"], ["y"], then_branch=branch[0], else_branch=branch[1])]
    else:
        dtype = {"bfloat16": TensorProto.BFLOAT16, "int4": TensorProto.INT4, "float8": TensorProto.FLOAT8E4M3FN}[kind]
        constants = [helper.make_tensor("k", dtype, [3], [1, -2, 3])]
        nodes = [helper.make_node("Cast", ["k"], ["y"], to=TensorProto.FLOAT)]
        outputs = values(("y", F, [3]))
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.save(model, tmp_path / "m.onnx")
    convert(tmp_path / "m.onnx", tmp_path / "out.onnx")
    convert(tmp_path / "out.onnx", tmp_path / "back.onnx", "--opset", opset)
    want = run_file(tmp_path / "m.onnx", feed)
    for name in ("out", "back"):
        checked(tmp_path / f"{name}.onnx")
        got = run_file(tmp_path / f"{name}.onnx", feed)
        assert str(got) == str(want)


def test_hostile_names_stay_names(tmp_path):
    names = ["", " ", "../../etc/passwd", "a\x00b", "\x1b[31m", "x" * 5000, "%s%n", "\u202e"]
    nodes = [helper.make_node("Relu", ["x" if i == 0 else f"v{i - 1}"], [f"v{i}"], name=name) for i, name in enumerate(names)]
    graph = helper.make_graph(nodes, "\x1b[2J", values(("x", F, [2])), values((f"v{len(names) - 1}", F, [2])))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    answer = convert(tmp_path / "m.onnx", tmp_path / "out.onnx", "--json")
    assert json.loads(answer.stdout)["nodes"] == len(names)
    made = checked(tmp_path / "out.onnx")
    assert [node.name for node in made.graph.node][1:] == names[1:]
    assert "\x1b" not in convert(tmp_path / "m.onnx", tmp_path / "out.onnx").stdout


def test_what_is_no_model_is_refused(tmp_path):
    torch.save({"w": torch.ones(3)}, tmp_path / "w.pth")
    assert program.call("convert", tmp_path / "w.pth", tmp_path / "out.onnx").code == 4
    assert program.call("convert", tmp_path / "none.pt", tmp_path / "out.onnx").code == 5
    onnx.save(described_model(), tmp_path / "m.onnx")
    assert program.call("convert", tmp_path / "m.onnx", tmp_path / "no" / "out.onnx").code == 5
    whole = (tmp_path / "m.onnx").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[:len(whole) // 2])
    assert program.call("convert", tmp_path / "cut.onnx", tmp_path / "out.onnx").code == 3
    assert not (tmp_path / "out.onnx").exists()
