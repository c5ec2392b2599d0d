"""The example of README and demo, form by form, against what PyTorch computed when it was trained."""

import json

import numpy as np
import pytest

import program

DIGITS = program.ROOT / "examples/digits"
PROGRAMS = ["digits_traced.pt", "digits_scripted.pt", "digits.onnx"]
WEIGHTS = ["digits_weights.pth", "digits_checkpoint.pth", "digits_full.pth"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_ten_digits_get_the_scores_that_pytorch_gave_them(name, tmp_path):
    program.succeed("run", DIGITS / name, "--inputs", DIGITS / "golden.npz", "--outputs", tmp_path / "out.npz")
    got = list(program.arrays(tmp_path / "out.npz").values())
    program.assert_same({"out0": got[0]}, {"out0": program.arrays(DIGITS / "golden.npz")["out0"]})


@pytest.mark.parametrize("name", PROGRAMS)
def test_expect_exits_0_for_the_same_numbers_and_1_for_others(name, tmp_path):
    program.succeed("run", DIGITS / name, "--inputs", DIGITS / "golden.npz", "--expect", DIGITS / "golden.npz")
    golden = program.arrays(DIGITS / "golden.npz")
    golden["out0"][3, 4] += 0.01 * np.abs(golden["out0"]).max()
    np.savez(tmp_path / "other.npz", **golden)
    assert program.call("run", DIGITS / name, "--inputs", DIGITS / "golden.npz", "--expect", tmp_path / "other.npz").code == 1


@pytest.mark.parametrize("digit", range(10))
def test_a_picture_becomes_its_digit(digit):
    words = DIGITS.joinpath("labels.txt").read_text().split()
    done = program.succeed("run", DIGITS / "digits_traced.pt", "--input", DIGITS / f"digit_{digit}.png", "--preprocess", "digits",
                           "--labels", DIGITS / "labels.txt", "--json")
    assert json.loads(done.stdout)["classes"][0][0]["label"] == words[digit]


def test_a_picture_read_from_png_gives_the_numbers_of_the_recorded_input(tmp_path):
    program.succeed("run", DIGITS / "digits_traced.pt", "--input", DIGITS / "digit_7.png", "--preprocess", DIGITS / "preprocess.json",
                    "--outputs", tmp_path / "out.npz")
    program.assert_same(program.arrays(tmp_path / "out.npz"), {"out0": program.arrays(DIGITS / "golden.npz")["out0"][7:8]})


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_are_listed_with_dtype_and_shape(name):
    listed = json.loads(program.succeed("inspect", DIGITS / name, "--json", "--tensors").stdout)["tensors"]
    found = {tensor["name"].removeprefix("model_state_dict."): tensor for tensor in listed}
    assert found["conv2.weight"]["dtype"] == "float32" and found["conv2.weight"]["shape"] == [32, 16, 3, 3]
    assert found["bn1.num_batches_tracked"]["dtype"] == "int64" and found["bn1.num_batches_tracked"]["shape"] == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_inspect_prints_the_graph_and_the_code(name):
    shown = program.succeed("inspect", DIGITS / name, "--graph").stdout
    assert shown.count(" = Conv(") == 2 and "  return %" in shown
    code = program.succeed("inspect", DIGITS / name, "--code").stdout
    assert ("def forward(self" in code) == name.endswith(".pt")


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_file_without_a_program_says_so(name):
    done = program.call("run", DIGITS / name, "--inputs", DIGITS / "golden.npz")
    assert done.code == 4 and "lanthorn: error:" in done.stderr


@pytest.mark.parametrize("name", PROGRAMS + WEIGHTS)
def test_inspect_answers_one_json_object(name):
    told = json.loads(program.succeed("inspect", DIGITS / name, "--json").stdout)
    assert {"format", "version", "producer", "inputs", "outputs"} <= set(told)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_wrong_shape_names_the_input_what_came_and_what_is_wanted(name, tmp_path):
    np.savez(tmp_path / "in.npz", in0=np.zeros((1, 3, 8, 8), np.float32))
    done = program.call("run", DIGITS / name, "--inputs", tmp_path / "in.npz", "--outputs", tmp_path / "out.npz")
    assert done.code == 2 and "3" in done.stderr, done.stderr
    assert not (tmp_path / "out.npz").exists()


def test_bench_answers_percentiles():
    done = program.succeed("bench", DIGITS / "digits_traced.pt", "--inputs", DIGITS / "golden.npz", "--threads", "1", "--iterations", "5", "--json")
    assert {"min", "p50", "p90", "p99"} <= set(json.loads(done.stdout)["latency_ms"])
