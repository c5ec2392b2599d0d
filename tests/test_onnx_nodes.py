"""ONNX's own node tests through `lanthorn run --batch`.

The files are made by tests/fixtures/make_onnx_nodes.py into the folder $LANTHORN_FIXTURES, which `./dev test` sees to. Cases that are
expected to fail are lines of tests/onnx_nodes_xfail.txt, `NAME  reason`; one that passes fails the run, so the list can only shrink.
"""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import onnx_values
import program

FOLDER = Path(os.environ.get("LANTHORN_FIXTURES") or "/nonexistent") / "onnx_nodes"
INDEX = json.loads((FOLDER / "index.json").read_text()) if (FOLDER / "index.json").exists() else {}
XFAIL = dict(line.split(None, 1) for line in (program.ROOT / "tests/onnx_nodes_xfail.txt").read_text().splitlines()
             if line and not line.startswith("#"))
# The expected outputs of these are NumPy's own random numbers: only dtype and shape can be the same.
RANDOM = re.compile(r"test_bernoulli|test_training_dropout(?!.*zero_ratio)")
CHUNK = 60
NAMES = sorted(INDEX)
CHUNKS = [NAMES[i : i + CHUNK] for i in range(0, len(NAMES), CHUNK)]


def verdict(name: str, answer: dict, outputs: Path) -> str | None:
    """What is wrong with one case, or None."""
    if answer["exit"] != 0:
        return f"exit {answer['exit']}: {answer['error']}"
    have, want = program.arrays(outputs), program.arrays(FOLDER / f"{name}.out.npz")
    if RANDOM.match(name):
        have, want = ({key: np.zeros_like(array) for key, array in side.items()} for side in (have, want))
    return onnx_values.difference(have, want, INDEX[name]["rtol"], INDEX[name]["atol"])


def test_the_node_tests_are_there():
    assert len(NAMES) > 1800, "run tests/fixtures/make_onnx_nodes.py FOLDER and set LANTHORN_FIXTURES=FOLDER"
    assert set(XFAIL) <= set(NAMES)


@pytest.mark.parametrize("names", CHUNKS, ids=lambda names: names[0])
def test_operators_compute_what_the_standard_says(names, tmp_path):
    listing = tmp_path / "list.jsonl"
    listing.write_text("".join(json.dumps({"model": str(FOLDER / f"{name}.onnx"), "inputs": str(FOLDER / f"{name}.in.npz"),
                                           "outputs": str(tmp_path / f"{name}.npz")}) + "\n" for name in names))
    answers = [json.loads(line) for line in program.succeed("run", "--batch", listing, timeout=600).stdout.splitlines()]
    assert len(answers) == len(names)
    wrong = {name: verdict(name, answer, tmp_path / f"{name}.npz") for name, answer in zip(names, answers, strict=True)}
    unexpected = [f"{name}: {why}" for name, why in wrong.items() if why and name not in XFAIL]
    unexpected += [f"{name}: passes; take it out of tests/onnx_nodes_xfail.txt" for name in names if name in XFAIL and not wrong[name]]
    assert not unexpected, "\n".join(unexpected)
