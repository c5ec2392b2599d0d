#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lanthorn/result.h"
#include "ops/op.h"

namespace lanthorn {

/// The elements of a real tensor as doubles (64-bit integers beyond 2^53 are rounded).
std::vector<double> read_doubles(const TensorView& view);
/// The elements of an integer or bool tensor as int64.
std::vector<int64_t> read_ints(const TensorView& view);
/// Stores doubles, rounded to the output's dtype; nothing if the output is absent.
void write_doubles(const MutableTensorView& view, std::span<const double> values);

/// Shapes that an operator's text does not allow.
inline Error shape_error(std::string message) {
  return Error{ErrorCode::kInvalidInput, std::move(message), "", ""};
}
/// Attributes that an operator's text does not allow.
inline Error attribute_error(std::string_view attribute, std::string message) {
  return Error{ErrorCode::kCorrupt, std::move(message),
               "attribute '" + std::string(attribute) + "'", ""};
}

/// False only if both are known and differ.
inline bool may_equal(const Dim& a, const Dim& b) {
  return !a.is_known() || !b.is_known() || a.value() == b.value();
}

/// `axis` counted from the front; an error if it is not in [-rank, rank).
Result<int64_t> checked_axis(int64_t axis, int64_t rank, std::string_view attribute = "axis");

/// The product of the sizes in [begin, end).
inline int64_t count_between(std::span<const int64_t> shape, size_t begin, size_t end) {
  int64_t count = 1;
  for (size_t i = begin; i < end; ++i) count *= shape[i];
  return count;
}

}  // namespace lanthorn
