#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/quantizer.h"
#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// True for the integers of PyTorch's quantized tensors.
bool is_quantized(DType dtype);

/// A tensor under its name, on its way into a file.
struct FlatTensor {
  std::string name;
  Tensor tensor;
  std::shared_ptr<const Quantizer> quantizer;  // of quantized ones, where it is known

  /// What numbers() gives: float32 where there is a quantizer.
  DType dtype() const { return quantizer ? DType::kF32 : tensor.dtype(); }
  /// The tensor, or the numbers that a quantized one stands for, computed as PyTorch's
  /// dequantize(). kOutOfMemory, kCorrupt (scales that do not fit).
  Result<Tensor> numbers() const;
};

/// Of a quantized tensor of a tree, whose arguments are (scheme, scale, zero point[, axis]); null
/// for other objects.
std::shared_ptr<const Quantizer> quantizer_of(const ObjectTree& tree, ObjectId id);

/// The tensors of a tree, under the names of the way to them.
Result<std::vector<FlatTensor>> flat_tensors(const ObjectTree& tree);
/// The tensors of a state_dict; `quantizers` are those of the quantized ones, as far as they are
/// known.
std::vector<FlatTensor> flat_tensors(const StateDict& state, const Quantizers& quantizers = {});
/// An OrderedDict of them, as a state_dict is pickled.
ObjectTree tree_of(const std::vector<FlatTensor>& tensors);

/// Tensors of a file and, by their names, what the integers of quantized ones mean.
struct NamedTensors {
  StateDict tensors;
  Quantizers quantizers;
};
/// kCorrupt for a name that comes twice.
Result<NamedTensors> named_tensors(std::vector<FlatTensor> tensors);

}  // namespace lanthorn
