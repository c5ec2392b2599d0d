#pragma once

#include <optional>
#include <string_view>

#include "kernels/activation.h"

namespace lanthorn {

/// The activation that a fused operator's attribute `activation` names: "" (none), "Relu", "Clip"
/// (alpha and beta are the bounds), "LeakyRelu" (alpha), "Sigmoid", "Tanh", "HardSigmoid" (alpha,
/// beta), "HardSwish", "Swish" (alpha; SiLU with 1), "Gelu", "GeluTanh". Nothing for other names.
std::optional<Activation> activation_from_name(std::string_view name);
/// The inverse.
std::string_view activation_name(Activation activation);

}  // namespace lanthorn
