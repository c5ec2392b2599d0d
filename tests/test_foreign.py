"""Files of other frameworks: told by their bytes, whatever they are called, and refused with exit 4 and what to do. joblib's arrays are read."""

import bz2
import gzip
import lzma
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest

import program

HEADER = b"\x1c\x00\x00\x00"


def field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2, len(data)]) + data


# As TensorFlow's meta_graph.proto has it: the operators in use and the tags, then the graph.
META_GRAPH = field(1, field(2, field(1, field(1, b"VarHandleOp"))) + field(4, b"serve")) + field(2, field(1, field(1, b"x/read") + field(2, b"VarHandleOp")))
FILES = {
    "TensorFlow SavedModel": b"\x08\x01" + field(2, META_GRAPH),
    "Core ML": b"\x08\x04" + field(2, field(1, field(1, b"image"))),
    "frozen graph of TensorFlow": field(1, field(1, b"conv/w") + field(2, b"VariableV2")),
    "TensorFlow Lite": HEADER + b"TFL3" + bytes(24),
    "ExecuTorch": HEADER + b"ET12" + bytes(24),
    "flatbuffer": HEADER + b"PTMF" + bytes(24),
    "ONNX Runtime's own format": HEADER + b"ORTM" + bytes(24),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(24),
    "GGUF": b"GGUF\x03\x00\x00\x00" + bytes(24),
    "joblib": zlib.compress(pickle.dumps({"a": list(range(100))})),
    "MXNet": struct.pack("<QQ", 0x112, 0) + bytes(16),
    "XGBoost": b'{"learner":{"attributes":{}}}',
    "LightGBM": b"tree\nversion=v4\nnum_class=1\n",
    "CatBoost": b"CBM1" + bytes(24),
    "MATLAB": b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(128),
}


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("command", ["inspect", "convert"])
def test_it_is_named(what, command, tmp_path):
    (tmp_path / "model.pt").write_bytes(FILES[what])
    outcome = program.call(command, tmp_path / "model.pt", *([tmp_path / "o.npz"] if command == "convert" else []))
    assert outcome.code == 4 and what in outcome.stderr, outcome.stderr
    assert len(outcome.stderr.splitlines()) >= 3, "it does not say what to do"


def test_keras_archives_and_folders_are_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, b"{}")
    assert "Keras" in (outcome := program.call("inspect", tmp_path / "m.keras")).stderr and outcome.code == 4
    (tmp_path / "saved/variables").mkdir(parents=True)
    (tmp_path / "saved/saved_model.pb").write_bytes(FILES["TensorFlow SavedModel"])
    assert "TensorFlow SavedModel" in (outcome := program.call("inspect", tmp_path / "saved")).stderr and outcome.code == 4
    (tmp_path / "m.mlpackage/Data").mkdir(parents=True)
    (tmp_path / "m.mlpackage/Manifest.json").write_text("{}")
    assert "Core ML" in (outcome := program.call("inspect", tmp_path / "m.mlpackage")).stderr and outcome.code == 4


def test_what_stands_in_a_models_place_is_corrupt(tmp_path):
    for data, word in ((b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"), (b"<!DOCTYPE html><html>", "web page"),
                       (gzip.compress(pickle.dumps({"a": 1})), "gzip"), (bz2.compress(b"x"), "bzip2"), (lzma.compress(b"x"), "xz")):
        (tmp_path / "m.pt").write_bytes(data)
        assert word in (outcome := program.call("inspect", tmp_path / "m.pt")).stderr and outcome.code == 3


def test_models_of_onnx_are_taken_for_nothing_else(tmp_path):
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    graph = helper.make_graph([helper.make_node("Placeholder", ["x"], ["y"], domain="own")], "serving_default",
                              [helper.make_tensor_value_info("x", 1, [1])], [helper.make_tensor_value_info("y", 1, [1])])
    onnx.save(helper.make_model(graph, producer_name="saved_model", opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]), tmp_path / "m.onnx")
    outcome = program.call("inspect", tmp_path / "m.onnx")
    assert outcome.code in (0, 4) and "TensorFlow" not in outcome.stderr and "Core ML" not in outcome.stderr


def test_arrays_of_joblib_are_tensors(tmp_path):
    joblib = pytest.importorskip("joblib")
    rng = np.random.default_rng(1)
    arrays = {"f4": rng.normal(size=(3, 4)).astype("f4"), "big": rng.normal(size=(2, 3)).astype(">f8"), "fortran": np.asfortranarray(rng.normal(size=(4, 2))),
              "flags": np.array([True, False]), "empty": np.zeros((0, 3), "i8"), "scalar": np.array(7), "u2": np.arange(5, dtype="u2")}
    joblib.dump({"arrays": arrays, "epoch": 3, "names": ["a", "b"]}, tmp_path / "m.joblib")
    program.succeed("convert", tmp_path / "m.joblib", tmp_path / "o.npz")
    found = program.arrays(tmp_path / "o.npz")
    assert set(found) == {f"arrays.{name}" for name in arrays}
    for name, want in arrays.items():
        assert np.array_equal(found[f"arrays.{name}"], want) and found[f"arrays.{name}"].shape == want.shape, name
    assert "epoch" in program.succeed("inspect", tmp_path / "m.joblib", "--objects").stdout
    joblib.dump({"a": np.array(["x", None, 3], dtype=object), "b": np.ones(3)}, tmp_path / "o.joblib")
    outcome = program.call("inspect", tmp_path / "o.joblib")
    assert outcome.code == 4 and "array of Python objects" in outcome.stderr


@pytest.mark.parametrize("cut", [1, 7, 40, 200, 800])
def test_a_cut_file_of_joblib_is_corrupt(cut, tmp_path):
    joblib = pytest.importorskip("joblib")
    joblib.dump({"a": np.arange(100.0)}, tmp_path / "m.joblib")
    data = (tmp_path / "m.joblib").read_bytes()
    (tmp_path / "m.joblib").write_bytes(data[:-cut])
    assert program.call("inspect", tmp_path / "m.joblib").code == 3
