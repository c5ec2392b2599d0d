// OPS: ms_gelu ms_bias_gelu ms_fast_gelu ms_quick_gelu
// The Gelus of ONNX Runtime's transformer optimizer.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include <cmath>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  if (c.has_input(1)) {
    const bool fits = c.rank(1) == 1 && c.rank(0) > 0 && may_equal(c.dims(1)[0], c.dims(0).back());
    if (!fits) {
      return shape_error("bias " + dims_text(c.dims(1)) + " does not fit " + dims_text(c.dims(0)));
    }
  }
  c.set_output(0, c.dtype(0), c.dims(0));
  return ok();
}

template <class F>
Status apply(const RunContext& c, F function) {
  std::vector<double> x = read_doubles(c.input(0));
  if (c.has_input(1) && !x.empty()) {
    const std::vector<double> bias = read_doubles(c.input(1));
    for (size_t i = 0; i < x.size(); ++i) x[i] += bias[i % bias.size()];
  }
  for (double& value : x) value = function(value);
  write_doubles(c.output(0), x);
  return ok();
}

Status exact(const RunContext& c) {
  return apply(c, [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); });
}

Status fast(const RunContext& c) {
  constexpr double kSqrtTwoOverPi = 0.7978845608028654;
  return apply(c, [](double x) {
    return 0.5 * x * (1 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
  });
}

Status quick(const RunContext& c) {
  const double alpha = c.attributes().real("alpha", 1.702f);
  return apply(c, [alpha](double x) { return x / (1 + std::exp(-alpha * x)); });
}

}  // namespace

extern constinit const OpDef op_ms_gelu{
    .name = "Gelu",
    .domain = "com.microsoft",
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = exact,
};

extern constinit const OpDef op_ms_bias_gelu{
    .name = "BiasGelu",
    .domain = "com.microsoft",
    .inputs = {{"A", kFloats}, {"B", kFloats}},
    .outputs = {{"C", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = exact,
};

extern constinit const OpDef op_ms_fast_gelu{
    .name = "FastGelu",
    .domain = "com.microsoft",
    .inputs = {{"X", kFloats}, {"bias", kFloats, true}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = fast,
};

extern constinit const OpDef op_ms_quick_gelu{
    .name = "QuickGelu",
    .domain = "com.microsoft",
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = quick,
};

}  // namespace lanthorn
