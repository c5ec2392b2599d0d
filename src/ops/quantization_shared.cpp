#include "ops/quantization_shared.h"

#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"

namespace lanthorn {

Result<Granularity> Granularity::of(const Attributes& attributes, std::span<const int64_t> x,
                                    std::span<const int64_t> scale) {
  Granularity g;
  const int64_t block = attributes.integer("block_size", 0);
  if (block < 0) return attribute_error("block_size", "it must not be negative");
  int64_t count = 1;
  for (const int64_t size : scale) count *= size;
  if (block == 0 && (scale.empty() || (count == 1 && scale.size() == 1))) return g;
  LAN_TRY(const int64_t axis,
          checked_axis(attributes.integer("axis", 1), static_cast<int64_t>(x.size())));
  const auto at = static_cast<size_t>(axis);
  g.inner_ = static_cast<size_t>(count_between(x, at + 1, x.size()));
  g.length_ = static_cast<size_t>(x[at]);
  bool fits = true;
  if (block == 0) {
    fits = scale.size() == 1 && scale[0] == x[at];
  } else {
    g.block_ = static_cast<size_t>(block);
    g.blocks_ = (g.length_ + g.block_ - 1) / g.block_;
    fits = scale.size() == x.size();
    for (size_t i = 0; fits && i < x.size(); ++i) {
      fits = scale[i] == (i == at ? static_cast<int64_t>(g.blocks_) : x[i]);
    }
  }
  if (!fits) {
    return shape_error("scale " + shape_text(scale) + " does not fit data " + shape_text(x) +
                       " along axis " + std::to_string(axis));
  }
  return g;
}

Status check_granularity(const InferContext& c, size_t scale, size_t zero_point) {
  if (c.has_input(zero_point)) {
    const Dims& a = c.dims(scale);
    const Dims& b = c.dims(zero_point);
    // One number may be a scalar here and a list of one there.
    bool same = a.size() == b.size() || product(a) == product(b);
    for (size_t i = 0; same && a.size() == b.size() && i < a.size(); ++i) {
      same = may_equal(a[i], b[i]);
    }
    if (!same) {
      return shape_error("scale " + dims_text(a) + " and zero point " + dims_text(b) +
                         " are of different shapes");
    }
  }
  if (!all_known(c.dims(0)) || !all_known(c.dims(scale))) return ok();
  Shape x, s;
  for (const Dim& dim : c.dims(0)) x.push_back(dim.value());
  for (const Dim& dim : c.dims(scale)) s.push_back(dim.value());
  LAN_OK(Granularity::of(c.attributes(), x, s));
  return ok();
}

IntegerRange integer_range(DType dtype) {
  switch (dtype) {
    case DType::kI8:
      return {-128, 127};
    case DType::kU16:
      return {0, 65535};
    case DType::kI16:
      return {-32768, 32767};
    case DType::kI4:
      return {-8, 7};
    case DType::kU4:
      return {0, 15};
    case DType::kI2:
      return {-2, 1};
    case DType::kU2:
      return {0, 3};
    case DType::kI32:
      return {INT32_MIN, INT32_MAX};
    default:
      return {0, 255};
  }
}

int64_t quantized(float value, int64_t zero_point, IntegerRange range) {
  if (std::isnan(value)) return zero_point;
  // Larger numbers saturate whatever the zero point is.
  constexpr float kFar = 8589934592.0f;
  const float near = std::nearbyint(std::fmin(std::fmax(value, -kFar), kFar));
  return std::clamp(static_cast<int64_t>(near) + zero_point, range.lowest, range.highest);
}

QuantizedOperand QuantizedOperand::read(const TensorView& scale, const TensorView* zero_point) {
  QuantizedOperand operand;
  operand.scales = read_doubles(scale);
  operand.zeros = zero_point ? read_ints(*zero_point) : std::vector<int64_t>{0};
  return operand;
}

Status require_single(const RunContext& c, std::initializer_list<size_t> inputs) {
  for (const size_t i : inputs) {
    if (c.has_input(i) && c.input(i).count() != 1) {
      return shape_error("input " + std::to_string(i) + " must hold one number, not " +
                         std::to_string(c.input(i).count()));
    }
  }
  return ok();
}

std::vector<double> dequantized(const TensorView& x, const QuantizedOperand& by) {
  std::vector<double> values = read_doubles(x);
  for (double& value : values) value = (value - static_cast<double>(by.zero(0))) * by.scale(0);
  return values;
}

void write_quantized(const MutableTensorView& y, std::span<const double> values,
                     const QuantizedOperand& by) {
  const IntegerRange range = integer_range(y.dtype);
  std::vector<double> rounded(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const auto scaled = static_cast<float>(values[i] / by.scale(0));
    rounded[i] = static_cast<double>(quantized(scaled, by.zero(0), range));
  }
  write_doubles(y, rounded);
}

}  // namespace lanthorn
