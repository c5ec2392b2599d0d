#pragma once

#include <cstdint>

#include "base/progress.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// What the numbers of a tensor are like. NaN is counted and left out of the rest.
struct TensorStatistics {
  bool has_range =
      false;  // false where there are no numbers: empty, all NaN, complex, bits, strings
  double minimum = 0, maximum = 0, mean = 0;
  uint64_t nan_count = 0, infinity_count = 0;
};

/// Reads all elements, piece by piece, and tells `progress` of the bytes. Integers beyond 2^53 are
/// rounded. kOutOfMemory for a strided tensor that cannot be copied.
Result<TensorStatistics> tensor_statistics(const Tensor& tensor, Progress* progress = nullptr);

/// How two tensors of one shape differ. NaN equals NaN, and 0 equals -0.
struct TensorDifference {
  uint64_t count = 0;   // elements that differ by more than was allowed
  double absolute = 0;  // the largest |a - b|; infinite where only one is NaN
  double relative = 0;  // the largest |a - b| / max(|a|, |b|)
  uint64_t first = 0;   // the first that differs, counted in C order
};

/// Compares element by element, piece by piece; of unlike dtypes by value. `tolerance` is relative
/// to the largest finite magnitude of both. Types without values (bits) are compared by their
/// bytes, complex numbers by the distance. `progress` hears of the bytes of `first`. kUnsupported
/// where the dtypes cannot be compared.
Result<TensorDifference> compare_tensors(const Tensor& first, const Tensor& second,
                                         double tolerance = 0, Progress* progress = nullptr);

}  // namespace lanthorn
