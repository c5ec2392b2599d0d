// LpNormalization: divides by the 1-norm or 2-norm along an axis.
// https://onnx.ai/onnx/operators/onnx__LpNormalization.html

#include <cmath>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  LAN_OK(checked_axis(c.attributes().integer("axis", -1), c.rank(0)));
  const int64_t p = c.attributes().integer("p", 2);
  if (p != 1 && p != 2) return attribute_error("p", "it must be 1 or 2");
  c.set_output(0, c.dtype(0), c.dims(0));
  return ok();
}

Status reference(const RunContext& c) {
  const TensorView& input = c.input(0);
  LAN_TRY(const int64_t axis,
          checked_axis(c.attributes().integer("axis", -1), static_cast<int64_t>(input.rank())));
  const bool squares = c.attributes().integer("p", 2) == 2;
  std::vector<double> x = read_doubles(input);
  const auto at = static_cast<size_t>(axis);
  const auto length = static_cast<size_t>(input.shape[at]);
  const auto inner = static_cast<size_t>(count_between(input.shape, at + 1, input.rank()));
  for (size_t start = 0; start < x.size(); ++start) {
    if (start / inner % length != 0) continue;
    double norm = 0;
    for (size_t i = 0; i < length; ++i) {
      const double value = x[start + i * inner];
      norm += squares ? value * value : std::fabs(value);
    }
    if (squares) norm = std::sqrt(norm);
    for (size_t i = 0; i < length && norm != 0; ++i) x[start + i * inner] /= norm;
  }
  write_doubles(c.output(0), x);
  return ok();
}

}  // namespace

extern constinit const OpDef op_lp_normalization{
    .name = "LpNormalization",
    .since = 22,
    .inputs = {{"input", kFloats}},
    .outputs = {{"output", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
