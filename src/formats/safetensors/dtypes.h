#pragma once

#include <span>
#include <string_view>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// A dtype of the safetensors format (safetensors/src/tensor.rs). Files are ordered by it.
struct SafetensorsDType {
  std::string_view name;
  DType dtype = DType::kUndefined;  // kUndefined: cannot be read
  int bits = 8;
};

/// All of them, in the order that the format's own library has: by alignment.
std::span<const SafetensorsDType> safetensors_dtypes();
const SafetensorsDType* safetensors_dtype(std::string_view name);
const SafetensorsDType* safetensors_dtype(DType dtype);

}  // namespace lanthorn
