// OPS: dequantize_linear ms_dequantize_linear
// DequantizeLinear: y = (x - zero_point) * scale.
// https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html

#include "graph/onnx_dtype.h"
#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kReals = type_bit(DType::kF32) | type_bit(DType::kF16) | type_bit(DType::kBF16);
constexpr uint64_t kInputs = kQuantizedInts | kSmallFloats | type_bit(DType::kI32);
constexpr uint64_t kScales = kReals | type_bit(DType::kF8E8M0FNU);

Status infer(InferContext& c) {
  const int64_t wanted = c.attributes().integer("output_dtype", 0);
  const DType dtype = wanted == 0 ? c.dtype(1) : dtype_from_onnx(wanted);
  if ((type_bit(dtype) & kReals) == 0) {
    return attribute_error("output_dtype", "it must be a float type");
  }
  LAN_OK(check_granularity(c, 1, 2));
  c.set_output(0, dtype, c.dims(0));
  return ok();
}

Status reference(const RunContext& c) {
  const TensorView& x = c.input(0);
  LAN_TRY(const Granularity which, Granularity::of(c.attributes(), x.shape, c.input(1).shape));
  std::vector<double> values = read_doubles(x);
  const std::vector<double> scales = read_doubles(c.input(1));
  std::vector<double> zeros(scales.size());
  if (c.has_input(2)) zeros = read_doubles(c.input(2));
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t at = which(i);
    values[i] = (values[i] - zeros[at]) * scales[at];
  }
  write_doubles(c.output(0), values);
  return ok();
}

}  // namespace

extern constinit const OpDef op_dequantize_linear{
    .name = "DequantizeLinear",
    .since = 28,
    .inputs = {{"x", kInputs}, {"x_scale", kScales}, {"x_zero_point", kInputs, true}},
    .outputs = {{"y", kReals}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

extern constinit const OpDef op_ms_dequantize_linear{
    .name = "DequantizeLinear",
    .domain = "com.microsoft",
    .inputs = {{"x", kInputs}, {"x_scale", kScales}, {"x_zero_point", kInputs, true}},
    .outputs = {{"y", kReals}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
