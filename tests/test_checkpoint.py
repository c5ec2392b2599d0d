"""Checkpoints as training loops write and read them: PyTorch judges what the C++ interface keeps, and what is left when it is killed."""

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import time

import numpy as np
import onnx
import pytest
import torch

import program

TOOL = pathlib.Path(program.lanthorn()).parent / "programs/checkpoints"


def tool(*arguments, code: int = 0) -> str:
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, f"exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
    return done.stdout


def opened(path, weights_only: bool = True):
    return torch.load(path, weights_only=weights_only)


def assert_equal(got, want, place: str = "") -> None:
    assert type(got) is type(want), f"{place}: {type(got)}, not {type(want)}"
    if isinstance(want, torch.Tensor):
        assert got.dtype == want.dtype and got.shape == want.shape and torch.equal(got, want), place
    elif isinstance(want, dict):
        assert list(got) == list(want), f"{place}: keys are {list(got)}, not {list(want)}"
        for key in want:
            assert_equal(got[key], want[key], f"{place}.{key}")
    elif isinstance(want, (list, tuple)):
        assert len(got) == len(want), place
        for index, pair in enumerate(zip(got, want)):
            assert_equal(*pair, f"{place}.{index}")
    else:
        assert got == want, f"{place}: {got}, not {want}"


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)
        self.norm = torch.nn.BatchNorm1d(3)

    def forward(self, x):
        return self.norm(self.fc(x))


OPTIMIZERS = {
    "SGD": dict(lr=0.05, momentum=0.9, nesterov=True),
    "Adam": dict(lr=0.01, amsgrad=True),
    "AdamW": dict(lr=0.01, weight_decay=0.1),
    "RMSprop": dict(lr=0.01, centered=True, momentum=0.8),
    "Adagrad": dict(lr=0.05, lr_decay=0.01),
}


def train(model, optimizer, steps: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(8, 4, generator=generator)).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_from_what_was_rewritten_as_if_nothing_had_happened(name, tmp_path):
    torch.manual_seed(1)
    model = Net()
    optimizer = getattr(torch.optim, name)(model.parameters(), **OPTIMIZERS[name])
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
    train(model, optimizer, 3, seed=2)
    scheduler.step()
    saved = {"epoch": 3, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict(),
             "scheduler_state_dict": scheduler.state_dict(), "loss": 0.25, "rng_state": torch.get_rng_state(), "note": [1, "two"]}
    torch.save(saved, tmp_path / "a.pth")
    told = tool("rewrite", tmp_path / "a.pth", tmp_path / "b.pth").split()
    assert told == ["tensors", "7", "kind", str(list(OPTIMIZERS).index(name)), "step", "0" if name == "SGD" else "3", "rest", "1"]
    got = opened(tmp_path / "b.pth")
    assert_equal(got, saved)
    assert got["model_state_dict"]._metadata == saved["model_state_dict"]._metadata

    other = Net()
    other.load_state_dict(got["model_state_dict"])
    resumed = getattr(torch.optim, name)(other.parameters(), **OPTIMIZERS[name])
    resumed.load_state_dict(got["optimizer_state_dict"])
    train(model, optimizer, 2, seed=5)
    train(other, resumed, 2, seed=5)
    for mine, theirs in zip(other.state_dict().values(), model.state_dict().values()):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pytorch_trains_a_step_from_an_optimizer_made_in_cpp(name, tmp_path):
    tool("fresh", name, tmp_path / "new.pth")
    got = opened(tmp_path / "new.pth")

    def parameters():
        return [torch.nn.Parameter(torch.full((3,), 0.5)), torch.nn.Parameter(torch.full((1,), -0.25))]

    def step(optimizer, params):
        (params[0].sum() * params[1]).square().sum().backward()
        optimizer.step()
        return params

    mine, theirs = parameters(), parameters()
    alone = getattr(torch.optim, name)(theirs, lr=0.05)
    assert_equal(got["optimizer_state_dict"], alone.state_dict())
    loaded = getattr(torch.optim, name)(mine, lr=0.9)
    loaded.load_state_dict(got["optimizer_state_dict"])
    for a, b in zip(step(loaded, mine), step(alone, theirs)):
        assert torch.equal(a, b)


def test_the_common_form_is_read_and_written_as_it_is(tmp_path):
    saved = {"model_state_dict": Net().state_dict(), "model_config": {"hidden": 64, "dropout": 0.5, "layers": [3, 4], "name": None},
             "pytorch_version": torch.__version__.split("+")[0], "training_date": "2026-11-24"}
    torch.save(saved, tmp_path / "a.pth")
    tool("rewrite", tmp_path / "a.pth", tmp_path / "b.pth")
    assert_equal(opened(tmp_path / "b.pth"), saved)
    told = json.loads(program.succeed("inspect", tmp_path / "b.pth", "--json").stdout)["metadata"]
    assert told["pytorch_version"] == saved["pytorch_version"] and told["training_date"] == "2026-11-24"
    assert told["model_config"] == repr(saved["model_config"])
    assert program.call("diff", tmp_path / "a.pth", tmp_path / "b.pth").code == 0


@pytest.mark.parametrize("mode", ["saved", "began"])
def test_whenever_it_is_killed_the_last_good_checkpoint_is_there(mode, tmp_path):
    chance = random.Random(7)
    last = -1
    for attempt in range(6):
        loop = subprocess.Popen([TOOL, "loop", tmp_path, *(["async"] if mode == "began" else [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert loop.stdout.readline().startswith("resumed"), loop.stderr.read()
        for _ in range(2 if attempt == 0 else 0):  # however slow the machine is, something was saved
            last = int(loop.stdout.readline().split()[1]) - (mode == "began")
        time.sleep(chance.uniform(0.02, 0.5))
        loop.send_signal(signal.SIGKILL)
        lines, errors = loop.communicate()
        assert not errors, errors
        told = [int(line.split()[1]) for line in lines.splitlines() if line.startswith(mode) and line.count(" ") == 1 and line.split()[1].isdigit()]
        if told:
            last = max(last, told[-1] if mode == "saved" else told[-1] - 1)
        if last < 0:
            continue
        got = opened(tmp_path / "latest.pth")
        assert got["epoch"] >= last
        assert all(bool((tensor == got["epoch"]).all()) for tensor in got["model_state_dict"].values())
        assert got["model_state_dict"]["weight"].data_ptr() == got["model_state_dict"]["tied"].data_ptr()
        assert opened(tmp_path / "best.pth")["metrics"]["accuracy"] <= 4
        files = sorted(path.name for path in tmp_path.glob("checkpoint_*.pth"))
        for name in files:
            opened(tmp_path / name)
        assert len(files) <= 4
    assert last >= 0, "nothing was ever saved"


def test_a_checkpoint_that_is_broken_is_passed_over(tmp_path):
    loop = subprocess.Popen([TOOL, "loop", tmp_path], stdout=subprocess.PIPE, text=True)
    while "saved 3" not in loop.stdout.readline():
        pass
    loop.kill()
    loop.wait()
    files = sorted(tmp_path.glob("checkpoint_*.pth"))
    newest = bytearray(files[-1].read_bytes())
    newest[len(newest) // 2] ^= 1
    files[-1].write_bytes(newest)
    again = subprocess.Popen([TOOL, "loop", tmp_path], stdout=subprocess.PIPE, text=True)
    line = again.stdout.readline()
    again.kill()
    again.wait()
    number = int(files[-1].stem.removeprefix("checkpoint_"))
    assert line == f"resumed {number}, passed over 1\n"


def test_two_programs_cannot_write_to_one_folder(tmp_path):
    loop = subprocess.Popen([TOOL, "loop", tmp_path], stdout=subprocess.PIPE, text=True)
    loop.stdout.readline()
    done = subprocess.run([TOOL, "overwrite", tmp_path], capture_output=True, text=True, timeout=60)
    loop.kill()
    loop.wait()
    assert done.returncode == 1 and "another program writes checkpoints to this folder" in done.stderr


def test_a_save_in_the_background_holds_what_was_there_when_it_began(tmp_path):
    tool("overwrite", tmp_path)
    for step in range(3):
        got = opened(tmp_path / f"checkpoint_{step:08}.pth")
        assert bool((got["model_state_dict"]["weight"] == step + 1).all())
        assert got["producer"].startswith("lanthorn") and got["training_date"] and len(got["tensor_digests"]) == 1
    told = json.loads(program.succeed("inspect", tmp_path / "latest.pth", "--digest", "--json").stdout)
    assert [tensor["digest_matches"] for tensor in told["tensors"]] == [True]
    assert told["metadata"]["producer"] == got["producer"]


def test_every_write_sync_rename_and_allocation_of_a_save_may_fail(tmp_path):
    told = dict(line.split() for line in tool("faults", tmp_path).splitlines())
    assert int(told["memory"]) > 100 and int(told["write"]) >= 3
    assert int(told["sync"]) >= 2 and int(told["rename"]) >= 2 and int(told["link"]) >= 1


@pytest.mark.parametrize("saved", [
    {"fc.weight": torch.zeros(3, 5), "extra": torch.zeros(1), "norm.weight": torch.ones(3)},
    {"fc.weight": torch.zeros(3, 4), "fc.bias": torch.zeros(2)},
    {},
], ids=["all", "shape", "nothing"])
def test_load_state_dict_says_what_pytorch_says(saved, tmp_path):
    torch.save(Net().state_dict(), tmp_path / "model.pth")
    if not saved:
        saved = {"other": torch.zeros(1)}
    with_metadata = collections.OrderedDict(saved)
    with_metadata._metadata = Net().state_dict()._metadata
    torch.save(with_metadata, tmp_path / "saved.pth")
    for mode, strict in [("strict", True), ("keys", False)]:
        try:
            Net().load_state_dict(with_metadata, strict=strict)
            expected = None
        except RuntimeError as error:
            expected = str(error)
        told = tool("load", tmp_path / "model.pth", tmp_path / "saved.pth", mode, code=1 if expected else 0)
        if expected:
            assert told == expected


# ---- inspect and diff --------------------------------------------------------------------------------------------------

class Phase(enum.Enum):
    EVAL = "eval"


Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Config:
    width: int = 9
    names: tuple = ("a", "b")


def hook(module, inputs):
    pass


def listed(path) -> dict:
    entries = json.loads(program.succeed("inspect", path, "--json", "--objects").stdout)["objects"]
    return {entry["name"]: entry for entry in entries}


def test_every_object_of_a_checkpoint_is_listed_as_python_has_it(tmp_path):
    plain = {
        "none": None, "flag": True, "int": -3, "big": 2**80, "float": 1e-5, "whole": 3.0, "inf": float("inf"), "complex": 1.5 - 2j, "text": "it's\n\"ä\"",
        "bytes": b"\x00ab", "array": bytearray(b"x\xffy"), "when": datetime.datetime(2024, 2, 29, 12, 30, 15, 7), "day": datetime.date(1999, 12, 31),
        "time": datetime.time(1, 2), "span": datetime.timedelta(days=-1, seconds=5), "utc": datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
        "money": decimal.Decimal("1.250"), "path": pathlib.PurePosixPath("/runs/3/best.pt"), "range": range(2, 9, 3), "slice": slice(None, 4, None),
        "scalar": np.float32(0.5), "count": np.int64(7), "size": torch.Size([2, 3]), "dtype": torch.bfloat16, "device": torch.device("cuda", 1),
        "frozen": frozenset({1}), "layout": torch.strided,
    }
    containers = {"dict": {"a": {"b": [1, (2, 3)]}}, "ordered": collections.OrderedDict(z=1), "default": collections.defaultdict(list, x=[1]),
                  "counter": collections.Counter("hello"), "set": {1}, "names": argparse.Namespace(lr=0.1, tags=["x"])}
    torch.save({**plain, **containers, "phase": Phase.EVAL, "point": Point(1, 2), "config": Config(), "w": torch.ones(2), "np": np.arange(3)}, tmp_path / "c.pth")
    found = listed(tmp_path / "c.pth")
    for name, value in plain.items():
        assert found[name]["type"] == type(value).__name__, name
        assert found[name]["repr"] == repr(value), name
    for name in ("dict", "ordered", "default", "counter", "names"):
        assert found[name]["type"] == type(containers[name]).__name__
    assert found["dict.a.b.1.0"]["value"] == 2 and found["default.x.0"]["value"] == 1 and found["counter.l"]["value"] == 2
    assert found["names.lr"]["value"] == 0.1 and found["names"]["class"] == "argparse.Namespace"
    assert found["phase"]["class"].endswith("Phase") and "'eval'" in found["phase"]["repr"]
    assert found["config"]["class"].endswith("Config") and found["config.width"]["value"] == 9 and found["config.names.1"]["value"] == "b"
    assert found["point.0"]["value"] == 1 and found["point"]["type"] == "Point"
    assert "w" not in found and "np" not in found


def test_modules_are_listed_with_settings_flags_and_hooks(tmp_path):
    net = Net()
    net.norm.eval()
    net.fc.register_forward_pre_hook(hook)
    torch.save(net, tmp_path / "net.pth")
    modules = {m["name"]: m for m in json.loads(program.succeed("inspect", tmp_path / "net.pth", "--json", "--modules").stdout)["modules"]}
    assert list(modules) == ["", "fc", "norm"]
    assert modules[""]["class"].endswith("Net") and modules[""]["training"] and not modules["norm"]["training"]
    assert modules["fc"]["settings"] == {"in_features": "4", "out_features": "3"} and modules["fc"]["parameters"] == ["weight", "bias"]
    assert modules["norm"]["buffers"] == ["running_mean", "running_var", "num_batches_tracked"] and modules["norm"]["settings"]["eps"] == "1e-05"
    assert [h["kind"] for h in modules["fc"]["hooks"]] == ["forward_pre"] and modules["fc"]["hooks"][0]["function"].endswith("hook")
    torch.jit.script(Net().eval()).save(str(tmp_path / "net.pt"))
    scripted = json.loads(program.succeed("inspect", tmp_path / "net.pt", "--json", "--modules").stdout)["modules"]
    assert [m["name"] for m in scripted] == ["", "fc", "norm"] and scripted[1]["parameters"] == ["weight", "bias"]


def test_statistics_digests_and_one_tensor_are_those_of_pytorch(tmp_path):
    torch.manual_seed(3)
    base = torch.randn(700, 90)
    tensors = {"base": base, "turned": base.t(), "half": base.bfloat16(), "ints": torch.arange(-5, 4), "odd": torch.tensor([1.0, float("nan"), float("inf"), -2]),
               "flags": torch.tensor([True, False]), "empty": torch.empty(0, 3), "complex": torch.tensor([1 + 2j])}
    torch.save(tensors, tmp_path / "t.pth")
    told = {t["name"]: t for t in json.loads(program.succeed("inspect", tmp_path / "t.pth", "--json", "--stats", "--digest").stdout)["tensors"]}
    for name in ("base", "turned", "half", "ints"):
        wide = tensors[name].double()
        assert told[name]["min"] == wide.min().item() and told[name]["max"] == wide.max().item()
        assert told[name]["mean"] == pytest.approx(wide.mean().item(), rel=1e-12)
    assert told["odd"]["nan_count"] == 1 and told["odd"]["inf_count"] == 1 and "min" not in told["empty"] and "min" not in told["complex"]
    document = json.loads(program.succeed("inspect", tmp_path / "t.pth", "--json", "--tensors").stdout)
    assert document["ties"] == [["base", "turned"]]
    program.succeed("inspect", tmp_path / "t.pth", "--tensor", "turned", "--output", tmp_path / "one.npy")
    assert np.array_equal(np.load(tmp_path / "one.npy"), base.t().numpy())


def test_diff_finds_what_was_changed_and_nothing_else(tmp_path):
    torch.manual_seed(4)
    shared = torch.randn(40, 30)
    first = {"epoch": 1, "model": {"a": shared, "b": shared, "c": torch.randn(5), "d": torch.ones(2), "gone": torch.zeros(1)}, "lr": [0.1, 0.2]}
    changed = shared.clone()
    changed[3, 7] += 0.5
    second = {"epoch": 2, "model": {"a": changed, "b": shared.clone(), "c": first["model"]["c"].half(), "d": torch.ones(3), "new": torch.zeros(1)}, "lr": [0.1, 0.2]}
    torch.save(first, tmp_path / "a.pth")
    torch.save(second, tmp_path / "b.pth", _use_new_zipfile_serialization=False)
    outcome = program.call("diff", tmp_path / "a.pth", tmp_path / "b.pth", "--json")
    assert outcome.code == 1
    told = json.loads(outcome.stdout)
    assert told["tensors"]["only_in_a"] == ["model.gone"] and told["tensors"]["only_in_b"] == ["model.new"]
    different = {change["name"]: change for change in told["tensors"]["different"]}
    assert set(different) == {"model.a", "model.c", "model.d"}
    assert different["model.a"]["different_values"] == 1 and different["model.a"]["first"] == 3 * 30 + 7
    assert different["model.a"]["max_abs"] == pytest.approx(0.5, rel=1e-6)
    assert different["model.c"]["b"]["dtype"] == "float16" and different["model.d"]["b"]["shape"] == [3]
    assert told["objects"] == [{"name": "epoch", "a": "1", "b": "2"}]
    assert [tie["name"] for tie in told["ties"]] == ["model.b"]
    assert program.call("diff", tmp_path / "a.pth", tmp_path / "a.pth").code == 0
    torch.save({"c": first["model"]["c"]}, tmp_path / "wide.pth")
    torch.save({"c": first["model"]["c"].half()}, tmp_path / "half.pth")
    assert program.call("diff", tmp_path / "wide.pth", tmp_path / "half.pth", "--ignore-dtype", "--tolerance", "1e-3").code == 0
    assert program.call("diff", tmp_path / "wide.pth", tmp_path / "half.pth", "--ignore-dtype", "--tolerance", "1e-6").code == 1
    assert program.succeed("inspect", tmp_path / "a.pth", "--digest", "--stats").stderr == "", "a bar is for terminals"


def test_diff_of_graphs_and_of_programs_names_what_changed(tmp_path):
    digits = program.ROOT / "examples/digits"
    model = onnx.load(digits / "digits.onnx")
    strides = next(attribute for attribute in model.graph.node[0].attribute if attribute.name == "strides")
    strides.ints[:] = [2, 2]
    onnx.save(model, tmp_path / "other.onnx")
    told = json.loads(program.call("diff", digits / "digits.onnx", tmp_path / "other.onnx", "--json").stdout)
    assert len(told["graph"]) == 2 and "strides=[1, 1]" in told["graph"][0]["a"] and "strides=[2, 2]" in told["graph"][1]["b"]
    assert not told["same"] and not told["tensors"]["different"]
    for name, slope in [("a", 0.1), ("b", 0.2)]:
        torch.jit.script(torch.nn.LeakyReLU(slope)).save(str(tmp_path / f"{name}.pt"))
    assert program.call("diff", tmp_path / "a.pt", tmp_path / "a.pt").code == 0
    told = json.loads(program.call("diff", tmp_path / "a.pt", tmp_path / "b.pt", "--json").stdout)
    assert any("0.1" in (change["a"] or "") for change in told["graph"]) and any("0.2" in (change["b"] or "") for change in told["graph"])


def test_names_that_are_no_text_leave_the_document_json(tmp_path):
    (tmp_path / "old.pkl").write_bytes(b"(dp0\nS'k\\xff\\xfe'\np1\nS'\\xff'\np2\ns.")
    done = subprocess.run([program.lanthorn(), "inspect", tmp_path / "old.pkl", "--objects", "--json"], capture_output=True, timeout=60)
    assert done.returncode == 0
    assert json.loads(done.stdout.decode("utf-8"))["objects"][1]["name"] == "k\ufffd\ufffd"


def test_the_guide_runs_as_it_is_written(tmp_path):
    """The commands of docs/guides/checkpoints.md, in their order, in a folder that has the digits."""
    for file in (program.ROOT / "examples/digits").glob("digits_*.pth"):
        shutil.copy(file, tmp_path)
    guide = (program.ROOT / "docs/guides/checkpoints.md").read_text()
    commands = [line for block in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL) for line in block.splitlines() if line.startswith("lanthorn ")]
    assert len(commands) >= 8
    for command in commands:
        words = shlex.split(command.partition("  #")[0])
        done = subprocess.run([program.lanthorn(), *words[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        wanted = int(re.search(r"exit (\d)", command).group(1)) if "# exit" in command else 0
        assert done.returncode == wanted, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
