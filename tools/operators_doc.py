#!/usr/bin/env python3
"""Writes docs/operators.md: every operator that the program has, from its own table, with the versions of it that ONNX has had.

    operators_doc.py LANTHORN [--check]      (needs the Python package onnx; --check only says whether the page is true)
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import onnx

PAGE = Path(__file__).resolve().parent.parent / "docs/operators.md"
SHORT = {
    "float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "uint8": "u8",
    "uint16": "u16", "uint32": "u32", "uint64": "u64",
}
INTRODUCTION = """# Operators

`lanthorn --version --json` prints this table for the program at hand; `tools/operators_doc.py` writes this page from it.

- **versions**: the opsets at which ONNX gave the operator a new text, all of which are read: a model of any opset is raised to opset {opset} while it is
  imported. Operators that a model's own functions define run as their bodies, and so do the standard's functions that are not in this table.
- **dtypes**: of the first input that may have several. `any` is what the standard's text of the operator allows, checked by its rule. Every operator has
  a reference kernel for all of them.
- **fast kernels**: used where shapes and dtypes allow it, each at every instruction set (baseline, AVX2, AVX-512, AVX-512 with VNNI and bf16; NEON).
"""


def dtypes(operator: dict) -> str:
    for port in operator["inputs"] + operator["outputs"]:
        if port["dtypes"] is None:
            return "any"
        if len(port["dtypes"]) > 1:
            return " ".join(SHORT.get(name, name) for name in port["dtypes"])
    return " ".join(SHORT.get(name, name) for name in (operator["inputs"] + operator["outputs"])[0]["dtypes"]) if operator["inputs"] + operator["outputs"] else ""


def page(program: str) -> str:
    told = json.loads(subprocess.run([program, "--version", "--json"], check=True, capture_output=True, text=True).stdout)
    versions = defaultdict(list)
    for schema in onnx.defs.get_all_schemas_with_history():
        versions[schema.domain, schema.name].append(schema.since_version)
    domains = defaultdict(list)
    for operator in told["operators"]:
        domains[operator["domain"] or "ai.onnx"].append(operator)
    text = INTRODUCTION.format(opset=told["opset"])
    for domain in sorted(domains, key=lambda name: (name != "ai.onnx", name)):
        text += f"\n## {domain}: {len(domains[domain])} operators\n\n| operator | versions | dtypes | fast kernels |\n|---|---|---|---|\n"
        for operator in domains[domain]:
            known = sorted(versions.get((operator["domain"], operator["name"]), [operator["since"]]))
            text += f"| {operator['name']} | {', '.join(map(str, known))} | {dtypes(operator)} | {', '.join(operator['fast_kernels'])} |\n"
    return text


def main() -> int:
    want = page(sys.argv[1])
    if "--check" in sys.argv:
        return 0 if PAGE.exists() and PAGE.read_text() == want else 1
    PAGE.write_text(want)
    return 0


if __name__ == "__main__":
    sys.exit(main())
