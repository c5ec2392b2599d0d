"""Every torchvision classifier as a trace, as a script and as ONNX: the numbers of PyTorch and ONNX Runtime.

The files are made by tests/fixtures/make_torchvision.py into the folder $LANTHORN_FIXTURES, which `./dev test` sees to.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import program

FIXTURES = Path(os.environ.get("LANTHORN_FIXTURES") or "/nonexistent")
MODELS = json.loads((FIXTURES / "onnx/models.json").read_text()) if (FIXTURES / "onnx/models.json").exists() else {}
ARCHIVES = sorted((FIXTURES / "tv").glob("*.pt"))


def test_the_fixtures_are_there():
    assert ARCHIVES and MODELS, "run tests/fixtures/make_torchvision.py FOLDER and set LANTHORN_FIXTURES=FOLDER"


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.stem)
def test_an_archive_computes_what_pytorch_computes(archive, tmp_path):
    program.assert_runs_as_recorded(archive, archive.with_suffix(".npz"), tmp_path)


@pytest.mark.parametrize("name", MODELS)
def test_an_onnx_model_computes_what_onnx_runtime_computes(name, tmp_path):
    reference = FIXTURES / f"onnx/{name}.npz"
    with np.load(reference) as file:
        inputs = file.files[:1]
    program.assert_runs_as_recorded(FIXTURES / f"onnx/{name}.onnx", reference, tmp_path, inputs=inputs)
