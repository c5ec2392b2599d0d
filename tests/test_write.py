"""What we write, judged by PyTorch and safetensors: random state_dicts in every dtype, tied, strided, nested."""

import collections
import concurrent.futures
import io
import json
import os
import random
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

import program

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors")

SEED = int(os.environ.get("LANTHORN_SEED", "20261124"))
CASES = 300
CLASSIC = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
           torch.bool, torch.complex64, torch.complex128]
NEW = [torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz,
       torch.float8_e8m0fnu, torch.complex32]


def random_storage(rng: random.Random, dtype) -> torch.Tensor:
    count = rng.choice([0, 1, 1, 2, 3, 7, 24, 60, 200])
    size = count * torch.empty(0, dtype=dtype).element_size()
    data = torch.tensor(list(rng.randbytes(size)), dtype=torch.uint8)
    if dtype == torch.bool:
        return data & 1 == 1
    return data.view(dtype) if size else torch.empty(0, dtype=dtype)


def random_view(rng: random.Random, flat: torch.Tensor) -> torch.Tensor:
    count = flat.numel()
    if count == 0:
        return flat.reshape(rng.choice([(0,), (0, 3), (2, 0, 5)]))
    kind = rng.randrange(6)
    if kind == 0:
        begin = rng.randrange(count)
        return flat[begin:begin + rng.randrange(count - begin + 1)]
    if kind == 1 and count % 6 == 0:
        return flat.view(2, count // 2).t()
    if kind == 2:
        return flat[rng.randrange(count)].expand(rng.randrange(1, 4), 2)
    if kind == 3:
        return flat[::rng.randrange(1, 4)]
    if kind == 4:
        return flat[rng.randrange(count)]
    return flat.view(rng.choice([(count,), (1, count), (count, 1, 1)]))


def random_state(rng: random.Random, dtypes) -> dict:
    names = set()
    while len(names) < rng.randrange(1, 9):
        parts = [rng.choice(["w", "bias", "0", "11", "layer 1", "größe", "a/b", "x" * 40]) for _ in range(rng.randrange(1, 4))]
        names.add(".".join(parts))
    state, flats = rng.choice([dict, collections.OrderedDict])(), []
    for name in sorted(names, key=lambda _: rng.random()):
        if not flats or rng.random() < 0.7:
            flats.append(random_storage(rng, rng.choice(dtypes)))
        state[name] = random_view(rng, rng.choice(flats))
    return state


def nested(rng: random.Random, state: dict) -> dict:
    """A checkpoint of the same tensors: some deeper, in dicts and lists, beside what is no tensor; each may come again."""
    tree, places = {"epoch": rng.randrange(99), "name": "größe", "none": None}, []
    for name, tensor in state.items():
        inner = rng.choice([tree, *places])
        if isinstance(inner, list):
            inner.append(tensor)
            continue
        kind = rng.randrange(4)
        inner[name] = [tensor, {"x": tensor, "n": 2.5}, [tensor, (1, True)], (tensor, tensor.detach())][kind]
        if kind in (1, 2):
            places.append(inner[name])
    return tree


def flat(value, name: str = "") -> dict:
    """The tensors of a tree by the way to them, in order."""
    if isinstance(value, torch.Tensor):
        return {name: value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else []
    return {k: t for key, item in items for k, t in flat(item, f"{name}.{key}").items()}


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    raw = [t.detach().clone(memory_format=torch.contiguous_format).flatten().view(torch.uint8) if t.numel() else t for t in (a, b)]
    return a.numel() == 0 or torch.equal(*raw)


def ties(state: dict) -> list[tuple]:
    """Of each tensor: which storage of the file it is of (of empty ones the legacy stream keeps no ties), its place there, its strides."""
    numbers = {}
    return [(t.untyped_storage().nbytes() and numbers.setdefault(t.untyped_storage()._cdata, len(numbers)), t.storage_offset(), t.stride(),
             t.untyped_storage().nbytes()) for t in state.values()]


def check_case(number: int, folder) -> None:
    rng = random.Random(SEED * 1000 + number)
    route = number % 3
    dtypes = CLASSIC if route else CLASSIC + NEW
    state = random_state(rng, dtypes)
    if route < 2 and rng.random() < 0.5:
        state = nested(rng, state)
    source, out = folder / "m.pth", folder / "out" / "m.pth"
    out.parent.mkdir(parents=True)
    if route == 0:
        torch.save(state, source)
        program.succeed("convert", source, out)
        assert source.read_bytes() == out.read_bytes(), f"case {number}: not byte by byte what torch.save writes"
    elif route == 1:
        torch.save(state, source)
        program.succeed("convert", source, folder / "legacy.pt", "--to", "torch-legacy")
        program.succeed("convert", folder / "legacy.pt", out)
        torch.save(state, folder / "torch.pt", _use_new_zipfile_serialization=False)
        again, want = (torch.load(folder / name, weights_only=True) for name in ("legacy.pt", "torch.pt"))
        assert list(flat(again)) == list(flat(want)) and ties(flat(again)) == ties(flat(want)), f"case {number}: the legacy stream"
    else:
        dense = {k: v for k, v in state.items() if v.dtype != torch.complex128}
        state = {k: v.clone(memory_format=torch.contiguous_format) for k, v in dense.items()} or {"only": torch.ones(2)}
        torch.save(state, source)
        middle = folder / "m.safetensors"
        program.succeed("convert", source, middle)
        from safetensors.torch import load_file, save_file
        save_file({k: v.contiguous() for k, v in state.items()}, folder / "want.safetensors", metadata={"format": "pt"})
        assert middle.read_bytes() == (folder / "want.safetensors").read_bytes(), f"case {number}: not what safetensors writes"
        program.succeed("convert", middle, out)
    loaded = torch.load(out, weights_only=True)
    assert [k for k, v in loaded.items() if not flat(v)] == [k for k, v in state.items() if not flat(v)]
    loaded, state = flat(loaded), flat(state)
    assert set(loaded) == set(state)
    for name, want in state.items():
        assert same_bits(loaded[name], want), f"case {number}: {name}"
    if route < 2:
        assert list(loaded) == list(state) and ties(loaded) == ties(state), f"case {number}: ties, offsets or strides"


def test_random_state_dicts_are_what_pytorch_and_safetensors_write(tmp_path):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda number: check_case(number, tmp_path / str(number)), range(CASES)))


def checkpoint() -> dict:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 3))
    model[2].weight = torch.nn.Parameter(model[0].weight.t())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    return {"model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "epoch": 3, "loss": 0.25, "best": None,
            "config": {"name": "größe", "sizes": [1, 2, 70000, -1, 2**40, -2**70], "flags": (True, False), "shape": torch.Size([2, 3])},
            "parameter": model[0].bias, "half": torch.float16, "device": torch.device("cuda", 1), "raw": b"\x00\xff", "array": bytearray(b"\x00\xff"), "no_array": bytearray(), "none": {}, "many": list(range(1001))}


def test_a_checkpoint_stays_byte_by_byte_what_torch_save_writes(tmp_path):
    torch.manual_seed(1)
    (tmp_path / "out").mkdir()
    torch.save(checkpoint(), tmp_path / "ckpt.pth")
    program.succeed("convert", tmp_path / "ckpt.pth", tmp_path / "out/ckpt.pth")
    assert (tmp_path / "ckpt.pth").read_bytes() == (tmp_path / "out/ckpt.pth").read_bytes()


@pytest.mark.parametrize("count", [1, 2, 999, 1000, 1001, 2000])
@pytest.mark.parametrize("kind", [dict, collections.OrderedDict])
def test_dicts_of_every_size_have_the_batches_of_cpython(count, kind, tmp_path):
    (tmp_path / "out").mkdir()
    one = torch.ones(1)
    torch.save(kind((f"w{i}", one[:]) for i in range(count)), tmp_path / "m.pth")
    program.succeed("convert", tmp_path / "m.pth", tmp_path / "out/m.pth")
    assert (tmp_path / "m.pth").read_bytes() == (tmp_path / "out/m.pth").read_bytes()


def test_sparse_and_quantized_tensors_stay_what_they_are(tmp_path):
    dense = torch.tensor([[0.0, 1.0, 0.0], [2.0, 0.0, 3.0]])
    scales, zeros = torch.tensor([0.5, 0.25], dtype=torch.float64), torch.tensor([1, 2])
    state = {"coo": dense.to_sparse(), "csr": dense.to_sparse_csr(), "csc": dense.to_sparse_csc(),
             "tensor": torch.quantize_per_tensor(dense, 0.1, 3, torch.quint8), "channel": torch.quantize_per_channel(dense, scales, zeros, 0, torch.qint8),
             "four": torch.quantize_per_channel(dense, scales.float(), zeros.float(), 0, torch.quint4x2)}
    torch.save(state, tmp_path / "m.pth")
    program.succeed("convert", tmp_path / "m.pth", tmp_path / "o.pth")
    loaded = torch.load(tmp_path / "o.pth", weights_only=True)
    for name, want in state.items():
        got = loaded[name]
        assert got.dtype == want.dtype and got.layout == want.layout
        if name in ("coo", "csr", "csc"):
            assert torch.equal(got.to_dense(), want.to_dense())
        else:
            assert got.qscheme() == want.qscheme() and torch.equal(got.dequantize(), want.dequantize()), name
    program.succeed("convert", tmp_path / "m.pth", tmp_path / "o.npz")
    for name, array in program.arrays(tmp_path / "o.npz").items():
        want = state[name].to_dense() if name.startswith("cs") or name == "coo" else state[name].dequantize()
        assert np.array_equal(array, want.numpy()), name


@pytest.mark.parametrize("short, dtype", [("bf16", torch.bfloat16), ("f16", torch.float16), ("f8e4m3fn", torch.float8_e4m3fn), ("f8e5m2", torch.float8_e5m2),
                                          ("f8e4m3fnuz", torch.float8_e4m3fnuz), ("f8e5m2fnuz", torch.float8_e5m2fnuz), ("f32", torch.float32)])
def test_casts_round_as_pytorch(short, dtype, tmp_path):
    values = torch.cat([torch.randn(4000, generator=torch.Generator().manual_seed(5)) * 10.0**e for e in range(-12, 8)])
    values = torch.cat([values, torch.tensor([0.0, -0.0, float("inf"), -float("inf"), float("nan"), 448.0, 464.0, 465.0, 65520.0, 57344.0, 61440.0])])
    state = {"f32": values, "f64": values.double(), "f16": values.half(), "bf16": values.bfloat16(), "tied": values[:7], "int": torch.arange(3)}
    torch.save(state, tmp_path / "m.pth")
    program.succeed("convert", tmp_path / "m.pth", tmp_path / "o.pth", "--dtype", short)
    loaded = torch.load(tmp_path / "o.pth", weights_only=True)
    for name, want in state.items():
        want = want if name == "int" else want.to(dtype)
        got, nan = loaded[name], want.float().isnan()
        assert got.dtype == want.dtype
        assert torch.equal(got.float().isnan(), nan), name
        assert same_bits(got[~nan], want[~nan]), name
    assert loaded["tied"].untyped_storage().data_ptr() == loaded["f32"].untyped_storage().data_ptr()


class Custom(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = torch.nn.Linear(2, 3)
        self.tied = self.lin
        self.register_buffer("kept", torch.ones(2))
        self.register_buffer("passing", torch.ones(4), persistent=False)


def test_a_whole_model_becomes_its_state_dict(tmp_path):
    model = Custom()
    torch.save(model, tmp_path / "full.pth")
    for name in ("w.pth", "w.safetensors"):
        outcome = program.succeed("convert", tmp_path / "full.pth", tmp_path / name)
        assert "became its state_dict" in outcome.stderr
    loaded = torch.load(tmp_path / "w.pth", weights_only=True)
    assert list(loaded) == list(model.state_dict())
    Custom().load_state_dict(loaded)
    from safetensors.torch import load_model
    load_model(Custom(), tmp_path / "w.safetensors")


class Payload:
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return os.system, ("echo canary",), {"tensor": self.tensor}


def test_a_file_that_would_run_code_becomes_a_safe_one(tmp_path):
    torch.save({"w": torch.arange(3), "evil": Payload(torch.ones(2))}, tmp_path / "bad.pth")
    outcome = program.succeed("convert", tmp_path / "bad.pth", tmp_path / "good.pth")
    assert "system" in outcome.stderr and "dropped" in outcome.stderr
    loaded = torch.load(tmp_path / "good.pth", weights_only=True)
    assert torch.equal(loaded["w"], torch.arange(3)) and torch.equal(loaded["evil"]["tensor"], torch.ones(2))


def test_tied_tensors_pass_through_safetensors_as_save_model_writes_them(tmp_path):
    weight = torch.randn(3, 2)
    torch.save({"head.weight": weight, "embed.weight": weight, "bias": torch.ones(1)}, tmp_path / "m.pth")
    program.succeed("convert", tmp_path / "m.pth", tmp_path / "m.safetensors")
    with safetensors.safe_open(tmp_path / "m.safetensors", "pt") as file:
        assert sorted(file.keys()) == ["bias", "embed.weight"] and file.metadata()["head.weight"] == "embed.weight"
    program.succeed("convert", tmp_path / "m.safetensors", tmp_path / "o.pth")
    loaded = torch.load(tmp_path / "o.pth", weights_only=True)
    assert loaded["head.weight"].data_ptr() == loaded["embed.weight"].data_ptr() and torch.equal(loaded["head.weight"], weight)
    program.succeed("convert", tmp_path / "m.pth", tmp_path / "all.safetensors", "--copy-tied")
    from safetensors.torch import load_file
    assert len(load_file(tmp_path / "all.safetensors")) == 3


def test_what_a_checkpoint_says_of_its_making_goes_into_the_metadata(tmp_path):
    for name, width in (("a", 3), ("b", 4)):
        torch.save({"model_state_dict": {"w": torch.ones(2)}, "model_config": {"width": width}, "pytorch_version": "2.13.0", "training_date": "2026-01-01",
                    "lr": 0.1, "tags": ["x", "y"]}, tmp_path / f"{name}.pth")
        outcome = program.succeed("convert", tmp_path / f"{name}.pth", tmp_path / f"{name}.safetensors")
        assert "3 values that are no tensors were left out (of lr, tags)" in outcome.stderr
    with safetensors.safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "model_config": "{'width': 3}", "pytorch_version": "2.13.0", "training_date": "2026-01-01"}
        assert list(file.keys()) == ["model_state_dict.w"]
    told = program.call("diff", tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert told.code == 1 and "model_config" in told.stdout and "training_date" not in told.stdout
    assert "left out" not in program.succeed("convert", tmp_path / "a.pth", tmp_path / "c.pth").stderr
    torch.save(torch.nn.BatchNorm1d(2).state_dict(), tmp_path / "s.pth")
    assert "left out" not in program.succeed("convert", tmp_path / "s.pth", tmp_path / "s.npz").stderr


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_shards_have_an_index_as_model_hubs_write_it(name, tmp_path):
    state = {f"layer{i}.w": torch.full((100,), float(i)) for i in range(10)} | {"big": torch.zeros(1000)}
    state["tied"] = state["layer0.w"]
    torch.save(state, tmp_path / "m.pth")
    program.succeed("convert", tmp_path / "m.pth", tmp_path / name, "--max-shard-size", "1000")
    index = json.loads((tmp_path / f"{name}.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(t.nbytes for t in state.values())
    assert set(index["weight_map"]) == set(state) and not (tmp_path / name).exists()
    assert index["weight_map"]["tied"] == index["weight_map"]["layer0.w"]
    assert len(set(index["weight_map"].values())) == 7 and all((tmp_path / f).exists() for f in index["weight_map"].values())
    program.succeed("convert", tmp_path / f"{name}.index.json", tmp_path / "o.pth")
    loaded = torch.load(tmp_path / "o.pth", weights_only=True)
    assert set(loaded) == set(state) and all(torch.equal(loaded[k], state[k]) for k in state)


def test_names_are_chosen_and_changed(tmp_path):
    torch.save({"module.a.weight": torch.ones(1), "module.a.bias": torch.ones(2), "module.b.weight": torch.ones(3), "step": torch.ones(4)}, tmp_path / "m.pth")
    (tmp_path / "map.txt").write_text("# new names\nstep counter\n")

    def names(*flags):
        outcome = program.succeed("convert", tmp_path / "m.pth", tmp_path / "o.npz", *flags)
        return set(program.arrays(tmp_path / "o.npz")), outcome

    assert names("--rename", r"s/^module\.//")[0] == {"a.weight", "a.bias", "b.weight", "step"}
    assert names("--strip-prefix", "module.", "--add-prefix", "net.")[0] == {"net.a.weight", "net.a.bias", "net.b.weight", "net.step"}
    assert names("--select", "module.*", "--exclude", "*.bias")[0] == {"module.a.weight", "module.b.weight"}
    assert names("--rename", r"s|(a)\.(w)eight|\2_\1|", "--map", tmp_path / "map.txt")[0] == {"module.w_a", "module.a.bias", "module.b.weight", "counter"}
    clash = program.call("convert", tmp_path / "m.pth", tmp_path / "no.npz", "--rename", "s/module.[ab]/x/")
    assert clash.code == 2 and "x.weight" in clash.stderr and not (tmp_path / "no.npz").exists()
    assert program.call("convert", tmp_path / "m.pth", tmp_path / "no.npz", "--rename", "s/(/x/").code == 2
    plan = json.loads(program.succeed("convert", tmp_path / "m.pth", tmp_path / "no.npz", "--dry-run", "--json", "--select", "step").stdout)
    assert [t["source"] for t in plan["tensors"]] == ["step"] and not (tmp_path / "no.npz").exists()


def test_several_files_become_one(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "a.pth")
    torch.save({"b": torch.ones(2)}, tmp_path / "b.pth")
    program.succeed("convert", tmp_path / "a.pth", tmp_path / "b.pth", tmp_path / "ab.pth")
    assert list(torch.load(tmp_path / "ab.pth", weights_only=True)) == ["a", "b"]
    assert program.call("convert", tmp_path / "a.pth", tmp_path / "a.pth", tmp_path / "no.pth").code == 2
    assert not (tmp_path / "no.pth").exists()


def test_a_conversion_that_fails_leaves_nothing_behind(tmp_path):
    buffer = io.BytesIO()
    torch.save({"w": torch.arange(1000.0)}, buffer)
    data = bytearray(buffer.getvalue())
    place = data.find(np.arange(1000, dtype=np.float32).tobytes())
    data[place + 100] ^= 1
    (tmp_path / "flipped.pth").write_bytes(data)
    (tmp_path / "out.pth").write_bytes(b"before")
    outcome = program.call("convert", tmp_path / "flipped.pth", tmp_path / "out.pth")
    assert outcome.code == 3 and "CRC" in outcome.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["flipped.pth", "out.pth"] and (tmp_path / "out.pth").read_bytes() == b"before"
    torch.save({"a": torch.zeros(2, dtype=torch.complex128)}, tmp_path / "c.pth")
    refused = program.call("convert", tmp_path / "c.pth", tmp_path / "no.safetensors")
    assert refused.code == 4 and "a (complex128)" in refused.stderr and not (tmp_path / "no.safetensors").exists()
    torch.save({"a": torch.zeros(2, dtype=torch.uint16), "b": torch.zeros(2, dtype=torch.float8_e5m2)}, tmp_path / "d.pth")
    refused = program.call("convert", tmp_path / "d.pth", tmp_path / "no.pth", "--to", "torch-legacy")
    assert refused.code == 4 and "float8_e5m2, uint16" in refused.stderr and not (tmp_path / "no.pth").exists()
    assert program.call("convert", tmp_path / "c.pth", tmp_path / "no.onnx").code == 4
    assert program.call("convert", tmp_path / "c.pth", tmp_path / "no.xyz").code == 2
    assert program.call("convert", tmp_path / "c.pth", tmp_path / "missing/no.pth").code == 5


@pytest.mark.parametrize("form", ["torch", "torch-legacy", "safetensors", "torch-shards", "safetensors-shards", "npz", "npy", "tree"])
def test_every_write_sync_rename_and_allocation_of_a_save_may_fail(form, tmp_path):
    """The n-th call of each kind fails, for every n: the old files stay as they were, the error is clear, nothing is left over or leaked."""
    tool = Path(program.lanthorn()).parent / "programs/saves"
    done = subprocess.run([tool, form, tmp_path], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    told = {kind: int(count) for kind, count in (line.split() for line in done.stdout.splitlines())}
    files = 4 if form.endswith("shards") else 1
    assert told["memory"] > 20 and told["write"] >= files and told["sync"] >= files and told["rename"] == files


def test_the_archive_is_a_zip_file_that_python_checks(tmp_path):
    torch.save({"w": torch.arange(10), "empty": torch.empty(0)}, tmp_path / "m.pth")
    program.succeed("convert", tmp_path / "m.pth", tmp_path / "o.pth")
    with zipfile.ZipFile(tmp_path / "o.pth") as archive:
        assert archive.testzip() is None and "o/data.pkl" in archive.namelist()


def quantized_program():
    class Quantized(torch.nn.Module):
        def __init__(self):
            super().__init__()
            numbers = torch.tensor([[1.0, -2.0, 0.25], [7.0, 0.0, -0.5]])
            self.register_buffer("one", torch.quantize_per_tensor(numbers, 0.5, 1, torch.qint8))
            self.register_buffer("rows", torch.quantize_per_channel(numbers, torch.tensor([0.5, 0.25], dtype=torch.float64), torch.tensor([1, 2]), 0, torch.quint8))

        def forward(self, x):
            return x + self.one.dequantize() + self.rows.dequantize()

    return Quantized()


@pytest.mark.parametrize("kind", ["script", "mobile"])
def test_quantized_tensors_of_programs_stay_what_they_are(kind, tmp_path):
    model = quantized_program().eval()
    script = torch.jit.script(model)
    if kind == "mobile":
        script._save_for_lite_interpreter(str(tmp_path / "m.pt"))
    else:
        script.save(tmp_path / "m.pt")
    program.succeed("convert", tmp_path / "m.pt", tmp_path / "o.pth")
    loaded = list(torch.load(tmp_path / "o.pth", weights_only=True).values())
    want = [model.one, model.rows]
    for got, right in zip(loaded, want, strict=True):
        assert got.dtype == right.dtype and got.qscheme() == right.qscheme()
        assert torch.equal(got.int_repr(), right.int_repr()) and torch.equal(got.dequantize(), right.dequantize())
    outcome = program.succeed("convert", tmp_path / "m.pt", tmp_path / "o.npz")
    for name, right in zip(("one", "rows"), want):
        assert np.array_equal(program.arrays(tmp_path / "o.npz")[name], right.dequantize().numpy())
    assert "2 quantized tensors are written as the numbers that they stand for" in outcome.stderr
    listed = {t["name"]: t["quantization"] for t in json.loads(program.succeed("inspect", tmp_path / "m.pt", "--json", "--tensors").stdout)["tensors"]}
    assert listed["one"] == {"scheme": "per_tensor_affine", "scale": 0.5, "zero_point": 1}
    assert listed["rows"] == {"scheme": "per_channel_affine", "scale": [0.5, 0.25], "zero_point": [1, 2], "axis": 0}
    program.succeed("inspect", tmp_path / "m.pt", "--tensor", "rows", "--output", tmp_path / "rows.npy")
    assert np.array_equal(np.load(tmp_path / "rows.npy"), model.rows.dequantize().numpy())


def test_packed_weights_have_the_names_of_a_quantized_modules_state_dict(tmp_path):
    model = torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(torch.nn.Linear(3, 2)), {torch.nn.Linear})
    torch.jit.script(model).save(tmp_path / "m.pt")
    torch.save(model.state_dict(), tmp_path / "s.pth")
    for source, out in (("m.pt", "a.npz"), ("s.pth", "b.npz")):
        program.succeed("convert", tmp_path / source, tmp_path / out)
    script, state = program.arrays(tmp_path / "a.npz"), program.arrays(tmp_path / "b.npz")
    assert "0._packed_params._packed_params.0" in script
    for name, array in script.items():
        assert np.array_equal(array, state[name]), name


@pytest.mark.parametrize("kind", ["script", "mobile", "bytecode"])
def test_the_weights_of_a_frozen_program_are_listed(kind, tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)).eval()
    frozen = torch.jit.freeze(torch.jit.script(model))
    file = tmp_path / "m.pt"
    frozen.save(file) if kind == "script" else frozen._save_for_lite_interpreter(str(file))
    if kind == "bytecode":   # all that the lite interpreter needs
        with zipfile.ZipFile(file) as source, zipfile.ZipFile(tmp_path / "b.ptl", "w") as target:
            for name in source.namelist():
                if "/code/" not in name and not name.endswith("/constants.pkl"):
                    target.writestr(name, source.read(name))
        file = tmp_path / "b.ptl"
    program.succeed("convert", file, tmp_path / "o.npz")
    found = program.arrays(tmp_path / "o.npz")
    for want in model.state_dict().values():
        assert any(np.array_equal(array, want.numpy()) for array in found.values()), list(found)


def test_tensors_of_programs_are_converted(tmp_path):
    example = (torch.ones(1, 2),)

    class Runs(Custom):
        def forward(self, x):
            return self.lin(x) + self.kept.sum()

    model = Runs().eval()
    scripted = torch.jit.trace(model, example)
    scripted.save(tmp_path / "m.pt")
    scripted._save_for_lite_interpreter(str(tmp_path / "m.ptl"))
    torch.export.save(torch.export.export(model, example), tmp_path / "m.pt2")
    for name in ("m.pt", "m.ptl", "m.pt2"):
        program.succeed("convert", tmp_path / name, tmp_path / "o.pth", "--to", "torch")
        loaded = torch.load(tmp_path / "o.pth", weights_only=True)
        for key, want in model.state_dict().items():
            assert same_bits(loaded[key], want), (name, key)
