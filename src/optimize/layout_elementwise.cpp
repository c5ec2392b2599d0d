#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "optimize/layout_rules.h"

namespace lanthorn {

namespace {

/// Operators where output element [i, j, ...] depends on elements [i, j, ...] alone, of inputs that
/// broadcast against each other.
constexpr std::array<std::string_view, 70> kElementwise = {
    "Abs", "Acos", "Acosh", "Add", "And", "Asin", "Asinh", "Atan", "Atanh", "BitShift", "BitwiseAnd", "BitwiseNot",
    "BitwiseOr", "BitwiseXor", "Cast", "Ceil", "Celu", "Clip", "Cos", "Cosh", "Div", "Elu", "Equal", "Erf", "Exp",
    "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity", "IsInf", "IsNaN",
    "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Mean", "Min", "Mish", "Mod", "Mul", "Neg", "Not", "Or",
    "PRelu", "Pow", "Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus",
    "Softsign", "Sqrt", "Sub", "Sum", "Swish", "Tan", "Tanh", "ThresholdedRelu", "Where", "Xor", "Dropout"};

bool is_elementwise(const Node& node) {
  return node.domain.empty() && std::find(kElementwise.begin(), kElementwise.end(), node.op) != kElementwise.end();
}

/// A constant of lower rank in an order of `rank` axes, without the leading axes of size 1 that
/// broadcasting adds by itself.
ValueId reordered_constant(Layout& layout, ValueId id, const Order& order) {
  const Tensor* tensor = layout.constant(id);
  const size_t skipped = order.size() - tensor->rank();
  Shape full(skipped, 1);
  full.insert(full.end(), tensor->shape().begin(), tensor->shape().end());
  Shape moved;
  for (const int64_t axis : order) moved.push_back(full[static_cast<size_t>(axis)]);
  Shape trimmed = moved;
  while (!trimmed.empty() && trimmed.front() == 1) trimmed.erase(trimmed.begin());
  const auto wide = [](const Shape& shape) { return std::count_if(shape.begin(), shape.end(), [](int64_t d) { return d != 1; }); };
  if (wide(full) <= 1 && tensor->is_contiguous()) return layout.graph().add_constant(tensor->reshaped(trimmed));
  const auto contiguous = tensor->contiguous();
  if (!contiguous) return kNoValue;
  const ValueId unsqueezed = layout.graph().add_constant(contiguous->reshaped(full));
  const ValueId made = layout.graph().add_value("", ValueType::tensor(tensor->dtype(), Dims(moved.begin(), moved.end())));
  Node transpose;
  transpose.op = "Transpose";
  transpose.inputs = {unsqueezed};
  transpose.outputs = {made};
  transpose.attributes.set("perm", order);
  layout.emit(std::move(transpose));
  return made;
}

/// A computed value of lower rank in an order of more axes.
ValueId reordered_value(Layout& layout, ValueId id, const Order& order) {
  const Dims& dims = layout.dims(id);
  const size_t skipped = order.size() - dims.size();
  std::vector<int64_t> axes;
  for (size_t i = 0; i < skipped; ++i) axes.push_back(static_cast<int64_t>(i));
  Dims full(skipped, Dim(1));
  full.insert(full.end(), dims.begin(), dims.end());
  const ValueId unsqueezed = layout.graph().add_value("", ValueType::tensor(layout.type(id).dtype, full));
  Node unsqueeze;
  unsqueeze.op = "Unsqueeze";
  unsqueeze.inputs = {layout.natural(id), layout.add_ints(axes)};
  unsqueeze.outputs = {unsqueezed};
  layout.emit(std::move(unsqueeze));
  const ValueId made = layout.graph().add_value("", ValueType::tensor(layout.type(id).dtype, permuted(full, order)));
  Node transpose;
  transpose.op = "Transpose";
  transpose.inputs = {unsqueezed};
  transpose.outputs = {made};
  transpose.attributes.set("perm", order);
  layout.emit(std::move(transpose));
  return made;
}

bool is_single(const Layout& layout, ValueId id) {
  const Dims& dims = layout.dims(id);
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is(1); });
}

}  // namespace

bool lay_out_elementwise(Layout& layout, const Node& node) {
  if (!is_elementwise(node)) return false;
  const ValueId y = node.outputs[0];
  if (!layout.movable(y) || layout.rank(y) < 2) return false;
  const auto rank = static_cast<size_t>(layout.rank(y));
  Order order;
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    if (!layout.movable(id) || layout.rank(id) > layout.rank(y)) return false;
    if (!order.empty() || layout.constant(id) || static_cast<size_t>(layout.rank(id)) != rank) continue;
    if (!is_natural(layout.home(id)) && !is_single(layout, id)) order = layout.home(id);
  }
  if (order.empty()) return false;
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue) return false;
  }
  Node moved = relaid(node);
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) {
      moved.inputs.push_back(id);
    } else if (layout.rank(id) == 0 || (is_single(layout, id) && static_cast<size_t>(layout.rank(id)) <= rank)) {
      moved.inputs.push_back(layout.natural(id));
    } else if (layout.constant(id)) {
      moved.inputs.push_back(reordered_constant(layout, id, order));
    } else if (static_cast<size_t>(layout.rank(id)) == rank) {
      moved.inputs.push_back(layout.get(id, order));
    } else {
      moved.inputs.push_back(reordered_value(layout, id, order));
    }
  }
  moved.outputs = {layout.make(y, order)};
  layout.emit(std::move(moved));
  return true;
}

}  // namespace lanthorn
