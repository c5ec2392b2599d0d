#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// True for the integers of PyTorch's quantized tensors.
bool is_quantized(DType dtype);

/// What the integers of a quantized tensor mean: (integer - zero point) * scale, with one scale for
/// all or one for each index of `axis`.
struct Quantizer {
  std::string scheme;          // "torch.per_tensor_affine", "torch.per_channel_affine", ...
  Tensor scales, zero_points;  // vectors or scalars, as PyTorch keeps them
  int64_t axis = -1;           // -1: one scale for all
};

/// A tensor under its name, on its way into a file.
struct FlatTensor {
  std::string name;
  Tensor tensor;
  std::shared_ptr<const Quantizer> quantizer;  // of quantized ones, where it is known

  /// What numbers() gives: float32 where there is a quantizer.
  DType dtype() const { return quantizer ? DType::kF32 : tensor.dtype(); }
  /// The tensor, or the numbers that a quantized one stands for, computed as PyTorch's dequantize().
  /// kOutOfMemory, kCorrupt (scales that do not fit).
  Result<Tensor> numbers() const;
};

/// The tensors of a tree, under the names of the way to them.
Result<std::vector<FlatTensor>> flat_tensors(const ObjectTree& tree);
/// The tensors of a state_dict.
std::vector<FlatTensor> flat_tensors(const StateDict& state);
/// An OrderedDict of them, as a state_dict is pickled.
ObjectTree tree_of(const std::vector<FlatTensor>& tensors);

}  // namespace lanthorn
