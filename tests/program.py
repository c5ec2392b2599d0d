"""Calls the built program the way its users do, and judges what it answers."""

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = {"float64": 1e-9, "complex128": 1e-9, "float32": 1e-4, "complex64": 1e-4, "float16": 4e-3, "bf16": 2e-2}


def lanthorn() -> str:
    """The program under test: $LANTHORN, else the sanitizer build, else the release build."""
    places = [os.environ.get("LANTHORN"), ROOT / "build/asan/lanthorn", ROOT / "build/release/lanthorn"]
    for place in places:
        if place and Path(place).exists():
            return str(place)
    raise FileNotFoundError("there is no built program; ./dev test builds it")


@dataclass
class Outcome:
    code: int
    stdout: str
    stderr: str
    seconds: float


def call(*arguments, timeout: float = 120, program: str | None = None) -> Outcome:
    """Runs `lanthorn ARGUMENTS`. A crash, a sanitizer's report, our own bug (70) and a hang fail the test at once."""
    command = [program or lanthorn(), *map(str, arguments)]
    start = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"still running after {timeout:g} s: {' '.join(command)}") from None
    outcome = Outcome(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"), time.monotonic() - start)
    assert outcome.code >= 0, f"died of {signal.Signals(-outcome.code).name}: {outcome.stderr[-3000:]}"
    assert "Sanitizer" not in outcome.stderr and "runtime error:" not in outcome.stderr, outcome.stderr[-5000:]
    assert outcome.code != 70, outcome.stderr
    return outcome


def succeed(*arguments, **options) -> Outcome:
    outcome = call(*arguments, **options)
    assert outcome.code == 0, f"exit {outcome.code}: {outcome.stderr[-3000:]}"
    return outcome


def arrays(path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def assert_same(got: dict[str, np.ndarray], want: dict[str, np.ndarray], tolerance: float | None = None) -> None:
    """The same names, dtypes and shapes, and each value within the dtype's tolerance of the array's largest magnitude."""
    assert set(got) == set(want), f"outputs are {sorted(got)}, not {sorted(want)}"
    for name, right in want.items():
        have = got[name]
        assert have.dtype == right.dtype, f"{name} is {have.dtype}, not {right.dtype}"
        assert have.shape == right.shape, f"{name} has shape {have.shape}, not {right.shape}"
        if right.dtype.kind not in "fc" and "__bf16" not in name:
            assert np.array_equal(have, right), f"{name} differs"
            continue
        if "__bf16" in name:
            have, right = ((a.astype(np.uint32) << 16).view(np.float32) for a in (have, right))
        allowed = tolerance or TOLERANCE["bf16" if "__bf16" in name else right.dtype.name]
        wide = np.complex128 if right.dtype.kind == "c" else np.float64
        have, right = have.astype(wide), right.astype(wide)
        finite = np.isfinite(right)
        assert np.array_equal(np.isfinite(have), finite), f"{name}: NaN and infinity are elsewhere"
        assert np.array_equal(have[~finite], right[~finite], equal_nan=True), f"{name}: NaN and infinity differ"
        if finite.any():
            scale = np.abs(right[finite]).max()
            worst = np.abs(have[finite] - right[finite]).max()
            assert worst <= allowed * scale, f"{name} differs by {worst / scale if scale else worst:.3g} of its scale"


def assert_runs_as_recorded(model: Path, reference: Path, folder: Path, tolerance: float | None = None, inputs=None) -> None:
    """`lanthorn run` on the inputs of an .npz gives its other arrays. `inputs`: their names; else in0, in1, ..."""
    recorded = arrays(reference)
    is_input = (lambda name: name in inputs) if inputs is not None else re.compile(r"in\d+(__\w+)?$").match
    given = {name: value for name, value in recorded.items() if is_input(name)}
    want = {name: value for name, value in recorded.items() if name not in given}
    np.savez(folder / "in.npz", **given)
    succeed("run", model, "--inputs", folder / "in.npz", "--outputs", folder / "out.npz")
    assert_same(arrays(folder / "out.npz"), want, tolerance)
