#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

/// An activation that another operator applies to its result, by ONNX's name.
class FusedActivation {
 public:
  /// "" is none. kUnsupported for a name that there is not.
  static Result<FusedActivation> of(std::string_view name, std::vector<float> parameters);
  double operator()(double x) const;
  void apply(std::span<double> values) const;

 private:
  enum class Kind : unsigned char {
    kNone,
    kRelu,
    kSigmoid,
    kTanh,
    kLeakyRelu,
    kClip,
    kHardSigmoid,
    kThresholdedRelu,
    kScaledTanh,
    kElu,
    kSoftsign,
    kSoftplus,
    kAffine,
    kHardSwish,
  };
  struct Row;
  static const Row kRows[];
  Kind kind_ = Kind::kNone;
  double alpha_ = 0, beta_ = 0;
};

}  // namespace lanthorn
