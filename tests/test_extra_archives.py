"""Every file of the folders of $LANTHORN_CORPUS that is a model is listed and converted, whether it can run or not."""

import os
from pathlib import Path

import pytest

import program

FOLDERS = [Path(p) for p in os.environ.get("LANTHORN_CORPUS", "").split(":") if p]
SUFFIXES = {".pt", ".pth", ".ptl", ".pt2", ".jit", ".onnx", ".safetensors", ".bin", ".ckpt", ".tar", ".pkl"}
BROKEN = {"hostile", "onnx_check"}  # folders of files that are wrong on purpose
FILES = [path for folder in FOLDERS for path in sorted(folder.rglob("*"))
         if path.suffix in SUFFIXES and not BROKEN & set(path.parts) and path.is_file()]


@pytest.mark.parametrize("part", range(16))
def test_every_archive_is_listed_and_converted(part, tmp_path):
    if not FILES:
        pytest.skip("LANTHORN_CORPUS names no folder with further files")
    failed = []
    for file in FILES[part::16]:
        listed = program.call("inspect", file, "--json", "--tensors")
        written = program.call("convert", file, tmp_path / "out.npz")
        if listed.code or written.code:
            failed.append((str(file), listed.code, written.code, (listed.stderr + written.stderr)[:300]))
    assert not failed, failed
