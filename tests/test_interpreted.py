"""Scripted programs whose way depends on the data of tensors: PyTorch's own answers, on inputs that go every way."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import program

torch.manual_seed(3)
UP, DOWN = torch.full((3, 4), 0.7), torch.full((3, 4), -0.7)
MIXED = torch.randn(3, 4)


class IfOnSum(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:
            return x * 2
        return x - 1


class Elif(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        mean = float(x.mean())
        if mean > 0.5:
            y = x.relu()
        elif mean < -0.5:
            y = x.sigmoid() + mean
        else:
            y = x.tanh()
        return y


class Halving(nn.Module):
    def forward(self, x: Tensor):
        steps = 0
        y = x
        while bool(y.abs().max() > 0.1):
            y = y / 2
            steps += 1
        return y, steps


class BreakAndContinue(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        total = torch.zeros(4)
        for row in x:
            if bool(row[0] < 0):
                continue
            total += row
            if bool(total.sum() > 4):
                break
        return total


class Chosen(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(4, 5), nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 5))

    def forward(self, x: Tensor) -> Tensor:
        rows: list[Tensor] = []
        for i in range(x.size(0)):
            row = x[i : i + 1]
            rows.append(self.left(row) if bool(row.sum() > 0) else self.right(row))
        return torch.cat(rows)


class Numbers(nn.Module):
    def forward(self, x: Tensor):
        most = int(x.argmax())
        listed: list[float] = x.flatten().tolist()
        text = f"{most}"
        return x.flatten()[most], x[: most % 3 + 1], len(listed), sum(listed), len(text), bool(x[0, 0] > 0)


class SizesOfData(nn.Module):
    def forward(self, x: Tensor):
        kept = x[x > 0]
        if kept.numel() == 0:
            return kept, torch.zeros(1)
        half = kept[: kept.size(0) // 2]
        return torch.cat([half, kept]).view(-1, 1), torch.ones(kept.numel(), 2)


class Grouped(nn.Module):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        out: dict[str, Tensor] = {}
        for group in torch.unique((x * 2).round().to(torch.int64)):
            mask = (x * 2).round().to(torch.int64) == group
            out[str(int(group))] = x[mask].sum()
        return out


class InPlace(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x.clone()
        for i in range(y.size(0)):
            if bool(y[i].sum() > 0):
                y[i] *= 2
            else:
                y[i, 1:3] = 7.0
        return y


class Greedy(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.cell, self.head = nn.Embedding(9, 6), nn.GRUCell(6, 6), nn.Linear(6, 9)

    def forward(self, x: Tensor) -> Tensor:
        hidden = x[:, :1].expand(3, 6)
        token = torch.ones(3, dtype=torch.int64)
        tokens = [token]
        while len(tokens) < 12:
            hidden = self.cell(self.embed(token), hidden)
            token = self.head(hidden).argmax(-1)
            if bool((token == 0).all()):
                break
            tokens.append(token)
        return torch.stack(tokens, 1)


class Guarded(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if bool(x.isnan().any()):
            raise ValueError("numbers are missing")
        assert bool(x.abs().max() < 1e3), "too large"
        return x.log1p()


class Unpadded(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(4, 5, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor):
        lengths = (x[:, 0] > 0).to(torch.int64) * 2 + 1
        packed = nn.utils.rnn.pack_padded_sequence(x.unsqueeze(1).expand(3, 4, 4), lengths, True, False)
        y, (h, c) = self.rnn(packed)
        out, sizes = nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
        return out, sizes, h, c


PROGRAMS = [IfOnSum, Elif, Halving, BreakAndContinue, Chosen, Numbers, SizesOfData, Grouped, InPlace, Greedy, Guarded, Unpadded]


def flat(value) -> list:
    if isinstance(value, Tensor):
        return [value.numpy()]
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, (tuple, list)) or hasattr(value, "__next__") or not isinstance(value, (bool, int, float)):
        return [array for item in value for array in flat(item)]
    return [np.array(value)]


@pytest.mark.parametrize("inputs", [UP, DOWN, MIXED], ids=["up", "down", "mixed"])
@pytest.mark.parametrize("kind", PROGRAMS, ids=lambda kind: kind.__name__)
def test_a_program_goes_the_way_that_its_data_says(kind, inputs, tmp_path):
    torch.manual_seed(5)
    script = torch.jit.script(kind().eval())
    script.save(tmp_path / "program.pt")
    with torch.no_grad():
        want = {f"out{i}": array for i, array in enumerate(flat(script(inputs)))}
    np.savez(tmp_path / "in.npz", in0=inputs.numpy())
    program.succeed("run", tmp_path / "program.pt", "--inputs", tmp_path / "in.npz", "--outputs", tmp_path / "out.npz")
    program.assert_same(program.arrays(tmp_path / "out.npz"), want)


def test_an_exception_that_the_data_raises_is_the_answer(tmp_path):
    torch.jit.script(Guarded()).save(tmp_path / "program.pt")
    np.savez(tmp_path / "in.npz", in0=np.full((3, 4), np.nan, np.float32))
    done = program.call("run", tmp_path / "program.pt", "--inputs", tmp_path / "in.npz", "--outputs", tmp_path / "out.npz")
    assert done.code == 2 and "numbers are missing" in done.stderr, done.stderr


class Endless(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x
        while bool(y.sum() < 1e30):
            y = y * 1.0
        return y


def test_a_loop_that_never_ends_is_stopped(tmp_path):
    torch.jit.script(Endless()).save(tmp_path / "program.pt")
    np.savez(tmp_path / "in.npz", in0=UP.numpy())
    done = program.call("run", tmp_path / "program.pt", "--inputs", tmp_path / "in.npz", "--outputs", tmp_path / "out.npz", timeout=60)
    assert done.code == 3 and "too long" in done.stderr, done.stderr


def test_operators_that_are_missing_are_listed_beside_what_the_data_decides(tmp_path):
    class Both(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if bool(x.sum() > 0):
                return torch.special.zeta(x, x)
            return torch.special.bessel_j0(x)

    torch.jit.script(Both()).save(tmp_path / "program.pt")
    np.savez(tmp_path / "in.npz", in0=UP.numpy())
    done = program.call("run", tmp_path / "program.pt", "--inputs", tmp_path / "in.npz", "--outputs", tmp_path / "out.npz")
    assert done.code == 4 and "special_zeta" in done.stderr and "special_bessel_j0" in done.stderr, done.stderr
