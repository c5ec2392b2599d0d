#!/usr/bin/env python3
"""Writes the committed reference files: small files by PyTorch, safetensors and NumPy, with what PyTorch says about them beside each.

    make.py [FOLDER]

NAME.KIND.pt with NAME.KIND.npz: a program, inputs in0, in1, ... and outputs out0, out1, ... of the archive as PyTorch loads it again.
NAME.tensors.json: name, dtype, shape, stride and SHA-256 of every tensor of the file that `file` names.
"""

import hashlib
import json
import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

PROGRAMS = {}


def program(*shapes, kinds=("trace", "script")):
    def register(cls):
        PROGRAMS[cls.__name__] = (cls, shapes, kinds)
        return cls
    return register


@program((2, 12))
class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 5))

    def forward(self, x):
        return self.layers(x)


@program((2, 3, 9, 7))
class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        y = F.relu6(self.bn(self.conv(x)))
        y = y + F.silu(self.depthwise(y))
        return F.softmax(self.head(F.adaptive_avg_pool2d(y, 1).flatten(1)), dim=-1)


@program((1, 2, 8, 8))
class Pools(nn.Module):
    def forward(self, x):
        a = F.max_pool2d(x, 3, 2, 1, ceil_mode=True)
        b = F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)
        return torch.cat([a, b], 1), F.adaptive_max_pool2d(x, 3)


@program((2, 5, 8))
class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        y = self.norm(x)
        out = self.attention(y, y, y, need_weights=False)[0]
        return x + F.gelu(out)


@program((3, 4))
class Views(nn.Module):
    def forward(self, x):
        y = x.clone()
        y[:, 1] = 0.0
        y[0].mul_(2.0)
        z = y.t().reshape(2, 6)
        return y, z.chunk(2, dim=1)[1], y.unsqueeze(0).expand(2, 3, 4).permute(2, 0, 1)


@program((2, 6), kinds=("script",))
class Language(nn.Module):
    names: list[str]

    def __init__(self):
        super().__init__()
        self.names = ["a", "b", "c"]
        self.scale = 3
        self.layers = nn.ModuleList([nn.Linear(6, 6) for _ in range(3)])

    def choose(self, x: torch.Tensor, flag: bool, weight: float | None = None) -> torch.Tensor:
        if weight is not None:
            x = x * weight
        return x.tanh() if flag else x.sigmoid()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        found: dict[str, torch.Tensor] = {}
        total = torch.zeros_like(x)
        for index, layer in enumerate(self.layers):
            total = total + self.choose(layer(x), index % 2 == 0, None if index == 0 else 0.5 * index)
            found[self.names[index] + "_" + str(index)] = total
        steps = 0
        while steps < x.size(0) + self.scale:
            steps += 2
        values = [i * i for i in range(4)]
        if x.dim() == 2 and len(values) == 4:
            total = total / (steps + values[-1])
        return total, found


@program((2, 3), (2, 3))
class Promotion(nn.Module):
    def forward(self, x, y):
        whole = torch.floor(x * 4).to(torch.int64)
        return whole / 2, whole * 2, (x > y) & (y < 0.5), whole.to(torch.float16) + 1, torch.where(x > y, x, 1.0), x // 0.3


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for part in (value.values() if isinstance(value, dict) else value) for t in flat(part)]


def write_programs(folder: Path) -> None:
    for name, (cls, shapes, kinds) in PROGRAMS.items():
        torch.manual_seed(3)
        net = cls().eval()
        for buffer in net.buffers():
            if buffer.dtype == torch.float32:
                buffer.uniform_(0.5, 1.5)
        inputs = [torch.randn(shape) for shape in shapes]
        for kind in kinds:
            made = torch.jit.trace(net, tuple(inputs), check_trace=False) if kind == "trace" else torch.jit.script(net)
            path = folder / f"{name}.{kind}.pt"
            made.save(str(path))
            with torch.no_grad():
                outputs = flat(torch.jit.load(str(path))(*inputs))
            np.savez(path.with_suffix(".npz"), **{f"in{i}": t.numpy() for i, t in enumerate(inputs)}, **{f"out{i}": t.numpy() for i, t in enumerate(outputs)})


def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    base = torch.randn(4, 6)
    every = {str(dtype).removeprefix("torch."): torch.arange(6).reshape(2, 3).to(dtype) for dtype in
             (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)}
    return {"weight": base, "transposed": base.t(), "row": base[2], "scalar": torch.tensor(1.5), "empty": torch.empty(0, 3), **every}


def facts(tensors: dict[str, torch.Tensor], file: str) -> str:
    def entry(name, tensor):
        whole = tensor.contiguous()
        data = (whole.view(torch.uint8) if whole.dim() and whole.numel() else whole.reshape(-1).view(torch.uint8) if whole.numel() else whole.reshape(-1).to(torch.uint8)).numpy().tobytes()
        return {"name": name, "dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape), "stride": list(tensor.stride()),
                "sha256": hashlib.sha256(data).hexdigest()}
    return json.dumps({"file": file, "tensors": [entry(*item) for item in tensors.items()]}, indent=1) + "\n"


def write_states(folder: Path) -> None:
    tensors = state()
    forms = {
        "state_zip.pth": lambda path: torch.save(tensors, path),
        "state_legacy.pth": lambda path: torch.save(tensors, path, _use_new_zipfile_serialization=False),
        "state_protocol4.pth": lambda path: torch.save(tensors, path, pickle_protocol=4, pickle_module=pickle),
    }
    for name, write in forms.items():
        write(folder / name)
        (folder / f"{name}.tensors.json").write_text(facts(tensors, name))
    plain = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    save_file(plain, folder / "state.safetensors", metadata={"format": "pt"})
    (folder / "state.safetensors.tensors.json").write_text(facts(plain, "state.safetensors"))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write_programs(target)
    write_states(target)
