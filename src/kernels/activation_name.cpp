#include "kernels/activation_name.h"

namespace lanthorn {
namespace {

constexpr std::string_view kNames[] = {"",     "Relu",        "Clip",      "LeakyRelu",
                                       "Sigmoid", "Tanh",     "HardSigmoid", "HardSwish",
                                       "Swish", "Gelu",       "GeluTanh"};

}  // namespace

std::optional<Activation> activation_from_name(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Activation>(i);
  }
  return std::nullopt;
}

std::string_view activation_name(Activation activation) {
  return kNames[static_cast<size_t>(activation)];
}

}  // namespace lanthorn
