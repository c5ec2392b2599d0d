class Pair(NamedTuple):
  a : Tensor
  b : int
class M(Module):
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    p = __torch__.Pair(x, 3)
    _0, _1 = p.a, p.b
    return torch.mul(_0, _1)
