class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.M,
    x: Tensor) -> Tensor:
    _0 = torch.sum(torch.mul(torch.relu(x), 2.), [1], True)
    _1 = torch.slice(torch.slice(x), 1, 0, 1)
    return torch.add(_0, _1)
