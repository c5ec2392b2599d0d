#!/usr/bin/env python3
"""Writes broken and malicious model files, each as NAME.EXT, made by hand byte by byte (a payload is never more than an echo).

    make.py FOLDER      # files() in Python
"""

import io
import json
import pickle
import struct
import sys
import zipfile
import zlib
from pathlib import Path

CORRUPT = (3,)
ANY = (0, 1, 3, 4)          # whatever the answer is, it is an answer
CANARY = "canary-42"        # what a payload would print; the text of the payload spells it differently
PAYLOAD = "echo canary-$((41+1))"


def archive(members: dict[str, bytes], stored: bool = True) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def checkpoint(data_pkl: bytes, **others: bytes) -> bytes:
    return archive({"archive/data.pkl": data_pkl, "archive/byteorder": b"little", "archive/version": b"3\n", **others})


def script(source: str, data_pkl: bytes) -> bytes:
    return archive({"m/data.pkl": data_pkl, "m/code/__torch__.py": source.encode(), "m/constants.pkl": b"\x80\x02).", "m/version": b"3\n"})


def calls(module: str, name: str, argument: str) -> bytes:
    """A pickle that would call module.name(argument)."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"X" + struct.pack("<I", len(argument)) + argument.encode() + b"\x85R."


def tensor(numel: int, offset: int, size: tuple, stride: tuple, dtype: str = "FloatStorage", key: str = "0") -> bytes:
    """The pickle of {"w": tensor} whose storage is the member data/KEY."""
    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value) if -2**31 <= value < 2**31 else b"\x8a\x08" + struct.pack("<q", value)

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def numbers(values: tuple) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    storage = b"(" + text("storage") + b"ctorch\n" + dtype.encode() + b"\n" + text(key) + text("cpu") + number(numel) + b"tQ"
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + numbers(size) + numbers(stride) + b"\x89ccollections\nOrderedDict\n)RtR"
    return b"\x80\x02}" + text("w") + rebuilt + b"s."


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def safetensors(header, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def nested_onnx(depth: int) -> bytes:
    """A graph in an attribute of a node in a graph, and so on."""
    graph = field(2, b"g")
    for _ in range(depth):
        attribute = field(1, b"then_branch") + field(6, graph) + varint(20 << 3) + varint(5)
        node = field(4, b"If") + field(5, attribute)
        graph = field(1, node) + field(2, b"g")
    return varint(1 << 3) + varint(8) + field(7, graph)


def onnx_tensor(dims: list[int], raw: bytes = b"", external: dict[str, str] | None = None) -> bytes:
    entry = b"".join(varint(1 << 3) + varint(d & (1 << 64) - 1) for d in dims) + varint(2 << 3) + varint(1) + field(8, b"w")
    if external is None:
        entry += field(9, raw)
    else:
        entry += b"".join(field(13, field(1, key.encode()) + field(2, value.encode())) for key, value in external.items())
        entry += varint(14 << 3) + varint(1)
    return varint(1 << 3) + varint(8) + field(7, field(2, b"g") + field(5, entry)) + field(8, varint(2 << 3) + varint(17))


def zip_with(change) -> bytes:
    data = bytearray(checkpoint(tensor(4, 0, (4,), (1,)), **{"archive/data/0": bytes(16)}))
    change(data)
    return bytes(data)


def patch(signature: bytes, offset: int, value: bytes, last: bool = False):
    def change(data: bytearray) -> None:
        at = (data.rfind if last else data.find)(signature) + offset
        data[at:at + len(value)] = value
    return change


def bomb() -> bytes:
    """Deflated zeros that would be 4 GB, by a member whose sizes lie."""
    return archive({"archive/data.pkl": bytes(64 << 20)}, stored=False)


def files() -> dict[str, tuple[bytes, tuple[int, ...]]]:
    """NAME.EXT -> (bytes, the exit codes that `inspect` may answer with)."""
    good = checkpoint(tensor(4, 0, (4,), (1,)), **{"archive/data/0": bytes(16)})
    end, central = b"PK\x05\x06", b"PK\x01\x02"
    made = {
        "good.pth": (good, (0,)),
        "empty.pt": (b"", CORRUPT),
        "one_byte.pt": (b"P", CORRUPT + (4,)),
        "text.pt": (b"this is no model\n" * 40, (3, 4)),
        "zeros.onnx": (bytes(1000), (3, 4)),
        "ones.onnx": (b"\xff" * 1000, (3, 4)),
        "zip_cut_in_half.pth": (good[:len(good) // 2], CORRUPT),
        "zip_directory_past_the_end.pth": (zip_with(patch(end, 16, struct.pack("<I", 0xFFFF0000))), CORRUPT),
        "zip_too_many_entries.pth": (zip_with(patch(end, 8, struct.pack("<HH", 0xFFFE, 0xFFFE))), CORRUPT),
        "zip_size_past_the_end.pth": (zip_with(patch(central, 20, struct.pack("<II", 0x7FFFFFF0, 0x7FFFFFF0))), CORRUPT),
        "zip_offset_past_the_end.pth": (zip_with(patch(central, 42, struct.pack("<I", 0x7FFFFFF0))), CORRUPT),
        "zip_name_past_the_end.pth": (zip_with(patch(central, 28, struct.pack("<H", 0xFFF0))), CORRUPT),
        "zip_wrong_crc.pth": (zip_with(patch(central, 16, b"\1\2\3\4")), CORRUPT),
        "zip_encrypted.pth": (zip_with(patch(central, 8, b"\1\0")), (3, 4)),
        "zip_strange_method.pth": (zip_with(patch(central, 10, b"\x63\0")), (3, 4)),
        "zip_same_name_twice.pth": (duplicate(), CORRUPT),
        "zip_name_climbs_out.pth": (checkpoint(tensor(4, 0, (4,), (1,)), **{"archive/data/0": bytes(16), "../../etc/evil": b"x"}), ANY),
        "zip_bomb.pth": (bomb(), CORRUPT),
        "zip_only_directory.pth": (b"PK\x05\x06" + bytes(18), CORRUPT),
        "pickle_calls_system.pth": (checkpoint(calls("os", "system", PAYLOAD)), ANY),
        "pickle_calls_posix.pth": (checkpoint(calls("posix", "system", PAYLOAD)), ANY),
        "pickle_calls_eval.pth": (checkpoint(calls("builtins", "eval", f"__import__('os').system({PAYLOAD!r})")), ANY),
        "pickle_plain_calls_system.pkl": (calls("os", "system", PAYLOAD), ANY),
        "pickle_stack_underflow.pth": (checkpoint(b"\x80\x02R."), CORRUPT),
        "pickle_no_stop.pth": (checkpoint(b"\x80\x02}"), CORRUPT),
        "pickle_unknown_opcode.pth": (checkpoint(b"\x80\x02\xff."), CORRUPT),
        "pickle_missing_memo.pth": (checkpoint(b"\x80\x02h\x07."), CORRUPT),
        "pickle_long_string.pth": (checkpoint(b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x."), CORRUPT),
        "pickle_negative_length.pth": (checkpoint(b"\x80\x02T\xff\xff\xff\xffx."), CORRUPT),
        "pickle_huge_integer.pth": (checkpoint(b"\x80\x02\x8b\xff\xff\xff\x7f."), CORRUPT),
        "pickle_deep_lists.pth": (checkpoint(b"\x80\x02" + b"](" * 200000 + b"N" + b"e" * 200000 + b"."), ANY),
        "pickle_deep_tuples.pth": (checkpoint(b"\x80\x02N" + b"\x85" * 500000 + b"."), ANY),
        "pickle_billion_laughs.pth": (checkpoint(b"\x80\x02]q\0(NNe" + b"".join(b"]q" + bytes([i + 1]) + b"(" + (b"h" + bytes([i])) * 10 + b"e" for i in range(40)) + b"."), ANY),
        "pickle_list_holds_itself.pth": (checkpoint(b"\x80\x02]q\0h\0a."), ANY),
        "pickle_dict_holds_itself.pth": (checkpoint(b"\x80\x02}q\0X\1\0\0\0ah\0s."), ANY),
        "pickle_many_marks.pth": (checkpoint(b"\x80\x02" + b"(" * 3000000 + b"."), CORRUPT),
        "tensor_past_its_storage.pth": (checkpoint(tensor(4, 0, (5,), (1,)), **{"archive/data/0": bytes(16)}), CORRUPT),
        "tensor_offset_past_its_storage.pth": (checkpoint(tensor(4, 1 << 40, (4,), (1,)), **{"archive/data/0": bytes(16)}), CORRUPT),
        "tensor_negative_size.pth": (checkpoint(tensor(4, 0, (-4,), (1,)), **{"archive/data/0": bytes(16)}), CORRUPT),
        "tensor_negative_stride.pth": (checkpoint(tensor(4, 3, (4,), (-1,)), **{"archive/data/0": bytes(16)}), CORRUPT),
        "tensor_size_overflows.pth": (checkpoint(tensor(4, 0, (1 << 33, 1 << 33), (1, 1)), **{"archive/data/0": bytes(16)}), CORRUPT),
        "tensor_huge_by_zero_stride.pth": (checkpoint(tensor(4, 0, (1 << 40,), (0,)), **{"archive/data/0": bytes(16)}), ANY),
        "tensor_without_storage.pth": (checkpoint(tensor(4, 0, (4,), (1,), key="7"), **{"archive/data/0": bytes(16)}), (3, 5)),
        "tensor_sizes_without_strides.pth": (checkpoint(tensor(4, 0, (2, 2), (1,)), **{"archive/data/0": bytes(16)}), CORRUPT),
        "tensor_storage_too_short.pth": (checkpoint(tensor(400, 0, (400,), (1,)), **{"archive/data/0": bytes(16)}), CORRUPT),
        "script_broken_source.pt": (script("class M(Module):\n  def forward(self: __torch__.M, x: Tensor -> Tensor:\n    return x\n", module("M")), (0, 3)),
        "script_deep_parentheses.pt": (script("class M(Module):\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return " + "(" * 100000 + "x" + ")" * 100000 + "\n", module("M")), (0, 3)),
        "script_calls_itself.pt": (script("class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return (self).forward(x, )\n", module("M")), (0, 3, 4)),
        "script_loops_for_ever.pt": (script("class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    y = x\n    for i in range(9223372036854775807):\n      y = torch.add(y, x)\n    return y\n", module("M")), (0, 3, 4)),
        "script_no_such_class.pt": (script("class M(Module):\n  pass\n", module("Missing")), (0, 3)),
        "safetensors_header_past_the_end.safetensors": (safetensors({}, length=1 << 60), CORRUPT),
        "safetensors_header_is_no_json.safetensors": (safetensors(b'{"a": [1, 2'), CORRUPT),
        "safetensors_deep_header.safetensors": (safetensors(b'{"a":' + b"[" * 200000 + b"]" * 200000 + b"}"), CORRUPT),
        "safetensors_data_past_the_end.safetensors": (safetensors({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, bytes(8)), CORRUPT),
        "safetensors_size_and_shape_differ.safetensors": (safetensors({"a": {"dtype": "F32", "shape": [5], "data_offsets": [0, 16]}}, bytes(16)), CORRUPT),
        "safetensors_overlap.safetensors": (safetensors({n: {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} for n in "ab"}, bytes(16)), CORRUPT),
        "safetensors_offsets_backwards.safetensors": (safetensors({"a": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}}, bytes(16)), CORRUPT),
        "safetensors_shape_overflows.safetensors": (safetensors({"a": {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 16]}}, bytes(16)), CORRUPT),
        "onnx_deep_subgraphs.onnx": (nested_onnx(3000), CORRUPT + (4,)),
        "onnx_length_past_the_end.onnx": (varint(1 << 3) + varint(8) + varint(7 << 3 | 2) + varint(1 << 40) + b"x", CORRUPT),
        "onnx_endless_varint.onnx": (b"\x08" + b"\x80" * 64, CORRUPT),
        "onnx_tensor_too_short.onnx": (onnx_tensor([1000, 1000], bytes(16)), CORRUPT),
        "onnx_tensor_dims_overflow.onnx": (onnx_tensor([1 << 40, 1 << 40], bytes(16)), CORRUPT),
        "onnx_tensor_negative_dim.onnx": (onnx_tensor([-4], bytes(16)), CORRUPT),
        "onnx_external_data_elsewhere.onnx": (onnx_tensor([4], external={"location": "../../../../etc/passwd", "offset": "0", "length": "16"}), (3, 4)),
        "onnx_external_data_absolute.onnx": (onnx_tensor([4], external={"location": "/etc/passwd", "offset": "0", "length": "16"}), (3, 4)),
        "onnx_external_data_missing.onnx": (onnx_tensor([4], external={"location": "weights.bin"}), (3, 5)),
        "npy_header_past_the_end.npy": (b"\x93NUMPY\1\0\xff\xff{'descr': '<f4'}", CORRUPT + (4,)),
        "npy_object_array.npy": (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps([1])), (3, 4)),
        "npy_shape_overflows.npy": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 16), }", bytes(16)), CORRUPT),
    }
    return made


def npy(header: str, data: bytes) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + data


def duplicate() -> bytes:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            for data in (tensor(4, 0, (4,), (1,)), calls("os", "system", PAYLOAD)):
                file.writestr("archive/data.pkl", data)
            file.writestr("archive/data/0", bytes(16))
            file.writestr("archive/version", b"3\n")
        return buffer.getvalue()


def module(name: str) -> bytes:
    """The pickle of an object of class __torch__.NAME with one attribute."""
    return b"\x80\x02c__torch__\n" + name.encode() + b"\n)\x81}X\x08\0\0\0training\x89sb."


def damaged(data: bytes, count: int):
    """(what was done, bytes): truncations and flipped bits all over a sound file, always the same ones."""
    for step in range(count):
        yield f"cut{step}", data[:len(data) * step // count]
    state = zlib.crc32(data[:64])
    for step in range(count):
        changed = bytearray(data)
        for _ in range(1 + step % 3):
            state = (state * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
            at = (state >> 33) % len(data)
            changed[at] ^= 1 << (state >> 20) % 8
        yield f"flip{step}", bytes(changed)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for file_name, (content, _) in files().items():
        (target / file_name).write_bytes(content)
