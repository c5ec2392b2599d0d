// CausalConvWithState: https://onnx.ai/onnx/operators/onnx__CausalConvWithState.html

#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  const std::string_view activation = c.attributes().text("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish") {
    return attribute_error("activation", "it is none, silu or swish");
  }
  LAN_OK(require_rank(c, 0, 3, 3));
  LAN_OK(require_rank(c, 1, 3, 3));
  const Dims &x = c.dims(0), &weight = c.dims(1);
  if (!may_equal(weight[0], x[1]) || !may_equal(weight[1], Dim(1))) {
    return shape_error("weight " + dims_text(weight) + " for input " + dims_text(x));
  }
  if (weight[2].is_known() && weight[2].value() < 1) return shape_error("the kernel is empty");
  if (c.has_input(2) && (c.rank(2) != 1 || !may_equal(c.dims(2)[0], x[1]))) {
    return shape_error("bias " + dims_text(c.dims(2)) + " for input " + dims_text(x));
  }
  const Dims state{x[0], x[1], weight[2] - Dim(1)};
  if (c.has_input(3)) {
    const Dims& past = c.dims(3);
    bool fits = past.size() == 3;
    for (size_t i = 0; fits && i < 3; ++i) fits = may_equal(past[i], state[i]);
    if (!fits) {
      return shape_error("past_state " + dims_text(past) + " is no " + dims_text(state));
    }
  }
  c.set_output(0, c.dtype(0), x);
  c.set_output(1, c.dtype(0), state);
  return ok();
}

Status reference(const RunContext& c) {
  const auto rows = static_cast<size_t>(c.input(0).shape[0] * c.input(0).shape[1]);
  const auto channels = static_cast<size_t>(c.input(0).shape[1]);
  const auto length = static_cast<size_t>(c.input(0).shape[2]);
  const auto kernel = static_cast<size_t>(c.input(1).shape[2]);
  const std::vector<double> x = read_doubles(c.input(0)), weight = read_doubles(c.input(1));
  std::vector<double> bias, past((kernel - 1) * rows);
  if (c.has_input(2)) bias = read_doubles(c.input(2));
  if (c.has_input(3)) past = read_doubles(c.input(3));
  const bool silu = c.attributes().text("activation", "none") != "none";
  std::vector<double> y(x.size()), present(past.size()), line(kernel - 1 + length);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i + 1 < kernel; ++i) line[i] = past[row * (kernel - 1) + i];
    for (size_t i = 0; i < length; ++i) line[kernel - 1 + i] = x[row * length + i];
    for (size_t i = 0; i < length; ++i) {
      double sum = bias.empty() ? 0 : bias[row % channels];
      for (size_t k = 0; k < kernel; ++k) sum += line[i + k] * weight[row % channels * kernel + k];
      y[row * length + i] = silu ? sum / (1 + std::exp(-sum)) : sum;
    }
    for (size_t i = 0; i + 1 < kernel; ++i) present[row * (kernel - 1) + i] = line[length + i];
  }
  write_doubles(c.output(0), y);
  write_doubles(c.output(1), present);
  return ok();
}

}  // namespace

extern constinit const OpDef op_causal_conv_with_state{
    .name = "CausalConvWithState",
    .since = 27,
    .inputs = {{"input", kFloats},
               {"weight", kFloats},
               {"bias", kFloats, true},
               {"past_state", kFloats, true}},
    .outputs = {{"output", kFloats}, {"present_state", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
