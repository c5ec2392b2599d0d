"""What we write, opened by older PyTorch: the 1.13 of Debian's packages where it is installed, and those of the interpreters that
LANTHORN_OLD_PYTHON names, with colons between them."""

import json
import os
import random
import subprocess

import pytest

import program
from test_write import CLASSIC, SEED, random_state

torch = pytest.importorskip("torch")

DEBIAN = "/usr/bin/python3"
PYTHONS = [DEBIAN, *filter(None, os.environ.get("LANTHORN_OLD_PYTHON", "").split(":"))]
# Runs in both: of each tensor its name, dtype, shape, strides, which storage it shares, and the digest of its elements.
FACTS = """
import hashlib, json, sys, torch
def facts(state):
    storages, answer = {}, []
    for name, t in state.items():
        straight = t.clone(memory_format=torch.contiguous_format)
        if t.dtype == torch.bfloat16 and t.numel():
            straight = straight.view(torch.int16)
        tie = storages.setdefault(t.storage().data_ptr(), len(storages)) if t.numel() else -1
        answer.append([name, str(t.dtype), list(t.shape), list(t.stride()), tie, hashlib.sha256(straight.numpy().tobytes() if t.numel() else b"").hexdigest()])
    return answer
"""
READ = FACTS + "print(json.dumps([facts(torch.load(path, weights_only=True)) for path in sys.argv[1:]]))"


@pytest.fixture(scope="module", params=PYTHONS)
def old_python(request):
    done = subprocess.run([request.param, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True, check=False)
    if request.param == DEBIAN and (done.returncode != 0 or not done.stdout.startswith("1.")):
        pytest.skip(f"Debian's python3-torch 1.13 is not installed for {DEBIAN}")
    assert done.returncode == 0, done.stderr[-2000:]
    return request.param


@pytest.mark.parametrize("form", ["torch", "torch-legacy"])
def test_older_pytorch_opens_what_we_write(form, old_python, tmp_path):
    here = {}
    exec(FACTS, here)  # noqa: S102
    files, want = [], []
    for number in range(40):
        state = random_state(random.Random(SEED * 7 + number), CLASSIC)
        torch.save(state, tmp_path / f"{number}.pth")
        files.append(tmp_path / f"{number}.out.pth")
        program.succeed("convert", tmp_path / f"{number}.pth", files[-1], "--to", form)
        want.append(here["facts"](state))
    done = subprocess.run([old_python, "-c", READ, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == want
