"""Operators of ONNX Runtime's own domain and of old opsets, against ONNX Runtime's answers.

The files are made by tests/fixtures/make_onnx_runtime.py into the folder $LANTHORN_FIXTURES, which `./dev test` sees to.
"""

import json
import os
from pathlib import Path

import numpy as np

import onnx_values
import program

FOLDER = Path(os.environ.get("LANTHORN_FIXTURES") or "/nonexistent") / "onnx_runtime"
NAMES = json.loads((FOLDER / "index.json").read_text()) if (FOLDER / "index.json").exists() else []


def difference(have: dict[str, np.ndarray], want: dict[str, np.ndarray]) -> str | None:
    """Why the answers are not the same: floats to 1e-4 of the largest, quantized numbers to one step."""
    if set(have) != set(want):
        return f"outputs are {sorted(have)}, not {sorted(want)}"
    for name, right in want.items():
        got = have[name]
        if right.dtype.kind == "U":
            if got.shape != right.shape or (got.astype(str) != right).any():
                return f"{name} is {got.tolist()}, not {right.tolist()}"
            continue
        if got.dtype != right.dtype or got.shape != right.shape:
            return f"{name} is {got.dtype}{list(got.shape)}, not {right.dtype}{list(right.shape)}"
        if right.size == 0:
            continue
        worst = np.abs(got.astype(np.float64) - right.astype(np.float64)).max()
        allowed = 1e-4 * np.abs(right).max() if right.dtype.kind == "f" else int(right.dtype.itemsize == 1)
        if not worst <= allowed:
            return f"{name} is {worst:.4g} away"
    return None


def test_the_models_are_there():
    assert len(NAMES) > 100, "run tests/fixtures/make_onnx_runtime.py FOLDER and set LANTHORN_FIXTURES=FOLDER"


def test_operators_compute_what_onnx_runtime_does(tmp_path):
    listing = tmp_path / "list.jsonl"
    listing.write_text("".join(json.dumps({"model": str(FOLDER / f"{name}.onnx"), "inputs": str(FOLDER / f"{name}.in.npz"),
                                           "outputs": str(tmp_path / f"{name}.npz")}) + "\n" for name in NAMES))
    answers = [json.loads(line) for line in program.succeed("run", "--batch", listing, timeout=600).stdout.splitlines()]
    assert len(answers) == len(NAMES)
    wrong = []
    for name, answer in zip(NAMES, answers, strict=True):
        if onnx_values.waits_for(answer, onnx_values.missing_operators()):
            continue  # test_onnx_nodes.py has a skipped test for it
        why = f"exit {answer['exit']}: {answer['error']}" if answer["exit"] else difference(
            program.arrays(tmp_path / f"{name}.npz"), program.arrays(FOLDER / f"{name}.out.npz"))
        if why:
            wrong.append(f"{name}: {why}")
    assert not wrong, "\n".join(wrong)
