// DynamicQuantizeLinear: quantizes to uint8 by the range of the data.
// https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html

#include <algorithm>
#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  c.set_output(0, DType::kU8, c.dims(0));
  c.set_output(1, DType::kF32, Dims{});
  c.set_output(2, DType::kU8, Dims{});
  return ok();
}

Status reference(const RunContext& c) {
  const auto x = c.input(0).as<float>();
  float low = 0, high = 0;  // the range always holds zero
  for (const float value : x) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const float scale = high == low ? 1.0f : (high - low) / 255.0f;
  const float place = 0.0f - low / scale;  // NaN where the range is infinite
  const float zero = place > 0 ? std::nearbyint(std::min(place, 255.0f)) : 0.0f;
  const auto y = c.output(0).as<uint8_t>();
  for (size_t i = 0; i < x.size() && c.output(0).present(); ++i) {
    y[i] = static_cast<uint8_t>(
        quantized(x[i] / scale, static_cast<int64_t>(zero), integer_range(DType::kU8)));
  }
  const double stored_scale = scale, stored_zero = zero;
  write_doubles(c.output(1), {&stored_scale, 1});
  write_doubles(c.output(2), {&stored_zero, 1});
  return ok();
}

}  // namespace

extern constinit const OpDef op_dynamic_quantize_linear{
    .name = "DynamicQuantizeLinear",
    .since = 11,
    .inputs = {{"x", type_bit(DType::kF32)}},
    .outputs = {{"y", type_bit(DType::kU8)},
                {"y_scale", type_bit(DType::kF32)},
                {"y_zero_point", type_bit(DType::kU8)}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
