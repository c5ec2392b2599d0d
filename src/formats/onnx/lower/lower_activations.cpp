// Activations that came later, in the operators before them. Formulas are those of the standard's
// function bodies. https://onnx.ai/onnx/operators/

#include <algorithm>
#include <cmath>
#include <numbers>

#include "formats/onnx/lower/lowerer.h"

namespace lanthorn::onnx {
namespace {

Status gelu(Lowerer& l) {
  const ValueId x = l.node.inputs[0];
  const DType dtype = l.dtype(0);
  if (dtype == DType::kUndefined) return l.unsupported("the dtype of its input is not known");
  ValueId inner = kNoValue;
  if (l.node.attributes.text("approximate", "none") == "tanh") {
    const ValueId cube = l.emit("Mul", {l.emit("Mul", {x, x}), x});
    const ValueId sum = l.emit("Add", {x, l.emit("Mul", {cube, l.number(0.044715, dtype)})});
    const double scale = std::sqrt(2 / std::numbers::pi);
    inner = l.emit("Tanh", {l.emit("Mul", {sum, l.number(scale, dtype)})});
  } else {
    inner = l.emit("Erf", {l.emit("Div", {x, l.number(std::numbers::sqrt2, dtype)})});
  }
  const ValueId weight = l.emit("Add", {inner, l.number(1, dtype)});
  const ValueId half = l.emit("Mul", {x, l.number(0.5, dtype)});
  l.emit_into(l.node.outputs, "Mul", {half, weight});
  return ok();
}

Status mish(Lowerer& l) {
  const ValueId x = l.node.inputs[0];
  l.emit_into(l.node.outputs, "Mul", {x, l.emit("Tanh", {l.emit("Softplus", {x})})});
  return ok();
}

Status hard_swish(Lowerer& l) {
  const ValueId x = l.node.inputs[0];
  const ValueId gate = l.emit("HardSigmoid", {x}, {{"alpha", 1.0f / 6.0f}, {"beta", 0.5f}});
  l.emit_into(l.node.outputs, "Mul", {x, gate});
  return ok();
}

Status swish(Lowerer& l) {
  const ValueId x = l.node.inputs[0];
  const float alpha = l.node.attributes.real("alpha", 1);
  const ValueId scaled = alpha == 1 ? x : l.emit("Mul", {x, l.number(alpha, l.dtype(0))});
  l.emit_into(l.node.outputs, "Mul", {x, l.emit("Sigmoid", {scaled})});
  return ok();
}

Status swiglu(Lowerer& l) {
  const ValueId gate = l.emit("Swish", {l.node.inputs[0]}, {{"alpha", l.node.attributes.real("alpha", 1)}});
  l.emit_into(l.node.outputs, "Mul", {gate, l.node.inputs[1]});
  return ok();
}

// alpha * elu(x / alpha)
Status celu(Lowerer& l) {
  const float alpha = l.node.attributes.real("alpha", 1);
  const ValueId x = l.node.inputs[0];
  if (alpha == 1) {
    l.emit_into(l.node.outputs, "Elu", {x}, {{"alpha", 1.0f}});
    return ok();
  }
  const ValueId factor = l.number(alpha, l.dtype(0));
  const ValueId elu = l.emit("Elu", {l.emit("Div", {x, factor})}, {{"alpha", 1.0f}});
  l.emit_into(l.node.outputs, "Mul", {elu, factor});
  return ok();
}

Status shrink(Lowerer& l) {
  const ValueId x = l.node.inputs[0];
  const DType dtype = l.dtype(0);
  const ValueId bias = l.number(l.node.attributes.real("bias", 0), dtype);
  const float lambda = l.node.attributes.real("lambd", 0.5f);
  const ValueId below = l.emit("Less", {x, l.number(-lambda, dtype)});
  const ValueId above = l.emit("Greater", {x, l.number(lambda, dtype)});
  const ValueId low = l.emit("Mul", {l.emit("Add", {x, bias}), l.cast(below, dtype)});
  const ValueId high = l.emit("Mul", {l.emit("Sub", {x, bias}), l.cast(above, dtype)});
  l.emit_into(l.node.outputs, "Add", {low, high});
  return ok();
}

Status thresholded_relu(Lowerer& l) {
  const ValueId x = l.node.inputs[0];
  const DType dtype = l.dtype(0);
  const ValueId above = l.emit("Greater", {x, l.number(l.node.attributes.real("alpha", 1), dtype)});
  l.emit_into(l.node.outputs, "Mul", {x, l.cast(above, dtype)});
  return ok();
}

// Until opset 14 Relu took floats only.
Status relu(Lowerer& l) {
  if (!is_integer(l.dtype(0))) return ok();
  l.emit_into(l.node.outputs, "Max", {l.node.inputs[0], l.number(0, l.dtype(0))});
  return ok();
}

// Until opset 13 these saw their input as a matrix: all axes from `axis` on are one.
Status softmax(Lowerer& l) {
  const auto rank = l.rank(0);
  if (!rank) return l.unsupported("the rank of its input is not known");
  int64_t axis = l.node.attributes.integer("axis", -1);
  if (axis < 0) axis += *rank;
  if (*rank == 0 || axis == *rank - 1) {
    l.node.attributes.set("axis", std::max<int64_t>(axis, 0));
    return ok();
  }
  std::vector<int64_t> order(static_cast<size_t>(*rank));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  std::swap(order[static_cast<size_t>(axis)], order.back());
  const ValueId moved = l.emit("Transpose", {l.node.inputs[0]}, {{"perm", order}});
  const ValueId normal = l.emit(l.node.op, {moved}, {{"axis", *rank - 1}});
  l.emit_into(l.node.outputs, "Transpose", {normal}, {{"perm", order}});
  return ok();
}

constexpr LoweringRule kRules[] = {
    {"Gelu", 20, gelu},
    {"Mish", 18, mish},
    {"HardSwish", 14, hard_swish},
    {"Swish", 24, swish},
    {"SwiGLU", 28, swiglu},
    {"Celu", 12, celu},
    {"Shrink", 9, shrink},
    {"ThresholdedRelu", 10, thresholded_relu},
    {"Relu", 14, relu},
    {"Softmax", 13, softmax},
    {"LogSoftmax", 13, softmax},
    {"Hardmax", 13, softmax},
};

}  // namespace

std::span<const LoweringRule> activation_lowerings() { return kRules; }

}  // namespace lanthorn::onnx
