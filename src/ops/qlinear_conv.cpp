// QLinearConv: a convolution of quantized numbers, quantized again.
// https://onnx.ai/onnx/operators/onnx__QLinearConv.html

#include <algorithm>

#include "ops/conv_shared.h"
#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kF32 = type_bit(DType::kF32);

Status infer(InferContext& c) {
  LAN_TRY(Dims y, infer_conv(c.attributes(), c.dims(0), c.dims(3)));
  if (c.has_input(8) && (c.rank(8) != 1 || !may_equal(c.dims(8)[0], c.dims(3)[0]))) {
    return shape_error("bias " + dims_text(c.dims(8)) + " does not fit weight " +
                       dims_text(c.dims(3)));
  }
  c.set_output(0, c.dtype(7), std::move(y));
  return ok();
}

Status reference(const RunContext& c) {
  LAN_OK(require_single(c, {1, 2, 6, 7}));
  const MutableTensorView& y = c.output(0);
  const ConvShape shape = conv_shape(c.attributes(), c.input(0).shape, c.input(3).shape, y.shape);
  const QuantizedOperand x_by = QuantizedOperand::read(c.input(1), &c.input(2));
  const QuantizedOperand w_by = QuantizedOperand::read(c.input(4), &c.input(5));
  const QuantizedOperand y_by = QuantizedOperand::read(c.input(6), &c.input(7));
  const auto maps = static_cast<size_t>(shape.maps);
  for (const size_t count : {w_by.scales.size(), w_by.zeros.size()}) {
    if (count != 1 && count != maps) return shape_error("the weight's scale does not fit its maps");
  }
  std::vector<double> x = read_doubles(c.input(0)), w = read_doubles(c.input(3));
  for (double& value : x) value -= static_cast<double>(x_by.zero(0));
  const size_t per_map = w.size() / std::max<size_t>(maps, 1);
  for (size_t i = 0; i < w.size(); ++i) w[i] -= static_cast<double>(w_by.zero(i / per_map));
  std::vector<double> sums(static_cast<size_t>(y.count()));
  const auto size = static_cast<size_t>(count_all(shape.out));
  if (c.has_input(8)) {
    const std::vector<double> bias = read_doubles(c.input(8));
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = bias[i / size % maps];
  }
  convolve(shape, x.data(), w.data(), sums.data());
  const IntegerRange range = integer_range(y.dtype);
  for (size_t i = 0; i < sums.size(); ++i) {
    // One float multiplier a map, as implementations with integer sums have it.
    const auto factor = static_cast<float>(static_cast<float>(x_by.scale(0)) *
                                           static_cast<float>(w_by.scale(i / size % maps)) /
                                           static_cast<float>(y_by.scale(0)));
    sums[i] =
        static_cast<double>(quantized(static_cast<float>(sums[i]) * factor, y_by.zero(0), range));
  }
  write_doubles(y, sums);
  return ok();
}

}  // namespace

extern constinit const OpDef op_qlinear_conv{
    .name = "QLinearConv",
    .since = 10,
    .inputs = {{"x", kBytes},
               {"x_scale", kF32},
               {"x_zero_point", kBytes},
               {"w", kBytes},
               {"w_scale", kF32},
               {"w_zero_point", kBytes},
               {"y_scale", kF32},
               {"y_zero_point", kBytes},
               {"B", type_bit(DType::kI32), true}},
    .outputs = {{"y", kBytes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
