// com.microsoft.QLinearConcat: joins quantized tensors of different scales under one.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kF32 = type_bit(DType::kF32);

// Inputs are y_scale, y_zero_point, then (x, scale, zero point) for each operand.
Status infer(InferContext& c) {
  if (c.input_count() < 5 || (c.input_count() - 2) % 3 != 0) {
    return shape_error("the operands are not three inputs each");
  }
  for (size_t i = 2; i < c.input_count(); ++i) {
    if (!c.has_input(i)) return shape_error("input " + std::to_string(i) + " is missing");
  }
  LAN_TRY(const int64_t axis, checked_axis(c.attributes().integer("axis", 0), c.rank(2)));
  Dims y = c.dims(2);
  for (size_t i = 5; i < c.input_count(); i += 3) {
    bool fits = c.dims(i).size() == y.size();
    for (size_t k = 0; fits && k < y.size(); ++k) {
      fits = k == static_cast<size_t>(axis) || may_equal(c.dims(i)[k], y[k]);
    }
    if (!fits)
      return shape_error("operand " + dims_text(c.dims(i)) + " does not fit " + dims_text(y));
    y[static_cast<size_t>(axis)] =
        y[static_cast<size_t>(axis)] + c.dims(i)[static_cast<size_t>(axis)];
  }
  c.set_output(0, c.dtype(1), std::move(y));
  return ok();
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  LAN_TRY(const int64_t axis,
          checked_axis(c.attributes().integer("axis", 0), static_cast<int64_t>(y.rank())));
  const auto at = static_cast<size_t>(axis);
  const auto outer = static_cast<size_t>(count_between(y.shape, 0, at));
  const auto row = static_cast<size_t>(count_between(y.shape, at, y.rank()));
  std::vector<double> all(static_cast<size_t>(y.count()));
  size_t offset = 0;
  LAN_OK(require_single(c, {0, 1}));
  for (size_t i = 2; i < c.input_count(); i += 3) {
    LAN_OK(require_single(c, {i + 1, i + 2}));
    const std::vector<double> values =
        dequantized(c.input(i), QuantizedOperand::read(c.input(i + 1), &c.input(i + 2)));
    const auto length = static_cast<size_t>(count_between(c.input(i).shape, at, y.rank()));
    for (size_t o = 0; o < outer; ++o) {
      for (size_t k = 0; k < length; ++k) all[o * row + offset + k] = values[o * length + k];
    }
    offset += length;
  }
  write_quantized(y, all, QuantizedOperand::read(c.input(0), &c.input(1)));
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_qlinear_concat{
    .name = "QLinearConcat",
    .domain = "com.microsoft",
    .inputs = {{"Y_scale", kF32}, {"Y_zero_point", kBytes}, {"inputs", kBytes | kF32, false, true}},
    .outputs = {{"Y", kBytes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
