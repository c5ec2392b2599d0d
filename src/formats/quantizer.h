#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// What the integers of a quantized tensor mean: (integer - zero point) * scale, with one scale for
/// all or one for each index of `axis`.
struct Quantizer {
  std::string scheme;          // "torch.per_tensor_affine", "torch.per_channel_affine", ...
  Tensor scales, zero_points;  // vectors or scalars, as PyTorch keeps them
  int64_t axis = -1;           // -1: one scale for all
};

/// The quantizers of a file's tensors, by the tensors' names.
using Quantizers = std::map<std::string, std::shared_ptr<const Quantizer>, std::less<>>;

}  // namespace lanthorn
