"""The committed reference files of tests/golden: programs compute what PyTorch computed, tensors are listed as PyTorch holds them."""

import json

import pytest

import program

GOLDEN = program.ROOT / "tests/golden"


@pytest.mark.parametrize("archive", sorted(GOLDEN.glob("*.pt")), ids=lambda path: path.stem)
def test_a_program_computes_what_pytorch_computes(archive, tmp_path):
    program.assert_runs_as_recorded(archive, archive.with_suffix(".npz"), tmp_path)


@pytest.mark.parametrize("truth", sorted(GOLDEN.glob("*.tensors.json")), ids=lambda path: path.name.removesuffix(".tensors.json"))
def test_tensors_are_listed_as_pytorch_holds_them(truth):
    want = json.loads(truth.read_text())
    done = program.succeed("inspect", GOLDEN / want["file"], "--json", "--tensors", "--digest")
    listed = {tensor["name"]: tensor for tensor in json.loads(done.stdout)["tensors"]}
    assert set(listed) == {tensor["name"] for tensor in want["tensors"]}
    for tensor in want["tensors"]:
        got = listed[tensor["name"]]
        assert {key: got[key] for key in ("dtype", "shape")} == {key: tensor[key] for key in ("dtype", "shape")}, tensor["name"]
        assert got.get("sha256", tensor["sha256"]) == tensor["sha256"], tensor["name"]
        if 0 not in tensor["shape"]:
            assert got.get("stride", tensor["stride"]) == tensor["stride"], tensor["name"]
