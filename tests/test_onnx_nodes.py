"""ONNX's own node tests through `lanthorn run --batch`.

The files are made by tests/fixtures/make_onnx_nodes.py into the folder $LANTHORN_FIXTURES, which `./dev test` sees to. Cases that are
expected to fail are lines of tests/onnx_nodes_xfail.txt, `NAME  reason`; one that passes fails the run, so the list can only shrink.
Operators that the program does not have yet are lines of tests/onnx_operators_missing.txt; each is a skipped test.
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
MISSING = onnx_values.missing_operators()
NAMES = [name for name in sorted(INDEX) if INDEX[name]["op"] not in MISSING]
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
    assert len(INDEX) > 1800, "run tests/fixtures/make_onnx_nodes.py FOLDER and set LANTHORN_FIXTURES=FOLDER"
    assert set(XFAIL) <= set(NAMES)


def answers(names: list[str], tmp_path: Path) -> list[dict]:
    listing = tmp_path / "list.jsonl"
    listing.write_text("".join(json.dumps({"model": str(FOLDER / f"{name}.onnx"), "inputs": str(FOLDER / f"{name}.in.npz"),
                                           "outputs": str(tmp_path / f"{name}.npz")}) + "\n" for name in names))
    found = [json.loads(line) for line in program.succeed("run", "--batch", listing, timeout=600).stdout.splitlines()]
    assert len(found) == len(names)
    return found


@pytest.mark.parametrize("names", CHUNKS, ids=lambda names: names[0])
def test_operators_compute_what_the_standard_says(names, tmp_path):
    # A function's expansion may need an operator that is missing: the test of that operator counts it.
    told = {name: answer for name, answer in zip(names, answers(names, tmp_path), strict=True) if not onnx_values.waits_for(answer, MISSING)}
    wrong = {name: verdict(name, answer, tmp_path / f"{name}.npz") for name, answer in told.items()}
    unexpected = [f"{name}: {why}" for name, why in wrong.items() if why and name not in XFAIL]
    unexpected += [f"{name}: passes; take it out of tests/onnx_nodes_xfail.txt" for name in names if name in XFAIL and name in wrong and not wrong[name]]
    assert not unexpected, "\n".join(unexpected)


@pytest.mark.parametrize("operator", MISSING)
def test_an_operator_that_is_listed_as_missing(operator, tmp_path):
    names = [name for name in sorted(INDEX) if INDEX[name]["op"] == operator]
    told = answers(names, tmp_path)
    if any(onnx_values.waits_for(answer, MISSING) for answer in told):
        pytest.skip(f"the operator {operator} is not supported yet")
    wrong = [f"{name}: {why}" for name, answer in zip(names, told, strict=True) if (why := verdict(name, answer, tmp_path / f"{name}.npz"))]
    assert not wrong, "\n".join(wrong)
