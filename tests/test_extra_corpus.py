"""Recorded files in the folders of $LANTHORN_CORPUS: more of the same kinds, for who has them.

tests/extra_corpus.txt says which of them are meant to work today.
"""

import fnmatch
import json
import os
from pathlib import Path

import pytest

import program

FOLDERS = [Path(p) for p in os.environ.get("LANTHORN_CORPUS", "").split(":") if p]
LINES = [line.split() for line in (program.ROOT / "tests/extra_corpus.txt").read_text().splitlines() if line and not line.startswith("#")]


def chosen() -> list[tuple[Path, Path]]:
    """(file, folder) of what the list's last matching line wants: `+ PATTERN` or `- PATTERN`."""
    found = []
    for folder in FOLDERS:
        for file in sorted(path for path in folder.rglob("*") if path.suffix in (".pt", ".onnx") and path.with_suffix(".npz").exists()):
            matching = [sign for sign, pattern in LINES if fnmatch.fnmatch(str(file.relative_to(folder)), pattern)]
            if matching and matching[-1] == "+":
                found.append((file, folder))
    return found


NONE = [pytest.param(None, marks=pytest.mark.skip(reason="LANTHORN_CORPUS names no folder with further recorded files"))]


@pytest.mark.parametrize("file", [pytest.param(file, id=str(file.relative_to(folder))) for file, folder in chosen()] or NONE)
def test_a_recorded_file_computes_what_was_recorded(file, tmp_path):
    if file.suffix == ".pt":
        program.assert_runs_as_recorded(file, file.with_suffix(".npz"), tmp_path)
        return
    told = json.loads(program.succeed("inspect", file, "--json").stdout)
    inputs = {port["name"] for port in told["inputs"]}
    program.assert_runs_as_recorded(file, file.with_suffix(".npz"), tmp_path, inputs=inputs, tolerance=4e-4)
