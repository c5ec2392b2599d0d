"""Every tensor operator that the program lowers, in small traces: the numbers of the PyTorch that is installed. And the table's schemas are PyTorch's own."""

import re

import numpy as np
import pytest
import torch

import aten_cases
import onnx_values
import program

SCHEMA = re.compile(r'\{\s*((?:"(?:[^"\\]|\\.)*"\s*)+),')
# What stands for several schemas of PyTorch at once is ours alone.
OURS = {"dicts", "equality", "lists", "prims", "scalars", "strings"}


def flat(value) -> list:
    if isinstance(value, torch.Tensor):
        return [value]
    return [tensor for item in value for tensor in flat(item)]


def array(name: str, tensor: torch.Tensor) -> tuple[str, np.ndarray]:
    if tensor.dtype == torch.bfloat16:
        return f"{name}__bf16", tensor.contiguous().view(torch.uint16).numpy()
    return name, tensor.resolve_conj().contiguous().numpy()


class Case(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


@pytest.mark.parametrize("name", aten_cases.CASES)
def test_an_operator_computes_what_pytorch_computes(name, tmp_path):
    function, inputs = aten_cases.CASES[name]
    with torch.no_grad():
        traced = torch.jit.trace(Case(function).eval(), inputs, check_trace=False)
        traced.save(tmp_path / "case.pt")
        want = dict(array(f"out{i}", tensor) for i, tensor in enumerate(flat(traced(*inputs))))
    np.savez(tmp_path / "in.npz", **dict(array(f"in{i}", tensor) for i, tensor in enumerate(inputs)))
    done = program.call("run", tmp_path / "case.pt", "--inputs", tmp_path / "in.npz", "--outputs", tmp_path / "out.npz")
    waited_for = set(re.findall(r"the graph operator (\S+) is not there", done.stderr)) if done.code == 4 else set()
    if waited_for and waited_for <= set(onnx_values.missing_operators()):
        pytest.skip(f"the operator {', '.join(waited_for)} is not supported yet")
    assert done.code == 0, f"exit {done.code}: {done.stderr[-3000:]}"
    program.assert_same(program.arrays(tmp_path / "out.npz"), want)


def schemas():
    for file in sorted((program.ROOT / "src/script/aten").glob("*.cpp")):
        if file.stem in OURS:
            continue
        for row in SCHEMA.finditer(file.read_text()):
            text = "".join(part.encode().decode("unicode_escape") for part in re.findall(r'"((?:[^"\\]|\\.)*)"', row[1]))
            if re.match(r"(aten|prim)::", text):
                yield text


def test_the_schemas_of_the_table_are_pytorchs():
    # What is printed for "may alias a or b" has no order.
    printed = lambda schema: re.sub(r"\((\w)\|(\w)\)", lambda m: "(" + "|".join(sorted(m.groups())) + ")", str(schema))
    known = {(schema.name, schema.overload_name): printed(schema) for schema in torch._C._jit_get_all_schemas()}
    mine = [torch._C.parse_schema(text) for text in schemas()]
    assert len(mine) > 500
    wrong = [printed(schema) for schema in mine if known.get((schema.name, schema.overload_name)) != printed(schema)]
    assert not wrong, "\n".join(wrong)
