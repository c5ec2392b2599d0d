"""`lanthorn scan`: whatever hides is named, what is honest is safe, and the machine sees every global that Python's own tools see."""

import bz2
import io
import json
import lzma
import pickle
import pickletools
import random
import resource
import subprocess
import sys

import pytest

import program

sys.path.insert(0, str(program.ROOT / "tests/fixtures"))
import make_evasions  # noqa: E402

EVASIONS, HONEST = make_evasions.evasions(), make_evasions.honest()


def scan(*arguments, timeout: int = 60) -> tuple[int, dict, str]:
    done = subprocess.run([program.lanthorn(), "scan", *map(str, arguments), "--json"], capture_output=True, timeout=timeout)
    return done.returncode, json.loads(done.stdout), done.stderr.decode("utf-8", "replace")


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, dict]:
    """What one scan of a folder with everything says, by the file's name."""
    folder = tmp_path_factory.mktemp("scan")
    for kind, files in (("evasions", EVASIONS), ("honest", HONEST)):
        (folder / kind).mkdir()
        for name, data in files.items():
            (folder / kind / name).write_bytes(data[0] if isinstance(data, tuple) else data)
    _, document, _ = scan(folder)
    return {f"{file['file'].split('/')[-2]}/{file['file'].split('/')[-1]}": file for file in document["files"]}


@pytest.mark.parametrize("name", EVASIONS)
def test_what_hides_is_named(name, answers):
    file = answers[f"evasions/{name}"]
    assert file["verdict"] in ("dangerous", "unknown"), file
    named = [g["name"] for g in file["globals"] if g["verdict"] != "safe"]
    assert any(EVASIONS[name][1] in found for found in named), f"{EVASIONS[name][1]!r} is not among {named}"


@pytest.mark.parametrize("name", HONEST)
def test_what_is_honest_is_safe(name, answers):
    if name in ("config.json", "objects.tar"):       # no models' files: they are not listed
        assert f"honest/{name}" not in answers
        return
    file = answers[f"honest/{name}"]
    assert file["verdict"] == "safe", file


def packers() -> dict:
    plain = {"id": lzma.FILTER_LZMA2}
    alone = [{"id": lzma.FILTER_LZMA1, "lc": 1, "lp": 3, "pb": 4, "dict_size": 1 << 16}]
    odd = [{**plain, "lc": 0, "lp": 4, "pb": 0, "dict_size": 4096, "mode": lzma.MODE_FAST}]
    return {"bzip2, small blocks": lambda data: bz2.compress(data, 1), "bzip2": bz2.compress,
            "bzip2, two streams": lambda data: bz2.compress(data[:9999]) + bz2.compress(data[9999:]) + b"and what is none",
            "xz": lzma.compress, "xz, least": lambda data: lzma.compress(data, preset=0), "xz, most": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
            "xz, SHA-256": lambda data: lzma.compress(data, check=lzma.CHECK_SHA256), "xz, no check": lambda data: lzma.compress(data, check=lzma.CHECK_NONE),
            "xz, odd contexts": lambda data: lzma.compress(data, filters=odd), "xz, two streams": lambda data: lzma.compress(data[:7777]) + bytes(8) + lzma.compress(data[7777:]),
            "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE), "lzma, odd contexts": lambda data: lzma.compress(data, lzma.FORMAT_ALONE, filters=alone)}


@pytest.mark.parametrize("how", packers())
@pytest.mark.parametrize("filler", ["noise", "text", "runs", "both"])
def test_what_is_packed_is_seen_to_its_last_byte(how, filler, tmp_path):
    rng = random.Random(filler)
    noise, text = rng.randbytes(150_000), " ".join(str(rng.randrange(300)) for _ in range(60_000)).encode()
    runs = b"".join(bytes([rng.randrange(4)]) * rng.randrange(1, 3000) for _ in range(1000))
    inside = {"noise": noise, "text": text, "runs": runs, "both": noise + text + runs + noise}[filler]
    pickled = pickle.dumps({"a": inside, "b": 1}, 4)[:-1] + b"cposix\nsystem\n(S'echo'\ntR."
    (tmp_path / "m.joblib").write_bytes(packers()[how](pickled))
    status, document, errors = scan(tmp_path / "m.joblib")
    assert status == 1 and "damaged" not in errors, errors
    assert {g["name"]: g["offset"] for g in document["files"][0]["globals"]}["posix.system"] == pickled.index(b"cposix")


def test_what_grows_without_end_is_bounded(tmp_path):
    for name, data in (("bz2", bz2.compress(bytes(300 << 20))), ("xz", lzma.compress(bytes(300 << 20))), ("lzma", lzma.compress(bytes(300 << 20), lzma.FORMAT_ALONE))):
        (tmp_path / f"{name}.joblib").write_bytes(data)
        done = program.call("scan", tmp_path / f"{name}.joblib", "--max-memory", "64M")
        assert done.code == 3 and "memory" in done.stderr and done.seconds < 20


def test_each_global_has_its_place(tmp_path):
    body = b"\x80\x02}X\x01\0\0\0acposix\nsystem\n(X\4\0\0\0echotRs."
    (tmp_path / "a.pkl").write_bytes(body)
    status, document, _ = scan(tmp_path / "a.pkl")
    assert status == 1
    found = [g for g in document["files"][0]["globals"] if g["verdict"] == "dangerous"]
    assert [(g["name"], g["offset"], g["member"]) for g in found] == [("posix.system", body.index(b"cposix"), "")]
    assert found[0]["reason"] == "runs commands"


def test_exit_status_and_what_relaxes_it(tmp_path):
    (tmp_path / "unknown.pkl").write_bytes(EVASIONS["nothing_known.pkl"][0])
    (tmp_path / "dangerous.pkl").write_bytes(EVASIONS["reduce.pkl"][0])
    (tmp_path / "safe.pkl").write_bytes(HONEST["objects_2.pkl"])
    (tmp_path / "broken.pkl").write_bytes(b"\x80\x02}X")
    assert scan(tmp_path / "safe.pkl")[0] == 0
    assert scan(tmp_path / "unknown.pkl")[0] == 1
    assert scan(tmp_path / "unknown.pkl", "--unknown-ok")[0] == 0
    assert scan(tmp_path / "unknown.pkl", "--allow", "some.*")[0] == 0
    assert scan(tmp_path / "unknown.pkl", "--allow", "other.*")[0] == 1
    assert scan(tmp_path / "dangerous.pkl", "--unknown-ok")[0] == 1
    assert scan(tmp_path / "dangerous.pkl", "--allow", "posix.*")[0] == 1      # a pattern is not enough
    assert scan(tmp_path / "dangerous.pkl", "--allow", "posix.system")[0] == 0
    status, _, errors = scan(tmp_path / "broken.pkl")
    assert status == 3 and "lanthorn: error:" in errors
    assert scan(tmp_path / "broken.pkl", tmp_path / "dangerous.pkl")[0] == 1
    done = subprocess.run([program.lanthorn(), "scan", tmp_path / "nothing.pkl"], capture_output=True)
    assert done.returncode == 5


def test_links_are_not_followed_out(tmp_path):
    (tmp_path / "out.pkl").write_bytes(EVASIONS["reduce.pkl"][0])
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "blob").write_bytes(HONEST["objects_2.pkl"])
    (inside / "model.pkl").symlink_to("blob")
    (inside / "leak.pkl").symlink_to(tmp_path / "out.pkl")
    (inside / "loop").symlink_to(inside)
    status, document, _ = scan(inside)
    assert status == 0
    assert sorted(f["file"].split("/")[-1] for f in document["files"]) == ["blob", "model.pkl"]


def test_sarif_names_rule_file_and_place(tmp_path):
    (tmp_path / "a b.pth").write_bytes(EVASIONS["reduce.pth"][0])
    done = subprocess.run([program.lanthorn(), "scan", tmp_path, "--sarif"], capture_output=True)
    run = json.loads(done.stdout)["runs"][0]
    assert done.returncode == 1 and run["tool"]["driver"]["name"] == "lanthorn"
    result = run["results"][0]
    assert result["ruleId"] == "dangerous-global" and result["level"] == "error"
    location = result["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"].endswith("a%20b.pth")
    assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("archive/data.pkl@")


def test_names_that_are_no_utf8_do_not_break_the_json(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04U\x02\xff\xfeU\x02\xc3\xa9\x93X\x03\0\0\0\xed\xa0\x80\x8c\x01b\x93.")
    status, document, _ = scan(tmp_path / "a.pkl")
    assert status == 1
    assert [g["name"] for g in document["files"][0]["globals"]] == ["\ufffd\ufffd.\u00e9", "\ufffd.b"]


def test_pytorch_files_are_safe(tmp_path):
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.GELU(), torch.nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(model.parameters())
    torch.save(model.state_dict(), tmp_path / "state.pth")
    torch.save(model, tmp_path / "model.pth")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state(), "act": torch.relu,
                "dtype": torch.bfloat16}, tmp_path / "checkpoint.pth")
    torch.save(model.state_dict(), tmp_path / "legacy.pth", _use_new_zipfile_serialization=False)
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(model.state_dict()))
    torch.jit.script(torch.nn.Linear(2, 3)).save(str(tmp_path / "script.pt"))
    status, document, errors = scan(tmp_path)
    worse = [(f["file"], g) for f in document["files"] for g in f["globals"] if g["verdict"] != "safe"]
    assert status == 0 and not worse, (worse, errors)
    assert len(document["files"]) == 6


# ---- the machine against Python's tools ------------------------------------------------------------------------------------

MODULES = ["os", "posix", "collections", "torch", "torch._utils", "a.b", "builtins"]
NAMES = ["system", "OrderedDict", "Tensor", "_rebuild_tensor_v2", "x.y", "eval"]


class Generator:
    """Random opcodes that mostly make sense, so that streams are long, with mistakes among them."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.out = bytearray()
        self.memo = 0

    def text(self) -> bytes:
        value = self.random.choice(MODULES + NAMES + ["", "ключ", "\n", "cos\nsystem\n"]).encode()
        return self.random.choice([b"X" + len(value).to_bytes(4, "little"), b"\x8c" + bytes([len(value)]), b"\x8d" + len(value).to_bytes(8, "little"),
                                   b"T" + len(value).to_bytes(4, "little"), b"U" + bytes([len(value)])]) + value

    def one(self) -> bytes:
        r = self.random
        kind = r.randrange(16)
        if kind == 0:
            return f"c{r.choice(MODULES)}\n{r.choice(NAMES)}\n".encode()
        if kind == 1:
            return f"(i{r.choice(MODULES)}\n{r.choice(NAMES)}\n".encode()
        if kind in (2, 3):
            return self.text()
        if kind == 4:
            return self.text() + b"\x93"
        if kind == 5:
            self.memo += 1
            return b"\x94" if r.random() < 0.7 else b"q" + bytes([r.randrange(8)])
        if kind == 6:
            return b"h" + bytes([r.randrange(8)])
        if kind == 7:
            return r.choice([b"K\x05", b"M\x01\x02", b"J\xff\xff\xff\xff", b"N", b"\x88", b"I7\n", b"L5L\n", b"F1.5\n", b"G" + bytes(8), b"\x8a\x02\x01\x02",
                             b"\x8b\x02\0\0\0ab", b"S'text'\n", b"Vtext\n", b"C\x02ab", b"B\x02\0\0\0ab", b"\x96\x01" + bytes(7) + b"a"])
        if kind == 8:
            return r.choice([b"]", b"}", b")", b"\x8f", b"("])
        if kind == 9:
            return r.choice([b"t", b"l", b"d", b"\x91", b"\x85", b"\x86", b"\x87"])
        if kind == 10:
            return r.choice([b"a", b"e", b"s", b"u", b"\x90"])
        if kind == 11:
            return r.choice([b"R", b"\x81", b"\x92", b"b", b"o"])
        if kind == 12:
            return r.choice([b"0", b"1", b"2"])
        if kind == 13:
            return r.choice([b"Q", b"P12\n", b"\x82\x01", b"\x83\x01\0", b"\x84\x01\0\0\0"])
        if kind == 14:
            return b"\x93"
        return bytes([r.randrange(256)]) if r.random() < 0.1 else b"\x80\x04"

    def stream(self) -> bytes:
        for _ in range(self.random.randrange(3, 60)):
            self.out += self.one()
        return b"\x80\x04" + bytes(self.out) + b"."


def seen_by_pickletools(data: bytes) -> set[str]:
    """Names in GLOBAL and INST, up to where even pickletools stops."""
    names = set()
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in ("GLOBAL", "INST"):
                names.add(argument.replace(" ", ".", 1))
    except Exception:
        pass
    return names


class Recorder(pickle._Unpickler):
    """CPython's unpickler in Python, which imports nothing and records what it is asked for."""

    def __init__(self, file):
        super().__init__(file)
        self.names = set()

    def find_class(self, module, name):
        self.names.add(f"{module}.{name}")
        return Anything

    def persistent_load(self, pid):
        return Anything()

    def get_extension(self, code):
        self.append(Anything)


class Anything:
    """May be called, filled and given a state."""

    def __init__(self, *arguments, **keywords):
        pass

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def add(self, item):
        pass

    def __setitem__(self, key, value):
        pass

    def __setstate__(self, state):
        pass


def seen_by_unpickler(data: bytes) -> set[str]:
    recorder = Recorder(io.BytesIO(data))
    try:
        recorder.load()
    except Exception:
        pass
    return recorder.names


def test_the_machine_sees_all_that_python_sees(tmp_path):
    streams = {f"{seed}.pkl": Generator(seed).stream() for seed in range(3000)}
    for name, data in streams.items():
        (tmp_path / name).write_bytes(data)
    _, document, _ = scan(tmp_path, timeout=120)
    answers = {file["file"].split("/")[-1]: {g["name"] for g in file["globals"]} for file in document["files"]}
    checked = 0
    for name, data in streams.items():
        wanted = seen_by_pickletools(data) | seen_by_unpickler(data)
        missing = wanted - answers.get(name, set())
        assert not missing, f"{name}: {missing} not seen in {data!r}"
        checked += len(wanted)
    assert checked > 3000      # the streams do hold something


def test_a_small_file_costs_little(tmp_path):
    count = 500
    for i in range(count):
        (tmp_path / f"{i}.pth").write_bytes(HONEST["checkpoint.pth"])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program.lanthorn(), "scan", tmp_path, "--threads", "1", "--json"], capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < count / 100, f"{seconds:.2f} s for {count} files"     # ten times less than a release build does
