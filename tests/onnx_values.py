"""Values of ONNX models as entries of .npz files, as docs/interface.md says for `lanthorn run`."""

import re
from pathlib import Path

import ml_dtypes
import numpy as np

# dtypes that NumPy does not have: the suffix of the entry's name, and how many of its bits count.
BITS = {
    "bfloat16": ("bf16", 16),
    "float8_e4m3fn": ("f8e4m3fn", 8),
    "float8_e4m3fnuz": ("f8e4m3fnuz", 8),
    "float8_e5m2": ("f8e5m2", 8),
    "float8_e5m2fnuz": ("f8e5m2fnuz", 8),
    "float8_e8m0fnu": ("f8e8m0", 8),
    "float6_e2m3fn": ("f6e2m3", 6),
    "float6_e3m2fn": ("f6e3m2", 6),
    "float4_e2m1fn": ("f4e2m1", 4),
    "int4": ("i4", 4),
    "uint4": ("u4", 4),
    "int2": ("i2", 2),
    "uint2": ("u2", 2),
}


def missing_operators() -> list[str]:
    """The operators that tests/onnx_operators_missing.txt lists."""
    lines = Path(__file__).with_name("onnx_operators_missing.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def waits_for(answer: dict, missing: list[str]) -> bool:
    """Whether this answer of `run --batch` says that operators are not supported, all of which are known to be missing."""
    if answer["exit"] != 4:
        return False
    told = re.match(r"operators that are not supported: (.*)", answer["error"])
    return told is not None and set(re.sub(r" \(at [^)]*\)", "", told[1]).split(", ")) <= set(missing)


def entries(name: str, value) -> dict[str, np.ndarray]:
    """The entries that hold `value`: a tensor, a list, a dict or None."""
    if value is None:
        return {}
    if isinstance(value, list):
        if not value:
            return {f"{name}#": np.zeros(0, np.float32)}
        found = {}
        for i, item in enumerate(value):
            found |= entries(f"{name}#{i}", item)
        return found
    if isinstance(value, dict):
        return {f"{name}@keys": np.array(list(value)), f"{name}@values": np.array(list(value.values()))}
    array = np.asarray(value)
    if array.dtype == object:
        return {name: array.astype(str)}
    if array.dtype.name not in BITS:
        return {name: array}
    suffix, bits = BITS[array.dtype.name]
    raw = array.view(np.uint16 if bits == 16 else np.uint8)
    return {f"{name}__{suffix}": raw & np.array((1 << bits) - 1, raw.dtype)}


def plain(name: str, array: np.ndarray) -> np.ndarray:
    """An entry with the numbers that it stands for: bits become floats or integers."""
    for dtype, (suffix, bits) in BITS.items():
        if not name.endswith(f"__{suffix}"):
            continue
        if dtype in ("int4", "int2"):
            return (array << (8 - bits)).view(np.int8) >> (8 - bits)
        if dtype in ("uint4", "uint2"):
            return array
        return array.view(getattr(ml_dtypes, dtype)).astype(np.float64)
    return array


def difference(have: dict[str, np.ndarray], want: dict[str, np.ndarray], rtol: float, atol: float) -> str | None:
    """What differs, or None. Numbers are compared as ONNX's own test runner does: |have - want| <= atol + rtol * |want|, with two
    units in the last place for bfloat16."""
    if set(have) != set(want):
        return f"entries are {sorted(have)}, not {sorted(want)}"
    for name, right in want.items():
        left = have[name]
        if left.shape != right.shape or (left.dtype != right.dtype and right.dtype.kind != "U"):
            return f"{name} is {left.dtype}{list(left.shape)}, not {right.dtype}{list(right.shape)}"
        allowed = max(rtol, 2**-6) if name.endswith("__bf16") else rtol
        left, right = plain(name, left), plain(name, right)
        if right.dtype.kind not in "fc":
            if not np.array_equal(left, right):
                return f"{name} differs"
        elif not np.allclose(left, right, rtol=allowed, atol=atol, equal_nan=True):
            return f"{name} differs by {np.nanmax(np.abs(left.astype(np.complex128) - right.astype(np.complex128))):.3g}"
    return None
