// OPS: ms_qlinear_average_pool ms_qlinear_global_average_pool
// Average pools of quantized numbers, as ONNX Runtime's quantizer writes them.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include "ops/numbers_shared.h"
#include "ops/pool_shared.h"
#include "ops/quantization_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kF32 = type_bit(DType::kF32);

Status refuse_channels_last(const InferContext& c) {
  if (c.attributes().integer("channels_last", 0) == 0) return ok();
  return Error{ErrorCode::kUnsupported, "channels_last is not supported",
               "attribute 'channels_last'", ""};
}

Status infer_average(InferContext& c) {
  LAN_OK(refuse_channels_last(c));
  LAN_TRY(Dims y, infer_pool(c.attributes(), c.dims(0)));
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status infer_global(InferContext& c) {
  LAN_OK(refuse_channels_last(c));
  if (c.rank(0) < 2) return shape_error("a global pool needs a batch and channels");
  Dims y(c.dims(0).size(), Dim(1));
  y[0] = c.dims(0)[0];
  y[1] = c.dims(0)[1];
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

QuantizedOperand operand(const RunContext& c, size_t scale) {
  return QuantizedOperand::read(c.input(scale),
                                c.has_input(scale + 1) ? &c.input(scale + 1) : nullptr);
}

Status average(const RunContext& c) {
  LAN_OK(require_single(c, {1, 2, 3, 4}));
  const MutableTensorView& y = c.output(0);
  const PoolShape s = pool_shape(c.attributes(), c.input(0).shape, y.shape);
  const bool count_padding = c.attributes().integer("count_include_pad", 0) != 0;
  const std::vector<double> x = dequantized(c.input(0), operand(c, 1));
  std::vector<double> means(static_cast<size_t>(y.count()));
  for_each_position(s, [&](int64_t position, const PoolTaps& taps) {
    const double divisor = count_padding ? taps.padded : static_cast<double>(taps.inside.size());
    for (int64_t plane = 0; plane < s.planes; ++plane) {
      double sum = 0;
      for (const int64_t at : taps.inside) sum += x[static_cast<size_t>(plane * s.in_size + at)];
      means[static_cast<size_t>(plane * s.out_size + position)] = divisor == 0 ? 0 : sum / divisor;
    }
  });
  write_quantized(y, means, operand(c, 3));
  return ok();
}

Status global_average(const RunContext& c) {
  LAN_OK(require_single(c, {1, 2, 3, 4}));
  const std::vector<double> x = dequantized(c.input(0), operand(c, 1));
  const auto size = static_cast<size_t>(count_between(c.input(0).shape, 2, c.input(0).rank()));
  std::vector<double> means(static_cast<size_t>(c.output(0).count()));
  for (size_t i = 0; i < means.size(); ++i) {
    for (size_t k = 0; k < size; ++k) means[i] += x[i * size + k];
    means[i] /= static_cast<double>(size);
  }
  write_quantized(c.output(0), means, operand(c, 3));
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_qlinear_average_pool{
    .name = "QLinearAveragePool",
    .domain = "com.microsoft",
    .inputs = {{"X", kBytes},
               {"x_scale", kF32},
               {"x_zero_point", kBytes, true},
               {"y_scale", kF32},
               {"y_zero_point", kBytes, true}},
    .outputs = {{"Y", kBytes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_average,
    .reference = average,
};

extern constinit const OpDef op_ms_qlinear_global_average_pool{
    .name = "QLinearGlobalAveragePool",
    .domain = "com.microsoft",
    .inputs = {{"X", kBytes},
               {"x_scale", kF32},
               {"x_zero_point", kBytes, true},
               {"y_scale", kF32},
               {"y_zero_point", kBytes, true}},
    .outputs = {{"Y", kBytes}},
    .accuracy = Accuracy::kRounding,
    .infer = infer_global,
    .reference = global_average,
};

}  // namespace lanthorn
