// Activations with parameters, and those that work on integers too: https://onnx.ai/onnx/operators/
// OPS: celu elu gelu hard_sigmoid leaky_relu prelu relu selu shrink swish thresholded_relu
#include <cmath>
#include <numbers>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

double attribute(const RunContext& context, std::string_view name, float fallback) {
  return static_cast<double>(context.attributes().real(name, fallback));
}

Status run_celu(const RunContext& context) {
  const double alpha = attribute(context, "alpha", 1.0f);
  return map_wide<double, 1>(context,
                             [=](double x) { return x > 0 ? x : alpha * std::expm1(x / alpha); });
}

Status run_elu(const RunContext& context) {
  const double alpha = attribute(context, "alpha", 1.0f);
  return map_wide<double, 1>(context, [=](double x) { return x > 0 ? x : alpha * std::expm1(x); });
}

Status run_selu(const RunContext& context) {
  const double alpha = attribute(context, "alpha", 1.67326319217681884765625f);
  const double gamma = attribute(context, "gamma", 1.05070102214813232421875f);
  return map_wide<double, 1>(context,
                             [=](double x) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); });
}

double gelu(double x) { return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2)); }
double gelu_tanh(double x) {
  const double scale = std::sqrt(2.0 / std::numbers::pi);
  return 0.5 * x * (1.0 + std::tanh(scale * (x + 0.044715 * x * x * x)));
}

Status infer_gelu(InferContext& context) {
  const std::string_view kind = context.attributes().text("approximate", "none");
  if (kind != "none" && kind != "tanh")
    return refused("there is no approximation \"" + std::string(kind) + "\"");
  return infer_same(context);
}

Status run_gelu(const RunContext& context) {
  const bool by_tanh = context.attributes().text("approximate", "none") == "tanh";
  return by_tanh ? map_wide<double, 1>(context, gelu_tanh) : map_wide<double, 1>(context, gelu);
}

Status run_hard_sigmoid(const RunContext& context) {
  const double alpha = attribute(context, "alpha", 0.2f), beta = attribute(context, "beta", 0.5f);
  return map_wide<double, 1>(context,
                             [=](double x) { return std::clamp(alpha * x + beta, 0.0, 1.0); });
}

Status run_leaky_relu(const RunContext& context) {
  const double alpha = attribute(context, "alpha", 0.01f);
  return map_wide<double, 1>(context, [=](double x) { return x < 0 ? alpha * x : x; });
}

// The slope broadcasts to X, never the other way round.
Status infer_prelu(InferContext& context) {
  LAN_OK(require_same_dtype(context, 0, 2));
  const Dims &x = context.dims(0), &slope = context.dims(1);
  bool fits = slope.size() <= x.size();
  for (size_t i = 0; fits && i < slope.size(); ++i) {
    const Dim& along = x[x.size() - slope.size() + i];
    fits = slope[i].is(1) || !slope[i].is_known() || !along.is_known() || slope[i] == along;
  }
  if (!fits) return refused("a slope of shape " + dims_text(slope) + " does not fit " + dims_text(x));
  context.set_output(0, context.input(0));
  return ok();
}

Status run_prelu(const RunContext& context) {
  return map_numbers<2>(context,
                        [](auto x, auto slope) { return x < 0 ? wrapping_mul(x, slope) : x; });
}

Status run_relu(const RunContext& context) {
  return map_numbers<1>(context, [](auto x) { return x < 0 ? decltype(x){0} : x; });
}

Status run_shrink(const RunContext& context) {
  const double bias = attribute(context, "bias", 0.0f), lambda = attribute(context, "lambd", 0.5f);
  return map_wide<double, 1>(context, [=](double x) {
    return x < -lambda ? x + bias : x > lambda ? x - bias : 0.0;
  });
}

Status run_swish(const RunContext& context) {
  const double alpha = attribute(context, "alpha", 1.0f);
  return map_wide<double, 1>(context, [=](double x) { return x / (1.0 + std::exp(-alpha * x)); });
}

Status run_thresholded_relu(const RunContext& context) {
  const double alpha = attribute(context, "alpha", 1.0f);
  return map_wide<double, 1>(context, [=](double x) { return x > alpha ? x : 0.0; });
}

consteval OpDef activation(std::string_view name, int since, uint64_t types,
                           Status (*run)(const RunContext&)) {
  return {.name = name,
          .since = since,
          .inputs = {{"X", types}},
          .outputs = {{"Y"}},
          .accuracy = Accuracy::kRounding,
          .infer = infer_same,
          .reference = run};
}

}  // namespace

extern constinit const OpDef op_celu = activation("Celu", 28, kFloats, run_celu);
extern constinit const OpDef op_elu = activation("Elu", 22, kFloats, run_elu);
extern constinit const OpDef op_selu = activation("Selu", 22, kFloats, run_selu);
extern constinit const OpDef op_gelu = {.name = "Gelu",
                                        .since = 20,
                                        .inputs = {{"X", kFloats}},
                                        .outputs = {{"Y"}},
                                        .accuracy = Accuracy::kRounding,
                                        .infer = infer_gelu,
                                        .reference = run_gelu};
extern constinit const OpDef op_hard_sigmoid =
    activation("HardSigmoid", 22, kFloats, run_hard_sigmoid);
extern constinit const OpDef op_leaky_relu = activation("LeakyRelu", 16, kFloats, run_leaky_relu);
extern constinit const OpDef op_prelu = {.name = "PRelu",
                                         .since = 16,
                                         .inputs = {{"X", kNumbers}, {"slope", kNumbers}},
                                         .outputs = {{"Y"}},
                                         .accuracy = Accuracy::kRounding,
                                         .infer = infer_prelu,
                                         .reference = run_prelu};
extern constinit const OpDef op_relu = activation("Relu", 14, kFloats | kSignedInts, run_relu);
extern constinit const OpDef op_shrink = activation("Shrink", 9, kNumbers, run_shrink);
extern constinit const OpDef op_swish = activation("Swish", 24, kFloats, run_swish);
extern constinit const OpDef op_thresholded_relu =
    activation("ThresholdedRelu", 22, kFloats, run_thresholded_relu);

}  // namespace lanthorn
