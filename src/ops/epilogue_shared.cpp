#include "ops/epilogue_shared.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "kernels/activation_name.h"
#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

bool may_be(const Dim& a, const Dim& b) { return !a.is_known() || !b.is_known() || a == b; }

// The formulas are those of kernels/activation.h.
double activated(Activation activation, double x, double alpha, double beta) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return x < 0 ? 0 : x;
    case Activation::kClip:
      return x < alpha ? alpha : x > beta ? beta : x;
    case Activation::kLeakyRelu:
      return x < 0 ? alpha * x : x;
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kHardSigmoid:
      return std::clamp(alpha * x + beta, 0.0, 1.0);
    case Activation::kHardSwish:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case Activation::kSilu:
      return x / (1 + std::exp(-alpha * x));
    case Activation::kGelu:
      return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
    case Activation::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  }
  return x;
}

}  // namespace

Status check_epilogue(const InferContext& context, size_t bias, size_t residual,
                      const Dims& output) {
  const std::string_view name = context.attributes().text("activation", "");
  if (!activation_from_name(name))
    return refused("there is no activation \"" + std::string(name) + "\"");
  if (context.has_input(bias)) {
    const Dims& dims = context.dims(bias);
    if (dims.size() != 1 || !may_be(dims[0], output.back())) {
      return refused("a bias of shape " + dims_text(dims) + " does not fit " + dims_text(output));
    }
  }
  if (context.has_input(residual)) {
    const Dims& dims = context.dims(residual);
    if (!std::equal(dims.begin(), dims.end(), output.begin(), output.end(), may_be)) {
      return refused("a residual of shape " + dims_text(dims) + " does not fit " +
                     dims_text(output));
    }
  }
  return ok();
}

Status store_with_epilogue(const RunContext& context, std::vector<double> sums, size_t bias,
                           size_t residual) {
  const std::optional<Activation> activation =
      activation_from_name(context.attributes().text("activation", ""));
  if (!activation) return refused("there is no such activation");
  const double alpha = static_cast<double>(context.attributes().real("alpha", 0));
  const double beta = static_cast<double>(context.attributes().real("beta", 0));
  const std::vector<double> added =
      context.has_input(bias) ? wide_copy<double>(context.input(bias)) : std::vector<double>{};
  const std::vector<double> rest = context.has_input(residual)
                                       ? wide_copy<double>(context.input(residual))
                                       : std::vector<double>{};
  for (size_t i = 0; i < sums.size(); ++i) {
    double sum = sums[i];
    if (!added.empty()) sum += added[i % added.size()];
    if (!rest.empty()) sum += rest[i];
    sums[i] = activated(*activation, sum, alpha, beta);
  }
  store_wide(sums.data(), context.output(0), 0, sums.size());
  return ok();
}

}  // namespace lanthorn
