#include "tensor/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tensor/convert.h"

namespace lanthorn {
namespace {

constexpr size_t kPiece = 4096;  // elements; two pieces of doubles fit into the first cache

/// `count` elements from `first` on as doubles; complex ones as pairs.
void widen(const Tensor& tensor, uint64_t first, size_t count, double* out) {
  const std::byte* source = tensor.data() + first * dtype_bytes(tensor.dtype());
  convert(tensor.dtype(), source, is_complex(tensor.dtype()) ? DType::kC128 : DType::kF64, out,
          count);
}

bool has_values(DType dtype) {
  return dtype != DType::kUndefined && dtype != DType::kString &&
         can_convert(dtype, is_complex(dtype) ? DType::kC128 : DType::kF64);
}

Result<double> largest_magnitude(const Tensor& tensor) {
  std::vector<double> values(2 * kPiece);
  const size_t parts = is_complex(tensor.dtype()) ? 2 : 1;
  const auto total = static_cast<uint64_t>(tensor.count());
  double largest = 0;
  for (uint64_t at = 0; at < total; at += kPiece) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(kPiece, total - at));
    widen(tensor, at, count, values.data());
    for (size_t i = 0; i < count * parts; ++i) {
      if (std::isfinite(values[i])) largest = std::max(largest, std::fabs(values[i]));
    }
  }
  return largest;
}

struct Pair {
  double absolute = 0, relative = 0;
};

Pair distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return {};
  const double apart = std::fabs(a - b);
  if (!std::isfinite(apart)) {
    return {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  }
  return {apart, apart / std::max(std::fabs(a), std::fabs(b))};
}

/// Elements that are compared as they are stored.
Result<TensorDifference> compare_stored(const Tensor& a, const Tensor& b) {
  TensorDifference found;
  const size_t unit = dtype_bytes(a.dtype());
  for (uint64_t i = static_cast<uint64_t>(a.count()); i-- > 0;) {
    bool same = false;
    if (a.dtype() == DType::kString) {
      same = a.as<std::string>()[i] == b.as<std::string>()[i];
    } else {
      same = std::memcmp(a.data() + i * unit, b.data() + i * unit, unit) == 0;
    }
    if (same) continue;
    ++found.count;
    found.first = i;
  }
  return found;
}

}  // namespace

Result<TensorStatistics> tensor_statistics(const Tensor& tensor, Progress* progress) {
  TensorStatistics found;
  if (!has_values(tensor.dtype())) return found;
  LAN_TRY(const Tensor straight, tensor.contiguous());
  const size_t parts = is_complex(tensor.dtype()) ? 2 : 1;
  const auto total = static_cast<uint64_t>(straight.count());
  std::vector<double> values(2 * kPiece);
  double sum = 0;
  uint64_t numbers = 0;
  for (uint64_t at = 0; at < total; at += kPiece) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(kPiece, total - at));
    widen(straight, at, count, values.data());
    double piece_sum = 0;  // a sum of sums loses less
    for (size_t i = 0; i < count * parts; i += parts) {
      const bool is_nan = std::isnan(values[i]) || (parts == 2 && std::isnan(values[i + 1]));
      found.nan_count += is_nan;
      found.infinity_count += std::isinf(values[i]) || (parts == 2 && std::isinf(values[i + 1]));
      if (is_nan || parts == 2) continue;
      if (numbers == 0) found.minimum = found.maximum = values[i];
      found.minimum = std::min(found.minimum, values[i]);
      found.maximum = std::max(found.maximum, values[i]);
      piece_sum += values[i];
      ++numbers;
    }
    sum += piece_sum;
    if (progress) progress->advance(count * dtype_bytes(tensor.dtype()));
  }
  found.has_range = numbers > 0;
  if (numbers > 0) found.mean = sum / static_cast<double>(numbers);
  return found;
}

Result<TensorDifference> compare_tensors(const Tensor& first, const Tensor& second,
                                         double tolerance, Progress* progress) {
  if (first.shape() != second.shape()) {
    return Error{ErrorCode::kInvalidInput, "tensors of shapes " + shape_text(first.shape()) +
                                               " and " + shape_text(second.shape()) +
                                               " cannot be compared element by element"};
  }
  LAN_TRY(const Tensor a, first.contiguous());
  LAN_TRY(const Tensor b, second.contiguous());
  const bool stored = a.dtype() == b.dtype();
  if (!has_values(a.dtype()) || !has_values(b.dtype()) ||
      is_complex(a.dtype()) != is_complex(b.dtype())) {
    if (stored) return compare_stored(a, b);
    return Error{ErrorCode::kUnsupported, "values of " + std::string(dtype_name(a.dtype())) +
                                              " and " + std::string(dtype_name(b.dtype())) +
                                              " cannot be compared"};
  }
  double allowed = 0;
  if (tolerance > 0) {
    LAN_TRY(const double in_a, largest_magnitude(a));
    LAN_TRY(const double in_b, largest_magnitude(b));
    allowed = tolerance * std::max(in_a, in_b);
  }
  TensorDifference found;
  const bool exact = stored && !is_floating(a.dtype()) && !is_complex(a.dtype());
  const size_t parts = is_complex(a.dtype()) ? 2 : 1, unit = dtype_bytes(a.dtype());
  const auto total = static_cast<uint64_t>(a.count());
  std::vector<double> left(2 * kPiece), right(2 * kPiece);
  for (uint64_t at = 0; at < total; at += kPiece) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(kPiece, total - at));
    const std::byte* const in_a = a.data() + at * unit;
    if (progress) progress->advance(count * unit);
    if (stored && std::memcmp(in_a, b.data() + at * unit, count * unit) == 0) continue;
    widen(a, at, count, left.data());
    widen(b, at, count, right.data());
    for (size_t i = 0; i < count; ++i) {
      Pair apart = distance(left[i * parts], right[i * parts]);
      if (parts == 2) {
        const Pair imaginary = distance(left[2 * i + 1], right[2 * i + 1]);
        apart.absolute = std::hypot(apart.absolute, imaginary.absolute);
        apart.relative = std::max(apart.relative, imaginary.relative);
      }
      // Large integers may differ where their doubles do not.
      if (exact && apart.absolute == 0 &&
          std::memcmp(in_a + i * unit, b.data() + (at + i) * unit, unit) != 0) {
        apart = {1, std::numeric_limits<double>::epsilon()};
      }
      if (!(apart.absolute > allowed)) continue;
      if (found.count++ == 0) found.first = at + i;
      found.absolute = std::max(found.absolute, apart.absolute);
      found.relative = std::max(found.relative, apart.relative);
    }
  }
  return found;
}

}  // namespace lanthorn
