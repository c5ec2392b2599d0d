#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ops/op.h"

namespace lanthorn {

constexpr uint64_t kQuantizedInts =
    type_bit(DType::kI8) | type_bit(DType::kU8) | type_bit(DType::kI16) | type_bit(DType::kU16) |
    type_bit(DType::kI4) | type_bit(DType::kU4) | type_bit(DType::kI2) | type_bit(DType::kU2);
constexpr uint64_t kSmallFloats = type_bit(DType::kF8E4M3FN) | type_bit(DType::kF8E4M3FNUZ) |
                                  type_bit(DType::kF8E5M2) | type_bit(DType::kF8E5M2FNUZ) |
                                  type_bit(DType::kF4E2M1);

/// Which of the scales belongs to which element: one for all, one for each position of an axis, or
/// one for each block along an axis.
class Granularity {
 public:
  /// For a tensor of these sizes and a scale of those. An error if the scale does not fit.
  static Result<Granularity> of(const Attributes& attributes, std::span<const int64_t> x,
                                std::span<const int64_t> scale);
  size_t operator()(size_t element) const {
    if (length_ == 0) return 0;
    const size_t at = element / inner_ % length_;
    if (block_ == 0) return at;
    return (element / (inner_ * length_) * blocks_ + at / block_) * inner_ + element % inner_;
  }

 private:
  size_t inner_ = 1, length_ = 0, block_ = 0, blocks_ = 0;
};

/// Checks the shapes of data, scale and zero point.
Status check_granularity(const InferContext& c, size_t scale, size_t zero_point);

/// The range of an integer dtype.
struct IntegerRange {
  int64_t lowest = 0, highest = 0;
};
IntegerRange integer_range(DType dtype);

/// round-half-even(value) + zero_point, kept in the range. NaN gives the zero point.
int64_t quantized(float value, int64_t zero_point, IntegerRange range);

/// Parameters of one operand of the operators with quantized inputs: a float32 scale and an integer
/// zero point, both one number or one for each position of an axis.
struct QuantizedOperand {
  std::vector<double> scales;
  std::vector<int64_t> zeros;

  static QuantizedOperand read(const TensorView& scale, const TensorView* zero_point);
  double scale(size_t i) const { return scales[scales.size() == 1 ? 0 : i]; }
  int64_t zero(size_t i) const { return zeros[zeros.size() == 1 ? 0 : i]; }
};

/// An error unless each of these inputs holds exactly one number.
Status require_single(const RunContext& c, std::initializer_list<size_t> inputs);

/// (x - zero point) * scale, for one scale.
std::vector<double> dequantized(const TensorView& x, const QuantizedOperand& by);
/// Stores values quantized with one scale.
void write_quantized(const MutableTensorView& y, std::span<const double> values,
                     const QuantizedOperand& by);

}  // namespace lanthorn
