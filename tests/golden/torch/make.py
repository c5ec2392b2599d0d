"""Writes the files beside it with PyTorch, and for each what its tensors are:
name, dtype, shape and stride, CRC-32 of the elements in C order, separated by tabs.

    python make.py          (PyTorch 2.13, NumPy 2)
"""
import collections, io, pathlib, pickle, zlib
import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
torch.manual_seed(7)


def raw(tensor):
    tensor = tensor.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    tensor = tensor.resolve_conj().resolve_neg().contiguous()
    return bytes(tensor.view(-1).view(torch.uint8).numpy()) if tensor.numel() else b""


def truth(name, tensors):
    lines = []
    for key, tensor in tensors.items():
        stride = tuple(tensor.stride()) if tensor.layout == torch.strided else "-"
        text = lambda sizes: sizes if sizes == "-" else "[" + ", ".join(map(str, sizes)) + "]"
        dtype = str(tensor.dtype).removeprefix("torch.")
        lines.append(f"{key}\t{dtype}\t{text(tuple(tensor.shape))}\t{text(stride)}\t{zlib.crc32(raw(tensor)):08x}\n")
    (HERE / f"{name}.tsv").write_text("".join(lines))


def save(name, value, tensors, **options):
    torch.save(value, HERE / name, **options)
    truth(name, tensors)


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)
        self.register_buffer("scale", torch.full((2,), 0.5), persistent=False)
        self.tied = self.fc


net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
state = net.state_dict()
save("state.pth", state, state)
save("state_legacy.pth", state, state, _use_new_zipfile_serialization=False)
save("state_legacy_p4.pth", state, state, _use_new_zipfile_serialization=False, pickle_protocol=4)
(HERE / "state_plain.pkl").write_bytes(pickle.dumps(dict(state), protocol=4))
truth("state_plain.pkl", state)

base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
views = {"base": base, "row": base[1], "column": base[:, 2], "turned": base.t(), "step": base[::2, 1::2],
         "spread": torch.ones(1).expand(3, 4), "empty": torch.empty(0, 5), "scalar": torch.tensor(2.5)}
save("views.pth", views, views)

complexes = torch.tensor([[1 + 2j, 3 - 4j], [-5j, 6]], dtype=torch.complex64)
bits = {"conj": complexes.conj(), "turned": complexes.conj().t(), "neg": complexes.clone().conj().imag}
save("bits.pth", bits, bits)

numbers = torch.arange(6).reshape(2, 3)
dtypes = {str(d).removeprefix("torch."): numbers.to(d) for d in (
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.int8,
    torch.int16, torch.int32, torch.int64, torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool,
    torch.complex64, torch.complex128)}
save("dtypes.pth", dtypes, dtypes)

matrix = torch.tensor([[0, 1.5, 0, 0], [2, 0, 0, -3]])
twice = torch.sparse_coo_tensor([[0, 0, 1], [1, 1, 3]], [1.0, 2.0, 4.0], (2, 4))
sparse = {"coo": matrix.to_sparse(), "twice": twice, "csr": matrix.to_sparse_csr(), "csc": matrix.to_sparse_csc(),
          "bsr": matrix.to_sparse_bsr((1, 2)), "bsc": matrix.to_sparse_bsc((2, 2))}
save("sparse.pth", sparse, sparse)

quantized = {"q": torch.quantize_per_tensor(torch.arange(6.0).reshape(2, 3), 0.1, 3, torch.quint8),
             "c": torch.quantize_per_channel(torch.arange(6.0).reshape(2, 3), torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.qint8)}
save("quantized.pth", quantized, quantized)

block = Block()
parts = {"scale": block.scale, **dict(block.state_dict()), }
save("module.pth", block, parts)
save("module_legacy.pth", block, parts, _use_new_zipfile_serialization=False)

optimizer = torch.optim.Adam(net.parameters())
net(torch.ones(2, 4)).sum().backward()
optimizer.step()
checkpoint = {"model": state, "optimizer": optimizer.state_dict(), "epoch": 3, "numbers": [1, 2.5, None, True, "text", 2**70],
              "history": np.arange(3, dtype=np.float64), "size": torch.Size([1, 2]), "device": torch.device("cuda", 1),
              "dtype": torch.float16, "counts": collections.Counter(a=2), "complex": 1 + 2j, "bytes": b"\x00\xff"}
flat = {f"model.{k}": v for k, v in state.items()}
for index, entry in checkpoint["optimizer"]["state"].items():
    flat.update({f"optimizer.state.{index}.{k}": v for k, v in entry.items()})
flat["history"] = torch.from_numpy(checkpoint["history"])
save("checkpoint.pth", checkpoint, flat)
