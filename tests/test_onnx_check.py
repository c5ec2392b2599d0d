"""`lanthorn check` against the verdicts of onnx.checker, and what it says that onnx.checker does not.

The models are made by tests/fixtures/make_onnx_check.py into the folder $LANTHORN_FIXTURES, which `./dev test` sees to.
"""

import json
import os
from pathlib import Path

import pytest

import program

FIXTURES = Path(os.environ.get("LANTHORN_FIXTURES") or "/nonexistent")
FOLDER = FIXTURES / "onnx_check"
INDEX = json.loads((FOLDER / "index.json").read_text()) if (FOLDER / "index.json").exists() else {}


def test_the_models_are_there():
    assert len(INDEX) > 45, "run tests/fixtures/make_onnx_check.py FOLDER and set LANTHORN_FIXTURES=FOLDER"
    assert 4 < sum(entry["valid"] for entry in INDEX.values()) < len(INDEX) - 25


@pytest.mark.parametrize("name", sorted(INDEX))
def test_the_verdict_is_that_of_onnx(name):
    outcome = program.call("check", FOLDER / f"{name}.onnx", "--json")
    if outcome.code == 3:  # bytes that are no model at all
        assert not INDEX[name]["valid"]
        return
    told = json.loads(outcome.stdout)
    assert told["valid"] == (outcome.code == 0) == INDEX[name]["valid"], outcome.stdout
    assert told["valid"] or all(finding["message"] for finding in told["findings"])


def test_a_finding_says_node_value_and_offset():
    finding = json.loads(program.call("check", FOLDER / "input_from_nowhere.onnx", "--json").stdout)["findings"][0]
    assert "Relu" in finding["node"] and finding["value"] == "ghost"
    assert 0 < finding["offset"] < (FOLDER / "input_from_nowhere.onnx").stat().st_size


def test_names_that_are_no_utf8_leave_the_document_json(tmp_path):
    data = (FOLDER / "input_from_nowhere.onnx").read_bytes()
    (tmp_path / "bad.onnx").write_bytes(data.replace(b"ghost", b"gh\xffst"))
    assert json.loads(program.call("check", tmp_path / "bad.onnx", "--json").stdout)["findings"][0]["value"] == "gh\ufffdst"


def test_all_findings_come_at_once(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(FOLDER / "nothing.onnx")
    model.graph.name = ""
    model.graph.node[0].input[0] = "ghost"
    model.graph.node[1].op_type = "Nothing"
    model.graph.initializer[0].data_type = 0
    onnx.save(model, tmp_path / "many.onnx")
    outcome = program.call("check", tmp_path / "many.onnx", "--json")
    assert outcome.code == 1
    told = " ".join(finding["message"] for finding in json.loads(outcome.stdout)["findings"])
    assert all(word in told for word in ("no name", "ghost", "Nothing", "data type 0")), told


def test_external_data_must_stay_in_its_folder(tmp_path):
    onnx = pytest.importorskip("onnx")
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.bin").write_bytes(bytes(16))
    (folder / "inside.bin").write_bytes(bytes(16))
    (folder / "link.bin").symlink_to(tmp_path / "outside.bin")
    os.link(tmp_path / "outside.bin", folder / "hard.bin")
    for location, offset, code in (("inside.bin", "0", 0), ("./inside.bin", "0", 0), ("../outside.bin", "0", 1), (str(tmp_path / "outside.bin"), "0", 1),
                                   ("link.bin", "0", 1), ("hard.bin", "0", 1), ("gone.bin", "0", 1), ("inside.bin", "4", 1), ("inside.bin", "x", 1)):
        model = onnx.load(FOLDER / "nothing.onnx")
        tensor = onnx.TensorProto(name="w", dims=[4], data_type=1, data_location=1)
        tensor.external_data.extend([onnx.StringStringEntryProto(key="location", value=location), onnx.StringStringEntryProto(key="offset", value=offset)])
        model.graph.initializer[0].CopyFrom(tensor)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        outcome = program.call("check", folder / "model.onnx")
        assert outcome.code == code, f"{location} at {offset}: {outcome.stdout}"


def test_inspect_tells_the_types_of_all_values():
    values = json.loads(program.succeed("inspect", FOLDER / "nothing.onnx", "--json").stdout)["values"]
    assert values["a"] == {"dtype": "float32", "shape": ["N", 4]}
    assert values["c"] == {"dtype": "float32", "shape": ["2*N", 4]}
    assert values["w"] == {"dtype": "float32", "shape": [4]} and values["s"]["dtype"] == "int64"
