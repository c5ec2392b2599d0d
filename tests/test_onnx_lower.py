"""Models in other opsets than their own, judged by onnx.checker, ONNX Runtime and onnx's reference."""

import os
import random

import numpy as np
import pytest

import program

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from onnx_judges import assert_close, checked, convert, floats, ints, random_inputs, run_file, run_model, values  # noqa: E402

SEED = int(os.environ.get("LANTHORN_SEED", "20261124"))
OPSETS = [7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28]


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
