"""docs/operators.md says what the program says."""

import json
import subprocess
import sys

import pytest

import program

pytest.importorskip("onnx")


def test_the_page_of_operators_is_true():
    done = subprocess.run([sys.executable, program.ROOT / "tools/operators_doc.py", program.lanthorn(), "--check"], check=False)
    assert done.returncode == 0, "docs/operators.md is not what `tools/operators_doc.py build/release/lanthorn` writes"


def test_version_has_every_format_and_operator():
    told = json.loads(program.succeed("--version", "--json").stdout)
    assert {"onnx", "torch", "safetensors", "npy", "torchscript"} <= set(told["formats"])
    assert all("writes" in told["formats"][name] for name in ("torch", "safetensors", "npy"))
    names = {(operator["domain"], operator["name"]) for operator in told["operators"]}
    assert len(names) == len(told["operators"]) and ("", "Conv") in names and ("ai.onnx.ml", "TreeEnsemble") in names
