"""`inspect --cost` beside PyTorch's own count of what a model computes."""

import json

import pytest

import program

torch = pytest.importorskip("torch")
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402


class Products(torch.nn.Module):
    def forward(self, x):
        return torch.bmm(x, x.transpose(1, 2)) @ x


class Attention(torch.nn.Module):
    def forward(self, x):
        return torch.nn.functional.scaled_dot_product_attention(x, x, x)


CASES = {
    "linear": (torch.nn.Linear(7, 5), (3, 7)),
    "convolution": (torch.nn.Conv2d(6, 8, 3, stride=2, padding=1, groups=2), (2, 6, 11, 9)),
    "convolution_1d": (torch.nn.Conv1d(4, 6, 5), (2, 4, 30)),
    "transposed_convolution": (torch.nn.ConvTranspose2d(6, 4, 3, stride=2), (2, 6, 7, 5)),
    "products": (Products(), (2, 5, 7)),
    "attention": (Attention(), (2, 3, 6, 8)),
    "convolutions": (torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 4, 1), torch.nn.Flatten(), torch.nn.Linear(4 * 6 * 6, 10)), (2, 3, 8, 8)),
}


@pytest.mark.parametrize("name", CASES)
def test_operations_are_those_that_pytorch_counts(name, tmp_path):
    model, shape = CASES[name]
    model, x = model.eval(), torch.randn(shape)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        model(x)
    torch.jit.trace(model, x, check_trace=False).save(tmp_path / "model.pt")
    (given,) = json.loads(program.succeed("inspect", "--json", tmp_path / "model.pt").stdout)["inputs"]
    sizes = f"{given['name']}:{','.join(map(str, shape))}"
    told = json.loads(program.succeed("inspect", "--cost", "--json", tmp_path / "model.pt", "--input-shape", sizes).stdout)
    assert told["operations"] == counter.get_total_flops() > 0  # both count a product and its sum as two, and here is nothing else
    assert told["activation_bytes"] >= 4 * x.numel()
