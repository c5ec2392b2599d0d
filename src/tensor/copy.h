#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "lanthorn/tensor.h"

namespace lanthorn {

/// Copies `count` adjacent elements; strings too. The arrays must not overlap.
void copy_elements(DType dtype, const void* source, void* target, size_t count);

/// Makes `count` adjacent elements zero, or empty strings. They must hold elements already.
void clear_elements(DType dtype, void* target, size_t count);

/// The address of an element; strings too.
inline const std::byte* element_at(DType dtype, const void* data, int64_t index) {
  return static_cast<const std::byte*>(data) + index * static_cast<int64_t>(dtype_bytes(dtype));
}
inline std::byte* element_at(DType dtype, void* data, int64_t index) {
  return static_cast<std::byte*>(data) + index * static_cast<int64_t>(dtype_bytes(dtype));
}

/// Copies every element of a `shape` between two arrays with strides in elements (0 and negative
/// ones too); `source` and `target` are the addresses of the elements of index 0. Rows without gaps
/// are copied at once. The arrays must not overlap.
void copy_strided(DType dtype, std::span<const int64_t> shape, const void* source,
                  std::span<const int64_t> source_strides, void* target,
                  std::span<const int64_t> target_strides);

}  // namespace lanthorn
