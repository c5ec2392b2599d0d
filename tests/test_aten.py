"""Every tensor operator that the program lowers, in small traces: the numbers of the PyTorch that is installed. And the table's schemas are PyTorch's own."""

import json
import re
import subprocess

import numpy as np
import pytest
import torch

import aten_cases
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
    return name, tensor.contiguous().numpy()


class Case(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """All cases in one run of the program: what it wrote, and what PyTorch computes."""
    folder, wanted, lines = tmp_path_factory.mktemp("aten"), {}, []
    for name, (function, inputs) in aten_cases.CASES.items():
        with torch.no_grad():
            traced = torch.jit.trace(Case(function).eval(), inputs, check_trace=False)
            traced.save(folder / f"{name}.pt")
            wanted[name] = dict(array(f"out{i}", tensor) for i, tensor in enumerate(flat(traced(*inputs))))
        np.savez(folder / f"{name}.in.npz", **dict(array(f"in{i}", tensor) for i, tensor in enumerate(inputs)))
        lines.append(json.dumps({"model": f"{folder}/{name}.pt", "inputs": f"{folder}/{name}.in.npz", "outputs": f"{folder}/{name}.out.npz"}))
    (folder / "list").write_text("\n".join(lines))
    done = subprocess.run([program.lanthorn(), "run", "--batch", folder / "list"], capture_output=True, text=True, timeout=600)
    assert done.returncode >= 0, done.stderr[-3000:]
    return folder, wanted, done.stderr


@pytest.mark.parametrize("name", aten_cases.CASES)
def test_an_operator_computes_what_pytorch_computes(name, answers):
    folder, wanted, messages = answers
    assert (folder / f"{name}.out.npz").exists(), "\n".join(line for line in messages.splitlines() if f"/{name}.pt" in line) or messages[-2000:]
    program.assert_same(program.arrays(folder / f"{name}.out.npz"), wanted[name])


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
