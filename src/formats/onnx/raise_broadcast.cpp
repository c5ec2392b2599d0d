// Before opset 7 elementwise operators broadcast only when asked, and could align the second
// operand with any axis of the first.

#include "formats/onnx/raise.h"

namespace lanthorn::onnx {
namespace {

// Appends axes of size 1 to the second operand so that its first axis meets `axis` of the first.
Status align(Raiser& r, int64_t axis) {
  const auto left = r.rank(0);
  const auto right = r.rank(1);
  if (!left || !right) return r.unsupported("the ranks of the operands must be known");
  if (axis < 0) axis += *left;
  const int64_t missing = *left - axis - *right;
  if (axis < 0 || missing < 0) return r.unsupported("axis does not fit the operands");
  if (missing == 0) return ok();
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < missing; ++i) axes.push_back(*right + i);
  r.set_input(1, r.emit("Unsqueeze", {r.node.inputs[1], r.ints(axes)}));
  return ok();
}

Status elementwise(Raiser& r) {
  const bool broadcast = r.node.attributes.integer("broadcast", 0) != 0;
  const bool has_axis = r.node.attributes.has("axis");
  const int64_t axis = r.node.attributes.integer("axis", 0);
  r.node.attributes.remove("broadcast");
  r.node.attributes.remove("axis");
  r.node.attributes.remove("consumed_inputs");
  if (broadcast && has_axis && r.has_input(1)) return align(r, axis);
  return ok();
}

// One slope a channel, which is axis 1.
Status prelu(Raiser& r) {
  r.node.attributes.remove("consumed_inputs");
  const auto right = r.rank(1);
  const Tensor* slope = r.constant_input(1);
  if ((slope && slope->count() == 1) || right == 0) return ok();
  return right == 1 ? align(r, 1) : ok();
}

Status gemm(Raiser& r) {
  r.node.attributes.remove("broadcast");
  return ok();
}

constexpr Rule kRules[] = {
    {"Add", 7, elementwise},  {"Sub", 7, elementwise},     {"Mul", 7, elementwise},
    {"Div", 7, elementwise},  {"Pow", 7, elementwise},     {"And", 7, elementwise},
    {"Or", 7, elementwise},   {"Xor", 7, elementwise},     {"Equal", 7, elementwise},
    {"Less", 7, elementwise}, {"Greater", 7, elementwise}, {"PRelu", 7, prelu},
    {"Gemm", 7, gemm},
};

}  // namespace

std::span<const Rule> broadcast_rules() { return kRules; }

}  // namespace lanthorn::onnx
