#include "ops/fused_activation_shared.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <string>

namespace lanthorn {

struct FusedActivation::Row {
  std::string_view name;
  Kind kind;
  double alpha, beta;  // where the file gives none
};

constexpr double kLargest = std::numeric_limits<float>::max();

const FusedActivation::Row FusedActivation::kRows[] = {
    {"", Kind::kNone, 0, 0},
    {"Relu", Kind::kRelu, 0, 0},
    {"Sigmoid", Kind::kSigmoid, 0, 0},
    {"Tanh", Kind::kTanh, 0, 0},
    {"LeakyRelu", Kind::kLeakyRelu, 0.01, 0},
    {"Clip", Kind::kClip, -kLargest, kLargest},
    {"HardSigmoid", Kind::kHardSigmoid, 0.2, 0.5},
    {"ThresholdedRelu", Kind::kThresholdedRelu, 1, 0},
    {"ScaledTanh", Kind::kScaledTanh, 1, 1},
    {"Elu", Kind::kElu, 1, 0},
    {"Softsign", Kind::kSoftsign, 0, 0},
    {"Softplus", Kind::kSoftplus, 0, 0},
    {"Affine", Kind::kAffine, 1, 0},
    {"HardSwish", Kind::kHardSwish, 1.0 / 6, 0.5},
};

Result<FusedActivation> FusedActivation::of(std::string_view name, std::vector<float> parameters) {
  const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
  for (const Row& row : kRows) {
    if (!std::equal(name.begin(), name.end(), row.name.begin(), row.name.end(), same)) continue;
    FusedActivation activation;
    activation.kind_ = row.kind;
    activation.alpha_ = !parameters.empty() ? parameters[0] : row.alpha;
    activation.beta_ = parameters.size() > 1 ? parameters[1] : row.beta;
    return activation;
  }
  return Error{ErrorCode::kUnsupported, "the activation '" + std::string(name) + "' is not known",
               "attribute 'activation'", ""};
}

double FusedActivation::operator()(double x) const {
  switch (kind_) {
    case Kind::kNone:
      return x;
    case Kind::kRelu:
      return x < 0 ? 0 : x;
    case Kind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Kind::kTanh:
      return std::tanh(x);
    case Kind::kLeakyRelu:
      return x < 0 ? alpha_ * x : x;
    case Kind::kClip:
      return x < alpha_ ? alpha_ : x > beta_ ? beta_ : x;
    case Kind::kHardSigmoid:
      return std::clamp(alpha_ * x + beta_, 0.0, 1.0);
    case Kind::kThresholdedRelu:
      return x > alpha_ ? x : 0;
    case Kind::kScaledTanh:
      return alpha_ * std::tanh(beta_ * x);
    case Kind::kElu:
      return x < 0 ? alpha_ * std::expm1(x) : x;
    case Kind::kSoftsign:
      return x / (1 + std::fabs(x));
    case Kind::kSoftplus:
      return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
    case Kind::kAffine:
      return alpha_ * x + beta_;
    case Kind::kHardSwish:
      return x * std::clamp(alpha_ * x + beta_, 0.0, 1.0);
  }
  return x;
}

void FusedActivation::apply(std::span<double> values) const {
  if (kind_ == Kind::kNone) return;
  for (double& value : values) value = (*this)(value);
}

}  // namespace lanthorn
