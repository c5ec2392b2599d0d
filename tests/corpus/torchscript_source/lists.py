class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.M,
    x: Tensor) -> Tuple[Tensor, str, List[List[int]]]:
    parts = annotate(List[Tensor], [])
    names = {"a": 1, "b": 2}
    _0 = torch.unbind(x)
    for _1 in range(torch.len(_0)):
      part = _0[_1]
      _2 = torch.append(parts, torch.mul(part, names["b"]))
    _3 = torch.lt(torch.len(parts), 5)
    while _3:
      _4 = torch.append(parts, parts[-1])
      _3 = torch.lt(torch.len(parts), 5)
    _5 = torch.stack(parts)
    _6 = torch.format("{} rows", torch.len(parts))
    _7 = annotate(List[List[int]], [])
    for _8 in range(torch.len(parts)):
      p = parts[_8]
      _9 = torch.append(_7, torch.size(p))
    return (_5, _6, _7)
