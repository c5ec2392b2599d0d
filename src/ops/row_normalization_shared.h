#pragma once

#include <span>
#include <vector>

#include "lanthorn/result.h"
#include "ops/op.h"

namespace lanthorn {

/// What LayerNormalization and its relatives do to each run of numbers.
struct RowNormalization {
  bool center = true;  // subtract the mean (RMSNormalization does not)
  double epsilon = 1e-5;
};

/// Normalizes `x` in place in rows of `length` and tells each row's mean and 1 / deviation.
struct RowStatistics {
  std::vector<double> mean, inverse_deviation;
};
RowStatistics normalize_rows(std::span<double> x, size_t length, const RowNormalization& how);

/// x = x * scale + bias, where scale and bias broadcast to the trailing axes of `shape`; either may
/// be absent.
void scale_rows(std::span<double> x, std::span<const int64_t> shape, const TensorView* scale,
                const TensorView* bias);

/// An error unless `parameter` broadcasts to the trailing axes of `x`.
Status check_row_parameter(const Dims& x, const Dims& parameter, std::string_view name);

}  // namespace lanthorn
