// ConvInteger: a convolution of 8-bit integers with sums in int32, which wrap around.
// https://onnx.ai/onnx/operators/onnx__ConvInteger.html

#include <algorithm>

#include "ops/conv_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);

Status infer(InferContext& c) {
  LAN_TRY(Dims y, infer_conv(c.attributes(), c.dims(0), c.dims(1)));
  c.set_output(0, DType::kI32, std::move(y));
  return ok();
}

// The elements less their zero point, which is one number, or one for each map (axis 0).
std::vector<uint32_t> centered(const RunContext& c, size_t input, size_t zero_point) {
  const std::vector<int64_t> values = read_ints(c.input(input));
  std::vector<uint32_t> out(values.begin(), values.end());
  if (!c.has_input(zero_point) || out.empty()) return out;
  const std::vector<int64_t> zeros = read_ints(c.input(zero_point));
  const size_t run = out.size() / zeros.size();
  for (size_t i = 0; i < out.size(); ++i) out[i] -= static_cast<uint32_t>(zeros[i / run]);
  return out;
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  const ConvShape shape = conv_shape(c.attributes(), c.input(0).shape, c.input(1).shape, y.shape);
  for (const size_t zero : {size_t{2}, size_t{3}}) {
    if (!c.has_input(zero)) continue;
    const int64_t count = c.input(zero).count();
    if (count != 1 && (zero == 2 || count != shape.maps)) {
      return shape_error("a zero point has " + std::to_string(count) + " elements");
    }
  }
  const std::vector<uint32_t> x = centered(c, 0, 2);
  const std::vector<uint32_t> w = centered(c, 1, 3);
  const std::span<uint32_t> sums = y.as<uint32_t>();
  std::fill(sums.begin(), sums.end(), 0u);
  convolve(shape, x.data(), w.data(), sums.data());
  return ok();
}

}  // namespace

extern constinit const OpDef op_conv_integer{
    .name = "ConvInteger",
    .since = 10,
    .inputs = {{"x", kBytes},
               {"w", kBytes},
               {"x_zero_point", kBytes, true},
               {"w_zero_point", kBytes, true}},
    .outputs = {{"y", type_bit(DType::kI32)}},
    .accuracy = Accuracy::kExact,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
