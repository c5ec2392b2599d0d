"""No file makes the program crash, hang, eat memory or execute anything; the exit code says what was wrong."""

import json
import resource
import sys
from pathlib import Path

import numpy as np
import pytest

import program

sys.path.insert(0, str(Path(__file__).parent / "hostile"))
import make  # noqa: E402

FILES = make.files()
DIGITS = program.ROOT / "examples/digits"
SOUND = ["digits_traced.pt", "digits_scripted.pt", "digits.onnx", "digits_checkpoint.pth", "golden.npz"]
SECONDS = 30 if "asan" in program.lanthorn() else 10   # the bar is 10 s; sanitizers cost a factor


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    path = tmp_path_factory.mktemp("inputs") / "in.npz"
    np.savez(path, in0=np.zeros((1, 1, 8, 8), np.float32))
    return path


def judge(outcome: program.Outcome, codes) -> None:
    assert make.CANARY not in outcome.stdout + outcome.stderr, "the payload was run"
    assert outcome.code in codes, f"exit {outcome.code}, not one of {codes}: {outcome.stderr[-500:]}"
    if outcome.code >= 3:
        assert "lanthorn: error:" in outcome.stderr


@pytest.mark.parametrize("name", FILES)
def test_inspect_answers_for_a_hostile_file(name, tmp_path):
    data, codes = FILES[name]
    (tmp_path / name).write_bytes(data)
    outcome = program.call("inspect", tmp_path / name, "--json", "--tensors", timeout=SECONDS)
    judge(outcome, codes)
    if name.startswith("pickle_") and "_calls_" in name and outcome.code == 0:
        assert any(note.startswith("hazard: ") for note in json.loads(outcome.stdout)["notes"]), outcome.stdout


@pytest.mark.parametrize("name", [name for name in FILES if name != "good.pth"])
def test_run_refuses_a_hostile_file_and_writes_nothing(name, tmp_path, inputs):
    (tmp_path / name).write_bytes(FILES[name][0])
    out = tmp_path / "out.npz"
    judge(program.call("run", tmp_path / name, "--inputs", inputs, "--outputs", out, timeout=SECONDS), (2, 3, 4, 5))
    assert not out.exists()


@pytest.mark.parametrize("name", SOUND)
def test_damaged_files_get_an_answer(name, tmp_path, inputs):
    sound = (DIGITS / name).read_bytes()
    file = tmp_path / name
    for what, data in make.damaged(sound, 30):
        file.write_bytes(data)
        for command in (["inspect", file, "--json", "--tensors"], ["run", file, "--inputs", inputs, "--outputs", tmp_path / "out.npz"]):
            outcome = program.call(*command, timeout=SECONDS)
            assert outcome.code in (0, 1, 2, 3, 4, 5), f"{what}: exit {outcome.code}"
            assert outcome.code < 3 or "lanthorn: error:" in outcome.stderr, what


@pytest.mark.skipif("asan" in program.lanthorn(), reason="memory is measured in the release build: AddressSanitizer has memory of its own")
def test_hostile_files_cost_little_memory(tmp_path):
    for name, (data, _) in FILES.items():
        (tmp_path / name).write_bytes(data)
        program.call("inspect", tmp_path / name, "--json", timeout=SECONDS)
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 512 << 10, name   # KiB, of the largest so far
