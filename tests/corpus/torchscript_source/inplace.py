class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.M,
    x: Tensor) -> Tuple[Tensor, Tensor]:
    y = torch.zeros_like(x)
    _0 = torch.select(x, 0, -1)
    _1 = torch.copy_(torch.select(y, 0, 0), _0)
    _2 = torch.add_(torch.select(torch.slice(y), 1, 1), 3)
    _3 = torch.masked_fill_(y, torch.gt(y, 1), -1.)
    _4 = torch.slice(torch.view(y, [-1]), 0, None, None, 2)
    _5 = (_4, torch.where(torch.lt(y, 0), x, y))
    return _5
