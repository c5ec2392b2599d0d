#pragma once

#include <cstdint>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// A part of a storage, in bytes.
struct ByteExtent {
  uint64_t begin = 0, end = 0;
};

/// From the first byte of a tensor's elements to behind the last, wherever its strides lead; empty
/// where it has no elements. Only for tensors with a storage.
ByteExtent byte_extent(const Tensor& tensor);

}  // namespace lanthorn
