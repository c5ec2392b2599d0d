// OPS: quantize_linear ms_quantize_linear
// QuantizeLinear: y = saturate(round(x / scale) + zero_point).
// https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html

#include "graph/onnx_dtype.h"
#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"
#include "tensor/convert.h"

namespace lanthorn {
namespace {

constexpr uint64_t kReals = type_bit(DType::kF32) | type_bit(DType::kF16) | type_bit(DType::kBF16);
constexpr uint64_t kInputs = kReals | type_bit(DType::kI32) | type_bit(DType::kF64);
constexpr uint64_t kScales = kInputs | type_bit(DType::kF8E8M0FNU);

Status infer(InferContext& c) {
  const int64_t wanted = c.attributes().integer("output_dtype", 0);
  DType dtype = wanted == 0 ? DType::kU8 : dtype_from_onnx(wanted);
  if (c.has_input(2)) {
    if (wanted != 0 && dtype != c.dtype(2)) {
      return attribute_error("output_dtype", "it is not the type of the zero point");
    }
    dtype = c.dtype(2);
  }
  if ((type_bit(dtype) & (kQuantizedInts | kSmallFloats)) == 0) {
    return attribute_error("output_dtype", "the type cannot be quantized to");
  }
  LAN_OK(check_granularity(c, 1, 2));
  c.set_output(0, dtype, c.dims(0));
  return ok();
}

// The dtype in which the division is rounded.
DType precision(const RunContext& c) {
  const DType given = dtype_from_onnx(c.attributes().integer("precision", 0));
  if (given != DType::kUndefined) return given;
  const DType scale = c.input(1).dtype;
  return scale == DType::kF16 || scale == DType::kBF16 ? scale : DType::kF32;
}

float rounded_to(DType dtype, float value) {
  if (dtype != DType::kF16 && dtype != DType::kBF16) return value;
  uint16_t narrow = 0;
  convert(DType::kF32, &value, dtype, &narrow, 1);
  convert(dtype, &narrow, DType::kF32, &value, 1);
  return value;
}

Status reference(const RunContext& c) {
  const TensorView& x = c.input(0);
  const MutableTensorView& y = c.output(0);
  LAN_TRY(const Granularity which, Granularity::of(c.attributes(), x.shape, c.input(1).shape));
  const std::vector<double> values = read_doubles(x), scales = read_doubles(c.input(1));
  const bool to_float = is_floating(y.dtype);
  const bool saturate = c.attributes().integer("saturate", 1) != 0;
  std::vector<double> zeros(scales.size());
  if (c.has_input(2)) zeros = read_doubles(c.input(2));
  const IntegerRange range = integer_range(y.dtype);
  const DType rounding = precision(c);
  auto* bytes = static_cast<uint8_t*>(y.data);
  std::vector<double> integers(to_float ? 0 : values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t at = which(i);
    const auto scale = static_cast<float>(scales[at]);
    const float quotient = rounded_to(rounding, static_cast<float>(values[i]) / scale);
    if (to_float) {
      bytes[i] = f32_to_small_float(y.dtype, quotient + static_cast<float>(zeros[at]), saturate);
    } else {
      integers[i] =
          static_cast<double>(quantized(quotient, static_cast<int64_t>(zeros[at]), range));
    }
  }
  if (!to_float) write_doubles(y, integers);
  return ok();
}

}  // namespace

extern constinit const OpDef op_quantize_linear{
    .name = "QuantizeLinear",
    .since = 28,
    .inputs = {{"x", kInputs},
               {"y_scale", kScales},
               {"y_zero_point", kQuantizedInts | kSmallFloats, true}},
    .outputs = {{"y", kQuantizedInts | kSmallFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

// As ONNX Runtime writes it, with 16-bit and 4-bit types before ai.onnx had them.
extern constinit const OpDef op_ms_quantize_linear{
    .name = "QuantizeLinear",
    .domain = "com.microsoft",
    .inputs = {{"x", kInputs},
               {"y_scale", kScales},
               {"y_zero_point", kQuantizedInts | kSmallFloats, true}},
    .outputs = {{"y", kQuantizedInts | kSmallFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
