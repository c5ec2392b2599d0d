"""Quantized archives of PyTorch's own quantizer: its answers within a step or two of the output's integers, and none of them off to one side."""

import numpy as np
import pytest
import torch
import torch.ao.quantization as quantization
from torch import nn

import program

ENGINES = [name for name in ("qnnpack",) if name in torch.backends.quantized.supported_engines]


class Net(nn.Module):
    def __init__(self, upsample: bool):
        super().__init__()
        self.quant, self.dequant = quantization.QuantStub(), quantization.DeQuantStub()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.second = nn.Conv2d(8, 8, 3, groups=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2) if upsample else nn.Conv2d(8, 4, 1)
        self.act, self.head = nn.Hardswish(), nn.Linear(4, 6)
        self.add = torch.ao.nn.quantized.FloatFunctional()

    def forward(self, x):
        x = self.first(self.quant(x))
        x = self.add.add_relu(x, self.second(x))
        x = nn.functional.max_pool2d(self.act(self.up(x)), 2)
        x = torch.cat([x, x.flip(3)], 2).mean([2, 3])
        return self.dequant(self.head(x))


def assert_close(have: np.ndarray, want: np.ndarray) -> None:
    scale = np.abs(want).max()
    assert have.shape == want.shape and have.dtype == want.dtype
    apart = have.astype(np.float64) - want.astype(np.float64)
    assert np.abs(apart).max() <= 2e-2 * scale
    assert abs(apart.mean()) <= 4e-3 * scale


def judge(script, inputs, tmp_path) -> None:
    script.save(tmp_path / "net.pt")
    with torch.no_grad():
        want = script(*inputs)
    np.savez(tmp_path / "in.npz", **{f"in{i}": x.numpy() for i, x in enumerate(inputs)})
    program.succeed("run", tmp_path / "net.pt", "--inputs", tmp_path / "in.npz", "--outputs", tmp_path / "out.npz")
    got = program.arrays(tmp_path / "out.npz")
    for i, tensor in enumerate(want if isinstance(want, tuple) else (want,)):
        assert_close(got[f"out{i}"], np.array(tensor))


@pytest.mark.parametrize("upsample", [False, True], ids=["plain", "upsample"])
@pytest.mark.parametrize("way", ["trace", "script"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_statically_quantized_network(engine, way, upsample, tmp_path):
    torch.backends.quantized.engine = engine
    torch.manual_seed(0)
    net = Net(upsample).eval()
    net.qconfig = quantization.get_default_qconfig(engine)
    if upsample:
        net.up.qconfig = quantization.QConfig(activation=net.qconfig.activation, weight=quantization.default_weight_observer)
    net = quantization.fuse_modules(net, [["first.0", "first.1", "first.2"]])
    ready = quantization.prepare(net)
    with torch.no_grad():
        for _ in range(8):
            ready(torch.randn(4, 3, 12, 12))
        made = quantization.convert(ready)
        x = torch.randn(2, 3, 12, 12)
        judge(torch.jit.trace(made, (x,)) if way == "trace" else torch.jit.script(made), (x,), tmp_path)


class Words(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn, self.head = kind(8, 16, 2, bidirectional=True, batch_first=True), nn.Linear(32, 5)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


# QNNPACK has no half precision.
DYNAMIC = [(engine, torch.qint8) for engine in ENGINES] + [("fbgemm", torch.float16)] * ("fbgemm" in torch.backends.quantized.supported_engines)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU], ids=["lstm", "gru"])
@pytest.mark.parametrize("engine, dtype", DYNAMIC, ids=[f"{engine}-{dtype}" for engine, dtype in DYNAMIC])
def test_a_dynamically_quantized_network(engine, dtype, kind, tmp_path):
    torch.backends.quantized.engine = engine
    torch.manual_seed(0)
    made = quantization.quantize_dynamic(Words(kind).eval(), {kind, nn.Linear}, dtype)
    judge(torch.jit.script(made), (torch.randn(3, 7, 8),), tmp_path)


def test_operators_on_quantized_tensors(tmp_path):
    class Parts(nn.Module):
        def forward(self, x: torch.Tensor):
            q = torch.quantize_per_tensor(x, 0.05, 10, torch.quint8)
            y = q.reshape(4, 6).transpose(0, 1)[1:5].relu()
            z = torch.cat([y, y.clamp(0.0, 1.0)], 1).sigmoid()
            w = torch.quantize_per_channel(x, torch.tensor([0.02, 0.05, 0.1]), torch.tensor([0, 3, -2]), 1, torch.qint8)
            return z.dequantize(), w.dequantize(), q.int_repr(), q.q_scale(), q.q_zero_point(), w.q_per_channel_scales()

    judge(torch.jit.script(Parts()), (torch.randn(2, 3, 4) * 3,), tmp_path)
