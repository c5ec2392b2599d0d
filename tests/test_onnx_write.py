"""ONNX files that we write, judged by onnx.checker and ONNX Runtime: from TorchScript, and from ONNX in other opsets."""

import json
import os

import numpy as np
import pytest

import program

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from onnx_judges import assert_close, checked, convert, floats, run_file, values  # noqa: E402

SEED = int(os.environ.get("LANTHORN_SEED", "20261124"))
OPSETS = [7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28]
F = np.float32
rng = np.random.default_rng(SEED)


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
    np.savez(tmp_path / "in.npz", in0=np.ones((2, 3), F))
    convert(tmp_path / "m.pt", tmp_path / "m.onnx", "--example", tmp_path / "in.npz")
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
        if (kind, name) == ("optional", "out"):
            continue  # ONNX Runtime 1.32 has no kernel for Optional of opset 28
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
