#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lanthorn/result.h"
#include "ops/op.h"

namespace lanthorn {

/// kInvalidInput unless every index is in [-size, size).
Status check_indices(std::span<const int64_t> indices, int64_t size);

/// Where the slices lie that an `indices` tensor of GatherND or ScatterND names: its last dimension
/// holds places in the dimensions of `shape` after the first `batch` ones.
struct NdIndices {
  std::vector<int64_t> starts;  // of each slice, in elements
  int64_t length = 1;           // elements in a slice
};
Result<NdIndices> nd_indices(const TensorView& indices, std::span<const int64_t> shape,
                             size_t batch);

}  // namespace lanthorn
